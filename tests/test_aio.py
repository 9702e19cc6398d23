"""The asyncio driver over a scripted kernel, with asyncio, its debug mode and uvloop.

A test fails if it leaves a task, a watched descriptor or an unhandled exception.
"""

from __future__ import annotations

import asyncio
import errno
import inspect
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any

import pytest

from netlink import Connection as Blocking
from netlink import DecodeError, DumpInterrupted, KernelError, Message, Overrun, aio
from netlink import listen as listen_to
from netlink.aio import FAIR, Connection
from netlink.family import Steps, plan
from netlink.testing import Datagram, Socket

from . import wire
from .things import FAMILY, Thing, get, new, numbers, one, silence, stall, tell, thing, things

Main = Callable[[], Coroutine[Any, Any, None]]
LOOPS = ["asyncio", "debug", "uvloop"]


def runner(name: str) -> asyncio.Runner:
    if name != "uvloop":
        return asyncio.Runner(debug=name == "debug")
    return asyncio.Runner(loop_factory=pytest.importorskip("uvloop").new_event_loop)


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Main], None]:
    """Runs a coroutine function in a new event loop, and looks at what it leaves."""

    def go(main: Main) -> None:
        unhandled: list[dict[str, Any]] = []

        async def watched() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, context: unhandled.append(context))
            async with asyncio.timeout(10):
                await main()
            assert asyncio.all_tasks() == {asyncio.current_task()}

        with runner(request.param) as here:
            here.run(watched())
        assert unhandled == []

    return go


class Slow(Socket):
    """Never gives anything at once: every answer must be waited for."""

    looks = 0

    def _receive(self, timeout: float | None) -> tuple[bytes, bytes]:
        self.looks += 1
        if self.looks % 2 and not self._congested:  # after an overrun EAGAIN means that it is over
            raise BlockingIOError(errno.EAGAIN, "not yet")
        return super()._receive(timeout)


def connect(kernel: Any = things, *, slow: bool = False, **options: Any) -> tuple[Connection, Any]:
    socket = (Slow if slow else Socket)(kernel, FAMILY, part=1, datagrams=1)
    return Connection(FAMILY, socket=socket, **options), socket


async def number(nl: Connection, wanted: int) -> int | None:
    """Ask for a thing; its number says whether the answer is the right one."""
    return (await nl.do(one(number=wanted))).number


@pytest.fixture(params=[False, True], ids=["eager", "slow"])
def slow(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=[False, True], ids=["direct", "threaded"])
def threaded(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


# --- the same names -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in dir(Blocking) if not n.startswith("_")])
def test_names_and_arguments_are_those_of_the_blocking_connection(name: str) -> None:
    ours, theirs = getattr(Connection, name), getattr(Blocking, name)
    if callable(theirs):
        assert [*inspect.signature(ours).parameters] == [*inspect.signature(theirs).parameters]
    assert inspect.getdoc(ours)


def test_options_are_those_of_the_blocking_connection() -> None:
    ours, theirs = (inspect.signature(cls).parameters for cls in (Connection, Blocking))
    assert {*ours} - {*theirs} == {"threaded_sends"}
    assert {*theirs} <= {*ours}


def test_all_kinds_of_answers(run: Any, slow: bool, threaded: bool) -> None:
    async def main() -> None:
        nl, _ = connect(slow=slow, threaded_sends=threaded)
        async with nl:
            assert await number(nl, 7) == 7
            assert [m.number async for m in nl.dump(get())] == [*range(10)]
            assert numbers(await nl.dump(get()).all()) == [*range(10)]
            table = await nl.dump(get()).columns("number")
            assert [*table["number"]] == [*range(10)]
            with pytest.raises(KernelError, match=r"thing\.get: number: no such thing \(ENODEV\)"):
                await nl.do(get(number=13))
            with pytest.raises(KernelError):
                await nl.dump(get(number=13)).all()
        assert nl.closed
        assert nl.stats.late == 0

    run(main)


def test_dumps_queue_and_requests_pass(run: Any, slow: bool, threaded: bool) -> None:
    async def main() -> None:
        nl, socket = connect(slow=slow, threaded_sends=threaded)
        async with nl:
            first, second = nl.dump(get()), nl.dump(get(number=42))
            messages = aiter(first)
            assert (await anext(messages)).number == 0
            assert repr(first) == "<Reply to thing.get: waiting>"
            assert not first.done and first.request.name == "thing.get"
            assert await number(nl, 3) == 3
            assert numbers(await second.all()) == [42]
            assert [m.number async for m in messages] == [*range(1, 10)]
            assert [m.number for m in socket.requests] == [None, 3, 42]
            assert first.done and not first.interrupted

    run(main)


def test_tasks_share_a_connection(run: Any, slow: bool, threaded: bool) -> None:
    async def main() -> None:
        nl, _ = connect(slow=slow, threaded_sends=threaded)

        async def ask(base: int) -> None:
            for wanted in range(base, base + 10):
                assert await number(nl, wanted) == wanted

        async def list_all() -> None:
            assert [m.number async for m in nl.dump(get())] == [*range(10)]

        async with nl:
            await asyncio.gather(*(ask(n * 100) for n in range(20)), *(list_all() for _ in "abc"))
        assert nl.stats.late == 0

    run(main)


def test_an_interrupted_dump_is_begun_again(run: Any) -> None:
    async def main() -> None:
        times: list[None] = []

        def kernel(request: Thing) -> Iterator[Thing]:
            yield Thing(number=len(times))
            times.append(None)
            if len(times) < 3:
                raise DumpInterrupted

        nl, _ = connect(kernel, slow=True)
        async with nl:
            assert numbers(await nl.dump(get(), retries=2).all()) == [2]
            for way in ("all", "columns"):
                times.clear()
                reply = nl.dump(get(), retries=1)
                with pytest.raises(DumpInterrupted) as caught:
                    await (reply.all() if way == "all" else reply.columns("number"))
                partial = caught.value.partial
                assert partial[0].number == 1 if way == "all" else [*partial["number"]] == [1]
            times.clear()
            messages = aiter(nl.dump(get()))
            assert (await anext(messages)).number == 0
            with pytest.raises(DumpInterrupted):
                await anext(messages)

    run(main)


async def one_by_one(wanted: range) -> AsyncIterator[Any]:
    for n in wanted:
        await asyncio.sleep(0)
        yield get(number=n)


@pytest.mark.parametrize("ack_last", [False, True])
@pytest.mark.parametrize("window", [None, 1, 4])
def test_pipelines(
    run: Any, slow: bool, threaded: bool, ack_last: bool, window: int | None
) -> None:
    async def main() -> None:
        nl, _ = connect(slow=slow, threaded_sends=threaded)
        for source in (one_by_one(range(10, 16)), (get(number=n) for n in range(10, 16))):
            outcomes = [
                outcome async for outcome in nl.do_many(source, window=window, ack_last=ack_last)
            ]
            assert [getattr(o, "number", o) for o in outcomes[:3]] == [10, 11, 12]
            assert [getattr(o, "number", o) for o in outcomes[4:]] == [14, 15]
            assert isinstance(outcomes[3], KernelError)
            assert outcomes[3].index == 3
        with pytest.raises(KernelError) as caught:
            many = (get(number=n) for n in range(20))
            async for _ in nl.do_many(many, window=window, ack_last=ack_last, raise_errors=True):
                pass
        assert caught.value.index == 13
        assert await number(nl, 1) == 1
        nl.close()

    run(main)


def test_a_source_that_takes_its_time_keeps_nothing_back(run: Any, slow: bool) -> None:
    async def main() -> None:
        nl, socket = connect(slow=slow)
        waiting: asyncio.Queue[int | None] = asyncio.Queue()

        async def source() -> AsyncIterator[Any]:
            while (n := await waiting.get()) is not None:
                yield get(number=n)

        outcomes: Any = nl.do_many(source())
        for n in range(3):
            waiting.put_nowait(n)
            assert (await anext(outcomes)).number == n  # though the next one is not there yet
        for n in (5, 6, 7):
            waiting.put_nowait(n)
        assert (await anext(outcomes)).number == 5
        assert len(socket.requests) == 6  # what is there goes together
        waiting.put_nowait(None)
        assert [outcome.number async for outcome in outcomes] == [6, 7]
        nl.close()

    run(main)


def test_a_source_is_told_when_it_is_wanted_no_more(run: Any) -> None:
    async def main() -> None:
        nl, _ = connect()
        ended: list[type[BaseException]] = []

        async def source() -> AsyncIterator[Any]:
            try:
                yield get(number=1)
                await asyncio.sleep(100)
            except BaseException as error:
                ended.append(type(error))
                raise

        outcomes: Any = nl.do_many(source())
        assert (await anext(outcomes)).number == 1
        await outcomes.aclose()
        assert ended == [GeneratorExit]

        outcomes = nl.do_many(source())
        assert (await anext(outcomes)).number == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(outcomes)
        assert ended == [GeneratorExit, asyncio.CancelledError]
        assert await number(nl, 2) == 2
        nl.close()

    run(main)


def test_a_source_may_outlive_what_is_thrown_into_it(run: Any) -> None:
    async def main() -> None:
        nl, _ = connect()

        async def source() -> AsyncIterator[Any]:
            yield get(number=1)
            for n in (2, 3):
                try:
                    await asyncio.sleep(100 if n == 2 else 0.001)
                except asyncio.CancelledError:
                    await asyncio.sleep(0)
                yield get(number=n)
            raise RuntimeError("no more")

        async def ask() -> list[Any]:
            found = []
            with pytest.raises(RuntimeError, match="no more"):
                async for outcome in nl.do_many(source()):
                    assert isinstance(outcome, Thing)
                    found.append(outcome.number)
            return found

        task = asyncio.ensure_future(ask())
        await asyncio.sleep(0.01)
        task.cancel()
        assert await task == [1, 2, 3]
        nl.close()

    run(main)


def test_plans(run: Any) -> None:
    @plan
    def walk() -> Steps[list[Any]]:
        seen: list[Any] = []
        first = yield get(number=1)
        seen.append(first.number)
        seen.append(numbers((yield get().dump())))
        try:
            yield get(number=13)
        except KernelError as error:
            seen.append(error.errno)
        return seen

    @plan
    def failing() -> Steps[None]:
        yield get(number=13)

    async def main() -> None:
        nl, _ = connect()
        async with nl:
            for _ in range(2):
                assert await nl.do(walk()) == [1, [*range(10)], errno.ENODEV]
                with pytest.raises(KernelError, match=r"^test_aio\.failing: number: no such thing"):
                    await nl.do(failing())

    run(main)


# --- cancelled ------------------------------------------------------------------------------------


async def read_all(nl: Connection) -> None:
    await nl.dump(get()).all()


async def read_columns(nl: Connection) -> None:
    await nl.dump(get()).columns("number")


async def iterate(nl: Connection) -> None:
    async for _ in nl.dump(get()):
        pass


async def many(nl: Connection) -> None:
    async for _ in nl.do_many(one_by_one(range(20, 26)), window=3):
        pass


@plan
def steps() -> Steps[None]:
    yield get(number=1)
    yield get().dump()
    yield listen_to("other-thing")
    yield get(number=2)


async def planned(nl: Connection) -> None:
    await nl.do(steps())


async def subscribed(nl: Connection) -> None:
    async with await nl.subscribe("thing", "other-thing") as subscription:
        async for _ in subscription.events(timeout=0.001):
            pass


async def listen(nl: Connection) -> None:
    async for _ in nl.events(timeout=0.001):
        pass


async def queue(nl: Connection) -> None:
    await asyncio.gather(read_all(nl), iterate(nl), number(nl, 5))


SCENES: list[Callable[[Connection], Awaitable[Any]]] = [
    lambda nl: number(nl, 5), read_all, read_columns, iterate, many, planned, subscribed, listen,
    queue,
]  # fmt: skip


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__.strip("<>"))
def test_cancelled_at_every_point(
    run: Any, slow: bool, threaded: bool, scene: Callable[[Connection], Awaitable[Any]]
) -> None:
    """Cancel after each number of turns of the loop, until it finishes before that."""

    async def main() -> None:
        finished = False
        turns = 0
        nl, socket = connect(slow=slow, threaded_sends=threaded)
        await nl.join("thing")
        while not finished:
            socket.event("thing", Thing(number=turns))
            task = asyncio.ensure_future(scene(nl))
            for _ in range(turns):
                await asyncio.sleep(0)
            finished = task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert not nl._waiters
            assert await number(nl, 1000 + turns) == 1000 + turns
            if turns % 3 == 0:
                assert numbers(await nl.dump(get()).all()) == [*range(10)]
            turns += 1
        assert turns > 1
        assert not nl._engine.is_waiting
        nl.close()

    run(main)


def test_a_cancelled_step_of_an_iteration_loses_nothing(run: Any, slow: bool) -> None:
    async def main() -> None:
        nl, socket = connect(slow=slow)
        await nl.join("thing")
        events, got = nl.events(), []
        for n in range(5):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.001)
            socket.event("thing", Thing(number=2 * n), Thing(number=2 * n + 1))
            got += numbers([await anext(events), await anext(events)])
        assert got == [*range(10)]
        messages, got = aiter(nl.dump(get())), []
        while True:
            step = asyncio.ensure_future(anext(messages))
            await asyncio.sleep(0)
            step.cancel()
            try:
                got.append((await step).number)
            except asyncio.CancelledError:
                pass
            except StopAsyncIteration:
                break
            if slow and len(got) < 10:  # a step that is not cancelled, as one turn is too few
                got.append((await anext(messages)).number)
        assert got == [*range(10)]
        nl.close()

    run(main)


def test_a_cancelled_request_is_drained(run: Any) -> None:
    async def main() -> None:
        nl, socket = connect(
            lambda request: things(request) if request.number else silence(request)
        )
        async with nl:
            task = asyncio.ensure_future(nl.do(get(number=0)))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            socket.deliver(Datagram(thing(666, seq=1) + wire.error(0, seq=1)))
            assert await number(nl, 5) == 5
            assert nl.stats.late == 2
            dump = nl.dump(get(number=0))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await dump.all()
            with pytest.raises(OSError, match="abandoned"):
                await dump.all()

    run(main)


def test_left_early(run: Any) -> None:
    async def main() -> None:
        nl, _ = connect(slow=True)
        async with nl:
            async for message in nl.dump(get()):
                if message.number == 4:
                    break
            async for _ in nl.do_many((get(number=n) for n in range(9)), window=2):
                break
            await asyncio.sleep(0)  # asyncio ends a generator that is let go in a task of its own
            await asyncio.sleep(0)
            assert await number(nl, 5) == 5
            assert numbers(await nl.dump(get()).all()) == [*range(10)]

    run(main)


# --- time -----------------------------------------------------------------------------------------


def test_a_timeout_leaves_the_connection_usable(run: Any, threaded: bool) -> None:
    async def main() -> None:
        nl, socket = connect(
            lambda request: things(request) if request.number else silence(request),
            threaded_sends=threaded,
            timeout=0.01,
        )
        async with nl:
            for attempt in (
                nl.do(get()),
                nl.do(get(), timeout=0),
                anext(nl.do_many([get(), get()])),
                nl.dump(get()).all(),
            ):
                with pytest.raises(TimeoutError, match="no answer came in time"):
                    await attempt
            socket.deliver(Datagram(thing(1, seq=1) + wire.error(0, seq=1)))
            socket.deliver(Datagram(wire.error(0, seq=3)), Datagram(wire.error(0, seq=4)))
            nl.timeout = 10
            assert await number(nl, 5) == 5
            assert nl.stats.late == 4
            assert [event async for event in nl.events(timeout=0)] == []

    run(main)


def test_a_loop_whose_time_is_over_is_not_gone_on_with(run: Any) -> None:
    async def main() -> None:
        nl, socket = connect(stall, timeout=0.01)
        async with nl:
            reply = nl.dump(get())
            with pytest.raises(TimeoutError) as kept:
                [message async for message in reply]
            socket.deliver(Datagram(thing(1, seq=1)), Datagram(wire.done(seq=1)))
            nl.timeout = 10
            assert await number(nl, 5) == 5
            assert nl.stats.late == 2
            with pytest.raises(OSError, match="the reply was abandoned"):
                [message async for message in reply]
            assert kept.value.errno == errno.ETIMEDOUT

    run(main)


# --- events and loss ------------------------------------------------------------------------------


def test_events(run: Any, slow: bool) -> None:
    async def main() -> None:
        nl, socket = connect(slow=slow)
        await nl.join("thing")
        socket.event("thing", *(Thing(number=n) for n in range(5)))
        async for event in nl.events():
            assert isinstance(event, Thing)
            if event.number == 1:
                break
        assert await number(nl, 100) == 100  # what a loop leaves is there for the next one
        assert numbers([event async for event in nl.events(timeout=0.02)]) == [2, 3, 4]
        await nl.leave("thing")
        socket.event("thing", Thing(number=5))
        assert [event async for event in nl.events(timeout=0.02)] == []
        nl.close()

    run(main)


def test_listeners_and_askers(run: Any, slow: bool) -> None:
    async def main() -> None:
        nl, socket = connect(slow=slow)
        got: list[Any] = []

        async def listener() -> None:
            async for event in nl.events():
                got.append(event)
                if len(got) == 30:
                    break

        async with nl:
            await nl.join("thing")
            task = asyncio.ensure_future(listener())
            for n in range(30):
                socket.event("thing", Thing(number=n))
                assert await number(nl, n + 100) == n + 100
            await task
            assert numbers(got) == [*range(30)]

    run(main)


def test_an_overrun(run: Any, slow: bool, threaded: bool) -> None:
    async def main() -> None:
        nl, socket = connect(slow=slow, threaded_sends=threaded)
        async with nl:
            await nl.join("thing")
            socket.event("thing", Thing(number=1), Thing(number=2))
            socket.overrun()
            socket.event("thing", Thing(number=3))
            with pytest.raises(Overrun):
                await number(nl, 1)
            # Nothing is sent before the socket's queue was empty: its answer would be lost.
            assert await number(nl, 4) == 4
            assert numbers(await nl.dump(get()).all()) == [*range(10)]
            socket.event("thing", Thing(number=5))
            kept = [getattr(e, "number", type(e)) async for e in nl.events(timeout=0.02)]
            assert kept == [1, 2, Overrun, 5]
            assert nl.stats.overruns == 1

    run(main)


def test_a_dump_that_a_thread_sends_in_an_overrun_is_received_to_its_end(run: Any) -> None:
    """The dump fails, and yet it is begun: the next one must not be sent beside it."""

    class Gate(Socket):
        opened = threading.Event()

        def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
            assert self.opened.wait(10)
            return super().send(buffer, timeout=timeout)

    async def main() -> None:
        socket = Gate(things, FAMILY, part=1, datagrams=1)
        socket.opened.clear()
        async with Connection(FAMILY, socket=socket, threaded_sends=True) as nl:
            lost = nl.dump(get())
            reading = asyncio.ensure_future(nl.dump(get()).all())
            socket.overrun()
            with pytest.raises(Overrun):
                await lost.all()
            for _ in range(3):
                await asyncio.sleep(0)
            socket.opened.set()
            assert numbers(await reading) == [*range(10)]
            assert nl.stats.overruns == 1

    run(main)


def test_a_busy_socket_does_not_starve_the_loop(run: Any) -> None:
    """A turn of the loop receives a few times, in the draining after an overrun too."""

    async def main() -> None:
        nl, socket = connect(slow=True)
        most = 0

        async def others() -> None:
            nonlocal most
            while True:
                before = socket.looks
                await asyncio.sleep(0)
                most = max(most, socket.looks - before)

        await nl.join("thing")
        task = asyncio.ensure_future(others())
        for overrun in (False, True):
            await asyncio.sleep(0)
            socket.event("thing", *(Thing(number=n) for n in range(200)))
            if overrun:
                socket.overrun()
                with pytest.raises(Overrun):
                    await number(nl, 1)
            looks = socket.looks
            async for event in nl.events():
                if getattr(event, "number", 0) == 199:
                    break
            assert socket.looks - looks >= 150
            assert most <= FAIR + 2  # and a look by the watching loop or the draining
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await number(nl, 7) == 7
        nl.close()

    run(main)


def test_answers_that_are_there_at_once_do_not_starve_the_loop(run: Any) -> None:
    async def main() -> None:
        socket = Socket(things, FAMILY)  # the send itself makes the whole answer
        nl = Connection(FAMILY, socket=socket)
        most = 0

        async def others() -> None:
            nonlocal most
            while not nl.closed:
                before = len(socket.requests)
                await asyncio.sleep(0)
                most = max(most, len(socket.requests) - before)

        async with nl:
            task = asyncio.ensure_future(others())
            for n in range(100):
                assert await number(nl, n + 100) == n + 100
        await task
        assert 0 < most <= FAIR

    run(main)


# --- what goes wrong ------------------------------------------------------------------------------


class Refusing(Socket):
    """Refuses to send what is asked of thing 77."""

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        if bytes(Thing(number=77)) in buffer:
            raise OSError(errno.EMSGSIZE, "too long")
        return super().send(buffer, timeout=timeout)


def test_a_failed_send_fails_its_request_alone(run: Any, threaded: bool) -> None:
    async def main() -> None:
        nl = Connection(FAMILY, socket=Refusing(things, FAMILY), threaded_sends=threaded)
        async with nl:
            failing: list[Awaitable[Any]] = [nl.do(get(number=77)), nl.do(tell(number=77))]
            failing.append(nl.dump(get(number=77)).all())
            failing.append(anext(nl.do_many([get(number=76), get(number=77)])))
            results = await asyncio.gather(
                *failing, number(nl, 1), read_all(nl), return_exceptions=True
            )
            told = [str(result) for result in results]
            assert told == ["[Errno 90] too long"] * 4 + ["1", "None"]
            await nl.do(tell(number=1))
            assert not nl._engine.is_waiting

    run(main)


def test_a_failed_send_makes_way_for_the_next_dump(run: Any, threaded: bool) -> None:
    async def main() -> None:
        socket = Refusing(lambda r: things(r) if r.number else silence(r), FAMILY)
        async with Connection(FAMILY, socket=socket, threaded_sends=threaded) as nl:
            dumps = [asyncio.ensure_future(nl.dump(get(number=n)).all()) for n in (0, 77, 77, 78)]
            while len(nl._waiters) < 4 or not socket.requests:
                await asyncio.sleep(0)
            socket.deliver(Datagram(wire.done(seq=1)))
            first, *refused, last = await asyncio.gather(*dumps, return_exceptions=True)
            assert [str(error) for error in refused] == ["[Errno 90] too long"] * 2
            assert (first, numbers(last)) == ([], [78])

    run(main)


def test_one_thread_at_a_time_sends(run: Any) -> None:
    busy = False

    class Sending(Socket):
        def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
            nonlocal busy
            assert not busy
            busy = True
            time.sleep(0.0005)
            busy = False
            return super().send(buffer, timeout=timeout)

    async def main() -> None:
        async with Connection(FAMILY, socket=Sending(things, FAMILY), threaded_sends=True) as nl:
            asked = [number(nl, n + 100) for n in range(20)]
            assert await asyncio.gather(*asked) == [*range(100, 120)]

    run(main)


def test_a_mistake_in_the_script_reaches_who_waits(run: Any, threaded: bool) -> None:
    def kernel(request: Thing) -> Iterator[Thing]:
        yield Thing(number=1)
        raise ZeroDivisionError

    async def main() -> None:
        nl, _ = connect(kernel, threaded_sends=threaded)
        async with nl:
            with pytest.raises(ZeroDivisionError):
                await nl.do(get())
            with pytest.raises(ZeroDivisionError):
                await nl.dump(get()).all()

    run(main)


def test_rubbish_is_told_to_all_whose_answer_it_may_have_been(run: Any) -> None:
    async def main() -> None:
        nl, socket = connect(silence)
        async with nl:
            waiting = [asyncio.ensure_future(nl.do(get(number=n))) for n in range(3)]
            await asyncio.sleep(0)
            socket.deliver(Datagram(thing(1, seq=2) + wire.error(0, seq=2)), Datagram(b"rubbish"))
            first, second, third = await asyncio.gather(*waiting, return_exceptions=True)
            assert isinstance(first, DecodeError) and isinstance(third, DecodeError)
            assert isinstance(second, Message)

    run(main)


def test_close_wakes_all_who_wait(run: Any, threaded: bool) -> None:
    async def main() -> None:
        nl, _ = connect(silence, threaded_sends=threaded)
        waiting = [
            asyncio.ensure_future(coroutine)
            for coroutine in (
                nl.do(get()), read_all(nl), read_all(nl), listen_for_ever(nl), many(nl),
            )
        ]  # fmt: skip
        for _ in range(10):
            await asyncio.sleep(0)
        nl.close()
        nl.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [getattr(result, "errno", result) for result in results] == [errno.EBADF] * 5
        for use in (nl.do(get()), read_all(nl), listen_for_ever(nl), many(nl)):
            with pytest.raises(OSError, match="socket is closed"):
                await use
        with pytest.raises(OSError, match="socket is closed"):
            await nl.join("thing")
        assert repr(nl) == "<Connection to thing, closed>"

    run(main)


def test_close_in_the_draining_after_an_overrun(run: Any) -> None:
    async def main() -> None:
        nl, socket = connect(slow=True)
        await nl.join("thing")
        socket.event("thing", *(Thing(number=n) for n in range(50)))
        socket.overrun()
        with pytest.raises(Overrun):
            await number(nl, 1)
        task = asyncio.ensure_future(number(nl, 2))
        await asyncio.sleep(0)
        nl.close()
        with pytest.raises(OSError, match="socket is closed"):
            await task
        await asyncio.sleep(0)
        looks = socket.looks
        for _ in range(10):
            await asyncio.sleep(0)
        assert socket.looks == looks

    run(main)


async def listen_for_ever(nl: Connection) -> None:
    async for _ in nl.events():
        pass


# --- nothing is left ------------------------------------------------------------------------------


def test_the_loop_watches_the_socket_only_while_somebody_waits(run: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        nl, _ = connect(slow=True)
        async with nl:
            await nl.join("thing")
            assert await number(nl, 1) == 1
            assert not loop.remove_reader(nl.fileno())
            task = asyncio.ensure_future(listen_for_ever(nl))
            await asyncio.sleep(0)
            assert await number(nl, 2) == 2
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert not loop.remove_reader(nl.fileno())

    run(main)


def test_no_descriptor_is_left(run: Any, threaded: bool) -> None:
    async def main() -> None:
        async def once() -> None:
            nl, socket = connect(slow=True, threaded_sends=threaded)
            async with nl:
                await nl.join("thing")
                socket.event("thing", Thing(number=1))
                assert await number(nl, 3) == 3
                assert numbers([await anext(nl.events())]) == [1]
                async for _ in nl.dump(get()):
                    break
                task = asyncio.ensure_future(listen_for_ever(nl))
                await asyncio.sleep(0)
            with pytest.raises(OSError, match="socket is closed"):
                await task

        await once()
        before = sorted(os.listdir("/proc/self/fd"))
        for _ in range(500):
            await once()
        assert sorted(os.listdir("/proc/self/fd")) == before

    run(main)


def test_a_connection_may_move_to_the_next_loop() -> None:
    nl, _ = connect(slow=True)
    for n in range(3):
        assert asyncio.run(number(nl, n)) == n
    nl.close()


def left_waiting(nl: Connection, *waiting: Coroutine[Any, Any, Any]) -> asyncio.AbstractEventLoop:
    """Return a loop in which tasks wait for the connection."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)  # the tasks end unfinished

    async def begin() -> None:
        tasks.extend(map(asyncio.ensure_future, waiting))
        await asyncio.sleep(0.01)

    tasks: list[Any] = []
    loop.run_until_complete(begin())
    return loop


@pytest.mark.parametrize("way", ["events", "close", "unsubscribe"])
def test_a_loop_that_was_closed_with_tasks_is_forgotten(way: str) -> None:
    """What they wait for arrives while another loop uses the connection, or closes it."""
    nl, socket = connect(slow=True)
    asyncio.run(nl.join("thing"))
    subscription = asyncio.run(nl.subscribe("other-thing"))

    async def listen(events: AsyncIterator[Any]) -> None:
        async for event in events:
            unexpected.append(event)

    unexpected: list[Any] = []
    left_waiting(nl, listen(nl.events()), listen(subscription.events())).close()
    assert len(nl._waiters) == 2
    if way == "close":
        nl.close()
        nl.close()
        return
    if way == "unsubscribe":
        asyncio.run(subscription.close())
    socket.event("thing", Thing(number=1))

    async def later() -> None:
        assert await number(nl, 5) == 5
        waiting: asyncio.Future[Any] = asyncio.ensure_future(anext(nl.events()))
        assert (await waiting).number == 1
        waiting = asyncio.ensure_future(anext(nl.events()))
        await asyncio.sleep(0.01)
        assert len(nl._waiters) == 1  # what the closed loop left is gone
        socket.event("thing", Thing(number=2))
        assert (await waiting).number == 2
        assert not nl._waiters
        nl.close()

    asyncio.run(later())
    assert unexpected == []


def test_two_loops_cannot_wait_at_the_same_time() -> None:
    """The request is not sent: nothing is done that the caller takes for refused."""
    nl, socket = connect(slow=True)
    asyncio.run(nl.join("thing"))
    loop = left_waiting(nl, anext(nl.events()))
    for attempt in (
        lambda: nl.do(get(number=5)),
        lambda: nl.dump(get()).all(),
        lambda: anext(nl.do_many([get(number=5)])),
        lambda: anext(nl.events()),
    ):

        async def refused(attempt: Callable[[], Awaitable[Any]] = attempt) -> None:
            with pytest.raises(RuntimeError, match="another event loop"):
                await attempt()

        asyncio.run(refused())
    assert Thing(number=5) not in socket.requests
    loop.close()
    assert asyncio.run(number(nl, 6)) == 6
    nl.close()


def test_a_loop_that_was_closed_while_its_thread_sends() -> None:
    """The next loop sends, and a dump goes on whose turn came when the thread could not send."""

    class Late(Refusing):
        def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
            if threading.current_thread() is not threading.main_thread():
                begun.set()
                assert go_on.wait(10)
            return super().send(buffer, timeout=timeout)

    begun, go_on = threading.Event(), threading.Event()
    nl = Connection(FAMILY, socket=Late(things, FAMILY), threaded_sends=True)
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        replies.append(nl.dump(get(number=77)))
        assert begun.wait(10)

    replies: list[Any] = []
    loop.run_until_complete(begin())
    executor = loop._default_executor  # type: ignore[attr-defined]
    loop.close()
    go_on.set()
    executor.shutdown(wait=True)

    async def later() -> None:
        assert await number(nl, 5) == 5
        assert numbers(await nl.dump(get()).all()) == [*range(10)]
        with pytest.raises(OSError, match="too long"):
            await replies[0].all()

    asyncio.run(later())
    assert not nl._engine.is_waiting
    nl.close()


def test_two_tasks_cannot_read_the_outcomes_of_one_pipeline(run: Any) -> None:
    async def main() -> None:
        nl, _ = connect(slow=True)
        async with nl:
            outcomes = nl.do_many([new(number=1)] * 3)
            first = asyncio.ensure_future(anext(outcomes))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="another task waits"):
                await anext(outcomes)
            assert [await first] + [each async for each in outcomes] == [None] * 3

    run(main)


def test_public_names() -> None:
    assert sorted(aio.__all__) == [
        "Connection",
        "Follower",
        "Merged",
        "Mirror",
        "Reply",
        "Subscription",
        "merge",
    ]
