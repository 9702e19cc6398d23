"""Labels of IPv6 prefixes, by which a source address is chosen (RFC 6724): struct ifaddrlblmsg.

Numbers are those of Linux 6.12 (linux/if_addrlabel.h); widths are those of net/ipv6/addrlabel.c.
"""

from netlink.constants import AF, NLM_F
from netlink.family import Op
from netlink.route.rtnetlink import ROUTE, RTM, rtgenmsg
from netlink.schema import Addr, Message, Named, pad, u8, u32

# AddressLabel has a field of this name, which would hide the word from the fields after it.
from netlink.schema import address as ip


class ifaddrlblmsg(Message, bare=rtgenmsg):
    """struct ifaddrlblmsg (linux/if_addrlabel.h). `seq` counts the changes to the table."""

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(1)
    prefixlen: int = u8()
    flags: int = u8()
    index: int = u32()
    seq: int = u32()


class AddressLabel(ifaddrlblmsg):
    """The label of a prefix: struct ifaddrlblmsg and IFAL_* attributes (linux/if_addrlabel.h).

    To ask which label an address has, give it with a `prefixlen` of 128.
    """

    address: Addr = ip(1, size=16)
    label: int | None = u32(2)


get = Op(
    "addrlabel.get",
    RTM.RTM_GETADDRLABEL,
    AddressLabel,
    answer="one",
    defaults={"family": AF.AF_INET6},  # there are no others
)
# NLM_F_CREATE is not looked at, and what replaces also creates (ip6addrlbl_newdel).
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
