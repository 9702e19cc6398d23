"""Line and branch coverage of the extension modules and of the conversation, as one table.

`python -m tools.coverage [arguments of pytest]` builds the checkout in place with gcov, runs the
tests, and prints the table and the lines that no test reached. In this build the conversation is
not compiled, so coverage.py measures it. Build again afterwards. This file must not judge: what is
not covered, and why, is in docs/reliability.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
CONVERSATION = [
    "engine", "_exchange", "_resolver", "_pipeline", "_transport", "connection", "aio",
]  # fmt: skip


class Covered(NamedTuple):
    """What was executed of a file."""

    lines: int
    all_lines: int
    branches: int
    all_branches: int
    missing: list[int]


def of_c() -> dict[str, Covered]:
    """Read the counters of gcov. A line of Cython counts once, however much C is made of it."""
    lines: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    branches: dict[str, list[int]] = defaultdict(list)
    for counters in sorted((ROOT / "build").rglob("*.gcda")):
        command = ["gcov", "--json-format", "--branch-probabilities", "--stdout", str(counters)]
        report = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        for document in report.stdout.splitlines():
            for file in json.loads(document)["files"]:
                name = file["file"]
                if name.startswith("netlink/"):
                    # C that belongs to no line of Cython continues the numbers of the last file.
                    last = len((ROOT / name).read_text().splitlines())
                    for line in file["lines"]:
                        if line["line_number"] > last:
                            continue
                        lines[name][line["line_number"]] += line["count"]
                        branches[name] += [branch["count"] for branch in line["branches"]]
    return {
        name: Covered(
            sum(map(bool, counts.values())), len(counts),
            sum(map(bool, branches[name])), len(branches[name]),
            sorted(line for line, count in counts.items() if not count),
        )
        for name, counts in sorted(lines.items())
    }  # fmt: skip


def of_python() -> dict[str, Covered]:
    """Read the data of coverage.py."""
    files = [f"netlink/{name}.py" for name in CONVERSATION]
    command = [
        sys.executable,
        "-m",
        "coverage",
        "json",
        "-o",
        "-",
        "-q",
        f"--include={','.join(files)}",
    ]
    report = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found = {}
    for name, file in sorted(json.loads(report.stdout)["files"].items()):
        total = file["summary"]
        found[name] = Covered(
            total["covered_lines"], total["num_statements"],
            total["covered_branches"], total["num_branches"], file["missing_lines"],
        )  # fmt: skip
    return found


def percent(part: int, whole: int) -> str:
    """A share, rounded down: 100.0 only if nothing is missing."""
    return f"{1000 * part // whole / 10 if whole else 100:.1f} %"


def main() -> int:
    """Build, run the tests, print the table. Return the exit status of the tests."""
    for counters in (ROOT / "build").rglob("*.gcda"):
        counters.unlink()
    build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--force"]
    subprocess.run(build, cwd=ROOT, check=True, env=os.environ | {"NETLINK_BUILD": "coverage"})
    tests = [
        sys.executable,
        "-m",
        "coverage",
        "run",
        "--branch",
        "--source=netlink",
        "-m",
        "pytest",
    ]
    status = subprocess.run([*tests, *sys.argv[1:]], cwd=ROOT).returncode
    files = of_c() | of_python()
    print("| file | lines | branches |\n|---|---|---|")
    for name, found in files.items():
        lines = percent(found.lines, found.all_lines)
        print(f"| `{name}` | {lines} | {percent(found.branches, found.all_branches)} |")
    for name, found in files.items():
        print(f"\n{name}: {', '.join(map(str, found.missing)) or 'every line'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
