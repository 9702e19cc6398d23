"""The types of `_nlsock.c`: the system calls of a netlink socket. It knows no message formats."""

from types import TracebackType
from typing import Final, Self, final, overload

from typing_extensions import Buffer

SOL_NETLINK: Final[int]
NETLINK_BROADCAST_ERROR: Final[int]
NETLINK_NO_ENOBUFS: Final[int]
NETLINK_LISTEN_ALL_NSID: Final[int]
NETLINK_CAP_ACK: Final[int]
NETLINK_EXT_ACK: Final[int]
NETLINK_GET_STRICT_CHK: Final[int]
CLONE_NEWNET: Final[int]
CLONE_NEWUSER: Final[int]

def unshare(flags: int, /) -> None: ...
def setns(fd: int, nstype: int, /) -> None: ...

@final
class RawSocket:
    def __new__(
        cls,
        protocol: int,
        *,
        netns: int | None = None,
        rcvbuf: int | None = None,
        sndbuf: int | None = None,
        read_ahead: int | None = None,
    ) -> Self: ...
    rcvbuf: int
    sndbuf: int
    pktinfo: bool
    broadcast_error: bool
    no_enobufs: bool
    listen_all_nsid: bool
    cap_ack: bool
    ext_ack: bool
    strict_check: bool
    @property
    def protocol(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    @property
    def port(self) -> int: ...
    @property
    def drops(self) -> int | None: ...
    @property
    def reads_ahead(self) -> bool: ...
    def bind(self, port: int = 0, groups: int = 0) -> None: ...
    def join(self, group: int, /) -> None: ...
    def leave(self, group: int, /) -> None: ...
    def groups(self) -> tuple[int, ...]: ...
    def ifindex(self, name: str, /) -> int: ...
    def setsockopt(self, level: int, option: int, value: int | Buffer, /) -> None: ...
    @overload
    def getsockopt(self, level: int, option: int, /) -> int: ...
    @overload
    def getsockopt(self, level: int, option: int, buflen: int, /) -> bytes: ...
    def send(
        self, *buffers: Buffer, port: int = 0, group: int = 0, timeout: float | None = None
    ) -> int: ...
    def begin_send(self, buffers: list[bytes] | tuple[bytes, ...], /) -> None: ...
    def end_send(self) -> None: ...
    def begin_receive(self) -> None: ...
    @overload
    def receive(
        self, timeout: float | None = None, inbox: None = None, max_datagrams: int = 16
    ) -> tuple[bytes, bytes]: ...
    @overload
    def receive(
        self,
        timeout: float | None,
        inbox: list[tuple[bytes, bytes]],
        max_datagrams: int = 16,
    ) -> None: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
