"""Message, and the declaration words: one function for each kind.

A message class declares its fixed header and its attributes once. The metaclass compiles them into
a Table of the core. All code that reads, writes or prints messages uses that table. A class
inherits its header (`class Link(ifinfomsg)`), so that type checkers know the members. This file
must not know families or sockets; netlink/family.py combines messages into families.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Flag, IntEnum
from functools import reduce
from importlib import import_module
from ipaddress import IPv4Address, IPv6Address
from itertools import starmap
from operator import or_
from struct import pack
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
)

from netlink import render
from netlink._core import MAX_DEPTH, Bitfield32, Field, Table, View, iter_attributes
from netlink.constants import NLA_TYPE_MASK, KernelNumber

if TYPE_CHECKING:
    import inspect

__all__ = [
    "Addr", "AddrOrLabels", "Bitfield32", "Field", "IPAddress", "Lazy", "LinkAddr", "MAX_DEPTH",
    "Message", "MessageClass", "Named", "Nested", "Several", "address", "array", "be16", "be32",
    "be64", "binary", "bitfield32", "byte_flag", "flag", "labels", "lladdr", "mac", "mapping",
    "merge", "nest", "pad", "pairs", "records", "repeated", "s8", "s16", "s32", "s64", "sbe16",
    "sbe32", "sbe64", "scalars", "selected", "sint", "string", "struct", "u8", "u16", "u32", "u64",
    "uint",
]  # fmt: skip

IPAddress = IPv4Address | IPv6Address

E = TypeVar("E")
M = TypeVar("M", bound="Message")
MessageClass = type["Message"]
Target = MessageClass | Callable[[], MessageClass]


class SignatureOf:
    """The descriptor `__signature__`, for inspect.signature(), help() and completion.

    A message class and its ops are called with the fields of the message. `of` returns the class
    for the object that is called.
    """

    def __init__(self, of: Callable[[Any], type] = lambda cls: cls) -> None:
        self.of = of

    def __get__(self, instance: Any, owner: Any = None) -> inspect.Signature:
        import inspect  # slow to import, and rarely needed

        if instance is None:  # Op itself, or the metaclass: inspect finds their own signature
            raise AttributeError("__signature__")
        cls: Any = self.of(instance)
        hints: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            hints |= _hints(base)
        return inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=0 if field.number is None and not field.element else field.missing,
                    annotation=_accepted(hints.get(name, inspect.Parameter.empty)),
                )
                for name, field in cls.__table__.names.items()
            ]
        )


class _Names(dict[str, Any]):
    """The names in annotations, also those that a module imports when it is asked for them."""

    module: Any

    def __missing__(self, name: str) -> Any:
        try:
            return getattr(self.module, name)
        except AttributeError:
            raise KeyError(name) from None


def _hints(cls: type) -> dict[str, Any]:
    """Return the annotations of a class itself, as types if all names can be resolved."""
    import inspect  # slow to import, and rarely needed

    names = _Names()
    names.module = sys.modules.get(cls.__module__)
    try:
        return inspect.get_annotations(cls, locals=names, eval_str=True)
    except NameError:  # a name that is imported for type checkers only
        return inspect.get_annotations(cls)


def _accepted(hint: Any) -> Any:
    """Return the type of a constructor argument, from the `__set__` method of an annotation."""
    if hint is Addr:
        return IPAddress | str | bytes | None
    if hint is LinkAddr:
        return str | IPAddress | bytes | None
    if hint is AddrOrLabels:
        return IPAddress | tuple[int, ...] | str | bytes | None
    several: Any = Iterable
    for message in get_args(hint):
        if get_origin(hint) is Nested:
            return message | dict[str, Any] | None
        if get_origin(hint) is Several:
            return several[message | dict[str, Any]]
        if get_origin(hint) is Named:
            parts = get_args(message) or (message,)
            is_flags = any(isinstance(part, type) and issubclass(part, Flag) for part in parts)
            names = (int, str, several[int | str]) if is_flags else (int, str)
            none = [part for part in parts if part is NoneType]
            return reduce(or_, [*(part for part in parts if part not in none), *names, *none])
    return hint


# This names no field specifiers, so a type checker sees each word as a default value and allows
# every constructor argument to be omitted. The words return Any; the annotation is the real type.
@dataclass_transform(kw_only_default=True, eq_default=False)
class MessageType(type):
    """The metaclass of messages: compiles the declared fields into `__table__`."""

    __table__: Table
    __signature__ = SignatureOf()

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        bare: MessageClass | None = None,
    ) -> MessageType:
        namespace.setdefault("__slots__", ())  # no __dict__: an instance is its bytes
        own = [value for value in namespace.values() if isinstance(value, Field)]
        for field in own:
            field_name = next(key for key, value in namespace.items() if value is field)
            if hasattr(View, field_name) or field_name in MESSAGE_WORDS:
                raise TypeError(f"{name}.{field_name} would hide Message.{field_name}")
        cls = super().__new__(mcls, name, bases, namespace)
        for key, field in namespace.items():
            if isinstance(field, Field) and field.name != key:
                raise TypeError(f"{name}.{key} is already the field {field.name}: declare another")
        base = _base_table(cls)
        cls.__table__ = Table(cls, base, own, bare.__table__ if bare is not None else None)
        return cls

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **_: Any):
        super().__init__(name, bases, namespace)


def _base_table(cls: type) -> Table | None:
    """Return the table that a class extends. It has one: two layouts cannot be combined."""
    chosen = None
    for base in cls.__mro__[1:]:
        if not isinstance(base, MessageType):
            for key, value in vars(base).items():
                if isinstance(value, Field):
                    raise TypeError(
                        f"{cls.__name__} inherits the field {key} from {base.__name__},"
                        " which is not a message class"
                    )
        elif chosen is None or not chosen.fields:
            chosen = base.__table__
        elif not set(base.__table__.fields) <= set(chosen.fields) and not issubclass(
            chosen.cls, base
        ):
            raise TypeError(
                f"{cls.__name__} inherits fields from {chosen.cls.__name__} and from "
                f"{base.__name__}: only one base class may have fields"
            )
    return chosen


MESSAGE_WORDS = frozenset(
    ("attributes", "keys", "pretty", "replace", "same_as", "to_dict", "to_json", "unknown")
)


class Message(View, metaclass=MessageType):
    """A body of bytes with a declared layout: a fixed header, then attributes.

    The constructor encodes its arguments: `Link(index=2, mtu=9000)`. The attributes have the order
    of the arguments. An instance is immutable and hashable, and stores only its bytes.

    Reading a field finds and loads its value. An absent attribute reads as None, an absent flag as
    False, and an absent repeated attribute as (). Older kernels send shorter structs: the missing
    members read as None. Newer kernels send longer structs: the extra bytes are kept. A dump
    request may have a shorter header, which `class ifinfomsg(Message, bare=rtgenmsg)` declares.

    The constructor raises EncodeError if a value does not fit, and TypeError for an unknown
    argument. Reading raises DecodeError if the bytes do not fit the declared kind.

    Messages may be nested up to MAX_DEPTH levels deep, 32. A deeper one raises DecodeError when it
    is read and EncodeError when it is written. `repr()` and `pretty()` show it as bytes, `same_as`
    compares it as bytes, and `attributes()` does not list what is inside it.

    >>> class Counter(Message):
    ...     count: int | None = u32(1)
    >>> bytes(Counter(count=5)).hex()
    '0800010005000000'
    """

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Return header members, then the declared attributes present, as (name, value)."""
        return ((field.name, value) for field, value in self._items())

    def to_dict(self) -> dict[str, Any]:
        """Return the declared fields as a dict; nested messages are dicts too."""
        return {name: render.plain(value) for name, value in self}

    def to_json(self) -> dict[str, Any]:
        """Return the same as to_dict, with values that JSON can represent.

        Enums become the kernel's name, or an int if there is none. Flags become a list of names,
        and an int for unknown bits. Addresses become text, and bytes become hexadecimal text.
        """
        return {name: render.json_value(value) for name, value in self}

    def attributes(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield every attribute in wire order as (path, type, payload), a nest before its content.

        The type excludes the flag bits. An undeclared attribute has its number as its name, as in
        "linkinfo.data.#77", and the attributes inside it are not listed, and neither are those of a
        nest that is malformed or deeper than MAX_DEPTH levels.
        """
        # Not recursive, because the sender determines the depth of nesting.
        pending: list[Iterator[Any]] = [_listed("", self)]
        while pending:
            found = next(pending[-1], None)
            if found is None:
                pending.pop()
            elif isinstance(found, Iterator):
                pending.append(found)
            else:
                path, number, payload, below = found
                yield path, number, payload
                if below:
                    pending.append(starmap(_listed, [(f"{path}{p}.", child) for p, child in below]))

    def pretty(self) -> str:
        """Return the message as indented lines: fields by name, unknown attributes as bytes."""
        return render.pretty(self)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, or removed by None. All other bytes are kept."""
        cls = type(self)
        table = cls.__table__
        new = self._changed(**changes)
        for field in table.fields:  # the counts of what changes
            if field.counts in table.names and field.counts in changes:
                changes.setdefault(field.name, None)
        old_body, new_body = bytes(self), bytes(new)
        size = table.header + 3 & ~3 if table.has_attributes else len(old_body)
        head = bytearray(old_body[:size])  # with the padding before the attributes
        head += bytes(size - len(head))
        dropped = set()
        for name in changes:
            field = table.names[name]
            if field.number is None:
                end = field.offset + field.size if field.size else None  # None: an open end
                head[field.offset : end] = new_body[field.offset : end]
            else:
                dropped.add(field.number)
        spliced: dict[int, list[bytes]] = {}
        for number, attribute in _attributes(new):
            spliced.setdefault(number, []).append(attribute)
        parts = [bytes(head)]
        for number, attribute in _attributes(self):
            if number in dropped:
                parts += spliced.pop(number, ())
            else:
                parts.append(attribute)
        for attributes in spliced.values():
            parts += attributes
        changed = cls.from_bytes(b"".join(parts))
        changed._check_families()
        return changed

    def same_as(self, other: Message, *, ignore: Iterable[str] = ()) -> bool:
        """Return whether two messages mean the same; `==` compares their bytes.

        Both must have the same class, the same header members and the same attributes. The order
        of the attributes, the padding and the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER do not
        matter. The order of the values of a repeated attribute does matter. Nested messages are
        compared in the same way; undeclared attributes, values that cannot be decoded, and what is
        deeper than MAX_DEPTH levels, as bytes. The headers that precede the body, with the message
        type, are not compared.

        `ignore` names fields that are not compared, with dots inside of nests: "linkinfo.data".
        Raises TypeError if `other` is not a message, or if the class has no such field.
        """
        if not isinstance(other, Message):
            raise TypeError(f"same_as() expects a message, got {other!r}")
        pairs: list[tuple[Any, Any, Any]] = [(self, other, _tree(type(self), ignore))]
        while pairs:  # not recursive, because the sender determines the depth of nesting
            one, two, less = pairs.pop()
            if type(one) is not type(two):
                return False
            if isinstance(one, Message):
                if one == two:
                    continue
                one, two = _meaning(one), _meaning(two)
            if type(one) is tuple:
                if len(one) != len(two):
                    return False
                pairs += ((first, second, less) for first, second in zip(one, two, strict=True))
            elif type(one) is dict:
                keys = one.keys() | two.keys() if less else one.keys()
                if not less and keys != two.keys():
                    return False
                for key in keys:
                    inner = less.get(key, NOTHING)
                    if inner is not None:
                        if key not in one or key not in two:
                            return False
                        pairs.append((one[key], two[key], inner))
            elif one != two:
                return False
        return True

    @property
    def unknown(self) -> tuple[tuple[int, bytes], ...]:
        """The attributes that the class does not declare, as (type, payload) in wire order."""
        body = bytes(self)
        declared = type(self).__table__.numbered
        return tuple(
            (kind & NLA_TYPE_MASK, body[offset : offset + length])
            for kind, offset, length in self._walk()
            if kind & NLA_TYPE_MASK not in declared
        )

    def __repr__(self) -> str:
        return render.describe(self)


NOTHING: dict[str, Any] = {}


def _tree(cls: MessageType, names: Iterable[str]) -> dict[str, Any]:
    """Return names with dots as a tree: a name to those inside it, or None for all of it."""
    if not names:
        return NOTHING
    if isinstance(names, str):
        raise TypeError(f"ignore is a list of names, got {names!r}")
    tree: dict[str, Any] = {}
    for name in names:
        first, *rest = name.split(".")
        if first not in cls.__table__.names:
            raise TypeError(f"{cls.__name__} has no field {first!r} to ignore")
        inner = tree
        for part in (first, *rest)[:-1]:
            inner = inner.setdefault(part, {})
            if inner is None:
                break
        else:
            inner[(first, *rest)[-1]] = None
    return tree


def _listed(prefix: str, message: Any) -> Iterator[tuple[str, int, bytes, list[Any]]]:
    """Yield the path, type and payload of each attribute, and the messages inside it."""
    body = bytes(message)
    names = type(message).__table__.numbered
    for kind, offset, length in message._walk():
        number = kind & NLA_TYPE_MASK
        name = names.get(number, f"#{number}")
        payload = body[offset : offset + length]
        yield f"{prefix}{name}", number, payload, message._below(kind, offset, length)


def _attributes(message: Message) -> Iterator[tuple[int, bytes]]:
    """Return each attribute's type, and all its bytes: header, payload and padding."""
    body = bytes(message)
    for kind, offset, length in message._walk():
        whole = body[offset - 4 : offset + (length + 3 & ~3)]  # the last may lack its padding
        yield kind & NLA_TYPE_MASK, whole + bytes(-len(whole) % 4)


def _meaning(message: Message) -> dict[str | int, Any]:
    """Return the content of a message, without order: values by field name, other bytes by number.

    The number is that of an undeclared attribute, or -1 for bytes after the last struct member.
    """
    table = type(message).__table__
    body = bytes(message)
    said: dict[str | int, Any] = {}
    names = {}
    for name, field in table.names.items():
        if field.number is None:
            place = slice(field.offset, field.offset + field.size if field.size else None)
            said[name] = render.value_or(message, name, (body[place],))
        else:
            names[field.number] = name
    payloads: dict[int, list[bytes]] = {}
    for kind, offset, length in message._walk():
        payloads.setdefault(kind & NLA_TYPE_MASK, []).append(body[offset : offset + length])
    for number, pieces in payloads.items():
        found = tuple(pieces)
        known = names.get(number)
        if known is not None:
            value = render.value_or(message, known, found)
            field = table.names[known]
            if value != field.missing:
                is_read = value is not found
                is_record = is_read and field.kind_name == "records"
                said[known] = tuple(map(_record_meaning, value)) if is_record else value
            if field.kind_name == "repeated":
                continue
            found = found[1:]  # the first one has been read
        if found:
            said[number] = found
    if not table.has_attributes and not table.is_open and len(body) > table.total:
        said[-1] = body[table.total :]
    return said


def _record_meaning(record: Message) -> dict[str | int, Any]:
    """Return the content of a record without its length, which depends on trailing padding."""
    said = _meaning(record)
    for name, field in type(record).__table__.names.items():
        if field.number is None and field.offset == 0:
            del said[name]
    return said


def merge(*parts: M) -> M:
    """Return one message with the content of several, for kernels that divide an object.

    An attribute that occurs in several parts has the value of the last one, but nests are merged
    inside, arrays and mappings by their indexes, and a repeated attribute has all values. The
    header is that of the first part. Undeclared attributes are kept.

    Raises TypeError if the parts are not messages of one class, ValueError if there are none, and
    DecodeError if a nest that must be merged is malformed.
    """
    if not parts:
        raise ValueError("merge() expects at least one message")
    cls = type(parts[0])
    for part in parts:
        if not isinstance(part, Message) or type(part) is not cls:
            raise TypeError(f"merge() expects messages of one class, got {part!r}")
    start = cls.__table__.header + 3 & ~3
    bodies = [bytes(part) for part in parts]
    return cls.from_bytes(bodies[0][:start] + _merged(cls, [body[start:] for body in bodies], 0))


def _merged(inside: MessageClass | Field, bodies: list[bytes], depth: int) -> bytes:
    """Return the attributes of several bodies, merged. `inside` is their class, or an element."""
    fields: dict[int | None, Field] = {}
    element = inside if isinstance(inside, Field) else None
    if not isinstance(inside, Field):
        fields = {field.number: field for field in inside.__table__.fields}
    found: dict[int, list[tuple[int, bytes]]] = {}
    for body in bodies:
        for item in iter_attributes(body):
            attribute = (item.type | item.flags, bytes(item.payload))
            found.setdefault(item.type, []).append(attribute)
    merged = b""
    for number, items in found.items():
        field = fields.get(number, element)
        below = None if len(items) == 1 or depth == MAX_DEPTH else _below(field)
        if below is not None:
            items = [(items[0][0], _merged(below, [payload for _, payload in items], depth + 1))]
        elif field is None or field.kind_name != "repeated":
            items = items[-1:]
        for kind, payload in items:
            merged += pack("=HH", len(payload) + 4, kind) + payload + bytes(-len(payload) % 4)
    return merged


def _below(field: Any) -> MessageClass | Field | None:
    """Return what a nest contains: attributes of a class, or elements under their indexes."""
    kind = "" if field is None else field.kind_name
    if kind in ("array", "mapping"):
        element: Field = field.element
        return element
    return field.message if kind == "nest" and not field.message.__table__.header else None


class Lazy(Mapping[Any, Any]):
    """Choices of selected() that are imported when they are first needed.

    A choice is a message class, or names one by its module below `package`:
    `Lazy("netlink.route.link.kinds", {"veth": "veth.Veth"})`. Its keys are known without an import;
    to iterate over its values or items imports all of them.
    """

    __slots__ = ("_choices", "_package")

    def __init__(self, package: str, choices: Mapping[Any, Any]) -> None:
        self._package = package
        self._choices = dict(choices)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the choice for a value of the selector, or the default."""
        found = self._choices.get(key, default)
        return self[key] if type(found) is str else found

    def __getitem__(self, key: Any) -> Any:
        found = self._choices[key]
        if type(found) is str:
            module, _, name = found.rpartition(".")
            found = getattr(import_module(f"{self._package}.{module}"), name)
            self._choices[key] = found
        return found

    def __iter__(self) -> Iterator[Any]:
        return iter(self._choices)

    def __len__(self) -> int:
        return len(self._choices)

    def __repr__(self) -> str:
        return f"Lazy({self._package!r}, {self._choices!r})"


# --- annotations ----------------------------------------------------------------------------------
#
# The annotation of a field is the type of the value that is read. If the constructor accepts more
# types, the annotation is one of these classes. Type checkers read both types from __get__ and
# __set__. These methods are never called: a Field reads the value, and messages are immutable.


class Addr:
    """Reads as an IP address or None; the constructor also accepts text."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> IPAddress | None: ...
        def __set__(self, instance: object, value: IPAddress | str | bytes | None) -> None: ...


class LinkAddr:
    """Reads as the text of a link-layer address, an IP address (for IP tunnels) or None."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> str | IPAddress | None: ...
        def __set__(self, instance: object, value: str | IPAddress | bytes | None) -> None: ...


class Named(Generic[E]):
    """Reads as a member of an enum (`Named[RTN | int | None]`).

    The constructor also accepts a number or a name. Flags also accept several names:
    "up|multicast" or ["up", "multicast"]. A KernelNumber (`Named[Handle | None]`) accepts its text.
    """

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> E: ...
        def __set__(
            self, instance: object, value: E | int | str | Iterable[int | str] | None
        ) -> None: ...


class AddrOrLabels:
    """Reads as an IP address, a tuple of MPLS labels or None; the constructor also accepts text."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> IPAddress | tuple[int, ...] | None: ...
        def __set__(
            self, instance: object, value: IPAddress | tuple[int, ...] | str | bytes | None
        ) -> None: ...


class Nested(Generic[M]):
    """Reads as a message or None; the constructor also accepts a dict of its arguments."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> M | None: ...
        def __set__(self, instance: object, value: M | dict[str, Any] | None) -> None: ...


class Several(Generic[M]):
    """Reads as a tuple of messages; the constructor accepts an iterable of messages or dicts."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> tuple[M, ...]: ...
        def __set__(self, instance: object, value: Iterable[M | dict[str, Any]]) -> None: ...


# --- the words: one for each kind -----------------------------------------------------------------
#
# The first argument is the number of the attribute. Without it the field is a member of the fixed
# header, with the alignment of C.


def _integer(kind: str) -> Callable[..., Any]:
    def word(
        number: int | None = None,
        *,
        enum: type[IntEnum] | type[Flag] | type[KernelNumber] | None = None,
        net_byteorder: bool = False,
        counts: str | None = None,
        times: int = 1,
        bits: int = 0,
        least: int | None = None,
        most: int | None = None,
    ) -> Any:
        return Field(
            kind,
            number,
            enum=enum,
            net_byteorder=net_byteorder,
            counts=counts,
            times=times,
            bits=bits,
            least=least,
            most=most,
        )

    word.__name__ = word.__qualname__ = kind
    word.__doc__ = f"""An integer of kind {kind}, read as a member of `enum` if one is given.

    The constructor accepts names of `enum`: "up" for IF_OPER_UP and "up|multicast" for flags (see
    netlink.constants.value_of), or the text of a KernelNumber. `net_byteorder` sets
    NLA_F_NET_BYTEORDER on the attribute, as ipset requires
    (include/linux/netfilter/ipset/ip_set.h).

    `counts` names a field whose elements the integer counts: `nkeys: int = u8(counts="keys_")`. The
    constructor fills it in, and a wrong count is an EncodeError. Each "^" before the name stands
    for one parent up. `times` is what one element adds. `bits` are the low bits that hold the
    count, if the integer holds more.

    `least` and `most` bound what can be written to an attribute. Reading accepts any value.
    """
    return word


u8, u16, u32, u64 = map(_integer, ("u8", "u16", "u32", "u64"))
s8, s16, s32, s64 = map(_integer, ("s8", "s16", "s32", "s64"))
be16, be32, be64 = map(_integer, ("be16", "be32", "be64"))
sbe16, sbe32, sbe64 = map(_integer, ("sbe16", "sbe32", "sbe64"))
uint, sint = map(_integer, ("uint", "sint"))


def flag(number: int | None = None) -> Any:
    """A bool: True if the attribute, which has no payload, is present."""
    return Field("flag", number)


def byte_flag(number: int | None = None) -> Any:
    """A bool that the kernel accepts as a flag, but sends as a byte, 0 or 1."""
    return Field("byte_flag", number)


def string(
    number: int | None = None, *, size: int = 0, nul: bool = True, least: int | None = None
) -> Any:
    """Text with a NUL at the end; `size` is its maximum in bytes, including the NUL.

    `least` is the minimum of an attribute, also with the NUL. The limits apply to writing only;
    text of any length can be read. The kernel's policies do not count the NUL: `.len = IFNAMSIZ -
    1` of an NLA_STRING is `size=IFNAMSIZ` here. With `nul=False` the text is written without a NUL,
    for attributes where the kernel counts it (NLA_BINARY).
    """
    return Field("string", number, size=size, nul=nul, least=least)


def pairs(number: int | None = None) -> Any:
    """Texts KEY=VALUE, each with a NUL at the end, as a dict: the body of a uevent.

    A text without "=" has the key "". A header member of this kind must be the last one and extends
    to the end of the body.
    """
    return Field("pairs", number)


def binary(number: int | None = None, *, size: int = 0, least: int | None = None) -> Any:
    """Bytes, at most `size` of them, and in an attribute at least `least`.

    The bounds apply to writing only. The last header member may omit the size; it then extends to
    the end of the body.
    """
    return Field("binary", number, size=size, least=least)


def pad(size: int) -> Any:
    """`size` bytes of a header without a meaning. The name must start with "_"."""
    return Field("pad", size=size)


def address(
    number: int | None = None,
    *,
    size: int = 0,
    by_family: bool | str = False,
    mapped: bool = False,
    net_byteorder: bool = False,
) -> Any:
    """An IPv4 or IPv6 address. The length of the payload determines which; other lengths are bytes.

    The declaration determines what can be written:

    - `size=4` accepts IPv4 only, and `size=16` IPv6 only.
    - With `by_family=True` the address family determines the width. It is the header member
      `family` of the message or, in a nest, of the nearest enclosing message that has one. AF_INET
      and RTNL_FAMILY_IPMR mean IPv4, AF_INET6 and RTNL_FAMILY_IP6MR mean IPv6. In an AF_MPLS
      message the address is an MPLS label stack, as a tuple. All other families, such as AF_UNSPEC
      and AF_BRIDGE, accept both.
    - Text for `by_family` is a selector (see `selected`) of the address family, or of an EtherType.
    - Without any of these, IPv4 and IPv6 are accepted.

    `mapped` writes an IPv4-mapped address (::ffff:192.0.2.1) as the IPv4 address if the family is
    AF_INET. `net_byteorder` has the same meaning as for integers.

    A header member with a `size` is a struct in_addr or in6_addr. With `size=16, by_family=True` it
    is a union of both: AF_INET uses the first four bytes. Such a header must begin with a member
    `family`. The last header member may omit the size; it then extends to the end of the body.
    """
    return Field(
        "address",
        number,
        size=size,
        align=4 if size else 1,
        selector=by_family if isinstance(by_family, str) else None,
        by_family=bool(by_family),
        mapped=mapped,
        net_byteorder=net_byteorder,
    )


def labels(number: int | None = None) -> Any:
    """An MPLS label stack as a tuple of ints, outermost first."""
    return Field("labels", number)


def mac(number: int | None = None, *, size: int = 0, least: int | None = None) -> Any:
    """A link-layer address as text, "02:00:00:00:00:01": of any length, or of bounded length.

    The bounds `least` and `size` are bytes, and apply to writing only.
    """
    return Field("mac", number, size=size, least=least)


def lladdr(number: int | None = None, *, size: int = 0) -> Any:
    """The link-layer address of any link: text like `mac`, or an IP address for IP tunnels.

    An address of 4 or 16 bytes always reads as an IP address. Apart from IP tunnels, only FireWire
    has link-layer addresses of such a length.
    """
    return Field("lladdr", number, size=size)


def bitfield32(number: int | None = None, *, enum: type[IntEnum] | type[Flag] | None = None) -> Any:
    """A Bitfield32: bits, and the mask of the bits that are valid (struct nla_bitfield32)."""
    return Field("bitfield32", number, enum=enum)


def struct(number: int | Target, target: Target | None = None, *, align: int = 0) -> Any:
    """A C struct: a message class that has header members only.

    `align` is its alignment as a header member: 1 in a packed struct. By default it is the largest
    alignment of its members.
    """
    if isinstance(number, int):
        return Field("struct", number, target=target)
    return Field("struct", target=number, align=align)


def nest(number: int, target: Target) -> Any:
    """Another message inside the attribute; `target` may be a lambda for a class declared later."""
    return Field("nest", number, target=target)


def selected(number: int | None, selector: str, choices: Mapping[Any, MessageClass | Any]) -> Any:
    """A value whose class or kind depends on another field; bytes if no choice matches.

    `selector` names a header member or an attribute of the same message. Each "^" before the name
    goes up to the parent, and "entry.proto" is the member `proto` of the field `entry`. The choices
    are message classes or words without a number, as in `{1: u8(), 11: string()}`. A value that is
    invalid for such a kind also reads as bytes. `choices` is read at each use, so entries can be
    added later.

    Without a number it is the last header member, a union that extends to the end of the body.
    """
    return Field("selected", number, selector=selector, choices=choices)


def scalars(number: int | Any, element: Any = None, *, length: int = 0) -> Any:
    """A C array of one fixed-size kind, as a tuple: `scalars(3, u32())`."""
    if isinstance(number, Field):
        number, element = None, number
    return Field("scalars", number, element=element, size=length * element.size)


def array(number: int, element: Any, *, first: int = 0) -> Any:
    """Attributes inside the attribute whose types are positions from `first`, as a tuple."""
    return Field("array", number, element=_element(element), first=first)


def mapping(number: int | Any, element: Any = None, *, enum: type[IntEnum] | None = None) -> Any:
    """Attributes inside the attribute whose types are keys, as a dict.

    Without a number it is the element of another field: `mapping(8, mapping(Policy))` reads as a
    dict of dicts.
    """
    if not isinstance(number, int):
        number, element = None, number
    return Field("mapping", number, element=_element(element), enum=enum)


def repeated(number: int, element: Any) -> Any:
    """An attribute that may occur several times, as a tuple."""
    return Field("repeated", number, element=_element(element))


def records(number: int, target: Target) -> Any:
    """Structs that start with their own length (u16) and end with attributes, as a tuple."""
    return Field("records", number, target=target)


def _element(element: Any) -> Field:
    """Return the field of an element: a field without a number, or a nest of a message class."""
    return element if isinstance(element, Field) else Field("nest", target=element)
