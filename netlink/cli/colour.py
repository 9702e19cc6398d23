"""Standard output on a terminal, by rich: colour, and rules in tables. No other file knows rich."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.table import Table
from rich.theme import Theme

from netlink.cli.output import ROWS, Output, Row, batches, printable

__all__ = ["ColourOutput"]

STYLES = {
    "address": "cyan",
    "new": "green",
    "gone": "red",
    "alarm": "bold white on red",
    "good": "green",
    "bad": "red",
    "time": "bright_black",
}


class Words(RegexHighlighter):
    """Gives the words of events and tables their styles; where two match, the later one wins."""

    base_style = "netlink."
    highlights = [  # noqa: RUF012
        r"(?P<address>\b\d+\.\d+\.\d+\.\d+(/\d+)?)",
        r"(?P<address>(?<![\w:.])[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*(/\d+)?)",
        r"(?P<new>\bRTM_NEW\w+)|(?P<gone>\bRTM_DEL\w+)|(?P<alarm>\bOVERRUN .*)",
        r"\b(?:(?P<good>up|reachable|permanent)|(?P<bad>down|failed|linkdown|dead))\b",
        r"^(?P<time>\d\d:\d\d:\d\d\.\d+)",
    ]


class ColourOutput(Output):
    """Text for a person. The environment's NO_COLOR and TERM=dumb are heeded (rich's Console)."""

    def __init__(self) -> None:
        self._console = Console(
            highlighter=Words(),
            theme=Theme({f"{Words.base_style}{word}": style for word, style in STYLES.items()}),
            markup=False,
            emoji=False,
            soft_wrap=True,
        )

    def line(self, text: str) -> None:
        """See Output."""
        self._console.print(printable(text))

    def heading(self, text: str) -> None:
        """See Output."""
        self._console.print(f"\n{text}", style="bold", highlight=False)

    def table(self, rows: Iterable[Row]) -> None:
        """See Output. What is long or too wide comes as lines: rich is slow, and cuts columns."""
        for batch in batches(rows):
            if len(batch.rows) == ROWS or not batch.is_first or batch.width > self._console.width:
                self._console.print("\n".join(batch.lines()))
                continue
            table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, highlight=True)
            for title, _, is_number in batch.columns:
                table.add_column(
                    title, header_style="bold", justify="right" if is_number else "left"
                )
            for row in batch.rows:
                table.add_row(*row)
            self._console.print(table)
