"""Storms of route events: what a consumer gets with and without reading ahead.

Each event is one datagram, so the events and the number of an Overrun add up to what was sent. With
NETLINK_LONG=1 the storms are the full ones: 200,000 events, 20 times, while another process keeps a
processor busy.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from netlink import Connection, Overrun, aio
from netlink.route import FAMILY, link, route
from netlink.route.link import Link
from netlink.route.route import Route

LONG = bool(os.environ.get("NETLINK_LONG"))
STORM = 200_000 if LONG else 20_000
ROUNDS = 20 if LONG else 2
SILENCE = 3.0  # seconds after the last event


@contextmanager
def storm(count: int, first: int = 0) -> Iterator[None]:
    """Have `ip` create routes at the kernel's full speed."""
    lines = (
        f"route add 10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}/32 dev lo"
        for n in range(first, first + count)
    )
    text = "\n".join(lines)
    with subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE, text=True) as ip:
        writer = threading.Thread(target=ip.communicate, args=(text,))
        writer.start()
        yield
        writer.join()
    assert ip.returncode == 0


@contextmanager
def busy() -> Iterator[None]:
    """Keep one processor busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            yield
        finally:
            other.kill()


class Tally:
    """What came: the events, in their order, and the numbers of the losses."""

    def __init__(self, pauses: bool = False) -> None:
        self.seen: list[str] = []
        self.losses: list[int] = []
        self.pauses = pauses

    def __call__(self, event: object) -> None:
        if isinstance(event, Overrun):
            assert event.where == "kernel" and event.count is not None
            self.losses.append(event.count)
        elif isinstance(event, Route) and event.nlmsg_name == "RTM_NEWROUTE":
            self.seen.append(str(event.dst))
            if self.pauses and len(self.seen) in (STORM // 3, 2 * STORM // 3):
                time.sleep(0.5)

    @property
    def total(self) -> int:
        return len(self.seen) + sum(self.losses)

    def check_order(self) -> None:
        keys = [tuple(map(int, text.split("."))) for text in self.seen]
        assert keys == sorted(set(keys))


@pytest.fixture(autouse=True)
def _loopback(nl: Connection) -> None:
    nl.do(link.change("lo", up=True))


def clear(nl: Connection) -> None:
    subprocess.run(["ip", "route", "flush", "table", "main"], check=True)


@pytest.mark.usefixtures("machine_root")
@pytest.mark.parametrize("how", ["blocking", "asyncio"])
def test_a_consumer_that_reads_ahead_loses_nothing(how: str, nl: Connection) -> None:
    for _ in range(ROUNDS):
        tally = Tally(pauses=True)
        with busy():
            if how == "blocking":
                with Connection(FAMILY, read_ahead=64 << 20) as listener:
                    listener.join("ipv4-route")
                    with storm(STORM):
                        for event in listener.events(timeout=SILENCE):
                            tally(event)
            else:

                async def listen(tally: Tally = tally) -> None:
                    async with aio.Connection(FAMILY, read_ahead=64 << 20) as listener:
                        await listener.join("ipv4-route")
                        with storm(STORM):
                            async for event in listener.events(timeout=SILENCE):
                                tally(event)

                asyncio.run(listen())
        assert tally.losses == []
        assert len(tally.seen) == STORM
        tally.check_order()
        clear(nl)


@pytest.mark.parametrize("how", ["blocking", "asyncio", "ahead", "asyncio ahead"])
def test_losses_are_counted_and_the_connection_works_afterwards(how: str, nl: Connection) -> None:
    """Fact: Drops: /proc/net/netlink column "Drops" (9th), SO_MEMINFO[8] are the same number."""
    tally = Tally()
    ahead = 256 << 10 if "ahead" in how else None
    if "asyncio" not in how:
        with Connection(FAMILY, rcvbuf=4096, read_ahead=ahead, timeout=10) as listener:
            listener.join("ipv4-route")
            with storm(STORM):
                time.sleep(0.2)
                for event in listener.events(timeout=SILENCE):
                    tally(event)
            assert listener.do(link.get(ifname="lo")).index == 1
            assert listener.stats.overruns == len(tally.losses)
    else:

        async def listen() -> None:
            async with aio.Connection(
                FAMILY, rcvbuf=4096, read_ahead=ahead, timeout=10
            ) as listener:
                await listener.join("ipv4-route")
                with storm(STORM):
                    await asyncio.sleep(0.2)
                    async for event in listener.events(timeout=SILENCE):
                        tally(event)
                assert (await listener.do(link.get(ifname="lo"))).index == 1

        asyncio.run(listen())
    assert tally.losses and all(tally.losses)
    assert tally.total == STORM
    tally.check_order()


def test_requests_while_a_thread_reads_ahead(nl: Connection) -> None:
    """Answers, dumps and pipelines come through the thread, among the events of a storm."""
    with Connection(FAMILY, read_ahead=64 << 20, timeout=10) as listener:
        assert not listener._socket.reads_ahead
        listener.join("ipv4-route")
        assert listener._socket.reads_ahead
        descriptor = listener.fileno()
        tally = Tally()
        with storm(2000):
            for number in range(100):
                assert listener.do(link.get(ifname="lo")).index == 1
                assert len(listener.dump(link.get()).all()) == 1
                new = route.add(f"11.0.0.{number}/32", dev="lo")
                assert list(listener.do_many([new])) == [None]
        for event in listener.events(timeout=1):
            tally(event)
        assert len([text for text in tally.seen if text.startswith("10.")]) == 2000
        assert tally.losses == []
        assert listener.fileno() == descriptor
        assert len(listener.dump(route.get(family=2)).all()) >= 2100


def test_the_buffer_can_be_changed_at_any_time() -> None:
    with Connection(FAMILY, rcvbuf=8192) as listener:
        assert listener.rcvbuf == 2 * 8192
        listener.rcvbuf = 65_536
        assert listener.rcvbuf == listener._engine.rcvbuf == 2 * 65_536
        with pytest.raises((TypeError, ValueError)):
            listener.rcvbuf = "64 KiB"  # type: ignore[assignment]
        with pytest.raises(TypeError, match="read_ahead= says how to open a socket"):
            Connection(FAMILY, socket=listener._socket, read_ahead=1 << 20)
        with pytest.raises(ValueError, match="read_ahead must be at least"):
            Connection(FAMILY, read_ahead=1000)


def test_a_task_that_waits_while_the_thread_starts(nl: Connection) -> None:
    """The descriptor that asyncio watches stays the same, so it wakes the loop afterwards too."""

    async def run() -> None:
        async with aio.Connection(FAMILY, read_ahead=1 << 20, timeout=10) as listener:
            events = listener.events()
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0.05)
            await listener.join("link")
            nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
            event = await asyncio.wait_for(waiting, 10)
            assert isinstance(event, Link) and event.nlmsg_name == "RTM_NEWLINK"

    asyncio.run(run())
