"""ipvs: virtual services and their real servers (linux/ip_vs.h).

Numbers are those of Linux 6.12; kinds and behaviour are those of net/netfilter/ipvs/ip_vs_ctl.c.
Every command requires CAP_NET_ADMIN. The kernel sends no events.

    with Connection(ipvs.FAMILY) as nl:
        nl.do(ipvs.add_service("tcp", "192.0.2.1", 80, scheduler="rr"))
        nl.do(ipvs.add_destination("tcp", "192.0.2.1", 80, server="10.0.0.1", server_port=8080))
        for service in nl.do(ipvs.services()):
            print(service.address, service.port, service.scheduler)
"""

from __future__ import annotations

import sys
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple

from netlink.constants import AF, IFNAMSIZ, KernelEnum, KernelFlag
from netlink.family import Family, Op, Steps, plan
from netlink.schema import (
    Addr,
    IPAddress,
    Message,
    Named,
    Nested,
    address,
    be16,
    be32,
    binary,
    nest,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
)
from netlink.words import PROTOCOLS, U16, Words, family_of, names_of

ADDRESS_SIZE = 16  # of IPv6; the kernel always sends 16 bytes, of which IPv4 has the first four
NAME_SIZE = 17  # IP_VS_SCHEDNAME_MAXLEN, IP_VS_PENAME_MAXLEN and a NUL
ALL_BITS = 0xFFFFFFFF


class IPVS_CMD(KernelEnum):
    """Commands: enum in linux/ip_vs.h."""

    IPVS_CMD_NEW_SERVICE = 1
    IPVS_CMD_SET_SERVICE = 2
    IPVS_CMD_DEL_SERVICE = 3
    IPVS_CMD_GET_SERVICE = 4
    IPVS_CMD_NEW_DEST = 5
    IPVS_CMD_SET_DEST = 6
    IPVS_CMD_DEL_DEST = 7
    IPVS_CMD_GET_DEST = 8
    IPVS_CMD_NEW_DAEMON = 9
    IPVS_CMD_DEL_DAEMON = 10
    IPVS_CMD_GET_DAEMON = 11
    IPVS_CMD_SET_CONFIG = 12
    IPVS_CMD_GET_CONFIG = 13
    IPVS_CMD_SET_INFO = 14
    IPVS_CMD_GET_INFO = 15
    IPVS_CMD_ZERO = 16
    IPVS_CMD_FLUSH = 17


class SVC_F(KernelFlag, prefix="IP_VS_SVC_F_"):
    """Flags of a service: IP_VS_SVC_F_*."""

    IP_VS_SVC_F_PERSISTENT = 0x01
    IP_VS_SVC_F_HASHED = 0x02
    IP_VS_SVC_F_ONEPACKET = 0x04
    IP_VS_SVC_F_SCHED1 = 0x08
    IP_VS_SVC_F_SCHED2 = 0x10
    IP_VS_SVC_F_SCHED3 = 0x20


class FORWARD(KernelEnum, prefix="IP_VS_CONN_F_"):
    """How packets reach a server: IP_VS_CONN_F_*."""

    IP_VS_CONN_F_MASQ = 0
    IP_VS_CONN_F_LOCALNODE = 1
    IP_VS_CONN_F_TUNNEL = 2
    IP_VS_CONN_F_DROUTE = 3
    IP_VS_CONN_F_BYPASS = 4


class TUNNEL(KernelEnum, prefix="IP_VS_CONN_F_TUNNEL_TYPE_"):
    """Kinds of tunnels: IP_VS_CONN_F_TUNNEL_TYPE_*."""

    IP_VS_CONN_F_TUNNEL_TYPE_IPIP = 0
    IP_VS_CONN_F_TUNNEL_TYPE_GUE = 1
    IP_VS_CONN_F_TUNNEL_TYPE_GRE = 2


class STATE(KernelFlag, prefix="IP_VS_STATE_"):
    """What a daemon does: IP_VS_STATE_*."""

    IP_VS_STATE_MASTER = 0x1
    IP_VS_STATE_BACKUP = 0x2


class ip_vs_flags(Message):
    """struct ip_vs_flags: flags, and which of them are valid."""

    flags: Named[SVC_F | int] = u32(enum=SVC_F)
    mask: int = u32()


class Stats(Message):
    """Counters of 32 bits, rates per second: IPVS_STATS_ATTR_*."""

    conns: int | None = u32(1)
    inpkts: int | None = u32(2)
    outpkts: int | None = u32(3)
    inbytes: int | None = u64(4)
    outbytes: int | None = u64(5)
    cps: int | None = u32(6)
    inpps: int | None = u32(7)
    outpps: int | None = u32(8)
    inbps: int | None = u32(9)
    outbps: int | None = u32(10)


class Stats64(Message):
    """Counters, rates per second: IPVS_STATS_ATTR_*."""

    conns: int | None = u64(1)
    inpkts: int | None = u64(2)
    outpkts: int | None = u64(3)
    inbytes: int | None = u64(4)
    outbytes: int | None = u64(5)
    cps: int | None = u64(6)
    inpps: int | None = u64(7)
    outpps: int | None = u64(8)
    inbps: int | None = u64(9)
    outbps: int | None = u64(10)


class Svc(Message):
    """A service: IPVS_SVC_ATTR_*.

    It has a protocol, an address and a port, or a firewall mark. `addr` has 16 bytes, of which IPv4
    uses the first four. The timeout is in s. `netmask` is that of IPv4; of IPv6 it is the length of
    the prefix in host byte order: netmask_of() of this module reads both.
    """

    af: Named[AF | int | None] = u16(1, enum=AF)
    protocol: int | None = u16(2)
    addr: bytes | None = binary(3, size=ADDRESS_SIZE)
    port: int | None = be16(4)
    fwmark: int | None = u32(5)
    sched_name: str | None = string(6, size=NAME_SIZE)
    flags: Nested[ip_vs_flags] = struct(7, ip_vs_flags)
    timeout: int | None = u32(8)
    netmask: int | None = be32(9)
    stats: Nested[Stats] = nest(10, Stats)
    pe_name: str | None = string(11, size=NAME_SIZE)
    stats64: Nested[Stats64] = nest(12, Stats64)


class Dest(Message):
    """A real server: IPVS_DEST_ATTR_*. `addr` is as that of a service, by `addr_family`."""

    addr: bytes | None = binary(1, size=ADDRESS_SIZE)
    port: int | None = be16(2)
    fwd_method: Named[FORWARD | int | None] = u32(3, enum=FORWARD)
    weight: int | None = u32(4)
    u_thresh: int | None = u32(5)
    l_thresh: int | None = u32(6)
    active_conns: int | None = u32(7)
    inact_conns: int | None = u32(8)
    persist_conns: int | None = u32(9)
    stats: Nested[Stats] = nest(10, Stats)
    addr_family: Named[AF | int | None] = u16(11, enum=AF)
    stats64: Nested[Stats64] = nest(12, Stats64)
    tun_type: Named[TUNNEL | int | None] = u8(13, enum=TUNNEL)
    tun_port: int | None = be16(14)
    tun_flags: int | None = u16(15)


class Daemon(Message):
    """A daemon that copies connections to another host: IPVS_DAEMON_ATTR_*."""

    state: Named[STATE | int | None] = u32(1, enum=STATE)
    mcast_ifn: str | None = string(2, size=IFNAMSIZ)
    sync_id: int | None = u32(3)
    sync_maxlen: int | None = u16(4)
    mcast_group: Addr = address(5, size=4)
    mcast_group6: Addr = address(6, size=16)
    mcast_port: int | None = u16(7)
    mcast_ttl: int | None = u8(8)


class Ipvs(Message):
    """A command about services, servers, daemons or timeouts in s: IPVS_CMD_ATTR_*."""

    service: Nested[Svc] = nest(1, Svc)
    dest: Nested[Dest] = nest(2, Dest)
    daemon: Nested[Daemon] = nest(3, Daemon)
    timeout_tcp: int | None = u32(4)
    timeout_tcp_fin: int | None = u32(5)
    timeout_udp: int | None = u32(6)


class Info(Message):
    """The version of IPVS, and the size of the table of connections: IPVS_INFO_ATTR_*."""

    version: int | None = u32(1)
    conn_tab_size: int | None = u32(2)


class None_(Message):
    """A request without attributes."""


new_service = Op("ipvs.new_service", IPVS_CMD.IPVS_CMD_NEW_SERVICE, Ipvs)
set_service = Op("ipvs.set_service", IPVS_CMD.IPVS_CMD_SET_SERVICE, Ipvs)
del_service = Op("ipvs.del_service", IPVS_CMD.IPVS_CMD_DEL_SERVICE, Ipvs)
get_service = Op(
    "ipvs.get_service",
    IPVS_CMD.IPVS_CMD_GET_SERVICE,
    Ipvs,
    answer="one",
    reply_type=IPVS_CMD.IPVS_CMD_NEW_SERVICE,
)
new_dest = Op("ipvs.new_dest", IPVS_CMD.IPVS_CMD_NEW_DEST, Ipvs)
set_dest = Op("ipvs.set_dest", IPVS_CMD.IPVS_CMD_SET_DEST, Ipvs)
del_dest = Op("ipvs.del_dest", IPVS_CMD.IPVS_CMD_DEL_DEST, Ipvs)
get_dest = Op(
    "ipvs.get_dest",
    IPVS_CMD.IPVS_CMD_GET_DEST,
    Ipvs,
    answer="several",
    reply_type=IPVS_CMD.IPVS_CMD_NEW_DEST,
    dumps=False,  # as a noun: the kernel wants the whole service
)
new_daemon = Op("ipvs.new_daemon", IPVS_CMD.IPVS_CMD_NEW_DAEMON, Ipvs)
del_daemon = Op("ipvs.del_daemon", IPVS_CMD.IPVS_CMD_DEL_DAEMON, Ipvs)
get_daemon = Op(
    "ipvs.get_daemon",
    IPVS_CMD.IPVS_CMD_GET_DAEMON,
    None_,
    reply=Ipvs,
    answer="several",
    reply_type=IPVS_CMD.IPVS_CMD_NEW_DAEMON,
)
set_config = Op("ipvs.set_config", IPVS_CMD.IPVS_CMD_SET_CONFIG, Ipvs)
get_config = Op(
    "ipvs.get_config",
    IPVS_CMD.IPVS_CMD_GET_CONFIG,
    None_,
    reply=Ipvs,
    answer="one",
    reply_type=IPVS_CMD.IPVS_CMD_SET_CONFIG,
    dumps=False,
)
get_info = Op(
    "ipvs.get_info",
    IPVS_CMD.IPVS_CMD_GET_INFO,
    None_,
    reply=Info,
    answer="one",
    reply_type=IPVS_CMD.IPVS_CMD_SET_INFO,
    dumps=False,
)
zero = Op("ipvs.zero", IPVS_CMD.IPVS_CMD_ZERO, Ipvs)
flush = Op("ipvs.flush", IPVS_CMD.IPVS_CMD_FLUSH, None_)

FAMILY = Family(
    "IPVS",
    types=IPVS_CMD,
    ops=(
        new_service, set_service, del_service, get_service, new_dest, set_dest, del_dest, get_dest,
        new_daemon, del_daemon, get_daemon, set_config, get_config, get_info, zero, flush,
    ),
)  # fmt: skip


# --- plans ----------------------------------------------------------------------------------------

Address = IPAddress | str


class Service(NamedTuple):
    """A service: a protocol, an address and a port, or a firewall mark. `svc` is the message."""

    protocol: int | None
    address: IPAddress | None
    port: int | None
    fwmark: int | None
    scheduler: str | None
    svc: Svc


class Destination(NamedTuple):
    """A real server of a service. `dest` is the message."""

    address: IPAddress | None
    port: int | None
    forward: FORWARD | int | None
    weight: int | None
    dest: Dest


def address_of(af: int | None, addr: bytes | None) -> IPAddress | None:
    """Return the address in the bytes of an attribute, by its family."""
    if addr is None or len(addr) != ADDRESS_SIZE:
        return None
    return IPv6Address(addr) if af == AF.AF_INET6 else IPv4Address(addr[:4])


@plan
def services() -> Steps[list[Service]]:
    """Return every service."""
    found: list[Ipvs] = yield get_service().dump()
    return [
        Service(
            svc.protocol,
            None if svc.fwmark else address_of(svc.af, svc.addr),
            svc.port,
            svc.fwmark,
            svc.sched_name,
            svc,
        )
        for each in found
        if (svc := each.service) is not None
    ]


@plan
def destinations(proto: int | str, address: Address, port: int) -> Steps[list[Destination]]:
    """Return the real servers of a service."""
    service = _service(Words("ipvs.destinations", locals()))
    found: list[Ipvs] = yield get_dest(service=service).dump()
    return [
        Destination(
            address_of(dest.addr_family, dest.addr), dest.port, dest.fwd_method, dest.weight, dest
        )
        for each in found
        if (dest := each.dest) is not None
    ]


@plan
def add_service(
    proto: int | str,
    address: Address,
    port: int,
    *,
    scheduler: str = "wlc",
    persistent: int | None = None,
) -> Steps[None]:
    """Add a service. `persistent` is how long a client keeps its server, in s.

    Raises KernelError: EEXIST if the service exists, ENOENT if the kernel lacks the scheduler.
    """
    words = Words("ipvs.add_service", locals())
    service = _service(words)
    name = words.text("scheduler", NAME_SIZE)
    if name is None:
        raise words.expected("scheduler", "the name of a scheduler, such as 'rr'")
    timeout = words.integer("persistent", 1)
    bits = SVC_F.IP_VS_SVC_F_PERSISTENT if timeout is not None else SVC_F(0)
    mask = ALL_BITS if service["af"] == AF.AF_INET else _host_order(128)
    yield new_service(
        service={
            **service, "sched_name": name, "flags": {"flags": bits, "mask": ALL_BITS},
            "timeout": timeout or 0, "netmask": mask,
        }
    )  # fmt: skip


@plan
def remove_service(proto: int | str, address: Address, port: int) -> Steps[None]:
    """Remove a service and its servers. Raises KernelError (ESRCH) if there is none."""
    yield del_service(service=_service(Words("ipvs.remove_service", locals())))


@plan
def add_destination(
    proto: int | str,
    address: Address,
    port: int,
    *,
    server: Address,
    server_port: int,
    forward: FORWARD | int | str = "masq",
    weight: int = 1,
) -> Steps[None]:
    """Add a real server to a service: "masq", "droute" or "tunnel" says how packets reach it."""
    words = Words("ipvs.add_destination", locals())
    yield new_dest(
        service=_service(words),
        dest={
            **_server(words),
            "fwd_method": words.number("forward", names_of(FORWARD)),
            "weight": words.integer("weight"),
            "u_thresh": 0,
            "l_thresh": 0,
        },
    )


@plan
def remove_destination(
    proto: int | str, address: Address, port: int, *, server: Address, server_port: int
) -> Steps[None]:
    """Remove a real server from a service. Raises KernelError (ENOENT) if there is none."""
    words = Words("ipvs.remove_destination", locals())
    yield del_dest(service=_service(words), dest=_server(words))


def _service(words: Words) -> dict[str, Any]:
    """Return the protocol, address and port of a service, as fields of a Svc."""
    protocol = words.number("proto", PROTOCOLS, U16)
    where, port = words.address("address"), words.integer("port", 0, U16)
    if protocol is None or where is None or port is None:
        words.refuse("needs proto, address and port of a service")
    return {
        "af": family_of(where),
        "protocol": protocol,
        "addr": where.packed.ljust(ADDRESS_SIZE, b"\0"),
        "port": port,
    }


def _server(words: Words) -> dict[str, Any]:
    """Return the address and port of a server, as fields of a Dest."""
    where, port = words.address("server"), words.integer("server_port", 0, U16)
    if where is None or port is None:
        words.refuse("needs server and server_port")
    return {
        "addr": where.packed.ljust(ADDRESS_SIZE, b"\0"),
        "port": port,
        "addr_family": family_of(where),
    }


def _host_order(number: int) -> int:
    """Return a number of host byte order as a be32 writes it."""
    return int.from_bytes(number.to_bytes(4, sys.byteorder), "big")


def netmask_of(svc: Svc) -> int | None:
    """Return the length of the prefix by which clients are grouped."""
    if svc.netmask is None:
        return None
    return _host_order(svc.netmask) if svc.af == AF.AF_INET6 else svc.netmask.bit_count()
