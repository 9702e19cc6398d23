"""Messages as Python values, JSON values and text: to_dict(), to_json(), repr() and pretty().

Everything here reads a message through the walk of the core and through its fields. It must not
know any message class. It exists so that netlink/schema.py holds declarations only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum, Flag
from typing import Any, NamedTuple, cast

from netlink._core import Bitfield32, View
from netlink.constants import NLA_TYPE_MASK, KernelNumber, names_of, words_of
from netlink.errors import DecodeError

__all__ = ["describe", "json_value", "plain", "pretty", "printable", "value_or"]

# What repr() shows at most, so that a wide message stays readable.
REPR_ROOM = 700  # characters, approximately
REPR_FIELDS = 18  # of one message
REPR_ITEMS = 8  # of a tuple or dict
REPR_BYTES = 24
REPR_TEXT = 100  # characters of a string
ITEM_ROOM = 80  # characters for a message in a tuple, and
LEAST_ROOM = 4  # for any other value; with less room, it is not shown
SMALL = 3  # members of a struct whose zeros are shown
FULL, EMPTY, COUNTED = range(3)  # ranks of values: what repr() prefers to show
COUNTERS = "(?i)stats|cacheinfo|_pcnt|^tcf_t$"  # compiled when it is first used


def plain(value: Any) -> Any:
    """Return a value for to_dict(): messages become dicts."""
    if isinstance(value, View):
        return cast(Any, value).to_dict()
    if type(value) is tuple:
        return tuple([plain(item) for item in value])
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    return value


def json_value(value: Any) -> Any:
    """Return a value for to_json(): only what JSON can hold."""
    match value:
        case View():
            return cast(Any, value).to_json()
        case Bitfield32():
            return {"value": json_value(value.value), "selector": value.selector}
        case tuple():
            return [json_value(item) for item in value]
        case dict():
            return {_json_key(key): json_value(item) for key, item in value.items()}
        case Flag():
            return names_of(value)
        case Enum():
            return value.name
        case KernelNumber():
            return str(value)
        case bytes():
            return value.hex()
        case None | bool() | int():
            return value
        case str():
            return utf8(value)
        case _:
            return str(value)


def _json_key(key: Any) -> str:
    return key.name if isinstance(key, Enum) else str(key)


def text(value: Any) -> str:
    """Return a value as people read it: kernel names without decoration, bytes in pairs."""
    match value:
        case View():
            return repr(value)
        case Bitfield32():
            return f"{text(value.value)} of {value.selector:#x}"
        case Flag():
            return words_of(value)
        case Enum():
            return value.name
        case bytes():
            return value.hex(" ")
        case tuple():
            return f"[{', '.join(map(text, value))}]"
        case dict():
            return f"{{{', '.join(f'{text(key)}: {text(item)}' for key, item in value.items())}}}"
        case str():
            return printable(value)
        case _:
            return str(value)


def utf8(words: str) -> str:
    """Return text without lone surrogates, which stand for bytes that are not UTF-8."""
    return words.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def printable(words: str) -> str:
    """Return text that a terminal shows and does not obey, with escapes for all other characters.

    A byte that is not UTF-8 is spelled as in JSON, "\\xff". The names of links may hold any byte
    but a slash and white space (dev_valid_name in net/core/dev.c).
    """
    words = utf8(words)
    return words if words.isprintable() else "".join(map(_shown, words))


def _shown(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def describe(message: Any) -> str:
    """Return the repr() of a message: one line of bounded length.

    An attribute that is present is shown even if its value is 0, unless it is a block of counters
    that are all 0. A header member is shown unless it is 0. If there is not enough room, counters
    give way first, then zeros, then the attributes with the highest numbers: the oldest attributes
    are the essential ones. A value that cannot be decoded is shown as its bytes.
    """
    return _brief(message, REPR_ROOM)


class _Row(NamedTuple):
    """A value that repr() may show. Those with the lowest rank and number are preferred."""

    rank: int
    number: int
    name: str
    value: Any


class _Undecoded(NamedTuple):
    """A payload that is not a value of its kind."""

    payload: bytes


def _brief(message: Any, room: int) -> str:
    """Return a message in about `room` characters.

    Plain values come first, because they are short. Nested messages share the room that is left.
    """
    name = type(message).__name__
    if message.nlmsg_name is not None:
        name = f"{message.nlmsg_name} {name}"
    room -= len(name)
    rows = _rows(message)
    chosen = sorted(range(len(rows)), key=lambda place: rows[place][:2])[:REPR_FIELDS]
    chosen.sort(key=lambda place: _is_deep(rows[place].value))  # stable: the order above remains
    last = chosen[-1:]
    shown: dict[int, str] = {}
    for place in chosen:
        row = rows[place]
        share = room if [place] == last or not _is_deep(row.value) else room * 2 // 3
        share -= len(row.name)
        if share < LEAST_ROOM:
            continue
        shown[place] = f"{row.name}={_short(row.value, share)}"
        room -= len(shown[place]) + 1
    parts = [shown[place] for place in sorted(shown)]
    if len(parts) < len(rows):
        parts.append(f"+{len(rows) - len(parts)} more")
    return f"<{' '.join([name, *parts])}>"


def _rows(message: Any) -> list[_Row]:
    """Return what repr() may show of a message, in the order of the message."""
    table = type(message).__table__
    body = bytes(message)
    # A small struct, such as a range, is not clear without its zeros. An open-ended member is as
    # long as what was put there.
    is_small = len(table.names) <= SMALL and not table.has_attributes
    rows = []
    names = {}
    for name, field in table.names.items():
        if field.number is not None:
            names[field.number] = name
            continue
        payload = body[field.offset : field.offset + field.size]
        value = value_or(message, name, _Undecoded(payload))
        if value is not None and (is_small or not _is_zero(value) or (value and not field.size)):
            rows.append(_Row(FULL, -1, name, value))
    seen = {field.number for field in table.fields if field.name[0] == "_"}  # padding
    for kind, offset, length in message._walk():
        number = kind & NLA_TYPE_MASK
        payload = body[offset : offset + length]
        if number not in names and number not in seen:
            rows.append(_Row(EMPTY, number, f"#{number}", payload))
        elif number not in seen:
            seen.add(number)
            value = value_or(message, names[number], _Undecoded(payload))
            is_zero = _is_zero(value)
            if not _is_counters(value):
                rows.append(_Row(EMPTY if is_zero else FULL, number, names[number], value))
            elif not is_zero:
                rows.append(_Row(COUNTED, number, names[number], value))
    return rows


def value_or(message: Any, name: str, otherwise: Any) -> Any:
    """Return the value of a field, or `otherwise` if the bytes cannot be decoded."""
    try:
        return getattr(message, name)
    except DecodeError:
        return otherwise


def _is_deep(value: Any) -> bool:
    """Whether a value may hold messages."""
    return isinstance(value, View | dict) or type(value) is tuple


def _is_zero(value: Any) -> bool:
    """Whether a value is 0, absent or empty, or a struct or array of nothing else."""
    if isinstance(value, View):
        fields: Any = value
        if not type(fields).__table__.has_attributes:
            return not any(bytes(value))
        body = bytes(value)
        return _is_counters(value) and not any(
            any(body[offset : offset + length]) for _, offset, length in fields._walk()
        )
    if type(value) is tuple:
        return all(map(_is_zero, value))
    return not value


def _is_counters(value: Any) -> bool:
    """Whether a value is a block of counters, as the kernel's name of its class tells."""
    if type(value) is tuple:
        return bool(value) and all(map(_is_counters, value))
    return isinstance(value, View) and re.search(COUNTERS, type(value).__name__) is not None


def _short(value: Any, room: int) -> str:
    """Return a value as text, in about `room` characters."""
    if isinstance(value, View):
        return _brief(value, room)
    if isinstance(value, _Undecoded):
        return f"undecoded({_short(value.payload, room)})"
    if type(value) is tuple:
        return f"[{', '.join(_series(enumerate(value), len(value), room, ''))}]"
    if type(value) is dict:
        return f"{{{', '.join(_series(value.items(), len(value), room, ': '))}}}"
    if isinstance(value, bytes):
        shown = max(1, min(REPR_BYTES, room // 3))
        rest = len(value) - shown
        return value.hex(" ") if rest <= 0 else f"{value[:shown].hex(' ')} +{rest} bytes"
    words = text(value)
    return words if len(words) <= REPR_TEXT else f"{words[:REPR_TEXT]}..."


def _series(items: Iterable[tuple[Any, Any]], count: int, room: int, colon: str) -> Iterator[str]:
    """Yield the first values of a tuple or of a dict: few whole ones rather than many in parts."""
    for position, (key, item) in enumerate(items):
        label = f"{text(key)}{colon}" if colon else ""
        least = ITEM_ROOM if isinstance(item, View) else LEAST_ROOM
        if position == REPR_ITEMS or (position and room < least):
            yield f"+{count - position} more"
            break
        share = min(room, max(least, room // (count - position)))
        words = label + _short(item, share - len(label))
        yield words
        room -= len(words) + len(", ")


def pretty(message: Any) -> str:
    """Return the whole message as indented lines, one for each field.

    A value that cannot be decoded, or that is nested deeper than MAX_DEPTH, is shown as its bytes.
    """
    lines = [" ".join(filter(None, (message.nlmsg_name, type(message).__name__)))]
    _add_lines(message, "    ", lines)
    return "\n".join(lines)


def _add_lines(message: Any, indent: str, lines: list[str]) -> None:
    """Append one line for each field; nested messages follow below their name.

    This is not a generator: each level of nested generators takes more of the C stack than the
    calls of a function do.
    """
    rows = _all_rows(message)
    rows += [(f"#{number}", payload) for number, payload in message.unknown]
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        _add_value(name, value, indent, width, lines)


def _all_rows(message: Any) -> list[tuple[str, Any]]:
    """Return the values of a message by name, like its iterator, and bytes for invalid values."""
    try:
        return list(message)
    except DecodeError:
        pass
    table = type(message).__table__
    body = bytes(message)
    rows: list[tuple[str, Any]] = []
    for name, field in table.names.items():
        if field.number is None:
            payload = body[field.offset : field.offset + field.size if field.size else None]
            rows.append((name, value_or(message, name, _Undecoded(payload))))
    seen = set()
    for kind, offset, length in message._walk():
        number = kind & NLA_TYPE_MASK
        name = table.numbered.get(number)
        if name in table.names and number not in seen:
            seen.add(number)
            payload = body[offset : offset + length]
            rows.append((name, value_or(message, name, _Undecoded(payload))))
    return rows


def _add_value(name: str, value: Any, indent: str, width: int, lines: list[str]) -> None:
    """Append the lines of one value; the items of a tuple or dict of messages get lines each."""
    if isinstance(value, View):
        lines.append(f"{indent}{name}")
        _add_lines(value, indent + "    ", lines)
    elif type(value) is tuple and any(map(_is_deep, value)):
        for position, item in enumerate(value):
            _add_value(f"{name}[{position}]", item, indent, width, lines)
    elif type(value) is dict and any(map(_is_deep, value.values())):
        for key, item in value.items():
            _add_value(f"{name}[{text(key)}]", item, indent, width, lines)
    elif isinstance(value, _Undecoded):
        lines.append(f"{indent}{name:{width}}  undecoded({text(value.payload)})")
    else:
        lines.append(f"{indent}{name:{width}}  {text(value)}")
