"""macsec, l2tp, IPVS, team, thermal and dpll on a live kernel, next to `ip`, `ipvsadm` and sysfs.

Most of them need modules that a virtual machine has.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, Family, KernelError, KernelWarning, Message, Pid
from netlink.generic import dpll, ipvs, l2tp, macsec, nlctrl, team, thermal
from netlink.route import FAMILY as ROUTE
from netlink.route import link
from tests.kernel.scene import make


def open_family(family: Family) -> Iterator[Connection]:
    """Yield a connection to a family, or skip the test if the kernel lacks it."""
    with Connection(family, nlctrl.FAMILY, timeout=30) as nl:
        try:
            nl.do(nlctrl.find_family(family.name))
        except KernelError:
            pytest.skip(f"the kernel lacks {family.name}")
        yield nl


def has_link(kind: str) -> None:
    """Make a link, or skip the test if the kernel lacks its kind."""
    with Connection(ROUTE) as route:
        try:
            route.do(link.add(f"{kind}0", kind))
        except KernelError as error:
            pytest.skip(f"the kernel lacks links of kind {kind}: {error}")


def shown(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


# --- macsec ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", ["gcm-aes-128", "gcm-aes-xpn-128"])
def test_macsec(cipher: str) -> None:
    """Fact: TXSA_LIST 5 and RXSC_LIST 6 with indexes from 1; SCI u64 is big-endian bytes (MAC then
    be16 port); PN u32 or u64 only for XPN ciphers, kernel checks pn_len; keys are write-only."""
    make("link add d0 address 02:00:00:00:00:00 type dummy")
    try:
        make(f"link add link d0 macsec0 type macsec port 5 cipher {cipher} encrypt on")
    except AssertionError:
        pytest.skip("the kernel lacks macsec")
    with Connection(macsec.FAMILY, timeout=30) as nl:
        index = socket.if_nametoindex("macsec0")
        is_xpn = "xpn" in cipher
        sa: dict[str, Any] = {"an": 0, "pn": 7, "active": 1, "key": bytes(16), "keyid": b"k" * 16}
        if is_xpn:
            sa |= {"ssci": 5, "salt": bytes(12), "pn": 1 << 33 | 7}  # ip 6.1 prints 32 bits
        nl.do(macsec.add_txsa(ifindex=index, sa_config=macsec.SaXpn(**sa) if is_xpn else sa))
        sci = 0x020000000009 << 16 | 5
        nl.do(macsec.add_rxsc(ifindex=index, rxsc_config={"sci": sci, "active": 1}))
        rx = {**sa, "an": 1}
        nl.do(macsec.add_rxsa(
            ifindex=index, rxsc_config={"sci": sci},
            sa_config=macsec.SaXpn(**rx) if is_xpn else rx,
        ))  # fmt: skip
        [device] = nl.do(macsec.devices())
        assert device.ifindex == index and device.secy is not None
        assert device.secy.sci == 0x020000000000 << 16 | 5
        assert device.secy.encrypt == 1
        [tx] = device.txsa_list
        assert (tx.an, tx.pn, tx.keyid, tx.key) == (0, sa["pn"], b"k" * 16, None)
        [channel] = device.rxsc_list
        assert channel.sci == sci and channel.sa_list[0].an == 1
        text = shown("ip", "macsec", "show")
        assert f"TXSC: {device.secy.sci:016x}" in text
        assert f"RXSC: {sci:016x}" in text and f"PN {sa['pn'] & 0xFFFFFFFF}" in text
        if is_xpn:
            assert tx.ssci == 5 and "SSCI 00000005" in text
            with pytest.raises(KernelError):
                nl.do(macsec.add_txsa(ifindex=index, sa_config={**sa, "an": 2, "pn": 3}))
        with pytest.raises(KernelError, match="add_txsa"):
            nl.do(macsec.add_txsa(ifindex=index, sa_config={"an": 0, "pn": 1}))
        with pytest.raises(KernelError, match="EBUSY"):
            nl.do(macsec.del_txsa(ifindex=index, sa_config={"an": 0}))
        nl.do(macsec.upd_txsa(ifindex=index, sa_config={"an": 0, "active": 0}))
        nl.do(macsec.del_txsa(ifindex=index, sa_config={"an": 0}))
        assert nl.do(macsec.devices())[0].txsa_list == ()
        with pytest.raises(KernelError, match="EOPNOTSUPP"):
            nl.do(macsec.get_txsc())  # it can only be dumped


# --- l2tp -----------------------------------------------------------------------------------------


@pytest.fixture
def tunnels() -> Iterator[Connection]:
    yield from open_family(l2tp.FAMILY)


def test_l2tp(tunnels: Connection) -> None:
    """Fact: saddr/daddr be32, ports host order (8813 = 5000), cookie 4 or 8 bytes; group `l2tp`
    notifies."""
    make("""
        link add d0 type dummy
        link set d0 up
        addr add 192.0.2.1/24 dev d0
        addr add 2001:db8::1/64 dev d0 nodad
    """)
    with Connection(l2tp.FAMILY, timeout=30) as listener:
        listener.join("l2tp")
        tunnels.do(l2tp.tunnel_create(
            conn_id=1, peer_conn_id=2, proto_version=3, encap_type="udp", ip_saddr="192.0.2.1",
            ip_daddr="192.0.2.2", udp_sport=5000, udp_dport=6000,
        ))  # fmt: skip
        tunnels.do(l2tp.tunnel_create(
            conn_id=3, peer_conn_id=4, proto_version=3, encap_type="udp", ip6_saddr="2001:db8::1",
            ip6_daddr="2001:db8::2", udp_sport=5001, udp_dport=6001,
        ))  # fmt: skip
        tunnels.do(l2tp.session_create(
            conn_id=1, session_id=10, peer_session_id=20, pw_type="eth", ifname="l2eth0",
            cookie=b"abcd",
        ))  # fmt: skip
        events = [*listener.events(timeout=2)]
    names = [each.nlmsg_name for each in events if isinstance(each, Message)]
    assert names == ["L2TP_CMD_TUNNEL_CREATE"] * 2 + ["L2TP_CMD_SESSION_CREATE"]
    found = {each.conn_id: each for each in tunnels.do(l2tp.tunnels())}
    assert (found[1].udp_sport, found[1].udp_dport) == (5000, 6000)
    assert str(found[1].ip_saddr) == "192.0.2.1" and str(found[3].ip6_daddr) == "2001:db8::2"
    assert found[1].stats is not None and found[1].stats.tx_packets == 0
    text = shown("ip", "l2tp", "show", "tunnel")
    assert "UDP source / dest ports: 5000/6000" in text and "From 192.0.2.1 to 192.0.2.2" in text
    [session] = tunnels.do(l2tp.sessions())
    assert (session.session_id, session.ifname, session.cookie) == (10, "l2eth0", b"abcd")
    assert session.peer_session_id == 20
    assert "cookie 61626364" in shown("ip", "l2tp", "show", "session")
    one = tunnels.do(l2tp.tunnel_get(conn_id=1))
    assert one.same_as(found[1])
    tunnels.do(l2tp.session_delete(conn_id=1, session_id=10))
    end = time.monotonic() + 30  # a work queue of the kernel removes it
    while tunnels.do(l2tp.sessions()):
        assert time.monotonic() < end
        time.sleep(0.05)
    with pytest.raises(KernelError):
        tunnels.do(l2tp.tunnel_get(conn_id=99))


# --- IPVS -----------------------------------------------------------------------------------------


@pytest.fixture
def balancer() -> Iterator[Connection]:
    yield from open_family(ipvs.FAMILY)


def test_ipvs(balancer: Connection) -> None:
    """Fact: SVC addr always 16 bytes (v4 first 4), port be16; netmask be32 for v4, prefix length
    (host order 128) for v6; GET_DEST dump needs SERVICE nest; GET_CONFIG do -> cmd 12."""
    nl = balancer
    nl.do(ipvs.add_service("tcp", "192.0.2.1", 80, scheduler="rr", persistent=300))
    nl.do(ipvs.add_service("udp", "2001:db8::1", 53, scheduler="wlc"))
    nl.do(ipvs.add_destination("tcp", "192.0.2.1", 80, server="10.0.0.1", server_port=8080,
                               weight=3))  # fmt: skip
    nl.do(ipvs.add_destination("udp", "2001:db8::1", 53, server="2001:db8::9", server_port=53,
                               forward="droute"))  # fmt: skip
    found = {str(each.address): each for each in nl.do(ipvs.services())}
    four, six = found["192.0.2.1"], found["2001:db8::1"]
    assert (four.protocol, four.port, four.scheduler) == (6, 80, "rr")
    assert (six.protocol, six.port, six.scheduler) == (17, 53, "wlc")
    assert four.svc.timeout == 300 and four.svc.flags is not None
    assert "PERSISTENT" in str(four.svc.flags.flags)
    assert ipvs.netmask_of(four.svc) == 32 and ipvs.netmask_of(six.svc) == 128
    assert four.svc.stats64 is not None and four.svc.stats64.conns == 0
    [server] = nl.do(ipvs.destinations("tcp", "192.0.2.1", 80))
    assert (str(server.address), server.port, server.weight) == ("10.0.0.1", 8080, 3)
    [server] = nl.do(ipvs.destinations("udp", "2001:db8::1", 53))
    assert (str(server.address), str(server.forward)) == ("2001:db8::9", "IP_VS_CONN_F_DROUTE")
    if shutil.which("ipvsadm") is not None:
        text = shown("ipvsadm", "-S", "-n")
        assert "-A -t 192.0.2.1:80 -s rr -p 300" in text
        assert "-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 3" in text
        assert "-a -u [2001:db8::1]:53 -r [2001:db8::9]:53 -g -w 1" in text
    info = nl.do(ipvs.get_info())
    assert info.version is not None and info.version >= 0x10000
    nl.do(ipvs.set_config(timeout_tcp=900, timeout_tcp_fin=120, timeout_udp=300))
    assert nl.do(ipvs.get_config()).timeout_tcp == 900
    with pytest.raises(KernelError, match=r"add_service.*EEXIST"):
        nl.do(ipvs.add_service("tcp", "192.0.2.1", 80))
    with pytest.raises(KernelError, match="add_service"):
        nl.do(ipvs.add_service("tcp", "192.0.2.3", 80, scheduler="nosuch"))
    nl.do(ipvs.remove_destination("tcp", "192.0.2.1", 80, server="10.0.0.1", server_port=8080))
    assert nl.do(ipvs.destinations("tcp", "192.0.2.1", 80)) == []
    nl.do(ipvs.remove_service("tcp", "192.0.2.1", 80))
    nl.do(ipvs.flush())
    assert nl.do(ipvs.services()) == []


# --- team -----------------------------------------------------------------------------------------


def test_team() -> None:
    """Fact: LIST_OPTION items of type 1 repeated; TYPE u8 NLA_*; bool by DATA presence; reply split
    over messages with DONE without payload; change_event group."""
    has_link("team")
    make("link add d0 type dummy")
    with Connection(team.FAMILY, timeout=30) as nl, Connection(team.FAMILY) as listener:
        listener.join("change_event")
        nl.do(team.set_option("team0", "mode", "roundrobin"))
        make("link set d0 master team0")
        found = {(each.name, each.port): each.value for each in nl.do(team.options("team0"))}
        assert found["mode", None] == "roundrobin"
        [port] = nl.do(team.ports("team0"))
        assert port.ifindex is not None
        assert found["enabled", port.ifindex] is True
        assert found["priority", port.ifindex] == 0
        nl.do(team.set_option("team0", "priority", -5, port="d0"))
        nl.do(team.set_option("team0", "enabled", False, port=port.ifindex))
        nl.do(team.set_option("team0", "notify_peers_count", 3))
        found = {(each.name, each.port): each.value for each in nl.do(team.options("team0"))}
        assert found["priority", port.ifindex] == -5
        assert found["enabled", port.ifindex] is False
        assert found["notify_peers_count", None] == 3
        assert any(each.list_option for each in listener.events(timeout=1))  # type: ignore[union-attr]
        with pytest.raises(KernelError, match=r"there is no option 'none'; there are: .*mode"):
            nl.do(team.set_option("team0", "none", 1))
        wrong: Any
        for wrong in ("x", True, 1.5):
            with pytest.raises(ValueError, match=r"team\.set_option\.value"):
                nl.do(team.set_option("team0", "notify_peers_count", wrong))
        with pytest.raises(KernelError):
            nl.do(team.options("d0"))


# --- thermal and dpll -----------------------------------------------------------------------------


def test_thermal() -> None:
    """Fact: lists are flat repeats: TZ nest = (ID, NAME)*; Replies of a dump may have flags 0."""
    try:
        connection = Connection(thermal.FAMILY, netns=Pid(1), timeout=30)
        zones = connection.do(thermal.zones())
    except (KernelError, PermissionError) as error:
        pytest.skip(f"the kernel lacks thermal, or the initial namespace is closed: {error}")
    with connection as nl:
        folder = Path("/sys/class/thermal")
        assert zones == {
            int(path.name.removeprefix("thermal_zone")): (path / "type").read_text().strip()[:20]
            for path in folder.glob("thermal_zone*")
        }
        for number in zones:
            text = (folder / f"thermal_zone{number}/temp").read_text()
            measured = nl.do(thermal.temperature(number))
            assert measured is not None and abs(measured - int(text)) < 5000
            assert all(trip.id >= 0 for trip in nl.do(thermal.trips(number)))
        assert nl.do(thermal.cooling_devices()) == {
            int(path.name.removeprefix("cooling_device")): (path / "type").read_text().strip()[:20]
            for path in folder.glob("cooling_device*")
        }
        with pytest.raises(KernelError, match="temperature"):
            nl.do(thermal.temperature(9999))
        nl.join("event", "sampling")


def test_thermal_is_in_the_initial_namespace_only() -> None:
    """Fact: netnsok=false: thermal: not listed at all in another namespace."""
    with Connection(thermal.FAMILY) as nl, pytest.raises(KernelError, match="ENOENT"):
        nl.do(thermal.zones())


@pytest.fixture
def clocks() -> Iterator[Connection]:
    yield from open_family(dpll.FAMILY)


def test_dpll(clocks: Connection) -> None:
    """Fact: no device in V: dumps empty, id-get gives an empty message plus ACK."""
    assert clocks.do(dpll.devices()) == []
    assert clocks.do(dpll.pins()) == []
    with pytest.warns(KernelWarning, match=r"device_id_get: not found"):
        answer = clocks.do(dpll.device_id_get(module_name="ice"))
    assert [*answer.attributes()] == []
    with pytest.raises(KernelError):
        clocks.do(dpll.device_get(id=1))
    clocks.join("monitor")
    assert json.dumps(answer.to_json()) == "{}"
