"""Opens sockets, enters network namespaces, traces datagrams; what both connections share.

Only this file, connection.py and aio.py do I/O. Nothing here waits, sends or receives by itself.
If a trace is wanted, a TracedSocket stands in front of the socket; otherwise the connections hold
the socket itself and pay nothing.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol, TypedDict, TypeVar
from weakref import WeakSet

from netlink import _nlsock
from netlink._core import INDEX_FORMAT
from netlink._pipeline import Attach, Join, Leave, check_timeout
from netlink._resolver import Resolver, resolver_for
from netlink.constants import NETLINK
from netlink.engine import QUEUE_LIMIT, Engine, Queue, Stats
from netlink.errors import KernelError
from netlink.family import Family, IfIndex, check_family, near

if TYPE_CHECKING:  # imported when the first trace begins
    from netlink.trace import Decoder, Direction, Traced

__all__ = ["Fd", "Netns", "Pid", "Socket", "Trace", "TracedSocket", "Transport"]


class HasFileno(Protocol):
    """A file or anything else that has a descriptor."""

    def fileno(self) -> int:
        """The descriptor."""


class Pid(NamedTuple):
    """The network namespace of a process, by its number."""

    pid: int


class Fd(NamedTuple):
    """A network namespace by an open descriptor; the caller must close it."""

    fd: int


# A network namespace: a name as of ip-netns(8), a path, an open file, Pid(n) or Fd(n).
Netns = str | os.PathLike[str] | Pid | Fd | HasFileno

# The keywords of Connection, without the options of its socket.
KEYWORDS = ("netns", "rcvbuf", "sndbuf", "read_ahead", "timeout", "trace", "filter", "socket")
MANY = 16  # datagrams of one receive: more would not be faster

T = TypeVar("T", bound="Transport")

Trace = Callable[["Traced"], object]  # what is called with each datagram


class Options(TypedDict, total=False):
    """Options of a connection's socket that are on or off; see RawSocket.

    `ext_ack`, `cap_ack` and, for rtnetlink, `strict_check` are on by default.
    """

    broadcast_error: bool
    cap_ack: bool
    ext_ack: bool
    listen_all_nsid: bool
    strict_check: bool


class Socket(Protocol):
    """What a driver asks of a socket: see RawSocket."""

    rcvbuf: int  # the receive buffer, in bytes

    @property
    def port(self) -> int:
        """The socket's own address."""

    @property
    def closed(self) -> bool:
        """Whether close() was called."""

    @property
    def drops(self) -> int | None:
        """How many datagrams the kernel dropped for this socket, modulo 2**32."""

    @property
    def reads_ahead(self) -> bool:
        """Whether a thread receives ahead."""

    def begin_receive(self) -> None:
        """Have a thread receive ahead."""

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        """Hand messages to the kernel."""

    def begin_send(self, buffers: list[bytes], /) -> None:
        """Have a thread send these, one after the other."""

    def end_send(self) -> None:
        """Wait for the end of that thread."""

    def receive(
        self, timeout: float | None, inbox: list[tuple[bytes, bytes]], max_datagrams: int, /
    ) -> object:
        """Append (data, index) of at most `max_datagrams` datagrams to `inbox`. It may return
        without, after a signal."""

    def join(self, group: int, /) -> None:
        """Listen to a multicast group."""

    def leave(self, group: int, /) -> None:
        """Stop listening to it."""

    def attach_filter(self, program: bytes, /) -> None:
        """Have the kernel run a classic BPF program before it queues a datagram."""

    def detach_filter(self) -> None:
        """Remove that program."""

    def lock_filter(self) -> None:
        """Keep that program until the socket is closed."""

    def fileno(self) -> int:
        """A descriptor that is readable when receive() has something to give."""

    def ifindex(self, name: str, /) -> int:
        """The index of a link by its name."""

    def namespace(self) -> int:
        """A new descriptor of the network namespace."""

    def close(self) -> None:
        """Let go of everything."""


class Transport:
    """What both connections are: families, an engine and an open socket. It never waits."""

    def __init__(
        self,
        families: tuple[Family, ...],
        *,
        netns: Netns | None,
        rcvbuf: int | None,
        sndbuf: int | None,
        read_ahead: int | None,
        timeout: float | None,
        trace: Trace | None,
        socket: Socket | None,
        lock: AbstractContextManager[Any],
        options: Options,
    ) -> None:
        protocol = protocol_of(families)
        self.families = families
        self.timeout = check_timeout(timeout)
        # For the connections that follow() opens.
        self._options: dict[str, Any] = {
            "netns": netns,
            "rcvbuf": rcvbuf,
            "sndbuf": sndbuf,
            "trace": trace,
        }
        # A follower would take the objects of other namespaces for its own.
        own = {name: value for name, value in options.items() if name != "listen_all_nsid"}
        self._options |= {"read_ahead": read_ahead, **own}
        self._given = socket
        self._engine = Engine(families, resolver_for(families), lock)
        self._read_ahead = read_ahead is not None
        how = {"rcvbuf": rcvbuf, "sndbuf": sndbuf, "read_ahead": read_ahead}
        check_options(options)
        if socket is None:
            socket = open_socket(protocol, netns, options, **how)
        elif given := [
            name for name, value in {"netns": netns, **how, **options}.items() if value is not None
        ]:
            raise TypeError(f"{given[0]}= says how to open a socket, but socket= was given too")
        self._socket = traced(socket, trace, families, self._engine)
        self._engine.port = self._socket.port
        self._engine.rcvbuf = self._socket.rcvbuf
        self._engine.drops = self._socket.drops or 0  # of a socket that was used before
        if self._engine.resolver.is_generic:
            self._socket.join(self._engine.resolver.control_group)
        CONNECTIONS.add(self)

    @property
    def stats(self) -> Stats:
        """Counters since the connection was opened."""
        return self._engine.stats

    @property
    def pending(self) -> int:
        """The number of events that are queued for events(); an Overrun counts as one.

        Reading an answer may queue events, and then the descriptor is not readable. A loop around
        select() must therefore look here before it waits.
        """
        return self._engine.events.pending

    @property
    def port(self) -> int:
        """The port number (nl_pid) that the kernel gave to the socket."""
        return self._socket.port

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._socket.closed

    @property
    def rcvbuf(self) -> int:
        """The size of the receive buffer that the kernel granted, in bytes. It may be set.

        The kernel doubles the size that is set (socket(7)). Without CAP_NET_ADMIN in the initial
        user namespace, net.core.rmem_max is the limit, and a larger size is reduced to it.
        """
        return self._socket.rcvbuf

    @rcvbuf.setter
    def rcvbuf(self, size: int) -> None:
        """Change the size of the receive buffer, in bytes."""
        self._socket.rcvbuf = size
        self._engine.rcvbuf = self._socket.rcvbuf

    def fileno(self) -> int:
        """Return a descriptor for select() and its relatives, the same until close().

        It is readable if a method that receives has something to read. See `pending` too.
        """
        return self._socket.fileno()

    def _close(self) -> None:
        """Close the socket. Send what the kernel must know before, without waiting."""
        if not self.closed:
            for buffer in self._engine.farewells():
                with suppress(OSError):
                    self._socket.send(buffer, timeout=0)
        self._socket.close()

    def __del__(self) -> None:
        if hasattr(self, "_socket") and not self.closed and self._engine.is_farewell_due:
            self._close()

    def __repr__(self) -> str:
        names = ", ".join(family.name for family in self.families)
        return f"<Connection to {names}{', closed' if self.closed else f' on port {self.port}'}>"

    def _inherit(self, socket: Socket) -> None:
        """In a forked child: close the socket, and use this one instead."""
        self._socket.close()
        self._socket = socket

    def _another(self, cls: Callable[..., T], **options: Any) -> T:
        """Return a new connection with the same families, namespace and options."""
        options = {**self._options, "timeout": self.timeout, **options}
        if self._given is not None and not isinstance(self._given, _nlsock.RawSocket):
            another = getattr(self._given, "another", None)
            if not callable(another):
                raise TypeError(
                    f"follow() and Mirror open sockets of their own, and "
                    f"{type(self._given).__name__} has no method another() that makes one"
                )
            return cls(*self.families, socket=another(), **{**options, "netns": None})
        descriptor = None
        try:
            descriptor = self._socket.namespace()
        except OSError as error:
            # It needs CAP_NET_ADMIN. Without it, the caller cannot have changed the namespace.
            if error.errno not in (errno.EPERM, errno.ENOTTY, errno.EINVAL, errno.EOPNOTSUPP):
                raise
            return cls(*self.families, **options)
        try:
            is_here = os.path.samestat(os.fstat(descriptor), os.stat("/proc/thread-self/ns/net"))
            return cls(*self.families, **{**options, "netns": None if is_here else Fd(descriptor)})
        finally:
            os.close(descriptor)

    def _new_queue(self, predicate: Callable[[Any], bool] | None, limit: int | None) -> Queue:
        return Queue(self._engine.dispatch, predicate, QUEUE_LIMIT if limit is None else limit)

    def _perform_now(self, step: Any) -> Any:
        """Execute a step that takes no waiting."""
        if isinstance(step, IfIndex):
            try:
                return self._socket.ifindex(step.name)
            except OSError as error:
                if error.errno != errno.ENODEV:
                    raise
                raise KernelError(errno.ENODEV, f"link {step.name!r} does not exist") from None
        if isinstance(step, Join):
            _ = self.port  # raises OSError (EBADF) if the socket is closed, and all are joined
            if self._read_ahead:
                self._socket.begin_receive()
            for position, group in enumerate(step.groups):
                try:
                    self._socket.join(group)
                except BaseException:
                    for joined in step.groups[:position]:
                        self._socket.leave(joined)
                    raise
        elif isinstance(step, Leave):
            for group in step.groups:
                self._socket.leave(group)
        elif isinstance(step, Attach):
            attach_filter(self._socket, step.program, lock=step.lock)
        else:
            raise TypeError(f"{step!r} is not a step that a connection can execute")
        return None

    def _timeout(self, timeout: float | None) -> float | None:
        return self.timeout if timeout is None else check_timeout(timeout)


def keep_up(engine: Engine, socket: Socket) -> None:
    """Join groups whose number is new, and leave those of dropped subscriptions."""
    while engine.rejoin:
        with suppress(OSError):  # the group is gone again, which nlctrl will announce
            socket.join(engine.rejoin.pop())
    if engine.forsaken:
        leave_groups(socket, engine.sweep())


def attach_filter(socket: Socket, program: bytes | None, *, lock: bool = False) -> None:
    """Replace the filter of a socket, or remove it, and maybe lock it (net/core/filter.c)."""
    try:
        if program is not None:
            socket.attach_filter(program)
        else:
            with suppress(FileNotFoundError):  # there is none
                socket.detach_filter()
    except OSError as error:
        reasons = {
            errno.EPERM: "the filter of this socket is locked: open another connection",
            errno.ENOMEM: f"a filter of {len(program or b'') // 8} instructions exceeds the memory "
            "that sysctl net.core.optmem_max allows",
        }
        if error.errno not in reasons:
            raise
        raise OSError(error.errno, reasons[error.errno]) from None
    if lock:
        socket.lock_filter()


def leave_groups(socket: Socket, groups: Iterable[int]) -> None:
    """Leave groups of a subscription that has ended."""
    for group in groups:
        with suppress(OSError):  # the socket may be closed, or the group be gone
            socket.leave(group)


# --- forks ----------------------------------------------------------------------------------------


class Inherited:
    """Stands in a forked child for the socket of its parent, whose answers it must not receive."""

    closed = True
    reads_ahead = False
    port = rcvbuf = drops = 0

    def close(self) -> None:
        """It is closed."""

    def _refuse(self, *args: Any, **options: Any) -> NoReturn:
        raise OSError(
            errno.EBADF,
            "this connection belongs to the parent of this process: open another one after a fork",
        )

    send = begin_send = end_send = receive = begin_receive = _refuse
    join = leave = fileno = ifindex = namespace = _refuse
    attach_filter = detach_filter = lock_filter = _refuse


CONNECTIONS: WeakSet[Transport] = WeakSet()


def close_in_child() -> None:
    """Close the child's copies of all sockets. The parent does not notice it.

    So a child cannot receive what its parent waits for, and no call has to ask for the process.
    """
    for connection in CONNECTIONS:
        with suppress(Exception):
            connection._inherit(Inherited())


os.register_at_fork(after_in_child=close_in_child)


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
        self._overrun: OSError | None = None  # received, and not yet raised

    @property
    def port(self) -> int:
        """The socket's own address."""
        return self._socket.port

    @property
    def rcvbuf(self) -> int:
        """The receive buffer, in bytes."""
        return self._socket.rcvbuf

    @rcvbuf.setter
    def rcvbuf(self, size: int) -> None:
        """Change the size of the receive buffer, in bytes."""
        self._socket.rcvbuf = size

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._socket.closed

    @property
    def drops(self) -> int | None:
        """How many datagrams the kernel dropped for this socket, modulo 2**32."""
        return self._socket.drops

    @property
    def reads_ahead(self) -> bool:
        """Whether a thread receives ahead."""
        return self._socket.reads_ahead

    def begin_receive(self) -> None:
        """Have a thread receive ahead."""
        self._socket.begin_receive()

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

    def receive(
        self,
        timeout: float | None = None,
        inbox: list[tuple[bytes, bytes]] | None = None,
        max_datagrams: int = MANY,
    ) -> Any:
        """Return (data, index) of what came, or append it to `inbox`."""
        found = [] if inbox is None else inbox
        known = len(found)
        if self._overrun is None:
            try:
                self._socket.receive(timeout, found, max_datagrams)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._overrun = error  # an exception of `trace` must not hide it
                self._show("receive", error=error)
        overrun, self._overrun = self._overrun, None
        if overrun is not None:
            try:
                raise overrun
            finally:
                overrun = None  # it holds this frame
        for data, index in found[known:]:
            for start, length, port, group, nsid, flags in struct.iter_unpack(INDEX_FORMAT, index):
                datagram = data[start : start + length]
                self._show("receive", datagram, port=port, group=group, nsid=nsid, flags=flags)
        return found[0] if inbox is None else None

    def join(self, group: int, /) -> None:
        """Listen to a multicast group."""
        self._socket.join(group)

    def leave(self, group: int, /) -> None:
        """Stop listening to it."""
        self._socket.leave(group)

    def attach_filter(self, program: bytes, /) -> None:
        """Have the kernel run a classic BPF program before it queues a datagram."""
        self._socket.attach_filter(program)

    def detach_filter(self) -> None:
        """Remove that program."""
        self._socket.detach_filter()

    def lock_filter(self) -> None:
        """Keep that program until the socket is closed."""
        self._socket.lock_filter()

    def fileno(self) -> int:
        """A descriptor that is readable when receive() has something to give."""
        return self._socket.fileno()

    def ifindex(self, name: str, /) -> int:
        """The index of a link by its name."""
        return self._socket.ifindex(name)

    def namespace(self) -> int:
        """A new descriptor of the network namespace."""
        return self._socket.namespace()

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

    resolver = engine.resolver
    decoder = Decoder(
        families,
        dispatch=engine.dispatch,
        ids=resolver.ids if isinstance(resolver, Resolver) else None,
        groups=resolver.groups if isinstance(resolver, Resolver) else None,
    )
    return TracedSocket(socket, to_stderr if trace is None else trace, decoder)


# --- sockets --------------------------------------------------------------------------------------


def protocol_of(families: tuple[Family, ...]) -> int:
    """Return the protocol that all families share. Raises TypeError or ValueError."""
    if not families:
        raise TypeError("a Connection needs at least one family, as in: Connection(ROUTE)")
    for family in families:
        check_family(family)
    protocols = {family.protocol for family in families}
    if len(protocols) > 1:
        raise ValueError(
            "the families of a connection must share one protocol: "
            + ", ".join(f"{f.name} has {f.protocol}" for f in families)
        )
    return protocols.pop()


def check_options(options: Mapping[str, Any]) -> None:
    """Raise TypeError for an option that a connection does not have."""
    for name, value in options.items():
        if name == "no_enobufs":
            raise TypeError(
                "a Connection reports losses, which no_enobufs would hide: use RawSocket"
            )
        if name not in Options.__annotations__:
            known = [*Options.__annotations__, *KEYWORDS]
            raise TypeError(f"Connection() has no keyword {name!r}{near(name, known)}")
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, got {value!r}")


def open_socket(
    protocol: int, netns: Netns | None, options: Options | None = None, **buffers: Any
) -> _nlsock.RawSocket:
    """Return a bound socket with the options that the engine relies on, and with others."""
    with namespace(netns) as descriptor:
        sock = _nlsock.RawSocket(protocol, netns=descriptor, **buffers)
    try:
        is_route = protocol == NETLINK.NETLINK_ROUTE
        defaults = {"ext_ack": True, "cap_ack": True, "strict_check": is_route}
        for name, value in {**defaults, **(options or {})}.items():
            if value:
                setattr(sock, name, True)
        sock.bind()
    except BaseException:
        sock.close()
        raise
    return sock


@contextmanager
def namespace(netns: Netns | None) -> Iterator[int | None]:
    """The descriptor of a network namespace given as a Connection accepts it; None for our own."""
    if netns is None:
        yield None
        return
    if isinstance(netns, Fd):
        yield netns.fd
        return
    if isinstance(netns, Pid):
        path = f"/proc/{netns.pid}/ns/net"
    elif isinstance(netns, str | os.PathLike):
        path = os.fspath(netns)
        if not isinstance(path, str):
            raise _wrong_netns(netns)
        if "/" not in path:
            path = f"/run/netns/{path}"  # where ip-netns(8) keeps them
    elif not isinstance(netns, int) and callable(getattr(netns, "fileno", None)):
        yield netns.fileno()
        return
    else:
        raise _wrong_netns(netns)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _wrong_netns(netns: Any) -> TypeError:
    if isinstance(netns, int):
        return TypeError(
            f"netns={netns!r} is ambiguous: write netlink.Pid({netns}) for the namespace of a "
            f"process, or netlink.Fd({netns}) for an open descriptor"
        )
    return TypeError(
        "netns must be a name, a path, an open file, netlink.Pid(n) or netlink.Fd(n), got "
        f"{netns!r}"
    )
