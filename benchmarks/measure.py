"""The measuring half of a Python contender, and the program of its process: warm up, time the runs,
print the line of JSON that contenders/__init__.py describes. Its C twin is contenders/measure.h.

A contender's module has a function for each workload, named after it, that is given the size,
imports the library, connects, and returns a Run: a function that does the work once and returns how
many units that was. The warm-up is also the proof of the work: in it the Run gets a check to call
with the values that it reads of each unit. The timed runs read the same values and get None.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from ipaddress import ip_address
from keyword import iskeyword
from pathlib import Path

Check = Callable[..., None]
Run = Callable[[Check | None], int]


class Digest:
    """A number over values in their order, whatever way a library shows an address or none."""

    value: int | None = None  # no values

    def __call__(self, *values: object) -> None:
        for value in values:
            number = value if isinstance(value, int) else int(ip_address(str(value or "0.0.0.0")))
            self.value = ((self.value or 0) * 1_000_003 + number) % 2**64


def peak_kib() -> int:
    """Peak resident set of this program. ru_maxrss would not do: it survives exec, and so starts at
    the size of the runner that forked us (exec_mmap in fs/exec.c)."""
    return int(re.findall(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[0])


def start(command: list[str]) -> None:
    """Run a command to its end. It is not forked: that would leave our memory to be copied page by
    page in the run that follows."""
    _, status = os.waitpid(os.posix_spawnp(command[0], command, os.environ), 0)
    if status:
        sys.exit(f"{' '.join(command)}: status {os.waitstatus_to_exitcode(status)}")


def measure(
    module: str, distribution: str, workload: str, runs: int, size: int, reset: list[str]
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
    count, ns = 0, []
    for turn in range(1 + runs):
        if reset:
            start(reset)
        begin = time.monotonic_ns()
        again = run(None if turn else digest)
        end = time.monotonic_ns()
        if not turn:
            count = again
        elif again == count:
            ns.append(end - begin)
        else:
            sys.exit(f"counted {count}, then {again}")
    return {
        "version": library,
        "count": count,
        "digest": digest.value,
        "ns": ns,
        "rss_start_kib": start_kib if distribution else None,
        "rss_peak_kib": peak_kib() if distribution else None,
    }


if __name__ == "__main__":
    # Last, so that an installed netlink comes before the checkout's folder of that name.
    sys.path.append(str(Path(__file__).parent.parent))
    _, module, distribution, workload, runs, size, *reset = sys.argv
    print(json.dumps(measure(module, distribution, workload, int(runs), int(size), reset)))
