"""`netlink._nlsock` on the live kernel: sending, receiving, waiting and closing.

NETLINK_USERSOCK carries datagrams between sockets of the test, so the test chooses ports, groups,
sizes and losses. Most tests need no privilege. Tests that join groups of USERSOCK, or change links,
run in a private network namespace.
"""

import array
import errno
import fcntl
import functools
import gc
import inspect
import io
import os
import pickle
import re
import select
import signal
import socket
import struct
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from netlink import _nlsock
from netlink._core import INDEX_FORMAT
from netlink._nlsock import CLONE_NEWNET, SOL_NETLINK, RawSocket

from .builds import IS_SANITIZED

ROUTE, USERSOCK = 0, 2
RTM_NEWLINK, RTM_GETLINK, RTM_NEWNSID = 16, 18, 88
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
RTNLGRP_LINK, RTNLGRP_BRVLAN, RTNLGRP_STATS, RTNLGRP_IPV4_MCADDR = 1, 33, 36, 37
NETLINK_PKTINFO, NETLINK_LIST_MEMBERSHIPS = 3, 9
SIOCGSKNS = 0x894C
PORT = 0x7E570000 | os.getpid() & 0xFFFF  # of this run's own; the kernel's choices are elsewhere


class Datagram(NamedTuple):
    payload: bytes
    port: int
    group: int
    nsid: int
    flags: int


def datagrams(received: tuple[bytes, bytes]) -> list[Datagram]:
    """Return the datagrams of a receive, and check the layout that its docstring promises."""
    data, index = received
    found = []
    end = 0
    for offset, length, *rest in struct.iter_unpack(INDEX_FORMAT, index):
        assert offset == (end + 3) & ~3
        assert not any(data[end:offset])
        end = offset + length
        found.append(Datagram(data[offset:end], *rest))
    assert end == len(data)
    return found


def receive_all(sock: RawSocket, count: int) -> list[Datagram]:
    found: list[Datagram] = []
    while len(found) < count:
        found += datagrams(sock.receive(5))
    return found


def message(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST | flags, 1, 0) + body


LINK_DUMP = message(RTM_GETLINK, NLM_F_DUMP, bytes(16))


def loopback(up: bool) -> bytes:
    return message(RTM_NEWLINK, NLM_F_ACK, struct.pack("=BxHiII", 0, 0, 1, up, 1))


def loopback_is_up(sock: RawSocket) -> bool:
    sock.send(message(RTM_GETLINK, 0, struct.pack("=BxHiII", 0, 0, 1, 0, 0)))
    [answer] = datagrams(sock.receive(5))
    (flags,) = struct.unpack_from("=I", answer.payload, 24)
    return bool(flags & 1)


def acknowledged(sock: RawSocket, request: bytes) -> None:
    sock.send(request)
    [answer] = datagrams(sock.receive(5))
    kind, error = struct.unpack_from("=4xH10xi", answer.payload)
    assert (kind, error) == (NLMSG_ERROR, 0)


def fd_exists(fd: int) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")


def descriptors() -> set[int]:
    gc.collect()  # what others left
    return {fd for fd in map(int, os.listdir("/proc/self/fd")) if fd_exists(fd)}


@contextmanager
def pair(**options: Any) -> Iterator[tuple[RawSocket, RawSocket]]:
    """Return a sender, and a receiver that is bound to PORT and has these options."""
    with RawSocket(USERSOCK) as sender, RawSocket(USERSOCK, **options) as receiver:
        receiver.bind(PORT)
        yield sender, receiver


@contextmanager
def alarm(handler: Callable[[int, Any], Any], delay: float, interval: float = 0) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, delay, interval)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


in_private_namespace = pytest.mark.usefixtures("netns")


# The kernel's answers


def test_a_link_dump_ends_with_done() -> None:
    with RawSocket(ROUTE) as sock:
        assert sock.send(LINK_DUMP) == len(LINK_DUMP)
        kinds: list[int] = []
        while NLMSG_DONE not in kinds:
            for datagram in datagrams(sock.receive(5)):
                assert (datagram.port, datagram.group, datagram.nsid) == (0, 0, -1)
                assert datagram.flags == 0
                at = 0
                while at < len(datagram.payload):
                    length, kind = struct.unpack_from("=IH", datagram.payload, at)
                    kinds.append(kind)
                    at += (length + 3) & ~3
        assert set(kinds) == {RTM_NEWLINK, NLMSG_DONE}


def test_buffers_of_any_kind_are_gathered() -> None:
    with pair() as (sender, receiver):
        pieces = (b"ab", bytearray(b"cd"), memoryview(b"__ef__")[2:4], array.array("B", b"gh"), b"")
        assert sender.send(*pieces, port=PORT) == 8
        assert [d.payload for d in datagrams(receiver.receive(5))] == [b"abcdefgh"]
        assert sender.send(*[b"x"] * 1024, port=PORT) == 1024
        assert [d.payload for d in datagrams(receiver.receive(5))] == [b"x" * 1024]


def test_buffers_that_cannot_be_sent() -> None:
    with pair() as (sender, _):
        with pytest.raises(ValueError, match="1024"):
            sender.send(*[b"x"] * 1025, port=PORT)
        with pytest.raises(TypeError):
            sender.send("text", port=PORT)
        with pytest.raises(BufferError):
            sender.send(memoryview(b"abcdef")[::2], port=PORT)
        with pytest.raises(OSError) as caught:
            sender.send(bytes(sender.sndbuf), port=PORT)
        assert caught.value.errno == errno.EMSGSIZE


def test_an_empty_datagram() -> None:
    """Since Linux 5.16 the kernel refuses to send one. Older kernels deliver it."""
    with pair() as (sender, receiver):
        for nothing in ((), (b"",)):
            try:
                assert sender.send(*nothing, port=PORT) == 0
            except OSError as error:
                assert error.errno == errno.ENODATA
            else:
                sender.send(b"after", port=PORT)
                assert [d.payload for d in receive_all(receiver, 2)] == [b"", b"after"]


def test_many_datagrams_come_at_once_aligned_and_padded() -> None:
    payloads = [bytes([65 + i]) * (i + 1) for i in range(20)]
    with pair() as (sender, receiver):
        sender.bind(PORT + 1)
        for payload in payloads:
            sender.send(payload, port=PORT)
        first = receiver.receive(0)
        rest = receiver.receive(0, max_datagrams=64)
        assert len(first[1]) == 16 * 24
        came = datagrams(first) + datagrams(rest)
        assert [d.payload for d in came] == payloads
        assert {d[1:] for d in came} == {(PORT + 1, 0, -1, 0)}
        with pytest.raises(BlockingIOError):
            receiver.receive(0)


@pytest.mark.parametrize("count", [0, 65, -1])
def test_max_datagrams_has_bounds(count: int) -> None:
    with RawSocket(ROUTE) as sock, pytest.raises(ValueError, match=f"from 1 to 64, got {count}"):
        sock.receive(0, max_datagrams=count)


def test_large_datagrams_are_whole() -> None:
    payloads = [os.urandom(500_000 + i) for i in range(3)]
    with RawSocket(USERSOCK, sndbuf=600_000) as sender, pair(rcvbuf=4 << 20) as (_, receiver):
        for payload in payloads:
            sender.send(payload, port=PORT, timeout=5)
        assert [d.payload for d in receive_all(receiver, 3)] == payloads


def test_a_datagram_larger_than_a_slot_says_so() -> None:
    size = 1 << 20
    with RawSocket(USERSOCK, sndbuf=size) as sender, pair() as (_, receiver):
        if sender.sndbuf < size + 64:
            pytest.skip(f"sndbuf is limited to {sender.sndbuf} bytes")
        sender.send(b"x" * size, b"cut", port=PORT)
        [datagram] = datagrams(receiver.receive(5))
        assert datagram.payload == b"x" * size
        assert datagram.flags & socket.MSG_TRUNC
        sender.send(b"next", port=PORT)
        assert datagrams(receiver.receive(5)) == [Datagram(b"next", sender.port, 0, -1, 0)]


def test_a_burst_of_giants_leaves_little_memory_behind() -> None:
    size = 500_000
    scratch = 64 + 16 * 1024  # KiB: a head and 16 slots
    with RawSocket(USERSOCK, sndbuf=size) as sender, pair(rcvbuf=8 << 20) as (_, receiver):
        for _ in range(3):
            for _ in range(16):
                sender.send(bytes(size), port=PORT, timeout=5)
            assert len(receive_all(receiver, 16)) == 16
        [resident] = re.findall(
            rf"^Size: +{scratch} kB\n(?:\w+: .*\n)*?Rss: +(\d+) kB$",
            Path("/proc/self/smaps").read_text(),
            re.MULTILINE,
        )
        assert 4 <= int(resident) <= 64 + 16 * 64


# Ports, groups, options


def test_ports() -> None:
    with RawSocket(USERSOCK) as one, RawSocket(USERSOCK) as two:
        assert one.port == 0
        one.bind(PORT)
        assert one.port == PORT
        with pytest.raises(OSError) as caught:
            two.bind(PORT)
        assert caught.value.errno == errno.EADDRINUSE
        with pytest.raises(ConnectionRefusedError):
            two.send(b"nobody there", port=PORT + 1)
        assert two.port not in (0, PORT)  # the send has bound it


@pytest.mark.parametrize("port", [-1, 1 << 32, 1 << 70])
def test_a_port_has_32_bits(port: int) -> None:
    with RawSocket(USERSOCK) as sock:
        with pytest.raises(ValueError, match=f"from 0 to 4294967295, got {port}"):
            sock.bind(port)
        with pytest.raises(ValueError, match=f"from 0 to 4294967295, got {port}"):
            sock.send(b"x", port=port)


def test_groups_by_number_and_by_mask() -> None:
    with RawSocket(ROUTE) as sock:
        assert sock.groups() == ()
        for group in (RTNLGRP_BRVLAN, RTNLGRP_LINK, RTNLGRP_STATS, 32):
            sock.join(group)
        assert sock.groups() == (RTNLGRP_LINK, 32, RTNLGRP_BRVLAN, RTNLGRP_STATS)
        sock.leave(RTNLGRP_BRVLAN)
        sock.leave(RTNLGRP_BRVLAN)
        assert sock.groups() == (RTNLGRP_LINK, 32, RTNLGRP_STATS)
        sock.bind(groups=0b101)
        assert sock.groups() == (1, 3, RTNLGRP_STATS)
        for unknown in (0, 100_000):
            with pytest.raises(OSError) as caught:
                sock.join(unknown)
            assert caught.value.errno == errno.EINVAL


@in_private_namespace
def test_group_of_a_datagram() -> None:
    with pair() as (sender, receiver), RawSocket(USERSOCK) as member:
        member.bind()
        for group in (1, 7, 32):
            member.join(group)
            sender.send(b"to all", group=group, port=PORT)
            assert datagrams(member.receive(5)) == [Datagram(b"to all", sender.port, group, -1, 0)]
            assert datagrams(receiver.receive(5))[0].payload == b"to all"
        with pytest.raises(ValueError, match="groups 1 to 32, got group 33"):
            sender.send(b"x", group=33)


@in_private_namespace
def test_an_event_names_a_group_above_32() -> None:
    with RawSocket(ROUTE) as listener, RawSocket(ROUTE) as sock:
        listener.bind()
        try:
            listener.join(RTNLGRP_IPV4_MCADDR)
        except OSError:
            pytest.skip("RTNLGRP_IPV4_MCADDR needs Linux 6.14")
        acknowledged(sock, loopback(up=False))
        acknowledged(sock, loopback(up=True))
        for event in datagrams(listener.receive(5)):
            assert (event.port, event.group) == (0, RTNLGRP_IPV4_MCADDR)


@in_private_namespace
def test_a_socket_without_a_port_gets_no_event() -> None:
    with RawSocket(ROUTE) as listener, RawSocket(ROUTE) as sock:
        listener.join(RTNLGRP_LINK)
        acknowledged(sock, loopback(up=False))
        with pytest.raises(BlockingIOError):
            listener.receive(0)
        listener.bind()
        assert listener.groups() == ()  # a bind sets the first 32
        listener.join(RTNLGRP_LINK)
        acknowledged(sock, loopback(up=True))
        assert {d.group for d in datagrams(listener.receive(5))} == {RTNLGRP_LINK}


def test_options() -> None:
    with RawSocket(ROUTE) as sock:
        assert sock.getsockopt(SOL_NETLINK, NETLINK_PKTINFO) == 1
        for option in (
            _nlsock.NETLINK_EXT_ACK,
            _nlsock.NETLINK_CAP_ACK,
            _nlsock.NETLINK_GET_STRICT_CHK,
            _nlsock.NETLINK_NO_ENOBUFS,
            _nlsock.NETLINK_BROADCAST_ERROR,
        ):
            assert sock.getsockopt(SOL_NETLINK, option) == 0
            sock.setsockopt(SOL_NETLINK, option, 1)
            assert sock.getsockopt(SOL_NETLINK, option, 4) == struct.pack("=i", 1)
            sock.setsockopt(SOL_NETLINK, option, struct.pack("=i", 0))
            assert sock.getsockopt(SOL_NETLINK, option) == 0
        assert len(sock.getsockopt(SOL_NETLINK, NETLINK_PKTINFO, 100)) == 4
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == sock.protocol == ROUTE


def test_a_name_with_a_colon_is_no_link() -> None:
    """The ioctl reads the text after a colon as the label of an address."""
    with RawSocket(ROUTE) as nl:
        assert nl.ifindex("lo") == socket.if_nametoindex("lo")
        for name in ("lo:", "lo:1"):
            with pytest.raises(OSError, match=rf"\[Errno {errno.ENODEV}\]"):
                nl.ifindex(name)


@pytest.mark.skipif(
    IS_SANITIZED,
    reason="ASan takes the length that the kernel tells for bytes written",
)
def test_an_option_longer_than_its_room() -> None:
    with RawSocket(ROUTE) as sock:
        sock.join(1)  # two words of groups
        assert sock.getsockopt(SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, 4) == struct.pack("=I", 1)


def test_options_that_are_wrong() -> None:
    with RawSocket(ROUTE) as sock:
        for value in (1.5, "1", None):
            with pytest.raises(TypeError):
                sock.setsockopt(SOL_NETLINK, 1, value)
        with pytest.raises(OverflowError):
            sock.setsockopt(SOL_NETLINK, 1, 1 << 40)
        with pytest.raises(ValueError, match="buflen"):
            sock.getsockopt(SOL_NETLINK, 1, -1)
        with pytest.raises(OSError) as caught:
            sock.setsockopt(SOL_NETLINK, 9999, 1)
        assert caught.value.errno == errno.ENOPROTOOPT


def test_a_filter_can_be_attached() -> None:
    """SO_ATTACH_FILTER takes a struct that contains a pointer: here to one instruction, `ret 0`."""
    code = bytearray(struct.pack("=HBBI", 0x06, 0, 0, 0))
    address = array.array("B", code)
    program = struct.pack("HP", 1, address.buffer_info()[0])
    with pair() as (sender, receiver):
        receiver.setsockopt(socket.SOL_SOCKET, 26, program)
        sender.send(b"dropped", port=PORT)
        with pytest.raises(BlockingIOError):
            receiver.receive(0)


def test_buffer_sizes_are_what_the_kernel_made_of_them() -> None:
    with RawSocket(ROUTE, rcvbuf=65536, sndbuf=32768) as sock:
        assert sock.rcvbuf == 2 * 65536
        assert sock.sndbuf == 2 * 32768


def test_buffer_sizes_without_privilege() -> None:
    user = os.geteuid()
    try:
        os.seteuid(65534 if user == 0 else user)
    except OSError:
        pytest.skip("this user namespace has no other user than root")
    try:
        with RawSocket(ROUTE, rcvbuf=65536, sndbuf=1 << 30) as sock:
            assert sock.rcvbuf == 2 * 65536
            assert sock.sndbuf < 1 << 30
    finally:
        os.seteuid(user)


# Waiting


def test_timeouts() -> None:
    with pair() as (sender, receiver):
        with pytest.raises(BlockingIOError) as blocking:
            receiver.receive(0)
        assert blocking.value.errno == errno.EAGAIN
        start = time.monotonic()
        with pytest.raises(TimeoutError) as timed_out:
            receiver.receive(timeout=0.05)
        assert 0.05 <= time.monotonic() - start < 2
        assert timed_out.value.errno == errno.ETIMEDOUT
        sender.send(b"x", port=PORT)
        for forever in (None, float("inf"), 1e300):
            sender.send(b"x", port=PORT)
            assert receiver.receive(forever)[0][:1] == b"x"


@pytest.mark.parametrize(
    ("timeout", "error"), [(-1, ValueError), (float("nan"), ValueError), ("1", TypeError)]
)
def test_timeouts_that_are_wrong(timeout: Any, error: type[Exception]) -> None:
    with RawSocket(ROUTE) as sock:
        with pytest.raises(error):
            sock.receive(timeout)
        with pytest.raises(error):
            sock.send(LINK_DUMP, timeout=timeout)


def test_a_datagram_wakes_a_waiting_receive() -> None:
    with pair() as (sender, receiver):
        timer = threading.Timer(0.05, sender.send, [b"late"], {"port": PORT})
        timer.start()
        assert [d.payload for d in datagrams(receiver.receive())] == [b"late"]
        timer.join()


def fill(sender: RawSocket) -> int:
    """Send to PORT until its buffer is full. Return the number of datagrams."""
    sent = 0
    with pytest.raises(BlockingIOError):
        while True:
            sender.send(b"x", port=PORT, timeout=0)
            sent += 1
    return sent


def test_a_send_waits_for_a_slow_reader() -> None:
    with pair(rcvbuf=4096) as (sender, receiver):
        sent = fill(sender)
        start, cpu = time.monotonic(), time.thread_time()
        with pytest.raises(TimeoutError):
            sender.send(b"x", port=PORT, timeout=0.1)
        assert time.monotonic() - start >= 0.1
        assert time.thread_time() - cpu < 0.05  # it does not spin
        came: list[Datagram] = []
        timer = threading.Timer(0.05, lambda: came.extend(receive_all(receiver, sent + 1)))
        timer.start()
        assert sender.send(b"at last", port=PORT) == 7
        timer.join()
        assert [d.payload for d in came] == [b"x"] * sent + [b"at last"]


def test_signals_are_handled_while_it_waits() -> None:
    handled: list[int] = []
    with pair() as (_, receiver), alarm(lambda number, _: handled.append(number), 0.01, 0.01):
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            receiver.receive(0.1)
        assert time.monotonic() - start >= 0.1  # the time that is left, not anew nor cut short
    assert len(handled) > 1


def test_an_exception_of_a_signal_handler_ends_the_wait() -> None:
    def handler(_number: int, _frame: Any) -> None:
        raise LookupError("out of the handler")

    with pair(rcvbuf=4096) as (sender, receiver):
        with alarm(handler, 0.02), pytest.raises(LookupError):
            receiver.receive()
        fill(sender)
        with alarm(handler, 0.02), pytest.raises(LookupError):
            sender.send(b"x", port=PORT)
        assert receiver.receive(0)  # neither is left in a state


def test_a_signal_handler_may_close() -> None:
    with pair() as (_, receiver), alarm(lambda *_: receiver.close(), 0.02):
        with pytest.raises(OSError, match="netlink socket is closed"):
            receiver.receive()
        assert receiver.closed


def in_thread(call: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    """A thread whose call waits by now, and what it raised. The first wait of a socket opens the
    descriptor that close() rings."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            raised.append(error)

    before = descriptors()
    thread = threading.Thread(target=run)
    thread.start()
    while descriptors() == before and thread.is_alive():
        time.sleep(0.001)
    return thread, raised


def test_close_wakes_receive_and_send() -> None:
    with pair(rcvbuf=4096) as (sender, _):
        fill(sender)
        with RawSocket(USERSOCK) as idle:
            for sock, call in (
                (idle, idle.receive),
                (sender, functools.partial(sender.send, b"x", port=PORT)),
            ):
                fd = sock.fileno()
                thread, raised = in_thread(call)
                start = time.monotonic()
                sock.close()
                assert sock.closed
                thread.join(5)
                assert time.monotonic() - start < 1
                [error] = raised
                assert isinstance(error, OSError)
                assert error.errno == errno.EBADF
                assert "netlink socket is closed" in str(error)
                assert not fd_exists(fd)


def test_a_second_receive_is_refused_and_leaves_the_first_alone() -> None:
    with pair() as (sender, receiver):
        thread, raised = in_thread(receiver.receive)
        with pytest.raises(RuntimeError, match="another call is already receiving"):
            receiver.receive(0)
        sender.send(b"x", port=PORT)
        thread.join(5)
        assert raised == []
        with pytest.raises(BlockingIOError):
            receiver.receive(0)


def test_threads_send_while_one_receives() -> None:
    with pair(rcvbuf=1 << 20) as (sender, receiver):

        def send(tag: int) -> None:
            for i in range(200):
                sender.send(struct.pack("=II", tag, i), port=PORT)

        threads = [threading.Thread(target=send, args=[tag]) for tag in range(4)]
        for thread in threads:
            thread.start()
        came = [struct.unpack("=II", d.payload) for d in receive_all(receiver, 800)]
        for thread in threads:
            thread.join()
        for tag in range(4):
            assert [i for t, i in came if t == tag] == list(range(200))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork with threads
def test_a_forked_child_that_closes_its_copy_does_not_disturb() -> None:
    with pair() as (sender, receiver):
        thread, raised = in_thread(receiver.receive)
        child = os.fork()
        if child == 0:
            receiver.close()
            os._exit(0)
        os.waitpid(child, 0)
        cpu = time.process_time()
        time.sleep(0.2)
        assert time.process_time() - cpu < 0.1  # the bell that the child rang was taken down
        sender.send(b"x", port=PORT)
        thread.join(5)
        assert raised == []


def test_fileno_can_be_polled() -> None:
    with pair() as (sender, receiver):
        poll = select.poll()
        poll.register(receiver, select.POLLIN)
        assert poll.poll(0) == []
        sender.send(b"x", port=PORT)
        assert poll.poll(1000) == [(receiver.fileno(), select.POLLIN)]


# A thread that sends


def numbered(seq: int, index: int = 1, up: int = 1) -> bytes:
    """Return a request with an ACK that sets a link up or down."""
    body = struct.pack("=BxHiII", 0, 0, index, up, 1)
    return struct.pack("=IHHII", 32, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, seq, 0) + body


def answers(sock: RawSocket, count: int) -> list[tuple[int, int]]:
    """Return (seq, errno) of this many acknowledgements."""
    found: list[tuple[int, int]] = []
    while len(found) < count:
        for each in datagrams(sock.receive(5)):
            at = 0
            while at < len(each.payload):
                length, kind, seq, error = struct.unpack_from("=IH2xI4xi", each.payload, at)
                assert kind == NLMSG_ERROR
                found.append((seq, -error))
                at += length + 3 & ~3
    return found


@in_private_namespace
@pytest.mark.parametrize("as_type", [list, tuple])
def test_a_thread_sends_many_buffers_in_order(as_type: Callable[[Any], Any]) -> None:
    with RawSocket(ROUTE, rcvbuf=1 << 20) as sock:
        sock.begin_send(as_type(numbered(seq) + numbered(seq + 1) for seq in range(1, 600, 2)))
        sock.end_send()
        assert answers(sock, 600) == [(seq, 0) for seq in range(1, 601)]
        with pytest.raises(BlockingIOError):
            sock.receive(0)
        sock.end_send()  # nothing to wait for
        sock.begin_send([])
        sock.end_send()


@in_private_namespace
def test_a_thread_that_fails_to_send_sends_no_more() -> None:
    with RawSocket(ROUTE) as sock:
        sock.begin_send([numbered(1), bytes(sock.sndbuf), numbered(3)])
        with pytest.raises(OSError, match=re.escape(os.strerror(errno.EMSGSIZE))) as caught:
            sock.end_send()
        assert caught.value.errno == errno.EMSGSIZE
        assert answers(sock, 1) == [(1, 0)]
        with pytest.raises(BlockingIOError):
            sock.receive(0)
        sock.begin_send([numbered(4)])  # and the next thread may
        sock.end_send()
        assert answers(sock, 1) == [(4, 0)]


@in_private_namespace
def test_one_thread_a_socket_sends() -> None:
    with RawSocket(ROUTE, rcvbuf=1 << 20) as sock:
        sock.begin_send([numbered(seq) for seq in range(1, 101)])
        with pytest.raises(RuntimeError, match="a thread is sending for this netlink socket"):
            sock.begin_send([numbered(1000)])
        sock.send(numbered(2000))
        sock.end_send()
        came = answers(sock, 101)
        assert [each for each in came if each[0] <= 100] == [(seq, 0) for seq in range(1, 101)]
        assert (2000, 0) in came


@pytest.mark.parametrize(
    "buffers", [b"x", "x", None, iter([b"x"]), [b"x", bytearray(b"x")], ["x"], [b"x", None]]
)
def test_a_thread_takes_a_list_of_bytes(buffers: Any) -> None:
    with RawSocket(ROUTE) as sock:
        with pytest.raises(TypeError, match=r"begin_send\(\) expects a list of bytes, got "):
            sock.begin_send(buffers)
        sock.end_send()
        sock.begin_send([])  # none was left behind
        sock.end_send()


@in_private_namespace
def test_a_socket_that_is_closed_keeps_its_descriptor_for_the_thread() -> None:
    before = descriptors()
    sock = RawSocket(ROUTE)
    sock.begin_send([numbered(seq) for seq in range(1, 101)])
    sock.close()
    assert sock.closed
    assert len(descriptors() - before) == 1
    with pytest.raises(OSError, match="netlink socket is closed"):
        sock.begin_send([numbered(1)])
    sock.end_send()
    assert descriptors() == before
    sock.end_send()


@in_private_namespace
def test_what_the_thread_sends_outlives_its_owners() -> None:
    before = descriptors()
    payload = numbered(1, up=0)
    references = sys.getrefcount(payload)
    with RawSocket(ROUTE) as other:
        sock = RawSocket(ROUTE)
        sock.begin_send([numbered(1, up=1)] * 200 + [payload])
        assert sys.getrefcount(payload) == references + 1
        with pytest.warns(ResourceWarning, match="unclosed"):
            del sock  # waits for the thread
        assert not loopback_is_up(other)
    assert sys.getrefcount(payload) == references
    assert descriptors() == before


@in_private_namespace
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("how", ["end", "close", "drop"])
def test_a_forked_child_does_not_wait_for_the_thread(how: str) -> None:
    """The child has a copy of the socket, but not the thread."""
    before = descriptors()
    sock = RawSocket(ROUTE, rcvbuf=1 << 20)
    own = sock.fileno()
    sock.begin_send([numbered(seq) for seq in range(1, 301)])
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # kills it if it waits
        if how == "end":
            sock.end_send()
            sock.begin_send([numbered(1000)])
            sock.end_send()
        elif how == "close":
            sock.close()
            sock.end_send()
        if how != "end":
            del sock
            os._exit(fd_exists(own))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    sock.end_send()
    count = 301 if how == "end" else 300
    came = [seq for seq, _ in answers(sock, count)]
    assert [seq for seq in came if seq < 1000] == [*range(1, 301)]
    sock.close()
    assert descriptors() == before


# Losses


@in_private_namespace
def test_enobufs_comes_once_and_the_socket_stays_usable() -> None:
    with pair(rcvbuf=1 << 20) as (sender, _), RawSocket(USERSOCK, rcvbuf=4096) as member:
        member.bind()
        member.join(1)
        for _ in range(20):
            sender.send(bytes(1000), group=1, port=PORT)
        with pytest.raises(OSError) as caught:
            member.receive(5)
        assert caught.value.errno == errno.ENOBUFS
        kept = datagrams(member.receive(5, max_datagrams=64))
        assert 0 < len(kept) < 20
        assert {d.payload for d in kept} == {bytes(1000)}
        with pytest.raises(BlockingIOError):
            member.receive(0)
        sender.send(b"after", group=1, port=PORT)
        assert [d.payload for d in datagrams(member.receive(5))] == [b"after"]


@in_private_namespace
def test_a_flood_of_events_overruns_a_small_buffer() -> None:
    with RawSocket(ROUTE, rcvbuf=4096) as listener, RawSocket(ROUTE) as sock:
        listener.bind(groups=1)
        for i in range(50):
            acknowledged(sock, loopback(up=i % 2 == 1))
        with pytest.raises(OSError) as caught:
            listener.receive(5)
        assert caught.value.errno == errno.ENOBUFS
        assert 0 < len(datagrams(listener.receive(5, max_datagrams=64))) < 50
        acknowledged(sock, loopback(up=False))
        assert {d.group for d in datagrams(listener.receive(5))} == {RTNLGRP_LINK}


# Namespaces


def namespace() -> io.FileIO:
    """Return an open file of the thread's network namespace."""
    return io.FileIO("/proc/thread-self/ns/net")


def inode(fd: int) -> int:
    return os.stat(fd).st_ino


def namespace_inode(sock: RawSocket) -> int:
    with io.FileIO(fcntl.ioctl(sock.fileno(), SIOCGSKNS)) as handle:
        return inode(handle.fileno())


@in_private_namespace
def test_a_socket_opens_in_another_namespace_and_the_thread_stays() -> None:
    with namespace() as first:
        _nlsock.unshare(CLONE_NEWNET)  # here loopback is down, there it is up
        with RawSocket(ROUTE, netns=first.fileno()) as there, RawSocket(ROUTE) as sock:
            assert loopback_is_up(there)
            assert not loopback_is_up(sock)
            with namespace() as second:
                assert namespace_inode(there) == inode(first.fileno())
                assert namespace_inode(sock) == inode(second.fileno()) != inode(first.fileno())
        _nlsock.setns(first.fileno(), CLONE_NEWNET)
        with namespace() as back:
            assert inode(back.fileno()) == inode(first.fileno())


@in_private_namespace
def test_an_event_of_another_namespace_names_it() -> None:
    with RawSocket(ROUTE) as listener, RawSocket(ROUTE) as neighbour:
        _nlsock.unshare(CLONE_NEWNET)
        with namespace() as second, RawSocket(ROUTE) as sock:
            # NETNSA_NSID 7 for NETNSA_FD (linux/net_namespace.h)
            attributes = struct.pack("=HHiHHI", 8, 1, 7, 8, 3, second.fileno())
            acknowledged(listener, message(RTM_NEWNSID, NLM_F_ACK, bytes(4) + attributes))
            listener.setsockopt(SOL_NETLINK, _nlsock.NETLINK_LISTEN_ALL_NSID, 1)
            listener.join(RTNLGRP_LINK)
            acknowledged(sock, loopback(up=True))
            [event] = datagrams(listener.receive(5))
            assert (event.group, event.nsid) == (RTNLGRP_LINK, 7)
            acknowledged(neighbour, loopback(up=False))
            [event] = datagrams(listener.receive(5))
            assert (event.group, event.nsid) == (RTNLGRP_LINK, -1)


def test_namespace_errors() -> None:
    with open(os.devnull) as null:
        with pytest.raises(OSError):
            RawSocket(ROUTE, netns=null.fileno())
        with pytest.raises(OSError):
            _nlsock.setns(null.fileno(), CLONE_NEWNET)
    with pytest.raises(OSError) as caught:
        _nlsock.unshare(1)
    assert caught.value.errno == errno.EINVAL


def test_the_reason_why_a_namespace_cannot_be_entered() -> None:
    """Another thread reports it, which may end before the caller knows that it started."""
    with open("/dev/null") as null:
        for _ in range(3000):
            with pytest.raises(OSError) as raised:
                RawSocket(ROUTE, netns=null.fileno())
            assert raised.value.errno in (errno.EINVAL, errno.EPERM)


# Life


def test_repr() -> None:
    sock = RawSocket(USERSOCK)
    sock.bind(PORT)
    fd = sock.fileno()
    assert repr(sock) == f"<netlink.RawSocket fd={fd}, protocol=2, port={PORT}>"
    sock.close()
    assert repr(sock) == "<netlink.RawSocket closed, protocol=2>"


def test_a_closed_socket_says_so() -> None:
    sock = RawSocket(ROUTE)
    assert not sock.closed
    with sock as same:
        assert same is sock
    sock.close()
    assert sock.closed
    assert sock.protocol == ROUTE
    calls: list[Callable[[], object]] = [
        sock.bind,
        sock.groups,
        sock.send,
        sock.receive,
        sock.fileno,
        sock.__enter__,
        lambda: sock.begin_send([LINK_DUMP]),
        lambda: sock.join(1),
        lambda: sock.leave(1),
        lambda: sock.port,
        lambda: sock.rcvbuf,
        lambda: sock.sndbuf,
        lambda: sock.setsockopt(SOL_NETLINK, 3, 1),
        lambda: sock.getsockopt(SOL_NETLINK, 3),
        lambda: sock.getsockopt(SOL_NETLINK, 3, 4),
        lambda: sock.send(LINK_DUMP, timeout=0),
        lambda: sock.receive(0),
    ]
    for call in calls:
        with pytest.raises(OSError, match="netlink socket is closed") as caught:
            call()
        assert caught.value.errno == errno.EBADF


def test_no_descriptor_leaks() -> None:
    before = descriptors()
    for _ in range(1000):
        with RawSocket(USERSOCK, rcvbuf=4096) as sock, pytest.raises(TimeoutError):
            sock.receive(1e-9)  # with a scratch area; the clock is past it at once
    assert descriptors() == before


def test_no_descriptor_leaks_from_waiting() -> None:
    before = descriptors()
    for _ in range(50):
        with RawSocket(USERSOCK) as sock, pytest.raises(TimeoutError):
            sock.receive(0.001)
    assert descriptors() == before


def test_no_descriptor_leaks_from_constructors_that_fail() -> None:
    before = descriptors()
    with open(os.devnull) as null:
        for _ in range(200):
            for error, arguments in (
                (OSError, {"protocol": 9999}),
                (OSError, {"protocol": -1}),
                (OSError, {"protocol": ROUTE, "netns": null.fileno()}),
                (OSError, {"protocol": ROUTE, "netns": 999_999}),
                (ValueError, {"protocol": ROUTE, "netns": -1}),
                (ValueError, {"protocol": ROUTE, "rcvbuf": -1}),
                (ValueError, {"protocol": ROUTE, "sndbuf": 1 << 31}),
                (TypeError, {"protocol": "route"}),
                (TypeError, {}),
            ):
                with pytest.raises(error):
                    RawSocket(**arguments)
    assert descriptors() == before


def test_an_abandoned_socket_warns_and_is_closed() -> None:
    before = descriptors()
    sock = RawSocket(USERSOCK)
    sock.bind(PORT)
    with pytest.warns(ResourceWarning, match=f"unclosed <netlink.RawSocket .*port={PORT}>"):
        del sock
        gc.collect()
    assert descriptors() == before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with RawSocket(USERSOCK) as sock:
            pass
        del sock


def test_descriptors_close_at_exec() -> None:
    before = descriptors()
    with RawSocket(USERSOCK) as sock:
        thread, _ = in_thread(sock.receive)
        new = descriptors() - before
        assert len(new) == 2  # the socket, and what close() rings
        assert not any(os.get_inheritable(fd) for fd in new)
        sock.close()
        thread.join(5)


def test_nothing_leaks_memory() -> None:
    payload = b"x" * 100

    def work() -> None:
        sender.send(payload, payload, port=PORT, timeout=1)
        receiver.receive(1)
        sock.groups()
        with pytest.raises(BlockingIOError):
            receiver.receive(0)
        with pytest.raises(TypeError):
            sender.send(payload, 1)
        with pytest.raises(OSError):
            RawSocket(9999)
        RawSocket(USERSOCK).close()
        sock.begin_send([request, broken])
        with pytest.raises(OSError):
            sock.end_send()
        with pytest.raises(TypeError):
            sock.begin_send([request, None])  # type: ignore[list-item]
        sock.receive(1)

    request = message(RTM_GETLINK, 0, struct.pack("=BxHiII", 0, 0, 1, 0, 0))
    broken = bytes(1 << 20)
    with pair() as (sender, receiver), RawSocket(ROUTE) as sock:
        sock.join(RTNLGRP_STATS)
        for _ in range(10):
            work()
        gc.collect()
        gc.disable()
        watched = (payload, request, broken, RawSocket, None, _nlsock)
        references = [sys.getrefcount(thing) for thing in watched]
        blocks = sys.getallocatedblocks()
        for _ in range(1000):
            work()
        gc.collect()
        gc.enable()
        assert sys.getallocatedblocks() - blocks < 200
        assert all(
            abs(sys.getrefcount(thing) - count) < 50
            for thing, count in zip(watched, references, strict=True)
        )


def test_the_type_is_closed_to_what_makes_no_sense() -> None:
    with RawSocket(ROUTE) as sock:
        with pytest.raises(TypeError):
            pickle.dumps(sock)
        with pytest.raises(AttributeError):
            sock.protocol = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        type("Derived", (RawSocket,), {})
    with pytest.raises(TypeError):
        RawSocket.closed = True  # type: ignore[method-assign, assignment]


def test_help_has_text_and_signatures() -> None:
    public = [getattr(RawSocket, name) for name in vars(RawSocket) if not name.startswith("_")]
    assert all(thing.__doc__ for thing in (*public, RawSocket, _nlsock.unshare, _nlsock.setns))
    assert str(inspect.signature(RawSocket)) == (
        "(protocol, *, netns=None, rcvbuf=None, sndbuf=None, read_ahead=None)"
    )
    assert str(inspect.signature(RawSocket.receive)) == (
        "(self, /, timeout=None, inbox=None, max_datagrams=16)"
    )


@pytest.mark.skipif(
    "detect_leaks=1" in os.environ.get("ASAN_OPTIONS", ""),
    reason="Python leaks the interned strings of the interpreter",
)
def test_it_loads_in_an_interpreter_with_its_own_gil() -> None:
    interpreters = pytest.importorskip("_interpreters", reason="needs Python 3.13")
    script = f"""if True:
        from importlib.util import module_from_spec, spec_from_file_location
        spec = spec_from_file_location("netlink._nlsock", {_nlsock.__file__!r})
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        with module.RawSocket(0) as sock:
            sock.send({LINK_DUMP!r})
            assert sock.receive(5)[1]
        with module.RawSocket(0) as sock:
            sock.begin_send([{LINK_DUMP!r}])
            sock.end_send()
            assert sock.receive(5)[1]
    """
    interpreter = interpreters.create("isolated")
    try:
        assert interpreters.run_string(interpreter, script) is None
    finally:
        interpreters.destroy(interpreter)
