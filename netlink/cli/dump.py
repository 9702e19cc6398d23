"""`netlink dump`: all objects of one kind, as a table or as JSON."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable, Iterator
from typing import Any

from netlink import Connection, Message, NetlinkError, Request
from netlink.cli.output import open_output
from netlink.cli.text import Names, cells
from netlink.route import FAMILY, addr, link, neigh, route

__all__ = ["run"]

REQUESTS: dict[str, Request[Any, Message]] = {
    "link": link.get(),
    "addr": addr.get(),
    "route": route.get(),
    "neigh": neigh.get(),
}


def run(args: Namespace) -> int:
    """Print what the kernel tells. An error at its end comes behind what was there before it."""
    failure: NetlinkError | None = None

    def messages() -> Iterator[Message]:
        nonlocal failure
        try:
            yield from nl.dump(REQUESTS[args.object])
        except NetlinkError as error:
            failure = error

    with Connection(FAMILY) as nl:
        if args.json:
            _print_json(messages())
        else:
            names = Names(nl)
            open_output().table(cells(message, names) for message in messages())
    if failure is not None:
        raise failure
    return 0


def _print_json(messages: Iterable[Message]) -> None:
    """One array, an object a line, each printed as it comes."""
    before = "["
    for message in messages:
        print(before, json.dumps(message.to_json()), sep="\n", end="")
        before = ","
    print("\n]" if before == "," else "[]")
