"""The kernel's own YNL client (tools/net/ynl of its source), as an oracle.

NETLINK_KERNEL names the source tree of a kernel. The client is loaded from there and never copied.
Requests are encoded without a socket. This module contains no tests.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Container
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from netlink import ynl
from netlink.ynl.names import struct_name
from netlink.ynl.spelling import spelled
from tools import outside

KERNEL = outside.kernel()
needs_client = pytest.mark.skipif(
    KERNEL is None, reason="NETLINK_KERNEL does not name the source tree of a kernel"
)


def specs() -> Path:
    """The folder of specs of the kernel's source."""
    assert KERNEL is not None
    return KERNEL / "Documentation/netlink/specs"


@cache
def family(path: Path, *, mend: bool = True) -> ynl.SpecFamily:
    """The family of a spec, with or without our corrections."""
    return ynl.build(ynl.parse(path.read_bytes(), str(path), mend=mend))


@cache
def client() -> ModuleType:
    """The module of the client."""
    assert KERNEL is not None
    (folder,) = (path.parent for path in KERNEL.glob("tools/net/ynl/**/ynl.py"))
    spec = importlib.util.spec_from_file_location(
        "kernel_ynl", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kernel_ynl"] = module
    spec.loader.exec_module(module)
    return importlib.import_module("kernel_ynl.ynl")


class _Raw:
    """Makes messages of a family whose number is 0, without a socket."""

    def __init__(self, module: ModuleType, is_generic: bool) -> None:
        self.protocol = object.__new__(
            module.GenlProtocol if is_generic else module.NetlinkProtocol
        )
        self.protocol.family_id = 0

    def message(self, flags: int, command: int, version: int, seq: int) -> bytes:
        made: bytes = self.protocol.message(flags, command, version, seq)
        return made


@cache
def encoder(path: Path) -> Any:
    """A client for a spec that can encode requests, and has no socket."""
    module = client()
    made = object.__new__(module.YnlFamily)
    module.SpecFamily.__init__(made, str(path), "")
    made.nlproto = _Raw(module, made.proto != "netlink-raw")
    return made


def encode(path: Path, op: str, values: dict[str, Any]) -> bytes:
    """The body of a request as the client encodes it: without the headers of the message."""
    made = encoder(path)
    whole: bytes = made._encode_message(made.ops[op], values, [], 1)
    return whole[16 if made.proto == "netlink-raw" else 20 :]


class Impossible(Exception):
    """A value that the client cannot write."""


def overridden(path: Path) -> set[int]:
    """The entries of subsets that change keys of their parent, which the client ignores."""
    sets = family(path, mend=False).spec.sets
    return {
        id(one.entry)
        for item in sets.values() if item.parent is not None
        for one in item.attributes
        if one.entry != next(a.entry for a in sets[item.parent].attributes if a.name == one.name)
    }  # fmt: skip


def unaligned(path: Path) -> dict[str, tuple[int, int]]:
    """The structs that the client packs, although C pads them: their sizes in C, and packed."""
    loaded = family(path, mend=False)
    found = {}
    for name in loaded.spec.structs:
        cls = loaded.message[struct_name(name)]
        if not cls.__table__.is_open:
            sizes = cls.__table__.total, encoder(path)._struct_size(name)
            if sizes[0] != sizes[1]:
                found[struct_name(name)] = sizes
    return found


def translated(
    message: Any, without: Container[str | int], *, in_struct: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A message as dicts for our arguments() and for the client: what the client cannot write is
    left out of both. Its writer (Linux 6.12) has no arrays, and wants addresses as numbers.
    `without` are structs that it lays out in another way than C, and entries that it ignores."""
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    whole = spelled(message)
    fields = type(message).__table__.names
    for name, entry in type(message).__spelled__.items():
        key = entry["name"]
        if key not in whole or key in ours or fields[name].kind_name == "pad":
            continue
        is_member = fields[name].number is None
        try:
            ours[key], theirs[key] = _pair(
                fields[name], getattr(message, name), whole[key], entry, without,
                in_struct=in_struct or is_member,
            )  # fmt: skip
        except Impossible:
            ours.pop(key, None)
    return ours, theirs


def _pair(
    field: Any,
    value: Any,
    shown: Any,
    entry: Any,
    without: Container[str | int],
    *,
    in_struct: bool,
) -> tuple[Any, Any]:
    kind = field.kind_name
    if id(entry) in without:
        raise Impossible
    if kind == "repeated":
        pairs = [
            _pair(field.element, v, s, entry, without, in_struct=in_struct)
            for v, s in zip(value, shown, strict=True)
        ]
        return [ours for ours, _ in pairs], [theirs for _, theirs in pairs]
    if kind in ("nest", "struct", "selected") and not isinstance(value, bytes):
        if value.unknown or type(value).__name__ in without:
            raise Impossible
        return translated(value, without, in_struct=kind == "struct")
    if kind in ("array", "mapping", "scalars", "selected"):
        raise Impossible
    if kind == "address":
        packed = value if isinstance(value, bytes) else value.packed
        if entry["type"] != "u32":
            return shown, packed.hex()
        return shown, int.from_bytes(packed, "big" if "byte-order" in entry else "little")
    if kind in ("binary", "mac"):
        data = bytes.fromhex(value.replace(":", "")) if isinstance(value, str) else value
        return shown, data.hex()
    if kind == "bitfield32":
        return shown, {"value": int(value[0]), "selector": int(value[1])}
    if isinstance(value, int) and not isinstance(value, bool):
        is_named = isinstance(shown, list) and all(isinstance(item, str) for item in shown)
        if in_struct or not (is_named or (isinstance(shown, str) and field.enum.__name__ != "Hex")):
            return shown, int(value)
    return shown, shown
