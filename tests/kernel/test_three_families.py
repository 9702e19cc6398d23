"""Three families that are declared in tests only, against the live kernel."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from netlink import Connection, KernelError
from netlink.constants import AF
from netlink.route import FAMILY as ROUTE
from netlink.route import link

from .. import families
from ..families import (
    AUDIT_FAMILY,
    DIAG,
    ETHTOOL,
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
