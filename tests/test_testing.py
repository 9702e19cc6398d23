"""The scripted kernel: each row of the table at the top of netlink/testing.py."""

from __future__ import annotations

import errno
import select
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import pytest

from netlink import (
    Connection,
    DecodeError,
    DumpInterrupted,
    KernelError,
    KernelWarning,
    Overrun,
    ifindex,
    plan,
    testing,
)
from netlink import schema as s
from netlink._core import RawMessage
from netlink.constants import NLM_F
from netlink.extack import NL_ATTR_TYPE, Policy
from netlink.family import Family, Op, Steps, parse
from netlink.schema import Message
from netlink.testing import ACK, Datagram, Socket

from . import wire
from .things import (
    BOXES,
    FAMILY,
    GROUP,
    TYPE,
    Box,
    Inner,
    Thing,
    few,
    get,
    late,
    listed,
    make,
    new,
    numbers,
    one,
    several,
    tell,
    thing,
)


def connect(kernel: Any, **options: Any) -> tuple[Connection, Socket]:
    socket = Socket(kernel, FAMILY, **options)
    return Connection(FAMILY, socket=socket), socket


def test_a_generator_answers_requests_and_dumps() -> None:
    nl, socket = connect(few)
    found = nl.do(get(number=2))
    assert found is not None and found.number == 2
    assert found.nlmsg_name == "NEWTHING"
    assert numbers(nl.dump(get())) == [1, 2, 3]
    assert [*nl.dump(get()).columns("number")["number"]] == [1, 2, 3]
    asked = socket.requests[0]
    assert asked == Thing(number=2)
    assert isinstance(asked, Thing)
    assert (asked.nlmsg_name, asked.nlmsg_flags) == ("GETTHING", 5)


@pytest.mark.parametrize(
    ("answer", "number", "name"),
    [
        (None, None, None),
        ((), None, None),
        (Thing(number=7), 7, "NEWTHING"),
        ([Thing(number=7)], 7, "NEWTHING"),
        ([(TYPE.GETTHING, Thing(number=7))], 7, "GETTHING"),
        ([(TYPE.GETTHING, bytes(Thing(number=7)))], 7, "GETTHING"),
    ],
)
def test_what_a_function_may_return(answer: Any, number: int | None, name: str | None) -> None:
    nl, _ = connect(lambda request: answer)
    found = nl.do(get())
    assert getattr(found, "number", None) == number
    assert getattr(found, "nlmsg_name", None) == name


def test_a_parsed_message_keeps_its_type() -> None:
    nl, _ = connect(lambda request: [*parse(thing(5, seq=9), FAMILY)])
    found = nl.do(get())
    assert found is not None
    assert (found.number, found.nlmsg_type, found.nlmsg_seq) == (5, TYPE.NEWTHING, 1)


def test_an_undeclared_request_is_raw_and_its_answer_has_its_type() -> None:
    class Other(Message):
        number: int | None = s.u32(1)

    class ODD(IntEnum):
        ODD = 99

    odd = Op("odd", ODD.ODD, Other, answer="one")
    family = Family("odd", protocol=0, types=ODD, ops=[odd])
    socket = Socket(lambda request: Other(number=3), FAMILY)
    found = Connection(family, socket=socket).do(odd())
    assert (found.number, found.nlmsg_type) == (3, 99)
    (asked,) = socket.requests
    assert isinstance(asked, RawMessage)
    assert asked.type == 99


def test_an_error_is_told_with_all_that_it_says() -> None:
    def kernel(request: Box) -> None:
        policy = Policy(type=NL_ATTR_TYPE.NL_ATTR_TYPE_U32, min_value_u=1, max_value_u=9)
        if request.name == "deep":
            raise KernelError(errno.ERANGE, "bad size", path="inner.size", policy=policy)
        if request.name == "missing":
            raise KernelError(errno.EINVAL, path="inner", missing="colour")
        if request.name is None:
            raise KernelError(errno.EINVAL, missing="name", cookie=b"\1\2")
        raise OSError(errno.EEXIST, "whatever")

    nl = Connection(BOXES, socket=Socket(kernel, BOXES))
    requests = [make(name=name, inner=Inner(size=0)) for name in ("deep", "missing", "other")]
    outcomes: list[Any] = [*nl.do_many([*requests, make()])]
    assert [str(outcome) for outcome in outcomes] == [
        "box.new: inner.size: bad size (ERANGE), allowed u32 1..9",
        "box.new: inner: colour is missing: Invalid argument (EINVAL)",
        "box.new: File exists (EEXIST)",
        "box.new: name is missing: Invalid argument (EINVAL)",
    ]
    assert outcomes[0].offset == 16 + 12 + 4
    assert outcomes[3].cookie == b"\1\2"


def test_a_path_that_the_request_lacks_is_the_script_s_mistake() -> None:
    def kernel(request: Box) -> None:
        raise KernelError(errno.EINVAL, path="inner")

    with pytest.raises(LookupError, match="has no attribute 'inner'"):
        Connection(BOXES, socket=Socket(kernel, BOXES)).do(make())


def test_a_mistake_in_the_script_is_not_swallowed() -> None:
    def kernel(request: Thing) -> None:
        assert request.number == 1

    nl, _ = connect(kernel)
    with pytest.raises(AssertionError):
        nl.do(get(number=2))
    with pytest.raises(AssertionError):
        list(nl.dump(get(number=2)))


@pytest.mark.parametrize("ack_last", [False, True])
def test_outcomes_come_in_order(ack_last: bool) -> None:
    nl, _ = connect(lambda request: few(request) if request.number in (5, 9) else None)
    outcomes = [*nl.do_many((new(number=n) for n in range(12)), window=4, ack_last=ack_last)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, KernelError)]
    assert [(error.index, error.path) for error in refused] == [(5, "number"), (9, "number")]
    assert outcomes.count(None) == 10


def test_a_dump_is_a_stream() -> None:
    made: list[int] = []

    def kernel(request: Thing) -> Iterator[Thing]:
        if request.number is not None:
            yield request
            return
        for number in range(100):
            made.append(number)
            yield Thing(number=number)

    nl, _ = connect(kernel, part=100)
    dump = iter(nl.dump(get()))
    assert next(dump).number == 0
    assert 0 < len(made) < 10
    assert nl.do(one(number=7)) == Thing(number=7)  # passes
    assert numbers(dump) == [*range(1, 100)]


@pytest.mark.parametrize("part", [1, 24, 60, 10_000])
def test_every_cut_of_a_dump_gives_the_same(part: int) -> None:
    nl, _ = connect(few, part=part)
    for _ in range(2):
        assert numbers(nl.dump(get())) == [1, 2, 3]


def test_a_second_dump_is_refused_as_the_kernel_does() -> None:
    socket = Socket(few, FAMILY)
    for seq in (1, 2):
        socket.send(wire.message(18, bytes(Thing()), flags=0x301, seq=seq))
    data, _ = socket.receive()
    assert [message.type for message in parse(data) if isinstance(message, RawMessage)] == [2]
    data, _ = socket.receive()
    assert [getattr(m, "nlmsg_seq", None) for m in parse(data, FAMILY)] == [1, 1, 1, None]


def test_a_dump_may_fail_behind_its_parts() -> None:
    def kernel(request: Thing) -> Iterator[Thing]:
        yield Thing(number=1)
        raise KernelError(errno.EIO, "read error")

    nl, _ = connect(kernel)
    dump = iter(nl.dump(get()))
    assert next(dump).number == 1
    with pytest.raises(KernelError, match=r"read error \(EIO\)"):
        next(dump)


def test_an_interrupted_dump() -> None:
    times: list[None] = []

    def kernel(request: Thing) -> Iterator[Thing]:
        yield Thing(number=len(times))
        times.append(None)
        if len(times) < 3:
            raise DumpInterrupted

    nl, _ = connect(kernel)
    assert numbers(nl.dump(get(), retries=2)) == [2]
    times.clear()
    with pytest.raises(DumpInterrupted) as caught:
        nl.dump(get(), retries=0).all()
    assert numbers(caught.value.partial) == [0]


def test_events_come_to_those_who_joined() -> None:
    nl, socket = connect(few)
    socket.event("thing", Thing(number=1))
    nl.join("thing", GROUP.GROUP_OTHER_THING)
    socket.event("thing", Thing(number=2), (TYPE.GETTHING, Thing(number=3)))
    socket.event(GROUP.GROUP_OTHER_THING, Thing(number=4))
    assert numbers(nl.events()) == [2, 3, 4]
    nl.leave("thing")
    socket.event("thing", Thing(number=5))
    socket.event("GROUP_OTHER_THING", Thing(number=6))
    assert numbers(nl.events()) == [6]
    assert nl.stats.events == 4


def test_an_overrun_costs_what_follows_until_the_buffer_was_empty() -> None:
    nl, socket = connect(few)
    nl.join("thing")
    socket.event("thing", Thing(number=1))
    socket.overrun()
    socket.event("thing", Thing(number=2))
    with pytest.raises(Overrun):
        nl.do(get(number=1))
    socket.event("thing", Thing(number=3))
    first, lost, last = nl.events()
    assert numbers([first, last]) == [1, 3]
    assert isinstance(lost, Overrun)
    assert nl.stats.overruns == 1
    assert nl.do(get(number=1)) is not None


def test_a_kernel_may_raise_an_overrun() -> None:
    def kernel(request: Thing) -> Iterator[Thing]:
        yield Thing(number=1)
        raise Overrun

    nl, _ = connect(kernel)
    with pytest.raises(Overrun):
        nl.do(get())
    with pytest.raises(Overrun):
        nl.dump(get()).all()


def test_words_about_a_success() -> None:
    nl, _ = connect(lambda request: [KernelWarning("deprecated"), Thing(number=1)])
    with pytest.warns(KernelWarning, match=r"thing\.get: deprecated"):
        assert nl.do(get()) is not None
    with pytest.warns(KernelWarning, match=r"thing\.get: deprecated"):
        assert numbers(nl.dump(get())) == [1]


def test_answers_that_end_in_other_ways() -> None:
    nl, _ = connect(lambda request: [Thing(number=1), Thing(number=2)])
    assert numbers(nl.do(listed())) == [1, 2]
    assert numbers(nl.do(several())) == [1, 2]
    assert nl.do(tell()) is None
    nl, _ = connect(lambda request: [ACK, Thing(number=1)])
    assert nl.do(late()).number == 1
    assert nl.stats.late == 0

    def refuse(request: Thing) -> None:
        raise KernelError(errno.EPERM)

    nl, _ = connect(refuse)
    for op in (listed, late, several):
        with pytest.raises(PermissionError):
            nl.do(op())
    assert nl.do(tell()) is None


def test_a_truncated_datagram() -> None:
    nl, socket = connect(few)
    nl.join("GROUP_THING")
    socket.deliver(Datagram(thing(5, seq=0)[:-4], group=1, is_cut=True))
    with pytest.raises(DecodeError, match="truncated a datagram"):
        list(nl.events())


def test_links_have_indexes() -> None:
    socket = Socket(few, FAMILY, links={"v0": 7})
    nl = Connection(FAMILY, socket=socket)
    assert nl.do(index_of("v0")) == 7
    with pytest.raises(KernelError, match=r"link 'lo' does not exist \(ENODEV\)"):
        nl.do(index_of("lo"))
    assert Connection(FAMILY, socket=Socket(few, FAMILY)).do(index_of("lo")) == 1


@plan
def index_of(name: str) -> Steps[int]:
    found: int = yield ifindex(name)
    return found


def test_strangers_and_rubbish() -> None:
    nl, socket = connect(lambda request: [Datagram(thing(666, seq=1), port=4711), *few(request)])
    assert numbers(nl.dump(get())) == [1, 2, 3]
    assert nl.stats.strangers == 1
    socket.deliver(Datagram(b"rubbish"))
    with pytest.raises(DecodeError):
        list(nl.events())


def test_silence_is_a_timeout_at_once_and_a_late_answer_is_dropped() -> None:
    def kernel(request: Thing) -> Iterator[Thing]:
        if request.number is None:
            raise TimeoutError
        yield from few(request)

    nl, socket = connect(kernel)
    for timeout in (None, 1000):
        with pytest.raises(TimeoutError, match="sent no more messages"):
            nl.do(get(), timeout=timeout)
    socket.deliver(Datagram(thing(1, seq=1) + wire.error(0, seq=1)))
    found = nl.do(get(number=2))
    assert found is not None and found.number == 2
    assert nl.stats.late == 2


def test_an_unacknowledged_request_is_not_answered() -> None:
    socket = Socket(lambda request: None, FAMILY)
    socket.send(wire.message(16, bytes(Thing()), flags=NLM_F.NLM_F_REQUEST))
    with pytest.raises(BlockingIOError):
        socket.receive(0)


def test_the_descriptor_tells_when_there_is_something() -> None:
    nl, socket = connect(few)
    nl.join("thing")
    poll = select.poll()
    poll.register(nl.fileno(), select.POLLIN)
    assert poll.poll(0) == []
    socket.event("thing", Thing(number=1))
    assert poll.poll(0)
    assert numbers(nl.events()) == [1]
    assert poll.poll(0) == []
    dump = nl.dump(get())
    assert poll.poll(0)
    assert numbers(dump) == [1, 2, 3]
    socket.overrun()
    assert poll.poll(0)
    nl.close()


def test_closed_is_closed() -> None:
    nl, socket = connect(few)
    nl.close()
    nl.close()
    assert nl.closed
    assert repr(nl) == "<Connection to thing, closed>"
    for use in (
        lambda: nl.do(get()),
        lambda: nl.join("thing"),
        lambda: nl.leave("thing"),
        lambda: next(nl.events()),
        lambda: nl.port,
        nl.fileno,
        socket.receive,
    ):
        with pytest.raises(OSError, match="socket is closed") as caught:
            use()
        assert caught.value.errno == errno.EBADF


def test_the_example_of_the_docstring_runs() -> None:
    from netlink.route import FAMILY as ROUTE
    from netlink.route import link

    lines = [line[4:] for line in (testing.__doc__ or "").splitlines() if line.startswith("    ")]
    assert lines
    names = {"Connection": Connection, "KernelError": KernelError, "errno": errno, "link": link}
    exec("\n".join(lines), names | {"Link": link.Link, "ROUTE": ROUTE, "testing": testing})


def test_the_index_is_that_of_the_real_socket() -> None:
    data, index = wire.receive(b"12345", b"67", port=3, group=4)
    socket = Socket(few)
    socket.groups.add(4)
    socket.deliver(Datagram(b"12345", 3, 4), Datagram(b"67", 3, 4))
    assert socket.receive() == (data + b"\0\0", index)


def test_a_receive_gives_a_bounded_number_of_datagrams() -> None:
    socket = Socket(few, FAMILY)
    socket.deliver(*(Datagram(b"x") for _ in range(40)))
    assert [len(socket.receive()[1]) // testing.INDEX_SIZE for _ in range(3)] == [16, 16, 8]
