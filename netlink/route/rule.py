"""Routing policy rules: struct fib_rule_hdr and its FRA_* attributes.

This file contains messages, ops and plans, and no I/O. Numbers are from Linux 6.12
(linux/fib_rules.h), those after FRA_DSCP from 6.18. Widths, signs and byte order are from
fib_rule_policy and fib_nl_fill_rule in net/core/fib_rules.c. FRA_PAD only aligns the attribute
after it and is not declared. The plans at the end use the words of `ip rule`:

    nl.do(rule.add(from_="192.0.2.0/24", table=100, priority=1000))
"""

from ipaddress import IPv4Network, IPv6Network
from typing import Any

from netlink.constants import AF, IFNAMSIZ, NLM_F, KernelEnum, KernelFlag
from netlink.family import Follow, Op, Steps, plan
from netlink.route.rtnetlink import ROUTE, RT_TABLE, RTM, RTPROT, rtgenmsg
from netlink.schema import (
    Addr,
    IPAddress,
    Message,
    Named,
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
from netlink.words import PROTOCOLS, S32, U8, U16, U32, U64, Words


class FR_ACT(KernelEnum):
    """Action of a rule: action in struct fib_rule_hdr."""

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
    """Flags of a rule. The kernel sets all flags except INVERT and FIND_SADDR itself."""

    FIB_RULE_PERMANENT = 0x01
    FIB_RULE_INVERT = 0x02
    FIB_RULE_UNRESOLVED = 0x04
    FIB_RULE_IIF_DETACHED = 0x08
    FIB_RULE_OIF_DETACHED = 0x10
    FIB_RULE_FIND_SADDR = 0x10000


class fib_rule_uid_range(Message):
    """struct fib_rule_uid_range (linux/fib_rules.h). Both ends are included."""

    start: int = u32()
    end: int = u32()


class fib_rule_port_range(Message):
    """struct fib_rule_port_range (linux/fib_rules.h). Both ends are included."""

    start: int = u16()
    end: int = u16()


class fib_rule_hdr(Message, bare=rtgenmsg):
    """struct fib_rule_hdr (linux/fib_rules.h). Prefix lengths are in bits.

    `frh_table` is the member `table`. FRA_TABLE has the same name, and the members of this struct
    have no prefix in C. `frh` is the kernel's variable name for the struct.
    """

    family: Named[AF | int] = u8(enum=AF)
    dst_len: int = u8()
    src_len: int = u8()
    tos: int = u8()
    frh_table: Named[RT_TABLE | int] = u8(enum=RT_TABLE)
    _pad = pad(2)
    action: Named[FR_ACT | int] = u8(enum=FR_ACT)
    flags: Named[FIB_RULE] = u32(enum=FIB_RULE)


class Rule(fib_rule_hdr):
    """One rule: struct fib_rule_hdr and its FRA_* attributes (linux/fib_rules.h).

    The kernel always sends `table`, which is the full number; `frh_table` has only 8 bits. It
    always sends `suppress_prefixlen`; 0xffffffff means that nothing is suppressed. `dscp` is a
    6-bit value, and not shifted left by two bits as in `tos`.
    """

    dst: Addr = address(1, by_family=True)
    src: Addr = address(2, by_family=True)
    iifname: str | None = string(3, size=IFNAMSIZ)
    goto: int | None = u32(4)
    priority: int | None = u32(6)
    fwmark: int | None = u32(10)
    flow: int | None = u32(11)
    tun_id: int | None = be64(12)
    suppress_ifgroup: int | None = u32(13)
    suppress_prefixlen: int | None = u32(14)
    table: Named[RT_TABLE | int | None] = u32(15, enum=RT_TABLE)
    fwmask: int | None = u32(16)
    oifname: str | None = string(17, size=IFNAMSIZ)
    l3mdev: int | None = u8(19)
    uid_range: Nested[fib_rule_uid_range] = struct(20, fib_rule_uid_range)
    protocol: Named[RTPROT | int | None] = u8(21, enum=RTPROT)
    ip_proto: int | None = u8(22)
    sport_range: Nested[fib_rule_port_range] = struct(23, fib_rule_port_range)
    dport_range: Nested[fib_rule_port_range] = struct(24, fib_rule_port_range)
    dscp: int | None = u8(25)
    flowlabel: int | None = be32(26)
    flowlabel_mask: int | None = be32(27)
    sport_mask: int | None = u16(28)
    dport_mask: int | None = u16(29)
    dscp_mask: int | None = u8(30)


# The kernel answers dumps only. It sets the flags for detached links and unresolved targets without
# an event.
get = Op(
    "rule.get",
    RTM.RTM_GETRULE,
    Rule,
    answer="one",
    follow=Follow(
        groups={
            AF.AF_UNSPEC: ("ipv4-rule", "ipv6-rule"),
            AF.AF_INET: ("ipv4-rule",),
            AF.AF_INET6: ("ipv6-rule",),
        },
        key=("family", "priority", "table"),
        new=RTM.RTM_NEWRULE,
        delete=RTM.RTM_DELRULE,
        several=True,
        select={"family": None},
        ignore=("flags",),
    ),
)
# With NLM_F_EXCL, the kernel refuses a rule that exists. It ignores NLM_F_CREATE and cannot replace
# a rule (fib_nl_newrule).
new = Op("rule.new", RTM.RTM_NEWRULE, Rule, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
delete = Op("rule.delete", RTM.RTM_DELRULE, Rule)

ROUTE.add(get, new, delete)


# --- plans ----------------------------------------------------------------------------------------

Source = str | IPAddress | IPv4Network | IPv6Network
Range = int | tuple[int, int]


@plan
def add(
    *,
    family: AF | int | str | None = None,
    priority: int | None = None,
    invert: bool = False,
    from_: Source | None = None,
    to: Source | None = None,
    iif: str | None = None,
    oif: str | None = None,
    fwmark: int | None = None,
    fwmask: int | None = None,
    tos: int | None = None,
    dscp: int | None = None,
    uidrange: Range | None = None,
    ipproto: int | str | None = None,
    sport: Range | None = None,
    dport: Range | None = None,
    tun_id: int | None = None,
    l3mdev: bool = False,
    table: RT_TABLE | int | str | None = None,
    goto: int | None = None,
    action: FR_ACT | int | str | None = None,
    realms: Range | None = None,
    suppress_prefixlen: int | None = None,
    suppress_ifgroup: int | None = None,
    protocol: RTPROT | int | str | None = None,
) -> Steps[None]:
    """Add a rule that selects packets and decides how to route them.

    Selectors: `family` is derived from `from_` or `to`, and otherwise defaults to "inet". Without
    `priority`, the kernel chooses a number that puts the rule before the existing ones. `invert`
    selects all packets that do not match. The kernel compares `fwmark` after applying `fwmask`. A
    range is a number or a pair (first, last). Kernels before 6.13 ignore `dscp`.

    Actions: the kernel looks the packets up in `table`, which defaults to "main". With `l3mdev` it
    uses the table of the packet's VRF. With `goto` it continues at the rule of that priority.
    `action` is "blackhole", "unreachable", "prohibit" or "nop". The rule ignores a route whose
    prefix length is at most `suppress_prefixlen`, or whose link is in group `suppress_ifgroup`.
    `realms` is the realm of the destination, or a pair (source, destination).

    Raises KernelError: EEXIST if `priority` is given and the same rule exists.
    """
    words = Words("rule.add", locals())
    given = {name: value for name, value in words.given.items() if name != "family"}
    if all(value is None or value is False for value in given.values()):
        words.refuse("needs at least one argument, such as from_ or table")
    target = words.integer("goto")
    kind = words.number("action", FR_ACT, U8)
    if kind is not None and (kind == FR_ACT.FR_ACT_GOTO) is (target is None):
        words.refuse('accepts goto with action="goto" or without action, and no other action')
    fields = _fields(words)
    if kind is None and target is None:
        kind = FR_ACT.FR_ACT_TO_TBL
        if "table" not in fields and "l3mdev" not in fields:
            fields |= _table(RT_TABLE.RT_TABLE_MAIN)
    yield new(
        action=FR_ACT.FR_ACT_GOTO if kind is None else kind,
        flags=FIB_RULE.FIB_RULE_INVERT if words.switch("invert") else FIB_RULE(0),
        goto=target,
        **fields,
    )


@plan
def remove(
    *,
    family: AF | int | str | None = None,
    priority: int | None = None,
    from_: Source | None = None,
    to: Source | None = None,
    iif: str | None = None,
    oif: str | None = None,
    fwmark: int | None = None,
    fwmask: int | None = None,
    tos: int | None = None,
    dscp: int | None = None,
    uidrange: Range | None = None,
    ipproto: int | str | None = None,
    sport: Range | None = None,
    dport: Range | None = None,
    tun_id: int | None = None,
    l3mdev: bool = False,
    table: RT_TABLE | int | str | None = None,
    action: FR_ACT | int | str | None = None,
    realms: Range | None = None,
    suppress_prefixlen: int | None = None,
    suppress_ifgroup: int | None = None,
    protocol: RTPROT | int | str | None = None,
) -> Steps[None]:
    """Remove the first rule that matches all given arguments.

    The arguments are those of add() that the kernel compares. It does not compare `invert` and the
    target of `goto` (rule_find in net/core/fib_rules.c); select such a rule by its priority.

    Raises TypeError if no argument selects a rule, because the kernel would then remove the first
    rule, "from all lookup local". `dscp` alone does not suffice, because older kernels ignore it.
    Raises KernelError: ENOENT if no rule matches.
    """
    words = Words("rule.remove", locals())
    fields = _fields(words)
    fields["action"] = words.number("action", FR_ACT, U8) or FR_ACT.FR_ACT_UNSPEC
    if not any(
        value is not None and (value or name in EVEN_IF_ZERO)
        for name, value in fields.items()
        if name not in ("family", "dscp", "src", "dst")  # src_len and dst_len select instead
    ):
        words.refuse("needs an argument that selects a rule, such as priority, from_ or table")
    yield delete(**fields)


# In all other fields, the kernel reads a zero as "not given".
EVEN_IF_ZERO = ("priority", "suppress_prefixlen", "suppress_ifgroup")


def _table(table: int) -> dict[str, Any]:
    """Return the fields that contain the number of a table."""
    return {"table": table, "frh_table": table if table <= U8 else RT_TABLE.RT_TABLE_UNSPEC}


def _fields(words: Words) -> dict[str, Any]:
    """Return the fields of a rule that both plans send."""
    fields: dict[str, Any] = {}
    family = words.family("family", AF.RTNL_FAMILY_IPMR, AF.RTNL_FAMILY_IP6MR)
    version = {AF.AF_INET: 4, AF.AF_INET6: 6}.get(family) if family is not None else None
    for field, name in (("src", "from_"), ("dst", "to")):
        prefix = words.prefix(name)
        if prefix is None or prefix.address is None:
            continue
        if family is not None and version is None:  # ipmr_rule_fill, ip6mr_rule_fill
            raise words.wrong(
                name, "the kernel ignores addresses in rules for multicast routing; leave it out"
            )
        if version not in (None, prefix.address.version):
            raise words.wrong(
                name, f"the rule is an IPv{version} rule, got the address {prefix.address}"
            )
        version = prefix.address.version
        fields |= {field: prefix.address, f"{field}_len": prefix.length}
    fields["family"] = family or (AF.AF_INET6 if version == 6 else AF.AF_INET)
    for field, name in (("sport_range", "sport"), ("dport_range", "dport")):
        if (ports := words.span(name, U16)) is not None:
            fields[field] = fib_rule_port_range(start=ports[0], end=ports[1])
    if (uids := words.span("uidrange", U32)) is not None:
        fields["uid_range"] = fib_rule_uid_range(start=uids[0], end=uids[1])
    if (table := words.number("table", RT_TABLE)) is not None:
        fields |= _table(table)
    if words.switch("l3mdev"):
        if table is not None:
            words.refuse("accepts table or l3mdev, not both")
        fields["l3mdev"] = 1
    return fields | {
        "tos": words.integer("tos", high=U8) or 0,
        "dscp": words.integer("dscp", high=63),
        "priority": words.integer("priority"),
        "iifname": words.link_name("iif"),
        "oifname": words.link_name("oif"),
        "fwmark": words.integer("fwmark"),
        "fwmask": words.integer("fwmask"),
        "flow": words.realms(),
        "tun_id": words.integer("tun_id", high=U64),
        "ip_proto": words.number("ipproto", PROTOCOLS, U8),
        "suppress_prefixlen": words.integer("suppress_prefixlen", high=128),
        "suppress_ifgroup": words.integer("suppress_ifgroup", high=S32),
        "protocol": words.number("protocol", RTPROT, U8),
    }
