"""Mistakes of the kernel's specs, and what the kernel really does.

Each row changes an entry of a spec only if the entry still says what is wrong, so that a corrected
spec stays as it is. Where nothing is cited, the reason is the kernel's uapi header. The table is
data: family.py and the tools need not know any family.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from netlink.ynl.document import Entry

__all__ = ["ANSWERS", "ARRAYS", "ATTRIBUTES", "FIRST", "MEMBERS", "Mistake", "mend"]


class Mistake(NamedTuple):
    """Entries `names` of a set or struct: the keys as they are, the right keys, and the reason.

    None stands for a key that is not there.
    """

    family: str
    place: str
    names: str
    wrong: dict[str, Any]
    right: dict[str, Any]
    reason: str


BIG = {"byte-order": "big-endian"}
IPV4 = {"byte-order": "big-endian", "display-hint": "ipv4"}

ATTRIBUTES = (
    Mistake("nlctrl", "policy-attrs", "mask", {"value": None}, {"value": 12},
            "NL_POLICY_TYPE_ATTR_PAD is 11 and NL_POLICY_TYPE_ATTR_MASK 12"),
    Mistake("nlctrl", "policy-attrs", "pad", {"value": None}, {"value": 11},
            "NL_POLICY_TYPE_ATTR_PAD is 11 and NL_POLICY_TYPE_ATTR_MASK 12"),
    Mistake("ovs_flow", "action-attrs", "psample", {"value": None}, {"value": 25},
            "OVS_ACTION_ATTR_DROP, which the spec lacks, is 24"),
    Mistake("ovs_flow", "flow-attrs", "probe", {"type": "binary"}, {"type": "flag"},
            "flow_policy in net/openvswitch/datapath.c: NLA_FLAG"),
    Mistake("rt-link", "linkinfo-brport-attrs",
            "mode guard protect fast-leave learning unicast-flood proxyarp learning-sync "
            "proxyarp-wifi mcast-flood mcast-to-ucast vlan-tunnel bcast-flood neigh-suppress "
            "isolated mrp-ring-open mrp-in-open locked mab neigh-vlan-suppress",
            {"type": "flag"}, {"type": "u8"},
            "br_port_policy in net/bridge/br_netlink.c: NLA_U8, 0 or 1"),
    Mistake("rt-link", "linkinfo-bridge-attrs", "vlan-protocol", {"byte-order": None}, BIG,
            "nla_put_be16 in net/bridge/br_netlink.c"),
    Mistake("rt-link", "linkinfo-geneve-attrs", "port label", {"byte-order": None}, BIG,
            "nla_put_be16 and nla_put_be32 in drivers/net/geneve.c"),
    Mistake("rt-link", "linkinfo-gre-attrs",
            "iflags oflags ikey okey flowinfo encap-sport encap-dport", {"byte-order": None}, BIG,
            "ipgre_fill_info in net/ipv4/ip_gre.c, ip6gre_fill_info in net/ipv6/ip6_gre.c"),
    Mistake("rt-link", "linkinfo-gre6-attrs",
            "iflags oflags ikey okey flowinfo encap-sport encap-dport", {"byte-order": None}, BIG,
            "ip6gre_fill_info in net/ipv6/ip6_gre.c"),
    Mistake("rt-link", "linkinfo-iptun-attrs", "encap-sport encap-dport", {"byte-order": None},
            BIG, "ipip_fill_info in net/ipv4/ipip.c"),
    Mistake("devlink", "devlink", "reload-limits", {"enum": "reload-action"}, {"enum": None},
            "the bits are DEVLINK_RELOAD_LIMIT_*, which the spec lacks"),
    Mistake("fou", "fou", "local_v4 peer_v4", {"byte-order": None}, IPV4,
            "nla_put_in_addr in net/ipv4/fou_core.c"),
    Mistake("mptcp_pm", "address", "addr4", {"display-hint": None}, IPV4,
            "nla_put_in_addr in net/mptcp/pm_netlink.c"),
    Mistake("mptcp_pm", "event-attr", "saddr4 daddr4", {"display-hint": None}, IPV4,
            "nla_put_in_addr in net/mptcp/pm_netlink.c"),
    Mistake("team", "item-option", "option", {"multi-attr": None}, {"multi-attr": True},
            "each option has an attribute of its own: team_nl_fill_one_option_get"),
    Mistake("team", "item-port", "port", {"multi-attr": None}, {"multi-attr": True},
            "each port has an attribute of its own: team_nl_fill_one_port_get"),
    Mistake("ethtool", "stats-grp", "stat hist-rx hist-tx", {"multi-attr": None},
            {"multi-attr": True}, "each value has an attribute of its own: stat_put and "
            "stats_put_rmon_hist in net/ethtool/stats.c"),
    Mistake("ethtool", "stats", "grp", {"multi-attr": None}, {"multi-attr": True},
            "each group has an attribute of its own: stats_put_stats in net/ethtool/stats.c"),
    Mistake("ethtool", "cable-nest", "result fault-length", {"multi-attr": None},
            {"multi-attr": True}, "each pair has an attribute of its own: "
            "ethnl_cable_test_result_with_src in net/ethtool/cabletest.c"),
    Mistake("ethtool", "tunnel-udp", "table", {"multi-attr": None}, {"multi-attr": True},
            "each table has an attribute of its own: ethnl_tunnel_info_fill_reply in "
            "net/ethtool/tunnels.c"),
)  # fmt: skip

MEMBERS = (
    Mistake("tc", "tc-ratespec", "overhead mpu", {"type": "u8"}, {"type": "u16"},
            "struct tc_ratespec in linux/pkt_sched.h"),
    Mistake("tc", "tc-ratespec", "cell-align", {"type": "u8"}, {"type": "s16"},
            "struct tc_ratespec in linux/pkt_sched.h"),
    Mistake("ovs_flow", "ovs-action-add-mpls", "mpls-ethertype", {"type": "u32"}, {"type": "u16"},
            "struct ovs_action_add_mpls in linux/openvswitch.h"),
    Mistake("ovs_flow", "ovs-action-add-mpls", "tun-flags", {"type": "u32"}, {"type": "u16"},
            "struct ovs_action_add_mpls in linux/openvswitch.h"),
    Mistake("rt-link", "ipv6-devconf", "addr-gen-mode", {"type": "u8"}, {"type": "s32"},
            "ipv6_store_devconf in net/ipv6/addrconf.c fills an array of __s32"),
)  # fmt: skip

# Enums: the name of the entry that has the wrong number, the wrong number, and the right one.
NUMBERS = (
    ("ethtool", "module-fw-flash-status", "started", 0, 1,
     "ETHTOOL_MODULE_FW_FLASH_STATUS_STARTED is 1"),
    ("ethtool", "c33-pse-ext-state", "error-condition", 0, 1,
     "ETHTOOL_C33_PSE_EXT_STATE_ERROR_CONDITION is 1"),
    ("ethtool", "c33-pse-ext-state", "power-not-available", 7, 8,
     "ETHTOOL_C33_PSE_EXT_STATE_PD_DLL_POWER_TYPE, which the spec lacks, is 7"),
)  # fmt: skip

# Members that are an array to the end of the attribute. A spec writes them as one struct.
ARRAYS = {("tc", "tc-u32-sel", "keys"), ("tc", "tc-pedit-sel", "keys")}  # linux/pkt_cls.h

# Multicast groups of raw families that lack their number.
GROUPS = {("nftables", "mgmt"): 7}  # NFNLGRP_NFTABLES in linux/netfilter/nfnetlink.h

# The type of the first element of an array that the kernel reads by position from 1. It ignores the
# types in all other arrays. (tcf_action_init in net/sched/act_api.c)
FIRST = {("tc", "tc-act-attrs"): 1}

# What do() returns, and what ends the answer, where the spec cannot say it. These ops answer with
# several messages and NLMSG_DONE (devlink_nl_*_doit and team_nl_send_options_get), or with no
# message if the request asks for none (ETHTOOL_FLAG_OMIT_REPLY).
ANSWERS: dict[tuple[str, str], tuple[str, str]] = {
    ("devlink", "resource-dump"): ("several", "done"),
    ("devlink", "dpipe-table-get"): ("several", "done"),
    ("devlink", "dpipe-entries-get"): ("several", "done"),
    ("devlink", "dpipe-headers-get"): ("several", "done"),
    ("devlink", "health-reporter-diagnose"): ("several", "done"),
    ("team", "options-get"): ("several", "done"),
    ("team", "port-list-get"): ("several", "done"),
    ("ethtool", "features-set"): ("optional", "ack"),
    ("ethtool", "tsconfig-set"): ("optional", "ack"),
}


def mend(top: Entry) -> None:
    """Correct the mistakes of a spec, in place."""
    _each(top, "attribute-sets", "attributes", ATTRIBUTES)
    _each(top, "definitions", "members", MEMBERS)
    for group in top.get("mcast-groups", {}).get("list", ()):
        if (top["name"], group["name"]) in GROUPS:
            group.setdefault("value", GROUPS[top["name"], group["name"]])
    for family, enum, name, wrong, right, _ in NUMBERS:
        if top["name"] == family:
            _renumber(top, enum, name, wrong, right)


def _each(top: Entry, key: str, inner: str, table: Iterable[Mistake]) -> None:
    rows = [row for row in table if row.family == top["name"]]
    for row in rows:
        for entry in top.get(key, ()):
            if entry["name"] != row.place:
                continue
            for item in entry.get(inner, ()):
                is_wrong = all(item.get(k) == value for k, value in row.wrong.items())
                if item["name"] in row.names.split() and is_wrong:
                    item.update(row.right)
                    for k in [k for k, value in row.right.items() if value is None]:
                        del item[k]


def _renumber(top: Entry, enum: str, name: str, wrong: int, right: int) -> None:
    for entry in top.get("definitions", ()):
        if entry["name"] != enum or entry["type"] != "enum":
            continue
        number = entry.get("value-start", 0) - 1
        for place, item in enumerate(entry.get("entries", ())):
            number = item.get("value", number + 1) if isinstance(item, Entry) else number + 1
            title = item["name"] if isinstance(item, Entry) else item
            if title == name and number == wrong:
                made = item if isinstance(item, Entry) else Entry(entry["entries"].lines[place])
                made["name"] = title
                made["value"] = right
                entry["entries"][place] = made
