"""Link kind "bond": link aggregation, for the bond and for its ports.

This file only declares attributes, and is imported when the first bond is used. Numbers are from
Linux 6.12 (linux/if_link.h). Values are from linux/if_bonding.h or, where it has no names,
from net/bonding.h and net/bond_3ad.h in the kernel source. Widths are from
drivers/net/bonding/bond_netlink.c.
"""

from netlink.constants import KernelEnum, KernelFlag
from netlink.schema import (
    IPAddress,
    Message,
    Named,
    Nested,
    address,
    array,
    mac,
    nest,
    s32,
    u8,
    u16,
    u32,
)


class BOND_MODE(KernelEnum):
    """How a bond distributes traffic over its ports (linux/if_bonding.h)."""

    BOND_MODE_ROUNDROBIN = 0
    BOND_MODE_ACTIVEBACKUP = 1
    BOND_MODE_XOR = 2
    BOND_MODE_BROADCAST = 3
    BOND_MODE_8023AD = 4
    BOND_MODE_TLB = 5
    BOND_MODE_ALB = 6


class BOND_XMIT_POLICY(KernelEnum):
    """Packet fields that are hashed to choose a port (linux/if_bonding.h)."""

    BOND_XMIT_POLICY_LAYER2 = 0
    BOND_XMIT_POLICY_LAYER34 = 1
    BOND_XMIT_POLICY_LAYER23 = 2
    BOND_XMIT_POLICY_ENCAP23 = 3
    BOND_XMIT_POLICY_ENCAP34 = 4
    BOND_XMIT_POLICY_VLAN_SRCMAC = 5


class BOND_ARP_VALIDATE(KernelEnum, prefix=("BOND_ARP_VALIDATE_", "BOND_ARP_")):
    """On which ports the bond validates ARP probes, or ignores other traffic (net/bonding.h)."""

    BOND_ARP_VALIDATE_NONE = 0
    BOND_ARP_VALIDATE_ACTIVE = 1
    BOND_ARP_VALIDATE_BACKUP = 2
    BOND_ARP_VALIDATE_ALL = 3
    BOND_ARP_FILTER = 4
    BOND_ARP_FILTER_ACTIVE = 5
    BOND_ARP_FILTER_BACKUP = 6


class BOND_ARP_TARGETS(KernelEnum):
    """Whether any or all ARP targets must answer for a port to be up (net/bonding.h)."""

    BOND_ARP_TARGETS_ANY = 0
    BOND_ARP_TARGETS_ALL = 1


class BOND_PRI_RESELECT(KernelEnum):
    """When the primary port becomes the active port again (net/bonding.h)."""

    BOND_PRI_RESELECT_ALWAYS = 0
    BOND_PRI_RESELECT_BETTER = 1
    BOND_PRI_RESELECT_FAILURE = 2


class BOND_FOM(KernelEnum):
    """How a failover changes MAC addresses: IFLA_BOND_FAIL_OVER_MAC (net/bonding.h)."""

    BOND_FOM_NONE = 0
    BOND_FOM_ACTIVE = 1
    BOND_FOM_FOLLOW = 2


class AD_LACP(KernelEnum):
    """How often the partner sends LACPDUs: every 30 s or every second (net/bond_3ad.h)."""

    AD_LACP_SLOW = 0
    AD_LACP_FAST = 1


class BOND_AD(KernelEnum):
    """How an 802.3ad bond selects its active aggregator (net/bond_3ad.h)."""

    BOND_AD_STABLE = 0
    BOND_AD_BANDWIDTH = 1
    BOND_AD_COUNT = 2


class BOND_STATE(KernelEnum):
    """Whether a port carries the traffic of the bond (linux/if_bonding.h)."""

    BOND_STATE_ACTIVE = 0
    BOND_STATE_BACKUP = 1


class BOND_LINK(KernelEnum):
    """Link state of a port, as seen by the bond's monitor (linux/if_bonding.h)."""

    BOND_LINK_UP = 0
    BOND_LINK_FAIL = 1
    BOND_LINK_DOWN = 2
    BOND_LINK_BACK = 3


class LACP_STATE(KernelFlag):
    """State of an 802.3ad port (linux/if_bonding.h)."""

    LACP_STATE_LACP_ACTIVITY = 0x01
    LACP_STATE_LACP_TIMEOUT = 0x02
    LACP_STATE_AGGREGATION = 0x04
    LACP_STATE_SYNCHRONIZATION = 0x08
    LACP_STATE_COLLECTING = 0x10
    LACP_STATE_DISTRIBUTING = 0x20
    LACP_STATE_DEFAULTED = 0x40
    LACP_STATE_EXPIRED = 0x80


class AD_CHURN(KernelEnum, prefix="AD_"):
    """State of the 802.3ad churn detection: whether actor and partner agree (net/bond_3ad.h)."""

    AD_CHURN_MONITOR = 0
    AD_CHURN = 1
    AD_NO_CHURN = 2


class BondAdInfo(Message):
    """IFLA_BOND_AD_INFO_* attributes: the active aggregator (linux/if_link.h)."""

    aggregator: int | None = u16(1)
    num_ports: int | None = u16(2)
    actor_key: int | None = u16(3)
    partner_key: int | None = u16(4)
    partner_mac: str | None = mac(5)


class Bond(Message):
    """IFLA_BOND_* attributes of a "bond" (linux/if_link.h).

    Ports are link indexes. Intervals and delays are in milliseconds, except `lp_interval`, which is
    in seconds.
    """

    mode: Named[BOND_MODE | int | None] = u8(1, enum=BOND_MODE)
    active_slave: int | None = u32(2)
    miimon: int | None = u32(3)
    updelay: int | None = u32(4)
    downdelay: int | None = u32(5)
    use_carrier: int | None = u8(6)
    arp_interval: int | None = u32(7)
    arp_ip_target: tuple[IPAddress, ...] = array(8, address(size=4))
    arp_validate: Named[BOND_ARP_VALIDATE | int | None] = u32(9, enum=BOND_ARP_VALIDATE)
    arp_all_targets: Named[BOND_ARP_TARGETS | int | None] = u32(10, enum=BOND_ARP_TARGETS)
    primary: int | None = u32(11)
    primary_reselect: Named[BOND_PRI_RESELECT | int | None] = u8(12, enum=BOND_PRI_RESELECT)
    fail_over_mac: Named[BOND_FOM | int | None] = u8(13, enum=BOND_FOM)
    xmit_hash_policy: Named[BOND_XMIT_POLICY | int | None] = u8(14, enum=BOND_XMIT_POLICY)
    resend_igmp: int | None = u32(15)
    num_peer_notif: int | None = u8(16)
    all_slaves_active: int | None = u8(17)
    min_links: int | None = u32(18)
    lp_interval: int | None = u32(19)
    packets_per_slave: int | None = u32(20)
    ad_lacp_rate: Named[AD_LACP | int | None] = u8(21, enum=AD_LACP)
    ad_select: Named[BOND_AD | int | None] = u8(22, enum=BOND_AD)
    ad_info: Nested[BondAdInfo] = nest(23, BondAdInfo)
    ad_actor_sys_prio: int | None = u16(24)
    ad_user_port_key: int | None = u16(25)
    ad_actor_system: str | None = mac(26)
    tlb_dynamic_lb: int | None = u8(27)
    peer_notif_delay: int | None = u32(28)
    ad_lacp_active: int | None = u8(29)
    missed_max: int | None = u8(30)
    ns_ip6_target: tuple[IPAddress, ...] = array(31, address(size=16))
    coupled_control: int | None = u8(32)
    broadcast_neigh: int | None = u8(33)  # Linux 6.17


class BondSlave(Message):
    """IFLA_BOND_SLAVE_* attributes of a port of a "bond" (linux/if_link.h)."""

    state: Named[BOND_STATE | int | None] = u8(1, enum=BOND_STATE)
    mii_status: Named[BOND_LINK | int | None] = u8(2, enum=BOND_LINK)
    link_failure_count: int | None = u32(3)
    perm_hwaddr: str | None = mac(4)
    queue_id: int | None = u16(5)
    ad_aggregator_id: int | None = u16(6)
    ad_actor_oper_port_state: Named[LACP_STATE | None] = u8(7, enum=LACP_STATE)
    ad_partner_oper_port_state: Named[LACP_STATE | None] = u16(8, enum=LACP_STATE)
    prio: int | None = s32(9)
    actor_port_prio: int | None = u16(10)
    ad_churn_actor_state: Named[AD_CHURN | int | None] = u8(11, enum=AD_CHURN)
    ad_churn_partner_state: Named[AD_CHURN | int | None] = u8(12, enum=AD_CHURN)
