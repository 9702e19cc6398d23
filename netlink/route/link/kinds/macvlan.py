"""Link kind "macvlan": a link with its own MAC address on a lower link; also "macvtap".

This file only declares attributes, and is imported when the first "macvlan" link is used. Numbers
are from Linux 6.12 (linux/if_link.h). Widths and byte order are from drivers/net/macvlan.c.
"""

from netlink.constants import KernelEnum, KernelFlag
from netlink.schema import Message, Named, Nested, mac, nest, repeated, s32, u16, u32


class MACVLAN_MODE(KernelEnum):
    """Which traffic is forwarded between the macvlans of one lower link (linux/if_link.h)."""

    MACVLAN_MODE_PRIVATE = 1
    MACVLAN_MODE_VEPA = 2
    MACVLAN_MODE_BRIDGE = 4
    MACVLAN_MODE_PASSTHRU = 8
    MACVLAN_MODE_SOURCE = 16


class MACVLAN_MACADDR(KernelEnum):
    """Change to the list of MAC addresses of MACVLAN_MODE_SOURCE (linux/if_link.h)."""

    MACVLAN_MACADDR_ADD = 0
    MACVLAN_MACADDR_DEL = 1
    MACVLAN_MACADDR_FLUSH = 2
    MACVLAN_MACADDR_SET = 3


class MACVLAN_FLAG(KernelFlag):
    """Flags of a macvlan (linux/if_link.h)."""

    MACVLAN_FLAG_NOPROMISC = 0x1
    MACVLAN_FLAG_NODST = 0x2


class MacvlanAddresses(Message):
    """IFLA_MACVLAN_MACADDR_DATA: the MAC addresses of MACVLAN_MODE_SOURCE (linux/if_link.h)."""

    macaddr: tuple[str, ...] = repeated(4, mac())


class Macvlan(Message):
    """IFLA_MACVLAN_* attributes of a "macvlan" or "macvtap" (linux/if_link.h).

    `macaddr_mode` states how a request changes the list of addresses. The request contains one
    address in `macaddr`, or several in `macaddr_data`. Lengths of the broadcast queue are in
    packets. A `bc_cutoff` of -1 disables this queue.
    """

    mode: Named[MACVLAN_MODE | int | None] = u32(1, enum=MACVLAN_MODE)
    flags: Named[MACVLAN_FLAG | None] = u16(2, enum=MACVLAN_FLAG)
    macaddr_mode: Named[MACVLAN_MACADDR | int | None] = u32(3, enum=MACVLAN_MACADDR)
    macaddr: str | None = mac(4)
    macaddr_data: Nested[MacvlanAddresses] = nest(5, MacvlanAddresses)
    macaddr_count: int | None = u32(6)
    bc_queue_len: int | None = u32(7)
    bc_queue_len_used: int | None = u32(8)
    bc_cutoff: int | None = s32(9)
