"""The route family (NETLINK_ROUTE): links, addresses, routes, neighbours.

One file a kind of object; each holds its message classes, its enumerations and its ops:

    from netlink.route import FAMILY, link, route
"""

from netlink.constants import NETLINK
from netlink.route import addr, link, neigh, route
from netlink.route.rtnetlink import RTM, RTNLGRP
from netlink.schema import Family

__all__ = ["FAMILY", "addr", "link", "neigh", "route"]

FAMILY = Family(
    "route",
    protocol=NETLINK.NETLINK_ROUTE,
    ops=(
        link.get,
        link.new,
        link.set,
        link.delete,
        addr.get,
        addr.new,
        addr.replace,
        addr.delete,
        route.get,
        route.new,
        route.replace,
        route.append,
        route.prepend,
        route.set,
        route.delete,
        neigh.get,
        neigh.new,
        neigh.replace,
        neigh.append,
        neigh.set,
        neigh.delete,
    ),
    groups=RTNLGRP,
    types=RTM,
)
