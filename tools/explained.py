"""The accepted differences between our declarations and the table of facts, with their reasons.

A reason applies to the differences below it, named as check_declarations.py prints them: the topic,
then the subjects. "*" at the end of a subject matches all subjects that begin with the rest. A test
fails for a difference without a reason, and for a subject that has stopped being a difference. So
this file cannot hide a new mistake.
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.declarations import Difference


class Explanations:
    """The reasons, by the difference that each explains."""

    def __init__(self, table: dict[str, str]) -> None:
        self._reasons: dict[str, str] = {}
        for reason, lines in table.items():
            topic = ""
            for word in lines.split():
                if word.endswith(":"):
                    topic = word[:-1]
                else:
                    self._reasons[f"{topic} {word}"] = reason

    def _key(self, difference: Difference) -> str | None:
        starred = (key for key in self._reasons if key.endswith("*"))
        key = next((key for key in starred if difference.key.startswith(key[:-1])), difference.key)
        return key if key in self._reasons else None

    def reason(self, difference: Difference) -> str | None:
        """Return why a difference is accepted, or None if no reason is known."""
        key = self._key(difference)
        return self._reasons[key] if key else None

    def unneeded(self, found: Iterable[Difference]) -> list[str]:
        """Return the explained subjects that are not among the differences."""
        return sorted(self._reasons.keys() - {self._key(difference) for difference in found})


REASONS = Explanations(
    {
        # --- byte order, sign and width ---
        "Host order on the wire: nla_get_u16() in fl_set_key_vlan().": """
            kind: cls.Flower.key_vlan_id cls.Flower.key_cvlan_id""",
        "Words of a packet in their order on the wire, which C declares as __u32 or __u16.": """
            kind: act.tc_pedit_key.mask act.tc_pedit_key.val bridge.ifla_bridge_id.prio
                encap.ipv6_sr_hdr.tag""",
        "Half an IPv6 address, big endian, which the kernel copies through a u64 (ila_lwt.c).": """
            kind: encap.Ila.locator""",
        "SIT_ISATAP is 1 in host order, although the kernel has it in a __be16 (if_tunnel.h).": """
            kind: sit.Sit.flags""",
        "Signed: dBm and mBm, picoseconds and mm, which the kernel puts as unsigned numbers.": """
            kind: messages.Bss.signal_mbm messages.SurveyInfo.noise
                messages.FtmResult.dist_avg messages.FtmResult.rtt_avg
                messages.Wireless.rx_signal_dbm messages.Wireless.wiphy_tx_power_level
                messages.Wakeup.rx_signal_dbm messages.Wakeup.wiphy_tx_power_level
                messages.Wiphy.rx_signal_dbm messages.Wiphy.wiphy_tx_power_level""",
        "Temperatures, which may be below zero (int in struct thermal_trip).": """
            kind: thermal.Thermal.tz_temp thermal.Thermal.tz_trip_hyst thermal.Thermal.tz_trip_temp
                thermal.Trips.tz_trip_hyst thermal.Trips.tz_trip_temp""",
        "A verdict, which may be TC_ACT_UNSPEC (-1).": """
            kind: act.Police.result""",
        "Signed, although C says __u8: task_nice() returns -20 to 19.": """
            kind: taskstats.taskstats.ac_nice""",
        "Signed, although C says __u32: -1 for threads (proc_exit_connector).": """
            kind: connector.exit_proc_event.exit_signal""",
        "32 bits for an IPv6 route, 64 for a multicast route (mr_fill_mroute).": """
            kind: route.Route.expires""",
        "A MAC address, which bond_changelink() reads through a u64.": """
            kind: bond.Bond.ad_actor_system""",
        "One byte only for AF_MCTP, which is not an IP address (net/mctp/neigh.c).": """
            kind: neigh.Neighbour.dst""",
        "The kernel only looks whether it is there (br_changelink).": """
            kind: bridge.Bridge.fdb_flush""",
        "Bytes, which a policy or a spec calls text or a number.": """
            kind: link.Port.host_uuid link.Link.cost link.Link.priority link.Link.wireless
                link.LinkSet.cost link.LinkSet.priority link.LinkSet.wireless""",
        "Location reports are bytes, which a policy calls text.": """
            kind: messages.FtmResult.civicloc messages.FtmResult.lci""",
        "The spec of nl80211 calls what it does not describe bytes: flags (nl80211.h).": """
            kind: messages.SurveyQuery.survey_radio_stats messages.Wireless.survey_radio_stats
                messages.Wakeup.survey_radio_stats messages.Wiphy.survey_radio_stats
                messages.Wireless.port_authorized messages.Wakeup.port_authorized
                messages.Wiphy.port_authorized""",
        "The driver or the vendor decides what is inside: it is kept as bytes.": """
            kind: messages.Wireless.testdata messages.Wakeup.testdata messages.Wiphy.testdata
                messages.Wireless.vendor_data messages.Wakeup.vendor_data""",
        # --- structure ---
        "Three layouts: what a device offers, what is configured, what woke it (nl80211.c).": """
            kind: messages.WakeReasons.* messages.Wowlan.* messages.WowlanSupport.*
                messages.WowlanTcp.*""",
        "The type of a parameter decides (devlink_nl_param_value_fill_one).": """
            kind: devlink.Devlink.param_value_data devlink.ParamValue.param_value_data
                devlink.SelftestsDone.param_value_data""",
        "The type of an option decides (team_nl_fill_one_option_get).": """
            kind: team.TeamOption.data""",
        "Several of them, one after the other (net/devlink).": """
            kind: devlink.Fmsg.* devlink.LinecardTypes.linecard_type
                devlink.RegionChunks.region_chunk devlink.RegionSnapshots.region_snapshot""",
        "Several items of one number, one after the other (team_core.c).": """
            kind: team.TeamOptions.option team.TeamPorts.port""",
        "Results of tests, not their names, in the answer (devlink_nl_selftests_run_doit).": """
            nest: devlink.SelftestsDone.selftests""",
        "Two layouts: what a device offers, and what a request asks (nl80211_send_wiphy).": """
            kind: messages.BssSelectSupport.band_pref messages.Wiphy.coalesce_rule
                messages.Wiphy.tid_config""",
        "Kinds of interfaces number flags in one nest, and nests in another (nl80211.c).": """
            kind: messages.FramesByIfType.* messages.IfTypes.*""",
        "Several of them, in one attribute or in one after the other (nl80211.c).": """
            kind: messages.FrameTypes.frame_type
                messages.Wireless.akm_suites messages.Wakeup.akm_suites messages.Wiphy.akm_suites
                messages.Wireless.cntdwn_offs_beacon messages.Wakeup.cntdwn_offs_beacon
                messages.Wiphy.cntdwn_offs_beacon
                messages.Wireless.cntdwn_offs_presp messages.Wakeup.cntdwn_offs_presp
                messages.Wiphy.cntdwn_offs_presp
                messages.Wireless.mlo_ttlm_dlink messages.Wakeup.mlo_ttlm_dlink
                messages.Wiphy.mlo_ttlm_dlink
                messages.Wireless.mlo_ttlm_ulink messages.Wakeup.mlo_ttlm_ulink
                messages.Wiphy.mlo_ttlm_ulink""",
        "The number means one thing in a request and another in an answer.": """
            kind: afspec.Inet.conf dcb.Dcb.perm_hwaddr
                stats.Stats.link_offload_xstats stats.StatsFilters.link_offload_xstats""",
        "Actions in their order, as in every other classifier (tcf_exts_dump).": """
            kind: cls.Bpf.act cls.Cgroup.act""",
        "It occurs several times: each is one option, one traffic class or one key.": """
            kind: act.PeditKeys.key_ex act.TunnelOptions.geneve cls.FlowerTunnelOptions.geneve
                sch.Taprio.tc_entry messages.CableResults.fault_length
                messages.CableResults.result messages.Stats.grp messages.StatsGroup.hist_rx
                messages.StatsGroup.hist_tx messages.TunnelPorts.table""",
        "Each counter is an attribute of its own, numbered in its nest: stat_put (stats.c).": """
            kind: messages.StatsGroup.stat""",
        "One nest for each set: strset_fill_set (strset.c).": """
            kind: messages.StringSet.strings""",
        "The spec has the nest of another test here: ethnl_cable_test_step (cabletest.c).": """
            nest: messages.CableTdrNtf.nest""",
        "Signed, and C spells it with small letters (_mV): ethnl_cable_test_pulse.": """
            unknown: messages.CableAmplitude.millivolts messages.CablePulse.millivolts
            missing: ETHTOOL_A_CABLE_AMPLITUDE_mV""",
        "ETHTOOL_A_C33_PSE_PW_LIMIT_MAX, which the table takes for a bound.": """
            unknown: messages.PsePowerLimit.max""",
        "The device has the same number in all requests: ETHTOOL_A_LINKINFO_HEADER and so on.": """
            unknown: messages.Query.header""",
        "The spec leaves out the nest of each entry.": """
            nest: cls.Flower.key_mpls_opts""",
        "One entry in the layout of the list, as the kernel has it (parse_sched_list).": """
            nest: sch.Taprio.sched_single_entry""",
        "One of a class. Those of the qdisc are in TCA_ETS_QUANTA, which is EtsQuanta here.": """
            kind: sch.Ets.quanta_band""",
        "A table of 256 bytes reads better as bytes.": """
            kind: sch.Gred.stab""",
        "A dump has one number for each virtual queue (gred_dump).": """
            kind: sch.Gred.max_p""",
        "A nest that holds no attributes, but structs one after the other (gred_dump).": """
            kind: sch.Gred.parms""",
        "The nest and what it contains have the same number (mqprio_dump).": """
            kind: sch.MqprioMaxRates.max_rate64 sch.MqprioMinRates.min_rate64""",
        "What it contains depends on the family of the header.": """
            kind: link.Link.protinfo link.LinkSet.protinfo""",
        "A nest: do_set_proto_down(), rtnl_fill_proto_down().": """
            kind: link.Link.proto_down_reason link.LinkSet.proto_down_reason""",
        "Numbered as the counters are, by IFLA_OFFLOAD_XSTATS_L3_STATS.": """
            kind: stats.OffloadXstats.hw_s_info
            nest: stats.OffloadXstats.hw_s_info""",
        "Several structs of 12 bytes, not attributes (pdiag_put_mclist).": """
            kind: packet.PacketSocket.mclist""",
        "IPv4 or IPv6, and the message does not tell which (smc_diag_msg_common_fill).": """
            kind: smc.inet_diag_sockid.dst smc.inet_diag_sockid.src""",
        "A nest (ctnetlink_dump_timestamp), which the spec calls a number.": """
            kind: conntrack.Conntrack.timestamp""",
        "Signed: struct nf_ct_seqadj has s32 (nf_conntrack_seqadj.h).": """
            kind: conntrack.SeqAdj.offset_after conntrack.SeqAdj.offset_before""",
        "Flags of the fields of a tuple, not a tuple (ctnetlink_parse_filter).": """
            nest: conntrack.Conntrack.filter""",
        # --- numbers ---
        "A message type has its subsystem in the upper byte (NFNL_SUBSYS_ID).": """
            number: conntrack.IPCTNL_MSG.*""",
        "The bits of a mask by what they stand for: IFLA_STATS_FILTER_BIT() of the C number.": """
            number: stats.IFLA_STATS.* stats.IFLA_OFFLOAD_XSTATS.*""",
        "The bits of a mask by what they stand for: 1 << NL80211_STA_FLAG_*.": """
            number: messages.STA_FLAG.*""",
        "The bits of a mask by what they stand for: 1 << DEVLINK_RELOAD_*.": """
            number: devlink.RELOAD_ACTIONS.* devlink.RELOAD_LIMITS.*""",
        "In C its name has two underscores before it; NL80211_FREQUENCY_ATTR_NO_IBSS is NO_IR.": """
            number: messages.Frequency.no_ibss""",
        "C computes the mask of 16 bits as an int.": """
            number: NLA_TYPE_MASK""",
        "C has them as they are on the wire, big endian. Here is what a be16 reads.": """
            number: tunnels.GRE.* encap.TUNNEL.*""",
        # --- structs ---
        "A union in C: each alternative is declared with the `type` before it.": """
            layout: sch.tc_fq_codel_qd_stats.* sch.tc_fq_codel_cl_stats.*
            size: sch.tc_fq_codel_xstats sch.tc_fq_codel_qd_stats sch.tc_fq_codel_cl_stats
            unknown: sch.tc_fq_codel_qd_stats.type sch.tc_fq_codel_cl_stats.type
            missing: tc_fq_codel_xstats.qdisc_stats tc_fq_codel_xstats.class_stats""",
        "The members of a struct inet_diag_sockid, as members of the struct that has it.": """
            unknown: inet.inet_diag_msg.* inet.inet_diag_req_raw.*""",
        "Bit fields have no offset in C: the byte or word that holds them is declared.": """
            unknown: inet.SOCKOPT inet.tcp_info.app_limited inet.tcp_info.wscale
                em.tcf_em_cmp.align_flags em.tcf_em_cmp.layer_opnd em.tcf_em_nbyte.len_layer
                em.tcf_em_text.layers encap.ioam6_trace_hdr.nodelen encap.ioam6_trace_hdr.remlen
                encap.ipv6_rpl_sr_hdr.cmpr""",
        "What follows the struct, segments and TLVs or a pattern, is one field.": """
            unknown: encap.ipv6_sr_hdr.data em.tcf_em_nbyte.pattern em.tcf_em_text.pattern""",
        "A struct ipv6_sr_hdr follows: its members are declared with the mode.": """
            size: encap.seg6_iptunnel_encap
            unknown: encap.seg6_iptunnel_encap.*""",
        "struct sockaddr_in or sockaddr_in6: `rest` is declared with the family before it.": """
            size: wireguard.sockaddr
            unknown: wireguard.sockaddr.port wireguard.sockaddr.rest""",
        "The member `table` under another name, as an attribute has its own.": """
            unknown: rule.fib_rule_hdr.frh_table""",
        "Not in a uapi header: a macro, what a kernel source reads or writes, an array.": """
            unknown: act.tc_gen em.Ematch em.tcf_em_canid em.tcf_em_container mdb.router_port
                wireguard.InetPart wireguard.Inet6Part wireguard.kernel_timespec
                nduseropt.NdUserOption afspec.ipv4_devconf afspec.ipv6_devconf vxlan.vxlanhdr""",
        # --- names ---
        "A name cannot start with a digit: IFLA_IPTUN_6RD_PREFIX and so on, BOND_XSTATS_3AD.": """
            unknown: sit.Sit.ip6rd_prefix sit.Sit.ip6rd_prefixlen
                sit.Sit.ip6rd_relay_prefix sit.Sit.ip6rd_relay_prefixlen
                stats.BondXstats.bond_3ad
            missing: IFLA_IPTUN_6RD_PREFIX IFLA_IPTUN_6RD_RELAY_PREFIX""",
        "NL80211_IFACE_LIMIT_MAX, which the table leaves out as a bound.": """
            unknown: messages.IfLimit.max""",
        "How many values an enumeration has.": """
            missing: NL80211_NUM_ACS""",
        "The alternatives of a union of linux/cn_proc.h, each a class here.": """
            unknown: connector.ack_proc_event connector.uid_proc_event connector.gid_proc_event
                connector.proc_mcast_op
            layout: connector.proc_event.event_data
            missing: proc_event.event_data.*
            size: connector.proc_event""",
        "The number of DCB_ATTR_IEEE_APP_UNSPEC, which the kernel did not mean (dcbnl.c).": """
            unknown: dcb.IeeePeerApps.info""",
        "Names of include/net in the kernel: no uapi header has names for these values.": """
            unknown: bond.AD_LACP bond.BOND_AD bond.BOND_ARP_TARGETS bond.BOND_ARP_VALIDATE
                bond.BOND_FOM bond.BOND_PRI_RESELECT bond.AD_CHURN
                tunnels.IP6_TNL_F.IP6_TNL_F_CAP_XMIT tunnels.IP6_TNL_F.IP6_TNL_F_CAP_RCV
                tunnels.IP6_TNL_F.IP6_TNL_F_CAP_PER_PACKET
                devlink.HEALTH_STATE team.TYPE
                sockdiag.SHUTDOWN sockdiag.SOCK sockdiag.TCP sockdiag.TCPF tipc.TIPC_STATE""",
        "The bits of a mask of one byte: 1 << (INET_DIAG_* - 1), 1 << (SMC_DIAG_* - 1).": """
            unknown: inet.EXT smc.SMC_EXT""",
        "Types of records that programs write, which only libaudit names (libaudit.h).": """
            unknown: audit.TYPE.*""",
        "Text messages of the kernel's audit log, without a layout.": """
            unknown: audit.Record""",
        "The bits of CTA_FILTER by what they stand for (CTA_FILTER_F_* of nf_internals.h).": """
            unknown: conntrack.FILTER""",
        "An array of numbers in C, indexed by SK_MEMINFO_*.": """
            unknown: sockdiag.SkMeminfo""",
        "Text messages have no type on the wire (lib/kobject_uevent.c).": """
            unknown: uevent.UEVENT uevent.Uevent""",
        # --- what we leave out ---
        "Not of the enumeration, but named like it: bounds, masks, values of other fields.": """
            missing: IPS_CONFIRMED_BIT IPS_DST_NAT_BIT IPS_DYING_BIT IPS_EXPECTED_BIT
                IPS_FIXED_TIMEOUT_BIT IPS_HELPER_BIT IPS_HW_OFFLOAD_BIT IPS_OFFLOAD_BIT
                IPS_SEQ_ADJUST_BIT IPS_SRC_NAT_DONE_BIT IPS_TEMPLATE_BIT IPS_UNTRACKED_BIT
                NFPROTO_DECNET NFPROTO_NUMPROTO TCP_CONNTRACK_IGNORE TCP_CONNTRACK_RETRANS
                TCP_CONNTRACK_UNACK
                ETH_P_802_3_MIN GRE_FLAGS GRE_PROTO_PPP GRE_VERSION_0 GRE_VERSION_1
                GENL_ID_PMCRAID GENL_ID_VFS_DQUOT GENL_MAX_ID GENL_START_ALLOC
                MCAST_BLOCK_SOURCE MCAST_JOIN_GROUP MCAST_JOIN_SOURCE_GROUP
                MCAST_LEAVE_GROUP MCAST_LEAVE_SOURCE_GROUP MCAST_MSFILTER MCAST_UNBLOCK_SOURCE
                NETLINK_ADD_MEMBERSHIP NLMSG_MIN_TYPE
                SCHED_FLAG_ALL SCHED_FLAG_DL_OVERRUN SCHED_FLAG_KEEP_ALL SCHED_FLAG_KEEP_PARAMS
                SCHED_FLAG_KEEP_POLICY SCHED_FLAG_UTIL_CLAMP SCHED_FLAG_UTIL_CLAMP_MIN
                SCHED_RESET_ON_FORK TC_H_MIN_EGRESS TC_H_MIN_INGRESS TC_H_MIN_PRIORITY
                TC_RED_HISTORIC_FLAGS TC_U32_ROOT TUNNEL_OPTIONS_PRESENT XDP_FLAGS_MODES""",
        "Nothing at all, under the number 0.": """
            missing: ETHTOOL_MSG_KERNEL_NONE ETHTOOL_MSG_USER_NONE
                RTNLGRP_NONE NETNSA_NONE NFNLGRP_NONE AUDIT_NLGRP_NONE
                L2TP_ATTR_NONE L2TP_ATTR_STATS_NONE
                INET_DIAG_NONE INET_DIAG_REQ_NONE SKNLGRP_NONE
                SK_DIAG_BPF_STORAGE_NONE SK_DIAG_BPF_STORAGE_REP_NONE SK_DIAG_BPF_STORAGE_REQ_NONE
                SMC_DIAG_NONE XDP_DIAG_NONE""",
        "Only in the generic family TIPC: answers about sockets have TIPC_NLA_SOCK alone.": """
            missing: TIPC_NLA_BEARER TIPC_NLA_LINK TIPC_NLA_MEDIA TIPC_NLA_MON TIPC_NLA_MON_PEER
                TIPC_NLA_NAME_TABLE TIPC_NLA_NET TIPC_NLA_NODE TIPC_NLA_PUBL""",
        "Only in the generic family ILA: the encapsulation of a route has no policy for it.": """
            missing: ILA_ATTR_IDENTIFIER ILA_ATTR_LOCATOR_MATCH ILA_ATTR_IFINDEX ILA_ATTR_DIR""",
        "How many actions a flush removed, where 6 else is TCA_ACT_COOKIE (tcf_del_walker).": """
            missing: TCA_FCNT""",
        # --- releases ---
        "Of a later release than the declarations, which are of 6.18.": """
            missing: BRIDGE_VLANDB_ENTRY_NEIGH_FORWARD_GRAT CAN_CTRLMODE_RESTRICTED
                ETHTOOL_A_COALESCE_RX_CQE_FRAMES ETHTOOL_A_COALESCE_RX_CQE_NSECS
                ETHTOOL_A_PAUSE_STAT_TX_PAUSE_STORM_EVENTS ETHTOOL_MSG_MSE_GET
                ETHTOOL_MSG_MSE_GET_REPLY NETDEV_A_QUEUE_LEASE NETDEV_CMD_QUEUE_CREATE
                CAN_CTRLMODE_XL CAN_CTRLMODE_XL_TDC_AUTO CAN_CTRLMODE_XL_TDC_MANUAL
                CAN_CTRLMODE_XL_TMS ETH_P_8021AC ETH_P_GRE_OSI ETH_P_MXLGSW ETH_P_NXP_NETC
                ETH_P_YT921X IFLA_BOND_LACP_STRICT IFLA_CAN_XL_* IFLA_GENEVE_GRO_HINT
                IFLA_NETKIT_PAIRING RTEXT_FILTER_NAME_ONLY SEG6_IPTUNNEL_SRC
                TCA_CAKE_STATS_ACTIVE_QUEUES taskstats.blkio_delay_max_ts
                taskstats.compact_delay_max_ts taskstats.cpu_delay_max_ts
                taskstats.freepages_delay_max_ts taskstats.irq_delay_max_ts
                taskstats.swapin_delay_max_ts taskstats.thrashing_delay_max_ts
                taskstats.wpcopy_delay_max_ts
            size: taskstats.taskstats""",
    }
)
