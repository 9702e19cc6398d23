"""Links, with bytes only: hardware attributes, and the choice of the classes of nests."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import netlink
from netlink import EncodeError, Message
from netlink.constants import AF
from netlink.route import link
from netlink.route.afspec import AfSpec, Inet6
from netlink.route.bridgespec import BridgeSpec
from netlink.route.link import Link, kinds
from netlink.route.link.kinds.bridge import BridgePort
from netlink.route.link.kinds.can import Can, can_device_stats
from netlink.route.link.kinds.vlan import Vlan
from netlink.route.link.linkinfo import LinkInfo
from netlink.schema import Lazy

NLA_F_NESTED = 0x80  # the high byte: older iproute2 sends it with few attributes

# Words after `ip link set lo vf 3` (iproute2 6.1, seen by strace), the content of IFLA_VF_INFO, and
# the attributes that are sent.
VF = (
    (
        "mac 02:00:00:00:00:01",
        {"mac": {"vf": 3, "mac": "02:00:00:00:00:01"}},
        "300016002c000100280001000300000002000000000100000000000000000000"
        "00000000000000000000000000000000",
    ),
    (
        "vlan 5 qos 2",
        {"vlan": {"vf": 3, "vlan": 5, "qos": 2}},
        "180016001400010010000200030000000500000002000000",
    ),
    (
        "vlan 5 qos 2 proto 802.1ad",
        {"vlan_list": {"info": [{"vf": 3, "vlan": 5, "qos": 2, "vlan_proto": "ETH_P_8021AD"}]}},
        "200016001c00010018000c001400010003000000050000000200000088a80000",
    ),
    (
        "max_tx_rate 100 min_tx_rate 50",
        {"rate": {"vf": 3, "min_tx_rate": 50, "max_tx_rate": 100}},
        "180016001400010010000600030000003200000064000000",
    ),
    (
        "state disable",
        {"link_state": {"vf": 3, "link_state": "IFLA_VF_LINK_STATE_DISABLE"}},
        "14001600100001000c0005000300000002000000",
    ),
    (
        "trust on",
        {"trust": {"vf": 3, "setting": 1}},
        "14001600100001000c0009000300000001000000",
    ),
    (
        "node_guid 00:11:22:33:44:55:66:77",
        {"ib_node_guid": {"vf": 3, "guid": 0x0011223344556677}},
        "1c0016001800010014000a0003000000000000007766554433221100",
    ),
)


@pytest.mark.parametrize(("words", "info", "sent"), VF, ids=[words for words, _, _ in VF])
def test_virtual_functions(words: str, info: dict[str, Any], sent: str) -> None:
    ours = bytearray(bytes(Link(vfinfo_list={"info": [info]}))[16:])
    for place in (3, 7, 11) if "vlan_list" in info else (3, 7):
        ours[place] &= ~NLA_F_NESTED
    assert ours.hex() == sent
    functions = Link.from_bytes(bytes(16) + bytes.fromhex(sent)).vfinfo_list
    assert functions is not None
    (seen,) = functions.to_json()["info"]
    (name,) = info
    if name == "mac":  # 32 bytes, of which the link's own length counts
        seen["mac"]["mac"] = seen["mac"]["mac"][:17]
    assert seen == info


def test_kind_chooses() -> None:
    """The kind of the link selects the classes of its data and counters, which are else bytes."""
    info = LinkInfo(kind="can", data={"restart_ms": 100}, xstats={"bus_off": 3})
    again = LinkInfo.from_bytes(bytes(info))
    assert isinstance(again.data, Can)
    assert again.data.restart_ms == 100
    assert isinstance(again.xstats, can_device_stats)
    assert again.xstats.bus_off == 3
    assert LinkInfo(kind="another", data=b"1234", xstats=b"5678").data == b"1234"
    with pytest.raises(EncodeError, match="no type is declared for kind 'another'"):
        LinkInfo(kind="another", data={})


def test_family_chooses() -> None:
    """The family in the header selects the classes of IFLA_PROTINFO and IFLA_AF_SPEC."""
    port = Link(family=AF.AF_BRIDGE, protinfo={"cost": 5}, af_spec={"vlan_info": [{"vid": 7}]})
    again = Link.from_bytes(bytes(port))
    assert isinstance(again.protinfo, BridgePort)
    assert isinstance(again.af_spec, BridgeSpec)
    assert [entry.vid for entry in again.af_spec.vlan_info] == [7]
    assert isinstance(Link(family=AF.AF_INET6, protinfo={"ra_mtu": 1400}).protinfo, Inet6)
    assert isinstance(Link(af_spec={"mctp": {"net": 1}}).af_spec, AfSpec)


# --- what is imported when ------------------------------------------------------------------------


def loaded_by(script: str) -> set[str]:
    """Return the modules of the route family that a new interpreter loads for a script."""
    script += "\nimport sys\nprint(*(m for m in sys.modules if m.startswith('netlink.route.')))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(netlink.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.removeprefix("netlink.route.") for name in done.stdout.split()}


LINK = {
    "link", "link.kinds", "link.linkinfo", "afspec", "ether", "rtnetlink",
}  # fmt: skip


def test_links_load_no_kind_and_nothing_of_bridges() -> None:
    assert loaded_by("from netlink.route import link") == LINK


def test_a_link_loads_its_own_kind() -> None:
    data = bytes(link.Link(linkinfo={"kind": "vlan", "data": {"id": 7}}))
    read = (
        "from netlink.route import link\n"
        f"found = link.Link.from_bytes({data!r})\n"
        "assert found.linkinfo.data.id == 7"
    )
    assert loaded_by(read) == LINK | {"link.kinds.vlan"}
    write = "from netlink.route import link\nlink.new(linkinfo={'kind': 'dummy', 'data': b''})"
    assert loaded_by(write) == LINK
    port = bytes(link.Link(family=AF.AF_BRIDGE, protinfo={"state": 3}, af_spec={"flags": 1}))
    read = (
        "from netlink.route import link\n"
        f"found = link.Link.from_bytes({port!r})\n"
        "assert found.protinfo.state == 3 and found.af_spec.flags == 1"
    )
    assert loaded_by(read) == LINK | {"link.kinds.bridge", "bridgespec"}


def test_classes_of_bridges_are_names_of_link_too() -> None:
    names = vars(link) | {name: getattr(link, name) for name in ("BridgePort", "BridgeSpec")}
    assert names["BridgePort"] is BridgePort
    assert names["BridgeSpec"] is BridgeSpec
    with pytest.raises(AttributeError, match=r"module 'netlink\.route\.link' has no attribute 'Z'"):
        getattr(link, "Z")  # noqa: B009


def test_kinds_are_files_by_name() -> None:
    """Each kind has a class, in a file with its name or with that of the first similar kind."""
    files = {path.stem for path in Path(kinds.__file__).parent.glob("*.py")} - {"__init__"}
    used = set()
    for table in (kinds.KINDS, kinds.SLAVE_KINDS, kinds.XSTATS):
        for cls in table.values():
            assert issubclass(cls, Message)
            used.add(cls.__module__.rpartition(".")[2])
    assert used == files
    assert files <= {*kinds.KINDS}
    for kind, cls in kinds.KINDS.items():
        assert kind not in files or cls.__module__ == f"netlink.route.link.kinds.{kind}"


def test_choices_that_are_imported_when_they_are_needed() -> None:
    package = "netlink.route.link.kinds"
    choices = Lazy(package, {"vlan": "vlan.Vlan", "other": Link, "bad": "vlan.Vlann", "no": "x.Y"})
    assert len(choices) == 4 and [*choices] == ["vlan", "other", "bad", "no"]
    assert "vlan" in choices and "vlann" not in choices
    assert choices.get("vlann") is None and choices.get("vlann", Link) is Link
    assert choices.get("vlan") is choices["vlan"] is Vlan
    assert choices["other"] is Link
    with pytest.raises(KeyError):
        choices["vlann"]
    with pytest.raises(AttributeError):
        choices.get("bad")
    with pytest.raises(ModuleNotFoundError):
        choices["no"]
    assert (
        repr(Lazy(package, {"vlan": "vlan.Vlan"})) == f"Lazy({package!r}, {{'vlan': 'vlan.Vlan'}})"
    )
