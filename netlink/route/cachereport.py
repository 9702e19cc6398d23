"""What the kernel tells a multicast routing daemon: struct rtgenmsg and IPMRA_CREPORT_* attributes.

Numbers are those of Linux 6.12 (linux/mroute.h; linux/mroute6.h has the same); widths are those of
igmpmsg_netlink_event in net/ipv4/ipmr.c and mrt6msg_netlink_event in net/ipv6/ip6mr.c. The groups
are "ipv4-mroute-r" and "ipv6-mroute-r".
"""

from netlink.constants import KernelEnum
from netlink.route.rtnetlink import ROUTE, RTM, rtgenmsg
from netlink.schema import Addr, Named, address, binary, u8, u32


class IGMPMSG(KernelEnum):
    """Why a report was made: IPMRA_CREPORT_MSGTYPE, MRT6MSG_* of IPv6 being the same."""

    IGMPMSG_NOCACHE = 1
    IGMPMSG_WRONGVIF = 2
    IGMPMSG_WHOLEPKT = 3
    IGMPMSG_WRVIFWHOLE = 4


class CacheReport(rtgenmsg):
    """One report: struct rtgenmsg and its IPMRA_CREPORT_* attributes (linux/mroute.h).

    `vif_id` numbers the daemon's interfaces, not links; `pkt` is the head of the packet, and IPv6
    sends no `table`.
    """

    msgtype: Named[IGMPMSG | int | None] = u8(1, enum=IGMPMSG)
    vif_id: int | None = u32(2)
    src_addr: Addr = address(3, by_family=True)
    dst_addr: Addr = address(4, by_family=True)
    pkt: bytes | None = binary(5)
    table: int | None = u32(6)


ROUTE.add(messages={RTM.RTM_NEWCACHEREPORT: CacheReport})
