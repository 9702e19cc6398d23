"""The files of the project agree: the same Python versions, and each tool with a pinned version.

No other test compares these files, so nothing else would notice that one was forgotten.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
METADATA = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = [
    name.rpartition(" ")[2]
    for name in METADATA["project"]["classifiers"]
    if re.search(r"Python :: 3\.\d+$", name)
]
NEWER = ["3.14"]  # CI and the forge try them where they are installed; nothing promises them
# Where all versions stand, or the first and the last: a pattern whose group holds them.
PLACES = {
    "CONTRIBUTING.md": r"Python ([\d.]+ to [\d.]+\d) with its headers",
    ".ci/run": r"^pythons\(\).*for version in ([\d. ]+);",
    ".github/workflows/tests.yml": r"^        python: (.*)$",
    "README.md": r"^Python ([\d.]+ to [\d.]+\d)\.",
    "noxfile.py": r"^PYTHONS = (.*)$",
}


def text(name: str) -> str:
    if not (ROOT / name).exists():
        pytest.skip(f"{name} is not part of an sdist")
    return (ROOT / name).read_text()


def test_metadata() -> None:
    assert METADATA["project"]["requires-python"] == f">={PYTHONS[0]}"
    builds = [f"cp{version.replace('.', '')}-*" for version in PYTHONS]
    assert METADATA["tool"]["cibuildwheel"]["build"] == builds


@pytest.mark.parametrize("name", PLACES)
def test_the_pythons_are_the_same(name: str) -> None:
    found = re.findall(PLACES[name], text(name), re.MULTILINE)
    assert found
    is_promise = name.endswith(".md")
    every = PYTHONS if is_promise else PYTHONS + NEWER
    lists = [re.findall(r"3\.\d+", place) for place in found]
    assert all(versions in (every, [every[0], every[-1]]) for versions in lists)
    assert is_promise or every in lists


def test_workflows_pin_what_they_use() -> None:
    workflows = sorted((ROOT / ".github/workflows").glob("*.yml"))
    if not workflows:
        pytest.skip("workflows are not part of an sdist")
    versions: dict[str, set[str]] = {}
    for path in workflows:
        for used in re.findall(r"uses: (\S+)", path.read_text()):
            name, _, version = used.partition("@")
            if name.startswith("./"):
                assert (ROOT / name).exists()
            else:
                assert re.fullmatch(r"v\d+\.\d+\.\d+", version), used
                versions.setdefault(name, set()).add(version)
    assert versions
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_nothing_holds_a_credential() -> None:
    """The index trusts the identity that the forge gives to the workflow (OIDC)."""
    release = text(".github/workflows/release.yml")
    assert "id-token: write" in release
    assert not re.search(r"secrets\.|password|api-token", release)
