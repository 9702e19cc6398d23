"""Link kind "ip6tnl": IP in IPv6.

This file only declares attributes, and is imported when the first "ip6tnl" link is used. Numbers
are from Linux 6.12 (linux/if_tunnel.h). Widths and byte order are from net/ipv6/ip6_tunnel.c.
"""

from netlink.route.link.tunnels import IP6_TNL_F, AnyIpTunnel
from netlink.schema import Addr, Named, address, be32, u8, u32


class Ip6Tunnel(AnyIpTunnel):
    """IFLA_IPTUN_* attributes of an "ip6tnl" (linux/if_tunnel.h).

    `flowinfo` contains the traffic class and the flow label.
    """

    local: Addr = address(2, size=16)
    remote: Addr = address(3, size=16)
    encap_limit: int | None = u8(6)
    flowinfo: int | None = be32(7)
    flags: Named[IP6_TNL_F | None] = u32(8, enum=IP6_TNL_F)
