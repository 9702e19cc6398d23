"""The scenes of capture.py: what is made, and which of the kernel's messages is kept of it.

A scene is a list of shots, in order, in a namespace of its own. Those of links and of traffic
control come from the tables of the live tests, which hold the same things against `ip` and `tc`.
"""

import ctypes
import json
import os
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netlink import Connection
from netlink.constants import AF
from netlink.route import (
    addr,
    addrlabel,
    anycast,
    link,
    mdb,
    multicast,
    neigh,
    neightbl,
    netconf,
    nexthop,
    nsid,
    route,
    rule,
    stats,
    tunnel,
    vlandb,
)
from netlink.route.rtnetlink import RTEXT_FILTER
from netlink.route.stats import IFLA_STATS
from netlink.route.tc import action, chain, filter, handle, qdisc, tclass
from netlink.route.vlandb import BRIDGE_VLANDB_DUMPF


class Seen(Exception):
    """A message that shows nothing which an earlier one did not."""


@dataclass(frozen=True)
class Shot:
    """One thing: the lines of commands that make it, and how it is asked for.

    `ask` is a request to dump, or the name of a group whose events are listened to meanwhile;
    `wanted` picks among the answers. `shown` is the command of iproute2 that prints the thing,
    `inside` where in its JSON; `check` and `test` hold it against a live test's table. Without
    either iproute2's monitor is given the very message; where it has no words for it, `alone` says
    so. `fields` are those of the JSON that are kept, where the rest is another record's matter.
    """

    what: str
    command: str | Callable[[Connection], None] = ""
    ask: Any = None
    wanted: Callable[[Any], bool] = lambda message: True
    shown: str = ""
    inside: tuple[Any, ...] = ()
    test: str = ""
    check: Callable[[Any], None] | None = None
    undo: str = ""
    fields: tuple[str, ...] = ()
    alone: str = ""


def saying(**fields: Any) -> Callable[[Any], bool]:
    """A message of those values; an address may be text."""

    def wanted(message: Any) -> bool:
        found = {name: getattr(message, name) for name in fields}
        return all(value in (found[name], str(found[name])) for name, value in fields.items())

    return wanted


def named(name: str) -> Callable[[Any], bool]:
    return saying(ifname=name)


def prepare(lines: str) -> Iterator[Shot]:
    """What is made beforehand, line by line: what one kernel lacks is no loss of the next line."""
    return (Shot("", line) for line in lines.strip().splitlines())


# --- what every kernel has: captured of 6.18 ------------------------------------------------------

ROUTE = [
    Shot(
        "link loopback",
        "ip link set lo up",
        link.get(),
        lambda m: m.ifname == "lo",
        "ip -j -d link show lo",
        (0,),
    ),
    Shot(
        "link veth",
        "ip link add left address 02:00:00:00:00:01 numtxqueues 3 type veth"
        " peer name right address 02:00:00:00:00:02",
        link.get(),
        lambda m: m.ifname == "left",
        "ip -j -d link show left",
        (0,),
    ),
    Shot(
        "link with alias and another name",
        "ip link property add dev right altname a-name-of-more-than-fifteen-bytes",
        link.get(),
        lambda m: m.ifname == "right",
        "ip -j -d link show right",
        (0,),
    ),
    Shot(
        "link bridge",
        "ip link add br0 address 02:00:00:00:00:10 type bridge stp_state 1 priority 4096",
        link.get(),
        lambda m: m.ifname == "br0",
        "ip -j -d link show br0",
        (0,),
    ),
    Shot(
        "link bridge port",
        "ip link set right master br0",
        link.get(),
        lambda m: m.master,
        "ip -j -d link show right",
        (0,),
    ),
    Shot(
        "link bridge port of the bridge family",
        "ip link set right type bridge_slave cost 77",
        link.get(family=AF.AF_BRIDGE),
        lambda m: m.ifname == "right",
        "bridge -j -d link show dev right",
        (0,),
    ),
    Shot(
        "link vxlan",
        "ip link add vx0 address 02:00:00:00:00:20 type vxlan id 42 local 192.0.2.1"
        " remote 192.0.2.99 dstport 4789 ttl 9 srcport 40000 50000",
        link.get(),
        lambda m: m.ifname == "vx0",
        "ip -j -d link show vx0",
        (0,),
    ),
    Shot("link event", "ip link set left up", "link", lambda m: m.ifname == "left"),
    Shot(
        "link event of a removal",
        "ip link del vx0",
        "link",
        lambda m: m.nlmsg_name == "RTM_DELLINK",
    ),
    Shot("", "ip link set right up"),
    Shot(
        "address",
        "ip addr add 192.0.2.1/24 brd + dev left",
        addr.get(family=AF.AF_INET),
        lambda m: m.label == "left",
        "ip -j -d addr show left",
        (0, "addr_info", ("local", "192.0.2.1")),
    ),
    Shot(
        "address with a peer and a lifetime",
        "ip addr add 10.9.0.1 peer 10.9.0.2/32 dev left label left:x valid_lft 900"
        " preferred_lft 800 metric 77",
        "ipv4-ifaddr",
        lambda m: True,
    ),
    Shot(
        "address IPv6",
        "ip addr add 2001:db8::1/64 dev left nodad",
        addr.get(family=AF.AF_INET6),
        lambda m: str(m.address) == "2001:db8::1",
        "ip -j -d addr show left",
        (0, "addr_info", ("local", "2001:db8::1")),
    ),
    Shot(
        "route",
        "ip route add 198.51.100.0/24 via 192.0.2.2 dev left",
        route.get(family=AF.AF_INET),
        lambda m: str(m.dst) == "198.51.100.0",
        "ip -j -d route show 198.51.100.0/24",
        (0,),
    ),
    Shot(
        "route default",
        "ip route add default via 192.0.2.2 dev left",
        route.get(family=AF.AF_INET),
        lambda m: m.dst is None,
        "ip -j -d route show default",
        (0,),
    ),
    Shot(
        "route with metrics in a table of its own",
        "ip route add 198.51.101.0/24 via 192.0.2.2 dev left table 70000 metric 20 proto bgp"
        " src 192.0.2.1 mtu lock 1300 rtt 100ms quickack 1 congctl cubic features ecn",
        route.get(family=AF.AF_INET),
        lambda m: m.table == 70000,
        "ip -j -d route show table 70000",
        (0,),
    ),
    Shot(
        "route over several hops",
        "ip route add 203.0.113.0/24 nexthop via 192.0.2.2 dev left weight 3"
        " nexthop via 192.0.2.3 dev left onlink",
        route.get(family=AF.AF_INET),
        lambda m: str(m.dst) == "203.0.113.0",
        "ip -j -d route show 203.0.113.0/24",
        (0,),
    ),
    Shot(
        "route via another family",
        "ip route add 203.0.112.0/24 via inet6 fe80::9 dev left",
        route.get(family=AF.AF_INET),
        lambda m: m.via,
        "ip -j -d route show 203.0.112.0/24",
        (0,),
    ),
    Shot(
        "route over several hops of another family",
        "ip route add 203.0.111.0/24 nexthop via inet6 fe80::9 dev left"
        " nexthop via 192.0.2.9 dev left",
        route.get(family=AF.AF_INET),
        lambda m: str(m.dst) == "203.0.111.0",
        "ip -j -d route show 203.0.111.0/24",
        (0,),
    ),
    Shot(
        "route blackhole",
        "ip route add blackhole 203.0.110.0/24",
        "ipv4-route",
        lambda m: str(m.dst) == "203.0.110.0",
    ),
    Shot(
        "route event of a removal",
        "ip route del 198.51.100.0/24",
        "ipv4-route",
        lambda m: m.nlmsg_name == "RTM_DELROUTE",
    ),
    Shot(
        "route IPv6 over several hops",
        "ip route add 2001:db8:6::/48 nexthop via 2001:db8::2 dev left weight 2"
        " nexthop via 2001:db8::3 dev left",
        route.get(family=AF.AF_INET6),
        lambda m: m.multipath,
        "ip -6 -j -d route show 2001:db8:6::/48",
        (0,),
    ),
    Shot(
        "route IPv6 that expires",
        "ip route add 2001:db8:5::/48 via 2001:db8::2 dev left expires 500 pref high",
        route.get(family=AF.AF_INET6),
        lambda m: str(m.dst) == "2001:db8:5::",
        "ip -6 -j -d route show 2001:db8:5::/48",
        (0,),
    ),
    Shot(
        "neighbour",
        "ip neigh add 192.0.2.3 lladdr 02:00:00:00:00:23 dev left nud stale protocol static",
        neigh.get(),
        lambda m: str(m.dst) == "192.0.2.3",
        "ip -j neigh show 192.0.2.3 dev left nud all",
        (0,),
    ),
    Shot(
        "neighbour IPv6",
        "ip neigh add 2001:db8::2 lladdr 02:00:00:00:00:22 dev left nud reachable router",
        neigh.get(),
        lambda m: str(m.dst) == "2001:db8::2",
        "ip -j neigh show 2001:db8::2 dev left nud all",
        (0,),
    ),
    Shot(
        "neighbour proxy",
        "ip neigh add proxy 192.0.2.77 dev left",
        neigh.get(flags=neigh.NTF.NTF_PROXY),
        lambda m: True,
        "ip -j neigh show proxy 192.0.2.77 dev left",
        (0,),
    ),
    Shot(
        "neighbour forwarding entry",
        "bridge fdb add 02:00:00:00:00:99 dev right master static",
        neigh.get(family=AF.AF_BRIDGE),
        lambda m: m.lladdr == "02:00:00:00:00:99",
        "bridge -j -s fdb show dev right",
        (("mac", "02:00:00:00:00:99"),),
    ),
]


# --- links ----------------------------------------------------------------------------------------

LINK_FIELDS = ("index", "type", "ifname", "link", "master", "linkinfo")
EVENT_FIELDS = (
    *LINK_FIELDS, "flags", "change", "prop_list", "event", "new_netnsid", "new_ifindex",
)  # fmt: skip
SHORT = link.get(ext_mask=RTEXT_FILTER.RTEXT_FILTER_SKIP_STATS)
SMALL = 1279  # too small for IPv6, whose settings would fill each message
LARGE = {"sit", "vrf", "vti6"}  # of which the kernel refuses such an MTU
LIVE_LINKS = "tests/kernel/test_link_kinds.py"


def links() -> Iterator[Shot]:
    """Every kind of link that iproute2 or the library makes here."""
    from netlink.route.link.kinds import KINDS, SLAVE_KINDS
    from tests.kernel import link_kinds as live

    seen: set[tuple[str, str]] = set()

    def says(part: str, kind: str, data: Any, unsaid: Any) -> Callable[[Any], None]:
        told = live.said({"data": KINDS, "slave_data": SLAVE_KINDS}[part].get(kind), data, unsaid)

        def check(message: Any) -> None:
            found = getattr(message.linkinfo, part)
            held = found.to_json() if found is not None else {}
            assert live.parts(held, told) == told
            fields = {(kind, name) for name in ["", *held]}
            if fields <= seen:
                raise Seen
            seen.update(fields)

        return check

    def maker(kind: str, data: Any) -> Callable[[Connection], None]:
        def make(nl: Connection) -> None:
            nl.do(link.add("x", kind, data))

        make.__doc__ = f'link.add("x", "{kind}", {data})'
        return make

    yield from prepare("\n".join(f"ip {line}" for line in live.SCENE.strip().splitlines()))
    for case in live.CASES:
        below = f"link {case.link} " if case.link else ""
        small = "" if case.kind in LARGE else f"mtu {SMALL} "
        command: Any = f"ip link add {below}name x index 1100 {small}type {case.kind} {case.ip}"
        command, undo = command.strip(), "ip link del x"
        if case.ip is None:
            command = maker(case.kind, case.data)
        elif case.setup:
            command = f"modprobe fou\nip {case.setup}\n{command}"
            port = " ".join(case.setup.split()[2:4])
            undo = f"ip link del x\nip fou del {port}"
        yield Shot(
            f"link {case.kind} {case.ip or ''}"[:70].strip(), command, SHORT, named("x"),
            "ip -j -d link show x", (0, "linkinfo"),
            LIVE_LINKS, says("data", case.kind, case.data, case.unsaid), undo,
            LINK_FIELDS,
        )  # fmt: skip
    yield Shot(
        "link tun", "ip tuntap add dev x mode tap user 4242 group 4243 vnet_hdr multi_queue",
        SHORT, named("x"), "ip -j -d link show x", (0, "linkinfo"), undo="ip link del x",
        fields=LINK_FIELDS,
    )  # fmt: skip
    yield Shot(
        "link macvlan with sources",
        "ip link add link low name x index 1100 type macvlan mode source\n"
        "ip link set x type macvlan macaddr set 02:00:00:00:00:05 02:00:00:00:00:06",
        SHORT, named("x"), "ip -j -d link show x", (0, "linkinfo"), undo="ip link del x",
        fields=LINK_FIELDS,
    )  # fmt: skip
    for slave in live.PORTS:
        yield Shot(
            f"link port of {slave}",
            f"ip link add name top type {slave.kind} {slave.master}\n"
            "ip link set low down\nip link set low master top\nip link set low up\n"
            "ip link set high down\nip link set high master top\n"
            + (f"ip link set low type {slave.kind}_slave {slave.ip}" if slave.ip else ""),
            SHORT, named("low"), "ip -j -d link show low", (0, "linkinfo"), LIVE_LINKS,
            says("slave_data", slave.kind, slave.data, ()), "ip link del top",
            LINK_FIELDS,
        )  # fmt: skip


# --- traffic control ------------------------------------------------------------------------------

LIVE_TC = "tests/kernel/test_tc.py"
V0, V1 = 1011, 77  # the tables know the second
TC_FIELDS = ("ifindex", "handle", "parent", "info", "kind", "chain", "options")  # no counters


def tc() -> Iterator[Shot]:
    """Every scheduler, classifier and action of the live test, and chains."""
    from tests.kernel import traffic as live

    def options(row: Any, also: Any) -> Callable[[Any], None]:
        def check(message: Any) -> None:
            live.expect(message.options, live.merged(row, also), message.kind)

        return check

    def action_options(row: Any, also: Any) -> Callable[[Any], None]:
        def check(message: Any) -> None:
            (found,) = message.tab
            live.expect(found.options, live.merged(row, also), found.kind)

        return check

    yield from prepare(
        f"ip link add v0 index {V0} address 02:00:00:00:00:11 numtxqueues 4 numrxqueues 4"
        f" type veth peer name v1 address 02:00:00:00:00:12 index {V1}"
    )
    for row in live.QDISCS:
        kind, words, data, also = row.values
        yield Shot(
            f"qdisc {row.id}", f"tc qdisc add dev v0 root handle 1: {kind} {words}",
            qdisc.get(), lambda m: m.ifindex == V0 and m.handle == handle("1:"),
            test=LIVE_TC, fields=TC_FIELDS, undo="tc qdisc del dev v0 root",
            check=None if kind in live.SENDS_NO_OPTIONS else options(data, also),
        )  # fmt: skip
    for kind in ("ingress", "clsact"):
        yield Shot(
            f"qdisc {kind}", f"tc qdisc add dev v0 {kind}", qdisc.get(),
            lambda m: m.handle == handle("ffff:"), undo=f"tc qdisc del dev v0 {kind}",
            fields=TC_FIELDS,
        )  # fmt: skip
    yield Shot(
        "qdisc with a size table and an estimator",
        "tc qdisc add dev v0 root handle 1: stab overhead 20 mtu 512 mpu 64 linklayer atm "
        "estimator 1s 8s pfifo limit 10",
        qdisc.get(), lambda m: m.ifindex == V0 and m.handle == handle("1:"),
        undo="tc qdisc del dev v0 root",
    )  # fmt: skip
    yield Shot(
        "qdisc gred with a queue",
        "tc qdisc add dev v0 root handle 1: gred setup DPs 3 default 2 limit 60KB\n"
        "tc qdisc change dev v0 root handle 1: gred DP 1 limit 20KB min 5K max 15K avpkt 1000"
        " burst 20 probability 0.1 bandwidth 10mbit prio 2",
        qdisc.get(), lambda m: m.ifindex == V0 and m.handle == handle("1:"),
        undo="tc qdisc del dev v0 root",
    )  # fmt: skip
    for row in live.CLASSES:
        kind, parent, words, data, also = row.values
        yield Shot(
            f"class {row.id}",
            f"tc qdisc add dev v0 root handle 1: {kind} {parent}\n"
            f"tc class add dev v0 parent 1: classid 1:a {kind} {words}",
            tclass.get(ifindex=V0), lambda m: m.handle == handle("1:a"),
            test=LIVE_TC, fields=TC_FIELDS, check=options(data, also),
            undo="tc qdisc del dev v0 root",
        )  # fmt: skip
    yield Shot(
        "class ets made by its qdisc",
        "tc qdisc add dev v0 root handle 1: ets bands 3 strict 1",
        tclass.get(ifindex=V0), lambda m: m.handle == handle("1:2"), fields=TC_FIELDS,
        undo="tc qdisc del dev v0 root",
    )  # fmt: skip
    for row in live.FILTERS:
        kind, words, protocol, data, also = row.values
        number = live.NUMBERED.get(kind, 0)
        called = f"handle {number}" if number and kind != "route" else ""
        yield Shot(
            f"filter {row.id}",
            "tc qdisc add dev v0 clsact\n"
            f"tc filter add dev v0 ingress protocol {protocol:#x} prio 5 {called} {kind} {words}",
            filter.get(ifindex=V0, parent=handle("ingress")),
            lambda m: m.options is not None and (m.kind != "u32" or bool(m.handle & 0xFFF)),
            test=LIVE_TC, fields=TC_FIELDS, check=options(data, also),
            undo="tc qdisc del dev v0 clsact",
        )  # fmt: skip
    yield Shot(
        "filter with a police of the old style",
        "tc qdisc add dev v0 clsact\ntc filter add dev v0 ingress protocol ip prio 5 u32"
        " match u8 0 0 flowid 1:1 police rate 1mbit burst 10k mtu 2000 drop",
        filter.get(ifindex=V0, parent=handle("ingress")), lambda m: bool(m.handle & 0xFFF),
        fields=TC_FIELDS, undo="tc qdisc del dev v0 clsact",
    )  # fmt: skip
    for row in live.ACTIONS:
        kind, words, data, also = row.values
        yield Shot(
            f"action {row.id}", f"tc actions add action {kind} {words} index 7 cookie aabb",
            action.get(tab=[{"kind": kind}]), test=LIVE_TC, check=action_options(data, also),
            undo=f"tc actions flush action {kind}",
        )  # fmt: skip
    for words in ("chain 7", "chain 8 protocol ip flower dst_ip 0.0.0.0/8"):
        number = int(words.split()[1])
        yield Shot(
            f"chain {words}",
            f"tc qdisc add dev v0 clsact\ntc chain add dev v0 ingress {words}",
            chain.get(ifindex=V0, parent=handle("ingress")),
            saying(chain=number),
            undo="tc qdisc del dev v0 clsact",
        )  # fmt: skip
    yield Shot(
        "qdisc clsact of shared blocks",
        "tc qdisc add dev v0 ingress_block 21 egress_block 22 clsact", qdisc.get(),
        lambda m: m.handle == handle("ffff:"), undo="tc qdisc del dev v0 clsact",
    )  # fmt: skip
    for what, command, undo in (
        ("qdisc event", "tc qdisc add dev v0 root handle 1: htb", ""),
        ("class event", "tc class add dev v0 parent 1: classid 1:a htb rate 1mbit", ""),
        ("class event of a removal", "tc class del dev v0 classid 1:a", ""),
        ("qdisc event of a removal", "tc qdisc del dev v0 root", "tc qdisc add dev v0 clsact"),
        ("chain event", "tc chain add dev v0 ingress chain 3", ""),
        ("chain event of a removal", "tc chain del dev v0 ingress chain 3", ""),
        ("filter event", "tc filter add dev v0 ingress protocol ip prio 5 u32 match u8 0 0",
         ""),
        ("filter event of a removal", "tc filter del dev v0 ingress prio 5", ""),
        ("action event", "tc actions add action mirred egress mirror dev v1 index 7", ""),
        ("action event of a removal", "tc actions del action mirred index 7", ""),
    ):  # fmt: skip
        yield Shot(what, command, "tc", named_like(what), undo=undo)


def named_like(what: str) -> Callable[[Any], bool]:
    """The event of that sort: filters are TFILTER, classes TCLASS."""
    sort = {"filter": "TFILTER", "class": "TCLASS"}.get(what.split()[0], what.split()[0].upper())
    verb = "DEL" if "removal" in what else "NEW"
    return lambda message: bool(message.nlmsg_name == f"RTM_{verb}{sort}")


# --- routes, rules, next hops ---------------------------------------------------------------------

LEFT, RIGHT = 1011, 1012
GROUND = f"""
ip link set lo up
ip link add left index {LEFT} address 02:00:00:00:00:01 type veth peer name right \
    index {RIGHT} address 02:00:00:00:00:02
ip link set left up
ip link set right up
ip addr add 192.0.2.1/24 dev left
ip addr add 2001:db8::1/64 dev left nodad
""".replace("\\\n", "")
INET, INET6 = {"family": AF.AF_INET}, {"family": AF.AF_INET6}


def to(prefix: str) -> Callable[[Any], bool]:
    """The route of a destination."""
    return saying(dst=prefix.split("/")[0])


def routes() -> Iterator[Shot]:
    """Rules, next hop objects, light-weight tunnels and MPLS."""
    yield from prepare(GROUND)
    yield from prepare("modprobe -a mpls_iptunnel xfrm_interface ila\n"
                  "sysctl -qw net.mpls.platform_labels=1000\n"
                  "sysctl -qw net.mpls.conf.left.input=1")  # fmt: skip
    for family, number, words in (
        ("", 100, "from 192.0.2.0/24 to 198.51.100.0/24 iif left fwmark 0x7/0xff table 100"),
        ("", 101, "oif left tos 0x10 ipproto tcp sport 1000-2000 dport 80 table 70000"),
        ("", 102, "tun_id 7 protocol bgp table 102"),
        ("", 103, "goto 32766"),
        ("", 104, "blackhole"),
        ("", 105, "not from 10.0.0.0/8 table main suppress_prefixlength 0 suppress_ifgroup 7"),
        ("", 106, "l3mdev"),
        ("", 107, "from 10.0.0.0/8 table 100 realms 3/4"),
        ("-6 ", 108, "from 2001:db8::/32 uidrange 1000-2000 unreachable"),
        ("-6 ", 109, "to 2001:db8:1::/48 prohibit"),
    ):
        yield Shot(
            f"rule {words}", f"ip {family}rule add pref {number} {words}",
            rule.get(**(INET6 if family else INET)), saying(priority=number),
            shown=f"ip {family}-j -d rule show pref {number}", inside=(0,),
            undo=f"ip {family}rule del pref {number}",
        )  # fmt: skip
    yield Shot("rule of multicast routes", "ip mrule add pref 90 iif left table 100",
               rule.get(family=128), lambda m: m.priority == 90,
               shown="ip -j -d mrule show pref 90", inside=(0,),
               undo="ip mrule del pref 90")  # RTNL_FAMILY_IPMR  # fmt: skip
    yield Shot("rule event of a removal",
               "ip rule add pref 99 tos 0x10 table 100\nip rule del pref 99", "ipv4-rule",
               lambda m: m.nlmsg_name == "RTM_DELRULE")  # fmt: skip
    for number, words in (
        (1, "via 192.0.2.2 dev left"),
        (2, "via 192.0.2.3 dev left onlink protocol bgp"),
        (3, "blackhole"),
        (4, "via 2001:db8::2 dev left"),
        (5, "dev left"),
        (6, "encap mpls 100/200 via 192.0.2.2 dev left"),
        (7, "via 192.0.2.9 fdb"),
        (10, "group 1,2/2,3"),
        (11, "group 1/2 type resilient buckets 4 idle_timer 100 unbalanced_timer 300"),
        (12, "group 7 fdb"),
    ):
        yield Shot(
            f"next hop {words}", f"ip nexthop add id {number} {words}", nexthop.get(),
            saying(id=number), shown=f"ip -j -d nexthop get id {number}", inside=(0,),
        )  # fmt: skip
    yield Shot("next hop bucket", "", nexthop.get_bucket(),
               shown="ip -j -d nexthop bucket get id 11 index 0", inside=(0,))  # fmt: skip
    yield Shot("next hop group with counters", "", nexthop.get(op_flags=3),
               lambda m: m.id == 10)  # fmt: skip
    yield Shot("next hop event", "ip nexthop add id 20 via 192.0.2.7 dev left", "nexthop")
    yield Shot("next hop event of a removal", "ip nexthop del id 20", "nexthop",
               lambda m: m.nlmsg_name == "RTM_DELNEXTHOP")  # fmt: skip
    yield from prepare("ip link add red index 1013 type vrf table 500\nip link set red up\n"
                  "ip link add xf type xfrm external\nip link set xf up\n"
                  "sysctl -qw net.vrf.strict_mode=1")  # fmt: skip
    v4 = "203.0.113.0/24"
    for words in (
        "nhid 1",
        "nhid 10",
        "encap mpls 100/200 ttl 9 via 192.0.2.2 dev left",
        "encap ip id 7 src 192.0.2.1 dst 192.0.2.9 tos 4 ttl 5 key csum dev left",
        "encap ip id 300 geneve_opts 0102:80:00880022 dst 192.0.2.9 dev left",
        "encap ip id 300 erspan_opts 2:123:1:64 dst 192.0.2.9 dev left",
        "encap seg6 mode encap segs 2001:db8::a,2001:db8::b dev left",
        "dev xf encap xfrm if_id 42 link_dev left",
        "via 192.0.2.2 dev left realms 3/4",
    ):
        if "geneve" in words and tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 13):
            continue  # Linux 6.18 does not survive it: see tests/kernel/test_routing.py
        yield Shot(
            f"route {words}", f"ip route add {v4} {words}", route.get(**INET), to(v4),
            shown=f"ip -j -d route show {v4}", inside=(0,), undo=f"ip route del {v4}",
        )  # fmt: skip
    v6 = "2001:db8:7::/64"
    for words in (
        "nhid 4",
        "encap mpls 16/17/18 via 2001:db8::2 dev left",
        "encap ip6 id 7 src 2001:db8::1 dst 2001:db8::9 hoplimit 5 tc 4 key csum dev left",
        "encap seg6 mode inline segs 2001:db8::a dev left",
        "encap seg6 mode l2encap segs 2001:db8::a dev left",
        "encap seg6 mode encap.red segs 2001:db8::a dev left",
        "encap seg6local action End count dev left",
        "encap seg6local action End flavors psp dev left",
        "encap seg6local action End.X nh6 2001:db8::5 dev left",
        "encap seg6local action End.T table 100 dev left",
        "encap seg6local action End.DX2 oif right dev left",
        "encap seg6local action End.DX6 nh6 2001:db8::5 dev left",
        "encap seg6local action End.DX4 nh4 192.0.2.5 dev left",
        "encap seg6local action End.DT6 table 254 dev left",
        "encap seg6local action End.DT4 vrftable 500 dev red",
        "encap seg6local action End.DT46 vrftable 500 dev red",
        "encap seg6local action End.B6 srh segs 2001:db8::a,2001:db8::b dev left",
        "encap seg6local action End.B6.Encaps srh segs 2001:db8::a dev left",
        "encap ila 2001:db8:1:1 csum-mode no-action ident-type luid hook-type input"
        " via 2001:db8::2 dev left",
        "encap ioam6 mode encap tundst 2001:db8::9 trace prealloc type 0x800000 ns 1 size 12"
        " dev left",
        "encap ioam6 mode inline trace prealloc type 0xc00000 ns 0 size 16 dev left",
        "encap rpl segs 2001:db8::a,2001:db8::b dev left",
        "dev xf encap xfrm if_id 42",
        "nexthop encap mpls 30 via 2001:db8::2 dev left nexthop via 2001:db8::3 dev left weight 2",
    ):
        yield Shot(
            f"route IPv6 {words}", f"ip -6 route add {v6} {words}", route.get(**INET6), to(v6),
            shown=f"ip -6 -j -d route show {v6}", inside=(0,), undo=f"ip -6 route del {v6}",
        )  # fmt: skip
    for label, words in (
        (100, "as 200/300 via inet 192.0.2.2 dev left"),
        (101, "via inet6 2001:db8::2 dev left ttl-propagate disabled"),
        (102, "nexthop as 200 via inet 192.0.2.2 dev left nexthop as 300 via inet6 2001:db8::2"
              " dev left"),
        (103, "dev lo"),
    ):  # fmt: skip
        yield Shot(
            f"route MPLS {words}", f"ip -f mpls route add {label} {words}",
            route.get(family=AF.AF_MPLS), saying(dst=(label,)),
            shown=f"ip -f mpls -j -d route show {label}", inside=(0,),
        )  # fmt: skip
    yield Shot("route MPLS event of a removal", "ip -f mpls route del 100", "mpls-route")
    yield Shot("route IPv6 event", f"ip -6 route add {v6} via 2001:db8::2 dev left", "ipv6-route")
    yield Shot("route IPv6 event of a removal", f"ip -6 route del {v6}", "ipv6-route")
    yield Shot("route of multicast", multicast_routes, route.get(family=128),  # RTNL_FAMILY_IPMR
               lambda m: m.iif, shown="ip -j -d mroute show", inside=(0,))  # fmt: skip
    yield Shot(
        "report of a multicast packet without a route",
        stray_multicast,
        "ipv4-mroute-r",
        check=is_stray,
        alone="held against the packet reported: no tool shows it",
    )


MROUTE: list[socket.socket] = []  # the kernel forgets all when it is closed


def multicast_routes(nl: Connection) -> None:
    """setsockopt(MRT_INIT), (MRT_ADD_VIF) of left and right, (MRT_ADD_MFC) 192.0.2.5 239.1.1.1"""
    control = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
    MROUTE.append(control)
    control.setsockopt(socket.IPPROTO_IP, 200, 1)  # MRT_INIT; linux/mroute.h
    for vif, index in enumerate((LEFT, RIGHT)):
        # struct vifctl with VIFF_USE_IFINDEX
        control.setsockopt(
            socket.IPPROTO_IP, 202, struct.pack("=HBBIII", vif, 8, 1, 0, index, 0)
        )  # fmt: skip
    source, group = (socket.inet_aton(text) for text in ("192.0.2.5", "239.1.1.1"))
    entry = struct.pack("=4s4sH32sxxIIIi", source, group, 0, b"\0\1".ljust(32, b"\0"), 0, 0, 0, 0)
    control.setsockopt(socket.IPPROTO_IP, 204, entry)  # MRT_ADD_MFC, struct mfcctl


def stray_multicast(nl: Connection) -> None:
    """sendto() 239.9.9.9 through left"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stray:
        stray.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.0.2.1"))
        stray.sendto(b"x", ("239.9.9.9", 9999))


def is_stray(message: Any) -> None:
    assert (message.msgtype, str(message.src_addr), str(message.dst_addr)) == (
        1, "192.0.2.1", "239.9.9.9")  # IGMPMSG_NOCACHE; linux/mroute.h  # fmt: skip


# --- bridges --------------------------------------------------------------------------------------


def bridge() -> Iterator[Shot]:
    """What goes by AF_BRIDGE: VLANs, multicast groups, forwarding entries, VNIs."""
    yield from prepare(GROUND)
    yield from prepare(
        "ip link add br0 index 1020 address 02:00:00:00:00:20 type bridge mcast_snooping 1"
        " mcast_querier 1\n"
        "ip link set br0 type bridge vlan_filtering 1 vlan_default_pvid 0\n"
        "ip link set br0 type bridge mcast_vlan_snooping 1 vlan_stats_enabled 1\n"
        "ip link set right master br0\nip link set br0 up\n"
        "bridge vlan add vid 5 pvid untagged dev right\nbridge vlan add vid 10-12 dev right\n"
        "bridge vlan add vid 5 dev br0 self\n"
        "ip link add vx index 1021 address 02:00:00:00:00:21 type vxlan external vnifilter"
        " local 192.0.2.1 dstport 4789\n"
        "ip link set vx master br0\nip link set vx type bridge_slave vlan_tunnel on\n"
        "ip link set vx up\nbridge vlan add vid 7 dev vx\n"
        "bridge vlan add vid 7 dev vx tunnel_info id 700"
    )
    yield from ungrouped()
    vlan_list = link.get(family=AF.AF_BRIDGE, ext_mask=RTEXT_FILTER.RTEXT_FILTER_BRVLAN)
    packed = link.get(family=AF.AF_BRIDGE, ext_mask=RTEXT_FILTER.RTEXT_FILTER_BRVLAN_COMPRESSED)
    yield Shot("bridge port with VLANs", "", vlan_list, named("right"),
               shown="bridge -j vlan show dev right", inside=(0,))  # fmt: skip
    yield Shot("bridge port with ranges of VLANs", "", packed, named("right"),
               shown="bridge -c -j vlan show dev right", inside=(0,))  # fmt: skip
    yield Shot("bridge port with tunnels", "", vlan_list, named("vx"),
               shown="bridge -j vlan tunnelshow dev vx", inside=(0,))  # fmt: skip
    yield Shot("bridge port of the bridge family, all of it", "", link.get(family=AF.AF_BRIDGE),
               named("right"), shown="bridge -j -d link show dev right", inside=(0,))  # fmt: skip
    yield Shot(
        "VLANs of a port",
        "",
        vlandb.get(family=AF.AF_BRIDGE, ifindex=RIGHT),
        shown="bridge -j -d vlan show dev right",
        inside=(0,),
    )
    of_bridge = {"family": AF.AF_BRIDGE, "ifindex": 1020}
    yield Shot("VLANs of a port with counters", "", vlandb.get(
        family=AF.AF_BRIDGE, ifindex=RIGHT, flags=BRIDGE_VLANDB_DUMPF.BRIDGE_VLANDB_DUMPF_STATS,
    ), shown="bridge -j -s vlan show dev right", inside=(0,))  # fmt: skip
    yield Shot("VLANs of a bridge, global", "bridge vlan global set vid 5 dev br0 mcast_snooping 1"
               " mcast_querier 1 mcast_igmp_version 3 mcast_last_member_count 7", vlandb.get(
        **of_bridge, flags=BRIDGE_VLANDB_DUMPF.BRIDGE_VLANDB_DUMPF_GLOBAL),
        shown="bridge -j vlan global show dev br0", inside=(0,))  # fmt: skip
    yield Shot("VLAN event", "bridge vlan set vid 5 dev right state learning", "brvlan")
    yield Shot("VLAN event of a removal", "bridge vlan del vid 12 dev right", "brvlan",
               lambda m: m.nlmsg_name == "RTM_DELVLAN")  # fmt: skip
    yield from prepare("bridge vlan set vid 5 dev right mcast_router 2\n"
                  "ip link set right type bridge_slave mcast_router 2")  # fmt: skip
    yield Shot("multicast groups",
               "bridge mdb add dev br0 port right grp 239.1.1.1 permanent vid 5\n"
               "bridge mdb add dev br0 port right grp 239.1.1.2 src 192.0.2.9 temp vid 5\n"
               "bridge mdb add dev br0 port right grp ff05::7 permanent vid 5\n"
               "bridge mdb add dev br0 port right grp 01:00:5e:7f:ff:01 permanent vid 5",
               mdb.get(family=AF.AF_BRIDGE), lambda m: m.mdb and m.ifindex == 1020,
               shown="bridge -j -d -s mdb show dev br0", inside=(0,))  # fmt: skip
    yield Shot("multicast group with a list of sources",
               "bridge mdb add dev br0 port right grp 239.1.1.3 vid 5 filter_mode include"
               " source_list 192.0.2.7,192.0.2.8 proto bgp permanent", mdb.get(family=AF.AF_BRIDGE),
               lambda m: m.ifindex == 1020 and m.mdb,
               shown="bridge -j -d -s mdb show dev br0", inside=(0,))  # fmt: skip
    yield Shot("multicast group event", "bridge mdb add dev br0 port right grp 239.1.1.4 vid 5",
               "mdb", lambda m: m.nlmsg_name == "RTM_NEWMDB")  # fmt: skip
    yield Shot("multicast group event of a removal",
               "bridge mdb del dev br0 port right grp 239.1.1.4 vid 5", "mdb",
               lambda m: m.nlmsg_name == "RTM_DELMDB")  # fmt: skip
    fdb = neigh.get(family=AF.AF_BRIDGE)
    for what, words in (
        ("of a bridge port and a VLAN", "02:00:00:00:09:01 dev right master static vlan 5"),
        ("sticky", "02:00:00:00:09:02 dev right master static sticky vlan 5"),
        ("extern_learn", "02:00:00:00:09:03 dev right master dynamic extern_learn vlan 5"),
        ("of a VXLAN", "02:00:00:00:09:04 dev vx self dst 192.0.2.9 port 4790 src_vni 700 vni 9"
                       " via left"),
    ):  # fmt: skip
        yield Shot(f"forwarding entry {what}", f"bridge fdb add {words}", fdb,
                   saying(lladdr=words.split()[0]), inside=(("mac", words.split()[0]),),
                   shown=f"bridge -j -s fdb show dev {words.split()[2]}")  # fmt: skip
    yield Shot("forwarding entry by a next hop group",
               "ip nexthop add id 7 via 192.0.2.9 fdb\nip nexthop add id 12 group 7 fdb\n"
               "ip link add v2 type vxlan id 5 dstport 4791\n"
               "bridge fdb add 02:00:00:00:09:05 dev v2 self nhid 12",
               fdb, saying(lladdr="02:00:00:00:09:05"), shown="bridge -j -s fdb show dev v2",
               inside=(("mac", "02:00:00:00:09:05"),))  # fmt: skip
    yield Shot("forwarding entry event", "bridge fdb add 02:00:00:00:09:06 dev right master vlan 5",
               "neigh", lambda m: m.lladdr == "02:00:00:00:09:06")  # fmt: skip
    yield Shot("forwarding entry event of a removal",
               "bridge fdb del 02:00:00:00:09:06 dev right master vlan 5",
               "neigh", lambda m: m.nlmsg_name == "RTM_DELNEIGH")  # fmt: skip
    yield Shot("VNIs of a VXLAN", "bridge vni add dev vx vni 100-102\n"
               "bridge vni add dev vx vni 200 remote 192.0.2.99",
               tunnel.get(family=AF.AF_BRIDGE, ifindex=1021),
               shown="bridge -j vni show dev vx", inside=(0,))  # fmt: skip
    yield Shot("VNIs of a VXLAN with counters", "",
               tunnel.get(family=AF.AF_BRIDGE, ifindex=1021, flags=1))  # fmt: skip
    yield Shot("VNI event", "bridge vni add dev vx vni 300", "tunnel")
    yield Shot("VNI event of a removal", "bridge vni delete dev vx vni 300", "tunnel")
    yield Shot("multicast group of a VXLAN", vxlan_group, mdb.get(family=AF.AF_BRIDGE),
               lambda m: m.ifindex == 1021)  # fmt: skip
    counters = IFLA_STATS.IFLA_STATS_LINK_XSTATS, IFLA_STATS.IFLA_STATS_LINK_XSTATS_SLAVE
    for word, which in zip(("bridge", "bridge port"), counters, strict=True):
        index, dev = (1020, "br0") if word == "bridge" else (RIGHT, "right")
        group = "xstats" if word == "bridge" else "xstats_slave"
        yield Shot(f"counters of a {word}", "", stats.get(filter_mask=which), saying(ifindex=index),
                   shown=f"ip -j stats show dev {dev} group {group}",
                   inside=(("suite", "mcast"), "multicast"))  # fmt: skip


def ungrouped() -> Iterator[Shot]:
    """Multicast groups and forwarding entries without a VLAN, of which not every kernel knows."""
    yield Shot("multicast group without a VLAN",
               "bridge mdb add dev br0 port right grp 239.2.1.1 permanent",
               mdb.get(family=AF.AF_BRIDGE), lambda m: m.mdb and m.ifindex == 1020,
               shown="bridge -j -d -s mdb show dev br0", inside=(0,))  # fmt: skip
    yield Shot("multicast group event without a VLAN",
               "bridge mdb add dev br0 port right grp ff05::9", "mdb",
               lambda m: m.nlmsg_name == "RTM_NEWMDB", undo="bridge mdb del dev br0 port right "
               "grp ff05::9\nbridge mdb del dev br0 port right grp 239.2.1.1")  # fmt: skip
    yield Shot("multicast group event of a removal without a VLAN",
               "bridge mdb add dev br0 port right grp ff05::9\n"
               "bridge mdb del dev br0 port right grp ff05::9", "mdb",
               lambda m: m.nlmsg_name == "RTM_DELMDB")  # fmt: skip
    yield Shot("forwarding entry without a VLAN",
               "bridge fdb add 02:00:00:00:09:11 dev right master static sticky",
               neigh.get(family=AF.AF_BRIDGE), saying(lladdr="02:00:00:00:09:11"),
               shown="bridge -j -s fdb show dev right", inside=(("mac", "02:00:00:00:09:11"),),
               undo="bridge fdb del 02:00:00:00:09:11 dev right master")  # fmt: skip
    yield Shot("forwarding entry event without a VLAN",
               "bridge fdb add 02:00:00:00:09:16 dev right master", "neigh",
               lambda m: m.lladdr == "02:00:00:00:09:16")  # fmt: skip
    yield Shot("forwarding entry event of a removal without a VLAN",
               "bridge fdb del 02:00:00:00:09:16 dev right master", "neigh",
               lambda m: m.nlmsg_name == "RTM_DELNEIGH")  # fmt: skip


def vxlan_group(nl: Connection) -> None:
    """mdb.new(ifindex=1021, entry 239.1.1.1 permanent, dst 192.0.2.99, src_vni 100, vni 100)"""
    nl.do(mdb.new(
        family=AF.AF_BRIDGE,
        ifindex=1021,
        entry=mdb.br_mdb_entry.of("239.1.1.1", ifindex=1021, state=1),
        entry_attrs={"dst": "192.0.2.99", "src_vni": 100, "vni": 100, "source": "192.0.2.7"},
    ))  # fmt: skip


# --- what belongs to a host -----------------------------------------------------------------------


def spoken_of(text: str) -> Callable[[Any], bool]:
    """An address, of either end."""
    return lambda m: text in (str(m.local), str(m.address))


def host() -> Iterator[Shot]:
    """Neighbours and their tables, labels, settings, counters, namespaces, and events."""
    yield from prepare("sysctl -qw net.ipv6.conf.all.forwarding=1")
    yield from prepare(GROUND)
    for words in (
        "192.0.2.4 lladdr 02:00:00:00:00:24 nud permanent",
        "192.0.2.5 lladdr 02:00:00:00:00:25 nud noarp extern_learn",
        "192.0.2.6 nud none managed",
        "2001:db8::5 lladdr 02:00:00:00:00:25 nud stale router protocol bird",
    ):
        yield Shot(
            f"neighbour {words.split(' ', 1)[1]}", f"ip neigh add {words} dev left", neigh.get(),
            saying(dst=words.split()[0]),
            shown=f"ip -j neigh show {words.split()[0]} dev left nud all", inside=(0,),
        )  # fmt: skip
    yield Shot("neighbour event", "ip neigh change 192.0.2.4 lladdr 02:00:00:00:00:44 dev left",
               "neigh", lambda m: str(m.dst) == "192.0.2.4")  # fmt: skip
    yield Shot("neighbour event of a removal", "ip neigh del 192.0.2.4 dev left", "neigh",
               lambda m: m.nlmsg_name == "RTM_DELNEIGH")  # fmt: skip
    for name in ("arp_cache", "ndisc_cache"):
        yield Shot(f"neighbour table {name}", "", neightbl.get(), saying(name=name),
                   shown=f"ip -j ntable show name {name}", inside=(0,))  # fmt: skip
    yield Shot("neighbour table of a link",
               "ip ntable change name arp_cache dev left queue 9 retrans 700 ucast_probes 5",
               neightbl.get(), lambda m: m.parms and m.parms.ifindex == LEFT,
               shown="ip -j ntable show dev left name arp_cache", inside=(0,))  # fmt: skip
    for word, family in (("inet", AF.AF_INET), ("inet6", AF.AF_INET6), ("mpls", AF.AF_MPLS)):
        before = "modprobe mpls_router" if word == "mpls" else ""
        yield Shot(f"settings of a link, {word}", before, netconf.get(family=family),
                   lambda m: m.ifindex == LEFT, shown=f"ip -f {word} -j netconf show",
                   inside=(("interface", "left"),))  # fmt: skip
    yield Shot("settings of all links", "", netconf.get(**INET), lambda m: m.ifindex == -1)
    yield Shot("settings event", "sysctl -qw net.ipv4.conf.left.rp_filter=2", "ipv4-netconf")
    yield Shot("settings event IPv6", "sysctl -qw net.ipv6.conf.left.proxy_ndp=1", "ipv6-netconf")
    yield Shot("settings event of a removal",
               "ip link add gone type veth peer name went\nip link del gone",
               "ipv4-netconf", lambda m: m.nlmsg_name == "RTM_DELNETCONF")  # fmt: skip
    yield Shot("address label", "ip addrlabel add prefix 2001:db8::/32 label 99",
               addrlabel.get(**INET6), saying(label=99), shown="ip -j addrlabel",
               inside=(("label", 99),))  # fmt: skip
    yield Shot("address label of a link",
               "ip addrlabel add prefix 2001:db8:5::/48 dev left label 98",
               addrlabel.get(**INET6), saying(label=98), shown="ip -j addrlabel",
               inside=(("label", 98),))  # fmt: skip
    for words in (
        "203.0.113.1/32 dev lo scope host",
        "203.0.113.5/24 dev left broadcast 203.0.113.255 label left:a noprefixroute",
        "2001:db8:5::5/64 dev left preferred_lft 0 valid_lft 900 home nodad",
        "2001:db8:6::5 peer 2001:db8:6::6/64 dev left mngtmpaddr nodad",
    ):
        text = words.split("/")[0].split()[0]
        dev = words.split()[words.split().index("dev") + 1]
        yield Shot(
            f"address {words}", f"ip addr add {words}", addr.get(),
            spoken_of(text),
            shown=f"ip -j -d addr show {dev}",
            inside=(("ifname", dev), "addr_info", ("local", text)),
        )  # fmt: skip
    yield Shot("address event of a removal", "ip addr del 203.0.113.5/24 dev left",
               "ipv4-ifaddr", lambda m: m.nlmsg_name == "RTM_DELADDR")  # fmt: skip
    yield Shot("address IPv6 event", "ip addr add 2001:db8:9::1/64 dev left nodad", "ipv6-ifaddr")
    yield Shot(
        "anycast address",
        "",
        anycast.get(**INET6),
        lambda m: m.anycast,
        check=is_anycast,
        alone="held against /proc/net/anycast6: no tool shows it",
    )
    for word, ask in (("multicast address IPv6", INET6), ("multicast address", INET)):
        yield Shot(
            word,
            "",
            multicast.get(**ask),
            lambda m: m.index == LEFT,
            check=is_multicast,
            alone="held against `ip -j maddr`, which reads /proc",
        )
    for text, group, check in (
        ("239.3.3.3", "ipv4-mcaddr", is_multicast),
        ("ff05::33", "ipv6-mcaddr", is_multicast),
        ("2001:db8::33", "ipv6-acaddr", is_anycast),
    ):
        sort = check.__name__.removeprefix("is_")
        yield Shot(f"{sort} address event {text}", membership(text, joins=True), group,
                   spoken_by(sort, text), check=check, alone=NO_MONITOR)  # fmt: skip
        yield Shot(f"{sort} address event of a removal {text}", membership(text, joins=False),
                   group, spoken_by(sort, text), alone=NO_MONITOR)  # fmt: skip
    yield Shot("namespace with a number", "ip netns add one\nip netns set one 7", nsid.get(),
               lambda m: m.nsid == 7, shown="ip -j netns list-id", inside=(0,))  # fmt: skip
    yield Shot("namespace event", "ip netns add two\nip netns set two 8", "nsid")
    yield Shot("namespace event of a removal", "ip netns del two", "nsid",
               lambda m: m.nlmsg_name == "RTM_DELNSID")  # fmt: skip
    yield Shot("link of another namespace",
               "ip link add here index 1030 type veth peer name there netns one",
               SHORT, named("here"), fields=(*LINK_FIELDS, "link_netnsid"))  # fmt: skip
    for word, which, group, inside in (
        ("a link", IFLA_STATS.IFLA_STATS_LINK_64, "link", (0, "stats64")),
        ("a link's offloads", IFLA_STATS.IFLA_STATS_LINK_OFFLOAD_XSTATS, "offload", (1, "info")),
        ("MPLS", IFLA_STATS.IFLA_STATS_AF_SPEC, "afstats", (0, "mpls_stats")),
    ):
        before = "sysctl -qw net.mpls.conf.left.input=1" if word == "MPLS" else ""
        yield Shot(f"counters of {word}", before, stats.get(filter_mask=which),
                   lambda m: m.ifindex == LEFT,
                   shown=f"ip -j stats show dev left group {group}", inside=inside)  # fmt: skip
    yield from prepare("ip link add bond0 index 1040 type bond mode 802.3ad")
    yield Shot("counters of a bond", "",
               stats.get(filter_mask=IFLA_STATS.IFLA_STATS_LINK_XSTATS),
               lambda m: m.ifindex == 1040, shown="ip -j stats show dev bond0 group xstats",
               inside=(("subgroup", "bond"), "802.3ad"), undo="ip link del bond0")  # fmt: skip
    for what, command, wanted in (
        ("link event with another name", "ip link property add dev left altname another",
         lambda m: m.prop_list),
        ("link event of a new link",
         "ip link add d0 address 02:00:00:00:00:d0 type veth peer name d1",
         named("d0")),
        ("link event of a new master", "ip link add br1 type bridge\nip link set d0 master br1",
         lambda m: m.ifname == "d0" and m.master),
        ("link event of no master any more", "ip link set d0 nomaster",
         lambda m: m.nlmsg_name == "RTM_DELLINK"),
        ("link event of a link that goes to another namespace", "ip link set d0 netns one",
         lambda m: m.nlmsg_name == "RTM_DELLINK" and m.new_netnsid is not None),
    ):  # fmt: skip
        yield Shot(what, command, "link", wanted, fields=EVENT_FIELDS)
    yield Shot("link with a program", attach_xdp, SHORT, named("right"),
               fields=("index", "ifname", "xdp"), shown="ip -j -d link show right",
               inside=(0, "xdp"))  # fmt: skip
    yield Shot("prefix that a router announces", announce, "ipv6-prefix")
    yield Shot(
        "option that a router announces",
        announce,
        "nd-useropt",
        lambda m: m.data[0] == 25,  # RDNSS
        check=is_announced,
        alone="held against the packet that announced it: no tool shows it",
    )
    yield Shot("address that a router announces", "", addr.get(**INET6),
               lambda m: str(m.address).startswith("2001:db8:77:"))  # fmt: skip
    yield from prepare("ip netns del one")


NO_MONITOR = "newer than iproute2's monitor; held against /proc, and a removal against its command"
MEMBERS: dict[str, socket.socket] = {}  # an address is the link's as long as its socket is open


def membership(text: str, *, joins: bool) -> Callable[[Connection], None]:
    """Make left a member of a group, or of those who share an address; or end that."""
    is_v4 = "." in text
    family = socket.AF_INET if is_v4 else socket.AF_INET6
    sort = "multicast" if is_v4 or text.startswith("ff") else "anycast"

    def make(nl: Connection) -> None:
        if not joins:
            MEMBERS.pop(text).close()
            return
        MEMBERS[text] = member = socket.socket(family, socket.SOCK_DGRAM)
        packed = socket.inet_pton(family, text)
        if is_v4:  # struct ip_mreqn
            request = packed + bytes(4) + struct.pack("=i", LEFT)
            member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        else:  # struct ipv6_mreq
            option = socket.IPV6_JOIN_GROUP if sort == "multicast" else IPV6_JOIN_ANYCAST
            member.setsockopt(socket.IPPROTO_IPV6, option, packed + struct.pack("=i", LEFT))

    make.__doc__ = f"setsockopt() makes left a member of {text}" if joins else "close()"
    return make


IPV6_JOIN_ANYCAST = 27  # linux/in6.h


def spoken_by(field: str, text: str) -> Callable[[Any], bool]:
    """An address in that field."""
    return lambda m: str(getattr(m, field)) == text


def is_anycast(message: Any) -> None:
    found = [line.split() for line in Path("/proc/net/anycast6").read_text().splitlines()]
    assert [str(message.index), message.anycast.packed.hex()] in [[row[0], row[2]] for row in found]


def is_multicast(message: Any) -> None:
    shown = json.loads(subprocess.check_output(["ip", "-j", "maddr", "show", "dev", "left"]))
    assert str(message.multicast) in [each.get("address") for each in shown[0]["maddr"]]


def is_announced(message: Any) -> None:
    assert message.opts == DNS_SERVER and message.ifindex == LEFT


def attach_xdp(nl: Connection) -> None:
    """link.set(index=right, xdp={"fd": a program that returns XDP_PASS})"""
    code = (ctypes.c_uint64 * 2)(0x2_0000_00B7, 0x95)  # r0 = XDP_PASS; exit
    license_ = ctypes.c_char_p(b"GPL")
    attributes = (ctypes.c_uint64 * 16)()
    attributes[0] = 6 | 2 << 32  # BPF_PROG_TYPE_XDP, two instructions
    attributes[1] = ctypes.addressof(code)
    attributes[2] = ctypes.cast(license_, ctypes.c_void_p).value or 0
    libc = ctypes.CDLL(None, use_errno=True)
    program = libc.syscall(321, 5, attributes, ctypes.sizeof(attributes))  # BPF_PROG_LOAD, x86_64
    nl.do(link.set(index=RIGHT, xdp={"fd": program, "flags": 2}))  # XDP_FLAGS_SKB_MODE


DNS_SERVER = struct.pack(
    ">BBHI16s", 25, 3, 0, 900, socket.inet_pton(socket.AF_INET6, "2001:db8::53")
)


def announce(nl: Connection) -> None:
    """A router advertisement with a prefix and a DNS server, from right to left"""
    for name, value in (("forwarding", 0), ("accept_ra", 2), ("accept_ra_from_local", 1)):
        Path(f"/proc/sys/net/ipv6/conf/left/{name}").write_text(str(value))
    prefix = struct.pack(">BBBBIII16s", 3, 4, 64, 0xC0, 900, 800, 0,
                         socket.inet_pton(socket.AF_INET6, "2001:db8:77::"))  # fmt: skip
    body = struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix + DNS_SERVER
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, RIGHT)
        raw.sendto(body, ("ff02::1", 0, 0, RIGHT))


SCENES: dict[str, Callable[[], Any]] = {
    "route": lambda: ROUTE, "links": links, "tc": tc, "routes": routes, "bridge": bridge,
    "host": host,
}  # fmt: skip
