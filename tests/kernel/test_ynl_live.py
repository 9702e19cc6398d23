"""Families that were loaded from specs, on the live kernel, next to the kernel's own client.

The small specs of tests/specs describe parts of ethtool and of rtnetlink. With NETLINK_SPECS and
NETLINK_KERNEL, every op that answers is compared with what the kernel's client prints.
"""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import netlink
from netlink import Connection, KernelError, ynl
from netlink.cli import main
from netlink.constants import NLM_F
from netlink.generic import nlctrl
from netlink.ynl.spelling import arguments, spelled
from tests import ynl_client
from tests.kernel.scene import make
from tools import outside

SPECS = Path(__file__).parent.parent / "specs"
ETHTOOL = ynl.load(SPECS / "ethtool.yaml")
LINK = ynl.load(SPECS / "link.yaml")
KERNEL_SPECS = outside.specs()
NEW = NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL


@pytest.fixture
def ethtool() -> Iterator[Connection]:
    with Connection(ETHTOOL, timeout=10) as nl:
        try:
            nl.do(ETHTOOL.op.linkstate_get(header={"dev_name": "lo"}))
        except KernelError as error:
            if error.errno == errno.ENOENT:
                pytest.skip("the kernel lacks ethtool")
            raise
        yield nl


@pytest.fixture
def links() -> Iterator[Connection]:
    with Connection(LINK, timeout=10) as nl:
        yield nl


# --- Generic Netlink ------------------------------------------------------------------------------


def test_do_and_dump(ethtool: Connection) -> None:
    make("link add v0 type veth peer name v1")
    state = ethtool.do(ETHTOOL.op.linkstate_get(header={"dev_name": "v0"}))
    assert (state.header.dev_name, state.link) == ("v0", 0)
    assert state.nlmsg_name == "ETHTOOL_MSG_LINKSTATE_GET_REPLY"
    names = {one.header.dev_name for one in ethtool.dump(ETHTOOL.op.linkstate_get())}
    assert {"lo", "v0", "v1"} <= names
    columns = ethtool.dump(ETHTOOL.op.linkstate_get()).columns("header.dev_name", "link")
    assert {*columns["header.dev_name"]} == names
    assert {*columns["link"]} <= {0, 1}


def test_errors_have_paths(ethtool: Connection) -> None:
    with pytest.raises(KernelError) as caught:
        ethtool.do(ETHTOOL.op.features_get(header={"dev_name": "none"}))
    assert caught.value.errno == errno.ENODEV
    assert caught.value.path == "header.dev_name"
    assert str(caught.value).startswith("ethtool.features_get: header.dev_name: ")
    with pytest.raises(KernelError) as caught:
        ethtool.do(ETHTOOL.op.features_get(header={"flags": "stats"}))
    assert caught.value.path == "header.flags"


def test_policies_have_names(ethtool: Connection) -> None:
    with Connection(nlctrl.FAMILY, timeout=10) as nl:
        text = nl.do(nlctrl.policy("ethtool")).pretty(ETHTOOL)
    assert "ethtool.features_get\n" in text
    assert "dev_name: nul string" in text


def test_notifications(ethtool: Connection) -> None:
    """Fact: notifications of ethtool are compact, and have the kernel's own sequence numbers."""
    make("link add v0 type veth peer name v1")
    off = {"bits": {"bit": [{"name": "tx-scatter-gather"}]}}
    with Connection(ETHTOOL, timeout=10) as listener:
        listener.join("monitor")
        answer = ethtool.do(ETHTOOL.op.features_set(header={"dev_name": "v0"}, wanted=off))
        assert answer is not None
        event = next(iter(listener.events(timeout=10)))
    shown: Any = event
    assert shown.nlmsg_name == "ETHTOOL_MSG_FEATURES_NTF"
    assert shown.header.dev_name == "v0"
    assert shown.active.bits is None
    assert shown.active.nomask
    assert len(shown.active.value) * 8 >= shown.active.size > 0


def test_an_answer_that_is_suppressed(ethtool: Connection) -> None:
    """Fact: ethtool's features-set answers, unless ETHTOOL_FLAG_OMIT_REPLY is set."""
    make("link add v0 type veth peer name v1")
    on = {"bits": {"bit": [{"name": "rx-gro", "value": True}]}}
    quiet = {"dev_name": "v0", "flags": "omit_reply"}
    assert ethtool.do(ETHTOOL.op.features_set(header=quiet, wanted=on)) is None


def test_a_trace_has_names(ethtool: Connection) -> None:
    lines: list[str] = []
    with Connection(ETHTOOL, timeout=10, trace=lines.append) as nl:
        nl.do(ETHTOOL.op.linkstate_get(header={"dev_name": "lo"}))
    text = "\n".join(map(str, lines))
    assert "ETHTOOL_MSG_LINKSTATE_GET" in text
    assert "dev_name" in text


def test_a_family_that_the_kernel_lacks() -> None:
    garage = ynl.load(SPECS / "garage.yaml")
    with Connection(garage, timeout=10) as nl, pytest.raises(KernelError) as caught:
        nl.do(garage.op.get(label="x"))
    assert caught.value.errno == errno.ENOENT
    assert "garage" in str(caught.value)


# --- raw Netlink ----------------------------------------------------------------------------------


BRIDGE = {"kind": "bridge", "data": {"priority": 7, "ageing_time": 1200}}


def test_links_are_made_and_read(links: Connection) -> None:
    new: Any = LINK.op.newlink.using(NEW)
    assert links.do(new(ifname="br7", mtu=1400, linkinfo=BRIDGE)) is None
    with pytest.raises(FileExistsError):
        links.do(new(ifname="br7", linkinfo=BRIDGE))
    made = links.do(LINK.op.getlink(ifname="br7"))
    assert (made.linkinfo.data.priority, made.linkinfo.data.ageing_time) == (7, 1200)
    assert made.unknown
    by_name = {one.ifname: one for one in links.dump(LINK.op.getlink())}
    flags: Any = LINK.enum.IFINFO_FLAGS
    assert by_name["lo"].ifi_flags & flags.loopback
    assert by_name["br7"].mtu == 1400
    links.do(LINK.op.dellink(ifi_index=made.ifi_index))
    with pytest.raises(KernelError):
        links.do(LINK.op.getlink(ifname="br7"))


def test_events_of_links(links: Connection) -> None:
    links.join("rtnlgrp-link")
    make("link add v0 type veth peer name v1")
    event: Any = next(iter(links.events(timeout=10)))
    assert (event.nlmsg_name, type(event)) == ("newlink", LINK.message.LinkAttrs)


# --- families that few kernels have ---------------------------------------------------------------


def loaded(name: str) -> ynl.SpecFamily:
    """The family of a spec in NETLINK_SPECS."""
    if KERNEL_SPECS is None or not (KERNEL_SPECS / f"{name}.yaml").is_file():
        pytest.skip(f"NETLINK_SPECS has no {name}.yaml")
    return ynl_client.family(KERNEL_SPECS / f"{name}.yaml")


def test_an_answer_of_several_messages(links: Connection) -> None:
    """Fact: `do` of team's options-get is answered by multipart messages and a DONE, and then by
    an ACK. Each option has an attribute of its own."""
    team = loaded("team")
    make("link add team7 type team")
    index = links.do(LINK.op.getlink(ifname="team7")).ifi_index
    with Connection(team, timeout=10) as nl:
        for _ in range(2):
            parts = nl.do(team.op.options_get(team_ifindex=index))
            options = [option for part in parts for option in part.list_option.option]
            assert {"mode", "notify_peers_count"} <= {option.name for option in options}
        with pytest.raises(KernelError):
            nl.do(team.op.options_get(team_ifindex=1))


def test_nested_arrays_of_wireguard() -> None:
    """Fact: get-device is dump-only and command 0; peers and allowed IPs are indexed arrays, whose
    items all have type 0."""
    wireguard = loaded("wireguard")
    make("link add wg7 type wireguard")
    peers = [
        {
            "public_key": bytes([n]) * 32,
            "allowedips": [{"family": 2, "ipaddr": ip, "cidr_mask": 24}],
        }
        for n, ip in ((1, "192.0.2.0"), (2, "198.51.100.0"))
    ]
    with Connection(wireguard, timeout=10) as nl:
        nl.do(wireguard.op.set_device(ifname="wg7", listen_port=5182, peers=peers))
        (found,) = nl.dump(wireguard.op.get_device(ifname="wg7"))
        assert (found.ifname, found.listen_port, len(found.peers)) == ("wg7", 5182, 2)
        shown = {peer.public_key[0]: str(peer.allowedips[0].ipaddr) for peer in found.peers}
        assert shown == {1: "192.0.2.0", 2: "198.51.100.0"}
        with pytest.raises(KernelError) as caught:
            nl.do(wireguard.op.get_device(ifname="wg7"))
        assert caught.value.errno == errno.EOPNOTSUPP


def test_an_op_that_the_kernel_lacks() -> None:
    """Fact: ops behind a kernel option are refused with EOPNOTSUPP, such as netdev's
    page-pool-stats-get."""
    netdev = loaded("netdev")
    with Connection(netdev, timeout=10) as nl:
        try:
            list(nl.dump(netdev.op.page_pool_stats_get()))
        except KernelError as error:
            assert error.errno == errno.EOPNOTSUPP
            assert "netdev.page_pool_stats_get" in str(error)


def test_groups_that_the_spec_lacks(ethtool: Connection) -> None:
    """Fact: the specs of ethtool and devlink name no groups. The kernel knows them."""
    text = (SPECS / "ethtool.yaml").read_bytes()
    family = ynl.build(ynl.parse(text.partition(b"mcast-groups:")[0]))
    assert family.groups == {}
    with Connection(family, timeout=10) as nl:
        nl.join("monitor")
        with pytest.raises(LookupError, match=r"there are: .*ethtool\.monitor"):
            nl.join("none")


# --- the command line -----------------------------------------------------------------------------


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["ynl", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(SPECS / "link.yaml")
    data = {"priority": 7, "ageing-time": 1200}
    new = json.dumps({"ifname": "br7", "linkinfo": {"kind": "bridge", "data": data}})
    assert answer(capsys, path, "do", "newlink", new, "--create", "--excl") is None
    assert main(["ynl", path, "do", "newlink", new, "--create", "--excl"]) == 1
    assert "EEXIST" in capsys.readouterr().err
    links = {link["ifname"]: link for link in answer(capsys, path, "dump", "getlink")}
    found = links["br7"]["linkinfo"]["data"]
    assert {name: found[name] for name in data} == data
    assert "loopback" in links["lo"]["ifi-flags"]
    assert answer(capsys, path, "do", "dellink", '{"ifname": "br7"}') is None


def test_the_command_of_a_generic_family(
    ethtool: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(SPECS / "ethtool.yaml")
    found = answer(capsys, path, "do", "linkstate-get", '{"header": {"dev-name": "lo"}}')
    assert found["header"]["dev-name"] == "lo"
    assert [one["header"]["dev-name"] for one in answer(capsys, path, "dump", "linkstate_get")]
    assert main(["ynl", path, "do", "features-get", '{"header": {"dev-name": "none"}}']) == 1
    assert "header.dev_name: no device matches name (ENODEV)" in capsys.readouterr().err
    assert main(["ynl", path, "dump", "features-get", '{"header": {"flags": ["stats"]}}']) == 1
    out, err = capsys.readouterr()
    assert (out, "header.flags" in err) == ("[]\n", True)


@pytest.mark.parametrize(
    ("path", "words", "change", "name"),
    [
        ("link.yaml", ["rtnlgrp-link"], "link add v0 type bridge", "newlink-ntf"),
        ("link.yaml", [], "link add v0 type bridge", "newlink-ntf"),
    ],
)
def test_the_monitor(path: str, words: list[str], change: str, name: str) -> None:
    command = [sys.executable, "-m", "netlink", "ynl", str(SPECS / path), "monitor"]
    with subprocess.Popen(
        [*command, *words, "--count", "1", "--timeout", "30"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(netlink.__file__).parent.parent,
    ) as process:
        number = 0
        while process.poll() is None:  # until it listens, and hears one
            with suppress(AssertionError):
                make(change.replace("v0", f"v{number}"))
            number += 1
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
        assert process.stdout is not None
        event = json.loads(process.stdout.read())
    assert event["name"] == name
    assert event["msg"]["ifname"].startswith("v")


def test_groups_that_do_not_exist(ethtool: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("link.yaml", "ethtool.yaml"):
        words = ["ynl", str(SPECS / path), "monitor", "none", "--timeout", "0.1"]
        assert main(words) == 2
        assert "there is no group" in capsys.readouterr().err
    words = ["ynl", str(SPECS / "ethtool.yaml"), "monitor", "--timeout", "0.1"]
    assert main(words) == 0
    assert "0 events" in capsys.readouterr().err


# --- the kernel's client --------------------------------------------------------------------------

PATHS = sorted(KERNEL_SPECS.glob("*.yaml")) if KERNEL_SPECS is not None else []


def canonical(value: Any) -> Any:
    """The answer of either client: bytes as hexadecimal text, sets sorted, no unknown attributes,
    and the elements of arrays without their positions. If a header member and an attribute have the
    same name, the kernel's client shows only the member."""
    if isinstance(value, dict):
        return {
            str(key): canonical(item)
            for key, item in value.items()
            if not (str(key).startswith(("UnknownAttr", "#", "pad")) or str(key).endswith("_"))
        }
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list):
        is_array = value and all(
            isinstance(item, dict) and len(item) == 1 and isinstance(next(iter(item)), int)
            for item in value
        )
        items = [next(iter(item.values())) for item in value] if is_array else value
        found = [canonical(item) for item in items]
        return sorted(found) if found and all(isinstance(item, str) for item in found) else found
    return value.hex() if isinstance(value, bytes) else value


# The client shows these otherwise: hexadecimal bytes in pairs, and values that change meanwhile.
CHANGING = {
    "stats", "stats64", "stats2", "now", "config", "cacheinfo", "ifa-cacheinfo", "tstamp",
    "af-spec", "age", "ndts-table-fulls", "rx-packets", "tx-packets",
}  # fmt: skip


def without_changing(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_changing(v) for k, v in value.items() if k not in CHANGING}
    if isinstance(value, list):
        return [without_changing(item) for item in value]
    return value.replace(" ", "") if isinstance(value, str) else value


def outcome(call: Any) -> Any:
    try:
        return call()
    except KernelError as error:
        return error.errno
    except ynl_client.client().NlError as error:
        return abs(error.error)


@ynl_client.needs_client
@pytest.mark.filterwarnings("ignore::netlink.KernelWarning")
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_answers_equal_those_of_the_kernels_client(path: Path) -> None:
    """Every op that answers, asked about nothing in particular, and ethtool's about a link."""
    make("link add v0 type veth peer name v1")
    make("link set v0 up")
    make("link set v1 up")
    make("addr add 192.0.2.1/24 dev v0")
    make("qdisc add dev v0 root pfifo", "tc")
    loaded = ynl_client.family(path, mend=False)
    if loaded.name == nlctrl.FAMILY.name:
        return  # every connection has it already; see the next test
    module = ynl_client.client()
    try:
        client = module.YnlFamily(str(path), "", process_unknown=True)
    except Exception as error:
        assert "not supported by the kernel" in str(error)
        with Connection(loaded, timeout=10) as nl, pytest.raises(FileNotFoundError):
            nl.do(next(iter(loaded.ops.values()))())
        return
    client.sock.close()
    compared = 0
    with Connection(loaded, timeout=10) as nl:
        for op in loaded.ops.values():
            assert isinstance(op, ynl.SpecOp)
            if op.bracket or "set" in op.spec_name.split("-"):
                continue
            for is_dump in [False] * (op.answer != "none") + [True] * op.dumps:
                for _ in range(3):  # something may change between the two answers
                    ours, theirs = both(nl, op, path, is_dump=is_dump)
                    one, other = map(without_changing, map(canonical, (ours, theirs)))
                    if one == other:
                        break
                assert one == other
                compared += 1
    assert compared


@ynl_client.needs_client
def test_nlctrl_equals_that_of_the_kernels_client() -> None:
    """The bytes come by our own nlctrl, because a connection has only one."""
    path = next((path for path in PATHS if path.stem == "nlctrl"), None)
    if path is None:
        pytest.skip("NETLINK_SPECS has no nlctrl.yaml")
    loaded = ynl_client.family(path, mend=False)
    cls = loaded.op.getfamily.dump
    with Connection(nlctrl.FAMILY, timeout=10) as nl:
        ours = [spelled(cls.from_bytes(bytes(m))) for m in nl.dump(nlctrl.getfamily())]
    client = ynl_client.client().YnlFamily(str(path), "", process_unknown=True)
    client.sock.settimeout(10)
    try:
        theirs = client.dump("getfamily", {})
    finally:
        client.sock.close()
    assert len(ours) > 1
    assert canonical(ours) == canonical(theirs)


def both(nl: Connection, op: ynl.SpecOp, path: Path, *, is_dump: bool) -> tuple[Any, Any]:
    """What our connection and the kernel's client get for the same request."""
    given = {"header": {"dev-name": "v0"}} if path.stem == "ethtool" else {}
    client = ynl_client.client().YnlFamily(str(path), "", process_unknown=True)
    client.sock.settimeout(10)
    call = client.dump if is_dump else client.do
    try:
        return (
            outcome(lambda: ask(nl, op, given, is_dump=is_dump)),
            outcome(lambda: call(op.spec_name, dict(given))),
        )
    finally:
        client.sock.close()


def ask(nl: Connection, op: Any, given: dict[str, Any], *, is_dump: bool) -> Any:
    request = op(**arguments(op.request, given))
    if is_dump:
        return [spelled(message) for message in nl.dump(request)]
    return spelled(nl.do(request))
