"""IFLA_AF_SPEC and IFLA_PROTINFO of a link: one class for each address family.

IFLA_AF_SPEC has one nest for each family: `AfSpec` from the kernel, `AfSpecSet` in a request. That
of a bridge is in bridgespec.py. This file must not depend on the link message, which imports it.
Numbers are from Linux 6.12 (linux/if_link.h, linux/ip.h, linux/ipv6.h). Widths are from
net/ipv4/devinet.c, net/ipv6/addrconf.c and net/mctp/device.c.

The kernel sends the sysctls of a link as C arrays. New sysctls are added only at the end, so this
file declares the arrays as structs with one member for each index. The counters of a link are
arrays too, but their order is not stable: it changed between Linux 6.12 and 6.18.
"""

from netlink.constants import AF, KernelEnum
from netlink.schema import (
    Addr,
    Message,
    Named,
    Nested,
    address,
    binary,
    nest,
    s32,
    scalars,
    struct,
    u8,
    u32,
    u64,
)


class IN6_ADDR_GEN_MODE(KernelEnum):
    """How a link generates IPv6 addresses: IFLA_INET6_ADDR_GEN_MODE (linux/if_link.h)."""

    IN6_ADDR_GEN_MODE_EUI64 = 0
    IN6_ADDR_GEN_MODE_NONE = 1
    IN6_ADDR_GEN_MODE_STABLE_PRIVACY = 2
    IN6_ADDR_GEN_MODE_RANDOM = 3


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
