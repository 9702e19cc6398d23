"""The asyncio driver: the same names as the blocking one, awaited.

It waits by awaiting, and contains no policy: that is in the engine, in _exchange.py and in
_pipeline.py, which the blocking driver shares. It makes no task: a waiter is a future, and the
event loop watches the socket while there is one. Each time the socket is readable there is one
receive, so that a busy socket cannot starve the loop. The system call that sends a request carries
it out, so that its answer is read at once.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import nullcontext, suppress
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, Unpack, cast, overload

from netlink import _pipeline
from netlink._core import Column
from netlink._events import EventBatch, batch_of, check_unselected
from netlink._exchange import Batch, Exchange, Pauses, untraced
from netlink._pipeline import (
    PATIENCE,
    RETRIES,
    Pipeline,
    bracket_of,
    can_dump,
    check_retries,
    check_timeout,
    cut,
    is_late,
    wrong_request,
)
from netlink._transport import MANY, Netns, Options, Socket, Trace, Transport, keep_up, leave_groups
from netlink.engine import Event, Queue, Stats
from netlink.errors import KernelError, NetlinkError, Overrun
from netlink.family import Family, Plan, Request
from netlink.follow import (
    Change,
    Changes,
    Following,
    Mark,
    MirrorBase,
    Rounds,
    check_sources,
    wrong_mirror,
)
from netlink.schema import Message

if TYPE_CHECKING:
    from netlink.filter import Condition, Filter

__all__ = ["Connection", "Follower", "Merged", "Mirror", "Reply", "Subscription", "merge"]

D_co = TypeVar("D_co", bound=Message, covariant=True)
D = TypeVar("D", bound=Message)
R = TypeVar("R")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Failure = tuple[bytes, Exception]  # what could not be sent, and why

FAIR = 8  # answers that were there at once, after which the other tasks get a turn


class Stream(AsyncIterator[T_co]):
    """The items of batch after batch. A cancelled step loses nothing: the next one continues.

    `more` waits for a batch, and raises StopAsyncIteration if there is none.
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

    def __iter__(self) -> NoReturn:
        raise TypeError("these events arrive asynchronously; write: async for event in ...")


class Reply(Generic[D_co]):
    """The answer to a dump: a stream of messages, then a final status.

    It is what netlink.Reply is, with `async for` and awaited methods. Leaving the iteration early,
    or a cancellation in it, is allowed; a second iteration continues where the first one stopped.
    """

    __slots__ = ("_connection", "_exchange")

    def __init__(self, connection: Connection, exchange: Exchange) -> None:
        self._connection = connection
        self._exchange = exchange

    @property
    def request(self) -> Request[Any, D_co]:
        """The request."""
        return self._exchange.request

    @property
    def done(self) -> bool:
        """Whether the end was received, though perhaps not everything was handed out."""
        return self._exchange.done

    @property
    def interrupted(self) -> bool:
        """Whether the dumped data changed meanwhile."""
        return self._exchange.interrupted

    @property
    def error(self) -> BaseException | None:
        """What was raised at the end, or will be."""
        return self._exchange.error

    @property
    def warning(self) -> str | None:
        """The kernel's message about a success."""
        return self._exchange.warning

    def __aiter__(self) -> AsyncIterator[D_co]:
        return Stream(self._more)

    def __iter__(self) -> NoReturn:
        raise TypeError(
            f"the reply of netlink.aio arrives asynchronously; write: "
            f"async for message in nl.dump({self._exchange.request.name}(...))"
        )

    async def _more(self) -> Iterable[Any]:
        exchange = self._exchange
        while True:
            messages = exchange.take()
            if messages is not None:
                return messages
            if exchange.exhausted:
                raise StopAsyncIteration
            await self._connection._wait(exchange)

    async def all(self) -> list[D_co]:
        """Return the messages that were not handed out yet as a list.

        The dump is requested again if it was interrupted. If that fails too, DumpInterrupted has
        the last list as `partial`.
        """
        return await self._finish(self._exchange.collect())

    async def columns(self, *paths: str) -> dict[str, Column]:
        """Return the reply as columns, one for each path, without making messages.

        Paths and errors are those of netlink.Reply.columns.
        """
        return await self._finish(self._exchange.gather(*paths))

    async def _finish(self, steps: Pauses[T]) -> T:
        try:
            while True:
                next(steps)
                await self._connection._wait(self._exchange)
        except StopIteration as end:
            return cast(T, end.value)
        finally:
            self._connection._engine.abandon(self._exchange)  # after a timeout or a cancellation

    def __repr__(self) -> str:
        return repr(self._exchange)


class Subscription:
    """The events of some multicast groups, with a queue of its own.

    It is what netlink.Subscription is, with `async for` and an awaited close(). A step may be
    cancelled and taken again: `await asyncio.wait_for(anext(events), 1)` loses nothing.
    """

    __slots__ = ("_connection", "_queue")

    def __init__(self, connection: Connection, queue: Queue) -> None:
        self._connection = connection
        self._queue = queue

    @property
    def pending(self) -> int:
        """The number of events that are queued; an Overrun counts as one."""
        return self._queue.pending

    def events(self, timeout: float | None = None) -> AsyncIterator[Event]:
        """Yield events as they arrive; end after `timeout` seconds of silence (None: never)."""
        return _events(self._connection, self._queue, timeout, self)

    def event_batches(self, timeout: float | None = None) -> AsyncIterator[EventBatch | Overrun]:
        """Yield events as events() does, all of one receive and group at once."""
        return _event_batches(self._connection, self._queue, timeout, self)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self.events()

    def __iter__(self) -> NoReturn:
        raise TypeError("these events arrive asynchronously; write: async for event in ...")

    async def close(self) -> None:
        """Unsubscribe. Closing twice is allowed. Loops of other tasks end."""
        if not self._queue.closed:
            self._connection._unsubscribe(self._queue)

    def __del__(self) -> None:
        queue = getattr(self, "_queue", None)  # __init__ may have failed
        if isinstance(queue, Queue) and not queue.closed:
            self._connection._engine.forsaken.append(self._queue)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _events(
    connection: Connection, queue: Queue, timeout: float | None, owner: Subscription | None = None
) -> AsyncIterator[Event]:
    return Stream(Batches(connection, queue, check_timeout(timeout), owner).more)


def _event_batches(
    connection: Connection, queue: Queue, timeout: float | None, owner: Subscription | None = None
) -> AsyncIterator[EventBatch | Overrun]:
    check_unselected(queue)
    return Stream(Batches(connection, queue, check_timeout(timeout), owner).more_whole)


class Batches:
    """The events of a queue, batch by batch. It holds the `owner`, which unsubscribes when it is
    dropped."""

    __slots__ = ("_connection", "_gathers", "_owner", "_queue", "_timeout")

    def __init__(
        self,
        connection: Connection,
        queue: Queue,
        timeout: float | None,
        owner: Subscription | None,
    ) -> None:
        self._connection = connection
        self._queue = queue
        self._timeout = timeout
        self._owner = owner
        self._gathers: dict[Any, Any] = {}

    async def more(self) -> Iterable[Event]:
        """Wait for the next batch. Raises StopAsyncIteration after silence, or at the end."""
        return cast("Iterable[Event]", await self._more(self._queue.take))

    async def more_whole(self) -> Iterable[EventBatch | Overrun]:
        """As more(), but all of a batch is one item, and it is handed out once."""
        return (batch_of(self._gathers, await self._more(self._queue.take_whole)),)

    async def _more(self, take: Callable[[], Any]) -> Any:
        while not self._queue.closed:
            batch = take()
            if batch is not None:
                return batch
            try:
                await self._connection._wait_for(self._queue, self._timeout)
            except TimeoutError:
                break
        raise StopAsyncIteration


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


class Source:
    """The requests of an async iterable: as many at a time as come without waiting."""

    def __init__(self, requests: AsyncIterable[Any]) -> None:
        self._requests = aiter(requests)
        self._next: Step[Any] | None = None

    async def take(self, count: int, *, bracketed: bool) -> tuple[list[Any], Exception | None]:
        """Return what take() of a blocking source returns; nothing only at the end."""
        taken: list[Any] = []
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
                if bracketed and (bracket := bracket_of(request)):
                    is_open = bracket > 0
        except StopAsyncIteration:
            pass
        except Exception as error:
            return cut(taken) if bracketed else taken, error
        return taken, None

    def close(self) -> None:
        """Ask for no more."""
        if self._next is not None:
            self._next.close()


class Outcomes(AsyncIterator[Any]):
    """The outcomes of a do_many(). Nothing happens before the first one is asked for."""

    __slots__ = ("_connection", "_is_busy", "_pipeline", "_ready", "_source", "_steps")

    def __init__(
        self, connection: Connection, source: Source | Iterator[Any], pipeline: Pipeline
    ) -> None:
        self._connection = connection
        self._source = source
        self._pipeline: Pipeline | None = pipeline
        self._steps: Generator[Any, Any, None] | None = None
        self._ready: Iterator[Any] = iter(())
        self._is_busy = False

    async def __anext__(self) -> Any:
        for outcome in self._ready:
            return outcome
        if self._is_busy:
            raise RuntimeError("another task waits for the next outcome of this do_many()")
        self._is_busy = True
        try:
            await self._proceed()
        except BaseException:
            await self.aclose()
            raise
        finally:
            self._is_busy = False
        for outcome in self._ready:
            return outcome
        await self.aclose()
        raise StopAsyncIteration

    async def _proceed(self) -> None:
        """Execute steps until there are outcomes, or to the end."""
        if self._connection._watching is not None:
            self._connection._stay()
        try:
            if self._steps is not None:
                step = self._steps.send(None)  # the last outcomes were handed out
            elif self._pipeline is not None:
                if self._connection._engine.resolver.is_generic:
                    self._connection._receive()  # nlctrl's news: a batch is not sent again
                self._steps = self._pipeline.steps()
                step = next(self._steps)
            else:
                return
            while True:
                result: Any = None
                try:
                    if isinstance(step, _pipeline.Outcomes):
                        self._ready = iter(step.outcomes)
                        if step.outcomes:
                            return
                    elif not isinstance(step, _pipeline.Take):
                        result = await self._connection._perform(step)
                    elif isinstance(self._source, Source):
                        result = await self._source.take(step.most, bracketed=step.bracketed)
                    else:
                        result = _pipeline.take(self._source, step.most, bracketed=step.bracketed)
                except Exception as error:
                    step = self._steps.throw(error)
                else:
                    step = self._steps.send(result)
        except StopIteration:
            return

    async def aclose(self) -> None:
        """Abandon the rest."""
        self._ready = iter(())
        self._pipeline = None
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.close()
            if isinstance(self._source, Source):
                self._source.close()
            self._connection._send()  # what waited for this pipeline

    def __iter__(self) -> NoReturn:
        raise TypeError("these outcomes arrive asynchronously; write: async for outcome in ...")


class Feed:
    """The two connections of a follow() or Mirror, and the step that is to be executed next.

    A step may be cancelled: the next call executes it again.
    """

    __slots__ = ("_busy", "dumps", "events", "exchange", "policy", "step", "steps", "subscription")

    def __init__(self, connection: Connection, policy: Following[Any]) -> None:
        self.policy = policy
        options: dict[str, Any] = {"threaded_sends": connection.threaded_sends}
        self.events = connection._another(Connection, **options)
        try:
            self.dumps = connection._another(Connection, **options)
        except BaseException:
            self.events.close()
            raise
        self.exchange: Exchange | None = None
        self.subscription: Subscription | None = None
        self.steps = policy.steps()
        self.step: Any = next(self.steps)
        self._busy = False

    async def advance(self, deadline: float | None) -> bool:
        """Execute one step. Returns False if there was nothing to do until the deadline."""
        if self._busy:
            raise RuntimeError("another task waits for this follow() or Mirror")
        self._busy = True
        try:
            return await self._advance(deadline)
        finally:
            self._busy = False

    async def _advance(self, deadline: float | None) -> bool:
        step = self.step
        verb = step.verb
        result: Any = None
        failure: NetlinkError | None = None
        try:
            if verb == "await":
                assert self.subscription is not None
                queue = self.subscription._queue
                result = queue.take()
                if result is None:
                    limit, is_end = step.limit(deadline, monotonic())
                    try:
                        await self.events._wait_for(queue, limit)
                    except TimeoutError:
                        if is_end:
                            return False
                    result = queue.take()
            elif verb == "part":
                result = await self._part()
            elif verb == "begin":
                timeout = self.dumps.timeout
                self.exchange = self.dumps._engine.submit(step.request, timeout, dump=True)
                self.dumps._send()
            elif verb == "fence":
                with suppress(KernelError):
                    await self.dumps.do(step.request)
            elif self.subscription is None:
                self.subscription = await self.events.subscribe(*step.groups)
        except NetlinkError as error:
            if verb not in ("await", "part"):
                raise
            failure = error
        try:
            self.step = self.steps.send(result) if failure is None else self.steps.throw(failure)
        except BaseException:
            self.restart()
            raise
        finally:
            failure = None  # it holds this frame
        return True

    async def _part(self) -> Any:
        """Return the next messages of the dump, or None at its end."""
        exchange = self.exchange
        assert exchange is not None
        try:
            while True:
                messages = exchange.take()
                if messages is not None or exchange.exhausted:
                    return messages
                await self.dumps._wait(exchange)
        except OSError as error:
            if not isinstance(error, NetlinkError):
                self.restart()  # the dump cannot be continued
            raise

    def restart(self) -> None:
        """Begin with another snapshot, after an exception in the middle of something."""
        self.policy.restart()
        self.steps = self.policy.steps()
        self.step = next(self.steps)

    def close(self) -> None:
        """Close both sockets."""
        self.events.close()
        self.dumps.close()

    def __del__(self) -> None:
        for name in ("events", "dumps"):  # __init__ may have failed
            connection = getattr(self, name, None)
            if connection is not None:
                connection._socket.close()


class Follower(AsyncIterator[Any], Generic[D]):
    """The stream of follow(): an asynchronous iterator over Change and Mark.

    It is what netlink.Follower is, with `async for`. A step may be cancelled and taken again:
    `await asyncio.wait_for(anext(stream), 1)` loses nothing.
    """

    __slots__ = ("_feed", "_ready", "_timeout")

    def __init__(self, feed: Feed, timeout: float | None) -> None:
        self._feed = feed
        self._timeout = timeout
        self._ready: Iterator[Change[D] | Mark] = iter(())

    @property
    def stats(self) -> Stats:
        """Counters of the socket that receives the events."""
        return self._feed.events.stats

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._feed.events.closed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change[D] | Mark:
        for item in self._ready:
            return item
        feed = self._feed
        deadline = None if self._timeout is None else monotonic() + self._timeout
        while True:
            items = feed.policy.take()
            if items:
                self._ready = iter(items)
                return next(self._ready)
            if not await feed.advance(deadline):
                raise StopAsyncIteration

    def __iter__(self) -> NoReturn:
        raise TypeError("these changes arrive asynchronously; write: async for change in ...")

    async def close(self) -> None:
        """Close the sockets. Closing twice is allowed."""
        self._feed.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._feed.close()


class Mirror(MirrorBase[D]):
    """The objects that a request lists, kept up to date by an awaited update().

    It is what netlink.Mirror is. Reading needs no waiting, so the first update() must come before
    it; `async with` makes sure of that:

        async with netlink.aio.Mirror(nl, link.get()) as links:
            print(links.by("ifname", "lo"))
            for change in await links.update(timeout=10):
                print(change.kind, change.message.ifname)
    """

    __slots__ = ("_feed",)

    def __init__(self, nl: Connection, request: Request[Any, D]) -> None:
        if not isinstance(nl, Connection):
            raise wrong_mirror(nl, "netlink.Mirror")
        super().__init__(Following(request, nl.families, "Mirror", is_mirror=True))
        self._feed = Feed(nl, self._following)

    @property
    def stats(self) -> Stats:
        """Counters of the socket that receives the events."""
        return self._feed.events.stats

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._feed.events.closed

    async def update(self, timeout: float | None = None) -> Changes[D]:
        """Apply what has arrived, and return how the objects differ: see netlink.Mirror.update.

        It may be cancelled; the next update returns what this one would have returned.
        """
        limit = check_timeout(timeout)
        deadline = monotonic() + (limit if limit is not None else 0.0)
        while True:
            await self._catch_up()
            changes = self._following.differences()
            if changes or monotonic() >= deadline or not await self._feed.advance(deadline):
                return changes

    def _load(self) -> None:
        if not self._is_loaded:
            raise RuntimeError("the mirror has no objects yet; await its update() first")

    async def _catch_up(self) -> None:
        """Apply what has arrived. If it never ends, stop after a while."""
        following = self._following
        began = monotonic()
        while await self._feed.advance(0.0 if following.is_settled else None):
            if following.is_idle and (following.is_hurried or monotonic() - began > 1.0):
                break
        self._is_loaded = True

    async def close(self) -> None:
        """Close the sockets. The objects remain. Closing twice is allowed."""
        self._feed.close()

    async def __aenter__(self) -> Self:
        try:
            if not self._is_loaded:
                await self._catch_up()
        except BaseException:
            self._feed.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._feed.close()

    def __enter__(self) -> NoReturn:
        raise TypeError("netlink.aio.Mirror is asynchronous; write: async with Mirror(...)")

    def __exit__(self, *details: object) -> None: ...


class Merged(Stream[tuple[Any, Event]]):
    """The events of several connections and subscriptions: see merge()."""

    __slots__ = ("_connections", "_rounds", "_timeout", "_turns")

    def __init__(self, sources: list[tuple[Any, Any]], timeout: float | None) -> None:
        super().__init__(self._receive)
        self._connections = [*dict.fromkeys(connection_of(source) for _, source in sources)]
        self._rounds = Rounds([(label, queue_of(source)) for label, source in sources])
        self._timeout = timeout
        self._turns = 0

    async def _receive(self) -> Iterable[tuple[Any, Event]]:
        rounds = self._rounds
        while True:
            taken = rounds.take()
            if taken:
                self._turns += 1
                if self._turns >= FAIR:
                    self._turns = 0
                    self._items = iter(taken)  # a cancellation must not lose them
                    await asyncio.sleep(0)  # the other tasks' turn
                    return self._items
                return taken
            if rounds.is_over:
                raise StopAsyncIteration
            try:
                await self._wait()
            except TimeoutError:
                raise StopAsyncIteration from None

    async def _wait(self) -> None:
        """Wait until a connection has something."""
        for connection in self._connections:
            _ = connection.port  # raises OSError (EBADF) if it is closed
            connection._send()
            failure = connection._receive()
            if failure is not None and not self._rounds.ready:
                raise untraced(failure)
        if self._rounds.ready:
            return
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        timer = None
        try:
            if self._timeout is not None:
                timer = loop.call_later(self._timeout, _expire, future)
            for connection in self._connections:
                connection._waiters[future] = self._rounds
                connection._watch(loop)
            error = await future
        finally:
            if timer is not None:
                timer.cancel()
            for connection in self._connections:
                connection._waiters.pop(future, None)
                if not connection._waiters:
                    connection._unwatch()
        if error is not None:
            raise untraced(error)


def connection_of(source: Any) -> Connection:
    """Return the connection of a source of merge()."""
    return cast(Connection, source._connection if isinstance(source, Subscription) else source)


def queue_of(source: Any) -> Queue:
    """Return the events of a source of merge()."""
    is_subscription = isinstance(source, Subscription)
    return cast(Queue, source._queue if is_subscription else source._engine.events)


def merge(
    *sources: Connection | Subscription | Mapping[Any, Connection | Subscription],
    timeout: float | None = None,
) -> Merged:
    """Yield the events of several connections and subscriptions, each as (source, event).

    It is what netlink.merge() is, with `async for`. A step may be cancelled and taken again.
    """
    found = check_sources(sources, (Connection, Subscription), "merge", "netlink.merge")
    return Merged(found, check_timeout(timeout))


class Connection(Transport):
    """A conversation with the kernel over one socket, for the tasks of one event loop.

    The arguments are those of netlink.Connection. The system call that sends a request carries it
    out, and the loop stands still meanwhile: with `threaded_sends` a thread of the loop's executor
    sends, and the loop goes on.

    Tasks may share a connection: each gets its own answers. A task that is cancelled abandons what
    it waits for and disturbs nobody; it cannot know whether the kernel carried the request out.
    Nothing is received while nobody waits. In a forked child the connection is closed.

        async with Connection(ROUTE) as nl:
            async for l in nl.dump(link.get()):
                print(l.ifname)
    """

    def __init__(
        self,
        *families: Family,
        netns: Netns | None = None,
        rcvbuf: int | None = None,
        sndbuf: int | None = None,
        read_ahead: int | None = None,
        timeout: float | None = None,
        threaded_sends: bool = False,
        trace: Trace | None = None,
        filter: Filter | Condition | None = None,
        socket: Socket | None = None,
        **options: Unpack[Options],
    ) -> None:
        self.threaded_sends = threaded_sends
        self._waiters: dict[asyncio.Future[Exception | None], Any] = {}
        self._watching: asyncio.AbstractEventLoop | None = None  # the loop that watches the socket
        self._sending: asyncio.AbstractEventLoop | None = None  # a thread of this loop sends
        self._failures: list[Failure] = []  # of that thread
        self._in_a_row = 0  # answers that were there at once
        super().__init__(
            families,
            netns=netns,
            rcvbuf=rcvbuf,
            sndbuf=sndbuf,
            read_ahead=read_ahead,
            timeout=timeout,
            trace=trace,
            socket=socket,
            options=options,
            lock=nullcontext(),
        )
        if filter is not None:
            try:
                self._set_filter_now(filter)
            except BaseException:
                self.close()
                raise

    # --- requests ---

    @overload
    async def do(self, request: Request[R, Any], *, timeout: float | None = None) -> R: ...
    @overload
    async def do(self, request: Plan[T], *, timeout: float | None = None) -> T: ...
    async def do(self, request: Any, *, timeout: float | None = None) -> Any:
        """Execute a request or a plan, and return its result: see netlink.Connection.do."""
        if type(request) is not Request or request.is_dump:
            if isinstance(request, Plan):
                return await self._execute(request, timeout)
            raise wrong_request("do", request)
        if self._watching is not None:
            self._stay()
        exchange = self._engine.submit(
            request, self.timeout if timeout is None else check_timeout(timeout)
        )
        try:
            self._send()
            if not exchange.ready:
                most = 1 if exchange.acked else MANY
                await self._wait_for(exchange, exchange.timeout, most)
        except TimeoutError:
            self._engine.give_up(exchange)
            self._send()
            raise
        finally:
            if not exchange.done:
                self._engine.abandon(exchange)
                self._send()  # what waited for this one
        return exchange.result()

    def dump(
        self, request: Request[Any, D], *, retries: int = RETRIES, timeout: float | None = None
    ) -> Reply[D]:
        """Send a dump request and return its Reply: see netlink.Connection.dump."""
        if type(request) is not Request or not can_dump(request.op):
            raise wrong_request("dump", request)
        exchange = self._engine.submit(
            request, self._timeout(timeout), dump=True, retries=check_retries(retries)
        )
        self._send()
        return Reply(self, exchange)

    def do_many(
        self,
        requests: Iterable[Request[R, Any] | Plan[R]] | AsyncIterable[Request[R, Any] | Plan[R]],
        *,
        window: int | None = None,
        ack_last: bool = False,
        raise_errors: bool = False,
        timeout: float | None = None,
    ) -> AsyncIterator[R | KernelError]:
        """Execute many requests or plans and yield one outcome for each, in order: see
        netlink.Connection.do_many.

        Of an async iterable, those items go together that are available without waiting.
        """
        if isinstance(requests, list | tuple):
            for item in requests:
                _pipeline.check_item(item)
        elif isinstance(requests, Plan | Request):
            raise TypeError(
                f"do_many() expects several items; for one: await nl.do({requests.name}(...))"
            )
        source = Source(requests) if isinstance(requests, AsyncIterable) else iter(requests)
        pipeline = Pipeline(
            self._engine,
            self._socket.rcvbuf,
            window=window,
            ack_last=ack_last,
            raise_errors=raise_errors,
            timeout=self._timeout(timeout),
        )
        return Outcomes(self, source, pipeline)

    # --- events ---

    async def subscribe(
        self,
        *groups: str | int,
        predicate: Callable[[Any], bool] | None = None,
        limit: int | None = None,
    ) -> Subscription:
        """Subscribe to multicast groups: see netlink.Connection.subscribe."""
        queue = self._new_queue(predicate, limit)
        try:
            await self._execute(_pipeline.subscribe(self._engine, queue, groups))
        except BaseException:
            self._unsubscribe(queue)
            raise
        return Subscription(self, queue)

    async def join(self, *groups: str | int) -> None:
        """Add multicast groups, by name or number, to the subscription that events() reads."""
        await self._execute(_pipeline.join(self._engine, groups))

    async def leave(self, *groups: str | int) -> None:
        """Remove multicast groups from the subscription that events() reads."""
        await self._execute(_pipeline.leave(self._engine, groups))

    async def set_filter(self, filter: Filter | Condition | None, *, lock: bool = False) -> None:
        """Let the kernel drop events that do not match: see netlink.Connection.set_filter."""
        await self._execute(_pipeline.set_filter(self._engine, filter, lock))

    def _set_filter_now(self, filter: Filter | Condition) -> None:
        for step in _pipeline.set_filter(self._engine, filter, lock=False):
            if isinstance(step, Request):  # the number of a generic family
                raise TypeError(
                    "the filter of a generic family needs an answer of the kernel: "
                    "await nl.set_filter(...) instead of Connection(..., filter=...)"
                )
            self._perform_now(step)

    def events(self, timeout: float | None = None) -> AsyncIterator[Event]:
        """Yield the events of the joined groups: see netlink.Connection.events.

        A step may be cancelled and taken again: `await asyncio.wait_for(anext(events), 1)` loses
        nothing.
        """
        return _events(self, self._engine.events, timeout)

    def event_batches(self, timeout: float | None = None) -> AsyncIterator[EventBatch | Overrun]:
        """Yield events as events() does, all of one receive and group at once: see EventBatch.

        A step that is cancelled loses nothing.
        """
        return _event_batches(self, self._engine.events, timeout)

    def follow(self, request: Request[Any, D], *, timeout: float | None = None) -> Follower[D]:
        """Yield the objects that a request lists, and then their changes: see
        netlink.Connection.follow.

            async for item in nl.follow(route.get()):
                print(item)
        """
        limit = check_timeout(timeout)
        return Follower(Feed(self, Following(request, self.families)), limit)

    # --- the rest ---

    def close(self) -> None:
        """Close the socket. Tasks that wait get OSError (EBADF). Closing twice is allowed."""
        self._unwatch()
        self._close()
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

    def __enter__(self) -> NoReturn:
        raise TypeError("netlink.aio.Connection is asynchronous; write: async with Connection(...)")

    def __exit__(self, *details: object) -> None: ...

    def _inherit(self, socket: Socket) -> None:
        self._watching = None  # without unregistering it, as both processes may share an epoll
        super()._inherit(socket)
        self.close()

    # --- inside: steps ---

    async def _execute(self, plan: Any, timeout: float | None = None) -> Any:
        """Execute the steps of a plan."""
        steps = _pipeline.execute(plan, self._engine)
        try:
            step = next(steps)
            while True:
                try:
                    result = await self._perform(step, timeout)
                except Exception as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            return end.value
        finally:
            steps.close()

    async def _perform(self, step: Any, timeout: float | None = None) -> Any:
        """Execute one step."""
        match step:
            case Request(is_dump=True):
                return await self.dump(step, timeout=timeout).all()
            case Request():
                return await self.do(step, timeout=timeout)
            case _pipeline.Event():
                if not step.queue.ready:
                    await self._wait_for(step.queue, step.timeout)
                return step.queue.take()
            case _pipeline.Pace():
                with suppress(TimeoutError):
                    await self._wait_for(step.room, PATIENCE)
                    return True
                return False
            case _pipeline.Next():
                return await self._wait(step.batch)
            case _pipeline.Ahead() | _pipeline.Ended():
                return self._send()
            case _:
                return self._perform_now(step)

    def _unsubscribe(self, queue: Queue) -> None:
        leave_groups(self._socket, self._engine.unsubscribe(queue))
        self._wake()  # a task may wait for the events of this subscription

    # --- inside: waiting ---

    async def _wait(self, waiter: Exchange | Batch) -> None:
        """Wait until there is something to hand out. If the time is over, nobody waits any more.

        Any other exception leaves it as it is, to be waited for again.
        """
        try:
            await self._wait_for(waiter, waiter.timeout)
        except TimeoutError as error:
            if is_late(error):
                self._engine.give_up(waiter)
                self._send()
            raise

    async def _wait_for(self, waiter: Any, timeout: float | None, most: int = MANY) -> None:
        """Wait until it is ready or the time is over."""
        if self._watching is not None or self._sending is not None:
            self._stay()
        self._engine.prepare(waiter)
        if self._engine.outgoing:
            self._send()
        failure = self._receive(most)
        if failure is not None and not waiter.ready:
            raise untraced(failure)
        if waiter.ready:
            self._in_a_row += 1
            if self._in_a_row >= FAIR:
                self._in_a_row = 0
                await asyncio.sleep(0)  # the other tasks' turn
            return
        self._in_a_row = 0
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiters[future] = waiter
        timer = None
        if self._engine.draining:
            loop.call_soon(self._drain)  # the loop that was to do so may be closed
        try:
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
            raise untraced(error)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._watching is None:
            loop.add_reader(self._socket.fileno(), self._receive)
            self._watching = loop

    def _stay(self) -> None:
        """Check that this event loop is the one that is used. Another one that was closed, with its
        tasks, is forgotten."""
        used = self._watching or self._sending
        if used is None or used is asyncio.get_running_loop():
            return
        if not used.is_closed():
            raise RuntimeError(
                "tasks of another event loop wait for this connection: open one for each loop"
            )
        self._watching = None
        for future in [each for each in self._waiters if each.get_loop().is_closed()]:
            del self._waiters[future]
        if self._sending is not None:
            self._sent()

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
                if not future.done() and not future.get_loop().is_closed():
                    future.set_result(None if arrived else error)

    # --- inside: sending and receiving ---

    def _send(self) -> None:
        """Send what the engine has, or have it sent. Each buffer is one send: together they could
        be more than the kernel accepts at once (EMSGSIZE)."""
        engine = self._engine
        if self._sending is not None or engine.draining:
            return  # whoever ends that comes back here
        if engine.rejoin or engine.forsaken:
            keep_up(engine, self._socket)
        if self.threaded_sends and engine.outgoing and not self.closed:
            loop = asyncio.get_running_loop()
            self._sending = loop
            thread = loop.run_in_executor(None, self._send_all, engine.take_outgoing())
            thread.add_done_callback(self._sent)
            return
        while engine.outgoing:
            buffer = engine.outgoing[0]
            try:
                self._socket.send(buffer, timeout=0)
            except Exception as error:
                del engine.outgoing[0]
                engine.send_failed([buffer], error)
            else:
                del engine.outgoing[0]
        if engine.silent:
            engine.note_sent()

    def _send_all(self, outgoing: list[bytes]) -> None:
        """Send in a thread of the executor."""
        for buffer in outgoing:
            try:
                self._socket.send(buffer, timeout=0)
            except Exception as error:
                self._failures.append((buffer, error))

    def _sent(self, thread: asyncio.Future[None] | None = None) -> None:
        if thread is not None:
            thread.result()
        self._sending = None
        while self._failures:
            buffer, error = self._failures.pop(0)
            self._engine.send_failed([buffer], error)
        if self._engine.silent:
            self._engine.note_sent()
        if self._engine.draining:
            self._drain()
        self._send()
        self._wake()

    def _receive(self, most: int = MANY) -> Exception | None:
        """Receive once, and let those go on who have what they wait for. Returns what failed.

        `most` is how many datagrams are expected: it takes the kernel time to look for another.
        """
        engine = self._engine
        failure: Exception | None = None
        try:
            try:
                if not engine.inbox:  # else an exception kept it from being sorted
                    self._socket.receive(0, engine.inbox, most)
            except BlockingIOError:
                # What a thread sends meanwhile may start a dump: receiving must end that too.
                if self._sending is None:
                    if engine.draining:
                        engine.drained(self._socket.drops)
                    engine.found_nothing()
            except Exception as error:
                if isinstance(error, OSError) and error.errno == errno.ENOBUFS:
                    if not engine.draining and not self._socket.reads_ahead:
                        asyncio.get_running_loop().call_soon(self._drain)
                    engine.overrun()
                    if self._socket.reads_ahead:  # all that is older was received
                        engine.drained(self._socket.drops)
                else:
                    failure = error
            finally:
                engine.sort_inbox()
        finally:
            if engine.inbox:  # an exception struck; nothing may be readable
                asyncio.get_running_loop().call_soon(self._receive)
            if engine.outgoing or engine.rejoin:
                self._send()  # a dump that waited for its turn
            if self._waiters:
                self._wake(failure)
        try:
            return failure
        finally:
            failure = None  # it holds this frame

    def _drain(self) -> None:
        """After an overrun: receive all that is left, as the kernel adds nothing until then.

        An empty queue makes nothing readable, so the loop would not call."""
        self._receive()
        if self._engine.draining and self._sending is None and not self.closed:
            asyncio.get_running_loop().call_soon(self._drain)


def _expire(future: asyncio.Future[Exception | None]) -> None:
    if not future.done():
        future.set_result(TimeoutError(errno.ETIMEDOUT, "no answer came in time"))
