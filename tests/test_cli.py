"""The command line without a kernel: usage, exit status, and what is made of given messages."""

import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest

import netlink
from netlink import DumpInterrupted, KernelError, Message, Overrun, RawMessage
from netlink.cli import guard, main
from netlink.cli.dump import REQUESTS
from netlink.cli.output import ROWS, Output, open_output
from netlink.constants import AF
from netlink.route import FAMILY
from netlink.route.addr import IFA_F, Address, ifa_cacheinfo
from netlink.route.link import IF_OPER, IFF, IFLA_EVENT, Link
from netlink.route.linkinfo import LinkInfo
from netlink.route.neigh import NTF, NUD, Neighbour
from netlink.route.route import NextHop, Route, rtvia
from netlink.route.rtnetlink import RT_SCOPE, RT_TABLE, RTM, RTM_F, RTN, RTPROT

from . import wire

Given = Message | RawMessage | Overrun

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the commands need Linux")


def received(type: RTM, body: Message) -> Message | RawMessage:
    """A message as it comes from the kernel, with its type."""
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


class Scripted:
    """A connection that gives what it was given, and knows links 1 to 3 by name."""

    given: list[Given]
    ending: Exception | None
    names = {1: "lo", 2: "eth0", 3: "v0"}  # noqa: RUF012

    def __init__(self, *_: object, **__: object) -> None:
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
        FAMILY.group(group)

    def dump(self, _: object) -> Iterator[Given]:
        yield from self.given
        if self.ending is not None:
            raise self.ending

    def events(self, timeout: float) -> Iterator[Given]:
        assert timeout == 0
        given, Scripted.given = self.given, []
        return iter(given)

    def do(self, request: Any) -> Link:
        index = request.message.index
        if index not in self.names:
            raise KernelError(errno.ENODEV)
        return Link(index=index, ifname=self.names[index])


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says what the kernel will give to the commands, and what error ends a dump."""

    def give(*messages: Given, ending: Exception | None = None) -> None:
        Scripted.given = list(messages)
        Scripted.ending = ending

    monkeypatch.setattr("netlink.cli.dump.Connection", Scripted)
    monkeypatch.setattr("netlink.cli.monitor.Connection", Scripted)
    monkeypatch.setattr("netlink.cli.monitor.lost", lambda _: 7)
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


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "fly",
        "dump",
        "dump socket",
        "dump link addr",
        "demo now",
        "monitor --count 0",
        "monitor --count many",
        "monitor --timeout 0",
        "monitor --timeout -1",
        "monitor --timeout nan",
        "monitor --timeout soon",
        "monitor --rcvbuf 2147483648",
        "monitor --json --rate",
    ],
)
def test_wrong_usage(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: netlink")


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


@pytest.mark.parametrize("group", ["ipv5-route", "LINK", "-1"])
def test_unknown_group(
    group: str, kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["monitor", "--", group])
    told = str(ended.value.code)  # Python prints it, and the status is 1
    assert told.startswith("netlink: ") and group in told
    assert all(name in told for name in FAMILY.groups)
    assert "\n" not in told


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
    assert err.startswith("netlink: what was dumped changed") and err.count("\n") == 1


@pytest.mark.parametrize("name", REQUESTS)
def test_objects(name: str, kernel: Callable[..., None]) -> None:
    """The parser lists them without loading the family; the lists agree."""
    kernel()
    assert main(["dump", name]) == 0


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
    """An overrun is no event, and what came beyond the count is not shown."""
    kernel(LINKS[0], Overrun(), *LINKS, *LINKS)
    assert main(["monitor", "--count", "2"]) == 0
    shown = [line.split(" ", 3)[1:3] for line in capsys.readouterr().out.splitlines()]
    assert shown == [["RTM_NEWLINK", "lo"], ["OVERRUN", "the"], ["RTM_NEWLINK", "lo"]]


def test_monitor_timeout(kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    kernel(*LINKS)
    assert main(["monitor", "--timeout", "0.01"]) == 0
    out, err = capsys.readouterr()
    assert (out.count("\n"), err.count("\n")) == (2, 1)


def test_monitor_learns_names(
    kernel: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A link's event names it for what follows, also when the kernel knows it no more."""
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
        "dev eth0 lladdr 02:00:00:00:00:01 state permanent",
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


# --- output ---------------------------------------------------------------------------------------


def test_numbers_stand_right(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(
        [{"name": "a", "count": "1,000", "size": ""}, {"name": "", "count": "2.5", "size": "?"}]
    )
    assert capsys.readouterr().out == "NAME  COUNT  SIZE\na     1,000  -\n-       2.5  ?\n"


def test_long_table_streams(capsys: pytest.CaptureFixture[str]) -> None:
    """The first rows are printed before the last is made, and titles come once."""
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


class Terminal(io.StringIO):
    """Somebody reads."""

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
    assert f"{50 * 'x'}  seen\n" in text


def test_terminal_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "netlink.cli.colour", raising=False)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.box", None)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert type(open_output()) is Output


def test_no_terminal() -> None:
    assert type(open_output()) is Output
