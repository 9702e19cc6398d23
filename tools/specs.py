"""The kernel's machine-readable specs (YAML), and how the declarations differ from them.

The schema is described in Documentation/userspace-api/netlink of the kernel. A spec belongs to the
family of its protocol, or to the generic family of its name. All else is not matched by name: a
message class belongs to the attribute set of the operations with its message type, and from there
every nest, struct, enumeration and sub-message leads to the next pair. Where several classes share
a set, or several sets a class, an attribute is there if one of them has it.

A declaration that says more than the spec (a kind for what the spec calls bytes, an enumeration for
what it calls a number) is a difference of topic "finer".
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, Flag
from pathlib import Path
from typing import Any, cast

import yaml

from netlink.family import Family
from netlink.schema import Field, Message
from tools.declarations import Difference, attributes, innermost, is_same, label, members, shape

WIDTH = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "s8": 1, "s16": 2, "s32": 4, "s64": 8}
ADDRESS = {"ipv4", "ipv6", "ipv4-or-v6"}  # display hints


class Spec:
    """One file: its operations, and what they refer to, by name."""

    def __init__(self, path: Path) -> None:
        text = yaml.safe_load(path.read_text())
        self.name: str = text["name"]
        self.protocol: int | None = text.get("protonum")
        self.is_generic = text.get("protocol", "genetlink").startswith("genetlink")
        self.definitions = {item["name"]: item for item in text.get("definitions", ())}
        self.sets: dict[str, dict[int, dict[str, Any]]] = {}
        for item in text["attribute-sets"]:
            self.sets[item["name"]] = dict(self._numbered(item))
        self.formats = {item["name"]: item["formats"] for item in text.get("sub-messages", ())}
        self.operations = text["operations"]["list"]
        self._is_directional = text["operations"].get("enum-model") == "directional"
        self.groups: dict[str, int | None] = {
            item["name"]: item.get("value") for item in text.get("mcast-groups", {}).get("list", ())
        }

    def is_of(self, family: Family) -> bool:
        """Whether it is about a family."""
        if self.is_generic:
            return family.is_generic and family.name == self.name
        return family.protocol == self.protocol

    def _numbered(self, item: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The attributes of a set by their numbers, which count on where none is given."""
        whole = self.sets.get(item.get("subset-of", ""), {})
        by_name = {attr["name"]: (number, attr) for number, attr in whole.items()}
        number = 0
        for attr in item["attributes"]:
            if whole:
                number, base = by_name[attr["name"]]
                yield number, base | attr
            else:
                number = attr.get("value", number + 1)
                yield number, attr

    def messages(self) -> Iterator[tuple[int, dict[str, Any], str]]:
        """Each message type with its operation, and the operation's name where it asks.

        A generic family counts its operations, and answers under the number of the question; the
        others, and "directional" ones, give a number to either side.
        """
        number = 0
        for operation in self.operations:
            number = operation.get("value", number + 1)
            for way in ("do", "dump"):
                for side in ("request", "reply"):
                    part = operation.get(way, {}).get(side) or {}
                    name = operation["name"] * (side == "request")
                    if "value" in part:
                        yield part["value"], operation, name
                    elif part and self.is_generic and not self._is_directional:
                        yield number, operation, name

    def layout(self, struct: str) -> tuple[list[tuple[int, dict[str, Any]]], int, int]:
        """The members of a struct with their offsets, its size and its alignment, as in C."""
        placed, end, most = [], 0, 1
        for member in self.definitions[struct]["members"]:
            size = align = WIDTH.get(member["type"], 0)
            if "struct" in member:
                _, size, align = self.layout(member["struct"])
            elif not size:
                length = member.get("len", 0)
                size, align = int(self.definitions.get(length, {"value": length})["value"]), 1
            offset = -(-end // align) * align
            placed.append((offset, member))
            end, most = offset + size, max(most, align)
        return placed, -(-end // most) * most, most


class Comparison:
    """Compares a family with its spec: `found` holds the differences."""

    def __init__(self, spec: Spec, family: Family) -> None:
        self.spec = spec
        self.found: set[Difference] = set()
        self._sets: set[tuple[type[Message], str]] = set()  # classes and attribute sets that met
        self._pairs: set[tuple[Any, str]] = set()  # classes and structs, and enumerations
        self._choices: dict[str, dict[str, str]] = {}  # of sub-messages: our values, and where
        self._messages(family)
        self._sets_whole()
        self._choices_whole()

    def _add(self, topic: str, subject: str, text: str) -> None:
        self.found.add(Difference(topic, subject, text))

    def _messages(self, family: Family) -> None:
        groups = {number: name for name, number in family.groups.items()}
        for name, number in self.spec.groups.items():
            if number is None:  # which the kernel gives out
                ours = name if name in family.groups else None
            else:
                ours = groups.get(number)
            if ours is None or not is_same(ours, name):
                self._add("group", f"{self.spec.name}/{name}", f"is {number}, here {ours}")
        asking = {int(op.type): cast("type[Message]", op.request) for op in family.ops.values()}
        for number, operation, name in self.spec.messages():
            where = f"{self.spec.name}/{operation['name']}"
            cls = asking.get(number) if name and family.is_generic else family.classes.get(number)
            if cls is None:
                self._add("missing", where, f"no message class for type {number}")
                continue
            ours = cls.__table__.types[number]
            if name and not is_same(ours, name):
                self._add("name", where, f"is {number}, here {ours}")
            self._message(cls, operation)

    def _message(self, cls: type[Message], layout: dict[str, Any]) -> None:
        """A class, and the header and attributes that an operation or a sub-message has."""
        if "fixed-header" in layout:
            self._struct(cls, layout["fixed-header"])
        if "attribute-set" in layout:
            self._attributes(cls, layout["attribute-set"])

    # --- attributes -------------------------------------------------------------------------------

    def _attributes(self, cls: type[Message], name: str) -> None:
        if (cls, name) in self._sets:
            return
        self._sets.add((cls, name))
        fields = attributes(cls)
        for number, attr in self.spec.sets[name].items():
            if number in fields:
                where = f"{label(cls)}.{fields[number].name}"
                if not is_same(fields[number].name, attr["name"]):
                    self._add("name", where, f"is {attr['name']} in {name}")
                self._field(where, fields[number], attr)

    def _sets_whole(self) -> None:
        """What is declared on one side only."""
        theirs: dict[type[Message], set[int]] = {}
        ours: dict[str, set[int]] = {}
        for cls, name in self._sets:
            theirs.setdefault(cls, set()).update(self.spec.sets[name])
            ours.setdefault(name, set()).update(attributes(cls))
        for cls, numbers in theirs.items():
            for number, field in attributes(cls).items():
                if number not in numbers:
                    self._add("unknown", f"{label(cls)}.{field.name}", f"number {number}")
        for name, numbers in ours.items():
            for number, attr in self.spec.sets[name].items():
                if number not in numbers and not is_nothing(attr):
                    where = f"{self.spec.name}/{name}.{attr['name']}"
                    self._add("missing", where, f"{attr['type']}, number {number}")

    def _field(self, where: str, field: Field, attr: dict[str, Any]) -> None:
        """One attribute or member: its kind, its enumeration, and what lies inside of it."""
        inner = innermost(field)
        fits = accepted(attr)
        if shape(field) not in fits:
            is_finer = fits == ["binary"] or (fits, shape(field)) == (["be32"], "address")
            topic = "finer" if is_finer else "kind"
            self._add(topic, where, f"{shape(field)} here, {' or '.join(fits)}")
        elif "enum" in attr:
            self._enum(where, inner.enum, attr)
        elif inner.enum:
            self._add("finer", where, f"{inner.enum.__name__} here, {fits[0]}")
        if "max-len" in attr.get("checks", {}):
            self._bound(where, field, attr["checks"]["max-len"])
        if "sub-message" in attr:
            self._selected(where, field, attr)
        if inner.message is None:
            return
        if "nested-attributes" in attr:
            self._attributes(inner.message, attr["nested-attributes"])
        if "struct" in attr:
            self._struct(inner.message, attr["struct"])

    def _bound(self, where: str, field: Field, most: int | str) -> None:
        """How many bytes may be written; the NUL of a string counts here, and not in a spec."""
        if isinstance(most, str):
            most = int(self.spec.definitions[most]["value"])
        ours = max(innermost(field).size - (innermost(field).kind_name == "string"), 0)
        if ours != most:
            self._add("bound", where, f"{ours or 'none'} here, {most}")

    # --- sub-messages -----------------------------------------------------------------------------

    def _selected(self, where: str, field: Field, attr: dict[str, Any]) -> None:
        name = attr["sub-message"]
        if field.selector is None or not is_same(field.selector, attr["selector"]):
            self._add("selector", where, f"{field.selector} here, {attr['selector']} in {name}")
        ours = self._choices.setdefault(name, {})
        for key, cls in (field.choices or {}).items():
            value = key.name if isinstance(key, Enum) else str(key)
            ours[value] = where
            for layout in self.spec.formats[name]:
                if value == str(layout["value"]):
                    self._message(cls, layout)

    def _choices_whole(self) -> None:
        for name, ours in self._choices.items():
            theirs = {str(item["value"]): item for item in self.spec.formats[name]}
            for value in ours.keys() - theirs.keys():
                self._add("unknown", f"{ours[value]}:{value}", f"not in {name}")
            for value in theirs.keys() - ours.keys():
                if {"attribute-set", "fixed-header"} & theirs[value].keys():
                    self._add("missing", f"{self.spec.name}/{name}:{value}", "no class for it")

    # --- structs ----------------------------------------------------------------------------------

    def _struct(self, cls: type[Message], name: str) -> None:
        if (cls, name) in self._pairs:
            return
        self._pairs.add((cls, name))
        placed, size, _ = self.spec.layout(name)
        ours = {field.offset: field for field in members(cls)}
        if size != cls.__table__.total:
            self._add("size", label(cls), f"{cls.__table__.total} bytes here, {size} in {name}")
            if not ours:
                return
        for offset, member in placed:
            if is_nothing(member):
                continue
            field = ours.pop(offset, None)
            if field is None:
                self._add("missing", f"{self.spec.name}/{name}.{member['name']}", f"at {offset}")
                continue
            where = f"{label(cls)}.{field.name}"
            if not is_same(field.name, member["name"]):
                self._add("name", where, f"is {member['name']} in {name}")
            self._field(where, field, member)
        for offset, field in ours.items():
            self._add("unknown", f"{label(cls)}.{field.name}", f"at {offset}, not in {name}")

    # --- enumerations -----------------------------------------------------------------------------

    def _enum(self, where: str, enum: type[Enum] | None, attr: dict[str, Any]) -> None:
        definition = self.spec.definitions[attr["enum"]]
        if definition["type"] == "struct" or (enum, definition["name"]) in self._pairs:
            return
        if enum is None:
            self._add("enum", where, f"none here, {attr['enum']}")
            return
        self._pairs.add((enum, definition["name"]))
        is_flags = definition["type"] == "flags" or attr.get("enum-as-flags", False)
        if is_flags != issubclass(enum, Flag):
            self._add("enum", where, f"{enum.__name__} is not of the type of {attr['enum']}")
        ours = {int(member.value): name for name, member in enum.__members__.items()}
        names = {name: int(member.value) for name, member in enum.__members__.items()}
        value = definition.get("value-start", 0) - 1
        for item in definition["entries"]:
            entry = item if isinstance(item, dict) else {"name": item}
            value = entry.get("value", value + 1)
            number = 1 << value if is_flags else value
            ours.pop(number, None)
            if not any(is_same(name, entry["name"]) and names[name] == number for name in names):
                missing = f"{self.spec.name}/{definition['name']}.{entry['name']}"
                self._add("missing", missing, f"{number}, of {label(enum)}")
        if ours:
            self._add("unknown", label(enum), f"{' '.join(ours.values())} not in {attr['enum']}")


def is_nothing(attr: dict[str, Any]) -> bool:
    """Whether an attribute or a member carries nothing."""
    return attr["type"] in ("pad", "unused") or attr["name"].split("-")[-1] in ("pad", "unspec")


def accepted(attr: dict[str, Any]) -> list[str]:
    """The kinds by which an attribute or a member of a spec may be declared."""
    if attr.get("multi-attr"):
        return [f"repeated:{inner}" for inner in accepted(attr | {"multi-attr": False})]
    match attr["type"]:
        case "indexed-array":
            element = {key: value for key, value in attr.items() if key != "sub-type"}
            inner = accepted(element | {"type": attr["sub-type"]})
            return [f"{word}:{kind}" for word in ("array", "mapping") for kind in inner]
        case "nest-type-value":
            return ["mapping:" * len(attr.get("type-value", "1")) + "nest"]
        case "sub-message":
            return ["selected"]
        case "scalar":
            return ["uint"]
        case "binary" if "struct" in attr:
            return ["struct"]
        case "binary" if "sub-type" in attr:
            return [f"scalars:{attr['sub-type']}"]
    hint = attr.get("display-hint")
    if hint in ADDRESS:
        return ["address"]
    if hint == "mac":
        return ["mac"]
    kind: str = attr["type"]
    if attr.get("byte-order") == "big-endian":
        kind = kind.replace("u", "be").replace("s", "sbe")
    return [kind]


def compare(folder: Path, families: list[Family]) -> set[Difference]:
    """The differences from the specs in a folder that belong to one of the families."""
    found: set[Difference] = set()
    for spec in map(Spec, sorted(folder.glob("*.yaml"))):
        for family in families:
            if spec.is_of(family):
                found |= Comparison(spec, family).found
    return found
