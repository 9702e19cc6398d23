"""dump-routes: one dump of a large IPv4 table, reading dst, gateway and oif of each message.

The table is host routes through sixteen gateways of a veth link: many prefixes share few next hops,
as in a full routing table. The few local and broadcast routes that the link's own address brings
are part of the dump.
"""

from __future__ import annotations

from ..namespace import Namespace
from . import Workload

_LINK = """\
link add v0 type veth peer name v1
link set v0 up
link set v1 up
address add 192.0.2.1/24 dev v0
"""


def prepare(namespace: Namespace, size: int) -> None:
    routes = (
        f"route add 10.{i >> 16}.{i >> 8 & 255}.{i & 255}/32 via 192.0.2.{2 + i % 16} dev v0\n"
        for i in range(size)
    )
    namespace.run(["ip", "-batch", "-"], stdin=_LINK + "".join(routes))


WORKLOAD = Workload(unit="message", size=100_000, prepare=prepare)
