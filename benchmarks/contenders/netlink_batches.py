"""This library with event_batches(), which gathers the values of many events as columns.

It must read the same values as `netlink`, so that the difference is the cost of the messages.
"""

from __future__ import annotations

from ..measure import Check, Run, Tally
from ..workloads.events import RCVBUF, SILENCE
from ..workloads.events import events as events_of
from . import Contender, python
from .netlink import tally

CONTENDER = Contender(
    workloads=("events",), command=python("netlink_batches", distribution="fastnetlink")
)


def events(size: int) -> Run:
    from netlink import Connection, Overrun
    from netlink.route import FAMILY
    from netlink.route.route import Route

    nl = Connection(FAMILY, rcvbuf=RCVBUF)
    nl.join("ipv4-route")
    total = events_of(size)

    def run(check: Check | None) -> Tally:
        delivered = lost = 0
        for batch in nl.event_batches(timeout=SILENCE):
            if isinstance(batch, Overrun):
                lost += batch.count or 0
            else:
                columns = batch.columns(Route, "dst", "gateway", "oif")
                delivered += len(columns["dst"])
                if check:
                    for row in zip(*columns.values(), strict=True):
                        check(*row)
            if delivered + lost == total:
                break
        return tally(total, total, delivered, lost)

    return run
