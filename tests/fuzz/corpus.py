"""Seeds: the vectors of the repository, those of NETLINK_VECTORS, and a folder of the caller.

A seed is an input that a target understands. This file must not read any other file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import netlink
from netlink import DecodeError, Message
from netlink.registry import FAMILIES
from tools import outside

ROOT = Path(__file__).parent
VECTORS = ROOT.parent / "vectors"
REGRESSIONS = ROOT / "regressions"
ANY_ID = 29  # a number for a generic family that has none of its own


@cache
def families() -> list[netlink.Family]:
    """Return every family, generic ones under some number."""
    loaded = [entry.load() for entry in FAMILIES]
    return [f.at(ANY_ID + n) if f.is_generic and f.id is None else f for n, f in enumerate(loaded)]


def datagrams(*folders: Path) -> Iterator[bytes]:
    """Yield the bytes of all vectors, and of the JSON lines and other files in some folders."""
    known = outside.vectors()
    for folder in (VECTORS, *([known] if known else []), *folders):
        for path in sorted(folder.rglob("*")):
            if path.suffix == ".jsonl":
                for line in path.read_text().splitlines():
                    record: dict[str, Any] = json.loads(line)
                    if found := record.get("hex"):
                        yield bytes.fromhex(found)
            elif folder in folders and path.is_file():
                yield path.read_bytes()


def messages(found: list[bytes]) -> Iterator[Message]:
    """Yield every message in some datagrams that a family knows, requests and replies."""
    for data in found:
        for family in families():
            if family.framing == "text":
                continue
            try:
                yield from (each for each in netlink.parse(data, family)
                            if isinstance(each, Message) and dict(each))  # fmt: skip
            except DecodeError:
                continue


def seeds(target: Any, *folders: Path) -> list[bytes]:
    """Return the seeds of a target, shortest first, each once."""
    found = list(dict.fromkeys(datagrams(*folders)))
    return sorted(dict.fromkeys(target.seeds(found)), key=len)


def regressions(name: str) -> list[dict[str, str]]:
    """Return the inputs that once broke a target, with what was wrong."""
    path = REGRESSIONS / f"{name}.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]
