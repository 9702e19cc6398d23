"""What iproute2 shows of a message: a language of tables, and the comparison with its output.

A table has one row for each field of iproute2's JSON. The row says which of our fields it is made
from. The tests that use it are in the test_*.py files beside it; this module contains none.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from netlink import Connection
from netlink.route import FAMILY, link

if shutil.which("ip") is None or shutil.which("bridge") is None:
    pytest.skip("iproute2 is not installed", allow_module_level=True)

Json = dict[str, Any]


class Absent:
    """The value of a key that ip does not show. A null is a value that it shows."""

    def __bool__(self) -> bool:
        return False


ABSENT: Any = Absent()
USER_HZ = 100  # clock ticks a second, everywhere (asm-generic/param.h)


class Ours(Json):
    """One of our messages as JSON. A missing field is ABSENT."""

    def __init__(self, message: Json, links: dict[int, Json]) -> None:
        super().__init__(message)
        self.links = links  # by index: ip names what we number

    def __missing__(self, field: str) -> Any:
        return ABSENT

    def inner(self, message: Json) -> "Ours":
        """Return a nested message."""
        return Ours(message, self.links)


Row = Callable[[Ours], Any]
Table = dict[str, Row]


def render(table: Table, ours: Ours) -> Json:
    """Return what ip should print for a message."""
    rendered = {field: row(ours) for field, row in table.items()}
    return {field: value for field, value in rendered.items() if value is not ABSENT}


def of(field: str, convert: Callable[[Any], Any] = lambda value: value) -> Row:
    """Return a row with one of our fields, converted if it is present."""

    def row(ours: Ours) -> Any:
        value = ours[field]
        return ABSENT if value is ABSENT else convert(value)

    return row


def word(prefix: str, **spelled: str) -> Callable[[Any], Any]:
    """Return a function that spells a constant as iproute2 does: lower case, without prefix."""

    def convert(value: Any) -> str:
        short = str(value).removeprefix(prefix)
        return spelled.get(short, short.lower())

    return convert


def words(prefix: str) -> Callable[[Any], Any]:
    return lambda names: sorted(name.removeprefix(prefix) for name in names)


def device(field: str) -> Row:
    """Return a row with the name of a link. For a tunnel that is bound to none, ip has null."""

    def name(ours: Ours) -> Any:
        index = ours[field]
        return index if index is ABSENT else ours.links[index]["ifname"] if index else None

    return name


def unless(dull: Any, row: Row) -> Row:
    """Return a row that shows a value only if it differs from the usual one."""

    def shown(ours: Ours) -> Any:
        value = row(ours)
        return ABSENT if value == dull else value

    return shown


def has(field: str, flag: str) -> Row:
    """Return a row that shows a flag as ip does: by a key whose value is null."""
    return lambda ours: None if flag in (ours[field] or ()) else ABSENT


def inside(field: str, row: Row) -> Row:
    """Return a row that applies another row to a nested message of ours."""

    def shown(ours: Ours) -> Any:
        value = ours[field]
        return ABSENT if value is ABSENT else row(ours.inner(value))

    return shown


def nest(field: str, table: Table) -> Row:
    """Return a row that applies a table to a nested message of ours."""
    return inside(field, lambda inner: render(table, inner))


def each(field: str, table: Table) -> Row:
    """Return a row that applies a table to each message in a list of ours."""

    def shown(ours: Ours) -> Any:
        values = ours[field]
        return ABSENT if values is ABSENT else [render(table, ours.inner(v)) for v in values]

    return shown


def ticks(value: int) -> float:
    return value / USER_HZ


def seconds(value: int) -> int:
    return value // USER_HZ


def compare(before: Any, theirs: Any, after: Any, newer: Iterable[str] = (), at: str = "") -> None:
    """`theirs` must lie between what we rendered before it and after it.

    Where the kernel stood still, that is equality; a counter or a timer may have moved on.
    Fields in `newer` are those that an older ip does not know.
    """
    if isinstance(theirs, dict):
        assert isinstance(before, dict) and isinstance(after, dict), at
        assert theirs.keys() <= before.keys(), (
            f"{at}: ip shows what no row gives: "
            f"{ {field: theirs[field] for field in theirs.keys() - before.keys()} }"
        )
        missing = before.keys() - theirs.keys() - set(newer)
        assert not missing, f"{at}: ip does not show {sorted(missing)}"
        assert before.keys() == after.keys(), at
        for field in theirs:
            compare(before[field], theirs[field], after[field], newer, f"{at}.{field}")
    elif isinstance(theirs, list) and all(isinstance(item, str) for item in theirs):
        assert sorted(theirs) in (before, after), at
    elif isinstance(theirs, list):
        assert len(before) == len(theirs) == len(after), at
        for position, items in enumerate(zip(before, theirs, after, strict=True)):
            compare(*items, newer=newer, at=f"{at}[{position}]")
    else:
        assert type(before) is type(theirs) is type(after), at
        if isinstance(theirs, int | float):
            # ip truncates fractions of a second, and we round them.
            slack = 0.01 if isinstance(theirs, float) else 0
            assert min(before, after) - slack <= theirs <= max(before, after) + slack, at
        else:
            assert theirs in (before, after), at


def agree(
    ours: Callable[[], list[Json]], theirs: Callable[[], list[Json]], newer: Iterable[str] = ()
) -> list[Json]:
    """Compare ip's list with ours. Try up to three times, because the kernel's state may change."""
    for last in (False, False, True):
        before, shown, after = ours(), theirs(), ours()
        try:
            compare(before, shown, after, newer)
        except AssertionError:
            if last:
                raise
        else:
            break
    return shown


def ip(arguments: str, program: str = "ip") -> list[Json]:
    """Return the JSON that iproute2 prints."""
    command = [program, "-j", *arguments.split()]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    shown: list[Json] = json.loads(run.stdout)
    return shown


def netlink(kind: str) -> list[Json]:
    """Return the JSON that our own command prints."""
    command = [sys.executable, "-m", "netlink", "dump", kind, "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert run.returncode == 0, run.stderr
    found: list[Json] = json.loads(run.stdout)
    return found


def dumped(request: Any) -> list[Json]:
    """Return messages from the library, for requests that the command has no option for."""
    with Connection(FAMILY, timeout=5) as nl:
        return [message.to_json() for message in nl.dump(request)]


def our_rows(table: Table, request: Any) -> Callable[[], list[Json]]:
    """Return a function whose result is what ip should print for a dump."""

    def rows() -> list[Json]:
        links = {found["index"]: found for found in dumped(link.get())}
        return [render(table, Ours(message, links)) for message in dumped(request)]

    return rows


def links_by_index() -> dict[int, Json]:
    return {found["index"]: found for found in netlink("link")}


STATS_RX: Table = {
    "bytes": of("rx_bytes"),
    "packets": of("rx_packets"),
    "errors": of("rx_errors"),
    "dropped": of("rx_dropped"),
    "over_errors": of("rx_over_errors"),
    "multicast": of("multicast"),
    "compressed": unless(0, of("rx_compressed")),
    "length_errors": of("rx_length_errors"),
    "crc_errors": of("rx_crc_errors"),
    "frame_errors": of("rx_frame_errors"),
    "fifo_errors": of("rx_fifo_errors"),
    "missed_errors": of("rx_missed_errors"),
    "nohandler": unless(0, of("rx_nohandler")),
    "otherhost_dropped": unless(0, of("rx_otherhost_dropped")),
}
STATS_TX: Table = {
    "bytes": of("tx_bytes"),
    "packets": of("tx_packets"),
    "errors": of("tx_errors"),
    "dropped": of("tx_dropped"),
    "carrier_errors": of("tx_carrier_errors"),
    "collisions": of("collisions"),
    "compressed": unless(0, of("tx_compressed")),
    "aborted_errors": of("tx_aborted_errors"),
    "fifo_errors": of("tx_fifo_errors"),
    "window_errors": of("tx_window_errors"),
    "heartbeat_errors": of("tx_heartbeat_errors"),
}


def prefix(field: str) -> Row:
    """Return a row with a destination or a source: "default", or an address and its length."""

    def row(ours: Ours) -> Any:
        address, length = ours[field], ours[f"{field}_len"]
        if address is ABSENT:
            return "default" if field == "dst" else ABSENT
        return address if length == (128 if ":" in address else 32) else f"{address}/{length}"

    return row


def hop_flags(ours: Ours) -> list[str]:
    names = (name.removeprefix("RTM_F_").removeprefix("RTNH_F_") for name in ours["flags"])
    return sorted(name.lower() for name in names)


def realms(ours: Ours) -> Any:
    """Return realms in the two strings that ip 6.1 prints for "realms 3/4"."""
    flow = ours["flow"]
    if flow is ABSENT:
        return ABSENT
    return {"from": str(flow >> 16), "to": str(flow & 0xFFFF)} if flow >> 16 else {"to": str(flow)}


def via(value: Json) -> Json:
    """Return a gateway of another address family than the route's."""
    family = {"AF_INET": "inet", "AF_INET6": "inet6"}[value["family"]]
    return {"family": family, "host": value["addr"]}


METRICS: Table = {
    "mtu": of("mtu"),
    "window": of("window"),
    "rtt": of("rtt", lambda value: value // 8),
    "rttvar": of("rttvar", lambda value: value // 4),
    "ssthresh": of("ssthresh"),
    "cwnd": of("cwnd"),
    "advmss": of("advmss"),
    "reordering": of("reordering"),
    "hoplimit": of("hoplimit"),
    "initcwnd": of("initcwnd"),
    "ecn": has("features", "RTAX_FEATURE_ECN"),
    "tcp_usec_ts": has("features", "RTAX_FEATURE_TCP_USEC_TS"),
    "rto_min": of("rto_min"),
    "initrwnd": of("initrwnd"),
    "quickack": of("quickack"),
    "congestion": of("cc_algo"),
    "fastopen_no_cookie": of("fastopen_no_cookie"),
}

HOP: Table = {
    "gateway": of("gateway"),
    "via": of("via", via),
    "dev": device("ifindex"),
    "weight": of("hops", lambda value: value + 1),
    "flags": hop_flags,
    "flow": realms,
}

ROUTE: Table = {
    "type": of("type", word("RTN_")),
    "dst": prefix("dst"),
    "from": prefix("src"),
    "tos": unless("0x00", of("tos", lambda value: f"{value:#04x}")),
    "nhid": of("nh_id"),
    "gateway": of("gateway"),
    "via": of("via", via),
    "dev": device("oif"),
    "table": of("table", word("RT_TABLE_")),
    "protocol": of("protocol", word("RTPROT_")),
    "scope": of("scope", word("RT_SCOPE_", UNIVERSE="global")),
    "prefsrc": of("prefsrc"),
    "metric": of("priority"),
    "flags": hop_flags,
    "flow": realms,
    "expires": inside("cacheinfo", unless(0, of("expires", seconds))),
    "error": inside("cacheinfo", unless(0, of("error"))),
    "metrics": inside("metrics", lambda inner: [render(METRICS, inner)]),
    "pref": of("pref", word("ICMPV6_ROUTER_PREF_")),
    "nexthops": each("multipath", HOP),
}
