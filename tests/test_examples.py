"""The programs of examples/ run unchanged, each as its own process.

If the kernel or the user does not allow one, it must say so in one line, without a traceback.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from examples.quota_warnings import owner, sentence
from examples.taskstats_exit import ending, size
from netlink import Connection
from netlink.generic.dquot import QTYPE, QUOTA_NL, QuotaWarning
from netlink.netfilter import conntrack

EXAMPLES = Path(__file__).parent.parent / "examples"
PATIENCE = 120  # seconds: a bound for what hangs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="netlink sockets are Linux's")


def start(name: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> list[str]:
    """Return the lines that a program prints until it ends. Skip if it lacks a privilege."""
    try:
        output, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    if process.returncode:
        assert process.returncode == 1
        assert "Traceback" not in errors
        pytest.skip(errors.strip())
    assert errors == ""
    return output.splitlines()


def test_programs_are_all_tried_here() -> None:
    names = {path.name for path in EXAMPLES.glob("*.py")}
    assert names == {
        "__init__.py", "conntrack_log.py", "process_tracer.py", "quota_warnings.py",
        "socket_table.py", "taskstats_exit.py",
    }  # fmt: skip


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("[a-z]*.py")), ids=lambda path: path.name)
def test_help(path: Path) -> None:
    lines = end(start(path.name, "--help"))
    assert lines[0].startswith(f"usage: {path.name}")
    assert any(f"python examples/{path.name}" in line for line in lines)


# --- taskstats_exit.py ---


def test_taskstats_exit() -> None:
    process = start("taskstats_exit.py")
    assert process.stdout is not None
    patience = threading.Timer(PATIENCE, process.kill)
    patience.start()
    try:
        if process.stdout.readline():  # the title: it listens
            with subprocess.Popen(["sh", "-c", "kill -9 $$"]) as killed:
                pass
            line = next(line for line in process.stdout if line.split()[0] == str(killed.pid))
            assert line.split()[1:3] == ["sh", "SIGKILL"]
            process.send_signal(signal.SIGINT)
    finally:
        patience.cancel()
    end(process)  # as one should who is told to


def test_how_a_process_ended() -> None:
    assert [ending(status) for status in (0, 3 << 8, 9, 15 | 0x80)] == [
        "0",
        "3",
        "SIGKILL",
        "SIGTERM",
    ]
    assert ending(70) == "signal 70"


def test_sizes() -> None:
    numbers = (0, 1023, 1024, 5 << 20, 3 << 30, 7 << 40, 7 << 50, -4096)
    assert [size(number) for number in numbers] == [
        "0 B", "1023 B", "1 KB", "5 MB", "3 GB", "7 TB", "7168 TB", "-4 KB",
    ]  # fmt: skip


# --- quota_warnings.py ---


def test_quota_warnings() -> None:
    lines = end(start("quota_warnings.py", "--demo"))
    assert "user 65533 cannot write more: the hard limit is reached on loop" in "\n".join(lines)
    assert len(lines) >= 7


def test_sentences() -> None:
    warning = QuotaWarning(
        qtype=QTYPE.USRQUOTA,
        excess_id=0,
        caused_id=0,
        warning=QUOTA_NL.QUOTA_NL_ISOFTWARN,
        dev_major=999,
        dev_minor=1,
    )
    words = "user root has more files than the soft limit allows on device 999:1"
    assert sentence(warning) == words
    group = warning.replace(qtype=QTYPE.GRPQUOTA, excess_id=54321, warning=77)
    assert sentence(group) == "group 54321 has warning 77 on device 999:1, by user root"
    assert owner(QTYPE.PRJQUOTA, 5) == "project 5"


# --- process_tracer.py ---


def test_process_tracer() -> None:
    process = start("process_tracer.py")
    assert process.stdout is not None
    patience = threading.Timer(PATIENCE, process.kill)
    patience.start()
    seen: list[str] = []
    try:
        if process.stdout.readline():  # it listens
            with subprocess.Popen(["sh", "-c", "sleep 0.2; exit 3"]) as child:
                pass
            for line in process.stdout:
                if str(child.pid) in line.split():
                    seen.append(line.strip())
                if seen and seen[-1].startswith(f"{child.pid} ended"):
                    break
            process.send_signal(signal.SIGINT)
    finally:
        patience.cancel()
    end(process)
    assert seen[0].endswith(f" forked {child.pid}")
    assert f"{child.pid} executes sh -c sleep 0.2; exit 3" in seen
    assert seen[-1] == f"{child.pid} ended with 3"


# --- conntrack_log.py ---


def test_conntrack_log(netns: None) -> None:
    chain = "chain o {\n type filter hook output priority 0; ct state new accept\n }"
    rules = f"table inet t {{\n {chain}\n}}\n"
    try:
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"nothing tracks connections: {error}")
    process = start("conntrack_log.py")
    assert process.stdout is not None and process.stderr is not None
    patience = threading.Timer(PATIENCE, process.kill)
    patience.start()
    line = ""
    try:
        if process.stderr.readline() == "listening\n":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.bind(("127.0.0.1", 0))
                sock.sendto(b"x" * 100, ("127.0.0.1", 4321))
                port = sock.getsockname()[1]
            with Connection(conntrack.FAMILY) as nl:
                nl.do(conntrack.remove_all())
            line = process.stdout.readline()
            process.send_signal(signal.SIGINT)
    finally:
        patience.cancel()
    end(process)
    logged = json.loads(line)
    assert (logged["proto"], logged["src"], logged["sport"]) == (17, "127.0.0.1", port)
    assert logged["sent_bytes"] == 128 and logged["seconds"] >= 0


# --- socket_table.py ---


def test_socket_table(netns: None) -> None:
    pytest.importorskip("pandas")
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines = end(start("socket_table.py"))
        port = str(server.getsockname()[1])
    assert lines[0].split()[:5] == ["src", "sport", "dst", "dport", "state"]
    assert [line.split()[4] for line in lines if port in line.split()] == ["listen"]
