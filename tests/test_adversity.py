"""What may go wrong around the library: each adversity, its promise, and the tests that prove it.

ADVERSITIES is the whole list. Most of its tests are in other files, next to what they test; the
rest is here, and in tests/kernel/test_adversity_live.py where a kernel is needed. The section
"Adversities" of docs/reliability.md shows the same list to users.
"""

from __future__ import annotations

import ast
import asyncio
import re
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from netlink import MAX_DEPTH, Connection, DecodeError, Message, aio
from netlink import schema as s
from netlink.testing import Datagram, Socket

from . import plays, wire
from .drivers import BOTH, Connect
from .things import FAMILY, TYPE, Thing, get, new, numbers, one, things

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"


class Adversity(NamedTuple):
    """`tests` are "file::function", relative to tests/; "file::*" means all tests of a file."""

    name: str
    promise: str
    tests: tuple[str, ...]


LIVE = "kernel/test_adversity_live.py"
TALK = "kernel/test_conversation.py"
ADVERSITIES = (
    Adversity(
        "forged senders",
        "A datagram whose sender is not the kernel is dropped and counted in `stats.strangers`. It "
        "is never an answer or an event.",
        (
            f"{TALK}::test_forged_event",
            f"{TALK}::test_forged_answer",
            f"{TALK}::test_stranger_who_sends_rubbish",
            f"{LIVE}::test_a_forged_message_to_all_namespaces_is_a_stranger_s",
        ),
    ),
    Adversity(
        "overruns",
        "What waits for an answer raises Overrun, events have an Overrun at the place of the loss, "
        "and the connection works afterwards.",
        (
            f"{TALK}::test_overrun_is_one_item",
            f"{TALK}::test_waiter_fails_with_overrun",
            f"{TALK}::test_refusal_of_a_dump_lost_in_an_overrun",
            "test_engine.py::test_every_subscription_sees_the_overrun",
            "test_subscriptions.py::test_both_kinds_of_loss_have_their_place",
        ),
    ),
    Adversity(
        "truncation",
        "A datagram or message that is cut off yields its whole messages, then one DecodeError. No "
        "read leaves the buffer.",
        (
            "test_core.py::test_every_truncation_of_a_message",
            "test_core.py::test_a_truncated_datagram_is_one_fault_after_its_whole_messages",
            "test_engine.py::test_a_malformed_datagram_fails_all_waiters_and_the_rest_is_read",
            "test_subscriptions.py::test_malformed_events_fail_no_waiter",
        ),
    ),
    Adversity(
        "attributes with wrong lengths",
        "A wrong length at any level of nesting is a DecodeError when that level is read, with its "
        "path. The levels around it can be read.",
        (
            "test_adversity.py::test_a_wrong_length_at_each_level",
            "test_adversity.py::test_an_empty_attribute_at_each_level",
            "test_core.py::test_a_bad_nest_costs_only_itself",
        ),
    ),
    Adversity(
        "nests 1,000 deep",
        "Levels beyond MAX_DEPTH raise DecodeError or are shown as bytes, in time proportional to "
        "the message. The connection that received it works.",
        (
            "test_adversity.py::test_a_message_nested_1000_deep",
            "test_bounds.py::test_deeper_messages_are_errors_or_placeholders",
            "test_bounds.py::test_a_small_stack_is_enough",
        ),
    ),
    Adversity(
        "a missing DONE",
        "A dump that never ends raises TimeoutError after its time-out. Later dumps work.",
        (
            "test_replies.py::test_dumps_after_a_timeout_work",
            "test_replies.py::test_a_dump_that_goes_on_after_a_timeout_makes_the_next_one_wait",
            "test_engine.py::test_the_lost_end_of_a_dump_does_not_hold_up_later_dumps",
        ),
    ),
    Adversity(
        "an ACK with an unknown sequence number",
        "It is counted in `stats.late`, and changes no outcome.",
        (
            "test_engine.py::test_late_and_duplicate_answers_are_counted",
            "test_engine.py::test_a_duplicate_does_not_change_an_outcome",
            "test_adversity.py::test_an_ack_with_an_unknown_sequence_number",
        ),
    ),
    Adversity(
        "signals",
        "A system call that a signal interrupts goes on with the remaining time (PEP 475). An "
        "exception of a signal handler loses nothing that was received.",
        (
            f"{LIVE}::test_a_storm_of_eintr_changes_no_answer_and_no_timeout",
            "test_nlsock.py::test_signals_are_handled_while_it_waits",
            "test_interrupts.py::test_an_interrupt_at_every_bytecode",
            "test_interrupts.py::test_an_interrupt_at_every_call_of_the_socket",
            "test_interrupts.py::test_signals_at_1_khz_while_threads_share_a_connection",
            "test_interrupts.py::test_signals_at_1_khz_lose_no_event",
        ),
    ),
    Adversity(
        "fork during a dump",
        "The parent is not disturbed, whatever a forked child does. In the child, connections of "
        "the parent are closed: using one raises OSError (EBADF), so that it cannot receive what "
        "the parent waits for.",
        (
            f"{LIVE}::test_a_forked_child_cannot_use_a_connection",
            f"{LIVE}::test_a_forked_child_cannot_use_an_asyncio_connection",
            f"{LIVE}::test_a_fork_during_a_dump",
            "test_nlsock.py::test_a_forked_child_that_closes_its_copy_does_not_disturb",
            "test_nlsock.py::test_a_forked_child_does_not_wait_for_the_thread",
        ),
    ),
    Adversity(
        "memory pressure",
        "A failed allocation raises MemoryError, or OSError (ENOMEM) from the kernel. What was "
        "received and not yet handed out stays, and the connection works when there is memory.",
        (
            "test_adversity.py::test_the_core_survives_each_failed_allocation",
            f"{LIVE}::test_a_connection_survives_each_failed_allocation",
            f"{LIVE}::test_no_room_for_the_scratch_area",
        ),
    ),
    Adversity(
        "a namespace that is deleted",
        "An open connection keeps its namespace alive and goes on. A new one raises "
        "FileNotFoundError.",
        (
            f"{LIVE}::test_a_namespace_that_is_deleted_under_an_open_connection",
            f"{LIVE}::test_a_namespace_whose_last_process_has_gone",
        ),
    ),
    Adversity(
        "a family that is removed or gets a new number",
        "A request is sent again once, under the new number. If the family is gone, KernelError "
        "(ENOENT) names it. A joined group is joined again.",
        (
            "test_generic.py::test_enoent_is_the_answer_to_an_unknown_number",
            "test_generic.py::test_a_family_that_the_kernel_lacks",
            "test_generic.py::test_a_batch_that_met_enoent_has_the_number_asked_for_before_the_next",
            "test_subscriptions.py::test_a_subscription_follows_a_group_whose_number_changes",
            "test_subscriptions.py::test_a_subscription_whose_family_is_gone_gets_nothing",
            "kernel/test_generic.py::test_a_stale_number_is_noticed",
        ),
    ),
    Adversity(
        "the descriptor limit",
        "A new connection raises OSError (EMFILE) and leaks nothing. Open connections work; one "
        "that has never waited needs a descriptor for its first wait, and raises EMFILE then.",
        (
            f"{LIVE}::test_no_descriptor_is_left_to_the_process",
            "test_nlsock.py::test_no_descriptor_leaks_from_constructors_that_fail",
        ),
    ),
    Adversity(
        "the smallest receive buffer",
        "Dumps and changes work. An answer that does not fit raises Overrun, and the connection "
        "works afterwards.",
        (
            f"{LIVE}::test_the_smallest_receive_buffer",
            f"{TALK}::test_a_pipeline_through_a_small_receive_buffer",
        ),
    ),
    Adversity(
        "clock jumps",
        "Time-outs use the monotonic clock. A change of the wall clock does not matter, and the "
        "time of a suspend does not count.",
        (
            "test_adversity.py::test_only_the_trace_and_the_monitor_read_the_wall_clock",
            "test_adversity.py::test_a_jump_of_the_wall_clock",
            f"{LIVE}::test_deadlines_where_the_monotonic_clock_is_far_ahead",
        ),
    ),
    Adversity(
        "many threads on one connection",
        "Each thread gets its own answers, and each subscription all of its events.",
        (
            f"{LIVE}::test_sixteen_threads_do_everything_on_one_connection",
            f"{TALK}::test_eight_threads_share_a_connection",
            "kernel/test_room.py::test_many_threads",
        ),
    ),
    Adversity(
        "cancellation in asyncio",
        "A task may be cancelled at every await. Other tasks get their answers, nothing received "
        "is lost, and nothing of the cancelled request stays.",
        (
            "test_aio.py::test_cancelled_at_every_point",
            "test_aio.py::test_a_cancelled_step_of_an_iteration_loses_nothing",
            "test_adversity.py::test_a_cancellation_while_a_family_is_resolved",
            "kernel/test_room.py::test_a_task_that_is_cancelled_in_the_line_is_never_sent",
        ),
    ),
    Adversity(
        "an event loop that was closed with tasks",
        "A connection can be used from a new loop, also if tasks of the loop before wait for it "
        "for ever. While two open loops wait for it, the second one gets RuntimeError, before "
        "anything is sent.",
        (
            "test_aio.py::test_a_loop_that_was_closed_with_tasks_is_forgotten",
            "test_aio.py::test_a_loop_that_was_closed_while_its_thread_sends",
            "test_aio.py::test_two_loops_cannot_wait_at_the_same_time",
        ),
    ),
    Adversity(
        "too many answers in flight",
        "Requests of many threads or tasks wait for room in the receive buffer, and do not overrun "
        "it together.",
        (
            "kernel/test_room.py::test_many_tasks",
            "kernel/test_room.py::test_many_threads",
            f"{TALK}::test_pipelines_of_eight_threads_share_the_receive_buffer",
        ),
    ),
    Adversity(
        "garbage collection",
        "Dropping the last reference to a connection closes its descriptor at once, without the "
        "collector.",
        ("kernel/test_lifetime.py::*",),
    ),
    Adversity(
        "the end of the interpreter",
        "It ends with status 0 while threads and tasks wait, and dumps or pipelines are half read.",
        (f"{LIVE}::test_the_interpreter_ends_with_live_readers",),
    ),
    Adversity(
        "other interpreters",
        "Where a module cannot work, its import raises ImportError.",
        (
            "test_interpreters.py::test_the_core_works_in_one_interpreter",
            "test_interpreters.py::test_the_socket_works_in_all_interpreters",
        ),
    ),
)


# --- the list -------------------------------------------------------------------------------------


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("adversity", ADVERSITIES, ids=lambda each: each.name)
def test_the_tests_of_each_adversity_exist(adversity: Adversity) -> None:
    for test in adversity.tests:
        file, _, function = test.partition("::")
        found = functions(file)
        assert function.startswith("test_") or function == "*"
        assert function in found or (function == "*" and found), test


def test_each_test_of_this_suite_is_in_the_list() -> None:
    named = {test for adversity in ADVERSITIES for test in adversity.tests}
    # docs/security.md names these; the list itself is tested by the first three.
    others = {
        "test_the_tests_of_each_adversity_exist",
        "test_each_test_of_this_suite_is_in_the_list",
        "test_the_page_for_users_has_the_same_list",
        "test_the_tests_that_the_page_about_security_names_exist",
        "test_who_may_send_to_whom",
        "test_a_connection_does_not_keep_a_privilege_that_was_given_up",
        "test_a_stranger_with_privilege_reaches_only_its_own_namespace",
    }
    for file in ("test_adversity.py", LIVE):
        own = {name for name in functions(file) if name.startswith("test_")}
        assert {f"{file}::{name}" for name in own - others} <= named


def row(adversity: Adversity) -> str:
    """Return a row of the page."""
    first = adversity.tests[0].removesuffix("::*")
    return f"| {adversity.name} | {adversity.promise} | `{first}` |"


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the pages are not here")
def test_the_page_for_users_has_the_same_list() -> None:
    page = (ROOT / "docs/reliability.md").read_text()
    section = page.partition("## Adversities")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert rows == [row(adversity) for adversity in ADVERSITIES]


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the pages are not here")
def test_the_tests_that_the_page_about_security_names_exist() -> None:
    page = (ROOT / "docs/security.md").read_text()
    found = re.findall(r"`tests/([\w/]+\.py)::(test_\w+)`", page)
    assert len(found) > 10
    for file, function in found:
        assert function in functions(file)


# --- attributes -----------------------------------------------------------------------------------


class Nest(Message):
    """A message that contains itself, between attributes of its own."""

    before: int | None = s.u32(1)
    nest: s.Nested[Nest] = s.nest(2, lambda: Nest)
    after: int | None = s.u32(3)
    text: str | None = s.string(4)
    array: Any = s.array(5, s.u32())


def nests(levels: int, inmost: bytes) -> bytes:
    """Return `inmost` inside of so many levels, each between two attributes."""
    for _ in range(levels):
        before, after = (wire.attribute(number, struct.pack("=I", number)) for number in (1, 3))
        inmost = before + wire.attribute(2, inmost) + after
    return inmost


def descend(message: Nest, levels: int) -> Nest:
    for _ in range(levels):
        assert (message.before, message.after) == (1, 3)
        inner = message.nest
        assert isinstance(inner, Nest)
        message = inner
    return message


WRONG_LENGTHS = {  # what is at the inmost level, after a good attribute of 8 bytes
    "0": struct.pack("=HH", 0, 4) + bytes(4),
    "1": struct.pack("=HH", 1, 4) + bytes(4),
    "3": struct.pack("=HH", 3, 4) + bytes(4),
    "one too many": struct.pack("=HH", 9, 4) + bytes(4),
    "the rest of the message": struct.pack("=HH", 400, 4) + bytes(4),
    "the greatest": struct.pack("=HH", 0xFFFF, 4) + bytes(4),
    "a header that is cut off": b"\4\0\4",
}


@pytest.mark.parametrize("fault", WRONG_LENGTHS)
@pytest.mark.parametrize("level", range(MAX_DEPTH + 1))
def test_a_wrong_length_at_each_level(fault: str, level: int) -> None:
    """The wrong level raises DecodeError with its path; all levels around it can be read."""
    body = wire.attribute(1, struct.pack("=I", 7)) + WRONG_LENGTHS[fault]
    whole = nests(level, body)
    if level == 0:
        with pytest.raises(DecodeError) as caught:
            Nest.from_bytes(whole)
        assert caught.value.offset == 8
        return
    message = Nest.from_bytes(whole)
    last = descend(message, level - 1)
    assert (last.before, last.after) == (1, 3)
    with pytest.raises(DecodeError) as caught:
        _ = last.nest
    assert str(caught.value.path).split(".")[-1] == "nest"
    for convert in (message.to_dict, message.to_json):
        with pytest.raises(DecodeError) as caught:
            convert()
        assert str(caught.value.path).count("nest") == level
    assert len(repr(message)) < 2000
    assert "undecoded(" in message.pretty()


@pytest.mark.parametrize("level", range(MAX_DEPTH + 1))
def test_an_empty_attribute_at_each_level(level: int) -> None:
    """An attribute without a payload is an empty nest, array or text, and a wrong number."""
    empty = b"".join(wire.attribute(number, b"") for number in (2, 5, 4, 1))
    message = Nest.from_bytes(nests(level, empty))
    inner = descend(message, level)
    if level < MAX_DEPTH:
        assert inner.nest is not None and bytes(inner.nest) == b""
    assert list(inner.array) == []
    assert inner.text == ""
    with pytest.raises(DecodeError) as caught:
        _ = inner.before
    # The payload begins where the attribute "after" of the outer level does.
    assert caught.value.path == "Nest." + "nest." * level + "before"
    with pytest.raises(DecodeError):
        message.to_dict()


@BOTH
def test_a_message_nested_1000_deep(connect: Connect) -> None:
    """A connection hands it out like any other. Reading it ends in a DecodeError, at any speed."""

    class Deep(Thing):
        nest: s.Nested[Nest] = s.nest(3, Nest)

    body = nests(1000, b"")
    raw = bytes(Thing(number=1)) + wire.attribute(3, body)

    def kernel(request: Any) -> Any:
        yield TYPE.NEWTHING, raw
        yield Thing(number=2)

    with connect(FAMILY, socket=Socket(kernel, FAMILY)) as nl:
        first, second = nl.dump(get()).all()
        assert (first.number, second.number) == (1, 2)
        assert len(bytes(first)) > 20_000
        deep = Deep.from_bytes(bytes(first))
        with pytest.raises(DecodeError, match=f"the limit is {MAX_DEPTH} levels"):
            deep.to_dict()
        assert "undecoded(" in deep.pretty()
        assert len(repr(deep)) < 2000
        assert numbers(nl.dump(get())) == [1, 2]


# --- the conversation -----------------------------------------------------------------------------


@BOTH
def test_an_ack_with_an_unknown_sequence_number(connect: Connect) -> None:
    """Before, among and after the messages of a dump, and before the ACK of a change."""
    strange = Datagram(wire.error(0, seq=0xDEAD))
    refused = Datagram(wire.error(1, seq=0xBEEF))
    done = Datagram(wire.done(seq=0xCAFE))

    def kernel(request: Any) -> Any:
        yield strange
        if request.nlmsg_name == "NEWTHING":
            return
        yield Thing(number=1)
        yield refused
        yield Thing(number=2)
        yield done

    with connect(FAMILY, socket=Socket(kernel, FAMILY)) as nl:
        assert numbers(nl.dump(get()).all()) == [1, 2]
        assert nl.do(new(number=1)) is None
        assert list(nl.do_many([new(number=1)] * 2)) == [None] * 2
        assert nl.stats.late >= 4
        assert not nl._engine.is_waiting


async def resolve_and_do(nl: aio.Connection) -> None:
    assert (await nl.do(plays.get(index=3))).index == 3


async def resolve_and_join(nl: aio.Connection) -> None:
    await nl.join("events", "config")
    await nl.leave("events", "config")


async def resolve_and_pipeline(nl: aio.Connection) -> None:
    requests = [plays.set_(index=1)] * 3
    assert [each async for each in nl.do_many(requests, ack_last=True)] == [None] * 3


@pytest.mark.parametrize(
    "scene",
    [resolve_and_do, resolve_and_join, resolve_and_pipeline],
    ids=lambda each: each.__name__,
)
@pytest.mark.parametrize("threaded", [False, True], ids=["direct", "threaded"])
def test_a_cancellation_while_a_family_is_resolved(
    scene: Callable[[aio.Connection], Awaitable[None]], threaded: bool
) -> None:
    """Cancel after each number of turns of the loop, on a connection that knows no number yet."""

    async def main() -> int:
        turns, finished = 0, False
        while not finished:
            nl = aio.Connection(
                plays.PLAY, socket=Socket(plays.kernel, plays.PLAY), threaded_sends=threaded
            )
            task = asyncio.ensure_future(scene(nl))
            neighbour = asyncio.ensure_future(nl.do(plays.get(index=2)))
            for _ in range(turns):
                await asyncio.sleep(0)
            finished = task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert (await asyncio.wait_for(neighbour, 10)).index == 2
            await asyncio.wait_for(scene(nl), 10)
            assert not nl._waiters
            assert not nl._engine.is_waiting
            nl.close()
            turns += 1
        return turns

    assert asyncio.run(main()) > 1


# --- memory ---------------------------------------------------------------------------------------

# From Python 3.12 on, a failed allocation of a function corrupts the memory of the interpreter,
# without this library too. These operations make functions.
MAKES_FUNCTIONS = ("to_dict", "json", "repr", "pretty", "unhex")


@pytest.mark.parametrize("operation", ["parse", "construct", "replace", "iter", *MAKES_FUNCTIONS])
def test_the_core_survives_each_failed_allocation(operation: str) -> None:
    pytest.importorskip("_testcapi")
    if operation in MAKES_FUNCTIONS and sys.version_info >= (3, 12):
        pytest.skip("this Python itself crashes if it cannot allocate a function")
    done = subprocess.run(
        [sys.executable, "-m", "tests.starving", operation],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) > 2


# --- clocks ---------------------------------------------------------------------------------------

WALL = re.compile(r"\btime\.time|from time import [^\n]*\btime\b|datetime\.now|CLOCK_REALTIME")


@pytest.mark.skipif(not (ROOT / "netlink").is_dir(), reason="the source is not here")
def test_only_the_trace_and_the_monitor_read_the_wall_clock() -> None:
    """They print it."""
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "netlink").rglob("*")
        if path.suffix in {".py", ".pyx", ".pxi", ".pxd"} or path.name == "_nlsock.c"
        if WALL.search(path.read_text())
    }
    assert found == {"netlink/trace.py", "netlink/cli/monitor.py"}


def test_a_jump_of_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests, time-outs and traces work while it jumps by years in both directions."""
    jumps = iter(range(10**9))

    def jump() -> float:
        return 1e9 if next(jumps) % 2 else -1e9

    monkeypatch.setattr(time, "time", jump)
    monkeypatch.setattr(time, "time_ns", lambda: int(jump()) * 10**9)
    seen: list[Any] = []
    socket = Socket(things, FAMILY)
    with Connection(FAMILY, socket=socket, timeout=5, trace=seen.append) as nl:
        nl.join("thing")
        for _ in range(5):
            assert nl.do(one(number=4)).number == 4
            assert numbers(nl.dump(get()).all()) == [*range(10)]
            assert list(nl.events(timeout=0.01)) == []
    assert len(seen) >= 20
