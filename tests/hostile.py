"""Calls every callable of the compiled modules with hostile arguments, in this process.

`python -m tests.hostile JOURNAL PART PARTS` executes one part. It writes the name of each call to
the journal first, so that a crash can be named, and prints what an exception should not be. The
callables are found by looking at the modules, so new ones are covered at once: only a new type
needs an entry in `samples`. tests/test_hostile.py starts the parts and reads the journal.
"""

import array
import ast
import copy
import copyreg
import errno
import gc
import inspect
import os
import pickle
import random
import resource
import signal
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from netlink import (
    Connection,
    DecodeError,
    Fd,
    Message,
    Pid,
    _core,
    _exchange,
    _nlsock,
    _pipeline,
    _resolver,
    _transport,
    aio,
    connection,
    engine,
    errors,
)
from netlink import schema as s
from netlink.family import Op
from netlink.route import link
from netlink.route.link import Link
from netlink.testing import Socket
from netlink.trace import Decoder
from tests import plays, things, wire
from tests.builds import IS_SANITIZED

COMPILED = (errors, _exchange, _resolver, engine, _pipeline, _transport, connection, aio)
MODULES = (_core, _nlsock, *COMPILED)
NETLINK_USERSOCK = 2  # the kernel does not answer there
HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: an ordinary class
# Of several arguments, for each callable.
DRAWS = 60 if os.environ.get("NETLINK_LONG") else 8 if IS_SANITIZED else 20
STALL = 0.5  # seconds after which a call that waits is interrupted


class Stalled(Exception):
    """Raised by a signal handler in a call that waits."""


# --- what is called -------------------------------------------------------------------------------


def types() -> list[type]:
    """Return the types of the modules, also the internal ones, which no name leads to."""
    names = {module.__name__ for module in MODULES}
    found = {value for module in MODULES for value in vars(module).values()
             if isinstance(value, type) and value.__module__ in names}  # fmt: skip
    found |= {cls for cls in object.__subclasses__() if cls.__module__ in names}
    # Cython's own types for functions and generators are not ours.
    foreign = ("cython", "coroutine", "__pyx")
    return sorted(
        (cls for cls in found if not any(name in cls.__name__ for name in foreign)),
        key=lambda cls: cls.__name__,
    )


def functions() -> list[tuple[str, Any]]:
    """Return the functions that the modules define."""
    return [
        (f"{module.__name__}.{name}", value)
        for module in MODULES
        for name, value in sorted(vars(module).items())
        if callable(value) and not isinstance(value, type) and name[:2] != "__"
        and getattr(value, "__module__", None) in (module.__name__, None)
    ]  # fmt: skip


class Sample(Message):
    """A message with a field of every kind."""

    family: int = s.u8()
    kind_: int = s.u8()
    u8: int | None = s.u8(1)
    sint: int | None = s.sint(2)
    flag: bool = s.flag(3)
    name: str | None = s.string(4, size=16)
    pairs: Any = s.pairs(5)
    raw: bytes | None = s.binary(6)
    addr: s.Addr = s.address(7, by_family=True)
    labels: Any = s.labels(8)
    mac: str | None = s.mac(9)
    lladdr: Any = s.lladdr(10)
    bits: Any = s.bitfield32(11)
    nest: "s.Nested[Sample]" = s.nest(12, lambda: Sample)
    chosen: Any = s.selected(13, "name", {"a": s.u32(), "b": lambda: None, "c": s.array(0, s.u8())})
    numbers: Any = s.scalars(14, s.be16())
    array: Any = s.array(15, s.nest(0, lambda: Sample))
    mapping: Any = s.mapping(16, s.mapping(s.u8()))
    repeated: Any = s.repeated(17, s.nest(0, lambda: Sample))
    flags: Any = s.u32(19, enum=link.IFF)


def message(kind: int, body: bytes, flags: int = 0) -> bytes:
    return wire.message(kind, body, flags=flags)


LINKS = b"".join(
    message(16, bytes(Link(index=n, ifname=f"v{n}", linkinfo={"kind": "vlan", "data": {"id": n}})))
    for n in range(4)
)


INVALID = Sample.from_bytes(b"\2\0\0\0" + wire.attribute(12, b"\1") + wire.attribute(1, b"12"))


def places(message: Message) -> Iterator[Any]:
    """Yield what the errors of a message know of their places."""
    for name in type(message).__table__.names:
        try:
            getattr(message, name)
        except DecodeError as error:
            yield error._path


def samples() -> dict[type, list[Any]]:
    """Return new instances of every type."""
    dispatch = _core.Dispatch()
    dispatch.meaning(16, "RTM_NEWLINK", "route", False).give(Link)
    generic = _core.Dispatch()
    generic.nest(16, dispatch)
    gather = _core.Gather(Link.__table__, dispatch, "ifname", "index")
    gather.feed(LINKS, 0, len(LINKS))
    empty = _core.Gather(Link.__table__, dispatch, "ifname")
    columns = gather.finish()
    gather.feed(LINKS, 0, len(LINKS))
    received = list(_core.Messages(LINKS, dispatch))
    index = struct.pack(_core.INDEX_FORMAT, 0, len(LINKS), 0, 0, -1, 0)
    sample = Sample(
        name="a", chosen=7, addr="192.0.2.1", nest={"u8": 1}, repeated=[{"u8": 2}] * 2,
        mapping={1: {2: 3}}, array=[{"u8": 3}], flags=0x55555555,
    )  # fmt: skip
    op = Op("x.get", 16, request=Link, reply=Link)
    found: list[Any] = [
        dispatch, generic, gather, empty, *columns.values(), *received, sample, link.get(index=1),
        INVALID, *places(INVALID),
        received[0].linkinfo.data, op, Link.__table__, Sample.__table__,
        _core.Verb.__new__(_core.Verb),
        *(vars(Sample)[name] for name in Sample.__table__.names), s.u8(), s.nest(1, Sample),
        _core.Messages(LINKS, dispatch), _core.Messages(LINKS, generic), _core.Origin(1, 2),
        *_core.runs(LINKS, index), dispatch.find(16), _core.Meaning(1, "a", "b"),
        _core.Bitfield32(1, 2), _core.iter_messages(LINKS), *_core.iter_messages(LINKS),
        _core.iter_attributes(LINKS[32:]), *list(_core.iter_attributes(bytes(sample)[4:]))[:2],
        _core.View.__new__(_core.View), Sample.__new__(Sample),
        _nlsock.RawSocket(NETLINK_USERSOCK),
    ]  # fmt: skip
    closed = _nlsock.RawSocket(NETLINK_USERSOCK)
    closed.close()
    found += [closed, *conversation()]
    by_type: dict[type, list[Any]] = {cls: [] for cls in types()}
    for one in found:
        for cls in type(one).__mro__:
            if cls in by_type:
                by_type[cls].append(one)
                break
    for cls, instances in by_type.items():
        with suppress(Exception):  # without __init__, if the type allows it
            new: Any = cls.__new__
            instances.append(new(cls))
    return by_type


def conversation() -> Iterator[Any]:
    """Yield new instances of the types of the conversation, over a scripted kernel."""
    family, request = things.FAMILY, things.get(number=1)
    nl = Connection(family, socket=Socket(things.things, family))
    tasks = aio.Connection(family, socket=Socket(things.things, family))
    for each in nl, tasks:
        own = each._engine
        exchange, batch = own.submit(request), own.submit_batch([request] * 3)
        yield from (each, own, exchange, batch, own.submit(request, dump=True), own.stats)
        yield from (engine.Queue(own.dispatch), own.events, each.dump(things.get()), own.resolver)
    found = nl.do(request)
    assert found is not None and found.number == 1
    yield from (nl._channel, nl._channel.gate, nl.subscribe("thing"), connection.Gate())
    yield from (aio.Subscription(tasks, tasks._engine.events), tasks.do_many([request]))
    yield from (aio.Stream(list), aio.Batches(tasks, tasks._engine.events, 0.0, None))
    yield from (aio.Step(Ended()), aio.Source(tasks.events()))
    yield from (Pid(1), Fd(0), _transport.Inherited(), _resolver.resolver_for((plays.PLAY,)))
    decoder = Decoder((family,), dispatch=nl._engine.dispatch)
    yield _transport.TracedSocket(Socket(things.things, family), len, decoder)
    room = _pipeline.Room(nl._engine, 5)
    yield from (room, _pipeline.Window(None, 1 << 16), _pipeline.Part(request, None))
    yield from (_pipeline.Take(1, True), _pipeline.Outcomes([1]), _pipeline.Pace(room))
    yield from (cls(batch) for cls in (_pipeline.Ahead, _pipeline.Ended, _pipeline.Next))
    yield from (_pipeline.Join([1]), _pipeline.Leave([1]), _pipeline.Event(own.events, 0.0))
    yield _pipeline.Attach(None, False)
    yield _pipeline.Pipeline(
        nl._engine, 1 << 16, window=None, ack_last=False, raise_errors=False, timeout=0.0
    )
    for cls in (errors.NetlinkError, errors.DecodeError, errors.EncodeError, errors.KernelWarning):
        yield cls("text")
    for number in (0, errno.EPERM, errno.ENOENT, errno.EEXIST, errno.ESRCH):
        yield errors.KernelError(number, "text", request=request)
    yield from (errors.DumpInterrupted([1]), errors.Overrun(3, "queue"))


class Ended:
    """An awaitable that takes no waiting."""

    def __await__(self) -> Iterator[Any]:
        yield from ()


# Only other C code can have these: no instance is reachable from Python. And protocols have none.
UNREACHABLE = {"_Flat", "Scope", "Transport", "HasFileno", "Socket"}
# A thread that enters a gate and ends keeps the others out for ever.
ALONE = {"Gate", "Channel"}


# --- hostile arguments ----------------------------------------------------------------------------


class Raiser:
    """Raises whatever it is asked."""

    def fail(self, *_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("hostile")

    __index__ = __int__ = __len__ = __bool__ = __iter__ = __next__ = __eq__ = __lt__ = fail
    __getitem__ = __str__ = __repr__ = __call__ = __buffer__ = __contains__ = __format__ = fail
    __enter__ = __exit__ = __float__ = __getattr__ = __add__ = __bytes__ = fail
    __hash__ = fail


class LongBytes(bytes):
    def __len__(self) -> int:
        return 1 << 40

    def __add__(self, other: Any) -> Any:
        return self

    def __getitem__(self, key: Any) -> Any:
        return self


class Text(str):
    def __len__(self) -> int:
        return 1 << 40

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__

    def encode(self, *_: Any) -> Any:
        return 5

    def split(self, *_: Any) -> Any:
        return [self] * 3


class Number(int):
    def __le__(self, other: Any) -> bool:
        return True

    __lt__ = __ge__ = __gt__ = __eq__ = __le__
    __hash__ = int.__hash__

    def __index__(self) -> int:
        return -(1 << 70)

    def __lshift__(self, other: Any) -> Any:
        return "no"


class LongDict(dict[Any, Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(["u8"] * 1000)

    def keys(self) -> Any:
        return ["u8"] * 1000

    def values(self) -> Any:
        return [1]

    def items(self) -> Any:
        return [(1, 2), 3]

    def __len__(self) -> int:
        return 1000


class Grower:
    """Makes a list longer while it is iterated over, or hashed in it."""

    def __init__(self, target: list[Any]) -> None:
        self.target = target

    def __hash__(self) -> int:
        self.target += [self] * 3 if len(self.target) < 100 else []
        return 1

    def __index__(self) -> int:
        self.target.clear()
        return 1


class Fake(Message):
    def __new__(cls, *_: Any, **__: Any) -> Any:
        return 5


def released() -> memoryview:
    view = memoryview(bytearray(64))
    view.release()
    return view


def loop() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def knot() -> dict[str, Any]:
    found: dict[str, Any] = {"u8": 1}
    found["nest"] = found["chosen"] = found
    found["array"] = [found]
    return found


def grown() -> list[Any]:
    found: list[Any] = []
    found += [Grower(found)]
    return found


def shrinking() -> Any:
    class Shrinking(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            while True:
                self.clear()
                yield 1
                return

    return Shrinking([1] * 100)


VALUES: list[Callable[[], Any]] = [
    lambda: None, lambda: 0, lambda: 1, lambda: -1, lambda: 16, lambda: 255, lambda: 1 << 31,
    lambda: (1 << 32) - 1, lambda: 1 << 32, lambda: (1 << 63) - 1, lambda: -(1 << 63),
    lambda: 1 << 64, lambda: 10**5000, lambda: 0.5, lambda: float("nan"), lambda: True, lambda: "",
    lambda: "u32", lambda: "index", lambda: "nest.nest.u8", lambda: "\ud800", lambda: "a\0b",
    lambda: "x" * 100_000, lambda: "^" * 1000 + "u8", lambda: b"", lambda: b"\0" * 24,
    lambda: LINKS, lambda: LINKS[:-3], lambda: bytearray(LINKS), lambda: memoryview(LINKS)[::2],
    released, lambda: memoryview(LINKS), lambda: array.array("I", [32, 16] + [0] * 6), Raiser,
    lambda: LongBytes(LINKS), lambda: Text("u8"), lambda: Number(3), lambda: LongDict(u8=1), loop,
    knot, grown, shrinking, lambda: iter([1, 2]), lambda: (x for x in range(3)), lambda: int,
    lambda: _core.View, lambda: Link, lambda: Fake, lambda: Sample, object, lambda: len,
    lambda: link.IFF, lambda: Link.__table__, lambda: s.u8(), lambda: [s.u8()], lambda: {1: s.u8()},
    lambda: {}, lambda: [], lambda: (1,), lambda: [b"x"], lambda: [link.get(index=1)], set,
    lambda: range(3), lambda: Sample(u8=1), lambda: link.get, lambda: {"u8": 1, "nest": {}},
]  # fmt: skip


def argument(rng: random.Random) -> Any:
    """Return a hostile value, or an instance of one of the types."""
    if rng.random() < 0.25:
        instances = samples()[rng.choice(types())]
        if instances:
            return rng.choice(instances)
    return rng.choice(VALUES)()


def stubs() -> dict[str, list[str]]:
    """Return the parameter names of each function and method, from the stubs of the modules."""
    found: dict[str, list[str]] = {}
    for module in MODULES:
        assert module.__file__ is not None
        suffix = "py" if module in COMPILED else "pyi"
        stub = Path(module.__file__).with_name(f"{module.__name__.rpartition('.')[2]}.{suffix}")
        for node in ast.parse(stub.read_text()).body:
            inner = node.body if isinstance(node, ast.ClassDef) else [node]
            for function in inner:
                if isinstance(function, ast.FunctionDef):
                    arguments = function.args
                    names = [a.arg for a in [*arguments.args, *arguments.kwonlyargs]]
                    owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                    found[owner + function.name] = [n for n in names if n not in ("self", "cls")]
    return found


STUBS = stubs()


def names_in(path: str) -> list[str]:
    """Return the parameter names of "runs", "Gather.feed" or, for a type, "Gather"."""
    of_type = [*STUBS.get(f"{path}.__new__", ()), *STUBS.get(f"{path}.__init__", ())]
    return STUBS.get(path, of_type)


# --- calls ----------------------------------------------------------------------------------------


class Caller:
    """Makes calls, writes each to the journal, and collects exceptions that must not be."""

    def __init__(self, journal: str) -> None:
        self.file = os.open(journal, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self.count = 0
        self.wrong: list[str] = []

    def __call__(self, name: str, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        shown = f"{name}({', '.join([*map(brief, args), *kwargs])})"[:500]
        os.pwrite(self.file, shown.encode("utf-8", "replace").ljust(500), 0)
        signal.setitimer(signal.ITIMER_REAL, STALL, STALL)
        try:
            try:
                result = function(*args, **kwargs)
                if inspect.iscoroutine(result) or hasattr(type(result), "__await__"):
                    result = begun(result)
                elif inspect.isgenerator(result) or hasattr(type(result), "__next__"):
                    for _, _ in zip(range(50), result, strict=False):
                        pass
                return result
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except SystemError as error:  # a C function that breaks the rules of the C API
            self.wrong.append(f"{shown}: {error!r}")
        except Exception:
            return None
        except BaseException as error:
            self.wrong.append(f"{shown}: {error!r}")


def brief(value: Any) -> str:
    """Return the type of a value, and short values themselves: their repr() may be hostile."""
    is_plain = type(value) in (int, str, bytes, float, bool, type(None))
    if is_plain and not (type(value) is int and value.bit_length() > 200):
        return repr(value)[:40]
    return type.__repr__(value) if isinstance(value, type) else f"<{type(value).__name__}>"


def members(cls: type) -> list[tuple[str, Any]]:
    """Return what a type defines, in its own namespace."""
    return sorted(vars(cls).items())


def effort(home: str, cls: type | None, rng: random.Random) -> tuple[list[Any], int]:
    """Return the values for each argument of a callable, and how many calls have several.

    A class of Python that is compiled has no C layout, and its functions are of one kind: a part is
    enough.
    """
    is_plain = cls is None or cls.__flags__ & HEAP_TYPE
    if home in {module.__name__ for module in COMPILED} and is_plain:
        return rng.sample(VALUES, 8), 6
    return VALUES, DRAWS


def attack(call: Caller, name: str, make: Callable[[], Callable[..., Any]], rng: random.Random,
           names: list[str], much: tuple[list[Any], int]) -> None:  # fmt: skip
    """Call one callable with every single value, and with many combinations."""
    call(name, make())
    values, draws = much
    for value in values:
        call(name, make(), value())
        for key in names:
            if rng.random() < 0.2:
                call(name, make(), **{key: value()})
    for _ in range(draws):
        args = [argument(rng) for _ in range(rng.randrange(2, 6))]
        keys = rng.sample(names, min(len(names), rng.randrange(0, 5)))
        call(name, make(), *args, **{key: argument(rng) for key in keys})
        call(name, make(), **{key: argument(rng) for key in names if rng.random() < 0.6})


def use(call: Caller, name: str, one: Any) -> None:
    """Do with an object what programs do: it may be in any state by now."""
    for verb in (repr, str, hash, len, iter, bytes, dir, bool, copy.copy, copy.deepcopy, list):
        call(f"{verb.__name__} of {name}", verb, one)
    for key in dir(type(one)):
        if key not in ("__init__", "__class__"):
            call(f"getattr of {name}.{key}", getattr, one, key)
    for protocol in range(6):
        call(f"reduce of {name}", one.__reduce_ex__, protocol)
        data = call(f"pickle of {name}", pickle.dumps, one, protocol)
        if data is not None:
            call(f"unpickle of {name}", pickle.loads, data)
    call(f"{name} == itself", lambda: one == one and one != 5)


def attack_type(call: Caller, cls: type, rng: random.Random) -> None:
    """Call everything that a type defines, with right and wrong objects for self."""
    name = f"{cls.__module__}.{cls.__name__}"
    much = effort(cls.__module__, cls, rng)
    values = much[0]
    attack(call, name, lambda: cls, rng, names_in(cls.__name__), much)
    new = partial(same, lambda *a, **k: cls.__new__(cls, *a, **k))
    attack(call, f"{name}.__new__", new, rng, [], much)
    call(f"object.__new__({name})", object.__new__, cls)
    call(f"copyreg.__newobj__({name})", copyreg.__newobj__, cls)  # type: ignore[attr-defined]
    call(f"subclass of {name}", lambda: type("Sub", (cls,), {})())
    call(f"subclass of {name}", lambda: type("Sub", (cls,), {"__slots__": ()})())
    call(f"subclass of {name}", lambda: type("Two", (cls, Sample), {})())
    for key, member in members(cls):
        full = f"{name}.{key}"
        if (
            isinstance(member, (classmethod, staticmethod))
            or "classmethod" in type(member).__name__
        ):
            names = names_in(f"{cls.__name__}.{key}")
            attack(call, full, partial(getattr, cls, key), rng, names, much)
            continue
        if not callable(member):  # a property
            for value in values:
                for verb in ("__get__", "__set__", "__delete__"):
                    call(f"{full}.{verb}", getattr(member, verb, len), value())
                    call(f"{full}.{verb}", getattr(member, verb, len), value(), value())
                    for one in samples()[cls]:
                        call(f"{full}.{verb}", getattr(member, verb, len), one, value())
            continue
        if isinstance(member, type):
            continue
        for value in values:  # a wrong self
            call(full, member, value())
            call(full, member, value(), value())
        for count in range(len(samples()[cls])):
            one = samples()[cls][count]
            method = partial(same, partial(member, one))
            attack(call, full, method, rng, names_in(f"{cls.__name__}.{key}"), much)
            if values is VALUES:
                use(call, name, one)
    for one in samples()[cls]:
        for other in (int, _core.View, Link, Sample, Fake, object, cls):
            call(f"{name}.__class__ = {other.__name__}", setattr, one, "__class__", other)
            setter: Any = vars(object)["__class__"]
            call(f"{name}.__class__ = {other.__name__}", setter.__set__, one, other)
        use(call, name, one)
    attack_threads(call, cls)


def attack_threads(call: Caller, cls: type) -> None:
    """Use one object from several threads."""
    name = f"threads on {cls.__module__}.{cls.__name__}"
    for one in samples()[cls] if cls.__name__ not in ALONE else ():

        def work(one: Any = one) -> None:
            for key in [*dir(type(one)), "__repr__", "__iter__", "__next__"] * 3:
                if key in ("receive", "__init__", "__class__", "end_send"):
                    continue
                with suppress(Exception):
                    value = getattr(one, key)
                    if callable(value) and not isinstance(value, type):
                        value()
            if isinstance(one, _core.Gather):
                for _ in range(300):
                    with suppress(Exception):
                        one.feed(LINKS * 50, 0, len(LINKS) * 50)
                    with suppress(Exception):
                        {key: list(column) for key, column in one.finish().items()}

        def crowd(work: Callable[[], None] = work) -> None:
            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        os.pwrite(call.file, name.encode().ljust(500), 0)
        crowd()


def attack_buffers(call: Caller) -> None:
    """Change a buffer while something refers to it."""
    for factory in (_core.iter_messages, _core.iter_attributes):
        data = bytearray(LINKS)
        found = factory(data)
        for change in (data.clear, lambda d=data: d.extend(b"x" * 100_000), data.pop):
            call(f"change of the buffer of {factory}", change)  # BufferError
            call(f"next of {factory}", next, found)
        view = memoryview(bytearray(LINKS))
        found = factory(view)
        call("release of the buffer", view.release)
        call(f"next of {factory}", list, found)


def same(value: Any) -> Any:
    return value


def begun(awaitable: Any) -> Any:
    """Begin an awaitable, outside of an event loop, and give it up."""
    steps = awaitable.__await__()
    try:
        return next(steps)
    finally:
        steps.close()


def sound() -> None:
    """Fail if the modules do not work any more."""
    gc.collect()
    dispatch = _core.Dispatch()
    dispatch.meaning(16, "RTM_NEWLINK", "route", False).give(Link)
    assert [m.linkinfo.data.id for m in _core.Messages(LINKS, dispatch)] == [0, 1, 2, 3]
    gather = _core.Gather(Link.__table__, dispatch, "ifname")
    gather.feed(LINKS, 0, len(LINKS))
    assert list(gather.finish()["ifname"]) == ["v0", "v1", "v2", "v3"]
    nl = Connection(things.FAMILY, socket=Socket(things.things, things.FAMILY))
    assert len(nl.dump(things.get()).all()) == 10
    assert list(nl.do_many([things.new(number=1)] * 3)) == [None] * 3


def main(journal: str, part: int, parts: int) -> None:
    def stall(*_: Any) -> None:
        raise Stalled

    signal.signal(signal.SIGALRM, stall)
    with suppress(OSError, ValueError):  # a huge allocation is a MemoryError and not a swap storm
        if not IS_SANITIZED:  # the sanitizer reserves terabytes
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    sys.unraisablehook = lambda *_: None
    call = Caller(journal)
    work: list[tuple[str, Callable[[], None]]] = []
    for cls in types():
        assert samples()[cls] or cls.__name__ in UNREACHABLE, f"{cls} has no sample"
        seeded = random.Random(cls.__name__)
        work.append((cls.__name__, partial(attack_type, call, cls, seeded)))
    for name, function in functions():
        seeded = random.Random(name)
        names = names_in(name.rpartition(".")[2])
        much = effort(name.rpartition(".")[0], None, seeded)
        make = partial(same, function)
        work.append((name, partial(attack, call, name, make, seeded, names, much)))
    work.append(("buffers", partial(attack_buffers, call)))
    for _, run in work[part::parts]:
        run()
        sound()
    print(f"{call.count} calls")
    for line in call.wrong:
        print(f"wrong: {line}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
