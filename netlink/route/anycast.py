"""The op that dumps the IPv6 anycast addresses of links: struct ifaddrmsg with IFA_ANYCAST.

The reply messages have the type RTM_GETANYCAST (inet6_fill_ifacaddr in net/ipv6/addrconf.c). Linux
6.12 sends no events; 6.18 sends them to the group "ipv6-acaddr". There is no op to add an address:
the kernel adds one when forwarding is enabled, and programs add them with setsockopt(2).
"""

from netlink.constants import AF
from netlink.family import Op
from netlink.route.addr import Address
from netlink.route.rtnetlink import ROUTE, RTM

# The kernel answers dumps only, and only for IPv6.
get = Op(
    "anycast.get",
    RTM.RTM_GETANYCAST,
    Address,
    answer="one",
    defaults={"family": AF.AF_INET6},
)

ROUTE.add(get, messages={RTM.RTM_NEWANYCAST: Address, RTM.RTM_DELANYCAST: Address})
