"""The blocking driver: Connection, Reply and Subscription.

It waits, sends and receives by blocking, and contains no policy: that is in the engine, in
_exchange.py and in _pipeline.py, which the asyncio driver shares.

The build compiles this file, with the C types in connection.pxd, for the sake of programs that take
exceptions from signal handlers, as KeyboardInterrupt: no such exception strikes between two steps
here. It strikes in a call that waits, or in code that is not compiled (a trace function, a
predicate, a source of requests), and each such place leaves the connection usable.
"""

from __future__ import annotations

import errno
from _thread import TIMEOUT_MAX, LockType, allocate_lock, get_ident
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, Unpack, overload

from netlink import _pipeline
from netlink._core import Column
from netlink._events import EventBatch, batch_of, check_unselected
from netlink._exchange import Batch, Exchange, Pauses
from netlink._pipeline import (
    PATIENCE,
    RETRIES,
    Pipeline,
    can_dump,
    check_retries,
    check_timeout,
    is_late,
    wrong_request,
)
from netlink._transport import MANY, Netns, Options, Socket, Trace, Transport, keep_up, leave_groups
from netlink.engine import Engine, Event, Queue, Stats
from netlink.errors import KernelError, NetlinkError, Overrun
from netlink.family import Family, Plan, Request
from netlink.schema import Message

if TYPE_CHECKING:  # imported when they are needed
    from netlink.filter import Condition, Filter
    from netlink.follow import Change, Following, Mark

__all__ = ["Connection", "Follower", "Merged", "Reply", "Subscription", "merge"]

D_co = TypeVar("D_co", bound=Message, covariant=True)
D = TypeVar("D", bound=Message)
R = TypeVar("R")
T = TypeVar("T")


EVENTS = 32  # datagrams of one receive: events are small, so that more than MANY are faster

W = TypeVar("W", bound=tuple[Any, ...])

LEAST = 0.001  # seconds for which a thread waits for another one that receives, even with timeout=0


def innermost(waiting: list[W]) -> W:
    """Return who is next: the thread that has waited longest, in its latest wait.

    A signal handler may wait in a thread that waits already, which goes on only after it.
    """
    thread = waiting[0][1]
    found: W = next(each for each in reversed(waiting) if each[1] == thread)
    return found


class Gate:
    """Admits one thread at a time.

    No exception of a signal handler can leave it open or shut by mistake, as can happen to a
    threading.Lock: see the head of this file. A thread that enters twice gets OSError (EDEADLK)
    instead of waiting for itself.
    """

    __slots__ = ("_queue", "owner")

    def __init__(self) -> None:
        self.owner = 0  # the thread inside
        self._queue: list[tuple[LockType, int]] = []  # what wakes each thread that waits

    def enter(self) -> None:
        """Wait until no other thread is inside."""
        me = get_ident()
        if self.owner:
            self._wait(me)
        self.owner = me

    def _wait(self, me: int) -> None:
        if self.owner == me:
            raise OSError(
                errno.EDEADLK,
                "this call comes from a predicate or a trace function of the same connection, for "
                "whose end it would wait",
            )
        while self.owner:
            turn = allocate_lock()
            turn.acquire()
            entry = turn, me
            self._queue.append(entry)
            try:
                turn.acquire()
            except BaseException:
                if entry in self._queue:
                    self._queue.remove(entry)
                else:  # the thread that left has chosen this one
                    self._call_next()
                raise

    def enter_again(self) -> None:
        """As enter(); an exception of a signal handler is raised after entering."""
        failure: BaseException | None = None
        while True:
            try:
                self.enter()
                break
            except BaseException as error:
                if self.owner == get_ident():
                    raise  # it is inside already
                failure = error
        if failure is not None:
            raise failure

    def leave(self) -> None:
        """Let the next thread in."""
        self.owner = 0
        if self._queue:
            self._call_next()

    def _call_next(self) -> None:
        if self._queue and not self.owner:
            chosen = innermost(self._queue)
            self._queue.remove(chosen)
            chosen[0].release()

    def inherit(self) -> None:
        """In a forked child: forget the threads of the parent, which do not exist here."""
        me = get_ident()
        self._queue = [entry for entry in self._queue if entry[1] == me]
        if self.owner != me:
            self.leave()

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, *details: object) -> None:
        self.leave()


class Channel:
    """An engine and a socket, for several threads.

    One thread at a time is inside the `gate`. A thread that must wait leads, if no other does: it
    receives for all, with the gate open meanwhile. The others follow: each sleeps until the leader
    has what it waits for, or stops leading. A signal handler may use the channel of the call that
    it interrupts: then the leader leads once more.
    """

    __slots__ = ("_followers", "_leader", "ahead", "engine", "gate", "socket")

    def __init__(self, engine: Engine, socket: Socket, gate: Gate) -> None:
        self.engine = engine
        self.socket = socket
        self.gate = gate
        self.ahead: tuple[Batch, list[bytes]] | None = None  # what a thread is sending
        self._leader = 0  # the thread that receives
        # What wakes each, its thread, and what it waits for.
        self._followers: list[tuple[LockType, int, Any]] = []

    def execute(self, request: Request[Any, Any], timeout: float | None) -> Any:
        """Send a request, wait for the end and return the result."""
        self.gate.enter()
        try:
            exchange = self.engine.submit(request, timeout)
            try:
                self._flush(timeout)
                if not exchange.ready:
                    self._await(exchange, timeout, 1 if exchange.acked else MANY)
            except BaseException as error:
                self._fail(exchange, error)
                raise
        finally:
            self._exit()
        return exchange.result()

    def begin(self, request: Request[Any, Any], timeout: float | None, retries: int) -> Exchange:
        """Send a request for a dump."""
        self.gate.enter()
        try:
            exchange = self.engine.submit(request, timeout, True, retries)
            try:
                self._flush(timeout)
            except BaseException:
                self.engine.abandon(exchange)
                raise
        finally:
            self._exit()
        return exchange

    def wait(self, waiter: Any, timeout: float | None) -> None:
        """Wait until something is ready, or until `timeout` seconds are over."""
        self.gate.enter()
        try:
            self.engine.prepare(waiter)
            self._flush(timeout)
            self._await(waiter, timeout, EVENTS)
        finally:
            self._exit()

    def wait_for_answer(self, waiter: Exchange | Batch) -> None:
        """Wait until there is something to hand out. If the time is over, nobody waits any more.

        Any other exception, as of a signal handler, leaves it as it is, to be waited for again.
        """
        self.gate.enter()
        try:
            try:
                self.engine.prepare(waiter)
                self._flush(waiter.timeout)
                self._await(waiter, waiter.timeout)
            except TimeoutError as error:
                if is_late(error):
                    self._fail(waiter, error)
                raise
        finally:
            self._exit()

    def peek(self) -> None:
        """Receive once what is there, unless another thread is at it."""
        if not self.gate.owner and not self._leader:
            self.gate.enter()
            try:
                with suppress(OSError):
                    self._receive(0.0)
            finally:
                self._exit()

    def flush(self) -> None:
        """Send what the engine has, unless another thread is inside, which will."""
        if self.engine.outgoing and not self.gate.owner:
            self.gate.enter()
            try:
                self._flush(None)
            finally:
                self._exit()

    def unsubscribe(self, queue: Queue) -> None:
        """Close a queue, leave the groups that no other has, and wake the thread that waits for its
        events."""
        self.gate.enter()
        try:
            leave_groups(self.socket, self.engine.unsubscribe(queue))
        finally:
            self._exit()

    def inherit(self, socket: Socket) -> None:
        """In a forked child: use this socket, and forget the threads of the parent."""
        self.socket = socket
        self.ahead = None
        self._leader = 0
        for turn, thread, _ in self._followers:
            if thread == get_ident():  # a signal handler has forked, and this thread goes on
                turn.release()
        self._followers = []
        self.gate.inherit()

    # --- a thread that sends ---

    def begin_send(self, batch: Batch) -> None:
        """Send a batch by the socket's thread."""
        self.gate.enter()
        try:
            if self.ahead is not None:
                self._flush(batch.timeout)
                return
            buffers = self.engine.take_outgoing()
            self.ahead = batch, buffers
            try:
                self.socket.begin_send(buffers)
            except BaseException as error:
                self.ahead = None
                self.engine.outgoing = buffers + self.engine.outgoing
                if not isinstance(error, OSError):
                    raise
                self._flush(batch.timeout)  # no thread is available
        finally:
            self._exit()

    def end_send(self, batch: Batch) -> None:
        """Wait until all of a batch was sent: by then the kernel has carried it out."""
        ahead = self.ahead  # once: it may be another's, whose thread ends meanwhile
        if ahead is None or ahead[0] is not batch:
            return
        try:
            self.socket.end_send()
        except OSError as error:
            with self.gate:
                self.engine.send_failed(ahead[1], error)
        if self.ahead is ahead:  # only the pipeline that began it gets here
            self.ahead = None

    # --- inside the gate ---

    def _exit(self) -> None:
        """Leave the gate. A thread that follows leads, if nobody does."""
        if self._followers:
            self._wake()
            if self._followers and not self._leader:
                chosen = innermost(self._followers)
                self._followers.remove(chosen)
                chosen[0].release()
        self.gate.leave()

    def _wake(self) -> None:
        left = []
        for follower in self._followers:
            turn, _, waiter = follower
            if waiter.ready:
                turn.release()
            else:
                left.append(follower)
        self._followers = left

    def _await(self, waiter: Any, timeout: float | None, most: int = MANY) -> None:
        """Receive, or let another thread receive, until it is ready or the time is over.

        `most` is how many datagrams are expected: it takes the kernel time to look for another.
        """
        deadline = None if timeout is None else monotonic() + timeout
        while not waiter.ready:
            left = None if deadline is None else max(0.0, deadline - monotonic())
            try:
                if self._leader and self._leader != get_ident():
                    if not self._follow(waiter, left) and not waiter.ready:
                        raise BlockingIOError
                else:
                    self._receive(left, most)
                    most = max(most, MANY)
            except BlockingIOError:  # of a receive too, if no time is left
                self.engine.found_nothing()
                raise TimeoutError(errno.ETIMEDOUT, "no answer came in time") from None
            except TimeoutError as error:
                if is_late(error):
                    self.engine.found_nothing()
                raise

    def _fail(self, waiter: Exchange | Batch, error: BaseException) -> None:
        """Wait no more."""
        if is_late(error):
            self.engine.give_up(waiter)
        else:
            self.engine.abandon(waiter)
        self._flush(None)  # what waited for this one

    def _follow(self, waiter: Any, timeout: float | None) -> bool:
        """Sleep until the leader wakes this thread; whether that was in time."""
        turn = allocate_lock()
        turn.acquire()
        if timeout is not None:  # the leader needs time to read an answer that is there already
            timeout = min(max(timeout, LEAST), TIMEOUT_MAX)
        follower = turn, get_ident(), waiter
        self._followers.append(follower)
        self.gate.leave()
        try:
            in_time = turn.acquire(True, -1 if timeout is None else timeout)
        finally:
            try:
                self.gate.enter_again()
            finally:
                self._followers = [other for other in self._followers if other is not follower]
        return in_time

    def _flush(self, timeout: float | None) -> None:
        """Send what the engine has. Each buffer is one send: together they could be more than the
        kernel accepts at once (EMSGSIZE)."""
        engine = self.engine
        if engine.rejoin or engine.forsaken:
            keep_up(engine, self.socket)
        while engine.outgoing:
            buffer = engine.outgoing[0]
            try:
                self.socket.send(buffer, timeout=timeout)
            except OSError as error:  # who waits for the answer gets it
                del engine.outgoing[0]
                engine.send_failed([buffer], error)
            else:
                del engine.outgoing[0]
        if engine.silent:
            engine.note_sent()

    def _receive(self, timeout: float | None, most: int = MANY) -> None:
        """Receive once, with the gate open meanwhile, and wake the others."""
        engine = self.engine
        if engine.outgoing:  # what another thread was to send
            self._flush(timeout)
        try:
            if engine.inbox:  # an exception kept this from being sorted
                engine.sort_inbox()
            elif not engine.draining:
                self._lead(timeout, most)
                engine.sort_inbox()
            if engine.draining:
                self._drain()
        finally:
            if self._followers:
                self._wake()
            if engine.outgoing or engine.rejoin:
                self._flush(timeout)  # a dump that waited for its turn

    def _lead(self, timeout: float | None, most: int) -> None:
        outer = self._leader
        self._leader = get_ident()
        self.gate.leave()
        try:
            self.socket.receive(timeout, self.engine.inbox, most)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self.engine.overrun()
            if self.socket.reads_ahead:  # all that is older was received
                self.engine.drained(self.socket.drops)
        finally:
            try:
                self.gate.enter_again()
            finally:
                self._leader = outer

    def _drain(self) -> None:
        """After an overrun: receive all that is left. The kernel adds nothing until then."""
        engine = self.engine
        while engine.draining:
            try:
                self.socket.receive(0, engine.inbox, MANY)
            except BlockingIOError:
                engine.drained(self.socket.drops)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                engine.overrun()
            engine.sort_inbox()


class Reply(Generic[D_co]):
    """The answer to a dump: a stream of messages, then a final status.

    Iterating yields each message as it arrives, once; memory stays constant. A second iteration
    continues where the first one stopped. At the end, an error of the kernel raises KernelError, a
    full receive buffer Overrun, and the kernel's message about a success is a KernelWarning, which
    stays available as `warning`. Leaving the iteration early is allowed: the rest is dropped
    silently.

    A dump whose data changed meanwhile is requested again, up to `retries` times, if nothing of it
    was handed out; otherwise it raises DumpInterrupted at its end.
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

    def __iter__(self) -> Iterator[D_co]:
        # chain walks from C iterator to C iterator: no Python frame is resumed per message.
        return chain.from_iterable(self._runs())

    def _runs(self) -> Iterator[Iterable[Any]]:
        exchange = self._exchange
        while True:
            messages = exchange.take()
            if messages is not None:
                yield messages
            elif exchange.exhausted:
                return
            else:
                self._connection._channel.wait_for_answer(exchange)

    def __aiter__(self) -> NoReturn:
        raise TypeError(
            f"this connection blocks; write: for message in nl.dump({self.request.name}(...)), or "
            f"use netlink.aio.Connection"
        )

    def all(self) -> list[D_co]:
        """Return the messages that were not handed out yet as a list.

        The dump is requested again if it was interrupted. If that fails too, DumpInterrupted has
        the last list as `partial`.
        """
        return self._finish(self._exchange.collect())

    def columns(self, *paths: str) -> dict[str, Column]:
        """Return the reply as columns, one for each path, without making messages.

        A path names a field of the class that the op dumps, nested ones with dots:
        "stats64.rx_bytes". Raises LookupError if there is no such field, or if its kind has no
        column. Messages of other classes are skipped. An interrupted dump is requested again, as
        all() does.
        """
        return self._finish(self._exchange.gather(*paths))

    def _finish(self, steps: Pauses[T]) -> T:
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            self._connection._channel.wait_for_answer(self._exchange)

    def __repr__(self) -> str:
        return repr(self._exchange)


class Subscription:
    """The events of some multicast groups, with a queue of its own.

    Iterate it, or events(timeout): each event is a message, or an Overrun at the place where events
    are missing. Subscriptions do not take events from each other. Close it, or use it in a `with`
    statement; the connection leaves a group that no other subscription has.
    """

    __slots__ = ("_connection", "_queue")

    def __init__(self, connection: Connection, queue: Queue) -> None:
        self._connection = connection
        self._queue = queue

    @property
    def pending(self) -> int:
        """The number of events that are queued; an Overrun counts as one."""
        return self._queue.pending

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Yield events as they arrive; end after `timeout` seconds of silence (None: never)."""
        return _events(self._connection, self._queue, timeout, self)

    def event_batches(self, timeout: float | None = None) -> Iterator[EventBatch | Overrun]:
        """Yield events as events() does, all of one receive and group at once."""
        return _event_batches(self._connection, self._queue, timeout, self)

    def __iter__(self) -> Iterator[Event]:
        return self.events()

    def close(self) -> None:
        """Unsubscribe. Closing twice is allowed. A loop in another thread ends, at the latest with
        the next message that the connection receives."""
        if not self._queue.closed:
            self._connection._channel.unsubscribe(self._queue)

    def __del__(self) -> None:
        queue = getattr(self, "_queue", None)  # __init__ may have failed
        if isinstance(queue, Queue) and not queue.closed:
            # Without the lock, which this thread may hold; the next call works the list off.
            self._connection._engine.forsaken.append(self._queue)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _events(
    connection: Connection, queue: Queue, timeout: float | None, owner: Subscription | None = None
) -> Iterator[Event]:
    return chain.from_iterable(
        _batches(connection, queue, check_timeout(timeout), owner, queue.take)
    )


def _event_batches(
    connection: Connection, queue: Queue, timeout: float | None, owner: Subscription | None = None
) -> Iterator[EventBatch | Overrun]:
    check_unselected(queue)
    return map(
        partial(batch_of, {}),
        _batches(connection, queue, check_timeout(timeout), owner, queue.take_whole),
    )


def _batches(
    connection: Connection,
    queue: Queue,
    timeout: float | None,
    owner: Subscription | None,
    take: Callable[[], Any],
) -> Iterator[Iterable[Event]]:
    """The events of a queue. A loop holds the `owner`, which unsubscribes when it is dropped."""
    while not queue.closed:
        batch = take()
        if batch is not None:
            yield batch
            continue
        try:
            connection._channel.wait(queue, timeout)
        except TimeoutError:
            return


class Feed:
    """The two connections of a follow() or Mirror, and the step that is to be executed next.

    The events have a socket of their own, so that the parts of a dump do not take their room.
    """

    __slots__ = ("dumps", "events", "exchange", "policy", "step", "steps", "subscription")

    def __init__(self, connection: Connection, policy: Following[Any]) -> None:
        self.policy = policy
        self.events = connection._another(Connection)
        try:
            self.dumps = connection._another(Connection)
        except BaseException:
            self.events.close()
            raise
        self.exchange: Exchange | None = None
        self.subscription: Subscription | None = None
        self.steps = policy.steps()
        self.step: Any = next(self.steps)

    def advance(self, deadline: float | None) -> bool:
        """Execute one step. Returns False if there was nothing to do until the deadline."""
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
                        self.events._channel.wait(queue, limit)
                    except TimeoutError:
                        if is_end:
                            return False
                    result = queue.take()
            elif verb == "part":
                result = self._part()
            elif verb == "begin":
                self.exchange = self.dumps._channel.begin(step.request, self.dumps.timeout, 0)
            elif verb == "fence":
                with suppress(KernelError):
                    self.dumps.do(step.request)
            elif self.subscription is None:
                self.subscription = self.events.subscribe(*step.groups)
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

    def _part(self) -> Any:
        """Return the next messages of the dump, or None at its end."""
        exchange = self.exchange
        assert exchange is not None
        try:
            while True:
                messages = exchange.take()
                if messages is not None or exchange.exhausted:
                    return messages
                self.dumps._channel.wait_for_answer(exchange)
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


class Follower(Generic[D]):
    """The stream of follow(): an iterator over Change and Mark.

    Close it, use it in a `with` statement, or drop it: its sockets are then closed. A thread that
    waits in it gets OSError (EBADF). An exception that leaves it, as of a signal handler, loses
    nothing: the next step continues, if need be with another snapshot.
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

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Change[D] | Mark:
        for item in self._ready:
            return item
        feed = self._feed
        deadline = None if self._timeout is None else monotonic() + self._timeout
        while True:
            items = feed.policy.take()
            if items:
                self._ready = iter(items)
                return next(self._ready)
            if not feed.advance(deadline):
                raise StopIteration

    def close(self) -> None:
        """Close the sockets. Closing twice is allowed."""
        self._feed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Merged(Iterator[tuple[Any, Event]]):
    """The events of several connections and subscriptions: see merge()."""

    __slots__ = ("_connections", "_ready", "_rounds", "_timeout")

    def __init__(self, sources: list[tuple[Any, Any]], timeout: float | None) -> None:
        self._connections = [*dict.fromkeys(connection_of(source) for _, source in sources)]
        from netlink.follow import Rounds

        self._rounds = Rounds([(label, queue_of(source)) for label, source in sources])
        self._timeout = timeout
        self._ready: Iterator[tuple[Any, Event]] = iter(())

    def __next__(self) -> tuple[Any, Event]:
        for pair in self._ready:
            return pair
        rounds = self._rounds
        deadline = None if self._timeout is None else monotonic() + self._timeout
        while True:
            taken = rounds.take()
            if taken:
                self._ready = iter(taken)
                return next(self._ready)
            if rounds.is_over or not self._wait(deadline):
                raise StopIteration

    def _wait(self, deadline: float | None) -> bool:
        """Receive from every connection that has something. Returns False after the deadline."""
        import select  # which few programs need

        poll = select.poll()
        found = {}
        for connection in self._connections:
            connection._channel.flush()
            found[connection.fileno()] = connection  # raises OSError (EBADF) if it is closed
            poll.register(connection.fileno(), select.POLLIN)
        left = TICK if deadline is None else min(TICK, max(0.0, deadline - monotonic()))
        for descriptor, _ in poll.poll(1000 * left):
            found[descriptor]._channel.peek()
        return self._rounds.ready or deadline is None or monotonic() < deadline


# Seconds: another thread may receive for a connection, or close it, without an effect on poll().
TICK = 0.25


def connection_of(source: Any) -> Connection:
    """Return the connection of a source of merge()."""
    return source._connection if isinstance(source, Subscription) else source


def queue_of(source: Any) -> Queue:
    """Return the events of a source of merge()."""
    return source._queue if isinstance(source, Subscription) else source._engine.events


def merge(
    *sources: Connection | Subscription | Mapping[Any, Connection | Subscription],
    timeout: float | None = None,
) -> Merged:
    """Yield the events of several connections and subscriptions, each as (source, event).

    The sources are connections, whose joined groups are read, and subscriptions; or one dict of
    them, and then each event comes as (key, event). No source can keep the others waiting: after 64
    events it is the others' turn. An Overrun comes with the source that lost events. Ends after
    `timeout` seconds of silence (None: never), and when every source is a subscription that was
    closed. Raises OSError (EBADF) when a connection is closed.

        for name, event in netlink.merge({"routes": nl, "devices": uevents}):
            print(name, event)
    """
    from netlink.follow import check_sources

    found = check_sources(sources, (Connection, Subscription), "merge", "netlink.aio.merge")
    return Merged(found, check_timeout(timeout))


class Connection(Transport):
    """A conversation with the kernel over one socket.

    `families` must share one protocol and one framing. `rcvbuf` and `sndbuf` are the sizes of the
    socket's buffers in bytes (more than net.core.rmem_max requires CAP_NET_ADMIN). `timeout` is the
    longest silence in seconds while an answer is awaited (None: no limit). `netns` opens the socket
    in another network namespace, without effect on the caller's own: a name as of `ip netns`, a
    path, an open file, netlink.Pid(n) or netlink.Fd(n). `trace` is called with each datagram, as a
    netlink.trace.Traced, before it is sent and after it was received: `print` works. `filter` drops
    events in the kernel: see set_filter(). `socket` replaces the kernel's socket, as that of
    netlink.testing does.

    With `read_ahead`, a thread of the core receives into this many bytes of memory, from the first
    join() or subscribe() on, whatever Python does meanwhile. `rcvbuf` is as large by default then.
    `options` are broadcast_error, cap_ack, ext_ack, listen_all_nsid and strict_check, True or
    False: see RawSocket.

    Threads may share a connection: each gets its own answers. Closing it wakes a thread that waits,
    with OSError (EBADF). Processes cannot share one: in a forked child it is closed.

        with Connection(ROUTE) as nl:
            for l in nl.dump(link.get()):
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
        trace: Trace | None = None,
        filter: Filter | Condition | None = None,
        socket: Socket | None = None,
        **options: Unpack[Options],
    ) -> None:
        gate = Gate()
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
            lock=gate,
        )
        self._channel = Channel(self._engine, self._socket, gate)
        if filter is not None:
            try:
                self.set_filter(filter)
            except BaseException:
                self.close()
                raise

    # --- requests ---

    @overload
    def do(self, request: Request[R, Any], *, timeout: float | None = None) -> R: ...
    @overload
    def do(self, request: Plan[T], *, timeout: float | None = None) -> T: ...
    def do(self, request: Any, *, timeout: float | None = None) -> Any:
        """Execute a request or a plan, and return its result.

        The op of a request declares the result: see Op. Raises KernelError if the kernel refuses,
        TimeoutError after `timeout` seconds of silence (the connection's, if not given), Overrun if
        the receive buffer was full, so that the result is unknown, and NetlinkError if the answer
        is not what the op declares. `timeout` applies to each request of a plan.
        """
        if type(request) is not Request or request.is_dump:
            if isinstance(request, Plan):
                return self._execute(request, timeout)
            raise wrong_request("do", request)
        return self._channel.execute(
            request, self.timeout if timeout is None else check_timeout(timeout)
        )

    def dump(
        self, request: Request[Any, D], *, retries: int = RETRIES, timeout: float | None = None
    ) -> Reply[D]:
        """Send a dump request and return its Reply, which streams the messages.

        `retries` says how often the dump is requested again if its data changed meanwhile.
        `timeout` is the longest silence in seconds. Further dumps wait for the end of this one.
        """
        if type(request) is not Request or not can_dump(request.op):
            raise wrong_request("dump", request)
        return Reply(
            self, self._channel.begin(request, self._timeout(timeout), check_retries(retries))
        )

    def do_many(
        self,
        requests: Iterable[Request[R, Any] | Plan[R]],
        *,
        window: int | None = None,
        ack_last: bool = False,
        raise_errors: bool = False,
        timeout: float | None = None,
    ) -> Iterator[R | KernelError]:
        """Execute many requests or plans, several in one send, and yield one outcome for each.

        An outcome is what do() returns, or the KernelError, which `raise_errors` raises instead.
        Its `index` is the position of the item. With `ack_last` only the last of the requests that
        are sent together asks for an ACK: the outcomes are the same, in half the time.

        `requests` may be endless: at most `window` items are read before their outcomes are
        yielded, by default as many as the receive buffer can hold the answers of (1 MiB of `rcvbuf`
        pays). Nothing is sent before the first outcome is asked for. With a large window, the
        kernel processes one half while the next is being built. If `requests` raises, the exception
        is raised again after the outcomes of all earlier items.

        A plan must consist of lookups and at most one change. A lookup waits for everything before
        it. The index of a link is looked up once for each name, and again after a request that may
        create, rename or delete a link. Any other lookup is made once, and again after a change of
        the same kind of object.

        Requests between two that open and close a transaction, as nftables has them, reach the
        kernel in one send, and it carries out all of them or none. If it refuses the whole, each
        outcome says so; if it refuses some, the others are not done either, though theirs is None.
        """
        if isinstance(requests, list | tuple):
            for item in requests:
                _pipeline.check_item(item)
        elif isinstance(requests, Plan | Request):
            raise TypeError(
                f"do_many() expects several items; for one: nl.do({requests.name}(...))"
            )
        return self._pipelined(
            iter(requests),
            Pipeline(
                self._engine,
                self._socket.rcvbuf,
                window=window,
                ack_last=ack_last,
                raise_errors=raise_errors,
                timeout=self._timeout(timeout),
            ),
        )

    # --- events ---

    def subscribe(
        self,
        *groups: str | int,
        predicate: Callable[[Any], bool] | None = None,
        limit: int | None = None,
    ) -> Subscription:
        """Subscribe to multicast groups, by name or number, and return the Subscription.

        `predicate` selects messages; others are not stored. `limit` bounds the queue in bytes (16
        MiB): a full queue drops the newest events, and an Overrun stands at their place. Without
        groups, the subscription has the unsolicited messages that are sent to this socket alone.
        """
        queue = self._new_queue(predicate, limit)
        try:
            self._execute(_pipeline.subscribe(self._engine, queue, groups))
        except BaseException:
            self._channel.unsubscribe(queue)
            raise
        return Subscription(self, queue)

    def join(self, *groups: str | int) -> None:
        """Add multicast groups, by name or number, to the subscription that events() reads."""
        self._execute(_pipeline.join(self._engine, groups))

    def leave(self, *groups: str | int) -> None:
        """Remove multicast groups from the subscription that events() reads."""
        self._execute(_pipeline.leave(self._engine, groups))

    def set_filter(self, filter: Filter | Condition | None, *, lock: bool = False) -> None:
        """Let the kernel drop the events that do not match, for all subscriptions; None: drop none.

        It replaces the filter before it. Answers always pass: Filter says what an event is. Events
        that are queued already stay, so set the filter before you join a group. The number of a
        generic family is asked for now; when its module is loaded again, all of its events pass
        until the filter is set again. With `lock` the kernel refuses any later change.

        Raises ValueError if no family of the connection has such events, and PermissionError if the
        filter is locked.
        """
        self._execute(_pipeline.set_filter(self._engine, filter, lock))

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Yield the events of the joined groups, and an Overrun where some are missing.

        Ends after `timeout` seconds of silence; None waits for ever. What arrived since join() is
        included, and what the connection's own requests cause: rtnetlink sends such an event to its
        causer too, unless the request asks for an echo (nlmsg_notify).
        """
        return _events(self, self._engine.events, timeout)

    def event_batches(self, timeout: float | None = None) -> Iterator[EventBatch | Overrun]:
        """Yield events as events() does, all of one receive and group at once: see EventBatch."""
        return _event_batches(self, self._engine.events, timeout)

    def follow(self, request: Request[Any, D], *, timeout: float | None = None) -> Follower[D]:
        """Yield the objects that a request lists, and then their changes, as they happen.

        The stream has a Mark("begin"), a Change of kind "snapshot" for each object, Mark("synced"),
        and then changes: "new", "change" or "delete", with the object as it was before. A program
        that applies them has the kernel's state whenever nothing changes. If the kernel drops
        events, or interrupts a dump, there is another snapshot between two marks, after which
        objects that are gone meanwhile are deleted. Changes can come during a snapshot too.

        `filter=` and `listen_all_nsid=` of the connection do not apply to the stream.

        The stream has sockets of its own, with the namespace and the options of this connection,
        so that it sees the changes that this connection makes. What the request selects applies to
        events too: an object that is not selected any more is deleted. Ends after `timeout` seconds
        without a change (None: never).

        Raises TypeError for a request that does not list objects, whose op does not declare how
        they are followed, or that selects by something with which events cannot be compared.
        """
        from netlink.follow import Following

        limit = check_timeout(timeout)
        return Follower(self._feed(Following(request, self.families)), limit)

    # --- the rest ---

    def close(self) -> None:
        """Close the socket. A receiver that is blocked in another thread wakes. Closing twice is
        allowed."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _inherit(self, socket: Socket) -> None:
        super()._inherit(socket)
        self._channel.inherit(socket)

    # --- inside: steps ---

    def _execute(self, plan: Any, timeout: float | None = None) -> Any:
        """Execute the steps of a plan."""
        steps = _pipeline.execute(plan, self._engine)
        try:
            step = next(steps)
            while True:
                try:
                    result = self._perform(step, timeout)
                except Exception as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            return end.value
        finally:
            steps.close()

    def _perform(self, step: Any, timeout: float | None = None) -> Any:
        """Execute one step."""
        match step:
            case Request(is_dump=True):
                return self.dump(step, timeout=timeout).all()
            case Request():
                return self.do(step, timeout=timeout)
            case _pipeline.Event():
                self._channel.wait(step.queue, step.timeout)
                return step.queue.take()
            case _pipeline.Pace():
                with suppress(TimeoutError):
                    self._channel.wait(step.room, PATIENCE)
                    return True
                return False
            case _pipeline.Next():
                self._channel.end_send(step.batch)
                return self._channel.wait_for_answer(step.batch)
            case _pipeline.Ahead():
                return self._channel.begin_send(step.batch)
            case _pipeline.Ended():
                return self._channel.end_send(step.batch)
            case _:
                return self._perform_now(step)

    def _pipelined(self, source: Iterator[Any], pipeline: Pipeline) -> Iterator[Any]:
        if self._engine.resolver.is_generic:
            self._channel.peek()  # what nlctrl has announced: a batch is not sent again
        steps = pipeline.steps()
        try:
            step = next(steps)
            while True:
                result: Any = None
                try:
                    if isinstance(step, _pipeline.Outcomes):
                        yield from step.outcomes
                    elif isinstance(step, _pipeline.Take):
                        result = _pipeline.take(source, step.most, bracketed=step.bracketed)
                    else:
                        result = self._perform(step)
                except Exception as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration:
            return
        finally:
            steps.close()
            ahead = self._channel.ahead
            if ahead is not None and pipeline.has_begun(ahead[0]):  # not that of another thread
                self._channel.end_send(ahead[0])
                # The answers of a batch that nobody waits for may have filled the receive buffer.
                self._channel.peek()
            self._channel.flush()  # what had to wait for this pipeline

    def _feed(self, policy: Following[Any]) -> Feed:
        return Feed(self, policy)
