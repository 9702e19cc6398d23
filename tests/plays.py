"""A made-up generic family and the kernel's side of it, for the tests of Generic Netlink.

This file contains no test.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any

import netlink
from netlink import Family, KernelError, Message, Op
from netlink import schema as s
from netlink.generic.nlctrl import Ctrl

from . import wire
from .things import Talk


class PLAY_CMD(IntEnum):
    PLAY_CMD_GET = 1
    PLAY_CMD_NEW = 2
    PLAY_CMD_SET = 3
    PLAY_CMD_LIST = 4


class Inner(Message):
    depth: int | None = s.u32(1)


class Ask(Message):
    index: int | None = s.u32(1)
    inner: s.Nested[Inner] = s.nest(2, Inner)


class Play(Message):
    index: int | None = s.u32(1)
    name: str | None = s.string(3)


get = Op(
    "play.get",
    PLAY_CMD.PLAY_CMD_GET,
    Ask,
    reply=Play,
    reply_type=PLAY_CMD.PLAY_CMD_NEW,
    answer="one",
)
set_ = Op("play.set", PLAY_CMD.PLAY_CMD_SET, Ask)
listed = Op(
    "play.list",
    PLAY_CMD.PLAY_CMD_LIST,
    Ask,
    reply=Play,
    reply_type=PLAY_CMD.PLAY_CMD_NEW,
    answer="several",
    ends="done",
)
PLAY = Family(
    "play",
    version=3,
    types=PLAY_CMD,
    ops=(get, set_, listed),
    groups=("events", "config"),
)
OTHER = Family("other", types=PLAY_CMD, ops=(), groups=("config",), messages=Play)


def kernel(request: Any) -> Iterator[Any]:
    """Answer with the requested index; 404 does not exist, and 0 means all."""
    if request.index == 404:
        raise KernelError(errno.ENOENT, "no such play")
    if request.genl_cmd == PLAY_CMD.PLAY_CMD_SET:
        return
    for index in [request.index] if request.index else range(1, 6):
        yield PLAY_CMD.PLAY_CMD_NEW, Play(index=index, name=f"play {index}")


def message(command: int, body: Message, *, id: int = 29, seq: int = 1) -> bytes:
    """Return a message of a generic family, as the kernel sends it."""
    return wire.message(id, bytes((command, 3, 0, 0)) + bytes(body), seq=seq)


class PlayTalk(Talk):
    """An engine for PLAY, and the kernel's side as bytes."""

    def __init__(self, families: Iterable[Family] = (PLAY,)) -> None:
        super().__init__(families=families)

    def sent(self) -> list[tuple[int, int, int]]:
        """Return (type, command, seq) of the outgoing requests."""
        return [
            (raw.type, raw.payload[0], raw.seq)
            for buffer in self.engine.take_outgoing()
            for raw in netlink.iter_messages(buffer)
        ]

    def feed(self, *datagrams: bytes, group: int = 0) -> None:
        self.engine.feed(*wire.receive(*datagrams, group=group))

    def tell(self, id: int, *, seq: int, **more: Any) -> None:
        """Return the answer of nlctrl."""
        told = Ctrl(family_name="play", family_id=id, **more)
        self.feed(message(1, told, id=16, seq=seq))

    def announce(self, command: int, id: int, **more: Any) -> None:
        """Return what nlctrl announces to its group."""
        self.feed(message(command, Ctrl(family_name="play", family_id=id, **more), id=16), group=16)
