"""nl80211 with simulated radios (mac80211_hwsim): scan, association, stations; `iw` is the oracle.

The tests need two radios in the initial network namespace, as a virtual machine has with
mac80211_hwsim:radios=2. An access point (hostapd) and a station (wpa_supplicant) run on them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, KernelError, Message, Pid
from netlink.generic import nl80211, nlctrl
from netlink.generic.nl80211.numbers import NL80211_CMD, NL80211_IFTYPE

INSIDE = ["nsenter", "--net=/proc/1/ns/net"]  # the radios stay in the initial namespace
TOOLS = ("iw", "hostapd", "wpa_supplicant", "nsenter")
PATIENCE = 60.0  # seconds, for an emulated machine


def run(*words: str) -> str:
    """Return what a command prints in the initial namespace."""
    done = subprocess.run([*INSIDE, *words], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def connect() -> Connection:
    return Connection(nl80211.FAMILY, nlctrl.FAMILY, netns=Pid(1), timeout=PATIENCE)


@pytest.fixture(scope="module")
def radios() -> Iterator[tuple[str, str]]:
    """Return the interfaces of the access point and of the station; the access point runs."""
    missing = [name for name in TOOLS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"there is no {', '.join(missing)}")
    try:
        with connect() as nl:
            found = nl.do(nl80211.interfaces())
    except (KernelError, PermissionError):
        pytest.skip("the kernel lacks nl80211")
    names = [each.ifname for each in found if each.ifname is not None]
    if len(names) != 2:
        pytest.skip("there are not two radios of mac80211_hwsim")
    yield names[0], names[1]


@pytest.fixture(scope="module")
def access_point(
    radios: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the interface of an access point that announces "nest"."""
    folder = tmp_path_factory.mktemp("ap")
    config = folder / "hostapd.conf"
    config.write_text(f"interface={radios[0]}\ndriver=nl80211\nssid=nest\nchannel=1\nhw_mode=g\n")
    yield from daemon(["hostapd", str(config)], folder, radios[0], "AP-ENABLED")


@pytest.fixture(scope="module")
def station(
    radios: tuple[str, str], access_point: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the interface of a station that is associated with the access point."""
    folder = tmp_path_factory.mktemp("station")
    config = folder / "supplicant.conf"
    config.write_text('network={\n ssid="nest"\n key_mgmt=NONE\n scan_freq=2412\n}\n')
    words = ["wpa_supplicant", "-i", radios[1], "-D", "nl80211", "-c", str(config)]
    yield from daemon(words, folder, radios[1], "CTRL-EVENT-CONNECTED")


def daemon(words: list[str], folder: Path, result: str, sign: str) -> Iterator[str]:
    """Run a program until it has printed a sign, and end it afterwards."""
    output = folder / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            [*INSIDE, *words], stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        end = time.monotonic() + PATIENCE
        while sign not in output.read_text():
            assert process.poll() is None and time.monotonic() < end, output.read_text()
            time.sleep(0.1)
        yield result
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture
def nl(radios: tuple[str, str]) -> Iterator[Connection]:
    with connect() as connection:
        yield connection


# --- without an access point ----------------------------------------------------------------------


def test_devices(nl: Connection) -> None:
    """Fact: phys() always sets 174; without: 1 message a wiphy, new features missing."""
    devices = nl.do(nl80211.phys())
    assert len(devices) == 2
    for device in devices:
        shown = run("iw", "phy", str(device.wiphy_name), "info")
        assert device.wiphy_bands is not None
        bands = [band for name, band in device.wiphy_bands if name != "s1ghz"]  # iw lacks these
        ours = [(channel.freq, channel.disabled) for band in bands for channel in band.freqs]
        theirs = [
            (int(found[1]), "disabled" in found[2])
            for found in re.finditer(r"\* (\d+)(?:\.0)? MHz \[\d+\](.*)", shown)
        ]
        assert ours == theirs
        kinds = [name.replace("_", "-") for name, _ in device.supported_iftypes or ()]
        listed = shown.partition("Supported interface modes:")[2].split("Band")[0]
        assert [*map(words_of, kinds)] == re.findall(r"\* (.+)", listed)
        assert not [path for path, _, _ in device.attributes() if "#" in path]
    whole = nl.dump(nl80211.get_wiphy()).all()
    assert len(whole) == 2
    assert whole[0].ext_features is None and devices[0].ext_features is not None
    parts = nl.dump(nl80211.get_wiphy(split_wiphy_dump=True)).all()
    assert len(parts) > 100


def words_of(kind: str) -> str:
    """Return the word of iw for a kind of interface."""
    words = {"adhoc": "IBSS", "station": "managed", "ap": "AP", "ap-vlan": "AP/VLAN"}
    other = {"mesh-point": "mesh point", "ocb": "outside context of a BSS", "p2p-go": "P2P-GO"}
    return words.get(kind) or other.get(kind) or kind.replace("p2p", "P2P")


def test_interfaces(nl: Connection, radios: tuple[str, str]) -> None:
    shown = run("iw", "dev")
    for each in nl.do(nl80211.interfaces()):
        assert f"Interface {each.ifname}" in shown
        assert f"wdev 0x{each.wdev:x}" in shown
        assert f"addr {each.mac}" in shown
    one = nl.do(nl80211.get_interface(ifindex=nl.do(nl80211.interfaces())[0].ifindex))
    assert one.ifname == radios[0]


def test_the_largest_attribute(nl: Connection) -> None:
    """Fact: maxattr 333 (6.12); H has no cfg80211."""
    maxattr = nl.do(nlctrl.find_family("nl80211")).maxattr
    assert maxattr is not None and maxattr >= 300


def test_add_and_remove(nl: Connection) -> None:
    device = nl.do(nl80211.phys())[0]
    assert device.wiphy_name is not None
    with connect() as listener:
        listener.join("config")
        made = nl.do(
            nl80211.add_interface(device.wiphy_name, "mon0", "monitor", monitor=["control"])
        )
        assert (made.ifname, made.iftype) == ("mon0", NL80211_IFTYPE.NL80211_IFTYPE_MONITOR)
        assert "type monitor" in run("iw", "dev", "mon0", "info")
        with pytest.raises(KernelError, match="add_interface"):
            nl.do(nl80211.add_interface(device.wiphy_name, "mon0", "monitor"))
        nl.do(nl80211.remove_interface("mon0"))
        events = [*listener.events(timeout=5)]
    names = [event.nlmsg_name for event in events if isinstance(event, Message)]
    assert names == ["NL80211_CMD_NEW_INTERFACE", "NL80211_CMD_DEL_INTERFACE"]
    with pytest.raises(KernelError, match=r"remove_interface: .*mon0.*ENODEV"):
        nl.do(nl80211.remove_interface("mon0"))
    with pytest.raises(KernelError, match="there is no device 'phy99'"):
        nl.do(nl80211.add_interface("phy99", "mon0", "monitor"))


def test_rules(nl: Connection) -> None:
    """Fact: GET_REG dump (31): alpha2, rules; per-wiphy ones follow in the dump."""
    rules = nl.do(nl80211.regulatory())
    assert f"country {rules[0].reg_alpha2}:" in run("iw", "reg", "get")
    first = rules[0].reg_rules[0]
    assert first.freq_range_start is not None and first.freq_range_start > 1_000_000
    assert nl.do(nl80211.get_reg()).same_as(rules[0])


def test_a_group_that_is_absent(nl: Connection) -> None:
    """Fact: Groups config, scan, regulatory, mlme, vendor, nan (testmode only if compiled)."""
    nl.join("config", "scan", "regulatory", "mlme", "vendor", "nan")
    with pytest.raises(LookupError, match="testmode"):
        nl.join("testmode")


# --- with an access point -------------------------------------------------------------------------


def test_scan(nl: Connection, radios: tuple[str, str], access_point: str) -> None:
    """Fact: second trigger EBUSY; event can come before the ACK is read."""
    run("ip", "link", "set", radios[1], "down")
    with pytest.raises(KernelError, match="ENETDOWN"):
        nl.do(nl80211.scan(radios[1]))
    run("ip", "link", "set", radios[1], "up")
    [found] = [each for each in nl.do(nl80211.scan(radios[1])) if each.ssid == b"nest"]
    assert found.frequency == 2412
    assert found.signal is not None and -100 < found.signal < 0
    shown = run("iw", "dev", radios[1], "scan", "dump")
    assert f"BSS {found.bssid}" in shown
    assert f"signal: {found.signal:.2f} dBm" in shown
    assert "SSID: nest" in shown
    again = nl.do(nl80211.scan_results(radios[1]))
    assert [each.bssid for each in again] == [found.bssid]
    [one] = nl.do(nl80211.scan(radios[1], ssids=["nest"], frequencies=[2412], flags="flush"))
    assert one.bssid == found.bssid
    index = one_index(nl, radios[1])
    with connect() as other:
        other.do(nl80211.trigger_scan(ifindex=index))
        with pytest.raises(KernelError, match="EBUSY"):
            other.do(nl80211.trigger_scan(ifindex=index))
        assert one.bssid in [each.bssid for each in nl.do(nl80211.scan(radios[1]))]


def one_index(nl: Connection, name: str) -> int:
    """Return the index of an interface."""
    [index] = [each.ifindex for each in nl.do(nl80211.interfaces()) if each.ifname == name]
    assert index is not None
    return index


def test_association(nl: Connection, radios: tuple[str, str], request: Any) -> None:
    with connect() as listener:
        listener.join("mlme")
        request.getfixturevalue("station")
        events = [*listener.events(timeout=3)]
    names = {event.nlmsg_name for event in events if isinstance(event, Message)}
    assert {"NL80211_CMD_AUTHENTICATE", "NL80211_CMD_ASSOCIATE", "NL80211_CMD_CONNECT"} <= names
    [client] = nl.do(nl80211.stations(radios[0]))
    [server] = nl.do(nl80211.stations(radios[1]))
    by_name = {each.ifname: each for each in nl.do(nl80211.interfaces())}
    assert client.mac == by_name[radios[1]].mac
    assert server.mac == by_name[radios[0]].mac
    assert by_name[radios[0]].ssid == b"nest"
    info = client.sta_info
    assert info is not None and info.sta_flags is not None
    assert "NL80211_STA_FLAG_AUTHORIZED" in str(info.sta_flags.set)
    shown = run("iw", "dev", radios[0], "station", "dump")
    assert f"Station {client.mac} " in shown
    assert re.search(rf"signal:\s+{info.signal} ", shown)
    rates = [nl80211.bit_rate(each) for each in (info.tx_bitrate, info.rx_bitrate) if each]
    assert rates and all(rate is not None and rate >= 1_000_000 for rate in rates)
    one = nl.do(nl80211.get_station(ifindex=client.ifindex, mac=client.mac))
    assert one.mac == client.mac
    survey = nl.do(nl80211.survey(radios[0]))
    listed = run("iw", "dev", radios[0], "survey", "dump")
    ours = [each.survey_info for each in survey if each.survey_info is not None]
    theirs = re.findall(r"frequency:\s+(\d+) MHz", listed)
    assert [str(each.frequency) for each in ours] == theirs
    assert re.findall(r"noise:\s+(-?\d+) dBm", listed) == [
        str(each.noise) for each in ours if each.noise is not None
    ]


def test_power_save_and_names(nl: Connection, station: str) -> None:
    index = one_index(nl, station)
    nl.do(nl80211.set_power_save(ifindex=index, ps_state="enabled"))
    assert str(nl.do(nl80211.get_power_save(ifindex=index)).ps_state) == "NL80211_PS_ENABLED"
    assert nl.do(nl80211.get_protocol_features()).protocol_features == 1
    with pytest.raises(KernelError):
        nl.do(nl80211.get_station(ifindex=index, mac="02:00:00:00:0f:0f"))
    assert nl80211.FAMILY.types(NL80211_CMD.NL80211_CMD_GET_SCAN).name == "NL80211_CMD_GET_SCAN"
