"""Routes: struct rtmsg and its RTA_* attributes, with metrics and next hops.

IPv4, IPv6 and MPLS routes are one message, and so are multicast routes (RTNL_FAMILY_IPMR and
RTNL_FAMILY_IP6MR). Numbers are those of Linux 6.12 (linux/rtnetlink.h), RTA_FLOWLABEL of 6.18;
widths, signs and byte order are those of net/ipv4/fib_frontend.c, net/ipv4/route.c,
net/ipv4/ipmr_base.c, net/ipv6/route.c and net/mpls/af_mpls.c. Times called clock ticks are
hundredths of a second. RTA_PAD, which only aligns what follows it, is not declared.

The plans at the end are the words of `ip route`:

    nl.do(route.add("10.0.0.0/8", via="192.0.2.1", dev="eth0", table=100))
    nl.do(route.put("default", nexthops=[{"via": "192.0.2.1"}, {"via": "192.0.2.2", "weight": 3}]))
    found = nl.do(route.lookup("10.1.2.3"))
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, TypedDict, Unpack

from netlink.constants import AF, NLM_F, KernelEnum
from netlink.family import Op, Steps, plan
from netlink.route.encap import ENCAPS, LWTUNNEL_ENCAP, Encap
from netlink.route.link import Dev, index_of
from netlink.route.rtnetlink import (
    ROUTE,
    RT_SCOPE,
    RT_TABLE,
    RTAX_FEATURE,
    RTM,
    RTM_F,
    RTN,
    RTNH_F,
    RTPROT,
    family_of,
    number,
)
from netlink.schema import (
    Addr,
    AddrOrLabels,
    IPAddress,
    Message,
    Nested,
    Several,
    address,
    be16,
    be32,
    binary,
    labels,
    nest,
    records,
    s32,
    selected,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
    uint,
)

TCP_CA_NAME_MAX = 16  # include/net/tcp.h; the kernel would cut a longer name (ip_metrics_convert)


class ICMPV6_ROUTER_PREF(KernelEnum):
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
    """struct rtvia (linux/rtnetlink.h): a gateway of another family than the route's.

    With AF_PACKET, which MPLS knows, `addr` is the link-layer address as bytes.
    """

    family: AF | int = u16(enum=AF)
    addr: IPAddress | bytes = address()


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
    cc_algo: str | None = string(16, size=TCP_CA_NAME_MAX)
    fastopen_no_cookie: int | None = u32(17)


class rtnexthop(Message):
    """struct rtnexthop (linux/rtnetlink.h).

    `len` is the record's length in bytes, attributes included. `hops` is the weight less one. To
    set a multicast route, it is the TTL threshold of the daemon's interface N for hop number N, 255
    for none, whatever `ifindex` says (ipmr_nla_get_ttls in net/ipv4/ipmr.c).
    """

    len: int = u16()
    flags: RTNH_F = u8(enum=RTNH_F)
    hops: int = u8()
    ifindex: int = s32()


class NextHop(rtnexthop):
    """One next hop of RTA_MULTIPATH: struct rtnexthop and RTA_* attributes.

    An AF_MPLS hop has no `gateway`: it goes `via`, and `newdst` holds its labels.
    """

    gateway: Addr = address(5)
    flow: int | None = u32(11)
    via: Nested[rtvia] = struct(18, rtvia)
    newdst: tuple[int, ...] | None = labels(19)
    encap_type: LWTUNNEL_ENCAP | int | None = u16(21, enum=LWTUNNEL_ENCAP)
    encap: Nested[Encap] = selected(22, "encap_type", ENCAPS)


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

    A default route has no `dst`; that of an AF_MPLS route is a label, as a tuple of one, with a
    `dst_len` of 20. The kernel always sends `table`, the whole number of which `rtm_table` holds
    what fits.
    """

    dst: AddrOrLabels = address(1, by_family=True)
    src: Addr = address(2)
    iif: int | None = u32(3)
    oif: int | None = u32(4)
    gateway: Addr = address(5)
    priority: int | None = u32(6)
    prefsrc: Addr = address(7)
    metrics: Nested[Metrics] = nest(8, Metrics)
    multipath: Several[NextHop] = records(9, NextHop)
    protoinfo: bytes | None = binary(10)  # no longer used by the kernel, like session and mp_algo
    flow: int | None = u32(11)
    cacheinfo: Nested[rta_cacheinfo] = struct(12, rta_cacheinfo)
    session: bytes | None = binary(13)
    mp_algo: bytes | None = binary(14)
    table: RT_TABLE | int | None = u32(15, enum=RT_TABLE)
    mark: int | None = u32(16)
    mfc_stats: Nested[rta_mfc_stats] = struct(17, rta_mfc_stats)
    via: Nested[rtvia] = struct(18, rtvia)
    newdst: tuple[int, ...] | None = labels(19)
    pref: ICMPV6_ROUTER_PREF | int | None = u8(20, enum=ICMPV6_ROUTER_PREF)
    encap_type: LWTUNNEL_ENCAP | int | None = u16(21, enum=LWTUNNEL_ENCAP)
    encap: Nested[Encap] = selected(22, "encap_type", ENCAPS)
    # Seconds in four bytes from IPv6, clock ticks in eight from a multicast route (ipmr_base.c).
    expires: int | None = uint(23)
    uid: int | None = u32(25)
    ttl_propagate: int | None = u8(26)
    ip_proto: int | None = u8(27)
    sport: int | None = be16(28)
    dport: int | None = be16(29)
    nh_id: int | None = u32(30)
    flowlabel: int | None = be32(31)


get = Op("route.get", RTM.RTM_GETROUTE, Route, answer="one")
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

ROUTE.add(get, new, replace, append, prepend, set, delete)


# --- plans ----------------------------------------------------------------------------------------

Destination = str | IPAddress | IPv4Network | IPv6Network


class Hop(TypedDict, total=False):
    """Where packets go next."""

    via: IPAddress | str  # may be of the other family
    dev: Dev
    weight: int  # among several, 1 to 256
    onlink: bool  # the kernel shall not check that `via` can be reached
    encap: Encap | dict[str, Any]  # with encap_type
    encap_type: LWTUNNEL_ENCAP | int


class Way(Hop, total=False):
    """How a route goes. Numbers with names may be words: type="blackhole", table="local"."""

    nexthops: Iterable[Hop]  # several, in place of one
    nhid: int  # a next hop object, in place of one
    src: IPAddress | str  # the address to send from
    metric: int
    table: RT_TABLE | int | str
    proto: RTPROT | int | str
    scope: RT_SCOPE | int | str
    type: RTN | int | str
    tos: int
    mtu: int
    metrics: Metrics | dict[str, Any]  # others than mtu
    pref: ICMPV6_ROUTER_PREF | int
    expires: int  # seconds


@plan
def add(dst: Destination, **way: Unpack[Way]) -> Steps[None]:
    """Make a route to a network, an address or "default". Raises KernelError (EEXIST)."""
    return (
        yield from _write(new, dst, {"proto": RTPROT.RTPROT_BOOT, "type": RTN.RTN_UNICAST, **way})
    )


@plan
def put(dst: Destination, **way: Unpack[Way]) -> Steps[None]:
    """As add(), but a route of the same destination, tos and metric is replaced."""
    return (
        yield from _write(
            replace, dst, {"proto": RTPROT.RTPROT_BOOT, "type": RTN.RTN_UNICAST, **way}
        )
    )


@plan
def change(dst: Destination, **way: Unpack[Way]) -> Steps[None]:
    """As put(), but raises KernelError (ENOENT) where there is no such route."""
    return (
        yield from _write(set, dst, {"proto": RTPROT.RTPROT_BOOT, "type": RTN.RTN_UNICAST, **way})
    )


@plan
def remove(dst: Destination, **way: Unpack[Way]) -> Steps[None]:
    """Remove the first route that fits what is said. Raises KernelError (ESRCH)."""
    return (yield from _write(delete, dst, {"scope": RT_SCOPE.RT_SCOPE_NOWHERE, **way}))


@plan
def lookup(
    dst: IPAddress | str,
    *,
    src: IPAddress | str | None = None,
    iif: Dev | None = None,
    oif: Dev | None = None,
    mark: int | None = None,
) -> Steps[Route]:
    """The way that a packet would go, as a Route. Raises KernelError (ENETUNREACH, EHOSTUNREACH).

    With `iif` the packet has come in there, otherwise it is this host's own.
    """
    to = ip_address(dst)
    found: Route = yield get(
        family=family_of(to),
        dst=to,
        dst_len=to.max_prefixlen,
        src=src,
        src_len=to.max_prefixlen if src is not None else 0,
        iif=(yield index_of(iif)) if iif is not None else None,
        oif=(yield index_of(oif)) if oif is not None else None,
        mark=mark,
    )
    return found


def _write(op: Op[..., Any, Any], dst: Destination, way: Way) -> Steps[None]:
    network = ip_network(dst) if dst != "default" else None
    near = network or (ip_address(way["via"]) if "via" in way else None)
    family = family_of(near) if near is not None else AF.AF_INET
    fields = yield from _hop(way, family, "oif")
    if network is not None:
        fields |= {"dst": network.network_address, "dst_len": network.prefixlen}
    kind = number(RTN, way.get("type", RTN.RTN_UNSPEC))
    table = number(RT_TABLE, way.get("table", RT_TABLE.RT_TABLE_MAIN))
    metrics = way.get("metrics", {})
    if "mtu" in way:
        metrics = dict(metrics) | {"mtu": way["mtu"]}
    if "nexthops" in way:
        fields["multipath"] = []
        for hop in way["nexthops"]:
            fields["multipath"].append((yield from _hop(hop, family, "ifindex")))
            fields["multipath"][-1]["hops"] = hop.get("weight", 1) - 1
    is_far = "via" in way or "nexthops" in way or "nhid" in way
    yield op(
        family=family,
        tos=way.get("tos", 0),
        table=table,
        rtm_table=table if table < 256 else RT_TABLE.RT_TABLE_COMPAT,
        protocol=number(RTPROT, way.get("proto", RTPROT.RTPROT_UNSPEC)),
        scope=number(RT_SCOPE, way.get("scope", _scope(kind, is_far=is_far))),
        type=kind,
        nh_id=way.get("nhid"),
        prefsrc=way.get("src"),
        priority=way.get("metric"),
        metrics=metrics or None,
        pref=way.get("pref"),
        expires=way.get("expires"),
        **fields,
    )


def _hop(hop: Hop, family: AF, device: str) -> Steps[dict[str, Any]]:
    """The fields that say where a route or one of its next hops goes."""
    fields: dict[str, Any] = {"encap_type": hop.get("encap_type"), "encap": hop.get("encap")}
    if "dev" in hop:
        fields[device] = yield index_of(hop["dev"])
    if hop.get("onlink"):
        fields["flags"] = RTNH_F.RTNH_F_ONLINK
    if "via" in hop:
        via = ip_address(hop["via"])
        if family_of(via) == family:
            fields["gateway"] = via
        else:
            fields["via"] = rtvia(family=family_of(via), addr=via)
    return fields


def _scope(kind: int, *, is_far: bool) -> RT_SCOPE:
    """How far a destination is where nothing is said of it, as ip(8) has it."""
    match kind:
        case RTN.RTN_LOCAL | RTN.RTN_NAT:
            return RT_SCOPE.RT_SCOPE_HOST
        case RTN.RTN_BROADCAST | RTN.RTN_MULTICAST | RTN.RTN_ANYCAST:
            return RT_SCOPE.RT_SCOPE_LINK
        case RTN.RTN_UNICAST | RTN.RTN_UNSPEC if not is_far:
            return RT_SCOPE.RT_SCOPE_LINK
        case _:
            return RT_SCOPE.RT_SCOPE_UNIVERSE
