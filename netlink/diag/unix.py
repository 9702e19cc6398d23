"""Unix sockets: struct unix_diag_msg and its UNIX_DIAG_* attributes.

This file contains messages and ops, and no I/O. Numbers are from Linux 6.12 (linux/unix_diag.h).
The kernel selects sockets by `states` only. A request gets what it asks for by `show`.
"""

from __future__ import annotations

from netlink.constants import AF, KernelFlag
from netlink.diag.sockdiag import (
    ALL,
    NOCOOKIE,
    SHUTDOWN,
    SOCK,
    SOCK_DIAG,
    TCP,
    TCPF,
    SkMeminfo,
)
from netlink.family import Op
from netlink.schema import Message, Named, Nested, binary, pad, scalars, struct, u8, u32


class UDIAG_SHOW(KernelFlag):
    """What a request asks for."""

    UDIAG_SHOW_NAME = 0x01
    UDIAG_SHOW_VFS = 0x02
    UDIAG_SHOW_PEER = 0x04
    UDIAG_SHOW_ICONS = 0x08
    UDIAG_SHOW_RQLEN = 0x10
    UDIAG_SHOW_MEMINFO = 0x20
    UDIAG_SHOW_UID = 0x40


class unix_diag_vfs(Message):
    """struct unix_diag_vfs: the file of a socket, by inode and device."""

    ino: int = u32()
    dev: int = u32()


class unix_diag_rqlen(Message):
    """struct unix_diag_rqlen: bytes.

    For a listening socket they are the number of connections that wait for accept(), and its limit.
    """

    rqueue: int = u32()
    wqueue: int = u32()


class unix_diag_msg(Message):
    """struct unix_diag_msg. A socket without a file descriptor has ino 0."""

    family: Named[AF | int] = u8(enum=AF)
    type: Named[SOCK | int] = u8(enum=SOCK)
    state: Named[TCP | int] = u8(enum=TCP)
    _pad = pad(1)
    ino: int = u32()
    cookie: tuple[int, ...] = scalars(u32(), length=2)


class UnixSocket(unix_diag_msg):
    """A Unix socket: struct unix_diag_msg and UNIX_DIAG_* attributes.

    `name` is any bytes: a path ends with a NUL, and an abstract name begins with one. `peer` is the
    inode of the connected socket. `icons` are the inodes of connections that wait for accept().
    """

    name: bytes | None = binary(0, size=108)
    vfs: Nested[unix_diag_vfs] = struct(1, unix_diag_vfs)
    peer: int | None = u32(2)
    icons: tuple[int, ...] = scalars(3, u32())
    rqlen: Nested[unix_diag_rqlen] = struct(4, unix_diag_rqlen)
    meminfo: Nested[SkMeminfo] = struct(5, SkMeminfo)
    shutdown: Named[SHUTDOWN | None] = u8(6, enum=SHUTDOWN)
    uid: int | None = u32(7)

    @property
    def path(self) -> str | None:
        """The name as ss(8) shows it: "@" for each NUL of an abstract name, None without a name."""
        name = self.name
        if not name:
            return None
        is_abstract = name.startswith(b"\0")
        name = name.replace(b"\0", b"@") if is_abstract else name.partition(b"\0")[0]
        return name.decode("utf-8", "surrogateescape")


class unix_diag_req(Message):
    """struct unix_diag_req. `ino` and `cookie` are for a request that is no dump."""

    family: Named[AF | int] = u8(enum=AF)
    sdiag_protocol: int = u8()
    _pad = pad(2)
    states: Named[TCPF] = u32(enum=TCPF)
    ino: int = u32()
    show: Named[UDIAG_SHOW] = u32(enum=UDIAG_SHOW)
    cookie: tuple[int, ...] = scalars(u32(), length=2)


get = Op(
    "unix.get",
    SOCK_DIAG.SOCK_DIAG_BY_FAMILY,
    unix_diag_req,
    reply=UnixSocket,
    answer="one",
    dumps=True,
    defaults={"family": AF.AF_UNIX, "states": ALL, "show": 0x7F, "cookie": NOCOOKIE},
)
