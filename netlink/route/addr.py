"""IP addresses of links: struct ifaddrmsg and its IFA_* attributes.

Numbers are those of Linux 6.12 (linux/if_addr.h); widths and signs are those of the policies in
net/ipv4/devinet.c and net/ipv6/addrconf.c. The plans at the end are the words of `ip address`:

    nl.do(addr.add("192.0.2.1/24", "eth0", broadcast="+"))
"""

from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Any, TypedDict, Unpack

from netlink.constants import AF, IFNAMSIZ, NLM_F, KernelEnum, KernelFlag
from netlink.family import Op, Steps, plan
from netlink.route.link import Dev, index_of
from netlink.route.rtnetlink import ROUTE, RT_SCOPE, RTM, family_of, number
from netlink.schema import Addr, IPAddress, Message, Nested, s32, string, struct, u8, u32

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


class ifaddrmsg(Message):
    """struct ifaddrmsg (linux/if_addr.h). `ifa_flags` holds the low byte of `flags` alone."""

    family: AF | int = u8(enum=AF)
    prefixlen: int = u8()
    ifa_flags: IFA_F = u8(enum=IFA_F)
    scope: RT_SCOPE | int = u8(enum=RT_SCOPE)
    index: int = u32()


class Address(ifaddrmsg):
    """One address: struct ifaddrmsg and its IFA_* attributes (linux/if_addr.h).

    `local` is the link's own address. `address` is the same, but on a point-to-point link the
    other end's; an IPv6 address without a peer comes with `address` alone.
    """

    address: Addr = ip(1)
    local: Addr = ip(2)
    label: str | None = string(3, size=IFNAMSIZ)
    broadcast: Addr = ip(4)
    anycast: Addr = ip(5)
    cacheinfo: Nested[ifa_cacheinfo] = struct(6, ifa_cacheinfo)
    multicast: Addr = ip(7)
    flags: IFA_F | None = u32(8, enum=IFA_F)
    rt_priority: int | None = u32(9)
    target_netnsid: int | None = s32(10)
    proto: IFAPROT | int | None = u8(11, enum=IFAPROT)


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
FOR_EVER = 0xFFFFFFFF


class Details(TypedDict, total=False):
    """What more there may be to say of an address; lifetimes in seconds."""

    peer: Local  # the other end of a point-to-point link
    broadcast: IPAddress | str  # "+" is the last address of the network
    label: str
    scope: RT_SCOPE | int | str
    metric: int
    valid_lft: int
    preferred_lft: int
    flags: IFA_F


@plan
def add(address: Local, dev: Dev, **details: Unpack[Details]) -> Steps[None]:
    """Give a link an address, such as "192.0.2.1/24". Raises KernelError (EEXIST)."""
    return (yield from _write(new, address, dev, details))


@plan
def put(address: Local, dev: Dev, **details: Unpack[Details]) -> Steps[None]:
    """As add(), but the details of an address that is there are changed."""
    return (yield from _write(replace, address, dev, details))


@plan
def remove(address: Local, dev: Dev, **details: Unpack[Details]) -> Steps[None]:
    """Take an address from a link. Raises KernelError (EADDRNOTAVAIL)."""
    return (yield from _write(delete, address, dev, details))


def _write(op: Op[..., Any, Any], address: Local, dev: Dev, details: Details) -> Steps[None]:
    own = ip_interface(address)
    other = ip_interface(details.get("peer", own))
    # A loopback address is of the host, as ip(8) has it; the kernel takes what it is told.
    is_host = own.version == 4 and own.is_loopback
    scope = details.get("scope", RT_SCOPE.RT_SCOPE_HOST if is_host else RT_SCOPE.RT_SCOPE_UNIVERSE)
    fields: dict[str, Any] = {
        "family": family_of(own),
        "prefixlen": other.network.prefixlen,
        "scope": number(RT_SCOPE, scope),
        "index": (yield index_of(dev)),
        "local": own.ip,
        "address": other.ip,
        "broadcast": details.get("broadcast"),
        "label": details.get("label"),
        "rt_priority": details.get("metric"),
        "flags": details.get("flags"),
    }
    if fields["broadcast"] == "+":
        fields["broadcast"] = own.network.broadcast_address
    if "valid_lft" in details or "preferred_lft" in details:
        valid = details.get("valid_lft", FOR_EVER)
        preferred = details.get("preferred_lft", valid)
        fields["cacheinfo"] = ifa_cacheinfo(valid=valid, prefered=preferred)
    yield op(**fields)
