"""IP addresses of links: struct ifaddrmsg and its IFA_* attributes.

This file contains messages, ops and plans, and no I/O. Numbers are from Linux 6.12
(linux/if_addr.h), widths and signs from the policies in net/ipv4/devinet.c and
net/ipv6/addrconf.c. The plans at the end use the words of `ip address`:

    nl.do(addr.add("192.0.2.1/24", "eth0", broadcast="+"))
"""

from ipaddress import IPv4Interface, IPv6Interface, ip_network

from netlink.constants import AF, IFNAMSIZ, NLM_F, KernelEnum, KernelFlag
from netlink.family import Follow, Op, Steps, plan
from netlink.route.link import Dev, needed_index
from netlink.route.rtnetlink import ROUTE, RT_SCOPE, RTM, rtgenmsg
from netlink.schema import Addr, IPAddress, Message, Named, Nested, s32, string, struct, u8, u32

# Address has a field named `address`, which would hide this function from later fields.
from netlink.schema import address as ip
from netlink.words import U8, Prefix, Words, family_of


class IFA_F(KernelFlag):
    """Flags of an address: IFA_FLAGS, and their low byte in ifa_flags."""

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
    """Origin of an address: IFA_PROTO."""

    IFAPROT_UNSPEC = 0
    IFAPROT_KERNEL_LO = 1
    IFAPROT_KERNEL_RA = 2
    IFAPROT_KERNEL_LL = 3


class ifa_cacheinfo(Message):
    """struct ifa_cacheinfo (linux/if_addr.h).

    `prefered` and `valid` are lifetimes in seconds; 0xffffffff is forever. `cstamp` and `tstamp`
    are the times of creation and of the last update, in hundredths of a second since boot.
    """

    prefered: int = u32()
    valid: int = u32()
    cstamp: int = u32()
    tstamp: int = u32()


class ifaddrmsg(Message, bare=rtgenmsg):
    """struct ifaddrmsg (linux/if_addr.h). `ifa_flags` is only the low byte of `flags`."""

    family: Named[AF | int] = u8(enum=AF)
    prefixlen: int = u8()
    ifa_flags: Named[IFA_F] = u8(enum=IFA_F)
    scope: Named[RT_SCOPE | int] = u8(enum=RT_SCOPE)
    index: int = u32()


class Address(ifaddrmsg):
    """One address: struct ifaddrmsg and its IFA_* attributes (linux/if_addr.h).

    `local` is the link's own address. `address` is the same, or on a point-to-point link the
    address of the peer. The kernel sends an IPv6 address without a peer in `address` only.
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


get = Op(
    "addr.get",
    RTM.RTM_GETADDR,
    Address,
    answer="one",
    follow=Follow(
        groups={
            AF.AF_UNSPEC: ("ipv4-ifaddr", "ipv6-ifaddr", "mctp-ifaddr", "phonet-ifaddr"),
            AF.AF_INET: ("ipv4-ifaddr",),
            AF.AF_INET6: ("ipv6-ifaddr",),
        },
        # An IPv4 link can have an address several times, with different prefixes or peers.
        key=("family", "prefixlen", "index", "address", "local"),
        new=RTM.RTM_NEWADDR,
        delete=RTM.RTM_DELADDR,
        select={"family": None, "index": None},
        ignore=("cacheinfo",),
    ),
)
new = Op("addr.new", RTM.RTM_NEWADDR, Address, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
# IPv4 and IPv6 ignore NLM_F_CREATE (inet_rtm_newaddr, inet6_rtm_newaddr). NLM_F_REPLACE therefore
# also creates, and there is no `set`.
replace = Op(
    "addr.replace", RTM.RTM_NEWADDR, Address, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE
)
delete = Op("addr.delete", RTM.RTM_DELADDR, Address)

ROUTE.add(get, new, replace, delete)


# --- plans ----------------------------------------------------------------------------------------

Local = str | IPAddress | IPv4Interface | IPv6Interface
FOREVER = 0xFFFFFFFF

# Arguments that set a bit of IFA_FLAGS, and whether only IPv6 has the flag. For IPv4, iproute2
# refuses such a flag and the kernel ignores it.
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
    """Add an address such as "192.0.2.1/24" to a link.

    `peer` is the address of the other end of a point-to-point link. The prefix length is then the
    one of `peer`. `broadcast="+"` means the last address of the network and "-" the first; there
    is none if the prefix length is 31 or 32. `scope` defaults to "host" for 127.0.0.0/8 and to
    "global" otherwise. `metric` is the metric of the route to the network. The lifetimes are in
    seconds or "forever", which is the default. The other arguments are flags as in `ip address`;
    only IPv6 has `home`, `nodad`, `optimistic` and `mngtmpaddr`.

    Raises KernelError: EEXIST if the link has the address, ENODEV if the link does not exist.
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
    """Add an address to a link, or change the lifetimes, flags and metric of an existing one.

    The arguments are those of add().
    """
    return (yield from _write(replace, Words("addr.put", locals())))


@plan
def remove(
    address: Local, dev: Dev, *, peer: Local | None = None, label: str | None = None
) -> Steps[None]:
    """Remove an address from a link.

    An IPv4 address without a prefix length or a peer matches any prefix length, as in `ip`.

    Raises KernelError: EADDRNOTAVAIL if the link does not have the address, ENODEV if the link
    does not exist.
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
    """Return the link's own address and the peer's, which is the same if there is no peer."""
    own = words.host("address")
    if own is None:
        raise words.expected("address", "an address with or without a prefix length")
    other = words.host("peer") or own
    assert own.address is not None and other.address is not None
    if own.address.version != other.address.version:
        raise words.wrong(
            "peer", f"{other.address} and {own.address} belong to different address families"
        )
    return own, other


def _label(words: Words, family: AF) -> str | None:
    label = words.text("label", IFNAMSIZ)
    if label is not None and family != AF.AF_INET:
        raise words.wrong("label", "IPv6 addresses have no label; leave it out")
    return label


def _write(op: Op[..., None, Address], words: Words) -> Steps[None]:
    own, other = _ends(words)
    assert own.address is not None
    family = family_of(own.address)
    scope = words.number("scope", RT_SCOPE, U8)
    if scope is None:  # the kernel does not choose a scope
        is_host = family == AF.AF_INET and own.address.is_loopback
        scope = RT_SCOPE.RT_SCOPE_HOST if is_host else RT_SCOPE.RT_SCOPE_UNIVERSE
    flags = IFA_F(0)
    for name, bit, only_ipv6 in FLAG_WORDS:
        if words.switch(name):
            if only_ipv6 and family != AF.AF_INET6:
                raise words.wrong(name, "only IPv6 addresses have this flag; leave it out")
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
    """Return the broadcast address: as given, or the first or last address of the network.

    The network is the peer's, as in iproute2 (ip/ipaddress.c).
    """
    if not words.has("broadcast"):
        return None
    assert other.address is not None
    if other.address.version != 4:
        raise words.wrong("broadcast", "IPv6 has no broadcast addresses; leave it out")
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
        raise words.wrong("valid_lft", "0 seconds would remove the address; use addr.remove()")
    if preferred > valid:
        words.refuse(f"needs preferred_lft <= valid_lft, got {preferred} and {valid}")
    return ifa_cacheinfo(valid=valid, prefered=preferred)
