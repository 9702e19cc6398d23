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
from itertools import islice
from typing import Any

import pytest

from netlink import Connection, EventBatch, Overrun, Pid, aio
from netlink._core import Origin
from netlink.generic import nlctrl
from netlink.route import FAMILY, link, nsid, route
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
    assert any(tally.losses)  # one of 0 was counted by the one before it
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


# --- batches, groups and namespaces ---------------------------------------------------------------


@pytest.mark.parametrize("how", ["blocking", "asyncio"])
def test_batches_of_events(how: str, nl: Connection) -> None:
    """Each event is in one batch; a batch is handed out once, read or not."""
    found: list[tuple[int, object, list[str]]] = []

    def make(first: int) -> None:
        plans = [route.add(f"10.0.{first}.{n}/32", dev="lo") for n in range(50)]
        assert list(nl.do_many(plans)) == [None] * 50

    def note(batch: EventBatch | Overrun, read: bool) -> None:
        assert isinstance(batch, EventBatch) and batch.origin is not None
        count = len(batch)
        names = [str(dst) for dst in batch.columns(Route, "dst")["dst"]] if read else []
        assert len(batch) == (0 if read else count)
        found.append((count, batch.origin.group, names))

    if how == "blocking":
        with Connection(FAMILY) as listener:
            listener.join("ipv4-route")
            make(1)
            for batch in listener.event_batches(timeout=0.3):
                note(batch, read=True)
            make(2)
            for batch in listener.event_batches(timeout=0.3):
                note(batch, read=False)
            make(3)
            events = listener.events(timeout=0.3)
            assert isinstance(event := next(events), Route) and str(event.dst) == "10.0.3.0"
            for batch in listener.event_batches(timeout=0.3):
                note(batch, read=True)
    else:

        async def listen() -> None:
            async with aio.Connection(FAMILY) as listener:
                await listener.join("ipv4-route")
                make(1)
                async for batch in listener.event_batches(timeout=0.3):
                    note(batch, read=True)
                make(2)
                async for batch in listener.event_batches(timeout=0.3):
                    note(batch, read=False)
                make(3)
                event = await anext(listener.events(timeout=0.3))
                assert isinstance(event, Route) and str(event.dst) == "10.0.3.0"
                async for batch in listener.event_batches(timeout=0.3):
                    note(batch, read=True)

        asyncio.run(listen())
    assert sum(count for count, *_ in found) == 149
    assert {group for _, group, _ in found} == {7}  # RTNLGRP_IPV4_ROUTE
    names = [name for *_, names in found for name in names]
    assert names == [f"10.0.1.{n}" for n in range(50)] + [f"10.0.3.{n}" for n in range(1, 50)]


def test_wrong_calls_of_batches(nl: Connection) -> None:
    with Connection(FAMILY) as listener:
        listener.join("link")
        nl.do(link.change("lo", mtu=2000))
        batch = next(listener.event_batches(timeout=5))
        assert isinstance(batch, EventBatch)
        given: Any
        for given, error, words in (
            (("mtu",), TypeError, "a message class first"),
            ((nlctrl.Ctrl, "family_id"), TypeError, "no event of this connection is a Ctrl"),
            ((Link, "mtuu"), LookupError, "mtu"),
            ((Link,), ValueError, "at least one path"),
            ((Link, ["mtu"]), TypeError, "names of fields"),
        ):
            with pytest.raises(error, match=words):
                batch.columns(*given)
        with pytest.raises(TypeError):
            listener.event_batches(timeout="soon")
        chosen = listener.subscribe("link", predicate=lambda message: True)
        with pytest.raises(TypeError, match="without a predicate"):
            chosen.event_batches()


def test_columns_of_later_batches(nl: Connection) -> None:
    """Batches share compiled columns, also after wrong calls, and share no rows."""
    with Connection(FAMILY) as listener:
        listener.join("link")
        stream = listener.event_batches(timeout=0.5)
        for mtu in range(2000, 2008):
            nl.do(link.change("lo", mtu=mtu))
            batch = next(stream)
            assert isinstance(batch, EventBatch)
            count, paths = len(batch), ("mtu", "ifname")[: 1 + mtu % 2]
            with pytest.raises(LookupError):
                batch.columns(Link, "mtu", "mtuu")
            nl.do(link.change("lo", mtu=mtu + 1000))
            batch = next(stream)
            assert isinstance(batch, EventBatch)
            columns = batch.columns(Link, *paths)
            assert [*columns] == [*paths]
            assert [*columns["mtu"]] == [mtu + 1000] * count


def test_an_event_knows_its_namespace_and_group(nl: Connection) -> None:
    """Fact: LISTEN_ALL_NSID: cmsg type 8 (int) only on events of OTHER namespaces; none on own."""
    with subprocess.Popen(["unshare", "-n", "sleep", "60"]) as sleeper:
        try:
            own = os.readlink("/proc/thread-self/ns/net")
            while os.readlink(f"/proc/{sleeper.pid}/ns/net") == own:
                time.sleep(0.01)
            nl.do(nsid.new(nsid=77, pid=sleeper.pid))
            with (
                Connection(FAMILY, listen_all_nsid=True, timeout=5) as listener,
                Connection(FAMILY, netns=Pid(sleeper.pid)) as other,
            ):
                listener.join("link")
                other.do(link.change("lo", mtu=3000))
                nl.do(link.change("lo", mtu=4000))
                first, second = islice(listener.events(timeout=5), 2)
                assert isinstance(first, Link) and isinstance(second, Link)
                assert (first.mtu, first.origin) == (3000, Origin(1, 77))
                assert (second.mtu, second.origin) == (4000, Origin(1, -1))
                assert second.origin is not None and second.origin.nsid is None
                assert first.detach().origin == first.origin
                assert listener.do(link.get(ifname="lo")).origin is None
        finally:
            sleeper.kill()
