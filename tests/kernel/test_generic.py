"""Generic Netlink with the live kernel: nlctrl, which every kernel has, and what it tells."""

from __future__ import annotations

import asyncio
import errno
import json
import subprocess
import sys
from collections.abc import Iterator
from enum import IntEnum

import pytest

from netlink import Connection, EncodeError, Family, KernelError, Message, Op, aio
from netlink import schema as s
from netlink._resolver import Resolver
from netlink.generic import find_family, list_families, nlctrl, policy
from netlink.generic.nlctrl import CTRL_CMD, GENL, Ctrl


class TCP_METRICS_CMD(IntEnum):
    TCP_METRICS_CMD_GET = 1


class TcpMetrics(Message):
    """A part of TCP_METRICS_ATTR_* (linux/tcp_metrics.h), as somebody else may declare it."""

    addr_ipv4: s.Addr = s.address(1)
    age: int | None = s.u64(3)


get = Op("tcp_metrics.get", TCP_METRICS_CMD.TCP_METRICS_CMD_GET, TcpMetrics, answer="one")
TCP_METRICS = Family("tcp_metrics", types=TCP_METRICS_CMD, ops=(get,), messages=TcpMetrics)


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(TCP_METRICS, nlctrl.FAMILY) as connection:
        try:
            connection.do(find_family("tcp_metrics"))
        except KernelError as error:
            pytest.skip(f"the kernel has no such family: {error}")
        yield connection


def test_nlctrl_knows_itself() -> None:
    with Connection(nlctrl.FAMILY) as nl:
        told = nl.do(find_family("nlctrl"))
        assert (told.family_id, told.family_name) == (16, "nlctrl")
        assert {group.name: group.id for group in told.mcast_groups} == {"notify": 16}
        flags = {op.id: op.flags for op in told.ops}
        assert flags[CTRL_CMD.CTRL_CMD_GETFAMILY] == (
            GENL.GENL_CMD_CAP_DO | GENL.GENL_CMD_CAP_DUMP | GENL.GENL_CMD_CAP_HASPOL
        )
        assert [f.family_name for f in nl.do(list_families())].count("nlctrl") == 1


def test_the_tool_genl_sees_the_same_families() -> None:
    try:
        shown = subprocess.run(["genl", "ctrl", "list"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"genl, of iproute2: {error}")
    names = [line.split()[1] for line in shown.stdout.splitlines() if line.startswith("Name:")]
    with Connection(nlctrl.FAMILY) as nl:
        assert sorted(str(f.family_name) for f in nl.do(list_families())) == sorted(names)


def test_a_number_is_asked_for_by_name_and_kept(nl: Connection) -> None:
    before = nl.stats.sent
    for _ in range(3):
        with pytest.raises(KernelError) as caught:
            nl.do(get(addr_ipv4="192.0.2.1"))
        assert caught.value.errno == errno.ESRCH  # it was never spoken to
    assert nl.stats.sent == before + 4
    assert nl.dump(get()).all() == []


def test_no_such_family() -> None:
    absent = Op("absent.get", TCP_METRICS_CMD.TCP_METRICS_CMD_GET, TcpMetrics, answer="one")
    family = Family("no_such_family", types=TCP_METRICS_CMD, ops=(absent,))
    with Connection(nlctrl.FAMILY, family) as nl:
        with pytest.raises(KernelError) as caught:
            nl.do(absent())
        assert caught.value.errno == errno.ENOENT
        with pytest.raises(KernelError, match="ENOENT"):
            nl.join("events")
        with pytest.raises(KernelError, match="ENOENT"):
            nl.do(find_family("no_such_family"))
        with pytest.raises(KernelError, match="ENOENT"):
            nl.do(policy("no_such_family"))


def test_a_name_that_is_too_long_is_explained() -> None:
    name = "a family of 26 characters."
    with pytest.raises(EncodeError, match=r"Ctrl\.family_name: 26 bytes exceed the limit of 15"):
        nlctrl.getfamily(family_name=name)

    class Unbounded(Message):
        family_name: str | None = s.string(2)

    ask = Op("nlctrl.getfamily", CTRL_CMD.CTRL_CMD_GETFAMILY, Unbounded)
    ask.family = nlctrl.FAMILY
    with Connection(nlctrl.FAMILY) as nl, pytest.raises(KernelError) as caught:
        nl.do(ask(family_name=name))
    assert caught.value.path == "family_name"
    assert str(caught.value).endswith("allowed nul string of at most 15 bytes")


def test_the_policy_of_nlctrl_in_words() -> None:
    with Connection(nlctrl.FAMILY) as nl:
        policies = nl.do(policy("nlctrl"))
    lines = policies.pretty(nlctrl.FAMILY).splitlines()
    at = lines.index("nlctrl.getfamily")
    assert lines[at : at + 4] == [
        "nlctrl.getfamily",
        "    do",
        "        family_id: u16 0..65535",
        "        family_name: nul string of at most 15 bytes",
    ]


def test_a_stale_number_is_noticed(nl: Connection) -> None:
    """As after the module of a family was loaded again: the kernel answers ENOENT, we ask again."""
    resolver = nl._engine.resolver
    assert isinstance(resolver, Resolver)
    for _ in range(2):
        resolver.ids[TCP_METRICS] = 1000
        with pytest.raises(KernelError, match="ESRCH"):
            nl.do(get(addr_ipv4="192.0.2.1"))
        resolver.ids[TCP_METRICS] = 1000
        assert nl.dump(get()).all() == []


def test_columns_of_families() -> None:
    with Connection(nlctrl.FAMILY) as nl:
        columns = nl.dump(nlctrl.getfamily()).columns("family_id", "family_name")
        assert dict(zip(columns["family_name"], columns["family_id"], strict=True)) == {
            f.family_name: f.family_id for f in nl.do(list_families())
        }


def test_the_same_from_asyncio(nl: Connection) -> None:
    async def ask() -> list[Ctrl]:
        async with aio.Connection(TCP_METRICS, nlctrl.FAMILY) as other:
            await other.join("nlctrl.notify")
            with pytest.raises(KernelError, match="ESRCH"):
                await other.do(get(addr_ipv4="192.0.2.1"))
            families = [f async for f in other.dump(nlctrl.getfamily())]
            assert families == await other.do(list_families())
            await other.leave("nlctrl.notify")
            return families

    assert asyncio.run(ask()) == nl.do(list_families())


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "netlink", "genl", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_commands() -> None:
    with Connection(nlctrl.FAMILY) as nl:
        families = {str(f.family_name): f for f in nl.do(list_families())}
    listed = run("list")
    assert listed.returncode == 0, listed.stderr
    lines = listed.stdout.splitlines()
    assert lines[0].split() == ["ID", "NAME", "VERSION", "OPS", "GROUPS"]
    assert {line.split()[1] for line in lines[1:]} == {*families}
    [row] = [line.split() for line in lines if line.split()[1] == "nlctrl"]
    assert row[0] == "16"
    assert row[-1] == "notify"
    as_json = {row["family_name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert as_json.keys() == families.keys()
    assert as_json["nlctrl"]["family_id"] == 16

    shown = run("policy", "nlctrl")
    assert "        family_name: nul string of at most 15 bytes" in shown.stdout.splitlines()
    for action in ("policy", "monitor"):
        refused = run(action, "no_such_family")
        assert (refused.returncode, refused.stdout) == (1, "")
        told = "netlink: the kernel has no family 'no_such_family'; there are: "
        assert refused.stderr.startswith(told) and refused.stderr.count("\n") == 1
        assert all(name in refused.stderr for name in families)
        refused = run(action, "nlctl")
        told = "netlink: the kernel has no family 'nlctl'; did you mean 'nlctrl'?\n"
        assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", told)
    refused = run("policy", "VFS_DQUOT")
    if "VFS_DQUOT" in families:
        assert refused.stderr == "netlink: family 'VFS_DQUOT' has no policy\n"
        assert run("policy", "dquot").stderr == refused.stderr  # as this library calls it

    ended = run("monitor", "nlctrl", "--timeout", "0.2")
    assert ended.returncode == 0, ended.stderr
    assert "0 events" in ended.stderr
    refused = run("monitor", "nlctrl", "--group", "x", "--timeout", "0.2")
    assert refused.returncode == 1
    assert refused.stderr == "netlink: family 'nlctrl' has no group 'x'; there are: notify\n"
