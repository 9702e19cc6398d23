"""Replies over a scripted kernel, blocking and asyncio: each message once, and answers of ops.

test_engine.py tests the same with bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from netlink import (
    DecodeError,
    DumpInterrupted,
    KernelError,
    NetlinkError,
    Overrun,
    Reply,
    aio,
)
from netlink.testing import ACK, Socket

from . import wire
from .drivers import BOTH, Connect
from .plays import PLAY, Play
from .plays import listed as play_listed
from .things import (
    FAMILY,
    Thing,
    echo,
    get,
    late,
    listed,
    new,
    numbers,
    one,
    several,
    stall,
    tell,
    things,
)


def opened(connect: Connect, kernel: Any = things, **options: Any) -> Any:
    """A connection that receives a few things at a time."""
    return connect(
        FAMILY, socket=Socket(kernel, FAMILY, part=60, datagrams=1), timeout=5, **options
    )


# --- each message once ----------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("first", range(12))
def test_a_second_loop_continues_where_the_first_one_stopped(connect: Connect, first: int) -> None:
    with opened(connect) as nl:
        reply = nl.dump(get())
        got = numbers(islice(iter(reply), first))
        got += numbers(reply)
        assert got == [*range(10)]
        assert list(reply) == []
        assert reply.done


@BOTH
@pytest.mark.parametrize("first", range(12))
def test_all_after_a_partial_iteration_returns_the_rest(connect: Connect, first: int) -> None:
    with opened(connect) as nl:
        reply = nl.dump(get())
        got = numbers(islice(iter(reply), first))
        assert got + numbers(reply.all()) == [*range(10)]
        assert reply.all() == []


@BOTH
@pytest.mark.parametrize("first", range(12))
def test_columns_after_a_partial_iteration_are_those_of_the_rest(
    connect: Connect, first: int
) -> None:
    with opened(connect) as nl:
        reply = nl.dump(get())
        got = numbers(islice(iter(reply), first))
        assert [*got, *reply.columns("number")["number"]] == [*range(10)]
        assert [*reply.columns("number")["number"]] == []


@BOTH
def test_loops_that_alternate_share_the_messages(connect: Connect) -> None:
    with opened(connect) as nl:
        reply = nl.dump(get())
        loops = iter(reply), iter(reply), iter(reply)
        got = [next(loops[position % 3]).number for position in range(10)]
        assert got == [*range(10)]
        assert [list(loop) for loop in loops] == [[], [], []]


@BOTH
def test_a_loop_that_a_timeout_ended_is_not_continued(connect: Connect) -> None:
    with opened(connect, stall) as nl:
        reply = nl.dump(get(), timeout=0.01)
        with pytest.raises(TimeoutError):
            list(reply)
        for read in (list, lambda reply: reply.all(), lambda reply: reply.columns("number")):
            with pytest.raises(OSError, match="abandoned"):
                read(reply)
        assert nl.do(one(number=5)).number == 5


@BOTH
def test_dumps_after_a_timeout_work(connect: Connect) -> None:
    """The end of the first one never comes. The kernel has finished it, or finishes it later."""
    asked: list[Thing] = []

    def kernel(request: Thing) -> Iterator[Thing]:
        asked.append(request)
        yield Thing(number=0)
        if len(asked) <= 2:
            raise TimeoutError  # the kernel ends the dump without a DONE

    with opened(connect, kernel) as nl:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                nl.dump(get(), timeout=0.01).all()
        for _ in range(2):
            assert numbers(nl.dump(get()).all()) == [0]
        assert not nl._engine.is_waiting


@BOTH
def test_a_dump_that_goes_on_after_a_timeout_makes_the_next_one_wait(connect: Connect) -> None:
    """The kernel answers EBUSY to the second dump. It is sent again at the end of the first."""

    class Slow(Socket):
        is_open = False  # until then a receive finds nothing, although the dump goes on

        def _receive(self, timeout: float | None) -> tuple[bytes, bytes]:
            if not self.is_open:
                raise BlockingIOError
            return super()._receive(timeout)

    socket = Slow(things, FAMILY, part=60, datagrams=1)
    with connect(FAMILY, socket=socket, timeout=5) as nl:
        lost = nl.dump(get(), timeout=0)
        with pytest.raises(TimeoutError):
            lost.all()
        socket.is_open = True
        assert numbers(nl.dump(get()).all()) == [*range(10)]
        assert numbers(nl.dump(get()).all()) == [*range(10)]
        # The second dump was sent twice.
        assert len(socket.requests) == 4
        assert nl.stats.late == 11


@BOTH
@pytest.mark.parametrize("is_cut", [False, True])
def test_the_malformed_end_of_a_dump_does_not_hold_up_the_next(
    connect: Connect, is_cut: bool
) -> None:
    class Broken(Socket):
        """The NLMSG_DONE of the first dump is cut."""

        def _receive(self, timeout: float | None) -> tuple[bytes, bytes]:
            data, index = super()._receive(timeout)
            if data[4:6] == b"\3\0" and data[8] == 1:
                return wire.receive(data[:14], flags=0x20 if is_cut else 0)
            return data, index

    with connect(FAMILY, socket=Broken(things, FAMILY, part=1, datagrams=1), timeout=5) as nl:
        first, second = nl.dump(get(number=1)), nl.dump(get(number=2))
        with pytest.raises(DecodeError):
            first.all()
        assert numbers(second.all()) == [2]
        assert numbers(nl.dump(get()).all()) == [*range(10)]
        assert (nl.stats.malformed, nl.stats.late) == (1, 0)
        assert not nl._engine.is_waiting


@BOTH
def test_an_interrupted_dump_is_not_repeated_after_a_partial_iteration(connect: Connect) -> None:
    def kernel(request: Thing) -> Iterator[Thing]:
        yield from map(lambda number: Thing(number=number), range(5))
        raise DumpInterrupted

    with opened(connect, kernel) as nl:
        reply = nl.dump(get(), retries=5)
        assert next(iter(reply)).number == 0
        with pytest.raises(DumpInterrupted) as caught:
            reply.all()
        assert numbers(caught.value.partial) == [1, 2, 3, 4]
        assert nl.stats.sent == 1


def test_the_order_of_messages_is_documented() -> None:
    for cls in (Reply, aio.Reply):
        words = " ".join((cls.__doc__ or "").split())
        assert "second iteration continues where the first one stopped" in words
        assert "messages that were not handed out yet" in (cls.all.__doc__ or "")
    assert [name for name in dir(Reply) if name[0] != "_"] == [
        name for name in dir(aio.Reply) if name[0] != "_"
    ]


# --- answers --------------------------------------------------------------------------------------


ANSWERS: dict[Any, dict[int, Any]] = {
    # What do() returns for a number of messages, or a part of the error's text.
    get: {0: None, 1: 0, 2: "the kernel sent 2 messages, but the op declares one answer"},
    one: {
        0: "the kernel acknowledged the request, but sent no answer",
        1: 0,
        2: "the kernel sent 2 messages, but the op declares one answer",
    },
    several: {0: [], 1: [0], 2: [0, 1]},
    new: {0: None, 1: "the kernel sent an answer (Thing), but the op declares none"},
    echo: {0: None, 1: 0, 2: "the kernel sent 2 messages"},
    listed: {0: [], 1: [0], 2: [0, 1], 40: [*range(40)]},
}
CASES = [
    (op, count, wanted) for op, wanteds in ANSWERS.items() for count, wanted in wanteds.items()
]


@BOTH
@pytest.mark.parametrize(
    ("op", "count", "wanted"), CASES, ids=lambda value: getattr(value, "name", "")
)
@pytest.mark.parametrize("together", [False, True], ids=["do", "do_many"])
def test_the_answer_is_what_the_op_declares(
    connect: Connect, op: Any, count: int, wanted: Any, together: bool
) -> None:
    def kernel(request: Thing) -> Iterator[Thing]:
        if request.number == 99:
            return
        for number in range(count):
            yield Thing(number=number)

    def ask() -> Any:
        if not together:
            return nl.do(op(number=1))
        before, outcome, after = nl.do_many([new(number=99), op(number=1), get(number=99)])
        assert (before, after) == (None, None)
        return outcome

    with opened(connect, kernel) as nl:
        if isinstance(wanted, str):
            with pytest.raises(NetlinkError) as caught:
                ask()
            assert type(caught.value) is NetlinkError
            assert str(caught.value).startswith(f"{op.name}: {wanted}")
        else:
            found = ask()
            shown = [m.number for m in found] if isinstance(found, list) else found and found.number
            assert shown == wanted
        assert not nl._engine.is_waiting
        assert nl.do(get(number=99)) is None


@BOTH
@pytest.mark.parametrize("datagrams", [1, 16])
def test_several_messages_and_done(connect: Connect, datagrams: int) -> None:
    """As devlink and team answer: no acknowledgement, and NLMSG_DONE at the end."""

    def kernel(request: Any) -> Iterator[Any]:
        if request.index == 7:
            raise KernelError(95)
        for index in range(5):
            yield 2, Play(index=index)

    socket = Socket(kernel, PLAY, datagrams=datagrams)
    with connect(PLAY, socket=socket, timeout=5) as nl:
        assert [play.index for play in nl.do(play_listed())] == [0, 1, 2, 3, 4]
        with pytest.raises(KernelError, match="EOPNOTSUPP"):
            nl.do(play_listed(index=7))
        outcomes = list(nl.do_many([play_listed(), play_listed(index=7), play_listed()]))
        assert [len(outcomes[0]), outcomes[1].errno, outcomes[1].index, len(outcomes[2])] == [
            5, 95, 1, 5]  # fmt: skip
        asked: list[Any] = [*socket.requests]
        assert {request.nlmsg_flags for request in asked[1:]} == {1}
        assert nl.stats.late == 0


@BOTH
@pytest.mark.parametrize("datagrams", [1, 16])
@pytest.mark.parametrize("order", ["before", "after"])
def test_an_answer_after_the_ack_or_before_it(connect: Connect, order: str, datagrams: int) -> None:
    """As audit answers: a thread of the kernel sends the answer."""

    def kernel(request: Thing) -> Iterator[Any]:
        if request.number == 7:
            raise KernelError(1)
        yield from [ACK, request] if order == "after" else [request]

    socket = Socket(kernel, FAMILY, datagrams=datagrams)
    with connect(FAMILY, socket=socket, timeout=5) as nl:
        assert nl.do(late(number=5)).number == 5
        with pytest.raises(PermissionError):
            nl.do(late(number=7))
        outcomes = list(nl.do_many([late(number=n) for n in (6, 7, 8)]))
        assert [getattr(each, "number", getattr(each, "errno", 0)) for each in outcomes] == [
            6,
            1,
            8,
        ]
        assert nl.stats.late == 0
        assert not nl._engine.is_waiting


@BOTH
def test_an_answer_that_never_follows_the_ack_is_a_timeout(connect: Connect) -> None:
    with opened(connect, lambda request: []) as nl:
        with pytest.raises(TimeoutError):
            nl.do(late(number=5), timeout=0.01)
        assert nl.do(get()) is None


@BOTH
def test_a_request_without_an_answer(connect: Connect) -> None:
    """As connector: nothing is awaited."""

    def kernel(request: Thing) -> None:
        raise TimeoutError  # would be noticed by anyone who waits

    with opened(connect, kernel) as nl:
        assert nl.do(tell(number=1)) is None
        assert list(nl.do_many([tell(number=1), tell(number=2)])) == [None, None]
        assert not nl._engine.is_waiting


@BOTH
def test_an_overrun_leaves_the_result_unknown(connect: Connect) -> None:
    def kernel(request: Thing) -> None:
        raise Overrun

    with opened(connect, kernel) as nl:
        for op in (get, one, several, new, late, listed):
            with pytest.raises(Overrun):
                nl.do(op())
            with pytest.raises(Overrun):
                list(nl.do_many([op(), op()]))
        assert not nl._engine.is_waiting


def test_the_type_of_an_answer_is_that_of_the_op() -> None:
    """Every op of the library that is a question declares an answer."""
    from netlink.registry import FAMILIES

    for entry in FAMILIES:
        family = entry.load()
        assert family.classes
        for op in family.ops.values():
            word = op.name.rpartition(".")[2]
            if word.startswith("get"):
                assert op.answer != "none", op.name
            elif op.name == "nl80211.new_interface":  # the kernel chooses its index
                assert op.answer == "one"
            elif word.startswith(("new", "delete", "replace", "append", "register", "flush")):
                assert op.answer == "none", op.name


@BOTH
def test_a_silent_dump_that_was_dropped_does_not_hold_up_later_ones(connect: Connect) -> None:
    """The kernel never ends the first dump, and nobody is interested in it any more."""
    with connect(FAMILY, socket=Socket(first_stalls(), FAMILY), timeout=5) as nl:
        dropped = nl.dump(get())
        with pytest.raises(TimeoutError):
            nl.dump(get(), timeout=0.01).all()
        del dropped
        with pytest.raises(TimeoutError):
            nl.dump(get(), timeout=0.01).all()
        assert numbers(nl.dump(get()).all()) == [*range(10)]


def first_stalls() -> Callable[[Thing], Iterator[Any]]:
    """A kernel whose first dump never ends."""
    is_first = True

    def kernel(request: Thing) -> Iterator[Any]:
        nonlocal is_first
        if is_first:
            is_first = False
            yield Thing(number=0)
            raise TimeoutError
        yield from things(request)

    return kernel
