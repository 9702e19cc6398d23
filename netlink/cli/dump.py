"""`netlink dump`: all objects of one kind, as a table or as JSON.

This file parses the arguments, sends the requests and prints the replies. It must not know a single
kind of object: objects.py declares the objects and their filters, and text.py builds the rows.
"""

from __future__ import annotations

import argparse
import errno
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, NoReturn

from netlink import Connection, EncodeError, KernelError, Message, NetlinkError, Op, Request
from netlink.cli import Failure, Misuse, Parser, add_netns, check_netns, explain
from netlink.cli.namespace import connect
from netlink.cli.objects import Filter, Noun, all_nouns, is_integer, noun
from netlink.cli.output import Row
from netlink.cli.screen import open_output
from netlink.cli.text import Names, has_columns, rows_of, statistics_of
from netlink.constants import AF, short_names, spellings
from netlink.registry import load, near
from netlink.route.rtnetlink import RTEXT_FILTER

__all__ = ["run"]

PROG = "netlink dump"
FAMILIES = {"-4": AF.AF_INET, "-6": AF.AF_INET6, "-B": AF.AF_BRIDGE, "-M": AF.AF_MPLS}
SKIP_STATS = RTEXT_FILTER.RTEXT_FILTER_SKIP_STATS
SETTINGS = {"all": -1, "default": -2}  # NETCONFA_IFINDEX_* of linux/netconf.h


def run(args: argparse.Namespace) -> int:
    """Print the objects that the kernel sends. If the dump fails, print the error after them."""
    wanted, options = _read(args)
    check_netns(options.netns)
    op = wanted.load()
    family = op.family
    assert family is not None  # load() returned an op of a family
    route = load("route")  # it can resolve names of links
    with ExitStack() as open_until_the_end:
        nl = open_until_the_end.enter_context(connect(options.netns, family))

        def asked() -> Connection:
            if family is route:
                return nl
            return open_until_the_end.enter_context(connect(options.netns, route))

        names = Names(asked)
        dump = Dump(wanted, op, nl, names, options)
        if options.json:
            _print_json(dump)
        else:
            output = open_output(wide=options.wide)
            output.table(dump.rows(), hide_empty=not has_columns(op.dump))
    if dump.failure is not None:
        raise dump.failure
    return 0


# --- arguments ------------------------------------------------------------------------------------


def _read(args: argparse.Namespace) -> tuple[Noun, argparse.Namespace]:
    """Return the noun and its options."""
    words = list(args.words)
    common = Parser(prog=PROG, add_help=False)
    _add_common(common)
    common.add_argument("-h", "--help", action="store_true", help="show this help, or a noun's")
    name = next(iter(_plain_words(words)), None)
    if name is None:
        if {"-h", "--help"} & set(words):
            print(_help(common))
            raise SystemExit(0)
        common.error("expected an object, such as link, addr or route")
    try:
        found = noun(name)
    except LookupError as error:
        common.error(error.args[0])
    words.remove(name)
    parser = _parser(found)
    options, unknown = parser.parse_known_args(words, argparse.Namespace(netns=args.netns))
    if unknown:
        _refuse(parser, found, unknown[0])
    if options.statistics and not found.has_statistics:
        parser.error(f"dump {found.name} has no statistics; leave out -s")
    if options.family is not None and not found.has_family:
        parser.error(f"dump {found.name} has no address family to choose")
    return found, options


def _plain_words(words: list[str]) -> Iterator[str]:
    """Yield the words that are neither an option nor the value of a common option."""
    remaining = iter(words)
    for word in remaining:
        if word in ("-n", "--netns", "--family"):
            next(remaining, None)
        elif not word.startswith("-"):
            yield word


def _add_common(parser: argparse.ArgumentParser, found: Noun | None = None) -> None:
    """Add the options of every dump. The help of a noun hides those that it refuses."""
    hidden = argparse.SUPPRESS
    add_netns(parser, default=hidden)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a JSON array, with every attribute")
    form.add_argument("--wide", action="store_true", help="do not cut long cells on a terminal")
    has_statistics = found is None or found.has_statistics
    parser.add_argument(
        "-s", "--statistics", action="store_true",
        help="show statistics too" if has_statistics else hidden,
    )  # fmt: skip
    has_family = found is None or found.has_family
    families = parser.add_mutually_exclusive_group()
    for option, family in FAMILIES.items():
        families.add_argument(
            option, dest="family", action="store_const", const=family,
            help=f"those of {family.name}" if has_family else hidden,
        )  # fmt: skip
    families.add_argument(
        "--family", type=_address_family, metavar="NAME",
        help="those of another address family, such as mpls" if has_family else hidden,
    )  # fmt: skip


def _parser(found: Noun) -> Parser:
    parser = Parser(
        prog=f"{PROG} {found.name}", description=f"Print {found.help}.", usage="%(prog)s [options]"
    )
    _add_common(parser, found)
    filters = parser.add_argument_group("filters")
    for row in found.filters:
        options: dict[str, Any] = {"metavar": METAVARS.get(row.value, "VALUE"), "action": Once}
        if row.value == "flag":
            options = {"action": "store_true"}
        filters.add_argument(
            f"--{row.name}", dest=f"filter {row.name}", help=row.help.replace("%", "%%"),
            required=row.required, **options,
        )  # fmt: skip
    return parser


METAVARS = {"link": "DEV", "address": "ADDRESS", "prefix": "PREFIX", "handle": "HANDLE",
            "number": "N", "settings": "DEV"}  # fmt: skip


class Once(argparse.Action):
    """Store the value of an option, and refuse to give the option twice."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        """Store the value."""
        if getattr(namespace, self.dest) is not None:
            parser.error(f"{option} was given before")
        setattr(namespace, self.dest, values)


def _refuse(parser: Parser, found: Noun, word: str) -> NoReturn:
    if not word.startswith("-"):
        parser.error(f"unexpected argument '{word}'; dump takes one object, and filters as --NAME")
    option = word.partition("=")[0]
    known = [f"--{row.name}" for row in found.filters]
    common = ["--json", "--wide", "--statistics", "--netns", "--family"]
    hint = near(option, [*known, *common]) if known else "; it has none"
    parser.error(f"dump {found.name} has no filter '{option}'{hint}")


def _help(common: Parser) -> str:
    """Return the help of `netlink dump`: all objects, also those generated from the schema."""
    nouns = all_nouns()
    width = max(map(len, nouns))
    lines = [
        "usage: netlink dump [options] OBJECT [filters]",
        "",
        "Print all objects of one kind as a table. `netlink dump OBJECT --help` lists the filters.",
        "",
        "objects:",
        *(f"  {name:{width}}  {row.help}" for name, row in nouns.items()),
        "",
        common.format_help().partition("\n\n")[2],
    ]
    return "\n".join(lines).rstrip()


def _address_family(text: str) -> int:
    names = {member.name.removeprefix("AF_").lower(): member for member in AF}
    word = text.lower().removeprefix("af_")
    if word in names:
        return names[word]
    if text.isascii() and text.isdecimal() and int(text[:5]) < 256:
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not an address family{near(word, names)}")


# --- requests and answers -------------------------------------------------------------------------


@dataclass
class Dump:
    """The messages of a noun that match the filters. Iteration sends the requests.

    After iteration, `failure` is the error that ended the dump early, or None.
    """

    noun: Noun
    op: Op[..., Any, Message]
    nl: Connection
    names: Names
    options: argparse.Namespace
    failure: NetlinkError | None = field(default=None, init=False)

    def __iter__(self) -> Iterator[Message]:
        filters = dict(self._filters())
        requests = self._requests(self._fields(filters), filters)
        try:
            for request in requests:
                for message in self.nl.dump(request):
                    if all(row.accepts(message, value) for row, value in filters.items()):
                        yield message
        except NetlinkError as error:
            self.failure = error
            if isinstance(error, KernelError) and not has_columns(self.op.dump):
                self._explain(error)

    def rows(self) -> Iterator[Row]:
        """Yield the rows of a table."""
        for message in self:
            rows = rows_of(message, self.names)
            if self.options.statistics:
                more = statistics_of(message)
                rows = [row | counted for row, counted in zip(rows, more, strict=True)]
            yield from rows

    def _filters(self) -> Iterator[tuple[Filter, Any]]:
        """Yield the filters that the user gave, each with its value."""
        for row in self.noun.filters:
            text = getattr(self.options, f"filter {row.name}")
            if text is not None and text is not False and (not row.every or text != row.every):
                yield row, self._value(row, text)

    def _fields(self, filters: dict[Filter, Any]) -> dict[str, Any]:
        """Return the fields of the request."""
        fields = dict(self.noun.request)
        if self.options.statistics:
            fields |= self.noun.counted
        elif not self.options.json:
            fields |= self.noun.plain
        if self.options.family is not None:
            fields["family"] = self.options.family
        for row, value in filters.items():
            _merge(fields, row.fields(value))
        return fields

    def _requests(
        self, fields: dict[str, Any], filters: dict[Filter, Any]
    ) -> Iterator[Request[Any, Message]]:
        """Yield the requests: several if the kernel can dump only by link, qdisc or family."""
        given = {row.name for row in filters}
        if self.noun.each == "family":
            for family in [fields["family"]] if "family" in fields else (AF.AF_INET, AF.AF_INET6):
                yield self.op(**{**fields, "family": family})
            return
        if not self.noun.each or "block" in given:
            yield self._request(fields)
            return
        for index in [fields["ifindex"]] if "dev" in given else self._links():
            if self.noun.each == "link" or "parent" in given:
                yield self._request({**fields, "ifindex": index})
                continue
            for parent in self._hooks(index):
                yield self._request({**fields, "ifindex": index, "parent": parent})

    def _request(self, fields: dict[str, Any]) -> Request[Any, Message]:
        try:
            return self.op(**fields)
        except EncodeError as error:  # a number that does not fit
            raise Misuse(explain(error)) from None

    def _links(self) -> list[int]:
        from netlink.route import link

        return [found.index for found in self.nl.dump(link.get(ext_mask=SKIP_STATS)).all()]

    def _hooks(self, index: int) -> Iterator[int]:
        """Yield the possible parents of filters: a link's qdiscs, and the hooks of a clsact."""
        from netlink.route.tc import qdisc
        from netlink.route.tc.tcmsg import handle

        for found in self.nl.dump(qdisc.get()).all():
            if found.ifindex == index and found.handle:
                is_clsact = found.kind == "clsact"
                yield from (handle("ingress"), handle("egress")) if is_clsact else (found.handle,)

    def _explain(self, error: KernelError) -> None:
        """Add a hint about filters to an error: the schema does not state which are required."""
        if error.errno in (errno.EINVAL, errno.EOPNOTSUPP) and self.noun.filters:
            text = f"{explain(error)}; this dump may need filters: {PROG} {self.noun.name} --help"
            self.failure = _Told(text)

    # --- values of filters ---

    def _value(self, row: Filter, text: Any) -> Any:
        try:
            match row.value:
                case "flag":
                    return True
                case "link":
                    return self._link(text)
                case "settings":
                    return SETTINGS.get(text) or self._link(text)
                case "number":
                    return _number(None, text)
                case "address":
                    return _address(text)
                case "prefix":
                    return _prefix(text)
                case "handle":
                    return _handle(text)
                case "text":
                    return text
            return self._declared(row, text)
        except ValueError as error:
            raise Misuse(f"--{row.name}: {explain(error)}") from None

    def _link(self, text: str) -> int:
        from netlink.route import link

        nl = self.names.nl
        try:
            return nl.do(link.index_of(text))
        except OSError as error:
            if error.errno not in (errno.ENODEV, None):
                raise
        if text.isascii() and text.isdecimal() and 0 < int(text[:20]) < 1 << 31:
            with suppress(KernelError):
                return nl.do(link.get(index=int(text))).index
        known = [found.ifname for found in nl.dump(link.get(ext_mask=SKIP_STATS)) if found.ifname]
        raise Failure(f"there is no link '{text}'{near(text, known)}")

    def _declared(self, row: Filter, text: str) -> Any:
        """Return the value of a declared field for the text that the user gave."""
        cls: Any = self.op.request if row.sent else self.op.dump
        *above, last = (row.sent or row.seen).split(".")
        for name in above:
            cls = cls.__table__.names[name].message
        declared = cls.__table__.names[last]
        if declared.kind_name == "address":
            return _address(text)
        if declared.kind_name in ("mac", "lladdr"):
            return getattr(cls(**{last: text}), last)  # converted as the message does it
        if declared.kind_name == "binary":
            return bytes.fromhex(text)
        if declared.kind_name == "labels":
            return tuple(int(label) for label in text.split("/"))
        return _number(declared.enum, text) if is_integer(declared.kind_name) else text


class _Told(NetlinkError):
    """The kernel's error, with a hint."""


def _merge(fields: dict[str, Any], more: Any) -> None:
    """Merge fields into those of a request, at every level of nested messages."""
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(fields.get(name), dict):
            _merge(fields[name], value)
        else:
            fields[name] = value


def _address(text: str) -> Any:
    address = ip_address(text)
    if getattr(address, "scope_id", None):
        raise ValueError(f"'{text}' names a link; leave out its zone, and use --dev")
    return address


def _number(enum: Any, text: str) -> int:
    """Return the value of a number or a kernel name. Names of bits are separated by commas."""
    try:
        return int(text, 16) if text.lower().startswith("0x") else int(text[:30])
    except ValueError:
        if enum is None:
            raise ValueError(f"'{text}' is not a number") from None
    names = dict(short_names(enum))
    if enum.__name__ == "RT_SCOPE":
        names["global"] = names["universe"]  # as ip(8) calls it
    value = 0
    for word in text.split(","):
        name = word.strip().lower()
        if name not in names and name not in spellings(enum):
            raise ValueError(f"'{word}' is not in {enum.__name__}{near(name, names)}")
        value |= names[name] if name in names else spellings(enum)[name]
    return value


def _prefix(text: str) -> tuple[Any, int]:
    if text == "default":
        return None, 0
    network = ip_network(text, strict=False)
    return (network.network_address, network.prefixlen) if network.prefixlen else (None, 0)


def _handle(text: str) -> int:
    from netlink.route.tc.tcmsg import handle

    return handle(text)


# --- JSON -----------------------------------------------------------------------------------------


def _print_json(messages: Iterable[Message]) -> None:
    """Print one JSON array with an object per line, each as soon as it arrives."""
    before = "["
    for message in messages:
        print(before, json.dumps(message.to_json()), sep="\n", end="")
        before = ","
    print("\n]" if before == "," else "[]")
