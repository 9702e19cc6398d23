"""Target: datagrams of every family, parsed and shown as the library's users do.

The input chooses a family, then holds a datagram. Parsing gives each message of the framing once,
typed or raw, or DecodeError, and continues after it. A trace shows the same messages.
"""

from __future__ import annotations

from collections.abc import Iterator

import netlink
from netlink import DecodeError, Family, Message, RawMessage
from netlink.trace import Decoder, head_of, line_of
from tests import framed

from . import corpus
from .framing import Fault, outcome, pieces
from .messages import read
from .source import Ring, Source


def key(family: Family) -> str:
    """Return a name of a family that no other has; two may have one name in the kernel."""
    return f"{family.name} {family.types.__name__}"


FAMILIES = Ring(
    (key(family), family)
    for family in (*corpus.families(), framed.CONNECTOR, framed.UEVENT, framed.AUDIT)
)
BASE_MEMORY = 4 << 20  # bytes: the first message of a class imports its module


def seeds(datagrams: list[bytes]) -> Iterator[bytes]:
    """Yield known datagrams for the families that know them, and a few for all."""
    for position, data in enumerate(datagrams):
        for name, family in zip(FAMILIES.keys, known(), strict=True):
            try:
                is_ours = any(isinstance(m, Message) for m in netlink.parse(data, family))
            except DecodeError:
                is_ours = False
            if (is_ours and family.framing == "netlink") or position % 30 == 0:
                padded = data + bytes(-len(data) % 4)
                yield FAMILIES.keys[name] + b"\0" + padded
                if position % 5 == 0:
                    yield FAMILIES.keys[name] + b"\1" + padded * 2


def known() -> Iterator[netlink.Family]:
    """Yield the families in the order of the keys."""
    by_name = {key(family): family for family in FAMILIES.items}
    return (by_name[name] for name in FAMILIES.keys)


def run(data: bytes) -> None:
    """Check one datagram."""
    source = Source(data)
    family = FAMILIES.choose(source)
    is_shown = source.integer(1) & 1
    datagram = source.rest()
    expected = [*pieces(datagram, 0, len(datagram), family.framing)]
    found = outcome(netlink.parse(datagram, family))
    assert len(found) == len(expected)
    for each, piece in zip(found, expected, strict=True):
        if isinstance(each, Fault):
            if isinstance(piece, Fault):
                assert each == piece
            else:  # the framing of the message is right, and that of its content is not
                assert piece[0] <= each.offset <= piece[1]
            continue
        assert isinstance(each, Message | RawMessage) and not isinstance(piece, Fault)
        start, end = piece
        if isinstance(each, RawMessage):
            assert each.offset == start
            continue
        body = bytes(each)
        assert datagram[start:end].endswith(body) or family.framing == "connector"
        assert each.detach() == each
        assert line_of(head_of(each))
        if is_shown:
            read(each, Message.to_dict)
            assert repr(each)
    if is_shown:
        show(datagram, family, len(expected))


def show(datagram: bytes, family: netlink.Family, count: int) -> None:
    """Check that a trace shows all messages, and never raises."""
    decoder = Decoder([family], ids={family: family.id} if family.id is not None else None)
    for is_sent in (False, True):
        if family.framing == "audit" and is_sent:
            continue  # what is sent has the usual framing
        assert len([*decoder.messages(datagram, is_sent=is_sent)]) <= max(count, 1)
    assert str(decoder.traced("receive", datagram, own_port=1))
