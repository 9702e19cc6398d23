"""What mypy infers of fields, constructors, ops and replies: the comments in typing_cases.py."""

import re
from pathlib import Path

import pytest

CASES = Path(__file__).with_name("typing_cases.py")


def short(revealed: str) -> str:
    """A type as the cases spell it: names without their modules."""
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", revealed)


def test_what_mypy_infers() -> None:
    api = pytest.importorskip("mypy.api", reason="mypy is not installed")
    root = CASES.parent.parent
    settings = ["--strict", "--config-file", "", "--show-error-codes", "--no-error-summary"]
    out, err, _ = api.run([*settings, "--no-incremental", str(CASES.relative_to(root))])
    assert not err
    found: dict[int, list[str]] = {}
    for line, level, words in re.findall(r"^\S+?:(\d+): (error|note): (.*)$", out, re.MULTILINE):
        if level == "error":
            found.setdefault(int(line), []).append("error: " + words.rpartition("[")[2].rstrip("]"))
        elif words.startswith("Revealed type is"):
            found.setdefault(int(line), []).append("is " + short(words.split('"')[1]))
    expected = {
        number: [match[1]]
        for number, text in enumerate(CASES.read_text().splitlines(), 1)
        if (match := re.search(r"  # ((?:is|error:) .*)$", text))
    }
    assert found == expected
