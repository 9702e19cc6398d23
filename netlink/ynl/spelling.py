"""Messages as dicts in the spelling of the spec: "dev-name", as the kernel's own tools use it.

arguments() turns such a dict into the arguments of a message class, and spelled() turns a message
into such a dict, which holds only what JSON can hold. The command line is built on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Flag
from typing import Any
from uuid import UUID

from netlink import render
from netlink.constants import names_of
from netlink.errors import EncodeError
from netlink.registry import near
from netlink.schema import Bitfield32, Field, Message, MessageClass
from netlink.ynl.document import Entry

__all__ = ["arguments", "spelled"]

INTEGER_KINDS = "us0123456789beint"  # the letters of the names of integer kinds, such as sbe32


def arguments(cls: MessageClass, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a message class for a dict in the spelling of the spec.

    Dash and underscore are the same. Bytes are hexadecimal text, and enums are names of the spec.
    Raises EncodeError with the path for a name or a value that is not possible.
    """
    return _arguments(cls, given, ())


Scope = tuple[dict[str, Any], ...]  # the arguments of the messages around, innermost first


def _arguments(cls: Any, given: Any, above: Scope) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise EncodeError(f"expected an object, got {given!r}", value=given)
    entries: dict[str, Entry] = cls.__spelled__
    fields = cls.__table__.names
    known = {_plain(key): name for name, key in cls.__keys__.items()}
    made: dict[str, Any] = {}
    later: list[tuple[str, Any]] = []
    for key, value in given.items():
        name = known.get(_plain(key)) or (key if key in fields else None)
        if name is None:
            reason = f"there is no {key!r}{near(key, cls.__keys__.values())}"
            raise EncodeError(reason, path=key, value=value)
        made[name] = None
        field = fields[name]
        if (field.element or field).choices is not None:  # the selector may come after it
            later.append((name, value))
        elif value is not None:
            made[name] = _at(field, value, entries[name], (made, *above))
    for name, value in later:
        if value is not None:
            made[name] = _at(fields[name], value, entries[name], (made, *above))
    return made


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _at(field: Field, value: Any, entry: Entry, scope: Scope) -> Any:
    try:
        return _value(field, value, entry, scope)
    except EncodeError as error:
        error.path = ".".join(filter(None, (entry["name"], error.path)))
        raise


def _value(field: Field, value: Any, entry: Entry, scope: Scope) -> Any:
    kind = field.kind_name
    element = field.element
    match kind:
        case "repeated" if element is not None:
            items = value if isinstance(value, list) else [value]
            return [_value(element, item, entry, scope) for item in items]
        case "array" | "scalars" if element is not None:
            if not isinstance(value, list):
                raise EncodeError(f"expected a list, got {value!r}", value=value)
            return [_value(element, item, entry, scope) for item in value]
        case "mapping" if element is not None:
            if not isinstance(value, Mapping):
                raise EncodeError(f"expected an object, got {value!r}", value=value)
            return {_whole(k): _value(element, v, entry, scope) for k, v in value.items()}
        case "nest" | "struct":
            return _arguments(field.message, value, scope)
        case "selected":
            return _selected(field, value, scope)
        case "binary":
            return _bytes(value, entry)
        case "bitfield32":
            if not isinstance(value, Mapping) or value.keys() != {"value", "selector"}:
                reason = f'expected {{"value": ..., "selector": ...}}, got {value!r}'
                raise EncodeError(reason, value=value)
            return _named(field, value["value"]), _named(field, value["selector"])
    return _named(field, value) if not kind.strip(INTEGER_KINDS) else value


def _whole(key: Any) -> int:
    try:
        return int(key)
    except ValueError:
        raise EncodeError(f"{key!r} is not a number", value=key) from None


def _named(field: Field, value: Any) -> Any:
    """Return an integer, or the names of an enum as numbers where the spec has them."""
    if isinstance(value, list):
        return [_named(field, item) for item in value]
    if not isinstance(value, str):
        return value
    names = getattr(field.enum, "__spelled__", {})
    for number, name in names.items():
        if _plain(name) == _plain(value):
            return number
    return int(value) if field.enum is None and value.isascii() and value.isdecimal() else value


def _bytes(value: Any, entry: Entry) -> bytes:
    if not isinstance(value, str):
        raise EncodeError(f"expected hexadecimal text, got {value!r}", value=value)
    try:
        if entry.get("display-hint") == "uuid" and "-" in value:
            return UUID(value).bytes
        return bytes.fromhex(value.replace(":", " "))
    except ValueError:
        raise EncodeError(f"{value!r} is not hexadecimal text", value=value) from None


def _selected(field: Field, value: Any, scope: Scope) -> Any:
    around = scope[field.climb] if field.climb < len(scope) else {}
    selector = around.get(field.selector or "")
    choice = (field.choices or {}).get(selector)
    if choice is None:
        if not isinstance(value, str):
            known = ", ".join(map(str, field.choices or ()))
            raise EncodeError(
                f"nothing is known for {field.selector} {selector!r}: use one of {known}, or "
                f"hexadecimal text",
                value=value,
            )
        return _bytes(value, Entry(0))
    return _arguments(choice, value, scope)


def spelled(message: Message) -> dict[str, Any]:
    """Return a message as a dict in the spelling of the spec, of values that JSON can hold.

    Enums are names of the spec, flags are lists of names, and bytes are hexadecimal text. An
    attribute that the spec does not declare has its number as its name, as in "#77".
    """
    made: dict[str, Any] = {}
    entries: dict[str, Entry] = type(message).__spelled__  # type: ignore[attr-defined]
    fields = type(message).__table__.names
    keys: dict[str, str] = type(message).__keys__  # type: ignore[attr-defined]
    for name, value in message:
        made[keys[name]] = _shown(fields[name], value, entries[name])
    for number, payload in message.unknown:
        made.setdefault(f"#{number}", []).append(payload.hex())
    return made


def _shown(field: Field, value: Any, entry: Entry) -> Any:
    kind = type(value)
    if (kind is str and value.isascii()) or kind is int or kind is bool:
        return value
    match value:
        case Message():
            return spelled(value)
        case Bitfield32():
            names = field.enum(value.selector) if field.enum is not None else value.selector
            return {
                "value": _shown(field, value.value, entry), "selector": _shown(field, names, entry)
            }  # fmt: skip
        case tuple():
            inner = field.element or field
            return [_shown(inner, item, entry) for item in value]
        case dict():
            inner = field.element or field
            return {str(key): _shown(inner, item, entry) for key, item in value.items()}
        case Flag():
            return _flag_names(value)
        case bytes() if entry.get("display-hint") == "uuid" and len(value) == 16:
            return str(UUID(bytes=value))
    names = getattr(type(value), "__spelled__", None)
    return render.json_value(value) if names is None else names[int(value)]


def _flag_names(value: Any) -> Iterable[str | int]:
    """Return the names of flags in the spec; bits without a name follow as one number."""
    members: Any = type(value)
    names = members.__spelled__
    return [
        names[int(members[name])] if isinstance(name, str) else name for name in names_of(value)
    ]
