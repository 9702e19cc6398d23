"""The state of one request (Exchange), and of several requests that are sent together (Batch).

The engine stores here what arrives, and a connection reads the result from here. Nothing in this
file waits, sends or receives, and nothing in it knows an engine or a connection: therefore a reply
can hold its connection without a reference cycle.
"""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections import deque
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

from netlink._core import Column, Dispatch, Gather, Messages, Run
from netlink.errors import DumpInterrupted, KernelError, KernelWarning, NetlinkError
from netlink.family import Op, Request

__all__ = ["Batch", "Exchange", "untraced"]

T = TypeVar("T")
# Steps that a driver executes: they yield whenever more must be received.
Pauses = Generator[None, None, T]

PACKAGE = os.path.join(os.path.dirname(__file__), "")  # with the separator at the end


def warn(request: Request[Any, Any], words: str) -> None:
    """Issue a KernelWarning that points to the line of the caller outside this library."""
    level = 1
    frame = sys._getframe(0)  # the compiled functions of this library have none
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
        level += 1
    warnings.warn(KernelWarning(f"{request.name}: {words}"), stacklevel=level)


E = TypeVar("E", bound=BaseException)


def untraced(error: E) -> E:
    """Return a copy of an error that is stored and about to be raised.

    Raising the stored one would give it a traceback, whose frames hold what stores it: a cycle,
    which would keep the connection open until the garbage collector runs.
    """
    if not isinstance(error, NetlinkError | OSError):
        return error
    cls = type(error)
    again = cls.__new__(cls, *error.args)
    again.__dict__.update(error.__dict__)
    again.__cause__ = error.__cause__
    return again


def answer_of(op: Op[..., Any, Any], messages: list[Any]) -> Any:
    """Return what do() returns for these messages. Raises NetlinkError if the op allows no such
    answer."""
    if op.answer == "several":
        return messages
    if not messages:
        if op.answer == "one":
            raise NetlinkError(
                f"{op.name}: the kernel acknowledged the request, but sent no answer"
            )
        return None
    if op.answer == "none":
        raise NetlinkError(
            f"{op.name}: the kernel sent an answer ({type(messages[0]).__name__}), but the op "
            f"declares none"
        )
    if len(messages) > 1:
        raise NetlinkError(
            f"{op.name}: the kernel sent {len(messages)} messages, but the op declares one answer"
        )
    return messages[0]


class Exchange:
    """The state of one request: runs of messages as they arrive, then a final status.

    `ready` is true if there is something to read, or the end has been reached (`done`). `error` is
    what the end raises, `warning` the kernel's message about a success. The runs of an interrupted
    dump are discarded and the dump is requested again, up to `retries` times, if nothing of it was
    handed out: `wants_restart` is true then. `timeout` is the longest silence in seconds.
    """

    __slots__ = (
        "__weakref__", "acked", "current", "dispatch", "done", "doubted", "error", "exhausted",
        "handed_out", "interrupted", "is_dump", "is_warned", "ready", "request", "retries", "runs",
        "sent_to", "seq", "timeout", "wants_restart", "warning",
    )  # fmt: skip

    def __init__(
        self,
        request: Request[Any, Any],
        dispatch: Dispatch,
        is_dump: bool = False,
        retries: int = 0,
        timeout: float | None = None,
    ) -> None:
        self.request = request
        self.dispatch = dispatch
        self.is_dump = is_dump
        self.retries = retries
        self.timeout = timeout
        self.seq = 0
        self.runs: deque[Run] = deque()
        self.current: Messages | None = None  # the run that is being handed out
        self.ready = False
        self.done = False
        self.exhausted = False  # everything was handed out, and the end was a success
        self.acked = False  # the next message is the answer, and its end
        self.error: BaseException | None = None
        self.warning: str | None = None
        self.is_warned = False  # the warning was issued
        self.interrupted = False
        self.handed_out = False  # some of it: it cannot be requested again
        self.wants_restart = False
        self.sent_to: int | None = None  # number of the generic family under which it was sent
        self.doubted: int | None = None  # and the number that the kernel did not know

    # --- for the engine ---

    def finish(self, error: BaseException | None = None) -> None:
        """Record the end."""
        self.error = error
        self.done = True
        self.ready = True

    def restart(self) -> None:
        """Forget what arrived, because the request is sent again."""
        self.runs.clear()
        self.current = None
        self.done = self.ready = self.interrupted = self.handed_out = self.wants_restart = False
        self.error = self.warning = None

    def abandon(self) -> None:
        """Stop waiting. Using the reply afterwards raises OSError (ECANCELED)."""
        if not self.done:
            self.finish(OSError(errno.ECANCELED, "the reply was abandoned"))

    # --- for the connections ---

    def result(self) -> Any:
        """Return what do() returns, after the end: see Op. Raises the error of the end."""
        if self.error is not None:
            raise untraced(self.error)
        if self.warning is not None and not self.is_warned:
            self.is_warned = True
            warn(self.request, self.warning)
        op = self.request.op
        is_one = op.answer == "one" and len(self.runs) == 1
        messages: list[Any] = []
        for run in self.runs:
            read = Messages(run.data, self.dispatch, run.start, run.end)
            if is_one and run.count == 1:
                return next(read)
            messages += read
        return answer_of(op, messages)

    def take(self) -> Messages | None:
        """Return the messages to hand out next, or None: more must be received, or `exhausted`.

        What a loop left unread is returned again. Raises the error of the end.
        """
        if self.current is not None and self.current.left > 0:
            return self.current
        self.current = None
        self.ready = False
        # Another thread may add a run now: therefore `done` is read before the runs are.
        done = self.done
        if self.interrupted and self.retries > 0 and not self.handed_out:
            self.runs.clear()  # the parts may not fit together: the next ones will
            if not done:
                return None
            if self.error is None:
                self._want_restart()
                return None
        if self.runs:
            self.handed_out = self.ready = True
            run = self.runs.popleft()
            self.current = Messages(run.data, self.dispatch, run.start, run.end)
            return self.current
        if not done:
            self.ready = bool(self.runs) or self.done
            return None
        self.ready = True
        self._raise_status()
        self.exhausted = True
        return None

    def _want_restart(self) -> None:
        self.retries -= 1
        self.wants_restart = True

    def _raise_status(self) -> None:
        if self.error is not None:
            raise untraced(self.error)
        if self.interrupted:
            raise DumpInterrupted  # the warning is about a success: it remains an attribute
        if self.warning is not None and not self.is_warned:
            self.is_warned = True
            warn(self.request, self.warning)

    def collect(self) -> Pauses[list[Any]]:
        """The steps of all(): the messages that were not handed out yet, as a list."""
        while True:
            messages: list[Any] = []
            is_whole = not self.handed_out
            try:
                while not self.exhausted:
                    found = self.take()
                    if found is not None:
                        messages.extend(found)
                    elif not self.exhausted:
                        yield
                return messages
            except DumpInterrupted:
                self._restart_or_raise(messages, is_whole)
            yield

    def gather(self, *paths: str) -> Pauses[dict[str, Column]]:
        """The steps of columns()."""
        op = self.request.op
        cls = op.dump if self.is_dump else op.reply
        family = op.family
        is_generic = family is not None and family.is_generic
        dispatch = family.dispatch if family is not None and is_generic else self.dispatch
        gather = Gather(cls.__table__, dispatch, *paths, is_generic=is_generic)
        while True:
            is_whole = not self.handed_out
            try:
                while not self.exhausted:
                    found = self.take()
                    if found is not None:
                        gather.feed(*found.rest())
                    elif not self.exhausted:
                        yield
                return gather.finish()
            except DumpInterrupted:
                self._restart_or_raise(gather.finish(), is_whole)
            yield

    def _restart_or_raise(self, partial: Any, is_whole: bool) -> None:
        """Request an interrupted dump again, or raise DumpInterrupted with what there is."""
        if not is_whole or self.retries <= 0:
            raise DumpInterrupted(partial) from None
        self._want_restart()

    def __repr__(self) -> str:
        state = "waiting" if not self.done else "done" if self.error is None else str(self.error)
        return f"<Reply to {self.request.name}: {state}>"


class Batch:
    """Requests that are sent together, and one outcome for each: a result, or a KernelError.

    With `ack_last` only the last request asks for an acknowledgement. The kernel processes requests
    in order and always answers a failure, so this acknowledgement confirms all requests before it.

    Requests between two brackets (a transaction) are carried out as a whole, or not at all. Of them
    too only the last one asks for an acknowledgement, because the kernel sends none before the end.
    Nothing answers the brackets, unless the kernel refuses the whole: then the opening bracket has
    the errno, and for the rest there may be no answer (nfnetlink_rcv_batch in
    net/netfilter/nfnetlink.c).
    """

    __slots__ = (
        "_answers", "_covers", "_errors", "_open", "ack_last", "answer_size", "asks", "dispatch",
        "error", "first", "has_messages", "limit", "requests", "timeout", "unanswered", "warnings",
    )  # fmt: skip

    def __init__(
        self,
        requests: list[Request[Any, Any]],
        first: int,
        dispatch: Dispatch,
        *,
        ack_last: bool,
        bracketed: bool,
        limit: int,
        timeout: float | None,
        answer_size: int = 0,
    ) -> None:
        self.requests = requests
        self.first = first  # sequence number of the first request
        self.dispatch = dispatch
        self.ack_last = ack_last
        self.limit = limit  # bytes in one send
        self.timeout = timeout
        self.answer_size = answer_size  # the most that one answer takes of the receive buffer
        self.error: BaseException | None = None
        self.has_messages = False  # whether some answers were more than acknowledgements
        self.warnings: dict[int, str] = {}  # by position
        self.unanswered = len(requests)
        self._errors: dict[int, NetlinkError] = {}  # by position
        self._answers: dict[int, list[Run]] = {}  # by position
        self._open = bytearray(b"\1" * len(requests))  # 1: not answered yet
        # Position of a request to the first one that its acknowledgement confirms.
        self._covers = {len(requests) - 1: 0} if ack_last else {}
        self.asks: bytes | None = None  # which ask for an acknowledgement, if there are brackets
        if bracketed:
            self._find_brackets()

    @property
    def ready(self) -> bool:
        """Whether every outcome is known, or none of the rest will ever be."""
        return not self.unanswered or self.error is not None

    def outcomes(self) -> list[Any]:
        """Return one outcome for each request, in order: its result or its NetlinkError.

        Raises the error that ended the batch as a whole, such as Overrun.
        """
        if self.error is not None:
            raise untraced(self.error)
        outcomes: list[Any] = [None] * len(self.requests)
        if self.has_messages or self._must_answer():
            for position, request in enumerate(self.requests):
                if request.op.bracket == 0:
                    outcomes[position] = self._outcome(position, request)
        for position, error in self._errors.items():
            outcomes[position] = error
        return outcomes

    @property
    def has_errors(self) -> bool:
        """Whether some outcomes may be errors."""
        return bool(self._errors) or self.has_messages or self._must_answer()

    def _must_answer(self) -> bool:
        return any({request.op.answer not in ("none", "optional") for request in self.requests})

    def _outcome(self, position: int, request: Request[Any, Any]) -> Any:
        messages: list[Any] = []
        try:
            for run in self._answers.get(position, ()):
                messages += Messages(run.data, self.dispatch, run.start, run.end)
            if position in self._errors:
                return None
            return answer_of(request.op, messages)
        except NetlinkError as error:  # of this request alone: the others have their answers
            return error

    def pop_warnings(self) -> Iterator[tuple[Request[Any, Any], str]]:
        """Yield the kernel's messages about successes, each once."""
        while self.warnings:
            position, words = self.warnings.popitem()
            yield self.requests[position], words

    # --- for the engine ---

    def holds(self, seq: int) -> bool:
        """Whether a request of this batch has this sequence number."""
        return 0 <= seq - self.first < len(self._open)

    def request_of(self, seq: int) -> Request[Any, Any]:
        """Return the request with a sequence number."""
        return self.requests[seq - self.first]

    def is_waiting_for(self, seq: int) -> bool:
        """Whether a request of this batch was not answered yet."""
        return bool(self._open[seq - self.first])

    def count_from(self, seq: int) -> int:
        """Return how many requests there are from a sequence number on."""
        return self.first + len(self._open) - seq

    def store(self, run: Run) -> None:
        """Add messages that answer one request."""
        self.has_messages = True
        self._answers.setdefault(run.seq - self.first, []).append(run)

    def answer(self, seq: int, count: int = 1, error: NetlinkError | None = None) -> int:
        """Record the status of `count` requests from `seq`. Returns how many had one already."""
        start = seq - self.first
        end = min(start + count, len(self._open))
        if isinstance(error, KernelError) and self.requests[start].op.bracket > 0:
            self._refuse(start, error)
            return 0
        late = end - start - self._open.count(1, start, end)
        start = self._covers.get(end - 1, start)  # those that did not fail have succeeded
        if error is not None and self._open[end - 1]:
            self._errors[end - 1] = error
        self._settle(start, end)
        return late

    def _settle(self, start: int, end: int) -> None:
        self.unanswered -= self._open.count(1, start, end)
        self._open[start:end] = bytes(end - start)

    def _find_brackets(self) -> None:
        """Expect no answer to a bracket, and one acknowledgement for all between two."""
        asks = bytearray(b"\1" * len(self.requests))
        opened: int | None = None
        for position, request in enumerate(self.requests):
            bracket = request.op.bracket
            if bracket:
                asks[position] = self._open[position] = 0
                self.unanswered -= 1
                opened = position if bracket > 0 else None
            elif opened is not None:
                if position - 1 > opened:
                    asks[position - 1] = 0
                    self._covers.pop(position - 1)
                self._covers[position] = opened
        if self.ack_last and self.unanswered:
            last = self._open.rindex(1)
            asks = bytearray(len(asks))
            asks[last] = 1
            self._covers = {last: 0}
        self.asks = bytes(asks)

    def _refuse(self, start: int, error: KernelError) -> None:
        """Record that nothing between two brackets was done."""
        if self.ack_last:  # the one that asks may be among the refused, which have no answer
            self._settle(0, start)
        self._errors[start] = error
        for position in range(start + 1, len(self._open)):
            request = self.requests[position]
            if request.op.bracket:
                break
            if self._open[position]:
                self._open[position] = 0
                self.unanswered -= 1
                assert error.errno is not None
                self._errors[position] = KernelError(error.errno, error.message, request=request)
