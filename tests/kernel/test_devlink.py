"""devlink on simulated devices (netdevsim), next to `devlink -j`.

NETLINK_NETDEVSIM names the module, if the kernel does not have it (tools/netdevsim.py builds it).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, KernelError
from netlink.generic import devlink
from netlink.generic.devlink import DEVLINK_PARAM_CMODE, DEVLINK_PORT_FLAVOUR, Devlink
from tests import owned

BUS = Path("/sys/bus/netdevsim")
DEV = "netdevsim/netdevsim7"


def shown(*words: str) -> Any:
    """Return what devlink(8) prints, as JSON."""
    done = subprocess.run(["devlink", "-j", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def nl() -> Iterator[Connection]:
    if not BUS.exists():
        module = os.environ.get("NETLINK_NETDEVSIM")
        if module is None:
            pytest.skip("the kernel lacks netdevsim, and NETLINK_NETDEVSIM names no module")
        for needed in ("psample", "macsec"):
            subprocess.run(["modprobe", needed], check=False)
        subprocess.run(["insmod", module], check=True)
    if shutil.which("devlink") is None:
        pytest.skip("there is no devlink(8)")
    (BUS / "new_device").write_text("7 2")
    try:
        with Connection(devlink.FAMILY, timeout=60) as connection:
            yield connection
    finally:
        (BUS / "del_device").write_text("7")


def test_devices_and_ports(nl: Connection) -> None:
    """Fact: Request and reply numbers differ (get 1 -> 3, port 5 -> 7); handle filters."""
    [device] = nl.do(devlink.devices())
    assert (device.bus_name, device.dev_name) == ("netdevsim", "netdevsim7")
    assert device.nlmsg_name == "DEVLINK_CMD_NEW"
    assert f"{device.bus_name}/{device.dev_name}" in shown("dev", "show")["dev"]
    ports = nl.do(devlink.ports(DEV))
    theirs = shown("port", "show")["port"]
    assert {f"{DEV}/{port.port_index}" for port in ports} == {*theirs}
    for port in ports:
        other = theirs[f"{DEV}/{port.port_index}"]
        assert port.port_netdev_name == other["netdev"]
        assert port.port_flavour == DEVLINK_PORT_FLAVOUR.DEVLINK_PORT_FLAVOUR_PHYSICAL
        assert port.port_number == other["port"]
    assert nl.do(devlink.ports())[0].same_as(ports[0])
    one = nl.do(devlink.port_get(bus_name="netdevsim", dev_name="netdevsim7", port_index=0))
    assert one.port_index == 0 and one.nlmsg_name == "DEVLINK_CMD_PORT_NEW"
    info = nl.do(devlink.info(DEV))
    assert info.info_driver_name == shown("dev", "info", DEV)["info"][DEV]["driver"]
    owned.keep("devlink", "devices", [device, *ports, info])


def test_parameters(nl: Connection) -> None:
    """Fact: bool: DATA present = true, absent = false; setting: PARAM_TYPE given too, bool false =
    no DATA."""

    def theirs() -> dict[str, Any]:
        listed = shown("dev", "param", "show")["param"][DEV]
        return {
            each["name"]: {value["cmode"]: value["value"] for value in each["values"]}
            for each in listed
        }

    def ours() -> dict[str, Any]:
        return {
            str(each.name): {
                str(mode).rpartition("_")[2].lower(): value for mode, value in each.values.items()
            }
            for each in nl.do(devlink.params(DEV))
        }

    assert ours() == theirs()
    assert isinstance(ours()["test1"]["driverinit"], bool)
    assert isinstance(ours()["max_macs"]["driverinit"], int)
    for name, value in (("max_macs", 16), ("test1", False), ("test1", True)):
        nl.do(devlink.set_param(DEV, name, value, "driverinit"))
        assert ours()[name]["driverinit"] == value
        assert ours() == theirs()
    wrong: Any
    for name, wrong in (
        ("max_macs", "16"),
        ("max_macs", True),
        ("test1", 1),
        ("max_macs", 1 << 32),
    ):
        with pytest.raises(ValueError, match="value"):
            nl.do(devlink.set_param(DEV, name, wrong, "driverinit"))
    with pytest.raises(KernelError, match="set_param"):
        nl.do(devlink.set_param(DEV, "none", 1))
    mode = DEVLINK_PARAM_CMODE.DEVLINK_PARAM_CMODE_DRIVERINIT
    raw = nl.dump(devlink.param_get(bus_name="netdevsim", dev_name="netdevsim7")).all()
    assert any(
        value.param_value_cmode == mode
        for each in raw
        if each.param and each.param.param_values_list
        for value in each.param.param_values_list.param_value
    )
    owned.keep("devlink", "parameters", raw)


ENDLESS = (1 << 64) - 1


def test_resources(nl: Connection) -> None:
    """Fact: nested RESOURCE_LIST{RESOURCE{..., RESOURCE_LIST}} recursive; sizes u64. A `do`
    answered by several messages and a DONE without errno payload, then the ACK."""

    def ours(resource: Any) -> Any:
        below = resource.resource_list
        return {
            "name": resource.resource_name,
            "size": "unlimited" if resource.resource_size == ENDLESS else resource.resource_size,
            "resources": [] if below is None else [ours(each) for each in below.resource],
        }

    def theirs(resource: Any) -> Any:
        return {
            "name": resource["name"],
            "size": resource["size"],
            "resources": [theirs(each) for each in resource.get("resources", [])],
        }

    found = nl.do(devlink.resources(DEV))
    assert [ours(each) for each in found] == [
        theirs(each) for each in shown("resource", "show", DEV)["resources"][DEV]
    ]
    assert {each.resource_name for each in found} >= {"IPv4", "IPv6"}


def test_health(nl: Connection) -> None:
    """Fact: flat list of flag attributes OBJ_START 107, PAIR 108, ARR 109, END 110, NAME 111, TYPE
    112, DATA 113; binary is an array of one; TYPE 11 binary -> list of bytes in `devlink -j`."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items()}
        if isinstance(value, list):
            return [plain(each) for each in value]
        return [*value] if isinstance(value, bytes) else value

    names = {str(each.health_reporter.health_reporter_name) for each in nl.do(devlink.reporters())
             if each.health_reporter is not None}  # fmt: skip
    listed = shown("health", "show")["health"][DEV]
    assert names == {each["reporter"] for each in listed}
    said = nl.do(devlink.diagnose(DEV, "dummy"))
    theirs = shown("health", "diagnose", DEV, "reporter", "dummy")
    # The bytes are random. The driver ends its object too early, and devlink(8) stops there.
    assert theirs.pop("test_binary") and {*theirs} > {"test_bool", "test_string", "test_nest"}
    assert {name: plain(said[name]) for name in theirs} == theirs
    assert said["test_bool"] is True and isinstance(said["test_binary"], bytes)
    assert said["test_u32_array"] == [*range(10)]
    assert said["test_array_of_objects"][3]["in_array_nested_test_u8"] == 3
    debug = Path("/sys/kernel/debug/netdevsim/netdevsim7/health")
    (debug / "break_health").write_text("broken by a test")
    dump = nl.do(devlink.health_dump(DEV, "dummy"))
    theirs = shown("health", "dump", "show", DEV, "reporter", "dummy")
    assert {name: plain(dump[name]) for name in theirs} == theirs  # one record: the same bytes
    with pytest.raises(KernelError, match="diagnose"):
        nl.do(devlink.diagnose(DEV, "none"))


def test_regions(nl: Connection) -> None:
    """Fact: CHUNKS{CHUNK{DATA 256 bytes, ADDR u64}} per message, range by CHUNK_ADDR+LEN."""
    debug = Path("/sys/kernel/debug/netdevsim/netdevsim7")
    (debug / "take_snapshot").write_text("1")
    [region] = nl.do(devlink.regions(DEV))
    assert region.region_name == "dummy"
    assert region.region_snapshots is not None
    number = region.region_snapshots.region_snapshot[0].region_snapshot_id
    assert number is not None
    data = nl.do(devlink.read_region(DEV, "dummy", number))
    assert len(data) == region.region_size == 32 * 1024
    part = nl.do(devlink.read_region(DEV, "dummy", number, address=300, length=1000))
    assert part == data[300:1300]
    dumped = shown("region", "read", f"{DEV}/dummy", "snapshot", str(number), "address", "0",
                   "length", "16")  # fmt: skip
    text = json.dumps(dumped)
    assert all(str(byte) in text for byte in data[:16])
    nl.do(devlink.region_del(bus_name="netdevsim", dev_name="netdevsim7", region_name="dummy",
                             region_snapshot_id=number))  # fmt: skip
    with pytest.raises(KernelError, match="read_region"):
        nl.do(devlink.read_region(DEV, "dummy", number))


def test_traps(nl: Connection) -> None:
    """Fact: name, type/action u8, group, metadata nest of flags from 0, stats nest from 0."""
    found = {str(each.trap_name): each for each in nl.do(devlink.traps(DEV))}
    theirs = {each["name"]: each for each in shown("trap", "show")["trap"][DEV]}
    assert found.keys() == theirs.keys()
    for name, trap in found.items():
        other = theirs[name]
        assert str(trap.trap_action).rpartition("_")[2].lower() == other["action"]
        assert str(trap.trap_type).rpartition("_")[2].lower() == other["type"]
        assert trap.trap_group_name == other["group"]
        assert trap.stats is not None and trap.stats.rx_packets is not None
        assert trap.trap_metadata is not None
        assert trap.trap_metadata.in_port
    changeable = next(
        n for n, each in found.items() if each.trap_type == 0 and not each.trap_action
    )
    nl.do(devlink.set_trap(DEV, changeable, "trap"))
    [now] = [each for each in nl.do(devlink.traps(DEV)) if each.trap_name == changeable]
    assert str(now.trap_action) == "DEVLINK_TRAP_ACTION_TRAP"


def test_switch_and_rates(nl: Connection) -> None:
    """Fact: RATE_TYPE u16 0 leaf/1 node, leaf has port-index, node has node-name, tx_max B/s
    (verified with switchdev + VFs)."""
    numvfs = Path("/sys/bus/netdevsim/devices/netdevsim7/sriov_numvfs")
    numvfs.write_text("2")
    assert str(nl.do(devlink.eswitch(DEV)).eswitch_mode) == "DEVLINK_ESWITCH_MODE_LEGACY"
    nl.do(devlink.set_eswitch(DEV, mode="switchdev"))
    assert str(nl.do(devlink.eswitch(DEV)).eswitch_mode) == "DEVLINK_ESWITCH_MODE_SWITCHDEV"
    handle = {"bus_name": "netdevsim", "dev_name": "netdevsim7"}
    nl.do(devlink.rate_new(**handle, rate_node_name="group", rate_tx_max=125_000))
    leaves = [each for each in nl.do(devlink.rates(DEV)) if each.port_index is not None]
    assert len(leaves) == 2
    nl.do(devlink.rate_set(**handle, port_index=leaves[0].port_index,
                           rate_parent_node_name="group"))  # fmt: skip
    found = nl.do(devlink.rates(DEV))
    [node] = [each for each in found if each.rate_node_name == "group"]
    assert node.rate_tx_max == 125_000 and str(node.rate_type) == "DEVLINK_RATE_TYPE_NODE"
    assert [each.rate_parent_node_name for each in found if each.port_index is not None].count(
        "group"
    ) == 1
    theirs = shown("port", "function", "rate", "show")["rate"]
    assert f"{DEV}/group" in theirs


def test_flash_and_reload(nl: Connection) -> None:
    """Fact: do blocks until finished, acked; STATUS/END events (cmd 59/60: on group config)."""
    firmware = Path("/lib/firmware/netdevsim-test.bin")
    firmware.parent.mkdir(parents=True, exist_ok=True)
    firmware.write_bytes(b"firmware")
    with Connection(devlink.FAMILY, timeout=60) as listener:
        listener.join("config")
        nl.do(devlink.flash(DEV, firmware.name))
        events = [each for each in listener.events(timeout=2) if isinstance(each, Devlink)]
    names = [str(each.nlmsg_name) for each in events]
    assert "DEVLINK_CMD_FLASH_UPDATE_STATUS" in names
    kinds = ("", "_STATUS", "_END")
    assert {*names} <= {f"DEVLINK_CMD_FLASH_UPDATE{kind}" for kind in kinds}
    assert any("Flash" in str(each.flash_update_status_msg) for each in events)
    done = nl.do(devlink.restart(DEV))
    assert "DRIVER_REINIT" in str(done)
    done = nl.do(devlink.restart(DEV, action="driver_reinit"))
    assert "DRIVER_REINIT" in str(done)
    assert nl.do(devlink.ports(DEV))


def test_errors(nl: Connection) -> None:
    with pytest.raises(KernelError, match=r"info.*ENODEV"):
        nl.do(devlink.info("netdevsim/none"))
    with pytest.raises(KernelError, match="selftests"):
        nl.do(devlink.selftests(DEV))
