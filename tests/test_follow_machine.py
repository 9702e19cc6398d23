"""The state machine of follow() against a model of the kernel, with every interleaving.

The model changes objects, queues events in a small buffer that overflows, and fills the parts of a
dump at any moment: a part may be read long after it was filled, and before or after the events of
the same time. At every quiet moment the follower must have what the kernel has.
"""

from __future__ import annotations

import os
import random
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from netlink import DumpInterrupted, Family, Follow, Message, Op, Overrun
from netlink._core import Messages, stamp
from netlink.constants import NLM_F
from netlink.follow import Change, Following, Mark
from netlink.schema import u32

KEYS = st.integers(0, 1)
VALUES = st.integers(0, 2)
EXAMPLES, WALKS = (1000, 20_000) if os.environ.get("NETLINK_LONG") else (30, 1000)
NEW, REPLACE, APPEND = NLM_F.NLM_F_CREATE, NLM_F.NLM_F_REPLACE, NLM_F.NLM_F_APPEND


class T(IntEnum):
    """The types of messages."""

    T_NEW = 16
    T_DEL = 17
    T_GET = 18
    T_HINT = 19


class Thing(Message):
    """An object. `count` changes without events."""

    id: int | None = u32(1)
    value: int | None = u32(2)
    extra: int | None = u32(3)
    count: int | None = u32(4)


def family_of(**words: Any) -> Any:
    follow = Follow(
        groups=("things",), key=("id",), ignore=("count",), select={"value": None}, **words
    )
    get = Op("thing.get", T.T_GET, Thing, answer="one", reply_type=T.T_NEW, follow=follow)
    Family(
        "things",
        protocol=2,
        types=T,
        ops=[get],
        groups={"things": 1},
        messages={T.T_NEW: Thing, T.T_DEL: Thing, T.T_HINT: Thing},
    )
    return get


EVENTS = {"new": T.T_NEW, "delete": T.T_DEL, "also": {T.T_HINT: None}}


class Machine(RuleBasedStateMachine):
    """Objects with unique keys, and events with whole objects."""

    get = family_of(**EVENTS)
    selected: int | None = None  # a value

    def __init__(self) -> None:
        super().__init__()
        self.kernel: dict[int, list[dict[str, int]]] = {}
        self.events: list[Any] = []
        self.is_congested = False
        self.count = 0
        self.room = 100
        self.repairs = False
        request = self.get() if self.selected is None else self.get(value=self.selected)
        self.policies = [
            Following(request, [self.get.family], is_mirror=mirror) for mirror in (False, True)
        ]
        self.kept: dict[bytes, Any] = {}  # of a consumer that never forgets
        self.cleared: dict[bytes, Any] = {}  # of one that forgets at a "begin"
        self.mirrored: dict[bytes, Any] = {}
        self.parts: list[bytes] = []  # filled, and not read
        self.left: list[int] | None = None  # keys that are not filled yet
        self.is_interrupted = False

    @initialize(room=st.sampled_from((3, 100, 100)), repairs=st.sampled_from((False, False, True)))
    def choose(self, room: int, repairs: bool) -> None:
        """Choose what would hide a mistake, because it leads to another dump."""
        self.room = room
        self.repairs = repairs

    # --- the kernel ---

    def encode(self, type: int, fields: dict[str, int], flags: int = 0) -> bytes:
        self.count += 1
        return stamp(type, flags, 0, 0, bytes(Thing(**fields, count=self.count)))

    def send(self, type: int, fields: dict[str, int], flags: int = 0) -> None:
        if self.is_congested or len(self.events) >= self.room:
            self.is_congested = True
        else:
            self.events.append(self.encode(type, fields, flags))

    @rule(key=KEYS, value=VALUES)
    def put(self, key: int, value: int) -> None:
        is_new = key not in self.kernel
        self.kernel[key] = [{"id": key, "value": value}]
        self.send(T.T_NEW, self.kernel[key][0], NEW if is_new else REPLACE)

    @rule(key=KEYS)
    def remove(self, key: int) -> None:
        if key in self.kernel:
            self.send(T.T_DEL, self.kernel.pop(key)[0])

    @precondition(lambda self: self.repairs)
    @rule(key=KEYS)
    def vanish(self, key: int) -> None:
        """An object is gone, and only the event of another one tells."""
        if self.kernel.pop(key, None):
            self.send(T.T_HINT, {"id": 0})

    # --- the dump ---

    @precondition(lambda self: self.left is None and self.policies[0].wants_dump)
    @rule()
    def begin(self) -> None:
        for policy in self.policies:
            if not policy.wants_dump:
                return
        for policy in self.policies:
            policy.begin()
        self.left = [*self.kernel]
        self.is_interrupted = False

    @precondition(lambda self: self.left)
    @rule()
    def fill(self) -> None:
        assert self.left
        key = self.left.pop(0)
        entries = [self.encode(T.T_NEW, each, 2) for each in self.kernel.get(key, ())]
        self.parts.append(b"".join(entries))

    @precondition(lambda self: self.parts)
    @rule()
    def read_part(self) -> None:
        part = self.parts.pop(0)
        for policy in self.policies:
            policy.entries(Messages(part, self.get.family.dispatch))

    @precondition(lambda self: self.left and self.repairs)
    @rule()
    def interrupt(self) -> None:
        """The dump lacks an object, and says so."""
        assert self.left
        self.left.pop()
        self.is_interrupted = True

    @precondition(lambda self: self.left == [] and not self.parts)
    @rule()
    def end(self) -> None:
        for policy in self.policies:
            policy.end(DumpInterrupted() if self.is_interrupted else None)
        self.left = None

    # --- the follower ---

    @rule(most=st.integers(1, 4))
    def read_events(self, most: int) -> None:
        taken, self.events = self.events[:most], self.events[most:]
        for policy in self.policies:
            policy.feed(Messages(b"".join(taken), self.get.family.dispatch))
        if not taken:
            for policy in self.policies:
                policy.drained()
        if self.is_congested and not self.events:
            self.is_congested = False
            for policy in self.policies:
                policy.feed([Overrun(None, "kernel")])

    @rule()
    def take(self) -> None:
        for item in self.policies[0].take():
            if isinstance(item, Mark):
                if item.kind == "begin":
                    self.cleared.clear()
                continue
            for state in (self.kept, self.cleared):
                self.apply(state, item)

    @rule()
    def update(self) -> None:
        for change in self.policies[1].differences():
            assert change.kind in ("new", "change", "delete")
            if change.kind == "new":
                assert change.old is None
            else:
                assert bytes(change.old) in self.mirrored or self.is_silent(change.old)
            self.apply(self.mirrored, change)

    def is_silent(self, old: Any) -> bool:
        """Whether what was handed out of an object has changed without an event since."""
        return any(old.same_as(other, ignore=("count",)) for other in self.mirrored.values())

    @staticmethod
    def apply(state: dict[bytes, Any], change: Change[Any]) -> None:
        if change.old is not None:
            for body, message in [*state.items()]:
                if message.same_as(change.old, ignore=("count",)):
                    del state[body]
                    break
        if change.kind != "delete":
            state[bytes(change.message)] = change.message

    def teardown(self) -> None:
        self.quiet()

    @precondition(lambda self: self.repairs)
    @rule()
    def quiet(self) -> None:
        """Let everything be read: now the follower must have what the kernel has."""
        for _ in range(20):
            while self.left is not None:
                while self.left:
                    self.fill()
                while self.parts:
                    self.read_part()
                self.end()
            while self.events or self.is_congested:
                self.read_events(4)
            self.read_events(4)  # nothing
            if self.policies[0].wants_dump:
                self.begin()
            else:
                break
        assert all(policy.is_settled and policy.is_synced for policy in self.policies)
        self.take()
        self.update()
        wanted = self.content(Thing(**each) for several in self.kernel.values() for each in several)
        if self.selected is not None:
            wanted = [each for each in wanted if each[1] == self.selected]
        for policy in self.policies:
            known = [policy.view(record) for record in policy.records()]
            assert self.content(known) == wanted
            assert policy.count == len(wanted)
        for state in (self.kept, self.cleared, self.mirrored):
            assert self.content(state.values()) == wanted

    @staticmethod
    def content(things: Any) -> list[tuple[int, int, int]]:
        return sorted((each.id, each.value or 0, each.extra or 0) for each in things)


class Selecting(Machine):
    """Only objects with one value are selected, also in the dump."""

    selected = 1


class Merging(Machine):
    """Events that have only what has changed."""

    get = family_of(**EVENTS, whole=False)

    @rule(key=KEYS, extra=VALUES)
    def change(self, key: int, extra: int) -> None:
        if key in self.kernel:
            self.kernel[key] = [{**self.kernel[key][0], "extra": extra}]
            self.send(T.T_NEW, {"id": key, "extra": extra})

    @rule(key=KEYS, value=VALUES)
    def put(self, key: int, value: int) -> None:
        self.kernel[key] = [{"id": key, "value": value, "extra": 0}]
        self.send(T.T_NEW, self.kernel[key][0], NEW)


class Hints(Machine):
    """Events that say only that something has changed."""

    get = family_of()


class Several(Machine):
    """Several objects with one key, as IPv4 routes: a replacement concerns the first one."""

    get = family_of(**EVENTS, several=True)

    @rule(key=KEYS, value=VALUES, flag=st.sampled_from((NEW, NEW | APPEND, REPLACE)))
    def put(self, key: int, value: int, flag: int = NEW) -> None:
        known = self.kernel.get(key, [])
        new = {"id": key, "value": value}
        if new in known:
            return
        if flag == REPLACE:
            if not known:
                return
            known = [new, *known[1:]]
        else:
            known = [*known, new] if flag & APPEND else [new, *known]
        self.kernel[key] = known
        self.send(T.T_NEW, new, flag)

    @rule(key=KEYS, place=st.integers(0, 3))
    def remove(self, key: int, place: int = 0) -> None:
        known = self.kernel.get(key, [])
        if place < len(known):
            self.kernel[key] = [*known[:place], *known[place + 1 :]]
            if not self.kernel[key]:
                del self.kernel[key]
            self.send(T.T_DEL, known[place])

    @precondition(lambda self: self.repairs)
    @rule(key=KEYS)
    def vanish(self, key: int) -> None:
        if self.kernel.get(key):
            self.kernel[key] = self.kernel[key][1:]
            if not self.kernel[key]:
                del self.kernel[key]
            self.send(T.T_HINT, {"id": 0})


class SelectingSeveral(Several):
    """Several objects with one key, of which some are selected."""

    selected = 1


class Extending(Several):
    """Events that may be about a part of an object, as those of IPv6 routes: an object of several
    values gets another one, and loses one."""

    get = family_of(**EVENTS, several=lambda message: False)


MACHINES = (Machine, Selecting, Merging, Hints, Several, SelectingSeveral, Extending)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__)
def test_every_interleaving(machine: type[Machine]) -> None:
    """Fact: a part of a dump is filled, the lock is dropped, then it is queued: an event that is
    newer than the part's entry can be queued before it. An event received since the dump was asked
    beats the dump's entry for that key."""
    case = machine.TestCase
    case.settings = settings(deadline=None, max_examples=EXAMPLES, stateful_step_count=40)
    case().runTest()


def walk(machine: type[Machine], seed: int) -> None:
    """Take random steps, most of which matter: without what leads to another dump."""
    dice = random.Random(seed)
    model = machine()
    model.choose(room=dice.choice((3, 100, 100, 100)), repairs=dice.random() < 0.2)
    several = issubclass(machine, Several)
    for _ in range(dice.randrange(30)):
        key = dice.randrange(2)
        step = dice.choice(
            ("put", "put", "put", "remove", "vanish", "change", "read", "read", "dump")
        )
        if step == "put" and several:
            model.put(key, dice.randrange(3), dice.choice((NEW, NEW | APPEND, REPLACE)))
        elif step == "put":
            model.put(key, dice.randrange(3))
        elif step == "remove" and several:
            model.remove(key, dice.randrange(2))
        elif step == "remove":
            model.remove(key)
        elif step == "vanish" and model.repairs:
            model.vanish(key)
        elif step == "change" and isinstance(model, Merging):
            model.change(key, dice.randrange(3))
        elif step == "read":
            model.read_events(dice.randrange(1, 4))
        elif step == "dump":
            if model.left is None:
                if model.policies[0].wants_dump:
                    model.begin()
            elif model.left and dice.random() < 0.7:
                model.fill()
            elif model.parts:
                model.read_part()
            elif model.left == []:
                model.end()
    model.quiet()


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__)
def test_random_walks(machine: type[Machine]) -> None:
    """Fact: the dump may be newer than events that follow it; re-applying is right at the quiet
    moment."""
    for seed in range(WALKS):
        try:
            walk(machine, seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error
