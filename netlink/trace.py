"""What passes a socket, in words: datagrams, their messages, and what answers say.

A connection with `trace=` hands each datagram to a callable, as a Traced; with NETLINK_TRACE=1 in
the environment the text of each goes to standard error. `Traced` decodes nothing before it is
asked, and what cannot be decoded is shown in hex. Every word here serves `netlink decode` too.

    with Connection(ROUTE, trace=print) as nl:
        nl.do(link.set(index=2, mtu=70000))

    port 4711 -> kernel, 40 bytes
        RTM_NEWLINK NLM_F_REQUEST|NLM_F_ACK seq 1 pid 0
            family  AF_UNSPEC
            type    ARPHRD_NETROM
            index   2
            flags   0
            change  0
            mtu     70000
    port 4711 <- kernel, 84 bytes
        NLMSG_ERROR NLM_F_CAPPED|NLM_F_ACK_TLVS seq 1 pid 4711
            RTM_NEWLINK: mtu: greater than the device's maximum (EINVAL)
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, cast

from netlink._core import INDEX_FORMAT, Meaning, Messages, RawMessage, iter_messages, runs
from netlink.constants import NETLINK, NLM_F, NLMSG
from netlink.errors import DecodeError, KernelError, Overrun
from netlink.extack import status
from netlink.family import Dispatch, Family, Op, Request, dispatch_of
from netlink.schema import Message

__all__ = [
    "Answer", "Decoder", "Direction", "Head", "Item", "Traced", "body_of", "clock", "head_of",
    "hexdump", "line_of", "name_of", "to_stderr",
]  # fmt: skip

NLMSG_HDRLEN = 16
ERRNO_SIZE = 4  # of what a struct nlmsgerr begins with
MSG_TRUNC = 0x20  # linux/socket.h
ROW = 16  # bytes of hex in a line
INDENT = "    "
EPOCH = datetime(1970, 1, 1)
REMEMBERED = 1 << 14  # requests whose answers can name attributes

# The higher bits of nlmsg_flags mean what the kind of the message says (linux/netlink.h): the
# names, without NLM_F_, by a part of the message's name.
COMMON_FLAGS = [flag.name for flag in NLM_F if flag.name and flag < NLM_F.NLM_F_ROOT]
SPECIAL_FLAGS = {
    "_GET": "DUMP ROOT MATCH ATOMIC",
    "_NEW": "REPLACE EXCL CREATE APPEND",
    "_DEL": "NONREC BULK",
    "NLMSG_": "CAPPED ACK_TLVS",
}

Direction = Literal["send", "receive"]
Head = dict[str, Any]  # what stands before a message, by JSON's names


class Answer(NamedTuple):
    """What an NLMSG_ERROR or NLMSG_DONE says; str() is all of it, for people.

    `raw` is the message itself. `request` is what it answers, as far as that is known: its name is
    that of the message type, or empty. `error` is the kernel's no, None where it has carried the
    request out; `warning` is what it had to say then.
    """

    raw: RawMessage
    request: Request[Any, Any]
    error: KernelError | None
    warning: str | None

    def __str__(self) -> str:
        if self.error is not None:
            return str(self.error)
        if self.raw.type == NLMSG.NLMSG_DONE:
            text = "end of the dump"
        else:
            text = f"{self.request.name} acknowledged".strip()
        return f"{text}, with a warning: {self.warning}" if self.warning else text


# What a message is seen as: the DecodeError says why it cannot be seen.
Item = Message | RawMessage | Answer | DecodeError


class Traced:
    """One datagram, as it is handed to the kernel or came from it; str() is a block of lines.

    `direction` is "send" or "receive", `data` the bytes: whole messages, as many as go together.
    `own_port` is the connection's, `port` that of the other end (0: the kernel), `group` the
    multicast group that it was sent to (0: to this socket alone) and `group_name` its name, where
    that is known. `nsid` is the network namespace that it is from (-1: our own, or not told),
    `flags` are those of recvmsg(2), and `time` is in ns since 1970.

    Where `error` is not None there was no datagram, and `data` is empty: of a receive it is the
    ENOBUFS that says that the kernel dropped messages, of a send what the system call said of one
    that was shown before.
    """

    __slots__ = (
        "_decoder", "data", "direction", "error", "flags", "group", "nsid", "own_port", "port",
        "time",
    )  # fmt: skip

    def __init__(
        self,
        direction: Direction,
        data: bytes,
        decoder: Decoder,
        *,
        own_port: int,
        port: int = 0,
        group: int = 0,
        nsid: int = -1,
        flags: int = 0,
        error: OSError | None = None,
    ) -> None:
        self.direction = direction
        self.data = data
        self.own_port = own_port
        self.port = port
        self.group = group
        self.nsid = nsid
        self.flags = flags
        self.error = error
        self.time = time.time_ns()
        self._decoder = decoder

    @property
    def group_name(self) -> str | None:
        """The name of the group as join() takes it: "ipv4-route"."""
        return self._decoder.group_name(self.group)

    def messages(self) -> Iterator[Item]:
        """The messages, decoded as they are asked for; this never raises.

        Those of a declared type are typed, the others a RawMessage. An NLMSG_ERROR or NLMSG_DONE is
        an Answer, and what cannot be decoded the DecodeError. The numbers of generic families are
        those that the connection knows at that time.
        """
        return (item for _, item in self._decoder.messages(self.data, is_sent=self._is_sent))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        return f"<Traced {self._title()}>"

    @property
    def _is_sent(self) -> bool:
        return self.direction == "send"

    def _lines(self) -> Iterator[str]:
        yield self._title()
        for raw, item in self._decoder.messages(self.data, is_sent=self._is_sent):
            yield from (INDENT + text for text in _shown(self.data, raw, item))

    def _title(self) -> str:
        words = [f"port {self.own_port} {'->' if self._is_sent else '<-'} "]
        words[0] += f"port {self.port}" if self.port else "kernel"
        if self.group:
            words.append(" ".join(filter(None, (f"group {self.group}", self.group_name))))
        if self.nsid != -1:
            words.append(f"nsid {self.nsid}")
        words.append(self._outcome())
        return ", ".join(words)

    def _outcome(self) -> str:
        if self.error is None:
            return f"{len(self.data)} bytes{', cut' if self.flags & MSG_TRUNC else ''}"
        if self._is_sent:
            return f"not sent: {self.error}"
        return str(Overrun())


def to_stderr(seen: Traced) -> None:
    """Write the time in UTC and the text of a datagram, in one write that no other thread cuts."""
    if sys.stderr is not None:
        sys.stderr.write(f"{clock(seen.time)} {seen}\n")


class Decoder:
    """What datagrams are decoded by: families, and of generic ones the numbers known by now.

    `dispatch`, `ids` and `groups` may be the tables of a connection that learns such numbers; they
    are consulted again for each datagram. `groups` are numbers by the name of the family, then by
    that of the group.

    It remembers the last requests, as the kernel's no quotes of them no more than the header.
    """

    def __init__(
        self,
        families: Iterable[Family],
        *,
        dispatch: Dispatch | None = None,
        ids: Mapping[Family, int] | None = None,
        groups: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        families = tuple(families)
        self._dispatch = dispatch_of(families) if dispatch is None else dispatch
        self._ids = ids
        self._groups = {f.name: f.groups for f in families} if groups is None else groups
        self._sent: dict[int, tuple[bytes, RawMessage]] = {}  # by seq

    def traced(self, direction: Direction, data: bytes, **details: Any) -> Traced:
        """A datagram that this decodes."""
        return Traced(direction, data, self, **details)

    def remember(self, data: bytes) -> None:
        """Keep requests, so that the answers can name attributes."""
        if self._dispatch.framing == "text":
            return
        for raw in iter_messages(data):
            self._sent[raw.seq] = data, raw
        while len(self._sent) > REMEMBERED:
            del self._sent[next(iter(self._sent))]

    def messages(
        self, data: bytes, *, is_sent: bool = False
    ) -> Iterator[tuple[RawMessage | None, Item]]:
        """Each message's header, and what it is seen as; None where the framing ends."""
        if self._dispatch.framing in ("text", "connector"):
            for item in Messages(data, self._dispatch):
                yield item if isinstance(item, RawMessage) else None, item
            return
        if self._dispatch.framing == "audit" and not is_sent and len(data) >= NLMSG_HDRLEN:
            data = struct.pack("=I", len(data)) + data[4:]  # a datagram is one message
        raws = iter_messages(data)
        while True:
            try:
                raw = next(raws)
            except StopIteration:
                return
            except DecodeError as error:
                yield None, error
                return
            yield raw, self._item(data, raw)

    def answer(self, data: bytes, answer: RawMessage) -> Answer:
        """What an NLMSG_ERROR or NLMSG_DONE in `data` says. Raises DecodeError where it does not
        even hold an errno."""
        index = struct.pack(
            INDEX_FORMAT, answer.offset, NLMSG_HDRLEN + len(answer.payload), 0, 0, -1, 0
        )
        (only,) = runs(data, index)
        request = self._request(answer)
        error, warning = status(only, request)
        if error is not None and not isinstance(error, KernelError):
            raise error
        return Answer(answer, request, error, warning)

    def group_name(self, number: int) -> str | None:
        """The name of a multicast group; that of a generic family stands before it."""
        for family, groups in [*self._groups.items()]:
            for name, known in [*groups.items()]:
                if known == number:
                    return name if self._ids is None else f"{family}.{name}"
        return None

    # --- inside ---
    #
    # A connection's tables may grow while another thread looks: hence the copies.

    def _family(self, number: int) -> Family | None:
        """The generic family that has a number."""
        known = [*self._ids.items()] if self._ids is not None else ()
        return next((family for family, its in known if its == number), None)

    def _item(self, data: bytes, raw: RawMessage) -> Item:
        end = raw.offset + NLMSG_HDRLEN + len(raw.payload)
        try:
            if raw.type in (NLMSG.NLMSG_ERROR, NLMSG.NLMSG_DONE):
                return self.answer(data, raw)
            return cast(Item, next(Messages(data, self._dispatch, raw.offset, end)))
        except DecodeError as error:
            return error

    def _request(self, answer: RawMessage) -> Request[Any, Any]:
        """The request that an answer is to: the one that we remember, or what it quotes."""
        quoted = b""
        kind = None
        if answer.type == NLMSG.NLMSG_ERROR:
            quoted = bytes(answer.payload[ERRNO_SIZE:])
            if len(quoted) >= NLMSG_HDRLEN:
                (kind,) = struct.unpack_from("=H", quoted, 4)
        data, sent = self._sent.get(answer.seq, (b"", None))
        if sent is not None and kind in (sent.type, None):
            message = self._item(data, sent)
            if isinstance(message, Message):
                return self._named(message.nlmsg_name or "", message, sent.type)
        if kind is None:
            return self._named("", Message(), 0)  # an NLMSG_DONE quotes none
        meaning = self._dispatch.find(kind, request=True)
        cls: type[Message] = Message  # a generic family's command is not in the header
        name = f"type {kind}"
        if isinstance(meaning, Meaning):
            name = meaning.name
            if isinstance(meaning.message, type):
                cls = meaning.message
        family = self._family(kind)
        if family is not None:
            name = family.name
        message = Message()
        (length,) = struct.unpack_from("=I", quoted)
        is_capped = answer.flags & NLM_F.NLM_F_CAPPED
        with suppress(DecodeError):  # then the answer names no attribute, but says the rest
            message = cls.from_bytes(b"" if is_capped else quoted[NLMSG_HDRLEN:length])
        return self._named(name, message, kind)

    def _named(self, name: str, message: Message, kind: int) -> Request[Any, Any]:
        op = Op(name, 0, Message)
        op.family = self._family(kind)  # which says how many headers stand before the message
        return Request(op, message)


# --- words ----------------------------------------------------------------------------------------


def head_of(message: Message | RawMessage) -> Head:
    """The header: the name of the type, where it has one, flags by name, and who is meant."""
    if isinstance(message, Message):
        name = message.nlmsg_name or str(message.nlmsg_type)
        flags, seq, pid = message.nlmsg_flags or 0, message.nlmsg_seq, message.nlmsg_pid
    else:
        name = name_of(NLMSG, message.type)
        flags, seq, pid = message.flags, message.seq, message.pid
    return {"event": name, "flags": _flags(flags, name), "seq": seq, "pid": pid}


def line_of(head: Head) -> str:
    """The words of the header; numbers say what they are."""
    words = []
    for key, value in head.items():
        if isinstance(value, list):
            words.append("|".join(hex(flag) if isinstance(flag, int) else flag for flag in value))
        elif value is not None:
            label = "type" if key == "event" else key
            words.append(f"{label} {value}" if str(value).isdecimal() else value)
    return " ".join(filter(None, words))


def body_of(message: Message | RawMessage | Answer) -> list[str]:
    """The lines below the header. A value that cannot be decoded raises its DecodeError."""
    match message:
        case Message():
            return message.pretty().split("\n")[1:]
        case Answer():
            return [f"{INDENT}{message}"]
    return [*hexdump(message.payload)]


def hexdump(payload: bytes | memoryview) -> Iterator[str]:
    """Bytes, some in a line, each line with its offset."""
    for start in range(0, len(payload), ROW):
        yield f"{INDENT}{start:04x}  {payload[start : start + ROW].hex(' ')}"


def name_of(enum: type[NETLINK] | type[NLMSG], number: int) -> str:
    """A number by its name, where it has one."""
    return next((member.name for member in enum if member == number), str(number))


def clock(ns: int) -> str:
    """UTC as ISO 8601 writes it; seconds since 1970 where its years do not reach."""
    seconds, rest = divmod(ns, 10**9)
    try:
        return f"{(EPOCH + timedelta(seconds=seconds)).isoformat()}.{rest:09}Z"
    except OverflowError:
        return f"{seconds}.{rest:09}"


def _shown(data: bytes, raw: RawMessage | None, item: Item) -> list[str]:
    """A message as lines, whatever it is."""
    if isinstance(item, Message) and raw is None:  # of another framing
        return [line_of(head_of(item)), *body_of(item)]
    if raw is None:  # no more messages can be told apart
        fault = cast(DecodeError, item)
        return [str(fault), *hexdump(data[fault.offset :])]
    title = line_of(head_of(item if isinstance(item, Message) else raw))
    try:
        if isinstance(item, DecodeError):
            raise item
        return [title, *body_of(item)]
    except DecodeError as error:  # of a value too: the message itself is whole
        return [f"{title}: {error}", *hexdump(raw.payload)]


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
