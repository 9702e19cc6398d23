"""The kind "veth": one end of a pair of links.

Numbers are from Linux 6.12 (linux/veth.h). Widths and byte order are from drivers/net/veth.c.
"""

from netlink.route.link import Link
from netlink.schema import Message, Nested, nest


class Veth(Message):
    """VETH_INFO_* attributes, of a "veth" (linux/veth.h): only sent to the kernel.

    `peer` is a whole link message. A link tells its other end as `Link.link`.
    """

    peer: Nested[Link] = nest(1, Link)
