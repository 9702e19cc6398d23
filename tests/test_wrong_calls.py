"""Wrong calls fail before anything is sent, and the error shows the right call.

Every parameter of every plan of the route family gets values of the wrong kind, chosen by its
annotation. The tests execute the plans without a connection. If a plan would send a change, the
test fails.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

import pytest

from netlink import EncodeError, Message, Plan
from netlink.family import IfIndex, Request
from netlink.route import addr, link, linkprop, neigh, nexthop, route, rule
from netlink.route.encap import Mpls
from netlink.route.tc import filter as tc_filter
from netlink.route.tc import qdisc, tclass

MODULES = (addr, link, linkprop, neigh, nexthop, route, rule)

# A right call of each plan. Every plan needs a row.
RIGHT: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "addr.add": (("2001:db8::1/64", "lo"), {}),
    "addr.put": (("192.0.2.1/24", "lo"), {}),
    "addr.remove": (("192.0.2.1/24", "lo"), {}),
    "link.add": (("v0", "veth"), {}),
    "link.by_index": ((1,), {}),
    "link.by_name": (("lo",), {}),
    "link.change": (("lo",), {"mtu": 1400}),
    "link.down": (("lo",), {}),
    "link.index_of": (("lo",), {}),
    "link.remove": (("lo",), {}),
    "link.rename": (("lo", "x"), {}),
    "link.up": (("lo",), {}),
    "linkprop.add": (("lo", "x"), {}),
    "linkprop.remove": (("lo", "x"), {}),
    "neigh.add": (("192.0.2.1", "lo"), {}),
    "neigh.change": (("192.0.2.1", "lo"), {"state": "stale"}),
    "neigh.put": (("192.0.2.1", "lo"), {}),
    "neigh.remove": (("192.0.2.1", "lo"), {}),
    "nexthop.add": ((1,), {"dev": "lo"}),
    "nexthop.change": ((1,), {"dev": "lo"}),
    "nexthop.put": ((1,), {"dev": "lo"}),
    "nexthop.remove": ((1,), {}),
    "route.add": (("2001:db8::/64",), {"dev": "lo"}),
    "route.change": (("2001:db8::/64",), {"dev": "lo"}),
    "route.lookup": (("192.0.2.1",), {}),
    "route.put": (("2001:db8::/64",), {"dev": "lo"}),
    "route.remove": (("192.0.2.0/24",), {}),
    "rule.add": ((), {"table": 7}),
    "rule.remove": ((), {"table": 7}),
}
# The other arguments that a parameter requires.
NEEDED: dict[str, dict[str, Any]] = {
    "data": {"kind": "bridge"},
    "encap": {"encap_type": "ip", "encap": {"id": 1}},
    "encap_type": {"encap_type": "ip", "encap": {"id": 1}},
    "fwmask": {"fwmark": 1},
    "new_ifindex": {"net_ns_pid": 1},
    "realms": {"dst": "192.0.2.0/24"},
    "resilient": {"group": {1: 1}},
    "slave_data": {"slave_kind": "bridge"},
}


def plans() -> Iterator[tuple[str, Callable[..., Plan[Any]]]]:
    for module in MODULES:
        for name, value in vars(module).items():
            is_own = inspect.isfunction(value) and value.__module__ == module.__name__
            if is_own and hasattr(value, "plan"):
                yield f"{module.__name__.rpartition('.')[2]}.{name}", value


PLANS = dict(plans())


def sent(plan: Plan[Any]) -> list[Request[Any, Any]]:
    """Execute a plan without a kernel, and return the changes that it would send."""
    steps = plan.steps()
    changes = []
    answer: Any = None
    try:
        while True:
            step = steps.send(answer)
            answer = None
            if isinstance(step, IfIndex):
                answer = 1
            elif step.op.answer == "none":
                changes.append(step)
            else:
                answer = step.op.reply(index=1) if step.op.reply is link.Link else step.op.reply()
    except StopIteration:
        return changes


# --- what is wrong, by what a parameter takes -----------------------------------------------------

NO_TEXT = (b"x", 1.5, ["x"], object(), "", "a\0b", "\ud800")
NO_INT = (b"1", 1.5, [1], True, "1", -1, 1 << 64)
NO_WORD = (b"x", 1.5, [1], True, "nonesuch", "", -1, 1 << 64)
NO_ADDRESS = (
    b"\xc0\0\2\1", 5, True, 1.5, ["192.0.2.1"], "", "192.0.2.1\0", "\ud800", "192.0.2",
    "fe80::1%lo", "192.0.2.1/33",
)  # fmt: skip
NO_LINK = (b"lo", 0, -1, True, 1.5, ["lo"], "", "a\0b", "\ud800", "x" * 128, link.Link(), 1 << 32)
NO_MESSAGE = (5, "x", b"", [1], {"nonesuch": 1}, Mpls)

WRONG: dict[Any, tuple[Any, ...]] = {
    addr.Local: NO_ADDRESS,
    link.Dev: NO_LINK,
    route.Destination: NO_ADDRESS,
    str: NO_TEXT,
    int: NO_INT,
    bool: (1, 0, "yes", b"", []),
    Message: NO_MESSAGE,
}


def wrong_values(annotation: Any) -> tuple[Any, ...]:
    """Return values that a parameter with this annotation must refuse."""
    members = {*get_args(annotation)} - {type(None)} or {annotation}
    for known, values in WRONG.items():
        if members == ({*get_args(known)} or {known}):
            return values
    names = {str(member) for member in members}
    if any("Address" in name for name in names):
        return NO_ADDRESS
    if any("Sequence" in name for name in names):
        hop = {"via": "192.0.2.1"}
        return (
            hop,
            [],
            [5],
            [{}],
            iter([hop]),
            [hop | {"wieght": 1}],
            [hop | {"weight": 0}],
            "x",
            5,
        )
    if any("Mapping" in name for name in names):
        return ({}, [1], 5, {1: 0}, {1: 65536}, {0: 1}, {"1": 1}, {1: True}, {1: None})
    if any("tuple" in name for name in names):
        return (*NO_WORD, (1, 2, 3), (2, 1), (-1, 1), (True, 2), ("1", "2"))
    if dict in {getattr(member, "__origin__", None) for member in members}:
        return NO_MESSAGE
    assert int in members, annotation
    return NO_WORD


def right(full: str, parameter: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a right call of a plan, including what the parameter requires."""
    args, kwargs = RIGHT[full]
    known = inspect.signature(PLANS[full]).parameters
    needed = {key: value for key, value in NEEDED.get(parameter, {}).items() if key in known}
    if "dst" in needed:
        args = (needed.pop("dst"), *args[1:])
    if "group" in needed:
        kwargs = {}
    return args, kwargs | {key: needed[key] for key in needed if key not in [*known][: len(args)]}


# Values that are valid only here: an empty alias, a pair of realms.
ALLOWED: Sequence[tuple[str, Any]] = (("alias", ""), ("realms", (2, 1)))
CASES = [
    (full, parameter.name, value)
    for full, function in PLANS.items()
    for parameter in inspect.signature(function).parameters.values()
    for value in wrong_values(parameter.annotation)
    if (parameter.name, value) not in ALLOWED
]


def test_every_plan_is_called() -> None:
    assert PLANS.keys() == RIGHT.keys()


@pytest.mark.parametrize("full", PLANS)
def test_right_calls(full: str) -> None:
    """The wrong calls below are variations of these."""
    function = PLANS[full]
    for parameter in inspect.signature(function).parameters:
        args, kwargs = right(full, parameter)
        assert len(sent(function(*args, **kwargs))) == (
            0 if full in ("link.by_index", "link.by_name", "link.index_of", "route.lookup") else 1
        )


@pytest.mark.parametrize("full", PLANS)
def test_wrong_values(full: str) -> None:
    """Each is refused, with an error that names the plan and the parameter."""
    function = PLANS[full]
    parameters = inspect.signature(function).parameters
    for _, parameter, value in (case for case in CASES if case[0] == full):
        args, kwargs = right(full, parameter)
        position = [*parameters].index(parameter)
        if parameters[parameter].kind is inspect.Parameter.KEYWORD_ONLY:
            kwargs[parameter] = value
        else:
            args = (*args[:position], value, *args[position + 1 :])
        with pytest.raises((TypeError, ValueError)) as caught:
            assert not sent(function(*args, **kwargs)), (parameter, value)
            pytest.fail(f"{full}({parameter}={value!r}) is accepted", pytrace=False)
        words = str(caught.value)
        assert f"{full}.{parameter}" in words, words


@pytest.mark.parametrize("full", PLANS)
def test_none(full: str) -> None:
    """None means "not given". Required arguments refuse it."""
    function = PLANS[full]
    args, kwargs = RIGHT[full]
    for position in range(len(args)):
        given = (*args[:position], None, *args[position + 1 :])
        with pytest.raises((TypeError, ValueError), match=re.escape(full)):
            sent(function(*given, **kwargs))
    unset = dict.fromkeys(
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    )
    bodies = [
        [bytes(request.message) for request in sent(function(*args, **given))]
        for given in (kwargs, unset | kwargs)
    ]
    assert bodies[0] == bodies[1]


NOTHING: list[tuple[Callable[[], Plan[Any]], str]] = [
    (lambda: link.change("lo"), "name, master, nomaster, up, address, broadcast, mtu, "),
    (lambda: link.change("lo", nomaster=False, mtu=None), "name, master, "),
    (lambda: link.change("lo", kind="bridge"), "name, master, "),
    (lambda: link.change("lo", kind="bridge", data={}), "name, master, "),
    (lambda: link.change("lo", slave_kind="bridge", slave_data={}), "name, master, "),
    (lambda: neigh.change("192.0.2.1", "lo", proxy=False), "lladdr, state, proxy, "),
    (lambda: nexthop.change(1, onlink=False), "via, dev, family, "),
    (lambda: route.change("10.0.0.0/8", table=7, metric=1), "via, dev, onlink, "),
    (lambda: qdisc.change("lo", "pfifo", handle="1:", options={}), "options, stab, estimator"),
    (lambda: tclass.change("lo", "htb", "1:10", parent="1:"), "options, estimator"),
    (lambda: tc_filter.change("lo", "u32", prio=1, handle="800::1"), "options, estimator"),
]


@pytest.mark.parametrize(("make", "accepted"), NOTHING)
def test_a_change_of_nothing(make: Callable[[], Plan[Any]], accepted: str) -> None:
    """It would succeed without any effect, or the kernel would refuse it without a reason."""
    plan = make()
    text = f"{plan.name}() needs something to change; it accepts: {accepted}"
    with pytest.raises(TypeError, match=re.escape(text)):
        sent(plan)


def test_every_change_is_asked_for_nothing() -> None:
    every = {name for name in PLANS if name.endswith(".change")}
    assert every <= {make().name for make, _ in NOTHING}


def test_switches_that_are_off_are_changes_where_they_can_be() -> None:
    """False is the default of `nomaster`, but a value for `up`."""
    assert len(sent(link.change("lo", up=False))) == 1
    assert len(sent(link.change("lo", nomaster=True))) == 1
    assert len(sent(link.change("lo", alias=""))) == 1


@pytest.mark.parametrize("type", [None, "unicast", "local", "broadcast", "anycast", "multicast"])
@pytest.mark.parametrize("plan", [route.add, route.put])
def test_a_route_to_nowhere(plan: Callable[..., Plan[None]], type: str | None) -> None:
    with pytest.raises(
        TypeError, match=r"route\.\w+\(\) needs via, dev, nexthops or nhid, because"
    ):
        sent(plan("10.1.0.0/16", type=type))
    assert len(sent(plan("10.1.0.0/16", type="unreachable"))) == 1


OTHER_WORDS: dict[str, tuple[Callable[..., Plan[Any]], str]] = {
    "gateway": (route.add, "; did you mean 'via'?"),
    "priority": (route.add, "; did you mean 'metric'?"),
    "metric": (rule.add, "; did you mean 'priority'?"),
    "prefsrc": (route.add, "; did you mean 'src'?"),
    "src": (rule.add, "; did you mean 'from_'?"),
    "dst": (rule.add, "; did you mean 'to'?"),
    "oif": (route.add, "; did you mean 'dev'?"),
    "device": (addr.add, "; did you mean 'dev'?"),
    "mac": (neigh.add, "; did you mean 'lladdr'?"),
    "hwaddr": (link.change, "; did you mean 'address'?"),
    "ifname": (link.change, "; did you mean 'name'?"),
    "type": (link.add, "; did you mean 'kind'?"),
    "multipath": (route.put, "; did you mean 'nexthops'?"),
    "peer": (
        link.add, "; an attribute of the kind belongs into data={'peer': {'ifname': ...}}"
    ),
    "vlan_protocol": (
        link.change, "; an attribute of the kind belongs into data={'vlan_protocol': ...}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("word", OTHER_WORDS)
def test_words_of_the_kernel_and_of_other_tools(word: str) -> None:
    function, hint = OTHER_WORDS[word]
    name = vars(function)["plan"]
    args = RIGHT[name][0]
    with pytest.raises(TypeError) as caught:
        function(*args, **{word: 1})
    assert str(caught.value) == f"{name}() has no parameter {word!r}{hint}"


@pytest.mark.parametrize("full", PLANS)
def test_misspelt(full: str) -> None:
    """The error for an unknown keyword suggests the nearest parameter."""
    function = PLANS[full]
    args, kwargs = RIGHT[full]
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        name = parameter.name
        words = rf"{re.escape(full)}\(\) has no parameter '{name}x'; did you mean '{name}'\?"
        with pytest.raises(TypeError, match=words):
            function(*args, **kwargs, **{f"{name}x": 1})


@pytest.mark.parametrize("full", PLANS)
def test_missing(full: str) -> None:
    """The error for a call without arguments names the plan."""
    with pytest.raises(TypeError, match=rf"{re.escape(full)}\(\) (missing|needs)"):
        sent(PLANS[full]())


# --- calls that are wrong as a whole --------------------------------------------------------------

NOTHING_SELECTED: Sequence[dict[str, Any]] = (
    {}, {"family": "inet6"}, {"from_": "all"}, {"from_": "0.0.0.0/0"}, {"to": "default"},
    {"fwmark": 0}, {"fwmask": 0}, {"tos": 0}, {"table": 0}, {"table": "unspec"}, {"l3mdev": False},
    {"action": 0}, {"ipproto": 0}, {"tun_id": 0}, {"realms": 0}, {"protocol": 0},
    {"dscp": 5},
)  # fmt: skip


@pytest.mark.parametrize("words", NOTHING_SELECTED, ids=str)
def test_removal_of_any_rule(words: dict[str, Any]) -> None:
    """For the kernel they are "not given": it would remove the rule for the local table."""
    with pytest.raises(TypeError, match=r"rule\.remove\(\) needs an argument that selects a rule"):
        sent(rule.remove(**words))


TOGETHER: Sequence[tuple[Callable[[], Plan[Any]], str]] = (
    (lambda: link.change("lo", master="a", nomaster=True), "master or nomaster"),
    (lambda: link.change("lo", net_ns_pid=1, net_ns_fd=3), "net_ns_pid or net_ns_fd"),
    (lambda: link.change("lo", new_ifindex=9), "new_ifindex only together with"),
    (lambda: link.change("lo", data={"id": 5}), "data only together with kind"),
    (lambda: link.change("lo", slave_data={"cost": 5}), "only together with slave_kind"),
    (lambda: link.change("lo", addr_gen_mode=1, af_spec={}), "addr_gen_mode or af_spec"),
    (lambda: link.add("d0", "ifb", {"id": 5}), "links of kind 'ifb' have no declared data"),
    (lambda: link.add("d0", "bridge", Mpls()), "expected Bridge or a dict"),
    (lambda: rule.add(l3mdev=True, table=5), "table or l3mdev"),
    (lambda: rule.add(action="goto"), "goto"),
    (lambda: rule.add(action="nop", goto=5), "goto"),
    (lambda: rule.add(from_="192.0.2.1", to="2001:db8::1"), "the rule is an IPv4 rule"),
    (lambda: rule.add(family="inet6", from_="192.0.2.1"), "the rule is an IPv6 rule"),
    (lambda: rule.add(family=128, from_="192.0.2.1"), "ignores addresses in rules for multicast"),
    (lambda: rule.add(family="unix", table=5), "expected AF_INET or AF_INET6"),
    (lambda: route.add("192.0.2.0/24", dev="lo", src="2001:db8::1"), "belong to the route"),
    (lambda: route.add("192.0.2.0/24", family="inet6", dev="lo"), "belong to the route"),
    (lambda: route.add("192.0.2.0/24", dev="lo", expires=5), "IPv4 routes do not have it"),
    (lambda: route.add("192.0.2.0/24", dev="lo", pref="high"), "IPv4 routes do not have it"),
    (lambda: route.add("192.0.2.0/24", dev="lo", from_="192.0.2.1"), "IPv4 routes do not have it"),
    (lambda: route.add("2001:db8::/64", dev="lo", realms=5), "IPv6 routes do not have it"),
    (lambda: route.add("default", nexthops=[{"via": "fe80::1", "realms": 5}]), "IPv6 routes"),
    (lambda: route.add("192.0.2.0/24", encap={"id": 5}), "needs encap_type"),
    (lambda: route.add("192.0.2.0/24", encap_type="ip"), "encap_type only together with encap"),
    (lambda: route.add("192.0.2.0/24", encap=Mpls(), encap_type="ip"), "expected Ip or a dict"),
    (lambda: route.remove("2001:db8::/64", src="2001:db8::1"), "does not compare"),
    (lambda: route.remove("2001:db8::/64", mtu=1300), "does not compare"),
    (lambda: route.lookup("192.0.2.1", src="2001:db8::1"), "different address families"),
    (lambda: nexthop.add(1, group={1: 1}, via="192.0.2.1"), "neither family nor via"),
    (lambda: nexthop.add(1, dev="lo", resilient={"buckets": 4}), "only together with group"),
    (lambda: nexthop.add(1, via="192.0.2.1", family="inet6"), "belong to the family AF_INET6"),
    (lambda: addr.add("192.0.2.1/24", "lo", peer="2001:db8::1"), "different address families"),
    (lambda: addr.add("192.0.2.1/24", "lo", nodad=True), "only IPv6 addresses have this flag"),
    (lambda: addr.add("2001:db8::1/64", "lo", label="lo:x"), "IPv6 addresses have no label"),
    (lambda: addr.add("2001:db8::1/64", "lo", broadcast="+"), "no broadcast address"),
    (lambda: addr.add("192.0.2.1/24", "lo", valid_lft=5), "needs preferred_lft <= valid_lft"),
    (lambda: addr.add("192.0.2.1/24", "lo", valid_lft=0), "0 seconds"),
    (lambda: addr.add("192.0.2.1/0.0.0.255", "lo"), "with or without a prefix length"),
    (lambda: linkprop.add("lo"), "at least one name"),
    (lambda: linkprop.remove("lo", "x" * 128), "128 bytes; at most 127 fit"),
    (lambda: link.rename("lo", "x" * 16), "16 bytes; at most 15 fit"),
)  # fmt: skip


@pytest.mark.parametrize("call, words", TOGETHER, ids=[words for _, words in TOGETHER])
def test_wrong_together(call: Callable[[], Plan[Any]], words: str) -> None:
    with pytest.raises((TypeError, EncodeError), match=re.escape(words)):
        assert not sent(call())
    assert call().name in str(_error_of(call))


def _error_of(call: Callable[[], Plan[Any]]) -> Exception | None:
    try:
        sent(call())
    except Exception as error:
        return error
    return None
