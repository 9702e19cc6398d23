"""Our captures, compared with what iproute2 printed for the same objects at the same time.

A record of vectors/ with `shown` has both. Each value in iproute2's JSON must be equal to our
value, of the same name if we have that name. Each word of its monitor's text must be one of our
values or names. iproute2 spells some values differently. The tables below list these spellings, so
a value that no rule explains is a difference.
"""

import re
import socket
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address, ip_address
from typing import Any, cast

import pytest

from tests.records import OWN, Json, parsed, plain


def shown_as(form: str) -> list[Any]:
    return [case for case in OWN if form in cast("Json", case.values[0]).get("shown", ())]


USER_HZ = 100  # clock ticks a second (asm-generic/param.h)

# Fields of another name than ours.
NAMES = {
    "designated_bridge": "bridge_id",
    "designated_root": "root_id",
    "external": "collect_metadata",
    "fastleave": "fast_leave",
    "flavors": "operation",
    "flood": "unicast_flood",
    "hairpin": "mode",
    "ipproto": "ip_proto",
    "mac": "lladdr",
    "mcast_fast_leave": "fast_leave",
    "mcast_router": "multicast_router",
    "mcast_to_unicast": "mcast_to_ucast",
    "port_id": "id",
    "port_no": "no",
    "proxy_arp": "proxyarp",
    "proxy_arp_wifi": "proxyarp_wifi",
    "root_block": "protect",
}

# Words of iproute2, and our word or the number that they stand for.
WORDS: dict[str, str | int] = {
    "Egress Untagged": "untagged",
    "End.B6.Encaps": "endb6encap",
    "GCM-AES-128": "default_cipher_id",
    "balance-rr": "roundrobin",
    "balance-tlb": "tlb",
    "bridge_slave": "bridge",
    "default": 0,
    "disabled": 0,
    "dynamic": "",
    "egress": 1,
    "extern_learn": "ext_learned",
    "forever": 0xFFFFFFFF,
    "global": "universe",
    "home": "homeaddress",
    "ingress": 0,
    "ip": 0x0800,
    "ip6ip6": 41,
    "ipv4": 0x0800,
    "loose": 2,
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
# Words for what is absent, or 0; M-DOWN is a question about the other end.
UNSAID = {"M-DOWN", "all", "any", "nodad", "resolved"}

# Words of the monitor's text that are not values: labels, kinds of events, and names of namespaces,
# which it looks up by their numbers. It omits a space before "dev".
LABELS = {
    "*flowid", "64dev", "Added", "Deleted", "Egress", "RX", "TX", "acts", "added", "altname", "as",
    "at", "bind", "bkt", "brd", "ceil", "class", "deleted", "dev", "device", "direct_packets_stat",
    "drop", "dst_ip", "dstport", "ewma", "filter", "filter_mode", "group", "group_fwd_mask_str",
    "iproute2", "key", "link-netns", "lookup", "match", "mcast_router", "metric", "name", "netns",
    "new-netns", "not_in_hw", "noudp6zerocsumrx", "noudp6zerocsumtx", "peer", "police", "port",
    "preferred", "preferred_lft", "prefix", "qdisc", "quantum", "r2q", "ref", "refcnt", "remote",
    "src", "srcport", "state", "total", "two", "valid", "valid_lft", "via", "vq", "vqs",
}  # fmt: skip

# Keys that ip gets by other requests. A link has only the `id` of its program, and a route only the
# `nh_id` of its next hop object.
FOREIGN = {"created_by_uid", "jited", "load_time", "name", "nh_info", "tag"}

# Keys whose values changed between the message and the output of iproute2.
MOVING = {"gc_timer", "idle_time", "refcnt", "timer", "unbalanced_time", "updated", "used"}


class Said:
    """All values of a message, in each form that iproute2 may print."""

    def __init__(self, record: Json) -> None:
        message = parsed(record)
        self.links = record["shown"]["links"]
        self.found = [*leaves(message.to_json()), *leaves(plain(message))]
        self.hex = [value for _, value in self.found if isinstance(value, str)]

    def of(self, name: str) -> list[Any]:
        """Return the values of the fields with this name, or with a name that ends with it."""
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

    def tells(self, name: str, word: str) -> bool:
        """Return whether a word is one of our names or values, or follows from them by a rule."""
        rules = RULES | TEXT_RULES
        if word in UNSAID | LABELS | rules.keys() or self.names(word):
            return True
        if name in rules:
            return rules[name](self, word)
        if found := re.fullmatch(r"(\d+),(\d+)", word):  # a next hop of a group, and its weight
            return int(found[1]) in self.of("id") and RULES["weight"](self, found[2])
        where = self.of(NAMES.get(name, name)) or [mine for _, mine in self.found]
        return any(self.alike(word, mine) or mine in sizes(word) for mine in where)

    def names(self, word: str) -> bool:
        """Return whether one of our fields has this name."""
        name = letters(NAMES.get(word, word))
        return any(letters(key).endswith(name) for key, _ in self.found)

    def alike(self, theirs: Any, mine: Any) -> bool:
        wanted = WORDS.get(theirs, theirs)
        if wanted == mine or (wanted in self.links and self.links[wanted] == mine):
            return True
        if isinstance(mine, str):
            return letters(mine).endswith((letters(wanted), letters(theirs)))
        return isinstance(mine, int) and number(wanted) == mine


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each scalar with its name. A list of numbers is also a stack of labels."""
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
    """Return a number that iproute2 prints as 5, "5", "0x5" or "0.0.0.5"."""
    text = str(value)
    try:
        return int(ip_address(text)) if text.count(".") == 3 else int(text, 0)
    except ValueError:
        return None


# Units of sizes, of rates (bits per second; bytes on the wire) and of times.
UNITS = {"b": 1, "p": 1, "Kb": 1 << 10, "Mb": 1 << 20, "Kbit": 125, "Mbit": 125_000, "sec": 1}


def sizes(word: str) -> list[int]:
    """Return the wire values for a number with a unit, or for a handle of traffic control."""
    if found := re.fullmatch(r"if(\d+)", word):  # a link that is not here
        return [int(found[1])]
    if found := re.fullmatch(r"(\d+)([A-Za-z]+)", word):
        return [int(found[1]) * UNITS[found[2]]] if found[2] in UNITS else []
    if found := re.fullmatch(r"([0-9a-f]{1,4}):?([0-9a-f]{0,4})", word):
        return [int(found[1], 16) << 16 | int(found[2] or "0", 16)]
    return []


# --- what takes more than a word ------------------------------------------------------------------

Rule = Callable[[Said, Any], bool]


def realm(shift: int) -> Rule:
    """One half of RTA_FLOW or FRA_FLOW."""
    return lambda said, value: number(value) in [mine >> shift & 0xFFFF for mine in said.of("flow")]


def bits_of(field: str, shift: int, mask: int) -> Rule:
    return lambda said, value: (
        (number(value) or 0) in [mine >> shift & mask for mine in said.of(field)]
    )


def gre(field: str, flag: str) -> Rule:
    return lambda said, value: (flag in said.of(field)) is value


def numbers(found: list[Any]) -> list[int]:
    return [mine for mine in found if isinstance(mine, int)]


def ticks(field: str) -> Rule:
    return lambda said, value: value * USER_HZ in said.of(field)


def timer(field: str) -> Rule:
    return lambda said, value: int(float(value) * USER_HZ) in said.of(field)


def burst(*fields: str) -> Rule:
    """Return a rule for bytes: their time at the rate next to it, in ticks of 64 ns."""

    def rule(said: Said, value: str) -> bool:
        times = [mine * 64e-9 for field in fields for mine in said.of(field)]
        return any(round(rate * time) in sizes(value) for rate in said.of("rate") for time in times)

    return rule


def preference(said: Said, value: str) -> bool:
    """Match the preference of a router, or the priority in the upper half of a filter's info."""
    return any(said.alike(value, mine) for mine in said.of("pref")) or bits_of("info", 16, 0xFFFF)(
        said, value
    )


def knot(said: Said, value: str) -> bool:
    """Match a u32 handle, TABLE:BUCKET:NODE. Parts may be missing."""
    table, _, rest = value.partition(":")
    bucket, _, node = rest.partition(":")
    handle = int(table, 16) << 20 | int(bucket or "0", 16) << 12 | int(node or "0", 16)
    ours = [int(str(mine), 0) for mine in said.of("handle")]
    return any(handle in (mine, mine & 0xFFF00000) for mine in ours)


def position(said: Said, value: str) -> bool:
    """Match the position of a node in its hash table, or of an action in the message."""
    return int(value) in [1, *(int(str(mine), 0) & 0xFFF for mine in said.of("handle"))]


def either(*fields: str) -> Rule:
    return lambda said, value: any(
        said.alike(value, mine) for field in fields for mine in said.of(field)
    )


def vlan(said: Said, value: int) -> bool:
    """Match a VLAN, or one inside a range whose ends the kernel sends."""
    found = [*said.of("vid"), *said.of("vlan"), *said.of("id")]
    is_range = "BRIDGE_VLAN_INFO_RANGE_BEGIN" in said.hex
    return value in found or (is_range and min(found) < value < max(found))


def version(said: Said, value: str) -> bool:
    """Match the version of htb: the two halves of a number."""
    major, _, minor = value.partition(".")
    return int(major) << 16 | int(minor) in said.of("version")


def packed(said: Said, value: str) -> bool:
    """Match an address inside bytes. A link-layer address has no other form."""
    digits = value.replace(":", "") if value.count(":") == 5 else ip_address(value).packed.hex()
    return any(digits in mine for mine in said.hex)


def bridge_id(said: Said, value: str) -> bool:
    """Match a bridge ID: a priority in hexadecimal and an address, without leading zeros."""
    prio, _, octets = value.partition(".")
    address = ":".join(octet.zfill(2) for octet in octets.split(":"))
    return int(prio, 16) in said.of("prio") and address in said.of("addr")


def prefix(said: Said, value: str) -> bool:
    """Match a destination with its length (unless that is the whole), or a stack of labels."""
    address, _, length = value.partition("/")
    if value == "default" or value in said.of("dst"):
        return True
    return address in said.of("dst") and int(length) in said.of("dst_len")


RULES: dict[str, Rule] = {
    "bridge_id": bridge_id,
    "dst": prefix,
    "dynamic": lambda said, value: "IFA_F_PERMANENT" not in said.of("flags"),
    "expires": lambda said, value: any(  # a second may have begun
        abs(int(value) * USER_HZ - mine) <= USER_HZ for mine in said.of("expires")
    ),
    "flow_from": realm(16),
    "flow_to": realm(0),
    "flowlabel": bits_of("flowinfo", 0, 0xFFFFF),
    "forward_delay_timer": timer("forward_delay_timer"),
    "from": lambda said, value: value in said.of("from") or realm(16)(said, value),
    "grp": packed,
    "hold_timer": timer("hold_timer"),
    "icsum": gre("iflags", "GRE_CSUM"),
    "idle_timer": ticks("idle_timer"),
    "iseq": gre("iflags", "GRE_SEQ"),
    "locator": lambda said, value: int(IPv6Address(f"{value}::")) >> 64 in said.of("locator"),
    "message_age_timer": timer("message_age_timer"),
    "ocsum": gre("oflags", "GRE_CSUM"),
    "oseq": gre("oflags", "GRE_SEQ"),
    "root_id": bridge_id,
    "rtt": lambda said, value: value * 8 in said.of("rtt"),  # ms
    "sci": lambda said, value: int(value, 16) in said.of("sci"),
    "segs": packed,
    "tclass": bits_of("flowinfo", 20, 0xFF),
    "to": lambda said, value: (
        value in [*said.of("to"), *said.of("newdst")]
        or number(value) in said.of("newdst")
        or realm(0)(said, value)
    ),
    "unbalanced_timer": ticks("unbalanced_timer"),
    "vlan": vlan,
    "weight": lambda said, value: int(value) - 1 in [*said.of("weight"), *said.of("hops")],
}

# Rules for the monitor's text only: one word stands for several keys of the JSON.
TEXT_RULES: dict[str, Rule] = {
    "burst": burst("buffer", "burst"),
    "cburst": burst("cbuffer"),
    "designated_bridge": bridge_id,
    "designated_root": bridge_id,
    "fh": knot,
    "ht": knot,
    "link": either("link", "type"),
    "order": position,
    "pref": preference,
    "probability": lambda said, value: any(
        round(mine / (1 << 32), 6) == float(value) for mine in numbers(said.of("max_p"))
    ),
    "proto": either("proto", "protocol", "rtprot"),
    "protocol": lambda said, value: (
        WORDS[value] in [socket.ntohs(mine & 0xFFFF) for mine in said.of("info")]
    ),
    "ver": version,
}


def shown(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield values of iproute2's JSON that belong to the message and do not change."""
    if isinstance(value, dict):
        for key in value.keys() - FOREIGN - MOVING:
            yield from shown(value[key], key)
    elif isinstance(value, list):
        for item in value:
            yield from shown(item, name)
    elif value not in UNSAID:
        yield name, value


@pytest.mark.parametrize("record", shown_as("json"))
def test_iproute2_shows_the_same(record: Json) -> None:
    said = Said(record)
    found = list(shown(record["shown"]["json"]))
    assert found
    assert [(name, value) for name, value in found if not said.says(name, value)] == []


# --- what the monitor says of the very message ----------------------------------------------------


def words(text: str) -> Iterator[tuple[str, str]]:
    """Yield each word with the word before it, which may be its name."""
    before = ""
    for word in re.split(r"[\s<>@/()\[\]]+|(?<!\d),|:(?=\s)", text):
        if word:
            yield before, word
            before = word


@pytest.mark.parametrize("record", shown_as("text"))
def test_the_monitor_says_the_same(record: Json) -> None:
    said = Said(record)
    found = list(words(record["shown"]["text"]))
    assert found
    assert [(name, word) for name, word in found if not said.tells(name, word)] == []
