"""IFLA_AF_SPEC and IFLA_PROTINFO of a link: one class for each address family.

The contents of IFLA_AF_SPEC depend on the header's family. Usually it has one nest for each family
(`AfSpec` from the kernel, `AfSpecSet` in a request). With AF_BRIDGE it has IFLA_BRIDGE_* attributes
(`BridgeSpec`). This file must not depend on the link message, which imports it. Numbers are from
Linux 6.12: linux/if_link.h, {if,mrp,cfm}_bridge.h, ip.h and ipv6.h. Widths are from
net/bridge/br_{netlink,mrp_netlink,cfm_netlink,mst}.c, net/ipv4/devinet.c, net/ipv6/addrconf.c and
net/mctp/device.c.

The kernel sends the sysctls of a link as C arrays. New sysctls are added only at the end, so this
file declares the arrays as structs with one member for each index. The counters of a link are
arrays too, but their order is not stable: it changed between Linux 6.12 and 6.18.
"""

from netlink.constants import AF, KernelEnum, KernelFlag
from netlink.schema import (
    Addr,
    Message,
    Named,
    Nested,
    Several,
    address,
    binary,
    mac,
    nest,
    repeated,
    s32,
    scalars,
    struct,
    u8,
    u16,
    u32,
    u64,
)


class IN6_ADDR_GEN_MODE(KernelEnum):
    """How a link generates IPv6 addresses: IFLA_INET6_ADDR_GEN_MODE (linux/if_link.h)."""

    IN6_ADDR_GEN_MODE_EUI64 = 0
    IN6_ADDR_GEN_MODE_NONE = 1
    IN6_ADDR_GEN_MODE_STABLE_PRIVACY = 2
    IN6_ADDR_GEN_MODE_RANDOM = 3


class BRIDGE_FLAGS(KernelFlag):
    """Target of a request: the bridge or the port's own driver. IFLA_BRIDGE_FLAGS."""

    BRIDGE_FLAGS_MASTER = 0x01
    BRIDGE_FLAGS_SELF = 0x02


class BRIDGE_MODE(KernelEnum):
    """Mode of a hardware bridge: IFLA_BRIDGE_MODE (linux/if_bridge.h)."""

    BRIDGE_MODE_VEB = 0
    BRIDGE_MODE_VEPA = 1
    BRIDGE_MODE_UNDEF = 0xFFFF


class BRIDGE_VLAN_INFO(KernelFlag):
    """Flags of a VLAN on a bridge port (linux/if_bridge.h)."""

    BRIDGE_VLAN_INFO_MASTER = 0x01
    BRIDGE_VLAN_INFO_PVID = 0x02
    BRIDGE_VLAN_INFO_UNTAGGED = 0x04
    BRIDGE_VLAN_INFO_RANGE_BEGIN = 0x08
    BRIDGE_VLAN_INFO_RANGE_END = 0x10
    BRIDGE_VLAN_INFO_BRENTRY = 0x20
    BRIDGE_VLAN_INFO_ONLY_OPTS = 0x40


class BR_STATE(KernelEnum):
    """State of a bridge port in the spanning tree (linux/if_bridge.h)."""

    BR_STATE_DISABLED = 0
    BR_STATE_LISTENING = 1
    BR_STATE_LEARNING = 2
    BR_STATE_FORWARDING = 3
    BR_STATE_BLOCKING = 4


class BR_MRP_RING_ROLE(KernelEnum):
    """Role of a bridge in an MRP ring (linux/mrp_bridge.h)."""

    BR_MRP_RING_ROLE_DISABLED = 0
    BR_MRP_RING_ROLE_MRC = 1
    BR_MRP_RING_ROLE_MRM = 2
    BR_MRP_RING_ROLE_MRA = 3


class BR_MRP_IN_ROLE(KernelEnum):
    """Role of a bridge in the interconnection of two MRP rings (linux/mrp_bridge.h)."""

    BR_MRP_IN_ROLE_DISABLED = 0
    BR_MRP_IN_ROLE_MIC = 1
    BR_MRP_IN_ROLE_MIM = 2


class BR_MRP_RING_STATE(KernelEnum):
    """State of an MRP ring (linux/mrp_bridge.h)."""

    BR_MRP_RING_STATE_OPEN = 0
    BR_MRP_RING_STATE_CLOSED = 1


class BR_MRP_IN_STATE(KernelEnum):
    """State of the interconnection of two MRP rings (linux/mrp_bridge.h)."""

    BR_MRP_IN_STATE_OPEN = 0
    BR_MRP_IN_STATE_CLOSED = 1


class BR_MRP_PORT_STATE(KernelEnum):
    """State of a port in an MRP ring (linux/mrp_bridge.h)."""

    BR_MRP_PORT_STATE_DISABLED = 0
    BR_MRP_PORT_STATE_BLOCKED = 1
    BR_MRP_PORT_STATE_FORWARDING = 2
    BR_MRP_PORT_STATE_NOT_CONNECTED = 3


class BR_MRP_PORT_ROLE(KernelEnum):
    """Role of a port in an MRP ring (linux/mrp_bridge.h)."""

    BR_MRP_PORT_ROLE_PRIMARY = 0
    BR_MRP_PORT_ROLE_SECONDARY = 1
    BR_MRP_PORT_ROLE_INTER = 2


class BR_CFM_DOMAIN(KernelEnum, prefix="BR_CFM_"):
    """Domain that a CFM end point monitors: enum br_cfm_domain (linux/cfm_bridge.h)."""

    BR_CFM_PORT = 0
    BR_CFM_VLAN = 1


class BR_CFM_MEP_DIRECTION(KernelEnum):
    """Direction of a CFM end point (linux/cfm_bridge.h)."""

    BR_CFM_MEP_DIRECTION_DOWN = 0
    BR_CFM_MEP_DIRECTION_UP = 1


class BR_CFM_CCM_INTERVAL(KernelEnum):
    """Interval between CFM continuity check messages (linux/cfm_bridge.h)."""

    BR_CFM_CCM_INTERVAL_NONE = 0
    BR_CFM_CCM_INTERVAL_3_3_MS = 1
    BR_CFM_CCM_INTERVAL_10_MS = 2
    BR_CFM_CCM_INTERVAL_100_MS = 3
    BR_CFM_CCM_INTERVAL_1_SEC = 4
    BR_CFM_CCM_INTERVAL_10_SEC = 5
    BR_CFM_CCM_INTERVAL_1_MIN = 6
    BR_CFM_CCM_INTERVAL_10_MIN = 7


# --- inet, inet6, mctp ----------------------------------------------------------------------------


class ipv4_devconf(Message):
    """The IPv4 sysctls of a link, in the order of IPV4_DEVCONF_* (linux/ip.h)."""

    forwarding: int = s32()
    mc_forwarding: int = s32()
    proxy_arp: int = s32()
    accept_redirects: int = s32()
    secure_redirects: int = s32()
    send_redirects: int = s32()
    shared_media: int = s32()
    rp_filter: int = s32()
    accept_source_route: int = s32()
    bootp_relay: int = s32()
    log_martians: int = s32()
    tag: int = s32()
    arpfilter: int = s32()
    medium_id: int = s32()
    noxfrm: int = s32()
    nopolicy: int = s32()
    force_igmp_version: int = s32()
    arp_announce: int = s32()
    arp_ignore: int = s32()
    promote_secondaries: int = s32()
    arp_accept: int = s32()
    arp_notify: int = s32()
    accept_local: int = s32()
    src_vmark: int = s32()
    proxy_arp_pvlan: int = s32()
    route_localnet: int = s32()
    igmpv2_unsolicited_report_interval: int = s32()
    igmpv3_unsolicited_report_interval: int = s32()
    ignore_routes_with_linkdown: int = s32()
    drop_unicast_in_l2_multicast: int = s32()
    drop_gratuitous_arp: int = s32()
    bc_forwarding: int = s32()
    arp_evict_nocarrier: int = s32()


class ipv6_devconf(Message):
    """The IPv6 sysctls of a link, in the order of DEVCONF_* (linux/ipv6.h).

    Intervals are in milliseconds.
    """

    forwarding: int = s32()
    hoplimit: int = s32()
    mtu6: int = s32()
    accept_ra: int = s32()
    accept_redirects: int = s32()
    autoconf: int = s32()
    dad_transmits: int = s32()
    rtr_solicits: int = s32()
    rtr_solicit_interval: int = s32()
    rtr_solicit_delay: int = s32()
    use_tempaddr: int = s32()
    temp_valid_lft: int = s32()
    temp_prefered_lft: int = s32()
    regen_max_retry: int = s32()
    max_desync_factor: int = s32()
    max_addresses: int = s32()
    force_mld_version: int = s32()
    accept_ra_defrtr: int = s32()
    accept_ra_pinfo: int = s32()
    accept_ra_rtr_pref: int = s32()
    rtr_probe_interval: int = s32()
    accept_ra_rt_info_max_plen: int = s32()
    proxy_ndp: int = s32()
    optimistic_dad: int = s32()
    accept_source_route: int = s32()
    mc_forwarding: int = s32()
    disable_ipv6: int = s32()
    accept_dad: int = s32()
    force_tllao: int = s32()
    ndisc_notify: int = s32()
    mldv1_unsolicited_report_interval: int = s32()
    mldv2_unsolicited_report_interval: int = s32()
    suppress_frag_ndisc: int = s32()
    accept_ra_from_local: int = s32()
    use_optimistic: int = s32()
    accept_ra_mtu: int = s32()
    stable_secret: int = s32()
    use_oif_addrs_only: int = s32()
    accept_ra_min_hop_limit: int = s32()
    ignore_routes_with_linkdown: int = s32()
    drop_unicast_in_l2_multicast: int = s32()
    drop_unsolicited_na: int = s32()
    keep_addr_on_down: int = s32()
    rtr_solicit_max_interval: int = s32()
    seg6_enabled: int = s32()
    seg6_require_hmac: int = s32()
    enhanced_dad: int = s32()
    addr_gen_mode: int = s32()
    disable_policy: int = s32()
    accept_ra_rt_info_min_plen: int = s32()
    ndisc_tclass: int = s32()
    rpl_seg_enabled: int = s32()
    ra_defrtr_metric: int = s32()
    ioam6_enabled: int = s32()
    ioam6_id: int = s32()
    ioam6_id_wide: int = s32()
    ndisc_evict_nocarrier: int = s32()
    accept_untracked_na: int = s32()
    accept_ra_min_lft: int = s32()


class ifla_cacheinfo(Message):
    """struct ifla_cacheinfo (linux/if_link.h).

    `tstamp` is in hundredths of a second since boot. The other times are in milliseconds.
    """

    max_reasm_len: int = u32()
    tstamp: int = u32()
    reachable_time: int = u32()
    retrans_time: int = u32()


class Inet(Message):
    """IFLA_INET_* attributes as the kernel sends them (linux/if_link.h); see InetSet."""

    conf: Nested[ipv4_devconf] = struct(1, ipv4_devconf)


class InetConf(Message):
    """IFLA_INET_CONF in a request: the IPv4 sysctls to set, IPV4_DEVCONF_* (linux/ip.h)."""

    forwarding: int | None = s32(1)
    mc_forwarding: int | None = s32(2)
    proxy_arp: int | None = s32(3)
    accept_redirects: int | None = s32(4)
    secure_redirects: int | None = s32(5)
    send_redirects: int | None = s32(6)
    shared_media: int | None = s32(7)
    rp_filter: int | None = s32(8)
    accept_source_route: int | None = s32(9)
    bootp_relay: int | None = s32(10)
    log_martians: int | None = s32(11)
    tag: int | None = s32(12)
    arpfilter: int | None = s32(13)
    medium_id: int | None = s32(14)
    noxfrm: int | None = s32(15)
    nopolicy: int | None = s32(16)
    force_igmp_version: int | None = s32(17)
    arp_announce: int | None = s32(18)
    arp_ignore: int | None = s32(19)
    promote_secondaries: int | None = s32(20)
    arp_accept: int | None = s32(21)
    arp_notify: int | None = s32(22)
    accept_local: int | None = s32(23)
    src_vmark: int | None = s32(24)
    proxy_arp_pvlan: int | None = s32(25)
    route_localnet: int | None = s32(26)
    igmpv2_unsolicited_report_interval: int | None = s32(27)
    igmpv3_unsolicited_report_interval: int | None = s32(28)
    ignore_routes_with_linkdown: int | None = s32(29)
    drop_unicast_in_l2_multicast: int | None = s32(30)
    drop_gratuitous_arp: int | None = s32(31)
    bc_forwarding: int | None = s32(32)
    arp_evict_nocarrier: int | None = s32(33)


class InetSet(Message):
    """IFLA_INET_* attributes in a request (linux/if_link.h).

    A request has one attribute for each sysctl (inet_set_link_af in net/ipv4/devinet.c). The
    kernel sends all of them as an array under the same number, and ignores the array in a request.
    """

    conf: Nested[InetConf] = nest(1, InetConf)


class Inet6(Message):
    """IFLA_INET6_* attributes (linux/if_link.h).

    The indices of `stats` and `icmp6stats` are IPSTATS_MIB_* and ICMP6_MIB_* (linux/snmp.h) of the
    sending kernel. The first element is the number of elements. The kernel never used `mcast`.
    """

    flags: int | None = u32(1)
    conf: Nested[ipv6_devconf] = struct(2, ipv6_devconf)
    stats: tuple[int, ...] = scalars(3, u64())
    mcast: bytes | None = binary(4)
    cacheinfo: Nested[ifla_cacheinfo] = struct(5, ifla_cacheinfo)
    icmp6stats: tuple[int, ...] = scalars(6, u64())
    token: Addr = address(7, size=16)
    addr_gen_mode: Named[IN6_ADDR_GEN_MODE | int | None] = u8(8, enum=IN6_ADDR_GEN_MODE)
    ra_mtu: int | None = u32(9)


class Inet6Set(Message):
    """IFLA_INET6_* attributes that a request can set (inet6_validate_link_af)."""

    token: Addr = address(7, size=16)
    addr_gen_mode: Named[IN6_ADDR_GEN_MODE | int | None] = u8(8, enum=IN6_ADDR_GEN_MODE)


class Mctp(Message):
    """IFLA_MCTP_* attributes (linux/if_link.h)."""

    net: int | None = u32(1)
    phys_binding: int | None = u8(2)  # Linux 6.15


class AfSpec(Message):
    """IFLA_AF_SPEC of a link as the kernel sends it: a nest for each family (AF_*)."""

    inet: Nested[Inet] = nest(AF.AF_INET, Inet)
    inet6: Nested[Inet6] = nest(AF.AF_INET6, Inet6)
    mctp: Nested[Mctp] = nest(AF.AF_MCTP, Mctp)


class AfSpecSet(Message):
    """IFLA_AF_SPEC in a request: a nest for each family (AF_*) with the attributes to set."""

    inet: Nested[InetSet] = nest(AF.AF_INET, InetSet)
    inet6: Nested[Inet6Set] = nest(AF.AF_INET6, Inet6Set)
    mctp: Nested[Mctp] = nest(AF.AF_MCTP, Mctp)


# --- bridge ---------------------------------------------------------------------------------------


class bridge_vlan_info(Message):
    """struct bridge_vlan_info (linux/if_bridge.h)."""

    flags: Named[BRIDGE_VLAN_INFO] = u16(enum=BRIDGE_VLAN_INFO)
    vid: int = u16()


class BridgeVlanTunnel(Message):
    """IFLA_BRIDGE_VLAN_TUNNEL_* attributes: a VLAN and its tunnel ID (linux/if_bridge.h)."""

    id: int | None = u32(1)
    vid: int | None = u16(2)
    flags: Named[BRIDGE_VLAN_INFO | None] = u16(3, enum=BRIDGE_VLAN_INFO)


class BridgeMstEntry(Message):
    """IFLA_BRIDGE_MST_ENTRY_* attributes (linux/if_bridge.h)."""

    msti: int | None = u16(1)
    state: Named[BR_STATE | int | None] = u8(2, enum=BR_STATE)


class BridgeMst(Message):
    """IFLA_BRIDGE_MST: the state of the port in each spanning tree instance (linux/if_bridge.h)."""

    entry: Several[BridgeMstEntry] = repeated(1, BridgeMstEntry)


class BridgeMrpInstance(Message):
    """IFLA_BRIDGE_MRP_INSTANCE_* attributes: a ring to add or remove (linux/if_bridge.h)."""

    ring_id: int | None = u32(1)
    p_ifindex: int | None = u32(2)
    s_ifindex: int | None = u32(3)
    prio: int | None = u16(4)


class BridgeMrpPortState(Message):
    """IFLA_BRIDGE_MRP_PORT_STATE_* attributes (linux/if_bridge.h)."""

    state: Named[BR_MRP_PORT_STATE | int | None] = u32(1, enum=BR_MRP_PORT_STATE)


class BridgeMrpPortRole(Message):
    """IFLA_BRIDGE_MRP_PORT_ROLE_* attributes (linux/if_bridge.h)."""

    role: Named[BR_MRP_PORT_ROLE | int | None] = u32(1, enum=BR_MRP_PORT_ROLE)


class BridgeMrpRingState(Message):
    """IFLA_BRIDGE_MRP_RING_STATE_* attributes (linux/if_bridge.h)."""

    ring_id: int | None = u32(1)
    state: Named[BR_MRP_RING_STATE | int | None] = u32(2, enum=BR_MRP_RING_STATE)


class BridgeMrpRingRole(Message):
    """IFLA_BRIDGE_MRP_RING_ROLE_* attributes (linux/if_bridge.h)."""

    ring_id: int | None = u32(1)
    role: Named[BR_MRP_RING_ROLE | int | None] = u32(2, enum=BR_MRP_RING_ROLE)


class BridgeMrpStartTest(Message):
    """IFLA_BRIDGE_MRP_START_TEST_* attributes (linux/if_bridge.h). Times are in microseconds."""

    ring_id: int | None = u32(1)
    interval: int | None = u32(2)
    max_miss: int | None = u32(3)
    period: int | None = u32(4)
    monitor: int | None = u32(5)


class BridgeMrpInfo(Message):
    """IFLA_BRIDGE_MRP_INFO_* attributes: the state of a ring (linux/if_bridge.h).

    Intervals are in microseconds.
    """

    ring_id: int | None = u32(1)
    p_ifindex: int | None = u32(2)
    s_ifindex: int | None = u32(3)
    prio: int | None = u16(4)
    ring_state: Named[BR_MRP_RING_STATE | int | None] = u32(5, enum=BR_MRP_RING_STATE)
    ring_role: Named[BR_MRP_RING_ROLE | int | None] = u32(6, enum=BR_MRP_RING_ROLE)
    test_interval: int | None = u32(7)
    test_max_miss: int | None = u32(8)
    test_monitor: int | None = u32(9)
    i_ifindex: int | None = u32(10)
    in_state: Named[BR_MRP_IN_STATE | int | None] = u32(11, enum=BR_MRP_IN_STATE)
    in_role: Named[BR_MRP_IN_ROLE | int | None] = u32(12, enum=BR_MRP_IN_ROLE)
    in_test_interval: int | None = u32(13)
    in_test_max_miss: int | None = u32(14)


class BridgeMrpInRole(Message):
    """IFLA_BRIDGE_MRP_IN_ROLE_* attributes (linux/if_bridge.h)."""

    ring_id: int | None = u32(1)
    in_id: int | None = u16(2)
    role: Named[BR_MRP_IN_ROLE | int | None] = u32(3, enum=BR_MRP_IN_ROLE)
    i_ifindex: int | None = u32(4)


class BridgeMrpInState(Message):
    """IFLA_BRIDGE_MRP_IN_STATE_* attributes (linux/if_bridge.h)."""

    in_id: int | None = u32(1)
    state: Named[BR_MRP_IN_STATE | int | None] = u32(2, enum=BR_MRP_IN_STATE)


class BridgeMrpStartInTest(Message):
    """IFLA_BRIDGE_MRP_START_IN_TEST_* attributes (linux/if_bridge.h). Times are in microseconds."""

    in_id: int | None = u32(1)
    interval: int | None = u32(2)
    max_miss: int | None = u32(3)
    period: int | None = u32(4)


class BridgeMrp(Message):
    """IFLA_BRIDGE_MRP_* attributes: the Media Redundancy Protocol (linux/if_bridge.h).

    The kernel sends only `info`, if `ext_mask` in the request has RTEXT_FILTER_MRP. The other
    attributes are commands.
    """

    instance: Nested[BridgeMrpInstance] = nest(1, BridgeMrpInstance)
    port_state: Nested[BridgeMrpPortState] = nest(2, BridgeMrpPortState)
    port_role: Nested[BridgeMrpPortRole] = nest(3, BridgeMrpPortRole)
    ring_state: Nested[BridgeMrpRingState] = nest(4, BridgeMrpRingState)
    ring_role: Nested[BridgeMrpRingRole] = nest(5, BridgeMrpRingRole)
    start_test: Nested[BridgeMrpStartTest] = nest(6, BridgeMrpStartTest)
    info: Several[BridgeMrpInfo] = repeated(7, BridgeMrpInfo)
    in_role: Nested[BridgeMrpInRole] = nest(8, BridgeMrpInRole)
    in_state: Nested[BridgeMrpInState] = nest(9, BridgeMrpInState)
    start_in_test: Nested[BridgeMrpStartInTest] = nest(10, BridgeMrpStartInTest)


class BridgeCfmMepCreate(Message):
    """IFLA_BRIDGE_CFM_MEP_CREATE_* attributes: an end point (linux/if_bridge.h)."""

    instance: int | None = u32(1)
    domain: Named[BR_CFM_DOMAIN | int | None] = u32(2, enum=BR_CFM_DOMAIN)
    direction: Named[BR_CFM_MEP_DIRECTION | int | None] = u32(3, enum=BR_CFM_MEP_DIRECTION)
    ifindex: int | None = u32(4)


class BridgeCfmMepDelete(Message):
    """IFLA_BRIDGE_CFM_MEP_DELETE_* attributes (linux/if_bridge.h)."""

    instance: int | None = u32(1)


class BridgeCfmMepConfig(Message):
    """IFLA_BRIDGE_CFM_MEP_CONFIG_* attributes (linux/if_bridge.h)."""

    instance: int | None = u32(1)
    unicast_mac: str | None = mac(2)
    mdlevel: int | None = u32(3)
    mepid: int | None = u32(4)


class BridgeCfmCcConfig(Message):
    """IFLA_BRIDGE_CFM_CC_CONFIG_* attributes (linux/if_bridge.h)."""

    instance: int | None = u32(1)
    enable: int | None = u32(2)
    exp_interval: Named[BR_CFM_CCM_INTERVAL | int | None] = u32(3, enum=BR_CFM_CCM_INTERVAL)
    exp_maid: bytes | None = binary(4, size=48)


class BridgeCfmCcPeerMep(Message):
    """IFLA_BRIDGE_CFM_CC_PEER_MEP* attributes: another end point (linux/if_bridge.h)."""

    instance: int | None = u32(1)
    mepid: int | None = u32(2)


class BridgeCfmCcRdi(Message):
    """IFLA_BRIDGE_CFM_CC_RDI_* attributes (linux/if_bridge.h)."""

    instance: int | None = u32(1)
    rdi: int | None = u32(2)


class BridgeCfmCcCcmTx(Message):
    """IFLA_BRIDGE_CFM_CC_CCM_TX_* attributes (linux/if_bridge.h). `period` is in seconds."""

    instance: int | None = u32(1)
    dmac: str | None = mac(2)
    seq_no_update: int | None = u32(3)
    period: int | None = u32(4)
    if_tlv: int | None = u32(5)
    if_tlv_value: int | None = u8(6)
    port_tlv: int | None = u32(7)
    port_tlv_value: int | None = u8(8)


class BridgeCfmMepStatus(Message):
    """IFLA_BRIDGE_CFM_MEP_STATUS_* attributes (linux/if_bridge.h)."""

    instance: int | None = u32(1)
    opcode_unexp_seen: int | None = u32(2)
    version_unexp_seen: int | None = u32(3)
    rx_level_low_seen: int | None = u32(4)


class BridgeCfmCcPeerStatus(Message):
    """IFLA_BRIDGE_CFM_CC_PEER_STATUS_* attributes (linux/if_bridge.h)."""

    instance: int | None = u32(1)
    peer_mepid: int | None = u32(2)
    ccm_defect: int | None = u32(3)
    rdi: int | None = u32(4)
    port_tlv_value: int | None = u8(5)
    if_tlv_value: int | None = u8(6)
    seen: int | None = u32(7)
    tlv_seen: int | None = u32(8)
    seq_unexp_seen: int | None = u32(9)


class BridgeCfm(Message):
    """IFLA_BRIDGE_CFM_* attributes: Connectivity Fault Management (linux/if_bridge.h).

    If `ext_mask` in the request has RTEXT_FILTER_CFM_CONFIG or RTEXT_FILTER_CFM_STATUS, the kernel
    sends the attributes that end in `info`, one for each end point. The others are commands.
    """

    mep_create: Nested[BridgeCfmMepCreate] = nest(1, BridgeCfmMepCreate)
    mep_delete: Nested[BridgeCfmMepDelete] = nest(2, BridgeCfmMepDelete)
    mep_config: Nested[BridgeCfmMepConfig] = nest(3, BridgeCfmMepConfig)
    cc_config: Nested[BridgeCfmCcConfig] = nest(4, BridgeCfmCcConfig)
    cc_peer_mep_add: Nested[BridgeCfmCcPeerMep] = nest(5, BridgeCfmCcPeerMep)
    cc_peer_mep_remove: Nested[BridgeCfmCcPeerMep] = nest(6, BridgeCfmCcPeerMep)
    cc_rdi: Nested[BridgeCfmCcRdi] = nest(7, BridgeCfmCcRdi)
    cc_ccm_tx: Nested[BridgeCfmCcCcmTx] = nest(8, BridgeCfmCcCcmTx)
    mep_create_info: Several[BridgeCfmMepCreate] = repeated(9, BridgeCfmMepCreate)
    mep_config_info: Several[BridgeCfmMepConfig] = repeated(10, BridgeCfmMepConfig)
    cc_config_info: Several[BridgeCfmCcConfig] = repeated(11, BridgeCfmCcConfig)
    cc_rdi_info: Several[BridgeCfmCcRdi] = repeated(12, BridgeCfmCcRdi)
    cc_ccm_tx_info: Several[BridgeCfmCcCcmTx] = repeated(13, BridgeCfmCcCcmTx)
    cc_peer_mep_info: Several[BridgeCfmCcPeerMep] = repeated(14, BridgeCfmCcPeerMep)
    mep_status_info: Several[BridgeCfmMepStatus] = repeated(15, BridgeCfmMepStatus)
    cc_peer_status_info: Several[BridgeCfmCcPeerStatus] = repeated(16, BridgeCfmCcPeerStatus)


class BridgeSpec(Message):
    """IFLA_BRIDGE_* attributes: IFLA_AF_SPEC of an AF_BRIDGE link message (linux/if_bridge.h)."""

    flags: Named[BRIDGE_FLAGS | None] = u16(0, enum=BRIDGE_FLAGS)
    mode: Named[BRIDGE_MODE | int | None] = u16(1, enum=BRIDGE_MODE)
    vlan_info: Several[bridge_vlan_info] = repeated(2, struct(bridge_vlan_info))
    vlan_tunnel_info: Several[BridgeVlanTunnel] = repeated(3, BridgeVlanTunnel)
    mrp: Nested[BridgeMrp] = nest(4, BridgeMrp)
    cfm: Nested[BridgeCfm] = nest(5, BridgeCfm)
    mst: Nested[BridgeMst] = nest(6, BridgeMst)
