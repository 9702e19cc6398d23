"""Counters of links, without other attributes: struct if_stats_msg and IFLA_STATS_* attributes.

Requests and replies use the same attribute numbers with different meanings. They therefore have
different classes, which must not be mixed. Numbers are from Linux 6.12 (linux/if_link.h,
linux/if_bridge.h, linux/if_bonding.h, linux/mpls.h), widths from rtnl_fill_statsinfo in
net/core/rtnetlink.c and the functions it calls. Attributes that only pad are not declared.
"""

from netlink.constants import AF, KernelFlag
from netlink.family import Op
from netlink.route.bridgespec import BRIDGE_VLAN_INFO
from netlink.route.link import rtnl_link_stats64
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    nest,
    pad,
    repeated,
    scalars,
    struct,
    u8,
    u16,
    u32,
    u64,
)


class IFLA_STATS(KernelFlag):
    """Requested counters: filter_mask, with IFLA_STATS_FILTER_BIT() of each attribute."""

    IFLA_STATS_LINK_64 = 0x01
    IFLA_STATS_LINK_XSTATS = 0x02
    IFLA_STATS_LINK_XSTATS_SLAVE = 0x04
    IFLA_STATS_LINK_OFFLOAD_XSTATS = 0x08
    IFLA_STATS_AF_SPEC = 0x10


class IFLA_OFFLOAD_XSTATS(KernelFlag):
    """Requested hardware counters: IFLA_STATS_FILTER_BIT() of each attribute."""

    IFLA_OFFLOAD_XSTATS_CPU_HIT = 0x01
    IFLA_OFFLOAD_XSTATS_HW_S_INFO = 0x02
    IFLA_OFFLOAD_XSTATS_L3_STATS = 0x04


class bridge_vlan_xstats(Message):
    """struct bridge_vlan_xstats (linux/if_bridge.h): counters of one VLAN."""

    rx_bytes: int = u64()
    rx_packets: int = u64()
    tx_bytes: int = u64()
    tx_packets: int = u64()
    vid: int = u16()
    flags: Named[BRIDGE_VLAN_INFO] = u16(enum=BRIDGE_VLAN_INFO)
    _pad = pad(4)


class br_mcast_stats(Message):
    """struct br_mcast_stats (linux/if_bridge.h). Each pair is (received, sent)."""

    igmp_v1queries: tuple[int, ...] = scalars(u64(), length=2)
    igmp_v2queries: tuple[int, ...] = scalars(u64(), length=2)
    igmp_v3queries: tuple[int, ...] = scalars(u64(), length=2)
    igmp_leaves: tuple[int, ...] = scalars(u64(), length=2)
    igmp_v1reports: tuple[int, ...] = scalars(u64(), length=2)
    igmp_v2reports: tuple[int, ...] = scalars(u64(), length=2)
    igmp_v3reports: tuple[int, ...] = scalars(u64(), length=2)
    igmp_parse_errors: int = u64()
    mld_v1queries: tuple[int, ...] = scalars(u64(), length=2)
    mld_v2queries: tuple[int, ...] = scalars(u64(), length=2)
    mld_leaves: tuple[int, ...] = scalars(u64(), length=2)
    mld_v1reports: tuple[int, ...] = scalars(u64(), length=2)
    mld_v2reports: tuple[int, ...] = scalars(u64(), length=2)
    mld_parse_errors: int = u64()
    mcast_bytes: tuple[int, ...] = scalars(u64(), length=2)
    mcast_packets: tuple[int, ...] = scalars(u64(), length=2)


class bridge_stp_xstats(Message):
    """struct bridge_stp_xstats (linux/if_bridge.h): spanning tree counters of a port."""

    transition_blk: int = u64()
    transition_fwd: int = u64()
    rx_bpdu: int = u64()
    tx_bpdu: int = u64()
    rx_tcn: int = u64()
    tx_tcn: int = u64()


class BridgeXstats(Message):
    """BRIDGE_XSTATS_* attributes (linux/if_bridge.h)."""

    vlan: Several[bridge_vlan_xstats] = repeated(1, struct(bridge_vlan_xstats))
    mcast: Nested[br_mcast_stats] = struct(2, br_mcast_stats)
    stp: Nested[bridge_stp_xstats] = struct(4, bridge_stp_xstats)


class Bond3adStats(Message):
    """BOND_3AD_STAT_* attributes, numbered from 0 (linux/if_bonding.h)."""

    lacpdu_rx: int | None = u64(0)
    lacpdu_tx: int | None = u64(1)
    lacpdu_unknown_rx: int | None = u64(2)
    lacpdu_illegal_rx: int | None = u64(3)
    marker_rx: int | None = u64(4)
    marker_tx: int | None = u64(5)
    marker_resp_rx: int | None = u64(6)
    marker_resp_tx: int | None = u64(7)
    marker_unknown_rx: int | None = u64(8)


class BondXstats(Message):
    """BOND_XSTATS_* attributes (linux/if_bonding.h)."""

    bond_3ad: Nested[Bond3adStats] = nest(1, Bond3adStats)


class LinkXstats(Message):
    """LINK_XSTATS_TYPE_* attributes: counters of one kind of link (linux/if_link.h)."""

    bridge: Nested[BridgeXstats] = nest(1, BridgeXstats)
    bond: Nested[BondXstats] = nest(2, BondXstats)


class rtnl_hw_stats64(Message):
    """struct rtnl_hw_stats64 (linux/if_link.h): hardware counters."""

    rx_packets: int = u64()
    tx_packets: int = u64()
    rx_bytes: int = u64()
    tx_bytes: int = u64()
    rx_errors: int = u64()
    tx_errors: int = u64()
    rx_dropped: int = u64()
    tx_dropped: int = u64()
    multicast: int = u64()


class HwStatsInfo(Message):
    """IFLA_OFFLOAD_XSTATS_HW_S_INFO_* attributes: whether counters are requested, and in use.

    Both are 0 or 1.
    """

    request: int | None = u8(1)
    used: int | None = u8(2)


class HwStatsInfos(Message):
    """IFLA_OFFLOAD_XSTATS_HW_S_INFO: the state of each set of hardware counters."""

    l3_stats: Nested[HwStatsInfo] = nest(3, HwStatsInfo)


class OffloadXstats(Message):
    """IFLA_OFFLOAD_XSTATS_* attributes (linux/if_link.h)."""

    cpu_hit: Nested[rtnl_link_stats64] = struct(1, rtnl_link_stats64)
    hw_s_info: Nested[HwStatsInfos] = nest(2, HwStatsInfos)
    l3_stats: Nested[rtnl_hw_stats64] = struct(3, rtnl_hw_stats64)


class mpls_link_stats(Message):
    """struct mpls_link_stats (linux/mpls.h)."""

    rx_packets: int = u64()
    tx_packets: int = u64()
    rx_bytes: int = u64()
    tx_bytes: int = u64()
    rx_errors: int = u64()
    tx_errors: int = u64()
    rx_dropped: int = u64()
    tx_dropped: int = u64()
    rx_noroute: int = u64()


class MplsStats(Message):
    """MPLS_STATS_* attributes (linux/mpls.h)."""

    link: Nested[mpls_link_stats] = struct(1, mpls_link_stats)


class StatsAfSpec(Message):
    """IFLA_STATS_AF_SPEC: a nest for each address family (AF_*) with counters (linux/if_link.h)."""

    mpls: Nested[MplsStats] = nest(AF.AF_MPLS, MplsStats)


class if_stats_msg(Message):
    """struct if_stats_msg (linux/if_link.h)."""

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(3)
    ifindex: int = u32()
    filter_mask: Named[IFLA_STATS] = u32(enum=IFLA_STATS)


class Stats(if_stats_msg):
    """Counters of one link: struct if_stats_msg and IFLA_STATS_* attributes (linux/if_link.h)."""

    link_64: Nested[rtnl_link_stats64] = struct(1, rtnl_link_stats64)
    link_xstats: Nested[LinkXstats] = nest(2, LinkXstats)
    link_xstats_slave: Nested[LinkXstats] = nest(3, LinkXstats)
    link_offload_xstats: Nested[OffloadXstats] = nest(4, OffloadXstats)
    af_spec: Nested[StatsAfSpec] = nest(5, StatsAfSpec)


class StatsFilters(Message):
    """IFLA_STATS_GET_FILTERS: requested parts of single attributes (linux/if_link.h)."""

    link_offload_xstats: Named[IFLA_OFFLOAD_XSTATS | None] = u32(4, enum=IFLA_OFFLOAD_XSTATS)


class StatsRequest(if_stats_msg):
    """Request: struct if_stats_msg, IFLA_STATS_GET_* and IFLA_STATS_SET_* attributes.

    `filter_mask` selects the counters. It must not be 0 for `get`, and must be 0 for `set`.
    """

    get_filters: Nested[StatsFilters] = nest(1, StatsFilters)
    set_offload_xstats_l3_stats: int | None = u8(2)


get = Op("stats.get", RTM.RTM_GETSTATS, StatsRequest, reply=Stats, answer="one")
set = Op("stats.set", RTM.RTM_SETSTATS, StatsRequest)

ROUTE.add(get, set, messages={RTM.RTM_NEWSTATS: Stats})
