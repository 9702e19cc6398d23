"""Differences that are known, each with its reason: ours is right, or another choice.

A reason stands for the differences below it, named as the checking tool prints them: the topic
first, then the subjects that it has. "*" at the end of a subject stands for all that start so.
"""

from __future__ import annotations

from tools.declarations import Difference


class Explanations:
    """A table of reasons."""

    def __init__(self, table: dict[str, str]) -> None:
        self._reasons: dict[str, str] = {}
        for reason, lines in table.items():
            topic = ""
            for word in lines.split():
                if word.endswith(":"):
                    topic = word[:-1]
                else:
                    self._reasons[f"{topic} {word}"] = reason

    def subjects(self, *, without: str) -> set[str]:
        """What the reasons are about, those of one topic left out."""
        keys = (key.split() for key in self._reasons)
        return {subject for topic, subject in keys if topic != without}

    def reason(self, difference: Difference) -> str | None:
        """Why a difference is none to mend, None where that is not known."""
        starred = (key for key in self._reasons if key.endswith("*"))
        key = next((key for key in starred if difference.key.startswith(key[:-1])), difference.key)
        return self._reasons.get(key)


SPECS = Explanations(
    {
        "We say more: what kind of bytes or what enumeration it is. Headers check the latter.": """
            finer: *""",
        # --- byte order, sign and width ---
        "Big endian on the wire: nla_put_be16 and the like, or __be16 in a struct.": """
            kind: act.ErspanOption.index act.GeneveOption.class_ act.Vlan.push_vlan_protocol
                bridge.Bridge.vlan_protocol bridge.ifla_bridge_id.prio neigh.Neighbour.port
                route.Route.sport route.Route.dport rule.Rule.tun_id
                tunnel.Gre.encap_dport tunnel.Gre.encap_sport tunnel.Gre.flowinfo
                tunnel.Gre.iflags tunnel.Gre.ikey tunnel.Gre.oflags tunnel.Gre.okey
                tunnel.Ip6Tunnel.encap_dport tunnel.Ip6Tunnel.encap_sport tunnel.Ip6Tunnel.flowinfo
                tunnel.IpTunnel.encap_dport tunnel.IpTunnel.encap_sport
                tunnel.Sit.encap_dport tunnel.Sit.encap_sport tunnel.Vti.ikey tunnel.Vti.okey
                udp.Geneve.label udp.Geneve.port""",
        "In host order: nla_get_u16 of fl_set_key_vlan, nla_get_u32 of fl_set_key_mpls.": """
            kind: cls.Flower.key_vlan_id cls.Flower.key_cvlan_id cls.Flower.key_mpls_label""",
        "Words of the packet as they stand in it, which C calls __u32.": """
            kind: act.tc_pedit_key.mask act.tc_pedit_key.val""",
        "Signed, or not, in C: __s32, NLA_S32, and a verdict that may be TC_ACT_UNSPEC, -1.": """
            kind: act.Police.result bond.BondSlave.prio route.rta_cacheinfo.expires
                sch.Cake.overhead sch.tc_etf_qopt.flags sch.tc_prio_qopt.bands
                sch.tc_fq_codel_cl_stats.deficit sch.tc_fq_codel_cl_stats.drop_next""",
        "As wide as in C: nla_put_u8 of ip6_gre.c, nla_put_be32 of act_tunnel_key.c, a __be16.": """
            kind: tunnel.Gre.encap_limit act.TunnelKey.enc_key_id
                link.ifla_vf_vlan_info.vlan_proto""",
        "32 bits of an IPv6 route, 64 of a multicast route (mr_fill_mroute).": """
            kind: route.Route.expires""",
        "Sixteen bits each in C, behind which `mpu` follows.": """
            kind: tcmsg.tc_ratespec.overhead tcmsg.tc_ratespec.cell_align
            name: tcmsg.tc_ratespec.cell_align
            missing: tc/tc-ratespec.cell-align
            unknown: tcmsg.tc_ratespec.mpu""",
        "A byte, 0 or 1, that br_port_fill_attrs always sends: a flag would read as true.": """
            kind: bridge.BridgePort.bcast_flood bridge.BridgePort.fast_leave
                bridge.BridgePort.guard bridge.BridgePort.isolated bridge.BridgePort.learning
                bridge.BridgePort.learning_sync bridge.BridgePort.locked bridge.BridgePort.mab
                bridge.BridgePort.mcast_flood bridge.BridgePort.mcast_to_ucast
                bridge.BridgePort.mode bridge.BridgePort.mrp_in_open
                bridge.BridgePort.mrp_ring_open bridge.BridgePort.neigh_suppress
                bridge.BridgePort.neigh_vlan_suppress bridge.BridgePort.protect
                bridge.BridgePort.proxyarp bridge.BridgePort.proxyarp_wifi
                bridge.BridgePort.unicast_flood bridge.BridgePort.vlan_tunnel""",
        "An address by its length: 4 bytes of an IPv4 rule, 16 of an IPv6 one.": """
            kind: rule.Rule.dst rule.Rule.src""",
        # --- structure ---
        "A struct that ends in an array, of which the spec counts one element.": """
            kind: act.tc_pedit_sel.keys_ cls.tc_u32_sel.keys_ cls.tc_u32_pcnt.kcnts
            size: act.tc_pedit_sel cls.tc_u32_sel cls.tc_u32_pcnt""",
        "Actions in their order, as of every other classifier (tcf_exts_dump).": """
            kind: cls.Bpf.act cls.Cgroup.act""",
        "Comes several times: an option each, a traffic class each.": """
            kind: cls.FlowerTunnelOptions.geneve sch.Taprio.tc_entry""",
        "The spec has the entries' own attributes where a nest for each entry is.": """
            kind: cls.FlowerMpls.lse sch.TaprioEntries.entry
            name: cls.FlowerMpls.lse sch.TaprioEntries.entry
            missing: tc/tc-flower-key-mpls-opt-attrs.lse-ttl
                tc/tc-flower-key-mpls-opt-attrs.lse-bos tc/tc-flower-key-mpls-opt-attrs.lse-tc
                tc/tc-flower-key-mpls-opt-attrs.lse-label""",
        "One of a class; those of the qdisc are in TCA_ETS_QUANTA, which is EtsQuanta here.": """
            kind: sch.Ets.quanta_band""",
        "A table of 256 bytes reads better as bytes.": """
            kind: sch.Gred.stab""",
        "What is inside depends on the family of the header.": """
            kind: link.Link.af_spec link.Link.protinfo""",
        "In a request there is one; those that the kernel lists are in IFLA_PROP_LIST.": """
            kind: link.Link.alt_ifname""",
        "A nest: do_set_proto_down, rtnl_fill_proto_down.": """
            kind: link.Link.proto_down_reason""",
        "Numbers that the kernel no longer uses: no kind is known.": """
            kind: link.Link.cost link.Link.priority link.Link.wireless""",
        "Its only attribute is numbered as the counters are, IFLA_OFFLOAD_XSTATS_L3_STATS.": """
            kind: stats.OffloadXstats.hw_s_info
            unknown: stats.HwStatsInfos.l3_stats
            missing: rt-link/hw-s-info-one.request rt-link/hw-s-info-one.used""",
        "A request for counters has attributes of its own: IFLA_STATS_GET_*, IFLA_STATS_SET_*.": """
            kind: stats.StatsRequest.get_filters
            name: stats.StatsRequest.get_filters stats.StatsRequest.set_offload_xstats_l3_stats
            size: stats.StatsFilters""",
        "The spec has no union: this is the class's part, the qdisc's is tc_fq_codel_qd_stats.": """
            size: sch.tc_fq_codel_cl_stats
            name: sch.tc_fq_codel_cl_stats.*
            missing: tc/tc-fq-codel-xstats.ce-mark tc/tc-fq-codel-xstats.memory-usage
                tc/tc-fq-codel-xstats.drop-overmemory""",
        "A class has attributes, only the qdisc a struct (hfsc_dump_class, hfsc_dump_qdisc).": """
            size: sch.Hfsc""",
        "The struct is inside TCA_SFB_PARMS (sfb_dump).": """
            size: sch.Sfb""",
        "The spec has the members of older kernels.": """
            size: route.rta_cacheinfo
            unknown: route.rta_cacheinfo.id route.rta_cacheinfo.ts route.rta_cacheinfo.tsage""",
        "One set for ipip and sit in the spec: the first has neither (ipip_fill_info).": """
            missing: rt-link/linkinfo-iptun-attrs.encap-limit rt-link/linkinfo-iptun-attrs.flowinfo
        """,
        "The keys of TCA_PEDIT_KEYS_EX, which is a class of its own here.": """
            missing: tc/tc-act-pedit-attrs.key-ex""",
        "No action has statistics of its own kind (tcf_action_copy_stats).": """
            missing: tc/tc-act-stats-attrs.app""",
        "How many actions a flush removed, where 6 else is TCA_ACT_COOKIE (tcf_del_walker).": """
            missing: tc/tc-attrs.fcnt""",
        # --- names ---
        "The spec has the padding behind `mask`, C before it (NL_POLICY_TYPE_ATTR_PAD).": """
            kind: extack.Policy.mask
            name: extack.Policy.mask
            missing: nlctrl/policy-attrs.mask""",
        "A slip of the pen in the spec, or a name that C has not.": """
            name: neigh.Neighbour.lladdr sch.Tbf.prate64 stacked.Vlan.flags
            missing: tc/tc-cls-flags.not-in-nw rt-link/ifinfo-flags.point-to-point
                rt-link/netkit-policy.forward rt-link/netkit-policy.blackhole
                tc/tc-flower-key-ctrl-flags.frag tc/tc-flower-key-ctrl-flags.firstfrag
                tc/tc-flower-key-ctrl-flags.tuncsum tc/tc-flower-key-ctrl-flags.tundf
                tc/tc-flower-key-ctrl-flags.tunoam tc/tc-flower-key-ctrl-flags.tuncrit""",
        # --- what the specs lack ---
        "Enumerations of which the spec has a part: VLAN protocols, bits, two verdicts.": """
            unknown: ether.ETH_P neigh.NUD neigh.NTF_EXT pair.NETKIT_ACTION""",
        "Kinds of links, qdiscs and statistics that the spec has no format for.": """
            unknown: linkinfo.LinkInfo.data:amt linkinfo.LinkInfo.data:bareudp
                linkinfo.LinkInfo.data:batadv linkinfo.LinkInfo.data:caif
                linkinfo.LinkInfo.data:can linkinfo.LinkInfo.data:dsa linkinfo.LinkInfo.data:gtp
                linkinfo.LinkInfo.data:hsr linkinfo.LinkInfo.data:ip6erspan
                linkinfo.LinkInfo.data:ip6gre linkinfo.LinkInfo.data:ip6gretap
                linkinfo.LinkInfo.data:ip6tnl linkinfo.LinkInfo.data:ipoib
                linkinfo.LinkInfo.data:ipvlan linkinfo.LinkInfo.data:ipvtap
                linkinfo.LinkInfo.data:macsec linkinfo.LinkInfo.data:macvlan
                linkinfo.LinkInfo.data:macvtap linkinfo.LinkInfo.data:ovpn
                linkinfo.LinkInfo.data:ppp linkinfo.LinkInfo.data:rmnet
                linkinfo.LinkInfo.data:veth linkinfo.LinkInfo.data:vti
                linkinfo.LinkInfo.data:vti6 linkinfo.LinkInfo.data:vxcan
                linkinfo.LinkInfo.data:vxlan linkinfo.LinkInfo.data:wwan
                linkinfo.LinkInfo.data:xfrm linkinfo.LinkInfo.slave_data:vrf
                qdisc.Qdisc.options:skbprio qdisc.QdiscStats.app:taprio
                tclass.ClassStats.app:drr tclass.ClassStats.app:hfsc
                tclass.ClassStats.app:htb tclass.ClassStats.app:qfq""",
        "IFLA_PORT_*, IFLA_IPTUN_* and options of flower that the spec leaves out.": """
            unknown: link.VfPorts.port link.Port.vf link.Port.profile link.Port.vsi_type
                link.Port.instance_uuid link.Port.host_uuid link.Port.request link.Port.response
                tunnel.Ip6Tunnel.tos tunnel.Ip6Tunnel.pmtudisc cls.FlowerTunnelOptions.pfcp""",
        "Of a later release than the spec.": """
            unknown: bond.Bond.broadcast_neigh bond.BondSlave.actor_port_prio
                bond.BondSlave.ad_churn_actor_state bond.BondSlave.ad_churn_partner_state
                bridge.Bridge.stp_mode bridge.BridgePort.neigh_forward_grat link.Link.headroom
                link.Link.tailroom link.Link.netns_immutable link.Link.max_pacing_offload_horizon
                pair.Netkit.scrub pair.Netkit.peer_scrub pair.Netkit.headroom pair.Netkit.tailroom
                route.Route.flowlabel rule.Rule.sport_mask rule.Rule.dport_mask
                rule.Rule.dscp_mask sch.Fq.offload_horizon udp.Geneve.port_range
                udp.Geneve.local udp.Geneve.local6""",
    }
)

HEADERS = Explanations(
    {
        # --- numbers and kinds ---
        "The bits of a mask by what they stand for: IFLA_STATS_FILTER_BIT() of the C number.": """
            number: stats.IFLA_STATS.* stats.IFLA_OFFLOAD_XSTATS.*""",
        "C computes the mask of 16 bits as an int.": """
            number: NLA_TYPE_MASK""",
        "C writes them as they are on the wire, big endian; here is what a be16 reads.": """
            number: tunnel.GRE.* encap.TUNNEL.*""",
        "Signed, though C says __u8: task_nice() is -20 to 19.": """
            kind: taskstats.taskstats.ac_nice""",
        "Big endian by what it holds (words of a packet, RFC 8754, IEEE 802.1D).": """
            kind: act.tc_pedit_key.mask act.tc_pedit_key.val bridge.ifla_bridge_id.prio
                encap.ipv6_sr_hdr.tag""",
        # --- structs ---
        "A union in C: the whole for either side is declared, which begins with `type`.": """
            layout: sch.tc_fq_codel_qd_stats.* sch.tc_fq_codel_cl_stats.*
            size: sch.tc_fq_codel_xstats sch.tc_fq_codel_qd_stats sch.tc_fq_codel_cl_stats
            unknown: sch.tc_fq_codel_qd_stats.type sch.tc_fq_codel_cl_stats.type
            missing: tc_fq_codel_xstats.qdisc_stats tc_fq_codel_xstats.class_stats""",
        "Bit fields have no offset in C: the byte or word that holds them is declared.": """
            unknown: em.tcf_em_cmp.align_flags em.tcf_em_cmp.layer_opnd em.tcf_em_nbyte.len_layer
                em.tcf_em_text.layers encap.ioam6_trace_hdr.nodelen encap.ioam6_trace_hdr.remlen
                encap.ipv6_rpl_sr_hdr.cmpr""",
        "What stands behind the struct, segments and TLVs or a pattern, reads as one field.": """
            unknown: encap.ipv6_sr_hdr.data em.tcf_em_nbyte.pattern em.tcf_em_text.pattern
            missing: ipv6_sr_hdr.segments""",
        "A struct ipv6_sr_hdr follows: its members are declared with the mode.": """
            size: encap.seg6_iptunnel_encap
            unknown: encap.seg6_iptunnel_encap.*""",
        "The member `table` under another name, as an attribute has its own.": """
            unknown: rule.fib_rule_hdr.frh_table""",
        "Of no uapi header: a macro, what a kernel source reads or writes, an array by index.": """
            unknown: act.tc_gen em.Ematch em.tcf_em_canid em.tcf_em_container mdb.router_port
                nduseropt.NdUserOption afspec.ipv4_devconf afspec.ipv6_devconf udp.vxlanhdr""",
        # --- names ---
        "No name can start with a digit: IFLA_IPTUN_6RD_PREFIX and so on, BOND_XSTATS_3AD.": """
            unknown: tunnel.Sit.ip6rd_prefix tunnel.Sit.ip6rd_prefixlen
                tunnel.Sit.ip6rd_relay_prefix tunnel.Sit.ip6rd_relay_prefixlen
                stats.BondXstats.bond_3ad
            missing: IFLA_IPTUN_6RD_PREFIX IFLA_IPTUN_6RD_RELAY_PREFIX""",
        "Nests for address families are numbered by AF_*.": """
            unknown: afspec.AfSpec.* afspec.AfSpecSet.* stats.StatsAfSpec.mpls""",
        "Of DEVLINK_ATTR_* (linux/devlink.h) and DPLL_A_PIN_* (linux/dpll.h) what a link has.": """
            unknown: link.DevlinkPort.* link.DpllPin.id""",
        "The number of DCB_ATTR_IEEE_APP_UNSPEC, which the kernel did not mean (dcbnl.c).": """
            unknown: dcb.IeeePeerApps.info""",
        "The kernel's own names, of include/net: no uapi header has any for these values.": """
            unknown: bond.AD_LACP bond.BOND_AD bond.BOND_ARP_TARGETS bond.BOND_ARP_VALIDATE
                bond.BOND_FOM bond.BOND_PRI_RESELECT bond.AD_CHURN
                tunnel.IP6_TNL_F.IP6_TNL_F_CAP_XMIT tunnel.IP6_TNL_F.IP6_TNL_F_CAP_RCV
                tunnel.IP6_TNL_F.IP6_TNL_F_CAP_PER_PACKET""",
        "AF_* are of the C library, which may be older than the headers.": """
            unknown: constants.AF.*""",
        "Its header left the kernel with CAIF, which 6.12 still has.": """
            unknown: driver.Caif.*""",
        # --- what we leave out ---
        "Not of the enumeration, though called like it: bounds, masks, other fields' values.": """
            missing: ETH_P_802_3_MIN GRE_FLAGS GRE_PROTO_PPP GRE_VERSION_0 GRE_VERSION_1
                GENL_ID_PMCRAID GENL_ID_VFS_DQUOT GENL_MAX_ID GENL_START_ALLOC
                IFF_VOLATILE MCAST_BLOCK_SOURCE MCAST_JOIN_GROUP MCAST_JOIN_SOURCE_GROUP
                MCAST_LEAVE_GROUP MCAST_LEAVE_SOURCE_GROUP MCAST_MSFILTER MCAST_UNBLOCK_SOURCE
                NETLINK_ADD_MEMBERSHIP NLMSG_MIN_TYPE RTM_NR_FAMILIES
                SCHED_FLAG_ALL SCHED_FLAG_DL_OVERRUN SCHED_FLAG_KEEP_ALL SCHED_FLAG_KEEP_PARAMS
                SCHED_FLAG_KEEP_POLICY SCHED_FLAG_RECLAIM SCHED_FLAG_RESET_ON_FORK
                SCHED_FLAG_UTIL_CLAMP SCHED_FLAG_UTIL_CLAMP_MAX SCHED_FLAG_UTIL_CLAMP_MIN
                SCHED_RESET_ON_FORK TC_H_MIN_EGRESS
                TC_H_MIN_INGRESS TC_H_MIN_PRIORITY TC_RED_HISTORIC_FLAGS TC_U32_ROOT
                TUNNEL_OPTIONS_PRESENT XDP_FLAGS_MODES""",
        "Nothing at all, under the number 0.": """
            missing: RTNLGRP_NONE NETNSA_NONE""",
        "Of the generic family ILA alone: a route's encapsulation has no policy for it.": """
            missing: ILA_ATTR_IDENTIFIER ILA_ATTR_LOCATOR_MATCH ILA_ATTR_IFINDEX ILA_ATTR_DIR""",
        "How many actions a flush removed, where 6 else is TCA_ACT_COOKIE (tcf_del_walker).": """
            missing: TCA_FCNT""",
        # --- later releases ---
        "Of a later release than 6.12.": """
            unknown: afspec.Mctp.phys_binding bond.Bond.broadcast_neigh bridge.Bridge.stp_mode
                bridge.BR_STP_MODE bridge.BridgePort.neigh_forward_grat driver.Ovpn.mode
                driver.OVPN_MODE link.Link.headroom link.Link.tailroom link.Link.netns_immutable
                link.Link.max_pacing_offload_horizon mdb.MDB_FLAGS.MDB_FLAGS_OFFLOAD_FAILED
                neigh.NTF_EXT.NTF_EXT_EXT_VALIDATED netconf.NetConf.force_forwarding
                pair.Netkit.headroom pair.Netkit.tailroom route.Route.flowlabel
                rtnetlink.RTM.RTM_NEWMULTICAST rtnetlink.RTM.RTM_DELMULTICAST
                rtnetlink.RTM.RTM_NEWANYCAST rtnetlink.RTM.RTM_DELANYCAST
                rtnetlink.RTNLGRP.RTNLGRP_IPV4_MCADDR rtnetlink.RTNLGRP.RTNLGRP_IPV6_MCADDR
                rtnetlink.RTNLGRP.RTNLGRP_IPV6_ACADDR rtnetlink.RTPROT.RTPROT_OVN
                rule.Rule.flowlabel rule.Rule.flowlabel_mask rule.Rule.sport_mask
                rule.Rule.dport_mask rule.Rule.dscp_mask sch.Fq.offload_horizon
                udp.Geneve.port_range udp.Geneve.local udp.Geneve.local6
                taskstats.taskstats.blkio_delay_m* taskstats.taskstats.compact_delay_m*
                taskstats.taskstats.cpu_delay_m* taskstats.taskstats.freepages_delay_m*
                taskstats.taskstats.irq_delay_m* taskstats.taskstats.swapin_delay_m*
                taskstats.taskstats.thrashing_delay_m* taskstats.taskstats.wpcopy_delay_m*
                udp.ifla_geneve_port_range udp.Vxlan.mc_route udp.Vxlan.reserved_bits
            size: taskstats.taskstats""",
    }
)
