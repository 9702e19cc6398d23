"""An older version of this library, in the same run: see `older` in this package."""

from __future__ import annotations

from . import Contender, older

CONTENDER = Contender(
    workloads=("dump-routes", "import", "insert-routes", "request-latency"),
    command=older("netlink"),
)
