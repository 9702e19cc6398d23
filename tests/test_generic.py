"""Generic Netlink without a kernel: requesting the IDs of families and groups, and ID changes."""

from __future__ import annotations

import asyncio
import errno
import struct
from collections.abc import Iterator
from typing import Any, cast

import pytest

import netlink
from netlink import (
    Connection,
    DecodeError,
    Family,
    KernelError,
    Op,
    Overrun,
    RawMessage,
    aio,
)
from netlink._resolver import Resolver
from netlink.engine import is_enoent
from netlink.extack import Policy
from netlink.generic import list_families, nlctrl, policy
from netlink.generic.nlctrl import CTRL_CMD, Ctrl
from netlink.route import link
from netlink.testing import FIRST_ID, Datagram, Socket

from . import wire
from .plays import (
    OTHER,
    PLAY,
    PLAY_CMD,
    Ask,
    Inner,
    Play,
    PlayTalk,
    get,
    kernel,
    listed,
    message,
    set_,
)


def connect(*families: Family, function: Any = kernel) -> tuple[Connection, Socket]:
    socket = Socket(function, *families)
    return Connection(*families, socket=socket), socket


# --- declarations ---------------------------------------------------------------------------------


def test_a_family_without_a_protocol_is_generic() -> None:
    assert PLAY.is_generic
    assert PLAY.protocol == 16
    assert get.family is PLAY
    assert PLAY.classes == {2: Play, 3: Ask}
    assert PLAY.requests == {1: Ask, 3: Ask, 4: Ask}
    assert {*OTHER.classes} == {1, 2, 3, 4}  # one class for all commands


def test_parse_goes_by_the_number_and_the_command() -> None:
    data = message(2, Play(index=7)) + message(9, Play()) + message(2, Play(), id=30)
    known, unknown, foreign = netlink.parse(data, PLAY.at(29))
    assert isinstance(known, Play)
    assert (known.index, known.nlmsg_type, known.genl_cmd, known.genl_version) == (7, 29, 2, 3)
    assert known.nlmsg_name == "PLAY_CMD_NEW"
    assert repr(known) == "<PLAY_CMD_NEW Play index=7>"
    assert isinstance(unknown, RawMessage)
    assert bytes(unknown.payload) == bytes((9, 3, 0, 0))
    assert isinstance(foreign, RawMessage)
    detached = known.detach()
    assert (detached, detached.genl_cmd, detached.nlmsg_name) == (known, 2, "PLAY_CMD_NEW")
    assert PLAY.id is None


def test_parse_needs_the_number() -> None:
    with pytest.raises(ValueError, match=r"'play' its number at run time: parse with \.at\("):
        netlink.parse(b"", PLAY)


def test_a_message_too_short_for_a_command() -> None:
    broken = wire.message(29, b"\1\0")
    stream = netlink.parse(broken + message(2, Play(index=1)), PLAY.at(29))
    with pytest.raises(DecodeError, match=r"too short for a struct genlmsghdr.* \(at byte 0\)"):
        next(stream)
    assert next(stream).index == 1  # type: ignore[union-attr]


# --- by way of a scripted kernel ------------------------------------------------------------------


def test_requests_dumps_and_columns() -> None:
    nl, socket = connect(PLAY)
    with nl:
        play = nl.do(get(index=3))
        assert (play.index, play.name) == (3, "play 3")
        assert [each.index for each in nl.dump(get())] == [1, 2, 3, 4, 5]
        columns = nl.dump(get()).columns("index", "name")
        assert [*columns["name"]] == [f"play {i}" for i in range(1, 6)]
        assert [each.index for each in nl.do(listed())] == [1, 2, 3, 4, 5]
        assert cast(Any, nl.do(set_(index=1))) is None
    assert [type(request) for request in socket.requests] == [Ctrl, *[Ask] * 5]
    question, first, *_ = (cast(Any, request) for request in socket.requests)
    assert (question.nlmsg_name, question.family_name) == ("CTRL_CMD_GETFAMILY", "play")
    assert (first.nlmsg_type, first.genl_cmd, first.genl_version) == (FIRST_ID, 1, 3)


def test_the_first_use_may_be_columns_or_a_pipeline() -> None:
    nl, _ = connect(PLAY)
    with nl:
        assert [*nl.dump(get()).columns("index")["index"]] == [1, 2, 3, 4, 5]
    nl, _ = connect(PLAY, OTHER)
    with nl:
        outcomes = list(nl.do_many(get(index=i) for i in (1, 404, 3)))
        assert [getattr(outcome, "index", None) for outcome in outcomes] == [1, 1, 3]
        assert isinstance(outcomes[1], KernelError)


def test_an_error_names_the_attribute() -> None:
    def refuse(request: Any) -> None:
        raise KernelError(errno.EINVAL, "too deep", path="inner.depth")

    nl, _ = connect(PLAY, function=refuse)
    with nl, pytest.raises(KernelError) as caught:
        nl.do(set_(index=1, inner={"depth": 9}))
    assert str(caught.value) == "play.set: inner.depth: too deep (EINVAL)"
    assert caught.value.offset == 16 + 4 + 8 + 4


def test_groups_by_name() -> None:
    nl, socket = connect(PLAY, OTHER)
    with nl:
        nl.join("events", "other.config")
        with pytest.raises(LookupError, match=r"several families: say which of play\.config, oth"):
            nl.join("config")
        with pytest.raises(
            LookupError, match=r"no group 'x'; there are: .*play\.events, play\.conf"
        ):
            nl.join("x")
        socket.event("events", (PLAY_CMD.PLAY_CMD_NEW, Play(index=5)))
        assert [event.index for event in nl.events()] == [5]  # type: ignore[union-attr]
        nl.leave("events")
        socket.event("events", (PLAY_CMD.PLAY_CMD_NEW, Play(index=6)))
        assert list(nl.events()) == []


def test_a_request_of_another_family_is_refused() -> None:
    """Before anything is sent, be it alone, as a dump, or anywhere in a pipeline."""
    nl, socket = connect(PLAY)
    twin_get = Op("twin.get", PLAY_CMD.PLAY_CMD_GET, Ask, answer="one", dumps=True)
    Family("play", types=PLAY_CMD, ops=[twin_get])
    other_get = Op("other.get", PLAY_CMD.PLAY_CMD_GET, Ask, answer="one", dumps=True)
    Family("other", types=PLAY_CMD, ops=[other_get])
    strays: list[tuple[Any, str]] = [
        (Op("stray.get", 1, Play, answer="one", dumps=True)(), "stray.get belongs to no family"),
        (link.get(ifname="lo"), "link.get belongs to family 'route'"),
        (other_get(), "other.get belongs to family 'other'"),
        (twin_get(), "twin.get belongs to another declaration of family 'play'"),
    ]
    with nl:
        for stray, words in strays:
            for use in (
                lambda stray=stray: nl.do(stray),
                lambda stray=stray: nl.dump(stray),
                lambda stray=stray: list(nl.do_many([stray])),
                lambda stray=stray: list(nl.do_many([stray, get(index=1)])),
                lambda stray=stray: list(nl.do_many([get(index=1), stray])),
            ):
                with pytest.raises(TypeError, match=f"^{words}, but this connection has: .*play"):
                    use()
        assert not nl._engine.is_waiting
        assert socket.requests == []
        assert nl.do(get(index=1)).index == 1


def test_two_declarations_of_one_family_are_refused() -> None:
    """The kernel's answers would be read by the one that was used last."""
    twin = Family("play", types=PLAY_CMD, ops=(), messages=Inner)
    with pytest.raises(ValueError, match="family 'play' is declared twice"):
        connect(PLAY, twin)
    with pytest.raises(
        ValueError, match=r"nlctrl is declared already: netlink\.generic\.nlctrl\.F"
    ):
        connect(PLAY, Family("nlctrl", types=PLAY_CMD))
    with Connection(PLAY.at(FIRST_ID), socket=Socket(kernel, PLAY)) as bound:
        assert isinstance(bound.do(get(index=1)), Play)


def test_nlctrl_needs_no_declaration() -> None:
    nl, _ = connect(PLAY)
    with nl:
        assert nl.do(nlctrl.getfamily(family_name="play")).family_name == "play"


def test_a_family_that_the_kernel_lacks() -> None:
    lost = Op("absent.get", PLAY_CMD.PLAY_CMD_GET, Play, answer="one")
    absent = Family("absent", types=PLAY_CMD, ops=[lost])
    socket = Socket(kernel, PLAY)
    with Connection(PLAY, absent, socket=socket) as nl:
        with pytest.raises(FileNotFoundError, match="the kernel has no family 'absent'"):
            nl.do(lost())
        with pytest.raises(KernelError, match="ENOENT"):
            list(nl.dump(lost()))
        with pytest.raises(KernelError, match="ENOENT"):
            list(nl.do_many([lost()]))
        assert nl.do(get(index=1)).index == 1
    assert len(socket.requests) == 5


def test_an_enoent_that_is_the_answer() -> None:
    nl, socket = connect(PLAY)
    with nl:
        with pytest.raises(KernelError, match="no such play") as caught:
            nl.do(get(index=404))
        assert caught.value.request.name == "play.get"
        assert nl.do(get(index=1)) is not None
    # The number was requested again, it was the same, and the request was not sent once more.
    assert [type(request) for request in socket.requests] == [Ctrl, Ask, Ctrl, Ask]


# --- the engine, by bytes -------------------------------------------------------------------------


def test_requests_wait_for_the_number_and_it_is_asked_for_once() -> None:
    talk = PlayTalk()
    first, dump = talk.engine.submit(get(index=1)), talk.engine.submit(get(), dump=True)
    batch = talk.engine.submit_batch([get(index=2), get(index=3)])
    assert talk.sent() == [(16, 3, 2)]
    talk.tell(29, seq=2)
    assert talk.sent() == [(29, 1, 1), (29, 1, 3), (29, 1, 4), (29, 1, 5)]
    talk.feed(message(2, Play(index=1), seq=1), wire.error(0, seq=1), wire.done(seq=3))
    assert first.result().index == 1
    assert dump.take() is None and dump.exhausted
    assert not batch.ready


def test_what_was_given_up_meanwhile_is_not_sent() -> None:
    talk = PlayTalk()
    given_up, kept = talk.engine.submit(get(index=1)), talk.engine.submit(get(index=2))
    batch = talk.engine.submit_batch([get(index=3)])
    talk.engine.abandon(given_up)
    talk.engine.abandon(batch)
    assert talk.sent() == [(16, 3, 2)]
    talk.tell(29, seq=2)
    assert talk.sent() == [(29, 1, 3)]
    assert not kept.done
    assert talk.engine.stats.late == 0


def test_enoent_is_the_answer_to_an_unknown_number() -> None:
    """Fact: a generic family has no number before nlctrl reports it, and another one after its
    module was loaded again; ENOENT is the answer to an unknown number."""
    talk = PlayTalk()
    asked = talk.engine.submit(get(index=1))
    talk.sent()
    talk.tell(29, seq=2)
    assert talk.sent() == [(29, 1, 1)]
    talk.feed(wire.error(errno.ENOENT, seq=1))
    assert not asked.done
    assert talk.sent() == [(16, 3, 4)]
    talk.tell(31, seq=4)
    assert talk.sent() == [(31, 1, 3)]
    talk.feed(message(2, Play(index=1), id=31, seq=3), wire.error(0, seq=3))
    assert asked.result().index == 1


@pytest.mark.parametrize("dump", [False, True])
def test_an_announcement_that_comes_with_the_enoent_is_the_number_to_try(dump: bool) -> None:
    talk = PlayTalk()
    talk.announce(CTRL_CMD.CTRL_CMD_NEWFAMILY, 29)
    asked, other = talk.engine.submit(get(index=1), dump=dump), talk.engine.submit(get(index=2))
    assert talk.sent() == [(29, 1, 1), (29, 1, 2)]
    talk.announce(CTRL_CMD.CTRL_CMD_DELFAMILY, 29)
    talk.announce(CTRL_CMD.CTRL_CMD_NEWFAMILY, 31)
    talk.feed(wire.error(errno.ENOENT, seq=1), wire.error(errno.ENOENT, seq=2))
    assert talk.sent() == [(31, 1, 3), (31, 1, 4)]
    talk.feed(wire.error(errno.ENOENT, seq=3))  # which is the answer, then
    assert is_enoent(asked.error)
    assert not other.done


@pytest.mark.parametrize("read", [False, True])
def test_an_enoent_after_messages_is_no_doubt_about_the_number(read: bool) -> None:
    talk = PlayTalk()
    talk.announce(CTRL_CMD.CTRL_CMD_NEWFAMILY, 29)
    dump = talk.engine.submit(get(), dump=True)
    talk.sent()
    talk.feed(message(2, Play(index=1), seq=1))
    if read:
        messages = dump.take()
        assert messages is not None and next(messages).index == 1
    talk.feed(wire.done(errno.ENOENT, seq=1))
    assert is_enoent(dump.error)
    assert talk.sent() == []


def test_requests_that_meet_enoent_together_are_tried_once_more_under_a_new_number_only() -> None:
    talk = PlayTalk()
    talk.announce(CTRL_CMD.CTRL_CMD_NEWFAMILY, 29)
    asked = [talk.engine.submit(get(index=index)) for index in range(2)]
    talk.sent()
    talk.feed(wire.error(errno.ENOENT, seq=1), wire.error(errno.ENOENT, seq=2))
    assert talk.sent() == [(16, 3, 4)]
    talk.tell(29, seq=4)
    assert talk.sent() == []
    assert all(is_enoent(each.error) for each in asked)


def outdated() -> Socket:
    """The announcement of the number of PLAY has arrived, and was not received yet."""

    def answer(request: Any) -> Any:
        if isinstance(request, RawMessage):
            raise KernelError(errno.ENOENT)  # genl_rcv_msg
        return list(kernel(request))

    socket = Socket(answer, PLAY)
    socket.groups.add(16)
    told = Ctrl(family_name="play", family_id=FIRST_ID)
    socket.deliver(Datagram(message(1, told, id=16), group=16))
    return socket


def set_number(nl: Any, number: int) -> None:
    """Have a connection think that PLAY has this number."""
    nl._engine.resolver.ids[PLAY] = number


def test_a_pipeline_receives_what_was_announced_before_it_begins() -> None:
    with Connection(PLAY, socket=outdated()) as nl:
        set_number(nl, 99)
        found = list(nl.do_many([get(index=1), get(index=2)]))
        assert [getattr(play, "index", None) for play in found] == [1, 2]

    async def main() -> None:
        async with aio.Connection(PLAY, socket=outdated()) as nl:
            set_number(nl, 99)
            outcomes = [each async for each in nl.do_many([get(index=1), get(index=2)])]
            assert [getattr(play, "index", None) for play in outcomes] == [1, 2]

    asyncio.run(main())


def test_a_batch_that_met_enoent_has_the_number_asked_for_before_the_next() -> None:
    talk = PlayTalk()
    talk.announce(CTRL_CMD.CTRL_CMD_NEWFAMILY, 29)
    batch = talk.engine.submit_batch([get(index=1)])
    talk.sent()
    talk.feed(wire.error(errno.ENOENT, seq=1))
    [outcome] = batch.outcomes()
    assert isinstance(outcome, KernelError)
    talk.engine.submit_batch([get(index=1)])
    assert talk.sent() == [(16, 3, 3)]


@pytest.mark.parametrize("how", ["overrun", "send failed"])
def test_a_question_that_is_lost_fails_those_who_wait(how: str) -> None:
    talk = PlayTalk()
    first, batch = talk.engine.submit(get()), talk.engine.submit_batch([get()])
    outgoing = talk.engine.take_outgoing()
    if how == "overrun":
        talk.engine.overrun()
        talk.engine.drained()
        expected: type[Exception] = Overrun
    else:
        talk.engine.send_failed(outgoing, OSError(errno.ENOBUFS, "no room"))
        expected = OSError
    assert isinstance(first.error, expected)
    assert isinstance(batch.error, expected)
    talk.engine.submit(get())
    assert talk.sent() == [(16, 3, 5)]  # the question is asked again


def test_announcements_are_used_and_shown_only_to_those_who_joined() -> None:
    talk = PlayTalk()
    talk.announce(CTRL_CMD.CTRL_CMD_NEWFAMILY, 40)
    kept = [talk.engine.submit(get())]
    assert talk.sent() == [(40, 1, 1)]
    talk.announce(CTRL_CMD.CTRL_CMD_DELFAMILY, 40)
    kept.append(talk.engine.submit(get()))
    assert talk.sent() == [(16, 3, 3)]
    assert list(talk.events()) == []
    assert talk.engine.subscribe(talk.engine.events, {("nlctrl", "notify"): 16}) == []  # joined
    talk.announce(CTRL_CMD.CTRL_CMD_NEWFAMILY, 41)
    [event] = talk.events()
    assert event.nlmsg_name == "CTRL_CMD_NEWFAMILY"
    assert talk.engine.unsubscribe(talk.engine.events, {("nlctrl", "notify"): 16}) == []
    talk.announce(CTRL_CMD.CTRL_CMD_NEWFAMILY, 42)
    assert list(talk.events()) == []


def test_an_announcement_that_cannot_be_decoded_is_skipped() -> None:
    talk = PlayTalk()
    broken = wire.message(16, bytes((1, 2, 0, 0)) + b"\xff\xff\2\0")
    whole = message(1, Ctrl(family_name="play", family_id=40), id=16)
    talk.feed(broken, whole, group=16)
    kept = talk.engine.submit(get())
    assert talk.sent() == [(40, 1, 1)]
    assert not kept.done


def test_the_end_of_an_event_in_several_messages_is_not_an_event() -> None:
    """drivers/net/team sends its options to its group as a multi-part message, DONE included."""
    talk = PlayTalk()
    talk.announce(CTRL_CMD.CTRL_CMD_NEWFAMILY, 29)
    talk.engine.subscribe(talk.engine.events, {("play", "events"): 5})
    talk.feed(message(2, Play(index=1)) + wire.done(seq=0), message(2, Play(index=2)), group=5)
    assert [event.index for event in talk.events()] == [1, 2]
    assert talk.engine.stats.events == 3  # with the announcement


def test_a_group_whose_number_changes_is_joined_once_more() -> None:
    groups = [{"name": "events", "id": 70}, {"name": "config", "id": 71}]
    nl, socket = connect(PLAY)
    with nl:
        nl.join("events")
        old = {*socket.groups}
        told = Ctrl(family_name="play", family_id=FIRST_ID, mcast_groups=groups)
        socket.deliver(Datagram(message(1, told, id=16), group=16))
        assert nl.do(get(index=1)) is not None
        assert socket.groups - old == {70}


def ctrl(command: int, group: int | None) -> bytes:
    groups = [] if group is None else [{"name": "events", "id": group}]
    told = Ctrl(family_name="play", family_id=FIRST_ID, mcast_groups=groups)
    return message(command, told, id=16)


class Reloading:
    """A family whose module comes and goes, and with it the number of its group."""

    def __init__(self) -> None:
        self.number: int | None = 70
        self.socket = Socket(self.answer, nlctrl.FAMILY, PLAY)

    def answer(self, request: Any) -> Any:
        if not isinstance(request, Ctrl):
            return list(kernel(request))
        if self.number is None:
            raise KernelError(errno.ENOENT)
        return netlink.parse(ctrl(1, self.number), nlctrl.FAMILY)

    def change(self, number: int | None, *, told: bool = True) -> None:
        """Load the module again with another number, or unload it."""
        if self.number is not None:
            self.socket.groups.discard(self.number)  # genl_unregister_mc_groups
        for command, group in ((2, self.number), (1, number)):
            if group is not None and told:
                self.socket.deliver(Datagram(ctrl(command, group), group=16))
        self.number = number


def test_the_current_number_is_joined_although_a_change_was_not_received_yet() -> None:
    play = Reloading()
    with Connection(PLAY, socket=play.socket) as nl:
        nl.join("events")
        nl.leave("events")
        play.change(71)
        nl.join("events")
        assert play.socket.groups == {16, 71}
        play.change(None)
        with pytest.raises(KernelError, match="ENOENT"):
            nl.join("events")


def test_a_group_can_be_left_while_its_family_is_gone() -> None:
    play = Reloading()
    with Connection(PLAY, socket=play.socket) as nl:
        nl.join("events")
        play.change(None)
        assert list(nl.events()) == []
        nl.leave("events")
        play.change(70)
        assert list(nl.events()) == []
        assert play.socket.groups == {16}


@pytest.mark.parametrize("number", [70, 71])
def test_after_an_overrun_joined_groups_are_asked_for_and_joined_again(number: int) -> None:
    """The announcements of the reload may be among what was lost."""
    play = Reloading()
    with Connection(PLAY, socket=play.socket) as nl:
        nl.join("events")
        play.change(number, told=False)
        play.socket.overrun()
        [lost] = nl.events()
        assert isinstance(lost, Overrun)
        assert play.socket.groups == {16, number}
        assert not nl._engine.is_waiting


class Strict(Socket):
    """Has no group above 100, as nlctrl has announced in vain."""

    def join(self, group: int, /) -> None:
        if group > 100:
            raise OSError(errno.ENOENT, "no such group")
        super().join(group)


@pytest.mark.parametrize("unloaded", [False, True])
def test_a_group_that_is_gone_again_is_not_an_error(unloaded: bool) -> None:
    socket = Strict(kernel, PLAY)
    socket.groups.add(16)
    with Connection(PLAY, socket=socket) as nl:
        resolver = nl._engine.resolver
        assert isinstance(resolver, Resolver)
        resolver._joined.add(("play", "events"))
        socket.deliver(Datagram(ctrl(1, 101), group=16))
        if unloaded:
            socket.deliver(Datagram(ctrl(2, 101), group=16))
        assert nl.do(get(index=1)) is not None


def test_a_family_that_is_absent_does_not_hide_the_groups_of_another() -> None:
    absent = Family("absent", types=PLAY_CMD, ops=(), messages=Play)
    silent = Family("play", types=PLAY_CMD, ops=(), messages=Play)
    socket = Socket(kernel, PLAY)
    with Connection(absent, silent, socket=socket) as nl:
        nl.join("events")
        assert len(socket.groups) == 2
        with pytest.raises(KernelError, match="ENOENT"):
            nl.join("no such")


def test_an_unknown_command_of_nlctrl_is_skipped() -> None:
    talk = PlayTalk()
    talk.feed(message(77, Ctrl(family_name="play", family_id=3), id=16), group=16)
    talk.engine.submit(get())
    assert talk.sent() == [(16, 3, 2)]


# --- what people ask of nlctrl --------------------------------------------------------------------


def test_families_by_plan() -> None:
    nl, _ = connect(PLAY, OTHER)
    with nl:
        families = nl.do(list_families())
    assert [family.family_name for family in families] == ["play", "other", "nlctrl"]
    assert [group.name for group in families[0].mcast_groups] == ["events", "config"]


def test_policies_in_words() -> None:
    def answer(request: Any) -> Iterator[Any]:
        if request.genl_cmd == CTRL_CMD.CTRL_CMD_GETFAMILY:
            yield Ctrl(family_id=29, family_name="play")
            return
        number = Policy(type=4, min_value_u=0, max_value_u=9)
        nest = Policy(type=13, policy_idx=2)
        uses = {1: nlctrl.OpPolicy(do=0, dump=1), 7: nlctrl.OpPolicy(do=2)}
        yield CTRL_CMD.CTRL_CMD_GETPOLICY, Ctrl(op_policy=uses)
        yield CTRL_CMD.CTRL_CMD_GETPOLICY, Ctrl(policy={0: {1: number}})
        yield CTRL_CMD.CTRL_CMD_GETPOLICY, Ctrl(policy={0: {2: nest}})
        yield CTRL_CMD.CTRL_CMD_GETPOLICY, Ctrl(policy={2: {1: nest}})

    nl, _ = connect(nlctrl.FAMILY, PLAY, function=answer)
    with nl:
        policies = nl.do(policy("play"))
    assert policies.pretty(PLAY).splitlines() == [
        "play.get",
        "    do",
        "        index: u32 0..9",
        "        inner: nested of policy 2",
        "            depth: nested of policy 2",
        "                (as above)",
        "    dump",
        "op 7",
        "    do",
        "        1: nested of policy 2",
        "            (as above)",
    ]
    assert policies.pretty().startswith("op 1\n    do\n        1: u32 0..9\n")


def test_a_shared_policy_is_shown_once() -> None:
    """Each policy that refers twice to the next would double the text; deep ones would recurse."""
    chain = {
        number: {kind: Policy(type=13, policy_idx=number + 1) for kind in (1, 2)}
        for number in range(1000)
    }
    uses = {1: nlctrl.OpPolicy(do=0, dump=0), 2: nlctrl.OpPolicy(do=1)}
    lines = nlctrl.Policies(chain, uses).pretty().splitlines()
    assert len(lines) < 50
    assert lines[:4] == ["op 1", "    do", "        1: nested of policy 1",
                         "            1: nested of policy 2"]  # fmt: skip
    assert "        2: nested of policy 1" in lines
    assert "            (as in op 1 do)" in lines
    assert lines[11:13] == [
        " " * 44 + "1: nested of policy 10",
        " " * 48 + "(nested too deeply)",
    ]
    assert lines[-5:] == ["    dump", "        (as op 1 do)", "op 2", "    do",
                          "        (as op 1 do)"]  # fmt: skip


def test_stamped_bytes() -> None:
    """struct nlmsghdr, then struct genlmsghdr with the command and the family's version."""
    talk = PlayTalk(families=[PLAY.at(29)])
    kept = talk.ask(get(index=7))
    [single] = talk.engine.take_outgoing()
    assert single == struct.pack("=IHHIIBBHHHI", 28, 29, 5, 1, 0, 1, 3, 0, 8, 1, 7)
    talk.engine.submit_batch([get(index=7)])
    [packed] = talk.engine.take_outgoing()
    assert packed == struct.pack("=IHHIIBBHHHI", 28, 29, 5, 2, 0, 1, 3, 0, 8, 1, 7)
    assert not kept.done
