"""This library with the blocking connection.

It iterates a dump and reads fields of each message. It builds a constant request once and passes
many requests to do_many(). In the workload `import`, it imports what a program for links needs. It
must use only what a user of the library would use.
"""

from __future__ import annotations

from socket import if_nametoindex

from ..measure import Check, Run
from ..workloads.dump_routes import routes
from ..workloads.import_ import importing
from . import Contender, python

CONTENDER = Contender(
    workloads=("dump-routes", "import", "insert-routes", "request-latency"),
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
