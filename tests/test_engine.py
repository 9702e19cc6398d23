"""The engine, driven by bytes alone: each row of the table at the head of netlink/engine.py."""

from __future__ import annotations

import ast
import errno
import gc
import pickle
import struct
from collections import deque
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlink import (
    DecodeError,
    DumpInterrupted,
    Family,
    KernelError,
    KernelWarning,
    Message,
    Op,
    Overrun,
    engine,
    iter_messages,
)
from netlink import schema as s
from netlink.constants import NLM_F
from netlink.engine import Batch, Engine, Reply
from netlink.generic.names import Names

from . import wire


class thinghdr(Message):
    family: int = s.u8()
    _pad = s.pad(3)


class Thing(thinghdr):
    number: int | None = s.u32(1)
    name: str | None = s.string(2)


class TYPE(IntEnum):
    NEWTHING = 16
    GETTHING = 18


class GROUP(IntEnum):
    GROUP_NONE = 0
    GROUP_THING = 1
    GROUP_OTHER_THING = 40


get = Op("thing.get", TYPE.GETTHING, Thing)
new = Op("thing.new", TYPE.NEWTHING, Thing, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
FAMILY = Family("thing", protocol=0, ops=(get, new), types=TYPE, groups=GROUP)


def test_each_fact_of_the_table_has_a_test_that_names_it() -> None:
    rows = [line.split("|")[1].rstrip() for line in (engine.__doc__ or "").splitlines()
            if line.startswith("| ")]  # fmt: skip
    table = "\n".join(rows[1:]).replace("\n   ", " ")  # what is indented goes on with a fact
    facts = [" ".join(fact.partition("(")[0].split()) for fact in table.splitlines()]
    assert len(facts) > 10
    named = set()
    for file in Path(__file__).parent.rglob("test_*.py"):
        for found in ast.walk(ast.parse(file.read_text())):
            if isinstance(found, ast.FunctionDef) and found.name.startswith("test_"):
                words = (ast.get_docstring(found) or "").partition("Fact: ")[2]
                named.add(" ".join(words.partition(".")[0].split()))
    assert [fact for fact in facts if fact not in named] == []


class Exhausted(Exception):
    """The scripted kernel has nothing more to say."""


class Talk:
    """An engine and what the kernel will say to it, a receive at a time."""

    def __init__(self, *script: tuple[bytes, bytes]) -> None:
        self.engine = Engine([FAMILY], self.wait)
        self.script = list(script)

    def wait(self, waiter: Reply[Any] | Batch) -> None:
        while not waiter.ready:
            if not self.script:
                raise Exhausted
            self.engine.feed(*self.script.pop(0))

    def do(self) -> Reply[Thing]:
        return self.engine.submit(get())

    def dump(self, retries: int = 0) -> Reply[Thing]:
        again = self.engine.resubmit
        return self.engine.submit(get(), dump=True, retries=retries, again=again)


def thing(number: int, *, seq: int, flags: int = 2, pid: int = 0) -> bytes:
    return wire.message(16, bytes(Thing(number=number)), seq=seq, flags=flags, pid=pid)


def numbers(messages: Any) -> list[int]:
    return [message.number for message in messages]


def sent(engine: Engine) -> list[tuple[int, int, int]]:
    """(type, flags, seq) of what is to be sent."""
    return [struct.unpack_from("=HHI", message, 4) for message in engine.take_outgoing()]


def test_requests_carry_type_flags_and_a_seq_of_their_own() -> None:
    talk = Talk()
    kept = [talk.do(), talk.dump(), talk.engine.submit(new(number=1))]
    assert sent(talk.engine) == [(18, 0x005, 1), (18, 0x301, 2), (16, 0x605, 3)]
    assert sent(talk.engine) == []
    assert talk.engine.stats.sent == 3
    assert not any(reply.done for reply in kept)


def test_the_seq_wraps_without_zero() -> None:
    talk = Talk()
    talk.engine._seq = 0xFFFFFFFF
    kept = talk.do()
    assert sent(talk.engine) == [(18, 5, 1)]
    assert not kept.done


def test_a_reply_is_its_messages_and_then_the_acknowledgement() -> None:
    talk = Talk(wire.receive(thing(1, seq=1, flags=0), wire.error(0, seq=1)))
    reply = talk.do()
    assert numbers(reply) == [1]
    assert reply.done
    assert reply.error is None
    assert not talk.engine.is_waiting
    assert list(reply) == []


def test_one_dump_at_a_time_and_requests_pass() -> None:
    """Fact: a socket runs one dump at a time, a second gets EBUSY."""
    talk = Talk(
        wire.receive(thing(1, seq=1)),
        wire.receive(thing(30, seq=3, flags=0), wire.error(0, seq=3)),
        wire.receive(thing(2, seq=1), wire.done(seq=1)),
        wire.receive(thing(20, seq=2), wire.done(seq=2)),
    )
    first, second, single = talk.dump(), talk.dump(), talk.do()
    assert [seq for _, _, seq in sent(talk.engine)] == [1, 3]
    assert numbers(single) == [30]
    assert sent(talk.engine) == []
    assert numbers(first) == [1, 2]
    assert [seq for _, _, seq in sent(talk.engine)] == [2]
    assert numbers(second) == [20]


def test_a_failed_dump_makes_way_for_the_next() -> None:
    talk = Talk(wire.receive(wire.error(errno.EOPNOTSUPP, seq=1)),
                wire.receive(thing(20, seq=2), wire.done(seq=2)))  # fmt: skip
    first, second = talk.dump(), talk.dump()
    with pytest.raises(KernelError, match="EOPNOTSUPP"):
        list(first)
    assert len(talk.engine.take_outgoing()) == 2
    assert numbers(second) == [20]


def test_replies_interleave() -> None:
    """Fact: replies to different requests interleave, even inside a dump."""
    talk = Talk(wire.receive(thing(1, seq=1) + thing(20, seq=2) + thing(2, seq=1)
                             + wire.error(0, seq=2) + wire.done(seq=1)))  # fmt: skip
    first, second = talk.dump(), talk.do()
    assert numbers(second) == [20]
    assert numbers(first) == [1, 2]


def test_a_group_event_is_an_event_whatever_seq_and_port_it_carries() -> None:
    """Fact: a group event may carry anyone's seq and port."""
    data, index = wire.receive(thing(7, seq=1, pid=4711), group=1)
    talk = Talk((data, index), wire.receive(wire.error(0, seq=1)))
    reply = talk.do()
    assert list(reply) == []
    assert numbers(talk.engine.events()) == [7]
    assert talk.engine.stats.events == 1
    assert list(talk.engine.events()) == []


def test_an_echo_comes_under_a_group_and_is_the_answer() -> None:
    """Fact: with NLM_F_ECHO the asker alone gets a copy of the event, under the group's name."""
    echo = Op("thing.echo", TYPE.NEWTHING, Thing, flags=NLM_F.NLM_F_ECHO)
    talk = Talk()
    talk.engine.port = 99
    own = thing(7, seq=1, pid=99)
    asked, plain = talk.engine.submit(echo()), talk.do()
    talk.script = [
        wire.receive(own, thing(8, seq=2, pid=99), thing(9, seq=1, pid=98), group=1),
        wire.receive(wire.error(0, seq=1), wire.error(0, seq=2)),
    ]
    assert numbers(asked) == [7]
    assert list(plain) == []
    assert talk.engine.stats.events == 2


PORT = 4711


class CMD(IntEnum):
    CMD_GET = 1
    CMD_NEW = 2


class Note(Message):
    number: int | None = s.u32(1)


ask = Op("notes.get", CMD.CMD_GET, Note)
NOTES = Family("notes", id=40, ops=(ask,), types=CMD, messages=Note)


def note(number: int, *, seq: int, pid: int) -> bytes:
    """A message of the generic family, as the kernel sends it: as an answer, or of itself."""
    genlmsghdr = bytes((CMD.CMD_NEW, 1, 0, 0))
    return wire.message(40, genlmsghdr + bytes(Note(number=number)), flags=0, seq=seq, pid=pid)


def test_what_the_kernel_sends_to_a_generic_port_unasked_is_an_event() -> None:
    """Fact: the kernel sends to a port what nobody asked for, with a seq of its own counting that
    may be one of ours, but never our port as nlmsg_pid.

    kernel/taskstats.c counts from 0: one may be that of a waiting request.
    """
    engine = Engine([NOTES], lambda _: None, Names)
    engine.port = PORT
    reply = engine.submit(ask(number=1))
    assert reply.seq == 1
    unasked = [note(number, seq=seq, pid=0) for number, seq in ((50, 0), (51, 1), (52, 2))]
    engine.feed(*wire.receive(*unasked))
    assert numbers(engine.events()) == [50, 51, 52]
    assert not reply.ready
    answer = note(1, seq=1, pid=PORT) + wire.error(0, seq=1)  # one datagram with an event before it
    engine.feed(*wire.receive(note(53, seq=1, pid=0) + answer))
    assert numbers(reply) == [1]
    assert numbers(engine.events()) == [53]
    assert (engine.stats.events, engine.stats.messages, engine.stats.late) == (4, 5, 0)


def test_a_late_answer_from_a_generic_family_is_no_event() -> None:
    engine = Engine([NOTES], lambda _: None, Names)
    engine.port = PORT
    engine.feed(*wire.receive(note(1, seq=9, pid=PORT)))
    assert not engine.ready
    assert engine.stats.late == 1


def test_elsewhere_only_seq_0_tells_what_nobody_asked_for() -> None:
    """kernel/audit.c answers without our port; nfnetlink_queue.c sends packets with seq 0."""
    talk = Talk()
    talk.engine.port = PORT
    reply = talk.do()
    packet, answer = thing(50, seq=0, flags=0), thing(1, seq=1, flags=0)
    late = thing(2, seq=9, flags=0)
    talk.engine.feed(*wire.receive(packet, answer, late, wire.error(0, seq=1)))
    assert numbers(reply) == [1]
    assert numbers(talk.engine.events()) == [50]
    assert talk.engine.stats.late == 1


def test_outcomes_of_a_batch_come_in_order() -> None:
    """Fact: a failed request of a pipeline answers, whoever asks for an ACK."""
    for ack_last in (False, True):
        talk = Talk()
        batch = talk.engine.submit_batch([new(number=i) for i in range(5)], ack_last=ack_last)
        (buffer,) = talk.engine.take_outgoing()
        stamped = list(iter_messages(buffer))
        assert [m.seq for m in stamped] == [1, 2, 3, 4, 5]
        assert [m.flags for m in stamped] == [0x601 if ack_last else 0x605] * 4 + [0x605]
        refused = wire.error(errno.EEXIST, seq=3)
        answers = [refused, wire.error(0, seq=5)] if ack_last else [
            wire.error(0, seq=1), wire.error(0, seq=2), refused, wire.error(0, seq=4),
            wire.error(0, seq=5)]  # fmt: skip
        for answer in answers:
            assert not batch.ready
            talk.engine.feed(*wire.receive(answer))
        assert batch.ready
        assert [type(outcome) for outcome in batch.outcomes] == [
            type(None), type(None), KernelError, type(None), type(None)]  # fmt: skip
        assert not talk.engine.is_waiting


def test_a_batch_may_bring_messages_and_end_in_an_error() -> None:
    talk = Talk()
    batch = talk.engine.submit_batch([get(number=i) for i in range(3)])
    talk.engine.feed(*wire.receive(
        thing(10, seq=1, flags=0), wire.error(0, seq=1), wire.error(errno.ENODEV, seq=2),
        thing(30, seq=3, flags=0), thing(31, seq=3, flags=0), wire.error(0, seq=3)))  # fmt: skip
    first, second, third = batch.outcomes
    assert (first.number, third.number) == (10, 30)
    assert second.errno == errno.ENODEV
    last = talk.engine.submit_batch([new(number=i) for i in range(2)], ack_last=True)
    talk.engine.feed(*wire.receive(wire.error(errno.EPERM, seq=5)))
    assert last.ready
    assert last.outcomes[0] is None
    assert isinstance(last.outcomes[1], PermissionError)


def test_an_answer_that_cannot_be_decoded_costs_nobody_else_the_own() -> None:
    talk = Talk()
    batch, other = talk.engine.submit_batch([get(number=i) for i in range(2)]), talk.do()
    broken = wire.message(16, bytes(4) + b"\xff\xff\1\0", seq=1)
    talk.engine.feed(*wire.receive(broken, *(wire.error(0, seq=seq) for seq in (1, 2, 3))))
    assert batch.ready
    assert list(other) == []
    outcomes = batch.results(0)
    with pytest.raises(DecodeError):
        next(outcomes)
    assert batch.outcomes[1] is None


def test_words_about_a_success_in_a_batch_are_said_to_who_reads_it() -> None:
    talk = Talk()
    batch, other = talk.engine.submit_batch([new(number=i) for i in range(2)]), talk.do()
    words = wire.message(2, bytes(20) + extack(words=b"deprecated"), seq=2, flags=0x300)
    talk.engine.feed(*wire.receive(wire.error(0, seq=1), words, wire.error(0, seq=3)))
    assert list(other) == []
    with pytest.warns(KernelWarning, match=r"^thing\.new: deprecated$"):
        assert list(batch.results(0)) == [None, None]
    assert list(batch.results(0)) == [None, None]


def test_a_duplicate_does_not_change_an_outcome() -> None:
    talk = Talk()
    batch = talk.engine.submit_batch([get(number=i) for i in range(3)])
    twice = thing(20, seq=2), wire.error(0, seq=2), wire.error(errno.EIO, seq=2)
    talk.engine.feed(*wire.receive(wire.error(0, seq=2), *twice))
    assert talk.engine.stats.late == 3
    talk.engine.feed(*wire.receive(*(wire.error(0, seq=seq) for seq in (1, 2, 3, 3))))
    assert list(batch.results(0)) == [None] * 3
    assert talk.engine.stats.late == 5


def test_a_batch_is_cut_into_sends_and_fails_as_one_with_an_overrun() -> None:
    talk = Talk()
    batch = talk.engine.submit_batch([new(number=i) for i in range(10)], limit=100)
    buffers = talk.engine.take_outgoing()
    assert [m.seq for b in buffers for m in iter_messages(b)] == list(range(1, 11))
    assert all(len(b) <= 100 for b in buffers)
    assert talk.engine.stats.sent == 10
    talk.engine.overrun()
    assert batch.ready
    assert isinstance(batch.error, Overrun)
    talk.engine.feed(*wire.receive(wire.error(0, seq=1)))
    assert talk.engine.stats.late == 1


def test_an_interrupted_dump_is_begun_again_when_nothing_was_handed_out() -> None:
    talk = Talk(wire.receive(thing(1, seq=1, flags=0x12)), wire.receive(wire.done(seq=1)),
                wire.receive(thing(2, seq=2), wire.done(seq=2)))  # fmt: skip
    assert numbers(talk.dump(retries=3)) == [2]
    # all() and columns() hand out nothing before the end
    script = [
        wire.receive(thing(1, seq=1)),
        wire.receive(thing(2, seq=1), wire.done(seq=1, flags=0x12)),
        wire.receive(thing(3, seq=2), wire.done(seq=2)),
    ]
    assert numbers(Talk(*script).dump(retries=1).all()) == [3]
    assert [*Talk(*script).dump(retries=1).columns("number")["number"]] == [3]
    with pytest.raises(DumpInterrupted) as caught:
        Talk(*script).dump().all()
    assert numbers(caught.value.partial) == [1, 2]
    with pytest.raises(DumpInterrupted) as caught:
        Talk(*script).dump().columns("number")
    assert [*caught.value.partial["number"]] == [1, 2]


def test_a_second_loop_goes_on_where_the_first_one_was_left() -> None:
    script = [
        wire.receive(thing(1, seq=1)),
        wire.receive(thing(2, seq=1, flags=0x12), wire.done(seq=1)),
    ]
    # What was handed out cannot be taken back: the dump is not begun again.
    reply = Talk(*script).dump(retries=3)
    assert next(iter(reply)).number == 1
    got = []
    with pytest.raises(DumpInterrupted):
        for message in reply:
            got.append(message.number)
    assert got == [2]
    for read in (reply.all, lambda: reply.columns("number")):
        with pytest.raises(DumpInterrupted):
            read()
    reply = Talk(*script).dump(retries=3)
    assert next(iter(reply)).number == 1
    with pytest.raises(DumpInterrupted) as caught:
        reply.all()
    assert numbers(caught.value.partial) == [2]


def test_what_another_thread_feeds_between_two_looks_is_not_lost() -> None:
    talk = Talk()
    reply = talk.dump()

    class Runs(deque[Any]):
        looked = False

        def __len__(self) -> int:
            count = super().__len__()
            if not self.looked:
                self.looked = True
                talk.engine.feed(*wire.receive(thing(1, seq=1), wire.done(seq=1)))
            return count

    reply._runs = Runs()
    assert numbers(reply) == [1]


def test_words_about_a_success_are_a_warning() -> None:
    answer = wire.message(2, struct.pack("=i", 0) + bytes(16) + extack(words=b"deprecated"),
                          seq=1, flags=0x300)  # fmt: skip
    talk = Talk(wire.receive(answer))
    reply = talk.do()
    with pytest.warns(KernelWarning, match=r"thing\.get: deprecated"):
        list(reply)


def test_an_error_says_what_was_allowed_or_is_missing() -> None:
    policy = wire.attribute(1, struct.pack("=I", 4)) + b"".join(
        wire.attribute(n, struct.pack("=Q", v)) for n, v in ((4, 0), (5, 16777215))
    )
    talk = Talk()
    reply = talk.engine.submit(new(number=1))
    words = extack(words=b"invalid VNI", offset=16 + 4) + wire.attribute(0x8004, policy)
    talk.script.append(wire.receive(wire.error(errno.EINVAL, seq=1, extack=words)))
    with pytest.raises(KernelError) as caught:
        list(reply)
    assert str(caught.value) == ("thing.new: number: invalid VNI (EINVAL), allowed u32 0..16777215")
    talk = Talk(wire.receive(wire.error(errno.EINVAL, seq=1, extack=wire.attribute(
        5, struct.pack("=I", 2)))))  # fmt: skip
    with pytest.raises(KernelError) as caught:
        list(talk.do())
    assert caught.value.missing == "name"
    assert str(caught.value) == "thing.get: name is missing: Invalid argument (EINVAL)"
    assert pickle.loads(pickle.dumps(caught.value)).missing == "name"


def test_a_stranger_is_dropped_and_counted() -> None:
    """Fact: anyone with the right may send to our port."""
    forged = wire.receive(thing(666, seq=1) + wire.error(errno.EPERM, seq=1), port=4711)
    talk = Talk(forged, wire.receive(b"junk", port=1),
                wire.receive(thing(1, seq=1), wire.error(0, seq=1)))  # fmt: skip
    assert numbers(talk.do()) == [1]
    assert talk.engine.stats.strangers == 2


def extack(*, words: bytes = b"", offset: int | None = None) -> bytes:
    result = wire.attribute(1, words + b"\0") if words else b""
    return result + (wire.attribute(2, struct.pack("=I", offset)) if offset is not None else b"")


def test_done_may_carry_an_errno_and_an_extended_ack() -> None:
    """Fact: a dump's DONE may carry an errno and an extended ACK."""
    end = wire.done(errno.EINVAL, seq=1, extack=extack(words=b"no such filter"))
    talk = Talk(wire.receive(thing(1, seq=1), end))
    reply = talk.dump()
    got = []
    with pytest.raises(KernelError) as caught:
        for message in reply:
            got.append(message.number)
    assert got == [1]
    assert (caught.value.errno, caught.value.message) == (errno.EINVAL, "no such filter")
    assert str(caught.value) == "thing.get: no such filter (EINVAL)"


@pytest.mark.parametrize("capped", [True, False])
def test_both_forms_of_the_extended_ack_and_the_attribute_path(capped: bool) -> None:
    """Fact: NLM_F_CAPPED and NLM_F_ACK_TLVS say where an extended ACK starts."""
    talk = Talk()
    reply = talk.engine.submit(new(number=1, name="x"))
    (request,) = talk.engine.take_outgoing()
    words = extack(words=b"invalid name", offset=16 + 4 + 8)
    if capped:
        answer = wire.error(errno.ERANGE, seq=1, extack=words)
    else:
        payload = struct.pack("=i", -errno.ERANGE) + request + bytes(-len(request) % 4) + words
        answer = wire.message(2, payload, seq=1, flags=0x200)
    talk.script.append(wire.receive(answer))
    with pytest.raises(KernelError) as caught:
        list(reply)
    error = caught.value
    assert (error.message, error.offset, error.path) == ("invalid name", 28, "name")
    assert error.request.message == Thing(number=1, name="x")
    assert str(error) == "thing.new: name: invalid name (ERANGE)"


def test_a_policy_that_cannot_be_read_costs_no_other_word() -> None:
    told = wire.attribute(1, b"too far\0") + wire.attribute(4, wire.attribute(1, b"\4"))
    talk = Talk(wire.receive(wire.error(errno.ERANGE, seq=1, extack=told)))
    with pytest.raises(KernelError) as caught:
        list(talk.do())
    assert str(caught.value) == "thing.get: too far (ERANGE)"


def test_what_is_missing_is_named_inside_of_an_array_too() -> None:
    class Part(Message):
        number: int | None = s.u32(1)
        name: str | None = s.string(2)

    class Whole(Message):
        parts: s.Several[Part] = s.array(9, Part)

    request = Op("whole.new", TYPE.NEWTHING, Whole)(parts=[{"number": 1}, {"name": "x"}])
    paths = [request.message._path(at) for at in range(len(bytes(request.message)))]
    nest = struct.pack("=I", 16 + paths.index("Whole.parts[1]"))
    told = wire.attribute(5, struct.pack("=I", 1)) + wire.attribute(6, nest)
    talk = Talk()
    reply = talk.engine.submit(request)
    talk.engine.feed(*wire.receive(wire.error(errno.EINVAL, seq=1, extack=told)))
    with pytest.raises(KernelError) as caught:
        list(reply)
    assert (caught.value.path, caught.value.missing) == ("parts[1]", "number")


def test_a_malformed_extended_ack_still_ends_the_reply() -> None:
    talk = Talk(wire.receive(wire.error(errno.EINVAL, seq=1, extack=b"\xff\xff\1\0")))
    with pytest.raises(KernelError, match="Invalid argument"):
        list(talk.do())


def test_an_error_without_an_errno_is_a_decode_error() -> None:
    talk = Talk(wire.receive(wire.message(2, seq=1)))
    with pytest.raises(DecodeError, match="without an errno"):
        list(talk.do())


def test_any_number_of_an_error_is_told() -> None:
    for code in (1, 4095, 99999, 2**31 - 1, 2**31):
        answer = struct.pack("=I", (-code) & 0xFFFFFFFF) + bytes(16)
        talk = Talk(wire.receive(wire.message(2, answer, seq=1)))
        with pytest.raises(KernelError) as caught:
            list(talk.do())
        assert caught.value.errno == code
        assert str(caught.value).startswith("thing.get: ")


def test_eperm_and_eacces_are_permission_errors() -> None:
    for code in (errno.EPERM, errno.EACCES):
        talk = Talk(wire.receive(wire.error(code, seq=1)))
        with pytest.raises(PermissionError) as caught:
            list(talk.do())
        assert isinstance(caught.value, KernelError)
        assert caught.value.errno == code


@pytest.mark.parametrize("where", ["part", "done"])
def test_an_interrupted_dump_says_so_after_its_messages(where: str) -> None:
    """Fact: NLM_F_DUMP_INTR on any part, DONE included."""
    part_flags, done_flags = (0x12, 2) if where == "part" else (2, 0x12)
    talk = Talk(wire.receive(thing(1, seq=1, flags=part_flags)),
                wire.receive(wire.done(seq=1, flags=done_flags)))  # fmt: skip
    reply = talk.dump()
    messages = iter(reply)
    assert next(messages).number == 1
    with pytest.raises(DumpInterrupted):
        next(messages)
    assert reply.interrupted


def test_an_overrun_fails_every_waiter_and_shows_once_among_the_events() -> None:
    """Fact: ENOBUFS comes once and says nothing of what was lost; until the queue was empty, more
    is lost.
    """
    talk = Talk()
    event = wire.receive(thing(7, seq=0), group=1)
    first, second, single = talk.dump(), talk.dump(), talk.do()
    talk.engine.take_outgoing()
    talk.engine.feed(*event)
    talk.engine.overrun()
    for reply in (first, single):
        with pytest.raises(Overrun):
            list(reply)
    # What was in the socket's queue came before what is missing.
    talk.engine.feed(*event)
    talk.engine.feed(*wire.receive(thing(1, seq=1)))
    assert sent(talk.engine) == []
    talk.engine.drained()
    talk.engine.feed(*event)
    kinds = [type(item) for item in talk.engine.events()]
    assert kinds == [Thing, Thing, Overrun, Thing]
    assert talk.engine.stats.overruns == 1
    assert talk.engine.stats.late == 1
    # The second dump was not sent, so nothing of its answer is lost; now is its turn, whatever
    # became of the end of the first.
    assert [seq for _, _, seq in sent(talk.engine)] == [2]
    talk.script.append(wire.receive(thing(20, seq=2), wire.done(seq=2)))
    assert numbers(second) == [20]


def test_what_was_not_sent_yet_is_not_lost_in_an_overrun() -> None:
    talk = Talk()
    waiting: list[Reply[Any] | Batch] = [talk.do(), talk.engine.submit_batch([new(number=1)])]
    talk.engine.overrun()
    assert not any(waiter.ready for waiter in waiting)
    # Nor does the end of the draining end a dump that was not begun: the next one would be
    # sent beside it.
    kept = [talk.dump(), talk.dump()]
    talk.engine.drained()
    assert [seq for _, _, seq in sent(talk.engine)] == [1, 2, 3]
    assert not any(reply.done for reply in kept)


def test_an_abandoned_request_is_drained_silently() -> None:
    """Fact: an abandoned request is answered all the same."""
    talk = Talk(
        wire.receive(thing(1, seq=1)),
        wire.receive(thing(2, seq=1), thing(3, seq=1)),
        wire.receive(wire.done(errno.EIO, seq=1)),
        wire.receive(thing(20, seq=2), wire.done(seq=2)),
    )
    abandoned = iter(talk.dump())
    assert next(abandoned).number == 1
    del abandoned
    gc.collect()
    following = talk.dump()
    assert [seq for _, _, seq in sent(talk.engine)] == [1]
    assert numbers(following) == [20]
    assert not talk.engine.is_waiting


def test_an_abandoned_reply_is_late_though_somebody_holds_it() -> None:
    talk = Talk(wire.receive(thing(1, seq=1)), wire.receive(thing(2, seq=1), wire.done(seq=1)),
                wire.receive(thing(20, seq=2), wire.done(seq=2)))  # fmt: skip
    held = talk.dump()
    following = talk.dump()
    talk.engine.abandon(held)
    assert numbers(following) == [20]
    assert talk.engine.stats.late == 3
    with pytest.raises(OSError, match="abandoned"):
        list(held)


def test_a_queued_dump_that_nobody_wants_any_more_is_never_sent() -> None:
    talk = Talk(wire.receive(wire.done(seq=1)), wire.receive(wire.done(seq=3)))
    first = talk.dump()
    dropped = talk.dump()
    third = talk.dump()
    del dropped
    gc.collect()
    assert list(first) == []
    assert [seq for _, _, seq in sent(talk.engine)] == [1, 3]
    assert list(third) == []
    assert not talk.engine.is_waiting


def test_late_and_duplicate_answers_are_counted() -> None:
    talk = Talk()
    talk.engine.feed(*wire.receive(thing(1, seq=9), wire.error(0, seq=9), wire.error(0, seq=9)))
    assert talk.engine.stats.late == 3


def test_lengths_need_not_be_aligned() -> None:
    """Fact: lengths of messages and attributes need not be aligned."""
    number, name = wire.attribute(1, struct.pack("=I", 5)), wire.attribute(2, b"ab\0")
    part = wire.message(16, bytes(4) + number + name[:-1], seq=1)
    end = wire.message(3, bytes(5), seq=1)
    # The padding behind the last of a datagram may be missing.
    talk = Talk(wire.receive(part + part[:-1], part + end[:-3]))
    assert [(each.number, each.name) for each in talk.dump()] == [(5, "ab")] * 3


def test_noop_and_unknown_control_messages_are_skipped() -> None:
    talk = Talk(wire.receive(wire.message(1, seq=1) + wire.message(4, seq=1)
                             + wire.message(9, seq=1) + wire.error(0, seq=1)))  # fmt: skip
    assert list(talk.do()) == []


def test_a_failed_send_is_told_to_who_waits() -> None:
    talk = Talk(wire.receive(wire.done(seq=2)))
    first, second = talk.dump(), talk.dump()
    refused = OSError(errno.EMSGSIZE, "too long")
    talk.engine.send_failed(talk.engine.take_outgoing(), refused)
    assert [seq for _, _, seq in sent(talk.engine)] == [2]
    assert list(second) == []
    assert not talk.engine.is_waiting
    with pytest.raises(OSError, match="too long"):
        list(first)
    batch = talk.engine.submit_batch([new(number=i) for i in range(10)], limit=100)
    talk.engine.send_failed(talk.engine.take_outgoing()[1:], refused)
    assert batch.ready
    with pytest.raises(OSError, match="too long"):
        list(batch.results(0))
    assert not talk.engine.is_waiting


@pytest.mark.parametrize("wrong", [None, "thing.get", get])
def test_what_is_no_request_leaves_nothing_behind(wrong: Any) -> None:
    talk = Talk()
    with pytest.raises(AttributeError):
        talk.engine.submit(wrong)
    with pytest.raises(AttributeError):
        talk.engine.submit(wrong, dump=True)
    with pytest.raises(TypeError):
        talk.engine.submit_batch([get(), wrong])
    assert not talk.engine.is_waiting
    assert talk.engine.take_outgoing() == []


def test_events_are_handed_out_once_whoever_loops() -> None:
    talk = Talk()
    for number in (1, 3):
        event = thing(number, seq=0) + thing(number + 1, seq=0)
        talk.engine.feed(*wire.receive(event, group=1))
    early, late = talk.engine.events(), talk.engine.events()
    got = numbers([next(early), next(late), next(late), next(early)])
    assert got == [1, 2, 3, 4]
    assert [*early, *late] == []
    assert not talk.engine.ready


def test_a_faulty_datagram_fails_all_who_wait_and_takes_in_the_rest() -> None:
    """Fact: a datagram that breaks the rules held anyone's answer."""
    talk = Talk()
    dump, queued = talk.dump(), talk.dump()
    waiting: list[Reply[Any] | Batch] = [dump, talk.do(), talk.engine.submit_batch([get()])]
    talk.engine.take_outgoing()
    later = talk.do()
    event = wire.receive(thing(7, seq=0), group=1)
    with pytest.raises(DecodeError):
        talk.engine.feed(*wire.receive(thing(1, seq=1), b"\1\2\3", wire.done(seq=1)))
    talk.engine.feed(*event)
    for waiter in waiting:
        assert waiter.ready
        with pytest.raises(DecodeError):
            list(waiter if isinstance(waiter, Reply) else waiter.results(0))
    assert numbers(talk.engine.events()) == [7]
    assert [seq for _, _, seq in sent(talk.engine)] == [5, 2]
    assert not later.ready
    assert not queued.ready


def test_columns_of_a_reply() -> None:
    talk = Talk(wire.receive(thing(1, seq=1), thing(2, seq=1)),
                wire.receive(thing(3, seq=1), wire.done(seq=1)))  # fmt: skip
    table = talk.dump().columns("number", "name")
    assert [*table["number"]] == [1, 2, 3]
    assert [*table["name"]] == [None] * 3
    talk = Talk(wire.receive(wire.error(errno.EPERM, seq=1)))
    with pytest.raises(PermissionError):
        talk.dump().columns("number")


def test_repr_tells_the_state() -> None:
    talk = Talk(wire.receive(wire.error(errno.ENODEV, seq=1)))
    reply = talk.do()
    assert repr(reply) == "<Reply to thing.get: waiting>"
    with pytest.raises(KernelError):
        list(reply)
    assert "ENODEV" in repr(reply)


@given(st.data())
def test_every_cut_gives_the_same_replies(data: st.DataObject) -> None:
    """The same messages, split into datagrams and receives anywhere, mean the same."""
    order = data.draw(st.permutations([1] * 4 + [2] * 3 + [3] * 2))
    left = {seq: order.count(seq) for seq in (1, 2, 3)}
    stream: list[bytes] = []
    expected: dict[int, list[int]] = {1: [], 2: [], 3: []}
    for position, seq in enumerate(order):
        left[seq] -= 1
        if left[seq]:
            expected[seq].append(position)
            stream.append(thing(position, seq=seq))
        else:
            stream.append(wire.done(seq=seq) if seq == 1 else wire.error(0, seq=seq))
    datagrams: list[bytes] = [b""]
    for message in stream:
        if data.draw(st.booleans()):
            datagrams.append(b"")
        datagrams[-1] += message
    receives: list[list[bytes]] = [[]]
    for datagram in datagrams:
        if data.draw(st.booleans()):
            receives.append([])
        receives[-1].append(datagram)
    talk = Talk(*(wire.receive(*batch) for batch in receives))
    replies = {1: talk.dump(), 2: talk.do(), 3: talk.do()}
    for seq in data.draw(st.permutations([1, 2, 3])):
        assert numbers(replies[seq]) == expected[seq]
    assert not talk.engine.is_waiting
