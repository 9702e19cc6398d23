"""Target: NLMSG_ERROR and NLMSG_DONE messages with extended ACKs, and policies as text.

The input chooses an op, then holds the request and the answer. Whatever the extended ACK holds, the
errno must be the kernel's and the error must have a text. A trace of the same bytes never raises.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator
from typing import Any

from netlink import DecodeError, KernelError, Message
from netlink._core import INDEX_FORMAT, runs, stamp
from netlink.constants import NLM_F, NLMSG
from netlink.extack import Policy, status
from netlink.family import Op, Request
from netlink.generic.nlctrl import Ctrl, OpPolicy, Policies
from netlink.trace import Answer, Decoder

from . import corpus
from .messages import within
from .source import Ring, Source, chunk

NLMSG_HDRLEN = 16
SEQ, PORT = 7, 99
FLAGS = (
    NLM_F.NLM_F_ACK_TLVS,
    NLM_F.NLM_F_ACK_TLVS | NLM_F.NLM_F_CAPPED,
    NLM_F(0),
    NLM_F.NLM_F_ACK_TLVS | NLM_F.NLM_F_MULTI,
)
LONG = 4096  # characters of a text without what the kernel sent
LINE = 400  # characters of a line about one policy

OPS = Ring(
    (f"{family.name} {op.name}", op)
    for family in corpus.families()
    for op in family.ops.values()
    if family.framing == "netlink"  # the kernel reports errors in no other framing
)
MODES = ("error", "done", "raw", "policy")


def seeds(datagrams: list[bytes]) -> Iterator[bytes]:
    """Yield inputs with errors about known messages, and policies."""
    by_class: dict[type[Message], list[Op[..., Any, Any]]] = {}
    for op in OPS.items:
        by_class.setdefault(op.request, []).append(op)
    policy = attribute(1, b"\4\0\0\0") + attribute(4, bytes(8)) + attribute(5, b"\x09" * 8)
    acks = [
        attribute(1, b"no\0") + attribute(2, struct.pack("=I", 36)),
        attribute(1, b"no\0") + attribute(5, b"\3\0\0\0") + attribute(6, struct.pack("=I", 52)),
        attribute(2, struct.pack("=I", 32)) + attribute(3, b"cookie")
        + attribute(4, policy),
    ]  # fmt: skip
    inner = {
        1: Policy(type=4, min_value_u=1, max_value_u=9),
        2: Policy(type=13, policy_idx=1),
    }
    known = Ctrl(policy={0: inner, 1: inner}, op_policy={3: OpPolicy(do=0, dump=1)})
    yield b"\3" + bytes(6) + bytes(known)
    for position, message in enumerate(corpus.messages(datagrams)):
        if isinstance(message, Ctrl):
            yield b"\3" + bytes(6) + bytes(message)
        for op in by_class.get(type(message), ())[:1]:
            for mode in (0, 1):
                head = bytes([mode, position % len(FLAGS)]) + OPS.keys[f"{family_of(op)} {op.name}"]
                yield head + struct.pack("<B", 22) + chunk(bytes(message)) + acks[position % 3]


def family_of(op: Op[..., Any, Any]) -> str:
    assert op.family is not None
    return op.family.name


def attribute(number: int, payload: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(payload), number) + payload + bytes(-len(payload) % 4)


def attributes_at(data: bytes) -> int:
    """Return where the attributes of the extended ACK begin."""
    if MODES[data[0] % len(MODES) if data else 0] == "policy":
        return 7
    return 9 + int.from_bytes(data[7:9], "little")


def run(data: bytes) -> None:
    """Check one answer."""
    source = Source(data)
    mode = MODES[source.below(len(MODES))]
    flags = FLAGS[source.below(len(FLAGS))]
    op = OPS.choose(source)
    code = source.integer(1)
    if mode == "policy":
        check_policies(source.rest())
        return
    body = source.chunk()
    try:
        request = Request(op, op.request.from_bytes(body))
    except DecodeError:
        return
    rest = source.rest()
    payload = rest
    type = NLMSG.NLMSG_DONE if mode == "done" else NLMSG.NLMSG_ERROR
    if mode != "raw":
        payload = struct.pack("=i", -code)
        if mode == "error":
            quoted = struct.pack("=IHHII", NLMSG_HDRLEN + len(body), op.type, 5, SEQ, PORT)
            is_capped = flags & NLM_F.NLM_F_CAPPED
            payload += quoted + (b"" if is_capped else body + bytes(-len(body) % 4))
        payload += rest
    message = stamp(type, flags, SEQ, PORT, payload)
    check_status(message, payload, request)
    check_trace(message, body, op, payload)


def check_status(message: bytes, payload: bytes, request: Request[Any, Any]) -> None:
    """Check that the status has the errno of the wire, and texts."""
    (answer,) = runs(message, struct.pack(INDEX_FORMAT, 0, len(message), 0, 0, -1, 0))
    error, warning = status(answer, request)
    if len(payload) < 4:
        assert warning is None and (error is None or isinstance(error, DecodeError))
        return
    (code,) = struct.unpack_from("=i", payload)
    if code >= 0:
        assert error is None and (warning is None or isinstance(warning, str))
        return
    assert isinstance(error, KernelError) and error.errno == -code and warning is None
    check_error(error, request)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and (again.errno, again.path) == (error.errno, error.path)


def check_error(error: KernelError, request: Request[Any, Any]) -> None:
    """Check the text of an error, and that its path leads into the request."""
    text = str(error)
    assert 0 < len(text) <= LONG + len(error.message or "") + len(error.path or "")
    assert repr(error)
    assert error.path is None or error.path.partition(".")[0].partition("[")[0] in {
        *type(request.message).__table__.names,
        *(f"#{number}" for number, _ in request.message.unknown),
    }


def check_trace(message: bytes, body: bytes, op: Op[..., Any, Any], payload: bytes) -> None:
    """Check that a decoder shows the answer, with and without the request."""
    family = op.family
    assert family is not None
    family = next(known for known in corpus.families() if known.name == family.name)
    ids = {family: family.id} if family.id is not None else None
    decoder = Decoder([family], ids=ids)
    for is_known in (False, True):
        if is_known:
            number = op.type if family.id is None else family.id
            head = b"" if family.id is None else bytes((op.type, 1, 0, 0))
            decoder.remember(stamp(number, NLM_F.NLM_F_REQUEST, SEQ, PORT, head + body))
        found = [item for _, item in decoder.messages(message)]
        assert len(found) == 1
        assert isinstance(found[0], DecodeError if len(payload) < 4 else Answer) or (
            isinstance(found[0], Answer) and len(payload) < 4
        )
        assert str(decoder.traced("receive", message, own_port=PORT))


def check_policies(body: bytes) -> None:
    """Check that policies have a text that is not much longer than the message."""
    try:
        message = Ctrl.from_bytes(body)
        policies = Policies(dict(message.policy or {}), dict(message.op_policy or {}))
        for policy in (each for each in within(message) if isinstance(each, Policy)):
            assert len(str(policy)) <= LINE
        text = policies.pretty()
    except DecodeError:
        return
    assert len(text) <= LINE * (1 + len(body)), f"{len(text)} characters for {len(body)} bytes"
