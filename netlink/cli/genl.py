"""`netlink genl`: list the families of Generic Netlink, and print their policies and events.

It must also work for a family that this library does not declare: then it prints attributes by
number and values in hex.
"""

from __future__ import annotations

import errno
import json
from argparse import Namespace
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TypeVar

from netlink import (
    Connection,
    DecodeError,
    Family,
    KernelError,
    Overrun,
    Plan,
    RawMessage,
    iter_attributes,
)
from netlink.cli import Failure
from netlink.cli.monitor import join, object_of, watch
from netlink.cli.namespace import connect
from netlink.cli.screen import open_output
from netlink.cli.text import Event
from netlink.constants import KernelEnum
from netlink.generic import find_family, list_families, nlctrl, policy
from netlink.generic.nlctrl import Ctrl
from netlink.registry import FAMILIES, near

__all__ = ["run"]

GENL_HDRLEN = 4

T = TypeVar("T")


class UNKNOWN_CMD(KernelEnum):
    """Commands of a family that this library does not declare."""


def run(args: Namespace) -> int:
    """Run one of the actions list, policy and monitor."""
    work: dict[str, Callable[[Namespace], int]] = {
        "list": _list,
        "policy": _policy,
        "monitor": _monitor,
    }
    return work[args.action](args)


def _list(args: Namespace) -> int:
    with connect(args.netns, nlctrl.FAMILY) as nl:
        families = nl.do(list_families())
    if args.json:
        print(json.dumps([family.to_json() for family in families], indent=1))
    else:
        open_output(wide=args.wide).table(
            {
                "id": str(family.family_id),
                "name": family.family_name or "",
                "version": str(family.version),
                "ops": str(len(family.ops)),
                "groups": " ".join(group.name or "" for group in family.mcast_groups),
            }
            for family in families
        )
    return 0


def _policy(args: Namespace) -> int:
    name = _kernel_name(args.family)
    with connect(args.netns, nlctrl.FAMILY) as nl:
        policies = _ask(nl, name, policy(name))
    output = open_output()
    for line in policies.pretty(_declared(name)).splitlines():
        output.line(line)
    return 0


def _monitor(args: Namespace) -> int:
    name = _kernel_name(args.family)
    began = monotonic()
    with connect(args.netns, nlctrl.FAMILY) as nl:
        found = _ask(nl, name, find_family(name))
    known = [group.name for group in found.mcast_groups if group.name]
    if not known:
        raise Failure(f"family '{name}' has no group to listen to")
    for group in args.group or ():
        if group not in known:
            raise Failure(f"family '{name}' has no group '{group}'{near(group, known)}")
    family = _declared(name, args.group or known) or Family(name, types=UNKNOWN_CMD, groups=known)
    with connect(args.netns, family, rcvbuf=args.rcvbuf) as nl:
        for group in args.group or known:
            join(nl, f"{name}.{group}")
        return watch([nl], _json(found) if args.json else _text(found), args, began)


def _ask(nl: Connection, name: str, plan: Plan[T]) -> T:
    """Return nlctrl's entry of a family. Raise Failure, with the nearest name, if it has none."""
    try:
        return nl.do(plan)
    except KernelError as error:
        if error.errno == errno.ENODATA:
            raise Failure(f"family '{name}' has no policy") from None
        if error.errno != errno.ENOENT:
            raise
    known = [family.family_name for family in nl.do(list_families()) if family.family_name]
    raise Failure(f"the kernel has no family '{name}'{near(name, known)}")


def _kernel_name(name: str) -> str:
    """Return the kernel's name of a family that has another name in this library."""
    return next((e.kernel_name for e in FAMILIES if e.kernel_name and e.name == name), name)


def _declared(name: str, groups: Iterable[str] = ()) -> Family | None:
    """Return the declared family with this name in the kernel, or None.

    If there are several, it is the one that has these groups, or else the first one.
    """
    found = [entry.load() for entry in FAMILIES if entry.kernel_name == name]
    return next((family for family in found if {*groups} <= {*family.groups}), (*found, None)[0])


def _json(found: Ctrl) -> Callable[[list[Event]], None]:
    def show(events: list[Event]) -> None:
        for event in events:
            fields = object_of(event)
            if isinstance(event, RawMessage):
                fields["event"] = _command(event)
            print(json.dumps(fields))

    return show


def _text(found: Ctrl) -> Callable[[list[Event]], None]:
    output = open_output()

    def show(events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Overrun):
                output.line(f"OVERRUN {event}")
            elif isinstance(event, RawMessage):
                output.line(_command(event))
                for line in _attributes(event, found.hdrsize or 0):
                    output.line(line)
            else:
                for line in event.pretty().splitlines():
                    output.line(line)

    return show


def _command(event: RawMessage) -> str:
    return f"command {event.payload[0]}" if event.payload else "no command"


def _attributes(event: RawMessage, header_size: int) -> list[str]:
    """Return the attributes by number, up to the first one with a wrong length."""
    lines = []
    start = GENL_HDRLEN + (header_size + 3 & ~3)
    try:
        for attribute in iter_attributes(event.payload[start:]):
            lines.append(f"    #{attribute.type}  {attribute.payload.hex(' ')}")
    except DecodeError as error:
        lines.append(f"    {error}")
    return lines
