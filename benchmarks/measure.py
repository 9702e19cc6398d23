"""The process of a Python contender: warm up, time the runs, and print one line of JSON.

contenders/__init__.py describes the line, and contenders/measure.h is the same for C. This file
must not know a workload or a library.

The module of a contender has a function for each workload. The function gets the size, imports the
library, connects, and returns a Run: a function that does the work once and returns the number of
units, or a Tally if some of them did not reach the program. In the warm-up, the Run gets a check
and calls it with the values that it reads of each unit, which proves the work. The timed runs get
None, and read the same values.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from ipaddress import ip_address
from keyword import iskeyword
from pathlib import Path
from typing import NamedTuple


class Tally(NamedTuple):
    """The units of a run, those that reached the program, and those that the kernel dropped for
    want of memory. A filter makes the rest."""

    units: int
    delivered: int
    lost: int


Check = Callable[..., None]
Run = Callable[[Check | None], int | Tally]


class Digest:
    """A number computed from values in their order, independent of how a library shows them.

    An address may be an int, text or an ipaddress object, and a missing one None.
    """

    value: int | None = None  # until the first value

    def __call__(self, *values: object) -> None:
        for value in values:
            number = value if isinstance(value, int) else int(ip_address(str(value or "0.0.0.0")))
            self.value = ((self.value or 0) * 1_000_003 + number) % 2**64


def peak_kib() -> int:
    """Return the peak resident set of this program in KiB.

    ru_maxrss is not usable: it survives exec, so it starts with the size of the runner that forked
    this process (exec_mmap in fs/exec.c).
    """
    return int(re.findall(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[0])


def cpu_ns() -> int:
    """Return the CPU time of this process with all its threads, and of programs that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time_ns() + round((ended.ru_utime + ended.ru_stime) * 1e9)


def launch(command: list[str]) -> int:
    """Start a command and return its process.

    It uses posix_spawn(), not fork(). After a fork, the next run would have to copy the memory of
    this process page by page.
    """
    return os.posix_spawnp(command[0], command, os.environ)


def finish(process: int, command: list[str]) -> None:
    """Wait for a command. Exit if it fails."""
    _, status = os.waitpid(process, 0)
    if status:
        sys.exit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")


def start(command: list[str]) -> None:
    """Run a command and wait for it. Exit if it fails."""
    finish(launch(command), command)


def measure(
    module: str,
    distribution: str,
    workload: str,
    runs: int,
    size: int,
    when: str = "",
    *command: str,
) -> dict[str, object]:
    contender = import_module(f"benchmarks.contenders.{module}")
    try:
        name = workload.replace("-", "_")
        run: Run = getattr(contender, f"{name}_" if iskeyword(name) else name)(size)
        library = version(distribution) if distribution else contender.version()
    except ImportError as error:
        return {"skip": str(error)}
    start_kib = peak_kib()
    digest = Digest()
    count, done, times = 0, [], []
    for turn in range(1 + runs):
        process = launch([*command]) if command else 0
        if when == "before":
            finish(process, [*command])
        cpu_begin, begin = cpu_ns(), time.monotonic_ns()
        found = run(None if turn else digest)
        end, cpu_end = time.monotonic_ns(), cpu_ns()
        if when == "during":
            finish(process, [*command])
        again = Tally(found, found, 0) if isinstance(found, int) else Tally(*found)
        if not turn:
            count = again.units
            if again.lost:
                digest.value = None
        elif again.units == count:
            times.append((end - begin, cpu_end - cpu_begin))
            done.append(again)
        else:
            sys.exit(f"{module} counted {count} units in the warm-up, then {again.units}")
    return {
        "version": library,
        "count": count,
        "digest": digest.value,
        "ns": [ns for ns, _ in times],
        "cpu_ns": [cpu for _, cpu in times],
        "delivered": [each.delivered for each in done],
        "lost": [each.lost for each in done],
        "rss_start_kib": start_kib if distribution else None,
        "rss_peak_kib": peak_kib() if distribution else None,
    }


if __name__ == "__main__":
    # At the end, so that an installed netlink comes before the folder of that name in the checkout.
    sys.path.append(str(Path(__file__).parent.parent))
    _, module, distribution, workload, runs, size, *command = sys.argv
    print(json.dumps(measure(module, distribution, workload, int(runs), int(size), *command)))
