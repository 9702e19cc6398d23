"""The exception tree, by who is at fault.

The kernel refused (KernelError), the bytes are wrong (DecodeError), the caller's value does not
fit (EncodeError), a dump changed under our hands (DumpInterrupted), or the kernel dropped
messages (Overrun). A failed system call stays a plain OSError and a timeout a TimeoutError.
This file imports nothing of the package, so that both extension modules can raise from it.
"""

from __future__ import annotations

import errno as _errno
import os
from typing import Any

__all__ = [
    "DecodeError",
    "DumpInterrupted",
    "EncodeError",
    "KernelError",
    "NetlinkError",
    "Overrun",
]


class NetlinkError(Exception):
    """Base of everything this library raises on purpose."""


class DecodeError(NetlinkError, ValueError):
    """Received bytes break the rules of the wire, or do not fit the declared kind.

    `path` names the attribute from the message class down ("Link.linkinfo.kind"), `offset` is
    the place in the buffer that was given, in bytes, and `value` holds the offending payload
    where there is one.
    """

    def __init__(
        self,
        reason: str,
        *,
        path: str | None = None,
        offset: int | None = None,
        value: bytes | None = None,
    ) -> None:
        super().__init__(reason, path, offset, value)
        self.reason = reason
        self.path = path
        self.offset = offset
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"path": self.path, "offset": self.offset, "value": self.value}
        return _rebuild, (type(self), self.reason, state)

    def __str__(self) -> str:
        text = f"{self.path}: {self.reason}" if self.path else self.reason
        return text if self.offset is None else f"{text} (at byte {self.offset})"


class EncodeError(NetlinkError, ValueError):
    """A value does not fit the field it was given for.

    `path` names the field from the message class down, `value` is what was given.
    """

    def __init__(self, reason: str, *, path: str | None = None, value: object = None) -> None:
        super().__init__(reason, path, value)
        self.reason = reason
        self.path = path
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.reason, {"path": self.path, "value": self.value})

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class KernelError(NetlinkError, OSError):
    """The kernel answered a request with an error.

    `errno` and `strerror` are as in OSError; `message` holds the kernel's own words (the
    extended ACK of linux/netlink.h, NLMSGERR_ATTR_MSG) or None, `offset` the place in the
    request that the kernel objects to (in bytes from the request's nlmsghdr), `path` the
    attribute found there, and `request` what was sent. As with OSError, EPERM and EACCES make a
    PermissionError too, so that `except PermissionError` works.
    """

    message: str | None
    path: str | None
    offset: int | None
    request: Any

    def __new__(cls, errno: int, *args: Any, **kwargs: Any) -> KernelError:
        if cls is KernelError and errno in (_errno.EPERM, _errno.EACCES):
            cls = KernelPermissionError
        # OSError.__new__ alone would choose among OSError's own subclasses, and keeps the errno.
        return super().__new__(cls, errno, os.strerror(errno))

    def __init__(
        self,
        errno: int,
        message: str | None = None,
        *,
        path: str | None = None,
        offset: int | None = None,
        request: Any = None,
    ) -> None:
        super().__init__(errno, os.strerror(errno))
        self.message = message
        self.path = path
        self.offset = offset
        self.request = request

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"path": self.path, "offset": self.offset, "request": self.request}
        return _rebuild_kernel, (self.errno, self.message, state)

    def __str__(self) -> str:
        assert self.errno is not None
        name = (
            "EOPNOTSUPP"
            if self.errno == _errno.EOPNOTSUPP
            else _errno.errorcode.get(self.errno, str(self.errno))
        )  # errorcode knows that number by its other name
        text = f"{self.message or self.strerror} ({name})"
        if self.path:
            text = f"{self.path}: {text}"
        op = getattr(self.request, "name", None)
        return f"{op}: {text}" if op else text


class KernelPermissionError(KernelError, PermissionError):
    """A KernelError for EPERM or EACCES; raised in place of its parent, never chosen by hand."""


class DumpInterrupted(NetlinkError):
    """What was dumped changed while it was read (NLM_F_DUMP_INTR): the parts may not fit together.

    `partial` holds the messages that came, in order.
    """

    def __init__(self, partial: list[Any]) -> None:
        super().__init__(partial)
        self.partial = partial

    def __str__(self) -> str:
        return f"the dump was interrupted by a change; {len(self.partial)} messages came"


class Overrun(NetlinkError):
    """The kernel dropped messages because the receive buffer was full (ENOBUFS).

    It says nothing of what was lost. Waiting requests raise it; listeners receive the object as
    an item of their stream, and the socket stays usable.
    """

    def __init__(self) -> None:
        super().__init__()

    def __str__(self) -> str:
        return "the kernel dropped messages: the receive buffer was full (ENOBUFS)"


def _rebuild(cls: type[Any], reason: str, state: dict[str, Any]) -> Any:
    """Unpickle an exception whose details are keyword-only."""
    return cls(reason, **state)


def _rebuild_kernel(errno: int, message: str | None, state: dict[str, Any]) -> KernelError:
    """Unpickle a KernelError; its class follows from the errno."""
    return KernelError(errno, message, **state)
