"""The contender that is the asyncio connection of an older version of this library.

It does the same work as `netlink_aio` in the same run. It must not import the library here: `older`
in this package names the interpreter.
"""

from __future__ import annotations

from . import Contender, older

CONTENDER = Contender(workloads=("request-latency",), command=older("netlink_aio"))
