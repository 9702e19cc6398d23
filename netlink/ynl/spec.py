"""A spec as names, numbers and references that were checked: read() is the only reader of specs.

It knows the schemas' rules of numbering, prefixes and subsets, and nothing of message classes:
family.py makes those. The tools that compare our declarations with specs use it too. Content of the
file remains as it is there, in Entry objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from netlink.constants import NLA_TYPE_MASK
from netlink.ynl import mistakes
from netlink.ynl.document import Entry, Items, SpecError, read
from netlink.ynl.grammar import INTEGERS, check
from netlink.ynl.names import c_name, identifier

__all__ = ["Attribute", "AttributeSet", "Enum", "Operation", "Spec", "Value", "parse"]

GENL_MAX_COMMAND = 255  # struct genlmsghdr has a byte for the command (linux/genetlink.h)
MAX_TYPE = 0xFFFF  # nlmsg_type
MAX_PROTOCOL = 31  # below MAX_LINKS of linux/netlink.h
MAX_VERSION = 0xFF  # struct genlmsghdr
MAX_GROUP = 0xFFFFFFFF
MAX_BYTES = 0xFFFF - 4  # payload of an attribute
IGNORED = {"unused", "unspec"}  # types of attributes that nobody sends


class Value(NamedTuple):
    """An entry of an enum. The number of a flag is that of its bit."""

    name: str
    number: int
    c_name: str
    doc: str


class Enum(NamedTuple):
    """An enum or flags. `has_c_names` says whether the C names of its entries can be derived."""

    name: str
    is_flags: bool
    values: list[Value]
    has_c_names: bool
    prefix: str
    entry: Entry


class Attribute(NamedTuple):
    """An attribute of a set, or a member of a struct, which has no number."""

    name: str
    number: int | None
    c_name: str
    entry: Entry


class AttributeSet(NamedTuple):
    """A set of attributes. A subset has the numbers of its `parent`, another set."""

    name: str
    parent: str | None
    prefix: str
    attributes: list[Attribute]
    entry: Entry


class Operation(NamedTuple):
    """An op. `kind` is "call", "notify", "event" or "reserved".

    `request` and `replies` are its numbers in each direction: the reply of `do` comes first, then
    that of `dump` if it differs. `answers` says whether `do` has a reply. `set` and `header` name
    an attribute set and a struct.
    """

    name: str
    kind: str
    request: int | None
    replies: tuple[int, ...]
    has_do: bool
    has_dump: bool
    answers: bool
    set: str | None
    header: str | None
    c_name: str
    entry: Entry


class Spec:
    """The content of a spec, by name. `warnings` lists what is ignored, as (line, text)."""

    def __init__(self, content: Any, path: str, *, mend: bool) -> None:
        self.path = path
        self.warnings: list[tuple[int, str]] = []
        self.top = top = check(content, path, self.warn)
        self.is_mended = mend
        if mend:
            mistakes.mend(top)
        self.name: str = top["name"]
        if not self.name:
            raise self.error(top, "name", "the spec has an empty name")
        self.doc: str = top.get("doc", "")
        self.protocol: str = top.get("protocol", "genetlink")
        self.is_generic = self.protocol != "netlink-raw"
        self.protonum = self._within(top, "protonum", 0, 0, MAX_PROTOCOL)
        if not self.is_generic and "protonum" not in top:
            raise self.error(top, "protocol", "netlink-raw needs the key 'protonum'")
        self.version = self._within(top, "version", 1, 0, MAX_VERSION)
        self.constants: dict[str, int | str] = {}
        self.enums: dict[str, Enum] = {}
        self.structs: dict[str, Entry] = {}
        self._definitions()
        self.sets: dict[str, AttributeSet] = {}
        self._sets()
        self.formats: dict[str, dict[str | int, Entry]] = {}
        self._formats()
        self.ops: list[Operation] = []
        self._operations()
        self.groups: dict[str, int | None] = {}
        self._groups()
        self._references()
        self._holders = self._find_holders()

    # --- errors ---

    def warn(self, line: int, text: str) -> None:
        """Note something that is ignored."""
        if (line, text) not in self.warnings:
            self.warnings.append((line, text))

    def error(self, entry: Entry, key: str, reason: str) -> SpecError:
        """Return the error for a key of an entry."""
        return SpecError(reason, self.path, entry.line_of(key))

    def _within(self, entry: Entry, key: str, default: int, low: int, high: int) -> int:
        """Return a number of an entry; raise SpecError if it is out of range."""
        value: int = entry.get(key, default)
        if not low <= value <= high:
            reason = f"{key} must be a number from {low} to {high}, got {value}"
            raise self.error(entry, key, reason)
        return value

    def _new(self, known: Any, entry: Entry, what: str) -> str:
        """Return the name of an entry; raise SpecError if it is empty or known already."""
        name: str = entry["name"]
        if not name or name.isspace():
            raise self.error(entry, "name", f"{what} has an empty name")
        if name in known:
            raise self.error(entry, "name", f"there are two of {what} {name!r}")
        return name

    # --- definitions ---

    def _definitions(self) -> None:
        kinds: dict[str, str] = {}
        for entry in self.top.get("definitions", ()):
            kind = entry["type"]
            name = self._new((), entry, kind)
            if kinds.setdefault(name, kind) != kind or (
                kind != "const" and (name in self.enums or name in self.structs)
            ):
                raise self.error(entry, "name", f"there are two definitions {name!r}")
            if kind == "const":
                if "value" not in entry:
                    raise self.error(entry, "name", f"const {name} lacks the key 'value'")
                self.constants[name] = entry["value"]
                self.constants[entry.get("name-prefix", "") + name] = entry["value"]
            elif kind == "struct":
                if not entry.get("members"):
                    raise self.error(entry, "members", f"struct {name} has no members")
                self.structs[name] = entry
            else:
                self.enums[name] = self._enum(entry, name)

    def _enum(self, entry: Entry, name: str) -> Enum:
        is_flags = entry["type"] == "flags"
        prefix = entry.get("name-prefix")
        has_c_names = prefix is not None or self.is_generic
        if prefix is None:
            prefix = f"{self.name}-{name}-"
        number = entry.get("value-start", 0) - 1
        if "entries" not in entry:
            raise self.error(entry, "name", f"{entry['type']} {name} lacks the key 'entries'")
        values: dict[str, Value] = {}
        for item, line in zip(entry["entries"], entry["entries"].lines, strict=True):
            has_keys = isinstance(item, Entry)
            title = item["name"] if has_keys else item
            number = item.get("value", number + 1) if has_keys else number + 1
            bits = 1 << number if is_flags and 0 <= number < 64 else number
            if not -(1 << 63) <= bits < 1 << 64 or (is_flags and not 0 <= number < 64):
                raise SpecError(f"{name}: {title} = {number} is out of range", self.path, line)
            if title in values:
                raise SpecError(f"{name} has two entries {title!r}", self.path, line)
            own = item.get("name-prefix", prefix) if has_keys else prefix
            full = c_name(own, title) if has_c_names else identifier(title)
            doc = item.get("doc", "") if has_keys else ""
            values[title] = Value(title, number, full, doc)
        shown = c_name(prefix) if has_c_names else ""
        return Enum(name, is_flags, [*values.values()], has_c_names, shown, entry)

    def length(self, entry: Entry, key: str) -> int | None:
        """Return the number under a key, which may name a constant or a limit of an integer.

        Text "X - 1" is one less than X.
        """
        value = entry.get(key)
        if value is None or isinstance(value, int):
            return value
        name, less = re.fullmatch(r"(.*?)( - 1)?", value, re.DOTALL).groups()  # type: ignore[union-attr]
        found: Any = int(name) if name.isascii() and name.isdecimal() else self.constants.get(name)
        limit = re.fullmatch(r"([us])(8|16|32|64)-(min|max)", name)
        if found is None and limit is not None:
            bits = int(limit[2]) - (limit[1] == "s")
            low = -(1 << bits) if limit[1] == "s" else 0
            found = (1 << bits) - 1 if limit[3] == "max" else low
        if not isinstance(found, int):
            raise self.error(entry, key, f"{key}: {name!r} is not a constant with a number")
        return found - 1 if less else found

    # --- attribute sets ---

    def _sets(self) -> None:
        entries: dict[str, Entry] = {}
        for entry in self.top["attribute-sets"]:
            entries[self._new(entries, entry, "attribute set")] = entry
        for name in entries:
            self._set(name, entries, ())

    def _set(self, name: str, entries: dict[str, Entry], below: tuple[str, ...]) -> AttributeSet:
        if name in self.sets:
            return self.sets[name]
        entry = entries[name]
        parent = entry.get("subset-of")
        if parent is None:
            attributes = self._numbered(name, entry)
            prefix = self._prefix(name, entry)
        else:
            if parent not in entries:
                reason = f"there is no attribute set {parent!r}, of which {name} is a subset"
                raise self.error(entry, "subset-of", reason)
            if parent in (*below, name):
                raise self.error(entry, "subset-of", f"{name} is a subset of itself")
            whole = self._set(parent, entries, (*below, name))
            attributes = self._part(name, entry, whole)
            prefix = whole.prefix
        made = AttributeSet(name, parent, prefix, attributes, entry)
        self.sets[name] = made
        return made

    def _prefix(self, name: str, entry: Entry) -> str:
        """Return the C prefix of a set's attributes; of a raw family it may be unknown, or ""."""
        stated = entry.get("name-prefix")
        if stated is not None:
            return str(stated)
        if not self.is_generic:
            return ""
        return f"{self.name}-a-" if name == self.name else f"{self.name}-a-{name}-"

    def _numbered(self, name: str, entry: Entry) -> list[Attribute]:
        """Return attributes with numbers. One without a number follows the one before it."""
        number = 0
        prefix = self._prefix(name, entry)
        by_number: dict[int, Attribute] = {}
        made: list[Attribute] = []
        for item in entry["attributes"]:
            title = self._new((), item, "an attribute")
            if "type" not in item:
                raise self.error(item, "name", f"{name}.{title} lacks the key 'type'")
            number = item.get("value", number + 1)
            if number > NLA_TYPE_MASK:
                reason = f"{name}.{title}: number {number} exceeds {NLA_TYPE_MASK}"
                raise self.error(item, "value", reason)
            own = item.get("name-prefix", prefix)
            attribute = Attribute(title, number, c_name(own, title) if own else "", item)
            same = by_number.setdefault(number, attribute)
            if same is not attribute:
                if same.entry["type"] not in IGNORED and item["type"] not in IGNORED:
                    if (same.name, _nature(same.entry)) != (title, _nature(item)):
                        reason = f"{name}.{title} has the number of {same.name}, {number}"
                        raise self.error(item, "value", reason)
                    continue
                if item["type"] in IGNORED:
                    continue
                by_number[number] = attribute
            made.append(attribute)
        return made

    def _part(self, name: str, entry: Entry, whole: AttributeSet) -> list[Attribute]:
        """Return the attributes of a subset: those of the parent, with the keys that it changes."""
        known = {attribute.name: attribute for attribute in whole.attributes}
        made: dict[str, Attribute] = {}
        for item in entry["attributes"]:
            title = self._new((), item, "an attribute")
            base = known.get(title)
            if base is None:
                reason = f"{name}: the attribute set {whole.name} has no attribute {title!r}"
                raise self.error(item, "name", reason)
            if item.get("value", base.number) != base.number:
                raise self.error(item, "value", f"{name}.{title} has another number in its parent")
            made[title] = base._replace(entry=base.entry.merged(item))
        return [*made.values()]

    # --- sub-messages ---

    def _formats(self) -> None:
        for entry in self.top.get("sub-messages", ()):
            name = self._new(self.formats, entry, "sub-message")
            found = self.formats[name] = {}
            for item in entry["formats"]:
                if item["value"] in found:
                    raise self.error(item, "value", f"{name} has two formats {item['value']!r}")
                found[item["value"]] = item

    # --- operations ---

    def _operations(self) -> None:
        operations = self.top["operations"]
        entries: dict[str, Entry] = {}
        for entry in operations["list"]:
            entries[self._new(entries, entry, "operation")] = entry
        self.is_directional = operations.get("enum-model") == "directional"
        number_them = _directional if self.is_directional else _unified
        numbers = number_them(entries.values())
        default = operations.get("fixed-header")
        usual = f"{self.name}-cmd-" if self.is_generic else ""
        prefix = operations.get("name-prefix", usual)
        self.prefix = c_name(prefix)
        limit = GENL_MAX_COMMAND if self.is_generic else MAX_TYPE
        for entry, request, replies in numbers:
            name = entry["name"]
            if any(number > limit for number in (request or 0, *replies)):
                raise self.error(entry, "value", f"{name}: its number exceeds {limit}")
            source = entry
            if "notify" in entry:
                source = entries.get(entry["notify"])  # type: ignore[assignment]
                if source is None:
                    reason = f"{name}: there is no operation {entry['notify']!r}"
                    raise self.error(entry, "notify", reason)
            kind = _kind_of(entry)
            own = entry.get("attribute-set", source.get("attribute-set"))
            if own is None and kind != "reserved":
                raise self.error(entry, "name", f"{name} lacks the key 'attribute-set'")
            if self.is_mended and (self.name, name) in mistakes.ANSWERS and not replies:
                replies = (request,) if request is not None else ()
            header = entry.get("fixed-header", source.get("fixed-header", default))
            used = operations.get("async-prefix", prefix) if kind in ("notify", "event") else prefix
            self.ops.append(
                Operation(
                    name, kind, request, replies, "do" in entry, "dump" in entry,
                    "reply" in entry.get("do", ()), own, header,
                    c_name(used, name) if used else identifier(name), entry,
                )
            )  # fmt: skip

    # --- groups ---

    def _groups(self) -> None:
        for entry in self.top.get("mcast-groups", {}).get("list", ()):
            name = self._new(self.groups, entry, "multicast group")
            if not self.is_generic and "value" not in entry:
                line = entry.line_of("name")
                self.warn(line, f"multicast group {name} has no number, and is ignored")
            has_number = "value" in entry and not self.is_generic
            self.groups[name] = (
                self._within(entry, "value", 0, 1, MAX_GROUP) if has_number else None
            )

    # --- references ---

    def _references(self) -> None:
        """Raise SpecError for the first name that stands for nothing."""
        for name, struct in self.structs.items():
            for member in struct["members"]:
                self._member(name, member)
        for item in self.sets.values():
            for attribute in item.attributes:
                self._attribute(item, attribute.entry)
        for formats in self.formats.values():
            for choice in formats.values():
                self._named(choice, "attribute-set", self.sets)
                self._named(choice, "fixed-header", self.structs)
        self._named(self.top["operations"], "fixed-header", self.structs)
        for op in self.ops:
            self._named(op.entry, "attribute-set", self.sets)
            self._named(op.entry, "fixed-header", self.structs)
            if "mcgrp" in op.entry and op.entry["mcgrp"] not in self.groups:
                line = op.entry.line_of("mcgrp")
                self.warn(line, f"{op.name}: there is no multicast group {op.entry['mcgrp']!r}")
            self._listed(op)

    def _named(self, entry: Entry, key: str, known: Any) -> None:
        if key in entry and entry[key] not in known:
            what = {"nested-attributes": "attribute-set", "fixed-header": "struct"}.get(key, key)
            reason = f"{key}: there is no {what.replace('-', ' ')} {entry[key]!r}"
            raise self.error(entry, key, reason)

    def _member(self, struct: str, member: Entry) -> None:
        self._named(member, "struct", self.structs)
        self._named(member, "enum", self.enums)
        place = f"{struct}.{member['name']}"
        size = self.length(member, "len")
        if size is not None and not 0 < size <= MAX_BYTES:
            raise self.error(member, "len", f"{place}: {size} is not a length in bytes")
        if member["type"] == "pad" and size is None:
            raise self.error(member, "type", f"{place}: a pad needs the key 'len'")
        if member["type"] in ("binary", "string", "pad"):
            self._not_with(member, place, "enum", "byte-order")

    def _attribute(self, item: AttributeSet, entry: Entry) -> None:
        place = f"{item.name}.{entry['name']}"
        self._named(entry, "nested-attributes", self.sets)
        self._named(entry, "struct", self.structs)
        self._named(entry, "enum", self.enums)
        self._named(entry, "sub-message", self.formats)
        kind = entry["type"]
        if kind in ("indexed-array", "array-nest"):
            kind = entry.get("sub-type", "nest" if kind == "array-nest" else None)
            if kind is None:
                raise self.error(entry, "type", f"{place} lacks the key 'sub-type'")
            if kind in ("indexed-array", "array-nest", "pad", "unused", "unspec", "flag"):
                raise self.error(entry, "sub-type", f"{place}: an array of {kind} is impossible")
        for needed, why in (
            ("nested-attributes", ("nest", "nest-type-value")),
            ("type-value", ("nest-type-value",)),
            ("sub-message", ("sub-message",)),
            ("selector", ("sub-message",)),
        ):
            if kind in why and needed not in entry:
                raise self.error(entry, "type", f"{place} lacks the key {needed!r}")
        is_c_array = entry["type"] == "binary" and "struct" not in entry and "sub-type" in entry
        if is_c_array and entry["sub-type"] not in INTEGERS:
            reason = f"{place}: a C array of {entry['sub-type']} is impossible"
            raise self.error(entry, "sub-type", reason)
        checks = entry.get("checks", {})
        for key in ("min", "max", "min-len", "max-len", "exact-len"):
            bound = self.length(checks, key) if key in checks else None
            if bound is not None and key.endswith("-len") and not 0 <= bound <= MAX_BYTES:
                raise self.error(checks, key, f"{place}: {bound} is not a length in bytes")
        self.length(entry, "len")

    def _not_with(self, entry: Entry, place: str, *keys: str) -> None:
        for key in keys:
            if key in entry and key != "byte-order":  # which specs also have on addresses
                raise self.error(entry, key, f"{place}: {entry['type']} cannot have an {key}")

    def _listed(self, op: Operation) -> None:
        """Note the attributes of an op that neither its set nor its header has."""
        known: set[str] = set()
        if op.set is not None:
            known |= {attribute.name for attribute in self.sets[op.set].attributes}
        if op.header is not None:
            known |= {member["name"] for member in self.structs[op.header]["members"]}
        for part in _parts(op.entry):
            names = part.get("attributes", Items())
            for name, line in zip(names, names.lines, strict=True):
                if name not in known:
                    self.warn(line, f"{op.name}: {op.set} has no attribute {name!r}: ignored")

    def selectors(self, set_name: str, selector: str) -> list[tuple[int, Attribute]]:
        """Return the attributes that a selector in a set may name, nearest first.

        Each has the number of levels of nests that it is above the set. 0 is the set itself. A way
        up ends where an attribute is found.
        """
        found: list[tuple[int, Attribute]] = []
        level = {set_name}
        seen: set[str] = set()
        for depth in range(len(self.sets) + 1):
            above: set[str] = set()
            for name in sorted(level - seen):
                here = [a for a in self.sets[name].attributes if a.name == selector]
                found += [(depth, attribute) for attribute in here]
                above |= set() if here else self._holders.get(name, set())
            seen |= level
            level = above
        return found

    def _find_holders(self) -> dict[str, set[str]]:
        """Return the sets that contain a set, by nests and by sub-messages."""
        holders: dict[str, set[str]] = {}
        for item in self.sets.values():
            for attribute in item.attributes:
                entry = attribute.entry
                inner = {entry.get("nested-attributes")}
                if "sub-message" in entry:
                    formats = self.formats[entry["sub-message"]].values()
                    inner |= {choice.get("attribute-set") for choice in formats}
                for name in filter(None, inner):
                    holders.setdefault(name, set()).add(item.name)
        return holders


def parse(data: bytes, path: str = "<spec>", *, mend: bool = True) -> Spec:
    """Return the Spec in the bytes of a YAML file; `path` is its name in errors.

    `mend` corrects the mistakes of the kernel's specs that mistakes.py lists. Raises SpecError.
    """
    return Spec(read(data, path), path, mend=mend)


def _nature(entry: Entry) -> dict[str, Any]:
    """Return what an attribute is, without its documentation and its number."""
    return {key: value for key, value in entry.items() if key not in ("doc", "value")}


def _kind_of(entry: Entry) -> str:
    if "do" in entry or "dump" in entry:
        return "call"
    return next((kind for kind in ("notify", "event") if kind in entry), "reserved")


def _parts(entry: Entry) -> Iterator[Entry]:
    """Yield the parts of an op that list attributes."""
    for call in ("do", "dump"):
        for part in ("request", "reply"):
            if part in entry.get(call, ()):
                yield entry[call][part]
    if "event" in entry:
        yield entry["event"]


Numbered = Iterator[tuple[Entry, int | None, tuple[int, ...]]]


def _unified(entries: Any) -> Numbered:
    """Yield ops with one number for both directions. Notifications are numbered among them."""
    number = 0
    for entry in entries:
        number = entry.get("value", number + 1)
        has_request = "do" in entry or "dump" in entry
        has_reply = _kind_of(entry) != "reserved"
        yield entry, number if has_request else None, (number,) if has_reply else ()


def _directional(entries: Any) -> Numbered:
    """Yield ops with a number for each direction.

    A request without a reply does not advance the number of replies, and a notification advances
    only that one. An op that has both `do` and `dump` is numbered by `do`.
    """
    request, reply = 1, 1
    for entry in entries:
        kind = _kind_of(entry)
        if kind in ("notify", "event"):
            reply = entry.get("value", reply)
            yield entry, None, (reply,)
            reply += 1
        elif kind == "call":
            call = entry.get("do", entry.get("dump"))
            request = call.get("request", {}).get("value", request)
            answers = "reply" in call
            if answers:
                reply = call["reply"].get("value", reply)
            dumped = entry.get("dump", {}).get("reply", {}).get("value", reply)
            yield entry, request, tuple(dict.fromkeys((reply, dumped))) if answers else ()
            request += 1
            reply += answers
        else:
            request = entry.get("value", request) + 1
            yield entry, None, ()
