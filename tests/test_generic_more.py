"""macsec, l2tp, IPVS, team, thermal and dpll with bytes, and wrong calls of their plans.

tests/kernel/test_generic_more.py has the tests with a kernel.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from netlink import EncodeError, KernelError, Message
from netlink.family import Plan
from netlink.generic import dpll, ipvs, l2tp, macsec, team, thermal
from netlink.registry import load
from tests import owned, ynl_client
from tests.peers import PEERS
from tests.steps import Kernel
from tools import outside

from . import wire


def u32(number: int) -> bytes:
    return struct.pack("=I", number)


def body(*attributes: tuple[int, bytes]) -> bytes:
    return b"".join(wire.attribute(number, payload) for number, payload in attributes)


# --- IPVS -----------------------------------------------------------------------------------------


def test_ipvs_vector() -> None:
    """Fact: IPVS: one vector in shared/vectors (pyroute2, NEW_SERVICE)."""
    found = [record for record in PEERS if record["family"] == "genl/ipvs"]
    if not found:
        pytest.skip("NETLINK_VECTORS names no folder of records")
    data = bytes.fromhex(found[0]["hex"])
    assert data[16] == ipvs.IPVS_CMD.IPVS_CMD_NEW_SERVICE == found[0]["expect"]["header"]["cmd"]
    message = ipvs.Ipvs.from_bytes(data[20:])
    svc = message.service
    assert svc is not None and message.unknown == svc.unknown == ()
    assert (svc.af, svc.protocol, svc.port, svc.sched_name) == (2, 6, 4000, "wlc")
    assert ipvs.address_of(svc.af, svc.addr) == ip_address("192.168.1.128")
    assert svc.flags == ipvs.ip_vs_flags(flags=2, mask=0xFFFFFFFF)
    assert (svc.timeout, ipvs.netmask_of(svc)) == (0, 32)
    assert svc.stats is not None and svc.stats.conns == 0 and svc.stats64 is not None
    assert bytes(message) == data[20:]


def test_ipvs_plans() -> None:
    """Fact: SVC addr always 16 bytes (v4 first 4), port be16, protocol u16 host; netmask be32 for
    v4, prefix length (host order 128) for v6; GET_DEST dump needs SERVICE nest."""
    kernel = Kernel(None)
    kernel.do(ipvs.add_service("tcp", "192.0.2.1", 80, scheduler="rr", persistent=300))
    [asked] = kernel.steps
    assert bytes(asked.message) == wire.attribute(1 | 0x8000, body(
        (1, struct.pack("=H", 2)), (2, struct.pack("=H", 6)),
        (3, bytes([192, 0, 2, 1]) + bytes(12)), (4, b"\0\x50"), (6, b"rr\0"),
        (7, u32(1) + u32(0xFFFFFFFF)), (8, u32(300)), (9, b"\xff\xff\xff\xff"),
    ))  # fmt: skip
    kernel = Kernel(None)
    kernel.do(ipvs.add_service("udp", "2001:db8::1", 53))
    svc = kernel.steps[0].message.service
    assert (svc.af, svc.addr) == (10, ip_address("2001:db8::1").packed)
    assert wire.attribute(9, u32(128)) in bytes(svc) and ipvs.netmask_of(svc) == 128
    answer = ipvs.Ipvs(service=svc)
    [found] = Kernel([answer, ipvs.Ipvs()]).do(ipvs.services())
    assert found[:5] == (17, ip_address("2001:db8::1"), 53, None, "wlc")
    marked = ipvs.Ipvs(service={"af": 2, "fwmark": 7, "addr": bytes(16), "sched_name": "rr"})
    [found] = Kernel([marked]).do(ipvs.services())
    assert found[:5] == (None, None, None, 7, "rr")
    kernel = Kernel(None)
    kernel.do(ipvs.add_destination("tcp", "192.0.2.1", 80, server="10.0.0.1", server_port=8080,
                                   forward="tunnel", weight=0))  # fmt: skip
    dest = kernel.steps[0].message.dest
    assert (dest.fwd_method, dest.weight, dest.addr_family, dest.port) == (2, 0, 2, 8080)
    kernel = Kernel([ipvs.Ipvs(dest=dest), ipvs.Ipvs()])
    [server] = kernel.do(ipvs.destinations(6, "192.0.2.1", 80))
    assert server[:4] == (ip_address("10.0.0.1"), 8080, 2, 0)
    assert kernel.steps[0].message.service.port == 80
    for call in (
        ipvs.remove_destination("tcp", "192.0.2.1", 80, server="10.0.0.1", server_port=8080),
        ipvs.remove_service("tcp", "192.0.2.1", 80),
    ):
        kernel = Kernel(None)
        kernel.do(call)
        assert kernel.steps[0].message.service.protocol == 6
    assert ipvs.address_of(2, b"\1\2") is None and ipvs.address_of(None, None) is None


# --- macsec ---------------------------------------------------------------------------------------


def test_macsec_widths() -> None:
    """Fact: macsec: SCI u64 is big-endian bytes (MAC then be16 port: 02000000 00090005); PN u32 or
    u64 only for XPN ciphers (verified 8 bytes); TXSA_LIST 5 and RXSC_LIST 6 with indexes from 1."""
    sa = body((1, b"\0"), (2, b"\1"))
    four, eight = wire.attribute(3, u32(7)), wire.attribute(3, struct.pack("=Q", 1 << 33))
    sci = bytes.fromhex("0200000000090005")
    message = macsec.Macsec.from_bytes(
        wire.attribute(5, wire.attribute(1, sa + four) + wire.attribute(2, sa + eight))
        + wire.attribute(6, wire.attribute(1, wire.attribute(1, sci)))
    )
    assert [each.pn for each in message.txsa_list] == [7, 1 << 33]
    assert message.rxsc_list[0].sci == 0x0200000000090005
    assert wire.attribute(3, struct.pack("=Q", 7)) in bytes(macsec.SaXpn(pn=7))
    assert wire.attribute(3, u32(7)) in bytes(macsec.Sa(pn=7))
    assert wire.attribute(1, sci) in bytes(macsec.RxSc(sci=0x0200000000090005))
    assert Kernel([message]).do(macsec.devices()) == [message]
    for wrong in ({"an": 4}, {"active": 2}, {"key": bytes(33)}, {"keyid": b"short"}):
        with pytest.raises(EncodeError, match=next(iter(wrong))):
            bytes(macsec.Sa(**wrong))
    with pytest.raises(TypeError, match="did you mean 'sa_config'"):
        macsec.add_txsa(ifindex=1, sa_confg={})  # type: ignore[call-arg]


# --- l2tp -----------------------------------------------------------------------------------------


def test_l2tp() -> None:
    """Fact: l2tp: saddr/daddr be32 / 16 bytes (attr 24/25, 31/32), ports host order (8813 = 5000),
    cookie 4 or 8 bytes, recv timeout NLA_MSECS u64."""
    data = body(
        (24, bytes([192, 0, 2, 1])), (26, struct.pack("=H", 5000)), (15, b"abcd"),
        (31, ip_address("::1").packed), (22, struct.pack("=Q", 60)), (1, struct.pack("=H", 5)),
    )  # fmt: skip
    found = l2tp.L2tp.from_bytes(data)
    assert (found.ip_saddr, found.ip6_saddr) == (ip_address("192.0.2.1"), ip_address("::1"))
    assert (found.udp_sport, found.cookie, found.recv_timeout) == (5000, b"abcd", 60)
    assert found.pw_type == l2tp.L2TP_PWTYPE.L2TP_PWTYPE_ETH and bytes(found) == data
    assert Kernel([found]).do(l2tp.tunnels()) == [found] == Kernel([found]).do(l2tp.sessions())
    for name, wrong in (
        ("cookie", b"abc"), ("cookie", bytes(9)), ("ip_saddr", "::1"), ("ip6_saddr", "192.0.2.1"),
        ("udp_sport", 70000), ("udp_sport", "80"), ("pw_type", "ethernet"),
        ("ifname", "x" * 17),
    ):  # fmt: skip
        with pytest.raises((EncodeError, TypeError), match=name):
            bytes(l2tp.L2tp(**{name: wrong}))


# --- team -----------------------------------------------------------------------------------------


def option(name: str, kind: int, payload: bytes | None, *more: tuple[int, bytes]) -> bytes:
    data = [] if payload is None else [(4, payload)]
    return wire.attribute(1, body((1, name.encode() + b"\0"), (3, bytes([kind])), *data, *more))


OPTIONS = body((1, u32(5)), (2, (
    option("mode", 5, b"roundrobin\0")
    + option("notify_peers_count", 3, u32(3))
    + option("user_linkup_enabled", 6, None, (6, u32(2)))
    + option("user_linkup", 6, b"", (6, u32(2)))
    + option("priority", 14, struct.pack("=i", -5), (6, u32(2)))
    + option("bpf_hash_func", 11, b"\1\2\3", (7, u32(1)))
)))  # fmt: skip


def test_team_options() -> None:
    """Fact: team: LIST_OPTION items of type 1 repeated (verified all 1), TYPE u8 NLA_*: U32 3,
    STRING 5, BINARY 11, FLAG 6, S32 14 (0x0e); bool by DATA presence; PORT_IFINDEX, ARRAY_INDEX;
    reply split over messages with DONE without payload."""
    answer = team.Team.from_bytes(OPTIONS)
    found = Kernel([answer, answer]).do(team.options(5))
    assert len(found) == 12
    assert [(each.name, each.value, each.port, each.place) for each in found[:6]] == [
        ("mode", "roundrobin", None, None),
        ("notify_peers_count", 3, None, None),
        ("user_linkup_enabled", False, 2, None),
        ("user_linkup", True, 2, None),
        ("priority", -5, 2, None),
        ("bpf_hash_func", b"\1\2\3", None, 1),
    ]
    assert bytes(answer).replace(b"\x80", b"\0") == OPTIONS.replace(b"\x80", b"\0")
    ports = team.Team(list_port={"port": [{"ifindex": 2, "linkup": True, "duplex": 1}]})
    [port] = Kernel([ports, team.Team()]).do(team.ports(5))
    assert (port.ifindex, port.linkup, port.removed) == (2, True, False)


def test_set_a_team_option() -> None:
    """Fact: team: set by NAME + TYPE + DATA."""
    answer = team.Team.from_bytes(OPTIONS)
    for name, value, port, payload in (
        ("mode", "activebackup", None, b"activebackup\0"),
        ("notify_peers_count", 4, None, u32(4)),
        ("user_linkup", True, 2, b""),
        ("user_linkup", False, 2, None),
        ("priority", -1, 2, b"\xff\xff\xff\xff"),
    ):
        kernel = Kernel([answer], None)
        kernel.do(team.set_option(5, name, value, port=port))
        [changed] = kernel.steps[-1].message.list_option.option
        numbers = [number for _, number, _ in changed.attributes()]
        assert (4 in numbers) is (payload is not None) and changed.port_ifindex == port
        assert payload is None or wire.attribute(4, payload) in bytes(changed)
    with pytest.raises(KernelError, match="there is no option 'mod'; there are: bpf_hash_func"):
        Kernel([answer], None).do(team.set_option(5, "mod", "x"))
    with pytest.raises(KernelError, match="there is no option 'priority'"):
        Kernel([answer], None).do(team.set_option(5, "priority", 1))  # an option of a port
    wrong: Any
    for name, wrong, port in (
        ("mode", 5, None), ("notify_peers_count", "4", None), ("notify_peers_count", True, None),
        ("user_linkup", 1, 2), ("user_linkup", "no", 2), ("priority", 1.0, 2), ("priority", b"", 2),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"team\.set_option\.value"):
            Kernel([answer], None).do(team.set_option(5, name, wrong, port=port))
    for wrong in (-1, 1 << 32):
        with pytest.raises(EncodeError, match="data"):
            Kernel([answer], None).do(team.set_option(5, "notify_peers_count", wrong))


def test_team_as_the_loader_reads_it() -> None:
    """Fact: team: option data binary, type u8 without enum; list-option `nest` whose items
    (ITEM_OPTION, type 1) repeat but no multi-attr."""
    specs = outside.specs()
    if specs is None:
        pytest.skip("NETLINK_SPECS names no folder of specs")
    loaded = ynl_client.family(specs / "team.yaml")
    theirs = loaded.message.Team.from_bytes(OPTIONS)
    ours = team.Team.from_bytes(OPTIONS)
    found = [*owned.compare(ours, theirs)]
    explained = re.compile(r"list_option\.option(\[\d\]\.data)?: ")
    assert [text for text in found if not explained.match(text)] == []


# --- thermal --------------------------------------------------------------------------------------


def test_thermal_lists() -> None:
    """Fact: thermal: lists are flat repeats: TZ nest = (ID, NAME)*, TRIP nest = (ID, TYPE, TEMP,
    HYST)* in order; temperatures u32 in milli-degree but signed."""
    zones = thermal.Thermal.from_bytes(wire.attribute(
        1, body((2, u32(0)), (10, b"acpitz\0"), (2, u32(1)), (10, b"x86_pkg_temp\0"))))  # fmt: skip
    assert Kernel([zones, thermal.Thermal()]).do(thermal.zones()) == {
        0: "acpitz", 1: "x86_pkg_temp"
    }  # fmt: skip
    below = struct.pack("=i", -274000)
    trips = thermal.Thermal.from_bytes(wire.attribute(4, body(
        (5, u32(0)), (6, u32(3)), (7, u32(105000)), (8, u32(0)),
        (5, u32(1)), (6, u32(1)), (7, below), (8, u32(2000)),
    )))  # fmt: skip
    first, second = Kernel(trips).do(thermal.trips(0))
    assert first == (0, thermal.THERMAL_TRIP.THERMAL_TRIP_CRITICAL, 105000, 0)
    assert second == (1, thermal.THERMAL_TRIP.THERMAL_TRIP_PASSIVE, -274000, 2000)
    assert Kernel(thermal.Thermal()).do(thermal.trips(0)) == []
    assert Kernel(thermal.Thermal.from_bytes(body((3, below)))).do(thermal.temperature(0)) == (
        -274000
    )
    cooling = thermal.Thermal.from_bytes(wire.attribute(
        14, body((15, u32(0)), (18, b"Processor\0"), (15, u32(1)), (18, b"Fan\0"))))  # fmt: skip
    assert Kernel([cooling]).do(thermal.cooling_devices()) == {0: "Processor", 1: "Fan"}
    cut = thermal.Thermal.from_bytes(wire.attribute(1, body((2, u32(0)))))
    assert Kernel([cut]).do(thermal.zones()) == {}


# --- dpll -----------------------------------------------------------------------------------------

DPLL_DEVICE = body(
    (1, u32(3)), (2, b"ice\0"), (4, struct.pack("=Q", 0x08000927FFFE1234)), (5, u32(2)),
    (7, u32(1)), (8, struct.pack("=i", -5000)), (9, u32(1)),
)  # fmt: skip
DPLL_PIN = body(
    (1, u32(9)), (2, u32(3)), (3, b"ice\0"), (9, u32(2)), (11, struct.pack("=Q", 10_000_000)),
)  # fmt: skip


def test_dpll() -> None:
    """Fact: dpll: ids u32, clock-id u64 big number, frequency u64, phase s32/s64 sint, nests
    parent-device repeated."""
    device = dpll.Dpll.from_bytes(DPLL_DEVICE)
    assert (device.id, device.module_name, device.clock_id) == (3, "ice", 0x08000927FFFE1234)
    assert device.temp == -5000
    assert Kernel([device]).do(dpll.devices()) == [device]
    pin = dpll.Pin(
        id=9,
        frequency=10_000_000,
        phase_adjust=-20,
        parent_device=[
            {"parent_id": 1, "phase_offset": -(1 << 40)},
            {"parent_id": 2, "phase_offset": 5},
        ],
    )
    again = dpll.Pin.from_bytes(bytes(pin))
    assert [each.phase_offset for each in again.parent_device] == [-(1 << 40), 5]
    assert again.phase_adjust == -20 and again.same_as(pin)
    assert Kernel([pin]).do(dpll.pins()) == [pin]


@pytest.mark.parametrize(
    "name, data", [("Dpll", DPLL_DEVICE), ("Pin", DPLL_PIN)], ids=["device", "pin"]
)
def test_dpll_as_the_loader_reads_it(name: str, data: bytes) -> None:
    """Fact: dpll: spec-based tests only; netdevsim has none."""
    specs = outside.specs()
    if specs is None:
        pytest.skip("NETLINK_SPECS names no folder of specs")
    loaded = ynl_client.family(specs / "dpll.yaml")
    ours: Message = getattr(dpll, name).from_bytes(data)
    theirs = getattr(loaded.message, name).from_bytes(data)
    assert [*owned.compare(ours, theirs)] == []


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["macsec", "l2tp", "team", "thermal", "dpll"])
def test_every_command_has_a_class(name: str) -> None:
    family = load(name)
    assert family.reply_types is not None
    for number in family.reply_types:
        if number or name == "macsec":
            assert issubclass(family.classes[number], Message)


CALLS: tuple[tuple[str, Callable[[Any], Plan[Any]], tuple[Any, ...]], ...] = (
    ("ipvs.add_service.proto", lambda x: ipvs.add_service(x, "192.0.2.1", 80),
     ("tpc", -1, 1 << 16, 1.5)),
    ("ipvs.add_service.address", lambda x: ipvs.add_service("tcp", x, 80), ("192.0.2", 5, b"", "")),
    ("ipvs.add_service.port", lambda x: ipvs.add_service("tcp", "192.0.2.1", x),
     (-1, 65536, "80", True, 1.5)),
    ("ipvs.add_service", lambda x: ipvs.add_service("tcp", x, 80), (None,)),
    ("ipvs.add_service", lambda x: ipvs.add_service("tcp", "192.0.2.1", x), (None,)),
    ("ipvs.add_service.scheduler",
     lambda x: ipvs.add_service("tcp", "192.0.2.1", 80, scheduler=x), (None, 5, "x" * 17)),
    ("ipvs.add_service.persistent",
     lambda x: ipvs.add_service("tcp", "192.0.2.1", 80, persistent=x), (0, -1, True, "5")),
    ("ipvs.destinations", lambda x: ipvs.destinations(x, "192.0.2.1", 80), (None, "tpc")),
    ("ipvs.remove_service", lambda x: ipvs.remove_service(x, "192.0.2.1", 80), (None, "tpc")),
    *((f"ipvs.add_destination.{name}", lambda x, name=name: ipvs.add_destination(
        "tcp", "192.0.2.1", 80, **{"server": "10.0.0.1", "server_port": 80, name: x}), values)
      for name, values in (
        ("server", ("10.0.0", 5)), ("server_port", (-1, 65536, "80")),
        ("forward", ("mask", -1, 1.5)), ("weight", (-1, "1", True)))),
    ("ipvs.remove_destination", lambda x: ipvs.remove_destination(
        "tcp", "192.0.2.1", 80, server=x, server_port=80), (None, "10.0.0")),
    ("team.options.dev", team.options, (None, 1.5, "", b"team0", True)),
    ("team.ports.dev", team.ports, (None, 1.5, "")),
    ("team.set_option.dev", lambda x: team.set_option(x, "mode", "x"), (None, 1.5, "")),
    ("team.set_option", lambda x: team.set_option(5, x, "x"), (None, 5, "")),
    ("team.set_option", lambda x: team.set_option(5, "mode", x), (None,)),
    ("team.set_option.port", lambda x: team.set_option(5, "mode", "x", port=x), (1.5, "", b"d0")),
    ("thermal.temperature.zone", thermal.temperature, (None, -1, "0", True, 1.5)),
    ("thermal.trips.zone", thermal.trips, (None, -1, "acpitz", 1 << 32)),
)  # fmt: skip


@pytest.mark.parametrize(
    "name, call, values", CALLS, ids=[f"{each[0]}-{place}" for place, each in enumerate(CALLS)]
)
def test_wrong_values(name: str, call: Callable[[Any], Plan[Any]], values: tuple[Any, ...]) -> None:
    for value in values:
        with pytest.raises((TypeError, ValueError), match=re.escape(name)):
            pytest.fail(f"{value!r} gives {next(call(value).steps())!r}", pytrace=False)


def test_misspelt() -> None:
    with pytest.raises(TypeError, match="did you mean 'server_port'"):
        ipvs.add_destination("tcp", "::1", 80, server="::1", server_prot=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="did you mean 'scheduler'"):
        ipvs.add_service("tcp", "::1", 80, schedular="rr")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="did you mean 'port'"):
        team.set_option("team0", "enabled", True, prot=1)  # type: ignore[call-arg]
