"""Run a fuzzing session: `python -m tests.fuzz [TARGET...] --hours N | --runs N`.

A session with coverage needs clang and the `fuzz` extra. Elsewhere the session says so and runs
without coverage. The corpus grows in build/fuzz/corpus and the next session continues with it.
Inputs that break a property are stored in build/fuzz/findings, and the exit status is 1. Add such
an input to tests/fuzz/regressions with its fix: `--record TARGET FILE TEXT` does so.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from . import blind, build, corpus
from .source import execute
from .table import TARGETS

CORPUS, FINDINGS = build.WORK / "corpus", build.WORK / "findings"
TOTALS = build.WORK / "totals.json"
LOADED = re.compile(r"INFO: Loaded \d+ modules +\((\d+) inline 8-bit counters\)")
PROGRESS = re.compile(r"^#(\d+)\s.*?\bcov: (\d+)\b(?:.*\bft: (\d+))?", re.MULTILINE)
LEAST_SECONDS = 2


class Result(NamedTuple):
    """What a session of one target did. `edges` were covered of `all_edges`, 0 if unknown."""

    name: str
    runs: int
    edges: int
    all_edges: int
    seconds: float
    findings: list[Path]


def main() -> int:
    """Run the session and return the exit status."""
    args = parsed()
    if args.record:
        return record(*args.record)
    if args.totals:
        return show_totals()
    names = args.targets or [*TARGETS]
    try:
        environment = None if args.blind else build.build(args.build)
    except build.Unavailable as reason:
        environment = None
        print(f"fuzz: no coverage, so the search is blind: {reason}", flush=True)
    share = args.hours * 3600 * args.jobs / len(names) if args.hours else None

    def session(name: str) -> Result:
        if environment is None:
            result = run_blind(name, args.runs, share, args.seed_corpus)
        else:
            place = build.copy_of(args.build), environment
            result = run_guided(name, args.runs, share, args.seed_corpus, *place)
        show(result)
        return result

    with ThreadPoolExecutor(args.jobs) as pool:
        results = [*pool.map(session, names)]
    total = sum(result.runs for result in results)
    findings = [path for result in results for path in result.findings]
    print(f"fuzz: {total:,} executions of {len(names)} targets, {len(findings)} findings")
    return 1 if findings else 0


def parsed() -> argparse.Namespace:
    """Return the arguments."""
    # fmt: off
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of: {', '.join(TARGETS)}")
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--hours", type=float, help="of all targets together, divided equally")
    limit.add_argument("--runs", type=int, help="executions of each target (default 100,000)")
    parser.add_argument("--seed-corpus", type=Path, action="append", default=[], metavar="DIR",
                        help="more datagrams: files, or JSON lines with a member hex")
    parser.add_argument("--jobs", type=int, default=1, help="targets at the same time")
    parser.add_argument("--fast", dest="build", action="store_const", const="fuzz",
                        default="fuzz-sanitize", help="without sanitizers, in a third of the time")
    parser.add_argument("--blind", action="store_true", help="search without coverage")
    parser.add_argument("--totals", action="store_true", help="print what all sessions here did")
    parser.add_argument("--record", nargs=3, metavar=("TARGET", "FILE", "TEXT"),
                        help="add an input to the regressions; TEXT says what was wrong")
    # fmt: on
    args = parser.parse_args()
    for name in args.targets:
        if name not in TARGETS:
            parser.error(f"there is no target {name!r}; there are: {', '.join(TARGETS)}")
    if not args.hours and not args.runs:
        args.runs = 100_000
    return args


def show(result: Result) -> None:
    """Print the result of one target."""
    covered = "no coverage"
    if result.edges:
        covered = f"{result.edges:,} of {result.all_edges:,} edges"
    print(f"fuzz: {result.name}: {result.runs:,} executions in {result.seconds:.0f} s, {covered}, "
          f"{len(result.findings)} findings", flush=True)  # fmt: skip
    for path in result.findings:
        print(f"    {path}", flush=True)


def run_blind(name: str, runs: int | None, seconds: float | None, folders: list[Path]) -> Result:
    """Search without coverage. The first finding ends the session of the target."""
    target = TARGETS[name]
    module = target.load()
    seeds = corpus.seeds(module, *folders)
    began = time.monotonic()
    done = 0
    last = b""

    def counted(data: bytes) -> None:
        nonlocal done, last
        done += 1
        last = data
        execute(module, data)

    findings = []
    batch = min(runs or 2000, 2000)
    try:
        for seed in seeds:
            counted(seed)
        while done < runs if runs else time.monotonic() - began < (seconds or 0):
            blind.search(module, counted, seeds, batch, target.longest, seed=time.time_ns())
    except Exception as error:
        FINDINGS.mkdir(parents=True, exist_ok=True)
        path = FINDINGS / f"{name}-{time.time_ns():x}"
        path.write_bytes(last)
        findings.append(path)
        print(f"fuzz: {name}: {type(error).__name__}: {error}", flush=True)
    return Result(name, done, 0, 0, time.monotonic() - began, findings)


def run_guided(
    name: str,
    runs: int | None,
    seconds: float | None,
    folders: list[Path],
    copy: Path,
    environment: dict[str, str],
) -> Result:
    """Search with coverage. After a crash, a new process continues with the corpus."""
    target = TARGETS[name]
    grown, findings = CORPUS / name, FINDINGS
    grown.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    write_seeds(name, folders, copy, environment)
    before = {*findings.glob(f"{name}-*")}
    began = time.monotonic()
    done = edges = all_edges = 0
    with (build.WORK / f"{name}.log").open("a") as log:
        while True:
            options = [f"-max_len={target.longest}", "-timeout=120", "-rss_limit_mb=3000",
                       "-report_slow_units=120",
                       "-print_final_stats=1", f"-artifact_prefix={findings}/{name}-"]  # fmt: skip
            if runs:
                options.append(f"-runs={runs - done}")
            if seconds:
                left = int(seconds - (time.monotonic() - began))
                options.append(f"-max_total_time={max(left, LEAST_SECONDS)}")
            command = [sys.executable, "-m", "tests.fuzz.session", name, str(findings), *options]
            child = subprocess.Popen(
                [*command, str(grown)], cwd=copy, env=environment, text=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
            assert child.stderr is not None
            reached = 0
            for line in child.stderr:
                if found := PROGRESS.match(line):
                    reached, edges = int(found[1]), max(edges, int(found[2]))
                else:
                    log.write(line)
                    log.flush()
                    if found := LOADED.match(line):
                        all_edges = int(found[1])
            done += reached
            ended = child.wait() == 0
            is_over = done >= runs if runs else time.monotonic() - began >= (seconds or 0) - 1
            if ended or is_over or not reached:
                break
    if not done:
        raise SystemExit(f"fuzz: {name} did not start: see {build.WORK / name}.log")
    new = sorted({*findings.glob(f"{name}-*")} - before)
    result = Result(name, done, edges, all_edges, time.monotonic() - began, new)
    add_up(copy.name, result)
    return result


def add_up(build: str, result: Result) -> None:
    """Add the result to the totals of this checkout, by build and target."""
    with TOTALS.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        totals = json.loads(file.read() or "{}")
        mine = totals.setdefault(build, {}).setdefault(result.name, {"runs": 0, "edges": 0})
        mine["runs"] += result.runs
        mine["edges"] = max(mine["edges"], result.edges)
        mine["all_edges"] = result.all_edges
        mine["seconds"] = round(mine.get("seconds", 0) + result.seconds)
        file.truncate(0)
        json.dump(totals, file, indent=4)


def show_totals() -> int:
    """Print the executions and covered edges of all guided sessions, as a table of Markdown."""
    totals: dict[str, dict[str, dict[str, int]]] = json.loads(TOTALS.read_text())
    print("| target | executions | edges | with sanitizers | edges |\n|---|---:|---:|---:|---:|")
    sums = [0, 0]
    for name in TARGETS:
        runs, edges = [0, 0], [0, 0]
        for kind, rows in totals.items():
            row = rows.get(name, {"runs": 0, "edges": 0})
            is_sanitized = kind.endswith("-sanitize")
            runs[is_sanitized] += row["runs"]
            edges[is_sanitized] = max(edges[is_sanitized], row["edges"])
        sums = [before + more for before, more in zip(sums, runs, strict=True)]
        print(f"| `{name}` | {runs[0]:,} | {edges[0]:,} | {runs[1]:,} | {edges[1]:,} |")
    print(f"| all | {sums[0]:,} | | {sums[1]:,} | |")
    return 0


def write_seeds(name: str, folders: list[Path], copy: Path, environment: dict[str, str]) -> None:
    """Write the seeds of a target into its corpus; the library is loaded only in the child."""
    script = (
        "import sys; from pathlib import Path; from tests.fuzz import corpus, table\n"
        "name, folder, *more = sys.argv[1:]\n"
        "target = table.TARGETS[name]\n"
        "found = corpus.seeds(target.load(), *map(Path, more))\n"
        "found += [bytes.fromhex(r['hex']) for r in corpus.regressions(name)]\n"
        "for n, seed in enumerate(found):\n"
        "    if len(seed) <= 4 * target.longest:\n"
        "        (Path(folder) / f'seed-{n:05}').write_bytes(seed)\n"
    )
    command = [sys.executable, "-c", script, name, str(CORPUS / name), *map(str, folders)]
    subprocess.run(command, cwd=copy, env=environment, check=True)


def record(name: str, file: str, text: str) -> int:
    """Add an input to the regressions of a target."""
    path = corpus.REGRESSIONS / f"{name}.jsonl"
    row = {"what": text, "hex": Path(file).read_bytes().hex()}
    with path.open("a") as out:
        out.write(json.dumps(row) + "\n")
    print(f"fuzz: added to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
