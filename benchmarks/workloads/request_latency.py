"""request-latency: request one link by its index and read ifname and mtu, many times in a row.

Each request is sent after the answer to the one before was read. The link is one end of a veth
pair. Its RTM_NEWLINK has about 1,500 bytes.
"""

from __future__ import annotations

from ..namespace import Namespace
from . import Workload
from .dump_routes import LINK


def prepare(namespace: Namespace, size: int) -> None:
    namespace.run(["ip", "-batch", "-"], stdin=LINK)


WORKLOAD = Workload(unit="request", size=2_000, prepare=prepare)
