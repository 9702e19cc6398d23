"""Link kind "vti": IPsec over IPv4.

This file only declares attributes, and is imported when the first "vti" link is used. Numbers are
from Linux 6.12 (linux/if_tunnel.h). Widths and byte order are from net/ipv4/ip_vti.c.
"""

from netlink.route.link.tunnels import AnyVti
from netlink.schema import Addr, address


class Vti(AnyVti):
    """IFLA_VTI_* attributes of a "vti": over IPv4 (linux/if_tunnel.h)."""

    local: Addr = address(4, size=4)
    remote: Addr = address(5, size=4)
