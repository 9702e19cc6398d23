"""Changes of an input that keep the lengths of attributes right.

Changes of single bytes seldom pass the framing. So half of the inputs of a session are made here:
attributes are repeated, moved, removed, wrapped and exchanged, and all lengths around them are
corrected. A target that has attributes at the end of its input says where they begin.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

NLA_HDRLEN, DEPTH = 4, 6


class Attribute:
    """An attribute whose payload is bytes, or a list of attributes that look like a nest."""

    __slots__ = ("payload", "type")

    def __init__(self, type: int, payload: bytes | list[Attribute]) -> None:
        self.type = type
        self.payload = payload

    def copy(self) -> Attribute:
        """Return a copy, with copies of what is inside."""
        inside = self.payload
        return Attribute(
            self.type, inside if isinstance(inside, bytes) else [each.copy() for each in inside]
        )


def mutated(
    data: bytes, start: int, random: Random, change: Callable[[bytes], bytes]
) -> bytes | None:
    """Return an input with changed attributes from `start` on, or None if there are none.

    `change` changes the bytes of a payload.
    """
    found = parsed(data[start:], 0)
    if found is None:
        return None
    for _ in range(random.randint(1, 3)):
        lists = [*all_lists(found)]
        siblings = random.choice(lists)
        if not siblings:
            break
        place = random.randrange(len(siblings))
        one = siblings[place]
        others = random.choice(lists)
        match random.randrange(8):
            case 0:
                siblings.insert(random.randint(0, len(siblings)), one.copy())
            case 1:
                del siblings[place]
            case 2:
                others.insert(random.randint(0, len(others)), one.copy())
            case 3 if others:
                one.payload = random.choice(others).copy().payload
            case 4:
                one.type = random.choice(
                    [one.type ^ 1 << random.randrange(16), random.randrange(64)]
                )
            case 5 if others:
                one.type = random.choice(others).type
            case 6:
                one.payload = [one.copy()]
            case _:
                one.payload = change(one.payload if isinstance(one.payload, bytes)
                                     else written(one.payload))  # fmt: skip
    return data[:start] + written(found)


def parsed(data: bytes, depth: int) -> list[Attribute] | None:
    """Return the attributes in some bytes, or None if they are not a list of attributes."""
    found = []
    at = 0
    while at < len(data):
        if len(data) - at < NLA_HDRLEN:
            return None
        length, type = struct.unpack_from("=HH", data, at)
        if not NLA_HDRLEN <= length <= len(data) - at:
            return None
        payload = data[at + NLA_HDRLEN : at + length]
        inside = parsed(payload, depth + 1) if payload and depth < DEPTH else None
        found.append(Attribute(type, payload if inside is None else inside))
        at += length + 3 & ~3
    return found


def written(attributes: list[Attribute]) -> bytes:
    """Return the attributes as bytes, padded, with their lengths."""
    parts = []
    for each in attributes:
        payload = each.payload if isinstance(each.payload, bytes) else written(each.payload)
        payload = payload[: 0xFFFF - NLA_HDRLEN]
        parts.append(struct.pack("=HH", NLA_HDRLEN + len(payload), each.type))
        parts.append(payload + bytes(-len(payload) % 4))
    return b"".join(parts)


def all_lists(attributes: list[Attribute]) -> list[list[Attribute]]:
    """Return a list of attributes and all lists inside it."""
    found = [attributes]
    for each in attributes:
        if not isinstance(each.payload, bytes):
            found += all_lists(each.payload)
    return found
