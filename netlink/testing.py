"""A scripted kernel: the engine's other side, as a plain function.

The function gets each request as a message, and returns or yields the messages that answer it.
What it raises, the asker sees raised. Behind a Socket it takes the kernel's place under either
connection, so that a test needs no privilege, no namespace and no waiting:

    def kernel(request):
        if request.nlmsg_name == "RTM_GETLINK":
            yield Link(index=1, ifname="lo")
        else:
            raise KernelError(errno.EPERM, "not today")

    with Connection(ROUTE, socket=testing.Socket(kernel, ROUTE)) as nl:
        assert nl.do(link.get(index=1)).ifname == "lo"

| the function                      | the asker sees                                              |
|-----------------------------------|-------------------------------------------------------------|
| yields or returns a Message       | it, under the type that it was parsed with, or else the     |
|                                   |   lowest that the family has for its class                  |
| yields (type, Message or bytes)   | the message, under that type                                |
| yields a Datagram                 | whatever that means: it is delivered as it is               |
| yields a KernelWarning            | success, with these words                                   |
| ends                              | the ACK, or the DONE of a dump                              |
| raises KernelError or OSError     | KernelError; in a dump behind what was yielded              |
| raises DumpInterrupted            | a dump that says of itself that it was interrupted          |
| raises Overrun                    | the receive buffer full; the rest is lost                   |
| raises TimeoutError               | nothing more: the answer is never finished                  |

A dump is a stream here too: the function goes on when its asker has received what it yielded.
"""

from __future__ import annotations

import errno
import os
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from netlink._core import INDEX_FORMAT, Messages, RawMessage, iter_messages, stamp
from netlink.constants import NLM_F, NLMSG
from netlink.errors import DumpInterrupted, KernelError, KernelWarning, Overrun
from netlink.extack import ExtAck
from netlink.family import Family, dispatch_of
from netlink.generic.nlctrl import CTRL_CMD, GENL_ID_CTRL, Ctrl
from netlink.generic.nlctrl import FAMILY as NLCTRL
from netlink.schema import Message

__all__ = ["Datagram", "Socket"]

NLMSG_HDRLEN = 16
GENL_HDRLEN = 4
INDEX_SIZE = struct.calcsize(INDEX_FORMAT)
PORT = 1
FIRST_ID = 0x20  # of a generic family


class Datagram(NamedTuple):
    """Bytes that a socket receives as they are.

    `port` is the sender's (0: the kernel's) and `group` the multicast group that it was sent to
    (0: to this socket alone).
    """

    data: bytes
    port: int = 0
    group: int = 0


class Socket:
    """A socket with `kernel` behind it, for the `socket` argument of a connection.

    `families` give the requests their classes. A receive gives at most `datagrams`, and one of a
    dump has about `part` bytes. `links` are the indexes of links by name. `requests` lists what was
    asked.

    Generic families get numbers, and their groups too, of which nlctrl tells by itself; the
    function sees what is asked of nlctrl only if that family is among those given.

    Time does not pass: where there is nothing to receive, a blocking call has its TimeoutError at
    once, even without a timeout, and events() end.
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
        self._types = {} if self._generic else _lowest(self._dispatch.table(request=False))
        self._queue: deque[Datagram] = deque()
        self._dump: Iterator[bytes | Datagram] | None = None
        self._overrun = False  # to be told
        self._congested = False  # nothing is delivered until the queue was empty (netlink_overrun)
        self._lock = threading.RLock()  # the function may deliver events
        self._bell = -1  # an eventfd that is readable while there is something to receive

    # --- for tests ---

    def event(self, group: str | int, *messages: Any) -> None:
        """Send messages, or (type, Message), to a group; they arrive if it was joined."""
        if isinstance(group, str):
            family = next(f for f in self.families if group in f.groups)
            group = self._generic.group(family, group) if self._generic else family.groups[group]
        for message in messages:
            self.deliver(Datagram(self._encode(message), group=group))

    def deliver(self, *datagrams: Datagram) -> None:
        """Put datagrams into the receive buffer, but those to a group that was not joined."""
        with self._lock:
            if not self._congested:
                self._queue += [d for d in datagrams if not d.group or d.group in self.groups]
            self._ring()

    def overrun(self) -> None:
        """Have the receive buffer full: the kernel says so once, and drops what it has until it
        was empty."""
        with self._lock:
            self._overrun = self._congested = True
            self._ring()

    # --- for connections: as RawSocket ---

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
        """Stop listening to it."""
        self._check()
        self.groups.discard(group)

    def ifindex(self, name: str, /) -> int:
        """Return the index of a link by its name."""
        self._check()
        if name not in self.links:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return self.links[name]

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        """Have the kernel carry out what the buffer asks for."""
        with self._lock:
            self._check()
            messages = Messages(buffer, self._dispatch)
            for header, request in zip(iter_messages(buffer), messages, strict=True):
                self.requests.append(request)
                self._carry_out(header, request)
        return len(buffer)

    def begin_send(self, buffers: Iterable[bytes], /) -> None:
        """Have the kernel carry out what the buffers ask for, one after the other."""
        for buffer in buffers:
            self.send(buffer)

    def end_send(self) -> None:
        """Wait for nothing: no thread is at it."""

    def receive(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """What was delivered, or else the next part of a dump."""
        with self._lock:
            self._check()
            try:
                return self._receive(timeout)
            finally:
                self._ring()

    def fileno(self) -> int:
        """A descriptor that is readable while there is something to receive."""
        with self._lock:
            self._check()
            if self._bell < 0:
                self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                self._ring()
            return self._bell

    def close(self) -> None:
        """Be closed; closing twice is fine."""
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
        """Let the descriptor tell whether there is something to receive."""
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
            payload, port, group = self._queue.popleft()
            index += struct.pack(INDEX_FORMAT, len(data), len(payload), port, group, -1, 0)
            data += _padded(payload)
        if not self._queue:
            self._congested = False  # netlink_rcv_wake
        if index:
            return bytes(data), index
        if timeout == 0:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        raise TimeoutError(errno.ETIMEDOUT, "the scripted kernel has nothing to say")

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
        """Deliver one more part of the dump, as netlink_dump() does however full the buffer is."""
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
        """What the function says, as bytes, and then the status."""
        flags = NLM_F.NLM_F_MULTI if _is_dump(header) else 0
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
                else:
                    yield self._encode(item, header, flags)
        except Overrun as error:
            self.overrun()
            ended = error
        except (OSError, DumpInterrupted) as error:
            ended = error
        if flags:
            self._dump = None  # before its DONE is seen, as another may follow at once
        if isinstance(ended, (Overrun, TimeoutError)):
            return
        if ended is not None or flags or header.flags & NLM_F.NLM_F_ACK:
            type = NLMSG.NLMSG_DONE if flags else NLMSG.NLMSG_ERROR
            yield _status(type, header, request, ended, words)

    def _encode(self, item: Any, header: RawMessage | None = None, flags: int = 0) -> bytes:
        """A message, or (type, message), with its nlmsghdr: the answer to `header`, or an event."""
        type, message = item if isinstance(item, tuple) else (None, item)
        payload = bytes(message)
        if self._generic:
            type, payload = self._generic.envelope(type, message, payload, header)
        elif type is None:
            asked = header.type if header is not None else None
            type = message.nlmsg_type or self._types.get(message.__class__, asked)
        seq, port = (header.seq, PORT) if header is not None else (0, 0)
        return _padded(stamp(type, flags, seq, port, payload))


class _Generic:
    """The kernel's side of the numbers of generic families."""

    def __init__(self, families: Iterable[Family]) -> None:
        self.families = {
            family.id or FIRST_ID + position: family for position, family in enumerate(families)
        }
        self.has_nlctrl = GENL_ID_CTRL in self.families
        self.families.setdefault(GENL_ID_CTRL, NLCTRL)
        self.ids = {family: id for id, family in self.families.items()}
        self.numbered = [family.at(id) for id, family in self.families.items()]

    def group(self, family: Family, name: str) -> int:
        """The number of a group, unlike that of any other."""
        if family is NLCTRL:
            return GENL_ID_CTRL
        return 256 * self.ids[family] + [*family.groups].index(name)

    def nlctrl(self, request: Any) -> Iterator[tuple[int, Ctrl]]:
        """What nlctrl says of the families."""
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
        """The id and the payload with its struct genlmsghdr; the family is that of the request."""
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
    """Under which number each class answers: the lowest that it has."""
    return {classes[number]: number for number in sorted(classes, reverse=True)}


def _is_dump(header: RawMessage) -> bool:
    # NLM_F_REPLACE and NLM_F_EXCL are the same two bits: a change asks for an ACK, or in vain.
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
    """What ends an answer: the errno, in NLMSG_ERROR the request's header, the extended ACK."""
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
    """What a KernelError says beside its errno, paths turned into offsets again."""
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
    """Bytes of the headers in front of the body, with the struct genlmsghdr of a generic family."""
    return NLMSG_HDRLEN if request.genl_cmd is None else NLMSG_HDRLEN + GENL_HDRLEN


def _offset(request: Message, path: str) -> int:
    """Where an attribute stands in the body."""
    for offset in range(0, len(bytes(request)), 4):
        if request._path(offset).partition(".")[2] == path:
            return offset
    raise LookupError(f"the request has no {path!r}")


def _padded(message: bytes) -> bytes:
    return message + bytes(-len(message) % 4)
