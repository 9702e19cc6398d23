"""The declarations agree with the kernel's specs and headers, and the tool that compares can tell.

Specs and headers are not part of the project: NETLINK_SPECS names the folder of specs, and the
headers are those of the machine. Without them, the tests that need them skip.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from pathlib import Path
from textwrap import dedent
from typing import cast

import pytest

from netlink.family import Family, Op
from netlink.schema import (
    Message,
    Nested,
    address,
    be16,
    mapping,
    nest,
    pad,
    scalars,
    selected,
    string,
    struct,
    u8,
    u16,
    u32,
)

pytest.importorskip("yaml", reason="specs are YAML: pip install fastnetlink[ynl]")

from tools import headers, outside, specs, uapi
from tools.check_declarations import INCLUDE_FOLDER, main
from tools.declarations import Declarations, Difference, attributes, innermost, label
from tools.explained import HEADERS, SPECS

needs_compiler = pytest.mark.skipif(uapi.COMPILER is None, reason="reading headers takes cc")


@pytest.fixture(scope="module")
def declared() -> Declarations:
    return Declarations("netlink")


def test_specs_agree(declared: Declarations) -> None:
    folder = outside.specs()
    if folder is None:
        pytest.skip("NETLINK_SPECS names no folder of specs")
    found = specs.compare(folder, declared.families)
    assert found
    assert [difference for difference in sorted(found) if not SPECS.reason(difference)] == []


def test_the_command_says_what_it_did_not_compare(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NETLINK_SPECS", raising=False)
    monkeypatch.setattr(uapi, "COMPILER", None)
    assert main([]) == 0
    assert [line.partition(":")[:2] for line in capsys.readouterr().out.splitlines() if line] == [
        ("specs", ":"),
        ("headers", ":"),
    ]


@pytest.mark.parametrize("option", ["--specs", "--headers"])
@pytest.mark.parametrize("name", ["", "absent"])
def test_the_command_refuses_a_wrong_folder(
    option: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([option, str(tmp_path / name)])
    assert caught.value.code == 2
    assert f"error: {option}: " in capsys.readouterr().err


def test_the_command_refuses_a_wrong_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NETLINK_SPECS", str(tmp_path))
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "error: NETLINK_SPECS: " in capsys.readouterr().err


@needs_compiler
@pytest.mark.skipif(
    not (INCLUDE_FOLDER / "linux/rtnetlink.h").exists(), reason=f"no headers in {INCLUDE_FOLDER}"
)
def test_headers_agree(declared: Declarations) -> None:
    there = uapi.Headers(INCLUDE_FOLDER, declared.headers)
    found = {d for d in headers.compare(declared, there) if not HEADERS.reason(d)}
    if there.release > uapi.RELEASE:  # what a later release adds is for later
        found = {difference for difference in found if difference.topic not in ("missing", "size")}
    assert sorted(found) == []


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
    "link.DevlinkPort.bus_name": "sent alone",
    "link.DevlinkPort.dev_name": "sent alone",
    "link.Link.phys_port_name": "sent alone",
    "link.Link.parent_dev_name": "an NLA_NUL_STRING of any length, in ifla_policy",
    "link.Link.parent_dev_bus_name": "sent alone",
    "neightbl.NeighbourTable.name": "an NLA_STRING of any length, in nl_neightbl_policy",
    "driver.Batadv.algo_name": "an NLA_NUL_STRING of any length, in batadv_ifla_policy",
}


def test_strings_have_a_bound(declared: Declarations) -> None:
    """What the kernel would refuse, or cut without a word, is refused before it is sent."""
    unbounded = {
        f"{label(cls)}.{field.name}"
        for cls in declared.messages
        for field in attributes(cls).values()
        if innermost(field).kind_name == "string" and not innermost(field).size
    }
    assert unbounded == UNBOUNDED.keys()


def test_explanations_are_about_what_there_is(declared: Declarations) -> None:
    known = {label(cls) for cls in [*declared.messages, *declared.enums]} | {*declared.constants}
    subjects = SPECS.subjects(without="missing") | HEADERS.subjects(without="missing")
    subjects.remove("*")
    assert {".".join(subject.split(".")[:2]) for subject in subjects} - known == set()


# --- the tool can tell ----------------------------------------------------------------------------


class SM(IntEnum):
    """Message types."""

    SM_NEWTHING = 16
    SM_GETTHING = 18


class SMGRP(IntEnum):
    """Groups (linux/small.h)."""

    SMGRP_THING = 1


class SM_MODE(IntEnum):
    """Modes (linux/small.h)."""

    SM_MODE_ONE = 1
    SM_MODE_TWO = 3


class SM_F(IntFlag):
    """Flags (linux/small.h)."""

    SM_F_UP = 0x1
    SM_F_GONE = 0x8


class sm_msg(Message):
    """struct sm_msg (linux/small.h)."""

    family: int = u8()
    _pad = pad(1)
    sm_type: int = u16()
    index: int = u32()


class sm_stats(Message):
    """struct sm_stats (linux/small.h)."""

    packets: int = u32()
    errors: int = u32()
    rest: tuple[int, ...] = scalars(u16(), length=2)


class Inner(Message):
    """SM_INNER_* attributes (linux/small.h)."""

    value: int | None = u32(2)


class Red(Message):
    """SM_RED_* attributes."""

    colour: int | None = u8(1)


class Thing(sm_msg):
    """struct sm_msg and its SM_A_* attributes (linux/small.h)."""

    name: str | None = string(1, size=16)
    mode: SM_MODE | int | None = u8(2, enum=SM_MODE)
    flags: SM_F | None = u32(3, enum=SM_F)
    port: int | None = be16(4)
    dst: object = address(5)
    stats: Nested[sm_stats] = struct(6, sm_stats)
    inner: Nested[Inner] = nest(7, Inner)
    kind: str | None = string(8)
    data: Nested[Red] = selected(9, "kind", {"red": Red, "blue": Red})
    extra: int | None = u32(12)


FAMILY = Family(
    "small",
    protocol=99,
    ops=[Op("thing.get", SM.SM_GETTHING, Thing)],
    messages={SM.SM_NEWTHING: Thing},
    types=SM,
    groups=SMGRP,
)

SPEC = """
    name: small
    protocol: netlink-raw
    protonum: 99
    definitions:
      - {name: sm-msg, type: struct, members: [
          {name: family, type: u8}, {name: pad, type: pad, len: 1},
          {name: sm-type, type: u16}, {name: sm-index, type: s32}]}
      - {name: sm-stats, type: struct, members: [
          {name: packets, type: u32}, {name: dropped, type: u32}]}
      - {name: sm-most, type: const, value: 15}
      - {name: mode, type: enum, value-start: 1, entries: [one, two]}
      - {name: flags, type: flags, entries: [up, down]}
    attribute-sets:
      - name: thing-attrs
        attributes:
          - {name: title, type: string, checks: {max-len: sm-most}}
          - {name: mode, type: u8, enum: mode}
          - {name: flags, type: u32, enum: flags}
          - {name: port, type: u16}
          - {name: dst, type: binary}
          - {name: stats, type: binary, struct: sm-stats}
          - {name: inner, type: nest, nested-attributes: inner-attrs}
          - {name: kind, type: string, checks: {max-len: 9}}
          - {name: data, type: sub-message, sub-message: data-msg, selector: sort}
          - {name: sm-pad, type: pad}
          - {name: fresh, type: u64}
      - name: inner-attrs
        attributes: [{name: unspec, type: unused}, {name: value, type: u16}]
      - name: red-attrs
        attributes: [{name: colour, type: u8}, {name: shade, type: u8}]
    sub-messages:
      - {name: data-msg, formats: [
          {value: red, attribute-set: red-attrs}, {value: green, fixed-header: sm-stats}]}
    operations:
      list:
        - {name: getthing, attribute-set: thing-attrs, fixed-header: sm-msg,
            do: {request: {value: 18}, reply: {value: 16}}}
        - {name: delthing, do: {request: {value: 17}}}
    mcast-groups:
      list: [{name: smgrp-thing, value: 1}, {name: smgrp-other, value: 2}]
"""

HEADER = """
    #ifndef SMALL_H
    #define SMALL_H
    #include <linux/types.h>
    struct sm_msg { __u8 family; __u8 pad; __u16 sm_type; __s32 sm_index; };
    struct sm_stats {
        __u32 packets;
        union { __u32 dropped; __be32 lost; };
        struct { __u16 rest[2]; } inside;
        __u8 bits:4, more:4;
        __u32 late, reserved;
    };
    enum { SM_A_UNSPEC, SM_A_NAME, SM_A_MODE, SM_A_FLAGS, SM_A_PORT, SM_A_STATS, SM_A_DST,
           SM_A_INNER, SM_A_KIND, SM_A_DATA, SM_A_PAD, SM_A_FRESH, __SM_A_MAX };
    #define SM_A_MAX (__SM_A_MAX - 1)
    enum sm_inner { SM_INNER_UNSPEC = 1, SM_INNER_VALUE };
    enum { SM_RED_UNSPEC, SM_RED_COLOUR };
    enum sm_mode { SM_MODE_ONE = 1, SM_MODE_TWO, SM_MODE_FIRST = SM_MODE_ONE };
    #define SM_F_UP (1 << 0)
    #define SM_F_DOWN (SM_F_UP << 1)
    #define SMGRP_THING 1
    #define SM_LENGTH 17
    #define SM_WIDTH 4
    #define SM_TEXT "text"
    #define SM_SIZE sizeof(struct sm_msg)
    #endif
"""


def keys(found: set[Difference]) -> set[str]:
    """The differences without their details."""
    return {difference.key.replace("test_declarations.", "") for difference in found}


def test_a_spec_is_compared(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(dedent(SPEC))
    (tmp_path / "other.yaml").write_text(dedent(SPEC).replace("protonum: 99", "protonum: 98"))
    assert keys(specs.compare(tmp_path, [FAMILY])) == {
        "group small/smgrp-other",
        "missing small/delthing",
        "kind Thing.index",
        "name Thing.name",
        "missing small/mode.two",
        "unknown SM_MODE",
        "missing small/flags.down",
        "unknown SM_F",
        "kind Thing.port",
        "bound Thing.kind",
        "finer Thing.dst",
        "size sm_stats",
        "name sm_stats.errors",
        "unknown sm_stats.rest",
        "kind Inner.value",
        "selector Thing.data",
        "unknown Thing.data:blue",
        "missing small/data-msg:green",
        "missing small/red-attrs.shade",
        "missing small/thing-attrs.fresh",
        "unknown Thing.extra",
    }


class CMD(IntEnum):
    """Commands of a generic family."""

    CMD_GET = 1
    CMD_SET = 2
    CMD_ANSWER = 7


class Question(Message):
    """What is asked."""

    name: str | None = string(1)
    table: dict[int, dict[int, Red]] | None = mapping(2, mapping(Red))


class Answer(Message):
    """What comes back."""

    port: int | None = u16(3)


GENERIC = Family(
    "spoken",
    ops=[Op("spoken.get", CMD.CMD_GET, Question, reply=Answer), Op("set", CMD.CMD_SET, Question)],
    types=CMD,
    groups=("news",),
)

GENERIC_SPEC = """
    name: spoken
    attribute-sets:
      - name: attrs
        attributes:
          - {name: name, type: string}
          - {name: table, type: nest-type-value, type-value: [row, column], nested-attributes: red}
          - {name: port, type: u32}
      - {name: red, attributes: [{name: colour, type: u8}]}
    operations:
      list:
        - {name: get, attribute-set: attrs, do: {request: {attributes: [name]}, reply: {}},
            dump: {reply: {attributes: [port]}}}
        - {name: put, attribute-set: attrs, do: {request: {attributes: [name]}}}
        - {name: drop, attribute-set: attrs, do: {request: {attributes: [name]}}}
    mcast-groups: {list: [{name: news}, {name: weather}]}
"""


def test_a_spec_of_a_generic_family_is_compared(tmp_path: Path) -> None:
    """It is found by its name; a question and its answer have one number, that of the command."""
    (tmp_path / "spoken.yaml").write_text(dedent(GENERIC_SPEC))
    (tmp_path / "other.yaml").write_text(dedent(GENERIC_SPEC).replace("spoken", "other"))
    assert keys(specs.compare(tmp_path, [FAMILY, GENERIC])) == {
        "group spoken/weather",
        "name spoken/put",
        "missing spoken/drop",
        "kind Answer.port",
    }
    directional = GENERIC_SPEC.replace("operations:", "operations:\n      enum-model: directional")
    directional = directional.replace("reply: {attributes: [port]}", "reply: {value: 7}")
    (tmp_path / "spoken.yaml").write_text(dedent(directional))
    assert keys(specs.compare(tmp_path, [GENERIC])) == {
        "group spoken/weather",
        "missing spoken/get",
    }


@needs_compiler
def test_a_header_is_compared(tmp_path: Path) -> None:
    (tmp_path / "linux").mkdir()
    (tmp_path / "linux/small.h").write_text(dedent(HEADER))
    names = ["linux/small.h", "linux/absent.h"]
    small = cast(Declarations, Small())
    expected = {
        "unknown SM",
        "number SM_MODE.SM_MODE_TWO",
        "unknown SM_F.SM_F_GONE",
        "number SM_LENGTH",
        "missing SM_F_DOWN",
        "kind sm_msg.index",
        "size sm_stats",
        "unknown sm_stats.errors",
        "missing sm_stats.late",
        "number Thing.dst",
        "number Thing.stats",
        "missing SM_A_FRESH",
        "unknown Thing.extra",
    }
    assert keys(headers.compare(small, uapi.Headers(tmp_path, names))) == expected
    (tmp_path / "linux/version.h").write_text(
        "#define LINUX_VERSION_MAJOR 6\n#define LINUX_VERSION_PATCHLEVEL 1\n"
    )
    older = {key for key in expected if not key.startswith(("unknown", "size"))}
    assert keys(headers.compare(small, uapi.Headers(tmp_path, names))) == older


class Small:
    """The declarations above, as those of a package."""

    messages = (sm_msg, sm_stats, Inner, Red, Thing)
    enums = (SM, SMGRP, SM_MODE, SM_F)
    constants = {"SM_LENGTH": 16, "SM_WIDTH": 4, "SM_OURS": 1}  # noqa: RUF012
