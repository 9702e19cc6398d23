"""Bounds: depth of nesting, memory, kept enum values and work, whatever the input is.

`netlink.MAX_DEPTH` limits the depth of messages in each other. What a call allocates is at most
MULTIPLE times the size of its input, and the work grows as the input does. The sender of a message
chooses all of this, and programs that run as root read it.
"""

import gc
import itertools
import subprocess
import sys
import threading
import time
import tracemalloc
import types
from collections.abc import Callable
from contextlib import suppress
from enum import IntFlag
from typing import Any

import pytest

import netlink
from netlink import MAX_DEPTH, DecodeError, EncodeError, Message, _core
from netlink import schema as s
from netlink.constants import REMEMBERED, KernelFlag
from netlink.extack import status
from netlink.family import Op
from netlink.route import FAMILY as ROUTE
from netlink.route.link import IFF, Link
from tests import wire
from tests.builds import IS_SANITIZED

MULTIPLE = 100  # bytes that a call allocates for each byte of its input, at most


class Size(Message):
    """A struct."""

    number: int = s.u32()


class Record(Message):
    """A struct that starts with its length."""

    length: int = s.u16()
    _pad = s.pad(2)
    tree: "s.Nested[Tree]" = s.nest(1, lambda: Tree)
    number: int | None = s.u32(2)


class Tree(Message):
    """A message that may contain itself in every way that a declaration offers."""

    nest: "s.Nested[Tree]" = s.nest(1, lambda: Tree)
    array: Any = s.array(2, s.nest(0, lambda: Tree))
    mapping: Any = s.mapping(3, s.nest(0, lambda: Tree))
    repeated: Any = s.repeated(4, s.nest(0, lambda: Tree))
    records: s.Several[Record] = s.records(5, Record)
    kind: str | None = s.string(6)
    chosen: "s.Nested[Tree]" = s.selected(7, "kind", s.Lazy("tests", {"x": "test_bounds.Tree"}))
    table: Any = s.mapping(8, s.mapping(s.nest(0, lambda: Tree)))
    number: int | None = s.u32(9)
    text: str | None = s.string(10)
    raw: bytes | None = s.binary(11)
    pairs: Any = s.pairs(12)
    sizes: Any = s.array(13, s.struct(0, Size))
    mac: str | None = s.mac(14)
    numbers: Any = s.scalars(15, s.u16())
    flags: Any = s.array(16, s.flag())
    address: Any = s.array(17, s.address())


a = wire.attribute
# How a Tree is put into another one: as bytes, and as an argument.
WAYS: dict[str, tuple[Callable[[bytes], bytes], Callable[[Any], dict[str, Any]]]] = {
    "nest": (lambda b: a(1, b), lambda v: {"nest": v}),
    "array": (lambda b: a(2, a(0, b)), lambda v: {"array": [v]}),
    "mapping": (lambda b: a(3, a(9, b)), lambda v: {"mapping": {9: v}}),
    "repeated": (lambda b: a(4, b), lambda v: {"repeated": [v]}),
    "selected": (lambda b: a(6, b"x\0") + a(7, b), lambda v: {"kind": "x", "chosen": v}),
    "mappings": (lambda b: a(8, a(1, a(2, b))), lambda v: {"table": {1: {2: v}}}),
}
LEAF = a(9, b"\1\0\0\0")


def nested(way: str, depth: int) -> bytes:
    body = LEAF
    for _ in range(depth):
        body = WAYS[way][0](body)
    return body


def arguments(way: str, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"number": 1}
    for _ in range(depth):
        found = WAYS[way][1](found)
    return found


def down(tree: Any) -> Any:
    """The Tree inside a Tree."""
    for value in (tree.nest, tree.array, tree.mapping, tree.repeated, tree.chosen, tree.table):
        if value:
            while not isinstance(value, Tree):
                value = next(iter(value.values() if isinstance(value, dict) else value))
            return value
    return None


def depth_of(tree: Any) -> int:
    depth = 0
    while (tree := down(tree)) is not None:
        depth += 1
    return depth


# --- depth ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_messages_of_the_greatest_depth_work(way: str) -> None:
    tree = Tree.from_bytes(nested(way, MAX_DEPTH))
    assert depth_of(tree) == MAX_DEPTH
    assert str(tree.to_dict()).count("'number': 1") == 1
    assert str(tree.to_json()).count("'number': 1") == 1
    assert tree.pretty().endswith("number  1")
    assert list(tree.attributes())[-1][0].endswith(".number")
    assert tree.same_as(Tree(**arguments(way, MAX_DEPTH)))
    assert len(repr(tree)) < 2000
    assert depth_of(tree.replace(text="x")) == MAX_DEPTH


@pytest.mark.parametrize("way", WAYS)
def test_deeper_messages_are_errors_or_placeholders(way: str) -> None:
    """Case 55. With 400 levels, repr() and the others raised RecursionError."""
    body = nested(way, MAX_DEPTH + 1)
    tree = Tree.from_bytes(body)
    for read in (depth_of, Tree.to_dict, Tree.to_json):
        with pytest.raises(DecodeError, match=f"the limit is {MAX_DEPTH} levels") as error:
            read(tree)
        assert error.value.path is not None
        assert error.value.path.count(".") in (MAX_DEPTH - 1, MAX_DEPTH)
        assert error.value.offset is not None
    assert "undecoded(" in tree.pretty()
    assert len(repr(tree)) < 2000
    assert not any(path.endswith("number") for path, _, _ in tree.attributes())
    assert tree.same_as(Tree.from_bytes(body))
    assert not tree.same_as(Tree.from_bytes(body.replace(LEAF, a(9, b"\2\0\0\0"))))
    assert tree._path(len(body) - 1).count(".") <= MAX_DEPTH + 2


@pytest.mark.parametrize("way", WAYS)
def test_deeper_arguments_are_errors(way: str) -> None:
    """Case 52: also messages that are built from the inside, and a dict that contains itself."""
    with pytest.raises(EncodeError, match="nested too deeply") as error:
        Tree(**arguments(way, MAX_DEPTH + 1))
    assert error.value.path is not None
    assert error.value.path.count(".") >= MAX_DEPTH
    tree = Tree(number=1)
    for _ in range(MAX_DEPTH):
        tree = Tree(**WAYS[way][1](tree))
    for message in (tree, Tree.from_bytes(bytes(tree))):
        with pytest.raises(EncodeError, match="nested too deeply"):
            Tree(**WAYS[way][1](message))
    knot: dict[str, Any] = {}
    knot.update(WAYS[way][1](knot))
    with pytest.raises(EncodeError, match="nested too deeply"):
        Tree(**knot)


def test_attributes_are_listed_in_wire_order() -> None:
    leaves = [{"number": 1, "text": "x"}, {"nest": {"number": 2}}]
    tree = Tree(array=leaves, repeated=leaves, table={1: {2: leaves[1]}}, number=3)
    inside = ["number", "text", "nest", "nest.number"]
    assert [path for path, _, _ in tree.attributes()] == [
        "array", *(f"array[{i // 2}].{path}" for i, path in enumerate(inside)),
        "repeated", *(f"repeated.{path}" for path in inside[:2]),
        "repeated", *(f"repeated.{path}" for path in inside[2:]),
        "table", "table[1][2].nest", "table[1][2].nest.number", "number",
    ]  # fmt: skip


def test_records_count_too() -> None:
    body = LEAF
    for _ in range(MAX_DEPTH):
        body = a(5, (len(a(1, body)) + 4).to_bytes(2, sys.byteorder) + b"\0\0" + a(1, body))
    with pytest.raises(DecodeError, match="nested too deeply"):
        Tree.from_bytes(body).to_dict()


def test_a_part_of_a_deep_message_is_measured() -> None:
    """The child of a received message brings its own depth along."""
    child = down(down(Tree.from_bytes(nested("nest", MAX_DEPTH))))
    assert depth_of(Tree(nest=child)) == MAX_DEPTH - 1
    assert depth_of(Tree(nest={"nest": child})) == MAX_DEPTH
    with pytest.raises(EncodeError, match="nested too deeply"):
        Tree(nest={"nest": {"nest": child}})


def test_the_path_of_a_column_has_the_same_limit() -> None:
    dispatch = _core.Dispatch()
    dispatch.meaning(16, "X", "x", False).give(Tree)
    gather = _core.Gather(Tree.__table__, dispatch, "nest." * MAX_DEPTH + "number")
    data = wire.message(16, nested("nest", MAX_DEPTH))
    gather.feed(data, 0, len(data))
    assert [*map(list, gather.finish().values())] == [[1]]
    with pytest.raises(LookupError, match="too deep"):
        _core.Gather(Tree.__table__, dispatch, "nest." * (MAX_DEPTH + 1) + "number")


def test_paths_of_extended_acks_have_the_same_limit() -> None:
    op: Any = Op("x.set", 16, request=Tree)
    for depth in (MAX_DEPTH, 1000):
        request = netlink.Request(op, Tree.from_bytes(nested("nest", depth)))
        length = len(bytes(request.message)) + 16
        found = wire.error(22, extack=wire.extack(words=b"no", offset=length - 8))
        (run,) = _core.runs(*wire.receive(found))
        error, _ = status(run, request)
        assert error is not None
        assert f"{error}".count("nest.") in (depth, MAX_DEPTH + 1)


def test_decode_prints_deep_messages() -> None:
    body = b"\0" * 16
    for _ in range(100):  # veth peers, case 55
        body = b"\0" * 16 + a(18, a(1, b"veth\0") + a(2, a(1, body)))
    data = wire.message(16, body)
    command = [sys.executable, "-m", "netlink", "decode", "--protocol", "route"]
    done = subprocess.run(
        command, input=data.hex(), capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr


SMALL_STACK = """
import sys, threading
from tests.test_bounds import MAX_DEPTH, WAYS, Tree, arguments, depth_of, nested
sys.setrecursionlimit(1_000_000)
done = []
# Python 3.13 frees a deep dict recursively, so the dicts live longer than the thread.
cases = [(way, Tree.from_bytes(nested(way, depth)), arguments(way, depth))
         for way in WAYS for depth in (MAX_DEPTH, MAX_DEPTH + 1, 1000)]
def work():
    for way, tree, given in cases:
        for call in (repr, depth_of, Tree.to_dict, Tree.to_json, Tree.pretty, hash, bytes,
                     lambda t: list(t.attributes()), lambda t: t.same_as(tree.replace()),
                     lambda t: t._path(len(bytes(t)) - 1), lambda t: Tree(nest=t),
                     lambda t: Tree(**given), lambda t: t.replace(number=3)):
            try:
                call(tree)
            except ValueError:
                pass
            done.append(way)
Tree(number=1).to_dict()  # imports happen on the large stack
threading.stack_size(int(sys.argv[1]))
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(len(done))
"""


def test_a_small_stack_is_enough() -> None:
    """The smallest stack on which Python itself works for such calls, and no recursion limit."""
    size = (512 if IS_SANITIZED else 64) << 10
    done = subprocess.run(
        [sys.executable, "-c", SMALL_STACK, str(size)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, str(len(WAYS) * 3 * 13)), done.stderr


# --- enums ----------------------------------------------------------------------------------------


class MARK(KernelFlag):
    MARK_ONE = 1
    MARK_TWO = 2
    MARK_BOTH = 3


class Plain(IntFlag):
    ONE = 1
    TWO = 2


class Marked(Message):
    mark: int | None = s.u32(1, enum=MARK)
    plain: int | None = s.u32(2, enum=Plain)
    bits: Any = s.bitfield32(3, enum=MARK)
    marks: Any = s.scalars(4, s.u32(enum=MARK))


@pytest.mark.parametrize("enum", [MARK, Plain, IFF])
def test_an_enum_keeps_few_values(enum: Any) -> None:
    """Case 54: an enum kept every value that it ever saw, 542 MB for a million of them."""
    field = {MARK: "mark", Plain: "plain"}.get(enum)
    known = enum._value2member_map_
    declared = {member.value: member for member in enum.__members__.values()}
    for value in range(1 << 16, (1 << 16) + 5000):
        if field is None:
            data = value.to_bytes(4, sys.byteorder)
            got = Link.from_bytes(b"\0" * 8 + data + b"\0" * 4).flags
        else:
            message = Marked.from_bytes(bytes(Marked(**{field: value})))
            got = getattr(message, field)
        assert got == value
        assert type(got) is enum
        assert len(known) <= len(enum.__members__) + REMEMBERED + 1
    for value, member in declared.items():
        assert enum(value) is member
    assert Marked.from_bytes(bytes(Marked(plain=2, mark=3))).mark is MARK.MARK_BOTH


def test_operators_keep_few_values_too() -> None:
    for value in range(5000):
        assert int(MARK.MARK_ONE | value << 4) == 1 | value << 4
        assert int(~MARK(value)) != value
    assert len(MARK._value2member_map_) <= 3 + REMEMBERED + 2
    assert len(Marked.from_bytes(bytes(Marked(marks=range(1 << 8, 1 << 10)))).marks) == 768
    assert len(MARK._value2member_map_) <= 3 + REMEMBERED + 2


def test_values_are_forgotten_while_other_threads_read() -> None:
    faults = []

    def work(start: int) -> None:
        for value in range(start, start + 4000):
            if MARK(3) is not MARK.MARK_BOTH or MARK(value) != value:
                faults.append(value)

    threads = [threading.Thread(target=work, args=(n << 20,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


# --- memory and work ------------------------------------------------------------------------------


def tree(body: bytes) -> Tree:
    return Tree.from_bytes(body)


def columns(data: bytes) -> Any:
    dispatch = _core.Dispatch()
    dispatch.meaning(16, "X", "x", False).give(Tree)
    gather = _core.Gather(Tree.__table__, dispatch, "number", "text", "nest.number")
    gather.feed(data, 0, len(data))
    return gather.finish()


def part(build: bytes, n: int) -> list[bytes]:
    """An attribute has at most 65,535 bytes: its parts are spread over several messages."""
    return [build * min(n, 8000)] * (n // 8000) + [build * (n % 8000)]


def inside(number: int, one: bytes, n: int) -> list[Tree]:
    return [tree(a(number, payload)) for payload in part(one, n)]


def several(call: Callable[[Any], Any]) -> Callable[[list[Any]], Any]:
    return lambda trees: [call(one) for one in trees]


TINY = wire.attribute(9, b"")  # malformed
EVERY: tuple[Callable[[Any], Any], ...] = (
    Tree.to_dict, Tree.to_json, Tree.pretty, repr, lambda t: list(t.attributes()),
    lambda t: t.unknown,
    lambda t: same(tree(bytes(t) + a(10, b"x\0")), tree(a(10, b"x\0") + bytes(t))),
    lambda t: t.replace(text="x"), hash, bytes, lambda t: t.detach(), lambda t: list(t),
)  # fmt: skip


def same(one: Tree, two: Tree) -> None:
    assert one.same_as(two) is (
        one.text == two.text
    )  # a text of its own comes first in one of them


def every(trees: list[Tree]) -> None:
    for one in trees:
        for call in EVERY:
            with suppress(DecodeError):
                call(one)


# name -> (how n parts become an input, the call)
INPUTS: dict[str, tuple[Callable[[int], Any], Callable[[Any], Any]]] = {
    "unknown attributes": (lambda n: [tree(a(99, b"") * n)], every),
    "attributes of one number": (lambda n: [tree(LEAF * n)], every),
    "malformed values": (lambda n: [tree(TINY * n)], every),
    "repeated, empty": (lambda n: [tree(a(4, b"") * n)], every),
    "repeated, malformed": (lambda n: [tree(a(4, b"\1\1\1\1") * n)], every),
    "repeated, malformed inside": (lambda n: [tree(a(4, TINY) * n)], every),
    "array, empty": (lambda n: inside(2, a(0, b""), n), every),
    "array, malformed inside": (lambda n: inside(2, a(0, TINY), n // 2), every),
    "mapping": (lambda n: inside(3, a(1, b""), n), every),
    "structs": (lambda n: inside(13, a(1, b"1234"), n), every),
    "struct too short": (lambda n: inside(13, a(1, b"1"), n // 2), every),
    "flags": (lambda n: inside(16, a(1, b""), n), every),
    "numbers": (lambda n: inside(15, b"\xff\xff", n), every),
    "addresses": (lambda n: inside(17, a(1, b"\1\2\3\4"), n), every),
    "pairs": (lambda n: inside(12, b"a=\0", n), every),
    "equal texts": (lambda n: inside(12, b"\0", n), every),
    "bytes that are not UTF-8": (lambda n: inside(10, b"\xff" * 8, n), every),
    "link-layer address": (lambda n: inside(14, b"\xff" * 8, n), every),
    "raw": (lambda n: inside(11, b"\xff" * 8, n), every),
    "deep": (lambda n: [tree(nested("nest", MAX_DEPTH))] * (n // 100), every),
    "messages": (lambda n: wire.message(16) * n, lambda d: list(netlink.iter_messages(d))),
    "raw attributes": (lambda n: a(1, b"") * n, lambda d: list(netlink.iter_attributes(d))),
    "parsed": (lambda n: wire.message(16, b"\0" * 16) * n, lambda d: list(netlink.parse(d, ROUTE))),
    "of no family": (lambda n: wire.message(9999) * n, lambda d: list(netlink.parse(d, ROUTE))),
    "runs": (lambda n: wire.receive(wire.message(3, seq=1) * n), lambda d: _core.runs(*d)),
    "acks": (lambda n: wire.receive(b"".join(wire.error(0, seq=i) for i in range(n))),
             lambda d: _core.runs(*d)),
    "datagrams": (lambda n: wire.receive(*[wire.message(16)] * (n // 8)), lambda d: _core.runs(*d)),
    "bad datagrams": (lambda n: wire.receive(*[b"\1" * 40] * (n // 8)), lambda d: _core.runs(*d)),
    "columns": (lambda n: wire.message(16, LEAF) * n, columns),
    "empty columns": (lambda n: wire.message(16) * n, columns),
    "repeats in columns": (lambda n: wire.message(16, LEAF * n), columns),
    "arguments": (lambda n: [{"number": 1}] * n, lambda v: Tree(repeated=v)),
    "messages as arguments": (lambda n: [Tree(number=1)] * n, lambda v: Tree(repeated=v)),
}  # fmt: skip


def size_of(value: Any) -> int:
    if isinstance(value, dict):
        return 100
    return len(bytes(value)) if not isinstance(value, list | tuple) else sum(map(size_of, value))


@pytest.mark.parametrize("name", INPUTS)
def test_memory_is_a_multiple_of_the_input(name: str) -> None:
    build, call = INPUTS[name]
    given = build(4000)
    call(given)  # what is kept for good: caches, imports
    gc.collect()
    tracemalloc.start()
    try:
        found = call(given)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del found
    assert peak <= MULTIPLE * size_of(given) + 20_000, f"{peak / size_of(given):.0f} times"


def cost(call: Callable[[Any], Any], given: Any) -> float:
    """The processor time of a call, undisturbed by other processes: the least of several."""
    times = []
    gc.disable()
    try:
        for _ in range(3):
            before = time.thread_time()
            call(given)
            times.append(time.thread_time() - before)
    finally:
        gc.enable()
    return max(min(times), 1e-4)


@pytest.mark.parametrize("name", INPUTS)
def test_work_grows_as_the_input(name: str) -> None:
    """Sixteen times the input is 16 times the work; 256 times, if a loop were quadratic."""
    build, call = INPUTS[name]
    less, more = build(1000), build(16_000)
    if cost(call, more) > 64 * cost(call, less):  # look again: a time may be disturbed
        assert cost(call, more) <= 64 * cost(call, less)


def test_an_index_is_not_larger_than_what_it_indexes() -> None:
    """A view with few bytes is scanned each time, so many small views stay small."""
    names = [f"f{n}" for n in range(200)]
    wide: Any = types.new_class(
        "Wide",
        (Message,),
        exec_body=lambda space: space.update({n: s.u8(i + 1) for i, n in enumerate(names)}),
    )
    views = [wide.from_bytes(a(1, b"\1")) for _ in range(200)]
    tracemalloc.start()
    try:
        for view, _ in itertools.product(views, range(5)):
            assert view.f0 == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000
