"""Errors and warnings: their classes, their texts, and the line to which a warning points."""

from __future__ import annotations

import asyncio
import copy
import errno
import linecache
import os
import pickle
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from netlink import (
    Connection,
    DecodeError,
    DumpInterrupted,
    EncodeError,
    KernelError,
    KernelWarning,
    NetlinkError,
    Overrun,
    aio,
    errors,
    plan,
)
from netlink.extack import Policy
from netlink.family import Steps
from netlink.testing import ACK, Socket

from .drivers import BOTH, Connect
from .things import FAMILY, Thing, get, late, listed, new, one

# --- what a KernelError is ------------------------------------------------------------------------

BUILT_IN = {
    errno.EPERM: PermissionError,
    errno.EACCES: PermissionError,
    errno.ENOENT: FileNotFoundError,
    errno.EEXIST: FileExistsError,
    errno.ESRCH: ProcessLookupError,
}
# What callers catch as control flow, and the other subclasses of OSError.
NEVER = (
    TimeoutError, BlockingIOError, InterruptedError, ConnectionError, ChildProcessError,
    IsADirectoryError, NotADirectoryError,
)  # fmt: skip


@pytest.mark.parametrize("code", sorted({*errno.errorcode, 0, 524, 4095, 99999}))
def test_a_kernel_error_is_one_of_four_built_in_exceptions_at_most(code: int) -> None:
    assert (
        type(OSError(code, "")) is OSError
        or isinstance(OSError(code, ""), NEVER)
        or (code in BUILT_IN)
    )
    error = KernelError(code)
    assert isinstance(error, KernelError) and isinstance(error, OSError)
    assert isinstance(error, NetlinkError)
    assert not isinstance(error, NEVER)
    for one_errno, cls in BUILT_IN.items():
        assert isinstance(error, cls) == (cls is BUILT_IN.get(code)), one_errno
    assert error.errno == code
    assert error.args == (code, os.strerror(code))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)


@BOTH
@pytest.mark.parametrize(
    "code", [errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR, errno.EPIPE, errno.ECONNREFUSED,
             errno.ECONNRESET, errno.EALREADY, errno.EINPROGRESS, *BUILT_IN]
)  # fmt: skip
def test_what_do_raises(connect: Connect, code: int) -> None:
    def kernel(request: Thing) -> None:
        raise KernelError(code, "so it is")

    with connect(FAMILY, socket=Socket(kernel, FAMILY), timeout=5) as nl:
        uses: list[Callable[[], Any]] = [
            lambda: nl.do(get()),
            lambda: nl.do(late()),
            lambda: nl.do(listed()),
            lambda: nl.dump(get()).all(),
            lambda: list(nl.do_many([get()], raise_errors=True)),
            lambda: list(nl.do_many([late()], raise_errors=True)),
        ]
        for use in uses:
            with pytest.raises(KernelError, match="so it is") as caught:
                use()
            assert caught.value.errno == code
            assert not isinstance(caught.value, NEVER)
            assert isinstance(caught.value, BUILT_IN.get(code, KernelError))
        (outcome,) = nl.do_many([get()])
        assert isinstance(outcome, BUILT_IN.get(code, KernelError))


def test_four_subclasses_and_no_more() -> None:
    assert {cls for cls in errors.SPECIAL.values() if cls is not KernelError} == {
        *KernelError.__subclasses__()
    }
    assert len(KernelError.__subclasses__()) == 4


def test_subclasses_of_users_stay_what_they_are() -> None:
    class Mine(KernelError):
        pass

    assert type(Mine(errno.ENOENT)) is Mine


# --- copies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))]
)
@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOENT, errno.ETIMEDOUT])
def test_copies_of_a_kernel_error_say_the_same(again: Any, code: int) -> None:
    error = KernelError(
        code, "no such", path="inner.size", missing="colour", policy=Policy(type=4, max_value_u=9),
        cookie=b"\1\2", offset=20, index=7,
    )  # fmt: skip
    other = again(error)
    assert type(other) is type(error)
    for name in KernelError.__annotations__:
        assert getattr(other, name) == getattr(error, name), name
    assert str(other) == str(error)


def test_a_pickled_kernel_error_loses_its_request_and_nothing_else() -> None:
    """A request refers to its family, which is never copied."""
    with pytest.raises(KernelError) as caught, opened(refuse) as nl:
        nl.do(new(number=5))
    error = caught.value
    assert error.request.name == "thing.new"
    other = pickle.loads(pickle.dumps(error))
    assert other.request is None
    assert (other.errno, other.message, other.path) == (error.errno, error.message, error.path)


@pytest.mark.parametrize(
    "error",
    [
        DecodeError("bad", path="A.b", offset=5, value=b"x"),
        EncodeError("bad", path="A.b", value=[1]),
        DumpInterrupted([1]),
        Overrun(),
        Overrun(5, "queue"),
        NetlinkError("what"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_copies_of_other_errors_say_the_same(error: NetlinkError) -> None:
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert vars(other) == vars(error)


@BOTH
def test_each_reading_of_a_failed_reply_raises_an_error_of_its_own(connect: Connect) -> None:
    """Each error has its own traceback, so that a stored error keeps no frame alive."""
    with connect(FAMILY, socket=Socket(refuse, FAMILY), timeout=5) as nl:
        reply = nl.dump(get(number=1))
        seen = []
        for _ in range(2):
            with pytest.raises(KernelError) as caught:
                reply.all()
            seen.append(caught.value)
        first, second = seen
        assert first is not second
        assert str(first) == str(second) == str(reply.error)
        assert (first.request, first.path) == (second.request, second.path)
        assert reply.error.__traceback__ is None
        (outcome,) = nl.do_many([new(number=1)])
        assert outcome.__traceback__ is None
        for item in (change(1), late(number=1), asking()):
            (outcome,) = nl.do_many([item])
            assert isinstance(outcome, KernelError)
            assert outcome.__traceback__ is None


# --- what an error says ---------------------------------------------------------------------------


def refuse(request: Thing) -> None:
    raise KernelError(errno.ENODEV, "no such thing", path="number")


def opened(kernel: Any) -> Connection:
    return Connection(FAMILY, socket=Socket(kernel, FAMILY))


@plan
def change(number: int, name: str | None = None) -> Steps[None]:
    yield new(number=number, name=name)


@plan
def outer(number: int) -> Steps[None]:
    yield change(number)


@BOTH
def test_the_text_names_the_plan_and_its_object(connect: Connect) -> None:
    with connect(FAMILY, socket=Socket(refuse, FAMILY)) as nl:
        texts: dict[str, Any] = {
            "thing.new: number: no such thing (ENODEV)": new(number=5),
            "test_errors.change: 5: number: no such thing (ENODEV)": change(5),
            "test_errors.outer: 6: number: no such thing (ENODEV)": outer(6),
        }
        for text, request in texts.items():
            with pytest.raises(KernelError) as caught:
                nl.do(request)
            assert str(caught.value) == text
            (outcome,) = nl.do_many([request])
            assert str(outcome) == text
            wanted = None if request.name == "thing.new" else request
            assert outcome.plan is caught.value.plan is wanted
            assert outcome.request.name == "thing.new"


@BOTH
def test_an_encode_error_inside_a_plan_names_it(connect: Connect) -> None:
    with connect(FAMILY, socket=Socket(refuse, FAMILY)) as nl:
        for made in (change(-1), outer(-1)):
            with pytest.raises(EncodeError, match=r"Thing\.number: ") as caught:
                nl.do(made)
            assert caught.value.plan is made
            assert str(caught.value).startswith(f"{made.name}: ")
            with pytest.raises(EncodeError) as caught:
                list(nl.do_many([new(number=1), made, new(number=2)]))
            assert caught.value.plan is made


# --- where a warning points -----------------------------------------------------------------------


def warned(request: Thing) -> Iterator[Any]:
    """Answer with an ACK that carries a warning."""
    if request.nlmsg_type == late.type:
        yield request
        yield KernelWarning("so it is")
        yield ACK
    else:
        yield KernelWarning("so it is")
        if request.nlmsg_type != new.type:
            yield Thing(number=request.number or 0)


@plan
def asking() -> Steps[None]:
    yield one(number=1)


@plan
def dumping() -> Steps[None]:
    yield get().dump()


def use_blocking(nl: Connection, what: str) -> None:
    """Use a blocking connection in the way that `what` names, in one line."""
    if what == "do":
        nl.do(get())  # here
    elif what == "late":
        nl.do(late(number=1))  # here
    elif what == "list":
        list(nl.dump(get()))  # here
    elif what == "loop":
        for _ in nl.dump(get()):  # here
            pass
    elif what == "all":
        nl.dump(get()).all()  # here
    elif what == "columns":
        nl.dump(get()).columns("number")  # here
    elif what == "do_many":
        list(nl.do_many([new()]))  # here
    elif what == "do_many of plans":
        list(nl.do_many([change(1)]))  # here
    elif what == "a lookup in do_many":
        list(nl.do_many([asking()]))  # here
    elif what == "do_many of late answers":
        list(nl.do_many([late(number=1)]))  # here
    elif what == "plan":
        nl.do(change(1))  # here
    elif what == "nested plan":
        nl.do(outer(1))  # here
    else:
        nl.do(dumping())  # here


async def use_asyncio(nl: aio.Connection, what: str) -> None:
    """Use an asyncio connection in the way that `what` names, in one line."""

    async def stream(items: AsyncIterator[Any]) -> None:
        async for _ in items:  # here
            pass

    if what == "do":
        await nl.do(get())  # here
    elif what == "late":
        await nl.do(late(number=1))  # here
    elif what in ("list", "loop"):
        async for _ in nl.dump(get()):  # here
            pass
    elif what == "all":
        await nl.dump(get()).all()  # here
    elif what == "columns":
        await nl.dump(get()).columns("number")  # here
    elif what == "do_many":
        await stream(nl.do_many([new()]))
    elif what == "do_many of plans":
        await stream(nl.do_many([change(1)]))
    elif what == "a lookup in do_many":
        await stream(nl.do_many([asking()]))
    elif what == "do_many of late answers":
        await stream(nl.do_many([late(number=1)]))
    elif what == "plan":
        await nl.do(change(1))  # here
    elif what == "nested plan":
        await nl.do(outer(1))  # here
    else:
        await nl.do(dumping())  # here


USES = ["do", "late", "list", "loop", "all", "columns", "do_many", "do_many of plans",
        "a lookup in do_many", "do_many of late answers", "plan", "nested plan",
        "dump in a plan"]  # fmt: skip


@pytest.mark.parametrize("what", USES)
@pytest.mark.parametrize("driver", ["blocking", "asyncio"])
def test_a_warning_points_to_the_line_of_the_caller(driver: str, what: str) -> None:
    async def main() -> None:
        async with aio.Connection(FAMILY, socket=Socket(warned, FAMILY)) as nl:
            await use_asyncio(nl, what)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if driver == "blocking":
            with Connection(FAMILY, socket=Socket(warned, FAMILY)) as nl:
                use_blocking(nl, what)
        else:
            asyncio.run(main())
    (issued,) = told
    assert isinstance(issued.message, KernelWarning)
    assert str(issued.message).endswith(": so it is")
    assert issued.filename == __file__
    assert linecache.getline(__file__, issued.lineno).rstrip().endswith("# here")


def test_a_warning_is_issued_once_for_each_line() -> None:
    """Python does so by default, because the location is the caller's line."""
    with warnings.catch_warnings(record=True) as told, opened(warned) as nl:
        warnings.simplefilter("default")
        for _ in range(3):
            nl.do(get())
        nl.do(get())
    assert len(told) == 2


def test_a_file_next_to_the_library_is_not_the_library() -> None:
    place = f"{os.path.dirname(errors.__file__)}_tools.py"
    code = compile("\n\nnl.do(get())", place, "exec")
    with warnings.catch_warnings(record=True) as told, opened(warned) as nl:
        warnings.simplefilter("always")
        exec(code, {"nl": nl, "get": get})
    assert [(each.filename, each.lineno) for each in told] == [(place, 3)]
