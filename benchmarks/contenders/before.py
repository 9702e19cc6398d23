"""The contender that is an older version of this library.

It does the same work as `netlink` in the same run, so a change can be compared with the version
before it. It must not import the library here: `older` in this package names the interpreter.
"""

from __future__ import annotations

from . import Contender, older

CONTENDER = Contender(
    workloads=("dump-routes", "import", "insert-routes", "request-latency"),
    command=older("netlink"),
)
