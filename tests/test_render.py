"""Messages as text: repr() shows the essential part of a message in one short line."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import Any

import pytest

import netlink
from netlink import MAX_DEPTH, Message, render
from netlink import schema as s
from netlink.route import FAMILY
from netlink.route.link import Link, rtnl_link_stats
from netlink.route.nsid import NamespaceId
from netlink.route.route import Route
from netlink.route.rule import Rule
from netlink.route.tc.filter import Filter

from . import wire

VECTORS = Path(__file__).parent / "vectors"
LONGEST = 2 * render.REPR_ROOM  # what "about" that many characters may mean


def declare(base: Any = Message, **fields: Any) -> Any:
    """Return a message class that exists for one test."""
    fields["__module__"] = __name__  # not that of the metaclass
    return types.new_class("Made", (base,), exec_body=lambda namespace: namespace.update(fields))


class Number(IntEnum):
    NUMBER_ONE = 1


class Mark(IntFlag):
    MARK_A = 1
    MARK_B = 2


class range_(Message):
    start: int = s.u16()
    end: int = s.u16()


class wide_stats(Message):
    rx: int = s.u64()
    tx: int = s.u64()


class Inner(Message):
    name: str | None = s.string(1)
    inner: Any = s.nest(2, lambda: Inner)
    several: Any = s.repeated(3, s.nest(4, lambda: Inner))
    table: Any = s.mapping(5, s.nest(6, lambda: Inner))


class Outer(Message):
    family: int = s.u8()
    kind: Number | int = s.u8(enum=Number)
    count: int | None = s.u32(1)
    on: bool = s.flag(2)
    span: Any = s.struct(3, range_)
    stats: Any = s.struct(4, wide_stats)
    inner: Any = s.nest(5, Inner)
    raw: bytes | None = s.binary(6)
    numbers: tuple[int, ...] = s.scalars(7, s.u8())
    spans: tuple[Any, ...] = s.repeated(8, s.struct(8, range_))
    marks: Mark | None = s.u8(9, enum=Mark)
    table: Any = s.mapping(10, Inner, enum=Number)


# --- what is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        # A zero in an attribute is a value. In a header it mostly means "not given".
        (Outer(), "<Outer>"),
        (Outer(count=0), "<Outer count=0>"),
        (Outer(kind=1, on=True), "<Outer kind=NUMBER_ONE on=True>"),
        (Outer(kind=7, marks=0), "<Outer kind=7 marks=0>"),
        (Outer(marks=7), "<Outer marks=MARK_A|MARK_B|0x4>"),
        (Outer(raw=b""), "<Outer raw=>"),
        (Outer(inner={}), "<Outer inner=<Inner>>"),
        # A small struct is shown whole.
        (Outer(span={"end": 9}), "<Outer span=<range_ start=0 end=9>>"),
        (Outer(span={}), "<Outer span=<range_ start=0 end=0>>"),
        (Outer(spans=[{"start": 1}, {}]),
         "<Outer spans=[<range_ start=1 end=0>, <range_ start=0 end=0>]>"),
        # Counters that are all 0 are omitted.
        (Outer(stats={}), "<Outer>"),
        (Outer(stats={"rx": 5}), "<Outer stats=<wide_stats rx=5 tx=0>>"),
        (Outer(table={1: {"name": "x"}, 5: {}}),
         "<Outer table={NUMBER_ONE: <Inner name=x>, 5: <Inner>}>"),
        (Outer(numbers=range(12)), "<Outer numbers=[0, 1, 2, 3, 4, 5, 6, 7, +4 more]>"),
        (Outer(raw=bytes(range(30))),
         f"<Outer raw={bytes(range(24)).hex(' ')} +6 bytes>"),
        (Inner(name="x" * 300), f"<Inner name={'x' * 100}...>"),
        (Inner(name="a\nb"), "<Inner name=a\\nb>"),
    ],
)  # fmt: skip
def test_values(message: Message, shown: str) -> None:
    assert repr(message) == shown


def test_undeclared_attributes_are_shown() -> None:
    message = Outer.from_bytes(bytes(Outer(count=3)) + wire.attribute(0x8000 | 200, b"\1\2"))
    assert repr(message) == "<Outer count=3 #200=01 02>"


def test_a_value_that_cannot_be_decoded_is_shown_as_bytes() -> None:
    """repr() never raises, because logs and debuggers call it."""
    message = Outer.from_bytes(bytes(4) + wire.attribute(1, b"\1\2") + wire.attribute(5, b"\xff"))
    assert repr(message) == "<Outer count=undecoded(01 02) inner=undecoded(ff)>"


def test_a_member_that_a_struct_lacks_is_left_out() -> None:
    assert repr(range_.from_bytes(b"\2\0")) == "<range_ start=2>"


def test_the_oldest_attributes_are_preferred() -> None:
    """If there is too little room, values come before zeros and low numbers before high ones."""
    wide = declare(**{f"f{i}": s.u8(i) for i in range(1, 60)})
    many = {f"f{i}": i % 3 for i in range(59, 0, -1)}
    shown = repr(wide(**many)).removeprefix("<Made ").split()
    first = sorted((i for i in range(1, 60) if i % 3), reverse=True)[-render.REPR_FIELDS :]
    assert shown == [f"f{i}={i % 3}" for i in first] + ["+41", "more>"]


def test_counters_give_way() -> None:
    wide = declare(**{f"f{i}": s.struct(i, wide_stats) for i in range(1, 30)}, last=s.u8(60))
    shown = repr(wide(**{f"f{i}": {"rx": i} for i in range(1, 30)}, last=0))
    assert " last=0 " in shown
    assert "f1=<wide_stats rx=1 tx=0>" in shown


# --- the point of a message -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        pytest.param(
            lambda: Route(family=2, dst="10.0.0.0", dst_len=8,
                          via={"family": 10, "addr": "2001:db8::1"}, oif=3),
            ["dst=10.0.0.0", "via=<rtvia family=AF_INET6 addr=2001:db8::1>", "oif=3"],
            id="route via inet6",
        ),
        pytest.param(
            lambda: Rule(family=2, priority=0, uid_range={"start": 0, "end": 1000},
                         sport_range={"start": 1, "end": 9}, dport_range={"start": 80, "end": 80}),
            ["priority=0", "uid_range=<fib_rule_uid_range start=0 end=1000>",
             "sport_range=<fib_rule_port_range start=1 end=9>",
             "dport_range=<fib_rule_port_range start=80 end=80>"],
            id="rule",
        ),
        pytest.param(
            lambda: Filter(kind="u32", options={"classid": 0x10001, "sel": {
                "nkeys": 1, "keys_": [{"mask": 0xFF, "val": 6, "off": 8}]}}),
            ["kind=u32", "nkeys=1", "keys_=[<tc_u32_key mask=255 val=6 off=8>]", "classid=1:1"],
            id="u32 filter",
        ),
        pytest.param(lambda: NamespaceId(nsid=0), ["nsid=0"], id="nsid 0"),
        pytest.param(
            lambda: Link(index=2, ifname="v0", master=0, stats={"rx_packets": 0},
                         linkinfo={"kind": "vlan", "data": {"id": 0}}),
            ["index=2", "ifname=v0", "master=0",
             "linkinfo=<LinkInfo kind=vlan data=<Vlan id=0>>"],
            id="link",
        ),
    ],
)  # fmt: skip
def test_essentials(message: Callable[[], Message], parts: list[str]) -> None:
    shown = repr(message())
    assert [part for part in parts if part not in shown] == []
    assert "stats" not in shown


def test_only_counters_are_left_out() -> None:
    """In whole links, only blocks of counters that are all 0 are omitted, not the device's map."""
    shown = repr(Link(index=1, stats=rtnl_link_stats(), map={}))
    assert shown == "<Link index=1 map=<rtnl_link_ifmap>>"


# What a record of tests/vectors is about, by its title, and what its repr() must show.
POINTS = {
    "rule from 192.0.2.0/24 to 198.51.100.0/24 iif left fwmark 0x7/0xff table 100": [
        "src=192.0.2.0", "src_len=24", "dst=198.51.100.0", "dst_len=24", "iifname=left",
        "fwmark=7", "fwmask=255", "table=100"],
    "rule oif left tos 0x10 ipproto tcp sport 1000-2000 dport 80 table 70000": [
        "oifname=left", "tos=16", "ip_proto=6", "start=1000 end=2000", "start=80 end=80",
        "table=70000"],
    "rule from 2001:db8::/32 uidrange 1000-2000 unreachable": [
        "src=2001:db8::", "start=1000 end=2000", "FR_ACT_UNREACHABLE"],
    "rule not from 10.0.0.0/8 table main suppress_prefixlength 0 suppress_ifgroup 7": [
        "FIB_RULE_INVERT", "src=10.0.0.0", "suppress_prefixlen=0", "suppress_ifgroup=7"],
    "route MPLS via inet6 2001:db8::2 dev left ttl-propagate disabled": [
        "dst=[101]", "addr=2001:db8::2", "ttl_propagate=0", "oif="],
    "route encap seg6 mode encap segs 2001:db8::a,2001:db8::b dev left": [
        "SEG6_IPTUN_MODE_ENCAP"],
    "VLANs of a port": ["vid=5", "vid=10", "BRIDGE_VLAN_INFO_PVID"],
    "qdisc pfifo limit 77": ["limit=77"],
    "qdisc skbprio limit 32": ["limit=32"],
    "link vxlan id 42 local 192.0.2.1 remote 192.0.2.9 dev low ttl 9 tos 4": [
        "kind=vxlan", "id=42", "local=192.0.2.1", "group=192.0.2.9", "ttl=9", "tos=4"],
    "link bridge forward_delay 400 hello_time 300 max_age 700 ageing_time 5": [
        "kind=bridge", "forward_delay=400", "hello_time=300", "max_age=700"],
    "link macvtap mode vepa": ["kind=macvtap", "MACVLAN_MODE_VEPA"],
    "filter u32 match ip dst 10.0.0.1/32 match ip protocol 17 0xff match": [
        "val=167772161 off=16", "val=53 off=20"],
    "action vlan push id 5 protocol 802.1ad priority 3 pipe": [
        "TCA_VLAN_ACT_PUSH", "push_vlan_id=5", "ETH_P_8021AD", "push_vlan_priority=3"],
    "counters of a bridge": ["rx_bytes=468", "vid=5"],
}  # fmt: skip


def records() -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(VECTORS.glob("6.*/*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]


def test_the_point_of_each_vector_is_shown() -> None:
    found = set()
    for record in records():
        for message in netlink.parse(bytes.fromhex(record["hex"]), FAMILY):
            shown = repr(message)
            assert "\n" not in shown
            assert len(shown) < LONGEST
            assert "undecoded" not in shown
            for title, parts in POINTS.items():
                if record["what"] == title and record["kernel"].startswith("6.12"):
                    found.add(title)
                    assert [part for part in parts if part not in shown] == [], shown
    assert found == POINTS.keys()


def test_every_attribute_of_a_narrow_message_is_shown() -> None:
    """If there is room for everything, nothing is omitted."""
    for record in records():
        for message in netlink.parse(bytes.fromhex(record["hex"]), FAMILY):
            shown = repr(message)
            if "more" in shown or not isinstance(message, Message):
                continue
            said = {path: payload for path, _, payload in message.attributes()}
            for path, payload in said.items():
                is_leaf = not any(other.startswith((f"{path}.", f"{path}[")) for other in said)
                name = path.rpartition(".")[2].partition("[")[0]
                if is_leaf and any(payload) and "stats" not in path:
                    assert f"{name}=" in shown


# --- bounds ---------------------------------------------------------------------------------------


def deep(levels: int, key: str) -> dict[str, Any]:
    inside: dict[str, Any] = {"name": "end"}
    for _ in range(levels):
        step = {"inner": inside, "several": [inside], "table": {1: inside}}[key]
        inside = {"name": "n", key: step}
    return inside


@pytest.mark.parametrize("key", ["inner", "several", "table"])
def test_a_deep_message_has_a_short_repr(key: str) -> None:
    """The bounded length of the output also bounds its depth."""
    shown = repr(Inner(**deep(MAX_DEPTH, key)))
    assert len(shown) < LONGEST
    assert shown.count("<Inner") > 5
    assert shown.endswith(">")


def test_a_wide_message_has_a_short_repr() -> None:
    names = ["y" * 500] * 40
    wide = Inner(
        name="x" * 500,
        several=[{"name": name, "several": [{"name": name}] * 40} for name in names],
        table=dict(enumerate({"name": name, "table": {1: {}}} for name in names)),
        inner={"name": "z" * 500, "several": [{"name": name} for name in names]},
    )
    assert len(repr(wide)) < LONGEST


def test_pretty_gives_lines_to_messages_in_tuples_and_dicts() -> None:
    message = Outer(table={1: {"name": "x", "table": {7: {"name": "y"}}}, 5: {}}, numbers=[1, 2])
    assert message.pretty().split("\n") == [
        "Outer",
        "    family   0",
        "    kind     0",
        "    table[NUMBER_ONE]",
        "        name   x",
        "        table[7]",
        "            name  y",
        "    table[5]",
        "    numbers  [1, 2]",
    ]
