"""`ip -batch` of iproute2, from a file of a line a route. A run is the whole life of the process:
there is no other way to use it. The file is written before the first run."""

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
        start(["ip", "-batch", "batch"])  # which ends at the first failure
        return size

    return run
