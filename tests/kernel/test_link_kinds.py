"""Every kind of link that the kernel can make, both ways: what ip makes we read, and the reverse.

A row of a table is one link: what ip is told, what the library is told, and what ip must show. It
is made twice. Both times the kernel must say of it what the library said, ip must show what the
row says, and in all the rest the two must be alike. A kind that this kernel lacks is skipped with
the kernel's words: run this file where the other kinds are, too.
"""

import errno
import shutil
import subprocess
import time
from collections.abc import Iterable
from typing import Any

import pytest

from netlink import Connection, KernelError
from netlink.constants import AF
from netlink.route import FAMILY, link, vlandb
from netlink.route.bridgespec import BRIDGE_FLAGS, BRIDGE_VLAN_INFO, BridgeSpec
from netlink.route.link import Link
from netlink.route.link.kinds import KINDS, SLAVE_KINDS
from netlink.route.link.kinds.bond import LACP_STATE, BondSlave
from netlink.route.rtnetlink import RTEXT_FILTER
from tests.kernel.link_kinds import CASES, LOW, PORTS, SCENE, Case, Json, Port, ip, parts, said

if shutil.which("ip") is None or shutil.which("bridge") is None:
    pytest.skip("iproute2 is not installed", allow_module_level=True)


def ip_link(name: str) -> Json:
    """Return one link as ip shows it."""
    (shown,) = ip(f"link show {name}")
    return dict(shown)


@pytest.fixture
def nl() -> Any:
    """A connection in a namespace with links that can be lower links."""
    run = subprocess.run(
        ["ip", "-batch", "-"], input=SCENE, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    with Connection(FAMILY, timeout=30) as connection:
        yield connection


def without(fields: Json | None, names: Iterable[str]) -> Json:
    return {name: value for name, value in (fields or {}).items() if name not in names}


def info(found: Link) -> Json:
    """Return IFLA_INFO_DATA of a link. All of it must be declared."""
    assert found.linkinfo is not None
    data = found.linkinfo.data
    if data is None:
        return {}
    assert not isinstance(data, bytes), f"{found.linkinfo.kind} has no class"
    assert data.unknown == ()
    return dict(data.to_json())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_kind(nl: Connection, case: Case) -> None:
    told = said(KINDS.get(case.kind), case.data, case.unsaid)
    if case.setup:
        ip(case.setup, refusals=("No such file or directory",))  # a generic family
    seen: list[tuple[Json, Json]] = []
    if case.ip is not None:
        below = f"link {case.link} " if case.link else ""
        ip(f"link add {below}name x type {case.kind} {case.ip}")
        seen.append((info(nl.do(link.by_name("x"))), ip_link("x")["linkinfo"]))
        nl.do(link.remove("x"))
    try:
        nl.do(link.add("x", case.kind, case.data, link=case.link))
    except KernelError as error:
        if error.errno == errno.EOPNOTSUPP and not seen:
            pytest.skip(f"{case.kind}: {error}")
        raise
    found = nl.do(link.by_name("x"))
    seen.append((info(found), ip_link("x")["linkinfo"]))

    for ours, theirs in seen:
        assert parts(ours, told) == told
        assert theirs["info_kind"] == case.kind
        if case.ip is not None:
            assert parts(theirs.get("info_data", {}), case.shown) == case.shown
    (ours, theirs), (ours_again, theirs_again) = seen[0], seen[-1]
    assert without(ours, case.restless) == without(ours_again, case.restless)
    assert without(theirs.get("info_data"), case.restless) == without(
        theirs_again.get("info_data"), case.restless
    )
    if case.link is not None:
        assert found.link == LOW


def test_every_kind_is_tried() -> None:
    """The only exceptions need hardware, or another program's descriptor."""
    untried = KINDS.keys() - {case.kind for case in CASES}
    assert untried == {"can", "caif", "dsa", "ipoib", "ppp", "tun", "wwan"}


@pytest.mark.usefixtures("machine_root")  # for its users, who are nobody elsewhere
def test_tun(nl: Connection) -> None:
    ip("tuntap add dev x mode tap user 1000 group 1001 vnet_hdr multi_queue")
    assert info(nl.do(link.by_name("x"))) == {
        "type": "IFF_TAP",
        "owner": 1000,
        "group": 1001,
        "pi": 0,
        "vnet_hdr": 1,
        "persist": 1,
        "multi_queue": 1,
        "num_queues": 0,
        "num_disabled_queues": 0,
    }
    theirs = ip_link("x")["linkinfo"]
    assert theirs["info_kind"] == "tun"
    assert parts(theirs["info_data"], ("type", "vnet_hdr", "multi_queue", "persist")) == {
        "type": "tap",
        "vnet_hdr": True,
        "multi_queue": True,
        "persist": True,
    }


def test_macvlan_sources(nl: Connection) -> None:
    """The kernel accepts the addresses one by one or all at once, and sends all at once."""
    nl.do(link.add("x", "macvlan", {"mode": "MACVLAN_MODE_SOURCE"}, link="low"))
    addresses = ["02:00:00:00:00:05", "02:00:00:00:00:06"]
    for data in (
        {"macaddr_mode": "MACVLAN_MACADDR_SET", "macaddr_data": {"macaddr": addresses}},
        {"macaddr_mode": "MACVLAN_MACADDR_ADD", "macaddr": "02:00:00:00:00:07"},
    ):
        nl.do(link.change("x", kind="macvlan", data=data))
    ours = info(nl.do(link.by_name("x")))
    theirs = ip_link("x")["linkinfo"]["info_data"]
    assert ours["macaddr_count"] == theirs["macaddr_count"] == 3
    assert ours["macaddr_data"]["macaddr"] == theirs["macaddr_data"]
    assert sorted(theirs["macaddr_data"]) == [*addresses, "02:00:00:00:00:07"]


def test_pair(nl: Connection) -> None:
    """The data of the peer is read completely."""
    peer = {"ifname": "y", "mtu": 1400, "address": "02:00:00:00:00:99"}
    nl.do(link.add("x", "veth", {"peer": peer}))
    here, there = nl.do(link.by_name("x")), nl.do(link.by_name("y"))
    assert (here.link, there.link) == (there.index, here.index)
    assert (there.mtu, there.address) == (1400, "02:00:00:00:00:99")
    assert parts(ip_link("y"), ("mtu", "address")) == {"mtu": 1400, "address": there.address}


# --- links in others ------------------------------------------------------------------------------


@pytest.mark.parametrize("port", PORTS, ids=str)
def test_port(nl: Connection, port: Port) -> None:
    told = said(SLAVE_KINDS[port.kind], port.data, ())
    seen: list[tuple[Json, Json]] = []
    for by_ip in (True, False):
        ip(f"link add name top type {port.kind} {port.master}")
        for name in ("low", "high"):
            ip(f"link set {name} down")  # a bond takes no link that is up
            nl.do(link.change(name, master="top"))
            ip(f"link set {name} up")
        if port.data is not None and by_ip:
            ip(f"link set low type {port.kind}_slave {port.ip}")
        elif port.data is not None:
            nl.do(link.change("low", slave_kind=port.kind, slave_data=port.data))
        found = nl.do(link.by_name("low"))
        assert found.linkinfo is not None
        assert found.linkinfo.slave_kind == port.kind
        assert isinstance(found.linkinfo.slave_data, SLAVE_KINDS[port.kind])
        assert found.linkinfo.slave_data.unknown == ()
        seen.append((found.linkinfo.slave_data.to_json(), ip_link("low")["linkinfo"]))
        nl.do(link.remove("top"))
    for ours, theirs in seen:
        assert parts(ours, told) == told
        assert theirs["info_slave_kind"] == port.kind
        assert parts(theirs["info_slave_data"], port.shown) == port.shown
    restless = [*port.restless, "bridge_id", "root_id"]
    (ours, theirs), (ours_again, theirs_again) = seen
    assert without(ours, restless) == without(ours_again, restless)
    assert without(theirs["info_slave_data"], restless) == without(
        theirs_again["info_slave_data"], restless
    )


def bond_slave(nl: Connection, name: str) -> BondSlave:
    """Return the settings of the link as a port of the bond."""
    found = nl.do(link.by_name(name)).linkinfo
    assert found is not None
    assert isinstance(found.slave_data, BondSlave)
    return found.slave_data


def test_lacp(nl: Connection) -> None:
    """Two bonds that speak 802.3ad to each other agree after a while."""
    for bond, names in (("top", ("low", "high")), ("top2", ("low2", "high2"))):
        ip(f"link add name {bond} type bond mode 802.3ad miimon 100 lacp_rate fast")
        for name in names:
            ip(f"link set {name} down")
            nl.do(link.change(name, master=bond))
        nl.do(link.up(bond))
    done = LACP_STATE.LACP_STATE_COLLECTING | LACP_STATE.LACP_STATE_DISTRIBUTING
    for _ in range(100):
        slave = bond_slave(nl, "low")
        states = slave.ad_actor_oper_port_state, slave.ad_partner_oper_port_state
        if all(state is not None and state & done == done for state in states):
            break
        time.sleep(0.1)
    ours, theirs = bond_slave(nl, "low"), ip_link("low")["linkinfo"]["info_slave_data"]
    assert ours.ad_actor_oper_port_state == ours.ad_partner_oper_port_state == states[0]
    for field_name in ("aggregator_id", "actor_oper_port_state", "partner_oper_port_state"):
        assert getattr(ours, f"ad_{field_name}") == theirs[f"ad_{field_name}"]
    assert (theirs["state"], theirs["mii_status"]) == ("ACTIVE", "UP")
    assert parts(ours.to_json(), ("state", "mii_status")) == {
        "state": "BOND_STATE_ACTIVE",
        "mii_status": "BOND_LINK_UP",
    }
    ad_info = info(nl.do(link.by_name("top")))["ad_info"]
    assert ad_info == ip_link("top")["linkinfo"]["info_data"]["ad_info"]


# --- what goes by AF_BRIDGE -----------------------------------------------------------------------


def bridge_link(nl: Connection, name: str, mask: RTEXT_FILTER | None = None) -> Link:
    """Return one link as the bridge sees it. The kernel knows this request as a dump only."""
    links = nl.dump(link.get(family=AF.AF_BRIDGE, ext_mask=mask))
    (found,) = [found for found in links if found.ifname == name]
    return found


def vlans(name: str) -> list[Json]:
    (shown,) = ip(f"vlan show dev {name}", "bridge")
    return list(shown["vlans"])


def test_bridge_vlans(nl: Connection) -> None:
    ip("link add name top type bridge vlan_filtering 1 vlan_default_pvid 0")
    nl.do(link.change("low", master="top"))
    begin = BRIDGE_VLAN_INFO.BRIDGE_VLAN_INFO_RANGE_BEGIN
    end = BRIDGE_VLAN_INFO.BRIDGE_VLAN_INFO_RANGE_END
    pvid = BRIDGE_VLAN_INFO.BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO.BRIDGE_VLAN_INFO_UNTAGGED

    ip("vlan add vid 5 pvid untagged dev low", "bridge")
    ip("vlan add vid 10-12 dev low", "bridge")
    brvlan = RTEXT_FILTER.RTEXT_FILTER_BRVLAN_COMPRESSED
    by_ip = bridge_link(nl, "low", brvlan).af_spec
    entries = [{"vid": 5, "flags": pvid}, {"vid": 10, "flags": begin}, {"vid": 12, "flags": end}]
    assert isinstance(by_ip, BridgeSpec)
    assert [dict(entry) for entry in by_ip.vlan_info] == entries
    shown = vlans("low")

    port = {"family": AF.AF_BRIDGE, "index": LOW}
    nl.do(link.delete(**port, af_spec={"vlan_info": entries}))
    assert ip("vlan show dev low", "bridge") == []
    nl.do(link.set_port(**port, af_spec={"vlan_info": entries}))
    assert vlans("low") == shown
    assert bridge_link(nl, "low", brvlan).af_spec == by_ip

    bridge = {"family": AF.AF_BRIDGE, "index": nl.do(link.index_of("top"))}
    spec = {"flags": BRIDGE_FLAGS.BRIDGE_FLAGS_SELF, "vlan_info": [{"vid": 20}]}
    nl.do(link.set_port(**bridge, af_spec=spec))
    assert [entry["vlan"] for entry in vlans("top")] == [20]


def test_bridge_tunnels(nl: Connection) -> None:
    """VLANs of a port are mapped to VNIs."""
    ip("link add name top type bridge vlan_filtering 1")
    ip("link add x type vxlan external dstport 4789")
    nl.do(link.change("x", master="top"))
    nl.do(link.change("x", slave_kind="bridge", slave_data={"vlan_tunnel": 1}))
    port = {"family": AF.AF_BRIDGE, "index": nl.do(link.index_of("x"))}
    nl.do(link.set_port(**port, af_spec={"vlan_info": [{"vid": 7}]}))
    nl.do(link.set_port(**port, af_spec={"vlan_tunnel_info": [{"id": 700, "vid": 7}]}))
    (shown,) = ip("vlan tunnelshow dev x", "bridge")
    assert [parts(entry, ("vlan", "tunid")) for entry in shown["tunnels"]] == [
        {"vlan": 7, "tunid": 700}
    ]
    spec = bridge_link(nl, "x", RTEXT_FILTER.RTEXT_FILTER_BRVLAN).af_spec
    assert isinstance(spec, BridgeSpec)
    (entry,) = spec.vlan_tunnel_info
    assert (entry.id, entry.vid) == (700, 7)


def test_bridge_port_settings(nl: Connection) -> None:
    """IFLA_PROTINFO, which `bridge link` uses, has the content of IFLA_INFO_SLAVE_DATA."""
    ip("link add name top type bridge")
    nl.do(link.change("low", master="top"))
    nl.do(link.set_port(family=AF.AF_BRIDGE, index=LOW, protinfo={"cost": 55, "isolated": 1}))
    (shown,) = ip("link show dev low", "bridge")
    assert parts(shown, ("cost", "isolated")) == {"cost": 55, "isolated": True}
    found = nl.do(link.by_name("low")).linkinfo
    assert found is not None
    assert bridge_link(nl, "low").protinfo == found.slave_data


def test_spanning_trees(nl: Connection) -> None:
    """A port's state in one of multiple spanning trees (BR_BOOLOPT_MST_ENABLE)."""
    ip("link add name top type bridge vlan_filtering 1 vlan_default_pvid 0")
    mst = {"multi_boolopt": {"optval": 4, "optmask": 4}}
    nl.do(link.change("top", kind="bridge", data=mst))
    nl.do(link.change("low", master="top"))
    port = {"family": AF.AF_BRIDGE, "index": LOW}
    nl.do(link.set_port(**port, af_spec={"vlan_info": [{"vid": 7}]}))
    tree_of_vlan = [{"id": 7, "msti": 5}]
    top = {"family": AF.AF_BRIDGE, "ifindex": nl.do(link.index_of("top"))}
    nl.do(vlandb.set(**top, global_options=tree_of_vlan))
    entry = {"msti": 5, "state": "BR_STATE_BLOCKING"}
    nl.do(link.set_port(**port, af_spec={"mst": {"entry": [entry]}}))
    spec = bridge_link(nl, "low", RTEXT_FILTER.RTEXT_FILTER_MST).af_spec
    assert isinstance(spec, BridgeSpec)
    assert spec.mst is not None
    assert [tree.to_json() for tree in spec.mst.entry] == [entry]
