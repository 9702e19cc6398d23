"""`netlink ynl`: requests and events of any family that a spec of the kernel describes.

Names are those of the spec, as in the kernel's own client for specs: JSON in, JSON out. This file
must not know how a spec becomes a family: netlink.ynl does that.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any

from netlink import Connection, EncodeError, KernelError, Overrun, RawMessage, Request
from netlink.cli import Failure, Misuse, Parser, add_bounds, add_netns, check_netns, explain, tell
from netlink.cli.monitor import join, watch
from netlink.cli.namespace import connect
from netlink.cli.screen import open_output
from netlink.cli.text import Event
from netlink.constants import NLM_F
from netlink.generic import find_family, nlctrl
from netlink.registry import near

if TYPE_CHECKING:
    from netlink.ynl import SpecFamily, SpecOp

__all__ = ["run"]

PROG = "netlink ynl"
USAGE = """\
netlink ynl SPEC
       netlink ynl SPEC do OP [JSON] [--create] [--replace] [--excl] [--append]
       netlink ynl SPEC dump OP [JSON]
       netlink ynl SPEC monitor [GROUP ...] [--count N] [--timeout S]
       netlink ynl draft SPEC"""
FLAGS = {
    "create": NLM_F.NLM_F_CREATE,
    "replace": NLM_F.NLM_F_REPLACE,
    "excl": NLM_F.NLM_F_EXCL,
    "append": NLM_F.NLM_F_APPEND,
}


def run(args: argparse.Namespace) -> int:
    """Run one of the actions do, dump, monitor and draft; without one, list the ops."""
    began = monotonic()
    options = _read(args)
    check_netns(options.netns)
    family = _load(options.spec, is_listed=options.action is None)
    work: dict[str | None, Callable[[], int]] = {
        None: lambda: _list(family),
        "do": lambda: _do(family, options),
        "dump": lambda: _dump(family, options),
        "monitor": lambda: _monitor(family, options, began),
        "draft": lambda: _draft(family),
    }
    return work[options.action]()


def _read(args: argparse.Namespace) -> argparse.Namespace:
    words = list(args.words)
    if words[:1] == ["draft"]:  # the one action that may come before the file
        words = [words[1], "draft", *words[2:]] if words[1:] else []
    parser = Parser(
        prog=PROG,
        usage=USAGE,
        description="Make requests and print events of a family that a spec of the kernel (YAML) "
        "describes. Names and JSON are those of the spec. Without an action, list the ops.",
    )
    parser.add_argument("spec", metavar="SPEC", help="the file, such as ethtool.yaml")
    add_netns(parser, default=argparse.SUPPRESS)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", prog=f"{PROG} SPEC")

    def action(name: str, text: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=text, description=f"{text.capitalize()}.")
        add_netns(made, default=argparse.SUPPRESS)
        return made

    do = action("do", "make a request and print the answer as JSON, or null")
    for name in FLAGS:
        do.add_argument(f"--{name}", action="store_true", help=f"set NLM_F_{name.upper()}")
    dump = action("dump", "print all answers as a JSON array")
    for each in (do, dump):
        each.add_argument("op", metavar="OP", help="an op of the spec, such as features-get")
        each.add_argument(
            "values", metavar="JSON", nargs="?", default="{}",
            help='the attributes of the request, such as \'{"header": {"dev-name": "eth0"}}\'; '
            "- reads them from standard input",
        )  # fmt: skip
    monitor = action("monitor", "print events as they arrive, one JSON object per line")
    monitor.add_argument(
        "groups", nargs="*", metavar="GROUP", help="multicast groups by name (default: all)"
    )
    add_bounds(monitor)
    action("draft", "print Python source that declares the family, to be maintained by hand")
    return parser.parse_args(words, argparse.Namespace(netns=args.netns, rate=False))


def _load(path: str, *, is_listed: bool) -> SpecFamily:
    """Load a spec. What it has and the loader ignores is reported when its ops are listed."""
    try:
        from netlink import ynl
    except ImportError as error:
        raise Failure(str(error)) from None
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            family = ynl.load(path)
        except OSError as error:
            raise Failure(f"cannot read '{path}': {explain(error)}") from None
    if is_listed:
        for each in found:
            tell(str(each.message))
    return family


# --- actions --------------------------------------------------------------------------------------


def _list(family: SpecFamily) -> int:
    output = open_output()
    rows = []
    for op in family.spec.ops:
        calls = [name for name in ("do", "dump") if name in op.entry] or [op.kind]
        number = op.request if op.request is not None else next(iter(op.replies), None)
        rows.append(
            {
                "op": op.name,
                "calls": " ".join(calls),
                "number": "" if number is None else str(number),
                "description": " ".join(op.entry.get("doc", "").split()),
            }
        )
    output.table(rows)
    if family.groups:
        output.heading(f"Multicast groups: {', '.join(family.groups)}")
    return 0


def _do(family: SpecFamily, options: argparse.Namespace) -> int:
    op = _op(family, options.op)
    flags = NLM_F(0)
    for name, flag in FLAGS.items():
        flags |= flag if getattr(options, name) else 0
    request = _request(op.using(flags) if flags else op, options.values)
    with _connect(family, options.netns) as nl:
        answer = nl.do(request)
    print(json.dumps(_spelled(answer), indent=1))
    return 0


def _dump(family: SpecFamily, options: argparse.Namespace) -> int:
    request = _request(_op(family, options.op), options.values)
    failure: KernelError | None = None
    with _connect(family, options.netns) as nl:
        before = "["
        try:
            for message in nl.dump(request):
                print(before, json.dumps(_spelled(message)), sep="\n", end="")
                before = ","
        except KernelError as error:
            failure = error
    print("\n]" if before == "," else "[]")
    if failure is not None:
        raise failure
    return 0


def _monitor(family: SpecFamily, options: argparse.Namespace, began: float) -> int:
    groups = [*options.groups] or _groups(family, options.netns)
    names = {n: op.name for op in family.spec.ops if op.kind != "call" for n in op.replies}

    def show(events: list[Event]) -> None:
        for event in events:
            print(json.dumps(_event(event, names)))

    with _connect(family, options.netns, rcvbuf=options.rcvbuf) as nl:
        for group in groups:
            join(nl, f"{family.name}.{group}" if family.is_generic else group)
        return watch([nl], show, options, began)


def _draft(family: SpecFamily) -> int:
    from netlink.ynl.draft import draft

    print(draft(family), end="")
    return 0


# --- parts ----------------------------------------------------------------------------------------


def _op(family: SpecFamily, name: str) -> SpecOp:
    try:
        return family.op[name]
    except KeyError:
        known = [op.name for op in family.spec.ops if op.kind == "call"]
        raise Misuse(f"{family.name} has no op '{name}'{near(name, known)}") from None


def _request(op: SpecOp, text: str) -> Request[Any, Any]:
    """Return the request of an op with the attributes in a JSON text."""
    from netlink.ynl.spelling import arguments

    try:
        given = json.loads(sys.stdin.read() if text == "-" else text)
    except (ValueError, RecursionError) as error:  # the text may be nested too deeply
        raise Misuse(f"JSON expected: {error}") from None
    try:
        return op(**arguments(op.request, given))
    except EncodeError as error:
        raise Misuse(explain(error)) from None


def _spelled(answer: Any) -> Any:
    from netlink.ynl.spelling import spelled

    if answer is None:
        return None
    return [*map(spelled, answer)] if isinstance(answer, list) else spelled(answer)


def _event(event: Event, names: dict[int, str]) -> dict[str, Any]:
    if isinstance(event, Overrun):
        return {"name": "overrun"}
    if isinstance(event, RawMessage):
        return {"name": f"#{event.type}", "payload": event.payload.hex()}
    number = event.nlmsg_type if event.genl_cmd is None else event.genl_cmd
    name = names.get(number) if number is not None else None
    return {"name": name or event.nlmsg_name, "msg": _spelled(event)}


def _groups(family: SpecFamily, netns: str | None) -> Iterable[str]:
    """Return all groups of a family. Those of a generic family are the kernel's, as specs may
    lack some."""
    if not family.is_generic:
        found = [*family.groups]
    else:
        with connect(netns, nlctrl.FAMILY) as nl:
            groups = nl.do(find_family(family.name)).mcast_groups
        found = [group.name for group in groups if group.name]
    if not found:
        raise Failure(f"family '{family.name}' has no group to listen to")
    return found


def _connect(family: SpecFamily, netns: str | None, **options: Any) -> Connection:
    if family.name == nlctrl.FAMILY.name:
        raise Failure("every connection has nlctrl already: use netlink dump nlctrl.family")
    return connect(netns, family, **options)
