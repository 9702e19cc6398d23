"""This library with the blocking connection.

It iterates a dump and reads fields of each message. It builds a constant request once and passes
many requests to do_many(). It iterates events(), as docs/events.md does, and receives datagrams of
other programs with RawSocket. In the workload `import`, it imports what a program for links needs.
It must use only what a user of the library would use.
"""

from __future__ import annotations

import struct
import sys
from socket import if_nametoindex
from typing import TYPE_CHECKING

from ..measure import Check, Run, Tally
from ..workloads.dump_routes import routes
from ..workloads.events import RCVBUF, SILENCE
from ..workloads.events import events as events_of
from ..workloads.flood import PORT
from ..workloads.flood import RCVBUF as FLOOD_RCVBUF
from ..workloads.flood import SILENCE as FLOOD_SILENCE
from ..workloads.import_ import importing
from . import Contender, python

if TYPE_CHECKING:
    from netlink import Connection, RawSocket

CONTENDER = Contender(
    workloads=("dump-routes", "events", "flood", "import", "insert-routes", "request-latency"),
    command=python("netlink", distribution="fastnetlink"),
)


def dump_routes(size: int) -> Run:
    from netlink import Connection
    from netlink.constants import AF
    from netlink.route import FAMILY, route

    nl = Connection(FAMILY)
    request = route.get(family=AF.AF_INET)

    def run(check: Check | None) -> int:
        count = 0
        for message in nl.dump(request):
            dst, gateway, oif = message.dst, message.gateway, message.oif
            count += 1
            if check:
                check(dst, gateway, oif)
        return count

    return run


def insert_routes(size: int) -> Run:
    """Create the routes with do_many() and `ack_last`: one ACK for each window of requests.

    The kernel executes the requests of a send in order, and it answers a failed one even without
    NLM_F_ACK. So every outcome is known: a request without an error succeeded. A window has as many
    requests as the receive buffer can hold errors: 1,024 if the buffer may be that large (root, or
    net.core.rmem_max), and otherwise some hundreds.
    """
    from netlink import Connection
    from netlink.constants import AF
    from netlink.route import FAMILY, route
    from netlink.route.rtnetlink import RT_TABLE, RTN, RTPROT

    nl = Connection(FAMILY, rcvbuf=1 << 20)
    oif = if_nametoindex("v0")
    table = list(routes(size))
    inet, main = int(AF.AF_INET), int(RT_TABLE.RT_TABLE_MAIN)
    static, unicast = int(RTPROT.RTPROT_STATIC), int(RTN.RTN_UNICAST)

    def run(check: Check | None) -> int:
        requests = (
            route.new(
                family=inet,
                dst_len=32,
                rtm_table=main,
                protocol=static,
                type=unicast,
                dst=dst,
                gateway=gateway,
                oif=oif,
            )
            for dst, gateway in table
        )
        count = 0
        for _ in nl.do_many(requests, ack_last=True, raise_errors=True):
            count += 1
        return count

    return run


def request_latency(size: int) -> Run:
    from netlink import Connection
    from netlink.route import FAMILY, link

    nl = Connection(FAMILY)
    request = link.get(index=if_nametoindex("v0"))

    def run(check: Check | None) -> int:
        for _ in range(size):
            found = nl.do(request)
            assert found
            ifname, mtu = found.ifname, found.mtu
            if check:
                check(int.from_bytes(str(ifname).encode()), mtu)
        return size

    return run


def import_(size: int) -> Run:
    return importing("from netlink.route import link", size)


def events(size: int) -> Run:
    from netlink import Connection
    from netlink.route import FAMILY

    return receive_events(Connection(FAMILY, rcvbuf=RCVBUF), size)


def receive_events(nl: Connection, size: int, passed: int | None = None) -> Run:
    """Return a Run that iterates the events of a connection, until all have arrived.

    `passed` is the number of events that pass the filter of the connection.
    """
    from netlink import Overrun
    from netlink.route.route import Route

    nl.join("ipv4-route")
    total = events_of(size)
    expected = total if passed is None else passed

    def run(check: Check | None) -> Tally:
        delivered = lost = 0
        for event in nl.events(timeout=SILENCE):
            if isinstance(event, Overrun):
                lost += event.count or 0
            elif isinstance(event, Route):
                dst, gateway, oif = event.dst, event.gateway, event.oif
                delivered += 1
                if check and passed is None:
                    check(dst, gateway, oif)
            if delivered + lost == expected:
                break
        return tally(total, expected, delivered, lost)

    return run


def tally(total: int, expected: int, delivered: int, lost: int) -> Tally:
    """Return the Tally of a run. Exit if an event is missing that no Overrun has reported."""
    if delivered + lost != expected:
        sys.exit(f"expected {expected} events, got {delivered} and {lost} reported as lost")
    return Tally(total, delivered, lost)


def flood(size: int) -> Run:
    from netlink import RawSocket
    from netlink.constants import NETLINK

    return receive_datagrams(RawSocket(NETLINK.NETLINK_USERSOCK, rcvbuf=FLOOD_RCVBUF), size)


def receive_datagrams(sock: RawSocket, size: int) -> Run:
    """Return a Run that counts the datagrams that a socket receives, up to 64 at a time."""
    from netlink._core import INDEX_FORMAT

    entry = struct.calcsize(INDEX_FORMAT)
    sock.bind(PORT)

    def run(check: Check | None) -> int:
        count = 0
        while count < size:
            data, index = sock.receive(FLOOD_SILENCE, max_datagrams=64)
            count += len(index) // entry
            if check:
                for offset, length, *_ in struct.iter_unpack(INDEX_FORMAT, index):
                    check(int.from_bytes(data[offset + 8 : offset + 12], sys.byteorder), length)
        return count

    return run
