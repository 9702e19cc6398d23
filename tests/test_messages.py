"""Properties of every declared message class, with values generated from the kinds.

The classes are found by walking the subclasses of Message that the package declares, so that a
new family is tested without a line here.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlink import DecodeError, EncodeError, Message
from netlink._core import Gather, stamp
from netlink.constants import AF
from netlink.route.link import Link
from tests.generated import CLASSES, column_paths, follow, messages

from . import wire
from .meanings import dispatch


def test_classes_are_found() -> None:
    names = {"Link", "Address", "Route", "Neighbour", "Ctrl", "TaskStats", "QuotaWarning"}
    assert names <= {cls.__name__ for cls in CLASSES}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_agreement_round_trip_and_truncation(cls: type[Message], data: st.DataObject) -> None:
    message = data.draw(messages(cls))
    body = bytes(message)
    # agreement: attribute access, iteration and a fresh view give one answer
    again = cls.from_bytes(body)
    pairs = dict(message)
    for name in cls.__table__.names:
        value = getattr(message, name)
        assert value == getattr(again, name)
        if name in pairs:
            assert pairs[name] == value
        else:
            assert value in (None, False, ())
    assert message.unknown == ()
    json.dumps(message.to_json())
    assert repr(message)
    # round trip: the values encode to bytes that decode to the same values, and those to the same
    # bytes; records contain their length, which encoding computes again
    if message.__class__.__name__ == "rtvia" and message.addr == b"":
        return  # an address of no bytes can be read, and belongs to no family
    first = cls(**dict(message))
    second = cls(**dict(first))
    assert bytes(first) == bytes(second)
    assert len(bytes(first)) == len(body) or not body  # an audit record of nothing reads as ""
    # columns agree, for every field that can have one
    paths = column_paths(cls)
    if paths and body[:1] != bytes([AF.AF_MPLS]):  # whose labels no column of addresses holds
        whole = stamp(16, 0, 0, 0, body)
        whole += bytes(-len(whole) % 4)
        gather = Gather(cls.__table__, dispatch({16: cls}), *paths)
        gather.feed(whole * 2, 0, 2 * len(whole))
        for path, column in gather.finish().items():
            assert [*column] == [follow(cls, message, path)] * 2
    # every truncation decodes or raises
    for cut in {data.draw(st.integers(0, max(len(body) - 1, 0))) for _ in range(5)}:
        try:
            cls.from_bytes(body[:cut]).to_dict()
        except DecodeError as error:
            assert error.path
            assert error.path.startswith(cls.__name__)
            assert error.offset is not None
            assert 0 <= error.offset <= cut


def shuffled(message: Message, data: st.DataObject) -> bytes:
    """Return the same message with its attributes in another order, and with more flags."""
    body = bytes(message)
    table = type(message).__table__
    found: dict[int, list[bytes]] = {}
    end = len(body)
    for kind, offset, length in message._walk():
        end = min(end, offset - 4)
        payload = body[offset : offset + length]
        field = next((f for f in table.fields if f.number == kind & 0x3FFF), None)
        if field is not None and field.kind_name == "nest":
            (inside,) = (view for _, view in message._below(kind, offset, length))
            payload = shuffled(inside, data)
        flags = data.draw(st.sampled_from([0, 0x4000, 0x8000]))
        found.setdefault(kind & 0x3FFF, []).append(wire.attribute(kind | flags, payload))
    numbers = data.draw(st.permutations([number for number in found for _ in found[number]]))
    return body[:end] + b"".join(found[number].pop(0) for number in numbers)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_same_as_is_a_comparison_of_meaning(cls: type[Message], data: st.DataObject) -> None:
    message = data.draw(messages(cls))
    again = cls.from_bytes(shuffled(message, data))
    assert message.same_as(again)
    assert again.same_as(message)
    assert message.to_dict() == again.to_dict()
    # a message with other values is not the same
    other = data.draw(messages(cls))
    assert message.same_as(other) == (message.to_dict() == other.to_dict())


BOUNDED = [
    pytest.param(cls, field, id=f"{cls.__name__}.{name}")
    for cls in CLASSES
    for name, field in cls.__table__.names.items()
    if field.kind_name == "string" and field.number is not None and field.size
]


@pytest.mark.parametrize(("cls", "field"), BOUNDED)
def test_a_longer_string_is_read_and_not_written(cls: type[Message], field: Any) -> None:
    most = field.size - 1
    assert getattr(cls(**{field.name: "x" * most}), field.name) == "x" * most
    with pytest.raises(EncodeError) as caught:
        cls(**{field.name: "x" * field.size})
    wanted = f"{cls.__name__}.{field.name}: {field.size} bytes exceed the limit of {most}"
    assert str(caught.value) == wanted
    assert caught.value.path == f"{cls.__name__}.{field.name}"
    longer = cls.__table__.header * b"\0" + wire.attribute(field.number, b"x" * 300)
    assert getattr(cls.from_bytes(longer), field.name) == "x" * 300


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"linkinfo": {"kind": "x" * 56}}, "Link.linkinfo.kind"),
        ({"linkinfo": {"kind": "veth", "data": {"peer": {"ifname": "x" * 16}}}},
         "Link.linkinfo.data.peer.ifname"),
        ({"prop_list": {"alt_ifname": ["short", "x" * 128]}}, "Link.prop_list.alt_ifname[1]"),
    ],
)  # fmt: skip
def test_the_path_to_a_string_that_is_too_long(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(EncodeError, match="exceed the limit") as caught:
        Link(**fields)
    assert caught.value.path == path
