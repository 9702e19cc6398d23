"""Link kind "dsa": a port of an Ethernet switch that the kernel controls.

This file only declares attributes, and is imported when the first "dsa" link is used. Numbers are
from Linux 6.12 (linux/if_link.h). Widths and byte order are from net/dsa/netlink.c.
"""

from netlink.schema import Message, u32


class Dsa(Message):
    """IFLA_DSA_* attributes of a "dsa" (linux/if_link.h): a port of a switch.

    `conduit` is the index of the link that connects the host to the switch.
    """

    conduit: int | None = u32(1)
