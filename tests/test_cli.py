"""The command line without a kernel: usage, exit status, and the output for given messages."""

import errno
import io
import json
import os
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, ClassVar

import pytest

import netlink
from netlink import DumpInterrupted, Family, KernelError, Message, Op, Overrun, Plan, RawMessage
from netlink.cli import Failure, guard, main, output
from netlink.cli import text as cli_text
from netlink.cli.monitor import SILENT
from netlink.cli.objects import NOUNS, all_nouns, noun
from netlink.cli.output import ROWS, Output, batches, cut, width_of
from netlink.cli.screen import open_output
from netlink.constants import AF, NETLINK, KernelEnum
from netlink.registry import FAMILIES, Entry
from netlink.route import FAMILY
from netlink.route.addr import IFA_F, Address, ifa_cacheinfo
from netlink.route.addrlabel import AddressLabel
from netlink.route.link import IF_OPER, IFF, IFLA_EVENT, Link, rtnl_link_stats64
from netlink.route.link.kinds.bridge import BridgePort
from netlink.route.link.linkinfo import LinkInfo
from netlink.route.mdb import Mdb
from netlink.route.neigh import NTF, NUD, Neighbour
from netlink.route.neightbl import NeighbourParms, NeighbourTable
from netlink.route.netconf import NetConf
from netlink.route.nexthop import NEXTHOP_GRP_TYPE, NextHopObject, nexthop_grp
from netlink.route.route import NextHop, Route, rtvia
from netlink.route.rtnetlink import (
    RT_SCOPE,
    RT_TABLE,
    RTEXT_FILTER,
    RTM,
    RTM_F,
    RTN,
    RTNH_F,
    RTPROT,
)
from netlink.route.rule import FIB_RULE, FR_ACT, Rule
from netlink.route.tc.chain import Chain
from netlink.route.tc.filter import Filter
from netlink.route.tc.qdisc import Qdisc
from netlink.route.tc.tclass import Class
from netlink.route.tc.tcmsg import TC_H
from netlink.route.vlandb import VlanDb
from netlink.schema import (
    Nested,
    Several,
    array,
    binary,
    flag,
    mapping,
    nest,
    repeated,
    string,
    u32,
)

from . import wire

Given = Message | RawMessage | Overrun

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the commands need Linux")


def received(type: RTM, body: Message) -> Message | RawMessage:
    """Return a message as the kernel sends it, with its type."""
    [message] = netlink.parse(wire.message(type, bytes(body)), FAMILY)
    return message


def python(script: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(netlink.__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


class Reply:
    """An iterator over given messages that may end with an error."""

    def __init__(self, given: list[Given], ending: Exception | None) -> None:
        self._messages = self._stream(given, ending)

    def _stream(self, given: list[Given], ending: Exception | None) -> Iterator[Given]:
        yield from given
        if ending is not None:
            raise ending

    def __iter__(self) -> Iterator[Given]:
        return self._messages

    def all(self) -> list[Given]:
        return [*self._messages]


class Scripted:
    """A connection that returns prepared messages, and knows the names of links 1 to 3."""

    given: list[Given]
    ending: Exception | None
    asked: list[Any]
    netns: list[str | None]
    names: ClassVar[dict[int, str]] = {1: "lo", 2: "eth0", 3: "v0"}

    def __init__(self, *families: Family, netns: str | None = None, **_: object) -> None:
        self.netns.append(netns)
        self.families = families
        self._read, self._write = os.pipe()
        self.stats = netlink.Stats()

    def __enter__(self) -> "Scripted":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._read)
        os.close(self._write)

    def fileno(self) -> int:
        return self._read

    def join(self, group: str | int) -> None:
        self.families[0].group(group)

    def dump(self, request: Any) -> Reply:
        self.asked.append(request)
        return Reply(self.given, self.ending)

    def events(self, timeout: float) -> Iterator[Given]:
        assert timeout == 0
        given, Scripted.given = self.given, []
        return iter(given)

    def do(self, request: Any) -> Any:
        if isinstance(request, Plan) and request.name.startswith("connector."):
            return None
        if isinstance(request, Plan):  # link.index_of
            numbers = {name: index for index, name in self.names.items()}
            if request.args[0] not in numbers:
                raise KernelError(errno.ENODEV)
            return numbers[request.args[0]]
        index = request.message.index
        if index not in self.names:
            raise KernelError(errno.ENODEV)
        return Link(index=index, ifname=self.names[index])


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets the kernel's messages, and the error that ends a dump."""

    def give(*messages: Given, ending: Exception | None = None) -> None:
        Scripted.given = list(messages)
        Scripted.ending = ending
        Scripted.asked = []
        Scripted.netns = []

    monkeypatch.setattr("netlink.cli.namespace.Connection", Scripted)
    monkeypatch.setattr("netlink.cli.monitor.lost", lambda _: 7)
    give()
    return give


# --- usage and exit status ------------------------------------------------------------------------


def test_help_is_cheap() -> None:
    done = python(
        "import sys, netlink.cli\n"
        "try: netlink.cli.main(['--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    assert done.stdout.startswith("usage: netlink ")
    assert all(command in done.stdout for command in ("demo", "monitor", "dump"))
    loaded = set(done.stderr.split())
    assert "netlink.cli" in loaded
    assert not loaded & {"rich", "json", "netlink.route", "netlink.cli.dump"}


WRONG_USAGE = {
    "": "arguments are required: COMMAND",
    "fly": "invalid choice: 'fly' (choose from",
    "--colour": "arguments are required: COMMAND",
    "dump": "expected an object, such as link, addr or route",
    "dump --json": "expected an object, such as link, addr or route",
    "dump zebra": "there is no object 'zebra' to dump; there are: link, addr, route",
    "dump lnik": "there is no object 'lnik' to dump; did you mean 'link'?",
    "dump Route": "there is no object 'Route' to dump; did you mean 'route'?",
    "dump nlctrl.polcy": "there is no object 'nlctrl.polcy' to dump; did you mean 'nlctrl.policy'?",
    "dump link addr": "unexpected argument 'addr'; dump takes one object, and filters as --NAME",
    "dump link --devv lo": "dump link has no filter '--devv'; did you mean '--dev'?",
    "dump route --tabel=7": "dump route has no filter '--tabel'; did you mean '--table'?",
    "dump route --jsn": "dump route has no filter '--jsn'; did you mean '--json'?",
    "dump route --table": "argument --table: expected one argument",
    "dump route -x": "dump route has no filter '-x'; there are: --table",
    "dump nsid --dev lo": "dump nsid has no filter '--dev'; it has none",
    "dump rule -s": "dump rule has no statistics; leave out -s",
    "dump nlctrl.family -s": "dump nlctrl.family has no statistics; leave out -s",
    "dump fdb -4": "dump fdb has no address family to choose",
    "dump nlctrl.family -6": "dump nlctrl.family has no address family to choose",
    "dump link --json --wide": "argument --wide: not allowed with argument --json",
    "dump route --family inte": "'inte' is not an address family; did you mean 'inet'?",
    "dump route --family 256": "'256' is not an address family",
    "dump action": "arguments are required: --kind",
    "dump -4 -6 addr": "argument -6: not allowed with argument -4",
    "dump -4 addr --family inet": "argument --family: not allowed with argument -4",
    "dump addr --dev lo --dev eth0": "--dev was given before",
    "dump link -n": "argument -n/--netns: expected one argument",
    "demo now": "unrecognized arguments: now",
    "monitor --count 0": "'0' is not a whole number from 1 to 2147483647",
    "monitor --count many": "'many' is not a whole number from 1 to 2147483647",
    f"monitor --count {9 * '9' * 600}": "is not a whole number from 1 to 2147483647",
    "monitor --count \u0663": "is not a whole number from 1 to 2147483647",
    "monitor --timeout 0": "'0' is not a time in seconds above 0",
    "monitor --timeout -1": "'-1' is not a time in seconds above 0",
    "monitor --timeout nan": "'nan' is not a time in seconds above 0",
    "monitor --timeout soon": "'soon' is not a time in seconds above 0",
    "monitor --rcvbuf 2147483648": "'2147483648' is not a whole number from 1 to 2147483647",
    "monitor --json --rate": "argument --rate: not allowed with argument --json",
    "monitor -n": "argument -n/--netns: expected one argument",
    "monitor route --where": "argument --where: expected one argument",
    "decode": "arguments are required: FILE",
    "decode a b": "unrecognized arguments: b",
    "decode --protocol rute x": "'rute' is not a protocol; did you mean 'route'?",
    "decode --protocol 32 x": "'32' is not a protocol",
    "decode --protocol \u0663 x": "is not a protocol",
    "genl": "arguments are required: ACTION",
    "genl fly": "invalid choice: 'fly' (choose from",
    "genl list nlctrl": "unrecognized arguments: nlctrl",
    "genl policy": "arguments are required: FAMILY",
    "genl monitor": "arguments are required: FAMILY",
    "genl monitor nlctrl --count -5": "'-5' is not a whole number",
}


@pytest.mark.parametrize("arguments", WRONG_USAGE)
def test_wrong_usage(
    arguments: str, kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The error is one line, which names the fault and the help. The exit status is 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("netlink: ") and err.endswith(" --help)\n")
    assert WRONG_USAGE[arguments] in err


FAILURES = {
    "-n nowhere-at-all dump link": "no network namespace 'nowhere-at-all'",
    "dump -n nowhere-at-all link": "no network namespace 'nowhere-at-all'",
    "dump link -n /nowhere/at/all": "no network namespace '/nowhere/at/all'",
    "monitor -n nowhere-at-all": "no network namespace 'nowhere-at-all'",
    "demo -n nowhere-at-all": "no network namespace 'nowhere-at-all'",
    "decode -n nowhere-at-all -": "no network namespace 'nowhere-at-all'",
    "genl -n nowhere-at-all list": "no network namespace 'nowhere-at-all'",
    "genl list -n nowhere-at-all": "no network namespace 'nowhere-at-all'",
    "decode /nowhere/at/all": "cannot read /nowhere/at/all: No such file or directory (ENOENT)",
    "decode /": "cannot read /: Is a directory (EISDIR)",
    "dump link --dev 9": "there is no link '9'",
    "dump link --dev 0": "there is no link '0'",
    "dump route --dev eth1": "there is no link 'eth1'; did you mean 'eth0'?",
    "dump route --dev 99999999999": "there is no link '99999999999'",
}
WRONG_VALUES = {
    "dump route --table mian": "--table: 'mian' is not in RT_TABLE; did you mean 'main'?",
    "dump route --proto 300000000000": "protocol",
    "dump route --type uncast": "--type: 'uncast' is not in RTN; did you mean 'unicast'?",
    "dump route --metric low": "--metric: 'low' is not a number",
    "dump route --dst 10.0.0.300": "--dst: '10.0.0.300' does not appear to be",
    "dump route --via eth0": "--via: 'eth0' does not appear to be",
    "dump neigh --state reachabel": "--state: 'reachabel' is not in NUD; did you mean 'reachable'?",
    "dump neigh --state stale,foo": "--state: 'foo' is not in NUD",
    "dump addr --scope glboal": "--scope: 'glboal' is not in RT_SCOPE; did you mean 'global'?",
    "dump link --group default": "--group: 'default' is not a number",
    "dump filter --parent 12345:": "--parent: '12345:' ",
    "dump filter --prio x": "--prio: 'x' is not a number",
    "dump stats --filter-mask link_65": "did you mean 'link_64'?",
    "dump nexthop.bucket --id one": "--id: 'one' is not a number",
    "monitor route --where table=254": "write '==' instead of '='; at column 6: =254",
    "monitor route --where tabel==254": "did you mean 'table'?; at column 1: tabel==254",
    "monitor route --where oif==": "expected a value, got the end; at column 6: the end",
    "monitor route --where table==mian": "'mian' is not a name of RT_TABLE; did you mean 'main'?",
    "monitor route link --where table==254": "say to which group it applies, as in 'route: table",
    "monitor --where table==254": "say to which group it applies",
    "monitor route --where link:mtu==3": "group 'link' is not among: route",
    "monitor tc --where kind==x": "--where cannot test events of 'tc'",
    "monitor uevent --where action==add": "--where cannot test events of 'uevent'",
    "monitor ipv5-route": "there is no group 'ipv5-route'; did you mean 'ipv6-route'?",
    "monitor RTNLGRP_FOO": "there is no group 'RTNLGRP_FOO'",
    "monitor -- -1": "there is no group '-1'",
    "monitor 0": "there is no group '0'",
    "monitor 4294967296": "there is no group '4294967296'",
    f"monitor {9 * '9' * 600}": "there is no group '9999",
    "dump route --via fe80::1%lo": "--via: 'fe80::1%lo' names a link; leave out its zone",
    "dump filter --block x": "--block: 'x' is not a number",
    "dump link --group 1x": "--group: '1x' is not a number",
}


@pytest.mark.parametrize("arguments", [*FAILURES, *WRONG_VALUES])
def test_failures(
    arguments: str, kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, which names what was wrong. What is wrong on any machine has status 2."""
    kernel(*LINKS)
    assert main(arguments.split()) == (1 if arguments in FAILURES else 2)
    out, err = capsys.readouterr()
    assert (out.strip("[]\n"), err.count("\n")) == ("", 1)
    assert err.startswith("netlink: ") and (FAILURES | WRONG_VALUES)[arguments] in err


WRONG_JSON = {
    "[": "JSON expected: Expecting value",
    100_000 * "[": "JSON expected: maximum recursion depth exceeded",
    20_000 * '{"header":' + "1" + 20_000 * "}": "JSON expected: maximum recursion depth exceeded",
    '{"header":{"dev-index":' + 5000 * "9" + "}}": "JSON expected: Exceeds the limit (4300 digits)",
    "5": "expected an object, got 5",
    '{"x":1}': "x: there is no 'x'; there are: header",
    '{"header":{"dev-index":-1}}': "-1 is out of range: use 0 to 4294967295",
}


@pytest.mark.parametrize("number", range(len(WRONG_JSON)))
def test_wrong_json(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The text may have any length and any depth. Nothing is sent."""
    pytest.importorskip("yaml")
    spec = str(Path(__file__).parent / "specs/ethtool.yaml")
    text, expected = [*WRONG_JSON.items()][number]
    assert main(["ynl", spec, "do", "features-get", text]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("netlink: ") and expected in err


def test_no_error_suggests_a_silent_group(
    kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Some groups belong to protocols that Linux has removed."""
    kernel(*LINKS)
    assert set(SILENT) < FAMILY.groups.keys()
    for group in SILENT:
        assert main(["monitor", group + "s"]) == 2
        suggested = re.findall(r"'([^']*)'", capsys.readouterr().err)
        assert not set(SILENT) & set(suggested)
        assert main(["monitor", group, "--timeout", "0.01"]) == 0  # joining one is allowed


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"netlink {netlink.__version__}\n"


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 0, ""),
        (KeyboardInterrupt(), 130, ""),
        (OSError(errno.ENOSPC, "No space left on device"), 1,
         "netlink: No space left on device (ENOSPC)\n"),
        (KernelError(errno.EPERM, "not you"), 1, "netlink: not you (EPERM)\n"),
        (TimeoutError("too slow"), 1, "netlink: too slow\n"),
        (Overrun(), 1, f"netlink: {Overrun()}\n"),
        (Failure("a line\nand \x1b[2J \udcff"), 1, "netlink: a line and \\x1b[2J \\xff\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)  # fmt: skip
def test_status(
    error: BaseException, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        raise error

    assert guard(work) == status
    assert capsys.readouterr() == ("", told)


def test_bug_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        guard(lambda: 1 // 0)


PRINT = "import sys; from netlink.cli import guard; sys.exit(guard(lambda: print('text') or 0))"


def test_full_disk() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PRINT],
            cwd=Path(netlink.__file__).parent.parent,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (1, "netlink: No space left on device (ENOSPC)\n")


def test_closed_output() -> None:
    close = "import os, sys; os.close(1); sys.stdout = None; from netlink.cli import main; "
    done = python(close + "sys.exit(main(['dump', 'link']))")
    assert (done.returncode, done.stderr) == (0, "")


# --- dump -----------------------------------------------------------------------------------------

LINKS = (
    received(RTM.RTM_NEWLINK, Link(index=1, ifname="lo", mtu=65536)),
    received(RTM.RTM_NEWLINK, Link(index=2, ifname="eth0", mtu=1500, address="02:00:00:00:00:01")),
)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_dump_json(
    count: int, kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    kernel(*LINKS[:count])
    assert main(["dump", "link", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == [link.to_json() for link in LINKS[:count] if isinstance(link, Link)]


def test_dump_table(kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    kernel(*LINKS)
    assert main(["dump", "link"]) == 0
    assert capsys.readouterr().out == (
        "NAME  INDEX  KIND    STATE    MTU  MASTER  ADDRESS            FLAGS\n"
        "lo        1  netrom  -      65536  -       -                  -\n"
        "eth0      2  netrom  -       1500  -       02:00:00:00:00:01  -\n"
    )


def test_dump_of_nothing(kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    kernel()
    assert main(["dump", "neigh"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_error_comes_behind_what_was_there(
    form: list[str], kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    kernel(*LINKS, ending=DumpInterrupted([]))
    assert main(["dump", "link", *form]) == 1
    out, err = capsys.readouterr()
    assert "eth0" in out
    assert not form or len(json.loads(out)) == 2
    assert err.startswith("netlink: the data changed during the dump") and err.count("\n") == 1


@pytest.mark.parametrize("name", all_nouns())
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_every_noun_runs(
    name: str, form: list[str], kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    required = {"action": ["--kind", "gact"], "wireguard": ["--dev", "eth0"]}
    if any(each.required for each in noun(name).filters) and name not in required:
        with pytest.raises(SystemExit):  # of a link: see REQUESTS
            main(["dump", name, *form])
        assert "required: --dev" in capsys.readouterr().err
        return
    assert main(["dump", name, *form, *required.get(name, [])]) == 0
    assert capsys.readouterr() == ("[]\n" if form else "", "")
    assert Scripted.asked or name in ("class", "filter", "chain")  # which are asked link by link
    for request in Scripted.asked:
        assert request.name in (noun(name).op, "link.get", "tc.qdisc.get")


def test_nouns_are_found_without_loading_all() -> None:
    """A noun with a hand-made row loads only its own module."""
    done = python(
        "import sys\n"
        "from netlink.cli.objects import noun\n"
        "noun('route').load()\n"
        "print(*(name for name in sys.modules if name.startswith('netlink.')))"
    )
    loaded = set(done.stdout.split())
    assert "netlink.route.route" in loaded
    assert not loaded & {"netlink.route.rule", "netlink.route.tc", "netlink.generic.nlctrl"}


def test_hand_made_nouns() -> None:
    wanted = "link addr route neigh rule nexthop qdisc class filter vlan mdb fdb netconf nsid"
    assert set(wanted.split()) <= {row.name for row in NOUNS}
    assert len({row.name for row in NOUNS}) == len(NOUNS)


def test_every_op_that_dumps_has_a_noun() -> None:
    nouns = all_nouns()
    ops = {row.op for row in nouns.values()}
    for entry in FAMILIES:
        family = entry.load()
        assert family.classes
        for op in family.ops.values():
            assert (op.name in ops) == op.dumps, op.name
    assert {"addrlabel", "neightbl", "nexthop.bucket", "nlctrl.family", "nlctrl.policy"} <= set(
        nouns
    )
    assert not {"dcb", "taskstats", "linkprop"} & set(nouns)
    for row in nouns.values():
        assert row.help and row.load().name == row.op
        names = [each.name for each in row.filters]
        assert len(set(names)) == len(names), row.name


@pytest.mark.parametrize("name", all_nouns())
def test_help_of_a_noun(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = noun(name)
    with pytest.raises(SystemExit) as ended:
        main(["dump", name, "--help"])
    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (0, "")
    assert f"netlink dump {name}" in out
    assert all(f"--{each.name}" in out for each in row.filters)
    assert ("  -4 " in out) == row.has_family
    assert ("--statistics" in out) == row.has_statistics


def test_help_of_dump(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dump", "-h"])
    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (0, "")
    for row in all_nouns().values():
        assert f"  {row.name} " in out and row.help in out


PAGE = Path(__file__).parent.parent / "docs" / "command-line.md"


@pytest.mark.skipif(not PAGE.exists(), reason="the docs are not here")
def test_the_page_about_the_command_line(kernel: Callable[..., None]) -> None:
    """Its examples run, and its tables list exactly what exists."""
    text = PAGE.read_text()
    examples = re.findall(
        "^    netlink (dump (?!--help|route --help).*|monitor.*)$", text, re.MULTILINE
    )
    assert len(examples) > 8
    for example in examples:
        kernel(*(LINKS if example.startswith("monitor") else ()))
        more = " --count 1" if example.startswith("monitor") else ""
        more = " --timeout 0.01" if "--timeout" in example else more
        assert main(shlex.split(f"{example}{more}")) == 0, example
    for row in NOUNS:
        shown = re.search(
            rf"^\|[^|\n]* `{row.name}`[ ,][^|\n]*\| (.*?) ?\|(.*)\|$", text, re.MULTILINE
        )
        assert shown, row.name
        assert re.findall("`--(.*?)`", shown[1]) == [each.name for each in row.filters]
        assert bool(shown[2].strip()) == row.has_statistics or row.counted
    families = re.findall(
        r"^\| `(\w+)` \| (NETLINK_\w+) \| `([\w.]+)` \| (\w*) ?\|$", text, re.MULTILINE
    )
    assert families == [
        (entry.name, NETLINK(entry.protocol).name, entry.module, entry.kernel_name)
        for entry in FAMILIES
    ]


# --- filters --------------------------------------------------------------------------------------

REQUESTS = {
    **{
        f"nl80211.{word} --dev eth0": {"ifindex": 2}
        for word in ("station", "scan", "survey", "mpath", "mpp")
    },
    "route --table 100 --dev eth0 -4": {"family": AF.AF_INET, "table": 100, "oif": 2},
    "route --table main --proto static --type blackhole": {
        "table": RT_TABLE.RT_TABLE_MAIN, "protocol": RTPROT.RTPROT_STATIC,
        "type": RTN.RTN_BLACKHOLE,
    },
    "-6 route": {"family": AF.AF_INET6},
    "--family mpls route": {"family": AF.AF_MPLS},
    "-M route": {"family": AF.AF_MPLS},
    "route --proto RTPROT_BIRD": {"protocol": RTPROT.RTPROT_BIRD},
    "route --table 0x10": {"table": 16},
    "route --table all": {},
    "addr --dev lo -6": {"family": AF.AF_INET6, "index": 1},
    "addr --scope link": {},
    "neigh --dev v0 --master eth0": {"ifindex": 3, "master": 2},
    "neigh --proxy": {"flags": NTF.NTF_PROXY},
    "fdb --dev v0": {"family": AF.AF_BRIDGE, "ifindex": 3},
    "fdb --master eth0 --vlan 7": {"family": AF.AF_BRIDGE, "master": 2},
    "link --kind veth --master eth0 --json": {
        "ext_mask": RTEXT_FILTER.RTEXT_FILTER_VF, "linkinfo": {"kind": "veth"}, "master": 2,
    },
    "link": {"ext_mask": RTEXT_FILTER.RTEXT_FILTER_SKIP_STATS},
    "link -s": {"ext_mask": RTEXT_FILTER.RTEXT_FILTER_VF},
    "link --dev eth0 -B": {
        "family": AF.AF_BRIDGE, "ext_mask": RTEXT_FILTER.RTEXT_FILTER_SKIP_STATS,
    },
    "rule --table 7": {},
    "nexthop --dev 3 --groups": {"oif": 3, "groups": True},
    "nexthop -s --fdb": {"op_flags": 1, "fdb": True},
    "nexthop.bucket --id 5 --res-bucket.nh-id 3": {"id": 5, "res_bucket": {"nh_id": 3}},
    "qdisc --dev lo --invisible": {"dump_invisible": True},
    "class --dev lo --parent 1:10": {"ifindex": 1, "parent": 0x10010},
    "filter --dev lo --parent ingress --chain 5": {
        "ifindex": 1, "parent": 0xFFFFFFF2, "chain": 5,
    },
    "filter --block 7": {"ifindex": -1, "parent": 7},
    "chain --block 7": {"ifindex": -1, "parent": 7},
    "vlan --dev v0": {"family": AF.AF_BRIDGE, "ifindex": 3},
    "vlan -s": {"family": AF.AF_BRIDGE, "flags": 1},
    "mdb --dev v0": {"family": AF.AF_BRIDGE},
    "netconf -4": {"family": AF.AF_INET},
    "stats": {"filter_mask": 0x1F},
    "stats --filter-mask link_64,af_spec": {"filter_mask": 0x11},
    "tunnel --dev v0": {"family": AF.AF_BRIDGE, "ifindex": 3},
    "addrlabel": {"family": AF.AF_INET6},
    "multicast -4": {"family": AF.AF_INET},
    "nlctrl.policy --family-name nlctrl --op 3": {"family_name": "nlctrl", "op": 3},
}  # fmt: skip


@pytest.mark.parametrize("arguments", REQUESTS)
def test_kernel_side_filters(arguments: str, kernel: Callable[..., None]) -> None:
    """These filters become fields of the request. All others leave it unchanged."""
    assert main(["dump", *arguments.split()]) == 0
    [request] = Scripted.asked
    assert request.message.to_dict() == type(request.message)(**REQUESTS[arguments]).to_dict()


def route(**fields: Any) -> Message | RawMessage:
    main_table = {"table": RT_TABLE.RT_TABLE_MAIN, "type": RTN.RTN_UNICAST}
    return received(RTM.RTM_NEWROUTE, Route(**{"family": AF.AF_INET, **main_table, **fields}))


OBJECTS: dict[str, list[Message | RawMessage]] = {
    "route": [
        route(oif=1, dst=IPv4Address("10.0.0.0"), dst_len=8),
        route(oif=2, table=100, gateway=IPv4Address("10.9.0.1"), priority=5),
        route(multipath=(NextHop(ifindex=1), NextHop(ifindex=2, gateway=IPv4Address("10.9.0.9")))),
        route(type=RTN.RTN_BLACKHOLE, scope=RT_SCOPE.RT_SCOPE_LINK, protocol=RTPROT.RTPROT_BOOT),
        route(nh_id=4),
    ],
    "neigh": [
        received(RTM.RTM_NEWNEIGH, Neighbour(ndm_ifindex=1, state=NUD.NUD_STALE)),
        received(RTM.RTM_NEWNEIGH, Neighbour(ndm_ifindex=2, state=NUD.NUD_REACHABLE)),
        received(RTM.RTM_NEWNEIGH, Neighbour(ndm_ifindex=2, flags=NTF.NTF_PROXY)),
    ],
    "link": [
        received(RTM.RTM_NEWLINK, Link(index=1, ifname="lo", flags=IFF.IFF_UP)),
        received(RTM.RTM_NEWLINK, Link(index=2, ifname="eth0", master=3, group=7)),
        received(RTM.RTM_NEWLINK, Link(index=3, ifname="v0", linkinfo=LinkInfo(kind="veth"))),
    ],
    "rule": [
        received(RTM.RTM_NEWRULE, Rule(priority=0, table=255)),
        received(RTM.RTM_NEWRULE, Rule(priority=9, frh_table=100, iifname="lo", fwmark=5)),
    ],
    "netconf": [
        received(RTM.RTM_NEWNETCONF, NetConf(ifindex=-1)),
        received(RTM.RTM_NEWNETCONF, NetConf(ifindex=-2)),
        received(RTM.RTM_NEWNETCONF, NetConf(ifindex=1)),
    ],
    "fdb": [
        received(RTM.RTM_NEWNEIGH, Neighbour(family=AF.AF_BRIDGE, ndm_ifindex=2, vlan=7,
                                             lladdr="02:00:00:00:00:0a")),
        received(RTM.RTM_NEWNEIGH, Neighbour(family=AF.AF_BRIDGE, ndm_ifindex=3, master=2)),
    ],
}  # fmt: skip
FILTERED = {
    "route --table main": [0, 2, 3, 4],
    "route --table all": [0, 1, 2, 3, 4],
    "route --table 100": [1],
    "route --dev lo": [0, 2, 4],
    "route --dev eth0": [1, 2, 4],
    "route --type blackhole": [3],
    "route --proto boot": [3],
    "route --scope link": [3],
    "route --scope global": [0, 1, 2, 4],
    "route --dst 10.0.0.0/8": [0],
    "route --dst default": [1, 2, 3, 4],
    "route --via 10.9.0.9": [2],
    "route --metric 5": [1],
    "route --table main --dev eth0 --type unicast": [2, 4],
    "neigh --dev eth0": [1, 2],
    "neigh --state stale": [0],
    "neigh --state stale,reachable": [0, 1],
    "neigh --proxy": [2],
    "neigh --master eth0": [0, 1, 2],  # an answer does not say it: this is the kernel's to do
    "link --up": [0],
    "link --dev eth0": [1],
    "link --dev 3": [2],
    "link --master v0": [1],
    "link --kind veth": [2],
    "link --group 7": [1],
    "rule --table local": [0],
    "rule --table 100": [1],
    "rule --priority 0": [0],
    "rule --iif lo --fwmark 0x5": [1],
    "rule --oif lo": [],
    "netconf --dev all": [0],
    "netconf --dev default": [1],
    "netconf --dev lo": [2],
    "fdb --vlan 7": [0],
    "fdb --lladdr 02:00:00:00:00:0A": [0],
    "fdb --master eth0": [1],
}


@pytest.mark.parametrize("arguments", FILTERED)
def test_filters(
    arguments: str, kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The command filters the messages of a kernel that ignores filters."""
    given: Any = OBJECTS[arguments.split()[0]]
    kernel(*given)
    assert main(["dump", *arguments.split(), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == [given[place].to_json() for place in FILTERED[arguments]]


def test_dump_by_link(kernel: Callable[..., None]) -> None:
    """The kernel dumps classes link by link. --dev asks for one link only."""
    Scripted.given = []
    assert main(["dump", "class", "--dev", "eth0"]) == 0
    assert [request.message.ifindex for request in Scripted.asked] == [2]


def test_netns(kernel: Callable[..., None]) -> None:
    """-n works before and after the command, for every connection that the command opens."""
    for words in (
        "-n /proc/self/ns/net dump link",
        "dump -n /proc/self/ns/net link",
        "dump link -n /proc/self/ns/net",
        "-n /proc/self/ns/net monitor --count 1",
        "monitor --netns /proc/self/ns/net --count 1",
    ):
        kernel(*LINKS)
        assert main(words.split()) == 0
        assert Scripted.netns and {*Scripted.netns} == {"/proc/self/ns/net"}, words
    kernel(*LINKS)
    assert main(["dump", "link"]) == 0
    assert Scripted.netns == [None]


def test_netns_near_miss(
    kernel: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "customer-1").touch()
    monkeypatch.setattr("netlink.cli.NETNS_FOLDER", str(tmp_path))
    assert main(["dump", "link", "-n", "custommer-1"]) == 1
    told = "netlink: no network namespace 'custommer-1'; did you mean 'customer-1'?\n"
    assert capsys.readouterr().err == told


def test_statistics(kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    counted = rtnl_link_stats64(rx_bytes=1234, tx_packets=7)
    kernel(received(RTM.RTM_NEWLINK, Link(index=2, ifname="eth0", stats64=counted)))
    assert main(["dump", "link", "-s"]) == 0
    titles, row = capsys.readouterr().out.splitlines()
    assert titles.split("  ")[-8:-6] == [" RX BYTES", "RX PACKETS"] or "RX BYTES" in titles
    assert row.split()[-8:] == ["1234", "0", "0", "0", "0", "7", "0", "0"]


def test_error_of_a_generated_dump_helps(
    kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The schema does not know which fields are required, so the kernel's refusal gets a hint."""
    kernel(ending=KernelError(errno.EINVAL))
    assert main(["dump", "nlctrl.policy"]) == 1
    told = capsys.readouterr().err
    assert told.endswith("may need filters: netlink dump nlctrl.policy --help\n")
    kernel(ending=KernelError(errno.EPERM))
    assert main(["dump", "nlctrl.policy"]) == 1
    assert "--help" not in capsys.readouterr().err


# --- generated tables -----------------------------------------------------------------------------


def test_generated_table(kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    """Each declared field with a value has a column. Titles of nested fields have a dot."""
    parms = NeighbourParms(ifindex=2, refcnt=1, reachable_time=0)
    kernel(
        received(RTM.RTM_NEWNEIGHTBL, NeighbourTable(family=AF.AF_INET, name="arp", thresh1=128)),
        received(RTM.RTM_NEWNEIGHTBL, NeighbourTable(family=AF.AF_INET, name="arp", parms=parms)),
    )
    assert main(["dump", "neightbl"]) == 0
    assert capsys.readouterr().out == (
        "FAMILY  NAME  THRESH1  PARMS.IFINDEX  PARMS.REFCNT  PARMS.REACHABLE_TIME\n"
        "inet    arp       128  -                         -                     -\n"
        "inet    arp         -  eth0                      1                     0\n"
    )


class Part(Message):
    """A part of a thing."""

    size: int | None = u32(1)
    below: Nested["Part"] = nest(2, lambda: Part)


class Thing(Message):
    """A thing of every kind."""

    number: int | None = u32(1)
    words: tuple[str, ...] = repeated(2, string())
    is_new: bool = flag(3)
    part: Nested[Part] = nest(4, Part)
    parts: Several[Part] = array(5, Part)
    data: bytes | None = binary(6)
    parts_by_number: dict[int, Part] = mapping(7, Part)


class THING(KernelEnum):
    """Its commands."""

    THING_CMD_GET = 1
    THING_CMD_WALK_GET = 2
    THING_CMD_ACT = 3


def test_a_family_that_nobody_knew_is_a_noun(
    kernel: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new family needs an entry in the registry, and no code in the command line."""
    module = types.ModuleType("thing_module")
    get = Op("thing.get", THING.THING_CMD_GET, Thing, answer="one")
    walk = Op("thing.walk_get", THING.THING_CMD_WALK_GET, Thing, answer="one")
    act = Op("thing.act", THING.THING_CMD_ACT, Thing, answer="one")
    module.FAMILY = Family("thing", types=THING, ops=(get, walk, act))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "thing_module", module)
    entry = Entry("thing", NETLINK.NETLINK_GENERIC, "thing_module", "thing")
    monkeypatch.setattr("netlink.registry.FAMILIES", (*FAMILIES, entry))
    monkeypatch.setattr("netlink.cli.objects.FAMILIES", (*FAMILIES, entry))
    assert {"thing", "thing.walk"} == {name for name in all_nouns() if name.startswith("thing")}

    part = Part(size=0, below=Part(size=3, below=Part(size=9)))
    thing = Thing(number=5, words=["a", "b"], is_new=True, part=part, parts=[part, Part(size=1)],
                  data=b"\x01\xff", parts_by_number={7: Part(size=2)})  # fmt: skip
    kernel(thing, Thing(number=6))
    assert main(["dump", "thing", "--part.size", "7", "--number", "1", "--is-new"]) == 0
    [request] = Scripted.asked
    wanted = Thing(number=1, is_new=True, part=Part(size=7))
    assert request.message.to_dict() == wanted.to_dict()
    titles, first, second = capsys.readouterr().out.splitlines()
    assert titles.split() == ["NUMBER", "WORDS", "IS_NEW", "PART.SIZE", "PART.BELOW", "PARTS",
                              "DATA", "PARTS_BY_NUMBER"]  # fmt: skip
    cells = re.split("  +", first.strip())
    parts = "(size 0 below (size 3 below (size 9))), (size 1)"
    below = "size 3 below (size 9)"
    assert cells == ["5", "a, b", "yes", "0", below, parts, "01:ff", "7: size 2"]
    assert second.split() == ["6", *7 * "-"]


def test_kernel_flag_of_an_op_that_dumps() -> None:
    """The name of the type decides by default; a declaration overrides it."""
    get = THING.THING_CMD_GET
    assert Op("a.get", get, Thing, answer="one").dumps
    assert Op("a.get", get, Thing, answer="several").dumps
    assert not Op("a.get", get, Thing).dumps
    assert not Op("a.act", THING.THING_CMD_ACT, Thing, answer="one").dumps
    assert Op("a.act", THING.THING_CMD_ACT, Thing, answer="one", dumps=True).dumps
    assert not Op("a.get", get, Thing, answer="one", dumps=False).dumps
    assert not Op("a.get", 1, Thing, answer="one").dumps  # a bare number has no name


# --- monitor --------------------------------------------------------------------------------------

BARE = RTM.RTM_GETLINKPROP, Message()  # no class is declared for its type


def test_monitor_json(kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    link = Link(index=2, ifname="eth0", event=IFLA_EVENT.IFLA_EVENT_FEATURES)
    kernel(received(RTM.RTM_DELLINK, link), Overrun(), received(*BARE))
    assert main(["monitor", "--json", "--count", "2"]) == 0
    out, err = capsys.readouterr()
    fields = link.to_json()
    fields["ifla_event"] = fields.pop("event")
    assert [json.loads(line) for line in out.splitlines()] == [
        {"event": "RTM_DELLINK", **fields},
        {"event": "overrun"},
        {"event": "RTM_GETLINKPROP", "type": 110, "payload": ""},
    ]
    assert err.startswith("netlink: 2 events in ") and "7 events lost" in err


def test_monitor_count(kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    """An overrun does not count as an event. Events after the last counted one are not shown."""
    kernel(LINKS[0], Overrun(), *LINKS, *LINKS)
    assert main(["monitor", "--count", "2"]) == 0
    shown = [line.split(" ", 3)[1:3] for line in capsys.readouterr().out.splitlines()]
    assert shown == [["RTM_NEWLINK", "lo"], ["OVERRUN", "the"], ["RTM_NEWLINK", "lo"]]


def test_monitor_timeout(kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    kernel(*LINKS)
    assert main(["monitor", "--timeout", "0.01"]) == 0
    out, err = capsys.readouterr()
    assert (out.count("\n"), err.count("\n")) == (2, 1)


def test_names_of_links_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A monitor that sees a new link every second must not grow for ever."""

    def connect() -> Any:
        raise AssertionError("no name was asked for")

    monkeypatch.setattr(cli_text, "MAX_NAMES", 3)
    names = cli_text.Names(connect)
    for index in range(1, 6):
        names.learn(Link(index=index, ifname=f"v{index}"))
    assert names == {3: "v3", 4: "v4", 5: "v5"}


def test_monitor_learns_names(
    kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Later events show the name from a link's event, even after the link was removed."""
    neigh = Neighbour(family=AF.AF_INET, ndm_ifindex=9, dst=IPv4Address("192.0.2.7"))
    events = [
        received(RTM.RTM_DELNEIGH, neigh),
        received(RTM.RTM_DELLINK, Link(index=9, ifname="new")),
        received(RTM.RTM_DELNEIGH, neigh),
    ]
    kernel(*events)
    assert main(["monitor", "--count", "3"]) == 0
    before, _, after = capsys.readouterr().out.splitlines()
    assert before.endswith("RTM_DELNEIGH 192.0.2.7 dev if9")
    assert after.endswith("RTM_DELNEIGH 192.0.2.7 dev new")


V4, V6 = IPv4Address, IPv6Address
EVENTS = [
    (
        RTM.RTM_NEWLINK,
        Link(index=3, ifname="v0", link=2, flags=IFF.IFF_UP | IFF.IFF_LOWER_UP | 1 << 30, master=1,
             operstate=IF_OPER.IF_OPER_UP, mtu=1500, linkinfo=LinkInfo(kind="veth")),
        "v0@eth0 index 3 kind veth state up mtu 1500 master lo flags up,lower_up,0x40000000",
    ),
    (
        RTM.RTM_NEWLINK,
        Link(index=3, ifname="v0", link=2, link_netnsid=0),
        "v0@if2 index 3 kind netrom",
    ),
    (
        RTM.RTM_NEWADDR,
        Address(family=AF.AF_INET, index=3, prefixlen=24, local=V4("10.0.0.1"),
                address=V4("10.0.0.1"), flags=IFA_F.IFA_F_PERMANENT, scope=RT_SCOPE.RT_SCOPE_LINK),
        "10.0.0.1/24 dev v0 scope link flags permanent",
    ),
    (
        RTM.RTM_DELADDR,
        Address(family=AF.AF_INET6, index=8, prefixlen=64, local=V6("fd00::1"),
                address=V6("fd00::2"), ifa_flags=IFA_F.IFA_F_DEPRECATED,
                cacheinfo=ifa_cacheinfo(valid=30)),
        "fd00::1/64 dev if8 peer fd00::2 scope universe valid 30s flags deprecated",
    ),
    (
        RTM.RTM_NEWROUTE,
        Route(family=AF.AF_INET, type=RTN.RTN_UNICAST, dst=V4("10.0.0.0"), dst_len=24, oif=3,
              gateway=V4("10.9.0.2"), table=RT_TABLE.RT_TABLE_MAIN, protocol=RTPROT.RTPROT_BOOT,
              prefsrc=V4("10.9.0.1"), priority=50, flags=RTM_F.RTNH_F_ONLINK),
        "10.0.0.0/24 via 10.9.0.2 dev v0 src 10.9.0.1 table main proto boot metric 50 flags onlink",
    ),
    (
        RTM.RTM_NEWROUTE,
        Route(family=AF.AF_INET6, type=RTN.RTN_UNREACHABLE, rtm_table=RT_TABLE.RT_TABLE_LOCAL,
              src=V6("fd00::"), src_len=8),
        "unreachable default from fd00::/8 table local proto unspec",
    ),
    (
        RTM.RTM_DELROUTE,
        Route(family=AF.AF_INET, type=RTN.RTN_UNICAST, dst=V4("10.0.0.1"), dst_len=32, table=1000,
              multipath=(NextHop(ifindex=2, hops=2, gateway=V4("10.9.0.2")),
                         NextHop(ifindex=3, via=rtvia(family=AF.AF_INET6, addr=V6("fe80::1"))))),
        "10.0.0.1 via 10.9.0.2 weight 3, fe80::1 dev eth0, v0 table 1000 proto unspec",
    ),
    (
        RTM.RTM_NEWROUTE,
        Route(family=AF.AF_INET, type=RTN.RTN_UNICAST, dst=V4("10.0.0.0"), dst_len=8, nh_id=7),
        "10.0.0.0/8 via nhid 7 table unspec proto unspec",
    ),
    (
        RTM.RTM_NEWNEIGH,
        Neighbour(family=AF.AF_INET, ndm_ifindex=2, dst=V4("10.9.0.7"), lladdr="02:00:00:00:00:01",
                  state=NUD.NUD_REACHABLE, flags=NTF.NTF_ROUTER),
        "10.9.0.7 dev eth0 lladdr 02:00:00:00:00:01 state reachable flags router",
    ),
    (
        RTM.RTM_NEWNEIGH,
        Neighbour(family=AF.AF_BRIDGE, ndm_ifindex=2, lladdr="02:00:00:00:00:01",
                  state=NUD.NUD_PERMANENT),
        "02:00:00:00:00:01 dev eth0 state permanent",
    ),
    (
        RTM.RTM_DELRULE,
        Rule(family=AF.AF_INET, src=V4("10.1.0.0"), src_len=16, action=FR_ACT.FR_ACT_TO_TBL,
             table=100, priority=99, iifname="v0", fwmark=5, fwmask=0xFF,
             suppress_prefixlen=0xFFFFFFFF, protocol=RTPROT.RTPROT_BOOT),
        "99 family inet from 10.1.0.0/16 to all match iif v0 fwmark 0x5/0xff action table 100 "
        "proto boot",
    ),
    (
        RTM.RTM_NEWRULE,
        Rule(family=AF.AF_INET6, dst=V6("fd00::1"), dst_len=128, action=FR_ACT.FR_ACT_GOTO, goto=7,
             flags=FIB_RULE.FIB_RULE_INVERT, uid_range={"start": 5, "end": 9},
             dport_range={"start": 80, "end": 80}, ip_proto=6),
        "0 family inet6 from all to fd00::1 match not ip_proto 6 uid 5-9 dport 80 action goto 7",
    ),
    (
        RTM.RTM_NEWRULE,
        Rule(family=AF.AF_INET, action=FR_ACT.FR_ACT_TO_TBL, frh_table=RT_TABLE.RT_TABLE_MAIN,
             suppress_prefixlen=0, suppress_ifgroup=3),
        "0 family inet from all to all action table main suppress_prefixlen 0 suppress_ifgroup 3",
    ),
    (
        RTM.RTM_NEWNEXTHOP,
        NextHopObject(family=AF.AF_INET, id=1, gateway=V4("10.0.0.2"), oif=3,
                      protocol=RTPROT.RTPROT_ZEBRA, flags=RTNH_F.RTNH_F_ONLINK),
        "1 via 10.0.0.2 dev v0 proto zebra flags onlink",
    ),
    (
        RTM.RTM_NEWNEXTHOP,
        NextHopObject(id=3, group_type=NEXTHOP_GRP_TYPE.NEXTHOP_GRP_TYPE_MPATH,
                      group=[nexthop_grp(id=1, weight=2), nexthop_grp(id=2, weight_high=1)]),
        "3 group 1 weight 3, 2 weight 257 kind mpath proto unspec",
    ),
    (RTM.RTM_NEWNEXTHOP, NextHopObject(id=4, blackhole=True), "4 kind blackhole proto unspec"),
    (
        RTM.RTM_NEWNEXTHOPBUCKET,
        NextHopObject(id=5, res_bucket={"index": 0, "nh_id": 1, "idle_time": 250}),
        "5 bucket 0 member 1 idle 2.50s",
    ),
    (
        RTM.RTM_NEWQDISC,
        Qdisc(ifindex=3, kind="htb", handle=0x10000, parent=TC_H.TC_H_ROOT, info=2),
        "htb handle 1: dev v0 parent root refs 2",
    ),
    (
        RTM.RTM_NEWTCLASS,
        Class(ifindex=3, kind="htb", handle=0x10010, parent=0x10001, info=0x100000),
        "1:10 kind htb dev v0 parent 1:1 leaf 10:",
    ),
    (
        RTM.RTM_NEWTFILTER,
        Filter(ifindex=3, kind="u32", parent=0xFFFFFFF2, info=5 << 16 | 8, handle=0x80000800),
        "u32 dev v0 parent ingress protocol ip prio 5 handle 800::800",
    ),
    (
        RTM.RTM_NEWTFILTER,
        Filter(ifindex=-1, kind="flower", parent=7, info=5 << 16 | 0xCD12, chain=3),
        "flower dev block 7 protocol 0x12cd prio 5 chain 3",
    ),
    (
        RTM.RTM_NEWCHAIN,
        Chain(ifindex=3, parent=0x10000, chain=0),
        "0 dev v0 parent 1:",
    ),
    (
        RTM.RTM_NEWVLAN,
        VlanDb(family=AF.AF_BRIDGE, ifindex=3, entry=[
            {"info": {"vid": 1, "flags": 6}, "state": 3},
            {"info": {"vid": 10}, "range": 12, "tunnel_info": {"id": 7}},
        ]),
        "v0 vlan 1 flags pvid,untagged state forwarding; v0 vlan 10-12 tunnel 7",
    ),
    (
        RTM.RTM_NEWMDB,
        Mdb(family=AF.AF_BRIDGE, ifindex=2, mdb={"entry": [{"info": [
            {"ifindex": 3, "state": 1, "vid": 10, "u": bytes((239, 1, 1, 1)) + bytes(12),
             "proto": 0x0800, "group_mode": 0, "source": "10.0.0.1"},
        ]}]}),
        "239.1.1.1 dev eth0 port v0 vlan 10 source 10.0.0.1 mode exclude state permanent",
    ),
    (
        RTM.RTM_NEWNETCONF,
        NetConf(family=AF.AF_INET, ifindex=3, forwarding=1),
        "v0 family inet forwarding 1",
    ),
    (RTM.RTM_NEWNETCONF, NetConf(family=AF.AF_INET, ifindex=-1, rp_filter=0),
     "all family inet rp_filter 0"),
    (
        RTM.RTM_NEWNEIGH,
        Neighbour(family=AF.AF_BRIDGE, ndm_ifindex=3, lladdr="02:00:00:00:00:01", vlan=7, master=2,
                  state=NUD.NUD_NOARP, flags=NTF.NTF_SELF, dst=V4("10.0.0.7"), vni=5),
        "02:00:00:00:00:01 dev v0 vlan 7 master eth0 dst 10.0.0.7 vni 5 state noarp flags self",
    ),
    (
        RTM.RTM_NEWADDRLABEL,
        AddressLabel(family=AF.AF_INET6, prefixlen=96, address=V6("::"), label=3),
        "inet6 prefixlen 96 flags 0 index 0 seq 0 address :: label 3",
    ),
    (*BARE, "0 bytes, not decoded"),
    (
        RTM.RTM_NEWLINK,
        Link(index=4, ifname="a\x1b[2Jb"),
        r"a\x1b[2Jb index 4 kind netrom",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("type", "body", "expected"), EVENTS)
def test_event_line(
    type: RTM,
    body: Message,
    expected: str,
    kernel: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    kernel(received(type, body))
    assert main(["monitor", "--count", "1"]) == 0
    clock, _, text = capsys.readouterr().out.rstrip("\n").partition(" ")
    assert clock.count(":") == 2
    assert text == f"{type.name} {expected}"


@pytest.mark.parametrize("command", ["dump", "monitor"])
def test_a_byte_that_is_not_utf8(
    command: str, kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Tables, events and JSON show such a byte in the same way."""
    arguments = {"dump": ["dump", "link"], "monitor": ["monitor", "--count", "1"]}[command]
    link = received(RTM.RTM_NEWLINK, Link(index=9, ifname="a\udcffé\x1b"))
    kernel(link)
    assert main(arguments) == 0
    assert "a\\xffé\\x1b " in capsys.readouterr().out
    kernel(link)
    assert main([*arguments, "--json"]) == 0
    [shown] = [json.loads(text.strip("[],")) for text in capsys.readouterr().out.split("\n")
               if "ifname" in text]  # fmt: skip
    assert shown["ifname"] == "a\\xffé\x1b"
    kernel()
    Scripted.names[7] = "a\udcff"
    try:
        route = Route(family=AF.AF_INET, oif=7, dst=IPv4Address("10.0.0.1"), dst_len=32)
        kernel(received(RTM.RTM_NEWROUTE, route))
        assert main(["dump", "route"]) == 0
        assert " a\\xff " in capsys.readouterr().out
    finally:
        del Scripted.names[7]


def test_errors_spell_bytes_like_the_tables(
    kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dump", "link", "--dev", "a\udcff\x1b"]) == 1
    assert "'a\\xff\\x1b'" in capsys.readouterr().err


# --- messages about a part of a link --------------------------------------------------------------

PORT = Link(family=AF.AF_BRIDGE, index=3, ifname="v0", master=2,
            protinfo=BridgePort(state=3, cost=2, priority=32))  # fmt: skip


@pytest.mark.parametrize("type", [RTM.RTM_NEWLINK, RTM.RTM_DELLINK])
def test_messages_about_bridge_ports_are_marked(
    type: RTM, kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """An RTM_DELLINK with AF_BRIDGE means that the link left its bridge. It still exists."""
    kernel(received(type, PORT), received(type, Link(index=3, ifname="v0")))
    assert main(["monitor", "--count", "2"]) == 0
    about_port, about_link = capsys.readouterr().out.splitlines()
    assert about_port.split(" ", 1)[1] == (
        f"{type.name} (bridge port) v0 index 3 master eth0 state forwarding cost 2 priority 32"
    )
    assert "bridge" not in about_link
    kernel(received(type, PORT), received(type, Link(index=3, ifname="v0")))
    assert main(["monitor", "--count", "2", "--json"]) == 0
    about_port, about_link = map(json.loads, capsys.readouterr().out.splitlines())
    assert about_port["bridge_port"] is True
    assert "bridge_port" not in about_link


def test_other_parts_of_a_link_are_marked(
    kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """IPv6 and bridges announce their settings of a link as RTM_NEWLINK too."""
    kernel(
        received(RTM.RTM_NEWLINK, Link(family=AF.AF_INET6, index=3, ifname="v0")),
        received(RTM.RTM_NEWLINK, Link(family=AF.AF_BRIDGE, index=2, ifname="eth0")),
    )
    assert main(["monitor", "--count", "2"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "RTM_NEWLINK (inet6 settings) v0 index 3" in first
    assert "RTM_NEWLINK (bridge settings) eth0 index 2" in second


# --- output ---------------------------------------------------------------------------------------


def test_numbers_stand_right(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(
        [{"name": "a", "count": "1,000", "size": ""}, {"name": "", "count": "2.5", "size": "?"}]
    )
    assert capsys.readouterr().out == "NAME  COUNT  SIZE\na     1,000  -\n-       2.5  ?\n"


def test_long_table_streams(capsys: pytest.CaptureFixture[str]) -> None:
    """The first rows are printed before the last row exists, and the titles only once."""
    taken = 0

    def rows() -> Iterator[dict[str, str]]:
        nonlocal taken
        for taken in range(3 * ROWS):
            yield {"number": str(taken)}

    table = rows()

    class Stop(io.StringIO):
        def write(self, text: str) -> int:
            assert taken < ROWS
            raise BrokenPipeError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", Stop())
        with pytest.raises(BrokenPipeError):
            Output().table(table)
    Output().table(rows())
    lines = capsys.readouterr().out.split()
    assert lines == ["NUMBER", *map(str, range(3 * ROWS))]


ROW = {"name": "eth0", "index": "12", "address": 40 * "a", "flags": "up,running"}


@pytest.mark.parametrize("width", range(1, 70))
def test_rows_never_wrap(width: int) -> None:
    """No line exceeds the given width. An ellipsis marks cut cells and missing columns."""
    [batch] = batches([ROW, {**ROW, "address": "", "flags": 30 * "漢"}])
    lines = [*batch.lines(width)]
    full = [*batch.lines()]
    assert len(lines) == len(full) == 3
    assert all(width_of(text) <= width for text in lines)
    assert ("…" in lines[1]) == (lines[1] != full[1])


def test_wide_enough_is_left_alone() -> None:
    [batch] = batches([ROW])
    assert batch.width == 4 + 2 + 5 + 2 + 40 + 2 + 10
    assert [*batch.lines(batch.width)] == [*batch.lines()]
    assert batch.fit(batch.width) is batch
    cells = batch.fit(batch.width - 1).rows[0]
    assert cells == ["eth0", "12", 38 * "a" + "…", "up,running"]  # the longest is cut


def test_longest_columns_are_cut_first() -> None:
    [batch] = batches([{"a": 30 * "a", "b": 20 * "b", "c": "short"}])
    assert [column.width for column in batch.fit(37).columns] == [14, 14, 5]
    assert [column.title for column in batch.fit(21).columns] == ["a", "b", "…"]
    assert [column.title for column in batch.fit(20).columns] == ["a", "…"]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("eth0", 4, "eth0"), ("eth0", 3, "et…"), ("eth0", 1, "…"), ("漢字", 4, "漢字"),
     ("漢字", 3, "漢…"), ("漢字", 2, "…"), ("e\u0301e\u0301", 2, "e\u0301e\u0301"), ("", 3, "")],
)  # fmt: skip
def test_cut(text: str, width: int, expected: str) -> None:
    assert cut(text, width) == expected
    assert width_of(cut(text, width)) <= width


def test_cut_measures_each_character_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Combining characters have no width, so a cell may have any number of them."""
    measured = 0

    def width(text: str) -> int:
        nonlocal measured
        measured += len(text)
        return width_of(text)

    monkeypatch.setattr(output, "width_of", width)
    text = 3000 * "\u0301" + "漢字"
    assert cut(text, 3) == 3000 * "\u0301" + "漢…"
    assert measured <= 3 * len(text)


def test_hidden_columns_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    """If an empty column gets a text later, the titles are printed again."""
    rows = [{"a": "1", "b": ""} for _ in range(ROWS)] + [{"a": "2", "b": "late"}]
    Output().table(rows, hide_empty=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "A" and len(lines) == ROWS + 3
    assert lines[-2:] == ["A  B", "2  late"]


def test_terminal_without_rich_cuts(
    monkeypatch: pytest.MonkeyPatch, kernel: Callable[..., None]
) -> None:
    monkeypatch.delitem(sys.modules, "netlink.cli.colour", raising=False)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.box", None)
    monkeypatch.setenv("COLUMNS", "50")
    for arguments, is_cut in (["dump", "link"], True), (["dump", "link", "--wide"], False):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        kernel(*LINKS)
        assert main(arguments) == 0
        lines = terminal.getvalue().splitlines()
        assert (max(map(len, lines)) <= 50) == is_cut
        assert ("…" in terminal.getvalue()) == is_cut


def test_a_pipe_is_not_cut(
    monkeypatch: pytest.MonkeyPatch, kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    kernel(*LINKS)
    assert main(["dump", "link"]) == 0
    assert "02:00:00:00:00:01" in capsys.readouterr().out


def test_output_that_lacks_characters() -> None:
    """The command works in a locale that lacks characters of a name."""
    script = (
        "import netlink.cli.namespace as n\n"
        "from netlink.cli import main\n"
        "from netlink.cli.output import Output\n"
        "import netlink.cli.dump as d\n"
        "d.run = lambda args: Output().line('é…') or 0\n"
        "raise SystemExit(main(['dump', 'link']))"
    )
    done = python(script, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "\\xe9\\u2026\n", "")


class Terminal(io.StringIO):
    """Standard output that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_terminal_with_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    output = open_output()
    output.heading("Heading [bold]")
    output.line("12:00:00.123 RTM_NEWADDR 192.0.2.1/24 \x1b[2J")
    output.table([{"word": "down", "number": "5"}])
    output.table([{"wide": 50 * "x", "last": "seen"}])
    text = terminal.getvalue()
    assert "\x1b[1mHeading [bold]\x1b[0m" in text
    assert "\x1b[32mRTM_NEWADDR\x1b[0m \x1b[36m192.0.2.1/24\x1b[0m \\x1b[2J\n" in text
    assert "\x1b[31mdown\x1b[0m" in text and "─" in text
    assert f"{33 * 'x'}…  seen\n" in text  # 40 columns, and nothing wraps
    terminal.truncate(0)
    open_output(wide=True).table([{"wide": 50 * "x", "last": "seen"}])
    assert f"{50 * 'x'}  seen\n" in terminal.getvalue()


def test_terminal_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "netlink.cli.colour", raising=False)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.box", None)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert type(open_output()) is Output


def test_no_terminal() -> None:
    assert type(open_output()) is Output
