"""An interpreter of classic BPF with the extensions for netlink attributes, and random conditions.

The interpreter is written from Documentation/networking/filter.rst and net/core/filter.c, and uses
nothing of the package. `conditions` draws a condition together with what it means for a message
that is read by its fields, which is a third opinion. This module contains no tests.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from hypothesis import strategies as st

from netlink import EncodeError, Family, Message, fields
from netlink.constants import KernelEnum
from netlink.filter import Condition, Operand
from tests.generated import values

TYPE = 100  # of the messages of family_of()
PASS = 0xFFFFFFFF


# --- the interpreter ------------------------------------------------------------------------------


class Outside(Exception):
    """A load outside the packet, which ends the program with 0."""


def run(program: bytes, packet: bytes) -> int:
    """Return what a program returns for a packet; its instructions are checked as the kernel does.

    Raises AssertionError for what bpf_check_classic() refuses.
    """
    code = [*struct.iter_unpack("=HBBI", program)]
    assert 0 < len(code) <= 4096
    a = x = 0
    memory: dict[int, int] = {}
    at = 0
    while True:
        op, jt, jf, k = code[at]
        at += 1
        kind, size, mode = op & 7, {0: 4, 8: 2, 16: 1}.get(op & 0x18, 0), op & 0xE0
        try:
            if kind == 0:  # LD
                if mode == 0x00:
                    a = k
                elif mode == 0x80:
                    a = len(packet)
                elif mode == 0x60:
                    a = memory[k]
                elif mode == 0x20 and k == 0xFFFFF00C:
                    a = _nlattr(packet, a, x)
                elif mode == 0x20 and k == 0xFFFFF010:
                    a = _nest(packet, a, x)
                else:
                    a = _load(packet, k if mode == 0x20 else (x + k) & PASS, size)
            elif kind == 1:  # LDX
                x = k if mode == 0x00 else memory[k]
            elif kind == 2:  # ST
                assert k < 16
                memory[k] = a
            elif kind == 4:  # ALU
                other = x if op & 8 else k
                a = {
                    0x00: a + other, 0x10: a - other, 0x40: a | other, 0x50: a & other,
                    0x60: a << (other & 31), 0x70: a >> (other & 31), 0xA0: a ^ other,
                }[op & 0xF0] & PASS  # fmt: skip
            elif kind == 5:  # JMP
                if op & 0xF0 == 0:
                    at += k
                else:
                    other = x if op & 8 else k
                    is_true = {
                        0x10: a == other, 0x20: a > other, 0x30: a >= other, 0x40: a & other != 0,
                    }[op & 0xF0]  # fmt: skip
                    at += jt if is_true else jf
                assert at < len(code)
            elif kind == 6:  # RET
                return int(k)
            else:
                assert op == 0x07  # TAX
                x = a
        except Outside:
            return 0


def _load(packet: bytes, at: int, size: int) -> int:
    if at + size > len(packet):
        raise Outside
    return int.from_bytes(packet[at : at + size], "big")


def _walk(packet: bytes, at: int, left: int, wanted: int) -> int:
    """nla_find() of lib/nlattr.c."""
    while left >= 4:
        length, kind = struct.unpack_from("=HH", packet, at)
        if not 4 <= length <= left:
            break
        if kind & 0x3FFF == wanted:
            return at
        step = (length + 3) & ~3
        at, left = at + step, left - step
    return 0


def _nlattr(packet: bytes, a: int, x: int) -> int:
    if len(packet) < 4 or a > len(packet) - 4:
        return 0
    return _walk(packet, a, len(packet) - a, x)


def _nest(packet: bytes, a: int, x: int) -> int:
    if len(packet) < 4 or a > len(packet) - 4:
        return 0
    (length,) = struct.unpack_from("=H", packet, a)
    if length > len(packet) - a:
        return 0
    return _walk(packet, a + 4, length - 4, x)


# --- messages -------------------------------------------------------------------------------------


@cache
def family_of(*classes: type[Message]) -> Family:
    """Return a family of user space whose types, from TYPE, have these classes."""
    names = {f"TEST_{number}": TYPE + number for number in range(len(classes))}
    make: Any = KernelEnum
    types = make("TEST", names)
    return Family(
        "test", protocol=2, types=types, messages={TYPE + n: cls for n, cls in enumerate(classes)}
    )


def datagram(
    body: bytes, *, type: int = TYPE, flags: int = 0, seq: int = 0, pid: int = 0, length: int = -1
) -> bytes:
    """Return a message with its header."""
    whole = 16 + len(body) if length < 0 else length
    return struct.pack("=IHHII", whole, type, flags, seq, pid) + body


# --- random conditions ----------------------------------------------------------------------------

Meaning = Callable[[Any], bool]
UNSIGNED = {"u8", "u16", "u32", "u64", "be16", "be32", "be64", "uint"}
INTEGERS = UNSIGNED | {"s8", "s16", "s32", "s64", "sbe16", "sbe32", "sbe64", "sint"}
PLAIN = {"string", "binary", "mac", "lladdr", "address"}
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "__lt__": lambda a, b: a < b, "__le__": lambda a, b: a <= b,
    "__gt__": lambda a, b: a > b, "__ge__": lambda a, b: a >= b,
}  # fmt: skip


@cache
def operands(cls: type[Message]) -> list[tuple[str, ...]]:
    """Return the paths of the fields that a condition can test, up to three levels deep."""

    def below(found: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        table = found.__table__
        for name, field in table.names.items():
            yield (*path, name)
            if field.kind_name in ("nest", "struct") and len(path) < 2:
                yield from below(field.message, (*path, name))

    usable = []
    for path in below(cls, ()):
        try:
            operand = resolve(cls, path)
        except AttributeError:  # attributes after the header of a nest
            continue
        field = operand._field
        is_open = field.number is None and not field.size and field.kind_name in PLAIN
        is_list = field.kind_name not in INTEGERS | PLAIN | {"flag", "byte_flag"}
        if is_open or (is_list and operand._number is None):
            continue
        usable.append(path)
    return usable


def resolve(cls: type[Message], path: tuple[str, ...]) -> Operand:
    """Return the operand at a path."""
    found: Any = fields(cls)
    for name in path:
        found = getattr(found, name)
    assert isinstance(found, Operand)
    return found


def read(message: Any, path: tuple[str, ...]) -> Any:
    """Return the value of a field, by reading it; None below what is absent."""
    for name in path:
        if message is None:
            return None
        message = getattr(message, name)
    return message


def is_present(message: Any, path: tuple[str, ...]) -> bool:
    """Whether the attribute at a path, or the member of a struct at a path, is in the message."""
    parent = read(message, path[:-1])
    if parent is None:
        return False
    field = type(parent).__table__.names[path[-1]]
    if field.number is None:
        return getattr(parent, path[-1]) is not None
    return any(kind & 0x3FFF == field.number for kind, _, _ in parent._walk())


@st.composite
def conditions(draw: st.DrawFn, message: Message, depth: int = 0) -> tuple[Condition, Meaning]:
    """Draw a condition on the class of a message, and its meaning; half of the values are own."""
    shape = draw(st.sampled_from(["test", "test", "&", "|", "~"])) if depth < 3 else "test"
    if shape == "~":
        inner, meaning = draw(conditions(message, depth + 1))
        return ~inner, lambda m: not meaning(m)
    if shape in "&|":
        (left, one), (right, two) = (draw(conditions(message, depth + 1)) for _ in "ab")
        if shape == "&":
            return left & right, lambda m: one(m) and two(m)
        return left | right, lambda m: one(m) or two(m)
    while True:
        try:
            return draw(single(message))
        except EncodeError:  # such as an address of the wrong width
            continue


@st.composite
def single(draw: st.DrawFn, message: Message) -> tuple[Condition, Meaning]:
    """Draw one test of one field."""
    cls = type(message)
    path = draw(st.sampled_from(operands(cls)))
    operand = resolve(cls, path)
    field = operand._field
    kind = field.kind_name
    own = read(message, path)
    words = []
    if kind in INTEGERS | PLAIN:
        words += ["__eq__", "__ne__", "in_"]
    if kind in INTEGERS:
        words += list(ORDER)
    if kind in UNSIGNED:
        words += ["has", "has_any"]
    if kind in ("flag", "byte_flag"):
        words += ["__eq__", "__ne__"]
    if kind == "address":
        words.append("within")
    if kind == "string" or (kind == "binary" and field.number is not None):
        words.append("startswith")
    if operand._number is not None:
        words.append("present")
    word = draw(st.sampled_from(words))
    if word == "present":
        return operand.present, lambda m: is_present(m, path)

    def value() -> Any:
        # An address of another length reads as bytes, and one of AF_MPLS as a tuple.
        usable = (bytes,) if kind == "binary" else (str, int, IPv4Address, IPv6Address)
        if isinstance(own, usable) and draw(st.booleans()):
            near = kind in INTEGERS and draw(st.booleans())
            return int(own) + draw(st.sampled_from([-1, 1])) if near else own
        return draw(values(field, 0))

    if word == "within":
        address = value()
        prefix = draw(st.integers(0, address.max_prefixlen))
        network = ip_network(f"{address}/{prefix}", strict=False)
        return operand.within(network), lambda m: _is_in(read(m, path), network)
    if word == "startswith":
        whole = value()
        start = whole[: draw(st.integers(1, 8))] or ("x" if kind == "string" else b"x")
        return operand.startswith(start), lambda m: (read(m, path) or start[:0]).startswith(start)
    if word == "in_":
        several = [value() for _ in range(draw(st.integers(1, 8)))]
        return operand.in_(several), lambda m: read(m, path) in several
    wanted = value()
    if word in ("has", "has_any"):
        wanted = int(wanted) or 1
        if word == "has":
            return operand.has(wanted), lambda m: ((read(m, path) or 0) & wanted) == wanted
        return operand.has_any(wanted), lambda m: bool((read(m, path) or 0) & wanted)
    condition = getattr(operand, word)(wanted)
    if kind in ("flag", "byte_flag"):  # it is False also if its nest is absent
        expected = wanted if word == "__eq__" else not wanted
        return condition, lambda m: bool(read(m, path)) is expected
    if word == "__eq__":
        return condition, lambda m: read(m, path) == wanted
    if word == "__ne__":
        return condition, lambda m: read(m, path) != wanted
    return condition, lambda m: read(m, path) is not None and ORDER[word](read(m, path), wanted)


def _is_in(address: Any, network: Any) -> bool:
    return isinstance(address, IPv4Address | IPv6Address) and address in network
