"""Read captures and hex dumps, and return packets of messages.

This file must not open files: it reads from the binary files that the caller passes. It exists
because captured messages need no socket, and any system can decode them.

    with open("nlmon.pcap", "rb") as file:
        for packet in capture.packets(file):
            for message in packet.messages(ROUTE):
                print(packet.time, message)

pcap and pcapng are parsed here, because the existing libraries are not suitable. scapy accepts a
truncated file, silently truncates packets at 64 KiB, and is GPL only. The libpcap bindings refuse a
file with several link types.

A captured packet starts with a cooked header (tcpdump.org/linktypes/LINKTYPE_NETLINK.html). Its
packet type is always "outgoing", because nlmon sends every packet (dev_queue_xmit_nit in
net/core/dev.c). nlmon sees unicast and multicast messages of its network namespace, for the
protocols route, usersock, sock_diag, nflog, xfrm, fib_lookup, netfilter and generic
(netlink_filter_tap in net/netlink/af_netlink.c).
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from typing import Literal, NamedTuple, Protocol

from netlink._core import RawMessage
from netlink.constants import NETLINK
from netlink.errors import DecodeError
from netlink.family import Family, parse
from netlink.schema import Message

__all__ = ["Packet", "packets", "unhex"]

LINKTYPE_NETLINK = 253
ARPHRD_NETLINK = (824).to_bytes(2, "big")  # linux/if_arp.h
COOKED_HDRLEN = 16
NLMSG_HDRLEN = 16
SECOND = 10**9  # in ns
FOREIGN: Literal["little", "big"] = "big" if sys.byteorder == "little" else "little"
MAX_SIZE = 1 << 24  # bytes of one packet or block; a greater length is corrupt
MAX_REPEATED = 1 << 20  # bytes that all lone "*" of a hex dump represent together
PIECE = 1 << 16  # bytes to read at a time: a corrupt length must not reserve MAX_SIZE

# First four bytes of a pcap file -> byte order, and unit of the fractions of a second in ns.
PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}

# pcapng (draft-ietf-opsawg-pcapng): types of blocks, and types of interface options.
SECTION_MAGIC = b"\n\r\r\n"  # the same in both byte orders
SECTION_HEADER, INTERFACE_DESCRIPTION, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 3, 6
BYTE_ORDER = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
IF_TSRESOL, IF_TSOFFSET = 9, 14


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Packet(NamedTuple):
    """One datagram: `data` holds its messages with their headers, without zeros after the last.

    `protocol` is a value of NETLINK. `number` is the position in the file, starting with 1. `time`
    is in ns since 1970 in UTC, or None if the file has no time. The messages have the byte order of
    the machine that captured them, which must be the same as that of this machine.
    """

    data: bytes
    protocol: int
    number: int = 1
    time: int | None = None

    def messages(self, *families: Family) -> Iterator[Message | RawMessage]:
        """Return netlink.parse() of the data, with the families of the packet's protocol."""
        return parse(self.data, *(f for f in families if f.protocol == self.protocol))


def packets(file: _Readable, protocol: int = NETLINK.NETLINK_ROUTE) -> Iterator[Packet]:
    """Yield the packets of a binary file: pcap, pcapng, a hex dump (see unhex) or plain messages.

    Captures are read packet by packet, so the file may be a pipe. Packets of other link types are
    skipped. Captures contain the protocol of each packet; `protocol` is for the other formats.
    Raises DecodeError with the offset in the file if the capture is truncated or invalid. If only
    one packet is invalid, the iteration can be continued with the next one.

    A packet or block has at most MAX_SIZE bytes, and a length in the file reserves no memory before
    that many bytes were read. Plain messages need three times the memory of the file, and a hex
    dump needs what unhex() states. The time is proportional to the size of the file.
    """
    magic = _read(file, 4)
    if magic in PCAP:
        return map(partial(_packet, None), _pcap(_Reader(file, magic), *PCAP[magic]))
    if magic == SECTION_MAGIC:
        return map(partial(_packet, None), _pcapng(_Reader(file, magic)))
    return map(partial(_packet, protocol), _bare(magic + file.read()))


class _Frame(NamedTuple):
    """A packet as it is stored in the file."""

    number: int
    time: int | None
    data: bytes


def _packet(protocol: int | None, frame: _Frame) -> Packet:
    """Return the packet in a frame, without its cooked header.

    Hex dumps may have that header too; no message starts with the same bytes.
    """
    number, time, data = frame
    if protocol is None or data[2:4] == ARPHRD_NETLINK:
        if len(data) < COOKED_HDRLEN:
            raise DecodeError(
                f"packet {number} has {len(data)} bytes, fewer than its header of {COOKED_HDRLEN}"
            )
        (protocol,) = struct.unpack_from(">H", data, 14)
        data = data[COOKED_HDRLEN:]
    length = data[:4]
    is_swapped = NLMSG_HDRLEN <= int.from_bytes(length, FOREIGN) <= len(data)
    if is_swapped and int.from_bytes(length, sys.byteorder) > len(data):
        raise DecodeError(
            f"packet {number} has the other byte order: decode it on a {FOREIGN}-endian machine"
        )
    return Packet(_without_padding(data), protocol, number, time)


def _without_padding(data: bytes) -> bytes:
    """Return the data without the zeros after its last message.

    iproute2 sends a whole buffer for some requests. The kernel stops at a length of 0
    (netlink_rcv_skb in net/netlink/af_netlink.c).
    """
    if data[-NLMSG_HDRLEN:] != bytes(NLMSG_HDRLEN):
        return data
    end = 0
    while end + 4 <= len(data) and (length := struct.unpack_from("=I", data, end)[0]):
        end += length + 3 & ~3
    return data if any(data[end:]) else data[:end]


def _bare(data: bytes) -> Iterator[_Frame]:
    """Yield the frames of a hex dump or of plain messages."""
    # Messages begin with a 32-bit length, which always has a zero byte. Text never has one.
    bodies = [data] if b"\0" in data else _packets_in(data)
    for number, body in enumerate(bodies, 1):
        yield _Frame(number, None, body)


def _read(file: _Readable, size: int) -> bytes:
    """Read `size` bytes, or fewer at the end of the file."""
    pieces = []
    while size > 0 and (piece := file.read(min(size, PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class _Reader:
    """Reads pieces of known size from a file, and counts the bytes."""

    def __init__(self, file: _Readable, ahead: bytes) -> None:
        self._file = file
        self._ahead = ahead
        self.offset = 0

    def take(self, size: int, what: str, *, may_end: bool = False) -> bytes:
        """Return `size` bytes. With `may_end`, return no bytes at the end of the file."""
        if size > MAX_SIZE:
            raise DecodeError(
                f"{what} has {size} bytes, more than the limit of {MAX_SIZE}", offset=self.offset
            )
        data = self._ahead + _read(self._file, size - len(self._ahead))
        self._ahead = b""
        if len(data) < size and (data or not may_end):
            raise DecodeError(
                f"the capture ends inside {what}: {len(data)} of {size} bytes", offset=self.offset
            )
        self.offset += len(data)
        return data


# --- pcap -----------------------------------------------------------------------------------------


def _pcap(reader: _Reader, order: str, unit: int) -> Iterator[_Frame]:
    """Yield the frames of a pcap file (draft-ietf-opsawg-pcap)."""
    header = reader.take(24, "the file's header")
    linktype = struct.unpack_from(order + "I", header, 20)[0] & 0xFFFF
    if linktype != LINKTYPE_NETLINK:
        raise _not_netlink({linktype})
    number = 0
    while head := reader.take(16, "a packet's header", may_end=True):
        number += 1
        seconds, fraction, size, _ = struct.unpack(order + "IIII", head)
        data = reader.take(size, "a packet")
        yield _Frame(number, seconds * SECOND + fraction * unit, data)


def _not_netlink(linktypes: set[int]) -> DecodeError:
    first, more = sorted(linktypes)[:8], " and more" if len(linktypes) > 8 else ""
    found = ", ".join(map(str, first)) + more
    return DecodeError(
        f"the capture has link type {found}, not {LINKTYPE_NETLINK} (netlink): capture on an nlmon "
        "device"
    )


# --- pcapng ---------------------------------------------------------------------------------------


class _Block(NamedTuple):
    """A block of a pcapng file, without its type and lengths."""

    kind: int
    order: str
    body: bytes
    offset: int  # in the file

    def unpack(self, members: str) -> tuple[int, ...]:
        """Return the members at the start of the body."""
        return struct.unpack_from(self.order + members, self.part(0, struct.calcsize(members)))

    def part(self, start: int, size: int) -> bytes:
        """Return `size` bytes of the body."""
        if start + size > len(self.body):
            raise self.fault(
                f"{size} bytes at offset {start} do not fit into its {len(self.body)} bytes"
            )
        return self.body[start : start + size]

    def fault(self, reason: str) -> DecodeError:
        return DecodeError(f"block of type {self.kind}: {reason}", offset=self.offset)


class _Interface(NamedTuple):
    """An interface of a pcapng section: the link type of its packets and the unit of its clock."""

    linktype: int
    snaplen: int  # maximum bytes of a packet; 0: no limit
    ticks: int = 10**6  # per second
    start: int = 0  # the zero of the clock, in seconds since 1970

    def time(self, count: int) -> int:
        """Return the time of a clock value, in ns since 1970."""
        return self.start * SECOND + count * SECOND // self.ticks


def _pcapng(reader: _Reader) -> Iterator[_Frame]:
    """Yield the frames of a pcapng file; other blocks are skipped."""
    interfaces: list[_Interface] = []
    linktypes = set()
    number = 0
    for block in _blocks(reader):
        if block.kind == SECTION_HEADER:
            interfaces = []
        elif block.kind == INTERFACE_DESCRIPTION:
            interfaces.append(_interface(block))
            linktypes.add(interfaces[-1].linktype)
        elif block.kind in (SIMPLE_PACKET, ENHANCED_PACKET):
            number += 1
            frame = _frame(block, number, interfaces)
            if frame is not None:
                yield frame
    if linktypes and LINKTYPE_NETLINK not in linktypes:
        raise _not_netlink(linktypes)


def _blocks(reader: _Reader) -> Iterator[_Block]:
    """Yield all blocks. Each section has its own byte order."""
    order = ""
    while head := reader.take(8, "a block's header", may_end=True):
        offset = reader.offset - len(head)
        taken = len(head) + 4  # the length is repeated at the end
        if head[:4] == SECTION_MAGIC:
            magic = reader.take(4, "a section's header")
            if magic not in BYTE_ORDER:
                raise DecodeError("a section has no byte-order magic", offset=offset)
            order = BYTE_ORDER[magic]
            taken += len(magic)
        kind, size = struct.unpack(order + "II", head)
        if size < taken or size % 4:
            raise DecodeError(f"{size} is not a valid length of a block", offset=offset)
        body = reader.take(size - taken, "a block")
        if reader.take(4, "a block") != head[4:]:
            raise DecodeError("the two lengths of a block differ", offset=offset)
        yield _Block(kind, order, body, offset)


def _interface(block: _Block) -> _Interface:
    linktype, _, snaplen = block.unpack("HHI")
    interface = _Interface(linktype, snaplen)
    at = 8
    while at + 4 <= len(block.body):
        option, size = struct.unpack_from(block.order + "HH", block.body, at)
        value = block.part(at + 4, size)
        if option == IF_TSRESOL and size == 1:
            base = 2 if value[0] & 0x80 else 10
            interface = interface._replace(ticks=base ** (value[0] & 0x7F))
        elif option == IF_TSOFFSET and size == 8:
            (start,) = struct.unpack(block.order + "q", value)
            interface = interface._replace(start=start)
        at += 4 + (size + 3 & ~3)
    return interface


def _frame(block: _Block, number: int, interfaces: list[_Interface]) -> _Frame | None:
    """Return the frame in a block, or None if its link type is not netlink."""
    if block.kind == SIMPLE_PACKET:
        which, (size,) = 0, block.unpack("I")
    else:
        which, high, low, size, _ = block.unpack("IIIII")
    if which >= len(interfaces):
        raise block.fault(f"the packet belongs to interface {which}, which is not described")
    interface = interfaces[which]
    if interface.linktype != LINKTYPE_NETLINK:
        return None
    if block.kind == SIMPLE_PACKET:
        return _Frame(number, None, block.part(4, min(size, interface.snaplen or size)))
    return _Frame(number, interface.time(high << 32 | low), block.part(20, size))


# --- hex dumps ------------------------------------------------------------------------------------
#
# The text can be hostile, so every step is linear: a regular expression never looks at a byte of a
# line more than a fixed number of times. Possessive quantifiers (*+) state that there is nothing to
# try again.

# A line of a dump with offsets. A line with offset 0 distinguishes it from plain hex: messages
# begin with a length, which does not look like an offset of 0 and a separate byte.
OFFSET = re.compile(rb"\s*+(?:0x)?([0-9a-f]{4,}+)(:|\s|$)", re.IGNORECASE)
OFFSET_0 = re.compile(rb"\s*+(?:0x)?0{4,}+(?::|\s++[0-9a-f]{2}(?:\s|$))", re.IGNORECASE)
# The end of the bytes in a line: before the column of characters, or before a comment.
END_AFTER_COLON = re.compile(rb"(?<=\S)\s{2,}+|#")
END = re.compile(rb"(?<=\S)\s{3,}+|[|>#]")

SPACES = bytes.maketrans(b",;:{}\t\n\v\f\r", b" " * 10)
SHOWN = 40  # bytes of a wrong line that an error shows

# The string literals of C, Python or strace in one line. A quote without an end is the last group.
IN_DOUBLE = rb'"((?:[^"\\\n]++|\\.)*+)"'
IN_SINGLE = rb"'((?:[^'\\\n]++|\\.)*+)'"
STRING = {
    b"\"'": re.compile(IN_DOUBLE + b"|" + IN_SINGLE + b"|([\"'])"),
    b'"': re.compile(IN_DOUBLE + b'|()(")'),
    b"'": re.compile(IN_SINGLE + b"|()(')"),
}
# The meaning of their escapes.
ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))")
ESCAPES = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}


def unhex(text: str) -> list[bytes]:
    """Return the bytes of each packet in a hex dump.

    Three forms are recognised:

    - Lines with offsets, from xxd, hexdump -C, od -Ax -tx1, tcpdump and Wireshark. Offset 0 starts
      a packet. A lone "*" represents repeated lines. Lines without an offset are skipped.
    - Strings with escapes, from strace and Python. Each line is a packet. A line that starts with a
      string continues the previous packet.
    - Everything else is plain hex digits, which form one packet. Spaces, punctuation, 0x and all
      text after "#" are ignored.

    Raises DecodeError, which names the line. All repeated lines of a text together have at most
    MAX_REPEATED bytes. The time is proportional to the length of the text. The memory is at most
    eight times the length of the text, plus three times MAX_REPEATED.

    >>> [body.hex() for body in unhex("14000000 0300 0200  # length, type, flags")]
    ['1400000003000200']
    """
    return [*_packets_in(text.encode(errors="replace"))]


def _packets_in(text: bytes) -> Iterator[bytes]:
    """Yield the bytes of each packet in a hex dump, see unhex()."""
    bodies: Iterator[bytes | bytearray]
    if any(map(OFFSET_0.match, BytesIO(text))):
        bodies = _with_offsets(text)
    elif any(b"\\" in body for line in BytesIO(text) for _, body in _strings(line)):
        bodies = _of_strings(text)
    else:
        bodies = _of_digits(text)
    return (bytes(body) for body in bodies if body)


def _with_offsets(text: bytes) -> Iterator[bytearray]:
    body = bytearray()
    row = b""
    is_squeezed = False
    repeated = 0
    for number, line in enumerate(BytesIO(text), 1):
        found = OFFSET.match(line)
        if found is None:
            is_squeezed = is_squeezed or line.strip() == b"*"
            continue
        offset = int(found[1], 16)
        if not offset:
            yield body
            body = bytearray()
        missing = offset - len(body)
        if is_squeezed and row and missing > 0:
            repeated += missing
            if repeated > MAX_REPEATED:
                raise DecodeError(
                    f"line {number}: the lines that * represents have more than {MAX_REPEATED} "
                    "bytes in all"
                )
            body += (row * (missing // len(row) + 1))[:missing]
        if offset != len(body):
            raise DecodeError(
                f"line {number}: offset {_shown(hex(offset))} does not follow {len(body):#x} bytes"
            )
        is_squeezed = False
        end = END_AFTER_COLON if found[2] == b":" else END
        row = _digits(end.split(line[found.end() :], maxsplit=1)[0], number)
        body += row
    yield body


def _of_strings(text: bytes) -> Iterator[bytearray]:
    body: bytearray | None = None
    for line in BytesIO(text):
        piece = bytearray()
        first = None
        has_escapes = False
        for start, content in _strings(line):
            first = start if first is None else first
            has_escapes = has_escapes or b"\\" in content
            _unescape(content, piece)
        if body is not None and first is not None and line[:first].strip() in (b"", b"b"):
            body += piece
        elif has_escapes:  # other strings are file names and the like
            if body is not None:
                yield body
            body = piece
    if body is not None:
        yield body


def _of_digits(text: bytes) -> Iterator[bytearray]:
    body = bytearray()
    for number, line in enumerate(BytesIO(text), 1):
        words = b" " + line.partition(b"#")[0].translate(SPACES)
        body += _digits(words.replace(b" 0x", b"   ").replace(b" 0X", b"   "), number)
    yield body


def _strings(line: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the position and the content of each string literal in a line."""
    quotes = b"\"'"
    at = 0
    while quotes and (found := STRING[quotes].search(line, at)):
        double, single, open_quote = found.groups()
        if open_quote is None:
            yield found.start(), double or single or b""
        else:
            # The string does not end in its line. It contains all later quotes of this kind as
            # escapes, so none of these starts a string that ends. Looking for them again and again
            # would take quadratic time.
            quotes = quotes.replace(open_quote, b"")
        at = found.end()


def _unescape(content: bytes, into: bytearray) -> None:
    """Append the bytes that the content of a string literal represents."""
    at = 0
    for found in ESCAPE.finditer(content):
        into += content[at : found.start()]
        at = found.end()
        digits, octal, letter = found.groups()
        if letter is None:
            into.append(int(digits, 16) if digits else int(octal, 8) & 0xFF)
        else:
            into += ESCAPES.get(letter, letter)
    into += content[at:]


def _digits(text: bytes, number: int) -> bytes:
    try:
        return bytes.fromhex(text.decode("latin-1"))
    except ValueError:
        shown = _shown(text.strip()[: 4 * SHOWN].decode(errors="replace"))
        raise DecodeError(f"line {number}: {shown!r} is not hexadecimal") from None


def _shown(text: str) -> str:
    return text[:SHOWN]
