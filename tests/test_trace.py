"""Tracing: the steps that a callable receives for a connection's datagrams, and their text.

These tests use scripted kernels and plain bytes. tests/kernel/test_trace.py uses the real kernel.
"""

from __future__ import annotations

import asyncio
import errno
import re
import struct
import sys
import threading
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlink import (
    Connection,
    DecodeError,
    Family,
    KernelError,
    KernelWarning,
    Message,
    RawMessage,
    aio,
)
from netlink import trace as trace_module
from netlink._transport import TracedSocket
from netlink.constants import NLM_F
from netlink.family import dispatch_of
from netlink.route import FAMILY as ROUTE
from netlink.route import link
from netlink.route.link import Link
from netlink.schema import string, u32
from netlink.testing import Datagram, Socket
from netlink.trace import Answer, Decoder, Traced

from . import wire
from .framed import CONNECTOR, IDX, TEXT, Note
from .plays import PLAY, PLAY_CMD, Play
from .plays import get as play_get
from .plays import kernel as play_kernel
from .things import BOXES, FAMILY, Thing, few, get, make, new

# What do() prints with trace=print: the port is 1, as there is no kernel to give one.
REQUEST = """\
port 1 -> kernel, 28 bytes
    GETTHING NLM_F_REQUEST|NLM_F_ACK seq 1 pid 0
        family  0
        number  2"""
MESSAGE = """\
port 1 <- kernel, 28 bytes
    NEWTHING seq 1 pid 1
        family  0
        number  2"""
ACK = """\
port 1 <- kernel, 36 bytes
    NLMSG_ERROR NLM_F_CAPPED seq 1 pid 1
        GETTHING acknowledged"""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETLINK_TRACE", raising=False)


class Seen(list[Traced]):
    """A callable that stores what it receives."""

    def __call__(self, seen: Traced) -> None:
        self.append(seen)

    @property
    def texts(self) -> list[str]:
        return [str(seen) for seen in self]


def connect(kernel: Any = few, *families: Any, **options: Any) -> tuple[Connection, Seen]:
    seen = Seen()
    families = families or (FAMILY,)
    socket = Socket(kernel, *families, datagrams=options.pop("datagrams", 16))
    return Connection(*families, socket=socket, trace=seen, **options), seen


def decoder() -> Decoder:
    return Decoder([FAMILY])


def received(*parts: bytes, by: Decoder | None = None, **details: Any) -> Traced:
    return (by or decoder()).traced("receive", b"".join(parts), own_port=1, **details)


# --- both drivers ---------------------------------------------------------------------------------


def ask_blocking(socket: Any, trace: Any) -> None:
    with Connection(FAMILY, socket=socket, trace=trace) as nl:
        nl.do(get(number=2))


def ask_asyncio(socket: Any, trace: Any) -> None:
    async def main() -> None:
        async with aio.Connection(FAMILY, socket=socket, trace=trace) as nl:
            await nl.do(get(number=2))

    asyncio.run(main())


DRIVERS = pytest.mark.parametrize("ask", [ask_blocking, ask_asyncio])


@DRIVERS
def test_each_datagram_is_shown_both_ways(ask: Any) -> None:
    seen = Seen()
    ask(Socket(few, FAMILY), seen)
    assert seen.texts == [REQUEST, MESSAGE, ACK]
    assert [s.direction for s in seen] == ["send", "receive", "receive"]
    assert [len(s.data) for s in seen] == [28, 28, 36]
    assert {s.own_port for s in seen} == {1}
    assert seen[0].time <= seen[1].time
    assert repr(seen[0]) == "<Traced port 1 -> kernel, 28 bytes>"


@DRIVERS
@pytest.mark.parametrize("value", ["1", "yes"])
def test_the_environment_asks_for_text_on_standard_error(
    ask: Any, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[str] = []
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(write=writes.append))
    monkeypatch.setenv("NETLINK_TRACE", value)
    ask(Socket(few, FAMILY), None)
    times = [text.partition(" ")[0] for text in writes]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", time) for time in times)
    # One write each, so that those of other threads do not come between the lines.
    assert [text.partition(" ")[2] for text in writes] == [
        f"{text}\n" for text in (REQUEST, MESSAGE, ACK)
    ]


@DRIVERS
def test_a_callable_wins_over_the_environment(
    ask: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NETLINK_TRACE", "1")
    seen = Seen()
    ask(Socket(few, FAMILY), seen)
    assert len(seen) == 3
    assert capsys.readouterr() == ("", "")


def test_without_standard_error_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLINK_TRACE", "1")
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "excepthook", lambda *_: pytest.fail("nothing was to be raised"))
    ask_blocking(Socket(few, FAMILY), None)


@pytest.mark.parametrize("value", [None, "", "0"])
@pytest.mark.parametrize("cls", [Connection, aio.Connection])
def test_off_is_the_bare_socket(
    cls: Any, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is not None:
        monkeypatch.setenv("NETLINK_TRACE", value)
    socket = Socket(few, FAMILY)
    assert cls(FAMILY, socket=socket)._socket is socket
    monkeypatch.setenv("NETLINK_TRACE", "1")
    assert type(cls(FAMILY, socket=socket)._socket) is TracedSocket


def test_the_rest_of_a_socket_is_its_own() -> None:
    nl, _ = connect()
    traced = nl._socket
    socket = traced._socket  # type: ignore[attr-defined]
    nl.join("thing")
    assert socket.groups == {1}
    nl.leave("thing")
    assert socket.groups == set()
    assert (traced.port, traced.rcvbuf, traced.closed) == (1, socket.rcvbuf, False)
    assert traced.fileno() == socket.fileno()
    nl.close()
    assert socket.closed
    assert nl.closed


# --- conversations --------------------------------------------------------------------------------


def test_an_error_names_the_attribute_though_the_request_is_not_quoted() -> None:
    nl, seen = connect()
    nl.do(get(number=1))
    with pytest.raises(KernelError):
        nl.do(get(number=9))
    assert seen.texts[-1].splitlines() == [
        "port 1 <- kernel, 64 bytes",
        "    NLMSG_ERROR NLM_F_CAPPED|NLM_F_ACK_TLVS seq 2 pid 1",
        "        GETTHING: number: no such thing (ENODEV)",
    ]
    (answer,) = seen[-1].messages()
    assert isinstance(answer, Answer)
    assert answer.error is not None
    assert (answer.error.errno, answer.error.path) == (errno.ENODEV, "number")
    assert answer.request.message == Thing(number=9)
    assert answer.raw.seq == 2


def test_nests_and_what_is_missing_have_their_path() -> None:
    def kernel(request: Any) -> None:
        raise KernelError(errno.EINVAL, "no", path="inner", missing="colour")

    nl, seen = connect(kernel, BOXES)
    with pytest.raises(KernelError):
        nl.do(make(name="b", inner={"size": 1}))
    assert seen.texts[-1].endswith("NEWTHING: inner: colour is missing: no (EINVAL)")


def test_a_warning_is_told() -> None:
    nl, seen = connect(lambda request: KernelWarning("deprecated"))
    with pytest.warns(KernelWarning):
        nl.do(get(number=2))
    assert seen.texts[-1].endswith("GETTHING acknowledged, with a warning: deprecated")
    (answer,) = seen[-1].messages()
    assert isinstance(answer, Answer)
    assert (answer.error, answer.warning) == (None, "deprecated")


def test_a_dump_and_its_end() -> None:
    nl, seen = connect()
    assert len(nl.dump(get()).all()) == 3
    request, answer = seen
    assert "    GETTHING NLM_F_REQUEST|0x300 seq 1 pid 0" in str(request)
    assert [m.number for m in answer.messages() if isinstance(m, Thing)] == [1, 2, 3]
    assert str(answer).splitlines()[-2:] == [
        "    NLMSG_DONE NLM_F_MULTI seq 1 pid 1",
        "        end of the dump",
    ]


def test_a_dump_that_fails_names_what_was_asked() -> None:
    nl, seen = connect()
    with pytest.raises(KernelError):
        nl.dump(get(number=9)).all()
    assert seen.texts[-1].splitlines()[1:] == [
        "    NLMSG_DONE NLM_F_MULTI|NLM_F_ACK_TLVS seq 1 pid 1",
        "        GETTHING: number: no such thing (ENODEV)",
    ]


def test_a_pipeline_is_one_datagram_and_each_answer_finds_its_request() -> None:
    nl, seen = connect()
    outcomes = [*nl.do_many([get(number=n) for n in (1, 8, 2, 9)])]
    assert isinstance(outcomes[3], KernelError)
    assert [s.direction for s in seen].count("send") == 1
    assert [m.number for m in seen[0].messages() if isinstance(m, Thing)] == [1, 8, 2, 9]
    answers = [m for s in seen[1:] for m in s.messages() if isinstance(m, Answer)]
    assert [a.request.message for a in answers] == [*seen[0].messages()]


def test_sends_of_a_thread_are_shown_when_it_gets_them() -> None:
    nl, seen = connect(lambda request: None)
    assert {*nl.do_many([new(number=n) for n in range(1200)], window=1024)} == {None}
    asked = [m.number for s in seen if s.direction == "send" for m in s.messages()]  # type: ignore[union-attr]
    assert asked == [*range(1200)]


def test_the_oldest_requests_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "REMEMBERED", 2)
    nl, seen = connect()
    [*nl.do_many([get(number=n) for n in (7, 8, 9)])]
    answers = [str(m) for s in seen for m in s.messages() if isinstance(m, Answer)]
    # The answer quotes only the header of the first request, so no attribute is known.
    assert answers == [
        "GETTHING: no such thing (ENODEV)",
        "GETTHING: number: no such thing (ENODEV)",
        "GETTHING: number: no such thing (ENODEV)",
    ]


def test_events_have_their_group() -> None:
    nl, seen = connect()
    socket = nl._socket._socket  # type: ignore[attr-defined]
    nl.join("other-thing", 3)
    socket.event("other-thing", Thing(number=5))
    socket.deliver(Datagram(wire.message(99), group=3))
    assert len([*nl.events(0)]) == 2
    assert [(s.group, s.group_name) for s in seen] == [(40, "other-thing"), (3, None)]
    assert str(seen[0]).startswith("port 1 <- kernel, group 40 other-thing, 28 bytes\n")
    assert str(seen[1]) == "port 1 <- kernel, group 3, 16 bytes\n    type 99 seq 1 pid 0"


def test_what_the_connection_drops_is_shown() -> None:
    nl, seen = connect(lambda request: Thing(number=2))
    forged = Datagram(wire.error(errno.EPERM, seq=1), port=77)
    nl._socket._socket.deliver(forged)  # type: ignore[attr-defined]
    assert nl.do(get(number=2)) == Thing(number=2)
    assert nl.stats.strangers == 1
    assert seen[1].port == 77
    assert str(seen[1]).startswith("port 1 <- port 77, 36 bytes\n    NLMSG_ERROR")


def test_an_overrun_is_shown() -> None:
    nl, seen = connect()
    nl._socket._socket.overrun()  # type: ignore[attr-defined]
    assert [str(event) for event in nl.events(0)] == [
        "the kernel dropped messages: the receive buffer was full (ENOBUFS)"
    ]
    (told,) = seen
    assert str(told) == (
        "port 1 <- kernel, the kernel dropped messages: the receive buffer was full (ENOBUFS)"
    )
    assert told.error is not None
    assert (told.error.errno, told.data, [*told.messages()]) == (errno.ENOBUFS, b"", [])


class Refusing(Socket):
    """A stream that accepts nothing."""

    def send(self, buffer: bytes, /, *, timeout: float | None = None) -> int:
        raise OSError(errno.EMSGSIZE, "Message too long")

    def begin_send(self, buffers: Iterable[bytes], /) -> None:
        pass

    def end_send(self) -> None:
        raise OSError(errno.EMSGSIZE, "Message too long")


@DRIVERS
def test_a_send_that_fails_is_told(ask: Any) -> None:
    seen = Seen()
    with pytest.raises(OSError, match="Message too long") as caught:
        ask(Refusing(few, FAMILY), seen)
    assert seen.texts == [REQUEST, f"port 1 -> kernel, not sent: {caught.value}"]
    assert str(seen[1].error) == str(caught.value)


def test_a_thread_s_send_that_fails_is_told() -> None:
    seen = Seen()
    nl = Connection(FAMILY, socket=Refusing(few, FAMILY), trace=seen)
    with pytest.raises(OSError, match="Message too long"):
        [*nl.do_many([new(number=1)] * 600, window=1024)]
    assert any(s.direction == "send" and s.error is not None for s in seen)
    assert len([*seen[0].messages()]) == 512


# --- the callable ---------------------------------------------------------------------------------


@DRIVERS
def test_what_the_callable_raises_costs_nothing(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda *details: raised.append(details))

    def fail(seen: Traced) -> None:
        raise RuntimeError(seen.direction)

    ask(Socket(few, FAMILY), fail)
    assert [str(error) for _, error, _ in raised] == ["send", "receive", "receive"]
    assert all(kind is RuntimeError and place is not None for kind, _, place in raised)


def test_nothing_is_decoded_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    nl, seen = connect()
    nl.do(get(number=2))
    asked: list[bytes] = []
    original = Decoder.messages

    def messages(self: Decoder, data: bytes, *, is_sent: bool = False) -> Any:
        asked.append(data)
        return original(self, data, is_sent=is_sent)

    monkeypatch.setattr(Decoder, "messages", messages)
    nl.do(get(number=3))
    assert asked == []
    [*seen[-1].messages()]
    assert asked == [seen[-1].data]


def test_threads_of_one_connection() -> None:
    nl, seen = connect()
    found: list[Any] = []

    def ask() -> None:
        found.extend(nl.do(get(number=n % 3 + 1)) for n in range(30))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 120
    assert None not in found
    assert [s.direction for s in seen].count("send") == 120
    answers = [m for s in seen for m in s.messages() if isinstance(m, Answer)]
    assert sorted(a.raw.seq for a in answers) == [*range(1, 121)]


# --- generic families -----------------------------------------------------------------------------


def test_generic_families_by_the_numbers_that_became_known() -> None:
    nl, seen = connect(play_kernel, PLAY)
    nl.join("events")
    nl.do(play_get(index=3))
    socket = nl._socket._socket  # type: ignore[attr-defined]
    socket.event("events", (PLAY_CMD.PLAY_CMD_NEW, Play(index=8)))
    [*nl.events(0)]
    names = [m.nlmsg_name for s in seen for m in s.messages() if isinstance(m, Message)]
    asked_for = ["CTRL_CMD_GETFAMILY", "CTRL_CMD_NEWFAMILY"]
    assert names == [*asked_for, "PLAY_CMD_GET", "PLAY_CMD_NEW", "PLAY_CMD_NEW"]
    request = next(s for s in seen if "PLAY_CMD_GET" in str(s))
    # The class of the request. The kernel's class of the same command is another one.
    assert [*request.messages()] == [play_get(index=3).message]
    assert str(seen[-1]).splitlines()[0].endswith("group 8192 play.events, 28 bytes")
    assert seen[-1].group_name == "play.events"


def test_an_error_of_a_generic_family() -> None:
    def kernel(request: Any) -> None:
        raise KernelError(errno.ERANGE, "too deep", path="inner.depth")

    nl, seen = connect(kernel, PLAY)
    with pytest.raises(KernelError):
        nl.do(play_get(index=1, inner={"depth": 9}))
    assert seen.texts[-1].endswith("        PLAY_CMD_GET: inner.depth: too deep (ERANGE)")


def test_what_quotes_a_forgotten_generic_request_is_the_family_s() -> None:
    by = Decoder([PLAY], dispatch=dispatch_of([PLAY.at(29)]), ids={PLAY: 29}, groups={})
    assert str(received(error_of(29), by=by)).endswith("        play: No such device (ENODEV)")


def error_of(type: int) -> bytes:
    quoted = wire.message(type, flags=5)
    return wire.message(2, (-errno.ENODEV).to_bytes(4, sys.byteorder, signed=True) + quoted,
                        flags=NLM_F.NLM_F_CAPPED)  # fmt: skip


# --- bytes ----------------------------------------------------------------------------------------


def test_a_quote_alone_is_enough_for_a_name() -> None:
    assert str(received(error_of(18))).endswith("        GETTHING: No such device (ENODEV)")
    assert str(received(error_of(77))).endswith("        type 77: No such device (ENODEV)")


def test_an_answer_to_another_s_request_is_not_taken_for_ours() -> None:
    by = decoder()
    by.remember(wire.message(18, bytes(Thing(number=1)), flags=5))
    assert str(received(error_of(18), by=by)).endswith("GETTHING: No such device (ENODEV)")
    assert str(received(error_of(16), by=by)).endswith("NEWTHING: No such device (ENODEV)")


def test_an_acknowledgement_that_quotes_nothing() -> None:
    text = str(received(wire.message(2, bytes(4))))
    assert text.splitlines()[2] == "        acknowledged"


def test_other_namespaces_and_what_was_cut() -> None:
    seen = received(wire.message(99), nsid=4, flags=0x20, group=1)
    assert str(seen).startswith("port 1 <- kernel, group 1 thing, nsid 4, 16 bytes, truncated\n")


def test_undeclared_types_are_shown_in_hex() -> None:
    seen = received(wire.message(99, bytes(range(17))))
    assert str(seen).splitlines() == [
        "port 1 <- kernel, 36 bytes",
        "    type 99 seq 1 pid 0",
        "        0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
        "        0010  10",
    ]
    (message,) = seen.messages()
    assert isinstance(message, RawMessage)


def test_what_cannot_be_decoded_is_shown_in_hex_with_the_reason() -> None:
    bad_attribute = wire.message(16, bytes(4) + b"\x03\x00\x01\x00")
    bad_value = wire.message(16, bytes(4) + wire.attribute(1, b"\x01"))
    no_errno = wire.message(2, b"\x01\x02")
    good = wire.message(16, bytes(Thing(number=1)))
    bad_length = b"\xff\xff\x00\x00" + bytes(12)
    seen = received(bad_attribute, bad_value, no_errno, good, bad_length)
    text = str(seen).splitlines()
    assert text[1].startswith(
        "    type 16 seq 1 pid 0: Thing: nla_len 3 of attribute 1 does not fit"
    )
    assert text[2] == "        0000  00 00 00 00 03 00 01 00"
    assert text[3].startswith("    NEWTHING seq 1 pid 0: Thing.number: ")
    assert text[4] == "        0000  00 00 00 00 05 00 01 00 01 00 00 00"
    assert text[5].startswith("    NLMSG_ERROR seq 1 pid 0: an error message without an errno")
    assert text[6] == "        0000  01 02"
    assert text[7:10] == ["    NEWTHING seq 1 pid 0", "        family  0", "        number  1"]
    assert text[10].startswith("    nlmsg_len 65535 does not fit")
    assert text[11] == "        0000  ff ff 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
    assert len(text) == 12
    kinds = [type(m) for m in seen.messages()]
    assert kinds == [DecodeError, Thing, DecodeError, Thing, DecodeError]


def test_connector_messages_that_cannot_be_decoded_are_shown_too() -> None:
    """Their framing, or a value: the trace of a connection goes on after either."""
    head = struct.pack("=IIIIHH", IDX.IDX_NOTE, 1, 0, 0, 4, 0)
    good = wire.message(3, head + struct.pack("=I", 5))
    short = wire.message(3, head)  # the length in its cn_msg announces more
    by = Decoder([CONNECTOR])
    seen = received(good, short, by=by)
    assert [type(item) for item in seen.messages()] == [Note, DecodeError]
    text = str(seen).splitlines()
    assert text[2] == "        number  5"
    assert text[3].startswith("    nlmsg_len 36 is too short for a struct cn_msg and the data")
    assert text[4].startswith("        0000  24 00 00 00")

    class Odd(Message):
        text: str | None = string(size=2)
        value: int | None = u32(1)

    family = Family("odd", protocol=15, framing="text", types=TEXT, messages={TEXT.TEXT: Odd})
    seen = received(b"ab" + bytes(2) + wire.attribute(1, b"\1"), by=Decoder([family]))
    text = str(seen).splitlines()
    assert text[1].startswith("    TEXT: Odd.value: wrong length for u32")
    assert text[2] == "        0000  61 62 00 00 05 00 01 00 01 00 00 00"


LINK_BYTES = bytes(Link(index=1, ifname="lo", linkinfo={"kind": "vlan", "data": {"id": 7}}))
WHOLE = wire.message(16, LINK_BYTES) + error_of(16) + wire.done(5) + wire.message(99, b"abc")


@given(st.data())
def test_whatever_came_there_is_a_text_of_it(data: st.DataObject) -> None:
    damaged = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    by = Decoder([ROUTE])
    by.remember(wire.message(16, LINK_BYTES, flags=5))
    for seen in (received(bytes(damaged[:cut]), by=by), received(bytes(damaged[cut:]), by=by)):
        assert str(seen).startswith(f"port 1 <- kernel, {len(seen.data)} bytes")
        assert bool([*seen.messages()]) == bool(seen.data)


def test_the_index_is_that_of_the_socket() -> None:
    class Told(Socket):
        def _receive(self, timeout: float | None) -> tuple[bytes, bytes]:
            return wire.receive(wire.message(99), wire.message(98, b"abc"), wire.message(97),
                                port=5, group=1, nsid=7, flags=0x20)  # fmt: skip

    seen = Seen()
    nl = Connection(FAMILY, socket=Told(few, FAMILY), trace=seen)
    given: list[Any] = []
    nl._socket.receive(None, given, 16)
    assert given == [Told(few, FAMILY).receive()]
    assert [s.data for s in seen] == [
        wire.message(99),
        wire.message(98, b"abc")[:20],
        wire.message(97),
    ]
    assert {(s.port, s.group, s.nsid, s.flags) for s in seen} == {(5, 1, 7, 0x20)}


def test_the_sample_of_the_module_is_what_is_printed() -> None:
    def kernel(request: Link) -> None:
        words = "greater than the device's maximum"
        raise KernelError(errno.EINVAL, words, path="mtu")

    nl, seen = connect(kernel, ROUTE)
    with pytest.raises(KernelError):
        nl.do(link.set(index=2, mtu=70000))
    sample = (trace_module.__doc__ or "").partition("\n\n    port ")[2]
    lines = f"port {sample}".rstrip().splitlines()
    shown = "\n".join(line.removeprefix("    ") for line in lines).replace("4711", "1")
    assert "\n".join(seen.texts) == shown
