"""What rtnetlink has besides links, addresses, routes, neighbours and bridges, in both directions.

First the kernel as oracle: what `ip` makes, we read like it prints it, by the table language of
test_oracle.py. Then what our plans make, of every kind of object, `ip` shows. Last, what nobody can
ask for: events, and the options that a router or a multicast daemon sends for.

No kernel has everything. A test whose scene the kernel refuses skips, with the kernel's words.
"""

import errno
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, KernelError, Message
from netlink.constants import AF
from netlink.family import Plan
from netlink.route import (
    FAMILY,
    addr,
    addrlabel,
    anycast,
    cachereport,
    dcb,
    link,
    mdb,
    multicast,
    nduseropt,
    neigh,
    neightbl,
    netconf,
    nexthop,
    nsid,
    prefix,
    route,
    rule,
    stats,
    tunnel,
    vlandb,
)
from netlink.route.neigh import NUD
from netlink.route.rtnetlink import RT_SCOPE, RT_TABLE, RTM, RTN, RTPROT
from netlink.route.stats import IFLA_STATS
from tests.kernel.oracle import (
    ABSENT,
    STATS_RX,
    STATS_TX,
    Json,
    Ours,
    Table,
    agree,
    device,
    dumped,
    ip,
    nest,
    of,
    our_rows,
    render,
    word,
)
from tests.kernel.scene import events, make, shown

# --- the family -----------------------------------------------------------------------------------

# Types that have a number, but that no kernel sends or accepts.
UNUSED = {RTM.RTM_GETLINKPROP: "no handler: the names come with the link (rtnetlink_init)"}


def test_every_message_type_has_a_class() -> None:
    assert {kind for kind in RTM if kind not in FAMILY.classes} == set(UNUSED)


def test_every_op_is_of_the_family() -> None:
    for module in (addr, dcb, mdb, nexthop, route, tunnel, vlandb):
        for op in (module.get, module.delete if module is not dcb else dcb.set):
            assert FAMILY.ops[op.name] is op


# --- ip ntable ------------------------------------------------------------------------------------

PARMS: Table = {
    "dev": device("ifindex"),
    "refcnt": of("refcnt"),
    "reachable": of("reachable_time"),
    "base_reachable": of("base_reachable_time"),
    "retrans": of("retrans_time"),
    "gc_stale": of("gc_staletime"),
    "delay_probe": of("delay_probe_time"),
    "queue": of("queue_len"),
    "app_probes": of("app_probes"),
    "ucast_probes": of("ucast_probes"),
    "mcast_probes": of("mcast_probes"),
    "anycast_delay": of("anycast_delay"),
    "proxy_delay": of("proxy_delay"),
    "proxy_queue": of("proxy_qlen"),
    "locktime": of("locktime"),
}
NDT_CONFIG: Table = {
    "key_length": of("key_len"),
    "entry_size": of("entry_size"),
    "entries": of("entries"),
    "hash_rnd": of("hash_rnd"),
    "hash_mask": of("hash_mask", hex),
    "hash_chain_gc": of("hash_chain_gc"),
    "proxy_qlen": of("proxy_qlen"),
}
NDT_STATS = (
    "allocs", "destroys", "hash_grows", "res_failed", "lookups", "hits", "rcv_probes_mcast",
    "rcv_probes_ucast", "periodic_gc_runs", "forced_gc_runs", "table_fulls",
)  # fmt: skip


def test_neighbour_tables(left: int) -> None:
    def rendered() -> list[Json]:
        links = {found["index"]: found for found in dumped(link.get())}
        tables = []
        for message in dumped(neightbl.get()):
            ours = Ours(message, links)
            one = {
                "family": word("AF_")(ours["family"]),
                **{field: ours[field] for field in ("name", "thresh1", "thresh2", "thresh3")},
                "gc_interval": ours["gc_interval"],
                **(nest("config", NDT_CONFIG)(ours) or {}),
                **nest("parms", PARMS)(ours),
                **(nest("stats", {name: of(name) for name in NDT_STATS})(ours) or {}),
            }
            tables.append({name: value for name, value in one.items() if value is not ABSENT})
        return tables

    def theirs() -> list[Json]:
        # ip prints these two times as dates, computed from its clock.
        dates = ("last_flush", "last_rand")
        return [
            {name: value for name, value in one.items() if name not in dates}
            for one in ip("-s ntable show")
        ]

    found = agree(rendered, theirs)
    assert {"arp_cache", "ndisc_cache"} <= {one["name"] for one in found}
    assert "left" in {one.get("dev") for one in found}


# --- ip netconf, ip netns -------------------------------------------------------------------------

NETCONF: Table = {
    "family": of("family", word("AF_")),
    "interface": lambda ours: (
        {"NETCONFA_IFINDEX_ALL": "all", "NETCONFA_IFINDEX_DEFAULT": "default"}.get(ours["ifindex"])
        or device("ifindex")(ours)
    ),
    "forwarding": of("forwarding", bool),
    "rp_filter": of("rp_filter", ("off", "strict", "loose").__getitem__),
    "mc_forwarding": of("mc_forwarding", bool),
    "proxy_neigh": of("proxy_neigh", bool),
    "ignore_routes_with_linkdown": of("ignore_routes_with_linkdown", bool),
    "input": of("input", bool),
}


def test_netconf(left: int) -> None:
    for setting in ("ipv4/conf/left/rp_filter", "ipv4/conf/all/forwarding"):
        Path("/proc/sys/net", setting).write_text("1")
    Path("/proc/sys/net/ipv6/conf/left/ignore_routes_with_linkdown").write_text("1")
    found = agree(our_rows(NETCONF, netconf.get()), lambda: ip("netconf"))
    assert {"all", "default", "left"} <= {one["interface"] for one in found}


@pytest.fixture
def other() -> Iterator[int]:
    """A process in another network namespace."""
    command = ["unshare", "--net", "sh", "-c", "echo ready && exec cat"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        process.stdin.close()


def test_namespace_ids(nl: Connection, other: int) -> None:
    assert nl.do(nsid.get(pid=other)).nsid == nsid.NETNSA_NSID.NETNSA_NSID_NOT_ASSIGNED
    nl.do(nsid.new(nsid=5, pid=other))
    assert nl.do(nsid.get(pid=other)).nsid == 5
    with open(f"/proc/{other}/ns/net") as space:
        assert nl.do(nsid.get(fd=space.fileno())).nsid == 5
    assert [one["nsid"] for one in shown("netns list-id")] == [5]
    assert [one.nsid for one in nl.dump(nsid.get())] == [5]
    with pytest.raises(KernelError) as refused:
        nl.do(nsid.new(nsid=6, pid=other))
    assert refused.value.errno == errno.EEXIST


# --- ip addrlabel, ip maddr -----------------------------------------------------------------------

LABEL: Table = {
    "address": of("address"),
    "prefixlen": of("prefixlen"),
    "ifname": lambda ours: ABSENT if ours["index"] == 0 else device("index")(ours),
    "label": of("label"),
}


def labels() -> list[Json]:
    found = shown("addrlabel")
    for one in found:  # ip writes IPv4-mapped addresses half in decimal
        one["address"] = str(IPv6Address(one["address"]))
    return found


def test_address_labels(left: int, nl: Connection) -> None:
    labels()
    request = addrlabel.get(family=AF.AF_INET6)
    mine = {"family": AF.AF_INET6, "address": "2001:db8:7::", "prefixlen": 48}
    nl.do(addrlabel.new(**mine, index=left, label=77))
    found = agree(our_rows(LABEL, request), labels)
    assert {"address": "2001:db8:7::", "prefixlen": 48, "ifname": "left", "label": 77} in found
    with pytest.raises(KernelError) as refused:
        nl.do(addrlabel.new(**mine, index=left, label=78))
    assert refused.value.errno == errno.EEXIST
    nl.do(addrlabel.replace(**mine, index=left, label=79))
    one = nl.do(addrlabel.get(family=AF.AF_INET6, address="2001:db8:7::9", prefixlen=128,
                              index=left))  # fmt: skip
    assert one is not None
    assert one.label == 79
    nl.do(addrlabel.delete(**mine, index=left, label=79))
    assert 79 not in {one["label"] for one in labels()}


def test_multicast_addresses(left: int, nl: Connection) -> None:
    (theirs,) = ip("maddr show dev left")  # from /proc
    for family, name in ((AF.AF_INET6, "inet6"), (AF.AF_INET, "inet")):
        try:
            found = [one for one in nl.dump(multicast.get(family=family)) if one.index == left]
        except KernelError as error:
            assert family == AF.AF_INET
            pytest.skip(f"the kernel gives those of IPv6 alone: {error}")
        addresses = [one["address"] for one in theirs["maddr"] if one.get("family") == name]
        assert sorted(str(one.multicast) for one in found) == sorted(addresses)


def test_anycast_addresses(left: int, nl: Connection) -> None:
    Path("/proc/sys/net/ipv6/conf/left/forwarding").write_text("1")  # the subnet's routers
    found = list(nl.dump(anycast.get(family=AF.AF_INET6)))
    assert [(one.index, str(one.anycast)) for one in found if one.anycast] != []
    assert (left, IPv6Address("2001:db8::")) in {(one.index, one.anycast) for one in found}


# --- ip stats -------------------------------------------------------------------------------------


def test_stats(left: int, nl: Connection) -> None:
    def rendered() -> list[Json]:
        found = nl.do(stats.get(ifindex=left, filter_mask=IFLA_STATS.IFLA_STATS_LINK_64))
        assert found is not None
        counters = found.to_json()["link_64"]
        rows = (("rx", STATS_RX), ("tx", STATS_TX))
        stats64 = {side: render(table, Ours(counters, {})) for side, table in rows}
        return [{"ifindex": left, "ifname": "left", "group": "link", "stats64": stats64}]

    agree(rendered, lambda: shown("-s stats show dev left group link"))


def test_hardware_stats(left: int, nl: Connection) -> None:
    mask = IFLA_STATS.IFLA_STATS_LINK_OFFLOAD_XSTATS
    part = stats.IFLA_OFFLOAD_XSTATS.IFLA_OFFLOAD_XSTATS_HW_S_INFO
    request = stats.get(ifindex=left, filter_mask=mask, get_filters={"link_offload_xstats": part})
    found = nl.do(request)
    assert found is not None
    offload = found.link_offload_xstats
    assert offload is not None and offload.hw_s_info is not None
    assert offload.hw_s_info.to_dict() == {"l3_stats": {"request": 0, "used": 0}}
    nl.do(stats.set(ifindex=left, set_offload_xstats_l3_stats=1))
    assert nl.do(request).to_dict()["link_offload_xstats"]["hw_s_info"]["l3_stats"]["request"] == 1


# --- plans: what people write, and what ip shows --------------------------------------------------

# A plan, the question to ip, and values that its first answer must have.
PLANS: list[tuple[str, Callable[[], Plan[None]], str, Json]] = [
    (
        "addr.add",
        lambda: addr.add("192.0.2.9/25", "left", broadcast="+", label="left:x", metric=7),
        "addr show dev left",
        {"local": "192.0.2.9", "prefixlen": 25, "broadcast": "192.0.2.127", "metric": 7},
    ),
    (
        "addr.add a peer",
        lambda: addr.add("192.0.2.9", "left", peer="198.51.100.1/30", scope="link"),
        "addr show dev left",
        {"local": "192.0.2.9", "address": "198.51.100.1", "prefixlen": 30, "scope": "link"},
    ),
    (
        "addr.add for a while",
        lambda: addr.add("2001:db8::9", dev="left", valid_lft=9000, preferred_lft=0),
        "addr show dev left",
        {"local": "2001:db8::9", "prefixlen": 128, "preferred_life_time": 0},
    ),
    (
        "addr.add of a host",
        lambda: addr.add("127.0.0.9/8", "lo"),
        "addr show dev lo",
        {"local": "127.0.0.9", "scope": "host"},
    ),
    (
        "addr.put",
        lambda: addr.put("192.0.2.1/24", "left", metric=77),
        "addr show dev left",
        {"local": "192.0.2.1", "metric": 77},
    ),
    (
        "route.add",
        lambda: route.add("10.0.0.0/24", via="192.0.2.2", dev="left"),
        "-d route show 10.0.0.0/24",
        {"gateway": "192.0.2.2", "dev": "left", "protocol": "boot", "scope": "global"},
    ),
    (
        "route.add to a link",
        lambda: route.add("10.0.0.0/24", dev="left", table=70000, proto="static", mtu=1300),
        "-d route show table 70000",
        {"dev": "left", "protocol": "static", "scope": "link", "metrics": [{"mtu": 1300}]},
    ),
    (
        "route.add default",
        lambda: route.add("default", via="192.0.2.2", src="192.0.2.1", metric=5, tos=16),
        "route show default",
        {"dst": "default", "gateway": "192.0.2.2", "prefsrc": "192.0.2.1", "metric": 5},
    ),
    (
        "route.add default of IPv6",
        lambda: route.add("default", via="2001:db8::2"),
        "-d -6 route show default",
        {"gateway": "2001:db8::2", "dev": "left", "protocol": "boot"},
    ),
    (
        "route.add through the other family",
        lambda: route.add("10.0.0.0/24", via="2001:db8::2", dev="left"),
        "route show 10.0.0.0/24",
        {"via": {"family": "inet6", "host": "2001:db8::2"}},
    ),
    (
        "route.add onlink",
        lambda: route.add("10.0.0.0/24", via="172.16.0.1", dev="left", onlink=True),
        "route show 10.0.0.0/24",
        {"gateway": "172.16.0.1", "flags": ["onlink"]},
    ),
    (
        "route.add a word",
        lambda: route.add("10.0.0.0/24", type="blackhole", table="local"),
        "route show table local 10.0.0.0/24",
        {"type": "blackhole"},
    ),
    (
        "route.put",
        lambda: route.put("192.0.2.0/24", dev="left", proto="kernel", src="192.0.2.1", mtu=1200),
        "route show 192.0.2.0/24",
        {"metrics": [{"mtu": 1200}]},
    ),
    (
        "route.change",
        lambda: route.change("192.0.2.0/24", dev="left", proto="kernel", src="192.0.2.1", mtu=1200),
        "route show 192.0.2.0/24",
        {"metrics": [{"mtu": 1200}]},
    ),
    (
        "route.add expiring",
        lambda: route.add("2001:db8:9::/48", via="2001:db8::2", expires=900),
        "-6 route show 2001:db8:9::/48",
        {"gateway": "2001:db8::2"},
    ),
    (
        "neigh.add",
        lambda: neigh.add("192.0.2.7", "left", lladdr="02:00:00:00:00:07"),
        "neigh show 192.0.2.7",
        {"lladdr": "02:00:00:00:00:07", "state": ["PERMANENT"]},
    ),
    (
        "neigh.put",
        lambda: neigh.put("2001:db8::7", "left", lladdr="02:00:00:00:00:07", state=NUD.NUD_STALE),
        "neigh show 2001:db8::7",
        {"lladdr": "02:00:00:00:00:07", "state": ["STALE"]},
    ),
    (
        "neigh.add for another",
        lambda: neigh.add("192.0.2.7", "left", proxy=True),
        "neigh show proxy",
        {"dst": "192.0.2.7", "dev": "left", "proxy": None},
    ),
    (
        "rule.add",
        lambda: rule.add(
            from_="192.0.2.0/24", to="198.51.100.7", iif="left", fwmark=5, fwmask=255, table=100,
            priority=1000, ipproto=6, sport=(10, 20), dport=80, uidrange=(0, 0), invert=True,
        ),
        "rule show pref 1000",
        {"not": None, "src": "192.0.2.0", "srclen": 24, "dst": "198.51.100.7", "iif": "left",
         "fwmark": "0x5", "fwmask": "0xff", "table": "100", "ipproto": "tcp", "sport_start": 10,
         "sport_end": 20, "dport": 80, "uid_start": 0, "uid_end": 0},
    ),
    (
        "rule.add to the main table",
        lambda: rule.add(oif="left", priority=1000),
        "rule show pref 1000",
        {"oif": "left", "table": "main"},
    ),
    (
        "rule.add goto",
        lambda: rule.add(family=AF.AF_INET6, goto=32766, priority=1000),
        "-6 rule show pref 1000",
        {"goto": 32766},
    ),
    (
        "rule.add a word",
        lambda: rule.add(from_="2001:db8::/32", action="prohibit", priority=1000),
        "-6 rule show pref 1000",
        {"src": "2001:db8::", "srclen": 32, "action": "prohibit"},
    ),
    (
        "nexthop.add",
        lambda: nexthop.add(7, via="192.0.2.2", dev="left"),
        "nexthop show id 7",
        {"gateway": "192.0.2.2", "dev": "left"},
    ),
    (
        "nexthop.add blackhole",
        lambda: nexthop.add(7, blackhole=True),
        "nexthop show id 7",
        {"blackhole": None},
    ),
    (
        "nexthop.add fdb",
        lambda: nexthop.add(7, via="2001:db8::9", fdb=True),
        "nexthop show id 7",
        {"gateway": "2001:db8::9", "fdb": None},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    "plan, question, expected", [row[1:] for row in PLANS], ids=[row[0] for row in PLANS]
)
def test_plan(
    left: int, nl: Connection, plan: Callable[[], Plan[None]], question: str, expected: Json
) -> None:
    nl.do(plan())
    found = ip(question)
    found = [item for one in found for item in one.get("addr_info", [one])]
    assert any(one.items() >= expected.items() for one in found), found


# Objects that the same words remove, and the errno if the object does not exist.
REMOVALS: list[tuple[Callable[[], Plan[None]], Callable[[], Plan[None]], int]] = [
    (
        lambda: addr.add("192.0.2.9/25", "left"),
        lambda: addr.remove("192.0.2.9/25", "left"),
        errno.EADDRNOTAVAIL,
    ),
    (
        lambda: route.add("10.0.0.0/24", via="192.0.2.2", table=100),
        lambda: route.remove("10.0.0.0/24", table=100),
        errno.ESRCH,
    ),
    (
        lambda: route.add("2001:db8:9::/48", dev="left"),
        lambda: route.remove("2001:db8:9::/48"),
        errno.ESRCH,
    ),
    (
        lambda: neigh.add("192.0.2.7", "left", lladdr="02:00:00:00:00:07"),
        lambda: neigh.remove("192.0.2.7", "left"),
        errno.ENOENT,
    ),
    (
        lambda: rule.add(from_="192.0.2.0/24", table=100, priority=7),
        lambda: rule.remove(from_="192.0.2.0/24", table=100),
        errno.ENOENT,
    ),
    (
        lambda: nexthop.add(7, via="192.0.2.2", dev="left"),
        lambda: nexthop.remove(7),
        errno.ENOENT,
    ),
]  # fmt: skip


@pytest.mark.parametrize("make, remove, missing", REMOVALS)
def test_removal(
    left: int,
    nl: Connection,
    make: Callable[[], Plan[None]],
    remove: Callable[[], Plan[None]],
    missing: int,
) -> None:
    nl.do(make())
    with pytest.raises(KernelError) as refused:
        nl.do(make())
    assert refused.value.errno == errno.EEXIST
    nl.do(remove())
    with pytest.raises(KernelError) as refused:
        nl.do(remove())
    assert refused.value.errno == missing


def test_several_next_hops(left: int, nl: Connection) -> None:
    hops = [{"via": "192.0.2.2", "weight": 3}, {"via": "192.0.2.3", "dev": "left"}]
    for dst, question in (("default", "route show default"), ("10.0.0.0/8", "route show 10/8")):
        nl.do(route.add(dst, nexthops=hops))
        (found,) = ip(question)
        assert [(hop["gateway"], hop["weight"]) for hop in found["nexthops"]] == [
            ("192.0.2.2", 3), ("192.0.2.3", 1),
        ]  # fmt: skip
    hops = [{"via": "2001:db8::2", "weight": 3}, {"via": "2001:db8::3", "dev": "left"}]
    nl.do(route.add("2001:db8:9::/48", nexthops=hops))
    (found,) = ip("-6 route show 2001:db8:9::/48")
    assert [hop["weight"] for hop in found["nexthops"]] == [3, 1]


def test_next_hop_groups(left: int, nl: Connection) -> None:
    nl.do(nexthop.add(1, via="192.0.2.2", dev="left"))
    nl.do(nexthop.add(2, via="192.0.2.3", dev="left"))
    nl.do(nexthop.add(10, group={1: 1, 2: 256}))
    nl.do(nexthop.put(10, group={1: 1, 2: 7}))
    nl.do(nexthop.add(11, group={1: 1, 2: 3}, resilient={"buckets": 8, "idle_timer": 500}))
    nl.do(route.add("10.0.0.0/8", nhid=10))
    (one,) = ip("nexthop show id 10")
    assert one["group"] == [{"id": 1}, {"id": 2, "weight": 7}]
    (two,) = ip("nexthop show id 11")
    assert two["resilient_args"]["buckets"] == 8
    assert two["resilient_args"]["idle_timer"] == 5
    assert [one["nhid"] for one in ip("route show 10.0.0.0/8")] == [10]
    nl.do(nexthop.remove(10))
    assert ip("route show 10.0.0.0/8") == []


def test_lookup(left: int, nl: Connection) -> None:
    nl.do(route.add("10.0.0.0/8", via="192.0.2.2"))
    found = nl.do(route.lookup("10.1.2.3"))
    assert (found.gateway, found.oif) == (IPv4Address("192.0.2.2"), left)
    assert found.prefsrc == IPv4Address("192.0.2.1")
    found = nl.do(route.lookup("2001:db8::7", oif="left"))
    assert (found.oif, found.dst) == (left, IPv6Address("2001:db8::7"))
    with pytest.raises(KernelError) as refused:
        nl.do(route.lookup("198.51.100.1"))
    assert refused.value.errno == errno.ENETUNREACH


def test_neighbour_table_settings(left: int, nl: Connection) -> None:
    """They belong to a link. Only the first namespace has those of the table."""
    parms = {"ifindex": left, "ucast_probes": 7, "retrans_time": 2000}
    nl.do(neightbl.set(family=AF.AF_INET, name="arp_cache", parms=parms))
    (found,) = ip("ntable show name arp_cache dev left")
    assert (found["ucast_probes"], found["retrans"]) == (7, 2000)


@pytest.mark.usefixtures("machine_root")
def test_data_center_bridging(left: int, nl: Connection) -> None:
    """No virtual link supports it. The kernel's error shows that it parsed the request."""
    for request in (
        dcb.get(cmd=dcb.DCB_CMD.DCB_CMD_IEEE_GET, ifname="left"),
        dcb.set(cmd=dcb.DCB_CMD.DCB_CMD_IEEE_SET, ifname="left",
                ieee={"app_table": {"ieee_app": [{"selector": 5, "protocol": 46, "priority": 5}]}}),
    ):  # fmt: skip
        with pytest.raises(KernelError) as refused:
            nl.do(request)
        assert refused.value.errno == errno.EOPNOTSUPP


# --- events ---------------------------------------------------------------------------------------


def settings(name: str, value: int) -> Callable[[], Any]:
    return lambda: Path("/proc/sys/net", name).write_text(str(value))


def joined(group: str) -> Callable[[], Any]:
    """Join a multicast group on "left", and leave it afterwards."""

    def join() -> None:
        family = socket.AF_INET6 if ":" in group else socket.AF_INET
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as one:
            address = socket.inet_pton(family, group)
            index = struct.pack("=I", socket.if_nametoindex("left"))
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, address + index)
            else:
                packed = address + bytes(4) + index
                one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, packed)

    return join


# A group, an action, and the message that it causes: its class, its name and its values.
EVENTS: list[tuple[str, Callable[[], Any], type[Message], str, Json]] = [
    ("ipv4-rule", lambda: make("rule add table 100 pref 77"), rule.Rule, "RTM_NEWRULE",
     {"priority": 77, "table": 100}),
    ("ipv6-rule", lambda: make("rule add table 9 from 2001:db8::/32\nrule del table 9", "ip -6"),
     rule.Rule, "RTM_DELRULE", {"table": 9, "src_len": 32}),
    ("nexthop", lambda: make("nexthop add id 7 blackhole\nnexthop del id 7"),
     nexthop.NextHopObject, "RTM_DELNEXTHOP", {"id": 7, "blackhole": True}),
    ("ipv4-netconf", settings("ipv4/conf/left/forwarding", 1), netconf.NetConf, "RTM_NEWNETCONF",
     {"forwarding": 1}),
    ("ipv6-netconf", settings("ipv6/conf/left/proxy_ndp", 1), netconf.NetConf, "RTM_NEWNETCONF",
     {"proxy_neigh": 1}),
    ("neigh", lambda: make("neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev left"),
     neigh.Neighbour, "RTM_NEWNEIGH", {"lladdr": "02:00:00:00:00:07"}),
    ("ipv4-mcaddr", joined("239.1.1.1"), addr.Address, "RTM_NEWMULTICAST",
     {"multicast": IPv4Address("239.1.1.1")}),
    ("ipv6-mcaddr", joined("ff02::db8:1"), addr.Address, "RTM_DELMULTICAST",
     {"multicast": IPv6Address("ff02::db8:1")}),
    ("ipv6-acaddr", settings("ipv6/conf/left/forwarding", 1), addr.Address, "RTM_NEWANYCAST",
     {"anycast": IPv6Address("2001:db8::")}),
]  # fmt: skip


@pytest.mark.parametrize("group, do, cls, name, says", EVENTS, ids=[row[0] for row in EVENTS])
def test_event(
    left: int,
    nl: Connection,
    group: str,
    do: Callable[[], Any],
    cls: type[Message],
    name: str,
    says: Json,
) -> None:
    found = [one for one in events(nl, group, do) if one.nlmsg_name == name]
    assert found
    assert all(type(one) is cls for one in found)
    assert any(one.to_dict().items() >= says.items() for one in found)


def test_event_of_a_namespace(nl: Connection, other: int) -> None:
    (found,) = events(nl, "nsid", lambda: nl.do(nsid.new(nsid=5, pid=other)))
    assert type(found) is nsid.NamespaceId
    assert (found.nlmsg_name, found.nsid) == ("RTM_NEWNSID", 5)


# --- what a router sends --------------------------------------------------------------------------


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def send(frame: bytes, name: str = "right") -> None:
    """Send a frame out of a link."""
    with closing(socket.socket(socket.AF_PACKET, socket.SOCK_RAW)) as raw:
        raw.bind((name, 0))
        raw.send(frame)


ROUTER = IPv6Address("fe80::7")


def advertisement() -> bytes:
    """Return a router advertisement with a prefix (RFC 4861, 4.6.2) and a DNS server (RFC 8106)."""
    prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 9000, 900, 0)
    prefix += IPv6Address("2001:db8:7::").packed
    server = struct.pack("!BBHI", 25, 3, 0, 600) + IPv6Address("2001:db8::53").packed
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix + server
    ends = ROUTER.packed + IPv6Address("ff02::1").packed
    total = checksum(ends + struct.pack("!II", len(body), 58) + body)
    body = body[:2] + struct.pack("!H", total) + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + ends
    return bytes.fromhex("333300000001 020000000007 86dd") + header + body


def test_router_advertisements(left: int, nl: Connection) -> None:
    nl.join("ipv6-prefix", "nd-useropt")
    send(advertisement())
    found: dict[type, Any] = {type(one): one for one in nl.events(timeout=1)}
    one = found[prefix.Prefix]
    assert one.to_dict() == {
        "family": AF.AF_INET6, "ifindex": left, "type": 3, "len": 64, "flags": one.flags,
        "address": IPv6Address("2001:db8:7::"),
        "cacheinfo": {"preferred_time": 900, "valid_time": 9000},
    }  # fmt: skip
    two = found[nduseropt.NdUserOption]
    assert (two.nlmsg_name, two.ifindex, two.icmp_type) == ("RTM_NEWNDUSEROPT", left, 134)
    assert two.opts[0] == 25  # RDNSS
    assert two.opts[-16:] == IPv6Address("2001:db8::53").packed
    assert two.srcaddr == ROUTER


# --- what a multicast daemon hears ----------------------------------------------------------------

MRT_INIT, MRT_ADD_VIF, VIFF_USE_IFINDEX = 200, 202, 8  # linux/mroute.h


@pytest.fixture
def daemon(left: int) -> Iterator[None]:
    """A socket that routes multicast. Interface 0 is "left" and interface 1 is "right"."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)) as igmp:
        try:
            igmp.setsockopt(socket.IPPROTO_IP, MRT_INIT, 1)
        except OSError as error:
            pytest.skip(f"the kernel routes no multicast: {error}")
        for number, name in enumerate(("left", "right")):
            index = socket.if_nametoindex(name)
            vif = struct.pack("=HBBIi4x", number, VIFF_USE_IFINDEX, 1, 0, index)
            igmp.setsockopt(socket.IPPROTO_IP, MRT_ADD_VIF, vif)
        yield


def test_multicast_routes(daemon: None, left: int, nl: Connection) -> None:
    right = nl.do(link.index_of("right"))
    nl.do(route.new(
        family=AF.RTNL_FAMILY_IPMR, dst="239.1.1.1", dst_len=32, src="192.0.2.7", src_len=32,
        iif=left, multipath=[{"hops": 255}, {"hops": 1}], table=RT_TABLE.RT_TABLE_DEFAULT,
        scope=RT_SCOPE.RT_SCOPE_UNIVERSE, type=RTN.RTN_MULTICAST, protocol=RTPROT.RTPROT_STATIC,
    ))  # fmt: skip
    (found,) = nl.dump(route.get(family=AF.RTNL_FAMILY_IPMR))
    assert (found.src, found.dst) == (IPv4Address("192.0.2.7"), IPv4Address("239.1.1.1"))
    assert (found.iif, [hop.ifindex for hop in found.multipath]) == (left, [right])
    assert found.mfc_stats is not None
    assert found.mfc_stats.packets == 0
    (theirs,) = ip("mroute show")
    assert (theirs["dst"], theirs["iif"]) == ("239.1.1.1", "left")


def test_cache_reports(daemon: None, left: int, nl: Connection) -> None:
    nl.join("ipv4-mroute-r")
    ends = IPv4Address("192.0.2.7").packed + IPv4Address("239.9.9.9").packed
    udp = struct.pack("!HHHH", 9, 9, 8, 0)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 28, 0, 0, 9, 17, 0) + ends
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    send(bytes.fromhex("01005e090909 020000000007 0800") + head + udp)
    found = next(iter(nl.events(timeout=2)))
    assert isinstance(found, cachereport.CacheReport)
    assert found.family == AF.RTNL_FAMILY_IPMR
    assert found.msgtype == cachereport.IGMPMSG.IGMPMSG_NOCACHE
    assert (found.vif_id, str(found.src_addr), str(found.dst_addr)) == (0, "192.0.2.7", "239.9.9.9")
    assert found.table == RT_TABLE.RT_TABLE_DEFAULT
    assert found.pkt is not None
