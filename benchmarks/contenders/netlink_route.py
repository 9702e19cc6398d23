"""The whole route family of this library, in the workload `import`.

It loads every module of the family, with all classes and plans. It shows the largest cost of an
import, which lazy modules avoid.
"""

from __future__ import annotations

from importlib.metadata import version as version_of

from ..measure import Run
from ..workloads.import_ import importing
from . import Contender, program

CONTENDER = Contender(workloads=("import",), command=program("netlink_route"))


def version() -> str:
    return version_of("fastnetlink")


def import_(size: int) -> Run:
    return importing("from netlink.route import FAMILY; FAMILY.classes", size)
