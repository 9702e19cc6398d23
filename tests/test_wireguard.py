"""WireGuard without a kernel: how answers are joined and requests split, and wrong calls."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from netlink import Connection, DumpInterrupted, EncodeError, KernelError, testing
from netlink.generic import wireguard
from netlink.generic.wireguard import (
    ALLOWED_IPS,
    WGDEVICE_F,
    WGPEER_F,
    AllowedIp,
    Device,
    Endpoint,
    InetPart,
    Peer,
    PeerSet,
    _text,
    sockaddr,
)

KEYS = [bytes([place]) * 32 for place in range(1, 9)]
A, B, C = map(_text, KEYS[:3])
MAX_NLA = 0xFFFF  # struct nlattr has a length of 16 bits


class Kernel:
    """Keeps peers as the kernel does, and sends them in small parts."""

    def __init__(self) -> None:
        self.peers: dict[bytes, dict[str, Any]] = {}
        self.owners: dict[Any, Any] = {}
        self.requests: list[Any] = []
        self.refuse_after = 1 << 30

    def __call__(self, request: Any) -> Iterator[Device]:
        if request.nlmsg_name == "WG_CMD_GET_DEVICE":
            assert (request.ifname, request.ifindex) in (("wg0", None), (None, 5))
            first = {"ifname": "wg0", "ifindex": 5, "public_key": KEYS[7], "listen_port": 7}
            peers = [part for key in self.peers for part in self.parts(key)]
            for start in range(0, len(peers) or 1, 30):
                yield Device(**(first if not start else {}), peers=peers[start : start + 30])
            return
        if len(self.requests) >= self.refuse_after:
            raise KernelError(errno.EINVAL)
        self.requests.append(request)
        for _, number, payload in request.attributes():
            assert len(payload) + 4 <= MAX_NLA, number
        if request.flags:
            self.peers.clear()
        for peer in request.peers:
            self.set(peer)

    def parts(self, key: bytes) -> Iterator[Peer]:
        """A peer, then what does not fit: only key and networks."""
        fields = self.peers[key]
        networks = [
            AllowedIp(
                family=2 if one.version == 4 else 10,
                ipaddr=one.network_address,
                cidr_mask=one.prefixlen,
            )
            for one in fields["networks"]
        ]
        yield Peer(
            public_key=key,
            preshared_key=fields["preshared_key"] or bytes(32),
            endpoint=fields["endpoint"],
            persistent_keepalive_interval=fields["keepalive"],
            last_handshake_time={},
            rx_bytes=0,
            tx_bytes=0,
            allowedips=networks[:50],
        )
        for start in range(50, len(networks), 50):
            yield Peer(public_key=key, allowedips=networks[start : start + 50])

    def set(self, peer: PeerSet) -> None:
        assert peer.public_key is not None
        flags = WGPEER_F(peer.flags or 0)
        if WGPEER_F.WGPEER_F_REMOVE_ME in flags:
            self.peers.pop(peer.public_key, None)
            return
        if WGPEER_F.WGPEER_F_UPDATE_ONLY in flags and peer.public_key not in self.peers:
            return
        empty: dict[str, Any] = {
            "networks": {},
            "preshared_key": None,
            "endpoint": None,
            "keepalive": 0,
        }
        fields = self.peers.setdefault(peer.public_key, empty)
        if WGPEER_F.WGPEER_F_REPLACE_ALLOWEDIPS in flags:
            fields["networks"] = {}
        for one in peer.allowedips:
            network = ip_network(f"{one.ipaddr}/{one.cidr_mask}")
            owner = self.owners.get(network)
            if owner in self.peers:
                self.peers[owner]["networks"].pop(network, None)
            self.owners[network] = peer.public_key
            fields["networks"][network] = None
        if peer.preshared_key is not None:
            fields["preshared_key"] = peer.preshared_key
        if peer.endpoint is not None:
            fields["endpoint"] = peer.endpoint
        if peer.persistent_keepalive_interval is not None:
            fields["keepalive"] = peer.persistent_keepalive_interval


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def wg(kernel: Kernel) -> Iterator[Connection]:
    socket = testing.Socket(kernel, wireguard.FAMILY)
    with Connection(wireguard.FAMILY, socket=socket) as nl:
        yield nl


def numbered(number: int) -> dict[str, Any]:
    high, low = divmod(number, 256)
    return {
        "public_key": number.to_bytes(32, "big"),
        "preshared_key": (number + 1).to_bytes(32, "little"),
        "endpoint": (f"2001:db8::{number:x}", 1 + number),
        "persistent_keepalive": number % 60,
        "allowed_ips": [f"10.{high}.{low}.{host}/32" for host in range(4)],
    }


def test_ten_thousand_peers(wg: Connection, kernel: Kernel) -> None:
    """Fact: nla_len is u16: PEERS nest at most 65,531 bytes; two PEERS attributes in one message:
    only the last counts."""
    rows = [numbered(number) for number in range(1, 10_001)]
    wg.do(wireguard.change("wg0", peers=rows, fwmark=3, replace_peers=True))
    assert 10 < len(kernel.requests) < 200
    assert [request.flags for request in kernel.requests if request.flags] == [
        WGDEVICE_F.WGDEVICE_F_REPLACE_PEERS
    ]
    assert [request.fwmark for request in kernel.requests if request.fwmark is not None] == [3]
    found = wg.do(wireguard.get(5))
    assert len(found.peers) == 10_000
    for peer, row in zip(found.peers, rows, strict=True):
        assert peer.public_key == _text(row["public_key"])
        assert peer.endpoint is not None and peer.endpoint.port == row["endpoint"][1]
        assert [*map(str, peer.allowed_ips)] == row["allowed_ips"]
    kernel.requests.clear()
    assert wg.do(wireguard.sync("wg0", [peer.settings() for peer in found.peers])) == ((), (), ())
    assert kernel.requests == []
    rows[5000]["persistent_keepalive"] = 61
    assert wg.do(wireguard.sync("wg0", rows)).changed == (_text(rows[5000]["public_key"]),)
    (request,) = kernel.requests
    (peer,) = request.peers
    assert {name for name, _ in peer} == {"public_key", "flags", "persistent_keepalive_interval"}


def test_a_peer_with_many_networks(wg: Connection, kernel: Kernel) -> None:
    """Fact: same key as the last peer = append allowed IPs; attributes of the continuation absent,
    not zero. Fact: REPLACE_ALLOWEDIPS only in the first fragment."""
    networks = [f"10.{place >> 8}.{place & 255}.0/24" for place in range(7 * ALLOWED_IPS + 1)]
    row = {"public_key": A, "allowed_ips": networks, "persistent_keepalive": 9}
    wg.do(wireguard.change("wg0", peers=[row, {"public_key": B}]))
    parts = [peer for request in kernel.requests for peer in request.peers]
    assert [peer.public_key == KEYS[0] for peer in parts] == [True] * 8 + [False]
    flags = [peer.flags for peer in parts]
    assert flags[0] == WGPEER_F.WGPEER_F_REPLACE_ALLOWEDIPS
    assert flags[1:8] == [WGPEER_F.WGPEER_F_UPDATE_ONLY] * 7
    a, b = wg.do(wireguard.get("wg0")).peers
    assert [*map(str, a.allowed_ips)] == networks
    assert (a.persistent_keepalive, b.allowed_ips) == (9, ())


def test_sync_removes_first(wg: Connection, kernel: Kernel) -> None:
    """Fact: order of sync: removals first."""
    wg.do(wireguard.change("wg0", peers=[{"public_key": A, "allowed_ips": ["10.0.0.0/8"]}]))
    kernel.requests.clear()
    done = wg.do(wireguard.sync("wg0", [{"public_key": B, "allowed_ips": ["10.0.0.0/8"]}]))
    assert done == ((B,), (), (A,))
    (request,) = kernel.requests
    assert [peer.public_key for peer in request.peers] == [KEYS[0], KEYS[1]]


def test_sync_sends_what_differs(wg: Connection, kernel: Kernel) -> None:
    """Fact: allowed IP FLAGS (attr 4, REMOVE_ME): not in 6.12: without it REPLACE_ALLOWEDIPS with
    the remaining set. Fact: allowed IP: host bits are cut by the kernel: normalise before
    comparing."""
    rows: list[dict[str, Any]] = [
        {"public_key": A, "allowed_ips": ["10.0.0.1/32", "10.0.0.2/32"], "preshared_key": KEYS[5]},
        {"public_key": B, "allowed_ips": ["10.0.1.7/24"], "persistent_keepalive": 9},
        {"public_key": C, "endpoint": "192.0.2.1:5"},
    ]
    assert wg.do(wireguard.sync("wg0", rows)) == ((A, B, C), (), ())
    assert wg.do(wireguard.sync("wg0", rows)) == ((), (), ())
    kernel.requests.clear()
    # A loses a network and its secret, B gains that network, and C keeps its endpoint.
    rows[0] = {"public_key": A, "allowed_ips": ["10.0.0.1/32"]}
    rows[1]["allowed_ips"] = ["10.0.1.0/24", "10.0.0.2/32"]
    del rows[2]["endpoint"]
    assert wg.do(wireguard.sync("wg0", rows)) == ((), (A, B), ())
    (request,) = kernel.requests
    one, two = request.peers
    update, replace = WGPEER_F.WGPEER_F_UPDATE_ONLY, WGPEER_F.WGPEER_F_REPLACE_ALLOWEDIPS
    assert (one.flags, one.preshared_key) == (update | replace, bytes(32))
    assert [str(found.ipaddr) for found in one.allowedips] == ["10.0.0.1"]
    assert two.flags == update  # only what is new
    assert [str(found.ipaddr) for found in two.allowedips] == ["10.0.0.2"]
    assert two.persistent_keepalive_interval is None
    a, b, c = wg.do(wireguard.get("wg0")).peers
    assert [*map(str, a.allowed_ips)] == ["10.0.0.1/32"]
    assert [*map(str, b.allowed_ips)] == ["10.0.1.0/24", "10.0.0.2/32"]
    assert (a.preshared_key, str(c.endpoint)) == (None, "192.0.2.1:5")
    # Two peers exchange their networks.
    rows[0]["allowed_ips"], rows[1]["allowed_ips"] = rows[1]["allowed_ips"], rows[0]["allowed_ips"]
    assert wg.do(wireguard.sync("wg0", rows)) == ((), (A, B), ())
    assert wg.do(wireguard.sync("wg0", rows)) == ((), (), ())
    assert wg.do(wireguard.sync("wg0", [])) == ((), (), (A, B, C))


def test_sync_refuses_the_own_key(wg: Connection, kernel: Kernel) -> None:
    """Fact: own key as peer is ignored silently: sync must not loop on it."""
    with pytest.raises(EncodeError, match=r"sync\.peers\[1\]\.public_key: expected a key other"):
        wg.do(wireguard.sync("wg0", [{"public_key": A}, {"public_key": KEYS[7]}]))
    assert kernel.requests == []


def test_an_error_says_how_far_it_came(wg: Connection, kernel: Kernel) -> None:
    """Fact: sync is not atomic: report which request."""
    kernel.refuse_after = 3
    with pytest.raises(KernelError) as caught:
        wg.do(wireguard.change("wg0", peers=[numbered(number) for number in range(1, 2000)]))
    sent = len(kernel.peers)
    assert f"after {sent} of 1999 parts" in caught.value.__notes__[0]
    assert 0 < sent < 1999


def test_an_interrupted_dump_is_repeated(kernel: Kernel) -> None:
    """Fact: generation only by DUMP_INTR: 4 of 6 dumps of 3,000 peers under change were
    interrupted: retry with bound."""
    dumps = 0

    def changing(request: Any) -> Iterator[Device]:
        nonlocal dumps
        dumps += request.nlmsg_name == "WG_CMD_GET_DEVICE"
        yield from kernel(request)
        if 1 <= dumps <= 2:
            raise DumpInterrupted([])

    socket = testing.Socket(changing, wireguard.FAMILY)
    with Connection(wireguard.FAMILY, socket=socket) as nl:
        nl.do(wireguard.change("wg0", peers=[numbered(number) for number in range(1, 100)]))
        assert len(nl.do(wireguard.get("wg0")).peers) == 99
    assert dumps == 3


def test_a_zone_survives(wg: Connection, kernel: Kernel) -> None:
    """Fact: IPv6 link-local needs scope."""
    wg.do(wireguard.change("wg0", peers=[{"public_key": A, "endpoint": "[fe80::1%7]:9"}]))
    (peer,) = wg.do(wireguard.get("wg0")).peers
    assert str(peer.endpoint) == "[fe80::1%7]:9"
    assert wg.do(wireguard.sync("wg0", [peer.settings()])) == ((), (), ())
    other = peer.settings() | {"endpoint": "[fe80::1%8]:9"}
    assert wg.do(wireguard.sync("wg0", [other])).changed == (A,)


def test_secrets_are_not_shown(wg: Connection, kernel: Kernel) -> None:
    row = {"public_key": A, "preshared_key": KEYS[4]}
    wg.do(wireguard.change("wg0", peers=[row]))
    found = wg.do(wireguard.get("wg0"))
    assert found.peers[0].preshared_key == _text(KEYS[4])
    assert _text(KEYS[4]) not in repr(found) + repr(found.peers)
    with pytest.raises(EncodeError) as caught:
        next(wireguard.change("wg0", private_key="secret").steps())
    assert "secret" not in str(caught.value) and caught.value.value is None


def test_endpoints() -> None:
    """Fact: sockaddr_in (16 bytes) or sockaddr_in6 (28: flowinfo, scope id), family host u16, port
    be16."""
    four = sockaddr(family="inet", port=0x1234, rest=InetPart(addr="192.0.2.1"))
    assert bytes(four)[2:] == bytes.fromhex("1234c0000201") + bytes(8)
    row = {"public_key": A, "endpoint": ("fe80::1%3", 5)}
    (part,) = next(wireguard.change("wg0", peers=[row]).steps()).message.peers
    assert len(bytes(part.endpoint)) == 28
    assert part.endpoint.rest.scope_id == 3
    for port, endpoint in ((5, "192.0.2.1:5"), (6, "[2001:db8::1]:6")):
        row = {"public_key": A, "endpoint": endpoint}
        (part,) = next(wireguard.change("wg0", peers=[row]).steps()).message.peers
        found = wireguard._endpoint(part.endpoint)
        assert isinstance(found, Endpoint)
        assert (str(found), found.port) == (endpoint, port)


# Fields of a peer, and a part of the error.
WRONG_ROWS: list[tuple[dict[str, Any], str]] = [
    ({}, "needs public_key"),
    ({"public_key": A[:-1]}, "44 characters of base64 text, got a str of length 43"),
    ({"public_key": A + "="}, "got a str of length 45"),
    ({"public_key": KEYS[0][:31]}, "got a bytes of length 31"),
    ({"public_key": KEYS[0].hex()}, "of length 64"),
    ({"public_key": 5}, "got a int"),
    ({"public_key": A[:-2] + "B="}, "of length 44"),  # bits after the key
    ({"public_key": A, "preshared_key": ""}, r"peers\[0\]\.preshared_key: expected a key"),
    ({"public_key": A, "endpoint": "192.0.2.1"}, "expected an endpoint, such as"),
    ({"public_key": A, "endpoint": "example.org:5"}, "expected an endpoint"),
    ({"public_key": A, "endpoint": "2001:db8::1:5"}, "expected an endpoint"),
    ({"public_key": A, "endpoint": "192.0.2.1:65536"}, "expected an endpoint"),
    ({"public_key": A, "endpoint": ("192.0.2.1", 0)}, "expected an endpoint"),
    ({"public_key": A, "endpoint": ("192.0.2.1", True)}, "expected an endpoint"),
    ({"public_key": A, "endpoint": 5}, "expected an endpoint"),
    ({"public_key": A, "endpoint": "[fe80::1]:5"}, "needs a zone"),
    ({"public_key": A, "endpoint": "192.0.2.1%2:5"}, "cannot have a zone"),
    ({"public_key": A, "persistent_keepalive": 65536}, "from 0 to 65535"),
    ({"public_key": A, "persistent_keepalive": "off"}, "from 0 to 65535"),
    ({"public_key": A, "allowed_ips": "10.0.0.0/8"}, "expected a list of networks"),
    ({"public_key": A, "allowed_ips": ["10.0.0.0/33"]}, r"allowed_ips\[0\]: expected a network"),
    ({"public_key": A, "allowed_ips": ["default"]}, "expected a network"),
    ({"public_key": A, "allowed_ips": [None]}, "expected a network"),
    ({"public_key": A, "allowed_ip": []}, "unknown key 'allowed_ip'; did you mean 'allowed_ips'"),
]


@pytest.mark.parametrize("row, text", WRONG_ROWS, ids=[text for _, text in WRONG_ROWS])
@pytest.mark.parametrize("plan", [wireguard.change, wireguard.sync])
def test_wrong_peers(plan: Any, row: dict[str, Any], text: str) -> None:
    with pytest.raises((TypeError, EncodeError), match=text) as caught:
        next(plan("wg0", peers=[row]).steps())
    assert f"wireguard.{plan.__name__}.peers[0]" in str(caught.value)


WRONG: Any = wireguard  # what a type checker would refuse
WRONG_CALLS: list[tuple[Any, str]] = [
    (lambda: WRONG.get(None), r"wireguard\.get\.dev: expected the name of a link"),
    (lambda: WRONG.get(""), "expected a non-empty str"),
    (lambda: WRONG.get("x" * 16), "at most 15 fit"),
    (lambda: WRONG.get(0), "expected the name of a link, or its index"),
    (lambda: WRONG.get(True), "expected the name of a link, or its index"),
    (lambda: WRONG.get(1.5), "expected the name of a link, or its index"),
    (lambda: WRONG.get(name="wg0"), "has no parameter 'name'"),
    (lambda: WRONG.get(), "missing 1 required"),
    (lambda: WRONG.change("wg0"), "needs something to change"),
    (lambda: WRONG.change("wg0", replace_peers=True), "with replace_peers|something to change"),
    (lambda: WRONG.change("wg0", fwmark=1, replace_peers=True), r"\[\] removes all peers"),
    (lambda: WRONG.change("wg0", listen_port=65536), "from 0 to 65535"),
    (lambda: WRONG.change("wg0", fwmark=-1), "from 0 to"),
    (lambda: WRONG.change("wg0", fwmark="off"), "from 0 to"),
    (lambda: WRONG.change("wg0", peers={"a": 1}), "expected a non-empty list"),
    (lambda: WRONG.change("wg0", peers=[A]), "expected a dict"),
    (lambda: WRONG.change("wg0", peers=iter([{}])), "can be read only once"),
    (lambda: WRONG.change("wg0", port=5), "has no parameter 'port'"),
    (lambda: WRONG.sync("wg0", None), "expected a non-empty list of dicts"),
    (lambda: WRONG.sync("wg0", {"public_key": A}), "expected a non-empty list of dicts"),
    (lambda: WRONG.sync("wg0"), "missing 1 required"),
    (lambda: WRONG.sync("wg0", [{"public_key": A}] * 2), "too; give each peer once"),
    (
        lambda: WRONG.sync(
            "wg0", [{"public_key": key, "allowed_ips": ["10.0.0.0/8"]} for key in (A, B)]
        ),
        r"allowed_ips\[0\]: 10\.0\.0\.0/8 is also that of wireguard\.sync\.peers\[0\]",
    ),
    (
        lambda: WRONG.change(
            "wg0", peers=[{"public_key": A, "remove": True, "persistent_keepalive": 5}]
        ),
        "cannot remove a peer and set its persistent_keepalive",
    ),
    (lambda: WRONG.change("wg0", peers=[{"public_key": A, "remove": 1}]), "True or False"),
    (lambda: WRONG.sync("wg0", [{"public_key": A, "remove": True}]), "unknown key 'remove'"),
]


@pytest.mark.parametrize("call, text", WRONG_CALLS, ids=[text for _, text in WRONG_CALLS])
def test_wrong_calls(call: Any, text: str) -> None:
    with pytest.raises((TypeError, EncodeError), match=text):
        next(call().steps())


def test_messages_are_strict() -> None:
    for size in (0, 31, 33):
        with pytest.raises(EncodeError):
            PeerSet(public_key=bytes(size))
    with pytest.raises(EncodeError):
        AllowedIp(family="inet", ipaddr="::1")
    with pytest.raises(TypeError):
        wireguard.set_device(public_key=KEYS[0])  # type: ignore[call-arg]
    # Fact: last-handshake, rx/tx, protocol accepted on SET but ignored: requests lack them.
    with pytest.raises(TypeError):
        PeerSet(rx_bytes=1)  # type: ignore[call-arg]
