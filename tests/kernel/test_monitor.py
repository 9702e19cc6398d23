"""`netlink monitor` with words of several families, each of which has its own connection."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

import pytest

import netlink
from netlink import Connection, connector
from netlink.netfilter import conntrack
from netlink.route import link, neigh

PATIENCE = 20.0  # seconds
ROOT = Path(netlink.__file__).parent.parent


class Monitor(NamedTuple):
    """A monitor that runs, and the lines that it has printed; None is the end."""

    process: subprocess.Popen[str]
    lines: SimpleQueue[str | None]


def read(process: subprocess.Popen[str], lines: SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


@contextmanager
def monitor(*words: str) -> Iterator[Monitor]:
    command = [sys.executable, "-m", "netlink", "monitor", "--json", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
        lines: SimpleQueue[str | None] = SimpleQueue()
        reader = threading.Thread(target=read, args=(process, lines))
        reader.start()
        try:
            yield Monitor(process, lines)
        finally:
            # A listener to process events that is killed leaves its count in the kernel.
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=PATIENCE)
            finally:
                process.kill()
                reader.join()


def listens(protocol: int) -> bool:
    """Whether a socket of a protocol in this namespace has joined a group.

    Columns of /proc/net/netlink: socket, protocol, port, groups (a bit each) and more.
    """
    rows = Path("/proc/thread-self/net/netlink").read_text().splitlines()[1:]
    return any(int(row.split()[1]) == protocol and int(row.split()[3], 16) for row in rows)


def until(running: Monitor, *wanted: str) -> list[dict[str, object]]:
    """The events that a monitor prints, up to the last of the wanted kinds."""
    assert running.process.stderr is not None
    found: list[dict[str, object]] = []
    while not {*wanted} <= {str(event["event"]) for event in found}:
        try:
            line = running.lines.get(timeout=PATIENCE)
        except Empty:
            pytest.fail(f"only these events came: {found}")
        if line is None:
            pytest.skip(running.process.stderr.read().strip())
        found.append(json.loads(line))
    return found


def test_several_families(nl: Connection) -> None:
    nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
    with Connection(conntrack.FAMILY, timeout=PATIENCE) as flows:
        try:
            flows.do(conntrack.get_stats())
        except OSError as error:
            pytest.skip(f"the kernel has no conntrack: {error}")
        with monitor("neigh", "conntrack", "uevent") as running:
            end = time.monotonic() + PATIENCE
            while not all(map(listens, (0, 12, 15))):
                assert time.monotonic() < end and running.process.poll() is None
                time.sleep(0.01)
            nl.do(neigh.add("192.0.2.7", "v0", lladdr="02:00:00:00:00:07"))
            flows.do(
                conntrack.add(
                    proto="udp", src="192.0.2.1", dst="192.0.2.2", sport=1, dport=2, timeout=60
                )
            )
            nl.do(link.change("v0", name="w0"))
            events = until(running, "RTM_NEWNEIGH", "IPCTNL_MSG_CT_NEW", "UEVENT")
    moved = [event["properties"] for event in events if event["event"] == "UEVENT"]
    assert {"ACTION": "move", "INTERFACE": "w0"}.items() <= moved[0].items()  # type: ignore
    [flow] = [event for event in events if event["event"] == "IPCTNL_MSG_CT_NEW"]
    assert flow["status"] == ["IPS_CONFIRMED"]


def test_processes_need_the_initial_namespace() -> None:
    command = [sys.executable, "-m", "netlink", "monitor", "proc", "--count", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "process events exist in the initial network namespace only" in done.stderr


def test_processes() -> None:
    initial = f"/proc/{os.getppid()}/ns/net"
    try:
        with Connection(connector.FAMILY, netns=initial) as nl:
            nl.do(connector.listen())
            nl.do(connector.ignore())
    except (OSError, TimeoutError) as error:
        pytest.skip(f"no process events here: {error}")
    with monitor("proc", "--netns", initial) as running:
        until(running, "CN_IDX_PROC")  # the acknowledgement: it listens
        subprocess.run(["/bin/true"], check=True)
        events = until(running, "CN_IDX_PROC")
    assert {*events[0]} == {"event", "what", "cpu", "timestamp_ns", "event_data"}


def test_an_unknown_word() -> None:
    command = [sys.executable, "-m", "netlink", "monitor", "contrack"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode and "did you mean 'conntrack'?" in done.stderr
