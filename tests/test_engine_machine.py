"""A kernel that plays against the engine by bytes alone, in any legal order.

Hypothesis chooses what is asked, sent, answered, received and read. The kernel here sees what the
engine sent and nothing else; a model beside it says what each waiter has to get. Every message
names the request that it answers, so that a wrong delivery is seen. After each step the engine and
the model must agree, and at the end every answer that was sent must have reached its waiter.
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

from netlink import DumpInterrupted, KernelError, KernelWarning, Op, Overrun, iter_messages
from netlink.constants import NLM_F, NLMSG
from netlink.engine import Batch, Engine, Reply

from . import wire
from .test_engine import FAMILY, TYPE, Thing, extack, get, new

PORT = 99
DUMP = NLM_F.NLM_F_DUMP
INTR = NLM_F.NLM_F_DUMP_INTR
SEND_LIMIT = 72  # bytes: three requests of a batch fit into one send
REFUSED = OSError(errno.EMSGSIZE, "too long")

echo = Op("thing.echo", TYPE.NEWTHING, Thing, flags=NLM_F.NLM_F_ECHO)


# --- the model: what each waiter has to get -------------------------------------------------------


@dataclass(eq=False)
class Asked:
    """A single request or a dump, and what its reply must say."""

    reply: Reply[Thing] | None  # None: nobody holds it any more
    dump: bool = False
    all: bool = False  # read as a whole, not run by run
    retries: int = 0
    seq: int | None = None  # the kernel has it under this number
    waiting: bool = True
    error: object = None
    warning: str | None = None
    interrupted: bool = False
    unread: list[int] = field(default_factory=list)  # came, and were not handed out
    given: bool = False  # some were handed out
    reader: Iterator[Any] = field(default_factory=lambda: iter(()))

    def end(self, error: object = None, warning: str | None = None) -> None:
        self.waiting, self.error, self.warning = False, error, warning

    def again(self) -> None:
        """A dump that was interrupted is asked for once more."""
        self.retries -= 1
        self.waiting, self.interrupted, self.given, self.seq = True, False, False, None
        self.unread.clear()


@dataclass(eq=False)
class Many:
    """A batch and the outcome that each of its requests must have."""

    batch: Batch
    ack_last: bool
    count: int
    seqs: list[int] = field(default_factory=list)  # that the kernel has
    waiting: bool = True
    error: object = None
    first: dict[int, int] = field(default_factory=dict)  # position: message
    outcomes: dict[int, object] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def end(self, position: int, error: object = None) -> None:
        """Take in the end of one; of all before it too, where the last alone is acknowledged."""
        is_last = position == self.count - 1
        for each in range(self.count) if self.ack_last and is_last else (position,):
            if each not in self.outcomes:
                failed = error if each == position else None
                self.outcomes[each] = failed if failed is not None else self.first.get(each)
        self.waiting = len(self.outcomes) < self.count


# --- the kernel: what came over the wire ----------------------------------------------------------


@dataclass(eq=False)
class Request:
    """What the kernel has to answer, and the name that its answers carry."""

    seq: int
    flags: int
    name: int

    @property
    def is_dump(self) -> bool:
        return self.flags & DUMP == DUMP

    @property
    def is_echo(self) -> bool:
        return bool(self.flags & NLM_F.NLM_F_ECHO)


@dataclass
class Datagram:
    """What lies in the socket's receive buffer, and what feeding it must do."""

    data: bytes
    port: int
    group: int
    effects: list[Callable[[], None]]


class Conversation(RuleBasedStateMachine):
    asked = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine([FAMILY], self.wait)
        self.engine.port = PORT
        self.clients: dict[int, Asked] = {}  # by the name that is in the request
        self.batches: dict[int, tuple[Many, int]] = {}  # name: batch, position
        self.requests: list[Request] = []  # that the kernel has not finished
        self.finished: list[Request] = []
        self.buffer: deque[Datagram] = deque()
        self.events: deque[int | None] = deque()  # None: an Overrun
        self.draining = False
        self.forgot = False
        self.names = 0
        self.messages = 0
        self.stats = dict.fromkeys(
            ("sent", "datagrams", "bytes", "messages", "events", "overruns", "strangers", "late"), 0
        )

    def wait(self, waiter: object) -> None:
        raise AssertionError("whoever reads in steps never waits")

    @initialize(before=st.sampled_from([0, 0xFFFFFFF0, 0xFFFFFFFC, 0xFFFFFFFF]))
    def begin(self, before: int) -> None:
        self.engine._seq = before

    def name(self) -> int:
        self.names += 1
        return self.names

    # --- asking ---

    @rule(target=asked, op=st.sampled_from([get, new, echo]), data=st.data())
    def ask(self, op: Op[..., Thing], data: st.DataObject) -> Asked:
        name = self.name()
        client = Asked(self.engine.submit(op(number=name)))
        return self.asks(name, client, data)

    @rule(target=asked, retries=st.sampled_from([2, 1, 0]), all=st.booleans(), data=st.data())
    def dump(self, retries: int, all: bool, data: st.DataObject) -> Asked:
        name = self.name()
        reply = self.engine.submit(
            get(number=name), dump=True, retries=retries, again=self.engine.resubmit
        )
        return self.asks(name, Asked(reply, dump=True, retries=retries, all=all), data)

    def asks(self, name: int, client: Asked, data: st.DataObject) -> Asked:
        assert client.reply is not None
        client.reader = client.reply.collect() if client.all else client.reply.steps()
        self.clients[name] = client
        self.flush(data)
        return client

    @rule(
        target=asked,
        ops=st.lists(st.sampled_from([get, new, echo]), min_size=1, max_size=7),
        ack_last=st.booleans(),
        data=st.data(),
    )
    def ask_many(self, ops: list[Op[..., Thing]], ack_last: bool, data: st.DataObject) -> Many:
        names = [self.name() for _ in ops]
        requests = [op(number=name) for op, name in zip(ops, names, strict=True)]
        batch = self.engine.submit_batch(requests, ack_last=ack_last, limit=SEND_LIMIT)
        many = Many(batch, ack_last, len(ops))
        self.batches |= {name: (many, position) for position, name in enumerate(names)}
        self.flush(data)
        return many

    def flush(self, data: st.DataObject) -> None:
        """What a driver does when it has asked, unless it has to wait."""
        if not self.draining and data.draw(st.integers(0, 3), "sent at once if not 0"):
            self.send(data)

    @precondition(lambda self: not self.draining)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        """What the engine has to say goes to the kernel, unless it cannot be sent."""
        outgoing = self.engine.take_outgoing()
        for buffer in outgoing:
            messages = list(iter_messages(buffer))
            self.stats["sent"] += len(messages)
            found = []
            for message in messages:
                number = Thing.from_bytes(message.payload).number
                assert number is not None
                found.append(Request(message.seq, message.flags, number))
            if data.draw(st.integers(0, 9), "cannot be sent if 0") == 0:
                self.engine.send_failed([buffer], REFUSED)
                for request in found:
                    self.fails(request)
            else:
                for request in found:
                    self.takes(request)

    def takes(self, request: Request) -> None:
        assert request.seq and request.flags & NLM_F.NLM_F_REQUEST
        assert request.seq not in [other.seq for other in self.requests]
        if request.is_dump:  # __netlink_dump_start: EBUSY
            assert not any(other.is_dump for other in self.requests)
        self.requests.append(request)
        if request.name in self.clients:
            self.clients[request.name].seq = request.seq
        else:
            self.batches[request.name][0].seqs.append(request.seq)

    def fails(self, request: Request) -> None:
        if request.name in self.batches:
            many, _ = self.batches[request.name]
            if many.waiting:
                many.waiting, many.error = False, REFUSED
        elif self.clients[request.name].waiting:
            self.clients[request.name].end(REFUSED)

    # --- answering ---

    def say(self, data: st.DataObject, message: bytes, effect: Callable[[], None], *,
            port: int = 0, group: int = 0) -> None:  # fmt: skip
        """Put a message into the receive buffer, in a datagram of its own or behind another."""
        last = self.buffer[-1] if self.buffer else None
        is_alike = last is not None and (last.port, last.group) == (port, group) and not port
        if last is not None and is_alike and data.draw(st.booleans(), "in the same datagram"):
            last.data += message
            last.effects.append(effect)
            return
        self.buffer.append(Datagram(message, port, group, [effect]))

    def message(self) -> int:
        """Messages are numbered, so that none can pass for another."""
        self.messages += 1
        return self.messages

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), count=st.integers(1, 12))
    def answer(self, data: st.DataObject, count: int) -> None:
        """The kernel says more to some of its requests, or its last word."""
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
                self.read(client)
        if ends:
            self.finish(data, request, data.draw(st.booleans(), "interrupted"))
            self.receive(len(self.buffer))
            if data.draw(st.booleans(), "by another loop"):
                self.read_anew(client, all=True)
            self.read(client)
            self.flush(data)

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        """All goes well, in the order in which it was asked for."""
        for request in [request for request in self.requests if not request.is_dump]:
            self.requests.remove(request)
            self.finished.append(request)
            self.say_end(data, request)

    def say_part(self, data: st.DataObject, request: Request, interrupted: bool = False) -> None:
        if self.is_dropped(request):
            return
        number = self.message()
        flags = (NLM_F.NLM_F_MULTI | (INTR if interrupted else 0)) if request.is_dump else 0
        body = bytes(Thing(number=number, name=f"answers {request.seq}"))
        group = 1 if request.is_echo else 0
        self.say(
            data,
            wire.message(16, body, seq=request.seq, flags=flags, pid=PORT),
            lambda: self.came(request, number, interrupted=request.is_dump and interrupted),
            group=group,
        )

    def finish(self, data: st.DataObject, request: Request, interrupted: bool) -> None:
        """An ACK, an error, or the DONE of a dump."""
        code = data.draw(st.sampled_from([0, 0, 0, errno.EEXIST, errno.EPERM]), "errno")
        words = data.draw(st.sampled_from([b"", b"", b"so it is"]), "words")
        capped = data.draw(st.booleans(), "capped")
        self.requests.remove(request)
        self.finished.append(request)
        self.say_end(data, request, code, words, capped, interrupted)

    def in_order(self) -> list[Request]:
        """What may be finished now: where the last of a batch alone is acknowledged, it is last."""
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
        told = extack(words=words) if words else b""
        text = words.decode() or None
        if request.is_dump:
            flags = NLM_F.NLM_F_MULTI | (INTR if interrupted else 0)
            message = wire.done(code, seq=request.seq, flags=flags, extack=told)
        elif not code and not request.flags & NLM_F.NLM_F_ACK:
            return  # a success that nobody wants to hear of
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
        """Whether there is no room: a dump alone goes on with a buffer as full as it may be."""
        return self.draining and not request.is_dump

    @precondition(lambda self: self.finished and not self.draining)
    @rule(data=st.data(), what=st.sampled_from(["end", "part", "acks"]))
    def repeat(self, data: st.DataObject, what: str) -> None:
        """Something is said of a request that was finished long ago."""
        batches = {name for name, (many, _) in self.batches.items() if many.waiting}
        ended_early = [request for request in self.finished if request.name in batches]
        request = data.draw(st.sampled_from(ended_early or self.finished))
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
        """A stranger sends what could be an answer."""
        seq = self.seqs(data)
        message = {
            "ack": wire.error(0, seq=seq),
            "error": wire.error(errno.EPERM, seq=seq),
            "done": wire.done(seq=seq),
            "part": wire.message(16, bytes(Thing(number=666)), seq=seq, pid=PORT),
            "junk": b"\xff" * 7,
        }[kind]
        self.say(data, message, lambda: self.counts(strangers=1), port=port, group=group)

    @rule(data=st.data(), own=st.booleans(), group=st.sampled_from([1, 40]))
    def happen(self, data: st.DataObject, own: bool, group: int) -> None:
        """A group event, with anyone's port and seq."""
        if self.draining:
            return
        seq = self.seqs(data)
        if own and any(request.is_echo and request.seq == seq for request in self.requests):
            own = False  # with our port it would be the answer
        number = self.message()
        body = bytes(Thing(number=number))
        message = wire.message(16, body, seq=seq, pid=PORT if own else 4711)
        self.say(data, message, lambda: self.happened(number), group=group)

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
            for client in [client for client in self.clients.values() if client.reply is not None]:
                self.read(client)

    @rule()
    def overrun(self) -> None:
        """ENOBUFS: what is in the buffer stays there, what the kernel has to add is dropped."""
        self.engine.overrun()
        self.draining = True
        self.counts(overruns=1)
        for client in self.clients.values():
            if client.waiting and client.seq is not None:
                client.end(Overrun)
        for many, _ in self.batches.values():
            if many.waiting and many.seqs:
                many.waiting, many.error = False, Overrun

    @precondition(lambda self: self.draining and not self.buffer)
    @rule()
    def drained(self) -> None:
        """Receiving goes on until nothing is left, and by that a dump comes to its end."""
        self.requests = [request for request in self.requests if not request.is_dump]
        self.engine.drained()
        self.draining = False
        self.events.append(None)

    def counts(self, **counted: int) -> None:
        for name, count in counted.items():
            self.stats[name] += count

    def came(self, request: Request, number: int, interrupted: bool) -> None:
        """A message for a request was fed."""
        client = self.clients.get(request.name)
        many, position = self.batches.get(request.name, (None, 0))
        wanted = (
            many.waiting and position not in many.outcomes if many is not None
            else client is not None and client.waiting and client.seq == request.seq
        )  # fmt: skip
        if request.is_echo and not wanted:
            self.happened(number)
            return
        self.counts(messages=1, late=not wanted)
        if not wanted:
            return
        if many is not None:
            many.first.setdefault(position, number)
        elif client is not None:
            client.unread.append(number)
            client.interrupted |= interrupted

    def ended(
        self, request: Request, code: int, words: str | None, interrupted: bool = False
    ) -> None:
        """The last word on a request was fed."""
        client = self.clients.get(request.name)
        many, position = self.batches.get(request.name, (None, 0))
        if many is not None and many.waiting and position not in many.outcomes:
            if words and not code:
                many.warnings.append(f"{many.batch.requests[position].name}: {words}")
            many.end(position, code or None)
        elif client is not None and client.waiting and client.seq == request.seq:
            client.interrupted |= interrupted
            client.end(code or None, None if code else words)
        else:
            self.counts(late=1)

    def happened(self, number: int) -> None:
        self.counts(messages=1, events=1)
        self.events.append(number)

    # --- reading ---

    @rule(client=asked)
    def read(self, client: Asked | Many) -> None:
        """Take from a waiter what it has to give by now."""
        if isinstance(client, Many):
            self.read_outcomes(client)
        elif client.reply is not None:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                warning = client.warning
                self.read_reply(client)
            if told or (warning and not client.warning):
                (one,) = told
                assert isinstance(one.message, KernelWarning)
                assert str(one.message).endswith(f": {warning}")

    def read_reply(self, client: Asked) -> None:
        assert client.reply is not None
        begin_again = client.interrupted and not client.given and client.retries > 0
        if begin_again and not client.all:
            client.unread.clear()
        if client.unread and not client.all:
            run = next(client.reader)
            assert run is not None
            messages = [*client.reply.messages(run)]
            names = {f"answers {client.seq}"}
            assert {message.name for message in messages} == names
            got = [message.number for message in messages]
            assert got == client.unread[: len(got)]
            del client.unread[: len(got)]
            client.given = True
        elif client.waiting:
            assert next(client.reader) is None
        elif begin_again and client.error is None:
            client.again()
            assert next(client.reader) is None
        else:
            self.read_end(client)

    def read_end(self, client: Asked) -> None:
        assert client.reply is not None
        unread = client.unread if client.all else []
        try:
            value = next(client.reader)
        except StopIteration as end:
            assert client.error is None and not client.interrupted
            if client.all:
                assert [message.number for message in end.value] == unread
        except DumpInterrupted as error:
            assert client.error is None and client.interrupted
            assert [message.number for message in error.partial] == unread
        except (KernelError, OSError, Overrun) as error:
            agree(error, client.error)
        else:
            raise AssertionError(f"{client} has ended, and gives {value}")
        client.unread, client.warning = [], None
        client.reader, client.all = client.reply.steps(), False  # which says so once more

    @rule(client=asked, all=st.booleans())
    def read_anew(self, client: Asked | Many, all: bool) -> None:
        """Another loop goes on where the one before was left."""
        if isinstance(client, Asked) and client.reply is not None and not client.all:
            client.reader = client.reply.collect() if all else client.reply.steps()
            client.all = all

    def read_outcomes(self, many: Many) -> None:
        if many.waiting:
            return
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                got = [*many.batch.results(10)]
            except (OSError, Overrun) as error:
                agree(error, many.error)
                return
        assert many.error is None
        assert sorted(str(each.message) for each in told) == sorted(many.warnings)
        many.warnings.clear()  # said once
        for position, outcome in enumerate(got):
            wanted = many.outcomes[position]
            if isinstance(outcome, KernelError):
                assert outcome.index == 10 + position
                agree(outcome, wanted)
            elif outcome is not None:
                assert outcome.name == f"answers {many.batch.first + position}"
                assert outcome.number == wanted
            else:
                assert wanted is None
        assert len(got) == many.count

    @rule(count=st.integers(1, 4))
    def listen(self, count: int) -> None:
        for _, event in zip(range(count), self.engine.events(), strict=False):
            wanted = self.events.popleft()
            if isinstance(event, Overrun):
                assert wanted is None
            else:
                assert isinstance(event, Thing) and event.number == wanted
        assert not self.events or self.engine.ready

    # --- giving up ---

    @rule(client=asked)
    def abandon(self, client: Asked | Many) -> None:
        """The time is over, or the task was cancelled."""
        if isinstance(client, Many):
            self.engine.abandon(client.batch)
            if client.waiting:
                client.waiting, client.error = False, "nothing: who asked has left"
                client.batch.error = REFUSED
                client.error = REFUSED
        elif client.reply is not None:
            self.engine.abandon(client.reply)
            if client.waiting:
                client.end(errno.ECANCELED)

    @rule(client=consumes(asked))
    def drop(self, client: Asked | Many) -> None:
        """Nobody holds the reply any more."""
        if isinstance(client, Asked):
            client.reply = None
            client.reader = iter(())
            if client.waiting:
                client.end()

    # --- what holds at any time ---

    @invariant()
    def agree_on_everything(self) -> None:
        counted = {name: getattr(self.engine.stats, name) for name in self.stats}
        if self.engine._outgoing:  # some of which may be counted already
            counted["sent"] = self.stats["sent"]
        assert counted == self.stats
        for client in self.clients.values():
            if client.reply is not None:
                assert client.reply.done == (not client.waiting)
                assert client.reply.interrupted == client.interrupted
                assert client.reply.retries == client.retries
                if not client.all:
                    assert client.reply.ready == bool(client.unread or not client.waiting)
        for many, _ in self.batches.values():
            assert many.batch.ready == (not many.waiting)

    def teardown(self) -> None:
        """Everybody whose request was answered gets the answer, and nothing is left behind."""
        data = Never()
        for _ in range(1000):
            if self.buffer:
                self.receive(6)
            elif self.draining:
                self.drained()
            elif self.engine._outgoing:
                self.send(data)
            elif self.requests:
                request = self.requests.pop(0)
                self.say_end(data, request)
            elif retried := [
                c for c in self.clients.values() if c.reply is not None and not self.is_read(c)
            ]:
                for client in retried:
                    self.read(client)
            else:
                break
            self.agree_on_everything()
        else:
            raise AssertionError("this never ends")
        # Who waits still has a request that the kernel has seen, and has not answered.
        assert not any(client.waiting and client.seq is None for client in self.clients.values())
        assert not any(client.waiting and client.dump for client in self.clients.values())
        for many, _ in self.batches.values():
            assert not many.waiting or len(many.seqs) == many.count
            self.read(many)
        self.listen(len(self.events) + 1)
        assert not self.events and not self.engine.ready
        assert not self.engine._queue and self.engine._dump is None
        assert self.forgot or not self.engine.is_waiting

    def is_read(self, client: Asked) -> bool:
        """Whether there is nothing to be had from a reply by now."""
        if client.all:
            return client.waiting
        begin_again = client.interrupted and not client.given and client.retries > 0
        return not client.unread and not (begin_again and not client.error)


class Never:
    """What stands for hypothesis when it has no more to say: nothing special happens."""

    def draw(self, strategy: object, label: str = "") -> int:
        return 1


def status(request: Request, code: int, told: bytes, capped: bool) -> bytes:
    """NLMSG_ERROR, with the header of the request or all of it (netlink_ack)."""
    body = b"" if capped else bytes(Thing(number=request.name))
    payload = struct.pack("=iIHHII", -code, 16 + len(body), 18, request.flags, request.seq, 0)
    flags = (NLM_F.NLM_F_CAPPED if capped else 0) | (NLM_F.NLM_F_ACK_TLVS if told else 0)
    return wire.message(NLMSG.NLMSG_ERROR, payload + body + told, seq=request.seq, flags=flags)


def agree(error: BaseException, wanted: object) -> None:
    """Compare what was raised with an errno, an exception or its class."""
    if isinstance(wanted, type):
        assert isinstance(error, wanted)
    elif isinstance(wanted, int):
        assert isinstance(error, OSError) and error.errno == wanted
    else:
        assert error is wanted


TestConversation = Conversation.TestCase
TestConversation.settings = settings(
    max_examples=500,
    stateful_step_count=80,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
