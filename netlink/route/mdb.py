"""Multicast groups of a bridge or a VXLAN: struct br_port_msg and its MDBA_* attributes.

Requests and replies use the same attribute numbers with different meanings. They therefore have
different classes, which must not be mixed. Numbers are from Linux 6.12 (linux/if_bridge.h),
MDB_FLAGS_OFFLOAD_FAILED from 6.18. Widths and byte order are from net/bridge/br_mdb.c and
drivers/net/vxlan/vxlan_mdb.c. Timers are in hundredths of a second.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Self

from netlink.constants import AF, NLM_F, KernelEnum, KernelFlag
from netlink.family import Follow, Op, anything
from netlink.route.ether import ETH_P
from netlink.route.link import FENCE
from netlink.route.link.kinds.bridge import MDB_RTR_TYPE
from netlink.route.rtnetlink import ROUTE, RTM, RTPROT, rtgenmsg
from netlink.schema import (
    Addr,
    IPAddress,
    Message,
    Named,
    Nested,
    Several,
    be16,
    binary,
    nest,
    pad,
    repeated,
    s32,
    struct,
    u8,
    u16,
    u32,
)

# MdbSource has a field named `address`, which would hide this function from later fields.
from netlink.schema import address as ip


class MDB_STATE(KernelEnum, prefix="MDB_"):
    """Whether an entry expires: br_mdb_entry.state."""

    MDB_TEMPORARY = 0
    MDB_PERMANENT = 1


class MDB_FLAGS(KernelFlag):
    """Flags of an entry: br_mdb_entry.flags."""

    MDB_FLAGS_OFFLOAD = 0x01
    MDB_FLAGS_FAST_LEAVE = 0x02
    MDB_FLAGS_STAR_EXCL = 0x04
    MDB_FLAGS_BLOCKED = 0x08
    MDB_FLAGS_OFFLOAD_FAILED = 0x10


class MCAST(KernelEnum):
    """Meaning of the list of sources: MDBA_MDB_EATTR_GROUP_MODE, MDBE_ATTR_GROUP_MODE."""

    MCAST_EXCLUDE = 0
    MCAST_INCLUDE = 1


class br_mdb_entry(Message):
    """struct br_mdb_entry (linux/if_bridge.h): a group on the port `ifindex`, in the VLAN `vid`.

    `proto` is the type of the address in `u`: IPv4, IPv6, or 0 for a link-layer address. `of`
    builds both members from an address, and `addr` returns the address.
    """

    ifindex: int = u32()
    state: Named[MDB_STATE | int] = u8(enum=MDB_STATE)
    flags: Named[MDB_FLAGS] = u8(enum=MDB_FLAGS)
    vid: int = u16()
    u: bytes = binary(size=16)
    proto: Named[ETH_P | int] = be16(enum=ETH_P)
    _pad = pad(2)

    @classmethod
    def of(cls, group: IPAddress | str, **members: Any) -> Self:
        """Return the entry of a group: "239.1.1.1", "ff02::db8" or "01:00:5e:00:00:01"."""
        try:
            found = ip_address(group)
        except ValueError:
            return cls(u=bytes.fromhex(str(group).replace(":", "")), **members)
        proto = ETH_P.ETH_P_IP if found.version == 4 else ETH_P.ETH_P_IPV6
        return cls(u=found.packed, proto=proto, **members)

    @property
    def addr(self) -> IPAddress | str:
        """The address of the group. A link-layer address is text."""
        match self.proto:
            case ETH_P.ETH_P_IP:
                return IPv4Address(self.u[:4])
            case ETH_P.ETH_P_IPV6:
                return IPv6Address(self.u)
            case _:
                return self.u[:6].hex(":")


class MdbSource(Message):
    """MDBA_MDB_SRCATTR_* attributes: a source and its timer (linux/if_bridge.h)."""

    address: Addr = ip(1, by_family="^^proto")
    timer: int | None = u32(2)


class MdbSourceList(Message):
    """MDBA_MDB_SRCLIST_* attributes (linux/if_bridge.h)."""

    entry: Several[MdbSource] = repeated(1, MdbSource)


class MdbEntryInfo(br_mdb_entry):
    """One group on one port: struct br_mdb_entry and MDBA_MDB_EATTR_* attributes.

    The attributes from `dst` on exist only for a VXLAN. `eattr_ifindex` (MDBA_MDB_EATTR_IFINDEX)
    is the link through which the VXLAN sends to `dst`; the port is `ifindex`.
    """

    timer: int | None = u32(1)
    src_list: Nested[MdbSourceList] = nest(2, MdbSourceList)
    group_mode: Named[MCAST | int | None] = u8(3, enum=MCAST)
    source: Addr = ip(4, by_family="proto")
    rtprot: Named[RTPROT | int | None] = u8(5, enum=RTPROT)
    dst: Addr = ip(6)
    dst_port: int | None = u16(7)
    vni: int | None = u32(8)
    eattr_ifindex: int | None = u32(9)
    src_vni: int | None = u32(10)


class MdbEntry(Message):
    """MDBA_MDB_ENTRY: the ports of a group (linux/if_bridge.h)."""

    info: Several[MdbEntryInfo] = repeated(1, MdbEntryInfo)


class MdbEntries(Message):
    """MDBA_MDB: a list of groups (linux/if_bridge.h)."""

    entry: Several[MdbEntry] = repeated(1, MdbEntry)


class router_port(Message):
    """The first member of MDBA_ROUTER_PORT: the index of the port (linux/if_bridge.h)."""

    ifindex: int = u32()


class RouterPort(router_port):
    """A port that leads to multicast routers: its index and MDBA_ROUTER_PATTR_* attributes."""

    timer: int | None = u32(1)
    type: Named[MDB_RTR_TYPE | int | None] = u8(2, enum=MDB_RTR_TYPE)
    inet_timer: int | None = u32(3)
    inet6_timer: int | None = u32(4)
    vid: int | None = u16(5)


class RouterPorts(Message):
    """MDBA_ROUTER: the ports that lead to multicast routers (linux/if_bridge.h)."""

    port: Several[RouterPort] = repeated(1, RouterPort)


class br_port_msg(Message, bare=rtgenmsg):
    """struct br_port_msg (linux/if_bridge.h). `ifindex` is the index of the bridge or VXLAN."""

    family: Named[AF | int] = u8(enum=AF)
    ifindex: int = u32()


class Mdb(br_port_msg):
    """Reply or event about one bridge or VXLAN: struct br_port_msg and MDBA_* attributes."""

    mdb: Nested[MdbEntries] = nest(1, MdbEntries)
    router: Nested[RouterPorts] = nest(2, RouterPorts)


class MdbSetSource(Message):
    """MDBE_SRCATTR_* attributes: a source in a request (linux/if_bridge.h)."""

    address: Addr = ip(1, by_family="^^^entry.proto")


class MdbSetSourceList(Message):
    """MDBE_SRC_LIST_* attributes (linux/if_bridge.h)."""

    entry: Several[MdbSetSource] = repeated(1, MdbSetSource)


class MdbSetAttributes(Message):
    """MDBE_ATTR_* attributes: options of an entry in a request (linux/if_bridge.h)."""

    source: Addr = ip(1, by_family="^entry.proto")
    src_list: Nested[MdbSetSourceList] = nest(2, MdbSetSourceList)
    group_mode: Named[MCAST | int | None] = u8(3, enum=MCAST)
    rtprot: Named[RTPROT | int | None] = u8(4, enum=RTPROT)
    dst: Addr = ip(5)
    dst_port: int | None = u16(6)
    vni: int | None = u32(7)
    ifindex: int | None = s32(8)
    src_vni: int | None = u32(9)
    state_mask: Named[MDB_STATE | int | None] = u8(10, enum=MDB_STATE)


class MdbSet(br_port_msg):
    """Request about one entry: struct br_port_msg and its MDBA_SET_ENTRY_* attributes.

    The MDBA_GET_ENTRY_* attributes are the same. A dump request has no attributes and returns the
    groups of all bridges.
    """

    entry: Nested[br_mdb_entry] = struct(1, br_mdb_entry)
    entry_attrs: Nested[MdbSetAttributes] = nest(2, MdbSetAttributes)


get = Op(
    "mdb.get",
    RTM.RTM_GETMDB,
    MdbSet,
    reply=Mdb,
    answer="one",
    defaults={"family": AF.AF_BRIDGE},
    # A message of a dump has all groups of one bridge, an event has one of them.
    follow=Follow(
        groups=("mdb", "link"),
        key=("ifindex",),
        several=True,  # a large one is divided into several messages
        also={RTM.RTM_NEWLINK: None, RTM.RTM_DELLINK: None},
        fence=FENCE,
        select={"family": anything},
        ignore=(
            "mdb.entry.info.timer",
            "mdb.entry.info.src_list.entry.timer",
            "router.port.timer",
            "router.port.inet_timer",
            "router.port.inet6_timer",
        ),
    ),
)
new = Op("mdb.new", RTM.RTM_NEWMDB, MdbSet, reply=Mdb, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
replace = Op(
    "mdb.replace", RTM.RTM_NEWMDB, MdbSet, reply=Mdb, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE
)
delete = Op("mdb.delete", RTM.RTM_DELMDB, MdbSet, reply=Mdb)
# Deletes all entries that match `entry` and `entry_attrs`, or all if the request has neither.
flush = Op("mdb.flush", RTM.RTM_DELMDB, MdbSet, reply=Mdb, flags=NLM_F.NLM_F_BULK)

ROUTE.add(
    get,
    new,
    replace,
    delete,
    flush,
    messages={RTM.RTM_GETMDB: Mdb, RTM.RTM_NEWMDB: Mdb, RTM.RTM_DELMDB: Mdb},
)
