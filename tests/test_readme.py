"""The README's Python blocks run as they stand, and print what the text block behind them says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[object]:
    """Each Python block with its expected output, None where no text block follows it."""
    text = README.read_text()
    blocks = [(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in BLOCK.finditer(text)]
    following = [*blocks[1:], ("", "", 0)]
    return [
        pytest.param(source, after if word == "text" else None, line, id=f"line-{line}")
        for (language, source, line), (word, after, _) in zip(blocks, following, strict=True)
        if language == "python"
    ]


@pytest.mark.parametrize(("source", "expected", "line"), examples())
def test_example(netns: None, source: str, expected: str | None, line: int) -> None:
    code = compile("\n" * line + source, README, "exec")  # a traceback shows the README's line
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, {"__name__": "__main__"})
    assert expected is None or out.getvalue() == expected
