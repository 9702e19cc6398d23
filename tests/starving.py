"""Executes an operation again and again, and has one allocation of Python after the other fail.

`python -m tests.starving OPERATION` prints what broke a promise, and the number of the failures as
the last line. The allocations fail by `_testcapi.set_nomemory`, first each one alone, and then each
together with many after it. The operations are those of the core, which need no socket, and
those of connections to the kernel, which must run in a network namespace of their own.
tests/test_adversity.py and tests/kernel/test_adversity_live.py start it.
"""

import _testcapi  # type: ignore[import-not-found]  # of the interpreter's own tests
import asyncio
import faulthandler
import gc
import os
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import netlink
from netlink import Connection, Overrun, RawSocket, aio
from netlink._core import INDEX_FORMAT
from netlink.capture import unhex
from netlink.route import FAMILY, link
from tests import wire

LO = 1
# How many allocations fail one after the other. Python 3.11 gives up ("Cannot recover from
# MemoryErrors while normalizing exceptions") if several do.
SPANS = (1, 40) if sys.version_info >= (3, 12) else (1,)
PATIENCE = 0.2  # seconds without an answer
MTUS = (1500, 1600, 1700)


class Broken(Exception):
    """A promise is broken."""


def check(holds: bool, text: str) -> None:
    if not holds:
        raise Broken(text)


# --- one allocation fails -------------------------------------------------------------------------


def starved(
    operation: Callable[[], Any], first: int, last: int
) -> tuple[Any, BaseException | None]:
    """Return what an operation returns or raises while allocations `first` to `last` fail."""
    result, failure = None, None
    _testcapi.set_nomemory(first, last)
    try:
        result = operation()
    except BaseException as error:
        failure = error
    _testcapi.remove_mem_hooks()
    return result, failure


def is_shortage(error: BaseException | None) -> bool:
    """Whether an exception is a MemoryError, or was raised because of one.

    Python 3.12 and 3.13 raise a SystemError if there is no memory for the frame of a function.
    """
    while error is not None and not isinstance(error, MemoryError):
        if isinstance(error, SystemError) and "without exception set" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return error is not None


def sweep(once: Callable[[int, int], BaseException | None]) -> int:
    """Call `once` for each allocation of an operation, and return how often one failed."""
    failures = 0
    for span in SPANS:
        position, whole = 0, 0
        while whole < 8:  # a failed allocation may have no effect, as that of a cache
            error = once(position, position + span)
            if error is None:
                whole += 1
            elif not is_shortage(error):
                print(f"allocation {position}: {error!r}")
                raise SystemExit(1) from error
            else:
                failures += 1
                whole = 0
            position += 1
    return failures


# --- the core -------------------------------------------------------------------------------------

LINK = link.Link(
    index=7, ifname="v0", mtu=1500, address="02:00:00:00:00:01",
    linkinfo={"kind": "veth", "data": {"peer": {"ifname": "v1"}}},
    af_spec={"inet6": {"flags": 1}},
)  # fmt: skip
STREAM = b"".join(wire.message(16, bytes(LINK), seq=number) for number in range(3))
DUMP = STREAM.hex(" ", 1)


CORE: dict[str, Callable[[], Any]] = {
    "parse": lambda: list(netlink.parse(STREAM, FAMILY)),
    "to_dict": lambda: [link.Link.from_bytes(bytes(LINK)).to_dict()],
    "json": lambda: [link.Link.from_bytes(bytes(LINK)).to_json()],
    "repr": lambda: repr(link.Link.from_bytes(bytes(LINK))),
    "pretty": lambda: link.Link.from_bytes(bytes(LINK)).pretty(),
    "construct": lambda: link.Link(
        index=7, ifname="v0", linkinfo={"kind": "veth", "data": {"peer": {"ifname": "v1"}}}
    ),
    "replace": lambda: LINK.replace(mtu=9000),
    "iter": lambda: [bytes(each.payload) for each in netlink.iter_messages(STREAM)],
    "unhex": lambda: unhex(DUMP),
}


def core(operation: Callable[[], Any]) -> int:
    """The right result or a MemoryError, never a part of the result."""
    wanted = operation()

    def once(first: int, last: int) -> BaseException | None:
        result, error = starved(operation, first, last)
        check(error is not None or result == wanted, f"allocation {first}: {result!r}")
        return error

    return sweep(once)


# --- a connection to the kernel -------------------------------------------------------------------


def is_lo(messages: Any) -> bool:
    return [each.ifname for each in messages] == ["lo"]


def do(nl: Connection) -> bool:
    return bool(nl.do(link.get(index=LO)).ifname == "lo")


def dump(nl: Connection) -> bool:
    return is_lo(nl.dump(link.get()).all())


def iterate(nl: Connection) -> bool:
    return is_lo(nl.dump(link.get()))


def gather(nl: Connection) -> bool:
    return list(nl.dump(link.get()).columns("ifname")["ifname"]) == ["lo"]


def do_many(nl: Connection) -> bool:
    return list(nl.do_many([link.set(index=LO, txqlen=500)] * 3)) == [None] * 3


def subscribe(nl: Connection) -> bool:
    with nl.subscribe("link"):
        return True


CONVERSATION: dict[str, Callable[[Connection], bool]] = {
    "do": do, "dump": dump, "iterate": iterate, "gather": gather, "do_many": do_many,
    "subscribe": subscribe,
}  # fmt: skip


def conversation(operation: Callable[[Connection], bool]) -> int:
    """A right result or an exception; the same connection works afterwards."""

    def once(first: int, last: int) -> BaseException | None:
        with Connection(FAMILY, timeout=PATIENCE) as nl:
            operation(nl)
            result, error = starved(lambda: operation(nl), first, last)
            check(error is not None or result is True, f"allocation {first}: a wrong result")
            check(all(each(nl) for each in CONVERSATION.values()), f"allocation {first}: unusable")
            check(not nl._engine.is_waiting, f"allocation {first}: a request is left")
            return error

    return sweep(once)


def connect() -> int:
    """A connection, or an exception and no descriptor."""
    before = os.listdir("/proc/self/fd")

    def make() -> None:
        Connection(FAMILY, rcvbuf=1 << 16).close()

    def once(first: int, last: int) -> BaseException | None:
        _, error = starved(make, first, last)
        kept = error  # what a traceback holds
        if kept is not None:
            kept.__traceback__ = kept.__context__ = None
        gc.collect()
        check(os.listdir("/proc/self/fd") == before, f"allocation {first}: a descriptor is left")
        return MemoryError() if error is not None and is_shortage(error) else error

    return sweep(once)


def change_mtu(other: Connection) -> None:
    for mtu in MTUS:
        other.do(link.set(index=LO, mtu=mtu))


def events() -> int:
    """Events come once and in order. Only the one that the interrupted step returns may be lost."""

    def once(first: int, last: int) -> BaseException | None:
        found: list[Any] = [None] * 20  # storing must not allocate
        count = 0

        def read() -> None:
            nonlocal count
            for event in nl.events(timeout=0):
                found[count] = event
                count += 1

        with Connection(FAMILY) as nl, Connection(FAMILY) as other:
            nl.join("link")
            change_mtu(other)
            _, error = starved(read, first, last)
            read()
            change_mtu(other)
            read()
        if not any(isinstance(each, Overrun) for each in found):
            mtus = [each.mtu for each in found[:count]]
            check(mtus[-3:] == [*MTUS], f"allocation {first}: {mtus}")
            check(len(mtus) >= 6 - (error is not None), f"allocation {first}: {mtus}")
            check(sorted(mtus[:-3]) == mtus[:-3], f"allocation {first}: {mtus}")
        return error

    return sweep(once)


def receive() -> int:
    """What receive() could not copy is returned by the next call, the index included."""

    def once(first: int, last: int) -> BaseException | None:
        with RawSocket(0) as sock:
            sock.bind()
            for seq in range(1, 4):
                sock.send(wire.message(18, bytes(link.Link(index=LO)), seq=seq, flags=1))
            inbox: list[tuple[bytes, bytes]] = []
            _, error = starved(lambda: sock.receive(0, inbox), first, last)
            if error is not None:
                check(not inbox, f"allocation {first}: received and raised")
                sock.receive(0, inbox)
            ((data, index),) = inbox
            seqs = [
                struct.unpack_from("=I", data, start + 8)[0]
                for start, *_ in struct.iter_unpack(INDEX_FORMAT, index)
            ]
            check(seqs == [1, 2, 3], f"allocation {first}: {seqs}")
            return error

    return sweep(once)


# --- asyncio --------------------------------------------------------------------------------------


async def a_do(nl: aio.Connection) -> bool:
    return bool((await nl.do(link.get(index=LO))).ifname == "lo")


async def a_dump(nl: aio.Connection) -> bool:
    return is_lo(await nl.dump(link.get()).all())


async def a_do_many(nl: aio.Connection) -> bool:
    requests = [link.set(index=LO, txqlen=500)] * 3
    return [each async for each in nl.do_many(requests)] == [None] * 3


ASYNCIO: dict[str, Callable[[aio.Connection], Awaitable[bool]]] = {
    "a_do": a_do, "a_dump": a_dump, "a_do_many": a_do_many,
}  # fmt: skip


def asynchronous(operation: Callable[[aio.Connection], Awaitable[bool]]) -> int:
    """As conversation(). The event loop has no memory either."""

    def once(first: int, last: int) -> BaseException | None:
        async def main() -> BaseException | None:
            async with aio.Connection(FAMILY, timeout=PATIENCE) as nl:
                await operation(nl)
                failure: BaseException | None = None
                _testcapi.set_nomemory(first, last)
                try:
                    result = await operation(nl)
                except BaseException as error:
                    failure = error
                _testcapi.remove_mem_hooks()
                check(failure is not None or result, f"allocation {first}: a wrong result")
                with suppress(TimeoutError):  # of the answer that was lost
                    await a_do(nl)
                for each in ASYNCIO.values():
                    check(await each(nl), f"allocation {first}: unusable")
                check(not nl._engine.is_waiting, f"allocation {first}: a request is left")
                check(not nl._waiters, f"allocation {first}: a task waits")
                return failure

        return asyncio.run(main())

    return sweep(once)


OPERATIONS: dict[str, Callable[[], int]] = {
    "connect": connect,
    "events": events,
    "receive": receive,
    **{name: partial(conversation, each) for name, each in CONVERSATION.items()},
    **{name: partial(asynchronous, each) for name, each in ASYNCIO.items()},
}

if __name__ == "__main__":
    faulthandler.enable()
    name = sys.argv[1]
    print(core(CORE[name]) if name in CORE else OPERATIONS[name]())
