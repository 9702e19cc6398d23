"""What IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA of a link hold: one class a kind of link.

A new kind is one class here and one line in `LinkInfo` (link.py). Numbers are those of Linux 6.12
(linux/if_link.h, linux/if_bridge.h, linux/if_vlan.h, linux/if_ether.h); widths and byte order are
those of the kind's own source. Times called clock ticks are hundredths of a second. PAD
attributes, which only align what follows them, are not declared.
"""

from enum import IntEnum, IntFlag

from netlink.route.afspec import BR_STATE
from netlink.schema import (
    IPAddress,
    Message,
    address,
    be16,
    be32,
    flag,
    mac,
    nest,
    repeated,
    struct,
    u8,
    u16,
    u32,
    u64,
)


class ETH_P(IntEnum):
    """Ethernet protocols (linux/if_ether.h)."""

    ETH_P_802_3 = 0x0001
    ETH_P_AX25 = 0x0002
    ETH_P_ALL = 0x0003
    ETH_P_802_2 = 0x0004
    ETH_P_SNAP = 0x0005
    ETH_P_DDCMP = 0x0006
    ETH_P_WAN_PPP = 0x0007
    ETH_P_PPP_MP = 0x0008
    ETH_P_LOCALTALK = 0x0009
    ETH_P_CAN = 0x000C
    ETH_P_CANFD = 0x000D
    ETH_P_CANXL = 0x000E
    ETH_P_PPPTALK = 0x0010
    ETH_P_TR_802_2 = 0x0011
    ETH_P_MOBITEX = 0x0015
    ETH_P_CONTROL = 0x0016
    ETH_P_IRDA = 0x0017
    ETH_P_ECONET = 0x0018
    ETH_P_HDLC = 0x0019
    ETH_P_ARCNET = 0x001A
    ETH_P_DSA = 0x001B
    ETH_P_TRAILER = 0x001C
    ETH_P_LOOP = 0x0060
    ETH_P_PHONET = 0x00F5
    ETH_P_IEEE802154 = 0x00F6
    ETH_P_CAIF = 0x00F7
    ETH_P_XDSA = 0x00F8
    ETH_P_MAP = 0x00F9
    ETH_P_MCTP = 0x00FA
    ETH_P_PUP = 0x0200
    ETH_P_PUPAT = 0x0201
    ETH_P_IP = 0x0800
    ETH_P_X25 = 0x0805
    ETH_P_ARP = 0x0806
    ETH_P_BPQ = 0x08FF
    ETH_P_IEEEPUP = 0x0A00
    ETH_P_IEEEPUPAT = 0x0A01
    ETH_P_ERSPAN2 = 0x22EB
    ETH_P_TSN = 0x22F0
    ETH_P_BATMAN = 0x4305
    ETH_P_DEC = 0x6000
    ETH_P_DNA_DL = 0x6001
    ETH_P_DNA_RC = 0x6002
    ETH_P_DNA_RT = 0x6003
    ETH_P_LAT = 0x6004
    ETH_P_DIAG = 0x6005
    ETH_P_CUST = 0x6006
    ETH_P_SCA = 0x6007
    ETH_P_TEB = 0x6558
    ETH_P_RARP = 0x8035
    ETH_P_ATALK = 0x809B
    ETH_P_AARP = 0x80F3
    ETH_P_8021Q = 0x8100
    ETH_P_IPX = 0x8137
    ETH_P_IPV6 = 0x86DD
    ETH_P_PAUSE = 0x8808
    ETH_P_SLOW = 0x8809
    ETH_P_WCCP = 0x883E
    ETH_P_MPLS_UC = 0x8847
    ETH_P_MPLS_MC = 0x8848
    ETH_P_ATMMPOA = 0x884C
    ETH_P_PPP_DISC = 0x8863
    ETH_P_PPP_SES = 0x8864
    ETH_P_LINK_CTL = 0x886C
    ETH_P_ATMFATE = 0x8884
    ETH_P_PAE = 0x888E
    ETH_P_PROFINET = 0x8892
    ETH_P_REALTEK = 0x8899
    ETH_P_AOE = 0x88A2
    ETH_P_ETHERCAT = 0x88A4
    ETH_P_8021AD = 0x88A8
    ETH_P_802_EX1 = 0x88B5
    ETH_P_ERSPAN = 0x88BE
    ETH_P_PREAUTH = 0x88C7
    ETH_P_TIPC = 0x88CA
    ETH_P_LLDP = 0x88CC
    ETH_P_MRP = 0x88E3
    ETH_P_MACSEC = 0x88E5
    ETH_P_8021AH = 0x88E7
    ETH_P_MVRP = 0x88F5
    ETH_P_1588 = 0x88F7
    ETH_P_NCSI = 0x88F8
    ETH_P_PRP = 0x88FB
    ETH_P_CFM = 0x8902
    ETH_P_FCOE = 0x8906
    ETH_P_TDLS = 0x890D
    ETH_P_FIP = 0x8914
    ETH_P_IBOE = 0x8915
    ETH_P_80221 = 0x8917
    ETH_P_HSR = 0x892F
    ETH_P_NSH = 0x894F
    ETH_P_LOOPBACK = 0x9000
    ETH_P_QINQ1 = 0x9100
    ETH_P_QINQ2 = 0x9200
    ETH_P_QINQ3 = 0x9300
    ETH_P_EDSA = 0xDADA
    ETH_P_DSA_8021Q = 0xDADB
    ETH_P_DSA_A5PSW = 0xE001
    ETH_P_IFE = 0xED3E
    ETH_P_AF_IUCV = 0xFBFB


class BR_BOOLOPT(IntEnum):
    """Bit numbers of a bridge's boolean options (linux/if_bridge.h)."""

    BR_BOOLOPT_NO_LL_LEARN = 0
    BR_BOOLOPT_MCAST_VLAN_SNOOPING = 1
    BR_BOOLOPT_MST_ENABLE = 2


class MDB_RTR_TYPE(IntEnum):
    """Whether a multicast router is behind a port (linux/if_bridge.h)."""

    MDB_RTR_TYPE_DISABLED = 0
    MDB_RTR_TYPE_TEMP_QUERY = 1
    MDB_RTR_TYPE_PERM = 2
    MDB_RTR_TYPE_TEMP = 3


class VLAN_FLAG(IntFlag):
    """Flags of a VLAN link (linux/if_vlan.h)."""

    VLAN_FLAG_REORDER_HDR = 0x01
    VLAN_FLAG_GVRP = 0x02
    VLAN_FLAG_LOOSE_BINDING = 0x04
    VLAN_FLAG_MVRP = 0x08
    VLAN_FLAG_BRIDGE_BINDING = 0x10


class VXLAN_DF(IntEnum):
    """The outer header's "don't fragment": IFLA_VXLAN_DF (linux/if_link.h)."""

    VXLAN_DF_UNSET = 0
    VXLAN_DF_SET = 1
    VXLAN_DF_INHERIT = 2


class VXLAN_LABEL(IntEnum):
    """Where the outer flow label comes from: IFLA_VXLAN_LABEL_POLICY (linux/if_link.h)."""

    VXLAN_LABEL_FIXED = 0
    VXLAN_LABEL_INHERIT = 1


class ifla_bridge_id(Message):
    """struct ifla_bridge_id (linux/if_link.h): an 802.1D identifier."""

    prio: int = be16()
    addr: str = mac(size=6)


class br_boolopt_multi(Message):
    """struct br_boolopt_multi (linux/if_bridge.h): bit N is option N of BR_BOOLOPT."""

    optval: int = u32()
    optmask: int = u32()


class BridgeQuerier(Message):
    """BRIDGE_QUERIER_* attributes of IFLA_BR_MCAST_QUERIER_STATE (linux/if_bridge.h).

    Ports are link indexes, timers clock ticks.
    """

    ip_address: IPAddress | None = address(1)
    ip_port: int | None = u32(2)
    ip_other_timer: int | None = u64(3)
    ipv6_address: IPAddress | None = address(5)
    ipv6_port: int | None = u32(6)
    ipv6_other_timer: int | None = u64(7)


class Bridge(Message):
    """IFLA_BR_* attributes, of a "bridge" (linux/if_link.h). Times and timers in clock ticks."""

    forward_delay: int | None = u32(1)
    hello_time: int | None = u32(2)
    max_age: int | None = u32(3)
    ageing_time: int | None = u32(4)
    stp_state: int | None = u32(5)
    priority: int | None = u16(6)
    vlan_filtering: int | None = u8(7)
    vlan_protocol: ETH_P | int | None = be16(8, enum=ETH_P)
    group_fwd_mask: int | None = u16(9)
    root_id: ifla_bridge_id | None = struct(10, ifla_bridge_id)
    bridge_id: ifla_bridge_id | None = struct(11, ifla_bridge_id)
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
    mcast_router: MDB_RTR_TYPE | int | None = u8(22, enum=MDB_RTR_TYPE)
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
    multi_boolopt: br_boolopt_multi | None = struct(46, br_boolopt_multi)
    mcast_querier_state: BridgeQuerier | None = nest(47, BridgeQuerier)
    fdb_n_learned: int | None = u32(48)
    fdb_max_learned: int | None = u32(49)


class BridgePort(Message):
    """IFLA_BRPORT_* attributes, of a "bridge" port (linux/if_link.h). Timers in clock ticks."""

    state: BR_STATE | int | None = u8(1, enum=BR_STATE)
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
    root_id: ifla_bridge_id | None = struct(13, ifla_bridge_id)
    bridge_id: ifla_bridge_id | None = struct(14, ifla_bridge_id)
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
    multicast_router: MDB_RTR_TYPE | int | None = u8(25, enum=MDB_RTR_TYPE)
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


class ifla_vlan_flags(Message):
    """struct ifla_vlan_flags (linux/if_link.h): `mask` says which of `flags` to change."""

    flags: VLAN_FLAG = u32(enum=VLAN_FLAG)
    mask: int = u32()


class ifla_vlan_qos_mapping(Message):
    """struct ifla_vlan_qos_mapping (linux/if_link.h)."""

    from_: int = u32()
    to: int = u32()


class VlanQos(Message):
    """IFLA_VLAN_QOS_* attributes: from packet priority to VLAN priority, or back."""

    mapping: tuple[ifla_vlan_qos_mapping, ...] = repeated(1, struct(ifla_vlan_qos_mapping))


class Vlan(Message):
    """IFLA_VLAN_* attributes, of a "vlan" (linux/if_link.h)."""

    id: int | None = u16(1)
    flags: ifla_vlan_flags | None = struct(2, ifla_vlan_flags)
    egress_qos: VlanQos | None = nest(3, VlanQos)
    ingress_qos: VlanQos | None = nest(4, VlanQos)
    protocol: ETH_P | int | None = be16(5, enum=ETH_P)


class Vrf(Message):
    """IFLA_VRF_* attributes, of a "vrf" (linux/if_link.h)."""

    table: int | None = u32(1)


class VrfPort(Message):
    """IFLA_VRF_PORT_* attributes, of a "vrf" port (linux/if_link.h)."""

    table: int | None = u32(1)


class ifla_vxlan_port_range(Message):
    """struct ifla_vxlan_port_range (linux/if_link.h): source ports, both ends included."""

    low: int = be16()
    high: int = be16()


class Vxlan(Message):
    """IFLA_VXLAN_* attributes, of a "vxlan" (linux/if_link.h). `ageing` in seconds."""

    id: int | None = u32(1)
    group: IPAddress | None = address(2)
    link: int | None = u32(3)
    local: IPAddress | None = address(4)
    ttl: int | None = u8(5)
    tos: int | None = u8(6)
    learning: int | None = u8(7)
    ageing: int | None = u32(8)
    limit: int | None = u32(9)
    port_range: ifla_vxlan_port_range | None = struct(10, ifla_vxlan_port_range)
    proxy: int | None = u8(11)
    rsc: int | None = u8(12)
    l2miss: int | None = u8(13)
    l3miss: int | None = u8(14)
    port: int | None = be16(15)
    group6: IPAddress | None = address(16)
    local6: IPAddress | None = address(17)
    udp_csum: int | None = u8(18)
    udp_zero_csum6_tx: int | None = u8(19)
    udp_zero_csum6_rx: int | None = u8(20)
    remcsum_tx: int | None = u8(21)
    remcsum_rx: int | None = u8(22)
    gbp: bool = flag(23)
    remcsum_nopartial: bool = flag(24)
    collect_metadata: int | None = u8(25)
    label: int | None = be32(26)
    gpe: bool = flag(27)
    # The kernel sends a byte (vxlan_fill_info) but takes a flag (vxlan_policy): read only.
    ttl_inherit: int | None = u8(28)
    df: VXLAN_DF | int | None = u8(29, enum=VXLAN_DF)
    vnifilter: int | None = u8(30)
    localbypass: int | None = u8(31)
    label_policy: VXLAN_LABEL | int | None = u32(32, enum=VXLAN_LABEL)
