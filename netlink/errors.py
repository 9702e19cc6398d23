"""The exceptions of the package.

KernelError: the kernel refused a request. DecodeError: received bytes are invalid. EncodeError: a
value of the caller is invalid. DumpInterrupted: data changed during a dump. Overrun: messages were
dropped. A failed system call remains an OSError, and a timeout a TimeoutError. This file must not
import the rest of the package, because both extension modules use it.
"""

from __future__ import annotations

import errno as _errno
import os
from collections.abc import Callable as _Callable
from contextlib import suppress as _suppress
from typing import Any

__all__ = [
    "DecodeError",
    "DumpInterrupted",
    "EncodeError",
    "KernelError",
    "KernelWarning",
    "NetlinkError",
    "Overrun",
]


class NetlinkError(Exception):
    """Base of the exceptions that this library defines.

    `plan` is the plan that was being executed, or None.
    """

    plan: Any = None


class DecodeError(NetlinkError, ValueError):
    """Received bytes have wrong framing, or do not fit the declared kind.

    `path` is the path of the attribute from the message class ("Link.linkinfo.kind"). `offset` is
    the position in the buffer that was passed, in bytes. `value` is the invalid payload. Each is
    None if it does not apply.

    A function is accepted as `path`. It is called when the path is needed: to find a path takes
    much longer than to find an error, and many errors are caught and never shown.
    """

    def __init__(
        self,
        reason: str,
        *,
        path: str | _Callable[[], str | None] | None = None,
        offset: int | None = None,
        value: bytes | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self._path = path
        self.offset = offset
        self.value = value

    @property
    def path(self) -> str | None:
        """The path of the attribute from the message class, or None."""
        path = self._path
        if callable(path):
            path = self._path = path()
        return path

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"path": self.path, "offset": self.offset, "value": self.value}
        return _rebuild, (type(self), self.reason, state)

    def __str__(self) -> str:
        text = f"{self.path}: {self.reason}" if self.path else self.reason
        return text if self.offset is None else f"{text} (at byte {self.offset})"


class EncodeError(NetlinkError, ValueError):
    """A value does not fit its field.

    `path` is the path of the field from the message class, and `value` is the value.
    """

    def __init__(self, reason: str, *, path: str | None = None, value: object = None) -> None:
        super().__init__(reason, path, value)
        self.reason = reason
        self.path = path
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.reason, {"path": self.path, "value": self.value})

    def __str__(self) -> str:
        plan = None if self.plan is None else self.plan.name
        if plan is not None and self.path is not None and self.path.startswith(f"{plan}."):
            plan = None  # the path begins with it
        return ": ".join(part for part in (plan, self.path, self.reason) if part)


class KernelError(NetlinkError, OSError):
    """The kernel answered a request with an error.

    `errno` and `strerror` are as in OSError. `request` is the request, `plan` is the plan that sent
    it, and `index` is its position among the items of do_many.

    The other attributes come from the extended ACK (linux/netlink.h) and are None if it lacks them.
    `message` is the kernel's text. `path` is the attribute that the kernel refuses, and `offset` is
    its position in the request, in bytes from the start of the nlmsghdr. `missing` is the name of
    an attribute that is missing inside `path`. `policy` is what the kernel accepts; its str() is
    readable text. `cookie` holds bytes that some families return.

    Some errors are also instances of a built-in exception: EPERM and EACCES of PermissionError,
    ENOENT of FileNotFoundError, EEXIST of FileExistsError, ESRCH of ProcessLookupError. A
    KernelError is never a TimeoutError, BlockingIOError, InterruptedError or ConnectionError,
    because callers use those for control flow.
    """

    message: str | None
    path: str | None
    missing: str | None
    policy: Any
    cookie: bytes | None
    offset: int | None
    request: Any
    index: int | None

    def __new__(cls, errno: int, *args: Any, **kwargs: Any) -> KernelError:
        if cls is KernelError:
            cls = SPECIAL.get(errno, cls)
        # OSError.__new__ selects a subclass only for OSError itself. It sets errno and strerror.
        return super().__new__(cls, errno, _strerror(errno))

    def __init__(
        self,
        errno: int,
        message: str | None = None,
        *,
        path: str | None = None,
        missing: str | None = None,
        policy: Any = None,
        cookie: bytes | None = None,
        offset: int | None = None,
        request: Any = None,
        index: int | None = None,
    ) -> None:
        super().__init__(errno, _strerror(errno))
        self.message = message
        self.path = path
        self.missing = missing
        self.policy = policy
        self.cookie = cookie
        self.offset = offset
        self.request = request
        self.index = index

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: getattr(self, name) for name in KernelError.__annotations__}
        # The request refers to its op, which copies as itself.
        return _rebuild_kernel, (self.errno, state | {"request": None})

    def __str__(self) -> str:
        assert self.errno is not None
        name = _errno.errorcode.get(self.errno, str(self.errno))
        if self.errno == _errno.EOPNOTSUPP:
            name = "EOPNOTSUPP"  # errno.errorcode has the synonym ENOTSUP
        text = f"{self.message or self.strerror} ({name})"
        if self.missing:
            text = f"{self.missing} is missing: {text}"
        if self.policy is not None:
            with _suppress(DecodeError):  # the policy cannot be read
                text = f"{text}, allowed {self.policy}"
        return ": ".join(part for part in [*self._origin(), self.path, text] if part)

    def _origin(self) -> list[str]:
        """Return the plan and its object, or the request, as parts of the message."""
        if self.plan is None:
            return [self.request.name] if self.request is not None else []
        if self.request is None:
            return [self.plan.name]  # the message names the object
        return [self.plan.name, *map(str, self.plan.args[:1])]


class KernelPermissionError(KernelError, PermissionError):
    """A KernelError for EPERM or EACCES."""


class KernelNotFoundError(KernelError, FileNotFoundError):
    """A KernelError for ENOENT."""


class KernelExistsError(KernelError, FileExistsError):
    """A KernelError for EEXIST."""


class KernelLookupError(KernelError, ProcessLookupError):
    """A KernelError for ESRCH."""


# KernelError() returns an instance of one of these classes, selected by errno.
SPECIAL: dict[int, type[KernelError]] = {
    _errno.EPERM: KernelPermissionError,
    _errno.EACCES: KernelPermissionError,
    _errno.ENOENT: KernelNotFoundError,
    _errno.EEXIST: KernelExistsError,
    _errno.ESRCH: KernelLookupError,
}


class KernelWarning(UserWarning):
    """The kernel executed a request and added a warning in the extended ACK."""


class DumpInterrupted(NetlinkError):
    """The data changed during a dump (NLM_F_DUMP_INTR), so the result may be inconsistent.

    Repeat the dump to get a consistent result. `partial` holds the received messages that were not
    yet returned, as a list. columns() stores its columns there.
    """

    def __init__(self, partial: Any = ()) -> None:
        super().__init__(partial)
        self.partial = partial

    def __str__(self) -> str:
        return "the data changed during the dump, so the result may be inconsistent: dump again"


class Overrun(NetlinkError):
    """Events or answers were dropped because a buffer was full.

    `where` is "kernel" if the socket's receive buffer was full (ENOBUFS), or "queue" if the queue
    of a subscription was. `count` is the number of dropped datagrams, or of messages of a queue. It
    is None if it is not known, as before Linux 4.12, and 0 if the Overrun before it counted them.
    Requests that wait for an answer raise it. A subscription yields it as an item, at the position
    of the missing events. The socket remains usable.
    """

    def __init__(self, count: int | None = None, where: str = "kernel") -> None:
        super().__init__(count, where)
        self.count = count
        self.where = where

    def __str__(self) -> str:
        many = "messages" if self.count is None else f"{self.count} messages"
        if self.where == "queue":
            return f"the queue of a subscription was full: {many} were dropped"
        return f"the kernel dropped {many}: the receive buffer was full (ENOBUFS)"


def _strerror(errno: int) -> str:
    """Return the C library's text for an errno, which may be any number in an invalid answer."""
    try:
        return os.strerror(errno)
    except OverflowError:
        return f"Unknown error {errno}"


def _rebuild(cls: type[Any], reason: str, state: dict[str, Any]) -> Any:
    """Unpickle an exception whose details are keyword-only."""
    return cls(reason, **state)


def _rebuild_kernel(errno: int, state: dict[str, Any]) -> KernelError:
    """Unpickle a KernelError; its class follows from the errno."""
    return KernelError(errno, **state)
