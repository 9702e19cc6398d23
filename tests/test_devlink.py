"""devlink with bytes: parameters by type, formatted messages, regions, resources; and wrong calls.

tests/captures/devlink.jsonl has messages of simulated devices. tests/kernel/test_devlink.py has the
tests with a kernel.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any

import pytest

from netlink import EncodeError, KernelError, NetlinkError
from netlink.family import Plan
from netlink.generic import devlink
from netlink.generic.devlink import (
    DEVLINK_CMD,
    DEVLINK_SELFTEST_STATUS,
    DEVLINK_VAR_ATTR_TYPE,
    RELOAD_ACTIONS,
    Devlink,
    Param,
)
from tests import owned, ynl_client
from tests.peers import PEERS
from tests.steps import Kernel
from tools import outside

from . import wire

DEV = "netdevsim/netdevsim1"


def param(kind: str, *values: Any) -> Devlink:
    """Return the answer about a parameter, with a value for each cmode."""
    listed = [{"param_value_cmode": mode, "param_value_data": v} for mode, v in enumerate(values)]
    body = wire.attribute(81, b"test\0") + wire.attribute(83, bytes([TYPES[kind]]))
    data = b""
    for each in listed:
        value = each["param_value_data"]
        inside = b"" if value is None else wire.attribute(86, value)
        data += wire.attribute(85, inside + wire.attribute(87, bytes([each["param_value_cmode"]])))
    return Devlink(param=Param.from_bytes(body + wire.attribute(84, data)))


TYPES = {"u8": 1, "u16": 2, "u32": 3, "u64": 4, "string": 5, "flag": 6, "nul_string": 10}


@pytest.mark.parametrize(
    "kind, payload, value",
    [
        ("u8", b"\x07", 7),
        ("u16", struct.pack("=H", 700), 700),
        ("u32", struct.pack("=I", 70000), 70000),
        ("u64", struct.pack("=Q", 1 << 40), 1 << 40),
        ("nul_string", b"text\0", "text"),
        ("flag", b"", True),
        ("flag", None, False),
    ],
)
def test_parameters(kind: str, payload: bytes | None, value: Any) -> None:
    """Fact: PARAM{NAME, GENERIC flag, TYPE u8 (NLA_* numbers: U8 1, U16 2, U32 3, NUL_STRING 10,
    FLAG 6), VALUES_LIST{VALUE{CMODE u8, DATA typed}}}; lists repeat VALUE per cmode."""
    answer = param(kind, payload, payload)
    [found] = Kernel([answer]).do(devlink.params(DEV))
    assert found.name == "test" and found.type == TYPES[kind]
    assert [*found.values.values()] == [value, value]
    assert [int(mode) for mode in found.values] == [0, 1]


def test_set_a_parameter() -> None:
    """Fact: PARAM_VALUE_DATA by TYPE, PARAM_TYPE given too, bool false = no DATA."""
    kernel = Kernel(param("u32", b"\0\0\0\0"), None)
    kernel.do(devlink.set_param(DEV, "max_macs", 16, "driverinit"))
    asked = kernel.steps[1].message
    assert (asked.bus_name, asked.dev_name, asked.param_name) == (*DEV.split("/"), "max_macs")
    assert asked.param_value_data == 16
    assert asked.param_type == DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_U32
    for value in (True, False):
        kernel = Kernel(param("flag", b""), None)
        kernel.do(devlink.set_param(DEV, "test1", value))
        numbers = {number for _, number, _ in kernel.steps[1].message.attributes()}
        assert (86 in numbers) is value
    kernel = Kernel(param("nul_string", b"a\0"), None)
    kernel.do(devlink.set_param(DEV, "name", "b"))
    assert kernel.steps[1].message.param_value_data == "b"
    wrong: Any
    for kind, wrong in (
        ("u8", 256), ("u8", "1"), ("u8", True), ("flag", 1), ("flag", "on"), ("nul_string", 5),
        ("u32", -1), ("u8", None), ("u8", 1.5),
    ):  # fmt: skip
        with pytest.raises((EncodeError, TypeError), match=r"value|param"):
            Kernel(param(kind, b"\0\0\0\0"), None).do(devlink.set_param(DEV, "x", wrong))


START, PAIR, ARRAY, END = (wire.attribute(number, b"") for number in (107, 108, 109, 110))


def name(text: str) -> bytes:
    return wire.attribute(111, text.encode() + b"\0")


def value(kind: int, payload: bytes) -> bytes:
    return wire.attribute(112, bytes([kind])) + wire.attribute(113, payload)


def pair(text: str, inside: bytes) -> bytes:
    return PAIR + name(text) + inside + END


def answers(*parts: bytes) -> list[Devlink]:
    return [Devlink.from_bytes(wire.attribute(106, part)) for part in parts]


FORMATTED = (
    START
    + pair("up", value(6, b"\x01"))
    + pair("down", value(6, b"\0"))
    + pair("n8", value(1, b"\x07"))
    + pair("n32", value(3, struct.pack("=I", 9)))
    + pair("n64", value(4, struct.pack("=Q", 1 << 33)))
    + pair("text", value(10, b"hello\0"))
    + pair("list", ARRAY + value(3, struct.pack("=I", 1)) + value(3, struct.pack("=I", 2)) + END)
    + pair("bytes", ARRAY + value(11, b"ab") + value(11, b"cd") + END)
    + pair("inside", START + pair("x", value(1, b"\x01")) + END)
    + pair("objects", ARRAY + START + pair("y", value(1, b"\x02")) + END + END)
    + END
)
MEANING = {
    "up": True, "down": False, "n8": 7, "n32": 9, "n64": 1 << 33, "text": "hello", "list": [1, 2],
    "bytes": b"abcd", "inside": {"x": 1}, "objects": [{"y": 2}],
}  # fmt: skip


def test_formatted_messages() -> None:
    """Fact: FMSG (106): flat list; nest may break at a message boundary; order matters."""
    plan = devlink.diagnose(DEV, "dummy")
    assert Kernel(answers(FORMATTED)).do(plan) == MEANING
    size = 0
    sizes = []
    while size < len(FORMATTED):
        size += (struct.unpack_from("=H", FORMATTED, size)[0] + 3) & ~3
        sizes.append(size)
    for cut in sizes:
        assert Kernel(answers(FORMATTED[:cut], FORMATTED[cut:])).do(plan) == MEANING
        assert Kernel(answers(FORMATTED[:cut])).do(plan) is not None  # an end that was lost
    assert Kernel([]).do(plan) == []
    assert Kernel(answers(FORMATTED + pair("more", value(1, b"\x05")))).do(plan) == {
        **MEANING, "more": 5
    }  # fmt: skip
    assert Kernel(answers(pair("a", value(1, b"\x05")))).do(plan) == {"a": 5}
    assert Kernel(answers(FORMATTED)).do(devlink.health_dump(DEV, "dummy")) == MEANING


def test_hostile_formatted_messages() -> None:
    """Whatever comes, no error and no endless loop."""
    plan = devlink.diagnose(DEV, "dummy")
    for parts in (
        [END * 5], [PAIR * 300], [ARRAY * 1000], [name("lost")], [value(1, b"")],
        [wire.attribute(112, b"") + wire.attribute(113, b"x")], [START + value(1, b"\x01") + END],
        [START + START + END + END], [ARRAY + PAIR + END + END], [name("a") + PAIR + name("\xff")],
    ):  # fmt: skip
        Kernel(answers(*parts)).do(plan)


def chunk(address: int, data: bytes) -> dict[str, Any]:
    return {"region_chunk_addr": address, "region_chunk_data": data}


def test_regions() -> None:
    """Fact: plan joins by ADDR; direct flag without snapshot; final message without chunks."""
    first = Devlink(region_chunks={"region_chunk": [chunk(0, b"ab"), chunk(2, b"cd")]})
    second = Devlink(region_chunks={"region_chunk": [chunk(4, b"e")]})
    kernel = Kernel([second, first, Devlink()])
    assert kernel.do(devlink.read_region(DEV, "dummy", 1)) == b"abcde"
    assert kernel.steps[0].message.region_snapshot_id == 1
    assert not kernel.steps[0].message.region_direct
    kernel = Kernel([Devlink(region_chunks={"region_chunk": [chunk(9, b"x")]})])
    assert kernel.do(devlink.read_region(DEV, "dummy", address=9, length=1)) == b"x"
    assert kernel.steps[0].message.region_direct
    with pytest.raises(NetlinkError, match="gap at 0x2"):
        broken = Devlink(region_chunks={"region_chunk": [chunk(0, b"ab"), chunk(3, b"d")]})
        Kernel([broken]).do(devlink.read_region(DEV, "dummy", 1))


def test_resources() -> None:
    """Fact: nested RESOURCE_LIST{RESOURCE{..., RESOURCE_LIST}} recursive."""
    inside = {"resource_list": {"resource": [{"resource_name": "fib", "resource_size": 1 << 40}]}}
    one = Devlink(resource_list={"resource": [{"resource_name": "IPv4", **inside}]})
    two = Devlink(resource_list={"resource": [{"resource_name": "IPv6"}]})
    found = Kernel([one, two]).do(devlink.resources(DEV))
    assert [each.resource_name for each in found] == ["IPv4", "IPv6"]
    assert found[0].resource_list.resource[0].resource_size == 1 << 40
    assert Kernel([]).do(devlink.resources(DEV)) == ()


def test_reload_and_selftests() -> None:
    done = Devlink(reload_actions_performed=(6, 6))
    kernel = Kernel(done)
    assert kernel.do(devlink.restart(DEV, action="fw_activate", no_reset=True)) == RELOAD_ACTIONS(6)
    asked = kernel.steps[0].message
    assert asked.reload_limits == (2, 2) and asked.reload_action == 2
    assert "DRIVER_REINIT" in str(Kernel(None).do(devlink.restart(DEV)))
    results = devlink.SelftestsDone(selftests={"result": [{"id": 1, "status": 1}]})
    kernel = Kernel(results)
    assert kernel.do(devlink.run_selftests(DEV, "flash")) == {
        "flash": DEVLINK_SELFTEST_STATUS.DEVLINK_SELFTEST_STATUS_PASS
    }
    assert kernel.steps[0].message.selftests.flash
    assert Kernel(Devlink(selftests={"flash": True})).do(devlink.selftests(DEV)) == ("flash",)


def test_every_command_has_a_class() -> None:
    for command in DEVLINK_CMD:
        assert issubclass(devlink.FAMILY.classes[command], Devlink)


# --- captured messages ----------------------------------------------------------------------------

RECORDS = owned.records("devlink")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["message"])
def test_captured(record: dict[str, Any]) -> None:
    message = owned.read(devlink.FAMILY, record)
    assert message.to_json() == record["json"]
    assert not [path for path, _, _ in message.attributes() if "#" in path]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["message"])
def test_the_loader_agrees(record: dict[str, Any]) -> None:
    """Fact: devlink: dl-param lacks param-values-list(84) and value nests, param-value-data
    untyped; loader: unknown attributes survive."""
    specs = outside.specs()
    if specs is None:
        pytest.skip("NETLINK_SPECS names no folder of specs")
    loaded = ynl_client.family(specs / "devlink.yaml")
    ours = owned.read(devlink.FAMILY, record)
    theirs = loaded.message.Devlink.from_bytes(bytes(ours))
    found = [*owned.compare(ours, theirs)]
    assert [text for text in found if not text.startswith("param.84: only ours")] == []


def test_a_vector_of_another_library() -> None:
    """Fact: Request and reply numbers differ (info 51)."""
    found = [record for record in PEERS if record["id"] == "vishvananda/devlink/info"]
    if not found:
        pytest.skip("NETLINK_VECTORS names no folder of records")
    data = bytes.fromhex(found[0]["hex"])
    assert data[0] == DEVLINK_CMD.DEVLINK_CMD_INFO_GET
    info = Devlink.from_bytes(data[4:])
    assert (info.bus_name, info.dev_name, info.info_driver_name) == ("pci", "0000:84:00.0", "ice")
    assert info.info_version_running and info.unknown == ()


# --- wrong calls ----------------------------------------------------------------------------------

NO_DEV = (None, "", "eth0", "pci/", "/x", "a/b/c", 5, b"pci/x", ["pci/x"])
CALLS: tuple[tuple[str, Callable[[Any], Plan[Any]], tuple[Any, ...]], ...] = (
    *((f"devlink.{plan.__name__}.dev", plan, NO_DEV[1:]) for plan in (
        devlink.ports, devlink.reporters, devlink.regions, devlink.traps, devlink.rates)),
    *((f"devlink.{plan.__name__}.dev", plan, NO_DEV) for plan in (
        devlink.info, devlink.params, devlink.resources, devlink.eswitch, devlink.selftests,
        devlink.restart)),
    ("devlink.diagnose.reporter", lambda x: devlink.diagnose(DEV, x), (None, "", 5)),
    ("devlink.health_dump.reporter", lambda x: devlink.health_dump(DEV, x), (None, "", 5)),
    ("devlink.read_region.region", lambda x: devlink.read_region(DEV, x), (None, "", 5)),
    ("devlink.read_region.snapshot", lambda x: devlink.read_region(DEV, "r", x),
     ("1", -1, 1 << 32)),
    ("devlink.read_region", lambda x: devlink.read_region(DEV, "r", address=x), (0, 5)),
    ("devlink.read_region.length", lambda x: devlink.read_region(DEV, "r", address=0, length=x),
     (0, -1, "1")),
    ("devlink.set_trap.action", lambda x: devlink.set_trap(DEV, "t", x), ("dropp", 1.5, -1)),
    ("devlink.set_trap", lambda x: devlink.set_trap(DEV, "t", x), (None,)),
    ("devlink.set_trap.trap", lambda x: devlink.set_trap(DEV, x, "drop"), (None, "", 5)),
    ("devlink.set_eswitch", lambda x: devlink.set_eswitch(DEV, mode=x), (None,)),
    ("devlink.set_eswitch.mode", lambda x: devlink.set_eswitch(DEV, mode=x), ("swithcdev", -1)),
    ("devlink.set_param.cmode", lambda x: devlink.set_param(DEV, "p", 1, x), ("never", 1.5, -1)),
    ("devlink.set_param", lambda x: devlink.set_param(DEV, x, 1), (None, "", 5)),
    ("devlink.run_selftests.tests", lambda x: devlink.run_selftests(DEV, *x),
     ((), ("flsh",), (5,))),
    ("devlink.flash.file_name", lambda x: devlink.flash(DEV, x), (None, "", 5)),
    ("devlink.restart.action", lambda x: devlink.restart(DEV, action=x), ("restart", 1.5)),
    ("devlink.restart.no_reset", lambda x: devlink.restart(DEV, no_reset=x), (1, "yes")),
    ("devlink.restart.netns_fd", lambda x: devlink.restart(DEV, netns_fd=x), (-1, "1", True)),
)  # fmt: skip


@pytest.mark.parametrize("name, call, values", CALLS, ids=[name for name, _, _ in CALLS])
def test_wrong_values(name: str, call: Callable[[Any], Plan[Any]], values: tuple[Any, ...]) -> None:
    for value in values:
        with pytest.raises((TypeError, ValueError), match=re.escape(name)):
            pytest.fail(f"{value!r} gives {next(call(value).steps())!r}", pytrace=False)


def test_misspelt() -> None:
    with pytest.raises(TypeError, match="did you mean 'snapshot'"):
        devlink.read_region(DEV, "r", snapshto=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="bus_name"):
        devlink.get(bus_nam="pci")  # type: ignore[call-arg]
    with pytest.raises(EncodeError, match="eswitch_mode"):
        devlink.eswitch_set(eswitch_mode="swithcdev")
    with pytest.raises(KernelError):
        Kernel(KernelError(19, "no")).do(devlink.info(DEV))
