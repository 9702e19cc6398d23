"""Messages in a readable form: the rows of a table, and one line for each event.

This file removes the prefix of names (RTPROT_KERNEL becomes "kernel") and replaces link indexes by
names. It has row functions for the objects in objects.py; for other messages, the columns are the
fields of the class. It must not print. JSON output does not use it, because it omits some fields.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import Enum, IntFlag
from functools import cache
from itertools import chain
from typing import Any

from netlink import Connection, KernelError, Message, Overrun, RawMessage
from netlink.constants import AF
from netlink.registry import load
from netlink.route.rtnetlink import RTNH_F

__all__ = [
    "Event", "Names", "event_name", "has_columns", "is_bridge_port", "line", "rows_of",
    "schema_row", "statistics_of",
]  # fmt: skip

Event = Message | RawMessage | Overrun
Row = dict[str, str]

FOREVER = 0xFFFFFFFF  # an infinite lifetime: INFINITY_LIFE_TIME of net/addrconf.h
USER_HZ = 100  # ages are in hundredths of a second
NETNS_FOLDER = "/run/netns"  # where ip-netns(8) keeps named namespaces
DEPTH = 3  # maximum level of nested messages with columns
MAX_NAMES = 1 << 16  # names of links that are kept: a monitor may run for months


class Names(dict[int, str]):
    """Names of links by index. Request them from the kernel on first use; update them from events.

    `connect` opens a connection of the route family. It is called for the first name, so that
    messages without a link need no connection. At most MAX_NAMES names are kept; the oldest one is
    dropped first.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._nl: Connection | None = None
        self._namespaces: dict[int, str] | None = None

    @property
    def nl(self) -> Connection:
        """The connection for requests of names."""
        if self._nl is None:
            self._nl = self._connect()
        return self._nl

    def __missing__(self, index: int) -> str:
        from netlink.route import link

        try:
            found = self.nl.do(link.get(index=index))
        except KernelError:
            found = None
        if found is None or found.ifname is None:
            # The link was removed, or is in another namespace. The kernel may reuse its index.
            return f"if{index}"
        self[index] = found.ifname
        return found.ifname

    def __setitem__(self, index: int, name: str) -> None:
        super().__setitem__(index, name)
        if len(self) > MAX_NAMES:
            del self[next(iter(self))]

    def learn(self, event: Any) -> None:
        """Store the name in a link event. The name of a deleted link is kept for later events."""
        if is_link(event) and event.ifname:
            self[event.index] = event.ifname

    def namespace(self, nsid: int) -> str:
        """Return the name that ip-netns(8) gave to a namespace, or an empty text."""
        if self._namespaces is None:
            self._namespaces = dict(self._named_namespaces())
        return self._namespaces.get(nsid, "")

    def _named_namespaces(self) -> Iterator[tuple[int, str]]:
        from netlink.route import nsid

        try:
            names = sorted(os.listdir(NETNS_FOLDER))
        except OSError:
            return
        for name in names:
            try:
                with open(f"{NETNS_FOLDER}/{name}", "rb") as file:
                    found = self.nl.do(nsid.get(fd=file.fileno()))
            except (KernelError, OSError):
                continue  # removed in the meantime, or not a namespace
            if found is not None and found.nsid is not None and found.nsid >= 0:
                yield int(found.nsid), name


def is_bridge_port(event: Any) -> bool:
    """Whether an event is about a link in its role as a port of a bridge (br_ifinfo_notify)."""
    return is_link(event) and event.family == AF.AF_BRIDGE and event.master is not None


def is_link(event: Any) -> bool:
    """Whether an event is a message about a link."""
    return type(event).__name__ == "Link"


def event_name(message: Message | RawMessage) -> str:
    """Return the kernel's name of a message's type: RTM_NEWLINK."""
    if isinstance(message, Message):
        return message.nlmsg_name or str(message.nlmsg_type)
    types = load("route").types
    return types(message.type).name if message.type in set(types) else str(message.type)


def line(event: Event, names: Names) -> str:
    """Return an event as one line: its name, its object, then pairs of words and values.

    The group "link" also carries messages that are about a link in its role as a bridge port
    (AF_BRIDGE), and "ipv6-ifinfo" those about its IPv6 settings. They are marked, since such an
    RTM_DELLINK does not mean that the link was removed.
    """
    if isinstance(event, Overrun):
        return f"OVERRUN {event}"
    if isinstance(event, RawMessage):
        return f"{event_name(event)} {len(event.payload)} bytes, not decoded"
    shown = []
    for row in rows_of(event, names):
        (_, subject), *rest = row.items()
        words = [subject, *(f"{title} {cell}" for title, cell in rest if cell)]
        shown.append(" ".join(filter(None, words)))
    return " ".join(filter(None, [event_name(event), mark(event), "; ".join(shown)]))


def mark(event: Any) -> str:
    """Return a mark for a message about a part of a link, or an empty text."""
    if is_bridge_port(event):
        return "(bridge port)"
    is_part = is_link(event) and event.family != AF.AF_UNSPEC
    return f"({_word(event.family)} settings)" if is_part else ""


def rows_of(message: Message, names: Names) -> list[Row]:
    """Return the rows of a message as titles and texts. The first text identifies the object."""
    make = ROWS.get(_key(type(message)))
    return [schema_row(message, names)] if make is None else [*make(message, names)]


def has_columns(cls: type[Message]) -> bool:
    """Return whether there is a row function for a message class."""
    return _key(cls) in ROWS


def _key(cls: type[Message]) -> str:
    """Return the key of a message class in ROWS and STATISTICS."""
    is_route = cls.__module__.startswith("netlink.route")
    return cls.__name__ if is_route else f"{cls.__module__}.{cls.__name__}"


def statistics_of(message: Message) -> list[Row]:
    """Return more columns for each row of rows_of()."""
    return [*STATISTICS[_key(type(message))](message)]


# --- links, addresses, routes, neighbours ---------------------------------------------------------


def _link(link: Any, names: Names) -> Iterator[Row]:
    name = link.ifname or f"if{link.index}"
    if link.family == AF.AF_BRIDGE:
        yield _bridge_port(link, name, names)
        return
    if link.link:
        # The index of the lower link or peer belongs to the namespace of that link.
        name += f"@{names[link.link] if link.link_netnsid is None else f'if{link.link}'}"
    yield {
        "name": name,
        "index": str(link.index),
        "kind": (link.linkinfo and link.linkinfo.kind) or _word(link.type),
        "state": _word(link.operstate),
        "mtu": _word(link.mtu),
        "master": names[link.master] if link.master else "",
        "address": _word(link.address),
        "flags": _words(link.flags),
    }


def _bridge_port(link: Any, name: str, names: Names) -> Row:
    """Return the row of an AF_BRIDGE message, which is about a port or the bridge itself."""
    port = link.protinfo if isinstance(link.protinfo, Message) else None
    return {
        "name": name,
        "index": str(link.index),
        "master": names[link.master] if link.master else "",
        "state": _word(getattr(port, "state", None)),
        "cost": _word(getattr(port, "cost", None)),
        "priority": _word(getattr(port, "priority", None)),
        "flags": _words(link.flags),
    }


def _link_statistics(link: Any) -> Iterator[Row]:
    counted = link.stats64 or link.stats
    names = ("bytes", "packets", "errors", "dropped")
    yield {
        f"{way} {name}": _word(getattr(counted, f"{way}_{name}", None))
        for way in ("rx", "tx")
        for name in names
    }


def _address(addr: Any, names: Names) -> Iterator[Row]:
    own = addr.local or addr.address or addr.multicast or addr.anycast
    valid = addr.cacheinfo.valid if addr.cacheinfo else FOREVER
    yield {
        "address": f"{own}/{addr.prefixlen}",
        "dev": names[addr.index],
        "peer": str(addr.address) if addr.address not in (None, own) else "",
        "scope": _word(addr.scope),
        "valid": "" if valid == FOREVER else f"{valid}s",
        "flags": _words(addr.ifa_flags if addr.flags is None else addr.flags),
    }


def _route(route: Any, names: Names) -> Iterator[Row]:
    destination = _prefix(route.dst, route.dst_len)
    if route.src is not None:
        destination += f" from {_prefix(route.src, route.src_len)}"
    if (kind := _word(route.type)) != "unicast":
        destination = f"{kind} {destination}"
    hops = route.multipath or (route,)
    yield {
        "destination": destination,
        "via": f"nhid {route.nh_id}" if route.nh_id else _list(_gateway(hop) for hop in hops),
        "dev": _list(names[hop.ifindex] for hop in route.multipath)
        or (names[route.oif] if route.oif else ""),
        "src": _word(route.prefsrc),
        "table": _word(route.table or route.rtm_table),
        "proto": _word(route.protocol),
        "scope": _word(route.scope or None),
        "metric": _word(route.priority),
        # The bits above are about the message, or repeat the first eight (enum rtm_flags).
        "flags": _words(RTNH_F(route.flags & 0xFF)),
    }


def _route_statistics(route: Any) -> Iterator[Row]:
    cached = route.cacheinfo
    expires = _age(cached.expires) if cached and cached.expires else _word(route.expires)
    yield {
        "users": _word(cached and cached.clntref),
        "used": _word(cached and cached.used),
        "last used": _age(cached and cached.lastuse),
        "expires": expires,
    }


def _neighbour(neigh: Any, names: Names) -> Iterator[Row]:
    if neigh.family == AF.AF_BRIDGE:
        yield _forwarding_entry(neigh, names)
        return
    yield {
        "address": _word(neigh.dst),
        "dev": names[neigh.ndm_ifindex],
        "lladdr": _word(neigh.lladdr),
        "state": _words(neigh.state),
        "flags": _words(neigh.flags),
    }


def _forwarding_entry(entry: Any, names: Names) -> Row:
    return {
        "lladdr": _word(entry.lladdr),
        "dev": names[entry.ndm_ifindex],
        "vlan": _word(entry.vlan),
        "master": names[entry.master] if entry.master else "",
        "dst": f"nhid {entry.nh_id}" if entry.nh_id else _word(entry.dst),
        "via": names[entry.ifindex] if entry.ifindex else "",
        "vni": _word(entry.vni if entry.src_vni is None else entry.src_vni),
        "state": _words(entry.state),
        "flags": _words(entry.flags),
    }


def _neighbour_statistics(neigh: Any) -> Iterator[Row]:
    cached = neigh.cacheinfo
    yield {
        "used": _age(cached and cached.used),
        "confirmed": _age(cached and cached.confirmed),
        "updated": _age(cached and cached.updated),
        "probes": _word(neigh.probes),
    }


# --- rules, next hops, namespaces -----------------------------------------------------------------


def _rule(rule: Any, names: Names) -> Iterator[Row]:
    yield {
        "priority": _word(rule.priority or 0),
        "family": _word(rule.family),
        "from": "all" if rule.src is None else _prefix(rule.src, rule.src_len),
        "to": "all" if rule.dst is None else _prefix(rule.dst, rule.dst_len),
        "match": " ".join(_rule_matches(rule)),
        "action": _rule_action(rule),
        "proto": _word(rule.protocol),
    }


def _rule_matches(rule: Any) -> Iterator[str]:
    """Yield the conditions of a rule, except addresses."""
    if "invert" in _words(rule.flags):
        yield "not"
    if rule.iifname:
        yield f"iif {rule.iifname}"
    if rule.oifname:
        yield f"oif {rule.oifname}"
    if rule.fwmark or rule.fwmask:
        mask = "" if rule.fwmask in (None, 0xFFFFFFFF) else f"/{rule.fwmask:#x}"
        yield f"fwmark {rule.fwmark or 0:#x}{mask}"
    if rule.tos:
        yield f"tos {rule.tos:#04x}"
    for name in ("dscp", "flowlabel", "tun_id", "ip_proto"):
        if getattr(rule, name) is not None:
            yield f"{name} {getattr(rule, name)}"
    for name, span in (
        ("uid", rule.uid_range),
        ("sport", rule.sport_range),
        ("dport", rule.dport_range),
    ):
        if span is not None:
            yield f"{name} {span.start}" + (f"-{span.end}" if span.end != span.start else "")


def _rule_action(rule: Any) -> str:
    action = _word(rule.action)
    if action == "to_tbl":
        table = "of the l3mdev" if rule.l3mdev else _word(rule.table or rule.frh_table)
        action = f"table {table}"
    elif action == "goto":
        action = f"goto {rule.goto}"
    if rule.suppress_prefixlen not in (None, FOREVER):
        action += f" suppress_prefixlen {rule.suppress_prefixlen}"
    if rule.suppress_ifgroup not in (None, FOREVER):
        action += f" suppress_ifgroup {rule.suppress_ifgroup}"
    return action


def _next_hop(hop: Any, names: Names) -> Iterator[Row]:
    if hop.res_bucket is not None:
        yield {
            "id": _word(hop.id),
            "bucket": _word(hop.res_bucket.index),
            "member": _word(hop.res_bucket.nh_id),
            "idle": _age(hop.res_bucket.idle_time),
        }
        return
    kinds = [kind for kind in ("blackhole", "fdb") if getattr(hop, kind)]
    if hop.group:
        kinds.append(_word(hop.group_type).removeprefix("nexthop_grp_type_"))
    yield {
        "id": _word(hop.id),
        "via": _gateway(hop),
        "dev": names[hop.oif] if hop.oif else "",
        "group": _list(
            f"{member.id} weight {weight}" if (weight := _weight(member)) != 1 else str(member.id)
            for member in hop.group
        ),
        "kind": _list(kinds),
        "proto": _word(hop.protocol),
        "flags": _words(hop.flags),
    }


def _weight(member: Any) -> int:
    return 1 + int(member.weight | member.weight_high << 8)


def _next_hop_statistics(hop: Any) -> Iterator[Row]:
    entries = hop.group_stats.entry if hop.group_stats else ()
    yield {"packets": _list(f"{entry.id}: {entry.packets}" for entry in entries)}


def _namespace(namespace: Any, names: Names) -> Iterator[Row]:
    nsid = namespace.nsid if namespace.current_nsid is None else namespace.current_nsid
    yield {"nsid": _word(namespace.nsid), "name": names.namespace(int(nsid or 0))}


def _settings(conf: Any, names: Names) -> Iterator[Row]:
    is_link = isinstance(conf.ifindex, int) and conf.ifindex > 0
    words = ("forwarding", "rp_filter", "mc_forwarding", "proxy_neigh", "bc_forwarding", "input")
    yield {
        "dev": names[conf.ifindex] if is_link else _word(conf.ifindex),
        "family": _word(conf.family),
        **{word: _word(getattr(conf, word)) for word in words},
        "ignore_linkdown": _word(conf.ignore_routes_with_linkdown),
    }


# --- traffic control ------------------------------------------------------------------------------


def _qdisc(qdisc: Any, names: Names) -> Iterator[Row]:
    yield {
        "kind": _word(qdisc.kind),
        "handle": _handle(qdisc.handle),
        "dev": names[qdisc.ifindex],
        "parent": _handle(qdisc.parent),
        "refs": str(qdisc.info),
        "options": compact(qdisc.options),
    }


def _class(found: Any, names: Names) -> Iterator[Row]:
    yield {
        "class": _handle(found.handle),
        "kind": _word(found.kind),
        "dev": names[found.ifindex],
        "parent": _handle(found.parent),
        "leaf": _handle(found.info) if found.info else "",
        "options": compact(found.options),
    }


def _filter(found: Any, names: Names) -> Iterator[Row]:
    is_shared = found.ifindex == -1  # TCM_IFINDEX_MAGIC_BLOCK
    yield {
        "kind": _word(found.kind),
        "dev": f"block {int(found.parent)}" if is_shared else names[found.ifindex],
        "parent": "" if is_shared else _handle(found.parent),
        "protocol": _ethertype(found.protocol),
        "prio": str(found.prio),
        "chain": _word(found.chain),
        "handle": found.handle_text if found.handle else "",
        "options": compact(found.options),
    }


def _ethertype(number: int) -> str:
    from netlink.route.ether import ETH_P

    found = next((member for member in ETH_P if member == number), None)
    return hex(number) if found is None else _word(found)


def _chain(found: Any, names: Names) -> Iterator[Row]:
    is_shared = found.ifindex == -1  # TCM_IFINDEX_MAGIC_BLOCK
    yield {
        "chain": _word(found.chain),
        "dev": f"block {int(found.parent)}" if is_shared else names[found.ifindex],
        "parent": "" if is_shared else _handle(found.parent),
        "template": " ".join(filter(None, (_word(found.kind), compact(found.options)))),
    }


def _actions(table: Any, names: Names) -> Iterator[Row]:
    for action in table.tab:
        common = getattr(action.options, "parms", None)
        yield {
            "kind": _word(action.kind),
            "index": _word(getattr(common, "index", action.index)),
            "refs": _word(getattr(common, "refcnt", None)),
            "binds": _word(getattr(common, "bindcnt", None)),
            "options": compact(action.options),
        }


def _queue_statistics(found: Any) -> Iterator[Row]:
    new = found.stats2
    basic = (new and new.basic) or found.stats
    queue = (new and new.queue) or found.stats
    packets = new.pkt64 if new and new.pkt64 is not None else getattr(basic, "packets", None)
    yield {
        "bytes": _word(getattr(basic, "bytes", None)),
        "packets": _word(packets),
        **{
            name: _word(getattr(queue, name, None))
            for name in ("drops", "overlimits", "requeues", "qlen", "backlog")
        },
    }


def _handle(number: int) -> str:
    from netlink.route.tc.tcmsg import format_handle

    return format_handle(int(number)) if number else ""


# --- bridges --------------------------------------------------------------------------------------


def _vlans(found: Any, names: Names) -> Iterator[Row]:
    for entry in found.entry:
        first = entry.info.vid if entry.info else None
        yield {
            "dev": names[found.ifindex],
            "vlan": f"{first}-{entry.range}" if entry.range else _word(first),
            "flags": _words(entry.info.flags) if entry.info else "",
            "state": _word(entry.state),
            "tunnel": _word(entry.tunnel_info and entry.tunnel_info.id),
        }
    for options in found.global_options:
        yield {
            "dev": names[found.ifindex],
            "vlan": f"{options.id}-{options.range}" if options.range else _word(options.id),
            "flags": "global",
            "state": "",
            "tunnel": "",
        }


def _vlan_statistics(found: Any) -> Iterator[Row]:
    names = ("rx_bytes", "rx_packets", "tx_bytes", "tx_packets")
    for entry in (*found.entry, *found.global_options):
        counted = getattr(entry, "stats", None)
        yield {name.replace("_", " "): _word(getattr(counted, name, None)) for name in names}


def _groups(found: Any, names: Names) -> Iterator[Row]:
    for info in _group_entries(found):
        yield {
            "group": _word(info.addr),
            "dev": names[found.ifindex],
            "port": names[info.ifindex] if info.ifindex else "",
            "vlan": str(info.vid) if info.vid else "",
            "source": _word(info.source),
            "mode": _word(info.group_mode),
            "state": _word(info.state),
            "dst": _word(info.dst),
            "vni": _word(info.vni),
            "proto": _word(info.rtprot),
            "flags": _words(info.flags),
        }


def _group_statistics(found: Any) -> Iterator[Row]:
    for info in _group_entries(found):
        yield {"timer": _age(info.timer) if info.timer else ""}


def _group_entries(found: Any) -> Iterator[Any]:
    entries = found.mdb.entry if found.mdb else ()
    return chain.from_iterable(entry.info for entry in entries)


# --- other families -------------------------------------------------------------------------------


def _uevent(event: Any, names: Names) -> Iterator[Row]:
    rest = {k: v for k, v in event.properties.items() if k not in ("", "ACTION", "DEVPATH")}
    yield {"event": f"{event.action} {event.devpath}", **rest}


def _process(event: Any, names: Names) -> Iterator[Row]:
    data = event.event_data
    said = {} if data is None else data.to_json()
    kind = _word(event.what) if isinstance(event.what, Enum) else str(event.what)
    yield {"event": kind, **{name: str(value) for name, value in said.items()}}


def _inet_socket(found: Any, names: Names) -> Iterator[Row]:
    yield {
        "local": _endpoint(found.src, found.sport),
        "peer": _endpoint(found.dst, found.dport) if found.dport else "",
        "state": _word(found.state),
        "rqueue": _word(found.rqueue),
        "wqueue": _word(found.wqueue),
        "dev": names[found.ifindex] if found.ifindex else "",
        "uid": _word(found.uid),
        "inode": _word(found.inode),
        "timer": f"{_word(found.timer)} {found.expires} ms" if found.timer else "",
    }


def _endpoint(address: Any, port: int) -> str:
    """Return an address and a port as text, as ss(8) writes them: "[::1]:22"."""
    text = f"[{address}]" if getattr(address, "version", 4) == 6 else str(address)
    return f"{text}:{port or '*'}"


def _tcp_statistics(found: Any) -> Iterator[Row]:
    info, memory = found.info, found.skmeminfo
    yield {
        "cong": _word(found.cong),
        "rtt": "" if info is None else f"{info.rtt / 1000:g} ms",
        **{
            title: "" if info is None else _word(getattr(info, name))
            for title, name in (
                ("cwnd", "snd_cwnd"), ("retrans", "total_retrans"), ("sent", "bytes_sent"),
                ("received", "bytes_received"),
            )
        },
        "drops": "" if memory is None else _word(memory.drops),
    }  # fmt: skip


def _unix_socket(found: Any, names: Names) -> Iterator[Row]:
    queue = found.rqlen
    yield {
        "inode": _word(found.ino),
        "name": found.path or "",
        "type": _word(found.type),
        "state": _word(found.state),
        "rqueue": _word(queue and queue.rqueue),
        "wqueue": _word(queue and queue.wqueue),
        "peer": _word(found.peer),
        "uid": _word(found.uid),
    }


def _connection(entry: Any, names: Names) -> Iterator[Row]:
    info = entry.protoinfo
    state = info and next((part.state for _, part in info if part.state is not None), None)
    is_event = entry.use is None  # ctnetlink_conntrack_event leaves it out
    yield {
        "connection": _flow(entry.tuple_orig),
        "reply": _flow(entry.tuple_reply),
        "event": entry.event if is_event else "",
        "state": _word(state),
        "timeout": "" if entry.timeout is None else f"{entry.timeout} s",
        "status": "" if entry.status is None else _words(entry.status),
        "mark": "" if not entry.mark else hex(entry.mark),
        "zone": ",".join(map(str, sorted(entry.zones - {0}))),
        "helper": "" if entry.help is None else _word(entry.help.name),
        "id": _word(entry.id),
    }


def _flow(found: Any) -> str:
    """Return one direction of a connection as text: "tcp 192.0.2.1:5 > 192.0.2.2:80"."""
    if found is None:
        return ""
    proto = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}.get(found.protonum)
    ends = " > ".join(
        str(address) if port is None else _endpoint(address, port)
        for address, port in ((found.src, found.sport), (found.dst, found.dport))
    )
    return f"{proto or found.protonum} {ends}"


def _connection_statistics(entry: Any) -> Iterator[Row]:
    yield {
        f"{way} {unit}": _word(getattr(counters, unit, None))
        for way, counters in (("sent", entry.counters_orig), ("received", entry.counters_reply))
        for unit in ("packets", "bytes")
    }


def _record(record: Any, names: Names) -> Iterator[Row]:
    yield {"record": record.text}


# Classes to what makes the rows, and what makes the columns of -s. Those of the route family have
# their names as keys, others the names of their modules too.
def _peers(device: Any, names: Names) -> Iterator[Row]:
    """Yield the peers in one part of a WireGuard interface. A large peer has several rows."""
    for peer in device.peers:
        where, last = peer.endpoint, peer.last_handshake_time
        yield {
            "peer": b64encode(peer.public_key or b"").decode(),
            "endpoint": "" if where is None else _endpoint(where.rest.addr, where.port),
            "allowed ips": _list(f"{one.ipaddr}/{one.cidr_mask}" for one in peer.allowedips),
            "handshake": f"{datetime.fromtimestamp(last.tv_sec)}" if last and last.tv_sec else "",
            "keepalive": _word(peer.persistent_keepalive_interval or None),
            "rx bytes": _word(peer.rx_bytes),
            "tx bytes": _word(peer.tx_bytes),
        }


ROWS: dict[str, Callable[[Any, Names], Iterator[Row]]] = {
    "Link": _link,
    "Address": _address,
    "Route": _route,
    "Neighbour": _neighbour,
    "Rule": _rule,
    "NextHopObject": _next_hop,
    "Qdisc": _qdisc,
    "Class": _class,
    "Filter": _filter,
    "Chain": _chain,
    "ActionTable": _actions,
    "VlanDb": _vlans,
    "Mdb": _groups,
    "NetConf": _settings,
    "NamespaceId": _namespace,
    "netlink.diag.inet.InetSocket": _inet_socket,
    "netlink.diag.unix.UnixSocket": _unix_socket,
    "netlink.netfilter.conntrack.Conntrack": _connection,
    "netlink.generic.wireguard.Device": _peers,
    "netlink.audit.Record": _record,
    "netlink.uevent.Uevent": _uevent,
    "netlink.connector.proc_event": _process,
}
STATISTICS: dict[str, Callable[[Any], Iterator[Row]]] = {
    "Link": _link_statistics,
    "Route": _route_statistics,
    "Neighbour": _neighbour_statistics,
    "NextHopObject": _next_hop_statistics,
    "Qdisc": _queue_statistics,
    "Class": _queue_statistics,
    "VlanDb": _vlan_statistics,
    "Mdb": _group_statistics,
    "netlink.diag.inet.InetSocket": _tcp_statistics,
    "netlink.netfilter.conntrack.Conntrack": _connection_statistics,
}


# --- any message ----------------------------------------------------------------------------------


def schema_row(message: Message, names: Names) -> Row:
    """Return a row with a column for each field that the message's class declares.

    Each field of a nested message has a column with a dotted title, up to DEPTH levels. A field
    that repeats, or has no fixed class, is one text.
    """
    return dict(_columns(message, type(message), names, "", (type(message),)))


def _columns(
    message: Any, cls: Any, names: Names, path: str, above: tuple[Any, ...]
) -> Iterator[tuple[str, str]]:
    for name, field in cls.__table__.names.items():
        if name.startswith("_"):
            continue
        value = None if message is None else getattr(message, name)
        inside = field.message if field.kind_name in ("nest", "struct") else None
        if hasattr(inside, "states"):  # a set of bits of ethtool
            names_of_bits = {} if value is None or value.value is None else _bit_names()
            yield path + name, "" if value is None else _list(value.on(names_of_bits))
        elif inside is not None and inside not in above and len(above) < DEPTH:
            yield from _columns(value, inside, names, f"{path}{name}.", (*above, inside))
        elif name.endswith("ifindex") and isinstance(value, int):
            yield path + name, names[value] if value > 0 else ""
        else:
            yield path + name, compact(value)


@cache
def _bit_names() -> dict[int, tuple[str, ...]]:
    """Return the names of the bits in notifications of ethtool. All namespaces have the same."""
    from netlink.generic import ethtool

    try:
        with Connection(ethtool.FAMILY, timeout=5) as nl:
            return nl.do(ethtool.string_sets())
    except (OSError, TimeoutError):
        return {}


def compact(value: Any) -> str:
    """Return a short text for any value. A message shows only the fields that are set."""
    match value:
        case Message():
            return " ".join(_fields(value))
        case IntFlag():
            return _words(value)
        case bool():
            return "yes" if value else ""
        case tuple():
            return _list(f"({compact(v)})" if isinstance(v, Message) else compact(v) for v in value)
        case dict():
            return _list(f"{compact(key)}: {compact(item)}" for key, item in value.items())
    return _word(value)


def _fields(message: Message) -> Iterator[str]:
    """Yield the fields of a message with their names, except zeros in the header."""
    declared = type(message).__table__.names
    for name, value in message:
        text = compact(value)
        if text and (value or declared[name].number is not None):
            yield f"{name} ({text})" if isinstance(value, Message | dict) else f"{name} {text}"


# --- words ----------------------------------------------------------------------------------------


def _gateway(hop: Any) -> str:
    text = _word(hop.gateway or (getattr(hop, "via", None) and hop.via.addr))
    if hop.encap_type:
        text = f"{text} encap {_word(hop.encap_type)} {compact(hop.encap)}".strip()
    return f"{text} weight {hop.hops + 1}" if getattr(hop, "hops", 0) else text


def _prefix(address: object, length: int) -> str:
    """Return a prefix as text: a host without its length, MPLS labels separated by slashes."""
    if address is None:
        return "default"
    if isinstance(address, tuple):
        return "/".join(map(str, address))
    is_host = length == getattr(address, "max_prefixlen", None)
    return str(address) if is_host else f"{address}/{length}"


def _age(ticks: int | None) -> str:
    return "" if ticks is None else f"{ticks / USER_HZ:.2f}s"


def _list(texts: Iterable[str]) -> str:
    return ", ".join(filter(None, texts))


def _word(value: object) -> str:
    """Return a value as text. A kernel name loses the prefix of its enum: "main", "up"."""
    if isinstance(value, Enum):
        return value.name.removeprefix(_prefix_of(type(value))).lower()
    if isinstance(value, bytes):
        return value.hex(":")
    return "" if value is None else str(value)


@cache
def _prefix_of(enum: type[Enum]) -> str:
    """Return the prefix of an enum: its name, or else the common prefix of its members."""
    names = [*enum.__members__]
    prefix = f"{enum.__name__}_"
    if not any(name.startswith(prefix) for name in names):
        prefix = names[0].partition("_")[0] + "_"
    return prefix if all(name.startswith(prefix) for name in names) else f"{enum.__name__}_"


def _words(value: IntFlag) -> str:
    """Return the names of the bits that are set; bits without a name are one number."""
    unnamed = int(value) - sum(value)
    return ",".join([*map(_word, value), *([hex(unnamed)] if unnamed else [])])
