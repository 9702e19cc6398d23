"""The objects that `netlink dump` can print: a row for each noun, with request, filters and help.

Nouns are names of modules: link, addr, route, ... An op that can dump but has no row is a noun too.
Its filters are the fields of its request, and its columns are the fields of the replies. This file
must not open a socket, and it imports a module only when its noun is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from netlink import Message, Op
from netlink.constants import AF
from netlink.registry import FAMILIES, Entry, load, near

__all__ = ["NOUNS", "Filter", "Noun", "all_nouns", "is_integer", "noun"]

Match = Callable[[Any, Any], bool]
Fields = Mapping[str, Any]

BRIDGE = {"family": int(AF.AF_BRIDGE)}
SKIP_STATS = 0x08  # RTEXT_FILTER_SKIP_STATS of linux/rtnetlink.h
TCM_IFINDEX_MAGIC_BLOCK = -1
GROUPS = ("eth-phy", "eth-mac", "eth-ctrl", "rmon")  # of counters of ethtool
STATS = {"nomask": True, "bits": {"bit": [{"name": name} for name in GROUPS]}}
DEPTH = 3  # levels of nested messages whose fields are filters


@dataclass(frozen=True)
class Filter:
    """An option of a noun, `--name VALUE`, which selects some of its objects.

    `sent` is the field of the request that tells the kernel what to select, or empty. `seen` is the
    field of the reply to compare with the value, because older kernels ignore filters. `match` is
    a function that compares instead. A dot separates the names of nested fields. `value` is the
    kind of text: "field" (a value of the declared field), "link" (name or index), "flag" (the
    option has no text), "prefix" or "handle". `every` is a text that selects all objects.
    """

    name: str
    help: str
    sent: str = ""
    seen: str = ""
    match: Match | None = None
    value: str = "field"
    required: bool = False
    every: str = ""
    send: Callable[[Any], Fields] | None = None

    def accepts(self, message: Message, wanted: Any) -> bool:
        """Return whether a message matches the value that the user gave."""
        if self.match is not None:
            return self.match(message, wanted)
        if not self.seen:
            return True
        found: Any = message
        for name in self.seen.split("."):
            found = getattr(found, name, None)
        return bool(found == wanted)

    def fields(self, wanted: Any) -> Fields:
        """Return the request fields that make the kernel select."""
        if self.send is not None:
            return self.send(wanted)
        if not self.sent:
            return {}
        *above, last = self.sent.split(".")
        fields: dict[str, Any] = {last: wanted}
        for name in reversed(above):
            fields = {name: fields}
        return fields


@dataclass(frozen=True)
class Noun:
    """A kind of object that can be dumped, by the op `op` that `module` adds to its family.

    A family that has all its ops when it is loaded needs no `module`.

    `request` contains fields of every request, `plain` those for a table without statistics, and
    `counted` those for statistics. If the kernel can dump only by link or by qdisc, `each` is
    "link" or "qdisc", and the command sends several requests unless a filter selects one. With
    "family" it sends one request for IPv4 and one for IPv6. Without `has_family`, the objects have
    no address family.
    """

    name: str
    help: str
    module: str
    op: str
    family: str = "route"
    request: Fields = field(default_factory=dict)
    plain: Fields = field(default_factory=dict)
    counted: Fields = field(default_factory=dict)
    filters: tuple[Filter, ...] = ()
    each: str = ""
    has_family: bool = True
    has_statistics: bool = False

    def load(self) -> Op[..., Any, Message]:
        """Import the module and return the op."""
        if self.module:
            import_module(self.module)
        op: Op[..., Any, Message] = load(self.family).ops[self.op]
        return op


# --- what filters compare -------------------------------------------------------------------------


def _table(route: Any, wanted: Any) -> bool:
    found = route.table if route.table is not None else route.rtm_table
    return bool(found == wanted)


def _rule_table(rule: Any, wanted: Any) -> bool:
    found = rule.table if rule.table is not None else rule.frh_table
    return bool(found == wanted)


def _route_dev(route: Any, index: int) -> bool:
    # The kernel may send a route of a next hop object without the links of that object
    # (net.ipv4.nexthop_compat_mode). In that case, rely on its filter.
    hops = route.multipath
    if hops:
        return any(hop.ifindex == index for hop in hops)
    return index == route.oif or (route.oif is None and route.nh_id is not None)


def _via(route: Any, address: Any) -> bool:
    return any(
        address == (hop.gateway or (hop.via and hop.via.addr))
        for hop in (route.multipath or (route,))
    )


def _prefix(route: Any, prefix: tuple[Any, int]) -> bool:
    return (route.dst, route.dst_len) == prefix


def _has_bits(name: str) -> Match:
    return lambda message, bits: bool(getattr(message, name) & bits)


def _is_up(link: Any, _: Any) -> bool:
    return bool(link.flags & 1)  # IFF_UP


def _is_proxy(neigh: Any, _: Any) -> bool:
    return bool(neigh.flags & 0x08)  # NTF_PROXY


def _has_kind(table: Any, kind: Any) -> bool:
    return all(action.kind == kind for action in table.tab)


def _actions_of(kind: Any) -> Fields:
    return {"tab": [{"kind": kind}], "flags": (1, 1)}  # TCA_ACT_FLAG_LARGE_DUMP_ON


def _has_all_bits(name: str) -> Match:
    return lambda message, bits: ((getattr(message, name) or 0) & bits) == bits


def _flow(name: str) -> Match:
    """Compare a part of the original direction of a connection."""
    return lambda entry, wanted: getattr(entry.tuple_orig, name, None) == wanted


def _in_states(socket: Any, states: Any) -> bool:
    # The kernel shows TCP_NEW_SYN_RECV as SYN_RECV, and bound sockets (bit 13) as CLOSE.
    state = int(socket.state)
    shown = 1 << state | {3: 1 << 12, 7: 1 << 13}.get(state, 0)
    return bool(shown & states)


def _block(number: Any) -> Fields:
    return {"ifindex": TCM_IFINDEX_MAGIC_BLOCK, "parent": number}


# --- the nouns ------------------------------------------------------------------------------------

_PROTO = "that this protocol made, such as kernel, static or 186"
_HOOKS = (
    Filter("dev", "on this link (default: all links)", sent="ifindex", seen="ifindex",
           value="link"),
    Filter(
        "parent", "of this qdisc, class or hook: 1:, 1:10, root, ingress, egress (default: all "
        "qdiscs)", sent="parent", seen="parent", value="handle",
    ),
    Filter("block", "of this shared block", send=_block, seen="parent", value="number"),
    Filter("chain", "of the chain with this number", sent="chain", seen="chain"),
)  # fmt: skip

NOUNS = (
    Noun(
        "link", "network interfaces", "netlink.route.link", "link.get",
        plain={"ext_mask": SKIP_STATS}, has_statistics=True,
        filters=(
            Filter("dev", "the link of this name or index", seen="index", value="link"),
            Filter("master", "in this bridge, bond or VRF", sent="master", seen="master",
                   value="link"),
            Filter("kind", "of this kind, such as veth", sent="linkinfo.kind",
                   seen="linkinfo.kind"),
            Filter("up", "that are up", match=_is_up, value="flag"),
            Filter("group", "of the group with this number", seen="group"),
        ),
    ),
    Noun(
        "addr", "IP addresses", "netlink.route.addr", "addr.get",
        filters=(
            Filter("dev", "of this link", sent="index", seen="index", value="link"),
            Filter("scope", "of this scope, such as global or link", seen="scope"),
        ),
    ),
    Noun(
        "route", "routes, of all tables", "netlink.route.route", "route.get", has_statistics=True,
        filters=(
            Filter("table", "of this table, such as main or 100 (default: all)", sent="table",
                   match=_table, every="all"),
            Filter("dev", "through this link", sent="oif", match=_route_dev, value="link"),
            Filter("proto", _PROTO, sent="protocol", seen="protocol"),
            Filter("type", "of this type, such as unicast or blackhole", sent="type", seen="type"),
            Filter("scope", "of this scope, such as link", seen="scope"),
            Filter("dst", "to this prefix exactly, or default", match=_prefix, value="prefix"),
            Filter("via", "through this gateway", match=_via, value="address"),
            Filter("metric", "of this metric", seen="priority"),
        ),
    ),
    Noun(
        "neigh", "neighbours: addresses of the link layer", "netlink.route.neigh", "neigh.get",
        has_statistics=True,
        filters=(
            Filter("dev", "on this link", sent="ifindex", seen="ndm_ifindex", value="link"),
            Filter("master", "on the links of this bridge, bond or VRF", sent="master",
                   value="link"),
            Filter("state", "in one of these states, such as reachable,stale",
                   seen="state", match=_has_bits("state")),
            Filter("proxy", "for which this host answers", match=_is_proxy, value="flag",
                   send=lambda _: {"flags": 0x08}),
        ),
    ),
    Noun(
        "rule", "rules that choose a routing table", "netlink.route.rule", "rule.get",
        filters=(
            Filter("table", "that lead to this table", seen="table", match=_rule_table),
            Filter("priority", "of this priority", seen="priority"),
            Filter("iif", "for packets from this link, by name", seen="iifname"),
            Filter("oif", "for packets to this link, by name", seen="oifname"),
            Filter("fwmark", "for this mark", seen="fwmark"),
        ),
    ),
    Noun(
        "nexthop", "next hop objects and their groups", "netlink.route.nexthop", "nexthop.get",
        counted={"op_flags": 1},  # NHA_OP_FLAG_DUMP_STATS
        has_statistics=True,
        filters=(
            Filter("dev", "through this link", sent="oif", seen="oif", value="link"),
            Filter("master", "through the links of this bridge, bond or VRF", sent="master",
                   value="link"),
            Filter("groups", "groups only", sent="groups", match=lambda hop, _: bool(hop.group),
                   value="flag"),
            Filter("fdb", "those for forwarding entries only", sent="fdb", seen="fdb",
                   value="flag"),
        ),
    ),
    Noun(
        "qdisc", "queueing disciplines", "netlink.route.tc.qdisc", "tc.qdisc.get",
        has_family=False, has_statistics=True,
        filters=(
            Filter("dev", "of this link", seen="ifindex", value="link"),
            Filter("kind", "of this kind, such as htb", seen="kind"),
            Filter("invisible", "also those that a qdisc made for its classes",
                   sent="dump_invisible", value="flag"),
        ),
    ),
    Noun(
        "class", "classes of queueing disciplines", "netlink.route.tc.tclass", "tc.class.get",
        each="link", has_family=False, has_statistics=True,
        filters=(
            Filter("dev", "on this link (default: all links)", sent="ifindex", seen="ifindex",
                   value="link"),
            Filter("parent", "below this qdisc or class, such as 1: or 1:10", sent="parent",
                   seen="parent", value="handle"),
            Filter("kind", "of this kind, such as htb", seen="kind"),
        ),
    ),
    Noun(
        "filter", "filters, which sort packets", "netlink.route.tc.filter", "tc.filter.get",
        each="qdisc", has_family=False,
        filters=(
            *_HOOKS,
            Filter("kind", "of this kind, such as flower", seen="kind"),
            Filter("prio", "of this priority", seen="prio", value="number"),
        ),
    ),
    Noun(
        "chain", "chains of filters", "netlink.route.tc.chain", "tc.chain.get", each="qdisc",
        has_family=False, filters=_HOOKS,
    ),
    Noun(
        "action", "actions, by their kind", "netlink.route.tc.action", "tc.action.get",
        has_family=False,
        filters=(
            Filter("kind", "of this kind, such as gact or mirred", send=_actions_of,
                   match=_has_kind, value="text", required=True),
        ),
    ),
    Noun(
        "vlan", "VLANs of bridges and their ports", "netlink.route.vlandb", "vlandb.get",
        counted={"flags": 1},  # BRIDGE_VLANDB_DUMPF_STATS
        has_family=False, has_statistics=True,
        filters=(
            Filter("dev", "of this bridge or port", sent="ifindex", seen="ifindex", value="link"),
        ),
    ),
    Noun(
        "mdb", "multicast groups of bridges and VXLANs", "netlink.route.mdb", "mdb.get",
        has_family=False, has_statistics=True,
        filters=(Filter("dev", "of this bridge or VXLAN", seen="ifindex", value="link"),),
    ),
    Noun(
        "fdb", "forwarding entries of bridges and VXLANs", "netlink.route.neigh", "neigh.get",
        request=BRIDGE, has_family=False, has_statistics=True,
        filters=(
            Filter("dev", "on this link", sent="ifindex", seen="ndm_ifindex", value="link"),
            Filter("master", "of this bridge", sent="master", seen="master", value="link"),
            Filter("vlan", "in this VLAN", seen="vlan"),
            Filter("lladdr", "for this address", seen="lladdr"),
            Filter("state", "in one of these states, such as permanent", seen="state",
                   match=_has_bits("state")),
        ),
    ),
    Noun(
        "netconf", "forwarding settings of links", "netlink.route.netconf", "netconf.get",
        filters=(
            Filter("dev", "of this link, or all or default", seen="ifindex", value="settings"),
        ),
    ),
    Noun("nsid", "numbers of other network namespaces", "netlink.route.nsid", "nsid.get",
         has_family=False),
    *(
        Noun(
            name, f"{title} sockets", "", f"{name}.get", family="diag", each="family",
            counted={"ext": 0xFF} if name == "tcp" else {}, has_statistics=name == "tcp",
            filters=(
                Filter("state", "in one of these states, such as established,listen",
                       sent="states", match=_in_states),
                Filter("src", "with this local address", seen="src", value="address"),
                Filter("dst", "with this peer", seen="dst", value="address"),
                Filter("sport", "with this local port", sent="sport", seen="sport"),
                Filter("dport", "with this port of the peer", sent="dport", seen="dport"),
                Filter("dev", "bound to this link", seen="ifindex", value="link"),
            ),
        )
        for name, title in (("tcp", "TCP"), ("udp", "UDP"), ("raw", "raw"), ("mptcp", "MPTCP"))
    ),
    Noun(
        "unix", "Unix sockets", "", "unix.get", family="diag", has_family=False,
        filters=(
            Filter("state", "in one of these states, such as established,listen", sent="states",
                   match=_in_states),
            Filter("type", "of this type, such as stream or dgram", seen="type"),
        ),
    ),
    Noun("packet", "packet sockets", "", "packet.get", family="diag",
         has_family=False,
         filters=(Filter("type", "of this type: raw or dgram", seen="type"),)),
    Noun("netlink", "netlink sockets", "", "netlink.get", family="diag",
         has_family=False,
         filters=(
            Filter("protocol", "of this protocol, such as route or 4", sent="sdiag_protocol",
                   seen="protocol"),
         )),
    Noun("vsock", "sockets of virtual machines", "", "vsock.get", family="diag",
         has_family=False,
         filters=(
            Filter("state", "in one of these states, such as established,listen", sent="states",
                   match=_in_states),
         )),
    Noun("xdp", "XDP sockets", "", "xdp.get", family="diag", has_family=False),
    Noun("smc", "SMC sockets", "", "smc.get", family="diag", has_family=False),
    Noun(
        "conntrack", "tracked connections", "", "conntrack.get",
        family="conntrack", has_statistics=True,
        filters=(
            Filter("proto", "of this IP protocol, such as 6 for TCP",
                   match=_flow("protonum"), value="number"),
            Filter("src", "from this address", match=_flow("src"), value="address"),
            Filter("dst", "to this address", match=_flow("dst"), value="address"),
            Filter("sport", "from this port", match=_flow("sport"), value="number"),
            Filter("dport", "to this port", match=_flow("dport"), value="number"),
            Filter("mark", "of this mark", sent="mark", seen="mark"),
            Filter("zone", "of this zone", sent="zone",
                   match=lambda entry, zone: zone in entry.zones),
            Filter("status", "with this status, such as assured,seen_reply", sent="status",
                   match=_has_all_bits("status")),
        ),
    ),
    Noun("expect", "expected connections", "", "expect.get",
         family="conntrack"),
    Noun(
        "wireguard", "peers of a WireGuard interface", "", "wireguard.get_device",
        family="wireguard", has_family=False,
        filters=(Filter("dev", "of this interface", sent="ifindex", value="link", required=True),),
    ),
    *(
        Noun(
            f"ethtool.{name}", title, "", f"ethtool.{op}", family="ethtool", has_family=False,
            request=request,
            # The kernel ignores the device in the header of most dumps.
            filters=(Filter("dev", "of this device", seen="header.dev_index", value="link"),),
        )
        for name, op, title, request in (
            ("linkinfo", "linkinfo_get", "connectors", {}),
            ("linkmodes", "linkmodes_get", "speeds and link modes", {}),
            ("linkstate", "linkstate_get", "carriers", {}),
            ("debug", "debug_get", "messages that drivers log", {}),
            ("wol", "wol_get", "what wakes the machine", {}),
            ("features", "features_get", "features of devices", {}),
            ("privflags", "privflags_get", "private flags of drivers", {}),
            ("rings", "rings_get", "sizes of rings", {}),
            ("channels", "channels_get", "numbers of queues", {}),
            ("coalesce", "coalesce_get", "when devices interrupt", {}),
            ("pause", "pause_get", "flow control", {}),
            ("eee", "eee_get", "energy-efficient Ethernet", {}),
            ("tsinfo", "tsinfo_get", "what devices can stamp", {}),
            ("tsconfig", "tsconfig_get", "what devices stamp", {}),
            ("tunnel_info", "tunnel_info_get", "tunnels that devices offload", {}),
            ("fec", "fec_get", "forward error correction", {}),
            ("stats", "stats_get", "standard counters", {"groups": STATS}),
            ("phc_vclocks", "phc_vclocks_get", "virtual clocks", {}),
            ("module", "module_get", "power of modules", {}),
            ("pse", "pse_get", "power over the cable", {}),
            ("rss", "rss_get", "how received packets are spread", {}),
            ("plca_cfg", "plca_get_cfg", "settings of collision avoidance", {}),
            ("plca_status", "plca_get_status", "states of collision avoidance", {}),
            ("mm", "mm_get", "frame preemption", {}),
            ("phy", "phy_get", "PHYs", {}),
        )
    ),
    *(
        Noun(
            f"nl80211.{word}", title, "", f"nl80211.get_{word}", family="nl80211",
            has_family=False,
            filters=(
                Filter("dev", "of this interface", sent="ifindex", value="link", required=True),
            ),
        )
        for word, title in (
            ("station", "stations of a wireless interface"),
            ("scan", "networks that a wireless interface has found"),
            ("survey", "how busy channels are"),
            ("mpath", "paths of a mesh"),
            ("mpp", "proxied paths of a mesh"),
        )
    ),
    # These have no special columns, but the kernel requires certain fields in the request.
    Noun("stats", "counters of links", "netlink.route.stats", "stats.get",
         request={"filter_mask": 0x1F}, has_family=False,  # all of IFLA_STATS
         filters=(
            Filter("dev", "of this link", seen="ifindex", value="link"),
            Filter("filter-mask", "which counters, such as link_64", sent="filter_mask"),
         )),
    Noun("tunnel", "VNIs of VXLANs with a filter", "netlink.route.tunnel", "tunnel.get",
         counted={"flags": 1}, has_family=False,  # TUNNEL_MSG_FLAG_STATS
         filters=(Filter("dev", "of this VXLAN", sent="ifindex", seen="ifindex", value="link"),)),
)  # fmt: skip


def noun(name: str) -> Noun:
    """Return a noun by name. Raises LookupError with the nearest name if there is none."""
    for row in NOUNS:
        if row.name == name:
            return row
    known = all_nouns()  # in one family only, if that suffices
    if name not in known:
        raise LookupError(f"there is no object '{name}' to dump{near(name, known)}")
    return known[name]


def all_nouns() -> dict[str, Noun]:
    """Return every noun by name. Imports all families."""
    rows = [*NOUNS]
    for entry in FAMILIES:
        rows += _generated(entry)
    return {row.name: row for row in rows}


def _generated(entry: Entry) -> Iterator[Noun]:
    """Yield a noun for each op of a family that can dump and has no row above.

    The noun of an op `get` is the part of its name before "get": a module or the family. Others
    are `family.op`, without "get".
    """
    family = entry.load()
    _ = family.classes  # imports the modules of the family, which add ops
    taken = {row.op for row in NOUNS}
    for op in family.ops.values():
        if not op.dumps or op.name in taken:
            continue
        *above, verb = op.name.split(".")
        about = above[-1] if above else entry.name
        rest = verb.removeprefix("get").removesuffix("get").strip("_")
        names = op.request.__table__.names
        yield Noun(
            name=f"{about}.{rest}" if rest else about,
            help=_help(op),
            module=entry.module,
            op=op.name,
            family=entry.name,
            filters=tuple(_filters(op.request, "", (op.request,))),
            has_family="family" in names and names["family"].enum is AF,
        )


def _help(op: Op[..., Any, Message]) -> str:
    """Return what an op lists: the first words in the docstring of its message class."""
    words = re.split("[:.]", op.dump.__doc__ or "", maxsplit=1)[0]
    start = words[:1] if words[1:2].isupper() else words[:1].lower()  # not of a constant
    return f"{start}{words[1:]}, by {op.name}"


# Kinds of fields whose values fit into one word.
PLAIN = {"string", "address", "mac", "lladdr", "flag", "byte_flag", "binary", "labels"}


def _filters(cls: Any, path: str, above: tuple[Any, ...]) -> Iterator[Filter]:
    """Yield a filter for each request field whose value is one word."""
    for name, declared in cls.__table__.names.items():
        kind = declared.kind_name
        if name.startswith("_") or (not path and name == "family"):
            continue
        if kind == "nest" and declared.message not in above and len(above) < DEPTH:
            inside = declared.message
            yield from _filters(inside, f"{path}{name}.", (*above, inside))
        elif kind in PLAIN or is_integer(kind):
            value = "flag" if kind in ("flag", "byte_flag") else "field"
            if name.endswith("ifindex"):
                value = "link"
            option = f"{path}{name}".replace("_", "-")
            text = "" if declared.enum is None else f", {declared.enum.__name__}"
            yield Filter(option, f"{kind}{text}", sent=f"{path}{name}", value=value)


def is_integer(kind: str) -> bool:
    """Whether a kind of field holds an integer: u8, be16, sint, ..."""
    return kind in ("uint", "sint") or kind.lstrip("sbeu").isdecimal()
