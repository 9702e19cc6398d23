"""Link kind "ipip": IP in IPv4.

This file only declares attributes, and is imported when the first "ipip" link is used. Numbers are
from Linux 6.12 (linux/if_tunnel.h). Widths and byte order are from net/ipv4/ipip.c.
"""

from netlink.route.link.tunnels import AnyIpTunnel
from netlink.schema import Addr, address, u8


class IpTunnel(AnyIpTunnel):
    """IFLA_IPTUN_* attributes of an "ipip" (linux/if_tunnel.h)."""

    local: Addr = address(2, size=4)
    remote: Addr = address(3, size=4)
    tos: int | None = u8(5)
    pmtudisc: int | None = u8(10)
