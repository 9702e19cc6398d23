"""What must hold for every message of a family that was loaded from a spec."""

from __future__ import annotations

import json
from typing import Any

from netlink import Message
from netlink.ynl.spelling import arguments, spelled


def check_round_trip(op: Any, message: Message) -> None:
    """A message, the same from its bytes, from its values, and from the spelling of the spec."""
    again = op.request.from_bytes(bytes(message))
    assert again == message
    assert again.unknown == ()
    assert dict(again) == dict(message)
    assert op.request(**dict(message)).same_as(message)
    shown = json.loads(json.dumps(spelled(message)))
    assert op.request(**arguments(op.request, shown)).same_as(message)
    json.dumps(message.to_json())
    assert repr(message)
    assert message.pretty()
