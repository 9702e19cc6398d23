"""pyroute2 with its asyncio class, in one event loop per run.

The asyncio class streams a dump. The blocking class starts an event loop for each message and
returns all messages as a tuple, which takes about twice the time and nine times the memory. The
ways to add routes are similar in speed, because building the messages takes most of the time: one
`route("add")` after the other is as fast as gathering many. It is about 10 % faster than IPBatch,
which would also leave the reading of the answers to this module.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from socket import AF_INET, SOL_SOCKET, if_nametoindex

from ..measure import Check, Run, Tally
from ..workloads.dump_routes import routes
from ..workloads.events import RCVBUF, SILENCE
from ..workloads.events import events as events_of
from ..workloads.import_ import importing
from . import Contender, python

SO_RCVBUFFORCE = 33  # asm-generic/socket.h; the socket module lacks it

CONTENDER = Contender(
    workloads=("dump-routes", "events", "import", "insert-routes", "request-latency"),
    command=python("pyroute2", distribution="pyroute2"),
    max_runs=1,
    shares={"events": 10, "insert-routes": 50},
)


def dump_routes(size: int) -> Run:
    from pyroute2 import AsyncIPRoute

    loop = asyncio.Runner()
    ipr = AsyncIPRoute()
    loop.run(ipr.setup_endpoint())

    async def dump(check: Check | None) -> int:
        count = 0
        async for message in await ipr.route("dump", family=AF_INET):
            dst, gateway, oif = message.get("dst"), message.get("gateway"), message.get("oif")
            count += 1
            if check:
                check(dst, gateway, oif)
        return count

    return lambda check: loop.run(dump(check))


def import_(size: int) -> Run:
    return importing("from pyroute2 import IPRoute", size)


def insert_routes(size: int) -> Run:
    from pyroute2 import AsyncIPRoute
    from pyroute2.netlink.rtnl import rt_proto, rt_scope, rt_type

    loop = asyncio.Runner()
    ipr = AsyncIPRoute()
    loop.run(ipr.setup_endpoint())
    oif = if_nametoindex("v0")
    table = list(routes(size))
    static, universe, unicast = rt_proto["static"], rt_scope["universe"], rt_type["unicast"]

    async def insert() -> int:
        for dst, gateway in table:
            await ipr.route(
                "add",
                family=AF_INET,
                dst=dst,
                dst_len=32,
                gateway=gateway,
                oif=oif,
                proto=static,
                scope=universe,
                type=unicast,
            )
        return size

    return lambda check: loop.run(insert())


def request_latency(size: int) -> Run:
    from pyroute2 import AsyncIPRoute

    loop = asyncio.Runner()
    ipr = AsyncIPRoute()
    loop.run(ipr.setup_endpoint())
    index = if_nametoindex("v0")

    async def ask(check: Check | None) -> int:
        for _ in range(size):
            [found] = await ipr.link("get", index=index)
            ifname, mtu = found.get("ifname"), found.get("mtu")
            if check:
                check(int.from_bytes(ifname.encode()), mtu)
        return size

    return lambda check: loop.run(ask(check))


def events(size: int) -> Run:
    """Iterate the events of one group. The receive buffer is made as large as those of the others:
    the library sets at most net.core.rmem_max."""
    from pyroute2 import AsyncIPRoute
    from pyroute2.netlink.rtnl import RTMGRP_IPV4_ROUTE

    loop = asyncio.Runner()
    ipr = AsyncIPRoute(rcvbuf=RCVBUF)
    loop.run(ipr.bind(RTMGRP_IPV4_ROUTE))
    with suppress(PermissionError):
        ipr.setsockopt(SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF)
    total = events_of(size)

    async def receive(check: Check | None) -> Tally:
        delivered = 0
        now = asyncio.get_running_loop().time
        with suppress(TimeoutError):
            async with asyncio.timeout(SILENCE) as limit:
                while delivered < total:
                    async for event in ipr.get():  # the messages of one datagram
                        dst, gateway, oif = event.get("dst"), event.get("gateway"), event.get("oif")
                        delivered += 1
                        if check:
                            check(dst, gateway, oif)
                    if delivered % 100 == 0:  # it costs a little
                        limit.reschedule(now() + SILENCE)
        return Tally(total, delivered, total - delivered)

    return lambda check: loop.run(receive(check))
