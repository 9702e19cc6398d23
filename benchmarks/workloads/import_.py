"""import: start an interpreter that imports the library and ends, many times in a row.

The contenders import different parts of this library, or the part of a peer that users import for
the same work. The floor imports nothing. A unit is a whole process, because the user of a short
program waits for a whole process. So every number contains the start of the interpreter, and the
difference from the floor is the cost of the import. The interpreter compiles and caches the modules
in the warm-up.
"""

from __future__ import annotations

import os
import sys

from ..measure import Check, Run, start
from ..namespace import Namespace
from . import Workload


def prepare(namespace: Namespace, size: int) -> None:
    """Prepare nothing, because an import opens no socket."""


def importing(code: str, size: int) -> Run:
    """Return a Run that executes the code in a new interpreter, `size` times."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # with it, every process would compile again

    def run(check: Check | None) -> int:
        for _ in range(size):
            start([sys.executable, "-P", "-c", code])  # exits if the code raises
        return size

    return run


WORKLOAD = Workload(unit="import", size=20, prepare=prepare, base="interpreter")
