"""Netlink sockets: struct netlink_diag_msg and its NETLINK_DIAG_* attributes.

This file contains messages and ops, and no I/O. Numbers are from Linux 6.12 (linux/netlink_diag.h).
The kernel selects sockets by `sdiag_protocol`; a request gets what it asks for by `show`.
"""

from __future__ import annotations

from netlink.constants import AF, NETLINK, KernelFlag
from netlink.diag.sockdiag import NOCOOKIE, SOCK, SOCK_DIAG, SkMeminfo
from netlink.family import Op
from netlink.schema import Message, Named, Nested, binary, pad, scalars, struct, u8, u32

NDIAG_PROTO_ALL = 0xFF


class NDIAG_SHOW(KernelFlag):
    """What a request asks for."""

    NDIAG_SHOW_MEMINFO = 0x01
    NDIAG_SHOW_GROUPS = 0x02
    NDIAG_SHOW_RING_CFG = 0x04
    NDIAG_SHOW_FLAGS = 0x08


class NDIAG_FLAG(KernelFlag):
    """State and options of a socket."""

    NDIAG_FLAG_CB_RUNNING = 0x01  # a dump is in progress
    NDIAG_FLAG_PKTINFO = 0x02
    NDIAG_FLAG_BROADCAST_ERROR = 0x04
    NDIAG_FLAG_NO_ENOBUFS = 0x08
    NDIAG_FLAG_LISTEN_ALL_NSID = 0x10
    NDIAG_FLAG_CAP_ACK = 0x20


class netlink_diag_ring(Message):
    """struct netlink_diag_ring, of kernels before 4.6."""

    block_size: int = u32()
    block_nr: int = u32()
    frame_size: int = u32()
    frame_nr: int = u32()


class netlink_diag_msg(Message):
    """struct netlink_diag_msg. The kernel's own sockets have portid 0."""

    family: Named[AF | int] = u8(enum=AF)
    type: Named[SOCK | int] = u8(enum=SOCK)
    protocol: Named[NETLINK | int] = u8(enum=NETLINK)
    state: int = u8()  # 0: not connected, 1: connected (net/netlink/af_netlink.h)
    portid: int = u32()
    dst_portid: int = u32()
    dst_group: int = u32()
    ino: int = u32()
    cookie: tuple[int, ...] = scalars(u32(), length=2)


class NetlinkSocket(netlink_diag_msg):
    """A netlink socket: struct netlink_diag_msg and NETLINK_DIAG_* attributes.

    `groups` is a bitmap in unsigned longs: group 1 is the lowest bit. `meminfo.drops` is the number
    of datagrams that the kernel dropped.
    """

    meminfo: Nested[SkMeminfo] = struct(0, SkMeminfo)
    groups: bytes | None = binary(1)
    rx_ring: Nested[netlink_diag_ring] = struct(2, netlink_diag_ring)
    tx_ring: Nested[netlink_diag_ring] = struct(3, netlink_diag_ring)
    flags: Named[NDIAG_FLAG | None] = u32(4, enum=NDIAG_FLAG)


class netlink_diag_req(Message):
    """struct netlink_diag_req. The kernel ignores `ino` and `cookie`; it can only dump."""

    family: Named[AF | int] = u8(enum=AF)
    sdiag_protocol: Named[NETLINK | int] = u8(enum=NETLINK)
    _pad = pad(2)
    ino: int = u32()
    show: Named[NDIAG_SHOW] = u32(enum=NDIAG_SHOW)
    cookie: tuple[int, ...] = scalars(u32(), length=2)


get = Op(
    "netlink.get",
    SOCK_DIAG.SOCK_DIAG_BY_FAMILY,
    netlink_diag_req,
    reply=NetlinkSocket,
    answer="one",
    dumps=True,
    defaults={
        "family": AF.AF_NETLINK,
        "sdiag_protocol": NDIAG_PROTO_ALL,
        "show": 0x0F,
        "cookie": NOCOOKIE,
    },
)
