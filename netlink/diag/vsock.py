"""VM sockets (AF_VSOCK): struct vsock_diag_msg.

This file contains messages and ops, and no I/O. Numbers are from Linux 6.12
(linux/vm_sockets_diag.h). The kernel selects sockets by `states` only.
"""

from __future__ import annotations

from netlink.constants import AF
from netlink.diag.sockdiag import ALL, SHUTDOWN, SOCK, SOCK_DIAG, TCP, TCPF
from netlink.family import Op
from netlink.schema import Message, Named, pad, scalars, u8, u32


class vsock_diag_msg(Message):
    """struct vsock_diag_msg: a VM socket. cid and port of both ends; 0xFFFFFFFF is any."""

    family: Named[AF | int] = u8(enum=AF)
    type: Named[SOCK | int] = u8(enum=SOCK)
    state: Named[TCP | int] = u8(enum=TCP)
    shutdown: Named[SHUTDOWN] = u8(enum=SHUTDOWN)
    src_cid: int = u32()
    src_port: int = u32()
    dst_cid: int = u32()
    dst_port: int = u32()
    ino: int = u32()
    cookie: tuple[int, ...] = scalars(u32(), length=2)


class vsock_diag_req(Message):
    """struct vsock_diag_req. All members except `family` and `states` must be 0."""

    family: Named[AF | int] = u8(enum=AF)
    sdiag_protocol: int = u8()
    _pad = pad(2)
    states: Named[TCPF] = u32(enum=TCPF)
    ino: int = u32()
    show: int = u32()
    cookie: tuple[int, ...] = scalars(u32(), length=2)


get = Op(
    "vsock.get",
    SOCK_DIAG.SOCK_DIAG_BY_FAMILY,
    vsock_diag_req,
    reply=vsock_diag_msg,
    answer="one",
    dumps=True,
    defaults={"family": AF.AF_VSOCK, "states": ALL},
)
