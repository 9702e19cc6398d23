"""Wrong calls, blocking and asyncio: each is refused before anything is sent, and shows the right
call."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import netlink
from netlink import Connection, Family, Fd, Op, Pid, Plan, Request, aio, ifindex, listen, plan, wait
from netlink.family import Steps
from netlink.route import link
from netlink.testing import Socket

from . import plays
from .drivers import BOTH, Connect
from .things import BOXES, FAMILY, TYPE, Thing, get, make, new, one, things

orphan = Op("orphan.get", TYPE.GETTHING, Thing, answer="one")
twin = Op("thing.get", TYPE.GETTHING, Thing, answer="one")
TWIN = Family("thing", protocol=0, types=TYPE, ops=[twin])


@plan
def add(number: int) -> Steps[None]:
    yield new(number=number)


@plan(sequence=True)
def twice(number: int) -> Steps[None]:
    yield new(number=number)
    yield new(number=number)


def generator() -> Iterator[Any]:
    yield get()


@pytest.fixture
def socket() -> Socket:
    return Socket(things, FAMILY)


OTHER: list[Any] = [5, None, "thing.get", b"x", Thing(), Thing, FAMILY, [], {}, True, object,
                    ifindex("lo"), listen("thing"), wait(), int, len]  # fmt: skip
PLAN = "nl.do(test_calls.add(...))"
# The argument, and a part of the error of do(), dump() and do_many(); "" if it is allowed.
GIVEN: list[tuple[Any, str, str, str]] = [
    (get, "do() expects a request, got the op thing.get; call it: thing.get(...)",
     "dump() expects a request, got the op thing.get; call it: thing.get(...)",
     "do_many() expects a request, got the op thing.get; call it: thing.get(...)"),
    (get().dump(), "do() got a dump request; use dump(): nl.dump(thing.get(...))", "",
     "do_many() got a dump request; use dump(): nl.dump(thing.get(...))"),
    (add, "do() got the function test_calls.add; call it: test_calls.add(...)",
     "dump() got the function test_calls.add; call it: test_calls.add(...)",
     "do_many() got the function test_calls.add; call it: test_calls.add(...)"),
    (add(5), "", f"dump() got the plan test_calls.add; execute it: {PLAN}", ""),
    (twice(5), "", "dump() got the plan test_calls.twice; execute it: nl.do(test_calls.twice(...))",
     "do_many() cannot pipeline test_calls.twice, which makes several changes or waits for "
     "events; execute it: nl.do(test_calls.twice(...))"),
    *[
        (wrong, f"do() expects a request or a plan, got {wrong!r}",
         f"dump() expects a request, got {wrong!r}",
         f"do_many() expects a request or a plan, got {wrong!r}")
        for wrong in OTHER
    ],
]  # fmt: skip


@BOTH
@pytest.mark.parametrize(("given", "do", "dump", "many"), GIVEN, ids=lambda value: repr(value)[:30])
def test_what_is_given_instead_of_a_request(
    connect: Connect, socket: Socket, given: Any, do: str, dump: str, many: str
) -> None:
    with connect(FAMILY, socket=socket, timeout=1) as nl:
        uses: dict[str, Any] = {
            do: lambda: nl.do(given),
            dump: lambda: nl.dump(given),
            many: lambda: nl.do_many([given]),  # at the call, as a list shows all items
        }
        for message, use in uses.items():
            if message:
                with pytest.raises(TypeError) as caught:
                    use()
                assert str(caught.value).startswith(message), str(caught.value)
        if many:
            with pytest.raises(TypeError) as caught:
                list(nl.do_many(iter([given])))
            assert str(caught.value).startswith(many)
        assert socket.requests == []
        assert not nl._engine.is_waiting
        assert nl.do(one(number=1)).number == 1


@BOTH
def test_a_generator_is_not_a_plan(connect: Connect, socket: Socket) -> None:
    with connect(FAMILY, socket=socket) as nl:
        for use in (nl.do, nl.dump):
            with pytest.raises(
                TypeError, match=r"\(\) got a generator; decorate its function with @plan"
            ):
                use(generator())
        assert socket.requests == []


@BOTH
def test_a_change_is_not_dumped(connect: Connect, socket: Socket) -> None:
    """NLM_F_DUMP has the bits of NLM_F_EXCL and NLM_F_ROOT: the kernel would make the change."""
    with connect(FAMILY, socket=socket) as nl:
        for request in (new(number=1), new(number=1).dump()):
            with pytest.raises(TypeError, match=r"dump\(\) got thing.new, which cannot be"):
                nl.dump(request)
        assert socket.requests == []


@BOTH
def test_one_item_is_not_many(connect: Connect, socket: Socket) -> None:
    with connect(FAMILY, socket=socket) as nl:
        for item in (get(number=1), add(1), twice(1), get().dump()):
            with pytest.raises(TypeError, match=r"do_many\(\) expects several items; for one: "):
                nl.do_many(item)
        for wrong in (5, None, get, add):
            with pytest.raises(TypeError):
                list(nl.do_many(wrong))
        assert socket.requests == []


@BOTH
def test_a_wrong_item_in_the_middle(connect: Connect, socket: Socket) -> None:
    """A list is checked before anything is sent. In a stream, earlier items get their outcome."""
    with connect(FAMILY, socket=socket) as nl:
        for wrong in (None, get, twice(1), get().dump(), 5):
            with pytest.raises(TypeError, match=r"^do_many\(\) "):
                nl.do_many([new(number=1), wrong, new(number=2)])
            with pytest.raises(TypeError, match=r"^do_many\(\) "):
                list(nl.do_many(iter([wrong, new(number=1)])))
        assert socket.requests == []
        outcomes = nl.do_many(iter([new(number=1), new(number=2), twice(1)]), window=2)
        assert [next(outcomes), next(outcomes)] == [None, None]
        with pytest.raises(TypeError, match=r"do_many\(\) cannot pipeline test_calls\.twice"):
            next(outcomes)
        assert len(socket.requests) == 2


# --- requests of other families -------------------------------------------------------------------


FOREIGN = [
    ([FAMILY], link.get(ifname="lo"), "link.get belongs to family 'route'"),
    ([FAMILY], make(name="x"), "box.new belongs to family 'box'"),
    ([FAMILY], orphan(), "orphan.get belongs to no family"),
    ([FAMILY], plays.get(), "play.get belongs to family 'play'"),
    ([plays.PLAY], get(), "thing.get belongs to family 'thing'"),
    ([plays.PLAY, plays.OTHER], orphan(), "orphan.get belongs to no family"),
    ([FAMILY], twin(), "thing.get belongs to another declaration of family 'thing'"),
]


@BOTH
@pytest.mark.parametrize(("families", "foreign", "words"), FOREIGN)
def test_a_request_of_another_family_is_refused_before_anything_is_sent(
    connect: Connect, families: list[Family], foreign: Request[Any, Any], words: str
) -> None:
    """A command number of a generic family would become a message type, and the reverse."""

    @plan
    def inside() -> Steps[None]:
        yield foreign

    own: Any = get(number=1) if families == [FAMILY] else plays.get(index=1)
    socket = Socket(things if families == [FAMILY] else plays.kernel, *families)
    with connect(*families, socket=socket, timeout=1) as nl:
        for use in (
            lambda: nl.do(foreign),
            lambda: nl.dump(foreign) if foreign.op.answer != "none" else nl.do(foreign),
            lambda: nl.do(inside()),
            lambda: list(nl.do_many([foreign])),
            lambda: list(nl.do_many([own, foreign])),
            lambda: list(nl.do_many([foreign, own])),
            lambda: list(nl.do_many([inside()])),
        ):
            with pytest.raises(TypeError) as caught:
                use()
            assert str(caught.value).startswith(f"{words}, but this connection has: ")
            assert str(caught.value).endswith("open a Connection with the family of the request")
        assert socket.requests == []
        assert nl.stats.sent == 0
        assert not nl._engine.is_waiting
        # No dump is thought to be running.
        assert len(nl.dump(own).all()) == 1


# --- opening a connection -------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            "route",
            "expected a family, got 'route'; import it, as in: from netlink.route import FAM",
        ),
        (netlink.route, "pass its FAMILY: netlink.route.FAMILY"),
        (link, "expected a family, got <module 'netlink.route.link'"),
        (link.get, "expected a family, got <Op link.get>"),
        (link.Link, "expected a family, got <class 'netlink.route.link.Link'>"),
        (None, "expected a family, got None"),
        (0, "expected a family, got 0"),
        ([FAMILY], "expected a family, got [<Family thing>]"),
    ],
    ids=repr,
)
def test_what_is_given_instead_of_a_family(connect: Connect, wrong: Any, message: str) -> None:
    for families in ((wrong,), (FAMILY, wrong)):
        with pytest.raises(TypeError, match=re.escape(message)):
            connect(*families, socket=Socket(things))


@BOTH
def test_a_connection_needs_families_of_one_protocol(connect: Connect) -> None:
    with pytest.raises(TypeError, match=r"at least one family, as in: Connection\(ROUTE\)"):
        connect()
    with pytest.raises(ValueError, match="share one protocol: thing has 0, play has 16"):
        connect(FAMILY, plays.PLAY)


AMBIGUOUS = (
    r"^netns={0} is ambiguous: write netlink\.Pid\({0}\) for the namespace of a process, "
    r"or netlink\.Fd\({0}\) for an open descriptor$"
)


@BOTH
def test_what_is_given_instead_of_a_namespace(connect: Connect) -> None:
    for number in (3, 0, -1, True):
        with pytest.raises(TypeError, match=AMBIGUOUS.format(number)):
            connect(netlink.route.FAMILY, netns=number)
    for wrong in (b"c1", b"/run/netns/c1", 1.5, [], object(), (3,), {}):
        with pytest.raises(TypeError, match="netns must be a name, a path, an open file, "):
            connect(netlink.route.FAMILY, netns=wrong)
    with pytest.raises(OSError):
        connect(netlink.route.FAMILY, netns=Path("/nowhere/at/all"))
    with pytest.raises(OSError):
        connect(netlink.route.FAMILY, netns=Pid(-1))
    with pytest.raises((OSError, ValueError)):
        connect(netlink.route.FAMILY, netns=Fd(-1))


TIMEOUTS = [(math.nan, ValueError), (-1, ValueError), (-0.001, ValueError), (-math.inf, ValueError),
            ("5", TypeError), (True, TypeError), (b"5", TypeError), ([], TypeError)]  # fmt: skip


@BOTH
@pytest.mark.parametrize(("wrong", "error"), TIMEOUTS, ids=lambda value: repr(value))
def test_what_is_given_instead_of_a_timeout(
    connect: Connect, socket: Socket, wrong: Any, error: type[Exception]
) -> None:
    match = "a timeout of" if error is ValueError else "a timeout is a number of seconds or None"
    with pytest.raises(error, match=match):
        connect(FAMILY, socket=Socket(things, FAMILY), timeout=wrong)
    with connect(FAMILY, socket=socket) as nl:
        subscription = nl.subscribe("thing")
        uses: list[Any] = [
            lambda: nl.do(get(number=1), timeout=wrong),
            lambda: nl.do(add(1), timeout=wrong),
            lambda: nl.dump(get(), timeout=wrong),
            lambda: nl.do_many([get(number=1)], timeout=wrong),
            lambda: next(iter(nl.events(timeout=wrong))),
            lambda: next(iter(subscription.events(timeout=wrong))),
        ]
        for use in uses:
            with pytest.raises(error, match=match):
                use()
        assert socket.requests == []
        assert not nl._engine.is_waiting
        assert nl.do(one(number=1), timeout=math.inf).number == 1


@BOTH
@pytest.mark.parametrize("wrong", [None, 1.5, True, b"link", ["link"], FAMILY])
def test_what_is_given_instead_of_a_group(connect: Connect, socket: Socket, wrong: Any) -> None:
    for family, kernel in ((FAMILY, things), (plays.PLAY, plays.kernel)):
        with connect(family, socket=Socket(kernel, family)) as nl:
            for use in (nl.join, nl.leave, nl.subscribe):
                with pytest.raises(TypeError, match="a group is given by name or number, got "):
                    use(wrong)


@BOTH
@pytest.mark.parametrize("number", [0, -1, 1 << 32])
def test_what_is_no_number_of_a_group(connect: Connect, socket: Socket, number: int) -> None:
    with connect(FAMILY, socket=socket) as nl:
        for use in (nl.join, nl.leave, nl.subscribe):
            with pytest.raises(
                ValueError, match=f"{number} is not the number of a multicast group"
            ):
                use(number)
        assert socket.groups == set()


@BOTH
def test_other_arguments(connect: Connect, socket: Socket) -> None:
    with connect(FAMILY, socket=socket) as nl:
        with pytest.raises(TypeError, match="the predicate must be a function, got 5"):
            nl.subscribe("thing", predicate=5)
        for limit in (0, -1):
            with pytest.raises(ValueError, match=f"a queue of {limit} bytes can hold nothing"):
                nl.subscribe("thing", limit=limit)
        for wrong in ("5", 1.5, True):
            with pytest.raises(TypeError, match="the limit of a queue is a number of bytes, got "):
                nl.subscribe("thing", limit=wrong)
            with pytest.raises(TypeError, match="retries is a number, got "):
                nl.dump(get(), retries=wrong)
            with pytest.raises(TypeError, match="window must be a number of requests, got "):
                list(nl.do_many([get()], window=wrong))
        with pytest.raises(ValueError, match="retries=-1"):
            nl.dump(get(), retries=-1)
        for method, words in (
            (nl.do, {"timout": 1}), (nl.dump, {"retry": 1}), (nl.do_many, {"windows": 1}),
        ):  # fmt: skip
            with pytest.raises(TypeError, match="unexpected keyword argument"):
                method(get(), **words)
        assert socket.groups == set()
        assert socket.requests == []


# --- the wrong kind of loop -----------------------------------------------------------------------


def test_a_plan_or_a_request_in_a_loop() -> None:
    with pytest.raises(TypeError, match=r"is a plan, not an iterable; execute it: nl\.do\(test_ca"):
        for _ in add(1):
            pass
    with pytest.raises(TypeError, match="not iterable"):
        for _ in cast(Any, get()):
            pass
    assert isinstance(add(1), Plan)


def test_loops_over_asyncio_objects() -> None:
    """`for` instead of `async for`, `await` instead of `async for`, and the reverse."""

    async def main() -> None:
        async with aio.Connection(FAMILY, socket=Socket(things, FAMILY)) as nl:
            subscription: Any = await nl.subscribe("thing")
            streams: list[Any] = [nl.dump(get()), nl.events(), nl.do_many([get()]), subscription]
            for stream in streams:
                with pytest.raises(TypeError, match=r"async for|not iterable"):
                    for _ in stream:
                        pass
            await subscription.close()

    asyncio.run(main())
    with Connection(FAMILY, socket=Socket(things, FAMILY)) as nl:

        async def wrong() -> None:
            blocking: Any = nl.dump(get())
            async for _ in blocking:
                pass

        with pytest.raises(TypeError, match=r"write: for message in nl\.dump\(thing\.get\(\.\.\."):
            asyncio.run(wrong())


def test_the_context_of_the_other_kind() -> None:
    async def main() -> None:
        nl: Any = aio.Connection(FAMILY, socket=Socket(things, FAMILY))
        refused = pytest.raises((TypeError, AttributeError), match=r"async with|context manager")
        with refused, nl:
            pass
        nl.close()
        blocking: Any = Connection(FAMILY, socket=Socket(things, FAMILY))
        with pytest.raises((TypeError, AttributeError), match=r"with|context manager"):
            async with blocking:
                pass
        blocking.close()

    asyncio.run(main())


def test_boxes_are_of_another_family() -> None:
    assert make.family is BOXES
