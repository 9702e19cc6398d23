"""Twins: our plans, and the same words given to `tc`, leave two namespaces in the same state.

Each row is a sentence of `tc` and the plan that says the same. tests/kernel/twins.py executes them.
A new sentence is one line; a row without effect fails. What the kernel here lacks is skipped.
"""

import errno
import inspect
import re
import shutil
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from netlink import Plan
from netlink.route.ether import ETH_P
from netlink.route.tc import filter, qdisc, size_table, tclass, ticks
from netlink.route.tc.act import TC_ACT, TCA_MIRRED, TCA_VLAN_ACT
from netlink.route.tc.em import TCF_EM, TCF_EM_FLAG
from netlink.route.tc.sch import TC_RED
from netlink.route.tc.tcmsg import TC_LINKLAYER
from tests.kernel.twins import Row, Twin, play, refused, run, same, wrong

if shutil.which("tc") is None:
    pytest.skip("iproute2 is not installed", allow_module_level=True)

PAIR = "link add left numtxqueues 4 type veth peer name right numtxqueues 4"

# Questions to `tc`. It shows filters only for a given parent.
QUESTIONS = """
qdisc show
class show dev left
chain show dev left ingress
filter show dev left
filter show dev left parent 1:
filter show dev left parent 1:1
filter show dev left ingress
filter show dev left egress
filter show block 21
actions list action gact
actions list action mirred
actions list action police
actions list action skbedit
actions list action vlan
"""
AUTOMATIC = re.compile(r"\b8[0-9a-f]{3}(?=:)")  # handles that the kernel counts


class TcTwin(Twin):
    """A namespace whose state `tc` shows."""

    def state(self) -> list[Any]:
        """Return what `tc` shows as JSON and as text: some kinds print invalid JSON."""
        with self:
            found = [
                run(["tc", *options, "-d", "-force", "-batch", "-"], QUESTIONS).stdout
                for options in ((), ("-j",))
            ]
        return [numbered(text).splitlines() for text in found]


def numbered(text: str) -> str:
    """Return the text with the handles that the kernel chose replaced by numbers, in order."""
    seen: dict[str, int] = {}
    return AUTOMATIC.sub(lambda found: f"auto{seen.setdefault(found[0], len(seen))}", text)


# --- qdiscs ---------------------------------------------------------------------------------------

MBIT = 125_000  # bytes a second
ATM = TC_LINKLAYER.TC_LINKLAYER_ATM
TBF = {"parms": {"rate": {"rate": MBIT}, "limit": 30_000}, "burst": 10_240}
TBF_WORDS = "tbf rate 1mbit burst 10240 limit 30000"
HTB = "tc qdisc add dev left root handle 1: htb"
LEAF = f"{HTB}; tc class add dev left parent 1: classid 1:10 htb rate 1mbit"
PFIFO = "tc qdisc add dev left root handle 1: pfifo limit 10"
CLSACT = "tc qdisc add dev left clsact"
RED = {
    "parms": {"limit": 60_000, "wlog": 2, "plog": 19, "scell_log": 12},
    "stab": bytes(256),
    "max_p": 85_899_345,
    "flags": (0, 0xF),
}

QDISC = [
    same(qdisc.add("left", "pfifo"), "tc qdisc add dev left root pfifo"),
    same(
        qdisc.add("left", "pfifo", handle="1:", options={"limit": 10}),
        "tc qdisc add dev left root handle 1: pfifo limit 10",
    ),
    same(
        qdisc.add("left", "bfifo", handle="1", options={"limit": 5000}),
        "tc qdisc add dev left root handle 1 bfifo limit 5000",
    ),
    same(
        qdisc.add("left", "pfifo_head_drop", handle="abcd", options={"limit": 7}),
        "tc qdisc add dev left root handle abcd pfifo_head_drop limit 7",
    ),
    same(qdisc.add("left", "mq", handle="a:"), "tc qdisc add dev left root handle a: mq"),
    same(qdisc.add("left", "tbf", options=TBF), f"tc qdisc add dev left root {TBF_WORDS}"),
    same(
        qdisc.add(
            "left",
            "tbf",
            handle="1:",
            options={
                "parms": {"rate": {"rate": MBIT}, "peakrate": {"rate": 2 * MBIT}, "limit": 14_500},
                "burst": 32_768,
                "pburst": 2000,
            },
        ),
        "tc qdisc add dev left root handle 1: tbf rate 1mbit burst 32kb latency 50ms "
        "peakrate 2mbit minburst 2000",
    ),
    same(
        qdisc.add(
            "left",
            "tbf",
            options={
                "parms": {"rate": {"rate": 0xFFFFFFFF}, "limit": 1 << 20},
                "rate64": 50_000 * MBIT,
                "burst": 625_000,
            },
        ),
        "tc qdisc add dev left root tbf rate 50gbit burst 625000 limit 1mb",
    ),
    same(qdisc.add("left", "htb", handle="1:"), HTB),
    same(
        qdisc.add(
            "left",
            "htb",
            handle="1:",
            options={"init": {"defcls": 0x20, "rate2quantum": 5}, "direct_qlen": 50},
        ),
        f"{HTB} default 20 r2q 5 direct_qlen 50",
    ),
    same(
        qdisc.add("left", "pfifo", parent="1:10", handle="10:", options={"limit": 5}),
        "tc qdisc add dev left parent 1:10 handle 10: pfifo limit 5",
        given=LEAF,
    ),
    same(qdisc.add("left", "ingress"), "tc qdisc add dev left ingress"),
    same(qdisc.add("left", "ingress"), "tc qdisc add dev left handle ffff: ingress"),
    same(qdisc.add("left", "clsact"), CLSACT),
    same(
        qdisc.add("left", "clsact", ingress_block=21, egress_block=22),
        "tc qdisc add dev left ingress_block 21 egress_block 22 clsact",
    ),
    same(
        qdisc.add("left", "pfifo", stab={"base": {"overhead": 20}}),
        "tc qdisc add dev left root stab overhead 20 pfifo",
    ),
    same(
        qdisc.add(
            "left",
            "pfifo",
            stab={"base": {"mtu": 2048, "mpu": 64, "overhead": 20, "linklayer": ATM}},
        ),
        "tc qdisc add dev left root stab mtu 2048 mpu 64 overhead 20 linklayer atm pfifo",
    ),
    same(
        qdisc.add("left", "pfifo", stab=size_table(mtu=9000, tsize=128, mpu=100)),
        "tc qdisc add dev left root stab mtu 9000 tsize 128 mpu 100 pfifo",
    ),
    same(
        qdisc.add("left", "pfifo", handle="1:", estimator={"interval": 0, "ewma_log": 3}),
        "tc qdisc add dev left root handle 1: estimator 1s 8s pfifo",
    ),
    # replacement and change
    same(qdisc.put("left", "pfifo", handle="1:"), "tc qdisc replace dev left root handle 1: pfifo"),
    same(
        qdisc.put("left", "pfifo", handle="1:", options={"limit": 20}),
        "tc qdisc replace dev left root handle 1: pfifo limit 20",
        given=PFIFO,
    ),
    same(
        qdisc.put("left", "tbf", handle="2:", options=TBF),
        f"tc qdisc replace dev left root handle 2: {TBF_WORDS}",
        given=PFIFO,
    ),
    same(
        qdisc.put("left", "tbf", parent="1:10", handle="11:", options=TBF),
        f"tc qdisc replace dev left parent 1:10 handle 11: {TBF_WORDS}",
        given=f"{LEAF}; tc qdisc add dev left parent 1:10 handle 10: pfifo",
    ),
    same(
        qdisc.put(
            "left",
            "pfifo",
            handle="1:",
            stab={"base": {"overhead": 8}},
            estimator={"interval": -2, "ewma_log": 1},
        ),
        "tc qdisc replace dev left root handle 1: stab overhead 8 estimator 250ms 500ms pfifo",
        given=PFIFO,
    ),
    same(
        qdisc.put("left", "clsact", ingress_block=21, egress_block=22),
        "tc qdisc replace dev left ingress_block 21 egress_block 22 clsact",
    ),
    same(
        qdisc.change("left", "pfifo", options={"limit": 30}),
        "tc qdisc change dev left root pfifo limit 30",
        given=PFIFO,
    ),
    same(
        qdisc.change("left", "pfifo", handle="1:", options={"limit": 30}),
        "tc qdisc change dev left root handle 1: pfifo limit 30",
        given=PFIFO,
    ),
    same(
        qdisc.change("left", "pfifo", parent="1:10", options={"limit": 30}),
        "tc qdisc change dev left parent 1:10 pfifo limit 30",
        given=f"{LEAF}; tc qdisc add dev left parent 1:10 handle 10: pfifo",
    ),
    same(
        qdisc.change(
            "left",
            "pfifo",
            options={"limit": 30},
            stab={"base": {"overhead": 8}},
            estimator={"interval": 0, "ewma_log": 3},
        ),
        "tc qdisc change dev left root stab overhead 8 estimator 1s 8s pfifo limit 30",
        given=PFIFO,
    ),
    same(  # the kernel replaces a qdisc of another kind
        qdisc.change("left", "tbf", options=TBF),
        f"tc qdisc change dev left root {TBF_WORDS}",
        given=PFIFO,
    ),
    same(
        qdisc.change("left", "tbf", options=TBF),
        f"tc qdisc change dev left root {TBF_WORDS}",
        given="tc qdisc add dev left root handle 1: tbf rate 2mbit burst 5000 limit 9000",
    ),
    # removal
    same(qdisc.remove("left", parent="root"), "tc qdisc del dev left root", given=LEAF),
    same(
        qdisc.remove("left", parent="root", handle="1:"),
        "tc qdisc del dev left root handle 1:",
        given=PFIFO,
    ),
    same(
        qdisc.remove("left", parent="root", kind="pfifo"),
        "tc qdisc del dev left root pfifo",
        given=PFIFO,
    ),
    same(
        qdisc.remove("left", parent="1:10"),
        "tc qdisc del dev left parent 1:10",
        given=f"{LEAF}; tc qdisc add dev left parent 1:10 handle 10: pfifo",
    ),
    same(qdisc.remove("left", parent="clsact"), "tc qdisc del dev left clsact", given=CLSACT),
    same(
        qdisc.remove("left", parent="ingress"),
        "tc qdisc del dev left ingress",
        given="tc qdisc add dev left ingress",
    ),
    # refusals
    refused(
        qdisc.add("left", "pfifo", handle="1:"),
        errno.EEXIST,
        "tc qdisc add dev left root handle 1: pfifo",
        given=PFIFO,
    ),
    refused(qdisc.add("left", "htbb"), errno.ENOENT, "tc qdisc add dev left root htbb"),
    refused(
        qdisc.add("left", "pfifo", parent="1:77"),
        errno.ENOENT,
        "tc qdisc add dev left parent 1:77 pfifo",
        given=HTB,
    ),
    refused(
        qdisc.add("left", "pfifo", ingress_block=21),
        errno.EOPNOTSUPP,
        "tc qdisc add dev left root ingress_block 21 pfifo",
    ),
    refused(
        qdisc.change("left", "tbf", handle="1:", options=TBF),
        errno.EINVAL,
        f"tc qdisc change dev left root handle 1: {TBF_WORDS}",
        given=PFIFO,
    ),
    refused(
        qdisc.change("left", "htb", options={"init": {"defcls": 5}}),
        errno.EINVAL,
        "tc qdisc change dev left root htb default 5",
        given=HTB,
    ),
    refused(
        qdisc.change("left", "pfifo", handle="2:", options={"limit": 30}),
        errno.ENOENT,
        "tc qdisc change dev left root handle 2: pfifo limit 30",
    ),
    refused(qdisc.remove("left", parent="root"), errno.ENOENT, "tc qdisc del dev left root"),
    refused(
        qdisc.remove("left", parent="root", handle="2:"),
        errno.EINVAL,
        "tc qdisc del dev left root handle 2:",
        given=PFIFO,
    ),
    refused(
        qdisc.remove("left", parent="root", kind="bfifo"),
        errno.EINVAL,
        "tc qdisc del dev left root bfifo",
        given=PFIFO,
    ),
    refused(qdisc.remove("left", parent="clsact"), errno.ENOENT, "tc qdisc del dev left clsact"),
    refused(qdisc.add("nodev", "pfifo"), errno.ENODEV, "tc qdisc add dev nodev root pfifo"),
    wrong(qdisc.add("left", "tbf"), "tc qdisc add dev left root tbf"),
    wrong(
        qdisc.add("left", "tbf", options={**TBF, "parms": {"rate": {"rate": MBIT}}}),
        "tc qdisc add dev left root tbf rate 1mbit burst 10k",
    ),
    wrong(
        qdisc.add("left", "tbf", options={"parms": TBF["parms"]}),
        "tc qdisc add dev left root tbf rate 1mbit limit 30000",
    ),
    wrong(
        qdisc.add("left", "tbf", options={"parms": {"limit": 30_000}, "burst": 10_240}),
        "tc qdisc add dev left root tbf burst 10k limit 30000",
    ),
    wrong(
        qdisc.put("left", "tbf", options={**TBF, "prate64": 2 * MBIT}),
        f"tc qdisc replace dev left root {TBF_WORDS} peakrate 2mbit",
    ),
    wrong(
        qdisc.change("left", "tbf", options={**TBF, "parms": {"rate": {"rate": MBIT}}}),
        "tc qdisc change dev left root tbf rate 1mbit burst 10k",
        given=f"tc qdisc add dev left root {TBF_WORDS}",
    ),
    wrong(
        qdisc.add("left", "red", options={**RED, "parms": {"qth_max": 5}}),
        "tc qdisc add dev left root red max 5",
    ),
    wrong(
        qdisc.add("left", "choke", options={"parms": {"qth_max": 5}, "stab": bytes(256)}),
        "tc qdisc add dev left root choke max 5",
    ),
    wrong(qdisc.add("left", "pfifo", handle="x:"), "tc qdisc add dev left root handle x: pfifo"),
    wrong(
        qdisc.add("left", "pfifo", handle="10000:"),
        "tc qdisc add dev left root handle 10000: pfifo",
    ),
    wrong(qdisc.add("left", "pfifo", parent="1:x"), "tc qdisc add dev left parent 1:x pfifo"),
    wrong(
        qdisc.add("left", "clsact", ingress_block=0),
        "tc qdisc add dev left ingress_block 0 clsact",
    ),
    wrong(
        qdisc.add("left", "pfifo", options={"limits": 5}),
        "tc qdisc add dev left root pfifo limits 5",
    ),
    wrong(qdisc.remove("left", parent=0), "tc qdisc del dev left"),
    # kinds that some kernels lack
    same(qdisc.add("left", "prio", handle="1:"), "tc qdisc add dev left root handle 1: prio"),
    same(
        qdisc.add("left", "prio", handle="1:", options={"bands": 5}),
        "tc qdisc add dev left root handle 1: prio bands 5",
    ),
    same(qdisc.add("left", "netem"), "tc qdisc add dev left root netem"),
    same(
        qdisc.add("left", "netem", options={"latency64": 10_000_000}),
        "tc qdisc add dev left root netem delay 10ms",
    ),
    same(
        qdisc.change("left", "netem", options={"duplicate": 0xFFFFFFFF}),
        "tc qdisc change dev left root netem duplicate 100%",
        given="tc qdisc add dev left root netem delay 10ms limit 50",
    ),
    same(qdisc.add("left", "hfsc", handle="1:"), "tc qdisc add dev left root handle 1: hfsc"),
    same(qdisc.add("left", "drr", handle="1:"), "tc qdisc add dev left root handle 1: drr"),
    same(qdisc.add("left", "qfq", handle="1:"), "tc qdisc add dev left root handle 1: qfq"),
    same(qdisc.add("left", "multiq", handle="1:"), "tc qdisc add dev left root handle 1: multiq"),
    same(qdisc.add("left", "cbs", handle="1:"), "tc qdisc add dev left root handle 1: cbs"),
    same(qdisc.add("left", "sfq"), "tc qdisc add dev left root sfq"),
    same(
        qdisc.add("left", "sfq", options={"v0": {"perturb_period": 10, "limit": 100}}),
        "tc qdisc add dev left root sfq perturb 10 limit 100",
    ),
    same(qdisc.add("left", "sfb", handle="1:"), "tc qdisc add dev left root handle 1: sfb"),
    same(
        qdisc.add("left", "sfb", handle="1:", options={"parms": {"limit": 500, "bin_size": 40}}),
        "tc qdisc add dev left root handle 1: sfb limit 500 target 40",
    ),
    same(qdisc.add("left", "fq_codel"), "tc qdisc add dev left root fq_codel"),
    same(
        qdisc.put("left", "fq_codel", handle="1:", options={"limit": 500, "ecn": 0}),
        "tc qdisc replace dev left root handle 1: fq_codel limit 500 noecn",
        given="tc qdisc add dev left root handle 1: fq_codel limit 400",
    ),
    same(qdisc.add("left", "fq"), "tc qdisc add dev left root fq"),
    same(qdisc.add("left", "pie"), "tc qdisc add dev left root pie"),
    same(qdisc.add("left", "cake"), "tc qdisc add dev left root cake"),
    same(
        qdisc.add("left", "ets", handle="1:", options={"nbands": 3, "nstrict": 1}),
        "tc qdisc add dev left root handle 1: ets bands 3 strict 1",
    ),
    same(
        qdisc.add("left", "red", handle="1:", options=RED),
        "tc qdisc add dev left root handle 1: red limit 60000 avpkt 1000 bandwidth 10mbit burst 6 "
        "probability 0.02",
    ),
    same(
        qdisc.add(
            "left",
            "choke",
            handle="1:",
            options={
                "parms": {
                    "limit": 1000,
                    "wlog": 6,
                    "plog": 23,
                    "scell_log": 16,
                    "flags": TC_RED.TC_RED_ECN,
                },
                "stab": bytes(256),
                "max_p": 85_899_345,
            },
        ),
        "tc qdisc add dev left root handle 1: choke limit 1000 bandwidth 10mbit ecn",
    ),
]

# --- classes --------------------------------------------------------------------------------------

RATE = {"parms": {"rate": {"rate": MBIT}}}
CLASS = [
    same(
        tclass.add("left", "htb", "1:10", parent="1:", options=RATE),
        "tc class add dev left parent 1: classid 1:10 htb rate 1mbit",
        given=HTB,
    ),
    same(
        tclass.add("left", "htb", "1:10", options=RATE),
        "tc class add dev left classid 1:10 htb rate 1mbit",
        given=HTB,
    ),
    same(
        tclass.add("left", "htb", ":10", parent="1:", options=RATE),
        "tc class add dev left parent 1: classid :10 htb rate 1mbit",
        given=HTB,
    ),
    same(
        tclass.add(
            "left",
            "htb",
            "1:10",
            parent="1:",
            options={
                "parms": {
                    "rate": {"rate": 100 * MBIT, "overhead": 4, "mpu": 64},
                    "ceil": {"rate": 1000 * MBIT, "overhead": 4, "mpu": 64},
                    "prio": 3,
                    "quantum": 2000,
                }
            },
        ),
        "tc class add dev left parent 1: classid 1:10 htb rate 100mbit ceil 1gbit prio 3 "
        "quantum 2000 overhead 4 mpu 64",
        given=HTB,
    ),
    same(
        tclass.add(
            "left",
            "htb",
            "1:10",
            parent="1:",
            options={
                "parms": {
                    "rate": {"rate": MBIT},
                    "ceil": {"rate": 2 * MBIT},
                    "buffer": ticks(15 << 10, MBIT),
                    "cbuffer": ticks(20 << 10, 2 * MBIT),
                }
            },
        ),
        "tc class add dev left parent 1: classid 1:10 htb rate 1mbit ceil 2mbit burst 15k "
        "cburst 20k",
        given=HTB,
    ),
    same(
        tclass.add("left", "htb", "1:11", parent="1:10", options=RATE),
        "tc class add dev left parent 1:10 classid 1:11 htb rate 1mbit",
        given=LEAF,
    ),
    same(
        tclass.add(
            "left",
            "htb",
            "1:10",
            parent="1:",
            options=RATE,
            estimator={"interval": 0, "ewma_log": 3},
        ),
        "tc class add dev left parent 1: classid 1:10 estimator 1s 8s htb rate 1mbit",
        given=HTB,
    ),
    same(
        tclass.put("left", "htb", "1:10", parent="1:", options=RATE),
        "tc class replace dev left parent 1: classid 1:10 htb rate 1mbit",
        given=HTB,
    ),
    same(
        tclass.put(
            "left",
            "htb",
            "1:10",
            parent="1:",
            options={"parms": {"rate": {"rate": 2 * MBIT}}},
            estimator={"interval": 0, "ewma_log": 3},
        ),
        "tc class replace dev left parent 1: classid 1:10 estimator 1s 8s htb rate 2mbit",
        given=LEAF,
    ),
    same(
        tclass.change("left", "htb", "1:10", options={"parms": {"rate": {"rate": 2 * MBIT}}}),
        "tc class change dev left classid 1:10 htb rate 2mbit",
        given=LEAF,
    ),
    same(
        tclass.change(
            "left",
            "htb",
            "1:10",
            parent="1:",
            options={"parms": {"rate": {"rate": MBIT}, "ceil": {"rate": 8 * MBIT}}},
            estimator={"interval": 0, "ewma_log": 3},
        ),
        "tc class change dev left parent 1: classid 1:10 estimator 1s 8s htb rate 1mbit ceil 8mbit",
        given=f"{LEAF}; tc class add dev left parent 1: classid 1:11 htb rate 1mbit",
    ),
    same(tclass.remove("left", "1:10"), "tc class del dev left classid 1:10", given=LEAF),
    refused(
        tclass.add("left", "htb", "1:10", parent="1:", options=RATE),
        errno.EEXIST,
        "tc class add dev left parent 1: classid 1:10 htb rate 1mbit",
        given=LEAF,
    ),
    same(  # for htb, a class that does not exist is as good as the qdisc
        tclass.add("left", "htb", "1:11", parent="1:77", options=RATE),
        "tc class add dev left parent 1:77 classid 1:11 htb rate 1mbit",
        given=LEAF,
    ),
    refused(
        tclass.add("left", "htb", "2:10", parent="1:", options=RATE),
        errno.EINVAL,
        "tc class add dev left parent 1: classid 2:10 htb rate 1mbit",
        given=LEAF,
    ),
    refused(
        tclass.change("left", "htb", "1:11", options=RATE),
        errno.ENOENT,
        "tc class change dev left classid 1:11 htb rate 1mbit",
        given=LEAF,
    ),
    refused(
        tclass.remove("left", "1:11"),
        errno.ENOENT,
        "tc class del dev left classid 1:11",
        given=LEAF,
    ),
    refused(
        tclass.remove("left", "1:10"),
        errno.EBUSY,
        "tc class del dev left classid 1:10",
        given=f"{LEAF}; tc class add dev left parent 1:10 classid 1:11 htb rate 1mbit",
    ),
    wrong(
        tclass.add("left", "htb", "1:10", parent="1:"),
        "tc class add dev left parent 1: classid 1:10 htb",
        given=HTB,
    ),
    wrong(
        tclass.put("left", "htb", "1:10", options={"parms": {"ceil": {"rate": MBIT}}}),
        "tc class replace dev left classid 1:10 htb ceil 1mbit",
        given=HTB,
    ),
    wrong(
        tclass.add("left", "htb", "1:xyz", options=RATE),
        "tc class add dev left classid 1:xyz htb rate 1mbit",
        given=HTB,
    ),
    # kinds that some kernels lack
    same(
        tclass.add(
            "left",
            "hfsc",
            "1:10",
            parent="1:",
            options={"rsc": {"m2": MBIT}, "fsc": {"m2": MBIT}, "usc": {"m2": 5 * MBIT}},
        ),
        "tc class add dev left parent 1: classid 1:10 hfsc sc rate 1mbit ul rate 5mbit",
        given="tc qdisc add dev left root handle 1: hfsc",
    ),
    same(
        tclass.add("left", "drr", "1:10", parent="1:"),
        "tc class add dev left parent 1: classid 1:10 drr",
        given="tc qdisc add dev left root handle 1: drr",
    ),
    same(
        tclass.change("left", "drr", "1:10", options={"quantum": 3000}),
        "tc class change dev left classid 1:10 drr quantum 3000",
        given="tc qdisc add dev left root handle 1: drr; tc class add dev left classid 1:10 drr",
    ),
    same(
        tclass.add("left", "qfq", "1:10", parent="1:"),
        "tc class add dev left parent 1: classid 1:10 qfq",
        given="tc qdisc add dev left root handle 1: qfq",
    ),
    same(
        tclass.change("left", "ets", "1:2", options={"quanta_band": 4000}),
        "tc class change dev left classid 1:2 ets quantum 4000",
        given="tc qdisc add dev left root handle 1: ets bands 3 strict 1",
    ),
    wrong(
        tclass.add("left", "hfsc", "1:10", parent="1:"),
        "tc class add dev left parent 1: classid 1:10 hfsc",
    ),
]

# --- filters --------------------------------------------------------------------------------------

MIRROR = {
    "kind": "mirred",
    "options": {"parms": {"eaction": TCA_MIRRED.TCA_EGRESS_MIRROR, "ifindex": 2}},
}
REDIRECT = {
    "kind": "mirred",
    "options": {"parms": {"eaction": TCA_MIRRED.TCA_EGRESS_REDIR, "ifindex": 2}},
}
DROP = {"kind": "gact", "options": {"parms": {"action": TC_ACT.TC_ACT_SHOT}}}
SOURCE = {"keys_": [{"mask": 0xFF000000, "val": 0x0A000000, "off": 12}]}
ANY: dict[str, Any] = {"keys_": [{}]}
ONE = (
    f"{CLSACT}; tc filter add dev left ingress protocol ip prio 5 u32 match ip src 10.0.0.0/8 "
    "classid 1:1"
)
TWO = f"{ONE}; tc filter add dev left ingress protocol ip prio 6 u32 match u8 0 0 classid 1:2"
ADD = "tc filter add dev left ingress"
POLICE: dict[str, Any] = {
    "tbf": {
        "action": TC_ACT.TC_ACT_SHOT,
        "burst": ticks(10_240, MBIT),
        "mtu": 2000,
        "rate": {"rate": MBIT, "cell_log": 3},
    },
    "rate": bytes(1024),
}
AVERAGE = {"avrate": MBIT, "tbf": {"action": TC_ACT.TC_ACT_SHOT}}

FILTER = [
    same(
        filter.add("left", "u32", prio=5, options={"classid": "1:10", "sel": ANY}),
        "tc filter add dev left prio 5 u32 match u8 0 0 classid 1:10",
        given=LEAF,
    ),
    same(
        filter.add("left", "u32", parent="1:", options={"classid": "1:10", "sel": ANY}),
        "tc filter add dev left parent 1: u32 match u8 0 0 flowid 1:10",
        given=LEAF,
    ),
    same(
        filter.add("left", "u32", parent="1:1", prio=5, options={"classid": "1:10", "sel": ANY}),
        "tc filter add dev left parent 1:1 prio 5 u32 match u8 0 0 classid 1:10",
        given=f"{HTB}; tc class add dev left classid 1:1 htb rate 1mbit; "
        "tc class add dev left parent 1:1 classid 1:10 htb rate 1mbit",
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", protocol="ip", prio=5,
            options={"classid": "1:1", "sel": SOURCE},
        ),
        f"{ADD} protocol ip prio 5 u32 match ip src 10.0.0.0/8 classid 1:1",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "u32", parent="egress", protocol=ETH_P.ETH_P_IPV6, prio=5,
            options={"sel": {"keys_": [{"mask": 0x00FF0000, "val": 0x00110000, "off": 8},
                                       {"mask": 0xFFFF, "val": 0x35, "off": 20}]},
                     "act": [REDIRECT]},
        ),
        "tc filter add dev left egress protocol ipv6 prio 5 u32 match ip protocol 17 0xff "
        "match u16 0x35 0xffff at 22 action mirred egress redirect dev right",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", protocol="802.1Q", prio=5,
            options={"sel": ANY, "act": [MIRROR]},
        ),
        f"{ADD} protocol 802.1Q prio 5 u32 match u8 0 0 action mirred egress mirror dev right",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", protocol="all", prio=5,
            options={"sel": ANY, "act": [MIRROR, REDIRECT]},
        ),
        f"{ADD} protocol all prio 5 u32 match u8 0 0 action mirred egress mirror dev right "
        "action mirred egress redirect dev right",
        given=CLSACT,
    ),
    same(
        filter.add("left", "u32", parent="ingress", prio=5, options={"sel": ANY}),
        f"{ADD} prio 5 u32 match u8 0 0",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", prio=5, handle="::5",
            options={"sel": ANY, "classid": ":7"},
        ),
        f"{ADD} prio 5 handle ::5 u32 match u8 0 0 classid :7",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", prio=5, protocol="ip", handle="800::5",
            options={"sel": ANY, "classid": "1:7"},
        ),
        f"{ADD} protocol ip prio 5 handle 800::5 u32 match u8 0 0 classid 1:7",
        given=ONE,
    ),
    same(
        filter.add("left", "u32", parent="ingress", prio=5, handle="1:", options={"divisor": 256}),
        f"{ADD} prio 5 handle 1: u32 divisor 256",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", prio=5,
            options={"hash": "1:7:", "sel": SOURCE, "classid": "1:7"},
        ),
        f"{ADD} prio 5 u32 ht 1:7: match ip src 10.0.0.0/8 classid 1:7",
        given=f"{CLSACT}; {ADD} prio 5 handle 1: u32 divisor 256",
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", prio=5,
            options={"link": "1:", "sel": {**SOURCE, "hmask": 0xFF, "hoff": 12}},
        ),
        f"{ADD} prio 5 u32 match ip src 10.0.0.0/8 link 1: hashkey mask 0xff at 12",
        given=f"{CLSACT}; {ADD} prio 5 handle 1: u32 divisor 256",
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", prio=5, chain=7,
            options={"sel": ANY, "classid": "1:7", "indev": "right"},
        ),
        f"{ADD} prio 5 chain 7 u32 match u8 0 0 classid 1:7 indev right",
        given=CLSACT,
    ),
    same(
        filter.add(
            None, "u32", block=21, protocol="ip", prio=5,
            options={"sel": ANY, "classid": "1:7"},
        ),
        "tc filter add block 21 protocol ip prio 5 u32 match u8 0 0 classid 1:7",
        given="tc qdisc add dev left ingress_block 21 clsact",
    ),
    same(
        filter.add(
            "left", "bpf", parent="ingress", prio=5,
            options={"ops": [{"code": 6, "k": 1}], "classid": "1:9"},
        ),
        f'{ADD} prio 5 bpf bytecode "1,6 0 0 1" classid 1:9',
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "bpf", parent="ingress", prio=5, handle="0x7",
            options={"ops": [{"code": 6, "k": 1}], "act": [MIRROR]},
        ),
        f'{ADD} prio 5 handle 0x7 bpf bytecode "1,6 0 0 1" action mirred egress mirror dev right',
        given=CLSACT,
    ),
    # replacement and change
    same(
        filter.put(
            "left", "u32", parent="ingress", protocol="ip", prio=7,
            options={"sel": SOURCE, "classid": "1:5"},
        ),
        "tc filter replace dev left ingress protocol ip prio 7 u32 match ip src 10.0.0.0/8 "
        "classid 1:5",
        given=ONE,
    ),
    same(
        filter.put(
            "left", "u32", parent="ingress", protocol="ip", prio=5, handle="800::800",
            options={"classid": "1:5"},
        ),
        "tc filter replace dev left ingress protocol ip prio 5 handle 800::800 u32 classid 1:5",
        given=ONE,
    ),
    same(
        filter.put(
            None, "u32", block=21, prio=5, handle="800::800", chain=3,
            options={"sel": ANY, "classid": "1:7"},
        ),
        "tc filter replace block 21 prio 5 handle 800::800 chain 3 u32 match u8 0 0 classid 1:7",
        given="tc qdisc add dev left ingress_block 21 clsact",
    ),
    same(
        filter.change(
            "left", "u32", parent="ingress", protocol="ip", prio=5, handle="800::800",
            options={"classid": "1:5"},
        ),
        "tc filter change dev left ingress protocol ip prio 5 handle 800::800 u32 classid 1:5",
        given=ONE,
    ),
    same(
        filter.change(
            "left", "u32", parent="ingress", prio=5, handle="800::800", options={"classid": "1:5"}
        ),
        "tc filter change dev left ingress prio 5 handle 800::800 u32 classid 1:5",
        given=ONE,
    ),
    same(
        filter.change(None, "u32", block=21, chain=3, prio=5, handle="800::800",
                      options={"classid": "1:9"}),
        "tc filter change block 21 chain 3 prio 5 handle 800::800 u32 classid 1:9",
        given="tc qdisc add dev left ingress_block 21 clsact; "
        "tc filter add block 21 prio 5 chain 3 u32 match u8 0 0 classid 1:7",
    ),
    # removal
    same(
        filter.remove(
            "left", "u32", parent="ingress", protocol="ip", prio=5, handle="800::800"
        ),
        "tc filter del dev left ingress protocol ip prio 5 handle 800::800 u32",
        given=f"{ONE}; {ADD} protocol ip prio 5 u32 match u8 0 0 classid 1:2",
    ),
    same(
        filter.remove("left", parent="ingress", prio=6),
        "tc filter del dev left ingress prio 6",
        given=TWO,
    ),
    same(
        filter.remove("left", parent="ingress"),
        "tc filter del dev left ingress",
        given=TWO,
    ),
    same(
        filter.remove("left", parent="none"),
        "tc filter del dev left",
        given=f"{LEAF}; tc filter add dev left prio 5 u32 match u8 0 0 classid 1:10",
    ),
    same(
        filter.remove("left", parent="ingress", chain=7),
        "tc filter del dev left ingress chain 7",
        given=f"{ONE}; {ADD} prio 5 chain 7 u32 match u8 0 0 classid 1:7",
    ),
    same(
        filter.remove(None, block=21),
        "tc filter del block 21",
        given="tc qdisc add dev left ingress_block 21 clsact; "
        "tc filter add block 21 prio 5 u32 match u8 0 0 classid 1:7",
    ),
    # refusals
    refused(
        filter.add(
            "left", "u32", parent="ingress", protocol="ip", prio=5, handle="800::800",
            options={"sel": SOURCE, "classid": "1:1"},
        ),
        errno.EEXIST,
        f"{ADD} protocol ip prio 5 handle 800::800 u32 match ip src 10.0.0.0/8 classid 1:1",
        given=ONE,
    ),
    refused(
        filter.add(
            "left", "u32", parent="ingress", protocol="ipv6", prio=5, options={"sel": SOURCE}
        ),
        errno.EINVAL,
        f"{ADD} protocol ipv6 prio 5 u32 match ip src 10.0.0.0/8",
        given=ONE,
    ),
    refused(
        filter.add("left", "u32", parent="ingress", options={"sel": ANY}),
        errno.EINVAL,
        f"{ADD} u32 match u8 0 0",
    ),
    refused(
        filter.add("left", "u32", parent="ingress", prio=5, options={"hash": "5:", "sel": ANY}),
        errno.EINVAL,
        f"{ADD} prio 5 u32 ht 5: match u8 0 0",
        given=CLSACT,
    ),
    refused(
        filter.add(None, "u32", block=99, prio=5, options={"sel": ANY}),
        errno.EINVAL,
        "tc filter add block 99 prio 5 u32 match u8 0 0",
    ),
    refused(
        filter.change(
            "left", "u32", parent="ingress", protocol="ip", prio=5, handle="800::801",
            options={"classid": "1:5"},
        ),
        errno.ENOENT,
        "tc filter change dev left ingress protocol ip prio 5 handle 800::801 u32 classid 1:5",
        given=ONE,
    ),
    refused(
        filter.remove("left", parent="ingress", prio=7),
        errno.ENOENT,
        "tc filter del dev left ingress prio 7",
        given=ONE,
    ),
    refused(
        filter.remove("left", "bpf", parent="ingress", prio=5),
        errno.EINVAL,
        "tc filter del dev left ingress prio 5 bpf",
        given=ONE,
    ),
    refused(
        filter.add("nodev", "u32", options={"sel": ANY}),
        errno.ENODEV,
        "tc filter add dev nodev u32 match u8 0 0",
    ),
    wrong(
        filter.add("left", "u32", parent="ingress", prio=70_000, options={"sel": ANY}),
        f"{ADD} prio 70000 u32 match u8 0 0",
    ),
    wrong(
        filter.add("left", "u32", parent="ingress", protocol="ipx7", options={"sel": ANY}),
        f"{ADD} protocol ipx7 u32 match u8 0 0",
    ),
    wrong(
        filter.add("left", "u32", parent="ingress", options={"sel": ANY, "classid": "1:x"}),
        f"{ADD} u32 match u8 0 0 classid 1:x",
    ),
    wrong(
        filter.add("left", "u32", parent="ingress", handle="800", options={"sel": ANY}),
        f"{ADD} handle 800 u32 match u8 0 0",
    ),
    wrong(
        filter.add("left", "u32", parent="ingress", handle="1000::5", options={"sel": ANY}),
        f"{ADD} handle 1000::5 u32 match u8 0 0",
    ),
    wrong(
        filter.add("left", "u32", block=21, options={"sel": ANY}),
        "tc filter add dev left block 21 u32 match u8 0 0",
    ),
    wrong(
        filter.add(None, "u32", block=0, options={"sel": ANY}),
        "tc filter add block 0 u32 match u8 0 0",
    ),
    wrong(
        filter.add(
            "left", "u32", parent="ingress",
            options={"sel": ANY, "act": [{"kind": "police", "options": {"tbf": {"burst": 5}}}]},
        ),
        f"{ADD} u32 match u8 0 0 action police burst 5",
    ),
    wrong(
        filter.add(
            "left", "u32", parent="ingress",
            options={"sel": ANY, "police": {"tbf": {"rate": {"rate": MBIT}}}},
        ),
        f"{ADD} u32 match u8 0 0 police rate 1mbit",
    ),
    wrong(
        filter.add(
            "left", "flower", parent="ingress",
            options={"key_ip_proto": 6, "key_tcp_dst": 80},
        ),
        f"{ADD} flower ip_proto tcp dst_port 80",
    ),
    # kinds that some kernels lack
    same(
        filter.add("left", "fw", prio=5, handle="0x6", options={"classid": "1:10"}),
        "tc filter add dev left prio 5 handle 0x6 fw classid 1:10",
        given=LEAF,
    ),
    same(
        filter.add("left", "fw", parent="1:", prio=5, handle=6, options={"classid": "1:10"}),
        "tc filter add dev left parent 1: prio 5 handle 6 fw classid 1:10",
        given=LEAF,
    ),
    same(
        filter.add("left", "matchall", parent="ingress", prio=5, options={"act": [DROP]}),
        f"{ADD} prio 5 matchall action drop",
        given=CLSACT,
    ),
    same(
        filter.add("left", "flower", parent="ingress", protocol="ip", prio=5),
        f"{ADD} protocol ip prio 5 flower",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "flower", parent="ingress", protocol="ip", prio=5,
            options={"key_ip_proto": 6, "key_tcp_dst": 80, "act": [DROP]},
        ),
        f"{ADD} protocol ip prio 5 flower ip_proto tcp dst_port 80 action drop",
        given=CLSACT,
    ),
    same(
        filter.put(
            "left", "flower", parent="ingress", protocol="802.1Q", prio=5, handle=1,
            options={"key_vlan_id": 7, "key_vlan_eth_type": "ETH_P_IP", "key_ip_proto": 17,
                     "key_udp_dst": 53, "classid": "1:3"},
        ),
        "tc filter replace dev left ingress protocol 802.1Q prio 5 handle 1 flower vlan_id 7 "
        "vlan_ethtype ip ip_proto udp dst_port 53 classid 1:3",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "basic", parent="ingress", prio=5,
            options={
                "classid": "1:9",
                "ematches": {
                    "tree_hdr": {},
                    "tree_list": [
                        {"kind": TCF_EM.TCF_EM_U32, "flags": TCF_EM_FLAG.TCF_EM_REL_OR,
                         "data": {"val": 5, "mask": 0xFF, "off": 4}},
                        {"kind": TCF_EM.TCF_EM_NBYTE,
                         "data": {"off": 4, "len_layer": 1 << 12, "pattern": b"abcd"}},
                    ],
                },
            },
        ),
        f"{ADD} prio 5 basic match "
        """'u32(u32 5 0xff at 4) or nbyte("abcd" at 4 layer 1)' classid 1:9""",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", prio=5,
            options={"sel": ANY, "act": [
                {"kind": "skbedit", "options": {"priority": "1:5", "mark": 7}},
                {"kind": "vlan", "options": {"parms": {"v_action": TCA_VLAN_ACT.TCA_VLAN_ACT_POP}}},
                DROP,
            ]},
        ),
        f"{ADD} prio 5 u32 match u8 0 0 action skbedit priority 1:5 mark 7 action vlan pop "
        "action drop",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", prio=5, protocol="ip",
            options={"sel": ANY, "classid": "1:1", "police": POLICE},
        ),
        f"{ADD} protocol ip prio 5 u32 match u8 0 0 flowid 1:1 police rate 1mbit burst 10240 "
        "mtu 2000 drop",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", prio=5, protocol="ip",
            options={"sel": ANY, "act": [
                {"kind": "police", "options": {**POLICE, "tbf": {
                    key: value for key, value in POLICE["tbf"].items() if key != "action"}}},
            ]},
        ),
        f"{ADD} protocol ip prio 5 u32 match u8 0 0 action police rate 1mbit burst 10240 mtu 2000",
        given=CLSACT,
    ),
    same(
        filter.add(
            "left", "u32", parent="ingress", prio=5, estimator={"interval": 0, "ewma_log": 3},
            options={"sel": ANY, "police": AVERAGE},
        ),
        f"{ADD} prio 5 estimator 1s 8s u32 match u8 0 0 police avrate 1mbit drop",
        given=CLSACT,
    ),
    same(
        filter.put(
            "left", "u32", parent="ingress", prio=5, estimator={"interval": 0, "ewma_log": 3},
            options={"sel": ANY, "act": [{"kind": "police", "options": AVERAGE}]},
        ),
        "tc filter replace dev left ingress prio 5 estimator 1s 8s u32 match u8 0 0 "
        "action police avrate 1mbit drop",
        given=CLSACT,
    ),
    same(
        filter.change(
            "left", "u32", parent="ingress", prio=5, handle="800::800",
            estimator={"interval": 0, "ewma_log": 3}, options={"police": AVERAGE},
        ),
        "tc filter change dev left ingress prio 5 handle 800::800 estimator 1s 8s u32 "
        "police avrate 1mbit drop",
        given=ONE,
    ),
]  # fmt: skip

ROWS = QDISC + CLASS + FILTER


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.theirs)
def test_twins(row: Row) -> None:
    play(row, PAIR, TcTwin)


def test_every_parameter_is_in_a_row() -> None:
    """Every plan has rows, and every parameter is in a row that succeeds."""
    used: dict[str, set[str]] = {}
    for row in ROWS:
        if not row.errno and not row.wrong:
            used.setdefault(row.ours.name, set()).update(row.ours.kwargs)
    missing = set()
    assert len(used) == 12
    for module in (qdisc, tclass, filter):
        for name, function in plans_of(module).items():
            full = f"{module.__name__.rpartition('.')[2]}.{name}"
            parameters = inspect.signature(function).parameters.values()
            words = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
            missing |= {f"{full}({word})" for word in words - used.get(full, set())}
            missing |= {full} - used.keys()
    assert missing == set()


def plans_of(module: ModuleType) -> dict[str, Callable[..., Plan[Any]]]:
    """Return the functions of a module that make plans."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
        if hasattr(value, "plan")
    }
