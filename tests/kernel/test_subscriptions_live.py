"""Subscriptions against the live kernel: memberships, select(), threads, and plans that listen."""

from __future__ import annotations

import errno
import select
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from netlink import Connection, Overrun, RawSocket, ifindex, listen, plan, wait
from netlink.family import Steps
from netlink.route import FAMILY, link
from netlink.route.rtnetlink import RTNLGRP

LO = 1


@pytest.fixture
def other() -> Iterator[Connection]:
    """A connection that makes the changes."""
    with Connection(FAMILY, timeout=5) as connection:
        yield connection


def change(nl: Connection, mtu: int) -> None:
    nl.do(link.set(index=LO, mtu=mtu))


def memberships(nl: Connection) -> tuple[int, ...]:
    """What the kernel says."""
    assert isinstance(nl._socket, RawSocket)
    return nl._socket.groups()


def mtus(events: Any) -> list[Any]:
    return [event.mtu for event in events]


def test_the_socket_is_a_member_as_long_as_anybody_needs_it(
    nl: Connection, other: Connection
) -> None:
    assert memberships(nl) == ()
    first, second = nl.subscribe("link"), nl.subscribe("link", "RTNLGRP_IPV4_ROUTE")
    nl.join(RTNLGRP.RTNLGRP_LINK)
    assert memberships(nl) == (1, 7)
    second.close()
    assert memberships(nl) == (1,)
    nl.leave("link")
    first.close()
    assert memberships(nl) == ()
    third = nl.subscribe("neigh")
    assert memberships(nl) == (3,)
    del third
    nl.do(link.get(index=LO))
    assert memberships(nl) == ()


def test_consumers_of_one_connection(nl: Connection, other: Connection) -> None:
    nl.join("link")
    large = nl.subscribe("link", predicate=lambda each: (each.mtu or 0) > 5000)
    for mtu in (4000, 6000, 5000, 7000):
        change(other, mtu)
        assert nl.do(link.get(index=LO)).mtu == mtu
    assert nl.pending == 4
    assert mtus(large.events(timeout=0.2)) == [6000, 7000]
    assert mtus(nl.events(timeout=0.2)) == [4000, 6000, 5000, 7000]


def test_a_select_loop(nl: Connection, other: Connection) -> None:
    """Requests on the same connection receive events, and then the descriptor is not readable."""
    nl.join("link")
    got: list[Any] = []
    for mtu in range(2000, 2040):
        change(other, mtu)
        if mtu % 3 == 0:
            nl.do(link.get(index=LO))
        if nl.pending or select.select([nl], [], [], 5)[0]:
            got += mtus(nl.events(timeout=0))
    assert got == [*range(2000, 2040)]


def test_joined_and_never_read(nl: Connection, other: Connection) -> None:
    """Answers are found among the events, of which a bounded number is stored."""
    nl.join("link")
    nl._engine.events.limit = 50_000
    for mtu in range(2000, 2300):
        change(other, mtu)
        assert nl.do(link.get(index=LO)).mtu == mtu
    assert nl._engine.events._size < 100_000
    *events, lost = nl.events(timeout=0)
    assert mtus(events) == [*range(2000, 2000 + len(events))]
    assert isinstance(lost, Overrun)
    assert (lost.count, lost.where) == (300 - len(events), "queue")


def test_closing_a_subscription_ends_its_loop_in_another_thread(
    nl: Connection, other: Connection
) -> None:
    """A thread that receives for all notices it at the next message."""
    nl.join("neigh")
    subscription = nl.subscribe("link")
    got: list[Any] = []
    listener = threading.Thread(target=lambda: list(silence(nl)))
    reader = threading.Thread(target=lambda: got.extend(mtus(subscription)))
    listener.start()
    reader.start()
    change(other, 5000)
    while subscription.pending or nl.stats.events < 1:
        time.sleep(0.001)
    subscription.close()
    assert nl.do(link.get(index=LO)).mtu == 5000  # either thread may be in the system call
    reader.join(5)
    assert not reader.is_alive()
    assert got == [5000]
    nl.close()
    listener.join(5)
    assert not listener.is_alive()


def silence(nl: Connection) -> Iterator[Any]:
    try:
        yield from nl.events()
    except OSError as error:
        assert error.errno == errno.EBADF


@plan(sequence=True)
def confirmed(name: str, mtu: int) -> Steps[int]:
    """Change the MTU of a link, and wait for the kernel's event about it."""
    index = yield ifindex(name)
    yield listen("link")
    yield link.set(index=index, mtu=mtu)
    event: Any = yield wait(lambda each: each.index == index and each.mtu == mtu, timeout=5)
    found: int = event.mtu
    return found


def test_a_plan_that_listens(nl: Connection) -> None:
    made = confirmed("lo", 4321)
    for _ in range(2):
        assert nl.do(made) == 4321
        change(nl, 1234)
    assert memberships(nl) == ()
