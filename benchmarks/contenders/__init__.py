"""What a contender is: the workloads that it can do, and how to make the command of its process.

Each module here holds one as `CONTENDER`. The runner imports them all, so nothing that may be
missing is imported at their top. The command is given the workload's name, a number of runs, the
size, and the words of the workload's reset command, if it has one. It works once to warm up, then
that many times by the clock, starts the reset command before each of them, and prints one line of
JSON:

    version         of the library, or of the compiler
    count           units, such as messages, in one run
    digest          a number over all values read; null where the contender reads none
    ns              a list: each timed run, from before the send to after the last message
    rss_start_kib   peak resident set before the warm-up; null where another program does the work
    rss_peak_kib    peak resident set at the end; null likewise

or, where it cannot work, {"skip": "the reason"}. `measure.py` does this for Python contenders and
`measure.h` for those in C.
"""

from __future__ import annotations

import os
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

_HERE = Path(__file__).parent


class Skip(Exception):
    """The contender cannot work here; the text says why."""


@dataclass(frozen=True)
class Contender:
    """`command(directory)` may build in the directory.

    The slow may do fewer runs, `max_runs`, and less work: of a workload in `shares` one part in so
    many, which has to be a smaller workload of the same kind.
    """

    workloads: tuple[str, ...]
    command: Callable[[Path], list[str]]
    max_runs: int = sys.maxsize
    shares: Mapping[str, int] = field(default_factory=dict)


def python(module: str, distribution: str) -> Callable[[Path], list[str]]:
    """The command of a Python contender: its own module, in a process of its own."""
    # -P: no folder of the checkout comes before the installed packages.
    command = [sys.executable, "-P", str(_HERE.parent / "measure.py"), module, distribution]
    return lambda directory: command


def older(module: str) -> Callable[[Path], list[str]]:
    """The command of an older version of this library: as python(), by the interpreter that
    NETLINK_BEFORE names, in whose environment that version is installed."""
    make = python(module, "fastnetlink")

    def command(directory: Path) -> list[str]:
        interpreter = os.environ.get("NETLINK_BEFORE")
        if not interpreter:
            raise Skip("NETLINK_BEFORE names no interpreter with an older version")
        return [interpreter, *make(directory)[1:]]

    return command


def program(module: str) -> Callable[[Path], list[str]]:
    """The command of a contender that is another program: its module here starts that in each run,
    and has a function version(). The memory of the program is not known."""
    return python(module, distribution="")


def compiled(source: str, *flags: str) -> Callable[[Path], list[str]]:
    """The command of a C contender; `flags`, such as "-lmnl", follow the source."""

    def command(directory: Path) -> list[str]:
        if shutil.which("cc") is None:
            raise Skip("no C compiler (cc)")
        program = directory / Path(source).stem
        build = ["cc", "-O2", "-Wall", "-o", str(program), str(_HERE / source), *flags]
        built = subprocess.run(build, capture_output=True, text=True)
        if built.returncode:
            raise Skip(f"does not compile: {built.stderr.strip()}")
        return [str(program)]

    return command


def load() -> dict[str, Contender]:
    """All contenders by name, which is the module's."""
    return {
        module.name: import_module(f"{__name__}.{module.name}").CONTENDER
        for module in pkgutil.iter_modules(__path__)
    }
