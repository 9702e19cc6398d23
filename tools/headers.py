"""How the declarations differ from the kernel's C headers.

Docstrings say what to compare with: the headers ("linux/if_link.h"), and the attributes of a class
("IFLA_BR_*"). A class with header members is called as its struct, and the members of an
enumeration as in C.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from fnmatch import filter as matching

from netlink.schema import Field, Message
from tools.declarations import Declarations, Difference, attributes, innermost, label, members
from tools.uapi import INNER, RELEASE, Headers

SIGNED = {"__s8", "__s16", "__s32", "__s64", "int", "short", "char"}
UNSIGNED = {"__u8", "__u16", "__u32", "__u64", "unsigned int", "unsigned char", "unsigned short"}
# What need not be declared: constants that stand for no value, members without a meaning.
BOUNDS = ("MAX", "UNSPEC", "UNDEFINED", "UNUSED", "PAD", "MASK", "BITS", "SHIFT", "SIZE", "LEN")
PADDING = re.compile(r"pad|res(v|\d|erved)|unused")

GROWTH = {"unknown", "size"}  # topics that only say that a release is older


class Comparison:
    """Compares declarations with headers: `found` holds the differences."""

    def __init__(self, declared: Declarations, headers: Headers) -> None:
        self.headers = headers
        self.found: set[Difference] = set()
        for name, number in declared.constants.items():
            if (headers.constants.get(name, number) ^ number) & 0xFFFFFFFF:
                self._add("number", name, f"{number} here, {headers.constants[name]} in C")
        self._named = {name for enum in declared.enums for name in enum.__members__}
        for enum in declared.enums:
            self._enum(enum)
        for cls in declared.messages:
            if len(members(cls)) > sum(len(members(base)) for base in _bases(cls)):
                self._struct(cls)
        numbers: dict[str, int] = {}
        for cls in declared.messages:
            numbers |= self._attributes(cls)
        self._named.update(numbers)
        for name in numbers:
            neighbours = headers.neighbours(name)
            self._whole(neighbours, {numbers[n] for n in neighbours if n in numbers})

    def _add(self, topic: str, subject: str, text: str) -> None:
        self.found.add(Difference(topic, subject, text))

    def _whole(self, names: Iterable[str], numbers: set[int]) -> None:
        """All these constants should be declared, but for bounds and second names."""
        for name in names:
            number = self.headers.constants[name]
            is_bound = name.startswith("_") or name.rstrip("_0123456789").endswith(BOUNDS)
            if name not in self._named and number not in numbers and not is_bound:
                self._add("missing", name, str(number))

    def _enum(self, enum: type[Enum]) -> None:
        numbers = {name: int(member.value) for name, member in enum.__members__.items()}
        met = [name for name in numbers if name in self.headers.constants]
        if not met:
            self._add("unknown", label(enum), "no constants of those names")
            return
        for name in numbers.keys() - {*met}:
            self._add("unknown", f"{label(enum)}.{name}", str(numbers[name]))
        for name in met:
            theirs = self.headers.constants[name]
            if (theirs ^ numbers[name]) & 0xFFFFFFFF:
                text = f"{numbers[name]} here, {theirs} in C"
                self._add("number", f"{label(enum)}.{name}", text)
            self._whole(self.headers.neighbours(name), {*numbers.values()})
        self._whole(self.headers.macros(f"{enum.__name__}_", met), {*numbers.values()})

    def _attributes(self, cls: type[Message]) -> dict[str, int]:
        """Compare numbers by name; gives the constants that the class has."""
        found = {}
        for number, field in attributes(cls).items():
            where = f"{label(cls)}.{field.name}"
            names = self._constants(cls.__doc__ or "", field.name.strip("_").upper(), number)
            if not names:
                self._add("unknown", where, f"number {number}")
            for name in names:
                found[name] = self.headers.constants[name]
                if found[name] != number:
                    self._add("number", where, f"{number} here, {name} is {found[name]}")
        return found

    def _constants(self, text: str, name: str, number: int) -> list[str]:
        """The constants that an attribute may stand for, by the C names in a docstring.

        "A_B_*" means A_B_NAME, and "A_*_B_*" each that fits. Where there is none, and with plain
        names, what has the right number will do: of "A_B_C" A_B_NAME, or A_NAME; of "enum a" what
        ends in _NAME.
        """
        constants = self.headers.constants
        words = re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_*]+", text)
        patterns = [word[:-1] + name for word in words if word.endswith("_*")]
        found = [pattern for pattern in patterns if pattern in constants]
        for pattern in patterns:
            found += matching(constants, pattern) if "*" in pattern else []
        if found:
            return found
        for word in words:
            stem = word.rstrip("_*")
            while stem:
                if constants.get(f"{stem}_{name}") == number:
                    return [f"{stem}_{name}"]
                stem = stem.rpartition("_")[0]
        tags = re.findall(r"\benum (\w+)", text)
        listed = [name for tag, names in self.headers.enums if tag in tags for name in names]
        return [c for c in matching(listed, f"*_{name}") if constants[c] == number]

    def _struct(self, cls: type[Message]) -> None:
        struct = cls.__name__
        if struct not in self.headers.structs:
            self._add("unknown", label(cls), "no struct of that name")
            return
        theirs = {name.lower(): member for name, member in self.headers.structs[struct].items()}
        size = self.headers.sizes[struct]
        if cls.__table__.total != size:
            self._add("size", label(cls), f"{cls.__table__.total} bytes here, {size} in C")
        for field in members(cls):
            where = f"{label(cls)}.{field.name}"
            tail = re.compile(rf"(\A|[._]){field.name.strip('_')}\Z")
            name = next(filter(tail.search, theirs), None)
            if name is None:
                self._add("unknown", where, f"at {field.offset}, not in struct {struct}")
                continue
            member = theirs.pop(name)
            if (member.offset, member.size) != (field.offset, field.size):
                ours = f"{field.size} bytes at {field.offset} here"
                self._add("layout", where, f"{ours}, {member.size} at {member.offset} in C")
            elif not _is_kind(field, member.type):
                self._add("kind", where, f"{field.kind_name} here, {member.type} in C")
        covered = [range(f.offset, f.offset + max(f.size, 1)) for f in members(cls)]
        for name, member in theirs.items():
            if not PADDING.search(name) and not any(member.offset in part for part in covered):
                self._add("missing", f"{struct}.{name}", f"{member.type}, at {member.offset}")


def _bases(cls: type[Message]) -> list[type[Message]]:
    return [base for base in cls.__bases__ if issubclass(base, Message)]


def _is_kind(field: Field, c_type: str) -> bool:
    """Whether a kind agrees with a C type in sign and byte order, as far as the type tells."""
    kind = innermost(field).kind_name
    is_big = kind.startswith(("be", "sbe"))
    if c_type.startswith(("__be", "struct in_addr", "struct in6_addr")):
        return is_big or kind == "address"
    if kind[0] in "us" and kind[1:].isdigit():
        return c_type not in (UNSIGNED if kind[0] == "s" else SIGNED)
    return c_type == INNER or not is_big


def compare(declared: Declarations, headers: Headers) -> set[Difference]:
    """The differences; what an older release than ours has not got, or smaller, is none."""
    found = Comparison(declared, headers).found
    if headers.release < RELEASE:
        return {difference for difference in found if difference.topic not in GROWTH}
    return found
