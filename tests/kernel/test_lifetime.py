"""Dropping a connection closes its descriptor at once, even with the garbage collector disabled.

A reference cycle anywhere in the conversation would keep the descriptor open until a collection.
Each scene uses a connection and drops it in a state of its own.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from itertools import count, islice
from typing import Any

import pytest

from netlink import (
    Connection,
    KernelError,
    NetlinkError,
    Overrun,
    aio,
    ifindex,
    listen,
    plan,
    wait,
)
from netlink.family import Steps
from netlink.generic import list_families, nlctrl
from netlink.route import FAMILY, link

LO = 1
MTUS = count(2000)  # only a change is an event

# Of a socket that nobody closed, as Python's own.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <netlink.RawSocket:ResourceWarning")


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def gets(count: int) -> Iterator[Any]:
    for _ in range(count):
        yield link.get(index=LO)


@plan
def change(name: str, mtu: int) -> Steps[None]:
    index = yield ifindex(name)
    yield link.set(index=index, mtu=mtu)


@plan(sequence=True)
def waiting() -> Steps[None]:
    yield listen("link")
    yield wait(timeout=0.01)


# --- blocking -------------------------------------------------------------------------------------


def unused(nl: Connection) -> None:
    pass


def asked(nl: Connection) -> None:
    nl.do(link.get(index=LO))


def refused(nl: Connection) -> None:
    with suppress(KernelError):
        nl.do(link.get(ifname="nothere"))


def raising(nl: Connection) -> None:
    with suppress(ZeroDivisionError), nl:
        raise ZeroDivisionError
    raise KeyError("caught by the test")


def timed_out(nl: Connection) -> None:
    with suppress(TimeoutError):
        list(nl.dump(link.get(), timeout=0))
    with suppress(TimeoutError):
        nl.do(link.get(index=LO), timeout=0)


def dumped(nl: Connection) -> None:
    assert len(list(nl.dump(link.get()))) == len(nl.dump(link.get()).all()) > 0
    nl.dump(link.get()).columns("ifname")


def half_read(nl: Connection) -> None:
    reply = nl.dump(link.get())
    next(iter(reply))
    nl.dump(link.get())  # waits, and nobody holds its reply


def held_reply(nl: Connection) -> Any:
    """A reply holds its connection. Dropping it closes that."""
    messages = iter(nl.dump(link.get()))
    next(messages)
    return messages


def dropped_pipeline(nl: Connection) -> None:
    outcomes = nl.do_many(gets(100), window=4)
    assert len(list(islice(outcomes, 10))) == 10


def dropped_large_pipeline(nl: Connection) -> None:
    """A thread of the core sends while the generator is dropped."""
    outcomes = nl.do_many((link.set(index=LO, mtu=5000) for _ in range(4000)), window=1024)
    with suppress(Overrun):  # so many answers exceed a small receive buffer
        next(outcomes)


def broken_pipeline(nl: Connection) -> None:
    with suppress(TypeError):
        list(nl.do_many(iter([link.get(index=LO), None])))
    with suppress(KernelError):
        list(nl.do_many([link.get(ifname="nothere")], raise_errors=True))


def planned(nl: Connection) -> None:
    nl.do(change("lo", next(MTUS)))
    assert list(nl.do_many(change("lo", mtu) for mtu in (5000, 6000))) == [None, None]
    for made in (change("nothere", 5000), change("lo", -1), waiting()):
        with suppress(NetlinkError, TimeoutError):
            nl.do(made)


def subscribed(nl: Connection) -> None:
    nl.join("link")
    kept, dropped = nl.subscribe("link", "neigh"), nl.subscribe("link", predicate=bool)
    nl.do(link.set(index=LO, mtu=next(MTUS)))
    next(iter(kept))
    for _ in dropped:
        break
    for _ in nl.events(timeout=0):
        break
    kept.close()


def listening(nl: Connection) -> Any:
    """A loop over events holds its connection."""
    events = iter(nl.subscribe("link"))
    nl.do(link.set(index=LO, mtu=next(MTUS)))
    next(events)
    return events


def joined_in_vain(nl: Connection) -> None:
    for groups in (("no-such",), ("link", 9999)):
        with suppress(LookupError, OSError):
            nl.subscribe(*groups)
        with suppress(LookupError, OSError):
            nl.join(*groups)


BLOCKING: list[Callable[[Connection], Any]] = [
    unused, asked, refused, raising, timed_out, dumped, half_read, held_reply, dropped_pipeline,
    dropped_large_pipeline, broken_pipeline, planned, subscribed, listening, joined_in_vain,
]  # fmt: skip


@pytest.mark.parametrize("is_traced", [False, True], ids=["plain", "traced"])
@pytest.mark.parametrize("scene", BLOCKING, ids=lambda scene: scene.__name__)
def test_a_blocking_connection_that_is_dropped(
    scene: Callable[[Connection], Any], is_traced: bool
) -> None:
    trace: Any = (lambda seen: None) if is_traced else None
    scene_once(lambda: Connection(FAMILY, trace=trace), scene)  # imports, and warms caches
    before = descriptors()
    for _ in range(5):
        scene_once(lambda: Connection(FAMILY, trace=trace), scene)
        assert descriptors() == before


def scene_once(make: Callable[[], Any], scene: Callable[[Any], Any]) -> None:
    nl = make()
    try:
        held = scene(nl)
    except KeyError:
        held = None
    number = nl.fileno() if not nl.closed else -1
    del nl
    if held is not None:
        os.fstat(number)  # it is open
        del held


def test_a_generic_connection_that_is_dropped() -> None:
    def use(nl: Connection) -> None:
        assert nl.do(list_families())
        nl.join("notify")
        with suppress(LookupError, KernelError):
            nl.join("no-such")

    scene_once(lambda: Connection(nlctrl.FAMILY), use)
    before = descriptors()
    for _ in range(5):
        scene_once(lambda: Connection(nlctrl.FAMILY), use)
        assert descriptors() == before


def test_fifty_connections_that_are_dropped() -> None:
    before = descriptors()
    for _ in range(50):
        nl = Connection(FAMILY)
        nl.do(link.get(index=LO))
        list(nl.dump(link.get()))
    del nl
    assert descriptors() == before


# --- asyncio --------------------------------------------------------------------------------------


async def a_unused(nl: aio.Connection) -> None:
    pass


async def a_asked(nl: aio.Connection) -> None:
    await nl.do(link.get(index=LO))
    await asyncio.gather(*(nl.do(link.get(index=LO)) for _ in range(5)))


async def a_refused(nl: aio.Connection) -> None:
    with suppress(KernelError):
        await nl.do(link.get(ifname="nothere"))


async def a_timed_out(nl: aio.Connection) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.001):
            async for _ in nl.events():
                pass
    async for _ in nl.events(timeout=0.001):
        pass
    with suppress(TimeoutError):
        await nl.dump(link.get(), timeout=0).all()


async def a_cancelled(nl: aio.Connection) -> None:
    task = asyncio.ensure_future(anext(nl.events()))
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def a_dumped(nl: aio.Connection) -> None:
    assert [message async for message in nl.dump(link.get())]
    await nl.dump(link.get()).all()
    await nl.dump(link.get()).columns("ifname")


async def a_half_read(nl: aio.Connection) -> None:
    async for _ in nl.dump(link.get()):
        break
    nl.dump(link.get())


async def a_dropped_pipeline(nl: aio.Connection) -> None:
    async for _ in nl.do_many(gets(100), window=4):
        break


async def a_planned(nl: aio.Connection) -> None:
    await nl.do(change("lo", next(MTUS)))
    assert [each async for each in nl.do_many([change("lo", 6000)])] == [None]
    for made in (change("nothere", 5000), change("lo", -1), waiting()):
        with suppress(NetlinkError, TimeoutError):
            await nl.do(made)


async def a_subscribed(nl: aio.Connection) -> None:
    await nl.join("link")
    kept, dropped = await nl.subscribe("link", "neigh"), await nl.subscribe("link", predicate=bool)
    await nl.do(link.set(index=LO, mtu=next(MTUS)))
    for subscription in (kept, dropped):
        async for _ in subscription:
            break
    async for _ in nl.events(timeout=0):
        break
    await kept.close()


ASYNCIO: list[Callable[[aio.Connection], Coroutine[Any, Any, None]]] = [
    a_unused, a_asked, a_refused, a_timed_out, a_cancelled, a_dumped, a_half_read,
    a_dropped_pipeline, a_planned, a_subscribed,
]  # fmt: skip


@pytest.mark.parametrize("threaded", [False, True], ids=["direct", "threaded"])
@pytest.mark.parametrize("scene", ASYNCIO, ids=lambda scene: scene.__name__.removeprefix("a_"))
def test_an_asyncio_connection_that_is_dropped(
    scene: Callable[[aio.Connection], Coroutine[Any, Any, None]], threaded: bool
) -> None:
    async def once() -> None:
        nl = aio.Connection(FAMILY, threaded_sends=threaded)
        await scene(nl)

    async def main() -> None:
        for _ in range(2):  # the second one is sent by a thread that is there
            await once()
            await settled()
        await asyncio.sleep(0.05)
        before = descriptors()
        for _ in range(5):
            await once()
            await settled()
            for _ in range(1000 if threaded else 0):  # until the thread drops what it has sent
                if descriptors() == before:
                    break
                await asyncio.sleep(0.01)
            assert descriptors() == before

    asyncio.run(main())


async def settled() -> None:
    """asyncio ends an abandoned generator, and the callback of a thread, in a later turn."""
    for _ in range(5):
        await asyncio.sleep(0)
