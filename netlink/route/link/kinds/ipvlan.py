"""Link kind "ipvlan": a link that shares the MAC address of its lower link; also "ipvtap".

This file only declares attributes, and is imported when the first "ipvlan" link is used. Numbers
are from Linux 6.12 (linux/if_link.h). Widths and byte order are from
drivers/net/ipvlan/ipvlan_main.c.
"""

from netlink.constants import KernelEnum, KernelFlag
from netlink.schema import Message, Named, u16


class IPVLAN_MODE(KernelEnum):
    """Mode of an ipvlan: the layer at which it shares the lower link (linux/if_link.h)."""

    IPVLAN_MODE_L2 = 0
    IPVLAN_MODE_L3 = 1
    IPVLAN_MODE_L3S = 2


class IPVLAN_F(KernelFlag):
    """Flags of an ipvlan (linux/if_link.h). Without a flag, it is in bridge mode."""

    IPVLAN_F_PRIVATE = 0x01
    IPVLAN_F_VEPA = 0x02


class Ipvlan(Message):
    """IFLA_IPVLAN_* attributes of an "ipvlan" or "ipvtap" (linux/if_link.h)."""

    mode: Named[IPVLAN_MODE | int | None] = u16(1, enum=IPVLAN_MODE)
    flags: Named[IPVLAN_F | None] = u16(2, enum=IPVLAN_F)
