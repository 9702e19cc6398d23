"""`netlink monitor`: print events as they arrive, as lines of text or JSON, or print their rate.

TOPICS has the words for events of other families than route; each family has its own connection.
This file must not decide how an event looks: text.py does that. It exists for `netlink monitor` and
`netlink genl monitor`, which share it.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
import struct
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from importlib import import_module
from itertools import islice
from time import monotonic
from typing import NamedTuple

from netlink import Connection, Overrun, RawMessage
from netlink.cli import Failure, Misuse, explain
from netlink.cli.namespace import connect
from netlink.cli.screen import open_output
from netlink.cli.text import Event, Names, event_name, is_bridge_port, line
from netlink.filter import Condition, Filter
from netlink.registry import load, near
from netlink.where import Mistake, where

__all__ = ["join", "lost", "object_of", "run", "watch"]


class Topic(NamedTuple):
    """The events that a word of the command line stands for: groups of a family."""

    family: str
    groups: tuple[str, ...]


# Any other word is a group of the route family.
TOPICS = {
    "route": Topic("route", ("ipv4-route", "ipv6-route")),
    "addr": Topic("route", ("ipv4-ifaddr", "ipv6-ifaddr")),
    "rule": Topic("route", ("ipv4-rule", "ipv6-rule")),
    "tcp": Topic("diag", ("inet-tcp-destroy", "inet6-tcp-destroy")),
    "udp": Topic("diag", ("inet-udp-destroy", "inet6-udp-destroy")),
    "conntrack": Topic("conntrack", ("conntrack-new", "conntrack-update", "conntrack-destroy")),
    "expect": Topic(
        "conntrack", ("conntrack-exp-new", "conntrack-exp-update", "conntrack-exp-destroy")
    ),
    "audit": Topic("audit", ("readlog",)),
    "uevent": Topic("uevent", ("kernel",)),
    "proc": Topic("connector", ("proc",)),
    "ethtool": Topic("ethtool", ("monitor",)),
    "mptcp": Topic("mptcp_events", ("mptcp_pm_events",)),
    "netdev": Topic("netdev", ("mgmt", "page-pool")),
    "nl80211": Topic("nl80211", ("config", "scan", "regulatory", "mlme")),
    "devlink": Topic("devlink", ("config",)),
    "l2tp": Topic("l2tp", ("l2tp",)),
    "team": Topic("team", ("change_event",)),
    "thermal": Topic("thermal", ("event", "sampling")),
    "dpll": Topic("dpll", ("monitor",)),
}

# No kernel since 6.1 sends to these groups, so no error suggests them. Joining them is allowed.
SILENT = ("notify", "decnet-ifaddr", "decnet-route", "decnet-rule", "nop2", "nop4")
GROUPS = ("link", "ipv4-ifaddr", "ipv6-ifaddr", "ipv4-route", "ipv6-route", "neigh")
# The class of the events of a word, for --where. Other groups have events of several classes.
CLASSES = {
    "link": "netlink.route.link.Link",
    "route": "netlink.route.route.Route",
    "ipv4-route": "netlink.route.route.Route",
    "ipv6-route": "netlink.route.route.Route",
    "mpls-route": "netlink.route.route.Route",
    "addr": "netlink.route.addr.Address",
    "ipv4-ifaddr": "netlink.route.addr.Address",
    "ipv6-ifaddr": "netlink.route.addr.Address",
    "rule": "netlink.route.rule.Rule",
    "ipv4-rule": "netlink.route.rule.Rule",
    "ipv6-rule": "netlink.route.rule.Rule",
    "neigh": "netlink.route.neigh.Neighbour",
    "nexthop": "netlink.route.nexthop.NextHopObject",
    "nsid": "netlink.route.nsid.NamespaceId",
    "tcp": "netlink.diag.inet.InetSocket",
    "udp": "netlink.diag.inet.InetSocket",
    "conntrack": "netlink.netfilter.conntrack.Conntrack",
    "expect": "netlink.netfilter.conntrack.Expectation",
}
BATCH = 500  # maximum number of events to print at a time
TICK = 0.2  # seconds to wait for an event before checking the clock
STDOUT = 1
SO_MEMINFO, SK_MEMINFO_DROPS, SK_MEMINFO_VARS = 55, 8, 9  # asm-generic/socket.h, linux/sock_diag.h


def run(args: Namespace) -> int:
    """Print events until --count, --timeout or Ctrl-C; a summary goes to standard error."""
    began = monotonic()
    with ExitStack() as open_until_the_end:
        words = args.groups or GROUPS
        wanted = _filters(words, args.where)

        def connection(family: str) -> Connection:
            options = {"filter": wanted[family]} if family in wanted else {}
            made = connect(args.netns, load(family), rcvbuf=args.rcvbuf, **options)
            return open_until_the_end.enter_context(made)

        sources: dict[str, Connection] = {}
        for word in words:
            topic = TOPICS.get(word, Topic("route", (word,)))
            if topic.family not in sources:
                sources[topic.family] = connection(topic.family)
            for group in topic.groups:
                join(sources[topic.family], group, TOPICS)
        if "connector" in sources:
            open_until_the_end.enter_context(_listening(sources["connector"]))
        asked = open_until_the_end.enter_context(connect(args.netns, load("route")))
        listening = [*sources.values()]
        names = Names(lambda: asked)
        show = _meter(listening) if args.rate else _json if args.json else _text(names)
        return watch(listening, show, args, began)


def _filters(words: Sequence[str], conditions: Iterable[str]) -> dict[str, Filter]:
    """Return the filters that --where asks for, by family. "GROUP: CONDITION" names the group."""
    found: dict[str, dict[type, Condition]] = {}
    for given in conditions:
        named = re.match(r"\s*([\w-]+)\s*:", given)
        if named is None and len(words) != 1:
            raise Misuse(
                f"--where {given!r}: say to which group it applies, as in '{words[0]}: {given}'"
            )
        word = named[1] if named else words[0]
        if word not in words:
            raise Misuse(f"--where {given!r}: group '{word}' is not among: {', '.join(words)}")
        path = CLASSES.get(word.lower().removeprefix("rtnlgrp_").replace("_", "-"))
        if path is None:
            raise Misuse(f"--where cannot test events of '{word}'{near(word, CLASSES)}")
        module, _, name = path.rpartition(".")
        cls = getattr(import_module(module), name)
        text = given[named.end() :] if named else given
        try:
            condition = where(text, cls)
            of_family = found.setdefault(TOPICS.get(word, Topic("route", ())).family, {})
            of_family[cls] = of_family[cls] & condition if cls in of_family else condition
            Filter(*of_family.values())
        except Mistake as error:
            place = f"at column {error.at + 1}: {text[error.at :] or 'the end'}"
            raise Misuse(f"--where: {error.reason}; {place}") from None
        except ValueError as error:  # it is too long
            raise Misuse(f"--where: {error}") from None
    return {family: Filter(*of_family.values()) for family, of_family in found.items()}


@contextmanager
def _listening(nl: Connection) -> Iterator[None]:
    """Let the kernel send process events, and count one listener less at the end."""
    from netlink import connector

    try:
        nl.do(connector.listen())
    except (OSError, TimeoutError) as error:
        raise Failure(explain(error)) from None
    try:
        yield
    finally:
        nl.do(connector.ignore())


def watch(
    sources: Sequence[Connection],
    show: Callable[[list[Event]], None],
    args: Namespace,
    began: float,
) -> int:
    """Show the events of connections until --count, --timeout or Ctrl-C, and then the summary."""
    seen = 0
    try:
        for batch in _batches(sources, began + args.timeout):
            shown: list[Event] = []
            for event in batch:
                if seen == args.count:
                    break
                seen += not isinstance(event, Overrun)
                shown.append(event)
            show(shown)
            sys.stdout.flush()
            if seen == args.count:
                break
    except KeyboardInterrupt:
        pass
    seconds = monotonic() - began
    if args.rate and sys.stderr.isatty():
        print(file=sys.stderr)
    print(
        f"netlink: {seen:,} events in {seconds:.1f} s, {seen / seconds:,.0f} a second; "
        f"{sum(nl.stats.overruns for nl in sources):,} overruns, "
        f"{sum(map(lost, sources)):,} events lost",
        file=sys.stderr,
    )
    return 0


def lost(nl: Connection) -> int:
    """Return how many datagrams the kernel has dropped since the socket was opened.

    An overrun does not contain this number. The socket counts it in sk_drops, which
    netlink_overrun in net/netlink/af_netlink.c increments. In the route family, each event is one
    datagram.
    """
    with socket.socket(fileno=os.dup(nl.fileno())) as view:
        counters = view.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * SK_MEMINFO_VARS)
    dropped: int = struct.unpack_from("=I", counters, 4 * SK_MEMINFO_DROPS)[0]
    return dropped


def join(nl: Connection, group: str, more: Iterable[str] = ()) -> None:
    """Join a group by name or number. `more` are other words that an error may suggest."""
    try:
        if not (group.isascii() and group.isdecimal()):
            nl.join(group)
        elif 0 < int(group[:20]) < 1 << 32:
            nl.join(int(group))
        else:  # 0 would join nothing
            raise LookupError
    except LookupError:
        known = [name for family in nl.families for name in family.groups]
        known = [*(name for name in known if name not in SILENT), *more]
        raise Misuse(f"there is no group '{group}'{near(group, known)}") from None
    except OSError as error:
        raise Failure(f"cannot join group {group}: {explain(error)}") from None


def _batches(sources: Sequence[Connection], end: float) -> Iterator[list[Event]]:
    """Yield the received events in lists of limited size, until `end`.

    An empty list shows that some time has passed. Raises BrokenPipeError when the reader closes our
    output, even if there is nothing to write.
    """
    ready = select.poll()
    for nl in sources:
        ready.register(nl, select.POLLIN)
    ready.register(STDOUT, 0)  # only POLLERR: the reader of a pipe closed it
    streams = [nl.events(timeout=0) for nl in sources]
    while (left := end - monotonic()) > 0:
        is_idle = True
        for place, nl in enumerate(sources):
            batch = list(islice(streams[place], BATCH))
            if batch:
                is_idle = False
                yield batch
            else:
                streams[place] = nl.events(timeout=0)
        if is_idle:
            if (STDOUT, select.POLLERR) in ready.poll(1000 * min(left, TICK)):
                raise BrokenPipeError
            yield []


def _text(names: Names) -> Callable[[list[Event]], None]:
    output = open_output()

    def show(events: list[Event]) -> None:
        now = f"{datetime.now():%H:%M:%S.%f}"[:-3]
        for event in events:
            names.learn(event)
            output.line(f"{now} {line(event, names)}")

    return show


def _json(events: list[Event]) -> None:
    for event in events:
        print(json.dumps(object_of(event)))


def object_of(event: Event) -> dict[str, object]:
    """Return an event as one JSON object: its name and its fields.

    The group "link" also carries messages about links as bridge ports. They are marked, because
    such an RTM_DELLINK means that the link left its bridge, not that it was removed.
    """
    if isinstance(event, Overrun):
        return {"event": "overrun"}
    if isinstance(event, RawMessage):
        return {"event": event_name(event), "type": event.type, "payload": event.payload.hex()}
    fields = event.to_json()
    if "event" in fields:  # IFLA_EVENT
        fields["ifla_event"] = fields.pop("event")
    marks = {"bridge_port": True} if is_bridge_port(event) else {}
    return {"event": event_name(event), **marks, **fields}


def _meter(sources: Sequence[Connection]) -> Callable[[list[Event]], None]:
    """Print the rate and the totals once per second; on a terminal, overwrite the same line."""
    start, end = ("\r", "\x1b[K") if sys.stderr.isatty() else ("", "\n")
    told, before = 0, monotonic()

    def show(_: list[Event]) -> None:
        nonlocal told, before
        now = monotonic()
        if now - before >= 1:
            total = sum(nl.stats.events for nl in sources)
            rate = (total - told) / (now - before)
            text = f"{rate:,.0f} events/s, {total:,} in all, {sum(map(lost, sources)):,} lost"
            print(start, text, sep="", end=end, file=sys.stderr, flush=True)
            told, before = total, now

    return show
