"""Linux Netlink: typed messages from bytes, and conversations with the kernel.

Importing this loads no family, opens nothing and needs nothing but the standard library. The
names that do I/O exist on Linux only; the parser works anywhere.
"""

import sys as _sys

from netlink._core import RawAttribute, RawMessage, iter_attributes, iter_messages
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
    "KernelError",
    "KernelWarning",
    "Message",
    "NetlinkError",
    "Op",
    "Overrun",
    "Plan",
    "RawAttribute",
    "RawMessage",
    "Request",
    "ifindex",
    "iter_attributes",
    "iter_messages",
    "listen",
    "parse",
    "plan",
    "wait",
]

if _sys.platform == "linux":
    from netlink._nlsock import RawSocket
    from netlink._transport import Fd, Pid
    from netlink.connection import Connection, Reply, Subscription
    from netlink.engine import Stats

    __all__ += ["Connection", "Fd", "Pid", "RawSocket", "Reply", "Stats", "Subscription"]
