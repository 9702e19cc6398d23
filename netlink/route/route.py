"""Routes: struct rtmsg and its RTA_* attributes, with metrics and next hops.

One class describes IPv4, IPv6, MPLS and multicast routes (RTNL_FAMILY_IPMR, RTNL_FAMILY_IP6MR).
This file contains messages, ops and plans, and no I/O. Numbers are from Linux 6.12
(linux/rtnetlink.h), RTA_FLOWLABEL from 6.18. Widths, signs and byte order are from
net/ipv4/{fib_frontend,route,ipmr_base}.c, net/ipv6/route.c and net/mpls/af_mpls.c. RTA_PAD only
aligns the attribute after it and is not declared. A clock tick is a hundredth of a second.

The plans at the end use the words of `ip route`:

    nl.do(route.add("10.0.0.0/8", via="192.0.2.1", dev="eth0", table=100))
    nl.do(route.put("default", nexthops=[{"via": "192.0.2.1"}, {"via": "192.0.2.2", "weight": 3}]))
    found = nl.do(route.lookup("10.1.2.3"))
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Any, TypedDict

from netlink.constants import AF, NLM_F, KernelEnum
from netlink.errors import EncodeError
from netlink.family import Follow, Op, Steps, plan
from netlink.route import link as link_module
from netlink.route.encap import ENCAPS, LWTUNNEL_ENCAP, Encap, encapsulation
from netlink.route.link import Dev, dev_index
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
    rtgenmsg,
)
from netlink.schema import (
    Addr,
    AddrOrLabels,
    IPAddress,
    Message,
    Named,
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
from netlink.words import PROTOCOLS, U8, U16, Words, family_of

TCP_CA_NAME_MAX = 16  # include/net/tcp.h; the kernel truncates longer names (ip_metrics_convert)


class ICMPV6_ROUTER_PREF(KernelEnum):
    """Preference of an IPv6 router (RFC 4191): RTA_PREF (linux/icmpv6.h)."""

    ICMPV6_ROUTER_PREF_MEDIUM = 0
    ICMPV6_ROUTER_PREF_HIGH = 1
    ICMPV6_ROUTER_PREF_INVALID = 2
    ICMPV6_ROUTER_PREF_LOW = 3


class rta_cacheinfo(Message):
    """struct rta_cacheinfo (linux/rtnetlink.h). `lastuse` and `expires` are in clock ticks."""

    clntref: int = u32()
    lastuse: int = u32()
    expires: int = s32()
    error: int = u32()
    used: int = u32()
    id: int = u32()
    ts: int = u32()
    tsage: int = u32()


class rta_mfc_stats(Message):
    """struct rta_mfc_stats (linux/rtnetlink.h): counters of a multicast route."""

    packets: int = u64()
    bytes: int = u64()
    wrong_if: int = u64()


class rtvia(Message):
    """struct rtvia (linux/rtnetlink.h): a gateway whose address family differs from the route's.

    With AF_PACKET (MPLS only), `addr` is the link-layer address as bytes.
    """

    family: Named[AF | int] = u16(enum=AF)
    addr: IPAddress | bytes = address(by_family=True)


class Metrics(Message):
    """RTAX_* attributes of RTA_METRICS (linux/rtnetlink.h).

    Bit N of `lock` means that the kernel must not update the metric with RTAX_* number N. `rtt` is
    in units of 1/8 ms, `rttvar` in units of 1/4 ms and `rto_min` in milliseconds.
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
    features: Named[RTAX_FEATURE | None] = u32(12, enum=RTAX_FEATURE)
    rto_min: int | None = u32(13)
    initrwnd: int | None = u32(14)
    quickack: int | None = u32(15)
    cc_algo: str | None = string(16, size=TCP_CA_NAME_MAX)
    fastopen_no_cookie: int | None = u32(17)


class rtnexthop(Message):
    """struct rtnexthop (linux/rtnetlink.h).

    `len` is the length of the record in bytes, including its attributes. `hops` is the weight
    minus one. In a request for a multicast route, `hops` of record N is the TTL threshold of the
    daemon's interface N, or 255 for none; the kernel ignores `ifindex` there (ipmr_nla_get_ttls in
    net/ipv4/ipmr.c).
    """

    len: int = u16()
    flags: Named[RTNH_F] = u8(enum=RTNH_F)
    hops: int = u8()
    ifindex: int = s32()


class NextHop(rtnexthop):
    """One next hop of RTA_MULTIPATH: struct rtnexthop and RTA_* attributes.

    An AF_MPLS hop has `via` instead of `gateway`, and its labels are in `newdst`.
    """

    gateway: Addr = address(5, by_family=True, mapped=True)
    flow: int | None = u32(11)
    via: Nested[rtvia] = struct(18, rtvia)
    newdst: tuple[int, ...] | None = labels(19)
    encap_type: Named[LWTUNNEL_ENCAP | int | None] = u16(21, enum=LWTUNNEL_ENCAP)
    encap: Nested[Encap] = selected(22, "encap_type", ENCAPS)


class rtmsg(Message, bare=rtgenmsg):
    """struct rtmsg (linux/rtnetlink.h). Prefix lengths are in bits."""

    family: Named[AF | int] = u8(enum=AF)
    dst_len: int = u8()
    src_len: int = u8()
    tos: int = u8()
    rtm_table: Named[RT_TABLE | int] = u8(enum=RT_TABLE)
    protocol: Named[RTPROT | int] = u8(enum=RTPROT)
    scope: Named[RT_SCOPE | int] = u8(enum=RT_SCOPE)
    type: Named[RTN | int] = u8(enum=RTN)
    flags: Named[RTM_F] = u32(enum=RTM_F)


class Route(rtmsg):
    """One route: struct rtmsg and its RTA_* attributes (linux/rtnetlink.h).

    A default route has no `dst`. The `dst` of an AF_MPLS route is a tuple with one label, and its
    `dst_len` is 20. The kernel always sends `table`, which is the full number; `rtm_table` has
    only 8 bits.
    """

    dst: AddrOrLabels = address(1, by_family=True)
    src: Addr = address(2, by_family=True)
    iif: int | None = u32(3)
    oif: int | None = u32(4)
    gateway: Addr = address(5, by_family=True, mapped=True)
    priority: int | None = u32(6)
    prefsrc: Addr = address(7, by_family=True)
    metrics: Nested[Metrics] = nest(8, Metrics)
    multipath: Several[NextHop] = records(9, NextHop)
    protoinfo: bytes | None = binary(10)  # the kernel ignores it, as it does session and mp_algo
    flow: int | None = u32(11)
    cacheinfo: Nested[rta_cacheinfo] = struct(12, rta_cacheinfo)
    session: bytes | None = binary(13)
    mp_algo: bytes | None = binary(14)
    table: Named[RT_TABLE | int | None] = u32(15, enum=RT_TABLE)
    mark: int | None = u32(16)
    mfc_stats: Nested[rta_mfc_stats] = struct(17, rta_mfc_stats)
    via: Nested[rtvia] = struct(18, rtvia)
    newdst: tuple[int, ...] | None = labels(19)
    pref: Named[ICMPV6_ROUTER_PREF | int | None] = u8(20, enum=ICMPV6_ROUTER_PREF)
    encap_type: Named[LWTUNNEL_ENCAP | int | None] = u16(21, enum=LWTUNNEL_ENCAP)
    encap: Nested[Encap] = selected(22, "encap_type", ENCAPS)
    # IPv6 sends seconds in 4 bytes; multicast routes send clock ticks in 8 bytes (ipmr_base.c).
    expires: int | None = uint(23)
    uid: int | None = u32(25)
    ttl_propagate: int | None = u8(26)
    ip_proto: int | None = u8(27)
    sport: int | None = be16(28)
    dport: int | None = be16(29)
    nh_id: int | None = u32(30)
    flowlabel: int | None = be32(31)


GROUPS = {
    AF.AF_INET: ("ipv4-route",),
    AF.AF_INET6: ("ipv6-route",),
    AF.AF_MPLS: ("mpls-route",),
    AF.RTNL_FAMILY_IPMR: ("ipv4-mroute",),
    AF.RTNL_FAMILY_IP6MR: ("ipv6-mroute",),
}
# Groups with events after which the kernel removes routes silently.
CAUSES = ("link", "ipv4-ifaddr", "nexthop")


def _uses(route: Route, asked: Route) -> bool:
    """Whether a route uses a link, as the filter of a dump compares it (fib_info_nh_uses_dev)."""
    return route.oif == asked.oif or any(hop.ifindex == asked.oif for hop in route.multipath)


# IPv4 routes disappear without an event if their link goes down or is deleted, if their preferred
# source address is deleted, and if their next hop object is deleted (fib_sync_down_dev,
# fib_sync_down_addr, __remove_nexthop_fib). For an IPv6 route with several next hops, an event
# about one more of them may have another order than a dump, and deleting one next hop sends only
# that one.
FOLLOW = Follow(
    groups={0: (*(name for names in GROUPS.values() for name in names), *CAUSES)}
    | {family: (*names, *CAUSES) for family, names in GROUPS.items()},
    key=("family", "dst_len", "src_len", "tos", "dst", "src", "priority", "table"),
    new=RTM.RTM_NEWROUTE,
    delete=RTM.RTM_DELROUTE,
    several=lambda route: route.family != AF.AF_INET6,
    only=lambda route: not route.flags & RTM_F.RTM_F_CLONED,
    select={
        "family": None,
        "table": None,
        "rtm_table": lambda route, asked: asked.rtm_table in (route.table, route.rtm_table),
        "protocol": None,
        "type": None,
        "oif": _uses,
    },
    also={
        RTM.RTM_NEWLINK: link_module.is_down,
        RTM.RTM_DELLINK: None,
        RTM.RTM_DELADDR: None,
        RTM.RTM_NEWNEXTHOP: lambda event: bool(event.nlmsg_flags & NLM_F.NLM_F_REPLACE),
        RTM.RTM_DELNEXTHOP: None,
    },
    fence=link_module.FENCE,
    ignore=(
        "flags", "cacheinfo", "expires", "mfc_stats", "multipath.flags", "multipath.len",
    ),
)  # fmt: skip

# inet_rtm_getroute, inet6_rtm_getroute, mpls_getroute
get = Op("route.get", RTM.RTM_GETROUTE, Route, answer="one", ends="message", follow=FOLLOW)
new = Op("route.new", RTM.RTM_NEWROUTE, Route, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
replace = Op(
    "route.replace", RTM.RTM_NEWROUTE, Route, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE
)
# If a route with the same prefix and metric exists, IPv4 adds the new one after it or before it
# (fib_table_insert). IPv6 adds a next hop to the existing route in both cases (fib6_add_rt2node).
append = Op("route.append", RTM.RTM_NEWROUTE, Route, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_APPEND)
prepend = Op("route.prepend", RTM.RTM_NEWROUTE, Route, flags=NLM_F.NLM_F_CREATE)
set = Op("route.set", RTM.RTM_NEWROUTE, Route, flags=NLM_F.NLM_F_REPLACE)
delete = Op("route.delete", RTM.RTM_DELROUTE, Route)

ROUTE.add(get, new, replace, append, prepend, set, delete)


# --- plans ----------------------------------------------------------------------------------------

Destination = str | IPAddress | IPv4Network | IPv6Network


class Hop(TypedDict, total=False):
    """One of the `nexthops` of a route: a dict with these keys. Plans refuse other keys."""

    via: IPAddress | str  # its address family may differ from the route's
    dev: Dev
    weight: int  # 1 to 256
    onlink: bool  # the kernel does not check that `via` is reachable
    encap: Encap | dict[str, Any]
    encap_type: LWTUNNEL_ENCAP | int | str  # optional if `encap` is a message
    realms: int | tuple[int, int]


@plan
def add(
    dst: Destination,
    *,
    via: IPAddress | str | None = None,
    dev: Dev | None = None,
    onlink: bool = False,
    encap: Encap | dict[str, Any] | None = None,
    encap_type: LWTUNNEL_ENCAP | int | str | None = None,
    nexthops: Sequence[Hop] | None = None,
    nhid: int | None = None,
    src: IPAddress | str | None = None,
    from_: Destination | None = None,
    metric: int | None = None,
    table: RT_TABLE | int | str | None = None,
    proto: RTPROT | int | str | None = None,
    scope: RT_SCOPE | int | str | None = None,
    type: RTN | int | str | None = None,
    tos: int | None = None,
    realms: int | tuple[int, int] | None = None,
    mtu: int | None = None,
    metrics: Metrics | dict[str, Any] | None = None,
    pref: ICMPV6_ROUTER_PREF | int | str | None = None,
    expires: int | None = None,
    family: AF | int | str | None = None,
) -> Steps[None]:
    """Add a route to a network, an address or "default".

    The next hop is `via`, `dev` or both, a list of `nexthops`, or the next hop object with the ID
    `nhid`. A route of `type` "blackhole", "unreachable", "prohibit" or "throw" needs no next hop.
    The address family of `via` may differ from the one of `dst`. With `onlink` the kernel does not
    check that `via` is reachable. `encap` is a message, or a dict of its fields together with
    `encap_type`.

    `src` is the preferred source address of packets that this host sends. `from_` (IPv6) limits
    the route to packets from these sources. `table` defaults to "main", and to "local" for the
    types local, broadcast, anycast and nat. `scope` defaults to the value that `ip route` chooses
    for the type and the next hop. `realms` (IPv4) is the realm of the destination, or a pair
    (source, destination). `mtu` in bytes is a shorthand for one of `metrics`. `pref` and `expires`
    (in seconds) exist only for IPv6. `family` is derived from the addresses and otherwise defaults
    to "inet". Numbers that have names can be given by name: `proto="static"`.

    Raises KernelError: EEXIST if the route exists, ENODEV if a link does not exist, ENETUNREACH or
    EHOSTUNREACH if `via` is not reachable. Raises TypeError if the type needs a next hop and none
    is given.
    """
    return (yield from _write(new, Words("route.add", locals())))


@plan
def put(
    dst: Destination,
    *,
    via: IPAddress | str | None = None,
    dev: Dev | None = None,
    onlink: bool = False,
    encap: Encap | dict[str, Any] | None = None,
    encap_type: LWTUNNEL_ENCAP | int | str | None = None,
    nexthops: Sequence[Hop] | None = None,
    nhid: int | None = None,
    src: IPAddress | str | None = None,
    from_: Destination | None = None,
    metric: int | None = None,
    table: RT_TABLE | int | str | None = None,
    proto: RTPROT | int | str | None = None,
    scope: RT_SCOPE | int | str | None = None,
    type: RTN | int | str | None = None,
    tos: int | None = None,
    realms: int | tuple[int, int] | None = None,
    mtu: int | None = None,
    metrics: Metrics | dict[str, Any] | None = None,
    pref: ICMPV6_ROUTER_PREF | int | str | None = None,
    expires: int | None = None,
    family: AF | int | str | None = None,
) -> Steps[None]:
    """Add a route, or replace the one with the same destination, tos and metric.

    The arguments and errors are those of add(), except EEXIST.
    """
    return (yield from _write(replace, Words("route.put", locals())))


@plan
def change(
    dst: Destination,
    *,
    via: IPAddress | str | None = None,
    dev: Dev | None = None,
    onlink: bool = False,
    encap: Encap | dict[str, Any] | None = None,
    encap_type: LWTUNNEL_ENCAP | int | str | None = None,
    nexthops: Sequence[Hop] | None = None,
    nhid: int | None = None,
    src: IPAddress | str | None = None,
    from_: Destination | None = None,
    metric: int | None = None,
    table: RT_TABLE | int | str | None = None,
    proto: RTPROT | int | str | None = None,
    scope: RT_SCOPE | int | str | None = None,
    type: RTN | int | str | None = None,
    tos: int | None = None,
    realms: int | tuple[int, int] | None = None,
    mtu: int | None = None,
    metrics: Metrics | dict[str, Any] | None = None,
    pref: ICMPV6_ROUTER_PREF | int | str | None = None,
    expires: int | None = None,
    family: AF | int | str | None = None,
) -> Steps[None]:
    """Replace the existing route with the same destination, tos and metric.

    The arguments are those of add(). Raises KernelError: ENOENT if the route does not exist. Raises
    TypeError if there is nothing to change.
    """
    words = Words("route.change", locals())
    words.needs_a_change("dst", "from_", "metric", "table", "tos", "family", switches=("onlink",))
    return (yield from _write(set, words))


@plan
def remove(
    dst: Destination,
    *,
    via: IPAddress | str | None = None,
    dev: Dev | None = None,
    nexthops: Sequence[Hop] | None = None,
    nhid: int | None = None,
    src: IPAddress | str | None = None,
    from_: Destination | None = None,
    metric: int | None = None,
    table: RT_TABLE | int | str | None = None,
    proto: RTPROT | int | str | None = None,
    scope: RT_SCOPE | int | str | None = None,
    type: RTN | int | str | None = None,
    tos: int | None = None,
    mtu: int | None = None,
    metrics: Metrics | dict[str, Any] | None = None,
    family: AF | int | str | None = None,
) -> Steps[None]:
    """Remove the first route that matches all given arguments.

    The arguments are those of add() that the kernel compares. For IPv6 routes, the kernel ignores
    `type` and `scope`. It ignores `src`, `mtu` and `metrics` too, so the plan refuses these three.
    `table` defaults as in add().

    Raises KernelError: ESRCH if no route matches.
    """
    words = Words("route.remove", locals())
    fields, family, kind = yield from _fields(words)
    if family == AF.AF_INET6:
        for name in ("src", "mtu", "metrics"):
            if words.has(name):
                raise words.wrong(
                    name, "the kernel does not compare it for IPv6 routes; leave it out"
                )
    scope = words.number("scope", RT_SCOPE, U8)
    if scope is None:
        scope = _scope(family, kind, usual=RT_SCOPE.RT_SCOPE_NOWHERE)
    yield delete(
        protocol=words.number("proto", RTPROT, U8) or RTPROT.RTPROT_UNSPEC,
        scope=scope,
        type=kind or RTN.RTN_UNSPEC,
        **fields,
    )


@plan
def lookup(
    dst: IPAddress | str,
    *,
    src: IPAddress | str | None = None,
    iif: Dev | None = None,
    oif: Dev | None = None,
    mark: int | None = None,
    tos: int | None = None,
    uid: int | None = None,
    ipproto: int | str | None = None,
    sport: int | None = None,
    dport: int | None = None,
    fibmatch: bool = False,
) -> Steps[Route]:
    """Return the route that the kernel would use for a packet.

    With `iif` the packet is received on that link; otherwise this host sends it. With `fibmatch`
    the kernel returns the matching entry of the routing table, with all its next hops.

    Raises KernelError: ENETUNREACH or EHOSTUNREACH if there is no route, or the error of a route
    of type "prohibit" or "throw".
    """
    words = Words("route.lookup", locals())
    to = words.address("dst")
    if to is None:
        raise words.expected("dst", "an IP address")
    source = words.address("src")
    if source is not None and source.version != to.version:
        raise words.wrong("src", f"{source} and {to} belong to different address families")
    flags = RTM_F(0)
    if to.version == 4:  # inet6_rtm_valid_getroute_req refuses the flag
        flags |= RTM_F.RTM_F_LOOKUP_TABLE
    if words.switch("fibmatch"):
        flags |= RTM_F.RTM_F_FIB_MATCH
    found: Route = yield get(
        family=family_of(to),
        dst=to,
        dst_len=to.max_prefixlen,
        src=source,
        src_len=to.max_prefixlen if source is not None else 0,
        tos=words.integer("tos", high=U8) or 0,
        flags=flags,
        mark=words.integer("mark"),
        uid=words.integer("uid"),
        ip_proto=words.number("ipproto", PROTOCOLS, U8),
        sport=words.integer("sport", 1, U16),
        dport=words.integer("dport", 1, U16),
        iif=(yield from dev_index(words, "iif")),
        oif=(yield from dev_index(words, "oif")),
    )
    return found


# Arguments that only one address family has. The kernel ignores them for the other family.
ONLY_IPV4 = ("realms",)
ONLY_IPV6 = ("from_", "pref", "expires")


def _write(op: Op[..., None, Route], words: Words) -> Steps[None]:
    fields, family, kind = yield from _fields(words)
    kind = RTN.RTN_UNICAST if kind is None else kind
    if kind in FORWARDING_TYPES and not any(map(words.has, ("via", "dev", "nexthops", "nhid"))):
        words.refuse(
            "needs via, dev, nexthops or nhid, because a route of this type sends packets to a "
            'link; type="blackhole" makes a route that drops them'
        )
    proto = words.number("proto", RTPROT, U8)
    scope = words.number("scope", RT_SCOPE, U8)
    if scope is None:
        is_far = any(words.has(name) for name in ("via", "nexthops", "nhid"))
        usual = RT_SCOPE.RT_SCOPE_UNIVERSE if is_far else RT_SCOPE.RT_SCOPE_LINK
        scope = _scope(family, kind, usual=usual)
    yield op(
        protocol=RTPROT.RTPROT_BOOT if proto is None else proto,
        scope=scope,
        type=kind,
        flow=words.realms(),
        pref=words.number("pref", ICMPV6_ROUTER_PREF, U8),
        expires=words.integer("expires"),
        **fields,
    )


def _fields(words: Words) -> Steps[tuple[dict[str, Any], AF, int | None]]:
    """Return the fields that all plans send, the address family and the type of the route."""
    dst = words.prefix("dst")
    if dst is None:
        raise words.expected("dst", 'an address, a network or "default"')
    source = words.prefix("from_") if "from_" in words.given else None
    prefsrc = words.address("src")
    hops = [*words.rows("nexthops", Hop.__annotations__)] if words.has("nexthops") else []
    addresses = (
        ("dst", dst.address),
        ("src", prefsrc),
        ("from_", None if source is None else source.address),
    )
    family = words.family()
    if family is None:
        family = _family((given for _, given in addresses), (words, *hops))
    for name, given in addresses:
        if given is not None and family_of(given) != family:
            raise words.wrong(name, f"{given} does not belong to the route's family {family}")
    for place in (words, *hops):
        for name in ONLY_IPV6 if family == AF.AF_INET else ONLY_IPV4:
            if place.has(name):
                other = "IPv4" if family == AF.AF_INET else "IPv6"
                raise place.wrong(name, f"{other} routes do not have it; leave it out")
    kind = words.number("type", RTN, U8)
    table = words.number("table", RT_TABLE)
    if table is None:
        table = RT_TABLE.RT_TABLE_LOCAL if kind in LOCAL_TYPES else RT_TABLE.RT_TABLE_MAIN
    metrics: Any = words.message("metrics", Metrics) or None
    if (mtu := words.integer("mtu")) is not None:
        metrics = Metrics(mtu=mtu) if metrics is None else _metrics(metrics).replace(mtu=mtu)
    fields: dict[str, Any] = {
        "family": family,
        "dst": dst.address,
        "dst_len": dst.length,
        "src": source and source.address,
        "src_len": source.length if source else 0,
        "tos": words.integer("tos", high=U8) or 0,
        "table": table,
        "rtm_table": table if table <= U8 else RT_TABLE.RT_TABLE_COMPAT,
        "nh_id": words.integer("nhid", 1),
        "prefsrc": prefsrc,
        "priority": words.integer("metric"),
        "metrics": metrics,
    }
    multipath = []
    for hop in hops:
        if not hop.has("via") and not hop.has("dev"):
            raise EncodeError("a next hop needs via or dev, got neither", path=hop.place)
        weight = hop.integer("weight", 1, 256)
        multipath.append({
            "hops": 0 if weight is None else weight - 1,
            "flow": hop.realms(),
            **(yield from _hop(hop, family, "ifindex")),
        })  # fmt: skip
    if multipath:
        fields["multipath"] = multipath
    return fields | (yield from _hop(words, family, "oif")), family, kind


def _metrics(metrics: Metrics | dict[str, Any]) -> Metrics:
    return metrics if isinstance(metrics, Metrics) else Metrics(**metrics)


def _family(given: Iterable[IPAddress | None], hops: Iterable[Words]) -> AF:
    """Return the family of the first address that is given, as `ip route` does."""
    for one in given:
        if one is not None:
            return family_of(one)
    for hop in hops:
        via = hop.address("via")
        if via is not None:
            return family_of(via)
    return AF.AF_INET


def _hop(words: Words, family: AF, device: str) -> Steps[dict[str, Any]]:
    """Return the fields of a route, or of one of its next hops, that describe the next hop."""
    fields = encapsulation(words) if "encap" in words.given else {}
    if words.given.get("onlink") is not None and words.switch("onlink"):
        fields["flags"] = RTNH_F.RTNH_F_ONLINK
    via = words.address("via")
    if via is not None:
        if family == AF.AF_INET and isinstance(via, IPv6Address):
            via = via.ipv4_mapped or via
        if family_of(via) == family:
            fields["gateway"] = via
        else:
            fields["via"] = rtvia(family=family_of(via), addr=via)
    fields[device] = yield from dev_index(words)
    return fields


# Types of routes that need a link (fib_create_info in net/ipv4/fib_semantics.c, and
# ip6_route_info_create in net/ipv6/route.c). Without one, the kernel's error is a bare ENODEV.
FORWARDING_TYPES = (
    RTN.RTN_UNICAST, RTN.RTN_LOCAL, RTN.RTN_BROADCAST, RTN.RTN_ANYCAST, RTN.RTN_MULTICAST
)  # fmt: skip

# Types of routes that are stored in the table "local" by default, as in `ip route`.
LOCAL_TYPES = (RTN.RTN_LOCAL, RTN.RTN_BROADCAST, RTN.RTN_ANYCAST, RTN.RTN_NAT)


def _scope(family: AF, kind: int | None, *, usual: RT_SCOPE) -> RT_SCOPE:
    """Return the default scope of a route, as in `ip route`."""
    if family != AF.AF_INET:
        return RT_SCOPE.RT_SCOPE_UNIVERSE  # the kernel ignores it
    match kind:
        case RTN.RTN_LOCAL | RTN.RTN_NAT:
            return RT_SCOPE.RT_SCOPE_HOST
        case RTN.RTN_BROADCAST | RTN.RTN_MULTICAST | RTN.RTN_ANYCAST:
            return RT_SCOPE.RT_SCOPE_LINK
        case None | RTN.RTN_UNICAST | RTN.RTN_UNSPEC:
            return usual
        case _:
            return RT_SCOPE.RT_SCOPE_UNIVERSE
