"""Linux Netlink: typed messages from bytes, and conversations with the kernel.

Importing this loads no family, opens nothing and needs nothing but the standard library. The
names that do I/O exist on Linux only, and importing them elsewhere raises ImportError that says so.
The parser works anywhere. fields() and Filter are imported when they are first used.
"""

import sys as _sys
import typing as _typing

from netlink._core import MAX_DEPTH, RawAttribute, RawMessage, iter_attributes, iter_messages
from netlink.errors import (
    DecodeError,
    DumpInterrupted,
    EncodeError,
    KernelError,
    KernelWarning,
    NetlinkError,
    Overrun,
)
from netlink.family import Family, Op, Plan, Request, ifindex, listen, parse, plan, wait
from netlink.schema import Bitfield32, Message

__version__ = "0.1.0"

__all__ = [
    "Bitfield32",
    "DecodeError",
    "DumpInterrupted",
    "EncodeError",
    "Family",
    "Filter",
    "KernelError",
    "KernelWarning",
    "MAX_DEPTH",
    "Message",
    "NetlinkError",
    "Op",
    "Overrun",
    "Plan",
    "RawAttribute",
    "RawMessage",
    "Request",
    "fields",
    "ifindex",
    "iter_attributes",
    "iter_messages",
    "listen",
    "parse",
    "plan",
    "wait",
]

if _typing.TYPE_CHECKING:
    from netlink.filter import Filter, fields

if _sys.platform == "linux":
    from netlink._events import EventBatch
    from netlink._nlsock import RawSocket
    from netlink._transport import Fd, Pid
    from netlink.connection import Connection, Reply, Subscription
    from netlink.engine import Stats

    __all__ += [
        "Connection",
        "EventBatch",
        "Fd",
        "Pid",
        "RawSocket",
        "Reply",
        "Stats",
        "Subscription",
    ]

if not _typing.TYPE_CHECKING:

    def __getattr__(name):  # `from netlink import Connection` calls it
        if name in ("Filter", "fields"):
            from netlink import filter as _filter

            globals().update(Filter=_filter.Filter, fields=_filter.fields)
            return globals()[name]
        if name in (
            "Connection", "EventBatch", "Fd", "Pid", "RawSocket", "Reply", "Stats", "Subscription",
        ):  # fmt: skip
            raise ImportError(
                f"netlink.{name} needs Linux, because {_sys.platform} has no Netlink sockets; "
                "netlink.parse() works anywhere",
                name=__name__,
            )
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
