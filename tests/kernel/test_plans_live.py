"""Plans against the live kernel: order among changes, caching, indexes in another namespace."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, KernelError, ifindex, plan
from netlink._nlsock import CLONE_NEWNET, unshare
from netlink.family import Steps
from netlink.generic import nlctrl
from netlink.route import FAMILY, addr, link, route

from ..drivers import BOTH, Connect


@plan
def index_of(name: str) -> Steps[int]:
    found: int = yield ifindex(name)
    return found


@BOTH
def test_a_link_and_what_is_added_to_it_in_one_pipeline(connect: Connect) -> None:
    """The lookup of a name waits for the request that makes the link."""
    with connect(FAMILY, timeout=10) as nl:
        items: list[Any] = []
        for number in range(5):
            name = f"br{number}"
            items += [
                link.add(name, "bridge"),
                link.change(name, up=True),
                addr.add(f"10.{number}.0.1/24", name),
                addr.add(f"10.{number}.0.2/24", name),
                route.add(f"192.168.{number}.0/24", via=f"10.{number}.0.9", dev=name),
            ]
        outcomes = list(nl.do_many(items))
        assert [str(each) for each in outcomes if isinstance(each, KernelError)] == []
        locals_ = [str(each.local) for each in nl.dump(addr.get(family=2))]
        wanted = {f"10.{number}.0.{host}" for number in range(5) for host in (1, 2)}
        assert wanted <= {*locals_}
        table = [str(each.gateway) for each in nl.dump(route.get(family=2)) if each.gateway]
        assert table == [f"10.{number}.0.9" for number in range(5)]


@BOTH
def test_what_fails_names_the_plan_and_its_position(connect: Connect) -> None:
    with connect(FAMILY, timeout=10) as nl:
        items = [
            addr.add("10.0.0.1/24", "nothere"),
            link.add("br0", "bridge"),
            addr.add("10.0.0.1/24", "br0"),
            addr.add("10.0.0.1/24", "br0"),
            addr.add("10.0.0.2/24", "nothere"),
        ]
        outcomes = list(nl.do_many(items))
        shown = [(o.index, o.errno) if isinstance(o, KernelError) else o for o in outcomes]
        assert shown == [(0, errno.ENODEV), None, None, (3, errno.EEXIST), (4, errno.ENODEV)]
        assert str(outcomes[0]) == "addr.add: link 'nothere' does not exist (ENODEV)"
        assert str(outcomes[3]).startswith("addr.add: 10.0.0.1/24: ")
        with pytest.raises(KernelError) as caught:
            list(nl.do_many(items, raise_errors=True))
        assert caught.value.index == 0


@BOTH
def test_indexes_are_those_of_the_namespace_of_the_socket(connect: Connect) -> None:
    """Of any family: the ioctl is made on the netlink socket."""
    with Connection(FAMILY) as nl:
        nl.do(link.new(ifname="here", linkinfo={"kind": "bridge"}))
        index = nl.do(link.get(ifname="here")).index
    with Path("/proc/thread-self/ns/net").open() as home:
        unshare(CLONE_NEWNET)
        for family in (FAMILY, nlctrl.FAMILY):
            with connect(family, netns=home, timeout=10) as nl:
                assert nl.do(index_of("here")) == index
            with connect(family, timeout=10) as nl:
                with pytest.raises(KernelError, match=r"link 'here' does not exist \(ENODEV\)"):
                    nl.do(index_of("here"))
                assert nl.do(index_of("lo")) == 1


@BOTH
@pytest.mark.parametrize("name", ["", "x" * 16, "x" * 200, "a\0b", "\ud800", "a/b", "ä" * 8])
def test_names_that_no_link_can_have(connect: Connect, name: str) -> None:
    """They raise an error of ours or ENODEV, and never select another link."""
    with connect(FAMILY, timeout=10) as nl, pytest.raises((KernelError, ValueError)):
        nl.do(index_of(name))
