"""WireGuard on the live kernel, next to wg(8). tests/test_vm.py runs it where the module exists."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from netlink import Connection, KernelError
from netlink.cli import main
from netlink.constants import AF
from netlink.family import Request
from netlink.generic import nlctrl, wireguard
from netlink.generic.wireguard import WGDEVICE_F, WGPEER_F, AllowedIp, Endpoint, PeerSet
from tests import owned
from tests.kernel.scene import make

KEYS = [bytes([0x40 + place]) * 32 for place in range(8)]
A, B, C = (wireguard._text(key) for key in KEYS[:3])


@pytest.fixture
def wg() -> Iterator[Connection]:
    make("link add wg0 type wireguard")
    with Connection(wireguard.FAMILY, timeout=60) as nl:
        yield nl


def oracle(*words: str, given: str | None = None) -> str:
    """Return what wg(8) prints."""
    if shutil.which("wg") is None:
        pytest.skip("wireguard-tools is not installed")
    done = subprocess.run(["wg", *words], input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dumped(dev: str = "wg0") -> list[list[str]]:
    return [line.split("\t") for line in oracle("show", dev, "dump").splitlines()]


def as_dump(found: wireguard.Interface) -> list[list[str]]:
    """Return an interface as `wg show wg0 dump` prints it."""
    none = "(none)"
    first = [
        found.private_key or none, found.public_key or none, str(found.listen_port),
        hex(found.fwmark) if found.fwmark else "off",
    ]  # fmt: skip
    rows = [
        [
            peer.public_key,
            peer.preshared_key or none,
            str(peer.endpoint or none),
            ",".join(map(str, peer.allowed_ips)) or none,
            str((peer.last_handshake_ns or 0) // 1_000_000_000),
            str(peer.rx_bytes),
            str(peer.tx_bytes),
            str(peer.persistent_keepalive or "off"),
        ]
        for peer in found.peers
    ]
    return [first, *rows]


def test_the_same_as_wg(wg: Connection) -> None:
    wg.do(
        wireguard.change(
            "wg0",
            private_key=KEYS[7],
            listen_port=51820,
            fwmark=0x42,
            peers=[
                {
                    "public_key": A,
                    "preshared_key": KEYS[6],
                    "endpoint": "192.0.2.1:51821",
                    "persistent_keepalive": 25,
                    "allowed_ips": ["10.0.0.7/24", "2001:db8::/64", "0.0.0.0/0"],
                },
                {"public_key": KEYS[1], "endpoint": ("2001:db8::9", 7)},
                {"public_key": C, "endpoint": "[fe80::1%lo]:9", "allowed_ips": ["::/0"]},
            ],
        )
    )
    found = wg.do(wireguard.get("wg0"))
    by_key = {peer.public_key: peer for peer in found.peers}
    assert by_key[A].endpoint == Endpoint(ip_address("192.0.2.1"), 51821)
    assert str(by_key[B].endpoint) == "[2001:db8::9]:7"
    assert str(by_key[C].endpoint) == "[fe80::1%1]:9"
    assert ip_network("10.0.0.0/24") in by_key[A].allowed_ips
    assert by_key[A].last_handshake_ns is None
    assert by_key[B].preshared_key is None
    assert by_key[A].protocol_version == 1
    theirs = [[cell.replace("%lo]", "%1]") for cell in row] for row in dumped()]
    assert as_dump(found) == theirs
    assert wg.do(wireguard.get(found.ifindex)) == found


def test_what_wg_sets_is_read(wg: Connection) -> None:
    oracle(
        "set", "wg0", "listen-port", "7777", "peer", A, "allowed-ips", "10.1.0.0/16",
        "persistent-keepalive", "5", "endpoint", "[2001:db8::1]:99",
    )  # fmt: skip
    assert as_dump(wg.do(wireguard.get("wg0"))) == dumped()


def test_get_is_a_dump(wg: Connection) -> None:
    """Fact: GET_DEVICE (0) is dump-only: do gives EOPNOTSUPP; one of ifindex/ifname exactly, else
    EBADR (53); not wireguard EOPNOTSUPP; ENODEV."""
    with pytest.raises(KernelError) as caught:
        wg.do(wireguard.get_device(ifname="wg0"))
    assert caught.value.errno == errno.EOPNOTSUPP
    for fields in ({}, {"ifname": "wg0", "ifindex": 2}):
        with pytest.raises(KernelError) as caught:
            wg.dump(wireguard.get_device(**fields)).all()
        assert caught.value.errno == errno.EBADR
    for dev, code in (("lo", errno.EOPNOTSUPP), ("none", errno.ENODEV), (99, errno.ENODEV)):
        with pytest.raises(KernelError, match=r"wireguard\.get") as caught:
            wg.do(wireguard.get(dev))
        assert caught.value.errno == code


def test_ten_thousand_peers(wg: Connection) -> None:
    """Fact: first has LISTEN_PORT, FWMARK, IFINDEX, IFNAME, keys, PEERS; later ones hold ONLY
    PEERS - not IFNAME as header and spec say."""
    count = 10_000 if os.environ.get("NETLINK_LONG") else 2_000
    rows = [
        {
            "public_key": number.to_bytes(32, "big"),
            "endpoint": (f"192.0.2.{number % 255}", 1 + number % 60000),
            "allowed_ips": [f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32"],
        }
        for number in range(1, count + 1)
    ]
    wg.do(wireguard.change("wg0", listen_port=7, peers=rows))
    parts = wg.dump(wireguard.get_device(ifname="wg0")).all()
    assert len(parts) > 10
    assert parts[0].ifname == "wg0" and parts[0].listen_port == 7
    for part in parts[1:]:
        assert {path for path, _, _ in part.attributes() if "." not in path} == {"peers"}
    found = wg.do(wireguard.get("wg0"))
    assert len(found.peers) == count
    assert {peer.public_key: peer.allowed_ips for peer in found.peers} == {
        wireguard._text(row["public_key"]): (ip_network(row["allowed_ips"][0]),) for row in rows
    }
    assert as_dump(found) == dumped()
    done = wg.do(wireguard.sync("wg0", [peer.settings() for peer in found.peers]))
    assert done == ((), (), ())
    done = wg.do(wireguard.sync("wg0", rows[1:]))
    assert done == ((), (), (wireguard._text(rows[0]["public_key"]),))
    assert len(wg.do(wireguard.get("wg0")).peers) == count - 1


def test_a_peer_larger_than_a_message(wg: Connection) -> None:
    """Fact: a peer cut at a boundary continues in the next message with PUBLIC_KEY and ALLOWEDIPS
    only. Fact: REPLACE_PEERS and REPLACE_ALLOWEDIPS only in the first fragment."""
    networks = [f"10.0.{place >> 8}.{place & 255}/32" for place in range(3000)]
    before = {"public_key": A, "allowed_ips": ["172.16.0.0/12"]}
    wg.do(wireguard.change("wg0", peers=[before, {"public_key": B}]))
    rows = [{"public_key": A, "allowed_ips": networks}, {"public_key": C}]
    wg.do(wireguard.change("wg0", peers=rows, replace_peers=True))
    parts = wg.dump(wireguard.get_device(ifname="wg0")).all()
    rest = [peer for part in parts for peer in part.peers if peer.rx_bytes is None]
    assert rest and all(peer.public_key == KEYS[0] for peer in rest)
    assert all(peer.preshared_key is None and peer.allowedips for peer in rest)
    found = wg.do(wireguard.get("wg0"))
    assert [peer.public_key for peer in found.peers] == [A, C]
    assert {*found.peers[0].allowed_ips} == {*map(ip_network, networks)}
    assert as_dump(found) == dumped()


def test_two_nests_of_peers(wg: Connection) -> None:
    """Fact: two PEERS attributes in one message: only the last counts (verified, silently!). Fact:
    PEERS items and ALLOWEDIPS items all have type 0."""
    one, two = (wireguard.DeviceSet(peers=[{"public_key": key}]) for key in KEYS[:2])
    name = wireguard.DeviceSet(ifname="wg0")
    both = wireguard.DeviceSet.from_bytes(bytes(name) + bytes(one) + bytes(two))
    wg.do(Request(wireguard.set_device, both))
    assert [peer.public_key for peer in wg.do(wireguard.get("wg0")).peers] == [B]
    (part,) = wg.dump(wireguard.get_device(ifname="wg0")).all()
    kinds = [number for path, number, _ in part.attributes() if path.count(".") == 0]
    assert 8 in kinds


def test_sync_changes_what_differs(wg: Connection) -> None:
    rows: list[dict[str, Any]] = [
        {"public_key": A, "allowed_ips": ["10.0.0.1/32", "10.0.0.2/32"], "preshared_key": KEYS[5]},
        {"public_key": B, "allowed_ips": ["10.0.1.0/24"], "persistent_keepalive": 9},
        {"public_key": C, "endpoint": "192.0.2.1:5"},
    ]
    assert wg.do(wireguard.sync("wg0", rows)) == ((A, B, C), (), ())
    assert wg.do(wireguard.sync("wg0", rows)) == ((), (), ())
    # A network moves from A to B, A loses its secret, B its keepalive, and C keeps its endpoint.
    rows = [
        {"public_key": A, "allowed_ips": ["10.0.0.1/32"]},
        {"public_key": B, "allowed_ips": ["10.0.1.9/24", "10.0.0.2/32"]},
        {"public_key": C},
    ]
    assert wg.do(wireguard.sync("wg0", rows)) == ((), (A, B), ())
    a, b, c = wg.do(wireguard.get("wg0")).peers
    assert (a.allowed_ips, a.preshared_key) == ((ip_network("10.0.0.1/32"),), None)
    assert {*b.allowed_ips} == {ip_network("10.0.1.0/24"), ip_network("10.0.0.2/32")}
    assert b.persistent_keepalive == 0
    assert str(c.endpoint) == "192.0.2.1:5"
    # Two peers exchange their networks.
    rows[0]["allowed_ips"], rows[1]["allowed_ips"] = rows[1]["allowed_ips"], rows[0]["allowed_ips"]
    assert wg.do(wireguard.sync("wg0", rows)) == ((), (A, B), ())
    assert wg.do(wireguard.sync("wg0", rows)) == ((), (), ())
    assert wg.do(wireguard.sync("wg0", rows[2:])) == ((), (), (A, B))
    assert wg.do(wireguard.sync("wg0", [])) == ((), (), (C,))
    assert wg.do(wireguard.get("wg0")).peers == ()


def test_sync_equals_syncconf(wg: Connection, tmp_path: Any) -> None:
    make("link add wg1 type wireguard")
    text = f"[Peer]\nPublicKey = {A}\nAllowedIPs = 10.0.0.0/8, ::/0\nEndpoint = 192.0.2.1:5\n"
    text += f"[Peer]\nPublicKey = {B}\nPersistentKeepalive = 3\n"
    path = tmp_path / "wg.conf"
    path.write_text(text)
    old = [{"public_key": key, "allowed_ips": [f"10.9.{key[0]}.0/24"]} for key in KEYS[:3]]
    for dev in ("wg0", "wg1"):
        wg.do(wireguard.change(dev, peers=old))
    oracle("syncconf", "wg1", str(path))
    first = {"public_key": A, "allowed_ips": ["10.0.0.0/8", "::/0"], "endpoint": "192.0.2.1:5"}
    wg.do(wireguard.sync("wg0", [first, {"public_key": B, "persistent_keepalive": 3}]))
    assert dumped("wg0")[1:] == dumped("wg1")[1:]


def test_removal_and_update_of_nobody(wg: Connection) -> None:
    """Fact: UPDATE_ONLY or REMOVE_ME of an unknown peer: success, nothing done."""
    for row in ({"remove": True}, {"update_only": True, "persistent_keepalive": 3}):
        wg.do(wireguard.change("wg0", peers=[{"public_key": A, **row}]))
    assert wg.do(wireguard.get("wg0")).peers == ()


def test_the_own_key(wg: Connection) -> None:
    """Fact: zero private key removes it; setting the private key removes a peer with the same
    public key; own key as peer is ignored silently."""
    wg.do(wireguard.change("wg0", private_key=KEYS[0]))
    own = wg.do(wireguard.get("wg0")).public_key
    assert own is not None
    wg.do(wireguard.change("wg0", peers=[{"public_key": own}]))
    assert wg.do(wireguard.get("wg0")).peers == ()
    with pytest.raises(ValueError, match=r"wireguard\.sync\.peers\[1\]\.public_key: expected a ke"):
        wg.do(wireguard.sync("wg0", [{"public_key": A}, {"public_key": own}]))
    wg.do(wireguard.change("wg0", private_key=bytes(32)))
    assert wg.do(wireguard.get("wg0")).private_key is None
    wg.do(wireguard.change("wg0", peers=[{"public_key": own}]))
    wg.do(wireguard.change("wg0", private_key=KEYS[0]))
    assert wg.do(wireguard.get("wg0")).peers == ()


def test_endpoints_that_the_kernel_ignores(wg: Connection) -> None:
    """Fact: endpoint: other family or wrong length but >= 16: silently ignored, status 0. So the
    plans write only the two known layouts."""
    odd = wireguard.sockaddr(family=AF.AF_UNIX, port=5, rest=bytes(12))
    wg.do(wireguard.set_device(ifname="wg0", peers=[{"public_key": KEYS[0], "endpoint": odd}]))
    (peer,) = wg.do(wireguard.get("wg0")).peers
    assert peer.endpoint is None


def test_errors(wg: Connection) -> None:
    """Fact: a cidr > 32 is EINVAL. Fact: errors inside PEERS stop midway: earlier peers of the
    message stay changed."""
    bad = AllowedIp(family=AF.AF_INET, ipaddr="10.0.0.0", cidr_mask=33)
    peers = [PeerSet(public_key=KEYS[0]), PeerSet(public_key=KEYS[1], allowedips=[bad])]
    with pytest.raises(KernelError) as caught:
        wg.do(wireguard.set_device(ifname="wg0", peers=peers))
    assert caught.value.errno == errno.EINVAL
    assert wg.do(wireguard.get("wg0")).peers[0].public_key == A
    with pytest.raises(KernelError) as caught:
        wg.do(wireguard.change("none", listen_port=5, peers=[{"public_key": A}]))
    assert caught.value.errno == errno.ENODEV
    assert "after 0 of 1 parts" in caught.value.__notes__[0]
    with pytest.raises(KernelError) as caught:
        wg.do(wireguard.change("wg0", peers=[{"public_key": A, "endpoint": "[fe80::1%none]:5"}]))
    assert caught.value.errno == errno.ENODEV
    unknown = PeerSet(public_key=KEYS[0], flags=WGPEER_F(0x80))
    with pytest.raises(KernelError) as caught:  # Fact: unknown bits EOPNOTSUPP (6.12), or EINVAL
        wg.do(wireguard.set_device(ifname="wg0", peers=[unknown]))
    assert caught.value.errno in (errno.EOPNOTSUPP, errno.EINVAL)


def test_replacing_and_adding(wg: Connection) -> None:
    wg.do(wireguard.change("wg0", peers=[{"public_key": A, "allowed_ips": ["10.0.0.0/24"]}]))
    wg.do(wireguard.change("wg0", peers=[{"public_key": A, "add_allowed_ips": ["10.1.0.0/24"]}]))
    assert len(wg.do(wireguard.get("wg0")).peers[0].allowed_ips) == 2
    wg.do(wireguard.change("wg0", peers=[{"public_key": A, "allowed_ips": []}]))
    assert wg.do(wireguard.get("wg0")).peers[0].allowed_ips == ()
    wg.do(wireguard.change("wg0", peers=[], replace_peers=True))
    assert wg.do(wireguard.get("wg0")).peers == ()
    request = wireguard.set_device(ifname="wg0", flags=WGDEVICE_F.WGDEVICE_F_REPLACE_PEERS)
    assert wg.do(request) is None


def test_the_policy_is_what_is_declared(wg: Connection) -> None:
    """Fact: allowed IP FLAGS (attr 4, REMOVE_ME): not in 6.12."""
    with Connection(nlctrl.FAMILY, timeout=60) as nl:
        text = nl.do(nlctrl.policy("wireguard")).pretty(wireguard.FAMILY)
    for name in wireguard.DeviceSet.__table__.names:
        assert f"{name}: " in text


def test_the_command_line(wg: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"public_key": A, "allowed_ips": ["10.0.0.0/24"], "endpoint": "192.0.2.1:5"}
    wg.do(wireguard.change("wg0", listen_port=7, peers=[row]))
    assert main(["dump", "wireguard", "--dev", "wg0"]) == 0
    out = capsys.readouterr().out
    assert A in out and "10.0.0.0/24" in out and "192.0.2.1:5" in out
    assert main(["dump", "wireguard", "--dev", "wg0", "--json"]) == 0
    assert '"listen_port": 7' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["dump", "wireguard"])


def test_captures(wg: Connection) -> None:
    row = {
        "public_key": A, "allowed_ips": ["10.0.0.0/24", "2001:db8::/64"], "preshared_key": B,
        "endpoint": "192.0.2.1:5", "persistent_keepalive": 5,
    }  # fmt: skip
    more = {"public_key": B, "endpoint": "[2001:db8::1]:6"}
    large = {"public_key": C, "allowed_ips": [f"10.1.0.{place}/32" for place in range(3)]}
    wg.do(wireguard.change("wg0", private_key=KEYS[7], fwmark=5, peers=[row, more, large]))
    found = wg.dump(wireguard.get_device(ifname="wg0")).all()
    owned.keep("wireguard", "three peers", found)
    wg.do(wireguard.change("wg0", private_key=bytes(32), fwmark=0, peers=[], replace_peers=True))
    owned.keep("wireguard", "no peers", wg.dump(wireguard.get_device(ifname="wg0")).all())
