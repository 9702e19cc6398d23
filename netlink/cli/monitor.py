"""`netlink monitor`: print events as they arrive, as lines of text or JSON, or print their rate.

This file must not decide how an event looks: text.py does that. It exists for `netlink monitor` and
`netlink genl monitor`, which share it.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from time import monotonic

from netlink import Connection, Overrun, RawMessage
from netlink.cli import Failure, explain
from netlink.cli.namespace import connect
from netlink.cli.screen import open_output
from netlink.cli.text import Event, Names, event_name, is_bridge_port, line
from netlink.registry import near
from netlink.route import FAMILY

__all__ = ["lost", "object_of", "run", "watch"]

GROUPS = ("link", "ipv4-ifaddr", "ipv6-ifaddr", "ipv4-route", "ipv6-route", "neigh")
BATCH = 500  # maximum number of events to print at a time
TICK = 0.2  # seconds to wait for an event before checking the clock
STDOUT = 1
SO_MEMINFO, SK_MEMINFO_DROPS, SK_MEMINFO_VARS = 55, 8, 9  # asm-generic/socket.h, linux/sock_diag.h


def run(args: Namespace) -> int:
    """Print events until --count, --timeout or Ctrl-C; a summary goes to standard error."""
    began = monotonic()
    with (
        connect(args.netns, FAMILY, rcvbuf=args.rcvbuf) as nl,
        connect(args.netns, FAMILY) as asked,
    ):
        show = _meter(nl) if args.rate else _json if args.json else _text(Names(lambda: asked))
        return watch(nl, args.groups or GROUPS, show, args, began)


def watch(
    nl: Connection,
    groups: Iterable[str],
    show: Callable[[list[Event]], None],
    args: Namespace,
    began: float,
) -> int:
    """Show the events of groups until --count, --timeout or Ctrl-C, and then the summary."""
    seen = 0
    for group in groups:
        _join(nl, group)
    try:
        for batch in _batches(nl, began + args.timeout):
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
        f"{nl.stats.overruns:,} overruns, {lost(nl):,} events lost",
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


def _join(nl: Connection, group: str) -> None:
    try:
        if not (group.isascii() and group.isdecimal()):
            nl.join(group)
        elif 0 < int(group[:20]) < 1 << 32:
            nl.join(int(group))
        else:  # 0 would join nothing
            raise LookupError
    except LookupError:
        known = [name for family in nl.families for name in family.groups]
        raise Failure(f"there is no group '{group}'{near(group, known)}") from None
    except OSError as error:
        raise Failure(f"cannot join group {group}: {explain(error)}") from None


def _batches(nl: Connection, end: float) -> Iterator[list[Event]]:
    """Yield the received events in lists of limited size, until `end`.

    An empty list shows that some time has passed. Raises BrokenPipeError when the reader closes our
    output, even if there is nothing to write.
    """
    ready = select.poll()
    ready.register(nl, select.POLLIN)
    ready.register(STDOUT, 0)  # only POLLERR: the reader of a pipe closed it
    stream = nl.events(timeout=0)
    while (left := end - monotonic()) > 0:
        batch = list(islice(stream, BATCH))
        if not batch:
            stream = nl.events(timeout=0)
            if (STDOUT, select.POLLERR) in ready.poll(1000 * min(left, TICK)):
                raise BrokenPipeError
        yield batch


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


def _meter(nl: Connection) -> Callable[[list[Event]], None]:
    """Print the rate and the totals once per second; on a terminal, overwrite the same line."""
    start, end = ("\r", "\x1b[K") if sys.stderr.isatty() else ("", "\n")
    told, before = 0, monotonic()

    def show(_: list[Event]) -> None:
        nonlocal told, before
        now = monotonic()
        if now - before >= 1:
            total = nl.stats.events
            rate = (total - told) / (now - before)
            text = f"{rate:,.0f} events/s, {total:,} in all, {lost(nl):,} lost"
            print(start, text, sep="", end=end, file=sys.stderr, flush=True)
            told, before = total, now

    return show
