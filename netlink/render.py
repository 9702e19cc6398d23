"""Messages as Python values, JSON values and text: to_dict(), to_json(), repr() and pretty().

Everything here reads a message through the walk of the core and through its fields. It must not
know any message class. It exists so that netlink/schema.py holds declarations only.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, Flag
from typing import Any, cast

from netlink._core import Bitfield32, View
from netlink.constants import names_of

__all__ = ["describe", "json_value", "plain", "pretty"]

REPR_FIELDS = 12  # the most fields that repr() shows, so that a wide message stays readable


def plain(value: Any) -> Any:
    """Return a value for to_dict(): messages become dicts."""
    if isinstance(value, View):
        return cast(Any, value).to_dict()
    if type(value) is tuple:
        return tuple(plain(item) for item in value)
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
            return "|".join(map(str, names_of(value))) or "0"
        case Enum():
            return value.name
        case bytes():
            return value.hex(" ")
        case tuple():
            return f"[{', '.join(map(text, value))}]"
        case dict():
            return f"{{{', '.join(f'{text(key)}: {text(item)}' for key, item in value.items())}}}"
        case str():
            return "".join(c if c.isprintable() else repr(c)[1:-1] for c in utf8(value))
        case _:
            return str(value)


def utf8(words: str) -> str:
    """Return text without lone surrogates, which stand for bytes that are not UTF-8."""
    return words.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def describe(message: Any) -> str:
    """Return the repr() of a message: its name, its class and its most telling fields."""
    shown = [f"{name}={text(value)}" for name, value in message if not is_dull(value)]
    if len(shown) > REPR_FIELDS:
        shown[REPR_FIELDS:] = [f"+{len(shown) - REPR_FIELDS} more"]
    name = type(message).__name__
    if message.nlmsg_name is not None:
        name = f"{message.nlmsg_name} {name}"
    return f"<{' '.join([name, *shown])}>"


def pretty(message: Any) -> str:
    """Return the whole message as indented lines, one for each field."""
    title = " ".join(filter(None, (message.nlmsg_name, type(message).__name__)))
    return "\n".join([title, *_lines(message, "    ")])


def _lines(message: Any, indent: str) -> Iterator[str]:
    """Yield one line for each field; nested messages follow below their name."""
    rows: list[tuple[str, Any]] = list(message)
    rows += [(f"#{number}", payload) for number, payload in message.unknown]
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        items = value if type(value) is tuple else (value,)
        if not any(isinstance(item, View) for item in items):
            yield f"{indent}{name:{width}}  {text(value)}"
            continue
        for position, item in enumerate(items):
            yield f"{indent}{name}" if value is item else f"{indent}{name}[{position}]"
            yield from _lines(item, indent + "    ")


def is_dull(value: Any) -> bool:
    """Whether repr() leaves a value out: zeros, and blocks of counters."""
    if isinstance(value, View):
        fields: Any = value
        table = type(fields).__table__
        return not table.has_attributes or all(is_dull(item) for _, item in fields)
    return value is None or value == 0 or value == ()
