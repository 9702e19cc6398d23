"""Link kind "sit": IPv6 in IPv4.

This file only declares attributes, and is imported when the first "sit" link is used. Numbers are
from Linux 6.12 (linux/if_tunnel.h). Widths and byte order are from net/ipv6/sit.c.
"""

from netlink.constants import KernelFlag
from netlink.route.link.kinds.ipip import IpTunnel
from netlink.schema import Addr, Named, address, u16


class SIT(KernelFlag):
    """Flags of a "sit", in host byte order (linux/if_tunnel.h)."""

    SIT_ISATAP = 0x1


class Sit(IpTunnel):
    """IFLA_IPTUN_* attributes of a "sit": IPv6 over IPv4, including 6rd (linux/if_tunnel.h)."""

    flags: Named[SIT | None] = u16(8, enum=SIT)
    ip6rd_prefix: Addr = address(11, size=16)
    ip6rd_relay_prefix: Addr = address(12, size=4)
    ip6rd_prefixlen: int | None = u16(13)
    ip6rd_relay_prefixlen: int | None = u16(14)
