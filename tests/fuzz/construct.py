"""Target: messages made of random values, of the right type and of any other.

A constructor either raises EncodeError with the path of the value, or makes a message that reads
without an error and says what was given. The same values, given to replace(), do the same.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from enum import IntEnum, StrEnum
from typing import Any

from netlink import Bitfield32, EncodeError, Message
from netlink.constants import AF
from netlink.schema import Field

from .messages import BY_NAME, agree, check_words, key, names
from .source import Ring, Source

DEPTH = 5
MOST_FIELDS, MOST_ITEMS = 5, 4
FIELDS: dict[type[Message], Ring[str]] = {}
INTEGERS = (
    0, 1, -1, 2, 16, 127, 128, 255, 256, 1000, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF,
    0x80000000, 0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 1 << 64, 1 << 200,
    -(1 << 31), -(1 << 63), -(1 << 63) - 1,
)  # fmt: skip
TEXTS = (
    "", "eth0", "x" * 300, "\0", "a\0b", "\ud800", "up|multicast", "10.0.0.1", "fe80::1%eth0",
    "00:11:22:33:44:55", "0x10", "-1", "\udcff", "\u2028", "1:10", "any", "1.5", "veth", "inet6",
)  # fmt: skip


class Number(int):
    """A subclass of int."""


class Spelled(StrEnum):
    """Texts that are members of an enum."""

    LO = "lo"
    UP = "up"


class Other(IntEnum):
    """Numbers of a foreign enum."""

    TWO = 2
    MANY = 1 << 40


class Indexed:
    """An object with __index__()."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


class Stranger(Message):
    """A message of no family."""


def seeds(datagrams: list[bytes]) -> Iterator[bytes]:
    """Yield inputs for every class: those have most of the state, so known messages add nothing."""
    for cls in BY_NAME.items:
        ring = fields_of(cls)
        for start in range(0, len(ring.items), MOST_FIELDS):
            chosen = ring.items[start : start + MOST_FIELDS]
            parts = [ring.keys[name] + bytes([start % 4 * 7, 3, 5, 1, 9, 2, 7]) for name in chosen]
            yield key(cls) + bytes([len(chosen) - 1]) + b"".join(parts)


def fields_of(cls: type[Message]) -> Ring[str]:
    """Return the fields of a class."""
    if cls not in FIELDS:
        FIELDS[cls] = Ring((name, name) for name in names(cls))
    return FIELDS[cls]


def run(data: bytes) -> None:
    """Make a message."""
    source = Source(data)
    cls = BY_NAME.choose(source)
    arguments = fields(source, cls, 0)
    for make, promised in ((cls, arguments), (cls().replace, {})):
        try:
            message = make(**arguments)
        except (EncodeError, TypeError) as error:
            check_refusal(error, cls)
        else:
            check_made(message, promised)


def check_refusal(error: EncodeError | TypeError, cls: type[Message]) -> None:
    """Check that an error names a value of the message, or a key that no nest has."""
    if not isinstance(error, EncodeError):
        assert " has no field " in str(error), error
        return
    assert error.path is not None and error.path.partition(".")[0] == cls.__name__, error.path
    assert isinstance(error, ValueError)
    check_words(error, error.value)


def check_made(message: Message, arguments: dict[str, Any]) -> None:
    """Check that a message reads without an error, has what was given, and can be made again."""
    cls = type(message)
    read = cls.from_bytes(bytes(message))
    values = read.to_dict()
    assert dict(read) == dict(message)
    repr(message), message.pretty(), message.to_json()
    for name, given in arguments.items():
        check_value(cls.__table__.names[name], given, getattr(read, name))
    if cls.__name__ == "rtvia" and values["addr"] == b"":
        return  # an address of no bytes can be read, and belongs to no family
    again = cls(**values)
    assert agree(read, again), (values, again.to_dict())
    assert bytes(cls(**again.to_dict())) == bytes(again)


def check_value(field: Field, given: Any, found: Any) -> None:
    """Check that a value of a plain type reads as what was written."""
    kind = field.kind_name
    if given is None:
        return
    is_number = field.enum is None and kind.strip("sbeu").isdigit()
    if type(given) in ((int, bool, Number) if is_number else (str,) if kind == "string" else ()):
        assert found == given
    elif kind == "binary" and isinstance(given, bytes):
        assert found == given or (field.size and found == given.ljust(field.size, b"\0"))
    elif kind in ("flag", "byte_flag") and isinstance(given, bool):
        assert found is given
    elif isinstance(given, ipaddress.IPv4Address | ipaddress.IPv6Address) and kind == "address":
        assert found == given or type(found) is bytes
    elif kind in ("scalars", "array", "repeated", "records") and type(given) in (list, tuple):
        assert len(found) >= len([item for item in given if item is not None])


def fields(source: Source, cls: type[Message], depth: int) -> dict[str, Any]:
    """Return arguments for a class."""
    ring = fields_of(cls)
    if not ring.items:
        return {}
    found = {}
    for _ in range(source.below(MOST_FIELDS) + 1):
        name = ring.choose(source)
        if name not in found:
            found[name] = value(source, cls.__table__.names[name], depth)
    return found


def value(source: Source, field: Any, depth: int) -> Any:
    """Return a value for a field, three times in four of a type that fits."""
    if source.integer(1) & 3 == 3:
        return anything(source, depth)
    kind = field.kind_name
    if kind.strip("sbeu").isdigit() or kind in ("uint", "sint"):
        if field.enum is not None and source.integer(1) & 1:
            members = [*getattr(field.enum, "__members__", {}).values()] or [0]
            return members[source.integer(1) % len(members)]
        return source.integer(max(field.size, 1))
    if kind in ("flag", "byte_flag"):
        return bool(source.integer(1) & 1)
    if kind == "string":
        return source.take(source.below(20)).replace(b"\0", b"").decode("utf-8", "surrogateescape")
    if kind == "address":
        if field.size == 4 or (field.size == 0 and source.integer(1) & 1):
            return ipaddress.IPv4Address(source.integer(4))
        return ipaddress.IPv6Address(source.integer(16))
    if kind == "bitfield32":
        return source.integer(4), source.integer(4)
    if kind in ("mac", "lladdr"):
        return source.take(6).ljust(6, b"\0").hex(":")
    if kind == "pairs":
        return {text(source): text(source) for _ in range(source.below(MOST_ITEMS))}
    if kind == "labels":
        return tuple(source.integer(3) & 0xFFFFF for _ in range(source.below(MOST_ITEMS)))
    if kind == "binary":
        size = field.size if field.number is None else 0
        return source.take(size or source.below(40)).ljust(size, b"\0")
    if depth >= DEPTH:
        return anything(source, depth)
    if kind in ("nest", "struct"):
        return nested(source, field.message, depth)
    if kind == "records":
        return [nested(source, field.message, depth) for _ in range(source.below(MOST_ITEMS))]
    if kind == "selected":
        targets = [*field.choices.values()]
        target = targets[source.below(len(targets))] if targets else None
        if isinstance(target, type):
            return nested(source, target, depth)
        return value(source, target, depth) if isinstance(target, Field) else source.take(8)
    if field.element is None:
        return anything(source, depth)
    count = source.below(MOST_ITEMS)
    if kind == "scalars" and field.size:
        count = field.size // field.element.size
    items = [value(source, field.element, depth + 1) for _ in range(count)]
    return dict(enumerate(items)) if kind == "mapping" else items


def nested(source: Source, cls: type[Message], depth: int) -> Any:
    """Return what a nest of a class may hold: a dict, or a message if the dict makes one."""
    arguments = fields(source, cls, depth + 1)
    if source.integer(1) & 1:
        try:
            return cls(**arguments)
        except (EncodeError, TypeError):
            pass
    return arguments


def text(source: Source) -> str:
    return source.take(source.below(6)).decode("latin-1")


def anything(source: Source, depth: int) -> Any:
    """Return a value of any type."""
    what = source.below(28)
    match what:
        case 0 | 1 | 2:
            return source.choice(INTEGERS)
        case 3 | 4 | 5:
            return source.choice(TEXTS)
        case 6:
            return source.take(source.below(30))
        case 7:
            return bytearray(source.take(5))
        case 8:
            return memoryview(source.take(5))
        case 9:
            return source.choice((True, False, None, ..., NotImplemented))
        case 10:
            return source.choice((0.0, 1.5, float("nan"), float("inf"), -1e300, 1j))
        case 11:
            return Number(source.integer(2))
        case 12:
            return source.choice([*Spelled])
        case 13:
            return source.choice([*Other])
        case 14:
            return Indexed(source.choice(INTEGERS))
        case 15:
            return ipaddress.ip_address(source.take(4).ljust(4, b"\1"))
        case 16:
            return ipaddress.ip_network(source.take(4).ljust(4, b"\1"))
        case 17:
            return Bitfield32(source.integer(4), source.integer(4))
        case 18:
            return source.choice((AF.AF_INET, AF.AF_INET6, AF.AF_MPLS))
        case 19:
            return source.choice((Stranger, Stranger(), int, object(), len, range(3), slice(1)))
        case 20:
            return (number for number in range(source.below(5)))
        case 21:
            return iter(TEXTS[: source.below(5)])
        case 22:
            return BY_NAME.choose(source)()
        case 23:
            loop: dict[str, Any] = {"kind": source.choice(TEXTS)}
            loop["data"] = {"peer": {"linkinfo": loop}}
            return loop
    if depth >= DEPTH:
        return what
    items = [anything(source, depth + 1) for _ in range(source.below(MOST_ITEMS))]
    match what:
        case 24:
            return items
        case 25:
            return tuple(items)
        case 26:
            return {str(number): item for number, item in enumerate(items)}
    return dict(enumerate(items))
