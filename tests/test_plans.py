"""Plans over a scripted kernel, blocking and asyncio: do(), do_many(), steps, errors and ends.

Plans as objects are in test_family.py, those that listen in test_subscriptions.py.
"""

from __future__ import annotations

import errno
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from netlink import (
    EncodeError,
    KernelError,
    NetlinkError,
    ifindex,
    listen,
    plan,
    wait,
)
from netlink.family import Steps
from netlink.testing import Socket

from . import plays
from .drivers import BOTH, Connect
from .things import FAMILY, TYPE, Thing, echo, get, late, listed, new, numbers, one, tell


class Things:
    """A kernel with a set of things, which counts what it is asked."""

    def __init__(self, *known: int) -> None:
        self.known = {*known}
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, request: Any) -> Iterator[Any]:
        number = request.number
        is_dump = request.nlmsg_flags & 0x300 == 0x300 and request.nlmsg_type != TYPE.NEWTHING
        self.asked.append(("dump" if is_dump else request.nlmsg_name, number))
        if is_dump:
            yield from (Thing(number=each) for each in sorted(self.known))
        elif request.nlmsg_type == TYPE.NEWTHING:
            if number in self.known:
                raise KernelError(errno.EEXIST)
            self.known.add(number)
            if request.nlmsg_flags & 0x8:  # NLM_F_ECHO
                yield request
        elif request.nlmsg_type == TYPE.GETTHING:
            if number not in self.known:
                raise KernelError(errno.ENOENT, "no such thing")
            yield Thing(number=number)
        elif request.nlmsg_type in (TYPE.LATE, TYPE.LISTED):
            yield Thing(number=number)


def opened(connect: Connect, kernel: Any, **options: Any) -> Any:
    socket = Socket(kernel, FAMILY, links={"lo": 1, "v0": 7}, **options)
    return connect(FAMILY, socket=socket, timeout=5)


@plan
def add(number: int, *, beside: int | None = None, dev: str | None = None) -> Steps[str]:
    """Add a thing, after a look at another one and at a link."""
    if beside is not None:
        yield one(number=beside)
    if dev is not None:
        number += yield ifindex(dev)
    yield new(number=number)
    return f"added {number}"


@plan
def look(number: int) -> Steps[int]:
    """Only look."""
    found: Thing = yield one(number=number)
    assert found.number is not None
    return found.number


@plan
def count() -> Steps[int]:
    """Only a dump."""
    found: list[Thing] = yield get().dump()
    return len(found)


# --- do -------------------------------------------------------------------------------------------


@BOTH
def test_a_plan_runs_again_after_its_error(connect: Connect) -> None:
    kernel = Things(5)
    with opened(connect, kernel) as nl:
        made = add(6, beside=4)
        for _ in range(2):
            with pytest.raises(FileNotFoundError, match=r"^test_plans\.add: 6: no such thing \(EN"):
                nl.do(made)
        kernel.known.add(4)
        assert nl.do(made) == "added 6"
        with pytest.raises(FileExistsError):
            nl.do(made)
        assert [nl.do(look(5)) for _ in range(3)] == [5, 5, 5]
        assert nl.do(count()) == 3


@BOTH
def test_nested_plans_return_their_results(connect: Connect) -> None:
    @plan(sequence=True)
    def all_of(*wanted: int) -> Steps[list[Any]]:
        results = []
        for number in wanted:
            try:
                results.append((yield add(number)))
            except FileExistsError as error:
                results.append(error.errno)
        results.append((yield deep(3)))
        return results

    @plan
    def deep(level: int) -> Steps[int]:
        if level:
            below: int = yield deep(level - 1)
            return below + 1
        found: int = yield count()
        return found

    with opened(connect, Things(5)) as nl:
        assert nl.do(all_of(4, 5, 6)) == ["added 4", errno.EEXIST, "added 6", 6]


@BOTH
def test_a_plan_without_steps_of_the_kernel(connect: Connect) -> None:
    @plan
    def nothing(value: Any) -> Steps[Any]:
        return value
        yield

    kernel = Things()
    with opened(connect, kernel) as nl:
        assert nl.do(nothing(5)) == 5
        assert list(nl.do_many([nothing(1), nothing(None), nothing(3)])) == [1, None, 3]
        assert kernel.asked == []


@BOTH
def test_errors_that_leave_a_plan_name_it(connect: Connect) -> None:
    """The outermost plan, the one that was given to do()."""

    @plan(name="outer.plan")
    def outer(number: int) -> Steps[Any]:
        yield look(number)

    @plan
    def surplus() -> Steps[Any]:
        yield one()

    def two(request: Thing) -> list[Thing]:
        return [Thing(number=1), Thing(number=2)]

    with opened(connect, Things()) as nl:
        made = outer(7)
        with pytest.raises(KernelError) as caught:
            nl.do(made)
        assert caught.value.plan is made
        assert str(caught.value) == "outer.plan: 7: no such thing (ENOENT)"
        with pytest.raises(KernelError) as caught:
            nl.do(add(1, dev="nothere"))
        assert str(caught.value) == "test_plans.add: link 'nothere' does not exist (ENODEV)"
    with opened(connect, two) as nl:
        made = surplus()
        with pytest.raises(NetlinkError, match="declares one answer") as wrong:
            nl.do(made)
        assert wrong.value.plan is made


@BOTH
def test_ifindex(connect: Connect) -> None:
    """On any family: the transport answers, and no request is sent."""

    @plan
    def index(*names: str) -> Steps[list[int]]:
        found = []
        for name in names:
            try:
                found.append((yield ifindex(name)))
            except KernelError as error:
                found.append(error.errno)
        return found

    kernel = Things()
    with opened(connect, kernel) as nl:
        assert nl.do(index("lo", "v0", "nothere")) == [1, 7, errno.ENODEV]
        assert list(nl.do_many([index("v0"), index("lo", "nothere")])) == [[7], [1, errno.ENODEV]]
        assert kernel.asked == []
    socket = Socket(plays.kernel, plays.PLAY, links={"v0": 9})
    with connect(plays.PLAY, socket=socket) as nl:
        assert nl.do(index("v0")) == [9]
        assert socket.requests == []


@BOTH
@pytest.mark.parametrize("step", [5, None, "lo", get, Thing(), [get()], add], ids=repr)
def test_a_wrong_step_is_a_type_error_inside_the_plan(connect: Connect, step: Any) -> None:
    @plan
    def wrong() -> Steps[str]:
        try:
            yield step
        except TypeError as error:
            return str(error)
        raise AssertionError

    @plan
    def careless() -> Steps[None]:
        yield step

    with opened(connect, Things()) as nl:
        expected = "call it: yield thing.get(...)" if step is get else "a plan yields requests, pl"
        assert expected in nl.do(wrong())
        with pytest.raises(TypeError, match=r"a plan yield"):
            nl.do(careless())


@BOTH
def test_the_timeout_applies_to_each_request_of_a_plan(connect: Connect) -> None:
    def silent(request: Thing) -> None:
        raise TimeoutError

    with opened(connect, silent) as nl:
        for made in (look(1), count(), add(1)):
            with pytest.raises(TimeoutError):
                nl.do(made, timeout=0.01)
        with pytest.raises(TimeoutError):
            list(nl.do_many([look(1)], timeout=0.01))


# --- ends of the user's generators ----------------------------------------------------------------


class Watch:
    """Counts the plans that have begun and those that have ended."""

    def __init__(self) -> None:
        self.begun = self.ended = 0

    @property
    def open(self) -> int:
        return self.begun - self.ended


@plan
def watched(watch: Watch, number: int, *, beside: int | None = None) -> Steps[None]:
    watch.begun += 1
    try:
        if beside is not None:
            yield one(number=beside)
        yield new(number=number)
    finally:
        watch.ended += 1


@BOTH
def test_the_generators_of_plans_are_closed(connect: Connect) -> None:
    """At once, also if an error or the caller ends the execution, with the collector disabled."""

    def failing(request: Thing) -> Any:
        if request.number == 3:
            raise ZeroDivisionError
        if request.number == 4:
            raise KernelError(errno.EPERM)
        return [request] if request.nlmsg_type == TYPE.GETTHING else []

    watch = Watch()
    gc.disable()
    try:
        with opened(connect, failing) as nl:
            nl.do(watched(watch, 1))
            assert (watch.begun, watch.open) == (1, 0)
            for number, error in ((3, ZeroDivisionError), (4, PermissionError), (-1, EncodeError)):
                for made in (watched(watch, number), watched(watch, 1, beside=number)):
                    with pytest.raises(error):
                        nl.do(made)
                    assert watch.open == 0
            with pytest.raises(ZeroDivisionError):
                list(nl.do_many(watched(watch, number) for number in (1, 2, 3, 5)))
            assert watch.open == 0
            outcomes = list(nl.do_many(watched(watch, number) for number in (1, 4, 5)))
            assert [getattr(each, "errno", each) for each in outcomes] == [None, errno.EPERM, None]
            assert watch.open == 0
            many = nl.do_many(watched(watch, number) for number in range(100, 200))
            next(many)
            many.close()
            del many
            assert watch.open == 0
            assert watch.begun < 100
    finally:
        gc.enable()


# --- do_many --------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("ack_last", [False, True])
@pytest.mark.parametrize("window", [None, 1, 3, 1000])
def test_plans_and_requests_have_their_outcomes_in_order(
    connect: Connect, window: int | None, ack_last: bool
) -> None:
    kernel = Things(1, 2)
    items: list[Any] = [
        add(10), one(number=1), look(2), new(number=11), add(10), look(99), count(), tell(number=1),
        late(number=6), listed(number=7), add(3, dev="v0"), add(3, dev="nothere"), get(number=99),
    ]  # fmt: skip
    with opened(connect, kernel) as nl:
        outcomes = list(nl.do_many(items, window=window, ack_last=ack_last))
        shown = [getattr(each, "errno", None) or getattr(each, "number", each) for each in outcomes]
        assert shown[:9] == [
            "added 10", 1, 2, None, errno.EEXIST, errno.ENOENT, 4, None, 6]  # fmt: skip
        assert numbers(shown[9]) == [7]
        assert shown[10:12] == ["added 10", errno.ENODEV] or shown[10] == errno.EEXIST
        assert shown[12] == errno.ENOENT
        failed = {o.index: str(o) for o in outcomes if isinstance(o, KernelError)}
        assert {index: text.split(":")[0] for index, text in failed.items()}.items() >= {
            4: "test_plans.add", 5: "test_plans.look", 11: "test_plans.add", 12: "thing.get",
        }.items()  # fmt: skip
        assert nl.stats.late == 0
        assert not nl._engine.is_waiting


@BOTH
def test_identical_lookups_are_made_once(connect: Connect) -> None:
    kernel = Things(5, 6)
    with opened(connect, kernel) as nl:
        made = [add(number, beside=5 + number % 2, dev="v0") for number in range(100, 140)]
        assert list(nl.do_many(made)) == [f"added {number + 7}" for number in range(100, 140)]
        # A change of a thing may have changed what was looked up.
        assert kernel.asked.count(("GETTHING", 5)) == kernel.asked.count(("GETTHING", 6)) == 20
        kernel.asked.clear()
        looks = [look(5), look(6)] * 10
        assert list(nl.do_many(looks)) == [5, 6] * 10
        assert kernel.asked == [("GETTHING", 5), ("GETTHING", 6)]
        # Another call looks again.
        list(nl.do_many(looks))
        assert len(kernel.asked) == 4


@BOTH
def test_the_changes_of_plans_are_sent_together(connect: Connect) -> None:
    sends: list[int] = []

    class Counting(Socket):
        def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
            sends.append(len(buffer))
            return super().send(buffer, timeout=timeout)

    with connect(FAMILY, socket=Counting(Things(5), FAMILY), timeout=5) as nl:
        list(nl.do_many([add(number, dev="lo") for number in range(100, 150)], window=50))
        assert len(sends) == 1


@BOTH
def test_a_new_lookup_waits_for_the_changes_before_it(connect: Connect) -> None:
    """So that a later plan finds what an earlier one has made."""
    kernel = Things()
    with opened(connect, kernel) as nl:
        items = [
            add(1),
            add(2, beside=1),
            add(3, beside=2),
            new(number=4),
            look(4),
            add(5),
            count(),
        ]
        assert list(nl.do_many(items)) == [
            "added 1", "added 2", "added 3", None, 4, "added 5", 5]  # fmt: skip


@BOTH
def test_a_lookup_that_failed_is_made_again(connect: Connect) -> None:
    kernel = Things()
    with opened(connect, kernel) as nl:
        outcomes = list(nl.do_many([add(2, beside=1), add(1), add(2, beside=1)]))
        assert isinstance(outcomes[0], KernelError)
        assert (outcomes[0].index, outcomes[0].errno) == (0, errno.ENOENT)
        assert outcomes[1:] == ["added 1", "added 2"]


@BOTH
def test_an_answer_does_not_make_a_change_a_lookup(connect: Connect) -> None:
    """Two equal changes that answer are both carried out."""

    @plan
    def change() -> Steps[Any]:
        answer = yield echo(number=1)
        return answer.number

    @plan
    def quiet() -> Steps[Any]:
        yield tell(number=1)
        found = yield late(number=6)
        return found.number

    kernel = Things()
    with opened(connect, kernel) as nl:
        first, second = nl.do_many([change(), change()])
        assert first == 1
        assert isinstance(second, FileExistsError)
        assert list(nl.do_many([quiet(), quiet()])) == [6, 6]
        assert kernel.asked.count(("TELL", 1)) == kernel.asked.count(("LATE", 6)) == 2


@BOTH
def test_lookups_are_forgotten_if_there_are_many(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netlink._pipeline.REMEMBERED", 3)
    kernel = Things(*range(10))
    with opened(connect, kernel) as nl:
        assert list(nl.do_many(look(number) for number in (*range(10), *range(10)))) == [
            *range(10), *range(10)]  # fmt: skip
        assert len(kernel.asked) == 20


@BOTH
def test_the_first_error_is_raised_with_its_index(connect: Connect) -> None:
    kernel = Things(5)
    for window in (None, 1):
        with opened(connect, kernel) as nl:
            got = []
            items = [look(5), new(number=len(kernel.asked) + 100), look(9), add(7)]
            with pytest.raises(KernelError, match="ENOENT") as caught:
                for outcome in nl.do_many(items, raise_errors=True, window=window):
                    got.append(outcome)
            assert got == [5, None]
            assert caught.value.index == 2
            assert caught.value.plan is items[2]
            assert 7 not in kernel.known
            assert not nl._engine.is_waiting


@BOTH
def test_a_plan_that_catches_the_refusal_of_its_change(connect: Connect) -> None:
    @plan
    def ensure(number: int) -> Steps[str]:
        try:
            yield new(number=number)
        except FileExistsError:
            return "was there"
        return "is new"

    with opened(connect, Things(5)) as nl:
        assert list(nl.do_many([ensure(4), ensure(5), ensure(6)])) == [
            "is new", "was there", "is new"]  # fmt: skip


@BOTH
def test_a_plan_that_is_not_declared_as_a_sequence(connect: Connect) -> None:
    """It is found out after its first change: the outcomes before it are handed out."""

    @plan
    def two(number: int) -> Steps[None]:
        yield new(number=number)
        yield new(number=number + 1)

    @plan
    def event() -> Steps[None]:
        yield listen("thing")
        yield wait()

    kernel = Things()
    with opened(connect, kernel) as nl:
        got = []
        with pytest.raises(TypeError, match=r"continues after a change.*must be @plan\(sequence="):
            for outcome in nl.do_many([new(number=1), add(2), two(10), add(20)]):
                got.append(outcome)
        assert got == [None, "added 2"]
        assert 11 not in kernel.known
        got = []
        with pytest.raises(TypeError, match=r"listens for events must be @plan\(sequence=True\)"):
            for outcome in nl.do_many([new(number=3), event()]):
                got.append(outcome)
        assert got == [None]
        assert nl.do(two(30)) is None
        assert not nl._engine.is_waiting


@BOTH
def test_an_error_of_python_inside_a_plan_comes_after_the_outcomes_before_it(
    connect: Connect,
) -> None:
    @plan
    def failing(number: int, when: str) -> Steps[None]:
        if when == "before":
            raise ZeroDivisionError
        yield new(number=number)
        if when == "after":
            raise ZeroDivisionError

    for when in ("before", "after"):
        with opened(connect, Things()) as nl:
            got = []
            with pytest.raises(ZeroDivisionError):
                for outcome in nl.do_many([add(1), failing(2, "never"), failing(3, when), add(4)]):
                    got.append(outcome)
            assert got == ["added 1", None]
            assert nl.do(look(1)) == 1


@BOTH
def test_plans_from_a_stream(connect: Connect) -> None:
    """Of an endless source as many are read as the window holds."""
    taken = 0

    def source() -> Iterator[Any]:
        nonlocal taken
        while True:
            taken += 1
            yield add(taken)

    with opened(connect, Things()) as nl:
        outcomes = nl.do_many(source(), window=4)
        for number in range(1, 30):
            assert next(outcomes) == f"added {number}"
            assert taken <= number + 4
        outcomes.close()
