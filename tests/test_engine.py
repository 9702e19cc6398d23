"""The engine, with bytes only: each row of the table at the top of netlink/engine.py."""

from __future__ import annotations

import ast
import errno
import gc
import pickle
import struct
import sys
from collections import deque
from enum import IntEnum
from importlib import import_module
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
    NetlinkError,
    Op,
    Overrun,
    Request,
    engine,
    iter_messages,
)
from netlink import schema as s
from netlink._exchange import Batch, Exchange
from netlink.engine import Engine

from . import wire
from .things import (
    FAMILY,
    TYPE,
    Talk,
    Thing,
    echo,
    get,
    new,
    numbers,
    one,
    quick,
    sent,
    several,
    thing,
)
from .wire import extack


@pytest.mark.parametrize("name", ["engine", "filter"])
def test_each_fact_of_the_table_has_a_test_that_names_it(name: str) -> None:
    module = import_module(f"netlink.{name}")
    rows = [line.split("|")[1].rstrip() for line in (module.__doc__ or "").splitlines()
            if line.startswith("| ")]  # fmt: skip
    table = "\n".join(rows[1:]).replace("\n   ", " ")  # an indented row continues a fact
    facts = [" ".join(fact.partition("(")[0].split()) for fact in table.splitlines()]
    assert len(facts) > 10
    named = set()
    for file in Path(__file__).parent.rglob("test_*.py"):
        for found in ast.walk(ast.parse(file.read_text())):
            if isinstance(found, ast.FunctionDef) and found.name.startswith("test_"):
                words = (ast.get_docstring(found) or "").partition("Fact: ")[2]
                named.add(" ".join(words.partition(".")[0].split()))
    assert [fact for fact in facts if fact not in named] == []


def test_requests_carry_type_flags_and_a_seq_of_their_own() -> None:
    talk = Talk()
    kept = [talk.ask(), talk.dump()._exchange, talk.ask(new(number=1))]
    assert sent(talk.engine) == [(18, 0x005, 1), (18, 0x301, 2), (16, 0x605, 3)]
    assert sent(talk.engine) == []
    assert talk.engine.stats.sent == 3
    assert not any(exchange.done for exchange in kept)


def test_the_seq_wraps_without_zero() -> None:
    talk = Talk()
    talk.engine._seq = 0xFFFFFFFF
    kept = talk.ask()
    assert sent(talk.engine) == [(18, 5, 1)]
    assert not kept.done


def test_an_answer_is_its_messages_and_then_the_acknowledgement() -> None:
    for cut in (False, True):
        answer = thing(1, seq=1, flags=0), wire.error(0, seq=1)
        script = [wire.receive(each) for each in answer] if cut else [wire.receive(*answer)]
        talk = Talk(*script)
        exchange = talk.ask()
        assert talk.result(exchange).number == 1
        assert exchange.done
        assert exchange.error is None
        assert not talk.engine.is_waiting
        assert exchange.result().number == 1


def test_one_dump_at_a_time_and_requests_pass() -> None:
    """Fact: a socket runs one dump at a time, a second gets EBUSY."""
    talk = Talk(
        wire.receive(thing(1, seq=1)),
        wire.receive(thing(30, seq=3, flags=0), wire.error(0, seq=3)),
        wire.receive(thing(2, seq=1), wire.done(seq=1)),
        wire.receive(thing(20, seq=2), wire.done(seq=2)),
    )
    first, second, single = talk.dump(), talk.dump(), talk.ask()
    assert [seq for _, _, seq in sent(talk.engine)] == [1, 3]
    assert talk.result(single).number == 30
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
    first, second = talk.dump(), talk.ask()
    assert talk.result(second).number == 20
    assert numbers(first) == [1, 2]


def test_a_group_event_is_an_event_whatever_seq_and_port_it_carries() -> None:
    """Fact: a group event may carry anyone's seq and port."""
    data, index = wire.receive(thing(7, seq=1, pid=4711), group=1)
    talk = Talk((data, index), wire.receive(wire.error(0, seq=1)))
    subscribe(talk.engine, 1)
    assert talk.do() is None
    assert numbers(talk.events()) == [7]
    assert talk.engine.stats.events == 1
    assert list(talk.events()) == []


def subscribe(engine: Engine, *groups: int) -> None:
    """Add groups to the default subscription."""
    engine.subscribe(engine.events, {("", str(group)): group for group in groups})


def test_an_echo_comes_under_a_group_and_is_the_answer() -> None:
    """Fact: with NLM_F_ECHO the sender alone gets a copy of the event, under the group's number."""
    talk = Talk()
    talk.engine.port = 99
    subscribe(talk.engine, 1)
    own = thing(7, seq=1, pid=99)
    asked, plain = talk.ask(echo()), talk.ask()
    talk.script = [
        wire.receive(own, thing(8, seq=2, pid=99), thing(9, seq=1, pid=98), group=1),
        wire.receive(wire.error(0, seq=1), wire.error(0, seq=2)),
    ]
    assert talk.result(asked).number == 7
    assert talk.result(plain) is None
    assert numbers(talk.events()) == [8, 9]
    assert talk.engine.stats.events == 2


PORT = 4711


class CMD(IntEnum):
    CMD_GET = 1
    CMD_NEW = 2


class Note(Message):
    number: int | None = s.u32(1)


ask = Op("notes.get", CMD.CMD_GET, Note, answer="one", reply_type=CMD.CMD_NEW)
NOTES = Family("notes", id=40, ops=(ask,), types=CMD, messages=Note)


def note(number: int, *, seq: int, pid: int) -> bytes:
    """A message of the generic family: an answer, or an unsolicited message."""
    genlmsghdr = bytes((CMD.CMD_NEW, 1, 0, 0))
    return wire.message(40, genlmsghdr + bytes(Note(number=number)), flags=0, seq=seq, pid=pid)


def test_unsolicited_messages_to_a_generic_port_are_events() -> None:
    """Fact: the kernel sends unsolicited messages to a port, numbered by its own counter, which can
    equal one of our sequence numbers, but never with our port as nlmsg_pid.

    kernel/taskstats.c counts from 0, so that a number may be that of a waiting request.
    """
    talk = Talk(families=[NOTES])
    engine = talk.engine
    engine.port = PORT
    exchange = talk.ask(ask(number=1))
    assert exchange.seq == 1
    unsolicited = [note(number, seq=seq, pid=0) for number, seq in ((50, 0), (51, 1), (52, 2))]
    engine.feed(*wire.receive(*unsolicited))
    assert numbers(talk.events()) == [50, 51, 52]
    assert not exchange.ready
    answer = note(1, seq=1, pid=PORT) + wire.error(0, seq=1)  # one datagram with an event before it
    engine.feed(*wire.receive(note(53, seq=1, pid=0) + answer))
    assert exchange.result().number == 1
    assert numbers(talk.events()) == [53]
    assert (engine.stats.events, engine.stats.messages, engine.stats.late) == (4, 5, 0)


def test_parts_of_a_dump_without_a_number() -> None:
    """Fact: parts of a dump of thermal have neither our port nor our seq. Its DONE has both."""
    zones = Op("zones.get", CMD.CMD_GET, Note, answer="several", reply_type=CMD.CMD_NEW)
    family = Family("zones", id=40, ops=(zones,), types=CMD, messages=Note, unnumbered=True)
    others = Family("others", id=41, ops=(), types=CMD, messages=Note)
    talk = Talk(families=[family, others])
    engine = talk.engine
    engine.port = PORT
    before = note(1, seq=0, pid=0)
    engine.feed(*wire.receive(before))  # no dump runs
    single = talk.ask(zones())
    engine.feed(*wire.receive(note(2, seq=0, pid=0)))  # this is not a dump
    engine.feed(*wire.receive(note(3, seq=1, pid=PORT) + wire.error(0, seq=1)))
    assert [each.number for each in single.result()] == [3]
    dump = engine.submit(zones(), dump=True)
    foreign = wire.message(
        41, bytes((CMD.CMD_NEW, 1, 0, 0)) + bytes(Note(number=4)), flags=0, seq=0, pid=0
    )
    engine.feed(*wire.receive(foreign, note(5, seq=9, pid=0), note(6, seq=0, pid=0)))
    engine.feed(*wire.receive(wire.message(3, b"\0\0\0\0", flags=2, seq=2, pid=PORT)))
    assert [each.number for each in dump.result()] == [6]
    assert numbers(talk.events()) == [1, 2, 4, 5]


def test_a_late_answer_from_a_generic_family_is_not_an_event() -> None:
    engine = Talk(families=[NOTES]).engine
    engine.port = PORT
    engine.feed(*wire.receive(note(1, seq=9, pid=PORT)))
    assert not engine.events.ready
    assert engine.stats.late == 1


def test_elsewhere_only_seq_0_marks_an_unsolicited_message() -> None:
    """kernel/audit.c answers without our port; nfnetlink_queue.c sends packets with seq 0."""
    talk = Talk()
    talk.engine.port = PORT
    exchange = talk.ask()
    packet, answer = thing(50, seq=0, flags=0), thing(1, seq=1, flags=0)
    late = thing(2, seq=9, flags=0)
    talk.engine.feed(*wire.receive(packet, answer, late, wire.error(0, seq=1)))
    assert exchange.result().number == 1
    assert numbers(talk.events()) == [50]
    assert talk.engine.stats.late == 1


# --- requests that ask for no ACK -----------------------------------------------------------------


def test_one_message_ends_an_op_that_asks_for_no_ack() -> None:
    """Fact: a get that succeeds sends its one message in any case, and a failed one an error."""
    talk = Talk()
    first, second = talk.ask(quick(number=1)), talk.ask(quick(number=2))
    assert [message.flags for each in talk.engine.outgoing for message in iter_messages(each)] == [
        1
    ] * 2
    talk.engine.feed(*wire.receive(thing(2, seq=2), wire.error(errno.ENODEV, seq=1)))
    assert second.result().number == 2
    with pytest.raises(KernelError, match="ENODEV"):
        first.result()
    assert not talk.engine.is_waiting and not talk.engine.stats.late


def test_the_answer_to_an_abandoned_op_without_an_ack() -> None:
    talk = Talk()
    talk.engine.abandon(talk.ask(quick(number=1)))
    talk.engine.feed(*wire.receive(thing(1, seq=1)))
    assert talk.engine.stats.late == 1
    assert not talk.engine.is_waiting


def test_a_batch_asks_for_an_ack_of_such_an_op_too() -> None:
    talk = Talk()
    batch = talk.engine.submit_batch([quick(number=1)])
    (buffer,) = talk.engine.take_outgoing()
    assert [message.flags & 4 for message in iter_messages(buffer)] == [4]
    talk.engine.feed(*wire.receive(thing(1, seq=1)))
    assert not batch.ready
    talk.engine.feed(*wire.receive(wire.error(0, seq=1)))
    assert numbers(batch.outcomes()) == [1]


# --- batches --------------------------------------------------------------------------------------


def test_outcomes_of_a_batch_are_in_order() -> None:
    """Fact: a failed request always answers, even if it asked for no ACK."""
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
        assert [getattr(outcome, "errno", outcome) for outcome in batch.outcomes()] == [
            None, None, errno.EEXIST, None, None]  # fmt: skip
        assert not talk.engine.is_waiting


def test_a_batch_may_bring_messages_and_end_in_an_error() -> None:
    talk = Talk()
    batch = talk.engine.submit_batch([get(number=0), get(number=1), several(number=2)])
    talk.engine.feed(*wire.receive(
        thing(10, seq=1, flags=0), wire.error(0, seq=1), wire.error(errno.ENODEV, seq=2),
        thing(30, seq=3, flags=0), thing(31, seq=3, flags=0), wire.error(0, seq=3)))  # fmt: skip
    first, second, third = batch.outcomes()
    assert first.number == 10
    assert numbers(third) == [30, 31]
    assert second.errno == errno.ENODEV
    last = talk.engine.submit_batch([new(number=i) for i in range(2)], ack_last=True)
    talk.engine.feed(*wire.receive(wire.error(errno.EPERM, seq=5)))
    assert last.ready
    outcomes = last.outcomes()
    assert outcomes[0] is None
    assert isinstance(outcomes[1], PermissionError)


def test_an_answer_that_cannot_be_decoded_costs_only_its_own_request() -> None:
    talk = Talk()
    batch, other = talk.engine.submit_batch([get(number=i) for i in range(2)]), talk.ask()
    broken = wire.message(16, bytes(4) + b"\xff\xff\1\0", seq=1)
    talk.engine.feed(*wire.receive(broken, *(wire.error(0, seq=seq) for seq in (1, 2, 3))))
    assert batch.ready
    assert other.result() is None
    first, second = batch.outcomes()
    assert isinstance(first, DecodeError)
    assert second is None


def test_a_warning_in_a_batch_goes_to_the_reader_of_that_batch() -> None:
    talk = Talk()
    batch, other = talk.engine.submit_batch([new(number=i) for i in range(2)]), talk.ask()
    words = wire.message(2, bytes(20) + extack(words=b"deprecated"), seq=2, flags=0x300)
    talk.engine.feed(*wire.receive(wire.error(0, seq=1), words, wire.error(0, seq=3)))
    assert other.result() is None
    assert [(request.message.number, text) for request, text in batch.pop_warnings()] == [
        (1, "deprecated")
    ]
    assert list(batch.pop_warnings()) == []
    assert batch.outcomes() == [None, None]


def test_a_duplicate_does_not_change_an_outcome() -> None:
    talk = Talk()
    batch = talk.engine.submit_batch([get(number=i) for i in range(3)])
    twice = thing(20, seq=2), wire.error(0, seq=2), wire.error(errno.EIO, seq=2)
    talk.engine.feed(*wire.receive(wire.error(0, seq=2), *twice))
    assert talk.engine.stats.late == 3
    talk.engine.feed(*wire.receive(*(wire.error(0, seq=seq) for seq in (1, 2, 3, 3))))
    assert batch.outcomes() == [None] * 3
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


# --- what an op declares to be its answer ---------------------------------------------------------


def answers(count: int, seq: int) -> list[bytes]:
    return [*(thing(number, seq=seq, flags=0) for number in range(count)), wire.error(0, seq=seq)]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("op", [get, one, several, new, echo], ids=lambda op: op.name)
def test_an_answer_is_what_the_op_declares(op: Any, count: int) -> None:
    """Alone and in a batch: too few or too many messages are a NetlinkError that names the op."""
    few = op.answer == "one" and not count
    many = count > (0 if op.answer == "none" else 1) and op.answer != "several"
    wanted = (
        r"thing\.\w+: the kernel acknowledged the request, but sent no answer" if few
        else r"thing\.\w+: the kernel sent (an answer \(Thing\)|\d messages), but the op declares"
        if many else None
    )  # fmt: skip
    talk = Talk(wire.receive(*answers(count, 1)))
    exchange = talk.ask(op(number=0))
    batch = Talk(wire.receive(*answers(count, 1), *answers(1, 2)))
    first, second = batch.outcomes(batch.engine.submit_batch([op(number=0), one(number=0)]))
    assert second == Thing(number=0)
    if wanted is not None:
        with pytest.raises(NetlinkError, match=wanted) as caught:
            talk.result(exchange)
        assert not isinstance(caught.value, OSError)
        assert str(first) == str(caught.value)
        return
    made = [Thing(number=number) for number in range(count)]
    expected: Any = made if op.answer == "several" else made[0] if made else None
    assert talk.result(exchange) == first == expected


# --- dumps ----------------------------------------------------------------------------------------


def test_an_interrupted_dump_is_requested_again_if_nothing_was_handed_out() -> None:
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


def test_a_second_loop_over_an_interrupted_dump_continues_and_reports_it() -> None:
    script = [
        wire.receive(thing(1, seq=1)),
        wire.receive(thing(2, seq=1, flags=0x12), wire.done(seq=1)),
    ]
    # What was handed out cannot be taken back: the dump is not requested again.
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
    reply = Talk(*script).dump(retries=3)
    assert next(iter(reply)).number == 1
    with pytest.raises(DumpInterrupted) as caught:
        reply.columns("number")
    assert [*caught.value.partial["number"]] == [2]


def test_what_another_thread_feeds_between_two_looks_is_not_lost() -> None:
    """take() must read `done` before it looks for runs, and set `ready` again afterwards."""
    talk = Talk()
    reply = talk.dump()

    class Runs(deque[Any]):
        """At the first look there is nothing; everything arrives directly after it."""

        looked = False

        def __len__(self) -> int:
            count = super().__len__()
            if not self.looked:
                self.looked = True
                talk.engine.feed(*wire.receive(thing(1, seq=1), wire.done(seq=1)))
            return count

    reply._exchange.runs = Runs()
    assert numbers(reply) == [1]


def test_a_kernel_text_about_a_success_is_a_warning() -> None:
    words = struct.pack("=i", 0) + bytes(16) + extack(words=b"deprecated")
    talk = Talk(wire.receive(wire.message(2, words, seq=1, flags=0x300)))
    exchange = talk.ask()
    with pytest.warns(KernelWarning, match=r"^thing\.get: deprecated$"):
        talk.result(exchange)
    assert exchange.result() is None  # the warning is issued once
    talk = Talk(wire.receive(thing(1, seq=1), wire.done(seq=1, extack=extack(words=b"old"))))
    reply = talk.dump()
    with pytest.warns(KernelWarning, match=r"^thing\.get: old$"):
        assert numbers(reply) == [1]
    assert reply.warning == "old"
    assert list(reply) == []


@pytest.mark.parametrize("has_parts", [False, True])
def test_the_warning_of_an_interrupted_dump_that_is_requested_again_is_not_issued(
    has_parts: bool,
) -> None:
    """That of the one which succeeds is."""
    words = extack(words=b"old")
    first = [thing(1, seq=1)] if has_parts else []
    talk = Talk(
        *(wire.receive(part) for part in first),
        wire.receive(wire.done(seq=1, flags=0x12, extack=words)),
        wire.receive(thing(2, seq=2), wire.done(seq=2, extack=words)),
    )
    reply = talk.dump(retries=1)
    with pytest.warns(KernelWarning, match=r"^thing\.get: old$") as told:
        assert numbers(reply.all()) == [2]
    assert len(told) == 1
    talk = Talk(wire.receive(wire.done(seq=1, flags=0x12, extack=words)))
    reply = talk.dump()
    with pytest.raises(DumpInterrupted):
        reply.all()
    assert reply.warning == "old"


# --- errors ---------------------------------------------------------------------------------------


def test_an_error_names_what_is_allowed_or_missing() -> None:
    policy = wire.attribute(1, struct.pack("=I", 4)) + b"".join(
        wire.attribute(n, struct.pack("=Q", v)) for n, v in ((4, 0), (5, 16777215))
    )
    talk = Talk()
    words = extack(words=b"invalid VNI", offset=16 + 4) + wire.attribute(0x8004, policy)
    talk.script.append(wire.receive(wire.error(errno.EINVAL, seq=1, extack=words)))
    with pytest.raises(KernelError) as caught:
        talk.do(new(number=1))
    assert str(caught.value) == ("thing.new: number: invalid VNI (EINVAL), allowed u32 0..16777215")
    talk = Talk(wire.receive(wire.error(errno.EINVAL, seq=1, extack=wire.attribute(
        5, struct.pack("=I", 2)))))  # fmt: skip
    with pytest.raises(KernelError) as caught:
        talk.do()
    assert caught.value.missing == "name"
    assert str(caught.value) == "thing.get: name is missing: Invalid argument (EINVAL)"
    assert pickle.loads(pickle.dumps(caught.value)).missing == "name"


def test_a_stranger_is_dropped_and_counted() -> None:
    """Fact: anyone with the privilege may send to our port."""
    forged = wire.receive(thing(666, seq=1) + wire.error(errno.EPERM, seq=1), port=4711)
    talk = Talk(forged, wire.receive(b"junk", port=1),
                wire.receive(thing(1, seq=1), wire.error(0, seq=1)))  # fmt: skip
    assert talk.do().number == 1
    assert talk.engine.stats.strangers == 2


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
    exchange = talk.ask(new(number=1, name="x"))
    (request,) = talk.engine.take_outgoing()
    words = extack(words=b"invalid name", offset=16 + 4 + 8)
    if capped:
        answer = wire.error(errno.ERANGE, seq=1, extack=words)
    else:
        payload = struct.pack("=i", -errno.ERANGE) + request + bytes(-len(request) % 4) + words
        answer = wire.message(2, payload, seq=1, flags=0x200)
    talk.script.append(wire.receive(answer))
    with pytest.raises(KernelError) as caught:
        talk.result(exchange)
    error = caught.value
    assert (error.message, error.offset, error.path) == ("invalid name", 28, "name")
    assert error.request.message == Thing(number=1, name="x")
    assert str(error) == "thing.new: name: invalid name (ERANGE)"


def test_a_policy_that_cannot_be_read_leaves_the_other_words() -> None:
    told = wire.attribute(1, b"too far\0") + wire.attribute(4, wire.attribute(1, b"\4"))
    talk = Talk(wire.receive(wire.error(errno.ERANGE, seq=1, extack=told)))
    with pytest.raises(KernelError) as caught:
        talk.do()
    assert str(caught.value) == "thing.get: too far (ERANGE)"


def test_a_missing_attribute_inside_an_array_is_named() -> None:
    class Part(Message):
        number: int | None = s.u32(1)
        name: str | None = s.string(2)

    class Whole(Message):
        parts: s.Several[Part] = s.array(9, Part)

    make = Op("whole.new", TYPE.NEWTHING, Whole)
    family = Family("whole", protocol=0, types=TYPE, ops=[make])
    request = make(parts=[{"number": 1}, {"name": "x"}])
    paths = [request.message._path(at) for at in range(len(bytes(request.message)))]
    nest = struct.pack("=I", 16 + paths.index("Whole.parts[1]"))
    told = wire.attribute(5, struct.pack("=I", 1)) + wire.attribute(6, nest)
    talk = Talk(wire.receive(wire.error(errno.EINVAL, seq=1, extack=told)), families=[family])
    with pytest.raises(KernelError) as caught:
        talk.do(request)
    assert (caught.value.path, caught.value.missing) == ("parts[1]", "number")


def test_a_malformed_extended_ack_still_ends_the_reply() -> None:
    talk = Talk(wire.receive(wire.error(errno.EINVAL, seq=1, extack=b"\xff\xff\1\0")))
    with pytest.raises(KernelError, match="Invalid argument"):
        talk.do()


def test_an_error_without_an_errno_is_a_decode_error() -> None:
    talk = Talk(wire.receive(wire.message(2, seq=1)))
    with pytest.raises(DecodeError, match="without an errno"):
        talk.do()


def test_any_number_of_an_error_is_reported() -> None:
    for code in (1, 4095, 99999, 2**31 - 1, 2**31):
        answer = struct.pack("=I", (-code) & 0xFFFFFFFF) + bytes(16)
        talk = Talk(wire.receive(wire.message(2, answer, seq=1)))
        with pytest.raises(KernelError) as caught:
            talk.do()
        assert caught.value.errno == code
        assert str(caught.value).startswith("thing.get: ")


@pytest.mark.parametrize("where", ["part", "done"])
def test_an_interrupted_dump_reports_it_after_its_messages(where: str) -> None:
    """Fact: NLM_F_DUMP_INTR can be on any part, DONE included."""
    part_flags, done_flags = (0x12, 2) if where == "part" else (2, 0x12)
    talk = Talk(wire.receive(thing(1, seq=1, flags=part_flags)),
                wire.receive(wire.done(seq=1, flags=done_flags)))  # fmt: skip
    reply = talk.dump()
    messages = iter(reply)
    assert next(messages).number == 1
    with pytest.raises(DumpInterrupted):
        next(messages)
    assert reply.interrupted


# --- loss -----------------------------------------------------------------------------------------


def test_an_overrun_fails_every_waiter_and_shows_once_among_the_events() -> None:
    """Fact: ENOBUFS is reported once and does not say what was lost; until the queue was empty,
    more is lost.
    """
    talk = Talk()
    subscribe(talk.engine, 1)
    event = wire.receive(thing(7, seq=0), group=1)
    first, second, single = talk.dump(), talk.dump(), talk.ask()
    talk.engine.take_outgoing()
    talk.engine.feed(*event)
    talk.engine.overrun()
    with pytest.raises(Overrun):
        list(first)
    with pytest.raises(Overrun):
        single.result()
    # What was in the socket's queue is older than what is missing.
    talk.engine.feed(*event)
    talk.engine.feed(*wire.receive(thing(1, seq=1)))
    assert sent(talk.engine) == []
    talk.engine.drained()
    talk.engine.feed(*event)
    assert [type(item) for item in talk.events()] == [Thing, Thing, Overrun, Thing]
    assert talk.engine.stats.overruns == 1
    assert talk.engine.stats.late == 1
    # The second dump was not sent, so nothing of its answer is lost. It is sent now, whatever
    # became of the end of the first.
    assert [seq for _, _, seq in sent(talk.engine)] == [2]
    talk.script.append(wire.receive(thing(20, seq=2), wire.done(seq=2)))
    assert numbers(second) == [20]


def test_what_was_not_sent_yet_is_not_lost_in_an_overrun() -> None:
    talk = Talk()
    waiting: list[Exchange | Batch] = [talk.ask(), talk.engine.submit_batch([new(number=1)])]
    talk.engine.overrun()
    assert not any(waiter.ready for waiter in waiting)
    # Nor does the end of the draining end a dump that was not begun: the next one would be
    # sent next to it.
    kept = [talk.dump(), talk.dump()]
    talk.engine.drained()
    assert [seq for _, _, seq in sent(talk.engine)] == [1, 2, 3]
    assert not any(reply.done for reply in kept)


def test_every_subscription_sees_the_overrun() -> None:
    """Also one without groups, which has the unsolicited messages to this socket."""
    talk = Talk()
    some, none = engine.Queue(talk.engine.dispatch), engine.Queue(talk.engine.dispatch)
    talk.engine.subscribe(some, {("", "1"): 1})
    talk.engine.subscribe(none, {})
    talk.engine.overrun()
    talk.engine.drained()
    for queue in (talk.engine.events, some, none):
        assert queue.pending == 1
        (overrun,) = queue.take()
        assert (overrun.count, overrun.where) == (None, "kernel")


LOST_ENDS = {
    "malformed": wire.done(seq=1)[:-7],
    "truncated": wire.done(seq=1)[:-7],
    "garbage": b"\xff" * 40,
}


@pytest.mark.parametrize("kind", LOST_ENDS)
def test_the_lost_end_of_a_dump_does_not_hold_up_later_dumps(kind: str) -> None:
    """Fact: the end of a dump can be lost, or the dump can go on."""
    flags = 0x20 if kind == "truncated" else 0  # MSG_TRUNC
    talk = Talk(wire.receive(thing(1, seq=1)), wire.receive(LOST_ENDS[kind], flags=flags))
    first, second, third = talk.dump(), talk.dump(), talk.dump()
    assert [seq for _, _, seq in sent(talk.engine)] == [1]
    messages = iter(first)
    assert next(messages).number == 1
    with pytest.raises(DecodeError):
        next(messages)
    assert [seq for _, _, seq in sent(talk.engine)] == [2]
    talk.script = [wire.receive(thing(2, seq=2), wire.done(seq=2)),
                   wire.receive(thing(3, seq=3), wire.done(seq=3))]  # fmt: skip
    assert numbers(second) == [2]
    assert [seq for _, _, seq in sent(talk.engine)] == [3]
    assert numbers(third) == [3]
    assert numbers_after(talk) == [4]
    assert not talk.engine.is_waiting


def numbers_after(talk: Talk) -> list[int]:
    """A further dump, whose seq must be 4."""
    talk.script = [wire.receive(thing(4, seq=4), wire.done(seq=4))]
    return numbers(talk.dump())


def test_a_dump_that_was_given_up_and_goes_on_makes_the_next_one_wait() -> None:
    """The kernel answers EBUSY, which no caller sees. The second begins when the first ends."""
    talk = Talk()
    first, second, third = talk.dump(), talk.dump(), talk.dump()
    assert [seq for _, _, seq in sent(talk.engine)] == [1]
    talk.engine.give_up(first._exchange)  # after a timeout
    assert [seq for _, _, seq in sent(talk.engine)] == [2]
    talk.engine.feed(*wire.receive(wire.error(errno.EBUSY, seq=2)))
    assert sent(talk.engine) == []
    assert not second.done
    talk.engine.feed(*wire.receive(thing(1, seq=1), wire.done(seq=1)))
    assert [seq for _, _, seq in sent(talk.engine)] == [2]
    talk.script = [wire.receive(thing(2, seq=2), wire.done(seq=2)),
                   wire.receive(thing(3, seq=3), wire.done(seq=3))]  # fmt: skip
    assert numbers(second) == [2]
    assert numbers(third) == [3]
    assert talk.engine.stats.late == 2
    with pytest.raises(OSError, match="abandoned"):
        list(first)


def test_several_dumps_that_were_given_up_hold_up_nobody() -> None:
    """The first of them is the one that the kernel runs: its end counts, not that of the others."""
    talk = Talk()
    dumps = [talk.dump() for _ in range(4)]
    for position, given_up in enumerate(dumps[:3]):
        assert [seq for _, _, seq in sent(talk.engine)] == [position + 1]
        talk.engine.give_up(given_up._exchange)
    assert [seq for _, _, seq in sent(talk.engine)] == [4]
    busy = [wire.error(errno.EBUSY, seq=seq) for seq in (2, 3, 4)]
    talk.engine.feed(*wire.receive(thing(1, seq=1), *busy))
    assert sent(talk.engine) == []
    assert not dumps[3].done
    talk.engine.feed(*wire.receive(wire.done(seq=1)))
    assert [seq for _, _, seq in sent(talk.engine)] == [4]
    talk.script = [wire.receive(thing(4, seq=4), wire.done(seq=4))]
    assert numbers(dumps[3]) == [4]


def test_ebusy_for_a_dump_that_nobody_wants_any_more() -> None:
    """It says that the first one goes on: the third one waits for that too."""
    talk = Talk()
    first, second, third = talk.dump(), talk.dump(), talk.dump()
    assert [seq for _, _, seq in sent(talk.engine)] == [1]
    talk.engine.give_up(first._exchange)
    assert [seq for _, _, seq in sent(talk.engine)] == [2]
    talk.engine.abandon(second._exchange)
    talk.engine.feed(*wire.receive(wire.error(errno.EBUSY, seq=2)))
    assert [seq for _, _, seq in sent(talk.engine)] == [3]
    talk.engine.feed(*wire.receive(wire.error(errno.EBUSY, seq=3)))
    assert not third.done
    talk.engine.feed(*wire.receive(wire.done(seq=1)))
    assert [seq for _, _, seq in sent(talk.engine)] == [3]
    assert not third.done


def test_what_is_abandoned_before_it_was_sent_is_never_sent() -> None:
    talk = Talk()
    alone, dump, next_dump = talk.ask(), talk.dump(), talk.dump()
    talk.engine.abandon(alone)
    talk.engine.abandon(dump._exchange)
    assert [seq for _, _, seq in sent(talk.engine)] == [3]
    talk.engine.feed(*wire.receive(wire.done(seq=3)))
    assert next_dump.done
    assert talk.engine.stats.late == 0


def test_the_end_of_a_dump_settles_what_became_of_those_before_it() -> None:
    talk = Talk()
    for seq in range(1, 10, 2):
        lost, whole = talk.dump(), talk.dump()
        talk.engine.take_outgoing()
        talk.engine.give_up(lost._exchange)
        talk.script = [wire.receive(wire.done(seq=seq + 1))]
        assert list(whole) == []
        assert not talk.engine._lost


def test_ebusy_that_another_process_causes_is_raised() -> None:
    talk = Talk(wire.receive(wire.error(errno.EBUSY, seq=1)))
    with pytest.raises(KernelError, match="EBUSY"):
        list(talk.dump())


def test_a_malformed_datagram_fails_all_waiters_and_the_rest_is_read() -> None:
    """Fact: a datagram that breaks the rules may have held any answer."""
    talk = Talk()
    subscribe(talk.engine, 1)
    dump, queued = talk.dump(), talk.dump()
    single, batch = talk.ask(), talk.engine.submit_batch([get()])
    talk.engine.take_outgoing()
    later = talk.ask()
    talk.engine.feed(*wire.receive(thing(1, seq=1), b"\1\2\3", wire.done(seq=1)))
    talk.engine.feed(*wire.receive(thing(7, seq=0), group=1))
    with pytest.raises(DecodeError):
        list(dump)
    with pytest.raises(DecodeError):
        single.result()
    with pytest.raises(DecodeError):
        batch.outcomes()
    assert numbers(talk.events()) == [7]
    assert [seq for _, _, seq in sent(talk.engine)] == [5, 2]
    assert not later.ready
    assert not queued.done
    assert talk.engine.stats.malformed == 1


@pytest.mark.parametrize("flags", [0, 0x20])
def test_a_malformed_datagram_of_a_group_fails_no_waiter(flags: int) -> None:
    """Malformed or truncated, it can only have held events: the subscription gets the error."""
    talk = Talk()
    subscribe(talk.engine, 1)
    dump, single, batch = talk.dump(), talk.ask(), talk.engine.submit_batch([get()])
    sent(talk.engine)
    bad = thing(8, seq=0) + (b"\1\2\3" if not flags else thing(9, seq=0)[:-2])
    for data in (thing(7, seq=0), bad, thing(10, seq=0)):
        cut = flags if data is bad else 0
        talk.engine.feed(*wire.receive(data, group=1, flags=cut))
    assert not dump._exchange.ready and not single.ready and not batch.ready
    got: list[Any] = []
    with pytest.raises(DecodeError):
        for event in talk.events():
            got.append(event.number)
    assert got == [7, 8]
    assert numbers(talk.events()) == [10]
    talk.engine.feed(*wire.receive(thing(1, seq=1), wire.done(seq=1)))
    assert numbers(dump) == [1]
    assert talk.engine.stats.malformed == 1


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


def test_an_abandoned_reply_is_late_although_somebody_holds_it() -> None:
    talk = Talk(wire.receive(thing(1, seq=1)), wire.receive(thing(2, seq=1), wire.done(seq=1)),
                wire.receive(thing(20, seq=2), wire.done(seq=2)))  # fmt: skip
    held = talk.dump()
    following = talk.dump()
    talk.engine.abandon(held._exchange)
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
    # The padding after the last message of a datagram may be missing.
    talk = Talk(wire.receive(part + part[:-1], part + end[:-3]))
    assert [(each.number, each.name) for each in talk.dump()] == [(5, "ab")] * 3


def test_noop_and_unknown_control_messages_are_skipped() -> None:
    talk = Talk(wire.receive(wire.message(1, seq=1) + wire.message(4, seq=1)
                             + wire.message(9, seq=1) + wire.error(0, seq=1)))  # fmt: skip
    assert talk.do() is None


def test_the_error_of_a_failed_send_goes_to_its_waiter() -> None:
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
        batch.outcomes()
    assert not talk.engine.is_waiting


other = Op("other.get", TYPE.GETTHING, Thing)
OTHER = Family("other", protocol=0, types=TYPE, ops=[other])
elsewhere = Op("elsewhere.get", CMD.CMD_GET, Note)
ELSEWHERE = Family("elsewhere", id=41, ops=(elsewhere,), types=CMD)
orphan = Op("orphan.get", CMD.CMD_GET, Note)
twin = Op("twin.get", CMD.CMD_GET, Note)
TWIN = Family("notes", id=40, ops=(twin,), types=CMD)  # of the same name, but another declaration


@pytest.mark.parametrize(
    ("family", "request_"),
    [
        (FAMILY, other()), (FAMILY, orphan()), (FAMILY, ask()),
        (NOTES, elsewhere()), (NOTES, orphan()), (NOTES, get()), (NOTES, twin()),
    ],
    ids=lambda value: value.name,
)  # fmt: skip
def test_a_request_of_another_family_is_refused_before_anything_is_sent(
    family: Family, request_: Request[Any, Any]
) -> None:
    """A command number of a generic family would be taken for a message type, and the reverse."""
    talk = Talk(families=[family])
    wanted = rf"^{request_.name} belongs to .*, but this connection has: .*{family.name}; open a"
    own = get() if family is FAMILY else ask()
    with pytest.raises(TypeError, match=wanted):
        talk.engine.submit(request_)
    with pytest.raises(TypeError, match=wanted):
        talk.engine.submit(request_, dump=True)
    with pytest.raises(TypeError, match=wanted):
        talk.engine.submit_batch([own, request_])
    assert sent(talk.engine) == []
    assert not talk.engine.is_waiting
    assert talk.engine.stats.sent == 0
    talk.engine.submit(own, dump=True)
    assert len(sent(talk.engine)) == 1  # no dump is thought to be running


def test_a_family_that_is_bound_to_its_number_is_the_same_family() -> None:
    by_name = Family("notes", ops=(Op("n.get", CMD.CMD_GET, Note),), types=CMD)
    (op,) = by_name.ops.values()
    talk = Talk(families=[by_name.at(40)])
    kept = talk.ask(op())
    assert [type for type, _, _ in sent(talk.engine)] == [40]
    assert not kept.done


@pytest.mark.parametrize("wrong", [None, "thing.get", get, 5])
def test_what_is_not_a_request_leaves_nothing_behind(wrong: Any) -> None:
    talk = Talk()
    for submit in (
        lambda: talk.engine.submit(wrong),
        lambda: talk.engine.submit(wrong, dump=True),
        lambda: talk.engine.submit_batch([get(), wrong]),
    ):
        with pytest.raises((AttributeError, TypeError)):
            submit()
    assert not talk.engine.is_waiting
    assert talk.engine.take_outgoing() == []


def test_events_are_handed_out_once_however_many_loops_there_are() -> None:
    talk = Talk()
    subscribe(talk.engine, 1)
    for number in (1, 3):
        event = thing(number, seq=0) + thing(number + 1, seq=0)
        talk.engine.feed(*wire.receive(event, group=1))
    early, late = talk.events(), talk.events()
    got = numbers([next(early), next(late), next(late), next(early)])
    assert got == [1, 2, 3, 4]
    assert [*early, *late] == []
    assert not talk.engine.events.ready


def test_columns_of_a_reply() -> None:
    talk = Talk(wire.receive(thing(1, seq=1), thing(2, seq=1)),
                wire.receive(thing(3, seq=1), wire.done(seq=1)))  # fmt: skip
    table = talk.dump().columns("number", "name")
    assert [*table["number"]] == [1, 2, 3]
    assert [*table["name"]] == [None] * 3
    talk = Talk(wire.receive(wire.error(errno.EPERM, seq=1)))
    with pytest.raises(PermissionError):
        talk.dump().columns("number")


def test_repr_shows_the_state() -> None:
    talk = Talk(wire.receive(wire.error(errno.ENODEV, seq=1)))
    reply = talk.dump()
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
    dump, second, third = talk.dump(), talk.ask(several()), talk.ask(several())
    for seq in data.draw(st.permutations([1, 2, 3])):
        got = dump if seq == 1 else talk.result(second if seq == 2 else third)
        assert numbers(got) == expected[seq]
    assert not talk.engine.is_waiting


def test_sequence_numbers_of_a_batch_start_again_after_the_last() -> None:
    """A batch has consecutive ones, so it does not begin with the last."""
    talk = Talk()
    talk.engine._seq = 0xFFFFFFFE
    batch = talk.engine.submit_batch([new(number=1)] * 3)
    assert batch.first == 1
    (buffer,) = talk.engine.take_outgoing()
    seqs = [int.from_bytes(buffer[at + 8 : at + 12], sys.byteorder) for at in range(0, 84, 28)]
    assert seqs == [1, 2, 3]


def test_the_counters_have_a_text() -> None:
    assert "sent=0" in repr(Talk().engine.stats)
