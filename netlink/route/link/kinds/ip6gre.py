"""The kind "ip6gre": GRE over IPv6, and so "ip6gretap" and "ip6erspan".

Numbers are from Linux 6.12 (linux/if_tunnel.h). Widths and byte order are from net/ipv6/ip6_gre.c.
"""

from netlink.route.link.tunnels import IP6_TNL_F, AnyGre
from netlink.schema import Addr, Named, address, be32, u8, u32


class Ip6Gre(AnyGre):
    """IFLA_GRE_* attributes, of an "ip6gre", "ip6gretap" or "ip6erspan": over IPv6.

    `flowinfo` holds traffic class and flow label (linux/if_tunnel.h).
    """

    local: Addr = address(6, size=16)
    remote: Addr = address(7, size=16)
    encap_limit: int | None = u8(11)
    flowinfo: int | None = be32(12)
    flags: Named[IP6_TNL_F | None] = u32(13, enum=IP6_TNL_F)
