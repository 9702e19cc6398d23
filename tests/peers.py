"""Records of other libraries' tests (NETLINK_VECTORS), and how their values differ from ours.

This module contains no tests.
"""

import enum
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest

from netlink import Message, schema
from tests.records import Json, load
from tools import outside

NLA_HDRLEN = 4
NLA_TYPE_MASK = 0x3FFF

FOLDER = outside.vectors()
PEERS = load(FOLDER) if FOLDER else []
ABSENT = pytest.mark.skip("NETLINK_VECTORS names no folder of records")


def records(*families: str, malformed: bool = False) -> list[Any]:
    found = [
        pytest.param(record, id=record["id"])
        for record in PEERS
        if record["family"] in families and ("kind" in record) is malformed
    ]
    return found or [pytest.param({}, marks=ABSENT)]


# Struct members to which the other library gives its own names.
PEER_NAMES = {
    "ifa_preferred": "prefered",
    "priority": "prio",
    "address": "addr",
    "value": "optval",
    "mask": "optmask",
    "vf_id": "vf",
    "vlan_id": "vlan",
    "enabled": "setting",
    "state": "link_state",
    "protocol": "vlan_proto",
    "AF_INET": "inet",
    "AF_INET6": "inet6",
    "AF_MCTP": "mctp",
    "BOND_XSTATS_3AD": "bond_3ad",
    "table": "frh_table",
}


def field_of(cls: type[Message], name: str, *, attribute: bool) -> schema.Field | None:
    """Return our field for a uapi name (lower case, without the set's prefix) or for "#number"."""
    fields = cls.__table__.names
    if name.startswith("#"):
        return next((field for field in fields.values() if field.number == int(name[1:])), None)
    parts = name.split("_")
    tails = ["_".join(parts[first:]).lower() for first in range(len(parts))]
    for candidate in [*tails, PEER_NAMES.get(name, ""), tails[-1] + "_"]:
        field = fields.get(candidate)
        if field is not None and (field.number is not None) is attribute:
            return field
    return None


def differences(expected: Any, value: Any, payload: bytes, path: str) -> Iterator[str]:
    """Return where our values differ from those in a record. `payload` is on the wire."""
    if isinstance(expected, dict):
        yield from tagged_differences(expected, value, payload, path)
    elif isinstance(value, Message):  # the members of a struct, in a list
        yield from () if [member for _, member in value] == expected else (path,)
    elif isinstance(expected, list):
        if not isinstance(value, tuple) or len(value) != len(expected):
            yield path
            return
        for position, (one, ours) in enumerate(zip(expected, value, strict=True)):
            yield from differences(one, ours, b"", f"{path}[{position}]")
    elif isinstance(value, IPv4Address | IPv6Address):
        yield from () if value == ip_address(expected) else (path,)
    elif value != expected:
        yield path


def tagged_differences(expected: Json, value: Any, payload: bytes, path: str) -> Iterator[str]:
    match expected:
        case {"$unknown": True, "nla_len": length}:  # the peer does not know the attribute
            yield from () if len(payload) == length - NLA_HDRLEN else (path,)
        case {"$attrs": attributes}:
            if isinstance(value, Message):
                yield from attribute_differences(attributes, value, path)
            elif isinstance(value, tuple) and len(value) == len(attributes):  # an array
                for position, ((_, one), mine) in enumerate(zip(attributes, value, strict=True)):
                    yield from differences(one, mine, b"", f"{path}[{position}]")
            else:
                yield f"{path}:bytes"  # a nest that has no class yet
        case {"$bytes": text}:
            octets = value.replace(":", "") if isinstance(value, str) else payload.hex()
            yield from () if text in (octets, payload.hex()) else (path,)
        case {"$string": text}:
            yield from () if payload.rstrip(b"\0") == text.encode() else (path,)
        case {"$enum": name, "value": number}:
            if value != number:
                yield path
            elif isinstance(value, enum.IntEnum) and name != value.name and "::" not in name:
                yield f"{path}:name"  # with a "::" it is a name of the peer's own
        case {"$flags": names, "value": number}:
            if value != number:
                yield path
            elif "::" in "".join(names):  # the peer's own
                return
            elif isinstance(value, enum.IntFlag) and {flag.name for flag in value} != set(names):
                yield f"{path}:name"
        case {"major": _, "minor": _, "value": number}:  # a handle of traffic control
            yield from () if value == number else (path,)
        case {"source": source, "destination": destination}:  # the halves of a realm
            yield from () if value == source << 16 | destination else (path,)
        case {"label": label}:  # one of an MPLS stack
            yield from () if value == label else (path,)
        case _ if isinstance(value, Message):
            for name, member in expected.items():
                if name == "attrs":  # of a next hop
                    attributes = member.get("$attrs", list(member.items()))
                    yield from attribute_differences(attributes, value, path)
                elif name == "generic":  # what all actions begin with: struct tc_gen
                    yield from differences(member, value, b"", path)
                elif not name.startswith("$"):
                    yield from member_differences(name, member, value, path)
        case _ if isinstance(value, tuple):  # an array of counters or settings, by name
            members = [member for name, member in expected.items() if not name.startswith("$")]
            yield from () if list(value[: len(members)]) == members else (path,)
        case {"addr": {"$bytes": text}}:
            octets = value.replace(":", "") if isinstance(value, str) else value.hex()
            yield from () if octets == text else (path,)
        case _:
            yield path


def member_differences(name: str, expected: Any, message: Message, path: str) -> Iterator[str]:
    field = field_of(type(message), name, attribute=False)
    if field is None:
        yield f"{path}.{name}"
        return
    value = getattr(message, field.name)
    payload = value if isinstance(value, bytes) else b""
    yield from differences(expected, value, payload, f"{path}.{field.name}")


def attribute_differences(
    expected: list[list[Any]], message: Message, path: str, *, partial: bool = False
) -> Iterator[str]:
    """Return the differences of attributes, by number and in wire order."""
    body = bytes(message)
    found = [
        (kind & NLA_TYPE_MASK, body[offset : offset + length])
        for kind, offset, length in message._walk()
    ]
    if partial:  # the record does not say all: look at those that it names
        named = [field_of(type(message), name, attribute=True) for name, _ in expected]
        numbers = [field.number for field in named if field is not None]
        found = sorted(
            (item for item in found if item[0] in numbers), key=lambda item: numbers.index(item[0])
        )
    if len(found) != len(expected):
        yield f"{path}:count"
        return
    times: dict[str, int] = {}
    for (name, wanted), (number, payload) in zip(expected, found, strict=True):
        field = field_of(type(message), name, attribute=True)
        if field is None:
            yield f"{path}.{name}"
            assert (number, payload) in message.unknown  # and so kept
            continue
        assert field.number == number, (path, name)
        value = getattr(message, field.name)
        if field.kind_name == "repeated":
            times[name] = times.get(name, -1) + 1
            value = value[times[name]]
        yield from differences(wanted, value, payload, f"{path}.{field.name}")
