"""Link kind "rmnet": a channel of a Qualcomm modem.

This file only declares attributes, and is imported when the first "rmnet" link is used. Numbers are
from Linux 6.12 (linux/if_link.h). Widths and byte order are from
drivers/net/ethernet/qualcomm/rmnet/rmnet_config.c.
"""

from netlink.constants import KernelFlag
from netlink.schema import Message, Named, Nested, struct, u16, u32


class RMNET_FLAGS(KernelFlag):
    """Data format flags of an "rmnet" link (linux/if_link.h)."""

    RMNET_FLAGS_INGRESS_DEAGGREGATION = 0x01
    RMNET_FLAGS_INGRESS_MAP_COMMANDS = 0x02
    RMNET_FLAGS_INGRESS_MAP_CKSUMV4 = 0x04
    RMNET_FLAGS_EGRESS_MAP_CKSUMV4 = 0x08
    RMNET_FLAGS_INGRESS_MAP_CKSUMV5 = 0x10
    RMNET_FLAGS_EGRESS_MAP_CKSUMV5 = 0x20


class ifla_rmnet_flags(Message):
    """struct ifla_rmnet_flags (linux/if_link.h): `mask` selects the `flags` to change."""

    flags: Named[RMNET_FLAGS] = u32(enum=RMNET_FLAGS)
    mask: int = u32()


class Rmnet(Message):
    """IFLA_RMNET_* attributes of an "rmnet" (linux/if_link.h)."""

    mux_id: int | None = u16(1)
    flags: Nested[ifla_rmnet_flags] = struct(2, ifla_rmnet_flags)
