"""Neighbours (ARP, NDP) and bridge forwarding entries: struct ndmsg and its NDA_* attributes.

This file contains messages, ops and plans, and no I/O. Numbers are from Linux 6.12
(linux/neighbour.h), NTF_EXT_EXT_VALIDATED from 6.18. Widths, signs and byte order are from
net/core/neighbour.c, net/bridge/br_fdb.c and drivers/net/vxlan/vxlan_core.c. The plans at the end
use the words of `ip neighbour`:

    nl.do(neigh.add("192.0.2.7", "eth0", lladdr="02:00:00:00:00:07"))
"""

from netlink.constants import AF, NLM_F, KernelFlag
from netlink.family import Follow, Op, Steps, plan
from netlink.route.link import Dev, needed_index
from netlink.route.rtnetlink import ROUTE, RTM, RTN, RTPROT, rtgenmsg
from netlink.schema import (
    Addr,
    IPAddress,
    LinkAddr,
    Message,
    Named,
    Nested,
    address,
    be16,
    flag,
    lladdr,
    nest,
    pad,
    s32,
    struct,
    u8,
    u16,
    u32,
)
from netlink.words import U8, U16, Words, family_of


class NUD(KernelFlag):
    """State of an entry: ndm_state."""

    NUD_NONE = 0
    NUD_INCOMPLETE = 0x01
    NUD_REACHABLE = 0x02
    NUD_STALE = 0x04
    NUD_DELAY = 0x08
    NUD_PROBE = 0x10
    NUD_FAILED = 0x20
    NUD_NOARP = 0x40
    NUD_PERMANENT = 0x80


class NTF(KernelFlag):
    """Flags of an entry: ndm_flags."""

    NTF_USE = 0x01
    NTF_SELF = 0x02
    NTF_MASTER = 0x04
    NTF_PROXY = 0x08
    NTF_EXT_LEARNED = 0x10
    NTF_OFFLOADED = 0x20
    NTF_STICKY = 0x40
    NTF_ROUTER = 0x80


class NTF_EXT(KernelFlag):
    """Additional flags of an entry: NDA_FLAGS_EXT."""

    NTF_EXT_MANAGED = 0x01
    NTF_EXT_LOCKED = 0x02
    NTF_EXT_EXT_VALIDATED = 0x04


class FDB_NOTIFY(KernelFlag):
    """Activity of a forwarding entry that the kernel reports: NFEA_ACTIVITY_NOTIFY."""

    FDB_NOTIFY_BIT = 0x01
    FDB_NOTIFY_INACTIVE_BIT = 0x02


class nda_cacheinfo(Message):
    """struct nda_cacheinfo (linux/neighbour.h): ages in hundredths of a second."""

    confirmed: int = u32()
    used: int = u32()
    updated: int = u32()
    refcnt: int = u32()


class FdbExtAttrs(Message):
    """NFEA_* attributes of NDA_FDB_EXT_ATTRS (linux/neighbour.h)."""

    activity_notify: Named[FDB_NOTIFY | None] = u8(1, enum=FDB_NOTIFY)
    dont_refresh: bool = flag(2)


class ndmsg(Message, bare=rtgenmsg):
    """struct ndmsg (linux/neighbour.h). `ndm_ifindex` is the link of the entry."""

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(3)
    ndm_ifindex: int = s32()
    state: Named[NUD] = u16(enum=NUD)
    flags: Named[NTF] = u8(enum=NTF)
    type: Named[RTN | int] = u8(enum=RTN)


class Neighbour(ndmsg):
    """One neighbour, or with AF_BRIDGE one forwarding entry: struct ndmsg and NDA_* attributes.

    The link of the entry is `ndm_ifindex`. `ifindex` (NDA_IFINDEX) is something else: the link
    through which a VXLAN sends to `dst`, or in a dump request the link to dump.
    """

    dst: Addr = address(1, by_family=True)
    lladdr: LinkAddr = lladdr(2)
    cacheinfo: Nested[nda_cacheinfo] = struct(3, nda_cacheinfo)
    probes: int | None = u32(4)
    vlan: int | None = u16(5)
    port: int | None = be16(6)
    vni: int | None = u32(7)
    ifindex: int | None = u32(8)
    master: int | None = u32(9)
    link_netnsid: int | None = s32(10)
    src_vni: int | None = u32(11)
    protocol: Named[RTPROT | int | None] = u8(12, enum=RTPROT)
    nh_id: int | None = u32(13)
    fdb_ext_attrs: Nested[FdbExtAttrs] = nest(14, FdbExtAttrs)
    flags_ext: Named[NTF_EXT | None] = u32(15, enum=NTF_EXT)
    ndm_state_mask: Named[NUD | None] = u16(16, enum=NUD)
    ndm_flags_mask: Named[NTF | None] = u8(17, enum=NTF)


# neigh_get and rtnl_fdb_get answer with one message.
# The kernel reports no new neighbour that is NUD_INCOMPLETE, NUD_NOARP or NUD_NONE, and not that
# one becomes NUD_DELAY (neigh_update, neigh_timer_handler). The group carries forwarding entries of
# bridges too; a dump without a family has none of them, and no proxies.
get = Op(
    "neigh.get",
    RTM.RTM_GETNEIGH,
    Neighbour,
    answer="one",
    ends="message",
    follow=Follow(
        groups={family: ("neigh",) for family in (AF.AF_UNSPEC, AF.AF_INET, AF.AF_INET6)},
        key=("family", "ndm_ifindex", "dst"),
        new=RTM.RTM_NEWNEIGH,
        delete=RTM.RTM_DELNEIGH,
        only=lambda entry: entry.family != AF.AF_BRIDGE and not entry.flags & NTF.NTF_PROXY,
        select={
            "family": None,
            "ifindex": lambda entry, asked: entry.ndm_ifindex == asked.ifindex,
        },
        ignore=("state", "cacheinfo", "probes"),
    ),
)
new = Op("neigh.new", RTM.RTM_NEWNEIGH, Neighbour, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
replace = Op(
    "neigh.replace", RTM.RTM_NEWNEIGH, Neighbour, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE
)
# Adds a destination to a VXLAN entry for the all-zero or a multicast address (vxlan_fdb_append).
# The other tables ignore NLM_F_APPEND: an entry that exists keeps its address (neigh_add).
append = Op(
    "neigh.append", RTM.RTM_NEWNEIGH, Neighbour, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_APPEND
)
# Without NLM_F_REPLACE, neigh_add does not change the link-layer address of an entry.
set = Op("neigh.set", RTM.RTM_NEWNEIGH, Neighbour, flags=NLM_F.NLM_F_REPLACE)
delete = Op("neigh.delete", RTM.RTM_DELNEIGH, Neighbour)
# Deletes all forwarding entries of a link that match `ndm_state_mask` and the other attributes
# that the request has. The kernel supports this only with AF_BRIDGE (rtnl_fdb_del).
flush = Op("neigh.flush", RTM.RTM_DELNEIGH, Neighbour, flags=NLM_F.NLM_F_BULK)

ROUTE.add(get, new, replace, append, set, delete, flush)


# --- plans ----------------------------------------------------------------------------------------

State = NUD | int | str


@plan
def add(
    dst: IPAddress | str,
    dev: Dev,
    *,
    lladdr: IPAddress | str | None = None,
    state: State | None = None,
    proxy: bool = False,
    router: bool = False,
    extern_learn: bool = False,
    managed: bool = False,
    use: bool = False,
    protocol: RTPROT | int | str | None = None,
) -> Steps[None]:
    """Add a neighbour entry for an IP address on a link.

    `state` is one or more names: "stale", "noarp|permanent". It defaults to "permanent". With
    `managed` or `use` it defaults to "none", and the kernel resolves the address itself. With
    `proxy` this host answers requests for the address.

    Raises KernelError: EEXIST if the entry exists, EINVAL if the state requires `lladdr`, ENODEV
    if the link does not exist.
    """
    return (yield from _write(new, Words("neigh.add", locals())))


@plan
def put(
    dst: IPAddress | str,
    dev: Dev,
    *,
    lladdr: IPAddress | str | None = None,
    state: State | None = None,
    proxy: bool = False,
    router: bool = False,
    extern_learn: bool = False,
    managed: bool = False,
    use: bool = False,
    protocol: RTPROT | int | str | None = None,
) -> Steps[None]:
    """Add a neighbour entry, or replace an existing one. The arguments are those of add()."""
    return (yield from _write(replace, Words("neigh.put", locals())))


@plan
def change(
    dst: IPAddress | str,
    dev: Dev,
    *,
    lladdr: IPAddress | str | None = None,
    state: State | None = None,
    proxy: bool = False,
    router: bool = False,
    extern_learn: bool = False,
    managed: bool = False,
    use: bool = False,
    protocol: RTPROT | int | str | None = None,
) -> Steps[None]:
    """Change a neighbour entry. The arguments are those of add().

    Raises KernelError: ENOENT if the entry does not exist, ENODEV if the link does not exist.
    Raises TypeError if there is nothing to change.
    """
    words = Words("neigh.change", locals())
    words.needs_a_change(
        "dst", "dev", switches=("proxy", "router", "extern_learn", "managed", "use")
    )
    return (yield from _write(set, words))


@plan
def remove(dst: IPAddress | str, dev: Dev, *, proxy: bool = False) -> Steps[None]:
    """Remove the neighbour entry of an IP address, or with `proxy` its proxy entry.

    Raises KernelError: ENOENT if the entry does not exist, ENODEV if the link does not exist.
    """
    words = Words("neigh.remove", locals())
    address = _destination(words)
    yield delete(
        family=family_of(address),
        dst=address,
        flags=NTF.NTF_PROXY if words.switch("proxy") else NTF(0),
        ndm_ifindex=(yield from needed_index(words)),
    )


def _destination(words: Words) -> IPAddress:
    address = words.address("dst")
    if address is None:
        raise words.expected("dst", "an IP address")
    return address


def _write(op: Op[..., None, Neighbour], words: Words) -> Steps[None]:
    address = _destination(words)
    flags = NTF(0)
    for name, bit in (
        ("use", NTF.NTF_USE),
        ("proxy", NTF.NTF_PROXY),
        ("extern_learn", NTF.NTF_EXT_LEARNED),
        ("router", NTF.NTF_ROUTER),
    ):
        if words.switch(name):
            flags |= bit
    managed = words.switch("managed")
    state = words.bits("state", NUD, U16)
    if state is None:
        resolves = managed or flags & NTF.NTF_USE
        state = NUD.NUD_NONE if resolves else NUD.NUD_PERMANENT
    yield op(
        family=family_of(address),
        dst=address,
        state=state,
        flags=flags,
        lladdr=words.link_layer("lladdr"),
        protocol=words.number("protocol", RTPROT, U8),
        flags_ext=NTF_EXT.NTF_EXT_MANAGED if managed else None,
        ndm_ifindex=(yield from needed_index(words)),
    )
