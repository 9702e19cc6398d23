"""This library with the asyncio connection, on the event loop of asyncio.

It awaits one request after the other. It must do the same work as `netlink`, so that the difference
is the cost of asyncio.
"""

from __future__ import annotations

import asyncio
from socket import if_nametoindex

from ..measure import Check, Run
from . import Contender, python

CONTENDER = Contender(
    workloads=("request-latency",), command=python("netlink_aio", distribution="fastnetlink")
)


def request_latency(size: int) -> Run:
    from netlink.aio import Connection
    from netlink.route import FAMILY, link

    loop = asyncio.Runner()
    nl = Connection(FAMILY)
    request = link.get(index=if_nametoindex("v0"))

    async def ask(check: Check | None) -> int:
        for _ in range(size):
            found = await nl.do(request)
            assert found
            ifname, mtu = found.ifname, found.mtu
            if check:
                check(int.from_bytes(str(ifname).encode()), mtu)
        return size

    return lambda check: loop.run(ask(check))
