"""Link kind "bareudp": layer-3 packets over UDP without an inner header.

This file only declares attributes, and is imported when the first "bareudp" link is used. Numbers
are from Linux 6.12 (linux/if_link.h). Widths and byte order are from drivers/net/bareudp.c: `port`
is in network byte order, and `srcport_min` is not.
"""

from netlink.route.ether import ETH_P
from netlink.schema import Message, Named, be16, flag, u16


class Bareudp(Message):
    """IFLA_BAREUDP_* attributes of a "bareudp" (linux/if_link.h)."""

    port: int | None = be16(1)
    ethertype: Named[ETH_P | int | None] = be16(2, enum=ETH_P)
    srcport_min: int | None = u16(3)
    multiproto_mode: bool = flag(4)
