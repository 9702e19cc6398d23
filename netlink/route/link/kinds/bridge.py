"""Link kind "bridge": the attributes of a bridge and of its ports.

This file only declares attributes, and is imported when the first bridge or port is used. Numbers
are from Linux 6.12 (linux/if_link.h, linux/if_bridge.h). Widths and byte order are from
net/bridge/br_netlink.c. A clock tick is 10 ms. Padding attributes are not declared.
"""

from netlink.constants import KernelEnum
from netlink.route.bridgespec import BR_STATE
from netlink.route.ether import ETH_P
from netlink.schema import (
    Addr,
    Message,
    Named,
    Nested,
    address,
    be16,
    flag,
    mac,
    nest,
    struct,
    u8,
    u16,
    u32,
    u64,
)


class BR_BOOLOPT(KernelEnum):
    """Bit numbers of the boolean options of a bridge (linux/if_bridge.h)."""

    BR_BOOLOPT_NO_LL_LEARN = 0
    BR_BOOLOPT_MCAST_VLAN_SNOOPING = 1
    BR_BOOLOPT_MST_ENABLE = 2
    BR_BOOLOPT_MDB_OFFLOAD_FAIL_NOTIFICATION = 3
    BR_BOOLOPT_FDB_LOCAL_VLAN_0 = 4


class BR_STP_MODE(KernelEnum):
    """Whether the kernel or a program runs STP (linux/if_link.h of a release after Linux 6.18)."""

    BR_STP_MODE_AUTO = 0
    BR_STP_MODE_USER = 1
    BR_STP_MODE_KERNEL = 2


class MDB_RTR_TYPE(KernelEnum):
    """How a port learns about multicast routers (linux/if_bridge.h)."""

    MDB_RTR_TYPE_DISABLED = 0
    MDB_RTR_TYPE_TEMP_QUERY = 1
    MDB_RTR_TYPE_PERM = 2
    MDB_RTR_TYPE_TEMP = 3


class ifla_bridge_id(Message):
    """struct ifla_bridge_id (linux/if_link.h): an 802.1D bridge identifier."""

    prio: int = be16()
    addr: str = mac(size=6)


class br_boolopt_multi(Message):
    """struct br_boolopt_multi (linux/if_bridge.h): bit N is option N of BR_BOOLOPT."""

    optval: int = u32()
    optmask: int = u32()


class BridgeQuerier(Message):
    """BRIDGE_QUERIER_* attributes of IFLA_BR_MCAST_QUERIER_STATE (linux/if_bridge.h).

    Ports are link indexes. Timers are in clock ticks.
    """

    ip_address: Addr = address(1, size=4)
    ip_port: int | None = u32(2)
    ip_other_timer: int | None = u64(3)
    ipv6_address: Addr = address(5, size=16)
    ipv6_port: int | None = u32(6)
    ipv6_other_timer: int | None = u64(7)


class Bridge(Message):
    """IFLA_BR_* attributes of a "bridge" (linux/if_link.h). Times and timers are in clock ticks."""

    forward_delay: int | None = u32(1)
    hello_time: int | None = u32(2)
    max_age: int | None = u32(3)
    ageing_time: int | None = u32(4)
    stp_state: int | None = u32(5)
    priority: int | None = u16(6)
    vlan_filtering: int | None = u8(7)
    vlan_protocol: Named[ETH_P | int | None] = be16(8, enum=ETH_P)
    group_fwd_mask: int | None = u16(9)
    root_id: Nested[ifla_bridge_id] = struct(10, ifla_bridge_id)
    bridge_id: Nested[ifla_bridge_id] = struct(11, ifla_bridge_id)
    root_port: int | None = u16(12)
    root_path_cost: int | None = u32(13)
    topology_change: int | None = u8(14)
    topology_change_detected: int | None = u8(15)
    hello_timer: int | None = u64(16)
    tcn_timer: int | None = u64(17)
    topology_change_timer: int | None = u64(18)
    gc_timer: int | None = u64(19)
    group_addr: str | None = mac(20)
    fdb_flush: bool = flag(21)
    mcast_router: Named[MDB_RTR_TYPE | int | None] = u8(22, enum=MDB_RTR_TYPE)
    mcast_snooping: int | None = u8(23)
    mcast_query_use_ifaddr: int | None = u8(24)
    mcast_querier: int | None = u8(25)
    mcast_hash_elasticity: int | None = u32(26)
    mcast_hash_max: int | None = u32(27)
    mcast_last_member_cnt: int | None = u32(28)
    mcast_startup_query_cnt: int | None = u32(29)
    mcast_last_member_intvl: int | None = u64(30)
    mcast_membership_intvl: int | None = u64(31)
    mcast_querier_intvl: int | None = u64(32)
    mcast_query_intvl: int | None = u64(33)
    mcast_query_response_intvl: int | None = u64(34)
    mcast_startup_query_intvl: int | None = u64(35)
    nf_call_iptables: int | None = u8(36)
    nf_call_ip6tables: int | None = u8(37)
    nf_call_arptables: int | None = u8(38)
    vlan_default_pvid: int | None = u16(39)
    vlan_stats_enabled: int | None = u8(41)
    mcast_stats_enabled: int | None = u8(42)
    mcast_igmp_version: int | None = u8(43)
    mcast_mld_version: int | None = u8(44)
    vlan_stats_per_port: int | None = u8(45)
    multi_boolopt: Nested[br_boolopt_multi] = struct(46, br_boolopt_multi)
    mcast_querier_state: Nested[BridgeQuerier] = nest(47, BridgeQuerier)
    fdb_n_learned: int | None = u32(48)
    fdb_max_learned: int | None = u32(49)
    stp_mode: Named[BR_STP_MODE | int | None] = u32(50, enum=BR_STP_MODE)  # after Linux 6.18


class BridgePort(Message):
    """IFLA_BRPORT_* attributes of a port of a "bridge" (linux/if_link.h).

    Timers are in clock ticks. A `mode` of 1 is BRIDGE_MODE_HAIRPIN. `backup_port` is a link index.
    """

    state: Named[BR_STATE | int | None] = u8(1, enum=BR_STATE)
    priority: int | None = u16(2)
    cost: int | None = u32(3)
    mode: int | None = u8(4)
    guard: int | None = u8(5)
    protect: int | None = u8(6)
    fast_leave: int | None = u8(7)
    learning: int | None = u8(8)
    unicast_flood: int | None = u8(9)
    proxyarp: int | None = u8(10)
    learning_sync: int | None = u8(11)
    proxyarp_wifi: int | None = u8(12)
    root_id: Nested[ifla_bridge_id] = struct(13, ifla_bridge_id)
    bridge_id: Nested[ifla_bridge_id] = struct(14, ifla_bridge_id)
    designated_port: int | None = u16(15)
    designated_cost: int | None = u16(16)
    id: int | None = u16(17)
    no: int | None = u16(18)
    topology_change_ack: int | None = u8(19)
    config_pending: int | None = u8(20)
    message_age_timer: int | None = u64(21)
    forward_delay_timer: int | None = u64(22)
    hold_timer: int | None = u64(23)
    flush: bool = flag(24)
    multicast_router: Named[MDB_RTR_TYPE | int | None] = u8(25, enum=MDB_RTR_TYPE)
    mcast_flood: int | None = u8(27)
    mcast_to_ucast: int | None = u8(28)
    vlan_tunnel: int | None = u8(29)
    bcast_flood: int | None = u8(30)
    group_fwd_mask: int | None = u16(31)
    neigh_suppress: int | None = u8(32)
    isolated: int | None = u8(33)
    backup_port: int | None = u32(34)
    mrp_ring_open: int | None = u8(35)
    mrp_in_open: int | None = u8(36)
    mcast_eht_hosts_limit: int | None = u32(37)
    mcast_eht_hosts_cnt: int | None = u32(38)
    locked: int | None = u8(39)
    mab: int | None = u8(40)
    mcast_n_groups: int | None = u32(41)
    mcast_max_groups: int | None = u32(42)
    neigh_vlan_suppress: int | None = u8(43)
    backup_nhid: int | None = u32(44)
    neigh_forward_grat: int | None = u8(45)  # after Linux 6.18
