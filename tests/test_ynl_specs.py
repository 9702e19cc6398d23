"""netlink.ynl with the kernel's specs: they load, their ops write and read, and known mistakes.

NETLINK_SPECS names a folder of specs. NETLINK_KERNEL names the source tree of a kernel: its specs
are tried too, and its own client is the oracle for the bytes of requests.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Container
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import netlink
from netlink import ynl
from netlink.extack import Policy
from netlink.generic import nlctrl
from netlink.ynl import mistakes
from netlink.ynl.names import struct_name
from netlink.ynl.spelling import arguments
from tools import outside

from . import generated, wire, ynl_client
from .round_trips import check_round_trip
from .ynl_client import family

SPECS = outside.specs()
needs_specs = pytest.mark.skipif(SPECS is None, reason="NETLINK_SPECS does not name a folder")


def paths(name: str = "*") -> list[Path]:
    """The specs of both folders."""
    found = []
    if SPECS is not None:
        found += sorted(SPECS.glob(f"{name}.yaml"))
    if ynl_client.KERNEL is not None:
        found += sorted(ynl_client.specs().glob(f"{name}.yaml"))
    return found


NOTHING = pytest.param(None, marks=needs_specs, id="none")
ALL = [pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in paths()] or [NOTHING]


def spec(name: str) -> ynl.SpecFamily:
    """The family of a spec of NETLINK_SPECS."""
    if SPECS is None:
        pytest.skip("NETLINK_SPECS does not name a folder")
    path = SPECS / f"{name}.yaml"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    return family(path)


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ALL)
def test_it_loads(path: Path) -> None:
    """With no warnings but those about names in the lists of ops, and keys of another tool."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        loaded = ynl.load(path)
    texts = [str(each.message) for each in found]
    expected = ("has no attribute", "'fallback-attrs' is unknown", "'transparent' is unknown")
    assert [text for text in texts if not any(words in text for words in expected)] == []
    assert loaded.name == loaded.spec.name
    assert len(loaded.op) == sum(op.kind == "call" for op in loaded.spec.ops)


QUICK = settings(
    max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), database=None,
    phases=[Phase.generate],
)  # fmt: skip


def try_op(op: Any) -> None:
    @QUICK
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        check_round_trip(op, data.draw(generated.messages(op.request)))

    check()


def compare_op(op: Any, path: Path, without: Container[str | int]) -> None:
    @QUICK
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        message = data.draw(generated.messages(op.request))
        ours, theirs = ynl_client.translated(message, without)
        made = op.request(**arguments(op.request, ours))
        assert bytes(made) == ynl_client.encode(path, op.spec_name, theirs)

    check()


@pytest.mark.parametrize("path", ALL)
def test_every_op_encodes_and_decodes(path: Path) -> None:
    for op in family(path).ops.values():
        try_op(op)


@pytest.mark.parametrize("path", ALL)
@ynl_client.needs_client
def test_requests_equal_those_of_the_kernels_client(path: Path) -> None:
    """Without our corrections, and without structs that the client packs, bytes are equal."""
    without = {*ynl_client.unaligned(path), *ynl_client.overridden(path)}
    for op in family(path, mend=False).ops.values():
        compare_op(op, path, without)


@pytest.mark.parametrize("path", ALL)
@ynl_client.needs_client
def test_numbers_equal_those_of_the_kernels_client(path: Path) -> None:
    client = ynl_client.encoder(path)
    loaded = family(path, mend=False)
    for op in loaded.ops.values():
        assert isinstance(op, ynl.SpecOp)
        theirs = client.ops[op.spec_name]
        assert op.type == theirs.req_value
        if op.answer != "none":
            assert op.reply_type == theirs.rsp_value
    for one in loaded.spec.ops:
        if one.kind in ("notify", "event"):
            assert one.replies == (client.msgs[one.name].rsp_value,)


def test_structs_that_the_client_packs() -> None:
    """Fact: with the alignment of C, sizes are those of the kernel: ovs-key-arp 24 (packed 22),
    ct-tuple-ipv4 16/13, rtnl-link-ifmap 32/28, tc-stats 40/36, gnet-stats-basic 16/12,
    ifla-vf-guid 16/12, tc-u32-sel and tc-pedit-sel."""
    if SPECS is None or ynl_client.KERNEL is None:
        pytest.skip("NETLINK_SPECS or NETLINK_KERNEL is not set")
    found = {path.stem: ynl_client.unaligned(path) for path in sorted(SPECS.glob("*.yaml"))}
    assert {name: sizes for name, sizes in found.items() if sizes} == {
        "ovs_flow": {
            "ovs_key_arp": (24, 22), "ovs_key_ct_tuple_ipv4": (16, 13),
            "ovs_action_add_mpls": (12, 10),
        },
        "rt_link": {
            "rtnl_link_ifmap": (32, 28), "ipv6_devconf": (232, 229), "ifla_vf_guid": (16, 12),
        },
        "tc": {
            "tc_stats": (40, 36), "tc_htb_opt": (44, 38), "tc_ratespec": (12, 9),
            "tc_tbf_qopt": (36, 30), "gnet_stats_basic": (16, 12), "tc_u32_sel": (32, 31),
            "tc_police": (56, 50), "tc_pedit_sel": (48, 46),
        },
    }  # fmt: skip


# --- names ----------------------------------------------------------------------------------------


@needs_specs
def test_every_renamed_name_is_known() -> None:
    """Fact: attributes called `keys`, `class` and `from`, and names that begin with a digit. An
    attribute with the name of a header member gets "_": rt_addr's `ifa-flags`, rt_rule's `table`,
    rt_neigh's `ifindex`."""
    assert SPECS is not None
    renamed: dict[str, set[str]] = {}
    for path in SPECS.glob("*.yaml"):
        for cls in map(family(path).message.__getitem__, family(path).message):
            for name, entry in cls.__spelled__.items():  # type: ignore[attr-defined]
                if name != entry["name"].replace("-", "_"):
                    renamed.setdefault(path.stem, set()).add(f"{entry['name']} {name}")
    assert renamed == {
        "conntrack": {"labels mask labels_mask"},
        "nftables": {"set id set_id"},
        "nl80211": {
            "keys keys_", "1mhz n1mhz", "2mhz n2mhz", "4mhz n4mhz", "8mhz n8mhz", "16mhz n16mhz",
            "2ghz n2ghz", "5ghz n5ghz", "60ghz n60ghz", "6ghz n6ghz", "4addr n4addr",
            "2ghz-shortpreamble n2ghz_shortpreamble", "4way-handshake n4way_handshake",
        },
        "rt_addr": {"ifa-flags ifa_flags_"},
        "rt_link": {
            "from from_", "6rd-prefix n6rd_prefix", "6rd-prefixlen n6rd_prefixlen",
            "6rd-relay-prefix n6rd_relay_prefix", "6rd-relay-prefixlen n6rd_relay_prefixlen",
        },
        "rt_neigh": {"ifindex ifindex_"},
        "rt_rule": {"table table_"},
        "tc": {"keys keys_", "loss loss_", "from from_", "class class_"},
    }  # fmt: skip


# --- mistakes of the specs ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ALL)
def test_corrections_change_what_they_should(path: Path) -> None:
    """A row that matches nothing in any spec is a mistake."""
    plain, mended = (ynl.parse(path.read_bytes(), str(path), mend=mend) for mend in (False, True))
    rows = [row for row in mistakes.ATTRIBUTES if row.family == plain.name]
    for row in rows:
        if row.place not in plain.sets:
            continue
        names = {a.name for a in plain.sets[row.place].attributes}
        assert {*row.names.split()} <= names, f"{row.place} lacks {row.names}"
        for one in mended.sets[row.place].attributes:
            if one.name in row.names.split() and "value" not in row.right:
                assert row.right.items() <= one.entry.items() or row.wrong.items() - {
                    (key, one.entry.get(key)) for key in row.wrong
                }


def test_policies_of_nlctrl() -> None:
    """Fact: the spec has `mask` 11 and `pad` 12; linux/netlink.h has PAD 11 and MASK 12."""
    fields = spec("nlctrl").message.PolicyAttrs.__table__.names
    assert fields["mask"].number == 12
    ours = {f.number: f for f in Policy.__table__.fields}
    assert {f.number for f in fields.values()} - {9} <= {*ours, 1}


def test_actions_of_ovs() -> None:
    """Fact: the spec lacks DROP (24), so that `psample` has its number instead of 25."""
    assert spec("ovs_flow").message.ActionAttrs.__table__.names["psample"].number == 25


def test_states_of_ethtool() -> None:
    """Fact: module-fw-flash-status starts at 1, and c33-pse-ext-state lacks pd-dll-power-type."""
    enums: Any = spec("ethtool").enum
    assert enums["ETHTOOL_MODULE_FW_FLASH_STATUS"](1).name.endswith("_STARTED")
    state = enums["ETHTOOL_C33_PSE_EXT_STATE"]
    assert state(1).name == "ETHTOOL_C33_PSE_EXT_STATE_ERROR_CONDITION"
    assert state(8).name == "ETHTOOL_C33_PSE_EXT_STATE_POWER_NOT_AVAILABLE"


def test_struct_tc_ratespec() -> None:
    """Fact: overhead, cell-align and mpu are u16, s16, u16: 12 bytes, and the rate at 8."""
    table = spec("tc").message.tc_ratespec.__table__
    assert (table.total, table.names["rate"].offset) == (12, 8)
    assert table.names["cell_align"].kind_name == "s16"


def test_struct_ovs_action_add_mpls() -> None:
    """Fact: the size in C is 8."""
    assert spec("ovs_flow").message.ovs_action_add_mpls.__table__.total == 8


def test_ports_of_bridges() -> None:
    """Fact: 20 attributes are flags in the spec, and bytes in the kernel (NLA_U8)."""
    fields = spec("rt_link").message.LinkinfoBrportAttrs.__table__.names
    assert [name for name, field in fields.items() if field.kind_name == "byte_flag"] == ["flush"]
    assert fields["learning"].kind_name == "u8"


@pytest.mark.parametrize(
    ("name", "cls", "fields", "kind"),
    [
        ("fou", "Fou", ["local_v4", "peer_v4"], "address"),
        ("mptcp_pm", "Address", ["addr4"], "address"),
        ("mptcp_pm", "EventAttr", ["saddr4", "daddr4"], "address"),
        ("rt_link", "LinkinfoGreAttrs", ["iflags", "encap_sport"], "be16"),
        ("rt_link", "LinkinfoGreAttrs", ["ikey", "okey"], "be32"),
        ("rt_link", "LinkinfoGeneveAttrs", ["port"], "be16"),
        ("rt_link", "LinkinfoBridgeAttrs", ["vlan_protocol"], "be16"),
        ("rt_link", "LinkinfoIptunAttrs", ["encap_dport"], "be16"),
        ("nfsd", "Addr", [], "address"),
        ("tc", "TcFlowerAttrs", ["key_enc_ipv4_src"], "address"),
    ],
)  # fmt: skip
def test_byte_orders(name: str, cls: str, fields: list[str], kind: str) -> None:
    """Fact: attributes without a byte order in the spec that the kernel sends in network order. A
    u32 with the hint ipv4 is an address, with or without a byte order."""
    if fields:
        table = spec(name).message[cls].__table__
        assert {table.names[field].kind_name for field in fields} == {kind}


def test_overrides_of_subsets() -> None:
    """Fact: ip6tnl's `flags` is u32 by an override, and the kernel agrees (ip6_tunnel_policy)."""
    messages = spec("rt_link").message
    assert messages.LinkinfoIp6tnlAttrs.__table__.names["flags"].kind_name == "u32"
    assert messages.LinkinfoIptunAttrs.__table__.names["flags"].kind_name == "u16"


def test_statistics_of_ethtool() -> None:
    """Fact: each value is in a STAT attribute of its own; its number, from 0, is the inner type."""
    cls: Any = spec("ethtool").message.StatsGrp
    one = wire.attribute(4, wire.attribute(0, struct.pack("=Q", 7)))
    two = wire.attribute(4, wire.attribute(3, struct.pack("=Q", 8)))
    assert cls.from_bytes(one + two).stat == ({0: 7}, {3: 8})


def test_options_of_team() -> None:
    """Fact: a list holds items of type 1, repeated, although the spec does not say so."""
    cls: Any = spec("team").message.ItemOption
    assert len(cls.from_bytes(wire.attribute(1, b"") * 3).option) == 3


def wire_types(payload: bytes) -> list[tuple[int, int]]:
    """The length and the type of each attribute, without flags."""
    return [(len(a.payload), a.type) for a in netlink.iter_attributes(payload)]


def test_actions_of_tc_count_from_1() -> None:
    """Fact: tcf_action_init() in net/sched/act_api.c loops from 1."""
    cls: Any = spec("tc").message.TcBasicAttrs
    made = bytes(cls(act=[{"kind": "gact"}, {}]))
    ((_, first), (_, second)) = wire_types(made[4:])
    assert (first, second) == (1, 2)


def test_keys_of_tc_u32() -> None:
    """Fact: a struct as the last member without a length is an array to the end."""
    cls: Any = spec("tc").message.tc_u32_sel
    made = cls(nkeys=2, keys_=[{"off": 1}, {"off": 2}])
    assert (len(bytes(made)), [key.off for key in made.keys_]) == (16 + 2 * 16, [1, 2])


def test_answers_of_devlink_and_team() -> None:
    """Fact: `do` of these ops is answered by several messages and a DONE."""
    ops = spec("devlink").op
    found = {n for n in ops if (ops[n].answer, ops[n].ends) == ("several", "done")}
    assert found == {
        "resource_dump", "dpipe_table_get", "dpipe_entries_get", "dpipe_headers_get",
        "health_reporter_diagnose",
    }  # fmt: skip
    assert spec("team").op.options_get.answer == "several"


def test_dumps_of_devlink_ports() -> None:
    """Fact: the dump of port-get replies 3 by the spec, and 7 in Linux 6.12, as `do`."""
    classes = spec("devlink").classes
    assert classes[3] is classes[7] is spec("devlink").op.port_get.reply


def test_command_0() -> None:
    """Fact: command 0 is valid: wireguard get, team noop."""
    assert spec("wireguard").op.get_device.type == 0
    assert spec("team").op.noop.type == 0


def test_numbers_of_ethtool() -> None:
    """Fact: features GET_REPLY is 11, SET_REPLY 12, NTF 13; request and reply numbers differ from
    CHANNELS_GET 17 on, whose reply is 18."""
    family = spec("ethtool")
    assert {n.name: int(n) for n in family.reply_types if n in (11, 12, 13, 18)} == {
        "ETHTOOL_MSG_FEATURES_GET_REPLY": 11, "ETHTOOL_MSG_FEATURES_SET_REPLY": 12,
        "ETHTOOL_MSG_FEATURES_NTF": 13, "ETHTOOL_MSG_CHANNELS_GET_REPLY": 18,
    }  # fmt: skip
    assert family.op.channels_get.type == 17


def test_brackets_of_nftables() -> None:
    """Fact: batch-begin and batch-end need to be brackets; types carry the subsystem << 8."""
    family = spec("nftables")
    assert (family.op.batch_begin.bracket, family.op.batch_end.bracket) == (1, -1)
    assert family.op.gettable.type == 0xA01
    assert family.groups == {"mgmt": 7}


def test_lengths_that_are_names() -> None:
    """Fact: wireguard's exact-len is wg-key-len, the constant key-len with its prefix."""
    field = spec("wireguard").message.Wgdevice.__table__.names["private_key"]
    assert (field.size, field.least) == (32, 32)


def test_enums_that_go_down() -> None:
    """Fact: verdicts of nftables descend from 0xffffffff."""
    verdicts: Any = spec("nftables").enum.VERDICT_CODE
    assert [int(v) for v in verdicts][:2] == [0xFFFFFFFF, 0xFFFFFFFE]


def test_bits_of_enums() -> None:
    """Fact: enums of devlink are numbers of bits in bitfield32 attributes."""
    cls: Any = spec("devlink").message.Devlink
    made = cls(reload_actions_performed=(4, 6), reload_limits=(2, 2))
    assert made.reload_actions_performed.value.name == "DEVLINK_RELOAD_ACTION_FW_ACTIVATE"
    assert made.reload_limits == (2, 2)  # whose names the spec lacks


def test_the_owned_file_of_nlctrl_agrees() -> None:
    """The same bytes mean the same to the loaded family and to ours."""
    loaded = spec("nlctrl")
    body = bytes(
        nlctrl.Ctrl(
            family_id=21,
            family_name="ethtool",
            ops=[{"id": 1, "flags": 14}],
            mcast_groups=[{"name": "monitor", "id": 5}],
            policy={0: {1: Policy(type=4, mask=7, max_value_u=3)}},
            op_policy={1: nlctrl.OpPolicy(do=0)},
        )
    )
    data = wire.message(16, struct.pack("=BBH", 1, 2, 0) + body)
    (theirs,) = netlink.parse(data, loaded.at(16))
    (ours,) = netlink.parse(data, nlctrl.FAMILY)
    assert isinstance(ours, nlctrl.Ctrl)
    shown: Any = theirs
    assert shown.family_name == ours.family_name
    assert shown.mcast_groups[0].id == ours.mcast_groups[0].id
    assert ours.policy is not None
    one, other = shown.policy[0][1], ours.policy[0][1]
    assert (one.mask, one.max_value_u, one.type) == (other.mask, other.max_value_u, other.type)
    assert shown.op_policy[1].do == 0
    assert struct_name("x-y") == "x_y"
