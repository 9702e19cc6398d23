"""Captured messages of generic families, and what a spec of the same family makes of them.

tests/captures/FAMILY.jsonl has one JSON object a line: the kernel, what was done, the command and
the body of a message, and what to_json() gave. Run the tests of a family with NETLINK_CAPTURE=1 to
write them again:

    NETLINK_CAPTURE=1 pytest tests/kernel/test_wireguard.py -k captures

compare() reads one message with two declarations. This module contains no tests.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Iterator
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from netlink import Family, Message
from netlink.registry import load
from netlink.schema import Bitfield32

FOLDER = Path(__file__).parent / "captures"


def keep(family: str, what: str, messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return records of messages, and write them if NETLINK_CAPTURE asks for it."""
    types = load(family).reply_types
    assert types is not None
    found = [
        {
            "kernel": platform.release(),
            "what": what,
            "message": message.nlmsg_name,
            "number": int(types[message.nlmsg_name or ""]),
            "hex": bytes(message).hex(),
            "json": message.to_json(),
        }
        for message in messages
    ]
    if os.environ.get("NETLINK_CAPTURE"):
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{family}.jsonl"
        old = path.read_text().splitlines() if path.exists() else []
        others = [line for line in old if json.loads(line)["what"] != what]
        path.write_text("\n".join([*others, *map(json.dumps, found)]) + "\n")
    return found


def records(family: str) -> list[dict[str, Any]]:
    """Return the records of a family."""
    return [*map(json.loads, (FOLDER / f"{family}.jsonl").read_text().splitlines())]


def read(family: Family, record: dict[str, Any]) -> Any:
    """Return the message of a record as a family declares it."""
    return family.classes[record["number"]].from_bytes(bytes.fromhex(record["hex"]))


def compare(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Yield the differences between two readings of the same bytes, attribute by attribute.

    Names may differ, and so may the types that numbers and bytes are shown as. What only one of
    both declares is a difference too.
    """
    one, two = ({f.number: f for f in type(m).__table__.fields} for m in (ours, theirs))
    present = {number for path_, number, _ in ours.attributes() if "." not in path_}
    for number in sorted(present):
        if (number in one) != (number in two):
            yield f"{path}{number}: only {'ours' if number in one else 'the spec'}"
        elif number in one:
            names = one[number].name, two[number].name
            values = getattr(ours, names[0]), getattr(theirs, names[1])
            yield from _values(*values, f"{path}{names[0]}")


def _values(ours: Any, theirs: Any, path: str) -> Iterator[str]:
    if isinstance(ours, Message) and isinstance(theirs, Message):
        if type(ours).__table__.has_attributes and type(theirs).__table__.has_attributes:
            yield from compare(ours, theirs, f"{path}.")
            return
        ours, theirs = bytes(ours), bytes(theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if [*map(int, ours)] != [*map(int, theirs)]:
            yield f"{path}: {[*ours]} and {[*theirs]}"
        ours, theirs = tuple(ours.values()), tuple(theirs.values())
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        if len(ours) != len(theirs):
            yield f"{path}: {len(ours)} and {len(theirs)} values"
        for place, (one, two) in enumerate(zip(ours, theirs, strict=False)):
            yield from _values(one, two, f"{path}[{place}]")
        return
    if _plain(ours) != _plain(theirs):
        yield f"{path}: {ours!r} and {theirs!r}"


def _plain(value: Any) -> Any:
    """Return a value without the type that it is shown as."""
    if isinstance(value, Message):
        return bytes(value)
    if isinstance(value, (IPv4Address, IPv6Address)):
        return value.packed
    if isinstance(value, Bitfield32):
        return int(value.value), int(value.selector)
    return int(value) if isinstance(value, (int, Enum)) else value
