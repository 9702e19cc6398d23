"""Link kind "ovpn": OpenVPN in the kernel.

This file only declares attributes, and is imported when the first "ovpn" link is used. Numbers are
from linux/if_link.h of Linux 6.16. Widths and byte order are from drivers/net/ovpn/main.c.
"""

from netlink.constants import KernelEnum
from netlink.schema import Message, Named, u8


class OVPN_MODE(KernelEnum):
    """Whether an "ovpn" has one peer or many peers (linux/if_link.h)."""

    OVPN_MODE_P2P = 0
    OVPN_MODE_MP = 1


class Ovpn(Message):
    """IFLA_OVPN_* attributes of an "ovpn" (linux/if_link.h)."""

    mode: Named[OVPN_MODE | int | None] = u8(1, enum=OVPN_MODE)
