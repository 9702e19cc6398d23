"""follow() and Mirror against the live kernel: after every storm they have what a fresh dump has.

Other processes change objects as fast as they can, with random sentences of `ip -batch`. When all
is quiet, the state of the follower is compared with a fresh dump, object by object.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import random
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from netlink import Change, Connection, KernelError, Mark, Mirror, Overrun, aio, merge
from netlink.family import Request
from netlink.route import FAMILY, addr, link, neigh, nexthop, nsid, route, rule
from netlink.constants import AF
from tests.drivers import BOTH, Connect, Looped
from tests.kernel.scene import make

QUIET = 0.3  # seconds without a change, after which all is quiet
TINY = 4096  # a receive buffer for a few events
SIZE = 400  # sentences of one writer
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
    left = [*fresh]
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
    """Processes that execute sentences of `ip`, most of them at the same time as others."""

    def __init__(self, *batches: Iterable[str]) -> None:
        self.processes = [
            subprocess.Popen(
                ["ip", "-force", "-batch", "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for _ in batches
        ]
        self.feeders = [
            threading.Thread(target=self._feed, args=(process, batch))
            for process, batch in zip(self.processes, batches, strict=True)
        ]
        for feeder in self.feeders:
            feeder.start()

    @staticmethod
    def _feed(process: subprocess.Popen[str], batch: Iterable[str]) -> None:
        assert process.stdin is not None
        for chunk in itertools.batched(batch, 50):
            process.stdin.write("\n".join(chunk) + "\n")
        process.stdin.close()

    @property
    def is_over(self) -> bool:
        return all(process.poll() is not None for process in self.processes)

    def wait(self) -> None:
        for feeder in self.feeders:
            feeder.join()
        for process in self.processes:
            process.wait()

    def __enter__(self) -> Storm:
        return self

    def __exit__(self, *details: object) -> None:
        self.wait()


def make_pair() -> None:
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
        yield f"-6 route {verb} {dst} {dice.choice(('', '', 'metric 7', 'table 100'))} {hop}"


def neighbours(seed: int, count: int) -> Iterator[str]:
    dice = random.Random(seed)
    for _ in range(count):
        verb = dice.choice(("add", "replace", "replace", "change", "del"))
        dst = f"10.0.0.{dice.randrange(50, 80)}"
        rest = "" if verb == "del" else f"lladdr 02:00:00:00:00:{dice.randrange(16, 99)} nud "
        if rest:
            rest += dice.choice(("permanent", "stale", "reachable"))
        yield f"neigh {verb} {dst} dev d0 {rest}"


def links(seed: int, count: int) -> Iterator[str]:
    dice = random.Random(seed)
    for number in range(count):
        name = f"x{dice.randrange(6)}"
        yield dice.choice((
            f"link add {name} type bridge",
            f"link add {name} link d0 type vlan id {dice.randrange(2, 100)}",
            f"link set {name} up",
            f"link set {name} mtu {1000 + number % 400}",
            f"link set {name} down",
            f"link del {name}",
            f"link set d2 {dice.choice(('up', 'down'))}",
            f"link set d2 master {name}",
            "link set d2 nomaster",
        ))  # fmt: skip


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
            f"-6 route replace 2001:db8:8:{number}::/64 nhid {number}",
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
        yield f"{family} rule {verb} from {source} priority {dice.randrange(100, 104)} table 7"


def everything(seed: int, count: int) -> Iterator[str]:
    streams = [
        maker(seed, count) for maker in (routes4, routes6, addresses, nexthops, links, neighbours)
    ]
    dice = random.Random(seed)
    for _ in range(count):
        yield next(dice.choice(streams))


SCENES: dict[str, tuple[Callable[..., Any], Callable[[int, int], Iterator[str]]]] = {
    "routes4": (route.get, routes4),
    "routes6": (route.get, routes6),
    "routes-when-links-and-next-hops-go": (route.get, everything),
    "neighbours": (neigh.get, neighbours),
    "links": (link.get, links),
    "addresses": (addr.get, addresses),
    "nexthops": (nexthop.get, nexthops),
    "rules": (rule.get, rules),
}
SCENE = pytest.mark.parametrize("scene", SCENES)


@BOTH
@pytest.mark.parametrize("rcvbuf", [None, TINY], ids=["usual-buffer", "tiny-buffer"])
@SCENE
def test_a_storm(connect: Connect, rcvbuf: int | None, scene: str, nl: Connection) -> None:
    op, sentences = SCENES[scene]
    make_pair()
    request = op()
    applied = [Applied(forgets=True), Applied(forgets=False)]
    with connect(FAMILY, rcvbuf=rcvbuf, timeout=10) as own:
        stream = own.follow(request, timeout=QUIET)
        for turn in range(ROUNDS):
            with Storm(sentences(2 * turn, SIZE), sentences(2 * turn + 1, SIZE)) as storm:
                while not storm.is_over:
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
    if rcvbuf == TINY and scene != "rules":
        assert any(isinstance(mark.cause, Overrun) for mark in applied[0].marks)
