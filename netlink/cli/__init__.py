"""The command line `netlink`: its arguments and its exit status.

Each command is a file in this folder with a function `run(args)`. This file must not import one
before the user calls it, so that `netlink --help` loads no family. Exit status: 0 is success, even
if the reader closed the output early; 1 is an error of the kernel, the system or the input; 2 is a
wrong command line, whatever the machine; 130 is Ctrl-C. Errors are one line on standard error.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from netlink import NetlinkError, __version__
from netlink.constants import NETLINK
from netlink.registry import near
from netlink.render import printable

__all__ = [
    "Failure",
    "Misuse",
    "Parser",
    "add_bounds",
    "add_netns",
    "explain",
    "guard",
    "main",
    "tell",
]

MAX_LINKS = 32  # protocols are numbers below (linux/netlink.h)
NETNS_FOLDER = "/run/netns"  # where ip-netns(8) keeps named namespaces


class Failure(Exception):
    """An error whose message a command prints; the exit status is 1."""


class Misuse(Failure):
    """An argument that is wrong on any machine; the exit status is 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. Raises SystemExit if the parser refuses it."""
    args = _parser().parse_args(arguments)
    if sys.stdout is None:  # the calling program closed it
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if hasattr(sys.stdout, "reconfigure"):  # a locale may lack characters of names and ellipses
        sys.stdout.reconfigure(errors="backslashreplace")
    return guard(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if sys.platform != "linux" and args.command != "decode":
        raise Failure("only Linux has Netlink sockets")
    check_netns(args.netns)
    status: int = import_module(f"netlink.cli.{args.command}").run(args)
    return status


def guard(work: Callable[[], int]) -> int:
    """Call `work` and return its exit status. Print an error in one line, and return its status."""
    try:
        status = work()
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        status = 0
    except KeyboardInterrupt:
        status = 130
    except (Failure, NetlinkError, OSError) as error:
        tell(explain(error))
        status = 2 if isinstance(error, Misuse) else 1
    try:
        sys.stdout.flush()
    except (OSError, ValueError):  # otherwise Python flushes again at exit, and prints an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return status


def tell(text: str) -> None:
    """Print one line on standard error, if there is one."""
    if sys.stderr is not None:
        print(f"netlink: {printable(text)}", file=sys.stderr)


def explain(error: Exception) -> str:
    """Return the text of an error in one line. For a system call, include the name of the errno."""
    if isinstance(error, OSError) and not isinstance(error, NetlinkError) and error.errno:
        return f"{error.strerror} ({errno.errorcode.get(error.errno, error.errno)})"
    return " ".join(str(error).splitlines())


def check_netns(netns: str | None) -> None:
    """Raise Failure, with the nearest name, if the network namespace does not exist."""
    if netns is None:
        return
    path = netns if "/" in netns else f"{NETNS_FOLDER}/{netns}"
    if os.path.exists(path):
        return
    known: list[str] = []
    if "/" not in netns and os.path.isdir(NETNS_FOLDER):
        known = sorted(os.listdir(NETNS_FOLDER))
    raise Failure(f"no network namespace '{netns}'{near(netns, known)}")


class Parser(argparse.ArgumentParser):
    """A parser with one-line errors. With `keeps_words`, it stores its arguments in `words`."""

    def __init__(self, *, keeps_words: bool = False, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self._keeps_words = keeps_words

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the known arguments, or keep all of them if `keeps_words` is set."""
        if self._keeps_words:
            return argparse.Namespace(words=list(args)), []
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Report wrong usage and exit with status 2."""
        tell(f"{' '.join(message.splitlines())} (see: {self.prog} --help)")
        raise SystemExit(2)


def add_netns(parser: argparse.ArgumentParser, **options: Any) -> None:
    """Add the option -n, which names the network namespace of a command."""
    parser.add_argument(
        "-n", "--netns", metavar="NETNS", **options,
        help="work in a network namespace: its name in ip-netns(8), or a path such as "
        "/proc/4711/ns/net",
    )  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="netlink", description="Talk to the Linux kernel over Netlink.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    add_netns(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str, more: str = "") -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=f"{text.capitalize()}.{more}")
        add_netns(made, default=argparse.SUPPRESS)
        return made

    command("demo", "make links and 10,000 routes in a private network namespace, and watch it")

    monitor = command("monitor", "print the kernel's events as they arrive", ENDS)
    monitor.add_argument(
        "groups", nargs="*", metavar="GROUP",
        help="a multicast group of the route family by name or number, such as ipv4-route, "
        "RTNLGRP_NEXTHOP or 33; or route, addr, rule (IPv4 and IPv6), uevent (devices), "
        "proc (processes), tcp or udp (destroyed sockets), "
        "conntrack or expect (connections), audit (the log) "
        "(default: links, addresses, routes and neighbours)",
    )  # fmt: skip
    monitor.add_argument(
        "--where", action="append", default=[], metavar="CONDITION",
        help="print only the events for which this is true, such as 'table == 254 and oif in "
        "(3, 4)'; the kernel drops all others. With several groups: 'route: table == 254'",
    )  # fmt: skip
    form = monitor.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true",
        help='one JSON object per line: "event" is the kernel\'s name of the message or "overrun"; '
        'a link\'s own attribute of that name is "ifla_event"; "bridge_port" is true for a message '
        "about a link as a bridge port, which is not about the link itself",
    )  # fmt: skip
    form.add_argument(
        "--rate", action="store_true", help="a meter on standard error instead of the events"
    )
    add_bounds(monitor)

    # dump has options that depend on the object, so it parses its arguments itself.
    text = "print all objects of one kind, such as link or route"
    commands.add_parser("dump", help=text, keeps_words=True)

    decode = command(
        "decode", "print the messages in a capture, a hex dump or a file of messages",
        " A capture is pcap or pcapng, made on a device of kind nlmon.",
    )  # fmt: skip
    decode.add_argument("file", metavar="FILE", help="the file to read, - for standard input")
    decode.add_argument(
        "--json", action="store_true",
        help='one JSON object per line: "event" is the kernel\'s name of the message, "fields" its '
        'values, "payload" the hexadecimal bytes of a message without a declared type, and "error" '
        "what is wrong with it",
    )  # fmt: skip
    decode.add_argument(
        "--protocol", type=_protocol, metavar="NAME", default=NETLINK.NETLINK_ROUTE,
        help="the protocol by name or number, for input that does not name it as captures do "
        "(default: route)",
    )  # fmt: skip
    decode.add_argument(
        "--raw", action="store_true", help="read the input as messages, whatever it looks like"
    )
    _add_genl(commands)
    # The file comes before the action, so ynl parses its arguments itself.
    text = "make requests of any family that a spec of the kernel (YAML) describes"
    commands.add_parser("ynl", help=text, keeps_words=True)
    return parser


ENDS = " It ends with a summary, also after Ctrl-C."


def _add_genl(commands: argparse._SubParsersAction[Parser]) -> None:
    text = "show the families of Generic Netlink: what they are, accept and announce"
    genl = commands.add_parser("genl", help=text, description=f"{text}.")
    add_netns(genl, default=argparse.SUPPRESS)
    actions = genl.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str, more: str = "") -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=text, description=f"{text.capitalize()}.{more}")
        add_netns(made, default=argparse.SUPPRESS)
        return made

    listing = action("list", "print all families: number, name, version, ops and groups")
    listing.add_argument("--json", action="store_true", help="a JSON array, with every attribute")
    listing.add_argument("--wide", action="store_true", help="do not cut long cells")
    policy = action("policy", "print which attributes each op of a family accepts")
    monitor = action("monitor", "print the events of a family as they arrive", ENDS)
    for parser in (policy, monitor):
        parser.add_argument("family", metavar="FAMILY", help="its name, such as nlctrl or ethtool")
    monitor.add_argument(
        "--group", action="append", metavar="GROUP", help="one of its groups (default: all)"
    )
    monitor.add_argument("--json", action="store_true", help="one JSON object per line")
    monitor.set_defaults(rate=False)
    add_bounds(monitor)


def add_bounds(monitor: argparse.ArgumentParser) -> None:
    """Add the options that bound a monitor: number of events, seconds, and receive buffer."""
    monitor.add_argument("--count", type=_whole, metavar="N", help="end after N events")
    monitor.add_argument(
        "--timeout", type=_seconds, metavar="S", default="inf", help="end after S seconds in all"
    )
    monitor.add_argument(
        "--rcvbuf", type=_whole, metavar="BYTES", default=8 << 20,
        help="size of the receive buffer (default: %(default)s); without CAP_NET_ADMIN, "
        "net.core.rmem_max limits it",
    )  # fmt: skip


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text[:20]) < 1 << 31:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to 2147483647")
    return int(text)


def _protocol(text: str) -> int:
    name = f"NETLINK_{text.upper().removeprefix('NETLINK_').replace('-', '_')}"
    if name in NETLINK.__members__:
        return NETLINK[name]
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) >= MAX_LINKS:
        known = [member.name.removeprefix("NETLINK_").lower() for member in NETLINK]
        raise argparse.ArgumentTypeError(f"'{text}' is not a protocol{near(text, known)}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time in seconds above 0")
    return seconds
