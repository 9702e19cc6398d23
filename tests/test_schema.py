"""The declaration words: message classes, and the methods of every message."""

from __future__ import annotations

import ipaddress
import json
import pickle
import struct
import types
from enum import IntEnum, IntFlag
from typing import Any

import pytest

from netlink import MAX_DEPTH, Bitfield32, DecodeError, EncodeError, Message, parse
from netlink import schema as s
from netlink.constants import AF, KernelNumber
from netlink.route import FAMILY as ROUTE
from netlink.route.link import Link
from netlink.route.rtnetlink import RTM, rtgenmsg

from . import wire


class Bit(IntFlag):
    BIT_LOW = 1
    BIT_HIGH = 4


class State(IntEnum):
    STATE_UP = 6


class hdr(Message):
    family: int = s.u8()
    bits: Bit = s.u32(enum=Bit)


class Leaf(Message):
    value: int | None = s.u32(1)
    state: State | int | None = s.u8(2, enum=State)


class Tree(hdr):
    address: s.IPAddress | None = s.address(1)
    leaf: Leaf | None = s.nest(2, Leaf)
    leaves: tuple[Leaf, ...] = s.repeated(3, Leaf)
    table: dict[int, Any] | None = s.mapping(4, Leaf, enum=State)
    raw: bytes | None = s.binary(5)
    on: bool = s.flag(6)
    name: str | None = s.string(7)
    field32: Bitfield32 | None = s.bitfield32(8, enum=Bit)


class Chain(Message):
    inner: Any = s.nest(1, lambda: Chain)
    name: str | None = s.string(7)


FULL = Tree(family=2, bits=5, address="192.0.2.1", leaf={"value": 1, "state": 6},
            leaves=[{"value": 2}, {"state": 9}], table={6: {"value": 3}, 7: {}},
            raw=b"\xff\0", on=True, name="x\udcff", field32=(1, 5))  # fmt: skip


def declare(base: Any = Message, **fields: Any) -> Any:
    """Return a message class that exists for one test."""
    fields["__module__"] = __name__  # not that of the metaclass
    return types.new_class("Made", (base,), exec_body=lambda namespace: namespace.update(fields))


def test_to_dict_has_values_and_to_json_what_json_can_hold() -> None:
    assert FULL.to_dict() == {
        "family": 2, "bits": Bit.BIT_LOW | Bit.BIT_HIGH,
        "address": ipaddress.ip_address("192.0.2.1"), "leaf": {"value": 1, "state": State.STATE_UP},
        "leaves": ({"value": 2}, {"state": 9}),
        "table": {State.STATE_UP: {"value": 3}, 7: {}}, "raw": b"\xff\0", "on": True,
        "name": "x\udcff", "field32": (Bit.BIT_LOW, 5),
    }  # fmt: skip
    assert json.loads(json.dumps(FULL.to_json())) == {
        "family": 2, "bits": ["BIT_LOW", "BIT_HIGH"], "address": "192.0.2.1",
        "leaf": {"value": 1, "state": "STATE_UP"}, "leaves": [{"value": 2}, {"state": 9}],
        "table": {"STATE_UP": {"value": 3}, "7": {}}, "raw": "ff00", "on": True,
        "name": "x\\xff", "field32": {"value": ["BIT_LOW"], "selector": 5},
    }  # fmt: skip
    assert dict(FULL)["leaf"] == Leaf(value=1, state=6)
    assert Tree(**FULL.to_dict()) == FULL
    assert Tree(bits=8 | 1).to_json()["bits"] == ["BIT_LOW", 8]


def test_attribute_order_is_that_of_the_arguments() -> None:
    assert [name for name, _ in Tree(name="a", on=True, raw=b"")][2:] == ["name", "on", "raw"]


def test_repr_is_short_and_names_things() -> None:
    assert repr(Leaf(value=1, state=6)) == "<Leaf value=1 state=STATE_UP>"
    text = repr(FULL)
    assert "bits=BIT_LOW|BIT_HIGH" in text
    assert "leaf=<Leaf value=1 state=STATE_UP>" in text
    assert "address=192.0.2.1" in text
    wide = declare(**{f"f{i}": s.u8(i) for i in range(1, 40)})
    assert repr(wide(**{f"f{i}": 1 for i in range(1, 40)})).endswith("+21 more>")


def test_attributes_walks_the_whole_tree() -> None:
    message = Tree.from_bytes(bytes(FULL) + wire.attribute(0x8000 | 200, b"\1"))
    got = list(message.attributes())
    assert [(path, number) for path, number, _ in got] == [
        ("address", 1), ("leaf", 2), ("leaf.value", 1), ("leaf.state", 2), ("leaves", 3),
        ("leaves.value", 1), ("leaves", 3), ("leaves.state", 2), ("table", 4),
        ("table[6].value", 1), ("raw", 5), ("on", 6), ("name", 7), ("field32", 8), ("#200", 200),
    ]  # fmt: skip
    assert dict((path, payload) for path, _, payload in got)["leaf.state"] == b"\6"
    broken = Tree.from_bytes(bytes(8) + wire.attribute(2, b"\xff\xff\1\0"))
    assert [path for path, _, _ in broken.attributes()] == ["leaf"]


def test_pretty_shows_everything() -> None:
    message = Tree.from_bytes(bytes(FULL) + wire.attribute(200, b"\1"))
    assert (
        message.pretty()
        == """\
Tree
    family   2
    bits     BIT_LOW|BIT_HIGH
    address  192.0.2.1
    leaf
        value  1
        state  STATE_UP
    leaves[0]
        value  2
    leaves[1]
        state  9
    table[STATE_UP]
        value  3
    table[7]
    raw      ff 00
    on       True
    name     x\\xff
    field32  BIT_LOW of 0x5
    #200     01"""
    )


def test_text_cannot_break_the_lines() -> None:
    assert "    name    a\\nb\\x1b" in Tree(name="a\nb\x1b").pretty()
    assert "name=a\\nb" in repr(Tree(name="a\nb"))


def attributes(*payloads: tuple[int, bytes]) -> bytes:
    return b"".join(wire.attribute(number, payload) for number, payload in payloads)


NESTED, NET_BYTEORDER = 0x8000, 0x4000
ONE = attributes((1, b"\1\0\0\0"))
TWO = attributes((1, b"\2\0\0\0"))
SIX = attributes((2, b"\6"))


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        # The order of attributes, padding and flags have no meaning.
        (attributes((7, b"a\0"), (5, b"b")), attributes((5, b"b"), (7, b"a\0")), True),
        (attributes((2, ONE)), attributes((NESTED | 2, ONE)), True),
        (attributes((5, b"x")), attributes((NET_BYTEORDER | 5, b"x")), True),
        (attributes((2, ONE + SIX)), attributes((2, SIX + ONE)), True),
        (attributes((5, b"x")), attributes((5, b"x"))[:-3] + b"abc", True),
        # A string with and without its NUL is the same string.
        (attributes((7, b"a\0")), attributes((7, b"a")), True),
        # The order of the values of one attribute matters. That of the keys of a mapping does not.
        (attributes((3, ONE), (3, TWO)), attributes((3, TWO), (3, ONE)), False),
        (attributes((3, ONE), (5, b""), (3, TWO)), attributes((3, ONE), (3, TWO), (5, b"")), True),
        (attributes((4, attributes((6, ONE), (7, TWO)))),
         attributes((4, attributes((7, TWO), (NESTED | 6, ONE)))), True),
        (attributes((4, attributes((6, ONE)))), attributes((4, attributes((7, ONE)))), False),
        # A present attribute differs from a missing one, and a zero from both.
        (b"", attributes((2, b"")), False),
        (attributes((2, b"")), attributes((2, attributes((1, bytes(4))))), False),
        (attributes((6, b"")), b"", False),
        (attributes((5, b"x")), attributes((5, b"y")), False),
        (attributes((2, ONE)), attributes((2, TWO)), False),
        (attributes((2, ONE)), attributes((2, ONE + attributes((99, b"")))), False),
        # Unknown attributes, bytes that cannot be decoded and surplus values are compared as bytes.
        (attributes((200, b"x"), (6, b"")), attributes((6, b""), (NESTED | 200, b"x")), True),
        (attributes((200, b"x")), attributes((200, b"y")), False),
        (attributes((200, b"x"), (201, b"y")), attributes((201, b"x"), (200, b"y")), False),
        (attributes((200, b"x"), (200, b"y")), attributes((200, b"y"), (200, b"x")), False),
        (attributes((1, b"xyz"), (6, b"")), attributes((6, b""), (1, b"xyz")), True),
        (attributes((2, b"x"), (6, b"")), attributes((6, b""), (2, b"y")), False),
        (attributes((1, b"wxyz"), (1, b"a")), attributes((1, b"wxyz"), (1, b"b")), False),
        (attributes((1, b"wxyz"), (1, b"a")), attributes((1, b"wxyz")), False),
    ],
)  # fmt: skip
def test_same_as(one: bytes, two: bytes, same: bool) -> None:
    first, second = (Tree.from_bytes(bytes(8) + body) for body in (one, two))
    assert first.same_as(second) is same
    assert second.same_as(first) is same
    assert first.same_as(first)


def test_same_as_compares_headers_by_their_members() -> None:
    assert Tree(family=2, name="a").same_as(Tree(name="a", family=2))
    assert not Tree(family=2).same_as(Tree(family=3))
    padding = Tree.from_bytes(b"\2\xff\xff\xff\0\0\0\0")
    assert padding != Tree(family=2)
    assert padding.same_as(Tree(family=2))
    assert hdr.from_bytes(bytes(8)).same_as(hdr())
    assert not hdr.from_bytes(bytes(9)).same_as(hdr())  # a member that we do not know
    assert not hdr.from_bytes(bytes(4)).same_as(hdr())  # a missing member reads None, not 0


class Record(Message):
    length: int = s.u16()
    flags: int = s.u8()
    value: int | None = s.u32(1)
    name: str | None = s.string(2)


class Records(Message):
    several: tuple[Record, ...] = s.records(1, Record)


def test_same_as_ignores_the_length_of_a_record() -> None:
    """Writers may or may not count the padding of the last attribute."""

    def records(*bodies: bytes) -> Records:
        packed = b"".join(
            struct.pack("=HBx", 4 + len(body), 7) + body + bytes(-len(body) % 4) for body in bodies
        )
        return Records.from_bytes(wire.attribute(1, packed))

    name = wire.attribute(2, b"a\0")
    one, two = records(ONE + name[:6], ONE), records(name + ONE, ONE)
    assert [record.length for record in one.several] != [record.length for record in two.several]
    assert one.same_as(two)
    assert not one.same_as(records(ONE, name + ONE))
    assert not one.same_as(records(name + TWO, ONE))
    assert not one.same_as(records(name + ONE))
    assert records(ONE).same_as(Records(several=[{"flags": 7, "value": 1}]))
    assert Records.from_bytes(wire.attribute(1, b"")).same_as(Records())
    broken = Records.from_bytes(wire.attribute(1, b"\xff\xff\0\0"))
    assert broken.same_as(Records.from_bytes(wire.attribute(0x8000 | 1, b"\xff\xff\0\0")))


def test_same_as_takes_messages() -> None:
    assert not Leaf().same_as(Tree())
    assert not Leaf().same_as(hdr())
    for wrong in (None, 5, bytes(Leaf())):
        with pytest.raises(TypeError, match=r"same_as\(\) expects a message, got "):
            Leaf().same_as(wrong)


def test_same_as_ignores_the_headers_before_the_body() -> None:
    (one,) = parse(wire.message(RTM.RTM_NEWLINK, bytes(16), seq=5), ROUTE)
    (two,) = parse(wire.message(RTM.RTM_DELLINK, bytes(16), seq=6), ROUTE)
    assert isinstance(one, Message)
    assert isinstance(two, Message)
    assert one.same_as(two)


def test_same_as_is_bounded_in_depth() -> None:
    """Messages deeper than MAX_DEPTH are compared as bytes, so their order matters there."""
    body = one = two = attributes((7, b"end"))
    for depth in range(1, 2000):
        one = attributes((1, one), (7, b"n"))
        two = attributes((7, b"n"), (1, two))
        if depth in (MAX_DEPTH, 1999):
            same = depth == MAX_DEPTH
            assert Chain.from_bytes(one).same_as(Chain.from_bytes(two)) is same, depth
    assert Chain.from_bytes(one).same_as(Chain.from_bytes(one))
    assert not Chain.from_bytes(one).same_as(Chain.from_bytes(attributes((1, body), (7, b"n"))))


def test_replace_keeps_padding_too() -> None:
    """The sender may have left anything there."""
    body = struct.pack("=HH", 5, 1) + b"a\1\2\3" + struct.pack("=HHI", 8, 77, 5)

    class Padded(Message):
        text: bytes | None = s.binary(1)
        other: int | None = s.u32(2)

    message = Padded.from_bytes(body)
    assert bytes(message.replace()) == body
    assert bytes(message.replace(other=6)) == body + struct.pack("=HHI", 8, 2, 6)

    class Short(Message):
        family: int = s.u8()
        other: int | None = s.u32(2)

    short = Short.from_bytes(b"\5\1\2\3" + struct.pack("=HHI", 8, 2, 6))
    assert bytes(short.replace()) == bytes(short)
    assert bytes(short.replace(family=7, other=None)) == b"\7\1\2\3"
    assert bytes(Short.from_bytes(b"\5").replace(other=6)) == b"\5\0\0\0" + bytes(short)[4:]


def test_replace_splices_and_keeps_the_unknown_to_the_byte() -> None:
    odd = wire.attribute(0x8000 | 200, b"\1\2\3")
    message = Tree.from_bytes(bytes(FULL) + odd)
    assert message.unknown == ((200, b"\1\2\3"),)
    changed = message.replace(family=10, name="y", leaves=(), on=None)
    assert changed.unknown == message.unknown
    assert bytes(changed).endswith(odd)
    assert (changed.family, changed.name, changed.leaves, changed.on) == (10, "y", (), False)
    assert changed.leaf == message.leaf
    assert changed.bits == message.bits
    assert message.replace() == message
    assert [name for name, _ in message.replace(name="z")] == [name for name, _ in message]
    assert Tree().replace(name="new").name == "new"
    with pytest.raises(TypeError, match="did you mean 'name'"):
        message.replace(nmae="y")


def test_declarations_that_cannot_be_are_refused() -> None:
    with pytest.raises(TypeError, match=r"would hide Message\.to_dict"):
        declare(to_dict=s.u8(1))
    with pytest.raises(TypeError, match=r"would hide Message\.detach"):
        declare(detach=s.u8(1))
    with pytest.raises(TypeError, match="have the same number"):
        declare(a=s.u8(1), b=s.u8(1))
    with pytest.raises(TypeError, match="before attributes"):
        declare(a=s.u8(1), b=s.u8())
    with pytest.raises(TypeError, match="before attributes"):
        declare(Tree, late=s.u8())
    with pytest.raises(TypeError, match="open-ended"):
        declare(a=s.binary(), b=s.u8())
    with pytest.raises(ValueError, match="16384 is out of range"):
        s.u8(0x4000)
    with pytest.raises(ValueError, match="'u24' is not a kind"):
        s.Field("u24", 1)


def test_the_last_member_may_be_open_ended() -> None:
    class rtvia(Message):
        family: int = s.u16()
        addr: bytes = s.binary()

    assert bytes(rtvia(family=2, addr=b"\1\2\3\4")) == b"\2\0\1\2\3\4"[: 2 + 4]
    assert rtvia.from_bytes(b"\2\0\1\2\3\4").addr == b"\1\2\3\4"


def test_a_struct_that_ends_open_may_be_the_end_of_another() -> None:
    class tail(Message):
        kind: int = s.u16()
        data: bytes = s.binary()

    class outer(Message):
        mode: int = s.u32()
        inner: Any = s.struct(tail)

    made = outer(mode=1, inner={"kind": 2, "data": b"abcdef"})
    assert bytes(made) == bytes(outer(mode=1))[:4] + bytes(tail(kind=2)) + b"abcdef"
    assert outer.from_bytes(bytes(made)).inner == tail(kind=2, data=b"abcdef")
    assert len(bytes(outer())) == 8
    assert bytes(made.replace(mode=3))[4:] == bytes(made)[4:]
    assert made.replace(inner=tail(data=b"z")).inner.data == b"z"


def test_a_bare_header_is_a_dump_request() -> None:
    """For these types, the kernel accepts a dump request with a struct rtgenmsg, as glibc sends."""
    bare = (
        RTM.RTM_GETLINK, RTM.RTM_GETADDR, RTM.RTM_GETROUTE, RTM.RTM_GETNEIGH, RTM.RTM_GETRULE,
        RTM.RTM_GETMULTICAST, RTM.RTM_GETANYCAST, RTM.RTM_GETNEIGHTBL, RTM.RTM_GETADDRLABEL,
        RTM.RTM_GETNETCONF, RTM.RTM_GETMDB, RTM.RTM_GETNSID,
    )  # fmt: skip
    for number in bare:
        for size in (1, 4):
            body = bytes(rtgenmsg(family=AF.AF_INET6)).ljust(size, b"\0")
            (found,) = parse(wire.message(number, body, flags=0x301), ROUTE)
            assert isinstance(found, Message)
            fields: Any = found
            assert fields.family is AF.AF_INET6
            assert bytes(found) == body
            assert repr(found)
            assert fields.detach() == found
            missing = {
                name for name, field in type(found).__table__.names.items()
                if field.number is None and field.offset + field.size > size
            }  # fmt: skip
            assert {name for name, value in found.to_dict().items() if value is None} == missing
            assert fields.replace(family=AF.AF_INET).family is AF.AF_INET
    glibc = bytes.fromhex("1400000012000103000000000000000000000000")
    (message,) = parse(glibc, ROUTE)
    assert isinstance(message, Link)
    fields = message
    assert (fields.family, fields.index, fields.mtu) == (AF.AF_UNSPEC, None, None)
    for flags in (1, 0x300, 0):  # no dump, no request, neither
        with pytest.raises(DecodeError, match=r"header has 16 bytes, .* only 4"):
            list(parse(wire.message(RTM.RTM_GETLINK, bytes(4), flags=flags), ROUTE))
    with pytest.raises(DecodeError, match="the message has only 0"):
        list(parse(wire.message(RTM.RTM_GETLINK, b"", flags=0x301), ROUTE))
    with pytest.raises(DecodeError, match="the message has only 4"):
        list(parse(wire.message(RTM.RTM_GETSTATS, bytes(4), flags=0x301), ROUTE))


# --- counts ---------------------------------------------------------------------------------------


class Pair(Message):
    left: int = s.u16()
    right: int = s.u16()


class Counted(Message):
    """A count of pairs, and another number in the bits above 4."""

    count: int = s.u8(counts="pairs")
    halves: int = s.u8(counts="pairs", times=2)
    kind_count: int = s.u8(counts="pairs", bits=4)
    pairs: tuple[Pair, ...] = s.scalars(s.struct(Pair))


class Header(Message):
    count: int = s.u8(counts="^items")


class Listed(Message):
    length: int | None = s.u16(1, counts="data")
    data: tuple[int, ...] = s.scalars(2, s.u32())
    header: Header | None = s.struct(3, Header)
    items: tuple[Leaf, ...] = s.array(4, Leaf)


def test_a_count_is_written() -> None:
    """The count may be a header member, an attribute, or in a nested struct."""
    made = Counted(pairs=[{"left": 1}, {}, {"right": 2}])
    assert bytes(made) == bytes.fromhex("03060300 01000000 00000000 00000200")
    assert bytes(Counted()) == bytes(4)
    assert Counted(kind_count=0x50, pairs=[{}]).kind_count == 0x51
    listed = Listed(data=[7, 8], header={}, items=[{}, {}, {}])
    assert (listed.length, listed.header and listed.header.count) == (2, 3)
    assert Listed(header={"count": 7}).header == Header(count=7)  # the items are not here
    assert Listed(items=[{}]).header is None
    assert Listed(data=()).length is None
    for message in (made, listed):
        assert type(message)(**message.to_dict()) == message


def test_a_wrong_count_is_refused() -> None:
    for fields, path in (
        ({"count": 2, "pairs": [{}]}, "Counted.count"),
        ({"count": 2}, "Counted.count"),
        ({"halves": 1, "pairs": [{}]}, "Counted.halves"),
        ({"kind_count": 0x52, "pairs": [{}]}, "Counted.kind_count"),
        ({"kind_count": "x", "pairs": [{}]}, "Counted.kind_count"),
        ({"pairs": [{}] * 16}, "Counted.kind_count"),
        ({"pairs": iter([{}])}, "Counted.count"),
    ):
        with pytest.raises(EncodeError) as caught:
            Counted(**fields)
        assert caught.value.path == path
    with pytest.raises(EncodeError, match=r"Counted.count: 256 is out of range"):
        Counted(pairs=[{}] * 256)
    with pytest.raises(EncodeError, match=r"Listed.length: 3 does not fit data, which makes it 1"):
        Listed(length=3, data=(1,))
    with pytest.raises(EncodeError, match=r"Listed.header.count: 1 does not fit items"):
        Listed(header={"count": 1}, items=[{}, {}])


def test_a_count_follows_a_change() -> None:
    made = Counted(kind_count=0x50, pairs=[{}])
    assert made.replace(pairs=[{}, {}]) == Counted(kind_count=0x50, pairs=[{}, {}])
    assert made.replace(count=1) == made
    with pytest.raises(EncodeError, match="does not fit"):
        made.replace(count=2)
    listed = Listed(data=(1,), items=[{}])
    assert listed.replace(data=(1, 2)).to_dict() == {"length": 2, "data": (1, 2), "items": ({},)}


# --- numbers that have a text ---------------------------------------------------------------------


class Dotted(KernelNumber):
    """A number that is written as its two bytes: "1.2"."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self >> 8}.{self & 255}"

    @classmethod
    def from_text(cls, text: str) -> Dotted:
        high, dot, low = text.partition(".")
        if not dot:
            raise EncodeError(f"{text!r} has no dot", value=text)
        return cls(int(high) << 8 | int(low))


class Versions(Message):
    low: s.Named[Dotted] = s.u16(enum=Dotted)
    high: s.Named[Dotted | None] = s.be16(1, enum=Dotted)


def test_numbers_with_a_text() -> None:
    made = Versions(low="1.2", high=0x0304)
    assert bytes(made) == bytes.fromhex("0201 0000 0600 0100 0304 0000")
    assert (made.low, made.high) == (0x0102, 0x0304)
    assert (type(made.low), str(made.high), repr(made.low)) == (Dotted, "3.4", "<Dotted 1.2>")
    assert f"{made.low:#x} {made.low} {made.low:>5}" == "0x102 1.2   1.2"
    assert repr(made) == "<Versions low=1.2 high=3.4>"
    assert made.to_dict() == {"low": 0x0102, "high": 0x0304}
    assert made.to_json() == {"low": "1.2", "high": "3.4"}
    assert json.loads(json.dumps(made.to_json())) == made.to_json()
    assert "low   1.2" in made.pretty()
    assert Versions(**made.to_dict()) == made == Versions(**made.to_json())
    assert pickle.loads(pickle.dumps(made.low)) == made.low
    for wrong, words in ((5.5, "expected an int or text, not float"), (["1.2"], "not list"),
                         ("12", "Versions.low: '12' has no dot"), (1 << 16, "out of range"),
                         ("256.0", "out of range"), (-1, "out of range")):  # fmt: skip
        with pytest.raises(EncodeError, match=words):
            Versions(low=wrong)
