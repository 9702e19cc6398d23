"""Next hop objects, groups of them and their buckets: struct nhmsg and its NHA_* attributes.

This file contains messages, ops and plans, and no I/O. The next hops inside a route are declared in
route.py. Numbers are from Linux 6.12 (linux/nexthop.h), widths and signs from the policies in
net/ipv4/nexthop.c. Times are in clock ticks (hundredths of a second). The plans at the end use the
words of `ip nexthop`:

    nl.do(nexthop.add(1, via="192.0.2.1", dev="eth0"))
    nl.do(nexthop.add(2, via="192.0.2.2", dev="eth0"))
    nl.do(nexthop.add(10, group={1: 1, 2: 3}))
"""

from collections.abc import Iterator, Mapping
from typing import Any

from netlink.constants import AF, NLM_F, KernelEnum, KernelFlag
from netlink.family import Follow, Op, Steps, plan
from netlink.route.encap import ENCAPS, LWTUNNEL_ENCAP, Encap, encapsulation
from netlink.route.link import FENCE, Dev, dev_index, is_down
from netlink.route.rtnetlink import ROUTE, RT_SCOPE, RTM, RTNH_F, RTPROT
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
from netlink.words import U8, U16, U32, Words, family_of


class NEXTHOP_GRP_TYPE(KernelEnum):
    """How a group selects a member: NHA_GROUP_TYPE."""

    NEXTHOP_GRP_TYPE_MPATH = 0
    NEXTHOP_GRP_TYPE_RES = 1


class NHA_OP_FLAG(KernelFlag):
    """Options of a request, and properties of a reply: NHA_OP_FLAGS."""

    NHA_OP_FLAG_DUMP_STATS = 0x01
    NHA_OP_FLAG_DUMP_HW_STATS = 0x02
    NHA_OP_FLAG_RESP_GRP_RESVD_0 = 0x80000000


class nexthop_grp(Message):
    """struct nexthop_grp (linux/nexthop.h): one member of a group.

    The weight of the member is `(weight_high << 8 | weight) + 1`. Kernels before 6.12 may send
    random bits in `weight_high`; it is valid if the reply has NHA_OP_FLAG_RESP_GRP_RESVD_0.
    """

    id: int = u32()
    weight: int = u8()
    weight_high: int = u8()
    _pad = pad(2)


class ResGroup(Message):
    """NHA_RES_GROUP_* attributes: buckets and timers of a resilient group (linux/nexthop.h)."""

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
    """NHA_GROUP_STATS: counters of each member of a group (linux/nexthop.h)."""

    entry: Several[GroupStatsEntry] = repeated(1, GroupStatsEntry)


class nhmsg(Message):
    """struct nhmsg (linux/nexthop.h). Only the kernel sets `scope`; requests leave it 0."""

    family: Named[AF | int] = u8(enum=AF)
    scope: Named[RT_SCOPE | int] = u8(enum=RT_SCOPE)
    protocol: Named[RTPROT | int] = u8(enum=RTPROT)
    _pad = pad(1)
    flags: Named[RTNH_F] = u32(enum=RTNH_F)


class NextHopObject(nhmsg):
    """One next hop, or a group of them: struct nhmsg and NHA_* attributes (linux/nexthop.h).

    In a dump request, `groups`, `master`, `oif` and `fdb` are filters. `hw_stats_enable` and
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


# The next hops of a link disappear without an event when it goes down or is deleted
# (nexthop_flush_dev), and with them the members of groups.
get = Op(
    "nexthop.get",
    RTM.RTM_GETNEXTHOP,
    NextHopObject,
    answer="one",
    follow=Follow(
        groups=("nexthop", "link"),
        key=("id",),
        new=RTM.RTM_NEWNEXTHOP,
        delete=RTM.RTM_DELNEXTHOP,
        select={
            "family": None,
            "oif": None,
            "groups": lambda found, asked: bool(found.group),
            "fdb": None,
        },
        also={RTM.RTM_NEWLINK: is_down, RTM.RTM_DELLINK: None, RTM.RTM_DELNEXTHOP: None},
        fence=FENCE,
        ignore=("flags", "op_flags", "res_group.unbalanced_time", "group_stats", "hw_stats_used"),
    ),
)
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
# Returns one bucket, selected by the ID of the group and res_bucket.index. The filters of a dump
# are id, oif, master and res_bucket.nh_id. Only the kernel changes buckets; it sends the event
# RTM_NEWNEXTHOPBUCKET when it moves one.
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
    """Add a next hop object: a next hop through a link, a blackhole, or a group of next hops.

    `family` is derived from `via`, and otherwise defaults to "inet". With `onlink` the kernel does
    not check that `via` is reachable. `fdb` makes a next hop for forwarding entries of a VXLAN.
    `encap` is a message, or a dict of its fields together with `encap_type`.

    `group` maps the IDs of the members to their weights, from 1 to 65535. Kernels before 6.12
    accept weights up to 256. `resilient` makes a group that keeps existing flows on their member;
    it contains buckets and timers (in clock ticks). `hw_stats` enables packet counters of the
    group in hardware.

    Raises KernelError: EEXIST if the ID is in use, ENODEV if the link does not exist.
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
    """Add a next hop object, or replace the one with this ID. The arguments are those of add()."""
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
    """Replace an existing next hop object. The arguments are those of add().

    Raises KernelError: ENOENT if the ID does not exist, ENODEV if the link does not exist. Raises
    TypeError if there is nothing to change.
    """
    words = Words("nexthop.change", locals())
    words.needs_a_change("id", switches=("onlink", "blackhole", "fdb"))
    return (yield from _write(set, words))


@plan
def remove(id: int) -> Steps[None]:
    """Remove a next hop or a group, and with it all routes that use it.

    Raises KernelError: ENOENT if the ID does not exist.
    """
    yield delete(id=_id(Words("nexthop.remove", locals())))


def _id(words: Words) -> int:
    id = words.integer("id", 1)  # for 0, the kernel would choose an ID
    if id is None:
        raise words.expected("id", "an int")
    return id


def _write(op: Op[..., None, NextHopObject], words: Words) -> Steps[None]:
    fields = encapsulation(words)
    via = words.address("via")
    family = words.family()
    if via is not None:
        if family not in (None, family_of(via)):
            raise words.wrong("via", f"{via} does not belong to the family {family}")
        family = family_of(via)
    if words.has("group"):
        fields["group"] = list(_members(words))
        if family is not None:
            words.refuse("accepts neither family nor via together with group")
        family = AF.AF_UNSPEC
    if (resilient := words.message("resilient", ResGroup)) is not None:
        if "group" not in fields:
            words.refuse("accepts resilient only together with group")
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
    """Yield the members of a group from a dict of IDs and weights."""
    group = words.given["group"]
    if not isinstance(group, Mapping) or not group:
        raise words.expected("group", "a non-empty dict that maps IDs to weights")
    for id, weight in group.items():
        for number, what in ((id, "id"), (weight, "weight")):
            high = U32 if what == "id" else U16
            if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= high:
                raise words.wrong("group", f"the {what} {number!r} is not an int from 1 to {high}")
        yield nexthop_grp(id=id, weight=weight - 1 & U8, weight_high=weight - 1 >> 8)
