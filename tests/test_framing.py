"""Conversations with other framings: connector, text and audit.

Each test runs over a scripted kernel, blocking and asyncio. test_core.py tests framing with bytes.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest

from netlink import Connection, DecodeError, KernelError
from netlink.testing import ACK, Datagram, Socket
from netlink.trace import Traced

from . import wire
from .drivers import BOTH, Connect
from .framed import (
    AUDIT,
    CONNECTOR,
    RECORD,
    UEVENT,
    Note,
    Record,
    Status,
    Text,
    record,
    status,
    tell,
)
from .things import numbers


def connector(number: int, *, length: int = 4) -> bytes:
    """Return a message as connector sends it."""
    wrapped = struct.pack("=IIIIHH", 7, 1, number, 0, length, 0)
    return wire.message(3, wrapped + struct.pack("=I", number), seq=number)


# --- connector ------------------------------------------------------------------------------------


@BOTH
def test_a_connector_request_is_never_answered(connect: Connect) -> None:
    """It is sent as NLMSG_DONE without flags, and do() returns as soon as it was sent."""
    sent: list[bytes] = []

    class Kept(Socket):
        def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
            sent.append(buffer)
            return super().send(buffer, timeout=timeout)

    socket = Kept(lambda request: None, CONNECTOR)
    with connect(CONNECTOR, socket=socket) as nl:
        assert nl.do(tell(number=5)) is None
        assert list(nl.do_many([tell(number=n) for n in range(3)])) == [None] * 3
        assert not nl._engine.is_waiting
    assert numbers(socket.requests) == [5, 0, 1, 2]
    header, wrapped = sent[0][:16], sent[0][16:36]
    assert struct.unpack("=IHHII", header) == (40, 3, 0, 1, 0)
    assert struct.unpack("=IIIIHH", wrapped) == (7, 1, 1, 0, 4, 0)


@BOTH
def test_a_burst_of_connector_events(connect: Connect) -> None:
    """Their type is NLMSG_DONE, but they neither end a dump nor answer a request."""
    socket = Socket(lambda request: None, CONNECTOR, datagrams=64)
    with connect(CONNECTOR, socket=socket) as nl:
        nl.join("notes")
        socket.deliver(*(Datagram(connector(number), group=1) for number in range(64)))
        socket.event("G_NOTES", Note(number=64))
        events = list(nl.events())
        assert [event.number for event in events] == list(range(65))
        assert {event.nlmsg_name for event in events} == {"IDX_NOTE"}
        assert [event.cn_seq for event in events[:3]] == [0, 1, 2]
        assert (nl.stats.events, nl.stats.late) == (65, 0)


@BOTH
def test_connector_messages_to_this_socket_alone_are_events(connect: Connect) -> None:
    socket = Socket(lambda request: None, CONNECTOR)
    with connect(CONNECTOR, socket=socket) as nl:
        socket.deliver(Datagram(connector(1)), Datagram(connector(77)))
        assert [event.number for event in nl.events()] == [1, 77]
        assert nl.stats.late == 0


@BOTH
def test_a_malformed_connector_event_is_raised_at_its_place(connect: Connect) -> None:
    socket = Socket(lambda request: None, CONNECTOR)
    with connect(CONNECTOR, socket=socket) as nl:
        nl.join("notes")
        bad = connector(2, length=999)
        socket.deliver(*(Datagram(data, group=1) for data in (connector(1), bad, connector(3))))
        assert nl.do(tell(number=1)) is None
        got = []
        with pytest.raises(DecodeError, match="struct cn_msg"):
            for event in nl.events():
                got.append(event.number)
        got += [event.number for event in nl.events()]
        assert got == [1, 3]


# --- text -----------------------------------------------------------------------------------------


@BOTH
def test_text_events(connect: Connect) -> None:
    """Each datagram is one message, even if it looks like the end of a dump."""
    socket = Socket(lambda request: None, UEVENT)
    texts = [b"add@/devices/x\0ACTION=add\0", wire.done(), b"\xff\xff\xff\xff", b"y" * 5]
    with connect(UEVENT, socket=socket) as nl:
        nl.join("notes")
        socket.deliver(*(Datagram(text, group=1) for text in texts))
        socket.event("notes", Text(text=b"made"))
        events = list(nl.events())
        assert [event.text for event in events] == [*texts, b"made"]
        assert [event.nlmsg_name for event in events] == ["TEXT"] * 5


# --- audit ----------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("order", ["after", "before"])
def test_an_audit_answer_comes_after_the_ack_or_before_it(connect: Connect, order: str) -> None:
    """A kernel thread sends the answer, and races with the ACK."""

    def kernel(request: Any) -> Any:
        answer = audited(request)
        return [ACK, *answer] if order == "after" else answer

    for datagrams in (1, 16):
        socket = Socket(kernel, AUDIT, datagrams=datagrams)
        with connect(AUDIT, socket=socket, timeout=10) as nl:
            assert nl.do(status(enabled=5)).enabled == 5
            outcomes = list(nl.do_many([status(enabled=n) for n in range(4)]))
            assert [outcome.enabled for outcome in outcomes] == [0, 1, 2, 3]
            assert list(nl.do_many([record(enabled=1), status(enabled=2)]))[1].enabled == 2
            assert nl.stats.late == 0


@BOTH
def test_an_audit_request_may_fail(connect: Connect) -> None:
    def kernel(request: Any) -> None:
        raise KernelError(1)

    with connect(AUDIT, socket=Socket(kernel, AUDIT), timeout=10) as nl:
        with pytest.raises(PermissionError):
            nl.do(status())
        outcomes = list(nl.do_many([status(), record()]))
        assert [type(outcome) for outcome in outcomes] == [type(outcomes[0])] * 2
        assert isinstance(outcomes[0], PermissionError)


@BOTH
def test_an_audit_record_is_as_long_as_its_datagram(connect: Connect) -> None:
    """In the kernel's unicast records, nlmsg_len counts only the payload."""
    socket = Socket(lambda request: None, AUDIT)
    text = b"audit(1700000000.123:45): pid=1 uid=0 end"
    with connect(AUDIT, socket=socket) as nl:
        socket.event(0, Record(text=text))
        socket.event(0, Record(text=b""))
        nl.join("notes")
        socket.event("notes", Record(text=text * 2))
        assert [event.text for event in nl.events()] == [text, b"", text * 2]


@BOTH
@pytest.mark.parametrize("family", [AUDIT, CONNECTOR], ids=lambda family: family.framing)
@pytest.mark.parametrize("group", [0, 1])
def test_a_datagram_with_unexpected_framing_never_fails_a_waiter(
    connect: Connect, family: Any, group: int
) -> None:
    def kernel(request: Any) -> Any:
        yield Datagram(b"\1\2\3", group=group)
        if family is AUDIT:
            yield ACK
            yield Datagram(b"\4" * 7, group=group)
            yield (RECORD.GET, Status(enabled=7))

    with connect(family, socket=Socket(kernel, family), timeout=10) as nl:
        nl.join("notes")
        if family is AUDIT:
            assert nl.do(status()).enabled == 7
        else:
            assert nl.do(tell()) is None
        for _ in range(2 if family is AUDIT else 1):
            with pytest.raises(DecodeError):
                list(nl.events())
        assert list(nl.events()) == []


def audited(request: Any) -> Any:
    """Answer a request with the values that it contains."""
    return [] if request.nlmsg_type == RECORD.SET else [(RECORD.GET, request)]


# --- traces ---------------------------------------------------------------------------------------


def test_traces_of_other_framings() -> None:
    seen: list[Traced] = []
    socket = Socket(lambda request: None, CONNECTOR)
    with Connection(CONNECTOR, socket=socket, trace=seen.append) as nl:
        nl.join("notes")
        nl.do(tell(number=5))
        socket.event("notes", Note(number=6))
        list(nl.events())
    assert [type(message) for each in seen for message in each.messages()] == [Note, Note]
    assert all("IDX_NOTE" in str(each) and "number  " in str(each) for each in seen)
    seen.clear()
    socket = Socket(lambda request: None, UEVENT)
    with Connection(UEVENT, socket=socket, trace=seen.append) as nl:
        nl.join("notes")
        socket.event("notes", Text(text=b"add@/x"))
        list(nl.events())
    (only,) = seen
    assert [message for message in only.messages()] == [Text(text=b"add@/x")]
    assert "TEXT" in str(only)
    seen.clear()
    socket = Socket(audited, AUDIT)
    with Connection(AUDIT, socket=socket, trace=seen.append) as nl:
        list(nl.do_many([record(), record()]))
        nl.do(status(enabled=1))
        socket.event(0, Record(text=b"audit(1)"))
        list(nl.events())
    assert [str(each).splitlines()[1].split()[0] for each in seen] == [
        "SET", "NLMSG_ERROR", "NLMSG_ERROR", "GET", "GET", "NLMSG_ERROR", "RECORD"]  # fmt: skip
    assert len([*seen[0].messages()]) == 2
    assert [*seen[4].messages()] == [Status(enabled=1)]
    assert [*seen[-1].messages()] == [Record(text=b"audit(1)")]
