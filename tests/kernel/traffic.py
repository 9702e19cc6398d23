"""Every scheduler, class, classifier and action: the words for tc, and what we must read of it.

The live tests and the captures of tests/vectors go through the same cases. This module contains
the cases and no tests.
"""

import re
import shlex
import socket
import subprocess
from ipaddress import ip_address
from typing import Any

import pytest

from netlink import Message
from netlink.route.ether import ETH_P
from netlink.route.tc import (
    handle,
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

Options = dict[str, Any]

V1 = 77  # the index of v1, which the rows below send to
CLOCK_TAI = 11  # linux/time.h

IPPROTO_SCTP = 132
ETHERNET = TC_LINKLAYER.TC_LINKLAYER_ETHERNET

LACKING = re.compile(
    "kind is unknown|kind not found|classifier not found|Failed to load TC action|No such file"
)


def run(*words: str) -> str:
    """Return what a program prints. Skip the test if the kernel lacks what it needs."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode and LACKING.search(done.stderr):
        pytest.skip(f"{shlex.join(words)}: {done.stderr.strip()}")
    assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr}"
    return done.stdout


def tc(words: str) -> str:
    return run("tc", *shlex.split(words))


def percent(share: float) -> int:
    """Return a probability in units of 2^-32, rounded as tc does."""
    return round(share / 100 * 0xFFFFFFFF)


def merged(options: Options, more: Options) -> Options:
    result = dict(options)
    for key, value in more.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and value else value
    return result


def expect(found: Any, wanted: Any, at: str) -> None:
    """Check that `found` has every value of `wanted`; it may have more."""
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


def row(*values: Any) -> Any:
    return pytest.param(*values, id=f"{values[0]} {values[1]}"[:60].strip())


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
    # kind, the words of tc, our options, and values that read differently or are added: codel keeps
    # times in units of 1024 ns (CODEL_SHIFT), and many kinds send values that were not given
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

SHAPED = {"overhead": 4, "mpu": 64, "linklayer": ETHERNET}

# fmt: off
CLASSES = [
    # kind, the words of tc for the qdisc and the class, our options, and values that are added
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
    # kind, the words of tc, protocol, our options, values that read differently or are added
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
    # kind, the words of tc, our options, values that read differently or are added
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
