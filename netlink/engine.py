"""The conversation, sans-I/O: requests out, datagrams in, replies and events out.

The engine numbers requests, sorts what arrives and ends each reply with its status. It owns no
socket and reads no clock: a connection puts what it received into `inbox`, and sends what is in
`outgoing`. Its work is per run (neighbours of one receive that belong together), never per message.

The build compiles this file, with the C types in engine.pxd. A compiled step cannot be divided: no
exception of a signal handler strikes inside of it, and no other thread runs. Exceptions are
possible only where a step calls code that is not compiled. A step therefore calls such code, for
example a predicate, before it changes anything, and a run stays in `inbox` until it is sorted.

What it knows of the kernel, in addition to the family's own rules:

| fact                                                         | so                                |
|--------------------------------------------------------------|-----------------------------------|
| a socket runs one dump at a time, a second gets EBUSY        | dumps queue here; requests pass   |
|   (af_netlink.c, __netlink_dump_start)                       |                                   |
| replies to different requests interleave, even inside a dump | each is found by its seq          |
| a group event may carry anyone's seq and port                | a group other than 0 is an event  |
| with NLM_F_ECHO the sender alone gets a copy of the event,   | a group message with our port and |
|   under the group's number (nlmsg_notify)                    |   such a seq is the answer        |
| the kernel sends unsolicited messages to a port, numbered by | on a generic socket a message     |
|   its own counter, which can equal one of our sequence       |   without our port is an event;   |
|   numbers, but never with our port as nlmsg_pid              |   elsewhere only with seq 0       |
|   (taskstats.c, prepare_reply); answers lack the port too    |                                   |
|   in audit.c and xfrm_user.c                                 |                                   |
| parts of a dump of thermal have neither our port nor our seq | messages of its family with seq 0 |
|   (thermal_netlink.c, thermal_genl_cmd_dumpit)               |   are its parts, while it runs    |
| anyone with the privilege may send to our port               | a sender port other than 0 is     |
|                                                              |   dropped and counted             |
| a dump's DONE may carry an errno and an extended ACK         | that is the dump's status         |
| NLM_F_DUMP_INTR can be on any part, DONE included            | the reply is interrupted: it is   |
|                                                              |   requested again if nothing of   |
|                                                              |   it was handed out               |
| ENOBUFS is reported once and does not say what was lost;     | every waiter fails, subscribers   |
|   until the queue was empty, more is lost (netlink_overrun)  |   see an Overrun after the rest   |
| a datagram that breaks the rules may have held any answer    | every waiter fails                |
| the end of a dump can be lost, or the dump can go on         | the next dump is sent all the     |
|                                                              |   same; after EBUSY it waits      |
| an abandoned request is answered all the same                | its answer is dropped silently    |
| a generic family has no number before nlctrl reports it, and | the first request waits for that; |
|   another one after its module was loaded again; ENOENT is   |   after ENOENT it is requested    |
|   the answer to an unknown number (genl_rcv_msg)             |   again, and sent once more       |
| a failed request always answers, even if it asked for no ACK | the ACK of the last request       |
|   (netlink_rcv_skb)                                          |   confirms all before it          |
| unread answers are bounded by the receive buffer             | pipelines keep a window:          |
|                                                              |   Window in _pipeline.py          |
| lengths of messages and attributes need not be aligned       | step by the aligned length, clip  |
|                                                              |   at the end: _core.pyx           |
| NLM_F_CAPPED and NLM_F_ACK_TLVS say where an extended ACK    | both forms decode, on ERROR, DONE |
|   starts                                                     |   and successes: extack.py        |
| a get that succeeds sends its one message in any case, and a | an op may end with its message:   |
|   failed one an error (rtnl_getlink, genl_ctrl)              |   ends="message" asks for no ACK  |
| the send itself carries the request out, even of a socket    | its answer is read at once;       |
|   that does not block                                        |   a thread may send: aio.py       |
"""

from __future__ import annotations

import errno
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from itertools import chain
from typing import Any
from weakref import ref

from netlink._core import (
    INDEX_FORMAT,
    Messages,
    Origin,
    RawMessage,
    Run,
    envelop,
    iter_messages,
    pack,
    runs,
)
from netlink._exchange import Batch, Exchange, untraced
from netlink._resolver import FixedNumbers, Group, Resolver
from netlink.constants import NLM_F, NLMSG
from netlink.errors import DecodeError, KernelError, Overrun
from netlink.extack import status
from netlink.family import Dispatch, Family, Request
from netlink.schema import Message

__all__ = ["Engine", "Event", "Queue", "Stats"]

Event = Message | RawMessage | Overrun  # what a subscription yields

# As plain ints: the arithmetic of IntFlag takes most of a microsecond.
REQUEST = int(NLM_F.NLM_F_REQUEST)
ACK = int(NLM_F.NLM_F_REQUEST | NLM_F.NLM_F_ACK)
DUMP = int(NLM_F.NLM_F_REQUEST | NLM_F.NLM_F_DUMP)
ECHO = int(NLM_F.NLM_F_ECHO)
DUMP_INTR = int(NLM_F.NLM_F_DUMP_INTR)
INDEX_ENTRY = struct.calcsize(INDEX_FORMAT)
NLMSG_ERROR, NLMSG_DONE = int(NLMSG.NLMSG_ERROR), int(NLMSG.NLMSG_DONE)

# The flags of a request, by what ends its op.
FLAGS = {"ack": ACK, "message": REQUEST, "answer": ACK, "done": REQUEST, "nothing": 0}
QUEUE_LIMIT = 16 << 20  # bytes
ENTRY_SIZE = 256  # what an entry of a queue takes at most in addition to its messages
MESSAGE_SIZE = 128  # what a message takes that a predicate has seen, in addition to its bytes
ANSWER_SIZE = 8192  # the most that one answer takes of the receive buffer: a message and an ACK
ATTEMPTS = 3  # to sort a run, if exceptions interrupt it


class Stats:
    """What a connection has counted since it was opened.

    `sent` counts requests; `datagrams` and `bytes` what was received; `messages` those of replies
    and events without the control messages; `events` those that came by a group or unsolicited;
    `overruns` how often the kernel reported a full receive buffer; `dropped` events that a full
    queue could not store; `malformed` datagrams that break the rules of the wire; `strangers`
    datagrams that another process sent; and `late` messages that answer no request for which anyone
    waits. The last two kinds are dropped.
    """

    __slots__ = (
        "bytes", "datagrams", "dropped", "events", "late", "malformed", "messages", "overruns",
        "sent", "strangers",
    )  # fmt: skip

    def __init__(self) -> None:
        self.sent = 0
        self.datagrams = 0
        self.bytes = 0
        self.messages = 0
        self.events = 0
        self.overruns = 0
        self.dropped = 0
        self.malformed = 0
        self.strangers = 0
        self.late = 0

    def __repr__(self) -> str:
        counted = ", ".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"Stats({counted})"


class Queue:
    """The events of one subscription that were received and not yet handed out.

    `groups` are the numbers of its multicast groups, and `named` those of generic families by
    (family, group). `predicate` selects messages. At most about `limit` bytes are stored, and what
    one receive adds to that. Further messages are dropped and counted, and an Overrun stands at
    their place.
    """

    __slots__ = (
        "_begun", "_dispatch", "_dropped", "_entries", "_size", "closed", "groups", "limit",
        "named", "predicate",
    )  # fmt: skip

    def __init__(
        self,
        dispatch: Dispatch,
        predicate: Callable[[Any], bool] | None = None,
        limit: int = QUEUE_LIMIT,
    ) -> None:
        if predicate is not None and not callable(predicate):
            raise TypeError(f"the predicate must be a function, got {predicate!r}")
        if isinstance(limit, bool) or not isinstance(limit, int):
            raise TypeError(f"the limit of a queue is a number of bytes, got {limit!r}")
        if limit <= 0:
            raise ValueError(f"a queue of {limit} bytes can hold nothing")
        self.groups: set[int] = set()
        self.named: dict[Group, int] = {}
        self.predicate = predicate
        self.limit = min(limit, sys.maxsize)
        self.closed = False
        self._dispatch = dispatch
        self._entries: deque[tuple[Any, int]] = deque()  # batches or errors, and their sizes
        self._begun: Any = None  # the batch that is being handed out
        self._size = 0
        self._dropped = 0  # since the last entry

    # --- for the engine ---

    def select(self, run: Run) -> list[tuple[Any, int]] | None:
        """Return what store() is to add of a run of messages: batches or errors, and their sizes.

        None if the queue is full. This calls the predicate and changes nothing. What the predicate
        raises, and what cannot be decoded, is raised at the place of the message.
        """
        if self._size >= self.limit:
            return None
        data, start, end = run.data, run.start, run.end
        size = end - start
        if 2 * size < len(data):  # the rest of the receive must not be kept for these few bytes
            data, start, end = data[start:end], 0, size
        size = len(data)
        messages = Messages(data, self._dispatch, start, end, Origin(run.group, run.nsid))
        if self.predicate is None:
            return [(messages, size + ENTRY_SIZE)]
        found: list[tuple[Any, int]] = []
        kept: list[Any] = []
        while messages.left > 0:
            failure: Exception | None = None
            try:
                for message in messages:
                    if self.predicate(message):
                        kept.append(message)
            except Exception as error:
                failure = error
            if kept:  # all entries together hold the data once
                found.append((iter(kept), size + ENTRY_SIZE + MESSAGE_SIZE * len(kept)))
                kept, size = [], 0
            if failure is not None:
                found.append((failure, ENTRY_SIZE))
        return found

    def store(self, run: Run, selected: list[tuple[Any, int]] | None) -> int:
        """Add what select() returned. Returns how many messages were dropped because the queue is
        full."""
        if selected is None:
            self._dropped += run.count
            return run.count
        for batch, size in selected:
            self.mark(batch, size)
        return 0

    def mark(self, batch: Any, size: int = ENTRY_SIZE) -> None:
        """Add a batch of items."""
        if self._dropped:
            self._entries.append((iter((Overrun(self._dropped, "queue"),)), ENTRY_SIZE))
            self._size += ENTRY_SIZE
            self._dropped = 0
        self._entries.append((batch, size))
        self._size += size

    def overrun(self, count: int | None) -> None:
        """Note that the kernel dropped messages."""
        self.mark(iter((Overrun(count, "kernel"),)))

    def fail(self, error: Exception) -> None:
        """Have an error raised at this place of the stream."""
        self.mark(error)

    # --- for the connections ---

    @property
    def ready(self) -> bool:
        """Whether there is something to hand out, or the subscription was closed."""
        return bool(self._entries or self._dropped or self.closed or self._left(self._begun))

    @property
    def pending(self) -> int:
        """The number of events that are queued; an Overrun counts as one."""
        waiting = [self._begun, *(entry for entry, _ in [*self._entries])]
        return sum(map(_length, waiting)) + bool(self._dropped)

    def take_whole(self) -> Any:
        """Return what take() returns, once: what the caller leaves unread is not returned again."""
        batch = self.take()
        self._begun = None
        return batch

    def take(self) -> Any:
        """Return an iterator over the next events, or None if more must be received first.

        What a loop left unread is returned again. Raises an error that stands at this place.
        """
        if self._left(self._begun):
            return self._begun
        self._begun = None
        if self._entries:
            entry, size = self._entries[0]
            self._size -= size  # before it is taken: there may be no memory for the number
            self._entries.popleft()
        elif not self._dropped:
            return None
        else:
            entry = iter((Overrun(self._dropped, "queue"),))
            self._dropped = 0
        if isinstance(entry, Exception):
            raise untraced(entry)
        self._begun = entry
        return entry

    @staticmethod
    def _left(batch: Any) -> int:
        return batch.left if type(batch) is Messages else _length(batch)


def _length(batch: Any) -> int:
    """How many items are left of a batch; an error is one."""
    if batch is None:
        return 0
    return 1 if isinstance(batch, Exception) else int(batch.__length_hint__())


def is_enoent(error: BaseException | None) -> bool:
    """Whether the kernel says that something does not exist."""
    return isinstance(error, KernelError) and error.errno == errno.ENOENT


class Engine:
    """Tracks requests and sorts what comes back; see the table at the head of this file.

    `resolver` knows the numbers of generic families; for other protocols it is a null object.
    `lock`: the caller of a method must hold it, if threads share the engine.
    """

    def __init__(
        self,
        families: Iterable[Family],
        resolver: Resolver | FixedNumbers,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self.families = tuple(families)
        self.resolver = resolver
        self.lock: AbstractContextManager[Any] = threading.Lock() if lock is None else lock
        self.dispatch = resolver.dispatch
        self.framing = self.dispatch.framing
        # Whether some ops open and close transactions.
        self.bracketed = any(op.bracket for f in self.families for op in f.ops.values())
        self.stats = Stats()
        self.port = 0  # the socket's, as soon as it is known
        self.events = Queue(self.dispatch)  # the default subscription
        self.rcvbuf = 0  # the size of the socket's receive buffer, as soon as it is known
        self.outgoing: list[bytes] = []
        self.inbox: list[Any] = []  # pairs of a receive, as (data, index), that are to be sorted
        self._runs: deque[Run] = deque()  # the runs of the first pair
        self._is_begun = False  # whether its runs are known
        self._attempts = 0  # to sort the first run
        self.drops = 0  # the socket's drop counter at the last overrun
        self.draining = False  # there was an overrun, and the socket's queue was not empty since
        self.rejoin: list[int] = []  # groups that the socket must join, as their numbers are new
        self.queues: list[Queue] = [self.events]
        self.forsaken: deque[Queue] = deque()  # subscriptions that were dropped without close()
        # Exchanges are held weakly: a reply that nobody holds is an abandoned request. None stands
        # for one that was abandoned explicitly.
        self._waiting: dict[int, ref[Exchange] | None] = {}
        self._abandoned: set[int] = set()  # those of None that may still be answered
        self._batches: list[Batch] = []
        self._is_due = False  # whether a farewell must be sent before the socket is closed
        self.silent: set[int] = set()  # seqs of requests that end when they are sent
        self._seq = 0
        # The seq of the dump that the kernel runs; 0 for one of those whose end may be lost.
        self._dump: int | None = None
        self._lost: set[int] = set()  # seqs of dumps whose end may be lost, or may come later
        self._dumps: deque[int] = deque()  # seqs of the dumps that wait for it to end
        # What waits for the number of a generic family: seqs and batches; and the questions.
        self._held: dict[Family, list[int | Batch]] = {}
        self._line: deque[int] = deque()  # seqs of what waits for room in the receive buffer
        self._questions: dict[int, tuple[Family, Exchange]] = {}  # by seq

    # --- out ---

    def submit(
        self,
        request: Request[Any, Any],
        timeout: float | None = None,
        dump: bool = False,
        retries: int = 0,
    ) -> Exchange:
        """Accept a request. Its bytes are added to `outgoing`, a dump's when its turn comes."""
        exchange = Exchange(request, self.dispatch, dump, retries, timeout)
        self.resubmit(exchange)
        return exchange

    def resubmit(self, exchange: Exchange) -> None:
        """Accept the request of an exchange, for the first time or again."""
        self._seq = seq = self._seq % 0xFFFFFFFF + 1
        exchange.seq = seq
        self._begin(exchange)  # which refuses a request of another family
        self._waiting[seq] = ref(exchange)

    def prepare(self, waiter: Any) -> None:
        """Before a wait: request an interrupted dump again, if that is what is to be awaited."""
        if type(waiter) is Exchange and waiter.wants_restart:
            waiter.restart()
            self.resubmit(waiter)

    def submit_batch(
        self,
        requests: list[Request[Any, Any]],
        *,
        ack_last: bool = False,
        limit: int = 1 << 16,
        timeout: float | None = None,
        answer_size: int = 0,
    ) -> Batch:
        """Accept requests that are to be sent together, at most `limit` bytes in one buffer."""
        if self._seq + len(requests) > 0xFFFFFFFF:
            self._seq = 0
        batch = Batch(
            requests,
            self._seq + 1,
            self.dispatch,
            ack_last=ack_last,
            bracketed=self.bracketed,
            limit=limit,
            timeout=timeout,
            answer_size=answer_size,
        )
        self._seq += len(requests)
        if requests:
            self._begin_batch(batch)  # which refuses a request of another family
        if batch.unanswered:
            self._batches.append(batch)
        return batch

    def _has_room(self) -> bool:
        """Whether the receive buffer can hold one more answer to a single request, besides those on
        their way. Batches have a measure of their own, so that neither kind waits for the other."""
        coming = len(self._waiting) - len(self._line) - len(self._dumps)
        for held in self._held.values():
            for waiter in held:
                coming -= not isinstance(waiter, Batch)
        return coming <= 0 or not self.rcvbuf or (coming + 1) * ANSWER_SIZE <= self.rcvbuf

    def _admit(self) -> None:
        """Let requests go out that waited for room in the receive buffer."""
        while self._line and self._has_room():
            seq = self._line[0]
            exchange = self._get(seq)
            if exchange is None:
                self._waiting.pop(seq, None)
            else:
                op = exchange.request.op
                number = self.resolver.number(op)
                if number is None:  # it was forgotten meanwhile
                    self._hold(op.family, seq)
                else:
                    self._send(exchange, number)
            self._line.popleft()

    def _begin(self, exchange: Exchange) -> None:
        """Let a request go out, unless it must wait: for its family's number, for its turn, or for
        room in the receive buffer."""
        op = exchange.request.op
        seq = exchange.seq
        number = self.resolver.sure.get(op)
        if number is None:
            number = self.resolver.number(op)
            if number is None:
                self._hold(op.family, seq)
                return
        if exchange.is_dump:
            if self._dump is not None:
                self._dumps.append(seq)
                return
        elif self._line or not self._has_room():
            self._line.append(seq)
            return
        self._send(exchange, number)

    def _send(self, exchange: Exchange, number: int) -> None:
        """Add the bytes of a request to `outgoing`."""
        request = exchange.request
        op = request.op
        seq = exchange.seq
        flags = DUMP if exchange.is_dump else FLAGS[op.ends]
        exchange.sent_to = number
        self.outgoing.append(envelop(request, number, flags, seq, self.framing))
        self.stats.sent += 1
        if exchange.is_dump:
            self._dump = seq
        elif op.ends == "message":
            exchange.acked = True
        elif op.ends == "nothing":
            self.silent.add(seq)
            farewell = op.family.farewell if op.family is not None else None
            if farewell is not None:
                self._is_due = op is not farewell.op or request.message != farewell.message

    def _begin_batch(self, batch: Batch) -> None:
        # All before any is held: a request of another family must be refused at once.
        ops = {request.op for request in batch.requests}
        numbers = {op.family: self.resolver.number(op) for op in ops}
        for family, number in numbers.items():
            if number is None:
                self._hold(family, batch)
                return
        flags = REQUEST if batch.ack_last else ACK
        ids: Any = numbers if self.resolver.is_generic else None
        packed = pack(batch.requests, batch.first, flags, ACK, batch.limit, ids, batch.asks)
        self.outgoing += packed
        self.stats.sent += len(batch.requests)

    @property
    def is_farewell_due(self) -> bool:
        """Whether something must be sent before the socket is closed."""
        return self._is_due

    def farewells(self) -> list[bytes]:
        """Return what must be sent before the socket is closed."""
        due, self._is_due = self._is_due, False
        self._seq = self._seq % 0xFFFFFFFF + 1
        return [
            envelop(
                family.farewell,
                self.resolver.number(family.farewell.op) or 0,
                FLAGS[family.farewell.op.ends],
                self._seq,
                self.framing,
            )
            for family in (self.families if due else ())
            if family.farewell is not None
        ]

    def take_outgoing(self) -> list[bytes]:
        """Return the buffers to send now, in order: each one message, or several of a batch."""
        outgoing, self.outgoing = self.outgoing, []
        return outgoing

    def send_failed(self, buffers: Iterable[bytes], error: BaseException) -> None:
        """Note that these could not be sent: who waits for an answer gets the error."""
        for buffer in buffers:
            seq = seq_of(buffer)
            self.silent.discard(seq)
            exchange = self._pop(seq)
            if exchange is not None:
                self._finish(exchange, error)
            elif (batch := self._batch_of(seq)) is not None:
                batch.error = error
                self._drop(batch)
            self._next_dump(seq)
        self._admit()

    def note_sent(self) -> None:
        """Note that a send succeeded: requests that the kernel never answers end here."""
        gone = self.silent - self._unsent()
        self.silent -= gone
        for seq in gone:
            exchange = self._pop(seq)
            if exchange is not None:
                exchange.finish()

    def abandon(self, waiter: Exchange | Batch) -> None:
        """Stop waiting. What was not sent will not be. Later answers count in `stats.late`."""
        if isinstance(waiter, Batch):
            self._drop(waiter)
            for each in [each for each in self.outgoing if waiter.holds(seq_of(each))]:
                self.outgoing.remove(each)
                self.stats.sent -= len([*iter_messages(each)])
        elif not waiter.done:
            seq = waiter.seq
            waiter.abandon()
            self._waiting[seq] = None
            self._abandoned.add(seq)
            if self.outgoing:
                left = [each for each in self.outgoing if seq_of(each) != seq]
                if len(left) < len(self.outgoing):
                    self.outgoing = left
                    self.stats.sent -= 1
                    self._waiting.pop(seq)
                    self.silent.discard(seq)
                    self._next_dump(seq)
        self._admit()

    def give_up(self, waiter: Exchange | Batch) -> None:
        """As abandon(), for a waiter whose answer may be lost: the next dump is not held up, even
        if this one only waited for the end of a dump in which nobody is interested."""
        self.abandon(waiter)
        if isinstance(waiter, Exchange):
            if self._dump and waiter.seq in self._dumps and self._get(self._dump) is None:
                self._waiting.pop(self._dump, None)
                self._lose_dump()
            self._waiting.pop(waiter.seq, None)  # nothing may ever come that would remove it
            if self._dump == waiter.seq:
                self._lose_dump()
            self._admit()

    def found_nothing(self) -> None:
        """Note that the socket was empty. No answer to what nobody waits for is on its way then, as
        the kernel answers during the send, so that none has to be counted."""
        if self._abandoned:
            unsent = self._unsent()
            for seq in [*self._abandoned]:
                if seq != self._dump and seq not in unsent:
                    self._abandoned.discard(seq)
                    if self._waiting.get(seq, self) is None:
                        self._waiting.pop(seq)
        self._admit()

    # --- the numbers of generic families ---

    def _hold(self, family: Any, waiter: int | Batch) -> None:
        """Keep a request until nlctrl has reported the number of its family."""
        if family not in self._held:
            self._ask(family)
            self._held[family] = []
        self._held[family].append(waiter)

    def _ask(self, family: Family) -> None:
        """Ask nlctrl for the number of a family. This waits for nothing, as others wait for it."""
        question = Exchange(self.resolver.question(family), self.dispatch)
        self._seq = question.seq = seq = self._seq % 0xFFFFFFFF + 1
        number = self.resolver.number(question.request.op)
        assert number is not None  # that of nlctrl is fixed
        self._send(question, number)
        self._waiting[seq] = ref(question)
        self._questions[seq] = family, question

    def _answered(self, family: Family, answer: Exchange) -> None:
        """Let the requests go on that wait for a family's number, or fail them."""
        for run in answer.runs:
            self._learn(run)
        number = self.resolver.ids.get(family)
        error = answer.error
        if is_enoent(error) or (error is None and number is None):
            text = f"the kernel has no family {family.name!r}"
            error = KernelError(errno.ENOENT, text, request=answer.request)
        for waiter in self._held.pop(family, ()):
            if isinstance(waiter, Batch):
                if waiter not in self._batches:
                    continue  # abandoned
                if error is None:
                    self._begin_batch(waiter)
                else:
                    waiter.error = error
                    self._drop(waiter)
                continue
            exchange = self._get(waiter)
            if exchange is None:
                self._waiting.pop(waiter, None)  # abandoned; nothing was sent that could be late
            elif error is None and exchange.doubted != number:
                self._begin(exchange)
            else:
                del self._waiting[waiter]
                self._finish(exchange, exchange.error or error)

    def _learn(self, run: Run) -> None:
        """Learn from nlctrl. What cannot be decoded is skipped."""
        messages = Messages(run.data, self.dispatch, run.start, run.end)
        while messages.left > 0:
            with suppress(DecodeError):
                for message in messages:
                    self.resolver.learn(message)
        self._follow_groups()

    def _follow_groups(self) -> None:
        """Follow groups whose number is new, because their family's module was loaded again."""
        changed, self.resolver.changed = self.resolver.changed, []
        for group, number in changed:
            queues = [queue for queue in self.queues if group in queue.named]
            for queue in queues:
                queue.groups.discard(queue.named[group])
                queue.named[group] = number
                if number:
                    queue.groups.add(number)
            if number and queues:
                self.rejoin.append(number)

    def _doubt(self, exchange: Exchange, error: BaseException | None) -> bool:
        """Whether an ENOENT may mean an outdated number of the family, which is requested again."""
        family = exchange.request.op.family
        if (
            not self.resolver.is_generic
            or not is_enoent(error)
            or family is None
            or family.id is not None  # a fixed one
            or exchange.doubted is not None
            or exchange.handed_out
            or exchange.runs  # the kernel knew the family well enough to answer
        ):
            return False
        exchange.doubted = exchange.sent_to
        exchange.error = error
        if self.resolver.ids.get(family) == exchange.sent_to:  # no new one was announced meanwhile
            self.resolver.forget(family)
        self.resubmit(exchange)
        return True

    # --- in ---

    def feed(self, data: bytes, index: bytes) -> None:
        """Accept what one receive returned."""
        self.inbox.append((data, index))
        self.sort_inbox()

    def sort_inbox(self) -> None:
        """Sort everything in `inbox`.

        If an exception leaves this method, the rest stays in `inbox`, and the next call continues
        with the same run. A run that always fails is dropped.
        """
        left = self._runs
        while self.inbox:
            if not self._is_begun:
                data, index = self.inbox[0]
                left.extend(runs(data, index, self.port, self.framing))
                self._is_begun = True
                self.stats.datagrams += len(index) // INDEX_ENTRY
                self.stats.bytes += len(data)
            while left:
                self._attempts += 1
                try:
                    self._sort(left[0])
                except Exception:
                    if self._attempts >= ATTEMPTS:
                        self._drop_run()
                    raise
                self._drop_run()
            del self.inbox[0]
            self._is_begun = False
        if self._line:
            self._admit()

    def _drop_run(self) -> None:
        self._attempts = 0
        self._runs.popleft()

    def _sort(self, run: Run) -> None:
        if run.port:
            self.stats.strangers += 1
        elif run.fault is not None:
            self._malformed(run)
        elif run.group and not (run.is_own and self._is_echo(run.seq)):
            self._event(run)
        elif run.is_ack:
            self._acknowledged(run.seq, run.count)
        elif run.type:
            self._control(run)
        elif run.is_own or not self._is_unsolicited(run):
            self._answer(run, run.seq)
        elif self._is_unnumbered(run):
            assert self._dump is not None
            self._answer(run, self._dump)
        else:
            self._event(run)

    def _malformed(self, run: Run) -> None:
        """A datagram that breaks the rules of the wire: it may have held anyone's answer, unless it
        came by a group."""
        assert run.fault is not None
        self.stats.malformed += 1
        if run.group or self.framing != "netlink" or not self._fail(run.fault):
            for queue in self._listening(run.group):
                queue.fail(run.fault)

    def _event(self, run: Run) -> None:
        """Messages that answer no request."""
        if self.resolver.is_generic:
            if run.group == self.resolver.control_group:
                self._learn(run)
            if run.type:  # team ends its events with an NLMSG_DONE
                return
        queues = self._listening(run.group)
        selected = []
        for queue in queues:  # all before any changes
            selected.append(queue.select(run))
        self.stats.messages += run.count
        self.stats.events += run.count
        for position, queue in enumerate(queues):
            self.stats.dropped += queue.store(run, selected[position])

    def _listening(self, group: int) -> list[Queue]:
        """The queues that a message belongs to. One without a group goes to those that listen to
        none: the default subscription, and subscriptions made so."""
        found = []
        for queue in self.queues:
            if group:
                if group in queue.groups:
                    found.append(queue)
            elif queue is self.events or not (queue.groups or queue.named):
                found.append(queue)
        return found

    def overrun(self) -> None:
        """Note that the kernel dropped messages (ENOBUFS): no answer is certain now.

        While `draining` is true, the caller must receive until nothing is left, have that sorted,
        and call `drained`. Only the empty queue makes the kernel deliver again; until then it drops
        what it has for the socket, and does not report it again (netlink_overrun,
        netlink_rcv_wake).
        """
        self.stats.overruns += 1
        self.draining = True
        self._fail(None)

    def drained(self, drops: int | None = None) -> None:
        """Note that everything from before an overrun was fed: messages are missing here.

        `drops` is the drop counter of the socket. It may have counted a second loss already before
        it is read for the first one. The second Overrun has the number 0 then.
        """
        self.draining = False
        count = None if drops is None else (drops - self.drops) % 2**32
        self.drops = self.drops if drops is None else drops
        for queue in [*self.queues]:
            queue.overrun(count)
        if self._dump is not None and self._dump not in self._unsent():
            self._lose_dump()
        for family in self.resolver.missed():
            self._ask(family)
        self._admit()

    def _fail(self, fault: Exception | None) -> bool:
        """Fail all who wait for an answer that may be lost, but not those yet to be sent.

        Returns whether there was anyone.
        """
        unsent = self._unsent()
        found = False
        for seq in self._waiting.keys() - unsent:
            exchange = self._pop(seq)
            if exchange is not None:
                found = True
                self._finish(exchange, fault or Overrun(None, "kernel"))
        for batch in [batch for batch in self._batches if batch.first not in unsent]:
            found = True
            batch.error = fault or Overrun(None, "kernel")
            self._drop(batch)
        if fault is not None and self._dump is not None and self._dump not in unsent:
            self._lose_dump()
        return found

    def _unsent(self) -> set[int]:
        """The seqs of what the kernel has not seen, of a batch the first."""
        held = chain.from_iterable(self._held.values())
        return {
            *self._dumps,
            *self._line,
            *map(seq_of, self.outgoing),
            *(waiter.first if isinstance(waiter, Batch) else waiter for waiter in held),
        }

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still expected."""
        return bool(self._waiting or self._batches)

    def owed(self) -> int:
        """The most that the answers to batches can take of the receive buffer, in bytes."""
        held: list[Any] = [*chain.from_iterable(self._held.values())] if self._held else []
        owed = 0
        for batch in self._batches:
            if batch not in held:
                owed += batch.unanswered * batch.answer_size
        return owed

    def _answer(self, run: Run, seq: int) -> None:
        """Ordinary messages to the request with a sequence number."""
        self.stats.messages += run.count
        known = self._waiting.get(seq)
        exchange = known() if known is not None else None
        if exchange is not None:
            if run.flags & DUMP_INTR:
                exchange.interrupted = True
            exchange.runs.append(run)
            if exchange.is_dump:  # any other answer is read when it is whole
                exchange.ready = True
            elif exchange.acked:
                self._pop(seq)
                self._finish(exchange)
        elif (batch := self._batch_of(seq)) is not None and batch.is_waiting_for(seq):
            batch.store(run)
        else:
            self.stats.late += run.count
            if run.seq in self._waiting and run.seq != self._dump:  # no ACK need follow
                self._waiting.pop(run.seq)
                self._admit()

    def _control(self, run: Run) -> None:
        """NLMSG_ERROR and NLMSG_DONE end a reply."""
        if run.type not in (NLMSG_ERROR, NLMSG_DONE):
            return
        if run.type == NLMSG_DONE and run.seq == self._dump:
            self._lost.clear()  # the kernel ran this dump, so that all before it had ended
        batch = self._batch_of(run.seq)
        if batch is not None:
            request = batch.request_of(run.seq)
            error, warning = status(run, request)
            if warning is not None:
                batch.warnings[run.seq - batch.first] = warning
            family = request.op.family
            if family is not None and is_enoent(error):
                self.resolver.forget(family)  # its number is requested again before the next batch
            self.stats.late += batch.answer(run.seq, 1, error)
            self._close(batch)
            return
        exchange = self._get(run.seq)
        if exchange is None:
            self._pop(run.seq, ended=True)
            return
        error, exchange.warning = status(run, exchange.request)
        if self._is_busy(exchange, error):
            return
        self._pop(run.seq, ended=True)
        if run.flags & DUMP_INTR:
            exchange.interrupted = True
        if error is None and run.type == NLMSG_ERROR and self._answer_follows(exchange):
            return
        if not self._doubt(exchange, error):
            self._finish(exchange, error)

    def _acknowledged(self, seq: int, count: int) -> None:
        """Consecutive requests that the kernel has carried out."""
        while count > 0:
            batch = self._batch_of(seq)
            if batch is not None:
                done = min(count, batch.count_from(seq))
                self.stats.late += batch.answer(seq, done)
                self._close(batch)
            else:
                done = 1
                known = self._waiting.pop(seq, None)
                exchange = known() if known is not None else None
                if seq == self._dump or seq in self._lost:
                    self._next_dump(seq)
                if exchange is None:
                    self.stats.late += 1
                elif exchange.request.op.ends == "ack" or not self._answer_follows(exchange):
                    exchange.finish()
                    if seq in self._questions:
                        family, question = self._questions.pop(seq)
                        self._answered(family, question)
            seq += done
            count -= done

    def _answer_follows(self, exchange: Exchange) -> bool:
        """Whether an acknowledgement is not the end, because the answer comes after it."""
        ends = exchange.request.op.ends
        if exchange.is_dump or ends in ("ack", "message") or (ends == "answer" and exchange.runs):
            return False
        exchange.acked = ends == "answer"
        self._waiting[exchange.seq] = ref(exchange)
        return True

    def _is_echo(self, seq: int) -> bool:
        """Whether a group message with our port is the answer to a request with NLM_F_ECHO."""
        exchange = self._get(seq)
        if exchange is not None:
            request = exchange.request
        elif (batch := self._batch_of(seq)) is not None and batch.is_waiting_for(seq):
            request = batch.request_of(seq)
        else:
            return False
        return bool(request.op.flags & ECHO)

    def _is_unsolicited(self, run: Run) -> bool:
        """Whether messages that lack our port answer nothing: see the table. Connector never
        answers, and numbers its messages as the sender pleases."""
        if self.framing == "connector":
            return True
        return self.port != 0 and (self.resolver.is_generic or run.seq == 0)

    def _is_unnumbered(self, run: Run) -> bool:
        """Whether messages without our port answer the dump that runs, of a family whose dumps have
        none: see Family."""
        exchange = self._get(self._dump) if self._dump and not run.seq else None
        family = exchange.request.op.family if exchange is not None else None
        if exchange is None or family is None or not family.unnumbered:
            return False
        number: int = struct.unpack_from("=H", run.data, run.start + 4)[0]  # nlmsg_type
        return number == exchange.sent_to

    def _batch_of(self, seq: int) -> Batch | None:
        for batch in self._batches:
            if batch.holds(seq):
                return batch
        return None

    def _drop(self, batch: Batch) -> None:
        """Wait for a batch no more.

        A generator that the collector closes gets here at any moment, without the lock.
        """
        if batch in self._batches:  # this needs no memory, of which there may be none
            self._batches.remove(batch)

    def _close(self, batch: Batch) -> None:
        if not batch.unanswered:
            self._drop(batch)

    def _get(self, seq: int) -> Exchange | None:
        """The exchange with a sequence number, if anyone waits for it."""
        known = self._waiting.get(seq)
        return known() if known is not None else None

    def _pop(self, seq: int, ended: bool = False) -> Exchange | None:
        """As _get, and stop waiting. `ended` says that the kernel has answered all of it."""
        known = self._waiting.pop(seq, None)
        exchange = known() if known is not None else None
        if ended:
            self._next_dump(seq)
            if exchange is None:
                self.stats.late += 1
        return exchange

    def _finish(self, exchange: Exchange, error: BaseException | None = None) -> None:
        """Record the end of a reply."""
        exchange.finish(error)
        if exchange.seq in self._questions:
            family, question = self._questions.pop(exchange.seq)
            self._answered(family, question)

    # --- dumps ---

    def _next_dump(self, ended: int) -> None:
        """Let the next dump that somebody still wants begin when the one before has ended."""
        is_lost = ended in self._lost
        self._lost.discard(ended)
        if ended == self._dump or (is_lost and self._dump == 0):
            self._dump = None
            self._begin_dumps()

    def _begin_dumps(self) -> None:
        while self._dumps and self._dump is None:
            seq = self._dumps[0]
            exchange = self._get(seq)
            if exchange is None:
                self._waiting.pop(seq, None)
            else:
                self._begin(exchange)
            self._dumps.popleft()

    def _lose_dump(self) -> None:
        """Stop waiting for the end of a dump, which may be lost."""
        if self._dump:
            self._lost.add(self._dump)
        self._dump = None
        self._begin_dumps()

    def _is_busy(self, exchange: Exchange, error: BaseException | None) -> bool:
        """Whether the kernel refused a dump because one is running whose end we gave up: then the
        dump waits for it."""
        if (
            not self._lost
            or not exchange.is_dump
            or not isinstance(error, KernelError)
            or error.errno != errno.EBUSY
        ):
            return False
        self._dumps.appendleft(exchange.seq)
        self._dump = 0
        return True

    # --- subscriptions ---

    def subscribe(self, queue: Queue, numbers: dict[Group, int]) -> list[int]:
        """Add groups to a queue. Returns the numbers that the socket must join."""
        self._follow_groups()
        known = self.groups()
        if queue not in self.queues:
            self.queues = [*self.queues, queue]
        if self.resolver.is_generic:
            queue.named |= numbers
        queue.groups |= set(filter(None, numbers.values()))
        return sorted({number for number in numbers.values() if number} - known)

    def unsubscribe(self, queue: Queue, numbers: dict[Group, int] | None = None) -> list[int]:
        """Remove groups from a queue, or the queue with all of them.

        Returns the numbers that no other queue has, which the socket must leave.
        """
        if numbers is None:
            gone = set(queue.groups)
            self.queues = [other for other in self.queues if other is not queue]
            queue.groups, queue.named = set(), {}
            queue.closed = True
        else:
            gone = {queue.named.get(group, number) for group, number in numbers.items()}
            queue.groups -= gone
            for group in numbers:
                queue.named.pop(group, None)
        return sorted(gone - self.groups() - {0})

    def groups(self) -> set[int]:
        """Return the groups that the socket must be a member of."""
        joined = {number for queue in self.queues for number in queue.groups}
        return joined | ({self.resolver.control_group} if self.resolver.is_generic else set())

    def sweep(self) -> list[int]:
        """Unsubscribe what was dropped without close(). Returns the groups to leave."""
        gone = [*self.forsaken]
        for queue in gone:
            queue.closed = True
        self.queues = [queue for queue in self.queues if not queue.closed]
        left = {number for queue in gone for number in queue.groups} - self.groups()
        for queue in gone:
            queue.groups, queue.named = set(), {}
            self.forsaken.popleft()
        return sorted(left)


def seq_of(buffer: bytes) -> int:
    """Return the nlmsg_seq of a message, or of the first of several."""
    return int.from_bytes(buffer[8:12], sys.byteorder)
