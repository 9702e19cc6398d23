"""The targets by name, and how a session runs each. This file imports no target.

A session must instrument the modules of the library before a target imports them. So a target is a
module's name here, and load() imports it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple


class Target(NamedTuple):
    """One target: `module` has run(data) and seeds of a kind that corpus.py knows.

    `instrumented` are modules of the library in Python whose branches guide the search. Compiled
    modules always do. `longest` is the longest input in bytes that a session tries.
    """

    module: str
    instrumented: tuple[str, ...] = ()
    longest: int = 1024

    def load(self) -> Any:
        """Import the target."""
        return import_module(self.module)


TARGETS = {
    "captures": Target(
        "tests.fuzz.captures",
        ("netlink.capture", "netlink.trace", "netlink.cli.decode", "netlink.cli.output"),
        longest=3000,
    ),
    "columns": Target("tests.fuzz.columns", longest=1600),
    "construct": Target("tests.fuzz.construct", longest=400),
    "conversation": Target("tests.fuzz.conversation", longest=400),
    "datagrams": Target("tests.fuzz.datagrams", ("netlink.trace",)),
    "framing": Target("tests.fuzz.framing"),
    "messages": Target("tests.fuzz.messages"),
    "replies": Target("tests.fuzz.replies", ("netlink.extack",), longest=800),
    "specs": Target(
        "tests.fuzz.specs",
        tuple(
            f"netlink.ynl.{name}"
            for name in ("document", "family", "grammar", "mistakes", "names", "spec", "spelling")
        ),
        longest=4000,
    ),
}
