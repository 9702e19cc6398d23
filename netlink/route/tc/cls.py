"""Classifiers: the options of every filter, by kind. A template of a chain has the same options.

This file must not send requests; filter.py does. It exists so that a kind is one class and one line
in the tables at the end. Numbers are from Linux 6.12 (linux/pkt_cls.h). Widths, signs and byte
order are from net/sched/cls_*.c. rsvp and tcindex are not declared, because newer kernels and
headers do not have them. Padding attributes (TCA_*_PAD) are not declared either.
"""

from collections.abc import Mapping
from typing import Any

from netlink.constants import IFNAMSIZ, KernelEnum, KernelFlag
from netlink.route.ether import ETH_P
from netlink.route.tc.act import Action, Police, TunnelOptions, sock_filter
from netlink.route.tc.em import TCF_EM, TCF_EM_FLAG, EmatchTree, tc_u32_key
from netlink.route.tc.options import Need, Rules
from netlink.route.tc.tcmsg import Handle, U32Handle
from netlink.schema import (
    Addr,
    Message,
    Named,
    Nested,
    Several,
    address,
    array,
    be16,
    be32,
    be64,
    binary,
    mac,
    nest,
    repeated,
    s16,
    scalars,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
)

CLS_BPF_NAME_LEN = 256  # net/sched/cls_bpf.c; without the final NUL


class TCA_CLS_FLAGS(KernelFlag):
    """Whether a filter may run, and does run, in hardware and software (linux/pkt_cls.h)."""

    TCA_CLS_FLAGS_SKIP_HW = 0x1
    TCA_CLS_FLAGS_SKIP_SW = 0x2
    TCA_CLS_FLAGS_IN_HW = 0x4
    TCA_CLS_FLAGS_NOT_IN_HW = 0x8
    TCA_CLS_FLAGS_VERBOSE = 0x10


# --- u32 ------------------------------------------------------------------------------------------


class TC_U32(KernelFlag):
    """Flags of a selector (linux/pkt_cls.h)."""

    TC_U32_TERMINAL = 0x1
    TC_U32_OFFSET = 0x2
    TC_U32_VAROFFSET = 0x4
    TC_U32_EAT = 0x8


class tc_u32_sel(Message):
    """struct tc_u32_sel (linux/pkt_cls.h): the `keys_`, all of which must match.

    `nkeys` is the number of keys, and is computed. The other members state how the kernel finds the
    next header and the next hash bucket.
    """

    flags: Named[TC_U32] = u8(enum=TC_U32)
    offshift: int = u8()
    nkeys: int = u8(counts="keys_")
    offmask: int = be16()
    off: int = u16()
    offoff: int = s16()
    hoff: int = s16()
    hmask: int = be32()
    keys_: Several[tc_u32_key] = scalars(struct(tc_u32_key))


class tc_u32_mark(Message):
    """struct tc_u32_mark (linux/pkt_cls.h). `success` counts the packets with the mark."""

    val: int = u32()
    mask: int = u32()
    success: int = u32()


class tc_u32_pcnt(Message):
    """struct tc_u32_pcnt (linux/pkt_cls.h): packets tested and matched, matches by key."""

    rcnt: int = u64()
    rhit: int = u64()
    kcnts: tuple[int, ...] = scalars(u64())


class U32(Message):
    """TCA_U32_* attributes of a "u32" (linux/pkt_cls.h).

    The filter's handle, `hash` and `link` consist of table, bucket and node (see U32Handle). Only a
    hash table has a `divisor`; it has no selector.
    """

    classid: Named[Handle | None] = u32(1, enum=Handle)
    hash: Named[U32Handle | None] = u32(2, enum=U32Handle)
    link: Named[U32Handle | None] = u32(3, enum=U32Handle)
    divisor: int | None = u32(4)
    sel: Nested[tc_u32_sel] = struct(5, tc_u32_sel)
    police: Nested[Police] = nest(6, Police)
    act: Several[Action] = array(7, Action, first=1)
    indev: str | None = string(8, size=IFNAMSIZ)
    pcnt: Nested[tc_u32_pcnt] = struct(9, tc_u32_pcnt)
    mark: Nested[tc_u32_mark] = struct(10, tc_u32_mark)
    flags: Named[TCA_CLS_FLAGS | None] = u32(11, enum=TCA_CLS_FLAGS)


# --- basic, bpf, cgroup, flow, fw, matchall, route ------------------------------------------------


class tc_basic_pcnt(Message):
    """struct tc_basic_pcnt (linux/pkt_cls.h): packets tested, and packets matched."""

    rcnt: int = u64()
    rhit: int = u64()


class Basic(Message):
    """TCA_BASIC_* attributes of a "basic" (linux/pkt_cls.h)."""

    classid: Named[Handle | None] = u32(1, enum=Handle)
    ematches: Nested[EmatchTree] = nest(2, EmatchTree)
    act: Several[Action] = array(3, Action, first=1)
    police: Nested[Police] = nest(4, Police)
    pcnt: Nested[tc_basic_pcnt] = struct(5, tc_basic_pcnt)


class TCA_BPF_FLAG(KernelFlag):
    """Flags of a "bpf" (linux/pkt_cls.h)."""

    TCA_BPF_FLAG_ACT_DIRECT = 0x1


class Bpf(Message):
    """TCA_BPF_* attributes of a "bpf" (linux/pkt_cls.h).

    A program is either instructions in `ops`, with their number in `ops_len`, or an `fd` of bpf(2)
    with a `name`. For an `fd`, the kernel sends `tag` and `id`.
    """

    act: Several[Action] = array(1, Action, first=1)
    police: Nested[Police] = nest(2, Police)
    classid: Named[Handle | None] = u32(3, enum=Handle)
    ops_len: int | None = u16(4, counts="ops")
    ops: Several[sock_filter] = scalars(5, struct(sock_filter))
    fd: int | None = u32(6)
    name: str | None = string(7, size=CLS_BPF_NAME_LEN + 1)
    flags: Named[TCA_BPF_FLAG | None] = u32(8, enum=TCA_BPF_FLAG)
    flags_gen: Named[TCA_CLS_FLAGS | None] = u32(9, enum=TCA_CLS_FLAGS)
    tag: bytes | None = binary(10)
    id: int | None = u32(11)


class Cgroup(Message):
    """TCA_CGROUP_* attributes of a "cgroup" (linux/pkt_cls.h)."""

    act: Several[Action] = array(1, Action, first=1)
    police: Nested[Police] = nest(2, Police)
    ematches: Nested[EmatchTree] = nest(3, EmatchTree)


class FLOW_KEY(KernelEnum):
    """Packet fields and metadata that a "flow" reads (linux/pkt_cls.h)."""

    FLOW_KEY_SRC = 0
    FLOW_KEY_DST = 1
    FLOW_KEY_PROTO = 2
    FLOW_KEY_PROTO_SRC = 3
    FLOW_KEY_PROTO_DST = 4
    FLOW_KEY_IIF = 5
    FLOW_KEY_PRIORITY = 6
    FLOW_KEY_MARK = 7
    FLOW_KEY_NFCT = 8
    FLOW_KEY_NFCT_SRC = 9
    FLOW_KEY_NFCT_DST = 10
    FLOW_KEY_NFCT_PROTO_SRC = 11
    FLOW_KEY_NFCT_PROTO_DST = 12
    FLOW_KEY_RTCLASSID = 13
    FLOW_KEY_SKUID = 14
    FLOW_KEY_SKGID = 15
    FLOW_KEY_VLAN_TAG = 16
    FLOW_KEY_RXHASH = 17


class FLOW_MODE(KernelEnum):
    """How a "flow" computes a class from its keys: map or hash (linux/pkt_cls.h)."""

    FLOW_MODE_MAP = 0
    FLOW_MODE_HASH = 1


class Flow(Message):
    """TCA_FLOW_* attributes of a "flow" (linux/pkt_cls.h).

    Bit N of `keys_` selects FLOW_KEY number N. `perturb` is in seconds.
    """

    keys_: int | None = u32(1)
    mode: Named[FLOW_MODE | int | None] = u32(2, enum=FLOW_MODE)
    baseclass: Named[Handle | None] = u32(3, enum=Handle)
    rshift: int | None = u32(4)
    addend: int | None = u32(5)
    mask: int | None = u32(6)
    xor: int | None = u32(7)
    divisor: int | None = u32(8)
    act: Several[Action] = array(9, Action, first=1)
    police: Nested[Police] = nest(10, Police)
    ematches: Nested[EmatchTree] = nest(11, EmatchTree)
    perturb: int | None = u32(12)


class Fw(Message):
    """TCA_FW_* attributes of an "fw" (linux/pkt_cls.h): the mark is the filter's handle."""

    classid: Named[Handle | None] = u32(1, enum=Handle)
    police: Nested[Police] = nest(2, Police)
    indev: str | None = string(3, size=IFNAMSIZ)
    act: Several[Action] = array(4, Action, first=1)
    mask: int | None = u32(5)


class tc_matchall_pcnt(Message):
    """struct tc_matchall_pcnt (linux/pkt_cls.h): packets matched."""

    rhit: int = u64()


class Matchall(Message):
    """TCA_MATCHALL_* attributes of a "matchall" (linux/pkt_cls.h)."""

    classid: Named[Handle | None] = u32(1, enum=Handle)
    act: Several[Action] = array(2, Action, first=1)
    flags: Named[TCA_CLS_FLAGS | None] = u32(3, enum=TCA_CLS_FLAGS)
    pcnt: Nested[tc_matchall_pcnt] = struct(4, tc_matchall_pcnt)


class Route4(Message):
    """TCA_ROUTE4_* attributes of a "route" (linux/pkt_cls.h): realms of the packet's route."""

    classid: Named[Handle | None] = u32(1, enum=Handle)
    to: int | None = u32(2)
    from_: int | None = u32(3)
    iif: int | None = u32(4)
    police: Nested[Police] = nest(5, Police)
    act: Several[Action] = array(6, Action, first=1)


# --- flower ---------------------------------------------------------------------------------------


class TCA_FLOWER_KEY_CT_FLAGS(KernelFlag):
    """States of a connection (linux/pkt_cls.h)."""

    TCA_FLOWER_KEY_CT_FLAGS_NEW = 0x1
    TCA_FLOWER_KEY_CT_FLAGS_ESTABLISHED = 0x2
    TCA_FLOWER_KEY_CT_FLAGS_RELATED = 0x4
    TCA_FLOWER_KEY_CT_FLAGS_TRACKED = 0x8
    TCA_FLOWER_KEY_CT_FLAGS_INVALID = 0x10
    TCA_FLOWER_KEY_CT_FLAGS_REPLY = 0x20


class TCA_FLOWER_KEY_FLAGS(KernelFlag):
    """Flags of a packet and of its tunnel header (linux/pkt_cls.h)."""

    TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT = 0x1
    TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST = 0x2
    TCA_FLOWER_KEY_FLAGS_TUNNEL_CSUM = 0x4
    TCA_FLOWER_KEY_FLAGS_TUNNEL_DONT_FRAGMENT = 0x8
    TCA_FLOWER_KEY_FLAGS_TUNNEL_OAM = 0x10
    TCA_FLOWER_KEY_FLAGS_TUNNEL_CRIT_OPT = 0x20


class GtpOption(Message):
    """TCA_FLOWER_KEY_ENC_OPT_GTP_* attributes (linux/pkt_cls.h)."""

    pdu_type: int | None = u8(1)
    qfi: int | None = u8(2)


class PfcpOption(Message):
    """TCA_FLOWER_KEY_ENC_OPT_PFCP_* attributes (linux/pkt_cls.h)."""

    type: int | None = u8(1)
    seid: int | None = be64(2)


class FlowerTunnelOptions(TunnelOptions):
    """TCA_FLOWER_KEY_ENC_OPTS_* attributes (linux/pkt_cls.h)."""

    gtp: Nested[GtpOption] = nest(4, GtpOption)
    pfcp: Nested[PfcpOption] = nest(5, PfcpOption)


class FlowerMplsEntry(Message):
    """TCA_FLOWER_KEY_MPLS_OPT_* attributes: one label stack entry; `lse_depth` starts at 1."""

    lse_depth: int | None = u8(1)
    lse_ttl: int | None = u8(2)
    lse_bos: int | None = u8(3)
    lse_tc: int | None = u8(4)
    lse_label: int | None = u32(5)


class FlowerMpls(Message):
    """TCA_FLOWER_KEY_MPLS_OPTS_* attributes (linux/pkt_cls.h)."""

    lse: Several[FlowerMplsEntry] = repeated(1, FlowerMplsEntry)


class FlowerCfm(Message):
    """TCA_FLOWER_KEY_CFM_* attributes (linux/pkt_cls.h)."""

    md_level: int | None = u8(1)
    opcode: int | None = u8(2)


class Flower(Message):
    """TCA_FLOWER_* attributes of a "flower" (linux/pkt_cls.h).

    A key without a mask must match exactly. Many keys require others: `key_tcp_dst` requires
    `key_ip_proto`, and `key_ip_proto` requires `key_eth_type`. Connection labels have 16 bytes.
    """

    classid: Named[Handle | None] = u32(1, enum=Handle)
    indev: str | None = string(2, size=IFNAMSIZ)
    act: Several[Action] = array(3, Action, first=1)
    key_eth_dst: str | None = mac(4)
    key_eth_dst_mask: str | None = mac(5)
    key_eth_src: str | None = mac(6)
    key_eth_src_mask: str | None = mac(7)
    key_eth_type: Named[ETH_P | int | None] = be16(8, enum=ETH_P)
    key_ip_proto: int | None = u8(9)
    key_ipv4_src: Addr = address(10, size=4)
    key_ipv4_src_mask: Addr = address(11, size=4)
    key_ipv4_dst: Addr = address(12, size=4)
    key_ipv4_dst_mask: Addr = address(13, size=4)
    key_ipv6_src: Addr = address(14, size=16)
    key_ipv6_src_mask: Addr = address(15, size=16)
    key_ipv6_dst: Addr = address(16, size=16)
    key_ipv6_dst_mask: Addr = address(17, size=16)
    key_tcp_src: int | None = be16(18)
    key_tcp_dst: int | None = be16(19)
    key_udp_src: int | None = be16(20)
    key_udp_dst: int | None = be16(21)
    flags: Named[TCA_CLS_FLAGS | None] = u32(22, enum=TCA_CLS_FLAGS)
    key_vlan_id: int | None = u16(23)
    key_vlan_prio: int | None = u8(24)
    key_vlan_eth_type: Named[ETH_P | int | None] = be16(25, enum=ETH_P)
    key_enc_key_id: int | None = be32(26)
    key_enc_ipv4_src: Addr = address(27, size=4)
    key_enc_ipv4_src_mask: Addr = address(28, size=4)
    key_enc_ipv4_dst: Addr = address(29, size=4)
    key_enc_ipv4_dst_mask: Addr = address(30, size=4)
    key_enc_ipv6_src: Addr = address(31, size=16)
    key_enc_ipv6_src_mask: Addr = address(32, size=16)
    key_enc_ipv6_dst: Addr = address(33, size=16)
    key_enc_ipv6_dst_mask: Addr = address(34, size=16)
    key_tcp_src_mask: int | None = be16(35)
    key_tcp_dst_mask: int | None = be16(36)
    key_udp_src_mask: int | None = be16(37)
    key_udp_dst_mask: int | None = be16(38)
    key_sctp_src_mask: int | None = be16(39)
    key_sctp_dst_mask: int | None = be16(40)
    key_sctp_src: int | None = be16(41)
    key_sctp_dst: int | None = be16(42)
    key_enc_udp_src_port: int | None = be16(43)
    key_enc_udp_src_port_mask: int | None = be16(44)
    key_enc_udp_dst_port: int | None = be16(45)
    key_enc_udp_dst_port_mask: int | None = be16(46)
    key_flags: Named[TCA_FLOWER_KEY_FLAGS | None] = be32(47, enum=TCA_FLOWER_KEY_FLAGS)
    key_flags_mask: Named[TCA_FLOWER_KEY_FLAGS | None] = be32(48, enum=TCA_FLOWER_KEY_FLAGS)
    key_icmpv4_code: int | None = u8(49)
    key_icmpv4_code_mask: int | None = u8(50)
    key_icmpv4_type: int | None = u8(51)
    key_icmpv4_type_mask: int | None = u8(52)
    key_icmpv6_code: int | None = u8(53)
    key_icmpv6_code_mask: int | None = u8(54)
    key_icmpv6_type: int | None = u8(55)
    key_icmpv6_type_mask: int | None = u8(56)
    key_arp_sip: Addr = address(57, size=4)
    key_arp_sip_mask: Addr = address(58, size=4)
    key_arp_tip: Addr = address(59, size=4)
    key_arp_tip_mask: Addr = address(60, size=4)
    key_arp_op: int | None = u8(61)
    key_arp_op_mask: int | None = u8(62)
    key_arp_sha: str | None = mac(63)
    key_arp_sha_mask: str | None = mac(64)
    key_arp_tha: str | None = mac(65)
    key_arp_tha_mask: str | None = mac(66)
    key_mpls_ttl: int | None = u8(67)
    key_mpls_bos: int | None = u8(68)
    key_mpls_tc: int | None = u8(69)
    key_mpls_label: int | None = u32(70)
    key_tcp_flags: int | None = be16(71)
    key_tcp_flags_mask: int | None = be16(72)
    key_ip_tos: int | None = u8(73)
    key_ip_tos_mask: int | None = u8(74)
    key_ip_ttl: int | None = u8(75)
    key_ip_ttl_mask: int | None = u8(76)
    key_cvlan_id: int | None = u16(77)
    key_cvlan_prio: int | None = u8(78)
    key_cvlan_eth_type: Named[ETH_P | int | None] = be16(79, enum=ETH_P)
    key_enc_ip_tos: int | None = u8(80)
    key_enc_ip_tos_mask: int | None = u8(81)
    key_enc_ip_ttl: int | None = u8(82)
    key_enc_ip_ttl_mask: int | None = u8(83)
    key_enc_opts: Nested[FlowerTunnelOptions] = nest(84, FlowerTunnelOptions)
    key_enc_opts_mask: Nested[FlowerTunnelOptions] = nest(85, FlowerTunnelOptions)
    in_hw_count: int | None = u32(86)
    key_port_src_min: int | None = be16(87)
    key_port_src_max: int | None = be16(88)
    key_port_dst_min: int | None = be16(89)
    key_port_dst_max: int | None = be16(90)
    key_ct_state: Named[TCA_FLOWER_KEY_CT_FLAGS | None] = u16(91, enum=TCA_FLOWER_KEY_CT_FLAGS)
    key_ct_state_mask: Named[TCA_FLOWER_KEY_CT_FLAGS | None] = u16(92, enum=TCA_FLOWER_KEY_CT_FLAGS)
    key_ct_zone: int | None = u16(93)
    key_ct_zone_mask: int | None = u16(94)
    key_ct_mark: int | None = u32(95)
    key_ct_mark_mask: int | None = u32(96)
    key_ct_labels: bytes | None = binary(97)
    key_ct_labels_mask: bytes | None = binary(98)
    key_mpls_opts: Nested[FlowerMpls] = nest(99, FlowerMpls)
    key_hash: int | None = u32(100)
    key_hash_mask: int | None = u32(101)
    key_num_of_vlans: int | None = u8(102)
    key_pppoe_sid: int | None = be16(103)
    key_ppp_proto: int | None = be16(104)
    key_l2tpv3_sid: int | None = be32(105)
    l2_miss: int | None = u8(106)
    key_cfm: Nested[FlowerCfm] = nest(107, FlowerCfm)
    key_spi: int | None = be32(108)
    key_spi_mask: int | None = be32(109)
    key_enc_flags: Named[TCA_FLOWER_KEY_FLAGS | None] = be32(110, enum=TCA_FLOWER_KEY_FLAGS)
    key_enc_flags_mask: Named[TCA_FLOWER_KEY_FLAGS | None] = be32(111, enum=TCA_FLOWER_KEY_FLAGS)


# --- by kind --------------------------------------------------------------------------------------

FILTER_OPTIONS: dict[str, type[Message]] = {
    "basic": Basic,
    "bpf": Bpf,
    "cgroup": Cgroup,
    "flow": Flow,
    "flower": Flower,
    "fw": Fw,
    "matchall": Matchall,
    "route": Route4,
    "u32": U32,
}


# --- what the plans fill in and require, by kind --------------------------------------------------


def _terminal(options: dict[str, Any], beside: Mapping[str, Any]) -> None:
    """Set TC_U32_TERMINAL for a u32 filter with a class or an action, as tc does.

    The kernel ignores the class and the actions of a filter without TC_U32_TERMINAL.
    """
    sel = options.get("sel")
    if isinstance(sel, dict) and any(options.get(name) for name in ("classid", "act", "police")):
        sel.setdefault("flags", TC_U32.TC_U32_TERMINAL)


def _network(options: dict[str, Any], beside: Mapping[str, Any]) -> None:
    """Copy the filter's protocol to key_eth_type of a flower, as tc does."""
    protocol = beside.get("protocol")
    if protocol and protocol != ETH_P.ETH_P_ALL:
        options.setdefault("key_eth_type", protocol)


VLANS = (ETH_P.ETH_P_8021Q, ETH_P.ETH_P_8021AD)
IP = (ETH_P.ETH_P_IP, ETH_P.ETH_P_IPV6)
PPP = {0x21: ETH_P.ETH_P_IP, 0x57: ETH_P.ETH_P_IPV6}  # linux/ppp_defs.h
TCP, UDP, ICMP, ICMPV6, SCTP, L2TP = 6, 17, 1, 58, 132, 115  # linux/in.h
ETH_P_ARP = (ETH_P.ETH_P_ARP, ETH_P.ETH_P_RARP)
ETH_P_MPLS = (ETH_P.ETH_P_MPLS_UC, ETH_P.ETH_P_MPLS_MC)

# Prefixes of flower keys, and the protocols that each prefix requires. The kernel ignores such a
# key unless the filter also matches on the protocol (fl_set_key in net/sched/cls_flower.c).
FLOWER_NETWORK: dict[str, tuple[int, ...]] = {
    "key_ip_": IP,
    "key_icmpv4_": (ETH_P.ETH_P_IP,),
    "key_icmpv6_": (ETH_P.ETH_P_IPV6,),
    "key_arp_": ETH_P_ARP,
    "key_mpls_": ETH_P_MPLS,
    "key_cfm": (ETH_P.ETH_P_CFM,),
}
FLOWER_TRANSPORT: dict[str, tuple[int, ...]] = {
    "key_tcp_": (TCP,),
    "key_udp_": (UDP,),
    "key_sctp_": (SCTP,),
    "key_icmpv4_": (ICMP,),
    "key_icmpv6_": (ICMPV6,),
    "key_l2tpv3_": (L2TP,),
    "key_port_": (TCP, UDP, SCTP),
}


def _ignored_keys(flower: Flower) -> str | None:
    """Return an error text for a flower key that the kernel would ignore, or None.

    The filter would match more packets than the caller asked for.
    """
    vlans = flower.key_num_of_vlans or 0
    link, inner = flower.key_eth_type, flower.key_vlan_eth_type
    is_vlan = link in VLANS or vlans > 0
    is_double = is_vlan and (inner in VLANS or vlans > 1)
    network = flower.key_cvlan_eth_type if is_double else inner if is_vlan else link
    is_ppp = network == ETH_P.ETH_P_PPP_SES
    if is_ppp:
        network = PPP.get(flower.key_ppp_proto or 0, network)
    for name, _ in flower:
        key = f"{name}_"  # so that "key_ip_" is the beginning of a whole word
        if key.startswith("key_vlan_") and not is_vlan:
            return f"{name} needs a VLAN protocol in key_eth_type"
        if key.startswith("key_cvlan_") and not is_double:
            return f"{name} needs a VLAN protocol in key_vlan_eth_type"
        if key.startswith(("key_ppp_", "key_pppoe_")) and not is_ppp:
            return f"{name} needs key_eth_type ETH_P_PPP_SES"
        for start, protocols in FLOWER_NETWORK.items():
            if key.startswith(start) and network not in protocols:
                names = " or ".join(ETH_P(number).name for number in protocols)
                return f"{name} needs key_eth_type (or protocol=) {names}"
        for start, protocols in FLOWER_TRANSPORT.items():
            if key.startswith(start) and flower.key_ip_proto not in protocols:
                return f"{name} needs key_ip_proto {' or '.join(map(str, protocols))}"
    return None


def _ignored_matches(options: Basic | Cgroup | Flow) -> str | None:
    """Return an error text for extended matches that the kernel would ignore, or None.

    A match without a relation to the next match ends its expression. A container starts another
    expression.
    """
    tree = options.ematches
    matches = tree.tree_list if tree is not None else ()
    related = TCF_EM_FLAG.TCF_EM_REL_AND | TCF_EM_FLAG.TCF_EM_REL_OR
    ends = sum(not match.flags & related for match in matches)
    expressions = 1 + sum(match.kind == TCF_EM.TCF_EM_CONTAINER for match in matches)
    if matches and ends != expressions:
        return (
            f"{len(matches)} ematches make {expressions} expression(s), but {ends} of them have "
            f"neither TCF_EM_REL_AND nor TCF_EM_REL_OR, which ends an expression"
        )
    return None


FILTER_RULES: dict[str, Rules] = {
    "basic": Rules(check=_ignored_matches),
    "cgroup": Rules(check=_ignored_matches),
    "flow": Rules(check=_ignored_matches),
    "flower": Rules(default={}, fill=_network, check=_ignored_keys),
    "u32": Rules(
        needs=(Need("sel.keys_", "otherwise it matches every packet", when="sel"),), fill=_terminal
    ),
}
