"""Every callable of the compiled modules, called with hostile arguments by tests/hostile.py.

The calls run in child processes, so that a crash fails one part and names the call. Before methods
checked what self is, `Dispatch.drop(0, 0)` crashed the release build, and so did most methods.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import hostile

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs netlink sockets")

PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_hostile_calls(part: int, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.hostile", str(journal)]
    done = subprocess.run(
        [*command, str(part), str(PARTS)], capture_output=True, text=True, timeout=600, check=False
    )
    last = journal.read_text(errors="replace").strip() if journal.exists() else "nothing"
    assert done.returncode == 0, f"died in {last}\n{done.stderr[-2000:]}"
    assert "wrong: " not in done.stdout, done.stdout
    count = re.search(r"(\d+) calls", done.stdout)
    assert count is not None and int(count[1]) > 5000, done.stdout


def test_all_types_and_functions_are_found() -> None:
    names = {cls.__name__ for cls in hostile.types()}
    assert {"View", "Table", "Gather", "Column", "RawSocket", "Bitfield32", "_RawMessages"} <= names
    called = {name for name, _ in hostile.functions()}
    assert {"netlink._core._restore", "netlink._core.pack", "netlink._nlsock.setns"} <= called
    assert {"Exchange", "Batch", "Engine", "Queue", "Gate", "Channel", "Connection"} <= names
    assert {"netlink._exchange.untraced", "netlink.aio._events"} <= called
