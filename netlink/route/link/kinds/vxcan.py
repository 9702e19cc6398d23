"""Link kind "vxcan": one end of a pair of CAN links.

This file only declares attributes, and is imported when the first "vxcan" link is used. Numbers are
from Linux 6.12 (linux/can/vxcan.h). Widths and byte order are from drivers/net/can/vxcan.c.
"""

from netlink.route.link import Link
from netlink.schema import Message, Nested, nest


class Vxcan(Message):
    """VXCAN_INFO_* attributes of a "vxcan" (linux/can/vxcan.h), with the meaning as in Veth."""

    peer: Nested[Link] = nest(1, Link)
