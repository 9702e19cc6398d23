"""ethtool and netdev on simulated devices, which can do more than veth, next to ethtool(8).

The module netdevsim must be loaded. If a distribution lacks it, copy drivers/net/netdevsim of the
kernel's source, and build it: `make -C /lib/modules/RELEASE/build M=COPY CONFIG_NETDEVSIM=m`.
"""

from __future__ import annotations

import errno
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, KernelError
from netlink.generic import ethtool, netdev
from netlink.generic.ethtool import messages
from netlink.generic.ethtool.messages import ETHTOOL_UDP_TUNNEL_TYPE
from netlink.generic.netdev import NETDEV_QUEUE_TYPE
from tests import owned
from tests.kernel.scene import make

BUS = Path("/sys/bus/netdevsim")
DEBUG = Path("/sys/kernel/debug/netdevsim")
NUMBER = 4242


@pytest.fixture
def sim(machine_root: None) -> Iterator[str]:
    """The name of a simulated device with four queues, which is up."""
    if not BUS.is_dir():
        pytest.skip("the module netdevsim is not loaded")
    before = {name for _, name in socket.if_nameindex()}
    (BUS / "new_device").write_text(f"{NUMBER} 1 4")
    try:
        # sysfs shows devices of the namespace in which it was mounted.
        (name,) = {name for _, name in socket.if_nameindex()} - before
        make(f"link set {name} up")
        yield name
    finally:
        (BUS / "del_device").write_text(str(NUMBER))


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(ethtool.FAMILY, timeout=30) as connection:
        yield connection


@pytest.fixture
def devices() -> Iterator[Connection]:
    with Connection(netdev.FAMILY, timeout=30) as connection:
        yield connection


def shown(*words: str) -> dict[str, str]:
    """Return the lines `word: value` that ethtool(8) prints; of equal words the last."""
    done = subprocess.run(["ethtool", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^[ \t]*([\w/ -]+):[ \t]*(.*?)[ \t]*$", done.stdout, re.MULTILINE)
    return dict(lines)


def test_rings(nl: Connection, sim: str) -> None:
    nl.do(ethtool.set_rings(sim, rx=64, tx=128, rx_mini=8))
    found = nl.do(ethtool.rings(sim))
    theirs = shown("-g", sim)
    assert (found.rx, found.tx, found.rx_mini, found.rx_max) == (64, 128, 8, 4096)
    assert (theirs["RX"], theirs["TX"], theirs["RX Mini"]) == ("64", "128", "8")
    owned.keep("ethtool", "rings of netdevsim", [found])
    with pytest.raises(KernelError, match="exceeds maximum") as caught:
        nl.do(ethtool.set_rings(sim, rx=4097))
    assert caught.value.path == "rx"


def test_channels(nl: Connection, sim: str) -> None:
    nl.do(ethtool.set_channels(sim, combined=2))
    found = nl.do(ethtool.channels(sim))
    assert (found.combined_count, found.combined_max) == (2, 4)
    assert shown("-l", sim)["Combined"] == "2"


def test_coalesce(nl: Connection, sim: str) -> None:
    nl.join("monitor")
    with Connection(ethtool.FAMILY, timeout=30) as other:
        other.do(ethtool.set_coalesce(sim, rx_usecs=7, use_adaptive_rx=True, tx_max_frames=3))
    found = nl.do(ethtool.coalesce(sim))
    assert (found.rx_usecs, found.use_adaptive_rx, found.tx_max_frames) == (7, 1, 3)
    theirs = shown("-c", sim)
    assert (theirs["rx-usecs"], theirs["tx-frames"]) == ("7", "3")
    (event,) = nl.events(timeout=1)
    assert isinstance(event, messages.Coalesce)
    assert event.nlmsg_name == "ETHTOOL_MSG_COALESCE_NTF"
    assert event.rx_usecs == 7
    owned.keep("ethtool", "coalescing of netdevsim", [found, event])


def test_pause(nl: Connection, sim: str) -> None:
    """Fact: pause stats nests: u64, ~0 = not set, left out."""
    nl.do(ethtool.set_pause(sim, rx=True, tx=False))
    found = nl.do(ethtool.pause(sim))
    assert (found.rx, found.tx, found.stats) == (1, 0, None)
    theirs = shown("-a", sim)
    assert (theirs["RX"], theirs["TX"]) == ("on", "off")
    for name in ("report_stats_rx", "report_stats_tx"):
        path = DEBUG / f"netdevsim{NUMBER}/ports/0/ethtool/pause/{name}"
        if path.exists():
            path.write_text("Y")
    counted = nl.do(ethtool.pause(sim, stats=True))
    assert counted.stats is not None
    assert counted.stats.rx_frames is not None
    theirs = shown("-I", "-a", sim)
    assert theirs["rx_pause_frames"] == str(counted.stats.rx_frames)
    assert theirs["tx_pause_frames"] == str(counted.stats.tx_frames)
    owned.keep("ethtool", "flow control of netdevsim", [counted])


def test_fec(nl: Connection, sim: str) -> None:
    """Fact: FEC_STAT arrays of u64 (total then per lane) as binary sub-type u64."""
    nl.do(ethtool.set_fec(sim, modes=["RS"]))
    found = nl.do(ethtool.fec(sim, stats=True))
    assert found.modes is not None and found.modes.on() == ("RS",)
    assert shown("--show-fec", sim)["Supported/Configured FEC encodings"] == "RS"
    assert found.stats is not None
    theirs = shown("-I", "--show-fec", sim)
    assert theirs["corrected_blocks"] == str(found.stats.corrected[0])
    assert theirs["uncorrectable_blocks"] == str(found.stats.uncorr[0])
    owned.keep("ethtool", "error correction of netdevsim", [found])


def test_tunnels(nl: Connection, sim: str) -> None:
    make("link add vx0 type vxlan id 5 dstport 4789 dev " + sim)
    make("link set vx0 up")
    found = nl.do(ethtool.tunnels(sim))
    assert found.udp_ports is not None
    kinds = [table.types.on() for table in found.udp_ports.table if table.types]
    assert kinds == [("vxlan",), ("geneve", "vxlan-gpe")]
    entries = [entry for table in found.udp_ports.table for entry in table.entry]
    assert {(entry.port, entry.type) for entry in entries} == {
        (4789, ETHTOOL_UDP_TUNNEL_TYPE.ETHTOOL_UDP_TUNNEL_TYPE_VXLAN)
    }
    owned.keep("ethtool", "tunnels of netdevsim", [found])


def test_errors_of_the_driver(nl: Connection, sim: str) -> None:
    path = DEBUG / f"netdevsim{NUMBER}/ports/0/ethtool/set_err"
    if not path.exists():
        pytest.skip("debugfs has no errors to inject")
    path.write_text("95")
    with pytest.raises(KernelError, match=r"ethtool\.set_fec: ") as caught:
        nl.do(ethtool.set_fec(sim, modes=["RS"]))
    assert caught.value.errno == errno.EOPNOTSUPP


def test_queues_and_napi(nl: Connection, devices: Connection, sim: str) -> None:
    nl.do(ethtool.set_channels(sim, combined=3))
    found = devices.do(netdev.queues(sim))
    rx = NETDEV_QUEUE_TYPE.NETDEV_QUEUE_TYPE_RX
    assert [queue.id for queue in found if queue.type == rx] == [0, 1, 2]
    instances = {napi.id for napi in devices.do(netdev.napis(sim))}
    assert {queue.napi_id for queue in found if queue.type == rx} <= instances


def test_page_pools(devices: Connection, sim: str) -> None:
    """Fact: page-pool id u32 in uint; add/del/change notifications in mgmt."""
    found = devices.do(netdev.page_pools(sim))
    assert len(found) == 4
    index = devices.do(netdev.device(sim)).ifindex
    assert {pool.ifindex for pool in found} == {index}
    assert all(pool.id and pool.inflight == 0 and pool.unknown == () for pool in found)
    one = devices.do(netdev.page_pool_get(id=found[0].id))
    assert one == found[0]
    owned.keep("netdev", "page pools of netdevsim", found)
    devices.join("page-pool")
    make(f"link set {sim} down")
    events: list[Any] = list(devices.events(timeout=1))
    names = [event.nlmsg_name for event in events]
    assert names.count("NETDEV_CMD_PAGE_POOL_DEL_NTF") == 4
    assert {event.id for event in events} == {pool.id for pool in found}
    owned.keep("netdev", "page pools that disappear", events)


def test_statistics_of_queues(devices: Connection, sim: str) -> None:
    (whole,) = devices.do(netdev.queue_stats(sim))
    assert whole.queue_id is None and whole.rx_packets is not None
    each = devices.do(netdev.queue_stats(sim, per_queue=True))
    tx = NETDEV_QUEUE_TYPE.NETDEV_QUEUE_TYPE_TX
    assert {one.queue_id for one in each if one.queue_type == tx} == {0, 1, 2, 3}
    assert all(one.unknown == () for one in each)
    owned.keep("netdev", "statistics of queues of netdevsim", each)
