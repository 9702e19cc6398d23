"""Target: datagrams cut into messages, attributes and runs, by every framing.

The library must agree with a second implementation of the framing rules in this file, which is
slow and obvious. All messages of a receive must be in exactly one run, in their order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from netlink import DecodeError, iter_attributes, iter_messages
from netlink._core import INDEX_FORMAT, Dispatch, Messages, runs

from .source import Source, chunk

FRAMINGS = ("netlink", "connector", "audit", "text")
NLMSG_HDRLEN, NLA_HDRLEN = 16, 4
CONNECTOR_ENVELOPE = 36  # struct nlmsghdr and struct cn_msg of linux/connector.h
MSG_TRUNC = 0x20
PLAIN, DISPATCHES = Dispatch(), {name: Dispatch(name) for name in FRAMINGS}
INDEX_SIZE = struct.calcsize(INDEX_FORMAT)


class Fault(NamedTuple):
    """The place where the framing is wrong; nothing after it can be read."""

    offset: int


def seeds(datagrams: list[bytes]) -> Iterator[bytes]:
    """Yield inputs that hold known datagrams, each as a receive of its own and all framings."""
    for position, datagram in enumerate(datagrams):
        framing = position % len(FRAMINGS) if position % 3 == 0 else 0
        cut = len(datagram) // 2
        for parts in ([datagram], [datagram, datagram[:cut], datagram[cut:]]):
            head = struct.pack("<BIB", framing, 7, len(parts))
            yield head + b"".join(struct.pack("<BBBB", 0, 0, 0, 0) + chunk(part) for part in parts)


def run(data: bytes) -> None:
    """Check the framing of several datagrams."""
    source = Source(data)
    framing = FRAMINGS[source.below(len(FRAMINGS))]
    own_port = source.integer(4)
    whole, index = bytearray(), b""
    rows = []
    for _ in range(source.below(8) + 1):
        if not source:
            break
        port, group, nsid, flags = source.take(4).ljust(4, b"\0")
        datagram = source.chunk()
        row = (len(whole), len(datagram), port, group, nsid - 1, MSG_TRUNC if flags & 1 else 0)
        rows.append(row)
        index += struct.pack(INDEX_FORMAT, *row)
        whole += datagram + bytes(-len(datagram) % 4)
        if framing == "netlink":
            check_messages(datagram)
        check_attributes(datagram)
    check_runs(bytes(whole), index, rows, own_port, framing)


def pieces(data: bytes, start: int, end: int, framing: str) -> Iterator[tuple[int, int] | Fault]:
    """Yield where each message begins and ends, and at last a Fault if the rest has no framing."""
    while start < end:
        left = end - start
        length = left
        if framing != "text":
            if left < NLMSG_HDRLEN:
                yield Fault(start)
                return
            if framing != "audit":
                (length,) = struct.unpack_from("=I", data, start)
            if not NLMSG_HDRLEN <= length <= left:
                yield Fault(start)
                return
            if framing == "connector":
                inside = length - CONNECTOR_ENVELOPE
                if inside < 0 or struct.unpack_from("=H", data, start + 32)[0] > inside:
                    yield Fault(start)
                    return
        yield start, start + length
        start += length + 3 & ~3


def check_messages(data: bytes) -> None:
    """Compare iter_messages() and an empty Dispatch with the rules."""
    expected = [*pieces(data, 0, len(data), "netlink")]
    for found in (outcome(iter_messages(data)), outcome(Messages(data, PLAIN))):
        assert [each if isinstance(each, Fault) else place(each) for each in found] == expected
        for each in found:
            if not isinstance(each, Fault):
                header = (each.type, each.flags, each.seq, each.pid)
                assert header == struct.unpack_from("=HHII", data, each.offset + 4)
    assert len(expected) == Messages(data, PLAIN).__length_hint__()


def check_attributes(data: bytes) -> None:
    """Compare iter_attributes() with the rules."""
    at = 0
    for attribute in outcome(iter_attributes(data)):
        if isinstance(attribute, Fault):
            assert attribute.offset == at
            left = len(data) - at
            assert left < NLA_HDRLEN or not (
                NLA_HDRLEN <= struct.unpack_from("=H", data, at)[0] <= left
            )
            return
        length, kind = struct.unpack_from("=HH", data, at)
        assert attribute.offset == at and attribute.type | attribute.flags == kind
        assert attribute.payload == data[at + NLA_HDRLEN : at + length]
        at += length + 3 & ~3
    assert at >= len(data)


def check_runs(
    data: bytes, index: bytes, rows: list[tuple[int, ...]], own_port: int, framing: str
) -> None:
    """Check that the runs have every message once, in order, with what its datagram says."""
    expected: list[Any] = []
    for offset, length, port, group, nsid, flags in rows:
        origin = (group, nsid)
        if port:
            expected.append((offset, offset + length, *origin, port))
            continue
        found = [*pieces(data, offset, offset + length, framing)]
        if flags & MSG_TRUNC:
            found = [piece for piece in found if not isinstance(piece, Fault)] + [Fault(offset)]
        expected += [(*piece, *origin) for piece in found]
    got: list[Any] = []
    for each in runs(data, index, own_port, framing):
        origin = (each.group, each.nsid)
        if each.fault is not None:
            assert isinstance(each.fault, DecodeError) and not each.count
            got.append((each.fault.offset, *origin))
            continue
        if each.port:
            got.append((each.start, each.end, *origin, each.port))
            continue
        parts = [*pieces(data, each.start, each.end, framing)]
        assert len(parts) == each.count > 0, "a run must have as many messages as it says"
        assert len(outcome(Messages(data, DISPATCHES[framing], each.start, each.end))) == each.count
        got += [(*part, *origin) for part in parts]
        if framing == "text":
            continue
        headers = [struct.unpack_from("=HHII", data, part[0] + 4) for part in parts]
        assert each.seq == headers[0][2]
        all_flags = 0
        for header in headers:
            all_flags |= header[1]
        assert each.flags == all_flags
        assert {bool(own_port) and header[3] == own_port for header in headers} == {each.is_own}
        if each.type:
            assert {header[0] for header in headers} == {each.type}
        if each.is_ack:
            sequence = [(headers[0][2] + n) & 0xFFFFFFFF for n in range(len(headers))]
            assert [header[2] for header in headers] == sequence
        elif not each.group:
            assert len({header[2] for header in headers}) == 1
    assert got == expected


def outcome(items: Iterator[Any]) -> list[Any]:
    """Return all items, and a Fault where an iterator raises DecodeError."""
    found: list[Any] = []
    while True:
        try:
            found += items
        except DecodeError as error:
            assert error.offset is not None
            found.append(Fault(error.offset))
        else:
            return found


def place(message: Any) -> tuple[int, int]:
    """Return where a RawMessage begins and ends."""
    return message.offset, message.offset + NLMSG_HDRLEN + len(message.payload)
