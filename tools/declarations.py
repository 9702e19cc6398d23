"""The declarations of the package: every message class, enumeration and family.

They are found automatically, so that no list can forget one. The class of a difference between a
declaration and the table of facts is here too. This file must not compare anything:
check_declarations.py does that.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from types import ModuleType
from typing import TypeVar

from netlink.registry import FAMILIES
from netlink.schema import Field, Message

T = TypeVar("T")


@dataclass(frozen=True, order=True)
class Difference:
    """One difference between a declaration and the table. `topic` and `subject` identify it."""

    topic: str
    subject: str
    text: str

    @property
    def key(self) -> str:
        """The name of the difference in explained.py."""
        return f"{self.topic} {self.subject}"


def modules(package: str) -> Iterator[ModuleType]:
    """Import a package and yield all its modules, except those of the command line.

    Modules that need netlink sockets are left out where there are none.
    """
    root = importlib.import_module(package)
    yield root
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        if module.name.endswith(".__main__") or f"{module.name}.".startswith(f"{package}.cli."):
            continue
        try:
            yield importlib.import_module(module.name)
        except ImportError:
            if sys.platform == "linux":
                raise


class Declarations:
    """The declarations of all modules of a package, except `cli`, which needs an extra."""

    def __init__(self, package: str) -> None:
        found = list(modules(package))
        self.messages = [*_subclasses(Message, package)]
        self.enums: list[type[IntEnum] | type[IntFlag]] = [
            *_subclasses(IntEnum, package),
            *_subclasses(IntFlag, package),
        ]
        self.constants = {
            name: value
            for module in found
            for name, value in vars(module).items()
            if name.isupper() and type(value) is int
        }
        self.families = [entry.load() for entry in FAMILIES]


def _is_declaring(module: str) -> bool:
    return not module.endswith("__main__") and ".cli" not in module


def _subclasses(base: type[T], package: str) -> Iterator[type[T]]:
    """Yield all subclasses of a class that the package declares, in any module."""
    for cls in base.__subclasses__():
        if cls.__module__.startswith(f"{package}.") and _is_declaring(cls.__module__):
            yield cls
        yield from _subclasses(cls, package)


def label(cls: type[object]) -> str:
    """Return the name of a class in differences: the last part of its module, and its own name."""
    return f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"


def attributes(cls: type[Message]) -> dict[int, Field]:
    """Return the attributes of a message class by number, inherited ones too."""
    return {f.number: f for f in cls.__table__.fields if f.number is not None}


def members(cls: type[Message]) -> list[Field]:
    """Return the members of the fixed header of a message class, without padding."""
    named = cls.__table__.names.values()
    return [field for field in named if field.number is None]


def innermost(field: Field) -> Field:
    """Return the innermost element of a repeated or nested array field, else the field itself."""
    return innermost(field.element) if field.element else field


def is_same(ours: str, theirs: str) -> bool:
    """Return whether two names are the same, except for case, dashes and a prefix of either."""
    ours, theirs = (re.sub("[-_]", "", name).lower() for name in (ours, theirs))
    return ours.endswith(theirs) or theirs.endswith(ours)
