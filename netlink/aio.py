"""The asyncio driver: the same names as the blocking one, awaited.

It makes no task. Whoever waits leaves a future, and the event loop watches the socket for as long
as one is left. Each time the socket is readable there is one receive, so that a busy socket cannot
starve the loop. A send never waits: it is the system call that carries the request out, so its
answer is there when it returns, and is looked for at once.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from netlink._core import Column, RawMessage
from netlink._driver import (
    PATIENCE,
    RETRIES,
    Driver,
    Netns,
    Room,
    Socket,
    Trace,
    Window,
    cut,
    take,
)
from netlink.engine import Batch, Engine, Steps
from netlink.engine import Reply as Answer
from netlink.errors import KernelError, NetlinkError, Overrun
from netlink.family import Family, IfIndex, Plan, Request
from netlink.schema import Message

__all__ = ["Connection", "Reply"]

M = TypeVar("M", bound=Message)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Waiter = Answer[Any] | Batch | Engine | Room
Failure = tuple[bytes, Exception]  # what could not be sent, and why


class Stream(AsyncIterator[T_co]):
    """The items of batch after batch; a cancelled step loses nothing, the next one goes on.

    `more` waits for a batch, and raises StopAsyncIteration where there is none.
    """

    __slots__ = ("_items", "_more")

    def __init__(self, more: Callable[[], Awaitable[Iterable[T_co]]]) -> None:
        self._more = more
        self._items: Iterator[T_co] = iter(())

    async def __anext__(self) -> T_co:
        while True:
            for item in self._items:
                return item
            self._items = iter(await self._more())


class Reply(Generic[M]):
    """The answer to one request: a stream of messages, then a final status.

    It is what netlink.Reply is, with `async for` and awaited methods. Leaving the iteration early
    is fine, and so is being cancelled in it: the rest is drained silently.
    """

    __slots__ = ("_engine", "_reply")

    def __init__(self, engine: Engine, reply: Answer[M]) -> None:
        self._engine = engine
        self._reply = reply

    @property
    def request(self) -> Request[M]:
        """What was asked."""
        return self._reply.request

    @property
    def done(self) -> bool:
        """Whether the end has come, though perhaps not all was handed out."""
        return self._reply.done

    @property
    def interrupted(self) -> bool:
        """Whether what is dumped changed meanwhile."""
        return self._reply.interrupted

    @property
    def error(self) -> BaseException | None:
        """What was raised at its end, or will be."""
        return self._reply.error

    @property
    def warning(self) -> str | None:
        """The kernel's words about a success."""
        return self._reply.warning

    def __aiter__(self) -> AsyncIterator[M]:
        steps = self._reply.steps()

        async def more() -> Iterable[M]:
            for run in steps:
                if run is not None:
                    return self._reply.messages(run)
                await self._reply.wait()
            raise StopAsyncIteration

        return Stream(more)

    async def all(self) -> list[M]:
        """The messages as a list, begun again where they were interrupted.

        Where that comes to nothing too, DumpInterrupted holds the last list as `partial`.
        """
        return await self._finish(self._reply.collect())

    async def columns(self, *paths: str) -> dict[str, Column]:
        """The reply as columns, one for each path, without making a message.

        Paths and errors are those of netlink.Reply.columns.
        """
        return await self._finish(self._reply.gather(*paths))

    async def _finish(self, steps: Steps[T]) -> T:
        try:
            while True:
                next(steps)
                await self._reply.wait()
        except StopIteration as end:
            return cast(T, end.value)
        finally:
            self._engine.abandon(self._reply)  # where the time is over, or the task cancelled

    def __repr__(self) -> str:
        return repr(self._reply)


class Step(Generic[T]):
    """An awaitable that is begun before it is awaited, to see whether that would take waiting."""

    __slots__ = ("_end", "_steps", "_wants")

    def __init__(self, awaitable: Awaitable[T]) -> None:
        self._steps = awaitable.__await__()
        self._end: BaseException | None = None
        try:
            self._wants = next(self._steps)  # the future that the loop is to wait for
        except BaseException as end:
            self._end = end  # its value too, as StopIteration

    @property
    def is_done(self) -> bool:
        """Whether awaiting it takes no waiting."""
        return self._end is not None

    def close(self) -> None:
        """Give it up."""
        # By throw(), as the close() of an anext() leaves the generator running before Python 3.12.
        if self._end is not None:
            return
        with suppress(GeneratorExit, StopIteration, StopAsyncIteration):
            self._steps.throw(GeneratorExit)
            raise RuntimeError("a source of requests ignored GeneratorExit")

    def __await__(self) -> Generator[Any, Any, T]:
        if isinstance(self._end, StopIteration):
            return cast(T, self._end.value)
        if self._end is not None:
            raise self._end
        wants = self._wants
        while True:  # as `yield from` does, which cannot begin in the middle
            try:
                try:
                    yield wants
                except GeneratorExit:
                    self.close()
                    raise
                except BaseException as error:
                    wants = self._steps.throw(error)
                else:
                    wants = next(self._steps)
            except StopIteration as end:
                return cast(T, end.value)


class Source(Generic[M]):
    """The requests of an async iterable: as many at a time as come without waiting."""

    def __init__(self, requests: AsyncIterable[Request[M]]) -> None:
        self._requests = aiter(requests)
        self._next: Step[Request[M]] | None = None

    async def take(
        self, count: int, *, bracketed: bool
    ) -> tuple[list[Request[M]], Exception | None]:
        """What take() of the driver gives; none at all only at the end."""
        taken: list[Request[M]] = []
        is_open = False
        try:
            while len(taken) < count or is_open:
                if self._next is None:
                    self._next = Step(anext(self._requests))
                if taken and not is_open and not self._next.is_done:
                    break  # these need not wait for it
                step, self._next = self._next, None
                request = await step
                taken.append(request)
                if bracketed and request.op.bracket:
                    is_open = request.op.bracket > 0
        except StopAsyncIteration:
            pass
        except Exception as error:
            return cut(taken) if bracketed else taken, error
        return taken, None

    def close(self) -> None:
        """Ask for no more."""
        if self._next is not None:
            self._next.close()


class Connection(Driver):
    """A conversation with the kernel over one socket, for the tasks of one event loop.

    `families` share one protocol. `rcvbuf` and `sndbuf` are the socket's buffers in bytes (more
    than net.core.rmem_max takes CAP_NET_ADMIN), `timeout` the longest silence in seconds while an
    answer is awaited (None: no bound). `netns` opens the socket in another network namespace, with
    no effect on the caller's own: a name as of `ip netns`, the path of a namespace file, the number
    of a process that is in it, or an object whose fileno() is such a file. `trace` is called with
    each datagram before it is sent and when it was received, as a netlink.trace.Traced: `print`
    will do. `socket` stands in for one of the kernel's, as that of netlink.testing does.

    A send is when the kernel carries a request out, and the loop stands still meanwhile: with
    `threaded_sends` a thread of the loop's executor sends, and the loop goes on.

    Tasks may share it: each gets its own answers. A task that is cancelled abandons what it waits
    for and disturbs nobody; whether the kernel had carried a request out by then, it cannot know.
    Events go to whoever iterates events(). Nothing is received while nobody waits.

        async with Connection(ROUTE) as nl:
            async for link in nl.dump(link.get()):
                print(link.ifname)
    """

    def __init__(
        self,
        *families: Family,
        netns: Netns | None = None,
        rcvbuf: int | None = None,
        sndbuf: int | None = None,
        timeout: float | None = None,
        threaded_sends: bool = False,
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
        self.threaded_sends = threaded_sends
        self._waiters: dict[asyncio.Future[Exception | None], Waiter] = {}
        self._watching: asyncio.AbstractEventLoop | None = None  # the loop that watches the socket
        self._sending = False  # a thread is at it
        self._draining = False  # there was an overrun, and the socket's queue was not empty since

    # --- requests ---

    async def do(self, request: Any, *, timeout: float | None = None) -> Any:
        """Send one request and wait for its answer: one message, or None for a bare ACK.

        Raises KernelError where the kernel refuses, TimeoutError after `timeout` seconds (the
        connection's, where not given), and Overrun where the receive buffer was full, which leaves
        unknown what became of the request.
        """
        if isinstance(request, Plan):
            return await self._run(request)
        reply = self._engine.submit(request, timeout=self._timeout(timeout))
        self._send()
        messages = await Reply(self._engine, reply).all()
        return messages[0] if messages else None

    def dump(
        self, request: Request[M], *, retries: int = RETRIES, timeout: float | None = None
    ) -> Reply[M]:
        """Send a dump request; its Reply streams the messages. Further dumps wait for its end.

        `retries` says how often it is begun again when its data changed under it; `timeout` is the
        longest silence in seconds.
        """
        reply = self._engine.submit(
            request,
            dump=True,
            retries=retries,
            timeout=self._timeout(timeout),
            again=self._dump_again,
        )
        self._send()
        return Reply(self._engine, reply)

    async def do_many(
        self,
        requests: Iterable[Request[M]] | AsyncIterable[Request[M]],
        *,
        window: int | None = None,
        ack_last: bool = False,
        raise_errors: bool = False,
        timeout: float | None = None,
    ) -> AsyncIterator[M | KernelError | None]:
        """Send many requests, some in one send, and give one outcome for each, in order.

        An outcome is a message, None for a bare ACK, or the KernelError, which `raise_errors`
        raises instead; its `index` is the position of the request. With `ack_last` only the last
        of those that go together asks for an ACK, with the same outcomes, in half the time.

        `requests` may be endless: at most `window` are read before their outcomes are given, by
        default as many as the receive buffer can hold the answers of. Of an async iterable those go
        together that come without waiting. What `requests` raises comes behind the outcomes of what
        it gave before.

        Requests between two that open and close a batch, as nftables has them, reach the kernel in
        one send, and it carries out all of them or none. Where it refuses the whole, each outcome
        says so; where it refuses some, the others are not done either, though theirs is None.
        """
        bracketed = self._engine.bracketed
        source = Source(requests) if isinstance(requests, AsyncIterable) else iter(requests)
        failure: Exception | None = None
        width = Window(window, self._socket.rcvbuf)
        taken: list[Request[M]]
        rest: list[Request[M]] = []
        if self._engine.names is not None:
            self._receive()  # what nlctrl has announced: a batch is not tried once more
        index = 0
        try:
            while failure is None or rest:
                if rest:
                    taken = rest
                elif isinstance(source, Source):
                    taken, failure = await source.take(width.most, bracketed=bracketed)
                else:
                    taken, failure = take(source, width.most, bracketed=bracketed)
                if not taken:
                    break
                taken, rest = width.split(taken, bracketed=bracketed)
                answer_size = width.answer_size(taken)
                room = width.room(self._engine, len(taken) * answer_size)
                if not room.ready:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(PATIENCE):
                            while not room.ready:  # another task may be faster
                                await self._wait_for(room, None)
                batch = self._engine.submit_batch(
                    taken,
                    ack_last=ack_last,
                    timeout=self._timeout(timeout),
                    answer_size=answer_size,
                )
                self._send()
                try:
                    await self._wait(batch)
                finally:
                    self._engine.abandon(batch)
                for outcome in batch.results(index, raise_errors=raise_errors):
                    yield outcome
                index += len(taken)
                width.learn(batch)
        finally:
            if isinstance(source, Source):
                source.close()
        if failure is not None:
            raise failure

    async def _run(self, plan: Any) -> Any:
        answer: Any = None
        error: NetlinkError | None = None
        steps = plan.steps() if isinstance(plan, Plan) else plan
        try:
            while True:
                request = steps.send(answer) if error is None else steps.throw(error)
                answer, error = None, None
                try:
                    if isinstance(request, Plan):
                        answer = await self._run(request)
                    elif isinstance(request, IfIndex):
                        answer = socket.if_nametoindex(request.name)
                    else:
                        answer = await (
                            self.dump(request).all() if request.is_dump else self.do(request)
                        )
                except NetlinkError as caught:
                    error = caught
        except StopIteration as end:
            return end.value
        finally:
            steps.close()

    # --- events ---

    async def join(self, *groups: str | int) -> None:
        """Listen to multicast groups, by name or number; their messages come out of events()."""
        await self._run(self._joining(groups))

    async def leave(self, *groups: str | int) -> None:
        """Stop listening to multicast groups."""
        await self._run(self._leaving(groups))

    def events(self, timeout: float | None = None) -> AsyncIterator[Message | RawMessage | Overrun]:
        """The messages of the joined groups as they come, and an Overrun where some were lost.

        Ends after `timeout` seconds without any; None waits for ever. A step may be cancelled and
        taken again: `await asyncio.wait_for(anext(events), 1)` loses nothing.
        """

        async def more() -> Iterable[Message | RawMessage | Overrun]:
            if not self._engine.ready:
                try:
                    await self._wait_for(self._engine, timeout)
                except TimeoutError:
                    raise StopAsyncIteration from None
            return self._engine.events()

        return Stream(more)

    # --- the rest ---

    def close(self) -> None:
        """Close the socket; tasks that wait get OSError EBADF. Closing twice is fine."""
        self._unwatch()
        self._socket.close()
        self._wake(OSError(errno.EBADF, "netlink socket is closed"))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # --- inside: waiting ---

    async def _wait(self, waiter: Answer[Any] | Batch) -> None:
        """What a Reply awaits that has nothing more to give."""
        try:
            await self._wait_for(waiter, waiter.timeout)
        except Exception:  # not of a cancelled step, which may be taken again
            self._engine.abandon(waiter)
            raise

    async def _wait_for(self, waiter: Waiter, timeout: float | None) -> None:
        """Wait until it is ready or the time is over."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiters[future] = waiter
        timer = None
        try:
            self._receive()
            if future.done():
                await asyncio.sleep(0)  # the others' turn
            else:
                if timeout is not None:
                    timer = loop.call_later(timeout, _expire, future)
                self._watch(loop)
            error = await future
        finally:
            if timer is not None:
                timer.cancel()
            self._waiters.pop(future, None)
            if not self._waiters:
                self._unwatch()
        if error is not None:
            raise error

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._watching is None:
            loop.add_reader(self._socket.fileno(), self._receive)
            self._watching = loop

    def _unwatch(self) -> None:
        if self._watching is not None:
            self._watching.remove_reader(self._socket.fileno())
            self._watching = None

    def _wake(self, error: Exception | None = None) -> None:
        """Let those go on who have what they wait for; after an error, which may have cost
        anyone's answer, the others too."""
        for future, waiter in [*self._waiters.items()]:
            arrived = waiter.ready
            if arrived or error is not None:
                del self._waiters[future]
                if not future.done():
                    future.set_result(None if arrived else error)

    # --- inside: sending and receiving ---

    def _dump_again(self, reply: Answer[Any]) -> None:
        self._engine.resubmit(reply)
        self._send()

    def _send(self) -> None:
        """Send what the engine has to say, or have it sent."""
        if self._sending or self._draining:
            return  # whoever ends that comes back here
        self._rejoin()
        outgoing = self._engine.take_outgoing()
        if outgoing and self.threaded_sends and not self.closed:
            loop = asyncio.get_running_loop()
            self._sending = True
            loop.run_in_executor(None, self._send_now, outgoing).add_done_callback(self._sent)
        elif outgoing:
            self._forget(self._send_now(outgoing))

    def _send_now(self, outgoing: list[bytes]) -> list[Failure]:
        """Send, and return what failed. Each buffer is a send: together they could be more than the
        kernel takes at once (EMSGSIZE)."""
        failed = []
        for buffer in outgoing:
            try:
                self._socket.send(buffer, timeout=0)
            except Exception as error:
                failed.append((buffer, error))
        return failed

    def _sent(self, thread: asyncio.Future[list[Failure]]) -> None:
        self._sending = False
        self._forget(thread.result())
        if self._draining:
            self._drain()
        self._send()
        self._wake()

    def _forget(self, failed: list[Failure]) -> None:
        for buffer, error in failed:
            self._engine.send_failed([buffer], error)
        if failed:
            self._send()  # a dump that waited for one of these

    def _receive(self) -> None:
        """Receive once, and let those go on who have what they wait for."""
        failure: Exception | None = None
        try:
            self._engine.feed(*self._socket.receive(0))
        except BlockingIOError:
            # What a thread is sending meanwhile may start a dump: receiving has to end that too.
            if self._draining and not self._sending:
                self._draining = False
                self._engine.drained()
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENOBUFS:
                self._engine.overrun()
                if not self._draining:
                    self._draining = True
                    asyncio.get_running_loop().call_soon(self._drain)
            else:
                failure = error
        self._send()  # a dump that waited for its turn
        self._wake(failure)

    def _drain(self) -> None:
        """After an overrun: take all that is left, as the kernel adds nothing until that is done.

        An empty queue makes nothing readable, so the loop would not call."""
        self._receive()
        if self._draining and not self._sending and not self.closed:
            asyncio.get_running_loop().call_soon(self._drain)


def _expire(future: asyncio.Future[Exception | None]) -> None:
    if not future.done():
        future.set_result(TimeoutError(errno.ETIMEDOUT, "no answer came in time"))
