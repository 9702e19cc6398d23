"""Words: checks and converts the arguments of one plan; its errors name the plan and the argument.

Plans accept what people write: "192.0.2.0/24", "default", type="blackhole",
dev="eth0". Each plan passes its arguments to a Words object and asks it for values. This file must
not depend on a particular plan or message, and it does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Flag, IntEnum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
)
from typing import Any, NamedTuple, NoReturn, TypeVar

from netlink.constants import AF, IFNAMSIZ, short_names, spellings
from netlink.errors import EncodeError
from netlink.schema import IPAddress, LinkAddr, Message, lladdr

M = TypeVar("M", bound=Message)

Network = IPv4Network | IPv6Network
Interface = IPv4Interface | IPv6Interface

ALL = ("default", "any", "all")  # the names that `ip` uses for the prefix of length 0
U8, U16, U32, U64 = 0xFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
S32 = 0x7FFFFFFF

# Names that differ between `ip` (left) and the kernel (right).
OTHER_WORDS = {
    "RT_SCOPE": {"global": "universe"},
    "LWTUNNEL_ENCAP": {"seg6local": "seg6_local"},
    "ETH_P": {"802.1q": "8021q", "802.1ad": "8021ad", "ipv4": "ip"},
    "IN6_ADDR_GEN_MODE": {"stable_secret": "stable_privacy"},
}

# Internet protocol numbers (IANA) that are useful in rules and lookups.
PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41, "gre": 47,
    "esp": 50, "ah": 51, "icmpv6": 58, "ipv6_icmp": 58, "ospf": 89, "sctp": 132, "udplite": 136,
}  # fmt: skip


class Prefix(NamedTuple):
    """An address and a prefix length in bits. Host bits may be set. "default" has no address.

    `stated` is False if the caller gave no length; `length` is then that of the whole address.
    """

    address: IPAddress | None
    length: int
    stated: bool


class LinkLayer(Message):
    """IFLA_* attributes: only the link-layer address. Words uses it to check and convert one."""

    address: LinkAddr = lladdr(1)


def family_of(address: IPAddress | Network | Interface) -> AF:
    """Return the address family of an address or a network."""
    return AF.AF_INET if address.version == 4 else AF.AF_INET6


def names_of(enum: type[IntEnum] | type[Flag]) -> dict[str, int]:
    """Return a dict of the members of an enum by short name, with the names that `ip` uses.

    >>> names_of(AF)["inet6"]
    10
    """
    names = dict(short_names(enum))
    for word, name in OTHER_WORDS.get(enum.__name__, {}).items():
        names[word] = names[name]
    return names


def near(word: str, known: Mapping[str, Any]) -> str:
    """Return a hint for an unknown name: the closest known name, or all known names."""
    import difflib  # slow to import, and needed for errors only

    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


class Words:
    """The arguments of a plan: `place` is its name, such as "route.add"; `given` its arguments.

    An argument of None counts as not given, and every method returns None for it. The methods
    check and convert all other values. They raise EncodeError, which names the plan and the
    argument: "route.add.metric: expected ...".
    """

    __slots__ = ("given", "place")

    def __init__(self, place: str, given: Mapping[str, Any]) -> None:
        self.place = place
        self.given = given

    def wrong(self, name: str, reason: str) -> EncodeError:
        """Return an EncodeError about an argument."""
        return EncodeError(reason, path=f"{self.place}.{name}", value=self.given.get(name))

    def expected(self, name: str, what: str) -> EncodeError:
        """Return an EncodeError that says what was expected, and the value of the argument."""
        return self.wrong(name, f"expected {what}, got {self.given[name]!r}")

    def refuse(self, reason: str) -> NoReturn:
        """Raise TypeError, because arguments are missing or exclude each other."""
        raise TypeError(f"{self.place}() {reason}")

    def needs_a_change(self, *besides: str, switches: Iterable[str] = ()) -> None:
        """Refuse a change that was given nothing to change.

        The arguments `besides` select the object. Those in `switches` are False by default, so
        False counts as not given. So does an empty dict.
        """
        known = {name: value for name, value in self.given.items() if name not in besides}
        for name, value in known.items():
            is_off = name in switches and value is False
            if not (value is None or value == {} or is_off):
                return
        self.refuse(f"needs something to change; it accepts: {', '.join(known)}")

    def has(self, name: str) -> bool:
        """Return whether the argument was given."""
        return self.given.get(name) is not None

    # --- numbers and names ---

    def switch(self, name: str) -> bool | None:
        """Return a bool. An int is refused."""
        value = self.given[name]
        if value is None or isinstance(value, bool):
            return value
        raise self.expected(name, "True or False")

    def integer(self, name: str, low: int = 0, high: int = U32) -> int | None:
        """Return an int from `low` to `high`, both included. A bool is refused."""
        value = self.given[name]
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.expected(name, f"an int from {low} to {high}")
        return int(value)

    def number(
        self, name: str, known: type[IntEnum] | Mapping[str, int], high: int = U32
    ) -> int | None:
        """Return an int, given as such or by name: "blackhole" for RTN_BLACKHOLE."""
        value = self.given[name]
        if not isinstance(value, str):
            return self.integer(name, high=high)
        return self._number(name, value, known)

    def bits(self, name: str, enum: type[Flag], high: int = U32) -> int | None:
        """Return flags as an int, given as such or by name: "stale", "stale|noarp" or a list."""
        value = self.given[name]
        if isinstance(value, str):
            value = value.split("|")
        elif not isinstance(value, (list, tuple, set, frozenset)):
            return self.integer(name, high=high)
        total = 0
        for word in value:
            if not isinstance(word, str):
                raise self.expected(name, "names of flags")
            total |= self._number(name, word, enum)
        return total

    def _number(
        self, name: str, word: str, known: type[IntEnum] | type[Flag] | Mapping[str, int]
    ) -> int:
        names = names_of(known) if isinstance(known, type) else known
        whole = spellings(known) if isinstance(known, type) else known
        key = word.strip().lower().replace("-", "_")
        if key not in names and key not in whole:
            raise self.wrong(name, f"unknown name {word!r}; {near(key, names)}")
        return names[key] if key in names else whole[key]

    def span(self, name: str, high: int) -> tuple[int, int] | None:
        """Return a range as (first, last), given as a number or as such a pair."""
        value = self.given[name]
        if value is None:
            return None
        ends = value if isinstance(value, (tuple, list)) else (value, value)
        if len(ends) != 2 or not all(
            isinstance(end, int) and not isinstance(end, bool) and 0 <= end <= high for end in ends
        ):
            raise self.expected(name, f"a number from 0 to {high}, or a pair (first, last)")
        if ends[0] > ends[1]:
            raise self.wrong(
                name, f"the range {ends[0]} to {ends[1]} is empty; put the smaller number first"
            )
        return int(ends[0]), int(ends[1])

    def realms(self, name: str = "realms") -> int | None:
        """Return the value of RTA_FLOW from a destination realm, or a pair (source, destination).

        A realm is a number of 16 bits; RTA_FLOW has the source realm in its upper half.
        """
        value = self.given[name]
        if not isinstance(value, (tuple, list)):
            return self.integer(name, high=U16)
        if len(value) != 2 or not all(
            isinstance(end, int) and not isinstance(end, bool) and 0 <= end <= U16 for end in value
        ):
            raise self.expected(
                name, f"a realm from 0 to {U16}, or a pair of realms (source, destination)"
            )
        return int(value[0]) << 16 | int(value[1])

    def lifetime(self, name: str) -> int | None:
        """Return a number of seconds. "forever" is 0xffffffff."""
        return self.number(name, {"forever": U32})

    # --- text ---

    def text(self, name: str, size: int = 0, *, empty: bool = False) -> str | None:
        """Return text that fits into `size` bytes including the final NUL; 0 means no limit.

        The text must not contain a NUL. It may be empty only if `empty` is True.
        """
        value = self.given[name]
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.expected(name, "a str")
        if not value and not empty:
            raise self.wrong(name, "expected a non-empty str")
        if "\0" in value:
            raise self.wrong(name, f"{value!r} contains a NUL; remove it")
        try:
            length = len(value.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:
            raise self.wrong(name, f"{value!r} cannot be encoded as UTF-8") from None
        if size and length >= size:
            raise self.wrong(name, f"{value!r} has {length} bytes; at most {size - 1} fit")
        return str(value)

    def link_name(self, name: str) -> str | None:
        """Return the name of a link. The link does not have to exist."""
        return self.text(name, IFNAMSIZ)

    def link(self, name: str = "dev") -> str | int | None:
        """Return a link, given as its name or its index. The link does not have to exist."""
        value = self.given[name]
        if value is None or isinstance(value, str):
            return self.link_name(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= S32:
            raise self.expected(name, "the name of a link, or its index")
        return int(value)

    # --- addresses ---

    def family(self, name: str = "family", *others: AF) -> AF | None:
        """Return AF_INET, AF_INET6 or one of `others`, also given by name: "inet6"."""
        value = self.number(name, AF, high=U8)
        if value is None:
            return None
        allowed = (AF.AF_INET, AF.AF_INET6, *others)
        if value not in allowed:
            raise self.expected(name, " or ".join(str(family) for family in allowed))
        return AF(value)

    def address(self, name: str) -> IPAddress | None:
        """Return an IP address."""
        value = self.given[name]
        if value is None:
            return None
        prefix = self._prefix(name, value, "an IP address")
        if prefix.stated or prefix.address is None:
            raise self.expected(name, "an IP address")
        return prefix.address

    def prefix(self, name: str, what: str = 'an address, a network or "default"') -> Prefix | None:
        """Return a prefix, given as an address, a network, or "default", "any" or "all"."""
        value = self.given[name]
        return None if value is None else self._prefix(name, value, what)

    def host(self, name: str) -> Prefix | None:
        """Return an address with the prefix length of its network, if given: "192.0.2.1/24"."""
        prefix = self.prefix(name, "an address with or without a prefix length")
        if prefix is not None and prefix.address is None:
            raise self.expected(name, "an address with or without a prefix length")
        return prefix

    def _prefix(self, name: str, value: Any, what: str) -> Prefix:
        if isinstance(value, str):
            if value in ALL:
                return Prefix(None, 0, True)
            host, slash, length = value.partition("/")
            try:
                address = ip_address(host)
                bits = _bits(length, address) if slash else address.max_prefixlen
            except ValueError:
                raise self.expected(name, what) from None
            found = Prefix(address, bits, bool(slash))
        elif isinstance(value, Interface):
            found = Prefix(value.ip, value.network.prefixlen, True)
        elif isinstance(value, Network):
            found = Prefix(value.network_address, value.prefixlen, True)
        elif isinstance(value, IPAddress):
            found = Prefix(value, value.max_prefixlen, False)
        else:
            raise self.expected(name, what)
        if isinstance(found.address, IPv6Address) and found.address.scope_id is not None:
            raise self.wrong(
                name, f"{value} contains a zone; remove it and name the link in its own argument"
            )
        return found

    def link_layer(self, name: str) -> str | IPAddress | None:
        """Return a link-layer address as text, or as an IP address if it is an IP tunnel's."""
        value = self.given[name]
        if not isinstance(value, IPAddress):
            value = self.text(name)
        try:
            return LinkLayer(address=value).address
        except EncodeError:
            what = "a link-layer address like '02:00:00:00:00:01', or the IP address of a tunnel"
            raise self.expected(name, what) from None

    # --- messages and dicts ---

    def message(self, name: str, cls: type[M]) -> M | dict[str, Any] | None:
        """Return a message of class `cls`, or a dict of its fields after checking the names."""
        value = self.given[name]
        if value is None or isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise self.expected(name, f"{cls.__name__} or a dict of its fields")
        self._check_keys(name, value, cls.__table__.names, f"{cls.__name__} has no field")
        return dict(value)

    def rows(self, name: str, known: Mapping[str, Any]) -> Iterator[Words]:
        """Yield a Words object for each dict of a list. The dicts may have the keys of `known`."""
        value = self.given[name]
        # Refuse an iterator: it would be exhausted when the plan runs a second time.
        if not isinstance(value, (list, tuple)) or not value:
            raise self.expected(name, "a non-empty list of dicts")
        for position, row in enumerate(value):
            item = f"{name}[{position}]"
            if not isinstance(row, Mapping):
                raise self.wrong(item, f"expected a dict, got {row!r}")
            self._check_keys(item, row, known, "unknown key")
            yield Words(f"{self.place}.{item}", dict.fromkeys(known) | dict(row))

    def _check_keys(
        self, name: str, value: Mapping[Any, Any], known: Mapping[str, Any], problem: str
    ) -> None:
        for key in value:
            if key not in known:
                hint = near(str(key), known)
                raise TypeError(f"{self.place}.{name}: {problem} {key!r}; {hint}")


def _bits(length: str, address: IPAddress) -> int:
    """Return a prefix length given as a number, or for IPv4 as a mask. Raises ValueError."""
    if length.isascii() and length.isdigit():
        bits = int(length)
    elif isinstance(address, IPv4Address):
        mask = int(IPv4Address(length))
        bits = 32 - (~mask & U32).bit_length()
        if mask != U32 << (32 - bits) & U32:
            raise ValueError
    else:
        raise ValueError
    if bits > address.max_prefixlen:
        raise ValueError
    return bits
