"""Device events of the live kernel, compared with udevadm and with /sys."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlink import Connection
from netlink.constants import NETLINK
from netlink.route import FAMILY as ROUTE
from netlink.route import link
from netlink.uevent import FAMILY, Uevent

PATIENCE = 20.0  # seconds
NULL = Path("/sys/devices/virtual/mem/null/uevent")
UUID = "12345678-9abc-4def-8123-456789abcdef"


@pytest.fixture
def events() -> Iterator[Connection]:
    with Connection(FAMILY, timeout=PATIENCE) as connection:
        connection.join("kernel")
        yield connection


def until(events: Connection, *wanted: str) -> list[Uevent]:
    """The events of network devices up to the one with this first text, or texts."""
    found = []
    for event in events.events(timeout=PATIENCE):
        assert isinstance(event, Uevent)
        if "/net/" in str(event.devpath) or "mem" in str(event.devpath):
            found.append(event)
        if {*wanted} <= {event.properties[""] for event in found}:
            return found
    raise AssertionError(f"{wanted} did not come")


def test_links_are_devices(events: Connection, nl: Connection) -> None:
    """Fact: group 1: "ACTION@DEVPATH\\0" then KEY=VALUE\\0..., SEQNUM last."""
    nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
    found = until(events, *(f"add@/devices/virtual/net/{name}" for name in ("v0", "v1")))
    [v0] = [event for event in found if event.properties.get("INTERFACE") == "v0"]
    assert v0.nlmsg_name == "UEVENT"
    assert (v0.action, v0.devpath, v0.subsystem) == ("add", "/devices/virtual/net/v0", "net")
    assert v0.properties["IFINDEX"] == str(nl.do(link.index_of("v0")))
    keys = [*v0.properties]
    assert (keys[0], keys[-1]) == ("", "SEQNUM")
    assert v0.seqnum == int(v0.properties["SEQNUM"]) > 0


def test_a_rename_is_a_move(events: Connection, nl: Connection) -> None:
    """Fact: Rename: move@NEW with DEVPATH_OLD."""
    nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
    nl.do(link.change("v0", name="w0"))
    moved = until(events, "move@/devices/virtual/net/w0")[-1]
    assert moved.properties["DEVPATH_OLD"] == "/devices/virtual/net/v0"


def test_udevadm_prints_the_same(events: Connection, nl: Connection) -> None:
    """Fact: udevadm prints DEVNAME with /dev/ and in its own order: compare as sets."""
    if shutil.which("udevadm") is None:
        pytest.skip("udevadm is not installed")
    with subprocess.Popen(
        ["stdbuf", "-oL", "udevadm", "monitor", "--kernel", "--property"],
        stdout=subprocess.PIPE,
        text=True,
    ) as oracle:
        try:
            assert oracle.stdout
            while not oracle.stdout.readline().startswith("KERNEL"):
                pass
            nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
            nl.do(link.remove("v0"))
            ours = [event.properties for event in until(events, "remove@/devices/virtual/net/v1")]
            theirs: list[dict[str, str]] = []
            while not theirs or theirs[-1].get("SEQNUM") != ours[-1]["SEQNUM"]:
                line = oracle.stdout.readline().rstrip("\n")
                if line.startswith("KERNEL["):
                    theirs.append({})
                elif "=" in line:
                    key, _, value = line.partition("=")
                    theirs[-1][key] = value
        finally:
            oracle.terminate()
    numbers = {said["SEQNUM"]: said for said in theirs}
    assert len(ours) >= 12
    for said in ours:
        assert {key: value for key, value in said.items() if key} == numbers[said["SEQNUM"]]


def test_a_write_to_sysfs_is_a_synthetic_event(events: Connection, machine_root: None) -> None:
    """Fact: Synthetic: write "change [UUID [KEY=VAL..]]" gives SYNTH_UUID (0 without),
    SYNTH_ARG_KEY. A bad line sends nothing: write(2) returns EINVAL."""
    if not os.access(NULL, os.W_OK):
        pytest.skip("/sys cannot be written")
    with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
        NULL.write_text("change nonsense")
    NULL.write_text(f"change {UUID} COLOUR=blue")
    NULL.write_text("change")
    made = []
    for event in events.events(timeout=PATIENCE):
        assert isinstance(event, Uevent)
        if event.devpath == "/devices/virtual/mem/null":
            made.append(event)
        if len(made) == 2:
            break
    assert made[0].properties["SYNTH_UUID"] == UUID
    assert made[0].properties["SYNTH_ARG_COLOUR"] == "blue"
    assert made[1].properties["SYNTH_UUID"] == "0"
    shown = dict(line.split("=") for line in NULL.read_text().splitlines())
    assert shown.items() <= made[1].properties.items()  # MAJOR, MINOR, DEVNAME, DEVMODE


def test_network_devices_are_seen_in_their_namespace_only(
    events: Connection, nl: Connection
) -> None:
    """Fact: Net devices: events only in their namespace. Others: in every namespace of the initial
    user namespace. SEQNUM gaps are normal in any namespace."""
    from netlink._nlsock import CLONE_NEWNET, setns, unshare

    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        unshare(CLONE_NEWNET)
        with Connection(ROUTE) as elsewhere:
            elsewhere.do(link.add("far0", "veth", {"peer": {"ifname": "far1"}}))
    finally:
        setns(home, CLONE_NEWNET)
        os.close(home)
    nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
    found = until(events, *(f"add@/devices/virtual/net/{name}" for name in ("v0", "v1")))
    assert not any("far" in str(event.devpath) for event in found)


def test_a_name_may_be_any_bytes(events: Connection, nl: Connection) -> None:
    """Fact: Interface names may be non-UTF-8: JSON must not fail."""
    name = os.fsdecode(b"v\xff")
    subprocess.run(
        [b"ip", b"link", b"add", b"v\xff", b"type", b"veth", b"peer", b"name", b"v1"], check=True
    )
    found = until(events, "add@/devices/virtual/net/v1", f"add@/devices/virtual/net/{name}")
    [event] = [event for event in found if event.properties.get("INTERFACE") == name]
    said = json.loads(json.dumps(event.to_json()))
    assert said["properties"]["INTERFACE"] == r"v\xff"
    assert os.fsencode(name) == b"v\xff"


def test_what_processes_send_is_dropped(
    events: Connection, nl: Connection, machine_root: None
) -> None:
    """Fact: Root of a namespace can fake: multicast from user space has nl_pid != 0."""
    said = b"add@/devices/fake\0ACTION=add\0DEVPATH=/devices/fake\0SUBSYSTEM=net\0SEQNUM=1\0"
    kind = NETLINK.NETLINK_KOBJECT_UEVENT
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, int(kind)) as forger:
        forger.bind((0, 0))
        forger.sendto(said, (0, 1))
    nl.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
    paths = []
    end = time.monotonic() + PATIENCE
    for event in events.events(timeout=PATIENCE):
        assert isinstance(event, Uevent)
        paths.append(event.devpath)
        if event.devpath == "/devices/virtual/net/v0" or time.monotonic() > end:
            break
    assert "/devices/fake" not in paths
    assert events.stats.strangers == 1
