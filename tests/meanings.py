"""Meanings of message types for tests that use the core without a family."""

from __future__ import annotations

from collections.abc import Mapping

from netlink._core import Dispatch
from netlink.schema import MessageClass


def dispatch(classes: Mapping[int, MessageClass]) -> Dispatch:
    """Return a Dispatch in which each number means a class."""
    found = Dispatch()
    for number, cls in classes.items():
        found.meaning(number, f"TYPE_{number}", "test", False).give(cls)
    return found
