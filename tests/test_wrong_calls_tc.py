"""Wrong calls of the plans of traffic control fail before anything is sent, and say what is right.

The first step of such a plan must raise. No connection is needed, because a plan that yields a step
fails the test. tests/test_wrong_calls.py does the same for the other plans of the route family.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from netlink import EncodeError, Plan
from netlink.family import IfIndex
from netlink.route import link
from netlink.route.ether import ETH_P
from netlink.route.tc import filter, format_handle, handle, qdisc, size_table, tclass
from netlink.route.tc.act import TC_ACT, Action
from netlink.route.tc.cls import TC_U32, U32, Flower, Fw
from netlink.route.tc.em import EmatchTree, tcf_em_nbyte, tcf_em_text
from netlink.route.tc.sch import Htb, Tbf, tc_fifo_qopt
from netlink.route.tc.tcmsg import FilterHandle, Handle, SizeTable, U32Handle

MODULES = (qdisc, tclass, filter)
ANY: dict[str, Any] = {"keys_": [{}]}
RATE = {"parms": {"rate": {"rate": 125_000}}}
TBF: dict[str, Any] = {"parms": {"rate": {"rate": 125_000}, "limit": 30_000}, "burst": 10_240}

# A right call of each plan. Every plan needs a row.
RIGHT: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "qdisc.add": (("lo", "pfifo"), {"options": {"limit": 10}}),
    "qdisc.put": (("lo", "pfifo"), {"options": {"limit": 10}}),
    "qdisc.change": (("lo", "pfifo"), {"options": {"limit": 10}}),
    "qdisc.remove": (("lo",), {"parent": "root"}),
    "tclass.add": (("lo", "htb", "1:10"), {"options": RATE}),
    "tclass.put": (("lo", "htb", "1:10"), {"options": RATE}),
    "tclass.change": (("lo", "htb", "1:10"), {"options": RATE}),
    "tclass.remove": (("lo", "1:10"), {}),
    "filter.add": (("lo", "u32"), {"options": {"sel": ANY}}),
    "filter.put": (("lo", "u32"), {"options": {"sel": ANY}}),
    "filter.change": (
        ("lo", "u32"),
        {"prio": 5, "handle": "800::800", "options": {"classid": "1:1"}},
    ),
    "filter.remove": (("lo",), {"prio": 5}),
}


def plans() -> Iterator[tuple[str, Callable[..., Plan[Any]]]]:
    for module in MODULES:
        for name, value in vars(module).items():
            if inspect.isfunction(value) and hasattr(value, "plan"):
                yield f"{module.__name__.rpartition('.')[2]}.{name}", value


PLANS = dict(plans())


def first_step(plan: Plan[Any]) -> Any:
    """Return the first step of a plan. An error before that step has sent nothing."""
    return next(plan.steps())


def refusal(call: Callable[[], Plan[Any]]) -> str:
    """Return the error of a call, which must come before the first step."""
    with pytest.raises((TypeError, ValueError)) as caught:
        step = first_step(call())
        pytest.fail(f"it is accepted: {step!r}", pytrace=False)
    return str(caught.value)


# --- values of the wrong kind ---------------------------------------------------------------------

NO_TEXT = (b"x", 1.5, ["x"], object(), "", "a\0b", "\ud800", "x" * 16)
NO_INT = (b"1", 1.5, [1], True, "1", -1, 1 << 64)
NO_HANDLE = (
    b"1:",
    1.5,
    ["1:"],
    True,
    "",
    ":",
    "x:",
    "1:x",
    "10000:",
    "1:2:3:4",
    -1,
    1 << 32,
    "eth0",
)
NO_OPTIONS = (5, "limit", ["limit"], object(), {"limitt": 5}, Htb(), {5: 5})
NO_ESTIMATOR = (5, "1s", [1], {"intervall": 1}, {"interval": 200}, tc_fifo_qopt())

WRONG: dict[str, tuple[Any, ...]] = {
    "dev": (b"lo", 0, -1, True, 1.5, ["lo"], "", "a\0b", "\ud800", link.Link(), 1 << 32),
    "kind": NO_TEXT,
    "parent": NO_HANDLE,
    "classid": NO_HANDLE,
    "options": NO_OPTIONS,
    "stab": (5, "overhead 20", {"bases": {}}, {"base": {"overhed": 20}}, Htb(), [1]),
    "estimator": NO_ESTIMATOR,
    "ingress_block": (*NO_INT, 0),
    "egress_block": (*NO_INT, 0),
    "prio": (*NO_INT, 65_536),
    "protocol": (b"ip", 1.5, [1], True, "nonesuch", "", -1, 65_536),
    "chain": NO_INT,
    "block": (*NO_INT, 0),
    "handle": NO_HANDLE,
}
NO_FILTER_HANDLE = (b"1", 1.5, [1], True, "", ":", "::", "x", "1000::5", "1:2:3:4", -1, 1 << 32)


def test_every_plan_is_called() -> None:
    assert PLANS.keys() == RIGHT.keys()


@pytest.mark.parametrize("full", PLANS)
def test_right_calls(full: str) -> None:
    """The wrong calls below are variations of these."""
    args, kwargs = RIGHT[full]
    assert first_step(PLANS[full](*args, **kwargs)) == IfIndex("lo")
    unset = dict.fromkeys(
        name
        for name, parameter in inspect.signature(PLANS[full]).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    )
    assert first_step(PLANS[full](*args, **unset | kwargs)) == IfIndex("lo")


@pytest.mark.parametrize(
    "full, parameter",
    [(full, name) for full in PLANS for name in inspect.signature(PLANS[full]).parameters],
)
def test_wrong_values(full: str, parameter: str) -> None:
    """Each is refused, with an error that names the plan and the parameter."""
    function = PLANS[full]
    names = [*inspect.signature(function).parameters]
    values = NO_FILTER_HANDLE if (full[:6], parameter) == ("filter", "handle") else WRONG[parameter]
    for value in values:
        args, kwargs = RIGHT[full]
        position = names.index(parameter)
        if position < len(args):
            args = (*args[:position], value, *args[position + 1 :])
        else:
            kwargs = kwargs | {parameter: value}
        if parameter == "block":
            args = (None, *args[1:])
        words = refusal(lambda args=args, kwargs=kwargs: function(*args, **kwargs))  # type: ignore[misc]
        assert f"{full}.{parameter}" in words, (value, words)


@pytest.mark.parametrize("full", PLANS)
def test_misspelt(full: str) -> None:
    """The error for an unknown keyword suggests the nearest parameter."""
    function = PLANS[full]
    args, kwargs = RIGHT[full]
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            name = parameter.name
            words = rf"{re.escape(full)}\(\) has no parameter '{name}x'; did you mean '{name}'\?"
            with pytest.raises(TypeError, match=words):
                function(*args, **kwargs, **{f"{name}x": 1})


@pytest.mark.parametrize("full", PLANS)
def test_missing(full: str) -> None:
    with pytest.raises(TypeError, match=rf"{re.escape(full)}\(\) (missing|needs)"):
        first_step(PLANS[full]())


# --- calls that are wrong as a whole --------------------------------------------------------------

POLICE = {"kind": "police", "options": {"tbf": {"burst": 5}}}
NBYTE = {"kind": "TCF_EM_NBYTE", "data": {"pattern": b"x"}}
TOGETHER: tuple[tuple[Callable[[], Plan[Any]], str], ...] = (
    # the old spelling, and options that the kind does not have
    (lambda: qdisc.add("lo", "pfifo", limit=5), "has no parameter 'limit'"),  # type: ignore[call-arg]
    (lambda: qdisc.add("lo", "pfifo", options={"limits": 5}), "did you mean 'limit'?"),
    (lambda: qdisc.add("lo", "tbf", options={"parm": {}}), "did you mean 'parms'?"),
    (
        lambda: qdisc.add("lo", "tbf", options={"parms": {"limits": 5}}),
        "tc_tbf_qopt has no field 'limits'; did you mean 'limit'?",
    ),
    (lambda: qdisc.add("lo", "fifo", options={"limit": 5}), "did you mean 'pfifo'?"),
    (lambda: qdisc.add("lo", "clsact", options={"limit": 5}), "'clsact' are not declared"),
    (lambda: qdisc.add("lo", "pfifo", options=Tbf()), "expected tc_fifo_qopt, a dict or None"),
    (lambda: tclass.add("lo", "prio", "1:1", options={"bands": 5}), "must be bytes"),
    (lambda: filter.add("lo", "u23", options={"classid": "1:1"}), "did you mean 'u32'?"),
    (lambda: filter.add("lo", "u32", options=Fw(classid=1)), "expected U32, a dict or None"),
    (lambda: filter.add("lo", "u32", options={"classid": "1:x"}), "filter.add.options.classid"),
    (
        lambda: filter.add(
            "lo", "fw", options={"act": [{"kind": "gac", "options": {"parms": {}}}]}
        ),
        "did you mean 'gact'?",
    ),
    (
        lambda: filter.add("lo", "fw", options={"act": [{"kind": "gact", "option": {}}]}),
        "Action has no field 'option'; did you mean 'options'?",
    ),
    # a number that does not count
    (
        lambda: filter.add("lo", "u32", options={"sel": {"nkeys": 2, **ANY}}),
        "sel.nkeys: 2 does not",
    ),
    # what tc requires
    (lambda: qdisc.add("lo", "tbf"), "needs parms.rate.rate or rate64"),
    (lambda: qdisc.add("lo", "tbf", options={}), "needs parms.rate.rate or rate64"),
    (lambda: qdisc.add("lo", "tbf", options=Tbf(burst=5)), "needs parms.rate.rate or rate64"),
    (lambda: qdisc.add("lo", "tbf", options=TBF | {"burst": 0}), "needs burst or parms.buffer"),
    (
        lambda: qdisc.put("lo", "tbf", options={"burst": 5, "rate64": 7}),
        "qdisc.put.options: kind 'tbf' needs parms.limit",
    ),
    (lambda: qdisc.change("lo", "tbf", options=TBF | {"prate64": 5}), "needs pburst or parms.mtu"),
    (lambda: qdisc.add("lo", "red", options={"parms": {}}), "needs parms.limit"),
    (lambda: qdisc.add("lo", "choke", options={"parms": {}}), "needs parms.limit"),
    (lambda: qdisc.add("lo", "gred", options={"parms": [{"limit": 5}, {}]}), "needs parms.limit"),
    (lambda: tclass.add("lo", "htb", "1:1"), "needs parms.rate.rate or rate64"),
    (lambda: tclass.put("lo", "hfsc", "1:1", options={"usc": {"m2": 5}}), "needs rsc or fsc"),
    (lambda: filter.add("lo", "u32", options={"sel": {}}), "needs sel.keys_"),
    (
        lambda: filter.add("lo", "u32", options={"sel": ANY, "act": [POLICE]}),
        "filter.add.options.act[1].options: kind 'police' needs tbf.rate.rate",
    ),
    (
        lambda: filter.add("lo", "fw", options=Fw(act=[Action(**POLICE)])),
        "filter.add.options.act[1].options: kind 'police' needs",
    ),
    (lambda: filter.add("lo", "fw", options={"police": {"rate64": 5}}), "needs tbf.burst"),
    (lambda: filter.add("lo", "fw", options={"police": {"pktrate64": 5}}), "needs pktburst64"),
    (
        lambda: filter.add(
            "lo", "fw", options={"act": [{"kind": "csum", "options": {"parms": {}}}]}
        ),
        "needs parms.update_flags",
    ),
    (
        lambda: filter.add(
            "lo", "fw", options={"act": [{"kind": "ct", "options": {"nat_port_min": 5}}]}
        ),
        "needs action",
    ),
    # keys that the kernel would ignore
    (lambda: filter.add("lo", "flower", options={"key_ip_proto": 6}), "key_ip_proto needs key_eth"),
    (
        lambda: filter.add("lo", "flower", protocol="ip", options={"key_tcp_dst": 80}),
        "key_tcp_dst needs key_ip_proto 6",
    ),
    (
        lambda: filter.add("lo", "flower", protocol="arp", options={"key_ip_ttl": 5}),
        "key_ip_ttl needs key_eth_type (or protocol=) ETH_P_IP or ETH_P_IPV6",
    ),
    (
        lambda: filter.add("lo", "flower", protocol="ip", options={"key_vlan_id": 5}),
        "needs a VLAN protocol in key_eth_type",
    ),
    (lambda: filter.add("lo", "flower", options=Flower(key_arp_op=1)), "ETH_P_ARP or ETH_P_RARP"),
    (
        lambda: filter.add(
            "lo", "basic", options={"ematches": {"tree_hdr": {}, "tree_list": [NBYTE, NBYTE]}}
        ),
        "2 ematches make 1 expression(s), but 2 of them",
    ),
    # which filter
    (lambda: filter.add(None, "u32"), "filter.add() needs either dev or block"),
    (lambda: filter.add("lo", "u32", block=21), "filter.add() needs either dev or block"),
    (lambda: filter.add(None, "u32", block=21, parent="1:"), "accepts block or parent, not both"),
    # a removal of anything
    (lambda: qdisc.remove("lo"), "qdisc.remove() missing 1 required keyword-only argument"),  # type: ignore[call-arg]
    (lambda: qdisc.remove("lo", parent=0), "qdisc.remove() needs the parent of a qdisc"),
    (lambda: qdisc.remove("lo", parent="none"), "qdisc.remove() needs the parent of a qdisc"),
    (lambda: tclass.remove("lo", 0), "tclass.remove() needs the classid"),
    (lambda: tclass.remove("lo", "none"), "tclass.remove() needs the classid"),
    (lambda: filter.remove("lo"), "filter.remove() needs prio, or one of parent, block and chain"),
    (lambda: filter.remove("lo", "u32", parent="1:"), "handle only together with prio"),
    (lambda: filter.remove("lo", parent="1:", handle="800::800"), "handle only together with prio"),
    (lambda: filter.remove("lo", parent="1:", protocol="ip"), "handle only together with prio"),
)


@pytest.mark.parametrize("call, words", TOGETHER, ids=[words for _, words in TOGETHER])
def test_wrong_together(call: Callable[[], Plan[Any]], words: str) -> None:
    found = refusal(call)
    assert words in found
    assert re.search(r"(qdisc|tclass|filter)\.[a-z]+", found), found


# --- handles --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: handle("1:x"), "'1:x' is not a handle: give 'major:minor' in hexadecimal digits"),
        (lambda: handle("1:2:3:4"), "'1:2:3:4' is not a handle"),
        (lambda: handle("1000::5"), "'1000::5' is not a u32 handle: give 'table:bucket:node'"),
        (lambda: handle(b"1:"), "a handle is text such as '1:10', or an int, not b'1:'"),
        (lambda: handle(1.5), "not 1.5"),
        (lambda: Fw(classid="1"), "'1:' is a qdisc, and ':1' a class of the qdisc"),
        (lambda: Fw(classid="800::5"), "Fw.classid: '800::5' is not a handle"),
        (lambda: U32(hash="800"), "U32.hash: '800' is not a u32 handle"),
        (lambda: filter.Filter(handle="six"), "'six' is not the handle of a filter: give a number"),
        (lambda: Fw(classid=-1), "-1 is out of range"),
        (lambda: size_table(mpu=64, tsize=1), "tsize: 1 is out of range: at least 2"),
    ],
)
def test_no_handle(call: Callable[[], Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "number", "shown"),
    [
        ("1:10", 0x10010, "1:10"),
        ("1:", 0x10000, "1:"),
        ("1", 0x10000, "1:"),
        ("0001:0010", 0x10010, "1:10"),
        (":a", 0xA, ":a"),
        ("ffff:", 0xFFFF0000, "ffff:"),
        ("ffff:fff1", 0xFFFFFFF1, "ffff:fff1"),
        ("clsact", 0xFFFFFFF1, "ffff:fff1"),
        ("root", 0xFFFFFFFF, "root"),
        ("TC_H_ROOT", 0xFFFFFFFF, "root"),
        ("none", 0, "none"),
        ("ingress", 0xFFFFFFF2, "ingress"),
        ("egress", 0xFFFFFFF3, "egress"),
    ],
)
def test_handles(text: str, number: int, shown: str) -> None:
    made = handle(text)
    assert (made, type(made), str(made), f"{made:#x}") == (number, Handle, shown, f"{number:#x}")
    assert format_handle(number) == shown
    assert handle(shown) == number
    assert handle(number) == number
    if text != "1":
        assert Fw(classid=text).classid == number


@pytest.mark.parametrize(
    ("text", "number", "shown"),
    [
        ("800::5", 0x80000005, "800::5"),
        ("800:0:5", 0x80000005, "800::5"),
        ("800:5", 0x80005000, "800:5"),
        ("800:5:", 0x80005000, "800:5"),
        ("800:ff:fff", 0x800FFFFF, "800:ff:fff"),
        ("800:", 0x80000000, "800:"),
        ("0x80000005", 0x80000005, "800::5"),
        ("::5", 5, "::5"),
        ("none", 0, "none"),
    ],
)
def test_u32_handles(text: str, number: int, shown: str) -> None:
    made = U32Handle.from_text(text)
    assert (made, str(made), format_handle(number, "u32")) == (number, shown, shown)
    assert U32Handle.from_text(shown) == number
    assert U32(hash=text).hash == number
    if text.count(":") == 2:
        assert handle(text) == number
        assert filter.Filter(handle=text).handle == number


def test_handles_of_messages() -> None:
    """In every form, they read as numbers that also have a text."""
    message = filter.Filter(kind="u32", handle="800::5", parent="1:", options={"classid": "1:10"})
    assert message.handle_text == "800::5"
    assert (type(message.handle), type(message.parent)) == (FilterHandle, Handle)
    assert "handle=0x80000005 parent=1:" in repr(message)
    assert "classid=1:10" in repr(message)
    assert message.options is not None
    assert message.options.classid == 0x10010
    assert message.to_json()["options"] == {"classid": "1:10"}
    assert message.to_dict()["options"] == {"classid": 0x10010}
    assert filter.Filter(kind="fw", handle="6").handle_text == "0x6"
    assert filter.Filter(**message.to_dict()) == message


# --- counts ---------------------------------------------------------------------------------------


def test_counts() -> None:
    """The number of elements is counted, in a header member and in an attribute."""
    tree = EmatchTree(tree_hdr={}, tree_list=[NBYTE, NBYTE, NBYTE])
    assert tree.tree_hdr is not None
    assert tree.tree_hdr.nmatches == 3
    assert tcf_em_nbyte(len_layer=2 << 12, pattern=b"abc").len_layer == 2 << 12 | 3
    assert tcf_em_nbyte(len_layer=2 << 12 | 3, pattern=b"abc").len_layer == 2 << 12 | 3
    assert tcf_em_text(pattern=b"abcd").pattern_len == 4
    table = SizeTable(base={}, data=(1, 2, 3))
    assert table.base is not None
    assert table.base.tsize == 3
    for wrong in (
        lambda: tcf_em_nbyte(len_layer=4, pattern=b"abc"),
        lambda: tcf_em_text(pattern_len=3, pattern=b"abcd"),
        lambda: SizeTable(base={"tsize": 2}, data=(1, 2, 3)),
        lambda: EmatchTree(tree_hdr={"nmatches": 1}, tree_list=[NBYTE, NBYTE]),
    ):
        with pytest.raises(EncodeError, match="does not fit"):
            wrong()


def test_size_table() -> None:
    """The table is the one that tc computes (tc_calc_size_table)."""
    table = size_table(overhead=20, mpu=64, mtu=2048)
    assert table.base is not None
    assert (table.base.cell_log, table.base.cell_align, table.base.tsize) == (3, -1, 512)
    assert table.data[:9] == (64, 64, 64, 64, 64, 64, 64, 64, 72)
    assert len(size_table(linklayer="TC_LINKLAYER_ATM").data) == 512
    assert size_table(linklayer=2, mtu=100_000, tsize=64).data[-1] <= 0xFFFF
    assert size_table(overhead=20).data == ()


# --- what is filled in ----------------------------------------------------------------------------


def options_of(plan: Plan[Any]) -> Any:
    """Return the options that a plan sends."""
    steps = plan.steps()
    assert next(steps) == IfIndex("lo")
    return steps.send(1).message.options


def test_filled_in() -> None:
    """The plan fills in what tc fills in. It keeps explicit values and the caller's dict."""
    given = {"sel": ANY, "classid": "1:1", "act": [{"kind": "mirred", "options": {"parms": {}}}]}
    made = options_of(filter.add("lo", "u32", options=given))
    assert made.sel.flags == TC_U32.TC_U32_TERMINAL
    assert made.act[0].options.parms.action == TC_ACT.TC_ACT_PIPE
    assert given["act"] == [{"kind": "mirred", "options": {"parms": {}}}]
    assert "flags" not in ANY
    kept = options_of(filter.add("lo", "u32", options={"sel": ANY | {"flags": 0}, "classid": 5}))
    assert kept.sel.flags == 0
    assert options_of(filter.add("lo", "u32", options={"sel": ANY})).sel.flags == 0
    gone = {"kind": "mirred", "options": {"parms": {"eaction": "TCA_EGRESS_REDIR"}}}
    made = options_of(filter.add("lo", "fw", options={"act": [gone]}))
    assert made.act[0].options.parms.action == TC_ACT.TC_ACT_STOLEN
    made = options_of(filter.add("lo", "flower", protocol="ip", options={"key_ip_proto": 6}))
    assert made.key_eth_type == ETH_P.ETH_P_IP
    assert options_of(filter.add("lo", "flower")) == Flower()
    assert options_of(filter.add("lo", "u32")) is None
    assert options_of(qdisc.add("lo", "netem")).limit == 1000
    assert options_of(qdisc.add("lo", "netem", options={"limit": 0})).limit == 0
    assert options_of(qdisc.add("lo", "netem", options={"limit": None})).limit == 1000
    assert options_of(qdisc.add("lo", "red", options={"parms": {"limit": 60}})).parms.qth_max == 15
    assert options_of(qdisc.add("lo", "pfifo")) is None
    assert options_of(qdisc.add("lo", "pfifo", options=b"\1\0\0\0")).limit == 1
    assert options_of(qdisc.add("lo", "nonesuch", options=b"\1\0\0\0")) == b"\1\0\0\0"
    wide = {"rate64": 1 << 33, "parms": {"rate": {"rate": 0xFFFFFFFF, "overhead": 4}}}
    made = options_of(tclass.add("lo", "htb", "1:1", options=wide))
    assert (made.ceil64, made.parms.ceil.overhead) == (1 << 33, 4)
    assert made.parms.buffer == made.parms.cbuffer > 0
    exact = Htb(parms={"rate": {"rate": 5}, "ceil": {"rate": 5}})
    assert options_of(tclass.add("lo", "htb", "1:1", options=exact)) == exact
