"""Tunnels whose packets are UDP datagrams.

Numbers are those of Linux 6.12 (linux/if_link.h, linux/amt.h); widths and byte order are those of
drivers/net/{vxlan/vxlan_core,geneve,bareudp,gtp,amt}.c. Ports are in network byte order, but
those of "bareudp" only in part.
"""

from netlink.constants import KernelEnum
from netlink.route.linkinfo.ether import ETH_P
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
    u16,
    u32,
)


class VXLAN_DF(KernelEnum):
    """The outer header's "don't fragment": IFLA_VXLAN_DF (linux/if_link.h)."""

    VXLAN_DF_UNSET = 0
    VXLAN_DF_SET = 1
    VXLAN_DF_INHERIT = 2


class VXLAN_LABEL(KernelEnum):
    """Where the outer flow label comes from: IFLA_VXLAN_LABEL_POLICY (linux/if_link.h)."""

    VXLAN_LABEL_FIXED = 0
    VXLAN_LABEL_INHERIT = 1


class GENEVE_DF(KernelEnum):
    """The outer header's "don't fragment": IFLA_GENEVE_DF (linux/if_link.h)."""

    GENEVE_DF_UNSET = 0
    GENEVE_DF_SET = 1
    GENEVE_DF_INHERIT = 2


class GTP_ROLE(KernelEnum):
    """Which end of a GTP tunnel a link is (linux/if_link.h)."""

    GTP_ROLE_GGSN = 0
    GTP_ROLE_SGSN = 1


class AMT_MODE(KernelEnum):
    """Which end of a multicast tunnel a link is (linux/amt.h)."""

    AMT_MODE_GATEWAY = 0
    AMT_MODE_RELAY = 1


class ifla_vxlan_port_range(Message):
    """struct ifla_vxlan_port_range (linux/if_link.h): source ports, both ends included."""

    low: int = be16()
    high: int = be16()


class vxlanhdr(Message):
    """struct vxlanhdr (net/vxlan.h): a header's bits."""

    vx_flags: int = be32()
    vx_vni: int = be32()


class Vxlan(Message):
    """IFLA_VXLAN_* attributes, of a "vxlan" (linux/if_link.h). `ageing` in seconds."""

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


class ifla_geneve_port_range(Message):
    """struct ifla_geneve_port_range (linux/if_link.h): source ports, both ends included."""

    low: int = be16()
    high: int = be16()


class Geneve(Message):
    """IFLA_GENEVE_* attributes, of a "geneve" (linux/if_link.h)."""

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


class Bareudp(Message):
    """IFLA_BAREUDP_* attributes, of a "bareudp" (linux/if_link.h)."""

    port: int | None = be16(1)
    ethertype: Named[ETH_P | int | None] = be16(2, enum=ETH_P)
    srcport_min: int | None = u16(3)
    multiproto_mode: bool = flag(4)


class Gtp(Message):
    """IFLA_GTP_* attributes, of a "gtp" (linux/if_link.h).

    `fd0` and `fd1` are sockets for GTPv0 and GTPv1, unless `create_sockets` is 1.
    """

    fd0: int | None = u32(1)
    fd1: int | None = u32(2)
    pdp_hashsize: int | None = u32(3)
    role: Named[GTP_ROLE | int | None] = u32(4, enum=GTP_ROLE)
    create_sockets: int | None = u8(5)
    restart_count: int | None = u8(6)
    local: Addr = address(7, size=4)
    local6: Addr = address(8, size=16)


class Amt(Message):
    """IFLA_AMT_* attributes, of an "amt" (linux/amt.h)."""

    mode: Named[AMT_MODE | int | None] = u32(1, enum=AMT_MODE)
    relay_port: int | None = be16(2)
    gateway_port: int | None = be16(3)
    link: int | None = u32(4)
    local_ip: Addr = address(5, size=4)
    remote_ip: Addr = address(6, size=4)
    discovery_ip: Addr = address(7, size=4)
    max_tunnels: int | None = u32(8)
