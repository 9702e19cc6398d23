"""VNIs that a VXLAN link with a VNI filter accepts: struct tunnel_msg, VXLAN_VNIFILTER_*.

This file declares messages and ops only. The settings of the VXLAN link itself belong to the link.
Numbers are from Linux 6.12 (linux/if_link.h), widths from vni_filter_entry_policy and
vxlan_fill_vni_filter_entry in drivers/net/vxlan/vxlan_vnifilter.c.
"""

from netlink.constants import AF, KernelFlag
from netlink.family import Follow, Op, anything
from netlink.route.link import FENCE
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
    """Information that a dump includes on request: flags of struct tunnel_msg."""

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
    """VXLAN_VNIFILTER_ENTRY_* attributes: one VNI, or those from `start` to `end`.

    `end` is included, and missing for one VNI (linux/if_link.h).
    """

    start: int | None = u32(1)
    end: int | None = u32(2)
    group: Addr = address(3, size=4)
    group6: Addr = address(4, size=16)
    stats: Nested[VniStats] = nest(5, VniStats)


class tunnel_msg(Message):
    """struct tunnel_msg (linux/if_link.h). `ifindex` is the index of the VXLAN link."""

    family: Named[AF | int] = u8(enum=AF)
    flags: Named[TUNNEL_MSG_FLAG] = u8(enum=TUNNEL_MSG_FLAG)
    _pad = pad(2)
    ifindex: int = u32()


class Tunnel(tunnel_msg):
    """The VNIs of one VXLAN link: struct tunnel_msg and VXLAN_VNIFILTER_* attributes."""

    entry: Several[VniEntry] = repeated(1, VniEntry)


# The header's family is AF_BRIDGE. The kernel ignores NLM_F_CREATE, NLM_F_EXCL and NLM_F_REPLACE:
# it changes the group of a VNI that exists (vxlan_vni_add).
get = Op(  # the kernel answers dumps only
    "tunnel.get",
    RTM.RTM_GETTUNNEL,
    Tunnel,
    answer="one",
    defaults={"family": AF.AF_BRIDGE},
    follow=Follow(
        groups=("tunnel", "link"),
        key=("ifindex",),
        several=True,  # a long list is divided into several messages
        also={RTM.RTM_NEWLINK: None, RTM.RTM_DELLINK: None},
        fence=FENCE,
        select={"family": anything, "ifindex": None},
        ignore=("entry.stats",),
    ),
)
set = Op("tunnel.set", RTM.RTM_NEWTUNNEL, Tunnel, defaults={"family": AF.AF_BRIDGE})
delete = Op("tunnel.delete", RTM.RTM_DELTUNNEL, Tunnel, defaults={"family": AF.AF_BRIDGE})

ROUTE.add(get, set, delete)
