"""TCP, UDP, raw and MPTCP sockets: struct inet_diag_msg and its INET_DIAG_* attributes.

This file contains messages, ops and plans, and no I/O. Numbers are from Linux 6.12
(linux/inet_diag.h, linux/tcp.h, linux/mptcp.h), the last members of tcp_info from 6.18.

    nl.do(inet.sockets("tcp", state="listen", sport=22))
    nl.do(inet.kill("tcp", socket))

- The kernel answers for one address family at a time. The plans ask for both. An IPv4 connection
  of a dual-stack socket is an AF_INET6 socket with mapped addresses (::ffff:192.0.2.1).
- Use the cookie as the key of a socket. Sockets without an owner have inode 0: those in TIME_WAIT,
  and connections that wait for accept().
- The kernel walks its tables while they change. A socket that changes its state may come twice or
  not at all, and no flag reports that. sockets() removes duplicates.
- A kernel without a module for the protocol returns ENOENT.
"""

from __future__ import annotations

import struct as c_struct
from collections.abc import Iterator

from netlink.constants import AF, KernelEnum, KernelFlag
from netlink.diag.sockdiag import (
    NOCOOKIE,
    SHUTDOWN,
    SOCK_DIAG,
    STATES,
    TCP,
    TCPF,
    SkMeminfo,
)
from netlink.errors import KernelError
from netlink.family import Op, Steps, ifindex, plan
from netlink.schema import (
    Addr,
    IPAddress,
    Message,
    Named,
    Nested,
    Several,
    address,
    be16,
    binary,
    byte_flag,
    flag,
    nest,
    pad,
    repeated,
    scalars,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
)
from netlink.words import S32, U16, U32, U64, Words, family_of


class IPPROTO(KernelEnum):
    """Protocols (linux/in.h)."""

    IPPROTO_IP = 0
    IPPROTO_ICMP = 1
    IPPROTO_IGMP = 2
    IPPROTO_IPIP = 4
    IPPROTO_TCP = 6
    IPPROTO_EGP = 8
    IPPROTO_PUP = 12
    IPPROTO_UDP = 17
    IPPROTO_IDP = 22
    IPPROTO_TP = 29
    IPPROTO_DCCP = 33
    IPPROTO_IPV6 = 41
    IPPROTO_RSVP = 46
    IPPROTO_GRE = 47
    IPPROTO_ESP = 50
    IPPROTO_AH = 51
    IPPROTO_MTP = 92
    IPPROTO_BEETPH = 94
    IPPROTO_ENCAP = 98
    IPPROTO_PIM = 103
    IPPROTO_COMP = 108
    IPPROTO_L2TP = 115
    IPPROTO_SCTP = 132
    IPPROTO_UDPLITE = 136
    IPPROTO_MPLS = 137
    IPPROTO_ETHERNET = 143
    IPPROTO_AGGFRAG = 144
    IPPROTO_RAW = 255
    IPPROTO_SMC = 256
    IPPROTO_MPTCP = 262  # in the attribute INET_DIAG_REQ_PROTOCOL, as it does not fit one byte


class EXT(KernelFlag):
    """What a request asks for, apart from the header: 1 << (INET_DIAG_* - 1)."""

    EXT_MEMINFO = 1 << 0
    EXT_INFO = 1 << 1
    EXT_VEGASINFO = 1 << 2  # the information of the congestion control: also bbrinfo, dctcpinfo
    EXT_CONG = 1 << 3
    EXT_TOS = 1 << 4
    EXT_TCLASS = 1 << 5  # also class_id
    EXT_SKMEMINFO = 1 << 6
    EXT_SHUTDOWN = 1 << 7  # comes always


class IDIAG_TIMER(KernelEnum):
    """The timer that runs; `expires` is the time until it ends."""

    IDIAG_TIMER_OFF = 0
    IDIAG_TIMER_ON = 1  # retransmission
    IDIAG_TIMER_KEEPALIVE = 2
    IDIAG_TIMER_TIMEWAIT = 3
    IDIAG_TIMER_PROBE0 = 4
    IDIAG_TIMER_DELACK = 5


class TCP_CA(KernelEnum):
    """State of the congestion control: enum tcp_ca_state."""

    TCP_CA_Open = 0
    TCP_CA_Disorder = 1
    TCP_CA_CWR = 2
    TCP_CA_Recovery = 3
    TCP_CA_Loss = 4


class TCPI_OPT(KernelFlag):
    """Options in use."""

    TCPI_OPT_TIMESTAMPS = 1
    TCPI_OPT_SACK = 2
    TCPI_OPT_WSCALE = 4
    TCPI_OPT_ECN = 8
    TCPI_OPT_ECN_SEEN = 16
    TCPI_OPT_SYN_DATA = 32
    TCPI_OPT_USEC_TS = 64
    TCPI_OPT_TFO_CHILD = 128


class MPTCP_SUBFLOW_FLAG(KernelFlag):
    """State of a subflow of MPTCP."""

    MPTCP_SUBFLOW_FLAG_MCAP_REM = 1 << 0
    MPTCP_SUBFLOW_FLAG_MCAP_LOC = 1 << 1
    MPTCP_SUBFLOW_FLAG_JOIN_REM = 1 << 2
    MPTCP_SUBFLOW_FLAG_JOIN_LOC = 1 << 3
    MPTCP_SUBFLOW_FLAG_BKUP_REM = 1 << 4
    MPTCP_SUBFLOW_FLAG_BKUP_LOC = 1 << 5
    MPTCP_SUBFLOW_FLAG_FULLY_ESTABLISHED = 1 << 6
    MPTCP_SUBFLOW_FLAG_CONNECTED = 1 << 7
    MPTCP_SUBFLOW_FLAG_MAPVALID = 1 << 8


class MPTCP_INFO_FLAG(KernelFlag):
    """Flags of mptcp_info."""

    MPTCP_INFO_FLAG_FALLBACK = 1 << 0
    MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED = 1 << 1


class SOCKOPT(KernelFlag, prefix=""):
    """struct inet_diag_sockopt: options of a socket, by the names of its bits."""

    RECVERR = 1 << 0
    IS_ICSK = 1 << 1
    FREEBIND = 1 << 2
    HDRINCL = 1 << 3
    MC_LOOP = 1 << 4
    TRANSPARENT = 1 << 5
    MC_ALL = 1 << 6
    NODEFRAG = 1 << 7
    BIND_ADDRESS_NO_PORT = 1 << 8
    RECVERR_RFC4884 = 1 << 9
    DEFER_CONNECT = 1 << 10


# --- structs --------------------------------------------------------------------------------------


class inet_diag_meminfo(Message):
    """struct inet_diag_meminfo: bytes."""

    rmem: int = u32()
    wmem: int = u32()
    fmem: int = u32()
    tmem: int = u32()


class tcp_info(Message):
    """struct tcp_info (linux/tcp.h). Older kernels send less of it.

    rto, ato, rtt, rttvar, min_rtt, rcv_rtt, and the three times of busy_time are microseconds; the
    last_* are milliseconds; the rates are bytes a second.
    """

    state: Named[TCP | int] = u8(enum=TCP)
    ca_state: Named[TCP_CA | int] = u8(enum=TCP_CA)
    retransmits: int = u8()
    probes: int = u8()
    backoff: int = u8()
    options: Named[TCPI_OPT] = u8(enum=TCPI_OPT)
    wscale: int = u8()  # snd_wscale and rcv_wscale
    app_limited: int = u8()  # bit 0: delivery_rate_app_limited, bits 1-2: fastopen_client_fail
    rto: int = u32()
    ato: int = u32()
    snd_mss: int = u32()
    rcv_mss: int = u32()
    unacked: int = u32()
    sacked: int = u32()
    lost: int = u32()
    retrans: int = u32()
    fackets: int = u32()
    last_data_sent: int = u32()
    last_ack_sent: int = u32()
    last_data_recv: int = u32()
    last_ack_recv: int = u32()
    pmtu: int = u32()
    rcv_ssthresh: int = u32()
    rtt: int = u32()
    rttvar: int = u32()
    snd_ssthresh: int = u32()
    snd_cwnd: int = u32()
    advmss: int = u32()
    reordering: int = u32()
    rcv_rtt: int = u32()
    rcv_space: int = u32()
    total_retrans: int = u32()
    pacing_rate: int | None = u64()
    max_pacing_rate: int | None = u64()
    bytes_acked: int | None = u64()
    bytes_received: int | None = u64()
    segs_out: int | None = u32()
    segs_in: int | None = u32()
    notsent_bytes: int | None = u32()
    min_rtt: int | None = u32()
    data_segs_in: int | None = u32()
    data_segs_out: int | None = u32()
    delivery_rate: int | None = u64()
    busy_time: int | None = u64()
    rwnd_limited: int | None = u64()
    sndbuf_limited: int | None = u64()
    delivered: int | None = u32()
    delivered_ce: int | None = u32()
    bytes_sent: int | None = u64()
    bytes_retrans: int | None = u64()
    dsack_dups: int | None = u32()
    reord_seen: int | None = u32()
    rcv_ooopack: int | None = u32()
    snd_wnd: int | None = u32()
    rcv_wnd: int | None = u32()
    rehash: int | None = u32()
    total_rto: int | None = u16()
    total_rto_recoveries: int | None = u16()
    total_rto_time: int | None = u32()
    received_ce: int | None = u32()
    delivered_e1_bytes: int | None = u32()
    delivered_e0_bytes: int | None = u32()
    delivered_ce_bytes: int | None = u32()
    received_e1_bytes: int | None = u32()
    received_e0_bytes: int | None = u32()
    received_ce_bytes: int | None = u32()
    _ecn = pad(4)  # accurate ECN; its layout has changed between releases

    @property
    def snd_wscale(self) -> int:
        """The window scale of the peer."""
        return self.wscale & 0xF

    @property
    def rcv_wscale(self) -> int:
        """The window scale of this side."""
        return self.wscale >> 4


class mptcp_info(Message):
    """struct mptcp_info (linux/mptcp.h). Older kernels send less of it."""

    subflows: int = u8()
    add_addr_signal: int = u8()
    add_addr_accepted: int = u8()
    subflows_max: int = u8()
    add_addr_signal_max: int = u8()
    add_addr_accepted_max: int = u8()
    flags: Named[MPTCP_INFO_FLAG] = u32(enum=MPTCP_INFO_FLAG)
    token: int = u32()
    write_seq: int = u64()
    snd_una: int = u64()
    rcv_nxt: int = u64()
    local_addr_used: int | None = u8()
    local_addr_max: int | None = u8()
    csum_enabled: int | None = u8()
    retransmits: int | None = u32()
    bytes_retrans: int | None = u64()
    bytes_sent: int | None = u64()
    bytes_received: int | None = u64()
    bytes_acked: int | None = u64()
    subflows_total: int | None = u8()
    endp_laminar_max: int | None = u8()
    endp_fullmesh_max: int | None = u8()
    last_data_sent: int | None = u32()
    last_data_recv: int | None = u32()
    last_ack_recv: int | None = u32()


class tcpvegas_info(Message):
    """struct tcpvegas_info: `rtt` and `minrtt` in microseconds."""

    enabled: int = u32()
    rttcnt: int = u32()
    rtt: int = u32()
    minrtt: int = u32()


class tcp_dctcp_info(Message):
    """struct tcp_dctcp_info."""

    enabled: int = u16()
    ce_state: int = u16()
    alpha: int = u32()
    ab_ecn: int = u32()
    ab_tot: int = u32()


class tcp_bbr_info(Message):
    """struct tcp_bbr_info: the bandwidth in bytes a second, in two halves; min_rtt in us."""

    bw_lo: int = u32()
    bw_hi: int = u32()
    min_rtt: int = u32()
    pacing_gain: int = u32()
    cwnd_gain: int = u32()


class tcp_diag_md5sig(Message):
    """struct tcp_diag_md5sig (linux/tcp.h): a key for segments to and from a prefix."""

    family: Named[AF | int] = u8(enum=AF)
    prefixlen: int = u8()
    keylen: int = u16()
    addr: Addr = address(size=16, by_family=True)
    key: bytes = binary(size=80)


# --- messages -------------------------------------------------------------------------------------


class MptcpSubflow(Message):
    """MPTCP_SUBFLOW_ATTR_*: a TCP socket in its role as a subflow."""

    token_rem: int | None = u32(1)
    token_loc: int | None = u32(2)
    relwrite_seq: int | None = u32(3)
    map_seq: int | None = u64(4)
    map_sfseq: int | None = u32(5)
    ssn_offset: int | None = u32(6)
    map_datalen: int | None = u16(7)
    flags: Named[MPTCP_SUBFLOW_FLAG | None] = u32(8, enum=MPTCP_SUBFLOW_FLAG)
    id_rem: int | None = u8(9)
    id_loc: int | None = u8(10)


class TlsInfo(Message):
    """TLS_INFO_* (linux/tls.h): version, cipher and configuration of kernel TLS."""

    version: int | None = u16(1)
    cipher: int | None = u16(2)
    txconf: int | None = u16(3)
    rxconf: int | None = u16(4)
    zc_ro_tx: bool = flag(5)
    rx_no_pad: bool = flag(6)


class UlpInfo(Message):
    """INET_ULP_INFO_*: the upper layer protocol on a TCP socket: "tls" or "mptcp"."""

    name: str | None = string(1, size=16)
    tls: Nested[TlsInfo] = nest(2, TlsInfo)
    mptcp: Nested[MptcpSubflow] = nest(3, MptcpSubflow)


class BpfStorage(Message):
    """SK_DIAG_BPF_STORAGE_*: what a BPF program stored for a socket."""

    map_id: int | None = u32(2)
    map_value: bytes | None = binary(3)


class BpfStorages(Message):
    """SK_DIAG_BPF_STORAGE: one for each map."""

    storage: Several[BpfStorage] = repeated(1, BpfStorage)


class BpfStorageQuery(Message):
    """SK_DIAG_BPF_STORAGE_REQ_*: descriptors of maps; none means all maps."""

    map_fd: tuple[int, ...] = repeated(1, u32())


class inet_diag_msg(Message):
    """struct inet_diag_msg, with the members of struct inet_diag_sockid in it.

    `expires` is milliseconds. `rqueue` and `wqueue` are bytes; for a listening socket they are the
    number of connections that wait for accept(), and its limit.
    """

    family: Named[AF | int] = u8(enum=AF)
    state: Named[TCP | int] = u8(enum=TCP)
    timer: Named[IDIAG_TIMER | int] = u8(enum=IDIAG_TIMER)
    retrans: int = u8()
    sport: int = be16()
    dport: int = be16()
    src: Addr = address(size=16, by_family=True)
    dst: Addr = address(size=16, by_family=True)
    ifindex: int = u32()
    cookie: tuple[int, ...] = scalars(u32(), length=2)
    expires: int = u32()
    rqueue: int = u32()
    wqueue: int = u32()
    uid: int = u32()
    inode: int = u32()


class InetSocket(inet_diag_msg):
    """A socket of TCP, UDP or another Internet protocol: struct inet_diag_msg and INET_DIAG_*.

    What a request does not ask for by `ext` is absent. `mark` and `md5sig` come only with
    CAP_NET_ADMIN. `info` is that of TCP: MptcpSocket has another struct there.
    """

    meminfo: Nested[inet_diag_meminfo] = struct(1, inet_diag_meminfo)
    info: Nested[tcp_info] = struct(2, tcp_info)
    vegasinfo: Nested[tcpvegas_info] = struct(3, tcpvegas_info)
    cong: str | None = string(4, size=16)
    tos: int | None = u8(5)
    tclass: int | None = u8(6)
    skmeminfo: Nested[SkMeminfo] = struct(7, SkMeminfo)
    shutdown: Named[SHUTDOWN | None] = u8(8, enum=SHUTDOWN)
    dctcpinfo: Nested[tcp_dctcp_info] = struct(9, tcp_dctcp_info)
    protocol: Named[IPPROTO | int | None] = u8(10, enum=IPPROTO)  # of raw sockets, and in events
    skv6only: bool = byte_flag(11)
    locals: bytes | None = binary(12)  # of SCTP: several struct sockaddr_storage
    peers: bytes | None = binary(13)
    mark: int | None = u32(15)
    bbrinfo: Nested[tcp_bbr_info] = struct(16, tcp_bbr_info)
    class_id: int | None = u32(17)
    md5sig: Several[tcp_diag_md5sig] = scalars(18, struct(tcp_diag_md5sig))
    ulp_info: Nested[UlpInfo] = nest(19, UlpInfo)
    sk_bpf_storages: Nested[BpfStorages] = nest(20, BpfStorages)
    cgroup_id: int | None = u64(21)
    sockopt: Named[SOCKOPT | None] = u16(22, enum=SOCKOPT)


class MptcpSocket(InetSocket):
    """A socket of MPTCP: INET_DIAG_* attributes, with another `info`.

    Nothing in a message distinguishes it from a TCP socket. sockets("mptcp") returns this class;
    in other replies use `MptcpSocket.from_bytes(bytes(message))`.
    """

    info: Nested[mptcp_info] = struct(2, mptcp_info)  # type: ignore[assignment]


class inet_diag_req_raw(Message):
    """struct inet_diag_req_raw, which is struct inet_diag_req_v2 with a use for its padding.

    A dump compares `sport` and `dport`, and ignores `src`, `dst`, `ifindex` and `cookie`.
    """

    family: Named[AF | int] = u8(enum=AF)
    sdiag_protocol: Named[IPPROTO | int] = u8(enum=IPPROTO)
    ext: Named[EXT] = u8(enum=EXT)
    raw_protocol: int = u8()
    states: Named[TCPF] = u32(enum=TCPF)
    sport: int = be16()
    dport: int = be16()
    src: Addr = address(size=16, by_family=True)
    dst: Addr = address(size=16, by_family=True)
    ifindex: int = u32()
    cookie: tuple[int, ...] = scalars(u32(), length=2)


class InetQuery(inet_diag_req_raw):
    """Which sockets, and what about them: struct inet_diag_req_v2 and INET_DIAG_REQ_*.

    `bytecode` is a program that selects sockets (struct inet_diag_bc_op), which sockets() makes.
    `protocol` replaces `sdiag_protocol`, for numbers above 255.
    """

    bytecode: bytes | None = binary(1)
    sk_bpf_storages: Nested[BpfStorageQuery] = nest(2, BpfStorageQuery)
    protocol: Named[IPPROTO | int | None] = u32(3, enum=IPPROTO)


def _get(name: str, protocol: IPPROTO) -> Op[..., InetSocket, InetSocket]:
    number = "sdiag_protocol" if protocol < 256 else "protocol"
    return Op(
        f"{name}.get",
        SOCK_DIAG.SOCK_DIAG_BY_FAMILY,
        InetQuery,
        reply=InetSocket,
        answer="one",
        dumps=True,
        defaults={number: protocol, "states": STATES, "cookie": NOCOOKIE},
    )


tcp = _get("tcp", IPPROTO.IPPROTO_TCP)
udp = _get("udp", IPPROTO.IPPROTO_UDP)
raw = _get("raw", IPPROTO.IPPROTO_RAW)
mptcp = _get("mptcp", IPPROTO.IPPROTO_MPTCP)
# Of any protocol. sctp, dccp and udplite answer if the kernel has their modules.
get = Op(
    "inet.get",
    SOCK_DIAG.SOCK_DIAG_BY_FAMILY,
    InetQuery,
    reply=InetSocket,
    answer="one",
    dumps=False,
    defaults={"states": STATES, "cookie": NOCOOKIE},
)
destroy = Op("inet.destroy", SOCK_DIAG.SOCK_DESTROY, InetQuery, defaults={"cookie": NOCOOKIE})


# --- plans ----------------------------------------------------------------------------------------

OPS = {"tcp": tcp, "udp": udp, "raw": raw, "mptcp": mptcp}
Port = int | tuple[int, int]


@plan
def sockets(
    protocol: str = "tcp",
    *,
    family: AF | int | str | None = None,
    state: TCPF | int | str | list[str] | None = None,
    src: IPAddress | str | None = None,
    dst: IPAddress | str | None = None,
    sport: Port | None = None,
    dport: Port | None = None,
    dev: str | int | None = None,
    mark: int | tuple[int, int] | None = None,
    cgroup: int | None = None,
    info: bool = False,
) -> Steps[list[InetSocket]]:
    """Return the sockets of a protocol that match all arguments, without duplicates.

    `protocol` is "tcp", "udp", "raw" or "mptcp"; MPTCP sockets are MptcpSocket messages. `family`
    is "inet" or "inet6"; by default the kernel is asked for both. `state` is one or more names,
    "established|listen"; by default all that `ss --all` shows. `src` and `dst` are addresses with
    or without a prefix length; an IPv4 prefix also matches mapped IPv6 addresses. `sport` and
    `dport` are ports or pairs (first, last). `dev` is the link to which a socket is bound
    (SO_BINDTODEVICE), not that of its route. `mark` is a number, or a pair (mark, mask), and needs
    CAP_NET_ADMIN. `cgroup` is the ID of a cgroup of version 2. With `info` the messages have all
    information that the kernel offers.

    Raises KernelError: ENOENT if the kernel cannot list this protocol, EPERM for `mark` without
    CAP_NET_ADMIN, ENODEV if the link does not exist.
    """
    words = Words("inet.sockets", locals())
    op = _op(words)
    conditions = [
        *_host(words, "src", BC.INET_DIAG_BC_S_COND),
        *_host(words, "dst", BC.INET_DIAG_BC_D_COND),
        *_port(words, "sport", BC.INET_DIAG_BC_S_GE, BC.INET_DIAG_BC_S_LE),
        *_port(words, "dport", BC.INET_DIAG_BC_D_GE, BC.INET_DIAG_BC_D_LE),
        *_numbers(words),
    ]
    index = yield from _link(words)
    if index is not None:
        conditions.append((BC.INET_DIAG_BC_DEV_COND, c_struct.pack("=I", index)))
    families = _families(words)
    states = words.bits("state", TCPF, U32)
    if states == 0:
        raise words.wrong("state", "no state is selected; name one, such as 'listen'")
    extensions = EXT(0xFF) if words.switch("info") else EXT(0)
    found: dict[tuple[int, ...], InetSocket] = {}
    refused: KernelError | None = None
    answered = False
    for each in families:
        request = op(
            family=each,
            ext=extensions,
            states=STATES if states is None else states,
            bytecode=_program(conditions) or None,
        )
        try:
            messages: list[InetSocket] = yield request.dump()
        except KernelError as error:
            if len(families) == 1 or error.errno != 2:  # ENOENT: a kernel without IPv6
                raise
            refused = error
            continue
        answered = True
        for message in messages:
            found[(*message.cookie, message.family)] = message
    if refused is not None and not answered:
        raise refused
    sockets = [*found.values()]
    if op is mptcp:
        return [MptcpSocket.from_bytes(bytes(message)) for message in sockets]
    return sockets


@plan
def find(
    protocol: str,
    *,
    src: IPAddress | str,
    sport: int,
    dst: IPAddress | str | None = None,
    dport: int = 0,
    dev: str | int | None = None,
) -> Steps[InetSocket]:
    """Return the socket that receives packets for `src` and `sport` from `dst` and `dport`.

    `protocol` is "tcp" or "udp". Without a peer it is a listening or an unconnected socket. Raises
    KernelError: ENOENT if there is none.
    """
    words = Words("inet.find", locals())
    op = _op(words, ("tcp", "udp"))
    here, there = words.address("src"), words.address("dst")
    if here is None:
        raise words.expected("src", "an IP address")
    if there is not None and there.version != here.version:
        raise words.wrong("dst", f"{there} and {here} are addresses of different IP versions")
    ends = [
        (here, words.integer("sport", 1, U16)),
        (there, words.integer("dport", 0, U16)),
    ]
    if op is udp:  # here, and only here, UDP expects the peer in `src` (udp_dump_one)
        ends.reverse()
    found: InetSocket = yield op(
        family=family_of(here),
        ext=EXT(0xFF),
        src=ends[0][0],
        dst=ends[1][0],
        sport=ends[0][1],
        dport=ends[1][1],
        ifindex=(yield from _link(words)) or 0,
    )
    return found


@plan
def kill(protocol: str, socket: InetSocket) -> Steps[None]:
    """Close a socket as if its process had done so; reads and writes fail with ECONNABORTED.

    `protocol` is "tcp" or "udp", which a message does not tell. Pass a socket of sockets() or
    find(): its cookie protects a newer socket of the same addresses. Raises KernelError: ENOENT if
    the socket does not exist any more, EOPNOTSUPP if the kernel lacks CONFIG_INET_DIAG_DESTROY,
    EPERM without CAP_NET_ADMIN.
    """
    words = Words("inet.kill", locals())
    _op(words, ("tcp", "udp"))
    if not isinstance(socket, InetSocket):
        raise TypeError(
            f"inet.kill() expects a socket, as inet.sockets() returns it, got {socket!r}"
        )
    number = IPPROTO.IPPROTO_TCP if protocol == "tcp" else IPPROTO.IPPROTO_UDP
    yield destroy(
        family=socket.family,
        sdiag_protocol=number,
        sport=socket.sport,
        dport=socket.dport,
        src=socket.src,
        dst=socket.dst,
        ifindex=socket.ifindex,
        cookie=socket.cookie,
    )


# --- arguments and bytecode -----------------------------------------------------------------------


class INET_DIAG_BC(KernelEnum):
    """Codes of the bytecode."""

    INET_DIAG_BC_NOP = 0
    INET_DIAG_BC_JMP = 1
    INET_DIAG_BC_S_GE = 2
    INET_DIAG_BC_S_LE = 3
    INET_DIAG_BC_D_GE = 4
    INET_DIAG_BC_D_LE = 5
    INET_DIAG_BC_AUTO = 6
    INET_DIAG_BC_S_COND = 7
    INET_DIAG_BC_D_COND = 8
    INET_DIAG_BC_DEV_COND = 9
    INET_DIAG_BC_MARK_COND = 10
    INET_DIAG_BC_S_EQ = 11
    INET_DIAG_BC_D_EQ = 12
    INET_DIAG_BC_CGROUP_COND = 13


BC = INET_DIAG_BC
Condition = tuple[BC, bytes]


def _op(words: Words, known: tuple[str, ...] = tuple(OPS)) -> Op[..., InetSocket, InetSocket]:
    name = words.text("protocol")
    if name not in known:
        raise words.expected("protocol", f"one of {', '.join(known)}")
    return OPS[str(name)]


def _families(words: Words) -> list[AF]:
    """Return the address families to ask for."""
    given = words.family()
    versions = set()
    for name in ("src", "dst"):
        prefix = words.prefix(name)
        if prefix is not None and prefix.address is not None:
            versions.add(prefix.address.version)
            if prefix.address.version == 6 and given == AF.AF_INET:
                raise words.wrong(
                    name, f"the IPv6 address {prefix.address} matches no socket of AF_INET"
                )
    if versions == {4, 6}:
        raise words.wrong("dst", "src and dst are addresses of different IP versions")
    if given is not None:
        return [given]
    return [AF.AF_INET6] if versions == {6} else [AF.AF_INET, AF.AF_INET6]


def _link(words: Words) -> Steps[int | None]:
    """Return the index of the link `dev`, given as such or by name."""
    if isinstance(words.given["dev"], str):
        index: int = yield ifindex(words.link_name("dev") or "")
        return index
    return words.integer("dev", 1, S32)


def _host(words: Words, name: str, code: BC) -> Iterator[Condition]:
    """Yield the condition for an address: struct inet_diag_hostcond."""
    prefix = words.prefix(name)
    if prefix is not None and prefix.address is not None:
        family = family_of(prefix.address)
        yield code, c_struct.pack("=BBxxi", family, prefix.length, -1) + prefix.address.packed


def _port(words: Words, name: str, at_least: BC, at_most: BC) -> Iterator[Condition]:
    """Yield the conditions for a range of ports: a second op holds the port."""
    ports = words.span(name, U16)
    if ports is not None:
        for code, port in zip((at_least, at_most), ports, strict=True):
            yield code, c_struct.pack("=BBH", 0, 0, port)


def _numbers(words: Words) -> Iterator[Condition]:
    mark = words.given["mark"]
    if mark is not None:
        pair = mark if isinstance(mark, tuple) else (mark, U32)
        if len(pair) != 2 or not all(type(part) is int and 0 <= part <= U32 for part in pair):
            raise words.expected("mark", f"an int from 0 to {U32}, or a pair (mark, mask)")
        if pair[0] & ~pair[1]:
            raise words.wrong("mark", f"the mark {pair[0]:#x} has bits outside of {pair[1]:#x}")
        yield BC.INET_DIAG_BC_MARK_COND, c_struct.pack("=II", *pair)
    cgroup = words.integer("cgroup", 0, U64)
    if cgroup is not None:
        yield BC.INET_DIAG_BC_CGROUP_COND, c_struct.pack("=Q", cgroup)


def _program(conditions: list[Condition]) -> bytes:
    """Return the bytecode that accepts sockets for which all conditions are true.

    Each op (struct inet_diag_bc_op) has the distances to the next op if its condition is true, and
    if it is false. A distance of 4 beyond the end rejects the socket (inet_diag_bc_run).
    """
    left = sum(4 + len(argument) for _, argument in conditions)
    program = b""
    for code, argument in conditions:
        program += c_struct.pack("=BBH", code, 4 + len(argument), left + 4) + argument
        left -= 4 + len(argument)
    return program
