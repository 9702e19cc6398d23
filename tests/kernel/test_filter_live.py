"""Filters in the kernel: it agrees with the evaluation in Python, and loses no answer.

Sockets of NETLINK_USERSOCK send any message to themselves. Route events show what is never copied.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import netlink
from netlink import Connection, Filter, Overrun, RawSocket, aio, fields
from netlink._core import INDEX_FORMAT
from netlink.filter import _holds
from netlink.generic import nlctrl, taskstats
from netlink.netfilter import conntrack
from netlink.route import FAMILY, link, route
from netlink.route.link import Link
from netlink.route.route import Route
from tests.bpf import PASS, conditions, datagram, family_of, operands, run
from tests.drivers import BOTH
from tests.generated import CLASSES, messages

USERSOCK = 2
ROOT = Path(netlink.__file__).parent.parent
RET, LD_IMM = 0x06, 0x00
r = fields(Route)


@contextmanager
def pair() -> Iterator[tuple[RawSocket, RawSocket]]:
    """A sender, and a receiver in the same namespace."""
    with RawSocket(USERSOCK) as sender, RawSocket(USERSOCK) as receiver:
        sender.bind()
        receiver.bind()
        yield sender, receiver


def received(sock: RawSocket) -> list[bytes]:
    """Return what is queued."""
    found: list[bytes] = []
    while True:
        try:
            data, index = sock.receive(0)
        except BlockingIOError:
            return found
        for start, length, *_ in struct.iter_unpack(INDEX_FORMAT, index):
            found.append(data[start : start + length])


def instruction(code: int, k: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, k)


@pytest.fixture
def other() -> Iterator[Connection]:
    """A connection that makes the changes."""
    with Connection(FAMILY, timeout=10) as connection:
        yield connection


@pytest.fixture
def v0(other: Connection) -> int:
    """The index of a link that is up."""
    other.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
    other.do(link.change("v0", up=True))
    other.do(link.change("v1", up=True))
    index: int = other.do(link.index_of("v0"))
    return index


# --- the kernel's opinion -------------------------------------------------------------------------

TESTABLE = [cls for cls in CLASSES if operands(cls)]
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@settings(suppress_health_check=SLOW, deadline=None)
@given(data=st.data())
def test_the_kernel_agrees(data: st.DataObject) -> None:
    """Python, the interpreter and the kernel judge alike: messages, headers, and broken bytes."""
    cls = data.draw(st.sampled_from(TESTABLE))
    message = data.draw(messages(cls))
    condition, _ = data.draw(conditions(message))
    whole = bytes(message)
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 3))):
        if broken:
            broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    del broken[data.draw(st.integers(0, len(broken))) :]
    with pair() as (sender, receiver):
        program = Filter(condition).compile(family_of(cls), port=receiver.port)
        packets = [
            datagram(whole),
            datagram(bytes(broken)),
            datagram(whole, flags=2),
            datagram(whole, seq=5),
            datagram(whole, seq=5, pid=receiver.port),
            datagram(whole, seq=5, pid=1),
            datagram(whole) + datagram(whole),
            datagram(whole, type=3),
            datagram(whole)[:15],
        ]
        receiver.attach_filter(program)
        for packet in packets:
            sender.send(packet, port=receiver.port)
        expected = [packet for packet in packets if run(program, packet) == PASS]
        assert received(receiver) == expected
    if len(whole) >= cls.__table__.header:
        assert (packets[0] in expected) is _holds(condition, whole)


# --- facts ----------------------------------------------------------------------------------------


def test_the_number_of_instructions() -> None:
    """Fact: 4096 instructions at most (4097: EINVAL)."""
    with pair() as (_, receiver):
        receiver.attach_filter(instruction(LD_IMM, 0) * 4095 + instruction(RET, PASS))
        with pytest.raises(ValueError, match="1 to 4096 instructions of 8 bytes, got 32776 bytes"):
            receiver.attach_filter(instruction(LD_IMM, 0) * 4096 + instruction(RET, PASS))
        with pytest.raises(OSError) as caught:
            receiver.attach_filter(instruction(LD_IMM, 0))  # it does not end
        assert caught.value.errno == errno.EINVAL


def test_lock_filter() -> None:
    """Fact: SO_LOCK_FILTER: then detach, attach, unlock: EPERM; detach of none: ENOENT."""
    with pair() as (sender, receiver):
        with pytest.raises(FileNotFoundError):
            receiver.detach_filter()
        receiver.attach_filter(instruction(RET, 0))
        sender.send(b"dropped", port=receiver.port)
        assert received(receiver) == []
        receiver.detach_filter()
        receiver.attach_filter(instruction(RET, 20))
        sender.send(b"x" * 100, port=receiver.port)
        assert received(receiver) == [b"x" * 20]  # Fact: the return value is a length
        receiver.lock_filter()
        for refused in (receiver.detach_filter, lambda: receiver.attach_filter(instruction(6, 1))):
            with pytest.raises(PermissionError):
                refused()


def test_the_lock_can_be_read() -> None:
    SOL_SOCKET, SO_LOCK_FILTER = 1, 44
    with pair() as (_, receiver):
        assert receiver.getsockopt(SOL_SOCKET, SO_LOCK_FILTER) == 0
        receiver.lock_filter()
        assert receiver.getsockopt(SOL_SOCKET, SO_LOCK_FILTER) == 1


@pytest.mark.parametrize("wrong", [b"", b"1234567", "text", 5, None])
def test_programs_that_are_none(wrong: Any) -> None:
    with pair() as (_, receiver), pytest.raises((TypeError, ValueError)):
        receiver.attach_filter(wrong)
    with pytest.raises(OSError, match="closed"):
        receiver.attach_filter(instruction(RET, 0))


def test_what_is_queued_stays() -> None:
    """Fact: already queued datagrams are not filtered by a later attach."""
    with pair() as (sender, receiver):
        sender.send(b"before", port=receiver.port)
        receiver.attach_filter(instruction(RET, 0))
        sender.send(b"after", port=receiver.port)
        assert received(receiver) == [b"before"]


def test_a_large_message_is_searched() -> None:
    """An attribute is found behind 60 KiB of others: the skb is linear."""
    from netlink.route.neigh import Neighbour

    n = fields(Neighbour)
    body = bytes(Neighbour()) + struct.pack("=HH", 60000, 99) + bytes(59996)
    body += bytes(Neighbour(vlan=7))[len(bytes(Neighbour())) :]
    with pair() as (sender, receiver):
        for wanted, count in ((7, 1), (8, 0)):
            program = Filter(n.vlan == wanted).compile(family_of(Neighbour))
            receiver.attach_filter(program)
            sender.send(datagram(body), port=receiver.port)
            assert len(received(receiver)) == count


# --- route events ---------------------------------------------------------------------------------


def prefixes(events: Any) -> list[str]:
    return [f"{event.dst}/{event.dst_len}" for event in events]


@BOTH
def test_unwanted_events_are_never_copied(
    connect: Callable[..., Any], other: Connection, v0: int
) -> None:
    """Fact: filtered datagrams are not in Drops and give no ENOBUFS."""
    wanted = (r.table == 254) & r.oif.in_({v0}) & r.dst.within("10.0.0.0/8")
    with connect(FAMILY, filter=wanted, rcvbuf=4096, timeout=10) as nl:
        nl.join("ipv4-route")
        for number in range(300):  # many times what the buffer holds
            other.do(route.add(f"11.0.{number & 255}.{number >> 8}/32", dev="v0"))
        other.do(route.add("10.1.0.0/24", dev="v0"))
        other.do(route.add("10.2.0.0/24", dev="v0", table=7))
        other.do(route.add("10.3.0.0/24", dev="v1"))
        other.do(route.remove("10.1.0.0/24", dev="v0"))
        events = [*nl.events(timeout=0.3)]
        assert not any(isinstance(event, Overrun) for event in events)
        assert [event.nlmsg_name for event in events] == ["RTM_NEWROUTE", "RTM_DELROUTE"]
        assert prefixes(events) == ["10.1.0.0/24"] * 2
        assert (nl.stats.datagrams, nl.stats.overruns) == (2, 0)


@BOTH
def test_requests_and_dumps_go_on(connect: Callable[..., Any], other: Connection, v0: int) -> None:
    """Fact: dump entries have an event's type and share a part: a filter on the first message
    decides for hundreds. Fact: the answer to a plain route GET has no MULTI flag."""
    for number in range(400):
        other.do(route.add(f"10.9.{number & 255}.{number >> 8}/32", dev="v0"))
    count = len(other.dump(route.get(family=2)).all())
    with connect(
        FAMILY, filter=Filter(r.table == 99999, fields(Link).index == 0), timeout=10
    ) as nl:
        nl.join("ipv4-route", "link")
        assert len(nl.dump(route.get(family=2)).all()) == count
        assert nl.do(link.get(index=v0)).ifname == "v0"
        assert str(nl.do(route.get(family=2, dst="10.9.0.0", dst_len=32)).dst) == "10.9.0.0"
        nl.do(route.add("10.8.0.0/24", dev="v0"))
        with pytest.raises(OSError) as caught:
            nl.do(route.add("10.8.0.0/24", dev="v0"))
        assert caught.value.errno == errno.EEXIST
        other.do(route.add("10.7.0.0/24", dev="v0"))
        other.do(link.set(index=v0, mtu=1400))
        assert len(nl.dump(route.get(family=2)).all()) == count + 2
        # The kernel sends its own changes to a socket only if the request asks for an echo.
        assert [event for event in nl.events(timeout=0.2) if event.nlmsg_pid != nl.port] == []


@BOTH
def test_the_filter_can_be_replaced_removed_and_locked(
    connect: Callable[..., Any], other: Connection, v0: int
) -> None:
    with connect(FAMILY, timeout=10) as nl:
        nl.set_filter(None)  # there is none
        nl.set_filter(r.dst == "10.1.0.0")
        nl.join("ipv4-route")
        nl.set_filter(Filter(r.dst == "10.2.0.0"))
        for number in (1, 2):
            other.do(route.add(f"10.{number}.0.0/24", dev="v0"))
        assert prefixes(nl.events(timeout=0.2)) == ["10.2.0.0/24"]
        nl.set_filter(None)
        other.do(route.remove("10.1.0.0/24", dev="v0"))
        assert prefixes(nl.events(timeout=0.2)) == ["10.1.0.0/24"]
        nl.set_filter(r.dst == "10.3.0.0", lock=True)
        for changed in (None, r.dst == "10.4.0.0"):
            with pytest.raises(PermissionError, match="is locked: open another connection"):
                nl.set_filter(changed)
        other.do(route.add("10.3.0.0/24", dev="v0"))
        other.do(route.add("10.4.0.0/24", dev="v0"))
        assert prefixes(nl.events(timeout=0.2)) == ["10.3.0.0/24"]


def test_a_traced_connection_has_filters(other: Connection, v0: int) -> None:
    seen: list[Any] = []
    with Connection(FAMILY, trace=seen.append, filter=r.dst == "10.1.0.0") as nl:
        nl.join("ipv4-route")
        for number in (1, 2):
            other.do(route.add(f"10.{number}.0.0/24", dev="v0"))
        assert prefixes(nl.events(timeout=0.2)) == ["10.1.0.0/24"]
        assert len(seen) == 1
        nl.set_filter(None, lock=True)
        with pytest.raises(PermissionError):
            nl.set_filter(r.dst == "10.1.0.0")


def test_nests_of_links(other: Connection) -> None:
    kind = fields(Link).linkinfo.kind
    with Connection(FAMILY, filter=(kind == "veth") & fields(Link).ifname.startswith("wa")) as nl:
        nl.join("link")
        other.do(link.add("wanted", "veth", {"peer": {"ifname": "peer"}}))
        other.do(link.set(index=1, mtu=60000))
        found: Any = nl.events(timeout=0.2)
        assert {event.ifname for event in found} == {"wanted"}


def test_conntrack_events(other: Connection) -> None:
    """All integers of ctnetlink are big-endian; its sequence numbers are 0."""
    with Connection(conntrack.FAMILY, timeout=10) as maker:
        try:
            maker.do(conntrack.get_stats())
        except OSError as error:
            pytest.skip(f"the kernel has no conntrack: {error}")
        k = fields(conntrack.Conntrack)
        wanted = (k.mark == 7) & (k.tuple_orig.proto.dst_port < 100)
        with Connection(conntrack.FAMILY, filter=wanted) as nl:
            nl.join("conntrack-new")
            flow: dict[str, Any] = {
                "proto": "udp",
                "src": "192.0.2.1",
                "dst": "192.0.2.2",
                "timeout": 60,
            }
            for sport, (dport, mark) in enumerate([(53, 7), (53, 8), (153, 7)], 1):
                maker.do(conntrack.add(**flow, sport=sport, dport=dport, mark=mark))
            found: Any = nl.events(timeout=0.3)
            assert [event.tuple_orig.sport for event in found] == [1]


# --- generic families -----------------------------------------------------------------------------


@BOTH
def test_a_generic_family(connect: Callable[..., Any]) -> None:
    """The number of the family is asked for. Its answers have our port."""
    t = fields(taskstats.TaskStats)
    with connect(taskstats.FAMILY, nlctrl.FAMILY, timeout=10) as nl:
        try:
            nl.set_filter(t.aggr_pid.pid == 0)
        except FileNotFoundError:
            pytest.skip("the kernel has no taskstats")
        try:
            answer = nl.do(taskstats.get(pid=os.getpid()))
        except PermissionError as error:
            pytest.skip(f"taskstats refuses: {error}")
        assert answer.aggr_pid.pid == os.getpid() and answer.nlmsg_pid == nl.port


@BOTH
def test_nlctrl_cannot_be_filtered(connect: Callable[..., Any]) -> None:
    with connect(nlctrl.FAMILY, timeout=10) as nl, pytest.raises(ValueError, match="needs them"):
        nl.set_filter(fields(nlctrl.Ctrl).family_name == "x")


# --- wrong calls ----------------------------------------------------------------------------------


@BOTH
def test_wrong_filters(connect: Callable[..., Any]) -> None:
    for wrong in ("table == 254", r.oif, [r.oif == 3], 5, lambda message: True):
        with pytest.raises(TypeError, match="must be a Filter or a condition"):
            connect(FAMILY, filter=wrong)
        with connect(FAMILY) as nl, pytest.raises(TypeError, match="must be a Filter"):
            nl.set_filter(wrong)
    with pytest.raises(ValueError, match="no event of conntrack is a Route"):
        connect(conntrack.FAMILY, filter=r.oif == 3)
    with connect(FAMILY) as nl:
        with pytest.raises(TypeError, match="lock must be True or False"):
            nl.set_filter(r.oif == 3, lock=1)
        with pytest.raises(TypeError, match="locked"):
            nl.set_filter(r.oif == 3, locked=True)


def test_a_failed_connection_leaves_no_descriptor() -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    wrong: Any = 3
    for _ in range(10):
        with pytest.raises(TypeError):
            Connection(FAMILY, filter=wrong)
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_asyncio_asks_in_set_filter_only() -> None:
    async def check() -> None:
        condition = fields(taskstats.TaskStats).aggr_pid.present
        with pytest.raises(TypeError, match=r"await nl.set_filter"):
            aio.Connection(taskstats.FAMILY, filter=condition)

    asyncio.run(check())


# --- the command line -----------------------------------------------------------------------------


def test_monitor_where(other: Connection, v0: int) -> None:
    text = f"table == 254 and oif in ({v0}, 99) and dst.within(10.0.0.0/8)"
    command = [sys.executable, "-m", "netlink", "monitor", "--json", "--count", "2"]
    command += ["route", "link", "--where", f"route: {text}", "--where", "link: ifname == v1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1, text=True) as process:
        end = time.monotonic() + 20
        while not any(
            row.split()[1] == "0" and int(row.split()[3], 16)
            for row in Path("/proc/thread-self/net/netlink").read_text().splitlines()[1:]
        ):
            assert time.monotonic() < end and process.poll() is None, process.communicate()
            time.sleep(0.01)
        time.sleep(0.5)  # until it has joined all groups
        for prefix in ("11.0.0.0/24", "10.5.0.0/24"):
            other.do(route.add(prefix, dev="v0"))
        other.do(link.set(index=1, mtu=60000))
        other.do(link.set(index=other.do(link.index_of("v1")), mtu=1400))
        out, _ = process.communicate(timeout=20)
    events = [json.loads(line) for line in out.splitlines()]
    assert [event.get("dst", event.get("ifname")) for event in events] == ["10.5.0.0", "v1"]
