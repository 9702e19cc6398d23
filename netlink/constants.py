"""Linux numbers that several families share: protocols, message flags, address families, bounds.

Values are Linux's own on every platform (the socket module of another system has other
numbers), so that captured bytes decode anywhere. Members keep the kernel's spelling;
numbers are those of Linux 6.12. This file imports nothing of the package.
"""

from enum import IntEnum, IntFlag
from typing import Any

__all__ = [
    "AF", "ALTIFNAMSIZ", "IFALIASZ", "IFNAMSIZ", "KernelEnum", "KernelFlag", "NETLINK",
    "NLA_TYPE_MASK", "NLMSG", "NLM_F", "names_of", "words_of",
]  # fmt: skip

# Bytes of a link's name, of its other names and of its alias, the NUL included (linux/if.h).
IFNAMSIZ = 16
ALTIFNAMSIZ = 128
IFALIASZ = 256

NLA_TYPE_MASK = 0x3FFF  # linux/netlink.h: without NLA_F_NESTED and NLA_F_NET_BYTEORDER


class KernelEnum(IntEnum):
    """An enumeration of the kernel: an int that prints as the kernel's name for it.

    A format specification for numbers, such as `f"{value:#x}"`, formats the number.
    """

    def __str__(self) -> str:
        return self.name

    def __format__(self, spec: str) -> str:
        return format(int(self), spec) if spec[-1:] in NUMERIC else format(str(self), spec)


class KernelFlag(IntFlag):
    """Bits of the kernel: an int that prints as names, "IFF_UP|IFF_BROADCAST"; 0 prints as "0".

    Bits without a name print as one hexadecimal number. A format specification for numbers, such as
    `f"{value:#x}"`, formats the number.
    """

    def __str__(self) -> str:
        return words_of(self)

    def __format__(self, spec: str) -> str:
        return format(int(self), spec) if spec[-1:] in NUMERIC else format(str(self), spec)


NUMERIC = tuple("bcdoxXneEfFgG%")


def names_of(value: Any) -> list[str | int]:
    """Return the names of the bits that are set; bits without a name follow as one int."""
    names: list[str | int] = []
    left = int(value)
    members: Any = type(value)
    for member in members:
        bits = int(member)
        if bits and bits & left == bits:
            names.append(member.name)
            left &= ~bits
    return [*names, left] if left else names


def words_of(value: Any) -> str:
    """Return flags as text: "IFF_UP|IFF_BROADCAST|0x80000000", or "0"."""
    return "|".join(n if isinstance(n, str) else f"{n:#x}" for n in names_of(value)) or "0"


class NETLINK(KernelEnum):
    """Netlink protocols: the third argument of socket(2) (linux/netlink.h)."""

    NETLINK_ROUTE = 0
    NETLINK_USERSOCK = 2
    NETLINK_FIREWALL = 3
    NETLINK_SOCK_DIAG = 4
    NETLINK_NFLOG = 5
    NETLINK_XFRM = 6
    NETLINK_SELINUX = 7
    NETLINK_ISCSI = 8
    NETLINK_AUDIT = 9
    NETLINK_FIB_LOOKUP = 10
    NETLINK_CONNECTOR = 11
    NETLINK_NETFILTER = 12
    NETLINK_IP6_FW = 13
    NETLINK_DNRTMSG = 14
    NETLINK_KOBJECT_UEVENT = 15
    NETLINK_GENERIC = 16
    NETLINK_SCSITRANSPORT = 18
    NETLINK_ECRYPTFS = 19
    NETLINK_RDMA = 20
    NETLINK_CRYPTO = 21
    NETLINK_SMC = 22


class NLMSG(KernelEnum):
    """Control message types, below every family's own (linux/netlink.h)."""

    NLMSG_NOOP = 1
    NLMSG_ERROR = 2
    NLMSG_DONE = 3
    NLMSG_OVERRUN = 4


class NLM_F(KernelFlag):
    """Flags of struct nlmsghdr (linux/netlink.h).

    The kernel gives several names to one bit; which one holds depends on the kind of request
    (get, new, delete) or on the message being an acknowledgement.
    """

    NLM_F_REQUEST = 0x01
    NLM_F_MULTI = 0x02
    NLM_F_ACK = 0x04
    NLM_F_ECHO = 0x08
    NLM_F_DUMP_INTR = 0x10
    NLM_F_DUMP_FILTERED = 0x20
    # get requests
    NLM_F_ROOT = 0x100
    NLM_F_MATCH = 0x200
    NLM_F_ATOMIC = 0x400
    NLM_F_DUMP = 0x300
    # new requests
    NLM_F_REPLACE = 0x100
    NLM_F_EXCL = 0x200
    NLM_F_CREATE = 0x400
    NLM_F_APPEND = 0x800
    # delete requests
    NLM_F_NONREC = 0x100
    NLM_F_BULK = 0x200
    # acknowledgements
    NLM_F_CAPPED = 0x100
    NLM_F_ACK_TLVS = 0x200


class AF(KernelEnum):
    """Address families that appear on the wire (linux/socket.h)."""

    AF_UNSPEC = 0
    AF_UNIX = 1
    AF_INET = 2
    AF_AX25 = 3
    AF_IPX = 4
    AF_APPLETALK = 5
    AF_NETROM = 6
    AF_BRIDGE = 7
    AF_ATMPVC = 8
    AF_X25 = 9
    AF_INET6 = 10
    AF_ROSE = 11
    AF_DECnet = 12
    AF_NETBEUI = 13
    AF_SECURITY = 14
    AF_KEY = 15
    AF_NETLINK = 16
    AF_PACKET = 17
    AF_ASH = 18
    AF_ECONET = 19
    AF_ATMSVC = 20
    AF_RDS = 21
    AF_SNA = 22
    AF_IRDA = 23
    AF_PPPOX = 24
    AF_WANPIPE = 25
    AF_LLC = 26
    AF_IB = 27
    AF_MPLS = 28
    AF_CAN = 29
    AF_TIPC = 30
    AF_BLUETOOTH = 31
    AF_IUCV = 32
    AF_RXRPC = 33
    AF_ISDN = 34
    AF_PHONET = 35
    AF_IEEE802154 = 36
    AF_CAIF = 37
    AF_ALG = 38
    AF_NFC = 39
    AF_VSOCK = 40
    AF_KCM = 41
    AF_QIPCRTR = 42
    AF_SMC = 43
    AF_XDP = 44
    AF_MCTP = 45

    RTNL_FAMILY_IPMR = 128
    RTNL_FAMILY_IP6MR = 129
