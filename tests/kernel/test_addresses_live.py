"""The kernel agrees with the declared width of every address attribute that it can be given.

Each case is a request with one address. The kernel takes it as we write it, and refuses it one byte
shorter. Most attributes may be longer than the kernel reads: it cuts them, which is why writing
checks their width. Link-layer addresses of tunnels are here too.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, KernelError, iter_attributes
from netlink.family import Request
from netlink.route import addr, addrlabel, link, neigh, nexthop, route, rule
from netlink.route.afspec import AfSpec
from netlink.route.encap import ENCAPS, LWTUNNEL_ENCAP
from netlink.route.link import ARPHRD
from netlink.route.link.kinds import KINDS
from netlink.route.neigh import NUD
from netlink.route.tc import filter
from netlink.route.tc.cls import Flower
from tests import wire
from tests.kernel.scene import LACKS, make, shown

V4, V6 = "192.0.2.77", "2001:db8::77"
Make = Callable[[int, str], Request[Any, Any]]


def address_fields(cls: Any) -> dict[str, Any]:
    """Yield the fields of a class that are addresses, or arrays of addresses, of one width."""
    return {
        name: field
        for name, field in cls.__table__.names.items()
        if (field.element or field).kind_name == "address" and (field.element or field).size
    }


def of_width(field: Any) -> Any:
    """Return an address for a field."""
    address = V4 if (field.element or field).size == 4 else V6
    return address if field.element is None else [address]


# Other attributes that the kernel requires to make a link of a kind.
NEEDED: dict[str, dict[str, Any]] = {
    "vxlan": {"id": 5, "port": 4789},
    "geneve": {"id": 5},
    "erspan": {"iflags": "key|seq", "oflags": "key|seq", "ikey": 5, "okey": 5},
    "ip6erspan": {"iflags": "key|seq", "oflags": "key|seq", "ikey": 5, "okey": 5},
    "gtp": {"create_sockets": 1},
    "bond": {"mode": "activebackup", "arp_interval": 100},
    "sit": {"local": V4, "ip6rd_prefixlen": 32, "ip6rd_relay_prefixlen": 8},
}
UNTRIED = {
    "amt": "it takes a link below and more",
    "geneve.local": "after Linux 6.18",
    "geneve.local6": "after Linux 6.18",
}
TRACE = {"namespace_id": 1, "nodelen": 1 << 3, "remlen": 1, "type": 0x80000000, "data": bytes(4)}
ENCAPSULATIONS: dict[str, dict[str, Any]] = {
    "ip": {"id": 7},
    "ip6": {"id": 7},
    "ioam6": {"mode": "encap", "dst": V6, "trace": TRACE, "freq_k": 1, "freq_n": 1},
}
# Addresses of the fixture `left`, and prefixes without host bits.
CHOSEN = {
    "gtp.local": "192.0.2.1",
    "gtp.local6": "2001:db8::1",
    "sit.ip6rd_prefix": "2001:db8::",
    "sit.ip6rd_relay_prefix": "192.0.0.0",
}
ETHERTYPES = {"ipv4": 0x0800, "ipv6": 0x86DD, "arp": 0x0806}


def of_link(kind: str, name: str) -> Make:
    return lambda left, value: link.new(
        ifname="t0", linkinfo={"kind": kind, "data": {**NEEDED.get(kind, {}), name: value}}
    )


def of_encap(kind: str, name: str, more: dict[str, Any]) -> Make:
    return lambda left, value: route.new(
        **V6_ROUTE, dst="2001:db8:7::", oif=left, encap_type=kind, encap={**more, name: value}
    )


def of_flower(name: str) -> Make:
    protocol = next(ETHERTYPES[word] for word in ETHERTYPES if word in name)
    return lambda left, value: filter.new(
        ifindex=left, parent=0xFFFFFFF2, info=socket.htons(protocol), kind="flower",
        options={"key_eth_type": protocol, name: value},
    )  # fmt: skip


V4_ROUTE = {
    "family": "inet", "dst_len": 24, "type": "unicast", "protocol": "boot", "table": "main",
}  # fmt: skip
V6_ROUTE = {**V4_ROUTE, "family": "inet6", "dst_len": 64}

CASES: dict[str, tuple[Make, list[str], Any]] = {}  # a request, the path to the address, its value
for kind, cls in KINDS.items():
    for name, field in address_fields(cls).items():
        if kind not in UNTRIED and f"{kind}.{name}" not in UNTRIED:
            path = ["linkinfo", "data", name]
            value = CHOSEN.get(f"{kind}.{name}", of_width(field))
            CASES[f"link {kind}.{name}"] = of_link(kind, name), path, value
for kind, more in ENCAPSULATIONS.items():
    for name, field in address_fields(
        ENCAPS[LWTUNNEL_ENCAP[f"LWTUNNEL_ENCAP_{kind.upper()}"]]
    ).items():
        CASES[f"encap {kind}.{name}"] = of_encap(kind, name, more), ["encap", name], of_width(field)
for name, action, value in (("nh4", "end_dx4", V4), ("nh6", "end_dx6", V6)):
    of = of_encap("seg6_local", name, {"action": action})
    CASES[f"encap seg6_local.{name}"] = of, ["encap", name], value
for name, field in address_fields(Flower).items():
    CASES[f"flower {name}"] = of_flower(name), ["options", name], of_width(field)
CASES |= {
    "addr.local": (
        lambda left, a: addr.new(family="inet", prefixlen=24, index=left, local=a), ["local"], V4),
    "addr.local of IPv6": (
        lambda left, a: addr.new(family="inet6", prefixlen=64, index=left, local=a), ["local"], V6),
    "addr.address of IPv6": (
        lambda left, a: addr.new(family="inet6", prefixlen=64, index=left, address=a),
        ["address"], V6),
    "addr.broadcast": (
        lambda left, a: addr.new(
            family="inet", prefixlen=24, index=left, local=V4, broadcast=a), ["broadcast"], V4),
    "route.dst": (
        lambda left, a: route.new(**V4_ROUTE, oif=left, dst=a), ["dst"], "10.9.0.0"),
    "route.dst of IPv6": (
        lambda left, a: route.new(**{**V6_ROUTE, "dst_len": 128}, oif=left, dst=a), ["dst"], V6),
    "route.gateway": (
        lambda left, a: route.new(**V4_ROUTE, dst="10.9.0.0", oif=left, gateway=a),
        ["gateway"], "192.0.2.9"),
    "route.gateway of IPv6": (
        lambda left, a: route.new(**V6_ROUTE, dst="2001:db8:9::", oif=left, gateway=a),
        ["gateway"], "2001:db8::9"),
    "route.prefsrc": (
        lambda left, a: route.new(**V4_ROUTE, dst="10.9.0.0", oif=left, prefsrc=a),
        ["prefsrc"], "192.0.2.1"),
    "route.prefsrc of IPv6": (
        lambda left, a: route.new(**V6_ROUTE, dst="2001:db8:9::", oif=left, prefsrc=a),
        ["prefsrc"], "2001:db8::1"),
    "route.multipath.gateway": (
        lambda left, a: route.new(
            **V4_ROUTE, dst="10.9.0.0", multipath=[{"ifindex": left, "gateway": a}]),
        ["multipath", "gateway"], "192.0.2.9"),
    "route.multipath.gateway of IPv6": (
        lambda left, a: route.new(
            **V6_ROUTE, dst="2001:db8:9::", multipath=[{"ifindex": left, "gateway": a}]),
        ["multipath", "gateway"], "2001:db8::9"),
    "rule.src": (
        lambda left, a: rule.new(family="inet", action="to_tbl", table=7, src_len=32, src=a),
        ["src"], V4),
    "rule.dst of IPv6": (
        lambda left, a: rule.new(family="inet6", action="to_tbl", table=7, dst_len=128, dst=a),
        ["dst"], V6),
    "neigh.dst": (
        lambda left, a: neigh.new(
            family="inet", ndm_ifindex=left, state=NUD.NUD_PERMANENT, dst=a,
            lladdr="02:00:00:00:00:07"), ["dst"], V4),
    "neigh.dst of IPv6": (
        lambda left, a: neigh.new(
            family="inet6", ndm_ifindex=left, state="permanent", dst=a,
            lladdr="02:00:00:00:00:07"), ["dst"], V6),
    "nexthop.gateway": (
        lambda left, a: nexthop.new(family="inet", id=5, oif=left, gateway=a),
        ["gateway"], "192.0.2.9"),
    "nexthop.gateway of IPv6": (
        lambda left, a: nexthop.new(family="inet6", id=5, oif=left, gateway=a),
        ["gateway"], "2001:db8::9"),
    "addrlabel.address": (
        lambda left, a: addrlabel.new(family="inet6", prefixlen=128, label=7, address=a),
        ["address"], V6),
    "link.af_spec.inet6.token": (
        lambda left, a: link.set(index=left, af_spec={"inet6": {"token": a}}),
        ["af_spec", "inet6", "token"], "::7"),
}  # fmt: skip


def resized(message: Any, path: list[str], change: Callable[[bytes], bytes]) -> bytes:
    """Return the body of a message in which the attribute at a path has another payload."""
    name, *rest = path
    field = type(message).__table__.names[name]
    body = bytes(message)
    start = min((offset - 4 for _, offset, _ in message._walk()), default=len(body))
    made = body[:start]
    for kind, offset, length in message._walk():
        payload = body[offset : offset + length]
        if kind & 0x3FFF == field.number:
            if rest:
                ((_, child),) = message._below(kind, offset, length)
                inner = resized(child, rest, change)
                if field.kind_name == "records":
                    inner = len(inner).to_bytes(2, "little") + inner[2:]
                payload = inner
            elif field.element is not None:
                ((number, element),) = ((a.type, a.payload) for a in iter_attributes(payload))
                payload = wire.attribute(number, change(bytes(element)))
            else:
                payload = change(payload)
        made += wire.attribute(kind, payload)
    return made


@pytest.mark.parametrize(("make_request", "path", "value"), CASES.values(), ids=CASES)
def test_the_width_of_an_address_is_the_kernels(
    nl: Connection, left: int, make_request: Make, path: list[str], value: Any
) -> None:
    if "options" in path:
        make("qdisc add dev left clsact", "tc")
    if "token" in path:
        Path("/proc/sys/net/ipv6/conf/left/router_solicitations").write_text("1")
    request = make_request(left, value)
    message = type(request.message).from_bytes(
        resized(request.message, path, lambda payload: payload[:-1])
    )
    with pytest.raises(KernelError) as caught:
        nl.do(Request(request.op, message))
    if any(lack in f"{caught.value} {caught.value.message}" for lack in (*LACKS, "not found")):
        pytest.skip(f"the kernel lacks it: {caught.value}")
    assert caught.value.errno in (errno.EINVAL, errno.ERANGE)
    nl.do(request)


# --- link-layer addresses of tunnels --------------------------------------------------------------

TUNNELS = {
    "gre": ({"local": "127.0.0.1"}, ARPHRD.ARPHRD_IPGRE),
    "ipip": ({"local": "192.0.2.1", "remote": "192.0.2.2"}, ARPHRD.ARPHRD_TUNNEL),
    "sit": ({"local": "192.0.2.1"}, ARPHRD.ARPHRD_SIT),
    "vti": ({"local": "192.0.2.1", "remote": "192.0.2.2"}, ARPHRD.ARPHRD_TUNNEL),
    "ip6gre": ({"local": "2001:db8::1"}, ARPHRD.ARPHRD_IP6GRE),
    "ip6tnl": ({"local": "2001:db8::1", "remote": "2001:db8::2"}, ARPHRD.ARPHRD_TUNNEL6),
    "vti6": ({"local": "2001:db8::1", "remote": "2001:db8::2"}, ARPHRD.ARPHRD_TUNNEL6),
}


@pytest.mark.parametrize("kind", TUNNELS)
def test_a_tunnels_own_address_reads_as_ip_shows_it(nl: Connection, left: int, kind: str) -> None:
    data, arphrd = TUNNELS[kind]
    make(f"link add t0 type {kind} " + " ".join(f"{word} {data[word]}" for word in data))
    (row,) = shown("-d link show dev t0")
    found = nl.do(link.get(ifname="t0"))
    assert found.type == arphrd
    assert str(found.address) == row["address"] == data["local"]
    assert str(found.broadcast) == row["broadcast"]
    assert isinstance(found.address, IPv4Address | IPv6Address)
    if "permaddr" in row:
        assert str(found.perm_address) == row["permaddr"]


def test_a_neighbour_behind_a_tunnel(nl: Connection, left: int) -> None:
    make("""
        link add t0 type gre local 192.0.2.1 ttl 9 key 5
        addr add 10.0.0.1/24 dev t0
        link set t0 up
    """)
    nl.do(neigh.add("10.0.0.9", "t0", lladdr="198.51.100.1"))
    (row,) = shown("neigh show dev t0 10.0.0.9")
    assert row["lladdr"] == "198.51.100.1"
    (found,) = (n for n in nl.dump(neigh.get(family="inet")) if str(n.dst) == "10.0.0.9")
    assert found.lladdr == IPv4Address("198.51.100.1")


# --- what the kernel would cut, or ignore ---------------------------------------------------------


def test_the_kernel_cuts_what_writing_refuses(nl: Connection, left: int) -> None:
    """Why widths are checked: the kernel cuts an IPv6 group of a VXLAN to an IPv4 address."""
    request = link.new(
        ifname="t0", linkinfo={"kind": "vxlan", "data": {"id": 44, "group": V4, "port": 4790}}
    )
    wrong = resized(request.message, ["linkinfo", "data", "group"], lambda _: bytes(range(1, 17)))
    nl.do(Request(request.op, type(request.message).from_bytes(wrong)))
    (row,) = shown("-d link show dev t0")
    assert row["linkinfo"]["info_data"]["remote"] == "1.2.3.4"


def test_ipv4_sysctls_are_set_by_name(nl: Connection, left: int) -> None:
    """IFLA_INET_CONF has one layout in requests and another one in the kernel's messages."""
    assert Path("/proc/sys/net/ipv4/conf/left/forwarding").read_text() == "0\n"
    nl.do(link.change("left", af_spec={"inet": {"conf": {"forwarding": 1, "medium_id": -1}}}))
    assert Path("/proc/sys/net/ipv4/conf/left/forwarding").read_text() == "1\n"
    assert Path("/proc/sys/net/ipv4/conf/left/medium_id").read_text() == "-1\n"
    found = nl.do(link.get(index=left))
    assert isinstance(found.af_spec, AfSpec)
    assert found.af_spec.inet and found.af_spec.inet.conf
    assert (found.af_spec.inet.conf.forwarding, found.af_spec.inet.conf.medium_id) == (1, -1)
    with pytest.raises(TypeError, match="Inet6Set has no field 'conf'"):
        link.set(index=left, af_spec={"inet6": {"conf": {"forwarding": 1}}})


def test_an_alias_of_255_bytes(nl: Connection, left: int) -> None:
    alias = "ä" + "x" * 253
    nl.do(link.set(index=left, ifalias=alias))
    assert nl.do(link.get(index=left)).ifalias == alias
    (row,) = shown("link show dev left")
    assert row["ifalias"] == alias
    nl.do(link.set(index=left, ifalias=""))
    assert nl.do(link.get(index=left)).ifalias is None
