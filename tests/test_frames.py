"""How many Python frames of the library a call executes: counts, which are not times.

A function call in Python costs about as much as everything that the core does for a small message.
The build compiles the modules that take part, so that hardly a frame is left. The socket here is
scripted, and its own frames are not counted.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

import netlink
from netlink import Connection, aio, engine
from netlink.testing import Socket

from . import plays
from .things import FAMILY, Thing, get, new, one, things

LIBRARY = os.path.join(os.path.dirname(netlink.__file__), "")
SCRIPTED = os.path.join(LIBRARY, "testing.py")


pytestmark = pytest.mark.skipif(
    engine.__file__.endswith(".py"), reason="the modules of the conversation are not compiled"
)


class Frames:
    """A context that counts how often frames of the library begin or resume."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()
        self._scripted = 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        name = frame.f_code.co_filename
        if name == SCRIPTED:
            if event == "call":
                self._scripted += 1
            elif event == "return":
                self._scripted -= 1
        elif event == "call" and name.startswith(LIBRARY) and not self._scripted:
            self.names[f"{os.path.basename(name)}:{frame.f_code.co_qualname}"] += 1

    def __enter__(self) -> Frames:
        sys.setprofile(self)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)

    @property
    def total(self) -> int:
        return self.names.total()


def answered(request: Thing) -> Any:
    """Answer a question with the request itself, and a change with its ACK, at once."""
    return [] if request.nlmsg_flags is not None and request.nlmsg_flags & 0x600 else [request]


REQUESTS: dict[str, Callable[[], Any]] = {
    "one": lambda: one(number=1),
    "optional": lambda: get(number=1),
    "none": lambda: new(number=1),
}


def generic(request: Any) -> Any:
    return list(plays.kernel(request))


@pytest.mark.parametrize("kind", [*REQUESTS, "generic"])
def test_a_warm_blocking_do_executes_at_most_2_frames(kind: str) -> None:
    if kind == "generic":
        family, kernel, request = plays.PLAY, generic, plays.get(index=1)
    else:
        family, kernel, request = FAMILY, answered, REQUESTS[kind]()
    with Connection(family, socket=Socket(kernel, family)) as nl:
        for _ in range(3):
            nl.do(request)
        with Frames() as frames:
            nl.do(request)
    assert frames.total <= 2, frames.names


@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "after a wait"])
@pytest.mark.parametrize("kind", [*REQUESTS, "generic"])
def test_a_warm_asyncio_do_executes_at_most_2_frames(kind: str, is_late: bool) -> None:
    class Late(Socket):
        """A socket that has no answer at first, so that the event loop watches the descriptor."""

        looks = 0

        def _receive(self, timeout: float | None) -> tuple[bytes, bytes]:
            self.looks += 1
            if is_late and self.looks % 2:
                raise BlockingIOError
            return super()._receive(timeout)

    if kind == "generic":
        family, kernel, request = plays.PLAY, generic, plays.get(index=1)
    else:
        family, kernel, request = FAMILY, answered, REQUESTS[kind]()

    async def main() -> Frames:
        async with aio.Connection(family, socket=Late(kernel, family)) as nl:
            for _ in range(3):
                await nl.do(request)
            with Frames() as frames:
                await nl.do(request)
            return frames

    frames = asyncio.run(main())
    assert frames.total <= 2, frames.names


def test_messages_of_a_dump_take_no_frame_each() -> None:
    """Python work happens per receive, never per message."""

    totals = []
    for count in (100, 1000):
        made = [Thing(number=number) for number in range(count)]

        def many(request: Thing, made: list[Thing] = made) -> list[Thing]:
            return made

        with Connection(FAMILY, socket=Socket(many, FAMILY, part=1 << 20)) as nl:
            nl.dump(get()).all()
            with Frames() as frames:
                for _ in nl.dump(get()):
                    pass
            totals.append(frames.total)
    assert totals[0] == totals[1] < 50


def test_events_take_no_frame_each() -> None:
    totals = []
    for count in (10, 100):
        socket = Socket(things, FAMILY, datagrams=1000)
        with Connection(FAMILY, socket=socket) as nl:
            nl.join("thing")
            for _ in range(2):
                socket.event("thing", *(Thing(number=number) for number in range(count)))
                with Frames() as frames:
                    list(nl.events())
            totals.append(frames.total)
    assert totals[0] == totals[1] < 50


@pytest.mark.parametrize("ack_last", [False, True])
def test_the_requests_of_a_pipeline_share_their_frames(ack_last: bool) -> None:
    """For each item the generator is resumed, the item of a list is checked, and the op is learnt:
    sending and receiving takes no frame per item."""
    totals = []
    for count in (100, 1000):
        with Connection(FAMILY, socket=Socket(answered, FAMILY, datagrams=5000)) as nl:
            requests = [new(number=number) for number in range(count)]
            list(nl.do_many(requests, window=5000, ack_last=ack_last))
            with Frames() as frames:
                assert list(nl.do_many(requests, window=5000, ack_last=ack_last)) == [None] * count
            totals.append(frames.total)
    assert totals[1] - totals[0] <= 3 * 900
    assert totals[0] <= 3 * 100 + 100
