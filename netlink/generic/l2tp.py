"""l2tp: tunnels and sessions of L2TP (linux/l2tp.h).

Numbers are those of Linux 6.12; kinds and behaviour are those of net/l2tp/l2tp_netlink.c. Every
command requires CAP_NET_ADMIN. A tunnel belongs to the socket of its `fd`, or the kernel makes one
from the addresses. The group "l2tp" reports tunnels and sessions.

    with Connection(l2tp.FAMILY) as nl:
        nl.do(l2tp.tunnel_create(conn_id=1, peer_conn_id=2, proto_version=3, encap_type="udp",
                                 ip_saddr="192.0.2.1", ip_daddr="192.0.2.2",
                                 udp_sport=5000, udp_dport=6000))
        print(nl.do(l2tp.tunnels()))
"""

from __future__ import annotations

from netlink.constants import IFNAMSIZ, KernelEnum, KernelFlag
from netlink.family import Family, Op, Steps, plan
from netlink.schema import (
    Addr,
    Message,
    Named,
    Nested,
    address,
    binary,
    flag,
    nest,
    string,
    u8,
    u16,
    u32,
    u64,
)


class L2TP_CMD(KernelEnum):
    """Commands: enum in linux/l2tp.h."""

    L2TP_CMD_NOOP = 0
    L2TP_CMD_TUNNEL_CREATE = 1
    L2TP_CMD_TUNNEL_DELETE = 2
    L2TP_CMD_TUNNEL_MODIFY = 3
    L2TP_CMD_TUNNEL_GET = 4
    L2TP_CMD_SESSION_CREATE = 5
    L2TP_CMD_SESSION_DELETE = 6
    L2TP_CMD_SESSION_MODIFY = 7
    L2TP_CMD_SESSION_GET = 8


class L2TP_PWTYPE(KernelEnum):
    """What a session carries: enum l2tp_pwtype."""

    L2TP_PWTYPE_NONE = 0
    L2TP_PWTYPE_ETH_VLAN = 4
    L2TP_PWTYPE_ETH = 5
    L2TP_PWTYPE_PPP = 7
    L2TP_PWTYPE_PPP_AC = 8
    L2TP_PWTYPE_IP = 11


class L2TP_ENCAPTYPE(KernelEnum):
    """What carries a tunnel: enum l2tp_encap_type."""

    L2TP_ENCAPTYPE_UDP = 0
    L2TP_ENCAPTYPE_IP = 1


class L2TP_L2SPECTYPE(KernelEnum):
    """enum l2tp_l2spec_type."""

    L2TP_L2SPECTYPE_NONE = 0
    L2TP_L2SPECTYPE_DEFAULT = 1


class L2TP_SEQ(KernelEnum):
    """Which packets have sequence numbers: enum l2tp_seqmode."""

    L2TP_SEQ_NONE = 0
    L2TP_SEQ_IP = 1
    L2TP_SEQ_ALL = 2


class L2TP_MSG(KernelFlag):
    """What is logged: enum l2tp_debug_flags."""

    L2TP_MSG_DEBUG = 0x1
    L2TP_MSG_CONTROL = 0x2
    L2TP_MSG_SEQ = 0x4
    L2TP_MSG_DATA = 0x8


class L2tpStats(Message):
    """Counters: L2TP_ATTR_*."""

    tx_packets: int | None = u64(1)
    tx_bytes: int | None = u64(2)
    tx_errors: int | None = u64(3)
    rx_packets: int | None = u64(4)
    rx_bytes: int | None = u64(5)
    rx_seq_discards: int | None = u64(6)
    rx_oos_packets: int | None = u64(7)
    rx_errors: int | None = u64(8)
    rx_cookie_discards: int | None = u64(10)
    rx_invalid: int | None = u64(11)


class L2tp(Message):
    """A tunnel or a session: L2TP_ATTR_*.

    Ports have host byte order, cookies are 4 or 8 bytes, `recv_timeout` is ms. The kernel sends
    `udp_csum` as a byte and accepts a byte.
    """

    pw_type: Named[L2TP_PWTYPE | int | None] = u16(1, enum=L2TP_PWTYPE)
    encap_type: Named[L2TP_ENCAPTYPE | int | None] = u16(2, enum=L2TP_ENCAPTYPE)
    offset: int | None = u16(3)
    data_seq: Named[L2TP_SEQ | int | None] = u8(4, enum=L2TP_SEQ)
    l2spec_type: Named[L2TP_L2SPECTYPE | int | None] = u8(5, enum=L2TP_L2SPECTYPE)
    l2spec_len: int | None = u8(6)
    proto_version: int | None = u8(7)
    ifname: str | None = string(8, size=IFNAMSIZ)
    conn_id: int | None = u32(9)
    peer_conn_id: int | None = u32(10)
    session_id: int | None = u32(11)
    peer_session_id: int | None = u32(12)
    udp_csum: int | None = u8(13)
    vlan_id: int | None = u16(14)
    cookie: bytes | None = binary(15, size=8, least=4)
    peer_cookie: bytes | None = binary(16, size=8, least=4)
    debug: Named[L2TP_MSG | int | None] = u32(17, enum=L2TP_MSG)
    recv_seq: int | None = u8(18)
    send_seq: int | None = u8(19)
    lns_mode: int | None = u8(20)
    using_ipsec: int | None = u8(21)
    recv_timeout: int | None = u64(22)
    fd: int | None = u32(23)
    ip_saddr: Addr = address(24, size=4)
    ip_daddr: Addr = address(25, size=4)
    udp_sport: int | None = u16(26)
    udp_dport: int | None = u16(27)
    mtu: int | None = u16(28)
    mru: int | None = u16(29)
    stats: Nested[L2tpStats] = nest(30, L2tpStats)
    ip6_saddr: Addr = address(31, size=16)
    ip6_daddr: Addr = address(32, size=16)
    udp_zero_csum6_tx: bool = flag(33)
    udp_zero_csum6_rx: bool = flag(34)


class TunnelQuery(Message):
    """Which tunnel: L2TP_ATTR_*."""

    conn_id: int | None = u32(9)


class SessionQuery(Message):
    """Which session: L2TP_ATTR_*."""

    ifname: str | None = string(8, size=IFNAMSIZ)
    conn_id: int | None = u32(9)
    session_id: int | None = u32(11)


tunnel_create = Op("l2tp.tunnel_create", L2TP_CMD.L2TP_CMD_TUNNEL_CREATE, L2tp)
tunnel_delete = Op("l2tp.tunnel_delete", L2TP_CMD.L2TP_CMD_TUNNEL_DELETE, L2tp)
tunnel_modify = Op("l2tp.tunnel_modify", L2TP_CMD.L2TP_CMD_TUNNEL_MODIFY, L2tp)
tunnel_get = Op(
    "l2tp.tunnel_get", L2TP_CMD.L2TP_CMD_TUNNEL_GET, TunnelQuery, reply=L2tp, answer="one"
)
session_create = Op("l2tp.session_create", L2TP_CMD.L2TP_CMD_SESSION_CREATE, L2tp)
session_delete = Op("l2tp.session_delete", L2TP_CMD.L2TP_CMD_SESSION_DELETE, L2tp)
session_modify = Op("l2tp.session_modify", L2TP_CMD.L2TP_CMD_SESSION_MODIFY, L2tp)
session_get = Op(
    "l2tp.session_get", L2TP_CMD.L2TP_CMD_SESSION_GET, SessionQuery, reply=L2tp, answer="one"
)

FAMILY = Family(
    "l2tp",
    types=L2TP_CMD,
    ops=(
        tunnel_create, tunnel_delete, tunnel_modify, tunnel_get, session_create, session_delete,
        session_modify, session_get,
    ),
    groups=("l2tp",),
    messages=L2tp,
)  # fmt: skip


@plan
def tunnels() -> Steps[list[L2tp]]:
    """Return every tunnel."""
    found: list[L2tp] = yield tunnel_get().dump()
    return found


@plan
def sessions() -> Steps[list[L2tp]]:
    """Return every session, of all tunnels."""
    found: list[L2tp] = yield session_get().dump()
    return found
