"""The contenders: the workloads that each can do, and the command of its process.

Each module of this package defines one `CONTENDER`. The runner imports all of them, so a module
must not import a library that may be missing at its top level. `measure.py` implements the protocol
below for contenders in Python, and `measure.h` for those in C.

The arguments of the command are the name of the workload, the number of runs and the size. If the
workload has a command for each run, "before" or "during" and the words of that command follow. The
process works once to warm up, and then does the timed runs. It starts that command before every
run, and awaits its end before the run ("before") or after the run ("during"). Then it prints one
line of JSON:

    version         version of the library, or of the compiler
    count           units, such as messages, in one run
    digest          a number computed from all values; null if the contender does not read all
    ns              a list with the time of each run, from before the send to after the last message
    cpu_ns          a list with the CPU time of each run, user and system: of the process with all
                    its threads, and of another program that does the work
    delivered       a list with the units that reached the program in each run
    lost            a list with the units that the kernel dropped in each run, for want of memory
    rss_start_kib   peak resident set before the warm-up; null if another program does the work
    rss_peak_kib    peak resident set at the end; null in the same case

If it cannot work, the line is {"skip": "the reason"}.
"""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from ..compiler import BuildError, build

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
        try:
            return [str(build(_HERE / source, directory, *flags))]
        except BuildError as error:
            raise Skip(str(error)) from error

    return command


def load() -> dict[str, Contender]:
    """Return all contenders by the name of their module."""
    return {
        module.name: import_module(f"{__name__}.{module.name}").CONTENDER
        for module in pkgutil.iter_modules(__path__)
    }
