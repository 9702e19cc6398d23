"""Routes: struct rtmsg and its RTA_* attributes, with metrics and next hops.

Numbers are those of Linux 6.12 (linux/rtnetlink.h); widths, signs and byte order are those of
net/ipv4/fib_frontend.c, net/ipv4/route.c and net/ipv6/route.c. Times called clock ticks are
hundredths of a second. RTA_PAD, which only aligns what follows it, is not declared.
"""

from enum import IntEnum

from netlink.constants import AF, NLM_F
from netlink.route.rtnetlink import (
    RT_SCOPE,
    RT_TABLE,
    RTAX_FEATURE,
    RTM,
    RTM_F,
    RTN,
    RTNH_F,
    RTPROT,
)
from netlink.schema import (
    IPAddress,
    Message,
    Op,
    address,
    be16,
    binary,
    nest,
    records,
    s32,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
    uint,
)


class LWTUNNEL_ENCAP(IntEnum):
    """Kinds of light-weight tunnel: RTA_ENCAP_TYPE (linux/lwtunnel.h)."""

    LWTUNNEL_ENCAP_NONE = 0
    LWTUNNEL_ENCAP_MPLS = 1
    LWTUNNEL_ENCAP_IP = 2
    LWTUNNEL_ENCAP_ILA = 3
    LWTUNNEL_ENCAP_IP6 = 4
    LWTUNNEL_ENCAP_SEG6 = 5
    LWTUNNEL_ENCAP_BPF = 6
    LWTUNNEL_ENCAP_SEG6_LOCAL = 7
    LWTUNNEL_ENCAP_RPL = 8
    LWTUNNEL_ENCAP_IOAM6 = 9
    LWTUNNEL_ENCAP_XFRM = 10


class ICMPV6_ROUTER_PREF(IntEnum):
    """Preference of an IPv6 router, as RFC 4191 counts it: RTA_PREF (linux/icmpv6.h)."""

    ICMPV6_ROUTER_PREF_MEDIUM = 0
    ICMPV6_ROUTER_PREF_HIGH = 1
    ICMPV6_ROUTER_PREF_INVALID = 2
    ICMPV6_ROUTER_PREF_LOW = 3


class rta_cacheinfo(Message):
    """struct rta_cacheinfo (linux/rtnetlink.h): `lastuse` and `expires` in clock ticks."""

    clntref: int = u32()
    lastuse: int = u32()
    expires: int = s32()
    error: int = u32()
    used: int = u32()
    id: int = u32()
    ts: int = u32()
    tsage: int = u32()


class rta_mfc_stats(Message):
    """struct rta_mfc_stats (linux/rtnetlink.h): what a multicast route forwarded."""

    packets: int = u64()
    bytes: int = u64()
    wrong_if: int = u64()


class rtvia(Message):
    """struct rtvia (linux/rtnetlink.h): a gateway of another family than the route's."""

    family: AF | int = u16(enum=AF)
    addr: IPAddress = address()


class Metrics(Message):
    """RTAX_* attributes of RTA_METRICS (linux/rtnetlink.h).

    `lock` has bit N set where RTAX_* number N must not be learned. The kernel keeps `rtt` in
    eighths and `rttvar` in quarters of a millisecond, `rto_min` in milliseconds.
    """

    lock: int | None = u32(1)
    mtu: int | None = u32(2)
    window: int | None = u32(3)
    rtt: int | None = u32(4)
    rttvar: int | None = u32(5)
    ssthresh: int | None = u32(6)
    cwnd: int | None = u32(7)
    advmss: int | None = u32(8)
    reordering: int | None = u32(9)
    hoplimit: int | None = u32(10)
    initcwnd: int | None = u32(11)
    features: RTAX_FEATURE | None = u32(12, enum=RTAX_FEATURE)
    rto_min: int | None = u32(13)
    initrwnd: int | None = u32(14)
    quickack: int | None = u32(15)
    cc_algo: str | None = string(16)
    fastopen_no_cookie: int | None = u32(17)


class rtnexthop(Message):
    """struct rtnexthop (linux/rtnetlink.h).

    `len` is the record's length in bytes, attributes included. `hops` is the weight less one, or
    the TTL threshold of a multicast route.
    """

    len: int = u16()
    flags: RTNH_F = u8(enum=RTNH_F)
    hops: int = u8()
    ifindex: int = s32()


class NextHop(rtnexthop):
    """One next hop of RTA_MULTIPATH: struct rtnexthop and RTA_* attributes.

    An AF_MPLS hop has no `gateway`: it goes `via`, and `newdst` holds its labels.
    """

    gateway: IPAddress | None = address(5)
    flow: int | None = u32(11)
    via: rtvia | None = struct(18, rtvia)
    newdst: bytes | None = binary(19)
    encap_type: LWTUNNEL_ENCAP | int | None = u16(21, enum=LWTUNNEL_ENCAP)
    encap: bytes | None = binary(22)


class rtmsg(Message):
    """struct rtmsg (linux/rtnetlink.h). Prefix lengths in bits."""

    family: AF | int = u8(enum=AF)
    dst_len: int = u8()
    src_len: int = u8()
    tos: int = u8()
    rtm_table: RT_TABLE | int = u8(enum=RT_TABLE)
    protocol: RTPROT | int = u8(enum=RTPROT)
    scope: RT_SCOPE | int = u8(enum=RT_SCOPE)
    type: RTN | int = u8(enum=RTN)
    flags: RTM_F = u32(enum=RTM_F)


class Route(rtmsg):
    """One route: struct rtmsg and its RTA_* attributes (linux/rtnetlink.h).

    A default route has no `dst`. The kernel always sends `table`, the whole number of which
    `rtm_table` holds what fits.
    """

    dst: IPAddress | None = address(1)
    src: IPAddress | None = address(2)
    iif: int | None = u32(3)
    oif: int | None = u32(4)
    gateway: IPAddress | None = address(5)
    priority: int | None = u32(6)
    prefsrc: IPAddress | None = address(7)
    metrics: Metrics | None = nest(8, Metrics)
    multipath: tuple[NextHop, ...] = records(9, NextHop)
    protoinfo: bytes | None = binary(10)  # no longer used by the kernel, like session and mp_algo
    flow: int | None = u32(11)
    cacheinfo: rta_cacheinfo | None = struct(12, rta_cacheinfo)
    session: bytes | None = binary(13)
    mp_algo: bytes | None = binary(14)
    table: RT_TABLE | int | None = u32(15, enum=RT_TABLE)
    mark: int | None = u32(16)
    mfc_stats: rta_mfc_stats | None = struct(17, rta_mfc_stats)
    via: rtvia | None = struct(18, rtvia)
    newdst: bytes | None = binary(19)
    pref: ICMPV6_ROUTER_PREF | int | None = u8(20, enum=ICMPV6_ROUTER_PREF)
    encap_type: LWTUNNEL_ENCAP | int | None = u16(21, enum=LWTUNNEL_ENCAP)
    encap: bytes | None = binary(22)
    # Seconds in four bytes from IPv6, clock ticks in eight from a multicast route (ipmr_base.c).
    expires: int | None = uint(23)
    uid: int | None = u32(25)
    ttl_propagate: int | None = u8(26)
    ip_proto: int | None = u8(27)
    sport: int | None = be16(28)
    dport: int | None = be16(29)
    nh_id: int | None = u32(30)


get = Op("route.get", RTM.RTM_GETROUTE, Route)
new = Op("route.new", RTM.RTM_NEWROUTE, Route, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
replace = Op(
    "route.replace", RTM.RTM_NEWROUTE, Route, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE
)
# IPv4 puts an equal prefix and metric behind the others or before them (fib_table_insert); IPv6
# makes either one more next hop of the route that is there (fib6_add_rt2node).
append = Op("route.append", RTM.RTM_NEWROUTE, Route, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_APPEND)
prepend = Op("route.prepend", RTM.RTM_NEWROUTE, Route, flags=NLM_F.NLM_F_CREATE)
set = Op("route.set", RTM.RTM_NEWROUTE, Route, flags=NLM_F.NLM_F_REPLACE)
delete = Op("route.delete", RTM.RTM_DELROUTE, Route)
