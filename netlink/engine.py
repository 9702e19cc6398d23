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
| anyone with the right may send to our port                   | a sender port other than 0 is     |
|                                                              |   dropped and counted             |
| a dump's DONE may carry an errno and an extended ACK         | that is the dump's status         |
| NLM_F_DUMP_INTR on any part, DONE included                   | the reply is interrupted          |
| ENOBUFS comes once and says nothing of what was lost; until  | every waiter fails, listeners see |
|   the queue was empty, more is lost (netlink_overrun)        |   an Overrun behind what was left |
| an abandoned request is answered all the same                | its answer is drained silently    |
"""

from __future__ import annotations

import struct
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any, Generic, TypeVar

from netlink._core import Column, Gather, Messages, Run, runs, stamp
from netlink.constants import NLM_F, NLMSG
from netlink.errors import DecodeError, DumpInterrupted, KernelError, NetlinkError, Overrun
from netlink.schema import Family, Message, Request, classes_of, string, u32

__all__ = ["Engine", "Reply", "Stats"]

M = TypeVar("M", bound=Message)

REQUEST = int(NLM_F.NLM_F_REQUEST)
ACK = int(NLM_F.NLM_F_REQUEST | NLM_F.NLM_F_ACK)
DUMP = int(NLM_F.NLM_F_REQUEST | NLM_F.NLM_F_DUMP)
NLMSG_HDRLEN = 16


class Stats:
    """What a connection has counted since it was opened.

    `sent` counts requests; `datagrams` and `bytes` what was received; `messages` those of replies
    and events without the control messages, `events` those that came by a group; `overruns` the
    times that the kernel reported a full receive buffer; `strangers` datagrams that another process
    sent, and `late` messages that answer no request that anyone waits for: both are dropped.
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


class ExtAck(Message):
    """What the kernel says beside an errno: enum nlmsgerr_attrs (linux/netlink.h)."""

    msg: str | None = string(1)
    offs: int | None = u32(2)


class Reply(Generic[M]):
    """The answer to one request: a stream of messages, then a final status.

    Iterating gives each message as it comes, once; memory stays constant. At the end an error of
    the kernel raises KernelError, a dump whose data changed under it DumpInterrupted, and a full
    receive buffer Overrun. Leaving the iteration early is fine: the rest is drained silently.
    """

    __slots__ = ("__weakref__", "_classes", "_runs", "_wait", "done", "error", "interrupted",
                 "request")  # fmt: skip

    def __init__(
        self, request: Request[M], classes: dict[int, type[Message]], wait: Callable[[], None]
    ) -> None:
        self.request = request
        self.done = False
        self.error: NetlinkError | None = None
        self.interrupted = False
        self._classes = classes
        self._runs: deque[Run] = deque()
        self._wait = wait

    def __iter__(self) -> Iterator[M]:
        # chain walks from C iterator to C iterator: no Python frame is resumed per message.
        return chain.from_iterable(self._batches())

    def columns(self, *paths: str) -> dict[str, Column]:
        """The rest of the reply as columns, one for each path, without making a message.

        A path names a field of the reply's class, nested ones with dots: "stats64.rx_bytes". A
        LookupError says that there is no such field, or that its kind has no column. Messages of
        another class are passed over. Raises what iterating raises.
        """
        cls = self.request.op.reply
        types = [number for number, known in self._classes.items() if known is cls]
        gather = Gather(cls.__table__, types, *paths)
        for run in self._stream():
            gather.feed(run.data, run.start, run.end)
        return gather.finish()

    def _batches(self) -> Iterator[Iterable[M]]:
        for run in self._stream():
            yield Messages(run.data, self._classes, run.start, run.end)

    def _stream(self) -> Iterator[Run]:
        """The runs as they come; at the end, what the status says."""
        while True:
            while self._runs:
                yield self._runs.popleft()
            if self.done:
                break
            self._wait()
        if self.error is not None:
            raise self.error
        if self.interrupted:
            raise DumpInterrupted([])

    def __repr__(self) -> str:
        state = "waiting" if not self.done else "done" if self.error is None else str(self.error)
        return f"<Reply to {self.request.name}: {state}>"


class Engine:
    """Tracks requests and sorts what comes back; see the table at the head of this file.

    `wait`, given with each request, is what a Reply calls when it has nothing more to give: it
    must feed this engine, or raise.
    """

    def __init__(self, families: Iterable[Family]) -> None:
        self.classes = classes_of(families)
        self.stats = Stats()
        self._events: list[Run | Overrun] = []
        self._outgoing: list[bytes] = []
        # Replies are held weakly: one that nobody holds any more is an abandoned request.
        self._waiting: dict[int, weakref.ref[Reply[Any]]] = {}
        self._seq = 0
        self._dump: int | None = None  # seq of the dump that the kernel is at
        self._queue: deque[tuple[int, bytes]] = deque()  # dumps that wait for it to end

    # --- out ---

    def submit(
        self, request: Request[M], *, dump: bool = False, wait: Callable[[], None]
    ) -> Reply[M]:
        """Take a request in; its bytes come out of take_outgoing, a dump's when its turn comes."""
        self._seq = seq = self._seq % 0xFFFFFFFF + 1
        op = request.op
        message = stamp(op.type, op.flags | (DUMP if dump else ACK), seq, 0, bytes(request.message))
        reply = Reply(request, self.classes, wait)
        self._waiting[seq] = weakref.ref(reply)
        if not dump:
            self._outgoing.append(message)
        elif self._dump is None:
            self._dump = seq
            self._outgoing.append(message)
        else:
            self._queue.append((seq, message))
        return reply

    def take_outgoing(self) -> list[bytes]:
        """The messages to be sent now, in order."""
        outgoing, self._outgoing = self._outgoing, []
        self.stats.sent += len(outgoing)
        return outgoing

    def send_failed(self, messages: Iterable[bytes]) -> None:
        """Forget requests that could not be sent: no answer will come to them."""
        for message in messages:
            (seq,) = struct.unpack_from("=I", message, 8)  # nlmsg_seq
            self._waiting.pop(seq, None)
            self._next_dump(seq)

    # --- in ---

    def feed(self, data: bytes, index: bytes) -> None:
        """Take in what one receive gave.

        Raises DecodeError where a datagram breaks the rules of the wire; all else that came with
        it has been taken in by then.
        """
        found, fault = runs(data, index)
        stats = self.stats
        stats.datagrams += len(index) // 24
        stats.bytes += len(data)
        for run in found:
            if run.port:
                stats.strangers += 1
            elif run.group:
                stats.messages += run.count
                stats.events += run.count
                self._events.append(run)
            elif run.type:
                self._control(run)
            else:
                self._answer(run)
        if fault is not None:
            raise fault

    def overrun(self) -> None:
        """Take in that the kernel dropped messages (ENOBUFS): nobody's answer is certain now.

        The caller must then receive until nothing is left, feed that, and call `drained`. Only
        the empty queue makes the kernel deliver again; until then it drops what it has for the
        socket, and does not tell a second time (netlink_overrun, netlink_rcv_wake).
        """
        self.stats.overruns += 1
        queued = {seq for seq, _ in self._queue}
        for seq in [seq for seq in self._waiting if seq not in queued]:
            reply = self._waiting.pop(seq)()
            if reply is not None:
                reply.error = Overrun()
                reply.done = True

    def drained(self) -> None:
        """Take in that all from before an overrun was fed: here is where messages are missing.

        No dump can be under way: receiving is what makes the kernel go on with one.
        """
        self._events.append(Overrun())
        if self._dump is not None:
            self._next_dump(self._dump)

    def take_events(self) -> list[Run | Overrun]:
        """The events that came since the last call, in order, and each Overrun at its place."""
        events, self._events = self._events, []
        return events

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._waiting)

    def _answer(self, run: Run) -> None:
        """Ordinary messages to one of our requests."""
        self.stats.messages += run.count
        known = self._waiting.get(run.seq)
        if known is None:
            self.stats.late += run.count
            return
        reply = known()
        if reply is None:
            return
        if run.flags & NLM_F.NLM_F_DUMP_INTR:
            reply.interrupted = True
        reply._runs.append(run)

    def _control(self, run: Run) -> None:
        """NLMSG_ERROR (an acknowledgement, when its error is 0) and NLMSG_DONE end a reply."""
        if run.type not in (NLMSG.NLMSG_ERROR, NLMSG.NLMSG_DONE):
            return
        known = self._waiting.pop(run.seq, None)
        if known is None:
            self.stats.late += 1
        self._next_dump(run.seq)
        reply = known() if known is not None else None
        if reply is None:
            return
        if run.flags & NLM_F.NLM_F_DUMP_INTR:
            reply.interrupted = True
        reply.error = status(run, reply.request)
        reply.done = True

    def _next_dump(self, ended: int) -> None:
        """Let the next dump that somebody still wants begin when the one before has ended."""
        if ended != self._dump:
            return
        self._dump = None
        while self._queue and self._dump is None:
            seq, message = self._queue.popleft()
            if self._waiting[seq]() is None:
                del self._waiting[seq]
            else:
                self._dump = seq
                self._outgoing.append(message)


def status(run: Run, request: Request[Any]) -> NetlinkError | None:
    """The error that an NLMSG_ERROR or NLMSG_DONE message carries, or None.

    struct nlmsgerr holds the errno, the header of the request and, unless NLM_F_CAPPED says
    otherwise, the request's payload; with NLM_F_ACK_TLVS attributes follow (linux/netlink.h).
    """
    payload = run.data[run.start + NLMSG_HDRLEN : run.end]
    if len(payload) < 4:
        # A DONE without a payload is what kernels before 4.10 end a dump with.
        return (
            None
            if run.type == NLMSG.NLMSG_DONE
            else DecodeError("an error message without an errno", offset=run.start)
        )
    (code,) = struct.unpack_from("=i", payload)
    if code >= 0:
        return None
    extack = None
    if run.flags & NLM_F.NLM_F_ACK_TLVS:
        at = 4
        if run.type == NLMSG.NLMSG_ERROR and len(payload) >= 4 + NLMSG_HDRLEN:
            (length,) = struct.unpack_from("=I", payload, 4)
            capped = run.flags & NLM_F.NLM_F_CAPPED
            at += NLMSG_HDRLEN if capped else (length + 3) & ~3
        with suppress(DecodeError):  # the errno is what counts
            extack = ExtAck.from_bytes(payload[at:])
    offset = extack.offs if extack else None
    path = None
    if offset is not None and offset >= NLMSG_HDRLEN:
        # Without the class: the op says as much.
        path = request.message._path(offset - NLMSG_HDRLEN).partition(".")[2] or None
    words = extack.msg if extack else None
    return KernelError(-code, words, path=path, offset=offset, request=request)
