"""conntrack: tracked connections and expectations (NETLINK_NETFILTER, subsystems 1 and 2).

This file contains messages, ops and plans, and no I/O. Numbers are from Linux 6.12
(linux/netfilter/nfnetlink_conntrack.h), CTA_TIMESTAMP_EVENT from 6.18. The behaviour is that of
net/netfilter/nf_conntrack_netlink.c. Everything requires CAP_NET_ADMIN in the network namespace:

    with Connection(conntrack.FAMILY) as nl:
        for entry in nl.do(conntrack.entries(proto="tcp", dport=443)):
            print(entry.orig.src, entry.protoinfo.tcp.state)
        nl.do(conntrack.remove(proto="udp", src="192.0.2.1", dst="192.0.2.2", sport=53, dport=53))

- A new network namespace has no entries until something in it needs them, such as a rule of
  nftables with `ct`.
- With nf_conntrack_events=2, the default, an entry that is made while no socket of the whole
  machine listens has no UPDATE and no DESTROY for its whole life. Set the sysctl to 1 to get them.
- An UPDATE has no counters. A DESTROY has them if nf_conntrack_acct was set when the entry began.
- The kernel removes all entries when a request to remove has no tuple. So the op `delete` demands
  one, and the op `flush` has a name of its own.
- Integers are big-endian. The labels are bytes, and the flags of CTA_FILTER are in host order.
"""

from __future__ import annotations

import errno
from typing import Any

from netlink.constants import NETLINK, NLM_F, KernelEnum, KernelFlag
from netlink.errors import KernelError
from netlink.family import Family, Follow, Op, Request, Steps, anything, plan
from netlink.netfilter.nfnetlink import NFNLGRP, NFPROTO, nfgenmsg
from netlink.schema import (
    Addr,
    IPAddress,
    Message,
    Named,
    Nested,
    address,
    be16,
    be32,
    be64,
    binary,
    nest,
    sbe32,
    string,
    struct,
    u8,
    u32,
)
from netlink.words import PROTOCOLS, U8, U16, U32, Words, family_of


class IPCTNL_MSG(KernelEnum, prefix=("IPCTNL_MSG_CT_", "IPCTNL_MSG_")):
    """Message types: the subsystem in the upper byte, and IPCTNL_MSG_* in the lower one."""

    IPCTNL_MSG_CT_NEW = 0x100
    IPCTNL_MSG_CT_GET = 0x101
    IPCTNL_MSG_CT_DELETE = 0x102
    IPCTNL_MSG_CT_GET_CTRZERO = 0x103
    IPCTNL_MSG_CT_GET_STATS_CPU = 0x104
    IPCTNL_MSG_CT_GET_STATS = 0x105
    IPCTNL_MSG_CT_GET_DYING = 0x106
    IPCTNL_MSG_CT_GET_UNCONFIRMED = 0x107
    IPCTNL_MSG_EXP_NEW = 0x200
    IPCTNL_MSG_EXP_GET = 0x201
    IPCTNL_MSG_EXP_DELETE = 0x202
    IPCTNL_MSG_EXP_GET_STATS_CPU = 0x203


class IPS(KernelFlag):
    """Status of an entry: CTA_STATUS."""

    IPS_EXPECTED = 1 << 0
    IPS_SEEN_REPLY = 1 << 1
    IPS_ASSURED = 1 << 2  # not removed early when the table is full
    IPS_CONFIRMED = 1 << 3  # its first packet has left this host
    IPS_SRC_NAT = 1 << 4
    IPS_DST_NAT = 1 << 5
    IPS_SEQ_ADJUST = 1 << 6
    IPS_SRC_NAT_DONE = 1 << 7
    IPS_DST_NAT_DONE = 1 << 8
    IPS_DYING = 1 << 9
    IPS_FIXED_TIMEOUT = 1 << 10
    IPS_TEMPLATE = 1 << 11
    IPS_UNTRACKED = 1 << 12
    IPS_HELPER = 1 << 13
    IPS_OFFLOAD = 1 << 14
    IPS_HW_OFFLOAD = 1 << 15


class TCP_CONNTRACK(KernelEnum):
    """States of a TCP connection."""

    TCP_CONNTRACK_NONE = 0
    TCP_CONNTRACK_SYN_SENT = 1
    TCP_CONNTRACK_SYN_RECV = 2
    TCP_CONNTRACK_ESTABLISHED = 3
    TCP_CONNTRACK_FIN_WAIT = 4
    TCP_CONNTRACK_CLOSE_WAIT = 5
    TCP_CONNTRACK_LAST_ACK = 6
    TCP_CONNTRACK_TIME_WAIT = 7
    TCP_CONNTRACK_CLOSE = 8
    TCP_CONNTRACK_SYN_SENT2 = 9


class SCTP_CONNTRACK(KernelEnum):
    """States of an SCTP connection."""

    SCTP_CONNTRACK_NONE = 0
    SCTP_CONNTRACK_CLOSED = 1
    SCTP_CONNTRACK_COOKIE_WAIT = 2
    SCTP_CONNTRACK_COOKIE_ECHOED = 3
    SCTP_CONNTRACK_ESTABLISHED = 4
    SCTP_CONNTRACK_SHUTDOWN_SENT = 5
    SCTP_CONNTRACK_SHUTDOWN_RECD = 6
    SCTP_CONNTRACK_SHUTDOWN_ACK_SENT = 7
    SCTP_CONNTRACK_HEARTBEAT_SENT = 8
    SCTP_CONNTRACK_HEARTBEAT_ACKED = 9


class IP_CT_TCP_FLAG(KernelFlag):
    """Flags of one direction of a TCP connection."""

    IP_CT_TCP_FLAG_WINDOW_SCALE = 0x01
    IP_CT_TCP_FLAG_SACK_PERM = 0x02
    IP_CT_TCP_FLAG_CLOSE_INIT = 0x04
    IP_CT_TCP_FLAG_BE_LIBERAL = 0x08
    IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED = 0x10
    IP_CT_TCP_FLAG_MAXACK_SET = 0x20


class NF_CT_EXPECT(KernelFlag):
    """Flags of an expectation."""

    NF_CT_EXPECT_PERMANENT = 0x1
    NF_CT_EXPECT_INACTIVE = 0x2
    NF_CT_EXPECT_USERSPACE = 0x4


class FILTER(KernelFlag):
    """Fields of a tuple that a dump compares: CTA_FILTER_F_* in the kernel.

    Many kernels, such as 6.18.44, select the entries that do not have an IPv6 address.
    """

    FILTER_IP_SRC = 1 << 0
    FILTER_IP_DST = 1 << 1
    FILTER_TUPLE_ZONE = 1 << 2
    FILTER_PROTO_NUM = 1 << 3
    FILTER_PROTO_SRC_PORT = 1 << 4
    FILTER_PROTO_DST_PORT = 1 << 5
    FILTER_PROTO_ICMP_TYPE = 1 << 6
    FILTER_PROTO_ICMP_CODE = 1 << 7
    FILTER_PROTO_ICMP_ID = 1 << 8
    FILTER_PROTO_ICMPV6_TYPE = 1 << 9
    FILTER_PROTO_ICMPV6_CODE = 1 << 10
    FILTER_PROTO_ICMPV6_ID = 1 << 11


# --- parts of entries -----------------------------------------------------------------------------


class TupleIp(Message):
    """CTA_IP_* attributes."""

    v4_src: Addr = address(1, size=4)
    v4_dst: Addr = address(2, size=4)
    v6_src: Addr = address(3, size=16)
    v6_dst: Addr = address(4, size=16)


class TupleProto(Message):
    """CTA_PROTO_* attributes. `num` is the IP protocol."""

    num: int | None = u8(1)
    src_port: int | None = be16(2)
    dst_port: int | None = be16(3)
    icmp_id: int | None = be16(4)
    icmp_type: int | None = u8(5)
    icmp_code: int | None = u8(6)
    icmpv6_id: int | None = be16(7)
    icmpv6_type: int | None = u8(8)
    icmpv6_code: int | None = u8(9)


class Tuple(Message):
    """CTA_TUPLE_* attributes: one direction of a connection."""

    ip: Nested[TupleIp] = nest(1, TupleIp)
    proto: Nested[TupleProto] = nest(2, TupleProto)
    zone: int | None = be16(3)

    @property
    def src(self) -> IPAddress | None:
        """The source address."""
        found = self.ip
        return None if found is None else found.v4_src or found.v6_src

    @property
    def dst(self) -> IPAddress | None:
        """The destination address."""
        found = self.ip
        return None if found is None else found.v4_dst or found.v6_dst

    @property
    def protonum(self) -> int | None:
        """The IP protocol, such as 6 for TCP."""
        found = self.proto
        return None if found is None else found.num

    @property
    def sport(self) -> int | None:
        """The source port, or None for protocols without ports."""
        found = self.proto
        return None if found is None else found.src_port

    @property
    def dport(self) -> int | None:
        """The destination port, or None for protocols without ports."""
        found = self.proto
        return None if found is None else found.dst_port


class nf_ct_tcp_flags(Message):
    """struct nf_ct_tcp_flags: when writing, only the bits of the mask change."""

    flags: Named[IP_CT_TCP_FLAG] = u8(enum=IP_CT_TCP_FLAG)
    mask: Named[IP_CT_TCP_FLAG] = u8(enum=IP_CT_TCP_FLAG)


class ProtoinfoTcp(Message):
    """CTA_PROTOINFO_TCP_* attributes."""

    state: Named[TCP_CONNTRACK | int | None] = u8(1, enum=TCP_CONNTRACK)
    wscale_original: int | None = u8(2)
    wscale_reply: int | None = u8(3)
    flags_original: Nested[nf_ct_tcp_flags] = struct(4, nf_ct_tcp_flags)
    flags_reply: Nested[nf_ct_tcp_flags] = struct(5, nf_ct_tcp_flags)


class ProtoinfoDccp(Message):
    """CTA_PROTOINFO_DCCP_* attributes; kernels before 6.16."""

    state: int | None = u8(1)
    role: int | None = u8(2)
    handshake_seq: int | None = be64(3)


class ProtoinfoSctp(Message):
    """CTA_PROTOINFO_SCTP_* attributes."""

    state: Named[SCTP_CONNTRACK | int | None] = u8(1, enum=SCTP_CONNTRACK)
    vtag_original: int | None = be32(2)
    vtag_reply: int | None = be32(3)


class Protoinfo(Message):
    """CTA_PROTOINFO_* attributes: the state of TCP, DCCP or SCTP. UDP and ICMP have none."""

    tcp: Nested[ProtoinfoTcp] = nest(1, ProtoinfoTcp)
    dccp: Nested[ProtoinfoDccp] = nest(2, ProtoinfoDccp)
    sctp: Nested[ProtoinfoSctp] = nest(3, ProtoinfoSctp)


class Counters(Message):
    """CTA_COUNTERS_* attributes: packets and bytes of one direction."""

    packets: int | None = be64(1)
    bytes: int | None = be64(2)


class Timestamp(Message):
    """CTA_TIMESTAMP_* attributes: nanoseconds since 1970. Only DESTROY has `stop`."""

    start: int | None = be64(1)
    stop: int | None = be64(2)


class Help(Message):
    """CTA_HELP_* attributes: the helper of an entry, such as "ftp"."""

    name: str | None = string(1, size=16)
    info: bytes | None = binary(2)


class SecCtx(Message):
    """CTA_SECCTX_* attributes."""

    name: str | None = string(1)


class SeqAdj(Message):
    """CTA_SEQADJ_* attributes: how sequence numbers of TCP are shifted."""

    correction_pos: int | None = be32(1)
    offset_before: int | None = sbe32(2)
    offset_after: int | None = sbe32(3)


class SynProxy(Message):
    """CTA_SYNPROXY_* attributes."""

    isn: int | None = be32(1)
    its: int | None = be32(2)
    tsoff: int | None = be32(3)


class NatProto(Message):
    """CTA_PROTONAT_* attributes: ports."""

    port_min: int | None = be16(1)
    port_max: int | None = be16(2)


class Nat(Message):
    """CTA_NAT_* attributes: the range of new addresses and ports. It is only for new entries.

    In what the kernel sends, NAT is visible in `status` and in the reply tuple.
    """

    v4_minip: Addr = address(1, size=4)
    v4_maxip: Addr = address(2, size=4)
    proto: Nested[NatProto] = nest(3, NatProto)
    v6_minip: Addr = address(4, size=16)
    v6_maxip: Addr = address(5, size=16)


class TupleFilter(Message):
    """CTA_FILTER_* attributes: which fields of the tuples a dump compares (Linux 5.8)."""

    orig_flags: Named[FILTER | None] = u32(1, enum=FILTER)
    reply_flags: Named[FILTER | None] = u32(2, enum=FILTER)


# --- messages -------------------------------------------------------------------------------------


class Conntrack(nfgenmsg):
    """An entry: struct nfgenmsg and CTA_* attributes. `timeout` is seconds.

    An entry has zone 0 if it has no `zone`. If its directions have different zones, these are in
    the tuples. `id` is constant for the life of an entry. `counters_*` and `timestamp` exist only
    if the sysctls nf_conntrack_acct and nf_conntrack_timestamp were set when the entry was made.
    """

    tuple_orig: Nested[Tuple] = nest(1, Tuple)
    tuple_reply: Nested[Tuple] = nest(2, Tuple)
    status: Named[IPS | None] = be32(3, enum=IPS)
    protoinfo: Nested[Protoinfo] = nest(4, Protoinfo)
    help: Nested[Help] = nest(5, Help)
    nat_src: Nested[Nat] = nest(6, Nat)
    timeout: int | None = be32(7)
    mark: int | None = be32(8)
    counters_orig: Nested[Counters] = nest(9, Counters)
    counters_reply: Nested[Counters] = nest(10, Counters)
    use: int | None = be32(11)
    id: int | None = be32(12)
    nat_dst: Nested[Nat] = nest(13, Nat)
    tuple_master: Nested[Tuple] = nest(14, Tuple)
    seq_adj_orig: Nested[SeqAdj] = nest(15, SeqAdj)
    seq_adj_reply: Nested[SeqAdj] = nest(16, SeqAdj)
    secmark: int | None = be32(17)
    zone: int | None = be16(18)
    secctx: Nested[SecCtx] = nest(19, SecCtx)
    timestamp: Nested[Timestamp] = nest(20, Timestamp)
    mark_mask: int | None = be32(21)
    labels: bytes | None = binary(22, size=16)
    labels_mask: bytes | None = binary(23, size=16)
    synproxy: Nested[SynProxy] = nest(24, SynProxy)
    filter: Nested[TupleFilter] = nest(25, TupleFilter)
    status_mask: Named[IPS | None] = be32(26, enum=IPS)
    timestamp_event: int | None = be64(27)

    @property
    def event(self) -> str:
        """What an event reports: "new", "update" or "destroy".

        NEW and UPDATE have the same message type. A message that answers a request is "update".
        """
        if self.nlmsg_type == IPCTNL_MSG.IPCTNL_MSG_CT_DELETE:
            return "destroy"
        return "new" if (self.nlmsg_flags or 0) & NLM_F.NLM_F_CREATE else "update"

    @property
    def is_snat(self) -> bool:
        """Whether the source of the original direction is translated."""
        return bool((self.status or 0) & IPS.IPS_SRC_NAT)

    @property
    def is_dnat(self) -> bool:
        """Whether the destination of the original direction is translated."""
        return bool((self.status or 0) & IPS.IPS_DST_NAT)

    @property
    def zones(self) -> frozenset[int]:
        """The zones of the entry: one, or one for each direction."""
        if self.zone is not None:
            return frozenset((self.zone,))
        tuples = (self.tuple_orig, self.tuple_reply)
        return frozenset((found and found.zone) or 0 for found in tuples)


class Statistics(nfgenmsg):
    """CTA_STATS_GLOBAL_* attributes: the number of entries, and its limit for the machine."""

    entries: int | None = be32(1)
    max_entries: int | None = be32(2)


class CpuStatistics(nfgenmsg):
    """CTA_STATS_* attributes: events on one CPU, whose number is `res_id`.

    The kernel does not send searched, new, ignore, delete and delete_list any more.
    """

    searched: int | None = be32(1)
    found: int | None = be32(2)
    new: int | None = be32(3)
    invalid: int | None = be32(4)
    ignore: int | None = be32(5)
    delete: int | None = be32(6)
    delete_list: int | None = be32(7)
    insert: int | None = be32(8)
    insert_failed: int | None = be32(9)
    drop: int | None = be32(10)
    early_drop: int | None = be32(11)
    error: int | None = be32(12)
    search_restart: int | None = be32(13)
    clash_resolve: int | None = be32(14)
    chain_toolong: int | None = be32(15)

    @property
    def cpu(self) -> int:
        """The number of the CPU."""
        return self.res_id


class ExpectNat(Message):
    """CTA_EXPECT_NAT_* attributes."""

    dir: int | None = be32(1)
    tuple: Nested[Tuple] = nest(2, Tuple)


class Expectation(nfgenmsg):
    """A connection that a helper expects: struct nfgenmsg and CTA_EXPECT_* attributes."""

    master: Nested[Tuple] = nest(1, Tuple)
    tuple: Nested[Tuple] = nest(2, Tuple)
    mask: Nested[Tuple] = nest(3, Tuple)
    timeout: int | None = be32(4)
    id: int | None = be32(5)
    help_name: str | None = string(6, size=16)
    zone: int | None = be16(7)
    flags: Named[NF_CT_EXPECT | None] = be32(8, enum=NF_CT_EXPECT)
    class_: int | None = be32(9)
    nat: Nested[ExpectNat] = nest(10, ExpectNat)
    fn: str | None = string(11)


class ExpectCpuStatistics(nfgenmsg):
    """CTA_STATS_EXP_* attributes: events on one CPU, whose number is `res_id`."""

    new: int | None = be32(1)
    create: int | None = be32(2)
    delete: int | None = be32(3)


# --- ops ------------------------------------------------------------------------------------------


class _Lookup(Op[..., Conntrack, Conntrack]):
    """The op `get`: refuses what the kernel would ignore."""

    __slots__ = ()

    def __call__(self, *args: Any, **fields: Any) -> Request[Conntrack, Conntrack]:
        given = {name for name, value in fields.items() if value is not None}
        has_tuple = given & {"tuple_orig", "tuple_reply"}
        is_filter = "filter" in given
        known = {*FILTERS, *(("tuple_orig", "tuple_reply", "filter") if has_tuple else ())}
        ignored = given & {*Conntrack.__table__.names} - known
        if ignored:
            raise TypeError(
                f"{self.name}() cannot select by {', '.join(sorted(ignored))}: the kernel would "
                f"ignore it; use conntrack.entries(), or select in Python"
            )
        for mask, value in (("mark_mask", "mark"), ("status_mask", "status")):
            if mask in given and value not in given:
                raise TypeError(f"{self.name}() ignores {mask} without {value}; pass both")
        if is_filter and not has_tuple:
            raise TypeError(f"{self.name}() needs tuple_orig or tuple_reply for filter to compare")
        if is_filter and fields.get("family") in (None, 0):
            raise TypeError(f"{self.name}() needs family=NFPROTO_IPV4 or _IPV6 with a filter")
        return super().__call__(*args, **fields)


# What selects entries in a dump, besides tuples with a filter.
FILTERS = ("family", "version", "res_id", "mark", "mark_mask", "status", "status_mask", "zone")


class _Removal(Op[..., None, Any]):
    """The ops `delete` and `exp_delete`: refuse to be without a tuple, which would flush."""

    __slots__ = ()

    def __call__(self, *args: Any, **fields: Any) -> Request[None, Any]:
        tuples = [name for name in ("tuple_orig", "tuple_reply", "tuple") if fields.get(name)]
        if not tuples or fields.get("filter") is not None:
            raise TypeError(
                f"{self.name}() needs the tuple of one entry, and no filter: otherwise the kernel "
                f"removes all entries, even with an id; to remove all, call flush() or exp_flush()"
            )
        return super().__call__(*args, **fields)


NEW = NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL


def _mark_mask(asked: Conntrack) -> int:
    return 0xFFFFFFFF if asked.mark_mask is None else asked.mark_mask


def _status_mask(asked: Conntrack) -> int:
    mask = asked.status if asked.status_mask is None else asked.status_mask
    return mask or 0


# Without arguments dump() yields all entries. With a tuple, do() returns the entry of which this is
# one direction; a dump would ignore a tuple without `filter`.
get = _Lookup(
    "conntrack.get",
    IPCTNL_MSG.IPCTNL_MSG_CT_GET,
    Conntrack,
    reply=Conntrack,
    answer="one",
    reply_type=IPCTNL_MSG.IPCTNL_MSG_CT_NEW,
    # An update has what has changed and never the counters. An entry that was made while no socket
    # of the machine listened has no events at all, unless nf_conntrack_events is 1.
    follow=Follow(
        groups=("conntrack-new", "conntrack-update", "conntrack-destroy"),
        key=("family", "tuple_orig", "id", "zone"),
        new=IPCTNL_MSG.IPCTNL_MSG_CT_NEW,
        delete=IPCTNL_MSG.IPCTNL_MSG_CT_DELETE,
        whole=False,
        select={
            "family": None,
            "version": anything,
            "mark": lambda entry, asked: (entry.mark or 0) & _mark_mask(asked) == asked.mark,
            "mark_mask": anything,
            "status": lambda entry, asked: (
                (entry.status or 0) & _status_mask(asked) == asked.status
            ),
            "status_mask": anything,
            "zone": lambda entry, asked: asked.zone in entry.zones,
        },
        ignore=("timeout", "counters_orig", "counters_reply", "use", "timestamp"),
    ),
)
new = Op("conntrack.new", IPCTNL_MSG.IPCTNL_MSG_CT_NEW, Conntrack, flags=NEW)
replace = Op("conntrack.replace", IPCTNL_MSG.IPCTNL_MSG_CT_NEW, Conntrack, flags=NLM_F.NLM_F_CREATE)
set = Op("conntrack.set", IPCTNL_MSG.IPCTNL_MSG_CT_NEW, Conntrack)
delete = _Removal("conntrack.delete", IPCTNL_MSG.IPCTNL_MSG_CT_DELETE, Conntrack)
# Removes all entries, or those of one family. Version 1 makes the kernel look at the family.
flush = Op("conntrack.flush", IPCTNL_MSG.IPCTNL_MSG_CT_DELETE, nfgenmsg, defaults={"version": 1})
# A dump that also sets the counters of the entries to 0.
get_and_zero_counters = Op(
    "conntrack.get_and_zero_counters",
    IPCTNL_MSG.IPCTNL_MSG_CT_GET_CTRZERO,
    Conntrack,
    reply=Conntrack,
    answer="several",
    reply_type=IPCTNL_MSG.IPCTNL_MSG_CT_NEW,
    dumps=False,  # not a noun of `netlink dump`, which changes nothing
)
get_stats_cpu = Op(
    "conntrack.get_stats_cpu",
    IPCTNL_MSG.IPCTNL_MSG_CT_GET_STATS_CPU,
    nfgenmsg,
    reply=CpuStatistics,
    answer="several",
)
get_stats = Op(
    "conntrack.get_stats",
    IPCTNL_MSG.IPCTNL_MSG_CT_GET_STATS,
    nfgenmsg,
    reply=Statistics,
    answer="one",
    dumps=False,
)
# Entries whose DESTROY could not be delivered, and entries of packets that are still inside.
get_dying = Op(
    "conntrack.get_dying",
    IPCTNL_MSG.IPCTNL_MSG_CT_GET_DYING,
    nfgenmsg,
    reply=Conntrack,
    answer="several",
    reply_type=IPCTNL_MSG.IPCTNL_MSG_CT_NEW,
)
get_unconfirmed = Op(
    "conntrack.get_unconfirmed",
    IPCTNL_MSG.IPCTNL_MSG_CT_GET_UNCONFIRMED,
    nfgenmsg,
    reply=Conntrack,
    answer="several",
    reply_type=IPCTNL_MSG.IPCTNL_MSG_CT_NEW,
)
exp_get = Op(
    "expect.get",
    IPCTNL_MSG.IPCTNL_MSG_EXP_GET,
    Expectation,
    reply=Expectation,
    answer="one",
    reply_type=IPCTNL_MSG.IPCTNL_MSG_EXP_NEW,
    follow=Follow(
        groups=("conntrack-exp-new", "conntrack-exp-update", "conntrack-exp-destroy"),
        key=("family", "tuple", "mask", "id", "zone"),
        new=IPCTNL_MSG.IPCTNL_MSG_EXP_NEW,
        delete=IPCTNL_MSG.IPCTNL_MSG_EXP_DELETE,
        select={"family": None},
        ignore=("timeout",),
    ),
)
# Needs master, tuple, mask, timeout, and a helper of the master's entry or help_name.
exp_new = Op("expect.new", IPCTNL_MSG.IPCTNL_MSG_EXP_NEW, Expectation, flags=NEW)
exp_set = Op("expect.set", IPCTNL_MSG.IPCTNL_MSG_EXP_NEW, Expectation)
exp_delete = _Removal("expect.delete", IPCTNL_MSG.IPCTNL_MSG_EXP_DELETE, Expectation)
# Removes all expectations: the kernel looks at no family here.
exp_flush = Op("expect.flush", IPCTNL_MSG.IPCTNL_MSG_EXP_DELETE, nfgenmsg)
exp_get_stats_cpu = Op(
    "expect.get_stats_cpu",
    IPCTNL_MSG.IPCTNL_MSG_EXP_GET_STATS_CPU,
    nfgenmsg,
    reply=ExpectCpuStatistics,
    answer="several",
    # The kernel answers with the number of another subsystem (ctnetlink_exp_stat_fill_info).
    reply_type=IPCTNL_MSG.IPCTNL_MSG_CT_GET_CTRZERO,
)

FAMILY = Family(
    "conntrack",
    protocol=NETLINK.NETLINK_NETFILTER,
    types=IPCTNL_MSG,
    ops=(
        get, new, replace, set, delete, flush, get_and_zero_counters, get_stats_cpu, get_stats,
        get_dying, get_unconfirmed, exp_get, exp_new, exp_set, exp_delete, exp_flush,
        exp_get_stats_cpu,
    ),
    messages={
        IPCTNL_MSG.IPCTNL_MSG_CT_DELETE: Conntrack,
        IPCTNL_MSG.IPCTNL_MSG_EXP_DELETE: Expectation,
    },
    requests={
        IPCTNL_MSG.IPCTNL_MSG_CT_DELETE: Conntrack,
        IPCTNL_MSG.IPCTNL_MSG_EXP_DELETE: Expectation,
    },
    groups=NFNLGRP,
    group_prefix="NFNLGRP_",
)  # fmt: skip


# --- plans ----------------------------------------------------------------------------------------

ICMP, ICMPV6 = 1, 58
WITH_PORTS = (6, 17, 33, 132, 136)  # TCP, UDP, DCCP, SCTP, UDP-Lite
# The types of ICMP and ICMPv6 that have replies; only these make entries.
REPLIES = {
    ICMP: {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17},
    ICMPV6: {128: 129, 129: 128, 139: 140, 140: 139},
}

Address = IPAddress | str
Protocol = int | str
Mark = int | tuple[int, int]
Status = IPS | int | str | list[str]


@plan
def entries(
    *,
    family: NFPROTO | int | str | None = None,
    proto: Protocol | None = None,
    src: Address | None = None,
    dst: Address | None = None,
    sport: int | None = None,
    dport: int | None = None,
    reply_src: Address | None = None,
    reply_dst: Address | None = None,
    mark: Mark | None = None,
    status: Status | None = None,
    zone: int | None = None,
) -> Steps[list[Conntrack]]:
    """Return the entries that match all arguments, each once.

    `family` is "ipv4" or "ipv6". `proto` is a name such as "tcp", or a number. Addresses and ports
    are those of the original direction, `reply_src` and `reply_dst` of the reply. `mark` is a
    number, or a pair (mark, mask). `status` is one or more names that must all be set, such as
    "seen_reply|assured". `zone` 0 selects entries without a zone.

    The kernel selects where it can; the plan compares again, because older kernels ignore
    selections that they do not know. Raises KernelError: EPERM without CAP_NET_ADMIN.
    """
    words = Words("conntrack.entries", locals())
    return (yield from _select(words))


@plan
def find(
    *,
    proto: Protocol,
    src: Address,
    dst: Address,
    sport: int | None = None,
    dport: int | None = None,
    icmp_type: int | None = None,
    icmp_code: int | None = None,
    icmp_id: int | None = None,
    zone: int | None = None,
) -> Steps[Conntrack]:
    """Return the entry of a connection, given by either of its directions.

    `proto` is a name such as "tcp", or a number. Protocols with ports need `sport` and `dport`, and
    ICMP needs icmp_type, icmp_code and icmp_id. Raises KernelError: ENOENT if there is no entry.
    """
    words = Words("conntrack.find", locals())
    found: Conntrack = yield get(
        family=_family(words), tuple_orig=_tuple(words), zone=words.integer("zone", 0, U16)
    )
    return found


@plan
def add(
    *,
    proto: Protocol,
    src: Address,
    dst: Address,
    timeout: int,
    sport: int | None = None,
    dport: int | None = None,
    icmp_type: int | None = None,
    icmp_code: int | None = None,
    icmp_id: int | None = None,
    reply_src: Address | None = None,
    reply_dst: Address | None = None,
    reply_sport: int | None = None,
    reply_dport: int | None = None,
    state: TCP_CONNTRACK | int | str | None = None,
    status: Status | None = None,
    mark: int | None = None,
    zone: int | None = None,
    helper: str | None = None,
    snat: Address | tuple[Address, int] | None = None,
    dnat: Address | tuple[Address, int] | None = None,
) -> Steps[None]:
    """Add an entry. `timeout` is seconds. The words of a connection are those of find().

    The reply has the addresses and ports of the original direction in reverse, except those that
    are given. `state` is that of TCP, such as "established"; without it the entry has none.
    `snat` and `dnat` translate the source or the destination: an address, or a pair (address,
    port). There is no word for labels, because the kernel ignores those of a new entry unless a
    rule has one; change() sets them.

    Raises KernelError: EEXIST if there is such an entry; EOPNOTSUPP or ENOENT if the kernel lacks
    the helper or NAT.
    """
    words = Words("conntrack.add", locals())
    bits = words.bits("status", IPS, U32)
    yield new(
        family=_family(words),
        tuple_orig=_tuple(words),
        tuple_reply=_reply(words),
        timeout=words.integer("timeout", 0, U32),
        zone=words.integer("zone", 0, U16),
        mark=words.integer("mark", 0, U32),
        # A new entry is confirmed, and ctnetlink_change_status refuses to clear that.
        status=None if bits is None else bits | IPS.IPS_CONFIRMED,
        protoinfo=_state(words),
        help=None if helper is None else {"name": words.text("helper", 16)},
        nat_src=_nat(words, "snat"),
        nat_dst=_nat(words, "dnat"),
    )


@plan
def change(
    *,
    proto: Protocol,
    src: Address,
    dst: Address,
    sport: int | None = None,
    dport: int | None = None,
    icmp_type: int | None = None,
    icmp_code: int | None = None,
    icmp_id: int | None = None,
    zone: int | None = None,
    timeout: int | None = None,
    state: TCP_CONNTRACK | int | str | None = None,
    status: Status | None = None,
    mark: Mark | None = None,
    labels: bytes | tuple[bytes, bytes] | None = None,
) -> Steps[None]:
    """Change an entry, which is given as in find().

    `status` sets bits, and keeps those that are set. `mark` is a number, or a pair (mark, mask):
    the kernel clears the bits of the mask, then flips those of the mark. `labels` are 4 to 16
    bytes, or a pair (labels, mask).

    Raises KernelError: ENOENT if there is no entry, EBUSY for a status that the kernel sets itself
    (expected, dying), ENOSPC for `labels` unless a rule has a label.
    """
    words = Words("conntrack.change", locals())
    parts = ("timeout", "state", "status", "mark", "labels")
    if not any(words.has(name) for name in parts):
        words.refuse(f"needs something to change: {', '.join(parts)}")
    value, mask = _mark(words)
    pair = labels if isinstance(labels, tuple) and len(labels) == 2 else (labels, None)
    label_words = Words(words.place, {"labels": pair[0], "mask": pair[1]})
    key: dict[str, Any] = {
        "family": _family(words), "tuple_orig": _tuple(words),
        "zone": words.integer("zone", 0, U16),
    }  # fmt: skip
    bits = words.bits("status", IPS, U32)
    if bits is not None:  # the kernel refuses a status without the bits that are set
        entry: Conntrack = yield get(**key)
        bits |= entry.status or 0
    yield set(
        **key,
        timeout=words.integer("timeout", 0, U32),
        status=bits,
        protoinfo=_state(words),
        mark=value,
        mark_mask=mask,
        labels=_labels(label_words, "labels"),
        labels_mask=_labels(label_words, "mask"),
    )


@plan
def remove(
    *,
    proto: Protocol | None = None,
    src: Address | None = None,
    dst: Address | None = None,
    sport: int | None = None,
    dport: int | None = None,
    icmp_type: int | None = None,
    icmp_code: int | None = None,
    icmp_id: int | None = None,
    zone: int | None = None,
    id: int | None = None,
) -> Steps[None]:
    """Remove one entry, given as in find(), or by its `id`.

    With both, the entry must have this id. The kernel cannot find an entry by its id alone, and
    would remove all entries. So the plan first looks for the entry in a dump.

    Raises KernelError: ENOENT if there is no such entry.
    """
    words = Words("conntrack.remove", locals())
    number = words.integer("id", 0, U32)
    if any(words.has(name) for name in ("proto", "src", "dst", "sport", "dport")):
        for name in ("proto", "src", "dst"):
            if not words.has(name):
                words.refuse(f"needs {name}; a connection has proto, src and dst")
        yield delete(
            family=_family(words),
            tuple_orig=_tuple(words),
            zone=words.integer("zone", 0, U16),
            id=number,
        )
        return
    if number is None:
        words.refuse("needs proto, src and dst, or id; remove_all() removes all entries")
    found = yield from _select(Words(words.place, {"zone": zone}))
    match = [entry for entry in found if entry.id == number]
    if not match:
        raise KernelError(errno.ENOENT, f"no entry has the id {number}")
    yield _removal(match[0])


@plan(sequence=True)
def remove_matching(
    *,
    family: NFPROTO | int | str | None = None,
    proto: Protocol | None = None,
    src: Address | None = None,
    dst: Address | None = None,
    sport: int | None = None,
    dport: int | None = None,
    reply_src: Address | None = None,
    reply_dst: Address | None = None,
    mark: Mark | None = None,
    status: Status | None = None,
    zone: int | None = None,
) -> Steps[int]:
    """Remove the entries that match all arguments, and return their number.

    The arguments are those of entries(); at least one is required. The plan removes each entry by
    its tuple and its id, because a kernel that does not know a selection would remove all entries.
    """
    words = Words("conntrack.remove_matching", locals())
    if not any(words.has(name) for name in words.given):
        words.refuse("needs at least one argument; remove_all() removes all entries")
    removed = 0
    for entry in (yield from _select(words)):
        try:
            yield _removal(entry)
        except FileNotFoundError:  # it ended by itself
            continue
        removed += 1
    return removed


@plan
def remove_all(*, family: NFPROTO | int | str | None = None) -> Steps[None]:
    """Remove all entries, or all of one family: "ipv4" or "ipv6" (Linux 5.3)."""
    words = Words("conntrack.remove_all", locals())
    yield flush(family=_only_family(words) or NFPROTO.NFPROTO_UNSPEC)


# --- arguments ------------------------------------------------------------------------------------

FAMILIES = {
    "ipv4": NFPROTO.NFPROTO_IPV4, "inet": NFPROTO.NFPROTO_IPV4,
    "ipv6": NFPROTO.NFPROTO_IPV6, "inet6": NFPROTO.NFPROTO_IPV6,
}  # fmt: skip


def _only_family(words: Words) -> NFPROTO | None:
    """Return the family that the caller named."""
    number = words.number("family", FAMILIES, U8)
    if number is None:
        return None
    if number not in (NFPROTO.NFPROTO_IPV4, NFPROTO.NFPROTO_IPV6):
        raise words.expected("family", "'ipv4' or 'ipv6'")
    return NFPROTO(number)


def _family(words: Words) -> NFPROTO:
    """Return the family of the addresses of a connection. All must be of one IP version."""
    first: IPAddress | None = None
    for name in ("src", "dst", "reply_src", "reply_dst"):
        found = words.address(name) if words.has(name) else None
        if found is None:
            continue
        if first is not None and found.version != first.version:
            raise words.wrong(name, f"{found} and {first} are addresses of different IP versions")
        first = first or found
    return NFPROTO.NFPROTO_UNSPEC if first is None else NFPROTO(int(family_of(first)))


def _ip(source: IPAddress | None, destination: IPAddress | None) -> dict[str, Any]:
    """Return the fields of a TupleIp."""
    fields: dict[str, Any] = {}
    for name, found in (("src", source), ("dst", destination)):
        if found is not None:
            fields[f"v{found.version}_{name}"] = found
    return fields


def _tuple(words: Words) -> dict[str, Any]:
    """Return the fields of the Tuple of the original direction; all that it needs must be given."""
    number = words.number("proto", PROTOCOLS, U8)
    if number is None:
        raise words.expected("proto", "a protocol, such as 'tcp'")
    proto: dict[str, Any] = {"num": number}
    ports = {name: words.integer(name, 0, U16) for name in ("sport", "dport")}
    icmp = {
        "type": words.integer("icmp_type", 0, U8),
        "code": words.integer("icmp_code", 0, U8),
        "id": words.integer("icmp_id", 0, U16),
    }
    _check_kind(words, number, ports, icmp)
    if number in WITH_PORTS:
        proto |= {"src_port": ports["sport"], "dst_port": ports["dport"]}
    elif number in REPLIES:
        prefix = "icmp" if number == ICMP else "icmpv6"
        if icmp["type"] not in REPLIES[number]:
            raise words.expected("icmp_type", f"one of {[*REPLIES[number]]}, which have replies")
        proto |= {f"{prefix}_{name}": value for name, value in icmp.items()}
    ends = words.address("src"), words.address("dst")
    for name, found in zip(("src", "dst"), ends, strict=True):
        if found is None:
            raise words.expected(name, "an IP address")
    return {"ip": _ip(*ends), "proto": proto}


def _check_kind(
    words: Words, number: int, ports: dict[str, int | None], icmp: dict[str, int | None]
) -> None:
    """Refuse ports of a protocol without ports, and a missing port of one that has them."""
    wanted = ports if number in WITH_PORTS else icmp if number in REPLIES else {}
    shown = {"type": "icmp_type", "code": "icmp_code", "id": "icmp_id"}
    for group in (ports, icmp):
        for name, value in group.items():
            word = shown.get(name, name)
            if group is wanted and value is None:
                words.refuse(f"needs {word} for protocol {words.given['proto']!r}")
            if group is not wanted and value is not None:
                raise words.wrong(word, f"protocol {words.given['proto']!r} has no {word}")


def _reply(words: Words) -> dict[str, Any]:
    """Return the fields of the Tuple of the reply: the original in reverse, unless given."""
    original = _tuple(words)
    proto = original["proto"]
    number = proto["num"]
    reply: dict[str, Any] = {"num": number}
    for name, other, field in (
        ("reply_sport", "dst_port", "src_port"), ("reply_dport", "src_port", "dst_port"),
    ):  # fmt: skip
        given = words.integer(name, 0, U16)
        if number in WITH_PORTS:
            reply[field] = proto[other] if given is None else given
        elif given is not None:
            raise words.wrong(name, f"protocol {words.given['proto']!r} has no ports")
    for field, value in proto.items():
        if field.endswith("_type"):
            reply[field] = REPLIES[number][value]
        elif field.startswith("icmp"):
            reply[field] = value
    source = words.address("reply_src") or words.address("dst")
    destination = words.address("reply_dst") or words.address("src")
    return {"ip": _ip(source, destination), "proto": reply}


def _state(words: Words) -> dict[str, Any] | None:
    """Return the fields of a Protoinfo."""
    state = words.number("state", TCP_CONNTRACK, U8)
    if state is None:
        return None
    if words.number("proto", PROTOCOLS, U8) != PROTOCOLS["tcp"]:
        raise words.wrong("state", "only protocol 'tcp' has a state that can be set")
    return {"tcp": {"state": state}}


def _mark(words: Words) -> tuple[int | None, int | None]:
    """Return a mark and its mask."""
    mark = words.given.get("mark")
    if mark is None:
        return None, None
    pair = mark if isinstance(mark, tuple) else (mark, U32)
    if len(pair) != 2 or not all(type(part) is int and 0 <= part <= U32 for part in pair):
        raise words.expected("mark", f"an int from 0 to {U32}, or a pair (mark, mask)")
    return pair


def _labels(words: Words, name: str) -> bytes | None:
    value = words.given[name]
    if value is None:
        return None
    if not isinstance(value, bytes) or not 0 < len(value) <= 16 or len(value) % 4:
        raise words.wrong("labels", f"expected 4, 8, 12 or 16 bytes, got {value!r}")
    return value


def _nat(words: Words, name: str) -> dict[str, Any] | None:
    """Return the fields of a Nat: one address, and perhaps one port."""
    value = words.given[name]
    if value is None:
        return None
    target, port = value if isinstance(value, tuple) and len(value) == 2 else (value, None)
    inner = Words(words.place, {name: target, "port": port, "src": words.given["src"]})
    found, source = inner.address(name), inner.address("src")
    if found is None or source is None or found.version != source.version:
        raise words.expected(name, "an address of the same IP version, or (address, port)")
    fields: dict[str, Any] = {f"v{found.version}_{end}": found for end in ("minip", "maxip")}
    if port is not None:
        number = inner.integer("port", 1, U16)
        fields["proto"] = {"port_min": number, "port_max": number}
    return fields


def _removal(entry: Conntrack) -> Request[None, Any]:
    """Return the request to remove one entry: its original tuple, zone and id."""
    return delete(family=entry.family, tuple_orig=entry.tuple_orig, zone=entry.zone, id=entry.id)


# --- selecting ------------------------------------------------------------------------------------


def _select(words: Words) -> Steps[list[Conntrack]]:
    """Return the entries that match the arguments that are given."""
    given = {name: words.given.get(name) for name in SELECTIONS}
    words = Words(words.place, given)
    family, named = _family(words), _only_family(words)
    if named is not None and family not in (NFPROTO.NFPROTO_UNSPEC, named):
        raise words.wrong("family", f"{named} does not have the given addresses")
    number = words.number("proto", PROTOCOLS, U8)
    ports = words.integer("sport", 0, U16), words.integer("dport", 0, U16)
    if ports != (None, None) and number not in WITH_PORTS:
        words.refuse("needs proto with sport or dport: a protocol with ports, such as 'tcp'")
    value, mask = _mark(words)
    if value is not None and mask is not None and value & ~mask:
        raise words.wrong("mark", f"the mark {value:#x} has bits outside of {mask:#x}")
    status = words.bits("status", IPS, U32)
    zone = words.integer("zone", 0, U16)
    ends = {name: words.address(name) for name in ("src", "dst", "reply_src", "reply_dst")}
    fields: dict[str, Any] = {
        "mark": value, "mark_mask": mask, "status": status, "status_mask": status, "zone": zone,
    }  # fmt: skip
    original = _filtered(ends["src"], ends["dst"], number, *ports)
    reply = _filtered(ends["reply_src"], ends["reply_dst"], None, None, None)
    if original is not None:
        fields["tuple_orig"] = original[0]
    if reply is not None:
        fields["tuple_reply"] = reply[0]
    families = [named or family]
    if original is not None or reply is not None:
        fields["filter"] = {
            "orig_flags": original and original[1], "reply_flags": reply and reply[1],
        }  # fmt: skip
        if families == [NFPROTO.NFPROTO_UNSPEC]:  # with a filter, the kernel wants one family
            families = [NFPROTO.NFPROTO_IPV4, NFPROTO.NFPROTO_IPV6]
    found: dict[Any, Conntrack] = {}
    for each in families:
        messages: list[Conntrack] = yield get(family=each, **fields).dump()
        for entry in messages:
            if (
                each in (NFPROTO.NFPROTO_UNSPEC, entry.family)
                and _matches(entry.tuple_orig, ends["src"], ends["dst"], number, *ports)
                and _matches(entry.tuple_reply, ends["reply_src"], ends["reply_dst"])
                and (value is None or ((entry.mark or 0) & (mask or 0)) == value)
                and (status is None or (entry.status or 0) & status == status)
                and (zone is None or zone in entry.zones)
            ):
                found[entry.id if entry.id is not None else bytes(entry)] = entry
    return [*found.values()]


SELECTIONS = (
    "family", "proto", "src", "dst", "sport", "dport", "reply_src", "reply_dst", "mark", "status",
    "zone",
)  # fmt: skip


def _filtered(
    source: IPAddress | None,
    destination: IPAddress | None,
    number: int | None,
    sport: int | None,
    dport: int | None,
) -> tuple[dict[str, Any], FILTER] | None:
    """Return the fields of a Tuple and which of them a dump compares; None if there are none.

    IPv6 addresses are left out: many kernels, such as 6.18.44, select the entries that do not have
    them (ctnetlink_filter_match_tuple).
    """
    source, destination = (
        None if end is not None and end.version == 6 else end for end in (source, destination)
    )
    flags = FILTER(0)
    for value, flag in (
        (source, FILTER.FILTER_IP_SRC), (destination, FILTER.FILTER_IP_DST),
        (number, FILTER.FILTER_PROTO_NUM), (sport, FILTER.FILTER_PROTO_SRC_PORT),
        (dport, FILTER.FILTER_PROTO_DST_PORT),
    ):  # fmt: skip
        if value is not None:
            flags |= flag
    if not flags:
        return None
    proto = {"num": number, "src_port": sport, "dst_port": dport}
    return {"ip": _ip(source, destination), "proto": proto}, flags


def _matches(
    found: Tuple | None,
    source: IPAddress | None,
    destination: IPAddress | None,
    number: int | None = None,
    sport: int | None = None,
    dport: int | None = None,
) -> bool:
    """Whether a direction of an entry has all values that are given."""
    pairs = (
        ("src", source), ("dst", destination), ("protonum", number), ("sport", sport),
        ("dport", dport),
    )  # fmt: skip
    return all(value is None or getattr(found, name, None) == value for name, value in pairs)
