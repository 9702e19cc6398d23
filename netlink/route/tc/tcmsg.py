"""Declarations common to all of traffic control: struct tcmsg, handles, rates and statistics.

This file must not import other files of this folder. It exists because qdiscs, classes, filters and
chains share a header and their statistics. Numbers are from Linux 6.12 (linux/rtnetlink.h,
linux/pkt_sched.h, linux/gen_stats.h).
"""

import re
from typing import Any

from netlink.constants import AF, KernelEnum, KernelNumber
from netlink.errors import EncodeError
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
from netlink.words import Words

# The ifindex of a filter or chain in a shared block. The parent is then the number of the block. In
# the C header the value is 0xffffffff, but the member is signed.
TCM_IFINDEX_MAGIC_BLOCK = -1


class TC_H(KernelEnum):
    """Reserved handles (linux/pkt_sched.h)."""

    TC_H_UNSPEC = 0
    TC_H_ROOT = 0xFFFFFFFF
    TC_H_INGRESS = 0xFFFFFFF1
    TC_H_CLSACT = TC_H_INGRESS


class TC_LINKLAYER(KernelEnum):
    """Cell format of a link layer: the low 4 bits of `linklayer` (linux/pkt_sched.h)."""

    TC_LINKLAYER_UNAWARE = 0
    TC_LINKLAYER_ETHERNET = 1
    TC_LINKLAYER_ATM = 2


# --- handles --------------------------------------------------------------------------------------

# TC_H_MIN_INGRESS and TC_H_MIN_EGRESS are the minor numbers of the two hooks of a clsact. tc prints
# TC_H_CLSACT, the parent of the qdisc itself, as a number.
_NAMES = {
    int(TC_H.TC_H_UNSPEC): "none",
    int(TC_H.TC_H_ROOT): "root",
    0xFFFFFFF2: "ingress",
    0xFFFFFFF3: "egress",
}
_WORDS = {word: number for number, word in _NAMES.items()} | {"clsact": int(TC_H.TC_H_CLSACT)}
_MAJOR_MINOR = re.compile(r"0*([0-9a-fA-F]{0,4}):0*([0-9a-fA-F]{0,4})")
_U32 = re.compile(r"0*([0-9a-fA-F]{0,3}):0*([0-9a-fA-F]{0,2})(?::0*([0-9a-fA-F]{0,3}))?")


class Handle(KernelNumber):
    """The handle of a qdisc or a class: 16 bits of major and 16 bits of minor number.

    Its text has the notation of tc: "1:", "1:10", ":a", "root", "none". "ingress" and "egress" are
    the two hooks of a clsact qdisc.
    """

    __slots__ = ()

    def __str__(self) -> str:
        if self in _NAMES:
            return _NAMES[self]
        major, minor = self >> 16, self & 0xFFFF
        return (
            f"{major:x}:{minor:x}" if major and minor else f"{major:x}:" if major else f":{minor:x}"
        )

    @classmethod
    def from_text(cls, text: str) -> "Handle":
        """Return the handle for a text: "major:minor" in hexadecimal digits, or a name."""
        if text in _WORDS:
            return cls(_WORDS[text])
        if text in TC_H.__members__:
            return cls(TC_H[text])
        parts = _MAJOR_MINOR.fullmatch(text)
        if parts is None or text == ":":
            hint = ""
            if re.fullmatch("[0-9a-fA-F]{1,4}", text):
                hint = f"; '{text}:' is a qdisc, and ':{text}' a class of the qdisc"
            raise EncodeError(
                f"{text!r} is not a handle: give 'major:minor' in hexadecimal digits, or one of "
                f"{', '.join(_WORDS)}{hint}",
                value=text,
            )
        return cls(int(parts[1] or "0", 16) << 16 | int(parts[2] or "0", 16))


class U32Handle(KernelNumber):
    """The handle of a u32 filter: 12 bits of hash table, 8 bits of bucket and 12 bits of node.

    Its text has the notation of tc: "800:" is a table, "800:5" a bucket and "800::5" a filter.
    """

    __slots__ = ()

    def __str__(self) -> str:
        if not self:
            return "none"
        table, bucket, node = self >> 20, self >> 12 & 0xFF, self & 0xFFF
        text = f"{table:x}:" if table else ":"
        if bucket:
            text += f"{bucket:x}"
        return f"{text}:{node:x}" if node else text

    @classmethod
    def from_text(cls, text: str) -> "U32Handle":
        """Return the handle for a text: "table:bucket:node" in hexadecimal digits."""
        if text == "none":
            return cls(0)
        if re.fullmatch("0x[0-9a-fA-F]{1,8}", text):
            return cls(text, 16)
        parts = _U32.fullmatch(text)
        if parts is None or not text.strip(":"):
            raise EncodeError(
                f"{text!r} is not a u32 handle: give 'table:bucket:node' in hexadecimal digits, "
                f"such as '800::5', or 'table:'",
                value=text,
            )
        table, bucket, node = (int(part or "0", 16) for part in parts.groups())
        return cls(table << 20 | bucket << 12 | node)


class FilterHandle(KernelNumber):
    """The handle of a filter: a 32-bit number with a hexadecimal text.

    Its meaning depends on the kind of filter. For an fw filter, it is the mark. A u32 filter has a
    U32Handle; this class accepts its text too.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return f"{int(self):#x}"

    @classmethod
    def from_text(cls, text: str) -> "FilterHandle":
        """Return the handle for a text: a number, or "table:bucket:node" of a u32 filter."""
        if ":" in text:
            return cls(U32Handle.from_text(text))
        try:
            return cls(text, 0)
        except ValueError:
            raise EncodeError(
                f"{text!r} is not the handle of a filter: give a number such as '0x6' or, for a "
                f"u32 filter, 'table:bucket:node'",
                value=text,
            ) from None


def handle(text: str | int) -> Handle | U32Handle:
    """Return the number of a handle in the notation of tc. An int is returned unchanged.

    "1:10", "1:", ":a", "root", "none", "ingress", "egress" and "clsact" are handles of qdiscs and
    classes. "1" means "1:", as after the word `handle` of tc. Texts with two colons, "800::5" and
    "800:0:5", are handles of u32 filters. Digits are hexadecimal. Raises EncodeError for any other
    text, and TypeError for a value that is neither a text nor an int.

    >>> handle("1:10"), hex(handle("800::5"))
    (<Handle 1:10>, '0x80000005')
    """
    if isinstance(text, Handle | U32Handle):
        return text
    if isinstance(text, str):
        if text.count(":") == 2:
            return U32Handle.from_text(text)
        return Handle.from_text(f"{text}:" if re.fullmatch("[0-9a-fA-F]{1,4}", text) else text)
    if isinstance(text, int):
        return Handle(text)
    raise TypeError(f"a handle is text such as '1:10', or an int, not {text!r}")


def format_handle(number: int, kind: str | None = None) -> str:
    """Return a handle in the notation of tc. Without `kind`, it is the handle of a qdisc or class.

    With `kind`, it is the handle of a filter of this kind.

    >>> format_handle(0x10010), format_handle(0x80000005, "u32"), format_handle(6, "fw")
    ('1:10', '800::5', '0x6')
    """
    return str(handle_class(kind)(number))


def handle_class(kind: str | None) -> type[Handle | U32Handle | FilterHandle]:
    """Return the handle class for a kind of filter or, for None, for qdiscs and classes."""
    return Handle if kind is None else U32Handle if kind == "u32" else FilterHandle


def place(words: Words, name: str, *, major: bool = False) -> Handle:
    """Return the handle in an argument of a plan. None becomes 0.

    With `major`, a text without a colon is the handle of a qdisc, as after the word `handle` of tc.
    """
    value = words.given[name]
    if isinstance(value, str):
        bare = major and re.fullmatch("[0-9a-fA-F]{1,4}", value)
        try:
            return Handle.from_text(f"{value}:" if bare else value)
        except EncodeError as error:
            raise words.wrong(name, error.reason) from None
    if isinstance(value, int | None) and not isinstance(value, bool):
        return Handle(words.integer(name) or 0)
    raise words.expected(name, "a handle such as '1:10', or an int")


# --- sizes and rates ------------------------------------------------------------------------------


def ticks(size: int, rate: int) -> int:
    """Return how long `size` bytes take at `rate` bytes per second, in scheduler ticks of 64 ns.

    tbf, htb and police express a burst in this unit (PSCHED_SHIFT in include/net/pkt_sched.h).
    """
    return size * 1_000_000_000 // (rate * 64)


class tcmsg(Message):
    """struct tcmsg (linux/rtnetlink.h).

    `handle` and `parent` are decoded as a Handle, and accept its text too: "1:10". The meaning of
    `info` depends on the message.
    """

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(3)
    ifindex: int = s32()
    handle: Named[Handle] = u32(enum=Handle)
    parent: Named[Handle] = u32(enum=Handle)
    info: int = u32()


class tc_ratespec(Message):
    """struct tc_ratespec (linux/pkt_sched.h).

    `rate` is in bytes per second; it is 0xffffffff if a 64-bit attribute contains the rate.
    `overhead` and `mpu` are in bytes.
    """

    cell_log: int = u8()
    linklayer: Named[TC_LINKLAYER | int] = u8(enum=TC_LINKLAYER)
    overhead: int = u16()
    cell_align: int = s16()
    mpu: int = u16()
    rate: int = u32()


class tc_sizespec(Message):
    """struct tc_sizespec (linux/pkt_sched.h): how to adjust packet sizes, in bytes."""

    cell_log: int = u8()
    size_log: int = u8()
    cell_align: int = s16()
    overhead: int = s32()
    linklayer: Named[TC_LINKLAYER | int] = u32(enum=TC_LINKLAYER)
    mpu: int = u32()
    mtu: int = u32()
    tsize: int = u32(counts="^data")


class SizeTable(Message):
    """TCA_STAB_* attributes (linux/pkt_sched.h). The kernel does not send `data` in replies."""

    base: Nested[tc_sizespec] = struct(1, tc_sizespec)
    data: tuple[int, ...] = scalars(2, u16())


def size_table(
    *,
    overhead: int = 0,
    mpu: int = 0,
    mtu: int = 2047,
    tsize: int = 512,
    linklayer: TC_LINKLAYER | int | str = TC_LINKLAYER.TC_LINKLAYER_UNAWARE,
) -> SizeTable:
    """Return the size table that `tc qdisc add ... stab` creates from these arguments, in bytes.

    `overhead` is added to the size of each packet. A packet smaller than `mpu` counts as `mpu`. The
    table has `tsize` entries for packets of up to `mtu` bytes. The kernel needs no table if `mpu`
    is 0 and the link layer is not ATM.
    """
    base: dict[str, Any] = {"overhead": overhead, "mpu": mpu, "linklayer": linklayer}
    is_atm = tc_sizespec(**base).linklayer == TC_LINKLAYER.TC_LINKLAYER_ATM
    if not mpu and not is_atm:
        return SizeTable(base=base)
    if tsize < 2:
        raise EncodeError(f"{tsize} is out of range: at least 2", path="tsize", value=tsize)
    cell_log = size_log = 0
    while mtu >> cell_log > tsize - 1:
        cell_log += 1
    sizes = [max((slot + 1) << cell_log, mpu) for slot in range(tsize)]
    if is_atm:
        sizes = [
            (size + 47) // 48 * 53 for size in sizes
        ]  # whole cells, of which 48 bytes are data
    while sizes[-1] >> size_log > 0xFFFF:
        size_log += 1
    base.update(cell_log=cell_log, size_log=size_log, cell_align=-1, mtu=mtu)
    return SizeTable(base=base, data=tuple(size >> size_log for size in sizes))


def completed(table: SizeTable) -> SizeTable:
    """Return a size table with `data`, computing it if only `base` is given.

    Without `data`, the kernel ignores everything except `overhead` (__qdisc_calculate_pkt_len in
    net/sched/sch_api.c).
    """
    base = table.base
    if base is None or table.data or base.tsize:
        return table
    words = {"mtu": base.mtu} if base.mtu else {}
    return size_table(overhead=base.overhead, mpu=base.mpu, linklayer=base.linklayer, **words)


class tc_estimator(Message):
    """struct tc_estimator (linux/pkt_sched.h): a rate estimator to attach.

    The kernel takes a sample every 2^interval seconds. `interval` is -2 to 3
    (net/core/gen_estimator.c).
    """

    interval: int = s8()
    ewma_log: int = u8()


class tc_stats(Message):
    """struct tc_stats (linux/pkt_sched.h): statistics in the older format, before TCA_STATS2.

    `bps` is in bytes per second.
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
    """struct gnet_stats_basic (linux/gen_stats.h): bytes and packets seen."""

    bytes: int = u64()
    packets: int = u32()


class gnet_stats_rate_est(Message):
    """struct gnet_stats_rate_est (linux/gen_stats.h): `bps` in bytes per second."""

    bps: int = u32()
    pps: int = u32()


class gnet_stats_rate_est64(Message):
    """struct gnet_stats_rate_est64 (linux/gen_stats.h): `bps` in bytes per second."""

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

    The kernel sends `pkt64` with a `basic` or `basic_hw` whose packet count exceeds 32 bits.
    """

    basic: Nested[gnet_stats_basic] = struct(1, gnet_stats_basic)
    rate_est: Nested[gnet_stats_rate_est] = struct(2, gnet_stats_rate_est)
    queue: Nested[gnet_stats_queue] = struct(3, gnet_stats_queue)
    rate_est64: Nested[gnet_stats_rate_est64] = struct(5, gnet_stats_rate_est64)
    basic_hw: Nested[gnet_stats_basic] = struct(7, gnet_stats_basic)
    pkt64: int | None = u64(8)
