"""Multicast groups that links have joined, as struct ifaddrmsg with IFA_MULTICAST.

A dump answers with RTM_GETMULTICAST itself (inet6_fill_ifmcaddr in net/ipv6/addrconf.c). Linux 6.12
knows IPv6 alone and announces nothing; 6.18 has IPv4 too, and the groups "ipv4-mcaddr" and
"ipv6-mcaddr". Joining is done by setsockopt(2).
"""

from netlink.constants import AF
from netlink.family import Op
from netlink.route.addr import Address
from netlink.route.rtnetlink import ROUTE, RTM

# Dumps only. The kernel refuses AF_UNSPEC.
get = Op(
    "multicast.get",
    RTM.RTM_GETMULTICAST,
    Address,
    answer="one",
    defaults={"family": AF.AF_INET6},
)

ROUTE.add(get, messages={RTM.RTM_NEWMULTICAST: Address, RTM.RTM_DELMULTICAST: Address})
