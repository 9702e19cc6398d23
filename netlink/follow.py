"""What follow() and Mirror do, sans-I/O: dump parts and events in, changes out; and merge().

Following is the state machine. A connection joins the groups, sends the dump when Following wants
it, and hands over what arrives. Nothing in this file waits, sends or receives, and nothing in it
knows a particular family: the ops declare how their objects are followed (family.Follow). It exists
so that the policy is written once for both connections.

What it knows of the kernel, in addition to what the families declare:

| fact                                                         | so                                |
|--------------------------------------------------------------|-----------------------------------|
| a part of a dump may be queued after an event that is newer  | what an event said since the dump |
|   than the part's entries (netlink_dump drops the lock)      |   was requested beats its entries |
| an event may be older than the dump that was read before it  | it is applied all the same: each  |
|                                                              |   later change has its own event  |
| NLM_F_DUMP_INTR says that a dump may lack objects            | another dump is requested         |
| after ENOBUFS events are missing                             | another dump is requested         |
| some events are not sent to the socket whose request caused  | events have a socket of their own |
|   them (do_one_broadcast, nlmsg_notify)                      |                                   |
| events on the socket of a dump delay its parts, and its      | dumps have a socket of their own  |
|   parts take the room of events                              |                                   |
| an event may precede the change that it announces            | `fence`: see family.Follow        |
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from time import monotonic
from types import TracebackType
from typing import (
    Any,
    Generic,
    Literal,
    NamedTuple,
    NoReturn,
    Protocol,
    Self,
    TypeVar,
    overload,
)

from netlink._core import Dispatch, Messages, Table
from netlink._pipeline import can_dump, check_timeout, wrong_request
from netlink.constants import NLM_F
from netlink.engine import Stats
from netlink.errors import DecodeError, DumpInterrupted, KernelError, NetlinkError, Overrun
from netlink.family import Family, Follow, Request, anything
from netlink.schema import Message

__all__ = ["Change", "Changes", "Following", "Mark", "Mirror", "MirrorBase", "Rounds"]

D = TypeVar("D", bound=Message)
D_co = TypeVar("D_co", bound=Message, covariant=True)

Kind = Literal["snapshot", "new", "change", "delete"]

# Kinds whose bytes differ if the values do, and only then.
DEFINITE = {
    "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "be16", "be32", "be64", "address",
}  # fmt: skip
BYTE_ORDER = sys.byteorder
NLA_TYPE_MASK = 0x3FFF  # linux/netlink.h
REPLACE, CREATE = int(NLM_F.NLM_F_REPLACE), int(NLM_F.NLM_F_CREATE)
ABSENT = b"\xff\xff"  # in a key, in place of the length of an attribute
FIRST, LONGEST = 0.01, 1.0  # seconds before another dump, if several in a row were not enough
AT_ONCE = 3  # dumps in a row without a pause
TRANSIENT = (errno.ENOBUFS, errno.EBUSY, errno.EAGAIN)  # errors of a dump that a later one may lack
PATIENCE = 20  # how many dumps in a row may fail with one of these
TURN = 64  # events of one source of merge(), after which the others get a turn


class Change(Generic[D_co]):
    """A difference of one object.

    | kind       | `message`                                         | `old`                       |
    |------------|---------------------------------------------------|-----------------------------|
    | "snapshot" | the object as a dump has it                       | what was known before, or   |
    |            |                                                   | None                        |
    | "new"      | the new object                                    | None                        |
    | "change"   | the object as it is now                           | the object as it was        |
    | "delete"   | the event that reports the end, or the old object | the object as it was        |
    |            | if no event did                                   |                             |

    It can be unpacked: `kind, message, old = change`.
    """

    __slots__ = ("kind", "message", "old")
    __match_args__ = ("kind", "message", "old")

    def __init__(self, kind: Kind, message: D_co, old: D_co | None = None) -> None:
        self.kind: Kind = kind
        self.message = message
        self.old = old

    def __iter__(self) -> Iterator[Any]:
        return iter((self.kind, self.message, self.old))

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Change) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Change({self.kind!r}, {self.message!r}, {self.old!r})"


class Mark:
    """A place in the stream of follow().

    "begin": a snapshot begins. `cause` is the Overrun, DumpInterrupted or other error that made it
    necessary; None for the first. "synced": the snapshot is complete, and the changes since it was
    requested are applied. Marks of one kind are equal, whatever their cause.
    """

    __slots__ = ("cause", "kind")
    __match_args__ = ("kind",)

    def __init__(self, kind: Literal["begin", "synced"], cause: NetlinkError | None = None) -> None:
        self.kind: Literal["begin", "synced"] = kind
        self.cause = cause

    def __eq__(self, other: object) -> bool:
        return self.kind == other.kind if isinstance(other, Mark) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.kind)

    def __repr__(self) -> str:
        return (
            f"Mark({self.kind!r})" if self.cause is None else f"Mark({self.kind!r}, {self.cause!r})"
        )


class Changes(Sequence[Change[D]]):
    """What Mirror.update() returns: a sequence with one Change of kind "new", "change" or "delete"
    for each object that differs from before.

    The changes are made when they are read, so that the first million costs little memory.
    """

    __slots__ = ("_added", "_changed", "_removed", "_view")

    def __init__(
        self,
        view: Callable[[bytes], D],
        added: list[bytes],
        changed: list[tuple[bytes, bytes]],
        removed: list[bytes],
    ) -> None:
        self._view = view
        self._added = added
        self._changed = changed
        self._removed = removed

    @property
    def added(self) -> list[D]:
        """The objects that are new."""
        return [self._view(record) for record in self._added]

    @property
    def changed(self) -> list[Change[D]]:
        """The changes of objects that existed before; `old` is the object as it was."""
        return [self._change(old, new) for old, new in self._changed]

    @property
    def removed(self) -> list[D]:
        """The objects that are gone, as they were."""
        return [self._view(record) for record in self._removed]

    def _change(self, old: bytes | None, new: bytes | None) -> Change[D]:
        if old is None:
            assert new is not None
            return Change("new", self._view(new))
        before = self._view(old)
        return (
            Change("delete", before, before)
            if new is None
            else Change("change", self._view(new), before)
        )

    def __len__(self) -> int:
        return len(self._added) + len(self._changed) + len(self._removed)

    def __iter__(self) -> Iterator[Change[D]]:
        for record in self._added:
            yield self._change(None, record)
        for old, new in self._changed:
            yield self._change(old, new)
        for record in self._removed:
            yield self._change(record, None)

    @overload
    def __getitem__(self, place: int) -> Change[D]: ...
    @overload
    def __getitem__(self, place: slice) -> list[Change[D]]: ...
    def __getitem__(self, place: int | slice) -> Change[D] | list[Change[D]]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        if at < len(self._added):
            return self._change(None, self._added[at])
        at -= len(self._added)
        if at < len(self._changed):
            return self._change(*self._changed[at])
        return self._change(self._removed[at - len(self._changed)], None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Changes, list)):
            return NotImplemented
        return [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"<Changes: {len(self._added)} added, {len(self._changed)} changed, "
            f"{len(self._removed)} removed>"
        )


# --- wrong calls ----------------------------------------------------------------------------------


def declared(request: Any, families: Iterable[Family], verb: str) -> Follow:
    """Return how the objects of a request are followed. Raises TypeError for a wrong call."""
    if type(request) is not Request:
        error = wrong_request(verb, request)
        if "a request or a plan" in str(error):
            error = TypeError(f"{verb}() expects a request that dumps, got {request!r}")
        raise error
    op = request.op
    if not can_dump(op):
        raise TypeError(
            f"{verb}() got {op.name}, which cannot be dumped; it needs a request that lists "
            f"objects, such as link.get()"
        )
    if op.family is None or op.family not in [*families]:
        name = None if op.family is None else op.family.name
        known = ", ".join(family.name for family in families)
        raise TypeError(
            f"{verb}() got {op.name} of family {name!r}, but the connection has: {known}"
        )
    if op.follow is None:
        raise TypeError(
            f"{verb}() cannot follow {op.name}, because the op does not declare how: pass "
            f"follow=Follow(groups=..., key=...) to Op({op.name!r}, ...); see netlink.Follow"
        )
    follow: Follow = op.follow
    return follow


def selection(request: Request[Any, Any], follow: Follow, verb: str) -> list[Any]:
    """Return what the objects of a request must have, as (field, value, test or None).

    Raises TypeError for a field that cannot be compared with events.
    """
    found = []
    for field, value in request.message._items():
        name = field.name
        if field.number is None and not value:
            continue  # a header member that is not set
        if name not in follow.select:
            known = ", ".join(follow.select) or "nothing"
            raise TypeError(
                f"{verb}({request.op.name}(...)) cannot select by {name!r}, because events cannot "
                f"be compared with it; it can select by: {known}. Select in Python instead"
            )
        found.append((name, value, follow.select[name]))
    return found


def groups_of(request: Request[Any, Any], follow: Follow, verb: str) -> tuple[str | int, ...]:
    """Return the groups to join for a request."""
    family = int(getattr(request.message, "family", 0) or 0)
    groups = follow.groups
    if family in groups:
        return groups[family]
    if len(groups) > 1 or 0 not in groups:
        known = ", ".join(str(number) for number in groups)
        raise TypeError(
            f"{verb}({request.op.name}(family={family})): no events are declared for this address "
            f"family; there are some for: {known}"
        )
    return groups[0]


def wrong_mirror(given: Any, other: str) -> TypeError:
    """Return the error for a mirror of something else than its kind of connection."""
    hint = f"; use {other}" if type(given).__name__ == "Connection" else ""
    return TypeError(f"Mirror() expects a connection and a request, got {given!r}{hint}")


def check_sources(
    sources: tuple[Any, ...], kinds: tuple[type, ...], verb: str, other: str
) -> list[tuple[Any, Any]]:
    """Return the sources of a merge(), each with its label. Raises TypeError or ValueError."""
    if len(sources) == 1 and isinstance(sources[0], Mapping):
        found = [*sources[0].items()]
    else:
        found = [(source, source) for source in sources]
    if not found:
        raise TypeError(f"{verb}() expects connections or subscriptions: {verb}(nl1, nl2)")
    for _, source in found:
        if not isinstance(source, kinds):
            hint = ""
            if isinstance(source, list | tuple):
                hint = f"; write {verb}(*sources)"
            elif type(source).__name__ in ("Connection", "Subscription"):
                hint = f"; use {other}"
            raise TypeError(f"{verb}() expects connections or subscriptions, got {source!r}{hint}")
    if len({id(source) for _, source in found}) < len(found):
        raise ValueError(f"{verb}() got the same source twice")
    return found


# --- records --------------------------------------------------------------------------------------


class Shape:
    """Takes messages of one class apart: into the bytes of their key, and into records.

    A record is a message with its headers, as bytes of its own. A Mirror holds records, because a
    message object takes 72 bytes more, and keeps its whole receive buffer in memory.
    """

    __slots__ = (
        "_attributes",
        "_compared",
        "_definite",
        "_empty",
        "_ignore",
        "_members",
        "_skipped",
    )

    def __init__(self, table: Table, key: Iterable[str], ignore: tuple[str, ...]) -> None:
        self._ignore = ignore
        fields = [field for name, field in table.names.items() if name not in ignore]
        # Header members that are compared, and attributes: those that are not, and those that
        # differ in meaning if they differ in bytes.
        self._compared = [
            (f.offset, f.offset + f.size if f.size else None) for f in fields if f.number is None
        ]
        self._skipped = {table.names[name].number for name in ignore if name in table.names}
        self._definite = {f.number for f in fields if f.kind_name in DEFINITE}
        self._members: list[tuple[int, int]] = []
        self._attributes: dict[int, int] = {}
        for name in key:
            field = table.names[name]
            if field.number is None:
                self._members.append((field.offset, field.offset + field.size))
            else:
                self._attributes[field.number] = len(self._attributes)
        self._empty = [ABSENT] * len(self._attributes)

    def key_of(self, message: Message) -> bytes:
        """Return the key of a message."""
        body = bytes(message)
        parts = [body[start:end] for start, end in self._members]
        if not self._attributes:
            return b"".join(parts)
        found = self._empty.copy()
        numbers = self._attributes
        for number, offset, length in message._walk():
            place = numbers.get(number & NLA_TYPE_MASK)
            if place is not None and found[place] is ABSENT:
                found[place] = length.to_bytes(2, "big") + body[offset : offset + length]
        return b"".join(parts + found)

    def is_alike(self, one: Message, two: Message) -> bool:
        """Whether two messages mean the same, apart from the fields that change without events.

        It is what same_as() says; most messages are told apart by a few bytes.
        """
        bodies = bytes(one), bytes(two)
        if any(bodies[0][a:b] != bodies[1][a:b] for a, b in self._compared):
            return False
        parts = self._parts(one, bodies[0]), self._parts(two, bodies[1])
        if parts[0] == parts[1]:
            return True
        for number in parts[0].keys() | parts[1].keys():
            if number in self._definite and parts[0].get(number) != parts[1].get(number):
                return False
        return one.same_as(two, ignore=self._ignore)

    def _parts(self, message: Message, body: bytes) -> dict[int, list[bytes]]:
        """Return the attributes that are compared."""
        parts: dict[int, list[bytes]] = {}
        for number, offset, length in message._walk():
            number &= NLA_TYPE_MASK
            if number not in self._skipped:
                parts.setdefault(number, []).append(body[offset : offset + length])
        return parts


def record_of(message: Message) -> bytes:
    """Return a message with its headers as bytes."""
    parts: Any = message.__reduce__()[1]
    return parts[2] + parts[1]  # type: ignore[no-any-return]


def merged(old: bytes, update: bytes, one: Message, two: Message) -> bytes:
    """Return the record `old` with the attributes of the record `update`. `one` and `two` are the
    same as messages."""
    bodies = bytes(one), bytes(two)
    skipped = len(old) - len(bodies[0])
    start = min(
        [offset - 4 for each in (one, two) for _, offset, _ in each._walk()],
        default=len(bodies[1]),
    )
    pieces: dict[int, list[bytes]] = {}
    for message, body in zip((one, two), bodies, strict=True):
        fresh: dict[int, list[bytes]] = {}
        for number, offset, length in message._walk():
            piece = body[offset - 4 : offset + length]
            fresh.setdefault(number & NLA_TYPE_MASK, []).append(piece + bytes(-length % 4))
        pieces.update(fresh)
    content = bodies[1][:start] + b"".join(piece for each in pieces.values() for piece in each)
    headers = bytearray(update[:skipped])
    headers[0:4] = (skipped + len(content)).to_bytes(4, BYTE_ORDER)
    return bytes(headers) + content


# --- the state machine ----------------------------------------------------------------------------

Bucket = bytes | tuple[bytes, ...]  # the record of a key, or several


class Following(Generic[D]):
    """The state of one follow() or Mirror.

    A connection does what `wants_dump` says, after `delay` seconds: it calls begin() and sends the
    dump, hands its messages to entries() and its end to end(). It hands events to feed(). Both may
    alternate in any way. take() returns what is to be handed out.

    With `is_mirror`, changes are collected by key until differences() is called.
    """

    def __init__(
        self,
        request: Request[Any, D],
        families: Iterable[Family],
        verb: str = "follow",
        *,
        is_mirror: bool = False,
    ) -> None:
        follow = declared(request, families, verb)
        self.request = request
        self.follow = follow
        self.cls: Any = request.op.dump
        self.groups = groups_of(request, follow, verb)
        self._selection = selection(request, follow, verb)
        # Whether other objects can have the key of a selected one.
        self._is_partial = any(
            name not in follow.key for name, _, test in self._selection if test is not anything
        )
        self._shape = Shape(self.cls.__table__, follow.key, follow.ignore)
        self._start = request.op.envelope  # of the body in a record
        self._dispatches: dict[int, Dispatch] = {}
        self.table: dict[bytes, Bucket] = {}
        self.count = 0
        self.indexes: dict[str, Index] = {}
        self.cause: NetlinkError | None = None  # why the next snapshot is necessary
        self.is_synced = False  # the last snapshot was complete
        self._items: list[Change[D] | Mark] = []
        self._is_mirror = is_mirror
        self._family: Any = request.op.family
        # The buckets as they were at the last call of differences(); None: all were empty.
        self._dirty: dict[bytes, Bucket | None] | None = None
        # What is to be dumped, if anything: a snapshot, or a repair, which shows differences only.
        self.wanted: Literal["snapshot", "repair"] | None = "snapshot"
        self._running: Literal["snapshot", "repair"] | None = None
        self._attempts = 0  # dumps in a row that were not enough
        self._failures = 0  # dumps in a row that failed
        # From the request for a dump until all events of that time were read, events may be older
        # than what the dump has. A replacement may then have concerned another object of the key.
        self._is_early = False
        self._risky: set[bytes] = set()  # keys of such replacements
        self._crowded: set[bytes] = set()  # keys that had several objects during that time
        self._forget()

    def _forget(self) -> None:
        """Forget what matters during one dump only."""
        self._is_lossy = False  # events were lost since the dump was requested
        self._is_doubtful = False  # another dump is necessary
        self._had_objects = bool(self.table)
        # Keys to the number of records, the first ones, that the dump or an event has confirmed.
        self._confirmed: dict[bytes, int] = {}
        self._touched: set[bytes] = set()  # keys of objects that an event has confirmed
        self._gone: dict[bytes, list[bytes]] = {}  # records that an event has deleted
        # Keys of which an event replaced one object, to the number of different ones in the dump.
        self._replaced: dict[bytes, int] = {}
        self._updates: dict[bytes, bytes] = {}  # what is to be merged into entries of the dump

    # --- for the connections ---

    @property
    def is_dumping(self) -> bool:
        """Whether a dump was begun and has not ended."""
        return self._running is not None

    @property
    def wants_dump(self) -> bool:
        """Whether a dump is to be requested."""
        return self.wanted is not None and self._running is None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is to be dumped, as far as is known."""
        return self.wanted is None and self._running is None

    @property
    def is_idle(self) -> bool:
        """Whether there was a snapshot, and no dump is running."""
        return self._running is None and (self.is_synced or self._attempts >= AT_ONCE)

    @property
    def is_hurried(self) -> bool:
        """Whether changes come faster than dumps."""
        return self._attempts >= AT_ONCE

    @property
    def delay(self) -> float:
        """The seconds to wait for events before the next dump."""
        late = self._attempts - AT_ONCE
        return 0.0 if late < 0 else min(LONGEST, FIRST * 2 ** min(late, 10))

    def begin(self) -> None:
        """Note that the dump is requested now: later events beat its entries."""
        assert self.wanted is not None
        self._running, self.wanted = self.wanted, None
        self._forget()
        self._is_early = True
        if self._running == "snapshot":
            self.is_synced = False
            self._mark(Mark("begin", self.cause))
            self.cause = None

    def entries(self, messages: Iterable[Any]) -> None:
        """Accept entries of the dump."""
        for message in messages:
            if self._concerns(message):
                self._entry(message)

    def end(self, error: BaseException | None = None) -> None:
        """Accept the end of the dump. Raises an error that another dump would have too."""
        assert self._running is not None
        running, self._running = self._running, None
        if error is not None and not isinstance(error, DumpInterrupted):
            self._attempts += 1
            self._failures += 1
            self.wanted = running
            is_transient = isinstance(error, Overrun) or (
                isinstance(error, KernelError) and error.errno in TRANSIENT
            )
            if not is_transient or self._failures >= PATIENCE:
                raise error
            if isinstance(error, Overrun):
                self.cause = error
            return
        self._failures = 0
        if error is not None or self._is_lossy:
            self._attempts += 1
            if self._is_lossy:
                running = "snapshot"
            elif running == "snapshot":
                self.cause = error
            self.wanted = running
            return
        self._sweep()
        if self._is_doubtful:
            self._attempts += 1
            self.wanted = "repair"
        if not self.is_synced and (not self._is_doubtful or self._attempts >= AT_ONCE):
            self.is_synced = True
            self._mark(Mark("synced"))
        if not self._is_doubtful:
            self._attempts = 0
        self._forget()

    def feed(self, events: Iterable[Any]) -> None:
        """Accept events. One that cannot be decoded counts as lost."""
        events = iter(events)
        while True:
            try:
                for event in events:
                    self._event(event)
                return
            except DecodeError as error:
                self.lose(error)

    def drained(self) -> None:
        """Note that there are no more events at the moment."""
        if self._is_early and self.is_settled:
            self._is_early = False
            self._risky.clear()
            self._crowded.clear()

    def lose(self, cause: NetlinkError) -> None:
        """Note that events are missing at this place of the stream."""
        self.cause = cause
        if self._running is not None:
            self._is_lossy = True
        else:
            self.wanted = "snapshot"
        self.is_synced = False

    def repair(self) -> None:
        """Have the objects dumped again, because events do not tell enough."""
        if self._running is not None:
            self._is_doubtful = True
        elif self.wanted is None:
            self.wanted = "repair"

    def take(self) -> list[Change[D] | Mark]:
        """Return what is to be handed out, and forget it."""
        items, self._items = self._items, []
        return items

    # --- messages ---

    def _concerns(self, message: Any) -> bool:
        """Whether a message describes an object of the kind that is followed."""
        only = self.follow.only
        return type(message) is self.cls and (only is None or only(message))

    def _selects(self, message: Any) -> bool:
        """Whether the request would return an object."""
        for name, value, test in self._selection:
            if test is None:
                if getattr(message, name) != value:
                    return False
            elif not test(message, self.request.message):
                return False
        return True

    def _event(self, message: Any) -> None:
        if isinstance(message, Overrun):
            self.lose(message)
            return
        follow = self.follow
        kind = getattr(message, "genl_cmd", None)
        if kind is None:
            kind = getattr(message, "nlmsg_type", None)
        if kind in follow.also:
            test = follow.also[kind]
            if test is None or (isinstance(message, Message) and test(message)):
                self.repair()
        elif not follow.new:
            self.repair()
        if kind in follow.delete:
            if self._concerns(message):
                self._delete(message)
        elif kind in follow.new and self._concerns(message):
            self._new(message)

    def _new(self, message: Any) -> None:
        """An event about an object that exists."""
        key = self._shape.key_of(message)
        record = record_of(message)
        flags = message.nlmsg_flags
        bucket = self._bucket(key)
        if not self.follow.whole and not flags & CREATE:
            record, message = self._merge_update(key, record, message, bucket)
        elif self._running is not None and not self.follow.whole:
            self._updates.pop(key, None)
            self._touched.add(key)
        if not self._selects(message):
            self._leave(key, bucket, message, flags)
            return
        if not self.follow.several:
            self._put(key, bucket, 0 if bucket else None, record, message)
            return
        place = self._find(bucket, record, message)
        if flags & REPLACE and (
            len(bucket) > 1 or (bucket and (self._is_partial or key in self._crowded))
        ):
            self.repair()  # the kernel does not say which one it replaced
            if place is None:
                return
        if place is None and bucket:
            if flags & REPLACE:
                place = 0
            elif not self._is_separate(message):
                self._crowded.add(key)
                self.repair()
                return
        if flags & REPLACE and self._is_early:
            self._risky.add(key)
            if self._running is not None:
                self._replaced.setdefault(key, self._confirmed_of(key, bucket))
        self._put(key, bucket, place, record, message)

    def _put(
        self, key: bytes, bucket: tuple[bytes, ...], place: int | None, record: bytes, message: Any
    ) -> None:
        """Add an object of an event, or change the one at `place`. During a dump it moves to the
        front, among the confirmed ones."""
        old = None if place is None else bucket[place]
        if self._running is None:
            if place is None or old is None:
                self._store(key, (*bucket, record))
            elif not self._is_equal(old, record):
                self._store(key, (*bucket[:place], record, *bucket[place + 1 :]))
        else:
            self._confirm(key, bucket, place, record, self._confirmed_of(key, bucket))
            if self.follow.several:
                self._touched.add(key)
            if self._gone:
                self._revive(key, record, message)
        if old is None:
            self._change("new", message, None)
        elif not self._is_equal(old, record):
            self._change("change", message, old)

    def _leave(self, key: bytes, bucket: tuple[bytes, ...], message: Any, flags: int) -> None:
        """An event about an object that the request does not select. Perhaps it did before."""
        if not self.follow.several:
            self._remove(key, bucket, 0 if bucket else None, message)
        elif (bucket or self._running is not None) and (
            flags & REPLACE or not self._is_separate(message)
        ):
            self.repair()

    def _delete(self, message: Any) -> None:
        key = self._shape.key_of(message)
        bucket = self._bucket(key)
        if self._updates:
            self._updates.pop(key, None)
        if not self.follow.several:
            self._remove(key, bucket, 0 if bucket else None, message)
            return
        record = record_of(message)
        place = self._find(bucket, record, message)
        if key in self._risky or (
            place is None and bucket and (self._selects(message) or not self._is_separate(message))
        ):
            self.repair()  # part of an object, or an object that has changed without an event
        self._remove(key, bucket, place, message, record)

    def _remove(
        self,
        key: bytes,
        bucket: tuple[bytes, ...],
        place: int | None,
        message: Any,
        record: bytes = b"",
    ) -> None:
        if self._running is not None:
            self._gone.setdefault(key, []).append(record)
            if self._had_objects and place is not None and place < self._confirmed.get(key, 0):
                self._confirmed[key] -= 1
        if place is not None:
            self._store(key, (*bucket[:place], *bucket[place + 1 :]))
            self._change("delete", message, bucket[place])

    def _merge_update(
        self, key: bytes, record: bytes, message: Any, bucket: tuple[bytes, ...]
    ) -> tuple[bytes, Any]:
        """Return the object that an update makes of the known one."""
        if self._running is not None and key not in self._touched:
            known = self._updates.get(key)
            both = record if known is None else self._merged(known, record)
            self._updates[key] = both
        if not bucket:
            return record, message
        record = self._merged(bucket[0], record)
        return record, self.view(record)

    def _merged(self, old: bytes, update: bytes) -> bytes:
        return merged(old, update, self.view(old), self.view(update))

    # --- entries of a dump ---

    def _entry(self, message: Any) -> None:
        key = self._shape.key_of(message)
        record = record_of(message)
        bucket = self._bucket(key)
        confirmed = self._confirmed_of(key, bucket)
        if self._updates and key in self._updates:
            record = self._merged(record, self._updates.pop(key))
            message = self.view(record)
            confirmed = 0  # what is known was made without this entry
        if not self._selects(message):
            return
        several = self.follow.several
        if key in self._gone:
            if not several or any(
                self._is_same(other, record, message) for other in self._gone[key]
            ):
                return
            if not self._is_separate(message):
                self._is_doubtful = True
        place = self._find(bucket, record, message)
        if key in self._replaced:
            self._replaced[key] += 1
            if self._replaced[key] > 1 or len(bucket) > 1:
                self._is_doubtful = True
            elif bucket and place is None:
                return  # the object that was replaced, if the dump has no other one
        if place is not None and place < confirmed:
            return
        if place is None and key in self._touched and not self._is_separate(message):
            self._is_doubtful = True
            return
        if place is None and len(bucket) > confirmed:
            place = confirmed
        old = None if place is None else bucket[place]
        if self._running == "snapshot":
            self._change("snapshot", message, old)
        elif old is None:
            self._change("new", message, None)
        elif not self._is_equal(old, record):
            if not self._is_alike(old, message):
                self._change("change", message, old)
            elif not self._is_mirror:
                record = old  # `old` of the next change must be what was handed out
        self._confirm(key, bucket, place, record, confirmed)

    def _confirmed_of(self, key: bytes, bucket: tuple[bytes, ...]) -> int:
        """Return how many records of a key, the first ones, the dump or an event has confirmed."""
        return self._confirmed.get(key, 0) if self._had_objects else len(bucket)

    def _confirm(
        self,
        key: bytes,
        bucket: tuple[bytes, ...],
        place: int | None,
        record: bytes,
        confirmed: int,
    ) -> None:
        """Store a record, at `place` or as another one, after the confirmed ones of its key."""
        if place is not None and place < confirmed:
            self._store(key, (*bucket[:place], record, *bucket[place + 1 :]))
            return
        rest = bucket if place is None else (*bucket[:place], *bucket[place + 1 :])
        if self._had_objects:
            self._confirmed[key] = confirmed + 1
        self._store(key, (*rest[:confirmed], record, *rest[confirmed:]))

    def _revive(self, key: bytes, record: bytes, message: Any) -> None:
        """Forget that an object was deleted, because it exists again."""
        gone = self._gone.get(key)
        if gone is not None:
            if self.follow.several:
                gone = [other for other in gone if not self._is_same(other, record, message)]
            if gone and self.follow.several:
                self._gone[key] = gone
            else:
                del self._gone[key]

    def _sweep(self) -> None:
        """Remove what neither the dump nor an event has confirmed."""
        if not self._had_objects:
            return
        confirmed = self._confirmed
        for key in [*self.table]:
            bucket = self._bucket(key)
            kept = confirmed.get(key, 0)
            if len(bucket) > kept:
                self._store(key, bucket[:kept])
                for record in bucket[kept:]:
                    self._change("delete", None, record)

    # --- the table ---

    def _bucket(self, key: bytes) -> tuple[bytes, ...]:
        found = self.table.get(key)
        if found is None:
            return ()
        return (found,) if type(found) is bytes else found  # type: ignore[return-value]

    def _store(self, key: bytes, bucket: tuple[bytes, ...]) -> None:
        """Set the records of a key. All changes of the table are made here."""
        old = self.table.get(key)
        if self._is_early and (len(bucket) > 1 or type(old) is tuple):
            self._crowded.add(key)
        if self._dirty is not None:
            self._dirty.setdefault(key, old)
        for index in self.indexes.values():
            index.change(key, self._bucket(key), bucket, self.view)
        if not bucket:
            if old is not None:
                del self.table[key]
        else:
            self.table[key] = bucket[0] if len(bucket) == 1 else bucket
        self.count += len(bucket) - (0 if old is None else 1 if type(old) is bytes else len(old))

    def has(self, message: Any) -> bool:
        """Whether an object is known."""
        bucket = self._bucket(self._shape.key_of(message))
        if not self.follow.several:
            return bool(bucket)
        return any(self._is_alike(record, message) for record in bucket)

    def _is_separate(self, message: Any) -> bool:
        several = self.follow.several
        return bool(several(message) if callable(several) else several)

    def _find(self, bucket: tuple[bytes, ...], record: bytes, message: Any) -> int | None:
        """Return the place of an object among the records of its key."""
        if not bucket:
            return None
        if not self.follow.several:
            return 0
        for place, other in enumerate(bucket):
            if self._is_equal(other, record):
                return place
        for place, other in enumerate(bucket):
            if self._is_alike(other, message):
                return place
        return None

    def _is_equal(self, one: bytes, two: bytes) -> bool:
        return one[self._start :] == two[self._start :]

    def _is_same(self, one: bytes, record: bytes, message: Any) -> bool:
        return self._is_equal(one, record) or self._is_alike(one, message)

    def _is_alike(self, record: bytes, message: Any) -> bool:
        """Whether a record is a message, apart from the fields that change without events."""
        return self._shape.is_alike(self.view(record), message)

    def view(self, record: bytes) -> D:
        """Return a record as a message."""
        number = int.from_bytes(record[4:6], BYTE_ORDER)
        family = self._family
        dispatch = family.dispatch
        if family.is_generic:
            dispatch = self._dispatches.get(number)
            if dispatch is None:
                dispatch = self._dispatches[number] = Dispatch(family.framing)
                dispatch.nest(number, family.dispatch)
        message: D = next(Messages(record, dispatch))
        return message

    # --- what is handed out ---

    def _mark(self, mark: Mark) -> None:
        if not self._is_mirror:
            self._items.append(mark)

    def _change(self, kind: Kind, message: Any, old: bytes | None) -> None:
        if not self._is_mirror:
            before = None if old is None else self.view(old)
            shown: Any = before if message is None else message
            self._items.append(Change(kind, shown, before))

    def differences(self) -> Changes[D]:
        """Return how the objects differ from those at the last call. Only for a mirror."""
        dirty, self._dirty = self._dirty, {}
        if dirty is None:
            return Changes(self.view, [*self.records()], [], [])
        added: list[bytes] = []
        changed: list[tuple[bytes, bytes]] = []
        removed: list[bytes] = []
        for key, before in dirty.items():
            old = [] if before is None else [before] if type(before) is bytes else [*before]
            new = []
            for record in self._bucket(key):
                place = self._find_among(old, record)
                if place is None:
                    new.append(record)
                else:
                    del old[place]
            pairs = min(len(old), len(new))
            changed += zip(old[:pairs], new[:pairs], strict=True)
            added += new[pairs:]
            removed += old[pairs:]
        return Changes(self.view, added, changed, removed)

    def _find_among(self, records: list[Any], record: bytes) -> int | None:
        """Return the place of a record that does not differ from another one."""
        if not records:
            return None
        message = self.view(record)
        for place, other in enumerate(records):
            if self._is_same(other, record, message):
                return place
        return None

    def records(self) -> Iterator[bytes]:
        """Yield the records of all objects."""
        for bucket in self.table.values():
            if type(bucket) is bytes:
                yield bucket
            else:
                yield from bucket  # type: ignore[misc]

    # --- steps ---

    def steps(self) -> Generator[Any, Any, NoReturn]:
        """The steps that a connection executes, without end. The first begins with a snapshot."""
        yield Groups(self.groups)
        while True:
            if not self.wants_dump:
                yield from self._await(None)
                continue
            if self.delay:
                yield from self._await(self.delay)
            if self.follow.fence is not None:
                yield Fence(self.follow.fence)
            self.begin()
            yield Begin(self.request)
            while self.is_dumping:
                try:
                    messages = yield Part()
                except NetlinkError as error:
                    self.end(error)
                    break
                if messages is None:
                    self.end()
                    break
                self.entries(messages)
                yield from self._await(0.0)
            while self._is_early and not self.wants_dump:
                yield from self._await(0.0)

    def _await(self, delay: float | None) -> Generator[Any, Any, None]:
        try:
            events = yield Await(delay)
        except DecodeError as error:
            self.lose(error)
        else:
            if events is None:
                self.drained()
            else:
                self.feed(events)

    def restart(self) -> None:
        """After an exception in the middle of something: begin with another snapshot."""
        self._running = None
        self.wanted = "snapshot"
        self.is_synced = False
        self._forget()


class Groups(NamedTuple):
    """Join these groups."""

    groups: tuple[str | int, ...]
    verb: str = "groups"


class Fence(NamedTuple):
    """Execute a request, whatever its answer is."""

    request: Request[Any, Any]
    verb: str = "fence"


class Begin(NamedTuple):
    """Send the request for a dump."""

    request: Request[Any, Any]
    verb: str = "begin"


class Part(NamedTuple):
    """Wait for a part of the dump: the result is its messages, or None at the end."""

    verb: str = "part"


class Await(NamedTuple):
    """Receive events: the result is an iterable, or None if none came within `delay` seconds.

    Without a delay there is nothing else to do.
    """

    delay: float | None
    verb: str = "await"

    def limit(self, deadline: float | None, now: float) -> tuple[float | None, bool]:
        """Return how many seconds to wait, and whether the caller's deadline is over then.

        No deadline ends the wait for a dump that is necessary.
        """
        if deadline is None or self.delay is not None:
            return self.delay, False
        return max(0.0, deadline - now), True


# --- mirrors --------------------------------------------------------------------------------------


class Index:
    """Finds records by the value of a field: values to the keys of the objects that have it."""

    __slots__ = ("_path", "found")

    def __init__(self, path: str) -> None:
        self._path = path.split(".")
        self.found: dict[Any, dict[bytes, None]] = {}

    def value_of(self, message: Any) -> Any:
        """Return the value of a message; None without one."""
        for name in self._path:
            message = getattr(message, name, None)
        return message

    def change(
        self,
        key: bytes,
        before: tuple[bytes, ...],
        after: tuple[bytes, ...],
        view: Callable[[bytes], Any],
    ) -> None:
        """Note the records of a key."""
        for value in {self.value_of(view(record)) for record in before}:
            keys = self.found.get(value)
            if keys is not None:
                keys.pop(key, None)
                if not keys:
                    del self.found[value]
        for value in {self.value_of(view(record)) for record in after}:
            self.found.setdefault(value, {})[key] = None


class MirrorBase(Generic[D]):
    """What both mirrors are: the objects that a request lists, kept up to date by update()."""

    __slots__ = ("_following", "_is_loaded")

    def __init__(self, following: Following[D]) -> None:
        self._following = following
        self._is_loaded = False

    @property
    def is_synced(self) -> bool:
        """Whether the last snapshot was complete, and no dump is necessary as far as is known."""
        return self._following.is_synced and self._following.is_settled

    def _load(self) -> None:
        """Have something to read."""
        raise NotImplementedError

    def by(self, field: str, value: Any) -> list[D]:
        """Return the objects whose `field` has this value; None: those without the field.

        The field may be inside of nests: "linkinfo.kind". The first call for a field makes an
        index, which is kept up to date. Raises LookupError if the class has no such field, and
        EncodeError for a value that the field cannot have.
        """
        following = self._following
        if not isinstance(field, str):
            raise TypeError(f"by() expects the name of a field, got {field!r}")
        first, _, rest = field.partition(".")
        cls = following.cls
        if first not in cls.__table__.names and not isinstance(getattr(cls, field, None), property):
            raise LookupError(
                f"by(): {cls.__name__} has no field {first!r}; it has: "
                f"{', '.join(cls.__table__.names)}"
            )
        if value is not None and not rest and first in cls.__table__.names:
            value = getattr(cls(**{first: value}), first)  # as it is read: "main" is 254
        self._load()
        index = following.indexes.get(field)
        if index is None:
            index = Index(field)
            for key in following.table:
                index.change(key, (), following._bucket(key), following.view)
            following.indexes[field] = index
        messages = (
            following.view(record)
            for key in index.found.get(value, ())
            for record in following._bucket(key)
        )
        return [message for message in messages if index.value_of(message) == value]

    def __len__(self) -> int:
        self._load()
        return self._following.count

    def __iter__(self) -> Iterator[D]:
        self._load()
        return map(self._following.view, [*self._following.records()])

    def __contains__(self, message: object) -> bool:
        """Whether the mirror has this object: one with the same key. If several objects may have
        the same key, they are compared without the fields that change without events."""
        following = self._following
        if type(message) is not following.cls:
            raise TypeError(
                f"a mirror of {following.cls.__name__} messages cannot have {message!r}"
            )
        self._load()
        return following.has(message)

    def __repr__(self) -> str:
        return f"<Mirror of {self._following.request.name}, {self._following.count} objects>"


class Feed(Protocol):
    """What executes the steps of a Following: see connection.py."""

    @property
    def events(self) -> Any:
        """The connection that receives the events."""

    def advance(self, deadline: float | None) -> bool:
        """Execute one step. Returns False if there was nothing to do until the deadline."""

    def close(self) -> None:
        """Close both sockets."""


class Connection(Protocol):
    """What a mirror asks of a blocking connection."""

    @property
    def families(self) -> tuple[Family, ...]:
        """Its families."""


class Mirror(MirrorBase[D]):
    """The objects that a request lists, kept up to date by update().

    It has sockets of its own, with the namespace and the options of the connection, so that the
    connection can make changes. `len(mirror)` is the number of objects, iterating yields them, and
    by() finds them. Messages are copied, and do not keep receive buffers in memory.

        with Mirror(nl, link.get()) as links:
            for change in links.update(timeout=10):
                print(change.kind, change.message.ifname)
            print(links.by("ifname", "lo"))

    The request is sent at the first use. Raises TypeError for a request that cannot be followed:
    see Connection.follow.
    """

    __slots__ = ("_feed",)

    def __init__(self, nl: Connection, request: Request[Any, D]) -> None:
        make: Callable[[Following[D]], Feed] | None = getattr(nl, "_feed", None)
        if make is None:
            raise wrong_mirror(nl, "netlink.aio.Mirror")
        super().__init__(Following(request, nl.families, "Mirror", is_mirror=True))
        self._feed = make(self._following)

    @property
    def stats(self) -> Stats:
        """Counters of the socket that receives the events."""
        stats: Stats = self._feed.events.stats
        return stats

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return bool(self._feed.events.closed)

    def update(self, timeout: float | None = None) -> Changes[D]:
        """Apply what has arrived, and return how the objects differ from the last update.

        All objects are new at the first one. With `timeout`, wait that many seconds for a change
        if there is none yet. An update waits for the end of a dump that is necessary.
        """
        limit = check_timeout(timeout)
        deadline = monotonic() + (limit if limit is not None else 0.0)
        while True:
            self._catch_up()
            changes = self._following.differences()
            if changes or monotonic() >= deadline or not self._feed.advance(deadline):
                return changes

    def _load(self) -> None:
        if not self._is_loaded:
            self._catch_up()

    def _catch_up(self) -> None:
        """Apply what has arrived. If it never ends, stop after a while."""
        following = self._following
        began = monotonic()
        while self._feed.advance(0.0 if following.is_settled else None):
            if following.is_idle and (following.is_hurried or monotonic() - began > 1.0):
                break
        self._is_loaded = True

    def close(self) -> None:
        """Close the sockets. The objects remain. Closing twice is allowed."""
        self._feed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


# --- merge() --------------------------------------------------------------------------------------


class Rounds:
    """The events of several queues in turn, at most TURN of one before the others' turn."""

    __slots__ = ("_failure", "_first", "_sources")

    def __init__(self, sources: list[tuple[Any, Any]]) -> None:
        self._sources = sources  # what each event is labelled with, and the queue
        self._first = 0
        self._failure: Exception | None = None  # to be raised after what was taken

    @property
    def ready(self) -> bool:
        """Whether there is something to hand out, or a source has ended."""
        return self._failure is not None or any(queue.ready for _, queue in self._sources)

    @property
    def is_over(self) -> bool:
        """Whether every subscription was closed."""
        return not self._sources

    def take(self) -> list[tuple[Any, Any]]:
        """Return what is queued, each event with the label of its source."""
        if self._failure is not None:
            failure: Exception | None = self._failure
            self._failure = None
            try:
                raise failure  # type: ignore[misc]
            finally:
                failure = None  # it holds this frame
        self._sources = [each for each in self._sources if not each[1].closed]
        if not self._sources:
            return []
        self._first = (self._first + 1) % len(self._sources)
        taken: list[tuple[Any, Any]] = []
        for label, queue in self._sources[self._first :] + self._sources[: self._first]:
            try:
                batch = queue.take()
                if batch is not None:
                    for event in islice(batch, TURN):
                        taken.append((label, event))
            except Exception as error:
                self._failure = error.with_traceback(None)
                return taken or self.take()
        return taken
