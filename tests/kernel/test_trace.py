"""What the trace of a conversation with a real kernel says."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from netlink import Connection, KernelError, RawSocket
from netlink.route import FAMILY as ROUTE
from netlink.route import link, route
from netlink.route.link import Link
from netlink.trace import Answer, Traced

SCRIPT = """
from netlink import Connection, KernelError
from netlink.generic import nlctrl
from netlink.route import FAMILY as ROUTE, link, route

with Connection(ROUTE, timeout=20) as nl:
    nl.join("link", "ipv4-route")
    nl.dump(link.get()).all()
    nl.do(link.change("lo", mtu=9000))
    try:
        nl.do(link.new(ifname="v0", linkinfo={"kind": "vxlan", "data": {"id": 1 << 24}}))
    except KernelError:
        pass
    next(nl.events(20))
with Connection(nlctrl.FAMILY, timeout=20) as nl:
    nl.do(nlctrl.find_family("nlctrl"))
"""


def test_the_environment_makes_a_program_tell() -> None:
    environment = os.environ | {"NETLINK_TRACE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    told = done.stderr.splitlines()
    datagrams = [line.split(" ", 4)[4] for line in told if not line.startswith(" ")]
    assert datagrams[0].startswith("kernel, ")
    assert any(line.startswith("kernel, group 1 link, ") for line in datagrams)
    lines = [" ".join(line.split()[:2]) for line in told if line.startswith(" ")]
    for expected in (
        "RTM_GETLINK NLM_F_REQUEST|NLM_F_DUMP",
        "RTM_NEWLINK NLM_F_MULTI",
        "ifname lo",
        "NLMSG_DONE NLM_F_MULTI",
        "mtu 9000",
        "RTM_NEWLINK acknowledged",
        "RTM_NEWLINK: linkinfo.data.id:",
        "CTRL_CMD_GETFAMILY NLM_F_REQUEST",
        "family_name nlctrl",
    ):
        assert expected in lines, expected


def test_a_program_is_silent_otherwise() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "NETLINK_TRACE"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_callable_sees_what_the_connection_does() -> None:
    seen: list[Traced] = []
    with Connection(ROUTE, timeout=20, trace=seen.append) as nl:
        links = nl.dump(link.get()).all()
        requests = [
            route.new(dst=f"198.51.100.{n}", dst_len=32, oif=1, type=1, scope=253, rtm_table=254)
            for n in range(1, 4)
        ]
        outcomes = [*nl.do_many([*requests, requests[0]])]
        sent = [m for s in seen if s.direction == "send" for m in s.messages()]
        assert sent == [link.get().message, *(r.message for r in requests), requests[0].message]
        assert [m for s in seen for m in s.messages() if type(m) is Link][1:] == links
        answers = [m for s in seen for m in s.messages() if isinstance(m, Answer)]
        assert len(answers) == 5
        assert isinstance(outcomes[3], KernelError)
        assert answers[4].error is not None
        assert answers[4].error.errno == outcomes[3].errno
        received = [s for s in seen if s.direction == "receive"]
        assert len(received) == nl.stats.datagrams
        assert {s.own_port for s in seen} == {nl.port}
        assert {(s.port, s.group) for s in received} == {(0, 0)}
        for s in seen:
            assert str(s).startswith(f"port {nl.port} {'->' if s.direction == 'send' else '<-'}")


def test_off_is_the_kernel_s_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETLINK_TRACE", raising=False)
    with Connection(ROUTE) as nl:
        assert type(nl._socket) is RawSocket
