"""The declaration words: Message, and one function for each kind.

A message class declares its fixed header and its attributes once. The metaclass compiles them into
a Table of the core, which everything that reads, writes or prints the message uses. A header is
inherited (`class Link(ifinfomsg)`), so that type checkers know its members. This file must not know
families or sockets: netlink/family.py combines messages into families.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Flag, IntEnum
from functools import reduce
from ipaddress import IPv4Address, IPv6Address
from operator import or_
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
from netlink._core import Bitfield32, Field, Table, View
from netlink.constants import NLA_TYPE_MASK

if TYPE_CHECKING:
    import inspect

__all__ = [
    "Addr", "AddrOrLabels", "Bitfield32", "Field", "IPAddress", "LinkAddr", "Message",
    "MessageClass", "Named", "Nested", "Several", "address", "array", "be16", "be32", "be64",
    "binary", "bitfield32", "byte_flag", "flag", "labels", "lladdr", "mac", "mapping", "nest",
    "pad", "pairs", "records", "repeated", "s8", "s16", "s32", "s64", "sbe16", "sbe32", "sbe64",
    "scalars", "selected", "sint", "string", "struct", "u8", "u16", "u32", "u64", "uint",
]  # fmt: skip

IPAddress = IPv4Address | IPv6Address

E = TypeVar("E")
M = TypeVar("M", bound="Message")
MessageClass = type["Message"]
Target = MessageClass | Callable[[], MessageClass]


class SignatureOf:
    """The descriptor `__signature__`, for inspect.signature(), help() and completion.

    A message class is called with its fields, and so is an op of it; `of` finds the class in the
    object that is called.
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


def _hints(cls: type) -> dict[str, Any]:
    """Return the annotations that a class itself has, as types if all names can be resolved."""
    import inspect  # slow to import, and rarely needed

    try:
        return inspect.get_annotations(cls, eval_str=True)
    except NameError:  # a name that is imported for type checkers only
        return inspect.get_annotations(cls)


def _accepted(hint: Any) -> Any:
    """Return what constructing takes for an annotation, as the `__set__` methods below say it."""
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


# No field specifiers are named: to a type checker each word is then a default value, and every
# constructor argument may be left out. A word returns Any, as its annotation is the real type.
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
        base = next((b.__table__ for b in bases if isinstance(b, MessageType)), None)
        cls.__table__ = Table(cls, base, own, bare.__table__ if bare is not None else None)
        return cls

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **_: Any):
        super().__init__(name, bases, namespace)


MESSAGE_WORDS = frozenset(
    ("attributes", "keys", "pretty", "replace", "same_as", "to_dict", "to_json", "unknown")
)


class Message(View, metaclass=MessageType):
    """A body of bytes with a declared layout: a fixed header, then attributes.

    Constructing encodes: `Link(index=2, mtu=9000)`; the attributes stand in the order of the
    arguments. An instance is immutable, hashable and holds nothing but its bytes. Reading a field
    finds and loads its value: None (False for a flag, () for what can repeat) where the message
    lacks it. A struct that is shorter than declared, as older kernels send, reads None for its
    missing members; bytes behind the last member are kept. A dump request may have a shorter header
    in place of the fixed one, which `class ifinfomsg(Message, bare=rtgenmsg)` declares.

    Raises EncodeError for a value that does not fit and TypeError for an unknown argument; reading
    raises DecodeError where the bytes do not fit the declared kind.

    >>> class Counter(Message):
    ...     count: int | None = u32(1)
    >>> bytes(Counter(count=5)).hex()
    '0800010005000000'
    """

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Header members, then the attributes present and declared, as (name, value)."""
        return ((field.name, value) for field, value in self._items())

    def to_dict(self) -> dict[str, Any]:
        """Names to values, nested messages as dicts too; undeclared attributes are left out."""
        return {name: render.plain(value) for name, value in self}

    def to_json(self) -> dict[str, Any]:
        """As to_dict, of what JSON can hold.

        Enums become the kernel's names (an int where it has none), flags a list of names, with
        the bits left over as an int, addresses text and bytes hexadecimal text.
        """
        return {name: render.json_value(value) for name, value in self}

    def attributes(self) -> Iterator[tuple[str, int, bytes]]:
        """Every attribute in wire order as (path, type, payload), those of nests after the nest.

        The type comes without its flag bits; an attribute that is not declared has its number
        for a name ("linkinfo.data.#77"), and what is inside of it stays closed.
        """
        body = bytes(self)
        names = {field.number: field.name for field in type(self).__table__.fields}
        for kind, offset, length in self._walk():
            number = kind & NLA_TYPE_MASK
            name = names.get(number, f"#{number}")
            yield name, number, body[offset : offset + length]
            for place, child in self._below(kind, offset, length):
                for path, below, payload in child.attributes():
                    yield f"{name}{place}.{path}", below, payload

    def pretty(self) -> str:
        """The whole message as indented lines: every field by name, what is unknown as bytes."""
        return render.pretty(self)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, or removed by None; the rest is kept to the byte."""
        cls = type(self)
        table = cls.__table__
        new = self._changed(**changes)
        old_body, new_body = bytes(self), bytes(new)
        head = bytearray(old_body[: table.header] if table.has_attributes else old_body)
        head += bytes(max(table.header - len(head), 0) if table.has_attributes else 0)
        dropped = set()
        for name in changes:
            field = table.names[name]
            if field.number is None:
                end = field.offset + field.size if field.size else len(old_body)
                head[field.offset : end] = new_body[field.offset : end]
            else:
                dropped.add(field.number)
        head += bytes(-len(head) % 4 if table.has_attributes else 0)
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

    def same_as(self, other: Message) -> bool:
        """Return whether two messages mean the same; `==` compares their bytes.

        Both must have the same class, the same header members and the same attributes. The order
        of the attributes, the padding and the flags NLA_F_NESTED and NLA_F_NET_BYTEORDER do not
        matter. The order of the values of a repeated attribute does matter. Nested messages are
        compared in the same way; undeclared attributes, and values that cannot be decoded, as
        bytes. The headers that precede the body, with the message type, are not compared.

        Raises TypeError if `other` is not a message.
        """
        if not isinstance(other, Message):
            raise TypeError(f"same_as() expects a message, got {other!r}")
        pairs: list[tuple[Any, Any]] = [(self, other)]
        while pairs:  # not recursive, as the sender decides how deep messages are nested
            one, two = pairs.pop()
            if type(one) is not type(two):
                return False
            if isinstance(one, Message):
                if one == two:
                    continue
                parts = _meaning(one), _meaning(two)
                if parts[0].keys() != parts[1].keys():
                    return False
                pairs += ((value, parts[1][key]) for key, value in parts[0].items())
            elif type(one) is tuple:
                if len(one) != len(two):
                    return False
                pairs += zip(one, two, strict=True)
            elif type(one) is dict:
                if one.keys() != two.keys():
                    return False
                pairs += ((value, two[key]) for key, value in one.items())
            elif one != two:
                return False
        return True

    @property
    def unknown(self) -> tuple[tuple[int, bytes], ...]:
        """The attributes that the class does not declare: (type, payload), in wire order."""
        body = bytes(self)
        declared = {field.number for field in type(self).__table__.fields}
        return tuple(
            (kind & NLA_TYPE_MASK, body[offset : offset + length])
            for kind, offset, length in self._walk()
            if kind & NLA_TYPE_MASK not in declared
        )

    def __repr__(self) -> str:
        return render.describe(self)


def _attributes(message: Message) -> Iterator[tuple[int, bytes]]:
    """Each attribute's type, and its bytes whole: header, payload and padding."""
    body = bytes(message)
    for kind, offset, length in message._walk():
        whole = body[offset - 4 : offset + length]
        yield kind & NLA_TYPE_MASK, whole + bytes(-len(whole) % 4)


def _meaning(message: Message) -> dict[str | int, Any]:
    """What a message says, in any order: values by the name of the field, other bytes by number.

    The number is that of the attribute, or -1 for the bytes after the last member of a struct.
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
    payloads: dict[int, tuple[bytes, ...]] = {}
    for kind, offset, length in message._walk():
        number = kind & NLA_TYPE_MASK
        payloads[number] = (*payloads.get(number, ()), body[offset : offset + length])
    for number, found in payloads.items():
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
    """What a record says, without its length: that depends on the padding of the last attribute."""
    said = _meaning(record)
    for name, field in type(record).__table__.names.items():
        if field.number is None and field.offset == 0:
            del said[name]
    return said


# --- annotations ----------------------------------------------------------------------------------
#
# A field's annotation is the type that it reads as. Where constructing accepts more than that, the
# annotation is one of these: type checkers take the two types from __get__ and __set__, which are
# never called, as a Field does the reading and nothing writes.


class Addr:
    """Reads as an IP address or None; takes text too."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> IPAddress | None: ...
        def __set__(self, instance: object, value: IPAddress | str | bytes | None) -> None: ...


class LinkAddr:
    """Reads as the text of a link-layer address, as an IP address (of an IP tunnel) or None."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> str | IPAddress | None: ...
        def __set__(self, instance: object, value: str | IPAddress | bytes | None) -> None: ...


class Named(Generic[E]):
    """Reads as a member of an enum (`Named[RTN | int | None]`); takes its number or name too.

    For flags it takes several names as well: "up|multicast" or ["up", "multicast"].
    """

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> E: ...
        def __set__(
            self, instance: object, value: E | int | str | Iterable[int | str] | None
        ) -> None: ...


class AddrOrLabels:
    """Reads as an IP address, a tuple of MPLS labels or None; takes text too."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> IPAddress | tuple[int, ...] | None: ...
        def __set__(
            self, instance: object, value: IPAddress | tuple[int, ...] | str | bytes | None
        ) -> None: ...


class Nested(Generic[M]):
    """Reads as a message or None; takes a dict of its arguments too."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> M | None: ...
        def __set__(self, instance: object, value: M | dict[str, Any] | None) -> None: ...


class Several(Generic[M]):
    """Reads as a tuple of messages; takes any iterable of them, or of dicts."""

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: Any) -> tuple[M, ...]: ...
        def __set__(self, instance: object, value: Iterable[M | dict[str, Any]]) -> None: ...


# --- the words: one a kind ------------------------------------------------------------------------
#
# The first argument is the attribute's number; without it the field is a member of the fixed
# header, laid out as C does.


def _integer(kind: str) -> Callable[..., Any]:
    def word(
        number: int | None = None,
        *,
        enum: type[IntEnum] | type[Flag] | None = None,
        net_byteorder: bool = False,
    ) -> Any:
        return Field(kind, number, enum=enum, net_byteorder=net_byteorder)

    word.__name__ = word.__qualname__ = kind
    word.__doc__ = f"""An integer of kind {kind}, shown as a member of `enum` if one is given.

    A writer can give names of `enum`: "up" for IF_OPER_UP and "up|multicast" for flags (see
    netlink.constants.value_of). `net_byteorder` sets NLA_F_NET_BYTEORDER on the attribute, as ipset
    requires (include/linux/netfilter/ipset/ip_set.h).
    """
    return word


u8, u16, u32, u64 = map(_integer, ("u8", "u16", "u32", "u64"))
s8, s16, s32, s64 = map(_integer, ("s8", "s16", "s32", "s64"))
be16, be32, be64 = map(_integer, ("be16", "be32", "be64"))
sbe16, sbe32, sbe64 = map(_integer, ("sbe16", "sbe32", "sbe64"))
uint, sint = map(_integer, ("uint", "sint"))


def flag(number: int | None = None) -> Any:
    """A bool: whether the attribute, which has no payload, is there."""
    return Field("flag", number)


def byte_flag(number: int | None = None) -> Any:
    """A bool that the kernel takes as a flag, but sends as a byte, 0 or 1."""
    return Field("byte_flag", number)


def string(number: int | None = None, *, size: int = 0, nul: bool = True) -> Any:
    """Text that ends with a NUL; `size` bounds it in bytes, NUL included.

    The bound is for writing. The kernel's policies do not count the NUL: `.len = IFNAMSIZ - 1` of
    an NLA_STRING is `size=IFNAMSIZ` here. Text of any length is read. With `nul=False` the text is
    written without its NUL, where the kernel would count it (`.len` of an NLA_BINARY).
    """
    return Field("string", number, size=size, nul=nul)


def pairs(number: int | None = None) -> Any:
    """Texts KEY=VALUE, each ended by a NUL, as a dict: the body of a uevent.

    A text without "=" has the key "". As a header member it is the last one and takes the rest.
    """
    return Field("pairs", number)


def binary(number: int | None = None, *, size: int = 0) -> Any:
    """Bytes as they are, at most `size`. As the last header member without a size: the rest."""
    return Field("binary", number, size=size)


def pad(size: int) -> Any:
    """`size` bytes of a header that mean nothing; give it a name that starts with "_"."""
    return Field("pad", size=size)


def address(
    number: int | None = None,
    *,
    size: int = 0,
    by_family: bool | str = False,
    mapped: bool = False,
    net_byteorder: bool = False,
) -> Any:
    """An IPv4 or IPv6 address. It is read by its length (bytes, if that is neither 4 nor 16).

    What can be written is declared: `size=4` is for IPv4 alone, and `size=16` for IPv6 alone. With
    `by_family=True` the address family decides, which is the header member `family` of the message
    or, in a nest, of the nearest message around it that has one. AF_INET and RTNL_FAMILY_IPMR mean
    IPv4, AF_INET6 and RTNL_FAMILY_IP6MR mean IPv6. In an AF_MPLS message the address is an MPLS
    label stack, as a tuple. Any other family, such as AF_UNSPEC or AF_BRIDGE, decides nothing. Text
    for `by_family` is a selector (see `selected`) that finds the address family, or an EtherType.
    Without any of these both IPv4 and IPv6 can be written.

    `mapped` writes an IPv4-mapped address (::ffff:192.0.2.1) as the IPv4 address if the family is
    AF_INET. `net_byteorder` is as for integers.

    As a header member with a `size` it is a struct in_addr or in6_addr. As the last member without
    a size it takes the rest.
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


def mac(number: int | None = None, *, size: int = 0) -> Any:
    """A link-layer address of any length, as text: "02:00:00:00:00:01"."""
    return Field("mac", number, size=size)


def lladdr(number: int | None = None, *, size: int = 0) -> Any:
    """The link-layer address of any link: text as `mac`, or the IP address of an IP tunnel.

    An address of 4 or 16 bytes is read as an IP address, whatever the link. Of other link layers
    only FireWire has addresses of one of these lengths.
    """
    return Field("lladdr", number, size=size)


def bitfield32(number: int | None = None, *, enum: type[IntEnum] | type[Flag] | None = None) -> Any:
    """A Bitfield32: bits, and the mask of those that are meant (struct nla_bitfield32)."""
    return Field("bitfield32", number, enum=enum)


def struct(number: int | Target, target: Target | None = None, *, align: int = 0) -> Any:
    """A C struct: a message class that has header members only.

    `align` is its alignment as a header member, if that is not the largest of its members: 1 in a
    packed struct.
    """
    if isinstance(number, int):
        return Field("struct", number, target=target)
    return Field("struct", target=number, align=align)


def nest(number: int, target: Target) -> Any:
    """Another message inside the attribute; `target` may be a lambda for a class declared later."""
    return Field("nest", number, target=target)


def selected(number: int | None, selector: str, choices: Mapping[Any, MessageClass | Any]) -> Any:
    """A value whose class or kind depends on another field; bytes where none matches.

    `selector` names a field of the same message, which may be a header member or an attribute. Each
    "^" before the name stands for one parent up, and "entry.proto" is the member `proto` of the
    field `entry`. The choices are message classes or words without a number, as in
    `{1: u8(), 11: string()}`. A value that cannot be of such a kind is bytes too. `choices` is
    consulted when a value is read or written, so that it may grow.

    Without a number it is the last header member and takes the rest: a union.
    """
    return Field("selected", number, selector=selector, choices=choices)


def scalars(number: int | Any, element: Any = None, *, length: int = 0) -> Any:
    """A C array of one kind of fixed size, as a tuple: `scalars(3, u32())`."""
    if isinstance(number, Field):
        number, element = None, number
    return Field("scalars", number, element=element, size=length * element.size)


def array(number: int, element: Any, *, first: int = 0) -> Any:
    """Attributes inside the attribute whose types only count, from `first`: a tuple."""
    return Field("array", number, element=_element(element), first=first)


def mapping(number: int | Any, element: Any = None, *, enum: type[IntEnum] | None = None) -> Any:
    """Attributes inside the attribute whose types are keys: a dict.

    Without a number it is the element of another: `mapping(8, mapping(Policy))` reads a dict of
    dicts.
    """
    if not isinstance(number, int):
        number, element = None, number
    return Field("mapping", number, element=_element(element), enum=enum)


def repeated(number: int, element: Any) -> Any:
    """An attribute that comes several times: a tuple."""
    return Field("repeated", number, element=_element(element))


def records(number: int, target: Target) -> Any:
    """Structs led by their own length (u16), each followed by attributes: a tuple."""
    return Field("records", number, target=target)


def _element(element: Any) -> Field:
    """An element is a field without a number, or a message class, which stands for its nest."""
    return element if isinstance(element, Field) else Field("nest", target=element)
