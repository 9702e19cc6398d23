"""The keys that a spec may have, and what stands under each.

This is the union of the kernel's schemas genetlink, genetlink-c, genetlink-legacy and netlink-raw
(Documentation/netlink of the kernel): the same word means the same in all of them. An unknown key
is reported and ignored, because a newer schema may have it. A value of the wrong type is an error.
This file must not resolve names: spec.py does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from netlink.ynl.document import Entry, Items, SpecError

__all__ = ["INTEGERS", "SCALARS", "check"]

INTEGERS = frozenset({"u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64"})
SCALARS = INTEGERS | {"uint", "sint"}


class Map(NamedTuple):
    """A mapping: the rule of each key, and the keys that it must have."""

    keys: dict[str, Any]
    required: tuple[str, ...] = ()


class Each(NamedTuple):
    """A sequence: the rule of its items."""

    rule: Any


class OneOf(NamedTuple):
    """One of some words."""

    words: frozenset[str]


class Either(NamedTuple):
    """A mapping, or text in its place."""

    rule: Map


def _words(text: str) -> OneOf:
    return OneOf(frozenset(text.split()))


TEXT, NUMBER, WHOLE, FLAG = "text", "a number", "a whole number from 0", "true or false"
NAMED = "a number or a name"  # a length or a limit
ANY = ""

ORDER = _words("little-endian big-endian")
# array-nest is the name of indexed-array before Linux 6.10, and unspec that of unused.
OTHERS = _words(
    "unused unspec pad flag binary bitfield32 string nest indexed-array array-nest "
    "nest-type-value sub-message"
)
TYPES = OneOf(SCALARS | OTHERS.words)
DEFINITION = Map(
    {
        "name": TEXT, "type": _words("const enum flags struct"), "doc": TEXT, "header": TEXT,
        "scope": TEXT, "value": NAMED, "value-start": NUMBER, "render-max": FLAG,
        "enum-name": TEXT, "name-prefix": TEXT, "enum-cnt-name": TEXT,
        "entries": Each(
            Either(
                Map(
                    {"name": TEXT, "value": NUMBER, "doc": TEXT, "name-prefix": TEXT},
                    ("name",),
                )
            )
        ),
        "members": Each(
            Map(
                {
                    "name": TEXT, "doc": TEXT, "len": NAMED, "byte-order": ORDER, "enum": TEXT,
                    "enum-as-flags": FLAG, "display-hint": TEXT, "struct": TEXT,
                    "type": OneOf(INTEGERS | {"string", "binary", "pad"}),
                },
                ("name", "type"),
            )
        ),
    },
    ("name", "type"),
)  # fmt: skip
ATTRIBUTE = Map(
    {
        "name": TEXT, "type": TYPES, "doc": TEXT, "value": WHOLE, "type-value": Each(TEXT),
        "byte-order": ORDER, "multi-attr": FLAG, "nested-attributes": TEXT, "enum": TEXT,
        "enum-as-flags": FLAG, "sub-type": TYPES, "display-hint": TEXT, "name-prefix": TEXT,
        "struct": TEXT, "sub-message": TEXT, "selector": TEXT, "len": NAMED,
        "checks": Map(
            {
                "flags-mask": NAMED, "min": NAMED, "max": NAMED, "min-len": NAMED,
                "max-len": NAMED, "exact-len": NAMED, "unterminated-ok": FLAG, "sparse": FLAG,
            }
        ),
    },
    ("name",),
)  # fmt: skip
PART = Map({"attributes": Each(TEXT), "value": WHOLE})
CALL = Map({"request": PART, "reply": PART, "pre": TEXT, "post": TEXT})
OPERATION = Map(
    {
        "name": TEXT, "doc": TEXT, "value": WHOLE, "attribute-set": TEXT, "flags": Each(TEXT),
        "dont-validate": Each(TEXT), "config-cond": TEXT, "fixed-header": TEXT, "do": CALL,
        "dump": CALL, "notify": TEXT, "event": Map({"attributes": Each(TEXT)}), "mcgrp": TEXT,
    },
    ("name",),
)  # fmt: skip
TOP = Map(
    {
        "name": TEXT, "doc": TEXT, "protonum": WHOLE, "version": WHOLE, "uapi-header": TEXT,
        "protocol": _words("genetlink genetlink-c genetlink-legacy netlink-raw"),
        "c-family-name": TEXT, "c-version-name": TEXT, "max-by-define": FLAG,
        "cmd-max-name": TEXT, "cmd-cnt-name": TEXT,
        "kernel-policy": _words("split per-op global"), "kernel-family": ANY,
        "definitions": Each(DEFINITION),
        "attribute-sets": Each(
            Map(
                {
                    "name": TEXT, "doc": TEXT, "name-prefix": TEXT, "enum-name": TEXT,
                    "subset-of": TEXT, "attr-cnt-name": TEXT, "attr-max-name": TEXT,
                    "header": TEXT, "attributes": Each(ATTRIBUTE),
                },
                ("name", "attributes"),
            )
        ),
        "sub-messages": Each(
            Map(
                {
                    "name": TEXT,
                    "formats": Each(
                        Map({"value": NAMED, "fixed-header": TEXT, "attribute-set": TEXT},
                            ("value",))
                    ),
                },
                ("name", "formats"),
            )
        ),
        "operations": Map(
            {
                "enum-model": _words("unified directional"), "name-prefix": TEXT,
                "enum-name": TEXT, "async-prefix": TEXT, "async-enum": TEXT,
                "fixed-header": TEXT, "list": Each(OPERATION),
            },
            ("list",),
        ),
        "mcast-groups": Map(
            {
                "list": Each(
                    Map(
                        {"name": TEXT, "c-define-name": TEXT, "flags": Each(TEXT),
                         "value": WHOLE},
                        ("name",),
                    )
                )
            },
            ("list",),
        ),
    },
    ("name", "attribute-sets", "operations"),
)  # fmt: skip


def check(content: Any, path: str, warn: Callable[[int, str], None]) -> Entry:
    """Return the content of a spec after checking its keys and the types of their values.

    Keys without a value are removed. `warn` is called with the line and the text for each unknown
    key. Raises SpecError for anything else that is wrong.
    """
    if type(content) is not Entry:
        raise SpecError("a spec must be a mapping", path, 1)
    _Checker(path, warn).map(content, TOP, "the spec")
    return content


class _Checker:
    def __init__(self, path: str, warn: Callable[[int, str], None]) -> None:
        self.path = path
        self.warn = warn
        self.seen: set[int] = set()  # entries that were checked: several aliases may share one

    def map(self, entry: Entry, rule: Map, where: str) -> None:
        if id(entry) in self.seen:
            return
        self.seen.add(id(entry))
        empty = []
        for key, value in entry.items():
            wanted = rule.keys.get(key)
            if wanted is TEXT and type(value) is str:
                continue
            if value is None:
                empty.append(key)
            elif wanted is None:
                self.warn(entry.lines[key], f"{where}: the key {key!r} is unknown and ignored")
            elif wanted is not ANY:
                self.value(value, wanted, f"{where}: {key}", entry.lines[key])
        for key in empty:
            del entry[key]
        for key in rule.required:
            if key not in entry:
                raise SpecError(f"{where} lacks the key {key!r}", self.path, entry.line)

    def value(self, value: Any, rule: Any, where: str, line: int) -> None:
        if type(rule) is Map:
            if type(value) is not Entry:
                raise SpecError(f"{where}: expected a mapping, got {value!r}", self.path, line)
            self.map(value, rule, where)
        elif type(rule) is Each:
            if type(value) is not Items:
                raise SpecError(f"{where}: expected a list, got {value!r}", self.path, line)
            for item, at in zip(value, value.lines, strict=True):
                name = f" {item['name']}" if type(item) is Entry and "name" in item else ""
                self.value(item, rule.rule, where + name, at)
        elif type(rule) is Either:
            if type(value) is not str:
                self.value(value, rule.rule, where, line)
        elif type(rule) is OneOf:
            if type(value) is not str or value not in rule.words:
                words = ", ".join(sorted(rule.words))
                raise SpecError(f"{where}: {value!r} is not one of {words}", self.path, line)
        elif not TESTS[rule](value):
            raise SpecError(f"{where}: expected {rule}, got {value!r}", self.path, line)


TESTS: dict[str, Callable[[Any], bool]] = {
    TEXT: lambda value: type(value) is str,
    NUMBER: lambda value: type(value) is int,
    WHOLE: lambda value: type(value) is int and value >= 0,
    FLAG: lambda value: type(value) is bool,
    NAMED: lambda value: type(value) in (int, str),
}
