"""Material outside the repository is found through environment variables.

A variable that is not set means "skip". A variable that names nothing usable is an error, because
a typo must not turn into skipped tests.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from tools import outside

FOLDERS = {
    "NETLINK_SPECS": (outside.specs, "team.yaml"),
    "NETLINK_VECTORS": (outside.vectors, "inner/route.jsonl"),
    "NETLINK_KERNEL": (outside.kernel, "tools/net/ynl/lib/ynl.py"),
}


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("variable", [*FOLDERS, "NETLINK_VM"])
def test_not_set(variable: str, value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(variable, raising=False)
    if value is not None:
        monkeypatch.setenv(variable, value)
    find = outside.vm if variable == "NETLINK_VM" else FOLDERS[variable][0]
    assert find() is None


@pytest.mark.parametrize("variable", FOLDERS)
def test_a_folder(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find, name = FOLDERS[variable]
    monkeypatch.setenv(variable, str(tmp_path))
    with pytest.raises(FileNotFoundError, match=f"{variable}: .* contains no file"):
        find()
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    assert find() == tmp_path
    monkeypatch.setenv(variable, str(tmp_path / "absent"))
    with pytest.raises(FileNotFoundError, match=f"{variable}: .*absent"):
        find()


def test_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [sys.executable, "--memory", "two words", "--"]
    monkeypatch.setenv("NETLINK_VM", shlex.join(words))
    assert outside.vm() == words
    monkeypatch.setenv("NETLINK_VM", "/absent/vm --")
    with pytest.raises(FileNotFoundError, match="NETLINK_VM: found no program '/absent/vm'"):
        outside.vm()
