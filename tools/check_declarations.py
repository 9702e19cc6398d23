"""Compare the declarations of the package with the table of facts, and print every difference.

    python -m tools.check_declarations [TABLE]

The docstring of a class names the C prefix of its attributes ("IFLA_BR_*"). A class with header
members has the name of its C struct, and the members of an enumeration have their C names. Accepted
differences and their reasons are in explained.py. Any other difference is a mistake, so an invented
attribute fails the tests. This file must not read headers, sources or specs, as facts.py does.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from fnmatch import filter as matching
from pathlib import Path
from typing import Any

from netlink.schema import Field, Message
from tools import facts
from tools.declarations import (
    Declarations,
    Difference,
    attributes,
    innermost,
    is_same,
    label,
    members,
)
from tools.explained import REASONS, Explanations
from tools.facts import INTEGER, Fact, Kind

TABLE = Path(__file__).parents[1] / "tests/facts.tsv"

# Constants that need not be declared because they are not values, and members without a meaning.
BOUNDS = ("MAX", "UNSPEC", "UNDEFINED", "UNUSED", "PAD", "MASK", "BITS", "SHIFT", "SIZE", "LEN")
PADDING = re.compile(r"pad|res(v|\d|erved)|unused")
SCALARS = {*INTEGER, "uint", "sint", "flag", "string", "bitfield32", "address"}
LAYERS = {"repeated", "array", "mapping"}
# Names that the table may use for our kinds, in addition to the names of the kinds.
ALSO = {
    "address": {"binary"},
    "mac": {"binary"},
    "lladdr": {"binary", "mac"},
    "labels": {"binary", "u32"},
    "struct": {"binary"},
    "scalars": {"binary", "struct"},
    "selected": {"binary", "nest"},
    "records": {"binary", "nest"},
    "string": {"binary"},
    "nest": {"binary"},
    "byte_flag": {"flag", "u8"},
}


class Facts:
    """The facts of the table, indexed by name, struct, sub-message and family."""

    def __init__(self, table: Iterable[Fact]) -> None:
        self.constants: dict[str, list[Fact]] = {}
        self.structs: dict[str, dict[str, list[Fact]]] = {}
        self.sizes: dict[str, set[int]] = {}
        self.choices: dict[str, dict[str, str]] = {}
        self.groups: dict[str, set[str]] = {}
        self._sets: dict[str, list[str]] = {}
        for fact in table:
            if fact.name:
                self.constants.setdefault(fact.name, []).append(fact)
                self._sets.setdefault(fact.set, []).append(fact.name)
            elif fact.struct and fact.attribute == "-":
                self.sizes.setdefault(fact.struct, set()).add(fact.number or 0)
            elif fact.struct:
                members = self.structs.setdefault(fact.struct, {})
                members.setdefault(fact.attribute.lower(), []).append(fact)
            elif fact.set == "group":
                self.groups.setdefault(fact.family, set()).add(fact.attribute)
            else:
                self.choices.setdefault(fact.set, {})[fact.attribute] = fact.kind.argument

    def numbers(self, name: str) -> set[int]:
        """Return the numbers of a constant. There are several if releases differ."""
        return {fact.number for fact in self.constants[name] if fact.number is not None}

    def neighbours(self, name: str, prefix: str = "") -> list[str]:
        """Return the constants in the set of a constant. For a macro, only those with a prefix."""
        group = self.constants[name][0].set
        if not group.endswith(".h"):
            return self._sets[group]
        return [other for other in self._sets[group] if prefix and other.startswith(prefix)]


class Comparison:
    """Compares declarations with facts. `found` holds the differences."""

    def __init__(self, declared: Declarations, table: Facts) -> None:
        self.facts = table
        self.found: set[Difference] = set()
        self._met: dict[type[Message], set[str]] = {}  # the sets that hold a class's attributes
        for name, number in declared.constants.items():
            if name in table.constants:
                self._number(name, [name], number)
        self._named = {name for enum in declared.enums for name in enum.__members__}
        for cls in declared.messages:
            if len(members(cls)) > sum(len(members(base)) for base in _bases(cls)):
                self._struct(cls)
        numbers = dict(pair for cls in declared.messages for pair in self._attributes(cls))
        self._named.update(numbers)
        for enum in declared.enums:
            self._enum(enum)
        for name in numbers:
            neighbours = table.neighbours(name)
            self._whole(neighbours, {numbers[n] for n in neighbours if n in numbers})
        for cls in declared.messages:
            for field in attributes(cls).values():
                self._inside(cls, field)
        for family in declared.families:
            self._groups(family)

    def _add(self, topic: str, subject: str, text: str) -> None:
        self.found.add(Difference(topic, subject, text))

    def _number(self, where: str, names: list[str], number: int) -> None:
        """Check that each of these constants has a number. Compares 32 bits, with any sign."""
        for name in names:
            theirs = self.facts.numbers(name)
            if all((other ^ number) & 0xFFFFFFFF for other in theirs):
                said = " or ".join(map(str, sorted(theirs)))
                self._add("number", where, f"{number} here, {name} is {said}")

    def _whole(self, names: Iterable[str], numbers: set[int]) -> None:
        """Check that all these constants are declared, except bounds and second names."""
        for name in names:
            is_bound = name.rstrip("_0123456789").endswith(BOUNDS)
            is_known = name in self._named or self.facts.numbers(name) & numbers
            if not is_known and not is_bound:
                self._add("missing", name, " or ".join(map(str, sorted(self.facts.numbers(name)))))

    def _enum(self, enum: type[Enum]) -> None:
        numbers = {name: int(member.value) for name, member in enum.__members__.items()}
        met = [name for name in numbers if name in self.facts.constants]
        if numbers and not met:
            self._add("unknown", label(enum), "no constants of those names")
            return
        for name in numbers.keys() - {*met}:
            self._add("unknown", f"{label(enum)}.{name}", str(numbers[name]))
        for name in met:
            self._number(f"{label(enum)}.{name}", [name], numbers[name])
            theirs = self.facts.neighbours(name, f"{enum.__name__}_")
            self._whole(theirs, {*numbers.values()})

    # --- attributes -------------------------------------------------------------------------------

    def _attributes(self, cls: type[Message]) -> Iterator[tuple[str, int]]:
        """Compare each attribute with the constants of its name, and yield those constants."""
        for number, field in attributes(cls).items():
            where = f"{label(cls)}.{field.name}"
            names = self.constants_of(cls, field)
            if not names:
                text = f"number {number}: the table has no constant of this name and the prefix"
                self._add("unknown", where, f"{text} that the docstring of the class states")
            self._number(where, names, number)
            for name in names:
                yield name, number
                found = self.facts.constants[name]
                self._met.setdefault(cls, set()).update(fact.set for fact in found)
                for kind in wrong_kinds(field, found):
                    self._add("kind", where, f"{shown(kind_of(field))} here, {shown(kind)}")
                inner = innermost(field)
                length = address_length(found)
                if length and inner.kind_name == "address" and not (inner.size or inner.by_family):
                    self._add("width", where, f"any length here, {length} bytes")

    def constants_of(self, cls: type[Message], field: Field) -> list[str]:
        """Return the constants of an attribute, by the C prefixes in the docstring of its class.

        "A_B_*" means A_B_NAME. "A_*_B_*" means every constant that matches. The field of a name
        that starts with a digit has an "n" before it. If there is no constant of the name, the
        words of a C name are removed from its end until a constant has the right number: for
        "A_B_C", A_B_NAME or A_NAME.
        """
        constants = self.facts.constants
        name = re.sub("^N(?=[0-9])", "", field.name.strip("_").upper())
        words = re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_*]+", cls.__doc__ or "")
        patterns = [word[:-1] + name for word in words if word.endswith("_*")]
        found = [pattern for pattern in patterns if pattern in constants]
        for pattern in patterns:
            found += matching(constants, pattern) if "*" in pattern else []
        if found:
            return found
        for word in words:
            stem = word.rstrip("_*")
            while stem:
                whole = f"{stem}_{name}"
                if whole in constants and field.number in self.facts.numbers(whole):
                    return [whole]
                stem = stem.rpartition("_")[0]
        return []

    def _inside(self, cls: type[Message], field: Field) -> None:
        """Check that a nest or choice has the attributes of the set that the specs name."""
        where = f"{label(cls)}.{field.name}"
        inner = innermost(field)
        facts = [
            fact for name in self.constants_of(cls, field) for fact in self.facts.constants[name]
        ]
        for kind in {fact.kind for fact in facts}:
            if kind.base == "nest" and kind.argument and inner.kind_name == "nest":
                self._target(where, inner.message, kind.argument)
            if kind.base == "selected":
                theirs = self.facts.choices.get(kind.argument, {})
                for key, choice in (inner.choices or {}).items():
                    value = key.name if isinstance(key, Enum) else str(key)
                    if value in theirs and isinstance(choice, type):
                        self._target(f"{where}:{value}", choice, theirs[value])

    def _target(self, where: str, inner: type[Message], group: str) -> None:
        met = self._met.get(inner, set())
        if group not in met:
            self._add("nest", where, f"{label(inner)} has {' '.join(sorted(met))}, not {group}")

    # --- structs ----------------------------------------------------------------------------------

    def _struct(self, cls: type[Message]) -> None:
        struct = cls.__name__
        if struct not in self.facts.sizes:
            self._add("unknown", label(cls), "no struct of that name")
            return
        theirs = dict(self.facts.structs.get(struct, {}))
        sizes = self.facts.sizes[struct]
        if cls.__table__.total not in sizes:
            said = " or ".join(map(str, sorted(sizes)))
            self._add("size", label(cls), f"{cls.__table__.total} bytes here, {said} in C")
        for field in members(cls):
            where = f"{label(cls)}.{field.name}"
            tail = re.compile(rf"(\A|[._]){field.name.strip('_')}\Z")
            name = next(filter(tail.search, theirs), None)
            if name is None:
                self._add("unknown", where, f"at {field.offset}, not in struct {struct}")
            else:
                self._member(where, field, theirs.pop(name))
        covered = [range(f.offset, f.offset + max(f.size, 1)) for f in members(cls)]
        for name, found in theirs.items():
            is_covered = any(fact.number in part for fact in found for part in covered)
            if not PADDING.search(name) and not is_covered:
                self._add("missing", f"{struct}.{name}", f"{found[0].kind}, at {found[0].number}")

    def _member(self, where: str, field: Field, found: list[Fact]) -> None:
        """Check that a member has the offset, size, sign and byte order that one release has."""
        here = [f for f in found if (f.number, size_of(f.kind)) == (field.offset, field.size)]
        if not here:
            said = ", ".join(f"{size_of(f.kind)} at {f.number} in C" for f in found)
            self._add("layout", where, f"{field.size} bytes at {field.offset} here, {said}")
        elif not any(is_c_kind(field, fact.kind) for fact in here):
            self._add("kind", where, f"{shown(kind_of(field))} here, {shown(here[0].kind)} in C")

    # --- families ---------------------------------------------------------------------------------

    def _groups(self, family: Any) -> None:
        """Check that the specs name the groups of a generic family, which have no numbers."""
        known = self.facts.groups.get(family.name, set())
        for name in family.groups if known else ():
            if not any(is_same(name, other) for other in known):
                self._add("group", f"{family.name}/{name}", f"not in {' '.join(sorted(known))}")


def _bases(cls: type[Message]) -> list[type[Message]]:
    return [base for base in cls.__bases__ if issubclass(base, Message)]


def kind_of(field: Field) -> Kind:
    """Return the kind of a declared field, without an argument."""
    layers = []
    while field.element is not None and field.kind_name in LAYERS:
        layers.append(field.kind_name)
        field = field.element
    name = field.kind_name
    if found := re.fullmatch(r"(s?)be(\d+)", name):
        return Kind(tuple(layers), f"{found[1] or 'u'}{found[2]}", order="big")
    order = "host" if name in INTEGER or name in ("uint", "sint") else "-"
    return Kind(tuple(layers), name, order=order)


def shown(kind: Kind) -> str:
    """Return a kind as text."""
    return str(kind) if kind.order == "-" else f"{kind} in {kind.order} byte order"


def size_of(kind: Kind) -> int:
    """Return the size of a struct's member in bytes."""
    return int(kind.argument) if kind.argument else INTEGER[kind.base]


def is_c_kind(field: Field, theirs: Kind) -> bool:
    """Return whether a member has the sign and byte order that its C type states, if any."""
    ours = kind_of(innermost(field))
    if theirs.base == "address" or theirs.order == "big":
        return ours.base == "address" or ours.order == "big"
    if theirs.base in INTEGER and ours.base in INTEGER:
        return ours.order != "big" and ours.base[0] == theirs.base[0]
    return theirs.base == "-" or ours.order != "big"


def wrong_kinds(field: Field, found: list[Fact]) -> set[Kind]:
    """Return the kinds in the table that contradict the declaration of an attribute.

    If a plain value agrees with a call, the call decides, because it is how the kernel writes or
    reads the attribute. Otherwise the declaration must agree with all specs, with one of the calls
    and with one of the policies.
    """
    called, checked, stated = ([f.kind for f in found if letter in f.source] for letter in "cps")
    ours = kind_of(field)
    if any(agrees(field, kind) for kind in called) and not ours.wrappers and ours.base in SCALARS:
        return set()
    wrong = {kind for kind in stated if not agrees(field, kind)}
    for kinds in (called, checked):
        if not any(agrees(field, kind, as_policy=True) for kind in kinds):
            wrong |= {*kinds}
    return wrong


def address_length(found: list[Fact]) -> int | None:
    """Return the length of an address in bytes.

    Returns None if it is not known or depends on the address family.
    """
    kinds = {fact.kind for fact in found}
    lengths = {kind.argument for kind in kinds if kind.base in ("address", "binary")} - {""}
    lengths |= {"4" for kind in kinds if kind.base == "u32"}
    return int(lengths.pop()) if len(lengths) == 1 else None


def agrees(field: Field, theirs: Kind, *, as_policy: bool = False) -> bool:
    """Return whether a declared attribute fits a kind of the table.

    A policy states neither repetition nor byte order. Of a nest it states only that it contains
    attributes.
    """
    ours = kind_of(field)
    layers = ["array" if word == "mapping" else word for word in ours.wrappers]
    wanted = ["array" if word == "mapping" else word for word in theirs.wrappers]
    if as_policy:
        layers, wanted = ([w for w in words if w != "repeated"] for words in (layers, wanted))
        if layers and not wanted and theirs.base in ("nest", "binary"):
            return True
    if layers != wanted:
        return theirs.base == "binary" and not wanted and "repeated" not in layers
    if theirs.base == "-":
        return True
    if theirs.base in INTEGER:
        return _is_integer(innermost(field), ours, theirs)
    if theirs.base == "binary":
        return _is_binary(innermost(field), ours, theirs)
    if theirs.base == "address":
        return _is_address(innermost(field), ours, theirs)
    return theirs.base == ours.base or theirs.base in ALSO.get(ours.base, ())


def _is_integer(field: Field, ours: Kind, theirs: Kind) -> bool:
    """Compare with an integer: width, sign and byte order. A policy states only the width."""
    width = INTEGER[theirs.base]
    if ours.base == "address":
        return width == 4 and field.size in (0, 4) and theirs.order in ("big", "-")
    if ours.base not in INTEGER:
        return theirs.base in ALSO.get(ours.base, ())
    if INTEGER[ours.base] != width:
        return False
    if theirs.order == "-":  # a policy may call a signed integer unsigned, but not the reverse
        return ours.base[0] == "s" or theirs.base[0] == "u"
    is_same_order = width == 1 or ours.order == theirs.order
    return is_same_order and ours.base[0] == theirs.base[0]


def _is_address(field: Field, ours: Kind, theirs: Kind) -> bool:
    """Compare with an address: the length. A big-endian integer may be an IPv4 address."""
    if ours.base in INTEGER:
        return ours.order == "big" and INTEGER[ours.base] == 4
    is_as_long = not (theirs.argument and field.size) or field.size == int(theirs.argument)
    return ours.base == "address" and is_as_long


def _is_binary(field: Field, ours: Kind, theirs: Kind) -> bool:
    """Compare with bytes: any kind of that length fits, except a flag."""
    if theirs.argument and ours.base in INTEGER:
        return INTEGER[ours.base] == int(theirs.argument)
    if theirs.argument and ours.base == "address" and field.size:
        return field.size == int(theirs.argument)
    return ours.base != "flag"


def compare(declared: Declarations, table: Iterable[Fact]) -> set[Difference]:
    """Return the differences between the declarations and a table of facts."""
    return Comparison(declared, Facts(table)).found


def load(path: Path = TABLE) -> list[Fact]:
    """Return the facts of a table in a file."""
    return [*facts.load(path.read_text())]


def report(found: Iterable[Difference], known: Explanations) -> int:
    """Print the differences, each after its reason. Returns the number without a reason."""
    by_reason: dict[str, list[Difference]] = {}
    for difference in sorted(found):
        by_reason.setdefault(known.reason(difference) or "", []).append(difference)
    unexplained = by_reason.pop("", [])
    print(f"{sum(map(len, by_reason.values()))} explained, {len(unexplained)} unexplained")
    for reason, differences in [*by_reason.items(), ("UNEXPLAINED", unexplained)]:
        if differences:
            print(f"\n  {reason}")
        for difference in differences:
            print(f"    {difference.key}: {difference.text}")
    return len(unexplained)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("table", type=Path, nargs="?", default=TABLE, help="made by tools.facts")
    options = parser.parse_args(arguments)
    found = compare(Declarations("netlink"), load(options.table))
    return 1 if report(found, REASONS) else 0


if __name__ == "__main__":
    sys.exit(main())
