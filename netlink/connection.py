"""The blocking driver: an engine and a socket.

It sends what the engine gives, receives what it waits for, and adds no policy of its own. One
of the two files of the library that do I/O (the asyncio driver is the other).
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from types import TracebackType
from typing import Any, Self, TypeVar

from netlink._core import RawMessage
from netlink._driver import (
    AHEAD,
    PATIENCE,
    RETRIES,
    Driver,
    Netns,
    Room,
    Socket,
    Trace,
    Window,
    take,
)
from netlink.engine import Batch, Engine, Reply
from netlink.errors import KernelError, NetlinkError, Overrun
from netlink.family import Family, IfIndex, Plan, Request
from netlink.schema import Message

__all__ = ["Connection"]

M = TypeVar("M", bound=Message)
T = TypeVar("T")


class Connection(Driver):
    """A conversation with the kernel over one socket.

    `families` share one protocol. `rcvbuf` and `sndbuf` are the socket's buffers in bytes (more
    than net.core.rmem_max takes CAP_NET_ADMIN), `timeout` the longest silence in seconds while an
    answer is awaited (None: no bound). `netns` opens the socket in another network namespace, with
    no effect on the caller's own: a name as of `ip netns`, the path of a namespace file, the number
    of a process that is in it, or an object whose fileno() is such a file. `trace` is called with
    each datagram before it is sent and when it was received, as a netlink.trace.Traced: `print`
    will do. `socket` stands in for one of the kernel's, as that of netlink.testing does.

    Threads may share it: each gets its own answers. Events go to whoever iterates events(), which
    one thread at a time should. Closing it wakes a thread that waits, with OSError EBADF.

        with Connection(ROUTE) as nl:
            for link in nl.dump(link.get()):
                print(link.ifname)
    """

    def __init__(
        self,
        *families: Family,
        netns: Netns | None = None,
        rcvbuf: int | None = None,
        sndbuf: int | None = None,
        timeout: float | None = None,
        trace: Trace | None = None,
        socket: Socket | None = None,
    ) -> None:
        super().__init__(
            families,
            netns=netns,
            rcvbuf=rcvbuf,
            sndbuf=sndbuf,
            timeout=timeout,
            trace=trace,
            socket=socket,
        )
        # The engine is one thread's at a time, and so is receiving: whoever receives feeds the
        # engine for all, and the others wait until they are told to look.
        self._lock = threading.Lock()
        self._turn = threading.Condition(self._lock)
        self._receiving = False
        self._idle = 0  # how many threads wait for the one that receives
        self._ahead: tuple[Batch, list[bytes]] | None = None  # what a thread is sending

    # --- requests ---

    def do(self, request: Any, *, timeout: float | None = None) -> Any:
        """Send one request and wait for its answer: one message, or None for a bare ACK.

        Raises KernelError where the kernel refuses, TimeoutError after `timeout` seconds (the
        connection's, where not given), and Overrun where the receive buffer was full, which leaves
        unknown what became of the request.
        """
        if isinstance(request, Plan):
            return self._run(request)
        with self._lock:
            reply = self._engine.submit(request, timeout=self._timeout(timeout))
            self._flush()
        self._wait(reply)
        if reply.is_plain:
            return reply.first()
        result = None
        try:
            for message in reply:
                if result is None:
                    result = message
        except BaseException:
            with self._lock:
                self._engine.abandon(reply)  # which the exception still holds
            raise
        return result

    def dump(
        self, request: Request[M], *, retries: int = RETRIES, timeout: float | None = None
    ) -> Reply[M]:
        """Send a dump request; its Reply streams the messages. Further dumps wait for its end.

        `retries` says how often it is begun again when its data changed under it; `timeout` is the
        longest silence in seconds.
        """
        with self._lock:
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
        raises instead; its `index` is the position of the request. With `ack_last` only the last
        of those that go together asks for an ACK, with the same outcomes, in half the time.

        `requests` may be endless: at most `window` are read before their outcomes are given, by
        default as many as the receive buffer can hold the answers of (1 MiB of `rcvbuf` is worth
        it). Of a large window the kernel is at one half while the next is made. What `requests`
        raises comes behind the outcomes of what it gave before.

        Requests between two that open and close a batch, as nftables has them, reach the kernel in
        one send, and it carries out all of them or none. Where it refuses the whole, each outcome
        says so; where it refuses some, the others are not done either, though theirs is None.
        """
        source = iter(requests)
        bracketed = self._engine.bracketed
        failure: Exception | None = None
        width = Window(window, self._socket.rcvbuf)
        rest: list[Request[M]] = []
        self._catch_up()
        index = 0
        begun: list[Batch] = []
        try:
            while True:
                ahead = width.most >= AHEAD
                if failure is None or rest:
                    taken = rest
                    if not taken:
                        count = width.most // 2 if ahead else width.most
                        taken, failure = take(source, count, bracketed=bracketed)
                    taken, rest = width.split(taken, bracketed=bracketed)
                    if begun:
                        self._end_send(begun[-1])
                    if taken:
                        begun.append(
                            self._begin_batch(taken, width, ack_last, timeout, ahead=ahead)
                        )
                        if ahead and len(begun) == 1:
                            continue  # to make the next while the kernel is at this one
                if not begun:
                    break
                batch = begun[0]
                self._finish_batch(batch)
                del begun[0]
                yield from batch.results(index, raise_errors=raise_errors)
                index += len(batch.outcomes)
                width.learn(batch)
        finally:
            for batch in begun:
                self._give_up(batch)
        if failure is not None:
            raise failure

    def _run(self, plan: Any) -> Any:
        answer: Any = None
        error: NetlinkError | None = None
        steps = plan.steps() if isinstance(plan, Plan) else plan
        try:
            while True:
                request = steps.send(answer) if error is None else steps.throw(error)
                answer, error = None, None
                try:
                    if isinstance(request, Plan):
                        answer = self._run(request)
                    elif isinstance(request, IfIndex):
                        answer = socket.if_nametoindex(request.name)
                    else:
                        answer = self.dump(request).all() if request.is_dump else self.do(request)
                except NetlinkError as caught:
                    error = caught
        except StopIteration as end:
            return end.value
        finally:
            steps.close()

    # --- events ---

    def join(self, *groups: str | int) -> None:
        """Listen to multicast groups, by name or number; their messages come out of events()."""
        self._run(self._joining(groups))

    def leave(self, *groups: str | int) -> None:
        """Stop listening to multicast groups."""
        self._run(self._leaving(groups))

    def events(self, timeout: float | None = None) -> Iterator[Message | RawMessage | Overrun]:
        """The messages of the joined groups as they come, and an Overrun where some were lost.

        Ends after `timeout` seconds without any; None waits for ever.
        """
        return chain.from_iterable(self._event_batches(timeout))

    def _event_batches(
        self, timeout: float | None
    ) -> Iterator[Iterable[Message | RawMessage | Overrun]]:
        while True:
            yield self._engine.events()
            try:
                self._wait_for(self._engine, timeout)
            except TimeoutError:
                return

    # --- the rest ---

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

    # --- inside ---

    def _dump_again(self, reply: Reply[Any]) -> None:
        with self._lock:
            self._engine.resubmit(reply)
            self._flush()

    def _catch_up(self) -> None:
        """Take in what nlctrl has announced: unlike a single request, those of a batch are not
        tried once more under a new number."""
        with self._lock, suppress(BlockingIOError):
            if self._engine.names is not None and not self._receiving:
                self._receive(0)

    def _begin_batch(
        self,
        requests: list[Request[Any]],
        window: Window,
        ack_last: bool,
        timeout: float | None,
        *,
        ahead: bool,
    ) -> Batch:
        """Send requests together or, `ahead`, have the socket's thread send them."""
        answer_size = window.answer_size(requests)
        room = window.room(self._engine, len(requests) * answer_size)
        end = time.monotonic() + PATIENCE
        batch: Batch | None = None
        try:
            while True:
                with self._lock:
                    if room.ready or time.monotonic() >= end:
                        self._flush()
                        batch = self._engine.submit_batch(
                            requests,
                            ack_last=ack_last,
                            timeout=self._timeout(timeout),
                            answer_size=answer_size,
                        )
                        self._send_batch(batch, ahead=ahead)
                        return batch
                with suppress(TimeoutError):
                    self._wait_for(room, PATIENCE)
        except BaseException:
            if batch is not None:
                self._give_up(batch)
            raise

    def _send_batch(self, batch: Batch, *, ahead: bool) -> None:
        if not ahead or self._ahead is not None:
            self._flush()
            return
        buffers = self._engine.take_outgoing()
        self._ahead = batch, buffers  # first: a signal may come behind the call
        try:
            self._socket.begin_send(buffers)
        except OSError:  # no thread is to be had
            self._ahead = None
            self._send(buffers)

    def _end_send(self, batch: Batch) -> None:
        """Wait until all of a batch was sent: by then the kernel has carried it out."""
        ahead = self._ahead  # once: it may be another's, whose thread ends meanwhile
        if ahead is None or ahead[0] is not batch:
            return
        try:
            self._socket.end_send()
        except OSError as error:
            with self._lock:
                self._engine.send_failed(ahead[1], error)
        self._ahead = None

    def _give_up(self, batch: Batch) -> None:
        """Wait no more, but for the thread that sends it."""
        self._end_send(batch)
        self._engine.abandon(batch)

    def _finish_batch(self, batch: Batch) -> None:
        """Wait until the outcomes of a batch are known."""
        self._end_send(batch)
        try:
            self._wait(batch)
        finally:
            self._engine.abandon(batch)

    def _wait(self, waiter: Reply[Any] | Batch) -> None:
        """What a Reply calls that has nothing more to give."""
        try:
            self._wait_for(waiter, waiter.timeout)
        except BaseException:
            with self._lock:
                self._engine.abandon(waiter)  # which the exception holds
            raise

    def _wait_for(self, waiter: Reply[Any] | Batch | Engine | Room, timeout: float | None) -> None:
        """Receive, or let another thread receive, until it is ready or the time is over."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            while not waiter.ready:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                try:
                    if not self._receiving:
                        self._receive(left)
                    elif not self._wait_turn(left) and not waiter.ready:
                        raise BlockingIOError
                except BlockingIOError:  # of a receive too, when no time is left
                    raise TimeoutError(errno.ETIMEDOUT, "no answer came in time") from None

    def _wait_turn(self, timeout: float | None) -> bool:
        """Wait until the thread that receives has done so; whether that was in time."""
        self._idle += 1
        try:
            return self._turn.wait(timeout)
        finally:
            self._idle -= 1

    def _flush(self) -> None:
        """Send what the engine has to say. Each buffer is a send: together they could be more
        than the kernel takes at once (EMSGSIZE)."""
        if self._engine.names is not None:
            self._rejoin()
        while outgoing := self._engine.take_outgoing():  # again: a dump waits for one that failed
            self._send(outgoing)

    def _send(self, outgoing: list[bytes]) -> None:
        for position, buffer in enumerate(outgoing):
            try:
                self._socket.send(buffer, timeout=self.timeout)
            except OSError as error:  # which who waits for the answer gets
                self._engine.send_failed([buffer], error)
            except BaseException as error:
                self._engine.send_failed(outgoing[position:], error)
                raise

    def _receive(self, timeout: float | None) -> None:
        """Receive once, with the turn given up meanwhile, and let the others look."""
        self._receiving = True
        try:
            try:
                self._lock.release()  # in here: a signal may come behind it
                received = self._socket.receive(timeout)
            finally:
                self._lock.acquire()
            self._engine.feed(*received)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self._engine.overrun()
            self._drain()
        finally:
            self._receiving = False
            if self._idle:
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
