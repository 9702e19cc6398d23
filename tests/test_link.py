"""Links, with bytes only: hardware attributes, and the choice of the classes of nests."""

from typing import Any

import pytest

from netlink import EncodeError
from netlink.constants import AF
from netlink.route.afspec import AfSpec, BridgeSpec, Inet6
from netlink.route.link import Link
from netlink.route.linkinfo import BridgePort, Can, LinkInfo, can_device_stats

NLA_F_NESTED = 0x80  # the high byte: older iproute2 sends it with few attributes

# What follows `ip link set lo vf 3` (iproute2 6.1, seen by strace), what is in IFLA_VF_INFO, and
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
    """The kind of link says what the data is, and the counters; bytes where it says nothing."""
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
    """The family in the header says what IFLA_PROTINFO and IFLA_AF_SPEC are."""
    port = Link(family=AF.AF_BRIDGE, protinfo={"cost": 5}, af_spec={"vlan_info": [{"vid": 7}]})
    again = Link.from_bytes(bytes(port))
    assert isinstance(again.protinfo, BridgePort)
    assert isinstance(again.af_spec, BridgeSpec)
    assert [entry.vid for entry in again.af_spec.vlan_info] == [7]
    assert isinstance(Link(family=AF.AF_INET6, protinfo={"ra_mtu": 1400}).protinfo, Inet6)
    assert isinstance(Link(af_spec={"mctp": {"net": 1}}).af_spec, AfSpec)
