"""Links that a program, a mesh or a modem stands behind.

Numbers are those of Linux 6.12 (linux/if_link.h, linux/if_tun.h, linux/batman_adv.h,
linux/caif/if_caif.h, linux/wwan.h), "ovpn" those of 6.16; widths are those of the kind's own
source: drivers/net/tun.c, drivers/net/ppp/ppp_generic.c, net/batman-adv/soft-interface.c,
net/caif/chnl_net.c, drivers/net/wwan/wwan_core.c and drivers/net/ovpn/main.c.
"""

from netlink.constants import KernelEnum
from netlink.schema import Message, Named, s32, string, u8, u32


class TUN_TYPE(KernelEnum, prefix="IFF_"):
    """Whether a "tun" carries packets or frames: TUN_TYPE_MASK of its flags (linux/if_tun.h)."""

    IFF_TUN = 1
    IFF_TAP = 2


class OVPN_MODE(KernelEnum):
    """Whether an "ovpn" has one peer or many (linux/if_link.h)."""

    OVPN_MODE_P2P = 0
    OVPN_MODE_MP = 1


class Tun(Message):
    """IFLA_TUN_* attributes, of a "tun" (linux/if_link.h): never sent to the kernel, where a
    program makes such a link by an ioctl of /dev/net/tun.
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


class Ppp(Message):
    """IFLA_PPP_* attributes, of a "ppp" (linux/if_link.h): a descriptor of /dev/ppp."""

    dev_fd: int | None = s32(1)


class Batadv(Message):
    """IFLA_BATADV_* attributes, of a "batadv" (linux/batman_adv.h)."""

    algo_name: str | None = string(1)


class Caif(Message):
    """IFLA_CAIF_* attributes, of a "caif" (linux/caif/if_caif.h)."""

    ipv4_connid: int | None = u32(1)
    ipv6_connid: int | None = u32(2)
    loopback: int | None = u8(3)


class Wwan(Message):
    """IFLA_WWAN_* attributes, of a "wwan" (linux/wwan.h)."""

    link_id: int | None = u32(1)


class Ovpn(Message):
    """IFLA_OVPN_* attributes, of an "ovpn" (linux/if_link.h)."""

    mode: Named[OVPN_MODE | int | None] = u8(1, enum=OVPN_MODE)
