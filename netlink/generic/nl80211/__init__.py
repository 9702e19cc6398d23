"""nl80211: wireless devices and interfaces, scans, stations, regulatory rules (linux/nl80211.h).

Numbers are those of Linux 7.2; an older kernel ignores attributes that it does not know. This file
has the ops, one for each command that a program may send, the family and its plans; messages.py
has the messages, and numbers.py the commands and other enumerations.

    with Connection(nl80211.FAMILY) as nl:
        for network in nl.do(nl80211.scan("wlan0")):
            print(network.bssid, network.ssid, network.signal)

Every answer, event and most requests are a Wireless, which has all attributes of the family. A
device, an interface, a station or the result of a scan is a Wireless with the attributes that fit.

- A device has a number, `wiphy`. Most commands want an interface: `ifindex`, or `wdev` for one
  without a network interface (a P2P device).
- Groups: "config", "scan", "regulatory", "mlme", "vendor", "nan", and "testmode" if the kernel was
  built with it. The kernel sends frames, and the ends of measurements, only to the socket that
  asked for them: they are events of that connection without a group.
- A command with `socket_owner` undoes its effect when the socket is closed.
"""

from __future__ import annotations

import errno
from collections.abc import Collection
from typing import NamedTuple

from netlink.errors import DumpInterrupted, KernelError, NetlinkError
from netlink.family import Family, Op, Steps, index_of, listen, plan, wait
from netlink.generic.nl80211.messages import (
    Bss,
    InterfaceQuery,
    MonitorFlags,
    RateInfo,
    RegQuery,
    ScanQuery,
    StationQuery,
    SurveyQuery,
    Wakeup,
    Wiphy,
    WiphyQuery,
    Wireless,
)
from netlink.generic.nl80211.numbers import (
    NL80211_CMD,
    NL80211_EXT_FEATURE,
    NL80211_IFTYPE,
    NL80211_SCAN_FLAG,
)
from netlink.schema import merge
from netlink.words import Words, names_of

SSID_SIZE = 32  # IEEE80211_MAX_SSID_LEN
EXTENSION = 255  # the ID of an element whose first byte is an extension of the ID
RETRIES = 3  # of a list that changed while the kernel sent it


get_wiphy = Op(
    "nl80211.get_wiphy",
    NL80211_CMD.NL80211_CMD_GET_WIPHY,
    WiphyQuery,
    reply=Wiphy,
    answer="one",
    reply_type=NL80211_CMD.NL80211_CMD_NEW_WIPHY,
)
set_wiphy = Op("nl80211.set_wiphy", NL80211_CMD.NL80211_CMD_SET_WIPHY, Wireless)
get_interface = Op(
    "nl80211.get_interface",
    NL80211_CMD.NL80211_CMD_GET_INTERFACE,
    InterfaceQuery,
    reply=Wireless,
    answer="one",
    reply_type=NL80211_CMD.NL80211_CMD_NEW_INTERFACE,
)
set_interface = Op("nl80211.set_interface", NL80211_CMD.NL80211_CMD_SET_INTERFACE, Wireless)
new_interface = Op(
    "nl80211.new_interface", NL80211_CMD.NL80211_CMD_NEW_INTERFACE, Wireless, answer="one"
)
del_interface = Op("nl80211.del_interface", NL80211_CMD.NL80211_CMD_DEL_INTERFACE, Wireless)
get_key = Op(
    "nl80211.get_key",
    NL80211_CMD.NL80211_CMD_GET_KEY,
    Wireless,
    answer="one",
    reply_type=NL80211_CMD.NL80211_CMD_NEW_KEY,
    dumps=False,
)
set_key = Op("nl80211.set_key", NL80211_CMD.NL80211_CMD_SET_KEY, Wireless)
new_key = Op("nl80211.new_key", NL80211_CMD.NL80211_CMD_NEW_KEY, Wireless)
del_key = Op("nl80211.del_key", NL80211_CMD.NL80211_CMD_DEL_KEY, Wireless)
set_beacon = Op("nl80211.set_beacon", NL80211_CMD.NL80211_CMD_SET_BEACON, Wireless)
start_ap = Op("nl80211.start_ap", NL80211_CMD.NL80211_CMD_START_AP, Wireless)
stop_ap = Op("nl80211.stop_ap", NL80211_CMD.NL80211_CMD_STOP_AP, Wireless)
get_station = Op(
    "nl80211.get_station",
    NL80211_CMD.NL80211_CMD_GET_STATION,
    StationQuery,
    reply=Wireless,
    answer="one",
    reply_type=NL80211_CMD.NL80211_CMD_NEW_STATION,
)
set_station = Op("nl80211.set_station", NL80211_CMD.NL80211_CMD_SET_STATION, Wireless)
new_station = Op("nl80211.new_station", NL80211_CMD.NL80211_CMD_NEW_STATION, Wireless)
del_station = Op("nl80211.del_station", NL80211_CMD.NL80211_CMD_DEL_STATION, Wireless)
get_mpath = Op(
    "nl80211.get_mpath",
    NL80211_CMD.NL80211_CMD_GET_MPATH,
    StationQuery,
    reply=Wireless,
    answer="one",
    reply_type=NL80211_CMD.NL80211_CMD_NEW_MPATH,
)
set_mpath = Op("nl80211.set_mpath", NL80211_CMD.NL80211_CMD_SET_MPATH, Wireless)
new_mpath = Op("nl80211.new_mpath", NL80211_CMD.NL80211_CMD_NEW_MPATH, Wireless)
del_mpath = Op("nl80211.del_mpath", NL80211_CMD.NL80211_CMD_DEL_MPATH, Wireless)
set_bss = Op("nl80211.set_bss", NL80211_CMD.NL80211_CMD_SET_BSS, Wireless)
set_reg = Op("nl80211.set_reg", NL80211_CMD.NL80211_CMD_SET_REG, Wireless)
req_set_reg = Op("nl80211.req_set_reg", NL80211_CMD.NL80211_CMD_REQ_SET_REG, Wireless)
get_mesh_config = Op(
    "nl80211.get_mesh_config",
    NL80211_CMD.NL80211_CMD_GET_MESH_CONFIG,
    InterfaceQuery,
    reply=Wireless,
    answer="one",
    dumps=False,
)
set_mesh_config = Op("nl80211.set_mesh_config", NL80211_CMD.NL80211_CMD_SET_MESH_CONFIG, Wireless)
get_reg = Op(
    "nl80211.get_reg", NL80211_CMD.NL80211_CMD_GET_REG, RegQuery, reply=Wireless, answer="one"
)
get_scan = Op(
    "nl80211.get_scan",
    NL80211_CMD.NL80211_CMD_GET_SCAN,
    ScanQuery,
    reply=Wireless,
    answer="several",
    reply_type=NL80211_CMD.NL80211_CMD_NEW_SCAN_RESULTS,
)
trigger_scan = Op("nl80211.trigger_scan", NL80211_CMD.NL80211_CMD_TRIGGER_SCAN, Wireless)
authenticate = Op("nl80211.authenticate", NL80211_CMD.NL80211_CMD_AUTHENTICATE, Wireless)
associate = Op("nl80211.associate", NL80211_CMD.NL80211_CMD_ASSOCIATE, Wireless)
deauthenticate = Op("nl80211.deauthenticate", NL80211_CMD.NL80211_CMD_DEAUTHENTICATE, Wireless)
disassociate = Op("nl80211.disassociate", NL80211_CMD.NL80211_CMD_DISASSOCIATE, Wireless)
join_ibss = Op("nl80211.join_ibss", NL80211_CMD.NL80211_CMD_JOIN_IBSS, Wireless)
leave_ibss = Op("nl80211.leave_ibss", NL80211_CMD.NL80211_CMD_LEAVE_IBSS, Wireless)
testmode = Op("nl80211.testmode", NL80211_CMD.NL80211_CMD_TESTMODE, Wireless, answer="several")
connect = Op("nl80211.connect", NL80211_CMD.NL80211_CMD_CONNECT, Wireless)
disconnect = Op("nl80211.disconnect", NL80211_CMD.NL80211_CMD_DISCONNECT, Wireless)
set_wiphy_netns = Op("nl80211.set_wiphy_netns", NL80211_CMD.NL80211_CMD_SET_WIPHY_NETNS, Wireless)
get_survey = Op(
    "nl80211.get_survey",
    NL80211_CMD.NL80211_CMD_GET_SURVEY,
    SurveyQuery,
    reply=Wireless,
    answer="several",
    reply_type=NL80211_CMD.NL80211_CMD_NEW_SURVEY_RESULTS,
)
set_pmksa = Op("nl80211.set_pmksa", NL80211_CMD.NL80211_CMD_SET_PMKSA, Wireless)
del_pmksa = Op("nl80211.del_pmksa", NL80211_CMD.NL80211_CMD_DEL_PMKSA, Wireless)
flush_pmksa = Op("nl80211.flush_pmksa", NL80211_CMD.NL80211_CMD_FLUSH_PMKSA, Wireless)
remain_on_channel = Op(
    "nl80211.remain_on_channel", NL80211_CMD.NL80211_CMD_REMAIN_ON_CHANNEL, Wireless, answer="one"
)
cancel_remain_on_channel = Op(
    "nl80211.cancel_remain_on_channel", NL80211_CMD.NL80211_CMD_CANCEL_REMAIN_ON_CHANNEL, Wireless
)
set_tx_bitrate_mask = Op(
    "nl80211.set_tx_bitrate_mask", NL80211_CMD.NL80211_CMD_SET_TX_BITRATE_MASK, Wireless
)
register_frame = Op("nl80211.register_frame", NL80211_CMD.NL80211_CMD_REGISTER_FRAME, Wireless)
frame = Op("nl80211.frame", NL80211_CMD.NL80211_CMD_FRAME, Wireless, answer="optional")
set_power_save = Op("nl80211.set_power_save", NL80211_CMD.NL80211_CMD_SET_POWER_SAVE, Wireless)
get_power_save = Op(
    "nl80211.get_power_save",
    NL80211_CMD.NL80211_CMD_GET_POWER_SAVE,
    InterfaceQuery,
    reply=Wireless,
    answer="one",
    dumps=False,
)
set_cqm = Op("nl80211.set_cqm", NL80211_CMD.NL80211_CMD_SET_CQM, Wireless)
set_channel = Op("nl80211.set_channel", NL80211_CMD.NL80211_CMD_SET_CHANNEL, Wireless)
frame_wait_cancel = Op(
    "nl80211.frame_wait_cancel", NL80211_CMD.NL80211_CMD_FRAME_WAIT_CANCEL, Wireless
)
join_mesh = Op("nl80211.join_mesh", NL80211_CMD.NL80211_CMD_JOIN_MESH, Wireless)
leave_mesh = Op("nl80211.leave_mesh", NL80211_CMD.NL80211_CMD_LEAVE_MESH, Wireless)
get_wowlan = Op(
    "nl80211.get_wowlan",
    NL80211_CMD.NL80211_CMD_GET_WOWLAN,
    InterfaceQuery,
    reply=Wireless,
    answer="one",
    dumps=False,
)
set_wowlan = Op("nl80211.set_wowlan", NL80211_CMD.NL80211_CMD_SET_WOWLAN, Wireless)
start_sched_scan = Op(
    "nl80211.start_sched_scan", NL80211_CMD.NL80211_CMD_START_SCHED_SCAN, Wireless
)
stop_sched_scan = Op("nl80211.stop_sched_scan", NL80211_CMD.NL80211_CMD_STOP_SCHED_SCAN, Wireless)
set_rekey_offload = Op(
    "nl80211.set_rekey_offload", NL80211_CMD.NL80211_CMD_SET_REKEY_OFFLOAD, Wireless
)
tdls_oper = Op("nl80211.tdls_oper", NL80211_CMD.NL80211_CMD_TDLS_OPER, Wireless)
tdls_mgmt = Op("nl80211.tdls_mgmt", NL80211_CMD.NL80211_CMD_TDLS_MGMT, Wireless)
unexpected_frame = Op(
    "nl80211.unexpected_frame", NL80211_CMD.NL80211_CMD_UNEXPECTED_FRAME, Wireless
)
probe_client = Op(
    "nl80211.probe_client", NL80211_CMD.NL80211_CMD_PROBE_CLIENT, Wireless, answer="one"
)
register_beacons = Op(
    "nl80211.register_beacons", NL80211_CMD.NL80211_CMD_REGISTER_BEACONS, Wireless
)
set_noack_map = Op("nl80211.set_noack_map", NL80211_CMD.NL80211_CMD_SET_NOACK_MAP, Wireless)
start_p2p_device = Op(
    "nl80211.start_p2p_device", NL80211_CMD.NL80211_CMD_START_P2P_DEVICE, Wireless
)
stop_p2p_device = Op("nl80211.stop_p2p_device", NL80211_CMD.NL80211_CMD_STOP_P2P_DEVICE, Wireless)
set_mcast_rate = Op("nl80211.set_mcast_rate", NL80211_CMD.NL80211_CMD_SET_MCAST_RATE, Wireless)
set_mac_acl = Op("nl80211.set_mac_acl", NL80211_CMD.NL80211_CMD_SET_MAC_ACL, Wireless)
radar_detect = Op("nl80211.radar_detect", NL80211_CMD.NL80211_CMD_RADAR_DETECT, Wireless)
get_protocol_features = Op(
    "nl80211.get_protocol_features",
    NL80211_CMD.NL80211_CMD_GET_PROTOCOL_FEATURES,
    RegQuery,
    reply=Wireless,
    answer="one",
    dumps=False,
)
update_ft_ies = Op("nl80211.update_ft_ies", NL80211_CMD.NL80211_CMD_UPDATE_FT_IES, Wireless)
crit_protocol_start = Op(
    "nl80211.crit_protocol_start", NL80211_CMD.NL80211_CMD_CRIT_PROTOCOL_START, Wireless
)
crit_protocol_stop = Op(
    "nl80211.crit_protocol_stop", NL80211_CMD.NL80211_CMD_CRIT_PROTOCOL_STOP, Wireless
)
get_coalesce = Op(
    "nl80211.get_coalesce",
    NL80211_CMD.NL80211_CMD_GET_COALESCE,
    InterfaceQuery,
    reply=Wireless,
    answer="one",
    dumps=False,
)
set_coalesce = Op("nl80211.set_coalesce", NL80211_CMD.NL80211_CMD_SET_COALESCE, Wireless)
channel_switch = Op("nl80211.channel_switch", NL80211_CMD.NL80211_CMD_CHANNEL_SWITCH, Wireless)
vendor = Op("nl80211.vendor", NL80211_CMD.NL80211_CMD_VENDOR, Wireless, answer="several")
set_qos_map = Op("nl80211.set_qos_map", NL80211_CMD.NL80211_CMD_SET_QOS_MAP, Wireless)
add_tx_ts = Op("nl80211.add_tx_ts", NL80211_CMD.NL80211_CMD_ADD_TX_TS, Wireless)
del_tx_ts = Op("nl80211.del_tx_ts", NL80211_CMD.NL80211_CMD_DEL_TX_TS, Wireless)
get_mpp = Op(
    "nl80211.get_mpp",
    NL80211_CMD.NL80211_CMD_GET_MPP,
    StationQuery,
    reply=Wireless,
    answer="one",
    reply_type=NL80211_CMD.NL80211_CMD_NEW_MPATH,
)
join_ocb = Op("nl80211.join_ocb", NL80211_CMD.NL80211_CMD_JOIN_OCB, Wireless)
leave_ocb = Op("nl80211.leave_ocb", NL80211_CMD.NL80211_CMD_LEAVE_OCB, Wireless)
tdls_channel_switch = Op(
    "nl80211.tdls_channel_switch", NL80211_CMD.NL80211_CMD_TDLS_CHANNEL_SWITCH, Wireless
)
tdls_cancel_channel_switch = Op(
    "nl80211.tdls_cancel_channel_switch",
    NL80211_CMD.NL80211_CMD_TDLS_CANCEL_CHANNEL_SWITCH,
    Wireless,
)
abort_scan = Op("nl80211.abort_scan", NL80211_CMD.NL80211_CMD_ABORT_SCAN, Wireless)
start_nan = Op("nl80211.start_nan", NL80211_CMD.NL80211_CMD_START_NAN, Wireless)
stop_nan = Op("nl80211.stop_nan", NL80211_CMD.NL80211_CMD_STOP_NAN, Wireless)
add_nan_function = Op(
    "nl80211.add_nan_function", NL80211_CMD.NL80211_CMD_ADD_NAN_FUNCTION, Wireless, answer="one"
)
del_nan_function = Op(
    "nl80211.del_nan_function", NL80211_CMD.NL80211_CMD_DEL_NAN_FUNCTION, Wireless
)
change_nan_config = Op(
    "nl80211.change_nan_config", NL80211_CMD.NL80211_CMD_CHANGE_NAN_CONFIG, Wireless
)
set_multicast_to_unicast = Op(
    "nl80211.set_multicast_to_unicast", NL80211_CMD.NL80211_CMD_SET_MULTICAST_TO_UNICAST, Wireless
)
update_connect_params = Op(
    "nl80211.update_connect_params", NL80211_CMD.NL80211_CMD_UPDATE_CONNECT_PARAMS, Wireless
)
set_pmk = Op("nl80211.set_pmk", NL80211_CMD.NL80211_CMD_SET_PMK, Wireless)
del_pmk = Op("nl80211.del_pmk", NL80211_CMD.NL80211_CMD_DEL_PMK, Wireless)
reload_regdb = Op("nl80211.reload_regdb", NL80211_CMD.NL80211_CMD_RELOAD_REGDB, Wireless)
external_auth = Op("nl80211.external_auth", NL80211_CMD.NL80211_CMD_EXTERNAL_AUTH, Wireless)
control_port_frame = Op(
    "nl80211.control_port_frame", NL80211_CMD.NL80211_CMD_CONTROL_PORT_FRAME, Wireless
)
get_ftm_responder_stats = Op(
    "nl80211.get_ftm_responder_stats",
    NL80211_CMD.NL80211_CMD_GET_FTM_RESPONDER_STATS,
    InterfaceQuery,
    reply=Wireless,
    answer="one",
    dumps=False,
)
peer_measurement_start = Op(
    "nl80211.peer_measurement_start", NL80211_CMD.NL80211_CMD_PEER_MEASUREMENT_START, Wireless
)
notify_radar = Op("nl80211.notify_radar", NL80211_CMD.NL80211_CMD_NOTIFY_RADAR, Wireless)
update_owe_info = Op("nl80211.update_owe_info", NL80211_CMD.NL80211_CMD_UPDATE_OWE_INFO, Wireless)
probe_mesh_link = Op("nl80211.probe_mesh_link", NL80211_CMD.NL80211_CMD_PROBE_MESH_LINK, Wireless)
set_tid_config = Op("nl80211.set_tid_config", NL80211_CMD.NL80211_CMD_SET_TID_CONFIG, Wireless)
set_sar_specs = Op("nl80211.set_sar_specs", NL80211_CMD.NL80211_CMD_SET_SAR_SPECS, Wireless)
color_change_request = Op(
    "nl80211.color_change_request", NL80211_CMD.NL80211_CMD_COLOR_CHANGE_REQUEST, Wireless
)
set_fils_aad = Op("nl80211.set_fils_aad", NL80211_CMD.NL80211_CMD_SET_FILS_AAD, Wireless)
add_link = Op("nl80211.add_link", NL80211_CMD.NL80211_CMD_ADD_LINK, Wireless)
remove_link = Op("nl80211.remove_link", NL80211_CMD.NL80211_CMD_REMOVE_LINK, Wireless)
add_link_sta = Op("nl80211.add_link_sta", NL80211_CMD.NL80211_CMD_ADD_LINK_STA, Wireless)
modify_link_sta = Op("nl80211.modify_link_sta", NL80211_CMD.NL80211_CMD_MODIFY_LINK_STA, Wireless)
remove_link_sta = Op("nl80211.remove_link_sta", NL80211_CMD.NL80211_CMD_REMOVE_LINK_STA, Wireless)
set_hw_timestamp = Op(
    "nl80211.set_hw_timestamp", NL80211_CMD.NL80211_CMD_SET_HW_TIMESTAMP, Wireless
)
set_tid_to_link_mapping = Op(
    "nl80211.set_tid_to_link_mapping", NL80211_CMD.NL80211_CMD_SET_TID_TO_LINK_MAPPING, Wireless
)
assoc_mlo_reconf = Op(
    "nl80211.assoc_mlo_reconf", NL80211_CMD.NL80211_CMD_ASSOC_MLO_RECONF, Wireless
)
epcs_cfg = Op("nl80211.epcs_cfg", NL80211_CMD.NL80211_CMD_EPCS_CFG, Wireless)
nan_set_local_sched = Op(
    "nl80211.nan_set_local_sched", NL80211_CMD.NL80211_CMD_NAN_SET_LOCAL_SCHED, Wireless
)
nan_set_peer_sched = Op(
    "nl80211.nan_set_peer_sched", NL80211_CMD.NL80211_CMD_NAN_SET_PEER_SCHED, Wireless
)
start_pd = Op("nl80211.start_pd", NL80211_CMD.NL80211_CMD_START_PD, Wireless)
stop_pd = Op("nl80211.stop_pd", NL80211_CMD.NL80211_CMD_STOP_PD, Wireless)

FAMILY = Family(
    "nl80211",
    types=NL80211_CMD,
    ops=(
        get_wiphy,
        set_wiphy,
        get_interface,
        set_interface,
        new_interface,
        del_interface,
        get_key,
        set_key,
        new_key,
        del_key,
        set_beacon,
        start_ap,
        stop_ap,
        get_station,
        set_station,
        new_station,
        del_station,
        get_mpath,
        set_mpath,
        new_mpath,
        del_mpath,
        set_bss,
        set_reg,
        req_set_reg,
        get_mesh_config,
        set_mesh_config,
        get_reg,
        get_scan,
        trigger_scan,
        authenticate,
        associate,
        deauthenticate,
        disassociate,
        join_ibss,
        leave_ibss,
        testmode,
        connect,
        disconnect,
        set_wiphy_netns,
        get_survey,
        set_pmksa,
        del_pmksa,
        flush_pmksa,
        remain_on_channel,
        cancel_remain_on_channel,
        set_tx_bitrate_mask,
        register_frame,
        frame,
        set_power_save,
        get_power_save,
        set_cqm,
        set_channel,
        frame_wait_cancel,
        join_mesh,
        leave_mesh,
        get_wowlan,
        set_wowlan,
        start_sched_scan,
        stop_sched_scan,
        set_rekey_offload,
        tdls_oper,
        tdls_mgmt,
        unexpected_frame,
        probe_client,
        register_beacons,
        set_noack_map,
        start_p2p_device,
        stop_p2p_device,
        set_mcast_rate,
        set_mac_acl,
        radar_detect,
        get_protocol_features,
        update_ft_ies,
        crit_protocol_start,
        crit_protocol_stop,
        get_coalesce,
        set_coalesce,
        channel_switch,
        vendor,
        set_qos_map,
        add_tx_ts,
        del_tx_ts,
        get_mpp,
        join_ocb,
        leave_ocb,
        tdls_channel_switch,
        tdls_cancel_channel_switch,
        abort_scan,
        start_nan,
        stop_nan,
        add_nan_function,
        del_nan_function,
        change_nan_config,
        set_multicast_to_unicast,
        update_connect_params,
        set_pmk,
        del_pmk,
        reload_regdb,
        external_auth,
        control_port_frame,
        get_ftm_responder_stats,
        peer_measurement_start,
        notify_radar,
        update_owe_info,
        probe_mesh_link,
        set_tid_config,
        set_sar_specs,
        color_change_request,
        set_fils_aad,
        add_link,
        remove_link,
        add_link_sta,
        modify_link_sta,
        remove_link_sta,
        set_hw_timestamp,
        set_tid_to_link_mapping,
        assoc_mlo_reconf,
        epcs_cfg,
        nan_set_local_sched,
        nan_set_peer_sched,
        start_pd,
        stop_pd,
    ),
    groups=("config", "scan", "regulatory", "mlme", "vendor", "testmode", "nan"),
    messages={
        **dict.fromkeys(NL80211_CMD, Wireless),
        NL80211_CMD.NL80211_CMD_NEW_WIPHY: Wiphy,
        NL80211_CMD.NL80211_CMD_SET_WOWLAN: Wakeup,
    },
)


# --- what the bytes mean --------------------------------------------------------------------------


class Element(NamedTuple):
    """An information element of a frame: its ID, the extension of the ID or None, and its bytes."""

    id: int
    extension: int | None
    data: bytes


def elements(data: bytes) -> tuple[Element, ...]:
    """Return the information elements of a frame, such as `bss.information_elements`.

    The bytes were sent by radio, so their lengths may be wrong: an element that is cut has the
    bytes that are there. This never raises an error for bytes.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"elements() expects bytes, got {data!r}")
    data = bytes(data)
    found = []
    at = 0
    while at < len(data):
        number, size = data[at], data[at + 1] if at + 1 < len(data) else 0
        body = data[at + 2 : at + 2 + size]
        extension = None
        if number == EXTENSION and body:
            extension, body = body[0], body[1:]
        found.append(Element(number, extension, body))
        at += 2 + size
    return tuple(found)


def ext_features(wiphy: Wiphy) -> frozenset[NL80211_EXT_FEATURE | int]:
    """Return the features in `ext_features` of a device, which is a set of bits.

    The kernel sends them only in a divided list, as phys() reads it.
    """
    if not isinstance(wiphy, Wireless):
        raise TypeError(f"ext_features() expects a Wiphy, got {wiphy!r}")
    bits = int.from_bytes(wiphy.ext_features or b"", "little")
    known = {int(feature): feature for feature in NL80211_EXT_FEATURE}
    return frozenset(known.get(bit, bit) for bit in range(bits.bit_length()) if bits >> bit & 1)


def bit_rate(rate: RateInfo) -> int | None:
    """Return a rate in bit/s, or None. The attribute with 32 bits has any rate."""
    if not isinstance(rate, RateInfo):
        raise TypeError(f"bit_rate() expects a RateInfo, got {rate!r}")
    value = rate.bitrate if rate.bitrate32 is None else rate.bitrate32
    return None if value is None else value * 100_000


# --- plans ----------------------------------------------------------------------------------------


class Network(NamedTuple):
    """A network that a scan found.

    `frequency` is MHz. `signal` is dBm, or None if the device does not measure it. `ssid` is None
    if no element has it, and empty or zeros if the network hides it. `elements` are those of the
    probe response if there was one, else of the beacon; `bss` is the whole message.
    """

    bssid: str | None
    ssid: bytes | None
    frequency: int | None
    signal: float | None
    elements: tuple[Element, ...]
    bss: Bss


@plan
def phys() -> Steps[list[Wiphy]]:
    """Return every wireless device with all that it can do.

    The kernel divides a device into many messages; the plan merges them. It asks again if devices
    change meanwhile, and raises DumpInterrupted after some attempts.
    """
    for _ in range(RETRIES):
        found: dict[int | None, list[Wiphy]] = {}
        for part in (yield get_wiphy(split_wiphy_dump=True).dump()):
            found.setdefault(part.wiphy, []).append(part)
        if all(len({part.generation for part in parts}) == 1 for parts in found.values()):
            return [merge(*parts) for parts in found.values()]
    raise DumpInterrupted("the devices changed while the kernel listed them; execute it again")


@plan
def interfaces() -> Steps[list[Wireless]]:
    """Return every wireless interface, also those without a network interface (P2P devices)."""
    found: list[Wireless] = yield get_interface().dump()
    return found


@plan
def stations(dev: str | int) -> Steps[list[Wireless]]:
    """Return the stations of an interface: clients, mesh peers, or the access point.

    `dev` is the name or the index of the interface. Raises KernelError (ENODEV) if there is none.
    """
    index = yield from _index("stations", dev)
    found: list[Wireless] = yield get_station(ifindex=index).dump()
    return found


@plan
def survey(dev: str | int) -> Steps[list[Wireless]]:
    """Return how busy the channels are, as far as an interface has measured: `survey_info`."""
    index = yield from _index("survey", dev)
    found: list[Wireless] = yield get_survey(ifindex=index).dump()
    return found


@plan
def regulatory() -> Steps[list[Wireless]]:
    """Return the regulatory rules: those for all devices first, then those of single devices."""
    found: list[Wireless] = yield get_reg().dump()
    return found


@plan
def scan_results(dev: str | int) -> Steps[list[Network]]:
    """Return the networks that earlier scans of an interface found. It does not scan."""
    index = yield from _index("scan_results", dev)
    return (yield from _networks(index))


@plan(sequence=True)
def scan(
    dev: str | int,
    *,
    ssids: Collection[str | bytes] = (b"",),
    frequencies: Collection[int] = (),
    flags: NL80211_SCAN_FLAG | int | str | Collection[str] | None = None,
    ie: bytes | None = None,
    timeout: float = 30.0,
) -> Steps[list[Network]]:
    """Scan, wait until it ends, and return the networks that were found.

    The interface must be up. `ssids` are the networks to ask for: the empty one asks all to answer,
    and none at all (an empty tuple) listens only. `frequencies` are MHz; by default all channels
    are scanned. `ie` are elements to append to the requests.

    If a scan runs already, the plan waits for the end of that one. Results of earlier scans that
    are not old yet are returned too, unless `flags` has "flush". Raises TimeoutError after
    `timeout` seconds, NetlinkError if the scan was aborted, KernelError: ENETDOWN if the interface
    is down, EPERM without CAP_NET_ADMIN.
    """
    words = Words("nl80211.scan", locals())
    names = tuple(_ssid(words, ssid) for ssid in _several(words, "ssids"))
    channels = tuple(_frequency(words, each) for each in _several(words, "frequencies"))
    chosen = words.bits("flags", NL80211_SCAN_FLAG)
    index = yield from _index("scan", dev)
    yield listen("scan")
    request = trigger_scan(
        ifindex=index,
        scan_ssids=names,
        scan_frequencies=channels,
        scan_flags=chosen,
        ie=ie,
    )
    try:
        yield request
    except KernelError as error:
        if error.errno != errno.EBUSY:
            raise
    ends = (NL80211_CMD.NL80211_CMD_NEW_SCAN_RESULTS, NL80211_CMD.NL80211_CMD_SCAN_ABORTED)
    try:
        end: Wireless = yield wait(
            lambda event: event.genl_cmd in ends and event.ifindex == index, timeout
        )
    except TimeoutError:
        raise TimeoutError(f"nl80211.scan: the scan did not end within {timeout} s") from None
    if end.genl_cmd == NL80211_CMD.NL80211_CMD_SCAN_ABORTED:
        raise NetlinkError(
            "the scan was aborted: by another program, or as the interface went down"
        )
    return (yield from _networks(index))


@plan(sequence=True)
def add_interface(
    phy: str | int,
    name: str,
    type: NL80211_IFTYPE | int | str,
    *,
    address: str | None = None,
    use_4addr: bool | None = None,
    monitor: Collection[str] = (),
) -> Steps[Wireless]:
    """Add an interface to a device, and return it.

    `phy` is the name or the number of the device. `type` is a kind such as "station", "ap",
    "monitor" or "mesh_point". `use_4addr` lets it be a port of a bridge. `monitor` are names of
    MonitorFlags, such as "control". Raises KernelError: ENODEV if there is no such device,
    EOPNOTSUPP if it cannot have such an interface, EPERM without CAP_NET_ADMIN.
    """
    words = Words("nl80211.add_interface", locals())
    number = words.number("type", names_of(NL80211_IFTYPE))
    if number is None:
        words.refuse("needs a type, such as 'station' or 'monitor'")
    use = words.switch("use_4addr")
    known = MonitorFlags.__table__.names
    shown = [str(flag) for flag in _several(words, "monitor")]
    if not {*shown} <= {*known}:
        raise words.expected("monitor", f"a list of some of {', '.join(known)}")
    made: Wireless = yield new_interface(
        wiphy=(yield from _wiphy(words, phy)),
        ifname=words.link_name("name"),
        iftype=number,
        mac=None if address is None else str(words.link_layer("address")),
        n4addr=None if use is None else int(use),
        mntr_flags=dict.fromkeys(shown, True) if shown else None,
    )
    return made


@plan
def remove_interface(dev: str | int) -> Steps[None]:
    """Remove an interface, by its name or index. Raises KernelError (ENODEV) if there is none."""
    index = yield from _index("remove_interface", dev)
    yield del_interface(ifindex=index)


def _networks(index: int) -> Steps[list[Network]]:
    """Return the networks that an interface knows."""
    found: list[Wireless] = yield get_scan(ifindex=index).dump()
    return [_network(message.bss) for message in found if message.bss is not None]


def _network(bss: Bss) -> Network:
    data = bss.information_elements or bss.beacon_ies or b""
    parts = elements(data)
    ssid = next((part.data for part in parts if part.id == 0), None)
    level = bss.signal_mbm
    return Network(
        bss.bssid, ssid, bss.frequency, None if level is None else level / 100, parts, bss
    )


def _index(name: str, dev: str | int) -> Steps[int]:
    """Return the index of an interface that is an argument of a plan."""
    words = Words(f"nl80211.{name}", {"dev": dev})
    link = words.link()
    if link is None:
        raise words.expected("dev", "the name or the index of an interface")
    return (yield from index_of(link))


def _wiphy(words: Words, phy: str | int) -> Steps[int]:
    """Return the number of a device."""
    if isinstance(phy, int) and not isinstance(phy, bool) and 0 <= phy < 1 << 32:
        return phy
    if not isinstance(phy, str) or not phy:
        raise words.expected("phy", "the name or the number of a device, such as 'phy0'")
    known: list[Wiphy] = yield get_wiphy(split_wiphy_dump=True).dump()
    for device in known:
        if device.wiphy_name == phy and device.wiphy is not None:
            return device.wiphy
    names = ", ".join(dict.fromkeys(str(device.wiphy_name) for device in known)) or "none"
    raise KernelError(errno.ENODEV, f"there is no device {phy!r}; there are: {names}")


def _several(words: Words, name: str) -> Collection[object]:
    value = words.given[name]
    if isinstance(value, Collection) and not isinstance(value, str | bytes | bytearray):
        return value
    raise words.expected(name, "a list or a tuple")


def _ssid(words: Words, ssid: object) -> bytes:
    data = ssid.encode() if isinstance(ssid, str) else ssid
    if isinstance(data, bytes) and len(data) <= SSID_SIZE:
        return data
    raise words.wrong(
        "ssids", f"expected a text or bytes of at most {SSID_SIZE} bytes, got {ssid!r}"
    )


def _frequency(words: Words, each: object) -> int:
    if isinstance(each, int) and not isinstance(each, bool) and 0 < each < 1 << 32:
        return each
    raise words.wrong("frequencies", f"expected a frequency in MHz, such as 2412, got {each!r}")
