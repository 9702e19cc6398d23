"""The blocking connection over a scripted kernel: calls that fail in the middle."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from typing import Any

import pytest

from netlink import Connection, KernelError, Reply
from netlink.testing import Datagram, Socket

from . import wire
from .things import FAMILY, Thing, get, numbers, stall, tell, thing, things

# --- time -----------------------------------------------------------------------------------------


class Flood(Socket):
    """There is always something to receive, as long as there is time to."""

    def _receive(self, timeout: float | None) -> tuple[bytes, bytes]:
        if timeout == 0:
            return super()._receive(timeout)
        return wire.receive(b"", port=4711)


def test_a_timeout_is_a_timeout_error_although_others_receive_all_the_time() -> None:
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


def test_no_time_is_a_timeout_error_although_another_thread_receives() -> None:
    """That thread is stuck, as in a trace function, and does not read the answer."""

    class Stuck(Socket):
        def receive(self, *args: Any) -> Any:
            if not is_over.is_set():
                leads.set()
                assert is_over.wait(60)
            return super().receive(*args)

    leads, is_over = threading.Event(), threading.Event()
    nl = Connection(FAMILY, socket=Stuck(things, FAMILY))
    leader = threading.Thread(target=lambda: list(nl.events()))
    leader.start()
    try:
        assert leads.wait(60)
        for attempt in (
            lambda: nl.do(get(), timeout=0),
            lambda: nl.dump(get(), timeout=0).all(),
            lambda: list(nl.do_many([get(), get()], timeout=0)),
        ):
            with pytest.raises(TimeoutError, match="no answer came in time"):
                attempt()
        assert list(nl.events(timeout=0)) == []
    finally:
        is_over.set()
        leader.join()
    assert nl.do(get(number=5)) == Thing(number=5)
    assert not nl._engine.is_waiting


@pytest.mark.parametrize(
    "read", [Reply.all, lambda reply: reply.columns("number"), list], ids=["all", "columns", "list"]
)
def test_what_arrived_before_a_timeout_is_not_skipped(read: Callable[[Any], Any]) -> None:
    """A second all() could return the rest alone: it raises instead."""
    socket = Socket(stall, FAMILY, part=1, datagrams=1)
    nl = Connection(FAMILY, socket=socket)
    reply = nl.dump(get())
    with pytest.raises(TimeoutError) as kept:
        read(reply)
    # The exception holds the reply, which collects nothing more.
    late = thing(1, seq=1), thing(2, seq=1), wire.done(seq=1)
    socket.deliver(*(Datagram(each) for each in late))
    assert nl.do(get(number=5)) == Thing(number=5)
    assert nl.stats.late == 3
    with pytest.raises(OSError, match="the reply was abandoned"):
        read(reply)
    assert kept.value.errno == errno.ETIMEDOUT


# --- sends that fail ------------------------------------------------------------------------------


class Full(Socket):
    """Cannot send a request whose number is 13."""

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        if Thing.from_bytes(buffer[16:]).number == 13:
            raise OSError(errno.ENOBUFS, "no room")
        return super().send(buffer, timeout=timeout)


def test_a_failed_send_makes_way_for_the_next_dump() -> None:
    """A dump that waited for it must be sent: nothing arrives that would make another do so."""
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


def test_a_failed_send_of_a_request_without_an_answer_is_raised() -> None:
    """It returns None only if it was sent."""
    socket = Full(things, FAMILY)
    nl = Connection(FAMILY, socket=socket)
    with pytest.raises(OSError, match="no room"):
        nl.do(tell(number=13))
    assert nl.do(tell(number=1)) is None
    assert not nl._engine.is_waiting
    assert numbers(socket.requests) == [1]
