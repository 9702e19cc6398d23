"""Labels of IPv6 prefixes: struct ifaddrlblmsg and its IFAL_* attributes.

The kernel uses these labels to select source addresses (RFC 6724). This file declares messages and
ops only. Numbers are from Linux 6.12 (linux/if_addrlabel.h), widths from net/ipv6/addrlabel.c.
"""

from netlink.constants import AF, NLM_F
from netlink.family import Op
from netlink.route.rtnetlink import ROUTE, RTM, rtgenmsg
from netlink.schema import Addr, Message, Named, pad, u8, u32

# AddressLabel has a field named `address`, which would hide this function from later fields.
from netlink.schema import address as ip


class ifaddrlblmsg(Message, bare=rtgenmsg):
    """struct ifaddrlblmsg (linux/if_addrlabel.h). `seq` is the number of changes to the table."""

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(1)
    prefixlen: int = u8()
    flags: int = u8()
    index: int = u32()
    seq: int = u32()


class AddressLabel(ifaddrlblmsg):
    """The label of a prefix: struct ifaddrlblmsg and IFAL_* attributes (linux/if_addrlabel.h).

    To look up the label of an address, send the address with a `prefixlen` of 128.
    """

    address: Addr = ip(1, size=16)
    label: int | None = u32(2)


get = Op(
    "addrlabel.get",
    RTM.RTM_GETADDRLABEL,
    AddressLabel,
    answer="one",
    defaults={"family": AF.AF_INET6},  # other families have no labels
)
# The kernel ignores NLM_F_CREATE, and NLM_F_REPLACE also creates (ip6addrlbl_newdel).
new = Op(
    "addrlabel.new", RTM.RTM_NEWADDRLABEL, AddressLabel, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL
)
replace = Op(
    "addrlabel.replace",
    RTM.RTM_NEWADDRLABEL,
    AddressLabel,
    flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE,
)
delete = Op("addrlabel.delete", RTM.RTM_DELADDRLABEL, AddressLabel)

ROUTE.add(get, new, replace, delete)
