"""Our own captured messages (tests/vectors), each with the command that caused it.

This module reads the files and parses the bytes. It contains no tests.
"""

import json
from pathlib import Path
from typing import Any

import pytest

import netlink
from netlink import Message
from netlink.route import FAMILY

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parent


def load(folder: Path) -> list[Json]:
    return [
        json.loads(line)
        for path in sorted(folder.glob("**/*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]


CAPTURES = load(ROOT / "vectors")
OWN = [pytest.param(record, id=f"{record['what']} of {record['kernel']}") for record in CAPTURES]


def parsed(record: Json) -> Message:
    (message,) = netlink.parse(bytes.fromhex(record["hex"]), FAMILY)
    assert isinstance(message, Message)
    return message


def plain(value: Any) -> Any:
    if isinstance(value, Message):
        return value.to_dict()
    if type(value) is tuple:
        return tuple(map(plain, value))
    return value
