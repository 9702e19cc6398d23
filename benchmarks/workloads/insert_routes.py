"""insert-routes: create the routes of dump-routes in a namespace that has only the link.

Each route is one RTM_NEWROUTE of 52 bytes that must create the route and must not replace one. It
has family, dst_len, table (main, in the header), protocol (static), scope and type, and the
attributes dst, gateway and oif. A run ends when the outcome of the last route is known. Then
`ip route` lists the table, and every route and value is compared.

The routes exist before the run, as text or numbers, as each contender needs them. The contender
builds the messages during the run.
"""

from __future__ import annotations

from itertools import zip_longest

from ..namespace import Namespace
from . import NotDone, Workload
from .dump_routes import LINK, routes

# If a link goes down, the kernel removes all its routes at once. The link keeps its address.
_RESET = ("ip", "-batch", "reset")


def prepare(namespace: Namespace, size: int) -> None:
    (namespace.directory / "reset").write_text("link set v0 down\nlink set v0 up\n")
    namespace.run(["ip", "-batch", "-"], stdin=LINK)


def verify(namespace: Namespace, size: int) -> None:
    listed = namespace.run(["ip", "-4", "-details", "route", "show", "table", "main"])
    found = [line.strip() for line in listed.splitlines() if "proto kernel" not in line]
    expected = (
        f"unicast {dst} via {gateway} dev v0 proto static scope global"
        for dst, gateway in routes(size)
    )
    for it_has, it_should in zip_longest(found, expected):
        if it_has != it_should:
            raise NotDone(f"{len(found)} routes for {size}: got {it_has!r}, not {it_should!r}")


WORKLOAD = Workload(unit="route", size=100_000, prepare=prepare, reset=_RESET, verify=verify)
