"""Plans in do_many() on a live kernel: what they look up is as new as if do() executed them."""

from __future__ import annotations

from typing import Any

import pytest

from netlink import Connection, ifindex, listen, plan
from netlink.family import Steps
from netlink.route import FAMILY as ROUTE
from netlink.route import addr, link


@plan
def grow(dev: str, by: int) -> Steps[int]:
    """Change the MTU of a link by a number of bytes."""
    found = yield link.get(ifname=dev)
    yield link.set(index=found.index, mtu=found.mtu + by)
    return int(found.mtu + by)


@plan
def twice(dev: str) -> Steps[None]:
    """Make two changes, although the plan is not declared as a sequence."""
    index = yield ifindex(dev)
    yield link.set(index=index, mtu=1400)
    yield link.set(index=index, mtu=1300)


@plan
def undeclared(dev: str) -> Steps[None]:
    """Listen for events, although the plan is not declared as a sequence."""
    yield listen("link")
    yield link.set(ifname=dev, mtu=1200)


def test_a_lookup_sees_the_changes_before_it() -> None:
    with Connection(ROUTE) as nl:
        nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}, mtu=1500))
        assert [*nl.do_many([grow("v0", -10)] * 3)] == [1490, 1480, 1470]
        assert nl.do(link.get(ifname="v0")).mtu == 1470
        mixed: list[Any] = [link.set(ifname="v0", mtu=1500), grow("v0", -1)]
        assert [*nl.do_many(mixed)] == [None, 1499]


def test_a_name_is_looked_up_again_after_links_changed() -> None:
    with Connection(ROUTE) as nl:
        nl.do(link.add("a0", "veth", {"peer": {"ifname": "b0"}}))
        first, second = nl.do(link.index_of("a0")), nl.do(link.index_of("b0"))
        many: list[Any] = [
            addr.add("192.0.2.1/32", "a0"),
            link.set(index=first, ifname="c0"),
            link.set(index=second, ifname="a0"),
            addr.add("192.0.2.2/32", "a0"),
        ]
        assert [*nl.do_many(many)] == [None] * 4
        found = {str(a.local): a.index for a in nl.dump(addr.get(family="inet"))}
        assert (found["192.0.2.1"], found["192.0.2.2"]) == (first, second)


def test_a_wrong_plan_does_not_cost_the_outcomes_before_it() -> None:
    with Connection(ROUTE) as nl:
        nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
        outcomes = []
        with pytest.raises(TypeError, match=r"must be @plan\(sequence=True\)"):
            for outcome in nl.do_many([addr.add("192.0.2.1/24", "v0"), twice("v0")]):
                outcomes.append(outcome)
        assert outcomes == [None]
        with pytest.raises(TypeError, match=r"listens for events must be @plan\(sequence=True\)"):
            list(nl.do_many([undeclared("v0")]))
