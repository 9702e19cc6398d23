"""Options of router advertisements that are left to user space, such as DNS servers.

Numbers are those of Linux 6.12 (linux/rtnetlink.h); the layout is that of ndisc_ra_useropt in
net/ipv6/ndisc.c. The kernel announces them in the group "nd-useropt" and keeps none to ask for.
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
    """NDUSEROPT_* attributes, which stand behind the option (linux/rtnetlink.h)."""

    srcaddr: Addr = address(1, size=16)


class NdUserOption(nduseroptmsg):
    """An option as it came, and whom from: struct nduseroptmsg and what stands behind it."""

    data: bytes = binary()

    @property
    def opts(self) -> bytes:
        """The option: type, length in eights of bytes, and value (RFC 4861, 4.6)."""
        return self.data[: self.opts_len]

    @property
    def srcaddr(self) -> IPAddress | None:
        """The router that sent it."""
        return NdUserOptAttributes.from_bytes(self.data[self.opts_len :]).srcaddr


ROUTE.add(messages={RTM.RTM_NEWNDUSEROPT: NdUserOption})
