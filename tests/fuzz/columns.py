"""Target: columns of several messages against the views of the same messages.

The input chooses a class, some of its paths, and the bodies of messages. For every message and
path, the column must have what reading attribute by attribute gives, or both must fail.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from netlink import DecodeError, Message
from netlink._core import Column, Dispatch, Gather, stamp
from tests.generated import column_paths, follow
from tests.meanings import dispatch

from . import corpus
from .messages import BY_NAME, key, same, within
from .source import Ring, Source, chunk

TYPE, OTHER = 16, 17
MOST_PATHS, MOST_MESSAGES = 8, 6
PATHS: dict[type[Message], Ring[str]] = {}
DISPATCHES: dict[type[Message], Dispatch] = {}


def paths_of(cls: type[Message]) -> Ring[str] | None:
    """Return the paths of a class that have columns, or None if there is none."""
    if cls not in PATHS:
        PATHS[cls] = Ring((path, path) for path in column_paths(cls))
        DISPATCHES[cls] = dispatch({TYPE: cls})
    return PATHS[cls] if PATHS[cls].items else None


def seeds(datagrams: list[bytes]) -> Iterator[bytes]:
    """Yield inputs that ask for some paths of each message, and of the messages inside it."""
    for position, message in enumerate(corpus.messages(datagrams)):
        for each in within(message):
            ring = paths_of(type(each))
            if ring is None:
                continue
            chosen = [ring.items[(position + n * 7) % len(ring.items)] for n in range(MOST_PATHS)]
            head = key(type(each)) + bytes([MOST_PATHS - 1])
            head += b"".join(ring.keys[path] for path in chosen)
            yield head + b"\1\0" + chunk(bytes(each)) + b"\0" + bytes(each)


class Case(NamedTuple):
    """A class, paths of it, and bodies of messages: (of another type, offset, body)."""

    cls: type[Message]
    paths: list[str]
    bodies: list[tuple[bool, int, bytes]]


def case(data: bytes) -> Case:
    """Return what an input means. The last body has all bytes that are left."""
    source = Source(data)
    cls = BY_NAME.choose(source)
    ring = paths_of(cls)
    paths: list[str] = []
    if ring is not None:
        paths = [ring.choose(source) for _ in range(source.below(MOST_PATHS) + 1)]
    bodies = []
    for left in range(source.below(MOST_MESSAGES), -1, -1):
        is_other = bool(source.integer(1) & 1)
        size = source.integer(2) if left else len(data)
        bodies.append((is_other, source.at, source.take(size)))
    return Case(cls, list(dict.fromkeys(paths)), bodies)


def attributes_at(data: bytes) -> int:
    """Return where the attributes of the last message begin."""
    cls, _, bodies = case(data)
    return bodies[-1][1] + cls.__table__.header


def run(data: bytes) -> None:
    """Check the columns of some messages."""
    cls, paths, bodies = case(data)
    if not paths:
        return
    gather = Gather(cls.__table__, DISPATCHES[cls], *paths)
    whole = bytearray()
    rows: list[list[Any]] = []
    for is_other, _, body in bodies:
        message = stamp(OTHER if is_other else TYPE, 0, 0, 0, body)
        whole += message + bytes(-len(message) % 4)
        if not is_other:
            rows.append([read(cls, body, path) for path in paths])
    columns = gathered(gather, bytes(whole))
    if columns is None:
        assert any(value is FAULT for row in rows for value in row), "columns fail, no view does"
        return
    for number, path in enumerate(paths):
        column = columns[path]
        check_column(column, len(rows))
        for row, expected in enumerate(rows):
            found, wanted = value_of(column, row), expected[number]
            if column.field.kind_name == "address" and type(wanted) is tuple:
                wanted = None  # no column of addresses holds the labels of an MPLS route
            assert same(found, wanted), (path, row, found, wanted)


FAULT = object()


def read(cls: type[Message], body: bytes, path: str) -> Any:
    """Return what a view of the message has at a path, or FAULT."""
    try:
        return follow(cls, cls.from_bytes(body), path)
    except DecodeError:
        return FAULT


def gathered(gather: Gather, data: bytes) -> dict[str, Column] | None:
    """Return the columns, or None if they fail."""
    try:
        gather.feed(data, 0, len(data))
    except DecodeError as error:
        assert error.path is not None and error.offset is not None
        assert 0 <= error.offset <= len(data)
        return None
    return gather.finish()


def value_of(column: Column, row: int) -> Any:
    """Return a value of a column, or FAULT."""
    try:
        return column[row]
    except DecodeError:
        return FAULT


def check_column(column: Column, count: int) -> None:
    """Check that a column is a sequence, and that its buffers have the documented layout."""
    assert len(column) == count
    bits = [column.validity[row // 8] >> (row % 8) & 1 for row in range(count)]
    assert column.null_count == count - sum(bits)
    for row, bit in enumerate(bits):
        if not bit:
            assert value_of(column, row) == column.field.missing
        assert same(value_of(column, row - count), value_of(column, row))
    if column.ends:
        assert len(column.ends) == 8 * count
        ends = [int.from_bytes(column.ends[8 * n :][:8], sys.byteorder) for n in range(count)]
        assert ends == sorted(ends) and (not ends or ends[-1] == len(column.values))
    elif count:
        assert len(column.values) % count == 0
    for wrong in (count, -count - 1):
        try:
            column[wrong]
        except IndexError:
            continue
        raise AssertionError(f"row {wrong} of {count}")
