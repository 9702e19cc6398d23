"""The route family (NETLINK_ROUTE): links, addresses, routes and the objects related to them.

Each kind of object has one file, named after the kernel's word for it. The file contains message
classes, enumerations, ops and plans for common tasks. This package imports a file at its first use:
`from netlink.route import link` loads only what links need. It must not import them earlier.

    from netlink.route import FAMILY, link, route

    nl.dump(route.get())                                             # an op makes a request
    nl.do(route.add("10.0.0.0/24", via="192.0.2.1", dev="eth0"))     # a plan uses the words of `ip`

| ops are named after the kernel's flags      | plans are named after what they do           |
|---------------------------------------------|----------------------------------------------|
| `new`: refuses existing objects             | `add`                                        |
| `replace`: creates or replaces              | `put`                                        |
| `set`: changes existing objects             | `change`                                     |
| `delete`                                    | `remove`                                     |
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from netlink.route.rtnetlink import ROUTE as FAMILY

if TYPE_CHECKING:
    from netlink.route import (
        addr,
        addrlabel,
        anycast,
        cachereport,
        dcb,
        link,
        linkprop,
        mdb,
        multicast,
        nduseropt,
        neigh,
        neightbl,
        netconf,
        nexthop,
        nsid,
        prefix,
        route,
        rule,
        stats,
        tc,
        tunnel,
        vlandb,
    )

__all__ = [
    "FAMILY", "addr", "addrlabel", "anycast", "cachereport", "dcb", "link", "linkprop", "mdb",
    "multicast", "nduseropt", "neigh", "neightbl", "netconf", "nexthop", "nsid", "prefix", "route",
    "rule", "stats", "tc", "tunnel", "vlandb",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"netlink.route.{name}")
    raise AttributeError(f"module 'netlink.route' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
