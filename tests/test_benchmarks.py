"""The benchmark harness: every workload runs at a small size, and all subjects do the same work.

No test checks times.
"""

import dataclasses
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import netlink
from benchmarks.contenders import Contender
from benchmarks.contenders.netlink import CONTENDER as NETLINK
from benchmarks.contenders.netlink import tally
from benchmarks.namespace import NamespaceError
from benchmarks.run import BenchmarkError, Result, busy_core, run
from benchmarks.workloads.insert_routes import WORKLOAD as INSERT_ROUTES

ROOT = Path(__file__).parent.parent
SIZE = 200

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None, reason="the floor needs a C compiler (cc)"
)


def results(report: Path, workload: str, *contenders: str) -> dict[str, Any]:
    """Run contenders, check the printed table, and return the result of each by its name."""
    arguments = ["--contenders", ",".join(contenders), "--size", str(SIZE), "--runs", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", workload, *arguments, "--json", str(report)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if "no private network namespace" in done.stderr:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stderr) == (0, "")
    [told] = json.loads(report.read_text())["workloads"]
    assert (told["workload"], told["size"]) == (workload, SIZE)
    assert [result["contender"] for result in told["results"]] == [*contenders]
    for result in told["results"]:
        assert len(result["ns"]) >= 2
        for numbers in "cpu_ns", "delivered", "lost":
            assert len(result[numbers]) == len(result["ns"])
        assert all(cpu > 0 for cpu in result["cpu_ns"])
        assert f"{result['count']:,}" in done.stdout
    return dict(zip(contenders, told["results"], strict=True))


@needs_compiler
def test_dump_routes(tmp_path: Path) -> None:
    done = results(tmp_path / "report.json", "dump-routes", "c_floor", "netlink")
    assert done["c_floor"]["count"] == done["netlink"]["count"] >= SIZE
    assert done["c_floor"]["digest"] is None
    assert isinstance(done["netlink"]["digest"], int)


@needs_compiler
def test_insert_routes(tmp_path: Path) -> None:
    done = results(
        tmp_path / "report.json", "insert-routes", "c_floor", "c_loop", "ip_batch", "netlink"
    )
    assert {result["count"] for result in done.values()} == {SIZE}
    assert done["ip_batch"]["rss_peak_kib"] is None
    assert done["netlink"]["rss_peak_kib"] > 0


@needs_compiler
def test_request_latency(tmp_path: Path) -> None:
    done = results(tmp_path / "report.json", "request-latency", "c_floor", "netlink", "netlink_aio")
    assert {result["count"] for result in done.values()} == {SIZE}
    assert isinstance(done["netlink"]["digest"], int)
    assert done["netlink"]["digest"] == done["netlink_aio"]["digest"]


def check_events(done: dict[str, Any]) -> None:
    """Every event was delivered or is known to be lost, and what all have read is equal."""
    filtered = done.pop("netlink_filter", None)
    if filtered is not None:
        assert filtered["count"] == SIZE
        assert [*filtered["delivered"], *filtered["lost"]] == [2] * 8 + [0] * 8
    for result in done.values():
        assert result["count"] == SIZE
        for delivered, lost in zip(result["delivered"], result["lost"], strict=True):
            assert delivered + lost == SIZE
    digests = {result["digest"] for result in done.values() if not any(result["lost"])}
    assert None not in digests
    assert len(digests) == 1


@needs_compiler
def test_events(tmp_path: Path) -> None:
    contenders = ["netlink", "netlink_batches", "netlink_ahead"]
    if Path("/usr/include/libmnl/libmnl.h").exists():
        contenders.insert(0, "c_mnl")
    if hasattr(netlink, "fields"):
        contenders.append("netlink_filter")
    check_events(results(tmp_path / "report.json", "events", *contenders))


@needs_compiler
def test_flood(tmp_path: Path) -> None:
    contenders = "c_recv", "c_recvmmsg", "netlink", "netlink_ahead"
    check_events(results(tmp_path / "report.json", "flood", *contenders))


def test_a_missing_event_ends_the_benchmark() -> None:
    """A contender of this library must not miss an event without an Overrun."""
    assert tally(10, 10, 8, 2) == (10, 8, 2)
    with pytest.raises(SystemExit, match="expected 10 events, got 8 and 1 reported as lost"):
        tally(10, 10, 8, 1)


def test_one_core_is_busy() -> None:
    """`--busy` starts a process that computes, and ends it."""
    begin = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with busy_core():
        time.sleep(0.5)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime > begin


def test_import(tmp_path: Path) -> None:
    arguments = ["interpreter", "netlink_bare", "netlink", "netlink_route"]
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "import", "--contenders", ",".join(arguments),
         "--size", "1", "--runs", "1", "--json", str(report)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )  # fmt: skip
    if "no private network namespace" in done.stderr:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stderr) == (0, "")
    [found] = json.loads(report.read_text())["workloads"]
    assert [(each["contender"], each["count"]) for each in found["results"]] == [
        (name, 1) for name in arguments
    ]
    floor = next(row for row in map(str.split, done.stdout.splitlines()) if row[0] == "interpreter")
    assert floor.count("1.00") == 2  # of time and of CPU time


def insert(**contenders: Contender) -> list[Result]:
    """Return the runner's results for these contenders."""
    try:
        return run("insert-routes", INSERT_ROUTES, contenders, SIZE, 1)
    except NamespaceError as error:
        pytest.skip(str(error))


def test_a_share() -> None:
    """A slow contender gets less work than the others, and its work is verified like theirs."""
    whole, tenth = insert(
        whole=NETLINK, tenth=dataclasses.replace(NETLINK, shares={"insert-routes": 10})
    )
    assert (whole.size, whole.count) == (SIZE, SIZE)
    assert (tenth.size, tenth.count) == (SIZE // 10, SIZE // 10)


def test_work_is_verified() -> None:
    """The runner detects a contender that reports success without doing the work."""
    claim = {"version": "", "count": SIZE, "digest": None, "ns": [1], "cpu_ns": [1]}
    claim |= {"delivered": [SIZE], "lost": [0], "rss_start_kib": None, "rss_peak_kib": None}
    liar = Contender(("insert-routes",), lambda _: ["sh", "-c", f"echo '{json.dumps(claim)}'"])
    with pytest.raises(BenchmarkError, match=f"insert-routes: liar left 0 routes for {SIZE}"):
        insert(liar=liar)
