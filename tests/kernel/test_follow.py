"""follow() and Mirror against the live kernel: after every storm they have what a fresh dump has.

Other processes change objects as fast as they can, with random sentences of `ip -batch`. When all
is quiet, the state of the follower is compared with a fresh dump, object by object.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import random
import socket
import subprocess
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from netlink import Change, Connection, KernelError, Mark, Mirror, Overrun, aio, merge, uevent
from netlink._nlsock import CLONE_NEWNET, unshare
from netlink.constants import AF
from netlink.family import Request
from netlink.netfilter import conntrack
from netlink.route import (
    FAMILY,
    addr,
    link,
    mdb,
    neigh,
    netconf,
    nexthop,
    nsid,
    route,
    rule,
    vlandb,
)
from netlink.route.link import IFF
from netlink.route.neigh import NUD
from netlink.route.tc import filter as tc_filter
from netlink.route.tc import qdisc, tclass
from tests.drivers import BOTH, Connect
from tests.kernel.scene import LACKS, make

QUIET = 0.3  # seconds without a change, after which all is quiet
TINY = 4096  # a receive buffer for a few events
SIZE = 300  # sentences of one writer
ROUNDS = int(os.environ.get("NETLINK_LONG", "0")) * 20 or 2


# --- the two consumers ----------------------------------------------------------------------------


class Applied:
    """The state of a consumer that applies a stream, and what the stream promises.

    `forgets`: it forgets everything at a Mark("begin"); otherwise it keeps what it has.
    """

    def __init__(self, forgets: bool) -> None:
        self.forgets = forgets
        self.objects: Counter[bytes] = Counter()
        self.messages: dict[bytes, Any] = {}
        self.marks: list[Mark] = []

    def apply(self, item: Change[Any] | Mark) -> None:
        if isinstance(item, Mark):
            self.marks.append(item)
            if item.kind == "begin" and self.forgets:
                self.objects.clear()
            return
        kind, message, old = item
        if old is not None:
            self.objects.pop(bytes(old), None)
        if kind != "delete":
            self.objects[bytes(message)] = 1
            self.messages[bytes(message)] = message

    @property
    def state(self) -> list[Any]:
        return [self.messages[body] for body in self.objects]


def check_equal(state: Iterable[Any], fresh: Iterable[Any], request: Request[Any, Any]) -> None:
    """Compare objects, without the fields that change without events."""
    follow: Any = request.op.follow
    ignore = follow.ignore
    state = [*map(settled, filter(has_events, state))]
    left = [*map(settled, filter(has_events, fresh))]
    extra = []
    for known in state:
        for place, other in enumerate(left):
            if known == other or known.same_as(other, ignore=ignore):
                del left[place]
                break
        else:
            extra.append(known)
    assert (extra, left) == ([], []), f"not in the kernel: {extra}\nnot followed: {left}"


# --- storms ---------------------------------------------------------------------------------------


class Storm:
    """Writers: processes that execute sentences of `ip -batch`, and threads that execute requests
    by connections of their own. Errors are part of a storm."""

    def __init__(self, *batches: Iterable[Any]) -> None:
        self.threads = [threading.Thread(target=self._write, args=(batch,)) for batch in batches]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _write(batch: Iterable[Any]) -> None:
        items = [*batch]
        if isinstance(items[0], str):
            words = "".join(f"{item}\n" for item in items)
            command = ["ip", "-force", "-batch", "-"]
            subprocess.run(command, input=words, text=True, capture_output=True, check=False)
        else:
            with Connection(FAMILY) as own:
                Counter(own.do_many(items, window=1))

    @property
    def is_over(self) -> bool:
        return not any(thread.is_alive() for thread in self.threads)

    def __enter__(self) -> Storm:
        return self

    def __exit__(self, *details: object) -> None:
        for thread in self.threads:
            thread.join()


def make_pair() -> None:
    """Two pairs of links with addresses. An IPv6 address has no event before its DAD is over."""
    for setting in ("accept_dad", "dad_transmits", "router_solicitations"):
        Path(f"/proc/sys/net/ipv6/conf/default/{setting}").write_text("0")
    make("""
        link add d0 type veth peer name d1
        link add d2 type veth peer name d3
        link set d0 up
        link set d1 up
        link set d2 up
        link set d3 up
        addr add 10.0.0.1/24 dev d0
        addr add 10.1.0.1/24 dev d2
        addr add 2001:db8::1/64 dev d0 nodad
        addr add 2001:db8:1::1/64 dev d2 nodad
    """)
    # The kernel makes link-local addresses and their routes when it sees the carrier, a bit later.
    end = time.monotonic() + 10
    seen, quiet = "", 0
    while quiet < 5 and time.monotonic() < end:
        shown = subprocess.run(
            ["ip", "-6", "route", "show", "table", "all"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        quiet = quiet + 1 if shown == seen and shown.count("fe80::/64") == 4 else 0
        seen = shown
        time.sleep(0.02)


def routes4(seed: int, count: int) -> Iterator[str]:
    dice = random.Random(seed)
    for _ in range(count):
        verb = dice.choice(("add", "append", "prepend", "replace", "replace", "del", "del"))
        dst = f"10.9.{dice.randrange(12)}.0/24"
        hop = f"via 10.{dice.randrange(2)}.0.{dice.randrange(2, 5)}"
        if dice.random() < 0.2:
            hop = f"nexthop {hop} nexthop via 10.0.0.9"
        if verb == "del" and dice.random() < 0.5:
            hop = ""
        more = dice.choice(("", "", "metric 7", "table 100", "proto static"))
        yield f"route {verb} {dst} {more} {hop}"


def routes6(seed: int, count: int) -> Iterator[str]:
    dice = random.Random(seed)
    for _ in range(count):
        verb = dice.choice(("add", "append", "append", "replace", "del", "del", "change"))
        dst = f"2001:db8:9:{dice.randrange(12)}::/64"
        hop = f"via 2001:db8:{dice.randrange(2)}::{dice.randrange(2, 5)}"
        if dice.random() < 0.2:
            hop = f"nexthop {hop} nexthop via 2001:db8::9"
        if verb == "del" and dice.random() < 0.3:
            hop = ""
        yield f"route {verb} {dst} {dice.choice(('', '', 'metric 7', 'table 100'))} {hop}"


def neighbours(seed: int, count: int) -> Iterator[Request[Any, Any]]:
    dice = random.Random(seed)
    index = socket.if_nametoindex("d0")
    for _ in range(count):
        key = {
            "family": AF.AF_INET,
            "ndm_ifindex": index,
            "dst": f"10.0.0.{dice.randrange(50, 80)}",
        }
        op = dice.choice((neigh.new, neigh.replace, neigh.set, neigh.delete))
        if op is neigh.delete:
            yield op(**key)
        else:
            state = dice.choice((NUD.NUD_PERMANENT, NUD.NUD_STALE, NUD.NUD_REACHABLE))
            yield op(**key, state=state, lladdr=f"02:00:00:00:00:{dice.randrange(16, 99)}")


def links(seed: int, count: int) -> Iterator[Request[Any, Any]]:
    dice = random.Random(seed)
    d2 = socket.if_nametoindex("d2")
    for number in range(count):
        name = f"x{dice.randrange(6)}"
        up = dice.choice((IFF.IFF_UP, IFF(0)))
        yield dice.choice((
            link.new(ifname=name, linkinfo={"kind": "bridge"}),
            link.set(ifname=name, flags=up, change=IFF.IFF_UP),
            link.set(ifname=name, mtu=1000 + number % 400),
            link.delete(ifname=name),
            link.set(index=d2, flags=up, change=IFF.IFF_UP),
            link.set(index=d2, mtu=1000 + number % 400),
        ))  # fmt: skip


def ports(seed: int, count: int) -> Iterator[Request[Any, Any]]:
    """A link enters and leaves a bridge, which sends messages about its port."""
    d3, lo = socket.if_nametoindex("d3"), 1
    with Connection(FAMILY) as own:
        own.do(link.add(f"br{seed}", "bridge"))
    bridge = socket.if_nametoindex(f"br{seed}")
    for number in range(count):
        yield link.set(index=d3, master=bridge if number % 2 else 0)
        yield link.set_port(index=d3, family=AF.AF_BRIDGE, protinfo={"cost": 2 + number % 50})
        yield link.get(index=lo)


def addresses(seed: int, count: int) -> Iterator[str]:
    dice = random.Random(seed)
    for _ in range(count):
        yield dice.choice((
            f"addr add 10.7.{dice.randrange(9)}.1/24 dev d2",
            f"addr del 10.7.{dice.randrange(9)}.1/24 dev d2",
            f"addr replace 2001:db8:7:{dice.randrange(9)}::1/64 dev d2 nodad",
            f"addr del 2001:db8:7:{dice.randrange(9)}::1/64 dev d2",
            f"link set d2 {dice.choice(('up', 'down'))}",
        ))  # fmt: skip


def nexthops(seed: int, count: int) -> Iterator[str]:
    dice = random.Random(seed)
    for _ in range(count):
        number = dice.randrange(1, 9)
        yield dice.choice((
            f"nexthop add id {number} via 10.0.0.{number} dev d0",
            f"nexthop replace id {number} via 10.1.0.{number} dev d2",
            f"nexthop replace id {20 + number} group {number}/{1 + number % 8}",
            f"nexthop del id {number}",
            f"route replace 10.8.{number}.0/24 nhid {number}",
            f"route replace 2001:db8:8:{number}::/64 nhid {number}",
            f"route replace 10.8.{20 + number}.0/24 nhid {20 + number}",
            f"link set d2 {dice.choice(('up', 'down'))}",
            "addr replace 10.1.0.1/24 dev d2",
        ))  # fmt: skip


def rules(seed: int, count: int) -> Iterator[str]:
    dice = random.Random(seed)
    for _ in range(count):
        family = dice.choice(("-4", "-6"))
        source = (
            f"10.0.0.{dice.randrange(9)}" if family == "-4" else f"2001:db8::{dice.randrange(9)}"
        )
        verb = dice.choice(("add", "del"))
        yield f"rule {verb} from {source} priority {dice.randrange(100, 104)} table 7"


Writers = tuple[Callable[[int, int], Iterator[Any]], ...]
SCENES: dict[str, tuple[Callable[..., Any], Writers]] = {
    "routes4": (route.get, (routes4,)),
    "routes6": (route.get, (routes6,)),
    "routes, links, addresses and next hops": (
        route.get,
        (routes4, routes6, addresses, nexthops, links),
    ),
    "neighbours": (neigh.get, (neighbours,)),
    "links": (link.get, (links, ports)),
    "addresses": (addr.get, (addresses, links)),
    "nexthops": (nexthop.get, (nexthops,)),
    "rules": (rule.get, (rules,)),
}
SCENE = pytest.mark.parametrize("scene", SCENES)


def storm_of(scene: str, turn: int) -> Storm:
    """Two writers of each kind; one, if there are many kinds, as all wait for one lock."""
    writers = SCENES[scene][1]
    seeds = (turn,) if len(writers) > 2 else (2 * turn, 2 * turn + 1)
    return Storm(*(writer(seed, SIZE // len(writers)) for writer in writers for seed in seeds))


def settled(message: Any) -> Any:
    """Leave out groups of a bridge that lost their last port: the kernel frees them later, without
    an event."""
    if not isinstance(message, mdb.Mdb) or message.mdb is None:
        return message
    return message.replace(mdb={"entry": [entry for entry in message.mdb.entry if entry.info]})


def has_events(message: Any) -> bool:
    """Whether the kernel reports that there is such an object. Of a neighbour it does not, as long
    as its state is one of these."""
    return not isinstance(message, neigh.Neighbour) or bool(
        message.state & ~(NUD.NUD_NOARP | NUD.NUD_INCOMPLETE)
    )


@BOTH
@pytest.mark.parametrize("rcvbuf", [None, TINY], ids=["usual-buffer", "tiny-buffer"])
@SCENE
def test_a_storm(connect: Connect, rcvbuf: int | None, scene: str, nl: Connection) -> None:
    op = SCENES[scene][0]
    make_pair()
    request = op()
    applied = [Applied(forgets=True), Applied(forgets=False)]
    with connect(FAMILY, rcvbuf=rcvbuf, timeout=10) as own:
        stream = own.follow(request, timeout=QUIET)
        for turn in range(ROUNDS):
            with storm_of(scene, turn) as storm:
                while not storm.is_over:
                    if rcvbuf == TINY and turn == 1:
                        time.sleep(0.01)
                        continue  # so that the buffer overflows
                    for item in stream:
                        for each in applied:
                            each.apply(item)
            for item in stream:
                for each in applied:
                    each.apply(item)
            fresh = nl.dump(request).all()
            for each in applied:
                check_equal(each.state, fresh, request)
                assert each.marks[-1].kind == "synced"
        stream.close()
    if rcvbuf == TINY:
        assert any(isinstance(mark.cause, Overrun) for mark in applied[0].marks)


# --- facts ----------------------------------------------------------------------------------------


def settle(mirror: Mirror[Any]) -> Any:
    """Return all changes until it is quiet."""
    changes = [*mirror.update()]
    while more := mirror.update(timeout=QUIET):
        changes += more
    return changes


def all_of(stream: Any) -> list[Any]:
    """Return what a stream yields until it is quiet."""
    return [*stream]


def ip(*sentences: str) -> None:
    make("\n".join(sentences))


def test_ipv4_routes_vanish_without_an_event(nl: Connection) -> None:
    """Fact: IPv4 routes vanish without an event: link down, last address of a link deleted,
    next hop object deleted, link deleted."""
    make_pair()
    ip(
        "addr add 10.0.0.9/24 dev d0",
        "route add 10.9.1.0/24 via 10.1.0.2",
        "route add 10.9.2.0/24 via 10.0.0.2 src 10.0.0.9",
        "nexthop add id 7 via 10.0.0.3 dev d0",
        "route add 10.9.3.0/24 nhid 7",
    )
    request = route.get(family=AF.AF_INET)
    with Mirror(nl, request) as mirror:
        mirror.update()
        for cause, gone in (
            ("nexthop del id 7", "10.9.3.0"),
            ("addr del 10.0.0.9/24 dev d0", "10.9.2.0"),
            ("link set d2 down", "10.9.1.0"),
        ):
            assert mirror.by("dst", gone)
            ip(cause)
            assert gone in {str(each.dst) for each in mirror.update().removed}
            check_equal(mirror, nl.dump(request).all(), request)
        ip("link del d0")
        mirror.update()
        check_equal(mirror, nl.dump(request).all(), request)
        assert not mirror.by("oif", 3)


def test_next_hops_vanish_without_an_event(nl: Connection) -> None:
    make_pair()
    ip(
        "nexthop add id 1 via 10.1.0.2 dev d2",
        "nexthop add id 2 via 10.0.0.2 dev d0",
        "nexthop add id 3 group 1/2",
        "nexthop add id 4 group 1",
    )
    with Mirror(nl, nexthop.get()) as mirror:
        mirror.update()
        ip("link set d2 down")
        assert {each.id for each in mirror.update().removed} == {1, 4}
        check_equal(mirror, nl.dump(nexthop.get()).all(), nexthop.get())


def test_appended_routes(nl: Connection) -> None:
    """Fact: `route append` makes routes with one key; `replace` replaces the first of them and does
    not say which."""
    make_pair()
    with Mirror(nl, route.get(table=254)) as mirror:
        mirror.update()
        ip(
            "route add 10.9.0.0/24 via 10.0.0.7",
            "route append 10.9.0.0/24 via 10.0.0.8",
            "route prepend 10.9.0.0/24 via 10.0.0.6",
        )
        assert len(mirror.update().added) == 3
        assert len(mirror.by("dst", "10.9.0.0")) == 3
        ip("route replace 10.9.0.0/24 via 10.0.0.9")
        (change,) = mirror.update()
        old: Any = change.old
        assert (change.kind, str(old.gateway)) == ("change", "10.0.0.6")
        ip("route del 10.9.0.0/24 via 10.0.0.8")
        assert [str(each.gateway) for each in mirror.update().removed] == ["10.0.0.8"]
        check_equal(mirror, nl.dump(route.get(table=254)).all(), route.get())


def test_one_hop_of_an_ipv6_route(nl: Connection) -> None:
    """Fact: IPv6 multipath: append sends the whole route; deleting one hop sends RTM_DELROUTE with
    that hop alone, the rest has no event."""
    make_pair()
    with Mirror(nl, route.get()) as mirror:
        mirror.update()
        for words, hops in (
            ("add 2001:db8:9::/64 via 2001:db8::2", 0),
            ("append 2001:db8:9::/64 via 2001:db8::3", 2),
            ("append 2001:db8:9::/64 via 2001:db8::4", 3),
            ("del 2001:db8:9::/64 via 2001:db8::3", 2),
            ("del 2001:db8:9::/64 via 2001:db8::2", 0),
        ):
            ip(f"route {words}")
            (change,) = mirror.update()
            assert len(change.message.multipath) == hops
            assert change.kind == ("new" if words.startswith("add") else "change")
            check_equal(mirror, nl.dump(route.get()).all(), route.get())


def test_a_bridge_port_is_not_a_link(nl: Connection) -> None:
    """Fact: group "link" carries AF_BRIDGE port messages."""
    make_pair()
    ip("link add br0 type bridge", "link set d1 master br0", "link set br0 up")
    with Mirror(nl, link.get()) as mirror:
        settle(mirror)
        ip("link set d1 type bridge_slave cost 77", "link set d1 nomaster")
        removed = [change for change in settle(mirror) if change.kind == "delete"]
        assert not removed and mirror.by("ifname", "d1")
        check_equal(mirror, nl.dump(link.get()).all(), link.get())


def test_what_a_request_selects(nl: Connection) -> None:
    make_pair()
    ip("link add br0 type bridge", "rule add from 10.0.0.9 table 9")
    with (
        nl.follow(route.get(table=100), timeout=QUIET) as table,
        nl.follow(link.get(master=socket.if_nametoindex("br0")), timeout=QUIET) as ports,
        nl.follow(route.get(protocol="RTPROT_STATIC", family=AF.AF_INET), timeout=QUIET) as static,
    ):
        for stream in (table, ports, static):
            assert [*stream] == [Mark("begin"), Mark("synced")]
        ip(
            "route add 10.9.1.0/24 via 10.0.0.2",
            "route add 10.9.2.0/24 via 10.0.0.2 table 100",
            "link set d1 master br0",
            "route add 10.9.3.0/24 via 10.0.0.2 proto static",
        )
        assert [(c.kind, str(c.message.dst)) for c in all_of(table)] == [("new", "10.9.2.0")]
        assert {(c.kind, c.message.ifname) for c in all_of(ports)} >= {("new", "d1")}
        assert [(c.kind, str(c.message.dst)) for c in all_of(static)] == [("new", "10.9.3.0")]
        ip("route replace 10.9.3.0/24 via 10.0.0.2 proto boot", "link set d1 nomaster")
        assert [c.kind for c in all_of(static)] == ["delete"]
        left = all_of(ports)
        assert (left[-1].kind, left[-1].old.ifname) == ("delete", "d1")
        assert [*table] == []


def test_the_own_changes_of_a_connection(nl: Connection) -> None:
    """Fact: an event is not sent to the socket whose portid made it, unless NLM_F_ECHO."""
    with Mirror(nl, link.get()) as mirror:
        mirror.update()
        nl.do(link.set(index=1, mtu=4321))
        (change,) = mirror.update().changed
        old: Any = change.old
        assert (change.message.mtu, old.mtu) == (4321, 65536)


def test_mirror_reads(nl: Connection) -> None:
    make_pair()
    with Mirror(nl, link.get()) as mirror:
        assert len(mirror) == 5
        assert sorted(str(each.ifname) for each in mirror) == ["d0", "d1", "d2", "d3", "lo"]
        (lo,) = mirror.by("ifname", "lo")
        assert lo in mirror
        assert lo.replace(index=99) not in mirror
        assert {each.ifname for each in mirror.by("linkinfo.kind", "veth")} == {
            "d0", "d1", "d2", "d3",
        }  # fmt: skip
        assert [each.ifname for each in mirror.by("linkinfo", None)] == ["lo"]
        assert len(mirror.update().added) == 5
        assert not mirror.update()
        ip("link set d0 name e0")
        mirror.update()
        assert not mirror.by("ifname", "d0") and mirror.by("ifname", "e0")
        with pytest.raises(LookupError, match="has no field 'ifnam'"):
            mirror.by("ifnam", "lo")
        with pytest.raises(ValueError):
            mirror.by("mtu", "large")
        with pytest.raises(TypeError):
            mirror.by(3, 3)
        with pytest.raises(TypeError):
            assert "lo" in mirror
    assert mirror.closed and len(mirror) == 5
    with pytest.raises(OSError):
        mirror.update()


def test_mirror_of_asyncio() -> None:
    make_pair()

    async def main() -> None:
        async with aio.Connection(FAMILY) as nl:
            early = aio.Mirror(nl, link.get())
            with pytest.raises(RuntimeError, match="await its update"):
                len(early)
            await early.close()
            async with aio.Mirror(nl, link.get()) as mirror:
                assert len(mirror) == 5
                assert len((await mirror.update()).added) == 5
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(mirror.update(timeout=60), 0.05)
                await nl.do(link.set(index=1, mtu=4321))
                (change,) = (await mirror.update(timeout=5)).changed
                old: Any = change.old
                assert old.mtu == 65536
                assert mirror.by("mtu", 4321)

    asyncio.run(main())


def test_memory(nl: Connection) -> None:
    """A mirror copies each message, so that it does not pin receive buffers."""
    make_pair()
    count = 20_000
    gateways = [f"10.0.0.{number}" for number in (2, 3)]
    oif = socket.if_nametoindex("d0")

    def fields(number: int, turn: int) -> dict[str, Any]:
        return {
            "family": AF.AF_INET,
            "dst": f"11.0.{number >> 8}.{number & 255}",
            "dst_len": 32,
            "type": 1,
            "protocol": 4,
            "rtm_table": 254,
            "gateway": gateways[turn % 2],
            "oif": oif,
        }

    assert not any(nl.do_many(route.new(**fields(each, 0)) for each in range(count)))
    tracemalloc.start()
    try:
        with Mirror(nl, route.get(table=254, family=AF.AF_INET)) as mirror:
            assert len(mirror.update()) >= count
            wire = 60  # bytes of such a route
            for turn in range(3):
                gc.collect()
                used, _ = tracemalloc.get_traced_memory()
                assert used / count <= 250 + wire
                assert len(mirror) >= count
                changes = (route.replace(**fields(each, turn + 1)) for each in range(0, count, 2))
                for _ in nl.do_many(changes, ack_last=True, window=200):
                    pass
                mirror.update()
            assert len(mirror.by("gateway", "10.0.0.3")) == count // 2
    finally:
        tracemalloc.stop()


# --- conntrack ------------------------------------------------------------------------------------


def flow(number: int) -> dict[str, Any]:
    return {
        "proto": "udp",
        "src": "192.0.2.1",
        "dst": "192.0.2.2",
        "sport": 1000 + number,
        "dport": 53,
    }


@pytest.fixture
def tracked() -> Iterator[Connection]:
    with Connection(conntrack.FAMILY, timeout=10) as connection:
        try:
            connection.dump(conntrack.get()).all()
        except OSError as error:
            pytest.skip(f"the kernel has no conntrack: {error}")
        yield connection


@pytest.mark.parametrize("rcvbuf", [None, TINY])
def test_conntrack(tracked: Connection, rcvbuf: int | None) -> None:
    """Fact: conntrack UPDATE events carry no counters, no CTA_USE: merge updates into the entry,
    never replace it. Timeouts and counters move without events."""
    request = conntrack.get()
    with (
        Connection(conntrack.FAMILY, rcvbuf=rcvbuf) as own,
        Mirror(own, request) as mirror,
        own.follow(conntrack.get(mark=7), timeout=QUIET) as marked,
    ):
        mirror.update()
        applied = Applied(forgets=False)
        for item in marked:
            applied.apply(item)

        def write(seed: int) -> None:
            dice = random.Random(seed)
            with Connection(conntrack.FAMILY) as writer:
                for _ in range(SIZE):
                    words = flow(dice.randrange(40))
                    plan = dice.choice((
                        conntrack.add(**words, timeout=60, mark=dice.randrange(5, 9)),
                        conntrack.change(**words, mark=dice.randrange(5, 9)),
                        conntrack.change(**words, timeout=90),
                        conntrack.remove(**words),
                    ))  # fmt: skip
                    with contextlib.suppress(KernelError):
                        writer.do(plan)

        threads = [threading.Thread(target=write, args=(seed,)) for seed in range(2)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            if rcvbuf is None:
                mirror.update(timeout=0.01)
            time.sleep(0.01)
        for thread in threads:
            thread.join()
        settle(mirror)
        for item in marked:
            applied.apply(item)
        fresh = tracked.dump(request).all()
        check_equal(mirror, fresh, request)
        check_equal(applied.state, [each for each in fresh if each.mark == 7], request)
        if rcvbuf == TINY:
            assert mirror.stats.overruns


# --- merge() --------------------------------------------------------------------------------------


@BOTH
def test_merge(connect: Connect) -> None:
    function = merge if connect.__name__ == "blocking" else aio.merge
    with connect(FAMILY) as one, connect(uevent.FAMILY) as two:
        loop = getattr(one, "loop", None)
        if loop is not None:
            two.loop.close()
            two.loop = loop
        one.join("link")
        two.join("kernel")
        inner = [getattr(each, "inner", each) for each in (one, two)]
        ip("link add d8 type veth peer name d9")
        merged = function({"links": inner[0], "devices": inner[1]}, timeout=QUIET)
        pairs = [*(one._stream(merged) if loop is not None else merged)]
        assert {name for name, _ in pairs} == {"links", "devices"}
        assert {event.ifname for name, event in pairs if name == "links"} >= {"d8", "d9"}
        ip("link set d8 mtu 1400")
        merged = function(*inner, timeout=QUIET)
        pairs = [*(one._stream(merged) if loop is not None else merged)]
        assert {source for source, _ in pairs} == {inner[0]}


def test_merge_is_fair(nl: Connection) -> None:
    """A source with much to say does not keep the others waiting."""
    with Connection(FAMILY, rcvbuf=4 << 20) as other:
        busy, calm = other.subscribe("link"), other.subscribe("ipv4-ifaddr")
        for mtu in range(1000, 1400):
            nl.do(link.set(index=1, mtu=mtu))
        nl.do(addr.add("10.9.9.9/32", "lo"))
        with contextlib.suppress(TimeoutError):
            other.do(link.get(index=1))  # which receives all of it
        order = [source for source, _ in merge(busy, calm, timeout=QUIET)]
        assert len(order) == 401
        assert order.index(calm) <= 64


def test_merge_ends(nl: Connection) -> None:
    with Connection(FAMILY) as other:
        subscription = nl.subscribe("link")
        merged = merge(subscription)
        subscription.close()
        assert [*merged] == []
        merged = merge(nl, other)
        threading.Timer(0.05, other.close).start()
        with pytest.raises(OSError) as caught:
            next(merged)
        assert caught.value.errno == errno.EBADF


def test_merge_of_asyncio_can_be_cancelled() -> None:
    async def main() -> None:
        async with aio.Connection(FAMILY) as one, aio.Connection(FAMILY) as two:
            await one.join("link")
            merged = aio.merge(one, two)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(merged), 0.05)
            await two.do(link.set(index=1, mtu=4321))
            source, event = await asyncio.wait_for(anext(merged), 5)
            assert isinstance(event, link.Link)
            assert source is one and event.mtu == 4321
            waiting = asyncio.ensure_future(anext(merged))
            await asyncio.sleep(0.05)
            two.close()
            with pytest.raises(OSError):
                await waiting

    asyncio.run(main())


# --- closing --------------------------------------------------------------------------------------


def test_close_wakes_a_follower(nl: Connection) -> None:
    stream = nl.follow(link.get())
    for item in stream:
        if item == Mark("synced"):
            break
    threading.Timer(0.1, stream.close).start()
    with pytest.raises(OSError) as caught:
        next(stream)
    assert caught.value.errno == errno.EBADF


def test_a_dropped_follower_closes_its_sockets(nl: Connection) -> None:
    before = set(os.listdir("/proc/self/fd"))
    stream = nl.follow(link.get())
    next(stream)
    assert len(os.listdir("/proc/self/fd")) == len(before) + 2
    del stream
    assert len(os.listdir("/proc/self/fd")) == len(before)
    mirror = Mirror(nl, link.get())
    mirror.update()
    del mirror
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_the_namespace_of_the_connection(nl: Connection) -> None:
    """The sockets are opened where the connection is, wherever the caller is by now."""
    ip("link add d8 type veth peer name d9")
    unshare(CLONE_NEWNET)
    with Mirror(nl, link.get()) as mirror:
        assert mirror.by("ifname", "d8")


def test_a_cancelled_step_loses_nothing() -> None:
    async def main() -> None:
        async with aio.Connection(FAMILY) as nl:
            stream = nl.follow(link.get())
            names = []
            while True:
                task = asyncio.ensure_future(anext(stream))
                await asyncio.sleep(0)
                if not task.done():
                    task.cancel()
                try:
                    item = await task
                except asyncio.CancelledError:
                    item = await anext(stream)
                if item == Mark("synced"):
                    break
                if isinstance(item, Change):
                    names.append(item.message.ifname)
            assert names == ["lo"]
            await stream.close()

    asyncio.run(main())


# --- the other objects ----------------------------------------------------------------------------

# Changes of each kind of object: an op, the arguments of its request, and sentences of ip, tc and
# bridge. `d0` stands for an index in the arguments.
OTHERS: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "qdisc": (
        qdisc.get,
        {},
        [
            "tc qdisc add dev d0 root handle 1: prio",
            "tc qdisc add dev d0 parent 1:1 handle 2: pfifo limit 5",
            "tc qdisc replace dev d0 parent 1:1 handle 2: pfifo limit 7",
            "tc qdisc del dev d0 root",
            "ip link del d2",
        ],
    ),
    "class": (
        tclass.get,
        {"ifindex": "d0"},
        [
            "tc qdisc add dev d0 root handle 1: htb",
            "tc class add dev d0 parent 1: classid 1:1 htb rate 1mbit",
            "tc class change dev d0 parent 1: classid 1:1 htb rate 2mbit",
            "tc qdisc del dev d0 root",
        ],
    ),
    "filter": (
        tc_filter.get,
        {"ifindex": "d0", "parent": 0x10000},
        [
            "tc qdisc add dev d0 root handle 1: prio",
            "tc filter add dev d0 parent 1: prio 5 protocol ip u32 match u32 0 0 flowid 1:1",
            "tc filter add dev d0 parent 1: prio 5 protocol ip u32 match u32 1 1 flowid 1:2",
            "tc filter del dev d0 parent 1: prio 5",
            "tc qdisc del dev d0 root",
        ],
    ),
    "vlan": (
        vlandb.get,
        {},
        [
            "ip link add br0 type bridge vlan_filtering 1",
            "ip link set d1 master br0",
            "bridge vlan add vid 5-9 dev d1",
            "bridge vlan del vid 7 dev d1",
            "ip link set d1 nomaster",
            "ip link del br0",
        ],
    ),
    "mdb": (
        mdb.get,
        {},
        [
            "ip link add br0 type bridge mcast_snooping 1",
            "ip link set br0 up",
            "ip link set d1 master br0",
            "bridge mdb add dev br0 port d1 grp 239.1.1.1 permanent",
            "bridge mdb add dev br0 port d1 grp 239.1.1.2 permanent",
            "bridge mdb del dev br0 port d1 grp 239.1.1.1",
            "ip link del br0",
        ],
    ),
    "netconf": (
        netconf.get,
        {"family": AF.AF_INET},
        [
            "sysctl -qw net.ipv4.conf.d0.forwarding=1",
            "sysctl -qw net.ipv4.conf.d0.rp_filter=1",
            "sysctl -qw net.ipv4.conf.all.forwarding=1",
            "ip link add d8 type veth peer name d9",
            "ip link del d8",
        ],
    ),
    "nsid": (
        nsid.get,
        {},
        [
            "ip netns add follow-a",
            "ip netns set follow-a 77",
            "ip netns add follow-b",
            "ip netns set follow-b auto",
            "ip netns del follow-a",
            "ip netns del follow-b",
        ],
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_objects(name: str, nl: Connection, request: pytest.FixtureRequest) -> None:
    if name == "nsid":  # ip-netns(8) mounts
        request.getfixturevalue("machine_root")
    op, words, sentences = OTHERS[name]
    make_pair()
    if name == "vlan":
        ip("link add br9 type bridge vlan_filtering 1")  # loads the module that answers
    words = {
        key: socket.if_nametoindex(value) if isinstance(value, str) else value
        for key, value in words.items()
    }
    asked = op(**words)
    try:
        seen = 0
        with Mirror(nl, asked) as mirror:
            try:
                settle(mirror)
            except KernelError as error:
                if error.errno != errno.EOPNOTSUPP:
                    raise
                pytest.skip(f"the kernel lacks it: {error}")
            for sentence in sentences:
                run = subprocess.run(sentence.split(), capture_output=True, text=True, check=False)
                if any(lack in run.stderr for lack in LACKS):
                    pytest.skip(f"the kernel lacks it: {run.stderr}")
                assert run.returncode == 0, run.stderr
                seen += len(settle(mirror))
                check_equal(mirror, nl.dump(asked).all(), asked)
        assert seen >= len(sentences) / 2
    finally:
        for each in ("follow-a", "follow-b"):
            subprocess.run(["ip", "netns", "del", each], capture_output=True, check=False)


def test_every_declared_op_can_be_followed(nl: Connection) -> None:
    """Every op of rtnetlink that lists objects is followed, or has a reason not to be."""
    make_pair()
    assert FAMILY.classes  # which imports the modules
    unknown = {op.name for op in FAMILY.ops.values() if op.dumps and op.follow is None}
    assert unknown == {
        # The kernel sends no events, or only since recent releases.
        "addrlabel.get", "anycast.get", "multicast.get", "neightbl.get", "stats.get",
        # It moves buckets without a word about those that a deleted group had.
        "nexthop.get_bucket",
        # A message has many actions, and an event some of them.
        "tc.action.get",
    }  # fmt: skip
    for op in FAMILY.ops.values():
        if op.follow is not None:
            # The kernel may lack the feature.
            with Mirror(nl, op()) as mirror, contextlib.suppress(KernelError):
                mirror.update()
                assert mirror.is_synced
