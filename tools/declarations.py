"""What the package declares: every message class, enumeration and family, found by itself."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any

from netlink.family import Family
from netlink.schema import Field, Message


@dataclass(frozen=True, order=True)
class Difference:
    """Where a declaration and a reference disagree: `topic` and `subject` name it for good."""

    topic: str
    subject: str
    text: str

    @property
    def key(self) -> str:
        """What the table of explanations calls it."""
        return f"{self.topic} {self.subject}"


class Declarations:
    """What the modules of a package declare; `cli` is passed over, which may lack its extra."""

    def __init__(self, package: str) -> None:
        root = importlib.import_module(package)
        names = [module.name for module in pkgutil.walk_packages(root.__path__, package + ".")]
        self.modules = [root, *map(importlib.import_module, filter(_is_declaring, names))]
        self.messages = list(self._declared(Message))
        self.enums = list(self._declared(Enum))
        self.constants = {
            name: value
            for module in self.modules
            for name, value in vars(module).items()
            if name.isupper() and type(value) is int
        }
        self.families = [
            value
            for module in self.modules
            for value in vars(module).values()
            if isinstance(value, Family)
        ]

    def _declared(self, base: type[Any]) -> Iterator[type[Any]]:
        for module in self.modules:
            for value in vars(module).values():
                if isinstance(value, type) and issubclass(value, base) and _is_of(module, value):
                    yield value

    @property
    def headers(self) -> set[str]:
        """The C headers that the docstrings name."""
        things = [*self.modules, *self.messages, *self.enums]
        text = "\n".join(thing.__doc__ or "" for thing in things)
        return {*re.findall(r"\b(?:linux|asm|rdma)/[\w/]+\.h\b", text)}


def _is_declaring(module: str) -> bool:
    return not module.endswith("__main__") and ".cli" not in module


def _is_of(module: ModuleType, cls: type[Any]) -> bool:
    return cls.__module__ == module.__name__ and cls is not Message


def label(cls: type[Any]) -> str:
    """A class as differences name it: by its module's last name and its own."""
    return f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"


def attributes(cls: type[Message]) -> dict[int, Field]:
    """The attributes of a message class by number, inherited ones too."""
    return {f.number: f for f in cls.__table__.fields if f.number is not None}


def members(cls: type[Message]) -> list[Field]:
    """The members of the fixed header of a message class, without padding."""
    named = cls.__table__.names.values()
    return [field for field in named if field.number is None]


def shape(field: Field) -> str:
    """The kind of a field, that of its elements behind a colon."""
    return f"{field.kind_name}:{shape(field.element)}" if field.element else field.kind_name


def innermost(field: Field) -> Field:
    """The elements of a field that has some, of those again, and so on; else the field itself."""
    return innermost(field.element) if field.element else field


def is_same(ours: str, theirs: str) -> bool:
    """Whether two names mean the same: case, dashes and a common prefix on either side aside."""
    ours, theirs = (re.sub("[-_]", "", name).lower() for name in (ours, theirs))
    return ours.endswith(theirs) or theirs.endswith(ours)
