"""`netlink decode`: what a capture, a hex dump or a file of messages holds, as text or as JSON.

All of the input comes out: what has no declared type by its header and in hex, and what cannot be
decoded as a line that says why. Only such a line makes the exit status 1.
"""

from __future__ import annotations

import json
import struct
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from typing import Any, BinaryIO, TypeVar

from netlink import DecodeError, Family, KernelError, Message, Op, RawMessage, Request
from netlink._core import runs
from netlink.capture import Packet, packets
from netlink.cli import explain
from netlink.cli.output import open_output
from netlink.constants import NETLINK, NLM_F, NLMSG
from netlink.extack import status

__all__ = ["run"]

# Who decodes a protocol: the module whose FAMILY speaks it, imported with the first such packet.
# Generic Netlink is none of them: its message types are given out at run time.
MODULES: dict[int, str] = {NETLINK.NETLINK_ROUTE: "netlink.route"}

NLMSG_HDRLEN = 16
ERRNO_SIZE = 4  # of what a struct nlmsgerr begins with
ROW = 16  # bytes of hex in a line
INDENT = "    "
EPOCH = datetime(1970, 1, 1)

# The higher bits of nlmsg_flags mean what the kind of the message says (linux/netlink.h): the
# names, without NLM_F_, by a part of the message's name.
COMMON_FLAGS = [flag.name for flag in NLM_F if flag.name and flag < NLM_F.NLM_F_ROOT]
SPECIAL_FLAGS = {
    "_GET": "DUMP ROOT MATCH ATOMIC",
    "_NEW": "REPLACE EXCL CREATE APPEND",
    "_DEL": "NONREC BULK",
    "NLMSG_": "CAPPED ACK_TLVS",
}

T = TypeVar("T")
Head = dict[str, Any]  # what stands before each message, by JSON's names


def run(args: Namespace) -> int:
    """Print all messages in order, the output of each packet as soon as it is read."""
    show = Json() if args.json else Text()
    with _open(args.file) as file:
        found = _raw(file, args.protocol) if args.raw else packets(file, args.protocol)
        for packet in _with_faults(found):
            if isinstance(packet, DecodeError):
                show.fault({}, packet)
            else:
                _show_packet(show, packet)
            sys.stdout.flush()
    return 1 if show.faults else 0


def _open(name: str) -> BinaryIO:
    try:
        return open(0, "rb", closefd=False) if name == "-" else open(name, "rb")
    except OSError as error:
        raise SystemExit(f"netlink: cannot read {name}: {explain(error)}") from None


def _raw(file: BinaryIO, protocol: int) -> Iterator[Packet]:
    yield Packet(file.read(), protocol)


def _with_faults(stream: Iterator[T]) -> Iterator[T | DecodeError]:
    """The items of a stream, with the errors that stand between them."""
    while True:
        try:
            yield from stream
            return
        except DecodeError as error:
            yield error


def _show_packet(show: Json, packet: Packet) -> None:
    head: Head = {
        "packet": packet.number,
        "time": _time(packet.time),
        "protocol": _name(NETLINK, packet.protocol),
    }
    families = _families(packet.protocol)
    for message in _with_faults(packet.messages(*families)):
        if isinstance(message, DecodeError):
            show.fault(head, message)
            continue
        full_head = head | _head(message)
        try:
            if isinstance(message, Message):
                show.message(full_head, message)
            elif message.type in (NLMSG.NLMSG_ERROR, NLMSG.NLMSG_DONE):
                show.answer(full_head, _answer(packet, message, families))
            else:
                show.raw(full_head, message.payload)
        except DecodeError as error:  # of a value: the message itself is whole
            payload = bytes(message) if isinstance(message, Message) else message.payload
            show.fault(full_head, error, payload)


@cache
def _families(protocol: int) -> tuple[Family, ...]:
    return (import_module(MODULES[protocol]).FAMILY,) if protocol in MODULES else ()


# --- words ----------------------------------------------------------------------------------------


def _head(message: Message | RawMessage) -> Head:
    """The header: the name of the type, where it has one, flags by name, and who is meant."""
    if isinstance(message, Message):
        name = message.nlmsg_name or str(message.nlmsg_type)
        flags, seq, pid = message.nlmsg_flags or 0, message.nlmsg_seq, message.nlmsg_pid
    else:
        name = _name(NLMSG, message.type)
        flags, seq, pid = message.flags, message.seq, message.pid
    return {"event": name, "flags": _flags(flags, name), "seq": seq, "pid": pid}


def _name(enum: type[NETLINK] | type[NLMSG], number: int) -> str:
    return next((member.name for member in enum if member == number), str(number))


def _flags(flags: int, name: str) -> list[str | int]:
    """The names of the bits that are set, and what has no name as one int."""
    special = next((words for part, words in SPECIAL_FLAGS.items() if part in name), "")
    names: list[str | int] = []
    for flag in [*COMMON_FLAGS, *(f"NLM_F_{word}" for word in special.split())]:
        bits = int(NLM_F[flag])
        if flags & bits == bits:
            names.append(flag)
            flags &= ~bits
    return [*names, flags] if flags else names


def _time(ns: int | None) -> str | None:
    """UTC as ISO 8601 writes it; seconds since 1970 where its years do not reach."""
    if ns is None:
        return None
    seconds, rest = divmod(ns, 10**9)
    try:
        return f"{(EPOCH + timedelta(seconds=seconds)).isoformat()}.{rest:09}Z"
    except OverflowError:
        return f"{seconds}.{rest:09}"


def _answer(packet: Packet, answer: RawMessage, families: tuple[Family, ...]) -> Head:
    """What an NLMSG_ERROR or NLMSG_DONE says: "text" is all of it, for people."""
    index = struct.pack("=4IiI", answer.offset, NLMSG_HDRLEN + len(answer.payload), 0, 0, -1, 0)
    (only,), _ = runs(packet.data, index)
    request = _request(answer, families)
    error, warning = status(only, request)
    if isinstance(error, KernelError):
        details = {key: getattr(error, key) for key in ("message", "path", "missing", "offset")}
        fields = {"text": str(error), "errno": error.errno, **details}
    elif error is not None:
        raise error
    else:
        text = f"{request.name} acknowledged" if request.name else "end of the dump"
        text += f", with a warning: {warning}" if warning else ""
        fields = {"text": text, "errno": 0, "message": warning}
    fields["request"] = request.name or None
    return {key: value for key, value in fields.items() if value is not None}


def _request(answer: RawMessage, families: tuple[Family, ...]) -> Request[Message]:
    """The request that an NLMSG_ERROR quotes, as far as it does; NLMSG_DONE quotes none."""
    name, message = "", Message()
    quoted = bytes(answer.payload[ERRNO_SIZE:])
    if answer.type == NLMSG.NLMSG_ERROR and len(quoted) >= NLMSG_HDRLEN:
        length, kind = struct.unpack_from("=IH", quoted)
        known = (f.requests.get(kind) or f.classes.get(kind) for f in families)
        cls = next(filter(None, known), Message)
        name = cls.__table__.types.get(kind, f"type {kind}")
        is_capped = answer.flags & NLM_F.NLM_F_CAPPED
        with suppress(DecodeError):  # then the answer names no attribute, but says the rest
            message = cls.from_bytes(b"" if is_capped else quoted[NLMSG_HDRLEN:length])
    return Request(Op(name, 0, Message), message)


# --- output ---------------------------------------------------------------------------------------


class Json:
    """One JSON object a line. `faults` counts what could not be decoded."""

    def __init__(self) -> None:
        self.faults = 0

    def message(self, head: Head, message: Message) -> None:
        """A message of a declared type."""
        self._print(head, fields=message.to_json())

    def answer(self, head: Head, fields: Head) -> None:
        """An acknowledgement, an error or the end of a dump."""
        self._print(head, fields=fields)

    def raw(self, head: Head, payload: bytes | memoryview) -> None:
        """What has no declared type."""
        self._print(head, payload=payload.hex())

    def fault(self, head: Head, error: DecodeError, payload: bytes | memoryview = b"") -> None:
        """What cannot be decoded; the payload where that much of it is known."""
        self.faults += 1
        self._print(head, error=str(error), **({"payload": payload.hex()} if payload else {}))

    def _print(self, head: Head, **rest: object) -> None:
        print(json.dumps(head | rest))


class Text(Json):
    """A line a message, with its fields in lines of their own below."""

    def __init__(self) -> None:
        super().__init__()
        self._out = open_output()

    def message(self, head: Head, message: Message) -> None:
        """See Json."""
        self._lines(_line(head), *message.pretty().split("\n")[1:])

    def answer(self, head: Head, fields: Head) -> None:
        """See Json."""
        self._lines(_line(head), INDENT + fields["text"])

    def raw(self, head: Head, payload: bytes | memoryview) -> None:
        """See Json."""
        self._lines(_line(head), *_hex(payload))

    def fault(self, head: Head, error: DecodeError, payload: bytes | memoryview = b"") -> None:
        """See Json."""
        self.faults += 1
        self._lines(f"{_line(head)}: {error}" if head else str(error), *_hex(payload))

    def _lines(self, *lines: str) -> None:
        for line in lines:
            self._out.line(line)


def _line(head: Head) -> str:
    """The words of the header; numbers say what they are."""
    words = []
    for key, value in head.items():
        if isinstance(value, list):
            words.append("|".join(hex(flag) if isinstance(flag, int) else flag for flag in value))
        elif value is not None:
            label = "type" if key == "event" else key
            words.append(f"{label} {value}" if str(value).isdecimal() else value)
    return " ".join(filter(None, words))


def _hex(payload: bytes | memoryview) -> Iterator[str]:
    for start in range(0, len(payload), ROW):
        yield f"{INDENT}{start:04x}  {payload[start : start + ROW].hex(' ')}"
