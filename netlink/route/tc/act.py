"""Actions: what a filter does with a packet, by kind.

The options of a filter contain Actions, and so does an ActionTable in action.py. This file must not
send requests, and must not know any classifier. It exists because several kinds of messages share
the actions. Numbers are from Linux 6.12 (linux/pkt_cls.h, linux/tc_act/). Widths, signs and byte
order are from net/sched/act_*.c. ipt and xt are not declared, because newer kernels and headers do
not have them. Padding attributes (TCA_*_PAD) are not declared either.
"""

from collections.abc import Mapping
from typing import Any

from netlink.constants import IFNAMSIZ, KernelEnum, KernelFlag
from netlink.route.ether import ETH_P
from netlink.route.tc.options import Need, Rules
from netlink.route.tc.tcmsg import TC_LINKLAYER, Handle, Stats, tc_ratespec
from netlink.schema import (
    Addr,
    Bitfield32,
    Message,
    Named,
    Nested,
    Several,
    address,
    be16,
    be32,
    binary,
    bitfield32,
    flag,
    mac,
    mapping,
    nest,
    repeated,
    s32,
    scalars,
    selected,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
)

# Maximum lengths of texts in bytes. All but ACT_BPF_NAME_LEN include the final NUL
# (net/sched/act_simple.c, act_ct.c, act_bpf.c).
SIMP_MAX_DATA = 32
NF_CT_HELPER_NAME_LEN = 16
ACT_BPF_NAME_LEN = 256


class TC_ACT(KernelEnum):
    """What happens to a packet after an action (linux/pkt_cls.h).

    The kernel adds a number to each of the last two: how many actions to skip, or the chain to go
    to. Such a sum is decoded as a plain int.
    """

    TC_ACT_UNSPEC = -1
    TC_ACT_OK = 0
    TC_ACT_RECLASSIFY = 1
    TC_ACT_SHOT = 2
    TC_ACT_PIPE = 3
    TC_ACT_STOLEN = 4
    TC_ACT_QUEUED = 5
    TC_ACT_REPEAT = 6
    TC_ACT_REDIRECT = 7
    TC_ACT_TRAP = 8
    TC_ACT_JUMP = 0x10000000
    TC_ACT_GOTO_CHAIN = 0x20000000


class TCA_ACT_FLAGS(KernelFlag):
    """Flags of an action (linux/pkt_cls.h)."""

    TCA_ACT_FLAGS_NO_PERCPU_STATS = 0x1
    TCA_ACT_FLAGS_SKIP_HW = 0x2
    TCA_ACT_FLAGS_SKIP_SW = 0x4


class TCA_ACT_HW_STATS(KernelFlag):
    """When the hardware updates the counters of an action (linux/pkt_cls.h)."""

    TCA_ACT_HW_STATS_IMMEDIATE = 0x1
    TCA_ACT_HW_STATS_DELAYED = 0x2


class tcf_t(Message):
    """struct tcf_t (linux/pkt_cls.h): ages, and the lifetime `expires`, in clock ticks."""

    install: int = u64()
    lastuse: int = u64()
    expires: int = u64()
    firstuse: int = u64()


class tc_gen(Message):
    """The macro tc_gen (linux/pkt_cls.h): the first parameters of all actions except police.

    struct tc_gact, tc_act_bpf, tc_ct, tc_ctinfo, tc_defact, tc_gate, tc_sample and tc_skbedit have
    no other members. If `index` is 0, the kernel chooses one. It ignores the two counts.
    """

    index: int = u32()
    capab: int = u32()
    action: Named[TC_ACT | int] = s32(enum=TC_ACT)
    refcnt: int = s32()
    bindcnt: int = s32()


# --- gact, police, mirred, simple, sample ---------------------------------------------------------


class PGACT(KernelEnum):
    """How a "gact" chooses between its two results (linux/tc_act/tc_gact.h)."""

    PGACT_NONE = 0
    PGACT_NETRAND = 1
    PGACT_DETERM = 2


class tc_gact_p(Message):
    """struct tc_gact_p (linux/tc_act/tc_gact.h): `paction` applies to one packet in `pval`."""

    ptype: Named[PGACT | int] = u16(enum=PGACT)
    pval: int = u16()
    paction: Named[TC_ACT | int] = s32(enum=TC_ACT)


class Gact(Message):
    """TCA_GACT_* attributes of a "gact": drop, pass and so on (linux/tc_act/tc_gact.h)."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_gen] = struct(2, tc_gen)
    prob: Nested[tc_gact_p] = struct(3, tc_gact_p)


class tc_police(Message):
    """struct tc_police (linux/pkt_cls.h): `burst` is in ticks, `mtu` in bytes."""

    index: int = u32()
    action: Named[TC_ACT | int] = s32(enum=TC_ACT)
    limit: int = u32()
    burst: int = u32()
    mtu: int = u32()
    rate: Nested[tc_ratespec] = struct(tc_ratespec)
    peakrate: Nested[tc_ratespec] = struct(tc_ratespec)
    refcnt: int = s32()
    bindcnt: int = s32()
    capab: int = u32()


class Police(Message):
    """TCA_POLICE_* attributes of a "police" (linux/pkt_cls.h).

    Rates are in bytes per second, except `pktrate64`, which is in packets per second; `pktburst64`
    is in ticks. `result` is the result for packets that conform, and `tbf.action` for all others. A
    request that sets a rate must contain a table of 1024 bytes in `rate` (and `peakrate`) and a
    `cell_log` in the struct. The kernel reads the table only to guess an unknown link layer
    (qdisc_get_rtab).
    """

    tbf: Nested[tc_police] = struct(1, tc_police)
    rate: bytes | None = binary(2)
    peakrate: bytes | None = binary(3)
    avrate: int | None = u32(4)
    result: Named[TC_ACT | int | None] = s32(5, enum=TC_ACT)
    tm: Nested[tcf_t] = struct(6, tcf_t)
    rate64: int | None = u64(8)
    peakrate64: int | None = u64(9)
    pktrate64: int | None = u64(10)
    pktburst64: int | None = u64(11)


class TCA_MIRRED(KernelEnum, prefix="TCA_"):
    """Where a "mirred" sends a packet or its copy (linux/tc_act/tc_mirred.h)."""

    TCA_EGRESS_REDIR = 1
    TCA_EGRESS_MIRROR = 2
    TCA_INGRESS_REDIR = 3
    TCA_INGRESS_MIRROR = 4


class tc_mirred(tc_gen):
    """struct tc_mirred (linux/tc_act/tc_mirred.h)."""

    eaction: Named[TCA_MIRRED | int] = s32(enum=TCA_MIRRED)
    ifindex: int = u32()


class Mirred(Message):
    """TCA_MIRRED_* attributes of a "mirred". `blockid` is an alternative to a link."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_mirred] = struct(2, tc_mirred)
    blockid: int | None = u32(4)


class Simple(Message):
    """TCA_DEF_* attributes of a "simple", which logs a text (linux/tc_act/tc_defact.h)."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_gen] = struct(2, tc_gen)
    data: str | None = string(3, size=SIMP_MAX_DATA)


class Sample(Message):
    """TCA_SAMPLE_* attributes of a "sample": one packet in `rate` (linux/tc_act/tc_sample.h)."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_gen] = struct(2, tc_gen)
    rate: int | None = u32(3)
    trunc_size: int | None = u32(4)
    psample_group: int | None = u32(5)


class sock_filter(Message):
    """struct sock_filter (linux/filter.h): one instruction of classic BPF."""

    code: int = u16()
    jt: int = u8()
    jf: int = u8()
    k: int = u32()


class Bpf(Message):
    """TCA_ACT_BPF_* attributes of a "bpf" (linux/tc_act/tc_bpf.h).

    A program is either instructions in `ops`, with their number in `ops_len`, or an `fd` of bpf(2)
    with a `name`. For an `fd`, the kernel sends `tag` and `id`.
    """

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_gen] = struct(2, tc_gen)
    ops_len: int | None = u16(3, counts="ops")
    ops: Several[sock_filter] = scalars(4, struct(sock_filter))
    fd: int | None = u32(5)
    name: str | None = string(6, size=ACT_BPF_NAME_LEN + 1)
    tag: bytes | None = binary(8)
    id: int | None = u32(9)


# --- packet headers: vlan, mpls, tunnel_key, ife, pedit, nat, csum --------------------------------


class TCA_VLAN_ACT(KernelEnum):
    """What a "vlan" does (linux/tc_act/tc_vlan.h)."""

    TCA_VLAN_ACT_POP = 1
    TCA_VLAN_ACT_PUSH = 2
    TCA_VLAN_ACT_MODIFY = 3
    TCA_VLAN_ACT_POP_ETH = 4
    TCA_VLAN_ACT_PUSH_ETH = 5


class tc_vlan(tc_gen):
    """struct tc_vlan (linux/tc_act/tc_vlan.h)."""

    v_action: Named[TCA_VLAN_ACT | int] = s32(enum=TCA_VLAN_ACT)


class Vlan(Message):
    """TCA_VLAN_* attributes of a "vlan" (linux/tc_act/tc_vlan.h)."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_vlan] = struct(2, tc_vlan)
    push_vlan_id: int | None = u16(3)
    push_vlan_protocol: Named[ETH_P | int | None] = be16(4, enum=ETH_P)
    push_vlan_priority: int | None = u8(6)
    push_eth_dst: str | None = mac(7)
    push_eth_src: str | None = mac(8)


class TCA_MPLS_ACT(KernelEnum):
    """What an "mpls" does (linux/tc_act/tc_mpls.h)."""

    TCA_MPLS_ACT_POP = 1
    TCA_MPLS_ACT_PUSH = 2
    TCA_MPLS_ACT_MODIFY = 3
    TCA_MPLS_ACT_DEC_TTL = 4
    TCA_MPLS_ACT_MAC_PUSH = 5


class tc_mpls(tc_gen):
    """struct tc_mpls (linux/tc_act/tc_mpls.h)."""

    m_action: Named[TCA_MPLS_ACT | int] = s32(enum=TCA_MPLS_ACT)


class Mpls(Message):
    """TCA_MPLS_* attributes of an "mpls" (linux/tc_act/tc_mpls.h)."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_mpls] = struct(2, tc_mpls)
    proto: Named[ETH_P | int | None] = be16(4, enum=ETH_P)
    label: int | None = u32(5)
    tc: int | None = u8(6)
    ttl: int | None = u8(7)
    bos: int | None = u8(8)


class GeneveOption(Message):
    """TCA_*_ENC_OPT_GENEVE_* attributes: `data` is 4 to 124 bytes, a multiple of 4."""

    class_: int | None = be16(1)
    type: int | None = u8(2)
    data: bytes | None = binary(3)


class VxlanOption(Message):
    """TCA_*_ENC_OPT_VXLAN_* attributes: a group policy."""

    gbp: int | None = u32(1)


class ErspanOption(Message):
    """TCA_*_ENC_OPT_ERSPAN_* attributes: `index` is for version 1, `dir` and `hwid` for 2."""

    ver: int | None = u8(1)
    index: int | None = be32(2)
    dir: int | None = u8(3)
    hwid: int | None = u8(4)


class TunnelOptions(Message):
    """TCA_*_ENC_OPTS_* attributes: header options of one kind of tunnel.

    The numbers in linux/tc_act/tc_tunnel_key.h, and in linux/pkt_cls.h for flower, are the same.
    """

    geneve: Several[GeneveOption] = repeated(1, GeneveOption)
    vxlan: Nested[VxlanOption] = nest(2, VxlanOption)
    erspan: Nested[ErspanOption] = nest(3, ErspanOption)


class TCA_TUNNEL_KEY_ACT(KernelEnum):
    """What a "tunnel_key" does (linux/tc_act/tc_tunnel_key.h)."""

    TCA_TUNNEL_KEY_ACT_SET = 1
    TCA_TUNNEL_KEY_ACT_RELEASE = 2


class tc_tunnel_key(tc_gen):
    """struct tc_tunnel_key (linux/tc_act/tc_tunnel_key.h)."""

    t_action: Named[TCA_TUNNEL_KEY_ACT | int] = s32(enum=TCA_TUNNEL_KEY_ACT)


class TunnelKey(Message):
    """TCA_TUNNEL_KEY_* attributes of a "tunnel_key" (linux/tc_act/tc_tunnel_key.h)."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_tunnel_key] = struct(2, tc_tunnel_key)
    enc_ipv4_src: Addr = address(3, size=4)
    enc_ipv4_dst: Addr = address(4, size=4)
    enc_ipv6_src: Addr = address(5, size=16)
    enc_ipv6_dst: Addr = address(6, size=16)
    enc_key_id: int | None = be32(7)
    enc_dst_port: int | None = be16(9)
    no_csum: int | None = u8(10)
    enc_opts: Nested[TunnelOptions] = nest(11, TunnelOptions)
    enc_tos: int | None = u8(12)
    enc_ttl: int | None = u8(13)
    no_frag: bool = flag(14)


class IFE(KernelEnum):
    """Directions of an "ife" (linux/tc_act/tc_ife.h)."""

    IFE_DECODE = 0
    IFE_ENCODE = 1


class IFE_META(KernelEnum):
    """Metadata that an "ife" sends with the packet (linux/ife.h)."""

    IFE_META_SKBMARK = 1
    IFE_META_HASHID = 2
    IFE_META_PRIO = 3
    IFE_META_QMAP = 4
    IFE_META_TCINDEX = 5


class tc_ife(tc_gen):
    """struct tc_ife (linux/tc_act/tc_ife.h)."""

    flags: Named[IFE | int] = u16(enum=IFE)


class Ife(Message):
    """TCA_IFE_* attributes of an "ife" (linux/tc_act/tc_ife.h).

    An empty entry of `metalst` sends the packet's own value. Any other entry is the value to send:
    4 bytes in host byte order, or 2 bytes for IFE_META_TCINDEX.
    """

    parms: Nested[tc_ife] = struct(1, tc_ife)
    tm: Nested[tcf_t] = struct(2, tcf_t)
    dmac: str | None = mac(3)
    smac: str | None = mac(4)
    type: int | None = u16(5)
    metalst: dict[IFE_META | int, bytes] | None = mapping(6, binary(), enum=IFE_META)


class TCA_PEDIT_KEY_EX_HDR_TYPE(KernelEnum):
    """The header to which an offset is relative (linux/tc_act/tc_pedit.h)."""

    TCA_PEDIT_KEY_EX_HDR_TYPE_NETWORK = 0
    TCA_PEDIT_KEY_EX_HDR_TYPE_ETH = 1
    TCA_PEDIT_KEY_EX_HDR_TYPE_IP4 = 2
    TCA_PEDIT_KEY_EX_HDR_TYPE_IP6 = 3
    TCA_PEDIT_KEY_EX_HDR_TYPE_TCP = 4
    TCA_PEDIT_KEY_EX_HDR_TYPE_UDP = 5


class TCA_PEDIT_KEY_EX_CMD(KernelEnum):
    """How a word of the packet is changed: set, or add (linux/tc_act/tc_pedit.h)."""

    TCA_PEDIT_KEY_EX_CMD_SET = 0
    TCA_PEDIT_KEY_EX_CMD_ADD = 1


class tc_pedit_key(Message):
    """struct tc_pedit_key (linux/tc_act/tc_pedit.h): the word at `off` becomes (it & mask) ^ val.

    `mask` and `val` are in network byte order, like the bytes of the packet.
    """

    mask: int = be32()
    val: int = be32()
    off: int = u32()
    at: int = u32()
    offmask: int = u32()
    shift: int = u32()


class tc_pedit_sel(tc_gen):
    """struct tc_pedit_sel (linux/tc_act/tc_pedit.h): `nkeys` is the number of `keys_`."""

    nkeys: int = u8(counts="keys_")
    flags: int = u8()
    keys_: Several[tc_pedit_key] = scalars(struct(tc_pedit_key))


class PeditKey(Message):
    """TCA_PEDIT_KEY_EX_* attributes: additional settings of one key."""

    htype: Named[TCA_PEDIT_KEY_EX_HDR_TYPE | int | None] = u16(1, enum=TCA_PEDIT_KEY_EX_HDR_TYPE)
    cmd: Named[TCA_PEDIT_KEY_EX_CMD | int | None] = u16(2, enum=TCA_PEDIT_KEY_EX_CMD)


class PeditKeys(Message):
    """TCA_PEDIT_KEYS_EX: one entry for each key of the struct."""

    key_ex: Several[PeditKey] = repeated(6, PeditKey)


class Pedit(Message):
    """TCA_PEDIT_* attributes of a "pedit": `parms_ex` and `keys_ex`, or only `parms`."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_pedit_sel] = struct(2, tc_pedit_sel)
    parms_ex: Nested[tc_pedit_sel] = struct(4, tc_pedit_sel)
    keys_ex: Nested[PeditKeys] = nest(5, PeditKeys)


class TCA_NAT_FLAG(KernelFlag):
    """Flags of a "nat" (linux/tc_act/tc_nat.h)."""

    TCA_NAT_FLAG_EGRESS = 1


class tc_nat(tc_gen):
    """struct tc_nat (linux/tc_act/tc_nat.h)."""

    old_addr: Addr = address(size=4)
    new_addr: Addr = address(size=4)
    mask: Addr = address(size=4)
    flags: Named[TCA_NAT_FLAG] = u32(enum=TCA_NAT_FLAG)


class Nat(Message):
    """TCA_NAT_* attributes of a "nat", which is stateless (linux/tc_act/tc_nat.h)."""

    parms: Nested[tc_nat] = struct(1, tc_nat)
    tm: Nested[tcf_t] = struct(2, tcf_t)


class TCA_CSUM_UPDATE_FLAG(KernelFlag):
    """Checksums that a "csum" recomputes (linux/tc_act/tc_csum.h)."""

    TCA_CSUM_UPDATE_FLAG_IPV4HDR = 1
    TCA_CSUM_UPDATE_FLAG_ICMP = 2
    TCA_CSUM_UPDATE_FLAG_IGMP = 4
    TCA_CSUM_UPDATE_FLAG_TCP = 8
    TCA_CSUM_UPDATE_FLAG_UDP = 16
    TCA_CSUM_UPDATE_FLAG_UDPLITE = 32
    TCA_CSUM_UPDATE_FLAG_SCTP = 64


class tc_csum(tc_gen):
    """struct tc_csum (linux/tc_act/tc_csum.h)."""

    update_flags: Named[TCA_CSUM_UPDATE_FLAG] = u32(enum=TCA_CSUM_UPDATE_FLAG)


class Csum(Message):
    """TCA_CSUM_* attributes of a "csum" (linux/tc_act/tc_csum.h)."""

    parms: Nested[tc_csum] = struct(1, tc_csum)
    tm: Nested[tcf_t] = struct(2, tcf_t)


# --- packet metadata: skbedit, skbmod, connmark, ct, ctinfo, gate ---------------------------------


class SKBEDIT_F(KernelFlag):
    """Fields that a "skbedit" sets.

    The kernel reads only the last two (linux/tc_act/tc_skbedit.h).
    """

    SKBEDIT_F_PRIORITY = 0x1
    SKBEDIT_F_QUEUE_MAPPING = 0x2
    SKBEDIT_F_MARK = 0x4
    SKBEDIT_F_PTYPE = 0x8
    SKBEDIT_F_MASK = 0x10
    SKBEDIT_F_INHERITDSFIELD = 0x20
    SKBEDIT_F_TXQ_SKBHASH = 0x40


class Skbedit(Message):
    """TCA_SKBEDIT_* attributes of a "skbedit": `mask` is for the mark; `priority` is a handle."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_gen] = struct(2, tc_gen)
    priority: Named[Handle | None] = u32(3, enum=Handle)
    queue_mapping: int | None = u16(4)
    mark: int | None = u32(5)
    ptype: int | None = u16(7)
    mask: int | None = u32(8)
    flags: Named[SKBEDIT_F | None] = u64(9, enum=SKBEDIT_F)
    queue_mapping_max: int | None = u16(10)


class SKBMOD_F(KernelFlag):
    """What a "skbmod" changes (linux/tc_act/tc_skbmod.h)."""

    SKBMOD_F_DMAC = 0x1
    SKBMOD_F_SMAC = 0x2
    SKBMOD_F_ETYPE = 0x4
    SKBMOD_F_SWAPMAC = 0x8
    SKBMOD_F_ECN = 0x10


class tc_skbmod(tc_gen):
    """struct tc_skbmod (linux/tc_act/tc_skbmod.h)."""

    flags: Named[SKBMOD_F] = u64(enum=SKBMOD_F)


class Skbmod(Message):
    """TCA_SKBMOD_* attributes of a "skbmod" (linux/tc_act/tc_skbmod.h)."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_skbmod] = struct(2, tc_skbmod)
    dmac: str | None = mac(3)
    smac: str | None = mac(4)
    etype: Named[ETH_P | int | None] = u16(5, enum=ETH_P)


class tc_connmark(tc_gen):
    """struct tc_connmark (linux/tc_act/tc_connmark.h)."""

    zone: int = u16()


class Connmark(Message):
    """TCA_CONNMARK_* attributes of a "connmark" (linux/tc_act/tc_connmark.h)."""

    parms: Nested[tc_connmark] = struct(1, tc_connmark)
    tm: Nested[tcf_t] = struct(2, tcf_t)


class TCA_CT_ACT(KernelFlag):
    """What a "ct" does (linux/tc_act/tc_ct.h)."""

    TCA_CT_ACT_COMMIT = 0x1
    TCA_CT_ACT_FORCE = 0x2
    TCA_CT_ACT_CLEAR = 0x4
    TCA_CT_ACT_NAT = 0x8
    TCA_CT_ACT_NAT_SRC = 0x10
    TCA_CT_ACT_NAT_DST = 0x20


class Ct(Message):
    """TCA_CT_* attributes of a "ct". Labels have 16 bytes (linux/tc_act/tc_ct.h)."""

    parms: Nested[tc_gen] = struct(1, tc_gen)
    tm: Nested[tcf_t] = struct(2, tcf_t)
    action: Named[TCA_CT_ACT | None] = u16(3, enum=TCA_CT_ACT)
    zone: int | None = u16(4)
    mark: int | None = u32(5)
    mark_mask: int | None = u32(6)
    labels: bytes | None = binary(7)
    labels_mask: bytes | None = binary(8)
    nat_ipv4_min: Addr = address(9, size=4)
    nat_ipv4_max: Addr = address(10, size=4)
    nat_ipv6_min: Addr = address(11, size=16)
    nat_ipv6_max: Addr = address(12, size=16)
    nat_port_min: int | None = be16(13)
    nat_port_max: int | None = be16(14)
    helper_name: str | None = string(16, size=NF_CT_HELPER_NAME_LEN)
    helper_family: int | None = u8(17)
    helper_proto: int | None = u8(18)


class Ctinfo(Message):
    """TCA_CTINFO_* attributes of a "ctinfo" (linux/tc_act/tc_ctinfo.h)."""

    tm: Nested[tcf_t] = struct(2, tcf_t)
    act: Nested[tc_gen] = struct(3, tc_gen)
    zone: int | None = u16(4)
    parms_dscp_mask: int | None = u32(5)
    parms_dscp_statemask: int | None = u32(6)
    parms_cpmark_mask: int | None = u32(7)
    stats_dscp_set: int | None = u64(8)
    stats_dscp_error: int | None = u64(9)
    stats_cpmark_set: int | None = u64(10)


class GateEntry(Message):
    """TCA_GATE_ENTRY_* attributes: one step. `interval` is in ns; -1 means no limit."""

    index: int | None = u32(1)
    gate: bool = flag(2)
    interval: int | None = u32(3)
    ipv: int | None = s32(4)
    max_octets: int | None = s32(5)


class GateEntries(Message):
    """TCA_GATE_ENTRY_LIST: the steps, in order."""

    one_entry: Several[GateEntry] = repeated(1, GateEntry)


class Gate(Message):
    """TCA_GATE_* attributes of a "gate". Times are in ns (linux/tc_act/tc_gate.h)."""

    tm: Nested[tcf_t] = struct(1, tcf_t)
    parms: Nested[tc_gen] = struct(2, tc_gen)
    priority: int | None = s32(4)
    entry_list: Nested[GateEntries] = nest(5, GateEntries)
    base_time: int | None = u64(6)
    cycle_time: int | None = u64(7)
    cycle_time_ext: int | None = u64(8)
    flags: int | None = u32(9)
    clockid: int | None = s32(10)


# --- by kind --------------------------------------------------------------------------------------

ACTION_OPTIONS: dict[str, type[Message]] = {
    "bpf": Bpf,
    "connmark": Connmark,
    "csum": Csum,
    "ct": Ct,
    "ctinfo": Ctinfo,
    "gact": Gact,
    "gate": Gate,
    "ife": Ife,
    "mirred": Mirred,
    "mpls": Mpls,
    "nat": Nat,
    "pedit": Pedit,
    "police": Police,
    "sample": Sample,
    "simple": Simple,
    "skbedit": Skbedit,
    "skbmod": Skbmod,
    "tunnel_key": TunnelKey,
    "vlan": Vlan,
}

# Values that the plans fill in or require. Zero is TC_ACT_OK, which ends the list of actions.
# For most actions, tc has another default.
PIPE = {"action": TC_ACT.TC_ACT_PIPE}
PIPED = Rules(default={"parms": PIPE})


def _after_mirred(options: dict[str, Any], beside: Mapping[str, Any]) -> None:
    """Fill in the result of a mirred: the packet continues unless it was redirected."""
    parms = options.get("parms")
    if isinstance(parms, dict):
        gone = (TCA_MIRRED.TCA_EGRESS_REDIR, TCA_MIRRED.TCA_INGRESS_REDIR)
        is_gone = parms.get("eaction") in {*gone, *(member.name for member in gone)}
        parms.setdefault("action", TC_ACT.TC_ACT_STOLEN if is_gone else TC_ACT.TC_ACT_PIPE)


ACTION_RULES: dict[str, Rules] = {
    "bpf": PIPED,
    "connmark": PIPED,
    "csum": Rules(needs=(Need("parms.update_flags", "otherwise the kernel updates no checksum"),)),
    "ct": Rules(
        needs=(
            Need(
                "action",
                "otherwise the kernel ignores the addresses and ports",
                when="nat_ipv4_min|nat_ipv6_min|nat_port_min",
            ),
        ),
        default={"parms": PIPE},
    ),
    "ctinfo": Rules(default={"act": PIPE}),
    "gate": PIPED,
    "ife": PIPED,
    "mirred": Rules(fill=_after_mirred),
    "mpls": PIPED,
    "nat": Rules(default={"parms": {"mask": "255.255.255.255"}}),
    "police": Rules(
        needs=(
            Need(
                "tbf.rate.rate|rate64|avrate|pktrate64|tbf.mtu|tbf.index",
                "otherwise every packet conforms",
            ),
            Need(
                "tbf.burst|avrate",
                "otherwise every packet exceeds the rate",
                when="tbf.rate.rate|rate64",
            ),
            Need("pktburst64", "otherwise every packet exceeds the rate", when="pktrate64"),
            Need("tbf.mtu", "the peak rate needs it", when="tbf.peakrate.rate|peakrate64"),
        ),
        default={
            "tbf": {
                "action": TC_ACT.TC_ACT_RECLASSIFY,
                "rate": {"linklayer": TC_LINKLAYER.TC_LINKLAYER_ETHERNET},
            }
        },
    ),
    "sample": PIPED,
    "simple": PIPED,
    "skbedit": PIPED,
    "skbmod": PIPED,
    "tunnel_key": PIPED,
    "vlan": PIPED,
}


class Action(Message):
    """TCA_ACT_* attributes: one action (linux/pkt_cls.h).

    `index` identifies an existing action. `options` are bytes if no class is declared for the kind.
    """

    kind: str | None = string(1, size=IFNAMSIZ)
    options: Nested[Any] = selected(2, "kind", ACTION_OPTIONS)
    index: int | None = u32(3)
    stats: Nested[Stats] = nest(4, Stats)
    cookie: bytes | None = binary(6)
    flags: Bitfield32 | None = bitfield32(7, enum=TCA_ACT_FLAGS)
    hw_stats: Bitfield32 | None = bitfield32(8, enum=TCA_ACT_HW_STATS)
    used_hw_stats: Bitfield32 | None = bitfield32(9, enum=TCA_ACT_HW_STATS)
    in_hw_count: int | None = u32(10)
