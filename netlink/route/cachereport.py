"""Reports to a multicast routing daemon: struct rtgenmsg and its IPMRA_CREPORT_* attributes.

This file declares the event only; a daemon configures multicast routing with setsockopt(2). The
kernel sends these events to the groups "ipv4-mroute-r" and "ipv6-mroute-r". Numbers are from Linux
6.12 (linux/mroute.h, same as linux/mroute6.h). Widths are from igmpmsg_netlink_event in
net/ipv4/ipmr.c and mrt6msg_netlink_event in net/ipv6/ip6mr.c.
"""

from netlink.constants import KernelEnum
from netlink.route.rtnetlink import ROUTE, RTM, rtgenmsg
from netlink.schema import Addr, Named, address, binary, u8, u32


class IGMPMSG(KernelEnum):
    """Reason for a report: IPMRA_CREPORT_MSGTYPE. The MRT6MSG_* numbers of IPv6 are the same."""

    IGMPMSG_NOCACHE = 1
    IGMPMSG_WRONGVIF = 2
    IGMPMSG_WHOLEPKT = 3
    IGMPMSG_WRVIFWHOLE = 4


class CacheReport(rtgenmsg):
    """One report: struct rtgenmsg and its IPMRA_CREPORT_* attributes (linux/mroute.h).

    `vif_id` is an index in the daemon's list of interfaces, not the index of a link. `pkt` is the
    start of the packet. IPv6 reports have no `table`.
    """

    msgtype: Named[IGMPMSG | int | None] = u8(1, enum=IGMPMSG)
    vif_id: int | None = u32(2)
    src_addr: Addr = address(3, by_family=True)
    dst_addr: Addr = address(4, by_family=True)
    pkt: bytes | None = binary(5)
    table: int | None = u32(6)


ROUTE.add(messages={RTM.RTM_NEWCACHEREPORT: CacheReport})
