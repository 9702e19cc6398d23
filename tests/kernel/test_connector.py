"""Process events of the live kernel, compared with what a script and threads did.

The kernel has them in its initial namespaces only, so these tests run there. Other processes make
events too; the tests look for their own.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, EncodeError, aio, connector
from netlink.connector import (
    FAMILY,
    PROC_EVENT,
    ack_proc_event,
    comm_proc_event,
    coredump_proc_event,
    exec_proc_event,
    exit_proc_event,
    fork_proc_event,
    gid_proc_event,
    proc_event,
    proc_mcast_op,
    ptrace_proc_event,
    sid_proc_event,
    uid_proc_event,
)

PATIENCE = 20.0  # seconds
PR_SET_NAME = 15  # linux/prctl.h
WAIT_ONE_MOMENT = 0.3  # seconds


@pytest.fixture(autouse=True)
def _private() -> None:
    """No network namespace of one's own: process events exist in the initial one only."""


@pytest.fixture
def proc() -> Iterator[Connection]:
    """A connection that gets all process events, where the kernel sends them."""
    with Connection(FAMILY, timeout=PATIENCE, rcvbuf=4 << 20) as nl:
        nl.join("proc")
        try:
            nl.do(connector.listen())
        except (OSError, TimeoutError) as error:
            pytest.skip(f"no process events here: {error}")
        try:
            yield nl
        finally:
            nl.do(connector.ignore())


Data = connector.EventData


def ids(data: Any) -> tuple[int, ...]:
    """The processes that an event is about."""
    names = ("process_tgid", "child_tgid", "parent_tgid")
    return tuple(getattr(data, name) for name in names if hasattr(data, name))


def until(
    nl: Connection, end: Callable[[proc_event], bool], about: Callable[[proc_event], bool]
) -> list[proc_event]:
    """The events that are about something, up to the one that ends them."""
    found = []
    limit = time.monotonic() + PATIENCE
    for event in nl.events(timeout=PATIENCE):
        assert isinstance(event, proc_event)
        if about(event):
            found.append(event)
        if end(event):
            return found
        assert time.monotonic() < limit
    raise AssertionError("the last event did not come")


def exits(pid: int) -> Callable[[proc_event], bool]:
    """Whether an event is the end of a process's main thread."""

    def is_end(event: proc_event) -> bool:
        data = event.event_data
        return isinstance(data, exit_proc_event) and data.process_pid == pid

    return is_end


def of_child(nl: Connection, child: subprocess.Popen[Any]) -> list[proc_event]:
    """The events of a child that ends, and of the children of that child."""
    family = {child.pid}

    def about(event: proc_event) -> bool:
        data = event.event_data
        if isinstance(data, fork_proc_event) and data.parent_tgid in family:
            family.add(data.child_tgid)
        return not family.isdisjoint(ids(data))

    return until(nl, exits(child.pid), about)


def classes(events: list[proc_event]) -> list[type[Any]]:
    return [type(event.event_data) for event in events]


def data_of(events: list[proc_event], cls: type[Any]) -> list[Any]:
    return [event.event_data for event in events if isinstance(event.event_data, cls)]


def test_forks_and_execs_of_a_shell_script(proc: Connection) -> None:
    """Fact: exit_code is a wait status (256 = exit 1, 11 = SIGSEGV, |0x80 core); exit_signal 17 for
    processes, -1 for threads; COREDUMP is sent without a core file too."""
    script = "sleep 0; (exit 3); sleep 0; kill -SEGV $$"
    # A sanitizer would catch the signal.
    env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    child = subprocess.Popen(["/bin/sh", "-c", script], preexec_fn=lambda: None, env=env)
    assert child.wait() == -signal.SIGSEGV
    events = of_child(proc, child)
    forks = data_of(events, fork_proc_event)
    assert [fork.parent_tgid for fork in forks] == [os.getpid(), child.pid, child.pid, child.pid]
    assert not any(fork.is_thread for fork in forks)
    _, first, middle, last = (fork.child_tgid for fork in forks)
    assert [data.process_tgid for data in data_of(events, exec_proc_event)] == [
        child.pid, first, last,
    ]  # fmt: skip
    ended = {data.process_tgid: data for data in data_of(events, exit_proc_event)}
    assert {*ended} == {child.pid, first, middle, last}
    assert os.waitstatus_to_exitcode(ended[middle].exit_code) == 3
    assert ended[middle].exit_code == 3 << 8
    assert ended[child.pid].exit_code & 0x7F == signal.SIGSEGV
    assert ended[child.pid].exit_signal == signal.SIGCHLD
    assert [data.process_tgid for data in data_of(events, coredump_proc_event)] == [child.pid]
    assert all(data.parent_tgid == child.pid for pid, data in ended.items() if pid != child.pid)


def test_events_are_done_messages_with_numbers_of_a_cpu(proc: Connection) -> None:
    """Fact: Events and acks are nlmsg_type NLMSG_DONE (3), seq = cn seq. seq is per CPU, in cpu
    field; timestamp_ns is CLOCK_MONOTONIC."""
    before = time.monotonic_ns()
    child = subprocess.Popen(["/bin/true"])
    child.wait()
    everything = until(proc, exits(child.pid), lambda event: True)
    after = time.monotonic_ns()
    ours = [event for event in everything if child.pid in ids(event.event_data)]
    assert all(before <= event.timestamp_ns <= after for event in ours)
    assert all(event.nlmsg_name == "CN_IDX_PROC" for event in ours)
    for cpu in {event.cpu for event in everything}:
        numbers = [event.cn_seq for event in everything if event.cpu == cpu]
        assert numbers == [*range(numbers[0] or 0, (numbers[0] or 0) + len(numbers))]


def test_threads(proc: Connection) -> None:
    """Fact: Fork of a thread: child_pid != child_tgid; parent is the process's parent, not the
    thread's creator. exit_signal -1 for threads."""
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(threading.get_native_id()))
    thread.start()
    thread.join()

    def is_ours(event: proc_event) -> bool:
        data: Any = event.event_data
        return seen[0] in (getattr(data, "child_pid", 0), getattr(data, "process_pid", 0))

    begun, ended = (event.event_data for event in until(proc, exits(seen[0]), is_ours))
    assert isinstance(begun, fork_proc_event) and isinstance(ended, exit_proc_event)
    assert begun.is_thread and begun.child_tgid == os.getpid()
    assert begun.parent_tgid == os.getppid()
    assert ended.is_thread and ended.exit_signal == -1


def test_names_may_be_any_bytes(proc: Connection) -> None:
    """Fact: comm: 16 bytes, any bytes: surrogateescape, cut at NUL."""
    name = b"a b\xff(c)01234567"
    script = f"import ctypes; ctypes.CDLL(None).prctl({PR_SET_NAME}, {name!r}, 0, 0, 0)"
    child = subprocess.Popen([sys.executable, "-c", script])
    child.wait()
    named = data_of(of_child(proc, child), comm_proc_event)
    assert os.fsencode(named[-1].comm) == name[:15]
    assert "a b" in str(named[-1].to_json()["comm"])


def test_ids_sessions_and_tracers(proc: Connection) -> None:
    def change() -> None:
        os.setsid()
        os.setresgid(7, 8, 8)
        os.setresuid(5, 6, 6)

    child = subprocess.Popen(["/bin/true"], preexec_fn=change)
    child.wait()
    events = of_child(proc, child)
    [session] = data_of(events, sid_proc_event)
    assert session.process_tgid == child.pid
    assert [(data.rgid, data.egid) for data in data_of(events, gid_proc_event)] == [(7, 8)]
    assert [(data.ruid, data.euid) for data in data_of(events, uid_proc_event)] == [(5, 6)]

    libc = ctypes.CDLL(None, use_errno=True)
    child = subprocess.Popen(["/bin/sleep", "60"])
    try:
        assert libc.ptrace(16, child.pid, None, None) == 0, os.strerror(ctypes.get_errno())
        os.waitpid(child.pid, 0)
        assert libc.ptrace(17, child.pid, None, None) == 0  # PTRACE_DETACH
    finally:
        child.kill()
        child.wait()
    traced = data_of(of_child(proc, child), ptrace_proc_event)
    assert [data.tracer_tgid for data in traced] == [os.getpid(), 0]


def test_exec_of_a_thread_ends_the_main_one_first(proc: Connection) -> None:
    """Fact: exec by a thread sends EXIT of the leader's id, then EXEC, then EXIT."""
    script = (
        "import os, threading, time\n"
        "threading.Thread(target=lambda: os.execv('/bin/true', ['true'])).start()\n"
        "time.sleep(20)"
    )
    child = subprocess.Popen([sys.executable, "-c", script])
    child.wait()
    found: list[proc_event] = []
    ends = 0
    for event in proc.events(timeout=PATIENCE):
        assert isinstance(event, proc_event)
        data = event.event_data
        if child.pid in ids(data) and isinstance(data, exec_proc_event | exit_proc_event):
            found.append(event)
            ends += isinstance(data, exit_proc_event) and data.process_pid == child.pid
            if ends == 2:
                break
    assert classes(found) == [exec_proc_event, exit_proc_event, exec_proc_event, exit_proc_event]
    assert {event.event_data.process_pid for event in found} == {child.pid}  # type: ignore


def test_a_selection(proc: Connection) -> None:
    """Fact: Since 6.6: subscription per socket; payload 4 bytes (op) or 8 (op + event mask)."""
    proc.do(connector.listen("exit|exec"))
    child = subprocess.Popen(["/bin/sh", "-c", "(exit 3)"])
    child.wait()
    events = of_child(proc, child)
    if fork_proc_event in classes(events):
        pytest.skip("the kernel is older than 6.6 and does not select events")
    assert {*classes(events)} == {exec_proc_event, exit_proc_event}
    proc.do(connector.listen(PROC_EVENT.PROC_EVENT_NONZERO_EXIT))
    child = subprocess.Popen(["/bin/sh", "-c", "(exit 3); true"])
    child.wait()
    bad = subprocess.Popen(["/bin/false"])
    bad.wait()
    failed = data_of(until(proc, exits(bad.pid), lambda event: True), exit_proc_event)
    assert child.pid not in [data.process_pid for data in failed]
    assert [data.exit_code for data in failed if data.parent_tgid == child.pid] == [3 << 8]


def test_the_acknowledgement_comes_to_all_listeners(proc: Connection) -> None:
    """Fact: The ack (what NONE, err positive, cn ack = ours + 1, seq NOT ours) is multicast to all
    listeners, and is filtered from sockets with a mask."""
    for _ in proc.events(timeout=0):
        pass
    with Connection(FAMILY, timeout=PATIENCE) as other:
        other.do(connector.listen())
        found = until(proc, lambda event: event.what == 0, lambda event: event.what == 0)
        other.do(connector.ignore())
    ack = found[0]
    assert isinstance(ack.event_data, ack_proc_event) and ack.event_data.err == 0
    assert ack.cn_ack == 1


def heard() -> int:
    """How many events a socket gets that only joined the group, while a child runs and ends."""
    with Connection(FAMILY, timeout=PATIENCE) as stray:
        stray.join("proc")
        subprocess.run(["/bin/true"], check=True)
        return sum(1 for _ in stray.events(timeout=WAIT_ONE_MOMENT))


def test_ignore_takes_the_listener_off_the_count(proc: Connection) -> None:
    """Fact: close() does not un-count: without IGNORE the kernel counts a listener for ever, and
    sockets that merely joined get all events. LISTEN, IGNORE, close -> 0."""
    assert heard() > 0
    proc.do(connector.ignore())
    if heard():
        pytest.skip("another program listens to process events, or left its count behind")
    with Connection(FAMILY, timeout=PATIENCE) as nl:
        nl.do(connector.ignore())  # a socket that does not listen is not subtracted
        nl.do(connector.listen())
        assert heard() > 0
        nl.do(connector.listen("exec"))  # counted once
        nl.do(connector.listen())
        nl.do(connector.ignore())
        assert heard() == 0
        nl.do(connector.ignore())
        nl.do(connector.listen())  # it is not subtracted twice
        assert heard() > 0
        nl.do(connector.ignore())


@pytest.mark.parametrize("how", ["close", "drop", "asyncio", "asyncio drop", "interrupted", "fork"])
def test_a_closed_connection_is_not_counted(proc: Connection, how: str) -> None:
    """Fact: close() does not un-count. Therefore a connection that listens ignores before."""
    proc.do(connector.ignore())
    if heard():
        pytest.skip("another program listens to process events, or left its count behind")

    async def listen() -> None:
        nl = aio.Connection(FAMILY, timeout=PATIENCE)
        await nl.do(connector.listen("exec"))
        assert heard() > 0
        if "drop" not in how:
            nl.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        if "asyncio" in how:
            asyncio.run(listen())
        elif how == "interrupted":
            with pytest.raises(ZeroDivisionError), Connection(FAMILY, timeout=PATIENCE) as nl:
                nl.do(connector.listen())
                raise ZeroDivisionError
        else:
            nl = Connection(FAMILY, timeout=PATIENCE)
            nl.do(connector.listen())
            assert heard() > 0
            if how == "fork":  # a child that closes its copy leaves the parent's count
                if not (child := os.fork()):
                    nl.close()
                    os._exit(0)
                os.waitpid(child, 0)
                assert heard() > 0
            if how != "drop":
                nl.close()
            del nl
        gc.collect()
    assert heard() == 0


def test_other_namespaces_are_refused(netns: None) -> None:
    """Fact: Only in the initial network namespace: elsewhere socket and join succeed, send gives
    ECONNREFUSED."""
    with Connection(FAMILY, timeout=PATIENCE) as nl:
        nl.join("proc")
        for plan in (connector.listen(), connector.ignore()):
            with pytest.raises(ConnectionRefusedError, match=r"netns=netlink\.Pid\(1\)") as caught:
                nl.do(plan)
            assert caught.value.errno == errno.ECONNREFUSED


def test_a_silent_kernel_is_a_timeout(proc: Connection) -> None:
    """Fact: LISTEN from another pid or user namespace is silently ignored: no ack, no events."""
    proc.do(connector.ignore())  # or its acknowledgements would come to the other one too
    if heard():
        pytest.skip("another program listens to process events, or left its count behind")
    script = (
        "from netlink import Connection, connector\n"
        "with Connection(connector.FAMILY) as nl:\n"
        "    try:\n"
        "        nl.do(connector.listen(timeout=0.2))\n"
        "    except TimeoutError as error:\n"
        "        print(error)\n"
    )
    root = Path(connector.__file__).parent.parent
    done = subprocess.run(
        ["unshare", "--pid", "--fork", sys.executable, "-c", script],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("connector.listen: the kernel did not acknowledge within 0.2 s")


def test_a_wrong_selection_is_refused() -> None:
    """Fact: unknown mask = all. An invalid op leaks as well."""
    for wrong in (0, 0x400, "exot", ["fork", 7], ""):
        with Connection(FAMILY) as nl, pytest.raises(EncodeError, match=r"connector\.listen\.even"):
            nl.do(connector.listen(wrong))


def test_requests_decode() -> None:
    """A request of 4 bytes reads as one of 8 bytes without the second member."""
    request = connector.control(mcast_op="listen")
    assert bytes(request.message) == b"\x01\0\0\0"
    assert proc_mcast_op(mcast_op=1).mcast_op == connector.PROC_CN_MCAST.PROC_CN_MCAST_LISTEN
    asked = connector.proc_input.from_bytes(bytes(request.message))
    assert asked.event_type is None
