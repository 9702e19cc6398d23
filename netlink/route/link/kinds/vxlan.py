"""Link kind "vxlan": a VXLAN tunnel over UDP.

This file only declares attributes, and is imported when the first "vxlan" link is used. Numbers are
from Linux 6.12 (linux/if_link.h). Widths and byte order are from drivers/net/vxlan/vxlan_core.c.
"""

from netlink.constants import KernelEnum
from netlink.schema import (
    Addr,
    Message,
    Named,
    Nested,
    address,
    be16,
    be32,
    byte_flag,
    flag,
    struct,
    u8,
    u32,
)


class VXLAN_DF(KernelEnum):
    """Don't Fragment bit of the outer IPv4 header: IFLA_VXLAN_DF (linux/if_link.h)."""

    VXLAN_DF_UNSET = 0
    VXLAN_DF_SET = 1
    VXLAN_DF_INHERIT = 2


class VXLAN_LABEL(KernelEnum):
    """Source of the outer flow label: IFLA_VXLAN_LABEL_POLICY (linux/if_link.h)."""

    VXLAN_LABEL_FIXED = 0
    VXLAN_LABEL_INHERIT = 1


class ifla_vxlan_port_range(Message):
    """struct ifla_vxlan_port_range (linux/if_link.h): the first and the last source port."""

    low: int = be16()
    high: int = be16()


class vxlanhdr(Message):
    """struct vxlanhdr (net/vxlan.h): bits of the VXLAN header."""

    vx_flags: int = be32()
    vx_vni: int = be32()


class Vxlan(Message):
    """IFLA_VXLAN_* attributes of a "vxlan" (linux/if_link.h). `ageing` is in seconds."""

    id: int | None = u32(1)
    group: Addr = address(2, size=4)
    link: int | None = u32(3)
    local: Addr = address(4, size=4)
    ttl: int | None = u8(5)
    tos: int | None = u8(6)
    learning: int | None = u8(7)
    ageing: int | None = u32(8)
    limit: int | None = u32(9)
    port_range: Nested[ifla_vxlan_port_range] = struct(10, ifla_vxlan_port_range)
    proxy: int | None = u8(11)
    rsc: int | None = u8(12)
    l2miss: int | None = u8(13)
    l3miss: int | None = u8(14)
    port: int | None = be16(15)
    group6: Addr = address(16, size=16)
    local6: Addr = address(17, size=16)
    udp_csum: int | None = u8(18)
    udp_zero_csum6_tx: int | None = u8(19)
    udp_zero_csum6_rx: int | None = u8(20)
    remcsum_tx: int | None = u8(21)
    remcsum_rx: int | None = u8(22)
    gbp: bool = flag(23)
    remcsum_nopartial: bool = flag(24)
    collect_metadata: int | None = u8(25)
    label: int | None = be32(26)
    gpe: bool = flag(27)
    ttl_inherit: bool = byte_flag(28)  # vxlan_fill_info sends a byte, vxlan_policy wants a flag
    df: Named[VXLAN_DF | int | None] = u8(29, enum=VXLAN_DF)
    vnifilter: int | None = u8(30)
    localbypass: int | None = u8(31)
    label_policy: Named[VXLAN_LABEL | int | None] = u32(32, enum=VXLAN_LABEL)
    reserved_bits: Nested[vxlanhdr] = struct(33, vxlanhdr)  # Linux 6.14
    mc_route: int | None = u8(34)  # Linux 6.17
