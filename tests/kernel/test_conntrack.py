"""Tracked connections of the live kernel, compared with conntrack(8) and with what a test made."""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import socket
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, EncodeError, KernelError
from netlink.cli import main
from netlink.netfilter import conntrack as ct
from netlink.netfilter.conntrack import FILTER, IPS, TCP_CONNTRACK, Conntrack
from netlink.netfilter.nfnetlink import NFPROTO

PATIENCE = 20.0
SYSCTL = Path("/proc/sys/net/netfilter")
RULES = """
table inet t {
    chain i { type filter hook input priority 0; ct state new accept; }
    chain o { type filter hook output priority 0; ct state new accept; }
}
"""
NAT = """
table ip n {
    chain o { type nat hook output priority -100; udp dport 53 dnat to 127.0.0.1:5353; }
}
"""
LABEL = """
table inet l {
    chain o { type filter hook output priority 1; ct label set 1
    }
}
"""
UDP = {"proto": "udp", "src": "10.0.0.1", "dst": "10.0.0.2", "sport": 5, "dport": 6}
TCP6 = {"proto": "tcp", "src": "fd00::1", "dst": "fd00::2", "sport": 1, "dport": 2}


def rules(text: str) -> None:
    if shutil.which("nft") is None:
        pytest.skip("nft is not installed")
    done = subprocess.run(["nft", "-f", "-"], input=text, text=True, capture_output=True)
    if done.returncode:
        pytest.skip(f"the kernel lacks the rules: {done.stderr.splitlines()[0]}")


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(ct.FAMILY, timeout=PATIENCE) as connection:
        try:
            connection.do(ct.get_stats())
        except (KernelError, OSError) as error:
            pytest.skip(f"the kernel has no conntrack: {error}")
        yield connection


@pytest.fixture
def tracked(nl: Connection) -> None:
    """Rules that track connections, and settings that show all of an entry."""
    rules(RULES)
    for name in ("nf_conntrack_acct", "nf_conntrack_timestamp", "nf_conntrack_events"):
        (SYSCTL / name).write_text("1")


@pytest.fixture
def flow(tracked: None) -> Iterator[tuple[socket.socket, int]]:
    """A TCP connection over loopback, and the port of its server."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(server.getsockname()))
        accepted = stack.enter_context(server.accept()[0])
        client.sendall(b"x" * 1000)
        assert accepted.recv(1000, socket.MSG_WAITALL)
        yield client, server.getsockname()[1]


def one(found: list[Conntrack]) -> Conntrack:
    [entry] = found
    return entry


# --- compared with conntrack(8) -------------------------------------------------------------------


def shown_by_conntrack() -> dict[int, Any]:
    """The entries that conntrack(8) prints as XML, by their id."""
    if shutil.which("conntrack") is None:
        pytest.skip("conntrack is not installed")
    command = ["conntrack", "-L", "-o", "xml,id,timestamp,labels"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    flows = ET.fromstring(done.stdout)
    return {int(flow.findtext("meta[@direction='independent']/id") or 0): flow for flow in flows}


def direction(flow: Any, name: str) -> dict[str, Any]:
    """One direction of a flow in XML, as ours() makes it."""
    meta = flow.find(f"meta[@direction='{name}']")
    layer3, layer4 = meta.find("layer3"), meta.find("layer4")
    said = {
        "src": layer3.findtext("src"), "dst": layer3.findtext("dst"),
        "num": int(layer4.get("protonum")),
        "sport": layer4.findtext("sport"), "dport": layer4.findtext("dport"),
        "packets": meta.findtext("counters/packets"), "bytes": meta.findtext("counters/bytes"),
    }  # fmt: skip
    return {key: value for key, value in said.items() if value is not None}


def ours(found: Any, counters: Any) -> dict[str, Any]:
    said = {
        "src": str(found.src), "dst": str(found.dst), "num": found.protonum,
        "sport": found.sport, "dport": found.dport,
        "packets": counters and counters.packets, "bytes": counters and counters.bytes,
    }  # fmt: skip
    return {
        key: value if key == "num" else str(value)
        for key, value in said.items()
        if value is not None
    }


def test_conntrack_shows_the_same(nl: Connection, flow: tuple[socket.socket, int]) -> None:
    """Fact: CTA_ID is a hash, big-endian, shown by `conntrack -o id` as host number of the be32.
    All integers of ctnetlink are big-endian."""
    nl.do(ct.add(**UDP, timeout=100, mark=7, zone=3))
    nl.do(ct.add(**TCP6, timeout=99, state="established", status="assured|seen_reply"))
    nl.do(ct.add(proto="icmp", src="10.0.0.1", dst="10.0.0.2", icmp_type=8, icmp_code=0,
                 icmp_id=9, timeout=100))  # fmt: skip
    found = {entry.id: entry for entry in nl.do(ct.entries())}
    theirs = shown_by_conntrack()
    assert found.keys() == theirs.keys() and len(found) == 4
    for number, flow_ in theirs.items():
        entry = found[number]
        assert direction(flow_, "original") == ours(entry.tuple_orig, entry.counters_orig)
        assert direction(flow_, "reply") == ours(entry.tuple_reply, entry.counters_reply)
        about = flow_.find("meta[@direction='independent']")
        assert entry.mark == int(about.findtext("mark"))
        assert entry.use == int(about.findtext("use"))
        assert entry.timeout is not None
        assert abs(entry.timeout - int(about.findtext("timeout"))) <= 1
        assert entry.zone == (None if about.find("zone") is None else int(about.findtext("zone")))
        status = entry.status or 0
        assert bool(status & IPS.IPS_ASSURED) == (about.find("assured") is not None)
        assert bool(status & IPS.IPS_SEEN_REPLY) == (about.find("unreplied") is None)
        state = entry.protoinfo and entry.protoinfo.tcp and entry.protoinfo.tcp.state
        if about.find("state") is None:
            assert state is None
        else:
            assert str(state) == f"TCP_CONNTRACK_{about.findtext('state')}"


def test_entries_of_traffic(nl: Connection, flow: tuple[socket.socket, int]) -> None:
    client, port = flow
    entry = one(nl.do(ct.entries(proto="tcp", dport=port)))
    assert entry.tuple_orig is not None and entry.tuple_orig.sport == client.getsockname()[1]
    assert entry.protoinfo and entry.protoinfo.tcp
    assert entry.protoinfo.tcp.state is TCP_CONNTRACK.TCP_CONNTRACK_ESTABLISHED
    assert entry.counters_orig and (entry.counters_orig.bytes or 0) > 1000
    assert entry.timestamp and entry.timestamp.stop is None
    assert 0 <= time.time_ns() - (entry.timestamp.start or 0) < 60 * 10**9
    assert not entry.is_snat and not entry.is_dnat and entry.zones == {0}
    assert entry.unknown == ()


def test_nat(nl: Connection, tracked: None) -> None:
    """Fact: NAT has no attribute of its own in dumps: status SRC_NAT 0x10/DST_NAT 0x20, and reply
    tuple differs from the mirrored original."""
    rules(NAT)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", ("127.0.0.2", 53))
        entry = one(nl.do(ct.entries(proto="udp", dport=53)))
    assert entry.is_dnat and not entry.is_snat
    assert entry.tuple_orig and entry.tuple_orig.dst == IPv4Address("127.0.0.2")
    assert entry.tuple_reply and entry.tuple_reply.src == IPv4Address("127.0.0.1")
    assert entry.tuple_reply.sport == 5353
    assert one(nl.do(ct.entries(reply_src="127.0.0.1"))).id == entry.id


def test_events(nl: Connection, tracked: None) -> None:
    """Fact: NEW and UPDATE are both type IPCTNL_MSG_CT_NEW (0x100): flags 0x600 = new, 0 = update;
    DELETE = 0x102. UPDATE events carry no counters, no CTA_USE."""
    nl.join("conntrack-new", "conntrack-update", "conntrack-destroy")
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()):
            pass
        port = server.getsockname()[1]
        nl.do(ct.remove_matching(proto="tcp", dport=port))
    seen: list[Conntrack] = []
    for event in nl.events(timeout=PATIENCE):
        assert isinstance(event, Conntrack)
        seen.append(event)
        if event.event == "destroy":
            break
    kinds = [event.event for event in seen]
    assert kinds[0] == "new" and kinds[-1] == "destroy" and {*kinds[1:-1]} == {"update"}
    assert len({event.id for event in seen}) == 1
    assert seen[0].status == IPS.IPS_CONFIRMED  # the reply gives UPDATE
    assert all(event.use is None and event.counters_orig is None for event in seen[:-1])
    last = seen[-1]
    assert last.counters_orig is not None and last.counters_orig.packets
    assert last.timestamp is not None and (last.timestamp.stop or 0) >= (last.timestamp.start or 0)
    assert last.nlmsg_name == "IPCTNL_MSG_CT_DELETE"


def test_events_of_own_requests(nl: Connection) -> None:
    """A socket gets the events of its own requests (nlmsg_notify), once."""
    nl.join("conntrack-new", "conntrack-update", "conntrack-destroy")
    nl.do(ct.add(**UDP, timeout=60))
    nl.do(ct.change(**UDP, mark=7))
    nl.do(ct.remove(**UDP))
    seen = [event for event in nl.events(timeout=0.3) if isinstance(event, Conntrack)]
    assert [event.event for event in seen] == ["new", "update", "destroy"]
    assert seen[1].mark == 7


def test_an_entry_may_have_no_events(nl: Connection, tracked: None) -> None:
    """Fact: Sysctl nf_conntrack_events: 1: always; 0: never. An entry made while it is 0 has no
    DESTROY for life."""
    (SYSCTL / "nf_conntrack_events").write_text("0")
    nl.join("conntrack-new", "conntrack-destroy")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.sendto(b"x", ("127.0.0.1", 7))
        (SYSCTL / "nf_conntrack_events").write_text("1")
        assert len(nl.do(ct.entries(proto="udp", sport=silent.getsockname()[1]))) == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
        told.bind(("127.0.0.1", 0))
        told.sendto(b"x", ("127.0.0.1", 7))
        port = told.getsockname()[1]
    with Connection(ct.FAMILY) as other:
        other.do(ct.remove_all())
    seen = [event for event in nl.events(timeout=0.3) if isinstance(event, Conntrack)]
    assert [event.event for event in seen] == ["new", "destroy"]
    assert {event.tuple_orig.sport for event in seen if event.tuple_orig} == {port}


# --- making and changing --------------------------------------------------------------------------


def test_an_entry_lives(nl: Connection) -> None:
    """Fact: NEW with NLM_F_CREATE needs CTA_TIMEOUT and both tuples; EXCL on existing: EEXIST;
    missing without CREATE: ENOENT. GET by tuple finds by either direction."""
    nl.do(ct.add(**UDP, timeout=100))
    entry = nl.do(ct.find(**UDP))
    back = {"proto": "udp", "src": "10.0.0.2", "dst": "10.0.0.1", "sport": 6, "dport": 5}
    assert nl.do(ct.find(**back)).id == entry.id
    assert entry.status == IPS.IPS_CONFIRMED and entry.mark == 0
    with pytest.raises(FileExistsError, match=r"conntrack\.add: "):
        nl.do(ct.add(**UDP, timeout=100))
    nl.do(ct.change(**UDP, timeout=5000, mark=0x55, status="assured"))
    nl.do(ct.change(**UDP, status="seen_reply"))
    changed = nl.do(ct.find(**UDP))
    assert changed.timeout is not None and changed.timeout > 4000
    assert changed.status == IPS.IPS_CONFIRMED | IPS.IPS_ASSURED | IPS.IPS_SEEN_REPLY
    nl.do(ct.remove(**UDP))
    for plan in (ct.find(**UDP), ct.remove(**UDP), ct.change(**UDP, mark=1)):
        with pytest.raises(FileNotFoundError):
            nl.do(plan)


def test_a_masked_mark(nl: Connection) -> None:
    """Fact: Update: mark = (old & ~mask) ^ mark (0x05 with 0xf0/0xf0 gives 245)."""
    nl.do(ct.add(**UDP, timeout=100, mark=5))
    nl.do(ct.change(**UDP, mark=(0xF0, 0xF0)))
    assert nl.do(ct.find(**UDP)).mark == 245


def test_translated_entries(nl: Connection) -> None:
    rules(NAT)  # the kernel translates once a chain of this kind exists
    nl.do(ct.add(**UDP, timeout=100, dnat=("10.9.9.9", 77)))
    nl.do(ct.add(**TCP6, timeout=100, snat="fd00::9"))
    udp, tcp = nl.do(ct.find(**UDP)), nl.do(ct.find(**TCP6))
    assert udp.is_dnat and udp.tuple_reply is not None
    assert (udp.tuple_reply.src, udp.tuple_reply.sport) == (IPv4Address("10.9.9.9"), 77)
    assert tcp.is_snat and tcp.tuple_reply is not None
    assert tcp.tuple_reply.dst == IPv6Address("fd00::9")


def test_zones_separate_entries(nl: Connection) -> None:
    """Fact: Zones: CTA_ZONE (18) for both directions; key of an entry = tuple + zone(s), or CTA_ID.
    zone 0 selects entries without zone."""
    for zone in (None, 4, 5):
        nl.do(ct.add(**UDP, timeout=100, zone=zone))
    assert len({entry.id for entry in nl.do(ct.entries())}) == 3
    assert one(nl.do(ct.entries(zone=0))).zone is None
    assert one(nl.do(ct.entries(zone=4))).zones == {4}
    assert nl.do(ct.entries(zone=6)) == []
    nl.do(ct.remove(**UDP, zone=4))
    assert {entry.zone for entry in nl.do(ct.entries())} == {None, 5}


def test_labels(nl: Connection) -> None:
    """Fact: Labels: ENOSPC unless a rule with a label exists; 16 bytes, 4 accepted; with
    CTA_LABELS_MASK only masked bits change."""
    nl.do(ct.add(**UDP, timeout=100))
    with pytest.raises(KernelError) as caught:
        nl.do(ct.change(**UDP, labels=b"\x01" + bytes(15)))
    if caught.value.errno == errno.EOPNOTSUPP:
        pytest.skip("the kernel has no labels")
    assert caught.value.errno == errno.ENOSPC
    rules(LABEL)
    nl.do(ct.remove(**UDP))
    nl.do(ct.add(**UDP, timeout=100))
    nl.do(ct.change(**UDP, labels=b"\x05\0\0\0"))
    assert nl.do(ct.find(**UDP)).labels == b"\x05" + bytes(15)
    nl.do(ct.change(**UDP, labels=(b"\x02" + bytes(15), b"\x03" + bytes(15))))
    assert nl.do(ct.find(**UDP)).labels == b"\x06" + bytes(15)


# --- removing -------------------------------------------------------------------------------------


@pytest.fixture
def three(nl: Connection) -> list[Conntrack]:
    nl.do(ct.add(**UDP, timeout=100, mark=1))
    nl.do(ct.add(**(UDP | {"sport": 7}), timeout=100, mark=2))
    nl.do(ct.add(**TCP6, timeout=100, mark=2))
    return nl.do(ct.entries())


def test_removing_by_id_never_flushes(nl: Connection, three: list[Conntrack]) -> None:
    """Fact: DELETE without a tuple flushes: CTA_ID alone flushed everything, rc 0; wrong id with
    tuple: ENOENT."""
    nl.do(ct.remove(id=three[0].id))
    assert {entry.id for entry in nl.do(ct.entries())} == {three[1].id, three[2].id}
    with pytest.raises(FileNotFoundError, match=r"conntrack\.remove: no entry has the id 5"):
        nl.do(ct.remove(id=5))
    with pytest.raises(FileNotFoundError):
        nl.do(ct.remove(**TCP6, id=5))
    assert len(nl.do(ct.entries())) == 2
    for fields in ({"id": 5}, {}, {"mark": 2}, {"family": NFPROTO.NFPROTO_IPV6}, {"zone": 1}):
        with pytest.raises(TypeError, match="needs the tuple of one entry"):
            ct.delete(**fields)
    with pytest.raises(TypeError, match="needs the tuple of one entry"):
        ct.delete(tuple_orig=three[1].tuple_orig, filter={"orig_flags": "ip_src"})
    with pytest.raises(TypeError, match=r"expect\.delete\(\) needs the tuple"):
        ct.exp_delete(id=5)
    assert len(nl.do(ct.entries())) == 2


def test_flushing_one_family_leaves_the_other(nl: Connection, three: list[Conntrack]) -> None:
    """Fact: DELETE with family and nfgenmsg version 0 flushes ALL families; version 1 honours the
    family."""
    nl.do(ct.remove_all(family="ipv6"))
    assert {entry.family for entry in nl.do(ct.entries())} == {NFPROTO.NFPROTO_IPV4}
    assert len(nl.do(ct.entries())) == 2
    nl.do(ct.flush(family=NFPROTO.NFPROTO_IPV6))
    assert len(nl.do(ct.entries())) == 2
    nl.do(ct.remove_all())
    assert nl.do(ct.entries()) == []


def test_removing_what_matches(nl: Connection, three: list[Conntrack]) -> None:
    assert nl.do(ct.remove_matching(mark=2, family="ipv4")) == 1
    assert {entry.mark for entry in nl.do(ct.entries())} == {1, 2}
    assert nl.do(ct.remove_matching(zone=7)) == 0
    assert nl.do(ct.remove_matching(zone=0)) == 2


# --- selecting ------------------------------------------------------------------------------------


def test_selections(nl: Connection, three: list[Conntrack]) -> None:
    """Fact: Dump filters: family byte; CTA_MARK alone = exact; CTA_STATUS(+CTA_STATUS_MASK);
    CTA_ZONE; all work with AF_UNSPEC. CTA_FILTER needs AF_INET or AF_INET6."""
    nl.do(ct.change(**TCP6, status="assured"))

    def ports(**words: Any) -> list[int]:
        found = nl.do(ct.entries(**words))
        return sorted(entry.tuple_orig.sport for entry in found if entry.tuple_orig)  # type: ignore

    assert ports() == [1, 5, 7]
    assert ports(family="ipv6") == [1]
    assert ports(mark=2) == [1, 7]
    assert ports(mark=(0, 2)) == [5]
    assert ports(status="assured") == [1]
    assert ports(status="confirmed|assured") == [1]
    assert ports(proto="udp") == [5, 7]
    assert ports(proto=17, sport=7) == [7]
    assert ports(proto="tcp", dport=2) == [1]
    assert ports(src="10.0.0.1") == [5, 7]
    assert ports(src="fd00::1", mark=2) == [1]
    assert ports(dst="10.0.0.3") == []
    assert ports(reply_src="10.0.0.2") == [5, 7]
    assert ports(reply_dst="fd00::1") == [1]
    nl.do(ct.add(**(TCP6 | {"src": "fd00::3", "sport": 9}), timeout=100))
    assert ports(src="fd00::3", dst="fd00::2") == [9]  # many kernels would select the others


def test_what_the_kernel_would_ignore_is_refused(nl: Connection) -> None:
    """Fact: A tuple WITHOUT CTA_FILTER in a dump is silently ignored (all entries); unknown
    attributes too, strict or not. MASK alone is ignored."""
    original = {"ip": {"v4_src": "10.0.0.1"}}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"id": 5}, "cannot select by id: the kernel would ignore it"),
        ({"timeout": 5, "use": 1}, "cannot select by timeout, use"),
        ({"labels": b"1234"}, "cannot select by labels"),
        ({"mark_mask": 1}, "ignores mark_mask without mark"),
        ({"status_mask": 1}, "ignores status_mask without status"),
        ({"filter": {"orig_flags": 1}}, "cannot select by filter"),
        ({"tuple_orig": original, "filter": {"orig_flags": FILTER.FILTER_IP_SRC}},
         "needs family=NFPROTO_IPV4"),
    ]  # fmt: skip
    for fields, text in wrong:
        with pytest.raises(TypeError, match=text):
            ct.get(**fields)
    request = ct.get(
        family=2, tuple_orig=original, filter={"orig_flags": FILTER.FILTER_IP_SRC}, mark=0
    )
    assert nl.dump(request).all() == []


def test_counters_are_zeroed_by_their_own_op(
    nl: Connection, flow: tuple[socket.socket, int]
) -> None:
    """Fact: GET_CTRZERO dump returns and zeroes; sends no events."""
    before = one([e for e in nl.dump(ct.get_and_zero_counters()).all() if e.counters_orig])
    assert before.counters_orig and before.counters_orig.packets
    after = one(nl.do(ct.entries(proto="tcp", dport=flow[1])))
    assert after.counters_orig and after.counters_orig.packets == 0


def test_statistics(nl: Connection, three: list[Conntrack]) -> None:
    """Fact: STATS (5): entries, max (attr 1, 2). in STATS_CPU res_id is the CPU. UNCONFIRMED (7)
    always empty. DYING (6): only entries whose DESTROY could not be delivered."""
    total = nl.do(ct.get_stats())
    assert total.entries == 3
    assert total.max_entries == int((SYSCTL / "nf_conntrack_max").read_text())
    cpus = nl.dump(ct.get_stats_cpu()).all()
    assert [found.cpu for found in cpus] == [*range(len(cpus))]
    assert all(found.insert is not None and found.unknown == () for found in cpus)
    for op in (ct.get_dying, ct.get_unconfirmed):
        assert nl.dump(op()).all() == []
    expected = nl.dump(ct.exp_get_stats_cpu()).all()
    assert [type(found) for found in expected] == [ct.ExpectCpuStatistics] * len(cpus)


def test_expectations(nl: Connection, tracked: None) -> None:
    """Fact: Expectations: create needs MASTER, TUPLE, MASK, TIMEOUT and a helper on the master or
    HELP_NAME (EOPNOTSUPP else); a flush of none is rc 0."""
    ftp = TCP6 | {"dport": 21}
    try:
        nl.do(ct.add(**ftp, timeout=100, helper="ftp", state="established"))
    except KernelError as error:
        nl.do(ct.exp_flush())
        assert nl.dump(ct.exp_get()).all() == []
        pytest.skip(f"the kernel has no helper: {error}")
    master = nl.do(ct.find(**ftp))
    assert master.help is not None and master.help.name == "ftp"
    nl.join("conntrack-exp-new", "conntrack-exp-destroy")
    ip = {"v6_src": "fd00::2", "v6_dst": "fd00::1"}
    expected = {"ip": ip, "proto": {"num": 6, "src_port": 0, "dst_port": 4000}}
    mask = {
        "ip": {"v6_src": "ffff:" * 7 + "ffff", "v6_dst": "ffff:" * 7 + "ffff"},
        "proto": {"num": 6, "src_port": 0, "dst_port": 0xFFFF},
    }
    nl.do(ct.exp_new(family=10, master=master.tuple_orig, tuple=expected, mask=mask, timeout=60))
    [found] = nl.dump(ct.exp_get()).all()
    assert found.tuple is not None and found.tuple.dport == 4000
    assert found.master is not None and found.master.dport == 21
    assert nl.do(ct.exp_get(family=10, tuple=found.tuple)).id == found.id
    nl.do(ct.exp_delete(family=10, tuple=found.tuple))
    assert nl.dump(ct.exp_get()).all() == []


# --- wrong calls ----------------------------------------------------------------------------------

WRONG: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (ct.find, TCP6 | {"dst": "10.0.0.1"}, EncodeError, r"find\.dst: .*different IP versions"),
    (ct.find, UDP | {"sport": None}, TypeError, r"find\(\) needs sport for protocol 'udp'"),
    (ct.find, UDP | {"proto": "upd"}, EncodeError, r"find\.proto: .*did you mean 'udp'"),
    (ct.find, UDP | {"proto": "gre"}, EncodeError, r"find\.sport: protocol 'gre' has no sport"),
    (ct.find, UDP | {"icmp_id": 1}, EncodeError, r"find\.icmp_id: protocol 'udp' has no icmp_id"),
    (ct.find, UDP | {"src": "10.0.0.0/8"}, EncodeError, r"find\.src: expected an IP address"),
    (ct.find, UDP | {"zone": 65536}, EncodeError, r"find\.zone: expected an int from 0 to 65535"),
    (ct.find, {"proto": "icmp", "src": "10.0.0.1", "dst": "10.0.0.2"}, TypeError,
     r"needs icmp_type for protocol 'icmp'"),
    (ct.find, {"proto": "icmp", "src": "10.0.0.1", "dst": "10.0.0.2", "icmp_type": 3,
               "icmp_code": 0, "icmp_id": 1}, EncodeError, r"find\.icmp_type: expected one of"),
    (ct.find, {"proto": "udp"}, TypeError, r"find\(\) missing 2 required"),
    (ct.add, UDP, TypeError, r"missing 1 required keyword-only argument: 'timeout'"),
    (ct.add, UDP | {"timeout": 1, "state": "established"}, EncodeError, r"add\.state: only pro"),
    (ct.add, TCP6 | {"timeout": 1, "state": "estab"}, EncodeError, r"did you mean 'established'"),
    (ct.add, UDP | {"timeout": 1, "snat": "fd00::1"}, EncodeError, r"add\.snat: expected an addr"),
    (ct.add, UDP | {"timeout": 1, "dnat": ("10.0.0.1", 0)}, EncodeError, r"expected an int from 1"),
    (ct.change, UDP | {"labels": b"x"}, EncodeError, r"change\.labels: expected 4, 8"),
    (ct.add, UDP | {"timeout": 1, "status": "asured"}, EncodeError, r"did you mean 'assured'"),
    (ct.change, UDP, TypeError, r"change\(\) needs something to change: timeout, state"),
    (ct.change, UDP | {"mark": (1, 2, 3)}, EncodeError, r"change\.mark: expected an int"),
    (ct.remove, {}, TypeError, r"remove\(\) needs proto, src and dst, or id; remove_all"),
    (ct.remove, {"zone": 5}, TypeError, r"remove\(\) needs proto, src and dst, or id"),
    (ct.remove, {"proto": "udp", "id": 5}, TypeError, r"remove\(\) needs src; a connection has"),
    (ct.remove_matching, {}, TypeError, r"remove_matching\(\) needs at least one argument"),
    (ct.remove_all, {"family": "ipx"}, EncodeError, r"remove_all\.family"),
    (ct.remove_all, {"zone": 5}, TypeError, r"remove_all\(\) has no parameter 'zone'"),
    (ct.entries, {"sport": 5}, TypeError, r"entries\(\) needs proto with sport or dport"),
    (ct.entries, {"proto": "icmp", "dport": 5}, TypeError, r"needs proto with sport or dport"),
    (ct.entries, {"family": "ipv4", "src": "::1"}, EncodeError, r"entries\.family"),
    (ct.entries, {"mark": (2, 1)}, EncodeError, r"entries\.mark: the mark 0x2 has bits outside"),
]  # fmt: skip


@pytest.mark.parametrize(("plan", "words", "error", "text"), WRONG)
def test_wrong_calls(
    plan: Any, words: dict[str, Any], error: type[Exception], text: str, nl: Connection
) -> None:
    nl.do(ct.add(**(UDP | {"sport": 99}), timeout=100))
    with pytest.raises(error, match=text):
        nl.do(plan(**words))
    assert len(nl.do(ct.entries())) == 1


# --- the command line -----------------------------------------------------------------------------


def test_the_command_line(three: list[Conntrack], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", "conntrack", "--mark", "2", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert main(["dump", "conntrack", "--dport", "6", "--src", "10.0.0.1", "--zone", "0"]) == 0
    out = capsys.readouterr().out
    assert "udp 10.0.0.1:7 > 10.0.0.2:6" in out and out.count("\n") == 3
    assert main(["dump", "conntrack", "-6", "-s"]) == 0
    assert "tcp [fd00::1]:1 > [fd00::2]:2" in capsys.readouterr().out
    assert main(["dump", "expect"]) == 0
