"""taskstats and cgroupstats of the live kernel: queries, exits as events, and who may not."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netlink import Connection, KernelError, Overrun
from netlink.errors import KernelPermissionError
from netlink.generic import taskstats
from netlink.generic.taskstats import AC_FLAG, TaskStats

POSSIBLE = Path("/sys/devices/system/cpu/possible")
# include/linux/proc_ns.h: PROC_USER_INIT_INO and PROC_PID_INIT_INO
INITIAL = {"user": 0xEFFFFFFD, "pid": 0xEFFFFFFC}
RCVBUF = 4096  # holds only a few exits


@pytest.fixture(autouse=True)
def _private() -> None:
    """No network namespace of one's own: exits are sent to the initial one (send_cpu_listeners).

    Nothing of the network is changed here.
    """


@pytest.fixture
def nl() -> Iterator[Connection]:
    for kind, inode in INITIAL.items():
        if Path(f"/proc/self/ns/{kind}").stat().st_ino != inode:
            pytest.skip(f"taskstats takes the initial {kind} namespace")
    # The exits of the whole machine are events: 4 MiB hold those that come while this test waits.
    with Connection(taskstats.FAMILY, timeout=20, rcvbuf=4 << 20) as connection:
        try:
            connection.do(taskstats.of_pid(os.getpid()))
        except KernelPermissionError as error:
            pytest.skip(f"taskstats takes root: {error}")
        except KernelError as error:
            pytest.skip(f"the kernel has no taskstats: {error}")
        yield connection


@contextmanager
def listening(nl: Connection) -> Iterator[None]:
    nl.do(taskstats.listen(POSSIBLE.read_text()))
    try:
        yield
    finally:
        nl.do(taskstats.unlisten(POSSIBLE.read_text()))


def exits(nl: Connection, *pids: int) -> list[TaskStats]:
    """Return the exits of these processes, in order, without others of the machine."""
    found: dict[int, TaskStats] = {}
    for event in nl.events(timeout=20):
        assert isinstance(event, TaskStats)
        assert event.aggr_pid and event.aggr_pid.stats
        task = event.aggr_pid.stats
        if task.ac_tgid in pids and task.ac_flag & AC_FLAG.AGROUP:
            found[task.ac_tgid or 0] = event
            if len(found) == len(pids):
                return [found[pid] for pid in pids]
    pytest.fail(f"no exits of {set(pids) - set(found)}")


def heard(nl: Connection, pid: int) -> bool:
    """Return whether the exit of a process arrives before the next Overrun."""
    for event in nl.events(timeout=20):
        if isinstance(event, Overrun):
            return False
        assert isinstance(event, TaskStats)
        task = event.aggr_pid and event.aggr_pid.stats
        if task and task.ac_tgid == pid:
            return True
    return False


def child(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-S", "-E", "-c", script])


# --- queries ---


def test_a_task_is_asked_about(nl: Connection) -> None:
    stats = nl.do(taskstats.of_pid(os.getpid()))
    assert stats.ac_pid == stats.ac_tgid == os.getpid()
    assert stats.ac_comm == Path("/proc/self/comm").read_text().strip()
    assert (stats.ac_ppid, stats.ac_uid, stats.ac_gid) == (os.getppid(), os.getuid(), os.getgid())
    assert stats.ac_nice == os.nice(0)
    exe = os.stat("/proc/self/exe")
    assert stats.ac_exe_inode == exe.st_ino
    assert stats.hiwater_rss > 1000  # KB
    assert stats.version >= 12
    # The kernel's struct may be longer than ours, or shorter; none is cut.
    raw = nl.do(taskstats.get(pid=os.getpid()))
    assert raw is not None and raw.aggr_pid is not None
    assert raw.aggr_pid.pid == os.getpid()
    assert len(bytes(raw.aggr_pid.stats or b"")) >= 432 or stats.irq_delay_total is None
    assert raw.aggr_pid.unknown == raw.unknown == ()


def test_a_niced_child_reads_as_signed(nl: Connection) -> None:
    with child("input()") as process:
        os.setpriority(os.PRIO_PROCESS, process.pid, -7)
        try:
            assert nl.do(taskstats.of_pid(process.pid)).ac_nice == -7
        finally:
            process.kill()


def test_a_process_is_the_sum_of_its_threads(nl: Connection) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        one = nl.do(taskstats.of_pid(thread.native_id or 0))
        assert (one.ac_pid, one.ac_tgid) == (thread.native_id, os.getpid())
        whole = nl.do(taskstats.of_tgid(os.getpid()))
        assert whole.ac_etime > one.ac_etime  # the sum, of which the first thread's alone is more
        assert whole.nvcsw >= one.nvcsw
        assert (whole.version, whole.ac_pid, whole.ac_comm) == (one.version, 0, "")
    finally:
        done.set()
        thread.join()


def test_nobody_is_no_such_process(nl: Connection) -> None:
    for plan in (taskstats.of_pid(0x7FFFFFFF), taskstats.of_tgid(0x7FFFFFFF)):
        with pytest.raises(KernelError) as caught:
            nl.do(plan)
        assert caught.value.errno == errno.ESRCH


def test_nothing_asked_is_an_error(nl: Connection) -> None:
    with pytest.raises(KernelError) as caught:
        nl.do(taskstats.get())
    assert caught.value.errno == errno.EINVAL


# --- exits ---


def test_an_exit_is_an_event(nl: Connection) -> None:
    with listening(nl):
        with child("import sys; sys.exit(3)") as failed:
            failed.wait()
        with child("import os; os.kill(os.getpid(), 9)") as killed:
            killed.wait()
        first, second = exits(nl, failed.pid, killed.pid)
    assert first.aggr_pid and first.aggr_pid.stats and second.aggr_pid and second.aggr_pid.stats
    assert first.nlmsg_name == "TASKSTATS_CMD_NEW"
    assert first.aggr_tgid is None  # it had one thread
    stats = first.aggr_pid.stats
    assert first.aggr_pid.pid == stats.ac_pid == failed.pid
    assert os.waitstatus_to_exitcode(stats.ac_exitcode) == 3
    assert stats.ac_ppid == os.getpid()
    assert not stats.ac_flag & AC_FLAG.AXSIG
    stats = second.aggr_pid.stats
    assert os.waitstatus_to_exitcode(stats.ac_exitcode) == -signal.SIGKILL
    assert stats.ac_flag & AC_FLAG.AXSIG


def test_threads_end_in_an_event_of_their_process(nl: Connection) -> None:
    script = "import threading; t = threading.Thread(target=print); t.start(); t.join()"
    with listening(nl):
        with child(script) as process:
            process.wait()
        [event] = exits(nl, process.pid)
    assert event.aggr_tgid and event.aggr_tgid.stats and event.aggr_pid and event.aggr_pid.stats
    assert event.aggr_tgid.tgid == process.pid
    assert event.aggr_tgid.stats.ac_utime >= event.aggr_pid.stats.ac_utime


def test_exits_and_answers_do_not_mix(nl: Connection) -> None:
    """Exits carry a counter of each CPU as seq, which may equal the seq of our requests."""
    own = os.getpid()
    children: list[int] = []
    with listening(nl):
        for _ in range(50):
            with child("pass") as process:
                children.append(process.pid)
                while process.poll() is None:
                    assert nl.do(taskstats.of_pid(own)).ac_pid == own
        assert len(exits(nl, *children)) == len(children)
    assert nl.stats.late == 0


def test_unlisten_ends_it(nl: Connection) -> None:
    with listening(nl):
        pass
    nl.do(taskstats.unlisten(POSSIBLE.read_text()))  # twice is fine
    for _ in nl.events(timeout=0):
        pass  # what ended meanwhile
    with child("pass") as process:
        process.wait()
    nl.do(taskstats.of_pid(os.getpid()))
    assert list(nl.events(timeout=0)) == []


def test_lost_exits_are_told_and_listening_goes_on(nl: Connection) -> None:
    """A full buffer gives an overrun. netlink_unicast returns EAGAIN, which removes no listener."""
    script = "import os\nfor _ in range(60):\n    if not os.fork(): os._exit(0)\n    os.wait()"
    with Connection(taskstats.FAMILY, timeout=20, rcvbuf=RCVBUF) as small, listening(small):
        with child(script) as process:
            process.wait()
        for event in small.events(timeout=20):
            if isinstance(event, Overrun):
                break
        assert small.stats.overruns
        for _ in range(20):  # others' exits may fill the small buffer again
            with child("pass") as process:
                process.wait()
            if heard(small, process.pid):
                return
    pytest.fail("no exit was received after an overrun")


def test_a_cpu_that_there_is_not(nl: Connection) -> None:
    for cpus, errnos in (([99999], {errno.ERANGE, errno.EINVAL}), ("none", {errno.EINVAL})):
        with pytest.raises(KernelError) as caught:
            nl.do(taskstats.listen(cpus))
        assert caught.value.errno in errnos


def test_others_may_not(nl: Connection) -> None:
    """GENL_ADMIN_PERM concerns the initial user namespace: root of another one is not enough."""
    script = (
        "from netlink import Connection\n"
        "from netlink.errors import KernelPermissionError\n"
        "from netlink.generic import taskstats\n"
        "with Connection(taskstats.FAMILY, timeout=20) as nl:\n"
        "    try:\n"
        "        nl.do(taskstats.of_pid(1))\n"
        "    except KernelPermissionError as error:\n"
        "        print(error)\n"
    )
    command = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True)
    if "unshare" in done.stderr:
        pytest.skip(f"no user namespace: {done.stderr}")
    assert done.stdout == "taskstats.of_pid: 1: Operation not permitted (EPERM)\n"
    assert done.stderr == ""


# --- cgroups ---


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A version 1 cgroup without controllers, in a hierarchy that is mounted for the test."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["-t", "cgroup", "-o", "none,name=netlink-tests"]
        done = subprocess.run(["mount", *options, "none", folder], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no hierarchy of version 1: {done.stderr.strip()}")
        try:
            path = Path(folder, "some")
            path.mkdir()
            try:
                yield path
            finally:
                path.rmdir()
        finally:
            subprocess.run(["umount", folder], check=True)


def test_a_cgroup_is_asked_about(nl: Connection, cgroup: Path) -> None:
    descriptor = os.open(cgroup, os.O_RDONLY)
    try:
        assert nl.do(taskstats.of_cgroup(descriptor)) == taskstats.cgroupstats()
        with subprocess.Popen(["sleep", "60"]) as process:
            (cgroup / "cgroup.procs").write_text(str(process.pid))
            os.kill(process.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED)
            found = nl.do(taskstats.of_cgroup(descriptor))
            process.kill()
        assert found == taskstats.cgroupstats(nr_stopped=1)
    finally:
        os.close(descriptor)


def test_what_is_no_cgroup(nl: Connection) -> None:
    with open(os.devnull) as file, pytest.raises(KernelError) as caught:
        nl.do(taskstats.of_cgroup(file.fileno()))
    assert caught.value.errno == errno.EINVAL
    assert nl.do(taskstats.of_cgroup(0x7FFFFFFF)) is None
