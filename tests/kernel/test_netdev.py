"""netdev on the live kernel, next to sysfs and to the loaded spec."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from socket import if_nametoindex
from typing import Any

import pytest

from netlink import Connection, KernelError
from netlink.cli import main
from netlink.generic import netdev
from netlink.generic.netdev import NETDEV_QUEUE_TYPE, NETDEV_XDP_ACT
from tests import owned
from tests.kernel.scene import make

RX, TX = NETDEV_QUEUE_TYPE.NETDEV_QUEUE_TYPE_RX, NETDEV_QUEUE_TYPE.NETDEV_QUEUE_TYPE_TX


@pytest.fixture
def nl() -> Iterator[Connection]:
    make("""
        link add v0 numrxqueues 3 numtxqueues 2 type veth peer name v1
        link set v0 up
        link set v1 up
    """)
    with Connection(netdev.FAMILY, timeout=10) as connection:
        yield connection


def answered(nl: Connection, asked: Any) -> Any:
    """Execute a plan or a dump; skip if this kernel lacks the command."""
    try:
        return nl.do(asked)
    except KernelError as error:
        if error.errno == errno.EOPNOTSUPP:
            pytest.skip(f"the kernel lacks it: {error}")
        raise


def test_devices(nl: Connection) -> None:
    found = nl.do(netdev.device("v0"))
    assert found.ifindex == if_nametoindex("v0")
    assert found.xdp_features is not None
    assert NETDEV_XDP_ACT.NETDEV_XDP_ACT_BASIC & found.xdp_features
    assert nl.do(netdev.device(found.ifindex)) == found
    every = nl.dump(netdev.dev_get()).all()
    assert {one.ifindex for one in every} == {if_nametoindex(name) for name in ("lo", "v0", "v1")}
    owned.keep("netdev", "devices", every)
    for one in every:
        assert one.unknown == ()


def test_queues(nl: Connection) -> None:
    found = answered(nl, netdev.queues("v0"))
    kinds = [(queue.type, queue.id) for queue in found]
    assert len(set(kinds)) == len(kinds)
    assert {kind for kind, _ in kinds} == {RX, TX}
    assert {queue.ifindex for queue in found} == {if_nametoindex("v0")}
    one = nl.do(netdev.queue_get(ifindex=if_nametoindex("v0"), type="rx", id=0))
    assert one in found
    with pytest.raises(KernelError) as caught:
        nl.do(netdev.queue_get(ifindex=if_nametoindex("v0"), type="tx", id=99))
    assert caught.value.errno in (errno.EINVAL, errno.ENOENT)
    every = nl.dump(netdev.queue_get()).all()
    assert {queue.ifindex for queue in every} == {
        if_nametoindex(name) for name in ("lo", "v0", "v1")
    }
    owned.keep("netdev", "queues", found)
    make("link set v0 down")
    assert nl.do(netdev.queues("v0")) == []


def test_napi(nl: Connection, machine_root: None) -> None:
    # veth polls by NAPI only with GRO or XDP.
    subprocess.run(["ethtool", "-K", "v0", "gro", "on"], check=False)
    found = answered(nl, netdev.napis("v0"))
    assert {one.ifindex for one in found} <= {if_nametoindex("v0")}
    owned.keep("netdev", "NAPI instances", found)
    if not found:
        pytest.skip("this driver has no NAPI instance with a number")
    number = found[0].id
    answered(nl, netdev.set_napi(number, defer_hard_irqs=7, gro_flush_timeout=1 << 33))
    now = nl.do(netdev.napi_get(id=number))
    assert (now.defer_hard_irqs, now.gro_flush_timeout) == (7, 1 << 33)
    assert now.unknown == ()


def test_napi_of_nobody(nl: Connection, machine_root: None) -> None:
    with pytest.raises(KernelError) as caught:
        nl.do(netdev.set_napi(1 << 31, defer_hard_irqs=1))
    if caught.value.errno == errno.EOPNOTSUPP:
        pytest.skip("the kernel is older than 6.13")
    assert caught.value.errno == errno.ENOENT
    assert caught.value.path == "id"


def test_queue_statistics(nl: Connection) -> None:
    """Fact: qstats only for drivers with stat_ops (lo/veth: empty; do with ifindex:
    EOPNOTSUPP/ENODEV on the attribute)."""
    found = answered(nl, netdev.queue_stats())
    names = {if_nametoindex(name) for name in ("lo", "v0", "v1")}
    assert {one.ifindex for one in found} <= names
    try:
        each = nl.do(netdev.queue_stats("v0", per_queue=True))
    except KernelError as error:
        assert error.errno in (errno.EOPNOTSUPP, errno.ENODEV)
        assert error.path == "ifindex"
    else:
        assert each
        assert all(one.queue_id is not None for one in each)
        owned.keep("netdev", "queue statistics", each)


def test_page_pools(nl: Connection) -> None:
    """Fact: ops that this kernel lacks answer EOPNOTSUPP (page-pool-stats-get on H)."""
    for plan in (netdev.page_pools, netdev.page_pool_stats):
        for dev in (None, "v0"):
            try:
                found: Any = nl.do(plan(dev))
            except KernelError as error:
                assert error.errno == errno.EOPNOTSUPP
                assert str(error).startswith(f"netdev.{plan.__name__}: ")
            else:
                assert isinstance(found, list)
                owned.keep("netdev", f"{plan.__name__}({dev})", found)


def test_binding_needs_a_driver(nl: Connection) -> None:
    with pytest.raises(KernelError) as caught:
        nl.do(netdev.bind("v0", 0, [0]))
    assert caught.value.errno in (errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF, errno.EPERM)


def test_errors(nl: Connection) -> None:
    for plan in (netdev.device, netdev.queues, netdev.napis):
        with pytest.raises(KernelError, match=f"netdev.{plan.__name__}: ") as caught:
            nl.do(plan("none"))
        assert caught.value.errno == errno.ENODEV
    with pytest.raises(KernelError) as caught:
        nl.do(netdev.device(9999))
    assert caught.value.errno == errno.ENODEV


def test_events(nl: Connection) -> None:
    """Fact: add/del/change notifications in mgmt (cmd 2, verified at veth creation)."""
    nl.join("mgmt", "page-pool")
    make("link add v2 type veth peer name v3")
    number = if_nametoindex("v2")
    make("link del v2")
    found: list[Any] = list(nl.events(timeout=0.5))
    kinds = [event.nlmsg_name for event in found if event.ifindex == number]
    assert kinds[0] == "NETDEV_CMD_DEV_ADD_NTF"
    assert kinds[-1] == "NETDEV_CMD_DEV_DEL_NTF"
    owned.keep("netdev", "events", found)


def test_the_command_line(nl: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", "netdev.dev"]) == 0
    out = capsys.readouterr().out
    assert "v0" in out and "basic" in out.lower()
    assert main(["dump", "netdev.queue", "--ifindex", "v0", "--json"]) == 0
    assert "NETDEV_QUEUE_TYPE_TX" in capsys.readouterr().out


WRONG: Any = netdev  # what a type checker would refuse
CALLS: list[tuple[Any, str]] = [
    (lambda: WRONG.device(None), r"netdev\.device\.dev: expected the name of a link"),
    (lambda: WRONG.device(0), "expected the name of a link"),
    (lambda: WRONG.queues("x" * 16), "at most 15 fit"),
    (lambda: WRONG.queues(True), "expected the name of a link"),
    (lambda: WRONG.napis(1.5), "expected the name of a link"),
    (lambda: WRONG.napis(name="v0"), "no parameter 'name'"),
    (lambda: WRONG.set_napi(1), "needs something to change; it accepts: defer_hard_irqs"),
    (lambda: WRONG.set_napi("v0", threaded=1), "an int from 0"),
    (lambda: WRONG.set_napi(None, threaded=1), "an int from 0"),
    (lambda: WRONG.set_napi(1, defer_hard_irqs=-1), "an int from 0"),
    (lambda: WRONG.set_napi(1, defer_hard_irqs=1 << 31), "an int from 0 to 2147483647"),
    (lambda: WRONG.set_napi(1, gro_flush_timeout=1 << 64), "an int from 0"),
    (lambda: WRONG.set_napi(1, threaded="on"), "unknown name 'on'"),
    (lambda: WRONG.queue_stats(per_queue=1), "True or False"),
    (lambda: WRONG.queue_stats("v0", True), "takes from 0 to 1 positional|takes from"),
    (lambda: WRONG.page_pools(-1), "expected the name of a link"),
    (lambda: WRONG.bind(1, 3, []), "expected a non-empty list of numbers"),
    (lambda: WRONG.bind(1, 3, 0), "expected a non-empty list of numbers"),
    (lambda: WRONG.bind(1, 3, ["rx"]), r"queues\[0\]: expected an int"),
    (lambda: WRONG.bind(1, None, [1]), r"netdev\.bind\.fd: expected an int"),
    (lambda: WRONG.bind(1, -1, [1]), r"netdev\.bind\.fd: expected an int"),
]


@pytest.mark.parametrize("call, text", CALLS, ids=[text for _, text in CALLS])
def test_wrong_calls(call: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        next(call().steps())
