"""Memory, descriptors and threads stay flat however much a program does: `python -m tests.leaks`.

The command runs every workload at its full size: a million messages decoded and dropped, 100,000
requests, 10,000 connections, blocking and asyncio. It needs root or `unshare -Urn`, because it
talks to the kernel in a network namespace of its own. tests/test_leaks.py runs small parts of the
same workloads.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import netlink
from netlink import Connection, KernelError, NetlinkError, aio
from netlink._nlsock import CLONE_NEWNET, unshare
from netlink.route import FAMILY as ROUTE
from netlink.route import link, route

from . import wire

# A leak of one small object in a hundred operations exceeds these at the full size.
MOST_BLOCKS = 500
MOST_MEMORY = 1 << 20  # bytes
PAGE = os.sysconf("SC_PAGE_SIZE")


class Use(NamedTuple):
    """What this process has of the things that can leak."""

    blocks: int
    memory: int
    descriptors: int
    threads: int


def use() -> Use:
    """Return what is in use after a garbage collection."""
    gc.collect()
    return Use(
        sys.getallocatedblocks(),
        int(Path("/proc/self/statm").read_text().split()[1]) * PAGE,
        len(os.listdir("/proc/self/fd")),
        len(os.listdir("/proc/self/task")),
    )


def growth(before: Use, after: Use) -> str:
    """Say what has grown; "" if nothing has."""
    grown = [now - then for then, now in zip(before, after, strict=True)]
    limits = (MOST_BLOCKS, MOST_MEMORY, 0, 0)
    return ", ".join(
        f"{more} more {name}"
        for name, more, most in zip(Use._fields, grown, limits, strict=True)
        if more > most
    )


# --- workloads: each does something `count` times -------------------------------------------------

BATCH = 100
LINKS = b"".join(
    wire.message(
        16,
        bytes(
            link.Link(
                index=i, ifname=f"d{i}", mtu=1500, linkinfo={"kind": "vlan", "data": {"id": i}}
            )
        ),
        seq=1,
    )
    for i in range(1, BATCH + 1)
)


def decode(count: int) -> None:
    """Decode messages, read them in every way, and drop them. Every hundredth is malformed."""
    for _ in range(count // BATCH):
        for message in netlink.parse(LINKS, ROUTE):
            assert isinstance(message, link.Link)
            assert message.ifname and message.linkinfo
            message.to_dict()
        with contextlib.suppress(NetlinkError):
            list(netlink.parse(LINKS[:-8] + b"\1\0\1\0" * 2, ROUTE))


def request(count: int) -> None:
    """Make requests in all ways, a third of which the kernel refuses."""
    with Connection(ROUTE) as nl:
        for _ in range(count // BATCH):
            for _ in range(BATCH // 5):
                assert nl.do(link.get(ifname="lo")).index == 1
                with contextlib.suppress(KernelError):
                    nl.do(link.get(index=99))
                nl.dump(link.get()).all()
            list(nl.do_many(link.get(index=i % 2 + 1) for i in range(BATCH // 5)))
            with contextlib.suppress(KernelError):
                nl.do(route.add("10.0.0.0/8", via="192.0.2.1", dev="lo"))
            for _ in range(BATCH // 5):
                next(iter(nl.dump(link.get())))  # an abandoned dump


def request_asyncio(count: int) -> None:
    """Make requests from several tasks, a third of which the kernel refuses."""

    async def one(nl: aio.Connection, number: int) -> None:
        with contextlib.suppress(KernelError):
            await nl.do(link.get(index=number % 3 + 1))

    async def main() -> None:
        async with aio.Connection(ROUTE) as nl:
            for _ in range(count // BATCH):
                async with asyncio.TaskGroup() as tasks:
                    for number in range(BATCH - 20):
                        tasks.create_task(one(nl, number))
                async for _ in nl.do_many(link.get(index=i % 2 + 1) for i in range(18)):
                    pass
                await nl.dump(link.get()).all()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0):  # a cancelled request
                        await nl.do(link.get(index=1))

    asyncio.run(main())


def connect(count: int) -> None:
    """Open connections and use them; close some, and drop the others."""
    for number in range(count):
        nl = Connection(ROUTE)
        subscription = nl.subscribe("link")
        if number % 2:
            nl.do(link.get(index=1))
            subscription.close()
        if number % 3:
            nl.close()
        else:
            _drop(nl)
        del nl, subscription


def _drop(nl: Connection) -> None:
    """Close the socket as its finalizer would, without the warning about it."""
    nl._socket.close()


def connect_asyncio(count: int) -> None:
    """Open asyncio connections, use and close them; every second one has a waiting task."""

    async def one(number: int) -> None:
        async with aio.Connection(ROUTE) as nl:
            waiting = None
            if number % 2:
                await nl.join("link")
                waiting = asyncio.ensure_future(anext(aiter(nl.events())))
            assert (await nl.do(link.get(index=1))).ifname == "lo"
            if waiting is not None:
                waiting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await waiting

    async def main() -> None:
        for number in range(count):
            await one(number)

    asyncio.run(main())


WORKLOADS: dict[str, tuple[Callable[[int], None], int]] = {
    "messages decoded": (decode, 1_000_000),
    "requests": (request, 100_000),
    "requests, asyncio": (request_asyncio, 100_000),
    "connections": (connect, 10_000),
    "connections, asyncio": (connect_asyncio, 10_000),
}


def check(work: Callable[[int], None], count: int) -> str:
    """Do the work and return what has grown, "" if nothing has. A tenth comes first, to warm up."""
    work(max(count // 10, BATCH))
    before = use()
    work(count)
    return growth(before, use())


def main() -> int:
    """Run the workloads at their full size, or a part of it. Return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="the part of the full size")
    share = parser.parse_args().share
    unshare(CLONE_NEWNET)
    failed = 0
    for name, (work, full) in WORKLOADS.items():
        count = int(full * share)
        start = time.monotonic()
        text = check(work, count)
        failed += bool(text)
        print(
            f"{count:>9,} {name}: {text or 'flat'} ({time.monotonic() - start:.0f} s)", flush=True
        )
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
