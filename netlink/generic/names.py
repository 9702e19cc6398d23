"""The numbers that the kernel gave to generic families and their groups, as nlctrl told them.

Sans-I/O: the engine asks when a family is used for the first time, after an ENOENT, which is the
kernel's answer to a number that is no family's, and takes in what nlctrl announces. Numbers change
when the module of a family is loaded anew.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Any

from netlink.errors import KernelError
from netlink.family import Dispatch, Family, Request, Steps
from netlink.generic.nlctrl import CTRL_CMD, FAMILY, GENL_ID_CTRL, Ctrl, getfamily

__all__ = ["Names"]

LEAVING = (CTRL_CMD.CTRL_CMD_DELFAMILY, CTRL_CMD.CTRL_CMD_DELMCAST_GRP)


class Names:
    """The ids of families, for requests; their `classes`, for answers; the numbers of groups.

    `joined` holds the groups that a socket listens to by name, as (family, group), and
    `rejoin` the numbers that it has to join once more, because the kernel gave out new ones.
    """

    control_group = GENL_ID_CTRL

    def __init__(self, families: Iterable[Family], dispatch: Dispatch) -> None:
        self.ids: dict[Family, int] = {}
        self.dispatch = dispatch
        self.groups: dict[str, dict[str, int]] = {}  # by family's name, by group's name
        self.joined: set[tuple[str, str]] = set()
        self.rejoin: list[int] = []
        self.is_told = False  # whether the user wants to hear nlctrl's announcements too
        self._families: dict[str, Family] = {}
        for family in (FAMILY, *families):
            self.add(family)
        self.groups[FAMILY.name] = {"notify": GENL_ID_CTRL}

    def add(self, family: Family) -> None:
        """Take in a family, whose number may be known."""
        if family.name == FAMILY.name and family is not FAMILY:
            raise ValueError("nlctrl is declared already: netlink.generic.nlctrl.FAMILY")
        known = self._families.get(family.name, family)
        if known.dispatch is not family.dispatch:  # those of a bound copy, at(), are the same
            raise ValueError(f"family {family.name!r} is declared twice on one connection")
        self._families[family.name] = family
        if family.id is not None:
            self.ids[family] = family.id
            self.dispatch.nest(family.id, family.dispatch)

    def question(self, family: Family) -> Request[Ctrl]:
        """What to ask nlctrl for the numbers of a family."""
        self.add(family)
        return getfamily(family_name=family.name)

    def forget(self, family: Family) -> None:
        """Doubt the number of a family: it is asked for before the next request."""
        if family.id is None:
            self.ids.pop(family, None)

    def learn(self, told: Any) -> None:
        """Take in an answer or an announcement of nlctrl."""
        name = told.family_name if isinstance(told, Ctrl) else None  # a command that we do not know
        if name is None:
            return
        groups = self.groups.setdefault(name, {})
        named = {group.name: group.id for group in told.mcast_groups if group.name and group.id}
        if told.genl_cmd in LEAVING:
            for group, number in named.items():
                groups.pop(group, None)
                self.rejoin = [other for other in self.rejoin if other != number]
        else:
            self.rejoin += [
                number
                for group, number in named.items()
                if (name, group) in self.joined and groups.get(group) != number
            ]
            groups.update(named)
        family = self._families.get(name)
        if family is None or family.id is not None or told.family_id is None:
            return
        if told.genl_cmd == CTRL_CMD.CTRL_CMD_DELFAMILY:
            self.ids.pop(family, None)
            groups.clear()
        elif told.genl_cmd == CTRL_CMD.CTRL_CMD_NEWFAMILY:
            self.ids[family] = told.family_id
            self.dispatch.nest(told.family_id, family.dispatch)

    def missed(self) -> list[Family]:
        """Take in that announcements may be lost: what to ask for anew, as it has joined groups."""
        names = {name for name, _ in [*self.joined] if name != FAMILY.name}
        for name in names:  # a group may have its number again, and not its members
            self.groups.pop(name, None)
        return [self._families[name] for name in names]

    def group(self, name: str, families: Iterable[Family], *, wanted: bool) -> Steps[int]:
        """The number of a group, by its name or, where several families have one of that name, by
        both: "devlink.config". An unknown name is a LookupError that lists the known ones.

        `wanted` says whether it shall be joined again when its number changes. That of a group to
        be left is 0 where its family is gone.
        """
        families = {f.name: f for f in families}.values()
        candidates = [f for f in families if name in f.groups or name.startswith(f"{f.name}.")]
        found: list[tuple[str, str]] = []
        known: list[str] = []
        absent: KernelError | None = None
        for family in candidates or families:
            # What was announced may not have been received yet; the answer comes behind it.
            if family.name != FAMILY.name and (wanted or not self.groups.get(family.name)):
                try:
                    self.learn((yield self.question(family)))
                except KernelError as error:
                    if error.errno != errno.ENOENT:
                        raise
                    absent = error
                    self.groups.pop(family.name, None)
            # Copies, as another thread may take in what nlctrl says.
            left = [] if wanted else [pair[1] for pair in [*self.joined] if pair[0] == family.name]
            groups = dict.fromkeys(left, 0) | self.groups.get(family.name, {})
            known += [f"{family.name}.{group}" for group in groups]
            found += [
                (family.name, group)
                for group in groups
                if name in (group, f"{family.name}.{group}")
            ]
        if not found:
            if absent is not None:
                raise absent
            raise LookupError(f"no group {name!r}; there are: {', '.join(known) or 'none'}")
        if len(found) > 1:
            choice = ", ".join(".".join(pair) for pair in found)
            raise LookupError(f"group {name!r} is of several families: say which of {choice}")
        [(owner, group)] = found
        (self.joined.add if wanted else self.joined.discard)((owner, group))
        return self.groups.get(owner, {}).get(group, 0)
