"""XDP sockets: struct xdp_diag_msg and its XDP_DIAG_* attributes.

This file contains messages and ops, and no I/O. Numbers are from Linux 6.12 (linux/xdp_diag.h). The
kernel does not select sockets; a request gets what it asks for by `show`.
"""

from __future__ import annotations

from netlink.constants import AF, KernelFlag
from netlink.diag.sockdiag import NOCOOKIE, SOCK, SOCK_DIAG, SkMeminfo
from netlink.family import Op
from netlink.schema import Message, Named, Nested, pad, scalars, struct, u8, u32, u64


class XDP_SHOW(KernelFlag):
    """What a request asks for."""

    XDP_SHOW_INFO = 1 << 0
    XDP_SHOW_RING_CFG = 1 << 1
    XDP_SHOW_UMEM = 1 << 2
    XDP_SHOW_MEMINFO = 1 << 3
    XDP_SHOW_STATS = 1 << 4


class XDP_DU_F(KernelFlag):
    """Flags of a umem."""

    XDP_DU_F_ZEROCOPY = 1 << 0


class xdp_diag_info(Message):
    """struct xdp_diag_info: the link and the queue to which the socket is bound."""

    ifindex: int = u32()
    queue_id: int = u32()


class xdp_diag_ring(Message):
    """struct xdp_diag_ring: the number of descriptors."""

    entries: int = u32()


class xdp_diag_umem(Message):
    """struct xdp_diag_umem: memory of packets; sizes in bytes."""

    size: int = u64()
    id: int = u32()
    num_pages: int = u32()
    chunk_size: int = u32()
    headroom: int = u32()
    ifindex: int = u32()
    queue_id: int = u32()
    flags: Named[XDP_DU_F] = u32(enum=XDP_DU_F)
    refs: int = u32()


class xdp_diag_stats(Message):
    """struct xdp_diag_stats."""

    n_rx_dropped: int = u64()
    n_rx_invalid: int = u64()
    n_rx_full: int = u64()
    n_fill_ring_empty: int = u64()
    n_tx_invalid: int = u64()
    n_tx_ring_empty: int = u64()


class xdp_diag_msg(Message):
    """struct xdp_diag_msg."""

    family: Named[AF | int] = u8(enum=AF)
    type: Named[SOCK | int] = u8(enum=SOCK)
    _pad = pad(2)
    ino: int = u32()
    cookie: tuple[int, ...] = scalars(u32(), length=2)


class XdpSocket(xdp_diag_msg):
    """An XDP socket: struct xdp_diag_msg and XDP_DIAG_* attributes."""

    info: Nested[xdp_diag_info] = struct(1, xdp_diag_info)
    uid: int | None = u32(2)
    rx_ring: Nested[xdp_diag_ring] = struct(3, xdp_diag_ring)
    tx_ring: Nested[xdp_diag_ring] = struct(4, xdp_diag_ring)
    umem: Nested[xdp_diag_umem] = struct(5, xdp_diag_umem)
    umem_fill_ring: Nested[xdp_diag_ring] = struct(6, xdp_diag_ring)
    umem_completion_ring: Nested[xdp_diag_ring] = struct(7, xdp_diag_ring)
    meminfo: Nested[SkMeminfo] = struct(8, SkMeminfo)
    stats: Nested[xdp_diag_stats] = struct(9, xdp_diag_stats)


class xdp_diag_req(Message):
    """struct xdp_diag_req. The kernel ignores `ino` and `cookie`; it can only dump."""

    family: Named[AF | int] = u8(enum=AF)
    sdiag_protocol: int = u8()
    _pad = pad(2)
    ino: int = u32()
    show: Named[XDP_SHOW] = u32(enum=XDP_SHOW)
    cookie: tuple[int, ...] = scalars(u32(), length=2)


get = Op(
    "xdp.get",
    SOCK_DIAG.SOCK_DIAG_BY_FAMILY,
    xdp_diag_req,
    reply=XdpSocket,
    answer="one",
    dumps=True,
    defaults={"family": AF.AF_XDP, "show": 0x1F, "cookie": NOCOOKIE},
)
