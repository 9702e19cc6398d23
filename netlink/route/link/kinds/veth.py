"""Link kind "veth": one end of a pair of virtual Ethernet links.

This file only declares attributes, and is imported when the first "veth" link is used. Numbers are
from Linux 6.12 (linux/veth.h). Widths and byte order are from drivers/net/veth.c.
"""

from netlink.route.link import Link
from netlink.schema import Message, Nested, nest


class Veth(Message):
    """VETH_INFO_* attributes of a "veth" (linux/veth.h). The kernel never sends them.

    `peer` is a complete link message. `Link.link` is the index of the peer of an existing link.
    """

    peer: Nested[Link] = nest(1, Link)
