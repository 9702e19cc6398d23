"""Routing policy rules: struct fib_rule_hdr and its FRA_* attributes.

Numbers are those of Linux 6.12 (linux/fib_rules.h), and of 6.18 behind FRA_DSCP; widths, signs and
byte order are those of fib_rule_policy and fib_nl_fill_rule in net/core/fib_rules.c. FRA_PAD, which
only aligns what follows it, is not declared. The plans at the end are the words of `ip rule`:

    nl.do(rule.add(from_="192.0.2.0/24", table=100, priority=1000))
"""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, TypedDict, Unpack

from netlink.constants import AF, IFNAMSIZ, NLM_F, KernelEnum, KernelFlag
from netlink.family import Op, Steps, plan
from netlink.route.rtnetlink import ROUTE, RT_TABLE, RTM, RTPROT, family_of, number
from netlink.schema import (
    Addr,
    IPAddress,
    Message,
    Nested,
    address,
    be32,
    be64,
    pad,
    string,
    struct,
    u8,
    u16,
    u32,
)


class FR_ACT(KernelEnum):
    """What a rule does: action."""

    FR_ACT_UNSPEC = 0
    FR_ACT_TO_TBL = 1
    FR_ACT_GOTO = 2
    FR_ACT_NOP = 3
    FR_ACT_RES3 = 4
    FR_ACT_RES4 = 5
    FR_ACT_BLACKHOLE = 6
    FR_ACT_UNREACHABLE = 7
    FR_ACT_PROHIBIT = 8


class FIB_RULE(KernelFlag):
    """Flags of a rule: flags. All but INVERT and FIND_SADDR are the kernel's to set."""

    FIB_RULE_PERMANENT = 0x01
    FIB_RULE_INVERT = 0x02
    FIB_RULE_UNRESOLVED = 0x04
    FIB_RULE_IIF_DETACHED = 0x08
    FIB_RULE_OIF_DETACHED = 0x10
    FIB_RULE_FIND_SADDR = 0x10000


class fib_rule_uid_range(Message):
    """struct fib_rule_uid_range (linux/fib_rules.h), both ends included."""

    start: int = u32()
    end: int = u32()


class fib_rule_port_range(Message):
    """struct fib_rule_port_range (linux/fib_rules.h), both ends included."""

    start: int = u16()
    end: int = u16()


class fib_rule_hdr(Message):
    """struct fib_rule_hdr (linux/fib_rules.h). Prefix lengths in bits.

    Its members have no prefix in C. The kernel's own code calls the struct `frh`, hence `frh_table`
    for the member that an attribute of the same name replaced.
    """

    family: AF | int = u8(enum=AF)
    dst_len: int = u8()
    src_len: int = u8()
    tos: int = u8()
    frh_table: RT_TABLE | int = u8(enum=RT_TABLE)
    _pad = pad(2)
    action: FR_ACT | int = u8(enum=FR_ACT)
    flags: FIB_RULE = u32(enum=FIB_RULE)


class Rule(fib_rule_hdr):
    """One rule: struct fib_rule_hdr and its FRA_* attributes (linux/fib_rules.h).

    The kernel always sends `table`, the whole number of which `frh_table` holds what fits, and
    `suppress_prefixlen`, which is 0xffffffff where nothing is suppressed. `dscp` counts as the six
    bits by themselves, unlike `tos`.
    """

    dst: Addr = address(1)
    src: Addr = address(2)
    iifname: str | None = string(3, size=IFNAMSIZ)
    goto: int | None = u32(4)
    priority: int | None = u32(6)
    fwmark: int | None = u32(10)
    flow: int | None = u32(11)
    tun_id: int | None = be64(12)
    suppress_ifgroup: int | None = u32(13)
    suppress_prefixlen: int | None = u32(14)
    table: RT_TABLE | int | None = u32(15, enum=RT_TABLE)
    fwmask: int | None = u32(16)
    oifname: str | None = string(17, size=IFNAMSIZ)
    l3mdev: int | None = u8(19)
    uid_range: Nested[fib_rule_uid_range] = struct(20, fib_rule_uid_range)
    protocol: RTPROT | int | None = u8(21, enum=RTPROT)
    ip_proto: int | None = u8(22)
    sport_range: Nested[fib_rule_port_range] = struct(23, fib_rule_port_range)
    dport_range: Nested[fib_rule_port_range] = struct(24, fib_rule_port_range)
    dscp: int | None = u8(25)
    flowlabel: int | None = be32(26)
    flowlabel_mask: int | None = be32(27)
    sport_mask: int | None = u16(28)
    dport_mask: int | None = u16(29)
    dscp_mask: int | None = u8(30)


get = Op("rule.get", RTM.RTM_GETRULE, Rule, answer="one")  # dumps only
# NLM_F_EXCL is what refuses a rule that is there already; NLM_F_CREATE is not looked at
# (fib_nl_newrule), and nothing replaces a rule.
new = Op("rule.new", RTM.RTM_NEWRULE, Rule, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
delete = Op("rule.delete", RTM.RTM_DELRULE, Rule)

ROUTE.add(get, new, delete)


# --- plans ----------------------------------------------------------------------------------------

Source = str | IPAddress | IPv4Network | IPv6Network


class Match(TypedDict, total=False):
    """Which packets a rule is for, and what becomes of them."""

    family: AF  # where neither `from_` nor `to` tells: of both there are rules by themselves
    priority: int  # the kernel chooses one before the rules there are
    invert: bool  # for all packets but these
    from_: Source
    to: Source
    iif: str
    oif: str
    fwmark: int
    fwmask: int
    tos: int
    uidrange: tuple[int, int]
    ipproto: int
    sport: int | tuple[int, int]
    dport: int | tuple[int, int]
    l3mdev: bool  # look up in the table of the VRF that the packet belongs to
    table: RT_TABLE | int | str  # look up there; "main" if nothing is said
    goto: int  # go on at the rule of that priority
    action: FR_ACT | int | str  # "blackhole", "unreachable", "prohibit", "nop"
    suppress_prefixlen: int  # refuse what is found by a prefix of this length or shorter
    suppress_ifgroup: int
    protocol: RTPROT | int


@plan
def add(**match: Unpack[Match]) -> Steps[None]:
    """Make a rule. Raises KernelError (EEXIST, if `priority` is given)."""
    usual: Match = {
        "action": FR_ACT.FR_ACT_GOTO if "goto" in match else FR_ACT.FR_ACT_TO_TBL,
        "protocol": RTPROT.RTPROT_BOOT,
    }
    if not match.keys() & {"table", "goto", "action", "l3mdev"}:
        usual["table"] = RT_TABLE.RT_TABLE_MAIN
    return (yield from _write(new, {**usual, **match}))


@plan
def remove(**match: Unpack[Match]) -> Steps[None]:
    """Remove the first rule that fits what is said. Raises KernelError (ENOENT)."""
    return (yield from _write(delete, match))


def _write(op: Op[..., Any, Any], match: Match) -> Steps[None]:
    fields: dict[str, Any] = {"family": match.get("family", AF.AF_INET)}
    for field, source in (("src", match.get("from_")), ("dst", match.get("to"))):
        if source is not None:
            network = ip_network(source)
            fields |= {"family": family_of(network), field: network.network_address}
            fields[f"{field}_len"] = network.prefixlen
    for field, ports in (("sport_range", match.get("sport")), ("dport_range", match.get("dport"))):
        if ports is not None:
            start, end = (ports, ports) if isinstance(ports, int) else ports
            fields[field] = fib_rule_port_range(start=start, end=end)
    if "uidrange" in match:
        start, end = match["uidrange"]
        fields["uid_range"] = fib_rule_uid_range(start=start, end=end)
    table = number(RT_TABLE, match.get("table", RT_TABLE.RT_TABLE_UNSPEC))
    yield op(
        tos=match.get("tos", 0),
        action=number(FR_ACT, match.get("action", FR_ACT.FR_ACT_UNSPEC)),
        flags=FIB_RULE.FIB_RULE_INVERT if match.get("invert") else FIB_RULE(0),
        frh_table=table if table < 256 else RT_TABLE.RT_TABLE_UNSPEC,
        table=table,
        priority=match.get("priority"),
        iifname=match.get("iif"),
        oifname=match.get("oif"),
        fwmark=match.get("fwmark"),
        fwmask=match.get("fwmask"),
        ip_proto=match.get("ipproto"),
        l3mdev=1 if match.get("l3mdev") else None,
        goto=match.get("goto"),
        suppress_prefixlen=match.get("suppress_prefixlen"),
        suppress_ifgroup=match.get("suppress_ifgroup"),
        protocol=match.get("protocol"),
        **fields,
    )
