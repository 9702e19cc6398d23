"""What a workload is: a unit to count, a size, and a namespace prepared by no contender.

Each module here holds one as `WORKLOAD`. Its name is the module's, with dashes.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from ..namespace import Namespace


@dataclass(frozen=True)
class Workload:
    """`prepare(namespace, size)` runs once, before any contender does."""

    unit: str
    size: int
    prepare: Callable[[Namespace, int], None]


def load() -> dict[str, Workload]:
    """All workloads by name."""
    return {
        module.name.replace("_", "-"): import_module(f"{__name__}.{module.name}").WORKLOAD
        for module in pkgutil.iter_modules(__path__)
    }
