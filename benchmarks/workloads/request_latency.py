"""request-latency: ask for one link by its index and read ifname and mtu of the answer, in a row.

The next request is sent when the answer to the one before has been read. The link is one end of a
veth, whose RTM_NEWLINK takes some 1,500 bytes.
"""

from __future__ import annotations

from ..namespace import Namespace
from . import Workload
from .dump_routes import LINK


def prepare(namespace: Namespace, size: int) -> None:
    namespace.run(["ip", "-batch", "-"], stdin=LINK)


WORKLOAD = Workload(unit="request", size=2_000, prepare=prepare)
