"""What the tables of netlink/route/tc/options.py are for, seen in the kernel.

Each test shows first that the kernel accepts options without what the plans fill in or demand, and
what comes of it: the qdisc drops every packet, or the filter matches other packets than those it
was made for. Then it shows what the plan does. A kernel that lacks a kind skips its tests.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from netlink import Connection, EncodeError, KernelError, Request
from netlink.route import FAMILY, link
from netlink.route.ether import ETH_P
from netlink.route.tc import TC_H, action, filter, handle, qdisc, tclass
from netlink.route.tc.act import TCA_MIRRED
from netlink.route.tc.cls import U32
from netlink.route.tc.em import TCF_EM
from netlink.route.tc.sch import QDISC_OPTIONS
from tests.kernel.scene import LACKS, make

ROOT = TC_H.TC_H_ROOT
ETHER = b"\xff" * 6 + b"\2\0\0\0\0\1" + b"\x88\xb5"  # a frame of a private EtherType


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(FAMILY, timeout=10) as connection:
        yield connection


@pytest.fixture
def dev(nl: Connection) -> int:
    """Return the index of v0: one end of a veth pair that is up and sends nothing by itself."""
    make("""
        link add v0 type veth peer name v1
        link set v0 addrgenmode none
        link set v1 addrgenmode none
        link set v0 up
        link set v1 up
    """)
    index: int = nl.do(link.index_of("v0"))
    for _ in range(500):  # until then the kernel drops what is sent, uncounted (noop_enqueue)
        if nl.do(link.by_index(index)).operstate == link.IF_OPER.IF_OPER_UP:
            return index
        time.sleep(0.01)
    raise AssertionError("v0 does not come up")


def change(nl: Connection, request: Request[None, Any]) -> None:
    """Send a request that the kernel must accept; skip if it lacks the kind."""
    try:
        nl.do(request)
    except KernelError as error:
        if any(lack in str(error) for lack in LACKS) or "unknown" in str(error):
            pytest.skip(str(error))
        raise


def send(count: int = 5) -> None:
    """Send frames out of v0. A qdisc that drops one may make this fail (ENOBUFS)."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("v0", 0))
        for _ in range(count):
            with suppress(OSError):
                raw.send(ETHER.ljust(200, b"\0"))


def root(nl: Connection, dev: int) -> Any:
    """Return the root qdisc."""
    return nl.do(qdisc.get(ifindex=dev, parent=ROOT))


def last(nl: Connection, dev: int, parent: str) -> Any:
    """Return the last filter of a parent."""
    *_, found = nl.dump(filter.get(ifindex=dev, parent=handle(parent)))
    return found


def drops(nl: Connection, dev: int) -> int:
    """Return how many packets the root qdisc has dropped."""
    return int(root(nl, dev).stats2.queue.drops)


RATE = {"rate": 1_250_000, "linklayer": 1}
RED = {"qth_min": 30_000, "qth_max": 90_000, "wlog": 9, "plog": 22, "scell_log": 15}
# kind, options that lack a limit, what the plan does: an error, or a limit
WITHOUT_LIMIT = [
    ("tbf", {"parms": {"rate": RATE}, "burst": 10_000}, "needs parms.limit"),
    ("netem", {}, 1000),
    ("red", {"parms": RED, "stab": bytes(256)}, "needs parms.limit"),
    ("choke", {"parms": RED, "stab": bytes(256)}, "needs parms.limit"),
]


@pytest.mark.parametrize("kind, options, outcome", WITHOUT_LIMIT, ids=lambda value: str(value)[:9])
def test_limit(nl: Connection, dev: int, kind: str, options: Any, outcome: Any) -> None:
    made = QDISC_OPTIONS[kind](**options)
    change(nl, qdisc.new(ifindex=dev, parent=ROOT, kind=kind, options=made))
    send()
    assert drops(nl, dev) >= 5
    nl.do(qdisc.remove("v0", parent="root"))
    if isinstance(outcome, str):
        with pytest.raises(EncodeError, match=outcome):
            nl.do(qdisc.add("v0", kind, options=options))
        return
    nl.do(qdisc.add("v0", kind, options=options))
    assert root(nl, dev).options.limit == outcome
    send()
    assert drops(nl, dev) == 0


def test_limit_of_a_queue_of_gred(nl: Connection, dev: int) -> None:
    change(nl, qdisc.new(ifindex=dev, parent=ROOT, kind="gred",
                         options={"dps": {"dps": 1, "def_dp": 0}}))  # fmt: skip
    queues = {"parms": [{"dp": 0, "prio": 1, **RED}], "stab": bytes(256)}
    nl.do(qdisc.set(ifindex=dev, parent=ROOT, kind="gred", options=queues))
    send()
    assert drops(nl, dev) >= 5
    with pytest.raises(EncodeError, match=r"needs parms\.limit"):
        nl.do(qdisc.change("v0", "gred", options=queues))


@pytest.mark.parametrize("kind", ["red", "choke"])
def test_thresholds(nl: Connection, dev: int, kind: str) -> None:
    """Without thresholds, the qdisc drops every packet once its average is above 0."""
    parms = {"limit": 60_000, "wlog": 1, "plog": 19, "scell_log": 12}
    options = {"parms": parms, "stab": bytes(256)}
    made = QDISC_OPTIONS[kind](**options)
    change(nl, qdisc.new(ifindex=dev, parent=ROOT, kind=kind, options=made))
    assert root(nl, dev).options.parms.qth_max == 0
    nl.do(qdisc.put("v0", kind, options=options))
    found = root(nl, dev).options.parms
    assert (found.qth_min, found.qth_max) == (5000, 15_000)


def test_no_share(nl: Connection, dev: int) -> None:
    """The kernel refuses a class without rate and ceil. The plan requires only the rate."""
    nl.do(qdisc.add("v0", "htb", handle="1:"))
    where = {"ifindex": dev, "parent": handle("1:"), "handle": handle("1:1"), "kind": "htb"}
    for parms in ({}, {"rate": RATE}):
        with pytest.raises(KernelError, match="EINVAL"):
            nl.do(tclass.new(**where, options={"parms": parms}))
    nl.do(tclass.add("v0", "htb", "1:1", options={"parms": {"rate": {"rate": 1_250_000}}}))
    found: Any
    (found,) = nl.dump(tclass.get(ifindex=dev))
    assert found.options.parms.ceil.rate == 1_250_000
    assert found.options.parms.buffer == found.options.parms.cbuffer > 0


# --- size tables ----------------------------------------------------------------------------------


def test_size_table(nl: Connection, dev: int) -> None:
    """Without a table, the kernel ignores the link layer's cells: 53 bytes for each 48."""
    # 300 bytes may pass: a packet of 200 does, and the next one waits.
    slow = {"parms": {"rate": {"rate": 10}, "limit": 30_000}, "burst": 300}
    stab = {"base": {"linklayer": "TC_LINKLAYER_ATM"}}

    def counted() -> int:
        """Return what the qdisc counts for the waiting packet of 200 bytes."""
        send(2)
        return int(root(nl, dev).stats2.queue.backlog)

    nl.do(qdisc.new(ifindex=dev, parent=ROOT, kind="tbf", options=slow, stab=stab))
    assert counted() == 200
    nl.do(qdisc.remove("v0", parent="root"))
    nl.do(qdisc.add("v0", "tbf", options=slow, stab=stab))
    assert counted() == 5 * 53


# --- filters --------------------------------------------------------------------------------------


@pytest.fixture
def classes(nl: Connection, dev: int) -> int:
    """Make an htb with two classes. 1:20 gets the packets that no filter classifies."""
    nl.do(qdisc.add("v0", "htb", handle="1:", options={"init": {"defcls": 0x20}}))
    for name in ("1:10", "1:20"):
        nl.do(tclass.add("v0", "htb", name, options={"parms": {"rate": RATE}}))
    return dev


def went_to(nl: Connection, dev: int) -> dict[str, int]:
    """Return how many of five frames each class gets."""
    before = packets(nl, dev)
    send()
    return {name: count - before[name] for name, count in packets(nl, dev).items()}


def packets(nl: Connection, dev: int) -> dict[str, int]:
    found: list[Any] = list(nl.dump(tclass.get(ifindex=dev)))
    return {str(one.handle): one.stats2.basic.packets for one in found}


PLACE = {"parent": handle("1:"), "info": filter.info(5, ETH_P.ETH_P_ALL), "kind": "u32"}
OTHERS = {"keys_": [{"mask": 0xFFFFFFFF, "val": 1}]}  # frames that begin with 00000001


def test_keys_are_counted(nl: Connection, classes: int) -> None:
    """A selector with a key, but a count of 0, would match every packet."""
    uncounted = bytearray(bytes(U32(sel={"flags": 1, **OTHERS})))
    uncounted[4 + 2] = 0  # nkeys
    options = bytes(uncounted) + bytes(U32(classid="1:10"))
    nl.do(filter.new(ifindex=classes, **PLACE, options=options))
    assert went_to(nl, classes) == {"1:10": 5, "1:20": 0}
    nl.do(filter.remove("v0", parent="1:"))
    nl.do(filter.add("v0", "u32", parent="1:", prio=5, options={"sel": OTHERS, "classid": "1:10"}))
    assert went_to(nl, classes) == {"1:10": 0, "1:20": 5}
    found = last(nl, classes, "1:")
    assert (found.options.sel.nkeys, len(found.options.sel.keys_)) == (1, 1)


def test_terminal(nl: Connection, classes: int) -> None:
    """A u32 filter without the terminal flag has no effect."""
    options = {"sel": {"keys_": [{}]}, "classid": "1:10"}
    nl.do(filter.new(ifindex=classes, **PLACE, options=options))
    assert went_to(nl, classes) == {"1:10": 0, "1:20": 5}
    nl.do(filter.remove("v0", parent="1:"))
    nl.do(filter.add("v0", "u32", parent="1:", prio=5, options=options))
    assert went_to(nl, classes) == {"1:10": 5, "1:20": 0}


def test_actions_go_on(nl: Connection, classes: int) -> None:
    """After an action that returns TC_ACT_OK (0), the kernel executes no other action."""
    mirror = {"eaction": TCA_MIRRED.TCA_EGRESS_MIRROR, "ifindex": nl.do(link.index_of("v1"))}
    actions = [{"kind": "mirred", "options": {"parms": mirror}} for _ in range(2)]
    options = {"sel": {"keys_": [{}], "flags": 1}, "act": actions}

    def executed() -> list[int]:
        send()
        found = last(nl, classes, "egress").options.act
        return [one.stats.basic.packets for one in found]

    make("qdisc add dev v0 clsact", "tc")
    place = {**PLACE, "parent": handle("egress")}
    change(nl, filter.new(ifindex=classes, **place, options=options))
    assert executed() == [5, 0]
    nl.do(filter.remove("v0", parent="egress"))
    nl.do(filter.add("v0", "u32", parent="egress", options=options))
    assert executed() == [5, 5]


def test_ignored_keys_of_flower(nl: Connection, dev: int) -> None:
    """The kernel ignores a port without ip_proto, and ip_proto without the EtherType."""
    make("qdisc add dev v0 clsact", "tc")
    place = {"ifindex": dev, "parent": handle("ingress"), "kind": "flower"}
    ports = {"key_ip_proto": socket.IPPROTO_TCP, "key_tcp_dst": 80}
    change(nl, filter.new(**place, info=filter.info(5, ETH_P.ETH_P_IP), options=ports))
    found = last(nl, dev, "ingress")
    assert (found.options.key_ip_proto, found.options.key_tcp_dst) == (None, None)
    nl.do(filter.add("v0", "flower", parent="ingress", prio=6, protocol="ip", options=ports))
    found = last(nl, dev, "ingress")
    assert (found.options.key_ip_proto, found.options.key_tcp_dst) == (socket.IPPROTO_TCP, 80)
    with pytest.raises(EncodeError, match="key_ip_proto needs key_eth_type"):
        nl.do(filter.add("v0", "flower", parent="ingress", prio=7, options=ports))


def test_ignored_ematches(nl: Connection, dev: int) -> None:
    """A match without a relation ends the list: the kernel ignores all matches after it."""
    make("qdisc add dev v0 clsact", "tc")
    place = {"ifindex": dev, "parent": handle("ingress"), "kind": "basic"}
    match = {"kind": TCF_EM.TCF_EM_U32, "data": {"val": 5, "mask": 0xFF}}
    options = {"ematches": {"tree_hdr": {}, "tree_list": [match, match]}, "classid": "1:1"}
    change(nl, filter.new(**place, info=filter.info(5, ETH_P.ETH_P_ALL), options=options))
    with pytest.raises(EncodeError, match="2 ematches make 1 expression"):
        nl.do(filter.add("v0", "basic", parent="ingress", options=options))


@pytest.mark.parametrize(
    "kind, options",
    [
        ("police", {"tbf": {"burst": 5}}),
        ("csum", {"parms": {}}),
        ("ct", {"parms": {}, "nat_ipv4_min": "192.0.2.1"}),
    ],
)
@pytest.mark.usefixtures("machine_root")  # as tc_ctl_action in net/sched/act_api.c asks for
def test_actions_that_do_nothing(nl: Connection, dev: int, kind: str, options: Any) -> None:
    make("qdisc add dev v0 clsact", "tc")
    one = {"kind": kind, "options": options}
    change(nl, action.new(tab=[one]))
    with pytest.raises(EncodeError, match=f"kind '{kind}' needs"):
        nl.do(filter.add("v0", "u32", parent="ingress",
                         options={"sel": {"keys_": [{}]}, "act": [one]}))  # fmt: skip
