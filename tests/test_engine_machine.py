"""A simulated kernel that talks to the engine in every legal order, with bytes only.

Hypothesis chooses the requests, sends, answers, receives and reads. The simulated kernel sees only
what the engine sent. A model states what each waiter must get. Every message names the request that
it answers, so that a wrong delivery is found. The engine and the model must agree after each step.
At the end every answer must have reached its waiter.
"""

from __future__ import annotations

import errno
import struct
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from netlink import (
    DecodeError,
    DumpInterrupted,
    KernelError,
    KernelWarning,
    NetlinkError,
    Op,
    Overrun,
    iter_messages,
)
from netlink._exchange import Batch, Exchange
from netlink.constants import NLM_F, NLMSG
from netlink.engine import Engine, Queue

from . import wire
from .things import LAST, Talk, Thing, echo, get, late, listed, new, one, quick, several, tell

PORT = 99
DUMP = NLM_F.NLM_F_DUMP
INTR = NLM_F.NLM_F_DUMP_INTR
SEND_LIMIT = 72  # bytes: three requests of a batch fit into one send
REFUSED = OSError(errno.EMSGSIZE, "too long")
JUNK = b"\xff" * 7

SINGLE = [get, one, quick, several, new, echo, late, listed, tell]
BATCHED = [get, one, quick, several, new, echo]
GROUPS = {"default": {1}, "picky": {1, LAST}, "unsolicited": set[int]()}


# --- the model: what each waiter must get ---------------------------------------------------------


@dataclass(eq=False)
class Asked:
    """A single request or a dump, and what its exchange must say."""

    exchange: Exchange | None  # None: nobody holds it any more
    op: Op[..., Any, Any]
    dump: bool = False
    all: bool = False  # read as a whole, not run by run
    retries: int = 0
    seq: int | None = None  # the kernel has it under this number
    waiting: bool = True
    acked: bool = False  # and the answer follows
    error: object = None
    warning: str | None = None
    interrupted: bool = False
    unread: list[int] = field(default_factory=list)  # arrived, and was not handed out
    given: bool = False  # some were handed out
    reader: Iterator[Any] = field(default_factory=lambda: iter(()))

    def end(self, error: object = None, warning: str | None = None) -> None:
        self.waiting, self.error = False, error
        self.warning = warning or self.warning

    def again(self) -> None:
        """An interrupted dump is requested once more."""
        self.retries -= 1
        self.waiting, self.interrupted, self.given, self.seq = True, False, False, None
        self.warning = None
        self.unread.clear()

    @property
    def begins_again(self) -> bool:
        return self.interrupted and not self.given and self.retries > 0


@dataclass(eq=False)
class Many:
    """A batch and the outcome that each of its requests must have."""

    batch: Batch
    ack_last: bool
    ops: list[Op[..., Any, Any]]
    seqs: list[int] = field(default_factory=list)  # that the kernel has
    waiting: bool = True
    error: object = None
    answers: dict[int, list[int]] = field(default_factory=dict)  # position: messages
    ended: dict[int, object] = field(default_factory=dict)  # position: errno or None
    warnings: list[str] = field(default_factory=list)

    def end(self, position: int, error: object = None) -> None:
        """Note the end of one; of all before it too, if only the last is acknowledged."""
        is_last = position == len(self.ops) - 1
        for each in range(len(self.ops)) if self.ack_last and is_last else (position,):
            self.ended.setdefault(each, error if each == position else None)
        self.waiting = len(self.ended) < len(self.ops)


def expected(op: Op[..., Any, Any], answers: list[int], error: object = None) -> object:
    """What do() must return, or the class of the error, or its errno."""
    if error is not None:
        return error
    if op.answer == "several":
        return answers
    if len(answers) > (op.answer != "none") or (op.answer == "one" and not answers):
        return NetlinkError
    return answers[0] if answers else None


# --- the kernel: what came over the wire ----------------------------------------------------------


@dataclass(eq=False)
class Request:
    """What the kernel has to answer, and the name that its answers carry."""

    seq: int
    flags: int
    name: int
    op: Op[..., Any, Any]
    acked: bool = False
    answered: bool = False

    @property
    def is_dump(self) -> bool:
        return self.flags & DUMP == DUMP

    @property
    def ends(self) -> str:
        return "dump" if self.is_dump else self.op.ends

    @property
    def is_echo(self) -> bool:
        return bool(self.flags & NLM_F.NLM_F_ECHO)


@dataclass
class Datagram:
    """What is in the socket's receive buffer, and what feeding it must do."""

    data: bytes
    port: int
    group: int
    effects: list[Callable[[], None]]
    is_broken: bool = False  # nothing may be appended


class Conversation(RuleBasedStateMachine):
    asked = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.engine: Engine = Talk().engine
        self.engine.port = PORT
        self.queues = {
            "default": self.engine.events,
            "picky": Queue(self.engine.dispatch, lambda thing: thing.number % 2 == 0),
            "unsolicited": Queue(self.engine.dispatch),
        }
        for name, groups in GROUPS.items():
            named = {("", str(group)): group for group in groups}
            self.engine.subscribe(self.queues[name], named)
        # What each queue must hand out: numbers, or the class of an exception.
        self.events: dict[str, deque[Any]] = {name: deque() for name in GROUPS}
        self.clients: dict[int, Asked] = {}  # by the name that is in the request
        self.batches: dict[int, tuple[Many, int]] = {}  # name: batch, position
        self.requests: list[Request] = []  # that the kernel has not finished
        self.finished: list[Request] = []
        self.buffer: deque[Datagram] = deque()
        self.draining = False
        self.forgot = False
        self.names = 0
        self.messages = 0
        self.stats = dict.fromkeys(
            ("sent", "datagrams", "bytes", "messages", "events", "overruns", "dropped",
             "malformed", "strangers", "late"), 0
        )  # fmt: skip

    @initialize(before=st.sampled_from([0, 0xFFFFFFF0, 0xFFFFFFFC, 0xFFFFFFFF]))
    def begin(self, before: int) -> None:
        self.engine._seq = before

    def name(self) -> int:
        self.names += 1
        return self.names

    # --- asking ---

    @rule(target=asked, op=st.sampled_from(SINGLE), data=st.data())
    def ask(self, op: Op[..., Any, Any], data: st.DataObject) -> Asked:
        name = self.name()
        return self.asks(name, Asked(self.engine.submit(op(number=name)), op), data)

    @rule(target=asked, retries=st.sampled_from([2, 1, 0]), all=st.booleans(), data=st.data())
    def dump(self, retries: int, all: bool, data: st.DataObject) -> Asked:
        name = self.name()
        exchange = self.engine.submit(get(number=name), dump=True, retries=retries)
        return self.asks(name, Asked(exchange, get, dump=True, retries=retries, all=all), data)

    def asks(self, name: int, client: Asked, data: st.DataObject) -> Asked:
        assert client.exchange is not None
        if client.all:
            client.reader = client.exchange.collect()
        self.clients[name] = client
        self.flush(data)
        return client

    @rule(
        target=asked,
        ops=st.lists(st.sampled_from(BATCHED), min_size=1, max_size=7),
        ack_last=st.booleans(),
        data=st.data(),
    )
    def ask_many(self, ops: list[Op[..., Any, Any]], ack_last: bool, data: st.DataObject) -> Many:
        names = [self.name() for _ in ops]
        requests = [op(number=name) for op, name in zip(ops, names, strict=True)]
        batch = self.engine.submit_batch(requests, ack_last=ack_last, limit=SEND_LIMIT)
        many = Many(batch, ack_last, ops)
        self.batches |= {name: (many, position) for position, name in enumerate(names)}
        self.flush(data)
        return many

    def flush(self, data: st.DataObject) -> None:
        """What a connection does when it has asked, unless it has to wait."""
        if not self.draining and data.draw(st.integers(0, 3), "sent at once if not 0"):
            self.send(data)

    @precondition(lambda self: not self.draining)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        """What the engine has goes to the kernel, unless it cannot be sent."""
        outgoing = self.engine.take_outgoing()
        for buffer in outgoing:
            messages = list(iter_messages(buffer))
            self.stats["sent"] += len(messages)
            found = []
            for message in messages:
                name = Thing.from_bytes(message.payload).number
                assert name is not None
                many, position = self.batches.get(name, (None, 0))
                op = many.ops[position] if many is not None else self.clients[name].op
                found.append(Request(message.seq, message.flags, name, op))
            if data.draw(st.integers(0, 9), "cannot be sent if 0") == 0:
                self.engine.send_failed([buffer], REFUSED)
                for request in found:
                    self.fails(request)
            else:
                for request in found:
                    self.takes(data, request)
        self.engine.note_sent()

    def takes(self, data: st.DataObject, request: Request) -> None:
        assert request.seq
        assert bool(request.flags & NLM_F.NLM_F_REQUEST) == (request.ends != "nothing")
        assert request.seq not in [other.seq for other in self.requests]
        client = self.clients.get(request.name)
        if client is None:
            self.batches[request.name][0].seqs.append(request.seq)
        else:
            client.seq = request.seq
            client.acked = request.acked = request.ends == "message"
            assert not (request.acked and request.flags & NLM_F.NLM_F_ACK)
        if request.ends == "nothing":
            if client is not None and client.waiting:
                client.end()
            return
        if request.is_dump and (running := [r for r in self.requests if r.is_dump]):
            # __netlink_dump_start: legal only for a dump that nobody waits for any more.
            (other,) = running
            assert not self.clients[other.name].waiting
            busy = status(request, errno.EBUSY, b"", True)
            self.say(data, busy, lambda: self.refused_busy(request))
            return
        self.requests.append(request)

    def refused_busy(self, request: Request) -> None:
        """EBUSY was fed: the engine will send the dump again, if anybody wants it."""
        client = self.clients[request.name]
        if client.waiting and client.seq == request.seq:
            client.seq = None
        else:
            self.counts(late=1)

    def fails(self, request: Request) -> None:
        if request.name in self.batches:
            many, _ = self.batches[request.name]
            if many.waiting:
                many.waiting, many.error = False, REFUSED
        elif self.clients[request.name].waiting:
            self.clients[request.name].end(REFUSED)

    # --- answering ---

    def say(self, data: st.DataObject, message: bytes, effect: Callable[[], None], *,
            port: int = 0, group: int = 0, is_broken: bool = False) -> None:  # fmt: skip
        """Put a message into the receive buffer, in a datagram of its own or after another."""
        last = self.buffer[-1] if self.buffer else None
        if (
            last is not None
            and (last.port, last.group) == (port, group)
            and not port
            and not last.is_broken
            and data.draw(st.booleans(), "in the same datagram")
        ):
            last.data += message
            last.effects.append(effect)
            last.is_broken = is_broken
            return
        self.buffer.append(Datagram(message, port, group, [effect], is_broken))

    def message(self) -> int:
        """Messages are numbered, so that none can pass for another."""
        self.messages += 1
        return self.messages

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), count=st.integers(1, 12))
    def answer(self, data: st.DataObject, count: int) -> None:
        """The kernel says more to some of its requests, or ends them."""
        for _ in range(count):
            if not self.requests:
                break
            what = data.draw(st.sampled_from(["part", "part", "part", "end", "end", "end", "no"]))
            interrupted = data.draw(st.booleans(), "interrupted")
            if what == "part":
                request = data.draw(st.sampled_from(self.requests))
                self.say_part(data, request, interrupted)
            elif what == "end":
                request = data.draw(st.sampled_from(self.in_order()))
                self.finish(data, request, interrupted)
            else:
                self.forget(data)

    @precondition(lambda self: any(request.is_dump for request in self.requests))
    @rule(data=st.data(), count=st.integers(0, 3), ends=st.booleans())
    def go_on(self, data: st.DataObject, count: int, ends: bool) -> None:
        """The dump goes on, part by part, as it is received and read."""
        (request,) = [request for request in self.requests if request.is_dump]
        client = self.clients[request.name]
        for _ in range(count):
            self.say_part(data, request, data.draw(st.booleans(), "interrupted"))
            self.receive(len(self.buffer))
            if data.draw(st.integers(0, 3), "read if not 0"):
                self.read(client, data.draw(st.integers(0, 2), "messages"))
        if ends:
            self.finish(data, request, data.draw(st.booleans(), "interrupted"))
            self.receive(len(self.buffer))
            if data.draw(st.booleans(), "by another loop"):
                self.read_anew(client)
            self.read(client)
            self.flush(data)

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        """All goes well, in the order in which it was requested."""
        for request in [request for request in self.requests if not request.is_dump]:
            self.finish(data, request, False, code=0)

    def say_part(self, data: st.DataObject, request: Request, interrupted: bool = False) -> None:
        is_over = request.answered and (request.acked or request.ends == "answer")
        if self.is_dropped(request) or is_over:
            return
        request.answered = True
        number = self.message()
        flags = (NLM_F.NLM_F_MULTI | (INTR if interrupted else 0)) if request.is_dump else 0
        body = bytes(Thing(number=number, name=f"answers {request.seq}"))
        group = 1 if request.is_echo else 0
        if request.acked and request in self.requests:
            self.requests.remove(request)
            self.finished.append(request)
        self.say(
            data,
            wire.message(16, body, seq=request.seq, flags=flags, pid=PORT),
            lambda: self.came(request, number, interrupted=request.is_dump and interrupted),
            group=group,
        )

    def finish(
        self, data: st.DataObject, request: Request, interrupted: bool, code: int | None = None
    ) -> None:
        """An ACK, an error, or the DONE of a dump."""
        if request.acked and (request.ends == "answer" or code == 0):  # the answer is the end
            self.say_part(data, request)
            return
        if request.acked:
            code = errno.EPERM
        if code is None:
            code = data.draw(st.sampled_from([0, 0, 0, errno.EEXIST, errno.EPERM]), "errno")
        words = data.draw(st.sampled_from([b"", b"", b"so it is"]), "words")
        capped = data.draw(st.booleans(), "capped")
        if request.ends == "answer" and not code and not request.answered:
            request.acked = not self.is_dropped(request)
        if not request.acked or request.ends == "message":
            self.requests.remove(request)
            self.finished.append(request)
        self.say_end(data, request, code, words, capped, interrupted)

    def in_order(self) -> list[Request]:
        """What may be finished now: if only the last of a batch is acknowledged, it is last."""
        found = []
        seen = set()
        for request in self.requests:
            many, _ = self.batches.get(request.name, (None, 0))
            if many is None or not many.ack_last or many not in seen:
                found.append(request)
            seen.add(many)
        return found

    def say_end(
        self,
        data: st.DataObject,
        request: Request,
        code: int = 0,
        words: bytes = b"",
        capped: bool = True,
        interrupted: bool = False,
    ) -> None:
        if self.is_dropped(request):
            return
        told = wire.extack(words=words) if words else b""
        text = words.decode() or None
        if request.is_dump or (request.ends == "done" and not code):
            interrupted &= request.is_dump
            flags = NLM_F.NLM_F_MULTI | (INTR if interrupted else 0)
            message = wire.done(code, seq=request.seq, flags=flags, extack=told)
        elif not code and not request.flags & NLM_F.NLM_F_ACK:
            return  # a success without an acknowledgement
        else:
            interrupted = False
            message = status(request, code, told, capped)
        self.say(data, message, lambda: self.ended(request, code, text, interrupted))

    def forget(self, data: st.DataObject) -> None:
        """A request that is never answered."""
        if single := [request for request in self.requests if not request.is_dump]:
            self.forgot = True
            self.requests.remove(data.draw(st.sampled_from(single)))

    def is_dropped(self, request: Request) -> bool:
        """Whether there is no room: only a dump goes on while the buffer is full."""
        return self.draining and not request.is_dump

    @precondition(lambda self: self.finished and not self.draining)
    @rule(data=st.data(), what=st.sampled_from(["end", "part", "acks"]))
    def repeat(self, data: st.DataObject, what: str) -> None:
        """Something is said about a request that was finished long ago."""
        batches = {name for name, (many, _) in self.batches.items() if many.waiting}
        ended_early = [request for request in self.finished if request.name in batches]
        request = data.draw(st.sampled_from(ended_early or self.finished))
        client = self.clients.get(request.name)
        if client is not None and client.waiting and client.seq == request.seq:
            return  # its end is still in the buffer
        if what == "part":
            self.say_part(data, request)
        elif request.is_dump or what == "end":
            self.say_end(data, request, data.draw(st.sampled_from([errno.EIO, 0]), "errno"))
        else:
            self.say(data, status(request, 0, b"", True), lambda: self.ended(request, 0, None))

    # --- what is nobody's answer ---

    def seqs(self, data: st.DataObject) -> int:
        live = [request.seq for request in self.requests]
        return data.draw(st.sampled_from([0, *live]), "seq")

    @rule(
        data=st.data(),
        port=st.sampled_from([1, PORT, 0xFFFFF000]),
        group=st.sampled_from([0, 1]),
        kind=st.sampled_from(["ack", "error", "done", "part", "junk"]),
    )
    def forge(self, data: st.DataObject, port: int, group: int, kind: str) -> None:
        """Another process sends what could be an answer."""
        seq = self.seqs(data)
        message = {
            "ack": wire.error(0, seq=seq),
            "error": wire.error(errno.EPERM, seq=seq),
            "done": wire.done(seq=seq),
            "part": wire.message(16, bytes(Thing(number=666)), seq=seq, pid=PORT),
            "junk": JUNK,
        }[kind]
        self.say(data, message, lambda: self.counts(strangers=1), port=port, group=group)

    @rule(data=st.data(), own=st.booleans(), group=st.sampled_from([0, 1, 2, LAST]))
    def happen(self, data: st.DataObject, own: bool, group: int) -> None:
        """A group event, with anyone's port and seq; or an unsolicited message."""
        if self.draining:
            return
        seq = self.seqs(data) if group else 0
        if not group or (
            own and any(request.is_echo and request.seq == seq for request in self.requests)
        ):
            own = False  # with our port it would be the answer
        number = self.message()
        body = bytes(Thing(number=number))
        message = wire.message(16, body, seq=seq, pid=PORT if own else 4711)
        self.say(data, message, lambda: self.happened(number, group), group=group)

    @precondition(lambda self: not self.draining)
    @rule(data=st.data(), group=st.sampled_from([0, 0, 1, LAST]))
    def break_rules(self, data: st.DataObject, group: int) -> None:
        """A datagram, or the rest of one, breaks the rules of the wire."""
        if not group and data.draw(st.booleans(), "it had the end of a dump"):
            for request in [request for request in self.requests if request.is_dump]:
                self.requests.remove(request)
                self.finished.append(request)
        self.say(data, JUNK, lambda: self.malformed(group), group=group, is_broken=True)

    def malformed(self, group: int) -> None:
        self.counts(malformed=1)
        waited = False
        if not group:
            waited = self.fail_all(DecodeError)
        if not waited:
            for events in self.listening(group):
                events.append(DecodeError)

    def fail_all(self, error: type[Exception]) -> bool:
        """End all whose request the kernel has. Returns whether there was anyone."""
        found = False
        for client in self.clients.values():
            if client.waiting and client.seq is not None:
                found = True
                client.end(error)
        for many, _ in self.batches.values():
            if many.waiting and many.seqs:
                found = True
                many.waiting, many.error = False, error
        return found

    # --- receiving ---

    @precondition(lambda self: self.buffer)
    @rule(count=st.integers(1, 6), then_read=st.booleans())
    def receive(self, count: int, then_read: bool = False) -> None:
        taken = [self.buffer.popleft() for _ in range(min(count, len(self.buffer)))]
        data, index = b"", b""
        for each in taken:
            more, row = wire.receive(each.data, port=each.port, group=each.group)
            data += bytes(-len(data) % 4)
            index += struct.pack("=I", len(data)) + row[4:]
            data += more
        self.stats["datagrams"] += len(taken)
        self.stats["bytes"] += len(data)
        self.engine.feed(data, index)
        for each in taken:
            for effect in each.effects:
                effect()
        if then_read:
            for client in [*self.clients.values()]:
                self.read(client)

    @rule()
    def overrun(self) -> None:
        """ENOBUFS: what is in the buffer stays there, and what the kernel adds is dropped."""
        self.engine.overrun()
        self.draining = True
        self.counts(overruns=1)
        self.fail_all(Overrun)

    @precondition(lambda self: self.draining and not self.buffer)
    @rule()
    def drained(self) -> None:
        """Receiving goes on until nothing is left, and by that a dump comes to its end."""
        self.requests = [request for request in self.requests if not request.is_dump]
        self.engine.drained()
        self.draining = False
        for events in self.events.values():
            events.append(Overrun)

    def counts(self, **counted: int) -> None:
        for name, count in counted.items():
            self.stats[name] += count

    def came(self, request: Request, number: int, interrupted: bool) -> None:
        """A message for a request was fed."""
        client = self.clients.get(request.name)
        many, position = self.batches.get(request.name, (None, 0))
        wanted = (
            many.waiting and position not in many.ended if many is not None
            else client is not None and client.waiting and client.seq == request.seq
        )  # fmt: skip
        if request.is_echo and not wanted:
            self.happened(number, 1)
            return
        self.counts(messages=1, late=not wanted)
        if not wanted:
            return
        if many is not None:
            many.answers.setdefault(position, []).append(number)
        elif client is not None:
            client.unread.append(number)
            client.interrupted |= interrupted
            if client.acked:
                client.end()

    def ended(
        self, request: Request, code: int, words: str | None, interrupted: bool = False
    ) -> None:
        """The status of a request was fed."""
        client = self.clients.get(request.name)
        many, position = self.batches.get(request.name, (None, 0))
        if many is not None and many.waiting and position not in many.ended:
            if words and not code:
                many.warnings.append(words)
            many.end(position, code or None)
        elif client is not None and client.waiting and client.seq == request.seq:
            client.interrupted |= interrupted
            if request.ends == "answer" and not code and not client.unread:
                client.acked, client.warning = True, words
            else:
                client.end(code or None, None if code else words)
        else:
            self.counts(late=1)

    def listening(self, group: int) -> list[deque[Any]]:
        """What the queues must hand out that a message of a group belongs to; 0 is unsolicited."""
        wanted = {name for name, groups in GROUPS.items() if group in groups}
        if not group:
            wanted = {"default", "unsolicited"}
        return [events for name, events in self.events.items() if name in wanted]

    def happened(self, number: int, group: int) -> None:
        self.counts(messages=1, events=1)
        for events in self.listening(group):
            if events is not self.events["picky"] or number % 2 == 0:
                events.append(number)

    # --- reading ---

    @rule(client=asked, count=st.integers(0, 3))
    def read(self, client: Asked | Many, count: int = 1000) -> None:
        """Take from a waiter what it has to give by now; of a run `count` messages."""
        if isinstance(client, Many):
            self.read_outcomes(client)
        elif client.exchange is not None:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                warning = client.warning
                if client.dump:
                    self.read_dump(client, count)
                elif not client.waiting:
                    self.read_result(client)
            if told or (warning and not client.warning and client.seq is not None):
                (issued,) = told
                assert isinstance(issued.message, KernelWarning)
                assert str(issued.message) == f"{client.op.name}: {warning}"

    def read_result(self, client: Asked) -> None:
        assert client.exchange is not None
        wanted = expected(client.op, client.unread, client.error)
        try:
            result = client.exchange.result()
        except (NetlinkError, OSError) as error:
            agree(error, wanted)
        else:
            found = result if isinstance(result, list) else [result]
            for thing in found:
                assert thing is None or thing.name == f"answers {client.seq}"
            numbers = [thing and thing.number for thing in found]
            assert numbers == (wanted if isinstance(wanted, list) else [wanted])
        if client.error is None:
            client.warning = None

    def read_dump(self, client: Asked, count: int) -> None:
        assert client.exchange is not None
        if client.all:
            self.read_all(client)
            return
        begins_again = client.begins_again
        if begins_again:
            client.unread.clear()
        try:
            messages = client.exchange.take()
        except DumpInterrupted:
            assert not client.waiting and not client.unread and client.error is None
            assert client.interrupted and not begins_again
        except (KernelError, OSError, Overrun, DecodeError) as error:
            assert not client.unread
            agree(error, client.error)
        else:
            if messages is not None:
                assert client.unread
                found = [thing for _, thing in zip(range(count), messages, strict=False)]
                assert {thing.name for thing in found} <= {f"answers {client.seq}"}
                got = [thing.number for thing in found]
                assert got == client.unread[: len(got)]
                del client.unread[: len(got)]
                client.given = True
            elif client.exchange.exhausted:
                assert not client.waiting and not client.unread
                assert client.error is None and not client.interrupted
                client.warning = None
            elif begins_again and not client.waiting:
                assert client.error is None
                self.again(client)
            else:
                assert not client.unread and client.waiting
                assert not client.exchange.ready

    def again(self, client: Asked) -> None:
        """What a connection does when it waits."""
        assert client.exchange is not None and client.exchange.wants_restart
        self.engine.prepare(client.exchange)
        client.again()

    def read_all(self, client: Asked) -> None:
        assert client.exchange is not None
        if client.waiting:
            assert next(client.reader) is None
            assert not client.exchange.ready and not client.exchange.wants_restart
            return
        if client.begins_again and client.error is None:
            assert next(client.reader) is None
            self.again(client)
            return
        try:
            value = next(client.reader)
        except StopIteration as end:
            assert client.error is None and not client.interrupted
            assert [message.number for message in end.value] == client.unread
            client.warning = None
        except DumpInterrupted as error:
            assert client.error is None and client.interrupted
            assert [message.number for message in error.partial] == client.unread
        except (KernelError, OSError, Overrun, DecodeError) as error:
            agree(error, client.error)
        else:
            raise AssertionError(f"{client} has ended, and gives {value}")
        client.unread, client.all = [], False  # a loop afterwards says the same once more

    @rule(client=asked)
    def read_anew(self, client: Asked | Many) -> None:
        """Another loop, here all(), continues where the one before stopped."""
        if (
            isinstance(client, Asked) and client.dump and not client.all
            and client.exchange is not None
        ):  # fmt: skip
            client.reader = client.exchange.collect()
            client.all = True

    def read_outcomes(self, many: Many) -> None:
        if many.waiting:
            return
        try:
            got = many.batch.outcomes()
        except (OSError, Overrun, DecodeError) as error:
            agree(error, many.error)
            return
        assert many.error is None
        words = [text for _, text in many.batch.pop_warnings()]
        assert sorted(words) == sorted(many.warnings)
        many.warnings.clear()  # issued once
        assert len(got) == len(many.ops)
        for position, outcome in enumerate(got):
            answers = many.answers.get(position, [])
            wanted = expected(many.ops[position], answers, many.ended[position])
            if isinstance(outcome, NetlinkError):
                agree(outcome, wanted)
                continue
            found = outcome if isinstance(outcome, list) else [outcome]
            for thing in found:
                assert thing is None or thing.name == f"answers {many.batch.first + position}"
            numbers = [thing and thing.number for thing in found]
            assert numbers == (wanted if isinstance(wanted, list) else [wanted])

    @rule(count=st.integers(1, 4), name=st.sampled_from([*GROUPS]))
    def listen(self, count: int, name: str) -> None:
        queue, events = self.queues[name], self.events[name]
        assert queue.pending == len(events)
        for _ in range(count):
            try:
                found = queue.take()
            except DecodeError:
                assert events.popleft() is DecodeError
                continue
            if found is None:
                assert not events
                break
            event = next(found)
            wanted = events.popleft()
            if isinstance(event, Overrun):
                assert wanted is Overrun
            else:
                assert isinstance(event, Thing) and event.number == wanted
        assert queue.ready == bool(events)
        assert queue.pending == len(events)

    # --- giving up ---

    @rule(client=asked, is_late=st.booleans())
    def abandon(self, client: Asked | Many, is_late: bool) -> None:
        """The task was cancelled; or the time is over, and the end may be lost."""
        stop = self.engine.give_up if is_late else self.engine.abandon
        if isinstance(client, Many):
            stop(client.batch)
            if client.waiting:
                client.waiting = False
                client.batch.error = client.error = REFUSED
        elif client.exchange is not None:
            stop(client.exchange)
            if client.waiting:
                client.end(errno.ECANCELED)

    @rule(client=consumes(asked))
    def drop(self, client: Asked | Many) -> None:
        """Nobody holds the reply any more."""
        if isinstance(client, Asked):
            client.exchange = None
            client.reader = iter(())
            if client.waiting:
                client.end()

    # --- what holds at any time ---

    @invariant()
    def agree_on_everything(self) -> None:
        counted = {name: getattr(self.engine.stats, name) for name in self.stats}
        if self.engine.outgoing:  # some of which may be counted already
            counted["sent"] = self.stats["sent"]
        assert counted == self.stats
        for client in self.clients.values():
            exchange = client.exchange
            if exchange is not None:
                assert exchange.done == (not client.waiting)
                assert exchange.interrupted == client.interrupted
                if not exchange.wants_restart:
                    assert exchange.retries == client.retries
                if client.dump and not client.all and (client.unread or not client.waiting):
                    assert exchange.ready
                if not client.dump:
                    assert exchange.ready == exchange.done
        for many, _ in self.batches.values():
            assert many.batch.ready == (not many.waiting)
        for name, queue in self.queues.items():
            assert queue.pending == len(self.events[name])

    def teardown(self) -> None:
        """Everybody whose request was answered gets the answer, and nothing is left behind."""
        data: Any = Never()
        for _ in range(1000):
            if self.buffer:
                self.receive(6)
            elif self.draining:
                self.drained()
            elif self.engine.outgoing:
                self.send(data)
            elif self.requests:
                self.finish(data, self.requests[0], False, code=0)
            elif retried := [
                c for c in self.clients.values() if c.exchange is not None and not self.is_read(c)
            ]:
                for client in retried:
                    self.read(client)
            else:
                break
            self.agree_on_everything()
        else:
            raise AssertionError("this never ends")
        # Whoever waits has a request that the kernel has seen, and has not answered.
        assert not any(client.waiting and client.seq is None for client in self.clients.values())
        assert not any(client.waiting and client.dump for client in self.clients.values())
        for many, _ in self.batches.values():
            assert not many.waiting or len(many.seqs) == len(many.ops)
            self.read(many)
        for name, events in self.events.items():
            self.listen(len(events) + 1, name)
            assert not events and not self.queues[name].ready
        assert not self.engine._dumps and self.engine._dump is None
        assert not self.engine.silent
        assert self.forgot or not self.engine.is_waiting

    def is_read(self, client: Asked) -> bool:
        """Whether a reply has nothing to give by now."""
        if not client.dump:
            return True
        if client.all:
            return client.waiting
        return not client.unread and not (client.begins_again and not client.error)


class Never:
    """Stands in for hypothesis at the end: nothing special happens."""

    def draw(self, strategy: object, label: str = "") -> Any:
        return {"errno": 0, "words": b""}.get(label, 1)


def status(request: Request, code: int, told: bytes, capped: bool) -> bytes:
    """NLMSG_ERROR, with the header of the request or all of it (netlink_ack)."""
    body = b"" if capped else bytes(Thing(number=request.name))
    payload = struct.pack("=iIHHII", -code, 16 + len(body), 18, request.flags, request.seq, 0)
    flags = (NLM_F.NLM_F_CAPPED if capped else 0) | (NLM_F.NLM_F_ACK_TLVS if told else 0)
    return wire.message(NLMSG.NLMSG_ERROR, payload + body + told, seq=request.seq, flags=flags)


def agree(error: BaseException, wanted: object) -> None:
    """Compare what was raised with an errno, an exception or its class."""
    if wanted is NetlinkError:
        assert type(error) is NetlinkError
    elif isinstance(wanted, type):
        assert isinstance(error, wanted)
    elif isinstance(wanted, int):
        assert isinstance(error, OSError) and error.errno == wanted
    else:  # what is raised is a copy, so that the stored one gets no traceback
        assert type(error) is type(wanted)
        assert isinstance(wanted, BaseException) and error.args == wanted.args


TestConversation = Conversation.TestCase
TestConversation.settings = settings(
    max_examples=500,
    stateful_step_count=80,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
