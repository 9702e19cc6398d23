"""The command line of the benchmarks: `python -m benchmarks`, from the root of a checkout.

This file parses the arguments, prints one table for each workload and writes the JSON report. It
must not measure anything: run.py and measure.py do that.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from . import contenders, workloads
from .namespace import NamespaceError
from .run import BenchmarkError, Result, busy_core, machine, run


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
            with busy_core() if options.busy else nullcontext():
                results = run(name, workload, able, size, options.runs)
        except (BenchmarkError, NamespaceError) as error:
            sys.exit(str(error))
        print(f"{name}, size {size:,}{', one core busy' if options.busy else ''}")
        _print_table(workload, size, results)
        report.append({"workload": name, "size": size, "results": list(map(asdict, results))})
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(
            json.dumps(facts | {"busy": options.busy, "workloads": report}, indent=1) + "\n"
        )


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
    add("--busy", action="store_true", help="keep one core busy by another process")
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


def _print_table(workload: workloads.Workload, size: int, results: Sequence[Result]) -> None:
    """Print the results, the fastest first: times in nanoseconds per unit, memory in MiB."""
    unit = workload.unit
    base = next((r for r in results if r.contender == workload.base), None)
    ratio = f"x {workload.base}"
    heads = ["contender", "version", f"ns/{unit}", "min..max", ratio, "CPU ns", ratio]
    heads += ["MiB", "grown", f"{unit}s"]
    rows = [[*heads, "delivered", "lost"] if workload.during else heads]
    for r in sorted(results, key=Result.median):
        row = [
            r.contender,
            r.version,
            f"{r.median():,.0f}",
            f"{min(r.ns_each()):,.0f}..{max(r.ns_each()):,.0f}",
            f"{r.median() / base.median():,.2f}" if base else "-",
            f"{r.cpu_median():,.0f}",
            f"{r.cpu_median() / base.cpu_median():,.2f}" if base else "-",
            *_memory(r),
            f"{r.count:,}" + (f" of {size:,}" if r.size < size else ""),
        ]
        if workload.during:  # of the run that lost most
            row += [f"{min(r.delivered):,}", f"{max(r.lost):,}"]
        rows.append(row)
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
