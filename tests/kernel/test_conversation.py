"""The engine and the blocking connection against the live kernel.

What the table of netlink/engine.py states is seen here: dumps queue, replies interleave, groups
bring events, strangers are dropped, and a full receive buffer is reported once.
"""

import errno
import os
import random
import struct
import threading
import time
from collections.abc import Callable, Iterator
from enum import IntEnum
from ipaddress import IPv4Address
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from netlink import (
    Connection,
    DumpInterrupted,
    Family,
    Fd,
    KernelError,
    Message,
    Op,
    Overrun,
    Pid,
    RawSocket,
)
from netlink._nlsock import CLONE_NEWNET, unshare
from netlink.constants import AF, NETLINK, NLM_F, NLMSG
from netlink.family import Request
from netlink.generic import nlctrl
from netlink.route import FAMILY, addr, link, neigh, route
from netlink.route.rtnetlink import RT_SCOPE, RT_TABLE, RTM, RTN, RTNLGRP, RTPROT

LO = 1
FIRST = IPv4Address("10.0.0.0")
MANY = 20_000  # routes: more than one receive can take in, so that a dump can be half-read
RCVBUF = 4096  # holds only a few messages


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(FAMILY, timeout=5) as connection:
        yield connection


@pytest.fixture
def other() -> Iterator[Connection]:
    """A second connection, which changes what the first one watches."""
    with Connection(FAMILY, timeout=5) as connection:
        yield connection


def new_route(number: int) -> Request[Any, route.Route]:
    return route.new(
        family=AF.AF_INET,
        dst=FIRST + number,
        dst_len=32,
        rtm_table=RT_TABLE.RT_TABLE_MAIN,
        protocol=RTPROT.RTPROT_STATIC,
        scope=RT_SCOPE.RT_SCOPE_LINK,
        type=RTN.RTN_UNICAST,
        oif=LO,
    )


def make_routes(connection: Connection, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        connection.do(new_route(number))


def main_table() -> Request[Any, route.Route]:
    """The routes of new_route."""
    main = RT_TABLE.RT_TABLE_MAIN
    return route.get(family=AF.AF_INET, rtm_table=main, table=main)


def main_routes(connection: Connection) -> Iterator[route.Route]:
    """The routes of new_route, as a dump that is under way."""
    return iter(connection.dump(main_table()))


# --- dumps and requests at once -------------------------------------------------------------------


def test_second_dump_waits_for_half_read_first(nl: Connection) -> None:
    make_routes(nl, MANY)
    first = main_routes(nl)
    assert next(first).dst == IPv4Address("10.0.0.0")
    # The kernel would refuse this with EBUSY, in the middle of the first (__netlink_dump_start).
    second = nl.dump(link.get())
    third = nl.dump(addr.get(family=AF.AF_INET))
    assert nl.stats.sent == MANY + 1
    assert [found.ifname for found in second] == ["lo"]
    assert [found.dst for found in first] == [
        IPv4Address("10.0.0.0") + number for number in range(1, MANY)
    ]
    assert [found.local for found in third] == [IPv4Address("127.0.0.1")]
    assert nl.stats.sent == MANY + 3


def test_request_inside_a_dump(nl: Connection) -> None:
    make_routes(nl, MANY)
    dump = main_routes(nl)
    next(dump)
    found = nl.do(link.get(index=LO))
    assert found.ifname == "lo"
    with pytest.raises(KernelError) as refused:
        nl.do(link.get(ifname="nothere"))
    assert refused.value.errno == errno.ENODEV
    assert sum(1 for _ in dump) == MANY - 1


def test_abandoned_dump_is_drained(nl: Connection) -> None:
    make_routes(nl, MANY)
    for _ in main_routes(nl):
        break
    found = nl.do(link.get(index=LO))
    assert found.ifname == "lo"
    assert [found.ifname for found in nl.dump(link.get())] == ["lo"]
    assert sum(1 for _ in main_routes(nl)) == MANY


def test_abandoned_dump_that_never_began(nl: Connection) -> None:
    make_routes(nl, MANY)
    dump = main_routes(nl)
    next(dump)
    nl.dump(link.get())  # waits for its turn, and nobody holds its reply
    last = nl.dump(addr.get(family=AF.AF_INET))
    assert [found.label for found in last] == ["lo"]
    assert nl.stats.sent == MANY + 2
    assert sum(1 for _ in dump) == MANY - 1


class UNKNOWN(IntEnum):
    """A message type that the kernel does not know."""

    RTM_GETNOTHING = max(RTM) + 4


no_such = Op("nothing.get", UNKNOWN.RTM_GETNOTHING, link.Link, answer="one")
NOTHING = Family("nothing", protocol=NETLINK.NETLINK_ROUTE, types=UNKNOWN, ops=[no_such])


def test_refused_dump_lets_the_next_one_begin() -> None:
    with Connection(FAMILY, NOTHING, timeout=5) as nl:
        refused, following = nl.dump(no_such()), nl.dump(link.get())
        assert [found.ifname for found in following] == ["lo"]
        with pytest.raises(KernelError) as error:
            list(refused)
        assert error.value.errno == errno.EOPNOTSUPP


def test_interrupted_dump(nl: Connection, other: Connection) -> None:
    """inet_dump_ifaddr tells where addresses changed between the parts of its dump."""
    count = 9000
    for number in range(count):
        other.do(addr.new(
            family=AF.AF_INET, prefixlen=32, index=LO, local=IPv4Address("10.0.0.0") + number
        ))  # fmt: skip
    dump = iter(nl.dump(addr.get(family=AF.AF_INET)))
    next(dump)
    other.do(addr.delete(family=AF.AF_INET, prefixlen=32, index=LO, local="10.0.0.1"))
    with pytest.raises(DumpInterrupted):
        list(dump)
    assert sum(1 for _ in nl.dump(addr.get(family=AF.AF_INET))) == count


def test_a_send_carries_the_request_out() -> None:
    """Fact: the send itself carries the request out, even of a socket that does not block."""
    with RawSocket(NETLINK.NETLINK_ROUTE) as sock:
        sock.bind()
        body = bytes(link.Link(index=LO))
        sock.send(message(RTM.RTM_GETLINK, 1, 0, body, NLM_F.NLM_F_REQUEST), timeout=0)
        data, _ = sock.receive(0)  # raises where nothing is there yet
        assert struct.unpack_from("=H", data, 4) == (RTM.RTM_NEWLINK,)


@pytest.mark.parametrize("retries", [0, 3])
def test_a_dump_under_change_is_whole_or_interrupted(
    nl: Connection, other: Connection, retries: int
) -> None:
    """Another connection adds and deletes an address, in and out of step with the dumps."""
    wanted = [FIRST + number for number in range(5000)]
    fixed = {"family": AF.AF_INET, "prefixlen": 32, "index": LO}
    assert not any(other.do_many(addr.new(**fixed, local=local) for local in wanted))
    ended = threading.Event()
    faults: list[BaseException] = []

    def change() -> None:
        chance = random.Random(1)
        try:
            while not ended.wait(chance.choice((0, 0.001, 0.02))):
                for op in (addr.new, addr.delete):
                    other.do(op(**fixed, local="10.9.9.9"))
        except BaseException as error:
            faults.append(error)

    thread = threading.Thread(target=change)
    thread.start()
    whole = interrupted = 0
    try:
        for _ in range(2000):
            reply = nl.dump(addr.get(family=AF.AF_INET), retries=retries)
            try:
                found = reply.all()
                whole += 1
                assert not reply.interrupted
            except DumpInterrupted as error:
                found = []
                interrupted += 1
                assert reply.interrupted
                assert {each.local for each in error.partial} & {*wanted}
            else:
                others = [each.local for each in found if str(each.local) != "10.9.9.9"]
                assert others == [IPv4Address("127.0.0.1"), *wanted]
            if whole > 20 and (interrupted > 20 or retries):
                break
    finally:
        ended.set()
        thread.join()
    assert faults == []
    assert whole > 20
    # With retries each of them would have to be interrupted: here some were requested again.
    assert interrupted > 20 or nl.stats.sent > whole + interrupted > 0


# --- events ---------------------------------------------------------------------------------------


def take(connection: Connection, count: int) -> list[Message]:
    """The next `count` events, all of them messages."""
    found: list[Message] = []
    for event in connection.events(timeout=1):
        assert isinstance(event, Message), event
        found.append(event)
        if len(found) == count:
            break
    return found


def test_events_of_another_connection(nl: Connection, other: Connection) -> None:
    nl.join("link", "ipv4-ifaddr", RTNLGRP.RTNLGRP_IPV4_ROUTE, "neigh")
    other.do(link.set(index=LO, mtu=5000))
    other.do(addr.new(family=AF.AF_INET, prefixlen=32, index=LO, local="192.0.2.1"))
    other.do(new_route(7))
    other.do(neigh.new(
        family=AF.AF_INET, ndm_ifindex=LO, state=neigh.NUD.NUD_PERMANENT, dst="192.0.2.9",
        lladdr="02:00:00:00:00:09",
    ))  # fmt: skip
    other.do(route.delete(
        family=AF.AF_INET, dst="10.0.0.7", dst_len=32, scope=RT_SCOPE.RT_SCOPE_NOWHERE
    ))  # fmt: skip
    changed, address, local, routed, neighbour, gone = take(nl, 6)
    assert isinstance(changed, link.Link)
    assert (changed.nlmsg_name, changed.ifname, changed.mtu) == ("RTM_NEWLINK", "lo", 5000)
    # The kernel tells of the address, and of the route in table local that comes with it, in
    # either order (inet_insert_ifa, fib_add_ifaddr).
    if isinstance(address, route.Route):
        address, local = local, address
    assert isinstance(address, addr.Address)
    assert (address.nlmsg_name, str(address.local)) == ("RTM_NEWADDR", "192.0.2.1")
    assert isinstance(local, route.Route)
    assert (local.nlmsg_name, local.table) == ("RTM_NEWROUTE", RT_TABLE.RT_TABLE_LOCAL)
    assert isinstance(routed, route.Route)
    assert (routed.nlmsg_name, str(routed.dst)) == ("RTM_NEWROUTE", "10.0.0.7")
    assert isinstance(neighbour, neigh.Neighbour)
    assert (neighbour.nlmsg_name, neighbour.lladdr) == ("RTM_NEWNEIGH", "02:00:00:00:00:09")
    assert isinstance(gone, route.Route)
    assert (gone.nlmsg_name, gone.dst) == ("RTM_DELROUTE", routed.dst)
    assert nl.stats.events == 6


def test_an_own_change_is_an_event_and_not_an_answer(nl: Connection) -> None:
    """An event about our own request may carry our port and its seq (rtmsg_fib)."""
    nl.join("ipv4-route", "link", "ipv4-ifaddr")
    assert nl.do(new_route(1)) is None
    (event,) = take(nl, 1)
    assert event.nlmsg_pid == nl.port
    assert event.nlmsg_name == "RTM_NEWROUTE"
    nl.do(link.set(index=LO, mtu=5000))
    (event,) = take(nl, 1)
    assert (event.nlmsg_name, event.nlmsg_pid) == ("RTM_NEWLINK", 0)
    nl.do(addr.new(family=AF.AF_INET, prefixlen=32, index=LO, local="192.0.2.1"))
    assert ("RTM_NEWADDR", nl.port) in [(each.nlmsg_name, each.nlmsg_pid) for each in take(nl, 2)]


def test_events_during_a_dump_keep_their_order(nl: Connection, other: Connection) -> None:
    make_routes(other, MANY)
    nl.join("link")
    dump = main_routes(nl)
    next(dump)
    for mtu in (5000, 6000, 7000):
        other.do(link.set(index=LO, mtu=mtu))
    assert sum(1 for _ in dump) == MANY - 1
    found = [event for event in take(nl, 3) if isinstance(event, link.Link)]
    assert [event.mtu for event in found] == [5000, 6000, 7000]


def test_leaving_a_loop_over_events_loses_none(nl: Connection, other: Connection) -> None:
    nl.join("ipv4-route")
    make_routes(other, 10)
    found = [event for _ in range(5) for event in take(nl, 2) if isinstance(event, route.Route)]
    assert [event.dst for event in found] == [IPv4Address("10.0.0.0") + i for i in range(10)]


def test_leave(nl: Connection, other: Connection) -> None:
    nl.join("ipv4-route", "link")
    nl.leave("ipv4-route")
    other.do(new_route(1))
    other.do(link.set(index=LO, mtu=5000))
    (event,) = take(nl, 1)
    assert event.nlmsg_name == "RTM_NEWLINK"
    assert list(nl.events(timeout=0.05)) == []


def test_silence_ends_the_events(nl: Connection) -> None:
    start = time.monotonic()
    assert list(nl.events(timeout=0.1)) == []
    assert time.monotonic() - start >= 0.1


def test_events_that_are_there_already(nl: Connection, other: Connection) -> None:
    """A timeout of 0 waits for nothing."""
    nl.join("ipv4-route")
    assert list(nl.events(timeout=0)) == []
    make_routes(other, 3)
    assert len(list(nl.events(timeout=0))) == 3


# --- overrun --------------------------------------------------------------------------------------


@pytest.fixture
def small() -> Iterator[Connection]:
    """A connection that listens to routes and can hold a few of them."""
    with Connection(FAMILY, rcvbuf=RCVBUF, timeout=2) as connection:
        connection.join("ipv4-route")
        yield connection


def test_overrun_is_one_item(small: Connection, other: Connection) -> None:
    make_routes(other, 200)
    *kept, last = small.events(timeout=0.1)
    assert isinstance(last, Overrun)  # at its place: behind what came, before what comes later
    assert 0 < len(kept) < 200
    assert [getattr(event, "dst", None) for event in kept] == [
        IPv4Address("10.0.0.0") + number for number in range(len(kept))
    ]
    assert small.stats.overruns == 1
    # The connection goes on as if nothing had been.
    found = small.do(link.get(index=LO))
    assert found.ifname == "lo"
    assert sum(1 for _ in main_routes(small)) == 200
    other.do(new_route(1000))
    (event,) = take(small, 1)
    assert isinstance(event, route.Route) and str(event.dst) == "10.0.3.232"
    assert small.stats.overruns == 1


def test_waiter_fails_with_overrun(small: Connection, other: Connection) -> None:
    make_routes(other, 200)
    with pytest.raises(Overrun):
        small.do(link.get(index=LO))
    # Until its queue is empty the kernel drops what it has for this socket, and does not tell
    # again (netlink_overrun): a request must not be sent into that.
    found = small.do(link.get(index=LO))
    assert found.ifname == "lo"
    items = list(small.events(timeout=0.1))
    assert sum(isinstance(item, Overrun) for item in items) == 1


def test_a_request_after_a_pipeline_that_overran() -> None:
    """What the thread of the pipeline still sent fills the buffer again, but not for the next."""
    for _ in range(5):
        with Connection(FAMILY, timeout=2) as nl:
            with pytest.raises(Overrun):
                list(nl.do_many([link.get(index=LO)] * 5000, window=3000))
            assert nl.do(link.get(index=LO)).ifname == "lo"


def test_dump_fails_with_overrun(small: Connection, other: Connection) -> None:
    make_routes(other, 200)
    with pytest.raises(Overrun):
        list(small.dump(link.get()))
    assert [found.ifname for found in small.dump(link.get())] == ["lo"]


def test_dump_queued_through_an_overrun(small: Connection, other: Connection) -> None:
    """It was not sent yet: nothing of its answer can have been lost."""
    make_routes(other, 200)
    first, second = small.dump(link.get()), small.dump(addr.get(family=AF.AF_INET))
    with pytest.raises(Overrun):
        list(first)
    assert [found.label for found in second] == ["lo"]


def test_refusal_of_a_dump_lost_in_an_overrun(other: Connection) -> None:
    """No DONE will ever end that dump: the next one must not wait for it."""
    with Connection(FAMILY, NOTHING, rcvbuf=RCVBUF, timeout=2) as small:
        small.join("ipv4-route")
        make_routes(other, 200)
        with pytest.raises(Overrun):
            list(small.dump(no_such()))
        assert [found.ifname for found in small.dump(link.get())] == ["lo"]


# --- strangers ------------------------------------------------------------------------------------


def message(type: int, seq: int, port: int, payload: bytes, flags: int = 0) -> bytes:
    return struct.pack("=IHHII", 16 + len(payload), type, flags, seq, port) + payload


@pytest.fixture
def stranger() -> Iterator[RawSocket]:
    """Another process's socket: it may send to ours, as it has CAP_NET_ADMIN."""
    with RawSocket(NETLINK.NETLINK_ROUTE) as sock:
        sock.bind()
        yield sock


def test_forged_event(nl: Connection, other: Connection, stranger: RawSocket) -> None:
    forged = message(RTM.RTM_NEWLINK, 0, 0, bytes(link.Link(index=666, ifname="forged")))
    nl.join("link")
    stranger.send(forged, port=nl.port)
    stranger.send(forged, group=RTNLGRP.RTNLGRP_LINK)
    other.do(link.set(index=LO, mtu=5000))
    (event,) = take(nl, 1)
    assert isinstance(event, link.Link) and event.ifname == "lo"
    assert nl.stats.strangers == 2
    assert nl.stats.events == 1


@pytest.mark.parametrize(
    ("type", "payload"),
    [
        (NLMSG.NLMSG_ERROR, struct.pack("=i", -errno.EPERM) + bytes(16)),
        (NLMSG.NLMSG_ERROR, bytes(20)),
        (NLMSG.NLMSG_DONE, bytes(4)),
        (NLMSG.NLMSG_OVERRUN, b""),
        (RTM.RTM_NEWROUTE, bytes(route.Route(family=AF.AF_INET, dst="6.6.6.6", dst_len=32))),
    ],
)
def test_forged_answer(nl: Connection, stranger: RawSocket, type: int, payload: bytes) -> None:
    make_routes(nl, MANY)
    dump = main_routes(nl)
    seq = next(dump).nlmsg_seq
    assert seq is not None
    forged = message(type, seq, nl.port, payload, NLM_F.NLM_F_MULTI)
    stranger.send(forged, port=nl.port)
    found = [entry.dst for entry in dump]
    assert found == [IPv4Address("10.0.0.0") + number for number in range(1, MANY)]
    assert nl.stats.strangers == 1
    assert nl.stats.late == 0


def test_stranger_who_sends_rubbish(nl: Connection, stranger: RawSocket) -> None:
    stranger.send(b"\xff" * 7, port=nl.port)
    found = nl.do(link.get(index=LO))
    assert found.ifname == "lo"
    assert nl.stats.strangers == 1


# --- the ends -------------------------------------------------------------------------------------


def test_use_after_close() -> None:
    nl = Connection(FAMILY, timeout=2)
    make_routes(nl, MANY)
    half_read = main_routes(nl)
    next(half_read)
    nl.close()
    nl.close()
    assert nl.closed
    uses: dict[str, Callable[[], object]] = {
        "do": lambda: nl.do(link.get(index=LO)),
        "dump": lambda: list(nl.dump(link.get())),  # it waits behind the half-read one
        "join": lambda: nl.join("link"),
        "leave": lambda: nl.leave("link"),
        "events": lambda: next(iter(nl.events(timeout=0))),
        "half-read": lambda: list(half_read),
        "fileno": nl.fileno,
        "port": lambda: nl.port,
    }
    told = {}
    for name, use in uses.items():
        try:
            use()
        except OSError as error:
            told[name] = (error.errno, error.strerror)
    assert told == dict.fromkeys(uses, (errno.EBADF, "netlink socket is closed"))
    assert repr(nl) == "<Connection to route, closed>"


def test_close_wakes_all_who_wait(nl: Connection) -> None:
    """One thread is in the system call, the others wait for what it brings."""
    errors: list[int | None] = []

    def listen() -> None:
        try:
            list(nl.events())
        except OSError as error:
            errors.append(error.errno)

    nl.join("link")
    threads = [threading.Thread(target=listen) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    assert all(thread.is_alive() for thread in threads)
    nl.close()
    for thread in threads:
        thread.join(1)
    assert not any(thread.is_alive() for thread in threads)
    assert errors == [errno.EBADF] * 3


def test_unknown_group_lists_the_known(nl: Connection, other: Connection) -> None:
    with pytest.raises(LookupError) as error:
        nl.join("link", "ipv4-rout")
    text = str(error.value)
    assert "no group 'ipv4-rout' (did you mean 'ipv4-route'?)" in text
    assert all(name in text for name in ("link", "ipv4-route", "ipv6-ifaddr", "mpls-route"))
    other.do(link.set(index=LO, mtu=5000))
    assert list(nl.events(timeout=0.05)) == []  # none was joined


def test_every_group_can_be_joined(nl: Connection) -> None:
    for group, number in FAMILY.groups.items():
        try:
            nl.join(group)
        except OSError as error:  # which a kernel older than the group says
            assert error.errno == errno.EINVAL and number > RTNLGRP.RTNLGRP_STATS
        else:
            nl.leave(number)


def test_a_socket_in_another_namespace(nl: Connection) -> None:
    nl.do(link.new(ifname="here", linkinfo={"kind": "bridge"}))
    name = Path("/proc/thread-self/ns/net")
    home = name.stat().st_ino
    with name.open() as file:
        unshare(CLONE_NEWNET)
        away = name.stat().st_ino
        with Connection(FAMILY) as stayed:
            assert [each.ifname for each in stayed.dump(link.get())].count("here") == 0
        for netns in (file, f"/proc/self/fd/{file.fileno()}"):
            with Connection(FAMILY, netns=netns) as back:
                assert [each.ifname for each in back.dump(link.get())].count("here") == 1
        assert home != away == name.stat().st_ino
        for own_name in (Pid(os.getpid()), Fd(os.open(name, os.O_RDONLY | os.O_CLOEXEC))):
            with Connection(FAMILY, netns=own_name) as own:
                found = [each.ifname for each in own.dump(link.get())]
            assert found.count("lo") == 1
            if isinstance(own_name, Fd):
                os.close(own_name.fd)  # it is still open
        for ambiguous in (os.getpid(), file.fileno(), True):
            with pytest.raises(TypeError, match=r"ambiguous: write netlink\.Pid\(.*netlink\.Fd\("):
                Connection(FAMILY, netns=ambiguous)
        with pytest.raises(FileNotFoundError):
            Connection(FAMILY, netns="no-such-name")


@pytest.mark.parametrize("ack_last", [False, True])
def test_a_hundred_thousand_requests_in_a_pipeline(nl: Connection, ack_last: bool) -> None:
    count, wrong = 100_000, (7, 50_000, 99_999)
    outcomes = nl.do_many(
        (new_route(n - 1 if n in wrong else n) for n in range(count)), ack_last=ack_last
    )
    position = 0
    for position, outcome in enumerate(outcomes):
        if position in wrong:
            assert isinstance(outcome, KernelError)
            assert (outcome.errno, outcome.index) == (errno.EEXIST, position)
        else:
            assert outcome is None
    assert position == count - 1
    assert [*nl.dump(main_table()).columns("dst")["dst"]] == [
        FIRST + n for n in range(count) if n not in wrong
    ]
    gone = nl.do_many(
        (route.delete(**new_route(n).message.to_dict()) for n in range(count)), ack_last=ack_last
    )
    missing = {n: o.errno for n, o in enumerate(gone) if isinstance(o, KernelError)}
    assert missing == dict.fromkeys(wrong, errno.ESRCH)
    assert list(main_routes(nl)) == []
    assert nl.stats.sent == 2 * count + 2
    assert nl.stats.late == nl.stats.overruns == 0


def test_a_pipeline_that_stops_at_the_first_failure(nl: Connection) -> None:
    with pytest.raises(KernelError) as caught:
        list(nl.do_many([new_route(1), new_route(1), new_route(2)], raise_errors=True))
    assert caught.value.index == 1


def test_a_pipeline_through_a_small_receive_buffer() -> None:
    """Fact: unread answers are bounded by the receive buffer."""
    with Connection(FAMILY, rcvbuf=RCVBUF, timeout=5) as small:
        assert list(small.do_many(new_route(number) for number in range(500))) == [None] * 500
        with pytest.raises(Overrun):
            list(small.do_many((new_route(number) for number in range(500)), window=500))
        assert len(list(main_routes(small))) == 500


@pytest.mark.parametrize("rcvbuf", [None, 1 << 20])
def test_messages_after_acknowledgements_fit_into_the_receive_buffer(rcvbuf: int | None) -> None:
    """The first answers of a pipeline do not tell how large those of another op are."""
    sets, gets = [link.set(index=LO, mtu=1500)], [link.get(index=LO)]
    with Connection(FAMILY, rcvbuf=rcvbuf, timeout=30) as nl:
        requests = [*sets * 100, *gets * 3000, *sets * 100]
        outcomes = list(nl.do_many(requests))
        assert [outcome is None for outcome in outcomes] == [r.name == "link.set" for r in requests]
        assert nl.stats.overruns == 0


@pytest.mark.parametrize("rcvbuf", [None, 1 << 20])
@pytest.mark.parametrize("op", [link.set, link.get])
def test_pipelines_of_eight_threads_share_the_receive_buffer(
    rcvbuf: int | None, op: Op[..., Any, Any]
) -> None:
    with Connection(FAMILY, rcvbuf=rcvbuf, timeout=30) as nl:
        counts: list[int] = []

        def work() -> None:
            made = (op(index=LO) for _ in range(2000))
            counts.append(sum(not isinstance(each, KernelError) for each in nl.do_many(made)))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert counts == [2000] * 8
        assert nl.stats.overruns == nl.stats.late == 0


def test_eight_threads_share_a_connection(nl: Connection, other: Connection) -> None:
    """Two dump all the time, six have asked a thousand times before the dumps end."""
    assert not any(other.do_many(new_route(number) for number in range(MANY)))
    names = [f"link{number}" for number in range(6)]
    for name in names:
        other.do(link.new(ifname=name, linkinfo={"kind": "bridge"}))
    indexes = {each.ifname: each.index for each in other.dump(link.get())}
    faults: list[BaseException] = []
    done: list[str] = []
    wanted = [FIRST + number for number in range(MANY)]

    def dump(read: Callable[[], list[object]]) -> None:
        while True:
            is_last = len(done) == len(names) or bool(faults)
            assert read() == wanted
            if is_last:
                break

    def ask(name: str) -> None:
        for turn in range(168):
            found = nl.do(link.get(index=indexes[name]))
            assert found.ifname == name
            if turn % 8 == 0:
                with pytest.raises(KernelError, match="ENODEV"):
                    nl.do(link.get(ifname=f"no{name}"))
        done.append(name)

    def watched(work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except BaseException as error:
            faults.append(error)

    jobs: list[tuple[object, ...]] = [(ask, name) for name in names]
    jobs.append((dump, lambda: [each.dst for each in nl.dump(main_table())]))
    jobs.append((dump, lambda: [*nl.dump(main_table()).columns("dst")["dst"]]))
    threads = [threading.Thread(target=watched, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert faults == []
    assert sorted(done) == names
    assert nl.stats.late == nl.stats.overruns == 0


def test_no_descriptor_is_leaked() -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(500):
        with Connection(FAMILY, timeout=2) as nl:
            nl.join("link")
            assert nl.do(link.get(index=LO)) is not None
            with pytest.raises(KernelError):
                nl.do(link.get(ifname="nothere"))
    assert os.listdir("/proc/self/fd") == before


def test_gets_that_ask_for_no_ack_are_answered_by_one_message(nl: Connection) -> None:
    """Fact: a get that succeeds sends its one message in any case, and a failed one an error."""
    nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}, up=True))
    nl.do(addr.add("192.0.2.1/24", dev="v0"))
    nl.do(neigh.add("192.0.2.2", "v0", lladdr="02:00:00:00:00:02"))
    index = nl.do(link.get(ifname="v0")).index
    given: dict[str, list[tuple[Request[Any, Any], bool]]] = {
        "link.get": [
            (link.get(index=index), True),
            (link.get(ifname="v1", family=AF.AF_BRIDGE), True),
            (link.get(ifname="none"), False),
        ],
        "route.get": [
            (route.get(family=AF.AF_INET, dst="192.0.2.9", dst_len=32), True),
            (route.get(family=AF.AF_INET, dst="192.0.2.1", dst_len=32), True),
            (route.get(family=AF.AF_INET6, dst="2001:db8::1", dst_len=128), False),
            (route.get(family=AF.AF_INET, dst="198.51.100.1", dst_len=32), False),
        ],
        "neigh.get": [
            (neigh.get(family=AF.AF_INET, dst="192.0.2.2", ndm_ifindex=index), True),
            (neigh.get(family=AF.AF_INET, dst="192.0.2.3", ndm_ifindex=index), False),
        ],
    }
    ends = {name for name, op in FAMILY.ops.items() if op.ends == "message"}
    assert {*given} == ends
    for request, succeeds in chain.from_iterable(given.values()):
        before = nl.stats.datagrams
        if succeeds:
            assert isinstance(nl.do(request), Message), request
        else:
            with pytest.raises(KernelError):
                nl.do(request)
        assert nl.stats.datagrams == before + 1, request
    assert nl.pending == nl.stats.late == 0


def test_nlctrl_answers_without_an_ack() -> None:
    """The only generic op that ends with its message, see the fact in engine.py."""
    with Connection(nlctrl.FAMILY) as nl:
        assert [op.name for op in nlctrl.FAMILY.ops.values() if op.ends == "message"] == [
            "nlctrl.getfamily"
        ]
        before = nl.stats.datagrams
        assert nl.do(nlctrl.getfamily(family_name="nlctrl")).family_id == nlctrl.GENL_ID_CTRL
        with pytest.raises(KernelError, match="ENOENT"):
            nl.do(nlctrl.getfamily(family_name="none"))
        assert nl.stats.datagrams == before + 2
