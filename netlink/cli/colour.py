"""Output on a terminal with the package rich: colours, and lines in tables.

Only this file imports rich, because rich is optional. It must not choose the widths of columns:
output.py does that, for tables with and without colour.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.table import Table
from rich.theme import Theme

from netlink.cli.output import ROWS, Output, Row, batches
from netlink.render import printable

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
    """Styles for the words in events and tables. If two patterns match, the later one applies."""

    base_style = "netlink."
    highlights = [  # noqa: RUF012
        r"(?P<address>\b\d+\.\d+\.\d+\.\d+(/\d+)?)",
        r"(?P<address>(?<![\w:.])[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*(/\d+)?)",
        r"(?P<new>\bRTM_NEW\w+)|(?P<gone>\bRTM_DEL\w+)|(?P<alarm>\bOVERRUN .*)",
        r"\b(?:(?P<good>up|reachable|permanent)|(?P<bad>down|failed|linkdown|dead))\b",
        r"^(?P<time>\d\d:\d\d:\d\d\.\d+)",
    ]


class ColourOutput(Output):
    """Text for a person. rich's Console obeys NO_COLOR and TERM=dumb in the environment."""

    def __init__(self, *, wide: bool = False) -> None:
        self._console = Console(
            highlighter=Words(),
            theme=Theme({f"{Words.base_style}{word}": style for word, style in STYLES.items()}),
            markup=False,
            emoji=False,
            soft_wrap=True,
        )
        super().__init__(None if wide else self._console.width)

    def line(self, text: str) -> None:
        """See Output."""
        self._console.print(printable(text))

    def heading(self, text: str) -> None:
        """See Output."""
        self._console.print(f"\n{text}", style="bold", highlight=False)

    def table(self, rows: Iterable[Row], *, hide_empty: bool = False) -> None:
        """See Output. A long table is printed as lines, because rich is slow."""
        for batch in batches(rows, hide_empty=hide_empty):
            fitted = batch.fit(self.width)
            too_wide = fitted.width > self._console.width
            if too_wide or len(batch.rows) == ROWS or not batch.has_titles:
                self._console.print("\n".join(batch.lines(self.width)))
                continue
            # The padding and the line of the box together have the width of the gap in output.py.
            table = Table(
                box=SIMPLE_HEAD,
                padding=(0, 1, 0, 0),
                show_edge=False,
                pad_edge=False,
                highlight=True,
            )
            for title, width, is_number in fitted.columns:
                table.add_column(
                    title,
                    header_style="bold",
                    justify="right" if is_number else "left",
                    no_wrap=True,
                    min_width=width,
                )
            for row in fitted.rows:
                table.add_row(*row)
            self._console.print(table)
