"""Exceptions of signal handlers, as KeyboardInterrupt: wherever one strikes, nothing received is
lost, and the connection stays usable for this thread and for others.

An exception can strike at any bytecode of a Python frame, and in a compiled module at a call that
waits or runs other code. The tests try all of them, one after the other: each bytecode of the
library's frames by a trace function; each call of the socket by a socket that raises; and real
signals, a thousand a second, against the kernel.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

import pytest

import netlink
from netlink import Connection, KernelError, Overrun, engine
from netlink.family import Steps, plan
from netlink.route import FAMILY as ROUTE
from netlink.route import addr, link
from netlink.testing import Socket

from .drivers import BOTH, Connect
from .things import FAMILY, Thing, get, new, numbers, one, things

LIBRARY = os.path.join(os.path.dirname(netlink.__file__), "")
SCRIPTED = os.path.join(LIBRARY, "testing.py")

pytestmark = pytest.mark.skipif(
    engine.__file__.endswith(".py"), reason="the modules of the conversation are not compiled"
)


class Interrupted(BaseException):
    """What the signal handlers of these tests raise."""


# --- what a program does, and what must hold afterwards -------------------------------------------


@plan
def both(first: int, second: int) -> Steps[list[int]]:
    """Look two things up, one after the other."""
    return [(yield one(number=first)).number, (yield one(number=second)).number]


def patiently(step: Callable[[], Any]) -> Any:
    """Repeat a step that is interrupted."""
    while True:
        try:
            return step()
        except Interrupted:
            continue


def rest_of(items: Iterator[Any]) -> Iterator[Any]:
    """Go on with an iteration after each interrupt. Only the item of the interrupted step may be
    lost, and it is not: the step itself has no frame of Python."""
    nothing = object()
    while (item := patiently(lambda: next(items, nothing))) is not nothing:
        yield item


def do(nl: Any, socket: Socket) -> None:
    assert patiently(lambda: nl.do(one(number=4))).number == 4
    assert patiently(lambda: nl.do(new(number=4))) is None
    with pytest.raises(KernelError):
        patiently(lambda: nl.do(get(number=13)))


def do_plan(nl: Any, socket: Socket) -> None:
    assert patiently(lambda: nl.do(both(3, 5))) == [3, 5]


def dump(nl: Any, socket: Socket) -> None:
    """A reply goes on where it was interrupted; each message comes once."""
    reply = patiently(lambda: nl.dump(get()))
    found: list[int] = []

    def loop() -> None:
        for message in reply:
            found.append(message.number)

    patiently(loop)
    assert found == [*range(10)]


def dump_all(nl: Any, socket: Socket) -> None:
    assert numbers(patiently(lambda: nl.dump(get()).all())) == [*range(10)]
    columns = patiently(lambda: nl.dump(get()).columns("number"))
    assert list(columns["number"]) == [*range(10)]


def do_many(nl: Any, socket: Socket) -> None:
    """An interrupted pipeline is over: nobody waits for its answers."""
    wanted = [None, None, None]
    requests = [new(number=1), new(number=2), new(number=3)]
    assert patiently(lambda: list(nl.do_many(requests))) == wanted
    assert patiently(lambda: list(nl.do_many(requests, ack_last=True))) == wanted
    assert patiently(lambda: list(nl.do_many([both(1, 2)]))) == [[1, 2]]


def do_very_many(nl: Any, socket: Socket) -> None:
    """So many that a thread sends."""
    many = [new(number=1)] * 1100
    assert patiently(lambda: list(nl.do_many(many, window=600, ack_last=True))) == [None] * 1100


def events(nl: Any, socket: Socket) -> None:
    """Events are in order and whole, also those that come while a request is awaited."""
    patiently(lambda: nl.join("thing"))
    socket.event("thing", *(Thing(number=number) for number in range(5)))
    patiently(lambda: nl.do(one(number=1)))
    socket.event("thing", *(Thing(number=number) for number in range(5, 9)))
    found: list[int] = []

    def loop() -> None:
        for event in nl.events(timeout=0):
            found.append(event.number)

    patiently(loop)
    assert found == [*range(9)]
    patiently(lambda: nl.leave("thing"))
    assert not socket.groups


def subscriptions(nl: Any, socket: Socket) -> None:
    subscription = patiently(lambda: nl.subscribe("thing", predicate=lambda each: each.number % 2))
    socket.event("thing", *(Thing(number=number) for number in range(9)))
    found: list[int] = []

    def loop() -> None:
        for event in subscription.events(timeout=0):
            found.append(event.number)

    patiently(loop)
    assert found == [1, 3, 5, 7]
    patiently(subscription.close)
    assert not socket.groups


def overrun(nl: Any, socket: Socket) -> None:
    """Whatever strikes while the socket is emptied: the loss is reported, and then it is over."""
    patiently(lambda: nl.join("thing"))
    socket.event("thing", Thing(number=1))
    socket.overrun()
    socket.event("thing", Thing(number=2))
    found: list[Any] = []

    def loop() -> None:
        for event in nl.events(timeout=0):
            found.append(event)

    patiently(loop)
    first, lost = found
    assert first.number == 1
    assert isinstance(lost, Overrun)
    socket.event("thing", Thing(number=3))
    patiently(loop)
    assert found[2].number == 3


def close(nl: Any, socket: Socket) -> None:
    patiently(nl.close)
    assert socket.closed
    with pytest.raises(OSError) as caught:
        patiently(lambda: nl.do(get(number=1)))
    assert caught.value.errno == errno.EBADF


OPERATIONS = [
    do, do_plan, dump, dump_all, do_many, do_very_many, events, subscriptions, overrun, close,
]  # fmt: skip
EACH = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)


def check_usable(nl: Any) -> None:
    """The connection still works, in this thread and in another one."""
    if nl.closed:
        return
    if isinstance(nl, Connection):
        assert nl._channel.gate.owner == 0
    assert numbers(nl.dump(get()).all()) == [*range(10)]
    assert nl.do(one(number=7)).number == 7
    assert not nl._engine.is_waiting
    if isinstance(nl, Connection):
        answers: list[int] = []
        thread = threading.Thread(target=lambda: answers.append(nl.do(one(number=8)).number))
        thread.start()
        thread.join(20)
        assert answers == [8]


# --- every bytecode -------------------------------------------------------------------------------


class AtBytecode:
    """Interrupts at one bytecode of the library's Python frames, counted from 0."""

    def __init__(self, position: int) -> None:
        self.left = position

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(LIBRARY):
            return None
        caller: FrameType | None = frame
        while caller is not None:
            if caller.f_code.co_filename == SCRIPTED:  # the kernel is not interrupted
                return None
            caller = caller.f_back
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self.trace

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode":
            self.left -= 1
            if self.left == -1:
                raise Interrupted
        return self.trace


@EACH
@BOTH
def test_an_interrupt_at_every_bytecode(connect: Connect, operation: Any) -> None:
    """After an interrupt at any bytecode of any public call, the connection is usable."""
    position = 0
    while True:
        socket = Socket(things, FAMILY, part=60, datagrams=2)
        nl = connect(FAMILY, socket=socket)
        interrupt = AtBytecode(position)
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            operation(nl, socket)
        finally:
            sys.settrace(before)
        check_usable(nl)
        if interrupt.left >= 0:
            break
        position += 1


# --- every call of the socket ---------------------------------------------------------------------


class Breaking(Socket):
    """Raises before or after one of the calls of a connection, counted from 0.

    A send is interrupted before it only, and a receive afterwards too, when `inbox` has the data:
    so it is with RawSocket and with a trace function.
    """

    left = sys.maxsize

    def _strike(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise Interrupted

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        self._strike()
        return super().send(buffer, timeout=timeout)

    def begin_send(self, buffers: Iterable[bytes], /) -> None:
        self._strike()
        super().begin_send(buffers)

    def end_send(self) -> None:
        super().end_send()
        self._strike()

    def receive(self, *args: Any) -> Any:
        self._strike()
        found = super().receive(*args)
        self._strike()
        return found

    def join(self, group: int, /) -> None:
        self._strike()
        super().join(group)

    def leave(self, group: int, /) -> None:
        super().leave(group)
        self._strike()


@EACH
@BOTH
def test_an_interrupt_at_every_call_of_the_socket(connect: Connect, operation: Any) -> None:
    position = 0
    while True:
        socket = Breaking(things, FAMILY, part=60, datagrams=2)
        nl = connect(FAMILY, socket=socket)
        socket.left = position
        operation(nl, socket)
        socket.left = sys.maxsize if (was_over := socket.left >= 0) else socket.left
        check_usable(nl)
        if was_over:
            break
        position += 1
    assert position > 0 or operation is close


class Alarm(Socket):
    """A socket whose second receive is interrupted by a handler that raises TimeoutError."""

    receives = 0

    def receive(self, *args: Any) -> Any:
        self.receives += 1
        if self.receives == 2:
            raise TimeoutError("a time-out of the program")
        return super().receive(*args)


@BOTH
def test_a_time_out_of_the_program_ends_no_dump(connect: Connect) -> None:
    """Only an answer that is late ends a reply. Any other exception leaves it to be continued."""
    nl = connect(FAMILY, socket=Alarm(things, FAMILY, part=60, datagrams=1))
    reply = nl.dump(get())
    found: list[int] = []
    with pytest.raises(TimeoutError, match="of the program"):
        for message in reply:
            found.append(message.number)
    assert found and len(found) < 10
    assert found + numbers(reply) == [*range(10)]


# --- code of the user -----------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("position", range(6))
def test_an_interrupt_in_a_predicate_loses_no_event(connect: Connect, position: int) -> None:
    """It leaves the run where it is: the next call selects again, for all subscriptions."""
    left = position

    def is_odd(message: Thing) -> bool:
        nonlocal left
        left -= 1
        if left == -1:
            raise Interrupted
        return bool(message.number and message.number % 2)

    socket = Socket(things, FAMILY, datagrams=3)
    with connect(FAMILY, socket=socket) as nl:
        every = nl.subscribe("thing")
        odd = nl.subscribe("thing", predicate=is_odd)
        last = nl.subscribe("thing")
        for start in (0, 2, 4):
            socket.event("thing", *(Thing(number=start + more) for more in range(2)))
        patiently(lambda: nl.do(one(number=1)))
        for subscription, wanted in ((every, range(6)), (odd, (1, 3, 5)), (last, range(6))):
            found: list[int] = []

            def loop(subscription: Any = subscription, found: list[int] = found) -> None:
                for event in subscription.events(timeout=0):
                    found.append(event.number)

            patiently(loop)
            assert found == [*wanted]
        assert nl.stats.events == 6
        check_usable(nl)


@BOTH
@EACH
def test_an_interrupt_in_every_call_of_a_trace_function(connect: Connect, operation: Any) -> None:
    position = 0
    while True:
        left = position

        def trace(seen: Any) -> None:
            nonlocal left
            left -= 1
            if left == -1:
                raise Interrupted

        socket = Socket(things, FAMILY, part=60, datagrams=2)
        nl = connect(FAMILY, socket=socket, trace=trace)
        operation(nl, socket)
        was_over = left >= 0
        left = sys.maxsize
        check_usable(nl)
        if was_over:
            break
        position += 1
    assert position > 0 or operation is close


@BOTH
@pytest.mark.parametrize("position", [0, 1, 30, 700])
def test_an_interrupt_in_a_source_of_requests(connect: Connect, position: int) -> None:
    def source() -> Iterator[Any]:
        for number in range(1000):
            if number == position:
                raise Interrupted
            yield new(number=number)

    with connect(FAMILY, socket=Socket(things, FAMILY)) as nl:
        with pytest.raises(Interrupted):
            for _ in nl.do_many(source(), window=256):
                pass
        check_usable(nl)


def test_a_predicate_that_uses_its_own_connection_is_refused() -> None:
    """It would wait for itself, and no time-out would end that."""
    with Connection(FAMILY, socket=Socket(things, FAMILY)) as nl:
        subscription = nl.subscribe("thing", predicate=lambda each: nl.do(new(number=1)) is None)
        nl._socket.event("thing", Thing(number=1))  # type: ignore[attr-defined]
        with pytest.raises(OSError, match="comes from a predicate or a trace function") as caught:
            next(subscription.events(timeout=0))
        assert caught.value.errno == errno.EDEADLK
        check_usable(nl)


def test_a_trace_function_that_uses_its_own_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a send it is refused, which the exception hook reports; after a receive it works."""
    reported: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, traceback: reported.append(error))
    found: list[Any] = []

    def trace(seen: Any) -> None:
        if len(found) < 4:
            found.append(seen.direction)
            found.append(nl.do(one(number=3)).number)

    with Connection(FAMILY, socket=Socket(things, FAMILY), trace=trace) as nl:
        assert nl.do(one(number=1)).number == 1
        check_usable(nl)
    assert [type(error) for error in reported[:1]] == [OSError]
    assert {error.errno for error in reported} == {errno.EDEADLK}  # type: ignore[attr-defined]
    assert 3 in found


# --- real signals ---------------------------------------------------------------------------------


class Storm:
    """Signals at 1 kHz, whose handler raises Interrupted in the main thread, if it is `armed`.

    The garbage collector rests meanwhile: what a finalizer raises, Python can only report.
    """

    def __init__(self) -> None:
        self.armed = False
        self.struck = 0

    def handle(self, number: int, frame: FrameType | None) -> None:
        if self.armed:
            self.struck += 1
            raise Interrupted

    def __enter__(self) -> Storm:
        gc.collect()
        gc.disable()
        self.before = signal.signal(signal.SIGALRM, self.handle)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        return self

    def __exit__(self, *details: object) -> None:
        self.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)
        gc.enable()

    def __call__(self, step: Callable[[], Any]) -> bool:
        """Execute a step; whether it was interrupted."""
        try:
            self.armed = True
            step()
            self.armed = False
        except Interrupted:
            self.armed = False
            return True
        return False


SECONDS = float(os.environ.get("NETLINK_STORM", "2"))  # of each storm


@pytest.mark.skipif(sys.platform != "linux", reason="needs netlink sockets")
def test_signals_at_1_khz_while_threads_share_a_connection() -> None:
    """The threads get all their answers, and the interrupted one can always go on."""
    failures: list[str] = []
    done = [0] * 3
    is_over = threading.Event()

    def work(place: int) -> None:
        while not is_over.is_set():
            try:
                if nl.do(link.get(index=1)).index != 1:
                    failures.append("a wrong link")
                if not any(each.index == 1 for each in nl.dump(link.get())):
                    failures.append("a dump without lo")
                done[place] += 1
            except Exception as error:
                failures.append(repr(error))

    with Connection(ROUTE, timeout=30) as nl, Storm() as storm:
        threads = [threading.Thread(target=work, args=(place,)) for place in range(3)]
        for thread in threads:
            thread.start()
        steps = [
            lambda: nl.do(link.get(index=1)),
            lambda: nl.dump(link.get()).all(),
            lambda: list(nl.do_many([link.get(index=1)] * 20)),
            lambda: nl.do(link.get(ifname="lo")),
        ]
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for step in steps:
                storm(step)
        is_over.set()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert failures == []
        assert min(done) > 10
        assert storm.struck > 20
        assert nl._channel.gate.owner == 0
        assert nl.do(link.get(index=1)).index == 1


def local(number: int) -> str:
    """An address for each number."""
    return f"10.0.{number >> 8}.{number & 255}"


@pytest.mark.usefixtures("netns")
def test_signals_at_1_khz_lose_no_event() -> None:
    """What the kernel sent is handed out, each event once and in order, or an Overrun says so."""
    count = 4000
    with Connection(ROUTE, rcvbuf=32 << 20) as nl, Connection(ROUTE) as other, Storm() as storm:
        nl.join("ipv4-ifaddr")
        changes = [
            request
            for number in range(count // 2)
            for request in (
                addr.new(family=2, index=1, prefixlen=32, local=local(number)),
                addr.delete(family=2, index=1, prefixlen=32, local=local(number)),
            )
        ]

        def change() -> None:
            for outcome in other.do_many(changes, raise_errors=True):
                assert outcome is None

        thread = threading.Thread(target=change)
        thread.start()
        found: list[Any] = []

        def loop() -> None:
            for event in nl.events(timeout=3):
                assert isinstance(event, addr.Address)
                found.append((event.nlmsg_name, str(event.local)))

        while storm(loop) and (thread.is_alive() or nl.stats.events < count or nl.pending):
            pass
        thread.join(60)
        wanted = [
            (name, local(number))
            for number in range(count // 2)
            for name in ("RTM_NEWADDR", "RTM_DELADDR")
        ]
        # The event of the step that was interrupted may be lost between our frame and the list.
        came = set(found)
        assert [each for each in wanted if each in came] == found
        assert count - len(found) <= storm.struck
        assert nl.stats.events == count
        assert storm.struck > 5


def test_a_signal_handler_may_use_the_connection_that_it_interrupts() -> None:
    """While a call waits, the connection is free for the handler, though not for a second wait."""
    answers: list[Any] = []

    def handle(number: int, frame: FrameType | None) -> None:
        answers.append(nl.do(link.get(index=1)).ifname)
        answers.append(len(nl.dump(link.get()).all()) > 0)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        with Connection(ROUTE, timeout=20) as nl:
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            assert list(nl.events(timeout=0.5)) == []
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert nl.do(link.get(index=1)).ifname == "lo"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert answers[:2] == ["lo", True]
    assert len(answers) >= 4


class Held(Socket):
    """Holds a thread inside the gate: in a send, until it may go on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.may_go = threading.Event()
        self.may_go.set()
        self.inside = threading.Event()

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        self.inside.set()
        self.may_go.wait(20)
        return super().send(buffer, timeout=timeout)


def test_an_interrupt_while_the_gate_is_shut_leaves_the_lead_free() -> None:
    """The main thread has received and must enter again, while another one is inside."""
    socket = Held(things, FAMILY)
    with Connection(FAMILY, socket=socket, timeout=20) as nl:
        gate = nl._channel.gate
        for enter in (gate.enter, gate.enter_again):
            socket.may_go.clear()
            socket.inside.clear()
            thread = threading.Thread(target=nl.do, args=(one(number=1),))
            thread.start()
            socket.inside.wait(20)
            with Storm() as storm:
                threading.Timer(0.1, socket.may_go.set).start()
                assert storm(enter)
            if enter == gate.enter_again:
                assert gate.owner == threading.get_ident()
                gate.leave()
            thread.join(20)
            check_usable(nl)


def test_a_signal_handler_may_wait_where_its_thread_waits_already() -> None:
    """In front of the gate, and for another thread's lead: the handler's wait ends first."""
    socket = Held(things, FAMILY)
    answers: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if not answers:
            threading.Timer(0.05, socket.may_go.set).start()
            answers.append(nl.do(one(number=2)).number)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        with Connection(FAMILY, socket=socket, timeout=20) as nl:
            socket.may_go.clear()
            thread = threading.Thread(target=nl.do, args=(one(number=1),))
            thread.start()
            socket.inside.wait(20)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            assert nl.do(one(number=3)).number == 3
            thread.join(20)
            check_usable(nl)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert answers == [2]


def test_what_an_interrupted_thread_was_to_send_is_sent_by_the_next_leader() -> None:
    """The end of a dump lets the next one out, and the exception comes before it is sent."""
    armed = False

    def trace(seen: Any) -> None:
        if armed and seen.direction == "send" and threading.current_thread() is main:
            raise Interrupted

    main = threading.current_thread()
    socket = Socket(things, FAMILY, part=60, datagrams=1)
    with Connection(FAMILY, socket=socket, trace=trace, timeout=20) as nl:
        first = nl.dump(get())
        second = nl.dump(get())
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.extend(numbers(second)))
        armed = True
        with pytest.raises(Interrupted):
            first.all()
        thread.start()
        thread.join(20)
        armed = False
        assert found == [*range(10)]
        check_usable(nl)


@BOTH
def test_requests_that_are_never_answered_do_not_fill_the_line(connect: Connect) -> None:
    """Their answers would count as on their way for ever, and nothing would be sent any more."""
    is_silent = True

    def kernel(request: Thing) -> Iterator[Any]:
        if is_silent:
            raise TimeoutError
        return things(request)

    socket = Socket(kernel, FAMILY)
    socket.rcvbuf = 16384
    with connect(FAMILY, socket=socket) as nl:
        for _ in range(10):
            with pytest.raises(TimeoutError):
                nl.do(one(number=1), timeout=0.01)
        is_silent = False
        assert nl.do(one(number=1), timeout=5).number == 1


@BOTH
def test_a_question_about_a_family_waits_for_no_room(connect: Connect) -> None:
    """The requests that wait for its answer are not on their way, however many they are."""
    from . import plays

    socket = Socket(plays.kernel, plays.PLAY)
    socket.rcvbuf = 16384
    with connect(plays.PLAY, socket=socket, timeout=5) as nl:
        outcomes = list(nl.do_many([plays.get(index=1)] * 40, window=40))
        assert [each.index for each in outcomes] == [1] * 40
