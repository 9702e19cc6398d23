"""mptcp_pm on the live kernel, next to `ip mptcp`, and events of real MPTCP connections."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, KernelError
from netlink.cli import genl, main
from netlink.generic import mptcp_events, mptcp_pm
from netlink.generic.mptcp_events import MPTCP_EVENT, MPTCP_PM_EV_FLAG
from netlink.generic.mptcp_pm import MPTCP_PM_ADDR_FLAG
from tests import owned
from tests.kernel.scene import make

IPPROTO_MPTCP = 262
F = MPTCP_PM_ADDR_FLAG


@pytest.fixture
def nl() -> Iterator[Connection]:
    if not Path("/proc/sys/net/mptcp/enabled").exists():
        pytest.skip("the kernel has no MPTCP")
    make("""
        link add v0 type veth peer name v1
        link set v0 up
        addr add 10.9.0.9/24 dev v0
        addr add fd00::1/64 dev v0 nodad
    """)
    with Connection(mptcp_pm.FAMILY, timeout=10) as connection:
        yield connection


def ip(words: str) -> Any:
    done = subprocess.run(
        ["ip", "-j", "mptcp", *words.split()], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def as_ip(found: mptcp_pm.Address) -> dict[str, Any]:
    """Return an endpoint as `ip -j mptcp endpoint show` prints it."""
    row: dict[str, Any] = {"address": str(found.addr), "id": found.id}
    flags = MPTCP_PM_ADDR_FLAG(found.flags or 0)
    for flag in MPTCP_PM_ADDR_FLAG:
        if flag in flags:
            row[flag.name.rpartition("_")[2].lower()] = True  # type: ignore[union-attr]
    if found.port:
        row["port"] = found.port
    if found.if_idx:
        row["dev"] = socket.if_indextoname(found.if_idx)
    return row


def test_endpoints_are_those_of_ip(nl: Connection) -> None:
    """Fact: ADDR nest: family u16, id u8, addr4 be32 / addr6, port u16 host, flags u32, if-idx s32;
    dump replies ADDR per message; get-addr do by id."""
    nl.do(mptcp_pm.add("10.9.0.9", dev="v0", flags="signal", port=7777))
    nl.do(mptcp_pm.add("fd00::1", id=7, flags=["subflow", "backup"]))
    nl.do(mptcp_pm.add(ip_address("192.0.2.1"), dev=socket.if_nametoindex("v0")))
    found = nl.do(mptcp_pm.endpoints())
    assert [as_ip(one) for one in found] == ip("endpoint show")
    assert found[0].port == 7777
    assert {str(one.addr) for one in found} == {"10.9.0.9", "fd00::1", "192.0.2.1"}
    seven = nl.do(mptcp_pm.endpoint(7))
    assert seven in found
    assert (seven.flags, str(seven.addr)) == (
        F.MPTCP_PM_ADDR_FLAG_SUBFLOW | F.MPTCP_PM_ADDR_FLAG_BACKUP,
        "fd00::1",
    )
    owned.keep("mptcp_pm", "endpoints", nl.dump(mptcp_pm.get_addr()).all())
    nl.do(mptcp_pm.change(7, flags="fullmesh"))
    assert nl.do(mptcp_pm.endpoint(7)).flags == (
        F.MPTCP_PM_ADDR_FLAG_SUBFLOW | F.MPTCP_PM_ADDR_FLAG_FULLMESH
    )
    nl.do(mptcp_pm.change(7, flags=""))
    assert nl.do(mptcp_pm.endpoint(7)).flags == F.MPTCP_PM_ADDR_FLAG_SUBFLOW
    nl.do(mptcp_pm.remove(7))
    with pytest.raises(KernelError) as caught:
        nl.do(mptcp_pm.endpoint(7))
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(KernelError, match=r"mptcp_pm\.remove"):
        nl.do(mptcp_pm.remove(7))
    nl.do(mptcp_pm.remove_all())
    assert nl.do(mptcp_pm.endpoints()) == []


def test_what_ip_adds_is_read(nl: Connection) -> None:
    ip("endpoint add 10.9.0.9 dev v0 id 3 subflow fullmesh")
    assert [as_ip(one) for one in nl.do(mptcp_pm.endpoints())] == ip("endpoint show")


def test_limits(nl: Connection) -> None:
    """Fact: limits rcv-add-addrs, subflows; limits are per namespace."""
    nl.do(mptcp_pm.set_limits(subflows=3, add_addr_accepted=5))
    found = nl.do(mptcp_pm.limits())
    assert (found.subflows, found.rcv_add_addrs) == (3, 5)
    done = subprocess.run(["ip", "mptcp", "limits"], capture_output=True, text=True, timeout=20)
    assert done.stdout.split() == ["add_addr_accepted", "5", "subflows", "3"]
    nl.do(mptcp_pm.set_limits(subflows=4))
    found = nl.do(mptcp_pm.limits())
    assert (found.subflows, found.rcv_add_addrs) == (4, 5)
    owned.keep("mptcp_pm", "limits", [found])
    with pytest.raises(KernelError) as caught:
        nl.do(mptcp_pm.set_limits(subflows=9))
    assert caught.value.errno in (errno.EINVAL, errno.ERANGE)


def test_errors(nl: Connection) -> None:
    """Fact: add without family EINVAL."""
    with pytest.raises(KernelError) as caught:
        nl.do(mptcp_pm.add_addr(addr={"addr4": "10.9.0.9"}))
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(KernelError) as caught:
        nl.do(mptcp_pm.add("10.9.0.9", port=5))  # a port requires the flag "signal"
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(KernelError) as caught:
        nl.do(mptcp_pm.add("10.9.0.9", dev="none"))
    assert caught.value.errno == errno.ENODEV
    nl.do(mptcp_pm.add("10.9.0.9", id=1))
    with pytest.raises(KernelError):
        nl.do(mptcp_pm.add("10.9.0.9", id=2))


def test_the_two_families_are_not_combined() -> None:
    """Fact: events group mptcp_pm_events: type = command number. So one connection cannot tell
    them apart."""
    with (
        pytest.raises(ValueError, match="mptcp_pm"),
        Connection(mptcp_pm.FAMILY, mptcp_events.FAMILY) as nl,
    ):
        nl.join("mptcp_pm_events")
        nl.do(mptcp_pm.limits())


def test_events_of_a_connection(nl: Connection) -> None:
    """Fact: events: attributes incl. token u32, sport/dport be16; joining needs CAP_NET_ADMIN."""
    with Connection(mptcp_events.FAMILY, timeout=10) as listener:
        listener.join("mptcp_pm_events")
        try:
            server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
        except OSError as error:
            pytest.skip(f"the kernel makes no MPTCP sockets: {error}")
        server.bind(("127.0.0.1", 0))
        server.listen()
        client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        client.send(b"x" * 10)
        accepted.recv(10)
        accepted.send(b"y")
        client.recv(1)
        ports = (client.getsockname()[1], server.getsockname()[1])
        for one in (client, accepted, server):
            one.close()
        found: list[Any] = list(listener.events(timeout=1))
    owned.keep("mptcp_events", "a connection", found)
    kinds = [event.nlmsg_name for event in found]
    assert kinds[0] == "MPTCP_EVENT_LISTENER_CREATED"
    assert {"MPTCP_EVENT_CREATED", "MPTCP_EVENT_ESTABLISHED", "MPTCP_EVENT_CLOSED"} <= {*kinds}
    made = [event for event in found if event.nlmsg_name == "MPTCP_EVENT_CREATED"]
    assert {(event.sport, event.dport) for event in made} == {ports, ports[::-1]}
    assert {str(event.saddr) for event in made} == {"127.0.0.1"}
    tokens = {event.token for event in made}
    assert len(tokens) == 2 and None not in tokens
    assert {event.token for event in found if event.token is not None} == tokens
    for event in found:
        assert event.unknown == ()
        assert event.nlmsg_name in MPTCP_EVENT.__members__
    if made[0].flags is not None:
        sides = {MPTCP_PM_EV_FLAG.MPTCP_PM_EV_FLAG_SERVER_SIDE in event.flags for event in made}
        assert True in sides or any(event.server_side for event in made)


def test_the_command_line(nl: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    nl.do(mptcp_pm.add("10.9.0.9", dev="v0", flags="signal"))
    assert main(["dump", "mptcp_pm.addr"]) == 0
    assert "10.9.0.9" in capsys.readouterr().out


def test_the_family_of_a_group() -> None:
    """`netlink genl monitor mptcp_pm` reads events, and its policy is that of the commands."""
    for groups in (["mptcp_pm_events"], ["mptcp_pm_cmds", "mptcp_pm_events"]):
        assert genl._declared("mptcp_pm", groups) is mptcp_events.FAMILY
    assert genl._declared("mptcp_pm") is mptcp_pm.FAMILY
    assert genl._declared("unheard-of") is None


WRONG: Any = mptcp_pm  # what a type checker would refuse
CALLS: list[tuple[Any, str]] = [
    (lambda: WRONG.add(None), r"mptcp_pm\.add\.address: expected an IP address"),
    (lambda: WRONG.add("10.0.0.1/24"), "expected an IP address"),
    (lambda: WRONG.add("host"), "expected an IP address"),
    (lambda: WRONG.add("10.0.0.1", id=0), "an int from 1 to 255"),
    (lambda: WRONG.add("10.0.0.1", id=256), "an int from 1 to 255"),
    (lambda: WRONG.add("10.0.0.1", port=65536), "an int from 1 to 65535"),
    (lambda: WRONG.add("10.0.0.1", flags="signals"), "unknown name 'signals'"),
    (lambda: WRONG.add("10.0.0.1", flags=[1]), "names of flags"),
    (lambda: WRONG.add("10.0.0.1", dev=True), "expected the name of a link"),
    (lambda: WRONG.add("10.0.0.1", ifname="v0"), "no parameter 'ifname'; did you mean 'dev'"),
    (lambda: WRONG.change(1), "missing 1 required"),
    (lambda: WRONG.change(1, flags="signal"), "expected 'backup', 'fullmesh', both"),
    (lambda: WRONG.change(1, flags=None), "expected 'backup', 'fullmesh', both"),
    (lambda: WRONG.change("v0", flags="backup"), "an int from 1"),
    (lambda: WRONG.remove(None), "the number of an endpoint"),
    (lambda: WRONG.remove(0), "an int from 1"),
    (lambda: WRONG.remove(), "missing 1 required"),
    (lambda: WRONG.endpoint(True), "an int from 1"),
    (lambda: WRONG.set_limits(), "needs something to change; it accepts: subflows"),
    (lambda: WRONG.set_limits(subflows=-1), "an int from 0"),
    (lambda: WRONG.set_limits(2), "takes 0 positional"),
]


@pytest.mark.parametrize("call, text", CALLS, ids=[text for _, text in CALLS])
def test_wrong_calls(call: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        next(call().steps())
