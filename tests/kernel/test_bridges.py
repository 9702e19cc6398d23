"""Bridges: their VLANs, multicast groups, forwarding entries and counters; and the VNIs of a VXLAN.

First the kernel as oracle: what `bridge` makes, we read like it prints it, by the table language of
test_oracle.py. Then what our ops make, `bridge` shows.
"""

import errno
from ipaddress import IPv4Address
from typing import Any

import pytest

from netlink import Connection, KernelError
from netlink.constants import AF
from netlink.route import (
    link,
    mdb,
    neigh,
    stats,
    tunnel,
    vlandb,
)
from netlink.route.bridgespec import BRIDGE_VLAN_INFO
from netlink.route.mdb import MCAST, MDB_STATE, br_mdb_entry
from netlink.route.neigh import NTF, NUD
from netlink.route.rtnetlink import RTM
from netlink.route.stats import IFLA_STATS
from tests.kernel.oracle import (
    ABSENT,
    Json,
    Ours,
    Table,
    agree,
    device,
    dumped,
    each,
    inside,
    ip,
    of,
    render,
    unless,
    word,
)
from tests.kernel.scene import events, make, shown

# --- bridge vlan, bridge mdb ----------------------------------------------------------------------

VLAN_FLAGS = {
    "BRIDGE_VLAN_INFO_PVID": "PVID",
    "BRIDGE_VLAN_INFO_UNTAGGED": "Egress Untagged",
}
ROUTER_TYPES = {
    "MDB_RTR_TYPE_DISABLED": 0, "MDB_RTR_TYPE_TEMP_QUERY": 1, "MDB_RTR_TYPE_PERM": 2,
    "MDB_RTR_TYPE_TEMP": 3,
}  # fmt: skip
VLAN: Table = {
    "vlan": inside("info", of("vid")),
    "vlanEnd": of("range"),
    "flags": unless([], inside("info", of("flags", lambda flags: sorted(
        VLAN_FLAGS[flag] for flag in flags if flag in VLAN_FLAGS)))),
    "state": of("state", word("BR_STATE_")),
    "mcast_router": of("mcast_router", ROUTER_TYPES.__getitem__),
    **{name: inside("stats", of(name))
       for name in ("rx_bytes", "rx_packets", "tx_bytes", "tx_packets")},
}  # fmt: skip


def test_bridge_vlans(bridge: int) -> None:
    make("""
        vlan add vid 10-12 dev right
        vlan add vid 20 dev right pvid untagged
        vlan add vid 10 dev br0 self
        vlan set vid 10 dev right state blocking
    """, "bridge")  # fmt: skip
    flags = vlandb.BRIDGE_VLANDB_DUMPF.BRIDGE_VLANDB_DUMPF_STATS
    request = vlandb.get(family=AF.AF_BRIDGE, flags=flags)

    def rendered() -> list[Json]:
        links = {found["index"]: found for found in dumped(link.get())}
        by_link: dict[str, list[Json]] = {}
        for message in dumped(request):
            assert message.keys() <= {"family", "ifindex", "entry"}
            vlans = by_link.setdefault(links[message["ifindex"]]["ifname"], [])
            vlans += each("entry", VLAN)(Ours(message, links))
        return [{"ifname": name, "vlans": vlans} for name, vlans in by_link.items()]

    found = agree(rendered, lambda: shown("-d -s vlan", "bridge"))
    assert [one["vlan"] for one in found[0]["vlans"]] == [1, 10, 11, 12, 20]


GLOBAL: Table = {
    "vlan": of("id"),
    "vlanEnd": of("range"),
    "mcast_snooping": of("mcast_snooping"),
    "mcast_querier": of("mcast_querier"),
    "mcast_igmp_version": of("mcast_igmp_version"),
    "mcast_mld_version": of("mcast_mld_version"),
    "mcast_last_member_count": of("mcast_last_member_cnt"),
    "mcast_last_member_interval": of("mcast_last_member_intvl"),
    "mcast_startup_query_count": of("mcast_startup_query_cnt"),
    "mcast_startup_query_interval": of("mcast_startup_query_intvl"),
    "mcast_membership_interval": of("mcast_membership_intvl"),
    "mcast_querier_interval": of("mcast_querier_intvl"),
    "mcast_query_interval": of("mcast_query_intvl"),
    "mcast_query_response_interval": of("mcast_query_response_intvl"),
}


def test_bridge_vlan_options(bridge: int, nl: Connection) -> None:
    make("link set br0 type bridge mcast_vlan_snooping 1")
    make("vlan add vid 10-12 dev right", "bridge")
    options = {"id": 10, "range": 11, "mcast_querier": 1, "mcast_igmp_version": 3}
    wanted = vlandb.set(family=AF.AF_BRIDGE, ifindex=bridge, global_options=[options])
    make("vlan add vid 10-12 dev br0 self", "bridge")
    nl.do(wanted)
    flags = vlandb.BRIDGE_VLANDB_DUMPF.BRIDGE_VLANDB_DUMPF_GLOBAL
    request = vlandb.get(family=AF.AF_BRIDGE, flags=flags)

    def rendered() -> list[Json]:
        (message,) = dumped(request)
        found = each("global_options", GLOBAL)(Ours(message, {}))
        return [{"ifname": "br0", "vlans": found}]

    (found,) = agree(rendered, lambda: shown("-d vlan global", "bridge"))
    assert [(one["vlan"], one["mcast_igmp_version"]) for one in found["vlans"]] == [
        (1, 2), (10, 3), (12, 2),
    ]  # fmt: skip


def test_bridge_vlan_entries_of_ours(bridge: int, nl: Connection) -> None:
    """We add, change and remove entries, and bridge(8) shows them."""
    shown("-d vlan", "bridge")
    right = nl.do(link.index_of("right"))
    untagged = BRIDGE_VLAN_INFO.BRIDGE_VLAN_INFO_UNTAGGED
    head = {"family": AF.AF_BRIDGE, "ifindex": right}
    nl.do(vlandb.set(**head, entry=[{"info": {"vid": 30, "flags": untagged}, "range": 32}]))
    only = BRIDGE_VLAN_INFO.BRIDGE_VLAN_INFO_ONLY_OPTS
    nl.do(vlandb.set(**head, entry=[{"info": {"vid": 31, "flags": only}, "state": 4}]))
    nl.do(vlandb.delete(**head, entry=[{"info": {"vid": 32}}]))
    (found,) = [one for one in shown("-d vlan", "bridge") if one["ifname"] == "right"]
    assert [(one["vlan"], one["flags"], one["state"]) for one in found["vlans"][1:]] == [
        (30, ["Egress Untagged"], "forwarding"),
        (31, ["Egress Untagged"], "blocking"),
    ]


def test_bridge_vlan_tunnels(bridge: int, nl: Connection) -> None:
    make("""
        link add vx0 type vxlan external dstport 4789
        link set vx0 master br0
        link set vx0 type bridge_slave vlan_tunnel on
    """)
    vx0 = nl.do(link.index_of("vx0"))
    head = {"family": AF.AF_BRIDGE, "ifindex": vx0}
    to = {"id": 1000, "cmd": RTM.RTM_SETLINK}
    only = BRIDGE_VLAN_INFO.BRIDGE_VLAN_INFO_ONLY_OPTS
    make("vlan add vid 10-11 dev vx0", "bridge")
    entry = {"info": {"vid": 10, "flags": only}, "range": 11, "tunnel_info": to}
    nl.do(vlandb.set(**head, entry=[entry]))
    found = [one for one in nl.dump(vlandb.get(family=AF.AF_BRIDGE)) if one.ifindex == vx0]
    tunnels = {
        item.info.vid: item.tunnel_info.id
        for one in found
        for item in one.entry
        if item.info is not None and item.tunnel_info is not None
    }
    assert 1000 in tunnels.values()
    (theirs,) = shown("vlan tunnelshow", "bridge")
    assert theirs["tunnels"][0]["vlan"] == 10
    assert theirs["tunnels"][0]["tunid"] == 1000


MDB: Table = {
    "port": device("ifindex"),
    "grp": lambda ours: mdb_group(ours),
    "src": of("source"),
    "state": of("state", {"MDB_PERMANENT": "permanent", "MDB_TEMPORARY": "temp"}.__getitem__),
    "filter_mode": of("group_mode", word("MCAST_")),
    "source_list": lambda ours: (
        ABSENT
        if ours["src_list"] is ABSENT
        else [{"address": one["address"], "timer": one["timer"] / 100}
              for one in ours["src_list"]["entry"]]
    ),
    "protocol": of("rtprot", word("RTPROT_")),
    "flags": of("flags", lambda flags: sorted(
        name.removeprefix("MDB_FLAGS_").lower() for name in flags)),
    "vid": unless(0, of("vid")),
    "timer": of("timer", lambda value: value / 100),
}  # fmt: skip


def mdb_group(ours: Ours) -> str:
    members = {name: ours[name] for name in ("u", "proto")}
    return str(br_mdb_entry(u=bytes.fromhex(members["u"]), proto=members["proto"]).addr)


def mdb_theirs() -> Json:
    """Return what bridge(8) shows, with timers as numbers."""
    (found,) = shown("-d -s mdb", "bridge")
    for one in [*found["mdb"], *(port for ports in found["router"].values() for port in ports)]:
        one["timer"] = float(one["timer"])
        for source in one.get("source_list", ()):
            source["timer"] = float(source["timer"])
    found["mdb"].sort(key=lambda one: (one["grp"], one["vid"], one["port"], one.get("src", "")))
    return found


def mdb_ours() -> Json:
    links = {found["index"]: found for found in dumped(link.get())}
    (message,) = [one for one in dumped(mdb.get(family=AF.AF_BRIDGE)) if "mdb" in one]
    bridge = message["ifindex"]
    entries = [
        {"index": bridge, "dev": links[bridge]["ifname"], **render(MDB, Ours(info, links))}
        for entry in message["mdb"].get("entry", ())
        for info in entry["info"]
    ]
    entries.sort(key=lambda one: (one["grp"], one["vid"], one["port"], one.get("src", "")))
    types = {"MDB_RTR_TYPE_PERM": "permanent", "MDB_RTR_TYPE_TEMP": "temp"}
    port: Table = {
        "port": device("ifindex"),
        "timer": of("timer", lambda value: value / 100),
        "type": of("type", types.__getitem__),
    }
    ports = each("port", port)(Ours(message["router"], links))
    return {"mdb": entries, "router": {links[bridge]["ifname"]: ports}}


def group(nl: Connection, bridge: int, address: str, **rest: Any) -> dict[str, Any]:
    """Return the fields of a request for a multicast group on "right"."""
    entry = br_mdb_entry.of(address, ifindex=nl.do(link.index_of("right")), **rest)
    return {"family": AF.AF_BRIDGE, "ifindex": bridge, "entry": entry}


def test_multicast_groups(bridge: int, nl: Connection) -> None:
    make("link set br0 type bridge mcast_snooping 1 mcast_igmp_version 3 mcast_mld_version 2")
    make("link set right type bridge_slave mcast_router 2")
    make("vlan add vid 10 dev right", "bridge")
    permanent = MDB_STATE.MDB_PERMANENT
    try:
        nl.do(mdb.new(**group(nl, bridge, "239.1.1.1", vid=10, state=permanent)))
    except KernelError as error:
        pytest.skip(f"the kernel lacks it: {error}")
    nl.do(mdb.new(**group(nl, bridge, "ff02::db8:1", vid=10)))
    nl.do(mdb.new(**group(nl, bridge, "01:00:5e:7f:00:01", vid=10, state=permanent)))
    nl.do(mdb.new(**group(nl, bridge, "239.1.1.2", vid=10), entry_attrs={"source": "192.0.2.7"}))
    sources = {"entry": [{"address": "192.0.2.8"}, {"address": "192.0.2.9"}]}
    attributes = {"src_list": sources, "group_mode": MCAST.MCAST_INCLUDE}
    nl.do(mdb.new(**group(nl, bridge, "239.1.1.3", vid=10), entry_attrs=attributes))
    found = agree(lambda: [mdb_ours()], lambda: [mdb_theirs()])[0]["mdb"]
    assert {"239.1.1.1", "239.1.1.2", "239.1.1.3", "ff02::db8:1", "01:00:5e:7f:00:01"} <= {
        one["grp"] for one in found
    }
    with pytest.raises(KernelError) as refused:
        nl.do(mdb.new(**group(nl, bridge, "239.1.1.1", vid=10, state=permanent)))
    assert refused.value.errno == errno.EEXIST
    nl.do(mdb.replace(**group(nl, bridge, "239.1.1.1", vid=10)))
    one = nl.do(mdb.get(**group(nl, bridge, "239.1.1.1", vid=10) | {
        "entry": br_mdb_entry.of("239.1.1.1", vid=10)}))  # fmt: skip
    assert one is not None
    assert one.mdb is not None
    assert one.mdb.entry[0].info[0].state == MDB_STATE.MDB_TEMPORARY
    assert one.mdb.entry[0].info[0].addr == IPv4Address("239.1.1.1")
    nl.do(mdb.delete(**group(nl, bridge, "239.1.1.1", vid=10)))
    assert "239.1.1.1" not in {one["grp"] for one in mdb_theirs()["mdb"]}
    nl.do(mdb.flush(family=AF.AF_BRIDGE, ifindex=bridge, entry=br_mdb_entry(vid=10)))
    assert 10 not in {one["vid"] for one in mdb_theirs()["mdb"]}


def test_forwarding_entries_of_ours(bridge: int, nl: Connection) -> None:
    right = nl.do(link.index_of("right"))
    head = {"family": AF.AF_BRIDGE, "ndm_ifindex": right, "flags": NTF.NTF_MASTER}
    for last in (7, 8):
        nl.do(neigh.new(**head, lladdr=f"02:00:00:00:00:{last:02}", state=NUD.NUD_NOARP))
    nl.do(neigh.delete(**head, lladdr="02:00:00:00:00:07"))
    states = {one["mac"]: one["state"] for one in ip("fdb show dev right", "bridge")}
    assert states["02:00:00:00:00:08"] == "static"
    assert "02:00:00:00:00:07" not in states
    nl.do(neigh.flush(**head, ndm_state_mask=NUD.NUD_NOARP, state=NUD.NUD_NOARP))
    assert "02:00:00:00:00:08" not in {one["mac"] for one in ip("fdb show dev right", "bridge")}


# --- vxlan VNIs -----------------------------------------------------------------------------------


def test_vnis(nl: Connection, left: int) -> None:
    make("link add vx0 type vxlan external vnifilter dstport 4789")
    make("link set vx0 up")
    vx0 = nl.do(link.index_of("vx0"))
    head = {"family": AF.AF_BRIDGE, "ifindex": vx0}
    entries = [{"start": 100, "end": 102}, {"start": 200, "group": "192.0.2.7"}]
    nl.do(tunnel.set(**head, entry=entries))
    nl.do(tunnel.delete(**head, entry=[{"start": 101}]))
    (theirs,) = shown("vni show", "bridge")
    assert [(one["vni"], one.get("vniEnd")) for one in theirs["vnis"]] == [
        (100, None), (102, None), (200, None),
    ]  # fmt: skip
    assert theirs["vnis"][2]["remote"] == "192.0.2.7"
    flags = tunnel.TUNNEL_MSG_FLAG.TUNNEL_MSG_FLAG_STATS
    (found,) = nl.dump(tunnel.get(family=AF.AF_BRIDGE, flags=flags))
    assert [(one.start, one.group) for one in found.entry] == [
        (100, None), (102, None), (200, IPv4Address("192.0.2.7")),
    ]  # fmt: skip
    assert found.entry[0].stats is not None
    assert found.entry[0].stats.rx_pkts == 0


# --- counters and events --------------------------------------------------------------------------


def test_bridge_stats(bridge: int, nl: Connection) -> None:
    make("link set br0 type bridge mcast_stats_enabled 1 vlan_stats_enabled 1")
    masks = IFLA_STATS.IFLA_STATS_LINK_XSTATS | IFLA_STATS.IFLA_STATS_LINK_XSTATS_SLAVE
    found = {one.ifindex: one for one in nl.dump(stats.get(filter_mask=masks))}
    of_bridge, of_port = found[bridge].link_xstats, found[nl.do(link.index_of("right"))]
    assert of_bridge is not None and of_bridge.bridge is not None
    assert [one.vid for one in of_bridge.bridge.vlan] == [1]
    assert of_bridge.bridge.mcast is not None
    slave = of_port.link_xstats_slave
    assert slave is not None and slave.bridge is not None and slave.bridge.stp is not None
    port_stp, port_mcast = slave.bridge.stp.to_dict(), slave.bridge.mcast
    theirs = {
        one["suite"]: one
        for one in shown("-s stats show dev right group xstats_slave subgroup bridge")
    }
    assert theirs["stp"]["stp"] == port_stp
    assert port_mcast is not None
    queries = theirs["mcast"]["multicast"]["igmp_queries"]
    assert [queries["rx_v2"], queries["tx_v2"]] == [*port_mcast.igmp_v2queries]


def test_events_of_a_bridge(bridge: int, nl: Connection) -> None:
    """VLANs and multicast groups have their own netlink groups."""
    right = nl.do(link.index_of("right"))
    head = {"family": AF.AF_BRIDGE, "ifindex": right}
    shown("-d vlan", "bridge")
    found = events(nl, "brvlan", lambda: nl.do(vlandb.set(**head, entry=[{"info": {"vid": 30}}])))
    assert [type(one) for one in found] == [vlandb.VlanDb]
    assert found[0].entry[0].info.vid == 30
    nl.leave("brvlan")
    request = mdb.new(**group(nl, bridge, "239.1.1.1", state=MDB_STATE.MDB_PERMANENT))
    found = events(nl, "mdb", lambda: nl.do(request))
    assert {type(one) for one in found} == {mdb.Mdb}
    assert IPv4Address("239.1.1.1") in {
        info.addr for one in found for entry in one.mdb.entry for info in entry.info
    }
