"""Sockets of the live kernel, compared with ss(8) and with the sockets that a test made."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, EncodeError, KernelError, diag
from netlink.cli import main
from netlink.constants import AF, NETLINK
from netlink.diag import inet, packet, tipc, unix, vsock, xdp
from netlink.diag import netlink as sockets_of_netlink
from netlink.diag.inet import EXT, InetSocket, MptcpSocket
from netlink.diag.sockdiag import SHUTDOWN, TCP, TCPF

PATIENCE = 20.0
IPPROTO_MPTCP = 262
SO_MARK, SO_BINDTODEVICE = 36, 25


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(diag.FAMILY, timeout=PATIENCE) as connection:
        yield connection


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket, socket.socket]]:
    """A listening TCP socket, its client, and the accepted end."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(server.getsockname()))
        accepted = stack.enter_context(server.accept()[0])
        client.sendall(b"x" * 5000)
        assert accepted.recv(5000, socket.MSG_WAITALL)
        yield server, client, accepted


def inode(sock: socket.socket) -> int:
    return os.fstat(sock.fileno()).st_ino


def only(found: list[InetSocket]) -> InetSocket:
    [one] = found
    return one


# --- compared with ss -----------------------------------------------------------------------------


def ss(*options: str) -> list[str]:
    if shutil.which("ss") is None:
        pytest.skip("ss is not installed")
    command = ["ss", "-H", "-O", "-n", "-a", "-e", *options]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
    return done.stdout.splitlines()


SS_STATES = {
    "UNCONN": TCP.TCP_CLOSE, "ESTAB": TCP.TCP_ESTABLISHED, "LISTEN": TCP.TCP_LISTEN,
    "TIME-WAIT": TCP.TCP_TIME_WAIT, "CLOSE-WAIT": TCP.TCP_CLOSE_WAIT,
    "FIN-WAIT-2": TCP.TCP_FIN_WAIT2, "SYN-SENT": TCP.TCP_SYN_SENT,
}  # fmt: skip


def endpoint(text: str) -> tuple[Any, int]:
    host, _, port = text.rpartition(":")
    host = host.partition("%")[0].strip("[]")
    return (None if host == "*" else ip_address(host)), 0 if port == "*" else int(port)


def shown(found: InetSocket, at: str) -> tuple[Any, int]:
    """An end of a socket as ss writes it: "*" for any address of a dual-stack socket."""
    address, port = (
        getattr(found, "src" if at == "local" else "dst"),
        getattr(found, "sport" if at == "local" else "dport"),
    )
    if found.family == AF.AF_INET6 and address == IPv6Address(0) and not found.skv6only:
        return None, port
    return address, port


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_ss_shows_the_same_sockets(
    protocol: str, nl: Connection, pair: tuple[socket.socket, ...]
) -> None:
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with contextlib.ExitStack() as stack:
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::")):
            made = stack.enter_context(socket.socket(family, kind))
            made.bind((host, 0))
            if protocol == "tcp":
                made.listen(7)
            else:
                made.connect(("127.0.0.1" if host == "127.0.0.1" else "::1", 9))
        if protocol == "tcp":
            half = stack.enter_context(socket.create_connection(pair[0].getsockname()))
            stack.enter_context(pair[0].accept()[0])
            half.shutdown(socket.SHUT_WR)  # FIN-WAIT-2, and CLOSE-WAIT
            port = half.getsockname()[1]
            while only(nl.do(inet.sockets(sport=port))).state != TCP.TCP_FIN_WAIT2:
                time.sleep(0.01)
        ours = {message.cookie: message for message in nl.do(inet.sockets(protocol, info=True))}
        lines = ss(f"--{protocol}", "-i", "-m")
    assert len(lines) == len(ours) == (7 if protocol == "tcp" else 2)
    for line in lines:
        words = line.split()
        number = int(re.search(r"\bsk:([0-9a-f]+)", line)[1], 16)  # type: ignore[index]
        found = ours[number & 0xFFFFFFFF, number >> 32]
        assert found.state == SS_STATES[words[0]]
        assert (found.rqueue, found.wqueue) == (int(words[1]), int(words[2]))
        assert shown(found, "local") == endpoint(words[3])
        if found.dport:
            assert shown(found, "peer") == endpoint(words[4])
        assert found.inode == int((re.search(r"\bino:(\d+)", line) or [0, 0])[1])
        memory = re.search(r"skmem:\(r(\d+),rb(\d+),t(\d+),tb(\d+),f(\d+),w(\d+),o(\d+),bl(\d+),d"
                           r"(\d+)\)", line)  # fmt: skip
        if memory:
            assert [*map(int, memory.groups())] == [value for _, value in found.skmeminfo or ()]
        if found.state == TCP.TCP_ESTABLISHED and protocol == "tcp":
            compare_info(found, line)


def compare_info(found: InetSocket, line: str) -> None:
    """The numbers of `ss -i` that do not move while nobody sends."""
    info = found.info
    assert info is not None
    assert f" {found.cong} " in line
    told = dict(word.split(":", 1) for word in line.split() if re.match(r"[a-z_]+:", word))
    assert told["wscale"] == f"{info.snd_wscale},{info.rcv_wscale}"
    assert told["rto"] == f"{info.rto / 1000:g}"
    assert told["rtt"] == f"{info.rtt / 1000:g}/{info.rttvar / 1000:g}"
    for word, number in (
        ("mss", info.snd_mss), ("pmtu", info.pmtu), ("rcvmss", info.rcv_mss),
        ("advmss", info.advmss), ("cwnd", info.snd_cwnd), ("bytes_sent", info.bytes_sent),
        ("bytes_acked", info.bytes_acked), ("bytes_received", info.bytes_received),
        ("segs_out", info.segs_out), ("segs_in", info.segs_in),
        ("data_segs_out", info.data_segs_out), ("data_segs_in", info.data_segs_in),
        ("delivered", info.delivered), ("rcv_ssthresh", info.rcv_ssthresh),
        ("snd_wnd", info.snd_wnd),
    ):  # fmt: skip
        assert int(told.get(word, 0)) == number, word
    assert ("ts" in line.split()) == bool(info.options & inet.TCPI_OPT.TCPI_OPT_TIMESTAMPS)
    assert ("sack" in line.split()) == bool(info.options & inet.TCPI_OPT.TCPI_OPT_SACK)


def test_ss_shows_the_same_unix_sockets(nl: Connection, tmp_path: Path) -> None:
    """Fact: NAME raw (abstract begins \\0; paths end in \\0), VFS {ino, dev}, PEER (inode), ICONS
    list of pending clients, RQLEN (LISTEN: backlog)."""
    path = tmp_path / "sock"
    with contextlib.ExitStack() as stack:

        def made(kind: int = socket.SOCK_STREAM) -> socket.socket:
            return stack.enter_context(socket.socket(socket.AF_UNIX, kind))

        server, client, other, named = made(), made(), made(socket.SOCK_DGRAM), made()
        server.bind(str(path))
        server.listen(3)
        client.connect(str(path))
        other.bind(b"\0abstract\xff\0x")
        named.bind(b"")
        ours = {message.ino: message for message in nl.dump(unix.get()).all()}
        lines = ss("--unix")
        listening, waiting = ours[inode(server)], ours[inode(client)]
        assert (listening.name, listening.path) == (os.fsencode(path) + b"\0", str(path))
        assert listening.vfs and listening.vfs.ino == path.stat().st_ino
        assert listening.rqlen and (listening.rqlen.rqueue, listening.rqlen.wqueue) == (1, 3)
        assert listening.state == TCP.TCP_LISTEN
        assert listening.icons == (waiting.ino,) and waiting.peer == 0  # it has no inode yet
        assert ours[inode(other)].name == b"\0abstract\xff\0x"
        assert ours[inode(other)].path == "@abstract\udcff@x"
        assert ours[inode(server)].uid == os.geteuid()
        states = nl.dump(unix.get(states="listen")).all()
        assert {message.state for message in states} == {TCP.TCP_LISTEN}
        one = nl.do(unix.get(ino=inode(server)))
        assert one.cookie == listening.cookie
    kinds = {"u_str": 1, "u_dgr": 2, "u_seq": 5}
    theirs = {}
    for line in lines:
        words = line.split()
        at = words.index("*", 5) if "*" in words[5:] else -2
        theirs[int(words[at - 1])] = (kinds[words[0]], SS_STATES[words[1]])
    for number, (kind, state) in theirs.items():
        if number in ours:
            assert ours[number].type == kind
            expected = TCP.TCP_CLOSE if state == TCP.TCP_CLOSE else state
            assert ours[number].state == expected
    assert {number for number in ours if number} <= {*theirs} | {0}


# --- selecting ------------------------------------------------------------------------------------


def test_one_socket_by_each_argument(nl: Connection, pair: tuple[socket.socket, ...]) -> None:
    """Fact: Bytecode: ports in `no` of a second op, host order; op yes/no are byte offsets from
    this op; length exactly end+4 = reject. hostcond matches IPv4 in mapped IPv6."""
    server, client, accepted = pair
    mine, port = client.getsockname()[1], server.getsockname()[1]
    assert only(nl.do(inet.sockets("tcp", sport=mine))).inode == inode(client)
    assert only(nl.do(inet.sockets("tcp", dport=mine))).inode == inode(accepted)
    both = nl.do(inet.sockets("tcp", sport=port))
    assert {message.inode for message in both} == {inode(server), inode(accepted)}
    assert only(nl.do(inet.sockets("tcp", sport=port, state="listen"))).inode == inode(server)
    assert only(nl.do(inet.sockets(sport=port, dport=(mine, mine)))).inode == inode(accepted)
    assert nl.do(inet.sockets(sport=(port + 1, 65535), dport=mine)) == []
    assert only(nl.do(inet.sockets(sport=mine, dst="127.0.0.0/8"))).dst == IPv4Address("127.0.0.1")
    assert nl.do(inet.sockets(sport=mine, dst="10.0.0.0/8")) == []
    assert nl.do(inet.sockets(sport=mine, dst="127.0.0.2")) == []
    assert nl.do(inet.sockets(sport=mine, family="inet6")) == []
    every = nl.do(inet.sockets(src="any"))
    assert {inode(sock) for sock in pair} <= {message.inode for message in every}


def test_mapped_addresses(nl: Connection) -> None:
    """Fact: inet: family 0 gives ENOENT, 2 and 10 must be asked apart; a dual-stack server's
    accepted IPv4 peer is family 10 ::ffff:a."""
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server,
        socket.create_connection(("127.0.0.1", server.getsockname()[1])) as client,
    ):
        port, mine = server.getsockname()[1], client.getsockname()[1]
        accepted, own = nl.do(inet.sockets(src="127.0.0.1", sport=(port, port), dport=mine)), None
        assert only(accepted).family == AF.AF_INET6
        assert only(accepted).src == IPv6Address("::ffff:127.0.0.1")
        assert only(accepted).inode == 0  # nobody has accepted it
        own = nl.do(inet.sockets(src="127.0.0.1", sport=mine))
        assert only(own).family == AF.AF_INET
    with pytest.raises(KernelError) as caught:
        nl.dump(inet.tcp()).all()
    assert caught.value.errno == errno.ENOENT


def test_links_marks_and_cgroups(nl: Connection) -> None:
    """Fact: DEV_COND compares SO_BINDTODEVICE, not the route; MARK_COND EPERM without
    CAP_NET_ADMIN."""
    with socket.socket() as bound, socket.socket() as free:
        for sock in (bound, free):
            sock.bind(("127.0.0.1", 0))
            sock.listen()
        bound.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b"lo\0")
        bound.setsockopt(socket.SOL_SOCKET, SO_MARK, 0x1234)
        assert only(nl.do(inet.sockets(dev="lo"))).inode == inode(bound)
        assert only(nl.do(inet.sockets(dev=1))).ifindex == 1
        assert only(nl.do(inet.sockets(mark=0x1234))).mark == 0x1234
        assert only(nl.do(inet.sockets(mark=(0x34, 0xFF)))).inode == inode(bound)
        assert nl.do(inet.sockets(mark=(0x35, 0xFF))) == []
        cgroup = only(nl.do(inet.sockets(dev="lo"))).cgroup_id
        if cgroup is not None:
            found = nl.do(inet.sockets(cgroup=cgroup, sport=free.getsockname()[1]))
            assert only(found).inode == inode(free)
            assert nl.do(inet.sockets(cgroup=cgroup + 1)) == []
    with pytest.raises(KernelError, match=r"inet\.sockets: .*ENODEV"):
        nl.do(inet.sockets(dev="none"))


def test_bound_sockets_have_a_state_of_their_own(nl: Connection) -> None:
    """Fact: states is a mask of 1<<state; 0 gives nothing; bit 13 (6.8+) = bound, unconnected TCP,
    shown as state 7."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert nl.do(inet.sockets(sport=port)) == []
        found = nl.do(inet.sockets(sport=port, state="bound_inactive"))
        if not found:
            pytest.skip("the kernel is older than 6.8 and does not list bound sockets")
        assert only(found).state == TCP.TCP_CLOSE
    assert nl.dump(inet.tcp(family=AF.AF_INET, states=0)).all() == []


def test_extensions_are_what_was_asked_for(nl: Connection, pair: tuple[socket.socket, ...]) -> None:
    """Fact: ext bit = 1 << (attr-1). Always come: SHUTDOWN 8, MARK 15 (CAP_NET_ADMIN), CGROUP_ID
    21, SOCKOPT 22."""
    port = pair[1].getsockname()[1]

    def of(ext: Any) -> set[str]:
        [found] = nl.dump(inet.tcp(family=AF.AF_INET, sport=port, ext=ext)).all()
        return {name for name, value in found if name in found.to_dict() and value is not None}

    bare = of(0)
    assert {"shutdown", "mark", "sockopt"} <= bare
    assert of("meminfo") - bare == {"meminfo"}
    assert of("info") - bare >= {"info"}
    assert of("cong") - bare == {"cong"}
    assert of("tos|tclass") - bare == {"tos", "class_id"}
    assert of(EXT.EXT_SKMEMINFO) - bare == {"skmeminfo"}
    pair[1].shutdown(socket.SHUT_WR)
    [found] = nl.dump(inet.tcp(family=AF.AF_INET, sport=port)).all()
    assert found.shutdown == SHUTDOWN.SEND_SHUTDOWN


def test_one_socket_exactly(nl: Connection, pair: tuple[socket.socket, ...]) -> None:
    server, client, _ = pair
    (here, mine), (there, port) = client.getsockname(), client.getpeername()
    found = nl.do(inet.find("tcp", src=here, sport=mine, dst=there, dport=port))
    assert found.inode == inode(client) and found.info is not None
    assert nl.do(inet.find("tcp", src=there, sport=port)).inode == inode(server)
    with pytest.raises(KernelError) as caught:
        nl.do(inet.find("tcp", src="127.0.0.1", sport=1))
    assert caught.value.errno == errno.ENOENT
    assert str(caught.value).startswith("inet.find: ")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        found = nl.do(inet.find("udp", src="127.0.0.1", sport=udp.getsockname()[1]))
        assert found.inode == inode(udp)


def test_columns_of_a_dump(nl: Connection, pair: tuple[socket.socket, ...]) -> None:
    columns = nl.dump(inet.tcp(family=AF.AF_INET, ext="info")).columns(
        "src", "sport", "inode", "info.snd_cwnd"
    )
    row = [*columns["inode"]].index(inode(pair[1]))
    assert columns["src"][row] == IPv4Address("127.0.0.1")
    assert columns["sport"][row] == pair[1].getsockname()[1]
    assert columns["info.snd_cwnd"][row] >= 2


# --- other kinds ----------------------------------------------------------------------------------


def mptcp_socket() -> socket.socket:
    try:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    except OSError as error:
        pytest.skip(f"the kernel has no MPTCP: {error}")


def test_mptcp(nl: Connection) -> None:
    """Fact: INET_DIAG_INFO's struct depends on the protocol: MPTCP 96 bytes mptcp_info. Protocol >
    255: attribute INET_DIAG_REQ_PROTOCOL (3), u32; works for MPTCP with byte 0; without it 262 &
    255 = 6 is TCP. ULP_INFO 19 on MPTCP subflows."""
    with mptcp_socket() as server, mptcp_socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        with accepted:
            client.sendall(b"x" * 1000)
            assert accepted.recv(1000, socket.MSG_WAITALL)
            port = client.getsockname()[1]
            [whole] = nl.do(inet.sockets("mptcp", sport=port, info=True))
            assert type(whole) is MptcpSocket
            assert whole.inode == inode(client)
            assert whole.info is not None and whole.info.token
            assert whole.info.bytes_sent in (None, 1000)
            [subflow] = nl.do(inet.sockets("tcp", sport=port, info=True))
            assert subflow.ulp_info is not None and subflow.ulp_info.name == "mptcp"
            assert subflow.ulp_info.mptcp is not None
            assert subflow.ulp_info.mptcp.token_loc == whole.info.token
            assert subflow.info is not None and subflow.info.bytes_sent is not None
    with pytest.raises(EncodeError, match=r"InetQuery\.sdiag_protocol"):
        inet.get(family=AF.AF_INET, sdiag_protocol=IPPROTO_MPTCP)


def test_packet_sockets(nl: Connection) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.bind(("lo", 3))
        sock.setsockopt(263, 1, bytes([1, 0, 0, 0, 1, 0, 0, 0]) + bytes(8))  # PACKET_MR_PROMISC
        found = {message.ino: message for message in nl.dump(packet.get()).all()}[inode(sock)]
    assert found.num == 3 and found.type == 3
    assert found.info is not None and found.info.index == 1
    assert found.info.flags & packet.PDI.PDI_RUNNING
    assert found.uid == os.geteuid()
    assert [(entry.index, entry.count) for entry in found.mclist] == [(1, 1)]


def test_netlink_sockets(nl: Connection) -> None:
    """Fact: packet, netlink: 255 = all protocols for netlink. Drops: NETLINK_DIAG_MEMINFO[8] is
    the same number as in /proc/net/netlink."""
    with Connection(diag.FAMILY) as other:
        other.join("inet-tcp-destroy", "inet6-udp-destroy")
        mine = os.fstat(other.fileno()).st_ino
        request = sockets_of_netlink.get(sdiag_protocol=NETLINK.NETLINK_SOCK_DIAG)
        found = {message.ino: message for message in nl.dump(request).all()}[mine]
        table = Path("/proc/thread-self/net/netlink").read_text().splitlines()
    [row] = [line.split() for line in table if line.split()[-1] == str(mine)]
    assert found.portid == int(row[2])
    assert found.meminfo is not None and found.meminfo.drops == int(row[8])
    assert found.groups is not None and found.groups[0] == 0b1001
    flags = sockets_of_netlink.NDIAG_FLAG
    assert found.flags is not None and found.flags & flags.NDIAG_FLAG_PKTINFO
    every = {message.protocol for message in nl.dump(sockets_of_netlink.get()).all()}
    assert {NETLINK.NETLINK_ROUTE, NETLINK.NETLINK_SOCK_DIAG} <= every


def test_kinds_that_the_kernel_may_lack(nl: Connection) -> None:
    """Fact: Protocol not built: DONE carries -ENOENT (raw, sctp here); family not built: ERROR
    -ENOENT."""
    for request in (vsock.get(), xdp.get(), inet.raw(family=AF.AF_INET)):
        try:
            assert isinstance(nl.dump(request).all(), list)
        except KernelError as error:
            assert error.errno == errno.ENOENT
    for plan in (tipc.sockets(), inet.sockets("raw")):
        try:
            assert isinstance(nl.do(plan), list)
        except KernelError as error:
            assert error.errno == errno.ENOENT and error.plan is plan


def test_vsock_wants_its_exact_struct(nl: Connection) -> None:
    assert len(bytes(vsock.get().message)) == 24
    assert len(bytes(unix.get().message)) == 24


def test_a_tipc_socket_is_read_from_its_bytes() -> None:
    """The kernel has no TIPC here. Bytes as tipc_sk_fill_sock_diag (net/tipc/socket.c) makes."""
    stat = tipc.TipcStatistics(rcvq=1, sendq=2, drop=3)
    body = bytes(tipc.TipcSocket(sock={"ref": 5, "addr": 6, "type": 1, "ino": 7, "stat": stat}))
    sock = tipc.TipcSocket.from_bytes(body).sock
    assert sock is not None and (sock.ref, sock.type) == (5, 1)
    assert sock.stat is not None and sock.stat.drop == 3


# --- destroying -----------------------------------------------------------------------------------


def test_kill(nl: Connection, pair: tuple[socket.socket, ...], machine_root: None) -> None:
    """Fact: SOCK_DESTROY: needs cookie or NOCOOKIE (ff..); wrong cookie ENOENT; reader gets
    ECONNABORTED. Groups 1..4: anyone may join; type 20 with INET_DIAG_PROTOCOL, INFO."""
    _, client, _ = pair
    found = only(nl.do(inet.sockets("tcp", sport=client.getsockname()[1])))
    with Connection(diag.FAMILY, timeout=PATIENCE) as listener:
        listener.join("inet-tcp-destroy")
        stale = found.replace(cookie=(found.cookie[0] + 1, found.cookie[1]))
        try:
            nl.do(inet.kill("tcp", stale))
        except KernelError as error:
            if error.errno == errno.EOPNOTSUPP:
                pytest.skip("the kernel lacks CONFIG_INET_DIAG_DESTROY")
            assert error.errno == errno.ENOENT
        else:
            raise AssertionError("a wrong cookie was accepted")
        client.setblocking(False)
        assert select.select([client], [], [], 0)[0] == []
        assert nl.do(inet.kill("tcp", found)) is None
        with pytest.raises(ConnectionAbortedError):
            client.recv(1)
        client.close()  # the kernel announces the end of the last reference
        event: Any = None
        for event in listener.events(timeout=PATIENCE):
            assert isinstance(event, InetSocket)
            if event.cookie == found.cookie:
                break
        assert event.protocol == inet.IPPROTO.IPPROTO_TCP and event.info is not None
        assert (event.src, event.sport) == (found.src, found.sport)
    with pytest.raises(KernelError) as caught:
        nl.do(inet.kill("tcp", found))
    assert caught.value.errno == errno.ENOENT
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        nl.do(inet.kill("udp", only(nl.do(inet.sockets("udp", sport=udp.getsockname()[1])))))


def test_a_dump_cannot_destroy(nl: Connection) -> None:
    """Fact: SOCK_DESTROY with DUMP flags: ENOENT."""
    with pytest.raises(TypeError, match="dump"):
        nl.dump(inet.destroy(family=AF.AF_INET))


# --- wrong calls ----------------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"protocol": "sctp"}, EncodeError, r"inet\.sockets\.protocol: expected one of tcp, udp, raw"),
    ({"protocol": None}, EncodeError, r"inet\.sockets\.protocol"),
    ({"family": "inet5"}, EncodeError, r"inet\.sockets\.family.*did you mean"),
    ({"family": "unix"}, EncodeError, r"inet\.sockets\.family: expected AF_INET or AF_INET6"),
    ({"family": "inet", "src": "::1"}, EncodeError, r"sockets\.src: the IPv6 address ::1 matches"),
    ({"src": "::1", "dst": "127.0.0.1"}, EncodeError, r"sockets\.dst: .* different IP versions"),
    ({"src": "127.0.0.1/33"}, EncodeError, r"sockets\.src: expected an address"),
    ({"sport": 65536}, EncodeError, r"sockets\.sport: expected a number from 0 to 65535"),
    ({"sport": (5, 4)}, EncodeError, r"sockets\.sport: the range 5 to 4 is empty"),
    ({"state": "listening"}, EncodeError, r"sockets\.state: .*did you mean 'listen'"),
    ({"state": 0}, EncodeError, r"sockets\.state: no state is selected"),
    ({"mark": (1, 2)}, EncodeError, r"sockets\.mark: the mark 0x1 has bits outside of 0x2"),
    ({"mark": (1, 2, 3)}, EncodeError, r"sockets\.mark: expected an int"),
    ({"dev": 0}, EncodeError, r"sockets\.dev: expected an int from 1"),
    ({"info": 1}, EncodeError, r"sockets\.info: expected True or False"),
    ({"port": 22}, TypeError, r"inet\.sockets\(\) has no parameter 'port'; did you mean"),
]


@pytest.mark.parametrize(("words", "error", "text"), WRONG)
def test_wrong_arguments(
    words: dict[str, Any], error: type[Exception], text: str, nl: Connection
) -> None:
    with pytest.raises(error, match=text):
        nl.do(inet.sockets(**words))


def test_more_wrong_calls(nl: Connection, pair: tuple[socket.socket, ...]) -> None:
    found = only(nl.do(inet.sockets("tcp", sport=pair[1].getsockname()[1])))
    with pytest.raises(TypeError, match=r"expects a socket, as inet\.sockets"):
        nl.do(inet.kill("tcp", pair[1]))
    with pytest.raises(EncodeError, match=r"inet\.kill\.protocol: expected one of tcp, udp"):
        nl.do(inet.kill("mptcp", found))
    with pytest.raises(EncodeError, match=r"inet\.find\.dst: .*different IP versions"):
        nl.do(inet.find("tcp", src="127.0.0.1", sport=1, dst="::1"))
    with pytest.raises(EncodeError, match=r"inet\.find\.sport"):
        nl.do(inet.find("tcp", src="127.0.0.1", sport=0))


# --- the command line -----------------------------------------------------------------------------


def test_dump_of_the_command_line(
    pair: tuple[socket.socket, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    port = pair[0].getsockname()[1]
    assert main(["dump", "tcp", "--sport", str(port), "--state", "listen", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["src"], found["sport"], found["state"]) == ("127.0.0.1", port, "TCP_LISTEN")
    assert main(["dump", "tcp", "--dport", str(port), "-s", "-4"]) == 0
    title, row = capsys.readouterr().out.splitlines()
    assert row.startswith("127.0.0.1:") and f" 127.0.0.1:{port} " in row and "RTT" in title
    assert main(["dump", "tcp", "--dport", str(port), "-6"]) == 0
    assert main(["dump", "tcp", "--dst", "10.0.0.1"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["dump", "unix", "--type", "dgram", "--state", "close"]) == 0


def test_states_have_the_numbers_of_their_bits() -> None:
    for state in TCP:
        assert TCPF[state.name.replace("TCP_", "TCPF_")] == 1 << state
