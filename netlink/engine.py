"""The conversation, sans-I/O: requests out, datagrams in, replies and events out.

The engine stamps requests with sequence numbers, sorts what comes back and ends each reply with
its status. It owns no socket and reads no clock: a connection hands it what a receive gave, and
sends what `take_outgoing` returns. Its work is per run (neighbours of one receive that belong
together), never per message.

What it knows of the kernel, beside the family's own rules:

| fact                                                         | so                                |
|--------------------------------------------------------------|-----------------------------------|
| a socket runs one dump at a time, a second gets EBUSY        | dumps queue here; requests pass   |
|   (af_netlink.c, __netlink_dump_start)                       |                                   |
| replies to different requests interleave, even inside a dump | each is found by its seq          |
| a group event may carry anyone's seq and port                | a group other than 0 is an event  |
| with NLM_F_ECHO the asker alone gets a copy of the event,    | such a one with our port and seq  |
|   under the group's name (nlmsg_notify)                      |   is the answer                   |
| the kernel sends to a port what nobody asked for, with a seq | to a generic family's socket such |
|   of its own counting that may be one of ours, but never our |   a one is an event; elsewhere    |
|   port as nlmsg_pid (taskstats.c, prepare_reply); answers    |   only with seq 0, which is none  |
|   lack it too where audit.c and xfrm_user.c make them        |   of ours                         |
| anyone with the right may send to our port                   | a sender port other than 0 is     |
|                                                              |   dropped and counted             |
| a dump's DONE may carry an errno and an extended ACK         | that is the dump's status         |
| NLM_F_DUMP_INTR on any part, DONE included                   | the reply is interrupted: begun   |
|                                                              |   again, if nothing was handed out|
| ENOBUFS comes once and says nothing of what was lost; until  | every waiter fails, listeners see |
|   the queue was empty, more is lost (netlink_overrun)        |   an Overrun behind what was left |
| a datagram that breaks the rules held anyone's answer        | every waiter fails                |
| an abandoned request is answered all the same                | its answer is drained silently    |
| a generic family has no number before nlctrl tells it, and   | the first request waits for that; |
|   another when its module was loaded anew; ENOENT is the     |   after an ENOENT it is asked for |
|   answer to a number that is no family's (genl_rcv_msg)      |   anew, and tried once more       |
| a failed request of a pipeline answers, whoever asks for an  | the ACK of the last one is that   |
|   ACK (netlink_rcv_skb)                                      |   of all before it                |
| unread answers are bounded by the receive buffer             | pipelines keep a window:          |
|                                                              |   Window in _driver.py            |
| lengths of messages and attributes need not be aligned       | step by the aligned length, clip  |
|                                                              |   at the end: _core.pyx           |
| NLM_F_CAPPED and NLM_F_ACK_TLVS say where an extended ACK    | both forms decode, on ERROR, DONE |
|   starts                                                     |   and successes: extack.py        |
| the send itself carries the request out, even of a socket    | its answer is looked for at once; |
|   that does not block                                        |   a thread may send: aio.py       |
"""

from __future__ import annotations

import errno
import sys
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any, Generic, Protocol, TypeVar, cast

from netlink._core import Column, Gather, Messages, RawMessage, Run, envelop, pack, runs
from netlink.constants import NLM_F, NLMSG
from netlink.errors import (
    DecodeError,
    DumpInterrupted,
    KernelError,
    KernelWarning,
    NetlinkError,
    Overrun,
)
from netlink.extack import status
from netlink.family import Dispatch, Family, Op, Request, dispatch_of
from netlink.family import Steps as PlanSteps
from netlink.schema import Message

__all__ = ["Batch", "Engine", "Reply", "Stats"]

M = TypeVar("M", bound=Message)
T = TypeVar("T")
# What a driver carries through: it stops wherever more must be received before it can go on.
Steps = Generator[None, None, T]

# As plain ints: the arithmetic of IntFlag takes most of a microsecond.
REQUEST = int(NLM_F.NLM_F_REQUEST)
ACK = int(NLM_F.NLM_F_REQUEST | NLM_F.NLM_F_ACK)
DUMP = int(NLM_F.NLM_F_REQUEST | NLM_F.NLM_F_DUMP)
ECHO = int(NLM_F.NLM_F_ECHO)
DUMP_INTR = int(NLM_F.NLM_F_DUMP_INTR)
NLMSG_ERROR, NLMSG_DONE = int(NLMSG.NLMSG_ERROR), int(NLMSG.NLMSG_DONE)
NLMSG_HDRLEN = 16


class Directory(Protocol):
    """Where the numbers of generic families are kept: see netlink.generic.names.Names."""

    ids: dict[Family, int]
    groups: dict[str, dict[str, int]]
    control_group: int
    is_told: bool
    rejoin: list[int]

    def __init__(self, families: Iterable[Family], dispatch: Dispatch) -> None:
        """Take in families, and where their classes are to be registered."""

    def question(self, family: Family) -> Request[Any]:
        """What to ask for a family."""

    def learn(self, told: Any) -> None:
        """Take in an answer, or an announcement."""

    def group(self, name: str, families: Iterable[Family], *, wanted: bool) -> PlanSteps[int]:
        """The number of a group."""

    def forget(self, family: Family) -> None:
        """Doubt a number."""

    def missed(self) -> Iterable[Family]:
        """Take in that announcements may be lost: what to ask for anew."""


class Stats:
    """What a connection has counted since it was opened.

    `sent` counts requests; `datagrams` and `bytes` what was received; `messages` those of replies
    and events without the control messages, `events` those that came by a group or unasked;
    `overruns` the times that the kernel reported a full receive buffer; `strangers` datagrams that
    another process sent, and `late` messages that answer no request that anyone waits for: both
    are dropped.
    """

    __slots__ = (
        "bytes", "datagrams", "events", "late", "messages", "overruns", "sent", "strangers",
    )  # fmt: skip

    def __init__(self) -> None:
        self.sent = 0
        self.datagrams = 0
        self.bytes = 0
        self.messages = 0
        self.events = 0
        self.overruns = 0
        self.strangers = 0
        self.late = 0

    def __repr__(self) -> str:
        counted = ", ".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"Stats({counted})"


class Reply(Generic[M]):
    """The answer to one request: a stream of messages, then a final status.

    Iterating gives each message as it comes, once; memory stays constant. At the end an error of
    the kernel raises KernelError, a full receive buffer Overrun, and words of the kernel about a
    success are a KernelWarning, and stay as `warning`. Leaving the iteration early is fine: the
    rest is drained silently.

    A dump whose data changed under it is begun again up to `retries` times, as long as nothing of
    it was handed out; otherwise it raises DumpInterrupted at its end.
    """

    __slots__ = (
        "__weakref__", "_again", "_classes", "_doubted", "_handed_out", "_is_told", "_runs",
        "_sent_to", "_wait", "done", "error", "interrupted", "is_dump", "request", "retries", "seq",
        "timeout", "warning",
    )  # fmt: skip

    def __init__(
        self,
        request: Request[M],
        classes: Dispatch,
        wait: Callable[[Reply[Any]], Any],
        again: Callable[[Reply[Any]], None] | None = None,
        *,
        is_dump: bool = False,
        retries: int = 0,
        timeout: float | None = None,
    ) -> None:
        self.request = request
        self.is_dump = is_dump
        self.retries = retries
        self.timeout = timeout
        self.seq = 0
        self.done = False
        self.error: BaseException | None = None
        self.warning: str | None = None
        self._is_told = False  # the warning
        self.interrupted = False
        self._classes = classes
        self._sent_to: int | None = None  # the number of the generic family, and
        self._doubted: int | None = None  # the one under which it was not found
        self._runs: deque[Run] = deque()
        self._handed_out = False  # some of it, to any loop: it cannot be begun again
        self._wait = wait
        self._again = again

    @property
    def ready(self) -> bool:
        """Whether there is something to hand out, or the end has come."""
        return self.done or bool(self._runs)

    @property
    def is_plain(self) -> bool:
        """Whether it has ended, well and without a word, so that first() may be asked."""
        return self.done and self.error is None and self.warning is None and not self.interrupted

    def first(self) -> M | None:
        """The first message, where there is any."""
        for run in self._runs:
            for message in self.messages(run):
                return message
        return None

    def __iter__(self) -> Iterator[M]:
        # chain walks from C iterator to C iterator: no Python frame is resumed per message.
        return chain.from_iterable(self._batches())

    def all(self) -> list[M]:
        """The messages as a list, begun again where they were interrupted.

        Where that comes to nothing too, DumpInterrupted holds the last list as `partial`.
        """
        return self._finish(self.collect())

    def columns(self, *paths: str) -> dict[str, Column]:
        """The reply as columns, one for each path, without making a message.

        A path names a field of the reply's class, nested ones with dots: "stats64.rx_bytes". A
        LookupError says that there is no such field, or that its kind has no column. Messages of
        another class are passed over. Begins again where it was interrupted, as all() does, and
        raises what that raises.
        """
        return self._finish(self.gather(*paths))

    def _batches(self) -> Iterator[Iterable[M]]:
        for run in self.steps():
            if run is None:
                self.wait()
            else:
                yield self.messages(run)

    def _finish(self, steps: Steps[T]) -> T:
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return cast(T, end.value)
            self.wait()

    # --- for the drivers: the same in steps, which never wait ---

    def wait(self) -> Any:
        """Let the driver wait until the reply is ready; asyncio's returns what is to be awaited."""
        return self._wait(self)

    def messages(self, run: Run) -> Iterator[M]:
        """The messages of one of the runs that steps() gives."""
        return cast("Iterator[M]", Messages(run.data, self._classes, run.start, run.end))

    def collect(self) -> Steps[list[M]]:
        """The steps of all()."""
        while True:
            messages: list[M] = []
            is_whole = not self._handed_out
            try:
                for run in self.steps():
                    if run is None:
                        yield
                    else:
                        messages.extend(self.messages(run))
                return messages
            except DumpInterrupted:
                self._retry(messages, is_whole)

    def gather(self, *paths: str) -> Steps[dict[str, Column]]:
        """The steps of columns()."""
        cls = self.request.op.dump if self.is_dump else self.request.op.reply
        family = self.request.op.family
        is_generic = family is not None and family.is_generic
        dispatch = family.dispatch if family is not None and is_generic else self._classes
        gather = Gather(cls.__table__, dispatch, *paths, is_generic=is_generic)
        while True:
            is_whole = not self._handed_out
            try:
                for run in self.steps():
                    if run is None:
                        yield
                    else:
                        gather.feed(run.data, run.start, run.end)
                return gather.finish()
            except DumpInterrupted:
                self._retry(gather.finish(), is_whole)

    def steps(self) -> Iterator[Run | None]:
        """The runs as they come, None where more must be received; at the end, the status."""
        while True:
            done = self.done  # before a look at the runs: another thread may be feeding
            begin_again = self.interrupted and not self._handed_out and self.retries > 0
            if begin_again:
                self._runs.clear()  # they may not fit together: what comes after does
            if self._runs:
                self._handed_out = True
                yield self._runs.popleft()
            elif not done:
                yield None
            elif begin_again and self.error is None:
                self._retry((), True)
            else:
                break
        if self.error is not None:
            raise self.error
        if self.warning is not None and not self._is_told:
            words = f"{self.request.name}: {self.warning}"
            self._is_told = True
            warnings.warn(KernelWarning(words), stacklevel=2)
        if self.interrupted:
            raise DumpInterrupted

    def _retry(self, partial: Any, is_whole: bool) -> None:
        """Ask anew after an interruption, or raise DumpInterrupted with what there is."""
        if not is_whole or self.retries <= 0 or self._again is None:
            raise DumpInterrupted(partial) from None
        self.retries -= 1
        self.done = self.interrupted = self._handed_out = False
        self._again(self)

    def __repr__(self) -> str:
        state = "waiting" if not self.done else "done" if self.error is None else str(self.error)
        return f"<Reply to {self.request.name}: {state}>"


class Batch:
    """Requests that are sent together, and one outcome for each: a message, None or KernelError.

    With `ack_last` only the last one asks for an acknowledgement. As the kernel takes them in
    order and a failure always answers, its answer says of all before it that they went well.

    Requests between two brackets are carried out as a whole, or not at all, and of them too the
    last one's answer says all, as the kernel answers none before it has come to the end. Nothing
    answers the brackets, unless it refuses the whole: then the opening one has the errno, and for
    the rest there may be no answer (nfnetlink_rcv_batch in net/netfilter/nfnetlink.c).
    """

    __slots__ = (
        "_answers", "_covers", "_has_words", "_open", "ack_last", "answer_size", "asks", "error",
        "first", "has_messages", "limit", "outcomes", "requests", "timeout", "unanswered",
        "warnings",
    )  # fmt: skip

    def __init__(
        self,
        requests: list[Request[Any]],
        first: int,
        *,
        ack_last: bool,
        bracketed: bool,
        limit: int,
        timeout: float | None,
        answer_size: int = 0,
    ) -> None:
        self.requests = requests
        self.first = first  # seq
        self.ack_last = ack_last
        self.limit = limit  # bytes in one send
        self.timeout = timeout
        self.answer_size = answer_size  # what one answer takes of the receive buffer at most
        self.error: BaseException | None = None
        self.has_messages = False  # whether some answers were more than acknowledgements
        self.outcomes: list[Any] = [None] * len(requests)
        self.warnings: dict[int, str] = {}  # by position
        self._has_words = False  # a warning, or an error among the outcomes
        self.unanswered = len(requests)
        self._open = bytearray(b"\1" * len(requests))  # 1: not answered yet
        # Where the last of several that go well without a word is answered: the first of them.
        self._covers = {len(requests) - 1: 0} if ack_last else {}
        self.asks: bytes | None = None  # which ask for an acknowledgement, where there are brackets
        if bracketed:
            self._find_brackets()
        self._answers: dict[int, Any] = {}  # messages that came before their acknowledgement

    @property
    def ready(self) -> bool:
        """Whether every outcome is known, or none of the rest will ever be."""
        return not self.unanswered or self.error is not None

    def results(self, index: int, *, raise_errors: bool = False) -> Iterator[Any]:
        """The outcomes, in order. A KernelError learns its position, the first one's is `index`.

        An answer that cannot be decoded raises its DecodeError.
        """
        if self.error is not None:
            raise self.error
        if not self._has_words:
            yield from self.outcomes
            return
        for position, outcome in enumerate(self.outcomes):
            if self.warnings and position in self.warnings:
                words = f"{self.requests[position].name}: {self.warnings.pop(position)}"
                warnings.warn(KernelWarning(words), stacklevel=2)
            if isinstance(outcome, NetlinkError):
                if not isinstance(outcome, KernelError):
                    raise outcome
                outcome.index = index + position
                if raise_errors:
                    raise outcome
            yield outcome

    def __contains__(self, seq: int) -> bool:
        return 0 <= seq - self.first < len(self.outcomes)

    def warn(self, seq: int, words: str) -> None:
        """Take in what the kernel has to say of a success."""
        self.warnings[seq - self.first] = words
        self._has_words = True

    def waits_for(self, seq: int) -> bool:
        """Whether a request of this batch was not answered yet."""
        return bool(self._open[seq - self.first])

    def message(self, seq: int, message: Any) -> None:
        """Take in a message for a request; the first one is its outcome."""
        self.has_messages = True
        self._has_words |= isinstance(message, NetlinkError)
        self._answers.setdefault(seq - self.first, message)

    def answer(self, seq: int, count: int = 1, error: NetlinkError | None = None) -> int:
        """Take in the status of `count` requests from `seq`: how many of them had one already."""
        start = seq - self.first
        end = min(start + count, len(self.outcomes))
        if isinstance(error, KernelError) and self.requests[start].op.bracket > 0:
            self._refuse(start, error)
            return 0
        late = end - start - self._open.count(1, start, end)
        self._has_words |= error is not None
        start = self._covers.get(end - 1, start)  # those that did not fail went well
        if error is not None and self._open[end - 1]:
            self.outcomes[end - 1] = error
        self._settle(start, end)
        return late

    def _settle(self, start: int, end: int) -> None:
        """Take in that these are answered; what has no outcome yet went well."""
        self.unanswered -= self._open.count(1, start, end)
        for position in [p for p in self._answers if start <= p < end]:
            answer = self._answers.pop(position)
            if self.outcomes[position] is None:
                self.outcomes[position] = answer
        self._open[start:end] = bytes(end - start)

    def _find_brackets(self) -> None:
        """Have nothing wait for an answer to a bracket, and one answer for all between two."""
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
        """Take in that nothing was done of what stands between two brackets."""
        if self.ack_last:  # the one that asks may be among the refused, which it does not answer
            self._settle(0, start)
        self.outcomes[start] = error
        self._has_words = True
        for position in range(start + 1, len(self.outcomes)):
            request = self.requests[position]
            if request.op.bracket:
                break
            if self._open[position]:
                self._open[position] = 0
                self.unanswered -= 1
                assert error.errno is not None
                self.outcomes[position] = KernelError(error.errno, error.message, request=request)


def generic_family(op: Op[..., Any]) -> Family:
    """The family of an op, on a socket of Generic Netlink."""
    if op.family is None or not op.family.is_generic:
        raise ValueError(f"{op.name} is no op of a generic family")
    return op.family


def is_enoent(error: BaseException | None) -> bool:
    """Whether the kernel says that something is not there."""
    return isinstance(error, KernelError) and error.errno == errno.ENOENT


class Engine:
    """Tracks requests and sorts what comes back; see the table at the head of this file.

    `wait` is what a Reply calls when it has nothing more to give: it must feed this engine until
    the reply is ready, or raise. Of an asyncio driver it returns the awaitable that does. `names`
    has the numbers of generic families, for a socket of theirs.
    """

    def __init__(
        self,
        families: Iterable[Family],
        wait: Callable[[Reply[Any]], Any],
        names: type[Directory] | None = None,
    ) -> None:
        families = tuple(families)
        self.classes = dispatch_of(families)
        self.names = names(families, self.classes) if names is not None else None
        # Whether some ops open and close batches.
        self.bracketed = any(op.bracket for f in families for op in f.ops.values())
        self.stats = Stats()
        self._wait = wait
        self.port = 0  # the socket's, once it is known
        self._events: deque[Iterator[Message | RawMessage | Overrun]] = deque()
        self._outgoing: list[bytes] = []
        # Replies are held weakly: one that nobody holds any more is an abandoned request. An
        # exception holds what its frames do, so that whoever can should say abandon().
        self._waiting: dict[int, Callable[[], Reply[Any] | None]] = {}
        self._batches: list[Batch] = []
        self._seq = 0
        self._dump: int | None = None  # seq of the dump that the kernel is at
        self._queue: deque[int] = deque()  # seqs of the dumps that wait for it to end
        # What waits for the number of a generic family: seqs and batches; and the questions.
        self._held: dict[Family, list[int | Batch]] = {}
        self._questions: dict[int, tuple[Family, Reply[Any]]] = {}  # by seq

    # --- out ---

    def submit(
        self,
        request: Request[M],
        *,
        dump: bool = False,
        retries: int = 0,
        timeout: float | None = None,
        again: Callable[[Reply[Any]], None] | None = None,
    ) -> Reply[M]:
        """Take a request in; its bytes come out of take_outgoing, a dump's when its turn comes.

        `again` is what the Reply of a dump calls to be submitted once more.
        """
        reply = Reply(
            request, self.classes, self._wait, again, is_dump=dump, retries=retries, timeout=timeout
        )
        self.resubmit(reply)
        return reply

    def resubmit(self, reply: Reply[Any]) -> None:
        """Take in the request of a reply, for the first time or again."""
        self._seq = seq = self._seq % 0xFFFFFFFF + 1
        reply.seq = seq
        self._begin(reply)  # which refuses what is no request
        self._waiting[seq] = weakref.ref(reply)

    def submit_batch(
        self,
        requests: list[Request[Any]],
        *,
        ack_last: bool = False,
        limit: int = 1 << 16,
        timeout: float | None = None,
        answer_size: int = 0,
    ) -> Batch:
        """Take in requests that are to be sent together, at most `limit` bytes in one buffer."""
        if self._seq + len(requests) > 0xFFFFFFFF:
            self._seq = 0
        batch = Batch(
            requests,
            self._seq + 1,
            ack_last=ack_last,
            bracketed=self.bracketed,
            limit=limit,
            timeout=timeout,
            answer_size=answer_size,
        )
        self._seq += len(requests)
        if requests:
            self._begin_batch(batch)  # which refuses what is no request
        if batch.unanswered:
            self._batches.append(batch)
        return batch

    def _begin(self, reply: Reply[Any]) -> None:
        """Let a request go out, unless it has to wait: for its family's number, or its turn."""
        op = reply.request.op
        seq = reply.seq
        if self.names is not None and not self._is_known(generic_family(op), seq):
            return
        if reply.is_dump and self._dump is not None:
            self._queue.append(seq)
            return
        if self.names is not None:
            reply._sent_to = self.names.ids[generic_family(op)]
        flags = op.flags | (DUMP if reply.is_dump else ACK)
        id = -1 if self.names is None else self.names.ids[generic_family(op)]
        self._outgoing.append(envelop(reply.request, id, flags, seq, self.classes.framing))
        if reply.is_dump:
            self._dump = seq

    def _begin_batch(self, batch: Batch) -> None:
        ids = None
        if self.names is not None:
            ids = self.names.ids
            families = {generic_family(op) for op in {each.op for each in batch.requests}}
            if not all(self._is_known(family, batch) for family in families):
                return
        flags = REQUEST if batch.ack_last else ACK
        packed = pack(batch.requests, batch.first, flags, ACK, batch.limit, ids, batch.asks)
        self._outgoing += packed
        self.stats.sent += len(batch.requests) - len(packed)

    def take_outgoing(self) -> list[bytes]:
        """The buffers to be sent now, in order: each one message, or several of a batch."""
        outgoing, self._outgoing = self._outgoing, []
        self.stats.sent += len(outgoing)
        return outgoing

    def send_failed(self, buffers: Iterable[bytes], error: BaseException) -> None:
        """Take in that these could not be sent: no answer will come, who waits gets the error."""
        for buffer in buffers:
            seq = seq_of(buffer)
            known = self._waiting.pop(seq, None)
            reply = known() if known is not None else None
            if reply is not None:
                self._finish(reply, error)
            elif (batch := self._batch_of(seq)) is not None:
                batch.error = error
                self._drop(batch)
            self._next_dump(seq)

    def abandon(self, waiter: Reply[Any] | Batch) -> None:
        """Wait no more: answers that still come are late. A reply tells that to who uses it yet."""
        if isinstance(waiter, Batch):
            self._drop(waiter)
        elif not waiter.done:
            self._waiting[waiter.seq] = lambda: None
            waiter.error = OSError(errno.ECANCELED, "the reply was abandoned")
            waiter.done = True

    # --- the numbers of generic families ---

    def _is_known(self, family: Family, waiter: int | Batch) -> bool:
        """Whether a request can be sent; else it is held until nlctrl has told its family's id."""
        assert self.names is not None
        if family in self.names.ids:
            return True
        if family not in self._held:
            self._ask(family)
            self._held[family] = []
        self._held[family].append(waiter)
        return False

    def _ask(self, family: Family) -> None:
        assert self.names is not None
        question = self.submit(self.names.question(family))
        self._questions[question.seq] = family, question

    def _answered(self, family: Family, answer: Reply[Any]) -> None:
        """Let those go on who waited for a family's id, or tell them why there is none."""
        assert self.names is not None
        for run in answer._runs:
            self._learn(answer.messages(run))
        id = self.names.ids.get(family)
        error = answer.error or (None if id else KernelError(errno.ENOENT, request=answer.request))
        for waiter in self._held.pop(family, ()):
            if isinstance(waiter, Batch):
                if waiter not in self._batches:
                    continue  # given up
                if error is None:
                    self._begin_batch(waiter)
                else:
                    waiter.error = error
                    self._drop(waiter)
                continue
            reply = self._waiting.get(waiter, lambda: None)()
            if reply is None:
                self._waiting.pop(waiter, None)  # given up: nothing was sent that could be late
            elif error is None and reply._doubted != id:
                self._begin(reply)
            else:
                del self._waiting[waiter]
                self._finish(reply, reply.error or error)

    def _learn(self, messages: Iterator[Any]) -> None:
        """Take in what nlctrl says; what cannot be decoded says nothing."""
        assert self.names is not None
        while True:
            try:
                for told in messages:
                    self.names.learn(told)
                return
            except DecodeError:
                continue  # with the next one

    def _doubt(self, reply: Reply[Any], error: BaseException | None) -> bool:
        """Whether an ENOENT may be about the number of the family, and that is asked for anew."""
        family = reply.request.op.family
        if (
            self.names is None
            or not is_enoent(error)
            or family is None
            or family.id is not None  # one that is fixed
            or reply._doubted is not None
            or reply._handed_out
            or reply._runs  # the kernel knew the family well enough to answer
        ):
            return False
        reply._doubted = reply._sent_to
        reply.error = error
        if self.names.ids.get(family) == reply._sent_to:  # no new one was announced meanwhile
            self.names.forget(family)
        self.resubmit(reply)
        return True

    # --- in ---

    def feed(self, data: bytes, index: bytes) -> None:
        """Take in what one receive gave.

        Raises DecodeError where a datagram breaks the rules of the wire; all else that came with
        it has been taken in by then. It may have held anyone's answer: every waiter fails.
        """
        fault = None
        stats = self.stats
        stats.datagrams += len(index) // 24
        stats.bytes += len(data)
        for run in runs(data, index, self.port, self.classes.framing):
            if run.fault is not None:
                fault = run.fault
                self._fail(lambda: fault)
            elif run.port:
                stats.strangers += 1
            elif run.group and not (run.is_own and self._is_echo(run.seq)):
                if self.names is not None and run.group == self.names.control_group:
                    self._learn(Messages(run.data, self.classes, run.start, run.end))
                    if not self.names.is_told:
                        continue
                if self.names is None or not run.type:  # team ends its events with an NLMSG_DONE
                    self._event(run)
            elif run.type:
                self._control(run)
            elif not run.is_own and self._is_unasked(run):
                self._event(run)
            else:
                self._answer(run)
        if fault is not None:
            raise fault

    def _event(self, run: Run) -> None:
        """Messages that answer no request."""
        self.stats.messages += run.count
        self.stats.events += run.count
        self._events.append(Messages(run.data, self.classes, run.start, run.end))

    def overrun(self) -> None:
        """Take in that the kernel dropped messages (ENOBUFS): nobody's answer is certain now.

        The caller must then receive until nothing is left, feed that, and call `drained`. Only
        the empty queue makes the kernel deliver again; until then it drops what it has for the
        socket, and does not tell a second time (netlink_overrun, netlink_rcv_wake).
        """
        self.stats.overruns += 1
        self._fail(Overrun)

    def drained(self) -> None:
        """Take in that all from before an overrun was fed: here is where messages are missing.

        No dump can be under way: receiving is what makes the kernel go on with one.
        """
        self._events.append(iter((Overrun(),)))
        if self._dump is not None and self._dump not in self._unsent():
            self._next_dump(self._dump)
        for family in self.names.missed() if self.names is not None else ():
            self._ask(family)

    def _fail(self, error: Callable[[], BaseException]) -> None:
        """Tell all who wait for an answer that it may be lost, but not those yet to be sent."""
        unsent = self._unsent()
        for seq in self._waiting.keys() - unsent:
            reply = self._waiting.pop(seq, lambda: None)()
            if reply is not None:
                self._finish(reply, error())
        for batch in [batch for batch in [*self._batches] if batch.first not in unsent]:
            batch.error = error()
            self._drop(batch)

    def _unsent(self) -> set[int]:
        """The seqs of what the kernel has not seen, of a batch the first."""
        held = chain.from_iterable(self._held.values())
        return {
            *self._queue,
            *map(seq_of, self._outgoing),
            *(waiter.first if isinstance(waiter, Batch) else waiter for waiter in held),
        }

    def events(self) -> Iterator[Message | RawMessage | Overrun]:
        """The events that have come, in order, and each Overrun at its place.

        Each is handed out once: what a loop over them leaves is there for the next one.
        """
        return chain.from_iterable(self._event_batches())

    def _event_batches(self) -> Iterator[Iterable[Message | RawMessage | Overrun]]:
        while self._events:
            batch = self._events[0]
            yield batch
            if self._events and self._events[0] is batch:  # no other loop was faster
                self._events.popleft()

    @property
    def ready(self) -> bool:
        """Whether events() may have something."""
        return bool(self._events)

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._waiting or self._batches)

    @property
    def owed(self) -> int:
        """What the answers that batches wait for take of the receive buffer at most."""
        return sum(batch.unanswered * batch.answer_size for batch in [*self._batches])

    def _answer(self, run: Run) -> None:
        """Ordinary messages to one of our requests."""
        self.stats.messages += run.count
        known = self._waiting.get(run.seq)
        reply = known() if known is not None else None
        if reply is not None:
            if run.flags & DUMP_INTR:
                reply.interrupted = True
            reply._runs.append(run)
        elif (batch := self._batch_of(run.seq)) is not None and batch.waits_for(run.seq):
            try:
                message = next(Messages(run.data, self.classes, run.start, run.end))
            except DecodeError as error:  # is this request's alone: the others have their answers
                message = error
            batch.message(run.seq, message)
        else:
            self.stats.late += run.count

    def _control(self, run: Run) -> None:
        """NLMSG_ERROR (an acknowledgement, when its error is 0) and NLMSG_DONE end a reply."""
        if run.is_ack:
            self._acknowledged(run.seq, run.count)
            return
        if run.type not in (NLMSG_ERROR, NLMSG_DONE):
            return
        batch = self._batch_of(run.seq)
        if batch is not None:
            request = batch.requests[run.seq - batch.first]
            error, warning = status(run, request)
            if warning is not None:
                batch.warn(run.seq, warning)
            family = request.op.family
            if self.names is not None and family is not None and is_enoent(error):
                self.names.forget(family)  # ask anew before the next batch
            self.stats.late += batch.answer(run.seq, 1, error)
            self._close(batch)
            return
        reply = self._end(run.seq)
        if reply is not None:
            if run.flags & DUMP_INTR:
                reply.interrupted = True
            error, reply.warning = status(run, reply.request)
            if not self._doubt(reply, error):
                self._finish(reply, error)

    def _acknowledged(self, seq: int, count: int) -> None:
        """Requests in a row that the kernel has carried out."""
        while count > 0:
            batch = self._batch_of(seq)
            if batch is not None:
                done = min(count, batch.first + len(batch.outcomes) - seq)
                self.stats.late += batch.answer(seq, done)
                self._close(batch)
            else:
                done = 1
                reply = self._end(seq)
                if reply is not None:
                    self._finish(reply)
            seq += done
            count -= done

    def _is_echo(self, seq: int) -> bool:
        """Whether a group message with our port is the answer to a request with NLM_F_ECHO."""
        known = self._waiting.get(seq)
        reply = known() if known is not None else None
        if reply is not None:
            request = reply.request
        elif (batch := self._batch_of(seq)) is not None and batch.waits_for(seq):
            request = batch.requests[seq - batch.first]
        else:
            return False
        return bool(request.op.flags & ECHO)

    def _is_unasked(self, run: Run) -> bool:
        """Whether messages that lack our port answer nothing: see the table."""
        return self.port != 0 and (self.names is not None or run.seq == 0)

    def _batch_of(self, seq: int) -> Batch | None:
        for batch in [*self._batches]:
            if seq in batch:
                return batch
        return None

    def _drop(self, batch: Batch) -> None:
        """Wait for a batch no more.

        A generator that is left to the collector comes here at any moment, without the lock.
        """
        with suppress(ValueError):
            self._batches.remove(batch)

    def _close(self, batch: Batch) -> None:
        if not batch.unanswered:
            self._drop(batch)

    def _end(self, seq: int) -> Reply[Any] | None:
        """The reply that a status ends, if anyone waits for it."""
        known = self._waiting.pop(seq, None)
        self._next_dump(seq)
        reply = known() if known is not None else None
        if reply is None:
            self.stats.late += 1
        return reply

    def _finish(self, reply: Reply[Any], error: BaseException | None = None) -> None:
        """The end of a reply has come."""
        reply.error = error
        reply.done = True
        if reply.seq in self._questions:
            self._answered(*self._questions.pop(reply.seq))

    def _next_dump(self, ended: int) -> None:
        """Let the next dump that somebody still wants begin when the one before has ended."""
        if ended != self._dump:
            return
        self._dump = None
        while self._queue and self._dump is None:
            seq = self._queue.popleft()
            reply = self._waiting[seq]()
            if reply is None:
                del self._waiting[seq]
            else:
                self._begin(reply)


def seq_of(buffer: bytes) -> int:
    """The nlmsg_seq of a message, or of the first of several."""
    return int.from_bytes(buffer[8:12], sys.byteorder)
