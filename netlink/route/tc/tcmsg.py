"""What all of traffic control shares: struct tcmsg, handles, rates and statistics.

Numbers are those of Linux 6.12 (linux/rtnetlink.h, linux/pkt_sched.h, linux/gen_stats.h). This
file imports nothing of the package below.
"""

import re

from netlink.constants import AF, KernelEnum
from netlink.schema import (
    Message,
    Named,
    Nested,
    pad,
    s8,
    s16,
    s32,
    scalars,
    struct,
    u8,
    u16,
    u32,
    u64,
)

# The ifindex of a filter or chain that belongs to a shared block, whose number is then the
# parent; 0xffffffff in the header, where the member is signed.
TCM_IFINDEX_MAGIC_BLOCK = -1


class TC_H(KernelEnum):
    """Handles with a meaning of their own (linux/pkt_sched.h)."""

    TC_H_UNSPEC = 0
    TC_H_ROOT = 0xFFFFFFFF
    TC_H_INGRESS = 0xFFFFFFF1
    TC_H_CLSACT = TC_H_INGRESS


class TC_LINKLAYER(KernelEnum):
    """How a link layer cuts packets, in the low 4 bits of `linklayer` (linux/pkt_sched.h)."""

    TC_LINKLAYER_UNAWARE = 0
    TC_LINKLAYER_ETHERNET = 1
    TC_LINKLAYER_ATM = 2


# TC_H_MIN_INGRESS and TC_H_MIN_EGRESS are the minors of the two hooks below a clsact.
_WORDS = {
    "none": int(TC_H.TC_H_UNSPEC),
    "root": int(TC_H.TC_H_ROOT),
    "clsact": int(TC_H.TC_H_CLSACT),
    "ingress": 0xFFFFFFF2,
    "egress": 0xFFFFFFF3,
}
_NAMES = {number: word for word, number in _WORDS.items()}


def handle(text: str | int) -> int:
    """The number of a handle as `tc` writes it: "1:", "1:10", "root", "ingress"; an int stays.

    Major and minor are hexadecimal. "ingress" and "egress" are the hooks below a clsact qdisc.
    Raises ValueError for anything else.

    >>> hex(handle("1:10"))
    '0x10010'
    """
    if isinstance(text, int):
        return text
    if text in _WORDS:
        return _WORDS[text]
    parts = re.fullmatch("([0-9a-fA-F]{0,4}):([0-9a-fA-F]{0,4})", text)
    if parts is None:
        known = ", ".join(_WORDS)
        raise ValueError(f"{text!r} is no handle: give 'major:minor' in hexadecimal, or {known}")
    return int(parts[1] or "0", 16) << 16 | int(parts[2] or "0", 16)


def format_handle(number: int) -> str:
    """A handle as `tc` writes it: the other direction of handle().

    >>> format_handle(0x10010)
    '1:10'
    """
    if number in _NAMES:
        return _NAMES[number]
    minor = number & 0xFFFF
    return f"{number >> 16:x}:{minor:x}" if minor else f"{number >> 16:x}:"


def ticks(size: int, rate: int) -> int:
    """How long `size` bytes take at `rate` bytes a second, in scheduler ticks of 64 ns.

    That is how tbf, htb and police count a burst (PSCHED_SHIFT in include/net/pkt_sched.h).
    """
    return size * 1_000_000_000 // (rate * 64)


class tcmsg(Message):
    """struct tcmsg (linux/rtnetlink.h).

    `handle` and `parent` are handles, see handle(). What `info` means depends on the message.
    """

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(3)
    ifindex: int = s32()
    handle: int = u32()
    parent: Named[TC_H | int] = u32(enum=TC_H)
    info: int = u32()


class tc_ratespec(Message):
    """struct tc_ratespec (linux/pkt_sched.h): `rate` in bytes a second, 0xffffffff where a
    64-bit attribute beside it says more; `overhead` and `mpu` in bytes."""

    cell_log: int = u8()
    linklayer: Named[TC_LINKLAYER | int] = u8(enum=TC_LINKLAYER)
    overhead: int = u16()
    cell_align: int = s16()
    mpu: int = u16()
    rate: int = u32()


class tc_sizespec(Message):
    """struct tc_sizespec (linux/pkt_sched.h): how to correct packet sizes, in bytes."""

    cell_log: int = u8()
    size_log: int = u8()
    cell_align: int = s16()
    overhead: int = s32()
    linklayer: Named[TC_LINKLAYER | int] = u32(enum=TC_LINKLAYER)
    mpu: int = u32()
    mtu: int = u32()
    tsize: int = u32()


class SizeTable(Message):
    """TCA_STAB_* attributes (linux/pkt_sched.h); the kernel does not send `data` back."""

    base: Nested[tc_sizespec] = struct(1, tc_sizespec)
    data: tuple[int, ...] = scalars(2, u16())


class tc_estimator(Message):
    """struct tc_estimator (linux/pkt_sched.h): a rate estimator to attach.

    It samples every 2^interval seconds, `interval` being -2 to 3 (net/core/gen_estimator.c).
    """

    interval: int = s8()
    ewma_log: int = u8()


class tc_stats(Message):
    """struct tc_stats (linux/pkt_sched.h): statistics as they were before TCA_STATS2.

    `bps` is bytes a second.
    """

    bytes: int = u64()
    packets: int = u32()
    drops: int = u32()
    overlimits: int = u32()
    bps: int = u32()
    pps: int = u32()
    qlen: int = u32()
    backlog: int = u32()


class gnet_stats_basic(Message):
    """struct gnet_stats_basic (linux/gen_stats.h): what was seen."""

    bytes: int = u64()
    packets: int = u32()


class gnet_stats_rate_est(Message):
    """struct gnet_stats_rate_est (linux/gen_stats.h): `bps` in bytes a second."""

    bps: int = u32()
    pps: int = u32()


class gnet_stats_rate_est64(Message):
    """struct gnet_stats_rate_est64 (linux/gen_stats.h): `bps` in bytes a second."""

    bps: int = u64()
    pps: int = u64()


class gnet_stats_queue(Message):
    """struct gnet_stats_queue (linux/gen_stats.h): `qlen` in packets, `backlog` in bytes."""

    qlen: int = u32()
    backlog: int = u32()
    drops: int = u32()
    requeues: int = u32()
    overlimits: int = u32()


class Stats(Message):
    """TCA_STATS_* attributes (linux/gen_stats.h).

    `pkt64` is sent beside a `basic` or `basic_hw` whose packets exceed 32 bits.
    """

    basic: Nested[gnet_stats_basic] = struct(1, gnet_stats_basic)
    rate_est: Nested[gnet_stats_rate_est] = struct(2, gnet_stats_rate_est)
    queue: Nested[gnet_stats_queue] = struct(3, gnet_stats_queue)
    rate_est64: Nested[gnet_stats_rate_est64] = struct(5, gnet_stats_rate_est64)
    basic_hw: Nested[gnet_stats_basic] = struct(7, gnet_stats_basic)
    pkt64: int | None = u64(8)
