"""netlink/filter.py: conditions, the programs that they become, and the calls that are wrong.

Three opinions must agree: the evaluation in Python, the interpreter of tests/bpf.py, and the fields
of the message as the library reads them. tests/kernel/test_filter_live.py adds the kernel's.
"""

from __future__ import annotations

import copy
import struct
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import netlink
from netlink import (
    EncodeError,
    Filter,
    Message,
    RawMessage,
    fields,
    parse,
    testing,
    uevent,
)
from netlink import schema as s
from netlink.constants import AF, KernelEnum, KernelFlag
from netlink.diag.inet import InetSocket
from netlink.filter import Condition, Operand, _holds
from netlink.generic import nlctrl, taskstats
from netlink.route import FAMILY as ROUTE
from netlink.route import route
from netlink.route.link import Link
from netlink.route.route import Route
from netlink.where import where
from tests.bpf import PASS, TYPE, conditions, datagram, family_of, operands, run
from tests.generated import CLASSES, messages

PORT = 4242


class BITS(KernelFlag, prefix="BIT_"):
    BIT_ONE = 1
    BIT_TWO = 2
    BIT_TOP = 1 << 31


class COLOUR(KernelEnum, prefix="COLOUR_"):
    COLOUR_RED = 1
    COLOUR_BLUE = 2


class Point(Message):
    """A struct, which older kernels send without its end."""

    x: int = s.u16()
    y: int = s.s32()
    label: str = s.string(size=8)


class Inner(Message):
    small: int | None = s.s8(1)
    text: str | None = s.string(2)
    deep: Any = s.nest(3, lambda: Inner)
    is_on: bool = s.flag(4)


class Sample(Message):
    """One field of each kind."""

    family: int = s.u8()
    size: int = s.u8()
    port: int = s.be16()
    big: int = s.u64()
    delta: int = s.s16()
    name: str = s.string(size=8)
    where_: Any = s.address(size=16, by_family=True)
    colour: Any = s.u32(1, enum=COLOUR)
    flags: Any = s.u32(2, enum=BITS)
    wide: int | None = s.u64(3)
    signed: int | None = s.s64(4)
    network: int | None = s.be32(5)
    any_size: int | None = s.uint(6)
    any_signed: int | None = s.sint(7)
    text: str | None = s.string(8, size=16)
    raw: bytes | None = s.binary(9)
    link: str | None = s.mac(10)
    tunnel: Any = s.lladdr(11)
    address: Any = s.address(12)
    four: Any = s.address(13, size=4)
    by_family: Any = s.address(14, by_family=True)
    inner: Any = s.nest(15, Inner)
    point: Any = s.struct(16, Point)
    is_set: bool = s.flag(17)
    is_byte: bool = s.byte_flag(18)
    several: Any = s.repeated(19, s.u32())
    array: Any = s.array(20, Inner)
    chosen: Any = s.selected(21, "colour", {1: Inner})
    bits: Any = s.bitfield32(22)
    signed_network: int | None = s.sbe16(23)


FAMILY = family_of(Sample, Inner)
x = fields(Sample)
TESTABLE = [cls for cls in CLASSES if operands(cls)]


def passes(condition: Condition, message: Message | bytes) -> bool:
    """Run a program for one event, and compare it with the evaluation in Python."""
    body = bytes(message)
    wanted = Filter(condition)
    result = run(wanted.compile(family_of(condition.cls), port=PORT), datagram(body))
    assert result in (0, PASS)
    whole = condition.cls.from_bytes(body)
    assert wanted.matches(whole) is (result == PASS), (condition, whole)
    return result == PASS


# --- agreement ------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_three_opinions_agree(data: st.DataObject) -> None:
    cls: type[Message] = data.draw(st.sampled_from(TESTABLE) | st.just(Sample))
    message = data.draw(messages(cls))
    other = data.draw(messages(cls))
    condition, meaning = data.draw(conditions(message))
    for each in (message, other):
        if len(bytes(each)) >= cls.__table__.header:
            assert passes(condition, each) is meaning(each), (condition, each)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_malformed_events_are_judged_alike(data: st.DataObject) -> None:
    """The program and the evaluation agree on any bytes, also on those that are no message."""
    cls = data.draw(st.just(Sample) | st.sampled_from(TESTABLE))
    message = data.draw(messages(cls))
    condition, _ = data.draw(conditions(message))
    body = bytearray(bytes(message))
    for _ in range(data.draw(st.integers(1, 5))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    del body[data.draw(st.integers(0, len(body))) :]
    program = Filter(condition).compile(family_of(cls), port=PORT)
    found = run(program, datagram(bytes(body)))
    if len(body) < cls.__table__.header:
        assert found == PASS
    else:
        assert found == (PASS if _holds(condition, bytes(body)) else 0)


TABLE = [
    (x.size == 5, {"size": 5}, {"size": 6}),
    (x.size != 5, {"size": 6}, {"size": 5}),
    (x.port == 53, {"port": 53}, {"port": 53 << 8}),
    (x.port > 255, {"port": 256}, {"port": 255}),
    (x.big > 1 << 40, {"big": (1 << 40) + 1}, {"big": 1 << 40}),
    (x.big <= 0xFFFFFFFF, {"big": 0xFFFFFFFF}, {"big": 1 << 32}),
    (x.delta < 0, {"delta": -1}, {"delta": 0}),
    (x.delta >= -2, {"delta": -2}, {"delta": -3}),
    (x.name == "eth0", {"name": "eth0"}, {"name": "eth01"}),
    (x.name.startswith("eth"), {"name": "eth0"}, {"name": "et"}),
    (x.where_ == "192.0.2.1", {"family": AF.AF_INET, "where_": "192.0.2.1"}, {}),
    (
        x.where_.within("2001:db8::/33"),
        {"family": AF.AF_INET6, "where_": "2001:db8:7fff::"},
        {"family": AF.AF_INET6, "where_": "2001:db8:8000::"},
    ),
    (x.colour == "red", {"colour": 1}, {"colour": 2}),
    (x.colour == COLOUR.COLOUR_BLUE, {"colour": 2}, {}),
    (x.colour != "red", {}, {"colour": 1}),
    (x.colour.in_(["COLOUR_RED", 7]), {"colour": 7}, {"colour": 2}),
    (x.colour > 0x0100, {"colour": 0x0101}, {"colour": 0x01}),
    (x.flags.has("one|top"), {"flags": 0x80000003}, {"flags": 2}),
    (x.flags.has_any(["one", "top"]), {"flags": 1}, {"flags": 2}),
    (x.wide >= 1 << 63, {"wide": 1 << 63}, {"wide": (1 << 63) - 1}),
    (x.signed < -(1 << 40), {"signed": -(1 << 40) - 1}, {"signed": -(1 << 40)}),
    (x.network < 256, {"network": 255}, {"network": 256}),
    (x.any_size == 1 << 33, {"any_size": 1 << 33}, {"any_size": 2}),
    (x.any_size < 1 << 33, {"any_size": 5}, {"any_size": 1 << 33}),
    (x.any_signed <= -1, {"any_signed": -(1 << 40)}, {"any_signed": 0}),
    (x.signed_network < -1, {"signed_network": -2}, {"signed_network": -1}),
    (x.text == "vlan", {"text": "vlan"}, {"text": "vlan2"}),
    (x.text.in_({"vlan", "vxlan"}), {"text": "vxlan"}, {"text": "vxla"}),
    (x.raw == b"\0\1\2", {"raw": b"\0\1\2"}, {"raw": b"\0\1\2\0"}),
    (x.raw.startswith(b"\0"), {"raw": b"\0\1"}, {"raw": b""}),
    (x.link == "02:00:00:00:00:01", {"link": "02:00:00:00:00:01"}, {"link": "02:00:00:00:01"}),
    (x.tunnel == "192.0.2.1", {"tunnel": "192.0.2.1"}, {"tunnel": "02:00:00:00:00:01"}),
    (x.address == "::1", {"address": "::1"}, {"address": "0.0.0.1"}),
    (x.address.within("0.0.0.0/0"), {"address": "9.9.9.9"}, {"address": "::"}),
    (x.address.in_({"10.0.0.1", "::2"}), {"address": "::2"}, {"address": "::1"}),
    (x.four == "10.0.0.1", {"four": "10.0.0.1"}, {"four": "10.0.0.2"}),
    (x.inner.small == -1, {"inner": {"small": -1}}, {"inner": {"small": 1}}),
    (x.inner.deep.deep.text == "a", {"inner": {"deep": {"deep": {"text": "a"}}}}, {"inner": {}}),
    (x.inner.is_on == True, {"inner": {"is_on": True}}, {"inner": {}}),  # noqa: E712
    (x.inner.present, {"inner": {}}, {}),
    (x.point.y == -5, {"point": {"y": -5}}, {"point": {}}),
    (x.point.label == "p", {"point": {"label": "p"}}, {"point": {"label": "pq"}}),
    (x.is_set == True, {"is_set": True}, {}),  # noqa: E712
    (x.is_set == False, {}, {"is_set": True}),  # noqa: E712
    (x.is_byte != True, {}, {"is_byte": True}),  # noqa: E712
    (x.inner.is_on == False, {}, {"inner": {"is_on": True}}),  # noqa: E712
    (x.several.present, {"several": (1,)}, {}),
    (x.chosen.present, {"chosen": b"x"}, {}),
    (~(x.size == 1), {"size": 2}, {"size": 1}),
    ((x.size == 1) & (x.port == 2) & (x.colour == 1), dict(size=1, port=2, colour=1), {"size": 1}),
    ((x.size == 1) | (x.port == 2), {"port": 2}, {"port": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "yes", "no"), TABLE, ids=[repr(row[0]) for row in TABLE])
def test_each_kind(condition: Condition, yes: dict[str, Any], no: dict[str, Any]) -> None:
    assert passes(condition, Sample(**yes))
    assert not passes(condition, Sample(**no))


def test_an_absent_attribute_compares_as_none_does() -> None:
    for absent in (Sample(), Sample(inner={})):
        assert not passes(x.inner.small == 0, absent)
        assert passes(x.inner.small != 0, absent)
        assert not passes(x.inner.small < 5, absent)
        assert not passes(x.inner.small >= 5, absent)
        assert passes(~(x.inner.small < 5), absent)
        assert not passes(x.inner.small.in_({0, 1}), absent)
        assert passes(~x.inner.small.present, absent)


def test_texts_end_at_a_nul_or_with_the_attribute() -> None:
    def sent(payload: bytes) -> bytes:
        body = bytes(Sample()) + struct.pack("=HH", 4 + len(payload), 8) + payload
        return body + bytes(-len(payload) % 4)

    for payload in (b"vlan", b"vlan\0", b"vlan\0\0\0\0junk"):
        assert passes(x.text == "vlan", sent(payload))
    for payload in (b"vla", b"vlan2", b"", b"\0vlan"):
        assert not passes(x.text == "vlan", sent(payload))
    assert passes(x.text == "", sent(b"")) and passes(x.text == "", sent(b"\0vlan"))


def test_a_value_of_a_wrong_length_counts_as_absent() -> None:
    body = bytes(Sample()) + struct.pack("=HHHxx", 6, 1, 1)
    program = Filter(x.colour == 1).compile(FAMILY)
    assert run(program, datagram(body)) == 0 and not _holds(x.colour == 1, body)
    assert run(Filter(x.colour.present).compile(FAMILY), datagram(body)) == PASS


def test_members_that_an_older_kernel_does_not_send_are_absent() -> None:
    body = bytes(Sample()) + struct.pack("=HHH", 6, 16, 9) + bytes(2)
    assert passes(x.point.x == 9, body)
    assert not passes(x.point.y == 0, body) and not passes(x.point.y.present, body)


def test_mpls_labels_are_not_an_address() -> None:
    r = fields(Route)
    labels = Route(family=AF.AF_MPLS, dst=(100,))
    assert not passes(r.dst.within("0.0.0.0/0"), labels)
    assert passes(r.dst.present, labels)


# --- facts ----------------------------------------------------------------------------------------

HEADER = Filter(x.size == 1)
NO = bytes(Sample(size=2))


def kept(packet: bytes, port: int = PORT) -> bool:
    """Whether a filter that drops size 2 passes a datagram."""
    return run(HEADER.compile(FAMILY, port=port), packet) == PASS


def test_what_is_not_an_event_passes() -> None:
    """Fact: the filter runs on everything that enters the queue: answers, ACKs, errors, parts of
    dumps."""
    assert not kept(datagram(NO))
    for control in (1, 2, 3, 4, 15):
        assert kept(datagram(NO, type=control))
    assert kept(datagram(NO, type=TYPE + 1)) and kept(datagram(NO, type=TYPE + 2))
    assert kept(datagram(NO, type=TYPE << 8))  # the byte order matters


def test_parts_of_dumps_pass() -> None:
    """Fact: a filtered part of a dump freezes the dump."""
    assert kept(datagram(NO, flags=2, pid=7)) and kept(datagram(NO, flags=0x12, pid=7))
    assert not kept(datagram(NO, flags=0x600, pid=7))
    assert kept(datagram(NO, flags=1))  # its type means a request


def test_answers_pass() -> None:
    """Fact: an answer to a GET has the type of an event and no MULTI; its nlmsg_pid is our port."""
    assert kept(datagram(NO, seq=9, pid=PORT))
    assert not kept(datagram(NO, seq=9, pid=PORT + 1))
    assert not kept(datagram(NO, seq=9, pid=PORT), port=0)


def test_answers_without_a_port_pass() -> None:
    """Fact: audit and xfrm answer with nlmsg_pid 0."""
    assert kept(datagram(NO, seq=9)) and not kept(datagram(NO, seq=9, pid=1))
    assert not kept(datagram(NO))


def test_generic_events_may_be_numbered() -> None:
    """Fact: answers of generic families have our port, and taskstats and ethtool number their
    events."""
    wanted = Filter(fields(nlctrl.Ctrl).family_name == "devlink")
    program = wanted.compile(nlctrl.FAMILY, port=PORT)
    body = b"\1\2\0\0" + bytes(nlctrl.Ctrl(family_name="ethtool"))
    for seq, pid, passed in ((9, 0, False), (9, PORT, True), (0, 0, False), (9, 1, False)):
        packet = datagram(body, type=16, seq=seq, pid=pid)
        assert (run(program, packet) == PASS) is passed
        (message,) = parse(packet, nlctrl.FAMILY)
        assert wanted.matches(message, port=PORT) is passed


def test_several_messages_in_a_datagram_pass() -> None:
    """Fact: the search for an attribute runs to the end of the skb, over following messages."""
    first = datagram(NO)
    assert kept(first + first) and kept(first + datagram(b""))
    assert not kept(datagram(NO + b"\0" * 3, length=len(first)))  # the padding of one message
    assert kept(datagram(NO, length=1000)) and kept(datagram(NO, length=0))
    assert kept(datagram(NO, length=1 << 24)) and kept(datagram(NO, length=0xFFFFFFFF))


def test_short_messages_pass() -> None:
    """Fact: a load outside the packet ends the filter with 0, a drop."""
    assert not kept(datagram(NO))
    for length in range(16):
        assert kept(datagram(NO)[:length])
    for length in range(len(NO)):
        assert kept(datagram(NO[:length])) is (length < Sample.__table__.header)
    point = fields(Point).x == 1  # has no attributes, so that a short one can be read
    assert Filter(point).matches(Point.from_bytes(b"")) and not Filter(point).matches(Point(x=2))


def test_a_match_returns_the_whole_datagram() -> None:
    """Fact: the return value is a length: 20 truncates."""
    assert run(HEADER.compile(FAMILY), datagram(bytes(Sample(size=1)))) == 0xFFFFFFFF


def test_the_first_of_repeated_attributes_counts() -> None:
    """Fact: SKF_AD_NLATTR gives 0 for an absent attribute; it ignores flag bits; the first of
    repeated attributes wins."""
    head = bytes(Sample())
    one, two = struct.pack("=HHI", 8, 0x8001, 1), struct.pack("=HHI", 8, 0x4001, 2)
    assert passes(x.colour == 1, head + one + two) and passes(x.colour == 2, head + two + one)
    assert not passes(x.colour == 1, head + two + one)


def test_loads_are_big_endian() -> None:
    """Fact: loads are big-endian."""
    assert passes(x.colour == 0x01020304, Sample(colour=0x01020304))
    assert not passes(x.colour == 0x01020304, Sample(colour=0x04030201))
    assert passes(x.colour < 0x01020304, Sample(colour=0x00FFFFFF))


@pytest.mark.parametrize("count", [1, 3, 4, 300, 2900])
def test_long_programs(count: int) -> None:
    """Fact: 4096 instructions at most, jumps of 8 bits."""
    numbers = range(0, 7 * count, 7)
    many = x.colour.in_(numbers)
    for number in (0, 7 * (count // 2), 7 * (count - 1)):
        assert passes(many, Sample(colour=number))
    for number in (1, 7 * count, 0xFFFFFFFF):
        assert not passes(many, Sample(colour=number))
    far = many & many if count < 1000 else many
    assert passes(far | (x.size == 3), Sample(size=3))


def test_conditions_in_a_loop() -> None:
    several = x.colour == 0
    for number in range(1, 300):
        several |= x.colour == number
    assert passes(several, Sample(colour=299)) and not passes(several, Sample(colour=300))
    deep = x.size == 1
    for _ in range(2000):
        deep = ~(deep & (x.port == 1))
    with pytest.raises(ValueError, match="nested too deeply"):
        Filter(deep)


def test_programs_that_are_too_long() -> None:
    with pytest.raises(ValueError, match=r"needs \d+ instructions, and the kernel accepts 4096"):
        Filter(x.colour.in_(range(0, 9000, 2)))
    with pytest.raises(ValueError, match="instructions"):
        Filter(x.raw == bytes(60000))
    with pytest.raises(EncodeError, match="limit"):
        _ = x.raw == bytes(70000)


# --- classes and families -------------------------------------------------------------------------


def test_several_classes() -> None:
    i = fields(Inner)
    both = Filter(x.size == 1, i.small > 3).compile(FAMILY)
    assert run(both, datagram(bytes(Sample(size=1)))) == PASS
    assert run(both, datagram(bytes(Sample(size=2)))) == 0
    assert run(both, datagram(bytes(Inner(small=4)), type=TYPE + 1)) == PASS
    assert run(both, datagram(bytes(Inner(small=3)), type=TYPE + 1)) == 0


def test_a_generic_family_is_found_by_number_and_command() -> None:
    c = fields(nlctrl.Ctrl)
    family = nlctrl.FAMILY
    assert family.id == 16
    wanted = Filter(c.family_name == "devlink")
    program = wanted.compile(family, port=PORT)
    yes, no = (bytes(nlctrl.Ctrl(family_name=name)) for name in ("devlink", "ethtool"))
    known, unknown = b"\1\2\0\0", b"\xee\2\0\0"
    assert run(program, datagram(known + yes, type=16)) == PASS
    assert run(program, datagram(known + no, type=16)) == 0
    assert run(program, datagram(unknown + no, type=16)) == PASS
    assert run(program, datagram(known + no, type=17)) == PASS
    assert run(program, datagram(known[:3], type=16)) == PASS


def test_a_member_of_the_header_chooses_the_class() -> None:
    from netlink import diag

    k = fields(InetSocket)
    program = Filter(k.dport == 443).compile(diag.FAMILY)
    inet = bytes(InetSocket(family=AF.AF_INET, dport=80))
    assert run(program, datagram(inet, type=20)) == 0
    assert run(program, datagram(b"\1" + inet[1:], type=20)) == PASS  # AF_UNIX
    assert run(program, datagram(bytes(InetSocket(family=2, dport=443)), type=20)) == PASS


def test_matches_reads_the_header() -> None:
    wanted = Filter(x.size == 1)
    for packet, expected in (
        (datagram(NO), False),
        (datagram(NO, flags=2), True),
        (datagram(NO, seq=9), True),
        (datagram(NO, seq=9, pid=PORT), True),
        (datagram(NO, seq=9, pid=PORT + 1), False),
        (datagram(NO, type=99), True),
    ):
        (message,) = parse(packet, FAMILY)
        assert wanted.matches(message, port=PORT) is expected
        assert (run(wanted.compile(FAMILY, port=PORT), packet) == PASS) is expected
        assert isinstance(message, RawMessage) is (packet[4] == 99)


# --- text -----------------------------------------------------------------------------------------

r, l = fields(Route), fields(Link)  # noqa: E741

TEXTS = [
    ("table == 254 and oif in (3, 4)", (r.table == 254) & r.oif.in_([3, 4])),
    ("table==main or not gateway.present", (r.table == "main") | ~r.gateway.present),
    ("not (table == 0xfe or priority>=-0)", ~((r.table == 254) | (r.priority >= 0))),
    (
        "dst.within(10.0.0.0/8) and dst != '10.0.0.1'",
        r.dst.within("10.0.0.0/8") & (r.dst != "10.0.0.1"),
    ),
    ("oif not in (3,)", ~r.oif.in_([3])),
    ("flags.has(dead, linkdown)", r.flags.has(["dead", "linkdown"])),
    ("flags.has_any('dead|linkdown')", r.flags.has_any("dead|linkdown")),
    ("metrics.mtu > 1400 and type == unicast", (r.metrics.mtu > 1400) & (r.type == "unicast")),
    ("gateway == fe80::1", r.gateway == "fe80::1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "condition"), TEXTS)
def test_text(text: str, condition: Condition) -> None:
    assert repr(where(text, Route)) == repr(condition)
    assert where(f"  {text} ", Route) is not None


def test_and_binds_closer_than_or_and_not_closer_than_and() -> None:
    text = "oif == 1 or oif == 2 and not oif == 3 and iif == 4"
    expected = (r.oif == 1) | ((r.oif == 2) & ~(r.oif == 3) & (r.iif == 4))
    assert repr(where(text, Route)) == repr(expected)


def test_text_of_other_kinds() -> None:
    assert repr(where("linkinfo.kind == vlan", Link)) == repr(l.linkinfo.kind == "vlan")
    assert repr(where("ifname.startswith(veth)", Link)) == repr(l.ifname.startswith("veth"))
    assert repr(where('address == "02:00:00:00:00:01"', Link)) == repr(
        l.address == "02:00:00:00:00:01"
    )
    assert repr(where("raw == 00:01ff", Sample)) == repr(x.raw == b"\0\1\xff")
    assert repr(where("is_set == true and size > -0", Sample)) == repr(
        (x.is_set == True) & (x.size > 0)  # noqa: E712
    )


WRONG_TEXTS = [
    ("", 0, "expected a condition"),
    ("   ", 0, "expected a condition"),
    ("table = 254", 6, "write '==' instead of '='"),
    ("tabel == 254", 0, "did you mean 'table'"),
    ("metrics.mut == 1", 8, "did you mean 'mtu'"),
    ("table == 254 && oif == 1", 13, "write 'and' instead of '&&'"),
    ("table == 254 & oif == 1", 13, "write 'and' instead of '&'"),
    ("table == 254 | oif == 1", 13, "write 'or' instead of '|'"),
    ("!table == 254", 0, "write 'not'"),
    ("1 < table < 5", 0, "expected a field, got '1'"),
    ("table > 1 < 5", 10, "cannot be chained"),
    ("table == 254 oif == 1", 13, "expected 'and', 'or' or the end, got 'oif'"),
    ("(table == 254", 13, "expected ')'"),
    ("table == 254)", 12, "got ')'"),
    ("table", 5, "expected a comparison after 'table'"),
    ("table ==", 8, "expected a value, got the end"),
    ("table == 'x", 9, "has no end"),
    ("table == nowhere", 9, "'nowhere' is not a name of RT_TABLE"),
    ("table == 4294967296", 9, "out of range"),
    ("oif in ()", 8, "expected a value"),
    ("oif in 3", 7, "expected '('"),
    ("oif in (3", 9, "expected ')'"),
    ("flags.has(dead|linkdown)", 14, "separate values by ','"),
    ("flags.have(dead)", 6, "has no field 'have'"),
    ("flags(dead)", 0, "cannot be called"),
    ("dst == 10.0.0.0/8", 7, "within"),
    ("dst.within(10.0.0.1/8)", 11, "host bits"),
    ("dst.within(10.0.0.0/8, 11.0.0.0/8)", 11, "has one value"),
    ("multipath == 3", 13, "list"),
    ("rtm_table.present", 0, "header member"),
    ("__class__ == 3", 0, "not the name of a field"),
    ("table.__class__ == 3", 0, "not the name of a field"),
    ("table.present.x == 3", 0, "not the name of a field"),
    ("table..present", 0, "not the name of a field"),
    ("(" * 60 + "table == 1" + ")" * 60, 50, "more than 50"),
    ("not " * 60 + "table == 1", 200, "more than 50"),
    ("table == 1; import os", 9, "'1;' is not a name"),
    ("table == \N{SNOWMAN}", 9, "not a name"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "reason"), WRONG_TEXTS)
def test_wrong_texts_show_the_place(text: str, at: int, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        where(text, Route)
    said, shown, marker = str(caught.value).split("\n")
    assert reason in said
    assert (shown, marker.index("^") - 2) == (f"  {text}", at)


@given(st.text(alphabet="table oif in()=<>!'\"&|~.,0123456789-x\n\t", max_size=40))
def test_any_text_is_a_condition_or_a_value_error(text: str) -> None:
    try:
        assert isinstance(where(text, Route), Condition)
    except ValueError as error:
        assert "^" in str(error)


# --- wrong calls ----------------------------------------------------------------------------------

NAMES = {
    "PORT": PORT, "c": r.table == 254, "fields": fields, "Filter": Filter, "l": l, "r": r,
    "route": route, "Route": Route, "ROUTE": ROUTE, "FAMILY": FAMILY,
    "t": fields(taskstats.TaskStats), "taskstats": taskstats, "uevent": uevent,
    "where": where, "x": x,
}  # fmt: skip

WRONG: list[tuple[str, type[Exception], str]] = [
    ("c and c", TypeError, "write & for `and`"),
    ("not c", TypeError, "~ for `not`"),
    ("1 < r.table < 5", TypeError, "(1 < x) & (x < 5)"),
    ("r.oif in (3, 4)", TypeError, "x.in_((1, 2))"),
    ("r.oif in {3, 4}", TypeError, "x.in_((1, 2))"),
    ("3 in r.oif", TypeError, "r"),
    ("c == True", TypeError, "cannot be compared"),
    ("c & True", TypeError, "needs a condition on both sides"),
    ("c & r.oif", TypeError, "compare it"),
    ("r.table == 254 & r.oif == 3", TypeError, "parentheses"),
    ("r.flags & 1", TypeError, "has(...)"),
    ("~r.gateway", TypeError, ".present"),
    ("[*r.oif]", TypeError, "not a list"),
    ("bool(r.oif)", TypeError, "not true or false"),
    ("c & (l.mtu == 3)", TypeError, "one Filter as two arguments"),
    ("r.tabel", AttributeError, "did you mean 'table'?"),
    ("r.metrics.mut", AttributeError, "did you mean 'mtu'?"),
    ("r.oif.foo", AttributeError, "of kind u32"),
    ("r.multipath.foo", AttributeError, "it is a list"),
    ("r.encap.foo", AttributeError, "depends on 'encap_type'"),
    ("setattr(r, 'oif', 3)", AttributeError, "a comparison is =="),
    ("r.table == None", TypeError, "~Route.table.present"),
    ("r.table == r.oif", TypeError, "constants only"),
    ("r.table == 'nowhere'", EncodeError, "Route.table: 'nowhere' is not a name of RT_TABLE"),
    ("r.table == 1 << 32", EncodeError, "use 0 to 4294967295"),
    ("r.table == -1", EncodeError, "out of range"),
    ("r.table == 2.5", TypeError, "expected an int or a name of RT_TABLE"),
    ("r.oif == '3'", TypeError, "expected an int"),
    ("r.oif == True", TypeError, "is a number"),
    ("r.oif.in_(3)", TypeError, "expects values"),
    ("r.oif.in_('34')", TypeError, "expects values"),
    ("r.oif.in_([])", ValueError, "no event would pass"),
    ("r.oif.has(0)", ValueError, "names no bit"),
    ("r.oif.within('10.0.0.0/8')", ValueError, "only IP addresses"),
    ("r.oif.startswith('x')", ValueError, "only text and bytes"),
    ("r.dst < '10.0.0.1'", ValueError, "only integers have an order"),
    ("r.dst.has(1)", ValueError, "only unsigned integers have bits"),
    ("r.dst == '10.0.0.0/8'", EncodeError, "within('10.0.0.0/8')"),
    ("r.dst == 'x'", EncodeError, "is not an IP address"),
    ("r.dst == 3", TypeError, "expected an IP address"),
    ("r.dst == 'fe80::1%eth0'", EncodeError, "zone"),
    ("r.dst.in_('10.0.0.0/8')", TypeError, "within('10.0.0.0/8')"),
    ("r.dst.within('10.0.0.1/8')", EncodeError, "host bits"),
    ("r.dst.within(3)", TypeError, "a prefix such as"),
    ("x.four == '::1'", EncodeError, "IPv6 address, which the field cannot hold"),
    ("x.four.within('::/0')", EncodeError, "cannot hold"),
    ("r.multipath == 3", ValueError, "use .present"),
    ("r.encap == 3", ValueError, "depends on 'encap_type'"),
    ("r.metrics == 3", ValueError, "name one of its fields"),
    ("x.bits == 3", ValueError, "of kind bitfield32"),
    ("r.rtm_table.present", ValueError, "every Route has"),
    ("l.ifname == 'a' * 16", EncodeError, "Link.ifname: 16 bytes exceed the limit of 15"),
    ("l.ifname == b'x'", TypeError, "expected str"),
    ("l.ifname == 'a\\0'", EncodeError, "NUL"),
    ("l.ifname.startswith('')", EncodeError, "empty"),
    ("l.ifname.startswith(b'x')", TypeError, "expects str"),
    ("l.address == 'x'", EncodeError, "Link.address"),
    ("x.raw == 'x'", TypeError, "expected bytes"),
    ("x.is_set == 1", TypeError, "compare it with True or False"),
    ("x.is_set.in_([True, False])", ValueError, "always true"),
    ("x.delta.has(1)", ValueError, "unsigned"),
    ("fields(Route())", TypeError, "pass its class: fields(Route)"),
    ("fields(route.get)", TypeError, "fields(Route)"),
    ("fields('Route')", TypeError, "expects a message class"),
    ("Filter()", TypeError, "expects conditions"),
    ("Filter(r.oif)", TypeError, "Route.oif.present"),
    ("Filter([c])", TypeError, "pass each condition as an argument"),
    ("Filter('table == 254')", TypeError, "expects conditions"),
    ("Filter(c, r.oif == 3)", ValueError, "combine them with & or |"),
    ("Filter(c, where=3)", TypeError, "where"),
    ("Filter(c).matches(b'')", TypeError, "expects a message"),
    ("Filter(c).matches(Route(), port='x')", TypeError, "port must be an int"),
    ("Filter(c).matches(Route(), PORT)", TypeError, "positional"),
    ("r.via.addr == '10.0.0.1'", ValueError, "has no size"),
    ("(c | c) | 5", TypeError, "needs a condition"),
    ("l.linkinfo.data == 3", ValueError, "depends on 'kind'"),
    ("l.linkinfo == 'vlan'", ValueError, "name one of its fields: kind"),
    ("Filter(c).compile()", TypeError, "compile(ROUTE)"),
    ("Filter(c).compile(route)", TypeError, "expected a family"),
    ("Filter(c).compile(FAMILY)", ValueError, "no event of test is a Route"),
    ("Filter(c).compile(ROUTE, port=-1)", ValueError, "port"),
    ("Filter(c).compile(ROUTE, port='x')", TypeError, "port"),
    ("Filter(c).compile(uevent.FAMILY)", ValueError, "not netlink messages"),
    ("Filter(t.aggr_pid.present).compile(taskstats.FAMILY)", ValueError, ".at(number)"),
    ("where(b'table == 1', Route)", TypeError, "expects a text"),
    ("where('table == 1', route)", TypeError, "expects a message class"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "said"), WRONG)
def test_wrong_calls(call: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        eval(call, NAMES)
    assert said in str(caught.value)


def test_a_copy_is_the_same() -> None:
    condition = (r.table == 254) & ~r.oif.present
    assert copy.deepcopy(condition) is condition and copy.copy(r.oif)._path == "oif"
    assert repr(copy.deepcopy(Filter(condition))) == repr(Filter(condition))


@pytest.mark.skipif(sys.platform != "linux", reason="netlink sockets are Linux's")
def test_a_scripted_kernel_has_no_filters() -> None:
    from netlink import Connection

    scripted = testing.Socket(lambda request: None, ROUTE)
    with pytest.raises(OSError, match=r"test Filter\.matches"):
        Connection(ROUTE, socket=scripted, filter=r.table == 254)
    with Connection(ROUTE, socket=testing.Socket(lambda request: None, ROUTE)) as nl:
        nl.set_filter(None)


def test_nothing_hides_a_field() -> None:
    """A field of a nest or struct that has the name of a test could not be named."""
    from netlink.filter import WORDS

    hidden = {
        (cls.__name__, path)
        for cls in TESTABLE
        for path in operands(cls)
        if len(path) > 1 and set(path[1:]) & set(WORDS)
    }
    assert hidden == set()


def test_completion_lists_the_fields() -> None:
    assert dir(r) == sorted(Route.__table__.names)
    assert {"kind", "data", "present", "in_"} <= {*dir(l.linkinfo)}
    assert isinstance(netlink.fields(Link).linkinfo, Operand)
