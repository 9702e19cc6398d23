"""The contenders: the workloads that each can do, and the command of its process.

Each module of this package defines one `CONTENDER`. The runner imports all of them, so a module
must not import a library that may be missing at its top level. `measure.py` implements the protocol
below for contenders in Python, and `measure.h` for those in C.

The arguments of the command are the name of the workload, the number of runs, the size, and the
words of the workload's reset command, if it has one. The process works once to warm up, and then
does the timed runs. It starts the reset command before every run. Then it prints one line of JSON:

    version         version of the library, or of the compiler
    count           units, such as messages, in one run
    digest          a number computed from all values; null if the contender reads no values
    ns              a list with the time of each run, from before the send to after the last message
    rss_start_kib   peak resident set before the warm-up; null if another program does the work
    rss_peak_kib    peak resident set at the end; null in the same case

If it cannot work, the line is {"skip": "the reason"}.
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
    """The contender cannot work on this machine. The text says why."""


@dataclass(frozen=True)
class Contender:
    """What the runner knows about a contender.

    `command(directory)` returns the command, and may build a program in the directory. A slow
    contender does at most `max_runs` timed runs. `shares` maps a workload to a divisor: the
    contender gets the workload with its size divided by that number.
    """

    workloads: tuple[str, ...]
    command: Callable[[Path], list[str]]
    max_runs: int = sys.maxsize
    shares: Mapping[str, int] = field(default_factory=dict)


def python(module: str, distribution: str) -> Callable[[Path], list[str]]:
    """Return a function that returns the command of a Python contender, measure.py."""
    # -P: do not put the folder of the script before the installed packages in sys.path.
    command = [sys.executable, "-P", str(_HERE.parent / "measure.py"), module, distribution]
    return lambda directory: command


def older(module: str) -> Callable[[Path], list[str]]:
    """Return a function that returns the command of an older version of this library.

    NETLINK_BEFORE names the interpreter in whose environment that version is installed. It must not
    be an editable install: this checkout would come before it on the path.
    """
    make = python(module, "fastnetlink")

    def command(directory: Path) -> list[str]:
        interpreter = os.environ.get("NETLINK_BEFORE")
        if not interpreter:
            raise Skip("NETLINK_BEFORE is not set: set it to the Python of an older version")
        return [interpreter, *make(directory)[1:]]

    return command


def program(module: str) -> Callable[[Path], list[str]]:
    """Return a function that returns the command of a contender that is another program.

    The module of the contender starts the program in each run, and has a function version(). The
    memory of the program is not measured.
    """
    return python(module, distribution="")


def compiled(source: str, *flags: str) -> Callable[[Path], list[str]]:
    """Return a function that compiles a C contender and returns its command.

    `flags`, such as "-lmnl", follow the source file.
    """

    def command(directory: Path) -> list[str]:
        if shutil.which("cc") is None:
            raise Skip("found no C compiler (cc)")
        program = directory / Path(source).stem
        build = ["cc", "-O2", "-Wall", "-o", str(program), str(_HERE / source), *flags]
        built = subprocess.run(build, capture_output=True, text=True)
        if built.returncode:
            raise Skip(f"{source} does not compile: {built.stderr.strip()}")
        return [str(program)]

    return command


def load() -> dict[str, Contender]:
    """Return all contenders by the name of their module."""
    return {
        module.name: import_module(f"{__name__}.{module.name}").CONTENDER
        for module in pkgutil.iter_modules(__path__)
    }
