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
from netlink.family import Family, Follow, Op, Plan, Request, ifindex, listen, parse, plan, wait
from netlink.schema import Bitfield32, Message

__version__ = "0.1.0"

__all__ = [
    "Bitfield32",
    "Change",
    "Changes",
    "DecodeError",
    "DumpInterrupted",
    "EncodeError",
    "Family",
    "Filter",
    "Follow",
    "KernelError",
    "KernelWarning",
    "MAX_DEPTH",
    "Mark",
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

if _sys.platform == "linux":
    from netlink._events import EventBatch
    from netlink._nlsock import RawSocket
    from netlink._transport import Fd, Pid
    from netlink.connection import Connection, Follower, Reply, Subscription, merge
    from netlink.engine import Stats

    __all__ += [
        "Connection", "EventBatch", "Fd", "Follower", "Mirror", "Pid", "RawSocket", "Reply",
        "Stats", "Subscription", "merge",
    ]  # fmt: skip

# Modules that are imported when one of these names is used.
_LAZY = dict.fromkeys(("Change", "Changes", "Mark", "Mirror"), "netlink.follow")
_LAZY |= dict.fromkeys(("Filter", "fields"), "netlink.filter")
_LINUX = {
    "Connection", "EventBatch", "Fd", "Follower", "Mirror", "Pid", "RawSocket", "Reply", "Stats",
    "Subscription", "merge",
}  # fmt: skip

if _typing.TYPE_CHECKING:
    from netlink.filter import Filter, fields
    from netlink.follow import Change, Changes, Mark, Mirror
else:

    def __getattr__(name):  # `from netlink import Mirror` calls it
        if name in _LINUX and _sys.platform != "linux":
            raise ImportError(
                f"netlink.{name} needs Linux, because {_sys.platform} has no Netlink sockets; "
                "netlink.parse() works anywhere",
                name=__name__,
            )
        if name in _LAZY:
            from importlib import import_module

            found = getattr(import_module(_LAZY[name]), name)
            globals()[name] = found
            return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})
