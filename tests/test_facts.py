"""The table of facts: its format, its coverage, and the tool that generates it.

The tool reads headers, C sources or specs of a kernel; the tests write small ones. The committed
table is compared with the specs in NETLINK_SPECS and with the headers of the machine.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from tools import facts, outside, sources, uapi
from tools.check_declarations import TABLE, load
from tools.facts import Collector, Fact, Kind, by_name, joined

INCLUDE_FOLDER = Path("/usr/include")

needs_compiler = pytest.mark.skipif(uapi.COMPILER is None, reason="reading headers takes cc")


# --- the committed table --------------------------------------------------------------------------


def test_the_table_is_as_the_tool_writes_it() -> None:
    text = TABLE.read_text()
    assert facts.dump(facts.load(text)) == text


def test_the_table_covers_every_family() -> None:
    found = {fact.family for fact in load()}
    assert found >= facts.FAMILIES.keys()


def test_the_table_has_only_facts() -> None:
    """It has names, numbers, kinds and releases, but no comment of a header or spec."""
    kind = re.compile(r"((repeated|array|mapping) )*(-|[a-z]+\d*)( \d+| (enum )?[A-Za-z_][\w-]*)?")
    for fact in load():
        assert re.fullmatch(r"[\w-]+", fact.family), fact
        assert re.fullmatch(r"((struct|enum) )?[\w-]+|enum|(linux|sys)/[\w/-]+\.h", fact.set), fact
        assert re.fullmatch(r"[\w.-]+", fact.attribute), fact
        assert kind.fullmatch(str(fact.kind)), fact
        assert fact.kind.order in ("big", "host", "-"), fact
        assert re.fullmatch(r"[hpcs]+\d+\.\d+( [hpcs]+\d+\.\d+)*", fact.source), fact


def test_the_table_knows_some_facts() -> None:
    """Readers can check these in linux/if_link.h, ethtool_netlink.h, and so on."""
    known = by_name(load())
    for name, number, kind, order in [
        ("IFLA_MTU", 4, "u32", "host"),
        ("IFLA_VLAN_PROTOCOL", 5, "u16", "big"),
        ("IFLA_LINKINFO", 18, "nest IFLA_INFO", "-"),
        ("CTRL_ATTR_FAMILY_ID", 1, "u16", "host"),
        ("ETHTOOL_A_RINGS_RX", 6, "u32", "host"),
        ("WGPEER_A_FLAGS", 3, "u32", "host"),
        ("IFLA_IFNAME", 3, "string 15", "-"),
        ("CTA_TIMEOUT", 7, "u32", "big"),
        ("NL80211_ATTR_IFINDEX", 3, "u32", "host"),
        ("DEVLINK_ATTR_BUS_NAME", 1, "string", "-"),
    ]:
        assert (number, Kind.parse(kind, order)) in [(f.number, f.kind) for f in known[name]], name
    for name in ("INET_DIAG_TOS", "AUDIT_GET", "PROC_EVENT_FORK", "XFRMA_ALG_AUTH"):
        assert name in known


# --- the committed table and its sources ----------------------------------------------------------


def test_specs_give_the_same_facts() -> None:
    pytest.importorskip("yaml", reason="specs are YAML: pip install fastnetlink[ynl]")
    folder = outside.specs()
    if folder is None:
        pytest.skip("NETLINK_SPECS names no folder of specs")
    table = load()
    headers = by_name(fact for fact in table if "h" in fact.source)
    here = [*facts.of_specs(folder, headers, "s0")]
    assert here
    families = {fact.family for fact in here}
    there = [fact for fact in table if "s" in fact.source and fact.family in families]
    assert [fact for fact in here if not any(says(other, fact) for other in there)] == []
    assert [fact for fact in there if not any(says(fact, other) for other in here)] == []


def says(fact: Fact, other: Fact) -> bool:
    """Return whether a fact states everything that another one states."""
    return place(fact) == place(other) and fact.kind.implies(other.kind)


def place(fact: Fact) -> tuple[str, str, str, int | None]:
    """Return what a fact is about."""
    return fact.family, fact.set, fact.attribute, fact.number


@needs_compiler
@pytest.mark.skipif(
    not (INCLUDE_FOLDER / "linux/rtnetlink.h").exists(), reason=f"no headers in {INCLUDE_FOLDER}"
)
def test_headers_give_the_same_numbers() -> None:
    """Attribute numbers never change, so the headers of any release agree with the table."""
    known = {name: {fact.number for fact in found} for name, found in by_name(load()).items()}
    here: dict[str, int] = {}
    for words in facts.FAMILIES.values():
        names = [word for word in words.split() if word.endswith(".h")]
        headers = uapi.Headers(INCLUDE_FOLDER, names)
        here |= {name: constant.number for name, constant in headers.constants.items()}
    common = [
        name
        for name in here.keys() & known.keys()
        # Masks and versions may differ, and so may names that two releases number differently.
        if len(known[name]) == 1 and not re.search("MASK|VERSION|MAX", name)
    ]
    assert len(common) > 5000
    assert [name for name in common if here[name] not in known[name]] == []


# --- making a table -------------------------------------------------------------------------------


def test_a_kind_is_text_and_back() -> None:
    for text in (
        "u32",
        "string 15",
        "repeated nest IFLA_INFO",
        "mapping mapping nest",
        "-",
        "- 16",
    ):
        assert str(Kind.parse(text, "-")) == text
    assert Kind.parse("array nest enum some_attrs", "-").argument == "enum some_attrs"
    assert Kind.parse("repeated u16", "big") == Kind(("repeated",), "u16", "", "big")


def kind(text: str) -> Kind:
    """Return the kind in a text. A byte order follows a comma."""
    words, _, order = text.partition(", ")
    return Kind.parse(words, order or "-")


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("u32, host", "-"),
        ("u32, host", "u32"),
        ("u32, big", "u32"),
        ("s32, host", "u32"),
        ("s32, host", "s32"),
        ("string 15", "string"),
        ("struct some", "binary"),
        ("address", "binary"),
        ("nest A", "nest"),
        ("array nest A", "nest"),
        ("repeated u32, host", "u32"),
        ("selected data", "nest"),
    ],
)
def test_a_kind_implies_another(more: str, less: str) -> None:
    assert kind(more).implies(kind(less))
    assert not kind(less).implies(kind(more))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("u32, host", "u32, big"),
        ("u32, host", "s32, host"),
        ("u32, host", "u16"),
        ("u32, host", "s32"),
        ("flag", "u8"),
        ("flag", "binary"),
        ("string 15", "string 16"),
        ("nest A", "nest B"),
        ("array nest A", "repeated nest A"),
        ("address 4", "address 16"),
    ],
)
def test_kinds_contradict_each_other(one: str, other: str) -> None:
    assert not kind(one).implies(kind(other))
    assert not kind(other).implies(kind(one))


def test_sources_are_joined() -> None:
    assert joined("h6.12") == "h6.12"
    assert joined("s6.15", "p6.12", "h6.12") == "hp6.12 s6.15"
    assert joined("h7.2", "h6.12") == "h6.12"


def test_facts_are_merged_unless_they_contradict() -> None:
    table = Collector()
    for text, source in [
        ("-", "h6.1"),
        ("-", "h6.2"),
        ("u32", "p6.1"),
        ("u32, host", "s6.3"),
        ("flag", "s6.3"),
        ("u16", "p6.1"),
    ]:
        table.add(Fact("small", "SM_A", "NAME", 1, kind(text), source))
    assert [(str(f.kind), f.kind.order, f.source) for f in table] == [
        ("u32", "host", "hp6.1 s6.3"),
        ("flag", "-", "s6.3"),
        ("u16", "-", "p6.1"),
    ]


HEADER = """
    #ifndef SMALL_H
    #define SMALL_H
    #include <linux/types.h>
    struct sm_msg { __u8 family; __u8 pad; __be16 sm_type; __s32 sm_index; };
    struct sm_stats {
        __u32 packets;
        union { __u32 dropped; __be32 lost; };
        struct { __u16 rest[2]; } inside;
        __u8 bits:4, more:4;
        enum { SM_WHAT_ONE, SM_WHAT_TWO } what;
        __u32 late, reserved;
        char name[16];
        __u8 data[];
    };
    enum { SM_A_UNSPEC, SM_A_NAME, SM_A_SIZE_MAX, NUM_SM_A, SM_A_MAX = NUM_SM_A - 1 };
    enum sm_mode { SM_ONE = 1, MODE_TWO, __MODE_END };
    enum { SM_LAST_ONE, SM_LAST_MAX };
    #define SM_F_UP (1 << 0)
    #define SM_F_DOWN (SM_F_UP << 1)
    #define SM_BYTES(x) (x + 1)
    #define SM_TEXT "text"
    #define SM_SIZE sizeof(struct sm_msg)
    #endif
"""


def small_headers(folder: Path, release: str = "6.1", header: str = HEADER) -> Path:
    """Write an include folder that states its release, and return it."""
    (folder / "linux").mkdir(parents=True)
    (folder / "linux/small.h").write_text(dedent(header))
    major, minor = release.split(".")
    (folder / "linux/version.h").write_text(
        f"#define LINUX_VERSION_MAJOR {major}\n#define LINUX_VERSION_PATCHLEVEL {minor}\n"
    )
    return folder


@needs_compiler
def test_headers_are_read(tmp_path: Path) -> None:
    folder = small_headers(tmp_path / "include")
    headers = uapi.Headers(folder, ["linux/small.h", "linux/absent.h"])
    rows = {str(fact).replace("\t", " ") for fact in facts.of_headers("f", headers, "h6.1")}
    assert rows == {
        "f SM_A UNSPEC 0 - - h6.1",
        "f SM_A NAME 1 - - h6.1",
        "f SM_A SIZE_MAX 2 - - h6.1",
        "f enum sm_mode SM_ONE 1 - - h6.1",
        "f enum sm_mode MODE_TWO 2 - - h6.1",
        "f SM_LAST ONE 0 - - h6.1",
        "f SM_WHAT ONE 0 - - h6.1",
        "f SM_WHAT TWO 1 - - h6.1",
        "f linux/small.h SM_F_UP 1 - - h6.1",
        "f linux/small.h SM_F_DOWN 2 - - h6.1",
        "f struct sm_msg - 8 struct - h6.1",
        "f struct sm_msg family 0 u8 host h6.1",
        "f struct sm_msg pad 1 u8 host h6.1",
        "f struct sm_msg sm_type 2 u16 big h6.1",
        "f struct sm_msg sm_index 4 s32 host h6.1",
        "f struct sm_stats - 44 struct - h6.1",
        "f struct sm_stats packets 0 u32 host h6.1",
        "f struct sm_stats dropped 4 u32 host h6.1",
        "f struct sm_stats lost 4 u32 big h6.1",
        "f struct sm_stats inside 8 - 4 - h6.1",
        "f struct sm_stats inside.rest 8 u16 4 host h6.1",
        "f struct sm_stats what 16 - 4 - h6.1",
        "f struct sm_stats late 20 u32 host h6.1",
        "f struct sm_stats reserved 24 u32 host h6.1",
        "f struct sm_stats name 28 binary 16 - h6.1",
        "f struct sm_stats data 44 u8 0 host h6.1",
    }


def test_a_release_is_found(tmp_path: Path) -> None:
    assert uapi.release(small_headers(tmp_path / "include", "6.9")) == "6.9"
    tree = tmp_path / "tree"
    (tree / "include/uapi/linux").mkdir(parents=True)
    (tree / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\n")
    assert uapi.release(tree / "include/uapi") == "6.12"
    (tree / "Makefile").unlink()
    with pytest.raises(FileNotFoundError, match="does not state its release"):
        uapi.release(tree / "include/uapi")


SOURCE = """
    static const struct nla_policy sm_policy[SM_A_MAX + 1] = {
        [SM_A_NAME]  = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
        /* [SM_A_GONE] = { .type = NLA_U8 }, */
        [SM_A_MODE]  = NLA_POLICY_RANGE(NLA_U8, 1, 2),
        [SM_A_PORT]  = { .type = NLA_BE16 },
    #ifdef CONFIG_SMALL
        [SM_A_ADDR]  = { .len = sizeof(struct in6_addr) },
    #endif
        [SM_A_INNER] = NLA_POLICY_NESTED(sm_inner_policy),
        [SM_A_MAC]   = NLA_POLICY_EXACT_LEN(ETH_ALEN),
        [SM_A_FREE]  = { .type = NLA_REJECT },
    };
    const struct nla_policy sm_empty[1] = { };
    int fill(struct sk_buff *skb)
    {
        if (nla_put_u32(skb, SM_A_COUNT, 1) ||
            nla_put_be32(skb,
                         SM_A_KEY, htonl(2)) ||
            nla_put_u64_64bit(skb, SM_A_BYTES, 3, SM_A_PAD) ||
            nla_put_flag(skb, SM_A_FLAG) || nla_put_in_addr(skb, SM_A_LOCAL, a))
            return -1;
        nest = nla_nest_start_noflag(skb, SM_A_LIST);
        return nla_get_s16(tb[SM_A_LEVEL]) + nla_get_u8(info->attrs[SM_A_BIT]);
    }
"""


def test_sources_are_read(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/small.c").write_text(SOURCE)
    assert [tuple(vars(entry).values()) for entry in sources.read(tmp_path)] == [
        ("SM_A_NAME", "string 15", "-", True),
        ("SM_A_MODE", "u8", "-", True),
        ("SM_A_PORT", "u16", "big", True),
        ("SM_A_ADDR", "binary 16", "-", True),
        ("SM_A_INNER", "nest", "-", True),
        ("SM_A_MAC", "binary 6", "-", True),
        ("SM_A_COUNT", "u32", "host", False),
        ("SM_A_KEY", "u32", "big", False),
        ("SM_A_BYTES", "u64", "host", False),
        ("SM_A_FLAG", "flag", "-", False),
        ("SM_A_LOCAL", "address 4", "-", False),
        ("SM_A_LIST", "nest", "-", False),
        ("SM_A_LEVEL", "s16", "host", False),
        ("SM_A_BIT", "u8", "host", False),
    ]


SPEC = """
    name: small
    doc: Words that must not be copied.
    definitions:
      - {name: most, type: const, value: 15}
      - {name: sm-stats, type: struct, members: [{name: seen, type: u32}]}
    attribute-sets:
      - name: thing-attrs
        attributes:
          - {name: title, type: string, checks: {max-len: most}, doc: Not this.}
          - {name: port, type: u16, byte-order: big-endian}
          - {name: dst, type: binary, display-hint: ipv6}
          - {name: stats, type: binary, struct: sm-stats}
          - {name: inner, type: nest, nested-attributes: inner-attrs}
          - {name: data, type: sub-message, sub-message: data-msg, selector: title}
          - {name: sm-pad, type: pad}
          - {name: sizes, type: u32, multi-attr: true}
          - {name: rows, type: indexed-array, sub-type: nest, nested-attributes: some-inner}
          - {name: shift, type: u8, value: 12}
          - {name: spelt-otherwise, type: s32, value: 13}
      - name: inner-attrs
        attributes: [{name: unspec, type: unused}, {name: value, type: u16}]
      - {name: some-inner, subset-of: inner-attrs, attributes: [{name: value}]}
      - {name: red-attrs, name-prefix: sm-red-, attributes: [{name: colour, type: u8}]}
      - {name: lost-attrs, attributes: [{name: no-such, type: u8}]}
    sub-messages:
      - {name: data-msg, formats: [{value: red, attribute-set: red-attrs}, {value: green}]}
    operations: {list: []}
    mcast-groups: {list: [{name: news}]}
"""
CONSTANTS = {  # of the small family, by set
    "SM_A": "TITLE PORT DST STATS INNER DATA PAD SIZES ROWS GAP SHIFT LATE OTHER_NAME",
    "SM_INNER": "UNSPEC VALUE",
    "SM_RED": "COLOUR",
}


def test_specs_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("yaml", reason="specs are YAML: pip install fastnetlink[ynl]")
    monkeypatch.setitem(facts.FAMILIES, "small", "small linux/small.h")
    (tmp_path / "small.yaml").write_text(dedent(SPEC))
    (tmp_path / "other.yaml").write_text(dedent(SPEC).replace("name: small", "name: other"))
    headers = by_name(
        Fact("small", group, name, number, kind("-"), "h6.1")
        for group, names in CONSTANTS.items()
        for number, name in enumerate(names.split(), 1)
    )
    found = facts.of_specs(tmp_path, headers, "s6.3")
    assert [str(fact).replace("\t", " ") for fact in found] == [
        "small SM_A TITLE 1 string 15 - s6.3",
        "small SM_A PORT 2 u16 big s6.3",
        "small SM_A DST 3 address - s6.3",
        "small SM_A STATS 4 struct sm_stats - s6.3",
        "small SM_A INNER 5 nest SM_INNER - s6.3",
        "small SM_A DATA 6 selected data-msg - s6.3",
        "small SM_A SIZES 8 repeated u32 host s6.3",
        "small SM_A ROWS 9 array nest SM_INNER - s6.3",
        "small SM_A OTHER_NAME 13 s32 host s6.3",
        "small SM_INNER VALUE 2 u16 host s6.3",
        "small SM_RED COLOUR 1 u8 host s6.3",
        "small data-msg red - nest SM_RED - s6.3",
        "small group news - group - s6.3",
    ]
    assert capsys.readouterr().err.splitlines() == [
        "skipped the spec other: add it and its headers to FAMILIES",
        "skipped small/thing-attrs.shift: the headers do not have it with this number",
        "skipped small/lost-attrs: the headers do not have it with this number",
    ]


# --- the command ----------------------------------------------------------------------------------


@needs_compiler
def test_the_command_writes_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The source of a fact is the oldest release with it. The newest release defines the sets."""
    monkeypatch.setattr(facts, "FAMILIES", {"small": "small linux/small.h"})
    monkeypatch.delenv("NETLINK_SPECS", raising=False)
    old = small_headers(tmp_path / "old", "6.9", "enum { SM_A_B_NAME = 1, SM_A_B_SIZE };")
    tree = tmp_path / "tree"
    small_headers(tree / "include/uapi", "6.10", "enum { SM_A_B_NAME = 1, SM_A_B_SIZE, SM_A_C };")
    (tree / "net").mkdir()
    (tree / "net/small.c").write_text("x = nla_put_be16(skb, SM_A_C, 1);")
    table = tmp_path / "facts.tsv"
    arguments = ["--kernel", str(tree), "--headers", str(old), "-o", str(table)]
    assert facts.main(arguments) == 0
    assert [*map(str, facts.load(table.read_text()))] == [
        "small\tSM_A\tB_NAME\t1\t-\t-\th6.9",
        "small\tSM_A\tB_SIZE\t2\t-\t-\th6.9",
        "small\tSM_A\tC\t3\tu16\tbig\thc6.10",
    ]
    assert capsys.readouterr().err == f"{table}: 3 facts\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: -o"),
        (["-o", "table"], "--headers or --kernel is required"),
        (["-o", "table", "--headers", "absent"], "argument --headers: 'absent' contains no folder"),
        (
            ["-o", "table", "--kernel", "absent"],
            "argument --kernel: 'absent/include/uapi' contains",
        ),
        (["-o", "table", "--specs", "absent"], "argument --specs: 'absent' contains no YAML file"),
        (["-o", "table", "--specs", "specs"], "specs does not state its release"),
    ],
)
def test_the_command_refuses(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NETLINK_SPECS", raising=False)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/small.yaml").write_text("")
    with pytest.raises(SystemExit) as caught:
        facts.main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "table").exists()
