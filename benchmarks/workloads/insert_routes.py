"""insert-routes: put the table of dump-routes into a namespace that has its link, route by route.

Each is one RTM_NEWROUTE of 52 bytes that creates and may not replace, with family, dst_len, table
(main, in the header), protocol (static), scope and type, and the attributes dst, gateway and oif.
A run ends when the outcome of the last one is known. What the kernel then has is compared with what
it should have, route by route and with all of these values, as `ip route` reads it.

The routes themselves, as text or numbers as each contender takes them, are there before the run;
the messages are made in it.
"""

from __future__ import annotations

from itertools import zip_longest

from ..namespace import Namespace
from . import NotDone, Workload
from .dump_routes import LINK, routes

# A link that goes down takes its routes with it, all at once; its address stays.
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
            raise NotDone(f"{len(found)} routes for {size}, {it_has!r} in place of {it_should!r}")


WORKLOAD = Workload(unit="route", size=100_000, prepare=prepare, reset=_RESET, verify=verify)
