"""Choose the writer of standard output: with colour on a terminal, if rich is installed, or plain.

It must not write anything itself. It exists because rich is optional, and slow to import.
"""

from __future__ import annotations

import shutil
import sys

from netlink.cli.output import Output

__all__ = ["open_output"]


def open_output(*, wide: bool = False) -> Output:
    """Return the writer for standard output. `wide` tables are not cut to the terminal width."""
    if not sys.stdout.isatty():
        return Output()
    try:
        from netlink.cli.colour import ColourOutput
    except ModuleNotFoundError:  # no rich
        return Output(None if wide else shutil.get_terminal_size().columns)
    return ColourOutput(wide=wide)
