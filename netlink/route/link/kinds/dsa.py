"""The kind "dsa": a port of a switch that the kernel drives.

Numbers are from Linux 6.12 (linux/if_link.h). Widths and byte order are from net/dsa/netlink.c.
"""

from netlink.schema import Message, u32


class Dsa(Message):
    """IFLA_DSA_* attributes, of a "dsa" (linux/if_link.h): a switch's port.

    `conduit` is the index of the link to the switch.
    """

    conduit: int | None = u32(1)
