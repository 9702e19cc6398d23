"""The floor of the workload `import`: the same interpreter, which imports nothing.

It must not import a library. The difference between another contender and this one is the cost of
an import.
"""

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
