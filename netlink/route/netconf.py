"""A link's forwarding settings, and their changes: struct netconfmsg and its NETCONFA_* attributes.

Numbers are those of Linux 6.12 (linux/netconf.h), NETCONFA_FORCE_FORWARDING of 6.18; widths and
signs are those of inet_netconf_fill_devconf in net/ipv4/devinet.c, and of its like in
net/ipv6/addrconf.c and net/mpls/af_mpls.c. These settings are only shown: sysctl changes them.
"""

from netlink.constants import AF, KernelEnum
from netlink.family import Op
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.schema import Message, Named, s32, u8


class NETCONFA_IFINDEX(KernelEnum):
    """What stands in place of a link's index."""

    NETCONFA_IFINDEX_ALL = -1
    NETCONFA_IFINDEX_DEFAULT = -2


class netconfmsg(Message):
    """struct netconfmsg (linux/netconf.h)."""

    family: Named[AF | int] = u8(enum=AF)


class NetConf(netconfmsg):
    """The settings of a link, of all or of new ones: struct netconfmsg and NETCONFA_* attributes.

    A change is announced by the attribute that changed, with `ifindex`.
    """

    ifindex: Named[NETCONFA_IFINDEX | int | None] = s32(1, enum=NETCONFA_IFINDEX)
    forwarding: int | None = s32(2)
    rp_filter: int | None = s32(3)
    mc_forwarding: int | None = s32(4)
    proxy_neigh: int | None = s32(5)
    ignore_routes_with_linkdown: int | None = s32(6)
    input: int | None = s32(7)
    bc_forwarding: int | None = s32(8)
    force_forwarding: int | None = s32(9)


get = Op("netconf.get", RTM.RTM_GETNETCONF, NetConf, answer="one")

ROUTE.add(get, messages={RTM.RTM_NEWNETCONF: NetConf, RTM.RTM_DELNETCONF: NetConf})
