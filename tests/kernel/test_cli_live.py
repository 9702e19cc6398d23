"""The command line as a user runs it: processes of its own, on the live kernel.

What `netlink dump` prints in full is compared with iproute2 in test_oracle.py; here, which objects
each filter selects, and that every noun runs.
"""

import errno
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

import netlink
from netlink import Connection
from netlink.cli import main
from netlink.cli.objects import all_nouns, noun
from netlink.constants import AF
from netlink.route import FAMILY, addr, link, route
from netlink.route.link import Link
from netlink.route.link.kinds.veth import Veth
from netlink.route.link.linkinfo import LinkInfo
from netlink.route.rtnetlink import RT_SCOPE, RT_TABLE, RTN, RTPROT
from tests.kernel.scene import make, shown

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
    assert figure(done.stdout, "routes created") == 10_000
    assert figure(done.stdout, "routes dumped") >= 5 * 10_000
    heard, lost = (figure(done.stdout, f"events {what}") for what in ("received", "lost"))
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
    """An ordinary user needs a user namespace to create a network namespace."""
    script = REFUSE.format(condition="flags == _nlsock.CLONE_NEWNET", error=errno.EPERM)
    done = run(program=(sys.executable, "-c", script))
    if "refused a private network namespace" in done.stdout:
        pytest.skip(done.stdout.splitlines()[0])
    check_demo(done)


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOSPC, errno.EINVAL])
def test_demo_without_a_namespace(error: int, nl: Connection) -> None:
    """The demo reports it, and only reads."""
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
    """The command asks the kernel for names of links during the dump."""
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


SCENE = """
    link add v0 type veth peer name v1
    link set v0 up
    link set v1 up
    addr add 192.0.2.1/24 dev v0
    addr add 2001:db8::1/64 dev v0 nodad
    route add 10.1.0.0/16 via 192.0.2.2 dev v0 table 100
    route add 10.2.0.0/16 nexthop via 192.0.2.2 dev v0 weight 3 nexthop dev lo
    route add blackhole 10.3.0.0/16 proto static metric 7
    route add unreachable 2001:db8:7::/48 table 100
    neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0
    neigh add 192.0.2.8 dev v0 nud incomplete
    neigh add proxy 192.0.2.77 dev v0
    rule add from 10.1.0.0/16 iif v0 fwmark 5/0xff table 100 pref 99
    rule add pref 98 not to 10.9.0.0/16 goto 32766
    nexthop add id 1 via 192.0.2.2 dev v0
    nexthop add id 2 via 192.0.2.3 dev v0
    nexthop add id 3 group 1,3/2
    nexthop add id 4 blackhole
"""


@pytest.fixture
def scene(netns: None) -> None:
    make(SCENE)


@pytest.fixture
def shaped(scene: None) -> None:
    """Make queueing on v0: a root with two classes, a clsact, and filters on both."""
    make(
        """
        qdisc add dev v0 root handle 1: htb default 10
        class add dev v0 parent 1: classid 1:10 htb rate 1mbit
        class add dev v0 parent 1:10 classid 1:11 htb rate 500kbit
        qdisc add dev v1 clsact
        filter add dev v1 ingress protocol ip prio 5 u32 match ip dst 192.0.2.1/32 classid 1:1
        filter add dev v1 egress protocol ipv6 prio 6 u32 match u32 0 0 classid 1:1
        filter add dev v0 parent 1: protocol ip prio 7 u32 match ip dst 192.0.2.1/32 classid 1:10
        """,
        "tc",
    )


@pytest.fixture
def bridged(scene: None) -> None:
    """Make v1 a port of br0."""
    make(
        """
        link add br0 type bridge mcast_snooping 1
        link set br0 up
        link set v1 master br0
        """
    )
    make(
        """
        mdb add dev br0 port v1 grp 239.1.1.1 permanent
        fdb add 02:00:00:00:00:77 dev v1 master static
        """,
        "bridge",
    )


SOCKETS = {"udp", "raw", "mptcp", "packet", "netlink", "vsock", "xdp", "smc"}


def dump(words: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what a dump prints as JSON. Its table must print without an error too."""
    for form in ([], ["--json"]):
        status = main(["dump", *words.split(), *form])
        out, err = capsys.readouterr()
        # Without its module, sock_diag says ENOENT.
        lacks = "EOPNOTSUPP" in err or "the kernel has no family" in err
        if lacks or (words in SOCKETS and "ENOENT" in err):
            pytest.skip(f"the kernel lacks it: {err}")
        assert (status, err) == (0, "")
    return json.loads(out)


def prefixes(routes: list[Any]) -> list[str]:
    """Return the destinations that ip prints, sorted."""
    found = []
    for each in routes:
        if "rtm_table" in each:  # one of ours
            length, full = each["dst_len"], 128 if ":" in each.get("dst", "") else 32
            text = each.get("dst", "default") + (f"/{length}" if length not in (0, full) else "")
        else:
            text = each["dst"]
        found.append(text)
    return sorted(found)


@pytest.mark.parametrize(
    ("words", "theirs"),
    [
        ("route -4", "-4 route show table all"),
        ("route -6", "-6 route show table all"),
        ("route -4 --table 100", "-4 route show table 100"),
        ("route -6 --table 100", "-6 route show table 100"),
        ("route -4 --table main", "-4 route show"),
        ("route -4 --dev v0", "-4 route show table all dev v0"),
        ("route -4 --table 100 --dev v0", "-4 route show table 100 dev v0"),
        ("route -4 --proto static", "-4 route show table all proto static"),
        ("route -4 --type blackhole", "-4 route show table all type blackhole"),
        ("route -4 --scope host", "-4 route show table all scope host"),
        ("route -4 --via 192.0.2.2", "-4 route show table all via 192.0.2.2"),
        ("route -4 --dst 10.3.0.0/16", "-4 route show table all exact 10.3.0.0/16"),
    ],
)
def test_routes_that_filters_select(
    words: str, theirs: str, scene: None, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = dump(words, capsys)
    expected = prefixes(shown(theirs))
    if words in ("route -4 --dev v0", "route -4 --via 192.0.2.2"):
        expected.append("10.2.0.0/16")  # ip(8) does not look at the hops of a multipath route
    assert prefixes(ours) == sorted(expected) and expected


# Our words; the words of ip, bridge or tc; the key that identifies an object in both.
SELECTED: dict[str, tuple[str, str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "addr --dev v0": ("ip", "addr show dev v0", lambda a: a.get("local", a["address"]),
                      lambda a: a),
    "addr -4": ("ip", "-4 addr show", lambda a: a["local"], lambda a: a),
    "link --kind veth": ("ip", "link show type veth", lambda x: x["ifname"], lambda x: x["ifname"]),
    "link --up": ("ip", "link show up", lambda x: x["ifname"], lambda x: x["ifname"]),
    "link --dev v1": ("ip", "link show dev v1", lambda x: x["ifname"], lambda x: x["ifname"]),
    "neigh --dev v0 -4": ("ip", "-4 neigh show dev v0 nud all", lambda n: n["dst"],
                          lambda n: n["dst"]),
    "neigh --state permanent": ("ip", "neigh show nud permanent", lambda n: n["dst"],
                                lambda n: n["dst"]),
    "neigh --proxy": ("ip", "neigh show proxy", lambda n: n["dst"], lambda n: n["dst"]),
    "rule -4": ("ip", "-4 rule show", lambda r: r.get("priority", 0), lambda r: r["priority"]),
    "rule -4 --table 100": ("ip", "-4 rule show table 100", lambda r: r["priority"],
                            lambda r: r["priority"]),
    "nexthop": ("ip", "nexthop show", lambda n: n["id"], lambda n: n["id"]),
    "nexthop --dev v0": ("ip", "nexthop show dev v0", lambda n: n["id"], lambda n: n["id"]),
    "nexthop --groups": ("ip", "nexthop show groups", lambda n: n["id"], lambda n: n["id"]),
    "netconf -4": ("ip", "-4 netconf", lambda c: str(c["ifindex"]).rpartition("_")[2].lower(),
                   lambda c: str(index_of(c["interface"]))),
}  # fmt: skip


def index_of(name: str) -> str | int:
    return name if name in ("all", "default") else socket.if_nametoindex(name)


@pytest.mark.parametrize("words", SELECTED)
def test_what_filters_select(words: str, scene: None, capsys: pytest.CaptureFixture[str]) -> None:
    program, theirs, our_key, their_key = SELECTED[words]
    ours = dump(words, capsys)
    expected = shown(theirs, program)
    if words.startswith("addr"):
        expected = [a["local"] for link in expected for a in link["addr_info"]]
    keys = [their_key(each) for each in expected if each]
    assert sorted(map(our_key, ours)) == sorted(keys) and keys


def test_nexthop_statistics(scene: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert dump("nexthop -s", capsys)


def test_traffic_control(shaped: None, capsys: pytest.CaptureFixture[str]) -> None:
    def handles(words: str) -> list[str]:
        return sorted(each["handle"] for each in dump(words, capsys))

    qdiscs = shown("qdisc show", "tc")
    kinds = sorted(each["kind"] for each in qdiscs)
    assert sorted(each["kind"] for each in dump("qdisc", capsys)) == kinds
    assert [each["kind"] for each in dump("qdisc --dev v0", capsys)] == ["htb"]
    assert [each["kind"] for each in dump("qdisc --kind clsact", capsys)] == ["clsact"]
    assert handles("class") == ["1:10", "1:11"]
    assert handles("class --dev v0") == ["1:10", "1:11"]
    assert handles("class --dev v1") == []
    assert handles("class --dev v0 --parent 1:10") == ["1:11"]
    assert dump("class -s", capsys)[0]["stats2"]["basic"]["packets"] >= 0

    def prios(words: str) -> set[int]:
        return {each["info"] >> 16 for each in dump(words, capsys)}

    assert prios("filter") == {5, 6, 7}
    assert prios("filter --dev v0") == {7}
    assert prios("filter --dev v1") == {5, 6}
    assert prios("filter --dev v1 --parent ingress") == {5}
    assert prios("filter --dev v1 --parent egress") == {6}
    assert prios("filter --prio 7") == {7}
    assert prios("filter --kind flower") == set()
    assert main(["dump", "filter", "--dev", "v1"]) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()]
    assert ["u32", "v1", "ingress", "ip", "5"] in [row[:5] for row in rows]
    assert ["u32", "v1", "egress", "ipv6", "6"] in [row[:5] for row in rows]


def test_actions(scene: None, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        make("actions add action gact drop index 7\nactions add action gact pass index 8", "tc")
    except AssertionError as error:
        if "Operation not permitted" not in str(error):
            raise
        pytest.skip("only root of the initial user namespace changes actions (tc_ctl_action)")
    tables = dump("action --kind gact", capsys)
    assert [each["index"] for table in tables for each in gact_parameters(table)] == [7, 8]
    assert main(["dump", "action", "--kind", "gact"]) == 0
    titles, *rows = [row.split() for row in capsys.readouterr().out.splitlines()]
    assert titles == ["KIND", "INDEX", "REFS", "BINDS", "OPTIONS"]
    assert [row[:4] for row in rows] == [["gact", "7", "1", "0"], ["gact", "8", "1", "0"]]


def gact_parameters(table: Any) -> list[Any]:
    return [action["options"]["parms"] for action in table["tab"]]


def test_bridges(bridged: None, capsys: pytest.CaptureFixture[str]) -> None:
    ports = dump("link --master br0", capsys)
    assert [each["ifname"] for each in ports] == ["v1"]
    [port] = dump("link -B --dev v1", capsys)
    assert (port["family"], port["protinfo"]["state"]) == ("AF_BRIDGE", "BR_STATE_FORWARDING")
    static = "02:00:00:00:00:77"
    for words in ("fdb", "fdb --dev v1", "fdb --master br0", f"fdb --lladdr {static}"):
        entries = dump(words, capsys)
        assert static in [each["lladdr"] for each in entries]
        theirs = shown(f"fdb show {'br br0' if 'br0' in words else ''}", "bridge")
        assert words != "fdb" or len(entries) == len(theirs)
    assert static not in [each["lladdr"] for each in dump("fdb --dev v0", capsys)]
    assert dump("fdb --dev v1 -s", capsys)
    [table] = dump("mdb --dev br0", capsys)
    assert table["mdb"]
    assert dump("mdb --dev v0", capsys) == []
    assert main(["dump", "mdb", "-s"]) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()]
    assert ["239.1.1.1", "br0", "v1"] in [row[:3] for row in rows]


def test_bridge_vlans(scene: None, capsys: pytest.CaptureFixture[str]) -> None:
    make("link add br0 type bridge vlan_filtering 1\nlink set v1 master br0")
    make("vlan add vid 10-12 dev v1\nvlan add vid 20 dev v1 pvid untagged", "bridge")
    for words in ("vlan", "vlan --dev v1", "vlan -s"):
        assert dump(words, capsys)
    assert main(["dump", "vlan", "--dev", "v1"]) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()[1:]]
    assert [row[:3] for row in rows] == [
        ["v1", "1", "untagged"], ["v1", "10-12", "-"], ["v1", "20", "pvid,untagged"],
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore::netlink.KernelWarning")  # a device without an ability
def test_generated_nouns_run(scene: None, capsys: pytest.CaptureFixture[str]) -> None:
    required = {
        "action": "action --kind gact",
        "nlctrl.policy": "nlctrl.policy --family-name nlctrl",
        "ethtool.module_eeprom": "ethtool.module_eeprom --header.dev-name lo --offset 0 --length 1 "
        "--page 0 --i2c-address 80",
    }
    for name in all_nouns():
        with suppress(pytest.skip.Exception):  # of what the kernel lacks
            needs_link = any(each.required for each in noun(name).filters)
            dump(required.get(name, f"{name} --dev lo" if needs_link else name), capsys)
    assert dump("addrlabel", capsys)
    tables = {each["name"] for each in dump("neightbl", capsys)}
    assert {"arp_cache", "ndisc_cache"} <= tables
    names = {each["family_name"] for each in dump("nlctrl.family", capsys)}
    assert "nlctrl" in names
    assert dump("nlctrl.policy --family-name nlctrl --op 3", capsys)
    assert {each["ifindex"] for each in dump("stats --dev lo --filter-mask link_64", capsys)} == {
        LO
    }


# --- namespaces -----------------------------------------------------------------------------------


@pytest.fixture
def other() -> Iterator[str]:
    """The path of another network namespace, which has a link "far" and an nsid in this one."""
    process = subprocess.Popen(["unshare", "-n", "sleep", "60"])
    path = f"/proc/{process.pid}/ns/net"
    own = os.stat("/proc/thread-self/ns/net")
    deadline = time.monotonic() + PATIENCE
    while os.path.samestat(own, os.stat(path)):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    try:
        make(f"link add near type veth peer name far netns {process.pid}")
        yield path
    finally:
        process.kill()
        process.wait()


def test_other_namespace(other: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (f"-n {other} dump link", f"dump -n {other} link", f"dump link --netns {other}"):
        assert main(words.split()) == 0
        out = capsys.readouterr().out
        assert "far@" in out and "near" not in out
    assert main(["dump", "link"]) == 0
    assert "near@if" in capsys.readouterr().out
    assert main(["-n", other, "genl", "list"]) == 0
    assert " nlctrl " in capsys.readouterr().out
    assert main(["monitor", "-n", other, "--timeout", "0.1"]) == 0
    assert main(["dump", "nsid"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["NSID", "NAME"]
    assert len(shown("netns list-id")) == 1


@pytest.mark.parametrize("path", ["/", "/etc/passwd", "../../etc", ""])
def test_no_namespace(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", "link", "-n", path]) == 1
    told = capsys.readouterr().err
    assert told in (
        f"netlink: '{path}' is not a network namespace\n",
        f"netlink: no network namespace '{path}'\n",
    )


def test_monitor_of_another_namespace(other: str) -> None:
    with monitor("-n", other, "--count", "1", "--json", "link", waits=False) as process:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None:  # until it listens, and hears one
            assert time.monotonic() < deadline
            with Connection(FAMILY, netns=other) as there:
                flags = link.IFF.IFF_UP if time.monotonic_ns() % 2 else link.IFF(0)
                there.do(link.set(ifname="far", flags=flags, change=link.IFF.IFF_UP))
            time.sleep(0.05)
        out, _ = process.communicate(timeout=PATIENCE)
    assert json.loads(out)["ifname"] == "far"


def test_named_namespace(machine_root: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The namespace has a name from `ip netns`, which the table of nsids shows too."""
    name = f"netlink-test-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        pytest.skip("ip netns cannot make a namespace here")
    try:
        make(f"link add near type veth peer name far netns {name}")
        assert main(["dump", "link", "-n", name]) == 0
        assert "far@" in capsys.readouterr().out
        assert main(["dump", "nsid"]) == 0
        assert name in [row.split()[1] for row in capsys.readouterr().out.splitlines()]
        assert main(["dump", "link", "-n", name[:-1] + "x"]) == 1
        assert capsys.readouterr().err.endswith(f"; did you mean '{name}'?\n")
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


# --- ends -----------------------------------------------------------------------------------------

ENDLESS = {
    "dump": ["dump", "route"],
    "dump as JSON": ["dump", "route", "--json"],
    "decode": ["decode", "-"],
}


@pytest.mark.parametrize("words", ENDLESS.values(), ids=ENDLESS)
def test_interrupt(words: list[str], nl: Connection) -> None:
    """Ctrl-C while a command works gives status 130, and prints nothing."""
    make_routes(nl, 3000)
    with subprocess.Popen(
        [*NETLINK, *words],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,  # which nobody reads, so that the command blocks
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        if words[0] == "decode":
            request = bytes(link.get().message)
            header = struct.pack("=IHHII", 16 + len(request), 18, 1, 1, 0)
            process.stdin.write((header + request).hex().encode() + b"\n")
            process.stdin.flush()
            time.sleep(0.5)  # it waits for the end of its input by now
        else:
            assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr.read() == b""


# --- monitor --------------------------------------------------------------------------------------


def test_bridge_ports_are_marked(nl: Connection) -> None:
    """A link that leaves its bridge must not look like a removed link."""
    make("link add v0 type veth peer name v1\nlink add br0 type bridge")
    with monitor("link", "neigh", "--count", "20", "--timeout", "1") as process:
        make("link set v0 master br0\nlink set v0 nomaster\nlink del v0")
        out, _ = process.communicate(timeout=PATIENCE)
    lines = [text.split(" ", 1)[1] for text in out.splitlines()]
    deleted = [text for text in lines if text.startswith("RTM_DELLINK")]
    [port] = [text for text in deleted if "(bridge port)" in text]
    assert port.startswith("RTM_DELLINK (bridge port) v0 ") and " master br0 " in port
    assert {text.split()[1].partition("@")[0] for text in deleted if text != port} == {"v0", "v1"}


@contextmanager
def monitor(*arguments: str, waits: bool = True) -> Iterator[subprocess.Popen[str]]:
    """Start a monitor, and wait until it listens if it `waits`. Kill it at the end of the test."""
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
            while waits and not listens() and process.poll() is None:
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
    """Return standard output and error of a monitor that must end with status 0."""
    if interrupt:
        process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    return output


def test_events_come_at_once(nl: Connection) -> None:
    """A pipe receives each event when it happens, not when a buffer is full."""
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
    """The seconds count from the start, not from the last event."""
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
    """It ends when its reader closes the pipe, without waiting for an event."""
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


@pytest.mark.parametrize(("group", "status"), [("nexthops", 2), ("4000000", 1)])
def test_unknown_group(group: str, status: int) -> None:
    """A name is wrong on any machine. The kernel decides which numbers exist."""
    done = run("monitor", group)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1)
    assert done.stderr.startswith("netlink: ") and group in done.stderr
