"""Link kind "vlan": a VLAN on a lower link.

This file only declares attributes, and is imported when the first "vlan" link is used. Numbers are
from Linux 6.12 (linux/if_link.h, linux/if_vlan.h). Widths and byte order are from
net/8021q/vlan_netlink.c.
"""

from netlink.constants import KernelFlag
from netlink.route.ether import ETH_P
from netlink.schema import Message, Named, Nested, Several, be16, nest, repeated, struct, u16, u32


class VLAN_FLAG(KernelFlag):
    """Flags of a VLAN link (linux/if_vlan.h)."""

    VLAN_FLAG_REORDER_HDR = 0x01
    VLAN_FLAG_GVRP = 0x02
    VLAN_FLAG_LOOSE_BINDING = 0x04
    VLAN_FLAG_MVRP = 0x08
    VLAN_FLAG_BRIDGE_BINDING = 0x10


class ifla_vlan_flags(Message):
    """struct ifla_vlan_flags (linux/if_link.h): `mask` selects the `flags` to change."""

    flags: Named[VLAN_FLAG] = u32(enum=VLAN_FLAG)
    mask: int = u32()


class ifla_vlan_qos_mapping(Message):
    """struct ifla_vlan_qos_mapping (linux/if_link.h)."""

    from_: int = u32()
    to: int = u32()


class VlanQos(Message):
    """IFLA_VLAN_QOS_* attributes: map packet priorities to VLAN priorities, or the reverse."""

    mapping: Several[ifla_vlan_qos_mapping] = repeated(1, struct(ifla_vlan_qos_mapping))


class Vlan(Message):
    """IFLA_VLAN_* attributes of a "vlan" (linux/if_link.h)."""

    id: int | None = u16(1)
    flags: Nested[ifla_vlan_flags] = struct(2, ifla_vlan_flags)
    egress_qos: Nested[VlanQos] = nest(3, VlanQos)
    ingress_qos: Nested[VlanQos] = nest(4, VlanQos)
    protocol: Named[ETH_P | int | None] = be16(5, enum=ETH_P)
