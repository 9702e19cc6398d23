"""The exception tree, by who is at fault.

The kernel refused (KernelError), the bytes are wrong (DecodeError), the caller's value does not
fit (EncodeError), a dump changed under our hands (DumpInterrupted), or the kernel dropped
messages (Overrun). A failed system call stays a plain OSError and a timeout a TimeoutError.
This file imports nothing of the package, so that both extension modules can raise from it.
"""

from __future__ import annotations

import errno as _errno
import os
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
        plan = None if self.plan is None else self.plan.name
        return ": ".join(part for part in (plan, self.path, self.reason) if part)


class KernelError(NetlinkError, OSError):
    """The kernel answered a request with an error.

    `errno` and `strerror` are as in OSError. The kernel may add an extended ACK (linux/netlink.h);
    what it lacks is None: `message` is the kernel's text; `path` the attribute that it refuses and
    `offset` its position in the request, in bytes from the nlmsghdr; `missing` the name of an
    attribute that is missing inside `path`; `policy` what would have been allowed, whose
    str() is text; `cookie` bytes that some families return. `request` is what was sent, `plan` the
    plan that sent it, and `index` the position among the items given to do_many.

    Four errnos are also an instance of the built-in exception: EPERM and EACCES of PermissionError,
    ENOENT of FileNotFoundError, EEXIST of FileExistsError, ESRCH of ProcessLookupError. It is never
    a TimeoutError, BlockingIOError, InterruptedError or ConnectionError, which callers catch as
    control flow.
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
        # OSError.__new__ alone would choose among OSError's own subclasses, and keeps the errno.
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
        # The request leads to its family's ops, which stand for themselves and are not copied.
        return _rebuild_kernel, (self.errno, state | {"request": None})

    def __str__(self) -> str:
        assert self.errno is not None
        name = _errno.errorcode.get(self.errno, str(self.errno))
        if self.errno == _errno.EOPNOTSUPP:
            name = "EOPNOTSUPP"  # which errorcode knows by another name
        text = f"{self.message or self.strerror} ({name})"
        if self.missing:
            text = f"{self.missing} is missing: {text}"
        if self.policy is not None:
            with _suppress(DecodeError):  # of a policy that says nothing we know
                text = f"{text}, allowed {self.policy}"
        return ": ".join(part for part in [*self._origin(), self.path, text] if part)

    def _origin(self) -> list[str]:
        """The plan and its object, or the request."""
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


# KernelError() makes an instance of these; nobody chooses them by hand.
SPECIAL: dict[int, type[KernelError]] = {
    _errno.EPERM: KernelPermissionError,
    _errno.EACCES: KernelPermissionError,
    _errno.ENOENT: KernelNotFoundError,
    _errno.EEXIST: KernelExistsError,
    _errno.ESRCH: KernelLookupError,
}


class KernelWarning(UserWarning):
    """The kernel did what a request asked for, and had something to say about it."""


class DumpInterrupted(NetlinkError):
    """What was dumped changed while it was read (NLM_F_DUMP_INTR): the parts may not fit together.

    `partial` holds what came, as far as it was not handed out before: a list of messages or, from
    columns(), the columns.
    """

    def __init__(self, partial: Any = ()) -> None:
        super().__init__(partial)
        self.partial = partial

    def __str__(self) -> str:
        return "what was dumped changed meanwhile: the parts may not fit together"


class Overrun(NetlinkError):
    """Events or answers were dropped because a buffer was full.

    `where` is "kernel" if the socket's receive buffer was full (ENOBUFS), or "queue" if the queue
    of a subscription was. `count` is the number of dropped messages, None if it is not known.
    Requests that wait for an answer raise it. A subscription yields it as an item, at the place
    where events are missing. The socket stays usable.
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
    """The C library's words; a forged or garbled answer may hold a number that is none."""
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
