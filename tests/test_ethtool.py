"""ethtool without a kernel: sets of bits, plans with a scripted kernel, and wrong calls."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlink import Connection, EncodeError, NetlinkError, testing
from netlink.generic import ethtool
from netlink.generic.ethtool import messages
from netlink.generic.ethtool.messages import (
    ETH_SS,
    CableTestNtf,
    FeatureBits,
    ModuleEeprom,
    ModuleFlashNtf,
    Stats,
    StrSet,
)

NAMES = {int(ETH_SS.ETH_SS_FEATURES): tuple(f"f{place}" for place in range(70))}


def words(bits: set[int], size: int) -> bytes:
    """Return bits as the kernel writes them: 32-bit words in host order."""
    count = (size + 31) // 32
    value = sum(1 << bit for bit in bits)
    return struct.pack(f"={count}I", *(value >> 32 * at & 0xFFFFFFFF for at in range(count)))


@given(st.sets(st.integers(0, 69)), st.sets(st.integers(0, 69)), st.booleans())
def test_both_forms_of_a_set(on: set[int], mask: set[int], is_list: bool) -> None:
    """Fact: verbose: SIZE, BITS{BIT{INDEX, NAME, VALUE flag}}, NOMASK flag if list; compact: SIZE,
    VALUE, MASK (u32 words, 8 bytes for 64), words little-endian on host u32 order."""
    names = NAMES[ETH_SS.ETH_SS_FEATURES]
    if is_list:
        mask = on
        compact = FeatureBits(nomask=True, size=70, value=words(on, 70))
    else:
        on &= mask
        compact = FeatureBits(size=70, value=words(on, 70), mask=words(mask, 70))
    bits = [
        {"index": place, "name": names[place], "value": place in on and not is_list}
        for place in sorted(mask)
    ]
    verbose = FeatureBits(nomask=is_list, size=70, bits={"bit": bits})
    said = {names[place]: place in on for place in sorted(mask)}
    assert compact.states(NAMES) == verbose.states() == said
    assert compact.on(NAMES) == verbose.on() == tuple(names[place] for place in sorted(on))
    assert compact.states() == {f"#{place}": place in on for place in sorted(mask)}


def test_sets_without_names() -> None:
    assert FeatureBits(size=4).states() == {}
    compact = FeatureBits(nomask=True, size=40, value=words({0, 1, 39}, 40))
    few = {int(ETH_SS.ETH_SS_FEATURES): ("a", "")}
    assert compact.on(few) == ("a", "#1", "#39")
    assert compact.on({int(ETH_SS.ETH_SS_WOL_MODES): ("x",)}) == ("#0", "#1", "#39")
    plain = messages.Bitset(nomask=True, value=words({2}, 3))
    assert plain.strings is None
    assert plain.on(NAMES) == ("#2",)
    cut = FeatureBits(nomask=True, value=words({1}, 32) + b"\1")
    assert cut.on() == ("#1",)
    unnamed = FeatureBits(bits={"bit": [{"index": 3, "value": True}]})
    assert unnamed.states() == {"#3": True}


# --- plans ----------------------------------------------------------------------------------------


def connected(kernel: Any) -> Connection:
    return Connection(ethtool.FAMILY, socket=testing.Socket(kernel, ethtool.FAMILY))


def test_an_eeprom_is_read_in_halves() -> None:
    """Fact: module-eeprom: OFFSET <= 255, LENGTH 1..128; offset >= 128 for page > 0."""
    asked = []

    def kernel(request: Any) -> Iterator[Any]:
        asked.append((request.offset, request.length, request.page, request.i2c_address))
        yield ModuleEeprom(data=bytes(range(request.offset, request.offset + request.length)))

    with connected(kernel) as nl:
        assert nl.do(ethtool.module_eeprom("x", offset=0, length=256)) == bytes(range(256))
        assert asked == [(0, 128, 0, 0x50), (128, 128, 0, 0x50)]
        asked.clear()
        data = nl.do(ethtool.module_eeprom("x", offset=120, length=16, i2c_address=0x51))
        assert data == bytes(range(120, 136))
        assert asked == [(120, 8, 0, 0x51), (128, 8, 0, 0x51)]
        asked.clear()
        nl.do(ethtool.module_eeprom("x", page=3, offset=128, length=5))
        assert asked == [(128, 5, 3, 0x50)]


STRINGS = {
    ETH_SS.ETH_SS_STATS_STD: ("eth-phy", "eth-mac", "eth-ctrl", "rmon"),
    ETH_SS.ETH_SS_STATS_ETH_MAC: ("tx", "one", "two"),
    ETH_SS.ETH_SS_STATS_RMON: ("under", "over"),
}


def test_statistics_have_names() -> None:
    """Fact: groups nested repeated GRP{ID, SS_ID, STAT{attr id = stat index, u64}...,
    HIST_RX/TX{BKT_LOW, BKT_HI, VAL}}; stat ids start at 0 inside STAT; names in string set
    SS_ID."""

    def kernel(request: Any) -> Iterator[Any]:
        if isinstance(request, StrSet):
            sets = [
                {
                    "id": number,
                    "strings": {
                        "string": [
                            {"index": place, "value": name} for place, name in enumerate(names)
                        ]
                    },
                }
                for number, names in STRINGS.items()
            ]
            yield StrSet(stringsets={"stringset": sets})
            return
        assert [bit.name for bit in request.groups.bits.bit] == ["eth-mac", "rmon"]
        hist = {"hist_bkt_low": 65, "hist_bkt_hi": 127, "hist_val": 9}
        mac = {"id": 1, "ss_id": 18, "stat": [{0: 5}, {2: 7}, {4: 8}]}
        yield Stats(grp=[mac, {"id": 3, "ss_id": 20, "stat": [{1: 3}], "hist_rx": [hist, hist]}])

    with connected(kernel) as nl:
        found = nl.do(ethtool.statistics("x", "eth-mac", "rmon"))
    assert found["eth-mac"].counters == {"tx": 5, "two": 7, "#4": 8}
    assert found["rmon"] == ({"over": 3}, {(65, 127): 9}, {})


def events_of(plan: Any, *events: Any) -> Any:
    """Return the result of a plan that listens, given its events."""
    steps = plan.steps()
    next(steps)  # listen
    steps.send(None)  # the request
    waiting = steps.send(None)
    for event in events:
        if not waiting.predicate(event):
            continue
        try:
            waiting = steps.send(event)
        except StopIteration as done:
            return done.value
    return waiting


def test_a_cable_test_waits_for_its_result() -> None:
    """Fact: cable test: act is ack only, result by event."""
    header = {"dev_name": "x", "dev_index": 4}
    other = CableTestNtf(header={"dev_name": "y"}, status="completed")
    started = CableTestNtf(header=header, status="started")
    result = {"result": [{"pair": "a", "code": "ok"}, {"pair": "b", "code": "open"}]}
    done = CableTestNtf(header=header, status="completed", nest=result)
    for dev in ("x", 4):
        assert events_of(ethtool.cable_test(dev), other, started, done) == done
    assert done.nest is not None
    assert [one.code for one in done.nest.result] == [1, 2]


def test_flashing_a_module_waits_and_fails() -> None:
    header = {"dev_name": "x"}
    parts = [ModuleFlashNtf(header=header, status="in_progress", done=at, total=9) for at in (1, 9)]
    good = ModuleFlashNtf(header=header, status="completed")
    assert events_of(ethtool.flash_module("x", "a.bin"), *parts, good) is None
    bad = ModuleFlashNtf(header=header, status="error", status_msg="no room")
    with pytest.raises(NetlinkError, match="the module refused: no room"):
        events_of(ethtool.flash_module("x", "a.bin"), *parts, bad)


WRONG: Any = ethtool  # what a type checker would refuse
CALLS: list[tuple[Any, str]] = [
    (lambda: WRONG.features(None), r"ethtool\.features\.dev: expected the name of a device"),
    (lambda: WRONG.features(0), "expected the name of a device, or its index"),
    (lambda: WRONG.features(True), "expected the name of a device"),
    (lambda: WRONG.features("x" * 128), "at most 127 fit"),
    (lambda: WRONG.features(""), "non-empty"),
    (lambda: WRONG.features(), "missing 1 required"),
    (lambda: WRONG.feature_s("x"), "no attribute"),
    (lambda: WRONG.link_state("x", stats=1), "expected True or False"),
    (lambda: WRONG.set_features("x"), "needs something to change"),
    (lambda: WRONG.set_features("x", rx_gro=1), "rx_gro: expected True or False"),
    (lambda: WRONG.set_features("x", rx_gro="off"), "expected True or False"),
    (lambda: WRONG.set_rings("x"), "needs something to change; it accepts: rx"),
    (lambda: WRONG.set_rings("x", rx=-1), r"set_rings\.rx: expected an int from 0"),
    (lambda: WRONG.set_rings("x", rx=1 << 32), "expected an int from 0"),
    (lambda: WRONG.set_rings("x", rx="max"), "expected an int from 0"),
    (lambda: WRONG.set_rings("x", tx_push=1), "expected True or False"),
    (lambda: WRONG.set_rings("x", rx_max=5), "no parameter 'rx_max'"),
    (lambda: WRONG.set_rings("x", tcp_data_split="on"), "unknown name 'on'"),
    (lambda: WRONG.set_channels("x", rx_count=5), "no parameter 'rx_count'"),
    (lambda: WRONG.set_channels("x", combined=True), "expected an int"),
    (lambda: WRONG.set_link_modes("x", lanes=9), "expected an int from 1 to 8"),
    (lambda: WRONG.set_link_modes("x", duplex="both"), "unknown name 'both'"),
    (lambda: WRONG.set_link_modes("x", ours="100baseT/Full"), "expected a dict of names"),
    (lambda: WRONG.set_link_modes("x", ours=[1]), "expected names as text"),
    (lambda: WRONG.set_link_modes("x", ours={"a": 1}), "expected True or False for 'a'"),
    (lambda: WRONG.set_private_flags("x", None), "expected a dict of names"),
    (lambda: WRONG.set_private_flags("x", True), "expected a dict of names"),
    (lambda: WRONG.set_wake_on_lan("x", ["magic"], sopass="12:34"), "expected 6 bytes"),
    (lambda: WRONG.set_wake_on_lan("x", ["magic"], sopass=b"12345"), "expected 6 bytes"),
    (lambda: WRONG.set_coalesce("x", rx_usec=5), "did you mean 'rx_usecs'"),
    (lambda: WRONG.set_pause("x", rx="on"), "expected True or False"),
    (lambda: WRONG.pause("x", stats_src="mac"), "unknown name 'mac'"),
    (lambda: WRONG.set_rss("x"), "needs something to change"),
    (lambda: WRONG.set_rss("x", context=1), "needs something to change"),
    (lambda: WRONG.set_rss("x", indir=[]), "non-empty list of numbers"),
    (lambda: WRONG.set_rss("x", indir=[-1]), "non-empty list of numbers"),
    (lambda: WRONG.set_rss("x", hkey="00"), "expected the bytes of a key"),
    (lambda: WRONG.delete_rss("x", 0), "expected an int from 1"),
    (lambda: WRONG.delete_rss("x", None), "expected an int from 1"),
    (lambda: WRONG.rss("x", "main"), "expected an int"),
    (lambda: WRONG.set_module("x", power_mode_policy="low"), "unknown name 'low'"),
    (lambda: WRONG.module_eeprom("x", length=0), "expected an int from 1"),
    (lambda: WRONG.module_eeprom("x", offset=200, length=57), "a page has 256 bytes"),
    (lambda: WRONG.module_eeprom("x", page=1), "expected 128 or more for page 1"),
    (lambda: WRONG.module_eeprom("x", page=1, offset=128, bank=None), "expected a number"),
    (lambda: WRONG.flash_module("x", None), "expected the name of a file"),
    (lambda: WRONG.flash_module("x", ""), "non-empty"),
    (lambda: WRONG.cable_test_tdr("x", pair=4), "expected an int from 0 to 3"),
    (lambda: WRONG.cable_test_tdr("x", pair="A"), "expected an int from 0 to 3"),
    (lambda: WRONG.set_power("x"), "needs something to change"),
    (lambda: WRONG.set_power("x", c33="on"), "expected True or False"),
    (lambda: WRONG.set_plca("x", node_cnt=256), "expected an int from 1 to 255"),
    (lambda: WRONG.set_preemption("x", verify_time=129), "expected an int from 1 to 128"),
    (lambda: WRONG.set_fec("x", modes="RS"), "expected a dict of names"),
]


@pytest.mark.parametrize("call, text", CALLS, ids=[text for _, text in CALLS])
def test_wrong_calls(call: Any, text: str) -> None:
    with pytest.raises((TypeError, EncodeError, AttributeError), match=text):
        next(call().steps())


def test_an_empty_list_clears_a_set() -> None:
    request = next(ethtool.set_wake_on_lan("x", []).steps())
    assert request.message.modes.nomask
    assert request.message.modes.bits is not None
    request = next(ethtool.set_wake_on_lan("x", {"magic": False}).steps())
    (bit,) = request.message.modes.bits.bit
    assert not request.message.modes.nomask
    assert (bit.name, bit.value) == ("magic", False)
