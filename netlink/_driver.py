"""What both connections are: families, an engine, a socket and its options.

It opens the socket, and neither sends nor receives: in that the two drivers differ, and in
nothing else. Where a trace is wanted it puts a TracedSocket before the socket; where none is, the
drivers hold the socket itself, and pay nothing.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from netlink import _nlsock
from netlink.constants import NETLINK
from netlink.engine import Batch, Directory, Engine, Reply, Stats
from netlink.family import Family, Op, Request, Steps
from netlink.schema import Message

if TYPE_CHECKING:  # imported when the first trace begins
    from netlink.trace import Decoder, Direction, Traced

__all__ = [
    "AHEAD", "FIRST", "PATIENCE", "RETRIES", "Driver", "Netns", "Room", "Socket", "Trace",
    "TracedSocket", "Window", "cut", "take",
]  # fmt: skip

M = TypeVar("M", bound=Message)

# What one answer takes of the receive buffer at most, as the kernel counts (skb->truesize): an
# NLMSG_ERROR with a capped request and an extended ACK; a message, such as a link, and an ACK.
ANSWER_SIZE, MESSAGE_SIZE = 2048, 8192
FIRST = 16  # requests of a pipeline that tell which of the two it is
PATIENCE = 1.0  # seconds to wait for room in the receive buffer, before it is tried without
AHEAD = 512  # requests at once that are worth a thread which sends them
OP = attrgetter("op")
RETRIES = 3  # of a dump that was interrupted


class HasFileno(Protocol):
    """A file or anything else that has a descriptor."""

    def fileno(self) -> int:
        """The descriptor."""


# A network namespace: a name as of ip-netns(8), a path, a process's number or an open file.
Netns = str | os.PathLike[str] | int | HasFileno

Trace = Callable[["Traced"], object]  # what sees each datagram


class Socket(Protocol):
    """What a driver asks of a socket: see RawSocket."""

    @property
    def port(self) -> int:
        """The socket's own address."""

    @property
    def rcvbuf(self) -> int:
        """The receive buffer, in bytes."""

    @property
    def closed(self) -> bool:
        """Whether close() was called."""

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        """Hand messages to the kernel."""

    def begin_send(self, buffers: list[bytes], /) -> None:
        """Have a thread send these, one after the other."""

    def end_send(self) -> None:
        """Wait for the end of that thread."""

    def receive(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """What came, and its index."""

    def join(self, group: int, /) -> None:
        """Listen to a multicast group."""

    def leave(self, group: int, /) -> None:
        """Stop listening to it."""

    def fileno(self) -> int:
        """A descriptor that is readable when receive() has something to give."""

    def close(self) -> None:
        """Let go of everything."""


class Driver:
    """The part of a connection that needs no waiting."""

    def __init__(
        self,
        families: tuple[Family, ...],
        *,
        netns: Netns | None,
        rcvbuf: int | None,
        sndbuf: int | None,
        timeout: float | None,
        trace: Trace | None,
        socket: Socket | None,
    ) -> None:
        protocol = protocol_of(families)
        self.families = families
        self.timeout = timeout
        self._engine = Engine(families, self._wait, directory(protocol))
        socket = socket or open_socket(protocol, netns, rcvbuf=rcvbuf, sndbuf=sndbuf)
        self._socket = traced(socket, trace, families, self._engine)
        self._engine.port = self._socket.port
        if self._engine.names is not None:
            self._socket.join(self._engine.names.control_group)

    @property
    def stats(self) -> Stats:
        """Counters since the connection was opened."""
        return self._engine.stats

    @property
    def port(self) -> int:
        """The port number (nl_pid) that the kernel gave to the socket."""
        return self._socket.port

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._socket.closed

    def fileno(self) -> int:
        """The socket's descriptor, for select() and its kin."""
        return self._socket.fileno()

    def __repr__(self) -> str:
        names = ", ".join(family.name for family in self.families)
        return f"<Connection to {names}{', closed' if self.closed else f' on port {self.port}'}>"

    # --- for the drivers ---

    def _wait(self, reply: Reply[Any]) -> Any:
        """What a Reply calls that has nothing more to give."""
        raise NotImplementedError

    def _joining(self, groups: tuple[str | int, ...]) -> Steps[None]:
        """Listen to groups, whose numbers may have to be asked for."""
        for number in (yield from self._numbers(groups, wanted=True)):
            self._socket.join(number)

    def _leaving(self, groups: tuple[str | int, ...]) -> Steps[None]:
        """Stop listening to groups."""
        names = self._engine.names
        for number in (yield from self._numbers(groups, wanted=False)):
            if names is None or number != names.control_group:  # which the names need
                self._socket.leave(number)

    def _numbers(self, groups: tuple[str | int, ...], *, wanted: bool) -> Steps[list[int]]:
        """The numbers of groups given by name or number; nothing is done if one is unknown."""
        names = self._engine.names
        numbers = []
        for group in groups:
            if isinstance(group, int):
                numbers.append(group)
            elif names is not None:
                number = yield from names.group(group, self.families, wanted=wanted)
                if number:
                    numbers.append(number)
            else:
                family = next((f for f in self.families if group in f.groups), self.families[0])
                numbers.append(family.group(group))  # raises where none has it, and lists them
        if names is not None and names.control_group in numbers:
            names.is_told = wanted
        return numbers

    def _rejoin(self) -> None:
        """Join groups once more whose numbers are new: the module of a family was loaded again."""
        names = self._engine.names
        while names is not None and names.rejoin:
            with suppress(OSError):  # it is gone again, of which nlctrl will tell
                self._socket.join(names.rejoin.pop())

    def _timeout(self, timeout: float | None) -> float | None:
        return self.timeout if timeout is None else timeout


# --- tracing --------------------------------------------------------------------------------------


class TracedSocket:
    """A socket whose datagrams `trace` sees: before they are sent, and when they were received.

    What `trace` raises goes to sys.excepthook: it looks on, and is none of the conversation's
    business, where the exception would cost answers that have come.
    """

    def __init__(self, socket: Socket, trace: Trace, decoder: Decoder) -> None:
        self._socket = socket
        self._trace = trace
        self._decoder = decoder
        self._port = socket.port

    @property
    def port(self) -> int:
        """The socket's own address."""
        return self._socket.port

    @property
    def rcvbuf(self) -> int:
        """The receive buffer, in bytes."""
        return self._socket.rcvbuf

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._socket.closed

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        """Hand messages to the kernel."""
        self._show_sent(buffer)
        try:
            return self._socket.send(buffer, timeout=timeout)
        except OSError as error:
            self._show("send", error=error)
            raise

    def begin_send(self, buffers: list[bytes], /) -> None:
        """Have a thread send these, one after the other. The trace sees all of them before."""
        for buffer in buffers:
            self._show_sent(buffer)
        self._socket.begin_send(buffers)

    def end_send(self) -> None:
        """Wait for the end of that thread."""
        try:
            self._socket.end_send()
        except OSError as error:
            self._show("send", error=error)
            raise

    def receive(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """What came, and its index."""
        try:
            data, index = self._socket.receive(timeout)
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                self._show("receive", error=error)
            raise
        for start, length, port, group, nsid, flags in struct.iter_unpack(
            _nlsock.INDEX_FORMAT, index
        ):
            datagram = data[start : start + length]
            self._show("receive", datagram, port=port, group=group, nsid=nsid, flags=flags)
        return data, index

    def join(self, group: int, /) -> None:
        """Listen to a multicast group."""
        self._socket.join(group)

    def leave(self, group: int, /) -> None:
        """Stop listening to it."""
        self._socket.leave(group)

    def fileno(self) -> int:
        """A descriptor that is readable when receive() has something to give."""
        return self._socket.fileno()

    def close(self) -> None:
        """Let go of everything."""
        self._socket.close()

    def _show_sent(self, buffer: bytes) -> None:
        self._decoder.remember(buffer)
        self._show("send", buffer)

    def _show(self, direction: Direction, data: bytes = b"", **details: Any) -> None:
        seen = self._decoder.traced(direction, data, own_port=self._port, **details)
        try:
            self._trace(seen)
        except Exception:
            sys.excepthook(*sys.exc_info())


def traced(
    socket: Socket, trace: Trace | None, families: tuple[Family, ...], engine: Engine
) -> Socket:
    """The socket itself, or one that shows what passes it: to `trace` or, where NETLINK_TRACE is
    set to anything but 0, on standard error."""
    if trace is None and os.environ.get("NETLINK_TRACE", "") in ("", "0"):
        return socket
    from netlink.trace import Decoder, to_stderr

    names = engine.names
    decoder = Decoder(
        families,
        dispatch=engine.classes,
        ids=None if names is None else names.ids,
        groups=None if names is None else names.groups,
    )
    return TracedSocket(socket, to_stderr if trace is None else trace, decoder)


# --- requests -------------------------------------------------------------------------------------


class Room:
    """What a pipeline waits for before it sends: that the receive buffer can hold the answers,
    beside those that other pipelines wait for."""

    __slots__ = ("_engine", "_most")

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._most = most

    @property
    def ready(self) -> bool:
        """Whether there is, or there is none to wait for."""
        return self._engine.owed <= self._most


class Window:
    """How many requests of a pipeline go together, and how large their answers may be.

    Unless the user says how many, it is as many as the receive buffer, of `size` bytes, can hold
    the answers of. The first few tell whether those are messages, and later the first few of an op
    that there was not before.
    """

    __slots__ = ("_answer_size", "_bare", "_given", "_size", "most")

    def __init__(self, given: int | None, size: int) -> None:
        if given is not None and given < 1:
            raise ValueError(f"a window of {given} requests: it takes one at least")
        self._given = given
        self._size = size
        self._answer_size = ANSWER_SIZE
        self._bare: set[Op[..., Any]] = set()  # what an acknowledgement alone has answered
        self.most = min(FIRST, self._holds(ANSWER_SIZE)) if given is None else given

    def _holds(self, answer_size: int) -> int:
        return max(1, self._size // answer_size)

    def answer_size(self, requests: Iterable[Request[Any]]) -> int:
        """What an answer to any of these may take."""
        if self._answer_size == ANSWER_SIZE and self._bare.issuperset(map(OP, requests)):
            return ANSWER_SIZE
        return MESSAGE_SIZE

    def split(
        self, taken: list[Request[M]], *, bracketed: bool
    ) -> tuple[list[Request[M]], list[Request[M]]]:
        """What goes together now, and what has to come after it."""
        if self._given is not None or bracketed:
            return taken, []
        count = self._holds(self.answer_size(taken))
        return taken[:count], taken[count:]

    def room(self, engine: Engine, wanted: int) -> Room:
        """What to wait for before more is sent, so many bytes of answers. A window that the user
        gave has no heed of others."""
        return Room(engine, max(0, self._size - wanted) if self._given is None else sys.maxsize)

    def learn(self, batch: Batch) -> None:
        """See what the answers were."""
        if batch.has_messages:
            self._answer_size = MESSAGE_SIZE
        elif batch.answer_size != ANSWER_SIZE:
            answered = zip(batch.requests, batch.outcomes, strict=True)
            self._bare.update(request.op for request, outcome in answered if outcome is None)
        if self._given is None:
            self.most = self._holds(self._answer_size)


def take(
    source: Iterator[Request[M]], count: int, *, bracketed: bool
) -> tuple[list[Request[M]], Exception | None]:
    """The next requests, and what the source raised behind them.

    At most `count`; but a batch that is opened among them comes with all until it is closed.
    """
    taken: list[Request[M]] = []
    try:
        taken.extend(islice(source, count))  # which keeps what came before an exception
        if bracketed and _opened(taken) is not None:
            for request in source:
                taken.append(request)
                if request.op.bracket:
                    break
    except Exception as error:
        return cut(taken) if bracketed else taken, error
    return taken, None


def cut(requests: list[Request[M]]) -> list[Request[M]]:
    """Without the batch at the end that is not closed: half of one must not go out."""
    return requests[: _opened(requests)]


def _opened(requests: list[Request[M]]) -> int | None:
    """Where a batch was opened that is not closed."""
    for position in range(len(requests) - 1, -1, -1):
        if requests[position].op.bracket:
            return position if requests[position].op.bracket > 0 else None
    return None


# --- sockets --------------------------------------------------------------------------------------


def protocol_of(families: tuple[Family, ...]) -> int:
    """The protocol that all families share."""
    if not families:
        raise TypeError("a Connection needs at least one family")
    protocols = {family.protocol for family in families}
    if len(protocols) > 1:
        raise ValueError(
            "one socket speaks one protocol: "
            + ", ".join(f"{f.name} is {f.protocol}" for f in families)
        )
    return protocols.pop()


def directory(protocol: int) -> type[Directory] | None:
    """Who keeps the numbers of generic families; no other protocol imports it."""
    if protocol != NETLINK.NETLINK_GENERIC:
        return None
    from netlink.generic.names import Names

    return Names


def open_socket(protocol: int, netns: Netns | None, **buffers: Any) -> _nlsock.RawSocket:
    """A bound socket with the options that the engine counts on."""
    with namespace(netns) as descriptor:
        sock = _nlsock.RawSocket(protocol, netns=descriptor, **buffers)
    try:
        sock.setsockopt(_nlsock.SOL_NETLINK, _nlsock.NETLINK_EXT_ACK, 1)
        sock.setsockopt(_nlsock.SOL_NETLINK, _nlsock.NETLINK_CAP_ACK, 1)
        if protocol == NETLINK.NETLINK_ROUTE:
            sock.setsockopt(_nlsock.SOL_NETLINK, _nlsock.NETLINK_GET_STRICT_CHK, 1)
        sock.bind()
    except BaseException:
        sock.close()
        raise
    return sock


@contextmanager
def namespace(netns: Netns | None) -> Iterator[int | None]:
    """The descriptor of a network namespace given as a Connection takes it; None for our own."""
    if netns is None:
        yield None
        return
    if not isinstance(netns, str | os.PathLike | int):
        yield netns.fileno()
        return
    if isinstance(netns, int):
        path = f"/proc/{netns}/ns/net"
    else:
        path = os.fspath(netns)
        if "/" not in path:
            path = f"/run/netns/{path}"  # where ip-netns(8) keeps them
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
