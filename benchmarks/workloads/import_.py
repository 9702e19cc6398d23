"""import: start an interpreter that imports the library and ends, again and again.

The contenders import different parts of this library, or the part of a peer that users import for
the same work; the floor imports nothing. A unit is a whole process, because that is what a user of
a short program waits for: the interpreter itself is part of each number, and the difference to the
floor is the cost of the import. Modules are compiled in the warm-up, and cached by the interpreter
as always.
"""

from __future__ import annotations

import os
import sys

from ..measure import Check, Run, start
from ..namespace import Namespace
from . import Workload


def prepare(namespace: Namespace, size: int) -> None:
    """Nothing: an import opens no socket."""


def importing(code: str, size: int) -> Run:
    """Run the code in a fresh interpreter, `size` times."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # which would have each process compile anew

    def run(check: Check | None) -> int:
        for _ in range(size):
            start([sys.executable, "-P", "-c", code])  # which ends if the code raises
        return size

    return run


WORKLOAD = Workload(unit="import", size=20, prepare=prepare)
