"""The messages of nl80211.

Numbers are those of linux/nl80211.h of Linux 7.2; widths and contents are those of
net/wireless/nl80211.c of 6.12. One class has every attribute of the family, because most commands
share them. The other classes are nests, and the few messages in which an attribute has another
layout. This file must contain declarations only.
"""

from __future__ import annotations

import re

from netlink import schema
from netlink.constants import IFNAMSIZ, KernelFlag, KernelNumber
from netlink.errors import EncodeError
from netlink.generic.nl80211.numbers import (
    NL80211_AC,
    NL80211_ACL_POLICY,
    NL80211_AP_SETTINGS,
    NL80211_AP_SME_SA_QUERY,
    NL80211_AUTHTYPE,
    NL80211_BAND,
    NL80211_BSS_CANNOT_USE,
    NL80211_BSS_CHAN_WIDTH,
    NL80211_BSS_STATUS,
    NL80211_BSS_USE_FOR,
    NL80211_CHAN,
    NL80211_CHAN_WIDTH,
    NL80211_CMD,
    NL80211_COALESCE_CONDITION,
    NL80211_CONN_FAIL,
    NL80211_CQM_RSSI,
    NL80211_CRIT_PROTO,
    NL80211_DFS_REGION,
    NL80211_DFS_STATE,
    NL80211_EXTERNAL_AUTH,
    NL80211_FEATURE,
    NL80211_HIDDEN_SSID,
    NL80211_IFTYPE,
    NL80211_KEY_MODE,
    NL80211_KEYTYPE,
    NL80211_MESH_POWER,
    NL80211_MFP,
    NL80211_MPATH_FLAG,
    NL80211_NAN,
    NL80211_NAN_FUNC_TERM_REASON,
    NL80211_NAN_FUNC_TYPE,
    NL80211_P2P_PS,
    NL80211_PLINK,
    NL80211_PLINK_ACTION,
    NL80211_PMSR_FTM_FAILURE,
    NL80211_PMSR_FTM_REQ_TYPE,
    NL80211_PMSR_STATUS,
    NL80211_PREAMBLE,
    NL80211_PROBE_RESP_OFFLOAD_SUPPORT,
    NL80211_PROTOCOL_FEATURE,
    NL80211_PS,
    NL80211_RADAR,
    NL80211_RATE_INFO_EHT,
    NL80211_RATE_INFO_EHT_GI,
    NL80211_RATE_INFO_EHT_RU_ALLOC,
    NL80211_RATE_INFO_HE,
    NL80211_RATE_INFO_HE_GI,
    NL80211_RATE_INFO_HE_RU_ALLOC,
    NL80211_REGDOM_SET_BY,
    NL80211_REGDOM_TYPE,
    NL80211_RRF,
    NL80211_RXMGMT_FLAG,
    NL80211_SAE_PWE,
    NL80211_SAR_TYPE,
    NL80211_SCAN_FLAG,
    NL80211_SMPS,
    NL80211_TDLS,
    NL80211_TDLS_PEER,
    NL80211_TID_CONFIG,
    NL80211_TIMEOUT,
    NL80211_TX_POWER,
    NL80211_TX_RATE,
    NL80211_TXRATE_GI,
    NL80211_USER_REG_HINT,
    NL80211_WPA_VERSION,
)
from netlink.schema import (
    Addr,
    Message,
    Named,
    Nested,
    Several,
    address,
    array,
    binary,
    flag,
    mac,
    mapping,
    nest,
    repeated,
    s8,
    s16,
    s32,
    s64,
    scalars,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
)


class Suite(KernelNumber):
    """The selector of a cipher or of an authentication (AKM): an OUI and a number.

    Its text is that of the standard and of iw: "00-0f-ac:4" is CCMP-128. The kernel keeps it as a
    number in host byte order, 0x000FAC04.
    """

    __slots__ = ()

    def __str__(self) -> str:
        oui = (self >> 8).to_bytes(3).hex("-")
        return f"{oui}:{self & 0xFF}"

    @classmethod
    def from_text(cls, text: str) -> Suite:
        """Return the selector for a text such as "00-0f-ac:4"."""
        parts = re.fullmatch("((?:[0-9a-fA-F]{2}-){2}[0-9a-fA-F]{2}):([0-9]{1,3})", text)
        if parts is None or int(parts[2]) > 0xFF:
            raise EncodeError(
                f"{text!r} is not the selector of a cipher: give an OUI and a number, such as "
                f"'00-0f-ac:4'",
                value=text,
            )
        return cls(int(parts[1].replace("-", ""), 16) << 8 | int(parts[2]))


class STA_FLAG(KernelFlag, prefix="NL80211_STA_FLAG_"):
    """Flags of a station as a mask: the bit 1 << NL80211_STA_FLAG_*."""

    NL80211_STA_FLAG_AUTHORIZED = 0x002
    NL80211_STA_FLAG_SHORT_PREAMBLE = 0x004
    NL80211_STA_FLAG_WME = 0x008
    NL80211_STA_FLAG_MFP = 0x010
    NL80211_STA_FLAG_AUTHENTICATED = 0x020
    NL80211_STA_FLAG_TDLS_PEER = 0x040
    NL80211_STA_FLAG_ASSOCIATED = 0x080
    NL80211_STA_FLAG_SPP_AMSDU = 0x100


# --- structs --------------------------------------------------------------------------------------


class nl80211_sta_flag_update(Message):
    """struct nl80211_sta_flag_update: flags of a station, and which of them are valid."""

    mask: Named[STA_FLAG | int] = u32(enum=STA_FLAG)
    set: Named[STA_FLAG | int] = u32(enum=STA_FLAG)


class nl80211_vendor_cmd_info(Message):
    """struct nl80211_vendor_cmd_info: an OUI, and the number of a command or event."""

    vendor_id: int = u32()
    subcmd: int = u32()


class nl80211_pattern_support(Message):
    """struct nl80211_pattern_support: lengths and offsets are bytes."""

    max_patterns: int = u32()
    min_pattern_len: int = u32()
    max_pattern_len: int = u32()
    max_pkt_offset: int = u32()


class nl80211_coalesce_rule_support(Message):
    """struct nl80211_coalesce_rule_support."""

    max_rules: int = u32()
    pat: Nested[nl80211_pattern_support] = struct(nl80211_pattern_support)
    max_delay: int = u32()  # ms


class nl80211_wowlan_tcp_data_seq(Message):
    """struct nl80211_wowlan_tcp_data_seq: a sequence number in the payload."""

    start: int = u32()
    offset: int = u32()
    len: int = u32()


class nl80211_wowlan_tcp_data_token(Message):
    """struct nl80211_wowlan_tcp_data_token: tokens in the payload; the tokens follow."""

    offset: int = u32()
    len: int = u32()
    token_stream: bytes = binary()


class nl80211_wowlan_tcp_data_token_feature(Message):
    """struct nl80211_wowlan_tcp_data_token_feature."""

    min_len: int = u32()
    max_len: int = u32()
    bufsize: int = u32()


class nl80211_bss_select_rssi_adjust(Message):
    """struct nl80211_bss_select_rssi_adjust: prefer a band, by so many dB."""

    band: Named[NL80211_BAND | int] = u8(enum=NL80211_BAND)
    delta: int = s8()


class nl80211_txrate_vht(Message):
    """struct nl80211_txrate_vht: a mask of rates for each number of streams."""

    mcs: tuple[int, ...] = scalars(u16(), length=8)


class nl80211_txrate_he(Message):
    """struct nl80211_txrate_he: a mask of rates for each number of streams."""

    mcs: tuple[int, ...] = scalars(u16(), length=8)


class nl80211_txrate_eht(Message):
    """struct nl80211_txrate_eht: a mask of rates for each number of streams."""

    mcs: tuple[int, ...] = scalars(u16(), length=16)


# --- what a device can do -------------------------------------------------------------------------


class IfTypes(Message):
    """Kinds of interfaces: NL80211_IFTYPE_*."""

    adhoc: bool = flag(1)
    station: bool = flag(2)
    ap: bool = flag(3)
    ap_vlan: bool = flag(4)
    wds: bool = flag(5)
    monitor: bool = flag(6)
    mesh_point: bool = flag(7)
    p2p_client: bool = flag(8)
    p2p_go: bool = flag(9)
    p2p_device: bool = flag(10)
    ocb: bool = flag(11)
    nan: bool = flag(12)
    nan_data: bool = flag(13)
    pd: bool = flag(14)


class FrameTypes(Message):
    """Types of management frames: NL80211_ATTR_FRAME_TYPE, the frame control field of a frame."""

    frame_type: tuple[int, ...] = repeated(101, u16())


class FramesByIfType(Message):
    """Types of management frames for each kind of interface: NL80211_IFTYPE_*."""

    unspecified: Nested[FrameTypes] = nest(0, FrameTypes)
    adhoc: Nested[FrameTypes] = nest(1, FrameTypes)
    station: Nested[FrameTypes] = nest(2, FrameTypes)
    ap: Nested[FrameTypes] = nest(3, FrameTypes)
    ap_vlan: Nested[FrameTypes] = nest(4, FrameTypes)
    wds: Nested[FrameTypes] = nest(5, FrameTypes)
    monitor: Nested[FrameTypes] = nest(6, FrameTypes)
    mesh_point: Nested[FrameTypes] = nest(7, FrameTypes)
    p2p_client: Nested[FrameTypes] = nest(8, FrameTypes)
    p2p_go: Nested[FrameTypes] = nest(9, FrameTypes)
    p2p_device: Nested[FrameTypes] = nest(10, FrameTypes)
    ocb: Nested[FrameTypes] = nest(11, FrameTypes)
    nan: Nested[FrameTypes] = nest(12, FrameTypes)
    nan_data: Nested[FrameTypes] = nest(13, FrameTypes)
    pd: Nested[FrameTypes] = nest(14, FrameTypes)


class WmmRule(Message):
    """Limits of a class of traffic: NL80211_WMMR_*. A TXOP is in microseconds."""

    cw_min: int | None = u16(1)
    cw_max: int | None = u16(2)
    aifsn: int | None = u8(3)
    txop: int | None = u16(4)


class Frequency(Message):
    """A channel: NL80211_FREQUENCY_ATTR_*.

    `freq` is MHz and `offset` kHz, power is mBm, times are ms (`cac_start_time` ns). `wmm` has one
    rule for each NL80211_AC.
    """

    freq: int | None = u32(1)
    disabled: bool = flag(2)
    no_ir: bool = flag(3)
    no_ibss: bool = flag(4)
    radar: bool = flag(5)
    max_tx_power: int | None = u32(6)
    dfs_state: Named[NL80211_DFS_STATE | int | None] = u32(7, enum=NL80211_DFS_STATE)
    dfs_time: int | None = u32(8)
    no_ht40_minus: bool = flag(9)
    no_ht40_plus: bool = flag(10)
    no_80mhz: bool = flag(11)
    no_160mhz: bool = flag(12)
    dfs_cac_time: int | None = u32(13)
    indoor_only: bool = flag(14)
    ir_concurrent: bool = flag(15)
    no_20mhz: bool = flag(16)
    no_10mhz: bool = flag(17)
    wmm: Several[WmmRule] = array(18, WmmRule)
    no_he: bool = flag(19)
    offset: int | None = u32(20)
    n1mhz: bool = flag(21)
    n2mhz: bool = flag(22)
    n4mhz: bool = flag(23)
    n8mhz: bool = flag(24)
    n16mhz: bool = flag(25)
    no_320mhz: bool = flag(26)
    no_eht: bool = flag(27)
    psd: int | None = s8(28)
    dfs_concurrent: bool = flag(29)
    no_6ghz_vlp_client: bool = flag(30)
    no_6ghz_afc_client: bool = flag(31)
    can_monitor: bool = flag(32)
    allow_6ghz_vlp_ap: bool = flag(33)
    allow_20mhz_activity: bool = flag(34)
    no_4mhz: bool = flag(35)
    no_8mhz: bool = flag(36)
    no_16mhz: bool = flag(37)
    s1g_no_primary: bool = flag(38)
    no_uhr: bool = flag(39)
    cac_start_time: int | None = u64(40)


class Bitrate(Message):
    """A rate without 802.11n: NL80211_BITRATE_ATTR_*. `rate` is in units of 100 kbit/s."""

    rate: int | None = u32(1)
    n2ghz_shortpreamble: bool = flag(2)


class BandIfType(Message):
    """Capabilities of kinds of interfaces in a band: NL80211_BAND_IFTYPE_ATTR_*."""

    iftypes: Nested[IfTypes] = nest(1, IfTypes)
    he_cap_mac: bytes | None = binary(2)
    he_cap_phy: bytes | None = binary(3)
    he_cap_mcs_set: bytes | None = binary(4)
    he_cap_ppe: bytes | None = binary(5)
    he_6ghz_capa: bytes | None = binary(6)
    vendor_elems: bytes | None = binary(7)
    eht_cap_mac: bytes | None = binary(8)
    eht_cap_phy: bytes | None = binary(9)
    eht_cap_mcs_set: bytes | None = binary(10)
    eht_cap_ppe: bytes | None = binary(11)
    uhr_cap_mac: bytes | None = binary(12)
    uhr_cap_phy: bytes | None = binary(13)


class Band(Message):
    """Capabilities in a band: NL80211_BAND_ATTR_*."""

    freqs: Several[Frequency] = array(1, Frequency)
    rates: Several[Bitrate] = array(2, Bitrate)
    ht_mcs_set: bytes | None = binary(3)
    ht_capa: int | None = u16(4)
    ht_ampdu_factor: int | None = u8(5)
    ht_ampdu_density: int | None = u8(6)
    vht_mcs_set: bytes | None = binary(7)
    vht_capa: int | None = u32(8)
    iftype_data: Several[BandIfType] = array(9, BandIfType, first=1)
    edmg_channels: int | None = u8(10)
    edmg_bw_config: int | None = u8(11)
    s1g_mcs_nss_set: bytes | None = binary(12)
    s1g_capa: bytes | None = binary(13)


class Bands(Message):
    """Capabilities by band: NL80211_BAND_*."""

    n2ghz: Nested[Band] = nest(0, Band)
    n5ghz: Nested[Band] = nest(1, Band)
    n60ghz: Nested[Band] = nest(2, Band)
    n6ghz: Nested[Band] = nest(3, Band)
    s1ghz: Nested[Band] = nest(4, Band)
    lc: Nested[Band] = nest(5, Band)


class IfLimit(Message):
    """At most `max` interfaces of these kinds: NL80211_IFACE_LIMIT_*."""

    max: int | None = u32(1)
    types: Nested[IfTypes] = nest(2, IfTypes)


class IfCombination(Message):
    """Interfaces that can exist together: NL80211_IFACE_COMB_*."""

    limits: Several[IfLimit] = array(1, IfLimit, first=1)
    maxnum: int | None = u32(2)
    sta_ap_bi_match: bool = flag(3)
    num_channels: int | None = u32(4)
    radar_detect_widths: int | None = u32(5)
    radar_detect_regions: int | None = u32(6)
    bi_min_gcd: int | None = u32(7)


class RadioRange(Message):
    """Frequencies of a radio in kHz: NL80211_WIPHY_RADIO_FREQ_ATTR_*."""

    start: int | None = u32(1)
    end: int | None = u32(2)


class Radio(Message):
    """One of several radios of a device: NL80211_WIPHY_RADIO_ATTR_*."""

    index: int | None = u32(1)
    freq_range: Several[RadioRange] = repeated(2, RadioRange)
    interface_combination: Several[IfCombination] = repeated(3, IfCombination)
    antenna_mask: int | None = u32(4)
    rts_threshold: int | None = u32(5)


class IfTypeSuites(Message):
    """AKM suites of kinds of interfaces: NL80211_IFTYPE_AKM_ATTR_*."""

    iftypes: Nested[IfTypes] = nest(1, IfTypes)
    suites: tuple[Suite, ...] | None = scalars(2, u32(enum=Suite))


class TxqStats(Message):
    """Counters of a transmit queue: NL80211_TXQ_STATS_*."""

    backlog_bytes: int | None = u32(1)
    backlog_packets: int | None = u32(2)
    flows: int | None = u32(3)
    drops: int | None = u32(4)
    ecn_marks: int | None = u32(5)
    overlimit: int | None = u32(6)
    overmemory: int | None = u32(7)
    collisions: int | None = u32(8)
    tx_bytes: int | None = u32(9)
    tx_packets: int | None = u32(10)
    max_flows: int | None = u32(11)


class BssSelectSupport(Message):
    """Ways to choose a BSS that a device offers: NL80211_BSS_SELECT_ATTR_*."""

    rssi: bool = flag(1)
    band_pref: bool = flag(2)
    rssi_adjust: bool = flag(3)


class BssSelect(Message):
    """How a device chooses a BSS: NL80211_BSS_SELECT_ATTR_*."""

    rssi: bool = flag(1)
    band_pref: Named[NL80211_BAND | int | None] = u32(2, enum=NL80211_BAND)
    rssi_adjust: Nested[nl80211_bss_select_rssi_adjust] = struct(3, nl80211_bss_select_rssi_adjust)


class SarRange(Message):
    """A limit of transmit power: NL80211_SAR_ATTR_SPECS_*.

    `power` is in units of 0.25 dBm, frequencies are kHz.
    """

    power: int | None = s32(1)
    range_index: int | None = u32(2)
    start_freq: int | None = u32(3)
    end_freq: int | None = u32(4)


class Sar(Message):
    """Limits of transmit power: NL80211_SAR_ATTR_*."""

    type: Named[NL80211_SAR_TYPE | int | None] = u32(1, enum=NL80211_SAR_TYPE)
    specs: Several[SarRange] = array(2, SarRange, first=1)


# --- wake up on wireless LAN ----------------------------------------------------------------------


class PacketPattern(Message):
    """A pattern of packets: NL80211_PKTPAT_*. `mask` has one bit for each byte."""

    mask: bytes | None = binary(1)
    pattern: bytes | None = binary(2)
    offset: int | None = u32(3)


class WowlanTcpSupport(Message):
    """What a device offers for a TCP connection that wakes it: NL80211_WOWLAN_TCP_*."""

    data_payload: int | None = u32(6)
    data_payload_seq: bool = flag(7)
    data_payload_token: Nested[nl80211_wowlan_tcp_data_token_feature] = struct(
        8, nl80211_wowlan_tcp_data_token_feature
    )
    data_interval: int | None = u32(9)
    wake_payload: int | None = u32(10)


class WowlanTcp(Message):
    """A TCP connection that wakes the device: NL80211_WOWLAN_TCP_*.

    The interval is in seconds; `wake_mask` has one bit for each byte.
    """

    src_ipv4: Addr = address(1, size=4)
    dst_ipv4: Addr = address(2, size=4)
    dst_mac: str | None = schema.mac(3, size=6, least=6)
    src_port: int | None = u16(4)
    dst_port: int | None = u16(5)
    data_payload: bytes | None = binary(6, least=1)
    data_payload_seq: Nested[nl80211_wowlan_tcp_data_seq] = struct(7, nl80211_wowlan_tcp_data_seq)
    data_payload_token: Nested[nl80211_wowlan_tcp_data_token] = struct(
        8, nl80211_wowlan_tcp_data_token
    )
    data_interval: int | None = u32(9)
    wake_payload: bytes | None = binary(10, least=1)
    wake_mask: bytes | None = binary(11, least=1)


class WowlanSupport(Message):
    """Triggers that can wake a device: NL80211_WOWLAN_TRIG_*.

    `net_detect` is how many networks it can look for.
    """

    any: bool = flag(1)
    disconnect: bool = flag(2)
    magic_pkt: bool = flag(3)
    pkt_pattern: Nested[nl80211_pattern_support] = struct(4, nl80211_pattern_support)
    gtk_rekey_supported: bool = flag(5)
    gtk_rekey_failure: bool = flag(6)
    eap_ident_request: bool = flag(7)
    n4way_handshake: bool = flag(8)
    rfkill_release: bool = flag(9)
    tcp_connection: Nested[WowlanTcpSupport] = nest(14, WowlanTcpSupport)
    net_detect: int | None = u32(18)


class Wowlan(Message):
    """Triggers that are to wake a device: NL80211_WOWLAN_TRIG_*."""

    any: bool = flag(1)
    disconnect: bool = flag(2)
    magic_pkt: bool = flag(3)
    pkt_pattern: Several[PacketPattern] = array(4, PacketPattern, first=1)
    gtk_rekey_failure: bool = flag(6)
    eap_ident_request: bool = flag(7)
    n4way_handshake: bool = flag(8)
    rfkill_release: bool = flag(9)
    tcp_connection: Nested[WowlanTcp] = nest(14, WowlanTcp)
    net_detect: Nested[Wireless] = nest(18, lambda: Wireless)


class WakeReasons(Message):
    """What woke a device: NL80211_WOWLAN_TRIG_*.

    `pkt_pattern` is the number of the pattern that matched. A packet may be
    cut: its length is apart.
    """

    disconnect: bool = flag(2)
    magic_pkt: bool = flag(3)
    pkt_pattern: int | None = u32(4)
    gtk_rekey_failure: bool = flag(6)
    eap_ident_request: bool = flag(7)
    n4way_handshake: bool = flag(8)
    rfkill_release: bool = flag(9)
    wakeup_pkt_80211: bytes | None = binary(10)
    wakeup_pkt_80211_len: int | None = u32(11)
    wakeup_pkt_8023: bytes | None = binary(12)
    wakeup_pkt_8023_len: int | None = u32(13)
    wakeup_tcp_match: bool = flag(15)
    wakeup_tcp_connlost: bool = flag(16)
    wakeup_tcp_nomoretokens: bool = flag(17)
    net_detect_results: Several[Wireless] = array(19, lambda: Wireless)
    unprotected_deauth_disassoc: bool = flag(20)


class CoalesceRule(Message):
    """When packets are gathered: NL80211_ATTR_COALESCE_RULE_*. The delay is in ms."""

    delay: int | None = u32(1)
    condition: Named[NL80211_COALESCE_CONDITION | int | None] = u32(
        2, enum=NL80211_COALESCE_CONDITION
    )
    pkt_pattern: Several[PacketPattern] = array(3, PacketPattern, first=1)


# --- stations, BSSs, channels in use --------------------------------------------------------------


class RateInfo(Message):
    """A rate: NL80211_RATE_INFO_*.

    Both bit rates are in units of 100 kbit/s. The kernel leaves out `bitrate` if it exceeds 16
    bits: `bit_rate()` of this package reads either.
    """

    bitrate: int | None = u16(1)
    mcs: int | None = u8(2)
    n40_mhz_width: bool = flag(3)
    short_gi: bool = flag(4)
    bitrate32: int | None = u32(5)
    vht_mcs: int | None = u8(6)
    vht_nss: int | None = u8(7)
    n80_mhz_width: bool = flag(8)
    n80p80_mhz_width: bool = flag(9)
    n160_mhz_width: bool = flag(10)
    n10_mhz_width: bool = flag(11)
    n5_mhz_width: bool = flag(12)
    he_mcs: int | None = u8(13)
    he_nss: int | None = u8(14)
    he_gi: Named[NL80211_RATE_INFO_HE_GI | int | None] = u8(15, enum=NL80211_RATE_INFO_HE_GI)
    he_dcm: int | None = u8(16)
    he_ru_alloc: Named[NL80211_RATE_INFO_HE_RU_ALLOC | int | None] = u8(
        17, enum=NL80211_RATE_INFO_HE_RU_ALLOC
    )
    n320_mhz_width: bool = flag(18)
    eht_mcs: int | None = u8(19)
    eht_nss: int | None = u8(20)
    eht_gi: Named[NL80211_RATE_INFO_EHT_GI | int | None] = u8(21, enum=NL80211_RATE_INFO_EHT_GI)
    eht_ru_alloc: Named[NL80211_RATE_INFO_EHT_RU_ALLOC | int | None] = u8(
        22, enum=NL80211_RATE_INFO_EHT_RU_ALLOC
    )
    s1g_mcs: int | None = u8(23)
    s1g_nss: int | None = u8(24)
    n1_mhz_width: bool = flag(25)
    n2_mhz_width: bool = flag(26)
    n4_mhz_width: bool = flag(27)
    n8_mhz_width: bool = flag(28)
    n16_mhz_width: bool = flag(29)
    uhr_mcs: int | None = u8(30)
    uhr_elr: bool = flag(31)
    uhr_im: bool = flag(32)


class StaBssParam(Message):
    """What a station knows of its BSS: NL80211_STA_BSS_PARAM_*. The interval is in TU."""

    cts_prot: bool = flag(1)
    short_preamble: bool = flag(2)
    short_slot_time: bool = flag(3)
    dtim_period: int | None = u8(4)
    beacon_interval: int | None = u16(5)


class TidStats(Message):
    """Counters of a traffic class: NL80211_TID_STATS_*."""

    rx_msdu: int | None = u64(1)
    tx_msdu: int | None = u64(2)
    tx_msdu_retries: int | None = u64(3)
    tx_msdu_failed: int | None = u64(4)
    txq_stats: Nested[TxqStats] = nest(6, TxqStats)


class StaInfo(Message):
    """Counters and state of a station: NL80211_STA_INFO_*.

    Signals are dBm, `inactive_time` is ms, `connected_time` s, `assoc_at_boottime` ns, durations
    are microseconds. `tid_stats` has the traffic class plus 1 as its keys; 17 is for other frames.
    """

    inactive_time: int | None = u32(1)
    rx_bytes: int | None = u32(2)
    tx_bytes: int | None = u32(3)
    llid: int | None = u16(4)
    plid: int | None = u16(5)
    plink_state: Named[NL80211_PLINK | int | None] = u8(6, enum=NL80211_PLINK)
    signal: int | None = s8(7)
    tx_bitrate: Nested[RateInfo] = nest(8, RateInfo)
    rx_packets: int | None = u32(9)
    tx_packets: int | None = u32(10)
    tx_retries: int | None = u32(11)
    tx_failed: int | None = u32(12)
    signal_avg: int | None = s8(13)
    rx_bitrate: Nested[RateInfo] = nest(14, RateInfo)
    bss_param: Nested[StaBssParam] = nest(15, StaBssParam)
    connected_time: int | None = u32(16)
    sta_flags: Nested[nl80211_sta_flag_update] = struct(17, nl80211_sta_flag_update)
    beacon_loss: int | None = u32(18)
    t_offset: int | None = s64(19)
    local_pm: Named[NL80211_MESH_POWER | int | None] = u32(20, enum=NL80211_MESH_POWER)
    peer_pm: Named[NL80211_MESH_POWER | int | None] = u32(21, enum=NL80211_MESH_POWER)
    nonpeer_pm: Named[NL80211_MESH_POWER | int | None] = u32(22, enum=NL80211_MESH_POWER)
    rx_bytes64: int | None = u64(23)
    tx_bytes64: int | None = u64(24)
    chain_signal: tuple[int, ...] = array(25, s8())
    chain_signal_avg: tuple[int, ...] = array(26, s8())
    expected_throughput: int | None = u32(27)
    rx_drop_misc: int | None = u64(28)
    beacon_rx: int | None = u64(29)
    beacon_signal_avg: int | None = s8(30)
    tid_stats: dict[int, TidStats] | None = mapping(31, TidStats)
    rx_duration: int | None = u64(32)
    ack_signal: int | None = s8(34)
    ack_signal_avg: int | None = s8(35)
    rx_mpdus: int | None = u32(36)
    fcs_error_count: int | None = u32(37)
    connected_to_gate: int | None = u8(38)
    tx_duration: int | None = u64(39)
    airtime_weight: int | None = u16(40)
    airtime_link_metric: int | None = u32(41)
    assoc_at_boottime: int | None = u64(42)
    connected_to_as: int | None = u8(43)


class StaFlags(Message):
    """Flags of a station in a request: NL80211_STA_FLAG_*."""

    authorized: bool = flag(1)
    short_preamble: bool = flag(2)
    wme: bool = flag(3)
    mfp: bool = flag(4)
    authenticated: bool = flag(5)
    tdls_peer: bool = flag(6)
    associated: bool = flag(7)
    spp_amsdu: bool = flag(8)


class StaWme(Message):
    """Power save of a station: NL80211_STA_WME_*."""

    uapsd_queues: int | None = u8(1)
    max_sp: int | None = u8(2)


class Bss(Message):
    """A network that was found: NL80211_BSS_*.

    The frequency is MHz, its offset kHz, the interval TU (1.024 ms), `signal_mbm` 1/100 dBm,
    `signal_unspec` 0 to 100, `last_seen_boottime` ns. `information_elements` are those of the probe
    response if there was one (`presp_data`), else of the beacon.
    """

    bssid: str | None = mac(1, size=6, least=6)
    frequency: int | None = u32(2)
    tsf: int | None = u64(3)
    beacon_interval: int | None = u16(4)
    capability: int | None = u16(5)
    information_elements: bytes | None = binary(6)
    signal_mbm: int | None = s32(7)
    signal_unspec: int | None = u8(8)
    status: Named[NL80211_BSS_STATUS | int | None] = u32(9, enum=NL80211_BSS_STATUS)
    seen_ms_ago: int | None = u32(10)
    beacon_ies: bytes | None = binary(11)
    chan_width: Named[NL80211_BSS_CHAN_WIDTH | int | None] = u32(12, enum=NL80211_BSS_CHAN_WIDTH)
    beacon_tsf: int | None = u64(13)
    presp_data: bool = flag(14)
    last_seen_boottime: int | None = u64(15)
    parent_tsf: int | None = u64(17)
    parent_bssid: str | None = mac(18, size=6, least=6)
    chain_signal: tuple[int, ...] = array(19, s8())
    frequency_offset: int | None = u32(20)
    mlo_link_id: int | None = u8(21)
    mld_addr: str | None = mac(22, size=6, least=6)
    use_for: Named[NL80211_BSS_USE_FOR | int | None] = u32(23, enum=NL80211_BSS_USE_FOR)
    cannot_use_reasons: Named[NL80211_BSS_CANNOT_USE | int | None] = u64(
        24, enum=NL80211_BSS_CANNOT_USE
    )


class SurveyInfo(Message):
    """How busy a channel is: NL80211_SURVEY_INFO_*.

    The frequency is MHz, its offset kHz, noise dBm, and times are ms.
    """

    frequency: int | None = u32(1)
    noise: int | None = s8(2)
    in_use: bool = flag(3)
    time: int | None = u64(4)
    time_busy: int | None = u64(5)
    time_ext_busy: int | None = u64(6)
    time_rx: int | None = u64(7)
    time_tx: int | None = u64(8)
    time_scan: int | None = u64(9)
    time_bss_rx: int | None = u64(11)
    frequency_offset: int | None = u32(12)


class MpathInfo(Message):
    """A mesh path: NL80211_MPATH_INFO_*. Times are ms."""

    frame_qlen: int | None = u32(1)
    sn: int | None = u32(2)
    metric: int | None = u32(3)
    exptime: int | None = u32(4)
    flags: Named[NL80211_MPATH_FLAG | int | None] = u8(5, enum=NL80211_MPATH_FLAG)
    discovery_timeout: int | None = u32(6)
    discovery_retries: int | None = u8(7)
    hop_count: int | None = u8(8)
    path_change: int | None = u32(9)


class FtmStats(Message):
    """Counters of a responder of distance measurements: NL80211_FTM_STATS_*."""

    success_num: int | None = u32(1)
    partial_num: int | None = u32(2)
    failed_num: int | None = u32(3)
    asap_num: int | None = u32(4)
    non_asap_num: int | None = u32(5)
    total_duration_msec: int | None = u64(6)
    unknown_triggers_num: int | None = u32(7)
    reschedule_requests_num: int | None = u32(8)
    out_of_window_triggers_num: int | None = u32(9)


class RegRule(Message):
    """A regulatory rule: NL80211_ATTR_*. Frequencies are kHz, gain mBi, power mBm, time ms."""

    reg_rule_flags: Named[NL80211_RRF | int | None] = u32(1, enum=NL80211_RRF)
    freq_range_start: int | None = u32(2)
    freq_range_end: int | None = u32(3)
    freq_range_max_bw: int | None = u32(4)
    power_rule_max_ant_gain: int | None = u32(5)
    power_rule_max_eirp: int | None = u32(6)
    dfs_cac_time: int | None = u32(7)
    power_rule_psd: int | None = s8(8)


# --- requests -------------------------------------------------------------------------------------


class KeyDefaultTypes(Message):
    """What a default key is for: NL80211_KEY_DEFAULT_TYPE_*."""

    unicast: bool = flag(1)
    multicast: bool = flag(2)


class Key(Message):
    """A key: NL80211_KEY_*."""

    data: bytes | None = binary(1, size=32)
    idx: int | None = u8(2)
    cipher: Named[Suite | None] = u32(3, enum=Suite)
    seq: bytes | None = binary(4, size=16)
    default: bool = flag(5)
    default_mgmt: bool = flag(6)
    type: Named[NL80211_KEYTYPE | int | None] = u32(7, enum=NL80211_KEYTYPE)
    default_types: Nested[KeyDefaultTypes] = nest(8, KeyDefaultTypes)
    mode: Named[NL80211_KEY_MODE | int | None] = u8(9, enum=NL80211_KEY_MODE)
    default_beacon: bool = flag(10)
    ltf_seed: bytes | None = binary(11)


class MonitorFlags(Message):
    """What a monitor shows: NL80211_MNTR_FLAG_*."""

    fcsfail: bool = flag(1)
    plcpfail: bool = flag(2)
    control: bool = flag(3)
    other_bss: bool = flag(4)
    cook_frames: bool = flag(5)
    active: bool = flag(6)
    skip_tx: bool = flag(7)


class MeshConfig(Message):
    """Parameters of a mesh: NL80211_MESHCONF_*.

    Times are ms, except `hwmp_*` intervals and path timeouts in TU (1.024 ms), and
    `plink_timeout` in s.
    """

    retry_timeout: int | None = u16(1)
    confirm_timeout: int | None = u16(2)
    holding_timeout: int | None = u16(3)
    max_peer_links: int | None = u16(4)
    max_retries: int | None = u8(5)
    ttl: int | None = u8(6)
    auto_open_plinks: int | None = u8(7)
    hwmp_max_preq_retries: int | None = u8(8)
    path_refresh_time: int | None = u32(9)
    min_discovery_timeout: int | None = u16(10)
    hwmp_active_path_timeout: int | None = u32(11)
    hwmp_preq_min_interval: int | None = u16(12)
    hwmp_net_diam_trvs_time: int | None = u16(13)
    hwmp_rootmode: int | None = u8(14)
    element_ttl: int | None = u8(15)
    hwmp_rann_interval: int | None = u16(16)
    gate_announcements: int | None = u8(17)
    hwmp_perr_min_interval: int | None = u16(18)
    forwarding: int | None = u8(19)
    rssi_threshold: int | None = s32(20)
    sync_offset_max_neighbor: int | None = u32(21)
    ht_opmode: int | None = u16(22)
    hwmp_path_to_root_timeout: int | None = u32(23)
    hwmp_root_interval: int | None = u16(24)
    hwmp_confirmation_interval: int | None = u16(25)
    power_mode: Named[NL80211_MESH_POWER | int | None] = u32(26, enum=NL80211_MESH_POWER)
    awake_window: int | None = u16(27)
    plink_timeout: int | None = u32(28)
    connected_to_gate: int | None = u8(29)
    nolearn: int | None = u8(30)
    connected_to_as: int | None = u8(31)


class MeshSetup(Message):
    """How a mesh is joined: NL80211_MESH_SETUP_*."""

    enable_vendor_path_sel: int | None = u8(1)
    enable_vendor_metric: int | None = u8(2)
    ie: bytes | None = binary(3)
    userspace_auth: bool = flag(4)
    userspace_ampe: bool = flag(5)
    enable_vendor_sync: int | None = u8(6)
    userspace_mpm: bool = flag(7)
    auth_protocol: int | None = u8(8)


class TxqParams(Message):
    """Parameters of a class of traffic: NL80211_TXQ_ATTR_*."""

    ac: Named[NL80211_AC | int | None] = u8(1, enum=NL80211_AC)
    txop: int | None = u16(2)
    cwmin: int | None = u16(3)
    cwmax: int | None = u16(4)
    aifs: int | None = u8(5)


class Cqm(Message):
    """Monitoring of a connection: NL80211_ATTR_CQM_*.

    A request has one threshold in dBm, or several in ascending order. Intervals are s.
    """

    rssi_thold: tuple[int, ...] | None = scalars(1, s32())
    rssi_hyst: int | None = u32(2)
    rssi_threshold_event: Named[NL80211_CQM_RSSI | int | None] = u32(3, enum=NL80211_CQM_RSSI)
    pkt_loss_event: int | None = u32(4)
    txe_rate: int | None = u32(5)
    txe_pkts: int | None = u32(6)
    txe_intvl: int | None = u32(7)
    beacon_loss_event: bool = flag(8)
    rssi_level: int | None = s32(9)


class TxRates(Message):
    """Rates that may be used in a band: NL80211_TXRATE_*.

    `legacy` has bytes in units of 500 kbit/s, `ht` has bytes with the numbers of rates (MCS).
    """

    legacy: bytes | None = binary(1, size=32)
    ht: bytes | None = binary(2, size=77)
    vht: Nested[nl80211_txrate_vht] = struct(3, nl80211_txrate_vht)
    gi: Named[NL80211_TXRATE_GI | int | None] = u8(4, enum=NL80211_TXRATE_GI)
    he: Nested[nl80211_txrate_he] = struct(5, nl80211_txrate_he)
    he_gi: Named[NL80211_RATE_INFO_HE_GI | int | None] = u8(6, enum=NL80211_RATE_INFO_HE_GI)
    he_ltf: Named[NL80211_RATE_INFO_HE | int | None] = u8(7, enum=NL80211_RATE_INFO_HE)
    eht: Nested[nl80211_txrate_eht] = struct(8, nl80211_txrate_eht)
    eht_gi: Named[NL80211_RATE_INFO_EHT_GI | int | None] = u8(9, enum=NL80211_RATE_INFO_EHT_GI)
    eht_ltf: Named[NL80211_RATE_INFO_EHT | int | None] = u8(10, enum=NL80211_RATE_INFO_EHT)


class TidConfig(Message):
    """Settings of traffic classes: NL80211_TID_CONFIG_ATTR_*. `tids` is a mask."""

    vif_supp: int | None = u64(2)
    peer_supp: int | None = u64(3)
    override: bool = flag(4)
    tids: int | None = u16(5)
    noack: Named[NL80211_TID_CONFIG | int | None] = u8(6, enum=NL80211_TID_CONFIG)
    retry_short: int | None = u8(7)
    retry_long: int | None = u8(8)
    ampdu_ctrl: Named[NL80211_TID_CONFIG | int | None] = u8(9, enum=NL80211_TID_CONFIG)
    rtscts_ctrl: Named[NL80211_TID_CONFIG | int | None] = u8(10, enum=NL80211_TID_CONFIG)
    amsdu_ctrl: Named[NL80211_TID_CONFIG | int | None] = u8(11, enum=NL80211_TID_CONFIG)
    tx_rate_type: Named[NL80211_TX_RATE | int | None] = u8(12, enum=NL80211_TX_RATE)
    tx_rate: dict[int, TxRates] | None = mapping(13, TxRates, enum=NL80211_BAND)


class SchedScanMatch(Message):
    """A network to look for: NL80211_SCHED_SCAN_MATCH_ATTR_* and NL80211_SCHED_SCAN_MATCH_*."""

    ssid: bytes | None = binary(1, size=32)
    rssi: int | None = s32(2)
    relative_rssi: int | None = s8(3)
    rssi_adjust: Nested[nl80211_bss_select_rssi_adjust] = struct(4, nl80211_bss_select_rssi_adjust)
    bssid: str | None = mac(5, size=6, least=6)
    per_band_rssi: dict[int, int] | None = mapping(6, s32(), enum=NL80211_BAND)


class SchedScanPlan(Message):
    """How often to scan: NL80211_SCHED_SCAN_PLAN_*. The interval is in s."""

    interval: int | None = u32(1)
    iterations: int | None = u32(2)


class RekeyData(Message):
    """Keys for a device that answers in the host's place: NL80211_REKEY_DATA_*."""

    kek: bytes | None = binary(1, size=32)
    kck: bytes | None = binary(2, size=32)
    replay_ctr: bytes | None = binary(3, size=8, least=8)
    akm: Named[Suite | None] = u32(4, enum=Suite)


class PmksaCandidate(Message):
    """An access point for early authentication: NL80211_PMKSA_CANDIDATE_*."""

    index: int | None = u32(1)
    bssid: str | None = mac(2, size=6, least=6)
    preauth: bool = flag(3)


class FtmResponder(Message):
    """A responder of distance measurements: NL80211_FTM_RESP_ATTR_*."""

    enabled: bool = flag(1)
    lci: bytes | None = binary(2, size=255)
    civicloc: bytes | None = binary(3, size=255)


class HeObssPd(Message):
    """Reuse of a channel beside other networks: NL80211_HE_OBSS_PD_ATTR_*."""

    min_offset: int | None = u8(1)
    max_offset: int | None = u8(2)
    non_srg_max_offset: int | None = u8(3)
    bss_color_bitmap: bytes | None = binary(4, size=8, least=8)
    partial_bssid_bitmap: bytes | None = binary(5, size=8, least=8)
    sr_ctrl: int | None = u8(6)


class HeBssColor(Message):
    """The colour of a BSS: NL80211_HE_BSS_COLOR_ATTR_*."""

    color: int | None = u8(1)
    disabled: bool = flag(2)
    partial: bool = flag(3)


class FilsDiscovery(Message):
    """Frames that announce an access point: NL80211_FILS_DISCOVERY_ATTR_*. Intervals are TU."""

    int_min: int | None = u32(1)
    int_max: int | None = u32(2)
    tmpl: bytes | None = binary(3, size=2304, least=42)


class UnsolBcastProbeResp(Message):
    """Probe responses without a request: NL80211_UNSOL_BCAST_PROBE_RESP_ATTR_*."""

    int: int | None = u32(1)
    tmpl: bytes | None = binary(2, size=2304)


class MbssidConfig(Message):
    """One of several networks of an access point: NL80211_MBSSID_CONFIG_ATTR_*."""

    max_interfaces: int | None = u8(1)
    max_ema_profile_periodicity: int | None = u8(2)
    index: int | None = u8(3)
    tx_ifindex: int | None = u32(4)
    ema: bool = flag(5)
    tx_link_id: int | None = u8(6)


class S1gShortBeacon(Message):
    """A short beacon of 802.11ah: NL80211_S1G_SHORT_BEACON_ATTR_*."""

    head: bytes | None = binary(1)
    tail: bytes | None = binary(2)


# --- neighbour awareness networking (NAN) ---------------------------------------------------------


class NanFilter(Message):
    """Which devices may answer: NL80211_NAN_SRF_*."""

    include: bool = flag(1)
    bf: bytes | None = binary(2, size=255)
    bf_idx: int | None = u8(3)
    mac_addrs: tuple[str, ...] = array(4, mac(size=6, least=6))


class NanFunc(Message):
    """A service, published or searched: NL80211_NAN_FUNC_*. `ttl` counts discovery windows."""

    type: Named[NL80211_NAN_FUNC_TYPE | int | None] = u8(1, enum=NL80211_NAN_FUNC_TYPE)
    service_id: bytes | None = binary(2, size=6, least=6)
    publish_type: Named[NL80211_NAN | int | None] = u8(3, enum=NL80211_NAN)
    publish_bcast: bool = flag(4)
    subscribe_active: bool = flag(5)
    follow_up_id: int | None = u8(6)
    follow_up_req_id: int | None = u8(7)
    follow_up_dest: str | None = mac(8, size=6, least=6)
    close_range: bool = flag(9)
    ttl: int | None = u32(10)
    service_info: bytes | None = binary(11, size=255)
    srf: Nested[NanFilter] = nest(12, NanFilter)
    rx_match_filter: tuple[bytes, ...] = array(13, binary(size=255))
    tx_match_filter: tuple[bytes, ...] = array(14, binary(size=255))
    instance_id: int | None = u8(15)
    term_reason: Named[NL80211_NAN_FUNC_TERM_REASON | int | None] = u8(
        16, enum=NL80211_NAN_FUNC_TERM_REASON
    )


class NanMatch(Message):
    """A service that was found: NL80211_NAN_MATCH_FUNC_*."""

    local: Nested[NanFunc] = nest(1, NanFunc)
    peer: Nested[NanFunc] = nest(2, NanFunc)


class NanBandConf(Message):
    """Settings of NAN in a band: NL80211_NAN_BAND_CONF_*. The frequency is MHz, RSSI dBm."""

    band: Named[NL80211_BAND | int | None] = u8(1, enum=NL80211_BAND)
    freq: int | None = u16(2)
    rssi_close: int | None = s8(3)
    rssi_middle: int | None = s8(4)
    wake_dw: int | None = u8(5)
    disable_scan: bool = flag(6)


class NanConfig(Message):
    """Settings of NAN: NL80211_NAN_CONF_*."""

    cluster_id: str | None = mac(1, size=6, least=6)
    extra_attrs: bytes | None = binary(2)
    vendor_elems: bytes | None = binary(3)
    band_configs: Several[NanBandConf] = array(4, NanBandConf)
    scan_period: int | None = u16(5)
    scan_dwell_time: int | None = u16(6)
    discovery_beacon_interval: int | None = u8(7)
    notify_dw: bool = flag(8)


class NanPhy(Message):
    """What the radio of NAN can do: NL80211_NAN_PHY_CAP_ATTR_*."""

    ht_mcs_set: bytes | None = binary(1, size=16)
    ht_capa: int | None = u16(2)
    ht_ampdu_factor: int | None = u8(3)
    ht_ampdu_density: int | None = u8(4)
    vht_mcs_set: bytes | None = binary(5, size=8)
    vht_capa: int | None = u32(6)
    he_mac: bytes | None = binary(7)
    he_phy: bytes | None = binary(8)
    he_mcs_set: bytes | None = binary(9)
    he_ppe: bytes | None = binary(10)


class NanCapabilities(Message):
    """What a device can do for NAN: NL80211_NAN_CAPA_*."""

    configurable_sync: bool = flag(1)
    userspace_de: bool = flag(2)
    op_mode: int | None = u8(3)
    num_antennas: int | None = u8(4)
    max_channel_switch_time: int | None = u16(5)
    capabilities: int | None = u8(6)
    phy: Nested[NanPhy] = nest(7, NanPhy)


class NanPeerMap(Message):
    """A schedule of a peer: NL80211_NAN_PEER_MAP_ATTR_*. One byte for each slot of 16 TU."""

    map_id: int | None = u8(1)
    time_slots: bytes | None = binary(2, size=32, least=32)


# --- measurements of distances --------------------------------------------------------------------


class FtmRequest(Message):
    """A fine timing measurement: NL80211_PMSR_FTM_REQ_ATTR_*."""

    asap: bool = flag(1)
    preamble: Named[NL80211_PREAMBLE | int | None] = u32(2, enum=NL80211_PREAMBLE)
    num_bursts_exp: int | None = u8(3)
    burst_period: int | None = u16(4)
    burst_duration: int | None = u8(5)
    ftms_per_burst: int | None = u8(6)
    num_ftmr_retries: int | None = u8(7)
    request_lci: bool = flag(8)
    request_civicloc: bool = flag(9)
    trigger_based: bool = flag(10)
    non_trigger_based: bool = flag(11)
    lmr_feedback: bool = flag(12)
    bss_color: int | None = u8(13)
    rsta: bool = flag(14)
    min_time_between_measurements: int | None = u32(15)
    max_time_between_measurements: int | None = u32(16)
    nominal_time: int | None = u32(17)
    aw_duration: int | None = u32(18)
    num_measurements: int | None = u32(19)
    ingress: int | None = u64(21)
    egress: int | None = u64(22)
    pd_suppress_results: bool = flag(23)


class FtmResult(Message):
    """The result of a fine timing measurement: NL80211_PMSR_FTM_RESP_ATTR_*.

    Round trips are picoseconds, distances mm, signals dBm, `busy_retry_time` s.
    """

    fail_reason: Named[NL80211_PMSR_FTM_FAILURE | int | None] = u32(
        1, enum=NL80211_PMSR_FTM_FAILURE
    )
    burst_index: int | None = u16(2)
    num_ftmr_attempts: int | None = u32(3)
    num_ftmr_successes: int | None = u32(4)
    busy_retry_time: int | None = u32(5)
    num_bursts_exp: int | None = u8(6)
    burst_duration: int | None = u8(7)
    ftms_per_burst: int | None = u8(8)
    rssi_avg: int | None = s32(9)
    rssi_spread: int | None = s32(10)
    tx_rate: Nested[RateInfo] = nest(11, RateInfo)
    rx_rate: Nested[RateInfo] = nest(12, RateInfo)
    rtt_avg: int | None = s64(13)
    rtt_variance: int | None = u64(14)
    rtt_spread: int | None = u64(15)
    dist_avg: int | None = s64(16)
    dist_variance: int | None = u64(17)
    dist_spread: int | None = u64(18)
    lci: bytes | None = binary(19)
    civicloc: bytes | None = binary(20)
    burst_period: int | None = u32(22)
    tx_ltf_repetition_count: int | None = u32(23)
    rx_ltf_repetition_count: int | None = u32(24)
    max_time_between_measurements: int | None = u32(25)
    min_time_between_measurements: int | None = u32(26)
    num_tx_spatial_streams: int | None = u8(27)
    num_rx_spatial_streams: int | None = u8(28)
    nominal_time: int | None = u32(29)
    availability_window: int | None = u32(30)
    channel_width: Named[NL80211_CHAN_WIDTH | int | None] = u32(31, enum=NL80211_CHAN_WIDTH)
    preamble: Named[NL80211_PREAMBLE | int | None] = u32(32, enum=NL80211_PREAMBLE)
    is_delayed_lmr: bool = flag(33)


class FtmRole(Message):
    """Ways to measure in one role: NL80211_PMSR_FTM_CAPA_ATTR_*."""

    support_ntb: bool = flag(21)
    support_tb: bool = flag(22)
    support_edca: bool = flag(23)


class FtmTypes(Message):
    """Reasons to measure: NL80211_PMSR_FTM_TYPE_CAPA_ATTR_*."""

    infra_support: bool = flag(1)
    pd_support: bool = flag(2)


class FtmCapabilities(Message):
    """What a device can measure: NL80211_PMSR_FTM_CAPA_ATTR_*.

    `preambles` and `bandwidths` are masks of NL80211_PREAMBLE and NL80211_CHAN_WIDTH.
    """

    asap: bool = flag(1)
    non_asap: bool = flag(2)
    req_lci: bool = flag(3)
    req_civicloc: bool = flag(4)
    preambles: int | None = u32(5)
    bandwidths: int | None = u32(6)
    max_bursts_exponent: int | None = u32(7)
    max_ftms_per_burst: int | None = u32(8)
    trigger_based: bool = flag(9)
    non_trigger_based: bool = flag(10)
    n6ghz_support: bool = flag(11)
    max_tx_ltf_rep: int | None = u32(12)
    max_rx_ltf_rep: int | None = u32(13)
    max_tx_sts: int | None = u32(14)
    max_rx_sts: int | None = u32(15)
    max_total_ltf_tx: int | None = u32(16)
    max_total_ltf_rx: int | None = u32(17)
    rsta_support: bool = flag(18)
    ista_caps: Nested[FtmRole] = nest(19, FtmRole)
    rsta_caps: Nested[FtmRole] = nest(20, FtmRole)
    type_caps: Nested[FtmTypes] = nest(24, FtmTypes)
    concurrent_ista_rsta_support: bool = flag(25)
    max_num_tx_antennas: int | None = u8(26)
    max_num_rx_antennas: int | None = u8(27)
    min_interval_edca: int | None = u32(28)
    min_interval_ntb: int | None = u32(29)
    pd_preambles: int | None = u32(30)
    pd_bandwidths: int | None = u32(31)


class MeasurementTypes(Message):
    """Capabilities by NL80211_PMSR_TYPE_*."""

    ftm: Nested[FtmCapabilities] = nest(1, FtmCapabilities)


class MeasurementRequests(Message):
    """Requests by NL80211_PMSR_TYPE_*."""

    ftm: Nested[FtmRequest] = nest(1, FtmRequest)


class MeasurementResults(Message):
    """Results by NL80211_PMSR_TYPE_*."""

    ftm: Nested[FtmResult] = nest(1, FtmResult)


class PeerRequest(Message):
    """What to measure: NL80211_PMSR_REQ_ATTR_*."""

    data: Nested[MeasurementRequests] = nest(1, MeasurementRequests)
    get_ap_tsf: bool = flag(2)


class PeerResponse(Message):
    """What was measured: NL80211_PMSR_RESP_ATTR_*. Times are ns (host) and microseconds (TSF)."""

    data: Nested[MeasurementResults] = nest(1, MeasurementResults)
    status: Named[NL80211_PMSR_STATUS | int | None] = u32(2, enum=NL80211_PMSR_STATUS)
    host_time: int | None = u64(3)
    ap_tsf: int | None = u64(4)
    final: bool = flag(5)


class Peer(Message):
    """A peer of a measurement: NL80211_PMSR_PEER_ATTR_*. `chan` is its channel."""

    addr: str | None = mac(1, size=6, least=6)
    chan: Nested[Wireless] = nest(2, lambda: Wireless)
    req: Nested[PeerRequest] = nest(3, PeerRequest)
    resp: Nested[PeerResponse] = nest(4, PeerResponse)
    req_type: Named[NL80211_PMSR_FTM_REQ_TYPE | int | None] = u32(5, enum=NL80211_PMSR_FTM_REQ_TYPE)


class PeerMeasurements(Message):
    """Measurements with peers, and what a device can do: NL80211_PMSR_ATTR_*."""

    max_peers: int | None = u32(1)
    report_ap_tsf: bool = flag(2)
    randomize_mac_addr: bool = flag(3)
    type_capa: Nested[MeasurementTypes] = nest(4, MeasurementTypes)
    peers: Several[Peer] = array(5, Peer, first=1)
    max_peer_ista_role: int | None = u32(6)
    max_peer_rsta_role: int | None = u32(7)


# --- every command --------------------------------------------------------------------------------


class Wireless(Message):
    """Every attribute of a command, an answer or an event: NL80211_ATTR_*.

    - `wiphy` is the number of a device, `ifindex` that of a network interface. `wdev` identifies
      any interface, also one without a network interface (P2P device, NAN): wiphy << 32 | number.
    - Frequencies are MHz, their offsets kHz, and SCAN_FREQ_KHZ kHz. Power is mBm (1/100 dBm),
      intervals of beacons are TU (1.024 ms), durations ms, and times of the host ns.
    - `ie`, `req_ie`, `resp_ie` and `frame` are bytes; elements() of this package divides them.
    - Attributes after `vif_radio_mask` are newer than Linux 6.12. Their kinds are those of the
      patches that added them.
    """

    wiphy: int | None = u32(1)
    wiphy_name: str | None = string(2, size=20)
    ifindex: int | None = u32(3)
    ifname: str | None = string(4, size=IFNAMSIZ)
    iftype: Named[NL80211_IFTYPE | int | None] = u32(5, enum=NL80211_IFTYPE)
    mac: str | None = schema.mac(6, size=6, least=6)
    key_data: bytes | None = binary(7, size=32)
    key_idx: int | None = u8(8)
    key_cipher: Named[Suite | None] = u32(9, enum=Suite)
    key_seq: bytes | None = binary(10, size=16)
    key_default: bool = flag(11)
    beacon_interval: int | None = u32(12)
    dtim_period: int | None = u32(13)
    beacon_head: bytes | None = binary(14, size=2304)
    beacon_tail: bytes | None = binary(15, size=2304)
    sta_aid: int | None = u16(16)
    sta_flags: Nested[StaFlags] = nest(17, StaFlags)
    sta_listen_interval: int | None = u16(18)
    sta_supported_rates: bytes | None = binary(19, size=32)
    sta_vlan: int | None = u32(20)
    sta_info: Nested[StaInfo] = nest(21, StaInfo)
    wiphy_bands: Nested[Bands] = nest(22, Bands)
    mntr_flags: Nested[MonitorFlags] = nest(23, MonitorFlags)
    mesh_id: bytes | None = binary(24, size=32)
    sta_plink_action: Named[NL80211_PLINK_ACTION | int | None] = u8(25, enum=NL80211_PLINK_ACTION)
    mpath_next_hop: str | None = schema.mac(26, size=6, least=6)
    mpath_info: Nested[MpathInfo] = nest(27, MpathInfo)
    bss_cts_prot: int | None = u8(28)
    bss_short_preamble: int | None = u8(29)
    bss_short_slot_time: int | None = u8(30)
    ht_capability: bytes | None = binary(31, size=26, least=26)
    supported_iftypes: Nested[IfTypes] = nest(32, IfTypes)
    reg_alpha2: str | None = string(33, size=3)
    reg_rules: Several[RegRule] = array(34, RegRule)
    mesh_config: Nested[MeshConfig] = nest(35, MeshConfig)
    bss_basic_rates: bytes | None = binary(36, size=32)
    wiphy_txq_params: Several[TxqParams] = array(37, TxqParams)
    wiphy_freq: int | None = u32(38)
    wiphy_channel_type: Named[NL80211_CHAN | int | None] = u32(39, enum=NL80211_CHAN)
    key_default_mgmt: bool = flag(40)
    mgmt_subtype: int | None = u8(41)
    ie: bytes | None = binary(42, size=2304)
    max_num_scan_ssids: int | None = u8(43)
    scan_frequencies: tuple[int, ...] = array(44, u32())
    scan_ssids: tuple[bytes, ...] = array(45, binary(size=32))
    generation: int | None = u32(46)
    bss: Nested[Bss] = nest(47, Bss)
    reg_initiator: Named[NL80211_REGDOM_SET_BY | int | None] = u8(48, enum=NL80211_REGDOM_SET_BY)
    reg_type: Named[NL80211_REGDOM_TYPE | int | None] = u8(49, enum=NL80211_REGDOM_TYPE)
    supported_commands: tuple[NL80211_CMD | int, ...] = array(50, u32(enum=NL80211_CMD), first=1)
    frame: bytes | None = binary(51, size=2304)
    ssid: bytes | None = binary(52, size=32)
    auth_type: Named[NL80211_AUTHTYPE | int | None] = u32(53, enum=NL80211_AUTHTYPE)
    reason_code: int | None = u16(54)
    key_type: Named[NL80211_KEYTYPE | int | None] = u32(55, enum=NL80211_KEYTYPE)
    max_scan_ie_len: int | None = u16(56)
    cipher_suites: tuple[Suite, ...] | None = scalars(57, u32(enum=Suite))
    freq_before: Nested[Frequency] = nest(58, Frequency)
    freq_after: Nested[Frequency] = nest(59, Frequency)
    freq_fixed: bool = flag(60)
    wiphy_retry_short: int | None = u8(61)
    wiphy_retry_long: int | None = u8(62)
    wiphy_frag_threshold: int | None = u32(63)
    wiphy_rts_threshold: int | None = u32(64)
    timed_out: bool = flag(65)
    use_mfp: Named[NL80211_MFP | int | None] = u32(66, enum=NL80211_MFP)
    sta_flags2: Nested[nl80211_sta_flag_update] = struct(67, nl80211_sta_flag_update)
    control_port: bool = flag(68)
    testdata: bytes | None = binary(69)
    privacy: bool = flag(70)
    disconnected_by_ap: bool = flag(71)
    status_code: int | None = u16(72)
    cipher_suites_pairwise: tuple[Suite, ...] | None = scalars(73, u32(enum=Suite))
    cipher_suite_group: Named[Suite | None] = u32(74, enum=Suite)
    wpa_versions: Named[NL80211_WPA_VERSION | int | None] = u32(75, enum=NL80211_WPA_VERSION)
    akm_suites: tuple[Suite, ...] | None = scalars(76, u32(enum=Suite))
    req_ie: bytes | None = binary(77)
    resp_ie: bytes | None = binary(78)
    prev_bssid: str | None = schema.mac(79, size=6, least=6)
    key: Nested[Key] = nest(80, Key)
    keys_: Several[Key] = array(81, Key)
    pid: int | None = u32(82)
    n4addr: int | None = u8(83)
    survey_info: Nested[SurveyInfo] = nest(84, SurveyInfo)
    pmkid: bytes | None = binary(85, size=16, least=16)
    max_num_pmkids: int | None = u8(86)
    duration: int | None = u32(87)
    cookie: int | None = u64(88)
    wiphy_coverage_class: int | None = u8(89)
    tx_rates: dict[int, TxRates] | None = mapping(90, TxRates, enum=NL80211_BAND)
    frame_match: bytes | None = binary(91)
    ack: bool = flag(92)
    ps_state: Named[NL80211_PS | int | None] = u32(93, enum=NL80211_PS)
    cqm: Nested[Cqm] = nest(94, Cqm)
    local_state_change: bool = flag(95)
    ap_isolate: int | None = u8(96)
    wiphy_tx_power_setting: Named[NL80211_TX_POWER | int | None] = u32(97, enum=NL80211_TX_POWER)
    wiphy_tx_power_level: int | None = s32(98)
    tx_frame_types: Nested[FramesByIfType] = nest(99, FramesByIfType)
    rx_frame_types: Nested[FramesByIfType] = nest(100, FramesByIfType)
    frame_type: int | None = u16(101)
    control_port_ethertype: int | None = u16(102)
    control_port_no_encrypt: bool = flag(103)
    support_ibss_rsn: bool = flag(104)
    wiphy_antenna_tx: int | None = u32(105)
    wiphy_antenna_rx: int | None = u32(106)
    mcast_rate: int | None = u32(107)
    offchannel_tx_ok: bool = flag(108)
    bss_ht_opmode: int | None = u16(109)
    key_default_types: Nested[KeyDefaultTypes] = nest(110, KeyDefaultTypes)
    max_remain_on_channel_duration: int | None = u32(111)
    mesh_setup: Nested[MeshSetup] = nest(112, MeshSetup)
    wiphy_antenna_avail_tx: int | None = u32(113)
    wiphy_antenna_avail_rx: int | None = u32(114)
    support_mesh_auth: bool = flag(115)
    sta_plink_state: Named[NL80211_PLINK | int | None] = u8(116, enum=NL80211_PLINK)
    wowlan_triggers: Nested[Wowlan] = nest(117, Wowlan)
    wowlan_triggers_supported: Nested[WowlanSupport] = nest(118, WowlanSupport)
    sched_scan_interval: int | None = u32(119)
    interface_combinations: Several[IfCombination] = array(120, IfCombination, first=1)
    software_iftypes: Nested[IfTypes] = nest(121, IfTypes)
    rekey_data: Nested[RekeyData] = nest(122, RekeyData)
    max_num_sched_scan_ssids: int | None = u8(123)
    max_sched_scan_ie_len: int | None = u16(124)
    scan_supp_rates: dict[int, bytes] | None = mapping(125, binary(size=32), enum=NL80211_BAND)
    hidden_ssid: Named[NL80211_HIDDEN_SSID | int | None] = u32(126, enum=NL80211_HIDDEN_SSID)
    ie_probe_resp: bytes | None = binary(127, size=2304)
    ie_assoc_resp: bytes | None = binary(128, size=2304)
    sta_wme: Nested[StaWme] = nest(129, StaWme)
    support_ap_uapsd: bool = flag(130)
    roam_support: bool = flag(131)
    sched_scan_match: Several[SchedScanMatch] = array(132, SchedScanMatch)
    max_match_sets: int | None = u8(133)
    pmksa_candidate: Nested[PmksaCandidate] = nest(134, PmksaCandidate)
    tx_no_cck_rate: bool = flag(135)
    tdls_action: int | None = u8(136)
    tdls_dialog_token: int | None = u8(137)
    tdls_operation: Named[NL80211_TDLS | int | None] = u8(138, enum=NL80211_TDLS)
    tdls_support: bool = flag(139)
    tdls_external_setup: bool = flag(140)
    device_ap_sme: Named[NL80211_AP_SME_SA_QUERY | int | None] = u32(
        141, enum=NL80211_AP_SME_SA_QUERY
    )
    dont_wait_for_ack: bool = flag(142)
    feature_flags: Named[NL80211_FEATURE | int | None] = u32(143, enum=NL80211_FEATURE)
    probe_resp_offload: Named[NL80211_PROBE_RESP_OFFLOAD_SUPPORT | int | None] = u32(
        144, enum=NL80211_PROBE_RESP_OFFLOAD_SUPPORT
    )
    probe_resp: bytes | None = binary(145, size=2304)
    dfs_region: Named[NL80211_DFS_REGION | int | None] = u8(146, enum=NL80211_DFS_REGION)
    disable_ht: bool = flag(147)
    ht_capability_mask: bytes | None = binary(148, size=26, least=26)
    noack_map: int | None = u16(149)
    inactivity_timeout: int | None = u16(150)
    rx_signal_dbm: int | None = s32(151)
    bg_scan_period: int | None = u16(152)
    wdev: int | None = u64(153)
    user_reg_hint_type: Named[NL80211_USER_REG_HINT | int | None] = u32(
        154, enum=NL80211_USER_REG_HINT
    )
    conn_failed_reason: Named[NL80211_CONN_FAIL | int | None] = u32(155, enum=NL80211_CONN_FAIL)
    auth_data: bytes | None = binary(156, least=4)
    vht_capability: bytes | None = binary(157, size=12, least=12)
    scan_flags: Named[NL80211_SCAN_FLAG | int | None] = u32(158, enum=NL80211_SCAN_FLAG)
    channel_width: Named[NL80211_CHAN_WIDTH | int | None] = u32(159, enum=NL80211_CHAN_WIDTH)
    center_freq1: int | None = u32(160)
    center_freq2: int | None = u32(161)
    p2p_ctwindow: int | None = u8(162)
    p2p_oppps: int | None = u8(163)
    local_mesh_power_mode: Named[NL80211_MESH_POWER | int | None] = u32(
        164, enum=NL80211_MESH_POWER
    )
    acl_policy: Named[NL80211_ACL_POLICY | int | None] = u32(165, enum=NL80211_ACL_POLICY)
    mac_addrs: tuple[str, ...] = array(166, schema.mac(size=6, least=6))
    mac_acl_max: int | None = u32(167)
    radar_event: Named[NL80211_RADAR | int | None] = u32(168, enum=NL80211_RADAR)
    ext_capa: bytes | None = binary(169)
    ext_capa_mask: bytes | None = binary(170)
    sta_capability: int | None = u16(171)
    sta_ext_capability: bytes | None = binary(172)
    protocol_features: Named[NL80211_PROTOCOL_FEATURE | int | None] = u32(
        173, enum=NL80211_PROTOCOL_FEATURE
    )
    split_wiphy_dump: bool = flag(174)
    disable_vht: bool = flag(175)
    vht_capability_mask: bytes | None = binary(176, size=12, least=12)
    mdid: int | None = u16(177)
    ie_ric: bytes | None = binary(178, size=2304)
    crit_prot_id: Named[NL80211_CRIT_PROTO | int | None] = u16(179, enum=NL80211_CRIT_PROTO)
    max_crit_prot_duration: int | None = u16(180)
    peer_aid: int | None = u16(181)
    coalesce_rule: Several[CoalesceRule] = array(182, CoalesceRule, first=1)
    ch_switch_count: int | None = u32(183)
    ch_switch_block_tx: bool = flag(184)
    csa_ies: Nested[Wireless] = nest(185, lambda: Wireless)
    cntdwn_offs_beacon: tuple[int, ...] | None = scalars(186, u16())
    cntdwn_offs_presp: tuple[int, ...] | None = scalars(187, u16())
    rxmgmt_flags: Named[NL80211_RXMGMT_FLAG | int | None] = u32(188, enum=NL80211_RXMGMT_FLAG)
    sta_supported_channels: bytes | None = binary(189, least=2)
    sta_supported_oper_classes: bytes | None = binary(190, size=253, least=2)
    handle_dfs: bool = flag(191)
    support_5_mhz: bool = flag(192)
    support_10_mhz: bool = flag(193)
    opmode_notif: int | None = u8(194)
    vendor_id: int | None = u32(195)
    vendor_subcmd: int | None = u32(196)
    vendor_data: bytes | None = binary(197)
    vendor_events: Several[nl80211_vendor_cmd_info] = array(
        198, struct(nl80211_vendor_cmd_info), first=1
    )
    qos_map: bytes | None = binary(199, size=58, least=16)
    mac_hint: str | None = schema.mac(200, size=6, least=6)
    wiphy_freq_hint: int | None = u32(201)
    max_ap_assoc_sta: int | None = u32(202)
    tdls_peer_capability: Named[NL80211_TDLS_PEER | int | None] = u32(203, enum=NL80211_TDLS_PEER)
    socket_owner: bool = flag(204)
    csa_c_offsets_tx: tuple[int, ...] | None = scalars(205, u16())
    max_csa_counters: int | None = u8(206)
    tdls_initiator: bool = flag(207)
    use_rrm: bool = flag(208)
    wiphy_dyn_ack: bool = flag(209)
    tsid: int | None = u8(210)
    user_prio: int | None = u8(211)
    admitted_time: int | None = u16(212)
    smps_mode: Named[NL80211_SMPS | int | None] = u8(213, enum=NL80211_SMPS)
    oper_class: int | None = u8(214)
    mac_mask: str | None = schema.mac(215, size=6, least=6)
    wiphy_self_managed_reg: bool = flag(216)
    ext_features: bytes | None = binary(217)
    survey_radio_stats: bool = flag(218)
    netns_fd: int | None = u32(219)
    sched_scan_delay: int | None = u32(220)
    reg_indoor: bool = flag(221)
    max_num_sched_scan_plans: int | None = u32(222)
    max_scan_plan_interval: int | None = u32(223)
    max_scan_plan_iterations: int | None = u32(224)
    sched_scan_plans: Several[SchedScanPlan] = array(225, SchedScanPlan, first=1)
    pbss: bool = flag(226)
    bss_select: Nested[BssSelect] = nest(227, BssSelect)
    sta_support_p2p_ps: Named[NL80211_P2P_PS | int | None] = u8(228, enum=NL80211_P2P_PS)
    iftype_ext_capa: Several[Wireless] = array(230, lambda: Wireless)
    mu_mimo_group_data: bytes | None = binary(231, size=24, least=24)
    mu_mimo_follow_mac_addr: str | None = schema.mac(232, size=6, least=6)
    scan_start_time_tsf: int | None = u64(233)
    scan_start_time_tsf_bssid: str | None = schema.mac(234, size=6, least=6)
    measurement_duration: int | None = u16(235)
    measurement_duration_mandatory: bool = flag(236)
    mesh_peer_aid: int | None = u16(237)
    nan_master_pref: int | None = u8(238)
    bands: int | None = u32(239)
    nan_func: Nested[NanFunc] = nest(240, NanFunc)
    nan_match: Nested[NanMatch] = nest(241, NanMatch)
    fils_kek: bytes | None = binary(242, size=64)
    fils_nonces: bytes | None = binary(243, size=32, least=32)
    multicast_to_unicast_enabled: bool = flag(244)
    bssid: str | None = schema.mac(245, size=6, least=6)
    sched_scan_relative_rssi: int | None = s8(246)
    sched_scan_rssi_adjust: Nested[nl80211_bss_select_rssi_adjust] = struct(
        247, nl80211_bss_select_rssi_adjust
    )
    timeout_reason: Named[NL80211_TIMEOUT | int | None] = u32(248, enum=NL80211_TIMEOUT)
    fils_erp_username: bytes | None = binary(249, size=16)
    fils_erp_realm: bytes | None = binary(250, size=253)
    fils_erp_next_seq_num: int | None = u16(251)
    fils_erp_rrk: bytes | None = binary(252, size=64)
    fils_cache_id: bytes | None = binary(253, size=2, least=2)
    pmk: bytes | None = binary(254, size=64)
    sched_scan_multi: bool = flag(255)
    sched_scan_max_reqs: int | None = u32(256)
    want_1x_4way_hs: bool = flag(257)
    pmkr0_name: bytes | None = binary(258, size=16, least=16)
    port_authorized: bool = flag(259)
    external_auth_action: Named[NL80211_EXTERNAL_AUTH | int | None] = u32(
        260, enum=NL80211_EXTERNAL_AUTH
    )
    external_auth_support: bool = flag(261)
    nss: int | None = u8(262)
    ack_signal: int | None = s32(263)
    control_port_over_nl80211: bool = flag(264)
    txq_stats: Nested[TxqStats] = nest(265, TxqStats)
    txq_limit: int | None = u32(266)
    txq_memory_limit: int | None = u32(267)
    txq_quantum: int | None = u32(268)
    he_capability: bytes | None = binary(269, size=54)
    ftm_responder: Nested[FtmResponder] = nest(270, FtmResponder)
    ftm_responder_stats: Nested[FtmStats] = nest(271, FtmStats)
    timeout: int | None = u32(272)
    peer_measurements: Nested[PeerMeasurements] = nest(273, PeerMeasurements)
    airtime_weight: int | None = u16(274)
    sta_tx_power_setting: Named[NL80211_TX_POWER | int | None] = u8(275, enum=NL80211_TX_POWER)
    sta_tx_power: int | None = s16(276)
    sae_password: bytes | None = binary(277, size=128)
    twt_responder: bool = flag(278)
    he_obss_pd: Nested[HeObssPd] = nest(279, HeObssPd)
    wiphy_edmg_channels: int | None = u8(280)
    wiphy_edmg_bw_config: int | None = u8(281)
    vlan_id: int | None = u16(282)
    he_bss_color: Nested[HeBssColor] = nest(283, HeBssColor)
    iftype_akm_suites: Several[IfTypeSuites] = array(284, IfTypeSuites, first=1)
    tid_config: Several[TidConfig] = array(285, TidConfig)
    control_port_no_preauth: bool = flag(286)
    pmk_lifetime: int | None = u32(287)
    pmk_reauth_threshold: int | None = u8(288)
    receive_multicast: bool = flag(289)
    wiphy_freq_offset: int | None = u32(290)
    center_freq1_offset: int | None = u32(291)
    scan_freq_khz: tuple[int, ...] = array(292, u32())
    he_6ghz_capability: bytes | None = binary(293, size=2, least=2)
    fils_discovery: Nested[FilsDiscovery] = nest(294, FilsDiscovery)
    unsol_bcast_probe_resp: Nested[UnsolBcastProbeResp] = nest(295, UnsolBcastProbeResp)
    s1g_capability: bytes | None = binary(296, size=15, least=15)
    s1g_capability_mask: bytes | None = binary(297, size=15, least=15)
    sae_pwe: Named[NL80211_SAE_PWE | int | None] = u8(298, enum=NL80211_SAE_PWE)
    reconnect_requested: bool = flag(299)
    sar_spec: Nested[Sar] = nest(300, Sar)
    disable_he: bool = flag(301)
    obss_color_bitmap: int | None = u64(302)
    color_change_count: int | None = u8(303)
    color_change_color: int | None = u8(304)
    color_change_elems: Nested[Wireless] = nest(305, lambda: Wireless)
    mbssid_config: Nested[MbssidConfig] = nest(306, MbssidConfig)
    mbssid_elems: tuple[bytes, ...] = array(307, binary())
    radar_background: bool = flag(308)
    ap_settings_flags: Named[NL80211_AP_SETTINGS | int | None] = u32(309, enum=NL80211_AP_SETTINGS)
    eht_capability: bytes | None = binary(310, size=51, least=13)
    disable_eht: bool = flag(311)
    mlo_links: Several[Wireless] = array(312, lambda: Wireless, first=1)
    mlo_link_id: int | None = u8(313)
    mld_addr: str | None = schema.mac(314, size=6, least=6)
    mlo_support: bool = flag(315)
    max_num_akm_suites: int | None = u16(316)
    eml_capability: int | None = u16(317)
    mld_capa_and_ops: int | None = u16(318)
    tx_hw_timestamp: int | None = u64(319)
    rx_hw_timestamp: int | None = u64(320)
    td_bitmap: bytes | None = binary(321)
    punct_bitmap: int | None = u32(322)
    max_hw_timestamp_peers: int | None = u16(323)
    hw_timestamp_enabled: bool = flag(324)
    ema_rnr_elems: tuple[bytes, ...] = array(325, binary())
    mlo_link_disabled: bool = flag(326)
    bss_dump_include_use_data: bool = flag(327)
    mlo_ttlm_dlink: tuple[int, ...] | None = scalars(328, u16())
    mlo_ttlm_ulink: tuple[int, ...] | None = scalars(329, u16())
    assoc_spp_amsdu: bool = flag(330)
    wiphy_radios: Several[Radio] = array(331, Radio)
    wiphy_interface_combinations: Several[IfCombination] = array(332, IfCombination, first=1)
    vif_radio_mask: int | None = u32(333)
    supported_selectors: bytes | None = binary(334, size=128)
    mlo_reconf_rem_links: int | None = u16(335)
    epcs: bool = flag(336)
    ext_mld_capa_and_ops: int | None = u16(337)
    wiphy_radio_index: int | None = u8(338)
    s1g_long_beacon_period: int | None = u8(339)
    s1g_short_beacon: Nested[S1gShortBeacon] = nest(340, S1gShortBeacon)
    bss_param: bool = flag(341)
    nan_config: Nested[NanConfig] = nest(342, NanConfig)
    nan_new_cluster: bool = flag(343)
    nan_capabilities: Nested[NanCapabilities] = nest(344, NanCapabilities)
    s1g_primary_2mhz: bool = flag(345)
    epp_peer: bool = flag(346)
    uhr_capability: bytes | None = binary(347, size=255)
    disable_uhr: bool = flag(348)
    incumbent_signal_interference_bitmap: int | None = u32(349)
    uhr_operation: bytes | None = binary(350)
    nan_channel: Several[Wireless] = repeated(351, lambda: Wireless)
    nan_channel_entry: bytes | None = binary(352, size=6, least=6)
    nan_time_slots: bytes | None = binary(353, size=32, least=32)
    nan_rx_nss: int | None = u8(354)
    nan_avail_blob: bytes | None = binary(355, least=3)
    nan_sched_deferred: bool = flag(356)
    nan_sched_update_success: bool = flag(357)
    nan_nmi_mac: str | None = schema.mac(358, size=6, least=6)
    nan_ulw: bytes | None = binary(359)
    nan_committed_dw: int | None = u16(360)
    nan_seq_id: int | None = u8(361)
    nan_max_chan_switch_time: int | None = u16(362)
    nan_peer_maps: Several[NanPeerMap] = array(363, NanPeerMap)
    assoc_encrypted: bool = flag(364)
    npca_primary_freq: int | None = u32(365)
    npca_punct_bitmap: int | None = u32(366)


class Wiphy(Wireless):
    """A device: NL80211_ATTR_*. Some attributes differ from those of requests.

    `vendor_data` lists the commands of the vendor.
    """

    control_port_ethertype: bool = flag(102)
    coalesce_rule: Nested[nl80211_coalesce_rule_support] = struct(  # type: ignore[assignment]
        182, nl80211_coalesce_rule_support
    )
    vendor_data: Several[nl80211_vendor_cmd_info] = array(  # type: ignore[assignment]
        197, struct(nl80211_vendor_cmd_info), first=1
    )
    bss_select: Nested[BssSelectSupport] = nest(227, BssSelectSupport)  # type: ignore[assignment]
    tid_config: Nested[TidConfig] = nest(285, TidConfig)  # type: ignore[assignment]


class Wakeup(Wireless):
    """The event after a device was woken: NL80211_ATTR_*."""

    wowlan_triggers: Nested[WakeReasons] = nest(117, WakeReasons)  # type: ignore[assignment]


# --- requests for lists ---------------------------------------------------------------------------


class WiphyQuery(Message):
    """Which devices to list: NL80211_ATTR_*.

    Without `split_wiphy_dump` a dump has one message for each device, in which newer features are
    missing. With it, a device is divided into many messages: use the plan phys().
    """

    wiphy: int | None = u32(1)
    ifindex: int | None = u32(3)
    wdev: int | None = u64(153)
    split_wiphy_dump: bool = flag(174)


class InterfaceQuery(Message):
    """Which interfaces to list: NL80211_ATTR_*."""

    wiphy: int | None = u32(1)
    ifindex: int | None = u32(3)
    wdev: int | None = u64(153)


class StationQuery(Message):
    """Which stations or mesh paths to list: NL80211_ATTR_*. An interface is required."""

    ifindex: int | None = u32(3)
    mac: str | None = schema.mac(6, size=6, least=6)
    wdev: int | None = u64(153)
    mpath_next_hop: str | None = schema.mac(26, size=6, least=6)


class ScanQuery(Message):
    """Of which interface to list the networks found: NL80211_ATTR_*. An interface is required."""

    ifindex: int | None = u32(3)
    wdev: int | None = u64(153)
    bss_dump_include_use_data: bool = flag(327)


class SurveyQuery(Message):
    """Of which interface to list channels: NL80211_ATTR_*. An interface is required."""

    ifindex: int | None = u32(3)
    wdev: int | None = u64(153)
    survey_radio_stats: bool = flag(218)


class RegQuery(Message):
    """Of which device to ask the regulatory rules: NL80211_ATTR_*."""

    wiphy: int | None = u32(1)
    ifindex: int | None = u32(3)
    wdev: int | None = u64(153)
