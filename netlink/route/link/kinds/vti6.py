"""Link kind "vti6": IPsec over IPv6.

This file only declares attributes, and is imported when the first "vti6" link is used. Numbers are
from Linux 6.12 (linux/if_tunnel.h). Widths and byte order are from net/ipv6/ip6_vti.c.
"""

from netlink.route.link.tunnels import AnyVti
from netlink.schema import Addr, address


class Vti6(AnyVti):
    """IFLA_VTI_* attributes of a "vti6": over IPv6 (linux/if_tunnel.h)."""

    local: Addr = address(4, size=16)
    remote: Addr = address(5, size=16)
