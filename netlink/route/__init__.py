"""The route family (NETLINK_ROUTE): links, addresses, routes and all that belongs to them.

One file a kind of object, named after the kernel's word for it; each holds its message classes, its
enumerations, its ops and, where people have words for them, plans:

    from netlink.route import FAMILY, link, route

    nl.dump(route.get())                                              # an op makes a request
    nl.run(route.add("10.0.0.0/24", via="192.0.2.1", dev="eth0"))     # a plan, in the words of ip

| ops, by the kernel's flags                  | plans, in human terms                        |
|---------------------------------------------|----------------------------------------------|
| `new`: refuses what exists                  | `add`                                        |
| `replace`: creates or replaces              | `put`                                        |
| `set`: refuses what does not exist          | `change`                                     |
| `delete`                                    | `remove`                                     |
"""

from netlink.constants import NETLINK
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
from netlink.route.rtnetlink import RTM, RTNLGRP
from netlink.schema import Family, Op

__all__ = [
    "FAMILY", "addr", "addrlabel", "anycast", "cachereport", "dcb", "link", "linkprop", "mdb",
    "multicast", "nduseropt", "neigh", "neightbl", "netconf", "nexthop", "nsid", "prefix", "route",
    "rule", "stats", "tc", "tunnel", "vlandb",
]  # fmt: skip

# Each gives its ops, and MESSAGES where the kernel sends what no op does: the class of a type.
MODULES = (
    link, linkprop, addr, multicast, anycast, addrlabel, prefix, nduseropt, neigh, neightbl,
    netconf, route, cachereport, rule, nexthop, nsid, stats, mdb, vlandb, tunnel, dcb,
    tc.qdisc, tc.tclass, tc.filter, tc.chain, tc.action,
)  # fmt: skip

FAMILY = Family(
    "route",
    protocol=NETLINK.NETLINK_ROUTE,
    ops=[op for module in MODULES for op in vars(module).values() if isinstance(op, Op)],
    messages={
        kind: cls for module in MODULES for kind, cls in vars(module).get("MESSAGES", {}).items()
    },
    groups=RTNLGRP,
    types=RTM,
)
