"""What a workload is: a unit to count, a size, and a namespace prepared by no contender.

Each module here holds one as `WORKLOAD`. Its name is the module's, with dashes; a name that Python
reserves has an underscore after it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from ..namespace import Namespace


class NotDone(Exception):
    """The namespace does not hold what a contender says that it did; the text tells more."""


@dataclass(frozen=True)
class Workload:
    """`prepare(namespace, size)` runs once, before any contender does.

    `size` is roughly the units of one run. `reset` is a command that undoes a run: each contender
    starts it before every run of its own, the warm-up too, and by no clock. `verify(namespace,
    size)` sees what the last run of a process has left, and raises NotDone.
    """

    unit: str
    size: int
    prepare: Callable[[Namespace, int], None]
    reset: tuple[str, ...] = ()
    verify: Callable[[Namespace, int], None] = lambda namespace, size: None


def load() -> dict[str, Workload]:
    """All workloads by name."""
    modules = [
        import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    ]
    names = [module.__name__.rpartition(".")[2].rstrip("_").replace("_", "-") for module in modules]
    return {name: module.WORKLOAD for name, module in zip(names, modules, strict=True)}
