"""Ops, families and plans as data: declarations, meanings of numbers, and errors."""

from __future__ import annotations

import copy
import inspect
import json
import subprocess
import sys
from enum import IntEnum
from typing import Any, cast

import pytest

from netlink import (
    DecodeError,
    EncodeError,
    Family,
    Message,
    Op,
    Plan,
    RawMessage,
    Request,
    ifindex,
    listen,
    parse,
    plan,
    wait,
)
from netlink import schema as s
from netlink.constants import NLM_F
from netlink.family import Steps
from netlink.route import link, route

from . import wire


class TYPE(IntEnum):
    T_NEW = 16
    T_DEL = 17
    T_GET = 18


class ANSWER(IntEnum):
    """The types that the kernel sends, with their own numbers."""

    A_FULL = 16
    A_SHORT = 18


class GRP(IntEnum):
    GRP_NONE = 0
    GRP_SOME_THING = 3


class Leaf(Message):
    value: int | None = s.u32(1)


class Tree(Message):
    kind: int = s.u8()
    name: str | None = s.string(7)


class Bush(Message):
    kind: int = s.u8()
    height: int | None = s.u32(1)


new = Op("tree.new", TYPE.T_NEW, Tree, flags=NLM_F.NLM_F_CREATE)
FAMILY = Family(
    "tree",
    protocol=0,
    ops=(new,),
    types=TYPE,
    groups=GRP,
    group_prefix="GRP_",
    messages={TYPE.T_DEL: Tree},
)


def family(*ops: Op[..., Any, Any], name: str = "made", **options: Any) -> Family:
    """Return a family with these ops."""
    return Family(name, **({"protocol": 0, "types": TYPE} | options), ops=ops)


# --- ops ------------------------------------------------------------------------------------------


def test_an_op_makes_requests() -> None:
    request = new(name="x")
    assert isinstance(request, Request)
    assert (request.name, request.message, request.op) == ("tree.new", Tree(name="x"), new)
    assert repr(request) == "<Request tree.new <Tree name=x>>"
    with pytest.raises(TypeError, match="Tree has no field 'nmae'; did you mean 'name'"):
        new(nmae="x")  # type: ignore[call-arg]


def test_an_op_that_was_not_initialized_makes_none() -> None:
    class Late(Op[..., Tree, Tree]):
        def __init__(self) -> None:
            self()

    with pytest.raises(TypeError, match="not initialized"):
        Late()


def test_requests_and_ops_are_constants() -> None:
    request = link.get(index=1)
    assert copy.copy(request) is copy.deepcopy(request) is request
    assert copy.deepcopy([link.get])[0] is link.get
    assert repr(link.get) == "<Op link.get>"


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ({"answer": "many"}, r"op x: answer='many' must be one of none, one, optional, several"),
        ({"answer": True}, r"op x: answer=True must be one of"),
        (
            {"ends": "never"},
            r"ends='never' must be one of ack, message, answer, done, nothing",
        ),
        ({"ends": "answer"}, r"op x: ends='answer' needs an answer"),
        ({"ends": "nothing", "answer": "one"}, r"op x: ends='nothing' excludes an answer"),
    ],
)
def test_an_op_that_contradicts_itself_is_refused(words: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Op("x", 16, Leaf, **words)


MESSAGE_CLASS = "must be a message class, got"
ODD_OPS = {
    "name": (TypeError, {"name": 5}, "the name of an op must be a text such as 'link.get', got 5"),
    "type": (TypeError, {"type": "a"}, "op x: type must be an int from 0 to 2147483647, got 'a'"),
    "type is a bool": (TypeError, {"type": True}, "op x: type must be an int .*, got True"),
    "negative type": (ValueError, {"type": -1}, "op x: type must be an int .*, got -1"),
    "reply": (TypeError, {"reply": 5}, f"op x: reply {MESSAGE_CLASS} 5"),
    "reply is a message": (TypeError, {"reply": Leaf()}, f"op x: reply {MESSAGE_CLASS} <Leaf"),
    "reply is falsy": (TypeError, {"reply": 0}, f"op x: reply {MESSAGE_CLASS} 0"),
    "dump": (TypeError, {"answer": "one", "dump": int}, f"op x: dump {MESSAGE_CLASS} <class"),
    "reply_type": (TypeError, {"reply_type": "a"}, "op x: reply_type must be an int .*, got 'a'"),
    "flags": (TypeError, {"flags": "up"}, "op x: flags must be an int from 0 to 65535, got 'up'"),
    "too many flags": (ValueError, {"flags": 1 << 16}, "op x: flags must be .*, got 65536"),
    "bracket": (ValueError, {"bracket": 7}, "op x: bracket must be an int from -1 to 1, got 7"),
    "dumps": (TypeError, {"dumps": "yes"}, "op x: dumps must be True, False or None, got 'yes'"),
    "defaults": (TypeError, {"defaults": 5}, "op x: defaults must be a dict of fields .*, got 5"),
    "a default's name": (
        TypeError, {"defaults": {"nmae": 1}},
        "op x: defaults: Tree has no field 'nmae'; did you mean 'name'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("error", "words", "match"), ODD_OPS.values(), ids=ODD_OPS)
def test_an_odd_op_is_refused(error: type[Exception], words: dict[str, Any], match: str) -> None:
    """The declaration fails, and not the first request that is made by it."""
    declare: Any = Op
    with pytest.raises(error, match=match):
        declare(**{"name": "x", "type": 16, "request": Tree} | words)


class CLOSED(IntEnum):
    A = 16


GROUPS_ARE = "must be an enum, a dict of names and numbers, or .* a list of names, got"
ODD_FAMILIES = {
    "name": (TypeError, {"name": 5}, "name of a family must be a text such as 'nlctrl', got 5"),
    "protocol": (TypeError, {"protocol": "route"}, "protocol must be an int from 0 to 31, got 'r"),
    "large protocol": (ValueError, {"protocol": 32}, "protocol must be .* from 0 to 31, got 32"),
    "version": (ValueError, {"version": 256}, "version must be an int from 0 to 255, got 256"),
    "id": (TypeError, {"id": "a"}, "id must be an int from 16 to 65535, got 'a'"),
    "small id": (ValueError, {"id": 1}, "id must be an int from 16 to 65535, got 1"),
    "id of another protocol": (
        ValueError, {"id": 40, "protocol": 0},
        "protocol 0: only a family of Generic Netlink has an ID, got 40",
    ),
    "types": (TypeError, {"types": int}, "types must be an enum of numbers .*, got <class 'int'>"),
    "reply_types": (TypeError, {"reply_types": 5}, "reply_types must be an enum .*, got 5"),
    "a type without a name": (
        ValueError, {"types": CLOSED, "messages": {5: Leaf}},
        "CLOSED has no name for the type 5; add it",
    ),
    "ops": (TypeError, {"ops": new}, "ops must be a list of ops, got <Op tree.new>"),
    "one of the ops": (TypeError, {"ops": [5]}, "ops must be a list of ops, got 5"),
    "a command of 16 bits": (
        ValueError, {"ops": [Op("x", 256, Leaf)]}, "a command must be an int from 0 to 255, got 256"
    ),
    "a type of 17 bits": (
        ValueError, {"ops": [Op("x", 1 << 16, Leaf)], "protocol": 0},
        "a type must be an int from 0 to 65535, got 65536",
    ),
    "unnumbered": (TypeError, {"unnumbered": 1}, "unnumbered must be True or False, got 1"),
    "messages": (TypeError, {"messages": 5}, "messages must be a dict, or one message class"),
    "one of the messages": (
        TypeError, {"messages": {16: int}}, "messages must be message classes by their types"
    ),
    "requests": (TypeError, {"requests": Leaf}, "requests must be a dict, got"),
    "one of the requests": (TypeError, {"requests": {16: 5}}, "requests must be message classes"),
    "modules": (TypeError, {"modules": {"m": 5}}, "modules must be names of modules with lists"),
    "groups": (TypeError, {"groups": "monitor"}, f"groups {GROUPS_ARE} 'monitor'"),
    "groups are numbers": (TypeError, {"groups": [5]}, f"groups {GROUPS_ARE} \\[5\\]"),
    "groups are a class": (TypeError, {"groups": int}, f"groups {GROUPS_ARE} <class 'int'>"),
    "a group's number": (
        TypeError, {"groups": {"a": "b"}}, "group 'a' must be an int from 1 to 4294967295, got 'b'"
    ),
    "group 0": (ValueError, {"groups": {"a": 0}}, "group 'a' must be an int from 1"),
    "groups without numbers": (
        ValueError, {"protocol": 0, "groups": ["a"]}, "the groups need numbers"
    ),
    "a prefix without an enum": (
        ValueError, {"groups": ["a"], "group_prefix": "A_"}, "'A_' needs an enum of groups"
    ),
    "prefix": (TypeError, {"groups": GRP, "group_prefix": 5}, "group_prefix must be a text, got 5"),
}  # fmt: skip


@pytest.mark.parametrize(("error", "words", "match"), ODD_FAMILIES.values(), ids=ODD_FAMILIES)
def test_an_odd_family_is_refused(
    error: type[Exception], words: dict[str, Any], match: str
) -> None:
    with pytest.raises(error, match=match):
        Family(**{"name": "odd", "types": TYPE} | words)


def test_a_number_that_a_family_cannot_have() -> None:
    with pytest.raises(ValueError, match="id must be an int from 16 to 65535, got 5"):
        Family("made", types=TYPE).at(5)
    with pytest.raises(ValueError, match="protocol 0: only a family of Generic Netlink has an ID"):
        family().at(40)


@pytest.mark.parametrize("wrong", [None, "Leaf", dict, Leaf(), lambda: Leaf()])
def test_the_request_of_an_op_is_a_message_class(wrong: Any) -> None:
    with pytest.raises(TypeError, match="op x: the request must be a message class, got "):
        Op("x", 16, wrong)


def test_an_op_belongs_to_one_family() -> None:
    op = Op("x", 16, Leaf)
    first = family(op)
    first.add(op)  # once more is the same
    assert [*first.ops] == ["x"]
    with pytest.raises(ValueError, match="op x belongs to family 'made' already"):
        family(op, name="second")
    with pytest.raises(ValueError, match="family 'made' has two ops named 'x'"):
        family(Op("x", 16, Leaf), Op("x", 17, Leaf))


# --- groups ---------------------------------------------------------------------------------------


def test_groups_have_a_short_name_by_prefix_and_the_kernel_s_spelling() -> None:
    assert FAMILY.groups == {"some-thing": 3}
    for group in ("some-thing", "GRP_SOME_THING", 3):
        assert FAMILY.group(group) == 3
    with pytest.raises(LookupError, match=r"'tree' has no group 'nope'; it has: some-thing"):
        FAMILY.group("nope")


def test_group_names_are_never_guessed() -> None:
    """Without a prefix, the names are those of the enum."""

    class NLGRP(IntEnum):
        AUDIT_NLGRP_NONE = 0
        AUDIT_NLGRP_READLOG = 1

    plain = family(groups=NLGRP)
    assert plain.groups == {"AUDIT_NLGRP_READLOG": 1}
    short = family(groups=NLGRP, group_prefix="AUDIT_NLGRP_")
    assert short.groups == {"readlog": 1}
    assert short.has_group("readlog") and short.has_group("AUDIT_NLGRP_READLOG")
    with pytest.raises(ValueError, match="group AUDIT_NLGRP_READLOG does not start with"):
        family(groups=NLGRP, group_prefix="NLGRP_")
    assert family(groups={"a": 5}).group("a") == 5
    assert Family("made", types=TYPE, groups=("a", "b")).groups == {"a": 0, "b": 0}


# --- what a number means --------------------------------------------------------------------------


def test_parse_gives_typed_messages_and_the_rest_raw() -> None:
    data = (wire.message(16, bytes(Tree(name="a"))) + wire.message(17, bytes(Tree(name="b")))
            + wire.message(55, b"?"))  # fmt: skip
    for buffer in (data, bytearray(data), memoryview(data)):
        first, second, third = parse(buffer, FAMILY)
        assert isinstance(first, Tree)
        assert isinstance(second, Tree)
        assert (first.name, first.nlmsg_name) == ("a", "T_NEW")
        assert (second.name, second.nlmsg_name) == ("b", "T_DEL")
        assert isinstance(third, RawMessage)
    assert repr(first).startswith("<T_NEW Tree name=a")
    with pytest.raises(DecodeError):
        list(parse(data[:30], FAMILY))


def test_nlm_f_request_distinguishes_two_classes_of_one_type() -> None:
    two = family(Op("x", 16, Leaf), Op("y", 17, Leaf), messages={16: Tree})
    assert (two.classes, two.requests) == ({16: Tree, 17: Leaf}, {16: Leaf, 17: Leaf})
    ask, tell = wire.message(16, bytes(Leaf(value=5)), flags=1), wire.message(16, bytes(Tree()))
    ask_too = wire.message(17, bytes(Leaf(value=6)), flags=0x301)
    found = list(parse(ask + tell + tell + ask_too + ask + ask, two))
    assert [type(message) for message in found] == [Leaf, Tree, Tree, Leaf, Leaf, Leaf]
    names = {message.nlmsg_name for message in found if isinstance(message, Message)}
    assert names == {"T_NEW", "T_DEL"}


def test_directions_may_have_numbers_of_their_own() -> None:
    """As in ethtool: type 18 answers request 16, and type 16 in an answer is something else."""
    get = Op("tree.get", TYPE.T_NEW, Tree, answer="one", reply=Bush, reply_type=ANSWER.A_SHORT)
    made = family(get, reply_types=ANSWER, messages={ANSWER.A_FULL: Leaf})
    assert made.classes == {16: Leaf, 18: Bush}
    assert made.requests == {16: Tree}
    data = [wire.message(16, bytes(Tree()), flags=1), wire.message(16, bytes(Leaf())),
            wire.message(18, bytes(Bush()))]  # fmt: skip
    asked, full, short = parse(b"".join(data), made)
    assert isinstance(asked, Tree) and isinstance(full, Leaf) and isinstance(short, Bush)
    assert [m.nlmsg_name for m in (asked, full, short)] == ["T_NEW", "A_FULL", "A_SHORT"]


@pytest.mark.parametrize("generic", [False, True])
def test_a_header_member_may_select_the_class(generic: bool) -> None:
    """sock_diag does so: there is one type, and the first byte selects the class."""
    numbers = {"id": 40} if generic else {"protocol": 4}
    made = Family(
        "made", **numbers, types=TYPE,
        messages={16: s.selected(None, "kind", {1: Tree, 2: Bush})},
    )  # fmt: skip

    def message(body: bytes) -> bytes:
        return wire.message(40, b"\x10\1\0\0" + body) if generic else wire.message(16, body)

    data = message(bytes(Tree(kind=1))) + message(bytes(Bush(kind=2))) + message(b"\3\0\0\0")
    tree, bush, other = parse(data, made)
    assert isinstance(tree, Tree) and isinstance(bush, Bush) and isinstance(other, RawMessage)
    (empty,) = parse(message(b""), made)  # there is no header member to read
    assert isinstance(empty, RawMessage)
    assert {type(each) for each in parse(data * 3, made)} == {Tree, Bush, RawMessage}


def test_the_names_of_types_belong_to_the_family() -> None:
    """Families may share message classes, even on one connection."""

    class OTHER(IntEnum):
        O_LIST = 40

    other = family(name="other", types=OTHER, messages={40: Tree})
    data = wire.message(40, bytes(Tree())) + wire.message(16, bytes(Tree()))
    first, second = parse(data, FAMILY, other)
    assert isinstance(first, Tree) and isinstance(second, Tree)
    assert (first.nlmsg_name, second.nlmsg_name) == ("O_LIST", "T_NEW")


def choice(*numbers: int, member: str = "kind") -> Any:
    return s.selected(None, member, {number: (Tree, Bush)[number % 2] for number in numbers})


BAD_DECLARATIONS: dict[str, tuple[Any, str]] = {
    "two ops, one request type": (
        lambda: family(Op("x", 16, Leaf), Op("y", 16, Tree)),
        "family 'made': T_NEW means both Leaf and Tree; choose between them by a header member",
    ),
    "two ops, one answer": (
        lambda: family(Op("x", 16, Leaf, answer="one", reply_type=18),
                       Op("y", 17, Tree, answer="one", reply_type=18)),
        "family 'made': T_GET means both Leaf and Tree",
    ),
    "two modules": (
        lambda: family(messages={16: Leaf}).add(messages={16: Tree}),
        "family 'made': T_NEW means both Leaf and Tree",
    ),
    "a class and a selector": (
        lambda: family(messages={16: Leaf}).add(messages={16: choice(1)}),
        "family 'made': T_NEW means both Leaf and a choice by 'kind'",
    ),
    "two selectors": (
        lambda: family(messages={16: choice(1)}).add(messages={16: choice(2)}),
        "family 'made': T_NEW means both one of Bush and a choice by 'kind'",
    ),
    "a selector and a class": (
        lambda: family(messages={16: choice(1)}).add(messages={16: Leaf}),
        "family 'made': T_NEW means both one of Bush and Leaf",
    ),
    "a selector with a number": (
        lambda: family(messages={16: s.selected(5, "kind", {1: Tree})}),
        "T_NEW: expected selected(None, 'kind', choices)",
    ),
    "a selector without choices": (
        lambda: family(messages={16: choice()}), "T_NEW: expected selected(None, 'kind', choices)",
    ),
    "a selector in a parent": (
        lambda: family(messages={16: choice(1, member="^kind")}), "T_NEW: expected selected(None",
    ),
    "a selector by an attribute": (
        lambda: family(messages={16: choice(1, member="name")}),
        "T_NEW: Bush has no integer header member 'name'",
    ),
    "a plain kind for a whole message": (
        lambda: family(messages={16: s.selected(None, "kind", {1: s.u32()})}),
        "T_NEW: u32 is not a message class",
    ),
    "a selector by nothing": (
        lambda: family(messages={16: choice(1, member="colour")}),
        "T_NEW: Bush has no integer header member 'colour'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_DECLARATIONS)
def test_two_meanings_of_one_number_are_refused_where_they_are_declared(case: str) -> None:
    declare, message = BAD_DECLARATIONS[case]
    with pytest.raises(ValueError) as caught:
        declare()
    assert message in str(caught.value)


def test_members_that_select_stand_at_one_place() -> None:
    class Late(Message):
        pad: int = s.u16()
        kind: int = s.u8()

    with pytest.raises(ValueError, match="must have the same position and kind in all"):
        family(messages={16: s.selected(None, "kind", {1: Tree, 2: Late})})


def test_an_event_may_have_the_number_of_a_change() -> None:
    """A change has no answer, so an explicit declaration for its number wins."""
    made = family(Op("x", 16, Leaf), messages={})
    assert made.classes == {16: Leaf}
    made.add(messages={16: Tree})
    assert made.classes == {16: Tree}
    made.add(Op("y", 16, Leaf))
    assert made.classes == {16: Tree}


# --- families together ----------------------------------------------------------------------------


def combine_parse(*families: Family) -> None:
    parse(b"", *families)


def combine_blocking(*families: Family) -> None:
    from netlink import Connection, testing

    Connection(*families, socket=testing.Socket(lambda request: None)).close()


def combine_asyncio(*families: Family) -> None:
    from netlink import aio, testing

    aio.Connection(*families, socket=testing.Socket(lambda request: None)).close()


COMBINE = [combine_parse]
if sys.platform == "linux":  # there are no netlink sockets elsewhere
    COMBINE += [combine_blocking, combine_asyncio]


@pytest.mark.parametrize("combine", COMBINE)
def test_families_that_give_one_number_two_meanings_are_refused_together(combine: Any) -> None:
    first = family(name="first", messages={16: Tree})
    second = family(name="second", messages={16: Leaf})
    wanted = (r"message type 16 means Tree in family 'first' and Leaf in family 'second': use one "
              r"connection, or one parse\(\), for each")  # fmt: skip
    with pytest.raises(ValueError, match=wanted):
        combine(first, second)
    asking = family(Op("z", 16, Leaf, ends="nothing"), name="asking", messages={16: Tree})
    with pytest.raises(ValueError, match="message type 16 means Leaf in family 'asking'"):
        combine(asking, family(Op("z", 16, Bush), name="other", messages={16: Tree}))
    combine(first, first)
    combine(first, family(name="third", messages={16: Tree, 17: Leaf}))


@pytest.mark.parametrize("combine", COMBINE)
def test_selectors_of_several_families_are_united(combine: Any) -> None:
    first = family(name="first", messages={16: choice(1)})
    second = family(name="second", messages={16: choice(2)})
    combine(first, second)
    data = wire.message(16, bytes(Bush(kind=1))) + wire.message(16, bytes(Tree(kind=2)))
    assert [type(each) for each in parse(data, first, second)] == [Bush, Tree]
    # The families themselves are as before.
    assert [type(each) for each in parse(data, first)] == [Bush, RawMessage]
    with pytest.raises(ValueError, match="message type 16 means one of Bush in family 'first'"):
        combine(first, family(name="third", messages={16: choice(1, 2)}))


@pytest.mark.parametrize("combine", COMBINE)
def test_framings_are_not_mixed(combine: Any) -> None:
    text = family(name="text", framing="text")
    with pytest.raises(ValueError, match=r"framing differs: made has 'netlink', text has 'text'"):
        combine(family(), text)
    combine(text, text)


def test_a_family_has_a_known_framing() -> None:
    with pytest.raises(ValueError, match="framing 'xml': expected one of netlink, text"):
        family(framing="xml")


@pytest.mark.parametrize("combine", COMBINE)
@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("route", r"'route'; import it, as in: from netlink\.route import FAMILY"),
        (route, r"pass its FAMILY|<module"),
        (sys, "<module 'sys'"),
        (None, "None"),
        (5, "5"),
        (Leaf, "Leaf"),
        (link.get, "<Op link.get>"),
    ],
    ids=repr,
)
def test_what_is_not_a_family_is_a_type_error(combine: Any, wrong: Any, hint: str) -> None:
    with pytest.raises(TypeError, match=rf"expected a family, got .*({hint})"):
        combine(wrong)


def test_a_module_instead_of_its_family() -> None:
    import netlink.route

    for combine in COMBINE:
        with pytest.raises(TypeError, match=r"pass its FAMILY: netlink\.route\.FAMILY"):
            combine(netlink.route)


# --- lazy modules ---------------------------------------------------------------------------------


def fresh(script: str) -> Any:
    """Run a script in its own process, and return what it prints as JSON."""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


MAP = """
import importlib, json, sys
from netlink import family

seen, added = {}, {}

def watched_init(self, name, *, modules=None, **options):
    seen.update(modules or {})
    real_init(self, name, modules=modules, **options)

def watched_add(self, *ops, messages=None, requests=None):
    module = sys._getframe(1).f_globals["__name__"]
    numbers = [op.type for op in ops] + [op.reply_type for op in ops]
    for number in [*numbers, *(messages or ()), *(requests or ())]:
        added.setdefault(int(number), set()).add(module)
    real_add(self, *ops, messages=messages, requests=requests)

real_init, family.Family.__init__ = family.Family.__init__, watched_init
real_add, family.Family.add = family.Family.add, watched_add
from netlink.route.rtnetlink import RTM, ROUTE
before = sorted(name for name in sys.modules if name.startswith("netlink.route."))
for module in seen:
    importlib.import_module(module)
stated = {int(number): module for module, numbers in seen.items() for number in numbers}
print(json.dumps({
    "before": before,
    "stated": {RTM(number).name: module for number, module in stated.items()},
    "added": {RTM(number).name: sorted(modules) for number, modules in added.items()},
    "empty": [number for number in stated if ROUTE.dispatch.find(number).message is None],
    "classes": sorted(set(ROUTE.classes) | set(ROUTE.requests)),
}))
"""


def test_each_lazy_module_declares_the_numbers_that_the_map_states() -> None:
    found = fresh(MAP)
    assert found["before"] == ["netlink.route.rtnetlink"]
    assert found["empty"] == []
    assert len(found["stated"]) == len(found["classes"]) > 60
    assert found["added"].keys() == found["stated"].keys()
    for name, module in found["stated"].items():
        for each in found["added"][name]:
            assert f"{each}.".startswith(f"{module}."), name


def test_a_module_is_loaded_at_the_first_message_that_needs_it() -> None:
    script = """
import json, sys
from netlink import parse
from netlink.route.rtnetlink import ROUTE, RTM
from tests import wire
def loaded():
    return [name in sys.modules for name in ("netlink.route.link", "netlink.route.rule")]
steps = [loaded()]
stream = parse(wire.message(RTM.RTM_NEWRULE, bytes(12)) + wire.message(16, bytes(16)), ROUTE)
steps.append(loaded())
kinds = [type(next(stream)).__name__]
steps.append(loaded())
kinds.append(type(next(stream)).__name__)
steps.append(loaded())
print(json.dumps([steps, kinds]))
"""
    steps, kinds = fresh(script)
    assert steps == [[False, False], [False, False], [False, True], [True, True]]
    assert kinds == ["Rule", "Link"]


# --- plans ----------------------------------------------------------------------------------------


@plan
def twice(number: int, *, name: str | None = None) -> Steps[list[Any]]:
    """Do it twice."""
    first = yield new(name=name)
    second = yield new(name=str(number))
    return [first, second]


@plan(name="thing.wait", sequence=True)
def waiting() -> Steps[Any]:
    yield listen("some-thing")
    return (yield wait(timeout=1))


def test_a_plan_shows_its_call() -> None:
    made = twice(5, name="x")
    assert isinstance(made, Plan)
    assert repr(made) == "<Plan test_family.twice(5, name='x')>"
    assert (made.name, made.args, made.kwargs) == ("test_family.twice", (5,), {"name": "x"})
    assert not made.sequence
    assert repr(waiting()) == "<Plan thing.wait()>"
    assert waiting().sequence


def test_a_plan_starts_from_the_beginning_each_time() -> None:
    made = twice(5, name="x")
    for _ in range(3):
        steps = made.steps()
        assert next(steps).message == Tree(name="x")
        assert steps.send("first").message == Tree(name="5")
        with pytest.raises(StopIteration) as end:
            steps.send("second")
        assert end.value.value == ["first", "second"]


def test_a_plan_function_keeps_its_signature_and_doc() -> None:
    assert str(inspect.signature(twice)).startswith("(number: 'int', *, name: 'str | None' = None)")
    assert inspect.getdoc(twice) == "Do it twice."
    assert twice.__name__ == "twice"


untyped: Any = twice


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: untyped(5, nmae="x"),
         "test_family.twice() has no parameter 'nmae'; did you mean 'name'?"),
        (lambda: untyped(5, colour="x"),
         "test_family.twice() has no parameter 'colour'; it has: number, name"),
        (lambda: untyped(), "test_family.twice() missing 1 required positional argument: 'number'"),
        (lambda: untyped(1, 2), "test_family.twice() takes 1 positional argument but 2 were given"),
        (lambda: cast(Any, waiting)(x=1), "thing.wait() has no parameter 'x'"),
    ],
)  # fmt: skip
def test_wrong_arguments_of_a_plan_are_refused_at_the_call(call: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert message in str(caught.value)


def test_a_plan_is_not_an_iterable() -> None:
    made = twice(5)
    wanted = r"<Plan test_family\.twice\(5\)> is a plan, not an iterable; execute it: nl\.do\(test"
    for use in (iter, list, lambda each: [*each], lambda each: [x for x in each]):
        with pytest.raises(TypeError, match=wanted):
            use(made)
    with pytest.raises(TypeError):
        next(made)  # type: ignore[call-overload]


@pytest.mark.parametrize("made", [iter([1]), (n for n in range(3)), map(int, "12"), zip()])
def test_an_argument_that_can_be_read_only_once_is_refused(made: Any) -> None:
    """The second execution would find it empty and silently do something else."""
    with pytest.raises(TypeError, match=r"test_family\.twice\.\w+: .* can be read only once"):
        untyped(made)
    with pytest.raises(TypeError, match=r"test_family\.twice\.name: .* can be read only once"):
        untyped(5, name=made)


def test_an_open_file_may_be_an_argument() -> None:
    with open(__file__) as file:
        assert untyped(5, name=file).kwargs == {"name": file}


@pytest.mark.parametrize("wrong", [lambda: None, 5, None, "x", twice])
def test_only_a_generator_function_makes_plans(wrong: Any) -> None:
    with pytest.raises(TypeError, match="@plan expects a generator function, got ") as caught:
        plan(wrong) if wrong is not None else plan()(wrong)
    assert repr(wrong) in str(caught.value)


@pytest.mark.parametrize("wrong", [None, 5, b"lo", link.get])
def test_ifindex_takes_a_name(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"ifindex\(\) expects the name of a link, got "):
        ifindex(wrong)


def test_plans_hold_what_they_were_given() -> None:
    """A plan reads its arguments when it is executed, so wrong values raise their error then."""

    @plan
    def long() -> Steps[None]:
        yield Op("x", 16, Bush)(height=-1)

    made = long()
    with pytest.raises(EncodeError, match=r"Bush\.height"):
        next(made.steps())


def test_combining_no_family_is_allowed_for_parse() -> None:
    (raw,) = parse(wire.message(16, b"x"))
    assert isinstance(raw, RawMessage)
