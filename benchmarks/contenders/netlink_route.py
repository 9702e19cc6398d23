"""The whole route family of this library: every module, with all classes and plans."""

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
