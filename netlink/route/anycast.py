"""IPv6 anycast addresses of links, as struct ifaddrmsg with IFA_ANYCAST.

A dump answers with RTM_GETANYCAST itself (inet6_fill_ifacaddr in net/ipv6/addrconf.c). Linux 6.12
announces nothing; 6.18 has the group "ipv6-acaddr". Forwarding or setsockopt(2) makes such
addresses.
"""

from netlink.constants import AF
from netlink.family import Op
from netlink.route.addr import Address
from netlink.route.rtnetlink import ROUTE, RTM

# Dumps only, and of IPv6 only.
get = Op(
    "anycast.get",
    RTM.RTM_GETANYCAST,
    Address,
    answer="one",
    defaults={"family": AF.AF_INET6},
)

ROUTE.add(get, messages={RTM.RTM_NEWANYCAST: Address, RTM.RTM_DELANYCAST: Address})
