"""What depends on the kind of a link: one class a kind, found by name in the tables below.

A new kind is a class in the file of its like and a line here. `KINDS` is for IFLA_INFO_DATA,
`SLAVE_KINDS` for IFLA_INFO_SLAVE_DATA, which tells of the link what the link it belongs to keeps,
and `XSTATS` for IFLA_INFO_XSTATS. Keys are the values of IFLA_INFO_KIND and IFLA_INFO_SLAVE_KIND.

Kinds that Linux 6.12 has without any data: dummy, ifb, lowpan, netdevsim, nlmon, pfcp, team, vcan,
virt_wifi, vsockmon, wireguard. So have "team" and "hsr" none for the links in them.
"""

from typing import Any

from netlink.route.linkinfo.bond import Bond, BondSlave
from netlink.route.linkinfo.bridge import MDB_RTR_TYPE, Bridge, BridgePort, BridgeQuerier
from netlink.route.linkinfo.can import Can, can_device_stats
from netlink.route.linkinfo.driver import Batadv, Caif, Ovpn, Ppp, Tun, Wwan
from netlink.route.linkinfo.ether import ETH_P
from netlink.route.linkinfo.pair import Netkit, Veth, Vxcan
from netlink.route.linkinfo.stacked import (
    Dsa,
    Hsr,
    Ipoib,
    Ipvlan,
    Macsec,
    Macvlan,
    Rmnet,
    Vlan,
    Vrf,
    VrfPort,
)
from netlink.route.linkinfo.tunnel import Gre, Ip6Gre, Ip6Tunnel, IpTunnel, Sit, Vti, Vti6, Xfrm
from netlink.route.linkinfo.udp import Amt, Bareudp, Geneve, Gtp, Vxlan
from netlink.schema import Message, Nested, selected, string

__all__ = [
    "KINDS", "SLAVE_KINDS", "XSTATS", "LinkInfo", "ETH_P", "MDB_RTR_TYPE",
    "Amt", "Bareudp", "Batadv", "Bond", "BondSlave", "Bridge", "BridgePort", "BridgeQuerier",
    "Caif", "Can", "Dsa", "Geneve", "Gre", "Gtp", "Hsr", "Ip6Gre", "Ip6Tunnel", "IpTunnel",
    "Ipoib", "Ipvlan", "Macsec", "Macvlan", "Netkit", "Ovpn", "Ppp", "Rmnet", "Sit", "Tun",
    "Veth", "Vlan", "Vrf", "VrfPort", "Vti", "Vti6", "Vxcan", "Vxlan", "Wwan", "Xfrm",
    "can_device_stats",
]  # fmt: skip

# The kernel would cut a longer name (__rtnl_newlink in net/core/rtnetlink.c); machines of 32 bits
# give it 4 bytes more (include/linux/moduleparam.h).
MODULE_NAME_LEN = 56

KINDS: dict[str, type[Message]] = {
    "amt": Amt,
    "bareudp": Bareudp,
    "batadv": Batadv,
    "bond": Bond,
    "bridge": Bridge,
    "caif": Caif,
    "can": Can,
    "dsa": Dsa,
    "erspan": Gre,
    "geneve": Geneve,
    "gre": Gre,
    "gretap": Gre,
    "gtp": Gtp,
    "hsr": Hsr,
    "ip6erspan": Ip6Gre,
    "ip6gre": Ip6Gre,
    "ip6gretap": Ip6Gre,
    "ip6tnl": Ip6Tunnel,
    "ipip": IpTunnel,
    "ipoib": Ipoib,
    "ipvlan": Ipvlan,
    "ipvtap": Ipvlan,
    "macsec": Macsec,
    "macvlan": Macvlan,
    "macvtap": Macvlan,
    "netkit": Netkit,
    "ovpn": Ovpn,
    "ppp": Ppp,
    "rmnet": Rmnet,
    "sit": Sit,
    "tun": Tun,
    "veth": Veth,
    "vlan": Vlan,
    "vrf": Vrf,
    "vti": Vti,
    "vti6": Vti6,
    "vxcan": Vxcan,
    "vxlan": Vxlan,
    "wwan": Wwan,
    "xfrm": Xfrm,
}

SLAVE_KINDS: dict[str, type[Message]] = {
    "bond": BondSlave,
    "bridge": BridgePort,
    "vrf": VrfPort,
}

XSTATS: dict[str, type[Message]] = {
    "can": can_device_stats,
}


class LinkInfo(Message):
    """IFLA_INFO_* attributes: the kind of the link, and of the one it belongs to.

    `data`, `xstats` and `slave_data` are bytes where the kind has no class here.
    """

    kind: str | None = string(1, size=MODULE_NAME_LEN)
    data: Nested[Any] = selected(2, "kind", KINDS)
    xstats: Nested[Any] = selected(3, "kind", XSTATS)
    slave_kind: str | None = string(4, size=MODULE_NAME_LEN)
    slave_data: Nested[Any] = selected(5, "slave_kind", SLAVE_KINDS)
