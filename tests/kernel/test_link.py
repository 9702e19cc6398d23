"""The plans of netlink.route.link and linkprop, and what a request for one link may say."""

import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from netlink import Connection, KernelError, Plan
from netlink.route import FAMILY, addr, link, linkprop, route
from netlink.route.afspec import AfSpec, AfSpecSet, InetConf, ipv4_devconf
from netlink.route.link import IFF, Link

LONG = "another-name-that-is-longer-than-fifteen-bytes"


def names() -> set[str]:
    """Return the names of all links. Tunnel modules add links of their own to every namespace."""
    return {name for _, name in socket.if_nameindex()}


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(FAMILY, timeout=30) as connection:
        connection.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}, mtu=1400))
        yield connection


def test_find(nl: Connection) -> None:
    found = nl.do(link.by_name("v0"))
    assert (found.ifname, found.mtu, found.index) == ("v0", 1400, socket.if_nametoindex("v0"))
    assert nl.do(link.by_index(found.index)).ifname == "v0"
    for dev in ("v0", found.index, found):
        assert nl.do(link.index_of(dev)) == found.index
    assert link.selector(found) == {"index": found.index}
    for missing in (link.by_name("none"), link.by_index(999), link.index_of("none")):
        with pytest.raises(KernelError) as caught:
            nl.do(missing)
        assert caught.value.errno == errno.ENODEV


def test_up_and_down(nl: Connection) -> None:
    def is_up(dev: str) -> bool:
        return bool(nl.do(link.by_name(dev)).flags & IFF.IFF_UP)

    nl.do(link.up("v0"))
    nl.do(link.up(socket.if_nametoindex("v1")))
    assert is_up("v0")
    assert is_up("v1")
    nl.do(link.down(nl.do(link.by_name("v0"))))
    assert not is_up("v0")
    assert is_up("v1")


def test_change(nl: Connection) -> None:
    nl.do(link.add("br", "bridge"))
    nl.do(link.change("v0", master="br", mtu=1300, alias="an alias"))
    found = nl.do(link.by_name("v0"))
    assert (found.master, found.mtu) == (socket.if_nametoindex("br"), 1300)
    assert found.ifalias == "an alias"
    nl.do(link.change("v0", nomaster=True, alias=""))
    found = nl.do(link.by_name("v0"))
    assert (found.master, found.ifalias) == (None, None)


def test_rename(nl: Connection) -> None:
    index = socket.if_nametoindex("v0")
    nl.do(link.rename("v0", "x0"))
    assert socket.if_indextoname(index) == "x0"


def test_add(nl: Connection) -> None:
    nl.do(link.add("br", "bridge"))
    mode = {"mode": "MACVLAN_MODE_PRIVATE"}
    nl.do(link.add("m0", "macvlan", mode, link="v0", master="br", address="02:00:00:00:00:01"))
    found = nl.do(link.by_name("m0"))
    assert found.link == socket.if_nametoindex("v0")
    assert found.master == socket.if_nametoindex("br")
    assert found.address == "02:00:00:00:00:01"
    with pytest.raises(KernelError) as caught:
        nl.do(link.add("m0", "macvlan", link="v0"))
    assert caught.value.errno == errno.EEXIST


def test_remove(nl: Connection) -> None:
    nl.do(link.remove("v0"))
    assert not names() & {"v0", "v1"}
    with pytest.raises(KernelError) as caught:
        nl.do(link.remove("lo"))
    assert caught.value.errno == errno.EOPNOTSUPP


def test_alternative_names(nl: Connection) -> None:
    """Every plan finds a link by them, whatever their length."""
    nl.do(linkprop.add("v0", "short", LONG))
    found = nl.do(link.by_name("v0"))
    assert found.prop_list is not None
    assert found.prop_list.alt_ifname == ("short", LONG)
    for name in ("short", LONG):
        assert nl.do(link.index_of(name)) == found.index
        nl.do(link.up(name))
        nl.do(link.change(name, mtu=1500))
    nl.do(linkprop.remove(LONG, "short"))
    nl.do(link.remove(LONG))
    assert "v0" not in names()


def test_sysctls(nl: Connection) -> None:
    """The kernel sends an array for IPv4 and accepts attributes, with the same names."""
    assert [*ipv4_devconf.__table__.names] == [*InetConf.__table__.names]
    assert [f.number for f in InetConf.__table__.fields] == [
        f.offset // 4 + 1 for f in ipv4_devconf.__table__.fields
    ]

    def spec() -> AfSpec:
        found = nl.do(link.by_name("v0")).af_spec
        assert isinstance(found, AfSpec)
        return found

    before = spec().inet
    assert before is not None
    assert before.conf is not None
    assert before.conf.rp_filter != 2
    nl.do(link.change("v0", af_spec=AfSpecSet(inet={"conf": {"rp_filter": 2}})))
    after = spec().inet
    assert after is not None
    assert after.conf == before.conf.replace(rp_filter=2)

    nl.do(link.change("v0", af_spec={"inet6": {"addr_gen_mode": "IN6_ADDR_GEN_MODE_NONE"}}))
    inet6 = spec().inet6
    assert inet6 is not None
    assert str(inet6.to_json()["addr_gen_mode"]) == "IN6_ADDR_GEN_MODE_NONE"


def test_attributes_are_all_declared(nl: Connection) -> None:
    """This covers the attributes that this kernel sends for the available kinds."""
    for found in nl.dump(link.get()):
        assert isinstance(found, Link)
        assert found.unknown == ()


MISSING = [
    (addr.add("192.0.2.1/24", "gone"), "addr.add: link 'gone' does not exist (ENODEV)"),
    (addr.add("192.0.2.1/24", dev="gone"), "addr.add: link 'gone' does not exist (ENODEV)"),
    (link.change("gone", mtu=1400), "link.change: link 'gone' does not exist (ENODEV)"),
    (link.change("v0", master="gone"), "link.change: link 'gone' does not exist (ENODEV)"),
    (link.up(dev=LONG), f"link.up: link '{LONG}' does not exist (ENODEV)"),
    (link.remove(999), "link.remove: link 999 does not exist (ENODEV)"),
    (link.by_name(LONG), f"link.by_name: link '{LONG}' does not exist (ENODEV)"),
    (route.add("192.0.2.0/24", dev=LONG), f"route.add: link '{LONG}' does not exist (ENODEV)"),
    (linkprop.add("gone", "x"), "linkprop.add: link 'gone' does not exist (ENODEV)"),
]


@pytest.mark.parametrize("plan, words", MISSING, ids=[words for _, words in MISSING])
def test_missing_links_are_named(nl: Connection, plan: Plan[Any], words: str) -> None:
    with pytest.raises(KernelError) as caught:
        nl.do(plan)
    assert str(caught.value) == words
    assert caught.value.plan is plan
    assert [str(outcome) for outcome in nl.do_many([plan])] == [words]


def test_plans_run_again(nl: Connection) -> None:
    """Each execution starts from the beginning, even after an error."""
    found = link.index_of("lo")
    assert [nl.do(found), nl.do(found)] == [1, 1]
    plan = route.add("10.0.0.0/8", nexthops=[{"via": "192.0.2.2"}, {"via": "192.0.2.3"}])
    with pytest.raises(KernelError):
        nl.do(plan)  # nothing is reachable yet
    for name in ("v0", "v1"):
        nl.do(link.up(name))
    nl.do(addr.add("192.0.2.1/24", "v0"))
    for _ in range(2):
        nl.do(plan)
        nl.do(route.remove("10.0.0.0/8"))
