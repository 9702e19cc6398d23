"""This library without families, in the workload `import`: it runs `import netlink`.

It must not import a family. It shows what the smallest program pays.
"""

from __future__ import annotations

from importlib.metadata import version as version_of

from ..measure import Run
from ..workloads.import_ import importing
from . import Contender, program

CONTENDER = Contender(workloads=("import",), command=program("netlink_bare"))


def version() -> str:
    return version_of("fastnetlink")


def import_(size: int) -> Run:
    return importing("import netlink", size)
