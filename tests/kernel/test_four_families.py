"""Four families that are declared in tests only, against the live kernel."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlink import Connection, KernelError, Pid
from netlink.constants import AF
from netlink.route import FAMILY as ROUTE
from netlink.route import link

from .. import families
from ..families import (
    AUDIT_FAMILY,
    DIAG,
    ETHTOOL,
    PROC,
    PROC_EVENT,
    TCP_STATE,
    Channels,
    InetSocket,
    UnixSocket,
)


def test_sock_diag_has_two_classes_under_one_type(tmp_path: Path) -> None:
    name = f"\0{tmp_path.name}".encode()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(name)
        local.listen()
        port = server.getsockname()[1]
        with Connection(DIAG) as nl:
            listening = 1 << TCP_STATE.TCP_LISTEN
            query = families.tcp(family=AF.AF_INET, protocol=socket.IPPROTO_TCP, states=listening)
            found = [s for s in nl.dump(query) if s.id and s.id.sport == port]
            assert [type(s) for s in found] == [InetSocket]
            assert found[0].state is TCP_STATE.TCP_LISTEN
            assert found[0].inode == os.fstat(server.fileno()).st_ino
            assert found[0].nlmsg_name == "SOCK_DIAG_BY_FAMILY"
            inodes = nl.dump(query).columns("inode")["inode"]
            assert found[0].inode in [*inodes]

            every = families.unix(family=AF.AF_UNIX, states=0xFFFFFFFF, show=1)
            mine = [s for s in nl.dump(every) if s.name == name]
            assert [type(s) for s in mine] == [UnixSocket]
            assert mine[0].ino == os.fstat(local.fileno()).st_ino


def test_ethtool_numbers_requests_and_answers_apart() -> None:
    with Connection(ROUTE) as route, Connection(ETHTOOL) as nl:
        route.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
        info = nl.do(families.tsinfo_get(header={"dev_name": "v0"}))
        assert type(info) is families.TsInfo
        assert info.nlmsg_name == "ETHTOOL_MSG_TSINFO_GET_REPLY"  # 26; the request is 25
        channels = nl.do(families.channels_get(header={"dev_name": "v0"}))
        assert type(channels) is Channels
        assert channels.rx_count == 1
        assert channels.nlmsg_name == "ETHTOOL_MSG_CHANNELS_GET_REPLY"  # 18 is SET among requests
        assert len(nl.dump(families.channels_get()).all()) == 2
        with pytest.raises(KernelError) as caught:
            nl.do(families.channels_set(header={"dev_name": "v0"}, combined_count=99))
        assert caught.value.path is not None


def test_audit_answers_after_the_acknowledgement() -> None:
    with Connection(AUDIT_FAMILY, timeout=5) as nl:
        try:
            status = nl.do(families.audit_get())
        except KernelError as error:
            pytest.skip(f"the kernel refuses: {error}")
        assert type(status) is families.audit_status
        assert status.backlog_limit is not None
        assert [*nl.do_many([families.audit_get()] * 3)] == [status] * 3
        rules = nl.do(families.audit_list_rules())
        assert isinstance(rules, list)


@pytest.fixture
def proc() -> Iterator[Connection]:
    """A connection that gets process events, where the kernel sends them."""
    try:
        connection = Connection(PROC, netns=Pid(os.getppid()))  # this process has left it
    except PermissionError as error:
        pytest.skip(f"only root enters the initial network namespace: {error}")
    with connection as nl:
        nl.join("proc")
        try:
            nl.do(families.proc_listen(op=1))
        except OSError as error:
            if error.errno != errno.ECONNREFUSED:
                raise
            pytest.skip(f"process events are sent in the initial namespaces only: {error}")
        try:
            yield nl
        finally:
            nl.do(families.proc_listen(op=2))  # the kernel counts a listener until then


def test_process_events_arrive_as_done(proc: Connection) -> None:
    child = subprocess.Popen(["/bin/sh", "-c", "exit 3"])
    child.wait()
    events = []
    end = time.monotonic() + 5
    for event in proc.events(timeout=1):
        assert type(event) is families.proc_event
        events.append(event)
        died = event.event
        if isinstance(died, families.exit_proc_event) and died.process_pid == child.pid:
            break
        if time.monotonic() > end:
            break
    if not events:
        pytest.skip("the kernel sends process events to the initial process namespace only")
    ours = [
        event
        for event in events
        if child.pid
        in (
            getattr(event.event, "child_pid", None),
            getattr(event.event, "process_pid", None),
        )
    ]
    kinds = [event.what for event in ours]
    assert PROC_EVENT.PROC_EVENT_EXEC in kinds
    assert kinds[-1] == PROC_EVENT.PROC_EVENT_EXIT
    assert isinstance(ours[-1].event, families.exit_proc_event)
    assert os.waitstatus_to_exitcode(ours[-1].event.exit_code) == 3
    assert ours[-1].cn_seq is not None
    assert ours[-1].nlmsg_name == "CN_IDX_PROC"
