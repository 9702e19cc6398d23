"""The kind "vrf": a link that stands for a routing table, and the links in it.

Numbers are from Linux 6.12 (linux/if_link.h). Widths and byte order are from drivers/net/vrf.c.
"""

from netlink.schema import Message, u32


class Vrf(Message):
    """IFLA_VRF_* attributes, of a "vrf" (linux/if_link.h)."""

    table: int | None = u32(1)


class VrfPort(Message):
    """IFLA_VRF_PORT_* attributes, of a link in a "vrf" (linux/if_link.h)."""

    table: int | None = u32(1)
