"""Next hops that stand by themselves: struct nhmsg and its NHA_* attributes, groups and buckets.

Numbers are those of Linux 6.12 (linux/nexthop.h); widths and signs are those of the policies in
net/ipv4/nexthop.c. Times are in clock ticks, hundredths of a second. The plans at the end are the
words of `ip nexthop`:

    nl.do(nexthop.add(1, via="192.0.2.1", dev="eth0"))
    nl.do(nexthop.add(2, via="192.0.2.2", dev="eth0"))
    nl.do(nexthop.add(10, group={1: 1, 2: 3}))
"""

from collections.abc import Iterator, Mapping
from typing import Any

from netlink.constants import AF, NLM_F, KernelEnum, KernelFlag
from netlink.family import Op, Steps, plan
from netlink.route.encap import ENCAPS, LWTUNNEL_ENCAP, Encap, encapsulation
from netlink.route.link import Dev, dev_index
from netlink.route.rtnetlink import ROUTE, RT_SCOPE, RTM, RTNH_F, RTPROT
from netlink.route.words import U8, U16, U32, Words, family_of
from netlink.schema import (
    Addr,
    IPAddress,
    Message,
    Named,
    Nested,
    Several,
    address,
    flag,
    nest,
    pad,
    repeated,
    scalars,
    selected,
    struct,
    u8,
    u16,
    u32,
    u64,
    uint,
)


class NEXTHOP_GRP_TYPE(KernelEnum):
    """How a group chooses: NHA_GROUP_TYPE."""

    NEXTHOP_GRP_TYPE_MPATH = 0
    NEXTHOP_GRP_TYPE_RES = 1


class NHA_OP_FLAG(KernelFlag):
    """What a request asks for, and what an answer says of itself: NHA_OP_FLAGS."""

    NHA_OP_FLAG_DUMP_STATS = 0x01
    NHA_OP_FLAG_DUMP_HW_STATS = 0x02
    NHA_OP_FLAG_RESP_GRP_RESVD_0 = 0x80000000


class nexthop_grp(Message):
    """struct nexthop_grp (linux/nexthop.h): one member of a group.

    The weight less one is `weight_high << 8 | weight`; a kernel before 6.12 may send anything in
    `weight_high`, one that sets NHA_OP_FLAG_RESP_GRP_RESVD_0 does not.
    """

    id: int = u32()
    weight: int = u8()
    weight_high: int = u8()
    _pad = pad(2)


class ResGroup(Message):
    """NHA_RES_GROUP_* attributes: a resilient group's buckets and timers (linux/nexthop.h)."""

    buckets: int | None = u16(1)
    idle_timer: int | None = u32(2)
    unbalanced_timer: int | None = u32(3)
    unbalanced_time: int | None = u64(4)


class ResBucket(Message):
    """NHA_RES_BUCKET_* attributes: one bucket of a resilient group (linux/nexthop.h)."""

    index: int | None = u16(1)
    idle_time: int | None = u64(2)
    nh_id: int | None = u32(3)


class GroupStatsEntry(Message):
    """NHA_GROUP_STATS_ENTRY_* attributes: packets that one member forwarded (linux/nexthop.h)."""

    id: int | None = u32(1)
    packets: int | None = uint(2)
    packets_hw: int | None = uint(3)


class GroupStats(Message):
    """NHA_GROUP_STATS: counters of a group, member by member (linux/nexthop.h)."""

    entry: Several[GroupStatsEntry] = repeated(1, GroupStatsEntry)


class nhmsg(Message):
    """struct nhmsg (linux/nexthop.h). `scope` is the kernel's to set."""

    family: Named[AF | int] = u8(enum=AF)
    scope: Named[RT_SCOPE | int] = u8(enum=RT_SCOPE)
    protocol: Named[RTPROT | int] = u8(enum=RTPROT)
    _pad = pad(1)
    flags: Named[RTNH_F] = u32(enum=RTNH_F)


class NextHopObject(nhmsg):
    """One next hop, or a group of them: struct nhmsg and NHA_* attributes (linux/nexthop.h).

    `groups` and `master` narrow a dump, as do `oif` and `fdb`. `hw_stats_enable` and
    `hw_stats_used` are 0 or 1.
    """

    id: int | None = u32(1)
    group: Several[nexthop_grp] = scalars(2, struct(nexthop_grp))
    group_type: Named[NEXTHOP_GRP_TYPE | int | None] = u16(3, enum=NEXTHOP_GRP_TYPE)
    blackhole: bool = flag(4)
    oif: int | None = u32(5)
    gateway: Addr = address(6, by_family=True, mapped=True)
    encap_type: Named[LWTUNNEL_ENCAP | int | None] = u16(7, enum=LWTUNNEL_ENCAP)
    encap: Nested[Encap] = selected(8, "encap_type", ENCAPS)
    groups: bool = flag(9)
    master: int | None = u32(10)
    fdb: bool = flag(11)
    res_group: Nested[ResGroup] = nest(12, ResGroup)
    res_bucket: Nested[ResBucket] = nest(13, ResBucket)
    op_flags: Named[NHA_OP_FLAG | None] = u32(14, enum=NHA_OP_FLAG)
    group_stats: Nested[GroupStats] = nest(15, GroupStats)
    hw_stats_enable: int | None = u32(16)
    hw_stats_used: int | None = u32(17)


get = Op("nexthop.get", RTM.RTM_GETNEXTHOP, NextHopObject, answer="one")
new = Op(
    "nexthop.new", RTM.RTM_NEWNEXTHOP, NextHopObject, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL
)
replace = Op(
    "nexthop.replace",
    RTM.RTM_NEWNEXTHOP,
    NextHopObject,
    flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE,
)
set = Op("nexthop.set", RTM.RTM_NEWNEXTHOP, NextHopObject, flags=NLM_F.NLM_F_REPLACE)
delete = Op("nexthop.delete", RTM.RTM_DELNEXTHOP, NextHopObject)
# One bucket by the group's id and res_bucket.index; a dump may be narrowed by id, oif, master and
# res_bucket.nh_id. Buckets are the kernel's: it announces each that moves by RTM_NEWNEXTHOPBUCKET.
get_bucket = Op("nexthop.get_bucket", RTM.RTM_GETNEXTHOPBUCKET, NextHopObject, answer="one")

ROUTE.add(
    get,
    new,
    replace,
    set,
    delete,
    get_bucket,
    messages={
        RTM.RTM_NEWNEXTHOPBUCKET: NextHopObject,
        RTM.RTM_DELNEXTHOPBUCKET: NextHopObject,
    },
)


# --- plans ----------------------------------------------------------------------------------------


@plan
def add(
    id: int,
    *,
    via: IPAddress | str | None = None,
    dev: Dev | None = None,
    family: AF | int | str | None = None,
    onlink: bool = False,
    blackhole: bool = False,
    fdb: bool = False,
    encap: Encap | dict[str, Any] | None = None,
    encap_type: LWTUNNEL_ENCAP | int | str | None = None,
    group: Mapping[int, int] | None = None,
    resilient: ResGroup | dict[str, Any] | None = None,
    hw_stats: bool | None = None,
    protocol: RTPROT | int | str | None = None,
) -> Steps[None]:
    """Make a next hop, through a link or to nowhere, or a group of next hops.

    `family` is needed for IPv6 if no `via` implies it; it is AF_INET unless given. With `onlink`
    the kernel does not check that `via` is reachable. `fdb` is for forwarding entries of a VXLAN.
    `encap` is a message, or a dict of its fields beside `encap_type`.

    `group` maps ids of members to their weights, from 1 to 65535; kernels before 6.12 take up to
    256. `resilient` holds the buckets and timers (clock ticks) of a group that keeps flows in
    place. `hw_stats` counts the packets of the group in hardware.

    Raises KernelError (EEXIST; ENODEV if the link does not exist).
    """
    return (yield from _write(new, Words("nexthop.add", locals())))


@plan
def put(
    id: int,
    *,
    via: IPAddress | str | None = None,
    dev: Dev | None = None,
    family: AF | int | str | None = None,
    onlink: bool = False,
    blackhole: bool = False,
    fdb: bool = False,
    encap: Encap | dict[str, Any] | None = None,
    encap_type: LWTUNNEL_ENCAP | int | str | None = None,
    group: Mapping[int, int] | None = None,
    resilient: ResGroup | dict[str, Any] | None = None,
    hw_stats: bool | None = None,
    protocol: RTPROT | int | str | None = None,
) -> Steps[None]:
    """As add(), but replace what has the id."""
    return (yield from _write(replace, Words("nexthop.put", locals())))


@plan
def change(
    id: int,
    *,
    via: IPAddress | str | None = None,
    dev: Dev | None = None,
    family: AF | int | str | None = None,
    onlink: bool = False,
    blackhole: bool = False,
    fdb: bool = False,
    encap: Encap | dict[str, Any] | None = None,
    encap_type: LWTUNNEL_ENCAP | int | str | None = None,
    group: Mapping[int, int] | None = None,
    resilient: ResGroup | dict[str, Any] | None = None,
    hw_stats: bool | None = None,
    protocol: RTPROT | int | str | None = None,
) -> Steps[None]:
    """As put(), but raises KernelError (ENOENT) if nothing has the id."""
    return (yield from _write(set, Words("nexthop.change", locals())))


@plan
def remove(id: int) -> Steps[None]:
    """Remove a next hop or a group, and the routes that use it. Raises KernelError (ENOENT)."""
    yield delete(id=_id(Words("nexthop.remove", locals())))


def _id(words: Words) -> int:
    id = words.integer("id", 1)  # for 0 the kernel would choose one
    if id is None:
        raise words.expected("id", "an int")
    return id


def _write(op: Op[..., None, NextHopObject], words: Words) -> Steps[None]:
    fields = encapsulation(words)
    via = words.address("via")
    family = words.family()
    if via is not None:
        if family not in (None, family_of(via)):
            raise words.wrong("via", f"{via} is not of the family of the next hop")
        family = family_of(via)
    if words.has("group"):
        fields["group"] = list(_members(words))
        if family is not None:
            words.refuse("takes neither family nor via with group")
        family = AF.AF_UNSPEC
    if (resilient := words.message("resilient", ResGroup)) is not None:
        if "group" not in fields:
            words.refuse("takes resilient only with group")
        fields["res_group"] = resilient
        fields["group_type"] = NEXTHOP_GRP_TYPE.NEXTHOP_GRP_TYPE_RES
    blackhole = words.switch("blackhole")
    if family is None:
        family = AF.AF_INET if blackhole or words.has("dev") else AF.AF_UNSPEC
    counts = words.switch("hw_stats")
    yield op(
        family=family,
        id=_id(words),
        gateway=via,
        protocol=words.number("protocol", RTPROT, U8) or RTPROT.RTPROT_UNSPEC,
        flags=RTNH_F.RTNH_F_ONLINK if words.switch("onlink") else RTNH_F(0),
        blackhole=blackhole,
        fdb=words.switch("fdb"),
        hw_stats_enable=None if counts is None else int(counts),
        oif=(yield from dev_index(words)),
        **fields,
    )


def _members(words: Words) -> Iterator[nexthop_grp]:
    """The members of a group: ids and weights."""
    group = words.given["group"]
    if not isinstance(group, Mapping) or not group:
        raise words.expected("group", "a dict of ids and weights")
    for id, weight in group.items():
        for number, what in ((id, "id"), (weight, "weight")):
            high = U32 if what == "id" else U16
            if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= high:
                raise words.wrong("group", f"the {what} {number!r} is not an int from 1 to {high}")
        yield nexthop_grp(id=id, weight=weight - 1 & U8, weight_high=weight - 1 >> 8)
