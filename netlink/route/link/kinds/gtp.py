"""Link kind "gtp": a tunnel of a mobile network.

This file only declares attributes, and is imported when the first "gtp" link is used. Numbers are
from Linux 6.12 (linux/if_link.h). Widths and byte order are from drivers/net/gtp.c.
"""

from netlink.constants import KernelEnum
from netlink.schema import Addr, Message, Named, address, u8, u32


class GTP_ROLE(KernelEnum):
    """Role of a GTP tunnel: GGSN or SGSN (linux/if_link.h)."""

    GTP_ROLE_GGSN = 0
    GTP_ROLE_SGSN = 1


class Gtp(Message):
    """IFLA_GTP_* attributes of a "gtp" (linux/if_link.h).

    `fd0` and `fd1` are sockets for GTPv0 and GTPv1. They are not needed if `create_sockets` is 1.
    """

    fd0: int | None = u32(1)
    fd1: int | None = u32(2)
    pdp_hashsize: int | None = u32(3)
    role: Named[GTP_ROLE | int | None] = u32(4, enum=GTP_ROLE)
    create_sockets: int | None = u8(5)
    restart_count: int | None = u8(6)
    local: Addr = address(7, size=4)
    local6: Addr = address(8, size=16)
