"""The kernel as oracle: what we decode of it is what iproute2 prints of it, value by value.

Each table below has one row for each field of ip's JSON and says which of our fields it is made
of, and how. Nothing is skipped in silence: a field of ip without a row fails the test, and so
does a row whose value ip does not show. What we show beyond ip is nobody's concern here.
"""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from netlink.constants import AF
from netlink.route import neigh
from tests.kernel.oracle import (
    ABSENT,
    ROUTE,
    STATS_RX,
    STATS_TX,
    Json,
    Ours,
    Row,
    Table,
    agree,
    device,
    dumped,
    has,
    inside,
    ip,
    links_by_index,
    nest,
    netlink,
    of,
    render,
    seconds,
    ticks,
    unless,
    word,
    words,
)

# --- the scene ------------------------------------------------------------------------------------

SCENE = """
link add left address 02:00:00:00:00:01 txqueuelen 500 numtxqueues 3 type veth \
    peer name right address 02:00:00:00:00:02
link set left mtu 1400 alias "a link, with words" group 7
link property add dev left altname another-name-that-is-longer-than-fifteen-bytes
link add br0 address 02:00:00:00:00:10 type bridge stp_state 1 forward_delay 400 priority 4096
link set right master br0
link set right type bridge_slave hairpin on cost 77 priority 9 mcast_router 2 isolated on
link set left up
link set right up
link set br0 up
addr add 192.0.2.1/24 brd + dev left
addr add 192.0.2.5/24 dev left label left:x valid_lft 1000 preferred_lft 500
addr add 10.9.0.1 peer 10.9.0.2/32 dev br0 scope link metric 77
addr add 2001:db8::1/64 dev left nodad
addr add 2001:db8::5/64 dev left valid_lft 900 preferred_lft 0 noprefixroute mngtmpaddr
addr add 2001:db8:1::1 peer 2001:db8:1::2/64 dev br0
route add default via 192.0.2.2 dev left
route add 198.51.100.0/24 via 192.0.2.2 dev left
route add 198.51.101.0/24 via 192.0.2.2 dev left table 1000 metric 20 proto bgp src 192.0.2.1 \
    mtu 1300 advmss 1200 rtt 100ms rttvar 30ms rto_min 30ms window 5000 quickack 1 cwnd 17 \
    ssthresh 9 reordering 4 initcwnd 10 initrwnd 12 hoplimit 20 features ecn
route add 198.51.102.0/24 via 192.0.2.2 dev left table 70000 mtu lock 1300 tos 0x10
route add blackhole 203.0.113.0/24
route add unreachable 203.0.112.0/24 metric 5
route add prohibit 203.0.111.0/24 proto 77
route add throw 203.0.110.0/24 table 7
route add 203.0.100.0/24 nexthop via 192.0.2.2 dev left weight 3 \
    nexthop via 192.0.2.3 dev left weight 256 nexthop via 10.9.0.2 dev br0 onlink
route add 203.0.101.0/24 via inet6 fe80::9 dev left
route add 203.0.102.0/24 nexthop via inet6 fe80::9 dev left nexthop via 192.0.2.9 dev left
route add 203.0.103.0/24 via 172.16.0.1 dev left onlink
route add multicast 239.0.0.0/8 dev left
route add local 203.0.114.0/24 dev lo
route add 2001:db8:5::/48 via 2001:db8::2 dev left metric 99 pref high
route add 2001:db8:6::/48 nexthop via 2001:db8::2 dev left weight 2 \
    nexthop via 2001:db8::3 dev left
route add unreachable 2001:db8:7::/48 pref low
route add blackhole 2001:db8:8::/48 table 500
route add default via fe80::2 dev left expires 500
route add 2001:db8:9::/48 dev left mtu 1280 src 2001:db8::1
route add local 2001:db8:77::/64 dev lo table 9
route add anycast 2001:db8:78::/64 dev lo table 9
neigh add 192.0.2.2 lladdr 02:00:00:00:00:22 dev left nud permanent
neigh add 192.0.2.3 lladdr 02:00:00:00:00:23 dev left nud stale protocol static
neigh add 2001:db8::2 lladdr 02:00:00:00:00:22 dev left nud reachable router
neigh add 192.0.2.9 lladdr 02:00:00:00:00:29 dev left nud noarp extern_learn
neigh add proxy 192.0.2.77 dev left
neigh add proxy 2001:db8::77 dev left router protocol bird
"""

# Features that some kernels lack: each line is executed separately.
OPTIONAL = """
link add vx0 type vxlan id 42 local 192.0.2.1 remote 192.0.2.99 dstport 4789 ttl 9 tos 4 dev left
link add vx6 type vxlan id 43 group ff05::100 dev br0 dstport 8472 ageing 77 srcport 40000 50000 \
    nolearning proxy l3miss noudpcsum maxaddress 9 df set
link add vxe type vxlan external gbp dstport 4790
link add vxi type vxlan id 44 remote 192.0.2.98 ttl inherit tos inherit dstport 4791
link set vx0 master br0
route add 198.51.103.0/24 via 192.0.2.2 dev left realms 3/4
route add 2001:db8:a::/48 via 2001:db8::2 dev left from 2001:db8::/64
nexthop add id 5 via 192.0.2.2 dev left
nexthop add id 6 group 5
route add 203.0.104.0/24 nhid 5
route add 203.0.105.0/24 nhid 6
"""


@pytest.fixture
def scene() -> None:
    """Make links, addresses, routes and neighbours of every sort that iproute2 can make here."""
    # Addresses are usable at once, and nothing sends packets that would change counters.
    conf = Path("/proc/sys/net/ipv6/conf/default")
    for setting in ("accept_dad", "dad_transmits", "router_solicitations"):
        (conf / setting).write_text("0")
    run = subprocess.run(
        ["ip", "-batch", "-"], input=SCENE, capture_output=True, text=True, timeout=20
    )
    assert run.returncode == 0, run.stderr
    subprocess.run(
        ["ip", "-force", "-batch", "-"], input=OPTIONAL, capture_output=True, text=True, timeout=20
    )


# --- ip -d -s -s link -----------------------------------------------------------------------------


def link_flags(ours: Ours) -> list[str]:
    """Return flags as ip shows them: without RUNNING, but with words for its absence."""
    flags = set(words("IFF_")(ours["flags"]))
    if "UP" in flags and "RUNNING" not in flags:
        flags.add("NO-CARRIER")
    below = ours.links.get(ours["link"])
    if below is not None and "IFF_UP" not in below["flags"]:
        flags.add("M-DOWN")
    return sorted(flags - {"RUNNING"})


def bridge_id(value: Json) -> str:
    pairs = (f"{int(pair, 16):x}" for pair in value["addr"].split(":"))
    return f"{value['prio']:04x}.{':'.join(pairs)}"


def boolopt(bit: int) -> Row:
    """Return a row with an option of a bridge, if the kernel knows it."""
    return inside("multi_boolopt", lambda ours: (
        ours["optval"] >> bit & 1 if ours["optmask"] >> bit & 1 else ABSENT
    ))  # fmt: skip


BRIDGE: Table = {
    "forward_delay": of("forward_delay"),
    "hello_time": of("hello_time"),
    "max_age": of("max_age"),
    "ageing_time": of("ageing_time"),
    "stp_state": of("stp_state"),
    "priority": of("priority"),
    "vlan_filtering": of("vlan_filtering"),
    "vlan_protocol": of("vlan_protocol", word("ETH_P_", **{"8021Q": "802.1Q"})),
    "bridge_id": of("bridge_id", bridge_id),
    "root_id": of("root_id", bridge_id),
    "root_port": of("root_port"),
    "root_path_cost": of("root_path_cost"),
    "topology_change": of("topology_change"),
    "topology_change_detected": of("topology_change_detected"),
    "hello_timer": of("hello_timer", ticks),
    "tcn_timer": of("tcn_timer", ticks),
    "topology_change_timer": of("topology_change_timer", ticks),
    "gc_timer": of("gc_timer", ticks),
    "group_fwd_mask": of("group_fwd_mask", lambda value: f"{value:#x}" if value else "0"),
    "group_addr": of("group_addr"),
    "vlan_default_pvid": of("vlan_default_pvid"),
    "vlan_stats_enabled": of("vlan_stats_enabled"),
    "vlan_stats_per_port": of("vlan_stats_per_port"),
    "mcast_snooping": of("mcast_snooping"),
    "no_linklocal_learn": boolopt(0),
    "mcast_vlan_snooping": boolopt(1),
    "mst_enabled": boolopt(2),
    "mcast_router": of("mcast_router", MDB_RTR_TYPES := {
        "MDB_RTR_TYPE_DISABLED": 0,
        "MDB_RTR_TYPE_TEMP_QUERY": 1,
        "MDB_RTR_TYPE_PERM": 2,
        "MDB_RTR_TYPE_TEMP": 3,
    }.__getitem__),
    "mcast_query_use_ifaddr": of("mcast_query_use_ifaddr"),
    "mcast_querier": of("mcast_querier"),
    "mcast_hash_elasticity": of("mcast_hash_elasticity"),
    "mcast_hash_max": of("mcast_hash_max"),
    "mcast_last_member_cnt": of("mcast_last_member_cnt"),
    "mcast_startup_query_cnt": of("mcast_startup_query_cnt"),
    "mcast_last_member_intvl": of("mcast_last_member_intvl"),
    "mcast_membership_intvl": of("mcast_membership_intvl"),
    "mcast_querier_intvl": of("mcast_querier_intvl"),
    "mcast_query_intvl": of("mcast_query_intvl"),
    "mcast_query_response_intvl": of("mcast_query_response_intvl"),
    "mcast_startup_query_intvl": of("mcast_startup_query_intvl"),
    "mcast_stats_enabled": of("mcast_stats_enabled"),
    "mcast_igmp_version": of("mcast_igmp_version"),
    "mcast_mld_version": of("mcast_mld_version"),
    "nf_call_iptables": of("nf_call_iptables"),
    "nf_call_ip6tables": of("nf_call_ip6tables"),
    "nf_call_arptables": of("nf_call_arptables"),
    "fdb_n_learned": of("fdb_n_learned"),
    "fdb_max_learned": of("fdb_max_learned"),
}  # fmt: skip

BRIDGE_PORT: Table = {
    "state": of("state", word("BR_STATE_")),
    "priority": of("priority"),
    "cost": of("cost"),
    "hairpin": of("mode", bool),
    "guard": of("guard", bool),
    "root_block": of("protect", bool),
    "fastleave": of("fast_leave", bool),
    "learning": of("learning", bool),
    "flood": of("unicast_flood", bool),
    "id": of("id", hex),
    "no": of("no", hex),
    "designated_port": of("designated_port"),
    "designated_cost": of("designated_cost"),
    "bridge_id": of("bridge_id", bridge_id),
    "root_id": of("root_id", bridge_id),
    "hold_timer": of("hold_timer", ticks),
    "message_age_timer": of("message_age_timer", ticks),
    "forward_delay_timer": of("forward_delay_timer", ticks),
    "topology_change_ack": of("topology_change_ack"),
    "config_pending": of("config_pending"),
    "proxy_arp": of("proxyarp", bool),
    "proxy_arp_wifi": of("proxyarp_wifi", bool),
    "multicast_router": of("multicast_router", MDB_RTR_TYPES),
    "mcast_flood": of("mcast_flood", bool),
    "bcast_flood": of("bcast_flood", bool),
    "mcast_to_unicast": of("mcast_to_ucast", bool),
    "neigh_suppress": of("neigh_suppress", bool),
    "neigh_vlan_suppress": of("neigh_vlan_suppress", bool),
    "group_fwd_mask": of("group_fwd_mask", lambda value: f"{value:#x}" if value else "0"),
    "group_fwd_mask_str": of("group_fwd_mask", hex),  # ip names bits, of which none is set here
    "vlan_tunnel": of("vlan_tunnel", bool),
    "isolated": of("isolated", bool),
    "locked": of("locked", bool),
    "mab": of("mab", bool),
    "backup_nhid": of("backup_nhid"),
    "mcast_max_groups": of("mcast_max_groups"),
    "mcast_n_groups": of("mcast_n_groups"),
}


def is_multicast(text: str) -> bool:
    return text.startswith("ff") if ":" in text else 224 <= int(text.split(".")[0]) < 240


def vxlan_group(field: str, *, multicast: bool) -> Row:
    """Return a row with the remote end: `group` if it is a multicast address, else `remote`."""

    def row(ours: Ours) -> Any:
        value = ours[field]
        return value if value is not ABSENT and is_multicast(value) is multicast else ABSENT

    return row


VXLAN: Table = {
    "external": unless(False, of("collect_metadata", bool)),
    "vnifilter": unless(False, of("vnifilter", bool)),
    "id": of("id"),
    "group": vxlan_group("group", multicast=True),
    "remote": vxlan_group("group", multicast=False),
    "group6": vxlan_group("group6", multicast=True),
    "remote6": vxlan_group("group6", multicast=False),
    "local": of("local"),
    "local6": of("local6"),
    "link": device("link"),
    "port_range": of("port_range"),
    "port": of("port"),
    "learning": of("learning", bool),
    "proxy": unless(False, of("proxy", bool)),
    "rsc": unless(False, of("rsc", bool)),
    "l2miss": unless(False, of("l2miss", bool)),
    "l3miss": unless(False, of("l3miss", bool)),
    "tos": unless("0x0", of("tos", hex)),
    "ttl": lambda ours: ours["ttl"] if not ours.get("ttl_inherit") or ours["ttl"] else ABSENT,
    "df": of("df", word("VXLAN_DF_")),
    "label": unless(0, of("label")),
    "ageing": of("ageing"),
    "limit": unless(0, of("limit")),
    "udp_csum": of("udp_csum", bool),
    "udp_zero_csum6_tx": of("udp_zero_csum6_tx", bool),
    "udp_zero_csum6_rx": of("udp_zero_csum6_rx", bool),
    "remcsum_tx": unless(False, of("remcsum_tx", bool)),
    "remcsum_rx": unless(False, of("remcsum_rx", bool)),
    "localbypass": of("localbypass", bool),
    "gbp": of("gbp"),
    "gpe": of("gpe"),
}


def link_data(ours: Ours) -> Any:
    """IFLA_INFO_DATA, by kind."""
    data = ours["data"]
    if data is ABSENT:
        return ABSENT
    return render({"bridge": BRIDGE, "vxlan": VXLAN}[ours["kind"]], ours.inner(data))


LINKINFO: Table = {
    "info_kind": of("kind"),
    "info_data": link_data,
    "info_slave_kind": of("slave_kind"),
    "info_slave_data": nest("slave_data", BRIDGE_PORT),
}

LINK: Table = {
    "ifindex": of("index"),
    "ifname": of("ifname"),
    "link": device("link"),
    "flags": link_flags,
    "mtu": of("mtu"),
    "qdisc": of("qdisc"),
    "master": device("master"),
    "operstate": of("operstate", lambda value: value.removeprefix("IF_OPER_")),
    "linkmode": of("linkmode", lambda value: value.removeprefix("IF_LINK_MODE_")),
    "group": of("group", lambda value: str(value) if value else "default"),
    "txqlen": of("txqlen"),
    "link_type": of("type", word("ARPHRD_")),
    "address": of("address"),
    "broadcast": of("broadcast"),
    "permaddr": of("perm_address"),
    "promiscuity": of("promiscuity"),
    "allmulti": of("allmulti"),
    "min_mtu": of("min_mtu"),
    "max_mtu": of("max_mtu"),
    "linkinfo": nest("linkinfo", LINKINFO),
    "inet6_addr_gen_mode": inside("af_spec", inside("inet6", of(
        "addr_gen_mode", word("IN6_ADDR_GEN_MODE_", STABLE_PRIVACY="stable_secret")))),
    "num_tx_queues": of("num_tx_queues"),
    "num_rx_queues": of("num_rx_queues"),
    "gso_max_size": of("gso_max_size"),
    "gso_max_segs": of("gso_max_segs"),
    "tso_max_size": of("tso_max_size"),
    "tso_max_segs": of("tso_max_segs"),
    "gro_max_size": of("gro_max_size"),
    "gso_ipv4_max_size": of("gso_ipv4_max_size"),
    "gro_ipv4_max_size": of("gro_ipv4_max_size"),
    "ifalias": of("ifalias"),
    "altnames": inside("prop_list", of("alt_ifname")),
    "stats64": lambda ours: {
        "rx": render(STATS_RX, ours.inner(ours["stats64"])),
        "tx": render(STATS_TX, ours.inner(ours["stats64"]))
        | {"carrier_changes": ours["carrier_changes"]},
    },
}  # fmt: skip

# Only an ip that is newer than 6.1 (Debian 12) shows these.
LINK_NEWER = (
    "gso_ipv4_max_size", "gro_ipv4_max_size", "localbypass", "mab", "neigh_vlan_suppress",
    "backup_nhid", "mcast_max_groups", "mcast_n_groups", "fdb_n_learned", "fdb_max_learned",
    "mst_enabled",
)  # fmt: skip


def our_links() -> list[Json]:
    links = links_by_index()
    return [render(LINK, Ours(link, links)) for link in links.values()]


def test_links(scene: None) -> None:
    shown = agree(our_links, lambda: ip("-d -s -s link"), LINK_NEWER)
    kinds = [entry.get("linkinfo", {}).get("info_kind") for entry in shown]
    assert {"veth", "bridge"} <= set(kinds)
    assert any("info_slave_data" in entry.get("linkinfo", {}) for entry in shown)


# --- ip -d addr -----------------------------------------------------------------------------------


def ifa(flag: str, *, of_family: str | None = None) -> Row:
    """Return a row that shows a flag of an address as ip does: by a key whose value is true."""

    def row(ours: Ours) -> Any:
        if of_family not in (None, ours["family"]):
            return ABSENT
        return True if f"IFA_F_{flag}" in ours["flags"] else ABSENT

    return row


ADDRESS: Table = {
    "family": of("family", word("AF_")),
    "local": lambda ours: ours["address"] if ours["local"] is ABSENT else ours["local"],
    "address": lambda ours: (  # the other end
        ABSENT if ours["local"] in (ABSENT, ours["address"]) else ours["address"]
    ),
    "prefixlen": of("prefixlen"),
    "metric": of("rt_priority"),
    "broadcast": of("broadcast"),
    "anycast": of("anycast"),
    "scope": of("scope", word("RT_SCOPE_", UNIVERSE="global")),
    "protocol": of("proto", word("IFAPROT_")),
    # One bit with two names.
    "secondary": ifa("SECONDARY", of_family="AF_INET"),
    "temporary": ifa("SECONDARY", of_family="AF_INET6"),
    "nodad": ifa("NODAD"),
    "optimistic": ifa("OPTIMISTIC"),
    "dadfailed": ifa("DADFAILED"),
    "home": ifa("HOMEADDRESS"),
    "deprecated": ifa("DEPRECATED"),
    "tentative": ifa("TENTATIVE"),
    "dynamic": lambda ours: ABSENT if "IFA_F_PERMANENT" in ours["flags"] else True,
    "mngtmpaddr": ifa("MANAGETEMPADDR"),
    "noprefixroute": ifa("NOPREFIXROUTE"),
    "autojoin": ifa("MCAUTOJOIN"),
    "stable-privacy": ifa("STABLE_PRIVACY"),
    "label": of("label"),
    "valid_life_time": inside("cacheinfo", of("valid")),
    "preferred_life_time": inside("cacheinfo", of("prefered")),
}
ADDRESS_NEWER = ("protocol",)


def our_addresses() -> list[Json]:
    links = links_by_index()
    shown: dict[int, Json] = {
        index: {"ifname": link["ifname"], "addr_info": []} for index, link in links.items()
    }
    for address in netlink("addr"):
        rendered = render(ADDRESS, Ours(address, links))
        shown[address["index"]]["addr_info"].append(rendered)
    return list(shown.values())


def their_addresses() -> list[Json]:
    return [{field: entry[field] for field in ("ifname", "addr_info")} for entry in ip("-d addr")]


def test_addresses(scene: None) -> None:
    agree(our_addresses, their_addresses, ADDRESS_NEWER)


# --- ip route -------------------------------------------------------------------------------------


ROUTE_FETCHED = "nh_info"  # what ip -d asks the kernel for in another request, by `nhid`

PLAIN = {"type": "unicast", "table": "main", "protocol": "boot", "scope": "global"}


def our_routes(*, details: bool) -> list[Json]:
    """Return our routes without usual values, as ip does without -d."""
    links = links_by_index()
    shown = []
    for route in netlink("route"):
        rendered = render(ROUTE, Ours(route, links))
        if not details:
            usual = {field for field in PLAIN if rendered[field] == PLAIN[field]}
            rendered = {field: rendered[field] for field in rendered if field not in usual}
        shown.append(rendered)
    return shown


def their_routes(arguments: str) -> list[Json]:
    shown = ip(arguments)
    for entry in shown:
        entry.pop(ROUTE_FETCHED, None)
    return shown


@pytest.mark.parametrize("arguments", ["route show table all", "-d route show table all"])
def test_routes(scene: None, arguments: str) -> None:
    details = arguments.startswith("-d")
    shown = agree(lambda: our_routes(details=details), lambda: their_routes(arguments))
    fields = {field for entry in shown for field in entry}
    assert {"nexthops", "via", "metrics", "metric", "prefsrc", "expires"} <= fields
    assert {"local", "broadcast", "blackhole", "unreachable", "prohibit", "throw",
            "multicast", "anycast"} <= {entry.get("type") for entry in shown}  # fmt: skip
    assert {"local", "1000", "70000", "500"} <= {entry.get("table") for entry in shown}


# --- ip neigh, bridge fdb -------------------------------------------------------------------------

NEIGHBOUR: Table = {
    "dst": of("dst"),
    "dev": device("ndm_ifindex"),
    "lladdr": of("lladdr"),
    "vlan": of("vlan"),
    "router": has("flags", "NTF_ROUTER"),
    "proxy": has("flags", "NTF_PROXY"),
    "extern_learn": has("flags", "NTF_EXT_LEARNED"),
    "offload": has("flags", "NTF_OFFLOADED"),
    "managed": has("flags_ext", "NTF_EXT_MANAGED"),
    "refcnt": inside("cacheinfo", unless(0, of("refcnt"))),
    "used": inside("cacheinfo", of("used", seconds)),
    "confirmed": inside("cacheinfo", of("confirmed", seconds)),
    "updated": inside("cacheinfo", of("updated", seconds)),
    "probes": of("probes"),
    "state": unless([], of("state", words("NUD_"))),
    "protocol": of("protocol", word("RTPROT_")),
}


def fdb_state(names: list[str]) -> str:
    """Return the state as one word: the first that applies, as in bridge/fdb.c."""
    shown = {"PERMANENT": "permanent", "NOARP": "static", "STALE": "stale", "REACHABLE": ""}
    return next(shown[state] for state in shown if f"NUD_{state}" in names)


FDB: Table = {
    "mac": of("lladdr"),
    "ifname": device("ndm_ifindex"),
    "vlan": of("vlan"),
    "dst": of("dst"),
    "port": of("port"),
    "vni": of("vni"),
    "src_vni": of("src_vni"),
    "viaIf": device("ifindex"),
    "used": inside("cacheinfo", of("used", seconds)),
    "updated": inside("cacheinfo", of("updated", seconds)),
    "flags": of("flags", lambda names: sorted(
        name.removeprefix("NTF_").lower() for name in names if name != "NTF_STICKY")),
    "master": device("master"),
    "state": of("state", fdb_state),
}  # fmt: skip


def our_neighbours(table: Table, found: list[Json]) -> list[Json]:
    links = links_by_index()
    return [render(table, Ours(entry, links)) for entry in found]


def test_neighbours(scene: None) -> None:
    shown = agree(
        lambda: our_neighbours(NEIGHBOUR, netlink("neigh")),
        lambda: ip("-d -s neigh show nud all"),
    )
    assert ["PERMANENT"] in [entry["state"] for entry in shown]


def test_proxies(scene: None) -> None:
    request = neigh.get(flags=neigh.NTF.NTF_PROXY)
    shown = agree(
        lambda: our_neighbours(NEIGHBOUR, dumped(request)),
        lambda: ip("-d -s neigh show proxy"),
    )
    assert [entry["dst"] for entry in shown] == ["192.0.2.77", "2001:db8::77"]


def test_forwarding_entries(scene: None) -> None:
    request = neigh.get(family=AF.AF_BRIDGE)
    shown = agree(
        lambda: our_neighbours(FDB, dumped(request)),
        lambda: ip("-s fdb show", program="bridge"),
    )
    assert "br0" in [entry.get("master") for entry in shown]
