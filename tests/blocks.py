"""The Python blocks of a documentation page, each with its expected output.

This file contains no test.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any, NamedTuple

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A code block of a page and its line. `expected` is the text block after it."""

    page: Path
    source: str
    expected: str | None
    line: int

    def run(self, names: dict[str, Any]) -> None:
        """Execute the block with the names that earlier blocks defined."""
        code = compile("\n" * self.line + self.source, self.page, "exec")  # for tracebacks
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, names)
        assert self.expected is None or out.getvalue() == self.expected


def blocks(page: Path) -> list[Block]:
    """Yield the Python blocks of a page."""
    text = page.read_text()
    found = [(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(text)]
    following = [*found, ("", "", 0)][1:]
    return [
        Block(page, source, after if word == "text" else None, line)
        for (language, source, line), (word, after, _) in zip(found, following, strict=True)
        if language == "python"
    ]
