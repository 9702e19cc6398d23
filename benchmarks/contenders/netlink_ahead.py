"""This library with `read_ahead`: a thread of the core receives, while Python decodes.

It must do the same work as `netlink`, so that the difference is the cost of the thread.
"""

from __future__ import annotations

from ..measure import Run
from ..workloads.events import RCVBUF
from ..workloads.flood import RCVBUF as FLOOD_RCVBUF
from . import Contender, python
from .netlink import receive_datagrams, receive_events

CONTENDER = Contender(
    workloads=("events", "flood"), command=python("netlink_ahead", distribution="fastnetlink")
)


def events(size: int) -> Run:
    from netlink import Connection
    from netlink.route import FAMILY

    return receive_events(Connection(FAMILY, rcvbuf=RCVBUF, read_ahead=RCVBUF), size)


def flood(size: int) -> Run:
    from netlink import RawSocket
    from netlink.constants import NETLINK

    sock = RawSocket(NETLINK.NETLINK_USERSOCK, rcvbuf=FLOOD_RCVBUF, read_ahead=RCVBUF)
    sock.begin_receive()
    return receive_datagrams(sock, size)
