"""What the tests of rtnetlink share: scenes made by iproute2, and what it shows of them.

No kernel has everything. A test whose scene the kernel refuses skips, with the kernel's words.
"""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from netlink import Connection

Json = dict[str, Any]

# Errors of a kernel that was built without a feature.
LACKS = (
    "Operation not supported",
    "Unknown device type",
    "lwt encapsulation type not supported",
    "Family not supported",
    "Dump terminated",
    "Specified qdisc kind is unknown",
    "TC classifier not found",
    "Failed to load TC action module",
)


def make(lines: str, program: str = "ip") -> None:
    """Run lines of ip or bridge. Skip the test if the kernel lacks a feature that they need."""
    command = [*program.split(), "-batch", "-"]
    run = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60)
    if any(lack in run.stderr for lack in LACKS):
        pytest.skip(f"the kernel lacks it: {' '.join(run.stderr.split())}")
    assert run.returncode == 0, run.stderr


def shown(arguments: str, program: str = "ip") -> list[Json]:
    """Like ip(), but fail if nothing at all is printed."""
    run = subprocess.run([program, "-j", *arguments.split()], capture_output=True, text=True)
    if any(lack in run.stderr for lack in LACKS):
        pytest.skip(f"the kernel lacks it: {' '.join(run.stderr.split())}")
    assert run.returncode == 0, run.stderr
    found: list[Json] = json.loads(run.stdout or "[]")
    return found


def events(nl: Connection, group: str, do: Callable[[], Any], timeout: float = 0.5) -> list[Any]:
    """Return the events of a group while something is done."""
    try:
        nl.join(group)
    except OSError as error:
        pytest.skip(f"the kernel has no such group: {error}")
    do()
    return list(nl.events(timeout=timeout))
