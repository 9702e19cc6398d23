"""Messages as people read them: the cells of a table's row, and one line an event.

Names lose their prefix here (RTPROT_KERNEL is "kernel") and numbers of links become names; what a
message holds in full is the JSON's affair.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, IntFlag

from netlink import Connection, KernelError, Message, Overrun, RawMessage
from netlink.route import link
from netlink.route.addr import Address
from netlink.route.link import Link
from netlink.route.neigh import Neighbour
from netlink.route.route import NextHop, Route
from netlink.route.rtnetlink import RTM, RTN, RTNH_F

__all__ = ["Event", "Names", "cells", "event_name", "line"]

Event = Message | RawMessage | Overrun

FOREVER = 0xFFFFFFFF  # a lifetime without end: INFINITY_LIFE_TIME of net/addrconf.h


class Names(dict[int, str]):
    """Interface names by index: asked of the kernel when first needed, kept up by link events."""

    def __init__(self, nl: Connection) -> None:
        self._nl = nl

    def __missing__(self, index: int) -> str:
        try:
            found = self._nl.do(link.get(index=index))
        except KernelError:
            found = None
        if found is None or found.ifname is None:
            return f"if{index}"  # gone, or of another namespace; another may get the number
        return self.setdefault(index, found.ifname)

    def learn(self, event: Event) -> None:
        """Take the name out of a link's event. One that went keeps its name for what follows."""
        if isinstance(event, Link) and event.ifname:
            self[event.index] = event.ifname


def event_name(message: Message | RawMessage) -> str:
    """The kernel's name of a message's type: RTM_NEWLINK."""
    if isinstance(message, Message):
        return message.nlmsg_name or str(message.nlmsg_type)
    return RTM(message.type).name if message.type in set(RTM) else str(message.type)


def line(event: Event, names: Names) -> str:
    """An event in one line: its name, what it is about, then words and values."""
    if isinstance(event, Overrun):
        return f"OVERRUN {event}"
    if isinstance(event, RawMessage):
        return f"{event_name(event)} {len(event.payload)} bytes, not decoded"
    (_, subject), *rest = cells(event, names).items()
    words = [event_name(event), subject, *(f"{title} {cell}" for title, cell in rest if cell)]
    return " ".join(filter(None, words))


def cells(message: Message, names: Names) -> dict[str, str]:
    """A message's row in a table: titles to texts, the first being what the message is about."""
    match message:
        case Link():
            return _link(message, names)
        case Address():
            return _address(message, names)
        case Route():
            return _route(message, names)
        case Neighbour():
            return _neighbour(message, names)
    return {"message": repr(message)}


def _link(link: Link, names: Names) -> dict[str, str]:
    name = link.ifname or f"if{link.index}"
    if link.link:
        # The number of the other end counts in the namespace where that end is.
        name += f"@{names[link.link] if link.link_netnsid is None else f'if{link.link}'}"
    return {
        "name": name,
        "index": str(link.index),
        "kind": (link.linkinfo and link.linkinfo.kind) or _word(link.type),
        "state": _word(link.operstate),
        "mtu": _word(link.mtu),
        "master": names[link.master] if link.master else "",
        "address": link.address or "",
        "flags": _words(link.flags),
    }


def _address(addr: Address, names: Names) -> dict[str, str]:
    own = addr.local or addr.address
    valid = addr.cacheinfo.valid if addr.cacheinfo else FOREVER
    return {
        "address": f"{own}/{addr.prefixlen}",
        "dev": names[addr.index],
        "peer": str(addr.address) if addr.address not in (None, own) else "",
        "scope": _word(addr.scope),
        "valid": "" if valid == FOREVER else f"{valid}s",
        "flags": _words(addr.ifa_flags if addr.flags is None else addr.flags),
    }


def _route(route: Route, names: Names) -> dict[str, str]:
    destination = "default" if route.dst is None else _prefix(route.dst, route.dst_len)
    if route.src is not None:
        destination += f" from {_prefix(route.src, route.src_len)}"
    if route.type != RTN.RTN_UNICAST:
        destination = f"{_word(route.type)} {destination}"
    hops: Iterable[NextHop | Route] = route.multipath or (route,)
    return {
        "destination": destination,
        "via": f"nhid {route.nh_id}" if route.nh_id else _list(_gateway(hop) for hop in hops),
        "dev": _list(names[hop.ifindex] for hop in route.multipath)
        or (names[route.oif] if route.oif else ""),
        "src": _word(route.prefsrc),
        "table": _word(route.table or route.rtm_table),
        "proto": _word(route.protocol),
        "scope": _word(route.scope or None),
        "metric": _word(route.priority),
        "flags": _words(RTNH_F(route.flags & 0xFF)),
    }


def _neighbour(neigh: Neighbour, names: Names) -> dict[str, str]:
    return {
        "address": _word(neigh.dst),
        "dev": names[neigh.ndm_ifindex],
        "lladdr": neigh.lladdr or "",
        "state": _words(neigh.state),
        "flags": _words(neigh.flags),
    }


def _gateway(hop: NextHop | Route) -> str:
    text = _word(hop.gateway or (hop.via and hop.via.addr))
    return f"{text} weight {hop.hops + 1}" if isinstance(hop, NextHop) and hop.hops else text


def _prefix(address: object, length: int) -> str:
    """As people write it: a host without its length, MPLS labels with slashes between."""
    if isinstance(address, tuple):
        return "/".join(map(str, address))
    is_host = length == getattr(address, "max_prefixlen", None)
    return str(address) if is_host else f"{address}/{length}"


def _list(texts: Iterable[str]) -> str:
    return ", ".join(filter(None, texts))


def _word(value: object) -> str:
    """A value, an enum's without the prefix that its class is named after: "main", "up"."""
    if isinstance(value, Enum):
        return value.name.removeprefix(f"{type(value).__name__}_").lower()
    if isinstance(value, bytes):
        return value.hex(":")
    return "" if value is None else str(value)


def _words(value: IntFlag) -> str:
    """The bits that are set, by name; those without one as a number."""
    unnamed = int(value) - sum(value)
    return ",".join([*map(_word, value), *([hex(unnamed)] if unnamed else [])])
