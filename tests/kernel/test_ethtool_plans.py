"""ethtool on the live kernel, next to ethtool(8), on veth devices."""

from __future__ import annotations

import errno
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from netlink import Connection, KernelError, KernelWarning, NetlinkError
from netlink.cli import main
from netlink.cli.text import Names, line
from netlink.generic import ethtool, nlctrl
from netlink.generic.ethtool import messages
from netlink.generic.ethtool.messages import DUPLEX, ETH_SS, ETHTOOL_FLAG, PORT
from tests import owned
from tests.kernel.scene import make


@pytest.fixture
def nl() -> Iterator[Connection]:
    make("""
        link add v0 type veth peer name v1
        link set v0 up
        link set v1 up
    """)
    with Connection(ethtool.FAMILY, timeout=10) as connection:
        yield connection


def oracle(*words: str) -> str:
    """Return what ethtool(8) prints."""
    if shutil.which("ethtool") is None:
        pytest.skip("ethtool is not installed")
    done = subprocess.run(["ethtool", *words], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout


def shown(text: str) -> dict[str, str]:
    """Return lines `word: value`; of equal words the last."""
    return dict(re.findall(r"^[ \t]*([\w -]+):[ \t]*(.*?)[ \t]*$", text, re.MULTILINE))


# --- features -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dev", ["v0", "lo"])
def test_features_are_those_of_ethtool(nl: Connection, dev: str) -> None:
    found = nl.do(ethtool.features(dev))
    (theirs,) = json.loads(oracle("--json", "-k", dev))
    compared = 0
    for name, row in theirs.items():
        if name in found:
            ours = found[name]
            assert (ours.active, ours.fixed) == (row["active"], row["fixed"]), name
            assert row["requested"] in (None, ours.wanted), name
            compared += 1
    assert compared > 40


def test_features_are_switched(nl: Connection) -> None:
    changed = nl.do(ethtool.set_features("v0", tx_checksum_ip_generic=False))
    assert changed["tx-checksum-ip-generic"] is False
    assert changed["tx-tcp-segmentation"] is False  # depends on it
    assert not nl.do(ethtool.features("v0"))["tx-checksum-ip-generic"].active
    assert "tx-checksum-ip-generic: off" in oracle("-k", "v0")
    assert nl.do(ethtool.set_features("v0", tx_checksum_ip_generic=False)) == {}
    assert nl.do(ethtool.set_features("v0", **{"tx-checksum-ip-generic": True, "rx_gro": True}))
    with pytest.raises(NetlinkError, match="did not switch loopback on; each is fixed"):
        nl.do(ethtool.set_features("v0", loopback=True))
    with pytest.raises(TypeError, match="no feature 'rx_grow'; did you mean 'rx_gro'"):
        nl.do(ethtool.set_features("v0", rx_grow=True))


def test_what_was_asked_for_and_not_achieved(nl: Connection) -> None:
    """Fact: features-set reply: WANTED = asked but not achieved, ACTIVE = changed (with mask),
    empty nests if nothing."""
    on = {"bits": {"bit": [{"name": "loopback", "value": True}]}}
    answer = nl.do(messages.features_set(header={"dev_name": "v0"}, wanted=on))
    assert answer is not None and answer.wanted is not None and answer.active is not None
    assert answer.nlmsg_name == "ETHTOOL_MSG_FEATURES_SET_REPLY"
    assert answer.wanted.states() == {"loopback": True}
    assert answer.active.states() == {}


def test_a_reply_is_omitted(nl: Connection) -> None:
    quiet = {"dev_name": "v0", "flags": ETHTOOL_FLAG.ETHTOOL_FLAG_OMIT_REPLY}
    on = {"bits": {"bit": [{"name": "rx-gro", "value": True}]}}
    assert nl.do(messages.features_set(header=quiet, wanted=on)) is None


def test_compact_and_verbose_sets_say_the_same(nl: Connection) -> None:
    """Fact: compact: SIZE, VALUE, MASK (u32 words). Names for compact come from the string set.
    Fact: features "hw" has a mask: bits absent = not in mask, VALUE absent = off."""
    names = nl.do(ethtool.string_sets("v0"))
    flags = ETHTOOL_FLAG.ETHTOOL_FLAG_COMPACT_BITSETS
    for op in (messages.features_get, messages.linkmodes_get, messages.tsinfo_get):
        verbose = nl.do(op(header={"dev_name": "v0"}))
        compact = nl.do(op(header={"dev_name": "v0", "flags": flags}))
        owned.keep("ethtool", f"verbose {op.name}", [verbose])
        owned.keep("ethtool", f"compact {op.name}", [compact])
        compared = 0
        for name, ours in verbose:
            if isinstance(ours, messages.Bitset):
                theirs = getattr(compact, name)
                assert theirs.bits is None and theirs.value is not None
                assert theirs.states(names) == ours.states()
                assert theirs.on(names) == ours.on()
                assert [*theirs.states()] == [f"#{place}" for place in positions(theirs)]
                compared += 1
        assert compared
    found = nl.do(messages.features_get(header={"dev_name": "v0"}))
    assert found.hw is not None
    assert {*found.hw.states().values()} == {True, False}


def positions(bits: messages.Bitset) -> list[int]:
    """Return the positions that a compact set states, byte by byte."""
    data = bits.value if bits.mask is None else bits.mask
    assert data is not None
    return [8 * at + bit for at, byte in enumerate(data) for bit in range(8) if byte >> bit & 1]


def test_unknown_bits_are_refused(nl: Connection) -> None:
    """Fact: unknown bit name EOPNOTSUPP "bit name not found"."""
    wrong = {"bits": {"bit": [{"name": "none", "value": True}]}}
    with pytest.raises(KernelError, match="bit name not found") as caught:
        nl.do(messages.features_set(header={"dev_name": "v0"}, wanted=wrong))
    assert caught.value.errno == errno.EOPNOTSUPP
    assert caught.value.path is not None and caught.value.path.startswith("wanted.bits.bit")


# --- notifications --------------------------------------------------------------------------------


def test_notifications(nl: Connection) -> None:
    """Fact: notifications are always compact (K netlink.c:759) and have no names; seq is ethtool's
    own counter (138), pid 0, flags 0."""
    names = nl.do(ethtool.string_sets())
    with Connection(ethtool.FAMILY, timeout=10) as listener:
        listener.join("monitor")
        nl.do(ethtool.set_features("v0", rx_gro=True))
        nl.do(ethtool.set_features("v0", rx_gro=False))
        found: list[Any] = list(listener.events(timeout=0.5))
    assert {event.nlmsg_name for event in found} == {"ETHTOOL_MSG_FEATURES_NTF"}
    last = found[-1]
    assert last.header.dev_name == "v0"
    assert last.active.bits is None
    assert "rx-gro" not in last.active.on(names)
    assert "tx-scatter-gather" in last.active.on(names)
    assert len({event.nlmsg_seq for event in found}) == len(found)
    assert {event.nlmsg_pid for event in found} == {0}
    owned.keep("ethtool", "events", found)


def test_channels_notify(nl: Connection) -> None:
    nl.join("monitor")
    subprocess.run(["ip", "link", "set", "v0", "down"], check=True)
    with Connection(ethtool.FAMILY, timeout=10) as other:
        other.do(ethtool.set_channels("v0", rx=1, tx=1))
        before = other.do(ethtool.channels("v0"))
        if before.rx_max == 1:
            pytest.skip("veth has one queue on this machine")
        other.do(ethtool.set_channels("v0", rx=2))
        assert other.do(ethtool.channels("v0")).rx_count == 2
    (event,) = nl.events(timeout=0.5)
    assert isinstance(event, messages.Channels)
    assert event.nlmsg_name == "ETHTOOL_MSG_CHANNELS_NTF"
    assert event.rx_count == 2
    owned.keep("ethtool", "channels", [event])


# --- the rest -------------------------------------------------------------------------------------


def test_links(nl: Connection) -> None:
    theirs = shown(oracle("v0"))
    modes, info = nl.do(ethtool.link_modes("v0")), nl.do(ethtool.link_info("v0"))
    assert theirs["Speed"] == f"{modes.speed}Mb/s"
    assert modes.duplex == DUPLEX.DUPLEX_FULL and theirs["Duplex"] == "Full"
    assert theirs["Auto-negotiation"] == ("on" if modes.autoneg else "off")
    assert info.port == PORT.PORT_TP and theirs["Port"] == "Twisted Pair"
    assert theirs["PHYAD"] == str(info.phyaddr)
    assert theirs["Link detected"] == "yes"
    assert nl.do(ethtool.link_state("v0")).link == 1
    make("link set v1 down")
    assert nl.do(ethtool.link_state("v0")).link == 0
    make("link property add dev v0 altname a-name-longer-than-ifnamsiz")
    assert nl.do(ethtool.link_state("a-name-longer-than-ifnamsiz")).header == (
        nl.do(ethtool.link_state("v0")).header
    )


def test_channels(nl: Connection) -> None:
    found = nl.do(ethtool.channels("v0"))
    now = shown(oracle("-l", "v0").partition("Current")[2])
    most = shown(oracle("-l", "v0").partition("Current")[0])
    assert (now["RX"], now["TX"]) == (str(found.rx_count), str(found.tx_count))
    assert (most["RX"], most["TX"]) == (str(found.rx_max), str(found.tx_max))
    with pytest.raises(KernelError, match="exceeds maximum") as caught:
        nl.do(ethtool.set_channels("v0", rx=99))
    assert caught.value.path == "rx_count"


def test_time_stamps(nl: Connection) -> None:
    found = nl.do(ethtool.timestamping("v0"))
    text = oracle("-T", "v0").partition("PTP")[0]
    assert found.timestamping is not None
    assert re.findall(r"^\t([\w-]+)", text, re.MULTILINE) == [*found.timestamping.on()]
    # Fact: PHC: index s32 -1 none; phc-vclocks array s32.
    clocks = nl.do(ethtool.phc_vclocks("v0"))
    assert (clocks.num, clocks.index) == (None, ())


def test_strings(nl: Connection) -> None:
    """Fact: strset-get: no sets = all of a device (or global with empty header); COUNTS_ONLY."""
    names = nl.do(ethtool.string_sets())
    assert names[ETH_SS.ETH_SS_FEATURES][0] == "tx-scatter-gather"
    assert names[ETH_SS.ETH_SS_WOL_MODES][0] == "phy"
    more = nl.do(ethtool.string_sets("v0"))
    assert {*names} < {*more}
    assert len(more[ETH_SS.ETH_SS_STATS]) > 5
    # Without sets, Linux 6.18 ignores counts_only.
    some = {"stringset": [{"id": ETH_SS.ETH_SS_FEATURES}, {"id": "wol_modes"}]}
    counted = nl.do(messages.strset_get(header={}, stringsets=some, counts_only=True))
    assert counted.stringsets is not None
    for one in counted.stringsets.stringset:
        assert one.strings is None
        assert one.id is not None and one.count == len(names[one.id])
    owned.keep("ethtool", "counts of strings", [counted])


def test_statistics(nl: Connection) -> None:
    """Fact: unset counters are left out. Fact: stats-get needs GROUPS bitset."""
    found = nl.do(ethtool.statistics("v0"))
    assert {"eth-phy", "eth-mac", "eth-ctrl", "rmon"} <= {*found}
    assert {*nl.do(ethtool.statistics("v0", "rmon"))} == {"rmon"}
    with pytest.raises(TypeError, match="no group 'eth-max'; did you mean 'eth-mac'"):
        nl.do(ethtool.statistics("v0", "eth-max"))
    with pytest.raises(KernelError) as caught:
        nl.do(messages.stats_get(header={"dev_name": "v0"}))
    assert caught.value.errno == errno.EINVAL
    answer = nl.dump(messages.stats_get(groups=RMON)).all()
    owned.keep("ethtool", "statistics", answer)


RMON = {"nomask": True, "bits": {"bit": [{"name": "rmon"}]}}
READERS = [
    name
    for name in ethtool.__all__
    if name.islower() and not name.startswith(("set_", "create_", "delete_", "flash_"))
]


@pytest.mark.parametrize("name", READERS)
def test_every_reader(nl: Connection, name: str) -> None:
    """It answers, or the driver cannot do it; the error names the plan."""
    plan = getattr(ethtool, name)
    try:
        found = nl.do(plan("v0"))
    except KernelError as error:
        assert error.errno == errno.EOPNOTSUPP, error
        assert str(error).startswith(f"ethtool.{name}: ")
    else:
        if hasattr(found, "unknown"):
            assert not [path for path, _, _ in found.attributes() if "#" in path]
            owned.keep("ethtool", name, [found])
    # An older kernel lacks the command.
    expected = (errno.ENODEV, errno.EOPNOTSUPP) if name == "timestamp_config" else (errno.ENODEV,)
    for dev in ("none", 1 << 30):
        with pytest.raises(KernelError) as caught:
            nl.do(plan(dev))
        assert caught.value.errno in expected


CHANGES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("set_link_info", (), {"port": "mii"}),
    ("set_link_modes", (), {"speed": 100, "duplex": "half", "autoneg": False}),
    ("set_link_modes", (), {"ours": {"100baseT/Full": True}}),
    ("set_private_flags", ({"x": True},), {}),
    ("set_debug", (["drv"],), {}),
    ("set_wake_on_lan", ([],), {}),
    ("set_rings", (), {"rx": 64, "tcp_data_split": "enabled", "tx_push": True}),
    ("set_coalesce", (), {"rx_usecs": 5, "use_adaptive_rx": False}),
    ("set_pause", (), {"rx": True, "autoneg": False}),
    ("set_eee", (), {"enabled": True, "modes_ours": ["100baseT/Full"]}),
    ("set_rss", (), {"indir": [0, 0]}),
    ("create_rss", (), {"hkey": bytes(40)}),
    ("delete_rss", (5,), {}),
    ("set_timestamp_config", (), {"tx_types": ["on"], "rx_filters": ["all"]}),
    ("set_fec", (), {"modes": ["RS"], "auto": False}),
    ("set_module", (), {"power_mode_policy": "auto"}),
    ("set_power", (), {"c33": True}),
    ("set_plca", (), {"enabled": True, "node_cnt": 3}),
    ("set_preemption", (), {"tx_enabled": True}),
    ("flash_module", ("none.bin",), {}),
    ("cable_test", (), {}),
    ("cable_test_tdr", (), {"first": 100, "last": 200, "step": 50, "pair": 1}),
    ("module_eeprom", (), {"offset": 120, "length": 16}),
]


@pytest.mark.parametrize("name, args, fields", CHANGES, ids=[name for name, _, _ in CHANGES])
def test_changes_are_understood(
    nl: Connection, name: str, args: tuple[Any, ...], fields: dict[str, Any]
) -> None:
    """veth can do none of these. The kernel must refuse the operation, not the attributes."""
    with pytest.raises(KernelError) as caught:
        nl.do(getattr(ethtool, name)("v0", *args, **fields))
    if caught.value.errno == errno.EINVAL and "set_rss" in name:
        pytest.skip("the kernel is older than 6.17")
    assert caught.value.errno == errno.EOPNOTSUPP, caught.value
    assert str(caught.value).startswith(f"ethtool.{name}: ")


def test_dumps(nl: Connection) -> None:
    """Fact: the device in the header of a dump is ignored for most ops (features: 3 of 3 devices
    answered). Fact: dump leaves devices out on EOPNOTSUPP."""
    asked = messages.features_get(header={"dev_name": "v0"})
    assert len(nl.dump(asked).all()) == 3
    assert nl.dump(messages.rings_get()).all() == []
    # Fact: DONE may carry extended ACK as a warning and status 0 (ethtool linkinfo dump: "failed to
    # retrieve link settings", devices left out).
    with pytest.warns(KernelWarning, match="failed to retrieve link settings"):
        found = nl.dump(messages.linkmodes_get()).all()
    names = {one.header.dev_name for one in found if one.header}
    assert names == {"v0", "v1"}


def test_both_names_of_a_device_must_match(nl: Connection) -> None:
    """Fact: dev-index, dev-name: both given must match."""
    with pytest.raises(KernelError):
        nl.do(messages.linkstate_get(header={"dev_index": 1, "dev_name": "v0"}))


def test_the_numbers_of_requests_and_answers_differ() -> None:
    """Fact: features GET_REPLY 11, SET_REPLY 12, NTF 13; stats set: header is attribute 2."""
    sent, received = messages.ETHTOOL_MSG_USER, messages.ETHTOOL_MSG_KERNEL
    assert int(received.ETHTOOL_MSG_FEATURES_GET_REPLY) == 11
    assert int(received.ETHTOOL_MSG_FEATURES_SET_REPLY) == 12
    assert int(received.ETHTOOL_MSG_FEATURES_NTF) == 13
    assert int(sent.ETHTOOL_MSG_PRIVFLAGS_GET) == 13
    assert messages.StatsQuery.__table__.names["header"].number == 2


def test_requests_have_what_the_policy_accepts(nl: Connection) -> None:
    """Fact: ethtool requests list reply-only attributes which the policy rejects: owned requests
    have the attributes of the policy."""
    with Connection(nlctrl.FAMILY, timeout=10) as other:
        policies = other.do(nlctrl.policy("ethtool"))
    is_old = int(messages.rss_create_act.type) not in policies.ops  # before 6.17
    for op in ethtool.FAMILY.ops.values():
        numbers = policies.ops.get(int(op.type))
        if numbers is None:
            continue
        accepted = policies.policies.get(numbers.do if numbers.do is not None else -1, {})
        ours = {field.number for field in op.request.__table__.fields}
        declared = {number for number in accepted if accepted[number].type}
        assert ours <= declared or is_old, op.name
        assert declared <= ours, op.name


def test_the_command_line(nl: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", "ethtool.linkstate", "--dev", "v0"]) == 0
    out = capsys.readouterr().out
    assert "v0" in out and "v1" not in out
    assert main(["dump", "ethtool.features", "--dev", "v1"]) == 0
    out = capsys.readouterr().out
    assert "tx-scatter-gather" in out and "v0" not in out
    assert main(["dump", "ethtool.stats", "--json"]) == 0
    assert "ETHTOOL_STATS_RMON" in capsys.readouterr().out


def test_the_monitor_names_bits(nl: Connection) -> None:
    with Connection(ethtool.FAMILY, timeout=10) as listener:
        listener.join("monitor")
        nl.do(ethtool.set_features("v0", rx_gro=True))
        event = next(iter(listener.events(timeout=10)))
    shown = line(event, Names(lambda: pytest.fail("no link is named")))
    assert shown.startswith("ETHTOOL_MSG_FEATURES_NTF")
    assert "tx-scatter-gather" in shown and "#" not in shown
