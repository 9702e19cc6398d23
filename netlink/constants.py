"""Linux constants that several families share: protocols, message flags, address families, limits.

The numbers are those of Linux 6.12, and members keep the kernel's spelling. They are written here
because the socket module has other numbers on other systems, and captured bytes must decode
anywhere. This file must not import the rest of the package.
"""

import re
from collections.abc import Iterable
from enum import Enum, Flag, IntEnum, IntFlag
from functools import cache
from typing import Any, Self

__all__ = [
    "AF", "ALTIFNAMSIZ", "IFALIASZ", "IFNAMSIZ", "KernelEnum", "KernelFlag", "KernelNumber",
    "NETLINK", "NLA_TYPE_MASK", "NLMSG", "NLM_F", "names_of", "short_names", "spellings",
    "value_of", "words_of",
]  # fmt: skip

# Bytes of a link's name, of an alternative name and of an alias, including the NUL (linux/if.h).
IFNAMSIZ = 16
ALTIFNAMSIZ = 128
IFALIASZ = 256

NLA_TYPE_MASK = 0x3FFF  # linux/netlink.h: removes NLA_F_NESTED and NLA_F_NET_BYTEORDER


Prefix = str | tuple[str, ...] | None


class KernelEnum(IntEnum):
    """An enumeration of the kernel: an int that prints as the kernel's name.

    A format specification for numbers, such as `f"{value:#x}"`, formats the number.

    The names of the members share a prefix, which callers may omit (see `value_of`). By default it
    is the name of the class and "_". A class whose members have another prefix, or several, passes
    it: `class MDB_STATE(KernelEnum, prefix="MDB_")`.
    """

    def __init_subclass__(
        cls, *, prefix: str | tuple[str, ...] | None = None, **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        _state_prefix(cls, prefix)

    def __str__(self) -> str:
        return self.name

    def __format__(self, spec: str) -> str:
        return format(int(self), spec) if spec[-1:] in NUMERIC else format(str(self), spec)


REMEMBERED = 256  # combinations of flags that a class keeps, besides the members that it declares


class KernelFlag(IntFlag):
    """Flags of the kernel: an int that prints as names, "IFF_UP|IFF_BROADCAST"; 0 prints as "0".

    Bits without a name print as one hexadecimal number. A format specification for numbers, such as
    `f"{value:#x}"`, formats the number. KernelEnum describes `prefix`.

    The class keeps the combinations that it has seen, so that the next read is fast, but only
    REMEMBERED of them: then it forgets them all. So compare combinations with `==`, not with `is`.
    """

    @classmethod
    def _missing_(cls, value: object) -> Any:
        member = super()._missing_(value)
        forget_values(cls)
        return member

    def __init_subclass__(
        cls, *, prefix: str | tuple[str, ...] | None = None, **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        _state_prefix(cls, prefix)

    def __str__(self) -> str:
        return words_of(self)

    def __format__(self, spec: str) -> str:
        return format(int(self), spec) if spec[-1:] in NUMERIC else format(str(self), spec)


class KernelNumber(int):
    """A number of the kernel that people write as text, such as the handle "1:10" of tc.

    It is an int that prints as that text. A subclass defines __str__() and from_text(). A field
    with such a class for its `enum` reads as an instance, and accepts an int or the text.
    """

    __slots__ = ()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the number that a text stands for; raise EncodeError if it stands for none."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __format__(self, spec: str) -> str:
        return format(int(self), spec) if spec[-1:] in NUMERIC else format(str(self), spec)


def forget_values(enum: Any) -> None:
    """Forget the undeclared values of an enum if it keeps more than REMEMBERED of them.

    Python's Flag keeps each value that it ever saw, and the sender of a message chooses the values.
    """
    known = enum._value2member_map_
    if len(known) > len(enum._member_map_) + REMEMBERED:
        declared = {member._value_ for member in enum._member_map_.values()}
        for value in list(known):  # one by one: other threads look up declared members
            if value not in declared:
                known.pop(value, None)


NUMERIC = tuple("bcdoxXneEfFgG%")
PREFIXES: dict[type[Enum], tuple[str, ...]] = {}  # enums that declare their prefixes


def _state_prefix(enum: type[Enum], prefix: Prefix) -> None:
    if prefix is not None:
        PREFIXES[enum] = (prefix,) if isinstance(prefix, str) else prefix


def prefixes(enum: type[Enum]) -> tuple[str, ...]:
    """Return the prefixes of an enum's member names; the first that matches a name applies."""
    return PREFIXES.get(enum, (f"{enum.__name__}_", f"{enum.__name__.upper()}_"))


@cache
def short_names(enum: type[Enum]) -> dict[str, int]:
    """Return the short names of an enum's members, in lower case, with their numbers.

    If two short names are equal, the member with the earlier prefix gets the name.
    """
    short: dict[str, int] = {}
    known = prefixes(enum)
    by_prefix: dict[str, list[str]] = {prefix: [] for prefix in (*known, "")}
    for name in enum.__members__:
        by_prefix[next(filter(name.startswith, known), "")].append(name)
    for prefix, names in by_prefix.items():
        for name in names:
            short.setdefault(name.removeprefix(prefix).lower(), int(enum.__members__[name].value))
    return short


@cache
def spellings(enum: type[Enum]) -> dict[str, int]:
    """Return the short and the full names of an enum's members, in lower case, with their numbers.

    A full name takes precedence over an equal short name.
    """
    whole = {name.lower(): int(member.value) for name, member in enum.__members__.items()}
    return short_names(enum) | whole


def value_of(enum: type[Enum], given: str | Iterable[str | int]) -> int:
    """Return the number of an enum's member, given by name.

    The kernel's spelling is accepted with or without the common prefix, in upper or lower case, and
    with "-" instead of "_": "IF_OPER_UP" and "up". Flags accept several names, as a list or
    separated by "|", and numbers for bits without a name: "up|multicast|0x80000".

    Raises ValueError for an unknown name; the text shows the nearest name and all names.
    """
    if isinstance(given, str) and not issubclass(enum, Flag):
        return _number(enum, given)
    if not issubclass(enum, Flag):
        raise ValueError(f"expected one name of {enum.__name__}, not {type(given).__name__}")
    result = 0
    for item in given.split("|") if isinstance(given, str) else given:
        if isinstance(item, str):
            item = item.strip()
            result |= int(item, 0) if NUMBER.fullmatch(item) else _number(enum, item)
        elif isinstance(item, int):
            result |= item
        else:
            raise ValueError(f"expected names of {enum.__name__}, not {type(item).__name__}")
    return result


NUMBER = re.compile("0|[1-9][0-9]*|0x[0-9a-f]+")


def _number(enum: type[Enum], name: str) -> int:
    """Return the number of one name."""
    known = spellings(enum)
    key = name.lower().replace("-", "_")
    if key in known:
        return known[key]
    import difflib  # slow to import, and needed for errors only

    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]!r}? It has" if near else "it has"
    raise ValueError(
        f"{name!r} is not a name of {enum.__name__}; {hint}: {', '.join(short_names(enum))}"
    )


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
    """Netlink protocols, the third argument of socket(2) (linux/netlink.h)."""

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
    """Types of control messages; the types of families are higher (linux/netlink.h)."""

    NLMSG_NOOP = 1
    NLMSG_ERROR = 2
    NLMSG_DONE = 3
    NLMSG_OVERRUN = 4


class NLM_F(KernelFlag):
    """Flags of struct nlmsghdr (linux/netlink.h).

    Several names have the same bit. The kind of message determines which name applies: a get, new
    or delete request, or an acknowledgement.
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


class AF(KernelEnum, prefix=("AF_", "RTNL_FAMILY_")):
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
