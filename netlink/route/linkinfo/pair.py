"""Links that come in pairs: what one end is told of the other when the two are made.

Numbers are those of Linux 6.12 (linux/veth.h, linux/can/vxcan.h, linux/if_link.h); widths are
those of drivers/net/netkit.c.
"""

from typing import TYPE_CHECKING

from netlink.constants import KernelEnum
from netlink.schema import Message, Named, Nested, nest, u8, u16, u32

if TYPE_CHECKING:
    from netlink.route.link import Link


def _link() -> type[Message]:
    from netlink.route.link import Link  # it stands above this file, as it holds every kind

    return Link


class NETKIT_ACTION(KernelEnum, prefix="NETKIT_"):
    """What happens to a packet that no BPF program decides on (linux/if_link.h)."""

    NETKIT_NEXT = -1
    NETKIT_PASS = 0
    NETKIT_DROP = 2
    NETKIT_REDIRECT = 7


class NETKIT_MODE(KernelEnum, prefix="NETKIT_"):
    """Whether a "netkit" carries frames or packets (linux/if_link.h)."""

    NETKIT_L2 = 0
    NETKIT_L3 = 1


class NETKIT_SCRUB(KernelEnum):
    """Whether mark and priority are cleared on the way to another namespace (linux/if_link.h)."""

    NETKIT_SCRUB_NONE = 0
    NETKIT_SCRUB_DEFAULT = 1


class Veth(Message):
    """VETH_INFO_* attributes, of a "veth" (linux/veth.h): only sent to the kernel.

    `peer` is a whole link message. A link tells its other end as `Link.link`.
    """

    peer: "Nested[Link]" = nest(1, _link)


class Vxcan(Message):
    """VXCAN_INFO_* attributes, of a "vxcan" (linux/can/vxcan.h): as Veth."""

    peer: "Nested[Link]" = nest(1, _link)


class Netkit(Message):
    """IFLA_NETKIT_* attributes, of a "netkit" (linux/if_link.h). `peer_info`: as Veth.peer."""

    peer_info: "Nested[Link]" = nest(1, _link)
    primary: int | None = u8(2)
    policy: Named[NETKIT_ACTION | int | None] = u32(3, enum=NETKIT_ACTION)
    peer_policy: Named[NETKIT_ACTION | int | None] = u32(4, enum=NETKIT_ACTION)
    mode: Named[NETKIT_MODE | int | None] = u32(5, enum=NETKIT_MODE)
    scrub: Named[NETKIT_SCRUB | int | None] = u32(6, enum=NETKIT_SCRUB)
    peer_scrub: Named[NETKIT_SCRUB | int | None] = u32(7, enum=NETKIT_SCRUB)
    headroom: int | None = u16(8)  # Linux 6.14, as tailroom
    tailroom: int | None = u16(9)
