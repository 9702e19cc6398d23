"""Links that stand on other links: `Link.link` is the one below, or attributes name several.

Numbers are those of Linux 6.12 (linux/if_link.h, linux/if_vlan.h); widths and byte order are
those of the kind's own source: net/8021q/vlan_netlink.c, drivers/net/macvlan.c,
drivers/net/ipvlan/ipvlan_main.c, drivers/net/macsec.c, net/hsr/hsr_netlink.c,
drivers/infiniband/ulp/ipoib/ipoib_netlink.c, drivers/net/ethernet/qualcomm/rmnet/rmnet_config.c,
net/dsa/netlink.c and drivers/net/vrf.c.
"""

from netlink.constants import KernelEnum, KernelFlag
from netlink.route.linkinfo.ether import ETH_P
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    be16,
    be64,
    mac,
    nest,
    repeated,
    s32,
    struct,
    u8,
    u16,
    u32,
    u64,
)


class VLAN_FLAG(KernelFlag):
    """Flags of a VLAN link (linux/if_vlan.h)."""

    VLAN_FLAG_REORDER_HDR = 0x01
    VLAN_FLAG_GVRP = 0x02
    VLAN_FLAG_LOOSE_BINDING = 0x04
    VLAN_FLAG_MVRP = 0x08
    VLAN_FLAG_BRIDGE_BINDING = 0x10


class MACVLAN_MODE(KernelEnum):
    """Whom the links above one link may talk to (linux/if_link.h)."""

    MACVLAN_MODE_PRIVATE = 1
    MACVLAN_MODE_VEPA = 2
    MACVLAN_MODE_BRIDGE = 4
    MACVLAN_MODE_PASSTHRU = 8
    MACVLAN_MODE_SOURCE = 16


class MACVLAN_MACADDR(KernelEnum):
    """What to do with the addresses of MACVLAN_MODE_SOURCE (linux/if_link.h)."""

    MACVLAN_MACADDR_ADD = 0
    MACVLAN_MACADDR_DEL = 1
    MACVLAN_MACADDR_FLUSH = 2
    MACVLAN_MACADDR_SET = 3


class MACVLAN_FLAG(KernelFlag):
    """Flags of a macvlan (linux/if_link.h)."""

    MACVLAN_FLAG_NOPROMISC = 0x1
    MACVLAN_FLAG_NODST = 0x2


class IPVLAN_MODE(KernelEnum):
    """At which layer the link below is shared (linux/if_link.h)."""

    IPVLAN_MODE_L2 = 0
    IPVLAN_MODE_L3 = 1
    IPVLAN_MODE_L3S = 2


class IPVLAN_F(KernelFlag):
    """Flags of an ipvlan (linux/if_link.h); without one it is in bridge mode."""

    IPVLAN_F_PRIVATE = 0x01
    IPVLAN_F_VEPA = 0x02


class MACSEC_CIPHER_ID(KernelEnum, prefix=("MACSEC_CIPHER_ID_", "MACSEC_")):
    """Cipher suites, by their IEEE 802.1AE numbers (linux/if_macsec.h).

    MACSEC_DEFAULT_CIPHER_ID is an older number of MACSEC_CIPHER_ID_GCM_AES_128, and the one
    that the kernel sends.
    """

    MACSEC_DEFAULT_CIPHER_ID = 0x0080020001000001
    MACSEC_CIPHER_ID_GCM_AES_128 = 0x0080C20001000001
    MACSEC_CIPHER_ID_GCM_AES_256 = 0x0080C20001000002
    MACSEC_CIPHER_ID_GCM_AES_XPN_128 = 0x0080C20001000003
    MACSEC_CIPHER_ID_GCM_AES_XPN_256 = 0x0080C20001000004


class MACSEC_VALIDATE(KernelEnum):
    """What to do with frames that are not valid (linux/if_link.h)."""

    MACSEC_VALIDATE_DISABLED = 0
    MACSEC_VALIDATE_CHECK = 1
    MACSEC_VALIDATE_STRICT = 2


class MACSEC_OFFLOAD(KernelEnum):
    """Where encryption is done (linux/if_link.h)."""

    MACSEC_OFFLOAD_OFF = 0
    MACSEC_OFFLOAD_PHY = 1
    MACSEC_OFFLOAD_MAC = 2


class HSR_PROTOCOL(KernelEnum):
    """Redundancy protocols (linux/if_link.h)."""

    HSR_PROTOCOL_HSR = 0
    HSR_PROTOCOL_PRP = 1


class IPOIB_MODE(KernelEnum):
    """How IP goes over InfiniBand (linux/if_link.h)."""

    IPOIB_MODE_DATAGRAM = 0
    IPOIB_MODE_CONNECTED = 1


class RMNET_FLAGS(KernelFlag):
    """Data formats of a modem's link (linux/if_link.h)."""

    RMNET_FLAGS_INGRESS_DEAGGREGATION = 0x01
    RMNET_FLAGS_INGRESS_MAP_COMMANDS = 0x02
    RMNET_FLAGS_INGRESS_MAP_CKSUMV4 = 0x04
    RMNET_FLAGS_EGRESS_MAP_CKSUMV4 = 0x08
    RMNET_FLAGS_INGRESS_MAP_CKSUMV5 = 0x10
    RMNET_FLAGS_EGRESS_MAP_CKSUMV5 = 0x20


class ifla_vlan_flags(Message):
    """struct ifla_vlan_flags (linux/if_link.h): `mask` says which of `flags` to change."""

    flags: Named[VLAN_FLAG] = u32(enum=VLAN_FLAG)
    mask: int = u32()


class ifla_vlan_qos_mapping(Message):
    """struct ifla_vlan_qos_mapping (linux/if_link.h)."""

    from_: int = u32()
    to: int = u32()


class VlanQos(Message):
    """IFLA_VLAN_QOS_* attributes: from packet priority to VLAN priority, or back."""

    mapping: Several[ifla_vlan_qos_mapping] = repeated(1, struct(ifla_vlan_qos_mapping))


class Vlan(Message):
    """IFLA_VLAN_* attributes, of a "vlan" (linux/if_link.h)."""

    id: int | None = u16(1)
    flags: Nested[ifla_vlan_flags] = struct(2, ifla_vlan_flags)
    egress_qos: Nested[VlanQos] = nest(3, VlanQos)
    ingress_qos: Nested[VlanQos] = nest(4, VlanQos)
    protocol: Named[ETH_P | int | None] = be16(5, enum=ETH_P)


class MacvlanAddresses(Message):
    """IFLA_MACVLAN_MACADDR_DATA: the addresses of MACVLAN_MODE_SOURCE (linux/if_link.h)."""

    macaddr: tuple[str, ...] = repeated(4, mac())


class Macvlan(Message):
    """IFLA_MACVLAN_* attributes, of a "macvlan" or "macvtap" (linux/if_link.h).

    `macaddr_mode` says what to do with `macaddr`, one address, and `macaddr_data`. Lengths of the
    broadcast queue in packets, a `bc_cutoff` of -1 is none.
    """

    mode: Named[MACVLAN_MODE | int | None] = u32(1, enum=MACVLAN_MODE)
    flags: Named[MACVLAN_FLAG | None] = u16(2, enum=MACVLAN_FLAG)
    macaddr_mode: Named[MACVLAN_MACADDR | int | None] = u32(3, enum=MACVLAN_MACADDR)
    macaddr: str | None = mac(4)
    macaddr_data: Nested[MacvlanAddresses] = nest(5, MacvlanAddresses)
    macaddr_count: int | None = u32(6)
    bc_queue_len: int | None = u32(7)
    bc_queue_len_used: int | None = u32(8)
    bc_cutoff: int | None = s32(9)


class Ipvlan(Message):
    """IFLA_IPVLAN_* attributes, of an "ipvlan" or "ipvtap" (linux/if_link.h)."""

    mode: Named[IPVLAN_MODE | int | None] = u16(1, enum=IPVLAN_MODE)
    flags: Named[IPVLAN_F | None] = u16(2, enum=IPVLAN_F)


class Macsec(Message):
    """IFLA_MACSEC_* attributes, of a "macsec" (linux/if_link.h).

    `sci` is a MAC address and a port; `port` sets the latter alone. `icv_len` in bytes, `window`
    in packets.
    """

    sci: int | None = be64(1)
    port: int | None = be16(2)
    icv_len: int | None = u8(3)
    cipher_suite: Named[MACSEC_CIPHER_ID | int | None] = u64(4, enum=MACSEC_CIPHER_ID)
    window: int | None = u32(5)
    encoding_sa: int | None = u8(6)
    encrypt: int | None = u8(7)
    protect: int | None = u8(8)
    inc_sci: int | None = u8(9)
    es: int | None = u8(10)
    scb: int | None = u8(11)
    replay_protect: int | None = u8(12)
    validation: Named[MACSEC_VALIDATE | int | None] = u8(13, enum=MACSEC_VALIDATE)
    offload: Named[MACSEC_OFFLOAD | int | None] = u8(15, enum=MACSEC_OFFLOAD)


class Hsr(Message):
    """IFLA_HSR_* attributes, of an "hsr" (linux/if_link.h).

    `slave1`, `slave2` and `interlink` are link indexes; `multicast_spec` is the last byte of
    `supervision_addr`.
    """

    slave1: int | None = u32(1)
    slave2: int | None = u32(2)
    multicast_spec: int | None = u8(3)
    supervision_addr: str | None = mac(4)
    seq_nr: int | None = u16(5)
    version: int | None = u8(6)
    protocol: Named[HSR_PROTOCOL | int | None] = u8(7, enum=HSR_PROTOCOL)
    interlink: int | None = u32(8)


class Ipoib(Message):
    """IFLA_IPOIB_* attributes, of an "ipoib" (linux/if_link.h)."""

    pkey: int | None = u16(1)
    mode: Named[IPOIB_MODE | int | None] = u16(2, enum=IPOIB_MODE)
    umcast: int | None = u16(3)


class ifla_rmnet_flags(Message):
    """struct ifla_rmnet_flags (linux/if_link.h): `mask` says which of `flags` to change."""

    flags: Named[RMNET_FLAGS] = u32(enum=RMNET_FLAGS)
    mask: int = u32()


class Rmnet(Message):
    """IFLA_RMNET_* attributes, of an "rmnet" (linux/if_link.h)."""

    mux_id: int | None = u16(1)
    flags: Nested[ifla_rmnet_flags] = struct(2, ifla_rmnet_flags)


class Dsa(Message):
    """IFLA_DSA_* attributes, of a "dsa" (linux/if_link.h): a switch's port.

    `conduit` is the index of the link to the switch.
    """

    conduit: int | None = u32(1)


class Vrf(Message):
    """IFLA_VRF_* attributes, of a "vrf" (linux/if_link.h)."""

    table: int | None = u32(1)


class VrfPort(Message):
    """IFLA_VRF_PORT_* attributes, of a link in a "vrf" (linux/if_link.h)."""

    table: int | None = u32(1)
