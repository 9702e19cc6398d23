"""Link kind "amt": multicast traffic over unicast UDP (Automatic Multicast Tunneling).

This file only declares attributes, and is imported when the first "amt" link is used. Numbers are
from Linux 6.12 (linux/amt.h). Widths and byte order are from drivers/net/amt.c.
"""

from netlink.constants import KernelEnum
from netlink.schema import Addr, Message, Named, address, be16, u32


class AMT_MODE(KernelEnum):
    """Whether a link is a gateway or a relay of the multicast tunnel (linux/amt.h)."""

    AMT_MODE_GATEWAY = 0
    AMT_MODE_RELAY = 1


class Amt(Message):
    """IFLA_AMT_* attributes of an "amt" (linux/amt.h)."""

    mode: Named[AMT_MODE | int | None] = u32(1, enum=AMT_MODE)
    relay_port: int | None = be16(2)
    gateway_port: int | None = be16(3)
    link: int | None = u32(4)
    local_ip: Addr = address(5, size=4)
    remote_ip: Addr = address(6, size=4)
    discovery_ip: Addr = address(7, size=4)
    max_tunnels: int | None = u32(8)
