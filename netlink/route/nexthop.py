"""Next hops that stand by themselves: struct nhmsg and its NHA_* attributes, groups and buckets.

Numbers are those of Linux 6.12 (linux/nexthop.h); widths and signs are those of the policies in
net/ipv4/nexthop.c. Times are in clock ticks, hundredths of a second. The plans at the end are the
words of `ip nexthop`:

    nl.do(nexthop.add(1, via="192.0.2.1", dev="eth0"))
    nl.do(nexthop.add(2, via="192.0.2.2", dev="eth0"))
    nl.do(nexthop.add(10, group={1: 1, 2: 3}))
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, TypedDict, Unpack

from netlink.constants import AF, NLM_F, KernelEnum, KernelFlag
from netlink.family import Op, Steps, plan
from netlink.route.encap import ENCAPS, LWTUNNEL_ENCAP, Encap
from netlink.route.link import Dev, index_of
from netlink.route.rtnetlink import ROUTE, RT_SCOPE, RTM, RTNH_F, RTPROT, family_of
from netlink.schema import (
    Addr,
    IPAddress,
    Message,
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

    family: AF | int = u8(enum=AF)
    scope: RT_SCOPE | int = u8(enum=RT_SCOPE)
    protocol: RTPROT | int = u8(enum=RTPROT)
    _pad = pad(1)
    flags: RTNH_F = u32(enum=RTNH_F)


class NextHopObject(nhmsg):
    """One next hop, or a group of them: struct nhmsg and NHA_* attributes (linux/nexthop.h).

    `groups` and `master` narrow a dump, as do `oif` and `fdb`. `hw_stats_enable` and
    `hw_stats_used` are 0 or 1.
    """

    id: int | None = u32(1)
    group: Several[nexthop_grp] = scalars(2, struct(nexthop_grp))
    group_type: NEXTHOP_GRP_TYPE | int | None = u16(3, enum=NEXTHOP_GRP_TYPE)
    blackhole: bool = flag(4)
    oif: int | None = u32(5)
    gateway: Addr = address(6)
    encap_type: LWTUNNEL_ENCAP | int | None = u16(7, enum=LWTUNNEL_ENCAP)
    encap: Nested[Encap] = selected(8, "encap_type", ENCAPS)
    groups: bool = flag(9)
    master: int | None = u32(10)
    fdb: bool = flag(11)
    res_group: Nested[ResGroup] = nest(12, ResGroup)
    res_bucket: Nested[ResBucket] = nest(13, ResBucket)
    op_flags: NHA_OP_FLAG | None = u32(14, enum=NHA_OP_FLAG)
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
    set,
    delete,
    get_bucket,
    messages={
        RTM.RTM_NEWNEXTHOPBUCKET: NextHopObject,
        RTM.RTM_DELNEXTHOPBUCKET: NextHopObject,
    },
)


# --- plans ----------------------------------------------------------------------------------------


class Way(TypedDict, total=False):
    """Where a next hop leads: through a link, nowhere, or to a group of others."""

    via: IPAddress | str
    dev: Dev
    onlink: bool  # the kernel shall not check that `via` can be reached
    blackhole: bool
    fdb: bool  # for a VXLAN's forwarding entries
    encap: Encap | dict[str, Any]  # with encap_type
    encap_type: LWTUNNEL_ENCAP | int
    group: Mapping[int, int]  # ids and their weights, 1 to 65536; above 256 from Linux 6.12 on
    resilient: ResGroup | dict[str, Any]  # buckets and timers of a group that keeps flows in place
    protocol: RTPROT | int


@plan
def add(id: int, **way: Unpack[Way]) -> Steps[None]:
    """Make a next hop or a group. Raises KernelError (EEXIST)."""
    return (yield from _write(new, id, way))


@plan
def put(id: int, **way: Unpack[Way]) -> Steps[None]:
    """As add(), but what has the id is replaced."""
    return (yield from _write(replace, id, way))


@plan
def change(id: int, **way: Unpack[Way]) -> Steps[None]:
    """As put(), but raises KernelError (ENOENT) where nothing has the id."""
    return (yield from _write(set, id, way))


@plan
def remove(id: int) -> Steps[None]:
    """Remove a next hop or a group, and the routes that use it. Raises KernelError (ENOENT)."""
    yield delete(id=id)


def _write(op: Op[..., Any, Any], id: int, way: Way) -> Steps[None]:
    fields: dict[str, Any] = {"family": AF.AF_UNSPEC if "group" in way else AF.AF_INET}
    if "via" in way:
        fields["gateway"] = ip_address(way["via"])
        fields["family"] = family_of(fields["gateway"])
    if "dev" in way:
        fields["oif"] = yield index_of(way["dev"])
    if "group" in way:
        fields["group"] = [
            nexthop_grp(id=member, weight=weight - 1 & 0xFF, weight_high=weight - 1 >> 8)
            for member, weight in way["group"].items()
        ]
    if "resilient" in way:
        fields["group_type"] = NEXTHOP_GRP_TYPE.NEXTHOP_GRP_TYPE_RES
    yield op(
        id=id,
        protocol=way.get("protocol", RTPROT.RTPROT_BOOT),
        flags=RTNH_F.RTNH_F_ONLINK if way.get("onlink") else RTNH_F(0),
        blackhole=way.get("blackhole", False),
        fdb=way.get("fdb", False),
        encap_type=way.get("encap_type"),
        encap=way.get("encap"),
        res_group=way.get("resilient"),
        **fields,
    )
