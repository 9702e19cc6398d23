"""Link kind "vrf": a routing domain (a link for a routing table), and its ports.

This file only declares attributes, and is imported when the first "vrf" link is used. Numbers are
from Linux 6.12 (linux/if_link.h). Widths and byte order are from drivers/net/vrf.c.
"""

from netlink.schema import Message, u32


class Vrf(Message):
    """IFLA_VRF_* attributes of a "vrf" (linux/if_link.h)."""

    table: int | None = u32(1)


class VrfPort(Message):
    """IFLA_VRF_PORT_* attributes of a port of a "vrf" (linux/if_link.h)."""

    table: int | None = u32(1)
