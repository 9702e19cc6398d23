"""Every public callable of the package, with arguments for calls that succeed and that fail.

Functions, classes, ops and plans are found in the modules, methods on the instances of `objects()`.
Arguments follow from the annotations. So a new callable is covered without a line here. This file
contains no test.
"""

from __future__ import annotations

import collections.abc
import contextlib
import enum
import inspect
import itertools
import types
import typing
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import netlink
from netlink import Family, Message, Op, Request, _core, schema
from netlink.route import FAMILY as ROUTE
from netlink.route import link
from netlink.testing import Datagram, Socket
from tools.declarations import modules

from . import things, wire
from .drivers import blocking, looped
from .generated import CLASSES

ENDLESS = 3  # how many items are taken of an iterator
DATAGRAM = wire.message(16, bytes(link.Link(index=1, ifname="lo", mtu=1500)), seq=1, flags=0)
# What an argument is by its name, if its annotation says too little.
NAMED: dict[str, Any] = {
    "data": DATAGRAM, "timeout": 0, "protocol": 0, "framing": "netlink", "fd": -1, "nstype": 0,
    "flags": 0, "name": "lo", "dev": "lo", "payload": bytes(link.Link(ifname="lo")),
    "level": 270, "option": 11, "value": 1, "families": ROUTE, "netns": None, "group": 1,
    "groups": 1, "request": things.get(number=1), "requests": [things.get(number=1)],
    "items": [things.get(number=1)], "paths": "number", "buffers": [DATAGRAM],
    "datagrams": Datagram(DATAGRAM),
}  # fmt: skip
SAMPLES: dict[Any, Any] = {
    int: 1, str: "lo", bytes: DATAGRAM, bool: True, float: 0.0, Family: ROUTE, Op: link.get,
    Request: things.get(number=1), Message: link.Link(ifname="lo"), Path: Path("/nowhere"),
    memoryview: memoryview(DATAGRAM), _core.Table: link.Link.__table__,
    _core.Field: schema.u32(1), _core.Dispatch: ROUTE.dispatch, type: link.Link,
}  # fmt: skip
# What a field may hold by its kind, 1 for all others.
VALUES: dict[str, Any] = {
    "flag": True, "string": "lo", "pairs": {"A": "1"}, "binary": b"\1\2\3\4",
    "address": "192.0.2.1", "labels": (16,), "mac": "02:00:00:00:00:01", "bitfield32": (1, 1),
    "lladdr": "02:00:00:00:00:01", "struct": {}, "nest": {}, "selected": b"\1\2", "scalars": (1,),
    "array": (1,), "mapping": {1: 1}, "repeated": (1,), "records": ({},),
}  # fmt: skip
NONSENSE = b"".join(wire.attribute(number, b"\1\2\3\4\5") for number in range(1, 40))
# They belong to object, or would replace what is called. Caches of `typing` hold what [] returns.
INHERITED = {
    "__class__", "__class_getitem__", "__del__", "__delattr__", "__format__", "__getattribute__",
    "__init__", "__init_subclass__", "__new__", "__reduce__", "__reduce_ex__", "__setattr__",
    "__subclasshook__",
}  # fmt: skip


class Forgetful(list[Any]):
    """The requests that a scripted socket received: it must not grow."""

    def append(self, item: Any) -> None:
        """Forget the item."""


class Callee(NamedTuple):
    """Something to call, with the arguments of all its calls."""

    name: str
    function: Callable[..., Any]
    arguments: list[tuple[tuple[Any, ...], dict[str, Any]]]

    def __call__(self) -> int:
        """Make all calls. Return how many of them succeeded."""
        succeeded = 0
        for args, kwargs in self.arguments:
            try:
                result = self.function(*args, **kwargs)
                if result is not getattr(self.function, "__self__", None):
                    use(result)
                succeeded += 1
            except Exception:
                pass
        return succeeded


def use(result: Any) -> None:
    """Use what a call returned: take items of an iterator, and close what can be closed."""
    if isinstance(result, collections.abc.Iterator):
        for _ in itertools.islice(result, ENDLESS):
            pass
    if hasattr(result, "close") and not isinstance(result, type):
        result.close()


def sample(hint: Any, name: str) -> Any:
    """Return a value for a parameter, by its name or its annotation."""
    if name in NAMED:
        return NAMED[name]
    origin: Any = typing.get_origin(hint) or hint
    args = typing.get_args(hint)
    if origin is typing.Union or origin is types.UnionType:
        return sample(next((arg for arg in args if arg is not type(None)), None), name)
    if origin is typing.Literal:
        return args[0]
    if origin in SAMPLES:
        return SAMPLES[origin]
    if isinstance(origin, type):
        if issubclass(origin, enum.Enum):
            return next(iter(origin), 0)
        if issubclass(origin, Message):
            return origin()
        if issubclass(origin, collections.abc.Mapping):
            return {}
        if origin is collections.abc.Callable:
            return lambda *args, **kwargs: None
        if issubclass(origin, collections.abc.Iterable) and args:
            return [sample(args[0], "")]
    return 1


def arguments(function: Callable[..., Any]) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Return the arguments of several calls: as declared, then wrong in all usual ways."""
    wrong = object()
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((wrong,), {}), ((wrong,) * 9, {}), ((), {"nonsense": wrong}), (("lo",), {}),
        ((DATAGRAM,), {}), ((0,), {}), ((0, 0), {}),
    ]  # fmt: skip
    try:
        parameters = inspect.signature(function).parameters.values()
        hints = typing.get_type_hints(function)
    except (TypeError, ValueError, NameError, AttributeError):
        return [((), {}), *found]
    for is_complete in (True, False):
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for p in parameters:
            # Without a timeout, a socket would wait for ever.
            if p.default is not p.empty and p.name != "timeout" and not is_complete:
                continue
            value = sample(hints.get(p.name), p.name)
            if p.kind is p.KEYWORD_ONLY or (
                p.default is not p.empty and p.kind is not p.POSITIONAL_ONLY
            ):
                kwargs[p.name] = value
            elif p.kind is not p.VAR_KEYWORD:
                args.append(value)
        found.insert(0, (tuple(args), kwargs))
    return found


def callee(name: str, function: Callable[..., Any], declared: Any = None) -> Callee:
    """Return a Callee with all arguments; `declared` has the signature, if `function` has none."""
    return Callee(name, function, arguments(declared or function))


def public_modules() -> list[types.ModuleType]:
    """The modules whose names are public, and the two that are written for C."""
    return [
        module
        for module in modules("netlink")
        if not any(part.startswith("_") for part in module.__name__.split("."))
        or module.__name__ in ("netlink._core", "netlink._nlsock")
    ]


def of_modules() -> Iterator[tuple[str, list[Callee]]]:
    """Yield (module, callables that it defines), except message classes and methods."""
    for module in public_modules():
        found = []
        for name, value in vars(module).items():
            if name.startswith("_") or isinstance(value, Op) or not callable(value):
                continue
            if getattr(value, "__module__", None) != module.__name__:
                continue
            if isinstance(value, type) and issubclass(value, Message | enum.Enum):
                continue
            found.append(callee(f"{module.__name__}.{name}", value))
        if found:
            yield module.__name__, found


def of_messages() -> Iterator[tuple[str, list[Callee]]]:
    """Yield (module, what can be done with each of its message classes)."""
    for module, classes in itertools.groupby(CLASSES, lambda cls: cls.__module__):
        yield (
            f"messages of {module}",
            [
                Callee(f"{module}.{cls.__qualname__}", use_message, [((cls,), {})])
                for cls in classes
            ],
        )


def use_message(cls: type[Message]) -> None:
    """Make instances of a message class, one for each field, and do everything with them."""
    use_instance(cls())
    for name, field in cls.__table__.names.items():
        for value in (VALUES.get(field.kind_name, 1), None, object()):
            try:
                message = cls(**{name: value})
                use_instance(message)
                message.replace(**{name: value})
            except (netlink.NetlinkError, TypeError, ValueError):
                pass
    body = cls.__table__.total
    for data in (bytes(cls()), bytes(body) + NONSENSE, b""):
        with contextlib.suppress(netlink.DecodeError):
            use_instance(cls.from_bytes(data))


def use_instance(message: Message) -> None:
    """Read everything of a message."""
    for name in type(message).__table__.names:
        with contextlib.suppress(netlink.DecodeError):
            getattr(message, name)
    for read in (repr, hash, bytes, Message.to_dict, Message.to_json, Message.pretty):
        with contextlib.suppress(netlink.DecodeError):
            read(message)
    assert message == type(message).from_bytes(bytes(message))


def of_ops() -> Iterator[tuple[str, list[Callee]]]:
    """Yield (module, ops that it defines)."""
    for module in public_modules():
        ops = [value for value in vars(module).values() if isinstance(value, Op)]
        if ops:
            yield f"ops of {module.__name__}", [callee(op.name, op) for op in ops]


def of_enums() -> Iterator[tuple[str, list[Callee]]]:
    """Yield (module, enums that it defines), with known and unknown values and names."""
    for module in public_modules():
        enums = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, enum.Enum)
            and value.__module__ == module.__name__
        ]
        if enums:
            yield (
                f"enums of {module.__name__}",
                [
                    Callee(
                        f"{module.__name__}.{cls.__name__}",
                        partial(use_enum, cls, itertools.cycle(range(10**6, 10**6 + 8))),
                        [((value,), {}) for value in (*list(cls)[:1], 0, None, "lo", object())],
                    )
                    for cls in enums
                ],
            )


def use_enum(cls: Any, unknown: Iterator[int], value: Any) -> None:
    """Make a member of an enum from a value; None stands for a value that has no name.

    Such values recur, because an enum keeps some: see test_bounds.py for all that it never saw.
    """
    repr(cls(next(unknown) if value is None else value))


def of_objects() -> Iterator[tuple[str, list[Callee]]]:
    """Yield (class, methods of an instance)."""
    for name, instance in objects():
        yield f"methods of {name}", methods(name, instance)


def methods(name: str, instance: Any) -> list[Callee]:
    """The public and the special methods of an object."""
    inner = getattr(instance, "inner", instance)
    found = []
    for attribute in dir(type(inner)):
        is_special = attribute.startswith("__")
        if attribute in INHERITED or (attribute.startswith("_") and not is_special):
            continue
        if callable(value := getattr(instance, attribute, None)):
            found.append(callee(f"{name}.{attribute}", value, getattr(inner, attribute)))
        else:
            found.append(Callee(f"{name}.{attribute}", getattr, [((instance, attribute), {})]))
    # What ends an object comes last: after that, every other method fails.
    return sorted(found, key=lambda found: found.name.endswith((".close", "__exit__", "__aexit__")))


def objects() -> Iterator[tuple[str, Any]]:
    """Yield (name, instance) of the public classes whose methods do something."""
    for make in (blocking, looped):
        socket = Socket(things.few, things.FAMILY)
        socket.requests = Forgetful()
        nl = make(things.FAMILY, socket=socket, timeout=1)
        name = type(getattr(nl, "inner", nl)).__module__
        yield f"{name}.Reply", nl.dump(things.get())
        yield f"{name}.Subscription", nl.subscribe("thing")
        yield f"{name}.Connection", nl
    yield "Socket", Socket(things.few, things.FAMILY)
    yield "RawSocket", netlink.RawSocket(0)
    yield "Message", link.Link(index=1, ifname="lo", linkinfo={"kind": "veth"})
    yield "Request", link.get(ifname="lo")
    yield "Op", link.get
    yield "Plan", link.up("lo")
    yield "Family", ROUTE
    yield "Field", link.Link.__table__.names["mtu"]
    yield "Table", link.Link.__table__
    yield "Dispatch", ROUTE.dispatch
    yield "Bitfield32", netlink.Bitfield32(1, 1)
    yield "RawMessage", next(netlink.iter_messages(DATAGRAM))
    yield "Messages", netlink.parse(DATAGRAM, ROUTE)
