"""Tables that map each kind of link to its class. Each kind has its own file in this folder.

KINDS is for IFLA_INFO_DATA, SLAVE_KINDS for IFLA_INFO_SLAVE_DATA (settings of a port, which its
master stores) and XSTATS for IFLA_INFO_XSTATS. Their keys are the values of IFLA_INFO_KIND and
IFLA_INFO_SLAVE_KIND. This file must not import a kind: it names classes as strings, so that a kind
is imported when its first link is used. To add a kind, add a file and a line in a table.

Kinds without data in Linux 6.12: dummy, ifb, lowpan, netdevsim, nlmon, pfcp, team, vcan, virt_wifi,
vsockmon, wireguard. Ports of a "team" or "hsr" have no data either.
"""

from netlink.schema import Lazy

__all__ = ["KINDS", "SLAVE_KINDS", "XSTATS"]

KINDS = Lazy(
    __name__,
    {
        "amt": "amt.Amt",
        "bareudp": "bareudp.Bareudp",
        "batadv": "batadv.Batadv",
        "bond": "bond.Bond",
        "bridge": "bridge.Bridge",
        "caif": "caif.Caif",
        "can": "can.Can",
        "dsa": "dsa.Dsa",
        "erspan": "gre.Gre",
        "geneve": "geneve.Geneve",
        "gre": "gre.Gre",
        "gretap": "gre.Gre",
        "gtp": "gtp.Gtp",
        "hsr": "hsr.Hsr",
        "ip6erspan": "ip6gre.Ip6Gre",
        "ip6gre": "ip6gre.Ip6Gre",
        "ip6gretap": "ip6gre.Ip6Gre",
        "ip6tnl": "ip6tnl.Ip6Tunnel",
        "ipip": "ipip.IpTunnel",
        "ipoib": "ipoib.Ipoib",
        "ipvlan": "ipvlan.Ipvlan",
        "ipvtap": "ipvlan.Ipvlan",
        "macsec": "macsec.Macsec",
        "macvlan": "macvlan.Macvlan",
        "macvtap": "macvlan.Macvlan",
        "netkit": "netkit.Netkit",
        "ovpn": "ovpn.Ovpn",
        "ppp": "ppp.Ppp",
        "rmnet": "rmnet.Rmnet",
        "sit": "sit.Sit",
        "tun": "tun.Tun",
        "veth": "veth.Veth",
        "vlan": "vlan.Vlan",
        "vrf": "vrf.Vrf",
        "vti": "vti.Vti",
        "vti6": "vti6.Vti6",
        "vxcan": "vxcan.Vxcan",
        "vxlan": "vxlan.Vxlan",
        "wwan": "wwan.Wwan",
        "xfrm": "xfrm.Xfrm",
    },
)

SLAVE_KINDS = Lazy(
    __name__,
    {
        "bond": "bond.BondSlave",
        "bridge": "bridge.BridgePort",
        "vrf": "vrf.VrfPort",
    },
)

XSTATS = Lazy(
    __name__,
    {
        "can": "can.can_device_stats",
    },
)
