"""Tunnels whose packets are IP in IP, GRE or IPsec.

Numbers are those of Linux 6.12 (linux/if_tunnel.h, linux/ip6_tunnel.h, linux/if_link.h); widths
and byte order are those of net/ipv4/{ipip,ip_gre,ip_vti}.c, net/ipv6/{sit,ip6_tunnel,ip6_gre,
ip6_vti}.c and net/xfrm/xfrm_interface_core.c. Tunnels over IPv4 and over IPv6 have classes of
their own. A tunnel without an address shows 0.0.0.0 or ::.
"""

from netlink.constants import KernelEnum, KernelFlag
from netlink.schema import Addr, Message, Named, address, be16, be32, flag, u8, u16, u32


class TUNNEL_ENCAP(KernelEnum):
    """What is put around the tunnel's packets (linux/if_tunnel.h)."""

    TUNNEL_ENCAP_NONE = 0
    TUNNEL_ENCAP_FOU = 1
    TUNNEL_ENCAP_GUE = 2
    TUNNEL_ENCAP_MPLS = 3


class TUNNEL_ENCAP_FLAG(KernelFlag):
    """How it is put there (linux/if_tunnel.h)."""

    TUNNEL_ENCAP_FLAG_CSUM = 0x1
    TUNNEL_ENCAP_FLAG_CSUM6 = 0x2
    TUNNEL_ENCAP_FLAG_REMCSUM = 0x4


class GRE(KernelFlag):
    """Flags of a GRE header; on the wire in network byte order (linux/if_tunnel.h)."""

    GRE_CSUM = 0x8000
    GRE_ROUTING = 0x4000
    GRE_KEY = 0x2000
    GRE_SEQ = 0x1000
    GRE_STRICT = 0x0800
    GRE_REC = 0x0700
    GRE_ACK = 0x0080


class SIT(KernelFlag):
    """Flags of a "sit", in host byte order (linux/if_tunnel.h)."""

    SIT_ISATAP = 0x1


class IP6_TNL_F(KernelFlag):
    """Flags of a tunnel over IPv6 (linux/ip6_tunnel.h).

    The kernel sends those of its own too, what the tunnel can do now (net/ip6_tunnel.h).
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
    """The IFLA_IPTUN_* attributes that every tunnel of IP in IP has (linux/if_tunnel.h).

    `proto` is the inner protocol, 0 for any. `link` is the index of the link below.
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


class IpTunnel(AnyIpTunnel):
    """IFLA_IPTUN_* attributes, of an "ipip" (linux/if_tunnel.h)."""

    local: Addr = address(2, size=4)
    remote: Addr = address(3, size=4)
    tos: int | None = u8(5)
    pmtudisc: int | None = u8(10)


class Sit(IpTunnel):
    """IFLA_IPTUN_* attributes, of a "sit": IPv6 over IPv4, 6rd included (linux/if_tunnel.h)."""

    flags: Named[SIT | None] = u16(8, enum=SIT)
    ip6rd_prefix: Addr = address(11, size=16)
    ip6rd_relay_prefix: Addr = address(12, size=4)
    ip6rd_prefixlen: int | None = u16(13)
    ip6rd_relay_prefixlen: int | None = u16(14)


class Ip6Tunnel(AnyIpTunnel):
    """IFLA_IPTUN_* attributes, of an "ip6tnl" (linux/if_tunnel.h).

    `flowinfo` holds traffic class and flow label.
    """

    local: Addr = address(2, size=16)
    remote: Addr = address(3, size=16)
    encap_limit: int | None = u8(6)
    flowinfo: int | None = be32(7)
    flags: Named[IP6_TNL_F | None] = u32(8, enum=IP6_TNL_F)


class AnyGre(Message):
    """The IFLA_GRE_* attributes that every GRE and ERSPAN tunnel has (linux/if_tunnel.h).

    An `erspan_dir` of 0 is ingress, 1 egress.
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


class Gre(AnyGre):
    """IFLA_GRE_* attributes, of a "gre", "gretap" or "erspan": over IPv4 (linux/if_tunnel.h)."""

    local: Addr = address(6, size=4)
    remote: Addr = address(7, size=4)
    tos: int | None = u8(9)
    pmtudisc: int | None = u8(10)
    ignore_df: int | None = u8(19)


class Ip6Gre(AnyGre):
    """IFLA_GRE_* attributes, of an "ip6gre", "ip6gretap" or "ip6erspan": over IPv6.

    `flowinfo` holds traffic class and flow label (linux/if_tunnel.h).
    """

    local: Addr = address(6, size=16)
    remote: Addr = address(7, size=16)
    encap_limit: int | None = u8(11)
    flowinfo: int | None = be32(12)
    flags: Named[IP6_TNL_F | None] = u32(13, enum=IP6_TNL_F)


class AnyVti(Message):
    """The IFLA_VTI_* attributes that "vti" and "vti6" share (linux/if_tunnel.h)."""

    link: int | None = u32(1)
    ikey: int | None = be32(2)
    okey: int | None = be32(3)
    fwmark: int | None = u32(6)


class Vti(AnyVti):
    """IFLA_VTI_* attributes, of a "vti": over IPv4 (linux/if_tunnel.h)."""

    local: Addr = address(4, size=4)
    remote: Addr = address(5, size=4)


class Vti6(AnyVti):
    """IFLA_VTI_* attributes, of a "vti6": over IPv6 (linux/if_tunnel.h)."""

    local: Addr = address(4, size=16)
    remote: Addr = address(5, size=16)


class Xfrm(Message):
    """IFLA_XFRM_* attributes, of an "xfrm" interface (linux/if_link.h)."""

    link: int | None = u32(1)
    if_id: int | None = u32(2)
    collect_metadata: bool = flag(3)
