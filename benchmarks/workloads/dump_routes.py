"""dump-routes: one dump of a large IPv4 table, reading dst, gateway and oif of each message.

The table has host routes via sixteen gateways on a veth link: many prefixes share few next hops, as
in a full routing table. The dump also contains the few local and broadcast routes that the address
of the link creates.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..namespace import Namespace
from . import Workload

LINK = """\
link add v0 type veth peer name v1
link set v0 up
link set v1 up
address add 192.0.2.1/24 dev v0
"""


def routes(size: int) -> Iterator[tuple[str, str]]:
    """Yield the destination and the gateway of each route as text."""
    for i in range(size):
        yield f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", f"192.0.2.{2 + i % 16}"


def prepare(namespace: Namespace, size: int) -> None:
    lines = (f"route add {dst}/32 via {gateway} dev v0\n" for dst, gateway in routes(size))
    namespace.run(["ip", "-batch", "-"], stdin=LINK + "".join(lines))


WORKLOAD = Workload(unit="message", size=100_000, prepare=prepare)
