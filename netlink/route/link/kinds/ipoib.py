"""Link kind "ipoib": IP over InfiniBand.

This file only declares attributes, and is imported when the first "ipoib" link is used. Numbers are
from Linux 6.12 (linux/if_link.h). Widths and byte order are from
drivers/infiniband/ulp/ipoib/ipoib_netlink.c.
"""

from netlink.constants import KernelEnum
from netlink.schema import Message, Named, u16


class IPOIB_MODE(KernelEnum):
    """Transport mode of IP over InfiniBand: datagram or connected (linux/if_link.h)."""

    IPOIB_MODE_DATAGRAM = 0
    IPOIB_MODE_CONNECTED = 1


class Ipoib(Message):
    """IFLA_IPOIB_* attributes of an "ipoib" (linux/if_link.h)."""

    pkey: int | None = u16(1)
    mode: Named[IPOIB_MODE | int | None] = u16(2, enum=IPOIB_MODE)
    umcast: int | None = u16(3)
