"""Events about prefixes that IPv6 routers advertise: struct prefixmsg and PREFIX_* attributes.

This file declares the message only. The kernel sends these events to the group "ipv6-prefix". It
stores no prefixes, so this file has no op. Numbers are from Linux 6.12 (linux/rtnetlink.h), widths
from inet6_fill_prefix in net/ipv6/addrconf.c.
"""

from netlink.constants import AF
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.schema import Addr, Message, Named, Nested, pad, s32, struct, u8, u32

# The class below has a field named `address`, which would hide this function from later fields.
from netlink.schema import address as ip


class prefix_cacheinfo(Message):
    """struct prefix_cacheinfo (linux/rtnetlink.h): lifetimes in seconds; 0xffffffff is forever."""

    preferred_time: int = u32()
    valid_time: int = u32()


class prefixmsg(Message):
    """struct prefixmsg (linux/rtnetlink.h): `type` and `flags` are the option's (RFC 4861, 4.6.2).

    `len` is the prefix length in bits.
    """

    family: Named[AF | int] = u8(enum=AF)
    _pad1 = pad(3)
    ifindex: int = s32()
    type: int = u8()
    len: int = u8()
    flags: int = u8()
    _pad2 = pad(1)


class Prefix(prefixmsg):
    """One advertised prefix: struct prefixmsg and its PREFIX_* attributes (linux/rtnetlink.h)."""

    address: Addr = ip(1, size=16)
    cacheinfo: Nested[prefix_cacheinfo] = struct(2, prefix_cacheinfo)


ROUTE.add(messages={RTM.RTM_NEWPREFIX: Prefix})
