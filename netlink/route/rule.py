"""Routing policy rules: struct fib_rule_hdr and its FRA_* attributes.

Numbers are those of Linux 6.12 (linux/fib_rules.h), and of 6.18 behind FRA_DSCP; widths, signs and
byte order are those of fib_rule_policy and fib_nl_fill_rule in net/core/fib_rules.c. FRA_PAD, which
only aligns what follows it, is not declared. The plans at the end are the words of `ip rule`:

    nl.do(rule.add(from_="192.0.2.0/24", table=100, priority=1000))
"""

from ipaddress import IPv4Network, IPv6Network
from typing import Any

from netlink.constants import AF, IFNAMSIZ, NLM_F, KernelEnum, KernelFlag
from netlink.family import Op, Steps, plan
from netlink.route.rtnetlink import ROUTE, RT_TABLE, RTM, RTPROT, rtgenmsg
from netlink.route.words import PROTOCOLS, S32, U8, U16, U32, U64, Words
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


class fib_rule_hdr(Message, bare=rtgenmsg):
    """struct fib_rule_hdr (linux/fib_rules.h). Prefix lengths in bits.

    Its members have no prefix in C. The kernel's own code calls the struct `frh`, hence `frh_table`
    for the member that an attribute of the same name replaced.
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

    The kernel always sends `table`, the whole number of which `frh_table` holds what fits, and
    `suppress_prefixlen`, which is 0xffffffff where nothing is suppressed. `dscp` counts as the six
    bits by themselves, unlike `tos`.
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


get = Op("rule.get", RTM.RTM_GETRULE, Rule, answer="one")  # dumps only
# NLM_F_EXCL is what refuses a rule that is there already; NLM_F_CREATE is not looked at
# (fib_nl_newrule), and nothing replaces a rule.
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
    """Make a rule: which packets it is for, and what becomes of them.

    `family` is needed only if neither `from_` nor `to` implies it; it is AF_INET unless given. The
    kernel chooses a `priority` in front of the existing rules. `invert` makes a rule for all
    packets but these. `fwmark` is compared under `fwmask`. Ranges are a number or a pair, both ends
    included. Kernels before 6.13 ignore `dscp`.

    The packets are looked up in `table`, which is "main" unless given. `l3mdev` uses the table of
    their VRF, `goto` continues at the rule of that priority, and `action` is "blackhole",
    "unreachable", "prohibit" or "nop". `suppress_prefixlen` ignores results with a prefix of this
    length or shorter, and `suppress_ifgroup` those through links of a group. `realms` is the realm
    of the destination, or a pair of that of the source and it.

    Raises KernelError (EEXIST, if `priority` is given and the rule exists).
    """
    words = Words("rule.add", locals())
    given = {name: value for name, value in words.given.items() if name != "family"}
    if all(value is None or value is False for value in given.values()):
        words.refuse("needs at least one argument, such as from_ or table")
    target = words.integer("goto")
    kind = words.number("action", FR_ACT, U8)
    if kind is not None and (kind == FR_ACT.FR_ACT_GOTO) is (target is None):
        words.refuse('takes goto with action="goto" or without action')
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
    """Remove the first rule that has what is given.

    The arguments are those of add() that the kernel compares: it ignores the target of `goto`, and
    `invert` (rule_find in net/core/fib_rules.c). Name such a rule by its priority.

    Raises TypeError if nothing is given that selects a rule, because the kernel would remove the
    first one, "from all lookup local"; `dscp` is not enough, because older kernels ignore it.
    Raises KernelError (ENOENT).
    """
    words = Words("rule.remove", locals())
    fields = _fields(words)
    fields["action"] = words.number("action", FR_ACT, U8) or FR_ACT.FR_ACT_UNSPEC
    if not any(
        value is not None and (value or name in EVEN_IF_ZERO)
        for name, value in fields.items()
        if name not in ("family", "dscp", "src", "dst")  # an address counts by its length
    ):
        words.refuse("needs something that selects a rule, such as priority, from_ or table")
    yield delete(**fields)


# The kernel reads a zero as "not given" in every other field.
EVEN_IF_ZERO = ("priority", "suppress_prefixlen", "suppress_ifgroup")


def _table(table: int) -> dict[str, Any]:
    """The fields that name a table."""
    return {"table": table, "frh_table": table if table <= U8 else RT_TABLE.RT_TABLE_UNSPEC}


def _fields(words: Words) -> dict[str, Any]:
    """The fields of a rule that both plans have."""
    fields: dict[str, Any] = {}
    family = words.family("family", AF.RTNL_FAMILY_IPMR, AF.RTNL_FAMILY_IP6MR)
    version = {AF.AF_INET: 4, AF.AF_INET6: 6}.get(family) if family is not None else None
    for field, name in (("src", "from_"), ("dst", "to")):
        prefix = words.prefix(name)
        if prefix is None or prefix.address is None:
            continue
        if family is not None and version is None:  # ipmr_rule_fill, ip6mr_rule_fill
            raise words.wrong(name, "the kernel ignores addresses in rules for multicast routing")
        if version not in (None, prefix.address.version):
            raise words.wrong(name, f"{prefix.address} is not of the family of the rule")
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
            words.refuse("takes table or l3mdev, not both")
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
