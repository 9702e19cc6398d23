"""Every message class that the package declares, and values generated for its fields.

The classes are found by walking the subclasses of Message, so that a new family is tested without
a line here. This module contains no tests.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import strategies as st

from netlink import EncodeError, Message
from netlink.schema import Field
from tools.declarations import modules

INTEGER_BITS = {"8": 8, "16": 16, "32": 32, "64": 64, "nt": 64}
MAX_DEPTH = 3
WITHOUT_COLUMN = {"selected", "array", "mapping", "repeated", "records"}


def declared() -> list[type[Message]]:
    """Return every message class of the package, sorted by name."""
    list(modules("netlink"))
    found: list[type[Message]] = []
    todo: list[type[Message]] = [Message]
    while todo:
        todo += (new := todo.pop().__subclasses__())
        found += [cls for cls in new if cls.__module__.startswith("netlink.")]
    return sorted(found, key=lambda cls: (cls.__module__, cls.__qualname__))


CLASSES = declared()


def values(field: Any, depth: int) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of a field of this kind."""
    kind = field.kind_name
    if kind.strip("sbeu").isdigit() or kind in ("uint", "sint"):
        bits = next(bits for end, bits in INTEGER_BITS.items() if kind.endswith(end))
        is_signed = kind.startswith("s")
        low = -(1 << (bits - 1)) if is_signed else 0
        high = (1 << (bits - is_signed)) - 1
        if field.least is not None:
            low = max(low, field.least)
        if field.most is not None:
            high = min(high, field.most)
        return st.integers(low, high)
    if kind in ("flag", "byte_flag"):
        return st.booleans()
    if kind == "string":
        most = field.size - 1 if field.size else 20
        least = max((field.least or 0) - 1, 0)
        characters = st.characters(codec="ascii", exclude_characters="\0")
        return st.text(characters, min_size=least, max_size=most)
    if kind == "binary":
        if field.number is None and field.size:
            return st.binary(min_size=field.size, max_size=field.size)
        return st.binary(min_size=field.least or 0, max_size=field.size or 40)
    if kind == "address":
        four = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
        sixteen = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)
        return {0: four | sixteen, 4: four, 16: sixteen}[field.size]
    if kind == "pairs":
        keys = st.text(st.characters(codec="utf-8", exclude_characters="\0="), max_size=5)
        return st.dictionaries(keys, keys, max_size=3)
    if kind == "labels":
        return st.lists(st.integers(0, 2**20 - 1), max_size=4).map(tuple)
    if kind in ("mac", "lladdr"):
        least = (field.size if field.number is None else field.least) or 0
        return st.binary(min_size=least, max_size=field.size or 20).map(lambda b: b.hex(":"))
    if kind == "bitfield32":
        return st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
    if kind in ("struct", "nest"):
        return messages(field.message, depth + 1)
    if kind == "records":
        return st.lists(messages(field.message, depth + 1), max_size=3).map(tuple)
    if field.element.choices is not None:  # what selects the element is not known here
        return st.just(())
    inner = values(field.element, depth)
    if kind == "scalars":
        count = field.size // field.element.size if field.size else 0
        return st.lists(inner, min_size=count, max_size=count or 5).map(tuple)
    if kind == "mapping":
        return st.dictionaries(st.integers(0, 0x3FFF), inner, max_size=3)
    return st.lists(inner, max_size=3).map(tuple)  # array, repeated


def messages(cls: type[Message], depth: int = 0) -> st.SearchStrategy[Any]:
    """Return a strategy for instances of a message class, with a limited depth of nests."""

    @st.composite
    def make(draw: st.DrawFn) -> Message:
        names = list(cls.__table__.names)
        if depth >= MAX_DEPTH:
            chosen = []
        else:
            chosen = (
                draw(st.lists(st.sampled_from(names), unique=True, max_size=6)) if names else []
            )
        fields: dict[str, Any] = {}
        for name in chosen:
            field: Any = cls.__table__.names[name]
            if field.counts in names:
                continue  # the number that it must be is written
            if field.kind_name != "selected":
                fields.setdefault(name, draw(values(field, depth)))
            elif not field.climb:  # what a parent says is not known here
                key = fields.setdefault(field.selector, draw(st.sampled_from(list(field.choices))))
                target = field.choices.get(key)
                if isinstance(target, Field):
                    is_flag = target.kind_name == "flag"
                    fields[name] = draw(st.just(True) if is_flag else values(target, depth))
                else:
                    fields[name] = draw(messages(target, depth + 1) if target else st.binary())
        while True:
            try:
                return cls(**fields)
            except (
                EncodeError
            ) as error:  # not the family, or the number of elements, that was drawn
                assert error.path is not None, error
                assert "family" in str(error) or "which makes it" in str(error), error
                del fields[error.path.split(".")[1].partition("[")[0]]

    return make()


def column_paths(cls: type[Message], above: tuple[type[Message], ...] = ()) -> list[str]:
    """Return the paths of all fields of a class that can be columns.

    A class that contains itself is entered once, because its paths would be too many.
    """
    found = []
    above = (*above, cls)
    for name, field in cls.__table__.names.items():
        if field.kind_name in ("nest", "struct"):
            is_inside = any(issubclass(outer, field.message) for outer in above)
            if len(above) <= MAX_DEPTH and not is_inside:
                found += [f"{name}.{path}" for path in column_paths(field.message, above)]
        elif field.kind_name not in WITHOUT_COLUMN:
            found.append(name)
    return found


def follow(cls: type[Message], message: Any, path: str) -> Any:
    """Return the value at a path, attribute by attribute. Below a missing nest it is missing."""
    name, _, rest = path.partition(".")
    field = cls.__table__.names[name]
    value = field.missing if message is None else getattr(message, name)
    return follow(field.message, value, rest) if rest else value
