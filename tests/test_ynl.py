"""netlink.ynl with the small specs of tests/specs: classes, numbers, bytes, names and errors.

tests/test_ynl_specs.py does the same with the kernel's specs. A docstring that begins with "Fact:"
states what was seen in the kernel's specs or in a kernel.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import warnings
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import netlink
from netlink import DecodeError, EncodeError, ynl
from netlink._core import Gather, stamp
from netlink.cli import main
from netlink.constants import NLM_F
from netlink.errors import NetlinkError
from netlink.schema import Bitfield32
from netlink.ynl import SpecError, SpecWarning
from netlink.ynl.spelling import arguments, spelled

from . import generated, wire
from .meanings import dispatch
from .round_trips import check_round_trip

SPECS = Path(__file__).parent / "specs"
GARAGE = ynl.load(SPECS / "garage.yaml")
SHOP = ynl.load(SPECS / "shop.yaml")
PLAIN = ynl.load(SPECS / "plain.yaml")
FAMILIES = {"garage": GARAGE, "shop": SHOP, "plain": PLAIN}
Garage: Any = GARAGE.message.Garage
Thing: Any = SHOP.message.ThingAttrs
NESTED = 0x8000

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the commands need sockets")


def one(number: int, payload: bytes) -> bytes:
    """The body of a garage with one attribute."""
    return wire.attribute(number, payload)


# --- values -------------------------------------------------------------------------------------

EXTRAS: Any = GARAGE.enum.GARAGE_EXTRAS
SIDES: Any = GARAGE.enum.GARAGE_SIDE_FLAGS
COLOUR: Any = GARAGE.enum.GARAGE_COLOUR
DEPTH: Any = GARAGE.enum.GD

VALUES = [
    ("colour", 1, struct.pack("=I", 256), COLOUR.GARAGE_COLOUR_BEYOND),
    ("extras", 2, b"\x00\x05", EXTRAS.GARAGE_EXTRAS_RADIO | EXTRAS.GARAGE_EXTRAS_4X4),
    ("sides", 3, struct.pack("=I", 2), SIDES.GARAGE_SIDE_RIGHT),
    ("label", 4, b"seven77\0", "seven77"),
    ("key", 5, b"abcd", b"abcd"),
    ("photo", 6, b"ab", b"ab"),
    ("open", 7, b"", True),
    ("speed", 8, struct.pack("=i", -1), -1),
    ("speed", 8, struct.pack("=q", -(1 << 40)), -(1 << 40)),
    ("distance", 9, struct.pack("=I", 0xFFFFFFFF), 0xFFFFFFFF),
    ("age", 11, struct.pack("=h", -4), -4),
    ("state", 12, struct.pack("=II", 8, 9), Bitfield32(EXTRAS.GARAGE_EXTRAS_TOW_BAR, 9)),
    ("mode", 13, struct.pack("=II", 2, 3), Bitfield32(SIDES.GARAGE_SIDE_RIGHT, 3)),
    ("prices", 15, struct.pack("=3H", 1, 2, 3), (1, 2, 3)),
    ("address4", 16, bytes([192, 0, 2, 1]), IPv4Address("192.0.2.1")),
    ("address6", 17, bytes(15) + b"\1", IPv6Address("::1")),
    ("either", 18, bytes([192, 0, 2, 1]), IPv4Address("192.0.2.1")),
    ("either", 18, bytes(15) + b"\1", IPv6Address("::1")),
    ("mac", 40, b"\2\0\0\0\0\1", "02:00:00:00:00:01"),
    ("mark", 41, struct.pack("=I", 255), 255),
    ("id", 42, bytes(range(16)), bytes(range(16))),
    ("numbers", 45, struct.pack("=I", 7), (7,)),
    ("little", 51, b"\1\2\0\0", 0x201),
    ("depth", 52, b"\xff\xff\xff\xfe", DEPTH.GD_MIDDLE),
    ("class_", 53, b"\1", 1),
    ("keys_", 54, b"\1", 1),
    ("n4wheels", 55, b"\4", 4),
    ("with_line", 56, b"\1", 1),
    ("offset", 59, b"\xff\xff\xff\xfe", -2),
]


@pytest.mark.parametrize(("name", "number", "payload", "value"), VALUES)
def test_a_value_is_read_and_written(name: str, number: int, payload: bytes, value: Any) -> None:
    made = Garage(**{name: value})
    assert bytes(made) == one(number, payload)
    found = getattr(Garage.from_bytes(one(number, payload)), name)
    assert (found, type(found)) == (value, type(value) if name != "mark" else ynl.Hex)
    assert made.to_dict() == {name: value}
    assert made.unknown == ()


def test_nests() -> None:
    """Fact: attributes are numbered from 1; `value` may go down, and 0 is an attribute."""
    door = {"zero": 1, "width": 2, "high": 3, "low": 4, "inner": {"width": 5}}
    made = Garage(door=door, doors=[{"width": 6}, {}])
    inside = (
        wire.attribute(0, b"\1") + wire.attribute(1, b"\2")
        + wire.attribute(300, struct.pack("=I", 3)) + wire.attribute(9, struct.pack("=I", 4))
        + wire.attribute(2 | NESTED, wire.attribute(1, b"\5"))
    )  # fmt: skip
    assert bytes(made) == (
        wire.attribute(43 | NESTED, inside)
        + wire.attribute(44 | NESTED, wire.attribute(1, b"\6"))
        + wire.attribute(44 | NESTED, b"")
    )
    assert made.to_dict() == {"door": door, "doors": ({"width": 6}, {})}


def test_arrays_read_any_position() -> None:
    """Fact: elements are numbered from 0, from 1, or all 0 (WireGuard); the order is what counts.
    The kernel requires NLA_F_NESTED on arrays and on their elements."""
    made = Garage(shelf=[{"width": 1}, {"width": 2}], row=["red", 255], hosts=["::1"])
    assert bytes(made) == (
        wire.attribute(
            46 | NESTED,
            wire.attribute(0 | NESTED, wire.attribute(1, b"\1"))
            + wire.attribute(1 | NESTED, wire.attribute(1, b"\2")),
        )
        + wire.attribute(
            47 | NESTED,
            wire.attribute(0, struct.pack("=I", 0)) + wire.attribute(1, struct.pack("=I", 255)),
        )
        + wire.attribute(48 | NESTED, wire.attribute(0, IPv6Address("::1").packed))
    )
    assert made.row == (COLOUR.GARAGE_COLOUR_RED, COLOUR.GARAGE_COLOUR_ANY)
    assert made.hosts == (IPv6Address("::1"),)
    zeros = wire.attribute(0, wire.attribute(1, b"\1")) + wire.attribute(
        0, wire.attribute(1, b"\2")
    )
    read = Garage.from_bytes(wire.attribute(46, zeros))
    assert [door.width for door in read.shelf] == [1, 2]


def test_nests_whose_types_are_values() -> None:
    """Fact: nest-type-value has one level of nests for each name; ethtool's stats have one in a
    repeated attribute, whose type is u64."""
    made = Garage(grid={3: {0: {"width": 1}, 7: {}}}, counts=[{0: 5}, {2: 6}])
    assert bytes(made) == (
        wire.attribute(
            49 | NESTED,
            wire.attribute(
                3 | NESTED,
                wire.attribute(0 | NESTED, wire.attribute(1, b"\1"))
                + wire.attribute(7 | NESTED, b""),
            ),
        )
        + wire.attribute(50 | NESTED, wire.attribute(0, struct.pack("=Q", 5)))
        + wire.attribute(50 | NESTED, wire.attribute(2, struct.pack("=Q", 6)))
    )
    assert made.to_dict() == {"grid": {3: {0: {"width": 1}, 7: {}}}, "counts": ({0: 5}, {2: 6})}


def test_structs_have_the_layout_of_c() -> None:
    """Fact: specs state no alignment. The kernel refuses a packed ovs_key_arp ("unexpected len 22
    expected 24"), so members are aligned and the end is padded. Pads of the spec stay."""
    cls = GARAGE.message.car_info
    offsets = {name: field.offset for name, field in cls.__table__.names.items()}
    assert offsets == {
        "doors": 0, "weight": 4, "spare": 8, "wheels": 16, "plate": 32, "lock": 40, "address": 48,
        "gateway": 64, "odometer": 72, "trunk": 80,
    }  # fmt: skip
    assert cls.__table__.total == 88
    info = {
        "doors": 4, "weight": 1, "spare": {"kind": "red", "size": 2}, "plate": "ab",
        "wheels": [{"size": 3}, {"size": 4}], "lock": "02:00:00:00:00:01", "address": "::2",
        "gateway": "192.0.2.1", "odometer": 9, "trunk": ["radio", "tow_bar"],
    }  # fmt: skip
    made = Garage(info=info)
    body = struct.pack(
        "=B3xIB3xIB3xIB3xI6s2x6s2x16s4s4xQB7x",
        4, int.from_bytes(b"\0\0\0\1", sys.byteorder), 0, 2, 0, 3, 0, 4, b"ab", b"\2\0\0\0\0\1",
        IPv6Address("::2").packed, bytes([192, 0, 2, 1]), 9, 9,
    )  # fmt: skip
    assert bytes(made) == one(14, body)
    assert made.info.wheels[1].size == 4
    assert made.info.weight == 1
    assert made.info.gateway == IPv4Address("192.0.2.1")
    longer = Garage.from_bytes(one(14, body + b"more"))
    assert longer.info.trunk == EXTRAS.GARAGE_EXTRAS_RADIO | EXTRAS.GARAGE_EXTRAS_TOW_BAR
    shorter = Garage.from_bytes(one(14, body[:8]))
    assert (shorter.info.weight, shorter.info.odometer) == (1, None)


def test_a_struct_of_flags_and_enums() -> None:
    made = Garage(info={"spare": {"kind": "dark-blue"}})
    assert made.info.spare.kind is COLOUR.GARAGE_COLOUR_DARK_BLUE


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("label", "eight888", "Garage.label: 8 bytes exceed the limit of 7"),
        ("key", b"abc", "Garage.key: 3 bytes instead of at least 4"),
        ("key", b"abcde", "Garage.key: 5 bytes exceed the limit of 4"),
        ("photo", b"a", "Garage.photo: 1 bytes instead of at least 2"),
        ("photo", b"abcde", "Garage.photo: 5 bytes exceed the limit of 4"),
        ("distance", 2, "Garage.distance: 2 is out of range: use 3 to 4294967295"),
        ("distance", 1 << 32, "Garage.distance: 4294967296 is out of range: use 3 to 4294967295"),
        ("age", -5, "Garage.age: -5 is out of range: use -4 to 100"),
        ("age", 101, "Garage.age: 101 is out of range: use -4 to 100"),
        ("address6", "192.0.2.1", "Garage.address6: 192.0.2.1 is not an IPv6 address"),
        ("address4", "::1", "Garage.address4: ::1 is not an IPv4 address"),
        ("doors", {"width": 1}, "Garage.doors: expected a sequence, such as a list, not dict"),
        ("numbers", 5, "Garage.numbers: expected a sequence, such as a list, not int"),
        ("door", {"width": 300}, "Garage.door.width: 300 is out of range: use 0 to 255"),
        ("colour", "pink", "Garage.colour: 'pink' is not a name of GARAGE_COLOUR"),
        ("mark", "zz", "Garage.mark: 'zz' is not a number such as 0x10"),
    ],
)
def test_checks_are_made_when_writing(field: str, value: Any, reason: str) -> None:
    """Fact: min, max, min-len, max-len and exact-len; max-len of a string does not count the NUL.
    Lengths may be names of constants, with or without their prefix, and limits such as u32-max."""
    with pytest.raises(EncodeError) as caught:
        Garage(**{field: value})
    assert str(caught.value).startswith(reason)
    assert caught.value.path == reason.partition(":")[0]


def test_lengths_of_other_kinds() -> None:
    family = changed(
        "display-hint: mac\n        value: 40",
        "display-hint: mac\n        checks: { exact-len: 6 }\n        value: 40",
    )
    cls: Any = family.message.Garage
    for text in ("02:00", "02:00:00:00:00:00:01"):
        with pytest.raises(EncodeError, match=r"Garage\.mac: . bytes"):
            cls(mac=text)
    assert cls(mac="02:00:00:00:00:01").mac == "02:00:00:00:00:01"
    family = changed("sub-type: u16\n", "sub-type: u16\n        checks: { max-len: 4 }\n")
    with pytest.raises(EncodeError, match="3 elements exceed the limit of 2"):
        family.message.Garage(prices=[1, 2, 3])


def test_checks_are_not_made_when_reading() -> None:
    body = one(5, b"a") + one(11, struct.pack("=h", -999)) + one(4, b"a long label\0")
    read = Garage.from_bytes(body)
    assert (read.key, read.age, read.label) == (b"a", -999, "a long label")
    assert read.replace(open=True).key == b"a"


def test_a_flag_with_a_byte() -> None:
    """Fact: some attributes that a spec calls flags are sent as a byte, 0 or 1."""
    assert Garage.from_bytes(one(7, b"\1")).open is True
    assert Garage.from_bytes(one(7, b"\0")).open is False
    assert Garage.from_bytes(b"").open is False


def test_pads_are_ignored() -> None:
    """Fact: pad attributes align 64-bit values (nla_put_u64_64bit)."""
    read = Garage.from_bytes(one(10, b"") + one(9, struct.pack("=Q", 5)))
    assert (read.unknown, read.to_dict()) == ((), {"distance": 5})


def test_an_empty_set_is_a_nest() -> None:
    """A newer kernel may send attributes in it."""
    assert bytes(Garage(nothing={})) == wire.attribute(58 | NESTED, b"")
    read = Garage.from_bytes(wire.attribute(58, wire.attribute(7, b"x")))
    assert read.nothing.unknown == ((7, b"x"),)


def test_unknown_values_survive() -> None:
    body = one(1, struct.pack("=I", 77)) + one(3, struct.pack("=I", 0x82)) + one(999, b"new")
    read = Garage.from_bytes(body)
    assert read.colour == 77
    assert int(read.sides) == 0x82
    assert read.unknown == ((999, b"new"),)
    assert bytes(read.replace(open=True)).startswith(body)


# --- subsets --------------------------------------------------------------------------------------


def test_a_subset_has_the_numbers_of_its_parent() -> None:
    """Fact: a subset may override keys of its parent: rt-link's ip6tnl has another type for
    `flags`, and the kernel agrees with it (ip6_tunnel_policy)."""
    made: Any = GARAGE.op.list_doors(width=0x10000)
    assert bytes(made.message) == wire.attribute(1, struct.pack("=I", 0x10000))
    read = made.op.request.from_bytes(wire.attribute(300, b"1234") + wire.attribute(2, b""))
    assert read.unknown == ((300, b"1234"),)
    assert type(read.inner) is GARAGE.message.Door


# --- sub-messages ---------------------------------------------------------------------------------


def thing(*attributes: bytes) -> Any:
    return Thing.from_bytes(bytes(8) + b"".join(attributes))


KIND = {
    name: wire.attribute(1, name.encode() + b"\0") for name in ("chair", "table", "desk", "air")
}
LEGS = wire.attribute(1, b"\4")
SIZES = struct.pack("=B7xQ", 1, 2)


@pytest.mark.parametrize(
    ("kind", "flags", "payload", "value"),
    [
        ("chair", NESTED, LEGS, {"legs": 4}),
        ("table", 0, SIZES, {"width": 1, "height": 2}),
        ("desk", 0, SIZES + LEGS, {"width": 1, "height": 2, "legs": 4}),
        ("air", 0, b"", {}),
    ],
)
def test_formats_of_sub_messages(kind: str, flags: int, payload: bytes, value: Any) -> None:
    """Fact: a format is an attribute set, a fixed header, both (tc's netem), or neither."""
    made = Thing(kind=kind, data=value)
    assert bytes(made) == bytes(8) + KIND[kind] + wire.attribute(2 | flags, payload)
    assert made.data.to_dict() == value
    # the selector may come after the data
    assert thing(wire.attribute(2, payload), KIND[kind]).data.to_dict() == value


def test_a_sub_message_without_a_format_is_bytes() -> None:
    """Fact: the kernel's client raises; kinds that the spec lacks are common."""
    other = wire.attribute(1, b"lamp\0")
    assert thing(other, wire.attribute(2, b"light")).data == b"light"
    assert bytes(Thing(kind="lamp", data=b"light"))[8:] == other + wire.attribute(2, b"light")
    assert thing(wire.attribute(2, b"light")).data == b"light"


def test_a_selector_may_be_an_enum() -> None:
    """Fact: nftables selects the data of objects by a number, whose names are the formats."""
    steel = struct.pack("=I", 1)
    made = Thing(material="steel", detail={"width": 1, "height": 2})
    assert bytes(made)[8:] == wire.attribute(4, steel) + wire.attribute(5, SIZES)
    assert made.detail.height == 2


def test_a_selector_may_be_in_an_outer_set() -> None:
    """Fact: tc's `app` in nested statistics is selected by the kind of the whole message."""
    made = Thing(kind="chair", box={"content": {"legs": 3}, "room": {"below": {"legs": 2}}})
    assert made.box.content.legs == 3
    assert made.box.room.below.legs == 2
    again = Thing.from_bytes(bytes(made))
    assert again.box.room.below.legs == 2


def test_a_selector_with_the_name_of_a_header_member() -> None:
    text = (
        (SPECS / "shop.yaml")
        .read_text()
        .replace("selector: kind\n      -", "selector: flags\n      -")
    )
    text = text.replace("value: chair\n", "value: 7\n").replace("value: table", "value: 8")
    text = text.replace("value: desk", "value: 9").replace("value: air", "value: 10")
    text = text.replace("selector: kind", "selector: material").replace("value: wood", "value: 0")
    cls: Any = ynl.build(ynl.parse(text.encode())).message.ThingAttrs
    made = cls(flags=8, flags_=7, data={"legs": 3})  # the attribute, not the header, selects
    assert cls.from_bytes(bytes(made)).data.legs == 3


def test_sub_messages_may_repeat_and_contain_themselves() -> None:
    inner = {"kind": "chair", "data": {"legs": 1}}
    made = Thing(kind="chair", several=[{"legs": 1}, {"part": inner}])
    assert made.several[1].part.data.legs == 1


# --- ops, numbers, groups -------------------------------------------------------------------------


def numbers(table: dict[int, Any]) -> dict[int, str]:
    return {number: cls.__name__ for number, cls in table.items()}


def test_unified_numbers() -> None:
    """Fact: `value` resets the number, notifications are numbered among the ops, and an op without
    do, dump, notify and event only takes a number."""
    assert numbers(GARAGE.requests) == {1: "Garage", 2: "Garage", 20: "DoorPart", 21: "GarageVisit"}
    assert numbers(GARAGE.classes) == {
        1: "Garage", 2: "Garage", 20: "DoorPart", 21: "GarageVisit", 22: "Garage", 23: "Door",
    }  # fmt: skip
    assert [str(member) for member in GARAGE.types] == [
        "GARAGE_MSG_GET", "GARAGE_MSG_SET", "GARAGE_MSG_LIST_DOORS", "GARAGE_MSG_VISIT",
        "GARAGE_EVENT_CHANGED", "GARAGE_EVENT_ALARM",
    ]  # fmt: skip
    assert GARAGE.reply_types is GARAGE.types
    assert (GARAGE.version, GARAGE.is_generic, PLAIN.version) == (3, True, 1)


def test_directional_numbers() -> None:
    """Fact: there are two counters from 1. A request without a reply does not advance the counter
    of replies, a notification advances only that one, and a dump may be answered by another number
    than `do`: devlink's port-get, whose dump is answered by 3 in the spec, by 7 in Linux 6.12."""
    assert numbers(SHOP.requests) == dict.fromkeys((16, 18, 19), "ThingAttrs")
    assert numbers(SHOP.classes) == dict.fromkeys((16, 17, 18, 30), "ThingAttrs")
    assert (SHOP.op.nextthing.type, SHOP.op.nextthing.reply_type) == (19, 18)
    assert (SHOP.op.getthing.type, SHOP.op.getthing.reply_type) == (18, 16)


def test_ops() -> None:
    get, change, doors = GARAGE.op.get, GARAGE.op.set, GARAGE.op.list_doors
    assert [(op.answer, op.dumps) for op in (get, change, doors)] == [
        ("one", True), ("none", False), ("none", True),
    ]  # fmt: skip
    assert (get.name, get.spec_name, get.family) == ("garage.get", "get", GARAGE)
    assert GARAGE.ops["garage.list_doors"] is doors
    assert GARAGE.op["list-doors"] is doors
    assert "Read a garage." in (get.__doc__ or "")
    assert get(label="x").message == Garage(label="x")
    assert repr(get) == "<Op garage.get>"
    assert [*GARAGE.op] == ["get", "set", "list_doors", "visit"]
    assert {"get", "set"} <= {*dir(GARAGE.op)}
    assert repr(PLAIN.op) == "<ops: get>"


def test_names_that_do_not_exist() -> None:
    with pytest.raises(AttributeError, match="'vist' among the ops; did you mean 'visit'"):
        GARAGE.op.vist  # noqa: B018
    with pytest.raises(KeyError, match="there is no 'door-prt' among the message classes"):
        GARAGE.message["door-prt"]
    assert not hasattr(GARAGE.op, "__len_hint__")


def test_an_op_with_more_flags() -> None:
    op: Any = SHOP.op.newthing.using(NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
    assert NLM_F(op.flags) == NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL
    assert (op.family, op.name, op.request) == (SHOP, "shop.newthing", Thing)
    assert SHOP.op.newthing.flags == 0
    assert op.using(NLM_F.NLM_F_APPEND).flags == 0xE00


def test_headers() -> None:
    """Fact: ops of one family may have different fixed headers (rt_link has two)."""
    visit: Any = GARAGE.op.visit(gate=-1, colour=2, gate_=7)
    assert bytes(visit.message)[:8] == struct.pack("=iHxx", -1, 2)
    assert bytes(visit.message)[8:] == wire.attribute(57, b"\7")
    body = bytes(SHOP.op.getthing(index=3, kind="air").message)
    assert body == struct.pack("=BxHi", 0, 0, 3) + KIND["air"]


def test_a_name_of_the_header_and_of_an_attribute() -> None:
    """Fact: rt_addr's `ifa-flags`, rt_neigh's `ifindex`: the attribute gets "_" at its end."""
    names = [*GARAGE.message.GarageVisit.__table__.names]
    assert names[:2] == ["gate", "colour"]
    assert {"gate_", "colour_"} <= {*names}
    made: Any = GARAGE.message.GarageVisit(gate=1, gate_=2)
    assert spelled(made) == {"gate": 1, "colour": 0, "gate_": 2}


def test_groups() -> None:
    assert GARAGE.groups == {"changes": 0, "alarms": 0}
    assert SHOP.groups == {"shop-things": 5}


def test_replies_and_events_have_classes() -> None:
    header = struct.pack("=BBH", 22, 1, 0)
    data = wire.message(30, header + one(4, b"home\0"))
    (event,) = netlink.parse(data, GARAGE.at(30))
    assert isinstance(event, Garage)
    assert (event.nlmsg_name, event.label) == ("GARAGE_EVENT_CHANGED", "home")
    data = wire.message(30, bytes(8) + KIND["air"]) + wire.message(17, bytes(8))
    data += wire.message(18, bytes(8), flags=1)
    messages = [*netlink.parse(data, SHOP)]
    assert all(isinstance(message, Thing) for message in messages)
    names = [getattr(message, "nlmsg_name", None) for message in messages]
    assert names == ["getthing_reply", "thing_ntf", "getthing"]


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("dev-name", "dev_name"), ("local_v4", "local_v4"), ("4addr", "n4addr"),
        ("class", "class_"), ("keys", "keys_"), ("to_dict", "to_dict_"), ("unknown", "unknown_"),
        ("--kernel-timespec", "kernel_timespec"), ("__init__", "init__"), ("a b.c", "a_b_c"),
        ("ä", "n"), ("lambda; import os", "lambda__import_os"), ("nlmsg_type", "nlmsg_type_"),
    ],
)  # fmt: skip
def test_names_become_identifiers(name: str, field: str) -> None:
    assert ynl.names.field_name(name) == field
    assert field.isidentifier()


def test_names_of_enums() -> None:
    """Fact: C names can be derived where the spec states a prefix, and for generic families."""
    assert COLOUR.GARAGE_COLOUR_DARK_BLUE == 1
    assert DEPTH.GD_LOWEST == 0xFFFFFFFF
    assert [*SHOP.enum] == ["MATERIAL"]
    assert [member.name for member in SHOP.enum.MATERIAL] == ["wood", "steel"]
    assert Garage(colour="dark-blue") == Garage(colour="GARAGE_COLOUR_DARK_BLUE")
    assert f"{Garage(sides=['left', 'right']).sides}" == "GARAGE_SIDE_LEFT|GARAGE_SIDE_RIGHT"
    assert json.dumps(Garage(colour=0).to_json()) == '{"colour": "GARAGE_COLOUR_RED"}'


def changed(old: str, new: str, spec: str = "garage") -> ynl.SpecFamily:
    """The family of a spec in which some text is replaced."""
    text = (SPECS / f"{spec}.yaml").read_text()
    assert old in text
    return ynl.build(ynl.parse(text.replace(old, new).encode(), f"{spec}.yaml"))


def test_enums_with_the_names_of_attributes_of_int() -> None:
    """A spec may call an entry anything."""
    family = changed("[ left, right ]", "[ name, value, real, mro, _x_, None, __class__ ]")
    enum: Any = family.enum.GARAGE_SIDE_FLAGS
    assert len(enum) == 7
    raw = changed("[ wood, steel ]", "[ wood, name, value, real, mro, _x_, None, steel ]", "shop")
    material: Any = raw.enum.MATERIAL
    assert [*map(int, material)] == [*range(8)]
    assert material(1).name == "name_"
    made: Any = raw.message.ThingAttrs(material="steel", detail={"width": 1})
    assert made.detail.width == 1


def test_enums_of_numbers() -> None:
    """Fact: vlan-protocols of rt_link has the entries 8021q and 8021ad."""
    text = (SPECS / "shop.yaml").read_text().replace("[ wood, steel ]", "[ 8021q, 8021ad ]")
    text = text.replace("value: wood", "value: 8021q").replace("value: steel", "value: 8021ad")
    cls: Any = ynl.build(ynl.parse(text.encode())).message.ThingAttrs
    assert f"{cls(material='8021ad').material}" == "n8021ad"
    assert cls(material="n8021ad") == cls(material=1)


def test_names_that_collide() -> None:
    family = changed("name: with_line", "name: key-")
    assert {"key", "key_"} <= {*family.message.Garage.__table__.names}


def test_a_value_start() -> None:
    """Fact: flags are numbers of bits, which `value-start` moves."""
    family = changed(
        "enum: extras\n      -\n        name: sides", "enum: started\n      -\n        name: sides"
    )
    assert [*map(int, family.enum.GARAGE_STARTED)] == [8, 16]


# --- the spelling of the spec ---------------------------------------------------------------------


def test_spelled() -> None:
    made = Garage(
        colour="dark_blue", extras=["radio", "4x4"], sides=6, key=b"\1\2\3\4", id=bytes(range(16)),
        mark=255, mac="02:00:00:00:00:01", state=(1, 9), grid={1: {2: {"width": 3}}}, open=True,
        address4="192.0.2.1", n4wheels=4, class_=1, depth="top", doors=[{"width": 1}],
    )  # fmt: skip
    shown = spelled(made)
    assert shown == {
        "colour": "dark-blue", "extras": ["radio", "4x4"], "sides": ["right", 4],
        "key": "01020304", "id": "00010203-0405-0607-0809-0a0b0c0d0e0f", "mark": "0xff",
        "mac": "02:00:00:00:00:01", "grid": {"1": {"2": {"width": 3}}}, "open": True,
        "state": {"value": ["radio"], "selector": ["radio", "tow-bar"]},
        "address4": "192.0.2.1", "4wheels": 4, "class": 1, "depth": "top", "doors": [{"width": 1}],
    }  # fmt: skip
    assert Garage(**arguments(Garage, json.loads(json.dumps(shown)))) == made
    assert spelled(Garage.from_bytes(one(999, b"\1") + one(999, b"\2"))) == {"#999": ["01", "02"]}


def test_arguments_accept_both_dash_and_underscore() -> None:
    """Fact: names mix both: fou's `local_v4`."""
    assert arguments(Garage, {"with-line": 1, "4wheels": 2}) == {"with_line": 1, "n4wheels": 2}
    assert arguments(Garage, {"with_line": 1, "n4wheels": 2}) == {"with_line": 1, "n4wheels": 2}
    assert arguments(Garage, {"numbers": 5, "colour": None}) == {"numbers": [5], "colour": None}


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ({"colr": 1}, "colr", "there is no 'colr'; did you mean 'colour'?"),
        ({"doors": [{"widht": 1}]}, "doors.widht", "did you mean 'width'"),
        ({"door": 5}, "door", "expected an object, got 5"),
        ({"key": 5}, "key", "expected hexadecimal text, got 5"),
        ({"key": "xy"}, "key", "'xy' is not hexadecimal text"),
        ({"shelf": {}}, "shelf", "expected a list"),
        ({"grid": []}, "grid", "expected an object"),
        ({"grid": {"a": {}}}, "grid", "'a' is not a number"),
        ({"state": 5}, "state", 'expected {"value": ..., "selector": ...}, got 5'),
    ],
)
def test_arguments_that_are_wrong(given: Any, path: str, reason: str) -> None:
    with pytest.raises(EncodeError) as caught:
        arguments(Garage, given)
    assert caught.value.path == path
    assert reason in str(caught.value)


def test_spelled_sub_messages() -> None:
    given = {"data": {"legs": 3}, "kind": "chair", "box": {"content": {"legs": 2}}}
    made = Thing(**arguments(Thing, given))
    assert made.data.legs == 3
    assert made.box.content.legs == 2
    assert spelled(made) == {"family": 0, "flags": 0, "index": 0, **given}
    given = {"material": "steel", "detail": {"width": 3, "height": 0}}
    assert spelled(Thing(**arguments(Thing, given)))["detail"] == given["detail"]
    unknown = arguments(Thing, {"kind": "lamp", "data": "6c6f"})
    assert unknown == {"kind": "lamp", "data": b"lo"}
    with pytest.raises(EncodeError, match="nothing is known for kind 'lamp': use one of chair"):
        arguments(Thing, {"kind": "lamp", "data": {"legs": 3}})


# --- the command line -----------------------------------------------------------------------------


@ON_LINUX
def test_the_command_lists_ops(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ynl", str(SPECS / "garage.yaml")]) == 0
    out, err = capsys.readouterr()
    lines = [line.split(maxsplit=3) for line in out.splitlines()]
    assert lines[:3] == [
        ["OP", "CALLS", "NUMBER", "DESCRIPTION"],
        ["none", "reserved", "-", "A number that is not used."],
        ["get", "do", "dump", "1  Read a garage."],
    ]
    assert ["alarm", "event", "23", "Somebody broke in."] in lines
    assert out.endswith("\nMulticast groups: changes, alarms\n")
    assert err == ""


@ON_LINUX
def test_the_command_reports_what_is_ignored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.yaml"
    path.write_text((SPECS / "plain.yaml").read_text() + "colour: red\n")
    assert main(["ynl", str(path)]) == 0
    reason = "the spec: the key 'colour' is unknown and ignored"
    assert capsys.readouterr().err == f"netlink: {path}:24: {reason}\n"


@ON_LINUX
@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        ("", 2, "the following arguments are required: SPEC"),
        ("none.yaml", 1, "cannot read 'none.yaml': No such file or directory (ENOENT)"),
        ("garage.yaml fly", 2, "invalid choice: 'fly'"),
        ("garage.yaml do", 2, "the following arguments are required: OP"),
        ("garage.yaml do gett", 2, "garage has no op 'gett'; did you mean 'get'?"),
        ("garage.yaml do get {", 2, "JSON expected: Expecting property name"),
        ("garage.yaml do get []", 2, "expected an object, got []"),
        ('garage.yaml do get {"colr":1}', 2, "colr: there is no 'colr'; did you mean 'colour'?"),
        ('garage.yaml dump get {"key":"00"}', 2, "Garage.key: 1 bytes instead of at least 4"),
        ("garage.yaml -n nowhere-at-all dump get", 1, "no network namespace 'nowhere-at-all'"),
        ("garage.yaml monitor --count 0", 2, "'0' is not a whole number"),
        ("bad.yaml", 1, "bad.yaml:1: a spec must be a mapping"),
    ],
)
def test_wrong_words(
    words: str,
    status: int,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text("- a\n")
    Path("garage.yaml").write_text((SPECS / "garage.yaml").read_text())
    try:
        found = main(["ynl", *words.split()])
    except SystemExit as error:
        found = int(error.code or 0)
    assert found == status
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert reason in err


# --- properties -----------------------------------------------------------------------------------

OPS = [pytest.param(op, id=op.name) for f in FAMILIES.values() for op in f.ops.values()]


@pytest.mark.parametrize("op", OPS)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_op_encodes_and_decodes(op: ynl.SpecOp, data: st.DataObject) -> None:
    cls: Any = op.request
    message = data.draw(generated.messages(cls))
    check_round_trip(op, message)
    paths = generated.column_paths(cls)
    whole = stamp(16, 0, 0, 0, bytes(message))
    whole += bytes(-len(whole) % 4)
    gather = Gather(cls.__table__, dispatch({16: cls}), *paths)
    gather.feed(whole, 0, len(whole))
    for path, column in gather.finish().items():
        assert [*column] == [generated.follow(cls, message, path)]
    for cut in {data.draw(st.integers(0, max(len(bytes(message)) - 1, 0))) for _ in range(3)}:
        try:
            cls.from_bytes(bytes(message)[:cut]).to_dict()
        except DecodeError as error:
            assert error.path is not None


# --- what a spec may be ---------------------------------------------------------------------------


def reasons(old: str, new: str, spec: str = "garage") -> list[str]:
    """What is wrong with a spec in which some text is replaced, with the line."""
    text = (SPECS / f"{spec}.yaml").read_text()
    assert text.count(old) >= 1
    with pytest.raises(SpecError) as caught:
        ynl.build(ynl.parse(text.replace(old, new, 1).encode(), "bad.yaml"))
    error = caught.value
    assert isinstance(error, NetlinkError)
    assert str(error) == f"bad.yaml:{error.line}: {error.reason}"
    assert error.path == "bad.yaml"
    place = text.index(old)
    first = text.count("\n", 0, place) + 1
    last = first + max(old.count("\n"), new.count("\n"))
    # An entry begins some lines before the key that is missing or wrong.
    assert first - 5 <= error.line <= last + 2, (
        f"line {error.line}, not {first} to {last}: {error.reason}"
    )
    return [error.reason]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("type: u16\n        byte-order", "type: u17\n        byte-order", "'u17' is not one of"),
        ("name: label\n        type: string", "name: label\n        type: 5", "5 is not one of"),
        ("name: speed\n        type: sint", "name: speed", "garage.speed lacks the key 'type'"),
        ("- red", "- [ red ]", "expected a mapping"),
        ("- red", "- dark-blue", "colour has two entries 'dark-blue'"),
        ("value: 255", "value: 0x1_0000_0000_0000_0000", "is out of range"),
        ("entries: [ radio, roof, 4x4, tow-bar ]", "entries: 5", "expected a list, got 5"),
        ("enum: extras", "enum: extra", "enum: there is no enum 'extra'"),
        ("nested-attributes: door", "nested-attributes: dor", "there is no attribute set 'dor'"),
        ("exact-len: g-key-len", "exact-len: no-len", "'no-len' is not a constant with a number"),
        ("exact-len: g-key-len", "exact-len: group-name", "'group-name' is not a constant"),
        ("exact-len: g-key-len", "exact-len: 70000", "70000 is not a length in bytes"),
        ("max-len: 7", "max-len: true", "expected a number or a name, got True"),
        (
            "struct: wheel\n      -\n        name: wheels",
            "struct: wheels\n      -\n        name: wheels",
            "there is no struct 'wheels'",
        ),
        ("subset-of: door", "subset-of: dor", "there is no attribute set 'dor', of which"),
        ("subset-of: door", "subset-of: door-part", "door-part is a subset of itself"),
        (
            "name: width\n        type: u32",
            "name: depth\n        type: u32",
            "has no attribute 'depth'",
        ),
        ("notify: get", "notify: got", "changed: there is no operation 'got'"),
        (
            "attribute-set: garage\n      do",
            "attribute-set: garge\n      do",
            "there is no attribute set 'garge'",
        ),
        ("fixed-header: visit", "fixed-header: vist", "fixed-header: there is no struct 'vist'"),
        ("value: 40", "value: 4", "garage.mac has the number of label, 4"),
        ("value: 40", "value: 0x8000", "number 32768 exceeds 16383"),
        ("value: 20", "value: 256", "its number exceeds 255"),
        ("value: 40", "value: -1", "expected a whole number from 0, got -1"),
        ("value: 40", "value: forty", "expected a whole number from 0, got 'forty'"),
        ("sub-type: nest\n", "sub-type: flag\n", "garage.shelf: an array of flag is impossible"),
        ("        sub-type: u16\n", "        sub-type: nest\n", "a C array of nest is impossible"),
        (
            "sub-type: nest\n        nested-attributes: door",
            "sub-type: nest",
            "garage.shelf lacks the key 'nested-attributes'",
        ),
        ("len: 2\n", "len: 0\n", "car-info.hidden: 0 is not a length in bytes"),
        ("        type: pad\n        len: 2", "        type: pad", "a pad needs the key 'len'"),
        (
            "len: 16\n        struct",
            "len: 15\n        struct",
            "15 bytes are not a whole number of wheel",
        ),
        (
            "len: 6\n      -\n        name: hidden",
            "doc: x\n      -\n        name: hidden",
            "only the last member can lack the key 'len'",
        ),
        (
            "name: wheel\n    type: struct\n    members:\n      -\n        name: kind",
            "name: wheel\n    type: struct\n    members:\n      -\n        name: again\n"
            "        type: binary\n        struct: wheel\n      -\n        name: kind",
            "struct wheel contains itself",
        ),
        ("name: alarm\n", "name: set\n", "there are two of operation 'set'"),
        (
            "    name: nothing\n    attr",
            "    name: door\n    attr",
            "there are two of attribute set 'door'",
        ),
        ("name: side\n", "name: colour\n", "there are two definitions 'colour'"),
        (
            "enum-model: unified",
            "enum-model: random",
            "'random' is not one of directional, unified",
        ),
        (
            "protocol: genetlink-legacy",
            "protocol: netlink-raw",
            "netlink-raw needs the key 'protonum'",
        ),
        ("protocol: genetlink-legacy", "protocol: tcp", "'tcp' is not one of genetlink"),
        ("name: garage\n", "name: garage\nname: other\n", "the key 'name' occurs twice"),
        ("name: garage\n", "nam: garage\n", "the spec lacks the key 'name'"),
        (
            "doc: Cars, doors",
            "doc: !!python/object/apply:os.system [id] #",
            "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed",
        ),
        (
            "doc: Cars, doors",
            "doc: !!binary aGFsbG8= #",
            "the tag 'tag:yaml.org,2002:binary' is not allowed",
        ),
        ("doc: Cars, doors", "doc: &a [ *a ] #", "an alias contains itself"),
        ("doc: Cars, doors", "doc: [ Cars #", "this is not YAML"),
        ("doc: Cars, doors", "? [ a ]\n: b\ndoc: Cars, doors", "a key must be text"),
        ("enum: side\n", "enum: colour\n", "colour: any = 255 cannot be a flag"),
    ],
)
def test_an_invalid_spec(old: str, new: str, reason: str) -> None:
    assert reason in reasons(old, new)[0]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("selector: kind", "selector: knd", "there is no attribute 'knd' to select by"),
        (
            "sub-message: data-msg\n        selector: kind",
            "selector: kind",
            "lacks the key 'sub-message'",
        ),
        ("sub-message: data-msg", "sub-message: data", "there is no sub message 'data'"),
        ("value: steel", "value: stone", "material has no entry 'stone'"),
        ("value: table", "value: chair", "data-msg has two formats 'chair'"),
        (
            "value: 16\n          attributes: [ kind, data ]\n    -",
            "value: 70000\n          attributes: [ kind, data ]\n    -",
            "its number exceeds 65535",
        ),
    ],
)
def test_an_invalid_raw_spec(old: str, new: str, reason: str) -> None:
    assert reason in reasons(old, new, "shop")[0]


def test_one_number_cannot_mean_two_classes() -> None:
    assert (
        "number 22 means Garage already"
        in reasons("name: alarm\n      doc", "name: alarm\n      value: 22\n      doc")[0]
    )


@pytest.mark.parametrize(
    ("old", "new", "reason", "spec"),
    [
        ("version: 3", "version: 256", "version must be a number from 0 to 255, got 256", "garage"),
        ("protonum: ", "protonum: 3", "protonum must be a number from 0 to 31, got 3", "shop"),
        ("value: 5", "value: 0", "value must be a number from 1 to 4294967295, got 0", "shop"),
        ("name: garage", "name: ''", "the spec has an empty name", "garage"),
    ],
)
def test_numbers_and_names_that_no_family_has(old: str, new: str, reason: str, spec: str) -> None:
    (found,) = reasons(old, new, spec)
    assert found.startswith(reason)


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"", 1, "the file is empty"),
        (b"- a\n", 1, "a spec must be a mapping"),
        (b"a: b\nc: \xff\n", 2, "this is not UTF-8: invalid start byte"),
        (b"a: b\n\tc: d\n", 2, "this is not YAML"),
        (b"a: \x01\n", 1, "this is not YAML"),
        (b"x: " + b"[" * 5000, 1, "nest"),
        (b"x: " + b"[" * 900 + b"]" * 900, 1, "nested too deeply"),
    ],
    ids=["empty", "list", "UTF-8", "tab", "control", "open", "deep"],
)
def test_a_file_that_is_no_spec(data: bytes, line: int, reason: str) -> None:
    with pytest.raises(SpecError) as caught:
        ynl.parse(data, "bad.yaml")
    assert reason in caught.value.reason
    assert caught.value.line == line or reason == "nested too deeply"


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ynl.load(tmp_path / "none.yaml")
    with open(os.devnull) as file:  # a descriptor is not a path; it stays open
        with pytest.raises(TypeError, match="PathLike object, not int"):
            ynl.load(file.fileno())
        os.fstat(file.fileno())


def warned(tmp_path: Path, old: str, new: str, spec: str = "garage") -> list[str]:
    """The warnings of load() for a spec in which some text is replaced."""
    text = (SPECS / f"{spec}.yaml").read_text()
    assert old in text
    path = tmp_path / "new.yaml"
    path.write_text(text.replace(old, new, 1))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        ynl.load(path)
    assert all(each.category is SpecWarning and each.filename == __file__ for each in found)
    return [str(each.message).removeprefix(f"{path}:") for each in found]


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        (
            "version: 3",
            "colour: red\nversion: 3",
            "5: the spec: the key 'colour' is unknown and ignored",
        ),
        ("type: sint", "type: sint\n        unit: km", "the key 'unit' is unknown and ignored"),
        (
            "attributes: [ label, gate ]",
            "attributes: [ label, gat ]",
            "visit: garage has no attribute 'gat': ignored",
        ),
        ("mcgrp: alarms", "mcgrp: alarm", "alarm: there is no multicast group 'alarm'"),
    ],
)
def test_what_a_newer_spec_has_is_ignored(tmp_path: Path, old: str, new: str, warning: str) -> None:
    """Fact: specs name header members, and attributes that do not exist, in the lists of ops."""
    (found,) = warned(tmp_path, old, new)
    assert warning in found
    assert found.partition(":")[0].isdecimal()


def test_display_hints_of_a_newer_spec(tmp_path: Path) -> None:
    assert warned(tmp_path, "display-hint: uuid", "display-hint: braille") == []
    assert warned(tmp_path, "value: 5", "doc: none", "shop") != []


def test_aliases_share(tmp_path: Path) -> None:
    """Fact: specs have about 150 aliases, and write empty lists as nothing."""
    family = changed(
        "attributes: [ label, colour ]\n      dump:\n        reply:\n"
        "          attributes: [ label, colour ]",
        "attributes: &a [ label, colour ]\n      dump:\n        reply:\n          attributes: *a",
    )
    assert family.op.get.dumps


def test_a_bomb_of_aliases_is_small() -> None:
    lines = ["a0: &a0 [ x, x ]"] + [f"a{n}: &a{n} [ *a{n - 1}, *a{n - 1} ]" for n in range(1, 60)]
    with pytest.raises(SpecError, match="lacks the key 'name'"):
        ynl.parse("\n".join(lines).encode(), "bomb.yaml")


WORDS = [
    "x", "0", "-1", "65536", "true", "null", "[]", "{}", "[ a, b ]", "{ a: b }", "u8", "nest",
    "binary", "flag", "pad", "string", "sub-message", "indexed-array", "nest-type-value", "&a x",
    "*a", "99999999999999999999", "u8-max - 1", "door", "colour", "wheel", "0x10", "1:30", "~",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(["garage", "shop"]), data=st.data())
def test_a_changed_spec_loads_or_has_a_reason(name: str, data: st.DataObject) -> None:
    """Whatever stands in the file, nothing but SpecError is raised."""
    lines = (SPECS / f"{name}.yaml").read_text().split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["value", "remove", "repeat", "move"])):
            case "value":
                key = lines[place].partition(":")[0]
                lines[place] = f"{key}: {data.draw(st.sampled_from(WORDS))}"
            case "remove":
                del lines[place]
            case "repeat":
                lines.insert(place, lines[place])
            case _:
                lines[place] = lines[data.draw(st.integers(0, len(lines) - 1))]
    try:
        family = ynl.build(ynl.parse("\n".join(lines).encode(), "changed.yaml"))
    except SpecError as error:
        assert 1 <= error.line <= len(lines) + 1
    else:
        for op in family.ops.values():
            assert op().message.to_dict() is not None


def test_older_words() -> None:
    """array-nest was the name of indexed-array before Linux 6.10, and unspec that of unused."""
    family = changed("type: indexed-array\n        sub-type: nest", "type: array-nest")
    made: Any = family.message.Garage(shelf=[{"width": 1}])
    assert bytes(made) == bytes(Garage(shelf=[{"width": 1}]))
    assert changed("type: unused", "type: unspec").message.Garage.__table__.names.keys() == (
        Garage.__table__.names.keys()
    )


@pytest.mark.skipif(sys.byteorder == "big", reason="the order of this machine")
def test_byte_orders_that_have_no_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        "a uint in big-endian order is not supported"
        in reasons(
            "name: distance\n        type: uint",
            "name: distance\n        type: uint\n        byte-order: big-endian",
        )[0]
    )
    monkeypatch.setattr(sys, "byteorder", "big")
    assert (
        "little-endian integers are not supported"
        in reasons("byte-order: little-endian", "byte-order: little-endian")[0]
    )


def test_lengths_may_be_one_less() -> None:
    """Fact: the schemas allow "X - 1"; no spec has it."""
    family = changed("max-len: key-len", "max-len: key-len - 1")
    cls: Any = family.message.Garage
    with pytest.raises(EncodeError, match="4 bytes exceed the limit of 3"):
        cls(photo=b"abcd")


def test_duplicates_that_agree() -> None:
    """Fact: devlink lists two attributes twice in one subset."""
    family = changed(
        "        name: width\n        type: u32\n      -\n        name: inner",
        "        name: inner\n      -\n        name: inner",
    )
    assert [*family.message.DoorPart.__table__.names] == ["inner"]


def test_two_loads_are_two_families() -> None:
    again = ynl.load(SPECS / "garage.yaml")
    assert again.message.Garage is not Garage
    assert again.message.Garage(open=True) != Garage(open=True)


def test_families_of_one_protocol_share_a_connection() -> None:
    """They may not give one number two meanings."""
    other = changed("name: shop\n", "name: mart\n", "shop")
    with pytest.raises(ValueError, match="message type 16 means ThingAttrs in family 'shop'"):
        list(netlink.parse(b"", SHOP, other))
    text = (SPECS / "shop.yaml").read_text().replace("name: shop\n", "name: mart\n")
    for number in (16, 17, 18, 30):
        text = text.replace(f"value: {number}\n", f"value: {number + 100}\n")
    mart = ynl.build(ynl.parse(text.encode()))
    data = wire.message(16, bytes(8)) + wire.message(116, bytes(8))
    one, two = netlink.parse(data, SHOP, mart)
    assert (type(one), type(two)) == (Thing, mart.message.ThingAttrs)


def test_the_names_of_the_signature() -> None:
    import inspect

    parameters = inspect.signature(GARAGE.op.get).parameters
    assert "label" in parameters
    assert str(parameters["label"].annotation) == "str | None"
    assert "GARAGE_COLOUR" in str(parameters["colour"].annotation)


def test_without_pyyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "netlink.ynl.document")
    with pytest.raises(ImportError, match=r"pip install 'fastnetlink\[ynl\]'"):
        import netlink.ynl.document  # noqa: F401


def test_the_loader_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML may lack its loader in C."""
    import yaml

    monkeypatch.setattr(ynl.document, "LOADER", yaml.SafeLoader)
    family = ynl.load(SPECS / "garage.yaml")
    assert [*family.message.Garage.__table__.names] == [*Garage.__table__.names]
    lines: Callable[[str], int] = family.spec.sets["door"].entry.line_of
    assert lines("name") == GARAGE.spec.sets["door"].entry.line_of("name")
    with pytest.raises(SpecError, match="nested too deeply"):
        ynl.parse(b"x: " + b"[" * 5000, "bad.yaml")
