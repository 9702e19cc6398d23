"""follow() and Mirror against the live kernel: after every storm they have what a fresh dump has.

Other processes change objects as fast as they can, with random sentences of `ip -batch`. When all
is quiet, the state of the follower is compared with a fresh dump, object by object.
"""

from __future__ import annotations

import asyncio
import errno
import os
import random
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from netlink import Change, Connection, KernelError, Mark, Mirror, Overrun, aio, merge
from netlink.family import Request
from netlink.route import FAMILY, addr, link, neigh, nexthop, nsid, route, rule
from netlink.route.link import IFF
from netlink.route.neigh import NUD
from netlink.constants import AF
from tests.drivers import BOTH, Connect, Looped
from tests.kernel.scene import make

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
    ignore = request.op.follow.ignore
    state = [*filter(has_events, state)]
    left = [*filter(has_events, fresh)]
    extra = []
    for known in state:
        for place, other in enumerate(left):
            if known == other or known.same_as(other, ignore=ignore):
                del left[place]
                break
        else:
            extra.append(known)
    assert not (extra, left) != ([], []), f"not in the kernel: {extra}\nnot followed: {left}"


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
        key = {"family": AF.AF_INET, "ndm_ifindex": index, "dst": f"10.0.0.{dice.randrange(50, 80)}"}
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
