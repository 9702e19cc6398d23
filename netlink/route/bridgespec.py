"""What IFLA_AF_SPEC of a bridge or a port holds: VLANs, tunnels, spanning trees, MRP and CFM.

The header of such a message has AF_BRIDGE. Numbers are from Linux 6.12 (linux/if_bridge.h,
linux/mrp_bridge.h, linux/cfm_bridge.h). Widths are from
net/bridge/br_{netlink,mrp_netlink,cfm_netlink,mst}.c. It is a separate file, because most programs
that work with links do not need it. This file must not depend on the link message.
"""

from netlink.constants import KernelEnum, KernelFlag
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    binary,
    mac,
    nest,
    repeated,
    struct,
    u8,
    u16,
    u32,
)


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
