"""What all subsystems of NETLINK_NETFILTER share: their header, groups and address families.

Other files of this folder import this file; it must not import any of them. Numbers are from Linux
6.12 (linux/netfilter/nfnetlink.h, linux/netfilter.h).
"""

from __future__ import annotations

from netlink.constants import KernelEnum
from netlink.schema import Message, Named, be16, u8


class NFNLGRP(KernelEnum):
    """Multicast groups. Joining requires CAP_NET_ADMIN."""

    NFNLGRP_CONNTRACK_NEW = 1
    NFNLGRP_CONNTRACK_UPDATE = 2
    NFNLGRP_CONNTRACK_DESTROY = 3
    NFNLGRP_CONNTRACK_EXP_NEW = 4
    NFNLGRP_CONNTRACK_EXP_UPDATE = 5
    NFNLGRP_CONNTRACK_EXP_DESTROY = 6
    NFNLGRP_NFTABLES = 7
    NFNLGRP_ACCT_QUOTA = 8
    NFNLGRP_NFTRACE = 9


class NFPROTO(KernelEnum):
    """Families of netfilter. The numbers of IPv4 and IPv6 are those of AF_INET and AF_INET6."""

    NFPROTO_UNSPEC = 0
    NFPROTO_INET = 1
    NFPROTO_IPV4 = 2
    NFPROTO_ARP = 3
    NFPROTO_NETDEV = 5
    NFPROTO_BRIDGE = 7
    NFPROTO_IPV6 = 10


class nfgenmsg(Message):
    """struct nfgenmsg. The meaning of `res_id` depends on the subsystem."""

    family: Named[NFPROTO | int] = u8(enum=NFPROTO)
    version: int = u8()
    res_id: int = be16()
