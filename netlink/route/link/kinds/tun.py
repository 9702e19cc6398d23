"""Link kind "tun": a link whose packets a program reads and writes.

This file only declares attributes, and is imported when the first "tun" link is used. Numbers are
from Linux 6.12 (linux/if_link.h, linux/if_tun.h). Widths and byte order are from drivers/net/tun.c.
"""

from netlink.constants import KernelEnum
from netlink.schema import Message, Named, u8, u32


class TUN_TYPE(KernelEnum, prefix="IFF_"):
    """Whether a "tun" transmits packets or frames: TUN_TYPE_MASK of its flags (linux/if_tun.h)."""

    IFF_TUN = 1
    IFF_TAP = 2


class Tun(Message):
    """IFLA_TUN_* attributes of a "tun" (linux/if_link.h).

    Only the kernel sends them. A program creates such a link with an ioctl of /dev/net/tun.
    """

    owner: int | None = u32(1)
    group: int | None = u32(2)
    type: Named[TUN_TYPE | int | None] = u8(3, enum=TUN_TYPE)
    pi: int | None = u8(4)
    vnet_hdr: int | None = u8(5)
    persist: int | None = u8(6)
    multi_queue: int | None = u8(7)
    num_queues: int | None = u32(8)
    num_disabled_queues: int | None = u32(9)
