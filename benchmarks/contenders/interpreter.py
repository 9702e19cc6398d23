"""The floor of imports: the same interpreter, which imports nothing."""

from __future__ import annotations

import platform

from ..measure import Run
from ..workloads.import_ import importing
from . import Contender, program

CONTENDER = Contender(workloads=("import",), command=program("interpreter"))


def version() -> str:
    return platform.python_version()


def import_(size: int) -> Run:
    return importing("pass", size)
