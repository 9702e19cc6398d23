"""Read the kernel's machine-readable specs (YAML): attributes, sub-messages and groups.

Documentation/userspace-api/netlink of the kernel describes their schema. Specs have their own names
for attributes. This file finds the C name of each attribute among the constants of the headers, so
that the facts of all sources can be merged under one name. netlink.ynl reads the files, without its
corrections. This file must not read the declarations.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netlink.ynl.spec import parse

Attribute = dict[str, Any]
ADDRESS = {"ipv4", "ipv6", "ipv4-or-v6"}  # display hints


@dataclass(frozen=True)
class Entry:
    """One attribute: its C name, number, kind and byte order ("big", "host" or "-")."""

    name: str
    number: int
    kind: str
    order: str


class Spec:
    """One spec: its attribute sets and the things that they refer to, by name."""

    def __init__(self, data: bytes, path: str = "<spec>") -> None:
        content = parse(data, path, mend=False)
        self.name = content.name
        self.is_generic = content.is_generic
        definitions = content.top.get("definitions", ())
        self.constants = {item["name"]: item.get("value") for item in definitions}
        self.sets: dict[str, dict[int, Attribute]] = {}
        self.subsets: dict[str, str] = {}
        self.prefixes: dict[str, str] = {}
        for name, item in content.sets.items():
            if item.parent is not None:
                self.subsets[name] = item.parent
            else:
                self.sets[name] = {
                    a.number: a.entry for a in item.attributes if a.number is not None
                }
                self.prefixes[name] = item.entry.get("name-prefix", "")
        self.formats = {name: [*formats.values()] for name, formats in content.formats.items()}
        self.groups = [*content.groups]


class Names:
    """The C names of the attributes of a spec, found among the constants of its family.

    `constants` gives the number and the group of each name.
    """

    def __init__(self, spec: Spec, constants: Mapping[str, tuple[str, int]]) -> None:
        self._spec = spec
        self._constants = constants
        self._tails: dict[str, list[str]] = {}  # constants, by every end of their names
        for name in constants:
            words = name.split("_")
            for start in range(len(words)):
                self._tails.setdefault("_".join(words[start:]), []).append(name)
        self.prefixes: dict[str, str] = {}  # C prefixes, by attribute set
        self.lost: list[str] = []  # sets and attributes that the headers do not have
        for name, attributes in spec.sets.items():
            prefix = self._prefix(name, attributes)
            if prefix is not None:
                self.prefixes[name] = prefix

    def target(self, name: str) -> str:
        """Return the group of constants of an attribute set, or "" if it is not known."""
        name = self._spec.subsets.get(name, name)
        return self._group(name, self.prefixes[name]) if name in self.prefixes else ""

    def named(self, name: str) -> Iterator[tuple[str, int, Attribute]]:
        """Yield the C name, number and spec of each attribute of a set that the headers have."""
        prefix = self.prefixes.get(name)
        if prefix is None:
            self.lost.append(f"{self._spec.name}/{name}")
            return
        numbers: dict[int, list[str]] = {}
        main = self._group(name, prefix)
        for constant, (group, number) in self._constants.items():
            if group == main and constant.startswith(prefix):
                numbers.setdefault(number, []).append(constant)
        for number, attr in self._spec.sets[name].items():
            if is_nothing(attr):
                continue
            constant = self._own(attr) or prefix + c_name(attr["name"])
            if constant in self._constants and self._constants[constant][1] == number:
                yield constant, number, attr
            elif constant not in self._constants and len(numbers.get(number, ())) == 1:
                yield numbers[number][0], number, attr  # the spec spells the name differently
            else:
                self.lost.append(f"{self._spec.name}/{name}.{attr['name']}")

    def _own(self, attr: Attribute) -> str:
        """Return the C name of an attribute that has its own prefix, else ""."""
        prefix = attr.get("name-prefix")
        return c_name(prefix + attr["name"]) if prefix else ""

    def _group(self, name: str, prefix: str) -> str:
        """Return the group of most constants of a set."""
        found = Counter(
            self._constants[constant][0]
            for attr in self._spec.sets[name].values()
            if (constant := prefix + c_name(attr["name"])) in self._constants
        )
        return found.most_common(1)[0][0] if found else ""

    def _prefix(self, name: str, attributes: dict[int, Attribute]) -> str | None:
        """Return the C prefix of an attribute set, or None.

        A prefix that the spec states comes first. Otherwise it is the prefix with which most
        attributes are constants with the right number. If several are equal, the prefix that shares
        most words with the name of the set wins.
        """
        found: Counter[str] = Counter()
        some = {number: attr for number, attr in attributes.items() if not is_nothing(attr)}
        for number, attr in some.items():
            tail = c_name(attr["name"])
            for constant in self._tails.get(tail, ()):
                if self._constants[constant][1] == number:
                    found[constant.removesuffix(tail)] += 1
        stated = c_name(self._spec.prefixes[name])
        if stated and (found[stated] or not found):
            return stated if found[stated] else None
        words = {*c_name(name).split("_")}

        def likeness(prefix: str) -> tuple[int, int, int]:
            own = {*prefix.split("_")[1:-1]} - {"A", "ATTR"}
            return found[prefix], -len(own - words), len(own & words)

        best = max(found, key=likeness, default=None)
        if best is None or 2 * found[best] < len(some):
            return None
        _, strange, common = likeness(best)
        return None if found[best] == 1 and (strange or not common) else best


def c_name(name: str) -> str:
    """Return a name of a spec in the spelling of C."""
    return name.upper().replace("-", "_")


def is_nothing(attr: Attribute) -> bool:
    """Return whether an attribute is padding or unused."""
    return attr["type"] in ("pad", "unused") or attr["name"].split("-")[-1] in ("pad", "unspec")


def entries(spec: Spec, names: Names) -> Iterator[Entry]:
    """Yield the attributes of a spec that the headers have."""
    for name in spec.sets:
        for constant, number, attr in names.named(name):
            yield Entry(constant, number, *_kind(spec, names, attr))


def choices(spec: Spec, names: Names) -> Iterator[tuple[str, str, str]]:
    """Yield each choice of the sub-messages: name, selecting value, C prefix of the attributes."""
    for name, formats in spec.formats.items():
        for item in formats:
            if target := names.target(item.get("attribute-set", "")):
                yield name, str(item["value"]), target


def _kind(spec: Spec, names: Names, attr: Attribute) -> tuple[str, str]:
    """Return the kind and the byte order of an attribute."""
    if attr.get("multi-attr"):
        kind, order = _kind(spec, names, attr | {"multi-attr": False})
        return f"repeated {kind}", order
    match attr["type"]:
        case "indexed-array":
            element = {key: value for key, value in attr.items() if key != "sub-type"}
            kind, order = _kind(spec, names, element | {"type": attr["sub-type"]})
            return f"array {kind}", order
        case "nest-type-value":
            kind, _ = _kind(spec, names, attr | {"type": "nest"})
            return "mapping " * len(attr.get("type-value", "1")) + kind, "-"
        case "nest":
            return f"nest {names.target(attr.get('nested-attributes', ''))}".strip(), "-"
        case "sub-message":
            return f"selected {attr['sub-message']}", "-"
        case "binary" if "struct" in attr:
            return f"struct {attr['struct'].replace('-', '_')}", "-"
        case "binary" if "sub-type" in attr:
            return f"scalars {attr['sub-type']}", _order(attr, attr["sub-type"])
        case "scalar":
            return "uint", "host"
    hint = attr.get("display-hint")
    if hint in ADDRESS:
        return "address", "-"
    if hint == "mac":
        return "mac", "-"
    kind = attr["type"]
    if kind in ("string", "binary"):
        checks = attr.get("checks", {})
        most = checks.get("exact-len", checks.get("max-len"))
        most = spec.constants.get(most, most)
        return (f"{kind} {most}" if isinstance(most, int) else kind), "-"
    return kind, _order(attr, kind)


def _order(attr: Attribute, kind: str) -> str:
    if not re.fullmatch(r"[us](8|16|32|64|int)|[us]int", kind):
        return "-"
    return "big" if attr.get("byte-order") == "big-endian" else "host"


def read(folder: Path) -> list[Spec]:
    """Return the specs of a folder."""
    return [Spec(path.read_bytes(), str(path)) for path in sorted(folder.glob("*.yaml"))]
