"""The VNIs that a VXLAN with a filter lets in: struct tunnel_msg and VXLAN_VNIFILTER_* attributes.

Numbers are those of Linux 6.12 (linux/if_link.h); widths are those of vni_filter_entry_policy and
vxlan_fill_vni_filter_entry in drivers/net/vxlan/vxlan_vnifilter.c.
"""

from netlink.constants import AF, KernelFlag
from netlink.family import Op
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.schema import (
    Addr,
    Message,
    Named,
    Nested,
    Several,
    address,
    nest,
    pad,
    repeated,
    u8,
    u32,
    u64,
)


class TUNNEL_MSG_FLAG(KernelFlag):
    """What a request asks for beyond the usual: flags."""

    TUNNEL_MSG_FLAG_STATS = 0x01


class VniStats(Message):
    """VNIFILTER_ENTRY_STATS_* attributes (linux/if_link.h)."""

    rx_bytes: int | None = u64(1)
    rx_pkts: int | None = u64(2)
    rx_drops: int | None = u64(3)
    rx_errors: int | None = u64(4)
    tx_bytes: int | None = u64(5)
    tx_pkts: int | None = u64(6)
    tx_drops: int | None = u64(7)
    tx_errors: int | None = u64(8)


class VniEntry(Message):
    """VXLAN_VNIFILTER_ENTRY_* attributes: a VNI, or all from `start` to `end` (linux/if_link.h)."""

    start: int | None = u32(1)
    end: int | None = u32(2)
    group: Addr = address(3, size=4)
    group6: Addr = address(4, size=16)
    stats: Nested[VniStats] = nest(5, VniStats)


class tunnel_msg(Message):
    """struct tunnel_msg (linux/if_link.h): `ifindex` of the VXLAN."""

    family: Named[AF | int] = u8(enum=AF)
    flags: Named[TUNNEL_MSG_FLAG] = u8(enum=TUNNEL_MSG_FLAG)
    _pad = pad(2)
    ifindex: int = u32()


class Tunnel(tunnel_msg):
    """The VNIs of one VXLAN: struct tunnel_msg and VXLAN_VNIFILTER_* attributes."""

    entry: Several[VniEntry] = repeated(1, VniEntry)


# All of them have AF_BRIDGE in the header. No flag makes a difference: a VNI that is there takes
# the new group (vxlan_vni_add).
get = Op(  # dumps only
    "tunnel.get",
    RTM.RTM_GETTUNNEL,
    Tunnel,
    answer="one",
    defaults={"family": AF.AF_BRIDGE},
)
set = Op("tunnel.set", RTM.RTM_NEWTUNNEL, Tunnel, defaults={"family": AF.AF_BRIDGE})
delete = Op("tunnel.delete", RTM.RTM_DELTUNNEL, Tunnel, defaults={"family": AF.AF_BRIDGE})

ROUTE.add(get, set, delete)
