"""Data center bridging: struct dcbmsg, whose `cmd` is the command, and its DCB_ATTR_* attributes.

The reply to a set command has one byte where the request has a nest. Requests and such replies
therefore have different classes, which must not be mixed. Numbers are from Linux 6.12
(linux/dcbnl.h), widths from the policies in net/dcb/dcbnl.c.
"""

from netlink.constants import AF, IFNAMSIZ, KernelEnum, KernelFlag
from netlink.family import Op
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    binary,
    flag,
    nest,
    pad,
    repeated,
    scalars,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
)


class DCB_CMD(KernelEnum):
    """Commands: cmd in struct dcbmsg. In the kernel's names, G means get and S means set."""

    DCB_CMD_UNDEFINED = 0
    DCB_CMD_GSTATE = 1
    DCB_CMD_SSTATE = 2
    DCB_CMD_PGTX_GCFG = 3
    DCB_CMD_PGTX_SCFG = 4
    DCB_CMD_PGRX_GCFG = 5
    DCB_CMD_PGRX_SCFG = 6
    DCB_CMD_PFC_GCFG = 7
    DCB_CMD_PFC_SCFG = 8
    DCB_CMD_SET_ALL = 9
    DCB_CMD_GPERM_HWADDR = 10
    DCB_CMD_GCAP = 11
    DCB_CMD_GNUMTCS = 12
    DCB_CMD_SNUMTCS = 13
    DCB_CMD_PFC_GSTATE = 14
    DCB_CMD_PFC_SSTATE = 15
    DCB_CMD_BCN_GCFG = 16
    DCB_CMD_BCN_SCFG = 17
    DCB_CMD_GAPP = 18
    DCB_CMD_SAPP = 19
    DCB_CMD_IEEE_SET = 20
    DCB_CMD_IEEE_GET = 21
    DCB_CMD_GDCBX = 22
    DCB_CMD_SDCBX = 23
    DCB_CMD_GFEATCFG = 24
    DCB_CMD_SFEATCFG = 25
    DCB_CMD_CEE_GET = 26
    DCB_CMD_IEEE_DEL = 27


class DCB_CAP_DCBX(KernelFlag):
    """Location and version of the DCBX engine: DCB_ATTR_DCBX, DCB_CAP_ATTR_DCBX."""

    DCB_CAP_DCBX_HOST = 0x01
    DCB_CAP_DCBX_LLD_MANAGED = 0x02
    DCB_CAP_DCBX_VER_CEE = 0x04
    DCB_CAP_DCBX_VER_IEEE = 0x08
    DCB_CAP_DCBX_STATIC = 0x10


class DCB_FEATCFG(KernelFlag):
    """State of a negotiated feature: DCB_FEATCFG_ATTR_*."""

    DCB_FEATCFG_ERROR = 0x01
    DCB_FEATCFG_ENABLE = 0x02
    DCB_FEATCFG_WILLING = 0x04
    DCB_FEATCFG_ADVERTISE = 0x08


class DCB_APP_IDTYPE(KernelEnum):
    """Type of the ID of a CEE application: DCB_APP_ATTR_IDTYPE."""

    DCB_APP_IDTYPE_ETHTYPE = 0
    DCB_APP_IDTYPE_PORTNUM = 1


class IEEE_8021QAZ_TSA(KernelEnum):
    """Scheduling of a traffic class: ieee_ets.tc_tsa."""

    IEEE_8021QAZ_TSA_STRICT = 0
    IEEE_8021QAZ_TSA_CB_SHAPER = 1
    IEEE_8021QAZ_TSA_ETS = 2
    IEEE_8021QAZ_TSA_VENDOR = 255


class DCB_APP_SEL(KernelEnum, prefix=("IEEE_8021QAZ_APP_SEL_", "DCB_APP_SEL_")):
    """Type of `protocol` in an application entry: dcb_app.selector."""

    IEEE_8021QAZ_APP_SEL_ETHERTYPE = 1
    IEEE_8021QAZ_APP_SEL_STREAM = 2
    IEEE_8021QAZ_APP_SEL_DGRAM = 3
    IEEE_8021QAZ_APP_SEL_ANY = 4
    IEEE_8021QAZ_APP_SEL_DSCP = 5
    DCB_APP_SEL_PCP = 255


# --- IEEE 802.1Qaz: tuples have one element for each of 8 traffic classes or priorities -----------


class ieee_ets(Message):
    """struct ieee_ets (linux/dcbnl.h): transmission selection. Bandwidths are in percent."""

    willing: int = u8()
    ets_cap: int = u8()
    cbs: int = u8()
    tc_tx_bw: tuple[int, ...] = scalars(u8(), length=8)
    tc_rx_bw: tuple[int, ...] = scalars(u8(), length=8)
    tc_tsa: tuple[IEEE_8021QAZ_TSA | int, ...] = scalars(u8(enum=IEEE_8021QAZ_TSA), length=8)
    prio_tc: tuple[int, ...] = scalars(u8(), length=8)
    tc_reco_bw: tuple[int, ...] = scalars(u8(), length=8)
    tc_reco_tsa: tuple[IEEE_8021QAZ_TSA | int, ...] = scalars(u8(enum=IEEE_8021QAZ_TSA), length=8)
    reco_prio_tc: tuple[int, ...] = scalars(u8(), length=8)


class ieee_pfc(Message):
    """struct ieee_pfc (linux/dcbnl.h): priority flow control.

    `pfc_en` has a bit for each traffic class. `delay` is in bits.
    """

    pfc_cap: int = u8()
    pfc_en: int = u8()
    mbc: int = u8()
    delay: int = u16()
    requests: tuple[int, ...] = scalars(u64(), length=8)
    indications: tuple[int, ...] = scalars(u64(), length=8)


class ieee_maxrate(Message):
    """struct ieee_maxrate (linux/dcbnl.h): rate limits in kbit/s."""

    tc_maxrate: tuple[int, ...] = scalars(u64(), length=8)


class ieee_qcn(Message):
    """struct ieee_qcn (linux/dcbnl.h): congestion notification (IEEE 802.1Qau)."""

    rpg_enable: tuple[int, ...] = scalars(u8(), length=8)
    rppp_max_rps: tuple[int, ...] = scalars(u32(), length=8)
    rpg_time_reset: tuple[int, ...] = scalars(u32(), length=8)
    rpg_byte_reset: tuple[int, ...] = scalars(u32(), length=8)
    rpg_threshold: tuple[int, ...] = scalars(u32(), length=8)
    rpg_max_rate: tuple[int, ...] = scalars(u32(), length=8)
    rpg_ai_rate: tuple[int, ...] = scalars(u32(), length=8)
    rpg_hai_rate: tuple[int, ...] = scalars(u32(), length=8)
    rpg_gd: tuple[int, ...] = scalars(u32(), length=8)
    rpg_min_dec_fac: tuple[int, ...] = scalars(u32(), length=8)
    rpg_min_rate: tuple[int, ...] = scalars(u32(), length=8)
    cndd_state_machine: tuple[int, ...] = scalars(u32(), length=8)


class ieee_qcn_stats(Message):
    """struct ieee_qcn_stats (linux/dcbnl.h). `rppp_rp_centiseconds` is in units of 1/100 s."""

    rppp_rp_centiseconds: tuple[int, ...] = scalars(u64(), length=8)
    rppp_created_rps: tuple[int, ...] = scalars(u32(), length=8)


class dcbnl_buffer(Message):
    """struct dcbnl_buffer (linux/dcbnl.h). Sizes are in bytes."""

    prio2buffer: tuple[int, ...] = scalars(u8(), length=8)
    buffer_size: tuple[int, ...] = scalars(u32(), length=8)
    total_size: int = u32()


class dcb_app(Message):
    """struct dcb_app (linux/dcbnl.h): the priority of a protocol.

    For CEE, `priority` is a bitmap of priorities.
    """

    selector: Named[DCB_APP_SEL | int] = u8(enum=DCB_APP_SEL)
    priority: int = u8()
    protocol: int = u16()


class IeeeApps(Message):
    """DCB_ATTR_IEEE_APP and DCB_ATTR_DCB_APP: application entries.

    The selectors of `ieee_app` are defined by IEEE, those of `dcb_app` by the kernel.
    """

    ieee_app: Several[dcb_app] = repeated(1, struct(dcb_app))
    dcb_app: Several[dcb_app] = repeated(2, struct(dcb_app))


class IeeeTrust(Message):
    """DCB_ATTR_IEEE_APP and DCB_ATTR_DCB_APP: selectors in the order in which they apply.

    The constructor writes the selectors in the order of its arguments. Iterating over the message
    yields them in the order of the bytes.
    """

    ieee_app: tuple[DCB_APP_SEL | int, ...] = repeated(1, u8(enum=DCB_APP_SEL))
    dcb_app: tuple[DCB_APP_SEL | int, ...] = repeated(2, u8(enum=DCB_APP_SEL))


class dcb_peer_app_info(Message):
    """struct dcb_peer_app_info (linux/dcbnl.h)."""

    willing: int = u8()
    error: int = u8()


class IeeePeerApps(Message):
    """DCB_ATTR_IEEE_PEER_APP: the peer's application entries (dcbnl_build_peer_app)."""

    info: Nested[dcb_peer_app_info] = struct(0, dcb_peer_app_info)
    ieee_app: Several[dcb_app] = repeated(1, struct(dcb_app))


class Ieee(Message):
    """DCB_ATTR_IEEE_* and DCB_ATTR_DCB_* attributes (linux/dcbnl.h).

    A request cannot set the attributes of the peer.
    """

    ets: Nested[ieee_ets] = struct(1, ieee_ets)
    pfc: Nested[ieee_pfc] = struct(2, ieee_pfc)
    app_table: Nested[IeeeApps] = nest(3, IeeeApps)
    peer_ets: Nested[ieee_ets] = struct(4, ieee_ets)
    peer_pfc: Nested[ieee_pfc] = struct(5, ieee_pfc)
    peer_app: Nested[IeeePeerApps] = nest(6, IeeePeerApps)
    maxrate: Nested[ieee_maxrate] = struct(7, ieee_maxrate)
    qcn: Nested[ieee_qcn] = struct(8, ieee_qcn)
    qcn_stats: Nested[ieee_qcn_stats] = struct(9, ieee_qcn_stats)
    buffer: Nested[dcbnl_buffer] = struct(10, dcbnl_buffer)
    app_trust_table: Nested[IeeeTrust] = nest(11, IeeeTrust)
    rewr_table: Nested[IeeeApps] = nest(12, IeeeApps)


# --- CEE ------------------------------------------------------------------------------------------


class cee_pg(Message):
    """struct cee_pg (linux/dcbnl.h): the peer's priority groups. Bandwidths are in percent."""

    willing: int = u8()
    error: int = u8()
    pg_en: int = u8()
    tcs_supported: int = u8()
    pg_bw: tuple[int, ...] = scalars(u8(), length=8)
    prio_pg: tuple[int, ...] = scalars(u8(), length=8)


class cee_pfc(Message):
    """struct cee_pfc (linux/dcbnl.h): the peer's flow control.

    `pfc_en` has a bit for each traffic class.
    """

    willing: int = u8()
    error: int = u8()
    pfc_en: int = u8()
    tcs_supported: int = u8()


class PfcUp(Message):
    """DCB_PFC_UP_ATTR_* attributes: flow control of each user priority.

    In a request, `all` requests all of them.
    """

    attr_0: int | None = u8(1)
    attr_1: int | None = u8(2)
    attr_2: int | None = u8(3)
    attr_3: int | None = u8(4)
    attr_4: int | None = u8(5)
    attr_5: int | None = u8(6)
    attr_6: int | None = u8(7)
    attr_7: int | None = u8(8)
    all: bool = flag(9)


class TrafficClass(Message):
    """DCB_TC_ATTR_PARAM_* attributes: one traffic class.

    In a request, `all` requests all parameters.
    """

    pgid: int | None = u8(1)
    up_mapping: int | None = u8(2)
    strict_prio: int | None = u8(3)
    bw_pct: int | None = u8(4)
    all: bool = flag(5)


class PriorityGroups(Message):
    """DCB_PG_ATTR_* attributes: traffic classes, and the bandwidth of each group in percent.

    In a request, `tc_all` requests all traffic classes and `bw_id_all` all bandwidths.
    """

    tc_0: Nested[TrafficClass] = nest(1, TrafficClass)
    tc_1: Nested[TrafficClass] = nest(2, TrafficClass)
    tc_2: Nested[TrafficClass] = nest(3, TrafficClass)
    tc_3: Nested[TrafficClass] = nest(4, TrafficClass)
    tc_4: Nested[TrafficClass] = nest(5, TrafficClass)
    tc_5: Nested[TrafficClass] = nest(6, TrafficClass)
    tc_6: Nested[TrafficClass] = nest(7, TrafficClass)
    tc_7: Nested[TrafficClass] = nest(8, TrafficClass)
    tc_all: Nested[TrafficClass] = nest(10, TrafficClass)
    bw_id_0: int | None = u8(11)
    bw_id_1: int | None = u8(12)
    bw_id_2: int | None = u8(13)
    bw_id_3: int | None = u8(14)
    bw_id_4: int | None = u8(15)
    bw_id_5: int | None = u8(16)
    bw_id_6: int | None = u8(17)
    bw_id_7: int | None = u8(18)
    bw_id_all: bool = flag(20)


class Capabilities(Message):
    """DCB_CAP_ATTR_* attributes: capabilities of the device. `all` requests all of them.

    Bit N-1 of `pg_tcs` and `pfc_tcs` means that the device supports N traffic classes.
    """

    all: bool = flag(1)
    pg: int | None = u8(2)
    pfc: int | None = u8(3)
    up2tc: int | None = u8(4)
    pg_tcs: int | None = u8(5)
    pfc_tcs: int | None = u8(6)
    gsp: int | None = u8(7)
    bcn: int | None = u8(8)
    dcbx: Named[DCB_CAP_DCBX | None] = u8(9, enum=DCB_CAP_DCBX)


class NumTcs(Message):
    """DCB_NUMTCS_ATTR_* attributes: numbers of traffic classes. `all` requests both."""

    all: bool = flag(1)
    pg: int | None = u8(2)
    pfc: int | None = u8(3)


class Bcn(Message):
    """DCB_BCN_ATTR_* attributes: backward congestion notification.

    `rp_all` means all eight `rp_*`. In a request, `all` requests all attributes.
    """

    rp_0: int | None = u8(1)
    rp_1: int | None = u8(2)
    rp_2: int | None = u8(3)
    rp_3: int | None = u8(4)
    rp_4: int | None = u8(5)
    rp_5: int | None = u8(6)
    rp_6: int | None = u8(7)
    rp_7: int | None = u8(8)
    rp_all: bool = flag(9)
    bcna_0: int | None = u32(10)
    bcna_1: int | None = u32(11)
    alpha: int | None = u32(12)
    beta: int | None = u32(13)
    gd: int | None = u32(14)
    gi: int | None = u32(15)
    tmax: int | None = u32(16)
    td: int | None = u32(17)
    rmin: int | None = u32(18)
    w: int | None = u32(19)
    rd: int | None = u32(20)
    ru: int | None = u32(21)
    wrtt: int | None = u32(22)
    ri: int | None = u32(23)
    c: int | None = u32(24)
    all: bool = flag(25)


class CeeApp(Message):
    """DCB_APP_ATTR_* attributes: one application; `priority` is a bitmap (linux/dcbnl.h)."""

    idtype: Named[DCB_APP_IDTYPE | int | None] = u8(1, enum=DCB_APP_IDTYPE)
    id: int | None = u16(2)
    priority: int | None = u8(3)


class CeeApps(Message):
    """DCB_ATTR_CEE_APP: applications (linux/dcbnl.h)."""

    app: Several[CeeApp] = repeated(1, CeeApp)


class CeePeerApps(Message):
    """DCB_ATTR_CEE_PEER_APP_* attributes: the peer's applications (linux/dcbnl.h)."""

    info: Nested[dcb_peer_app_info] = struct(1, dcb_peer_app_info)
    app: Several[dcb_app] = repeated(2, struct(dcb_app))


class FeatCfg(Message):
    """DCB_FEATCFG_ATTR_* attributes: negotiated features. `all` requests all of them."""

    all: bool = flag(1)
    pg: Named[DCB_FEATCFG | None] = u8(2, enum=DCB_FEATCFG)
    pfc: Named[DCB_FEATCFG | None] = u8(3, enum=DCB_FEATCFG)
    app: Named[DCB_FEATCFG | None] = u8(4, enum=DCB_FEATCFG)


class Cee(Message):
    """DCB_ATTR_CEE_* attributes: the whole CEE configuration, read-only (linux/dcbnl.h)."""

    peer_pg: Nested[cee_pg] = struct(1, cee_pg)
    peer_pfc: Nested[cee_pfc] = struct(2, cee_pfc)
    peer_app_table: Nested[CeePeerApps] = nest(3, CeePeerApps)
    tx_pg: Nested[PriorityGroups] = nest(4, PriorityGroups)
    rx_pg: Nested[PriorityGroups] = nest(5, PriorityGroups)
    pfc: Nested[PfcUp] = nest(6, PfcUp)
    app_table: Nested[CeeApps] = nest(7, CeeApps)
    feat: Nested[FeatCfg] = nest(8, FeatCfg)


# --- messages -------------------------------------------------------------------------------------


class dcbmsg(Message):
    """struct dcbmsg (linux/dcbnl.h)."""

    family: Named[AF | int] = u8(enum=AF)
    cmd: Named[DCB_CMD | int] = u8(enum=DCB_CMD)
    _pad = pad(2)


class Dcb(dcbmsg):
    """Request of any command, or reply to a get command: struct dcbmsg and DCB_ATTR_* attributes.

    `ifname` names the link. `cmd` decides which other attributes the kernel reads or sends.
    """

    ifname: str | None = string(1, size=IFNAMSIZ)
    state: int | None = u8(2)
    pfc_state: int | None = u8(3)
    pfc_cfg: Nested[PfcUp] = nest(4, PfcUp)
    num_tc: int | None = u8(5)
    pg_cfg: Nested[PriorityGroups] = nest(6, PriorityGroups)
    set_all: int | None = u8(7)
    perm_hwaddr: bytes | None = binary(8)
    cap: Nested[Capabilities] = nest(9, Capabilities)
    numtcs: Nested[NumTcs] = nest(10, NumTcs)
    bcn: Nested[Bcn] = nest(11, Bcn)
    app: Nested[CeeApp] = nest(12, CeeApp)
    ieee: Nested[Ieee] = nest(13, Ieee)
    dcbx: Named[DCB_CAP_DCBX | None] = u8(14, enum=DCB_CAP_DCBX)
    featcfg: Nested[FeatCfg] = nest(15, FeatCfg)
    cee: Nested[Cee] = nest(16, Cee)


class DcbResult(dcbmsg):
    """Reply to a set command: the DCB_ATTR_* attribute of the request as one byte; 0 is success.

    If a driver refuses, it chooses the value of this byte. The kernel then sends no error message.
    """

    state: int | None = u8(2)
    pfc_state: int | None = u8(3)
    pfc_cfg: int | None = u8(4)
    pg_cfg: int | None = u8(6)
    set_all: int | None = u8(7)
    numtcs: int | None = u8(10)
    bcn: int | None = u8(11)
    app: int | None = u8(12)
    ieee: int | None = u8(13)
    dcbx: int | None = u8(14)
    featcfg: int | None = u8(15)


get = Op("dcb.get", RTM.RTM_GETDCB, Dcb, answer="one", dumps=False)
set = Op("dcb.set", RTM.RTM_SETDCB, Dcb, reply=DcbResult, answer="one")

ROUTE.add(get, set, messages={RTM.RTM_SETDCB: DcbResult})
