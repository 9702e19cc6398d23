"""Capture messages of the running kernel into route.jsonl, one JSON object a line.

Run it as root (or under `unshare -rn`), with iproute2 and this checkout installed:

    python tests/vectors/capture.py

It makes a network namespace for itself. Each record holds `what`, the `kernel`, the `command`
that made the thing, the kernel's name of the `message`, the whole message as `hex` (with struct
nlmsghdr, in the byte order of the machine) and what `to_json` gave: look it through before you
keep it, tests/kernel/test_oracle.py holds the same against iproute2.
"""

import json
import platform
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from netlink import Connection, Message
from netlink._nlsock import CLONE_NEWNET, unshare
from netlink.constants import AF
from netlink.route import FAMILY, addr, link, neigh, route

TARGET = Path(__file__).with_name("route.jsonl")

# What, the command that makes it, what to ask for (a dump, or a group to listen to), and which
# of the answers it is. A command with nothing behind it only prepares.
SCENE: list[tuple[str, str, Any, Callable[[Any], bool]] | str] = [
    ("link loopback", "ip link set lo up", link.get(), lambda m: m.ifname == "lo"),
    (
        "link veth",
        "ip link add left address 02:00:00:00:00:01 numtxqueues 3 type veth"
        " peer name right address 02:00:00:00:00:02",
        link.get(),
        lambda m: m.ifname == "left",
    ),
    (
        "link with alias and another name",
        "ip link property add dev right altname a-name-of-more-than-fifteen-bytes",
        link.get(),
        lambda m: m.ifname == "right",
    ),
    (
        "link bridge",
        "ip link add br0 address 02:00:00:00:00:10 type bridge stp_state 1 priority 4096",
        link.get(),
        lambda m: m.ifname == "br0",
    ),
    ("link bridge port", "ip link set right master br0", link.get(), lambda m: m.master),
    (
        "link bridge port of the bridge family",
        "ip link set right type bridge_slave cost 77",
        link.get(family=AF.AF_BRIDGE),
        lambda m: m.ifname == "right",
    ),
    (
        "link vxlan",
        "ip link add vx0 address 02:00:00:00:00:20 type vxlan id 42 local 192.0.2.1"
        " remote 192.0.2.99 dstport 4789 ttl 9 srcport 40000 50000",
        link.get(),
        lambda m: m.ifname == "vx0",
    ),
    ("link event", "ip link set left up", "link", lambda m: m.ifname == "left"),
    ("link event of a removal", "ip link del vx0", "link", lambda m: m.nlmsg_name == "RTM_DELLINK"),
    "ip link set right up",
    (
        "address",
        "ip addr add 192.0.2.1/24 brd + dev left",
        addr.get(family=AF.AF_INET),
        lambda m: m.label == "left",
    ),
    (
        "address with a peer and a lifetime",
        "ip addr add 10.9.0.1 peer 10.9.0.2/32 dev left label left:x valid_lft 900"
        " preferred_lft 800 metric 77",
        "ipv4-ifaddr",
        lambda m: True,
    ),
    (
        "address IPv6",
        "ip addr add 2001:db8::1/64 dev left nodad",
        addr.get(family=AF.AF_INET6),
        lambda m: str(m.address) == "2001:db8::1",
    ),
    (
        "route",
        "ip route add 198.51.100.0/24 via 192.0.2.2 dev left",
        route.get(family=AF.AF_INET),
        lambda m: str(m.dst) == "198.51.100.0",
    ),
    (
        "route default",
        "ip route add default via 192.0.2.2 dev left",
        route.get(family=AF.AF_INET),
        lambda m: m.dst is None,
    ),
    (
        "route with metrics in a table of its own",
        "ip route add 198.51.101.0/24 via 192.0.2.2 dev left table 70000 metric 20 proto bgp"
        " src 192.0.2.1 mtu lock 1300 rtt 100ms quickack 1 congctl cubic features ecn",
        route.get(family=AF.AF_INET),
        lambda m: m.table == 70000,
    ),
    (
        "route over several hops",
        "ip route add 203.0.113.0/24 nexthop via 192.0.2.2 dev left weight 3"
        " nexthop via 192.0.2.3 dev left onlink",
        route.get(family=AF.AF_INET),
        lambda m: str(m.dst) == "203.0.113.0",
    ),
    (
        "route via another family",
        "ip route add 203.0.112.0/24 via inet6 fe80::9 dev left",
        route.get(family=AF.AF_INET),
        lambda m: m.via,
    ),
    (
        "route over several hops of another family",
        "ip route add 203.0.111.0/24 nexthop via inet6 fe80::9 dev left"
        " nexthop via 192.0.2.9 dev left",
        route.get(family=AF.AF_INET),
        lambda m: str(m.dst) == "203.0.111.0",
    ),
    (
        "route blackhole",
        "ip route add blackhole 203.0.110.0/24",
        "ipv4-route",
        lambda m: str(m.dst) == "203.0.110.0",
    ),
    (
        "route event of a removal",
        "ip route del 198.51.100.0/24",
        "ipv4-route",
        lambda m: m.nlmsg_name == "RTM_DELROUTE",
    ),
    (
        "route IPv6 over several hops",
        "ip route add 2001:db8:6::/48 nexthop via 2001:db8::2 dev left weight 2"
        " nexthop via 2001:db8::3 dev left",
        route.get(family=AF.AF_INET6),
        lambda m: m.multipath,
    ),
    (
        "route IPv6 that expires",
        "ip route add 2001:db8:5::/48 via 2001:db8::2 dev left expires 500 pref high",
        route.get(family=AF.AF_INET6),
        lambda m: str(m.dst) == "2001:db8:5::",
    ),
    (
        "neighbour",
        "ip neigh add 192.0.2.3 lladdr 02:00:00:00:00:23 dev left nud stale protocol static",
        neigh.get(),
        lambda m: str(m.dst) == "192.0.2.3",
    ),
    (
        "neighbour IPv6",
        "ip neigh add 2001:db8::2 lladdr 02:00:00:00:00:22 dev left nud reachable router",
        neigh.get(),
        lambda m: str(m.dst) == "2001:db8::2",
    ),
    (
        "neighbour proxy",
        "ip neigh add proxy 192.0.2.77 dev left",
        neigh.get(flags=neigh.NTF.NTF_PROXY),
        lambda m: True,
    ),
    (
        "neighbour forwarding entry",
        "bridge fdb add 02:00:00:00:00:99 dev right master static",
        neigh.get(family=AF.AF_BRIDGE),
        lambda m: m.lladdr == "02:00:00:00:00:99",
    ),
]


def capture() -> Iterator[dict[str, Any]]:
    for step in SCENE:
        what, command, ask, wanted = (None, step, None, None) if isinstance(step, str) else step
        with Connection(FAMILY, timeout=5) as nl:
            if isinstance(ask, str):
                nl.join(ask)
            subprocess.run(command.split(), check=True)
            if what is None or wanted is None:
                continue
            answers = nl.events(timeout=1) if isinstance(ask, str) else nl.dump(ask)
            message = next(answer for answer in answers if wanted(answer))
        assert isinstance(message, Message)
        yield {
            "what": what,
            "kernel": platform.release().partition("-")[0],
            "command": command,
            "message": message.nlmsg_name,
            "hex": whole(message).hex(),
            "json": message.to_json(),
        }


def whole(message: Message) -> bytes:
    """A received message with its struct nlmsghdr."""
    body = bytes(message)
    envelope = struct.pack(
        "=IHHII",
        16 + len(body),
        message.nlmsg_type,
        message.nlmsg_flags,
        message.nlmsg_seq,
        message.nlmsg_pid,
    )
    return envelope + body


if __name__ == "__main__":
    unshare(CLONE_NEWNET)
    records = [json.dumps(record) for record in capture()]
    TARGET.write_text("\n".join(records) + "\n")
    print(f"{len(records)} messages in {TARGET.name}")
