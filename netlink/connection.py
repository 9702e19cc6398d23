"""The blocking driver: an engine and a socket.

It sends what the engine gives, receives what it waits for, and adds no policy of its own. One
of the two files of the library that do I/O (the asyncio driver is the other).
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from netlink import _nlsock
from netlink._core import Messages, RawMessage
from netlink.constants import NETLINK
from netlink.engine import Engine, Reply, Stats
from netlink.errors import NetlinkError, Overrun
from netlink.schema import Family, Message, Plan, Request

__all__ = ["Connection"]

M = TypeVar("M", bound=Message)
T = TypeVar("T")


class Connection:
    """A conversation with the kernel over one socket.

    `families` share one protocol. `rcvbuf` and `sndbuf` are the socket's buffers in bytes (more
    than net.core.rmem_max takes CAP_NET_ADMIN), `timeout` the longest silence in seconds while an
    answer is awaited (None: no bound). A Connection is for one thread at a time.

        with Connection(ROUTE) as nl:
            for link in nl.dump(link.get()):
                print(link.ifname)
    """

    def __init__(
        self,
        *families: Family,
        rcvbuf: int | None = None,
        sndbuf: int | None = None,
        timeout: float | None = None,
    ) -> None:
        if not families:
            raise TypeError("a Connection needs at least one family")
        protocols = {family.protocol for family in families}
        if len(protocols) > 1:
            raise ValueError(
                "one socket speaks one protocol: "
                + ", ".join(f"{f.name} is {f.protocol}" for f in families)
            )
        self.families = families
        self.timeout = timeout
        self._engine = Engine(families)
        self._event_queue: deque[Iterator[Message | RawMessage | Overrun]] = deque()
        self._socket = open_socket(protocols.pop(), rcvbuf=rcvbuf, sndbuf=sndbuf)

    # --- requests ---

    def do(self, request: Request[M]) -> M | None:
        """Send one request and wait for its answer: one message, or None for a bare ACK.

        Raises KernelError where the kernel refuses, TimeoutError, and Overrun where the receive
        buffer was full, which leaves unknown what became of the request.
        """
        result = None
        for message in self._submit(request, dump=False):
            if result is None:
                result = message
        return result

    def dump(self, request: Request[M]) -> Reply[M]:
        """Send a dump request; its Reply streams the messages. Further dumps wait for its end."""
        return self._submit(request, dump=True)

    def run(self, plan: Plan[T]) -> T:
        """Carry out a plan: send each request that it yields, and give it the answer."""
        answer: Any = None
        error: NetlinkError | None = None
        try:
            while True:
                request = plan.send(answer) if error is None else plan.throw(error)
                answer, error = None, None
                try:
                    answer = list(self.dump(request)) if request.is_dump else self.do(request)
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
                self._receive(timeout)
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

    def _submit(self, request: Request[M], *, dump: bool) -> Reply[M]:
        reply = self._engine.submit(request, dump=dump, wait=self._wait)
        self._flush()
        return reply

    def _wait(self) -> None:
        """What a Reply calls that has nothing more to give."""
        self._receive(self.timeout)

    def _flush(self) -> None:
        outgoing = self._engine.take_outgoing()
        if not outgoing:
            return
        try:
            self._socket.send(*outgoing, timeout=self.timeout)
        except BaseException:
            self._engine.send_failed(outgoing)
            raise

    def _receive(self, timeout: float | None) -> None:
        try:
            self._engine.feed(*self._socket.receive(timeout))
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self._engine.overrun()
            self._drain()
        finally:
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


def open_socket(protocol: int, **buffers: Any) -> _nlsock.RawSocket:
    """A bound socket with the options that the engine counts on."""
    sock = _nlsock.RawSocket(protocol, **buffers)
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
