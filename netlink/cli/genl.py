"""`netlink genl`: the families of Generic Netlink, what they accept, and what they announce.

A family that this library does not declare is shown all the same: its attributes by number, its
values in hex.
"""

from __future__ import annotations

import json
import pkgutil
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from time import monotonic

from netlink import (
    Connection,
    DecodeError,
    Family,
    KernelError,
    Overrun,
    RawMessage,
    generic,
    iter_attributes,
)
from netlink.cli.monitor import object_of, watch
from netlink.cli.output import open_output
from netlink.cli.text import Event
from netlink.constants import KernelEnum
from netlink.generic import find_family, list_families, nlctrl, policy
from netlink.generic.nlctrl import Ctrl

__all__ = ["run"]

GENL_HDRLEN = 4


class UNKNOWN_CMD(KernelEnum):
    """The commands of a family that nobody declared."""


def run(args: Namespace) -> int:
    """Do one of list, policy and monitor."""
    work: dict[str, Callable[[Namespace], int]] = {
        "list": _list,
        "policy": _policy,
        "monitor": _monitor,
    }
    return work[args.action](args)


def _list(args: Namespace) -> int:
    with Connection(nlctrl.FAMILY) as nl:
        families = nl.do(list_families())
    if args.json:
        print(json.dumps([family.to_json() for family in families], indent=1))
    else:
        open_output().table(
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
    with Connection(nlctrl.FAMILY) as nl:
        try:
            policies = nl.do(policy(args.family))
        except KernelError as error:
            raise SystemExit(f"netlink: {args.family}: {error}") from None
    output = open_output()
    for line in policies.pretty(_declared(args.family)).splitlines():
        output.line(line)
    return 0


def _monitor(args: Namespace) -> int:
    family = _declared(args.family) or Family(args.family, types=UNKNOWN_CMD, ops=())
    began = monotonic()
    with Connection(family, rcvbuf=args.rcvbuf) as nl:
        try:
            told = nl.do(find_family(args.family))
        except KernelError as error:
            raise SystemExit(f"netlink: {args.family}: {error}") from None
        names = args.group or [group.name for group in told.mcast_groups]
        if not names:
            raise SystemExit(f"netlink: family {args.family!r} has no group to listen to")
        groups = [f"{args.family}.{name}" for name in names]
        return watch(nl, groups, _json(told) if args.json else _text(told), args, began)


def _declared(name: str) -> Family | None:
    """The family of a name, where this library declares it."""
    for module in pkgutil.iter_modules(generic.__path__, f"{generic.__name__}."):
        family = getattr(import_module(module.name), "FAMILY", None)
        if family is not None and family.name == name:
            found: Family = family
            return found
    return None


def _json(told: Ctrl) -> Callable[[list[Event]], None]:
    def show(events: list[Event]) -> None:
        for event in events:
            fields = object_of(event)
            if isinstance(event, RawMessage):
                fields["event"] = _command(event)
            print(json.dumps(fields))

    return show


def _text(told: Ctrl) -> Callable[[list[Event]], None]:
    output = open_output()

    def show(events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Overrun):
                output.line(f"OVERRUN {event}")
            elif isinstance(event, RawMessage):
                output.line(_command(event))
                for line in _attributes(event, told.hdrsize or 0):
                    output.line(line)
            else:
                for line in event.pretty().splitlines():
                    output.line(line)

    return show


def _command(event: RawMessage) -> str:
    return f"command {event.payload[0]}" if event.payload else "no command"


def _attributes(event: RawMessage, header_size: int) -> list[str]:
    """The attributes by number, as far as they are framed rightly."""
    lines = []
    start = GENL_HDRLEN + (header_size + 3 & ~3)
    try:
        for attribute in iter_attributes(event.payload[start:]):
            lines.append(f"    #{attribute.type}  {attribute.payload.hex(' ')}")
    except DecodeError as error:
        lines.append(f"    {error}")
    return lines
