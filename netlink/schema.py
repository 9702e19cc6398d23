"""The declaration words: Message, one function a kind, Op, Request and Family.

A message class declares its fixed header and its attributes once; the metaclass compiles them
into a Table of the core, and everything that reads, writes or prints the message goes by that.
A header is inherited (`class Link(ifinfomsg)`), so that type checkers know its members. All
here is plain data: nothing in this file does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from copy import copy
from enum import Enum, Flag, IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    ParamSpec,
    Self,
    TypeVar,
    cast,
    dataclass_transform,
    overload,
)

from netlink._core import (
    Bitfield32,
    Field,
    Messages,
    RawMessage,
    Request,
    Table,
    Verb,
    View,
)
from netlink.constants import NETLINK, NLM_F

__all__ = [
    "Addr", "AddrOrLabels", "Bitfield32", "Family", "Field", "IPAddress", "Message", "Nested",
    "Op", "Plan", "Request", "Several", "address", "array", "be16", "be32", "be64", "binary",
    "bitfield32", "byte_flag", "flag", "labels", "mac", "mapping", "nest", "pad", "parse",
    "records", "repeated", "s8", "s16", "s32", "s64", "sbe16", "sbe32", "sbe64", "scalars",
    "selected", "sint", "string", "struct", "u8", "u16", "u32", "u64", "uint",
]  # fmt: skip

IPAddress = IPv4Address | IPv6Address

P = ParamSpec("P")
M = TypeVar("M", bound="Message")
M_co = TypeVar("M_co", bound="Message", covariant=True)
T = TypeVar("T")
# Several round trips written once: yields requests, receives for each its message or None (for a
# dump the list of its messages), may catch the errors that they raise, and returns a value.
Plan = Generator["Request[Any]", Any, T]
MessageClass = type["Message"]
# By message type; of a generic family, under its id, by command.
Classes = dict[int, "MessageClass | dict[int, MessageClass]"]
Target = MessageClass | Callable[[], MessageClass]


# No field specifiers are named: to a type checker each word is then a default value, and every
# constructor argument may be left out. A word returns Any, as its annotation is the real type.
@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False)
class MessageType(type):
    """The metaclass of messages: compiles the declared fields into `__table__`."""

    __table__: Table

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> MessageType:
        namespace.setdefault("__slots__", ())  # no __dict__: an instance is its bytes
        own = [value for value in namespace.values() if isinstance(value, Field)]
        for field in own:
            field_name = next(key for key, value in namespace.items() if value is field)
            if hasattr(View, field_name) or field_name in MESSAGE_WORDS:
                raise TypeError(f"{name}.{field_name} would hide Message.{field_name}")
        cls = super().__new__(mcls, name, bases, namespace)
        base = next((b.__table__ for b in bases if isinstance(b, MessageType)), None)
        cls.__table__ = Table(cls, base, own)
        return cls


REPR_FIELDS = 12  # as many as repr shows, so that a wide message stays readable
MESSAGE_WORDS = frozenset(
    ("attributes", "keys", "pretty", "replace", "to_dict", "to_json", "unknown")
)


class Message(View, metaclass=MessageType):
    """A body of bytes with a declared layout: a fixed header, then attributes.

    Constructing encodes: `Link(index=2, mtu=9000)`; the attributes stand in the order of the
    arguments. An instance is immutable, hashable and holds nothing but its bytes. Reading a field
    finds and loads its value: None (False for a flag, () for what can repeat) where the message
    lacks it. A struct that is shorter than declared, as older kernels send, reads None for its
    missing members; bytes behind the last member are kept.

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
        return {name: _plain(value) for name, value in self}

    def to_json(self) -> dict[str, Any]:
        """As to_dict, of what JSON can hold.

        Enums become the kernel's names (an int where it has none), flags a list of names, with
        the bits left over as an int, addresses text and bytes hexadecimal text.
        """
        return {name: _json(value) for name, value in self}

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
        title = " ".join(filter(None, (self.nlmsg_name, type(self).__name__)))
        return "\n".join([title, *_lines(self, "    ")])

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, or removed by None; the rest is kept to the byte."""
        cls = type(self)
        table = cls.__table__
        new = cls(**changes)
        old_body, new_body = bytes(self), bytes(new)
        head = bytearray(old_body[: table.header] if table.has_attributes else old_body)
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
        return cls.from_bytes(b"".join(parts))

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
        shown = [f"{name}={_text(value)}" for name, value in self if not _is_dull(value)]
        if len(shown) > REPR_FIELDS:
            shown[REPR_FIELDS:] = [f"+{len(shown) - REPR_FIELDS} more"]
        name = type(self).__name__
        if self.nlmsg_name is not None:
            name = f"{self.nlmsg_name} {name}"
        return f"<{' '.join([name, *shown])}>"


NLA_TYPE_MASK = 0x3FFF  # linux/netlink.h: without NLA_F_NESTED and NLA_F_NET_BYTEORDER


def _attributes(message: Message) -> Iterator[tuple[int, bytes]]:
    """Each attribute's type, and its bytes whole: header, payload and padding."""
    body = bytes(message)
    for kind, offset, length in message._walk():
        whole = body[offset - 4 : offset + length]
        yield kind & NLA_TYPE_MASK, whole + bytes(-len(whole) % 4)


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return value.to_dict()
    if type(value) is tuple:
        return tuple(_plain(item) for item in value)
    if type(value) is dict:
        return {key: _plain(item) for key, item in value.items()}
    return value


def _json(value: Any) -> Any:
    match value:
        case Message():
            return value.to_json()
        case Bitfield32():
            return {"value": _json(value.value), "selector": value.selector}
        case tuple():
            return [_json(item) for item in value]
        case dict():
            return {_json_key(key): _json(item) for key, item in value.items()}
        case Flag():
            return _flag_names(value)
        case Enum():
            return value.name
        case bytes():
            return value.hex()
        case None | bool() | int():
            return value
        case str():
            return _utf8(value)
        case _:
            return str(value)


def _json_key(key: Any) -> str:
    return key.name if isinstance(key, Enum) else str(key)


def _flag_names(value: Flag) -> list[str | int]:
    """The names of the bits that are set, and what has no name as one int."""
    names: list[str | int] = []
    left = int(value.value)
    for member in type(value):
        if int(member.value) & left == int(member.value):
            names.append(cast(str, member.name))
            left &= ~int(member.value)
    return [*names, left] if left else names


def _text(value: Any) -> str:
    """A value as people read it: kernel names without Python's decoration, bytes in pairs."""
    match value:
        case Message():
            return repr(value)
        case Bitfield32():
            return f"{_text(value.value)} of {value.selector:#x}"
        case Flag():
            return "|".join(map(str, _flag_names(value))) or "0"
        case Enum():
            return value.name
        case bytes():
            return value.hex(" ")
        case tuple():
            return f"[{', '.join(map(_text, value))}]"
        case dict():
            return f"{{{', '.join(f'{_text(key)}: {_text(item)}' for key, item in value.items())}}}"
        case str():
            return "".join(c if c.isprintable() else repr(c)[1:-1] for c in _utf8(value))
        case _:
            return str(value)


def _utf8(text: str) -> str:
    """Text without lone surrogates, which stand for bytes that were no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _lines(message: Message, indent: str) -> Iterator[str]:
    """The fields of a message as text, a line each, nested messages below their name."""
    rows: list[tuple[str, Any]] = list(message)
    rows += [(f"#{number}", payload) for number, payload in message.unknown]
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        items = value if type(value) is tuple else (value,)
        if not any(isinstance(item, Message) for item in items):
            yield f"{indent}{name:{width}}  {_text(value)}"
            continue
        for position, item in enumerate(items):
            yield f"{indent}{name}" if value is item else f"{indent}{name}[{position}]"
            yield from _lines(item, indent + "    ")


def _is_dull(value: Any) -> bool:
    """Whether repr leaves a value out: zeros say little, and so do blocks of counters."""
    if isinstance(value, Message):
        return not type(value).__table__.has_attributes or all(_is_dull(item) for _, item in value)
    return value is None or value == 0 or value == ()


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
    def word(number: int | None = None, *, enum: type[IntEnum] | type[Flag] | None = None) -> Any:
        return Field(kind, number, enum=enum)

    word.__name__ = word.__qualname__ = kind
    word.__doc__ = f"An integer of kind {kind}, shown as a member of `enum` where one is given."
    return word


u8, u16, u32, u64 = map(_integer, ("u8", "u16", "u32", "u64"))
s8, s16, s32, s64 = map(_integer, ("s8", "s16", "s32", "s64"))
be16, be32, be64 = map(_integer, ("be16", "be32", "be64"))
sbe16, sbe32, sbe64 = map(_integer, ("sbe16", "sbe32", "sbe64"))
uint, sint = map(_integer, ("uint", "sint"))


def flag(number: int) -> Any:
    """A bool: whether the attribute, which has no payload, is there."""
    return Field("flag", number)


def byte_flag(number: int) -> Any:
    """A bool that the kernel takes as a flag, but sends as a byte, 0 or 1."""
    return Field("byte_flag", number)


def string(number: int | None = None, *, size: int = 0) -> Any:
    """Text that ends with a NUL; `size` bounds it in bytes, NUL included.

    The bound is for writing. The kernel's policies do not count the NUL: `.len = IFNAMSIZ - 1` of
    an NLA_STRING is `size=IFNAMSIZ` here. Whatever comes is read.
    """
    return Field("string", number, size=size)


def binary(number: int | None = None, *, size: int = 0) -> Any:
    """Bytes as they are, at most `size`. As the last header member without a size: the rest."""
    return Field("binary", number, size=size)


def pad(size: int) -> Any:
    """`size` bytes of a header that mean nothing; give it a name that starts with "_"."""
    return Field("pad", size=size)


def address(number: int | None = None, *, size: int = 0, by_family: bool = False) -> Any:
    """An IPv4 or IPv6 address by its length (bytes, where it is neither).

    As a header member with a `size` it is a struct in_addr or in6_addr, as the last one without
    a size it takes the rest. With `by_family` it is an MPLS label stack, as a tuple, where the
    header's address family says so.
    """
    return Field("address", number, size=size, align=4 if size else 1, by_family=by_family)


def labels(number: int) -> Any:
    """An MPLS label stack as a tuple of ints, outermost first."""
    return Field("labels", number)


def mac(number: int | None = None, *, size: int = 0) -> Any:
    """A link-layer address of any length, as text: "02:00:00:00:00:01"."""
    return Field("mac", number, size=size)


def bitfield32(number: int, *, enum: type[IntEnum] | type[Flag] | None = None) -> Any:
    """A Bitfield32: bits, and the mask of those that are meant (struct nla_bitfield32)."""
    return Field("bitfield32", number, enum=enum)


def struct(number: int | Target, target: Target | None = None) -> Any:
    """A C struct: a message class that has header members only."""
    if isinstance(number, int):
        return Field("struct", number, target=target)
    return Field("struct", target=number)


def nest(number: int, target: Target) -> Any:
    """Another message inside the attribute; `target` may be a lambda for a class declared later."""
    return Field("nest", number, target=target)


def selected(number: int | None, selector: str, choices: Mapping[Any, type[Message]]) -> Any:
    """A message whose class depends on the value of another field, or bytes where none matches.

    `selector` names a field of the same message; each "^" before it stands for one parent up.
    `choices` is consulted when a value is read or written, so that it may grow.
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


# --- ops and families -----------------------------------------------------------------------------


class Op(Verb, Generic[P, M_co]):
    """A verb of a family: message type, request class, reply class and flags.

    Calling it makes a Request: `link.get(ifname="eth0")`. `type` is the message type or, in a
    generic family, the command. `reply` is the class of what comes back where that differs from
    the request's. NLM_F_REQUEST, NLM_F_ACK and NLM_F_DUMP are the engine's to add. `bracket` is 1
    for an op that opens a batch that the kernel takes as a whole and in one send, -1 for the one
    that closes it; neither is acknowledged (NFNL_MSG_BATCH_BEGIN and _END of linux/netfilter/
    nfnetlink.h). `family` is the one that it was declared in.
    """

    __slots__ = ("name", "reply")

    if TYPE_CHECKING:
        family: Family | None

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Request[M_co]: ...

    @overload
    def __init__(
        self,
        name: str,
        type: int,
        request: Callable[P, M_co],
        *,
        flags: NLM_F = ...,
        bracket: int = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        type: int,
        request: Callable[P, Message],
        *,
        reply: Callable[..., M_co],
        flags: NLM_F = ...,
    ) -> None: ...
    def __init__(
        self,
        name: str,
        type: int,
        request: Callable[P, Message],
        *,
        reply: Any = None,
        flags: NLM_F = NLM_F(0),  # noqa: B008
        bracket: int = 0,
    ) -> None:
        super().__init__(type, request, flags, bracket)
        self.name = name
        self.reply = cast(MessageClass, reply or request)

    @property
    def envelope(self) -> int:
        """Bytes of the headers in front of a request: struct nlmsghdr, and struct genlmsghdr."""
        return 20 if self.family is not None and self.family.is_generic else 16

    def __repr__(self) -> str:
        return f"<Op {self.name}>"


class Family:
    """A protocol's ops, multicast groups and message classes.

    `types` names the message types and `groups` the multicast groups, as enums in the kernel's
    spelling; a group goes by its name without the common prefix, in lower case and with dashes
    (RTNLGRP_IPV4_ROUTE is "ipv4-route"). `messages` adds the classes of types that no op sends, and
    of what the kernel sends under the type of an op that takes another class: `requests` has those.

    Without a `protocol` it is a family of Generic Netlink, and `name` the one that it has in the
    kernel, which gives out the numbers of the family and its groups at run time: a connection asks
    for them (`id` is for those whose number is fixed). `types` names the commands, `groups` are
    names, `version` is that of the requests, and `messages` may be one class for all commands.
    """

    def __init__(
        self,
        name: str,
        *,
        protocol: int = NETLINK.NETLINK_GENERIC,
        ops: Iterable[Op[..., Message]],
        types: type[IntEnum],
        groups: type[IntEnum] | Iterable[str] = (),
        messages: Mapping[int, MessageClass] | MessageClass | None = None,
        version: int = 1,
        id: int | None = None,
    ) -> None:
        self.name = name
        self.protocol = int(protocol)
        self.version = version
        self.id = id
        self.ops: dict[str, Op[..., Message]] = {op.name: op for op in ops}
        # By message type or command: what the kernel sends, and of what is sent to it the rest.
        self.classes: dict[int, MessageClass] = {}
        asked: dict[int, MessageClass] = {}
        for op in self.ops.values():
            op.family = self
            number = int(op.type)
            asked[number] = cast(MessageClass, op.request)
            self.classes[number] = op.reply if self.is_generic else asked[number]
        if isinstance(messages, MessageType):
            messages = dict.fromkeys(map(int, types), messages)
        self.classes.update(messages or {})
        self.requests = {n: cls for n, cls in asked.items() if self.classes[n] is not cls}
        # A generic family's groups have no numbers before the kernel gives them some.
        self.groups: dict[str, int] = (
            {
                member.name.split("_", 1)[1].lower().replace("_", "-"): int(member)
                for member in groups
                if member
            }
            if isinstance(groups, type)
            else dict.fromkeys(groups, 0)
        )
        for number, cls in [*self.classes.items(), *self.requests.items()]:
            cls.__table__.types[number] = types(number).name

    @property
    def is_generic(self) -> bool:
        """Whether it is a family of Generic Netlink."""
        return self.protocol == NETLINK.NETLINK_GENERIC

    def at(self, id: int) -> Self:
        """The same generic family where its number is known, for parse()."""
        bound = copy(self)
        bound.id = id
        return bound

    def group(self, group: str | int) -> int:
        """The number of a multicast group; an unknown name is a LookupError that lists them all."""
        if isinstance(group, int):
            return group
        if group not in self.groups:
            known = ", ".join(self.groups)
            raise LookupError(f"family {self.name!r} has no group {group!r}; it has: {known}")
        return self.groups[group]

    def __repr__(self) -> str:
        return f"<Family {self.name}>"


def classes_of(families: Iterable[Family]) -> Classes:
    """The message classes of several families, which must not give one type two meanings.

    Those of a generic family stand under its id, and are left out where that is not known.
    """
    return _united((family, family.classes) for family in families)


def requests_of(families: Iterable[Family]) -> Classes | None:
    """The classes of requests whose type means another in the kernel's mouth; None if none does.

    NLM_F_REQUEST tells them apart. The kernel copies it into events of traffic control
    (tfilter_notify in net/sched/cls_api.c), whose types have one class each.
    """
    return _united((family, family.requests) for family in families if family.requests) or None


def _united(tables: Iterable[tuple[Family, dict[int, MessageClass]]]) -> Classes:
    classes: Classes = {}
    for family, table in tables:
        if family.is_generic:
            if family.id is not None:
                classes[family.id] = table
            continue
        for number, cls in table.items():
            known = classes.setdefault(number, cls)
            if known is not cls:
                raise ValueError(
                    f"message type {number} means both {getattr(known, '__name__', known)} "
                    f"and {cls.__name__}: parse these families one by one"
                )
    return classes


def parse(data: Any, /, *families: Family) -> Iterator[Message | RawMessage]:
    """The messages in a buffer, typed by their family; those of no declared type as RawMessage.

    `data` is any buffer object that holds whole messages, struct nlmsghdr included. It is copied
    once unless it is a bytes object; the messages share that copy. NLM_F_REQUEST tells a request
    from what the kernel sends where they differ under one type. Raises DecodeError with the offset;
    the iteration can then be continued with the next message. A generic family must know its
    number: `parse(data, TASKSTATS.at(29))`.
    """
    for family in families:
        if family.is_generic and family.id is None:
            raise ValueError(
                f"the kernel gives generic family {family.name!r} its number at run time: "
                f"parse with .at(number)"
            )
    messages = Messages(data, classes_of(families), requests=requests_of(families))
    return cast("Iterator[Message | RawMessage]", messages)
