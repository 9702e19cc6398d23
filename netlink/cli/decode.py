"""`netlink decode`: print the messages in a capture, a hex dump or a file, as text or as JSON.

This file must not drop any input. It prints a message without a declared type as its header and hex
bytes, and a message that it cannot decode as a line with the reason. Only such a line makes the
exit status 1. It must not open a socket, so that it works on any machine.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import Any, BinaryIO, TypeVar

from netlink import DecodeError, Family, Message, RawMessage
from netlink.capture import Packet, packets
from netlink.cli import Failure, explain
from netlink.cli.screen import open_output
from netlink.constants import NETLINK, NLMSG
from netlink.registry import speaking
from netlink.trace import Answer, Decoder, Head, body_of, clock, head_of, hexdump, line_of, name_of

__all__ = ["run"]

GENL_ID_CTRL, CTRL_CMD_NEWFAMILY, CTRL_CMD_DELFAMILY = 16, 1, 2  # linux/genetlink.h

T = TypeVar("T")


def run(args: Namespace) -> int:
    """Print all messages in order, the output of each packet as soon as it is read."""
    show = Json() if args.json else Text()
    known = Known()
    with _open(args.file) as file:
        found = _raw(file, args.protocol) if args.raw else packets(file, args.protocol)
        for packet in _with_faults(found):
            if isinstance(packet, DecodeError):
                show.fault({}, packet)
            else:
                _show_packet(show, packet, known)
            sys.stdout.flush()
    return 1 if show.faults else 0


def _open(name: str) -> BinaryIO:
    try:
        return open(0, "rb", closefd=False) if name == "-" else open(name, "rb")
    except OSError as error:
        raise Failure(f"cannot read {name}: {explain(error)}") from None


def _raw(file: BinaryIO, protocol: int) -> Iterator[Packet]:
    yield Packet(file.read(), protocol)


def _with_faults(stream: Iterator[T]) -> Iterator[T | DecodeError]:
    """Yield the items of a stream, and the errors that occur between them."""
    while True:
        try:
            yield from stream
            return
        except DecodeError as error:
            yield error


def _show_packet(show: Json, packet: Packet, known: Known) -> None:
    head: Head = {
        "packet": packet.number,
        "time": None if packet.time is None else clock(packet.time),
        "protocol": name_of(NETLINK, packet.protocol),
    }
    for message in _with_faults(packet.messages(*known.families(packet.protocol))):
        if isinstance(message, DecodeError):
            show.fault(head, message)
            continue
        full_head = head | head_of(message)
        try:
            if isinstance(message, Message):
                show.message(full_head, message)
                known.learn(packet.protocol, message)
            elif message.type in (NLMSG.NLMSG_ERROR, NLMSG.NLMSG_DONE):
                show.answer(full_head, known.decoder(packet.protocol).answer(packet.data, message))
            else:
                show.raw(full_head, message)
        except DecodeError as error:  # in a value: the framing of the message is correct
            payload = bytes(message) if isinstance(message, Message) else message.payload
            show.fault(full_head, error, payload)


class Known:
    """The families that decode the packets of each protocol, imported with the first such packet.

    The kernel assigns the numbers of generic families at run time. nlctrl announces them, so a
    generic family is decoded once the input has shown such a message.
    """

    def __init__(self) -> None:
        self._by_protocol: dict[int, list[Family]] = {}
        self._decoders: dict[int, Decoder] = {}

    def families(self, protocol: int) -> list[Family]:
        """Return the families of a protocol with known message types."""
        if protocol not in self._by_protocol:
            loaded = [entry.load() for entry in speaking(protocol)]
            self._by_protocol[protocol] = [
                family for family in loaded if not family.is_generic or family.id is not None
            ]
        return self._by_protocol[protocol]

    def decoder(self, protocol: int) -> Decoder:
        """Return the decoder for replies of a protocol."""
        if protocol not in self._decoders:
            families = self.families(protocol)
            ids = {family: family.id for family in families if family.id is not None}
            self._decoders[protocol] = Decoder(families, ids=ids)
        return self._decoders[protocol]

    def learn(self, protocol: int, message: Message) -> None:
        """Store the number of a generic family from a message of nlctrl."""
        if protocol != NETLINK.NETLINK_GENERIC or message.nlmsg_type != GENL_ID_CTRL:
            return
        fields: Any = message
        number, name = fields.family_id, fields.family_name
        if number in (None, GENL_ID_CTRL):
            return
        kept = [f for f in self.families(protocol) if f.id != number and f.name != name]
        if message.genl_cmd == CTRL_CMD_NEWFAMILY:
            entries = [entry for entry in speaking(protocol) if entry.kernel_name == name]
            # Events of mptcp_pm look like its answers: a capture does not show which they are.
            kept += [entry.load().at(number) for entry in entries[:1]]
        elif message.genl_cmd != CTRL_CMD_DELFAMILY:
            return
        self._by_protocol[protocol] = kept
        self._decoders.pop(protocol, None)


# --- output ---------------------------------------------------------------------------------------


class Json:
    """Print one JSON object per line. `faults` counts the messages that cannot be decoded."""

    def __init__(self) -> None:
        self.faults = 0

    def message(self, head: Head, message: Message) -> None:
        """Print a message of a declared type."""
        self._print(head, fields=message.to_json())

    def answer(self, head: Head, answer: Answer) -> None:
        """Print an ACK, an error or the end of a dump. "text" is a readable form of all of it."""
        fields: Head = {"text": str(answer), "errno": 0, "message": answer.warning}
        if (error := answer.error) is not None:
            details = ("errno", "message", "path", "missing", "offset")
            fields |= {name: getattr(error, name) for name in details}
        fields["request"] = answer.request.name or None
        self._print(head, fields={k: v for k, v in fields.items() if v is not None})

    def raw(self, head: Head, message: RawMessage) -> None:
        """Print a message without a declared type."""
        self._print(head, payload=message.payload.hex())

    def fault(self, head: Head, error: DecodeError, payload: bytes | memoryview = b"") -> None:
        """Print why a message cannot be decoded, and its payload if it is known."""
        self.faults += 1
        self._print(head, error=str(error), **({"payload": payload.hex()} if payload else {}))

    def _print(self, head: Head, **rest: object) -> None:
        print(json.dumps(head | rest))


class Text(Json):
    """Print each message as one line, followed by one line for each field."""

    def __init__(self) -> None:
        super().__init__()
        self._out = open_output()

    def message(self, head: Head, message: Message) -> None:
        """See Json."""
        self._lines(line_of(head), *body_of(message))

    def answer(self, head: Head, answer: Answer) -> None:
        """See Json."""
        self._lines(line_of(head), *body_of(answer))

    def raw(self, head: Head, message: RawMessage) -> None:
        """See Json."""
        self._lines(line_of(head), *body_of(message))

    def fault(self, head: Head, error: DecodeError, payload: bytes | memoryview = b"") -> None:
        """See Json."""
        self.faults += 1
        self._lines(f"{line_of(head)}: {error}" if head else str(error), *hexdump(payload))

    def _lines(self, *lines: str) -> None:
        for line in lines:
            self._out.line(line)
