"""The kind "vxcan": one end of a pair of CAN links.

Numbers are from Linux 6.12 (linux/can/vxcan.h). Widths and byte order are from
drivers/net/can/vxcan.c.
"""

from netlink.route.link import Link
from netlink.schema import Message, Nested, nest


class Vxcan(Message):
    """VXCAN_INFO_* attributes, of a "vxcan" (linux/can/vxcan.h): as Veth."""

    peer: Nested[Link] = nest(1, Link)
