"""The asyncio connection of an older version of this library: see `older` in this package."""

from __future__ import annotations

from . import Contender, older

CONTENDER = Contender(workloads=("request-latency",), command=older("netlink_aio"))
