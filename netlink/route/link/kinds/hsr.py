"""Link kind "hsr": a redundant network with HSR or PRP.

This file only declares attributes, and is imported when the first "hsr" link is used. Numbers are
from Linux 6.12 (linux/if_link.h). Widths and byte order are from net/hsr/hsr_netlink.c.
"""

from netlink.constants import KernelEnum
from netlink.schema import Message, Named, mac, u8, u16, u32


class HSR_PROTOCOL(KernelEnum):
    """Redundancy protocols (linux/if_link.h)."""

    HSR_PROTOCOL_HSR = 0
    HSR_PROTOCOL_PRP = 1


class Hsr(Message):
    """IFLA_HSR_* attributes of an "hsr" (linux/if_link.h).

    `slave1`, `slave2` and `interlink` are link indexes. `multicast_spec` is the last byte of
    `supervision_addr`.
    """

    slave1: int | None = u32(1)
    slave2: int | None = u32(2)
    multicast_spec: int | None = u8(3)
    supervision_addr: str | None = mac(4)
    seq_nr: int | None = u16(5)
    version: int | None = u8(6)
    protocol: Named[HSR_PROTOCOL | int | None] = u8(7, enum=HSR_PROTOCOL)
    interlink: int | None = u32(8)
