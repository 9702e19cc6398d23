"""The blocking driver: an engine and a socket.

It sends what the engine gives, receives what it waits for, and adds no policy of its own. One
of the two files of the library that do I/O (the asyncio driver is the other).
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, cast

from netlink import _nlsock
from netlink._core import Messages, RawMessage
from netlink.constants import NETLINK
from netlink.engine import Batch, Engine, Reply, Stats
from netlink.errors import KernelError, NetlinkError, Overrun
from netlink.schema import Family, Message, Plan, Request

__all__ = ["Connection"]

M = TypeVar("M", bound=Message)
T = TypeVar("T")


class HasFileno(Protocol):
    """A file or anything else that has a descriptor."""

    def fileno(self) -> int:
        """The descriptor."""


# What one answer takes of the receive buffer at most: an NLMSG_ERROR with a capped request and an
# extended ACK in a buffer of its own, as the kernel accounts for it (skb->truesize).
ANSWER_SIZE = 2048
RETRIES = 3  # of a dump that was interrupted


class Connection:
    """A conversation with the kernel over one socket.

    `families` share one protocol. `rcvbuf` and `sndbuf` are the socket's buffers in bytes (more
    than net.core.rmem_max takes CAP_NET_ADMIN), `timeout` the longest silence in seconds while an
    answer is awaited (None: no bound). `netns` opens the socket in another network namespace, with
    no effect on the caller's own: a name as of `ip netns`, the path of a namespace file, the number
    of a process that is in it, or an object whose fileno() is such a file.

    Threads may share it: each gets its own answers. Events go to whoever iterates events(), which
    one thread at a time should. Closing it wakes a thread that waits, with OSError EBADF.

        with Connection(ROUTE) as nl:
            for link in nl.dump(link.get()):
                print(link.ifname)
    """

    def __init__(
        self,
        *families: Family,
        netns: str | os.PathLike[str] | int | HasFileno | None = None,
        rcvbuf: int | None = None,
        sndbuf: int | None = None,
        timeout: float | None = None,
    ) -> None:
        protocol = protocol_of(families)
        self.families = families
        self.timeout = timeout
        self._engine = Engine(families, self._wait)
        self._event_queue: deque[Iterator[Message | RawMessage | Overrun]] = deque()
        # The engine is one thread's at a time, and so is receiving: whoever receives feeds the
        # engine for all, and the others wait until they are told to look.
        self._turn = threading.Condition(threading.Lock())
        self._receiving = False
        self._socket = open_socket(protocol, netns, rcvbuf=rcvbuf, sndbuf=sndbuf)
        self._engine.port = self._socket.port

    # --- requests ---

    def do(self, request: Request[M], *, timeout: float | None = None) -> M | None:
        """Send one request and wait for its answer: one message, or None for a bare ACK.

        Raises KernelError where the kernel refuses, TimeoutError after `timeout` seconds (the
        connection's, where not given), and Overrun where the receive buffer was full, which leaves
        unknown what became of the request.
        """
        with self._turn:
            reply = self._engine.submit(request, timeout=self._timeout(timeout))
            self._flush()
        result = None
        for message in reply:
            if result is None:
                result = message
        return result

    def dump(
        self, request: Request[M], *, retries: int = RETRIES, timeout: float | None = None
    ) -> Reply[M]:
        """Send a dump request; its Reply streams the messages. Further dumps wait for its end.

        `retries` says how often it is begun again when its data changed under it; `timeout` is the
        longest silence in seconds.
        """
        with self._turn:
            reply = self._engine.submit(
                request,
                dump=True,
                retries=retries,
                timeout=self._timeout(timeout),
                again=self._dump_again,
            )
            self._flush()
        return reply

    def do_many(
        self,
        requests: Iterable[Request[M]],
        *,
        window: int | None = None,
        ack_last: bool = False,
        raise_errors: bool = False,
        timeout: float | None = None,
    ) -> Iterator[M | KernelError | None]:
        """Send many requests, some in one send, and give one outcome for each, in order.

        An outcome is a message, None for a bare ACK, or the KernelError, which `raise_errors`
        raises instead; its `index` is the position of the request. `requests` may be endless:
        it is read `window` at a time, as many as the receive buffer can hold the answers of.
        With `ack_last` only the last of a window asks for an ACK, with the same outcomes.
        """
        source = iter(requests)
        if window is None:
            window = max(1, self._socket.rcvbuf // ANSWER_SIZE)
        index = 0
        while batch := self._send_batch(list(islice(source, window)), ack_last, timeout):
            for outcome in batch.outcomes:
                if isinstance(outcome, KernelError):
                    outcome.index = index
                    if raise_errors:
                        raise outcome
                yield outcome
                index += 1

    def run(self, plan: Plan[T]) -> T:
        """Carry out a plan: send each request that it yields, and give it the answer."""
        answer: Any = None
        error: NetlinkError | None = None
        try:
            while True:
                request = plan.send(answer) if error is None else plan.throw(error)
                answer, error = None, None
                try:
                    answer = self.dump(request).all() if request.is_dump else self.do(request)
                except NetlinkError as caught:
                    error = caught
        except StopIteration as end:
            return cast(T, end.value)
        finally:
            plan.close()

    # --- events ---

    def join(self, *groups: str | int) -> None:
        """Listen to multicast groups, by name or number; their messages come out of events()."""
        for number in [self._group(group) for group in groups]:
            self._socket.join(number)

    def leave(self, *groups: str | int) -> None:
        """Stop listening to multicast groups."""
        for number in [self._group(group) for group in groups]:
            self._socket.leave(number)

    def events(self, timeout: float | None = None) -> Iterator[Message | RawMessage | Overrun]:
        """The messages of the joined groups as they come, and an Overrun where some were lost.

        Ends after `timeout` seconds without any; None waits for ever.
        """
        return chain.from_iterable(self._event_batches(timeout))

    def _event_batches(
        self, timeout: float | None
    ) -> Iterator[Iterable[Message | RawMessage | Overrun]]:
        # What a loop over events leaves behind stays at the head of the queue for the next one.
        batches = self._event_queue
        while True:
            for item in self._engine.take_events():
                if isinstance(item, Overrun):
                    batches.append(iter((item,)))
                else:
                    batches.append(Messages(item.data, self._engine.classes, item.start, item.end))
            while batches:
                yield batches[0]
                batches.popleft()
            try:
                self._wait_for(self._engine.has_events, timeout)
            except (TimeoutError, BlockingIOError):  # the latter where the timeout is 0
                return

    # --- the rest ---

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

    def close(self) -> None:
        """Close the socket; a receiver blocked in another thread wakes. Closing twice is fine."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        names = ", ".join(family.name for family in self.families)
        return f"<Connection to {names}{', closed' if self.closed else f' on port {self.port}'}>"

    # --- inside ---

    def _group(self, group: str | int) -> int:
        if isinstance(group, int):
            return group
        for family in self.families:
            if group in family.groups:
                return family.groups[group]
        return self.families[0].group(group)  # raises, and lists the names

    def _timeout(self, timeout: float | None) -> float | None:
        return self.timeout if timeout is None else timeout

    def _dump_again(self, reply: Reply[Any]) -> None:
        with self._turn:
            self._engine.submit_dump(reply)
            self._flush()

    def _send_batch(
        self, requests: list[Request[Any]], ack_last: bool, timeout: float | None
    ) -> Batch | None:
        """Send requests together and wait until their outcomes are known; None without any."""
        if not requests:
            return None
        with self._turn:
            batch = self._engine.submit_batch(
                requests, ack_last=ack_last, timeout=self._timeout(timeout)
            )
            self._flush()
        try:
            self._wait(batch)
        finally:
            self._engine.abandon(batch)
        if batch.error is not None:
            raise batch.error
        return batch

    def _wait(self, waiter: Reply[Any] | Batch) -> None:
        """What a Reply calls that has nothing more to give."""
        self._wait_for(lambda: waiter.ready, waiter.timeout)

    def _wait_for(self, ready: Callable[[], bool], timeout: float | None) -> None:
        """Receive, or let another thread receive, until ready() or the time is over."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._turn:
            while not ready():
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                if not self._receiving:
                    self._receive(left)
                elif not self._turn.wait(left) and not ready():
                    raise TimeoutError(errno.ETIMEDOUT, "no answer came in time")

    def _flush(self) -> None:
        """Send what the engine has to say. Each buffer is a send: together they could be more
        than the kernel takes at once (EMSGSIZE)."""
        outgoing = self._engine.take_outgoing()
        for position, buffer in enumerate(outgoing):
            try:
                self._socket.send(buffer, timeout=self.timeout)
            except BaseException:
                self._engine.send_failed(outgoing[position:])
                raise

    def _receive(self, timeout: float | None) -> None:
        """Receive once, with the turn given up meanwhile, and let the others look."""
        self._receiving = True
        self._turn.release()
        try:
            received = self._socket.receive(timeout)
        except OSError as error:
            self._turn.acquire()
            if error.errno != errno.ENOBUFS:
                raise
            self._engine.overrun()
            self._drain()
        except BaseException:
            self._turn.acquire()
            raise
        else:
            self._turn.acquire()
            self._engine.feed(*received)
        finally:
            self._receiving = False
            self._turn.notify_all()
            self._flush()  # a dump that waited for its turn

    def _drain(self) -> None:
        """After an overrun: take all that is left. The kernel adds nothing until that is done."""
        try:
            while True:
                try:
                    self._engine.feed(*self._socket.receive(0))
                except BlockingIOError:
                    break
                except OSError as error:
                    if error.errno != errno.ENOBUFS:
                        raise
                    self._engine.overrun()
        finally:
            self._engine.drained()


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


def open_socket(
    protocol: int, netns: str | os.PathLike[str] | int | HasFileno | None, **buffers: Any
) -> _nlsock.RawSocket:
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
def namespace(netns: str | os.PathLike[str] | int | HasFileno | None) -> Iterator[int | None]:
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
