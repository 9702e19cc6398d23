"""Python source that declares a family, from a spec: a draft of a family file to maintain by hand.

draft() writes what build() makes, in the style of the families of this library. The text is valid
for ruff (check and format) and mypy as it is. It contains names and numbers of the spec, and none
of its sentences. Padding is left out, and hints for display are too.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable
from enum import Flag
from typing import Any

from netlink import schema
from netlink.constants import NETLINK, prefixes
from netlink.schema import Message
from netlink.ynl.family import Hex, SpecFamily
from netlink.ynl.names import c_name, class_name

__all__ = ["draft"]

WIDTH = 100  # as ruff formats this project
TYPES = {"int", "str", "bytes", "bool", "tuple", "dict"}  # of Python, in annotations


def draft(family: SpecFamily) -> str:
    """Return the source of a module that declares a family."""
    return _Draft(family).text()


# --- source text ----------------------------------------------------------------------------------


class _Call:
    """Something in brackets: a call, a tuple or a dict, with items that are texts or calls."""

    def __init__(self, head: str, items: Iterable[Any], brackets: str = "()") -> None:
        self.head = head
        self.items = [item if isinstance(item, tuple) else ("", item) for item in items]
        self.open, self.close = brackets[0], brackets[1]

    def flat(self) -> str:
        """Return it in one line."""
        inside = ", ".join(key + _flat(item) for key, item in self.items)
        is_single = self.open == "(" and not self.head and len(self.items) == 1
        return f"{self.head}{self.open}{inside}{',' if is_single else ''}{self.close}"

    def lines(self, before: str, after: str, indent: int) -> list[str]:
        """Return it in as few lines as ruff formats it."""
        margin = " " * indent
        whole = f"{margin}{before}{self.flat()}{after}"
        if len(whole) <= WIDTH or not self.items:
            return [whole]
        first = f"{margin}{before}{self.head}{self.open}"
        last = f"{margin}{self.close}{after}"
        inside = f"{margin}    " + ", ".join(key + _flat(item) for key, item in self.items)
        if self.head and len(inside) <= WIDTH:
            return [first, inside, last]
        found = [first]
        for key, item in self.items:
            found += _lines(item, key, ",", indent + 4)
        return [*found, last]


def _flat(item: Any) -> str:
    return item.flat() if isinstance(item, _Call) else str(item)


def _lines(item: Any, before: str, after: str, indent: int) -> list[str]:
    if isinstance(item, _Call):
        return item.lines(before, after, indent)
    return [f"{' ' * indent}{before}{item}{after}"]


def _quoted(text: str) -> str:
    """Return a text as Python source, in double quotes as ruff writes it."""
    single = repr(text)
    if single[0] == '"' or '"' in text:
        return single
    return f'"{single[1:-1]}"'


def _natural(name: str) -> tuple[Any, ...]:
    """Return the order of a name in an import: constants, classes, functions; u8 before u16."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    parts = re.split("([0-9]+)", name)
    return kind, [int(part) if part.isdecimal() else part for part in parts], name


def _import(module: str, names: Iterable[str]) -> list[str]:
    ordered = sorted(set(names), key=_natural)
    if not ordered:
        return []
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in ordered), ")"]


# --- the parts of a module ------------------------------------------------------------------------


class _Draft:
    def __init__(self, family: SpecFamily) -> None:
        self.family = family
        self.spec = family.spec
        self.imported: dict[str, set[str]] = {"netlink.family": {"Family"}}
        self.modules: set[str] = set()
        self.done: set[Any] = set()
        self.open: list[Any] = []
        self.body: list[str] = []
        self.choices: dict[int, tuple[str, Any]] = {}  # by id of the dict: its name and itself
        fields = {name for each in family.message for name in family.message[each].__table__.names}
        self.named: dict[Any, str] = {}
        for each in family.message:
            cls = family.message[each]
            self.named[cls] = class_name(each) if each in fields else each

    def use(self, name: str, module: str = "netlink.schema") -> str:
        self.imported.setdefault(module, set()).add(name)
        return name

    def text(self) -> str:
        family = self.family
        for name in family.message:
            self.message(family.message[name])
        messages, self.body = self.body, []
        enums = {family.types, family.reply_types}
        for cls in sorted(enums, key=lambda each: each.__name__):
            self.enum(cls, f"Commands of {self.spec.name}.")
        for name in family.enum:
            self.enum(family.enum[name], self._enum_doc(family.enum[name]))
        tables = []
        for name, _ in self.choices.values():
            tables.append(f"{name}: dict[Any, Any] = {{}}  # filled below")
            self.use("Any", "typing")
        filled = ["", ""] if tables else []
        for name, table in self.choices.values():
            filled += self._table(name, table)
        declared = [*self.body, *(["", "", *tables] if tables else []), *messages, *filled]
        declared += ["", "", *self._ops(), *self._family()]
        head = [
            f'"""{self.spec.name}: a family that was drafted from a spec of the kernel.',
            "",
            *self._about(),
            '"""',
            "",
            "from __future__ import annotations",
            "",
        ]
        return "\n".join([*head, *self._imports(), *declared]) + "\n"

    def _about(self) -> list[str]:
        header = self.spec.top.get("uapi-header", f"linux/{self.spec.name.replace('-', '_')}.h")
        return [f"Numbers are those of the spec; compare them with {header}."]

    def _imports(self) -> list[str]:
        standard: list[str] = [f"import {name}" for name in sorted(self.modules - {"schema"})]
        standard += _import("typing", self.imported.pop("typing", ()))
        found = [*standard, ""] if standard else []
        if "schema" in self.modules:
            found.append("from netlink import schema")
        for module in sorted(self.imported):
            found += _import(module, self.imported[module])
        return found

    # --- enums ---

    def _enum_doc(self, enum: Any) -> str:
        for one in self.spec.enums.values():
            if {value.c_name for value in one.values} & {*enum.__members__}:
                header = one.entry.get("header")
                return f"{one.name} ({header})." if header else f"{one.name}."
        return "An enum of the kernel."

    def enum(self, enum: Any, doc: str) -> None:
        is_flags = issubclass(enum, Flag)
        base = self.use("KernelFlag" if is_flags else "KernelEnum", "netlink.constants")
        name = enum.__name__
        is_usual = all(member.startswith(f"{name}_") for member in enum.__members__)
        prefix = "" if is_usual else f", prefix={_quoted(prefixes(enum)[0])}"
        self.body += ["", "", f"class {name}({base}{prefix}):", f'    """{doc}"""', ""]
        for member, value in enum.__members__.items():
            is_hex = is_flags or int(value) > 0xFFFF
            number = f"0x{int(value):X}" if is_hex else int(value)
            self.body.append(f"    {member} = {number}")
        if not enum.__members__:
            self.body.pop()

    # --- messages ---

    def message(self, cls: Any) -> None:
        """Write a class after those that it refers to."""
        if cls in self.done or cls in self.open:
            return
        self.open.append(cls)
        base = cls.__mro__[1]
        if base is not Message:
            self.message(base)
        own = [
            field
            for field in cls.__table__.fields
            if base is Message or field not in base.__table__.fields
        ]
        for field in own:
            self._needed(field)
        lines = [line for field in own for line in self._field(field, cls)]
        self.open.pop()
        self.done.add(cls)
        above = self.use("Message") if base is Message else self.named[base]
        self.body += ["", "", f"class {self.named[cls]}({above}):", f'    """{self._doc(cls)}"""']
        self.body += ["", *lines] if lines else []

    def _needed(self, field: Any) -> None:
        element = field
        while element.element is not None:
            element = element.element
        if element.choices is not None:
            self._choices(element)
        elif element.kind_name in ("nest", "struct"):
            self.message(element.message)

    def _doc(self, cls: Any) -> str:
        source = self.spec.sets.get(cls.__place__)
        if source is None:
            return f"struct {cls.__place__.replace('-', '_')}."
        prefix = c_name(source.prefix)
        return f"{source.name}: {prefix}*." if prefix else f"{source.name}."

    def _field(self, field: Any, cls: Any) -> list[str]:
        if field.kind_name == "pad":
            if field.number is not None:
                return []
            return [f"    {field.name} = {self.use('pad')}({field.size})"]
        taken = {one.name for one in cls.__table__.fields}
        hint = self._hint(field, taken)
        word = self._word(field, taken, number=field.number)
        return _lines(word, f"{field.name}: {hint} = ", "", 4)

    def _type(self, name: str, taken: set[str]) -> str:
        """Return a type of Python, which a field of the class may hide."""
        if name in taken and name in TYPES:
            self.modules.add("builtins")
            assert hasattr(builtins, name)
            return f"builtins.{name}"
        return name

    def _hint(self, field: Any, taken: set[str]) -> str:
        kind = field.kind_name
        none = "" if field.number is None else " | None"
        if kind == "address":
            return self.use("Addr")
        if kind in ("nest", "struct"):
            return f"{self.use('Nested')}[{self.named[field.message]}]"
        if kind == "selected":
            return self.use("Any", "typing")
        if kind in ("flag", "byte_flag"):
            return self._type("bool", taken)
        if field.enum is not None and field.enum is not Hex and kind != "bitfield32":
            whole = self._type("int", taken)
            return f"{self.use('Named')}[{field.enum.__name__} | {whole}{none}]"
        if kind in ("array", "repeated", "scalars"):
            if field.element.kind_name in ("nest", "struct"):
                return f"{self.use('Several')}[{self.named[field.element.message]}]"
            return f"{self._type('tuple', taken)}[{self._item(field.element, taken)}, ...]"
        return f"{self._item(field, taken)}{none}"

    def _item(self, field: Any, taken: set[str]) -> str:
        """Return the type of one value."""
        kind = field.kind_name
        match kind:
            case "string" | "mac":
                return self._type("str", taken)
            case "binary":
                return self._type("bytes", taken)
            case "address":
                return self.use("IPAddress")
            case "bitfield32":
                return self.use("Bitfield32")
            case "nest" | "struct":
                return self.named[field.message]
            case "selected":
                return self.use("Any", "typing")
            case "mapping":
                key = self._type("int", taken)
                return f"{self._type('dict', taken)}[{key}, {self._item(field.element, taken)}]"
        whole = self._type("int", taken)
        if field.enum is None or field.enum is Hex:
            return whole
        return f"{field.enum.__name__} | {whole}"

    def _word(self, field: Any, taken: set[str], *, number: int | None) -> Any:
        """Return the word that declares a field or, without a number, an element."""
        kind = "flag" if field.kind_name == "byte_flag" else field.kind_name
        items: list[Any] = [] if number is None else [number]
        if kind in ("nest", "struct"):
            items.append(self._target(field.message))
            if kind == "nest" and number is None:
                return items[0]
        elif kind == "selected":
            items = [number, _quoted("^" * field.climb + field.selector), self._choices(field)]
        elif field.element is not None:
            items.append(self._word(field.element, taken, number=None))
        size = field.size if kind in ("string", "binary", "address", "mac") else 0
        length = field.size // field.element.size if kind == "scalars" and field.size else 0
        enum = None if field.enum in (None, Hex) else field.enum.__name__
        for key, value in (
            ("size", size), ("least", field.least), ("most", field.most), ("enum", enum),
            ("length", length), ("first", field.first),
        ):  # fmt: skip
            if value not in (None, 0):
                items.append((f"{key}=", value))
        if kind in taken:  # the field of that name hides the word
            self.modules.add("schema")
            return _Call(f"schema.{kind}", items)
        assert hasattr(schema, kind)
        return _Call(self.use(kind), items)

    def _target(self, cls: Any) -> str:
        name = self.named[cls]
        return name if cls in self.done else f"lambda: {name}"

    def _choices(self, field: Any) -> str:
        """Return the name of the table of a selector's choices."""
        key = id(field.choices)
        if key not in self.choices:
            names = {name for name, _ in self.choices.values()}
            name = c_name(f"{field.name or 'data'}-by-{field.selector}")
            while name in names:
                name += "_"
            self.choices[key] = (name, field.choices)
        return self.choices[key][0]

    def _table(self, name: str, table: Any) -> list[str]:
        rows = [
            (f"{_quoted(key) if isinstance(key, str) else int(key)}: ", self.named[cls])
            for key, cls in table.items()
        ]
        return _lines(_Call("", rows, "{}"), f"{name} |= ", "", 0)

    # --- ops and the family ---

    def _member(self, enum: Any, number: int) -> str:
        return f"{enum.__name__}.{enum(number).name}"

    def _ops(self) -> list[str]:
        found: list[str] = []
        taken = {*self.named.values(), *schema.__all__, *TYPES, "FAMILY"}
        self.variables: list[str] = []
        for name in self.family.op:
            op = self.family.op[name]
            self.use("Op", "netlink.family")
            variable = f"{name}_" if name in taken else name
            self.variables.append(variable)
            items: list[Any] = [
                _quoted(op.name), self._member(self.family.types, op.type), self.named[op.request]
            ]  # fmt: skip
            if op.answer != "none":
                items.append(("answer=", _quoted(op.answer)))
            is_other = self.family.reply_types is not self.family.types and op.answer != "none"
            if op.reply_type != op.type or is_other:
                number = self._member(self.family.reply_types, op.reply_type)
                items.append(("reply_type=", number))
            if op.ends != "ack":
                items.append(("ends=", _quoted(op.ends)))
            if op.bracket:
                items.append(("bracket=", op.bracket))
            if op.dumps != (op.answer != "none" and "GET" in self.family.types(op.type).name):
                items.append(("dumps=", op.dumps))
            found += _lines(_Call("Op", items), f"{variable} = ", "", 0)
        return found

    def _family(self) -> list[str]:
        family = self.family
        items: list[Any] = [_quoted(family.name)]
        if not family.is_generic:
            known = family.protocol in {int(member) for member in NETLINK}
            protocol: Any = family.protocol
            if known:
                self.use("NETLINK", "netlink.constants")
                protocol = f"NETLINK.{NETLINK(family.protocol).name}"
            items.append(("protocol=", protocol))
        elif family.version != 1:
            items.append(("version=", family.version))
        items.append(("types=", family.types.__name__))
        if family.reply_types is not family.types:
            items.append(("reply_types=", family.reply_types.__name__))
        if self.variables:
            items.append(("ops=", _Call("", self.variables)))
        if family.groups:
            names = [_quoted(name) for name in family.groups]
            pairs = [(f"{_quoted(name)}: ", number) for name, number in family.groups.items()]
            groups = _Call("", names) if family.is_generic else _Call("", pairs, "{}")
            items.append(("groups=", groups))
        messages = [
            (f"{self._member(family.reply_types, number)}: ", self.named[cls])
            for number, cls in family.classes.items()
        ]
        if messages:
            items.append(("messages=", _Call("", messages, "{}")))
        return _lines(_Call("Family", items), "FAMILY = ", "", 0)
