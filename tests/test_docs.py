"""The Python blocks of each page in docs/ run as one program, and print the output in the page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, KernelError, Pid, audit, connector
from netlink.generic import nlctrl
from netlink.netfilter import conntrack
from netlink.route import FAMILY as ROUTE
from netlink.route import link

from .blocks import blocks

DOCS = Path(__file__).parent.parent / "docs"


def test_family(netns: None) -> None:
    with Connection(nlctrl.FAMILY, timeout=20) as nl:
        try:
            nl.do(nlctrl.find_family("ethtool"))
        except KernelError as error:
            pytest.skip(f"the kernel lacks what the page is about: {error}")
    names: dict[str, Any] = {"__name__": "family"}
    found = blocks(DOCS / "family.md")
    for block in found:
        block.run(names)
    assert sum(block.expected is not None for block in found) == 3


def test_tracing() -> None:
    names: dict[str, Any] = {"__name__": "tracing"}
    found = blocks(DOCS / "tracing.md")
    for block in found:
        block.run(names)
    assert sum(block.expected is not None for block in found) == 2


def test_conversation() -> None:
    names: dict[str, Any] = {"__name__": "conversation"}
    found = blocks(DOCS / "conversation.md")
    for block in found:
        block.run(names)
    assert sum(block.expected is not None for block in found) == 8


def has_process_events() -> bool:
    """Whether the kernel sends process events to this process."""
    try:
        with Connection(connector.FAMILY, netns=Pid(os.getppid())) as nl:
            nl.do(connector.listen())
            nl.do(connector.ignore())
    except (OSError, TimeoutError):
        return False
    return True


def has_audit() -> bool:
    """Whether the kernel lets this process change rules of the audit system."""
    try:
        with Connection(audit.FAMILY, timeout=5) as nl:
            return nl.do(audit.get()).enabled != 2
    except OSError:
        return False


def has_conntrack() -> bool:
    """Whether the kernel tracks connections."""
    try:
        with Connection(conntrack.FAMILY) as nl:
            nl.do(conntrack.get_stats())
    except OSError:
        return False
    return True


def test_events(netns: None) -> None:
    names: dict[str, Any] = {"__name__": "events", "initial": Pid(os.getppid())}
    found = blocks(DOCS / "events.md")
    for block in found:
        if "audit" in block.source and not has_audit():
            continue
        if "conntrack" in block.source and not has_conntrack():
            continue
        if "connector" in block.source and not has_process_events():
            continue
        block.run(names)
    assert all(block.expected is not None for block in found)


def has_kind(kind: str) -> bool:
    """Whether the kernel makes links of a kind."""
    with Connection(ROUTE) as nl:
        try:
            nl.do(link.add("probe", kind))
        except KernelError:
            return False
        nl.do(link.remove("probe"))
    return True


def test_generic(netns: None) -> None:
    names: dict[str, Any] = {"__name__": "generic"}
    found = blocks(DOCS / "generic.md")
    for block in found:
        if "import wireguard" in block.source and not has_kind("wireguard"):
            continue
        block.run(names)
    assert all(block.expected is not None for block in found)


def test_ynl(netns: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DOCS.parent)
    with Connection(nlctrl.FAMILY, timeout=20) as nl:
        try:
            nl.do(nlctrl.find_family("ethtool"))
        except KernelError as error:
            pytest.skip(f"the kernel lacks what the page is about: {error}")
    names: dict[str, Any] = {"__name__": "ynl"}
    found = blocks(DOCS / "ynl.md")
    for block in found:
        block.run(names)
    assert sum(block.expected is not None for block in found) == 5


def test_pages_are_all_tried_here() -> None:
    # These have no Python; tests/test_cli.py tries the command line.
    silent = {
        "architecture.md", "command-line.md", "reliability.md", "security.md", "wireless.md"
    }  # fmt: skip
    tried = {
        "conversation.md", "events.md", "family.md", "generic.md", "tracing.md", "ynl.md"
    }  # fmt: skip
    assert {path.name for path in DOCS.glob("*.md")} == tried | silent
    assert not any(blocks(DOCS / name) for name in silent)
