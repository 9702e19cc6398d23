"""Adversities that need a kernel: signals, forks, limits, namespaces, threads, exits and strangers.

tests/test_adversity.py has the list of all adversities, with the promise and the tests of each.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from netlink import Connection, Pid, RawSocket, aio
from netlink._nlsock import CLONE_NEWNET, NETLINK_LISTEN_ALL_NSID, SOL_NETLINK, unshare
from netlink.constants import NETLINK
from netlink.route import FAMILY, addr, link, nsid, rule
from tests import wire

ROOT = Path(__file__).parent.parent.parent
LO = 1
RTNLGRP_LINK = 1


def address(number: int) -> Any:
    return addr.new(family=2, index=LO, prefixlen=32, local=f"10.1.{number >> 8}.{number & 255}")


def add_addresses(nl: Connection, count: int) -> None:
    """So many that a dump of them takes several receives."""
    for outcome in nl.do_many([address(number) for number in range(count)], raise_errors=True):
        assert outcome is None


def locals_of(messages: Any) -> list[str]:
    return [str(each.local) for each in messages]


def wanted(count: int) -> list[str]:
    return ["127.0.0.1", *(f"10.1.{number >> 8}.{number & 255}" for number in range(count))]


def program(text: str, *, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Execute a program in this namespace."""
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(text)],
        cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip


# --- EINTR ----------------------------------------------------------------------------------------


@contextmanager
def storm() -> Iterator[list[int]]:
    """Signals at 5 kHz with a handler that only counts."""
    struck = [0]

    def handle(number: int, frame: FrameType | None) -> None:
        struck[0] += 1

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        yield struck
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_storm_of_eintr_changes_no_answer_and_no_timeout() -> None:
    with Connection(FAMILY, timeout=30) as nl, Connection(FAMILY) as silent:
        add_addresses(nl, 500)
        silent.join("ipv4-rule")
        with storm() as struck:
            for _ in range(20):
                assert locals_of(nl.dump(addr.get(family=2))) == wanted(500)
                assert nl.do(link.get(index=LO)).ifname == "lo"
                requests = [link.set(index=LO, txqlen=500)] * 100
                assert list(nl.do_many(requests)) == [None] * 100
            before = struck[0]
            begin = time.monotonic()
            assert list(silent.events(timeout=0.3)) == []
            assert time.monotonic() - begin >= 0.3
            assert struck[0] - before > 20  # each has interrupted the wait
        assert nl.stats.late == nl.stats.overruns == 0


# --- fork -----------------------------------------------------------------------------------------


def forked(work: Callable[[], object]) -> None:
    """Execute this in a child process, which must neither fail nor wait for ever."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(60)
            work()
            os.write(writing, b"done")
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        assert file.read() == b"done"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def refused(*attempts: Callable[[], object]) -> None:
    """Each of these says that the connection belongs to the parent."""
    for attempt in attempts:
        try:
            attempt()
        except OSError as error:
            assert error.errno == errno.EBADF and "belongs to the parent" in str(error), error
        else:
            raise AssertionError(f"{attempt.__code__.co_firstlineno} was not refused")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork with threads
@pytest.mark.parametrize("way", ["alone", "while a thread waits", "inside a predicate"])
def test_a_forked_child_cannot_use_a_connection(way: str) -> None:
    """It would receive answers and events of its parent."""

    def child() -> None:
        assert nl.closed and traced.closed
        refused(
            lambda: nl.do(link.get(index=LO)),
            lambda: nl.dump(link.get()).all(),
            lambda: list(nl.do_many([link.set(index=LO, txqlen=500)] * 3)),
            lambda: list(nl.do_many([link.set(index=LO, txqlen=500)] * 4000, window=4000)),
            lambda: nl.join("neigh"),
            lambda: nl.subscribe("neigh"),
            lambda: list(nl.events(timeout=0)),
            lambda: traced.do(link.get(index=LO)),
            nl.fileno,
        )
        nl.close()
        with Connection(FAMILY, timeout=10) as own:
            assert own.do(link.get(index=LO)).ifname == "lo"

    def fork_once(event: object) -> bool:
        if len(seen) == 0:
            seen.append(event)
            if way == "inside a predicate":
                forked(lambda: None)
        return True

    seen: list[object] = []
    found: list[int] = []
    with (
        Connection(FAMILY, timeout=10) as nl,
        Connection(FAMILY, trace=lambda each: None) as traced,
        Connection(FAMILY) as other,
    ):
        add_addresses(nl, 2000)
        half: Any = iter(nl.dump(addr.get(family=2)))
        first = next(half)
        subscription = nl.subscribe("ipv4-rule", predicate=fork_once)
        events: Any = subscription.events(30)
        listener = threading.Thread(
            target=lambda: found.extend(next(events).priority for _ in range(5))
        )
        if way == "while a thread waits":
            listener.start()
            time.sleep(0.1)
        forked(child)
        for number in range(1, 6):
            other.do(rule.new(family=2, priority=number, table=100, action=1))
        if way != "while a thread waits":
            listener.start()
        listener.join(60)
        assert found == [1, 2, 3, 4, 5]
        assert locals_of([first, *half]) == wanted(2000)
        assert nl.do(link.get(index=LO)).ifname == "lo"
        assert nl.stats.late == nl.stats.overruns == 0


def test_a_forked_child_cannot_use_an_asyncio_connection() -> None:
    """Closing it there leaves the descriptor in the epoll that both processes have."""

    async def main() -> None:
        async with aio.Connection(FAMILY) as nl:
            await nl.join("ipv4-rule")
            waiting: asyncio.Future[Any] = asyncio.ensure_future(anext(nl.events()))
            await asyncio.sleep(0.05)

            def child() -> None:
                refused(
                    lambda: asyncio.run(nl.do(link.get(index=LO))),
                    lambda: asyncio.run(nl.dump(link.get()).all()),
                    lambda: asyncio.run(nl.join("link")),
                    lambda: asyncio.run(anext(nl.events())),
                )
                nl.close()

            forked(child)
            with Connection(FAMILY) as other:
                other.do(rule.new(family=2, priority=7, table=100, action=1))
            async with asyncio.timeout(30):
                assert (await waiting).priority == 7
            assert (await nl.do(link.get(index=LO))).ifname == "lo"

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:unclosed <netlink.RawSocket:ResourceWarning")
@pytest.mark.parametrize("way", ["close", "drop", "keep"])
def test_a_fork_during_a_dump(way: str) -> None:
    """The parent reads its dump to the end; the child opens a connection of its own."""
    with Connection(FAMILY, timeout=10) as nl:
        add_addresses(nl, 2000)
        messages: Any = iter(nl.dump(addr.get(family=2)))
        found = [next(messages)]
        child = os.fork()
        if child == 0:
            status = 1
            try:
                if way == "close":
                    nl.close()
                elif way == "drop":
                    del messages
                    gc.collect()
                with Connection(FAMILY, timeout=10) as own:
                    if locals_of(own.dump(addr.get(family=2))) == wanted(2000):
                        status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        found += messages
        assert locals_of(found) == wanted(2000)
        assert nl.do(link.get(index=LO)).ifname == "lo"
        assert nl.stats.late == nl.stats.overruns == 0


# --- memory and descriptors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation",
    [
        "connect", "receive", "do", "dump", "iterate", "gather", "do_many", "subscribe", "events",
        "a_do", "a_dump", "a_do_many",
    ],
)  # fmt: skip
def test_a_connection_survives_each_failed_allocation(operation: str) -> None:
    pytest.importorskip("_testcapi")
    done = subprocess.run(
        [sys.executable, "-m", "tests.starving", operation],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) > 2


def test_no_room_for_the_scratch_area() -> None:
    """The kernel refuses memory to the first receive; later the same connection works."""
    done = program("""
        import errno, resource
        from netlink import Connection
        from netlink.route import FAMILY, link

        with Connection(FAMILY, timeout=5) as nl:
            pages = int(open("/proc/self/statm").read().split()[0])
            resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + (1 << 19), -1))
            try:
                nl.do(link.get(index=1))
            except OSError as error:
                print(errno.errorcode[error.errno])
            resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
            print(nl.do(link.get(index=1)).ifname, len(nl.dump(link.get()).all()))
            print(nl._engine.is_waiting)
    """)
    assert done.stdout.split() == ["ENOMEM", "lo", "1", "False"], done.stderr


@contextmanager
def full_table() -> Iterator[None]:
    """The process has as many descriptors as it may have."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    own: list[int] = []
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))), limits[1])
    )
    try:
        with suppress(OSError):
            while True:
                own.append(os.open("/dev/null", os.O_RDONLY))
        yield
    finally:
        for each in own:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_no_descriptor_is_left_to_the_process() -> None:
    with Connection(FAMILY, timeout=5) as nl, Connection(FAMILY, timeout=5) as fresh:
        nl.join("link")
        assert list(nl.events(timeout=0.01)) == []  # it has waited once
        before = os.listdir("/proc/self/fd")
        with full_table():
            for make in (Connection, aio.Connection):
                with pytest.raises(OSError) as caught:
                    make(FAMILY)
                assert caught.value.errno == errno.EMFILE
            # What is open works, also where it must wait, if it has waited before.
            assert nl.do(link.get(index=LO)).ifname == "lo"
            assert list(nl.events(timeout=0.01)) == []
            # The answer to a request is there when the send returns: that takes no waiting.
            assert fresh.do(link.get(index=LO)).ifname == "lo"
            with pytest.raises(OSError) as caught:
                list(fresh.events(timeout=0.01))
            assert caught.value.errno == errno.EMFILE
        del caught
        assert os.listdir("/proc/self/fd") == before
        assert list(fresh.events(timeout=0.01)) == []
        assert fresh.do(link.get(index=LO)).ifname == "lo"


def test_the_smallest_receive_buffer() -> None:
    """Dumps, changes and an answer without an ACK fit."""
    with Connection(FAMILY, rcvbuf=0, timeout=10) as nl:
        assert nl._socket.rcvbuf < 4096  # the kernel has a minimum (SOCK_MIN_RCVBUF)
        add_addresses(nl, 300)
        for _ in range(3):
            assert nl.do(link.get(index=LO)).ifname == "lo"
            assert locals_of(nl.dump(addr.get(family=2))) == wanted(300)
            assert locals_of(nl.dump(addr.get(family=2)).all()) == wanted(300)
            assert nl.do(link.set(index=LO, txqlen=500)) is None
        assert nl.stats.overruns == 0
        assert not nl._engine.is_waiting


# --- clocks ---------------------------------------------------------------------------------------


def test_deadlines_where_the_monotonic_clock_is_far_ahead() -> None:
    """In a time namespace, as after 60 years without a boot: waits take as long as elsewhere."""
    text = """
        import os, time
        from netlink import Connection
        from netlink._nlsock import unshare
        from netlink.route import FAMILY, link

        offset = 60 * 365 * 86400
        try:
            unshare(0x80)
            with open("/proc/self/timens_offsets", "w") as file:
                file.write(f"monotonic {offset} 0")
        except OSError as error:
            print("skip", error)
            raise SystemExit
        if os.fork():
            raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
        assert time.monotonic() > offset
        with Connection(FAMILY, timeout=0.2) as nl:
            begin = time.monotonic()
            assert list(nl.events(timeout=0.2)) == []
            assert 0.2 <= time.monotonic() - begin < 30
            assert nl.do(link.get(index=1)).ifname == "lo"
        print("done", flush=True)
    """
    done = program(text)
    if done.stdout.startswith("skip"):
        pytest.skip(f"the kernel refuses a time namespace: {done.stdout}")
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


# --- namespaces -----------------------------------------------------------------------------------


def test_a_namespace_that_is_deleted_under_an_open_connection() -> None:
    """The socket keeps its namespace alive; a new connection cannot enter it any more."""
    name = f"adversity{os.getpid()}"
    path = Path("/run/netns") / name
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"ip cannot make a named namespace: {made.stderr}")
    try:
        nl = Connection(FAMILY, netns=name, timeout=10)
        nl.do(link.new(ifname="inside", linkinfo={"kind": "bridge"}))
        nl.join("link")
        dump: Any = iter(nl.dump(link.get()))
        assert next(dump).ifname == "lo"
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)
    with nl:
        assert not path.exists()
        assert [each.ifname for each in dump] == ["inside"]
        index = nl.do(link.index_of("inside"))
        nl.do(link.set(index=index, mtu=1400))
        events: Any = nl.events(timeout=0.1)
        assert next(events).mtu == 1400
        assert [each.ifname for each in nl.dump(link.get())] == ["lo", "inside"]
        with pytest.raises(FileNotFoundError):
            Connection(FAMILY, netns=name)


def test_a_namespace_whose_last_process_has_gone() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            unshare(CLONE_NEWNET)
            os.write(writing, b".")
            signal.pause()
        finally:
            os._exit(0)
    assert os.read(reading, 1) == b"."
    os.close(reading)
    os.close(writing)
    with Connection(FAMILY, netns=Pid(child), timeout=10) as nl:
        nl.do(link.new(ifname="inside", linkinfo={"kind": "bridge"}))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert [each.ifname for each in nl.dump(link.get())] == ["lo", "inside"]
    with pytest.raises(FileNotFoundError):
        Connection(FAMILY, netns=Pid(child))


# --- threads --------------------------------------------------------------------------------------


def test_sixteen_threads_do_everything_on_one_connection() -> None:
    """Each gets its own answers, and a listener all events, while others dump and pipeline."""
    count, turns = 400, 12
    failures: list[BaseException] = []
    seen: list[int] = []

    def asks(number: int) -> None:
        for _ in range(turns * 8):
            assert nl.do(link.get(index=indexes[number])).ifname == f"link{number}"

    def dumps(number: int) -> None:
        for _ in range(turns):
            assert locals_of(nl.dump(addr.get(family=2))) == wanted(count)

    def gathers(number: int) -> None:
        for _ in range(turns):
            columns = nl.dump(addr.get(family=2)).columns("local")
            assert [str(each) for each in columns["local"]] == wanted(count)

    def pipelines(number: int) -> None:
        for _ in range(turns):
            requests = [link.set(index=indexes[number], mtu=1400 + n % 50) for n in range(100)]
            assert list(nl.do_many(requests)) == [None] * 100

    def listens(number: int) -> None:
        subscription = nl.subscribe("ipv4-rule")
        ready.release()
        for event in subscription.events(timeout=20):
            seen.append(getattr(event, "priority", -1))
            if len(seen) == 50:
                return

    def watched(work: Callable[[int], None], number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    ready = threading.Semaphore(0)
    with Connection(FAMILY, timeout=60, rcvbuf=4 << 20) as nl, Connection(FAMILY) as other:
        add_addresses(other, count)
        for number in range(16):
            other.do(link.new(ifname=f"link{number}", linkinfo={"kind": "bridge"}))
        indexes = [other.do(link.index_of(f"link{number}")) for number in range(16)]
        work = [listens] + [asks, dumps, gathers, pipelines, asks] * 3
        threads = [threading.Thread(target=watched, args=(each, n)) for n, each in enumerate(work)]
        for thread in threads:
            thread.start()
        assert ready.acquire(timeout=20)
        for number in range(1, 51):
            other.do(rule.new(family=2, priority=number, table=100, action=1))
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads)
        assert failures == []
        assert seen == [*range(1, 51)]
        assert nl.stats.late == nl.stats.overruns == 0
        assert not nl._engine.is_waiting


# --- the end of the interpreter -------------------------------------------------------------------

ENDS = {
    "a thread waits for events": """
        threading.Thread(target=lambda: [None for _ in nl.events()], daemon=True).start()
        time.sleep(0.05)
    """,
    "threads wait for each other": """
        for _ in range(4):
            threading.Thread(target=lambda: list(nl.events()), daemon=True).start()
        time.sleep(0.05)
    """,
    "a dump is half read": """
        messages = iter(nl.dump(link.get()))
        next(messages)
    """,
    "a pipeline is half read": """
        outcomes = nl.do_many(link.set(index=1, txqlen=500) for _ in range(100_000))
        next(outcomes)
    """,
    "a thread of the core sends": """
        outcomes = nl.do_many((link.set(index=1, txqlen=500) for _ in range(8000)), window=2048)
        nl.subscribe("ipv4-rule")
        next(outcomes)
    """,
    "a cycle of garbage": """
        class Node: pass
        node = Node()
        node.all = node, nl, iter(nl.subscribe("link")), iter(nl.dump(link.get()))
        del node
    """,
    "at exit": """
        atexit.register(lambda: print(nl.do(link.get(index=1)).ifname))
    """,
    "a task waits": """
        async def main():
            global own, task
            own = aio.Connection(FAMILY)
            await own.join("link")
            task = asyncio.ensure_future(anext(own.events()))
            await asyncio.sleep(0.01)
        asyncio.run(main())
    """,
    "a loop is left behind": """
        async def main():
            global own, task
            own = aio.Connection(FAMILY)
            await own.join("link")
            task = asyncio.ensure_future(anext(own.events()))
            await asyncio.sleep(0.01)
        loop = asyncio.new_event_loop()
        loop.set_debug(False)  # else asyncio itself fails when it prints what is left
        loop.run_until_complete(main())
    """,
}


@pytest.mark.parametrize("end", ENDS)
def test_the_interpreter_ends_with_live_readers(end: str) -> None:
    """It ends at once, with status 0, and without a crash or an exception that is ignored."""
    done = program(
        """
        import asyncio, atexit, threading, time
        from netlink import Connection, aio
        from netlink.route import FAMILY, link
        nl = Connection(FAMILY, rcvbuf=1 << 20)
        nl.join("link")
        """
        + ENDS[end]
        + """
        print("end", flush=True)
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == (["end", "lo"] if end == "at exit" else ["end"])
    # Python reports the sockets and the task that the program left open, and nothing else.
    assert not re.search(r"^Traceback|^Exception ignored|Fatal|^\w*Error", done.stderr, re.M), (
        done.stderr
    )


# --- who can send to whom -------------------------------------------------------------------------

STRANGER = """
    import errno, json, os, socket, sys
    ports = json.loads(sys.argv[1])
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)

    def told(call):
        try:
            call()
        except OSError as error:
            return errno.errorcode[error.errno]
        return "yes"

    found = {}
    for name, (protocol, port) in ports.items():
        own = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        own.bind((0, 0))
        found[name] = [
            told(lambda: own.sendto(bytes(16), (port, 0))),
            told(lambda: own.sendto(bytes(16), (0, 1))),
            told(lambda: own.setsockopt(270, 1, 1)),  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP
            told(lambda: own.setsockopt(270, 8, 1)),  # NETLINK_LISTEN_ALL_NSID
        ]
    print(json.dumps(found))
"""
# (to a port, to a group, join a group, listen to all namespaces), by a process without privilege
REFUSED = "EPERM"


def page_rows() -> dict[str, list[str]]:
    """The rows of the table in docs/security.md."""
    rows = re.findall(
        r"^\| `(NETLINK_\w+)` \|(.*)\|$", (ROOT / "docs/security.md").read_text(), re.M
    )
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


def test_who_may_send_to_whom(machine_root: None) -> None:
    """The table of docs/security.md is what the kernel does."""
    targets: dict[str, socket.socket] = {}
    for protocol in NETLINK:
        with suppress(OSError):  # the kernel lacks the protocol
            own = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
            own.bind((0, 0))
            targets[protocol.name] = own
    try:
        ports = {name: (own.proto, own.getsockname()[0]) for name, own in targets.items()}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(STRANGER), json.dumps(ports)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        for own in targets.values():
            own.close()
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    rows = page_rows()
    assert len(set(measured) & set(rows)) >= 5
    for name, found in measured.items():
        to_port, to_group, join, all_namespaces = found
        assert to_port == ("yes" if name == "NETLINK_USERSOCK" else REFUSED), name
        assert to_group == ("ECONNREFUSED" if name == "NETLINK_USERSOCK" else REFUSED), name
        assert all_namespaces == REFUSED
        assert rows[name] == ["yes" if to_port == "yes" else "no", "yes" if join == "yes" else "no"]


def test_a_connection_does_not_keep_a_privilege_that_was_given_up(machine_root: None) -> None:
    done = program("""
        import errno, os
        from netlink import Connection, KernelError
        from netlink.route import FAMILY, link

        with Connection(FAMILY, timeout=5) as nl:
            nl.do(link.set(index=1, txqlen=500))
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            try:
                nl.do(link.set(index=1, txqlen=600))
            except KernelError as error:
                print(errno.errorcode[error.errno])
            print(nl.do(link.get(index=1)).txqlen)
    """)
    assert done.stdout.split() == ["EPERM", "500"], done.stderr


def test_a_stranger_with_privilege_reaches_only_its_own_namespace(nl: Connection) -> None:
    """Ports and groups belong to a namespace, whatever privilege the sender has."""
    forged = wire.message(16, bytes(link.Link(index=666, ifname="forged")), pid=0, seq=0)
    nl.join("link")

    def elsewhere() -> None:
        unshare(CLONE_NEWNET)
        with RawSocket(NETLINK.NETLINK_ROUTE) as sock:
            sock.bind(nl.port ^ 1 << 30)  # the kernel would choose the number that `nl` has here
            with pytest.raises(ConnectionRefusedError):
                sock.send(forged, port=nl.port)
            sock.send(forged, group=RTNLGRP_LINK)  # nobody there listens
        reached.append(True)

    reached: list[bool] = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(20)
    assert reached == [True]
    assert list(nl.events(timeout=0.05)) == []
    assert nl.stats.strangers == 0


def test_a_forged_message_to_all_namespaces_is_a_stranger_s(nl: Connection) -> None:
    """With NETLINK_LISTEN_ALL_NSID, root of any other namespace can send to the groups."""
    forged = wire.message(16, bytes(link.Link(index=666, ifname="forged")), pid=0, seq=0)
    ready, over = threading.Event(), threading.Event()

    def elsewhere() -> None:
        unshare(CLONE_NEWNET)
        inside.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        ready.set()
        over.wait(20)
        with RawSocket(NETLINK.NETLINK_ROUTE) as sock:
            sock.bind()
            sock.send(forged, group=RTNLGRP_LINK)

    inside: list[int] = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert ready.wait(20)
    # The namespace needs an ID here (RTM_NEWNSID), or its messages do not come.
    nl.do(nsid.new(fd=inside[0], nsid=7))
    sock: Any = nl._socket
    sock.setsockopt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)
    nl.join("link")
    over.set()
    thread.join(20)
    os.close(inside[0])
    assert [
        each for each in nl.events(timeout=0.05) if getattr(each, "ifname", "") == "forged"
    ] == []
    assert nl.stats.strangers == 1
