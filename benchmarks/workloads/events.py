"""events: receive the events of a storm of route changes, reading dst, gateway and oif of each.

The storm is a program in C, storm.c. It adds half as many IPv4 routes as there are events, and
deletes them again, 1,000 requests per send. A contender has joined the group before the storm
begins, and its run ends with the last event. The receive buffers of all contenders are so large
that nothing is lost, if this process may make them so large. If events are lost, a run ends after a
second of silence.

One route of a hundred is in another table, for a contender that lets the kernel filter.
"""

from __future__ import annotations

from pathlib import Path

from ..compiler import build
from ..namespace import Namespace
from . import Workload
from .dump_routes import LINK

RCVBUF = 64 << 20  # bytes; the kernel doubles it, and an event takes 832 of them
SILENCE = 1.0  # seconds
FILTERED_TABLE, FILTERED = 100, 100  # the table of one route of so many


def events(size: int) -> int:
    """Return the number of events, which is even: each route is added and deleted."""
    return size // 2 * 2


def filtered(size: int) -> int:
    """Return how many events are about the routes of the other table."""
    return -(-(size // 2) // FILTERED) * 2


def prepare(namespace: Namespace, size: int) -> None:
    build(Path(__file__).with_name("storm.c"), namespace.directory)
    namespace.run(["ip", "-batch", "-"], stdin=LINK)


WORKLOAD = Workload(unit="event", size=100_000, prepare=prepare, during=("./storm",), base="c_mnl")
