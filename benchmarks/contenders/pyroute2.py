"""pyroute2 with its asyncio class, in one event loop per run.

The asyncio class streams a dump. The blocking class starts an event loop for each message and
returns all messages as a tuple, which takes about twice the time and nine times the memory. The
ways to add routes are similar in speed, because building the messages takes most of the time: one
`route("add")` after the other is as fast as gathering many. It is about 10 % faster than IPBatch,
which would also leave the reading of the answers to this module.
"""

from __future__ import annotations

import asyncio
from socket import AF_INET, if_nametoindex

from ..measure import Check, Run
from ..workloads.dump_routes import routes
from ..workloads.import_ import importing
from . import Contender, python

CONTENDER = Contender(
    workloads=("dump-routes", "import", "insert-routes", "request-latency"),
    command=python("pyroute2", distribution="pyroute2"),
    max_runs=1,
    shares={"insert-routes": 50},
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
