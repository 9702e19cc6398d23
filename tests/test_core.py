"""The core, with bytes only: framing, kinds, views, encoding and runs."""

from __future__ import annotations

import copy
import functools
import gc
import ipaddress
import pickle
import struct as pystruct
import sys
import types
from enum import IntEnum, IntFlag
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlink import (
    Bitfield32,
    DecodeError,
    EncodeError,
    Message,
    RawMessage,
    iter_attributes,
    iter_messages,
)
from netlink import schema as s
from netlink._core import INDEX_FORMAT, Column, Dispatch, Gather, Messages, Run, kinds, runs, stamp
from netlink.route import link

from . import wire


class Color(IntEnum):
    RED = 1
    BLUE = 7


class Bit(IntFlag):
    LOW = 1
    HIGH = 0x80000000


class Pair(Message):
    """A C struct with a hole, as the compiler would lay it out."""

    a: int = s.u8()
    b: int = s.u32()


class Inner(Message):
    number: int | None = s.u32(1)
    name: str | None = s.string(2)


class Hop(Message):
    """A record: its first member is the length."""

    len: int = s.u16()
    hops: int = s.u8()
    _pad = s.pad(1)
    ifindex: int = s.s32()
    gateway: s.IPAddress | None = s.address(5)


V4 = ipaddress.IPv4Address("192.0.2.1")
V6 = ipaddress.IPv6Address("2001:db8::1")
LITTLE = sys.byteorder == "little"


def native(fmt: str, value: int) -> bytes:
    return pystruct.pack("=" + fmt, value)


# kind -> (field, a value, its payload); "=" marks native byte order
SAMPLES: dict[str, tuple[Any, Any, bytes]] = {
    "u8": (s.u8(1), 0xFE, b"\xfe"),
    "u16": (s.u16(1), 0xFEDC, native("H", 0xFEDC)),
    "u32": (s.u32(1), 0xFEDCBA98, native("I", 0xFEDCBA98)),
    "u64": (s.u64(1), 0xFEDCBA9876543210, native("Q", 0xFEDCBA9876543210)),
    "s8": (s.s8(1), -2, b"\xfe"),
    "s16": (s.s16(1), -292, native("h", -292)),
    "s32": (s.s32(1), -19088744, native("i", -19088744)),
    "s64": (s.s64(1), -81985529216486896, native("q", -81985529216486896)),
    "be16": (s.be16(1), 0xFEDC, b"\xfe\xdc"),
    "be32": (s.be32(1), 0xFEDCBA98, b"\xfe\xdc\xba\x98"),
    "be64": (s.be64(1), 0xFEDCBA9876543210, b"\xfe\xdc\xba\x98\x76\x54\x32\x10"),
    "sbe16": (s.sbe16(1), -2, b"\xff\xfe"),
    "sbe32": (s.sbe32(1), -2, b"\xff\xff\xff\xfe"),
    "sbe64": (s.sbe64(1), -2, b"\xff\xff\xff\xff\xff\xff\xff\xfe"),
    "uint": (s.uint(1), 1 << 40, native("Q", 1 << 40)),
    "sint": (s.sint(1), -5, native("i", -5)),
    "flag": (s.flag(1), True, b""),
    "byte_flag": (s.byte_flag(1), True, b""),
    "string": (s.string(1), "eth0", b"eth0\0"),
    "pairs": (s.pairs(1), {"": "add@/x", "A": "1", "B": ""}, b"add@/x\0A=1\0B=\0"),
    "binary": (s.binary(1), b"\x00\x01", b"\x00\x01"),
    "pad": (s.pad(2), None, b"\0\0"),
    "address": (s.address(1), V6, V6.packed),
    "labels": (s.labels(1), (16, 100), bytes.fromhex("00010000 00064100")),
    "mac": (s.mac(1), "02:00:00:00:00:ff", b"\x02\0\0\0\0\xff"),
    "lladdr": (s.lladdr(1), "02:00:00:00:00:ff", b"\x02\0\0\0\0\xff"),
    "bitfield32": (s.bitfield32(1), Bitfield32(1, 3), native("I", 1) + native("I", 3)),
    "struct": (s.struct(1, Pair), Pair(a=1, b=2), b"\x01\0\0\0" + native("I", 2)),
    "nest": (s.nest(1, Inner), Inner(number=5), wire.attribute(1, native("I", 5))),
    "selected": (s.selected(1, "which", {"x": Inner}), b"\x01\x02", b"\x01\x02"),
    "scalars": (s.scalars(1, s.be16()), (1, 2), b"\0\x01\0\x02"),
    "array": (s.array(1, s.u8(), first=1), (7, 8),
              wire.attribute(1, b"\x07") + wire.attribute(2, b"\x08")),
    "mapping": (s.mapping(1, s.string()), {3: "a"}, wire.attribute(3, b"a\0")),
    "repeated": (s.repeated(1, s.u16()), (9,), native("H", 9)),
    "records": (s.records(1, Hop), (Hop(len=8, ifindex=3), Hop(len=16, gateway="192.0.2.1")),
                native("H", 8) + b"\0\0" + native("i", 3)
                + native("H", 16) + bytes(6) + wire.attribute(5, V4.packed)),
}  # fmt: skip


def declare(name: str, **fields: Any) -> Any:
    """Return a message class that belongs to this module, not to the one that creates it."""
    fields["__module__"] = __name__
    return types.new_class(name, (Message,), exec_body=lambda namespace: namespace.update(fields))


@functools.cache
def holder(field: Any) -> Any:
    """Return a message class with one field, which no other class can declare."""
    return declare("Holder", value=field, which=s.string(9))


def test_every_kind_has_a_sample() -> None:
    assert set(SAMPLES) == set(kinds())


@pytest.mark.parametrize("kind", [kind for kind in SAMPLES if kind != "pad"])
def test_kind(kind: str) -> None:
    field, value, payload = SAMPLES[kind]
    cls = holder(field)
    assert cls.__table__.names["value"].kind_name == kind
    encoded = bytes(cls(value=value))
    (attribute,) = iter_attributes(encoded)
    assert (attribute.type, bytes(attribute.payload)) == (1, payload)
    nested = kind in ("nest", "array", "mapping")
    assert attribute.flags == (0x8000 if nested else 0)
    assert cls.from_bytes(encoded).value == value
    assert cls.from_bytes(b"").value in (None, False, ())
    assert bytes(cls(value=cls.from_bytes(encoded).value)) == encoded


@pytest.mark.parametrize("kind", kinds())
def test_kind_refuses_what_is_no_value_of_it(kind: str) -> None:
    if kind == "pad":
        return  # takes no value
    with pytest.raises((EncodeError, TypeError)):
        holder(SAMPLES[kind][0])(value=object())


FIXED = ["u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "be16", "be32", "be64", "sbe16",
         "sbe32", "sbe64", "bitfield32"]  # fmt: skip


@pytest.mark.parametrize("kind", [*FIXED, "uint", "sint", "flag", "byte_flag", "scalars"])
def test_wrong_length_is_an_error_with_path_offset_and_value(kind: str) -> None:
    cls = holder(SAMPLES[kind][0])
    body = wire.attribute(9, b"fine\0") + wire.attribute(1, b"abc")
    message = cls.from_bytes(body)
    with pytest.raises(DecodeError) as caught:
        message.value  # noqa: B018
    assert caught.value.path == "Holder.value"
    assert caught.value.offset == 16
    assert caught.value.value == b"abc"
    assert message.which == "fine"


@pytest.mark.parametrize(("payload", "value"), [(b"", True), (b"\0", False), (b"\1", True)])
def test_a_flag_may_come_with_a_byte(payload: bytes, value: bool) -> None:
    """The kernel sends IFLA_VXLAN_TTL_INHERIT with a byte. We write it without one."""
    cls = holder(s.byte_flag(1))
    body = wire.attribute(1, payload)
    message = cls.from_bytes(body)
    assert (message.value, dict(message)) == (value, {"value": True} if value else {})
    data = wire.message(16, body)
    gather = Gather(cls.__table__, dispatching(cls), "value")
    gather.feed(data, 0, len(data))
    assert [*gather.finish()["value"]] == [value]
    assert bytes(cls(value=value)) == (wire.attribute(1, b"") if value else b"")


INTEGERS = {"u8": (0, 2**8), "u16": (0, 2**16), "u32": (0, 2**32), "u64": (0, 2**64),
            "s8": (-(2**7), 2**7), "s16": (-(2**15), 2**15), "s32": (-(2**31), 2**31),
            "s64": (-(2**63), 2**63), "be16": (0, 2**16), "be32": (0, 2**32), "be64": (0, 2**64),
            "sbe16": (-(2**15), 2**15), "sbe32": (-(2**31), 2**31), "sbe64": (-(2**63), 2**63),
            "uint": (0, 2**64), "sint": (-(2**63), 2**63)}  # fmt: skip


@pytest.mark.parametrize("kind", INTEGERS)
def test_integer_range(kind: str) -> None:
    low, end = INTEGERS[kind]
    cls = holder(SAMPLES[kind][0])
    for value in (low, end - 1, 0, 1):
        assert cls(value=value).value == value
    for value in (low - 1, end, 1 << 70, -(1 << 70)):
        with pytest.raises(EncodeError, match=rf"Holder\.value: .*{low} to {end - 1}"):
            cls(value=value)


@given(st.integers(-(2**63), 2**64 - 1))
def test_variable_integers_take_four_bytes_where_they_fit(value: int) -> None:
    kind = "uint" if value >= 0 else "sint"
    encoded = bytes(holder(SAMPLES[kind][0])(value=value))
    assert len(encoded) == (8 if -(2**31) <= value < 2**32 else 12)
    assert holder(SAMPLES[kind][0]).from_bytes(encoded).value == value


def test_enums_and_flags_are_open() -> None:
    class Both(Message):
        color: Color | int | None = s.u8(1, enum=Color)
        bits: Bit | None = s.u32(2, enum=Bit)

    known = Both(color=7, bits=0x80000001)
    assert known.color is Color.BLUE
    assert known.bits == Bit.LOW | Bit.HIGH
    odd = Both(color=99, bits=6)
    assert odd.color == 99
    assert type(odd.color) is int
    assert odd.bits == 6
    assert isinstance(odd.bits, Bit)
    assert bytes(Both(color=odd.color, bits=odd.bits)) == bytes(odd)
    assert Both(color="RED").color is Color.RED


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**128 - 1))
def test_addresses_are_what_ipaddress_makes(four: int, sixteen: int) -> None:
    cls = holder(s.address(1))
    for expected in (ipaddress.IPv4Address(four), ipaddress.IPv6Address(sixteen)):
        value = cls(value=str(expected)).value
        assert value == expected
        assert type(value) is type(expected)
        assert (str(value), hash(value), repr(value)) == (
            str(expected), hash(expected), repr(expected))  # fmt: skip
        assert pickle.loads(pickle.dumps(value)) == expected


def test_an_address_of_another_family_than_the_message_is_refused() -> None:
    class Local(head):
        local: s.Addr = s.address(1, by_family=True)

    assert Local(family=2, local="192.0.2.1").local == V4
    assert Local(local="2001:db8::1").local == V6
    for family, local in ((2, V6), (10, V4)):
        with pytest.raises(
            EncodeError,
            match=r"Local\.local: .* does not belong to the address family of the message",
        ):
            Local(family=family, local=local)


def test_addresses_of_other_lengths_are_bytes() -> None:
    assert holder(s.address(1))(value=b"\1\2\3").value == b"\1\2\3"


def test_label_stacks_and_what_is_more_than_labels() -> None:
    cls = holder(s.labels(1))
    assert cls(value=(100,)).value == (100,)
    assert cls(value=100).value == (100,)
    for odd in (b"\0\6\x41\x40", b"\0\6\x40\0", b"\0\6\x43\0", b"\1\2"):
        assert cls(value=odd).value == odd
    with pytest.raises(EncodeError, match="not an MPLS label"):
        cls(value=(1 << 20,))


def test_an_address_may_be_labels_by_the_family_of_the_header() -> None:
    class Routed(head):
        dst: Any = s.address(1, by_family=True)

    assert Routed(family=28, dst=(100,)).dst == (100,)
    assert Routed(family=2, dst="1.2.3.4").dst == ipaddress.ip_address("1.2.3.4")


def test_the_nested_flag_is_for_plain_lists_of_attributes() -> None:
    class Plain(Message):
        x: int | None = s.u8(1)

    class Nests(Message):
        plain: Plain | None = s.nest(1, Plain)
        headed: Sample | None = s.nest(2, Sample)
        struct: Pair | None = s.struct(3, Pair)
        chosen: Any = s.selected(4, "which", {1: Plain, 2: Sample})
        which: int | None = s.u8(5)
        listed: tuple[Plain, ...] = s.array(6, Plain)
        numbers: tuple[int, ...] = s.array(7, s.u8())

    def flags(**fields: Any) -> list[tuple[int, int]]:
        return [(a.type, a.flags) for a in iter_attributes(bytes(Nests(**fields)))]

    nested = 0x8000
    assert flags(plain=Plain(x=1), headed=Sample(), struct=Pair()) == [(1, nested), (2, 0), (3, 0)]
    assert flags(plain={}, headed={}, struct={}) == [(1, nested), (2, 0), (3, 0)]
    assert flags(which=1, chosen={"x": 1}) == [(5, 0), (4, nested)]
    assert flags(which=2, chosen={"mtu": 1}) == [(5, 0), (4, 0)]
    assert flags(chosen=b"raw") == [(4, 0)]
    assert flags(listed=[{"x": 1}], numbers=(1,)) == [(6, nested), (7, nested)]
    (listed, numbers) = iter_attributes(bytes(Nests(listed=[{"x": 1}], numbers=(1,))))
    assert [a.flags for a in iter_attributes(listed.payload)] == [nested]
    assert [a.flags for a in iter_attributes(numbers.payload)] == [0]


def test_mac_of_any_length() -> None:
    cls = holder(s.mac(1))
    for text in ("", "0a", "02:00:00:00:00:01", ":".join(f"{i:02x}" for i in range(20))):
        assert cls(value=text).value == text
    for bad in ("2:0", "zz:00", "02-", "0200", "02:00:", " 2:00"):
        with pytest.raises(EncodeError, match="link-layer"):
            cls(value=bad)


def test_strings_keep_every_byte() -> None:
    cls = holder(s.string(1))
    odd = cls.from_bytes(wire.attribute(1, b"a\xff\0rest")).value
    assert odd == "a\udcff"
    assert cls(value=odd).value == odd
    assert cls.from_bytes(wire.attribute(1, b"no nul")).value == "no nul"
    with pytest.raises(EncodeError, match="NUL"):
        cls(value="a\0b")


def test_a_bounded_string_is_read_at_any_length() -> None:
    """The size limits writing only, and includes the NUL."""
    cls = holder(s.string(1, size=16))
    assert cls(value="x" * 15).value == "x" * 15
    for longer in ("x" * 16, b"x" * 16, "ä" * 8):  # in bytes
        with pytest.raises(EncodeError, match=r"Holder\.value: 16 bytes exceed the limit of 15"):
            cls(value=longer)
    for payload in (b"x" * 16, b"x" * 40 + b"\0"):
        assert cls.from_bytes(wire.attribute(1, payload)).value == payload.rstrip(b"\0").decode()


def test_an_attribute_carries_at_most_64_kib() -> None:
    cls = holder(s.binary(1))
    assert len(cls(value=bytes(65531)).value) == 65531
    with pytest.raises(
        EncodeError, match=r"Holder\.value: 65532 bytes exceed the limit of an attribute, 65531"
    ):
        cls(value=bytes(65532))


# --- headers, nests, selectors ---


class head(Message):
    family: int = s.u8()
    index: int = s.s32()
    flags: Bit = s.u32(enum=Bit)


class Sample(head):
    mtu: int | None = s.u32(4)
    inner: Inner | None = s.nest(5, Inner)
    kind: str | None = s.string(6)
    data: Any = s.selected(7, "kind", {"inner": Inner})
    hops: tuple[Hop, ...] = s.records(8, Hop)
    many: tuple[Inner, ...] = s.repeated(9, Inner)
    listed: tuple[Inner, ...] = s.array(10, Inner)
    extra: Any = s.nest(11, lambda: Extra)


def dispatching(cls: Any, framing: str = "netlink") -> Dispatch:
    """Return a Dispatch in which type 16 means a message class."""
    dispatch = Dispatch(framing)
    dispatch.meaning(16, "SAMPLE", "core", False).give(cls)
    return dispatch


BY_TYPE = dispatching(Sample)


class Extra(Message):
    by_parent: Any = s.selected(1, "^kind", {"inner": Inner})
    by_header: Any = s.selected(2, "^index", {3: Inner})


def test_header_layout_is_that_of_c() -> None:
    assert [(f.name, f.offset, f.size) for f in head.__table__.fields] == [
        ("family", 0, 1), ("index", 4, 4), ("flags", 8, 4)]  # fmt: skip
    assert bytes(head(family=2, index=-1)) == b"\x02\0\0\0" + native("i", -1) + bytes(4)
    assert Pair.__table__.total == 8

    class Tail(Message):
        big: int = s.u64()
        small: int = s.u8()

    assert (Tail.__table__.header, Tail.__table__.total) == (9, 16)
    assert len(bytes(Tail(small=1))) == 16


def test_short_structs_read_none_for_what_is_missing() -> None:
    short = Pair.from_bytes(b"\x05\0\0\0")
    assert short.to_dict() == {"a": 5, "b": None}
    assert Pair.from_bytes(bytes(8) + b"from the future").b == 0


def test_short_header_before_attributes_is_an_error() -> None:
    with pytest.raises(
        DecodeError, match="the fixed header has 12 bytes, but the message has only 11"
    ):
        Sample.from_bytes(bytes(11))
    assert Sample.from_bytes(bytes(12)).mtu is None


def test_nested_messages_dicts_and_paths() -> None:
    made = Sample(index=3, inner={"number": 5}, kind="inner", data={"name": "x"},
                  hops=[{"len": 0, "gateway": "192.0.2.1"}], many=[Inner(number=1), {"number": 2}],
                  listed=[{"name": "a"}], extra={"by_parent": {"number": 9},
                                                 "by_header": {"number": 8}})  # fmt: skip
    assert made.inner is not None
    assert made.inner.number == 5
    assert made.data.name == "x"
    assert made.hops[0].gateway == V4
    assert [inner.number for inner in made.many] == [1, 2]
    assert made.listed[0].name == "a"
    assert made.extra.by_parent.number == 9
    assert made.extra.by_header.number == 8
    cases: dict[str, dict[str, Any]] = {
        "Sample.inner.number": {"inner": {"number": -1}},
        "Sample.data.number": {"kind": "inner", "data": {"number": -1}},
        "Sample.hops[1].ifindex": {"hops": [{}, {"ifindex": "x"}]},
        "Sample.many[0].number": {"many": [{"number": -1}]},
        "Sample.listed[0].number": {"listed": [{"number": -1}]},
        "Sample.extra.by_parent.number": {"kind": "inner",
                                          "extra": {"by_parent": {"number": -1}}},
    }  # fmt: skip
    for path, values in cases.items():
        with pytest.raises(EncodeError) as caught:
            Sample(**values)
        assert caught.value.path == path


def test_unmatched_selector_gives_bytes() -> None:
    body = bytes(12) + wire.attribute(6, b"other\0") + wire.attribute(7, b"\1\2\3")
    assert Sample.from_bytes(body).data == b"\1\2\3"
    assert Sample(kind="other", data=b"\1\2\3").data == b"\1\2\3"
    with pytest.raises(EncodeError, match=r"no type is declared for kind 'other'"):
        Sample(kind="other", data={"number": 1})


def test_decode_errors_in_nests_name_the_whole_path() -> None:
    bad = wire.attribute(1, b"\1")
    cases = {
        "Sample.inner.number": wire.attribute(5, bad),
        "Sample.data.number": wire.attribute(6, b"inner\0") + wire.attribute(7, bad),
        "Sample.many.number": wire.attribute(9, b"") + wire.attribute(9, bad),
        "Sample.listed[1].number": wire.attribute(10, wire.attribute(1, b"")
                                                   + wire.attribute(2, bad)),
    }  # fmt: skip
    for path, attributes in cases.items():
        message = Sample.from_bytes(bytes(12) + attributes)
        with pytest.raises(DecodeError) as caught:
            message.to_dict()
        assert caught.value.path == path
        assert caught.value.offset == (bytes(12) + attributes).rindex(b"\5\0\1\0\1") + 4


def test_a_bad_nest_costs_only_itself() -> None:
    body = bytes(12) + wire.attribute(5, b"\xff\xff\1\0") + wire.attribute(4, native("I", 1500))
    message = Sample.from_bytes(body)
    assert message.mtu == 1500
    with pytest.raises(DecodeError, match=r"Sample\.inner: nla_len 65535 .* \(at byte 16\)"):
        message.inner  # noqa: B018


def test_the_first_of_equal_attributes_counts_however_it_is_read() -> None:
    body = bytes(12) + wire.attribute(4, native("I", 1)) + wire.attribute(4, native("I", 2))
    message = Sample.from_bytes(body)
    assert [message.mtu for _ in range(9)] == [1] * 9  # by scanning, then by the index
    assert message.to_dict()["mtu"] == 1


def test_index_finds_what_scanning_finds() -> None:
    message = Sample(index=1, mtu=2, kind="inner", data={"number": 3}, many=[{"number": 4}])
    fresh = [getattr(Sample.from_bytes(bytes(message)), name) for name in Sample.__table__.names]
    for _ in range(5):
        assert [getattr(message, name) for name in Sample.__table__.names] == fresh


# --- instances ---


def test_a_message_is_its_bytes() -> None:
    a, b = Sample(index=1, mtu=2), Sample(index=1, mtu=2)
    assert a == b
    assert hash(a) == hash(b)
    assert a != Sample(index=1)
    assert a != Pair(a=1)
    assert a.__eq__(1) is NotImplemented
    assert copy.copy(a) is a
    assert copy.deepcopy(a) is a
    assert not gc.is_tracked(a)
    assert not hasattr(a, "__dict__")
    with pytest.raises(AttributeError):
        a.mtu = 3
    with pytest.raises(TypeError, match="replace"):
        a.__init__(mtu=3)  # type: ignore[misc]
    with pytest.raises(TypeError, match="must not add instance attributes"):
        declare("Slots", __slots__=("x",))


def test_pickle_and_detach_keep_envelope_and_value() -> None:
    data = wire.message(16, bytes(Sample(index=4)), seq=7, pid=9, flags=2)
    (message,) = Messages(data, BY_TYPE)
    for other in (pickle.loads(pickle.dumps(message)), message.detach()):
        assert other == message
        assert (other.nlmsg_type, other.nlmsg_seq, other.nlmsg_pid, other.nlmsg_flags) == (
            16, 7, 9, 2)  # fmt: skip
    assert Sample().nlmsg_type is None
    assert Sample().nlmsg_name is None


def test_references_do_not_drift() -> None:
    data = wire.message(16, bytes(Sample(index=4, mtu=5, inner={"number": 1}, kind="inner")))
    cls = Sample

    def work() -> None:
        for message in Messages(data, BY_TYPE):
            message.to_dict()
            for _ in range(5):
                message.mtu, message.inner.number, message.data  # noqa: B018
            with pytest.raises(AttributeError):
                message.missing  # noqa: B018
        with pytest.raises(DecodeError):
            list(Messages(data[:-1], BY_TYPE))
        with pytest.raises(EncodeError):
            Sample(inner={"number": -1})

    work()
    before = sys.getrefcount(data), sys.getrefcount(cls), sys.getrefcount(None)
    for _ in range(1000):
        work()
    gc.collect()
    after = sys.getrefcount(data), sys.getrefcount(cls), sys.getrefcount(None)
    assert all(b - a < 20 for a, b in zip(before, after, strict=True))


# --- raw iteration and typed iteration ---


def test_raw_messages_are_views_into_the_buffer() -> None:
    data = bytearray(wire.message(20, b"abcde", seq=3, pid=4, flags=5) + wire.message(21))
    first, second = iter_messages(data)
    assert (first.type, first.flags, first.seq, first.pid, first.offset) == (20, 5, 3, 4, 0)
    assert bytes(first.payload) == b"abcde"
    assert (second.type, second.offset, len(second.payload)) == (21, 24, 0)
    data[16:18] = b"XY"
    assert bytes(first.payload) == b"XYcde"
    assert "type=20" in repr(first)


def test_unaligned_lengths_step_by_the_aligned_and_clip_at_the_end() -> None:
    data = wire.message(20, b"abcde") + wire.message(21, b"x")
    assert [m.type for m in iter_messages(data[:-3])] == [20, 21]
    attributes = wire.attribute(1, b"abcde") + wire.attribute(2, b"x")
    assert [a.type for a in iter_attributes(attributes[:-3])] == [1, 2]


@pytest.mark.parametrize("buffer", [bytes, bytearray, memoryview,
                                    lambda b: memoryview(b).cast("I")])  # fmt: skip
def test_any_buffer_will_do(buffer: Any) -> None:
    data = buffer(wire.message(16, bytes(Sample(index=4))))
    assert [m.type for m in iter_messages(data)] == [16]
    assert [m.index for m in Messages(data, BY_TYPE)] == [4]


@pytest.mark.parametrize("iterate", [iter_messages, iter_attributes])
def test_raw_iteration_ends_at_a_fault(iterate: Any) -> None:
    found = iterate(bytes(20))
    with pytest.raises(DecodeError):
        next(found)
    with pytest.raises(StopIteration):
        next(found)


def test_what_is_no_buffer_is_a_type_error() -> None:
    for what in (None, "text", 5):
        with pytest.raises(TypeError):
            list(iter_messages(what))
        with pytest.raises(TypeError):
            Messages(what, Dispatch())
        with pytest.raises(TypeError):
            Sample.from_bytes(what)
    with pytest.raises(BufferError):
        list(iter_messages(memoryview(bytes(64))[::2]))


def test_messages_of_no_class_come_raw_and_the_iteration_survives_a_bad_one() -> None:
    data = wire.message(99, b"raw") + wire.message(16, b"short") + wire.message(
        16, bytes(Sample(index=4)))  # fmt: skip
    messages = Messages(data, BY_TYPE)
    assert isinstance(next(messages), RawMessage)
    with pytest.raises(DecodeError, match="fixed header"):
        next(messages)
    assert next(messages).index == 4
    with pytest.raises(StopIteration):
        next(messages)


def test_iteration_bounds_are_checked() -> None:
    for start, end in ((-1, 5), (0, 17), (5, 4)):
        with pytest.raises(ValueError, match="outside of the data"):
            Messages(bytes(16), Dispatch(), start, end if end >= 0 else 4)


@given(st.binary(max_size=200))
def test_any_bytes_parse_or_raise(data: bytes) -> None:
    for make in (iter_messages, iter_attributes, lambda d: Messages(d, BY_TYPE)):
        try:
            list(make(data))
        except DecodeError as error:
            assert error.offset is not None
            assert 0 <= error.offset <= len(data)
    try:
        Sample.from_bytes(data).to_dict()
    except DecodeError as error:
        assert error.path


def test_every_truncation_of_a_message() -> None:
    whole = wire.message(16, bytes(Sample(index=3, inner={"number": 5}, kind="inner",
                                          data={"name": "x"}, hops=[{"ifindex": 2}])))  # fmt: skip
    for cut in range(1, len(whole)):
        with pytest.raises(DecodeError):
            list(Messages(whole[:cut], BY_TYPE))
    body = whole[16:]
    for cut in range(len(body)):
        try:
            Sample.from_bytes(body[:cut]).to_dict()
        except DecodeError as error:
            assert error.offset is not None


# --- columns ---


def gathered(data: bytes, *paths: str) -> Any:
    gather = Gather(Sample.__table__, BY_TYPE, *paths)
    gather.feed(data, 0, len(data))
    return gather.finish()


def test_columns_read_what_the_messages_say() -> None:
    made = [Sample(index=i, mtu=i * 10 if i % 2 else None, kind="x" * i, inner={"number": i})
            for i in range(20)]  # fmt: skip
    data = b"".join(wire.message(16, bytes(m)) + wire.message(17, b"other") for m in made)
    table = gathered(data, "index", "mtu", "kind", "inner.number", "inner.name", "flags")
    assert {len(column) for column in table.values()} == {20}
    assert [*table["index"]] == list(range(20))
    assert [*table["mtu"]] == [m.mtu for m in made]
    assert [*table["kind"]] == ["x" * i for i in range(20)]
    assert [*table["inner.number"]] == list(range(20))
    assert [*table["inner.name"]] == [None] * 20
    assert table["mtu"].null_count == 10
    assert table["mtu"].validity == bytes([0b10101010, 0b10101010, 0b1010])
    assert memoryview(table["index"].values).cast("i").tolist() == list(range(20))
    assert memoryview(table["kind"].ends).cast("q")[-1] == len(table["kind"].values) == 190
    assert table["flags"][0] == Bit(0)
    assert table["index"][-1] == 19
    for row in (20, -21):
        with pytest.raises(IndexError):
            table["index"][row]
    assert "20 index" in repr(table["index"])


def test_columns_read_the_first_of_two_nests() -> None:
    """As views do: what only the second has is missing, and a fault in it does not matter."""
    first, second = (bytes(Sample(inner=inner)) for inner in ({"number": 1}, {"name": "second"}))
    broken = wire.attribute(Sample.__table__.names["inner"].number or 0, b"\1\2\3")
    header = Sample.__table__.header
    for other in (second[header:], broken):
        body = first + other
        assert Sample.from_bytes(body).inner.to_dict() == {"number": 1}  # type: ignore[union-attr]
        table = gathered(wire.message(16, body) * 2, "inner.number", "inner.name")
        assert [*table["inner.number"]] == [1, 1]
        assert [*table["inner.name"]] == [None, None]
    gather = Gather(Sample.__table__, BY_TYPE, "inner.number")
    for _ in range(2):  # new columns begin with row 0 again
        data = wire.message(16, first)
        gather.feed(data, 0, len(data))
        assert [*gather.finish()["inner.number"]] == [1]


def test_columns_refuse_what_has_none() -> None:
    for path, words in (
        ("indx", "did you mean 'index'"),
        ("inner", "of kind nest"),
        ("many", "of kind repeated"),
        ("mtu.x", "holds no fields"),
        ("inner.x", "Inner has no field"),
    ):
        with pytest.raises(LookupError, match=words):
            Gather(Sample.__table__, BY_TYPE, path)
    with pytest.raises(ValueError, match="at least one path"):
        Gather(Sample.__table__, BY_TYPE)
    with pytest.raises(ValueError, match="only once"):
        Gather(Sample.__table__, BY_TYPE, "mtu", "mtu")


def test_columns_are_made_by_columns_alone() -> None:
    with pytest.raises(TypeError, match=r"^a Column is made by columns\(\) alone"):
        Column()
    column: Any = Column
    bare = column.__new__(column)
    assert (repr(bare), len(bare), [*bare]) == ("<Column without a field>", 0, [])


def test_a_path_of_columns_is_a_string() -> None:
    wrong: Any = ["number"]
    with pytest.raises(
        TypeError, match=r"^columns\(\) expects the names of fields, got \['number'"
    ):
        Gather(Sample.__table__, BY_TYPE, wrong)


def test_columns_name_the_place_of_a_fault() -> None:
    good = wire.message(16, bytes(Sample(mtu=1)))
    for body, path, offset in (
        (bytes(12) + wire.attribute(4, b"\1"), "Sample.mtu", 4 + 12),
        (bytes(12) + wire.attribute(5, wire.attribute(1, b"\1")), "Sample.inner.number", 8 + 12),
        (bytes(12) + wire.attribute(5, b"\1\0\1\0"), "Sample.inner", 4 + 12),
        (bytes(12) + b"\1\0\1\0", "Sample", 12),
        (bytes(3), "Sample", 0),
    ):
        with pytest.raises(DecodeError) as caught:
            gathered(good + wire.message(16, body), "mtu", "inner.number")
        assert caught.value.path == path
        assert caught.value.offset == len(good) + 16 + offset
    with pytest.raises(DecodeError):
        gathered(good[:-1], "mtu")
    with pytest.raises(ValueError, match="not within"):
        Gather(Sample.__table__, BY_TYPE, "mtu").feed(good, 0, len(good) + 1)


@given(st.binary(max_size=120))
def test_columns_of_any_bytes_or_an_error(data: bytes) -> None:
    for stream in (data, wire.message(16, data), wire.message(16, bytes(12) + data)):
        try:
            gathered(stream, "mtu", "inner.number", "kind", "index")
        except DecodeError as error:
            assert error.offset is not None
            assert 0 <= error.offset <= len(stream)


# --- runs ---


def summary(found: list[Run]) -> list[Any]:
    """Return (type, seq, count) of each run, or its error."""
    return [run.fault or (run.type, run.seq, run.count) for run in found]


def test_neighbours_of_one_request_are_one_run_across_datagrams() -> None:
    part = wire.message(24, b"xyz", seq=5)
    assert summary(runs(*wire.receive(part * 3, part * 2, part[:-1], part))) == [(0, 5, 7)]


def test_runs_split_at_another_request_and_at_control_messages() -> None:
    a, b = wire.message(24, seq=5), wire.message(24, seq=6)
    got = runs(*wire.receive(a + a, b + a, wire.done(seq=5), b + wire.error(0, seq=6)))
    assert summary(got) == [(0, 5, 2), (0, 6, 1), (0, 5, 1), (3, 5, 1), (0, 6, 1), (2, 6, 1)]


def test_acknowledgements_of_consecutive_requests_are_one_run() -> None:
    acks = [wire.error(0, seq=seq) for seq in (4, 5, 6, 8, 9)]
    got = runs(*wire.receive(*acks, wire.error(1, seq=10)))
    assert summary(got) == [(2, 4, 3), (2, 8, 2), (2, 10, 1)]
    assert [run.is_ack for run in got] == [True, True, False]


def test_events_are_one_run_whatever_their_seq() -> None:
    events = [wire.message(24, seq=i) for i in range(4)]
    (run,) = runs(*wire.receive(*events, group=7))
    assert (run.group, run.count) == (7, 4)
    assert len(list(Messages(run.data, Dispatch(), run.start, run.end))) == 4


def test_strangers_are_not_read() -> None:
    (run,) = runs(*wire.receive(b"not even a message", port=77))
    assert (run.port, run.count, run.fault) == (77, 0, None)


def test_a_faulty_datagram_does_not_hide_the_others() -> None:
    good = wire.message(24, seq=5)
    first, bad, last = runs(*wire.receive(good + b"\5\0\0", good, group=3))
    assert [run.count for run in (first, bad, last)] == [1, 0, 1]
    assert isinstance(bad.fault, DecodeError)
    assert (bad.fault.offset, bad.group) == (16, 3)
    assert (first.fault, last.fault) == (None, None)
    for index in (b"x", pystruct.pack(INDEX_FORMAT, 0, 999, 0, 0, 0, 0)):
        with pytest.raises(ValueError, match=r"the index has|outside"):
            runs(good, index)


@pytest.mark.parametrize("framing", ["netlink", "text", "connector", "audit"])
def test_a_truncated_datagram_is_one_fault_after_its_whole_messages(framing: str) -> None:
    whole = {"text": b"add@/x", "connector": connector(1)}.get(framing, wire.message(24, seq=5))
    for cut in (b"", whole[:-2]):
        *messages, bad = runs(*wire.receive(whole + cut, flags=0x20), framing=framing)
        assert [run.fault for run in messages] == [None] * len(messages)
        assert len(messages) == 1
        assert str(bad.fault).startswith("the kernel truncated a datagram, because ")
        assert str(bad.fault).endswith("(at byte 0)")
    assert summary(runs(*wire.receive(b"", flags=0x20), framing=framing))[0].offset == 0


def connector(sequence: int, payload: bytes = b"data", *, idx: int = 16, length: int = -1) -> bytes:
    """Return a message as cn_netlink_send_mult() sends it: NLMSG_DONE with a struct cn_msg."""
    size = len(payload) if length < 0 else length
    return wire.message(3, pystruct.pack("=IIIIHH", idx, 1, sequence, 0, size, 0) + payload)


def test_a_burst_of_connector_messages_is_one_run() -> None:
    """Their type is NLMSG_DONE, but they end nothing."""
    burst = [connector(sequence) for sequence in range(64)]
    (run,) = runs(*wire.receive(*burst, group=1), framing="connector")
    assert (run.type, run.count, run.group, run.is_ack) == (0, 64, 1, False)
    messages = list(Messages(run.data, dispatching(Raw, "connector"), run.start, run.end))
    assert len(messages) == 64
    assert {bytes(message) for message in messages} == {b"data"}
    assert [message.cn_seq for message in messages] == list(range(64))
    # With the usual framing, the same bytes are 64 ends of dumps.
    assert [run.type for run in runs(*wire.receive(*burst, group=1))] == [3] * 64


class Raw(Message):
    """Four bytes."""

    word: int = s.be32()


@pytest.mark.parametrize("length", [5, 0x7FFF, 0xFFFF])
def test_a_cn_msg_that_does_not_fit_is_a_fault(length: int) -> None:
    bad = connector(2, length=length)
    first, fault, last = runs(
        *wire.receive(connector(1), bad, connector(3), group=1), framing="connector"
    )
    assert (first.count, last.count) == (1, 1)
    assert "is too short for a struct cn_msg" in str(fault.fault)
    with pytest.raises(DecodeError, match="is too short for a struct cn_msg"):
        list(Messages(bad, dispatching(Raw, "connector")))
    for short in (connector(1)[:30], wire.message(3, b"1234")):
        assert isinstance(summary(runs(*wire.receive(short), framing="connector"))[0], DecodeError)


def test_a_text_datagram_is_one_message() -> None:
    """This also applies to bytes that look like a struct nlmsghdr."""
    texts = [b"add@/devices/virtual/net/v0\0ACTION=add\0", b"x", wire.message(16), b"\xff" * 5]
    found = runs(*wire.receive(*texts, group=1), framing="text")
    assert summary(found) == [(0, 0, 1)] * 4
    assert [run.data[run.start : run.end] for run in found] == texts
    dispatch = Dispatch("text")
    dispatch.meaning(0, "UEVENT", "uevent", False).give(Text)
    (message,) = Messages(texts[0], dispatch)
    assert bytes(message) == texts[0]


class Text(Message):
    """Any bytes."""


def test_an_audit_datagram_is_one_message_as_long_as_itself() -> None:
    """In the kernel's unicast records, nlmsg_len counts only the payload."""
    record = bytearray(wire.message(1300, b"audit(1.2:3): pid=1", seq=0))
    pystruct.pack_into("=I", record, 0, len(record) - 16)
    found = runs(*wire.receive(bytes(record), bytes(record), wire.error(0, seq=2)), framing="audit")
    assert summary(found) == [(0, 0, 1), (0, 0, 1), (2, 2, 1)]
    (message,) = Messages(bytes(record), Dispatch("audit"))
    assert bytes(message.payload)[:19] == b"audit(1.2:3): pid=1"
    assert isinstance(summary(runs(*wire.receive(b"short"), framing="audit"))[0], DecodeError)


def test_flags_of_a_run_are_all_that_occur() -> None:
    (run,) = runs(*wire.receive(wire.message(24, flags=2) + wire.message(24, flags=0x12)))
    assert run.flags == 0x12


def test_an_unknown_framing_is_refused() -> None:
    with pytest.raises(ValueError, match="framing 'json': expected one of netlink, text"):
        Dispatch("json")
    with pytest.raises((KeyError, ValueError)):
        runs(b"", b"", framing="json")


def test_stamp() -> None:
    assert stamp(16, 0x301, 7, 9, b"abc") == pystruct.pack("=IHHII", 19, 16, 0x301, 7, 9) + b"abc"


def test_ops_and_raw_attributes_as_objects() -> None:
    assert copy.copy(link.get) is link.get and copy.deepcopy(link.get) is link.get
    with pytest.raises(TypeError, match=r"takes its fields by name: link\.get"):
        link.get(5)  # type: ignore[call-arg]
    (attribute,) = iter_attributes(wire.attribute(3, b"ab"))
    assert repr(attribute) == "RawAttribute(type=3, flags=0x0, payload=b'ab')"
