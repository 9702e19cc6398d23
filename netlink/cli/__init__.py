"""The command line `netlink`: what it takes, and how it ends.

Each command is a file beside this one with a function `run(args)`, imported when it is called, so
that `netlink --help` loads no family. Exit status: 0 is fine, also where the reader of our output
went away; 1 an error, told in one line; 2 wrong usage; 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from netlink import NetlinkError, __version__
from netlink.constants import NETLINK

__all__ = ["explain", "guard", "main"]

MAX_LINKS = 32  # protocols are numbers below (linux/netlink.h)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status; SystemExit on wrong usage, as argparse does."""
    args = _parser().parse_args(arguments)
    if sys.platform != "linux" and args.command != "decode":
        print("netlink: only Linux has Netlink sockets", file=sys.stderr)
        return 1
    if sys.stdout is None:  # closed by who called us
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    return guard(lambda: import_module(f"netlink.cli.{args.command}").run(args))


def guard(work: Callable[[], int]) -> int:
    """Do the work and give its status; what goes wrong becomes one line and a status."""
    try:
        status = work()
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        status = 0
    except KeyboardInterrupt:
        status = 130
    except (NetlinkError, OSError) as error:
        print(f"netlink: {explain(error)}", file=sys.stderr)
        status = 1
    try:
        sys.stdout.flush()
    except OSError:  # else Python would meet it again at exit, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def explain(error: Exception) -> str:
    """An error in one line; a failed system call by its words and the name of its errno."""
    if isinstance(error, OSError) and not isinstance(error, NetlinkError) and error.errno:
        return f"{error.strerror} ({errno.errorcode.get(error.errno, error.errno)})"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="netlink", description="Speak with the Linux kernel over Netlink."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    text = "make links and 10,000 routes in a private network namespace, and watch it"
    commands.add_parser("demo", help=text, description=f"{text.capitalize()}.")

    text = "print the kernel's events as they come"
    monitor = commands.add_parser(
        "monitor", help=text, description=f"{text.capitalize()}. Ctrl-C ends with a summary."
    )
    monitor.add_argument(
        "groups", nargs="*", metavar="GROUP",
        help="a multicast group's name or number, such as ipv4-route, nexthop or 33 (default: "
        "links, addresses, routes and neighbours)",
    )  # fmt: skip
    form = monitor.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true",
        help='one JSON object a line: "event" is the kernel\'s name of the message or "overrun"; a '
        "link's own attribute of that name is \"ifla_event\"",
    )  # fmt: skip
    form.add_argument(
        "--rate", action="store_true", help="a meter on standard error instead of the events"
    )
    _add_bounds(monitor)

    text = "print all links, addresses, routes (of all tables) or neighbours"
    dump = commands.add_parser("dump", help=text, description=f"{text.capitalize()}.")
    dump.add_argument("object", choices=("link", "addr", "route", "neigh"))
    dump.add_argument("--json", action="store_true", help="a JSON array, with every attribute")

    text = "print the messages in a capture, a hex dump or a file of messages"
    decode = commands.add_parser(
        "decode", help=text,
        description=f"{text.capitalize()}. A capture is pcap or pcapng, taken of a device nlmon.",
    )  # fmt: skip
    decode.add_argument("file", metavar="FILE", help="the file to read, - for standard input")
    decode.add_argument(
        "--json", action="store_true",
        help='one JSON object a line: "event" is the kernel\'s name of the message, "fields" what '
        'it says, "payload" in hex what has no declared type, and "error" what is wrong with it',
    )  # fmt: skip
    decode.add_argument(
        "--protocol", type=_protocol, metavar="NAME", default=NETLINK.NETLINK_ROUTE,
        help="the protocol by name or number where the input does not tell, as captures do "
        "(default: route)",
    )  # fmt: skip
    decode.add_argument(
        "--raw", action="store_true", help="take the input for messages, whatever it looks like"
    )
    _add_genl(commands)
    return parser


def _add_genl(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "what the families of Generic Netlink are, accept and announce"
    genl = commands.add_parser("genl", help=text, description=f"Print {text}.")
    actions = genl.add_subparsers(dest="action", metavar="ACTION", required=True)

    text = "print all families: number, name, version, ops and groups"
    listing = actions.add_parser("list", help=text, description=f"{text.capitalize()}.")
    listing.add_argument("--json", action="store_true", help="a JSON array, with every attribute")

    text = "print which attributes each op of a family accepts"
    policy = actions.add_parser("policy", help=text, description=f"{text.capitalize()}.")

    text = "print the events of a family as they come"
    monitor = actions.add_parser(
        "monitor", help=text, description=f"{text.capitalize()}. Ctrl-C ends with a summary."
    )
    for parser in (policy, monitor):
        parser.add_argument("family", metavar="FAMILY", help="its name, such as nlctrl or ethtool")
    monitor.add_argument(
        "--group", action="append", metavar="GROUP", help="one of its groups (default: all)"
    )
    monitor.add_argument("--json", action="store_true", help="one JSON object a line")
    monitor.set_defaults(rate=False)
    _add_bounds(monitor)


def _add_bounds(monitor: argparse.ArgumentParser) -> None:
    monitor.add_argument("--count", type=_whole, metavar="N", help="end after N events")
    monitor.add_argument(
        "--timeout", type=_seconds, metavar="S", default="inf", help="end after S seconds in all"
    )
    monitor.add_argument(
        "--rcvbuf", type=_whole, metavar="BYTES", default=8 << 20,
        help="size of the receive buffer (default: %(default)s); without CAP_NET_ADMIN "
        "net.core.rmem_max bounds it",
    )  # fmt: skip


def _whole(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1 << 31:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 2147483647")
    return int(text)


def _protocol(text: str) -> int:
    name = f"NETLINK_{text.upper().removeprefix('NETLINK_').replace('-', '_')}"
    if name in NETLINK.__members__:
        return NETLINK[name]
    if not text.isdecimal() or int(text) >= MAX_LINKS:
        known = ", ".join(member.name.removeprefix("NETLINK_").lower() for member in NETLINK)
        raise argparse.ArgumentTypeError(f"{text!r} is no protocol; there are {known}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in seconds above 0")
    return seconds
