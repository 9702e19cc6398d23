"""Target: captures, hex dumps and what `netlink decode` prints for them.

Whatever the file holds, reading it gives packets or DecodeError, and decoding it prints lines and
returns 0 or 1. Packets that this file writes in each format read as the same packets.
"""

from __future__ import annotations

import io
import json
import os
import struct
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout

from netlink import DecodeError
from netlink.capture import MAX_REPEATED, Packet, packets, unhex
from netlink.cli import decode
from netlink.constants import NETLINK

from . import corpus
from .source import Source

# What the star lines of a hex dump claim, and the text that shows it.
BASE_MEMORY = 40 * MAX_REPEATED
MODES = ("packets", "text", "json", "raw", "forms")
PROTOCOLS = (0, 16, 4, 15)
PCAP_MAGIC, PCAPNG_MAGIC, LINKTYPE = b"\xd4\xc3\xb2\xa1", b"\n\r\r\n", 253


def seeds(datagrams: list[bytes]) -> Iterator[bytes]:
    """Yield captures and dumps of known datagrams, in every format."""
    for mode in range(4):
        for protocol in range(len(PROTOCOLS)):
            head = bytes((mode, protocol))
            for position in range(mode + protocol, len(datagrams), 40):
                some = datagrams[position : position + 2]
                for write in (pcap, pcapng):
                    yield head + write([Packet(data, PROTOCOLS[protocol]) for data in some])
                for form in FORMS:
                    yield head + "".join(map(form, some)).encode()
                yield head + b"".join(data + bytes(-len(data) % 4) for data in some)
    for data in datagrams[::20]:
        yield b"\4\0" + data
    for path in sorted(corpus.VECTORS.glob("*.pcap*")):
        yield b"\0\0" + path.read_bytes()[:4000]


def run(data: bytes) -> None:
    """Check one file."""
    source = Source(data)
    mode = MODES[source.below(len(MODES))]
    protocol = source.choice(PROTOCOLS)
    file = source.rest()
    if mode == "packets":
        check_packets(file, protocol)
    elif mode == "forms":
        check_forms(file)
    else:
        check_printed(file, protocol, mode)


def check_packets(file: bytes, protocol: int) -> None:
    """Read a file, write its packets in both capture formats, and read them again."""
    found = list(read(file, protocol))
    whole = [packet for packet in found if packet is not None]
    assert [packet.number for packet in whole] == sorted({packet.number for packet in whole})
    size = sum(len(packet.data) for packet in whole)
    assert size <= len(file) + MAX_REPEATED, f"{size} bytes of packets in {len(file)} bytes"
    for write in (pcap, pcapng):
        again = list(read(write(whole)))
        assert [(p.data, p.protocol) for p in again if p] == [(p.data, p.protocol) for p in whole]


def read(file: bytes, protocol: int = 0) -> Iterator[Packet | None]:
    """Yield the packets of a file, and None for a DecodeError between them."""
    stream = packets(io.BytesIO(file), protocol)
    while True:
        try:
            yield from stream
            return
        except DecodeError as error:
            assert 0 < len(str(error)) <= 500
            yield None


def check_printed(file: bytes, protocol: int, mode: str) -> None:
    """Decode a file as the command line does."""
    descriptor = os.memfd_create("fuzz")
    try:
        os.write(descriptor, file)
        args = Namespace(
            file=f"/proc/self/fd/{descriptor}",
            json=mode == "json",
            raw=mode == "raw",
            protocol=NETLINK(protocol),
        )
        with redirect_stdout(io.StringIO()) as out:
            status = decode.run(args)
    finally:
        os.close(descriptor)
    lines = out.getvalue().split("\n")
    assert lines.pop() == ""
    assert all(line.isprintable() for line in lines)
    if mode == "json":
        rows = [json.loads(line) for line in lines]
        assert status == any("error" in row for row in rows)
    assert status in (0, 1)


def check_forms(body: bytes) -> None:
    """Write bytes as text in every form, and read them again."""
    if len(body) < 4 or not any(body) or body[:4] == bytes(4):
        return  # not the length of a message, so it may look like an offset
    for form in FORMS:
        assert unhex(form(body)) == [body], form.__name__


# --- writing, without the library -----------------------------------------------------------------


def pcap(found: list[Packet]) -> bytes:
    """Return a pcap file."""
    parts = [PCAP_MAGIC, struct.pack("<HHiIII", 2, 4, 0, 0, 65535, LINKTYPE)]
    for packet in found:
        data = cooked(packet)
        parts += [struct.pack("<IIII", 1, 2, len(data), len(data)), data]
    return b"".join(parts)


def pcapng(found: list[Packet]) -> bytes:
    """Return a pcapng file."""
    parts = [
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
        block(1, struct.pack("<HHI", LINKTYPE, 0, 0)),
    ]
    for packet in found:
        data = cooked(packet)
        head = struct.pack("<IIIII", 0, 0, 1, len(data), len(data))
        parts.append(block(6, head + data + bytes(-len(data) % 4)))
    return b"".join(parts)


def block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def cooked(packet: Packet) -> bytes:
    """Return a packet with the header that nlmon gives it."""
    return struct.pack(">HH10xH", 4, 824, packet.protocol & 0xFFFF) + packet.data


def plain(body: bytes) -> str:
    return f"{body.hex(' ')}  # a comment\n"


def xxd(body: bytes) -> str:
    return "".join(f"{at:08x}: {row.hex(' ', 2)}  {shown(row)}\n" for at, row in rows_of(body))


def hexdump(body: bytes) -> str:
    lines = [f"{at:08x}  {row.hex(' ')}  |{shown(row)}|\n" for at, row in rows_of(body)]
    return "".join(lines) + f"{len(body):08x}\n"


def tcpdump(body: bytes) -> str:
    lines = [f"\t0x{at:04x}:  {row.hex(' ', 2)}  {shown(row)}\n" for at, row in rows_of(body)]
    return "12:00:00.000000 netlink\n" + "".join(lines)


def strace(body: bytes) -> str:
    text = "".join(f"\\x{byte:02x}" for byte in body)
    return f'sendto(3, "{text}", {len(body)}, 0, NULL, 0) = {len(body)}\n'


def rows_of(body: bytes) -> Iterator[tuple[int, bytes]]:
    return ((at, body[at : at + 16]) for at in range(0, len(body), 16))


def shown(row: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)


FORMS: tuple[Callable[[bytes], str], ...] = (plain, xxd, hexdump, tcpdump, strace)
