"""WireGuard: VPN interfaces, their peers and the addresses that each peer may use.

Numbers are those of Linux 6.18 (linux/wireguard.h). The behaviour is that of
drivers/net/wireguard/netlink.c. The plans use the words of wg(8):

    with Connection(wireguard.FAMILY) as nl:
        nl.do(wireguard.change("wg0", private_key=key, listen_port=51820))
        nl.do(wireguard.sync("wg0", [{"public_key": peer, "allowed_ips": ["10.0.0.2/32"]}]))
        for peer in nl.do(wireguard.get("wg0")).peers:
            print(peer.public_key, peer.endpoint, peer.allowed_ips)

The kernel splits a large interface over several messages of one dump, and accepts only 64 KiB of
peers in one request. get(), change() and sync() join and split; the ops get_device and set_device
do neither. Everything requires CAP_NET_ADMIN. The family has no events.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple

from netlink.constants import AF, IFNAMSIZ, KernelEnum, KernelFlag
from netlink.errors import EncodeError, KernelError
from netlink.family import Family, Op, Steps, ifindex, plan
from netlink.schema import (
    Addr,
    IPAddress,
    Message,
    Named,
    Nested,
    Several,
    address,
    array,
    be16,
    be32,
    binary,
    pad,
    s64,
    selected,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
)
from netlink.words import U16, U32, Network, Words, family_of

WG_KEY_LEN = 32  # bytes
NO_KEY = bytes(WG_KEY_LEN)
PEERS_SIZE = 32_000  # bytes of peers in one request; an attribute has at most 65,531
ALLOWED_IPS = 500  # in one part of a peer, 20 KB


class WG_CMD(KernelEnum):
    """Commands."""

    WG_CMD_GET_DEVICE = 0
    WG_CMD_SET_DEVICE = 1


class WGDEVICE_F(KernelFlag):
    """What a request does to a device."""

    WGDEVICE_F_REPLACE_PEERS = 0x1


class WGPEER_F(KernelFlag):
    """What a request does to a peer."""

    WGPEER_F_REMOVE_ME = 0x1
    WGPEER_F_REPLACE_ALLOWEDIPS = 0x2
    WGPEER_F_UPDATE_ONLY = 0x4


class WGALLOWEDIP_F(KernelFlag):
    """What a request does to an allowed IP. Older kernels refuse it (EINVAL)."""

    WGALLOWEDIP_F_REMOVE_ME = 0x1


# --- messages -------------------------------------------------------------------------------------


class kernel_timespec(Message):
    """struct __kernel_timespec (linux/time_types.h): a time since 1970. Zeros mean never."""

    tv_sec: int = s64()
    tv_nsec: int = s64()


class InetPart(Message):
    """What a struct sockaddr_in has after family and port."""

    addr: Addr = address(size=4)
    _zero = pad(8)


class Inet6Part(Message):
    """What a struct sockaddr_in6 has after family and port. `scope_id` is the index of a link."""

    flowinfo: int = be32()
    addr: Addr = address(size=16)
    scope_id: int = u32()


class sockaddr(Message):
    """struct sockaddr_in or sockaddr_in6: `rest` depends on the family."""

    family: Named[AF | int] = u16(enum=AF)
    port: int = be16()
    rest: Nested[Any] = selected(None, "family", {AF.AF_INET: InetPart, AF.AF_INET6: Inet6Part})


class AllowedIp(Message):
    """A network whose packets a peer sends and receives: WGALLOWEDIP_A_*."""

    family: Named[AF | int | None] = u16(1, enum=AF)
    ipaddr: Addr = address(2, by_family="family")
    cidr_mask: int | None = u8(3)
    flags: Named[WGALLOWEDIP_F | int | None] = u32(4, enum=WGALLOWEDIP_F)


class PeerSet(Message):
    """A peer of a request: WGPEER_A_*. A preshared key of zeros removes it."""

    public_key: bytes | None = binary(1, size=WG_KEY_LEN, least=WG_KEY_LEN)
    preshared_key: bytes | None = binary(2, size=WG_KEY_LEN, least=WG_KEY_LEN)
    flags: Named[WGPEER_F | int | None] = u32(3, enum=WGPEER_F)
    endpoint: Nested[sockaddr] = struct(4, sockaddr)
    persistent_keepalive_interval: int | None = u16(5)  # seconds, 0 = off
    allowedips: Several[AllowedIp] = array(9, AllowedIp)
    protocol_version: int | None = u32(10)


class Peer(PeerSet):
    """A peer of an answer: WGPEER_A_*. The rest of a large peer has only its key and allowed IPs.

    A preshared key of zeros means none.
    """

    last_handshake_time: Nested[kernel_timespec] = struct(6, kernel_timespec)
    rx_bytes: int | None = u64(7)
    tx_bytes: int | None = u64(8)


class DeviceSet(Message):
    """A request: WGDEVICE_A_*. Exactly one of ifindex and ifname is required."""

    ifindex: int | None = u32(1)
    ifname: str | None = string(2, size=IFNAMSIZ)
    private_key: bytes | None = binary(3, size=WG_KEY_LEN, least=WG_KEY_LEN)
    flags: Named[WGDEVICE_F | int | None] = u32(5, enum=WGDEVICE_F)
    listen_port: int | None = u16(6)  # 0 = the kernel chooses
    fwmark: int | None = u32(7)  # 0 = off
    peers: Several[PeerSet] = array(8, PeerSet)


class DeviceQuery(Message):
    """Which device to get: WGDEVICE_A_*. Exactly one of the two is required."""

    ifindex: int | None = u32(1)
    ifname: str | None = string(2, size=IFNAMSIZ)


class Device(Message):
    """A WireGuard interface, or a part of it: WGDEVICE_A_*.

    The first message of a dump has everything except the peers that do not fit. Later messages
    have only `peers`.
    """

    ifindex: int | None = u32(1)
    ifname: str | None = string(2, size=IFNAMSIZ)
    private_key: bytes | None = binary(3, size=WG_KEY_LEN, least=WG_KEY_LEN)
    public_key: bytes | None = binary(4, size=WG_KEY_LEN, least=WG_KEY_LEN)
    listen_port: int | None = u16(6)
    fwmark: int | None = u32(7)
    peers: Several[Peer] = array(8, Peer)


# The kernel answers a dump only: do() of get_device fails (EOPNOTSUPP).
get_device = Op(
    "wireguard.get_device", WG_CMD.WG_CMD_GET_DEVICE, DeviceQuery, reply=Device, answer="one"
)
set_device = Op("wireguard.set_device", WG_CMD.WG_CMD_SET_DEVICE, DeviceSet)

FAMILY = Family(
    "wireguard",
    types=WG_CMD,
    ops=(get_device, set_device),
    messages={WG_CMD.WG_CMD_GET_DEVICE: Device},
)


# --- plans ----------------------------------------------------------------------------------------


class Endpoint(NamedTuple):
    """Where the kernel sends the packets of a peer. An IPv6 address may have a zone."""

    address: IPAddress
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}"


class PeerState(NamedTuple):
    """A peer of an interface. Keys are base64 text, as wg(8) prints them.

    `persistent_keepalive` is seconds, and 0 means off. `last_handshake_ns` is nanoseconds since
    1970, None if there was no handshake.
    """

    public_key: str
    preshared_key: str | None
    endpoint: Endpoint | None
    persistent_keepalive: int
    allowed_ips: tuple[Network, ...]
    last_handshake_ns: int | None
    rx_bytes: int
    tx_bytes: int
    protocol_version: int | None

    def settings(self) -> dict[str, Any]:
        """Return the peer as sync() and change() accept it, without what the kernel counts."""
        return {name: getattr(self, name) for name in SYNC_WORDS}

    def __repr__(self) -> str:
        return f"<PeerState {self.public_key} at {self.endpoint}>"  # without its secret


class Interface(NamedTuple):
    """A WireGuard interface with all its peers. Keys are base64 text.

    `fwmark` is 0 if the kernel does not mark packets.
    """

    ifindex: int
    ifname: str
    private_key: str | None
    public_key: str | None
    listen_port: int
    fwmark: int
    peers: tuple[PeerState, ...]

    def __repr__(self) -> str:
        return f"<Interface {self.ifname} with {len(self.peers)} peers>"  # without its secret


class Synced(NamedTuple):
    """What sync() did: the public keys of the peers, as base64 text."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


Key = str | bytes
Peers = Sequence[Mapping[str, Any]]
SYNC_WORDS = (
    "public_key", "preshared_key", "endpoint", "persistent_keepalive", "allowed_ips",
)  # fmt: skip
CHANGE_WORDS = (*SYNC_WORDS, "add_allowed_ips", "remove", "update_only")


@plan
def get(dev: str | int) -> Steps[Interface]:
    """Return a WireGuard interface, given by its name or index, with all its peers.

    Raises KernelError: ENODEV if there is no such link, EOPNOTSUPP if it is not of WireGuard.
    """
    parts: list[Device] = yield get_device(**_dev(Words("wireguard.get", locals()))).dump()
    return _joined(parts)


@plan(sequence=True)
def change(
    dev: str | int,
    *,
    private_key: Key | None = None,
    listen_port: int | None = None,
    fwmark: int | None = None,
    peers: Peers | None = None,
    replace_peers: bool = False,
) -> Steps[None]:
    """Change an interface, and add, change or remove peers. Everything else is kept.

    A key is base64 text or 32 bytes; one of zeros removes the private or preshared key. A port of 0
    lets the kernel choose, and a mark of 0 switches it off. `replace_peers` removes all other
    peers. Each peer is a dict with `public_key` and any of:

    - `preshared_key`, `persistent_keepalive` (seconds, 0 = off)
    - `endpoint`: "192.0.2.1:51820", "[2001:db8::1]:51820" or a pair (address, port). A link-local
      address needs a zone: "[fe80::1%eth0]:51820"
    - `allowed_ips`: exactly these networks; `add_allowed_ips`: these in addition. A network that
      another peer has moves to this peer
    - `remove=True`: remove the peer; `update_only=True`: do not add it if it is missing. The kernel
      accepts both without an error if there is no such peer

    Large changes are split over several requests. If one fails, the earlier ones took effect, and a
    note of the error says how many peers they had. Raises KernelError as get() does.
    """
    words = Words("wireguard.change", locals())
    words.needs_a_change("dev", switches=("replace_peers",))
    rows = yield from _rows(words, CHANGE_WORDS)
    fields = {
        "private_key": _key(words, "private_key"),
        "listen_port": words.integer("listen_port", 0, U16),
        "fwmark": words.integer("fwmark", 0, U32),
    }
    if words.switch("replace_peers"):
        if peers is None:
            words.refuse("needs peers with replace_peers; [] removes all peers")
        fields["flags"] = WGDEVICE_F.WGDEVICE_F_REPLACE_PEERS
    yield from _send(_dev(words), fields, [part for row in rows for part in _parts(row)])


@plan(sequence=True)
def sync(dev: str | int, peers: Peers) -> Steps[Synced]:
    """Let an interface have exactly these peers, change only what differs, and return the changes.

    Each peer is a dict with `public_key` and any of `preshared_key`, `endpoint`,
    `persistent_keepalive` and `allowed_ips`, as in change(). What is missing is removed, except an
    endpoint: the kernel keeps the one that it knows. `peers=[]` removes all peers. The plan reads
    the interface first, removes peers, and then adds and changes peers. PeerState.settings()
    returns such a dict.

    A public key that is the interface's own is refused, because the kernel ignores it. Errors are
    those of change().
    """
    words = Words("wireguard.sync", locals())
    rows = yield from _rows(words, SYNC_WORDS)
    where = _dev(words)
    parts: list[Device] = yield get_device(**where).dump()
    device = _joined(parts)
    old = {peer.public_key: peer for peer in device.peers}
    new = {_text(row["public_key"]): row for row in rows}
    if device.public_key in new:
        place = [*new].index(device.public_key)
        raise words.wrong(f"peers[{place}].public_key", "expected a key other than the interface's")
    gone = [key for key in old if key not in new]
    made = [_removal(binascii.a2b_base64(key)) for key in gone]
    added = [key for key in new if key not in old]
    changed: list[str] = []
    for key, row in new.items():
        if key not in old:
            made += _parts(row)
        elif difference := _difference(old[key], row):
            changed.append(key)
            made += _parts(difference)
    if made:
        yield from _send(where, {}, made)
    return Synced(tuple(added), tuple(changed), tuple(gone))


def _dev(words: Words) -> dict[str, Any]:
    """Return the fields that name the device."""
    dev = words.link("dev")
    if dev is None:
        raise words.expected("dev", "the name of a link, or its index")
    return {"ifname" if isinstance(dev, str) else "ifindex": dev}


# --- reading ---


def _joined(parts: list[Device]) -> Interface:
    """Return an interface from the messages of a dump."""
    first = parts[0]
    peers: list[PeerState] = []
    networks: list[Network] = []  # of the last peer
    for part in parts:
        for peer in part.peers:
            key = _text(peer.public_key)
            if not peers or peers[-1].public_key != key:  # a part of a peer repeats its key
                if peers:
                    peers[-1] = peers[-1]._replace(allowed_ips=tuple(networks))
                networks = []
                peers.append(_state(peer, key))
            networks += map(_network, peer.allowedips)
    if peers:
        peers[-1] = peers[-1]._replace(allowed_ips=tuple(networks))
    assert first.ifindex is not None and first.ifname is not None  # wg_get_device_dump
    return Interface(
        first.ifindex,
        first.ifname,
        _secret(first.private_key),
        _secret(first.public_key),
        first.listen_port or 0,
        first.fwmark or 0,
        tuple(peers),
    )


def _state(peer: Peer, key: str) -> PeerState:
    time = peer.last_handshake_time
    stamp = 0 if time is None else time.tv_sec * 1_000_000_000 + time.tv_nsec
    return PeerState(
        key,
        _secret(peer.preshared_key),
        _endpoint(peer.endpoint),
        peer.persistent_keepalive_interval or 0,
        (),
        stamp or None,
        peer.rx_bytes or 0,
        peer.tx_bytes or 0,
        peer.protocol_version,
    )


def _endpoint(found: sockaddr | None) -> Endpoint | None:
    if found is None or not isinstance(found.rest, (InetPart, Inet6Part)):
        return None
    host: Any = found.rest.addr
    if isinstance(found.rest, Inet6Part) and found.rest.scope_id:
        host = IPv6Address(f"{host}%{found.rest.scope_id}")
    return Endpoint(host, found.port)


def _network(found: AllowedIp) -> Network:
    return ip_network(f"{found.ipaddr}/{found.cidr_mask}")


def _text(key: bytes | None) -> str:
    """Return a key as base64 text."""
    return binascii.b2a_base64(key or b"", newline=False).decode()


def _secret(key: bytes | None) -> str | None:
    return None if key is None or key == NO_KEY else _text(key)


# --- writing ---


def _rows(words: Words, known: tuple[str, ...]) -> Steps[list[dict[str, Any]]]:
    """Return the peers with checked values: keys as bytes, networks, endpoints as messages."""
    given = words.given["peers"]
    if given is None and "listen_port" in words.given:
        return []
    if isinstance(given, (list, tuple)) and not given:
        return []
    rows: list[dict[str, Any]] = []
    keys: dict[bytes, str] = {}
    owners: dict[Network, str] = {}
    for row in words.rows("peers", dict.fromkeys(known)):
        key = _key(row, "public_key")
        if key is None:
            row.refuse("needs public_key")
        if key in keys:
            raise row.wrong("public_key", f"is that of {keys[key]} too; give each peer once")
        keys[key] = row.place
        made = {
            "public_key": key,
            "preshared_key": _key(row, "preshared_key"),
            "endpoint": (yield from _sockaddr(row)),
            "persistent_keepalive": row.integer("persistent_keepalive", 0, U16),
            "allowed_ips": _networks(row, "allowed_ips", owners),
        }
        if "remove" in known:
            made["add_allowed_ips"] = _networks(row, "add_allowed_ips", owners)
            made["remove"] = row.switch("remove")
            made["update_only"] = row.switch("update_only")
            others = [name for name in made if name != "remove" and made[name] is not None]
            if made["remove"] and others != ["public_key"]:
                row.refuse(f"cannot remove a peer and set its {others[1]}")
        rows.append(made)
    return rows


def _key(words: Words, name: str) -> bytes | None:
    """Return a key that is given as base64 text or bytes. An error does not quote it."""
    value = words.given[name]
    if value is None:
        return None
    key = value
    if isinstance(value, str):
        try:
            key = binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
        except ValueError:
            key = None
        if key is not None and _text(key) != value:
            key = None
    if isinstance(key, bytes) and len(key) == WG_KEY_LEN:
        return key
    size = f" of length {len(value)}" if isinstance(value, (str, bytes)) else ""
    raise EncodeError(
        f"expected a key: {WG_KEY_LEN} bytes, or their 44 characters of base64 text, "
        f"got a {type(value).__name__}{size}",
        path=f"{words.place}.{name}",
    )


def _networks(words: Words, name: str, owners: dict[Network, str]) -> tuple[Network, ...] | None:
    """Return a list of networks, without host bits as in the kernel. Each has one owner."""
    value = words.given[name]
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise words.expected(name, "a list of networks, such as ['10.0.0.2/32']")
    found: dict[Network, None] = {}
    for place, item in enumerate(value):
        one = Words(words.place, {f"{name}[{place}]": item})
        prefix = one.prefix(f"{name}[{place}]", "a network, such as '10.0.0.2/32' or '::/0'")
        if prefix is None or prefix.address is None:
            raise one.expected(f"{name}[{place}]", "a network, such as '10.0.0.2/32' or '::/0'")
        network = ip_network((prefix.address, prefix.length), strict=False)
        if owners.setdefault(network, words.place) != words.place:
            raise one.wrong(
                f"{name}[{place}]", f"{network} is also that of {owners[network]}; it has one peer"
            )
        found[network] = None
    return tuple(found)


def _sockaddr(words: Words) -> Steps[sockaddr | None]:
    """Return an endpoint, given as text, as a pair (address, port), or as an Endpoint."""
    value = words.given["endpoint"]
    if value is None:
        return None
    what = "an endpoint, such as '192.0.2.1:51820', '[2001:db8::1]:51820' or (address, port)"
    host: Any = value
    port: Any = None
    if isinstance(value, str):
        host, _, port = value.rpartition(":")
        is_plain = port.isascii() and port.isdecimal() and len(port) <= 5
        port = int(port) if is_plain else None
        if host[:1] == "[" and host[-1:] == "]":
            host = host[1:-1]
        elif ":" in host:
            port = None
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        host, port = value
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port <= U16:
        raise words.expected("endpoint", what)
    scope = 0
    if isinstance(host, str) and "%" in host:
        host, _, zone = host.partition("%")
        is_index = zone.isascii() and zone.isdecimal() and len(zone) < 10
        scope = int(zone) if is_index else (yield ifindex(zone))
    try:
        if not isinstance(host, (str, IPv4Address, IPv6Address)):
            raise ValueError
        found = ip_address(host)
    except ValueError:
        raise words.expected("endpoint", what) from None
    if isinstance(found, IPv6Address) and found.scope_id is not None:
        scope, found = int(found.scope_id), IPv6Address(int(found))
    if isinstance(found, IPv4Address):
        if scope:
            raise words.wrong("endpoint", f"an IPv4 address cannot have a zone, got {value!r}")
        return sockaddr(family=AF.AF_INET, port=port, rest=InetPart(addr=found))
    if found.is_link_local and not scope:
        raise words.wrong(
            "endpoint", f"a link-local address needs a zone, as in '[{found}%eth0]:{port}'"
        )
    rest = Inet6Part(addr=found, scope_id=scope)
    return sockaddr(family=AF.AF_INET6, port=port, rest=rest)


def _removal(key: bytes) -> PeerSet:
    flags = WGPEER_F.WGPEER_F_REMOVE_ME | WGPEER_F.WGPEER_F_UPDATE_ONLY
    return PeerSet(public_key=key, flags=flags)


def _parts(row: Mapping[str, Any]) -> Iterator[PeerSet]:
    """Yield the messages of a peer. A peer with many networks has several parts."""
    key = row["public_key"]
    if row.get("remove"):
        yield _removal(key)
        return
    flags = WGPEER_F(0)
    if row.get("update_only"):
        flags |= WGPEER_F.WGPEER_F_UPDATE_ONLY
    if row["allowed_ips"] is not None:
        flags |= WGPEER_F.WGPEER_F_REPLACE_ALLOWEDIPS
    networks = (*(row["allowed_ips"] or ()), *(row.get("add_allowed_ips") or ()))
    yield PeerSet(
        public_key=key,
        flags=flags or None,
        preshared_key=row["preshared_key"],
        endpoint=row["endpoint"],
        persistent_keepalive_interval=row["persistent_keepalive"],
        **_allowed(networks[:ALLOWED_IPS]),
    )
    for start in range(ALLOWED_IPS, len(networks), ALLOWED_IPS):
        yield PeerSet(
            public_key=key,
            flags=WGPEER_F.WGPEER_F_UPDATE_ONLY,
            **_allowed(networks[start : start + ALLOWED_IPS]),
        )


def _allowed(networks: tuple[Network, ...]) -> dict[str, Any]:
    """Return the field of the networks, or nothing if there are none."""
    made = [
        AllowedIp(
            family=family_of(network), ipaddr=network.network_address, cidr_mask=network.prefixlen
        )
        for network in networks
    ]
    return {"allowedips": made} if made else {}


def _difference(old: PeerState, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what must change so that a peer is as the row says, or None."""
    made: dict[str, Any] = dict.fromkeys(SYNC_WORDS)
    psk = row["preshared_key"] or NO_KEY
    if _secret(psk) != old.preshared_key:
        made["preshared_key"] = psk
    if row["endpoint"] is not None and _endpoint(row["endpoint"]) != old.endpoint:
        made["endpoint"] = row["endpoint"]
    keepalive = row["persistent_keepalive"] or 0
    if keepalive != old.persistent_keepalive:
        made["persistent_keepalive"] = keepalive
    wanted = row["allowed_ips"] or ()
    has, wants = set(old.allowed_ips), set(wanted)
    if has - wants:  # older kernels cannot remove a single one
        made["allowed_ips"] = wanted
    elif wants - has:
        made["add_allowed_ips"] = tuple(network for network in wanted if network not in has)
    if all(value is None for value in made.values()):
        return None
    return made | {"public_key": row["public_key"], "update_only": True}


def _send(
    where: Mapping[str, Any], fields: Mapping[str, Any], parts: Sequence[PeerSet]
) -> Steps[None]:
    """Send the fields with the first peers, and further peers in more requests."""
    first: Mapping[str, Any] = fields
    done = 0
    while True:
        size, end = 0, done
        while end < len(parts) and (size := size + len(bytes(parts[end])) + 4) <= PEERS_SIZE:
            end += 1
        some: dict[str, Any] = {"peers": parts[done:end]} if parts else {}
        try:
            yield set_device(**where, **first, **some)
        except KernelError as error:
            text = "the kernel may have applied the peers before the refused one"
            error.add_note(f"after {done} of {len(parts)} parts of peers were sent; {text}")
            raise
        done, first = end, {}
        if done >= len(parts):
            return
