"""Made-up families whose datagrams are framed in other ways, for the tests of framing.

This file contains no test.
"""

from __future__ import annotations

from enum import IntEnum

from netlink import Family, Message, Op
from netlink import schema as s


class IDX(IntEnum):
    """Of connector messages: id.idx."""

    IDX_NOTE = 7


class GROUPS(IntEnum):
    G_NONE = 0
    G_NOTES = 1


class Note(Message):
    """A struct that an attribute may follow."""

    number: int = s.u32()


tell = Op("note.tell", IDX.IDX_NOTE, Note, ends="nothing")
CONNECTOR = Family(
    "note", protocol=11, framing="connector", types=IDX, ops=[tell], groups=GROUPS,
    group_prefix="G_",
)  # fmt: skip


class TEXT(IntEnum):
    TEXT = 0


class Text(Message):
    """A whole datagram."""

    text: bytes = s.binary()


UEVENT = Family(
    "text", protocol=15, framing="text", types=TEXT, messages={TEXT.TEXT: Text}, groups=GROUPS,
    group_prefix="G_",
)  # fmt: skip


class RECORD(IntEnum):
    GET = 1000
    SET = 1001
    RECORD = 1300


class Status(Message):
    enabled: int = s.u32()


class Record(Message):
    text: bytes = s.binary()


status = Op("record.status", RECORD.GET, Status, answer="one", ends="answer")
record = Op("record.set", RECORD.SET, Status)
AUDIT = Family(
    "record", protocol=9, framing="audit", types=RECORD, ops=[status, record],
    messages={RECORD.RECORD: Record}, groups=GROUPS, group_prefix="G_",
)  # fmt: skip
