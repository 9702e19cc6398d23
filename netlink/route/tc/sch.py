"""Schedulers: the options and statistics of qdiscs and their classes, by kind.

This file must not send requests; qdisc.py and tclass.py do. It exists so that a kind is a few
classes and a line in the tables at the end. Kinds without options are not in the tables: mq,
noqueue, teql, ingress, clsact, ... Numbers are from Linux 6.12 (linux/pkt_sched.h). Widths, signs
and units are from net/sched/sch_*.c. cbq, atm and dsmark are not declared, because newer kernels
and headers do not have them. Padding attributes (TCA_*_PAD) are not declared either.
"""

from collections.abc import Mapping
from typing import Any

from netlink.constants import KernelEnum, KernelFlag
from netlink.route.tc.options import Need, Rules
from netlink.route.tc.tcmsg import TC_LINKLAYER, tc_ratespec, ticks
from netlink.schema import (
    Bitfield32,
    Message,
    Named,
    Nested,
    Several,
    array,
    binary,
    bitfield32,
    flag,
    nest,
    pad,
    repeated,
    s16,
    s32,
    s64,
    scalars,
    struct,
    u8,
    u16,
    u32,
    u64,
)

RED_STAB_SIZE = 256  # include/net/red.h

# --- fifo, skbprio, prio, multiq, plug ------------------------------------------------------------


class TCQ_PLUG(KernelEnum):
    """Commands for the queue of a "plug" (linux/pkt_sched.h)."""

    TCQ_PLUG_BUFFER = 0
    TCQ_PLUG_RELEASE_ONE = 1
    TCQ_PLUG_RELEASE_INDEFINITE = 2
    TCQ_PLUG_LIMIT = 3


class tc_fifo_qopt(Message):
    """struct tc_fifo_qopt (linux/pkt_sched.h): bytes for "bfifo", packets for the others."""

    limit: int = u32()


class tc_skbprio_qopt(Message):
    """struct tc_skbprio_qopt (linux/pkt_sched.h): `limit` in packets."""

    limit: int = u32()


class tc_prio_qopt(Message):
    """struct tc_prio_qopt (linux/pkt_sched.h): `priomap` maps each packet priority to a band."""

    bands: int = s32()
    priomap: tuple[int, ...] = scalars(u8(), length=16)


class tc_multiq_qopt(Message):
    """struct tc_multiq_qopt (linux/pkt_sched.h): the kernel sets both members from the link."""

    bands: int = u16()
    max_bands: int = u16()


class tc_plug_qopt(Message):
    """struct tc_plug_qopt (linux/pkt_sched.h): `limit` in bytes."""

    action: Named[TCQ_PLUG | int] = s32(enum=TCQ_PLUG)
    limit: int = u32()


# --- tbf ------------------------------------------------------------------------------------------


class tc_tbf_qopt(Message):
    """struct tc_tbf_qopt (linux/pkt_sched.h): `buffer` and `mtu` are in ticks, `limit` in bytes."""

    rate: Nested[tc_ratespec] = struct(tc_ratespec)
    peakrate: Nested[tc_ratespec] = struct(tc_ratespec)
    limit: int = u32()
    buffer: int = u32()
    mtu: int = u32()


class Tbf(Message):
    """TCA_TBF_* attributes of a "tbf". Rates are in bytes per second, and bursts in bytes.

    The kernel reads the tables `rtab` and `ptab` only to guess an unknown link layer.
    """

    parms: Nested[tc_tbf_qopt] = struct(1, tc_tbf_qopt)
    rtab: bytes | None = binary(2)
    ptab: bytes | None = binary(3)
    rate64: int | None = u64(4)
    prate64: int | None = u64(5)
    burst: int | None = u32(6)
    pburst: int | None = u32(7)


# --- red, gred, choke, sfq, sfb -------------------------------------------------------------------


class TC_RED(KernelFlag):
    """Flags of red and of the qdiscs derived from it (linux/pkt_sched.h)."""

    TC_RED_ECN = 1
    TC_RED_HARDDROP = 2
    TC_RED_ADAPTATIVE = 4
    TC_RED_NODROP = 8


class tc_red_qopt(Message):
    """struct tc_red_qopt (linux/pkt_sched.h): limits are in bytes; logarithms have base 2."""

    limit: int = u32()
    qth_min: int = u32()
    qth_max: int = u32()
    wlog: int = u8()
    plog: int = u8()
    scell_log: int = u8()
    flags: Named[TC_RED] = u8(enum=TC_RED)


class tc_red_xstats(Message):
    """struct tc_red_xstats (linux/pkt_sched.h): counters of packets."""

    early: int = u32()
    pdrop: int = u32()
    other: int = u32()
    marked: int = u32()


class Red(Message):
    """TCA_RED_* attributes of a "red".

    `stab` is a table of 256 bytes, which states how idle time lowers the average queue length. The
    kernel requires it to create a red. `max_p` is a probability in units of 2^-32. The blocks
    contain filters for early drops and marks.
    """

    parms: Nested[tc_red_qopt] = struct(1, tc_red_qopt)
    stab: bytes | None = binary(2, size=RED_STAB_SIZE)
    max_p: int | None = u32(3)
    flags: Bitfield32 | None = bitfield32(4, enum=TC_RED)
    early_drop_block: int | None = u32(5)
    mark_block: int | None = u32(6)


class tc_gred_qopt(Message):
    """struct tc_gred_qopt (linux/pkt_sched.h): one virtual queue and its counters."""

    limit: int = u32()
    qth_min: int = u32()
    qth_max: int = u32()
    dp: int = u32()
    backlog: int = u32()
    qave: int = u32()
    forced: int = u32()
    early: int = u32()
    other: int = u32()
    pdrop: int = u32()
    wlog: int = u8()
    plog: int = u8()
    scell_log: int = u8()
    prio: int = u8()
    packets: int = u32()
    bytesin: int = u32()


class tc_gred_sopt(Message):
    """struct tc_gred_sopt (linux/pkt_sched.h): number of virtual queues, and the default one."""

    dps: int = u32()
    def_dp: int = u32()
    grio: int = u8()
    flags: Named[TC_RED] = u8(enum=TC_RED)
    _pad1 = pad(2)


class GredQueue(Message):
    """TCA_GRED_VQ_* attributes: one virtual queue (linux/pkt_sched.h)."""

    dp: int | None = u32(2)
    stat_bytes: int | None = u64(3)
    stat_packets: int | None = u32(4)
    stat_backlog: int | None = u32(5)
    stat_prob_drop: int | None = u32(6)
    stat_prob_mark: int | None = u32(7)
    stat_forced_drop: int | None = u32(8)
    stat_forced_mark: int | None = u32(9)
    stat_pdrop: int | None = u32(10)
    stat_other: int | None = u32(11)
    flags: Named[TC_RED | None] = u32(12, enum=TC_RED)


class GredQueues(Message):
    """TCA_GRED_VQ_LIST: the virtual queues."""

    entry: Several[GredQueue] = repeated(1, GredQueue)


class Gred(Message):
    """TCA_GRED_* attributes of a "gred".

    The request that creates the virtual queues contains `dps`. A later change contains `stab`
    and one struct in `parms`. The kernel sends all 16 virtual queues in `parms` and `max_p`.
    """

    parms: Several[tc_gred_qopt] = scalars(1, struct(tc_gred_qopt))
    stab: bytes | None = binary(2, size=RED_STAB_SIZE)
    dps: Nested[tc_gred_sopt] = struct(3, tc_gred_sopt)
    max_p: tuple[int, ...] = scalars(4, u32())
    limit: int | None = u32(5)
    vq_list: Nested[GredQueues] = nest(6, GredQueues)


class tc_choke_xstats(Message):
    """struct tc_choke_xstats (linux/pkt_sched.h): counters of packets."""

    early: int = u32()
    pdrop: int = u32()
    other: int = u32()
    marked: int = u32()
    matched: int = u32()


class Choke(Message):
    """TCA_CHOKE_* attributes of a "choke": as for red, but limits are in packets."""

    parms: Nested[tc_red_qopt] = struct(1, tc_red_qopt)
    stab: bytes | None = binary(2, size=RED_STAB_SIZE)
    max_p: int | None = u32(3)


class tc_sfq_qopt(Message):
    """struct tc_sfq_qopt (linux/pkt_sched.h): `quantum` in bytes, `perturb_period` in seconds."""

    quantum: int = u32()
    perturb_period: int = s32()
    limit: int = u32()
    divisor: int = u32()
    flows: int = u32()


class tc_sfqred_stats(Message):
    """struct tc_sfqred_stats (linux/pkt_sched.h): counters of packets."""

    prob_drop: int = u32()
    forced_drop: int = u32()
    prob_mark: int = u32()
    forced_mark: int = u32()
    prob_mark_head: int = u32()
    forced_mark_head: int = u32()


class tc_sfq_qopt_v1(Message):
    """struct tc_sfq_qopt_v1 (linux/pkt_sched.h): from `limit` on, the parameters of red."""

    v0: Nested[tc_sfq_qopt] = struct(tc_sfq_qopt)
    depth: int = u32()
    headdrop: int = u32()
    limit: int = u32()
    qth_min: int = u32()
    qth_max: int = u32()
    wlog: int = u8()
    plog: int = u8()
    scell_log: int = u8()
    flags: Named[TC_RED] = u8(enum=TC_RED)
    max_p: int = u32()
    stats: Nested[tc_sfqred_stats] = struct(tc_sfqred_stats)


class tc_sfq_xstats(Message):
    """struct tc_sfq_xstats (linux/pkt_sched.h) of a flow, in bytes."""

    allot: int = s32()


class tc_sfb_qopt(Message):
    """struct tc_sfb_qopt (linux/pkt_sched.h).

    Times are in milliseconds, probabilities in units of 2^-16, and limits in packets.
    """

    rehash_interval: int = u32()
    warmup_time: int = u32()
    max: int = u32()
    bin_size: int = u32()
    increment: int = u32()
    decrement: int = u32()
    limit: int = u32()
    penalty_rate: int = u32()
    penalty_burst: int = u32()


class tc_sfb_xstats(Message):
    """struct tc_sfb_xstats (linux/pkt_sched.h): packets; probabilities in units of 2^-16."""

    earlydrop: int = u32()
    penaltydrop: int = u32()
    bucketdrop: int = u32()
    queuedrop: int = u32()
    childdrop: int = u32()
    marked: int = u32()
    maxqlen: int = u32()
    maxprob: int = u32()
    avgprob: int = u32()


class Sfb(Message):
    """TCA_SFB_* attributes of an "sfb"."""

    parms: Nested[tc_sfb_qopt] = struct(1, tc_sfb_qopt)


# --- htb, hfsc, drr, qfq: schedulers whose classes have options -----------------------------------


class tc_htb_opt(Message):
    """struct tc_htb_opt (linux/pkt_sched.h) of a class: bursts in ticks, `quantum` in bytes."""

    rate: Nested[tc_ratespec] = struct(tc_ratespec)
    ceil: Nested[tc_ratespec] = struct(tc_ratespec)
    buffer: int = u32()
    cbuffer: int = u32()
    quantum: int = u32()
    level: int = u32()
    prio: int = u32()


class tc_htb_glob(Message):
    """struct tc_htb_glob (linux/pkt_sched.h) of the qdisc. `version` must be 3.

    `defcls` is the minor number of the class for packets that no filter classifies.
    """

    version: int = u32()
    rate2quantum: int = u32()
    defcls: int = u32()
    debug: int = u32()
    direct_pkts: int = u32()


class tc_htb_xstats(Message):
    """struct tc_htb_xstats (linux/pkt_sched.h) of a class. Tokens are in ticks."""

    lends: int = u32()
    borrows: int = u32()
    giants: int = u32()
    tokens: int = s32()
    ctokens: int = s32()


class Htb(Message):
    """TCA_HTB_* attributes of an "htb" (`init`, `direct_qlen`) and of its classes (the others)."""

    parms: Nested[tc_htb_opt] = struct(1, tc_htb_opt)
    init: Nested[tc_htb_glob] = struct(2, tc_htb_glob)
    ctab: bytes | None = binary(3)
    rtab: bytes | None = binary(4)
    direct_qlen: int | None = u32(5)
    rate64: int | None = u64(6)
    ceil64: int | None = u64(7)
    offload: bool = flag(9)


class tc_hfsc_qopt(Message):
    """struct tc_hfsc_qopt (linux/pkt_sched.h): the minor number of the qdisc's default class."""

    defcls: int = u16()


class tc_service_curve(Message):
    """struct tc_service_curve (linux/pkt_sched.h): slopes in bytes per second, `d` in us."""

    m1: int = u32()
    d: int = u32()
    m2: int = u32()


class tc_hfsc_stats(Message):
    """struct tc_hfsc_stats (linux/pkt_sched.h) of a class. Work is in bytes."""

    work: int = u64()
    rtwork: int = u64()
    period: int = u32()
    level: int = u32()


class Hfsc(Message):
    """TCA_HFSC_* attributes of a class of an "hfsc": its service curves."""

    rsc: Nested[tc_service_curve] = struct(1, tc_service_curve)
    fsc: Nested[tc_service_curve] = struct(2, tc_service_curve)
    usc: Nested[tc_service_curve] = struct(3, tc_service_curve)


class tc_drr_stats(Message):
    """struct tc_drr_stats (linux/pkt_sched.h) of a class, in bytes."""

    deficit: int = u32()


class Drr(Message):
    """TCA_DRR_* attributes of a class of a "drr", in bytes."""

    quantum: int | None = u32(1)


class tc_qfq_stats(Message):
    """struct tc_qfq_stats (linux/pkt_sched.h) of a class."""

    weight: int = u32()
    lmax: int = u32()


class Qfq(Message):
    """TCA_QFQ_* attributes of a class of a "qfq". `lmax` is the maximum packet size in bytes."""

    weight: int | None = u32(1)
    lmax: int | None = u32(2)


# --- netem ----------------------------------------------------------------------------------------


class tc_netem_qopt(Message):
    """struct tc_netem_qopt (linux/pkt_sched.h).

    `latency` and `jitter` are in ticks, `limit` is in packets. `loss` and `duplicate` are
    probabilities in units of 2^-32.
    """

    latency: int = u32()
    limit: int = u32()
    loss: int = u32()
    gap: int = u32()
    duplicate: int = u32()
    jitter: int = u32()


class tc_netem_corr(Message):
    """struct tc_netem_corr (linux/pkt_sched.h): correlations in units of 2^-32."""

    delay_corr: int = u32()
    loss_corr: int = u32()
    dup_corr: int = u32()


class tc_netem_reorder(Message):
    """struct tc_netem_reorder (linux/pkt_sched.h): in units of 2^-32."""

    probability: int = u32()
    correlation: int = u32()


class tc_netem_corrupt(Message):
    """struct tc_netem_corrupt (linux/pkt_sched.h): in units of 2^-32."""

    probability: int = u32()
    correlation: int = u32()


class tc_netem_rate(Message):
    """struct tc_netem_rate (linux/pkt_sched.h): `rate` in bytes per second, the others in bytes."""

    rate: int = u32()
    packet_overhead: int = s32()
    cell_size: int = u32()
    cell_overhead: int = s32()


class tc_netem_slot(Message):
    """struct tc_netem_slot (linux/pkt_sched.h): times in ns; 0 packets or bytes means no limit."""

    min_delay: int = s64()
    max_delay: int = s64()
    max_packets: int = s32()
    max_bytes: int = s32()
    dist_delay: int = s64()
    dist_jitter: int = s64()


class tc_netem_gimodel(Message):
    """struct tc_netem_gimodel (linux/pkt_sched.h): a model of four states; units of 2^-32."""

    p13: int = u32()
    p31: int = u32()
    p32: int = u32()
    p14: int = u32()
    p23: int = u32()


class tc_netem_gemodel(Message):
    """struct tc_netem_gemodel (linux/pkt_sched.h): the Gilbert-Elliot model; units of 2^-32."""

    p: int = u32()
    r: int = u32()
    h: int = u32()
    k1: int = u32()


class NetemLoss(Message):
    """NETEM_LOSS_* attributes: the model of packet loss (linux/pkt_sched.h)."""

    gi: Nested[tc_netem_gimodel] = struct(1, tc_netem_gimodel)
    ge: Nested[tc_netem_gemodel] = struct(2, tc_netem_gemodel)


class Netem(tc_netem_qopt):
    """struct tc_netem_qopt and TCA_NETEM_* attributes of a "netem".

    `latency64` and `jitter64`, in ns, replace the values in the header if they are given. `rate64`
    is in bytes per second. The distributions are tables of up to 16384 numbers, in units of 1/8192
    of the jitter. `loss` in the header is a probability, and `loss_` is the attribute with a model.
    """

    corr: Nested[tc_netem_corr] = struct(1, tc_netem_corr)
    delay_dist: tuple[int, ...] = scalars(2, s16())
    reorder: Nested[tc_netem_reorder] = struct(3, tc_netem_reorder)
    corrupt: Nested[tc_netem_corrupt] = struct(4, tc_netem_corrupt)
    loss_: Nested[NetemLoss] = nest(5, NetemLoss)
    rate: Nested[tc_netem_rate] = struct(6, tc_netem_rate)
    ecn: int | None = u32(7)
    rate64: int | None = u64(8)
    latency64: int | None = s64(10)
    jitter64: int | None = s64(11)
    slot: Nested[tc_netem_slot] = struct(12, tc_netem_slot)
    slot_dist: tuple[int, ...] = scalars(13, s16())
    prng_seed: int | None = u64(14)


# --- mqprio, taprio, cbs, etf, ets ----------------------------------------------------------------


class TC_MQPRIO_HW_OFFLOAD(KernelEnum):
    """Whether the software or the hardware assigns packets to queues (linux/pkt_sched.h)."""

    TC_MQPRIO_HW_OFFLOAD_NONE = 0
    TC_MQPRIO_HW_OFFLOAD_TCS = 1


class TC_MQPRIO_MODE(KernelEnum):
    """Offload modes of an "mqprio" (linux/pkt_sched.h)."""

    TC_MQPRIO_MODE_DCB = 0
    TC_MQPRIO_MODE_CHANNEL = 1


class TC_MQPRIO_SHAPER(KernelEnum):
    """Offloaded shapers of an "mqprio" (linux/pkt_sched.h)."""

    TC_MQPRIO_SHAPER_DCB = 0
    TC_MQPRIO_SHAPER_BW_RATE = 1


class TC_FP(KernelEnum):
    """Whether frames of a traffic class can be preempted (linux/pkt_sched.h)."""

    TC_FP_EXPRESS = 1
    TC_FP_PREEMPTIBLE = 2


class tc_mqprio_qopt(Message):
    """struct tc_mqprio_qopt (linux/pkt_sched.h).

    Traffic class N has `count[N]` queues, and the first of them is `offset[N]`.
    """

    num_tc: int = u8()
    prio_tc_map: tuple[int, ...] = scalars(u8(), length=16)
    hw: Named[TC_MQPRIO_HW_OFFLOAD | int] = u8(enum=TC_MQPRIO_HW_OFFLOAD)
    count: tuple[int, ...] = scalars(u16(), length=16)
    offset: tuple[int, ...] = scalars(u16(), length=16)


class MqprioMinRates(Message):
    """TCA_MQPRIO_MIN_RATE64: minimum rates by traffic class, in bytes per second."""

    min_rate64: tuple[int, ...] = repeated(3, u64())


class MqprioMaxRates(Message):
    """TCA_MQPRIO_MAX_RATE64: maximum rates by traffic class, in bytes per second."""

    max_rate64: tuple[int, ...] = repeated(4, u64())


class MqprioClass(Message):
    """TCA_MQPRIO_TC_ENTRY_* attributes: one traffic class (linux/pkt_sched.h)."""

    index: int | None = u32(1)
    fp: Named[TC_FP | int | None] = u32(2, enum=TC_FP)


class Mqprio(tc_mqprio_qopt):
    """struct tc_mqprio_qopt and TCA_MQPRIO_* attributes of an "mqprio"."""

    mode: Named[TC_MQPRIO_MODE | int | None] = u16(1, enum=TC_MQPRIO_MODE)
    shaper: Named[TC_MQPRIO_SHAPER | int | None] = u16(2, enum=TC_MQPRIO_SHAPER)
    min_rate64: Nested[MqprioMinRates] = nest(3, MqprioMinRates)
    max_rate64: Nested[MqprioMaxRates] = nest(4, MqprioMaxRates)
    tc_entry: Several[MqprioClass] = repeated(5, MqprioClass)


class TC_TAPRIO_CMD(KernelEnum):
    """Commands of a schedule entry (linux/pkt_sched.h)."""

    TC_TAPRIO_CMD_SET_GATES = 0
    TC_TAPRIO_CMD_SET_AND_HOLD = 1
    TC_TAPRIO_CMD_SET_AND_RELEASE = 2


class TCA_TAPRIO_ATTR_FLAG(KernelFlag):
    """Offload flags of a "taprio" (linux/pkt_sched.h)."""

    TCA_TAPRIO_ATTR_FLAG_TXTIME_ASSIST = 0x1
    TCA_TAPRIO_ATTR_FLAG_FULL_OFFLOAD = 0x2


class TaprioEntry(Message):
    """TCA_TAPRIO_SCHED_ENTRY_* attributes: one step of a schedule. `interval` is in ns."""

    index: int | None = u32(1)
    cmd: Named[TC_TAPRIO_CMD | int | None] = u8(2, enum=TC_TAPRIO_CMD)
    gate_mask: int | None = u32(3)
    interval: int | None = u32(4)


class TaprioEntries(Message):
    """TCA_TAPRIO_ATTR_SCHED_ENTRY_LIST: the steps, each TCA_TAPRIO_SCHED_ENTRY, in order."""

    entry: Several[TaprioEntry] = repeated(1, TaprioEntry)


class TaprioClass(Message):
    """TCA_TAPRIO_TC_ENTRY_* attributes: one traffic class. `max_sdu` is in bytes."""

    index: int | None = u32(1)
    max_sdu: int | None = u32(2)
    fp: Named[TC_FP | int | None] = u32(3, enum=TC_FP)


class TaprioStats(Message):
    """TCA_TAPRIO_OFFLOAD_STATS_* attributes (linux/pkt_sched.h): counters of packets."""

    window_drops: int | None = u64(2)
    tx_overruns: int | None = u64(3)


class Taprio(Message):
    """TCA_TAPRIO_ATTR_* attributes of a "taprio". All times are in ns, also `txtime_delay`.

    `admin_sched` is the schedule that will replace the current one. Only the kernel sends it.
    """

    priomap: Nested[tc_mqprio_qopt] = struct(1, tc_mqprio_qopt)
    sched_entry_list: Nested[TaprioEntries] = nest(2, TaprioEntries)
    sched_base_time: int | None = s64(3)
    sched_single_entry: Nested[TaprioEntries] = nest(4, TaprioEntries)
    sched_clockid: int | None = s32(5)
    admin_sched: "Nested[Taprio]" = nest(7, lambda: Taprio)
    sched_cycle_time: int | None = s64(8)
    sched_cycle_time_extension: int | None = s64(9)
    flags: Named[TCA_TAPRIO_ATTR_FLAG | None] = u32(10, enum=TCA_TAPRIO_ATTR_FLAG)
    txtime_delay: int | None = u32(11)
    tc_entry: Several[TaprioClass] = repeated(12, TaprioClass)


class tc_cbs_qopt(Message):
    """struct tc_cbs_qopt (linux/pkt_sched.h): credits in bytes, slopes in kbit/s."""

    offload: int = u8()
    _pad = pad(3)
    hicredit: int = s32()
    locredit: int = s32()
    idleslope: int = s32()
    sendslope: int = s32()


class Cbs(Message):
    """TCA_CBS_* attributes of a "cbs"."""

    parms: Nested[tc_cbs_qopt] = struct(1, tc_cbs_qopt)


class TC_ETF(KernelFlag):
    """Flags of an "etf" (linux/pkt_sched.h)."""

    TC_ETF_DEADLINE_MODE_ON = 0x1
    TC_ETF_OFFLOAD_ON = 0x2
    TC_ETF_SKIP_SOCK_CHECK = 0x4


class tc_etf_qopt(Message):
    """struct tc_etf_qopt (linux/pkt_sched.h): `delta` is in ns."""

    delta: int = s32()
    clockid: int = s32()
    flags: Named[TC_ETF] = u32(enum=TC_ETF)


class Etf(Message):
    """TCA_ETF_* attributes of an "etf"."""

    parms: Nested[tc_etf_qopt] = struct(1, tc_etf_qopt)


class EtsQuanta(Message):
    """TCA_ETS_QUANTA: the quantum in bytes of each band that is not strict."""

    quanta_band: tuple[int, ...] = repeated(4, u32())


class EtsPriomap(Message):
    """TCA_ETS_PRIOMAP: the band of each packet priority."""

    priomap_band: tuple[int, ...] = repeated(6, u8())


class Ets(Message):
    """TCA_ETS_* attributes of an "ets", and of its classes (only `quanta_band`)."""

    nbands: int | None = u8(1)
    nstrict: int | None = u8(2)
    quanta: Nested[EtsQuanta] = nest(3, EtsQuanta)
    quanta_band: int | None = u32(4)
    priomap: Nested[EtsPriomap] = nest(5, EtsPriomap)


# --- codel, fq_codel, fq, hhf, pie, fq_pie --------------------------------------------------------


class tc_codel_xstats(Message):
    """struct tc_codel_xstats (linux/pkt_sched.h): times in us, `maxpacket` in bytes."""

    maxpacket: int = u32()
    count: int = u32()
    lastcount: int = u32()
    ldelay: int = u32()
    drop_next: int = s32()
    drop_overlimit: int = u32()
    ecn_mark: int = u32()
    dropping: int = u32()
    ce_mark: int = u32()


class Codel(Message):
    """TCA_CODEL_* attributes of a "codel": times in us, `limit` in packets."""

    target: int | None = u32(1)
    limit: int | None = u32(2)
    interval: int | None = u32(3)
    ecn: int | None = u32(4)
    ce_threshold: int | None = u32(5)


class TCA_FQ_CODEL_XSTATS(KernelEnum):
    """Whether statistics of an "fq_codel" are of the qdisc or a class (linux/pkt_sched.h)."""

    TCA_FQ_CODEL_XSTATS_QDISC = 0
    TCA_FQ_CODEL_XSTATS_CLASS = 1


class tc_fq_codel_xstats(Message):
    """struct tc_fq_codel_xstats (linux/pkt_sched.h) without its union: subclasses declare that."""

    type: Named[TCA_FQ_CODEL_XSTATS | int] = u32(enum=TCA_FQ_CODEL_XSTATS)


class tc_fq_codel_qd_stats(tc_fq_codel_xstats):
    """struct tc_fq_codel_xstats of a qdisc. Memory and `maxpacket` are in bytes."""

    maxpacket: int = u32()
    drop_overlimit: int = u32()
    ecn_mark: int = u32()
    new_flow_count: int = u32()
    new_flows_len: int = u32()
    old_flows_len: int = u32()
    ce_mark: int = u32()
    memory_usage: int = u32()
    drop_overmemory: int = u32()


class tc_fq_codel_cl_stats(tc_fq_codel_xstats):
    """struct tc_fq_codel_xstats of a class, which is a flow. Times are in us."""

    deficit: int = s32()
    ldelay: int = u32()
    count: int = u32()
    lastcount: int = u32()
    dropping: int = u32()
    drop_next: int = s32()


class FqCodel(Message):
    """TCA_FQ_CODEL_* attributes of an "fq_codel": times in us, `limit` in packets."""

    target: int | None = u32(1)
    limit: int | None = u32(2)
    interval: int | None = u32(3)
    ecn: int | None = u32(4)
    flows: int | None = u32(5)
    quantum: int | None = u32(6)
    ce_threshold: int | None = u32(7)
    drop_batch_size: int | None = u32(8)
    memory_limit: int | None = u32(9)
    ce_threshold_selector: int | None = u8(10)
    ce_threshold_mask: int | None = u8(11)


class tc_fq_qd_stats(Message):
    """struct tc_fq_qd_stats (linux/pkt_sched.h): `time_next_delayed_flow` is in ns from now."""

    gc_flows: int = u64()
    highprio_packets: int = u64()
    tcp_retrans: int = u64()
    throttled: int = u64()
    flows_plimit: int = u64()
    pkts_too_long: int = u64()
    allocation_errors: int = u64()
    time_next_delayed_flow: int = s64()
    flows: int = u32()
    inactive_flows: int = u32()
    throttled_flows: int = u32()
    unthrottle_latency_ns: int = u32()
    ce_mark: int = u64()
    horizon_drops: int = u64()
    horizon_caps: int = u64()
    fastpath_packets: int = u64()
    band_drops: tuple[int, ...] = scalars(u64(), length=3)
    band_pkt_count: tuple[int, ...] = scalars(u32(), length=3)
    _pad = pad(4)


class Fq(Message):
    """TCA_FQ_* attributes of an "fq".

    Limits are in packets, quanta in bytes and rates in bytes per second. `ce_threshold`, the delay
    and the horizon are in us, and `timer_slack` in ns.
    """

    plimit: int | None = u32(1)
    flow_plimit: int | None = u32(2)
    quantum: int | None = u32(3)
    initial_quantum: int | None = u32(4)
    rate_enable: int | None = u32(5)
    flow_default_rate: int | None = u32(6)
    flow_max_rate: int | None = u32(7)
    buckets_log: int | None = u32(8)
    flow_refill_delay: int | None = u32(9)
    orphan_mask: int | None = u32(10)
    low_rate_threshold: int | None = u32(11)
    ce_threshold: int | None = u32(12)
    timer_slack: int | None = u32(13)
    horizon: int | None = u32(14)
    horizon_drop: int | None = u8(15)
    priomap: Nested[tc_prio_qopt] = struct(16, tc_prio_qopt)
    weights: tuple[int, ...] = scalars(17, s32())
    offload_horizon: int | None = u32(18)  # Linux 6.13


class tc_hhf_xstats(Message):
    """struct tc_hhf_xstats (linux/pkt_sched.h)."""

    drop_overlimit: int = u32()
    hh_overlimit: int = u32()
    hh_tot_count: int = u32()
    hh_cur_count: int = u32()


class Hhf(Message):
    """TCA_HHF_* attributes of an "hhf": times in us, `backlog_limit` in packets."""

    backlog_limit: int | None = u32(1)
    quantum: int | None = u32(2)
    hh_flows_limit: int | None = u32(3)
    reset_timeout: int | None = u32(4)
    admit_bytes: int | None = u32(5)
    evict_timeout: int | None = u32(6)
    non_hh_weight: int | None = u32(7)


class tc_pie_xstats(Message):
    """struct tc_pie_xstats (linux/pkt_sched.h): `prob` in units of 2^-64, `delay` in us."""

    prob: int = u64()
    delay: int = u32()
    avg_dq_rate: int = u32()
    dq_rate_estimating: int = u32()
    packets_in: int = u32()
    dropped: int = u32()
    overlimit: int = u32()
    maxq: int = u32()
    ecn_mark: int = u32()


class Pie(Message):
    """TCA_PIE_* attributes of a "pie": times in us, `limit` in packets."""

    target: int | None = u32(1)
    limit: int | None = u32(2)
    tupdate: int | None = u32(3)
    alpha: int | None = u32(4)
    beta: int | None = u32(5)
    ecn: int | None = u32(6)
    bytemode: int | None = u32(7)
    dq_rate_estimator: int | None = u32(8)


class tc_fq_pie_xstats(Message):
    """struct tc_fq_pie_xstats (linux/pkt_sched.h): packets; `memory_usage` is in bytes."""

    packets_in: int = u32()
    dropped: int = u32()
    overlimit: int = u32()
    overmemory: int = u32()
    ecn_mark: int = u32()
    new_flow_count: int = u32()
    new_flows_len: int = u32()
    old_flows_len: int = u32()
    memory_usage: int = u32()


class FqPie(Message):
    """TCA_FQ_PIE_* attributes of an "fq_pie": times in us, `ecn_prob` in percent."""

    limit: int | None = u32(1)
    flows: int | None = u32(2)
    target: int | None = u32(3)
    tupdate: int | None = u32(4)
    alpha: int | None = u32(5)
    beta: int | None = u32(6)
    quantum: int | None = u32(7)
    memory_limit: int | None = u32(8)
    ecn_prob: int | None = u32(9)
    ecn: int | None = u32(10)
    bytemode: int | None = u32(11)
    dq_rate_estimator: int | None = u32(12)


# --- cake -----------------------------------------------------------------------------------------


class CAKE_FLOW(KernelEnum):
    """Packet fields that identify a flow (linux/pkt_sched.h)."""

    CAKE_FLOW_NONE = 0
    CAKE_FLOW_SRC_IP = 1
    CAKE_FLOW_DST_IP = 2
    CAKE_FLOW_HOSTS = 3
    CAKE_FLOW_FLOWS = 4
    CAKE_FLOW_DUAL_SRC = 5
    CAKE_FLOW_DUAL_DST = 6
    CAKE_FLOW_TRIPLE = 7


class CAKE_DIFFSERV(KernelEnum):
    """How the DS field assigns packets to tins (linux/pkt_sched.h)."""

    CAKE_DIFFSERV_DIFFSERV3 = 0
    CAKE_DIFFSERV_DIFFSERV4 = 1
    CAKE_DIFFSERV_DIFFSERV8 = 2
    CAKE_DIFFSERV_BESTEFFORT = 3
    CAKE_DIFFSERV_PRECEDENCE = 4


class CAKE_ACK(KernelEnum):
    """Which TCP ACKs a "cake" drops (linux/pkt_sched.h)."""

    CAKE_ACK_NONE = 0
    CAKE_ACK_FILTER = 1
    CAKE_ACK_AGGRESSIVE = 2


class CAKE_ATM(KernelEnum):
    """Cell format of the link layer, for the computed packet size (linux/pkt_sched.h)."""

    CAKE_ATM_NONE = 0
    CAKE_ATM_ATM = 1
    CAKE_ATM_PTM = 2


class Cake(Message):
    """TCA_CAKE_* attributes of a "cake". `base_rate64` is in bytes per second, times are in us.

    A request with `raw`, whatever its value, sets no overhead.
    """

    base_rate64: int | None = u64(2)
    diffserv_mode: Named[CAKE_DIFFSERV | int | None] = u32(3, enum=CAKE_DIFFSERV)
    atm: Named[CAKE_ATM | int | None] = u32(4, enum=CAKE_ATM)
    flow_mode: Named[CAKE_FLOW | int | None] = u32(5, enum=CAKE_FLOW)
    overhead: int | None = s32(6)
    rtt: int | None = u32(7)
    target: int | None = u32(8)
    autorate: int | None = u32(9)
    memory: int | None = u32(10)
    nat: int | None = u32(11)
    raw: int | None = u32(12)
    wash: int | None = u32(13)
    mpu: int | None = u32(14)
    ingress: int | None = u32(15)
    ack_filter: Named[CAKE_ACK | int | None] = u32(16, enum=CAKE_ACK)
    split_gso: int | None = u32(17)
    fwmark: int | None = u32(18)


class CakeTin(Message):
    """TCA_CAKE_TIN_STATS_* attributes: one tin (linux/pkt_sched.h)."""

    sent_packets: int | None = u32(2)
    sent_bytes64: int | None = u64(3)
    dropped_packets: int | None = u32(4)
    dropped_bytes64: int | None = u64(5)
    acks_dropped_packets: int | None = u32(6)
    acks_dropped_bytes64: int | None = u64(7)
    ecn_marked_packets: int | None = u32(8)
    ecn_marked_bytes64: int | None = u64(9)
    backlog_packets: int | None = u32(10)
    backlog_bytes: int | None = u32(11)
    threshold_rate64: int | None = u64(12)
    target_us: int | None = u32(13)
    interval_us: int | None = u32(14)
    way_indirect_hits: int | None = u32(15)
    way_misses: int | None = u32(16)
    way_collisions: int | None = u32(17)
    peak_delay_us: int | None = u32(18)
    avg_delay_us: int | None = u32(19)
    base_delay_us: int | None = u32(20)
    sparse_flows: int | None = u32(21)
    bulk_flows: int | None = u32(22)
    unresponsive_flows: int | None = u32(23)
    max_skblen: int | None = u32(24)
    flow_quantum: int | None = u32(25)


class CakeStats(Message):
    """TCA_CAKE_STATS_* attributes of a "cake". Fields from `deficit` on are of its classes."""

    capacity_estimate64: int | None = u64(2)
    memory_limit: int | None = u32(3)
    memory_used: int | None = u32(4)
    avg_netoff: int | None = u32(5)
    min_netlen: int | None = u32(6)
    max_netlen: int | None = u32(7)
    min_adjlen: int | None = u32(8)
    max_adjlen: int | None = u32(9)
    tin_stats: Several[CakeTin] = array(10, CakeTin, first=1)
    deficit: int | None = s32(11)
    cobalt_count: int | None = u32(12)
    dropping: int | None = u32(13)
    drop_next_us: int | None = s32(14)
    p_drop: int | None = u32(15)
    blue_timer_us: int | None = s32(16)


# --- by kind --------------------------------------------------------------------------------------

QDISC_OPTIONS: dict[str, type[Message]] = {
    "bfifo": tc_fifo_qopt,
    "cake": Cake,
    "cbs": Cbs,
    "choke": Choke,
    "codel": Codel,
    "etf": Etf,
    "ets": Ets,
    "fq": Fq,
    "fq_codel": FqCodel,
    "fq_pie": FqPie,
    "gred": Gred,
    "hfsc": tc_hfsc_qopt,
    "hhf": Hhf,
    "htb": Htb,
    "mqprio": Mqprio,
    "multiq": tc_multiq_qopt,
    "netem": Netem,
    "pfifo": tc_fifo_qopt,
    "pfifo_fast": tc_prio_qopt,
    "pfifo_head_drop": tc_fifo_qopt,
    "pie": Pie,
    "plug": tc_plug_qopt,
    "prio": tc_prio_qopt,
    "red": Red,
    "sfb": Sfb,
    "sfq": tc_sfq_qopt_v1,
    "skbprio": tc_skbprio_qopt,
    "taprio": Taprio,
    "tbf": Tbf,
}

CLASS_OPTIONS: dict[str, type[Message]] = {
    "drr": Drr,
    "ets": Ets,
    "hfsc": Hfsc,
    "htb": Htb,
    "qfq": Qfq,
}

# Statistics that gnet_stats_copy_app sends, and the nests that cake and taprio send instead.
QDISC_STATS: dict[str, type[Message]] = {
    "cake": CakeStats,
    "choke": tc_choke_xstats,
    "codel": tc_codel_xstats,
    "fq": tc_fq_qd_stats,
    "fq_codel": tc_fq_codel_qd_stats,
    "fq_pie": tc_fq_pie_xstats,
    "hhf": tc_hhf_xstats,
    "pie": tc_pie_xstats,
    "red": tc_red_xstats,
    "sfb": tc_sfb_xstats,
    "taprio": TaprioStats,
}

CLASS_STATS: dict[str, type[Message]] = {
    "cake": CakeStats,
    "drr": tc_drr_stats,
    "fq_codel": tc_fq_codel_cl_stats,
    "hfsc": tc_hfsc_stats,
    "htb": tc_htb_xstats,
    "qfq": tc_qfq_stats,
    "sfq": tc_sfq_xstats,
}


# --- what the plans fill in and require, by kind --------------------------------------------------

DROPS = "otherwise the kernel drops every packet"
NO_LIMIT = "otherwise the kernel shapes nothing"
ETHERNET = {"linklayer": TC_LINKLAYER.TC_LINKLAYER_ETHERNET}
# The burst that tc computes for an htb class is TC_MTU + rate / TC_HZ bytes. This value of TC_HZ is
# for kernels with high-resolution timers.
TC_MTU = 1600
TC_HZ = 1_000_000_000
TC_PRIOMAP = (1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)


def _thresholds(options: dict[str, Any], beside: Mapping[str, Any]) -> None:
    """Fill in the thresholds of a red or choke as tc does.

    Without them, the kernel drops every packet that arrives while the queue is not empty.
    """
    parms = options.get("parms")
    if not isinstance(parms, dict):
        return
    low, high, limit = (parms.get(name) or 0 for name in ("qth_min", "qth_max", "limit"))
    parms["qth_max"] = high = high or 3 * low or limit // 4
    parms["qth_min"] = low or high // 3


def _bins(options: dict[str, Any], beside: Mapping[str, Any]) -> None:
    """Fill in the two lengths of an sfb as tc does: `bin_size` is four fifths of `max`."""
    parms = options["parms"]
    if not isinstance(parms, dict):
        return
    size = parms.get("bin_size") or 0
    parms["max"] = most = parms.get("max") or (5 * size + 1) // 4 or 25
    parms["bin_size"] = size or (4 * most + 3) // 5


def _ceiling(options: dict[str, Any], beside: Mapping[str, Any]) -> None:
    """Fill in the ceiling and the bursts of an htb class as tc does."""
    parms = options["parms"]
    if not isinstance(parms, dict):
        return
    rate, ceil = parms["rate"], parms["ceil"]
    if isinstance(rate, dict) and isinstance(ceil, dict) and not ceil.get("rate"):
        parms["ceil"] = ceil = {**rate, **ceil, "rate": rate.get("rate", 0)}
        if "rate64" in options:
            options.setdefault("ceil64", options["rate64"])
    for burst, spec, wide in (("buffer", rate, "rate64"), ("cbuffer", ceil, "ceil64")):
        speed = options.get(wide) or (spec.get("rate") if isinstance(spec, dict) else spec.rate)
        if speed and burst not in parms:
            size = TC_MTU + speed // TC_HZ
            whole = size * 1_000_000 // speed * 125 // 8  # tc counts whole microseconds
            parms[burst] = whole or ticks(size, speed)


QDISC_RULES: dict[str, Rules] = {
    "cbs": Rules(default={"parms": {}}),
    "choke": Rules(needs=(Need("parms.limit", DROPS),), fill=_thresholds),
    "gred": Rules(needs=(Need("parms.limit", DROPS, when="parms"),)),
    "hfsc": Rules(default={}),
    "htb": Rules(default={"init": {"version": 3, "rate2quantum": 10}}),
    "multiq": Rules(default={}),
    "netem": Rules(default={"limit": 1000}),
    "prio": Rules(default={"bands": 3, "priomap": TC_PRIOMAP}),
    "red": Rules(needs=(Need("parms.limit", DROPS),), fill=_thresholds),
    "sfb": Rules(
        default={
            "parms": {
                "rehash_interval": 600_000,
                "warmup_time": 60_000,
                "increment": 33,
                "decrement": 3,
                "penalty_rate": 10,
                "penalty_burst": 20,
            }
        },
        fill=_bins,
    ),
    "tbf": Rules(
        needs=(
            Need("parms.rate.rate|rate64", NO_LIMIT),
            Need("burst|parms.buffer", "the kernel refuses a burst of 0"),
            Need("parms.limit", DROPS),
            Need(
                "pburst|parms.mtu",
                "the kernel refuses a peak rate without it",
                when="parms.peakrate.rate|prate64",
            ),
        ),
        default={"parms": {"rate": ETHERNET, "peakrate": ETHERNET}},
    ),
}

CLASS_RULES: dict[str, Rules] = {
    "drr": Rules(default={}),
    "ets": Rules(default={}),
    "hfsc": Rules(needs=(Need("rsc|fsc", "a class without a service curve has no share"),)),
    "htb": Rules(
        needs=(Need("parms.rate.rate|rate64", "a class without a rate has no share"),),
        default={"parms": {"rate": ETHERNET, "ceil": ETHERNET}},
        fill=_ceiling,
    ),
    "qfq": Rules(default={}),
}
