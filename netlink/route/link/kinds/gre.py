"""Link kind "gre": GRE over IPv4; also "gretap" and "erspan".

This file only declares attributes, and is imported when the first "gre" link is used. Numbers are
from Linux 6.12 (linux/if_tunnel.h). Widths and byte order are from net/ipv4/ip_gre.c.
"""

from netlink.route.link.tunnels import AnyGre
from netlink.schema import Addr, address, u8


class Gre(AnyGre):
    """IFLA_GRE_* attributes of a "gre", "gretap" or "erspan": over IPv4 (linux/if_tunnel.h)."""

    local: Addr = address(6, size=4)
    remote: Addr = address(7, size=4)
    tos: int | None = u8(9)
    pmtudisc: int | None = u8(10)
    ignore_df: int | None = u8(19)
