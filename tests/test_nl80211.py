"""nl80211 with captured bytes: devices, interfaces, stations, scans, rules; and wrong calls.

tests/vectors/6.12/nl80211.json has payloads from a kernel with simulated radios
(mac80211_hwsim), an access point and a station. Each fact that the declarations rely on is quoted.
The tests with a kernel are in tests/kernel/test_nl80211_live.py.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from netlink import DecodeError, EncodeError, KernelError, Message, NetlinkError, parse, ynl
from netlink.errors import DumpInterrupted
from netlink.family import IfIndex, Listen, Plan, Wait
from netlink.generic import nl80211
from netlink.generic.nl80211.messages import (
    Band,
    Frequency,
    RateInfo,
    StaInfo,
    Suite,
    WakeReasons,
    Wakeup,
    Wiphy,
    Wireless,
    Wowlan,
)
from netlink.generic.nl80211.numbers import NL80211_CMD, NL80211_EXT_FEATURE, NL80211_IFTYPE
from netlink.schema import merge
from tests.peers import attribute_differences, records
from tests.steps import Kernel
from tools import outside

from . import wire

CAPTURED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "vectors/6.12/nl80211.json").read_text()
)
FAMILY = nl80211.FAMILY.at(31)


def read(payload: str) -> Any:
    """Return the message of a captured payload, which begins with struct genlmsghdr."""
    [message] = parse(wire.message(31, bytes.fromhex(payload)), FAMILY)
    return message


def parts() -> list[Wiphy]:
    """Return the parts of a device."""
    return [read(payload) for payload in CAPTURED["wiphy"]]


@pytest.fixture(scope="module")
def device() -> Wiphy:
    return merge(*parts())


# --- devices --------------------------------------------------------------------------------------


def test_parts_are_merged(device: Wiphy) -> None:
    """Fact: group by WIPHY; merge nests: BANDS by band index, inside FREQS by index; last wins."""
    assert len(parts()) == 190
    assert {part.nlmsg_name for part in parts()} == {"NL80211_CMD_NEW_WIPHY"}
    assert device.wiphy_name == "phy1"
    assert device.wiphy_bands is not None
    assert device.wiphy_bands.n2ghz is not None
    assert device.wiphy_bands.n5ghz is not None
    assert [channel.freq for channel in device.wiphy_bands.n2ghz.freqs] == [
        *range(2412, 2473, 5),
        2484,
    ]
    assert len(device.wiphy_bands.n5ghz.freqs) == 40
    assert [rate.rate for rate in device.wiphy_bands.n5ghz.rates][:3] == [60, 90, 120]
    assert device.unknown == ()
    assert not [path for path, _, _ in device.attributes() if "#" in path]


def test_each_part_of_a_band_has_its_own_index() -> None:
    """Fact: first message of a band has HT caps, rates (2) and iftype data, following have one
    frequency each with its own index 0,1,2,..."""
    bands = [part.wiphy_bands.n5ghz for part in parts() if part.wiphy_bands is not None]
    found = [band for band in bands if band is not None]
    assert found[0].rates and found[0].iftype_data and not found[0].freqs
    assert [len(band.freqs) for band in found] == [0, *[1] * 40, 0]
    numbers = [
        struct.unpack_from("=H", payload, 2)[0]
        for band in found[1:-1]
        for path, _, payload in band.attributes()
        if path == "freqs"
    ]
    assert numbers == [*range(40)]


def test_a_part_may_hold_nothing_more() -> None:
    """Fact: 8 of 380 hold nothing more (than WIPHY 1, NAME 2, GENERATION 46)."""
    empty = [part for part in parts() if {name for name, _ in part} == {*NAMES}]
    assert len(empty) == 4  # of the 190 of this device


NAMES = ("wiphy", "wiphy_name", "generation")


def test_indexes_begin_where_the_kernel_begins(device: Wiphy) -> None:
    """Fact: supported commands 1.., iface combinations and limits 1.., iftype data 1.."""

    def first(message: Message, path: str) -> int:
        payload = next(data for name, _, data in message.attributes() if name == path)
        number: int = struct.unpack_from("=H", payload, 2)[0] & 0x3FFF
        return number

    assert first(device, "supported_commands") == 1
    assert first(device, "interface_combinations") == 1
    assert first(device.interface_combinations[0], "limits") == 1
    assert first(device, "wiphy_bands.n2ghz.iftype_data") == 1
    assert first(device, "wiphy_bands.n2ghz.rates") == 0
    assert first(device, "wiphy_bands.n2ghz.freqs") == 0
    again = Wiphy(**device.to_dict())
    assert first(again, "supported_commands") == 1
    assert first(again, "wiphy_bands.n2ghz.iftype_data") == 1
    assert again.same_as(Wiphy(**again.to_dict()))


def test_kinds_of_interfaces_are_flags_by_number(device: Wiphy) -> None:
    """Fact: iftypes: flags by iftype number; frame types: by iftype, in it repeated FRAME_TYPE."""
    kinds = device.supported_iftypes
    assert kinds is not None
    assert kinds.station and kinds.ap and kinds.p2p_device and not kinds.wds
    assert device.tx_frame_types is not None and device.tx_frame_types.station is not None
    assert 0xB0 in device.tx_frame_types.station.frame_type  # authentication
    assert NL80211_CMD.NL80211_CMD_NEW_INTERFACE in device.supported_commands


def test_bits_of_features(device: Wiphy) -> None:
    """Fact: EXT_FEATURES: byte string bit set, index bit."""
    features = nl80211.ext_features(device)
    assert NL80211_EXT_FEATURE.NL80211_EXT_FEATURE_CONTROL_PORT_OVER_NL80211 in features
    assert NL80211_EXT_FEATURE.NL80211_EXT_FEATURE_SECURE_NAN not in features
    newer = Wiphy(ext_features=bytes(31) + b"\x80")
    assert nl80211.ext_features(newer) == {255}
    assert nl80211.ext_features(Wiphy()) == frozenset()


def test_ciphers(device: Wiphy) -> None:
    """Fact: suite selector 0x000FAC01 little-endian u32; shown 00-0f-ac:1."""
    assert device.cipher_suites is not None
    assert device.cipher_suites[0] == 0x000FAC01
    assert str(device.cipher_suites[0]) == "00-0f-ac:1"
    assert device.to_json()["cipher_suites"][3] == "00-0f-ac:4"
    asked = Wireless(cipher_suite_group="00-0f-ac:4", akm_suites=["00-0f-ac:8"])
    assert bytes(asked).hex() == "08004a0004ac0f0008004c0008ac0f00"
    for wrong in ("ccmp", "00-0f-ac", "00-0f-ac:256", "00:0f:ac:4"):
        with pytest.raises(EncodeError, match="selector of a cipher"):
            Wireless(cipher_suite_group=wrong)
    assert Suite(0x0050F202) == Suite.from_text("00-50-f2:2")


def test_what_differs_between_requests_and_answers(device: Wiphy) -> None:
    """Fact: control-port-ethertype `flag` (kernel u16; flag only in wiphy reply)."""
    assert device.control_port_ethertype is True
    assert bytes(Wireless(control_port_ethertype=0x888E)).hex() == "060066008e880000"


# --- interfaces, stations, rules ------------------------------------------------------------------


def test_interfaces() -> None:
    """Fact: P2P-device has WDEV but no IFINDEX/IFNAME; WDEV = wiphy<<32 | id."""
    ap, station, p2p = map(read, CAPTURED["interface"])
    assert ap.iftype == NL80211_IFTYPE.NL80211_IFTYPE_AP
    assert ap.ssid == b"hello" and ap.wiphy_freq == 2412
    assert station.wdev == 1 << 32 | 1
    assert p2p.iftype == NL80211_IFTYPE.NL80211_IFTYPE_P2P_DEVICE
    assert p2p.ifindex is None and p2p.ifname is None and p2p.wdev == 1 << 32 | 2


def test_station() -> None:
    """Fact: signal dBm are u8 holding s8 (e2 = -30); STA_FLAGS 17: struct {mask u32, set u32};
    RX/TX_BYTES u32 and *64; TID_STATS 17 items with TXQ nest."""
    station = read(CAPTURED["station"][0])
    info: StaInfo = station.sta_info
    assert station.mac == "02:00:00:00:01:00"
    assert info.signal == -30 and info.signal_avg == -30
    assert info.rx_bytes == info.rx_bytes64
    assert info.sta_flags is not None
    assert "NL80211_STA_FLAG_AUTHORIZED" in str(info.sta_flags.set)
    assert info.tid_stats is not None and [*info.tid_stats] == [*range(1, 18)]
    assert info.tid_stats[1].txq_stats is not None


def test_rates() -> None:
    """Fact: BITRATE32 (5) u32 first, BITRATE (1) u16 (absent if over 65,535), 100 kbit/s."""
    station = read(CAPTURED["station"][0])
    rate = station.sta_info.tx_bitrate
    assert nl80211.bit_rate(rate) == 1_000_000
    assert nl80211.bit_rate(RateInfo(bitrate32=70_000)) == 7_000_000_000
    assert nl80211.bit_rate(RateInfo(bitrate=540)) == 54_000_000
    assert nl80211.bit_rate(RateInfo()) is None


def test_rules() -> None:
    """Fact: alpha2 (3 bytes with NUL: "00"), rules: FLAGS, START/END kHz, MAX_BW kHz, EIRP mBm."""
    rules = read(CAPTURED["reg"][0])
    assert rules.reg_alpha2 == "00"
    first = rules.reg_rules[0]
    assert (first.freq_range_start, first.freq_range_end) == (2402000, 2472000)
    assert first.power_rule_max_eirp == 2000
    assert "NL80211_RRF_NO_IR" in str(rules.reg_rules[1].reg_rule_flags)


def test_what_was_written_in_u64_has_no_pad_here() -> None:
    """Fact: u64 aligned by pad attribute (ATTR_PAD 229; STA_INFO_PAD, TID_STATS_PAD, BSS_PAD,
    SURVEY_PAD); pads absent on x86."""
    padded = wire.attribute(229, b"") + wire.attribute(153, struct.pack("=Q", 7))
    assert Wireless.from_bytes(padded).wdev == 7
    assert Wireless.from_bytes(padded).unknown == ((229, b""),)


# --- scans ----------------------------------------------------------------------------------------


def test_networks() -> None:
    """Fact: BSS nest: BSSID 1, FREQUENCY 2, TSF 3, BEACON_INTERVAL 4, CAPABILITY 5, IES 6,
    SIGNAL_MBM 7, STATUS 9, SEEN_MS 10, BEACON_IES 11; SIGNAL_MBM s32 in 1/100 dBm (-3000);
    IES of probe response and BEACON_IES separately."""
    bss = read(CAPTURED["scan"][0]).bss
    assert (bss.bssid, bss.frequency, bss.signal_mbm) == ("02:00:00:00:00:00", 2412, -3000)
    assert str(bss.status) == "NL80211_BSS_STATUS_ASSOCIATED"
    assert bss.presp_data and bss.information_elements != bss.beacon_ies
    found = nl80211.elements(bss.information_elements)
    assert found[0] == nl80211.Element(0, None, b"hello")
    assert [part.id for part in found][:5] == [0, 1, 3, 42, 50]


def test_elements() -> None:
    """Fact: information elements: id u8, len u8, body; id 255 has an extension id byte; truncated
    tail possible; split gives (id, ext, bytes), keeps a cut tail raw; never raises."""
    split = nl80211.elements
    assert split(b"") == ()
    assert split(b"\0\0") == ((0, None, b""),)
    assert split(b"\xff\x03\x23ab") == ((255, 0x23, b"ab"),)
    assert split(b"\xff\0") == ((255, None, b""),)
    assert split(b"\xdd\x05\0\x50\xf2\1x\0\1a") == ((221, None, b"\0\x50\xf2\1x"), (0, None, b"a"))
    assert split(b"\0\x05hel") == ((0, None, b"hel"),)
    assert split(b"\0\x01a\x07") == ((0, None, b"a"), (7, None, b""))
    with pytest.raises(TypeError, match="expects bytes"):
        split("text")


def network() -> Wireless:
    found: Wireless = read(CAPTURED["scan"][0])
    return found


def event(command: NL80211_CMD, **fields: Any) -> Any:
    body = bytes(Wireless(**fields))
    [message] = parse(wire.message(31, bytes((command, 1, 0, 0)) + body), FAMILY)
    return message


def test_scan() -> None:
    """Fact: join group `scan` first, TRIGGER_SCAN (33) acked, then NEW_SCAN_RESULTS (34) or
    SCAN_ABORTED (35) events, then GET_SCAN (32) dump."""
    done = event(NL80211_CMD.NL80211_CMD_NEW_SCAN_RESULTS, ifindex=3)
    kernel = Kernel(3, None, None, done, [network(), event(NL80211_CMD.NL80211_CMD_GET_SCAN)])
    [found] = kernel.do(nl80211.scan("wlan1", ssids=["hello"], frequencies=(2412,)))
    assert (found.bssid, found.ssid, found.signal) == ("02:00:00:00:00:00", b"hello", -30.0)
    asked, joined, trigger, waited, dump = kernel.steps
    assert asked == IfIndex("wlan1")
    assert joined == Listen(("scan",))
    assert trigger.op is nl80211.trigger_scan
    assert trigger.message.scan_ssids == (b"hello",)
    assert trigger.message.scan_frequencies == (2412,)
    assert isinstance(waited, Wait) and waited.predicate is not None
    assert waited.predicate(done)
    assert not waited.predicate(event(NL80211_CMD.NL80211_CMD_NEW_SCAN_RESULTS, ifindex=4))
    assert not waited.predicate(event(NL80211_CMD.NL80211_CMD_TRIGGER_SCAN, ifindex=3))
    assert dump.is_dump and dump.message.ifindex == 3


def test_a_scan_that_runs_already_is_awaited() -> None:
    """Fact: EBUSY = wait for the running scan."""
    done = event(NL80211_CMD.NL80211_CMD_NEW_SCAN_RESULTS, ifindex=3)
    kernel = Kernel(None, KernelError(16, "busy"), done, [network()])
    assert len(kernel.do(nl80211.scan(3))) == 1
    with pytest.raises(KernelError, match="down"):
        Kernel(None, KernelError(100, "down")).do(nl80211.scan(3))


def test_a_scan_that_ends_badly() -> None:
    end = event(NL80211_CMD.NL80211_CMD_SCAN_ABORTED, ifindex=3)
    with pytest.raises(NetlinkError, match="aborted"):
        Kernel(None, None, end).do(nl80211.scan(3))
    with pytest.raises(TimeoutError, match=r"nl80211\.scan: .* within 5 s"):
        Kernel(None, None, TimeoutError()).do(nl80211.scan(3, timeout=5))


def test_how_a_scan_asks() -> None:
    """Fact: SCAN_SSIDS: nest of SSIDs by index (one empty SSID = active wildcard; none = passive);
    frequencies nest u32 MHz."""

    def trigger(plan: Plan[Any]) -> Any:
        steps = plan.steps()
        next(steps)
        return steps.send(None).message

    assert trigger(nl80211.scan(3)).scan_ssids == (b"",)
    passive = trigger(nl80211.scan(3, ssids=()))
    assert "scan_ssids" not in dict(passive)
    asked = trigger(nl80211.scan(3, ssids=["a", b"\xff"], frequencies=[5180], flags="flush"))
    assert bytes(asked.replace(ifindex=None)).hex() == (
        "14002d80" "0500000061000000" "05000100ff000000" "0c002c80" "080000003c140000"
        "08009e0002000000"
    )  # fmt: skip


# --- the plans about devices ----------------------------------------------------------------------


def test_phys_merges_and_repeats() -> None:
    """Fact: Generation differs between parts or DUMP_INTR: dump again."""
    other = [part.replace(generation=9) for part in parts()[:1]]
    kernel = Kernel([*other, *parts()[1:]], [*parts(), Wiphy(wiphy=7, generation=1)])
    devices = kernel.do(nl80211.phys())
    assert [device.wiphy for device in devices] == [1, 7]
    assert kernel.steps[0].message.split_wiphy_dump
    with pytest.raises(DumpInterrupted):
        Kernel(*[[*other, *parts()[1:]]] * 3).do(nl80211.phys())


def test_add_interface() -> None:
    made = event(NL80211_CMD.NL80211_CMD_NEW_INTERFACE, ifindex=9)
    kernel = Kernel(parts()[:2], made)
    plan = nl80211.add_interface(
        "phy1", "mon0", "monitor", address="02:00:00:00:00:09", monitor=["control", "other_bss"]
    )
    assert kernel.do(plan) is made
    asked = kernel.steps[1].message
    assert (asked.wiphy, asked.ifname, asked.mac) == (1, "mon0", "02:00:00:00:00:09")
    assert asked.iftype == NL80211_IFTYPE.NL80211_IFTYPE_MONITOR
    assert asked.mntr_flags.control and asked.mntr_flags.other_bss and not asked.mntr_flags.active
    plain = Kernel(made)
    plain.do(nl80211.add_interface(0, "sta0", "station", use_4addr=True))
    assert plain.steps[0].message.n4addr == 1
    with pytest.raises(KernelError, match="there is no device 'phy9'; there are: phy1"):
        Kernel(parts()[:2]).do(nl80211.add_interface("phy9", "sta0", "station"))


def test_remove_and_list() -> None:
    kernel = Kernel(4, None)
    kernel.do(nl80211.remove_interface("wlan0"))
    assert kernel.steps[1].op is nl80211.del_interface
    for make, op in (
        (nl80211.stations, nl80211.get_station),
        (nl80211.survey, nl80211.get_survey),
        (nl80211.scan_results, nl80211.get_scan),
    ):
        kernel = Kernel([])
        assert kernel.do(make(4)) == []
        assert kernel.steps[0].op is op and kernel.steps[0].message.ifindex == 4


# --- wake up, and attributes that a driver decides ------------------------------------------------


def test_three_layouts_of_triggers() -> None:
    woken = event(NL80211_CMD.NL80211_CMD_SET_WOWLAN)
    assert type(woken) is Wakeup
    reasons = Wakeup(wowlan_triggers={"pkt_pattern": 1, "wakeup_pkt_8023": b"abc"})
    assert Wakeup.from_bytes(bytes(reasons)).wowlan_triggers == WakeReasons(
        pkt_pattern=1, wakeup_pkt_8023=b"abc"
    )
    pattern = {"mask": b"\x03", "pattern": b"ab", "offset": 12}
    asked = Wireless(wowlan_triggers={"magic_pkt": True, "pkt_pattern": [pattern]})
    assert isinstance(asked.wowlan_triggers, Wowlan)
    assert asked.wowlan_triggers.pkt_pattern[0].offset == 12


# --- merge() --------------------------------------------------------------------------------------


def test_merge() -> None:
    one = Band(freqs=[{"freq": 1}], ht_capa=1)
    two = Band.from_bytes(
        wire.attribute(1, wire.attribute(1, bytes(Frequency(freq=2)))) + wire.attribute(77, b"new")
    )
    both = merge(one, two, Band(ht_capa=3))
    assert [channel.freq for channel in both.freqs] == [1, 2]
    assert both.ht_capa == 3
    assert both.unknown == ((77, b"new"),)
    assert merge(one) == one


def test_merge_refuses() -> None:
    with pytest.raises(ValueError, match="at least one"):
        merge()
    with pytest.raises(TypeError, match="of one class"):
        merge(Band(), Frequency())
    broken = Band.from_bytes(wire.attribute(1, b"\x09\0\0\0x"))
    with pytest.raises(DecodeError):
        merge(broken, Band(freqs=[{"freq": 1}]))
    deep = b""
    for _ in range(100):
        deep = wire.attribute(185, deep)
    whole = Wireless.from_bytes(deep)
    assert merge(whole, whole) == whole


# --- the family -----------------------------------------------------------------------------------


def test_every_command_has_a_class() -> None:
    for command in NL80211_CMD:
        assert issubclass(nl80211.FAMILY.classes[command], Wireless)
    assert len(nl80211.FAMILY.ops) == 122


def test_an_attribute_of_a_newer_kernel_is_kept() -> None:
    """Fact: Liberal ops: unknown attribute ignored (nl80211: attr 400 ignored in do and dump)."""
    newer = Wireless.from_bytes(wire.attribute(400, b"new"))
    assert newer.unknown == ((400, b"new"),)
    assert bytes(newer.replace(wiphy=1)).startswith(bytes(newer)[:7])


SPECS = outside.specs()


def disagreed(ours: Any, theirs: Any, path: str = "") -> Iterable[str]:
    """Yield where a loaded spec reads something else than we do, as far as it describes it."""
    for name, value in theirs.items():
        mine = ours.get(name)
        if isinstance(value, dict) and isinstance(mine, dict):
            yield from disagreed(mine, value, f"{path}{name}.")
        elif isinstance(value, bytes):
            continue  # which is what this spec calls everything that it does not describe
        elif isinstance(value, tuple) and isinstance(mine, tuple) and len(value) == len(mine):
            pairs = enumerate(zip(mine, value, strict=True))
            for _, (one, other) in pairs:
                both = {"": one}, {"": other}
                yield from disagreed(*both, f"{path}{name}")
        elif mine != value:
            yield f"{path}{name}"


@pytest.mark.skipif(SPECS is None, reason="NETLINK_SPECS names no folder of specs")
@pytest.mark.filterwarnings("ignore::netlink.ynl.SpecWarning")
def test_the_loader_agrees() -> None:
    """Fact: nl80211: 32 attributes `binary` that the policy calls nested."""
    assert SPECS is not None
    loaded = ynl.load(SPECS / "nl80211.yaml")
    cls = loaded.message.Nl80211Attrs
    found: set[str] = set()
    for payload in (*CAPTURED["wiphy"], *CAPTURED["interface"], *CAPTURED["station"]):
        ours = read(payload)
        theirs = cls.from_bytes(bytes(ours))
        found |= {re.sub(r".*\.", "", path) for path in disagreed(ours.to_dict(), theirs.to_dict())}
    # The spec has one type of frame where there are several.
    assert found <= {"frame_type"}


# --- other libraries' records ---------------------------------------------------------------------


@pytest.mark.parametrize("record", records("genl/nl80211"))
def test_record(record: Any) -> None:
    data = bytes.fromhex(record["hex"])
    expect = record["expect"]
    if record["form"] == "message":
        number = struct.unpack_from("=H", data, 4)[0]
        [message] = parse(data, nl80211.FAMILY.at(number))
        assert isinstance(message, Wireless)
        command = expect.get("header", {}).get("cmd")
        assert command is None or message.genl_cmd == command
    else:
        is_wakeup = "unmodeled" in record["id"]
        message = (Wakeup if is_wakeup else Wireless).from_bytes(data)
    assert message.unknown == ()
    if "expect_attrs" in record:
        partial = "$partial" in expect
        wanted = [*plain(record["expect_attrs"], message)]
        assert not {*attribute_differences(wanted, message, "", partial=partial)}
    said = expect.get("peer_event", {})
    if isinstance(said, dict) and "reason" in said:
        assert message.reason_code == said["reason"]["value"]
    assert type(message)(**message.to_dict()).same_as(message.replace())


def plain(expected: list[Any], message: Any) -> Iterable[Any]:
    """Yield what a record expects, without the text that the other library adds to values.

    It also takes elements apart; their IDs and bytes are compared here.
    """
    for name, value in expected:
        field = name.lower().removeprefix("nl80211_attr_").removeprefix("nl80211_bss_")
        if isinstance(value, dict) and "VALUE" in value:
            yield name, value["VALUE"]
        elif field in ("information_elements", "beacon_ies"):
            data = getattr(message, field)
            parts = {part.id: part.data for part in nl80211.elements(data)}
            assert parts[0].hex() == value["SSID"]["$bytes"]
            assert parts[3][0] == value["CHANNEL"]
            assert [part.data.hex() for part in nl80211.elements(data) if part.id == 221] == [
                vendor["$bytes"] for vendor in value["VENDOR"]
            ]
            yield name, {"$bytes": data.hex()}
        elif isinstance(value, dict) and "$attrs" in value and field == "bss":
            yield name, {"$attrs": [*plain(value["$attrs"], message.bss)]}
        else:
            yield name, value


# --- wrong calls ----------------------------------------------------------------------------------

NO_DEV = (None, "", 0, -1, True, 1.5, b"wlan0", ["wlan0"])
CALLS: tuple[tuple[str, Callable[[Any], Plan[Any]], tuple[Any, ...]], ...] = (
    ("nl80211.scan.dev", nl80211.scan, NO_DEV),
    ("nl80211.stations.dev", nl80211.stations, NO_DEV),
    ("nl80211.survey.dev", nl80211.survey, NO_DEV),
    ("nl80211.scan_results.dev", nl80211.scan_results, NO_DEV),
    ("nl80211.remove_interface.dev", nl80211.remove_interface, NO_DEV),
    ("nl80211.scan.ssids", lambda x: nl80211.scan(1, ssids=x),
     ("hello", b"hello", None, 5, [5], ["x" * 33], [None])),
    ("nl80211.scan.frequencies", lambda x: nl80211.scan(1, frequencies=x),
     (2412, "2412", None, ["2412"], [0], [-1], [True], [2412.0])),
    ("nl80211.scan.flags", lambda x: nl80211.scan(1, flags=x), ("flushh", 1.5, -1, ["no"])),
    ("nl80211.add_interface.phy", lambda x: nl80211.add_interface(x, "w", "ap"),
     (None, "", -1, True, 1.5, 1 << 32)),
    ("nl80211.add_interface.name", lambda x: nl80211.add_interface(0, x, "ap"),
     ("", 5, "x" * 16, b"w")),
    ("nl80211.add_interface.type", lambda x: nl80211.add_interface(0, "w", x),
     ("sta", 1.5, -1, True)),
    ("nl80211.add_interface.address", lambda x: nl80211.add_interface(0, "w", "ap", address=x),
     ("zz", 5, "")),
    ("nl80211.add_interface.use_4addr",
     lambda x: nl80211.add_interface(0, "w", "ap", use_4addr=x), (1, "on")),
    ("nl80211.add_interface.monitor",
     lambda x: nl80211.add_interface(0, "w", "monitor", monitor=x), ("control", ["contrl"], 5)),
)  # fmt: skip


@pytest.mark.parametrize("name, call, values", CALLS, ids=[name for name, _, _ in CALLS])
def test_wrong_values(name: str, call: Callable[[Any], Plan[Any]], values: tuple[Any, ...]) -> None:
    for value in values:
        with pytest.raises((TypeError, ValueError), match=re.escape(name)):
            pytest.fail(f"{value!r} gives {next(call(value).steps())!r}", pytrace=False)


def test_misspelt() -> None:
    with pytest.raises(TypeError, match="did you mean 'frequencies'"):
        nl80211.scan("wlan0", freqencies=[2412])  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"add_interface\(\) missing"):
        nl80211.add_interface("phy0")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="needs a type"):
        next(nl80211.add_interface(0, "w", None).steps())
    with pytest.raises(TypeError, match="wiphy"):
        nl80211.set_wiphy(wihpy=1)  # type: ignore[call-arg]
    for wrong in (nl80211.bit_rate, nl80211.ext_features):
        with pytest.raises(TypeError, match="expects a"):
            wrong(None)


def test_values_that_do_not_fit() -> None:
    for fields in (
        {"mac": "02:00:00:00:00"},
        {"mac": "02:00:00:00:00:00:00"},
        {"ssid": b"x" * 33},
        {"wiphy_name": "x" * 20},
        {"iftype": "stationn"},
        {"key": {"data": b"x" * 33}},
        {"pmkid": b"x"},
        {"mac_addrs": ("02:00",)},
        {"scan_ssids": (b"x" * 33,)},
    ):
        with pytest.raises(EncodeError, match=f"Wireless.{next(iter(fields))}"):
            Wireless(**fields)
