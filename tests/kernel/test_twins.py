"""Twins: our plans, and the same words given to `ip`, leave two namespaces in the same state.

Each row is a sentence of `ip` and the plan that says the same. tests/kernel/twins.py executes them.
A new sentence is one line; a row without effect fails. What the kernel here lacks is skipped.
"""

import errno
import inspect
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from netlink import Connection, KernelError, Plan
from netlink.constants import AF
from netlink.route import FAMILY, addr, link, linkprop, neigh, nexthop, route, rule
from netlink.route.encap import Ip6, Mpls, Seg6, seg6_iptunnel_encap
from tests.kernel.scene import shown
from tests.kernel.twins import Row, play, refused, same, twins, wrong

Json = dict[str, Any]

# "left" and "right", connected, with addresses of both families on "left".
PAIR = """
link set lo up
link add left address 02:00:00:00:00:01 type veth peer name right address 02:00:00:00:00:02
link set left up
link set right up
addr add 192.0.2.1/24 dev left
addr add 2001:db8::1/64 dev left nodad
"""
MAC = "02:00:00:00:00:07"
V4, V6 = "192.0.2.2", "2001:db8::2"

ADDR = [
    same(addr.add("10.0.0.1/24", "left"), "addr add 10.0.0.1/24 dev left"),
    same(addr.add("10.0.0.1", "left"), "addr add 10.0.0.1 dev left"),
    same(addr.add("10.0.0.1/255.255.0.0", "left"), "addr add 10.0.0.1/16 dev left"),
    same(addr.add("10.0.0.1/24", "left", broadcast="+"), "addr add 10.0.0.1/24 brd + dev left"),
    same(addr.add("10.0.0.1/24", "left", broadcast="-"), "addr add 10.0.0.1/24 brd - dev left"),
    same(addr.add("10.0.0.0/31", "left", broadcast="+"), "addr add 10.0.0.0/31 brd + dev left"),
    same(addr.add("10.0.0.9/32", "left", broadcast="+"), "addr add 10.0.0.9/32 brd + dev left"),
    same(addr.add("10.0.0.1/30", "left", broadcast="+"), "addr add 10.0.0.1/30 brd + dev left"),
    same(
        addr.add("10.0.0.1/24", "left", broadcast="10.0.0.99"),
        "addr add 10.0.0.1/24 brd 10.0.0.99 dev left",
    ),
    same(
        addr.add("10.0.0.1", "left", peer="10.9.0.2/24", broadcast="+"),
        "addr add 10.0.0.1 peer 10.9.0.2/24 brd + dev left",
    ),
    same(
        addr.add("10.0.0.1/24", "left", peer="10.9.0.2", broadcast="+"),
        "addr add 10.0.0.1/24 peer 10.9.0.2 brd + dev left",
    ),
    same(
        addr.add("2001:db8:1::1", "left", peer="2001:db8:2::2/64"),
        "addr add 2001:db8:1::1 peer 2001:db8:2::2/64 dev left",
    ),
    same(addr.add("127.0.0.9/8", "left"), "addr add 127.0.0.9/8 dev left"),
    same(addr.add("10.0.0.1/24", "left", scope="link"), "addr add 10.0.0.1/24 scope 253 dev left"),
    same(addr.add("10.0.0.1/24", "left", scope=200), "addr add 10.0.0.1/24 scope 200 dev left"),
    same(
        addr.add("10.0.0.1/24", "left", label="left:x"),
        "addr add 10.0.0.1/24 label left:x dev left",
    ),
    same(addr.add("10.0.0.1/24", "left", metric=7), "addr add 10.0.0.1/24 metric 7 dev left"),
    same(addr.add("10.0.0.1/24", "left", metric=0), "addr add 10.0.0.1/24 metric 0 dev left"),
    same(
        addr.add("10.0.0.1/24", "left", valid_lft=9000, preferred_lft=800),
        "addr add 10.0.0.1/24 valid_lft 9000 preferred_lft 800 dev left",
    ),
    same(
        addr.add("10.0.0.1/24", "left", preferred_lft=0),
        "addr add 10.0.0.1/24 preferred_lft 0 dev left",
    ),
    same(
        addr.add("2001:db8:1::1/64", "left", valid_lft="forever", preferred_lft=800, nodad=True),
        "addr add 2001:db8:1::1/64 valid_lft forever preferred_lft 800 nodad dev left",
    ),
    same(
        addr.add("2001:db8:1::1/64", "left", home=True, nodad=True),
        "addr add 2001:db8:1::1/64 home nodad dev left",
    ),
    same(
        addr.add("2001:db8:1::1/64", "left", optimistic=True, nodad=True),
        "addr add 2001:db8:1::1/64 optimistic nodad dev left",
    ),
    same(
        addr.add("10.0.0.1/24", "left", noprefixroute=True),
        "addr add 10.0.0.1/24 noprefixroute dev left",
    ),
    same(
        addr.add("2001:db8:1::1/64", "left", noprefixroute=True, nodad=True, mngtmpaddr=True),
        "addr add 2001:db8:1::1/64 noprefixroute nodad mngtmpaddr dev left",
    ),
    same(
        addr.add("239.1.1.1/32", "left", autojoin=True),
        "addr add 239.1.1.1/32 autojoin dev left",
    ),
    same(
        addr.put("192.0.2.1/24", "left", metric=77),
        "addr replace 192.0.2.1/24 metric 77 dev left",
    ),
    same(addr.put("10.0.0.1/24", "left"), "addr replace 10.0.0.1/24 dev left"),
    same(
        addr.put("2001:db8::1/64", "left", valid_lft=9000, preferred_lft=800, nodad=True),
        "addr replace 2001:db8::1/64 valid_lft 9000 preferred_lft 800 nodad dev left",
    ),
    same(addr.remove("192.0.2.1/24", "left"), "addr del 192.0.2.1/24 dev left"),
    same(addr.remove("192.0.2.1", "left"), "addr del 192.0.2.1 dev left"),
    same(addr.remove("2001:db8::1/64", "left"), "addr del 2001:db8::1/64 dev left"),
    same(
        addr.remove("10.0.0.1", "left", peer="10.9.0.2/24"),
        "addr del 10.0.0.1 peer 10.9.0.2/24 dev left",
        given="addr add 10.0.0.1 peer 10.9.0.2/24 dev left",
    ),
    same(
        addr.remove("10.0.0.1/24", "left", label="left:x"),
        "addr del 10.0.0.1/24 label left:x dev left",
        given="addr add 10.0.0.1/24 label left:x dev left",
    ),
    refused(addr.add("192.0.2.1/24", "left"), errno.EEXIST, "addr add 192.0.2.1/24 dev left"),
    refused(addr.add("2001:db8::1/64", "left"), errno.EEXIST, "addr add 2001:db8::1/64 dev left"),
    refused(addr.add("10.0.0.1/24", "gone"), errno.ENODEV, "addr add 10.0.0.1/24 dev gone"),
    refused(
        addr.remove("2001:db8::1", "left"), errno.EADDRNOTAVAIL, "addr del 2001:db8::1 dev left"
    ),
    refused(
        addr.remove("192.0.2.1/24", "left", label="left:z"),
        errno.EADDRNOTAVAIL,
        "addr del 192.0.2.1/24 label left:z dev left",
    ),
    wrong(
        addr.add("2001:db8:1::1/64", "left", broadcast="+"),
        "addr add 2001:db8:1::1/64 brd + dev left",
    ),
    wrong(
        addr.add("10.0.0.1/24", "left", valid_lft=100),
        "addr add 10.0.0.1/24 valid_lft 100 dev left",
    ),
    wrong(
        addr.add("10.0.0.1/24", "left", valid_lft=0),
        "addr add 10.0.0.1/24 valid_lft 0 dev left",
    ),
    wrong(addr.add("10.0.0.1/33", "left"), "addr add 10.0.0.1/33 dev left"),
]

HOPS4 = "nexthop via 192.0.2.2 weight 3 nexthop via 192.0.2.3 dev left"
HOPS6 = "nexthop via 2001:db8::2 weight 3 nexthop via 2001:db8::3 dev left"

ROUTE = [
    same(route.add("10.1.0.0/16", via=V4), f"route add 10.1.0.0/16 via {V4}"),
    same(route.add("10.1.2.3", via=V4, dev="left"), f"route add 10.1.2.3 via {V4} dev left"),
    same(route.add("10.1.0.0/16", dev="left"), "route add 10.1.0.0/16 dev left"),
    same(route.add("default", via=V4), f"route add default via {V4}"),
    same(route.add("0.0.0.0/0", via=V4), f"route add 0.0.0.0/0 via {V4}"),
    same(route.add("default", via=V6), f"route add default via {V6}"),
    same(route.add("default", dev="left"), "route add default dev left"),
    same(route.add("default", dev="left", family="inet6"), "-6 route add default dev left"),
    same(
        route.add(
            "default",
            nexthops=[{"via": "fe80::1", "dev": "left"}, {"via": "fe80::2", "dev": "left"}],
        ),
        "route add default nexthop via fe80::1 dev left nexthop via fe80::2 dev left",
    ),
    same(
        route.add(
            "default", nexthops=[{"via": V4, "weight": 3}, {"via": "192.0.2.3", "dev": "left"}]
        ),
        f"route add default {HOPS4}",
    ),
    same(
        route.add(
            "2001:db8:9::/48",
            nexthops=[{"via": V6, "weight": 3}, {"via": "2001:db8::3", "dev": "left"}],
        ),
        f"route add 2001:db8:9::/48 {HOPS6}",
    ),
    same(
        route.add(
            "10.1.0.0/16",
            nexthops=[
                {"dev": "left", "weight": 256},
                {"via": "172.16.0.1", "dev": "left", "onlink": True},
            ],
        ),
        "route add 10.1.0.0/16 nexthop dev left weight 256 nexthop via 172.16.0.1 dev left onlink",
    ),
    same(
        route.add(
            "10.1.0.0/16", nexthops=[{"via": V4, "realms": (3, 4)}, {"via": V6, "dev": "left"}]
        ),
        f"route add 10.1.0.0/16 nexthop via {V4} realms 3/4 nexthop via inet6 {V6} dev left",
    ),
    same(
        route.add("10.1.0.0/16", via=V6, dev="left"),
        f"route add 10.1.0.0/16 via inet6 {V6} dev left",
    ),
    same(route.add("10.1.0.0/16", via=f"::ffff:{V4}"), f"route add 10.1.0.0/16 via {V4}"),
    same(
        route.add("10.1.0.0/16", via="172.16.0.1", dev="left", onlink=True),
        "route add 10.1.0.0/16 via 172.16.0.1 dev left onlink",
    ),
    same(
        route.add("2001:db8:9::/48", via="2001:db8:77::1", dev="left", onlink=True),
        "route add 2001:db8:9::/48 via 2001:db8:77::1 dev left onlink",
    ),
    same(route.add("192.0.2.5/32", type="local", dev="lo"), "route add local 192.0.2.5/32 dev lo"),
    same(
        route.add("192.0.2.77", type="broadcast", dev="left"),
        "route add broadcast 192.0.2.77 dev left",
    ),
    same(
        route.add("192.0.2.78", type="anycast", dev="left"),
        "route add anycast 192.0.2.78 dev left",
    ),
    same(
        route.add("239.0.0.0/8", type="multicast", dev="left"),
        "route add multicast 239.0.0.0/8 dev left",
    ),
    same(
        route.add("192.0.2.5", type="local", dev="lo", table="main"),
        "route add local 192.0.2.5 dev lo table main",
    ),
    same(
        route.add("2001:db8:5::1", type="local", dev="lo"),
        "route add local 2001:db8:5::1 dev lo",
    ),
    same(
        route.add("2001:db8:6::", type="anycast", dev="left"),
        "route add anycast 2001:db8:6:: dev left",
    ),
    same(route.add("10.1.0.0/16", type="blackhole"), "route add blackhole 10.1.0.0/16"),
    same(route.add("10.1.0.0/16", type="unreachable"), "route add unreachable 10.1.0.0/16"),
    same(
        route.add("10.1.0.0/16", type="prohibit", metric=5),
        "route add prohibit 10.1.0.0/16 metric 5",
    ),
    same(route.add("default", type="throw", table=100), "route add throw default table 100"),
    same(
        route.add("2001:db8:9::/48", type="unreachable"),
        "route add unreachable 2001:db8:9::/48",
    ),
    same(route.add("10.1.0.0/16", dev="left", table=0), "route add 10.1.0.0/16 dev left table 0"),
    same(
        route.add("10.1.0.0/16", dev="left", table=255),
        "route add 10.1.0.0/16 dev left table local",
    ),
    same(
        route.add("10.1.0.0/16", dev="left", table=70000),
        "route add 10.1.0.0/16 dev left table 70000",
    ),
    same(
        route.add("2001:db8:9::/48", dev="left", table=70000),
        "route add 2001:db8:9::/48 dev left table 70000",
    ),
    same(
        route.add("10.1.0.0/16", dev="left", metric=0),
        "route add 10.1.0.0/16 dev left metric 0",
    ),
    same(
        route.add("2001:db8:9::/48", dev="left", metric=0),
        "route add 2001:db8:9::/48 dev left metric 0",
    ),
    same(
        route.add("2001:db8:9::/48", dev="left", metric=7),
        "route add 2001:db8:9::/48 dev left metric 7",
    ),
    same(
        route.add("10.1.0.0/16", dev="left", proto="static", scope="host", src="192.0.2.1", tos=16),
        "route add 10.1.0.0/16 dev left proto static scope host src 192.0.2.1 tos 0x10",
    ),
    same(
        route.add("10.1.0.0/16", via=V4, scope="site"),
        f"route add 10.1.0.0/16 via {V4} scope site",
    ),
    same(route.add("10.1.0.0/16", dev="left", proto=0), "route add 10.1.0.0/16 dev left proto 0"),
    same(
        route.add("10.1.0.0/16", dev="left", realms=(3, 4)),
        "route add 10.1.0.0/16 dev left realms 3/4",
    ),
    same(
        route.add("10.1.0.0/16", dev="left", realms=4),
        "route add 10.1.0.0/16 dev left realms 4",
    ),
    same(
        route.add(
            "10.1.0.0/16",
            dev="left",
            mtu=1300,
            metrics={"advmss": 1200, "hoplimit": 9, "cc_algo": "reno"},
        ),
        "route add 10.1.0.0/16 dev left mtu 1300 advmss 1200 hoplimit 9 congctl reno",
    ),
    same(
        route.add(
            "2001:db8:9::/48", dev="left", metrics={"mtu": 1300, "lock": 1 << 2, "quickack": 1}
        ),
        "route add 2001:db8:9::/48 dev left mtu lock 1300 quickack 1",
    ),
    same(
        route.add("2001:db8:9::/48", via=V6, expires=900),
        f"route add 2001:db8:9::/48 via {V6} expires 900",
    ),
    same(
        route.add("2001:db8:9::/48", dev="left", pref="high"),
        "route add 2001:db8:9::/48 dev left pref high",
    ),
    same(
        route.add("2001:db8:9::/48", dev="left", from_="2001:db8:8::/48"),
        "route add 2001:db8:9::/48 dev left from 2001:db8:8::/48",
    ),
    same(
        route.add("2001:db8:9::/48", dev="left", src="2001:db8::1"),
        "route add 2001:db8:9::/48 dev left src 2001:db8::1",
    ),
    same(route.add("2001:db8:9::1/48", dev="left"), "route add 2001:db8:9::1/48 dev left"),
    same(
        route.add("10.1.0.0/16", nhid=7),
        "route add 10.1.0.0/16 nhid 7",
        given=f"nexthop add id 7 via {V4} dev left",
    ),
    same(
        route.add(
            "10.1.0.0/16",
            dev="left",
            encap_type="ip",
            encap={"id": 7, "dst": "192.0.2.7", "ttl": 9},
        ),
        "route add 10.1.0.0/16 encap ip id 7 dst 192.0.2.7 ttl 9 dev left",
    ),
    same(
        route.add("2001:db8:9::/48", dev="left", encap=Ip6(id=7, dst="2001:db8::7", hoplimit=9)),
        "route add 2001:db8:9::/48 encap ip6 id 7 dst 2001:db8::7 hoplimit 9 dev left",
    ),
    same(
        route.add("10.1.0.0/16", via=V4, encap=Mpls(dst=(100, 200))),
        f"route add 10.1.0.0/16 encap mpls 100/200 via {V4}",
    ),
    same(
        route.add(
            "2001:db8:9::/48",
            dev="left",
            encap=Seg6(srh=seg6_iptunnel_encap.of("2001:db8::a", mode=1)),
        ),
        "route add 2001:db8:9::/48 encap seg6 mode encap segs 2001:db8::a dev left",
    ),
    same(
        route.add(
            "2001:db8:9::1",
            dev="left",
            encap_type="seg6local",
            encap={"action": 7, "table": 254, "counters": {}},
        ),
        "route add 2001:db8:9::1 encap seg6local action End.DT6 table 254 count dev left",
    ),
    same(
        route.add(
            "10.1.0.0/16", nexthops=[{"via": V4, "encap": Mpls(dst=(100,))}, {"via": "192.0.2.3"}]
        ),
        f"route add 10.1.0.0/16 nexthop encap mpls 100 via {V4} nexthop via 192.0.2.3",
    ),
    same(
        route.put("192.0.2.0/24", dev="left", proto="kernel", src="192.0.2.1", mtu=1200),
        "route replace 192.0.2.0/24 dev left proto kernel src 192.0.2.1 mtu 1200",
    ),
    same(route.put("10.1.0.0/16", via=V4), f"route replace 10.1.0.0/16 via {V4}"),
    same(
        route.put("2001:db8:9::/48", via=V6),
        f"route replace 2001:db8:9::/48 via {V6}",
        given="route add 2001:db8:9::/48 dev left",
    ),
    same(
        route.change("10.1.0.0/16", via="192.0.2.3"),
        "route change 10.1.0.0/16 via 192.0.2.3",
        given=f"route add 10.1.0.0/16 via {V4}",
    ),
    same(
        route.change("2001:db8:9::/48", via=V6, mtu=1300),
        f"route change 2001:db8:9::/48 via {V6} mtu 1300",
        given="route add 2001:db8:9::/48 dev left",
    ),
    same(
        route.remove("10.1.0.0/16"),
        "route del 10.1.0.0/16",
        given="route add 10.1.0.0/16 dev left",
    ),
    same(route.remove("default"), "route del default", given=f"route add default via {V4}"),
    same(
        route.remove("default", family=AF.AF_INET6),
        "-6 route del default",
        given=f"route add default via {V6}",
    ),
    same(
        route.remove("10.1.0.0/16", via="192.0.2.3"),
        "route del 10.1.0.0/16 via 192.0.2.3",
        given=f"route add 10.1.0.0/16 via {V4} metric 5; "
        "route add 10.1.0.0/16 via 192.0.2.3 metric 6",
    ),
    same(
        route.remove("10.1.0.0/16", metric=6),
        "route del 10.1.0.0/16 metric 6",
        given=f"route add 10.1.0.0/16 via {V4} metric 5; "
        "route add 10.1.0.0/16 via 192.0.2.3 metric 6",
    ),
    same(
        route.remove("10.1.0.0/16", table=100),
        "route del 10.1.0.0/16 table 100",
        given=f"route add 10.1.0.0/16 via {V4} table 100; route add 10.1.0.0/16 via {V4}",
    ),
    same(
        route.remove("192.0.2.5", type="local"),
        "route del local 192.0.2.5",
        given="route add local 192.0.2.5 dev lo",
    ),
    same(
        route.remove("10.1.0.0/16", type="blackhole", proto="static", tos=0),
        "route del blackhole 10.1.0.0/16 proto static",
        given="route add blackhole 10.1.0.0/16 proto static",
    ),
    same(
        route.remove("2001:db8:9::/48", proto="bird"),
        "route del 2001:db8:9::/48 proto bird",
        given="route add 2001:db8:9::/48 dev left proto bird metric 5; "
        "route add 2001:db8:9::/48 dev left metric 4",
    ),
    same(
        route.remove(
            "10.1.0.0/16", nexthops=[{"via": V4, "weight": 3}, {"via": "192.0.2.3", "dev": "left"}]
        ),
        f"route del 10.1.0.0/16 {HOPS4}",
        given=f"route add 10.1.0.0/16 {HOPS4}",
    ),
    same(
        route.remove("2001:db8:9::/48", dev="left", from_="2001:db8:8::/48"),
        "route del 2001:db8:9::/48 dev left from 2001:db8:8::/48",
        given="route add 2001:db8:9::/48 dev left from 2001:db8:8::/48",
    ),
    same(
        route.remove(
            "10.1.0.0/16",
            src="192.0.2.1",
            scope="link",
            dev="left",
            metrics={"mtu": 1300, "advmss": 1200},
        ),
        "route del 10.1.0.0/16 src 192.0.2.1 scope link dev left mtu 1300 advmss 1200",
        given="route add 10.1.0.0/16 src 192.0.2.1 dev left mtu 1300 advmss 1200; "
        "route add 10.1.0.0/16 dev left metric 3",
    ),
    same(
        route.remove("10.1.0.0/16", mtu=1300),
        "route del 10.1.0.0/16 mtu 1300",
        given="route add 10.1.0.0/16 dev left metric 1; "
        "route add 10.1.0.0/16 dev left mtu 1300 metric 2",
    ),
    same(
        route.remove("10.1.0.0/16", nhid=7),
        "route del 10.1.0.0/16 nhid 7",
        given=f"nexthop add id 7 via {V4} dev left; route add 10.1.0.0/16 nhid 7",
    ),
    refused(
        route.add("192.0.2.0/24", dev="left", proto="kernel", src="192.0.2.1"),
        errno.EEXIST,
        "route add 192.0.2.0/24 dev left proto kernel src 192.0.2.1",
    ),
    refused(route.add("10.1.0.1/16", dev="left"), errno.EINVAL, "route add 10.1.0.1/16 dev left"),
    refused(route.add("10.1.0.0/16", dev="gone"), errno.ENODEV, "route add 10.1.0.0/16 dev gone"),
    refused(
        route.add("10.1.0.0/16", via="172.16.0.1"),
        errno.ENETUNREACH,
        "route add 10.1.0.0/16 via 172.16.0.1",
    ),
    refused(
        route.add("192.0.2.79", type="nat", dev="left"),
        errno.EINVAL,
        "route add nat 192.0.2.79 dev left",
    ),
    refused(
        route.add("2001:db8:9::/48", dev="left", tos=4),
        errno.EINVAL,
        "route add 2001:db8:9::/48 dev left tos 4",
    ),
    refused(
        route.change("10.1.0.0/16", dev="left"),
        errno.ENOENT,
        "route change 10.1.0.0/16 dev left",
    ),
    refused(route.remove("10.1.0.0/16"), errno.ESRCH, "route del 10.1.0.0/16"),
    refused(route.remove("192.0.2.0/24", mtu=1300), errno.ESRCH, "route del 192.0.2.0/24 mtu 1300"),
    refused(
        route.remove("192.0.2.0/24", scope="host"),
        errno.ESRCH,
        "route del 192.0.2.0/24 scope host",
    ),
    wrong(
        route.add("10.1.0.0/16", nexthops=[{"via": V4, "weight": 257}]),
        f"route add 10.1.0.0/16 nexthop via {V4} weight 257",
    ),
    wrong(
        route.add("10.1.0.0/16", nexthops=[{"via": V4, "weight": 0}]),
        f"route add 10.1.0.0/16 nexthop via {V4} weight 0",
    ),
    wrong(
        route.add("10.1.0.0/16", dev="left", src="2001:db8::1"),
        "route add 10.1.0.0/16 dev left src 2001:db8::1",
    ),
    wrong(route.add("10.1.0.0/16", type="blakhole"), "route add blakhole 10.1.0.0/16"),
]

RULE = [
    same(
        rule.add(from_="10.1.0.0/16", table=7, priority=9),
        "rule add from 10.1.0.0/16 table 7 pref 9",
    ),
    same(rule.add(from_="10.1.0.0/16", table=7), "rule add from 10.1.0.0/16 table 7"),
    same(rule.add(from_="172.16.0.1/16", table=7), "rule add from 172.16.0.1/16 table 7"),
    same(
        rule.add(from_="2001:db8::1/32", table=70000),
        "-6 rule add from 2001:db8::1/32 table 70000",
    ),
    same(rule.add(to="10.1.2.3", table="main"), "rule add to 10.1.2.3 table main"),
    same(rule.add(from_="all", table=8), "rule add from all table 8"),
    same(rule.add(table=100), "rule add table 100"),
    same(rule.add(table=100, family="inet6"), "-6 rule add table 100"),
    same(rule.add(table=0, priority=301), "rule add table 0 pref 301"),
    same(rule.add(priority=300), "rule add pref 300"),
    same(rule.add(priority=0, table=7), "rule add pref 0 table 7"),
    same(rule.add(fwmark=5, table=100), "rule add fwmark 5 table 100"),
    same(rule.add(fwmark=5, fwmask=0xFF, table=100), "rule add fwmark 0x5/0xff table 100"),
    same(rule.add(fwmark=0, table=100), "rule add fwmark 0 table 100"),
    same(rule.add(fwmark=0, fwmask=0xFF, table=100), "rule add fwmark 0/0xff table 100"),
    same(
        rule.add(iif="left", oif="gone", action="blackhole"),
        "rule add iif left oif gone blackhole",
    ),
    same(
        rule.add(from_="10.0.0.0/8", invert=True, action="unreachable"),
        "rule add not from 10.0.0.0/8 unreachable",
    ),
    same(rule.add(action="prohibit", priority=102), "rule add prohibit pref 102"),
    same(rule.add(action="nop", priority=101), "rule add nop pref 101"),
    same(rule.add(goto=32766, priority=100), "rule add goto 32766 pref 100"),
    same(
        rule.add(goto=32766, priority=100, family=AF.AF_INET6),
        "-6 rule add goto 32766 pref 100",
    ),
    same(rule.add(l3mdev=True, priority=103), "rule add l3mdev pref 103"),
    same(rule.add(uidrange=(0, 0), table=100), "rule add uidrange 0-0 table 100"),
    same(
        rule.add(ipproto="tcp", sport=(10, 20), dport=80, table=100),
        "rule add ipproto tcp sport 10-20 dport 80 table 100",
    ),
    same(rule.add(ipproto=17, table=100), "rule add ipproto udp table 100"),
    same(rule.add(tun_id=77, table=100), "rule add tun_id 77 table 100"),
    same(rule.add(realms=(3, 4), table=100), "rule add realms 3/4 table 100"),
    same(rule.add(tos=16, table=100), "rule add tos 0x10 table 100"),
    same(
        rule.add(from_="2001:db8::/32", tos=16, table=100),
        "-6 rule add from 2001:db8::/32 tos 0x10 table 100",
    ),
    same(
        rule.add(table="main", suppress_prefixlen=0),
        "rule add table main suppress_prefixlength 0",
    ),
    same(rule.add(table="main", suppress_ifgroup=5), "rule add table main suppress_ifgroup 5"),
    same(
        rule.add(table="main", priority=200, protocol="static"),
        "rule add table main pref 200 protocol static",
    ),
    same(rule.remove(priority=32766), "rule del pref 32766"),
    same(rule.remove(priority=0), "rule del pref 0"),
    same(rule.remove(table="main"), "rule del table main"),
    same(rule.remove(table="main", family="inet6"), "-6 rule del table main"),
    same(
        rule.remove(from_="172.16.0.1/16", table=7),
        "rule del from 172.16.0.1/16 table 7",
        given="rule add from 172.16.0.1/16 table 7; rule add from 172.17.0.0/16 table 7",
    ),
    same(
        rule.remove(fwmark=5),
        "rule del fwmark 5",
        given="rule add fwmark 5 table 100; rule add fwmark 6 table 100",
    ),
    same(
        rule.remove(action="blackhole"),
        "rule del blackhole",
        given="rule add from 10.0.0.0/8 blackhole",
    ),
    same(
        rule.remove(suppress_prefixlen=0),
        "rule del suppress_prefixlength 0",
        given="rule add table main suppress_prefixlength 0",
    ),
    same(rule.remove(iif="left"), "rule del iif left", given="rule add iif left table 5"),
    same(
        rule.remove(protocol="static"),
        "rule del protocol static",
        given="rule add table 5 protocol static",
    ),
    same(rule.remove(l3mdev=True), "rule del l3mdev", given="rule add l3mdev pref 103"),
    same(
        rule.remove(uidrange=(0, 0)),  # an ordinary user's namespace maps no other
        "rule del uidrange 0-0",
        given="rule add uidrange 0-0 table 5",
    ),
    same(rule.remove(dport=80), "rule del dport 80", given="rule add dport 80 table 5"),
    same(rule.remove(tun_id=77), "rule del tun_id 77", given="rule add tun_id 77 table 5"),
    same(rule.remove(realms=4), "rule del realms 4", given="rule add realms 4 table 5"),
    same(rule.remove(tos=16), "rule del tos 0x10", given="rule add tos 0x10 table 5"),
    same(rule.remove(to="10.1.2.3"), "rule del to 10.1.2.3", given="rule add to 10.1.2.3 table 5"),
    same(rule.remove(oif="left"), "rule del oif left", given="rule add oif left table 5"),
    same(
        rule.remove(fwmask=0xFF),
        "rule del fwmark 0/0xff",
        given="rule add fwmark 0x5/0xff table 5",
    ),
    same(
        rule.remove(ipproto="udp", sport=(5, 6)),
        "rule del ipproto udp sport 5-6",
        given="rule add ipproto udp sport 5-6 table 5",
    ),
    same(
        rule.remove(suppress_ifgroup=5),
        "rule del suppress_ifgroup 5",
        given="rule add table main suppress_ifgroup 5",
    ),
    refused(
        rule.add(from_="10.1.0.0/16", table=7, priority=9),
        errno.EEXIST,
        "rule add from 10.1.0.0/16 table 7 pref 9",
        given="rule add from 10.1.0.0/16 table 7 pref 9",
    ),
    refused(rule.remove(priority=5), errno.ENOENT, "rule del pref 5"),
    wrong(rule.add(), "rule add"),
    wrong(rule.add(family="inet6"), "-6 rule add"),
    wrong(rule.remove(), "rule del"),
    wrong(rule.add(l3mdev=True, table=5), "rule add l3mdev table 5"),
]

NEIGH = [
    same(neigh.add("192.0.2.7", "left", lladdr=MAC), f"neigh add 192.0.2.7 dev left lladdr {MAC}"),
    same(
        neigh.add("2001:db8::7", "left", lladdr=MAC),
        f"neigh add 2001:db8::7 dev left lladdr {MAC}",
    ),
    same(
        neigh.add("192.0.2.7", "left", lladdr=MAC, state="stale", protocol="static"),
        f"neigh add 192.0.2.7 dev left lladdr {MAC} nud stale protocol static",
    ),
    same(
        neigh.add("192.0.2.7", "left", lladdr=MAC, state="noarp"),
        f"neigh add 192.0.2.7 dev left lladdr {MAC} nud noarp",
    ),
    same(
        neigh.add("192.0.2.7", "left", lladdr=MAC, state=neigh.NUD.NUD_REACHABLE),
        f"neigh add 192.0.2.7 dev left lladdr {MAC} nud reachable",
    ),
    same(neigh.add("192.0.2.7", "left", state="none"), "neigh add 192.0.2.7 dev left nud none"),
    same(neigh.add("192.0.2.7", "left", proxy=True), "neigh add proxy 192.0.2.7 dev left"),
    same(
        neigh.add("2001:db8::7", "left", proxy=True, router=True),
        "neigh add proxy 2001:db8::7 dev left router",
    ),
    same(
        neigh.add("2001:db8::7", "left", lladdr=MAC, router=True),
        f"neigh add 2001:db8::7 dev left lladdr {MAC} router",
    ),
    same(
        neigh.add("192.0.2.7", "left", lladdr=MAC, extern_learn=True),
        f"neigh add 192.0.2.7 dev left lladdr {MAC} extern_learn",
    ),
    same(neigh.add("192.0.2.7", "left", managed=True), "neigh add 192.0.2.7 dev left managed"),
    same(neigh.add("2001:db8::7", "left", use=True), "neigh add 2001:db8::7 dev left use"),
    same(
        neigh.put("192.0.2.7", "left", lladdr=MAC, state="stale"),
        f"neigh replace 192.0.2.7 dev left lladdr {MAC} nud stale",
        given="neigh add 192.0.2.7 dev left lladdr 02:00:00:00:00:08",
    ),
    same(
        neigh.put("2001:db8::7", "left", lladdr=MAC),
        f"neigh replace 2001:db8::7 dev left lladdr {MAC}",
    ),
    same(
        neigh.change("192.0.2.7", "left", lladdr=MAC),
        f"neigh change 192.0.2.7 dev left lladdr {MAC}",
        given="neigh add 192.0.2.7 dev left lladdr 02:00:00:00:00:08 nud stale",
    ),
    same(
        neigh.change("2001:db8::7", "left", lladdr=MAC, state="noarp"),
        f"neigh change 2001:db8::7 dev left lladdr {MAC} nud noarp",
        given="neigh add 2001:db8::7 dev left lladdr 02:00:00:00:00:08",
    ),
    same(
        neigh.remove("192.0.2.7", "left", proxy=True),
        "neigh del proxy 192.0.2.7 dev left",
        given="neigh add proxy 192.0.2.7 dev left",
    ),
    # Without the other, permanent entry, the kernel would keep the failed one for a moment.
    same(
        neigh.remove("2001:db8::7", "left"),
        "neigh del 2001:db8::7 dev left",
        given=f"neigh add 2001:db8::7 dev left lladdr {MAC}; "
        f"neigh add 2001:db8::8 dev left lladdr {MAC}",
    ),
    refused(
        neigh.add("192.0.2.7", "left", lladdr=MAC),
        errno.EEXIST,
        f"neigh add 192.0.2.7 dev left lladdr {MAC}",
        given=f"neigh add 192.0.2.7 dev left lladdr {MAC}",
    ),
    refused(neigh.add("192.0.2.9", "left"), errno.EINVAL, "neigh add 192.0.2.9 dev left"),
    refused(
        neigh.change("192.0.2.9", "left", lladdr=MAC),
        errno.ENOENT,
        f"neigh change 192.0.2.9 dev left lladdr {MAC}",
    ),
    refused(neigh.remove("192.0.2.9", "left"), errno.ENOENT, "neigh del 192.0.2.9 dev left"),
    refused(neigh.remove("192.0.2.9", "gone"), errno.ENODEV, "neigh del 192.0.2.9 dev gone"),
    wrong(
        neigh.add("192.0.2.9", "left", lladdr=MAC, state="permanant"),
        f"neigh add 192.0.2.9 dev left lladdr {MAC} nud permanant",
    ),
]

TWO_HOPS = f"nexthop add id 1 via {V4} dev left; nexthop add id 2 via 192.0.2.3 dev left"

NEXTHOP = [
    same(nexthop.add(7, via=V4, dev="left"), f"nexthop add id 7 via {V4} dev left"),
    same(nexthop.add(7, via=V6, dev="left"), f"nexthop add id 7 via {V6} dev left"),
    same(nexthop.add(7, dev="left"), "nexthop add id 7 dev left"),
    same(nexthop.add(7, dev="left", family="inet6"), "-6 nexthop add id 7 dev left"),
    same(nexthop.add(7, blackhole=True), "nexthop add id 7 blackhole"),
    same(nexthop.add(7, blackhole=True, family=AF.AF_INET6), "-6 nexthop add id 7 blackhole"),
    same(
        nexthop.add(7, via="172.16.0.1", dev="left", onlink=True),
        "nexthop add id 7 via 172.16.0.1 dev left onlink",
    ),
    same(
        nexthop.add(7, via=V4, dev="left", protocol="static"),
        f"nexthop add id 7 via {V4} dev left proto static",
    ),
    same(nexthop.add(7, via="192.0.2.9", fdb=True), "nexthop add id 7 via 192.0.2.9 fdb"),
    same(nexthop.add(7, via="2001:db8::9", fdb=True), "nexthop add id 7 via 2001:db8::9 fdb"),
    same(
        nexthop.add(7, via=V4, dev="left", encap=Mpls(dst=(100,))),
        f"nexthop add id 7 encap mpls 100 via {V4} dev left",
    ),
    same(
        nexthop.add(7, via=V6, dev="left", encap_type="ip6", encap={"id": 7, "dst": "2001:db8::7"}),
        f"nexthop add id 7 encap ip6 id 7 dst 2001:db8::7 via {V6} dev left",
    ),
    same(nexthop.add(10, group={1: 1, 2: 1}), "nexthop add id 10 group 1/2", given=TWO_HOPS),
    same(
        nexthop.add(10, group={1: 5, 2: 256}),
        "nexthop add id 10 group 1,5/2,256",
        given=TWO_HOPS,
    ),
    same(
        nexthop.add(
            10,
            group={1: 1, 2: 3},
            resilient={"buckets": 4, "idle_timer": 500, "unbalanced_timer": 10000},
        ),
        "nexthop add id 10 group 1/2,3 type resilient buckets 4 idle_timer 5 unbalanced_timer 100",
        given=TWO_HOPS,
    ),
    same(
        nexthop.add(10, group={7: 1}, fdb=True),
        "nexthop add id 10 group 7 fdb",
        given="nexthop add id 7 via 192.0.2.9 fdb",
    ),
    same(
        nexthop.put(7, via="192.0.2.3", dev="left"),
        "nexthop replace id 7 via 192.0.2.3 dev left",
    ),
    same(
        nexthop.put(1, via="192.0.2.9", dev="left"),
        "nexthop replace id 1 via 192.0.2.9 dev left",
        given=TWO_HOPS,
    ),
    same(
        nexthop.put(10, group={1: 1, 2: 7}),
        "nexthop replace id 10 group 1/2,7",
        given=f"{TWO_HOPS}; nexthop add id 10 group 1/2",
    ),
    same(nexthop.remove(1), "nexthop del id 1", given=f"{TWO_HOPS}; nexthop add id 10 group 1/2"),
    same(
        nexthop.remove(7),
        "nexthop del id 7",
        given=f"nexthop add id 7 via {V6} dev left; route add 2001:db8:9::/48 nhid 7",
    ),
    refused(
        nexthop.add(1, via=V4, dev="left"),
        errno.EEXIST,
        f"nexthop add id 1 via {V4} dev left",
        given=TWO_HOPS,
    ),
    refused(
        nexthop.add(7, via=V4, dev="gone"), errno.ENODEV, f"nexthop add id 7 via {V4} dev gone"
    ),
    refused(nexthop.add(7, via=V4), errno.EINVAL, f"nexthop add id 7 via {V4}"),
    refused(nexthop.add(7), errno.EINVAL, "nexthop add id 7"),
    refused(nexthop.remove(7), errno.ENOENT, "nexthop del id 7"),
    wrong(nexthop.add(10, group={1: 0}), "nexthop add id 10 group 1,0", given=TWO_HOPS),
    wrong(nexthop.add(7, via=V6, family="inet"), f"-4 nexthop add id 7 via {V6}"),
]

IFB = "link add d0 address 02:00:00:00:00:10 type ifb"
BRIDGE = "link add br0 address 02:00:00:00:00:20 type bridge"

LINK = [
    same(link.add("d0", "ifb", address=MAC), f"link add d0 address {MAC} type ifb"),
    same(
        link.add(
            "v0",
            "veth",
            {"peer": {"ifname": "v1", "address": "02:00:00:00:00:11", "mtu": 1300}},
            address=MAC,
            mtu=1400,
        ),
        f"link add v0 address {MAC} mtu 1400 type veth peer name v1 address "
        "02:00:00:00:00:11 mtu 1300",
    ),
    same(
        link.add(
            "d0",
            "ifb",
            address=MAC,
            broadcast="ff:ff:ff:ff:ff:fe",
            mtu=1400,
            txqlen=55,
            alias="hello",
            group=5,
            index=77,
            num_tx_queues=4,
            num_rx_queues=2,
            up=True,
        ),
        f"link add d0 up address {MAC} broadcast ff:ff:ff:ff:ff:fe mtu 1400 txqueuelen "
        "55 alias hello group 5 index 77 "
        "numtxqueues 4 numrxqueues 2 type ifb",
    ),
    same(
        link.add(
            "d0",
            "ifb",
            address=MAC,
            arp=False,
            multicast=False,
            allmulticast=True,
            promisc=True,
            dynamic=True,
        ),
        f"link add d0 address {MAC} arp off multicast off allmulticast on promisc on "
        "dynamic on type ifb",
    ),
    same(
        link.add(
            "d0", "ifb", address=MAC, gso_max_size=30000, gso_max_segs=100, gro_max_size=20000
        ),
        f"link add d0 address {MAC} gso_max_size 30000 gso_max_segs 100 gro_max_size "
        "20000 type ifb",
    ),
    same(
        link.add("d0", "ifb", address=MAC, linkmode="dormant", operstate="up"),
        f"link add d0 address {MAC} mode dormant state up type ifb",
    ),
    same(
        link.add("m0", "macvlan", {"mode": "MACVLAN_MODE_PRIVATE"}, link="left", address=MAC),
        f"link add link left name m0 address {MAC} type macvlan mode private",
    ),
    same(
        link.add("left.5", "vlan", {"id": 5}, link="left"),
        "link add link left name left.5 type vlan id 5",
    ),
    same(
        link.add(
            "br0",
            "bridge",
            {"forward_delay": 400, "stp_state": 1, "priority": 4096},
            address=MAC,
            up=True,
        ),
        f"link add br0 address {MAC} up type bridge forward_delay 400 stp_state 1 priority 4096",
    ),
    same(
        link.add(
            "vx0",
            "vxlan",
            {"id": 42, "group": "239.1.1.1", "link": 3, "port": 4789, "ttl": 5},
            address=MAC,
        ),
        f"link add vx0 address {MAC} type vxlan id 42 group 239.1.1.1 dev left dstport 4789 ttl 5",
    ),
    same(
        link.add("vx0", "vxlan", {"id": 42, "group6": "2001:db8::9", "port": 4789}, address=MAC),
        f"link add vx0 address {MAC} type vxlan id 42 remote 2001:db8::9 dstport 4789",
    ),
    same(
        link.add("d0", "ifb", address=MAC, master="br0"),
        f"link add d0 address {MAC} master br0 type ifb",
        given=BRIDGE,
    ),
    same(
        link.add(
            "m0",
            "macvlan",
            link="left",
            address=MAC,
            proto_down=True,
            proto_down_reason={"mask": 8, "value": 8},
        ),
        f"link add link left name m0 address {MAC} protodown on protodown_reason 3 on type macvlan",
    ),
    same(
        link.add("d0", "ifb", address=MAC, carrier=False, trailers=False, promisc=False),
        f"link add d0 address {MAC} carrier off trailers off promisc off type ifb",
    ),
    same(link.change("left", mtu=1400), "link set left mtu 1400"),
    same(
        link.change("left", broadcast="ff:ff:ff:ff:ff:fe"),
        "link set left broadcast ff:ff:ff:ff:ff:fe",
    ),
    same(
        link.change("m0", proto_down=True, proto_down_reason={"mask": 8, "value": 8}),
        "link set m0 protodown on protodown_reason 3 on",
        given=f"link add link left name m0 address {MAC} type macvlan",
    ),
    same(
        link.change("left", af_spec={"inet6": {"addr_gen_mode": "IN6_ADDR_GEN_MODE_NONE"}}),
        "link set left addrgenmode none",
    ),
    refused(link.change("left", carrier=False), errno.EOPNOTSUPP, "link set left carrier off"),
    refused(
        link.add("d0", "ifb", link_netnsid=4),
        errno.EINVAL,
        "link add d0 link-netnsid 4 type ifb",
    ),
    refused(
        link.add("d0", "ifb", addr_gen_mode="none"),
        errno.EAFNOSUPPORT,
        "link add d0 addrgenmode none type ifb",
    ),
    refused(
        link.change("left", vfinfo_list={"info": [{"mac": {"vf": 0, "mac": MAC}}]}),
        errno.EOPNOTSUPP,
        f"link set left vf 0 mac {MAC}",
    ),
    same(
        link.change("left", alias="hello", group=9, txqlen=77),
        "link set left alias hello group 9 txqueuelen 77",
    ),
    same(
        link.change("left", alias=""),
        'link set left alias ""',
        given="link set left alias hello",
    ),
    same(link.change("left", address=MAC), f"link set left address {MAC}"),
    same(link.change("left", up=False), "link set left down"),
    same(link.change("d0", up=True, mtu=1300), "link set d0 up mtu 1300", given=IFB),
    same(link.change("left", arp=False, multicast=False), "link set left arp off multicast off"),
    same(link.change("left", arp=True), "link set left arp on", given="link set left arp off"),
    same(
        link.change("left", allmulticast=True, promisc=True),
        "link set left allmulticast on promisc on",
    ),
    same(
        link.change("left", promisc=False),
        "link set left promisc off",
        given="link set left promisc on",
    ),
    same(
        link.change("left", trailers=False, dynamic=True),
        "link set left trailers off dynamic on",
    ),
    same(link.change("left", linkmode="dormant"), "link set left mode dormant"),
    same(link.change("left", operstate="testing"), "link set left state testing"),
    same(link.change("left", addr_gen_mode="none"), "link set left addrgenmode none"),
    same(link.change("left", addr_gen_mode="random"), "link set left addrgenmode random"),
    same(
        link.change("left", gso_max_size=30000, gso_max_segs=100, gro_max_size=20000),
        "link set left gso_max_size 30000 gso_max_segs 100 gro_max_size 20000",
    ),
    same(
        link.change("right", name="other", mtu=1400),
        "link set right name other mtu 1400",
        given="link set right down",
    ),
    same(link.change("right", master="br0"), "link set right master br0", given=BRIDGE),
    same(
        link.change("right", nomaster=True),
        "link set right nomaster",
        given=f"{BRIDGE}; link set right master br0",
    ),
    same(
        link.change("br0", kind="bridge", data={"ageing_time": 1000, "stp_state": 1}),
        "link set br0 type bridge ageing_time 1000 stp_state 1",
        given=BRIDGE,
    ),
    same(
        link.change("right", slave_kind="bridge", slave_data={"cost": 5, "learning": 0}),
        "link set right type bridge_slave cost 5 learning off",
        given=f"{BRIDGE}; link set right master br0",
    ),
    same(
        link.change("right", slave_kind="bridge", slave_data={"mode": 1, "priority": 9}),
        "bridge link set dev right hairpin on priority 9",
        given=f"{BRIDGE}; link set right master br0",
    ),
    same(link.up("d0"), "link set d0 up", given=IFB),
    same(link.down("left"), "link set left down"),
    same(link.rename("right", "other"), "link set right name other", given="link set right down"),
    same(link.remove("left"), "link del left"),
    same(link.remove("d0"), "link del d0", given=IFB),
    same(
        linkprop.add("left", "short", "a-name-of-more-than-fifteen-bytes"),
        "link property add dev left altname short altname a-name-of-more-than-fifteen-bytes",
    ),
    same(
        linkprop.remove("left", "short"),
        "link property del dev left altname short",
        given="link property add dev left altname short altname a-name-of-more-than-fifteen-bytes",
    ),
    same(
        link.change("a-name-of-more-than-fifteen-bytes", mtu=1400),
        "link set a-name-of-more-than-fifteen-bytes mtu 1400",
        given="link property add dev left altname a-name-of-more-than-fifteen-bytes",
    ),
    same(
        route.add("10.1.0.0/16", dev="a-name-of-more-than-fifteen-bytes"),
        "route add 10.1.0.0/16 dev a-name-of-more-than-fifteen-bytes",
        given="link property add dev left altname a-name-of-more-than-fifteen-bytes",
    ),
    same(
        addr.add("10.0.0.1/24", "short"),
        "addr add 10.0.0.1/24 dev short",
        given="link property add dev left altname short",
    ),
    refused(link.add("left", "ifb"), errno.EEXIST, "link add left type ifb"),
    refused(link.change("left", mtu=10), errno.EINVAL, "link set left mtu 10"),
    refused(link.change("gone", mtu=1400), errno.ENODEV, "link set gone mtu 1400"),
    refused(link.change("left", master="right"), errno.EOPNOTSUPP, "link set left master right"),
    refused(link.remove("gone"), errno.ENODEV, "link del gone"),
    refused(link.remove("lo"), errno.EOPNOTSUPP, "link del lo"),
    refused(link.rename("right", "left"), errno.EEXIST, "link set right name left"),
    refused(
        linkprop.add("left", "right"), errno.EEXIST, "link property add dev left altname right"
    ),
    refused(
        linkprop.remove("left", "gone"), errno.ENOENT, "link property del dev left altname gone"
    ),
    wrong(
        link.add("a-name-of-more-than-fifteen-bytes", "ifb"),
        "link add a-name-of-more-than-fifteen-bytes type ifb",
    ),
    wrong(link.change("left", new_ifindex=9), "link set left index 9"),
]

ROWS = [*ADDR, *ROUTE, *RULE, *NEIGH, *NEXTHOP, *LINK]


@dataclass(frozen=True)
class Query:
    """A plan that only reads, and the same question to `ip`. Its first answer must say the same."""

    ours: Plan[Any]
    theirs: str
    given: str = ""


MARKED = "rule add fwmark 5 table 1000; route add 192.0.2.0/24 dev left table 1000"
TWO_WAYS = f"route add 10.1.0.0/16 {HOPS4}"

QUERIES = [
    Query(link.index_of("left"), "link show left"),
    Query(link.index_of("short"), "link show left", "link property add dev left altname short"),
    Query(link.by_name("right"), "link show right"),
    Query(
        link.by_name("a-name-of-more-than-fifteen-bytes"),
        "link show left",
        "link property add dev left altname a-name-of-more-than-fifteen-bytes",
    ),
    Query(link.by_index(1), "link show lo"),
    Query(route.lookup("192.0.2.7"), "route get 192.0.2.7"),
    Query(route.lookup("192.0.2.1"), "route get 192.0.2.1"),
    Query(route.lookup("10.1.2.3"), "route get 10.1.2.3", f"route add 10.1.0.0/16 via {V4}"),
    Query(route.lookup("2001:db8::7"), "route get 2001:db8::7"),
    Query(route.lookup("2001:db8::7", oif="left"), "route get 2001:db8::7 oif left"),
    Query(route.lookup("192.0.2.7", mark=5), "route get 192.0.2.7 mark 5", MARKED),
    Query(
        route.lookup("192.0.2.7", src="192.0.2.1", uid=7, tos=16),
        "route get 192.0.2.7 from 192.0.2.1 uid 7 tos 0x10",
    ),
    Query(
        route.lookup("192.0.2.7", ipproto="tcp", sport=7, dport=80),
        "route get 192.0.2.7 ipproto tcp sport 7 dport 80",
        "rule add ipproto tcp dport 80 table 1000; route add 192.0.2.0/24 dev right table 1000",
    ),
    Query(
        route.lookup("192.0.2.1", src="192.0.2.9", iif="left"),
        "route get 192.0.2.1 from 192.0.2.9 iif left",
    ),
    Query(route.lookup("10.1.2.3", fibmatch=True), "route get fibmatch 10.1.2.3", TWO_WAYS),
    Query(route.lookup("2001:db8::7", fibmatch=True), "route get fibmatch 2001:db8::7"),
]


def name_of(row: Row) -> str:
    return row.theirs


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_same(row: Row) -> None:
    play(row, PAIR)


def in_their_words(found: Any, names: dict[int, str]) -> Json:
    """Return the result of a plan in the words of `ip -j`. A plain number is an index."""
    if isinstance(found, int):
        return {"ifindex": found}
    if isinstance(found, link.Link):
        return {"ifindex": found.index, "ifname": found.ifname, "mtu": found.mtu}
    assert isinstance(found, route.Route)
    whole = 32 if found.family == AF.AF_INET else 128
    return {
        "dst": f"{found.dst}/{found.dst_len}" if found.dst_len < whole else str(found.dst),
        "dev": found.oif and names[found.oif],
        "gateway": found.gateway and str(found.gateway),
        "prefsrc": found.prefsrc and str(found.prefsrc),
        "from": found.src and str(found.src),
        "table": {254: "main", 255: "local"}.get(found.table or 0, str(found.table)),
        "nexthops": [
            {"gateway": str(hop.gateway), "weight": hop.hops + 1} for hop in found.multipath
        ],
    }


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.theirs)
def test_query(query: Query) -> None:
    with twins(f"{PAIR}\n{query.given}") as (ours, _), ours:
        with Connection(FAMILY, timeout=10) as nl:
            found = nl.do(query.ours)
            names = {one.index: one.ifname or "" for one in nl.dump(link.get())}
        (answer,) = shown(f"-d {query.theirs}")
    told = in_their_words(found, names)
    hops = [{key: hop[key] for key in ("gateway", "weight")} for hop in answer.get("nexthops", ())]
    unsaid = {"table": "main", "nexthops": []}
    theirs = {key: answer.get(key, unsaid.get(key)) for key in told}
    assert told == (theirs | {"nexthops": hops} if "nexthops" in told else theirs)


# Arguments that iproute2 6.1 has no word for. The tests below read their effect back.
NO_WORD = {
    "addr.add(proto)", "link.add(af_spec)", "link.add(gro_ipv4_max_size)",
    "link.add(gso_ipv4_max_size)", "link.change(gro_ipv4_max_size)",
    "link.change(gso_ipv4_max_size)", "link.change(xdp)", "nexthop.add(hw_stats)",
    "nexthop.change", "rule.add(dscp)", "rule.remove(dscp)",
}  # fmt: skip
# Arguments that need a third namespace: test_moved.
MOVES = {
    "link.add(net_ns_fd)", "link.add(net_ns_pid)", "link.change(net_ns_fd)",
    "link.change(net_ns_pid)",
}  # fmt: skip
MODULES = (addr, link, linkprop, neigh, nexthop, route, rule)


def test_every_plan_has_a_row() -> None:
    """Each plan needs a row, and so does each parameter of a plan."""
    executed = [row.ours for row in ROWS] + [query.ours for query in QUERIES]
    used: dict[str, set[str]] = {}
    for plan in executed:
        used.setdefault(plan.name, set()).update(plan.kwargs)
    # Plans with the same parameters as another one. Its rows count for both.
    for name, model in (
        ("addr.put", "addr.add"), ("neigh.put", "neigh.add"), ("neigh.change", "neigh.add"),
        ("nexthop.put", "nexthop.add"), ("route.put", "route.add"), ("route.change", "route.add"),
    ):  # fmt: skip
        used[name] |= used[model]
    missing = set()
    for module in MODULES:
        for name, function in plans_of(module).items():
            full = f"{module.__name__.rpartition('.')[2]}.{name}"
            if full not in used:
                missing.add(full)
                continue
            parameters = inspect.signature(function).parameters.values()
            words = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
            missing |= {f"{full}({word})" for word in words - used[full]}
    same_gap = {f"{name}(proto)" for name in ("addr.put",)} | {"nexthop.put(hw_stats)"}
    assert sorted(missing - NO_WORD - MOVES - same_gap) == []


def plans_of(module: ModuleType) -> dict[str, Callable[..., Plan[Any]]]:
    """Return the functions of a module that make plans."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
        if hasattr(value, "plan")
    }


# --- what iproute2 has no word for ----------------------------------------------------------------


@pytest.fixture
def nl() -> Iterator[Connection]:
    with twins(PAIR) as (ours, _), ours, Connection(FAMILY, timeout=10) as connection:
        yield connection


def test_protocol_of_an_address(nl: Connection) -> None:
    nl.do(addr.add("10.0.0.1/24", "left", proto="kernel_ra"))
    nl.do(addr.add("2001:db8:1::1/64", "left", proto=77, nodad=True))
    made = {str(one.local or one.address): one.proto for one in nl.dump(addr.get())}
    assert made["10.0.0.1"] == addr.IFAPROT.IFAPROT_KERNEL_RA
    assert made["2001:db8:1::1"] == 77


def test_sizes_of_ipv4(nl: Connection) -> None:
    nl.do(link.change("left", gso_ipv4_max_size=30000, gro_ipv4_max_size=20000))
    found = nl.do(link.by_name("left"))
    assert (found.gso_ipv4_max_size, found.gro_ipv4_max_size) == (30000, 20000)
    nl.do(link.add("d0", "ifb", gso_ipv4_max_size=30000, gro_ipv4_max_size=20000))
    found = nl.do(link.by_name("d0"))
    assert (found.gso_ipv4_max_size, found.gro_ipv4_max_size) == (30000, 20000)


def test_dscp_of_a_rule(nl: Connection) -> None:
    try:
        nl.do(rule.add(dscp=5, table=7, priority=9))
    except KernelError as error:
        pytest.skip(f"before Linux 6.13: {error}")
    made = {one.priority: one.dscp for one in nl.dump(rule.get(family=AF.AF_INET))}
    assert made[9] == 5
    with pytest.raises(KernelError):
        nl.do(rule.remove(table=7, dscp=6))
    nl.do(rule.remove(table=7, dscp=5))
    assert 9 not in {one.priority for one in nl.dump(rule.get(family=AF.AF_INET))}


def test_change_of_a_next_hop(nl: Connection) -> None:
    with pytest.raises(KernelError) as refused:
        nl.do(nexthop.change(7, via=V4, dev="left"))
    assert refused.value.errno == errno.ENOENT
    nl.do(nexthop.add(7, via=V4, dev="left"))
    nl.do(nexthop.change(7, via="192.0.2.3", dev="left"))
    assert str(nl.do(nexthop.get(id=7)).gateway) == "192.0.2.3"


def test_hardware_statistics_of_a_group(nl: Connection) -> None:
    nl.do(nexthop.add(1, via=V4, dev="left"))
    try:
        nl.do(nexthop.add(10, group={1: 300}, hw_stats=True))
    except KernelError as error:
        pytest.skip(f"before Linux 6.12: {error}")
    found = nl.do(nexthop.get(id=10, op_flags=nexthop.NHA_OP_FLAG.NHA_OP_FLAG_DUMP_STATS))
    assert found.hw_stats_enable == 1
    (member,) = found.group
    assert (member.weight, member.weight_high) == (299 & 0xFF, 299 >> 8)


def test_program_of_a_link(nl: Connection) -> None:
    """The kernel's error about an invalid descriptor shows that the attribute arrived."""
    with pytest.raises(KernelError) as refused:
        nl.do(link.change("left", xdp={"fd": 99999}))
    assert refused.value.errno == errno.EBADF
    nl.do(link.change("left", xdp=link.Xdp(fd=-1)))


def test_settings_of_a_new_link(nl: Connection) -> None:
    """The kernel accepts them only for kinds whose IPv6 settings exist early."""
    with pytest.raises(KernelError) as refused:
        nl.do(link.add("d0", "ifb", af_spec={"inet6": {"addr_gen_mode": 1}}))
    assert refused.value.errno == errno.EAFNOSUPPORT


def test_moved() -> None:
    """Links move to another namespace, by process or descriptor, and may get another index."""
    with twins(PAIR) as (here, there):
        with there:
            process = subprocess.Popen(["sleep", "60"])
            there.tell("link del left")
        try:
            with here, Connection(FAMILY, timeout=10) as nl:
                nl.do(link.add("d0", "ifb", net_ns_fd=there.fd))
                nl.do(link.add("d1", "ifb", net_ns_pid=process.pid))
                nl.do(link.change("right", net_ns_pid=process.pid, new_ifindex=77))
                nl.do(link.change("left", net_ns_fd=there.fd))
                assert {one["ifname"] for one in shown("link")} >= {"lo"}
                assert not {"left", "right"} & {one["ifname"] for one in shown("link")}
            with there:
                found = {one["ifname"]: one["ifindex"] for one in shown("link")}
        finally:
            process.kill()
            process.wait()
    assert found["right"] == 77
    assert {"d0", "d1", "left"} <= found.keys()
