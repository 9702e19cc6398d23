"""The blocking driver over a scripted kernel: what it does when a call fails half-way."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from netlink import Connection, KernelError
from netlink.engine import Reply
from netlink.testing import Datagram, Socket

from . import wire
from .test_engine import FAMILY, Thing, get, numbers, thing


def things(request: Thing) -> Iterator[Thing]:
    """A get is answered by its number, a dump by 0 to 9."""
    for number in range(10) if request.number is None else (request.number,):
        yield Thing(number=number)


def stall(request: Thing) -> Iterator[Thing]:
    """A dump that stops in the middle; a get is answered."""
    if request.number is None:
        yield Thing(number=0)
        raise TimeoutError
    yield request


# --- time -----------------------------------------------------------------------------------------


class Flood(Socket):
    """There is always something to receive, as long as there is time to."""

    def receive(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        if timeout == 0:
            return super().receive(timeout)
        return wire.receive(b"", port=4711)


def test_a_timeout_is_a_timeout_error_though_others_receive_all_the_time() -> None:
    nl = Connection(FAMILY, socket=Flood(lambda request: stall(Thing()), FAMILY), timeout=0.01)
    for attempt in (
        lambda: nl.do(get()),
        lambda: nl.do(get(), timeout=0),
        lambda: list(nl.do_many([get(), get()])),
    ):
        with pytest.raises(TimeoutError, match="no answer came in time"):
            attempt()
    assert nl.stats.strangers > 0
    assert list(nl.events(timeout=0)) == []


@pytest.mark.parametrize(
    "read", [Reply.all, lambda reply: reply.columns("number"), list], ids=["all", "columns", "list"]
)
def test_what_came_before_a_timeout_is_not_passed_over(read: Callable[[Any], Any]) -> None:
    """A second all() could give the rest alone: it says that there is none."""
    socket = Socket(stall, FAMILY, part=1, datagrams=1)
    nl = Connection(FAMILY, socket=socket)
    reply = nl.dump(get())
    with pytest.raises(TimeoutError) as kept:
        read(reply)
    # The exception holds the reply, which collects nothing more.
    late = thing(1, seq=reply.seq), thing(2, seq=reply.seq), wire.done(seq=reply.seq)
    socket.deliver(*(Datagram(each) for each in late))
    assert nl.do(get(number=5)) == Thing(number=5)
    assert nl.stats.late == 3
    with pytest.raises(OSError, match="the reply was abandoned"):
        read(reply)
    assert kept.value.errno == errno.ETIMEDOUT


class Lock:
    """A lock behind whose release a signal comes, once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.armed = False

    def acquire(self, *args: Any) -> bool:
        return self.lock.acquire(*args)

    def release(self) -> None:
        self.lock.release()
        if self.armed:
            self.armed = False
            raise KeyboardInterrupt

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *error: object) -> None:
        self.lock.release()


def test_a_signal_behind_the_release_of_the_lock_leaves_it_as_it_was() -> None:
    nl = Connection(FAMILY, socket=Socket(things, FAMILY))
    lock: Any = Lock()
    nl._lock, nl._turn = lock, threading.Condition(lock)
    lock.armed = True
    with pytest.raises(KeyboardInterrupt):
        nl.do(get(number=5))
    assert not lock.lock.locked()
    assert not nl._receiving
    assert nl.do(get(number=6)) == Thing(number=6)


# --- sends that fail ------------------------------------------------------------------------------


class Full(Socket):
    """Cannot send a request whose number is 13."""

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        if Thing.from_bytes(buffer[16:]).number == 13:
            raise OSError(errno.ENOBUFS, "no room")
        return super().send(buffer, timeout=timeout)


def test_a_failed_send_makes_way_for_the_next_dump() -> None:
    """A dump that waited for it must be sent, as nothing comes that would make another do so."""
    nl = Connection(FAMILY, socket=Full(things, FAMILY, part=1, datagrams=1))
    first, failing, last = nl.dump(get()), nl.dump(get(number=13)), nl.dump(get())
    assert numbers(first) == [*range(10)]
    assert numbers(last) == [*range(10)]
    with pytest.raises(OSError, match="no room"):
        list(failing)


def test_a_failed_send_fails_its_request_alone() -> None:
    nl = Connection(FAMILY, socket=Full(things, FAMILY))
    with pytest.raises(OSError, match="no room") as caught:
        nl.do(get(number=13))
    assert not isinstance(caught.value, KernelError)
    assert nl.do(get(number=1)) == Thing(number=1)
