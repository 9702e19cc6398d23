"""Pipelines without a kernel: reading ahead, sending together, and transactions."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import pytest

from netlink import Connection, Family, KernelError, Message, Op, Request, iter_messages
from netlink import schema as s
from netlink._exchange import Batch
from netlink._pipeline import FIRST, cut, take
from netlink._resolver import resolver_for
from netlink.engine import Engine
from netlink.testing import Socket

from . import wire


class TYPE(IntEnum):
    BEGIN = 16
    END = 17
    NEW = 18


class Thing(Message):
    number: int | None = s.u32(1)


begin = Op("batch.begin", TYPE.BEGIN, Thing, bracket=1)
end = Op("batch.end", TYPE.END, Thing, bracket=-1)
new = Op("thing.new", TYPE.NEW, Thing, answer="optional")
FAMILY = Family("thing", protocol=12, ops=(begin, end, new), types=TYPE)


def thing(seq: int) -> bytes:
    return wire.message(TYPE.NEW, bytes(Thing(number=7)), seq=seq)


def things(*numbers: int) -> list[Request[Thing | None, Thing]]:
    return [new(number=number) for number in numbers]


def connect(function: Any = lambda request: None) -> tuple[Connection, Socket]:
    socket = Socket(function, FAMILY)
    return Connection(FAMILY, socket=socket), socket


# --- what is read, and when -----------------------------------------------------------------------


class Source:
    """An endless stream of requests, which counts how many were taken."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[Request[Thing | None, Thing]]:
        while True:
            self.taken += 1
            yield new(number=self.taken)


@pytest.mark.parametrize("window", [1, 7, 511, 512, 2000])
def test_no_more_is_read_than_the_window(window: int) -> None:
    nl, _ = connect()
    source = Source()
    with nl:
        for given, outcome in enumerate(nl.do_many(source, window=window)):
            assert outcome is None
            assert given < source.taken <= given + window
            if given == 3 * window:
                break


def test_by_default_the_first_answers_show_how_large_they_are() -> None:
    for answer, size in ((None, 2048), (Thing(number=1), 8192)):
        nl, socket = connect(lambda request, answer=answer: answer)
        socket.rcvbuf = 100 * size
        source = Source()
        with nl:
            outcomes = nl.do_many(source)
            for _ in range(FIRST):
                next(outcomes)
            assert source.taken == FIRST
            next(outcomes)
            assert source.taken == FIRST + 100


@pytest.mark.parametrize("window", [3, 512])
def test_what_the_source_raises_comes_after_the_outcomes(window: int) -> None:
    def source() -> Iterator[Request[Thing | None, Thing]]:
        yield from things(*range(700))
        raise RuntimeError("no more")

    nl, socket = connect()
    seen = 0
    with nl:
        with pytest.raises(RuntimeError, match="no more"):
            for outcome in nl.do_many(source(), window=window):
                assert outcome is None
                seen += 1
        assert not nl._engine.is_waiting
    assert seen == len(socket.requests) == 700


@pytest.mark.parametrize("window", [3, 512])
def test_the_first_error_is_raised_with_its_index(window: int) -> None:
    def refuse(request: Any) -> None:
        if request.number == 600:
            raise KernelError(errno.EEXIST)

    nl, socket = connect(refuse)
    with nl:
        outcomes = nl.do_many(things(*range(5000)), window=window, raise_errors=True)
        with pytest.raises(KernelError) as caught:
            for _ in outcomes:
                pass
        assert caught.value.index == 600
        assert not nl._engine.is_waiting
        assert len(socket.requests) <= 601 + window
        assert nl.do(new(number=1)) is None


@pytest.mark.parametrize("window", [0, -1])
def test_a_window_holds_at_least_one_request(window: int) -> None:
    """With none, do_many() would end silently and send nothing."""
    nl, socket = connect()
    with nl, pytest.raises(ValueError, match=f"a window of {window} requests"):
        list(nl.do_many(things(1), window=window))
    assert socket.requests == []


@pytest.mark.parametrize("window", [True, 1.5, "5"])
def test_a_window_is_a_number(window: Any) -> None:
    nl, socket = connect()
    with nl, pytest.raises(TypeError, match="window must be a number of requests, got "):
        list(nl.do_many(things(1), window=window))
    assert socket.requests == []


def test_a_pipeline_does_not_wait_for_ever_for_the_answers_of_another_one() -> None:
    """The kernel answers every request. If it should not, the others need not wait for that."""
    socket = Socket(silent_at(7), FAMILY)
    socket.rcvbuf = 4096
    with Connection(FAMILY, socket=socket) as nl:
        first = nl._engine.submit_batch(things(7), answer_size=4096)
        nl._channel._flush(None)
        assert nl._engine.owed() == 4096
        assert list(nl.do_many(things(1, 2, 3))) == [None] * 3
        assert not first.ready
        nl._engine.abandon(first)
        assert nl._engine.owed() == 0


def silent_at(number: int) -> Any:
    def kernel(request: Any) -> None:
        if request.number == number:
            raise TimeoutError

    return kernel


def test_left_early_it_leaves_the_connection_usable() -> None:
    nl, _ = connect()
    with nl:
        outcomes = nl.do_many(Source(), window=1000)
        next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
        assert not nl._engine.is_waiting
        assert nl.do(new(number=1)) is None
        assert list(nl.do_many(things(*range(2000)), window=1000)) == [None] * 2000


class NoThread(Socket):
    """It has no thread to send with."""

    def begin_send(self, buffers: Any, /) -> None:
        raise OSError(errno.EAGAIN, "no thread")


class BadThread(Socket):
    """Its thread finds that the kernel accepts nothing."""

    def begin_send(self, buffers: Any, /) -> None:
        pass

    def end_send(self) -> None:
        raise OSError(errno.ENOBUFS, "no room")


def test_if_no_thread_is_available_it_works_without() -> None:
    socket = NoThread(lambda request: None, FAMILY)
    with Connection(FAMILY, socket=socket) as nl:
        assert list(nl.do_many(things(*range(2000)), window=1000)) == [None] * 2000


def test_a_thread_that_fails_fails_its_batch_alone() -> None:
    socket = BadThread(lambda request: None, FAMILY)
    with Connection(FAMILY, socket=socket) as nl:
        with pytest.raises(OSError, match="no room"):
            list(nl.do_many(things(*range(2000)), window=1000))
        assert not nl._engine.is_waiting
        assert list(nl.do_many(things(*range(10)), window=5)) == [None] * 10


class Thread(Socket):
    """Has a thread that must be ended before the next one, as RawSocket's."""

    running = False

    def begin_send(self, buffers: Any, /) -> None:
        if self.running:
            raise RuntimeError
        self.running = True
        super().begin_send(buffers)

    def end_send(self) -> None:
        self.running = False


class Interrupted(Thread):
    """Ctrl-C comes once, before a thread begins or before its end is waited for."""

    at: str | None = None

    def begin_send(self, buffers: Any, /) -> None:
        self.interrupt("begin")
        super().begin_send(buffers)

    def end_send(self) -> None:
        self.interrupt("end")
        super().end_send()

    def interrupt(self, where: str) -> None:
        if self.at == where:
            self.at = None
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", ["begin", "end"])
@pytest.mark.parametrize("before", [0, 1500])
def test_an_interrupt_leaves_no_thread_behind(at: str, before: int) -> None:
    socket = Interrupted(lambda request: None, FAMILY)
    with Connection(FAMILY, socket=socket) as nl:
        outcomes = nl.do_many(Source(), window=1000)
        for _ in range(before):
            next(outcomes)
        socket.at = at
        with pytest.raises(KeyboardInterrupt):
            for _ in outcomes:
                pass
        assert not socket.running
        assert not nl._engine.is_waiting
        assert list(nl.do_many(things(*range(2000)), window=1000)) == [None] * 2000
        assert not socket.running


# --- transactions ---------------------------------------------------------------------------------


def test_a_transaction_is_taken_whole() -> None:
    source = iter([begin(), *things(1, 2, 3), end(), *things(4)])
    taken, failure = take(source, 2, bracketed=True)
    assert failure is None
    assert [request.name for request in taken] == ["batch.begin", *["thing.new"] * 3, "batch.end"]
    assert len(take(source, 2, bracketed=True)[0]) == 1
    assert take(source, 2, bracketed=True) == ([], None)


def test_half_a_transaction_is_not_sent_if_the_source_fails() -> None:
    def source() -> Iterator[Request[Thing | None, Thing]]:
        yield from [*things(1), begin(), *things(2)]
        raise RuntimeError("no more")

    for count in (2, 3, 10):
        taken, failure = take(source(), count, bracketed=True)
        assert isinstance(failure, RuntimeError)
        assert len(taken) == 1
    assert cut(things(1, 2)) and len(cut([begin(), end(), *things(1)])) == 3


def batch_of(*requests: Request[Any, Any], **options: Any) -> tuple[Engine, Batch, list[list[int]]]:
    """An engine with a batch, and the flags that it sends, by buffer: 5 asks for an ACK."""
    engine = Engine([FAMILY], resolver_for((FAMILY,)))
    batch = engine.submit_batch(list(requests), **options)
    return (
        engine,
        batch,
        [[raw.flags for raw in iter_messages(buffer)] for buffer in engine.take_outgoing()],
    )


def test_a_transaction_is_a_send_of_its_own_and_its_brackets_ask_for_nothing() -> None:
    requests = [*things(0), begin(), *things(*range(5)), end(), begin(), end(), *things(9)]
    _, batch, flags = batch_of(*requests, limit=48)  # two messages
    assert flags == [[5], [1, 1, 1, 1, 1, 5, 1], [1, 1], [5]]
    assert batch.unanswered == 7
    _, batch, flags = batch_of(*requests, limit=48, ack_last=True)
    assert flags == [[1], [1, 1, 1, 1, 1, 1, 1], [1, 1], [5]]
    _, batch, flags = batch_of(begin(), *things(1, 2), end(), ack_last=True)
    assert flags == [[1, 1, 5, 1]]
    assert batch.unanswered == 2


def test_brackets_have_an_outcome_although_nothing_answers_them() -> None:
    for ack_last in (False, True):
        engine, batch, _ = batch_of(begin(), *things(1, 2), end(), ack_last=ack_last)
        engine.feed(*wire.receive(wire.error(0, seq=3)))
        assert batch.ready
        assert batch.outcomes() == [None] * 4
    _, batch, _ = batch_of(begin(), end())
    assert batch.ready


def test_a_transaction_that_is_refused_as_a_whole_answers_for_all_of_it() -> None:
    engine, batch, _ = batch_of(begin(), *things(1, 2), end(), begin(), *things(3), end())
    engine.feed(*wire.receive(wire.error(errno.EPERM, seq=1)))
    assert not batch.ready  # the second one's answer is to come
    engine.feed(*wire.receive(wire.error(0, seq=3), wire.error(0, seq=6)))
    assert batch.ready
    outcomes = batch.outcomes()
    assert [isinstance(outcome, PermissionError) for outcome in outcomes] == [
        True, True, True, False, False, False, False]  # fmt: skip
    assert [str(outcome) for outcome in outcomes[:2]] == [
        "batch.begin: Operation not permitted (EPERM)",
        "thing.new: Operation not permitted (EPERM)",
    ]


def test_a_refused_transaction_confirms_all_requests_before_it() -> None:
    """The only request that asks for an ACK is among the refused, which are not answered."""
    requests = [*things(0), begin(), *things(1, 2), end(), begin(), *things(3), end()]
    engine, batch, _ = batch_of(*requests, ack_last=True)
    engine.feed(*wire.receive(wire.error(errno.EEXIST, seq=3), thing(seq=1)))
    engine.feed(*wire.receive(wire.error(errno.EPERM, seq=6)))
    assert batch.ready
    answer, *rest = batch.outcomes()
    assert answer == Thing(number=7)
    assert [getattr(outcome, "errno", outcome) for outcome in rest] == [
        None, errno.EEXIST, None, None, errno.EPERM, errno.EPERM, None]  # fmt: skip


def test_one_refusal_inside_a_transaction_is_the_outcome_of_that_request() -> None:
    engine, batch, _ = batch_of(begin(), *things(1, 2), end())
    engine.feed(*wire.receive(wire.error(errno.EEXIST, seq=2), wire.error(0, seq=3)))
    outcomes = batch.outcomes()
    assert [getattr(outcome, "errno", outcome) for outcome in outcomes] == [
        None, errno.EEXIST, None, None]  # fmt: skip
