"""Every kind of link: the words that make iproute2 create it, and what we must read of it.

The live tests and the captures of tests/vectors go through the same cases. This module contains
the cases and no tests.
"""

import json
import subprocess
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from netlink.route.link.kinds.ipvlan import IPVLAN_F
from netlink.route.link.kinds.macvlan import MACVLAN_FLAG
from netlink.route.link.kinds.vlan import VLAN_FLAG
from netlink.route.link.tunnels import GRE, IP6_TNL_F, TUNNEL_ENCAP_FLAG

Json = dict[str, Any]

REFUSALS = ("Unknown device type", "not supported")  # of a kernel that lacks a kind, or a protocol
IPTUN_CAN = IP6_TNL_F.IP6_TNL_F_CAP_XMIT | IP6_TNL_F.IP6_TNL_F_CAP_RCV
KEY, SEQ, CSUM = GRE.GRE_KEY, GRE.GRE_SEQ, GRE.GRE_CSUM


@dataclass(frozen=True)
class Case:
    """One link, "x", and how it is made and seen.

    `ip` is None where ip, of Debian 12, does not know the kind. `link` is the link below, `unsaid`
    what the kernel takes and does not send in the same form, `restless` what two links of this
    kind never share, by its name here or in ip's words.
    """

    kind: str
    ip: str | None = ""
    data: Json | None = None
    shown: Json = field(default_factory=dict)
    link: str | None = None
    setup: str = ""
    unsaid: Iterable[str] = ()
    restless: Iterable[str] = ()

    def __str__(self) -> str:
        return " ".join([self.kind, *(self.ip or "").split()[:2]])


# The lower links of the rows. Tunnel modules put links of their own into every namespace: indexes
# are far from those.
SCENE = """
link add low index 1011 address 02:00:00:00:00:11 type veth peer name low2
link add high index 1012 address 02:00:00:00:00:12 type veth peer name high2
link set low up
link set low2 up
link set high up
link set high2 up
addr add 192.0.2.1/24 dev low
addr add 2001:db8::1/64 dev low nodad
"""
LOW, HIGH = 1011, 1012

CASES = (
    # --- bridge ---
    Case(
        "bridge",
        "forward_delay 400 hello_time 300 max_age 700 ageing_time 5000 stp_state 1 priority 4096 "
        "group_fwd_mask 8 group_address 01:80:c2:00:00:08 no_linklocal_learn 1",
        {
            "forward_delay": 400,
            "hello_time": 300,
            "max_age": 700,
            "ageing_time": 5000,
            "stp_state": 1,
            "priority": 4096,
            "group_fwd_mask": 8,
            "group_addr": "01:80:c2:00:00:08",
            "multi_boolopt": {"optval": 1, "optmask": 1},
        },
        {
            "forward_delay": 400,
            "hello_time": 300,
            "max_age": 700,
            "ageing_time": 5000,
            "stp_state": 1,
            "priority": 4096,
            "group_fwd_mask": "0x8",
            "group_addr": "01:80:c2:00:00:08",
            "no_linklocal_learn": 1,
        },
        unsaid=["multi_boolopt"],
        restless=["gc_timer"],
    ),
    Case(
        "bridge",
        "vlan_filtering 1 vlan_protocol 802.1ad vlan_default_pvid 5 vlan_stats_enabled 1",
        {
            "vlan_filtering": 1,
            "vlan_protocol": "ETH_P_8021AD",
            "vlan_default_pvid": 5,
            "vlan_stats_enabled": 1,
        },
        {
            "vlan_filtering": 1,
            "vlan_protocol": "802.1ad",
            "vlan_default_pvid": 5,
            "vlan_stats_enabled": 1,
        },
        restless=["gc_timer"],
    ),
    Case(
        "bridge",
        "mcast_router 2 mcast_snooping 0 mcast_hash_max 1024 mcast_last_member_count 5 "
        "mcast_startup_query_count 3 mcast_last_member_interval 200 "
        "mcast_membership_interval 30000 mcast_querier_interval 20000 mcast_query_interval 10000 "
        "mcast_query_response_interval 900 mcast_startup_query_interval 2000 "
        "mcast_igmp_version 3 mcast_mld_version 2 mcast_stats_enabled 1 mcast_querier 1 "
        "mcast_query_use_ifaddr 1",
        {
            "mcast_router": "MDB_RTR_TYPE_PERM",
            "mcast_snooping": 0,
            "mcast_hash_max": 1024,
            "mcast_last_member_cnt": 5,
            "mcast_startup_query_cnt": 3,
            "mcast_last_member_intvl": 200,
            "mcast_membership_intvl": 30000,
            "mcast_querier_intvl": 20000,
            "mcast_query_intvl": 10000,
            "mcast_query_response_intvl": 900,
            "mcast_startup_query_intvl": 2000,
            "mcast_igmp_version": 3,
            "mcast_mld_version": 2,
            "mcast_stats_enabled": 1,
            "mcast_querier": 1,
            "mcast_query_use_ifaddr": 1,
        },
        {
            "mcast_router": 2,
            "mcast_snooping": 0,
            "mcast_hash_max": 1024,
            "mcast_last_member_cnt": 5,
            "mcast_startup_query_cnt": 3,
            "mcast_last_member_intvl": 200,
            "mcast_membership_intvl": 30000,
            "mcast_querier_intvl": 20000,
            "mcast_query_intvl": 10000,
            "mcast_query_response_intvl": 900,
            "mcast_startup_query_intvl": 2000,
            "mcast_igmp_version": 3,
            "mcast_mld_version": 2,
            "mcast_stats_enabled": 1,
            "mcast_querier": 1,
            "mcast_query_use_ifaddr": 1,
        },
        restless=["gc_timer"],
    ),
    Case(
        "bridge",
        "nf_call_iptables 1 nf_call_ip6tables 1 nf_call_arptables 1",
        {"nf_call_iptables": 1, "nf_call_ip6tables": 1, "nf_call_arptables": 1},
        {"nf_call_iptables": 1, "nf_call_ip6tables": 1, "nf_call_arptables": 1},
        restless=["gc_timer"],
    ),
    # --- bond ---
    Case(
        "bond",
        "mode active-backup miimon 100 updelay 200 downdelay 300 peer_notify_delay 500 "
        "primary_reselect better fail_over_mac active num_grat_arp 3 all_slaves_active 1 "
        "resend_igmp 4",
        {
            "mode": "BOND_MODE_ACTIVEBACKUP",
            "miimon": 100,
            "updelay": 200,
            "downdelay": 300,
            "peer_notif_delay": 500,
            "primary_reselect": "BOND_PRI_RESELECT_BETTER",
            "fail_over_mac": "BOND_FOM_ACTIVE",
            "num_peer_notif": 3,
            "all_slaves_active": 1,
            "resend_igmp": 4,
        },
        {
            "mode": "active-backup",
            "miimon": 100,
            "updelay": 200,
            "downdelay": 300,
            "peer_notify_delay": 500,
            "primary_reselect": "better",
            "fail_over_mac": "active",
            "num_peer_notif": 3,
            "all_slaves_active": 1,
            "resend_igmp": 4,
        },
    ),
    Case(
        "bond",
        "mode 802.3ad miimon 100 min_links 2 lacp_rate fast lacp_active off ad_select bandwidth "
        "ad_actor_sys_prio 77 ad_user_port_key 5 ad_actor_system 02:00:00:00:00:aa "
        "xmit_hash_policy layer3+4",
        {
            "mode": "BOND_MODE_8023AD",
            "miimon": 100,
            "min_links": 2,
            "ad_lacp_rate": "AD_LACP_FAST",
            "ad_lacp_active": 0,
            "ad_select": "BOND_AD_BANDWIDTH",
            "ad_actor_sys_prio": 77,
            "ad_user_port_key": 5,
            "ad_actor_system": "02:00:00:00:00:aa",
            "xmit_hash_policy": "BOND_XMIT_POLICY_LAYER34",
        },
        {
            "mode": "802.3ad",
            "min_links": 2,
            "ad_lacp_rate": "fast",
            "ad_lacp_active": "off",
            "ad_select": "bandwidth",
            "ad_actor_sys_prio": 77,
            "ad_user_port_key": 5,
            "ad_actor_system": "02:00:00:00:00:aa",
            "xmit_hash_policy": "layer3+4",
        },
    ),
    Case(
        "bond",
        "mode active-backup arp_interval 250 arp_ip_target 192.0.2.9,192.0.2.10 "
        "arp_validate filter_active arp_all_targets all arp_missed_max 4 "
        "ns_ip6_target 2001:db8::9",
        {
            "mode": "BOND_MODE_ACTIVEBACKUP",
            "arp_interval": 250,
            "arp_ip_target": ["192.0.2.9", "192.0.2.10"],
            "arp_validate": "BOND_ARP_FILTER_ACTIVE",
            "arp_all_targets": "BOND_ARP_TARGETS_ALL",
            "missed_max": 4,
            "ns_ip6_target": ["2001:db8::9"],
        },
        {
            "arp_interval": 250,
            "arp_ip_target": ["192.0.2.9", "192.0.2.10"],
            "arp_validate": "filter_active",
            "arp_all_targets": "all",
            "arp_missed_max": 4,
        },
    ),
    Case(
        "bond",
        "mode balance-rr packets_per_slave 7 lp_interval 9 use_carrier 1",
        {
            "mode": "BOND_MODE_ROUNDROBIN",
            "packets_per_slave": 7,
            "lp_interval": 9,
            "use_carrier": 1,
        },
        {"mode": "balance-rr", "packets_per_slave": 7, "lp_interval": 9, "use_carrier": 1},
    ),
    Case(
        "bond",
        "mode balance-tlb tlb_dynamic_lb 0",
        {"mode": "BOND_MODE_TLB", "tlb_dynamic_lb": 0},
        {"mode": "balance-tlb", "tlb_dynamic_lb": 0},
    ),
    # --- links on others ---
    Case(
        "vlan",
        "protocol 802.1ad id 5 reorder_hdr off gvrp on loose_binding on "
        "ingress-qos-map 1:2 3:4 egress-qos-map 0:7 5:6",
        {
            "protocol": "ETH_P_8021AD",
            "id": 5,
            "flags": {
                "flags": VLAN_FLAG.VLAN_FLAG_GVRP | VLAN_FLAG.VLAN_FLAG_LOOSE_BINDING,
                "mask": VLAN_FLAG.VLAN_FLAG_GVRP
                | VLAN_FLAG.VLAN_FLAG_LOOSE_BINDING
                | VLAN_FLAG.VLAN_FLAG_REORDER_HDR,
            },
            "ingress_qos": {"mapping": [{"from_": 1, "to": 2}, {"from_": 3, "to": 4}]},
            "egress_qos": {"mapping": [{"from_": 0, "to": 7}, {"from_": 5, "to": 6}]},
        },
        {
            "protocol": "802.1ad",
            "id": 5,
            "flags": ["GVRP", "LOOSE_BINDING"],
            "ingress_qos": [{"from": 1, "to": 2}, {"from": 3, "to": 4}],
            "egress_qos": [{"from": 0, "to": 7}, {"from": 5, "to": 6}],
        },
        link="low",
        unsaid=["flags"],
    ),
    Case(
        "macvlan",
        "mode private bcqueuelen 2000",
        {"mode": "MACVLAN_MODE_PRIVATE", "bc_queue_len": 2000},
        {"mode": "private", "bcqueuelen": 2000, "usedbcqueuelen": 2000},
        link="low",
    ),
    Case(
        "macvlan",
        "mode passthru nopromisc",
        {"mode": "MACVLAN_MODE_PASSTHRU", "flags": MACVLAN_FLAG.MACVLAN_FLAG_NOPROMISC},
        {"mode": "passthru", "nopromisc": True},
        link="low",
    ),
    Case(
        "macvtap",
        "mode vepa",
        {"mode": "MACVLAN_MODE_VEPA"},
        {"mode": "vepa"},
        link="low",
    ),
    Case(
        "ipvlan",
        "mode l3s private",
        {"mode": "IPVLAN_MODE_L3S", "flags": IPVLAN_F.IPVLAN_F_PRIVATE},
        {"mode": "l3s", "private": True},
        link="low",
    ),
    Case(
        "ipvtap",
        "mode l2 vepa",
        {"mode": "IPVLAN_MODE_L2", "flags": IPVLAN_F.IPVLAN_F_VEPA},
        {"mode": "l2", "vepa": True},
        link="low",
    ),
    Case(
        "macsec",
        "sci 0x0200000000010007 cipher gcm-aes-256 icvlen 12 encrypt on protect off send_sci on "
        "end_station off scb off replay on window 32 validate check encodingsa 2",
        {
            "sci": 0x0200000000010007,
            "cipher_suite": "MACSEC_CIPHER_ID_GCM_AES_256",
            "icv_len": 12,
            "encrypt": 1,
            "protect": 0,
            "inc_sci": 1,
            "es": 0,
            "scb": 0,
            "replay_protect": 1,
            "window": 32,
            "validation": "MACSEC_VALIDATE_CHECK",
            "encoding_sa": 2,
        },
        {
            "sci": "0200000000010007",
            "cipher_suite": "GCM-AES-256",
            "icv_len": 12,
            "encrypt": True,
            "protect": False,
            "inc_sci": True,
            "es": False,
            "scb": False,
            "replay_protect": True,
            "window": 32,
            "validation": "check",
            "encoding_sa": 2,
        },
        link="low",
    ),
    Case(  # the address in the SCI is that of the link below
        "macsec",
        "port 11",
        {"port": 11},
        {"sci": "020000000011000b", "cipher_suite": "GCM-AES-128", "validation": "strict"},
        link="low",
        unsaid=["port"],
    ),
    Case(
        "hsr",
        "slave1 low slave2 high supervision 45 version 1",
        {"slave1": LOW, "slave2": HIGH, "multicast_spec": 45, "version": 1},
        {
            "slave1": "low",
            "slave2": "high",
            "supervision_addr": "01:15:4e:00:01:2d",
            "proto": 0,
        },
        unsaid=["multicast_spec", "version"],
        restless=["seq_nr"],
    ),
    Case(
        "hsr",
        "slave1 low slave2 high supervision 9 proto 1",
        {"slave1": LOW, "slave2": HIGH, "multicast_spec": 9, "protocol": "HSR_PROTOCOL_PRP"},
        {"supervision_addr": "01:15:4e:00:01:09", "proto": 1},
        unsaid=["multicast_spec"],
        restless=["seq_nr"],
    ),
    Case("vrf", "table 77", {"table": 77}, {"table": 77}),
    Case("rmnet", "mux_id 3", {"mux_id": 3}, {"mux_id": 3}, link="low"),
    # --- tunnels over UDP ---
    Case(
        "vxlan",
        "id 42 local 192.0.2.1 remote 192.0.2.9 dev low ttl 9 tos 4 srcport 40000 50000 "
        "dstport 4789 nolearning proxy rsc l2miss l3miss ageing 77 maxaddress 9 noudpcsum "
        "df set gbp",
        {
            "id": 42,
            "local": "192.0.2.1",
            "group": "192.0.2.9",
            "link": LOW,
            "ttl": 9,
            "tos": 4,
            "port_range": {"low": 40000, "high": 50000},
            "port": 4789,
            "learning": 0,
            "proxy": 1,
            "rsc": 1,
            "l2miss": 1,
            "l3miss": 1,
            "ageing": 77,
            "limit": 9,
            "udp_csum": 0,
            "df": "VXLAN_DF_SET",
            "gbp": True,
        },
        {
            "id": 42,
            "local": "192.0.2.1",
            "remote": "192.0.2.9",
            "link": "low",
            "ttl": 9,
            "tos": "0x4",
            "port_range": {"low": 40000, "high": 50000},
            "port": 4789,
            "learning": False,
            "proxy": True,
            "rsc": True,
            "l2miss": True,
            "l3miss": True,
            "ageing": 77,
            "limit": 9,
            "udp_csum": False,
            "df": "set",
            "gbp": True,
        },
    ),
    Case(
        "vxlan",
        "id 43 group ff05::100 dev low local 2001:db8::1 flowlabel 0x12345 dstport 8472 "
        "udp6zerocsumtx udp6zerocsumrx remcsumtx remcsumrx df inherit",
        {
            "id": 43,
            "local6": "2001:db8::1",
            "group6": "ff05::100",
            "link": LOW,
            "label": 0x12345,
            "port": 8472,
            "udp_zero_csum6_tx": 1,
            "udp_zero_csum6_rx": 1,
            "remcsum_tx": 1,
            "remcsum_rx": 1,
            "df": "VXLAN_DF_INHERIT",
            "learning": 1,
        },
        {
            "local6": "2001:db8::1",
            "group6": "ff05::100",
            "label": "0x12345",
            "port": 8472,
            "udp_zero_csum6_tx": True,
            "udp_zero_csum6_rx": True,
            "remcsum_tx": True,
            "remcsum_rx": True,
            "df": "inherit",
        },
    ),
    Case(
        "vxlan",
        "external vnifilter dstport 4791",
        {"collect_metadata": 1, "vnifilter": 1, "port": 4791, "learning": 0},
        {"external": True, "vnifilter": True, "port": 4791},
    ),
    Case(
        "vxlan",
        "id 44 ttl inherit dstport 4792",
        {"id": 44, "ttl_inherit": True, "port": 4792},
        {"id": 44, "port": 4792},
    ),
    Case(
        "vxlan",
        "external gpe dstport 4790",
        {"collect_metadata": 1, "gpe": True, "port": 4790, "learning": 0},
        {"external": True, "gpe": True, "port": 4790},
    ),
    Case(
        "geneve",
        "id 42 remote 192.0.2.9 ttl 9 tos 4 dstport 7000 noudpcsum df set",
        {
            "id": 42,
            "remote": "192.0.2.9",
            "ttl": 9,
            "tos": 4,
            "port": 7000,
            "udp_csum": 0,
            "df": "GENEVE_DF_SET",
        },
        {
            "id": 42,
            "remote": "192.0.2.9",
            "ttl": 9,
            "tos": "0x4",
            "port": 7000,
            "udp_csum": False,
            "df": "set",
        },
    ),
    Case(
        "geneve",
        "id 43 remote 2001:db8::9 ttl inherit flowlabel 0x12345 udp6zerocsumtx udp6zerocsumrx "
        "innerprotoinherit",
        {
            "id": 43,
            "remote6": "2001:db8::9",
            "ttl_inherit": 1,
            "label": 0x12345,
            "udp_zero_csum6_tx": 1,
            "udp_zero_csum6_rx": 1,
            "inner_proto_inherit": True,
        },
        {
            "remote6": "2001:db8::9",
            "label": "0x12345",
            "udp_zero_csum6_tx": True,
            "udp_zero_csum6_rx": True,
            "inner_proto_inherit": True,
        },
    ),
    Case(
        "geneve",
        "external dstport 7001",
        {"collect_metadata": True, "port": 7001},
        {"external": True, "port": 7001},
    ),
    Case(
        "bareudp",
        "dstport 6635 ethertype mpls_uc srcportmin 5000 multiproto",
        {"port": 6635, "ethertype": "ETH_P_MPLS_UC", "srcport_min": 5000, "multiproto_mode": True},
        {"dstport": 6635, "ethertype": "mpls_uc", "srcportmin": 5000, "multiproto": True},
    ),
    Case(
        "gtp",
        "role sgsn hsize 1024 restart_count 3",
        {
            "role": "GTP_ROLE_SGSN",
            "pdp_hashsize": 1024,
            "restart_count": 3,
            "create_sockets": 1,
        },
        {"role": "sgsn", "hsize": 1024, "restart_count": 3},
        unsaid=["create_sockets"],
    ),
    Case(
        "amt",
        "mode gateway local 192.0.2.1 discovery 192.0.2.9 relay_port 2269 gateway_port 2270 "
        "max_tunnels 5 dev low",
        {
            "mode": "AMT_MODE_GATEWAY",
            "local_ip": "192.0.2.1",
            "discovery_ip": "192.0.2.9",
            "relay_port": 2269,
            "gateway_port": 2270,
            "max_tunnels": 5,
            "link": LOW,
        },
        {
            "mode": "gateway",
            "local": "192.0.2.1",
            "discovery": "192.0.2.9",
            "relay_port": 2269,
            "gateway_port": 2270,
            "max_tunnels": 5,
            "link": "low",
        },
    ),
    # --- tunnels over IP ---
    Case(
        "gre",
        "local 192.0.2.1 remote 192.0.2.9 dev low ttl 9 tos 4 ikey 5 okey 6 icsum oseq fwmark 7",
        {
            "local": "192.0.2.1",
            "remote": "192.0.2.9",
            "link": LOW,
            "ttl": 9,
            "tos": 4,
            "iflags": KEY | CSUM,
            "oflags": KEY | SEQ,
            "ikey": 5,
            "okey": 6,
            "fwmark": 7,
        },
        {
            "local": "192.0.2.1",
            "remote": "192.0.2.9",
            "link": "low",
            "ttl": 9,
            "tos": "0x4",
            "pmtudisc": True,
            "ikey": "0.0.0.5",
            "okey": "0.0.0.6",
            "icsum": True,
            "oseq": True,
            "fwmark": "0x7",
        },
    ),
    Case(
        "gretap",
        "local 192.0.2.1 remote 192.0.2.9 nopmtudisc ignore-df key 9",
        {
            "local": "192.0.2.1",
            "remote": "192.0.2.9",
            "pmtudisc": 0,
            "ignore_df": 1,
            "iflags": KEY,
            "oflags": KEY,
            "ikey": 9,
            "okey": 9,
        },
        {"pmtudisc": False, "ignore_df": True, "ikey": "0.0.0.9", "okey": "0.0.0.9"},
    ),
    Case(
        "gretap",
        "remote 192.0.2.9 encap gue encap-sport 5000 encap-dport 5001 encap-csum encap-remcsum",
        {
            "remote": "192.0.2.9",
            "encap_type": "TUNNEL_ENCAP_GUE",
            "encap_flags": TUNNEL_ENCAP_FLAG.TUNNEL_ENCAP_FLAG_CSUM
            | TUNNEL_ENCAP_FLAG.TUNNEL_ENCAP_FLAG_REMCSUM,
            "encap_sport": 5000,
            "encap_dport": 5001,
        },
        {
            "encap": {
                "type": "gue",
                "sport": 5000,
                "dport": 5001,
                "csum": True,
                "csum6": False,
                "remcsum": True,
            }
        },
        setup="fou add port 5555 gue",
    ),
    Case(
        "gre",
        "external",
        {"collect_metadata": True},
        {"external": True, "remote": "any", "local": "any"},
    ),
    Case(
        "erspan",
        "local 192.0.2.1 remote 192.0.2.9 seq key 5 erspan_ver 1 erspan 99",
        {
            "local": "192.0.2.1",
            "remote": "192.0.2.9",
            "iflags": KEY | SEQ,
            "oflags": KEY | SEQ,
            "ikey": 5,
            "okey": 5,
            "erspan_ver": 1,
            "erspan_index": 99,
        },
        {"erspan_ver": 1, "erspan_index": 99, "iseq": True, "oseq": True},
    ),
    Case(
        "erspan",
        "local 192.0.2.1 remote 192.0.2.9 seq key 5 erspan_ver 2 erspan_dir egress "
        "erspan_hwid 0x1f",
        {
            "local": "192.0.2.1",
            "remote": "192.0.2.9",
            "iflags": KEY | SEQ,
            "oflags": KEY | SEQ,
            "ikey": 5,
            "okey": 5,
            "erspan_ver": 2,
            "erspan_dir": 1,
            "erspan_hwid": 0x1F,
        },
        {"erspan_ver": 2, "erspan_dir": "egress", "erspan_hwid": "0x1f"},
    ),
    Case(
        "ip6gre",
        "local 2001:db8::1 remote 2001:db8::9 dev low ttl 9 tclass 0x14 flowlabel 0x12345 "
        "encaplimit 7 ikey 5 okey 6 icsum oseq fwmark 7",
        {
            "local": "2001:db8::1",
            "remote": "2001:db8::9",
            "link": LOW,
            "ttl": 9,
            "flowinfo": 0x14 << 20 | 0x12345,
            "encap_limit": 7,
            "iflags": KEY | CSUM,
            "oflags": KEY | SEQ,
            "ikey": 5,
            "okey": 6,
            "fwmark": 7,
        },
        {
            "local": "2001:db8::1",
            "remote": "2001:db8::9",
            "link": "low",
            "ttl": 9,
            "tclass": "0x14",
            "flowlabel": "0x12345",
            "encap_limit": 7,
            "ikey": "0.0.0.5",
            "okey": "0.0.0.6",
            "icsum": True,
            "oseq": True,
            "fwmark": "0x7",
        },
        restless=["encap_flags"],
    ),
    Case(
        "ip6gretap",
        "local 2001:db8::1 remote 2001:db8::9 encaplimit none dscp inherit key 9 ttl 64",
        {
            "local": "2001:db8::1",
            "remote": "2001:db8::9",
            "flags": IPTUN_CAN
            | IP6_TNL_F.IP6_TNL_F_IGN_ENCAP_LIMIT
            | IP6_TNL_F.IP6_TNL_F_RCV_DSCP_COPY,
            "iflags": KEY,
            "oflags": KEY,
            "ikey": 9,
            "okey": 9,
            "encap_limit": 4,
            "ttl": 64,
        },
        {
            "ip6_tnl_f_ign_encap_limit": True,
            "ip6_tnl_f_rcv_dscp_copy": True,
            "ikey": "0.0.0.9",
            "ttl": 64,
        },
        restless=["encap_flags"],
    ),
    Case(
        "ip6erspan",
        "local 2001:db8::1 remote 2001:db8::9 seq key 5 ttl 64 erspan_ver 2 erspan_dir ingress "
        "erspan_hwid 7",
        {
            "local": "2001:db8::1",
            "remote": "2001:db8::9",
            "ttl": 64,
            "encap_limit": 4,
            "iflags": KEY | SEQ,
            "oflags": KEY | SEQ,
            "ikey": 5,
            "okey": 5,
            "erspan_ver": 2,
            "erspan_dir": 0,
            "erspan_hwid": 7,
        },
        {"erspan_ver": 2, "erspan_dir": "ingress", "erspan_hwid": "0x7"},
        restless=["encap_flags"],
    ),
    Case(
        "ipip",
        "local 192.0.2.1 remote 192.0.2.9 dev low ttl 9 tos 4 mode any fwmark 7",
        {
            "local": "192.0.2.1",
            "remote": "192.0.2.9",
            "link": LOW,
            "ttl": 9,
            "tos": 4,
            "proto": 0,
            "fwmark": 7,
        },
        {
            "local": "192.0.2.1",
            "remote": "192.0.2.9",
            "link": "low",
            "ttl": 9,
            "tos": "0x4",
            "proto": "any",
            "pmtudisc": True,
            "fwmark": "0x7",
        },
    ),
    Case(
        "ipip",
        "remote 192.0.2.9 encap fou encap-sport auto encap-dport 5555 encap-csum",
        {
            "remote": "192.0.2.9",
            "proto": 0,
            "encap_type": "TUNNEL_ENCAP_FOU",
            "encap_flags": TUNNEL_ENCAP_FLAG.TUNNEL_ENCAP_FLAG_CSUM,
            "encap_sport": 0,
            "encap_dport": 5555,
        },
        {
            "encap": {
                "type": "fou",
                "sport": 0,
                "dport": 5555,
                "csum": True,
                "csum6": False,
                "remcsum": False,
            }
        },
        setup="fou add port 5555 ipproto 4",
    ),
    Case(
        "ipip",
        "external",
        {"collect_metadata": True, "proto": 0},
        {"external": True, "proto": "any"},
    ),
    Case(
        "sit",
        "local 192.0.2.1 remote 192.0.2.9 mode any nopmtudisc",
        {"local": "192.0.2.1", "remote": "192.0.2.9", "proto": 0, "pmtudisc": 0, "ttl": 0},
        {"local": "192.0.2.1", "remote": "192.0.2.9", "proto": "any", "pmtudisc": False},
    ),
    Case(
        "sit",
        "local 192.0.2.1 isatap",
        {"local": "192.0.2.1", "flags": "SIT_ISATAP", "proto": 0, "ttl": 0},
        {"isatap": True},
    ),
    Case(
        "sit",
        "local 192.0.2.1 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8",
        {
            "local": "192.0.2.1",
            "proto": 0,
            "ttl": 0,
            "ip6rd_prefix": "2001:db8::",
            "ip6rd_prefixlen": 32,
            "ip6rd_relay_prefix": "10.0.0.0",
            "ip6rd_relay_prefixlen": 8,
        },
        {
            "prefix": "2001:db8::",
            "prefixlen": 32,
            "relay_prefix": "10.0.0.0",
            "relay_prefixlen": 8,
        },
    ),
    Case(
        "ip6tnl",
        "local 2001:db8::1 remote 2001:db8::9 dev low mode ip6ip6 ttl 9 tclass 0x14 "
        "flowlabel 0x12345 encaplimit 7 dscp inherit fwmark 7 allow-localremote",
        {
            "local": "2001:db8::1",
            "remote": "2001:db8::9",
            "link": LOW,
            "proto": 41,
            "ttl": 9,
            "flowinfo": 0x14 << 20 | 0x12345,
            "encap_limit": 7,
            "flags": IPTUN_CAN
            | IP6_TNL_F.IP6_TNL_F_RCV_DSCP_COPY
            | IP6_TNL_F.IP6_TNL_F_ALLOW_LOCAL_REMOTE,
            "fwmark": 7,
        },
        {
            "proto": "ip6ip6",
            "link": "low",
            "ttl": 9,
            "tclass": "0x14",
            "flowlabel": "0x12345",
            "encap_limit": 7,
            "ip6_tnl_f_rcv_dscp_copy": True,
            "ip6_tnl_f_allow_local_remote": True,
            "fwmark": "0x7",
        },
        restless=["encap_flags"],
    ),
    Case(
        "vti",
        "local 192.0.2.1 remote 192.0.2.9 dev low ikey 5 okey 6 fwmark 7",
        {
            "local": "192.0.2.1",
            "remote": "192.0.2.9",
            "link": LOW,
            "ikey": 5,
            "okey": 6,
            "fwmark": 7,
        },
        {
            "local": "192.0.2.1",
            "remote": "192.0.2.9",
            "link": "low",
            "ikey": "0.0.0.5",
            "okey": "0.0.0.6",
            "fwmark": "0x7",
        },
    ),
    Case(
        "vti6",
        "local 2001:db8::1 remote 2001:db8::9 key 5",
        {"local": "2001:db8::1", "remote": "2001:db8::9", "ikey": 5, "okey": 5},
        {"local": "2001:db8::1", "remote": "2001:db8::9", "ikey": "0.0.0.5", "okey": "0.0.0.5"},
    ),
    Case("xfrm", "dev low if_id 0x2a", {"link": LOW, "if_id": 0x2A}, {"if_id": "0x2a"}),
    Case("xfrm", "external", {"collect_metadata": True}, {"external": True}),
    # --- pairs ---
    Case("veth", "peer name y mtu 1400", {"peer": {"ifname": "y", "mtu": 1400}}, unsaid=["peer"]),
    Case("vxcan", "peer name y", {"peer": {"ifname": "y"}}, unsaid=["peer"]),
    Case(
        "netkit",
        None,
        {
            "mode": "NETKIT_L2",
            "policy": "NETKIT_DROP",
            "peer_policy": "NETKIT_PASS",
            "scrub": "NETKIT_SCRUB_NONE",
            "peer_scrub": "NETKIT_SCRUB_DEFAULT",
            "peer_info": {"ifname": "y"},
        },
        unsaid=["peer_info"],
    ),
    # --- the rest ---
    Case("batadv", "ra BATMAN_IV", {"algo_name": "BATMAN_IV"}, unsaid=["algo_name"]),
    Case("ovpn", None, {"mode": "OVPN_MODE_MP"}),
    Case("dummy"),
    Case("ifb"),
    Case("nlmon"),
    Case("team"),
    Case("vcan"),
    Case("vsockmon"),
    Case("wireguard"),
    Case("netdevsim"),
    Case("pfcp", None),
    Case("virt_wifi", link="low"),
)


def ip(arguments: str, program: str = "ip", refusals: Iterable[str] = REFUSALS) -> Any:
    """Return what iproute2 prints as JSON. Skip the test if the kernel refuses to make the link."""
    command = [program, "-j", "-d", *arguments.split()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if any(words in run.stderr for words in refusals):
        pytest.skip(f"{textwrap.shorten(arguments, 60)}: {run.stderr.strip()}")
    assert run.returncode == 0, f"{arguments}: {run.stderr}"
    return json.loads(run.stdout) if run.stdout else None


def said(cls: type[Any] | None, data: Json | None, unsaid: Iterable[str]) -> Json:
    """Return what the library was given, in the form in which it reads the kernel's answer."""
    if data is None:
        return {}
    assert cls is not None
    told: Json = cls(**data).to_json()
    return {name: value for name, value in told.items() if name not in unsaid}


def parts(of: Json, names: Iterable[str]) -> Json:
    return {name: of.get(name) for name in names}


@dataclass(frozen=True)
class Port:
    """A link that is a port of "top", and the settings that "top" keeps of it."""

    kind: str
    master: str
    ip: str | None
    data: Json | None
    shown: Json
    restless: Iterable[str] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.master}".strip()


PORTS = (
    Port(
        "bridge",
        "vlan_filtering 1",
        "state 2 priority 9 cost 77 guard on hairpin on fastleave on root_block on learning off "
        "flood off proxy_arp on proxy_arp_wifi on mcast_router 2 mcast_flood off bcast_flood off "
        "mcast_to_unicast on group_fwd_mask 8 neigh_suppress on vlan_tunnel on isolated on "
        "locked on backup_port high",
        {
            "state": "BR_STATE_LEARNING",
            "priority": 9,
            "cost": 77,
            "guard": 1,
            "mode": 1,
            "fast_leave": 1,
            "protect": 1,
            "learning": 0,
            "unicast_flood": 0,
            "proxyarp": 1,
            "proxyarp_wifi": 1,
            "multicast_router": "MDB_RTR_TYPE_PERM",
            "mcast_flood": 0,
            "bcast_flood": 0,
            "mcast_to_ucast": 1,
            "group_fwd_mask": 8,
            "neigh_suppress": 1,
            "vlan_tunnel": 1,
            "isolated": 1,
            "locked": 1,
            "backup_port": HIGH,
        },
        {
            "state": "learning",
            "priority": 9,
            "cost": 77,
            "guard": True,
            "hairpin": True,
            "fastleave": True,
            "root_block": True,
            "learning": False,
            "flood": False,
            "proxy_arp": True,
            "proxy_arp_wifi": True,
            "multicast_router": 2,
            "mcast_flood": False,
            "bcast_flood": False,
            "mcast_to_unicast": True,
            "group_fwd_mask": "0x8",
            "neigh_suppress": True,
            "vlan_tunnel": True,
            "isolated": True,
            "locked": True,
            "backup_port": "high",
        },
        restless=["hold_timer", "forward_delay_timer", "message_age_timer"],
    ),
    Port(
        "bond",
        "mode active-backup",
        "queue_id 3 prio -7",
        {"queue_id": 3, "prio": -7},
        {"queue_id": 3, "prio": -7, "perm_hwaddr": "02:00:00:00:00:11"},
        restless=["state", "mii_status"],
    ),
    Port("vrf", "table 77", None, None, {"table": 77}),
)
