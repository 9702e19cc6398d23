"""Target: a connection that talks to a scripted kernel, which may be honest, odd or broken.

The input is a list of calls and of what the kernel does with each request. As long as the kernel
keeps its rules, every call gives what it must. Whatever the kernel does, a call raises only the
documented exceptions and ends. Once the kernel is honest again, so are all answers.
"""

from __future__ import annotations

import errno
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from netlink import Connection, Family, KernelError, KernelWarning, NetlinkError, Op, Overrun
from netlink.constants import KernelEnum
from netlink.errors import DumpInterrupted
from netlink.testing import ACK, Datagram, Socket
from tests import things
from tests.things import Thing

from .source import Source, chunk

BASE_MEMORY = 8 << 20  # bytes: a connection, a socket, and the memory of the engine
LISTED = (1, 2, 3)  # the numbers of an honest dump
ERRNOS = (errno.EPERM, errno.ENOENT, errno.EEXIST, errno.EBUSY, errno.EINVAL, errno.EAGAIN, 4095)
MOST_CALLS, MOST_KEPT = 16, 6
GOOD_KERNEL = 10  # kinds of answers that keep the rules


class CMD(KernelEnum):
    """Commands of a made-up generic family."""

    CMD_GET = 1
    CMD_NEW = 2


PLAY_OPS = (
    Op("play.one", CMD.CMD_GET, Thing, answer="one"),
    Op("play.several", CMD.CMD_GET, Thing, answer="several"),
    Op("play.new", CMD.CMD_NEW, Thing),
)
PLAY = Family("play", types=CMD, ops=PLAY_OPS[:1], messages=Thing, groups=("thing",))
for _op in PLAY_OPS[1:]:
    _op.family = PLAY
VARIANTS: tuple[tuple[Family, tuple[Op[..., Any, Any], ...]], ...] = (
    (things.FAMILY, (things.one, things.get, things.several, things.new, things.echo, things.late,
                     things.listed, things.tell)),
    (PLAY, PLAY_OPS),
)  # fmt: skip
MAY_RAISE = (NetlinkError, OSError)


def seeds(datagrams: list[bytes]) -> Iterator[bytes]:
    """Yield calls of every kind, with kernels of every kind."""
    for variant in range(len(VARIANTS)):
        for call in range(12):
            for answer in range(24):
                step = bytes((call, 3, answer, 1, 2, 0, 4, answer, 0, 1))
                yield bytes((variant, 0)) + step * 3
    for position, data in enumerate(datagrams[::40]):
        yield bytes((position % 2, 0, 10, position % 8)) + chunk(data) + bytes((0, 1, 0, 0, 1))


class Talk:
    """One conversation, and what is known about it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.family, self.ops = VARIANTS[source.below(len(VARIANTS))]
        flags = source.integer(1)
        self.is_clean = True  # whether the kernel has kept all rules
        self.is_silent = False  # whether a dump had no end, so that others may wait for it
        self.is_over = False
        # What each request, and each dump, must give while the kernel is clean: errno or None.
        self.outcomes: list[int | None] = []
        self.dumps: list[int | None] = []
        self.replies: list[Any] = []
        self.subscriptions: list[Any] = []
        self.socket = Socket(
            self.kernel, self.family, datagrams=flags % 4 + 1, part=40 * (flags % 3) + 1
        )
        self.nl = Connection(self.family, socket=self.socket)

    # --- the kernel ---

    def kernel(self, request: Thing) -> Iterator[Any]:
        """Answer a request: honestly when the script is over."""
        what = 0 if self.is_over else self.source.below(24)
        if what < GOOD_KERNEL:
            yield from self.good(what, request)
        else:
            self.is_clean = False
            self.is_silent |= request.number is None and what in (10, 13, 20, 21)
            yield from self.bad(what, request)

    def good(self, what: int, request: Thing) -> Iterator[Any]:
        """Answer within the rules, and note what the caller must get."""
        is_dump = request.number is None
        code = self.source.choice(ERRNOS) if what == 7 else None
        (self.dumps if is_dump else self.outcomes).append(code)
        if code is not None:
            raise KernelError(code, "no", path=None if is_dump else "number")
        yield from self.honest(request)
        if what == 8:
            yield KernelWarning("odd")

    def honest(self, request: Thing) -> Iterator[Any]:
        """Answer what was asked for."""
        number = request.number
        is_new = request.nlmsg_type == things.TYPE.NEWTHING or request.genl_cmd == CMD.CMD_NEW
        if is_new or request.nlmsg_type == things.TYPE.TELL:
            return
        for each in LISTED if number is None else (number,):
            yield Thing(number=each, name=f"thing {each}")

    def bad(self, what: int, request: Thing) -> Iterator[Any]:
        """Break a rule, or lose messages."""
        source = self.source
        match what:
            case 10:
                raise TimeoutError
            case 11:
                raise Overrun
            case 12:
                yield from self.honest(request)
                raise DumpInterrupted
            case 13:
                yield ACK
                yield from self.honest(request)
            case 14:
                yield Datagram(source.chunk())
            case 15:
                yield Datagram(source.chunk(), port=source.integer(1))
            case 16:
                yield Datagram(source.chunk(), group=source.integer(1))
            case 17:
                yield Datagram(source.chunk(), is_cut=True)
            case 18:
                yield from self.honest(request)
                yield from self.honest(request)
            case 19:
                raise OSError(source.choice(ERRNOS), "broken")
            case 20:
                yield ACK
                yield ACK
            case 21:
                yield from self.honest(request)
                raise TimeoutError
            case _:
                yield source.integer(1), source.chunk()

    # --- calls ---

    def call(self) -> None:
        """Make one call, which raises what is documented or gives what it must."""
        calls = (
            self.do, self.do, self.do_many, self.dump, self.dump_later, self.columns,
            self.join, self.events, self.subscribe, self.deliver, self.deliver_raw, self.read_on,
        )  # fmt: skip
        call: Callable[[], None] = calls[self.source.below(len(calls))]
        try:
            call()
        except MAY_RAISE as error:
            assert str(error)
            assert not self.is_clean, (
                f"{call.__name__}() raised {error!r} with a kernel that is fine"
            )

    def do(self) -> None:
        op = self.ops[self.source.below(len(self.ops))]
        number = self.source.integer(1)
        self.outcomes.clear()
        try:
            found = self.nl.do(op(number=number))
        except KernelError as error:
            if self.is_clean:
                assert [error.errno] == self.outcomes
            return
        if self.is_clean and op.answer != "none" and op is not things.echo:
            assert self.outcomes == [None]
            check_things(found if op.answer == "several" else [found], (number,))

    def do_many(self) -> None:
        op = self.ops[0 if self.source.integer(1) & 1 else -1 if self.family is PLAY else 3]
        count = self.source.below(6)
        flags = self.source.integer(1)
        requests = [op(number=number) for number in range(count)]
        self.outcomes.clear()
        window = flags >> 4 or None
        found = [*self.nl.do_many(iter(requests), ack_last=bool(flags & 1), window=window)]
        if not self.is_clean:
            return
        assert len(found) == count == len(self.outcomes)
        for number, (outcome, wanted) in enumerate(zip(found, self.outcomes, strict=True)):
            if isinstance(outcome, KernelError):
                assert outcome.errno == wanted and outcome.index == number
            else:
                assert wanted is None
                if op.answer == "one":
                    check_things([outcome], (number,))

    def dump(self) -> None:
        self.dumps.clear()
        try:
            found = self.nl.dump(self.ops[0]()).all()
        except KernelError as error:
            assert not self.is_clean or self.dumps[-1] == error.errno
            return
        if self.is_clean:
            check_things(found, LISTED)

    def dump_later(self) -> None:
        """Read a part of a dump, and keep or drop the rest."""
        reply = self.nl.dump(self.ops[0](), retries=self.source.below(3))
        if len(self.replies) < MOST_KEPT and self.source.integer(1) & 1:
            self.replies.append(reply)
        self.read_some(reply)

    def read_some(self, reply: Any) -> None:
        try:
            for _, thing in zip(range(self.source.below(4)), reply, strict=False):
                assert isinstance(thing, Thing) or not self.is_clean
        except KernelError:
            pass

    def read_on(self) -> None:
        if self.replies:
            self.read_some(self.replies[self.source.below(len(self.replies))])
            if self.source.integer(1) & 1:
                self.replies.pop(0)

    def columns(self) -> None:
        self.dumps.clear()
        try:
            found = self.nl.dump(self.ops[0]()).columns("number", "name")
        except KernelError as error:
            assert not self.is_clean or self.dumps[-1] == error.errno
            return
        if self.is_clean:
            assert [*found["number"]] == [*LISTED]
            assert [*found["name"]] == [f"thing {number}" for number in LISTED]

    def join(self) -> None:
        (self.nl.leave if self.source.integer(1) & 1 else self.nl.join)("thing")

    def events(self) -> None:
        for _, event in zip(range(self.source.below(8)), self.nl.events(timeout=0), strict=False):
            assert isinstance(event, Thing | Overrun) or not self.is_clean

    def subscribe(self) -> None:
        if len(self.subscriptions) >= MOST_KEPT or (
            self.subscriptions and self.source.integer(1) & 1
        ):
            subscription = self.subscriptions.pop()
            assert subscription.pending >= 0
            subscription.close()
            return
        even = self.source.integer(1) & 1
        self.subscriptions.append(
            self.nl.subscribe("thing", predicate=(lambda it: it.number % 2 == 0) if even else None)
        )

    def deliver(self) -> None:
        """An event happens, or the receive buffer overruns."""
        number = self.source.integer(1)
        if number == 255:
            self.is_clean = False
            self.socket.overrun()
            return
        self.socket.event("thing", Thing(number=number, name=f"thing {number}"))

    def deliver_raw(self) -> None:
        """The kernel, or somebody else, sends any bytes."""
        flags = self.source.integer(1)
        port, group = (flags & 1) * 77, (flags >> 1 & 1) * next(iter(self.socket.groups), 0)
        self.is_clean = False
        self.socket.deliver(Datagram(self.source.chunk(), port, group, bool(flags & 4)))

    def settle(self) -> None:
        """The kernel is honest from now on: after what was left over, all answers are right."""
        self.is_over = True
        for _ in range(100):
            try:
                if not sum(1 for _ in zip(range(100), self.nl.events(timeout=0), strict=False)):
                    break
            except MAY_RAISE:
                continue
        else:
            raise AssertionError("events never end")
        self.replies.clear()
        op = self.ops[0]
        for _ in range(3):  # what was lost is reported once
            try:
                self.nl.do(op(number=0))
                break
            except MAY_RAISE:
                continue
        for number in (5, 6):
            check_things([self.nl.do(op(number=number))], (number,))
        if not self.is_silent:
            for _ in range(2):
                check_things(self.nl.dump(op()).all(), LISTED)
        outcomes = [*self.nl.do_many([op(number=number) for number in (7, 8)])]
        check_things(outcomes, (7, 8))


def check_things(found: list[Any], numbers: tuple[int, ...]) -> None:
    """Check that the answers are about these numbers."""
    assert [thing.number for thing in found] == list(numbers), found
    assert all(thing.name == f"thing {thing.number}" for thing in found)


def run(data: bytes) -> None:
    """Hold one conversation."""
    source = Source(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", KernelWarning)
        talk = Talk(source)
        with talk.nl:
            for _ in range(MOST_CALLS):
                if not source:
                    break
                talk.call()
            talk.settle()
