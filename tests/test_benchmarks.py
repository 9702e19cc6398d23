"""The benchmark harness works: a small table, two contenders, the same work. No time is judged."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SIZE = 200


@pytest.mark.skipif(shutil.which("cc") is None, reason="the floor needs a C compiler (cc)")
def test_dump_routes(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    arguments = [
        "dump-routes",
        "--contenders",
        "c_floor,netlink",
        "--routes",
        str(SIZE),
        "--runs",
        "2",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments, "--json", str(report)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if "no private network namespace" in done.stderr:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stderr) == (0, "")

    [workload] = json.loads(report.read_text())["workloads"]
    floor, views = workload["results"]
    assert (floor["contender"], views["contender"]) == ("c_floor", "netlink")
    assert floor["count"] == views["count"] >= SIZE
    assert len(floor["ns"]) == len(views["ns"]) >= 2
    assert floor["digest"] is None
    assert isinstance(views["digest"], int)
    assert str(views["count"]) in done.stdout
