"""EventBatch: the events of one receive, which event_batches() yields.

For consumers that count, gather or forward events: work is done for each batch, and not for each
message. This file takes what the engine stored; it neither waits nor receives.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from netlink._core import Column, Dispatch, Gather, Messages, Origin
from netlink.engine import Queue
from netlink.errors import Overrun
from netlink.schema import Message, MessageType

NLMSG_HDRLEN = 16
MOST_GATHERS = 16  # that are kept

__all__ = ["EventBatch", "batch_of"]


class EventBatch:
    """Consecutive events of one group, from one receive.

    Iterating yields the messages, once. columns() gathers fields of all of them without making
    messages. `origin` has the group and the network namespace.
    """

    __slots__ = ("_gathers", "_messages")

    def __init__(self, messages: Messages, gathers: dict[Any, Gather]) -> None:
        self._messages = messages
        self._gathers = gathers  # those of earlier batches, which columns() uses again

    @property
    def origin(self) -> Origin | None:
        """The multicast group and the network namespace."""
        return self._messages.origin

    def __len__(self) -> int:
        """Return the number of messages that were not read yet."""
        return self._messages.__length_hint__()

    def __iter__(self) -> Iterator[Any]:
        return self._messages

    def columns(self, cls: type[Message], *paths: str) -> dict[str, Column]:
        """Return the messages of a class as columns, one for each path; see Reply.columns().

        Messages of other classes are skipped. All messages count as read then. Raises LookupError
        for an unknown path, and TypeError if the connection has no events of the class.
        """
        if not isinstance(cls, MessageType):
            raise TypeError(f"columns() expects a message class first, as Route, got {cls!r}")
        messages = self._messages
        data, start, end = messages.rest()
        try:
            return self._gathered(cls, paths, data, start, end)
        except BaseException:  # then they do not count as read
            self._messages = Messages(data, messages.dispatch, start, end, messages.origin)
            raise

    def _gathered(
        self, cls: type[Message], paths: tuple[str, ...], data: bytes, start: int, end: int
    ) -> dict[str, Column]:
        dispatch, is_generic = self._messages.dispatch, False
        if end - start >= NLMSG_HDRLEN:
            family = dispatch.find(int.from_bytes(data[start + 4 : start + 6], sys.byteorder))
            if isinstance(family, Dispatch):  # generic: its commands
                dispatch, is_generic = family, True
        # To make a Gather takes as long as to feed it a hundred messages. A module that is imported
        # meanwhile may declare more messages of the class.
        key = dispatch, is_generic, cls, paths, len(sys.modules)
        gather = None
        with suppress(TypeError):  # a path that is not text: Gather says so
            gather = self._gathers.pop(key, None)  # another thread may want the same columns
        if gather is None:
            gather = Gather(cls.__table__, dispatch, *paths, is_generic=is_generic)
            if not gather.pick_count:
                raise TypeError(f"no event of this connection is a {cls.__name__}")
        gather.feed(data, start, end)
        columns = gather.finish()
        if len(self._gathers) >= MOST_GATHERS:
            self._gathers.clear()
        self._gathers[key] = gather
        return columns

    def __repr__(self) -> str:
        return f"<EventBatch of {len(self)} messages, {self.origin}>"


def check_unselected(queue: Queue) -> None:
    """Raise TypeError if a predicate has selected single events of a queue."""
    if queue.predicate is not None:
        raise TypeError(
            "event_batches() needs a subscription without a predicate: use events(), or select "
            "among the messages of each batch"
        )


def batch_of(gathers: dict[Any, Gather], taken: Any) -> Any:
    """Return what the engine gave as an EventBatch, or the Overrun that it is.

    `gathers` is a dict that all batches of a loop share.
    """
    if isinstance(taken, Messages):
        return EventBatch(taken, gathers)
    (item,) = taken
    assert isinstance(item, Overrun)
    return item
