"""The runner: it prepares a namespace for a workload and runs the contenders in turn.

Each turn is a new process. The contenders take turns for several rounds, and each round reverses
the order of the one before. So a slow minute of the machine affects all of them. This file must not
time anything itself: the processes do.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .compiler import BuildError
from .contenders import Contender, Skip
from .namespace import Namespace
from .workloads import NotDone, Workload

_ROUNDS = 4

# It ends when its standard input is closed, also if the runner is killed.
_SPIN = "import select\nwhile not select.select([0], [], [], 0)[0]: sum(range(1_000_000))"


class BenchmarkError(Exception):
    """A contender failed or did different work, so the results cannot be compared."""


@dataclass(frozen=True)
class Result:
    """The results of all processes of one contender. contenders/__init__.py explains the members.

    `size` is the size of the work. It is smaller than that of the workload if the contender does a
    share.
    """

    contender: str
    version: str
    count: int
    digest: int | None
    ns: list[int]
    cpu_ns: list[int]
    delivered: list[int]
    lost: list[int]
    rss_start_kib: int | None
    rss_peak_kib: int | None
    size: int

    def ns_each(self) -> list[float]:
        """Return the nanoseconds per unit of each run."""
        return [ns / self.count for ns in self.ns]

    def median(self) -> float:
        """Return the median of the nanoseconds per unit."""
        return statistics.median(self.ns_each())

    def cpu_median(self) -> float:
        """Return the median of the nanoseconds of CPU time per unit that was not lost."""
        return statistics.median(
            cpu / max(1, self.count - lost)
            for cpu, lost in zip(self.cpu_ns, self.lost, strict=True)
        )


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one core busy during a `with` block, by a process that computes."""
    spinning = subprocess.Popen([sys.executable, "-c", _SPIN], stdin=subprocess.PIPE)
    try:
        yield
    finally:
        spinning.communicate()


def run(
    name: str, workload: Workload, contenders: Mapping[str, Contender], size: int, runs: int
) -> list[Result]:
    """Run a workload and return the results of the contenders that can work here.

    For the others, print the reason to stderr. Raises BenchmarkError if a contender fails or does
    different work, and NamespaceError if no namespace can be created.
    """
    samples: dict[str, list[dict[str, Any]]] = {who: [] for who in contenders}
    with tempfile.TemporaryDirectory() as scratch, Namespace(Path(scratch)) as namespace:
        try:
            workload.prepare(namespace, size)
            for turn in range(_ROUNDS):
                for who in list(samples)[:: -1 if turn % 2 else 1]:
                    try:
                        sample = _sample(contenders[who], namespace, name, workload, size, runs)
                        samples[who].append(sample)
                    except Skip as reason:
                        print(f"{name}: skipped {who}: {reason}", file=sys.stderr)
                        del samples[who]
                    except NotDone as error:
                        raise BenchmarkError(f"{name}: {who} left {error}") from error
        except BuildError as error:
            raise BenchmarkError(f"{name}: {error}") from error
        except subprocess.CalledProcessError as error:
            raise BenchmarkError(f"{name}: {' '.join(error.cmd)}:\n{error.stderr}") from error
    _check_same_work(name, samples)
    return [_join(who, parts) for who, parts in samples.items()]


def _sample(
    contender: Contender,
    namespace: Namespace,
    name: str,
    workload: Workload,
    size: int,
    runs: int,
) -> dict[str, Any]:
    """Run one process, verify its work, and return its line of JSON."""
    command = contender.command(namespace.directory)
    size = max(1, size // contender.shares.get(name, 1))
    runs = min(runs, contender.max_runs)
    line = namespace.run([*command, name, str(runs), str(size), *workload.command(size)])
    sample: dict[str, Any] = json.loads(line)
    if "skip" in sample:
        raise Skip(sample["skip"])
    workload.verify(namespace, size)
    return sample | {"size": size}


def _check_same_work(name: str, samples: Mapping[str, list[dict[str, Any]]]) -> None:
    if not samples:
        raise BenchmarkError(f"{name}: no contender can run here; see the reasons above")
    # A contender may do a share, so the counts differ. The units beyond the size, such as the
    # routes of the link itself in a dump, are the same for all.
    beyond = {who: {p["count"] - p["size"] for p in parts} for who, parts in samples.items()}
    size = max(p["size"] for parts in samples.values() for p in parts)
    digest = {
        who: {p["digest"] for p in parts if p["size"] == size} - {None}
        for who, parts in samples.items()
    }
    for words, seen in ("count minus the size", beyond), ("digest", digest):
        if len(set().union(*seen.values())) > 1:
            raise BenchmarkError(f"{name}: the contenders disagree on the {words}: {seen}")


def _join(who: str, parts: list[dict[str, Any]]) -> Result:
    joined = {
        key: [number for part in parts for number in part[key]]
        for key in ("ns", "cpu_ns", "delivered", "lost")
    }
    for key in ("rss_start_kib", "rss_peak_kib"):
        joined[key] = max((part[key] for part in parts), key=lambda kib: kib or 0)
    return Result(contender=who, **(parts[0] | joined))


def machine() -> dict[str, str | float]:
    """Return the facts about the machine that a reader of the numbers needs, without its name."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "kernel": platform.release(),
        "cpu": model[1] if model else platform.machine(),
        "cpus": cpuinfo.count("processor\t:"),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }
