"""The numbers of families and multicast groups: fixed ones, or those that the kernel assigns.

FixedNumbers is for protocols whose numbers never change; it is the null object of Resolver, which
stores what nlctrl reports about generic families. Both are sans-I/O: they state what to ask. The
engine asks when a family is used for the first time, after ENOENT (the kernel's answer to a number
that no family has), and when announcements may be lost.
"""

from __future__ import annotations

import errno
from collections.abc import Generator, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from netlink._core import Dispatch
from netlink.errors import KernelError
from netlink.family import Family, Op, Request, dispatch_of

__all__ = ["FixedNumbers", "Group", "Resolver", "resolver_for"]

Group = tuple[str, str]  # the names of a family and of its group
# Steps that a connection executes: they yield requests and receive the answers.
Questions = Generator[Any, Any, dict[Group, int]]


class FixedNumbers:
    """Numbers that never change, of a protocol that is not Generic Netlink.

    `sure` are the ops that were used, and -1 for each.
    """

    is_generic = False
    control_group = -1  # none
    ids: Mapping[Family, int] = MappingProxyType({})
    changed: Sequence[tuple[Group, int]] = ()

    def __init__(self, families: Iterable[Family]) -> None:
        self.families = tuple(families)
        self.dispatch = dispatch_of(self.families)
        self.sure: dict[Any, int] = {}

    def number(self, op: Op[..., Any, Any]) -> int | None:
        """Return the number to send an op's requests to: -1, which means by message type.

        Raises TypeError if the connection lacks the op's family.
        """
        if op.family not in self.families:
            raise _foreign(op, self.families)
        self.sure[op] = -1
        return -1

    def numbers(self, groups: Iterable[str | int], *, joining: bool) -> Questions:
        """Find the numbers of groups, given by name or number. Raises LookupError."""
        yield from ()  # a generator, as that of Resolver
        return {("", str(number)): number for number in map(self._group, groups)}

    def _group(self, group: str | int) -> int:
        check_group(group)
        if isinstance(group, int):
            return group
        found = {f.name: f.group(group) for f in self.families if f.has_group(group)}
        if not found:
            known = ", ".join(name for f in self.families for name in f.groups)
            raise LookupError(
                f"no group {group!r}{_near(group, known.split(', '))}; there are: {known}"
            )
        if len({*found.values()}) > 1:
            raise LookupError(f"group {group!r} exists in several families: give its number")
        return next(iter(found.values()))

    def question(self, family: Family) -> Request[Any, Any]:
        """There is nothing to ask."""
        raise NotImplementedError(family)

    def learn(self, message: Any) -> None:
        """There is nothing to learn."""

    def forget(self, family: Family) -> None:
        """Fixed numbers are not forgotten."""

    def missed(self) -> list[Family]:
        """No announcement can be missed."""
        return []


class Resolver:
    """The numbers of generic families and of their groups, as nlctrl reports them.

    `ids` are the numbers of families, `groups` those of groups by the names of family and group.
    `sure` are the numbers of ops that were used and whose family's number is not in doubt.
    `changed` lists groups that a socket has joined and whose number is new (0: none), until the
    engine has followed them.
    """

    is_generic = True

    def __init__(self, families: Iterable[Family]) -> None:
        from netlink.generic import nlctrl

        self._nlctrl = nlctrl
        self._leaving = (
            nlctrl.CTRL_CMD.CTRL_CMD_DELFAMILY,
            nlctrl.CTRL_CMD.CTRL_CMD_DELMCAST_GRP,
        )
        self.control_group = nlctrl.GENL_ID_CTRL
        self.ids: dict[Family, int] = {}
        self.sure: dict[Any, int] = {}
        self.groups: dict[str, dict[str, int]] = {}  # by family's name, by group's name
        self.dispatch = Dispatch()
        self.families: dict[str, Family] = {}
        self._asked: dict[str, Request[Any, Any]] = {}  # the questions to nlctrl, made once
        self.changed: list[tuple[Group, int]] = []
        self._joined: set[Group] = set()
        for family in (nlctrl.FAMILY, *families):
            self._add(family)
        self.groups[nlctrl.FAMILY.name] = {"notify": self.control_group}

    def _add(self, family: Family) -> None:
        name = family.name
        if name == self._nlctrl.FAMILY.name and family is not self._nlctrl.FAMILY:
            raise ValueError("nlctrl is declared already: netlink.generic.nlctrl.FAMILY")
        known = self.families.get(name, family)
        if known.dispatch is not family.dispatch:  # that of a bound copy, at(), is the same
            raise ValueError(f"family {name!r} is declared twice on one connection")
        self.families[name] = family
        self._asked[name] = self._nlctrl.getfamily(family_name=name)
        if family.id is not None:
            self.ids[family] = family.id
            self.dispatch.nest(family.id, family.dispatch)

    def number(self, op: Op[..., Any, Any]) -> int | None:
        """Return the number of an op's family, or None if it must be asked for.

        Raises TypeError if the connection lacks the family.
        """
        family = op.family
        known = self.ids.get(family) if family is not None else None
        if known is None:
            if family is None or self.families.get(family.name) is None:
                raise _foreign(op, self.families.values())
            bound = self.families[family.name]
            if bound.dispatch is not family.dispatch:
                raise _foreign(op, self.families.values())
            known = self.ids.get(bound)
        if known is not None:
            self.sure[op] = known
        return known

    def question(self, family: Family) -> Request[Any, Any]:
        """Return the request that asks nlctrl for the numbers of a family."""
        return self._asked[family.name]

    def forget(self, family: Family) -> None:
        """Ask for the number of a family before the next request."""
        if family.id is None:
            self.ids.pop(family, None)
            self.sure.clear()

    def learn(self, message: Any) -> None:
        """Store what nlctrl answers or announces."""
        name = message.family_name if isinstance(message, self._nlctrl.Ctrl) else None
        if name is None:  # a command that we do not know
            return
        groups = self.groups.setdefault(name, {})
        named = {group.name: group.id for group in message.mcast_groups if group.name and group.id}
        self.sure.clear()
        command = message.genl_cmd
        family = self.families.get(name)
        is_ours = family is not None and family.id is None and message.family_id is not None
        if command in self._leaving:
            if command == self._nlctrl.CTRL_CMD.CTRL_CMD_DELFAMILY:
                named = {**groups, **named}
                if is_ours:
                    assert family is not None
                    self.ids.pop(family, None)
            for group in named:
                if groups.pop(group, None) is not None and (name, group) in self._joined:
                    self.changed.append(((name, group), 0))
            return
        if is_ours and command == self._nlctrl.CTRL_CMD.CTRL_CMD_NEWFAMILY:
            assert family is not None
            self.ids[family] = message.family_id
            self.dispatch.nest(message.family_id, family.dispatch)
        for group, number in named.items():
            is_new = groups.get(group) != number
            groups[group] = number
            if is_new and (name, group) in self._joined:
                self.changed.append(((name, group), number))

    def missed(self) -> list[Family]:
        """Note that announcements may be lost. Returns the families to ask for again."""
        names = {name for name, _ in [*self._joined]} & self.families.keys()
        names.discard(self._nlctrl.FAMILY.name)
        for name in names:  # a group may have its old number, and lack its members
            self.groups.pop(name, None)
        return [self.families[name] for name in names]

    def numbers(self, groups: Iterable[str | int], *, joining: bool) -> Questions:
        """Find the numbers of groups, given by name or number. Raises LookupError.

        A name may need the family in front: "devlink.config". While `joining`, nlctrl is asked
        even about known families, because the number may have changed; the group is followed from
        now on. The number of a group to leave is 0 if its family is gone.
        """
        found: dict[Group, int] = {}
        for group in groups:
            check_group(group)
            if isinstance(group, int):
                found["", str(group)] = group
            else:
                key = yield from self._find(group, joining=joining)
                found[key] = self.groups.get(key[0], {}).get(key[1], 0)
                if joining:  # for ever: another subscription may have it when this one leaves
                    self._joined.add(key)
        return found

    def _find(self, name: str, *, joining: bool) -> Generator[Any, Any, Group]:
        """The family and the group that a name means."""
        families = self.families.values()
        candidates = [f for f in families if f.has_group(name) or name.startswith(f"{f.name}.")]
        found: list[Group] = []
        known: list[str] = []
        absent: KernelError | None = None
        for family in candidates or families:
            # What was announced may not have been received yet; the answer comes after it.
            if family is not self._nlctrl.FAMILY and (joining or not self.groups.get(family.name)):
                try:
                    self.learn((yield self.question(family)))
                except KernelError as error:
                    if error.errno != errno.ENOENT:
                        raise
                    absent = error
                    self.groups.pop(family.name, None)
            # Copies, as another thread may learn something new.
            left = (
                [] if joining else [pair[1] for pair in [*self._joined] if pair[0] == family.name]
            )
            names = dict.fromkeys(left, 0) | self.groups.get(family.name, {})
            known += [f"{family.name}.{group}" for group in names]
            found += [
                (family.name, group) for group in names if name in (group, f"{family.name}.{group}")
            ]
        if not found:
            if absent is not None:
                raise absent
            raise LookupError(
                f"no group {name!r}{_near(name, known)}; there are: {', '.join(known) or 'none'}"
            )
        if len(found) > 1:
            choice = ", ".join(".".join(pair) for pair in found)
            raise LookupError(f"group {name!r} exists in several families: say which of {choice}")
        return found[0]


def resolver_for(families: tuple[Family, ...]) -> Resolver | FixedNumbers:
    """Return the resolver for families of one protocol."""
    return Resolver(families) if families[0].is_generic else FixedNumbers(families)


def check_group(group: Any) -> None:
    """Refuse what is neither the name nor the number of a group."""
    if isinstance(group, bool) or not isinstance(group, str | int):
        raise TypeError(f"a group is given by name or number, got {group!r}")
    if isinstance(group, int) and not 0 < group <= 0xFFFFFFFF:
        raise ValueError(f"{group} is not the number of a multicast group: they start at 1")


def _foreign(op: Op[..., Any, Any], families: Iterable[Family]) -> TypeError:
    """The error for an op whose family a connection lacks."""
    known = [family.name for family in families]
    names = ", ".join(known)
    owner = "no family" if op.family is None else f"family {op.family.name!r}"
    if op.family is not None and op.family.name in known:
        owner = f"another declaration of {owner}"
    return TypeError(
        f"{op.name} belongs to {owner}, but this connection has: {names}; "
        f"open a Connection with the family of the request"
    )


def _near(word: str, known: list[str]) -> str:
    """Words that name the nearest of the known names, if any is near."""
    import difflib  # slow to import, and needed for errors only

    near = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
