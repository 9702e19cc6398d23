"""Link kind "geneve": a GENEVE tunnel over UDP.

This file only declares attributes, and is imported when the first "geneve" link is used. Numbers
are from Linux 6.12 (linux/if_link.h). Widths and byte order are from drivers/net/geneve.c.
"""

from netlink.constants import KernelEnum
from netlink.schema import Addr, Message, Named, Nested, address, be16, be32, flag, struct, u8, u32


class GENEVE_DF(KernelEnum):
    """Don't Fragment bit of the outer IPv4 header: IFLA_GENEVE_DF (linux/if_link.h)."""

    GENEVE_DF_UNSET = 0
    GENEVE_DF_SET = 1
    GENEVE_DF_INHERIT = 2


class ifla_geneve_port_range(Message):
    """struct ifla_geneve_port_range (linux/if_link.h): the first and the last source port."""

    low: int = be16()
    high: int = be16()


class Geneve(Message):
    """IFLA_GENEVE_* attributes of a "geneve" (linux/if_link.h)."""

    id: int | None = u32(1)
    remote: Addr = address(2, size=4)
    ttl: int | None = u8(3)
    tos: int | None = u8(4)
    port: int | None = be16(5)
    collect_metadata: bool = flag(6)
    remote6: Addr = address(7, size=16)
    udp_csum: int | None = u8(8)
    udp_zero_csum6_tx: int | None = u8(9)
    udp_zero_csum6_rx: int | None = u8(10)
    label: int | None = be32(11)
    ttl_inherit: int | None = u8(12)
    df: Named[GENEVE_DF | int | None] = u8(13, enum=GENEVE_DF)
    inner_proto_inherit: bool = flag(14)
    port_range: Nested[ifla_geneve_port_range] = struct(15, ifla_geneve_port_range)  # Linux 6.15
    local: Addr = address(17, size=4)  # after Linux 6.18, as local6
    local6: Addr = address(18, size=16)
