"""What writing accepts and refuses beyond types: names, sequences, widths, positions and depth.

No value is silently truncated, padded or split into letters. Every refusal is an EncodeError with
the path of the field.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from enum import IntEnum, IntFlag, StrEnum
from typing import Any

import pytest

from netlink import MAX_DEPTH, Bitfield32, DecodeError, EncodeError, Message
from netlink import schema as s
from netlink._core import Gather
from netlink.constants import AF, KernelEnum, KernelFlag, prefixes, short_names, value_of
from netlink.generic.dquot import QTYPE
from netlink.route.link import ARPHRD, IF_OPER, IFF, Link, LinkSet, VfPorts
from netlink.route.link.kinds.bond import BOND_ARP_VALIDATE, Bond
from netlink.route.link.kinds.vlan import Vlan
from netlink.route.neigh import NUD, Neighbour
from netlink.route.route import Route
from netlink.route.rtnetlink import RT_SCOPE, RTM_F
from netlink.route.tc.em import EmatchTree, tcf_ematch_tree_hdr
from tools.declarations import Declarations

from . import wire
from .meanings import dispatch


def refused(path: str, words: str, make: Callable[..., Any], *args: Any, **fields: Any) -> None:
    with pytest.raises(EncodeError) as caught:
        make(*args, **fields)
    assert caught.value.path == path
    assert words in str(caught.value)


# --- names of enums and flags ---------------------------------------------------------------------


def test_names_are_numbers() -> None:
    for spelled in ("IF_OPER_UP", "up", "UP", "If_Oper_Up", "if-oper-up", IF_OPER.IF_OPER_UP, 6):
        assert Link(operstate=spelled).operstate is IF_OPER.IF_OPER_UP
    both: list[Any] = [
        "up|multicast", "IFF_UP | multicast", ["up", "multicast"], ("multicast", 1),
        {"up", "IFF_MULTICAST"}, "IFF_MULTICAST|0x1", 0x1001,
    ]  # fmt: skip
    for several in both:
        assert Link(flags=several).flags == IFF.IFF_UP | IFF.IFF_MULTICAST
    assert Link(flags=[]).flags == 0
    assert Link(flags="0").flags == 0
    assert Neighbour(state="permanent").state is NUD.NUD_PERMANENT
    assert Route(scope="link", family="inet6", flags="onlink").scope is RT_SCOPE.RT_SCOPE_LINK
    assert Link(type="ether").type is ARPHRD.ARPHRD_ETHER


def test_what_is_printed_or_in_json_can_be_written() -> None:
    link = Link(flags=0x80000 | 0x1003, operstate=6, linkmode=99)
    assert Link(flags=str(link.flags)).flags == link.flags
    shown = link.to_json()
    assert shown["flags"] == ["IFF_UP", "IFF_BROADCAST", "IFF_MULTICAST", 0x80000]
    assert Link(**shown) == link


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("operstate", "upp", "'upp' is not a name of IF_OPER; did you mean 'up'? It has: unknown"),
        ("operstate", "x" * 30, "is not a name of IF_OPER; it has: unknown, notpresent, down, "),
        ("operstate", "up|down", "'up|down' is not a name of IF_OPER"),
        ("operstate", ["up"], "expected one name of IF_OPER, not list"),
        ("operstate", "6", "'6' is not a name of IF_OPER"),
        ("operstate", 6.0, "expected an int or a name of IF_OPER, not float"),
        ("flags", "up|multicats", "'multicats' is not a name of IFF; did you mean 'multicast'?"),
        ("flags", "", "'' is not a name of IFF"),
        ("flags", "up|", "'' is not a name of IFF"),
        ("flags", "up,multicast", "'up,multicast' is not a name of IFF"),
        ("flags", ["up", None], "expected names of IFF, not NoneType"),
        ("flags", [["up"]], "expected names of IFF, not list"),
        ("flags", {"up": 1}, "expected an int or a name of IFF, not dict"),
        ("flags", "0x1ffffffff", "out of range"),
        ("flags", [1 << 32], "out of range"),
        ("mtu", "1500", "expected an int, not str"),
        ("mtu", [1500], "expected an int, not list"),
    ],
)  # fmt: skip
def test_other_names_are_refused(field: str, value: Any, words: str) -> None:
    refused(f"Link.{field}", words, Link, **{field: value})


def test_names_choose_the_class_of_a_nest() -> None:
    route = Route(encap_type="mpls", encap={"dst": (100,)})
    assert route.encap_type == 1
    assert type(route.encap).__name__ == "Mpls"
    refused("Route.encap_type", "did you mean 'mpls'", Route, encap_type="mpsl", encap=b"")
    refused("Route.encap", "no type is declared for", Route, encap={}, encap_type="mpsl")
    refused("Link.linkinfo.data", "['veth']", Link, linkinfo={"data": {}, "kind": ["veth"]})
    assert Link(linkinfo={"kind": b"vlan", "data": {"id": 5}}).linkinfo.data.id == 5  # type: ignore[union-attr]


def test_a_message_of_another_class_is_not_taken_for_the_chosen_one() -> None:
    refused(
        "Link.linkinfo.data",
        "expected Bond or a dict, not Vlan",
        Link,
        linkinfo={"kind": "bond", "data": Vlan(id=5)},
    )
    assert Link(linkinfo={"kind": "other", "data": Vlan(id=5)})
    assert Link(linkinfo={"kind": "bond", "data": Bond(mode=1)})


class Colour(IntEnum):
    COLOUR_RED = 1
    PLAIN = 2


class Bits(IntFlag):
    BITS_LOW = 1


class Painted(Message):
    colour: Any = s.u8(1, enum=Colour)
    table: Any = s.mapping(2, s.u8(), enum=Colour)
    listed: Any = s.scalars(3, s.u16(enum=Bits))
    field: Any = s.bitfield32(4, enum=Bits)


def test_names_work_in_every_kind_that_has_an_enum() -> None:
    made = Painted(colour="red", table={"red": 5, 2: 6}, listed=["low", 2], field=("low", 3))
    assert made.to_dict() == {
        "colour": Colour.COLOUR_RED, "table": {Colour.COLOUR_RED: 5, Colour.PLAIN: 6},
        "listed": (Bits.BITS_LOW, 2), "field": Bitfield32(Bits.BITS_LOW, 3),
    }  # fmt: skip
    assert Painted(colour="plain").colour is Colour.PLAIN
    refused("Painted.table", "'green' is not a name of Colour", Painted, table={"green": 1})
    refused("Painted.listed[0]", "not a name of Bits", Painted, listed=["high"])


def test_prefixes_are_derived_or_declared() -> None:
    """Whatever the kernel calls the members of an enum, a short name is left of each."""
    for enum in Declarations("netlink").enums:
        assert [name for name in enum.__members__ if not name.startswith(prefixes(enum))] == []
        short = short_names(enum)
        assert all(short), enum
        without = [m for m in enum.__members__.values() if int(m.value) not in short.values()]
        if enum is RTM_F:  # whose own names come first
            assert without == [RTM_F.RTNH_F_OFFLOAD, RTM_F.RTNH_F_TRAP]
        else:
            assert without == []
    assert {*prefixes(IFF)} == {"IFF_"}
    assert (value_of(QTYPE, "usrquota"), value_of(AF, "ipmr")) == (0, 128)
    assert [value_of(BOND_ARP_VALIDATE, word) for word in ("filter-active", "ALL")] == [5, 3]
    assert value_of(RTM_F, "onlink|fib_match") == 0x2004

    class SHAPE(KernelEnum, prefix=("SHAPE_OF_", "SHAPE_")):
        SHAPE_OF_X = 1
        SHAPE_Y = 2

    class FORM(KernelFlag, prefix="F_"):
        F_A = 1

    assert short_names(SHAPE) == {"x": 1, "y": 2}
    assert value_of(FORM, "a|f_a|F_A") == 1
    for enum, given in ((SHAPE, "of_x"), (SHAPE, ["x"]), (FORM, [1.5]), (FORM, "b"), (FORM, "007")):
        with pytest.raises(ValueError, match=f"name.* of {enum.__name__}"):
            value_of(enum, given)


# --- text -----------------------------------------------------------------------------------------


class Place(StrEnum):
    V4 = "192.0.2.1"
    MAC = "02:00:00:00:00:01"
    NAME = "eth0"
    STATE = "up"


class Text(str):
    """A str whose str() is another text."""

    def __str__(self) -> str:
        return "?"


def test_subclasses_of_str_are_text() -> None:
    made = Link(ifname=Place.NAME, address=Place.MAC, operstate=Place.STATE)
    assert (made.ifname, made.address, made.operstate) == ("eth0", Place.MAC.value, 6)
    assert Neighbour(dst=Place.V4).dst == ipaddress.ip_address("192.0.2.1")
    assert Neighbour(dst=Text("::1"), lladdr=Text("0a:0b")).to_dict()["lladdr"] == "0a:0b"
    assert Neighbour(lladdr=Text("::1")).lladdr == ipaddress.ip_address("::1")
    assert Bond(ad_actor_system=Place.MAC).ad_actor_system == Place.MAC.value


@pytest.mark.parametrize("field", ["ifname", "ifalias", "address", "qdisc"])
def test_lone_surrogates_are_refused(field: str) -> None:
    """U+DC80 to U+DCFF represent bytes that are not UTF-8. Other surrogates represent nothing."""
    with pytest.raises(EncodeError) as caught:
        Link(**{field: "\ud800"})
    assert caught.value.path == f"Link.{field}"
    if field != "address":
        assert "cannot be encoded" in str(caught.value)
        assert getattr(Link(**{field: "a\udcff"}), field) == "a\udcff"


def test_a_text_without_its_nul() -> None:
    class Named(Message):
        plain: Any = s.string(1, size=4)
        bare: Any = s.string(2, size=4, nul=False)

    made = Named(plain="abc", bare="xyz")
    assert bytes(made) == wire.attribute(1, b"abc\0") + wire.attribute(2, b"xyz")
    assert bytes(Named(bare="")) == wire.attribute(2, b"")
    assert (made.plain, made.bare) == ("abc", "xyz")
    refused("Named.bare", "4 bytes exceed the limit of 3", Named, bare="abcd")
    refused("Named.bare", "NUL", Named, bare="a\0")
    assert bytes(LinkSet(ifalias=""))[16:] == wire.attribute(20, b"")
    assert Link(ifalias="x" * 255).ifalias == "x" * 255
    refused("Link.ifalias", "256 bytes exceed the limit of 255", Link, ifalias="x" * 256)


def test_link_layer_addresses_are_read_strictly() -> None:
    for text in (
        " 0:0 :00:00:00:00",
        "02:00:00:00:00:0",
        "\u0660\u0660:00",
        "02 00",
        "0x:00",
        "02:-1",
    ):
        refused("Bond.ad_actor_system", "is not a link-layer address", Bond, ad_actor_system=text)
    refused("Bond.ad_actor_system", "expected a str, not int", Bond, ad_actor_system=5)


# --- sequences ------------------------------------------------------------------------------------


class Item(Message):
    x: int | None = s.u8(1)


class Hop(Message):
    len: int = s.u16()
    x: int | None = s.u8(1)


class Many(Message):
    scalars: Any = s.scalars(1, s.u16())
    array: Any = s.array(2, Item)
    repeated: Any = s.repeated(3, s.string())
    records: Any = s.records(4, Hop)
    labels: Any = s.labels(5)
    mapping: Any = s.mapping(6, s.u8())
    pairs: Any = s.pairs(7)


@pytest.mark.parametrize("field", ["scalars", "array", "repeated", "records", "labels"])
@pytest.mark.parametrize(
    "value",
    ["uplink", b"ab", bytearray(2), memoryview(b"ab"), {"x": 1}, 5, 1.5, object(), Item(x=1), True],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_a_sequence(field: str, value: Any) -> None:
    """A str is not a sequence of letters, nor a dict of keys, nor a message of pairs."""
    if field == "labels" and isinstance(value, int | bytes):
        return  # one label; a stack that says more than labels
    with pytest.raises(EncodeError) as caught:
        Many(**{field: value})
    assert caught.value.path == f"Many.{field}"
    assert f"expected a sequence, such as a list, not {type(value).__name__}" in str(caught.value)


def test_any_other_iterable_is_a_sequence() -> None:
    made = Many(
        scalars=range(3), array=iter([{"x": 1}]), repeated={"a"}, labels=iter([1, 2]),
        records=({} for _ in range(2)),
    )  # fmt: skip
    assert (made.scalars, made.array[0].x, made.repeated) == ((0, 1, 2), 1, ("a",))
    assert (made.labels, len(made.records)) == ((1, 2), 2)
    refused("Many.scalars[1]", "expected an int", Many, scalars=[1, "x"])
    refused("Link.prop_list.alt_ifname", "not str", Link, prop_list={"alt_ifname": "uplink"})

    class Bounded(Message):
        few: Any = s.scalars(s.u16(), length=2)

    refused("Bounded.few", "3 elements exceed the limit of 2", Bounded, few=(i for i in range(3)))


def test_what_is_not_a_mapping() -> None:
    for field in ("mapping", "pairs"):
        for value in ([(1, 2)], "x", 5):
            refused(f"Many.{field}", "expected a dict", Many, **{field: value})
    for key in ("x", -1, 0x4000, None):
        refused("Many.mapping", "not an attribute type", Many, mapping={key: 1})


# --- places ---------------------------------------------------------------------------------------


class Small(Message):
    a: int = s.u16()


class Big(Small):
    b: int = s.u32()


class Outer(Message):
    first: int = s.u8()
    small: Any = s.struct(Small)
    last: int = s.u8()
    mac: str = s.mac(size=2)
    tail: int | None = s.u8(1)


def test_a_member_cannot_be_longer_than_its_place() -> None:
    """Otherwise it would overwrite the members after it."""
    assert Outer(small=Small(a=1), last=7).last == 7
    longer = Small.from_bytes(b"\1\0\2\0")
    for value in (longer, Big(a=1, b=2)):
        refused("Outer.small", "the struct member has 2", Outer, small=value, last=7)
    refused("Outer.mac", "3 bytes exceed the limit of 2", Outer, mac="01:02:03")
    listed = type("Listed", (Message,), {"of": s.scalars(1, s.struct(Small))})
    assert listed(of=[Small(a=1), {"a": 2}]).of[1].a == 2
    refused("Listed.of[1]", "4 bytes instead of 2", listed, of=[Small(a=1), longer])
    refused("Listed.of[0]", "1 bytes instead of 2", listed, of=[Small.from_bytes(b"\1")])


def test_the_alignment_of_a_struct_can_be_stated() -> None:
    class Wide(Message):
        a: int = s.u64()

    class Packed(Message):
        a: int = s.u8()
        wide: Any = s.struct(Wide, align=1)
        tight: Any = s.struct(Wide, align=4)

    assert [(f.name, f.offset) for f in Packed.__table__.fields] == [
        ("a", 0), ("wide", 1), ("tight", 12)]  # fmt: skip
    assert (Packed.__table__.total, Packed.__table__.align) == (20, 4)
    made = Packed(a=1, wide={"a": 2}, tight={"a": 3})
    assert Packed.from_bytes(bytes(made)).tight.a == 3


def test_nesting_has_a_stated_depth() -> None:
    """Even a dict that contains itself does not overflow the stack."""
    loop: dict[str, Any] = {"kind": "veth"}
    loop["data"] = {"peer": {"linkinfo": loop}}
    deep: dict[str, Any] = {}
    for _ in range(20000):
        deep = {"kind": "veth", "data": {"peer": {"linkinfo": deep}}}
    for value in (loop, deep):
        with pytest.raises(EncodeError, match=f"nested too deeply: the limit is {MAX_DEPTH}"):
            Link(linkinfo=value)
    legal: dict[str, Any] = {"ifname": "x"}
    for _ in range(MAX_DEPTH // 3):
        legal = {"linkinfo": {"kind": "veth", "data": {"peer": legal}}}
    assert Link(**legal)


def test_the_byte_order_flag_is_declared() -> None:
    class Ipset(Message):
        timeout: int | None = s.be32(6, net_byteorder=True)
        ipaddr: s.Addr = s.address(1, size=4, net_byteorder=True)
        listed: Any = s.array(7, s.be16(net_byteorder=True))
        plain: int | None = s.be32(8)
        many: Any = s.repeated(9, s.be16(net_byteorder=True))

    made = Ipset(timeout=5, ipaddr="192.0.2.1", listed=[1], plain=5, many=[2])
    assert [kind for kind, _, _ in made._walk()] == [0x4006, 0x4001, 0x8007, 8, 0x4009]
    assert bytes(made)[20:24] == b"\x06\x00\x00\x40"  # the element of `listed`
    assert made.to_dict() == {
        "timeout": 5, "ipaddr": ipaddress.ip_address("192.0.2.1"), "listed": (1,), "plain": 5,
        "many": (2,),
    }  # fmt: skip
    assert made.replace(timeout=6)._walk()[0][0] == 0x4006


# --- attributes of which a subclass has another layout --------------------------------------------


def test_a_subclass_may_declare_an_attribute_again() -> None:
    class Told(Message):
        before: int | None = s.u8(1)
        conf: Any = s.scalars(2, s.u8())
        after: int | None = s.u8(3)

    class Asked(Told):
        conf: Any = s.nest(2, Item)

    assert Told(conf=[1, 2], before=1).conf == (1, 2)
    assert Asked(conf={"x": 5}, after=2, before=1).to_dict() == {
        "conf": {"x": 5}, "after": 2, "before": 1}  # fmt: skip
    assert [f.name for f in Asked.__table__.fields] == ["before", "conf", "after"]
    assert Told.from_bytes(bytes(Asked(after=2))).after == 2
    for wrong in (s.u8(4), s.u8()):
        with pytest.raises(TypeError, match="also declared in a base class"):
            type("Wrong", (Told,), {"conf": wrong})
    with pytest.raises(TypeError, match="also declared in a base class"):
        type("Wrong", (Big,), {"b": s.u16()})


# --- choices that are plain kinds -----------------------------------------------------------------


class Leaf(Message):
    mode: int | None = s.u8(1)
    data: Any = s.selected(2, "^^type", {
        1: s.u8(), 3: s.u32(), 6: s.flag(), 11: s.string(size=8), 12: Item, 13: s.scalars(s.u16()),
        14: s.array(None, Item),
    })  # fmt: skip


class Leaves(Message):
    leaf: Any = s.repeated(1, Leaf)


class Param(Message):
    type: int | None = s.u8(1)
    leaves: Any = s.nest(2, Leaves)
    own: Any = s.selected(3, "type", {1: s.u8(), 6: s.flag(), 11: s.string()})
    inner: Any = s.selected(4, "item.x", {7: s.u8()})
    item: Any = s.nest(5, Item)


@pytest.mark.parametrize(
    ("type", "value", "payload"),
    [
        (1, 5, b"\5"),
        (3, 5, (5).to_bytes(4, "little")),
        (6, True, b""),
        (11, "text", b"text\0"),
        (12, Item(x=1), wire.attribute(1, b"\1")),
        (13, (1, 2), b"\1\0\2\0"),
        (14, (Item(x=1), Item()), wire.attribute(0x8000, wire.attribute(1, b"\1"))
         + wire.attribute(0x8001, b"")),
        (1, b"\1\2", b"\1\2"),
        (99, b"raw", b"raw"),
    ],
)  # fmt: skip
def test_a_field_may_choose_among_plain_kinds(type: int, value: Any, payload: bytes) -> None:
    made = Param(type=type, leaves={"leaf": [{"data": value}]})
    assert made.leaves.leaf[0].data == value
    leaf = bytes(made.leaves.leaf[0])
    assert leaf[4 : 4 + len(payload)] == payload
    assert Param(**made.to_dict()) == made
    assert bytes(Param(**dict(made))) == bytes(made)
    assert Leaf.from_bytes(leaf).data == payload  # without its parents


def test_a_flag_that_is_chosen_may_be_absent() -> None:
    made = Param(type=6, leaves={"leaf": [{"data": False}]}, own=False)
    assert bytes(made.leaves.leaf[0]) == b""
    assert (made.leaves.leaf[0].data, made.own) == (False, False)
    assert Param(type=6, own=True).own is True
    assert Param(type=1).own is None
    assert Param().own is None


def test_a_value_that_cannot_be_of_the_chosen_kind_is_bytes() -> None:
    body = bytes(Param(type=1)) + wire.attribute(3, b"\1\2\3")
    assert Param.from_bytes(body).own == b"\1\2\3"
    bad = bytes(Param(type=12)) + wire.attribute(
        2, wire.attribute(1, wire.attribute(2, b"\xff" * 4))
    )
    with pytest.raises(DecodeError) as caught:
        Param.from_bytes(bad).leaves.leaf[0].data  # noqa: B018
    assert caught.value.path == "Param.leaves.leaf.data"


def test_a_selector_may_look_into_a_sibling() -> None:
    for item in ({"x": 7}, Item(x=7)):
        assert Param(item=item, inner=5).inner == 5
    refused("Param.inner", "no type is declared for", Param, item={"x": 8}, inner=5)
    refused("Param.inner", "no type is declared for", Param, inner=5)


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({"type": 99, "own": 5}, "Param.own", "no type is declared for type 99: pass bytes, or"),
        ({"own": 5}, "Param.own", "no type is declared for type None"),
        ({"type": 1, "own": "x"}, "Param.own", "expected an int, not str"),
        ({"type": 1, "own": 256}, "Param.own", "256 is out of range"),
        ({"own": 5, "type": [1]}, "Param.own", "no type is declared for type [1]"),
        ({"type": 11, "leaves": {"leaf": [{}, {"data": "x" * 8}]}}, "Param.leaves.leaf[1].data",
         "8 bytes exceed the limit of 7"),
    ],
)  # fmt: skip
def test_what_no_choice_takes(fields: dict[str, Any], path: str, words: str) -> None:
    refused(path, words, Param, **fields)


class fork(Message):
    parent: int = s.u32()
    child: int = s.u32()


class comm(Message):
    pid: int = s.u32()
    comm: str = s.string(size=16)


class proc_event(Message):
    """Like struct proc_event (linux/cn_proc.h): the first member selects the member of a union."""

    what: int = s.u32()
    cpu: int = s.u32()
    timestamp_ns: int = s.u64()
    event: Any = s.selected(None, "what", {1: fork, 0x200: comm, 0x400: s.u32()})


def test_the_last_member_may_be_a_union() -> None:
    forked = proc_event(what=1, cpu=2, event={"parent": 7, "child": 8})
    assert bytes(forked).hex() == "0100000002000000" + bytes(8).hex() + "0700000008000000"
    assert proc_event.from_bytes(bytes(forked)).event == fork(parent=7, child=8)
    assert forked.to_dict()["event"] == {"parent": 7, "child": 8}
    assert proc_event(what=0x200, event=comm(pid=1, comm="bash")).event.comm == "bash"
    assert proc_event(what=0x400, event=9).event == 9
    assert proc_event.from_bytes(bytes(16) + b"xy").event == b"xy"
    assert proc_event(**forked.to_dict()) == forked
    assert forked.replace(cpu=3).event == forked.event
    short = proc_event.from_bytes(bytes(forked)[:20])
    assert (short.event.parent, short.event.child) == (7, None)
    refused("proc_event.event.parent", "range", proc_event, what=1, event={"parent": -1})
    refused("proc_event.event", "expected fork or a dict", proc_event, what=1, event=comm())
    gather = Gather(proc_event.__table__, dispatch({16: proc_event}), "what", "cpu")
    data = wire.message(16, bytes(forked))
    gather.feed(data, 0, len(data))
    assert [*gather.finish()["cpu"]] == [2]


class uevent(Message):
    env: dict[str, str] = s.pairs()


def test_a_body_of_texts() -> None:
    body = b"add@/devices/virtual/net/v0\0ACTION=add\0SUBSYSTEM=net\0INTERFACE=v\xff\0X=a=b\0X=c"
    found = uevent.from_bytes(body)
    assert found.env == {
        "": "add@/devices/virtual/net/v0", "ACTION": "add", "SUBSYSTEM": "net",
        "INTERFACE": "v\udcff", "X": "a=b",
    }  # fmt: skip
    assert uevent(env=found.env).env == found.env
    assert uevent.from_bytes(b"").env == {}
    assert uevent.from_bytes(b"\0\0=x").env == {"": ""}
    assert found.to_json()["env"]["INTERFACE"] == "v\\xff"
    for value, path in (
        ({"A=B": "c"}, "uevent.env"), ({5: "c"}, "uevent.env"), ({"A": 5}, "uevent.env['A']"),
        ({"A": "\0"}, "uevent.env['A']"), ({"": "A=b"}, "uevent.env['']"),
        ({"A": "\ud800"}, "uevent.env['A']"),
    ):  # fmt: skip
        with pytest.raises(EncodeError) as caught:
            uevent(env=value)
        assert caught.value.path == path


# --- the place of a fault -------------------------------------------------------------------------


def test_the_empty_attribute_is_blamed_and_not_the_one_after_it() -> None:
    body = bytes(16) + wire.attribute(4, b"") + wire.attribute(6, b"fq\0")
    for name in ("mtu", "to_dict"):
        with pytest.raises(DecodeError) as caught:
            getattr(Link.from_bytes(body), name)()
        assert (caught.value.path, caught.value.offset) == ("Link.mtu", 20)
    gather = Gather(Link.__table__, dispatch({16: Link}), "mtu")
    data = wire.message(16, body)
    with pytest.raises(DecodeError) as caught:
        gather.feed(data, 0, len(data))
    assert (caught.value.path, caught.value.offset) == ("Link.mtu", 36)
    nested = bytes(16) + wire.attribute(18, wire.attribute(1, b"veth\0") + wire.attribute(
        2, wire.attribute(1, b"") + wire.attribute(2, b"x")))  # fmt: skip
    with pytest.raises(DecodeError) as caught:
        Link.from_bytes(nested).to_dict()
    assert caught.value.path == "Link.linkinfo.data.peer"
    last = bytes(16) + wire.attribute(6, b"fq\0") + wire.attribute(4, b"")
    with pytest.raises(DecodeError) as caught:
        Link.from_bytes(last).mtu  # noqa: B018
    assert caught.value.path == "Link.mtu"


def test_a_fault_inside_a_union_has_its_path() -> None:
    class attributed(Message):
        kind: int = s.u32()
        inner: Any = s.selected(None, "kind", {1: Item})

    body = (1).to_bytes(4, "little") + wire.attribute(1, b"\1\2")
    with pytest.raises(DecodeError) as caught:
        attributed.from_bytes(body).to_dict()
    assert caught.value.path == "attributed.inner.x"
    assert caught.value.offset == 8


# --- wrong values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given"), [("mtu", True), ("index", False), ("flags", True), ("operstate", True)]
)
def test_a_bool_is_not_a_number(name: str, given: bool) -> None:
    """`mtu=True` is a mistake."""
    refused(f"Link.{name}", ", not bool", Link, **{name: given})


def test_a_bool_may_be_a_number_of_one_byte() -> None:
    """Many attributes of the kernel are such a number, and mean yes or no."""
    assert Link(carrier=True).carrier == 1


@pytest.mark.parametrize("given", [[None], [{"vf": 1}, None]])
def test_a_none_among_repeated_values(given: list[Any]) -> None:
    place = f"VfPorts.port[{given.index(None)}]"
    refused(place, "expected Port or a dict, not NoneType", VfPorts, port=given)


def test_a_count_inside_a_message_must_fit() -> None:
    head = tcf_ematch_tree_hdr(nmatches=7)
    words = "7 does not fit tree_list, which makes it 1"
    refused("EmatchTree.tree_hdr.nmatches", words, EmatchTree, tree_hdr=head, tree_list=[{}])


def test_a_count_inside_a_message_is_written_if_it_is_0() -> None:
    tree = EmatchTree(tree_hdr=tcf_ematch_tree_hdr(progid=3), tree_list=[{}, {}])
    assert tree.tree_hdr is not None
    assert (tree.tree_hdr.nmatches, tree.tree_hdr.progid) == (2, 3)
    assert tree == EmatchTree(tree_hdr={"progid": 3}, tree_list=[{}, {}])
    right = tcf_ematch_tree_hdr(nmatches=2, progid=3)
    assert EmatchTree(tree_hdr=right, tree_list=[{}, {}]) == tree
