"""TIPC sockets: TIPC_NLA_SOCK_* attributes, without a header.

This file contains messages, an op and a plan, and no I/O. Numbers are from Linux 6.12
(linux/tipc_netlink.h, linux/tipc_sockets_diag.h).

The answers have no struct with an address family, unlike those of all other sockets. So nothing in
a message tells that it is about TIPC, and dump() yields them as RawMessage. Use sockets().
"""

from __future__ import annotations

from netlink._core import RawMessage
from netlink.constants import AF, KernelEnum
from netlink.diag.sockdiag import ALL, SOCK, SOCK_DIAG
from netlink.family import Op, Steps, plan
from netlink.schema import Message, Named, Nested, flag, nest, pad, u8, u32, u64
from netlink.words import U32, Words


class TIPC_STATE(KernelEnum, prefix="TIPC_"):
    """States of a socket (net/tipc/socket.c)."""

    TIPC_ESTABLISHED = 1
    TIPC_OPEN = 7
    TIPC_LISTEN = 10
    TIPC_DISCONNECTING = 11
    TIPC_CONNECTING = 2


class TipcConnection(Message):
    """TIPC_NLA_CON_* attributes: the peer."""

    flag: bool = flag(1)
    node: int | None = u32(2)
    sock: int | None = u32(3)
    type: int | None = u32(4)
    inst: int | None = u32(5)


class TipcStatistics(Message):
    """TIPC_NLA_SOCK_STAT_* attributes."""

    rcvq: int | None = u32(0)
    sendq: int | None = u32(1)
    link_cong: bool = flag(2)
    conn_cong: bool = flag(3)
    drop: int | None = u32(4)


class TipcGroup(Message):
    """TIPC_NLA_SOCK_GROUP_* attributes."""

    id: int | None = u32(0)
    open: bool = flag(1)
    node_scope: bool = flag(2)
    cluster_scope: bool = flag(3)
    instance: int | None = u32(4)
    bc_send_next: int | None = u32(5)


class TipcSock(Message):
    """TIPC_NLA_SOCK_* attributes."""

    addr: int | None = u32(1)
    ref: int | None = u32(2)
    con: Nested[TipcConnection] = nest(3, TipcConnection)
    has_publ: bool = flag(4)
    stat: Nested[TipcStatistics] = nest(5, TipcStatistics)
    type: Named[SOCK | int | None] = u32(6, enum=SOCK)
    ino: int | None = u32(7)
    uid: int | None = u32(8)
    tipc_state: Named[TIPC_STATE | int | None] = u32(9, enum=TIPC_STATE)
    cookie: int | None = u64(10)
    group: Nested[TipcGroup] = nest(12, TipcGroup)


class TipcSocket(Message):
    """The answer: TIPC_NLA_SOCK."""

    sock: Nested[TipcSock] = nest(2, TipcSock)


class tipc_sock_diag_req(Message):
    """struct tipc_sock_diag_req. `states` is a mask of 1 << TIPC_STATE."""

    family: Named[AF | int] = u8(enum=AF)
    sdiag_protocol: int = u8()
    _pad = pad(2)
    states: int = u32()


get = Op(
    "tipc.get",
    SOCK_DIAG.SOCK_DIAG_BY_FAMILY,
    tipc_sock_diag_req,
    reply=TipcSocket,
    answer="several",
    dumps=False,
    defaults={"family": AF.AF_TIPC, "states": ALL},
)


@plan
def sockets(*, states: int | None = None) -> Steps[list[TipcSock]]:
    """Return the TIPC sockets. `states` is a mask of 1 << TIPC_STATE.

    Raises KernelError: ENOENT if the kernel has no module tipc_diag.
    """
    mask = Words("tipc.sockets", locals()).integer("states", 1, U32)
    messages = yield get(states=ALL if mask is None else mask).dump()
    found = []
    for message in messages:
        body = message.payload if isinstance(message, RawMessage) else bytes(message)
        socket = TipcSocket.from_bytes(body).sock
        if socket is not None:
            found.append(socket)
    return found
