"""Standard output: lines, headings and tables. The only file that knows rich.

Plain text in aligned columns; with colour and rules where rich is installed and a person reads.
Rows stream: the first thousand settle the widths, and no more than a thousand are held.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

__all__ = ["Output", "open_output"]

Row = Mapping[str, str]

ROWS = 1000  # held at a time
GAP = "  "


class Column(NamedTuple):
    """One column of a table, as its first rows settle it."""

    title: str
    width: int
    is_number: bool


class Output:
    """Plain text."""

    def line(self, text: str = "") -> None:
        """One line of text, which may come from the kernel: control characters are escaped."""
        print(printable(text))

    def heading(self, text: str) -> None:
        """The title of what follows, set off by an empty line."""
        print(f"\n{text}")

    def table(self, rows: Iterable[Row]) -> None:
        """Rows with the same titles in the same order; none at all print nothing."""
        for columns, batch, is_first in _batches(rows):
            heads = [[column.title.upper() for column in columns]] if is_first else []
            for texts in heads + batch:
                cells = [
                    f"{text or '-':{'>' if column.is_number else '<'}{column.width}}"
                    for column, text in zip(columns, texts, strict=True)
                ]
                print(GAP.join(cells).rstrip())


def open_output() -> Output:
    """What fits standard output: rich where it is installed and a terminal is there."""
    if sys.stdout.isatty():
        try:
            return _rich_output()
        except ImportError:
            pass
    return Output()


def printable(text: str) -> str:
    """The text, with escapes where it holds what a terminal might obey or cannot show."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _batches(rows: Iterable[Row]) -> Iterator[tuple[list[Column], list[list[str]], bool]]:
    """The columns and the texts of some rows at a time, and whether they are the first."""
    columns: list[Column] = []
    titles: list[str] = []
    remaining = iter(rows)
    while held := list(islice(remaining, ROWS)):
        is_first = not columns
        titles = titles or list(held[0])
        batch = [[printable(row[title]) for title in titles] for row in held]
        if is_first:
            columns = [
                _column(title, texts)
                for title, texts in zip(titles, zip(*batch, strict=True), strict=True)
            ]
        yield columns, batch, is_first


def _column(title: str, texts: Iterable[str]) -> Column:
    filled = list(filter(None, texts))
    is_number = all(text.replace(",", "").replace(".", "", 1).isdecimal() for text in filled)
    return Column(title, max(map(len, [title, *filled])), is_number and bool(filled))


def _rich_output() -> Output:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.highlighter import RegexHighlighter
    from rich.table import Table
    from rich.theme import Theme

    class Words(RegexHighlighter):
        base_style = "netlink."
        highlights = [  # noqa: RUF012
            r"(?P<address>\b\d+\.\d+\.\d+\.\d+(/\d+)?)",
            r"(?P<address>(?<![\w:.])[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*(/\d+)?)",
            r"(?P<new>\bRTM_NEW\w+)|(?P<bad>\bRTM_DEL\w+)|(?P<alarm>\bOVERRUN .*)",
            r"\b(?:(?P<good>up|reachable|permanent)|(?P<bad>down|failed|linkdown|dead))\b",
            r"^(?P<time>\d\d:\d\d:\d\d\.\d+)",
        ]

    styles = {
        "address": "cyan", "new": "green", "good": "green", "bad": "red",
        "alarm": "bold white on red", "time": "not cyan dim",
    }  # fmt: skip
    console = Console(
        highlighter=Words(),
        theme=Theme({f"netlink.{word}": style for word, style in styles.items()}),
        markup=False,
        emoji=False,
    )

    class RichOutput(Output):
        def line(self, text: str = "") -> None:
            console.print(printable(text), soft_wrap=True)

        def heading(self, text: str) -> None:
            console.print(f"\n{text}", style="bold", highlight=False)

        def table(self, rows: Iterable[Row]) -> None:
            for columns, batch, is_first in _batches(rows):
                table = Table(
                    box=SIMPLE_HEAD, show_edge=False, pad_edge=False, show_header=is_first,
                    header_style="bold", highlight=True,
                )  # fmt: skip
                for column in columns:
                    table.add_column(
                        column.title, min_width=column.width, overflow="fold",
                        justify="right" if column.is_number else "left",
                    )  # fmt: skip
                for texts in batch:
                    table.add_row(*texts)
                console.print(table)

    return RichOutput()
