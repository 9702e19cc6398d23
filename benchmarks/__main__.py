"""The command line of the benchmarks: `python -m benchmarks`, from the root of a checkout.

This file parses the arguments, prints one table for each workload and writes the JSON report. It
must not measure anything: run.py and measure.py do that.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

from . import contenders, workloads
from .namespace import NamespaceError
from .run import BenchmarkError, Result, machine, run

_FLOORS = ("c_floor", "interpreter")  # a workload has one of them


def main() -> None:
    every_workload, every_contender = workloads.load(), contenders.load()
    options = _options(every_workload, every_contender)
    facts, report = machine(), []  # reads the load before the benchmarks raise it
    for name in options.workload:
        workload = every_workload[name]
        size = options.size or workload.size
        able = {
            who: every_contender[who]
            for who in options.contenders
            if name in every_contender[who].workloads
        }
        try:
            results = run(name, workload, able, size, options.runs)
        except (BenchmarkError, NamespaceError) as error:
            sys.exit(str(error))
        print(f"{name}, size {size:,}")
        _print_table(workload.unit, size, results)
        report.append({"workload": name, "size": size, "results": list(map(asdict, results))})
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(facts | {"workloads": report}, indent=1) + "\n")


def _options(
    every_workload: Collection[str], every_contender: Collection[str]
) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the same work by several contenders in one run.",
    )
    add = parser.add_argument
    add(
        "workload",
        nargs="*",
        default=[*every_workload],
        help=f"any of {', '.join(every_workload)} (default: all)",
    )
    add(
        "--contenders",
        metavar="A,B",
        type=lambda text: text.split(","),
        default=[*every_contender],
        help=f"any of {','.join(every_contender)} (default: all)",
    )
    add(
        "--size",
        metavar="N",
        type=int,
        help="routes, requests or processes (default: set by the workload)",
    )
    add("--runs", metavar="K", type=int, default=20, help="timed runs per process (default: 20)")
    add("--json", metavar="FILE", type=Path, help="write all numbers and facts about the machine")
    options = parser.parse_args()
    for name in options.workload:
        if name not in every_workload:
            parser.error(f"unknown workload {name!r}; use {', '.join(every_workload)}")
    for name in options.contenders:
        if name not in every_contender:
            parser.error(f"unknown contender {name!r}; use {', '.join(every_contender)}")
    if options.runs < 1:
        parser.error(f"--runs must be at least 1, got {options.runs}")
    if options.size is not None and options.size < 1:
        parser.error(f"--size must be at least 1, got {options.size}")
    return options


def _print_table(unit: str, size: int, results: Sequence[Result]) -> None:
    """Print the results, the fastest first: times in nanoseconds per unit, memory in MiB."""
    floor = next((r.median() for r in results if r.contender in _FLOORS), None)
    rows = [
        ["contender", "version", f"ns/{unit}", "min..max", "x floor", "MiB", "grown", f"{unit}s"]
    ]
    for r in sorted(results, key=Result.median):
        rows.append(
            [
                r.contender,
                r.version,
                f"{r.median():,.0f}",
                f"{min(r.ns_each()):,.0f}..{max(r.ns_each()):,.0f}",
                f"{r.median() / floor:,.2f}" if floor else "-",
                *_memory(r),
                f"{r.count:,}" + (f" of {size:,}" if r.size < size else ""),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def _memory(r: Result) -> tuple[str, str]:
    """Return the peak resident set, and the part added after imports and connecting, in MiB."""
    if r.rss_peak_kib is None or r.rss_start_kib is None:
        return "-", "-"
    return f"{r.rss_peak_kib / 1024:.1f}", f"{(r.rss_peak_kib - r.rss_start_kib) / 1024:.1f}"


if __name__ == "__main__":
    main()
