"""Traffic control against `tc`, both ways: what it makes we read, what we make it shows.

A row says one thing twice, in the words of tc and as options of ours. tc makes it first, and each
value of the row must be read back; then we make it, and tc must print the very same text. What
the kernel rounds or adds is named beside the options. A kernel that lacks a kind skips its rows.
"""

import ctypes
import json
import platform
import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from netlink import Connection, KernelError, Message, Request
from netlink.route import FAMILY, link
from netlink.route.linkinfo import ETH_P
from netlink.route.tc import (
    TC_H,
    TCM_IFINDEX_MAGIC_BLOCK,
    action,
    chain,
    filter,
    format_handle,
    handle,
    qdisc,
    tclass,
    ticks,
)
from netlink.route.tc.act import (
    IFE_META,
    SKBEDIT_F,
    SKBMOD_F,
    TC_ACT,
    TCA_CSUM_UPDATE_FLAG,
    TCA_CT_ACT,
    TCA_MIRRED,
    TCA_MPLS_ACT,
    TCA_NAT_FLAG,
    TCA_PEDIT_KEY_EX_CMD,
    TCA_PEDIT_KEY_EX_HDR_TYPE,
    TCA_TUNNEL_KEY_ACT,
    TCA_VLAN_ACT,
)
from netlink.route.tc.cls import (
    FLOW_KEY,
    FLOW_MODE,
    TC_U32,
    TCA_BPF_FLAG,
    TCA_CLS_FLAGS,
    TCA_FLOWER_KEY_CT_FLAGS,
    TCA_FLOWER_KEY_FLAGS,
)
from netlink.route.tc.em import TCF_EM, TCF_EM_FLAG, TCF_EM_OPND, TCF_META_ID
from netlink.route.tc.sch import CAKE_ACK, CAKE_ATM, CAKE_DIFFSERV, CAKE_FLOW, TC_ETF, TC_RED
from netlink.route.tc.tcmsg import TC_LINKLAYER
from netlink.schema import Bitfield32

Options = dict[str, Any]

if shutil.which("tc") is None:
    pytest.skip("iproute2 is not installed", allow_module_level=True)

V1 = 77  # the index of v1, which the rows below send to
CLOCK_TAI = 11  # linux/time.h
TERSE = filter.TCA_DUMP_FLAGS.TCA_DUMP_FLAGS_TERSE
LARGE = action.TCA_ACT_FLAG.TCA_ACT_FLAG_LARGE_DUMP_ON
SHORT = action.TCA_ACT_FLAG.TCA_ACT_FLAG_TERSE_DUMP
IPPROTO_SCTP = 132
ETHERNET = TC_LINKLAYER.TC_LINKLAYER_ETHERNET


# --- helpers --------------------------------------------------------------------------------------

LACKING = re.compile(
    "kind is unknown|kind not found|classifier not found|Failed to load TC action|No such file"
)
VOLATILE = re.compile(r"(?<=index )\d+|(?<=police )0x[\da-f]+")
AGE = re.compile(r" (installed|used|firstused|expires) \d+ sec")  # which tc prints when it is not 0


def run(*words: str) -> str:
    """What a program prints; a test that asks for what the kernel lacks is skipped."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode and LACKING.search(done.stderr):
        pytest.skip(f"{shlex.join(words)}: {done.stderr.strip()}")
    assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr}"
    return done.stdout


def tc(words: str) -> str:
    return run("tc", *shlex.split(words))


def show(words: str) -> str:
    """What tc prints, but for what changes from one time to the next."""
    return AGE.sub("", VOLATILE.sub("N", tc(f"-d -s {words}")))


def percent(share: float) -> int:
    """A probability in 2^-32, as tc rounds it."""
    return round(share / 100 * 0xFFFFFFFF)


def merged(options: Options, more: Options) -> Options:
    result = dict(options)
    for key, value in more.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and value else value
    return result


def expect(found: Any, wanted: Any, at: str) -> None:
    """Every value of `wanted` is in `found`, which may say more."""
    if isinstance(wanted, dict) and not isinstance(found, dict):
        assert isinstance(found, Message), f"{at}: {found!r}"
        for name, value in wanted.items():
            expect(getattr(found, name), value, f"{at}.{name}")
    elif isinstance(wanted, list | tuple):
        assert len(found) == len(wanted), f"{at}: {found!r}"
        for position, (item, value) in enumerate(zip(found, wanted, strict=True)):
            expect(item, value, f"{at}[{position}]")
    elif isinstance(wanted, str) and not isinstance(found, str):
        assert found == ip_address(wanted), at
    else:
        assert found == wanted, f"{at}: {found!r}, not {wanted!r}"


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(FAMILY) as connection:
        yield connection


@pytest.fixture
def dev(nl: Connection) -> int:
    """The index of v0, one end of a pair, with four queues. It is down, so nothing is sent."""
    queues = "numtxqueues 4 numrxqueues 4"
    run(*shlex.split(f"ip link add v1 index {V1} {queues} type veth peer name v0 {queues}"))
    return nl.do(link.index_of("v0"))


def one(nl: Connection, request: Request[Any]) -> Any:
    """The message that answers a request."""
    answer = nl.do(request)
    assert answer is not None
    return answer


def every(nl: Connection, request: Request[Any]) -> list[Any]:
    """The messages of a dump."""
    return list(nl.dump(request))


def row(*values: Any) -> Any:
    return pytest.param(*values, id=f"{values[0]} {values[1]}"[:60].strip())


# --- handles --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1:", 0x10000),
        ("1:10", 0x10010),
        (":a", 0xA),
        ("ffff:fffe", 0xFFFFFFFE),
        ("root", TC_H.TC_H_ROOT),
        ("none", 0),
        ("clsact", TC_H.TC_H_CLSACT),
        ("ingress", 0xFFFFFFF2),
        ("egress", 0xFFFFFFF3),
    ],
)
def test_handles(text: str, number: int) -> None:
    assert handle(text) == handle(number) == number
    assert handle(format_handle(number)) == number


@pytest.mark.parametrize("text", ["", "1", "1:2:3", "10000:", "x:", "1:-1", "eth0"])
def test_no_handles(text: str) -> None:
    with pytest.raises(ValueError, match="is no handle"):
        handle(text)


def test_filter_info() -> None:
    made = filter.Filter(info=filter.info(5, ETH_P.ETH_P_IPV6))
    assert bytes(made)[16:20] in (b"\x86\xdd\x05\x00", b"\x00\x05\x86\xdd")
    assert (made.prio, made.protocol) == (5, ETH_P.ETH_P_IPV6)


# --- qdiscs ---------------------------------------------------------------------------------------

RATE = {"rate": 125_000, "linklayer": ETHERNET}
POLICED = {**RATE, "cell_log": 3}
NETEM = {
    "latency64": 10_000_000,
    "jitter64": 2_000_000,
    "limit": 500,
    "loss": percent(1),
    "duplicate": percent(2),
    "gap": 3,
    "corr": {"delay_corr": percent(25), "loss_corr": percent(20)},
    "reorder": {"probability": percent(5), "correlation": percent(50)},
    "corrupt": {"probability": percent(0.5)},
    "rate": {"rate": 125_000, "packet_overhead": 20, "cell_size": 100, "cell_overhead": 5},
}
NETEM_SLOT = {
    "latency64": 10_000_000,
    "jitter64": 2_000_000,
    "limit": 1000,
    "loss_": {
        "ge": {"p": percent(1), "r": percent(10), "h": 0xFFFFFFFF - percent(70), "k1": percent(0.1)}
    },
    "slot": {"min_delay": 800_000, "max_delay": 1_000_000, "max_packets": 10, "max_bytes": 2000},
    "ecn": 1,
}
NETEM_STATES = {
    "p13": percent(1),
    "p31": percent(10),
    "p32": percent(5),
    "p23": percent(2),
    "p14": percent(3),
}
MAP = [2, 2, 1, 0, *12 * [2]]
TWO_CLASSES = {"num_tc": 3, "prio_tc_map": MAP, "count": [1, 1, 2], "offset": [0, 1, 2]}
PADDED = {"count": [1, 1, 2, *13 * [0]], "offset": [0, 1, 2, *13 * [0]]}

# fmt: off
QDISCS = [
    # kind, the words of tc, options of ours, what is read beside or instead: codel, for one, keeps
    # times in 1024 ns (CODEL_SHIFT), and many send values that were not asked for
    row("pfifo", "limit 77", {"limit": 77}, {}),
    row("bfifo", "limit 7777", {"limit": 7777}, {}),
    row("pfifo_head_drop", "limit 78", {"limit": 78}, {}),
    row("skbprio", "limit 32", {"limit": 32}, {}),
    row("prio", "bands 4 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 3",
        {"bands": 4, "priomap": [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 3]}, {}),
    row("multiq", "", {"bands": 0}, {"bands": 4, "max_bands": 4}),
    row("tbf", "rate 1mbit burst 32kb latency 50ms peakrate 2mbit minburst 2000",
        {"parms": {"rate": RATE, "peakrate": {"rate": 250_000, "linklayer": ETHERNET},
         "limit": 14_500}, "burst": 32_768, "pburst": 2000},
        {"parms": {"buffer": ticks(32_768, 125_000), "mtu": ticks(2000, 250_000)}, "burst": None,
         "pburst": None}),
    row("tbf", "rate 50gbit burst 625000 limit 1mb",
        {"parms": {"rate": {"rate": 0xFFFFFFFF, "linklayer": ETHERNET}, "limit": 1 << 20,
         "buffer": ticks(625_000, 6_250_000_000)}, "rate64": 6_250_000_000}, {}),
    row("sfq", "perturb 10 quantum 3000 limit 100 headdrop depth 20 divisor 512",
        {"v0": {"quantum": 3000, "perturb_period": 10, "limit": 100, "divisor": 512}, "depth": 20,
         "headdrop": 1},
        {"v0": {"flows": 100}}),
    row("red", "limit 400000 min 30000 max 90000 avpkt 1000 burst 55 ecn probability 0.02 "
        "bandwidth 10mbit nodrop",
        {"parms": {"limit": 400_000, "qth_min": 30_000, "qth_max": 90_000, "wlog": 5, "plog": 22,
         "scell_log": 15}, "stab": bytes(256), "max_p": 85_899_345,
         "flags": (TC_RED.TC_RED_ECN | TC_RED.TC_RED_NODROP, 0xF)},
        {"parms": {"flags": TC_RED.TC_RED_ECN}, "stab": None}),
    row("choke", "limit 1000 bandwidth 10mbit min 83 max 250 ecn",
        {"parms": {"limit": 1000, "qth_min": 83, "qth_max": 250, "wlog": 6, "plog": 23,
         "scell_log": 16, "flags": TC_RED.TC_RED_ECN}, "stab": bytes(256), "max_p": 85_899_345},
        {"stab": None}),
    row("sfb", "limit 500",
        {"parms": {"rehash_interval": 600_000, "warmup_time": 60_000, "max": 25, "bin_size": 20,
         "increment": 33, "decrement": 3, "limit": 500, "penalty_rate": 10, "penalty_burst": 20}},
        {}),
    row("gred", "setup DPs 3 default 2 grio limit 60KB",
        {"dps": {"dps": 3, "def_dp": 2, "grio": 1}, "limit": 61_440},
        {"max_p": 16 * [0]}),
    row("htb", "default 20 r2q 5 direct_qlen 50",
        {"init": {"version": 3, "rate2quantum": 5, "defcls": 0x20}, "direct_qlen": 50},
        {"init": {"version": 3 << 16 | 0x11}}),
    row("hfsc", "default 30", {"defcls": 0x30}, {}),
    row("codel", "limit 500 target 4ms interval 90ms ecn ce_threshold 2ms",
        {"limit": 500, "target": 4000, "interval": 90_000, "ecn": 1, "ce_threshold": 2000},
        {"target": 3999, "interval": 89_999, "ce_threshold": 1999}),
    row("fq_codel",
        "limit 5000 target 4ms interval 90ms ecn ce_threshold 2ms flows 256 quantum 300 "
        "memory_limit 4mb drop_batch 32",
        {"limit": 5000, "target": 4000, "interval": 90_000, "ecn": 1, "ce_threshold": 2000,
         "flows": 256, "quantum": 300, "memory_limit": 4 << 20, "drop_batch_size": 32},
        {"target": 3999, "interval": 89_999, "ce_threshold": 1999}),
    row("fq", "limit 500 flow_limit 50 quantum 3000 initial_quantum 15000 maxrate 100mbit "
        "ce_threshold 4ms",
        {"plimit": 500, "flow_plimit": 50, "quantum": 3000, "initial_quantum": 15_000,
         "flow_max_rate": 12_500_000, "ce_threshold": 4000},
        {"rate_enable": 1, "weights": [589_824, 196_608, 65_536]}),
    row("hhf", "limit 500 quantum 500 hh_limit 100 reset_timeout 100ms admit_bytes 100000 "
        "evict_timeout 900ms non_hh_weight 3",
        {"backlog_limit": 500, "quantum": 500, "hh_flows_limit": 100, "reset_timeout": 100_000,
         "admit_bytes": 100_000, "evict_timeout": 900_000, "non_hh_weight": 3}, {}),
    row("pie", "limit 500 target 20ms tupdate 40ms alpha 3 beta 22 ecn bytemode",
        {"limit": 500, "target": 20_000, "tupdate": 40_000, "alpha": 3, "beta": 22, "ecn": 1,
         "bytemode": 1},
        {"dq_rate_estimator": 0}),
    row("fq_pie", "limit 500 flows 64 target 20ms tupdate 40ms alpha 3 beta 22 quantum 1000 "
        "memory_limit 1mb ecn_prob 20 ecn",
        {"limit": 500, "flows": 64, "target": 20_000, "tupdate": 40_000, "alpha": 3, "beta": 22,
         "quantum": 1000, "memory_limit": 1 << 20, "ecn_prob": 20, "ecn": 1}, {}),
    row("ets", "bands 4 strict 1 quanta 3000 2500 2000 priomap 3 2 1 0",
        {"nbands": 4, "nstrict": 1, "quanta": {"quanta_band": [3000, 2500, 2000]},
         "priomap": {"priomap_band": [3, 2, 1, 0]}},
        {"priomap": {"priomap_band": [3, 2, 1, 0, *12 * [3]]}}),
    row("cake",
        "bandwidth 10mbit diffserv4 triple-isolate nat wash ack-filter rtt 50ms overhead 18 "
        "mpu 64 atm memlimit 8mb fwmark 0xff ingress",
        {"base_rate64": 1_250_000, "diffserv_mode": CAKE_DIFFSERV.CAKE_DIFFSERV_DIFFSERV4,
         "flow_mode": CAKE_FLOW.CAKE_FLOW_TRIPLE, "nat": 1, "wash": 1,
         "ack_filter": CAKE_ACK.CAKE_ACK_FILTER, "rtt": 50_000, "target": 2500, "overhead": 18,
         "mpu": 64, "atm": CAKE_ATM.CAKE_ATM_ATM, "memory": 8 << 20, "fwmark": 0xFF, "ingress": 1},
        {"split_gso": 1, "autorate": 0, "raw": None}),
    row("cake", "unlimited overhead -4", {"base_rate64": 0, "overhead": -4}, {}),
    row("netem", "delay 10ms 2ms 25% loss 1% 20% duplicate 2% reorder 5% 50% gap 3 corrupt 0.5% "
        "rate 1mbit 20 100 5 limit 500", NETEM,
        {"latency": 156_250, "jitter": 31_250}),
    row("netem",
        "delay 10ms 2ms loss gemodel 1% 10% 70% 0.1% slot 800us 1000us packets 10 bytes 2000 ecn",
        NETEM_SLOT, {}),
    row("netem", "loss state 1% 10% 5% 2% 3%", {"limit": 1000, "loss_": {"gi": NETEM_STATES}}, {}),
    row("netem", "rate 50gbit",
        {"limit": 1000, "rate": {"rate": 0xFFFFFFFF}, "rate64": 6_250_000_000}, {}),
    row("etf", "clockid CLOCK_TAI delta 300000 deadline_mode skip_sock_check",
        {"parms": {"delta": 300_000, "clockid": CLOCK_TAI,
         "flags": TC_ETF.TC_ETF_DEADLINE_MODE_ON | TC_ETF.TC_ETF_SKIP_SOCK_CHECK}}, {}),
    row("cbs", "idleslope 98688 sendslope -901312 hicredit 153 locredit -1389",
        {"parms": {"idleslope": 98_688, "sendslope": -901_312, "hicredit": 153, "locredit": -1389}},
        {}),
    row("mqprio", f"num_tc 3 map {' '.join(map(str, MAP))} queues 1@0 1@1 2@2 hw 0", TWO_CLASSES,
        PADDED),
    row("taprio", f"num_tc 3 map {' '.join(map(str, MAP))} queues 1@0 1@1 2@2 base-time 1000000000 "
        "sched-entry S 01 300000 sched-entry S 03 300000 sched-entry S 04 400000 clockid CLOCK_TAI",
        {"priomap": TWO_CLASSES, "sched_base_time": 1_000_000_000,
         "sched_entry_list": {"entry": [{"gate_mask": 1, "interval": 300_000}, {"gate_mask": 3,
         "interval": 300_000}, {"gate_mask": 4, "interval": 400_000}]}, "sched_clockid": CLOCK_TAI},
        {"priomap": PADDED}),
    row("mq", "", {}, {}),
    row("drr", "", {}, {}),
    row("qfq", "", {}, {}),
    row("plug", "limit 3000", {"limit": 3000}, {}),
    row("blackhole", "", {}, {}),
]
# fmt: on
SENDS_NO_OPTIONS = {"blackhole", "drr", "mq", "plug", "qfq"}


@pytest.mark.filterwarnings("ignore:.*Size table not specified")  # taprio
@pytest.mark.parametrize(("kind", "words", "options", "also"), QDISCS)
def test_qdisc(nl: Connection, dev: int, kind: str, words: str, options: Any, also: Any) -> None:
    tc(f"qdisc add dev v0 root handle 1: {kind} {words}")
    theirs = show("qdisc show dev v0")
    found = next(q for q in every(nl, qdisc.get()) if q.ifindex == dev and q.handle == handle("1:"))
    assert (found.kind, found.parent, found.unknown) == (kind, TC_H.TC_H_ROOT, ())
    if kind not in SENDS_NO_OPTIONS:
        expect(found.options, merged(options, also), kind)
        assert not found.options.unknown
    tc("qdisc del dev v0 root")

    nl.do(qdisc.add("v0", kind, handle="1:", **options))
    assert show("qdisc show dev v0") == theirs


@pytest.mark.parametrize("kind", ["ingress", "clsact"])
def test_qdisc_of_its_own_place(nl: Connection, dev: int, kind: str) -> None:
    tc(f"qdisc add dev v0 {kind}")
    theirs = show("qdisc show dev v0")
    found = one(nl, qdisc.get(ifindex=dev, parent=TC_H.TC_H_CLSACT))
    assert (found.kind, found.parent, found.handle) == (kind, TC_H.TC_H_INGRESS, handle("ffff:"))
    nl.do(qdisc.remove(dev, parent="clsact"))
    assert kind not in [q.kind for q in every(nl, qdisc.get())]
    nl.do(qdisc.add(dev, kind))
    assert show("qdisc show dev v0") == theirs


def test_size_table_and_estimator(nl: Connection, dev: int) -> None:
    words = "stab overhead 20 mtu 2048 mpu 64 linklayer atm estimator 1s 8s"
    tc(f"qdisc add dev v0 root handle 1: {words} pfifo limit 10")
    theirs = show("qdisc show dev v0")
    found = one(nl, qdisc.get(ifindex=dev, parent=TC_H.TC_H_ROOT))
    base = {
        "cell_log": 3,
        "overhead": 20,
        "linklayer": TC_LINKLAYER.TC_LINKLAYER_ATM,
        "mpu": 64,
        "mtu": 2048,
        "tsize": 512,
    }
    expect(found.stab, {"base": base}, "stab")
    expect(found.stats2.rate_est, {"bps": 0, "pps": 0}, "rate_est")
    tc("qdisc del dev v0 root")

    request = qdisc.new(
        ifindex=dev,
        parent=TC_H.TC_H_ROOT,
        handle=handle("1:"),
        kind="pfifo",
        options={"limit": 10},
        stab={"base": base, "data": 512 * [53]},
        rate={"interval": 0, "ewma_log": 3},
    )
    nl.do(request)
    assert show("qdisc show dev v0") == theirs


def test_qdisc_verbs(nl: Connection, dev: int) -> None:
    def limit() -> int:
        return int(one(nl, qdisc.get(ifindex=dev, parent=TC_H.TC_H_ROOT)).options.limit)

    nl.do(qdisc.add("v0", "pfifo", handle="1:", limit=10))
    with pytest.raises(KernelError, match="EEXIST"):
        nl.do(qdisc.add("v0", "pfifo", handle="1:", limit=11))
    nl.do(qdisc.change("v0", "pfifo", limit=12))
    assert limit() == 12
    nl.do(qdisc.put("v0", "pfifo", handle="1:", limit=13))
    assert limit() == 13
    nl.do(qdisc.put("v0", "bfifo", handle="2:", limit=1400))
    assert limit() == 1400
    nl.do(qdisc.remove("v0"))
    with pytest.raises(KernelError, match="ENOENT"):
        nl.do(qdisc.change("v0", "pfifo", handle="1:", limit=15))


def test_gred_queue(nl: Connection, dev: int) -> None:
    """A gred is made in two steps; tc shows its queues as attributes, we read both forms."""
    setup = "gred setup DPs 3 default 2 limit 60KB"
    words = "limit 20KB min 5K max 15K avpkt 1000 burst 20 probability 0.1 bandwidth 10mbit prio 2"
    tc(f"qdisc add dev v0 root handle 1: {setup}")
    tc(f"qdisc change dev v0 root handle 1: gred DP 1 {words}")
    theirs = show("qdisc show dev v0")
    found = one(nl, qdisc.get(ifindex=dev, parent=TC_H.TC_H_ROOT))
    options = found.options
    queue = {
        "dp": 1,
        "limit": 20_480,
        "qth_min": 5120,
        "qth_max": 15_360,
        "wlog": 6,
        "plog": options.parms[1].plog,
        "scell_log": 16,
        "prio": 2,
    }
    assert len(options.parms) == 16
    shown = {name: queue[name] for name in ("dp", "limit", "qth_min", "qth_max")}
    expect(options.parms[1], shown, "parms[1]")
    expect(options, {"vq_list": {"entry": [{"dp": 1, "stat_packets": 0}]}}, "options")
    max_p = options.max_p[1]
    tc("qdisc del dev v0 root")

    dps = {"dps": 3, "def_dp": 2}
    nl.do(qdisc.add(dev, "gred", handle="1:", dps=dps, limit=61_440))
    nl.do(qdisc.change(dev, "gred", parms=[queue], stab=bytes(256), max_p=[max_p]))
    assert show("qdisc show dev v0") == theirs


# --- classes --------------------------------------------------------------------------------------

SHAPED = {"overhead": 4, "mpu": 64, "linklayer": ETHERNET}

# fmt: off
CLASSES = [
    # kind, the words of tc for the qdisc and for the class, options of ours, what is read beside
    row("htb", "default 20",
        "rate 1mbit ceil 2mbit burst 15k cburst 20k prio 3 quantum 2000 mpu 64 overhead 4",
        {"parms": {"rate": {"rate": 125_000, **SHAPED}, "ceil": {"rate": 250_000, **SHAPED},
         "buffer": ticks(15 << 10, 125_000), "cbuffer": ticks(20 << 10, 250_000), "prio": 3,
         "quantum": 2000}},
        {"parms": {"level": 0}}),
    row("htb", "",
        "rate 50gbit ceil 50gbit burst 625000 cburst 625000 quantum 3000",
        {"parms": {"rate": {"rate": 0xFFFFFFFF, "linklayer": ETHERNET}, "ceil": {"rate": 0xFFFFFFFF,
         "linklayer": ETHERNET}, "buffer": ticks(625_000, 6_250_000_000), "cbuffer": ticks(625_000,
         6_250_000_000), "quantum": 3000}, "rate64": 6_250_000_000, "ceil64": 6_250_000_000},
        {}),
    row("hfsc", "",
        "sc m1 1mbit d 10ms m2 2mbit ul m2 5mbit",
        {"rsc": {"m1": 125_000, "d": 10_000, "m2": 250_000}, "fsc": {"m1": 125_000, "d": 10_000,
         "m2": 250_000}, "usc": {"m2": 625_000}}, {}),
    row("drr", "", "quantum 1600", {"quantum": 1600}, {}),
    row("qfq", "", "weight 5 maxpkt 2000", {"weight": 5, "lmax": 2000}, {}),
]
# fmt: on


@pytest.mark.parametrize(("kind", "qdisc_words", "words", "options", "also"), CLASSES)
def test_class(
    nl: Connection, dev: int, kind: str, qdisc_words: str, words: str, options: Any, also: Any
) -> None:
    tc(f"qdisc add dev v0 root handle 1: {kind} {qdisc_words}")
    tc(f"class add dev v0 parent 1: classid 1:a {kind} {words}")
    theirs = show("class show dev v0")
    found = one(nl, tclass.get(ifindex=dev, handle=handle("1:a")))
    assert (found.kind, found.handle, found.unknown) == (kind, handle("1:a"), ())
    expect(found.options, merged(options, also), kind)
    assert isinstance(found.stats2.app, Message) and found.xstats == found.stats2.app
    nl.do(tclass.remove("v0", "1:a"))
    with pytest.raises(KernelError, match="ENOENT"):
        nl.do(tclass.change("v0", kind, "1:a", **options))

    nl.do(tclass.add("v0", kind, "1:a", parent="1:", **options))
    assert show("class show dev v0") == theirs
    with pytest.raises(KernelError, match="EEXIST"):
        nl.do(tclass.add("v0", kind, "1:a", parent="1:", **options))
    nl.do(tclass.put("v0", kind, "1:a", parent="1:", **options))
    nl.do(tclass.change("v0", kind, "1:a", parent="1:", **options))
    assert show("class show dev v0") == theirs


def test_class_made_by_its_qdisc(nl: Connection, dev: int) -> None:
    tc("qdisc add dev v0 root handle 1: ets bands 3 strict 1")
    nl.do(tclass.change("v0", "ets", "1:2", quanta_band=4000))
    found = {c.handle & 0xFFFF: c.options.quanta_band for c in every(nl, tclass.get(ifindex=dev))}
    assert found == {1: None, 2: 4000, 3: 1514}
    assert "class ets 1:2 root quantum 4000" in show("class show dev v0")


# --- filters --------------------------------------------------------------------------------------

DROP = [{"kind": "gact", "options": {"parms": {"action": TC_ACT.TC_ACT_SHOT}}}]
PASS = [{"kind": "gact", "options": {"parms": {"action": TC_ACT.TC_ACT_OK}}}]
GOTO = [{"kind": "gact", "options": {"parms": {"action": TC_ACT.TC_ACT_GOTO_CHAIN | 3}}}]
IP, IPV6, ARP, ALL = ETH_P.ETH_P_IP, ETH_P.ETH_P_IPV6, ETH_P.ETH_P_ARP, ETH_P.ETH_P_ALL
MPLS, QINQ, VLAN = ETH_P.ETH_P_MPLS_UC, ETH_P.ETH_P_8021AD, ETH_P.ETH_P_8021Q
PPP = ETH_P.ETH_P_PPP_SES
PPP_IP = 0x21  # linux/ppp_defs.h
TCP, UDP, ICMP, ICMPV6 = (socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP,
                          socket.IPPROTO_ICMPV6)  # fmt: skip
ALL_ONES = "ff:ff:ff:ff:ff:ff"
FRAGMENTS = (
    TCA_FLOWER_KEY_FLAGS.TCA_FLOWER_KEY_FLAGS_IS_FRAGMENT
    | TCA_FLOWER_KEY_FLAGS.TCA_FLOWER_KEY_FLAGS_FRAG_IS_FIRST
)
TRACKED = (
    TCA_FLOWER_KEY_CT_FLAGS.TCA_FLOWER_KEY_CT_FLAGS_TRACKED
    | TCA_FLOWER_KEY_CT_FLAGS.TCA_FLOWER_KEY_CT_FLAGS_ESTABLISHED
)
LABEL = bytes.fromhex("0123456789abcdef0123456789abcdef")
GENEVE = {"class_": 0x102, "type": 0x80, "data": bytes.fromhex("00880022")}
BPF = [
    {"code": 0x30, "k": 9},  # ldb [9]
    {"code": 0x15, "jf": 1, "k": 6},  # jeq #6
    {"code": 6, "k": 1},  # ret #1
    {"code": 6},  # ret #0
]
BPF_WORDS = '"4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"'
IN_SOFTWARE = TCA_CLS_FLAGS.TCA_CLS_FLAGS_NOT_IN_HW

# fmt: off
FILTERS = [
    # kind, the words of tc, protocol, options of ours, what is read beside or instead
    row("u32", "match ip dst 10.0.0.1/32 match ip protocol 17 0xff match u16 0x35 0xffff at 22 "
        "classid 1:10", IP,
        {"classid": handle("1:10"), "sel": {"flags": TC_U32.TC_U32_TERMINAL, "nkeys": 3,
         "keys_": [{"mask": 0xFFFFFFFF, "val": 0x0A000001, "off": 16}, {"mask": 0x00FF0000,
         "val": 0x00110000, "off": 8}, {"mask": 0x0000FFFF, "val": 0x00000035, "off": 20}]}},
        {"hash": 0x80000000, "flags": IN_SOFTWARE}),
    row("u32", "match ip src 10.0.0.0/8 match mark 6 0xff indev v1 flowid 1:3 action drop", IP,
        {"classid": handle("1:3"), "mark": {"val": 6, "mask": 0xFF}, "indev": "v1",
         "sel": {"flags": TC_U32.TC_U32_TERMINAL, "nkeys": 1, "keys_": [{"mask": 0xFF000000,
         "val": 0x0A000000, "off": 12}]}, "act": DROP}, {}),
    row("u32", "match u8 0 0 action mirred egress redirect dev v1", ALL,
        {"sel": {"flags": TC_U32.TC_U32_TERMINAL, "nkeys": 1, "keys_": [{}]},
         "act": [{"kind": "mirred", "options": {"parms": {"eaction": TCA_MIRRED.TCA_EGRESS_REDIR,
         "action": TC_ACT.TC_ACT_STOLEN, "ifindex": V1}}}]}, {}),
    row("matchall", "classid 1:7 skip_hw action drop random determ pass 3 cookie 0123abcd", ALL,
        {"classid": handle("1:7"), "flags": TCA_CLS_FLAGS.TCA_CLS_FLAGS_SKIP_HW,
         "act": [{"kind": "gact", "options": {"parms": {"action": TC_ACT.TC_ACT_SHOT},
         "prob": {"ptype": 2, "pval": 3, "paction": TC_ACT.TC_ACT_OK}},
         "cookie": bytes.fromhex("0123abcd")}]},
        {"flags": TCA_CLS_FLAGS.TCA_CLS_FLAGS_SKIP_HW | IN_SOFTWARE, "pcnt": {"rhit": 0}}),
    row("flower",
        "dst_mac 02:00:00:00:00:01/ff:ff:ff:00:00:00 src_mac 02:00:00:00:00:02 ip_proto tcp "
        "dst_ip 10.0.0.0/8 src_ip 192.0.2.1 dst_port 80 src_port 1000-2000 tcp_flags 0x2/0x3f "
        "ip_tos 0x10/0xfc ip_ttl 5 classid 1:1 action goto chain 3", IP,
        {"key_eth_type": IP, "key_eth_dst": "02:00:00:00:00:01",
         "key_eth_dst_mask": "ff:ff:ff:00:00:00", "key_eth_src": "02:00:00:00:00:02",
         "key_eth_src_mask": ALL_ONES, "key_ip_proto": TCP, "key_ipv4_dst": "10.0.0.0",
         "key_ipv4_dst_mask": "255.0.0.0", "key_ipv4_src": "192.0.2.1",
         "key_ipv4_src_mask": "255.255.255.255", "key_tcp_dst": 80, "key_port_src_min": 1000,
         "key_port_src_max": 2000, "key_tcp_flags": 0x2, "key_tcp_flags_mask": 0x3F,
         "key_ip_tos": 0x10, "key_ip_tos_mask": 0xFC, "key_ip_ttl": 5, "classid": handle("1:1"),
         "act": GOTO},
        {"key_ip_ttl_mask": 0xFF, "in_hw_count": 0}),
    row("flower", "ip_proto udp dst_port 53 src_port 0x10/0xf0 indev v1 action pass", IP,
        {"key_eth_type": IP, "key_ip_proto": UDP, "key_udp_dst": 53, "key_udp_src": 0x10,
         "key_udp_src_mask": 0xF0, "indev": "v1", "act": PASS},
        {"key_udp_dst_mask": 0xFFFF}),
    row("flower", "ip_proto icmp type 8 code 0 ip_flags frag/firstfrag", IP,
        {"key_eth_type": IP, "key_ip_proto": ICMP, "key_icmpv4_type": 8, "key_icmpv4_code": 0,
         "key_flags": FRAGMENTS, "key_flags_mask": FRAGMENTS}, {}),
    row("flower", "ip_proto sctp dst_port 7 ct_state +trk+est ct_zone 5 ct_mark 7/0xff "
        f"ct_label {LABEL.hex()}", IP,
        {"key_eth_type": IP, "key_ip_proto": IPPROTO_SCTP, "key_sctp_dst": 7,
         "key_ct_state": TRACKED, "key_ct_state_mask": TRACKED, "key_ct_zone": 5, "key_ct_mark": 7,
         "key_ct_mark_mask": 0xFF, "key_ct_labels": LABEL}, {}),
    row("flower", "ip_proto icmpv6 type 128 src_ip 2001:db8::/32 dst_ip 2001:db8::1",
        IPV6,
        {"key_eth_type": IPV6, "key_ip_proto": ICMPV6, "key_icmpv6_type": 128,
         "key_ipv6_src": "2001:db8::", "key_ipv6_src_mask": "ffff:ffff::",
         "key_ipv6_dst": "2001:db8::1"}, {}),
    row("flower", "arp_sip 10.0.0.1 arp_tip 10.0.0.0/24 arp_op request arp_sha 02:00:00:00:00:01 "
        "arp_tha 02:00:00:00:00:02", ARP,
        {"key_eth_type": ARP, "key_arp_sip": "10.0.0.1", "key_arp_tip": "10.0.0.0",
         "key_arp_tip_mask": "255.255.255.0", "key_arp_op": 1, "key_arp_sha": "02:00:00:00:00:01",
         "key_arp_tha": "02:00:00:00:00:02"},
        {"key_arp_sip_mask": "255.255.255.255", "key_arp_sha_mask": ALL_ONES}),
    row("flower", "vlan_id 100 vlan_ethtype 802.1q cvlan_id 7 cvlan_prio 2 cvlan_ethtype ipv4",
        QINQ,
        {"key_eth_type": QINQ, "key_vlan_id": 100, "key_vlan_eth_type": VLAN, "key_cvlan_id": 7,
         "key_cvlan_prio": 2, "key_cvlan_eth_type": IP},
        {"key_eth_type": IP}),
    row("flower", "mpls_label 5 mpls_tc 3 mpls_bos 1 mpls_ttl 64", MPLS,
        {"key_eth_type": MPLS, "key_mpls_label": 5, "key_mpls_tc": 3, "key_mpls_bos": 1,
         "key_mpls_ttl": 64}, {}),
    row("flower", "mpls lse depth 1 label 5 tc 3 bos 0 ttl 64 lse depth 2 label 6", MPLS,
        {"key_eth_type": MPLS, "key_mpls_opts": {"lse": [{"lse_depth": 1, "lse_label": 5,
         "lse_tc": 3, "lse_bos": 0, "lse_ttl": 64}, {"lse_depth": 2, "lse_label": 6}]}}, {}),
    row("flower", "pppoe_sid 1234 ppp_proto ip", PPP,
        {"key_eth_type": PPP, "key_pppoe_sid": 1234, "key_ppp_proto": PPP_IP},
        {"key_eth_type": IP}),
    row("flower", "enc_key_id 11 enc_dst_ip 192.0.2.1 enc_src_ip 192.0.2.0/24 enc_dst_port 4789 "
        "enc_tos 0x10 enc_ttl 7 geneve_opts 0102:80:00880022", IP,
        {"key_eth_type": IP, "key_enc_key_id": 11, "key_enc_ipv4_dst": "192.0.2.1",
         "key_enc_ipv4_src": "192.0.2.0", "key_enc_ipv4_src_mask": "255.255.255.0",
         "key_enc_udp_dst_port": 4789, "key_enc_ip_tos": 0x10, "key_enc_ip_ttl": 7,
         "key_enc_opts": {"geneve": [GENEVE]}},
        {"key_enc_opts_mask": {"geneve": [{"class_": 0xFFFF, "type": 0xFF,
         "data": b"\xff\xff\xff\xff"}]}}),
    row("flower", "enc_dst_ip 2001:db8::1 vxlan_opts 4112/65535", IP,
        {"key_eth_type": IP, "key_enc_ipv6_dst": "2001:db8::1",
         "key_enc_opts": {"vxlan": {"gbp": 4112}}, "key_enc_opts_mask": {"vxlan": {"gbp": 0xFFFF}}},
        {}),
    row("flower", "enc_key_id 11 erspan_opts 1:2:0:0", IP,
        {"key_eth_type": IP, "key_enc_key_id": 11, "key_enc_opts": {"erspan": {"ver": 1,
         "index": 2}}, "key_enc_opts_mask": {"erspan": {"ver": 1, "index": 0xFFFFFFFF}}}, {}),
    row("flower", "enc_key_id 11 gtp_opts 01:12", IP,
        {"key_eth_type": IP, "key_enc_key_id": 11, "key_enc_opts": {"gtp": {"pdu_type": 1,
         "qfi": 0x12}}}, {}),
    row("fw", "classid 1:6 indev v1", IP, {"classid": handle("1:6"), "indev": "v1"}, {}),
    row("route", "from 3 to 4 classid 1:6", IP,
        {"from_": 3, "to": 4, "classid": handle("1:6")}, {}),
    row("flow", "hash keys src,dst,proto divisor 64 perturb 60 baseclass 1:1", IP,
        {"keys_": sum(1 << key for key in
                      (FLOW_KEY.FLOW_KEY_SRC, FLOW_KEY.FLOW_KEY_DST, FLOW_KEY.FLOW_KEY_PROTO)),
         "mode": FLOW_MODE.FLOW_MODE_HASH, "divisor": 64, "perturb": 60,
         "baseclass": handle("1:1")}, {}),
    row("flow", "map key mark and 0xff addend 5 rshift 1 divisor 8", IP,
        {"keys_": 1 << FLOW_KEY.FLOW_KEY_MARK, "mode": FLOW_MODE.FLOW_MODE_MAP, "mask": 0xFF,
         "addend": 5, "rshift": 1, "divisor": 8},
        {"xor": 0, "baseclass": handle("ffff:1")}),
    row("cgroup", "action drop", IP, {"act": DROP}, {}),
    row("bpf", f"bytecode {BPF_WORDS} classid 1:9 action drop", IP,
        {"ops_len": 4, "ops": BPF, "classid": handle("1:9"), "act": DROP},
        {"flags_gen": IN_SOFTWARE}),
    row("bpf", f"da bytecode {BPF_WORDS}", ALL,
        {"ops_len": 4, "ops": BPF, "flags": TCA_BPF_FLAG.TCA_BPF_FLAG_ACT_DIRECT}, {}),
    row("basic",
        "match 'cmp(u16 at 4 layer 2 mask 0xff00 gt 20) and not u32(u32 0x05000000 0xff000000 "
        """at 0x14) or nbyte("abcd" at 4 layer 1)' classid 1:9""", IP,
        {"classid": handle("1:9"), "ematches": {"tree_hdr": {"nmatches": 3},
         "tree_list": [{"kind": TCF_EM.TCF_EM_CMP, "flags": TCF_EM_FLAG.TCF_EM_REL_AND,
         "data": {"val": 20, "mask": 0xFF00, "off": 4, "align_flags": 2,
         "layer_opnd": 2 | TCF_EM_OPND.TCF_EM_OPND_GT << 4}}, {"kind": TCF_EM.TCF_EM_U32,
         "flags": TCF_EM_FLAG.TCF_EM_INVERT | TCF_EM_FLAG.TCF_EM_REL_OR, "data": {"val": 0x05000000,
         "mask": 0xFF000000, "off": 20}}, {"kind": TCF_EM.TCF_EM_NBYTE, "data": {"off": 4,
         "len_layer": 4 | 1 << 12, "pattern": b"abcd"}}]}},
        {"pcnt": {"rcnt": 0, "rhit": 0}}),
    row("basic", "match 'meta(priority gt 3) and ( meta(random mask 0xff lt 3) or "
        "canid(sff 0x123 eff 0x124:0x1ff) )' action pass", IP,
        {"ematches": {"tree_hdr": {"nmatches": 4}, "tree_list": [{"kind": TCF_EM.TCF_EM_META,
         "flags": TCF_EM_FLAG.TCF_EM_REL_AND,
         "data": {"hdr": {"left": {"kind": 1 << 12 | TCF_META_ID.TCF_META_ID_PRIORITY,
         "op": TCF_EM_OPND.TCF_EM_OPND_GT}, "right": {"kind": 1 << 12}}, "rvalue": b"\x03\0\0\0"}},
         {"kind": TCF_EM.TCF_EM_CONTAINER, "data": {"ref": 2}}, {"kind": TCF_EM.TCF_EM_META,
         "flags": TCF_EM_FLAG.TCF_EM_REL_OR,
         "data": {"hdr": {"left": {"kind": 1 << 12 | TCF_META_ID.TCF_META_ID_RANDOM,
         "op": TCF_EM_OPND.TCF_EM_OPND_LT}, "right": {"kind": 1 << 12}}, "lvalue": b"\xff\0\0\0",
         "rvalue": b"\x03\0\0\0"}}, {"kind": TCF_EM.TCF_EM_CANID,
         "data": {"rules": [{"can_id": 0x80000124, "can_mask": 0x800001FF}, {"can_id": 0x123,
         "can_mask": 0x800007FF}]}}]}, "act": PASS}, {}),
]
# fmt: on
NUMBERED = {"basic": 1, "cgroup": 1, "flow": 1, "fw": 6, "route": 3 << 16 | 4}  # by handle


@pytest.mark.parametrize(("kind", "words", "protocol", "options", "also"), FILTERS)
def test_filter(
    nl: Connection, dev: int, kind: str, words: str, protocol: int, options: Any, also: Any
) -> None:
    tc("qdisc add dev v0 clsact")
    number = NUMBERED.get(kind, 0)
    called = f"handle {number}" if number and kind != "route" else ""  # of `from` and `to`
    tc(f"filter add dev v0 ingress protocol {protocol:#x} prio 5 {called} {kind} {words}")
    theirs = show("filter show dev v0 ingress")
    *_, found = every(nl, filter.get(ifindex=dev, parent=handle("ingress")))
    assert (found.kind, found.prio, found.protocol, found.chain) == (kind, 5, protocol, 0)
    expect(found.options, merged(options, also), kind)
    assert not found.unknown and not found.options.unknown
    if kind != "cgroup":  # which has no handles to ask for (cls_cgroup_get)
        place = {"ifindex": dev, "parent": found.parent, "info": found.info}
        again = one(nl, filter.get(**place, kind=kind, handle=found.handle))
        assert again.handle == found.handle
        expect(again.options, merged(options, also), kind)
    nl.do(filter.remove("v0", parent="ingress"))
    assert show("filter show dev v0 ingress") == ""

    request = {"parent": "ingress", "prio": 5, "protocol": protocol, "handle": number}
    nl.do(filter.add("v0", kind, **request, **options))
    assert show("filter show dev v0 ingress") == theirs


def test_filter_verbs(nl: Connection, dev: int) -> None:
    tc("qdisc add dev v0 clsact")

    def classids() -> list[str]:
        dump = every(nl, filter.get(ifindex=dev, parent=handle("egress")))
        return [format_handle(f.options.classid) for f in dump if f.handle & 0xFFF]

    sel = {"flags": TC_U32.TC_U32_TERMINAL, "nkeys": 1, "keys_": [{}]}
    place = {"parent": "egress", "prio": 5, "protocol": ALL, "handle": 0x800}
    nl.do(filter.add(dev, "u32", **place, classid=1, sel=sel))
    assert classids() == [":1".replace(":", "0:")]
    with pytest.raises(KernelError, match="EEXIST"):
        nl.do(filter.add(dev, "u32", **{**place, "handle": 0x80000800}, classid=2, sel=sel))
    nl.do(filter.put(dev, "u32", **{**place, "handle": 0x80000800}, classid=3))
    nl.do(filter.add(dev, "u32", **{**place, "prio": 6}, classid=4, sel=sel))
    assert classids() == ["0:3", "0:4"]
    nl.do(filter.remove(dev, "u32", **{**place, "handle": 0x80000800}))
    assert classids() == ["0:4"]
    nl.do(filter.remove(dev, parent="egress"))
    assert classids() == []
    with pytest.raises(KernelError, match="ENOENT"):
        nl.do(filter.remove(dev, "u32", parent="egress", prio=6, protocol=ALL))


def test_terse_dump(nl: Connection, dev: int) -> None:
    tc("qdisc add dev v0 clsact")
    tc("filter add dev v0 ingress protocol ip prio 5 flower ip_proto tcp action drop")
    terse = filter.get(ifindex=dev, parent=handle("ingress"), dump_flags=Bitfield32(TERSE, TERSE))
    *_, found = every(nl, terse)
    assert found.options.key_ip_proto is None
    expect(found.options, {"act": [{"kind": "gact", "options": None}]}, "options")


def test_old_style_police(nl: Connection, dev: int) -> None:
    """A police that is no action: it sends its own attributes, and statistics of the filter."""
    tc("qdisc add dev v0 clsact")
    words = "u32 match u8 0 0 flowid 1:1 police rate 1mbit burst 10k mtu 2000 drop"
    tc(f"filter add dev v0 ingress protocol ip prio 5 {words}")
    theirs = show("filter show dev v0 ingress")
    police = {
        "tbf": {
            "action": TC_ACT.TC_ACT_SHOT,
            "burst": ticks(10 << 10, 125_000),
            "mtu": 2000,
            "rate": POLICED,
        },
        "rate": bytes(1024),
    }
    *_, found = every(nl, filter.get(ifindex=dev, parent=handle("ingress")))
    gone = {"tbf": {"rate": {"cell_log": 0}}, "rate": None}
    expect(found.options, {"act": [], "police": merged(police, gone)}, "options")
    assert (found.stats.packets, found.unknown) == (0, ())
    nl.do(filter.remove("v0", parent="ingress"))

    sel = {"flags": TC_U32.TC_U32_TERMINAL, "nkeys": 1, "keys_": [{}]}
    options = {"classid": handle("1:1"), "sel": sel, "police": police}
    nl.do(filter.add("v0", "u32", parent="ingress", prio=5, protocol=IP, **options))
    assert show("filter show dev v0 ingress") == theirs


# --- actions --------------------------------------------------------------------------------------

PIPE = TC_ACT.TC_ACT_PIPE
HDR, CMD = TCA_PEDIT_KEY_EX_HDR_TYPE, TCA_PEDIT_KEY_EX_CMD
GATE = [
    {"index": 0, "gate": True, "interval": 200_000_000, "ipv": -1, "max_octets": 8_000_000},
    {"index": 1, "interval": 100_000_000, "ipv": -1, "max_octets": -1},
]


def plain(**parms: Any) -> Options:
    return {"parms": {"index": 7, "action": PIPE, **parms}}


# fmt: off
ACTIONS = [
    # kind, the words of tc, options of ours, what is read beside or instead
    row("gact", "drop random netrand ok 5",
        {**plain(action=TC_ACT.TC_ACT_SHOT), "prob": {"ptype": 1, "pval": 5,
         "paction": TC_ACT.TC_ACT_OK}},
        {"parms": {"refcnt": 1, "bindcnt": 0}, "tm": {"expires": 0}}),
    row("gact", "jump 2", plain(action=TC_ACT.TC_ACT_JUMP | 2), {"prob": None}),
    row("mirred", "ingress mirror dev v1 pipe",
        plain(eaction=TCA_MIRRED.TCA_INGRESS_MIRROR, ifindex=V1),
        {"blockid": None}),
    row("police", "rate 1mbit burst 10k mtu 2000 peakrate 2mbit conform-exceed drop/pipe",
        {"tbf": {"index": 7, "action": TC_ACT.TC_ACT_SHOT, "burst": ticks(10 << 10, 125_000),
         "mtu": 2000, "rate": POLICED, "peakrate": {**POLICED, "rate": 250_000}},
         "rate": bytes(1024), "peakrate": bytes(1024), "result": PIPE},
        {"tbf": {"rate": {"cell_log": 0}, "peakrate": {"cell_log": 0}}, "rate": None,
         "peakrate": None}),
    row("police", "pkts_rate 1000 pkts_burst 200 conform-exceed drop/ok",
        {"tbf": {"index": 7, "action": TC_ACT.TC_ACT_SHOT, "mtu": 0xFFFFFFFF}, "pktrate64": 1000,
         "pktburst64": ticks(200, 1000), "result": TC_ACT.TC_ACT_OK},
        {"result": None}),
    row("pedit", "ex munge ip dst set 192.0.2.9 munge tcp dport add 5 munge eth src set "
        "02:00:00:00:00:07 pipe",
        {"parms_ex": {"index": 7, "action": PIPE, "nkeys": 4, "keys_": [{"val": 0xC0000209,
         "off": 16}, {"mask": 0xFFFF0000, "val": 5}, {"mask": 0xFFFF0000, "val": 0x200, "off": 4},
         {"val": 7, "off": 8}]}, "keys_ex": {"key_ex": [{"htype": HDR.TCA_PEDIT_KEY_EX_HDR_TYPE_IP4,
         "cmd": 0}, {"htype": HDR.TCA_PEDIT_KEY_EX_HDR_TYPE_TCP,
         "cmd": CMD.TCA_PEDIT_KEY_EX_CMD_ADD}, {"htype": HDR.TCA_PEDIT_KEY_EX_HDR_TYPE_ETH,
         "cmd": 0}, {"htype": HDR.TCA_PEDIT_KEY_EX_HDR_TYPE_ETH, "cmd": 0}]}}, {}),
    row("pedit", "munge offset 0 u8 set 0x10 pipe",
        plain(nkeys=1, keys_=[{"mask": 0x00FFFFFF, "val": 0x10000000}]), {}),
    row("csum", "ip and tcp pipe",
        plain(update_flags=TCA_CSUM_UPDATE_FLAG.TCA_CSUM_UPDATE_FLAG_IPV4HDR
                           | TCA_CSUM_UPDATE_FLAG.TCA_CSUM_UPDATE_FLAG_TCP), {}),
    row("nat", "egress 192.0.2.0/24 198.51.100.0 pipe",
        plain(old_addr="192.0.2.0", new_addr="198.51.100.0", mask="255.255.255.0",
         flags=TCA_NAT_FLAG.TCA_NAT_FLAG_EGRESS), {}),
    row("skbedit", "priority 1:5 queue_mapping 2 mark 7/0xff ptype host pipe",
        {**plain(), "priority": 0x10005, "queue_mapping": 2, "mark": 7, "mask": 0xFF, "ptype": 0},
        {}),
    row("skbedit", "priority :3 inheritdsfield pipe",
        {**plain(), "priority": 3, "flags": SKBEDIT_F.SKBEDIT_F_INHERITDSFIELD}, {}),
    row("skbmod", "set dmac 02:00:00:00:00:08 set etype 0x1234 pipe",
        {**plain(flags=SKBMOD_F.SKBMOD_F_DMAC | SKBMOD_F.SKBMOD_F_ETYPE),
         "dmac": "02:00:00:00:00:08", "etype": 0x1234},
        {"smac": None}),
    row("skbmod", "swap mac pipe", plain(flags=SKBMOD_F.SKBMOD_F_SWAPMAC), {}),
    row("vlan", "push id 5 protocol 802.1ad priority 3 pipe",
        {**plain(v_action=TCA_VLAN_ACT.TCA_VLAN_ACT_PUSH), "push_vlan_id": 5,
         "push_vlan_protocol": QINQ, "push_vlan_priority": 3}, {}),
    row("vlan", "push_eth dst_mac 02:00:00:00:00:01 src_mac 02:00:00:00:00:02 pipe",
        {**plain(v_action=TCA_VLAN_ACT.TCA_VLAN_ACT_PUSH_ETH), "push_eth_dst": "02:00:00:00:00:01",
         "push_eth_src": "02:00:00:00:00:02"}, {}),
    row("mpls", "push label 99 tc 3 ttl 64 bos 1 protocol mpls_uc pipe",
        {**plain(m_action=TCA_MPLS_ACT.TCA_MPLS_ACT_PUSH), "label": 99, "tc": 3, "ttl": 64,
         "bos": 1, "proto": MPLS}, {}),
    row("tunnel_key", "set src_ip 192.0.2.1 dst_ip 192.0.2.2 id 11 dst_port 4789 csum tos 4 ttl 5 "
        "geneve_opts 0102:80:00880022 pipe",
        {**plain(t_action=TCA_TUNNEL_KEY_ACT.TCA_TUNNEL_KEY_ACT_SET), "enc_ipv4_src": "192.0.2.1",
         "enc_ipv4_dst": "192.0.2.2", "enc_key_id": 11, "enc_dst_port": 4789, "no_csum": 0,
         "enc_tos": 4, "enc_ttl": 5, "enc_opts": {"geneve": [GENEVE]}},
        {"no_frag": False}),
    row("tunnel_key", "set src_ip 2001:db8::1 dst_ip 2001:db8::2 id 11 nocsum vxlan_opts 456 pipe",
        {**plain(t_action=TCA_TUNNEL_KEY_ACT.TCA_TUNNEL_KEY_ACT_SET), "enc_ipv6_src": "2001:db8::1",
         "enc_ipv6_dst": "2001:db8::2", "enc_key_id": 11, "no_csum": 1,
         "enc_opts": {"vxlan": {"gbp": 456}}}, {}),
    row("ct", "commit zone 5 mark 7/0xff nat src addr 192.0.2.1-192.0.2.9 port 1000-2000",
        {**plain(),
         "action": TCA_CT_ACT.TCA_CT_ACT_COMMIT | TCA_CT_ACT.TCA_CT_ACT_NAT
                   | TCA_CT_ACT.TCA_CT_ACT_NAT_SRC,
         "zone": 5, "mark": 7, "mark_mask": 0xFF, "nat_ipv4_min": "192.0.2.1",
         "nat_ipv4_max": "192.0.2.9", "nat_port_min": 1000, "nat_port_max": 2000}, {}),
    row("ctinfo", "dscp 0xfc000000 0x01000000 cpmark 0xff zone 3 pipe",
        {"act": {"index": 7, "action": PIPE}, "zone": 3, "parms_dscp_mask": 0xFC000000,
         "parms_dscp_statemask": 0x01000000, "parms_cpmark_mask": 0xFF},
        {"stats_dscp_set": 0, "stats_cpmark_set": 0}),
    row("connmark", "zone 4 pipe", plain(zone=4), {}),
    row("sample", "rate 10 group 5 trunc 60 pipe",
        {**plain(), "rate": 10, "psample_group": 5, "trunc_size": 60}, {}),
    row("simple", "sdata hello_there", {**plain(), "data": "hello_there"}, {}),
    row("ife", "encode allow mark allow prio use tcindex 5 dst 02:00:00:00:00:01 type 0xED3E pipe",
        {**plain(flags=1), "metalst": {IFE_META.IFE_META_SKBMARK: b"", IFE_META.IFE_META_PRIO: b"",
         IFE_META.IFE_META_TCINDEX: b"\5\0"}, "dmac": "02:00:00:00:00:01", "type": 0xED3E}, {}),
    row("gate", "clockid CLOCK_TAI base-time 200000000000 sched-entry open 200000000 -1 8000000 "
        "sched-entry close 100000000 -1 -1",
        {**plain(), "clockid": CLOCK_TAI, "base_time": 200_000_000_000,
         "entry_list": {"one_entry": GATE}},
        {"cycle_time": 300_000_000, "priority": -1}),
    row("bpf", f"bytecode {BPF_WORDS} pipe", {**plain(), "ops_len": 4, "ops": BPF}, {}),
]
# fmt: on


@pytest.mark.usefixtures("machine_root")  # as tc_ctl_action in net/sched/act_api.c asks for
@pytest.mark.filterwarnings("ignore:.*Unsupported pedit command")  # by hardware
@pytest.mark.parametrize(("kind", "words", "options", "also"), ACTIONS)
def test_action(nl: Connection, dev: int, kind: str, words: str, options: Any, also: Any) -> None:
    tc(f"actions add action {kind} {words} index 7 cookie aabb")
    theirs = show(f"actions list action {kind}")
    name = {"kind": kind, "index": 7}
    found = one(nl, action.get(tab=[name]))
    (made,) = found.tab
    expect(made, {"kind": kind, "options": merged(options, also), "cookie": b"\xaa\xbb"}, kind)
    assert not made.unknown and not made.options.unknown
    (table,) = every(nl, action.get(tab=[{"kind": kind}], flags=Bitfield32(LARGE, LARGE)))
    assert table.count == len(table.tab) == 1
    assert table.tab[0].options.to_dict().keys() == made.options.to_dict().keys()
    nl.do(action.delete(tab=[name]))
    with pytest.raises(KernelError, match="ENOENT"):
        one(nl, action.get(tab=[name]))

    again = {"kind": kind, "options": options, "cookie": b"\xaa\xbb"}
    nl.do(action.new(tab=[again]))
    assert show(f"actions list action {kind}") == theirs
    with pytest.raises(KernelError, match="EEXIST"):
        nl.do(action.new(tab=[again]))
    nl.do(action.replace(tab=[again]))
    nl.do(action.flush(tab=[{"kind": kind}]))
    assert every(nl, action.get(tab=[{"kind": kind}])) == []


@pytest.mark.usefixtures("machine_root")
def test_many_actions(nl: Connection, dev: int) -> None:
    parms = {"eaction": TCA_MIRRED.TCA_EGRESS_REDIR, "action": TC_ACT.TC_ACT_STOLEN, "ifindex": V1}
    for start in (1, 31):
        nl.do(action.new(tab=[
            {"kind": "mirred", "options": {"parms": {**parms, "index": index}}}
            for index in range(start, start + 30)
        ]))  # fmt: skip
    dump = every(nl, action.get(tab=[{"kind": "mirred"}]))
    indexes = [item.options.parms.index for table in dump for item in table.tab]
    assert indexes == [*range(1, 61)]
    terse = every(
        nl, action.get(tab=[{"kind": "mirred"}], flags=Bitfield32(LARGE | SHORT, LARGE | SHORT))
    )
    assert [item.index for table in terse for item in table.tab] == indexes


# --- chains and shared blocks ---------------------------------------------------------------------


def test_chains(nl: Connection, dev: int) -> None:
    tc("qdisc add dev v0 clsact")
    tc("chain add dev v0 ingress chain 7")
    tc("chain add dev v0 ingress chain 8 protocol ip flower dst_ip 0.0.0.0/8")
    theirs = show("chain show dev v0 ingress")
    bare, templated = every(nl, chain.get(ifindex=dev, parent=handle("ingress")))
    assert (bare.chain, bare.kind, bare.options) == (7, None, None)
    assert (templated.chain, templated.kind) == (8, "flower")
    expect(templated.options, {"key_ipv4_dst_mask": "255.0.0.0", "key_eth_type": IP}, "options")
    place = {"ifindex": dev, "parent": handle("ingress")}
    assert one(nl, chain.get(**place, chain=8)) == templated
    for number in (7, 8):
        nl.do(chain.delete(**place, chain=number))
    assert every(nl, chain.get(**place)) == []

    mask = {"key_eth_type": IP, "key_ipv4_dst": "0.0.0.0", "key_ipv4_dst_mask": "255.0.0.0"}
    nl.do(chain.new(**place, chain=7))
    nl.do(chain.new(**place, chain=8, kind="flower", info=filter.info(0, IP), options=mask))
    assert show("chain show dev v0 ingress") == theirs
    with pytest.raises(KernelError, match="EEXIST"):
        nl.do(chain.new(**place, chain=7))


def test_shared_block(nl: Connection, dev: int) -> None:
    nl.do(
        qdisc.new(
            ifindex=dev, parent=TC_H.TC_H_CLSACT, kind="clsact", ingress_block=21, egress_block=22
        )
    )
    assert "ingress_block 21 egress_block 22" in show("qdisc show dev v0")
    found = next(q for q in every(nl, qdisc.get()) if q.kind == "clsact")
    assert (found.ingress_block, found.egress_block) == (21, 22)
    sel = {"flags": TC_U32.TC_U32_TERMINAL, "nkeys": 1, "keys_": [{}]}
    place = {"ifindex": TCM_IFINDEX_MAGIC_BLOCK, "parent": 21}
    request = filter.new(
        **place, info=filter.info(3, IP), kind="u32", options={"classid": 1, "sel": sel}
    )
    nl.do(request)
    assert "protocol ip pref 3 u32" in show("filter show block 21")
    *_, last = every(nl, filter.get(**place))
    assert (last.ifindex, last.parent, last.prio) == (TCM_IFINDEX_MAGIC_BLOCK, 21, 3)
    assert last.options.classid == 1


# --- statistics, events, programs -----------------------------------------------------------------


def send(nl: Connection, device: str, count: int, size: int) -> None:
    """Frames of a private EtherType, out of a link, once its scheduler takes them.

    Until the carrier was seen what is sent is dropped, uncounted (noop_enqueue in
    net/sched/sch_generic.c); the state of the link tells (linkwatch_do_dev).
    """
    for _ in range(500):
        found = nl.do(link.get(ifname=device))
        if found is not None and found.operstate == link.IF_OPER.IF_OPER_UP:
            break
        time.sleep(0.02)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((device, 0))
        frame = b"\xff" * 6 + b"\2\0\0\0\0\1" + b"\x88\xb5"
        for _ in range(count):
            raw.send(frame.ljust(size, b"\0"))


COUNTS = {
    "basic": {"bytes": "bytes", "packets": "packets"},
    "queue": {
        "drops": "drops",
        "overlimits": "overlimits",
        "requeues": "requeues",
        "backlog": "backlog",
        "qlen": "qlen",
    },
}


def expect_counts(stats: Any, theirs: dict[str, Any]) -> None:
    for block, fields in COUNTS.items():
        for ours, name in fields.items():
            assert getattr(getattr(stats, block), ours) == theirs[name], name


@pytest.mark.parametrize("kind", ["htb", "tbf", "pfifo", "fq_codel", "sfq", "cake", "fq", "codel"])
def test_statistics(nl: Connection, dev: int, kind: str) -> None:
    """What tc counts after some traffic, we read; each scheduler's own statistics too."""
    words = {"htb": "default 10", "tbf": "rate 1gbit burst 10k latency 1s"}.get(kind, "")
    tc(f"qdisc add dev v0 root handle 1: {kind} {words}")
    if kind == "htb":
        tc("class add dev v0 parent 1: classid 1:10 htb rate 100mbit burst 15k")
    for end in ("v0", "v1"):
        run("ip", "link", "set", end, "addrgenmode", "none")
        run("ip", "link", "set", end, "up")
    send(nl, "v0", 10, 200)
    found = one(nl, qdisc.get(ifindex=dev, parent=TC_H.TC_H_ROOT))
    theirs = next(q for q in json.loads(tc("-j -s qdisc show dev v0")) if q["kind"] == kind)
    expect_counts(found.stats2, theirs)
    assert theirs["packets"] >= 10
    assert (found.stats.bytes, found.stats.packets) == (theirs["bytes"], theirs["packets"])
    app = found.stats2.app
    match kind:
        case "fq_codel":
            assert app.type == 0
            shown = {"maxpacket", "drop_overlimit", "new_flow_count", "ecn_mark", "new_flows_len"}
            assert {name: getattr(app, name) for name in shown} == {n: theirs[n] for n in shown}
        case "cake":
            assert sum(tin.sent_packets for tin in app.tin_stats) == theirs["packets"]
            assert [tin.max_skblen for tin in app.tin_stats] == [
                tin["max_pkt_len"] for tin in theirs["tins"]
            ]
            assert app.memory_used == theirs["memory_used"]
        case "codel":
            assert app.maxpacket == theirs["maxpacket"]
        case "fq":
            assert (app.flows, app.gc_flows) == (theirs["flows"], theirs["gc"])
        case "htb":
            (of_class,) = every(nl, tclass.get(ifindex=dev))
            assert of_class.stats2.basic == found.stats2.basic
            assert of_class.stats2.app.lends == theirs["packets"]
            assert f"lended: {theirs['packets']} borrowed: 0" in show("class show dev v0")


def test_filter_statistics(nl: Connection, dev: int) -> None:
    tc("qdisc add dev v0 clsact")
    words = "u32 match u16 0 0xffff at 20 action mirred egress mirror dev v1"
    tc(f"filter add dev v0 egress protocol all prio 5 {words}")
    for end in ("v0", "v1"):
        run("ip", "link", "set", end, "addrgenmode", "none")
        run("ip", "link", "set", end, "up")
    send(nl, "v0", 10, 200)
    *_, found = every(nl, filter.get(ifindex=dev, parent=handle("egress")))
    (mirror,) = found.options.act
    hits = mirror.stats.basic.packets
    assert hits >= 10
    theirs = show("filter show dev v0 egress")
    assert f"Sent {mirror.stats.basic.bytes} bytes {hits} pkt" in theirs
    if "rule hit" in theirs:  # CONFIG_CLS_U32_PERF
        counts = found.options.pcnt
        assert (counts.rhit, counts.kcnts) == (hits, (hits,))
        assert f"(rule hit {counts.rcnt} success {hits})" in theirs


def test_events(nl: Connection, dev: int) -> None:
    nl.join("tc")
    tc("qdisc add dev v0 root handle 1: pfifo limit 7")
    tc("qdisc del dev v0 root")
    made: Any
    gone: Any
    made, gone = (event for event in nl.events(timeout=0.5) if isinstance(event, qdisc.Qdisc))
    assert (made.nlmsg_name, made.options.limit) == ("RTM_NEWQDISC", 7)
    assert (gone.nlmsg_name, gone.handle) == ("RTM_DELQDISC", handle("1:"))


BPF_CALL = {"x86_64": 321, "aarch64": 280}  # the number of bpf(2)


def load_program() -> int:
    """The descriptor of a program for filters that returns TC_ACT_OK."""
    code = (ctypes.c_uint64 * 2)(0xB7, 0x95)  # r0 = 0; exit
    license_ = ctypes.c_char_p(b"GPL")
    attributes = (ctypes.c_uint64 * 16)()
    attributes[0] = 3 | 2 << 32  # BPF_PROG_TYPE_SCHED_CLS, two instructions
    attributes[1] = ctypes.addressof(code)
    attributes[2] = ctypes.cast(license_, ctypes.c_void_p).value or 0
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(BPF_CALL[platform.machine()], 5, attributes, ctypes.sizeof(attributes))
    if fd < 0:
        pytest.skip(f"the kernel refuses a program: errno {ctypes.get_errno()}")
    return int(fd)


@pytest.mark.skipif(platform.machine() not in BPF_CALL, reason="the number of bpf(2)")
def test_program(nl: Connection, dev: int) -> None:
    tc("qdisc add dev v0 clsact")
    direct = TCA_BPF_FLAG.TCA_BPF_FLAG_ACT_DIRECT
    program = {"fd": load_program(), "name": "passes", "flags": direct}
    nl.do(filter.add("v0", "bpf", parent="ingress", prio=1, **program))
    *_, found = every(nl, filter.get(ifindex=dev, parent=handle("ingress")))
    options = found.options
    assert (options.name, options.flags, options.ops, len(options.tag)) == ("passes", direct, (), 8)
    assert f"passes direct-action not_in_hw id {options.id} " in show("filter show dev v0 ingress")
    assert f"tag {options.tag.hex()}" in show("filter show dev v0 ingress")
