"""Subscriptions over a scripted kernel, blocking and asyncio: groups, queues, predicates and loss.

Queues by bytes alone are in test_engine.py.
"""

from __future__ import annotations

import asyncio
import gc
import select
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlink import Connection, DecodeError, KernelError, Overrun, aio, listen, plan, wait
from netlink.engine import Queue
from netlink.family import Steps
from netlink.generic.nlctrl import Ctrl
from netlink.testing import FIRST_ID, Datagram, Socket

from . import plays, wire
from .drivers import BOTH, Connect
from .plays import PLAY, PLAY_CMD, Play
from .things import FAMILY, GROUP, Talk, Thing, get, new, numbers, one, several, thing, things


def opened(connect: Connect, kernel: Any = things, **options: Any) -> tuple[Any, Socket]:
    socket = Socket(kernel, FAMILY, **options)
    return connect(FAMILY, socket=socket, timeout=5), socket


def shown(events: Any) -> list[Any]:
    """Numbers of things; an Overrun as (count, where)."""
    return [
        (event.count, event.where) if isinstance(event, Overrun) else event.number
        for event in events
    ]


# --- several consumers ----------------------------------------------------------------------------


@BOTH
def test_consumers_do_not_take_events_from_each_other(connect: Connect) -> None:
    nl, socket = opened(connect)
    with nl:
        first, second = nl.subscribe("thing"), nl.subscribe("thing", "other-thing")
        nl.join("other-thing")
        for number in range(4):
            socket.event("thing" if number % 2 else "other-thing", Thing(number=number))
        assert shown(first) == [1, 3]
        assert shown(nl.events()) == [0, 2]
        assert shown(second) == [0, 1, 2, 3]
        assert [first.pending, second.pending, nl.pending] == [0, 0, 0]
        assert nl.stats.events == 4


@BOTH
def test_what_one_consumer_receives_the_others_get_too(connect: Connect) -> None:
    """Only one of them reads the socket."""
    nl, socket = opened(connect, datagrams=1)
    with nl:
        eager, lazy = nl.subscribe("thing"), nl.subscribe("thing")
        socket.event("thing", *(Thing(number=number) for number in range(10)))
        events = iter(eager)
        assert [next(events).number for _ in range(6)] == [*range(6)]
        assert lazy.pending >= 6
        assert shown(lazy) == [*range(10)]
        assert shown(events) == [*range(6, 10)]


@BOTH
def test_a_loop_that_is_left_loses_nothing(connect: Connect) -> None:
    nl, socket = opened(connect)
    with nl, nl.subscribe("thing") as subscription:
        socket.event("thing", *(Thing(number=number) for number in range(9)))
        got: list[int] = []
        while len(got) < 9:
            for event in subscription:
                got.append(event.number)
                break
        assert got == [*range(9)]
        assert subscription.pending == 0


@BOTH
def test_events_before_the_loop_and_while_a_request_waits(connect: Connect) -> None:
    def kernel(request: Thing) -> Iterator[Any]:
        for number in range(3):
            yield Datagram(thing(10 * (request.number or 0) + number, seq=0), group=1)
            if request.nlmsg_type == get.type:
                yield Thing(number=number)

    nl, socket = opened(connect, kernel, part=1, datagrams=1)
    with nl:
        socket.event("thing", Thing(number=99))  # before anybody joined
        nl.join("thing")
        subscription = nl.subscribe("thing")
        socket.event("thing", Thing(number=1))
        nl.do(new(number=2))
        assert list(nl.do_many([new(number=3), new(number=4)])) == [None, None]
        assert numbers(nl.dump(get(number=5)).all()) == [0, 1, 2]
        socket.event("thing", Thing(number=6))
        wanted = [1, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52, 6]
        assert nl.pending == subscription.pending == len(wanted) - 1
        assert shown(nl.events()) == wanted
        assert shown(subscription) == wanted


@BOTH
def test_a_subscription_without_groups_has_unsolicited_messages(connect: Connect) -> None:
    nl, socket = opened(connect)
    with nl:
        unsolicited, group = nl.subscribe(), nl.subscribe("thing")
        socket.deliver(Datagram(thing(5, seq=0)))
        socket.event("thing", Thing(number=6))
        assert shown(unsolicited) == [5]
        assert shown(group) == [6]
        assert shown(nl.events()) == [5]


# --- predicates -----------------------------------------------------------------------------------


@BOTH
def test_a_predicate_selects(connect: Connect) -> None:
    nl, socket = opened(connect)
    with nl:
        even = nl.subscribe("thing", predicate=lambda each: each.number % 2 == 0)
        none = nl.subscribe("thing", predicate=lambda each: False)
        socket.event("thing", *(Thing(number=number) for number in range(10)))
        socket.overrun()
        assert shown(even) == [0, 2, 4, 6, 8, (None, "kernel")]
        assert shown(none) == [(None, "kernel")]


@BOTH
def test_what_is_not_selected_is_not_stored(connect: Connect) -> None:
    nl, socket = opened(connect)
    with nl:
        subscription = nl.subscribe("thing", predicate=lambda each: each.number == 1, limit=1000)
        for number in range(2, 500):
            socket.event("thing", Thing(number=number))
            nl.do(new(number=1))
        socket.event("thing", Thing(number=1))
        assert shown(subscription) == [1]
        assert nl.stats.dropped == 0


@BOTH
def test_a_predicate_that_raises(connect: Connect) -> None:
    """The error is raised at its place to whoever reads that subscription, and to nobody else."""

    def failing(each: Thing) -> bool:
        if each.number == 3:
            raise ZeroDivisionError("three")
        return True

    nl, socket = opened(connect, datagrams=1)
    with nl:
        subscription = nl.subscribe("thing", predicate=failing)
        nl.join("thing")
        socket.event("thing", *(Thing(number=number) for number in range(6)))
        assert nl.do(one(number=7)).number == 7
        got: list[int] = []
        with pytest.raises(ZeroDivisionError, match="three"):
            for event in subscription:
                got.append(event.number)
        got += shown(subscription)
        assert got == [0, 1, 2, 4, 5]
        assert shown(nl.events()) == [*range(6)]


@BOTH
def test_a_predicate_that_raises_costs_no_other_message_of_its_datagram(connect: Connect) -> None:
    nl, socket = opened(connect)
    with nl:
        subscription = nl.subscribe("thing", predicate=lambda each: 6 // each.number)
        data = b"".join(thing(number, seq=0) for number in (1, 0, 2))
        socket.deliver(Datagram(data, group=1))
        got: list[int] = []
        with pytest.raises(ZeroDivisionError):
            for event in subscription:
                got.append(event.number)
        got += shown(subscription)
        assert got == [1, 2]


# --- bounded queues -------------------------------------------------------------------------------


@BOTH
def test_a_full_queue_drops_the_newest_and_counts_them(connect: Connect) -> None:
    """The Overrun stands where events are missing, and later events follow it."""
    nl, socket = opened(connect, datagrams=1)
    with nl:
        small, large = nl.subscribe("thing", limit=1), nl.subscribe("thing")
        socket.event("thing", *(Thing(number=number) for number in range(5)))
        nl.do(new(number=1))  # reading continues while a request is awaited
        assert small.pending == 2  # an event and the Overrun
        events = iter(small)
        assert next(events).number == 0
        socket.event("thing", Thing(number=5), Thing(number=6))
        nl.do(new(number=1))
        assert shown(events) == [(4, "queue"), 5, (1, "queue")]
        assert shown(large) == [*range(7)]
        assert nl.stats.dropped == 5
        assert nl.stats.overruns == 0


@given(
    sizes=st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), max_size=30),
    limit=st.integers(1, 2000),
    reads=st.lists(st.integers(0, 6), min_size=30, max_size=30),
    is_picky=st.booleans(),
)
def test_every_event_of_a_queue_is_handed_out_or_counted(
    sizes: list[list[int]], limit: int, reads: list[int], is_picky: bool
) -> None:
    """Whatever arrives and is read in between: in order, and each loss at its place."""
    engine = Talk().engine
    queue = Queue(engine.dispatch, (lambda each: True) if is_picky else None, limit)
    engine.subscribe(queue, {("", "1"): 1})
    sent = 0
    got: list[Any] = []

    def read(count: int) -> None:
        while count > 0 and (events := queue.take()) is not None:
            got.append(next(events))
            count -= 1

    for datagrams, count in zip(sizes, reads, strict=False):
        receive = []
        for size in datagrams:
            receive.append(b"".join(thing(sent + each, seq=0) for each in range(size)))
            sent += size
        before = queue._size
        engine.feed(*wire.receive(*receive, group=1))
        assert queue._size <= max(before, limit + 256 + 20 * (28 + 128)) + 256
        read(count)
    read(1000)
    position = 0
    for event in got:
        if isinstance(event, Overrun):
            assert event.where == "queue" and event.count is not None
            position += event.count
        else:
            assert event.number == position
            position += 1
    assert position == sent
    assert engine.stats.dropped == sum(e.count or 0 for e in got if isinstance(e, Overrun))


@BOTH
def test_both_kinds_of_loss_have_their_place(connect: Connect) -> None:
    nl, socket = opened(connect, datagrams=1)
    with nl:
        small = nl.subscribe("thing", limit=1)
        socket.event("thing", Thing(number=1), Thing(number=2))
        nl.do(new(number=1))
        socket.overrun()
        with pytest.raises(Overrun) as caught:
            nl.do(new(number=1))
        assert (caught.value.count, caught.value.where) == (None, "kernel")
        assert shown(small) == [1, (1, "queue"), (None, "kernel")]
        socket.event("thing", Thing(number=3))
        assert shown(small) == [3]


@BOTH
def test_memory_is_bounded_if_nobody_reads(connect: Connect) -> None:
    """Join and never read, with many requests: the queue stays at its limit."""

    def kernel(request: Thing) -> Iterator[Any]:
        yield Datagram(b"".join(thing(number, seq=0) for number in range(100)), group=1)

    nl, socket = opened(connect, kernel)
    with nl:
        nl.join("thing")
        limit = 200_000
        nl._engine.events.limit = limit
        subscription = nl.subscribe("thing", limit=limit, predicate=lambda each: True)
        tracemalloc.start()
        try:
            sizes = []
            for _ in range(6):
                for _ in range(150):
                    nl.do(new(number=1))
                socket.requests.clear()
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        assert nl._engine.events._size < limit + 20_000
        assert sizes[-1] - sizes[2] < 50_000  # it has stopped growing
        for queue in (nl.events(), iter(subscription)):
            events = shown(queue)
            assert events[-1] == (900 * 100 - (len(events) - 1), "queue")
        assert nl.pending == 0


@BOTH
def test_the_default_limit_is_16_mib(connect: Connect) -> None:
    nl, _ = opened(connect)
    with nl:
        subscription = nl.subscribe("thing")
        assert nl._engine.events.limit == 16 << 20
        assert nl._engine.queues[-1].limit == 16 << 20
        subscription.close()


@BOTH
def test_a_small_event_does_not_keep_a_large_receive(connect: Connect) -> None:
    """A receive may have megabytes of a dump, and an event of a few bytes among them."""

    def kernel(request: Thing) -> Iterator[Any]:
        yield Datagram(thing(5, seq=0), group=1)
        yield from (Thing(number=0, name="x" * 60_000) for _ in range(3))

    nl, _ = opened(connect, kernel)
    with nl:
        nl.join("thing")
        tracemalloc.start()
        try:
            for _ in range(30):
                assert len(nl.do(several())) == 3
            gc.collect()
            assert tracemalloc.get_traced_memory()[0] < 200_000
        finally:
            tracemalloc.stop()
        assert shown(nl.events()) == [5] * 30


# --- groups ---------------------------------------------------------------------------------------


@BOTH
def test_membership_is_counted(connect: Connect) -> None:
    nl, socket = opened(connect)
    with nl:
        first, second = nl.subscribe("thing"), nl.subscribe("thing", "other-thing")
        nl.join("thing")
        assert socket.groups == {1, 40}
        first.close()
        assert socket.groups == {1, 40}
        second.close()
        assert socket.groups == {1}
        second.close()  # once more does nothing
        third = nl.subscribe("thing")
        nl.leave("thing")
        assert socket.groups == {1}
        socket.event("thing", Thing(number=5))
        assert shown(third) == [5]
        assert shown(nl.events()) == []
        third.close()
        assert socket.groups == set()
        assert list(third) == []


@BOTH
def test_a_group_may_be_joined_twice_and_left_once(connect: Connect) -> None:
    nl, socket = opened(connect)
    with nl:
        nl.join("thing", "thing", 1, "GROUP_THING")
        socket.event("thing", Thing(number=5))
        assert shown(nl.events()) == [5]
        nl.leave("thing")
        assert socket.groups == set()
        nl.leave("thing", 40)  # what was never joined


@BOTH
@pytest.mark.parametrize("group", ["other-thing", "GROUP_OTHER_THING", 40, GROUP.GROUP_OTHER_THING])
def test_the_kernel_s_spelling_is_accepted(connect: Connect, group: Any) -> None:
    nl, socket = opened(connect)
    with nl:
        nl.join(group)
        subscription = nl.subscribe(group)
        assert socket.groups == {40}
        nl.leave(group)
        subscription.close()
        assert socket.groups == set()
        assert nl.do(listening(socket, group)) == 40
        assert nl.do(new(number=1)) is None  # a call after the plan leaves its groups
        assert socket.groups == set()


@plan(sequence=True)
def listening(socket: Socket, group: Any) -> Steps[int]:
    yield listen(group)
    socket.event(group, Thing(number=40))
    event = yield wait(timeout=1)
    assert isinstance(event, Thing)
    assert event.number is not None
    return event.number


@BOTH
def test_unknown_groups_are_named(connect: Connect) -> None:
    nl, socket = opened(connect)
    with nl:
        for use in (nl.join, nl.leave, nl.subscribe):
            with pytest.raises(
                LookupError, match=r"no group 'thin' \(did you mean 'thing'\?\); th"
            ):
                use("other-thing", "thin")
        assert socket.groups == set()
        socket.event(40, Thing(number=5))
        assert shown(nl.events()) == []


class Full(Socket):
    """Has no group 7."""

    def join(self, group: int, /) -> None:
        if group == 7:
            raise OSError(22, "no such group")
        super().join(group)


@BOTH
def test_a_join_that_fails_leaves_everything_as_it_was(connect: Connect) -> None:
    socket = Full(things, FAMILY)
    with connect(FAMILY, socket=socket, timeout=5) as nl:
        nl.join("thing")
        for use in (nl.join, nl.subscribe):
            with pytest.raises(OSError, match="no such group"):
                use("thing", 40, 7)
            with pytest.raises(OSError, match="no such group"):
                use(7)
            nl.do(new(number=1))
            assert socket.groups == {1}
            socket.event("thing", Thing(number=5))
            assert shown(nl.events()) == [5]


# --- subscriptions that are dropped ---------------------------------------------------------------


@BOTH
def test_a_subscription_that_is_dropped_leaves_its_groups_at_the_next_call(
    connect: Connect,
) -> None:
    nl, socket = opened(connect)
    with nl:
        nl.join("thing")
        subscription = nl.subscribe("thing", "other-thing")
        assert len(nl._engine.queues) == 2
        del subscription
        gc.collect()  # of a generator of the test
        nl.do(new(number=1))
        assert socket.groups == {1}
        assert len(nl._engine.queues) == 1


@BOTH
def test_many_subscriptions_that_are_dropped_take_linear_time(connect: Connect) -> None:
    """Each once made a new list of all others: eight times as many took 64 times as long."""

    def seconds_of(count: int) -> float:
        nl, _ = opened(connect)
        with nl:
            engine = nl._engine
            kept = nl.subscribe("thing")
            for number in range(count):
                queue = Queue(engine.dispatch)
                engine.subscribe(queue, {(FAMILY, f"{number}"): 1 + number % 2})
                engine.forsaken.append(queue)
            began = time.thread_time()
            left = engine.sweep()
            taken = time.thread_time() - began
            assert left == [2]
            assert len(engine.queues) == 2 and not engine.forsaken
            kept.close()
        return taken

    small = min(seconds_of(500) for _ in range(3))
    assert seconds_of(4000) <= 24 * max(small, 0.004)


@BOTH
def test_a_loop_keeps_its_subscription(connect: Connect) -> None:
    nl, socket = opened(connect)
    with nl:
        socket.groups.add(1)
        events = iter(nl.subscribe("thing"))
        nl.do(new(number=1))
        socket.event("thing", Thing(number=5))
        assert next(events).number == 5


@BOTH
def test_a_closed_connection_does_not_mind(connect: Connect) -> None:
    nl, _ = opened(connect)
    kept, dropped = nl.subscribe("thing"), nl.subscribe("thing")
    nl.close()
    kept.close()
    del dropped
    with pytest.raises(OSError, match="socket is closed"):
        nl.subscribe("thing")


# --- malformed events -----------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("is_cut", [False, True])
def test_malformed_events_fail_no_waiter(connect: Connect, is_cut: bool) -> None:
    """A datagram of a group cannot have held an answer: the subscription gets the error."""

    def kernel(request: Thing) -> Iterator[Any]:
        yield Datagram(thing(8, seq=0) + b"\1\2\3", group=1, is_cut=is_cut)
        if request.nlmsg_type != new.type:
            yield Thing(number=request.number or 0)

    nl, _ = opened(connect, kernel, part=1, datagrams=1)
    with nl:
        nl.join("thing")
        other = nl.subscribe("other-thing")
        assert nl.do(one(number=5)).number == 5
        assert list(nl.do_many([new(number=1)])) == [None]
        assert numbers(nl.dump(get(number=6)).all()) == [6]
        for _ in range(3):
            got: list[Any] = []
            with pytest.raises(DecodeError, match="truncated" if is_cut else "bytes"):
                for event in nl.events():
                    got.append(event.number)
            assert got == [8]
        assert shown(nl.events()) == []
        assert shown(other) == []
        assert nl.stats.malformed == 3


# --- pending and select ---------------------------------------------------------------------------


def test_a_select_loop_sees_every_event() -> None:
    """After a request, events may be queued although the descriptor is not readable."""

    def kernel(request: Thing) -> Iterator[Any]:
        yield Datagram(thing(request.number or 0, seq=0), group=1)

    nl, socket = opened(Connection, kernel)
    with nl:
        nl.join("thing")
        got: list[int] = []
        for number in range(20):
            nl.do(new(number=number))
            # The descriptor alone says nothing: the request received the event.
            assert not select.select([nl], [], [], 0)[0]
            while nl.pending or select.select([nl], [], [], 0)[0]:
                got += shown(nl.events(timeout=0))
        socket.event("thing", Thing(number=20))
        assert not nl.pending and select.select([nl], [], [], 0)[0]
        got += shown(nl.events(timeout=0))
        assert got == [*range(21)]


@BOTH
def test_pending_counts_what_is_queued(connect: Connect) -> None:
    nl, socket = opened(connect, datagrams=1)
    with nl:
        nl.join("thing")
        assert nl.pending == 0
        data = b"".join(thing(number, seq=0) for number in range(3))
        socket.deliver(Datagram(data, group=1), Datagram(data, group=1))
        nl.do(new(number=1))
        assert nl.pending == 6
        events = nl.events()
        for left in (5, 4, 3, 2):
            next(events)
            assert nl.pending == left
        socket.overrun()
        with pytest.raises(Overrun):
            nl.do(new(number=1))
        nl.do(new(number=1))
        assert nl.pending == 3
        assert shown(events) == [1, 2, (None, "kernel")]
        assert nl.pending == 0


# --- plans that listen ----------------------------------------------------------------------------


@plan(sequence=True)
def change(number: int, timeout: float | None = 1) -> Steps[Thing]:
    """Change a thing, and wait for the event that confirms it."""
    yield listen("thing")
    yield new(number=number)
    event: Thing = yield wait(lambda each: each.number == number, timeout)
    return event


def confirm(request: Thing) -> Iterator[Any]:
    """Answer a change by events about it and its neighbours."""
    if request.nlmsg_type == new.type and request.number:
        for number in (request.number - 1, request.number, request.number + 1):
            yield Datagram(thing(number, seq=0), group=1)


@BOTH
def test_a_plan_waits_for_an_event(connect: Connect) -> None:
    nl, socket = opened(connect, confirm)
    with nl:
        made = change(5)
        for _ in range(3):
            assert nl.do(made).number == 5
            nl.do(new())
            assert socket.groups == set()
            assert len(nl._engine.queues) == 1
        nl.join("thing")
        assert nl.do(change(7)).number == 7
        assert shown(nl.events()) == [6, 7, 8]  # the plan took none of them
        assert socket.groups == {1}


@BOTH
def test_a_plan_that_waits_in_vain(connect: Connect) -> None:
    nl, socket = opened(connect, lambda request: None)
    with nl:
        with pytest.raises(TimeoutError):
            nl.do(change(5, timeout=0.01))
        nl.do(new())
        assert socket.groups == set()
        for wrong, error in ((-1, ValueError), ("1", TypeError)):
            with pytest.raises(error, match="a timeout"):
                nl.do(change(5, timeout=wrong))


@BOTH
def test_a_plan_sees_the_overrun(connect: Connect) -> None:
    nl, socket = opened(connect, lambda request: None)

    @plan(sequence=True)
    def careful() -> Steps[list[Any]]:
        yield listen("thing")
        seen = []
        socket.event("thing", Thing(number=1))
        socket.overrun()
        for _ in range(2):
            try:
                seen.append((yield wait(timeout=0.01)).number)
            except Overrun as error:
                seen.append(error.where)
        return seen

    with nl:
        assert nl.do(careful()) == [1, "kernel"]
        with pytest.raises(Overrun):
            nl.do(overrun_in(socket))
        nl.do(new())
        assert socket.groups == set()


@plan(sequence=True)
def overrun_in(socket: Socket) -> Steps[Any]:
    yield listen("thing")
    socket.overrun()
    return (yield wait(timeout=0.01))


@BOTH
def test_listen_twice_and_wait_without_listen(connect: Connect) -> None:
    nl, socket = opened(connect, lambda request: None)

    @plan(sequence=True)
    def both() -> Steps[list[int]]:
        yield listen("thing")
        yield listen("other-thing")
        socket.event("other-thing", Thing(number=1))
        socket.event("thing", Thing(number=2))
        first = yield wait(timeout=1)
        second = yield wait(timeout=1)
        return [first.number, second.number]

    @plan(sequence=True)
    def deaf() -> Steps[None]:
        yield wait()

    @plan(sequence=True)
    def wrong() -> Steps[None]:
        yield listen("thin")

    with nl:
        assert nl.do(both()) == [1, 2]
        with pytest.raises(TypeError, match=r"yield listen\(\.\.\.\) before wait\(\.\.\.\)"):
            nl.do(deaf())
        with pytest.raises(LookupError, match="did you mean 'thing'"):
            nl.do(wrong())
        nl.do(new())
        assert socket.groups == set()


@BOTH
def test_an_inner_plan_shares_the_groups_of_the_outer(connect: Connect) -> None:
    nl, _ = opened(connect, confirm)

    @plan(sequence=True)
    def outer() -> Steps[list[Any]]:
        yield listen("thing")
        first = yield change(5)
        after = yield wait(timeout=1)
        return [first.number, after.number]

    with nl:
        assert nl.do(outer()) == [5, 6]


@BOTH
def test_a_plan_that_is_dropped_in_the_middle_leaves_its_groups(connect: Connect) -> None:
    def kernel(request: Thing) -> None:
        if request.number == 5:
            raise KernelError(22)

    nl, socket = opened(connect, kernel)
    with nl:
        with pytest.raises(KernelError, match=r"test_subscriptions\.change: 5: "):
            nl.do(change(5))
        nl.do(new())
        assert socket.groups == set()


# --- groups of generic families -------------------------------------------------------------------


class Reloading(Socket):
    """A generic family whose module comes and goes, and with it the number of its group."""

    def __init__(self) -> None:
        super().__init__(self.answer, plays.PLAY, *[])
        self.number: int | None = 70

    def answer(self, request: Any) -> Any:
        return list(plays.kernel(request))

    def _answer(self, header: Any, request: Any) -> Any:
        if isinstance(request, Ctrl) and self.number is not None:
            self._generic.nlctrl = self.nlctrl  # type: ignore[union-attr, method-assign]
        return super()._answer(header, request)

    def nlctrl(self, request: Any) -> Iterator[Any]:
        yield 1, Ctrl(family_name="play", family_id=FIRST_ID, mcast_groups=self.named())

    def named(self) -> list[dict[str, Any]]:
        return [{"name": "events", "id": self.number}, {"name": "config", "id": 69}]

    def reload(self, number: int) -> None:
        """Unload the module and load it again."""
        if self.number is not None:
            self.groups.discard(self.number)  # genl_unregister_mc_groups
        told = [(2, Ctrl(family_name="play", family_id=FIRST_ID))]
        self.number = number
        told.append((1, Ctrl(family_name="play", family_id=FIRST_ID, mcast_groups=self.named())))
        for command, message in told:
            data = plays.message(command, message, id=16)
            self.deliver(Datagram(data, group=16))

    def happen(self, index: int) -> None:
        assert self.number is not None
        data = plays.message(PLAY_CMD.PLAY_CMD_NEW, Play(index=index), id=FIRST_ID)
        self.deliver(Datagram(data, group=self.number))


@BOTH
def test_a_subscription_follows_a_group_whose_number_changes(connect: Connect) -> None:
    socket = Reloading()
    with connect(PLAY, socket=socket, timeout=5) as nl:
        first, second = nl.subscribe("events"), nl.subscribe("play.events", "config")
        nl.join("events")
        socket.happen(1)
        socket.reload(71)
        assert nl.do(plays.get(index=5)).index == 5
        assert socket.groups == {16, 71, 69}
        socket.happen(2)
        for events in (first, second, nl.events()):
            assert [event.index for event in events] == [1, 2]
        nl.leave("events")
        first.close()
        assert socket.groups == {16, 71, 69}
        second.close()
        assert socket.groups == {16}


@BOTH
def test_a_subscription_whose_family_is_gone_gets_nothing(connect: Connect) -> None:
    """It does not turn into one that has the unsolicited messages."""
    socket = Reloading()
    with connect(PLAY, socket=socket, timeout=5) as nl:
        subscription, unsolicited = nl.subscribe("events"), nl.subscribe()
        gone = plays.message(2, Ctrl(family_name="play", family_id=FIRST_ID), id=16)
        socket.deliver(Datagram(gone, group=16))
        data = plays.message(PLAY_CMD.PLAY_CMD_NEW, Play(index=7), id=FIRST_ID)
        socket.deliver(Datagram(data))
        assert [event.index for event in unsolicited] == [7]
        assert list(subscription) == []


# --- threads and tasks ----------------------------------------------------------------------------


def test_tasks_that_read_one_subscription_share_its_events() -> None:
    async def main() -> None:
        socket = Socket(things, FAMILY, datagrams=1)
        async with aio.Connection(FAMILY, socket=socket) as nl:
            got: list[int] = []

            async def read(subscription: Any) -> None:
                async for event in subscription:
                    got.append(event.number)

            subscription = await nl.subscribe("thing")
            tasks = [asyncio.ensure_future(read(subscription)) for _ in range(3)]
            for number in range(50):
                socket.event("thing", Thing(number=number))
                await asyncio.sleep(0)
            while len(got) < 50:
                await asyncio.sleep(0)
            assert sorted(got) == [*range(50)]
            await subscription.close()
            async with asyncio.timeout(5):
                await asyncio.gather(*tasks)  # closing it ends the loops

    asyncio.run(main())
