"""Receiving ahead: the thread of a RawSocket that was opened with read_ahead, on NETLINK_USERSOCK.

Order, bounds, readiness of the descriptor, the place and the number of losses, and what ends the
thread: close(), a fork, the end of the process.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from .builds import IS_SANITIZED

pytest.importorskip("netlink._nlsock", reason="needs netlink sockets")

from netlink import Connection, aio
from netlink._core import INDEX_FORMAT
from netlink._nlsock import RawSocket
from netlink.route import FAMILY as ROUTE

USERSOCK = 2
MINIMUM = 256 << 10  # the least read_ahead
GROUP = 7
SLOTS = 32  # datagrams of one receive of the thread
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may send to a group")


@pytest.fixture
def sender() -> Iterator[RawSocket]:
    with RawSocket(USERSOCK, sndbuf=4 << 20) as sock:
        sock.bind()
        yield sock


def opened(**words: Any) -> RawSocket:
    sock = RawSocket(USERSOCK, **{"read_ahead": MINIMUM, **words})
    sock.bind()
    return sock


def numbered(number: int, size: int = 60) -> bytes:
    return struct.pack("=I", number).ljust(size, b".")


def numbers(pair: tuple[bytes, bytes]) -> list[int]:
    """The numbers of the datagrams of a receive, whose layout is checked too."""
    data, index = pair
    found, end = [], 0
    for offset, length, *_ in struct.iter_unpack(INDEX_FORMAT, index):
        assert offset == (end + 3) & ~3
        assert not any(data[end:offset])
        found.append(struct.unpack_from("=I", data, offset)[0])
        end = offset + length
    assert end == len(data)
    return found


def drain(sock: RawSocket, timeout: float = 0.3) -> list[int | str]:
    """Everything that arrives until there is silence; errors by name."""
    found: list[int | str] = []
    while True:
        try:
            found += numbers(sock.receive(timeout))
        except TimeoutError:
            return found
        except OSError as error:
            assert error.errno is not None
            found.append(errno.errorcode[error.errno])


def multicast(sender: RawSocket, datagram: bytes) -> None:
    with suppress(ConnectionRefusedError):  # nobody has port 0, and by then the group has it
        sender.send(datagram, group=GROUP)


def is_readable(sock: RawSocket) -> bool:
    return select.select([sock], [], [], 0)[0] == [sock]


def wait_readable(sock: RawSocket) -> None:
    assert select.select([sock], [], [], 10)[0]


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def has_ended(before: int) -> bool:
    """Whether there are only as many threads as before. A thread that was joined is in /proc for a
    moment longer."""
    end = time.monotonic() + 10
    while threads() != before and time.monotonic() < end:
        time.sleep(0.001)
    return threads() == before


# --- order and readiness --------------------------------------------------------------------------


def test_the_descriptor_is_one_and_readable_while_anything_is_queued(sender: RawSocket) -> None:
    with opened() as sock:
        descriptor = sock.fileno()
        for is_started in (False, True, True):
            if is_started:
                sock.begin_receive()
            assert sock.fileno() == descriptor
            assert not is_readable(sock)
            sender.send(numbered(1), port=sock.port)
            wait_readable(sock)
            assert numbers(sock.receive(0)) == [1]
            assert not is_readable(sock)
            with pytest.raises(BlockingIOError):
                sock.receive(0)
            with pytest.raises(TimeoutError):
                sock.receive(0.01)
        assert sock.reads_ahead


def test_datagrams_of_any_size_come_in_order(sender: RawSocket) -> None:
    sizes = [4, 5, 60, 1000, 70_000, 6, 1 << 20, 7, 65_536, 65_535, 200_000, 8] * 3
    with opened(read_ahead=64 << 20) as sock:
        sock.begin_receive()
        for number, size in enumerate(sizes):
            sender.send(numbered(number, size), port=sock.port, timeout=10)
        time.sleep(0.05)
        found: list[int] = []
        lengths: list[int] = []
        while len(found) < len(sizes):
            pair = sock.receive(10)
            found += numbers(pair)
            lengths += [length for _, length, *_ in struct.iter_unpack(INDEX_FORMAT, pair[1])]
    assert found == [*range(len(sizes))]
    assert lengths == sizes


def test_senders_and_groups_are_known(sender: RawSocket) -> None:
    with opened() as sock:
        sock.begin_receive()
        sender.send(numbered(1), port=sock.port)
        ((*_, port, group, nsid, flags),) = struct.iter_unpack(INDEX_FORMAT, sock.receive(10)[1])
    assert (port, group, nsid, flags) == (sender.port, 0, -1, 0)


def test_one_receive_takes_many_datagrams(sender: RawSocket) -> None:
    with opened(read_ahead=8 << 20) as sock:
        sock.begin_receive()
        for number in range(1500):
            sender.send(numbered(number), port=sock.port)
        time.sleep(0.1)
        inbox: list[tuple[bytes, bytes]] = []
        sock.receive(10, inbox)
        assert len(numbers(inbox[0])) == 1024
        assert numbers(sock.receive(10)) == [*range(1024, 1500)]


def test_the_thread_starts_while_another_thread_receives(sender: RawSocket) -> None:
    """That call starts it: two receivers would get datagrams out of order."""
    for _ in range(20):
        with opened(read_ahead=4 << 20) as sock:
            found: list[int] = []

            def receive(sock: RawSocket = sock, found: list[int] = found) -> None:
                while len(found) < 500:
                    found += numbers(sock.receive(10))

            other = threading.Thread(target=receive)
            other.start()
            for number in range(500):
                if number == 250:
                    sock.begin_receive()
                sender.send(numbered(number), port=sock.port, timeout=10)
            other.join()
            assert found == [*range(500)]
            assert sock.reads_ahead


# --- bounds and losses ----------------------------------------------------------------------------


def test_the_memory_is_bounded_and_nothing_is_lost(sender: RawSocket) -> None:
    """When it is used up the thread stops: then senders of single datagrams have to wait."""
    with opened(rcvbuf=4096) as sock:
        sock.begin_receive()
        sent = 0
        with pytest.raises(TimeoutError):
            while True:
                sender.send(numbered(sent, 1000), port=sock.port, timeout=0.2)
                sent += 1
        assert MINIMUM // 2100 < sent < 2 * MINIMUM // 1000
        assert drain(sock) == [*range(sent)]
        sender.send(numbered(sent), port=sock.port, timeout=10)
        assert drain(sock) == [sent]
        assert sock.drops == 0


@needs_root
def test_a_loss_has_its_place_and_its_number(sender: RawSocket) -> None:
    """Fact: ENOBUFS is returned BEFORE the queued datagrams, which are all older than the loss."""
    with opened(rcvbuf=4096) as sock:
        sock.join(GROUP)
        sock.begin_receive()
        sent = 3000
        for number in range(sent):
            multicast(sender, numbered(number, 1000))
        found = [*drain(sock), sent]
        kept = [number for number in found[:-1] if isinstance(number, int)]
        assert kept == sorted(kept) and "ENOBUFS" in found
        gaps = [n for n, (one, two) in enumerate(pairwise([*kept, sent])) if two != one + 1]
        errors = [
            n - found[:n].count("ENOBUFS") for n, item in enumerate(found) if item == "ENOBUFS"
        ]
        # A loss while the kernel fills the slots of one receive is reported by the next one.
        for gap in gaps:
            assert any(gap < error <= gap + SLOTS for error in errors)
        for error in errors:
            assert any(gap < error <= gap + SLOTS for gap in gaps)
        assert sock.drops == sent - len(kept)
        multicast(sender, numbered(sent))
        assert drain(sock) == [sent]


@needs_root
def test_the_drop_counter_without_a_thread(sender: RawSocket) -> None:
    """Fact: Drops: /proc/net/netlink column "Drops" (9th), SO_MEMINFO[8] are the same number."""
    with RawSocket(USERSOCK, rcvbuf=4096) as sock:
        sock.bind()
        sock.join(GROUP)
        assert (sock.drops, sock.reads_ahead) == (0, False)
        for number in range(100):
            multicast(sender, numbered(number, 1000))
        kept = [number for number in drain(sock) if isinstance(number, int)]
        assert 0 < len(kept) < 100
        assert sock.drops == 100 - len(kept)
        inode = os.stat(f"/proc/self/fd/{sock.fileno()}").st_ino
        with open("/proc/thread-self/net/netlink") as file:
            (row,) = [line.split() for line in file if line.split()[-1] == f"{inode}"]
        assert int(row[8]) == sock.drops


# --- the end --------------------------------------------------------------------------------------


def test_close_wakes_a_receiver_and_ends_the_thread(sender: RawSocket) -> None:
    before = threads()
    sock = opened()
    sock.begin_receive()
    assert threads() == before + 1
    errors: list[int | None] = []

    def receive() -> None:
        try:
            sock.receive()
        except OSError as error:
            errors.append(error.errno)

    other = threading.Thread(target=receive)
    other.start()
    time.sleep(0.05)
    sock.close()
    other.join(10)
    assert errors == [errno.EBADF]
    assert has_ended(before)
    for call in (sock.begin_receive, sock.receive, lambda: sock.drops):
        with pytest.raises(OSError, match=r"closed"):
            call()


def test_a_thread_that_waits_for_room_ends_too(sender: RawSocket) -> None:
    before = threads()
    with opened(rcvbuf=4096) as sock:
        sock.begin_receive()
        with pytest.raises(TimeoutError):
            while True:
                sender.send(numbered(0, 1000), port=sock.port, timeout=0.1)
    assert has_ended(before)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_dropped_socket_ends_its_thread() -> None:
    before = threads()
    opened().begin_receive()
    gc.collect()
    assert has_ended(before)


def test_cycles_leave_nothing(sender: RawSocket) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    before = threads()
    for number in range(300 if IS_SANITIZED else 2000):
        with opened() as sock:
            sock.begin_receive()
            if number % 3:
                sender.send(numbered(number), port=sock.port)
            if number % 3 == 2:
                assert numbers(sock.receive(10)) == [number]
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert has_ended(before)


PROGRAM = """
import os, signal, struct, sys, warnings
warnings.simplefilter("ignore")
from netlink._nlsock import RawSocket
from netlink.route import FAMILY as ROUTE
sender = RawSocket(2); sender.bind()
sock = RawSocket(2, read_ahead=1 << 20); sock.bind(); sock.begin_receive()
"""


def program(text: str) -> list[str]:
    command = [sys.executable, "-c", PROGRAM + text]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_fork() -> None:
    """The child has no thread, takes nothing from its parent, and may close its copy."""
    assert program("""
pid = os.fork()
if not pid:
    try:
        sock.receive(5)
    except RuntimeError as error:
        print(error, flush=True)
    sock.close()
    own = RawSocket(2, read_ahead=1 << 20); own.bind(); own.begin_receive()
    sender.send(b"to the child", port=own.port)
    print(own.receive(5)[0].decode(), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
sender.send(b"to the parent", port=sock.port)
print(sock.receive(5)[0].decode())
""") == [
        "the thread that reads ahead did not survive fork(): the child process must open a socket "
        "of its own",
        "to the child",
        "to the parent",
    ]


def test_the_end_of_the_process() -> None:
    assert program("print('over')") == ["over"]
    assert program("sys.modules['kept'] = sock; print('over')") == ["over"]


def test_a_signal_while_receiving() -> None:
    assert program("""
class Alarm(Exception):
    pass
def ring(*_):
    raise Alarm
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    sock.receive(10)
except Alarm:
    print("rang")
sender.send(b"later", port=sock.port)
print(sock.receive(5)[0].decode())
""") == ["rang", "later"]


def test_signals_lose_nothing(sender: RawSocket) -> None:
    """A handler that raises, a thousand times a second: what was taken is delivered next."""

    class Alarm(Exception):
        pass

    def ring(*_: Any) -> None:
        raise Alarm

    found: list[tuple[bytes, bytes]] = []
    count = 3000
    with opened(read_ahead=1 << 20) as sock:
        sock.begin_receive()
        port = sock.port

        def send() -> None:
            for number in range(count):
                sender.send(numbered(number), port=port, timeout=10)

        other = threading.Thread(target=send)
        other.start()
        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        got = 0
        try:
            while got < count:
                with suppress(Alarm):
                    sock.receive(10, found)
                    got = sum(len(index) for _, index in found) // struct.calcsize(INDEX_FORMAT)
        finally:
            while True:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                    signal.signal(signal.SIGALRM, before)
                    break
                except Alarm:
                    pass
        other.join()
    assert [number for pair in found for number in numbers(pair)] == [*range(count)]


# --- wrong calls ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (0, ValueError, "read_ahead must be at least 262144 bytes, got 0"),
        (True, ValueError, "at least 262144 bytes, got 1"),
        (MINIMUM - 1, ValueError, "at least 262144 bytes"),
        (-1, ValueError, "expected a number from 0"),
        (1 << 31, ValueError, "expected a number from 0"),
        ("64 MiB", TypeError, "int"),
        (1e6, TypeError, "int"),
    ],
)
def test_sizes_that_are_refused(given: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        RawSocket(USERSOCK, read_ahead=given)


def test_a_socket_without_read_ahead() -> None:
    with RawSocket(USERSOCK) as sock:
        with pytest.raises(
            ValueError, match=r"opened without read_ahead: RawSocket\(\.\.\., read_"
        ):
            sock.begin_receive()
        assert not sock.reads_ahead


def test_the_receive_buffer_is_as_large_unless_it_is_given() -> None:
    with opened(read_ahead=1 << 20) as sock, opened(read_ahead=1 << 20, rcvbuf=8192) as other:
        assert sock.rcvbuf >= 212_992  # without privilege net.core.rmem_max is the limit
        assert other.rcvbuf == 2 * 8192
        other.rcvbuf = 16_384
        other.sndbuf = 16_384
        assert (other.rcvbuf, other.sndbuf) == (32_768, 32_768)
        for wrong in (-1, "4096", 1 << 31, None):
            with pytest.raises((ValueError, TypeError)):
                other.rcvbuf = wrong  # type: ignore[assignment]
        with pytest.raises(AttributeError):
            del other.rcvbuf
        assert other.rcvbuf == 32_768


# --- options that are on or off -------------------------------------------------------------------

OPTIONS = {
    "pktinfo", "broadcast_error", "no_enobufs", "listen_all_nsid", "cap_ack", "ext_ack",
    "strict_check",
}  # fmt: skip
PRIVILEGED = {"listen_all_nsid"}  # CAP_NET_BROADCAST (netlink_setsockopt)


def test_every_option_is_set_and_read_back() -> None:
    words = vars(RawSocket)
    assert {name for name, word in words.items() if "(NETLINK_" in (word.__doc__ or "")} >= OPTIONS
    with RawSocket(0) as sock:
        for name in OPTIONS:
            if name in PRIVILEGED and os.geteuid() != 0:
                continue
            before = getattr(sock, name)
            assert before is (name == "pktinfo")
            setattr(sock, name, not before)
            assert getattr(sock, name) is not before, name
            setattr(sock, name, before)
            assert getattr(sock, name) is before, name
            for wrong in (1, 0, None, "on"):
                with pytest.raises(TypeError, match="expected True or False"):
                    setattr(sock, name, wrong)
            with pytest.raises(TypeError):
                delattr(sock, name)
    for name in OPTIONS:
        with pytest.raises(OSError, match=r"closed"):
            getattr(sock, name)


def test_connections_accept_options_by_name() -> None:
    with Connection(ROUTE) as nl:
        assert [getattr(nl._socket, name) for name in ("ext_ack", "cap_ack", "strict_check")] == [
            True
        ] * 3
    for name in ("broadcast_error", "cap_ack", "ext_ack", "listen_all_nsid", "strict_check"):
        for value in (True, False):
            if value and name in PRIVILEGED and os.geteuid() != 0:
                continue
            options: Any = {name: value}
            with Connection(ROUTE, **options) as nl:
                assert getattr(nl._socket, name) is value
    for wrong, words in (
        (
            {"listen_all_nsids": True},
            "no keyword 'listen_all_nsids'; did you mean 'listen_all_nsid'",
        ),
        ({"recvbuf": 4096}, "no keyword 'recvbuf'; did you mean 'rcvbuf'"),
        ({"ext_ack": 1}, "ext_ack must be True or False, got 1"),
        ({"no_enobufs": True}, "no_enobufs would hide: use RawSocket"),
    ):
        given: Any = wrong
        for connect in (Connection, aio.Connection):
            with pytest.raises(TypeError, match=words):
                connect(ROUTE, **given)


# --- several threads ------------------------------------------------------------------------------


def test_closing_while_other_threads_use_the_socket() -> None:
    """A call in flight released the socket while close() joined the thread: a crash."""
    before = threads()
    for _ in range(20 if IS_SANITIZED else 100):
        sock = opened()
        sock.begin_receive()
        port = sock.port

        def use(sock: RawSocket = sock, port: int = port) -> None:
            with suppress(OSError):
                while True:
                    sock.send(numbered(1), port=port, timeout=0.01)
                    with suppress(TimeoutError, RuntimeError):
                        sock.receive(0.01)

        others = [threading.Thread(target=use) for _ in range(3)]
        for other in others:
            other.start()
        time.sleep(0.003)
        sock.close()
        for other in others:
            other.join()
    assert has_ended(before)


def test_closing_while_the_thread_starts() -> None:
    before = threads()
    for _ in range(200):
        sock = opened()
        other = threading.Thread(target=sock.close)
        other.start()
        with suppress(OSError):
            sock.begin_receive()
        other.join()
    assert has_ended(before)


def test_what_the_kernel_has_is_there_without_waiting(sender: RawSocket) -> None:
    """receive(0) gives the thread a moment, if the kernel has datagrams."""
    with opened() as sock:
        sock.begin_receive()
        for number in range(300):
            sender.send(numbered(number), port=sock.port)
            assert numbers(sock.receive(0)) == [number]
        with pytest.raises(BlockingIOError):
            sock.receive(0)


def test_a_thread_that_cannot_start_leaves_the_socket_usable() -> None:
    assert program("""
import resource
sock.close()
sock = RawSocket(2, read_ahead=1 << 20); sock.bind()
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + (4 << 20), -1))
try:
    sock.begin_receive()
except OSError as error:
    print(error.errno == 12)
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
sender.send(b"without the thread", port=sock.port)
print(sock.receive(5)[0].decode(), sock.reads_ahead)
sock.begin_receive()
sender.send(b"with it", port=sock.port)
print(sock.receive(5)[0].decode(), sock.reads_ahead)
""") == ["True", "without the thread False", "with it True"]
