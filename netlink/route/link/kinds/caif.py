"""Link kind "caif": a CAIF channel of a modem.

This file only declares attributes, and is imported when the first "caif" link is used. Numbers are
from Linux 6.12 (linux/caif/if_caif.h). Widths and byte order are from net/caif/chnl_net.c.
"""

from netlink.schema import Message, u8, u32


class Caif(Message):
    """IFLA_CAIF_* attributes of a "caif" (linux/caif/if_caif.h)."""

    ipv4_connid: int | None = u32(1)
    ipv6_connid: int | None = u32(2)
    loopback: int | None = u8(3)
