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
import time
from collections.abc import Iterator
from typing import Any

import pytest

from netlink import Connection, KernelError, Message, Request
from netlink.route import FAMILY, link
from netlink.route.ether import ETH_P
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
    TC_ACT,
    TCA_MIRRED,
)
from netlink.route.tc.cls import (
    TC_U32,
    TCA_BPF_FLAG,
)
from netlink.route.tc.tcmsg import TC_LINKLAYER
from netlink.schema import Bitfield32
from tests.kernel.traffic import (
    ACTIONS,
    ALL,
    CLASSES,
    FILTERS,
    IP,
    NUMBERED,
    POLICED,
    QDISCS,
    SENDS_NO_OPTIONS,
    V1,
    expect,
    merged,
    run,
    tc,
)

if shutil.which("tc") is None:
    pytest.skip("iproute2 is not installed", allow_module_level=True)

TERSE = filter.TCA_DUMP_FLAGS.TCA_DUMP_FLAGS_TERSE
LARGE = action.TCA_ACT_FLAG.TCA_ACT_FLAG_LARGE_DUMP_ON
SHORT = action.TCA_ACT_FLAG.TCA_ACT_FLAG_TERSE_DUMP


# --- helpers --------------------------------------------------------------------------------------

VOLATILE = re.compile(r"(?<=index )\d+|(?<=police )0x[\da-f]+")
AGE = re.compile(r" (installed|used|firstused|expires) \d+ sec")  # which tc prints when it is not 0


def show(words: str) -> str:
    """Return what tc prints, without values that change by themselves."""
    return AGE.sub("", VOLATILE.sub("N", tc(f"-d -s {words}")))


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(FAMILY) as connection:
        yield connection


@pytest.fixture
def dev(nl: Connection) -> int:
    """Return the index of v0, one end of a veth pair with four queues. It is down."""
    queues = "numtxqueues 4 numrxqueues 4"
    run(*shlex.split(f"ip link add v1 index {V1} {queues} type veth peer name v0 {queues}"))
    return nl.do(link.index_of("v0"))


def one(nl: Connection, request: Request[Any, Any]) -> Any:
    """Return the message that answers a request."""
    answer = nl.do(request)
    assert answer is not None
    return answer


def every(nl: Connection, request: Request[Any, Any]) -> list[Any]:
    """Return the messages of a dump."""
    return list(nl.dump(request))


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


@pytest.mark.parametrize(
    "text", ["", ":", "::", "1:2:3:4", "1000::1", "10000:", "x:", "1:-1", "eth0"]
)
def test_no_handles(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a (u32 )?handle"):
        handle(text)


def test_filter_info() -> None:
    made = filter.Filter(info=filter.info(5, ETH_P.ETH_P_IPV6))
    assert bytes(made)[16:20] in (b"\x86\xdd\x05\x00", b"\x00\x05\x86\xdd")
    assert (made.prio, made.protocol) == (5, ETH_P.ETH_P_IPV6)


# --- qdiscs ---------------------------------------------------------------------------------------


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

    nl.do(qdisc.add("v0", kind, handle="1:", options=options))
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

    nl.do(qdisc.add("v0", "pfifo", handle="1:", options={"limit": 10}))
    with pytest.raises(KernelError, match="EEXIST"):
        nl.do(qdisc.add("v0", "pfifo", handle="1:", options={"limit": 11}))
    nl.do(qdisc.change("v0", "pfifo", options={"limit": 12}))
    assert limit() == 12
    nl.do(qdisc.put("v0", "pfifo", handle="1:", options={"limit": 13}))
    assert limit() == 13
    nl.do(qdisc.put("v0", "bfifo", handle="2:", options={"limit": 1400}))
    assert limit() == 1400
    nl.do(qdisc.remove("v0", parent="root"))
    with pytest.raises(KernelError, match="ENOENT"):
        nl.do(qdisc.change("v0", "pfifo", handle="1:", options={"limit": 15}))


def test_gred_queue(nl: Connection, dev: int) -> None:
    """A gred is made in two steps. tc shows its queues as attributes, and we read both forms."""
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
    nl.do(qdisc.add(dev, "gred", handle="1:", options={"dps": dps, "limit": 61_440}))
    queues = {"parms": [queue], "stab": bytes(256), "max_p": [max_p]}
    nl.do(qdisc.change(dev, "gred", options=queues))
    assert show("qdisc show dev v0") == theirs


# --- classes --------------------------------------------------------------------------------------


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
        nl.do(tclass.change("v0", kind, "1:a", options=options))

    nl.do(tclass.add("v0", kind, "1:a", parent="1:", options=options))
    assert show("class show dev v0") == theirs
    with pytest.raises(KernelError, match="EEXIST"):
        nl.do(tclass.add("v0", kind, "1:a", parent="1:", options=options))
    nl.do(tclass.put("v0", kind, "1:a", parent="1:", options=options))
    nl.do(tclass.change("v0", kind, "1:a", parent="1:", options=options))
    assert show("class show dev v0") == theirs


def test_class_made_by_its_qdisc(nl: Connection, dev: int) -> None:
    tc("qdisc add dev v0 root handle 1: ets bands 3 strict 1")
    nl.do(tclass.change("v0", "ets", "1:2", options={"quanta_band": 4000}))
    found = {c.handle & 0xFFFF: c.options.quanta_band for c in every(nl, tclass.get(ifindex=dev))}
    assert found == {1: None, 2: 4000, 3: 1514}
    assert "class ets 1:2 root quantum 4000" in show("class show dev v0")


# --- filters --------------------------------------------------------------------------------------


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
    nl.do(filter.add("v0", kind, **request, options=options))
    assert show("filter show dev v0 ingress") == theirs


def test_many_filters(nl: Connection, dev: int) -> None:
    """Plans in one pipeline have their own outcomes."""
    plans = [qdisc.add("v0", "htb", handle="1:")]
    plans += [
        filter.add(
            "v0", "u32", parent="1:", prio=5, handle=f"800::{node:x}",
            options={"sel": {"keys_": [{"val": node, "mask": 0xFFF}]}, "classid": f"1:{node:x}"},
        )
        for node in (*range(1, 100), 50)
    ]  # fmt: skip
    *made, again = nl.do_many(plans)
    assert made == [None] * 100
    assert isinstance(again, KernelError)
    found = [
        one for one in every(nl, filter.get(ifindex=dev, parent=handle("1:"))) if one.handle & 0xFFF
    ]
    assert [one.handle_text for one in found] == [f"800::{node:x}" for node in range(1, 100)]
    assert {(format_handle(one.options.classid), one.options.sel.nkeys) for one in found} == {
        (f"1:{node:x}", 1) for node in range(1, 100)
    }


def test_filter_verbs(nl: Connection, dev: int) -> None:
    tc("qdisc add dev v0 clsact")

    def classids() -> list[str]:
        dump = every(nl, filter.get(ifindex=dev, parent=handle("egress")))
        return [format_handle(f.options.classid) for f in dump if f.handle & 0xFFF]

    sel = {"flags": TC_U32.TC_U32_TERMINAL, "nkeys": 1, "keys_": [{}]}
    place = {"parent": "egress", "prio": 5, "protocol": ALL, "handle": 0x800}
    nl.do(filter.add(dev, "u32", **place, options={"classid": 1, "sel": sel}))
    assert classids() == [":1"]
    with pytest.raises(KernelError, match="EEXIST"):
        nl.do(
            filter.add(
                dev, "u32", **{**place, "handle": 0x80000800}, options={"classid": 2, "sel": sel}
            )
        )
    nl.do(filter.put(dev, "u32", **{**place, "handle": 0x80000800}, options={"classid": 3}))
    nl.do(filter.add(dev, "u32", **{**place, "prio": 6}, options={"classid": 4, "sel": sel}))
    assert classids() == [":3", ":4"]
    nl.do(filter.remove(dev, "u32", **{**place, "handle": 0x80000800}))
    assert classids() == [":4"]
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
    """A police that is not an action sends its own attributes, and statistics of the filter."""
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
    nl.do(filter.add("v0", "u32", parent="ingress", prio=5, protocol=IP, options=options))
    assert show("filter show dev v0 ingress") == theirs


# --- actions --------------------------------------------------------------------------------------


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
    """After some traffic we read what tc counts, and each scheduler's own statistics too."""
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
    """Return the descriptor of a filter program that returns TC_ACT_OK."""
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
    nl.do(filter.add("v0", "bpf", parent="ingress", prio=1, options=program))
    *_, found = every(nl, filter.get(ifindex=dev, parent=handle("ingress")))
    options = found.options
    assert (options.name, options.flags, options.ops, len(options.tag)) == ("passes", direct, (), 8)
    assert f"passes direct-action not_in_hw id {options.id} " in show("filter show dev v0 ingress")
    assert f"tag {options.tag.hex()}" in show("filter show dev v0 ingress")
