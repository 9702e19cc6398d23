"""IP addresses of links: struct ifaddrmsg and its IFA_* attributes.

Numbers are those of Linux 6.12 (linux/if_addr.h); widths and signs are those of the policies in
net/ipv4/devinet.c and net/ipv6/addrconf.c. The plans at the end are the words of `ip address`:

    nl.do(addr.add("192.0.2.1/24", "eth0", broadcast="+"))
"""

from ipaddress import IPv4Interface, IPv6Interface, ip_network

from netlink.constants import AF, IFNAMSIZ, NLM_F, KernelEnum, KernelFlag
from netlink.family import Op, Steps, plan
from netlink.route.link import Dev, needed_index
from netlink.route.rtnetlink import ROUTE, RT_SCOPE, RTM, rtgenmsg
from netlink.route.words import U8, Prefix, Words, family_of
from netlink.schema import Addr, IPAddress, Message, Named, Nested, s32, string, struct, u8, u32

# Address has a field of this name, which would hide the word from the fields after it.
from netlink.schema import address as ip


class IFA_F(KernelFlag):
    """Flags of an address: ifa_flags and, in full, IFA_FLAGS."""

    IFA_F_SECONDARY = 0x01
    IFA_F_TEMPORARY = 0x01
    IFA_F_NODAD = 0x02
    IFA_F_OPTIMISTIC = 0x04
    IFA_F_DADFAILED = 0x08
    IFA_F_HOMEADDRESS = 0x10
    IFA_F_DEPRECATED = 0x20
    IFA_F_TENTATIVE = 0x40
    IFA_F_PERMANENT = 0x80
    IFA_F_MANAGETEMPADDR = 0x100
    IFA_F_NOPREFIXROUTE = 0x200
    IFA_F_MCAUTOJOIN = 0x400
    IFA_F_STABLE_PRIVACY = 0x800


class IFAPROT(KernelEnum):
    """Who made an address: IFA_PROTO."""

    IFAPROT_UNSPEC = 0
    IFAPROT_KERNEL_LO = 1
    IFAPROT_KERNEL_RA = 2
    IFAPROT_KERNEL_LL = 3


class ifa_cacheinfo(Message):
    """struct ifa_cacheinfo (linux/if_addr.h).

    Lifetimes in seconds, 0xffffffff for ever; stamps in hundredths of a second of uptime.
    """

    prefered: int = u32()
    valid: int = u32()
    cstamp: int = u32()
    tstamp: int = u32()


class ifaddrmsg(Message, bare=rtgenmsg):
    """struct ifaddrmsg (linux/if_addr.h). `ifa_flags` holds the low byte of `flags` alone."""

    family: Named[AF | int] = u8(enum=AF)
    prefixlen: int = u8()
    ifa_flags: Named[IFA_F] = u8(enum=IFA_F)
    scope: Named[RT_SCOPE | int] = u8(enum=RT_SCOPE)
    index: int = u32()


class Address(ifaddrmsg):
    """One address: struct ifaddrmsg and its IFA_* attributes (linux/if_addr.h).

    `local` is the link's own address. `address` is the same, but on a point-to-point link the
    other end's; an IPv6 address without a peer comes with `address` alone.
    """

    address: Addr = ip(1, by_family=True)
    local: Addr = ip(2, by_family=True)
    label: str | None = string(3, size=IFNAMSIZ)
    broadcast: Addr = ip(4, size=4)
    anycast: Addr = ip(5, size=16)
    cacheinfo: Nested[ifa_cacheinfo] = struct(6, ifa_cacheinfo)
    multicast: Addr = ip(7, by_family=True)
    flags: Named[IFA_F | None] = u32(8, enum=IFA_F)
    rt_priority: int | None = u32(9)
    target_netnsid: int | None = s32(10)
    proto: Named[IFAPROT | int | None] = u8(11, enum=IFAPROT)


get = Op("addr.get", RTM.RTM_GETADDR, Address, answer="one")
new = Op("addr.new", RTM.RTM_NEWADDR, Address, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
# Neither protocol looks at NLM_F_CREATE (inet_rtm_newaddr, inet6_rtm_newaddr): what replaces also
# creates, and there is no `set`.
replace = Op(
    "addr.replace", RTM.RTM_NEWADDR, Address, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE
)
delete = Op("addr.delete", RTM.RTM_DELADDR, Address)

ROUTE.add(get, new, replace, delete)


# --- plans ----------------------------------------------------------------------------------------

Local = str | IPAddress | IPv4Interface | IPv6Interface
FOREVER = 0xFFFFFFFF

# Arguments that are bits of IFA_FLAGS, and whether IPv6 alone has them (iproute2 refuses, the
# kernel ignores the others).
FLAG_WORDS = (
    ("home", IFA_F.IFA_F_HOMEADDRESS, True),
    ("nodad", IFA_F.IFA_F_NODAD, True),
    ("optimistic", IFA_F.IFA_F_OPTIMISTIC, True),
    ("mngtmpaddr", IFA_F.IFA_F_MANAGETEMPADDR, True),
    ("noprefixroute", IFA_F.IFA_F_NOPREFIXROUTE, False),
    ("autojoin", IFA_F.IFA_F_MCAUTOJOIN, False),
)


@plan
def add(
    address: Local,
    dev: Dev,
    *,
    peer: Local | None = None,
    broadcast: IPAddress | str | None = None,
    label: str | None = None,
    scope: RT_SCOPE | int | str | None = None,
    metric: int | None = None,
    valid_lft: int | str | None = None,
    preferred_lft: int | str | None = None,
    proto: IFAPROT | int | str | None = None,
    home: bool = False,
    nodad: bool = False,
    optimistic: bool = False,
    mngtmpaddr: bool = False,
    noprefixroute: bool = False,
    autojoin: bool = False,
) -> Steps[None]:
    """Give a link an address, such as "192.0.2.1/24".

    `peer` is the other end of a point-to-point link; the length is then that of `peer`.
    `broadcast="+"` is the last address of the network and "-" the first; networks of /31 and
    /32 have none. `scope` is "host" for 127.0.0.0/8 and otherwise "global", unless given. `metric`
    is that of the route to the network. Lifetimes are in seconds or "forever", which is the
    default of both. The other arguments are flags as in `ip address`; IPv6 alone has `home`,
    `nodad`, `optimistic` and `mngtmpaddr`.

    Raises KernelError (EEXIST; ENODEV if the link does not exist).
    """
    return (yield from _write(new, Words("addr.add", locals())))


@plan
def put(
    address: Local,
    dev: Dev,
    *,
    peer: Local | None = None,
    broadcast: IPAddress | str | None = None,
    label: str | None = None,
    scope: RT_SCOPE | int | str | None = None,
    metric: int | None = None,
    valid_lft: int | str | None = None,
    preferred_lft: int | str | None = None,
    proto: IFAPROT | int | str | None = None,
    home: bool = False,
    nodad: bool = False,
    optimistic: bool = False,
    mngtmpaddr: bool = False,
    noprefixroute: bool = False,
    autojoin: bool = False,
) -> Steps[None]:
    """As add(), but change the lifetimes, flags and metric of an address that exists."""
    return (yield from _write(replace, Words("addr.put", locals())))


@plan
def remove(
    address: Local, dev: Dev, *, peer: Local | None = None, label: str | None = None
) -> Steps[None]:
    """Take an address from a link.

    An IPv4 address without a length or a peer is removed whatever its length, as `ip` does. Raises
    KernelError (EADDRNOTAVAIL; ENODEV if the link does not exist).
    """
    words = Words("addr.remove", locals())
    own, other = _ends(words)
    assert own.address is not None
    family = family_of(own.address)
    exact = own.stated or words.has("peer") or family == AF.AF_INET6
    yield delete(
        family=family,
        prefixlen=other.length,
        index=(yield from needed_index(words)),
        local=own.address,
        address=other.address if exact else None,
        label=_label(words, family),
    )


def _ends(words: Words) -> tuple[Prefix, Prefix]:
    """The link's own address and that of the other end, which is the same without a peer."""
    own = words.host("address")
    if own is None:
        raise words.expected("address", "an address with or without a length")
    other = words.host("peer") or own
    assert own.address is not None and other.address is not None
    if own.address.version != other.address.version:
        raise words.wrong("peer", f"{other.address} is not of the family of {own.address}")
    return own, other


def _label(words: Words, family: AF) -> str | None:
    label = words.text("label", IFNAMSIZ)
    if label is not None and family != AF.AF_INET:
        raise words.wrong("label", "IPv6 addresses have no label")
    return label


def _write(op: Op[..., None, Address], words: Words) -> Steps[None]:
    own, other = _ends(words)
    assert own.address is not None
    family = family_of(own.address)
    scope = words.number("scope", RT_SCOPE, U8)
    if scope is None:  # the kernel takes what it is given
        is_host = family == AF.AF_INET and own.address.is_loopback
        scope = RT_SCOPE.RT_SCOPE_HOST if is_host else RT_SCOPE.RT_SCOPE_UNIVERSE
    flags = IFA_F(0)
    for name, bit, only_ipv6 in FLAG_WORDS:
        if words.switch(name):
            if only_ipv6 and family != AF.AF_INET6:
                raise words.wrong(name, "IPv4 addresses have no such flag")
            flags |= bit
    yield op(
        family=family,
        prefixlen=other.length,
        scope=scope,
        local=own.address,
        address=other.address,
        broadcast=_broadcast(words, other),
        label=_label(words, family),
        rt_priority=words.integer("metric"),
        flags=flags or None,
        cacheinfo=_lifetimes(words),
        proto=words.number("proto", IFAPROT, U8),
        index=(yield from needed_index(words)),
    )


def _broadcast(words: Words, other: Prefix) -> IPAddress | None:
    """The broadcast address: given, or one end of the network on the other side (ipaddress.c)."""
    if not words.has("broadcast"):
        return None
    assert other.address is not None
    if other.address.version != 4:
        raise words.wrong("broadcast", "IPv6 addresses have no broadcast address")
    if words.given["broadcast"] not in ("+", "-"):
        given = words.address("broadcast")
        assert given is not None
        if given.version != 4:
            raise words.expected("broadcast", 'an IPv4 address, "+" or "-"')
        return given
    if other.length > 30:
        return None
    network = ip_network((other.address, other.length), strict=False)
    return network[-1] if words.given["broadcast"] == "+" else network[0]


def _lifetimes(words: Words) -> ifa_cacheinfo | None:
    valid, preferred = words.lifetime("valid_lft"), words.lifetime("preferred_lft")
    if valid is None and preferred is None:
        return None
    valid = FOREVER if valid is None else valid
    preferred = FOREVER if preferred is None else preferred
    if not valid:
        raise words.wrong("valid_lft", "0 seconds would remove the address")
    if preferred > valid:
        words.refuse(f"needs a preferred_lft of at most valid_lft={valid}; it is {preferred}")
    return ifa_cacheinfo(valid=valid, prefered=preferred)
