"""Bytes for tests, packed without the library: messages, attributes and receive indexes."""

from __future__ import annotations

import struct

from netlink._core import INDEX_FORMAT


def attribute(number: int, payload: bytes) -> bytes:
    """Return one attribute with its padding."""
    length = 4 + len(payload)
    return struct.pack("=HH", length, number) + payload + bytes(-length % 4)


def message(
    type: int, payload: bytes = b"", *, flags: int = 0, seq: int = 1, pid: int = 0
) -> bytes:
    """Return one message with its padding."""
    length = 16 + len(payload)
    return struct.pack("=IHHII", length, type, flags, seq, pid) + payload + bytes(-length % 4)


def error(code: int, *, seq: int = 1, flags: int = 0x100, extack: bytes = b"") -> bytes:
    """Return an NLMSG_ERROR with a capped copy of the request. Code 0 is an ACK."""
    request = struct.pack("=IHHII", 16, 0, 5, seq, 0)
    flags |= 0x200 if extack else 0
    return message(2, struct.pack("=i", -code) + request + extack, seq=seq, flags=flags)


def done(code: int = 0, *, seq: int = 1, flags: int = 2, extack: bytes = b"") -> bytes:
    """Return an NLMSG_DONE with its errno."""
    flags |= 0x200 if extack else 0
    return message(3, struct.pack("=i", -code) + extack, seq=seq, flags=flags)


def receive(
    *datagrams: bytes, port: int = 0, group: int = 0, nsid: int = -1, flags: int = 0
) -> tuple[bytes, bytes]:
    """Return what one receive of RawSocket returns for these datagrams."""
    data = bytearray()
    index = b""
    for datagram in datagrams:
        data += bytes(-len(data) % 4)
        index += struct.pack(INDEX_FORMAT, len(data), len(datagram), port, group, nsid, flags)
        data += datagram
    return bytes(data), index


def extack(*, words: bytes = b"", offset: int | None = None) -> bytes:
    """Return the attributes of an extended ACK: a text, and the offset of the wrong attribute."""
    result = attribute(1, words + b"\0") if words else b""
    return result + (attribute(2, struct.pack("=I", offset)) if offset is not None else b"")
