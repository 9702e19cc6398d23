"""Live tests in a virtual machine, whose kernel has modules that this kernel may lack.

NETLINK_VM names the command that runs a command in the machine (tools/outside.py). Without it these
tests skip. An emulated machine is slow, so it runs only the tests that mostly skip elsewhere.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import outside

ROOT = Path(__file__).parent.parent
LIVE = [
    "test_addresses_live.py", "test_bridges.py", "test_link_kinds.py", "test_tc.py",
    "test_netdevsim.py", "test_wireguard.py",
    "test_nl80211_live.py", "test_generic_more.py",
]  # fmt: skip


def test_live_tests_in_a_virtual_machine() -> None:
    command = outside.vm()
    if command is None:
        pytest.skip("NETLINK_VM names no virtual machine")
    command += [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [f"tests/kernel/{name}" for name in LIVE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    found = re.findall(r"(\d+) (passed|skipped)", done.stdout)
    count = {word: int(number) for number, word in found}
    assert count["passed"] > 5 * count.get("skipped", 0), "the kernel there lacks modules"
