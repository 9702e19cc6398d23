"""Pipelines without a kernel: what is read ahead, what goes together, and batches as a whole."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import pytest

from netlink import Connection, Family, KernelError, Message, Op, Request, iter_messages
from netlink import schema as s
from netlink._driver import FIRST, cut, take
from netlink.engine import Batch, Engine
from netlink.testing import Socket

from . import wire


class TYPE(IntEnum):
    BEGIN = 16
    END = 17
    NEW = 18


class GROUP(IntEnum):
    GROUP_NONE = 0


class Thing(Message):
    number: int | None = s.u32(1)


begin = Op("batch.begin", TYPE.BEGIN, Thing, bracket=1)
end = Op("batch.end", TYPE.END, Thing, bracket=-1)
new = Op("thing.new", TYPE.NEW, Thing)
FAMILY = Family("thing", protocol=12, ops=(begin, end, new), types=TYPE, groups=GROUP)


def thing(seq: int) -> bytes:
    return wire.message(TYPE.NEW, bytes(Thing(number=7)), seq=seq)


def things(*numbers: int) -> list[Request[Thing]]:
    return [new(number=number) for number in numbers]


def connect(function: Any = lambda request: None) -> tuple[Connection, Socket]:
    socket = Socket(function, FAMILY)
    return Connection(FAMILY, socket=socket), socket


# --- what is read, and when -----------------------------------------------------------------------


class Source:
    """An endless stream of requests, which counts how many were taken."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[Request[Thing]]:
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


def test_by_default_the_first_few_tell_how_large_the_answers_are() -> None:
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
def test_what_the_source_raises_comes_behind_the_outcomes(window: int) -> None:
    def source() -> Iterator[Request[Thing]]:
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
def test_a_window_holds_one_request_at_least(window: int) -> None:
    """None at all would be an end without a word, with nothing sent."""
    nl, socket = connect()
    with nl, pytest.raises(ValueError, match=f"a window of {window} requests"):
        list(nl.do_many(things(1), window=window))
    assert socket.requests == []


def test_a_pipeline_does_not_wait_for_ever_for_what_another_one_is_owed() -> None:
    """The kernel answers all; but where it should not, all others need not wait for that."""
    socket = Socket(silent_at(7), FAMILY)
    socket.rcvbuf = 4096
    with Connection(FAMILY, socket=socket) as nl:
        first = nl._engine.submit_batch(things(7), answer_size=4096)
        nl._flush()
        assert nl._engine.owed == 4096
        assert list(nl.do_many(things(1, 2, 3))) == [None] * 3
        assert not first.ready
        nl._engine.abandon(first)
        assert nl._engine.owed == 0


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
    """Has no thread to send with."""

    def begin_send(self, buffers: Any, /) -> None:
        raise OSError(errno.EAGAIN, "no thread")


class BadThread(Socket):
    """Its thread finds that the kernel takes nothing."""

    def begin_send(self, buffers: Any, /) -> None:
        pass

    def end_send(self) -> None:
        raise OSError(errno.ENOBUFS, "no room")


def test_where_no_thread_is_to_be_had_it_goes_without() -> None:
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
    """Ctrl-C comes once, when a thread has begun or before its end is waited for."""

    at: str | None = None

    def begin_send(self, buffers: Any, /) -> None:
        super().begin_send(buffers)
        self.interrupt("begin")

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


def test_a_thread_s_end_seen_by_another_pipeline() -> None:
    """What another pipeline's thread sends may be over between two looks at it."""

    class Looked(Connection):
        ahead: Any = None
        is_over = False

        @property
        def _ahead(self) -> Any:
            found, self.ahead = self.ahead, None if self.is_over else self.ahead
            return found

        @_ahead.setter
        def _ahead(self, value: Any) -> None:
            self.ahead = value

    with Looked(FAMILY, socket=Socket(lambda request: None, FAMILY)) as nl:
        nl._ahead = batch_of(*things(1))[1], []
        outcomes = nl.do_many(things(*range(2000)), window=1000)
        next(outcomes)
        nl.is_over = True
        assert list(outcomes) == [None] * 1999


def test_a_pipeline_that_is_dropped_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector may do that while another thread looks for whom an answer is."""
    engine = Engine([FAMILY], lambda reply: None)
    first, second, third = (engine.submit_batch(things(number)) for number in range(3))

    def look(batch: Batch, seq: int) -> bool:
        if batch is first:
            engine.abandon(batch)
        return seq == batch.first

    monkeypatch.setattr(Batch, "__contains__", look)
    engine.feed(*wire.receive(wire.error(0, seq=2)))
    assert second.ready
    assert not third.ready


# --- brackets -------------------------------------------------------------------------------------


def test_a_batch_is_taken_whole() -> None:
    source = iter([begin(), *things(1, 2, 3), end(), *things(4)])
    taken, failure = take(source, 2, bracketed=True)
    assert failure is None
    assert [request.name for request in taken] == ["batch.begin", *["thing.new"] * 3, "batch.end"]
    assert len(take(source, 2, bracketed=True)[0]) == 1
    assert take(source, 2, bracketed=True) == ([], None)


def test_half_a_batch_does_not_go_out_when_the_source_fails() -> None:
    def source() -> Iterator[Request[Thing]]:
        yield from [*things(1), begin(), *things(2)]
        raise RuntimeError("no more")

    for count in (2, 3, 10):
        taken, failure = take(source(), count, bracketed=True)
        assert isinstance(failure, RuntimeError)
        assert len(taken) == 1
    assert cut(things(1, 2)) and len(cut([begin(), end(), *things(1)])) == 3


def batch_of(*requests: Request[Any], **options: Any) -> tuple[Engine, Batch, list[list[int]]]:
    """An engine with a batch, and by buffer the flags that go out, 5 asking for an ACK."""
    engine = Engine([FAMILY], lambda reply: None)
    batch = engine.submit_batch(list(requests), **options)
    return (
        engine,
        batch,
        [[raw.flags for raw in iter_messages(buffer)] for buffer in engine.take_outgoing()],
    )


def test_a_batch_is_a_send_of_its_own_and_its_brackets_ask_for_nothing() -> None:
    requests = [*things(0), begin(), *things(*range(5)), end(), begin(), end(), *things(9)]
    _, batch, flags = batch_of(*requests, limit=48)  # two messages
    assert flags == [[5], [1, 1, 1, 1, 1, 5, 1], [1, 1], [5]]
    assert batch.unanswered == 7
    _, batch, flags = batch_of(*requests, limit=48, ack_last=True)
    assert flags == [[1], [1, 1, 1, 1, 1, 1, 1], [1, 1], [5]]
    _, batch, flags = batch_of(begin(), *things(1, 2), end(), ack_last=True)
    assert flags == [[1, 1, 5, 1]]
    assert batch.unanswered == 2


def test_brackets_have_an_outcome_though_nothing_answers_them() -> None:
    for ack_last in (False, True):
        engine, batch, _ = batch_of(begin(), *things(1, 2), end(), ack_last=ack_last)
        engine.feed(*wire.receive(wire.error(0, seq=3)))
        assert batch.ready
        assert list(batch.results(0)) == [None] * 4
    _, batch, _ = batch_of(begin(), end())
    assert batch.ready


def test_a_batch_that_is_refused_as_a_whole_answers_for_all_of_it() -> None:
    engine, batch, _ = batch_of(begin(), *things(1, 2), end(), begin(), *things(3), end())
    engine.feed(*wire.receive(wire.error(errno.EPERM, seq=1)))
    assert not batch.ready  # the second one's answer is to come
    engine.feed(*wire.receive(wire.error(0, seq=3), wire.error(0, seq=6)))
    assert batch.ready
    outcomes = list(batch.results(10))
    assert [isinstance(outcome, PermissionError) for outcome in outcomes] == [
        True, True, True, False, False, False, False]  # fmt: skip
    assert [getattr(outcome, "index", None) for outcome in outcomes[:3]] == [10, 11, 12]
    assert [str(outcome) for outcome in outcomes[:2]] == [
        "batch.begin: Operation not permitted (EPERM)",
        "thing.new: Operation not permitted (EPERM)",
    ]


def test_a_batch_that_is_refused_says_of_all_before_it_that_they_went_well() -> None:
    """The only one that asks for an ACK is among the refused, none of which is answered."""
    requests = [*things(0), begin(), *things(1, 2), end(), begin(), *things(3), end()]
    engine, batch, _ = batch_of(*requests, ack_last=True)
    engine.feed(*wire.receive(wire.error(errno.EEXIST, seq=3), thing(seq=1)))
    engine.feed(*wire.receive(wire.error(errno.EPERM, seq=6)))
    assert batch.ready
    answer, *rest = batch.results(0)
    assert answer == Thing(number=7)
    assert [getattr(outcome, "errno", outcome) for outcome in rest] == [
        None, errno.EEXIST, None, None, errno.EPERM, errno.EPERM, None]  # fmt: skip


def test_one_refusal_inside_of_a_batch_is_the_outcome_of_that_one() -> None:
    engine, batch, _ = batch_of(begin(), *things(1, 2), end())
    engine.feed(*wire.receive(wire.error(errno.EEXIST, seq=2), wire.error(0, seq=3)))
    outcomes = list(batch.results(0))
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "NoneType", "KernelError", "NoneType", "NoneType"]  # fmt: skip
