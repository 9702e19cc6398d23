"""Events about options of router advertisements that user space handles, such as DNS servers.

This file declares the message only; it does not parse the options. The kernel sends these events to
the group "nd-useropt". It stores no options, so this file has no op. Numbers are from Linux 6.12
(linux/rtnetlink.h), the layout from ndisc_ra_useropt in net/ipv6/ndisc.c.
"""

from netlink.constants import AF
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.schema import Addr, IPAddress, Message, Named, address, binary, pad, s32, u8, u16


class nduseroptmsg(Message):
    """struct nduseroptmsg (linux/rtnetlink.h): `opts_len` in bytes."""

    family: Named[AF | int] = u8(enum=AF)
    _pad1 = pad(1)
    opts_len: int = u16()
    ifindex: int = s32()
    icmp_type: int = u8()
    icmp_code: int = u8()
    _pad2 = pad(6)


class NdUserOptAttributes(Message):
    """NDUSEROPT_* attributes, which follow the option (linux/rtnetlink.h)."""

    srcaddr: Addr = address(1, size=16)


class NdUserOption(nduseroptmsg):
    """One option and its sender: struct nduseroptmsg, the option and NDUSEROPT_* attributes.

    `data` is everything after the header; `opts` and `srcaddr` split it.
    """

    data: bytes = binary()

    @property
    def opts(self) -> bytes:
        """The option: type, length in units of 8 bytes, and value (RFC 4861, 4.6)."""
        return self.data[: self.opts_len]

    @property
    def srcaddr(self) -> IPAddress | None:
        """The address of the router that sent the option."""
        return NdUserOptAttributes.from_bytes(self.data[self.opts_len :]).srcaddr


ROUTE.add(messages={RTM.RTM_NEWNDUSEROPT: NdUserOption})
