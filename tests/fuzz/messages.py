"""Target: one message of any declared class, read in every way and written again.

The input chooses the class by its name, then holds the body. Views, dict, JSON values, text and
the walk must agree, and all errors are DecodeError with a path and an offset inside the body. What
was read can be written, and reads the same.
"""

from __future__ import annotations

import json
import pickle
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, Flag
from ipaddress import IPv4Address, IPv6Address
from operator import attrgetter
from typing import Any

from netlink import Bitfield32, DecodeError, EncodeError, Message
from netlink.constants import KernelNumber
from netlink.schema import Field
from tests.generated import CLASSES

from . import corpus
from .source import Ring, Source

BY_NAME = Ring((f"{cls.__module__}.{cls.__name__}", cls) for cls in CLASSES)
PARTS = ("json", "text", "written")
MOST_SEED = 2000  # bytes
REPR_LENGTH = 4000  # characters, for any message
LONG_NAME = 1000  # characters of an error without its value


def key(cls: type[Message]) -> bytes:
    """Return the bytes that choose a class."""
    return BY_NAME.keys[f"{cls.__module__}.{cls.__name__}"]


def seeds(datagrams: list[bytes]) -> Iterator[bytes]:
    """Yield an input for each message, and for each message inside it."""
    for message in corpus.messages(datagrams):
        yield from (key(type(each)) + bytes(each) for each in within(message))
    for cls in BY_NAME.items:  # and of every class, each attribute with zeros
        body = bytes(cls.__table__.header)
        for field in cls.__table__.fields:
            if field.number is not None:
                payload = bytes(field.size or 8)
                body += struct.pack("=HH", 4 + len(payload), field.number)
                body += payload + bytes(-len(payload) % 4)
        yield key(cls) + body[:MOST_SEED]


def within(value: Any) -> Iterator[Message]:
    """Yield a message and all messages inside it."""
    if isinstance(value, Message):
        yield value
        for _, item in value:
            yield from within(item)
    elif isinstance(value, tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from within(item)


def attributes_at(data: bytes) -> int:
    """Return where the attributes of the message begin."""
    return 4 + BY_NAME.choose(Source(data)).__table__.header


def run(data: bytes) -> None:
    """Check one message: that reading agrees, and one of PARTS, which the input chooses."""
    source = Source(data)
    cls = BY_NAME.choose(source)
    body = source.rest()
    try:
        message = cls.from_bytes(body)
    except DecodeError as error:
        check_fault(error, cls, body)
        return
    check(message, PARTS[zlib.crc32(data) % len(PARTS)])


def check(message: Message, part: str) -> None:
    """Check that everything that can be asked of a message agrees."""
    cls, body = type(message), bytes(message)
    whole, values = read(message, dict), read(message, Message.to_dict)
    one_by_one = {name: read(message, attrgetter(name)) for name in names(cls)}
    if isinstance(values, DecodeError):
        check_fault(values, cls, body)
        faults = {str(value) for value in one_by_one.values() if isinstance(value, DecodeError)}
        if isinstance(whole, DecodeError):
            assert str(whole) in faults, "iterating fails, and no attribute does"
        else:
            assert not faults
        assert str(read(message, Message.to_json)) == str(values)
        check_text(message)
        return
    assert list(values) == list(whole)
    for name, value in one_by_one.items():
        assert same(value, whole.get(name, cls.__table__.names[name].missing)), name
    assert body == bytes(message)
    if part == "json":
        check_json(message, whole)
        check_walk(message, whole)
    if part == "text":
        check_text(message)
        check_copies(message)
    if part == "written":
        check_written(message, values)


def check_text(message: Message) -> None:
    """Check that a message has texts, even if its values cannot be decoded."""
    assert len(repr(message)) <= REPR_LENGTH
    assert all(line.isprintable() for line in message.pretty().split("\n"))


def names(cls: type[Message]) -> Iterable[str]:
    return cls.__table__.names


def read(message: Message, how: Callable[[Any], Any]) -> Any:
    """Return what reading gives, or the DecodeError that it raises."""
    try:
        return how(message)
    except DecodeError as error:
        return error


def same(one: Any, two: Any) -> bool:
    """Whether two values are equal and have equal types."""
    return type(one) is type(two) and one == two


def check_fault(error: DecodeError, cls: type[Message], body: bytes) -> None:
    """Check that an error says where the fault is."""
    assert error.path is not None and error.path.partition(".")[0] == cls.__name__, error.path
    assert error.offset is not None and 0 <= error.offset <= len(body), error.offset
    assert 0 < len(str(error)) <= LONG_NAME + len(error.path)


def check_words(error: Exception, value: Any) -> None:
    """Check that the text of an error is not empty, and not long for the value that it shows."""
    assert 0 < len(str(error)) <= LONG_NAME + 10 * len(repr(value))


def check_json(message: Message, values: dict[str, Any]) -> None:
    """Check that the JSON form says the same as the values."""
    found: Any = message.to_json()
    found = json.loads(found if isinstance(found, bytes) else json.dumps(found))
    assert list(found) == list(values)
    for name, value in values.items():
        assert is_json(found[name], value), (name, found[name], value)


def is_json(found: Any, value: Any) -> bool:
    """Whether a value has the JSON form that to_json() promises."""
    match value:
        case Message():
            items = dict(value)
            return list(found) == list(items) and all(is_json(found[n], items[n]) for n in items)
        case Bitfield32():
            return found["selector"] == value.selector and is_json(found["value"], value.value)
        case tuple():
            return len(found) == len(value) and all(map(is_json, found, value))
        case dict():
            keys = [k.name if isinstance(k, Enum) else str(k) for k in value]
            return list(found) == keys and all(map(is_json, found.values(), value.values()))
        case Flag():
            known = [each for each in found if isinstance(each, str)]
            bits = sum(each for each in found if isinstance(each, int))
            for each in known:
                bits |= type(value)[each].value
            return bits == value.value
        case Enum():
            return bool(found == value.name)
        case KernelNumber() | IPv4Address() | IPv6Address():
            return bool(found == str(value))
        case bytes():
            return bool(found == value.hex())
        case str():
            return bool(
                found == value.encode(errors="surrogateescape").decode(errors="backslashreplace")
            )
    return same(found, value)


def check_walk(message: Message, values: dict[str, Any]) -> None:
    """Check attributes() and `unknown` against the bytes."""
    cls, body = type(message), bytes(message)
    numbers = {field.number: name for name, field in cls.__table__.names.items()}
    top, unknown = [], []
    for kind, offset, length in message._walk():
        number = kind & 0x3FFF
        assert struct.unpack_from("=HH", body, offset - 4) == (length + 4, kind & 0xFFFF)
        payload = body[offset : offset + length]
        top.append((numbers.get(number, f"#{number}"), number, payload))
        if number not in numbers:
            unknown.append((number, payload))
    assert message.unknown == tuple(unknown)
    walked = read(message, lambda it: [*it.attributes()])
    if isinstance(walked, DecodeError):
        check_fault(walked, cls, body)
    else:
        assert [row for row in walked if "." not in row[0] and row in top] == top
    present = {name for name, _, _ in top} | {n for n, f in cls.__table__.names.items()
                                              if f.number is None}  # fmt: skip
    assert values.keys() <= present


def check_copies(message: Message) -> None:
    """Check that copies are equal, and that replacing nothing keeps all bytes."""
    again = type(message).from_bytes(bytes(message))
    assert again == message and hash(again) == hash(message) and again.same_as(message)
    assert bytes(pickle.loads(pickle.dumps(message))) == bytes(message)
    try:
        kept = bytes(message.replace())
    except EncodeError as error:
        assert "family" in str(error)  # an address that the kernel would not accept
        return
    body = bytes(message)
    assert kept[: len(body)] == body and not any(kept[len(body) :]) and len(kept) - len(body) < 4


def check_written(message: Message, values: dict[str, Any]) -> None:
    """Check that the values can be written, and that what is written reads the same."""
    cls = type(message)
    first = written(cls, values)
    if first is None:
        return
    assert agree(message, first), (values, first.to_dict())
    second = written(cls, first.to_dict())
    assert second is not None and agree(first, second)
    third = written(cls, second.to_dict())  # a member that the first did not have may be 0 now
    assert third is not None and bytes(third) == bytes(second)


def written(cls: type[Message], values: dict[str, Any]) -> Message | None:
    """Return a message of some values, or None if EncodeError says which value does not fit.

    Reading is more tolerant than writing: it accepts a longer string, a struct of an older kernel
    and an address of another family.
    """
    try:
        return cls(**values)
    except EncodeError as error:
        assert error.path is not None and error.path.partition(".")[0] == cls.__name__
        check_words(error, error.value)
        return None


def agree(before: Any, after: Any) -> bool:
    """Whether a value and what it reads as, after it was written, mean the same.

    A struct of an older kernel lacks members, which are written as 0. Empty and false values need
    not be written. A number of items is always written as it is.
    """
    if before is None or (before in (False, (), {}) and after in (None, before)):
        return not after or (isinstance(after, Message) and all(agree(None, v) for _, v in after))
    if isinstance(before, Message):
        fields = type(before).__table__.names.items()
        return isinstance(after, Message) and all(
            agree_on(field, getattr(before, name), getattr(after, name)) for name, field in fields
        )
    if type(before) is tuple:
        return len(before) == len(after) and all(map(agree, before, after))
    if type(before) is dict:
        return all(agree(before.get(key), after.get(key)) for key in {**before, **after})
    return same(before, after)


def agree_on(field: Field, before: Any, after: Any) -> bool:
    """Whether the values of a field agree, see agree()."""
    if field.counts is not None or (field.number is None and before in (None, ())):
        return True
    if field.kind_name != "records":
        return agree(before, after)
    return len(before) == len(after) and all(
        agree(getattr(one, name), getattr(two, name))
        for one, two in zip(before, after, strict=True)
        for name, member in type(one).__table__.names.items()
        if member.number is not None or member.offset  # the length comes first, and is made anew
    )
