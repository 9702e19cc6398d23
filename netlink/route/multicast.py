"""The op that dumps the multicast groups that links have joined: struct ifaddrmsg, IFA_MULTICAST.

The reply messages have the type RTM_GETMULTICAST (inet6_fill_ifmcaddr in net/ipv6/addrconf.c).
Linux 6.12 supports only IPv6 and sends no events. Linux 6.18 supports IPv4 as well, and sends
events to the groups "ipv4-mcaddr" and "ipv6-mcaddr". There is no op to join a group: programs join
with setsockopt(2).
"""

from netlink.constants import AF
from netlink.family import Op
from netlink.route.addr import Address
from netlink.route.rtnetlink import ROUTE, RTM

# The kernel answers dumps only, and refuses AF_UNSPEC.
get = Op(
    "multicast.get",
    RTM.RTM_GETMULTICAST,
    Address,
    answer="one",
    defaults={"family": AF.AF_INET6},
)

ROUTE.add(get, messages={RTM.RTM_NEWMULTICAST: Address, RTM.RTM_DELMULTICAST: Address})
