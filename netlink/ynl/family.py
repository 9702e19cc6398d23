"""Message classes, enums, ops and a family from a Spec.

build() makes what a hand-written family file declares, by the same words of netlink.schema. Every
class is made when the spec is loaded; only nests refer to each other lazily, because sets may
contain themselves. This file must not read YAML.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from types import new_class
from typing import Any, Generic, TypeVar

from netlink import schema
from netlink.constants import NETLINK, NLM_F, KernelEnum, KernelFlag, KernelNumber
from netlink.errors import EncodeError
from netlink.family import Family, Op, _Doc
from netlink.schema import Field, Message, MessageClass
from netlink.ynl.document import Entry
from netlink.ynl.grammar import INTEGERS, SCALARS
from netlink.ynl.mistakes import ANSWERS, ARRAYS, FIRST
from netlink.ynl.names import class_name, field_name, identifier, struct_name
from netlink.ynl.spec import IGNORED, MAX_BYTES, Attribute, Enum, Operation, Spec

__all__ = ["Hex", "Names", "SpecFamily", "SpecOp", "build"]

T = TypeVar("T")

NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END = 0x10, 0x11  # linux/netfilter/nfnetlink.h


class Hex(KernelNumber):
    """A number that a spec shows in hexadecimal: it prints as "0x10", and text is accepted."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{int(self):#x}"

    @classmethod
    def from_text(cls, text: str) -> Hex:
        """Return the number of a text such as "0x10" or "16"."""
        try:
            return cls(int(text, 0))
        except ValueError:
            raise EncodeError(f"{text!r} is not a number such as 0x10", value=text) from None


class Names(Generic[T]):
    """Things by name, as attributes and as items: `family.op.features_get`.

    An item is also found by the kernel's spelling: `family.op["features-get"]`. Iterating yields
    the names. There are no methods, because an op may have any name. Raises AttributeError or
    KeyError that gives the nearest name, or all names.
    """

    __slots__ = ("__things", "__what")

    def __init__(self, what: str, things: dict[str, T]) -> None:
        self.__what = what
        self.__things = things

    def __getattr__(self, name: str) -> T:
        if name.startswith("__") or name not in self.__things:
            raise AttributeError(_unknown(self.__what, name, self.__things))
        return self.__things[name]

    def __getitem__(self, name: str) -> T:
        for spelling in (name, identifier(name), f"{identifier(name)}_"):
            if spelling in self.__things:
                return self.__things[spelling]
        raise KeyError(_unknown(self.__what, name, self.__things))

    def __contains__(self, name: object) -> bool:
        return name in self.__things

    def __iter__(self) -> Iterator[str]:
        return iter(self.__things)

    def __len__(self) -> int:
        return len(self.__things)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.__things]

    def __repr__(self) -> str:
        return f"<{self.__what}: {', '.join(self)}>"


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    from netlink.registry import near

    return f"there is no {name!r} among the {what}{near(name, known)}"


class _SpecDoc(_Doc):
    """The docstring of an op: what the spec says about it comes after what it does."""

    def __get__(self, instance: Any, owner: Any = None) -> str | None:
        text = super().__get__(instance, owner)
        return text if instance is None or not instance.doc else f"{text}\n\n{instance.doc}"


class SpecOp(Op[..., Any, Any]):
    """An op of a spec. `spec_name` is its name there, and `doc` what the spec says about it."""

    __slots__ = ("doc", "spec_name")

    spec_name: str
    doc: str

    def using(self, flags: NLM_F) -> SpecOp:
        """Return the same op with more flags: `op.newlink.using(NLM_F.NLM_F_CREATE)`.

        A spec does not say which flags a request of a raw family needs.
        """
        make: Any = SpecOp
        made: SpecOp = make(
            self.name,
            self.type,
            self.request,
            answer=self.answer,
            reply=self.reply,
            dump=self.dump,
            reply_type=self.reply_type,
            ends=self.ends,
            flags=NLM_F(self.flags) | flags,
            bracket=self.bracket,
            dumps=self.dumps,
        )
        made.family = self.family
        made.spec_name = self.spec_name
        made.doc = self.doc
        return made


SpecOp.__doc__ = _SpecDoc(SpecOp.__doc__)  # type: ignore[assignment]


class SpecFamily(Family):
    """A family that was loaded from a spec.

    `op`, `message` and `enum` are its ops, message classes and enums by name. Structs are among the
    message classes. `spec` is the spec. Everything else is as in Family.
    """

    op: Names[SpecOp]
    message: Names[MessageClass]
    enum: Names[type[KernelEnum] | type[KernelFlag]]
    spec: Spec


def build(spec: Spec) -> SpecFamily:
    """Return the family that a spec describes. Raises SpecError where it contradicts itself."""
    return _Builder(spec).family()


Key = tuple[str | None, str | None]  # an attribute set and the struct before it


class _Builder:
    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.module = f"ynl.{identifier(spec.name)}"
        self.enums: dict[tuple[str, bool], Any] = {}
        self.messages: dict[Key, MessageClass] = {}
        self.classes: dict[str, MessageClass] = {}  # by name of the class
        self.making: list[str] = []  # structs that are being made
        self.waiting: list[str] = []  # sets of nests whose classes must be made
        self.choices: list[tuple[dict[Any, Any], str, Attribute]] = []  # to be filled
        self.names: dict[str, str] = {}  # of the class that is being made: its fields

    def family(self) -> SpecFamily:
        spec = self.spec
        calls = [op for op in spec.ops if op.kind == "call"]
        received: dict[int, MessageClass] = {}
        requests: dict[int, MessageClass] = {}
        for op in spec.ops:
            if op.kind == "reserved":
                continue
            cls = self.message((op.set, op.header))
            if op.request is not None:
                self._give(requests, op.request, cls, op)
            for number in op.replies:
                self._give(received, number, cls, op)
        self._finish()
        self._rest()
        asked, answered = self._types()
        made = SpecFamily(
            spec.name,
            protocol=NETLINK.NETLINK_GENERIC if spec.is_generic else spec.protonum,
            types=asked,
            reply_types=answered,
            groups=[*spec.groups] if spec.is_generic else self._groups(),
            messages=received,
            requests=requests,
            version=spec.version,
        )
        made.spec = spec
        ops: dict[str, SpecOp] = {}
        for op in calls:
            one = self._op(op, asked, answered)
            ops[field_name(op.name, ops)] = one
        made.add(*ops.values(), messages=received, requests=requests)
        made.op = Names("ops", ops)
        made.message = Names("message classes", self.classes)
        made.enum = Names("enums", {enum.__name__: enum for enum in self.enums.values()})
        return made

    def _give(
        self, table: dict[int, MessageClass], number: int, cls: MessageClass, op: Operation
    ) -> None:
        if table.setdefault(number, cls) is not cls:
            reason = f"{op.name}: number {number} means {table[number].__name__} already"
            raise self.spec.error(op.entry, "name", reason)

    def _groups(self) -> dict[str, int]:
        return {name: number for name, number in self.spec.groups.items() if number is not None}

    # --- ops ---

    def _types(self) -> tuple[type[KernelEnum], type[KernelEnum]]:
        """Return the enums of the numbers that are sent and received."""
        spec = self.spec
        is_one = not spec.is_generic or not spec.is_directional
        asked: dict[int, str] = {}
        answered = asked if is_one else {}
        for op in spec.ops:
            if op.request is not None:
                _name(asked, op.request, op.c_name)
        for op in spec.ops:
            for number in op.replies:
                name = op.c_name
                if op.kind == "call" and spec.is_directional:
                    name += "_REPLY" if name.isupper() else "_reply"
                # A raw family has one enum of types: RTM_NEWLINK answers RTM_GETLINK.
                _name(answered, number, name)
        title = identifier(spec.name).upper()
        if is_one:
            made = self._enum(f"{title}_CMD", asked)
            return made, made
        return self._enum(f"{title}_REQUEST", asked), self._enum(f"{title}_REPLY", answered)

    def _enum(self, title: str, members: dict[int, str]) -> Any:
        pairs = [(name, number) for number, name in members.items()]
        return self._python_enum(KernelEnum, title, pairs, self.spec.prefix, "")

    def _op(self, op: Operation, asked: Any, answered: Any) -> SpecOp:
        assert op.request is not None
        cls = self.message((op.set, op.header))
        usual = ("one" if op.answers else "none", "ack")
        answer, ends = usual
        if self.spec.is_mended and op.replies:
            answer, ends = ANSWERS.get((self.spec.name, op.name), usual)
        bracket = 0
        if self.spec.protonum == NETLINK.NETLINK_NETFILTER and not self.spec.is_generic:
            bracket = {NFNL_MSG_BATCH_BEGIN: 1, NFNL_MSG_BATCH_END: -1}.get(op.request, 0)
        make: Any = SpecOp
        made: SpecOp = make(
            f"{self.spec.name}.{identifier(op.name)}",
            asked(op.request),
            cls,
            answer="none" if bracket else answer,
            reply_type=answered(op.replies[0]) if op.replies else None,
            ends=ends,
            bracket=bracket,
            dumps=op.has_dump,
        )
        made.spec_name = op.name
        made.doc = op.entry.get("doc", "").strip()
        return made

    # --- enums ---

    def enum(self, name: str, *, as_flags: bool) -> Any:
        """Return the class of an enum or of flags. An enum may be used as flags too."""
        source = self.spec.enums[name]
        key = (name, source.is_flags or as_flags)
        found = self.enums.get(key)
        if found is None:
            found = self.enums[key] = self._new_enum(source, is_flags=key[1])
        return found

    def _new_enum(self, source: Enum, *, is_flags: bool) -> Any:
        title = identifier(source.prefix.rstrip("_")) if source.has_c_names else ""
        title = title if title.strip("_n") else identifier(source.name).upper()
        if is_flags and not source.is_flags:
            title += "_FLAGS"
        taken = {enum.__name__ for enum in self.enums.values()}
        while title in taken:
            title += "_"
        members = []
        for value in source.values:
            number = value.number
            if is_flags:
                if not 0 <= number < 64:
                    raise ValueError(f"{source.name}: {value.name} = {number} cannot be a flag")
                number = 1 << number
            members.append((value.c_name, number))
        base = KernelFlag if is_flags else KernelEnum
        doc = source.entry.get("doc", "").strip()
        # Names that begin with a digit have an "n" in front, which may be left out.
        is_numeric = all(value.name[:1].isdigit() for value in source.values)
        prefix = source.prefix or ("n" if is_numeric else "")
        made = self._python_enum(base, title, members, prefix, doc)
        made.__spelled__ = {
            number: value.name for (_, number), value in zip(members, source.values, strict=True)
        }
        return made

    def _python_enum(
        self, base: Any, title: str, members: list[tuple[str, int]], prefix: str, doc: str
    ) -> Any:
        def fill(namespace: dict[str, Any]) -> None:
            namespace["__doc__"] = doc or f"{title}: from a spec."
            namespace["__module__"] = self.module
            taken = set()
            for name, number in members:
                name = name if name[0] != "_" else f"n{name}"
                while name in taken or hasattr(base, name) or name in ("name", "value"):
                    name += "_"
                taken.add(name)
                namespace[name] = number

        return new_class(title, (base,), {"prefix": prefix}, fill)

    # --- message classes ---

    def _name(self, wanted: str, *others: str) -> str:
        for name in (wanted, *others):
            if name not in self.classes:
                return name
        name = others[-1] if others else wanted
        while name in self.classes:
            name += "_"
        return name

    def message(self, key: Key) -> MessageClass:
        """Return the class of an attribute set after a fixed header, either of which may lack."""
        found = self.messages.get(key)
        if found is not None:
            return found
        name, header = key
        if name is None:
            if header is not None:
                return self.struct(header)
            title, doc, attributes = "Empty", "A message without content.", []
            title = self._name(title)
        else:
            source = self.spec.sets[name]
            attributes = source.attributes
            doc = source.entry.get("doc", "")
            plain = class_name(name)
            title = self._name(plain, plain + (class_name(header) if header else "Nest"))
        base = self.struct(header) if header is not None else Message
        if header is not None and base.__table__.is_open:
            entry = self.spec.structs[header]
            raise self.spec.error(entry, "name", f"{header} has no fixed size: no header")
        made = self._class(title, base, attributes, doc, base.__table__.names, name)
        self.messages[key] = made
        return made

    def struct(self, name: str) -> MessageClass:
        """Return the class of a struct, with the layout of C."""
        key = (None, name)
        found = self.messages.get(key)
        if found is not None:
            return found
        entry = self.spec.structs[name]
        if name in self.making:
            raise self.spec.error(entry, "name", f"struct {name} contains itself")
        self.making.append(name)
        members = [Attribute(m["name"], None, "", m) for m in entry["members"]]
        title = self._name(struct_name(name))
        made = self._class(title, Message, members, entry.get("doc", ""), (), name)
        self.making.pop()
        if made.__table__.total > MAX_BYTES:
            raise self.spec.error(entry, "name", f"struct {name} exceeds {MAX_BYTES} bytes")
        self.messages[key] = made
        return made

    def _class(
        self,
        title: str,
        base: MessageClass,
        attributes: list[Attribute],
        doc: str,
        above: Any,
        place: str | None,
    ) -> MessageClass:
        """Make a message class. `above` are the names of header members, which keep theirs."""
        used = [one for one in attributes if one.entry["type"] not in IGNORED]
        names: dict[str, str] = {}
        for one in used:
            if one.entry["type"] != "pad" and one.name not in names:
                names[one.name] = field_name(one.name, {*names.values(), *above})
        self.names = names
        is_struct = bool(used) and used[0].number is None
        fields: dict[str, Any] = {}
        spelled: dict[str, Entry] = {}
        for one in used:
            entry = one.entry
            name = f"_pad{len(fields)}"
            if entry["type"] != "pad":
                name = names[one.name] if names[one.name] not in fields else ""
                name = name or field_name(one.name, {*names.values(), *above})
                spelled[name] = entry
            try:
                if is_struct:
                    fields[name] = self._member(entry, is_last=one is used[-1])
                else:
                    fields[name] = self._attribute(one, place or "")
            except ValueError as error:
                if type(error) is not ValueError:
                    raise
                key = "len" if "len" in entry else "type"
                raise self.spec.error(entry, key, f"{one.name}: {error}") from None
            self.names = names  # a struct that a member needed had its own
        if not fields and place is not None:
            # A class without attributes would be a struct, not a nest with attributes to come.
            fields["_none"] = Field("pad", 0)

        def fill(namespace: dict[str, Any]) -> None:
            about = f"{place or title}: from the spec {self.spec.name}."
            namespace["__doc__"] = doc.strip() or about
            namespace["__module__"] = self.module
            namespace["__annotations__"] = {
                name: _hint(field) for name, field in fields.items() if name[0] != "_"
            }
            namespace["__place__"] = place or title
            namespace["__spelled__"] = whole = {**getattr(base, "__spelled__", {}), **spelled}
            namespace["__keys__"] = _keys(whole)
            namespace.update(fields)

        try:
            made: MessageClass = new_class(title, (base,), {}, fill)
        except TypeError as error:
            where = self.spec.structs if is_struct else self.spec.sets
            found: Any = where.get(place or "", self.spec.top)
            entry = found if isinstance(found, Entry) else found.entry
            raise self.spec.error(entry, "name", f"{place}: {error}") from None
        self.classes[title] = made
        return made

    # --- fields ---

    def _member(self, entry: Entry, *, is_last: bool) -> Any:
        """Return the field of a member of a struct."""
        kind = entry["type"]
        size = self.spec.length(entry, "len") or 0
        if kind == "pad":
            return schema.pad(size)
        if kind in INTEGERS:
            return self._integer(entry, kind, None)
        if "struct" in entry:
            inner = self.struct(entry["struct"])
            if not size:
                place = (self.spec.name, self.making[-1], entry["name"])
                is_array = self.spec.is_mended and place in ARRAYS
                return schema.scalars(schema.struct(inner)) if is_array else schema.struct(inner)
            if size % inner.__table__.total:
                raise ValueError(f"{size} bytes are not a whole number of {entry['struct']}")
            return schema.scalars(schema.struct(inner), length=size // inner.__table__.total)
        if not size and not is_last:
            raise ValueError("only the last member can lack the key 'len'")
        if kind == "string":
            return schema.string(size=size)
        return self._bytes(entry, None, size)

    def _attribute(self, attribute: Attribute, place: str) -> Any:
        """Return the field of an attribute."""
        entry = attribute.entry
        if entry["type"] == "pad":
            return Field("pad", attribute.number)
        if entry.get("multi-attr"):
            return schema.repeated(attribute.number or 0, self._value(attribute, place, None))
        return self._value(attribute, place, attribute.number)

    def _value(self, attribute: Attribute, place: str, number: int | None) -> Any:
        """Return the field of one value; without a number, of an element."""
        entry = attribute.entry
        kind = entry["type"]
        if "type-value" in entry:
            element = (
                self._nest(entry, None)
                if kind in ("nest", "nest-type-value")
                else self._plain(attribute, place, kind, None)
            )
            for _ in entry["type-value"][1:]:
                element = schema.mapping(element)
            if number is None:
                return schema.mapping(element)
            return schema.mapping(number, element)
        if kind in ("indexed-array", "array-nest"):
            sub = entry.get("sub-type", "nest")
            element = (
                self._nest(entry, None)
                if sub == "nest"
                else self._plain(attribute, place, sub, None)
            )
            place_of = (self.spec.name, entry.get("nested-attributes", ""))
            first = FIRST.get(place_of, 0) if self.spec.is_mended else 0
            return Field("array", number, element=element, first=first)
        if kind == "nest":
            return self._nest(entry, number)
        return self._plain(attribute, place, kind, number)

    def _nest(self, entry: Entry, number: int | None) -> Any:
        name = entry["nested-attributes"]
        self.waiting.append(name)
        return Field("nest", number, target=lambda: self.message((name, None)))

    def _plain(self, attribute: Attribute, place: str, kind: str, number: int | None) -> Any:
        entry = attribute.entry
        if kind in SCALARS:
            return self._integer(entry, kind, number)
        match kind:
            case "flag":
                return schema.byte_flag(number)
            case "bitfield32":
                enum = self.enum(entry["enum"], as_flags=True) if "enum" in entry else None
                return schema.bitfield32(number, enum=enum)
            case "string":
                checks = entry.get("checks", Entry(0))
                most = self._most(entry)
                return schema.string(number, size=most + 1 if most else 0,
                                     least=self.spec.length(checks, "min-len"))  # fmt: skip
            case "binary":
                return self._binary(entry, number)
            case "sub-message":
                return self._sub_message(entry, place, number)
        raise ValueError(f"a value of type {kind} is impossible here")

    def _most(self, entry: Entry) -> int:
        """Return the longest length that an attribute may have, or 0."""
        checks = entry.get("checks", Entry(0))
        for where, key in ((checks, "exact-len"), (checks, "max-len"), (entry, "len")):
            found = self.spec.length(where, key)
            if found is not None:
                return found
        return 0

    def _least(self, entry: Entry) -> int | None:
        """Return the shortest length that an attribute may have, or None."""
        checks = entry.get("checks", Entry(0))
        exact = self.spec.length(checks, "exact-len")
        return self.spec.length(checks, "min-len") if exact is None else exact

    def _binary(self, entry: Entry, number: int | None) -> Any:
        if "struct" in entry:
            return Field("struct", number, target=self.struct(entry["struct"]))
        if entry["type"] == "binary" and "sub-type" in entry:
            element = self._integer(entry, entry["sub-type"], None)
            return Field("scalars", number, element=element, size=self._most(entry))
        return self._bytes(entry, number, self._most(entry))

    def _bytes(self, entry: Entry, number: int | None, size: int) -> Any:
        """Return the field of bytes that may be an address, by their hint."""
        least = self._least(entry)
        match entry.get("display-hint"):
            case "mac" | "fddi":
                return schema.mac(number, size=size, least=None if number is None else least)
            case "ipv4" | "ipv4-or-v6" if number is not None or size in (0, 4, 16):
                width = size if size in (4, 16) else 4 if least == size == 4 else 0
                return schema.address(number, size=width)
            case "ipv6" if size in (0, 16) and (least or 16) <= 16:
                return schema.address(number, size=16)
        if number is None and size:
            return schema.binary(size=size)
        return schema.binary(number, size=size, least=least)

    def _integer(self, entry: Entry, kind: str, number: int | None) -> Any:
        is_big = self._is_big(entry, kind)
        hint = entry.get("display-hint")
        if kind == "u32" and hint == "ipv4":
            return schema.address(number, size=4)  # in network order, whatever the spec says
        enum: Any = None
        if "enum" in entry:
            enum = self.enum(entry["enum"], as_flags=entry.get("enum-as-flags", False))
        elif hint == "hex":
            enum = Hex
        if is_big:
            kind = f"sbe{kind[1:]}" if kind[0] == "s" else f"be{kind[1:]}"
        word: Callable[..., Any] = getattr(schema, kind)
        checks = entry.get("checks", Entry(0))
        least = self.spec.length(checks, "min")
        most = self.spec.length(checks, "max")
        return word(number, enum=enum, least=least, most=most)

    def _is_big(self, entry: Entry, kind: str) -> bool:
        order = entry.get("byte-order", f"{sys.byteorder}-endian")
        if kind in ("u8", "s8"):
            return False
        if order == f"{sys.byteorder}-endian" and sys.byteorder == "little":
            return False
        if order == "little-endian":
            raise ValueError("little-endian integers are not supported on a big-endian machine")
        if "byte-order" not in entry:
            return False
        if kind in ("uint", "sint"):
            raise ValueError(f"a {kind} in big-endian order is not supported")
        return True

    # --- sub-messages ---

    def _sub_message(self, entry: Entry, place: str, number: int | None) -> Any:
        spec = self.spec
        selector = entry["selector"]
        found = spec.selectors(place, selector)
        if not found:
            reason = f"{place}.{entry['name']}: there is no attribute {selector!r} to select by"
            raise spec.error(entry, "selector", reason)
        depth, chosen = found[0]
        if any(level != depth for level, _ in found):
            line = entry.line_of("selector")
            spec.warn(line, f"{place}.{entry['name']}: {selector} is at several levels above")
        choices: dict[Any, Any] = {}
        self.choices.append((choices, entry["sub-message"], chosen))
        name = self.names.get(selector, "") if depth == 0 else field_name(selector)
        return Field("selected", number, selector="^" * depth + name, choices=choices)

    def _finish(self) -> None:
        """Make the classes of nests and of sub-messages, which may need more of both."""
        while self.waiting or self.choices:
            while self.waiting:
                self.message((self.waiting.pop(0), None))
            if self.choices:
                choices, name, chosen = self.choices.pop(0)
                for value, item in self.spec.formats[name].items():
                    key = self._key(value, chosen, item)
                    choices[key] = self.message(
                        (item.get("attribute-set"), item.get("fixed-header"))
                    )

    def _rest(self) -> None:
        """Make the classes of what no op refers to, such as attributes of undeclared events."""
        done = {name for name, _ in self.messages}
        for name in self.spec.sets:
            if name not in done:
                self.message((name, None))
        self._finish()
        for name in self.spec.structs:
            self.struct(name)
        done = {name for name, _ in self.enums}
        for name in self.spec.enums:
            if name not in done:
                self.enum(name, as_flags=False)

    def _key(self, value: str | int, chosen: Attribute, item: Entry) -> Any:
        """Return the value of the selector that stands for a format."""
        if chosen.entry["type"] == "string":
            return str(value)
        if isinstance(value, str) and "enum" in chosen.entry:
            enum = self.spec.enums[chosen.entry["enum"]]
            for one in enum.values:
                if one.name == value:
                    is_flags = enum.is_flags or chosen.entry.get("enum-as-flags")
                    return 1 << one.number if is_flags else one.number
            raise self.spec.error(item, "value", f"{enum.name} has no entry {value!r}")
        try:
            return int(str(value), 0)
        except ValueError:
            reason = f"{chosen.name} is a number, but the format is {value!r}"
            raise self.spec.error(item, "value", reason) from None


def _name(names: dict[int, str], number: int, name: str) -> None:
    """Give a number a name that no other number has. The first name of a number counts."""
    if number not in names:
        while name in names.values():
            name += "_"
        names[number] = name


def _keys(entries: dict[str, Entry]) -> dict[str, str]:
    """Return the spec's name of each field of a class.

    If a header member and an attribute have the same name, the attribute gets "_" at its end.
    """
    keys: dict[str, str] = {}
    taken: set[str] = set()
    for name, entry in entries.items():
        key = entry["name"]
        keys[name] = key = f"{key}_" if key in taken else key
        taken.add(key)
    return keys


# --- annotations ----------------------------------------------------------------------------------

HINTS: dict[str, Any] = {
    "flag": bool, "byte_flag": bool, "string": str | None, "binary": bytes | None,
    "address": schema.Addr, "mac": str | None, "selected": Any,
    "bitfield32": schema.Bitfield32 | None, "scalars": tuple[Any, ...], "array": tuple[Any, ...],
    "repeated": tuple[Any, ...], "mapping": dict[int, Any] | None, "nest": Message | None,
    "struct": Message | None,
}  # fmt: skip
INTEGER = int | None


def _hint(field: Any) -> Any:
    """Return the annotation of a field: the type that a reader gets."""
    found = HINTS.get(field.kind_name)
    if found is not None:
        return found
    return INTEGER if field.enum is None else schema.Named[field.enum | int | None]
