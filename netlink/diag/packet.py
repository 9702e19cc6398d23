"""Packet sockets: struct packet_diag_msg and its PACKET_DIAG_* attributes.

This file contains messages and ops, and no I/O. Numbers are from Linux 6.12 (linux/packet_diag.h).
The kernel does not select sockets; a request gets what it asks for by `show`.
"""

from __future__ import annotations

from netlink.constants import AF, KernelFlag
from netlink.diag.sockdiag import NOCOOKIE, SOCK, SOCK_DIAG, SkMeminfo
from netlink.family import Op
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    binary,
    pad,
    scalars,
    struct,
    u8,
    u16,
    u32,
)


class PACKET_SHOW(KernelFlag):
    """What a request asks for."""

    PACKET_SHOW_INFO = 0x01
    PACKET_SHOW_MCLIST = 0x02
    PACKET_SHOW_RING_CFG = 0x04
    PACKET_SHOW_FANOUT = 0x08
    PACKET_SHOW_MEMINFO = 0x10
    PACKET_SHOW_FILTER = 0x20


class PDI(KernelFlag):
    """Flags of packet_diag_info."""

    PDI_RUNNING = 0x01
    PDI_AUXDATA = 0x02
    PDI_ORIGDEV = 0x04
    PDI_VNETHDR = 0x08
    PDI_LOSS = 0x10


class packet_diag_info(Message):
    """struct packet_diag_info. `index` is the link to which the socket is bound, 0 for all."""

    index: int = u32()
    version: int = u32()
    reserve: int = u32()
    copy_thresh: int = u32()
    tstamp: int = u32()
    flags: Named[PDI] = u32(enum=PDI)


class packet_diag_mclist(Message):
    """struct packet_diag_mclist: a multicast address that the socket receives."""

    index: int = u32()
    count: int = u32()
    type: int = u16()
    alen: int = u16()
    addr: bytes = binary(size=32)


class packet_diag_ring(Message):
    """struct packet_diag_ring: sizes in bytes."""

    block_size: int = u32()
    block_nr: int = u32()
    frame_size: int = u32()
    frame_nr: int = u32()
    retire_tmo: int = u32()
    sizeof_priv: int = u32()
    features: int = u32()


class packet_diag_msg(Message):
    """struct packet_diag_msg. `num` is the EtherType that the socket receives."""

    family: Named[AF | int] = u8(enum=AF)
    type: Named[SOCK | int] = u8(enum=SOCK)
    num: int = u16()
    ino: int = u32()
    cookie: tuple[int, ...] = scalars(u32(), length=2)


class PacketSocket(packet_diag_msg):
    """A packet socket: struct packet_diag_msg and PACKET_DIAG_* attributes.

    `fanout` is the group in the lower and the mode in the upper 16 bits. `filter` is the classic
    BPF program, an array of struct sock_filter.
    """

    info: Nested[packet_diag_info] = struct(0, packet_diag_info)
    mclist: Several[packet_diag_mclist] = scalars(1, struct(packet_diag_mclist))
    rx_ring: Nested[packet_diag_ring] = struct(2, packet_diag_ring)
    tx_ring: Nested[packet_diag_ring] = struct(3, packet_diag_ring)
    fanout: int | None = u32(4)
    uid: int | None = u32(5)
    meminfo: Nested[SkMeminfo] = struct(6, SkMeminfo)
    filter: bytes | None = binary(7)


class packet_diag_req(Message):
    """struct packet_diag_req. The kernel ignores `ino` and `cookie`; it can only dump."""

    family: Named[AF | int] = u8(enum=AF)
    sdiag_protocol: int = u8()
    _pad = pad(2)
    ino: int = u32()
    show: Named[PACKET_SHOW] = u32(enum=PACKET_SHOW)
    cookie: tuple[int, ...] = scalars(u32(), length=2)


get = Op(
    "packet.get",
    SOCK_DIAG.SOCK_DIAG_BY_FAMILY,
    packet_diag_req,
    reply=PacketSocket,
    answer="one",
    dumps=True,
    defaults={"family": AF.AF_PACKET, "show": 0x3F, "cookie": NOCOOKIE},
)
