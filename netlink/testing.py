"""A scripted kernel: a plain function that answers requests instead of the kernel.

The function receives each request as a message, and returns or yields the messages of the answer.
An exception that it raises is raised for the caller. `Socket` connects it to a blocking or an
asyncio connection. A test then needs no privilege, no namespace and no waiting. This file must not
open real sockets:

    def kernel(request):
        if request.nlmsg_name == "RTM_GETLINK":
            yield Link(index=1, ifname="lo")
        else:
            raise KernelError(errno.EPERM, "not today")

    with Connection(ROUTE, socket=testing.Socket(kernel, ROUTE)) as nl:
        assert nl.do(link.get(index=1)).ifname == "lo"

| the function                      | the caller sees                                             |
|-----------------------------------|-------------------------------------------------------------|
| yields or returns a Message       | the message, with the type that it was received with, or    |
|                                   |   the lowest type that the family has for its class         |
| yields (type, Message or bytes)   | the message, with that type                                 |
| yields a Datagram                 | the effect of these bytes: they are delivered unchanged     |
| yields ACK                        | the ACK at this point, before the following messages        |
| yields a KernelWarning            | success, with this text                                     |
| ends                              | the ACK; or DONE for a dump and for an op with ends="done"  |
| raises KernelError or OSError     | KernelError; in a dump, after the messages yielded before   |
| raises DumpInterrupted            | a dump that is marked as interrupted                        |
| raises Overrun                    | a full receive buffer; the rest of the answer is lost       |
| raises TimeoutError               | nothing more: the answer never ends                         |

A dump is a stream: the function continues after the caller has received what it yielded.
"""

from __future__ import annotations

import errno
import os
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from weakref import ref

from netlink._core import (
    INDEX_FORMAT,
    Dispatch,
    Field,
    Messages,
    RawMessage,
    iter_messages,
    stamp,
)
from netlink.constants import NLM_F, NLMSG
from netlink.errors import DumpInterrupted, KernelError, KernelWarning, Overrun
from netlink.extack import ExtAck
from netlink.family import Family, dispatch_of
from netlink.generic.nlctrl import CTRL_CMD, GENL_ID_CTRL, Ctrl
from netlink.generic.nlctrl import FAMILY as NLCTRL
from netlink.schema import Message

__all__ = ["ACK", "Datagram", "Socket"]

NLMSG_HDRLEN = 16
GENL_HDRLEN = 4
CN_MSG = "=IIIIHH"  # struct cn_msg of linux/connector.h: id, seq, ack, len, flags
MSG_TRUNC = 0x20  # linux/socket.h
INDEX_SIZE = struct.calcsize(INDEX_FORMAT)
PORT = 1
FIRST_ID = 0x20  # of a generic family


class Datagram(NamedTuple):
    """Bytes that the socket receives unchanged.

    `port` is the port ID of the sender (0: the kernel). `group` is the multicast group of the
    datagram (0: unicast). `is_cut` means that the receive buffer was too small for the datagram.
    """

    data: bytes
    port: int = 0
    group: int = 0
    is_cut: bool = False


class _Ack:
    """A scripted kernel yields this to send the ACK before further messages."""

    def __repr__(self) -> str:
        return "ACK"


ACK: Final = _Ack()


class Socket:
    """A socket for the `socket` argument of a connection; the function `kernel` answers.

    `families` determine the classes of requests and the framing. One receive returns at most
    `datagrams` datagrams, and a datagram of a dump has about `part` bytes. `links` maps names of
    links to indexes. `requests` lists the received requests.

    The socket assigns the IDs of generic families and groups, and answers requests to nlctrl. The
    function receives requests to nlctrl only if that family is one of `families`.

    Time does not pass. If there is nothing to receive, a blocking call raises TimeoutError
    immediately, even without a timeout, and events() ends.
    """

    def __init__(
        self,
        kernel: Callable[[Any], Any],
        *families: Family,
        links: Mapping[str, int] | None = None,
        part: int = 8192,
        datagrams: int = 16,
    ) -> None:
        self.kernel = kernel
        self.families = families
        self.links = {"lo": 1} if links is None else dict(links)
        self.part = part
        self.datagrams = datagrams
        self.requests: list[Message | RawMessage] = []
        self.groups: set[int] = set()
        self.closed = False
        self.rcvbuf = 1 << 20
        self._generic = _Generic(families) if any(f.is_generic for f in families) else None
        numbered = self._generic.numbered if self._generic else families
        self._dispatch = dispatch_of(numbered)
        self._framing = self._dispatch.framing
        self._asking = self._dispatch  # finds the classes of requests
        if self._framing == "audit":  # one send may contain several of its messages
            self._asking = Dispatch()
            for family in numbered:
                self._asking.unite(family.dispatch)
        self._types: dict[Any, int] = {}
        if self._generic is None:
            self._types = _lowest(self._dispatch.table(request=True))
            self._types |= _lowest(self._dispatch.table(request=False))
        self._ending = {  # requests whose answer NLMSG_DONE ends
            (family.id or 0, int(op.type))
            for family in numbered
            for op in family.ops.values()
            if op.ends == "done"
        }
        self._made: list[ref[Socket]] = []  # those that another() has made
        self._queue: deque[Datagram] = deque()
        self._dump: Iterator[bytes | Datagram] | None = None
        self._overrun = False  # the next receive reports it
        self._congested = False  # nothing is delivered until the queue was empty (netlink_overrun)
        self._lock = threading.RLock()  # the function may deliver events
        self._bell = -1  # an eventfd that is readable while there is something to receive

    # --- for tests ---

    def another(self) -> Socket:
        """Return another socket of the same kernel, which gets the same events.

        follow() and Mirror open sockets of their own with it.
        """
        other = Socket(
            self.kernel,
            *self.families,
            links=self.links,
            part=self.part,
            datagrams=self.datagrams,
        )
        other.requests = self.requests
        self._made = [ref(each) for each in (*self._others(), other)]
        return other

    def _others(self) -> list[Socket]:
        """Those that another() has made and that are still in use, in their order."""
        return [other for made in self._made if (other := made()) is not None]

    def event(self, group: str | int, *messages: Any) -> None:
        """Send messages, or (type, Message), to a group; they arrive if it was joined."""
        if isinstance(group, str):
            family = next(f for f in self.families if f.has_group(group))
            group = self._generic.group(family, group) if self._generic else family.group(group)
        for message in messages:
            self.deliver(Datagram(self._encode(message), group=group))

    def deliver(self, *datagrams: Datagram) -> None:
        """Put datagrams into the receive buffer, except those to a group that was not joined."""
        with self._lock:
            if not self._congested:
                self._queue += [d for d in datagrams if not d.group or d.group in self.groups]
            self._ring()
        for other in self._others():
            if not other.closed:
                other.deliver(*(d for d in datagrams if d.group in other.groups))

    def overrun(self) -> None:
        """Simulate a full receive buffer.

        The kernel reports it once, and drops all messages until the buffer was empty.
        """
        with self._lock:
            self._overrun = self._congested = True
            self._ring()
        for other in self._others():
            if other.groups and not other.closed:
                other.overrun()

    # --- for connections: as RawSocket ---

    drops = None  # it drops no messages that anyone could count
    reads_ahead = False

    def begin_receive(self) -> None:
        """Return immediately, because nothing has to be received ahead."""

    @property
    def port(self) -> int:
        """The socket's own address."""
        self._check()
        return PORT

    def join(self, group: int, /) -> None:
        """Listen to a multicast group."""
        self._check()
        self.groups.add(group)

    def leave(self, group: int, /) -> None:
        """Stop listening to a multicast group."""
        self._check()
        self.groups.discard(group)

    def attach_filter(self, program: bytes, /) -> None:
        """Raise OSError (ENOPROTOOPT): a scripted kernel runs no programs."""
        raise OSError(
            errno.ENOPROTOOPT, "a scripted kernel cannot run a filter: test Filter.matches()"
        )

    def detach_filter(self) -> None:
        """Raise OSError (ENOENT), as the kernel does if there is no filter."""
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))

    def lock_filter(self) -> None:
        """Keep the socket without a filter, which it always is."""

    def ifindex(self, name: str, /) -> int:
        """Return the index of a link by its name."""
        self._check()
        if name not in self.links:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return self.links[name]

    def namespace(self) -> int:
        """Raise OSError: the scripted kernel has no namespaces."""
        raise OSError(errno.EOPNOTSUPP, "a scripted kernel has no namespaces")

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        """Execute the requests in a buffer."""
        with self._lock:
            self._check()
            messages = Messages(buffer, self._asking)
            for header, request in zip(iter_messages(buffer), messages, strict=True):
                self.requests.append(request)
                self._carry_out(header, request)
        return len(buffer)

    def begin_send(self, buffers: Iterable[bytes], /) -> None:
        """Execute the requests in several buffers, one after the other."""
        for buffer in buffers:
            self.send(buffer)

    def end_send(self) -> None:
        """Return immediately, because there is no thread to wait for."""

    def receive(
        self,
        timeout: float | None = None,
        inbox: list[tuple[bytes, bytes]] | None = None,
        max_datagrams: int = 16,
    ) -> Any:
        """Return the delivered datagrams or, if there are none, the next part of a dump; or append
        them to `inbox`, and return None. It ignores `max_datagrams`."""
        with self._lock:
            self._check()
            try:
                pair = self._receive(timeout)
            finally:
                self._ring()
        if inbox is None:
            return pair
        inbox.append(pair)
        return None

    def fileno(self) -> int:
        """Return a descriptor that is readable while there is something to receive."""
        with self._lock:
            self._check()
            if self._bell < 0:
                self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                self._ring()
            return self._bell

    def close(self) -> None:
        """Close the socket. Closing twice is allowed."""
        with self._lock:
            self.closed = True
            if self._bell >= 0:
                os.close(self._bell)
                self._bell = -1

    # --- inside ---

    def _check(self) -> None:
        if self.closed:
            raise OSError(errno.EBADF, "netlink socket is closed")

    def _ring(self) -> None:
        """Make the descriptor readable if there is something to receive."""
        if self._bell >= 0:
            os.eventfd_write(self._bell, 1)
            if not (self._queue or self._dump or self._overrun):
                os.eventfd_read(self._bell)

    def _receive(self, timeout: float | None) -> tuple[bytes, bytes]:
        if self._overrun:
            self._overrun = False
            raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
        while not self._queue and self._dump is not None:
            self._go_on()
        data, index = bytearray(), b""
        while self._queue and len(index) < self.datagrams * INDEX_SIZE:
            payload, port, group, is_cut = self._queue.popleft()
            flags = MSG_TRUNC if is_cut else 0
            index += struct.pack(INDEX_FORMAT, len(data), len(payload), port, group, -1, flags)
            data += _padded(payload)
        if not self._queue:
            self._congested = False  # netlink_rcv_wake
        if index:
            return bytes(data), index
        if timeout == 0:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        raise TimeoutError(errno.ETIMEDOUT, "the scripted kernel sent no more messages")

    def _carry_out(self, header: RawMessage, request: Message | RawMessage) -> None:
        answer = self._answer(header, request)
        if not _is_dump(header):
            for part in answer:
                self.deliver(part if isinstance(part, Datagram) else Datagram(part))
        elif self._dump is None:
            self._dump = answer
            self._ring()
        else:  # __netlink_dump_start
            busy = KernelError(errno.EBUSY)
            self.deliver(Datagram(_status(NLMSG.NLMSG_ERROR, header, request, busy)))

    def _go_on(self) -> None:
        """Deliver one more part of the dump, even if the buffer is full, as netlink_dump() does."""
        assert self._dump is not None
        part = b""
        for answer in self._dump:
            if isinstance(answer, Datagram):
                self._queue.append(answer)
                break
            part += answer
            if len(part) >= self.part:
                break
        if part:
            self._queue.appendleft(Datagram(part))

    def _answer(
        self, header: RawMessage, request: Message | RawMessage
    ) -> Iterator[bytes | Datagram]:
        """Yield the function's answer as bytes, then the status."""
        is_dump = _is_dump(header)
        is_acked = False
        flags = NLM_F.NLM_F_MULTI if is_dump else 0
        words = None
        ended: Exception | None = None
        kernel = self.kernel
        if self._generic and header.type == GENL_ID_CTRL and not self._generic.has_nlctrl:
            kernel = self._generic.nlctrl
        try:
            for item in _items(kernel(request)):
                if isinstance(item, KernelWarning):
                    words = str(item)
                elif isinstance(item, Datagram):
                    yield item
                elif item is ACK:
                    is_acked = True
                    yield _status(NLMSG.NLMSG_ERROR, header, request, None, words)
                else:
                    yield self._encode(item, header, flags)
        except Overrun as error:
            self.overrun()
            ended = error
        except (OSError, DumpInterrupted) as error:
            ended = error
        if is_dump:
            self._dump = None  # before its DONE is seen, as another may follow at once
        if isinstance(ended, (Overrun, TimeoutError)) or self._framing == "connector":
            return
        if is_dump or (ended is None and self._ends_with_done(header)):
            yield _status(NLMSG.NLMSG_DONE, header, request, ended, words)
        elif ended is not None or (header.flags & NLM_F.NLM_F_ACK and not is_acked):
            yield _status(NLMSG.NLMSG_ERROR, header, request, ended, words)

    def _ends_with_done(self, header: RawMessage) -> bool:
        if self._generic:
            return (header.type, header.payload[0]) in self._ending
        return (0, header.type) in self._ending

    def _encode(self, item: Any, header: RawMessage | None = None, flags: int = 0) -> bytes:
        """Encode a message, or (type, message), with its headers.

        It is the answer to `header`, or an event.
        """
        type, message = item if isinstance(item, tuple) else (None, item)
        payload = bytes(message)
        if self._framing == "text":
            return payload
        if self._generic:
            type, payload = self._generic.envelope(type, message, payload, header)
        elif type is None:
            asked = header.type if header is not None else None
            type = message.nlmsg_type or self._types.get(message.__class__, asked)
        if type is None:
            raise TypeError(
                f"no type is declared for {message.__class__.__name__}: yield (type, message)"
            )
        seq, port = (header.seq, PORT) if header is not None else (0, 0)
        if self._framing == "connector":
            payload = struct.pack(CN_MSG, type, 1, seq, 0, len(payload), 0) + payload
            type, port = NLMSG.NLMSG_DONE, 0
        made = stamp(type, flags, seq, port, payload)
        if self._framing == "audit":  # in the kernel's records nlmsg_len excludes the header
            return struct.pack("=I", len(payload)) + made[4:]
        return _padded(made)


class _Generic:
    """The IDs of generic families and groups, and the answers of nlctrl."""

    def __init__(self, families: Iterable[Family]) -> None:
        self.families = {
            family.id or FIRST_ID + position: family for position, family in enumerate(families)
        }
        self.has_nlctrl = GENL_ID_CTRL in self.families
        self.families.setdefault(GENL_ID_CTRL, NLCTRL)
        self.ids = {family: id for id, family in self.families.items()}
        self.numbered = [family.at(id) for id, family in self.families.items()]

    def group(self, family: Family, name: str) -> int:
        """Return the number of a group, which no other group has."""
        if family is NLCTRL:
            return GENL_ID_CTRL
        return 256 * self.ids[family] + [*family.groups].index(name)

    def nlctrl(self, request: Any) -> Iterator[tuple[int, Ctrl]]:
        """Answer a request to nlctrl."""
        known = [f for f in self.ids if request.family_name in (None, f.name)]
        if request.genl_cmd != CTRL_CMD.CTRL_CMD_GETFAMILY or not known:
            raise KernelError(errno.ENOENT)
        for family in known:
            groups = [{"name": name, "id": self.group(family, name)} for name in family.groups]
            yield (
                CTRL_CMD.CTRL_CMD_NEWFAMILY,
                Ctrl(
                    family_id=self.ids[family],
                    family_name=family.name,
                    version=family.version,
                    mcast_groups=groups,
                ),
            )

    def envelope(
        self, command: int | None, message: Any, payload: bytes, header: RawMessage | None
    ) -> tuple[int, bytes]:
        """Return the family's ID, and the payload with its struct genlmsghdr."""
        cls = message.__class__
        if header is not None:
            family = self.families[header.type]
        else:
            family = next(f for f in self.ids if cls in f.classes.values())
        if command is None:
            asked = header.payload[0] if header is not None else None
            command = message.genl_cmd or _lowest(family.classes).get(cls, asked)
        assert command is not None
        return self.ids[family], bytes((command, family.version, 0, 0)) + payload


def _lowest(classes: dict[int, Any]) -> dict[Any, int]:
    """Return the type with which each class is sent: the lowest one that it has."""
    found: dict[Any, int] = {}
    for number in sorted(classes, reverse=True):
        meaning = classes[number]
        choices = (meaning.choices or {}).values() if isinstance(meaning, Field) else (meaning,)
        found |= dict.fromkeys(choices, number)
    return found


def _is_dump(header: RawMessage) -> bool:
    # NLM_F_REPLACE and NLM_F_EXCL have the bits of NLM_F_DUMP, so look at NLM_F_ACK too.
    return header.flags & (NLM_F.NLM_F_DUMP | NLM_F.NLM_F_ACK) == NLM_F.NLM_F_DUMP


def _items(answer: Any) -> Iterable[Any]:
    if answer is None:
        return ()
    return (answer,) if isinstance(answer, (Message, Datagram, KernelWarning)) else answer


def _status(
    type: NLMSG,
    header: RawMessage,
    request: Message | RawMessage,
    error: Exception | None,
    words: str | None = None,
) -> bytes:
    """Return the end of an answer: errno, header of the request (NLMSG_ERROR), extended ACK."""
    told = _extack(request, error) if isinstance(error, KernelError) else ExtAck(msg=words)
    code = error.errno or errno.EIO if isinstance(error, OSError) else 0
    payload = struct.pack("=i", -code)
    if type == NLMSG.NLMSG_DONE:
        flags = NLM_F.NLM_F_MULTI
        if isinstance(error, DumpInterrupted):
            flags |= NLM_F.NLM_F_DUMP_INTR
    else:
        flags = NLM_F.NLM_F_CAPPED
        length = NLMSG_HDRLEN + len(header.payload)
        payload += struct.pack("=IHHII", length, header.type, header.flags, header.seq, header.pid)
    if bytes(told):
        flags |= NLM_F.NLM_F_ACK_TLVS
    return _padded(stamp(type, flags, header.seq, PORT, payload + bytes(told)))


def _extack(request: Message | RawMessage, error: KernelError) -> ExtAck:
    """Return the extended ACK of a KernelError; paths become offsets."""
    offset = error.offset
    number = None
    if isinstance(request, Message):
        place: Any = request
        if error.path is not None:
            if offset is None:
                offset = _envelope(request) + _offset(request, error.path)
            for name in error.path.split("."):
                place = getattr(place, name)
        if error.missing is not None:
            cls = type(place if isinstance(place, Message) else request)
            number = cls.__table__.names[error.missing].number
    nest = offset if error.missing is not None else None
    return ExtAck(
        msg=error.message,
        offs=None if nest is not None else offset,
        cookie=error.cookie,
        policy=error.policy,
        miss_type=number,
        miss_nest=nest,
    )


def _envelope(request: Message) -> int:
    """Return the size of the headers before the body, including struct genlmsghdr."""
    return NLMSG_HDRLEN if request.genl_cmd is None else NLMSG_HDRLEN + GENL_HDRLEN


def _offset(request: Message, path: str) -> int:
    """Return the position of an attribute in the body."""
    for offset in range(0, len(bytes(request)), 4):
        if request._path(offset).partition(".")[2] == path:
            return offset
    raise LookupError(f"the request has no attribute {path!r}")


def _padded(message: bytes) -> bytes:
    return message + bytes(-len(message) % 4)
