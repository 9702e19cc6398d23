"""The workloads: what each counts, its size, and how its namespace is prepared.

Each module of this package defines one `WORKLOAD`. The name of a workload is the name of its
module, with dashes. A module whose name would be a Python keyword has an underscore at its end. A
workload must not use a contender to prepare or to verify.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from ..namespace import Namespace


class NotDone(Exception):
    """The namespace does not contain what a contender claims to have done. The text says more."""


@dataclass(frozen=True)
class Workload:
    """What the runner knows about a workload.

    `prepare(namespace, size)` runs once, before all contenders. `size` is about the number of units
    in one run. `reset` is a command that undoes a run: each contender starts it before every run,
    including the warm-up, outside the measured time. `verify(namespace, size)` checks the result of
    the last run of a process and raises NotDone.

    `during` is a command that makes what a contender receives. It is started just before every run,
    with the size as its last argument, and its time does not count. `base` is the contender with
    which the others are compared.
    """

    unit: str
    size: int
    prepare: Callable[[Namespace, int], None]
    reset: tuple[str, ...] = ()
    during: tuple[str, ...] = ()
    verify: Callable[[Namespace, int], None] = lambda namespace, size: None
    base: str = "c_floor"

    def command(self, size: int) -> list[str]:
        """Return the arguments of a contender that say which command belongs to each run."""
        if self.during:
            return ["during", *self.during, str(size)]
        return ["before", *self.reset] if self.reset else []


def load() -> dict[str, Workload]:
    """Return all workloads by name."""
    modules = [
        import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    ]
    names = [module.__name__.rpartition(".")[2].rstrip("_").replace("_", "-") for module in modules]
    return {name: module.WORKLOAD for name, module in zip(names, modules, strict=True)}
