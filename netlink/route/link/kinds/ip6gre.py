"""Link kind "ip6gre": GRE over IPv6; also "ip6gretap" and "ip6erspan".

This file only declares attributes, and is imported when the first "ip6gre" link is used. Numbers
are from Linux 6.12 (linux/if_tunnel.h). Widths and byte order are from net/ipv6/ip6_gre.c.
"""

from netlink.route.link.tunnels import IP6_TNL_F, AnyGre
from netlink.schema import Addr, Named, address, be32, u8, u32


class Ip6Gre(AnyGre):
    """IFLA_GRE_* attributes of an "ip6gre", "ip6gretap" or "ip6erspan" (linux/if_tunnel.h).

    `flowinfo` contains the traffic class and the flow label.
    """

    local: Addr = address(6, size=16)
    remote: Addr = address(7, size=16)
    encap_limit: int | None = u8(11)
    flowinfo: int | None = be32(12)
    flags: Named[IP6_TNL_F | None] = u32(13, enum=IP6_TNL_F)
