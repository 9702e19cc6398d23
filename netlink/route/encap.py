"""Lightweight tunnels: RTA_ENCAP of a route and NHA_ENCAP of a next hop, one class for each type.

Routes and next hops share this file, so it must not depend on either. Numbers are from Linux 6.12:
linux/lwtunnel.h, and {mpls,seg6,rpl,ioam6}_iptunnel.h, seg6_local.h and ila.h for single types.
Widths and byte order are from the policies and fill functions in net/ipv4/ip_tunnel_core.c,
net/mpls/mpls_iptunnel.c, net/core/lwt_bpf.c, net/xfrm/xfrm_interface_core.c and net/ipv6.
"""

from ipaddress import IPv6Address
from typing import Any, Self, TypeAlias

from netlink.constants import KernelEnum, KernelFlag
from netlink.schema import (
    Addr,
    Message,
    Named,
    Nested,
    Several,
    address,
    be16,
    be32,
    be64,
    binary,
    labels,
    nest,
    pad,
    repeated,
    s32,
    scalars,
    string,
    struct,
    u8,
    u32,
    u64,
)
from netlink.words import U16, Words

MAX_PROG_NAME = 256  # name of a BPF program without the NUL (net/core/lwt_bpf.c, seg6_local.c)


class LWTUNNEL_ENCAP(KernelEnum):
    """Types of lightweight tunnels: RTA_ENCAP_TYPE, NHA_ENCAP_TYPE (linux/lwtunnel.h)."""

    LWTUNNEL_ENCAP_NONE = 0
    LWTUNNEL_ENCAP_MPLS = 1
    LWTUNNEL_ENCAP_IP = 2
    LWTUNNEL_ENCAP_ILA = 3
    LWTUNNEL_ENCAP_IP6 = 4
    LWTUNNEL_ENCAP_SEG6 = 5
    LWTUNNEL_ENCAP_BPF = 6
    LWTUNNEL_ENCAP_SEG6_LOCAL = 7
    LWTUNNEL_ENCAP_RPL = 8
    LWTUNNEL_ENCAP_IOAM6 = 9
    LWTUNNEL_ENCAP_XFRM = 10


class TUNNEL(KernelFlag):
    """Flags of the tunnel header: LWTUNNEL_IP_FLAGS (linux/if_tunnel.h)."""

    TUNNEL_CSUM = 0x01
    TUNNEL_ROUTING = 0x02
    TUNNEL_KEY = 0x04
    TUNNEL_SEQ = 0x08
    TUNNEL_STRICT = 0x10
    TUNNEL_REC = 0x20
    TUNNEL_VERSION = 0x40
    TUNNEL_NO_KEY = 0x80
    TUNNEL_DONT_FRAGMENT = 0x0100
    TUNNEL_OAM = 0x0200
    TUNNEL_CRIT_OPT = 0x0400
    TUNNEL_GENEVE_OPT = 0x0800
    TUNNEL_VXLAN_OPT = 0x1000
    TUNNEL_NOCACHE = 0x2000
    TUNNEL_ERSPAN_OPT = 0x4000
    TUNNEL_GTP_OPT = 0x8000


class SEG6_IPTUN_MODE(KernelEnum):
    """How to add a segment routing header: seg6_iptunnel_encap.mode (linux/seg6_iptunnel.h)."""

    SEG6_IPTUN_MODE_INLINE = 0
    SEG6_IPTUN_MODE_ENCAP = 1
    SEG6_IPTUN_MODE_L2ENCAP = 2
    SEG6_IPTUN_MODE_ENCAP_RED = 3
    SEG6_IPTUN_MODE_L2ENCAP_RED = 4


class SR6_FLAG1(KernelFlag):
    """Flags of a segment routing header (linux/seg6.h)."""

    SR6_FLAG1_HMAC = 0x08
    SR6_FLAG1_ALERT = 0x10
    SR6_FLAG1_OAM = 0x20
    SR6_FLAG1_PROTECTED = 0x40


class SEG6_LOCAL_ACTION(KernelEnum):
    """Action of this node for one of its segments: SEG6_LOCAL_ACTION (linux/seg6_local.h)."""

    SEG6_LOCAL_ACTION_UNSPEC = 0
    SEG6_LOCAL_ACTION_END = 1
    SEG6_LOCAL_ACTION_END_X = 2
    SEG6_LOCAL_ACTION_END_T = 3
    SEG6_LOCAL_ACTION_END_DX2 = 4
    SEG6_LOCAL_ACTION_END_DX6 = 5
    SEG6_LOCAL_ACTION_END_DX4 = 6
    SEG6_LOCAL_ACTION_END_DT6 = 7
    SEG6_LOCAL_ACTION_END_DT4 = 8
    SEG6_LOCAL_ACTION_END_B6 = 9
    SEG6_LOCAL_ACTION_END_B6_ENCAP = 10
    SEG6_LOCAL_ACTION_END_BM = 11
    SEG6_LOCAL_ACTION_END_S = 12
    SEG6_LOCAL_ACTION_END_AS = 13
    SEG6_LOCAL_ACTION_END_AM = 14
    SEG6_LOCAL_ACTION_END_BPF = 15
    SEG6_LOCAL_ACTION_END_DT46 = 16


class SEG6_LOCAL_FLV_OP(KernelEnum):
    """Flavors of an action; number N is bit N of SEG6_LOCAL_FLV_OPERATION (linux/seg6_local.h)."""

    SEG6_LOCAL_FLV_OP_UNSPEC = 0
    SEG6_LOCAL_FLV_OP_PSP = 1
    SEG6_LOCAL_FLV_OP_USP = 2
    SEG6_LOCAL_FLV_OP_USD = 3
    SEG6_LOCAL_FLV_OP_NEXT_CSID = 4


class ILA_CSUM(KernelEnum):
    """How to keep checksums valid when the locator changes: ILA_ATTR_CSUM_MODE (linux/ila.h)."""

    ILA_CSUM_ADJUST_TRANSPORT = 0
    ILA_CSUM_NEUTRAL_MAP = 1
    ILA_CSUM_NO_ACTION = 2
    ILA_CSUM_NEUTRAL_MAP_AUTO = 3


class ILA_ATYPE(KernelEnum):
    """Type of an identifier: ILA_ATTR_IDENT_TYPE (linux/ila.h)."""

    ILA_ATYPE_IID = 0
    ILA_ATYPE_LUID = 1
    ILA_ATYPE_VIRT_V4 = 2
    ILA_ATYPE_VIRT_UNI_V6 = 3
    ILA_ATYPE_VIRT_MULTI_V6 = 4
    ILA_ATYPE_NONLOCAL_ADDR = 5
    ILA_ATYPE_RSVD_1 = 6
    ILA_ATYPE_RSVD_2 = 7
    ILA_ATYPE_USE_FORMAT = 32


class ILA_HOOK(KernelEnum):
    """Where the kernel translates a packet: ILA_ATTR_HOOK_TYPE (linux/ila.h)."""

    ILA_HOOK_ROUTE_OUTPUT = 0
    ILA_HOOK_ROUTE_INPUT = 1


class IOAM6_IPTUNNEL_MODE(KernelEnum):
    """How to add a trace header: IOAM6_IPTUNNEL_MODE (linux/ioam6_iptunnel.h)."""

    IOAM6_IPTUNNEL_MODE_INLINE = 1
    IOAM6_IPTUNNEL_MODE_ENCAP = 2
    IOAM6_IPTUNNEL_MODE_AUTO = 3


# --- MPLS, XFRM, ILA, BPF -------------------------------------------------------------------------


class Mpls(Message):
    """MPLS_IPTUNNEL_* attributes: the labels to push (linux/mpls_iptunnel.h)."""

    dst: tuple[int, ...] | None = labels(1)
    ttl: int | None = u8(2)


class Xfrm(Message):
    """LWT_XFRM_* attributes: ID of an XFRM interface, and its lower link (linux/lwtunnel.h)."""

    if_id: int | None = u32(1)
    link: int | None = u32(2)


class Ila(Message):
    """ILA_ATTR_* attributes of an identifier locator address (linux/ila.h)."""

    locator: int | None = be64(1)
    csum_mode: Named[ILA_CSUM | int | None] = u8(7, enum=ILA_CSUM)
    ident_type: Named[ILA_ATYPE | int | None] = u8(8, enum=ILA_ATYPE)
    hook_type: Named[ILA_HOOK | int | None] = u8(9, enum=ILA_HOOK)


class BpfProg(Message):
    """LWT_BPF_PROG_* attributes: a program. The kernel sends only `name` (linux/lwtunnel.h)."""

    fd: int | None = u32(1)
    name: str | None = string(2, size=MAX_PROG_NAME + 1)


class Bpf(Message):
    """LWT_BPF_* attributes: a program for each hook; headroom in bytes (linux/lwtunnel.h)."""

    in_: Nested[BpfProg] = nest(1, BpfProg)
    out: Nested[BpfProg] = nest(2, BpfProg)
    xmit: Nested[BpfProg] = nest(3, BpfProg)
    xmit_headroom: int | None = u32(4)


# --- IP tunnels -----------------------------------------------------------------------------------


class IpOptGeneve(Message):
    """LWTUNNEL_IP_OPT_GENEVE_* attributes: one option. `data` is a multiple of 4 bytes."""

    class_: int | None = be16(1)
    type: int | None = u8(2)
    data: bytes | None = binary(3)


class IpOptVxlan(Message):
    """LWTUNNEL_IP_OPT_VXLAN_* attributes: the ID of the group policy."""

    gbp: int | None = u32(1)


class IpOptErspan(Message):
    """LWTUNNEL_IP_OPT_ERSPAN_* attributes: `index` in version 1, `dir` and `hwid` in version 2."""

    ver: int | None = u8(1)
    index: int | None = be32(2)
    dir: int | None = u8(3)
    hwid: int | None = u8(4)


class IpOpts(Message):
    """LWTUNNEL_IP_OPTS_* attributes: options of one type of tunnel (linux/lwtunnel.h)."""

    geneve: Several[IpOptGeneve] = repeated(1, IpOptGeneve)
    vxlan: Nested[IpOptVxlan] = nest(2, IpOptVxlan)
    erspan: Nested[IpOptErspan] = nest(3, IpOptErspan)


class Ip(Message):
    """LWTUNNEL_IP_* attributes: the outer IPv4 header, and the tunnel key (linux/lwtunnel.h)."""

    id: int | None = be64(1)
    dst: Addr = address(2, size=4)
    src: Addr = address(3, size=4)
    ttl: int | None = u8(4)
    tos: int | None = u8(5)
    flags: Named[TUNNEL | None] = be16(6, enum=TUNNEL)
    opts: Nested[IpOpts] = nest(8, IpOpts)


class Ip6(Message):
    """LWTUNNEL_IP6_* attributes: the outer IPv6 header, and the tunnel key (linux/lwtunnel.h)."""

    id: int | None = be64(1)
    dst: Addr = address(2, size=16)
    src: Addr = address(3, size=16)
    hoplimit: int | None = u8(4)
    tc: int | None = u8(5)
    flags: Named[TUNNEL | None] = be16(6, enum=TUNNEL)
    opts: Nested[IpOpts] = nest(8, IpOpts)


# --- segment routing ------------------------------------------------------------------------------


IPV6_SRCRT_TYPE_4 = 4  # linux/ipv6.h


class SegmentRouting:
    """Methods of the two structs that contain a segment routing header."""

    __slots__ = ()
    data: bytes
    first_segment: int

    @classmethod
    def of(cls, *segments: IPv6Address | str, **members: Any) -> Self:
        """Return the header for a path through segments, given in the order of travel.

        `members` are other members of the struct, such as `mode`. Inline mode requires "::" after
        the last segment: the kernel replaces it with the destination of the packet.
        """
        path = [IPv6Address(segment).packed for segment in reversed(segments)]
        members |= {"segments_left": len(path) - 1, "first_segment": len(path) - 1}
        members |= {"hdrlen": 2 * len(path), "type": IPV6_SRCRT_TYPE_4, "data": b"".join(path)}
        return cls(**members)

    @property
    def segments(self) -> tuple[IPv6Address, ...]:
        """The path, in the order of travel."""
        size = 16 * (self.first_segment + 1)
        path = range(0, min(size, len(self.data) - 15), 16)
        return tuple(IPv6Address(self.data[at : at + 16]) for at in reversed(path))

    @property
    def tlvs(self) -> bytes:
        """The bytes after the segments (struct sr6_tlv, linux/seg6.h)."""
        return self.data[16 * (self.first_segment + 1) :]


class ipv6_sr_hdr(SegmentRouting, Message):
    """struct ipv6_sr_hdr (linux/seg6.h): the segment routing header of RFC 8754.

    `data` is the path, with the last segment first, and then TLVs. `hdrlen` is the length without
    the first 8 bytes, in units of 8 bytes.
    """

    nexthdr: int = u8()
    hdrlen: int = u8()
    type: int = u8()
    segments_left: int = u8()
    first_segment: int = u8()
    flags: Named[SR6_FLAG1] = u8(enum=SR6_FLAG1)
    tag: int = be16()
    data: bytes = binary()


class seg6_iptunnel_encap(SegmentRouting, Message):
    """struct seg6_iptunnel_encap (linux/seg6_iptunnel.h): a mode, then a struct ipv6_sr_hdr."""

    mode: Named[SEG6_IPTUN_MODE | int] = s32(enum=SEG6_IPTUN_MODE)
    nexthdr: int = u8()
    hdrlen: int = u8()
    type: int = u8()
    segments_left: int = u8()
    first_segment: int = u8()
    flags: Named[SR6_FLAG1] = u8(enum=SR6_FLAG1)
    tag: int = be16()
    data: bytes = binary()


class Seg6(Message):
    """SEG6_IPTUNNEL_* attributes: the header to add (linux/seg6_iptunnel.h)."""

    srh: Nested[seg6_iptunnel_encap] = struct(1, seg6_iptunnel_encap)


class Seg6LocalBpf(Message):
    """SEG6_LOCAL_BPF_* attributes. `prog` is a descriptor in requests and an ID in replies."""

    prog: int | None = u32(1)
    prog_name: str | None = string(2, size=MAX_PROG_NAME + 1)


class Seg6LocalCounters(Message):
    """SEG6_LOCAL_CNT_* attributes (linux/seg6_local.h).

    The kernel counts if the request contains all three; it ignores their values
    (parse_nla_counters in net/ipv6/seg6_local.c). Given an empty nest, the plans of routes and
    next hops send three zeros.
    """

    packets: int | None = u64(2)
    bytes: int | None = u64(3)
    errors: int | None = u64(4)


class Seg6LocalFlavors(Message):
    """SEG6_LOCAL_FLV_* attributes (linux/seg6_local.h). Lengths are in bits.

    Bit N of `operation` is the SEG6_LOCAL_FLV_OP number N.
    """

    operation: int | None = u32(1)
    lcblock_bits: int | None = u8(2)
    lcnode_fn_bits: int | None = u8(3)


class Seg6Local(Message):
    """SEG6_LOCAL_* attributes: behaviour of this node for its segment (linux/seg6_local.h)."""

    action: Named[SEG6_LOCAL_ACTION | int | None] = u32(1, enum=SEG6_LOCAL_ACTION)
    srh: Nested[ipv6_sr_hdr] = struct(2, ipv6_sr_hdr)
    table: int | None = u32(3)
    nh4: Addr = address(4, size=4)
    nh6: Addr = address(5, size=16)
    iif: int | None = u32(6)
    oif: int | None = u32(7)
    bpf: Nested[Seg6LocalBpf] = nest(8, Seg6LocalBpf)
    vrftable: int | None = u32(9)
    counters: Nested[Seg6LocalCounters] = nest(10, Seg6LocalCounters)
    flavors: Nested[Seg6LocalFlavors] = nest(11, Seg6LocalFlavors)


# --- RPL, IOAM ------------------------------------------------------------------------------------


class ipv6_rpl_sr_hdr(Message):
    """struct ipv6_rpl_sr_hdr (linux/rpl.h): the source routing header of RFC 6554.

    `cmpr` contains two compression values, cmpri << 4 | cmpre; the kernel accepts only 0
    (rpl_validate_srh). `segments` are in the order of travel. The writer counts `hdrlen`, in units
    of 8 bytes, and `segments_left`.
    """

    nexthdr: int = u8()
    hdrlen: int = u8(counts="segments", times=2)
    type: int = u8()
    segments_left: int = u8(counts="segments")
    cmpr: int = u8()
    _pad = pad(3)
    segments: tuple[IPv6Address, ...] = scalars(address(size=16))


class Rpl(Message):
    """RPL_IPTUNNEL_* attributes: the header to add (linux/rpl_iptunnel.h)."""

    srh: Nested[ipv6_rpl_sr_hdr] = struct(1, ipv6_rpl_sr_hdr)


class ioam6_trace_hdr(Message):
    """struct ioam6_trace_hdr (linux/ioam6.h): the trace header of RFC 9197.

    The upper five bits of `nodelen` are the length of one node's data in units of 4 bytes; 0x04 is
    the overflow bit. `remlen` is in units of 4 bytes. Bit 0 of `type` is the most significant one.
    """

    namespace_id: int = be16()
    nodelen: int = u8()
    remlen: int = u8()
    type: int = be32()
    data: bytes = binary()


class Ioam6(Message):
    """IOAM6_IPTUNNEL_* attributes (linux/ioam6_iptunnel.h): a trace header.

    The kernel adds it to `freq_k` of every `freq_n` packets.
    """

    mode: Named[IOAM6_IPTUNNEL_MODE | int | None] = u8(1, enum=IOAM6_IPTUNNEL_MODE)
    dst: Addr = address(2, size=16)
    trace: Nested[ioam6_trace_hdr] = struct(3, ioam6_trace_hdr)
    freq_k: int | None = u32(4)
    freq_n: int | None = u32(5)
    src: Addr = address(6, size=16)


Encap: TypeAlias = Mpls | Ip | Ila | Ip6 | Seg6 | Bpf | Seg6Local | Rpl | Ioam6 | Xfrm

ENCAPS: dict[LWTUNNEL_ENCAP, type[Message]] = {
    LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_MPLS: Mpls,
    LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_IP: Ip,
    LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_ILA: Ila,
    LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_IP6: Ip6,
    LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_SEG6: Seg6,
    LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_BPF: Bpf,
    LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_SEG6_LOCAL: Seg6Local,
    LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_RPL: Rpl,
    LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_IOAM6: Ioam6,
    LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_XFRM: Xfrm,
}


def encapsulation(words: Words) -> dict[str, Any]:
    """Return the fields `encap_type` and `encap` from the arguments of a plan or of a next hop.

    `encap_type` is optional if `encap` is a message, because the class implies the type.
    """
    given = words.given["encap"]
    kind = words.number("encap_type", LWTUNNEL_ENCAP, U16)
    if given is None:
        if kind is not None:
            words.refuse("accepts encap_type only together with encap")
        return {}
    if kind is None:
        kind = next((key for key, cls in ENCAPS.items() if isinstance(given, cls)), None)
        if kind is None:
            words.refuse("needs encap_type, unless encap is a message such as Mpls(dst=(100,))")
    if kind not in ENCAPS:
        raise words.expected("encap_type", " or ".join(map(str, ENCAPS)))
    encap: Any = words.message("encap", ENCAPS[LWTUNNEL_ENCAP(kind)])
    if kind == LWTUNNEL_ENCAP.LWTUNNEL_ENCAP_SEG6_LOCAL:
        encap = encap if isinstance(encap, Seg6Local) else Seg6Local(**encap)
        if encap.counters == Seg6LocalCounters():
            encap = encap.replace(counters={"packets": 0, "bytes": 0, "errors": 0})
    return {"encap_type": kind, "encap": encap}
