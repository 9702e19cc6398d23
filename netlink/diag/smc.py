"""SMC sockets (AF_SMC): struct smc_diag_msg and its SMC_DIAG_* attributes.

This file contains messages and ops, and no I/O. Numbers are from Linux 6.12 (linux/smc_diag.h). The
kernel does not select sockets; a request gets what it asks for by `ext`.
"""

from __future__ import annotations

from netlink.constants import AF, KernelEnum, KernelFlag
from netlink.diag.sockdiag import SHUTDOWN, SOCK_DIAG
from netlink.family import Op
from netlink.schema import (
    Message,
    Named,
    Nested,
    be16,
    binary,
    pad,
    scalars,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
)


class SMC_EXT(KernelFlag):
    """What a request asks for: 1 << (SMC_DIAG_* - 1)."""

    SMC_EXT_CONNINFO = 1 << 0
    SMC_EXT_LGRINFO = 1 << 1
    SMC_EXT_SHUTDOWN = 1 << 2
    SMC_EXT_DMBINFO = 1 << 3
    SMC_EXT_FALLBACK = 1 << 4


class SMC_DIAG_MODE(KernelEnum):
    """How a connection carries its data."""

    SMC_DIAG_MODE_SMCR = 0
    SMC_DIAG_MODE_FALLBACK_TCP = 1
    SMC_DIAG_MODE_SMCD = 2


class inet_diag_sockid(Message):
    """struct inet_diag_sockid. The message does not tell the IP version of the addresses.

    An IPv4 address is in the first four bytes of `src` and `dst`.
    """

    sport: int = be16()
    dport: int = be16()
    src: bytes = binary(size=16)
    dst: bytes = binary(size=16)
    if_: int = u32()
    cookie: tuple[int, ...] = scalars(u32(), length=2)


class smc_diag_cursor(Message):
    """struct smc_diag_cursor: a position in a ring buffer."""

    reserved: int = u16()
    wrap: int = u16()
    count: int = u32()


class smc_diag_conninfo(Message):
    """struct smc_diag_conninfo: sizes in bytes."""

    token: int = u32()
    sndbuf_size: int = u32()
    rmbe_size: int = u32()
    peer_rmbe_size: int = u32()
    rx_prod: Nested[smc_diag_cursor] = struct(smc_diag_cursor)
    rx_cons: Nested[smc_diag_cursor] = struct(smc_diag_cursor)
    tx_prod: Nested[smc_diag_cursor] = struct(smc_diag_cursor)
    tx_cons: Nested[smc_diag_cursor] = struct(smc_diag_cursor)
    rx_prod_flags: int = u8()
    rx_conn_state_flags: int = u8()
    tx_prod_flags: int = u8()
    tx_conn_state_flags: int = u8()
    tx_prep: Nested[smc_diag_cursor] = struct(smc_diag_cursor)
    tx_sent: Nested[smc_diag_cursor] = struct(smc_diag_cursor)
    tx_fin: Nested[smc_diag_cursor] = struct(smc_diag_cursor)


class smc_diag_linkinfo(Message):
    """struct smc_diag_linkinfo: the RDMA device of a link, and the GIDs as text."""

    link_id: int = u8()
    ibname: str = string(size=64)
    ibport: int = u8()
    gid: str = string(size=40)
    peer_gid: str = string(size=40)


class smc_diag_lgrinfo(Message):
    """struct smc_diag_lgrinfo: the link group of an SMC-R connection. Role 0 is the client."""

    lnk: Nested[smc_diag_linkinfo] = struct(smc_diag_linkinfo)
    role: int = u8()


class smc_diag_fallback(Message):
    """struct smc_diag_fallback: why a connection uses TCP."""

    reason: int = u32()
    peer_diagnosis: int = u32()


class smcd_diag_dmbinfo(Message):
    """struct smcd_diag_dmbinfo: an SMC-D connection."""

    linkid: int = u32()
    peer_gid: int = u64()
    my_gid: int = u64()
    token: int = u64()
    peer_token: int = u64()
    peer_gid_ext: int | None = u64()
    my_gid_ext: int | None = u64()


class smc_diag_msg(Message):
    """struct smc_diag_msg. `state` is one of enum smc_state (net/smc/smc.h)."""

    family: Named[AF | int] = u8(enum=AF)
    state: int = u8()
    mode: Named[SMC_DIAG_MODE | int] = u8(enum=SMC_DIAG_MODE)
    diag_shutdown: Named[SHUTDOWN] = u8(enum=SHUTDOWN)
    id: Nested[inet_diag_sockid] = struct(inet_diag_sockid)
    uid: int = u32()
    inode: int = u64()


class SmcSocket(smc_diag_msg):
    """An SMC socket: struct smc_diag_msg and SMC_DIAG_* attributes."""

    conninfo: Nested[smc_diag_conninfo] = struct(1, smc_diag_conninfo)
    lgrinfo: Nested[smc_diag_lgrinfo] = struct(2, smc_diag_lgrinfo)
    shutdown: Named[SHUTDOWN | None] = u8(3, enum=SHUTDOWN)
    dmbinfo: Nested[smcd_diag_dmbinfo] = struct(4, smcd_diag_dmbinfo)
    fallback: Nested[smc_diag_fallback] = struct(5, smc_diag_fallback)


class smc_diag_req(Message):
    """struct smc_diag_req. The kernel ignores `id`; it can only dump."""

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(2)
    ext: Named[SMC_EXT] = u8(enum=SMC_EXT)
    id: Nested[inet_diag_sockid] = struct(inet_diag_sockid)


get = Op(
    "smc.get",
    SOCK_DIAG.SOCK_DIAG_BY_FAMILY,
    smc_diag_req,
    reply=SmcSocket,
    answer="one",
    dumps=True,
    defaults={"family": AF.AF_SMC, "ext": 0x1F},
)
