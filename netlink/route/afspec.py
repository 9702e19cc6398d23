"""What IFLA_AF_SPEC and IFLA_PROTINFO of a link hold: one class an address family.

IFLA_AF_SPEC of an ordinary message is a nest keyed by family (`AfSpec`); with AF_BRIDGE in the
header it holds IFLA_BRIDGE_* attributes instead (`BridgeSpec`). Numbers are those of Linux 6.12
(linux/if_link.h, linux/if_bridge.h, linux/ip.h, linux/ipv6.h).

The kernel writes a link's sysctls as C arrays that only ever grow at the end, so they are declared
as structs here, a member for each index. Its counters are arrays too, but their order is the
running kernel's own: it changed between 6.12 and 6.18.
"""

from enum import IntEnum, IntFlag

from netlink.constants import AF
from netlink.schema import (
    IPAddress,
    Message,
    address,
    binary,
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


class IN6_ADDR_GEN_MODE(IntEnum):
    """How a link makes its IPv6 addresses: IFLA_INET6_ADDR_GEN_MODE (linux/if_link.h)."""

    IN6_ADDR_GEN_MODE_EUI64 = 0
    IN6_ADDR_GEN_MODE_NONE = 1
    IN6_ADDR_GEN_MODE_STABLE_PRIVACY = 2
    IN6_ADDR_GEN_MODE_RANDOM = 3


class BRIDGE_FLAGS(IntFlag):
    """Which side of a bridge port a request is for: IFLA_BRIDGE_FLAGS (linux/if_bridge.h)."""

    BRIDGE_FLAGS_MASTER = 0x01
    BRIDGE_FLAGS_SELF = 0x02


class BRIDGE_MODE(IntEnum):
    """Mode of a bridge in hardware: IFLA_BRIDGE_MODE (linux/if_bridge.h)."""

    BRIDGE_MODE_VEB = 0
    BRIDGE_MODE_VEPA = 1
    BRIDGE_MODE_UNDEF = 0xFFFF


class BRIDGE_VLAN_INFO(IntFlag):
    """Flags of a VLAN on a bridge port (linux/if_bridge.h)."""

    BRIDGE_VLAN_INFO_MASTER = 0x01
    BRIDGE_VLAN_INFO_PVID = 0x02
    BRIDGE_VLAN_INFO_UNTAGGED = 0x04
    BRIDGE_VLAN_INFO_RANGE_BEGIN = 0x08
    BRIDGE_VLAN_INFO_RANGE_END = 0x10
    BRIDGE_VLAN_INFO_BRENTRY = 0x20
    BRIDGE_VLAN_INFO_ONLY_OPTS = 0x40


class BR_STATE(IntEnum):
    """State of a bridge port in the spanning tree (linux/if_bridge.h)."""

    BR_STATE_DISABLED = 0
    BR_STATE_LISTENING = 1
    BR_STATE_LEARNING = 2
    BR_STATE_FORWARDING = 3
    BR_STATE_BLOCKING = 4


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
    """The IPv6 sysctls of a link, in the order of DEVCONF_* (linux/ipv6.h); intervals in ms."""

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
    """struct ifla_cacheinfo (linux/if_link.h): `tstamp` in 1/100 s of uptime, times in ms."""

    max_reasm_len: int = u32()
    tstamp: int = u32()
    reachable_time: int = u32()
    retrans_time: int = u32()


class Inet(Message):
    """IFLA_INET_* attributes (linux/if_link.h).

    `conf` is what the kernel sends. It takes another form under the same number, a nest keyed by
    IPV4_DEVCONF_* (inet_validate_link_af in net/ipv4/devinet.c), which is not declared.
    """

    conf: ipv4_devconf | None = struct(1, ipv4_devconf)


class Inet6(Message):
    """IFLA_INET6_* attributes (linux/if_link.h).

    `stats` and `icmp6stats` are indexed by IPSTATS_MIB_* and ICMP6_MIB_* (linux/snmp.h) of the
    kernel that sent them; their first element is their length. `mcast` was never used.
    """

    flags: int | None = u32(1)
    conf: ipv6_devconf | None = struct(2, ipv6_devconf)
    stats: tuple[int, ...] = scalars(3, u64())
    mcast: bytes | None = binary(4)
    cacheinfo: ifla_cacheinfo | None = struct(5, ifla_cacheinfo)
    icmp6stats: tuple[int, ...] = scalars(6, u64())
    token: IPAddress | None = address(7)
    addr_gen_mode: IN6_ADDR_GEN_MODE | int | None = u8(8, enum=IN6_ADDR_GEN_MODE)
    ra_mtu: int | None = u32(9)


class Mctp(Message):
    """IFLA_MCTP_* attributes (linux/if_link.h)."""

    net: int | None = u32(1)


class AfSpec(Message):
    """IFLA_AF_SPEC of an ordinary link message: a nest for each address family."""

    inet: Inet | None = nest(AF.AF_INET, Inet)
    inet6: Inet6 | None = nest(AF.AF_INET6, Inet6)
    mctp: Mctp | None = nest(AF.AF_MCTP, Mctp)


class bridge_vlan_info(Message):
    """struct bridge_vlan_info (linux/if_bridge.h)."""

    flags: BRIDGE_VLAN_INFO = u16(enum=BRIDGE_VLAN_INFO)
    vid: int = u16()


class BridgeVlanTunnel(Message):
    """IFLA_BRIDGE_VLAN_TUNNEL_* attributes: a VLAN and its tunnel id (linux/if_bridge.h)."""

    id: int | None = u32(1)
    vid: int | None = u16(2)
    flags: BRIDGE_VLAN_INFO | None = u16(3, enum=BRIDGE_VLAN_INFO)


class BridgeMstEntry(Message):
    """IFLA_BRIDGE_MST_ENTRY_* attributes (linux/if_bridge.h)."""

    msti: int | None = u16(1)
    state: BR_STATE | int | None = u8(2, enum=BR_STATE)


class BridgeMst(Message):
    """IFLA_BRIDGE_MST: the port's state in each multiple spanning tree (linux/if_bridge.h)."""

    entry: tuple[BridgeMstEntry, ...] = repeated(1, BridgeMstEntry)


class BridgeSpec(Message):
    """IFLA_BRIDGE_* attributes: IFLA_AF_SPEC of an AF_BRIDGE link message (linux/if_bridge.h)."""

    flags: BRIDGE_FLAGS | None = u16(0, enum=BRIDGE_FLAGS)
    mode: BRIDGE_MODE | int | None = u16(1, enum=BRIDGE_MODE)
    vlan_info: tuple[bridge_vlan_info, ...] = repeated(2, struct(bridge_vlan_info))
    vlan_tunnel_info: tuple[BridgeVlanTunnel, ...] = repeated(3, BridgeVlanTunnel)
    mst: BridgeMst | None = nest(6, BridgeMst)
