"""Captures and hex dumps, and `netlink decode`, which prints them.

`vectors/nlmon.pcap` and `.pcapng` come from a real kernel; vectors/nlmon.sh describes how. The
tests build all other inputs: both byte orders, clocks with other units, and all kinds of damage.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
import tracemalloc
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netlink
from netlink import DecodeError, Message, RawMessage, capture
from netlink.cli import decode, main
from netlink.constants import NETLINK, NLM_F
from netlink.generic.nlctrl import CTRL_CMD, GENL_ID_CTRL, Ctrl
from netlink.generic.taskstats import TaskQuery
from netlink.route import FAMILY
from netlink.route.link import Link
from netlink.route.route import Metrics, Route
from netlink.route.rtnetlink import RTM
from netlink.route.rule import Rule

from . import wire
from .builds import IS_SANITIZED

VECTORS = Path(__file__).parent / "vectors"
PCAP = (VECTORS / "nlmon.pcap").read_bytes()
PCAPNG = (VECTORS / "nlmon.pcapng").read_bytes()
FOREIGN = ">" if sys.byteorder == "little" else "<"

pytestmark = pytest.mark.skipif(sys.byteorder != "little", reason="the vectors are of x86")

LINK = wire.message(RTM.RTM_NEWLINK, bytes(Link(index=2, ifname="eth0", mtu=1500)), seq=7, pid=8)
DONE = wire.done()


def packets(data: bytes) -> list[capture.Packet]:
    return list(capture.packets(io.BytesIO(data)))


def outcomes(data: bytes) -> list[object]:
    """Return every packet and message in the data, with errors at their positions."""
    stream = capture.packets(io.BytesIO(data))
    found: list[object] = []
    for packet in resumed(stream):
        found.append(packet)
        if isinstance(packet, capture.Packet):
            found += [
                str(m) if isinstance(m, DecodeError) else type(m)
                for m in resumed(packet.messages(FAMILY))
            ]
    return found


def resumed(stream: Iterator[Any]) -> Iterator[Any]:
    while True:
        try:
            yield from stream
            return
        except DecodeError as error:
            yield error


# --- what a capture is made of --------------------------------------------------------------------


def cooked(data: bytes, protocol: int = 0) -> bytes:
    return struct.pack(">HH10xH", 4, 824, protocol) + data


def pcap(
    *frames: bytes, order: str = "<", magic: int = 0xA1B2C3D4, linktype: int = 253, time: int = 0
) -> bytes:
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 1 << 18, linktype)]
    for number, frame in enumerate(frames):
        parts += [struct.pack(order + "4I", time + number, 5, len(frame), len(frame)), frame]
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(*options: bytes, linktype: int = 253, snaplen: int = 0, order: str = "<") -> bytes:
    body = struct.pack(order + "HHI", linktype, 0, snaplen) + b"".join(options)
    return block(1, body, order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def enhanced(frame: bytes, *, time: int = 0, which: int = 0, order: str = "<") -> bytes:
    head = struct.pack(order + "5I", which, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame, order)


def simple(frame: bytes, length: int) -> bytes:
    return block(3, struct.pack("<I", length) + frame)


# --- captures -------------------------------------------------------------------------------------


def test_pcap_of_a_kernel() -> None:
    found = packets(PCAP)
    assert [packet.number for packet in found] == list(range(1, 50))
    assert {packet.protocol for packet in found} == {NETLINK.NETLINK_ROUTE}
    assert found[0].time == 1795300130_244183304  # as tshark tells
    assert found[48].time == 1795300131_671695808
    (request,) = found[27].messages(FAMILY)
    assert isinstance(request, Route) and request.nlmsg_name == "RTM_NEWROUTE"
    assert (request.nlmsg_seq, request.nlmsg_pid) == (1795300132, 0)
    assert (str(request.gateway), request.oif) == ("192.0.2.2", 3)
    assert request.metrics == Metrics(mtu=1300)
    assert [type(m) for p in found[1:3] for m in p.messages(FAMILY)] == [Link, Link, RawMessage]


def test_pcapng_of_a_kernel() -> None:
    """Packets 1 and 2 have another link type, that of the loopback, and are skipped."""
    found = packets(PCAPNG)
    assert [packet.number for packet in found] == list(range(3, 24))
    assert found[0].time == 1795300138_983091838
    typed = {
        packet.protocol: {type(message) for message in packet.messages(FAMILY)} for packet in found
    }
    assert typed == {0: {RawMessage}, 4: {RawMessage}, 6: {RawMessage}, 16: {RawMessage}}
    (request,) = found[0].messages(FAMILY)
    assert isinstance(request, Rule) and request.priority == 1000


def test_zeros_behind_the_last_message() -> None:
    """iproute2 sends its whole buffer for `ip addr show`. The kernel stops at a length of 0."""
    frame = next(packet for packet in packets(PCAP) if packet.number == 43)
    assert len(frame.data) == 24 and frame.data + bytes(128) in PCAP
    assert packets(LINK + bytes(20))[0].data == LINK
    assert packets(LINK + bytes(20) + b"\1")[0].data == LINK + bytes(20) + b"\1"
    ends_with_zeros = wire.message(99, bytes(40))
    assert packets(ends_with_zeros)[0].data == ends_with_zeros


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("magic", "time"), [(0xA1B2C3D4, 9_000_005_000), (0xA1B23C4D, 9 * 10**9 + 5)]
)
def test_pcap_forms(order: str, magic: int, time: int) -> None:
    frames = cooked(LINK), cooked(DONE, NETLINK.NETLINK_GENERIC)
    assert packets(pcap(*frames, order=order, magic=magic, time=9)) == [
        capture.Packet(LINK, 0, 1, time),
        capture.Packet(DONE, 16, 2, time + 10**9),
    ]


def test_pcap_with_other_things_in_its_link_type() -> None:
    """The upper bits of the field describe the frame check sequence."""
    assert len(packets(pcap(cooked(LINK), linktype=0x50000000 | 253))) == 1


@pytest.mark.parametrize(
    ("options", "time"),
    [
        ([], 3_000_007_000),
        ([option(9, b"\6")], 3_000_007_000),
        ([option(9, b"\x09")], 3_000_007),
        ([option(9, b"\x0c")], 3_000),
        ([option(9, b"\0")], 3_000_007 * 10**9),
        ([option(9, b"\x94")], 3_000_007 * 10**9 >> 20),
        ([option(14, struct.pack("<q", 5))], 8_000_007_000),
        ([option(14, struct.pack("<q", -5)), option(9, b"\x09")], 3_000_007 - 5 * 10**9),
        ([option(2, b"nlmon0"), option(9, b"\x09"), option(0, b"")], 3_000_007),
        ([option(9, b"\6\6"), option(14, b"\1")], 3_000_007_000),
    ],
)
def test_clocks(options: list[bytes], time: int) -> None:
    data = section() + interface(*options) + enhanced(cooked(LINK), time=3_000_007)
    assert packets(data) == [capture.Packet(LINK, 0, 1, time)]


def test_pcapng_sections() -> None:
    """Each section has its own interfaces and byte order. Blocks of other types are skipped."""
    data = (
        section() + interface(linktype=1) + interface(snaplen=40)
        + enhanced(b"ethernet") + enhanced(cooked(LINK), which=1, time=1)
        + block(5, b"statistics") + block(0xBAD, b"")
        + section(">") + interface(order=">") + enhanced(cooked(DONE), order=">", time=1 << 33)
        + section() + interface(snaplen=20) + simple(cooked(DONE)[:20], 36)
        + section() + interface() + simple(cooked(DONE), 36)
    )  # fmt: skip
    assert packets(data) == [
        capture.Packet(LINK, 0, 2, 1000),
        capture.Packet(DONE, 0, 3, (1 << 33) * 1000),
        capture.Packet(DONE[:4], 0, 4, None),
        capture.Packet(DONE, 0, 5, None),
    ]


def test_packets_come_while_a_pipe_grows() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as file:
        os.write(writing, pcap(cooked(LINK)))
        stream = capture.packets(file)
        assert next(stream).data == LINK
        os.close(writing)
        assert next(stream, None) is None


def ends(data: bytes) -> set[int]:
    """Return the offsets where a file may end: after its header, and after each packet or block."""
    is_pcap = data[:4] == PCAP[:4]
    at = 24 if is_pcap else 0
    found = {at}
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at + (8 if is_pcap else 4))
        at += size + (16 if is_pcap else 0)
        found.add(at)
    return found


@pytest.mark.parametrize("data", [PCAP, PCAPNG], ids=["pcap", "pcapng"])
def test_every_prefix(data: bytes) -> None:
    """All packets before the cut are unchanged, and the cut raises DecodeError."""
    whole = packets(data)
    whole_ends = ends(data)
    for end in range(4, len(data)):  # from the magic on
        found = []
        is_cut = False
        try:
            for packet in capture.packets(io.BytesIO(data[:end])):
                found.append(packet)
        except DecodeError:
            is_cut = True
        assert found == whole[: len(found)]
        assert is_cut is (end not in whole_ends) or not found


BAD = {
    "a cut header of the file": (PCAP[:20], "the file's header: 20 of 24 bytes (at byte 0)"),
    "a cut header of a packet": (PCAP[:30], "a packet's header: 6 of 16 bytes (at byte 24)"),
    "a cut packet": (PCAP[:60], "ends inside a packet: 20 of 56 bytes (at byte 40)"),
    "another link type": (pcap(linktype=1), "link type 1, not 253 (netlink)"),
    "no link type of ours": (
        section() + interface(linktype=1) + interface(linktype=113), "link type 1, 113"
    ),
    "a packet of gigabytes": (
        pcap() + struct.pack("<4I", 0, 0, 0xFFFFFFF0, 0xFFFFFFF0), "4294967280 bytes"
    ),
    "no cooked header": (pcap(b"short"), "packet 1 has 5 bytes, fewer than its header of 16"),
    "no byte order": (section()[:8] + b"????" + section()[12:], "byte-order magic (at byte 0)"),
    "an odd length": (section() + struct.pack("<II", 1, 13), "13 is not a valid length"),
    "a small length": (section() + struct.pack("<II", 1, 8), "8 is not a valid length of a block"),
    "another length at the end": (
        section()[:-4] + b"\1\0\0\0", "the two lengths of a block differ (at byte 0)"
    ),
    "a cut block": (section() + interface()[:14], "ends inside a block: 6 of 8 bytes (at byte 36)"),
    "a short block": (section() + block(1, b"\1\0"), "block of type 1: 8 bytes at offset 0"),
    "a long option": (section() + interface(b"\2\0\xff\0abcd"), "255 bytes at offset 12"),
    "an unknown interface": (section() + enhanced(cooked(LINK)), "interface 0, which is not"),
    "a long packet": (
        section() + interface() + block(6, struct.pack("<5I", 0, 0, 0, 99, 99) + LINK),
        "99 bytes at offset 20",
    ),
    "no hex": (b"RTM_NEWLINK eth0", "line 1: 'RTM_NEWLINK eth0' is not hexadecimal"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "told"), BAD.values(), ids=BAD)
def test_bad_containers(data: bytes, told: str) -> None:
    with pytest.raises(DecodeError) as caught:
        packets(data)
    assert told in str(caught.value)


def test_what_follows_a_bad_packet() -> None:
    """A valid file may contain an invalid packet, and a valid packet an invalid message."""
    wrong = wire.message(RTM.RTM_NEWLINK, b"12")
    swapped = struct.pack(FOREIGN + "IHHII", 16, 16, 0, 0, 0)
    found = outcomes(pcap(cooked(LINK), b"short", cooked(swapped), cooked(wrong + DONE + b"\1")))
    assert [str(item) for item in found if isinstance(item, DecodeError)] == [
        "packet 2 has 5 bytes, fewer than its header of 16",
        "packet 3 has the other byte order: decode it on a big-endian machine",
    ]
    assert found[1] is Link
    short, done, rest = found[-3:]
    assert re.fullmatch(r"Link: .* \(at byte 16\)", str(short))
    assert done is RawMessage
    assert re.fullmatch(r"a message header has 16 bytes, .*only 1 .* \(at byte 40\)", str(rest))


# --- hex dumps ------------------------------------------------------------------------------------

# A request of 28 bytes with a "#" (23) and bytes that look like hex among its characters.
BODY = bytes.fromhex("1c000000120001030700000000000000230061620a00") + b"ab cd\0"

DUMPS = {
    "plain": "1c000000120001030700000000000000230061620a006162206364 00",
    "lines": "1c0000001200010307000000\n0000000023006162\n0a00616220636400\n",
    "pairs": "1c 00 00 00 12 00 01 03 07 00 00 00 00 00 00 00 23 00 61 62 0a 00 61 62 20 63 64 00",
    "upper case and colons": "1C:00:00:00:12:00:01:03:07:00:00:00:00:00:00:00:23:00:61:62:0A:00:"
    "61:62:20:63:64:00",
    "0x, commas and braces": "{0x1c, 0x00, 0x00, 0x00, 0x12, 0x00, 0x01, 0x03, 0x07, 0x00, 0x00, "
    "0x00,\n0x00, 0x00, 0x00, 0x00, 0x23, 0x00, 0x61, 0x62, 0x0a, 0x00, 0x61, 0x62, 0x20, 0x63,\n"
    "0x64, 0x00};",
    "one 0x": "0x1c000000120001030700000000000000230061620a00616220636400",
    "comments": "# RTM_GETLINK \\o/\n1c000000 1200 0103 07000000 00000000  # header, dump\n\n"
    '23006162 0a00 6162 20636400 # it\'s the "rest"',
    "xxd": """\
00000000: 1c00 0000 1200 0103 0700 0000 0000 0000  ................
00000010: 2300 6162 0a00 6162 2063 6400            #.ab..ab cd.
""",
    "xxd -c 8 -g 1": """\
00000000: 1c 00 00 00 12 00 01 03  ........
00000008: 07 00 00 00 00 00 00 00  ........
00000010: 23 00 61 62 0a 00 61 62  #.ab..ab
00000018: 20 63 64 00               cd.
""",
    "hexdump -C": """\
00000000  1c 00 00 00 12 00 01 03  07 00 00 00 00 00 00 00  |................|
00000010  23 00 61 62 0a 00 61 62  20 63 64 00              |#.ab..ab cd.|
0000001c
""",
    "od -Ax -tx1": """\
000000 1c 00 00 00 12 00 01 03 07 00 00 00 00 00 00 00
000010 23 00 61 62 0a 00 61 62 20 63 64 00
00001c
""",
    "od -Ax -tx1z": """\
000000 1c 00 00 00 12 00 01 03 07 00 00 00 00 00 00 00  >................<
000010 23 00 61 62 0a 00 61 62 20 63 64 00              >#.ab..ab cd.<
00001c
""",
    "tcpdump -x": """\
reading from file nlmon.pcap, link-type NETLINK (Linux netlink), snapshot length 262144
22:26:54.246620 UNSUPPORTED
\t0x0000:  1c00 0000 1200 0103 0700 0000 0000 0000
\t0x0010:  2300 6162 0a00 6162 2063 6400
""",
    "tcpdump -X": """\
22:26:54.246620 UNSUPPORTED
\t0x0000:  1c00 0000 1200 0103 0700 0000 0000 0000  ................
\t0x0010:  2300 6162 0a00 6162 2063 6400            #.ab..ab.cd.
""",
    "tshark -x": """\
0000  1c 00 00 00 12 00 01 03 07 00 00 00 00 00 00 00   ................
0010  23 00 61 62 0a 00 61 62 20 63 64 00               #.ab..ab cd.

""",
    "strace -xx": r'sendto(3, "\x1c\x00\x00\x00\x12\x00\x01\x03\x07\x00\x00\x00\x00\x00\x00\x00\x23'
    r'\x00\x61\x62\x0a\x00\x61\x62\x20\x63\x64\x00", 28, 0, NULL, 0) = 28',
    "strace": 'openat(AT_FDCWD, "/etc/iproute2/group", O_RDONLY) = 4\n'
    r'write(3, "\34\0\0\0\22\0\1\3\7\0\0\0\0\0\0\0#\0ab\n\0ab cd\0", 28) = 28',
    "Python": repr(BODY),
    "C": r"""
        "\x1c\0\0\0" "\x12\0\1\3"   /* it's a link */
        "\a\0\0\0\0\0\0\0"
        "#\0ab\n" "\0"
        "ab cd\0";
    """,
}


@pytest.mark.parametrize("text", DUMPS.values(), ids=DUMPS)
def test_hex_forms(text: str) -> None:
    assert capture.unhex(text) == [BODY]


def test_hex_forms_of_several_packets() -> None:
    assert capture.unhex(DUMPS["tcpdump -X"] * 2 + DUMPS["hexdump -C"]) == [BODY] * 3
    assert capture.unhex(f"{DUMPS['strace']}\n{DUMPS['strace -xx']}") == [BODY] * 2


def test_repeated_lines() -> None:
    text = """\
00000000  40 00 00 00 10 00 00 00  00 00 00 00 00 00 00 00  |@...............|
00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
*
00000040
"""
    assert capture.unhex(text) == [b"\x40\0\0\0\x10" + bytes(59)]


@pytest.mark.parametrize("text", ["", "\n \n", "# nothing", "00000000\n"])
def test_hex_of_nothing(text: str) -> None:
    assert [body for body in capture.unhex(text) if any(body)] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1c0", "line 1: '1c0' is not hexadecimal"),
        ("1c00\n0x1g", "line 2: '1g' is not hexadecimal"),
        ("00000000: 1c00 0000\n00000010: 1200", "line 2: offset 0x10 does not follow 0x4 bytes"),
        ("00000000: 1c00 0000\n00000002: 1200", "line 2: offset 0x2 does not follow 0x4 bytes"),
        (
            "00000000: 1c00 0000\n*\nffffffff: 00",
            "line 3: the lines that * represents have more than 1048576 bytes in all",
        ),
        (
            "00000000: 1c00\n" + 99 * "f" + ": 00",
            f"line 2: offset 0x{38 * 'f'} does not follow 0x2 bytes",
        ),
        ("*\n00000000: 1c00 00x0\n", "line 2: '1c00 00x0' is not hexadecimal"),
        ("00000010: 1c\n00000000: 1c", "line 1: offset 0x10 does not follow 0x0 bytes"),
    ],
)
def test_bad_hex(text: str, told: str) -> None:
    with pytest.raises(DecodeError) as caught:
        capture.unhex(text)
    assert str(caught.value) == told


@given(st.text(alphabet="0123456789abcdefx:*#|>\\\"' \n\té\ud800", max_size=200))
def test_any_text(text: str) -> None:
    with suppress(DecodeError):
        assert all(type(body) is bytes and body for body in capture.unhex(text))


@given(st.binary(min_size=1, max_size=100))
def test_hex_round_trip(body: bytes) -> None:
    """Bytes as a Python literal and as plain digits give the same packet."""
    assert capture.unhex("b'" + "".join(f"\\x{byte:02x}" for byte in body) + "'") == [body]
    assert capture.unhex(body.hex(" ")) == [body]


# Parts of hostile texts. Any one or two of them are repeated, after a start that selects the form.
PARTS = [
    "\n", " ", "\t", "0", "a", "0000", "0000:", "00", "*", "*\n", "#", '"', "'", "\\", "b", "0x",
    "|", ",", '\\"', "\\'", "\\0", "\\x1", "00 00 ", "0000: 00 00\n",
]  # fmt: skip
STARTS = {"plain": "", "offsets": "00000000: 00\n", "strings": '"\\0"\n'}


def hostile(start: str, size: int) -> Iterator[tuple[str, str]]:
    """Yield the unit of each text, and the text of about `size` characters."""
    for unit in dict.fromkeys([*PARTS, *map("".join, itertools.permutations(PARTS, 2))]):
        yield unit, STARTS[start] + unit * (size // len(unit))


def seconds_of(text: str) -> float:
    """Return the processor time that unhex() takes for a text, the shorter of two attempts."""
    attempts = []
    for _ in range(2):
        began = time.thread_time()
        with suppress(DecodeError):
            capture.unhex(text)
        attempts.append(time.thread_time() - began)
    return min(attempts)


@pytest.mark.parametrize("start", STARTS)
def test_hex_takes_linear_time(start: str) -> None:
    """A text that is eight times as long takes about eight times as long, not 64 times."""
    small = dict(hostile(start, 1000))
    slow = [
        unit
        for unit, text in hostile(start, 8000)
        if seconds_of(text) > 24 * max(seconds_of(small[unit]), 0.001)
    ]
    assert slow == []


@pytest.mark.skipif(IS_SANITIZED, reason="tracemalloc counts memory that ASan keeps in quarantine")
@pytest.mark.parametrize("start", STARTS)
def test_hex_takes_linear_memory(start: str) -> None:
    """The docstring of unhex() promises eight times the length of the text."""
    for unit, text in hostile(start, 3000):
        with suppress(DecodeError):
            assert peak_of(partial(capture.unhex, text)) < 8 * len(text), unit


def peak_of(work: Callable[[], object]) -> int:
    """Return how many bytes of memory `work` needs at its peak, even if it raises DecodeError."""
    tracemalloc.start()
    try:
        with suppress(DecodeError):
            work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        40 * "00000000  00\n*\n01000000\n",  # 40 packets of 16 MiB each
        "00000000  00\n*\n00fffff0  00\n*\n01ffffe0  00\n",
        "00000000  00\n*\n" + 999 * "f" + "\n",
    ],
)
def test_repeated_lines_are_bounded(text: str) -> None:
    """A lone "*" may claim any number of lines."""
    limit = 3 * capture.MAX_REPEATED + 8 * len(text)
    assert peak_of(lambda: capture.unhex(text)) < limit
    with pytest.raises(DecodeError, match=r"line \d+: the lines that \* represents have more than"):
        capture.unhex(text)


def test_repeated_lines_up_to_the_limit() -> None:
    """The limit counts the bytes of all packets together."""
    half = capture.MAX_REPEATED // 2
    text = f"00000000  00\n*\n{half + 1:08x}\n"
    assert capture.unhex(2 * text) == 2 * [bytes(half + 1)]
    with pytest.raises(DecodeError):
        capture.unhex(3 * text)


def test_packets_before_a_wrong_line() -> None:
    stream = capture.packets(io.BytesIO(b"0000: 1c\n0000: 1d\n0002: 1e\n"))
    assert next(stream).data == b"\x1c"
    with pytest.raises(DecodeError, match="line 3: offset 0x2 does not follow 0x1 bytes"):
        next(stream)


HUGE = capture.MAX_SIZE - 16  # a length that is not refused at once
CLAIMS = {
    "pcap": pcap() + struct.pack("<4I", 0, 0, HUGE, HUGE),
    "pcapng": section() + struct.pack("<2I", 6, HUGE),
    "pcapng section": struct.pack("<3I", 0x0A0D0D0A, HUGE, 0x1A2B3C4D),
    "plain message": struct.pack("=I", HUGE),
}


@pytest.mark.parametrize("data", CLAIMS.values(), ids=CLAIMS)
def test_a_claimed_length_reserves_no_memory(data: bytes, tmp_path: Path) -> None:
    """The file has a few bytes, although a length in it says 16 MiB."""
    path = tmp_path / "claims"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert peak_of(lambda: list(capture.packets(file))) < 4 * capture.PIECE


def test_plain_messages_take_linear_memory() -> None:
    """The docstring of packets() promises three times the size of the file."""
    data = 10_000 * LINK
    assert peak_of(lambda: list(capture.packets(io.BytesIO(data)))) < 3 * len(data)


TINY: dict[str, Callable[[int], bytes]] = {
    "pcap": lambda count: pcap(*count * [b""]),
    "interfaces": lambda count: section() + count * interface(),
    "link types": lambda count: section() + b"".join(map(linked, range(count))),
    "options": lambda count: section() + interface(*count * [option(9, b"\x09")]),
    "sections": lambda count: count * section() + interface(),
    "packets of another link type": lambda count: (
        section() + interface(linktype=1) + interface() + count * enhanced(b"")
    ),
}


def linked(linktype: int) -> bytes:
    return interface(linktype=linktype)


@pytest.mark.parametrize("kind", TINY)
def test_captures_of_tiny_parts_take_linear_time_and_memory(kind: str) -> None:
    """Each part has at most a few dozen bytes, so that objects cost more than the data."""

    def read(data: bytes) -> None:
        for _ in resumed(capture.packets(io.BytesIO(data))):
            pass

    small, large = TINY[kind](500), TINY[kind](4000)
    assert peak_of(partial(read, large)) < 16 * len(large)
    began = time.thread_time()
    read(small)
    middle = time.thread_time()
    read(large)
    assert time.thread_time() - middle < 24 * max(middle - began, 0.001)


def test_a_file_that_returns_less_than_asked() -> None:
    """An unbuffered file returns what it has."""

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(3, size) if size is not None and size > 0 else size)

    for data in (PCAP, PCAPNG):
        assert list(capture.packets(Slow(data))) == packets(data)


def test_many_link_types_are_not_all_listed() -> None:
    data = section() + b"".join(interface(linktype=kind) for kind in range(300, 400))
    with pytest.raises(DecodeError, match=r"has link type 300, 301, .*, 307 and more, not 253"):
        packets(data)


def test_what_a_file_is() -> None:
    """The first bytes decide. A hex dump with a cooked header contains the protocol."""
    data = LINK + DONE
    for form in (data, data.hex().encode(), repr(data).encode()):
        assert packets(form) == [capture.Packet(data, 0)]
    dump = io.BytesIO(cooked(DONE, 16).hex().encode())
    assert list(capture.packets(dump, 12)) == [capture.Packet(DONE, 16)]
    assert list(capture.packets(io.BytesIO(DONE), 12)) == [capture.Packet(DONE, 12)]
    assert packets(b"") == []


# --- netlink decode -------------------------------------------------------------------------------


@pytest.fixture
def shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs `netlink decode` on bytes: (exit status, standard output)."""

    def show(data: bytes, *options: str) -> tuple[int, str]:
        path = tmp_path / "input"
        path.write_bytes(data)
        status = main(["decode", str(path), *options])
        out, err = capsys.readouterr()
        assert err == ""
        return status, out

    return show


def as_json(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_text(shown: Any) -> None:
    status, out = shown(pcap(cooked(LINK + wire.message(99, bytes(range(17)))), time=9))
    assert status == 0
    assert out == (
        "packet 1 1970-01-01T00:00:09.000005000Z NETLINK_ROUTE RTM_NEWLINK seq 7 pid 8\n"
        "    family  AF_UNSPEC\n"
        "    type    ARPHRD_NETROM\n"
        "    index   2\n"
        "    flags   0\n"
        "    change  0\n"
        "    ifname  eth0\n"
        "    mtu     1500\n"
        "packet 1 1970-01-01T00:00:09.000005000Z NETLINK_ROUTE type 99 seq 1 pid 0\n"
        "    0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n"
        "    0010  10\n"
    )


def test_json(shown: Any) -> None:
    status, out = shown(LINK.hex().encode() + b"\n" + DONE.hex().encode(), "--json")
    assert status == 0
    head = {"packet": 1, "time": None, "protocol": "NETLINK_ROUTE"}
    fields = {"family": "AF_UNSPEC", "type": "ARPHRD_NETROM", "index": 2, "flags": [], "change": 0,
              "ifname": "eth0", "mtu": 1500}  # fmt: skip
    assert as_json(out) == [
        {**head, "event": "RTM_NEWLINK", "flags": [], "seq": 7, "pid": 8, "fields": fields},
        {**head, "event": "NLMSG_DONE", "flags": ["NLM_F_MULTI"], "seq": 1, "pid": 0,
         "fields": {"text": "end of the dump", "errno": 0}},
    ]  # fmt: skip


# Requests of iproute2 6.1 and answers of Linux 6.12, captured by nlmon: name and a field of each.
EXCHANGES = [
    (
        "bridge mdb add dev br0 port d0 grp 239.1.1.1 permanent vid 1",
        "38000000540005065334096b000000000700000003000000200001000400000001000100ef010101000000000000"
        "00000000000008000000",
        "RTM_NEWMDB", "entry",
    ),
    (
        "bridge mdb show",
        "18000000560001035434096b000000000700000000000000",
        "RTM_GETMDB", None,
    ),
    (
        "the answer",
        "a8000000560002005434096bb800000000000000030000009000010034000100300001000400000001000100"
        "ef01010100000000000000000000000008000000080001000000000005000500040000002c00010028000100"
        "0300000000000100ff02000000000000000000000000006a86dd0000080001001f6500002c00010028000100"
        "0300000000000100ff0200000000000000000001ff54514286dd0000080001001f650000",
        "RTM_GETMDB", "mdb",
    ),
    (
        "bridge mdb del dev br0 port d0 grp 239.1.1.1 vid 1",
        "38000000550005005534096b000000000700000003000000200001000400000000000100ef010101000000000000"
        "00000000000008000000",
        "RTM_DELMDB", "entry",
    ),
    (
        "bridge -d vlan show dev d0",
        "20000000720001035634096b0000000007000000000000000800010000000000",
        "RTM_GETVLAN", "flags",
    ),
    (
        "ip stats show dev d0 group link",
        "1c0000005e0001005634096b00000000000000000400000001000000",
        "RTM_GETSTATS", "filter_mask",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "name", "field"),
    [exchange[1:] for exchange in EXCHANGES],
    ids=[exchange[0] for exchange in EXCHANGES],
)
def test_requests_are_read_as_requests(
    message: str, name: str, field: str | None, shown: Any
) -> None:
    status, out = shown(message.encode(), "--json")
    (line,) = as_json(out)
    assert (status, line["event"]) == (0, name)
    assert field is None or field in line["fields"]


def test_the_first_request_of_a_module_is_read_as_a_request() -> None:
    """The class is found although the module that declares it was not imported yet."""
    message = next(hexes for what, hexes, *_ in EXCHANGES if what.startswith("bridge -d vlan show"))
    script = (
        "import netlink\nfrom netlink.route import FAMILY\n"
        f"[message] = netlink.parse(bytes.fromhex({message!r}), FAMILY)\n"
        "print(type(message).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(netlink.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "VlanDbDump\n"


def test_every_op_is_read_as_its_own_request() -> None:
    """Several ops may share a type; a capture can only distinguish their request classes."""
    for op in FAMILY.ops.values():
        data = wire.message(op.type, bytes(op.request()), flags=NLM_F.NLM_F_REQUEST | op.flags)
        (message,) = netlink.parse(data, FAMILY)
        assert type(message) is op.request, op


@pytest.mark.parametrize(
    ("protocol", "name"),
    [("generic", "NETLINK_GENERIC"), ("NETLINK_SOCK_DIAG", "NETLINK_SOCK_DIAG"),
     ("sock-diag", "NETLINK_SOCK_DIAG"), ("0", "NETLINK_ROUTE"), ("31", "31")],
)  # fmt: skip
def test_protocol(protocol: str, name: str, shown: Any) -> None:
    status, out = shown(wire.message(99, b"\1"), "--protocol", protocol, "--json")
    [item] = as_json(out)
    assert (status, item["protocol"], item["payload"]) == (0, name, "01")
    assert "protocol 31 type 99" in shown(wire.message(99), "--protocol", "31")[1]


@pytest.mark.parametrize("arguments", ["", "f --protocol ip", "f --protocol 32", "f --protocol -1"])
def test_wrong_usage(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["decode", *arguments.split()])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("netlink: ") and err.endswith(" (see: netlink decode --help)\n")


def test_raw(shown: Any) -> None:
    status, out = shown(b"00000000000000000000", "--raw")
    assert status == 1
    assert "packet 1 NETLINK_ROUTE: nlmsg_len 808464432 does not fit" in out


def test_a_text_that_claims_too_much(shown: Any) -> None:
    status, out = shown(40 * b"00000000  00\n*\n01000000\n")
    assert status == 1
    assert out == "line 3: the lines that * represents have more than 1048576 bytes in all\n"


EXTACK = wire.attribute(1, b"no such thing\0") + wire.attribute(2, struct.pack("=I", 32))
REFUSED = wire.message(
    2, struct.pack("=i", -95) + LINK + EXTACK, flags=NLM_F.NLM_F_ACK_TLVS, seq=7, pid=8
)
ANSWERS = {
    "acknowledged": (
        wire.message(2, struct.pack("=i", 0) + LINK[:16], flags=NLM_F.NLM_F_CAPPED),
        {"text": "RTM_NEWLINK acknowledged", "errno": 0, "request": "RTM_NEWLINK"},
    ),
    "acknowledged with words": (
        wire.error(0, extack=wire.attribute(1, b"better not\0")),
        {"text": "type 0 acknowledged, with a warning: better not", "errno": 0,
         "message": "better not", "request": "type 0"},
    ),
    "refused": (
        REFUSED,
        {"text": "RTM_NEWLINK: ifname: no such thing (EOPNOTSUPP)", "errno": 95,
         "message": "no such thing", "path": "ifname", "offset": 32, "request": "RTM_NEWLINK"},
    ),
    "refused, capped": (
        wire.message(2, struct.pack("=i", -95) + LINK[:16] + EXTACK, flags=0x300),
        {"text": "RTM_NEWLINK: no such thing (EOPNOTSUPP)", "errno": 95,
         "message": "no such thing", "offset": 32, "request": "RTM_NEWLINK"},
    ),
    "refused, without the request": (
        wire.message(2, struct.pack("=i", -1)),
        {"text": "Operation not permitted (EPERM)", "errno": 1},
    ),
    "end": (DONE, {"text": "end of the dump", "errno": 0}),
    "end without a status": (wire.message(3), {"text": "end of the dump", "errno": 0}),
    "end with an error": (
        wire.done(19, extack=wire.attribute(1, b"gone\0")),
        {"text": "gone (ENODEV)", "errno": 19, "message": "gone"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "fields"), ANSWERS.values(), ids=ANSWERS)
def test_answers(answer: bytes, fields: dict[str, Any], shown: Any) -> None:
    status, out = shown(LINK + answer, "--json")
    assert status == 0
    assert as_json(out)[1]["fields"] == fields
    assert shown(LINK + answer)[1].splitlines()[-1] == f"    {fields['text']}"


@pytest.mark.parametrize(
    ("type", "flags", "names"),
    [
        (RTM.RTM_NEWLINK, 0x605, ["NLM_F_REQUEST", "NLM_F_ACK", "NLM_F_EXCL", "NLM_F_CREATE"]),
        (RTM.RTM_GETLINK, 0x301, ["NLM_F_REQUEST", "NLM_F_DUMP"]),
        (RTM.RTM_GETLINK, 0x101, ["NLM_F_REQUEST", "NLM_F_ROOT"]),
        (RTM.RTM_DELLINK, 0x301, ["NLM_F_REQUEST", "NLM_F_NONREC", "NLM_F_BULK"]),
        (RTM.RTM_DELLINK, 0x8001, ["NLM_F_REQUEST", 0x8000]),
        (2, 0x100, ["NLM_F_CAPPED"]),
        (1, 0, []),
        (99, 0x302, ["NLM_F_MULTI", 0x300]),
    ],
)
def test_flags(type: int, flags: int, names: list[str | int], shown: Any) -> None:
    data = wire.message(type, bytes(16), flags=flags)
    assert as_json(shown(data, "--json")[1])[0]["flags"] == names
    line = shown(data)[1].splitlines()[0]
    text = "|".join(hex(name) if isinstance(name, int) else name for name in names)
    assert f" {text} seq".replace("  ", " ") in line


def test_decoding_goes_on(shown: Any) -> None:
    """After an invalid value, message or packet, decoding continues with the next one."""
    bad_value = wire.message(RTM.RTM_NEWLINK, bytes(16) + wire.attribute(4, b"12"))
    short = wire.message(RTM.RTM_NEWLINK, b"12")
    data = pcap(cooked(bad_value + short + LINK), b"short", cooked(LINK[:-1]), cooked(DONE))
    expected = [
        (1, "RTM_NEWLINK", r"Link\.mtu: .* \(at byte 36\)"),
        (1, None, r"Link: .* \(at byte 56\)"),
        (1, "RTM_NEWLINK", None),
        (None, None, "packet 2 has 5 bytes, fewer than its header of 16"),
        (3, None, rf"nlmsg_len {len(LINK)} .* \(at byte 0\)"),
        (4, "NLMSG_DONE", None),
    ]
    status, out = shown(data, "--json")
    assert status == 1
    for item, (packet, event, error) in zip(as_json(out), expected, strict=True):
        assert (item.get("packet"), item.get("event")) == (packet, event)
        assert re.fullmatch(error or "", item.get("error", ""))
    assert as_json(out)[0]["payload"] == bad_value[16:].hex()
    status, out = shown(data)
    assert status == 1
    heads = [line for line in out.splitlines() if not line.startswith("    ")]
    for line, (_, _, error) in zip(heads, expected, strict=True):
        assert error is None or re.search(f"(: |^){error}$", line)
    assert out.splitlines()[1].startswith("    0000  00 00 00")


def test_time_without_a_calendar(shown: Any) -> None:
    """The clock of a pcapng file may count beyond the year 9999."""
    data = section() + interface(option(9, b"\0")) + enhanced(cooked(DONE), time=1 << 60)
    assert as_json(shown(data, "--json")[1])[0]["time"] == f"{1 << 60}.000000000"


def test_what_a_terminal_would_obey(shown: Any) -> None:
    link = wire.message(RTM.RTM_NEWLINK, bytes(Link(ifname="a\x1b[2J")))
    assert r"ifname  a\x1b[2J" in shown(link)[1]


def test_kernel_captures(shown: Any) -> None:
    status, out = shown(PCAP, "--json")
    assert status == 0
    found = as_json(out)
    assert len(found) == 50 and {item["packet"] for item in found} == set(range(1, 50))
    assert [item["fields"]["text"] for item in found if item["fields"].get("errno")] == [
        "RTM_NEWLINK: No such device (ENODEV)",  # iproute2 asks whether the kernel is strict
        "RTM_NEWLINK: No such device (ENODEV)",
        "RTM_NEWROUTE: Nexthop has invalid gateway (ENETUNREACH)",
        "RTM_NEWLINK: No such device (ENODEV)",
        "RTM_NEWLINK: address: Provided Ethernet address is not unicast (EADDRNOTAVAIL)",
    ]
    status, out = shown(PCAPNG)
    assert status == 0
    asked = (
        "packet 15 2026-11-21T22:28:59.157886548Z NETLINK_GENERIC CTRL_CMD_GETFAMILY NLM_F_REQUEST"
    )
    assert f"{asked}|NLM_F_ACK seq 1795300140 pid 0\n    family_name  nlctrl\n" in out


def generic(kind: int, command: int, body: Message, flags: int = 0) -> bytes:
    data = struct.pack("=BBxx", command, 1) + bytes(body)
    return cooked(wire.message(kind, data, flags=flags), NETLINK.NETLINK_GENERIC)


def test_numbers_of_generic_families_are_learned(shown: Any) -> None:
    """nlctrl announces the number of a family. Messages of unknown families stay bytes."""

    def family(command: int, name: str, number: int) -> bytes:
        return generic(GENL_ID_CTRL, command, Ctrl(family_name=name, family_id=number))

    query = generic(29, 1, TaskQuery(pid=7), flags=1)
    refused = cooked(
        wire.message(2, struct.pack("=i", -3) + query[16:32], flags=NLM_F.NLM_F_CAPPED), 16
    )
    frames = (
        query,
        family(CTRL_CMD.CTRL_CMD_NEWMCAST_GRP, "TASKSTATS", 29),  # which does not announce it
        query,
        family(CTRL_CMD.CTRL_CMD_NEWFAMILY, "TASKSTATS", 29),
        query,
        refused,
        family(CTRL_CMD.CTRL_CMD_NEWMCAST_GRP, "TASKSTATS", 29),
        family(CTRL_CMD.CTRL_CMD_NEWFAMILY, "unknown", 30),
        family(CTRL_CMD.CTRL_CMD_NEWFAMILY, "TASKSTATS", 16),  # a number that nlctrl has
        query,
        generic(30, 1, TaskQuery(pid=7)),
        family(CTRL_CMD.CTRL_CMD_NEWFAMILY, "TASKSTATS", 31),  # its module was loaded again
        query,
        generic(31, 1, TaskQuery(pid=7), flags=1),
        family(CTRL_CMD.CTRL_CMD_DELFAMILY, "TASKSTATS", 31),
        generic(31, 1, TaskQuery(pid=7), flags=1),
    )
    status, out = shown(pcap(*frames), "--json")
    found = as_json(out)
    assert status == 0
    assert len(found) == len(frames)
    names = [item["event"] for item in found]
    known = [place for place, name in enumerate(names) if name == "TASKSTATS_CMD_GET"]
    assert known == [4, 9, 13]
    assert all(found[place]["fields"] == {"pid": 7} for place in known)
    assert [names[place] for place in (0, 2, 10, 12, 15)] == ["29", "29", "30", "29", "31"]
    assert found[5]["fields"]["text"] == "TASKSTATS: No such process (ESRCH)"
    text = shown(pcap(*frames))[1]
    assert text.count("TASKSTATS_CMD_GET") == 3


@pytest.mark.parametrize("data", [PCAP, PCAPNG], ids=["pcap", "pcapng"])
def test_prefixes_print(data: bytes) -> None:
    for end in range(0, len(data), 61):
        run_decode(data[:end])


@settings(deadline=None)
@given(st.data())
def test_damaged_captures_print(data: st.DataObject) -> None:
    """Changed or missing bytes never break a line, and the rest is printed."""
    damaged = bytearray(data.draw(st.sampled_from([PCAPNG, PCAP[:6000], PCAP[9000:]])))
    if data.draw(st.booleans()):
        damaged[:0] = PCAP[:24]
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=8)):
        damaged[place] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(0, len(damaged))) :]
    run_decode(bytes(damaged))


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda body: PCAP[:24] + body))
def test_any_bytes_print(data: bytes) -> None:
    run_decode(data)


def run_decode(data: bytes) -> None:
    """Decode in both forms: the exit status is the same, and 1 exactly if an error is printed."""
    statuses = []
    for is_json in (False, True):
        with redirect_stdout(io.StringIO()) as out, pytest.MonkeyPatch.context() as patch:
            patch.setattr(decode, "_open", lambda _: io.BytesIO(data))
            arguments = Namespace(file="", json=is_json, protocol=0, raw=False)
            statuses.append(decode.run(arguments))
    is_bad = any("error" in item for item in as_json(out.getvalue()))
    assert statuses == [int(is_bad)] * 2


def command(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "netlink", "decode", *arguments],
        cwd=Path(netlink.__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def test_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "no/such/file"]) == 1
    told = "netlink: cannot read no/such/file: No such file or directory (ENOENT)\n"
    assert capsys.readouterr() == ("", told)


def test_standard_input() -> None:
    with command("-", stdin=subprocess.PIPE) as child:
        out, err = child.communicate(LINK.hex().encode(), timeout=60)
    assert (child.returncode, err) == (0, b"")
    assert b"ifname  eth0" in out


def test_a_reader_that_goes_away() -> None:
    with command("-", stdin=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        child.stdin.write(pcap(cooked(LINK)))
        child.stdin.flush()
        assert child.stdout.readline().startswith(b"packet 1 ")  # while the input goes on
        child.stdout.close()
        child.stdin.write(pcap(cooked(LINK))[24:])
        child.stdin.close()
        assert (child.wait(60), child.stderr.read()) == (0, b"")


def test_ctrl_c() -> None:
    with command("-", stdin=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        child.stdin.write(pcap(cooked(LINK)))
        child.stdin.flush()
        assert child.stdout.readline().startswith(b"packet 1 ")
        child.send_signal(signal.SIGINT)
        assert (child.wait(60), child.stderr.read()) == (130, b"")
