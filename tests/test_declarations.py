"""The declarations agree with the table of facts, and the comparing tool finds differences.

tests/facts.tsv holds names, numbers, kinds and byte orders of the kernel (see tools/facts.py), so
these tests need neither specs nor headers. test_facts.py checks the table itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from textwrap import dedent
from typing import Any, cast

import pytest

from netlink.family import Family, Op
from netlink.schema import (
    Field,
    Message,
    Nested,
    Several,
    address,
    array,
    be16,
    be32,
    binary,
    flag,
    mapping,
    nest,
    pad,
    repeated,
    s32,
    scalars,
    selected,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
)
from tools import facts
from tools.check_declarations import TABLE, Comparison, Facts, compare, load, main, wrong_kinds
from tools.declarations import Declarations, Difference, attributes, innermost, label
from tools.explained import REASONS, Explanations


@pytest.fixture(scope="module")
def declared() -> Declarations:
    return Declarations("netlink")


@pytest.fixture(scope="module")
def found(declared: Declarations) -> set[Difference]:
    return compare(declared, load())


def test_declarations_agree(found: set[Difference]) -> None:
    """The table has each attribute with the same number, kind and byte order, or an explanation."""
    unexplained = [f"{d.key}: {d.text}" for d in sorted(found) if not REASONS.reason(d)]
    assert unexplained == []


def test_explanations_are_needed(found: set[Difference]) -> None:
    assert REASONS.unneeded(found) == []


def test_everything_is_declared_somewhere(declared: Declarations) -> None:
    """The tool finds the declarations of the package: one class of each part shows it."""
    names = {label(cls) for cls in declared.messages}
    assert {"link.Link", "bond.Bond", "cls.Flower", "dcb.Dcb", "mdb.Mdb", "extack.ExtAck"} <= names
    families = {family.name for family in declared.families}
    assert {"route", "nlctrl", "TASKSTATS", "VFS_DQUOT", "uevent"} <= families


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert ", 0 unexplained\n" in capsys.readouterr().out


def test_the_command_reports_what_is_not_explained(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "facts.tsv"
    table.write_text(TABLE.read_text().replace("\tIFLA\tMTU\t4\t", "\tIFLA\tMTU\t5\t"))
    assert main([str(table)]) == 1
    assert "number link.Link.mtu: 4 here, IFLA_MTU is 5\n" in capsys.readouterr().out


# Texts whose length no policy of the kernel bounds.
UNBOUNDED = {
    # 100 bytes and 6 a CPU that the kernel was built for (TASKSTATS_CPUMASK_MAXLEN).
    "taskstats.TaskQuery.register_cpumask": "kernel/taskstats.c",
    "taskstats.TaskQuery.deregister_cpumask": "kernel/taskstats.c",
    "action.ActionTable.ext_warn_msg": "sent alone",
    "chain.Chain.ext_warn_msg": "sent alone",
    "filter.Filter.ext_warn_msg": "sent alone",
    "qdisc.Qdisc.ext_warn_msg": "sent alone",
    "tclass.Class.ext_warn_msg": "sent alone",
    "extack.ExtAck.msg": "sent alone",
    "conntrack.SecCtx.name": "sent alone",
    "conntrack.Expectation.fn": "an NLA_NUL_STRING of any length, in exp_nla_policy",
    "link.DevlinkPort.bus_name": "sent alone",
    "link.DevlinkPort.dev_name": "sent alone",
    "link.Link.phys_port_name": "sent alone",
    "link.Link.parent_dev_name": "an NLA_NUL_STRING of any length, in ifla_policy",
    "link.Link.parent_dev_bus_name": "sent alone",
    "link.LinkSet.phys_port_name": "as in link.Link",
    "link.LinkSet.parent_dev_name": "as in link.Link",
    "link.LinkSet.parent_dev_bus_name": "as in link.Link",
    "messages.Bit.name": "an NLA_NUL_STRING of any length, in bit_policy",
    "messages.String.value": "sent alone",
    "messages.ModuleFlash.file_name": "of any length, in ethnl_module_fw_flash_act_policy",
    "messages.ModuleFlashNtf.status_msg": "sent alone",
    "messages.Phy.drvname": "sent alone",
    "messages.Phy.name": "sent alone",
    "messages.Phy.upstream_sfp_name": "sent alone",
    "messages.Phy.downstream_sfp_name": "sent alone",
    "neightbl.NeighbourTable.name": "an NLA_STRING of any length, in nl_neightbl_policy",
    "batadv.Batadv.algo_name": "an NLA_NUL_STRING of any length, in batadv_ifla_policy",
}


# Families whose texts are all NLA_NUL_STRING of any length, or are sent by the kernel alone.
UNBOUNDED_FAMILIES = {
    "devlink": "net/devlink/netlink_gen.c",
    "dpll": "drivers/dpll/dpll_nl.c",
}


def test_strings_have_a_bound(declared: Declarations) -> None:
    """Text that the kernel would refuse, or truncate silently, fails before it is sent."""
    unbounded = {
        f"{label(cls)}.{field.name}"
        for cls in declared.messages
        for field in attributes(cls).values()
        if innermost(field).kind_name == "string" and not innermost(field).size
        if label(cls).partition(".")[0] not in UNBOUNDED_FAMILIES
    }
    assert unbounded == UNBOUNDED.keys()


UNSIGNED = ("u8", "u16", "u32", "u64", "be16", "be32", "be64")


def test_the_table_says_enough(declared: Declarations) -> None:
    """The table knows the width or the byte order of most unsigned integers.

    It lacks what the kernel puts by macros (NL80211_STA_INFO_*), and what only a header has so far.
    """
    table = Facts(load())
    comparison = Comparison(declared, table)
    is_told: list[bool] = []
    for cls in declared.messages:
        for number, attribute in attributes(cls).items():
            names = comparison.constants_of(cls, attribute)
            found = [fact for name in names for fact in table.constants[name]]
            if attribute.kind_name in UNSIGNED and not wrong_kinds(attribute, found):
                others = [Field(kind, number) for kind in UNSIGNED if kind != attribute.kind_name]
                is_told += [bool(wrong_kinds(other, found)) for other in others]
    assert len(is_told) > 5000
    assert sum(is_told) / len(is_told) > 0.9


# --- the tool can tell ----------------------------------------------------------------------------


class SM_MODE(IntEnum):
    """Modes."""

    SM_MODE_ONE = 1
    SM_MODE_TWO = 2


class SM_F(IntFlag):
    """Flags."""

    SM_F_UP = 0x1


class sm_msg(Message):
    """struct sm_msg."""

    family: int = u8()
    _pad = pad(1)
    sm_type: int = u16()
    index: int = u32()


class sm_stats(Message):
    """struct sm_stats."""

    packets: int = u32()
    port: int = be16()
    rest: tuple[int, ...] = scalars(u16(), length=2)


class Inner(Message):
    """SM_INNER_* attributes."""

    value: int | None = u32(2)


class Red(Message):
    """SM_RED_* attributes."""

    colour: int | None = u8(1)


class Thing(sm_msg):
    """struct sm_msg and its SM_A_* attributes."""

    name: str | None = string(1, size=16)
    mode: SM_MODE | int | None = u8(2, enum=SM_MODE)
    flags: SM_F | None = u32(3, enum=SM_F)
    port: int | None = be16(4)
    dst: object = address(5)
    stats: Nested[sm_stats] = struct(6, sm_stats)
    inner: Nested[Inner] = nest(7, Inner)
    kind: str | None = string(8)
    data: Nested[Red] = selected(9, "kind", {"red": Red})
    more: Several[Inner] = array(10, Inner)
    weight: int | None = s32(11)
    labels: tuple[str, ...] = repeated(12, string(size=16))
    quiet: bool = flag(13)
    offset: int | None = s32(14)
    local: object = address(15, size=4)


FACTS = """
    family  set              attribute  number  kind                 order  source
    small   struct sm_msg    -          8       struct               -      h6.1
    small   struct sm_msg    family     0       u8                   host   h6.1
    small   struct sm_msg    pad        1       u8                   host   h6.1
    small   struct sm_msg    sm_type    2       u16                  host   h6.1
    small   struct sm_msg    sm_index   4       u32                  host   h6.1
    small   struct sm_stats  -          8       struct               -      h6.0
    small   struct sm_stats  -          12      struct               -      h6.1
    small   struct sm_stats  packets    0       u32                  host   h6.0
    small   struct sm_stats  port       4       u16                  big    h6.0
    small   struct sm_stats  rest       6       u16 4                host   h6.1
    small   SM_A             UNSPEC     0       -                    -      h6.1
    small   SM_A             NAME       1       string 15            -      hp6.1
    small   SM_A             MODE       2       u8                   host   hps6.1
    small   SM_A             FLAGS      3       u32                  host   hps6.1
    small   SM_A             PORT       4       u16                  big    hc6.1
    small   SM_A             PORT       4       u16                  host   s6.1
    small   SM_A             DST        5       u32                  -      hp6.1
    small   SM_A             DST        5       binary 16            -      p6.1
    small   SM_A             STATS      6       struct sm_stats      -      hs6.1
    small   SM_A             INNER      7       nest SM_INNER        -      hps6.1
    small   SM_A             KIND       8       string               -      hs6.1
    small   SM_A             DATA       9       selected sm-data     -      hs6.1
    small   SM_A             MORE       10      array nest SM_INNER  -      hs6.1
    small   SM_A             WEIGHT     11      u32                  -      hp6.1
    small   SM_A             LABELS     12      repeated string      -      hs6.1
    small   SM_A             QUIET      13      flag                 -      hp6.1
    small   SM_A             OFFSET     14      s32                  host   hs6.1
    small   SM_A             LOCAL      15      address 4            -      hc6.1
    small   SM_INNER         UNSPEC     1       -                    -      h6.1
    small   SM_INNER         VALUE      2       u32                  host   hs6.1
    small   SM_RED           COLOUR     1       -                    -      h6.1
    small   SM_BLUE          COLOUR     1       -                    -      h6.1
    small   SM_MODE          ONE        1       -                    -      h6.1
    small   SM_MODE          TWO        2       -                    -      h6.1
    small   linux/sm.h       SM_F_UP    1       -                    -      h6.1
    small   linux/sm.h       SM_LENGTH  16      -                    -      h6.1
    small   linux/sm.h       SM_OTHER   7       -                    -      h6.1
    small   sm-data          red        -       nest SM_RED          -      s6.1
    small   group            thing      -       group                -      s6.1
"""
SMALL = [*facts.load(re.sub(" {2,}", "\t", dedent(FACTS).strip()))]


@dataclass
class Small:
    """Declarations in the form of a package."""

    messages: list[type[Message]] = field(
        default_factory=lambda: [sm_msg, sm_stats, Inner, Red, Thing]
    )
    enums: list[Any] = field(default_factory=lambda: [SM_MODE, SM_F])
    constants: dict[str, int] = field(default_factory=lambda: {"SM_LENGTH": 16, "SM_OURS": 1})
    families: list[Any] = field(default_factory=lambda: [])


def differences(table: list[facts.Fact] = SMALL, **changed: Any) -> set[str]:
    """Return the differences between the table and the small declarations, some replaced."""
    found = compare(cast(Declarations, Small(**changed)), table)
    return {difference.key.replace("test_declarations.", "") for difference in found}


def test_what_agrees_has_no_differences() -> None:
    assert differences() == set()


def of_thing(**fields: Any) -> set[str]:
    """Return the differences if class Thing has only these fields, except missing attributes."""
    namespace = {"__doc__": Thing.__doc__, "__module__": __name__, **fields}
    cls = cast(Any, type(Message))("Thing", (sm_msg,), namespace)
    found = differences(messages=[sm_msg, sm_stats, Inner, Red, cls])
    return {key for key in found if not key.startswith("missing SM_A_")}


class Blue(Message):
    """SM_BLUE_* attributes."""

    colour: int | None = u8(1)


@pytest.mark.parametrize(
    ("fields", "topic"),
    [
        ({"invented": u32(16)}, "unknown"),
        ({"invented": u32(4)}, "unknown"),
        ({"mode": u8(3)}, "number"),
        ({"mode": u16(2)}, "kind"),  # another width
        ({"flags": u8(3)}, "kind"),
        ({"flags": be32(3)}, "kind"),  # another byte order
        ({"flags": s32(3)}, "kind"),  # another sign
        ({"offset": u32(14)}, "kind"),
        ({"port": u16(4)}, "kind"),  # the call wins over the spec
        ({"port": be32(4)}, "kind"),
        ({"weight": u16(11)}, "kind"),  # a policy tells the width
        ({"dst": u16(5)}, "kind"),
        ({"dst": flag(5)}, "kind"),
        ({"local": address(15)}, "width"),
        ({"local": address(15, size=16)}, "kind"),
        ({"local": u32(15)}, "kind"),
        ({"name": u32(1)}, "kind"),
        ({"stats": u64(6)}, "kind"),
        ({"inner": u32(7)}, "kind"),
        ({"inner": nest(7, Red)}, "nest"),
        ({"inner": array(7, Inner)}, "kind"),
        ({"inner": repeated(7, Inner)}, "kind"),
        ({"more": nest(10, Inner)}, "kind"),
        ({"more": array(10, Red)}, "nest"),
        ({"labels": string(12)}, "kind"),
        ({"quiet": u8(13)}, "kind"),
        ({"quiet": binary(13)}, "kind"),
    ],
)
def test_a_wrong_attribute_is_found(fields: dict[str, Any], topic: str) -> None:
    """Invented, or with another number, kind, width, sign or byte order."""
    (name,) = fields
    assert f"{topic} Thing.{name}" in of_thing(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"weight": s32(11)},  # policies call "unsigned" what is signed
        {"weight": be32(11)},  # and do not state the byte order
        {"dst": be32(5)},
        {"dst": address(5, size=16)},
        {"more": mapping(10, Inner)},
        {"stats": struct(6, sm_stats)},
    ],
)
def test_what_the_table_leaves_open_is_accepted(fields: dict[str, Any]) -> None:
    assert of_thing(**fields) == set()


def test_a_wrong_choice_is_found() -> None:
    choices = {"red": Blue, "green": Blue}
    fields = {"kind": string(8), "data": selected(9, "kind", choices)}
    assert of_thing(**fields) == {"nest Thing.data:red"}


def test_a_wrong_struct_is_found() -> None:
    class sm_stats(Message):
        """struct sm_stats."""

        packets: int = u16()
        port: int = u32()

    class sm_msg(Message):
        """struct sm_msg."""

        family: int = u16()
        sm_type: int = be16()
        kind: int = u32()

    class sm_else(Message):
        """A struct that no header declares."""

        family: int = u8()

    assert differences(messages=[sm_stats, sm_msg, sm_else]) == {
        "layout sm_stats.packets",
        "layout sm_stats.port",
        "layout sm_msg.family",
        "kind sm_msg.sm_type",
        "unknown sm_msg.kind",
        "unknown sm_else",
    }


def test_what_is_missing_is_found() -> None:
    class sm_stats(Message):
        """struct sm_stats."""

        packets: int = u32()

    class Thing(Message):
        """SM_A_* attributes."""

        name: str | None = string(1)

    class SM_MODE(IntEnum):
        SM_MODE_TWO = 2

    found = differences(messages=[sm_stats, Thing], enums=[SM_MODE])
    assert {"missing sm_stats.port", "size sm_stats", "missing SM_MODE_ONE"} <= found
    assert {"missing SM_A_MODE", "missing SM_A_PORT"} <= found
    assert "missing SM_A_UNSPEC" not in found


def test_a_wrong_number_is_found() -> None:
    class SM_F(IntFlag):
        SM_F_UP = 2
        SM_F_DOWN = 4

    class SM_NONE(IntEnum):
        SM_NONE_AT_ALL = 1

    found = differences(enums=[SM_F, SM_NONE], constants={"SM_LENGTH": 17})
    assert found == {
        "number SM_F.SM_F_UP",
        "unknown SM_F.SM_F_DOWN",
        "unknown SM_NONE",
        "number SM_LENGTH",
    }


def test_a_wrong_group_is_found() -> None:
    class SM_CMD(IntEnum):
        SM_CMD_GET = 1

    ops = [Op("get", SM_CMD.SM_CMD_GET, Red, answer="one")]
    family = Family("small", ops=ops, types=SM_CMD, groups=("thing", "invented"))
    assert differences(families=[family]) == {"group small/invented"}


def test_an_explanation_is_for_what_it_names() -> None:
    known = Explanations({"Reason.": "kind: a.B.c a.D.* number: a.B.c"})
    kind, number = Difference("kind", "a.B.c", "x"), Difference("number", "a.B.c", "y")
    starred = Difference("kind", "a.D.e", "z")
    assert {known.reason(d) for d in (kind, number, starred)} == {"Reason."}
    assert known.reason(Difference("number", "a.D.e", "z")) is None
    assert known.unneeded([kind, starred]) == ["number a.B.c"]
    assert known.unneeded([kind, number]) == ["kind a.D.*"]
