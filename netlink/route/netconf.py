"""Forwarding settings of links and their changes: struct netconfmsg and NETCONFA_* attributes.

Netlink can only read these settings, so this file has no op to change them; use sysctl(8). Numbers
are from Linux 6.12 (linux/netconf.h), NETCONFA_FORCE_FORWARDING from 6.18. Widths and signs are
from inet_netconf_fill_devconf in net/ipv4/devinet.c and the similar functions in
net/ipv6/addrconf.c and net/mpls/af_mpls.c.
"""

from netlink.constants import AF, KernelEnum
from netlink.family import Follow, Op
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.schema import Message, Named, s32, u8


class NETCONFA_IFINDEX(KernelEnum):
    """Values of NETCONFA_IFINDEX that mean all links or new links, instead of one link."""

    NETCONFA_IFINDEX_ALL = -1
    NETCONFA_IFINDEX_DEFAULT = -2


class netconfmsg(Message):
    """struct netconfmsg (linux/netconf.h)."""

    family: Named[AF | int] = u8(enum=AF)


class NetConf(netconfmsg):
    """Settings of one link, all links or new links: struct netconfmsg and NETCONFA_* attributes.

    An event contains `ifindex` and the attribute that changed.
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


get = Op(
    "netconf.get",
    RTM.RTM_GETNETCONF,
    NetConf,
    answer="one",
    follow=Follow(
        groups={
            AF.AF_UNSPEC: ("ipv4-netconf", "ipv6-netconf", "mpls-netconf"),
            AF.AF_INET: ("ipv4-netconf",),
            AF.AF_INET6: ("ipv6-netconf",),
            AF.AF_MPLS: ("mpls-netconf",),
        },
        key=("family", "ifindex"),
        new=RTM.RTM_NEWNETCONF,
        delete=RTM.RTM_DELNETCONF,
        whole=False,
        select={"family": None},
    ),
)

ROUTE.add(get, messages={RTM.RTM_NEWNETCONF: NetConf, RTM.RTM_DELNETCONF: NetConf})
