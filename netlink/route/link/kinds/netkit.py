"""Link kind "netkit": a pair of links that run BPF programs.

This file only declares attributes, and is imported when the first "netkit" link is used. Numbers
are from Linux 6.12 (linux/if_link.h). Widths and byte order are from drivers/net/netkit.c.
"""

from netlink.constants import KernelEnum
from netlink.route.link import Link
from netlink.schema import Message, Named, Nested, nest, u8, u16, u32


class NETKIT_ACTION(KernelEnum, prefix="NETKIT_"):
    """What the kernel does with a packet if no BPF program decides (linux/if_link.h)."""

    NETKIT_NEXT = -1
    NETKIT_PASS = 0
    NETKIT_DROP = 2
    NETKIT_REDIRECT = 7


class NETKIT_MODE(KernelEnum, prefix="NETKIT_"):
    """Whether a "netkit" transmits Ethernet frames or IP packets (linux/if_link.h)."""

    NETKIT_L2 = 0
    NETKIT_L3 = 1


class NETKIT_SCRUB(KernelEnum):
    """Whether packets lose mark and priority in the peer's namespace (linux/if_link.h)."""

    NETKIT_SCRUB_NONE = 0
    NETKIT_SCRUB_DEFAULT = 1


class Netkit(Message):
    """IFLA_NETKIT_* attributes of a "netkit" (linux/if_link.h). `peer_info` is like Veth.peer."""

    peer_info: Nested[Link] = nest(1, Link)
    primary: int | None = u8(2)
    policy: Named[NETKIT_ACTION | int | None] = u32(3, enum=NETKIT_ACTION)
    peer_policy: Named[NETKIT_ACTION | int | None] = u32(4, enum=NETKIT_ACTION)
    mode: Named[NETKIT_MODE | int | None] = u32(5, enum=NETKIT_MODE)
    scrub: Named[NETKIT_SCRUB | int | None] = u32(6, enum=NETKIT_SCRUB)
    peer_scrub: Named[NETKIT_SCRUB | int | None] = u32(7, enum=NETKIT_SCRUB)
    headroom: int | None = u16(8)  # Linux 6.14, as tailroom
    tailroom: int | None = u16(9)
