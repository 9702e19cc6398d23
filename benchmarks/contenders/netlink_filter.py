"""This library with a filter that the kernel executes, and which one event of a hundred passes.

It reads the values of those events. All events of the storm count, because the program has to deal
with all of them. It exits if the number of events that pass is not exact.
"""

from __future__ import annotations

from ..measure import Run
from ..workloads.events import FILTERED_TABLE, RCVBUF, filtered
from . import Contender, python
from .netlink import receive_events

CONTENDER = Contender(
    workloads=("events",), command=python("netlink_filter", distribution="fastnetlink")
)


def events(size: int) -> Run:
    from netlink import Connection, fields
    from netlink.route import FAMILY
    from netlink.route.route import Route

    condition = fields(Route).table == FILTERED_TABLE
    nl = Connection(FAMILY, rcvbuf=RCVBUF, filter=condition)
    return receive_events(nl, size, passed=filtered(size))
