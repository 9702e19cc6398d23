"""follow(), Mirror and merge() over a scripted kernel: wrong calls, losses, dumps that fail.

No test needs a privilege. tests/test_follow_machine.py tests the state machine with every
interleaving, tests/kernel/test_follow.py tests them against the live kernel.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import netlink
from netlink import (
    Change,
    Connection,
    DumpInterrupted,
    Family,
    Follow,
    KernelError,
    Mark,
    Message,
    Mirror,
    Op,
    Overrun,
    aio,
    merge,
    testing,
)
from netlink.constants import NLM_F
from netlink.generic import nlctrl
from netlink.route import FAMILY, link, route, rule
from netlink.route.link import Link
from netlink.route.rtnetlink import RTM
from netlink.route.tc import action
from netlink.schema import u32
from tests.drivers import BOTH, Connect


class Kernel:
    """A kernel with links, whose dumps can fail in any way before they succeed."""

    def __init__(self, *failures: Exception) -> None:
        self.links = {1: "lo", 2: "eth0"}
        self.failures = [*failures]
        self.dumps = 0

    def __call__(self, request: Any) -> Iterator[Any]:
        self.dumps += 1
        for index, name in self.links.items():
            yield RTM.RTM_NEWLINK, Link(index=index, ifname=name)
        if self.failures:
            raise self.failures.pop(0)

    def connect(self, connect: Connect) -> Any:
        self.socket = testing.Socket(self, FAMILY)
        return connect(FAMILY, socket=self.socket)

    def event(self, index: int, name: str, type: int = RTM.RTM_NEWLINK) -> None:
        self.socket.event("link", (type, Link(index=index, ifname=name)))


def shown(stream: Any) -> list[str]:
    """Short texts of what a stream yields."""
    return [
        item.kind if isinstance(item, Mark) else f"{item.kind} {item.message.ifname}"
        for item in stream
    ]


SNAPSHOT = ["begin", "snapshot lo", "snapshot eth0", "synced"]


@BOTH
def test_a_stream(connect: Connect) -> None:
    kernel = Kernel()
    with kernel.connect(connect) as nl:
        stream = nl.follow(link.get(), timeout=0.02)
        assert shown(stream) == SNAPSHOT
        kernel.event(3, "eth1")
        kernel.event(3, "eth2")
        kernel.event(3, "eth2")  # nothing new
        kernel.event(3, "eth2", RTM.RTM_DELLINK)
        kernel.event(4, "unknown", RTM.RTM_DELLINK)
        assert shown(stream) == ["new eth1", "change eth2", "delete eth2"]


@BOTH
def test_a_loss(connect: Connect) -> None:
    """Fact: everything is dropped until the queue has been emptied. Put the Overrun after what was
    queued."""
    kernel = Kernel()
    with kernel.connect(connect) as nl:
        stream = nl.follow(link.get(), timeout=0.02)
        assert shown(stream) == SNAPSHOT
        kernel.event(3, "eth1")
        kernel.socket.overrun()
        kernel.links = {1: "lo", 5: "eth5"}
        items = [*stream]
        assert shown(items) == [
            "new eth1", "begin", "snapshot lo", "snapshot eth5", "delete eth0", "delete eth1",
            "synced",
        ]  # fmt: skip
        assert isinstance(items[1].cause, Overrun)
        assert items[1] == Mark("begin")
        assert items[2].old.ifname == "lo"


@BOTH
def test_an_interrupted_dump(connect: Connect) -> None:
    """Fact: on DUMP_INTR dump again."""
    kernel = Kernel(DumpInterrupted())
    with kernel.connect(connect) as nl:
        items = [*nl.follow(link.get(), timeout=0.02)]
        assert shown(items) == [*SNAPSHOT[:3], *SNAPSHOT]
        assert isinstance(items[3].cause, DumpInterrupted)


@BOTH
def test_dumps_that_fail_for_a_while(connect: Connect) -> None:
    kernel = Kernel(KernelError(errno.ENOBUFS), KernelError(errno.EBUSY), Overrun(None, "kernel"))
    with kernel.connect(connect) as nl:
        items = [*nl.follow(link.get(), timeout=0.02)]
        assert items[-1] == Mark("synced")
        assert kernel.dumps == 4


@BOTH
def test_a_dump_that_the_kernel_refuses(connect: Connect) -> None:
    kernel = Kernel(KernelError(errno.EPERM, "no"))
    with kernel.connect(connect) as nl:
        stream = nl.follow(link.get(), timeout=0.02)
        with pytest.raises(PermissionError):
            shown(stream)
        assert shown(stream)[-4:] == SNAPSHOT  # it can be tried again


def test_the_sockets_are_other_ones() -> None:
    kernel = Kernel()
    with kernel.connect(Connection) as nl:
        stream = nl.follow(link.get())
        assert next(stream) == Mark("begin")
        assert kernel.socket.groups == set()
        assert [other.groups for other in kernel.socket._others()] == [{1}, set()]
        stream.close()
        stream.close()
        assert stream.closed and not nl.closed

    class Own:
        """A socket that cannot make another one."""

        port, rcvbuf, closed, drops = 1, 1 << 20, False, 0

        def close(self) -> None: ...

    with (
        pytest.raises(TypeError, match="has no method another"),
        Connection(FAMILY, socket=Own()) as nl,
    ):
        nl.follow(link.get())


# --- mirrors --------------------------------------------------------------------------------------


def test_differences() -> None:
    kernel = Kernel()
    with kernel.connect(Connection) as nl, Mirror(nl, link.get()) as mirror:
        changes = mirror.update()
        assert [change.kind for change in changes] == ["new", "new"]
        assert (len(changes.added), changes.changed, changes.removed) == (2, [], [])
        assert changes[0].message.ifname == "lo" and changes[-1] == changes[1:][0]
        kernel.event(2, "eth0", RTM.RTM_DELLINK)
        kernel.event(2, "eth0")  # as it was
        kernel.event(3, "eth1")
        kernel.event(3, "eth1", RTM.RTM_DELLINK)
        assert mirror.update() == []
        kernel.event(2, "eth9")
        kernel.event(1, "lo", RTM.RTM_DELLINK)
        changes = mirror.update()
        assert [each.ifname for each in changes.removed] == ["lo"]
        assert [(getattr(c.old, "ifname", None), c.message.ifname) for c in changes.changed] == [
            ("eth0", "eth9")
        ]
        kernel.socket.overrun()
        kernel.links = {2: "eth9", 7: "eth7"}
        assert [each.ifname for each in mirror.update().added] == ["eth7"]
        assert mirror.is_synced and "2 objects" in repr(mirror)
        with pytest.raises(IndexError):
            changes[9]


def test_follow_is_in_the_declaration() -> None:
    """A family of a user, with an op that dumps and groups."""
    follow = Follow(groups=("items",), key=("id",), new=16, delete=17)
    with pytest.raises(TypeError, match=r"follow: key: Item has no field 'di'; it has: id, value"):
        Op("item.get", 18, Item, answer="one", follow=Follow(groups=("items",), key=("di",)))
    get = Op("item.get", 18, Item, answer="one", dumps=True, reply_type=16, follow=follow)
    family = Family(
        "items",
        protocol=2,
        types=RTM,
        ops=[get],
        groups={"items": 3},
        messages={16: Item, 17: Item},
    )
    socket = testing.Socket(lambda request: [(16, Item(id=1))], family)
    with Connection(family, socket=socket) as nl, Mirror(nl, get()) as mirror:
        assert [each.id for each in mirror] == [1]
        socket.event("items", (16, Item(id=2, value=7)))
        assert mirror.update().added[-1].value == 7


class Item(Message):
    """An object of a user's family."""

    id: int | None = u32(1)
    value: int | None = u32(2)


# --- wrong calls ----------------------------------------------------------------------------------

NOTHING: Any = None
UNDECLARED = Op("item.list", 18, Item, answer="one", dumps=True)
Family("undeclared", protocol=0, types=RTM, ops=[UNDECLARED])

WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (lambda nl: nl.follow(link.get), r"follow\(\) expects a request, got the op link.get; call it"),
    (
        lambda nl: nl.follow(route.new(dst="10.0.0.0", dst_len=8)),
        "route.new, which cannot be dumped",
    ),
    (lambda nl: nl.follow(link.up("lo")), r"follow\(\) got the plan link.up"),
    (lambda nl: nl.follow("link"), r"follow\(\) expects a request that dumps, got 'link'"),
    (lambda nl: nl.follow(None), "expects a request that dumps, got None"),
    (lambda nl: nl.follow(nlctrl.getfamily()), "of family 'nlctrl', but the connection has: route"),
    (lambda nl: nl.follow(UNDECLARED()), "of family 'undeclared', but the connection has: route"),
    (lambda nl: nl.follow(action.get()), r"does not declare how: pass follow=Follow\(groups="),
    (lambda nl: nl.follow(link.get(index=1)), "cannot select by 'index'.*it can select by: "),
    (lambda nl: nl.follow(route.get(dst="10.0.0.0")), "cannot select by 'dst'"),
    (lambda nl: nl.follow(rule.get(family=128)), r"rule.get\(family=128\)\): no events"),
    (lambda nl: nl.follow(link.get(), timeout="1"), "a timeout is a number of seconds"),
    (lambda nl: nl.follow(link.get(), tiemout=1), "tiemout"),
    (lambda nl: nl.follow(), "positional argument"),
    (lambda nl: Mirror(nl, link.get), r"Mirror\(\) expects a request, got the op"),
    (lambda nl: Mirror(link.get(), nl), r"Mirror\(\) expects a connection and a request"),
    (lambda nl: Mirror(nl, link.get()).update("1"), "a timeout is a number of seconds"),
    (lambda nl: Mirror(nl, **{}), "argument"),
    (lambda nl: aio.Mirror(nl, link.get()), "use netlink.Mirror"),
    (lambda nl: merge(), r"merge\(nl1, nl2\)"),
    (lambda nl: merge([nl]), r"write merge\(\*sources\)"),
    (lambda nl: merge(nl, "link"), "expects connections or subscriptions, got 'link'"),
    (lambda nl: merge({"a": NOTHING}), "expects connections or subscriptions, got None"),
    (lambda nl: merge(nl, timeout="1"), "a timeout is a number of seconds"),
    (lambda nl: aio.merge(nl), "use netlink.merge"),
]


@pytest.mark.parametrize(("call", "words"), WRONG, ids=[words for _, words in WRONG])
def test_wrong_calls(call: Callable[[Connection], Any], words: str) -> None:
    with Kernel().connect(Connection) as nl, pytest.raises(TypeError) as caught:
        call(nl)
    assert re.search(words, str(caught.value))


def test_wrong_values() -> None:
    with Kernel().connect(Connection) as nl:
        with pytest.raises(ValueError, match="same source twice"):
            merge(nl, nl)
        with pytest.raises(ValueError, match="timeout"):
            merge(nl, timeout=-1)
        with pytest.raises(ValueError, match="timeout"):
            nl.follow(link.get(), timeout=-1)
        with Mirror(nl, link.get()) as mirror:
            with pytest.raises(LookupError, match="has no field 'nmae'"):
                mirror.by("nmae", 1)
            with pytest.raises(netlink.EncodeError):
                mirror.by("index", "eth0")
            with pytest.raises(TypeError, match="cannot have"):
                assert 1 in mirror


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"groups": "link", "key": ("id",)}, "groups must be a list of names"),
        ({"groups": ("link",), "key": "id"}, "key must be a list of names"),
        ({"groups": (), "key": ("id",)}, "must not be empty"),
        ({"groups": ("link",), "key": ()}, "must not be empty"),
        ({"groups": ("link",), "key": ("id",), "new": 16}, "declare both new and delete"),
        ({"groups": ("link",), "key": ("id",), "new": "16", "delete": 1}, "new must be an int"),
        ({"groups": ("link",), "key": ("id",), "several": 1}, "several must be True or False"),
        (
            {"groups": ("link",), "key": ("id",), "several": True, "whole": False},
            "only into objects with unique keys",
        ),
        ({"groups": ("link",), "key": ("id",), "also": {1: 1}}, "also must be a dict"),
        ({"groups": ("link",), "key": ("id",), "select": ["id"]}, "select must be a dict"),
        ({"groups": ("link",), "key": ("id",), "only": 1}, "only must be a function"),
        ({"groups": ("link",), "key": ("id",), "fence": link.get}, "fence must be a request"),
        ({"groups": ("link",), "key": ("id",), "grups": 1}, "grups"),
    ],
)
def test_wrong_declarations(words: dict[str, Any], error: str) -> None:
    with pytest.raises((TypeError, ValueError), match=error):
        Follow(**words)


def test_a_declaration_must_be_a_follow() -> None:
    with pytest.raises(TypeError, match="follow must be a Follow"):
        Op("item.get", 18, Item, answer="one", follow={"key": ("id",)})  # type: ignore[call-overload]


def test_changes_can_be_compared() -> None:
    one = Change("new", Item(id=1))
    assert one == Change("new", Item(id=1)) and hash(one) == hash(Change("new", Item(id=1)))
    assert one != Change("delete", Item(id=1), Item(id=1))
    kind, message, old = one
    assert (kind, message.id, old) == ("new", 1, None)
    assert "Change('new'" in repr(one)
    assert repr(Mark("begin")) == "Mark('begin')"
    assert NLM_F.NLM_F_CREATE
