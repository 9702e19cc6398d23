"""`ip -batch` of iproute2, which reads one route per line from a file.

The file is written before the first run. A run includes starting and ending the process, because
`ip` cannot be used in another way.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from ..measure import Check, Run, start
from ..workloads.dump_routes import routes
from . import Contender, program

CONTENDER = Contender(workloads=("insert-routes",), command=program("ip_batch"))


def version() -> str:
    told = subprocess.run(["ip", "-V"], capture_output=True, check=True, text=True).stdout
    return told.split("iproute2-")[1].split(",")[0].strip()


def insert_routes(size: int) -> Run:
    lines = (
        f"route add {dst}/32 via {gateway} dev v0 proto static\n" for dst, gateway in routes(size)
    )
    Path("batch").write_text("".join(lines))

    def run(check: Check | None) -> int:
        start(["ip", "-batch", "batch"])  # ends at the first failure
        return size

    return run
