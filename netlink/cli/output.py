"""Standard output: lines, headings and tables, as plain text in aligned columns.

The first thousand rows determine the widths of columns, and this file must not hold more rows than
that. It cuts long cells, so that a row never wraps on a terminal, unless the user asks for whole
cells. screen.py chooses between this file and colour.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, islice
from typing import NamedTuple
from unicodedata import combining, east_asian_width

from netlink.render import printable

__all__ = ["ROWS", "Batch", "Column", "Output", "Row", "batches", "cut", "width_of"]

Row = Mapping[str, str]  # titles to texts

ROWS = 1000  # maximum number of rows held at a time
GAP = 2  # screen columns between two columns of a table
SHORT = 8  # minimum width of a cut cell in screen columns
ELLIPSIS = "…"


class Output:
    """Plain text. If `width` is given, rows of a table are cut to this many screen columns."""

    def __init__(self, width: int | None = None) -> None:
        self.width = width

    def line(self, text: str) -> None:
        """Print one line of text."""
        print(printable(text))

    def heading(self, text: str) -> None:
        """Print an empty line and a heading."""
        print(f"\n{text}")

    def table(self, rows: Iterable[Row], *, hide_empty: bool = False) -> None:
        """Print rows that have the same titles in the same order. Without rows, print nothing.

        With `hide_empty`, columns without any text are omitted. If such a column has a text after
        the first thousand rows, the titles are printed again.
        """
        for batch in batches(rows, hide_empty=hide_empty):
            for text in batch.lines(self.width):
                print(text)


class Column(NamedTuple):
    """One column of a table; the first rows determine its width."""

    title: str
    width: int
    is_number: bool


class Batch(NamedTuple):
    """Some rows of a table."""

    columns: list[Column]
    rows: list[list[str]]
    has_titles: bool

    @property
    def width(self) -> int:
        """Return the width of the lines in screen columns."""
        return _total(column.width for column in self.columns)

    def fit(self, width: int | None) -> Batch:
        """Return the batch with cells and columns cut, so that its lines have `width` columns.

        The longest columns are cut first. If the screen is too narrow even for short cells, the
        last columns are replaced by a column of ellipses.
        """
        if width is None or self.width <= width:
            return self
        wanted = [column.width for column in self.columns]
        widths = [min(size, SHORT) for size in wanted]
        more: list[str] = []  # a cell at the end of each row
        while len(widths) > 1 and _total([*widths, *map(len, more)]) > width:
            more = [ELLIPSIS]
            widths.pop()
        left = width - _total([*widths, *map(len, more)])
        if left < 0:  # of a screen that is narrower than a short cell
            widths[0] += left
        if widths[0] < 1:
            widths, more = [width], []
        while left > 0 and (short := [i for i, size in enumerate(widths) if size < wanted[i]]):
            least = min(widths[place] for place in short)
            for place in [place for place in short if widths[place] == least][:left]:
                widths[place] += 1
                left -= 1
        columns = [
            Column(cut(column.title, size), size, column.is_number)
            for column, size in zip(self.columns, widths, strict=False)
        ]
        columns += [Column(text, len(text), False) for text in more]
        rows = [[*map(cut, row, widths), *more] for row in self.rows]
        return Batch(columns, rows, self.has_titles)

    def lines(self, width: int | None = None) -> Iterator[str]:
        """Yield the rows as aligned text, titles first. A dash stands for an empty cell."""
        fitted = self.fit(width)
        heads = [[column.title.upper() for column in fitted.columns]] if self.has_titles else []
        for row in heads + fitted.rows:
            cells = map(_cell, fitted.columns, row)
            yield (" " * GAP).join(cells).rstrip()


def batches(rows: Iterable[Row], *, hide_empty: bool = False) -> Iterator[Batch]:
    """Yield the rows of a table in batches."""
    columns: list[Column] = []
    shown: set[str] = set()
    remaining = iter(rows)
    while held := list(islice(remaining, ROWS)):
        filled = set(held[0])
        if hide_empty:
            filled = {title for row in held for title, text in row.items() if text}
        has_titles = not filled <= shown
        shown |= filled
        titles = [title for title in held[0] if title in shown]
        texts = [[printable(row[title]) for title in titles] for row in held]
        if has_titles:
            columns = list(map(_column, titles, zip(*texts, strict=True)))
        yield Batch(columns, texts, has_titles)


def cut(text: str, width: int) -> str:
    """Return a text cut to `width` screen columns. An ellipsis marks the cut."""
    if width_of(text) <= width:
        return text
    used = accumulate(map(width_of, text))
    return text[: next(end for end, columns in enumerate(used) if columns >= width)] + ELLIPSIS


def width_of(text: str) -> int:
    """Return the width of a text in screen columns."""
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )


def _total(widths: Iterable[int]) -> int:
    """Return the width of a line."""
    return sum(width + GAP for width in widths) - GAP


def _cell(column: Column, text: str) -> str:
    text = text or "-"
    padding = " " * (column.width - width_of(text))
    return padding + text if column.is_number else text + padding


def _column(title: str, texts: Iterable[str]) -> Column:
    filled = list(filter(None, texts))
    is_number = all(text.replace(",", "").replace(".", "", 1).isdecimal() for text in filled)
    return Column(title, max(map(width_of, [title, *filled])), is_number and bool(filled))
