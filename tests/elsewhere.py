"""Run the tests as if this were not a Linux: `python -m tests.elsewhere [PYTEST ARGUMENT...]`.

Other systems have no `netlink._nlsock`: the parser must work without it, and the tests that need
sockets must skip. This file must not import `netlink` at its top, because that would be too early.
It exists because only a public forge has other systems.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

PLATFORM = "darwin"


class _Absent:
    """A finder that finds no `netlink._nlsock`."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "netlink._nlsock":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def pretend() -> None:
    """Make this process look like another system, for the package and its tests."""
    if "netlink" in sys.modules:
        raise RuntimeError("netlink was imported before tests.elsewhere.pretend()")
    assert asyncio and subprocess  # they look at sys.platform when they are imported
    sysconfig.get_config_vars()  # looks for a file that has the platform in its name
    sys.platform = PLATFORM
    sys.meta_path.insert(0, _Absent)
    if hasattr(socket, "AF_NETLINK"):
        del socket.AF_NETLINK


if __name__ == "__main__":
    import pytest

    pretend()
    sys.exit(pytest.main(sys.argv[1:]))
