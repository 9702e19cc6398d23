"""A made-up family and an engine that receives bytes, for the tests of the conversation.

The family lists and changes numbered things. Its messages are small, so that a test can write the
kernel's side of a conversation by hand. This file contains no test.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any, cast

from netlink import Connection, Family, KernelError, Message, Op, Reply, Request
from netlink import schema as s
from netlink._exchange import Batch, Exchange
from netlink._resolver import resolver_for
from netlink.constants import NLM_F
from netlink.engine import Engine

from . import wire


class thinghdr(Message):
    family: int = s.u8()
    _pad = s.pad(3)


class Thing(thinghdr):
    number: int | None = s.u32(1)
    name: str | None = s.string(2)


class TYPE(IntEnum):
    NEWTHING = 16
    GETTHING = 18
    LATE = 20  # the answer follows the acknowledgement
    LISTED = 21  # several answers, which NLMSG_DONE ends
    TELL = 22  # nothing answers


class GROUP(IntEnum):
    GROUP_NONE = 0
    GROUP_THING = 1
    GROUP_OTHER_THING = 40


LAST = 40  # the number of the last group


CREATE = NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL

get = Op("thing.get", TYPE.GETTHING, Thing, answer="optional", reply_type=TYPE.NEWTHING)
one = Op("thing.one", TYPE.GETTHING, Thing, answer="one", reply_type=TYPE.NEWTHING)
quick = Op(
    "thing.quick", TYPE.GETTHING, Thing, answer="one", reply_type=TYPE.NEWTHING, ends="message"
)
several = Op("thing.several", TYPE.GETTHING, Thing, answer="several", reply_type=TYPE.NEWTHING)
new = Op("thing.new", TYPE.NEWTHING, Thing, flags=CREATE)
echo = Op("thing.echo", TYPE.NEWTHING, Thing, answer="optional", flags=NLM_F.NLM_F_ECHO)
late = Op("thing.late", TYPE.LATE, Thing, answer="one", reply_type=TYPE.NEWTHING, ends="answer")
listed = Op(
    "thing.listed", TYPE.LISTED, Thing, answer="several", reply_type=TYPE.NEWTHING, ends="done"
)
tell = Op("thing.tell", TYPE.TELL, Thing, ends="nothing")
FAMILY = Family(
    "thing",
    protocol=0,
    ops=(get, one, quick, several, new, echo, late, listed, tell),
    types=TYPE,
    groups=GROUP,
    group_prefix="GROUP_",
)


class Inner(Message):
    size: int | None = s.u32(1)
    colour: int | None = s.u32(2)


class Box(Message):
    name: str | None = s.string(1)
    inner: Inner | None = s.nest(2, Inner)


make = Op("box.new", TYPE.NEWTHING, Box)
BOXES = Family("box", protocol=0, ops=(make,), types=TYPE, groups=GROUP, group_prefix="GROUP_")


class Exhausted(Exception):
    """The scripted kernel has nothing more to send."""


class Talk:
    """An engine and what the kernel will send to it, one receive at a time.

    It stands in for the connection of a Reply.
    """

    def __init__(
        self, *script: tuple[bytes, bytes], families: Iterable[Family] = (FAMILY,)
    ) -> None:
        families = tuple(families)
        self.engine = Engine(families, resolver_for(families))
        self.script = list(script)
        self._channel = self

    def ask(self, request: Request[Any, Any] | None = None) -> Exchange:
        """Submit a request that is not a dump."""
        return self.engine.submit(get() if request is None else request)

    def dump(self, retries: int = 0) -> Reply[Thing]:
        """Submit a dump."""
        exchange = self.engine.submit(get(), dump=True, retries=retries)
        return Reply(cast(Connection, self), exchange)

    def result(self, exchange: Exchange) -> Any:
        """Wait for the end of a request and return what do() would return."""
        self.wait_for_answer(exchange)
        return exchange.result()

    def do(self, request: Request[Any, Any] | None = None) -> Any:
        """Submit a request and return its result."""
        return self.result(self.ask(request))

    def outcomes(self, batch: Batch) -> list[Any]:
        """Wait for a batch and return its outcomes."""
        self.wait_for_answer(batch)
        return batch.outcomes()

    def events(self) -> Iterator[Any]:
        """Return the events in the queue of the default subscription."""
        while (events := self.engine.events.take()) is not None:
            yield from events

    def wait_for_answer(self, waiter: Exchange | Batch) -> None:
        self.engine.prepare(waiter)
        while not waiter.ready:
            if not self.script:
                raise Exhausted
            self.engine.feed(*self.script.pop(0))


def thing(number: int, *, seq: int, flags: int = 2, pid: int = 0) -> bytes:
    """Return a message about a thing as the kernel sends it, by default as a part of a dump."""
    return wire.message(16, bytes(Thing(number=number)), seq=seq, flags=flags, pid=pid)


def numbers(messages: Iterable[Any]) -> list[int]:
    """Return the numbers of things."""
    return [message.number for message in messages]


def sent(engine: Engine) -> list[tuple[int, int, int]]:
    """Return (type, flags, seq) of the outgoing requests."""
    return [struct.unpack_from("=HHI", message, 4) for message in engine.take_outgoing()]


# --- kernels, for netlink.testing.Socket ---


def things(request: Thing) -> Iterator[Thing]:
    """Answer a get by its number, and a dump by 0 to 9. Refuse 13, acknowledge other requests."""
    if request.number == 13:
        raise KernelError(errno.ENODEV, "no such thing", path="number")
    if request.nlmsg_type not in (TYPE.NEWTHING, TYPE.TELL):
        for number in range(10) if request.number is None else (request.number,):
            yield Thing(number=number)


def few(request: Thing) -> Iterator[Thing]:
    """Answer a get by its number, and a dump by 1 to 3. Refuse other numbers."""
    wanted = request.number
    for number in (1, 2, 3) if wanted is None else (wanted,):
        if number > 3:
            raise KernelError(errno.ENODEV, "no such thing", path="number")
        yield Thing(number=number)


def silence(request: Thing | None = None) -> None:
    """Never answer."""
    raise TimeoutError


def stall(request: Thing) -> Iterator[Thing]:
    """Stop in the middle of a dump, but answer a get."""
    if request.number is None:
        yield Thing(number=0)
        raise TimeoutError
    yield request
