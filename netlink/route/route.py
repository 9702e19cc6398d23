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

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Any, TypedDict

from netlink.constants import AF, NLM_F, KernelEnum
from netlink.errors import EncodeError
from netlink.family import Op, Steps, plan
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
from netlink.route.words import PROTOCOLS, U8, U16, Words, family_of
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

    family: Named[AF | int] = u16(enum=AF)
    addr: IPAddress | bytes = address(by_family=True)


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
    features: Named[RTAX_FEATURE | None] = u32(12, enum=RTAX_FEATURE)
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
    flags: Named[RTNH_F] = u8(enum=RTNH_F)
    hops: int = u8()
    ifindex: int = s32()


class NextHop(rtnexthop):
    """One next hop of RTA_MULTIPATH: struct rtnexthop and RTA_* attributes.

    An AF_MPLS hop has no `gateway`: it goes `via`, and `newdst` holds its labels.
    """

    gateway: Addr = address(5, by_family=True, mapped=True)
    flow: int | None = u32(11)
    via: Nested[rtvia] = struct(18, rtvia)
    newdst: tuple[int, ...] | None = labels(19)
    encap_type: Named[LWTUNNEL_ENCAP | int | None] = u16(21, enum=LWTUNNEL_ENCAP)
    encap: Nested[Encap] = selected(22, "encap_type", ENCAPS)


class rtmsg(Message, bare=rtgenmsg):
    """struct rtmsg (linux/rtnetlink.h). Prefix lengths in bits."""

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

    A default route has no `dst`; that of an AF_MPLS route is a label, as a tuple of one, with a
    `dst_len` of 20. The kernel always sends `table`, the whole number of which `rtm_table` holds
    what fits.
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
    protoinfo: bytes | None = binary(10)  # no longer used by the kernel, like session and mp_algo
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
    """Where packets go next: one of the `nexthops` of a route. Other keys are refused."""

    via: IPAddress | str  # may be of the other family
    dev: Dev
    weight: int  # among several, 1 to 256
    onlink: bool  # the kernel does not check that `via` is reachable
    encap: Encap | dict[str, Any]
    encap_type: LWTUNNEL_ENCAP | int | str  # may be left out if `encap` is a message
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
    """Make a route to a network, an address or "default".

    The route goes through `via` or `dev` or both, through several `nexthops`, or through the next
    hop object `nhid`; with `type` "blackhole", "unreachable", "prohibit" or "throw" it goes
    nowhere. `via` may be of the other family. With `onlink` the kernel does not check that `via` is
    reachable. `encap` is a message, or a dict of its fields beside `encap_type`.

    `family` is needed only for a default route without addresses; it is AF_INET unless given.
    `src` is the address to send from, and `from_` (IPv6) the senders that the route is for.
    `table` is "main" unless given, or "local" for the types local, broadcast, anycast and nat.
    `scope` follows from the type and the way, as in `ip route`. `realms` (IPv4) is the realm of the
    destination, or a pair of that of the source and it. `mtu` is one of `metrics`. `pref` and
    `expires` (seconds) are for IPv6. Numbers with names may be words: `proto="static"`.

    Raises KernelError (EEXIST; ENODEV if a link does not exist; ENETUNREACH or EHOSTUNREACH if
    `via` cannot be reached).
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
    """As add(), but replace a route of the same destination, tos and metric."""
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
    """As put(), but raises KernelError (ENOENT) if there is no such route."""
    return (yield from _write(set, Words("route.change", locals())))


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
    """Remove the first route that has what is given.

    The arguments are those of add() that the kernel compares; of an IPv6 route it ignores the type
    and the scope, and `src`, `mtu` and `metrics` are refused for that reason. `table` is chosen as
    in add(). Raises KernelError (ESRCH).
    """
    words = Words("route.remove", locals())
    fields, family, kind = yield from _fields(words)
    if family == AF.AF_INET6:
        for name in ("src", "mtu", "metrics"):
            if words.has(name):
                raise words.wrong(name, "the kernel does not compare it for an IPv6 route")
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
    """Return the way that a packet would go, as a Route.

    With `iif` the packet has arrived there; otherwise this host sends it. `fibmatch` returns the
    entry of the routing table instead, with all its next hops. Raises KernelError (ENETUNREACH,
    EHOSTUNREACH, or the error that a route of type prohibit or throw stands for).
    """
    words = Words("route.lookup", locals())
    to = words.address("dst")
    if to is None:
        raise words.expected("dst", "an IP address")
    source = words.address("src")
    if source is not None and source.version != to.version:
        raise words.wrong("src", f"{source} is not of the family of {to}")
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


# Arguments of a route that one family alone has. The kernel ignores them for the other.
ONLY_IPV4 = ("realms",)
ONLY_IPV6 = ("from_", "pref", "expires")


def _write(op: Op[..., None, Route], words: Words) -> Steps[None]:
    fields, family, kind = yield from _fields(words)
    kind = RTN.RTN_UNICAST if kind is None else kind
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
    """The fields of a route that all plans have, its family and its type."""
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
            raise words.wrong(name, f"{given} is not of the family of the route")
    for place in (words, *hops):
        for name in ONLY_IPV6 if family == AF.AF_INET else ONLY_IPV4:
            if place.has(name):
                other = "IPv4" if family == AF.AF_INET else "IPv6"
                raise place.wrong(name, f"{other} routes do not have it")
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
            raise EncodeError("a hop needs via or dev", path=hop.place)
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
    """The family of a route: that of the first address which is given, as in `ip route`."""
    for one in given:
        if one is not None:
            return family_of(one)
    for hop in hops:
        via = hop.address("via")
        if via is not None:
            return family_of(via)
    return AF.AF_INET


def _hop(words: Words, family: AF, device: str) -> Steps[dict[str, Any]]:
    """The fields that say where a route or one of its next hops goes."""
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


# Types whose routes belong to the table "local", as in `ip route`.
LOCAL_TYPES = (RTN.RTN_LOCAL, RTN.RTN_BROADCAST, RTN.RTN_ANYCAST, RTN.RTN_NAT)


def _scope(family: AF, kind: int | None, *, usual: RT_SCOPE) -> RT_SCOPE:
    """The scope of a route for which none is given, as in `ip route`."""
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
