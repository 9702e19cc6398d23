"""Links, that is network interfaces: struct ifinfomsg and its IFLA_* attributes.

This file must not import kinds/ or bridgespec.py. They declare the attributes of one kind of link
and of bridge messages, and are imported when the first such message is used. Numbers are from
Linux 6.12 (linux/if_link.h, linux/if.h, linux/if_arp.h); a comment states a later release. Widths
and signs are from ifla_policy and rtnl_fill_ifinfo in net/core/rtnetlink.c. IFLA_PAD is not
declared, because it only aligns the attribute after it.

The plans at the end correspond to the commands of `ip link`. Their link argument is a name, an
alternative name, an index or a Link:

    nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}, mtu=1400))
    nl.do(link.up("v0"))
"""

from collections.abc import Mapping
from errno import ENODEV
from typing import TYPE_CHECKING, Any, cast

from netlink.constants import AF, ALTIFNAMSIZ, IFALIASZ, IFNAMSIZ, NLM_F, KernelEnum, KernelFlag
from netlink.errors import KernelError
from netlink.family import Follow, Op, Request, Steps, anything, ifindex, plan
from netlink.route.afspec import IN6_ADDR_GEN_MODE, AfSpec, AfSpecSet, Inet6
from netlink.route.ether import ETH_P
from netlink.route.link.kinds import KINDS, SLAVE_KINDS
from netlink.route.link.linkinfo import LinkInfo
from netlink.route.rtnetlink import ROUTE, RTEXT_FILTER, RTM, rtgenmsg
from netlink.schema import (
    IPAddress,
    Lazy,
    LinkAddr,
    Message,
    Named,
    Nested,
    Several,
    be16,
    binary,
    lladdr,
    mac,
    nest,
    pad,
    repeated,
    s32,
    selected,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
    uint,
)

# VfInfo has a field with the same name, which would hide this function from later fields.
from netlink.schema import mac as hardware
from netlink.words import S32, U8, Words

if TYPE_CHECKING:
    from netlink.route.bridgespec import BridgeSpec
    from netlink.route.link.kinds.bridge import BridgePort
else:

    def __getattr__(name: str) -> Any:
        """Import the classes that only bridge messages need."""
        if name == "BridgeSpec":
            from netlink.route.bridgespec import BridgeSpec

            return BridgeSpec
        if name == "BridgePort":
            from netlink.route.link.kinds.bridge import BridgePort

            return BridgePort
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


PORT_PROFILE_MAX = 40  # linux/if_link.h; without the final NUL


class IFF(KernelFlag):
    """Flags of a link: ifi_flags (linux/if.h)."""

    IFF_UP = 0x1
    IFF_BROADCAST = 0x2
    IFF_DEBUG = 0x4
    IFF_LOOPBACK = 0x8
    IFF_POINTOPOINT = 0x10
    IFF_NOTRAILERS = 0x20
    IFF_RUNNING = 0x40
    IFF_NOARP = 0x80
    IFF_PROMISC = 0x100
    IFF_ALLMULTI = 0x200
    IFF_MASTER = 0x400
    IFF_SLAVE = 0x800
    IFF_MULTICAST = 0x1000
    IFF_PORTSEL = 0x2000
    IFF_AUTOMEDIA = 0x4000
    IFF_DYNAMIC = 0x8000
    IFF_LOWER_UP = 0x10000
    IFF_DORMANT = 0x20000
    IFF_ECHO = 0x40000


class ARPHRD(KernelEnum):
    """Types of link layers: ifi_type (linux/if_arp.h)."""

    ARPHRD_NETROM = 0
    ARPHRD_ETHER = 1
    ARPHRD_EETHER = 2
    ARPHRD_AX25 = 3
    ARPHRD_PRONET = 4
    ARPHRD_CHAOS = 5
    ARPHRD_IEEE802 = 6
    ARPHRD_ARCNET = 7
    ARPHRD_APPLETLK = 8
    ARPHRD_DLCI = 15
    ARPHRD_ATM = 19
    ARPHRD_METRICOM = 23
    ARPHRD_IEEE1394 = 24
    ARPHRD_EUI64 = 27
    ARPHRD_INFINIBAND = 32
    ARPHRD_SLIP = 256
    ARPHRD_CSLIP = 257
    ARPHRD_SLIP6 = 258
    ARPHRD_CSLIP6 = 259
    ARPHRD_RSRVD = 260
    ARPHRD_ADAPT = 264
    ARPHRD_ROSE = 270
    ARPHRD_X25 = 271
    ARPHRD_HWX25 = 272
    ARPHRD_CAN = 280
    ARPHRD_MCTP = 290
    ARPHRD_PPP = 512
    ARPHRD_CISCO = 513
    ARPHRD_HDLC = 513
    ARPHRD_LAPB = 516
    ARPHRD_DDCMP = 517
    ARPHRD_RAWHDLC = 518
    ARPHRD_RAWIP = 519
    ARPHRD_TUNNEL = 768
    ARPHRD_TUNNEL6 = 769
    ARPHRD_FRAD = 770
    ARPHRD_SKIP = 771
    ARPHRD_LOOPBACK = 772
    ARPHRD_LOCALTLK = 773
    ARPHRD_FDDI = 774
    ARPHRD_BIF = 775
    ARPHRD_SIT = 776
    ARPHRD_IPDDP = 777
    ARPHRD_IPGRE = 778
    ARPHRD_PIMREG = 779
    ARPHRD_HIPPI = 780
    ARPHRD_ASH = 781
    ARPHRD_ECONET = 782
    ARPHRD_IRDA = 783
    ARPHRD_FCPP = 784
    ARPHRD_FCAL = 785
    ARPHRD_FCPL = 786
    ARPHRD_FCFABRIC = 787
    ARPHRD_IEEE802_TR = 800
    ARPHRD_IEEE80211 = 801
    ARPHRD_IEEE80211_PRISM = 802
    ARPHRD_IEEE80211_RADIOTAP = 803
    ARPHRD_IEEE802154 = 804
    ARPHRD_IEEE802154_MONITOR = 805
    ARPHRD_PHONET = 820
    ARPHRD_PHONET_PIPE = 821
    ARPHRD_CAIF = 822
    ARPHRD_IP6GRE = 823
    ARPHRD_NETLINK = 824
    ARPHRD_6LOWPAN = 825
    ARPHRD_VSOCKMON = 826
    ARPHRD_NONE = 0xFFFE
    ARPHRD_VOID = 0xFFFF


class IF_OPER(KernelEnum):
    """Operational state (RFC 2863): IFLA_OPERSTATE (linux/if.h)."""

    IF_OPER_UNKNOWN = 0
    IF_OPER_NOTPRESENT = 1
    IF_OPER_DOWN = 2
    IF_OPER_LOWERLAYERDOWN = 3
    IF_OPER_TESTING = 4
    IF_OPER_DORMANT = 5
    IF_OPER_UP = 6


class IF_LINK_MODE(KernelEnum):
    """State that a link enters when its carrier comes up: IFLA_LINKMODE (linux/if.h)."""

    IF_LINK_MODE_DEFAULT = 0
    IF_LINK_MODE_DORMANT = 1
    IF_LINK_MODE_TESTING = 2


class IFLA_EVENT(KernelEnum):
    """Reason for an event about a link: IFLA_EVENT (linux/if_link.h)."""

    IFLA_EVENT_NONE = 0
    IFLA_EVENT_REBOOT = 1
    IFLA_EVENT_FEATURES = 2
    IFLA_EVENT_BONDING_FAILOVER = 3
    IFLA_EVENT_NOTIFY_PEERS = 4
    IFLA_EVENT_IGMP_RESEND = 5
    IFLA_EVENT_BONDING_OPTIONS = 6


class IFLA_VF_LINK_STATE(KernelEnum):
    """Configured link state of a virtual function (linux/if_link.h)."""

    IFLA_VF_LINK_STATE_AUTO = 0
    IFLA_VF_LINK_STATE_ENABLE = 1
    IFLA_VF_LINK_STATE_DISABLE = 2


class PORT_REQUEST(KernelEnum):
    """Request about a port profile, sent to the switch: IFLA_PORT_REQUEST (linux/if_link.h)."""

    PORT_REQUEST_PREASSOCIATE = 0
    PORT_REQUEST_PREASSOCIATE_RR = 1
    PORT_REQUEST_ASSOCIATE = 2
    PORT_REQUEST_DISASSOCIATE = 3


class PORT_RESPONSE(KernelEnum, prefix=("PORT_VDP_RESPONSE_", "PORT_")):
    """Response of the switch: IFLA_PORT_RESPONSE (linux/if_link.h)."""

    PORT_VDP_RESPONSE_SUCCESS = 0
    PORT_VDP_RESPONSE_INVALID_FORMAT = 1
    PORT_VDP_RESPONSE_INSUFFICIENT_RESOURCES = 2
    PORT_VDP_RESPONSE_UNUSED_VTID = 3
    PORT_VDP_RESPONSE_VTID_VIOLATION = 4
    PORT_VDP_RESPONSE_VTID_VERSION_VIOALTION = 5
    PORT_VDP_RESPONSE_OUT_OF_SYNC = 6
    PORT_PROFILE_RESPONSE_SUCCESS = 0x100
    PORT_PROFILE_RESPONSE_INPROGRESS = 0x101
    PORT_PROFILE_RESPONSE_INVALID = 0x102
    PORT_PROFILE_RESPONSE_BADSTATE = 0x103
    PORT_PROFILE_RESPONSE_INSUFFICIENT_RESOURCES = 0x104
    PORT_PROFILE_RESPONSE_ERROR = 0x105


class XDP_FLAGS(KernelFlag):
    """How to attach an XDP program: IFLA_XDP_FLAGS (linux/if_link.h)."""

    XDP_FLAGS_UPDATE_IF_NOEXIST = 0x01
    XDP_FLAGS_SKB_MODE = 0x02
    XDP_FLAGS_DRV_MODE = 0x04
    XDP_FLAGS_HW_MODE = 0x08
    XDP_FLAGS_REPLACE = 0x10


class XDP_ATTACHED(KernelEnum):
    """Where an XDP program is attached: IFLA_XDP_ATTACHED (linux/if_link.h)."""

    XDP_ATTACHED_NONE = 0
    XDP_ATTACHED_DRV = 1
    XDP_ATTACHED_SKB = 2
    XDP_ATTACHED_HW = 3
    XDP_ATTACHED_MULTI = 4


class rtnl_link_stats(Message):
    """struct rtnl_link_stats (linux/if_link.h): the counters of rtnl_link_stats64 as 32 bits."""

    rx_packets: int = u32()
    tx_packets: int = u32()
    rx_bytes: int = u32()
    tx_bytes: int = u32()
    rx_errors: int = u32()
    tx_errors: int = u32()
    rx_dropped: int = u32()
    tx_dropped: int = u32()
    multicast: int = u32()
    collisions: int = u32()
    rx_length_errors: int = u32()
    rx_over_errors: int = u32()
    rx_crc_errors: int = u32()
    rx_frame_errors: int = u32()
    rx_fifo_errors: int = u32()
    rx_missed_errors: int = u32()
    tx_aborted_errors: int = u32()
    tx_carrier_errors: int = u32()
    tx_fifo_errors: int = u32()
    tx_heartbeat_errors: int = u32()
    tx_window_errors: int = u32()
    rx_compressed: int = u32()
    tx_compressed: int = u32()
    rx_nohandler: int = u32()


class rtnl_link_stats64(Message):
    """struct rtnl_link_stats64 (linux/if_link.h): counters since the link was created."""

    rx_packets: int = u64()
    tx_packets: int = u64()
    rx_bytes: int = u64()
    tx_bytes: int = u64()
    rx_errors: int = u64()
    tx_errors: int = u64()
    rx_dropped: int = u64()
    tx_dropped: int = u64()
    multicast: int = u64()
    collisions: int = u64()
    rx_length_errors: int = u64()
    rx_over_errors: int = u64()
    rx_crc_errors: int = u64()
    rx_frame_errors: int = u64()
    rx_fifo_errors: int = u64()
    rx_missed_errors: int = u64()
    tx_aborted_errors: int = u64()
    tx_carrier_errors: int = u64()
    tx_fifo_errors: int = u64()
    tx_heartbeat_errors: int = u64()
    tx_window_errors: int = u64()
    rx_compressed: int = u64()
    tx_compressed: int = u64()
    rx_nohandler: int = u64()
    rx_otherhost_dropped: int = u64()


class rtnl_link_ifmap(Message):
    """struct rtnl_link_ifmap (linux/if_link.h): hardware resources of the link."""

    mem_start: int = u64()
    mem_end: int = u64()
    base_addr: int = u64()
    irq: int = u16()
    dma: int = u8()
    port: int = u8()


class ifla_vf_mac(Message):
    """struct ifla_vf_mac (linux/if_link.h).

    `mac` has 32 bytes. Only the first bytes are used: as many as a link-layer address has.
    """

    vf: int = u32()
    mac: str = mac(size=32)


class ifla_vf_vlan(Message):
    """struct ifla_vf_vlan (linux/if_link.h). A `vlan` of 0 means no VLAN."""

    vf: int = u32()
    vlan: int = u32()
    qos: int = u32()


class ifla_vf_vlan_info(Message):
    """struct ifla_vf_vlan_info (linux/if_link.h). A `vlan` of 0 means no VLAN."""

    vf: int = u32()
    vlan: int = u32()
    qos: int = u32()
    vlan_proto: Named[ETH_P | int] = be16(enum=ETH_P)


class ifla_vf_tx_rate(Message):
    """struct ifla_vf_tx_rate (linux/if_link.h). The rate is in Mbit/s; 0 means unlimited."""

    vf: int = u32()
    rate: int = u32()


class ifla_vf_spoofchk(Message):
    """struct ifla_vf_spoofchk (linux/if_link.h). 0xffffffff means that the driver reports none."""

    vf: int = u32()
    setting: int = u32()


class ifla_vf_link_state(Message):
    """struct ifla_vf_link_state (linux/if_link.h)."""

    vf: int = u32()
    link_state: Named[IFLA_VF_LINK_STATE | int] = u32(enum=IFLA_VF_LINK_STATE)


class ifla_vf_rate(Message):
    """struct ifla_vf_rate (linux/if_link.h). Rates are in Mbit/s; 0 means unlimited."""

    vf: int = u32()
    min_tx_rate: int = u32()
    max_tx_rate: int = u32()


class ifla_vf_rss_query_en(Message):
    """struct ifla_vf_rss_query_en (linux/if_link.h).

    0xffffffff means that the driver reports none.
    """

    vf: int = u32()
    setting: int = u32()


class ifla_vf_trust(Message):
    """struct ifla_vf_trust (linux/if_link.h). 0xffffffff means that the driver reports none."""

    vf: int = u32()
    setting: int = u32()


class ifla_vf_guid(Message):
    """struct ifla_vf_guid (linux/if_link.h)."""

    vf: int = u32()
    guid: int = u64()


class VfStats(Message):
    """IFLA_VF_STATS_* attributes, numbered from 0 (linux/if_link.h)."""

    rx_packets: int | None = u64(0)
    tx_packets: int | None = u64(1)
    rx_bytes: int | None = u64(2)
    tx_bytes: int | None = u64(3)
    broadcast: int | None = u64(4)
    multicast: int | None = u64(5)
    rx_dropped: int | None = u64(7)
    tx_dropped: int | None = u64(8)


class VfVlanList(Message):
    """IFLA_VF_VLAN_LIST: the VLAN tags of a virtual function (linux/if_link.h)."""

    info: Several[ifla_vf_vlan_info] = repeated(1, struct(ifla_vf_vlan_info))


class VfInfo(Message):
    """IFLA_VF_* attributes: one virtual function (linux/if_link.h)."""

    mac: Nested[ifla_vf_mac] = struct(1, ifla_vf_mac)
    vlan: Nested[ifla_vf_vlan] = struct(2, ifla_vf_vlan)
    tx_rate: Nested[ifla_vf_tx_rate] = struct(3, ifla_vf_tx_rate)
    spoofchk: Nested[ifla_vf_spoofchk] = struct(4, ifla_vf_spoofchk)
    link_state: Nested[ifla_vf_link_state] = struct(5, ifla_vf_link_state)
    rate: Nested[ifla_vf_rate] = struct(6, ifla_vf_rate)
    rss_query_en: Nested[ifla_vf_rss_query_en] = struct(7, ifla_vf_rss_query_en)
    stats: Nested[VfStats] = nest(8, VfStats)
    trust: Nested[ifla_vf_trust] = struct(9, ifla_vf_trust)
    ib_node_guid: Nested[ifla_vf_guid] = struct(10, ifla_vf_guid)
    ib_port_guid: Nested[ifla_vf_guid] = struct(11, ifla_vf_guid)
    vlan_list: Nested[VfVlanList] = nest(12, VfVlanList)
    broadcast: str | None = hardware(13)  # 32 bytes, as in ifla_vf_mac


class VfInfoList(Message):
    """IFLA_VFINFO_LIST: one IFLA_VF_INFO for each virtual function.

    The kernel sends it if `ext_mask` in the request has RTEXT_FILTER_VF.
    """

    info: Several[VfInfo] = repeated(1, VfInfo)


class ifla_port_vsi(Message):
    """struct ifla_port_vsi (linux/if_link.h): a virtual station interface of 802.1Qbg."""

    vsi_mgr_id: int = u8()
    vsi_type_id: bytes = binary(size=3)
    vsi_type_version: int = u8()
    _pad = pad(3)


class Port(Message):
    """IFLA_PORT_* attributes: port profile of a link or virtual function (linux/if_link.h)."""

    vf: int | None = u32(1)
    profile: str | None = string(2, size=PORT_PROFILE_MAX + 1)
    vsi_type: Nested[ifla_port_vsi] = struct(3, ifla_port_vsi)
    instance_uuid: bytes | None = binary(4)
    host_uuid: bytes | None = binary(5)
    request: Named[PORT_REQUEST | int | None] = u8(6, enum=PORT_REQUEST)
    response: Named[PORT_RESPONSE | int | None] = u16(7, enum=PORT_RESPONSE)


class VfPorts(Message):
    """IFLA_VF_PORTS: the port profiles of the virtual functions (linux/if_link.h)."""

    port: Several[Port] = repeated(1, Port)


class Xdp(Message):
    """IFLA_XDP_* attributes (linux/if_link.h). An `fd` of -1 detaches."""

    fd: int | None = s32(1)
    attached: Named[XDP_ATTACHED | int | None] = u8(2, enum=XDP_ATTACHED)
    flags: Named[XDP_FLAGS | None] = u32(3, enum=XDP_FLAGS)
    prog_id: int | None = u32(4)
    drv_prog_id: int | None = u32(5)
    skb_prog_id: int | None = u32(6)
    hw_prog_id: int | None = u32(7)
    expected_fd: int | None = s32(8)


class PropList(Message):
    """IFLA_PROP_LIST: the alternative names of a link (linux/if_link.h)."""

    alt_ifname: tuple[str, ...] = repeated(53, string(size=ALTIFNAMSIZ))


class ProtoDownReason(Message):
    """IFLA_PROTO_DOWN_REASON_* attributes: the reasons for `proto_down`, one bit each."""

    mask: int | None = u32(1)
    value: int | None = u32(2)


class DevlinkPort(Message):
    """IFLA_DEVLINK_PORT: DEVLINK_ATTR_* attributes of the devlink port of the link."""

    bus_name: str | None = string(1)
    dev_name: str | None = string(2)
    port_index: int | None = u32(3)


class DpllPin(Message):
    """IFLA_DPLL_PIN: DPLL_A_PIN_* attributes of the clock pin of the link."""

    id: int | None = u32(1)


class ifinfomsg(Message, bare=rtgenmsg):
    """struct ifinfomsg (linux/rtnetlink.h). `change` selects the `flags` that a request changes."""

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(1)
    type: Named[ARPHRD | int] = u16(enum=ARPHRD)
    index: int = s32()
    flags: Named[IFF] = u32(enum=IFF)
    change: int = u32()


class Link(ifinfomsg):
    """One link: struct ifinfomsg and its IFLA_* attributes (linux/if_link.h).

    `address` and `broadcast` are link-layer addresses; for a tunnel they are IP addresses. An empty
    `ifalias` removes the alias. `protinfo` and `af_spec` are bytes if no class is declared for the
    address family in the header.

    If `family` is AF_BRIDGE, the message describes the link as a port of its `master`, not the link
    itself. The group "link" carries such messages too (br_ifinfo_notify). In them, RTM_DELLINK
    means that the link left its bridge. Messages with AF_INET6 describe the link's IPv6 settings.
    """

    address: LinkAddr = lladdr(1)
    broadcast: LinkAddr = lladdr(2)
    ifname: str | None = string(3, size=IFNAMSIZ)
    mtu: int | None = u32(4)
    link: int | None = u32(5)
    qdisc: str | None = string(6, size=IFNAMSIZ)
    stats: Nested[rtnl_link_stats] = struct(7, rtnl_link_stats)
    cost: bytes | None = binary(8)  # the kernel does not use cost and priority
    priority: bytes | None = binary(9)
    master: int | None = u32(10)
    wireless: bytes | None = binary(11)
    protinfo: "Nested[BridgePort | Inet6]" = selected(
        12, "family", Lazy(__name__, {AF.AF_BRIDGE: "kinds.bridge.BridgePort", AF.AF_INET6: Inet6})
    )
    txqlen: int | None = u32(13)
    map: Nested[rtnl_link_ifmap] = struct(14, rtnl_link_ifmap)
    weight: int | None = u32(15)
    operstate: Named[IF_OPER | int | None] = u8(16, enum=IF_OPER)
    linkmode: Named[IF_LINK_MODE | int | None] = u8(17, enum=IF_LINK_MODE)
    linkinfo: Nested[LinkInfo] = nest(18, LinkInfo)
    net_ns_pid: int | None = u32(19)
    ifalias: str | None = string(20, size=IFALIASZ, nul=False)  # ifla_policy counts a NUL
    num_vf: int | None = u32(21)
    vfinfo_list: Nested[VfInfoList] = nest(22, VfInfoList)
    stats64: Nested[rtnl_link_stats64] = struct(23, rtnl_link_stats64)
    vf_ports: Nested[VfPorts] = nest(24, VfPorts)
    port_self: Nested[Port] = nest(25, Port)
    af_spec: "Nested[AfSpec | BridgeSpec]" = selected(
        26,
        "family",
        Lazy("netlink.route", {AF.AF_UNSPEC: AfSpec, AF.AF_BRIDGE: "bridgespec.BridgeSpec"}),
    )
    group: int | None = u32(27)
    net_ns_fd: int | None = u32(28)
    ext_mask: Named[RTEXT_FILTER | None] = u32(29, enum=RTEXT_FILTER)
    promiscuity: int | None = u32(30)
    num_tx_queues: int | None = u32(31)
    num_rx_queues: int | None = u32(32)
    carrier: int | None = u8(33)
    phys_port_id: bytes | None = binary(34)
    carrier_changes: int | None = u32(35)
    phys_switch_id: bytes | None = binary(36)
    link_netnsid: int | None = s32(37)
    phys_port_name: str | None = string(38)
    proto_down: int | None = u8(39)
    gso_max_segs: int | None = u32(40)
    gso_max_size: int | None = u32(41)
    xdp: Nested[Xdp] = nest(43, Xdp)
    event: Named[IFLA_EVENT | int | None] = u32(44, enum=IFLA_EVENT)
    new_netnsid: int | None = s32(45)
    target_netnsid: int | None = s32(46)
    carrier_up_count: int | None = u32(47)
    carrier_down_count: int | None = u32(48)
    new_ifindex: int | None = s32(49)
    min_mtu: int | None = u32(50)
    max_mtu: int | None = u32(51)
    prop_list: Nested[PropList] = nest(52, PropList)
    alt_ifname: str | None = string(53, size=ALTIFNAMSIZ)
    perm_address: LinkAddr = lladdr(54)
    proto_down_reason: Nested[ProtoDownReason] = nest(55, ProtoDownReason)
    parent_dev_name: str | None = string(56)
    parent_dev_bus_name: str | None = string(57)
    gro_max_size: int | None = u32(58)
    tso_max_size: int | None = u32(59)
    tso_max_segs: int | None = u32(60)
    allmulti: int | None = u32(61)
    devlink_port: Nested[DevlinkPort] = nest(62, DevlinkPort)
    gso_ipv4_max_size: int | None = u32(63)
    gro_ipv4_max_size: int | None = u32(64)
    dpll_pin: Nested[DpllPin] = nest(65, DpllPin)
    max_pacing_offload_horizon: int | None = uint(66)  # Linux 6.13
    netns_immutable: int | None = u8(67)  # Linux 6.15
    headroom: int | None = u16(68)  # Linux 6.18, as tailroom
    tailroom: int | None = u16(69)


class LinkSet(Link):
    """Request to add or change a link: a Link with another class for `af_spec`.

    The kernel sends and accepts different contents of IFLA_AF_SPEC (see netlink.route.afspec).
    """

    af_spec: "Nested[AfSpecSet | BridgeSpec]" = selected(  # type: ignore[assignment]
        26,
        "family",
        Lazy("netlink.route", {AF.AF_UNSPEC: AfSpecSet, AF.AF_BRIDGE: "bridgespec.BridgeSpec"}),
    )


# If the mask is 0 or missing, the kernel allocates buffers for small links. It then silently ends a
# dump at the first link whose message exceeds 32 KiB (rtnl_calcit). ip(8) sends this mask too.
get = Op(
    "link.get",
    RTM.RTM_GETLINK,
    Link,
    answer="one",
    ends="message",  # rtnl_getlink
    defaults={"ext_mask": RTEXT_FILTER.RTEXT_FILTER_VF},
    # The group "link" carries messages about bridge ports too (br_ifinfo_notify). Events have no
    # extension mask. Bridges and their ports change their state with events of AF_BRIDGE only.
    follow=Follow(
        groups=("link",),
        key=("index",),
        new=RTM.RTM_NEWLINK,
        delete=RTM.RTM_DELLINK,
        only=lambda link: link.family == AF.AF_UNSPEC,
        select={
            "ext_mask": anything,
            "master": None,
            "linkinfo": lambda link, asked: (
                link.linkinfo is not None and link.linkinfo.kind == asked.linkinfo.kind
            ),
        },
        ignore=(
            "change",
            "stats",
            "stats64",
            "ext_mask",
            "event",
            "num_vf",
            "vfinfo_list",
            "vf_ports",
            "port_self",
            "af_spec",
            "qdisc",
            "promiscuity",
            "allmulti",
            "linkinfo.xstats",
            "linkinfo.slave_data",
            "linkinfo.data.hello_timer",
            "linkinfo.data.tcn_timer",
            "linkinfo.data.topology_change_timer",
            "linkinfo.data.gc_timer",
            "linkinfo.data.topology_change",
            "linkinfo.data.topology_change_detected",
            "linkinfo.data.root_id",
            "linkinfo.data.root_port",
            "linkinfo.data.root_path_cost",
            "linkinfo.data.fdb_n_learned",
            "linkinfo.data.mcast_querier_state",
        ),
    ),
)
new = Op(
    "link.new",
    RTM.RTM_NEWLINK,
    LinkSet,
    reply=Link,
    flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL,
)
# Sends RTM_NEWLINK without NLM_F_CREATE, because RTM_SETLINK ignores linkinfo (__rtnl_newlink).
set = Op("link.set", RTM.RTM_NEWLINK, LinkSet, reply=Link)
# Deletes a link. With AF_BRIDGE, removes the VLANs, MRP and CFM in `af_spec` of a port instead
# (rtnl_bridge_dellink).
delete = Op("link.delete", RTM.RTM_DELLINK, Link)
# Only for AF_BRIDGE. Changes `protinfo` and `af_spec` of a bridge port or, with BRIDGE_FLAGS_SELF,
# of the bridge itself (rtnl_bridge_setlink). RTM_NEWLINK, which `set` sends, cannot change them.
set_port = Op("link.set_port", RTM.RTM_SETLINK, LinkSet)

ROUTE.add(get, new, set, delete, set_port)

# For Follow: the kernel answers it when the change that it is making, if any, is complete, because
# rtnl_getlink takes the RTNL lock.
FENCE = get(index=1)


def is_down(link: Link) -> bool:
    """Whether a link is down, for Follow: what depends on it may be gone."""
    return not link.flags & IFF.IFF_UP


# --- plans ----------------------------------------------------------------------------------------

Dev = str | int | Link


def selector(dev: Dev) -> dict[str, Any]:
    """Return the arguments of a request that name a link: `index`, `ifname` or `alt_ifname`.

    The kernel finds the link itself, so no lookup is needed. Raises EncodeError if `dev` is
    neither a name, an index nor a Link.
    """
    return _where(Words("link.selector", {"dev": dev}), "dev")


def dev_index(words: Words, name: str = "dev") -> Steps[int | None]:
    """Return the index of the link in an argument of a plan, or None if the argument is None.

    Plans call it with `yield from`. Raises KernelError: ENODEV if the link does not exist.
    """
    if not words.has(name):
        return None
    where = _where(words, name)
    if "ifname" in where:
        return cast(int, (yield ifindex(where["ifname"])))
    if "alt_ifname" in where:
        request = get(**where, ext_mask=RTEXT_FILTER.RTEXT_FILTER_SKIP_STATS)
        found: Link = yield from _about(words.given[name], request)
        return found.index
    return cast(int, where["index"])


def needed_index(words: Words, name: str = "dev") -> Steps[int]:
    """Return the index of the link in an argument of a plan. The argument must not be None."""
    if not words.has(name):
        raise words.expected(name, "the name or index of a link, or a Link")
    return cast(int, (yield from dev_index(words, name)))


def _where(words: Words, name: str) -> dict[str, Any]:
    """Return what selector() returns, for an argument of a plan."""
    dev = words.given[name]
    if isinstance(dev, Link):
        if dev.index <= 0:
            raise words.wrong(name, "the Link has no index; use one that the kernel sent")
        return {"index": dev.index}
    if isinstance(dev, int) and not isinstance(dev, bool):
        # For the kernel, 0 means "not given", and it may then change every link (__rtnl_newlink).
        return {"index": words.integer(name, 1, S32)}
    if not isinstance(dev, str):
        raise words.expected(name, "the name or index of a link, or a Link")
    text = words.text(name, ALTIFNAMSIZ)
    assert text is not None
    fits = len(text.encode("utf-8", "surrogateescape")) < IFNAMSIZ
    return {"ifname" if fits else "alt_ifname": text}


def _about(dev: Dev, request: Request[Any, Any]) -> Steps[Any]:
    """Send a request about a link. If the link does not exist, the error contains its name."""
    try:
        return (yield request)
    except KernelError as error:
        if error.errno != ENODEV or error.message is not None:
            raise
        name = (dev.ifname or dev.index) if isinstance(dev, Link) else dev
        raise KernelError(ENODEV, f"link {name!r} does not exist") from None


@plan
def index_of(dev: Dev) -> Steps[int]:
    """Return the index of a link. Raises KernelError: ENODEV if the link does not exist."""
    return (yield from needed_index(Words("link.index_of", locals())))


@plan
def by_name(name: str) -> Steps[Link]:
    """Return the link with this name or alternative name.

    Raises KernelError: ENODEV if the link does not exist.
    """
    words = Words("link.by_name", locals())
    if not isinstance(name, str):
        raise words.expected("name", "the name of a link")
    found: Link = yield from _about(name, get(**_where(words, "name")))
    return found


@plan
def by_index(index: int) -> Steps[Link]:
    """Return the link with this index. Raises KernelError: ENODEV if the link does not exist."""
    words = Words("link.by_index", locals())
    if not isinstance(index, int):
        raise words.expected("index", "the index of a link")
    found: Link = yield from _about(index, get(**_where(words, "index")))
    return found


@plan
def add(
    name: str,
    kind: str,
    data: Message | dict[str, Any] | None = None,
    *,
    link: Dev | None = None,
    master: Dev | None = None,
    index: int | None = None,
    up: bool | None = None,
    address: IPAddress | str | None = None,
    broadcast: IPAddress | str | None = None,
    mtu: int | None = None,
    txqlen: int | None = None,
    num_tx_queues: int | None = None,
    num_rx_queues: int | None = None,
    alias: str | None = None,
    group: int | None = None,
    arp: bool | None = None,
    multicast: bool | None = None,
    allmulticast: bool | None = None,
    promisc: bool | None = None,
    dynamic: bool | None = None,
    trailers: bool | None = None,
    carrier: bool | None = None,
    operstate: IF_OPER | int | str | None = None,
    linkmode: IF_LINK_MODE | int | str | None = None,
    addr_gen_mode: IN6_ADDR_GEN_MODE | int | str | None = None,
    proto_down: bool | None = None,
    proto_down_reason: ProtoDownReason | dict[str, Any] | None = None,
    gso_max_size: int | None = None,
    gso_max_segs: int | None = None,
    gro_max_size: int | None = None,
    gso_ipv4_max_size: int | None = None,
    gro_ipv4_max_size: int | None = None,
    link_netnsid: int | None = None,
    net_ns_pid: int | None = None,
    net_ns_fd: int | None = None,
    af_spec: AfSpecSet | dict[str, Any] | None = None,
) -> Steps[None]:
    """Add a link of a kind such as "veth", "bridge" or "vlan".

    `data` is a message of the kind's class in kinds.KINDS, or a dict of its fields. `link` is
    the lower link, and `master` is the bridge, bond or VRF that the new link joins. With
    `net_ns_pid` (the namespace of a process) or `net_ns_fd` (a descriptor of a file in
    /proc/PID/ns or /run/netns), the kernel creates the link in another network namespace.
    `link_netnsid` is the ID of the namespace that contains `link`.

    The other arguments are fields of Link, or flags as in `ip link`: `up=True` sets the link up,
    `arp=False` sets IFF_NOARP. Numbers that have names can be given by name:
    `linkmode="dormant"`. `mtu` and the `*_size` arguments are in bytes.

    Raises KernelError: EEXIST if the name is in use, EOPNOTSUPP if the kernel does not support the
    kind, ENODEV if `link` or `master` does not exist.
    """
    words = Words("link.add", locals())
    fields = _fields(words)
    fields["index"] = words.integer("index", 1, S32) or 0
    for field in ("num_tx_queues", "num_rx_queues"):
        fields[field] = words.integer(field, 1)
    fields["link_netnsid"] = words.integer("link_netnsid", 0, S32)
    fields["ifname"] = words.link_name("name")
    if fields["ifname"] is None:
        raise words.expected("name", "a str")
    if words.text("kind") is None:
        raise words.expected("kind", "a str")
    fields["linkinfo"] = _info(words, "kind", "data", KINDS)
    fields["link"] = yield from dev_index(words, "link")
    fields["master"] = yield from dev_index(words, "master")
    yield new(**fields)


@plan
def change(
    dev: Dev,
    *,
    name: str | None = None,
    master: Dev | None = None,
    nomaster: bool = False,
    up: bool | None = None,
    address: IPAddress | str | None = None,
    broadcast: IPAddress | str | None = None,
    mtu: int | None = None,
    txqlen: int | None = None,
    alias: str | None = None,
    group: int | None = None,
    arp: bool | None = None,
    multicast: bool | None = None,
    allmulticast: bool | None = None,
    promisc: bool | None = None,
    dynamic: bool | None = None,
    trailers: bool | None = None,
    carrier: bool | None = None,
    operstate: IF_OPER | int | str | None = None,
    linkmode: IF_LINK_MODE | int | str | None = None,
    addr_gen_mode: IN6_ADDR_GEN_MODE | int | str | None = None,
    proto_down: bool | None = None,
    proto_down_reason: ProtoDownReason | dict[str, Any] | None = None,
    gso_max_size: int | None = None,
    gso_max_segs: int | None = None,
    gro_max_size: int | None = None,
    gso_ipv4_max_size: int | None = None,
    gro_ipv4_max_size: int | None = None,
    net_ns_pid: int | None = None,
    net_ns_fd: int | None = None,
    new_ifindex: int | None = None,
    af_spec: AfSpecSet | dict[str, Any] | None = None,
    vfinfo_list: VfInfoList | dict[str, Any] | None = None,
    xdp: Xdp | dict[str, Any] | None = None,
    kind: str | None = None,
    data: Message | dict[str, Any] | None = None,
    slave_kind: str | None = None,
    slave_data: Message | dict[str, Any] | None = None,
) -> Steps[None]:
    """Change the given settings of a link and keep all others.

    `nomaster=True` removes the link from its master. `kind` and `data` change settings that belong
    to the kind of the link: `kind="bridge", data={"stp_state": 1}`. `slave_kind` and `slave_data`
    change settings of the link as a port of its master: `slave_kind="bridge", slave_data={"cost":
    5}`. `alias=""` removes the alias. `new_ifindex` is the index in the other network namespace,
    and requires `net_ns_pid` or `net_ns_fd`. The other arguments are those of add().

    Raises KernelError: ENODEV if the link or `master` does not exist. Raises TypeError if there is
    nothing to change.
    """
    words = Words("link.change", locals())
    if not words.has("dev"):
        raise words.expected("dev", "the name or index of a link, or a Link")
    words.needs_a_change("dev", "kind", "slave_kind", switches=("nomaster",))
    where = _where(words, "dev")
    fields = _fields(words)
    if words.has("name"):
        # IFLA_IFNAME is the new name here, so the request must name the link by its index.
        fields["ifname"] = words.link_name("name")
        where = {"index": (yield from needed_index(words))}
    if words.has("new_ifindex"):
        if fields["net_ns_pid"] is None and fields["net_ns_fd"] is None:
            words.refuse("accepts new_ifindex only together with net_ns_pid or net_ns_fd")
        fields["new_ifindex"] = words.integer("new_ifindex", 1, S32)
    fields["vfinfo_list"] = words.message("vfinfo_list", VfInfoList)
    fields["xdp"] = words.message("xdp", Xdp)
    info = _info(words, "kind", "data", KINDS) | _info(
        words, "slave_kind", "slave_data", SLAVE_KINDS
    )
    if info:
        fields["linkinfo"] = info
    if words.switch("nomaster"):
        if words.has("master"):
            words.refuse("accepts master or nomaster, not both")
        fields["master"] = 0
    else:
        fields["master"] = yield from dev_index(words, "master")
    yield from _about(dev, set(**where, **fields))


@plan
def up(dev: Dev) -> Steps[None]:
    """Set a link up. Raises KernelError: ENODEV if the link does not exist."""
    where = _where(Words("link.up", locals()), "dev")
    yield from _about(dev, set(**where, flags=IFF.IFF_UP, change=IFF.IFF_UP))


@plan
def down(dev: Dev) -> Steps[None]:
    """Set a link down. Raises KernelError: ENODEV if the link does not exist."""
    where = _where(Words("link.down", locals()), "dev")
    yield from _about(dev, set(**where, flags=IFF(0), change=IFF.IFF_UP))


@plan
def rename(dev: Dev, name: str) -> Steps[None]:
    """Rename a link. A name has at most 15 bytes.

    Raises KernelError: ENODEV if the link does not exist, EEXIST if the name is in use.
    """
    words = Words("link.rename", locals())
    ifname = words.link_name("name")
    if ifname is None:
        raise words.expected("name", "a str")
    yield set(index=(yield from needed_index(words)), ifname=ifname)


@plan
def remove(dev: Dev) -> Steps[None]:
    """Remove a link.

    Raises KernelError: ENODEV if the link does not exist, EOPNOTSUPP if it is a hardware device.
    """
    yield from _about(dev, delete(**_where(Words("link.remove", locals()), "dev")))


# Arguments that change a bit of ifi_flags, and whether False sets the bit.
FLAG_WORDS = (
    ("up", IFF.IFF_UP, False),
    ("arp", IFF.IFF_NOARP, True),
    ("multicast", IFF.IFF_MULTICAST, False),
    ("allmulticast", IFF.IFF_ALLMULTI, False),
    ("promisc", IFF.IFF_PROMISC, False),
    ("dynamic", IFF.IFF_DYNAMIC, False),
    ("trailers", IFF.IFF_NOTRAILERS, True),
)


def _fields(words: Words) -> dict[str, Any]:
    """Return the fields of Link that add() and change() share, except those that name links."""
    flags = mask = IFF(0)
    for name, bit, inverted in FLAG_WORDS:
        switch = words.switch(name)
        if switch is not None:
            mask |= bit
            flags |= bit if switch is not inverted else IFF(0)
    fields: dict[str, Any] = {"flags": flags, "change": mask}
    for name in (
        "mtu", "txqlen", "group", "gso_max_size", "gso_max_segs", "gro_max_size",
        "gso_ipv4_max_size", "gro_ipv4_max_size",
    ):  # fmt: skip
        fields[name] = words.integer(name)
    for name in ("address", "broadcast"):
        fields[name] = words.link_layer(name)
    for name in ("carrier", "proto_down"):
        fields[name] = None if (on := words.switch(name)) is None else int(on)
    fields["ifalias"] = words.text("alias", IFALIASZ, empty=True)
    fields["operstate"] = words.number("operstate", IF_OPER, U8)
    fields["linkmode"] = words.number("linkmode", IF_LINK_MODE, U8)
    fields["proto_down_reason"] = words.message("proto_down_reason", ProtoDownReason)
    fields["net_ns_pid"] = words.integer("net_ns_pid", 1, S32)
    fields["net_ns_fd"] = words.integer("net_ns_fd", 0, S32)
    if words.has("net_ns_pid") and words.has("net_ns_fd"):
        words.refuse("accepts net_ns_pid or net_ns_fd, not both")
    spec = words.message("af_spec", AfSpecSet)
    mode = words.number("addr_gen_mode", IN6_ADDR_GEN_MODE, U8)
    if mode is not None:
        if spec is not None:
            words.refuse("accepts addr_gen_mode or af_spec, not both")
        spec = {"inet6": {"addr_gen_mode": mode}}
    fields["af_spec"] = AfSpecSet(**spec) if isinstance(spec, dict) else spec
    return fields


def _info(
    words: Words, kind_name: str, data_name: str, classes: Mapping[str, type[Message]]
) -> dict[str, Any]:
    """Check the names in the data of a kind, and return the kind and data as LinkInfo fields."""
    kind = words.text(kind_name)
    if kind is None:
        if words.has(data_name):
            words.refuse(f"accepts {data_name} only together with {kind_name}")
        return {}
    fields: dict[str, Any] = {kind_name: kind}
    if words.has(data_name):
        cls = classes.get(kind)
        data = words.given[data_name] if cls is None else words.message(data_name, cls)
        if cls is None and not isinstance(data, bytes):
            raise words.wrong(
                data_name,
                f"links of kind {kind!r} have no declared {data_name}; leave it out or give bytes",
            )
        fields[data_name] = data
    return fields
