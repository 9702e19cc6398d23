"""VLANs of bridges and their ports, with options: struct br_vlan_msg, BRIDGE_VLANDB_* attributes.

IFLA_AF_SPEC of a link contains only the flags of a VLAN (afspec.py). This file adds its state,
counters, multicast settings and spanning tree; it declares messages and ops only. Numbers are from
Linux 6.12 (linux/if_bridge.h), widths from the policies in net/bridge/br_vlan.c and
br_vlan_options.c. Intervals and timers are in hundredths of a second.
"""

from netlink.constants import AF, KernelFlag
from netlink.family import Follow, Op, anything
from netlink.route.bridgespec import BR_STATE, bridge_vlan_info
from netlink.route.link import FENCE
from netlink.route.link.kinds.bridge import MDB_RTR_TYPE, BridgeQuerier
from netlink.route.mdb import RouterPorts
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    nest,
    pad,
    repeated,
    struct,
    u8,
    u16,
    u32,
    u64,
)


class BRIDGE_VLANDB_DUMPF(KernelFlag):
    """Contents of a dump: counters too, or global options only. BRIDGE_VLANDB_DUMP_FLAGS."""

    BRIDGE_VLANDB_DUMPF_STATS = 0x01
    BRIDGE_VLANDB_DUMPF_GLOBAL = 0x02


class VlanTunnel(Message):
    """BRIDGE_VLANDB_TINFO_* attributes: the tunnel ID that a VLAN is mapped to.

    In a request, `cmd` is RTM_SETLINK to add the mapping or RTM_DELLINK to remove it
    (br_vlan_modify_tunnel).
    """

    id: int | None = u32(1)
    cmd: Named[RTM | int | None] = u32(2, enum=RTM)


class VlanStats(Message):
    """BRIDGE_VLANDB_STATS_* attributes (linux/if_bridge.h)."""

    rx_bytes: int | None = u64(1)
    rx_packets: int | None = u64(2)
    tx_bytes: int | None = u64(3)
    tx_packets: int | None = u64(4)


class VlanEntry(Message):
    """BRIDGE_VLANDB_ENTRY_* attributes: one VLAN, or all from it to `range` (linux/if_bridge.h)."""

    info: Nested[bridge_vlan_info] = struct(1, bridge_vlan_info)
    range: int | None = u16(2)
    state: Named[BR_STATE | int | None] = u8(3, enum=BR_STATE)
    tunnel_info: Nested[VlanTunnel] = nest(4, VlanTunnel)
    stats: Nested[VlanStats] = nest(5, VlanStats)
    mcast_router: Named[MDB_RTR_TYPE | int | None] = u8(6, enum=MDB_RTR_TYPE)
    mcast_n_groups: int | None = u32(7)
    mcast_max_groups: int | None = u32(8)
    neigh_suppress: int | None = u8(9)


class VlanRouterPorts(Message):
    """BRIDGE_VLANDB_GOPTS_MCAST_ROUTER_PORTS, which contains MDBA_ROUTER (br_rports_fill_info)."""

    router: Nested[RouterPorts] = nest(2, RouterPorts)


class VlanGlobalOptions(Message):
    """BRIDGE_VLANDB_GOPTS_* attributes: options of a VLAN on the whole bridge."""

    id: int | None = u16(1)
    range: int | None = u16(2)
    mcast_snooping: int | None = u8(3)
    mcast_igmp_version: int | None = u8(4)
    mcast_mld_version: int | None = u8(5)
    mcast_last_member_cnt: int | None = u32(6)
    mcast_startup_query_cnt: int | None = u32(7)
    mcast_last_member_intvl: int | None = u64(8)
    mcast_membership_intvl: int | None = u64(10)
    mcast_querier_intvl: int | None = u64(11)
    mcast_query_intvl: int | None = u64(12)
    mcast_query_response_intvl: int | None = u64(13)
    mcast_startup_query_intvl: int | None = u64(14)
    mcast_querier: int | None = u8(15)
    mcast_router_ports: Nested[VlanRouterPorts] = nest(16, VlanRouterPorts)
    mcast_querier_state: Nested[BridgeQuerier] = nest(17, BridgeQuerier)
    msti: int | None = u16(18)


class br_vlan_msg(Message):
    """struct br_vlan_msg (linux/if_bridge.h). `ifindex` is the index of the bridge or the port."""

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(3)
    ifindex: int = u32()


class VlanDb(br_vlan_msg):
    """VLANs of a bridge or a port: struct br_vlan_msg and its BRIDGE_VLANDB_* attributes."""

    entry: Several[VlanEntry] = repeated(1, VlanEntry)
    global_options: Several[VlanGlobalOptions] = repeated(2, VlanGlobalOptions)


class VlanDbDump(br_vlan_msg):
    """Request for a dump: struct br_vlan_msg and its BRIDGE_VLANDB_DUMP_* attributes."""

    flags: Named[BRIDGE_VLANDB_DUMPF | None] = u32(1, enum=BRIDGE_VLANDB_DUMPF)


# The header's family is AF_BRIDGE. The kernel ignores NLM_F_CREATE, NLM_F_EXCL and NLM_F_REPLACE:
# it changes a VLAN that exists (br_vlan_rtm_process).
get = Op(  # the kernel answers dumps only
    "vlandb.get",
    RTM.RTM_GETVLAN,
    VlanDbDump,
    reply=VlanDb,
    answer="one",
    defaults={"family": AF.AF_BRIDGE},
    # A message of a dump has all VLANs of one bridge or port, an event has those that changed.
    follow=Follow(
        groups=("brvlan", "link"),
        key=("ifindex",),
        several=True,  # a long list is divided into several messages
        also={RTM.RTM_NEWLINK: None, RTM.RTM_DELLINK: None},
        fence=FENCE,
        select={"family": anything, "ifindex": None},
        ignore=(
            "entry.stats",
            "entry.state",
            "entry.mcast_n_groups",
            "global_options.mcast_querier_state",
            "global_options.mcast_router_ports",
        ),
    ),
)
set = Op("vlandb.set", RTM.RTM_NEWVLAN, VlanDb, defaults={"family": AF.AF_BRIDGE})
delete = Op("vlandb.delete", RTM.RTM_DELVLAN, VlanDb, defaults={"family": AF.AF_BRIDGE})

ROUTE.add(get, set, delete)
