"""The other direction: what the library makes is what iproute2 shows, and what the kernel refuses.

The refusals are the kernel's own, with its words and the place it points at: the extended
acknowledgement of linux/netlink.h.
"""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from netlink import Connection, KernelError, NetlinkError
from netlink.constants import AF, ALTIFNAMSIZ, IFALIASZ, IFNAMSIZ
from netlink.family import Request
from netlink.route import FAMILY, addr, link, linkprop, neigh, route, rule
from netlink.route.neigh import NTF, NUD
from netlink.route.route import ICMPV6_ROUTER_PREF
from netlink.route.rtnetlink import RT_SCOPE, RT_TABLE, RTAX_FEATURE, RTN, RTNH_F, RTPROT
from tests import wire

Json = dict[str, Any]

if shutil.which("ip") is None or shutil.which("bridge") is None:
    pytest.skip("iproute2 is not installed", allow_module_level=True)

UP = link.IFF.IFF_UP


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(FAMILY, timeout=5) as connection:
        yield connection


def ip(arguments: str, program: str = "ip") -> list[Json]:
    """Return the JSON that iproute2 prints."""
    run = subprocess.run(
        [program, "-j", *arguments.split()], capture_output=True, text=True, check=True, timeout=20
    )
    shown: list[Json] = json.loads(run.stdout or "[]")
    return shown


def ip_link(name: str) -> Json:
    (shown,) = ip(f"-d link show dev {name}")
    return shown


def index_of(name: str) -> int:
    index: int = ip_link(name)["ifindex"]
    return index


def parts(shown: Json, *fields: str) -> list[Any]:
    return [shown.get(field) for field in fields]


def make(nl: Connection, request: Request[Any, link.Link]) -> None:
    """Make a link. Skip the test if the kernel lacks its kind."""
    try:
        nl.do(request)
    except KernelError as error:
        if error.message == "Unknown device type":
            pytest.skip(f"the kernel has no such links: {request}")
        raise


@pytest.fixture
def left(nl: Connection) -> int:
    """Return the index of a veth that is up, with 192.0.2.1/24 and 2001:db8::1/64."""
    nl.do(link.new(
        ifname="left",
        address="02:00:00:00:00:01",
        linkinfo={"kind": "veth", "data": {"peer": {"ifname": "right"}}},
    ))  # fmt: skip
    for name in ("left", "right"):
        nl.do(link.set(ifname=name, flags=UP, change=UP))
    index = index_of("left")
    nl.do(addr.new(family=AF.AF_INET, prefixlen=24, index=index, local="192.0.2.1"))
    nl.do(addr.new(
        family=AF.AF_INET6, prefixlen=64, index=index, local="2001:db8::1",
        flags=addr.IFA_F.IFA_F_NODAD,
    ))  # fmt: skip
    return index


# --- links ----------------------------------------------------------------------------------------


def test_veth_pair(nl: Connection) -> None:
    assert nl.do(link.new(
        ifname="left",
        address="02:00:00:00:00:01",
        mtu=1400,
        num_tx_queues=3,
        linkinfo={
            "kind": "veth",
            "data": {"peer": {"ifname": "right", "address": "02:00:00:00:00:02", "txqlen": 77}},
        },
    )) is None  # fmt: skip
    left, right = ip_link("left"), ip_link("right")
    assert parts(left, "link", "address", "mtu", "num_tx_queues") == [
        "right", "02:00:00:00:00:01", 1400, 3,
    ]  # fmt: skip
    assert parts(right, "link", "address", "txqlen") == ["left", "02:00:00:00:00:02", 77]
    assert left["linkinfo"] == {"info_kind": "veth"}


def test_bridge_and_port(nl: Connection, left: int) -> None:
    data = {"forward_delay": 400, "stp_state": 1, "priority": 4096, "mcast_snooping": 0}
    make(nl, link.new(ifname="br0", linkinfo={"kind": "bridge", "data": data}))
    shown = ip_link("br0")["linkinfo"]["info_data"]
    assert {field: shown[field] for field in data} == data
    nl.do(link.set(ifname="right", master=index_of("br0")))
    port = {"cost": 77, "priority": 9, "mode": 1, "isolated": 1, "learning": 0}
    nl.do(link.set(ifname="right", linkinfo={"slave_kind": "bridge", "slave_data": port}))
    right = ip_link("right")
    assert right["master"] == "br0"
    assert parts(
        right["linkinfo"]["info_slave_data"], "cost", "priority", "hairpin", "isolated", "learning"
    ) == [77, 9, True, True, False]
    nl.do(link.set(ifname="right", master=0))
    assert "master" not in ip_link("right")


def test_vlan(nl: Connection, left: int) -> None:
    make(nl, link.new(ifname="v5", link=left, linkinfo={"kind": "vlan", "data": {"id": 5}}))
    shown = ip_link("v5")
    assert parts(shown, "link", "linkinfo") == [
        "left",
        {"info_kind": "vlan", "info_data": {
            "protocol": "802.1Q", "id": 5, "flags": ["REORDER_HDR"],
        }},
    ]  # fmt: skip


def test_vxlan(nl: Connection, left: int) -> None:
    make(nl, link.new(ifname="vx0", linkinfo={"kind": "vxlan", "data": {
        "id": 42, "local": "192.0.2.1", "group": "192.0.2.99", "link": left, "port": 4789,
        "ttl": 9, "ageing": 77, "learning": 0, "port_range": {"low": 40000, "high": 50000},
    }}))  # fmt: skip
    shown = ip_link("vx0")["linkinfo"]["info_data"]
    assert parts(
        shown, "id", "local", "remote", "link", "port", "ttl", "ageing", "learning", "port_range"
    ) == [
        42, "192.0.2.1", "192.0.2.99", "left", 4789, 9, 77, False, {"low": 40000, "high": 50000},
    ]  # fmt: skip


def test_set(nl: Connection, left: int) -> None:
    nl.do(link.set(index=left, flags=0, change=UP))
    assert "UP" not in ip_link("left")["flags"]
    nl.do(link.set(index=left, ifname="renamed", mtu=1300, txqlen=55, ifalias="words of ours"))
    nl.do(link.set(ifname="renamed", address="02:00:00:00:00:77", group=9))
    nl.do(link.set(ifname="renamed", flags=UP, change=UP))
    shown = ip_link("renamed")
    assert shown["ifindex"] == left and "UP" in shown["flags"]
    assert parts(shown, "mtu", "txqlen", "ifalias", "address", "group") == [
        1300, 55, "words of ours", "02:00:00:00:00:77", "9",
    ]  # fmt: skip
    nl.do(link.set(index=left, ifalias=""))
    assert "ifalias" not in ip_link("renamed")


def test_delete_link(nl: Connection, left: int) -> None:
    nl.do(link.delete(index=left))
    assert [entry["ifname"] for entry in ip("link")] == ["lo"]


# --- addresses ------------------------------------------------------------------------------------


def ip_addresses(name: str) -> list[Json]:
    (shown,) = ip(f"-d addr show dev {name}")
    found: list[Json] = shown["addr_info"]
    return [entry for entry in found if entry["scope"] != "link" or entry["family"] == "inet"]


def test_addresses(nl: Connection, left: int) -> None:
    nl.do(addr.new(
        family=AF.AF_INET, prefixlen=32, index=left, scope=RT_SCOPE.RT_SCOPE_LINK,
        local="10.9.0.1", address="10.9.0.2", label="left:x", rt_priority=77,
    ))  # fmt: skip
    nl.do(addr.new(
        family=AF.AF_INET, prefixlen=16, index=left, local=IPv4Address("10.8.0.1"),
        broadcast="10.8.255.255", cacheinfo={"valid": 5000, "prefered": 4000},
    ))  # fmt: skip
    nl.do(addr.new(
        family=AF.AF_INET6, prefixlen=48, index=left, local=IPv6Address("2001:db8:5::1"),
        address="2001:db8:5::2", cacheinfo={"valid": 900, "prefered": 0},
        flags=addr.IFA_F.IFA_F_NODAD | addr.IFA_F.IFA_F_NOPREFIXROUTE,
    ))  # fmt: skip
    shown = {entry["local"]: entry for entry in ip_addresses("left")}
    assert set(shown) == {"192.0.2.1", "10.9.0.1", "10.8.0.1", "2001:db8::1", "2001:db8:5::1"}
    assert parts(shown["10.9.0.1"], "address", "prefixlen", "scope", "label", "metric") == [
        "10.9.0.2", 32, "link", "left:x", 77,
    ]  # fmt: skip
    assert parts(shown["10.8.0.1"], "prefixlen", "broadcast", "dynamic") == [
        16, "10.8.255.255", True,
    ]  # fmt: skip
    assert 4990 <= shown["10.8.0.1"]["valid_life_time"] <= 5000
    assert 3990 <= shown["10.8.0.1"]["preferred_life_time"] <= 4000
    six = shown["2001:db8:5::1"]
    assert parts(six, "address", "prefixlen", "nodad", "noprefixroute", "deprecated") == [
        "2001:db8:5::2", 48, True, True, True,
    ]  # fmt: skip


def test_replace_and_delete_address(nl: Connection, left: int) -> None:
    key = {"family": AF.AF_INET, "prefixlen": 24, "index": left, "local": "192.0.2.1"}
    nl.do(addr.replace(**key, cacheinfo={"valid": 5000, "prefered": 4000}))
    (four,) = (entry for entry in ip_addresses("left") if entry["family"] == "inet")
    assert four["dynamic"] is True
    nl.do(addr.delete(**key))
    assert [entry["local"] for entry in ip_addresses("left")] == ["2001:db8::1"]


# --- routes ---------------------------------------------------------------------------------------

V4: Json = {
    "family": AF.AF_INET,
    "rtm_table": RT_TABLE.RT_TABLE_MAIN,
    "protocol": RTPROT.RTPROT_STATIC,
    "type": RTN.RTN_UNICAST,
}
V6 = V4 | {"family": AF.AF_INET6}


def ip_route(arguments: str) -> Json:
    (shown,) = ip(f"-d {arguments}")
    shown.pop("cache", None)
    return shown


def test_routes(nl: Connection, left: int) -> None:
    nl.do(route.new(**V4, gateway="192.0.2.2"))
    nl.do(route.new(
        **V4 | {"protocol": RTPROT.RTPROT_BGP}, dst="198.51.100.0", dst_len=24, table=70000,
        gateway=IPv4Address("192.0.2.2"), oif=left, priority=20, prefsrc="192.0.2.1", tos=0x10,
        metrics={
            "mtu": 1300, "advmss": 1200, "rtt": 800, "hoplimit": 20, "lock": 1 << 2,
            "features": RTAX_FEATURE.RTAX_FEATURE_ECN, "cc_algo": "cubic", "quickack": 1,
        },
    ))  # fmt: skip
    nl.do(route.new(**V4, dst="198.51.101.0", dst_len=24, gateway="172.16.0.1", oif=left,
                    flags=RTNH_F.RTNH_F_ONLINK))  # fmt: skip
    nl.do(route.new(**V4, dst="198.51.102.0", dst_len=24, oif=left,
                    via={"family": AF.AF_INET6, "addr": IPv6Address("fe80::9")}))  # fmt: skip
    nl.do(route.new(**V4 | {"type": RTN.RTN_BLACKHOLE}, dst="203.0.113.0", dst_len=24))
    assert ip_route("route show default") == {
        "type": "unicast", "dst": "default", "gateway": "192.0.2.2", "dev": "left",
        "protocol": "static", "scope": "global", "flags": [],
    }  # fmt: skip
    assert ip_route("route show table 70000") == {
        "type": "unicast", "dst": "198.51.100.0/24", "tos": "0x10", "gateway": "192.0.2.2",
        "dev": "left", "protocol": "bgp", "scope": "global", "prefsrc": "192.0.2.1",
        "metric": 20, "flags": [],
        "metrics": [{"mtu": 1300, "rtt": 100, "advmss": 1200, "hoplimit": 20, "ecn": None,
                     "quickack": 1, "congestion": "cubic"}],
    }  # fmt: skip
    text = subprocess.run(
        ["ip", "route", "show", "table", "70000"], capture_output=True, text=True, check=True
    ).stdout
    assert "mtu lock 1300" in text and "rtt 100ms" in text  # the lock is not in the JSON
    assert ip_route("route show 198.51.101.0/24")["flags"] == ["onlink"]
    assert ip_route("route show 198.51.102.0/24")["via"] == {"family": "inet6", "host": "fe80::9"}
    assert ip_route("route show 203.0.113.0/24")["type"] == "blackhole"


def test_multipath_routes(nl: Connection, left: int) -> None:
    nl.do(route.new(**V4, dst="203.0.113.0", dst_len=24, multipath=[
        {"ifindex": left, "hops": 2, "gateway": "192.0.2.2"},
        {"ifindex": left, "hops": 255, "gateway": "172.16.0.1", "flags": RTNH_F.RTNH_F_ONLINK},
        {"ifindex": left, "via": {"family": AF.AF_INET6, "addr": IPv6Address("fe80::9")}},
    ]))  # fmt: skip
    nl.do(route.new(**V6, dst="2001:db8:6::", dst_len=48, multipath=[
        route.NextHop(ifindex=left, hops=1, gateway="2001:db8::2"),
        route.NextHop(ifindex=left, gateway=IPv6Address("2001:db8::3")),
    ]))  # fmt: skip
    assert ip_route("route show 203.0.113.0/24")["nexthops"] == [
        {"gateway": "192.0.2.2", "dev": "left", "weight": 3, "flags": []},
        {"gateway": "172.16.0.1", "dev": "left", "weight": 256, "flags": ["onlink"]},
        {"via": {"family": "inet6", "host": "fe80::9"}, "dev": "left", "weight": 1, "flags": []},
    ]  # fmt: skip
    assert ip_route("-6 route show 2001:db8:6::/48")["nexthops"] == [
        {"gateway": "2001:db8::2", "dev": "left", "weight": 2, "flags": []},
        {"gateway": "2001:db8::3", "dev": "left", "weight": 1, "flags": []},
    ]


def test_ipv6_routes(nl: Connection, left: int) -> None:
    nl.do(route.new(
        **V6, dst="2001:db8:5::", dst_len=48, gateway="2001:db8::2", oif=left, priority=99,
        pref=ICMPV6_ROUTER_PREF.ICMPV6_ROUTER_PREF_HIGH, expires=500, metrics={"mtu": 1280},
    ))  # fmt: skip
    shown = ip_route("-6 route show 2001:db8:5::/48")
    assert 490 <= shown.pop("expires") <= 500
    assert shown == {
        "type": "unicast", "dst": "2001:db8:5::/48", "gateway": "2001:db8::2", "dev": "left",
        "protocol": "static", "scope": "global", "metric": 99, "flags": [],
        "metrics": [{"mtu": 1280}], "pref": "high",
    }  # fmt: skip


def gateways(arguments: str) -> list[Any]:
    return [entry.get("gateway") for entry in ip(arguments)]


def test_verbs_of_routes(nl: Connection, left: int) -> None:
    key = {"dst": "198.51.100.0", "dst_len": 24}
    show = "route show 198.51.100.0/24"
    with pytest.raises(KernelError) as error:
        nl.do(route.set(**V4, **key, gateway="192.0.2.2"))
    assert error.value.errno == errno.ENOENT  # `set` makes none
    nl.do(route.new(**V4, **key, gateway="192.0.2.2"))
    with pytest.raises(KernelError) as error:
        nl.do(route.new(**V4, **key, gateway="192.0.2.3"))
    assert error.value.errno == errno.EEXIST
    nl.do(route.set(**V4, **key, gateway="192.0.2.3"))
    assert gateways(show) == ["192.0.2.3"]
    nl.do(route.replace(**V4, **key, gateway="192.0.2.4"))
    assert gateways(show) == ["192.0.2.4"]
    nl.do(route.append(**V4, **key, gateway="192.0.2.5"))
    nl.do(route.prepend(**V4, **key, gateway="192.0.2.6"))
    assert gateways(show) == ["192.0.2.6", "192.0.2.4", "192.0.2.5"]
    nl.do(route.delete(**V4, **key, gateway="192.0.2.4"))
    assert gateways(show) == ["192.0.2.6", "192.0.2.5"]


# --- neighbours -----------------------------------------------------------------------------------


def test_neighbours(nl: Connection, left: int) -> None:
    key = {"family": AF.AF_INET, "ndm_ifindex": left, "dst": "192.0.2.9"}
    nl.do(neigh.new(**key, state=NUD.NUD_PERMANENT, lladdr="02:00:00:00:00:09",
                    protocol=RTPROT.RTPROT_STATIC))  # fmt: skip
    (shown,) = ip("neigh show 192.0.2.9")
    assert shown == {
        "dst": "192.0.2.9", "dev": "left", "lladdr": "02:00:00:00:00:09",
        "state": ["PERMANENT"], "protocol": "static",
    }  # fmt: skip
    nl.do(neigh.set(**key, state=NUD.NUD_PERMANENT, lladdr="02:00:00:00:00:0a"))
    nl.do(neigh.replace(
        family=AF.AF_INET6, ndm_ifindex=left, dst="2001:db8::2", lladdr="02:00:00:00:00:0b",
        state=NUD.NUD_REACHABLE, flags=NTF.NTF_ROUTER,
    ))  # fmt: skip
    assert [entry["lladdr"] for entry in ip("neigh show 192.0.2.9")] == ["02:00:00:00:00:0a"]
    (six,) = ip("neigh show 2001:db8::2")
    assert parts(six, "lladdr", "router", "state") == ["02:00:00:00:00:0b", None, ["REACHABLE"]]
    assert "router" in six
    nl.do(neigh.delete(**key))
    assert ip("neigh show 192.0.2.9") == []


def test_proxy(nl: Connection, left: int) -> None:
    nl.do(neigh.new(
        family=AF.AF_INET, ndm_ifindex=left, dst="192.0.2.77", flags=NTF.NTF_PROXY
    ))  # fmt: skip
    assert ip("neigh show proxy") == [{"dst": "192.0.2.77", "dev": "left", "proxy": None}]


def test_forwarding_entry(nl: Connection, left: int) -> None:
    make(nl, link.new(ifname="br0", linkinfo={"kind": "bridge"}))
    nl.do(link.set(ifname="right", master=index_of("br0")))
    nl.do(neigh.new(
        family=AF.AF_BRIDGE, ndm_ifindex=index_of("right"), lladdr="02:00:00:00:00:99",
        state=NUD.NUD_NOARP, flags=NTF.NTF_MASTER,
    ))  # fmt: skip
    (shown,) = (
        entry for entry in ip("fdb show br br0", program="bridge")
        if entry["mac"] == "02:00:00:00:00:99" and "vlan" not in entry
    )  # fmt: skip
    assert parts(shown, "ifname", "master", "state") == ["right", "br0", "static"]


# --- refusals -------------------------------------------------------------------------------------

BRIDGE: Json = {"kind": "bridge"}


def veth(**peer: Any) -> Json:
    return {"kind": "veth", "data": {"peer": peer}}


def with_attribute(request: Request[Any, Any], number: int, payload: bytes) -> Request[Any, Any]:
    """Return the request with one more attribute, which the constructor would refuse."""
    body = bytes(request.message) + wire.attribute(number, payload)
    return Request(request.op, type(request.message).from_bytes(body))


Refusal = tuple[Callable[[int], Request[Any, Any]], int, str | None, str | None]

# A request (given the index of `left`), and the errno, message and path of the kernel's error.
REFUSALS: dict[str, Refusal] = {
    "link that exists": (
        lambda left: link.new(ifname="left", linkinfo=veth(ifname="other")),
        errno.EEXIST, None, None,
    ),
    "link of an unknown kind": (
        lambda left: link.new(ifname="new", linkinfo={"kind": "nosuch"}),
        errno.EOPNOTSUPP, "Unknown device type", None,
    ),
    "name too long": (
        lambda left: with_attribute(link.new(linkinfo=BRIDGE), 3, b"x" * 16),
        errno.ERANGE, "Attribute failed policy validation", "ifname",
    ),
    "alias too long": (
        lambda left: with_attribute(link.set(index=left, mtu=1400), 20, b"x" * 300),
        errno.ERANGE, "Attribute failed policy validation", "ifalias",
    ),
    "index of the peer": (
        lambda left: link.new(ifname="new", linkinfo=veth(mtu=1400, new_ifindex=0)),
        errno.ERANGE, "integer out of range", "linkinfo.data.peer.new_ifindex",
    ),
    "mtu too small": (
        lambda left: link.set(index=left, mtu=20),
        errno.EINVAL, "mtu less than device minimum", None,
    ),
    "mtu too large": (
        lambda left: link.set(index=left, mtu=200_000),
        errno.EINVAL, "mtu greater than device maximum", None,
    ),
    "too many queues": (
        lambda left: link.new(ifname="new", num_tx_queues=5000, linkinfo=BRIDGE),
        errno.EINVAL, "Invalid number of transmit queues", None,
    ),
    "no such link": (
        lambda left: link.delete(ifname="nothere"), errno.ENODEV, None, None,
    ),
    "address that exists": (
        lambda left: addr.new(
            family=AF.AF_INET, prefixlen=24, index=left, local="192.0.2.1"),
        errno.EEXIST, "ipv4: Address already assigned", None,
    ),
    "prefix length of an address": (
        lambda left: addr.new(family=AF.AF_INET, prefixlen=64, index=left, local="192.0.2.7"),
        errno.EINVAL, "ipv4: Invalid prefix length", None,
    ),
    "no such address": (
        lambda left: addr.delete(
            family=AF.AF_INET, prefixlen=24, index=left, local="192.0.2.7"),
        errno.EADDRNOTAVAIL, "ipv4: Address not found", None,
    ),
    "unreachable gateway": (
        lambda left: route.new(**V4, dst="10.0.0.0", dst_len=8, gateway="172.16.0.1"),
        errno.ENETUNREACH, "Nexthop has invalid gateway", None,
    ),
    "unreachable gateway of one hop": (
        lambda left: route.new(**V4, dst="10.0.0.0", dst_len=8, multipath=[
            {"ifindex": left, "gateway": "192.0.2.2"}, {"ifindex": left, "gateway": "172.16.0.1"},
        ]),
        errno.ENETUNREACH, "Nexthop has invalid gateway", None,
    ),
    "bits behind the prefix": (
        lambda left: route.new(**V4, dst="10.0.0.1", dst_len=8, gateway="192.0.2.2"),
        errno.EINVAL, "Invalid prefix for given prefix length", None,
    ),
    "source that is not ours": (
        lambda left: route.new(
            **V4, dst="10.0.0.0", dst_len=8, gateway="192.0.2.2", prefsrc="1.2.3.4"),
        errno.EINVAL, "Invalid prefsrc address", None,
    ),
    "congestion control": (
        lambda left: route.new(
            **V4, dst="10.0.0.0", dst_len=8, gateway="192.0.2.2", metrics={"cc_algo": "nosuch"}),
        errno.EINVAL, "Unknown tcp congestion algorithm", None,
    ),
    "no such route": (
        lambda left: route.delete(**V4, dst="10.0.0.0", dst_len=8), errno.ESRCH, None, None,
    ),
    "link-layer address of a neighbour": (
        lambda left: neigh.new(
            family=AF.AF_INET, ndm_ifindex=left, state=NUD.NUD_PERMANENT, dst="192.0.2.7",
            lladdr="02:03"),
        errno.EINVAL, "Invalid link address", None,
    ),
    "flags of a neighbour": (
        lambda left: neigh.new(
            family=AF.AF_INET, ndm_ifindex=left, state=NUD.NUD_PERMANENT, dst="192.0.2.7",
            lladdr="02:00:00:00:00:07", flags_ext=64),
        errno.EINVAL, "reserved bit set", "flags_ext",
    ),
}  # fmt: skip


# The longest texts that we write and the kernel accepts: a request, the size, and the attribute.
TEXTS: dict[str, tuple[Callable[[int, str | None], Request[Any, Any]], int, int]] = {
    "link.ifname": (
        lambda left, text: link.new(ifname=text, linkinfo=BRIDGE), IFNAMSIZ, 3,
    ),
    "link.ifalias": (
        lambda left, text: link.set(index=left, ifalias=text), IFALIASZ - 1, 20,
    ),
    "link.prop_list.alt_ifname": (
        lambda left, text: linkprop.new(
            index=left, prop_list={"alt_ifname": [text]} if text else None),
        ALTIFNAMSIZ, 53,
    ),
    "addr.label": (
        lambda left, text: addr.new(
            family=AF.AF_INET, prefixlen=24, index=left, local="192.0.2.9", label=text),
        IFNAMSIZ, 3,
    ),
    "rule.iifname": (
        lambda left, text: rule.new(
            family=AF.AF_INET, action=rule.FR_ACT.FR_ACT_TO_TBL, table=7, iifname=text),
        IFNAMSIZ, 3,
    ),
    "rule.oifname": (
        lambda left, text: rule.new(
            family=AF.AF_INET, action=rule.FR_ACT.FR_ACT_TO_TBL, table=7, oifname=text),
        IFNAMSIZ, 17,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_the_bound_of_a_text_is_the_kernels(nl: Connection, left: int, name: str) -> None:
    """The kernel accepts the longest text that we write, and refuses one more byte."""
    make_request, size, number = TEXTS[name]
    with pytest.raises(KernelError) as caught:
        nl.do(with_attribute(make_request(left, None), number, b"y" * size + b"\0"))
    assert caught.value.errno == errno.ERANGE
    assert caught.value.policy is not None
    bound = caught.value.policy.max_length
    assert bound == (size if name == "link.ifalias" else size - 1)  # bytes, not a string
    nl.do(make_request(left, "x" * (size - 1)))


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_refusal(nl: Connection, left: int, refusal: Refusal) -> None:
    make_request, code, words, path = refusal
    request = make_request(left)
    with pytest.raises(KernelError) as caught:
        nl.do(request)
    error = caught.value
    assert isinstance(error, OSError) and isinstance(error, NetlinkError)
    assert (error.errno, error.message, error.path) == (code, words, path)
    assert error.request is request
    assert (error.offset is None) is (path is None)
    name = "EOPNOTSUPP" if code == errno.EOPNOTSUPP else errno.errorcode[code]
    said = f"{words or os.strerror(code)} ({name})"
    if error.policy is not None:
        said += f", allowed {error.policy}"
    told = [request.name, *([path] if path else []), said]
    assert str(error) == ": ".join(told)
    # And nothing came of it.
    assert nl.do(link.get(index=left)) is not None


@pytest.mark.parametrize(
    ("data", "code", "words", "path"),
    [
        ({"id": 1 << 25}, errno.ERANGE, "VXLAN ID must be lower than 16777216", "id"),
        ({"id": 4, "df": 9}, errno.EINVAL, "Invalid DF attribute", "df"),
        ({"id": 4, "port_range": {"low": 9, "high": 3}}, errno.EINVAL,
         "Invalid source port range", "port_range"),
    ],
)  # fmt: skip
def test_refusal_deep_inside(nl: Connection, data: Json, code: int, words: str, path: str) -> None:
    with pytest.raises(KernelError) as caught:
        make(nl, link.new(ifname="vx0", linkinfo={"kind": "vxlan", "data": data}))
    error = caught.value
    assert (error.errno, error.message) == (code, words)
    assert error.path == f"linkinfo.data.{path}"
    assert str(error) == (f"link.new: linkinfo.data.{path}: {words} ({errno.errorcode[code]})")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (link.get(mtu=1400), "Unsupported attribute in link dump request"),
        (route.get(family=AF.AF_INET, gateway="192.0.2.2"),
         "Unsupported attribute in dump request"),
        (addr.get(family=AF.AF_INET, prefixlen=4),
         "ipv4: Invalid values in header for address dump request"),
    ],
)  # fmt: skip
def test_refusal_of_a_dump(nl: Connection, request_: Request[Any, Any], words: str) -> None:
    """With strict checking (NETLINK_GET_STRICT_CHK) the kernel refuses what it would ignore."""
    with pytest.raises(KernelError) as caught:
        list(nl.dump(request_))
    assert (caught.value.errno, caught.value.message) == (errno.EINVAL, words)


UNPRIVILEGED = """
import json, os, sys
from netlink import Connection, KernelError
from netlink.route import FAMILY, link

try:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
except OSError as error:
    sys.exit(f"cannot become nobody: {error}")
with Connection(FAMILY, timeout=5) as nl:
    told = [found.ifname for found in nl.dump(link.get())]
    try:
        nl.do(link.set(index=1, mtu=5000))
    except PermissionError as error:
        told += [isinstance(error, KernelError), error.errno, str(error)]
print(json.dumps(told))
"""


def test_unprivileged_write() -> None:
    run = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED], capture_output=True, text=True, timeout=20
    )
    if "cannot become nobody" in run.stderr:
        pytest.skip(run.stderr.strip())
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [
        "lo", True, errno.EPERM, "link.set: Operation not permitted (EPERM)",
    ]  # fmt: skip
