"""sock_diag: the sockets of a network namespace (NETLINK_SOCK_DIAG), one file for each kind.

    from netlink import diag
    from netlink.diag import inet, unix

    with Connection(diag.FAMILY) as nl:
        for socket in nl.do(inet.sockets("tcp", state="listen")):
            print(socket.src, socket.sport, socket.uid)
        names = nl.dump(unix.get()).columns("ino", "name")

All kinds of sockets share one message type. The first byte of a message, an address family, selects
its class. Therefore this package imports all its files. It must not contain I/O.

The groups report destroyed sockets of TCP and UDP: "inet-tcp-destroy", "inet6-udp-destroy" and so
on. Joining needs no privilege.
"""

from __future__ import annotations

from netlink.constants import AF, NETLINK
from netlink.diag import inet, netlink, packet, smc, tipc, unix, vsock, xdp
from netlink.diag.sockdiag import SKNLGRP, SOCK_DIAG
from netlink.family import Family
from netlink.schema import selected

__all__ = ["FAMILY", "inet", "netlink", "packet", "smc", "tipc", "unix", "vsock", "xdp"]

_ANSWERS = {
    AF.AF_UNIX: unix.UnixSocket,
    AF.AF_INET: inet.InetSocket,
    AF.AF_INET6: inet.InetSocket,
    AF.AF_NETLINK: netlink.NetlinkSocket,
    AF.AF_PACKET: packet.PacketSocket,
    AF.AF_VSOCK: vsock.vsock_diag_msg,
    AF.AF_SMC: smc.SmcSocket,
    AF.AF_XDP: xdp.XdpSocket,
}
_REQUESTS = {
    AF.AF_UNIX: unix.unix_diag_req,
    AF.AF_INET: inet.InetQuery,
    AF.AF_INET6: inet.InetQuery,
    AF.AF_NETLINK: netlink.netlink_diag_req,
    AF.AF_PACKET: packet.packet_diag_req,
    AF.AF_TIPC: tipc.tipc_sock_diag_req,
    AF.AF_VSOCK: vsock.vsock_diag_req,
    AF.AF_SMC: smc.smc_diag_req,
    AF.AF_XDP: xdp.xdp_diag_req,
}

FAMILY = Family(
    "diag",
    protocol=NETLINK.NETLINK_SOCK_DIAG,
    types=SOCK_DIAG,
    ops=(
        inet.tcp, inet.udp, inet.raw, inet.mptcp, inet.get, inet.destroy, unix.get, packet.get,
        netlink.get, vsock.get, smc.get, xdp.get, tipc.get,
    ),
    messages={SOCK_DIAG.SOCK_DIAG_BY_FAMILY: selected(None, "family", _ANSWERS)},
    requests={SOCK_DIAG.SOCK_DIAG_BY_FAMILY: selected(None, "family", _REQUESTS)},
    groups=SKNLGRP,
    group_prefix="SKNLGRP_",
)  # fmt: skip
