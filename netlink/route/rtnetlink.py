"""The route family (ROUTE) and the numbers of linux/rtnetlink.h: message types, groups, enums.

All other files of the route family import this file; it must not import any of them. Members keep
the kernel's spelling. Numbers are from Linux 6.12; later ones (events of multicast and anycast
addresses, RTPROT_OVN) are from 6.18. The bounds (..._MAX, RTM_BASE) are left out, and so is
RTNLGRP_NONE, which no socket can join.
"""

from netlink.constants import AF, NETLINK, KernelEnum, KernelFlag
from netlink.family import Family
from netlink.schema import Message, Named, u8


class RTM(KernelEnum):
    """Message types (linux/rtnetlink.h)."""

    RTM_NEWLINK = 16
    RTM_DELLINK = 17
    RTM_GETLINK = 18
    RTM_SETLINK = 19
    RTM_NEWADDR = 20
    RTM_DELADDR = 21
    RTM_GETADDR = 22
    RTM_NEWROUTE = 24
    RTM_DELROUTE = 25
    RTM_GETROUTE = 26
    RTM_NEWNEIGH = 28
    RTM_DELNEIGH = 29
    RTM_GETNEIGH = 30
    RTM_NEWRULE = 32
    RTM_DELRULE = 33
    RTM_GETRULE = 34
    RTM_NEWQDISC = 36
    RTM_DELQDISC = 37
    RTM_GETQDISC = 38
    RTM_NEWTCLASS = 40
    RTM_DELTCLASS = 41
    RTM_GETTCLASS = 42
    RTM_NEWTFILTER = 44
    RTM_DELTFILTER = 45
    RTM_GETTFILTER = 46
    RTM_NEWACTION = 48
    RTM_DELACTION = 49
    RTM_GETACTION = 50
    RTM_NEWPREFIX = 52
    RTM_NEWMULTICAST = 56
    RTM_DELMULTICAST = 57
    RTM_GETMULTICAST = 58
    RTM_NEWANYCAST = 60
    RTM_DELANYCAST = 61
    RTM_GETANYCAST = 62
    RTM_NEWNEIGHTBL = 64
    RTM_GETNEIGHTBL = 66
    RTM_SETNEIGHTBL = 67
    RTM_NEWNDUSEROPT = 68
    RTM_NEWADDRLABEL = 72
    RTM_DELADDRLABEL = 73
    RTM_GETADDRLABEL = 74
    RTM_GETDCB = 78
    RTM_SETDCB = 79
    RTM_NEWNETCONF = 80
    RTM_DELNETCONF = 81
    RTM_GETNETCONF = 82
    RTM_NEWMDB = 84
    RTM_DELMDB = 85
    RTM_GETMDB = 86
    RTM_NEWNSID = 88
    RTM_DELNSID = 89
    RTM_GETNSID = 90
    RTM_NEWSTATS = 92
    RTM_GETSTATS = 94
    RTM_SETSTATS = 95
    RTM_NEWCACHEREPORT = 96
    RTM_NEWCHAIN = 100
    RTM_DELCHAIN = 101
    RTM_GETCHAIN = 102
    RTM_NEWNEXTHOP = 104
    RTM_DELNEXTHOP = 105
    RTM_GETNEXTHOP = 106
    RTM_NEWLINKPROP = 108
    RTM_DELLINKPROP = 109
    RTM_GETLINKPROP = 110
    RTM_NEWVLAN = 112
    RTM_DELVLAN = 113
    RTM_GETVLAN = 114
    RTM_NEWNEXTHOPBUCKET = 116
    RTM_DELNEXTHOPBUCKET = 117
    RTM_GETNEXTHOPBUCKET = 118
    RTM_NEWTUNNEL = 120
    RTM_DELTUNNEL = 121
    RTM_GETTUNNEL = 122


class RTNLGRP(KernelEnum):
    """Multicast groups (linux/rtnetlink.h)."""

    RTNLGRP_LINK = 1
    RTNLGRP_NOTIFY = 2
    RTNLGRP_NEIGH = 3
    RTNLGRP_TC = 4
    RTNLGRP_IPV4_IFADDR = 5
    RTNLGRP_IPV4_MROUTE = 6
    RTNLGRP_IPV4_ROUTE = 7
    RTNLGRP_IPV4_RULE = 8
    RTNLGRP_IPV6_IFADDR = 9
    RTNLGRP_IPV6_MROUTE = 10
    RTNLGRP_IPV6_ROUTE = 11
    RTNLGRP_IPV6_IFINFO = 12
    RTNLGRP_DECnet_IFADDR = 13
    RTNLGRP_NOP2 = 14
    RTNLGRP_DECnet_ROUTE = 15
    RTNLGRP_DECnet_RULE = 16
    RTNLGRP_NOP4 = 17
    RTNLGRP_IPV6_PREFIX = 18
    RTNLGRP_IPV6_RULE = 19
    RTNLGRP_ND_USEROPT = 20
    RTNLGRP_PHONET_IFADDR = 21
    RTNLGRP_PHONET_ROUTE = 22
    RTNLGRP_DCB = 23
    RTNLGRP_IPV4_NETCONF = 24
    RTNLGRP_IPV6_NETCONF = 25
    RTNLGRP_MDB = 26
    RTNLGRP_MPLS_ROUTE = 27
    RTNLGRP_NSID = 28
    RTNLGRP_MPLS_NETCONF = 29
    RTNLGRP_IPV4_MROUTE_R = 30
    RTNLGRP_IPV6_MROUTE_R = 31
    RTNLGRP_NEXTHOP = 32
    RTNLGRP_BRVLAN = 33
    RTNLGRP_MCTP_IFADDR = 34
    RTNLGRP_TUNNEL = 35
    RTNLGRP_STATS = 36
    RTNLGRP_IPV4_MCADDR = 37
    RTNLGRP_IPV6_MCADDR = 38
    RTNLGRP_IPV6_ACADDR = 39


class RTN(KernelEnum):
    """Types of a route, and of a neighbour's address: rtm_type, ndm_type."""

    RTN_UNSPEC = 0
    RTN_UNICAST = 1
    RTN_LOCAL = 2
    RTN_BROADCAST = 3
    RTN_ANYCAST = 4
    RTN_MULTICAST = 5
    RTN_BLACKHOLE = 6
    RTN_UNREACHABLE = 7
    RTN_PROHIBIT = 8
    RTN_THROW = 9
    RTN_NAT = 10
    RTN_XRESOLVE = 11


class RTPROT(KernelEnum):
    """Origin of an entry: rtm_protocol, NDA_PROTOCOL.

    The kernel does not interpret values from RTPROT_STATIC up; it stores and returns them.
    """

    RTPROT_UNSPEC = 0
    RTPROT_REDIRECT = 1
    RTPROT_KERNEL = 2
    RTPROT_BOOT = 3
    RTPROT_STATIC = 4
    RTPROT_GATED = 8
    RTPROT_RA = 9
    RTPROT_MRT = 10
    RTPROT_ZEBRA = 11
    RTPROT_BIRD = 12
    RTPROT_DNROUTED = 13
    RTPROT_XORP = 14
    RTPROT_NTK = 15
    RTPROT_DHCP = 16
    RTPROT_MROUTED = 17
    RTPROT_KEEPALIVED = 18
    RTPROT_BABEL = 42
    RTPROT_OVN = 84
    RTPROT_OPENR = 99
    RTPROT_BGP = 186
    RTPROT_ISIS = 187
    RTPROT_OSPF = 188
    RTPROT_RIP = 189
    RTPROT_EIGRP = 192


class RT_SCOPE(KernelEnum):
    """Distance to a destination, or validity of an address: rtm_scope, ifa_scope."""

    RT_SCOPE_UNIVERSE = 0
    RT_SCOPE_SITE = 200
    RT_SCOPE_LINK = 253
    RT_SCOPE_HOST = 254
    RT_SCOPE_NOWHERE = 255


class RT_TABLE(KernelEnum):
    """Routing tables with a predefined meaning: rtm_table, RTA_TABLE.

    rtm_table is RT_TABLE_COMPAT if the number in RTA_TABLE does not fit into one byte.
    """

    RT_TABLE_UNSPEC = 0
    RT_TABLE_COMPAT = 252
    RT_TABLE_DEFAULT = 253
    RT_TABLE_MAIN = 254
    RT_TABLE_LOCAL = 255


class RTNH_F(KernelFlag):
    """Flags of one next hop: rtnh_flags."""

    RTNH_F_DEAD = 0x01
    RTNH_F_PERVASIVE = 0x02
    RTNH_F_ONLINK = 0x04
    RTNH_F_OFFLOAD = 0x08
    RTNH_F_LINKDOWN = 0x10
    RTNH_F_UNRESOLVED = 0x20
    RTNH_F_TRAP = 0x40


class RTM_F(KernelFlag, prefix=("RTM_F_", "RTNH_F_")):
    """Flags of a route: rtm_flags.

    The low byte contains RTNH_F_* flags. If a route has a single next hop, the kernel puts that
    hop's flags here (fib_dump_info in net/ipv4/fib_semantics.c, rt6_fill_node in
    net/ipv6/route.c).
    """

    RTNH_F_DEAD = RTNH_F.RTNH_F_DEAD
    RTNH_F_PERVASIVE = RTNH_F.RTNH_F_PERVASIVE
    RTNH_F_ONLINK = RTNH_F.RTNH_F_ONLINK
    RTNH_F_OFFLOAD = RTNH_F.RTNH_F_OFFLOAD
    RTNH_F_LINKDOWN = RTNH_F.RTNH_F_LINKDOWN
    RTNH_F_UNRESOLVED = RTNH_F.RTNH_F_UNRESOLVED
    RTNH_F_TRAP = RTNH_F.RTNH_F_TRAP
    RTM_F_NOTIFY = 0x100
    RTM_F_CLONED = 0x200
    RTM_F_EQUALIZE = 0x400
    RTM_F_PREFIX = 0x800
    RTM_F_LOOKUP_TABLE = 0x1000
    RTM_F_FIB_MATCH = 0x2000
    RTM_F_OFFLOAD = 0x4000
    RTM_F_TRAP = 0x8000
    RTM_F_OFFLOAD_FAILED = 0x20000000


class RTAX_FEATURE(KernelFlag):
    """TCP features in the metrics of a route: RTAX_FEATURES."""

    RTAX_FEATURE_ECN = 0x01
    RTAX_FEATURE_SACK = 0x02
    RTAX_FEATURE_TIMESTAMP = 0x04
    RTAX_FEATURE_ALLFRAG = 0x08
    RTAX_FEATURE_TCP_USEC_TS = 0x10


class RTEXT_FILTER(KernelFlag):
    """Information that a request for links adds to the reply or leaves out: IFLA_EXT_MASK."""

    RTEXT_FILTER_VF = 0x01
    RTEXT_FILTER_BRVLAN = 0x02
    RTEXT_FILTER_BRVLAN_COMPRESSED = 0x04
    RTEXT_FILTER_SKIP_STATS = 0x08
    RTEXT_FILTER_MRP = 0x10
    RTEXT_FILTER_CFM_CONFIG = 0x20
    RTEXT_FILTER_CFM_STATUS = 0x40
    RTEXT_FILTER_MST = 0x80


class rtgenmsg(Message):
    """struct rtgenmsg (linux/rtnetlink.h): the shortest header, with an address family only."""

    family: Named[AF | int] = u8(enum=AF)


# --- the family ---------------------------------------------------------------------------------

# Each module, with the message types whose classes it declares. The family imports a module when
# the user does, or when it reads the first message of one of these types.
ROUTE = Family(
    "route",
    protocol=NETLINK.NETLINK_ROUTE,
    types=RTM,
    groups=RTNLGRP,
    group_prefix="RTNLGRP_",
    modules={
        "netlink.route.addr": (
            RTM.RTM_GETADDR,
            RTM.RTM_NEWADDR,
            RTM.RTM_DELADDR,
        ),
        "netlink.route.addrlabel": (
            RTM.RTM_GETADDRLABEL,
            RTM.RTM_NEWADDRLABEL,
            RTM.RTM_DELADDRLABEL,
        ),
        "netlink.route.anycast": (
            RTM.RTM_GETANYCAST,
            RTM.RTM_NEWANYCAST,
            RTM.RTM_DELANYCAST,
        ),
        "netlink.route.cachereport": (RTM.RTM_NEWCACHEREPORT,),
        "netlink.route.dcb": (
            RTM.RTM_GETDCB,
            RTM.RTM_SETDCB,
        ),
        "netlink.route.link": (
            RTM.RTM_GETLINK,
            RTM.RTM_NEWLINK,
            RTM.RTM_DELLINK,
            RTM.RTM_SETLINK,
        ),
        "netlink.route.linkprop": (
            RTM.RTM_NEWLINKPROP,
            RTM.RTM_DELLINKPROP,
        ),
        "netlink.route.mdb": (
            RTM.RTM_GETMDB,
            RTM.RTM_NEWMDB,
            RTM.RTM_DELMDB,
        ),
        "netlink.route.multicast": (
            RTM.RTM_GETMULTICAST,
            RTM.RTM_NEWMULTICAST,
            RTM.RTM_DELMULTICAST,
        ),
        "netlink.route.nduseropt": (RTM.RTM_NEWNDUSEROPT,),
        "netlink.route.neigh": (
            RTM.RTM_GETNEIGH,
            RTM.RTM_NEWNEIGH,
            RTM.RTM_DELNEIGH,
        ),
        "netlink.route.neightbl": (
            RTM.RTM_GETNEIGHTBL,
            RTM.RTM_SETNEIGHTBL,
            RTM.RTM_NEWNEIGHTBL,
        ),
        "netlink.route.netconf": (
            RTM.RTM_GETNETCONF,
            RTM.RTM_NEWNETCONF,
            RTM.RTM_DELNETCONF,
        ),
        "netlink.route.nexthop": (
            RTM.RTM_GETNEXTHOP,
            RTM.RTM_NEWNEXTHOP,
            RTM.RTM_DELNEXTHOP,
            RTM.RTM_GETNEXTHOPBUCKET,
            RTM.RTM_NEWNEXTHOPBUCKET,
            RTM.RTM_DELNEXTHOPBUCKET,
        ),
        "netlink.route.nsid": (
            RTM.RTM_GETNSID,
            RTM.RTM_NEWNSID,
            RTM.RTM_DELNSID,
        ),
        "netlink.route.prefix": (RTM.RTM_NEWPREFIX,),
        "netlink.route.route": (
            RTM.RTM_GETROUTE,
            RTM.RTM_NEWROUTE,
            RTM.RTM_DELROUTE,
        ),
        "netlink.route.rule": (
            RTM.RTM_GETRULE,
            RTM.RTM_NEWRULE,
            RTM.RTM_DELRULE,
        ),
        "netlink.route.stats": (
            RTM.RTM_GETSTATS,
            RTM.RTM_SETSTATS,
            RTM.RTM_NEWSTATS,
        ),
        "netlink.route.tc.action": (
            RTM.RTM_GETACTION,
            RTM.RTM_NEWACTION,
            RTM.RTM_DELACTION,
        ),
        "netlink.route.tc.chain": (
            RTM.RTM_GETCHAIN,
            RTM.RTM_NEWCHAIN,
            RTM.RTM_DELCHAIN,
        ),
        "netlink.route.tc.filter": (
            RTM.RTM_GETTFILTER,
            RTM.RTM_NEWTFILTER,
            RTM.RTM_DELTFILTER,
        ),
        "netlink.route.tc.qdisc": (
            RTM.RTM_GETQDISC,
            RTM.RTM_NEWQDISC,
            RTM.RTM_DELQDISC,
        ),
        "netlink.route.tc.tclass": (
            RTM.RTM_GETTCLASS,
            RTM.RTM_NEWTCLASS,
            RTM.RTM_DELTCLASS,
        ),
        "netlink.route.tunnel": (
            RTM.RTM_GETTUNNEL,
            RTM.RTM_NEWTUNNEL,
            RTM.RTM_DELTUNNEL,
        ),
        "netlink.route.vlandb": (
            RTM.RTM_GETVLAN,
            RTM.RTM_NEWVLAN,
            RTM.RTM_DELVLAN,
        ),
    },
)
