"""Our captures against what iproute2 printed of the same things at the same time.

A record of vectors/ that holds `shown` was seen by both: each value in iproute2's JSON must be a
value of ours, by the same name where we have one. iproute2 has spellings of its own; the tables
below say each of them, so that a value which no rule explains is a difference.
"""

from collections.abc import Callable, Iterator
from ipaddress import IPv6Address, ip_address
from typing import Any, cast

import pytest

from tests.test_vectors import OWN, Json, parsed, plain

SHOWN = [case for case in OWN if "shown" in cast("Json", case.values[0])]
USER_HZ = 100  # clock ticks a second (asm-generic/param.h)

# Fields of another name than ours.
NAMES = {
    "external": "collect_metadata",
    "fastleave": "fast_leave",
    "flavors": "operation",
    "flood": "unicast_flood",
    "hairpin": "mode",
    "ipproto": "ip_proto",
    "mac": "lladdr",
    "mcast_to_unicast": "mcast_to_ucast",
    "proxy_arp": "proxyarp",
    "proxy_arp_wifi": "proxyarp_wifi",
    "root_block": "protect",
}

# Words that are none of ours, and what they stand for: ours, or a number.
WORDS: dict[str, str | int] = {
    "Egress Untagged": "untagged",
    "End.B6.Encaps": "endb6encap",
    "GCM-AES-128": "default_cipher_id",
    "balance-rr": "roundrobin",
    "balance-tlb": "tlb",
    "dynamic": "",
    "egress": 1,
    "extern_learn": "ext_learned",
    "global": "universe",
    "home": "homeaddress",
    "ingress": 0,
    "ip6ip6": 41,
    "mngtmpaddr": "managetempaddr",
    "not": "invert",
    "off": 0,
    "on": 1,
    "permanent": "perm",
    "psp": 2,
    "resilient": "res",
    "static": "noarp",
    "tcp": 6,
    "temp": "temporary",
}
UNSAID = {"all", "any", "resolved"}  # words for what is absent, or 0

# What is not of this message, but asked for in another way; `id` is all that a link says of a
# program, and `nh_id` all that a route says of a next hop object.
FOREIGN = {"created_by_uid", "jited", "load_time", "name", "nh_info", "tag"}

# What went on between the message and iproute2.
MOVING = {"gc_timer", "idle_time", "refcnt", "timer", "unbalanced_time", "updated", "used"}


class Said:
    """All that a message says, as iproute2 may spell it."""

    def __init__(self, record: Json) -> None:
        message = parsed(record)
        self.links = record["shown"]["links"]
        self.found = [*leaves(message.to_json()), *leaves(plain(message))]
        self.hex = [value for _, value in self.found if isinstance(value, str)]

    def of(self, name: str) -> list[Any]:
        """The values of fields of a name, or of one that ends so."""
        return [mine for key, mine in self.found if key == name or key.endswith(f"_{name}")]

    def says(self, name: str, value: Any) -> bool:
        if name in RULES:
            return RULES[name](self, value)
        name = NAMES.get(name, name)
        where = self.of(name)
        if value is None or value is True:
            flag = letters(WORDS.get(name, name))
            return any(map(bool, where)) or any(letters(word).endswith(flag) for word in self.hex)
        if value is False:
            return not where or not all(map(bool, where))
        if not any(key == name for key, _ in self.found):
            where = [mine for _, mine in self.found]
        return any(self.alike(value, mine) for mine in where)

    def alike(self, theirs: Any, mine: Any) -> bool:
        wanted = WORDS.get(theirs, theirs)
        if wanted == mine or (wanted in self.links and self.links[wanted] == mine):
            return True
        if isinstance(mine, str):
            return letters(mine).endswith((letters(wanted), letters(theirs)))
        return isinstance(mine, int) and number(wanted) == mine


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each scalar, with the name that it goes by; a list of numbers also as a stack of labels."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, str(key).rstrip("_"))
    elif isinstance(value, list | tuple):
        if value and all(type(item) is int for item in value):
            yield name, "/".join(map(str, value))
        for item in value:
            yield from leaves(item, name)
    else:
        yield name, value.hex() if isinstance(value, bytes) else value


def letters(text: Any) -> str:
    return "".join(letter for letter in str(text).lower() if letter.isalnum())


def number(value: Any) -> int | None:
    """A number as iproute2 may print it: 5, "5", "0x5", and the key "0.0.0.5"."""
    text = str(value)
    try:
        return int(ip_address(text)) if text.count(".") == 3 else int(text, 0)
    except ValueError:
        return None


# --- what takes more than a word ------------------------------------------------------------------

Rule = Callable[[Said, Any], bool]


def realm(shift: int) -> Rule:
    """One half of RTA_FLOW or FRA_FLOW."""
    return lambda said, value: int(value) in [mine >> shift & 0xFFFF for mine in said.of("flow")]


def bits_of(field: str, shift: int, mask: int) -> Rule:
    return lambda said, value: (
        (number(value) or 0) in [mine >> shift & mask for mine in said.of(field)]
    )


def gre(field: str, flag: str) -> Rule:
    return lambda said, value: (flag in said.of(field)) is value


def ticks(field: str) -> Rule:
    return lambda said, value: value * USER_HZ in said.of(field)


def packed(said: Said, value: str) -> bool:
    """An address inside of bytes; a link-layer one has no other form."""
    digits = value.replace(":", "") if value.count(":") == 5 else ip_address(value).packed.hex()
    return any(digits in mine for mine in said.hex)


def bridge_id(said: Said, value: str) -> bool:
    """A priority in hexadecimal digits and an address, without leading zeros."""
    prio, _, octets = value.partition(".")
    address = ":".join(octet.zfill(2) for octet in octets.split(":"))
    return int(prio, 16) in said.of("prio") and address in said.of("addr")


def prefix(said: Said, value: str) -> bool:
    """A destination, its length where that is not the whole, or a stack of labels."""
    address, _, length = value.partition("/")
    if value == "default" or value in said.of("dst"):
        return True
    return address in said.of("dst") and int(length) in said.of("dst_len")


RULES: dict[str, Rule] = {
    "bridge_id": bridge_id,
    "dst": prefix,
    "dynamic": lambda said, value: "IFA_F_PERMANENT" not in said.of("flags"),
    "flow_from": realm(16),
    "flow_to": realm(0),
    "flowlabel": bits_of("flowinfo", 0, 0xFFFFF),
    "grp": packed,
    "icsum": gre("iflags", "GRE_CSUM"),
    "idle_timer": ticks("idle_timer"),
    "iseq": gre("iflags", "GRE_SEQ"),
    "locator": lambda said, value: int(IPv6Address(f"{value}::")) >> 64 in said.of("locator"),
    "ocsum": gre("oflags", "GRE_CSUM"),
    "oseq": gre("oflags", "GRE_SEQ"),
    "root_id": bridge_id,
    "sci": lambda said, value: int(value, 16) in said.of("sci"),
    "segs": packed,
    "tclass": bits_of("flowinfo", 20, 0xFF),
    "to": lambda said, value: (
        value in [*said.of("to"), *said.of("newdst")] or realm(0)(said, value)
    ),
    "from": lambda said, value: value in said.of("from") or realm(16)(said, value),
    "unbalanced_timer": ticks("unbalanced_timer"),
    "weight": lambda said, value: value - 1 in [*said.of("weight"), *said.of("hops")],
}


def shown(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of iproute2's JSON that are of the message, and stand still."""
    if isinstance(value, dict):
        for key in value.keys() - FOREIGN - MOVING:
            yield from shown(value[key], key)
    elif isinstance(value, list):
        for item in value:
            yield from shown(item, name)
    elif value not in UNSAID:
        yield name, value


@pytest.mark.parametrize("record", SHOWN)
def test_iproute2_shows_the_same(record: Json) -> None:
    said = Said(record)
    found = list(shown(record["shown"]["json"]))
    assert found
    assert [(name, value) for name, value in found if not said.says(name, value)] == []
