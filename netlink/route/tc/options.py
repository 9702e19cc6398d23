"""Checks and defaults for the options of a kind, which plans apply before they send a request.

A plan checks options against the class of the kind, fills in what tc fills in, and refuses what tc
refuses. The tables of sch.py, cls.py and act.py declare which values a kind needs. This file must
not know any kind. It exists because the kernel often accepts a zero that makes a qdisc drop every
packet, or a filter match every packet.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from netlink.errors import EncodeError
from netlink.schema import Message
from netlink.words import Words, near

__all__ = ["Need", "Options", "Rules", "checked", "given", "made", "merged", "naming", "plain"]

M = TypeVar("M", bound=Message)

# The `options` argument of the plans: a mapping of fields of the kind's class, an instance of that
# class, or the bytes of the attribute.
Options = Message | Mapping[str, Any] | bytes


class Need(NamedTuple):
    """A value that the caller must give, and that must not be zero.

    `paths` are the fields that may contain it: "rate64|parms.rate.rate". `why` describes what the
    kernel does without it. `when` is also a list of fields: with it, the value is only needed if
    one of these fields is given and not zero.
    """

    paths: str
    why: str
    when: str = ""


class Rules(NamedTuple):
    """Rules for the options of one kind.

    `default` is what tc sends by default; the caller's options are merged into it. `fill` completes
    a copy of the caller's mapping; its second argument is the other fields of the message. `check`
    returns an error text for the encoded options, or None.
    """

    needs: tuple[Need, ...] = ()
    default: Mapping[str, Any] | None = None
    fill: Callable[[dict[str, Any], Mapping[str, Any]], None] | None = None
    check: Callable[[Any], str | None] | None = None


NO_RULES = Rules()


def checked(
    words: Words,
    classes: Mapping[str, type[Message]],
    rules: Mapping[str, Rules],
    beside: Mapping[str, Any] | None = None,
) -> Message | bytes | None:
    """Return the `options` of `kind` as a message to send, or None if there is nothing to send.

    `words` are the arguments of a plan, and `beside` are the other fields of the message. Raises
    TypeError for options that the kind does not have. Raises EncodeError for a value that is
    missing or does not fit.
    """
    kind, options = words.given["kind"], words.given["options"]
    place = f"{words.place}.options"
    rule = rules.get(kind, NO_RULES)
    cls = classes.get(kind)
    if isinstance(options, bytes):
        return options
    if isinstance(options, Message):
        if cls is None or not isinstance(options, cls):
            wanted = f"{cls.__name__}, a dict" if cls is not None else "bytes"
            raise TypeError(
                f"{place}: expected {wanted} or None for kind {kind!r}, "
                f"got {type(options).__name__}"
            )
        message = options
    elif options is None or isinstance(options, Mapping):
        if cls is None:
            if not options:
                return None
            raise TypeError(
                f"{place}: the options of kind {kind!r} are not declared, so they must be bytes; "
                f"{near(str(kind), classes)}"
            )
        if not options and rule.default is None:
            if rule.needs:
                _demand(place, kind, rule, cls())
            return None  # an empty struct would send zeros
        values = merged(rule.default or {}, options or {})
        if rule.fill is not None:
            rule.fill(values, beside or {})
        with naming(place):
            message = cls(**values)
    else:
        raise TypeError(
            f"{place}: expected a dict, a message, bytes or None, got {type(options).__name__}"
        )
    _demand(place, kind, rule, message)
    return message


def made(words: Words, name: str, cls: type[M]) -> M | None:
    """Return the message in an argument of a plan, which may be a dict of its fields."""
    value = words.message(name, cls)
    if not isinstance(value, dict):
        return value
    with naming(f"{words.place}.{name}"):
        return cls(**plain(value))


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Make errors in the construction of a message name `place` instead of the message's class."""
    try:
        yield
    except EncodeError as error:
        below = (error.path or "").partition(".")[2]
        error.path = f"{place}.{below}" if below else place
        raise
    except TypeError as error:
        raise TypeError(f"{place}: {error}") from None


def _demand(place: str, kind: str, rule: Rules, message: Message) -> None:
    """Raise EncodeError if the options lack a value that the kind needs."""
    for need in rule.needs:
        if need.when and not given(message, need.when):
            continue
        if not given(message, need.paths):
            paths = " or ".join(need.paths.split("|"))
            raise EncodeError(f"kind {kind!r} needs {paths}; {need.why}", path=place)
    if rule.check is not None and (wrong := rule.check(message)) is not None:
        raise EncodeError(wrong, path=place)


def given(value: Any, paths: str) -> bool:
    """Return whether one of the paths "a|b.c" leads to a value that is not zero.

    If a path leads to a sequence, every element must have such a value.
    """
    return any(_leads(value, path.split(".")) for path in paths.split("|"))


def _leads(value: Any, names: list[str]) -> bool:
    if isinstance(value, tuple) and names:
        return bool(value) and all(_leads(item, names) for item in value)
    if not names or value is None:
        return value is not None and (not isinstance(value, int | tuple) or bool(value))
    return _leads(getattr(value, names[0]), names[1:])


def merged(default: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `values` into `default` and return new dicts at every level."""
    result: dict[str, Any] = plain(default)
    for key, value in values.items():
        if value is None:
            continue  # not given
        below = result.get(key)
        if isinstance(value, Mapping) and isinstance(below, dict):
            result[key] = merged(below, value)
        else:
            result[key] = plain(value)
    return result


def plain(value: Any) -> Any:
    """Return a value with dicts instead of other mappings, and without fields that are None."""
    if isinstance(value, Mapping):
        return {
            key: plain(item)
            for key, item in value.items()
            if item is not None or not isinstance(key, str)
        }
    if type(value) in (list, tuple):
        return [plain(item) for item in value]
    return value
