"""Declarations shared by several kinds of tunnels: encapsulation, flags and common attributes.

Each kind has a file in kinds/, and this file must not depend on them. It exists so that the same
attribute is declared once for IPv4 and IPv6. Numbers are from Linux 6.12 (linux/if_tunnel.h,
linux/ip6_tunnel.h). A tunnel without an address has 0.0.0.0 or ::.
"""

from netlink.constants import KernelEnum, KernelFlag
from netlink.schema import Message, Named, be16, be32, flag, u8, u16, u32


class TUNNEL_ENCAP(KernelEnum):
    """Type of the extra encapsulation of a tunnel, such as FOU or GUE (linux/if_tunnel.h)."""

    TUNNEL_ENCAP_NONE = 0
    TUNNEL_ENCAP_FOU = 1
    TUNNEL_ENCAP_GUE = 2
    TUNNEL_ENCAP_MPLS = 3


class TUNNEL_ENCAP_FLAG(KernelFlag):
    """Flags of the extra encapsulation, such as its checksums (linux/if_tunnel.h)."""

    TUNNEL_ENCAP_FLAG_CSUM = 0x1
    TUNNEL_ENCAP_FLAG_CSUM6 = 0x2
    TUNNEL_ENCAP_FLAG_REMCSUM = 0x4


class GRE(KernelFlag):
    """Flags of a GRE header, in network byte order (linux/if_tunnel.h)."""

    GRE_CSUM = 0x8000
    GRE_ROUTING = 0x4000
    GRE_KEY = 0x2000
    GRE_SEQ = 0x1000
    GRE_STRICT = 0x0800
    GRE_REC = 0x0700
    GRE_ACK = 0x0080


class IP6_TNL_F(KernelFlag):
    """Flags of a tunnel over IPv6 (linux/ip6_tunnel.h).

    The kernel also sends its internal flags, which state what the tunnel can currently do
    (net/ip6_tunnel.h).
    """

    IP6_TNL_F_IGN_ENCAP_LIMIT = 0x01
    IP6_TNL_F_USE_ORIG_TCLASS = 0x02
    IP6_TNL_F_USE_ORIG_FLOWLABEL = 0x04
    IP6_TNL_F_MIP6_DEV = 0x08
    IP6_TNL_F_RCV_DSCP_COPY = 0x10
    IP6_TNL_F_USE_ORIG_FWMARK = 0x20
    IP6_TNL_F_ALLOW_LOCAL_REMOTE = 0x40
    IP6_TNL_F_CAP_XMIT = 0x10000
    IP6_TNL_F_CAP_RCV = 0x20000
    IP6_TNL_F_CAP_PER_PACKET = 0x40000


class AnyIpTunnel(Message):
    """IFLA_IPTUN_* attributes that all IP-in-IP tunnels share (linux/if_tunnel.h).

    `proto` is the inner protocol; 0 means any. `link` is the index of the lower link.
    """

    link: int | None = u32(1)
    ttl: int | None = u8(4)
    proto: int | None = u8(9)
    encap_type: Named[TUNNEL_ENCAP | int | None] = u16(15, enum=TUNNEL_ENCAP)
    encap_flags: Named[TUNNEL_ENCAP_FLAG | None] = u16(16, enum=TUNNEL_ENCAP_FLAG)
    encap_sport: int | None = be16(17)
    encap_dport: int | None = be16(18)
    collect_metadata: bool = flag(19)
    fwmark: int | None = u32(20)


class AnyGre(Message):
    """IFLA_GRE_* attributes that all GRE and ERSPAN tunnels share (linux/if_tunnel.h).

    An `erspan_dir` of 0 is ingress, 1 is egress.
    """

    link: int | None = u32(1)
    iflags: Named[GRE | None] = be16(2, enum=GRE)
    oflags: Named[GRE | None] = be16(3, enum=GRE)
    ikey: int | None = be32(4)
    okey: int | None = be32(5)
    ttl: int | None = u8(8)
    encap_type: Named[TUNNEL_ENCAP | int | None] = u16(14, enum=TUNNEL_ENCAP)
    encap_flags: Named[TUNNEL_ENCAP_FLAG | None] = u16(15, enum=TUNNEL_ENCAP_FLAG)
    encap_sport: int | None = be16(16)
    encap_dport: int | None = be16(17)
    collect_metadata: bool = flag(18)
    fwmark: int | None = u32(20)
    erspan_index: int | None = u32(21)
    erspan_ver: int | None = u8(22)
    erspan_dir: int | None = u8(23)
    erspan_hwid: int | None = u16(24)


class AnyVti(Message):
    """IFLA_VTI_* attributes that "vti" and "vti6" share (linux/if_tunnel.h)."""

    link: int | None = u32(1)
    ikey: int | None = be32(2)
    okey: int | None = be32(3)
    fwmark: int | None = u32(6)
