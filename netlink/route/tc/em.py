"""Extended matches (ematches): tests that a basic, flow or cgroup classifier combines.

This file must not import the classifiers; cls.py imports it. It exists because three classifiers
share the tests. Numbers are from Linux 6.12 (linux/pkt_cls.h, linux/tc_ematch/). Widths and byte
order are from net/sched/em_*.c.
"""

import sys
from typing import Any

from netlink.constants import KernelEnum, KernelFlag
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    array,
    be32,
    binary,
    pad,
    s32,
    scalars,
    selected,
    string,
    struct,
    u8,
    u16,
    u32,
)

XT_EXTENSION_MAXNAMELEN = 29  # linux/netfilter/x_tables.h


class TCF_EM(KernelEnum):
    """Kinds of extended match (linux/pkt_cls.h)."""

    TCF_EM_CONTAINER = 0
    TCF_EM_CMP = 1
    TCF_EM_NBYTE = 2
    TCF_EM_U32 = 3
    TCF_EM_META = 4
    TCF_EM_TEXT = 5
    TCF_EM_VLAN = 6
    TCF_EM_CANID = 7
    TCF_EM_IPSET = 8
    TCF_EM_IPT = 9


class TCF_EM_FLAG(KernelFlag, prefix="TCF_EM_"):
    """Relation of a match to the next one (none for the last), and inversion (linux/pkt_cls.h)."""

    TCF_EM_REL_AND = 0x1
    TCF_EM_REL_OR = 0x2
    TCF_EM_INVERT = 0x4
    TCF_EM_SIMPLE = 0x8


class TCF_LAYER(KernelEnum):
    """The header to which an offset is relative (linux/pkt_cls.h)."""

    TCF_LAYER_LINK = 0
    TCF_LAYER_NETWORK = 1
    TCF_LAYER_TRANSPORT = 2


class TCF_EM_OPND(KernelEnum):
    """Comparison operators (linux/pkt_cls.h)."""

    TCF_EM_OPND_EQ = 0
    TCF_EM_OPND_GT = 1
    TCF_EM_OPND_LT = 2


class TCF_EM_ALIGN(KernelEnum):
    """Width of the value to compare (linux/tc_ematch/tc_em_cmp.h)."""

    TCF_EM_ALIGN_U8 = 1
    TCF_EM_ALIGN_U16 = 2
    TCF_EM_ALIGN_U32 = 4


class TCF_META_TYPE(KernelEnum):
    """Types of a value (linux/tc_ematch/tc_em_meta.h)."""

    TCF_META_TYPE_VAR = 0
    TCF_META_TYPE_INT = 1


class TCF_META_ID(KernelEnum):
    """Metadata of a packet, of its socket or of the system (linux/tc_ematch/tc_em_meta.h)."""

    TCF_META_ID_VALUE = 0
    TCF_META_ID_RANDOM = 1
    TCF_META_ID_LOADAVG_0 = 2
    TCF_META_ID_LOADAVG_1 = 3
    TCF_META_ID_LOADAVG_2 = 4
    TCF_META_ID_DEV = 5
    TCF_META_ID_PRIORITY = 6
    TCF_META_ID_PROTOCOL = 7
    TCF_META_ID_PKTTYPE = 8
    TCF_META_ID_PKTLEN = 9
    TCF_META_ID_DATALEN = 10
    TCF_META_ID_MACLEN = 11
    TCF_META_ID_NFMARK = 12
    TCF_META_ID_TCINDEX = 13
    TCF_META_ID_RTCLASSID = 14
    TCF_META_ID_RTIIF = 15
    TCF_META_ID_SK_FAMILY = 16
    TCF_META_ID_SK_STATE = 17
    TCF_META_ID_SK_REUSE = 18
    TCF_META_ID_SK_BOUND_IF = 19
    TCF_META_ID_SK_REFCNT = 20
    TCF_META_ID_SK_SHUTDOWN = 21
    TCF_META_ID_SK_PROTO = 22
    TCF_META_ID_SK_TYPE = 23
    TCF_META_ID_SK_RCVBUF = 24
    TCF_META_ID_SK_RMEM_ALLOC = 25
    TCF_META_ID_SK_WMEM_ALLOC = 26
    TCF_META_ID_SK_OMEM_ALLOC = 27
    TCF_META_ID_SK_WMEM_QUEUED = 28
    TCF_META_ID_SK_RCV_QLEN = 29
    TCF_META_ID_SK_SND_QLEN = 30
    TCF_META_ID_SK_ERR_QLEN = 31
    TCF_META_ID_SK_FORWARD_ALLOCS = 32
    TCF_META_ID_SK_SNDBUF = 33
    TCF_META_ID_SK_ALLOCS = 34
    TCF_META_ID_SK_HASH = 36
    TCF_META_ID_SK_LINGERTIME = 37
    TCF_META_ID_SK_ACK_BACKLOG = 38
    TCF_META_ID_SK_MAX_ACK_BACKLOG = 39
    TCF_META_ID_SK_PRIO = 40
    TCF_META_ID_SK_RCVLOWAT = 41
    TCF_META_ID_SK_RCVTIMEO = 42
    TCF_META_ID_SK_SNDTIMEO = 43
    TCF_META_ID_SK_SENDMSG_OFF = 44
    TCF_META_ID_SK_WRITE_PENDING = 45
    TCF_META_ID_VLAN_TAG = 46
    TCF_META_ID_RXHASH = 47


class tcf_em_container(Message):
    """The payload of a TCF_EM_CONTAINER (net/sched/ematch.c).

    It is the number, counted from 0, of the first match of the expression in parentheses.
    """

    ref: int = u32()


class tcf_em_cmp(Message):
    """struct tcf_em_cmp (linux/tc_ematch/tc_em_cmp.h).

    The low 4 bits of `align_flags` are TCF_EM_ALIGN, and the high 4 bits are 1 for a value in
    network byte order. The low 4 bits of `layer_opnd` are TCF_LAYER, and the high 4 bits are
    TCF_EM_OPND. On a big-endian machine, the two halves are swapped.
    """

    val: int = u32()
    mask: int = u32()
    off: int = u16()
    align_flags: int = u8()
    layer_opnd: int = u8()


class tcf_em_nbyte(Message):
    """struct tcf_em_nbyte (linux/tc_ematch/tc_em_nbyte.h) and the bytes to find.

    The low 12 bits of `len_layer` are the number of bytes, which is computed. The high 4 bits are
    the TCF_LAYER. On a big-endian machine the layer is in the low bits, and the caller must give
    the number.
    """

    off: int = u16()
    len_layer: int = u16(counts="pattern", bits=12) if sys.byteorder == "little" else u16()
    pattern: bytes = binary()


class tc_u32_key(Message):
    """struct tc_u32_key (linux/pkt_cls.h): whether the word at `off`, masked with `mask`, is `val`.

    With `offmask`, the offset is relative to the next header.
    """

    mask: int = be32()
    val: int = be32()
    off: int = s32()
    offmask: int = s32()


class tcf_meta_val(Message):
    """struct tcf_meta_val (linux/tc_ematch/tc_em_meta.h).

    The high 4 bits of `kind` are TCF_META_TYPE. The low bits are TCF_META_ID.
    """

    kind: int = u16()
    shift: int = u8()
    op: Named[TCF_EM_OPND | int] = u8(enum=TCF_EM_OPND)


class tcf_meta_hdr(Message):
    """struct tcf_meta_hdr (linux/tc_ematch/tc_em_meta.h): both operands; `left` has the `op`."""

    left: Nested[tcf_meta_val] = struct(tcf_meta_val)
    right: Nested[tcf_meta_val] = struct(tcf_meta_val)


class Meta(Message):
    """TCA_EM_META_* attributes (linux/tc_ematch/tc_em_meta.h).

    A value is 4 bytes or an unsigned long, or a text for TCF_META_TYPE_VAR. `rvalue` contains the
    value to compare with, and `lvalue` a mask.
    """

    hdr: Nested[tcf_meta_hdr] = struct(1, tcf_meta_hdr)
    lvalue: bytes | None = binary(2)
    rvalue: bytes | None = binary(3)


class tcf_em_text(Message):
    """struct tcf_em_text (linux/tc_ematch/tc_em_text.h) and the text to find.

    The low 4 bits of `layers` are the TCF_LAYER of `from_offset`, and the high 4 bits that of
    `to_offset`. On a big-endian machine, the two halves are swapped.
    """

    algo: str = string(size=16)
    from_offset: int = u16()
    to_offset: int = u16()
    pattern_len: int = u16(counts="pattern")
    layers: int = u8()
    _pad = pad(1)
    pattern: bytes = binary()


class can_filter(Message):
    """struct can_filter (linux/can.h)."""

    can_id: int = u32()
    can_mask: int = u32()


class tcf_em_canid(Message):
    """The payload of a TCF_EM_CANID (net/sched/em_canid.c): filters, one of which must match."""

    rules: Several[can_filter] = scalars(struct(can_filter))


class xt_set_info(Message):
    """struct xt_set_info (linux/netfilter/xt_set.h): an IP set, and the fields to look up in it."""

    index: int = u16()
    dim: int = u8()
    flags: int = u8()


class Ipt(Message):
    """TCA_EM_IPT_* attributes (linux/tc_ematch/tc_em_ipt.h): an xtables match."""

    hook: int | None = u32(1)
    match_name: str | None = string(2, size=XT_EXTENSION_MAXNAMELEN)
    match_revision: int | None = u8(3)
    nfproto: int | None = u8(4)
    match_data: bytes | None = binary(5)


EMATCHES: dict[TCF_EM, type[Message]] = {
    TCF_EM.TCF_EM_CONTAINER: tcf_em_container,
    TCF_EM.TCF_EM_CMP: tcf_em_cmp,
    TCF_EM.TCF_EM_NBYTE: tcf_em_nbyte,
    TCF_EM.TCF_EM_U32: tc_u32_key,
    TCF_EM.TCF_EM_META: Meta,
    TCF_EM.TCF_EM_TEXT: tcf_em_text,
    TCF_EM.TCF_EM_CANID: tcf_em_canid,
    TCF_EM.TCF_EM_IPSET: xt_set_info,
    TCF_EM.TCF_EM_IPT: Ipt,
}


class tcf_ematch_hdr(Message):
    """struct tcf_ematch_hdr (linux/pkt_cls.h)."""

    matchid: int = u16()
    kind: Named[TCF_EM | int] = u16(enum=TCF_EM)
    flags: Named[TCF_EM_FLAG] = u16(enum=TCF_EM_FLAG)
    _pad = pad(2)


class Ematch(tcf_ematch_hdr):
    """One match: struct tcf_ematch_hdr and the payload, which depends on the kind."""

    data: Nested[Any] = selected(None, "kind", EMATCHES)


class tcf_ematch_tree_hdr(Message):
    """struct tcf_ematch_tree_hdr (linux/pkt_cls.h): the number of matches, and the owner's ID."""

    nmatches: int = u16(counts="^tree_list")
    progid: int = u16()


class EmatchTree(Message):
    """TCA_EMATCH_* attributes (linux/pkt_cls.h): matches and their relations."""

    tree_hdr: Nested[tcf_ematch_tree_hdr] = struct(1, tcf_ematch_tree_hdr)
    tree_list: Several[Ematch] = array(2, Ematch, first=1)
