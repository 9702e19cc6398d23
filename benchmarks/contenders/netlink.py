"""This library: the blocking connection, its dump iterated, a view for each message."""

from __future__ import annotations

from ..measure import Check, Run
from . import Contender, python

CONTENDER = Contender(
    workloads=("dump-routes",), command=python("netlink", distribution="fastnetlink")
)


def dump_routes() -> Run:
    from netlink import Connection
    from netlink.constants import AF
    from netlink.route import FAMILY, route

    nl = Connection(FAMILY)
    request = route.get(family=AF.AF_INET)

    def run(check: Check | None) -> int:
        count = 0
        for message in nl.dump(request):
            dst, gateway, oif = message.dst, message.gateway, message.oif
            count += 1
            if check:
                check(dst, gateway, oif)
        return count

    return run
