"""Traced datagrams as text: their headers, messages and answers.

A connection with `trace=` passes each datagram to a callable as a Traced. With NETLINK_TRACE=1 in
the environment, the text of each datagram is written to standard error. A Traced must not decode
anything before somebody reads it, and data that cannot be decoded is shown in hexadecimal. This
file exists so that tracing and `netlink decode` print the same text.

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
ERRNO_SIZE = 4  # the first member of struct nlmsgerr
MSG_TRUNC = 0x20  # linux/socket.h
ROW = 16  # bytes in one line of a hex dump
INDENT = "    "
EPOCH = datetime(1970, 1, 1)
REMEMBERED = 1 << 14  # requests that are kept to name attributes in their answers

# The meaning of the higher bits of nlmsg_flags depends on the message (linux/netlink.h). This maps
# a part of the message's name to the names of the bits, without NLM_F_.
COMMON_FLAGS = [flag.name for flag in NLM_F if flag.name and flag < NLM_F.NLM_F_ROOT]
SPECIAL_FLAGS = {
    "_GET": "DUMP ROOT MATCH ATOMIC",
    "_NEW": "REPLACE EXCL CREATE APPEND",
    "_DEL": "NONREC BULK",
    "NLMSG_": "CAPPED ACK_TLVS",
}

Direction = Literal["send", "receive"]
Head = dict[str, Any]  # the header of a message, with the keys of the JSON output


class Answer(NamedTuple):
    """The content of an NLMSG_ERROR or NLMSG_DONE. str() returns all of it as text.

    `raw` is the message itself. `request` is the request that it answers, as far as it is known.
    The name of that request is the name of its message type, or empty. `error` is the kernel's
    error, or None if the kernel executed the request. `warning` is the kernel's warning in that
    case, or None.
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


# A decoded message. A DecodeError says why a message cannot be decoded.
Item = Message | RawMessage | Answer | DecodeError


class Traced:
    """One datagram that was sent to the kernel or received from it. str() is a block of lines.

    `direction` is "send" or "receive". `data` is the datagram: one or more whole messages.
    `own_port` is the port of the connection and `port` the port of the other end (0: the kernel).
    `group` is the multicast group of the datagram (0: it was sent to this socket alone), and
    `group_name` its name, if it is known. `nsid` is the ID of the network namespace it comes from
    (-1: our own, or unknown). `flags` are the flags of recvmsg(2). `time` is in ns since 1970.

    A Traced with an `error` reports a failure and has empty `data`. In a receive, `error` is
    OSError (ENOBUFS): the kernel dropped messages. In a send, it is the error of the system call
    for the datagram that was shown just before.
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
        """The name of the group as join() accepts it, such as "ipv4-route", or None."""
        return self._decoder.group_name(self.group)

    def messages(self) -> Iterator[Item]:
        """Yield the messages and decode each when it is read. This never raises.

        A message of a declared type is an instance of its class, and any other a RawMessage. An
        NLMSG_ERROR or NLMSG_DONE is an Answer. A message that cannot be decoded is a DecodeError.
        Generic families are recognised by the IDs that the connection knows at that time.
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
            return f"{len(self.data)} bytes{', truncated' if self.flags & MSG_TRUNC else ''}"
        if self._is_sent:
            return f"not sent: {self.error}"
        return str(Overrun())


def to_stderr(seen: Traced) -> None:
    """Write the time in UTC and the text of a datagram, in one write so that threads do not mix."""
    if sys.stderr is not None:
        sys.stderr.write(f"{clock(seen.time)} {seen}\n")


class Decoder:
    """Decodes datagrams of some families.

    `dispatch`, `ids` and `groups` may be tables of a connection that learns the IDs of generic
    families. They are read again for each datagram. `groups` maps the name of a family, then the
    name of a group, to the number of the group.

    A capped error reply contains only the header of the request. The decoder remembers recent
    requests, so it can still name the attribute.
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
        """Return a Traced that this decoder decodes."""
        return Traced(direction, data, self, **details)

    def remember(self, data: bytes) -> None:
        """Store the requests in a datagram, so that their answers can name attributes."""
        if self._dispatch.framing == "text":
            return
        for raw in iter_messages(data):
            self._sent[raw.seq] = data, raw
        while len(self._sent) > REMEMBERED:
            del self._sent[next(iter(self._sent))]

    def messages(
        self, data: bytes, *, is_sent: bool = False
    ) -> Iterator[tuple[RawMessage | None, Item]]:
        """Yield the header of each message and the decoded message.

        If the rest of the data is not framed correctly, the last header is None.
        """
        if self._dispatch.framing in ("text", "connector"):
            stream = Messages(data, self._dispatch)
            while stream.left:
                try:
                    item = cast(Item, next(stream))
                except DecodeError as error:
                    item = error
                yield item if isinstance(item, RawMessage) else None, item
            return
        if self._dispatch.framing == "audit" and not is_sent and len(data) >= NLMSG_HDRLEN:
            data = struct.pack("=I", len(data)) + data[4:]  # nlmsg_len may be too short
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
        """Return the content of an NLMSG_ERROR or NLMSG_DONE in `data`.

        Raises DecodeError if it does not even contain an errno.
        """
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
        """Return the name of a multicast group, such as "link" or "nlctrl.notify", or None."""
        for family, groups in [*self._groups.items()]:
            for name, known in [*groups.items()]:
                if known == number:
                    return name if self._ids is None else f"{family}.{name}"
        return None

    # --- internal ---
    #
    # The methods copy a connection's tables, because these may grow while another thread reads.

    def _family(self, number: int) -> Family | None:
        """Return the generic family with an ID, or None."""
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
        """Return the request of an answer: the stored request, or the copy in the answer."""
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
            return self._named("", Message(), 0)  # an NLMSG_DONE contains no request
        meaning = self._dispatch.find(kind, request=True)
        cls: type[Message] = Message  # the command of a generic family is not in the header
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
        with suppress(DecodeError):  # the answer is still useful without the attribute
            message = cls.from_bytes(b"" if is_capped else quoted[NLMSG_HDRLEN:length])
        return self._named(name, message, kind)

    def _named(self, name: str, message: Message, kind: int) -> Request[Any, Any]:
        op = Op(name, 0, Message)
        op.family = self._family(kind)  # determines the size of the headers before the message
        return Request(op, message)


# --- text -----------------------------------------------------------------------------------------


def head_of(message: Message | RawMessage) -> Head:
    """Return the header: the type and the flags by name, the sequence number and the port."""
    if isinstance(message, Message):
        name = message.nlmsg_name or str(message.nlmsg_type)
        flags, seq, pid = message.nlmsg_flags or 0, message.nlmsg_seq, message.nlmsg_pid
    else:
        name = name_of(NLMSG, message.type)
        flags, seq, pid = message.flags, message.seq, message.pid
    return {"event": name, "flags": _flags(flags, name), "seq": seq, "pid": pid}


def line_of(head: Head) -> str:
    """Return a header as one line. Plain numbers are labelled."""
    words = []
    for key, value in head.items():
        if isinstance(value, list):
            words.append("|".join(hex(flag) if isinstance(flag, int) else flag for flag in value))
        elif value is not None:
            label = "type" if key == "event" else key
            words.append(f"{label} {value}" if str(value).isdecimal() else value)
    return " ".join(filter(None, words))


def body_of(message: Message | RawMessage | Answer) -> list[str]:
    """Return the lines below the header. Raises DecodeError if a value cannot be decoded."""
    match message:
        case Message():
            message.to_dict()  # raises DecodeError where pretty() shows bytes
            return message.pretty().split("\n")[1:]
        case Answer():
            return [f"{INDENT}{message}"]
    return [*hexdump(message.payload)]


def hexdump(payload: bytes | memoryview) -> Iterator[str]:
    """Yield the lines of a hex dump, each with its offset."""
    for start in range(0, len(payload), ROW):
        yield f"{INDENT}{start:04x}  {payload[start : start + ROW].hex(' ')}"


def name_of(enum: type[NETLINK] | type[NLMSG], number: int) -> str:
    """Return the name of a number, or the number as text if it has none."""
    return next((member.name for member in enum if member == number), str(number))


def clock(ns: int) -> str:
    """Return a time in UTC as ISO 8601. A time after the year 9999 is in seconds since 1970."""
    seconds, rest = divmod(ns, 10**9)
    try:
        return f"{(EPOCH + timedelta(seconds=seconds)).isoformat()}.{rest:09}Z"
    except OverflowError:
        return f"{seconds}.{rest:09}"


def _shown(data: bytes, raw: RawMessage | None, item: Item) -> list[str]:
    """Return any message as lines."""
    if raw is None and isinstance(item, DecodeError):  # the framing is broken from here on
        return [str(item), *hexdump(data[item.offset :])]
    title = line_of(head_of(item if isinstance(item, Message) else cast(RawMessage, raw)))
    try:
        if isinstance(item, DecodeError):
            raise item
        return [title, *body_of(item)]
    except DecodeError as error:  # of the message, or of a value in it
        # The header of text and connector messages is not a RawMessage.
        payload = bytes(cast(Message, item)) if raw is None else raw.payload
        return [f"{title}: {error}", *hexdump(payload)]


def _flags(flags: int, name: str) -> list[str | int]:
    """Return the names of the set bits. Bits without a name follow as one int."""
    special = next((words for part, words in SPECIAL_FLAGS.items() if part in name), "")
    names: list[str | int] = []
    for flag in [*COMMON_FLAGS, *(f"NLM_F_{word}" for word in special.split())]:
        bits = int(NLM_F[flag])
        if flags & bits == bits:
            names.append(flag)
            flags &= ~bits
    return [*names, flags] if flags else names
