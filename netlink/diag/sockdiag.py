"""What all kinds of sockets share in NETLINK_SOCK_DIAG: message types, groups, states, memory.

This file imports no other file of the family. Numbers are from Linux 6.12 (linux/sock_diag.h,
net/tcp_states.h).
"""

from __future__ import annotations

from netlink.constants import KernelEnum, KernelFlag
from netlink.schema import Message, u32

# A request with this cookie does not compare cookies.
NOCOOKIE = (0xFFFFFFFF, 0xFFFFFFFF)
ALL = 0xFFFFFFFF  # every bit of a mask


class SOCK_DIAG(KernelEnum, prefix="SOCK_"):
    """Message types. Requests, answers and events of all kinds of sockets have the first one."""

    SOCK_DIAG_BY_FAMILY = 20
    SOCK_DESTROY = 21


class SKNLGRP(KernelEnum):
    """Multicast groups: destroyed sockets. Joining needs no privilege."""

    SKNLGRP_INET_TCP_DESTROY = 1
    SKNLGRP_INET_UDP_DESTROY = 2
    SKNLGRP_INET6_TCP_DESTROY = 3
    SKNLGRP_INET6_UDP_DESTROY = 4


class SOCK(KernelEnum):
    """Types of sockets (linux/net.h)."""

    SOCK_STREAM = 1
    SOCK_DGRAM = 2
    SOCK_RAW = 3
    SOCK_RDM = 4
    SOCK_SEQPACKET = 5
    SOCK_DCCP = 6
    SOCK_PACKET = 10


class TCP(KernelEnum):
    """States of a socket. All kinds of sockets use these names; most use a few of them."""

    TCP_ESTABLISHED = 1
    TCP_SYN_SENT = 2
    TCP_SYN_RECV = 3
    TCP_FIN_WAIT1 = 4
    TCP_FIN_WAIT2 = 5
    TCP_TIME_WAIT = 6
    TCP_CLOSE = 7
    TCP_CLOSE_WAIT = 8
    TCP_LAST_ACK = 9
    TCP_LISTEN = 10
    TCP_CLOSING = 11
    TCP_NEW_SYN_RECV = 12
    TCP_BOUND_INACTIVE = 13


class TCPF(KernelFlag):
    """Sets of states: one bit for each, 1 << state."""

    TCPF_ESTABLISHED = 1 << 1
    TCPF_SYN_SENT = 1 << 2
    TCPF_SYN_RECV = 1 << 3
    TCPF_FIN_WAIT1 = 1 << 4
    TCPF_FIN_WAIT2 = 1 << 5
    TCPF_TIME_WAIT = 1 << 6
    TCPF_CLOSE = 1 << 7
    TCPF_CLOSE_WAIT = 1 << 8
    TCPF_LAST_ACK = 1 << 9
    TCPF_LISTEN = 1 << 10
    TCPF_CLOSING = 1 << 11
    TCPF_NEW_SYN_RECV = 1 << 12  # TCPF_SYN_RECV includes these
    TCPF_BOUND_INACTIVE = 1 << 13  # bound, but neither listening nor connected; shown as TCP_CLOSE


# The states that ss(8) shows by default with --all.
STATES = TCPF(0xFFE)


class SHUTDOWN(KernelFlag, prefix=""):
    """Directions that were shut down (net/sock.h)."""

    RCV_SHUTDOWN = 1
    SEND_SHUTDOWN = 2


class SkMeminfo(Message):
    """Memory of a socket in bytes, and `drops`, the number of lost packets: SK_MEMINFO_*."""

    rmem_alloc: int = u32()
    rcvbuf: int = u32()
    wmem_alloc: int = u32()
    sndbuf: int = u32()
    fwd_alloc: int = u32()
    wmem_queued: int = u32()
    optmem: int = u32()
    backlog: int = u32()
    drops: int | None = u32()
