"""flood: receive datagrams that another program sends to the port of the contender.

The sender is a program in C, sender.c, and the protocol NETLINK_USERSOCK, which the kernel only
passes on. A datagram is a message of 128 bytes with a number. The sender waits while the receive
buffer is full, so nothing is lost. The receive buffers of all contenders have the same size.
"""

from __future__ import annotations

from pathlib import Path

from ..compiler import build
from ..namespace import Namespace
from . import Workload

PORT = 4711
RCVBUF = 4 << 20  # bytes
SILENCE = 1.0  # seconds


def prepare(namespace: Namespace, size: int) -> None:
    build(Path(__file__).with_name("sender.c"), namespace.directory)


WORKLOAD = Workload(
    unit="datagram", size=200_000, prepare=prepare, during=("./sender",), base="c_recv"
)
