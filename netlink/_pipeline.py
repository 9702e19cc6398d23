"""do_many() and plans, as steps that both connections execute: their policy is written once.

A step is something that only a connection can do: send and wait, ask for an index, join a group,
read the caller's source. The generators here yield steps and receive the results. Nothing in this
file waits, sends or receives.
"""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from operator import attrgetter
from types import GeneratorType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from netlink._exchange import Batch, untraced, warn
from netlink._resolver import Resolver
from netlink.engine import Engine, Queue
from netlink.errors import KernelError, NetlinkError, Overrun
from netlink.family import Family, IfIndex, Listen, Op, Plan, Request, Steps, Wait

__all__ = [
    "AHEAD", "PATIENCE", "Ahead", "Attach", "Ended", "Event", "Join", "Leave", "Next", "Outcomes",
    "Pace", "Pipeline", "RETRIES", "Room", "Take", "bracket_of", "can_dump", "check_item",
    "check_retries", "check_timeout", "cut", "execute", "join", "leave", "set_filter", "subscribe",
    "take", "wrong_request",
]  # fmt: skip

if TYPE_CHECKING:
    from netlink.filter import Condition, Filter

# The most that one answer takes of the receive buffer, as the kernel counts (skb->truesize): an
# NLMSG_ERROR with a capped request and an extended ACK; a message, such as a link, and an ACK.
ANSWER_SIZE, MESSAGE_SIZE = 2048, 8192
FIRST = 16  # the first requests of a pipeline, whose answers show which of the two sizes applies
PATIENCE = 1.0  # seconds to wait for room in the receive buffer, before sending without it
ACKNOWLEDGED = {"ack", "message"}  # what ends the ops that a batch asks an ACK for
AHEAD = 512  # requests that are worth a thread which sends them
RETRIES = 3  # of an interrupted dump
LONGEST = 1e9  # seconds; a longer timeout is none
REMEMBERED = 4096  # lookups of plans


# --- steps ----------------------------------------------------------------------------------------


class Take(NamedTuple):
    """Read the caller's source: the result is (items, exception of the source or None)."""

    most: int
    bracketed: bool


class Outcomes(NamedTuple):
    """Hand these outcomes to the caller."""

    outcomes: list[Any]


class Pace(NamedTuple):
    """Wait until there is room in the receive buffer, but at most PATIENCE seconds."""

    room: Room


class Ahead(NamedTuple):
    """Send a batch in the background, if the connection can."""

    batch: Batch


class Ended(NamedTuple):
    """Wait until the background send of a batch has ended."""

    batch: Batch


class Next(NamedTuple):
    """Wait until a batch is answered."""

    batch: Batch


class Join(NamedTuple):
    """Join multicast groups, by number."""

    groups: list[int]


class Attach(NamedTuple):
    """Let the kernel drop the events that do not match a program (None: drop no events)."""

    program: bytes | None
    lock: bool


class Leave(NamedTuple):
    """Leave multicast groups, by number."""

    groups: list[int]


class Event(NamedTuple):
    """Wait for the next event of a queue; the result is an iterator over events."""

    queue: Queue
    timeout: float | None


# --- wrong calls ----------------------------------------------------------------------------------


def wrong_request(verb: str, given: Any) -> Exception:
    """Return the error for something that do() or dump() cannot execute, with the right call."""
    if isinstance(given, Op):
        return TypeError(
            f"{verb}() expects a request, got the op {given.name}; call it: {given.name}(...)"
        )
    if isinstance(given, Request) and verb == "dump":
        return TypeError(
            f"dump() got {given.name}, which cannot be dumped; execute it: "
            f"nl.do({given.name}(...)), or declare the op with dumps=True"
        )
    if isinstance(given, Request):  # of the other method
        return TypeError(f"{verb}() got a dump request; use dump(): nl.dump({given.name}(...))")
    if isinstance(given, Plan):
        return TypeError(
            f"{verb}() got the plan {given.name}; execute it: nl.do({given.name}(...))"
        )
    name = getattr(given, "plan", None)
    if isinstance(given, GeneratorType):
        return TypeError(
            f"{verb}() got a generator; decorate its function with @plan and execute it: "
            f"nl.do({given.__name__}(...))"
        )
    if callable(given) and isinstance(name, str):
        return TypeError(f"{verb}() got the function {name}; call it: {name}(...)")
    expected = "a request" if verb == "dump" else "a request or a plan"
    return TypeError(f"{verb}() expects {expected}, got {given!r}")


def check_retries(retries: Any) -> int:
    """Return how often a dump may be requested again. Raises TypeError or ValueError."""
    if isinstance(retries, bool) or not isinstance(retries, int):
        raise TypeError(f"retries is a number, got {retries!r}")
    if retries < 0:
        raise ValueError(f"retries={retries} is less than none")
    return min(retries, sys.maxsize)


def check_timeout(timeout: Any) -> float | None:
    """Return a timeout in seconds. Raises TypeError or ValueError for what is not one."""
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"a timeout is a number of seconds or None, got {timeout!r}")
    if timeout != timeout or timeout < 0:
        raise ValueError(f"a timeout of {timeout} seconds")
    return None if timeout > LONGEST else timeout


def is_late(error: BaseException) -> bool:
    """Whether an exception says that no answer came in time.

    A TimeoutError of the program, which a signal handler may raise, has no errno.
    """
    return isinstance(error, TimeoutError) and error.errno == errno.ETIMEDOUT


def can_dump(op: Op[..., Any, Any]) -> bool:
    """Whether dump() may send an op: one that dumps, or that has several answers. NLM_F_DUMP has
    the bits of NLM_F_EXCL and NLM_F_ROOT: the kernel would carry a change out, and never end the
    dump."""
    return op.dumps or op.answer == "several"


def check_item(item: Any) -> None:
    """Refuse what do_many() cannot pipeline. Raises TypeError that shows the right call."""
    if type(item) is Request:
        if item.is_dump:
            raise wrong_request("do_many", item)
    elif not isinstance(item, Plan):
        raise wrong_request("do_many", item)
    elif item.sequence:
        raise TypeError(
            f"do_many() cannot pipeline {item.name}, which makes several changes or waits for "
            f"events; execute it: nl.do({item.name}(...))"
        )


# --- plans ----------------------------------------------------------------------------------------


def execute(plan: Plan[Any] | Steps[Any], engine: Engine) -> Generator[Any, Any, Any]:
    """The steps of a plan, with those of the plans inside it: requests, IfIndex, Join, Event...

    An error that leaves the plan names it.
    """
    outer = plan if isinstance(plan, Plan) else None
    stack = [plan.steps() if isinstance(plan, Plan) else plan]
    queue: Queue | None = None
    answer: Any = None
    error: Exception | None = None
    try:
        while True:
            try:
                step = stack[-1].send(answer) if error is None else stack[-1].throw(error)
            except StopIteration as end:
                stack.pop()
                answer, error = end.value, None
                if not stack:
                    if queue is not None:
                        yield from _unsubscribe(engine, queue)
                    return answer
                continue
            except Exception as raised:
                stack.pop()
                if not stack:
                    if queue is not None:
                        yield from _unsubscribe(engine, queue)
                    raise
                answer, error = None, raised
                continue
            answer, error = None, None
            if isinstance(step, Plan):
                stack.append(step.steps())
                continue
            try:
                if isinstance(step, Listen):
                    if queue is None:
                        queue = Queue(engine.dispatch)
                    yield from subscribe(engine, queue, step.groups)
                elif isinstance(step, Wait):
                    if queue is None:
                        raise TypeError("yield listen(...) before wait(...)")
                    answer = yield from _await_event(queue, step)
                elif isinstance(step, Request | IfIndex | Join | Leave | Attach):
                    answer = yield step
                else:
                    raise _wrong_step(step)
            except Exception as caught:
                error = caught
    except NetlinkError as raised:
        if raised.plan is None:
            raised.plan = outer
        raise
    finally:
        error = None  # it holds this frame
        for steps in reversed(stack):
            steps.close()
        if queue is not None and not queue.closed:
            engine.forsaken.append(queue)  # the next call leaves its groups


def _unsubscribe(engine: Engine, queue: Queue) -> Steps[None]:
    with engine.lock:
        gone = engine.unsubscribe(queue)
    yield Leave(gone)


def _wrong_step(step: Any) -> TypeError:
    if isinstance(step, Op):
        return TypeError(f"a plan yielded the op {step.name}; call it: yield {step.name}(...)")
    return TypeError(f"a plan yields requests, plans, ifindex(), listen() and wait(), not {step!r}")


def _await_event(queue: Queue, wait: Wait) -> Generator[Any, Any, Any]:
    """The next event of a queue that the predicate selects; an Overrun is raised."""
    timeout = check_timeout(wait.timeout)
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = None if end is None else max(0.0, end - time.monotonic())
        for event in (yield Event(queue, left)):
            if isinstance(event, Overrun):
                raise event
            if wait.predicate is None or wait.predicate(event):
                return event


# --- subscriptions --------------------------------------------------------------------------------


def subscribe(engine: Engine, queue: Queue, groups: Iterable[str | int]) -> Steps[None]:
    """Add groups to a queue and join them; after an error the queue is as it was before."""
    numbers = yield from engine.resolver.numbers(groups, joining=True)
    with engine.lock:  # until the socket has joined: another thread may leave the same group
        added = {key: number for key, number in numbers.items() if number not in queue.groups}
        new = engine.subscribe(queue, numbers)
        try:
            yield Join(new)
        except BaseException:
            engine.unsubscribe(queue, added)
            raise


def join(engine: Engine, groups: tuple[str | int, ...]) -> Steps[None]:
    """Add groups to the default subscription."""
    if not groups:
        raise TypeError("join() expects at least one group, by name or number")
    yield from subscribe(engine, engine.events, groups)


def leave(engine: Engine, groups: tuple[str | int, ...]) -> Steps[None]:
    """Remove groups from the default subscription."""
    if not groups:
        raise TypeError("leave() expects at least one group, by name or number")
    numbers = yield from engine.resolver.numbers(groups, joining=False)
    with engine.lock:
        yield Leave(engine.unsubscribe(engine.events, numbers))


def set_filter(engine: Engine, given: Filter | Condition | None, lock: bool) -> Steps[None]:
    """Replace the filter of the socket. The numbers of generic families are asked for first."""
    from netlink.filter import Condition, Filter  # few programs need it

    if not isinstance(lock, bool):
        raise TypeError(f"lock must be True or False, got {lock!r}")
    if given is None:
        yield Attach(None, lock)
        return
    wanted = Filter(given) if isinstance(given, Condition) else given
    if not isinstance(wanted, Filter):
        raise TypeError(
            f"filter must be a Filter or a condition, such as fields(Route).table == 254, or None, "
            f"got {given!r}"
        )
    resolver = engine.resolver
    families: list[Family] = []
    for family in engine.families:
        if isinstance(resolver, Resolver) and wanted.is_about(family):
            if family not in resolver.ids:
                resolver.learn((yield resolver.question(family)))
            id = resolver.ids[family]
            if id == resolver.control_group:
                raise ValueError(
                    "events of nlctrl cannot be filtered on a connection, which needs them itself: "
                    "use subscribe(..., predicate=...)"
                )
            family = family.at(id)
        families.append(family)
    yield Attach(wanted.compile(*families, port=engine.port), lock)


# --- pipelines ------------------------------------------------------------------------------------


class Room:
    """Whether the receive buffer can hold the answers to more requests, in addition to those that
    all pipelines of the connection wait for."""

    __slots__ = ("_engine", "_most")

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._most = most

    @property
    def ready(self) -> bool:
        """Whether there is room."""
        return self._engine.owed() <= self._most


class Window:
    """How many requests of a pipeline are sent together, and how large their answers may be.

    Unless the user states a number, it is as many as the receive buffer, of `size` bytes, can hold
    the answers of. The first answers show whether they are messages or acknowledgements, and later
    the first answers of an op that is new.
    """

    __slots__ = ("_answer_size", "_bare", "_given", "_size", "most")

    def __init__(self, given: int | None, size: int) -> None:
        if given is not None and (isinstance(given, bool) or not isinstance(given, int)):
            raise TypeError(f"window must be a number of requests, got {given!r}")
        if given is not None and given < 1:
            raise ValueError(f"a window of {given} requests: at least one is needed")
        self._given = given = None if given is None else min(given, sys.maxsize)
        self._size = size
        self._answer_size = ANSWER_SIZE
        self._bare: set[Op[..., Any, Any]] = set()  # ops that only acknowledgements have answered
        self.most = min(FIRST, self._holds(ANSWER_SIZE)) if given is None else given

    def _holds(self, answer_size: int) -> int:
        return max(1, self._size // answer_size)

    def answer_size(self, requests: Iterable[Request[Any, Any]]) -> int:
        """Return how many bytes an answer to any of these may take."""
        if self._answer_size == ANSWER_SIZE and self._bare.issuperset(r.op for r in requests):
            return ANSWER_SIZE
        return MESSAGE_SIZE

    def room(self, engine: Engine, wanted: int) -> Room:
        """Return what to wait for before requests are sent whose answers take `wanted` bytes. An
        explicit window is not reduced to leave room for other pipelines."""
        return Room(engine, max(0, self._size - wanted) if self._given is None else sys.maxsize)

    def fits(self, requests: list[Request[Any, Any]]) -> int:
        """Return how many of these may be sent together."""
        if self._given is not None:
            return len(requests)
        return self._holds(self.answer_size(requests))

    def learn(self, batch: Batch, outcomes: list[Any]) -> None:
        """Adapt to the answers."""
        if batch.has_messages:
            self._answer_size = MESSAGE_SIZE
        elif batch.answer_size != ANSWER_SIZE:
            answered = zip(batch.requests, outcomes, strict=True)
            self._bare.update(request.op for request, outcome in answered if outcome is None)
        if self._given is None:
            self.most = self._holds(self._answer_size)


OP = attrgetter("op")
LINK_CHANGES = ("RTM_NEWLINK", "RTM_SETLINK", "RTM_DELLINK")  # linux/rtnetlink.h


class Part(NamedTuple):
    """One item of a pipeline that is not a plain request, prepared for sending."""

    request: Request[Any, Any] | None  # None: there is nothing to send, and `outcome` is known
    steps: Generator[Any, Any, Any] | None  # of the plan, which gets the answer
    outcome: Any = None


class Pipeline:
    """One do_many(): see Connection.do_many. `rcvbuf` is the size of the receive buffer."""

    def __init__(
        self,
        engine: Engine,
        rcvbuf: int,
        *,
        window: int | None,
        ack_last: bool,
        raise_errors: bool,
        timeout: float | None,
    ) -> None:
        self._engine = engine
        self._width = Window(window, rcvbuf)
        self._ack_last = ack_last
        self._raise_errors = raise_errors
        self._timeout = timeout
        self._begun: list[Batch] = []
        self._index = 0  # of the next outcome
        self._found: dict[Any, Any] = {}  # results of lookups

    def has_begun(self, batch: Batch) -> bool:
        """Whether a batch belongs to this pipeline, and its outcomes were not taken yet."""
        return any(begun is batch for begun in self._begun)

    def steps(self) -> Generator[Any, Any, None]:
        """The steps: they end when all outcomes are handed out."""
        width, begun = self._width, self._begun
        bracketed = self._engine.bracketed
        failure: Exception | None = None
        rest: list[Request[Any, Any]] = []
        try:
            while True:
                ahead = width.most >= AHEAD
                if failure is None or rest:
                    taken = rest
                    if not taken:
                        count = width.most // 2 if ahead else width.most
                        taken, failure = yield Take(count, bracketed)
                        if not _is_plain(taken):
                            while begun:
                                yield from self._finish(begun[0])
                            yield from self._mixed(taken)
                            continue
                    fits = len(taken) if bracketed else width.fits(taken)
                    taken, rest = taken[:fits], taken[fits:]
                    if begun:
                        yield Ended(begun[-1])
                    if taken:
                        batch = yield from self._begin(taken)
                        if ahead:
                            yield Ahead(batch)
                            if len(begun) == 1:
                                continue  # to make the next while the kernel processes this one
                if not begun:
                    break
                yield from self._finish(begun[0])
        finally:
            for batch in begun:
                self._engine.abandon(batch)
        if failure is not None:
            try:
                raise failure
            finally:
                failure = None  # it holds this frame

    def _begin(self, requests: list[Request[Any, Any]]) -> Generator[Any, Any, Batch]:
        """Submit requests as soon as the receive buffer has room for their answers."""
        engine, width = self._engine, self._width
        answer_size = width.answer_size(requests)
        room = width.room(engine, len(requests) * answer_size)
        has_time = True
        while True:
            with engine.lock:
                if room.ready or not has_time:
                    batch = engine.submit_batch(
                        requests,
                        ack_last=self._ack_last,
                        timeout=self._timeout,
                        answer_size=answer_size,
                    )
                    self._begun.append(batch)
                    return batch
            has_time = yield Pace(room)

    def _answered(self, batch: Batch) -> Generator[Any, Any, list[Any]]:
        """Wait for the outcomes of a batch."""
        try:
            yield Next(batch)
        finally:
            self._engine.abandon(batch)
            self._begun.remove(batch)
        outcomes = batch.outcomes()
        for request, words in batch.pop_warnings():
            warn(request, words)
        self._width.learn(batch, outcomes)
        return outcomes

    def _finish(self, batch: Batch) -> Generator[Any, Any, None]:
        outcomes = yield from self._answered(batch)
        yield from self._deliver(outcomes, is_smooth=not batch.has_errors)

    def _deliver(self, outcomes: list[Any], *, is_smooth: bool = False) -> Steps[None]:
        """Hand outcomes to the caller. A KernelError learns its position, or is raised."""
        first = self._index
        self._index += len(outcomes)
        if is_smooth:
            yield Outcomes(outcomes)
            return
        for position, outcome in enumerate(outcomes):
            if isinstance(outcome, KernelError):
                outcome.index = first + position
            if isinstance(outcome, NetlinkError) and (
                self._raise_errors or not isinstance(outcome, KernelError)
            ):
                yield Outcomes(outcomes[:position])
                raise untraced(outcome)
        yield Outcomes(outcomes)

    # --- plans, and requests that cannot be batched ---

    def _mixed(self, items: list[Any]) -> Steps[None]:
        """Execute items of any kind, in order; changes of plans are sent together."""
        parts: list[Part] = []
        inside = False  # a transaction
        for item in items:
            check_item(item)
        try:
            for item in items:
                if isinstance(item, Plan):
                    steps = execute(item, self._engine)
                    part = yield from self._prepare(steps, parts, inside=inside)
                elif item.op.ends in ACKNOWLEDGED:
                    part = Part(item, None)
                    inside = item.op.bracket > 0 or (inside and item.op.bracket == 0)
                else:
                    if inside:
                        raise TypeError(f"{item.name} cannot be sent inside a transaction")
                    yield from self._complete(parts)
                    part = Part(None, None, (yield from _outcome_of(item)))
                parts.append(part)
                if part.request is not None and part.request.op.answer == "none":
                    self._forget(part.request.op)
                is_full = len(parts) >= self._width.most
                if self._raise_errors and isinstance(part.outcome, KernelError):
                    is_full = True  # to raise it before there are further changes
                if is_full and not inside:
                    yield from self._complete(parts)
            yield from self._complete(parts)
        except Exception:
            yield from self._complete(parts)
            raise
        finally:
            _close(parts)

    def _forget(self, op: Op[..., Any, Any]) -> None:
        """Forget lookups that a change may make outdated: of messages like the changed one, and of
        the indexes of links if it may create, rename or delete a link."""
        changes_links = getattr(op.type, "name", None) in LINK_CHANGES
        self._found = {
            key: found
            for key, found in self._found.items()
            if not (changes_links if type(key) is IfIndex else _is_alike(key[0].reply, op.request))
        }

    def _prepare(
        self, steps: Generator[Any, Any, Any], parts: list[Part], *, inside: bool
    ) -> Generator[Any, Any, Part]:
        """Execute the lookups of a plan. A lookup that is new waits for all changes before it."""
        answer: Any = None
        error: NetlinkError | None = None
        try:
            while True:
                step = steps.send(answer) if error is None else steps.throw(error)
                answer, error = None, None
                if not isinstance(step, Request | IfIndex):
                    raise TypeError("a plan that listens for events must be @plan(sequence=True)")
                if _is_change(step):
                    return Part(step, steps)
                key = _lookup(step)
                if key in self._found:
                    answer = self._found[key]
                    continue
                if not inside:
                    yield from self._complete(parts)
                try:
                    answer = yield step
                except NetlinkError as caught:
                    error = caught
                else:
                    if key is not None:
                        self._remember(key, answer)
                    elif isinstance(step, Request):
                        self._forget(step.op)
        except StopIteration as end:
            return Part(None, None, end.value)
        except KernelError as raised:
            return Part(None, None, raised.with_traceback(None))
        except BaseException:
            steps.close()
            raise
        finally:
            error = None  # it holds this frame

    def _remember(self, key: Any, answer: Any) -> None:
        """Keep the result of a lookup. Items may be endless, so forget all if there are many."""
        if len(self._found) >= REMEMBERED:
            self._found.clear()
        self._found[key] = answer

    def _complete(self, parts: list[Part]) -> Steps[None]:
        """Send what is prepared and hand out its outcomes."""
        waiting, parts[:] = parts[:], []
        answers: list[Any] = []
        requests = [part.request for part in waiting if part.request is not None]
        outcomes: list[Any] = []
        failure: Exception | None = None
        try:
            while requests:
                fits = len(requests) if self._engine.bracketed else self._width.fits(requests)
                batch = yield from self._begin(requests[:fits])
                answers += yield from self._answered(batch)
                requests = requests[fits:]
        except BaseException:
            _close(waiting)
            raise
        received = iter(answers)
        for part in waiting:
            if part.request is None:
                outcomes.append(part.outcome)
                continue
            try:
                outcomes.append(_conclude(part.steps, next(received)))
            except Exception as error:  # not an outcome, so that it comes after those before it
                failure = error
                _close(waiting)
                break
        if outcomes:
            yield from self._deliver(outcomes)
        if failure is not None:
            try:
                raise failure
            finally:
                failure = None  # it holds this frame


def _is_alike(one: type[Any], other: type[Any]) -> bool:
    """Whether two message classes are about the same objects."""
    return issubclass(one, other) or issubclass(other, one)


def _close(parts: list[Part]) -> None:
    """Close the generators of plans that get no answer."""
    for part in parts:
        if part.steps is not None:
            part.steps.close()


def _is_change(step: Any) -> TypeGuard[Request[Any, Any]]:
    """Whether a step of a plan is a request that can be sent together with others."""
    return (
        isinstance(step, Request)
        and step.op.answer == "none"
        and step.op.ends == "ack"
        and not step.is_dump
    )


def _lookup(step: Request[Any, Any] | IfIndex) -> Any:
    """Return what identifies a lookup; None for a request that may change something."""
    if isinstance(step, IfIndex):
        return step
    is_lookup = step.is_dump or step.op.dumps
    return (step.op, step.message, step.is_dump) if is_lookup else None


def _is_plain(items: list[Any]) -> bool:
    """Whether all items are requests that can be sent together."""
    return (
        {*map(type, items)} <= {Request}
        and {op.ends for op in {*map(OP, items)}} <= ACKNOWLEDGED
        and not any(map(IS_DUMP, items))
    )


IS_DUMP = attrgetter("is_dump")


def _outcome_of(request: Request[Any, Any]) -> Generator[Any, Any, Any]:
    """Execute one request; an error of the kernel is its outcome."""
    try:
        return (yield request)
    except KernelError as error:
        return error.with_traceback(None)  # nobody sees it raised, and its frames hold much


def _conclude(steps: Generator[Any, Any, Any] | None, answer: Any) -> Any:
    """Return the outcome of a plan whose change was answered."""
    if steps is None:
        return answer
    try:
        step = steps.throw(answer) if isinstance(answer, NetlinkError) else steps.send(answer)
    except StopIteration as end:
        return end.value
    except KernelError as error:
        return error.with_traceback(None)
    steps.close()
    raise TypeError(
        f"a plan that continues after a change, here with {step!r}, must be @plan(sequence=True)"
    )


def take(source: Iterator[Any], count: int, *, bracketed: bool) -> tuple[list[Any], Any]:
    """Return the next items of a source, and what the source raised after them.

    At most `count`; but a transaction that is opened among them is taken whole.
    """
    taken: list[Any] = []
    try:
        taken.extend(islice(source, count))  # which keeps what came before an exception
        if bracketed and opened(taken) is not None:
            for item in source:
                taken.append(item)
                if bracket_of(item):
                    break
    except Exception as error:
        return cut(taken) if bracketed else taken, error
    return taken, None


def cut(items: list[Any]) -> list[Any]:
    """Return items without a transaction at the end that is not closed: half of one must not be
    sent."""
    return items[: opened(items)]


def opened(items: list[Any]) -> int | None:
    """Return the position where a transaction was opened that is not closed."""
    for position in range(len(items) - 1, -1, -1):
        bracket = bracket_of(items[position])
        if bracket:
            return position if bracket > 0 else None
    return None


def bracket_of(item: Any) -> int:
    """Return the bracket of a request's op, 0 for anything else."""
    return item.op.bracket if isinstance(item, Request) else 0
