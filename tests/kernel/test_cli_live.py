"""The command line as a user runs it: processes of its own, on the live kernel.

What `netlink dump` prints in full is held against iproute2 in test_oracle.py.
"""

import errno
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest

import netlink
from netlink import Connection
from netlink.constants import AF
from netlink.route import FAMILY, addr, link, route
from netlink.route.link import Link
from netlink.route.linkinfo import LinkInfo, Veth
from netlink.route.rtnetlink import RT_SCOPE, RT_TABLE, RTN, RTPROT

HERE = Path(netlink.__file__).parent.parent
NETLINK = [sys.executable, "-m", "netlink"]
PATIENCE = 30  # seconds; nothing here should need them
LO = 1


def run(*arguments: str, program: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*(program or NETLINK), *arguments],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(FAMILY, timeout=5) as connection:
        yield connection


def make_routes(nl: Connection, count: int) -> None:
    for number in range(count):
        nl.do(
            route.new(
                family=AF.AF_INET,
                dst=IPv4Address("10.0.0.0") + number,
                dst_len=32,
                rtm_table=RT_TABLE.RT_TABLE_MAIN,
                protocol=RTPROT.RTPROT_STATIC,
                scope=RT_SCOPE.RT_SCOPE_LINK,
                type=RTN.RTN_UNICAST,
                oif=LO,
            )
        )


# --- demo -----------------------------------------------------------------------------------------


def figure(output: str, what: str) -> int:
    found = re.search(rf"^{what}.*?  +([\d,]+)", output, re.MULTILINE)
    assert found, output
    return int(found[1].replace(",", ""))


def check_demo(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stderr) == (0, "")
    for expected in (
        "private network namespace",
        "v0@v1",
        "v3@v2",
        "RTM_NEWLINK v1",
        "RTM_NEWADDR 192.0.2.1/24 dev v0",
        "route.new: Nexthop has invalid gateway (ENETUNREACH)",
        "link.new: linkinfo.data.peer.new_ifindex: ",
    ):
        assert expected in done.stdout
    assert figure(done.stdout, "routes made") == 10_000
    assert figure(done.stdout, "routes dumped") >= 5 * 10_000
    heard, lost = (figure(done.stdout, f"events {what}") for what in ("heard", "lost"))
    assert heard > 0
    assert heard + lost >= 10_000


def test_demo(nl: Connection) -> None:
    check_demo(run("demo"))
    assert "v0" not in [found.ifname for found in nl.dump(link.get())]  # it left ours alone


REFUSE = """
import os, sys
from netlink import _nlsock
from netlink.cli import main
allowed = _nlsock.unshare
def unshare(flags):
    if {condition}:
        raise OSError({error}, os.strerror({error}))
    allowed(flags)
_nlsock.unshare = unshare
sys.exit(main(["demo"]))
"""


def test_demo_in_a_user_namespace() -> None:
    """What an ordinary user gets, who may not unshare a network namespace alone."""
    script = REFUSE.format(condition="flags == _nlsock.CLONE_NEWNET", error=errno.EPERM)
    done = run(program=(sys.executable, "-c", script))
    if "allows no private namespace" in done.stdout:
        pytest.skip(done.stdout.splitlines()[0])
    check_demo(done)


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOSPC, errno.EINVAL])
def test_demo_without_a_namespace(error: int, nl: Connection) -> None:
    """It says so, and only reads."""
    make_routes(nl, 10)
    done = run(program=(sys.executable, "-c", REFUSE.format(condition="True", error=error)))
    assert (done.returncode, done.stderr) == (0, "")
    first, *rest = done.stdout.splitlines()
    assert f"({errno.errorcode[error]})" in first and "only reads" in first
    assert any(line.startswith("lo ") for line in rest)
    assert any(line.endswith("No such device (ENODEV)") for line in rest)
    assert figure(done.stdout, "routes dumped") >= 5 * 10
    assert "v0" not in [found.ifname for found in nl.dump(link.get())]


# --- dump -----------------------------------------------------------------------------------------


def test_dump_names_links(nl: Connection) -> None:
    """The names in a table are asked of the kernel in the middle of the dump."""
    info = LinkInfo(kind="veth", data=Veth(peer=Link(ifname="v1")))
    nl.do(link.new(ifname="v0", linkinfo=info))
    links = {found.ifname: found.index for found in nl.dump(link.get())}
    own = IPv4Address("192.0.2.1")
    nl.do(addr.new(family=AF.AF_INET, index=links["v0"], local=own, prefixlen=24))
    make_routes(nl, 1)

    rows = [line.split() for line in run("dump", "link").stdout.splitlines()]
    assert rows[0][:3] == ["NAME", "INDEX", "KIND"]
    assert ["v0@v1", str(links["v0"]), "veth"] in [row[:3] for row in rows]
    rows = [line.split() for line in run("dump", "addr").stdout.splitlines()]
    assert ["192.0.2.1/24", "v0"] in [row[:2] for row in rows]
    rows = [line.split() for line in run("dump", "route").stdout.splitlines()]
    assert ["10.0.0.0", "-", "lo"] in [row[:3] for row in rows]


@pytest.mark.parametrize("name", ["link", "addr", "route", "neigh"])
def test_dump_json_is_valid(name: str, nl: Connection) -> None:
    make_routes(nl, 3000)
    done = run("dump", name, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert isinstance(shown, list)
    if name == "route":
        ours = [found.to_json() for found in nl.dump(route.get())]
        assert [r for r in shown if r["family"] == "AF_INET"] == [
            r for r in ours if r["family"] == "AF_INET"
        ]  # an IPv6 route's ages move on


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_dump_into_a_closed_pipe(form: list[str], nl: Connection) -> None:
    make_routes(nl, 3000)
    with subprocess.Popen(
        [*NETLINK, "dump", "route", *form],
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        assert (process.wait(PATIENCE), process.stderr.read()) == (0, "")


def test_dump_on_a_terminal(nl: Connection) -> None:
    pytest.importorskip("rich")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    environment.pop("NO_COLOR", None)
    subprocess.run([*NETLINK, "dump", "link"], cwd=HERE, stdout=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert (
        "\x1b[1m" in shown and "lo" in shown
    )  # a table, or lines where the addresses are too long


# --- monitor --------------------------------------------------------------------------------------


@contextmanager
def monitor(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A monitor that listens by now; where it still runs at the end, it is killed."""
    process = subprocess.Popen(
        [*NETLINK, "monitor", *arguments],
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not listens() and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


def listens() -> bool:
    """Whether a socket of this namespace is in all groups that the monitor joins, neigh the last.

    Columns of /proc/net/netlink: socket, protocol, port, groups (a bit each) and more.
    """
    rows = Path("/proc/thread-self/net/netlink").read_text().splitlines()[1:]
    return any(row.split()[1] == "0" and int(row.split()[3], 16) & 1 << 2 for row in rows)


def finish(process: subprocess.Popen[str], *, interrupt: bool = False) -> tuple[str, str]:
    """Standard output and error of a monitor that ends well."""
    if interrupt:
        process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    return output


def test_events_come_at_once(nl: Connection) -> None:
    """A pipe sees each event when it happens, not when a buffer is full."""
    with monitor() as process:
        assert process.stdout
        for number in range(2):
            name = f"v{number}"
            info = LinkInfo(kind="veth", data=Veth(peer=Link(ifname=f"p{number}")))
            nl.do(link.new(ifname=name, linkinfo=info))
            lines = [process.stdout.readline(), process.stdout.readline()]
            assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3} RTM_NEWLINK ", line) for line in lines)
            assert any(f" {name}@p{number} " in line for line in lines)
        out, err = finish(process, interrupt=True)
    assert out == ""
    assert re.fullmatch(
        r"netlink: 4 events in [\d.]+ s, [\d,]+ a second; 0 overruns, 0 events lost\n", err
    )


def test_count_ends_it(nl: Connection) -> None:
    with monitor("ipv4-route", "3", "--json", "--count", "5") as process:
        make_routes(nl, 20)
        out, _ = finish(process)
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["RTM_NEWROUTE"] * 5
    assert [event["dst"] for event in events] == [f"10.0.0.{number}" for number in range(5)]
    assert {event["oif"] for event in events} == {LO}


def test_timeout_ends_it() -> None:
    done = run("monitor", "--timeout", "0.2")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("netlink: 0 events in 0.")


def test_timeout_ends_it_in_a_storm(nl: Connection) -> None:
    """Its seconds are counted in all, not from the last event."""
    with monitor("--timeout", "0.5", "--json") as process:
        deadline = time.monotonic() + PATIENCE
        for number in range(10**9):
            nl.do(link.set(index=LO, mtu=1500 + number % 100))
            if process.poll() is not None:
                break
            assert process.stdout and time.monotonic() < deadline
            while select.select([process.stdout], [], [], 0)[0] and process.stdout.readline():
                pass
    assert process.returncode == 0


@pytest.mark.parametrize("form", [[], ["--json"], ["--rate"]])
def test_overrun_is_visible(form: list[str], nl: Connection) -> None:
    with monitor("--rcvbuf", "4096", *form) as process:
        process.send_signal(signal.SIGSTOP)
        make_routes(nl, 500)
        process.send_signal(signal.SIGCONT)
        assert process.stdout and process.stderr
        if form == ["--rate"]:
            told = process.stderr.readline()
            lost = re.fullmatch(r"\d+ events/s, (\d+) in all, (\d+) lost\n", told)
            assert lost and sum(map(int, lost.groups())) == 500
            assert int(lost[2]) > 0
        elif form:
            assert {"event": "overrun"} in map(json.loads, iter(process.stdout.readline, ""))
        else:
            assert any(" OVERRUN " in line for line in iter(process.stdout.readline, ""))
        _, err = finish(process, interrupt=True)
    summary = re.match(r"netlink: (\d+) events .*; 1 overruns, (\d+) events lost", err)
    assert summary and int(summary[2]) > 0
    assert sum(map(int, summary.groups())) <= 500  # it may not have read the last ones yet


def test_monitor_of_a_closed_pipe() -> None:
    """It ends when its reader has gone, and waits for no event to find out."""
    with monitor() as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert (process.wait(PATIENCE), process.stderr.read()) == (0, "")


def test_rate() -> None:
    done = run("monitor", "--rate", "--timeout", "1.2")
    assert (done.returncode, done.stdout) == (0, "")
    meter, summary = done.stderr.splitlines()
    assert meter == "0 events/s, 0 in all, 0 lost"
    assert summary.startswith("netlink: 0 events in 1.")


@pytest.mark.parametrize("group", ["nexthops", "4000000"])
def test_unknown_group(group: str) -> None:
    done = run("monitor", group)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("netlink: ") and group in done.stderr
