"""`netlink demo`: show the main features of the library on the running kernel.

One connection creates links, addresses and routes while another one receives the events. This must
not change the network of the machine, so it runs in a private network namespace. If the kernel
allows none, the demo only reads.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import chain
from threading import Event as Signal
from time import perf_counter
from typing import Any

from netlink import Connection, KernelError, Message, Overrun, Request
from netlink.cli import explain, guard, namespace
from netlink.cli.monitor import lost
from netlink.cli.namespace import connect
from netlink.cli.output import Output
from netlink.cli.screen import open_output
from netlink.cli.text import Event, Names, event_name, line, rows_of
from netlink.constants import AF
from netlink.route import FAMILY, addr, link, route
from netlink.route.link import IFF, Link
from netlink.route.link.kinds.veth import Veth
from netlink.route.link.linkinfo import LinkInfo
from netlink.route.route import Route
from netlink.route.rtnetlink import RT_TABLE, RTN, RTPROT

__all__ = ["run"]

ROUTES = 10_000  # 10.0.0.0/24, 10.0.1.0/24 and so on
DUMPS = 5
GROUPS = ("link", "ipv4-ifaddr", "ipv6-ifaddr", "ipv4-route", "ipv6-route")
RCVBUF = 32 << 20  # bytes; the kernel limits it without CAP_NET_ADMIN in the initial namespace
SAMPLE = 3  # number of events of each type to show

# Documentation networks (RFC 5737): pairs of links with the address of the first link, a reachable
# gateway and an unreachable one.
PAIRS = (("v0", "v1", IPv4Address("192.0.2.1")), ("v2", "v3", IPv4Address("198.51.100.1")))
GATEWAY = IPv4Address("192.0.2.2")
NOWHERE = IPv4Address("203.0.113.1")


def run(args: argparse.Namespace) -> int:
    """Run the demo in a child process; the namespace ends with it."""
    status = namespace.in_child(lambda: guard(_private))
    return _read_only(args.netns) if status == os.EX_NOPERM else status


def _private() -> int:
    """Run the whole demo in a private network namespace."""
    out = open_output()
    try:
        namespace.enter()
    except OSError as error:
        out.line(
            f"The kernel refused a private network namespace ({explain(error)}): this only reads."
        )
        return os.EX_NOPERM
    out.line("In a private network namespace, which the kernel deletes after this demo:")
    with Connection(FAMILY) as nl, Connection(FAMILY, rcvbuf=RCVBUF) as listener:
        listener.join(*GROUPS)
        done = Signal()
        with ThreadPoolExecutor() as pool:
            hearing = pool.submit(_listen, listener, done)
            try:
                _make_links(nl)
                began = perf_counter()
                for number in range(ROUTES):
                    nl.do(_new_route(number, GATEWAY))
                took = perf_counter() - began
                made = Figure("routes created, one request at a time", ROUTES, took)
            finally:
                done.set()
        heard = hearing.result()
        names = Names(lambda: nl)
        _show_links(out, nl, names)
        out.heading("Events received during this: the first few of each type, and the last")
        for event in heard.sample:
            out.line(line(event, names))
        no_index = Link(ifname="v5", new_ifindex=0)
        _show_refused(out, nl, _new_route(ROUTES, NOWHERE), _pair("v4", no_index))
        _show_figures(
            out,
            made,
            Figure("events received", heard.counts.total(), heard.last - heard.first),
            Figure("events lost", lost(listener)),
            _dump_routes(nl),
        )
    return 0


def _read_only(netns: str | None) -> int:
    """Run the part of the demo that changes nothing, in the current namespace."""
    out = open_output()
    with connect(netns, FAMILY) as nl:
        _show_links(out, nl, Names(lambda: nl))
        _show_refused(out, nl, link.get(ifname="no-such-link"))
        _show_figures(out, _dump_routes(nl))
    return 0


# --- steps ---


@dataclass
class Heard:
    """The events that the listener received; the times are from perf_counter()."""

    counts: Counter[str] = field(default_factory=Counter)
    sample: list[Event] = field(default_factory=list)
    first: float = 0.0
    last: float = 0.0


def _listen(nl: Connection, done: Signal) -> Heard:
    """Receive all events that were caused before `done` was set. This runs in its own thread."""
    heard = Heard()
    event: Event | None = None
    is_last = False
    while not is_last:
        is_last = done.is_set()  # read this first, so that all earlier events are still received
        for event in nl.events(timeout=0.1):
            heard.last = perf_counter()
            heard.first = heard.first or heard.last
            if isinstance(event, Overrun):
                continue
            name = event_name(event)
            heard.counts[name] += 1
            if heard.counts[name] <= SAMPLE:
                heard.sample.append(event)
    if event is not None:
        heard.sample.append(event)
    return heard


def _make_links(nl: Connection) -> None:
    for name, peer, _ in PAIRS:
        nl.do(_pair(name, Link(ifname=peer)))
    numbers = {found.ifname: found.index for found in nl.dump(link.get())}
    # Skip all other links: if the tunnel modules are loaded, every namespace has gre0 and sit0,
    # which cannot be set up without configuration.
    for end in ("lo", *chain.from_iterable(pair[:2] for pair in PAIRS)):
        nl.do(link.set(index=numbers[str(end)], flags=IFF.IFF_UP, change=IFF.IFF_UP))
    for name, _, own in PAIRS:
        nl.do(addr.new(family=AF.AF_INET, index=numbers[name], local=own, prefixlen=24))


def _pair(name: str, peer: Link) -> Request[Any, Link]:
    info = LinkInfo(kind="veth", data=Veth(peer=peer))
    return link.new(ifname=name, linkinfo=info)


def _new_route(number: int, gateway: IPv4Address) -> Request[Any, Route]:
    return route.new(
        family=AF.AF_INET,
        dst=IPv4Address(10 << 24 | number << 8),
        dst_len=24,
        gateway=gateway,
        rtm_table=RT_TABLE.RT_TABLE_MAIN,
        protocol=RTPROT.RTPROT_STATIC,
        type=RTN.RTN_UNICAST,
    )


def _dump_routes(nl: Connection) -> Figure:
    began = perf_counter()
    count = 0
    for _ in range(DUMPS):
        for found in nl.dump(route.get()):
            _ = (found.dst, found.gateway, found.oif)
            count += 1
    took = perf_counter() - began
    return Figure(f"routes dumped ({DUMPS} dumps; dst, gateway, oif read)", count, took)


# --- output ---


@dataclass
class Figure:
    """A number of messages, and the seconds that they took if the rate is of interest."""

    what: str
    count: int
    seconds: float | None = None


def _show_links(out: Output, nl: Connection, names: Names) -> None:
    out.heading("Links")
    out.table(row for found in nl.dump(link.get()) for row in rows_of(found, names))


def _show_refused(out: Output, nl: Connection, *requests: Request[Any, Message]) -> None:
    out.heading("Errors from the kernel, with its messages")
    for request in requests:
        try:
            nl.do(request)
        except KernelError as error:
            out.line(repr(request))
            out.line(f"    {explain(error)}")


def _show_figures(out: Output, *figures: Figure) -> None:
    versions = f"Linux {platform.release()}, Python {platform.python_version()}"
    out.heading(f"Measured now ({versions})")
    out.table(
        {
            "what": figure.what,
            "messages": f"{figure.count:,}",
            "seconds": f"{figure.seconds:.3f}" if figure.seconds else "",
            "per second": f"{figure.count / figure.seconds:,.0f}" if figure.seconds else "",
        }
        for figure in figures
    )
