"""Standard output: lines, headings and tables, as plain text in aligned columns.

Rows stream: the first thousand settle the widths, and no more than a thousand are held. Where a
person reads and rich is installed, colour.py stands in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

__all__ = ["ROWS", "Batch", "Column", "Output", "Row", "batches", "open_output", "printable"]

Row = Mapping[str, str]  # titles to texts

ROWS = 1000  # held at a time
GAP = 2  # columns of the screen between two of a table


def open_output() -> Output:
    """What suits standard output."""
    if sys.stdout.isatty():
        try:
            from netlink.cli.colour import ColourOutput
        except ModuleNotFoundError:  # no rich, which is optional
            pass
        else:
            return ColourOutput()
    return Output()


class Output:
    """Plain text."""

    def line(self, text: str) -> None:
        """One line of text."""
        print(printable(text))

    def heading(self, text: str) -> None:
        """The title of what follows, set off by an empty line."""
        print(f"\n{text}")

    def table(self, rows: Iterable[Row]) -> None:
        """Rows with the same titles in the same order; none at all print nothing."""
        for batch in batches(rows):
            for text in batch.lines():
                print(text)


def printable(text: str) -> str:
    """The text, with escapes where it holds what a terminal would obey or cannot show.

    A link's name may hold such characters (dev_valid_name in net/core/dev.c).
    """
    return text if text.isprintable() else text.encode("unicode_escape").decode()


class Column(NamedTuple):
    """One column of a table, as its first rows settle it."""

    title: str
    width: int
    is_number: bool


class Batch(NamedTuple):
    """Some rows of a table."""

    columns: list[Column]
    rows: list[list[str]]
    is_first: bool

    @property
    def width(self) -> int:
        """How wide its lines are, in characters."""
        return sum(column.width + GAP for column in self.columns) - GAP

    def lines(self) -> Iterator[str]:
        """The rows as aligned text, titles first; a cell that is empty shows a dash."""
        heads = [[column.title.upper() for column in self.columns]] if self.is_first else []
        for row in heads + self.rows:
            cells = [
                f"{text or '-':{'>' if column.is_number else '<'}{column.width}}"
                for column, text in zip(self.columns, row, strict=True)
            ]
            yield (" " * GAP).join(cells).rstrip()


def batches(rows: Iterable[Row]) -> Iterator[Batch]:
    """The rows of a table, some at a time."""
    columns: list[Column] = []
    remaining = iter(rows)
    while held := list(islice(remaining, ROWS)):
        texts = [[printable(text) for text in row.values()] for row in held]
        is_first = not columns
        if is_first:
            columns = list(map(_column, held[0], zip(*texts, strict=True)))
        yield Batch(columns, texts, is_first)


def _column(title: str, texts: Iterable[str]) -> Column:
    filled = list(filter(None, texts))
    is_number = all(text.replace(",", "").replace(".", "", 1).isdecimal() for text in filled)
    return Column(title, max(map(len, [title, *filled])), is_number and bool(filled))
