"""ethtool: link modes, features, queues, time stamps, modules, counters and cables of devices.

messages.py has the declarations, with the release of their numbers; this file has the plans. The
behaviour is that of net/ethtool. Reading requires no privilege, with a few exceptions:

    with Connection(ethtool.FAMILY) as nl:
        print(nl.do(ethtool.features("eth0"))["tx-checksum-ip-generic"].active)
        nl.do(ethtool.set_features("eth0", tx_checksum_ip_generic=False))
        nl.join("monitor")

- A device is given by its name, an alternative name, or its index. A driver that cannot do what is
  asked answers EOPNOTSUPP. A dump of an op leaves such devices out, and ignores the header.
- Answers have bits with names. Notifications have compact sets of bits; pass the result of the plan
  string_sets() to Bitset.on(). The kernel numbers notifications with a counter of its own.
- The kernel offers some things by ioctl only: driver information, registers, EEPROMs of devices,
  self tests, ntuple rules and coalescing by queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from netlink.errors import NetlinkError
from netlink.family import Steps, listen, plan, wait
from netlink.generic.ethtool import messages
from netlink.generic.ethtool.messages import (
    ALTIFNAMSIZ,
    DUPLEX,
    ETH_SS,
    ETH_TP_MDI,
    ETHTOOL_A_CABLE_TEST_NTF_STATUS,
    ETHTOOL_FLAG,
    ETHTOOL_MAC_STATS_SRC,
    ETHTOOL_MODULE_FW_FLASH_STATUS,
    ETHTOOL_MODULE_POWER_MODE_POLICY,
    ETHTOOL_TCP_DATA_SPLIT,
    FAMILY,
    MASTER_SLAVE_CFG,
    PORT,
    RXH_XFRM,
    CableTdrNtf,
    CableTestNtf,
    Channels,
    Coalesce,
    Debug,
    Eee,
    Features,
    Fec,
    LinkInfo,
    LinkModes,
    LinkState,
    Mm,
    Module,
    ModuleEeprom,
    ModuleFlashNtf,
    Pause,
    PhcVclocks,
    Phy,
    Plca,
    PrivFlags,
    Pse,
    Rings,
    Rss,
    RssCreate,
    Stats,
    StrSet,
    TsConfig,
    TsInfo,
    TunnelInfo,
    Wol,
)
from netlink.schema import Message
from netlink.words import S32, U16, U32, Words, near

__all__ = [
    "Counters",
    "FAMILY",
    "Feature",
    "cable_test",
    "cable_test_tdr",
    "channels",
    "coalesce",
    "create_rss",
    "debug",
    "delete_rss",
    "eee",
    "features",
    "fec",
    "flash_module",
    "link_info",
    "link_modes",
    "link_state",
    "module",
    "module_eeprom",
    "pause",
    "phc_vclocks",
    "phys",
    "plca",
    "plca_status",
    "power",
    "preemption",
    "private_flags",
    "rings",
    "rss",
    "set_channels",
    "set_coalesce",
    "set_debug",
    "set_eee",
    "set_features",
    "set_fec",
    "set_link_info",
    "set_link_modes",
    "set_module",
    "set_pause",
    "set_plca",
    "set_power",
    "set_preemption",
    "set_private_flags",
    "set_rings",
    "set_rss",
    "set_timestamp_config",
    "set_wake_on_lan",
    "statistics",
    "string_sets",
    "timestamp_config",
    "timestamping",
    "tunnels",
    "wake_on_lan",
]

Dev = str | int
Bits = Mapping[str, bool] | Sequence[str]
EEPROM_PAGE = 128  # ETH_MODULE_EEPROM_PAGE_LEN: bytes of half a page, and of one answer
WIDTHS = {"u8": 0xFF, "u16": U16, "u32": U32}


class Feature(NamedTuple):
    """A feature of a device. `wanted` was asked for; a `fixed` one cannot be switched."""

    active: bool
    wanted: bool
    fixed: bool


class Counters(NamedTuple):
    """A group of counters by name. A histogram maps (smallest, largest) size to packets."""

    counters: dict[str, int]
    hist_rx: dict[tuple[int, int], int]
    hist_tx: dict[tuple[int, int], int]


# --- arguments ------------------------------------------------------------------------------------


def _header(words: Words, *, stats: bool = False) -> dict[str, Any]:
    """Return the header of a request: the device, and whether statistics are wanted."""
    dev = words.given["dev"]
    flags = {"flags": ETHTOOL_FLAG.ETHTOOL_FLAG_STATS} if stats else {}
    if isinstance(dev, str):
        return {"dev_name": words.text("dev", ALTIFNAMSIZ), **flags}
    if not isinstance(dev, int) or isinstance(dev, bool) or not 0 < dev <= S32:
        raise words.expected("dev", "the name of a device, or its index")
    return {"dev_index": dev, **flags}


def _values(words: Words, cls: type[Message], switches: Sequence[str] = ()) -> dict[str, Any]:
    """Return the header and the fields of a change. `switches` are the arguments that are bools.

    An argument is the name of a field, perhaps without "_count". Sets of bits are converted too.
    """
    words.needs_a_change("dev")
    made: dict[str, Any] = {"header": _header(words)}
    for name, value in words.given.items():
        if name == "dev" or value is None:
            continue
        key = name if name in cls.__table__.names else f"{name}_count"
        field = cls.__table__.names[key]
        if field.kind_name == "nest":
            made[key] = _bitset(words, name)
        elif name in switches:
            made[key] = int(words.switch(name) or 0)
        elif field.enum is not None:
            made[key] = words.number(name, field.enum, WIDTHS[field.kind_name])
        else:
            high = WIDTHS[field.kind_name] if field.most is None else field.most
            made[key] = words.integer(name, field.least or 0, high)
    return made


def _bitset(words: Words, name: str) -> dict[str, Any]:
    """Return a set of bits: a dict switches some of them, and a list is all that are set."""
    value = words.given[name]
    is_list = isinstance(value, (list, tuple, set, frozenset))
    if not is_list and not isinstance(value, Mapping):
        raise words.expected(
            name, "a dict of names with True or False, or a list of the names that are set"
        )
    for key in value:
        if not isinstance(key, str) or not key:
            raise words.expected(name, "names as text")
        if not is_list and not isinstance(value[key], bool):
            raise words.wrong(name, f"expected True or False for {key!r}, got {value[key]!r}")
    bits = [{"name": key, "value": is_list or value[key]} for key in value]
    return {"nomask": is_list, "bits": {"bit": bits}}


# --- strings --------------------------------------------------------------------------------------


@plan
def string_sets(dev: Dev | None = None) -> Steps[dict[int, tuple[str, ...]]]:
    """Return the names of bits and counters by ETH_SS: of the kernel, and of a device.

    Bitset.on() and Bitset.states() accept the result. It depends on the kernel and the driver.
    """
    words = Words("ethtool.string_sets", locals())
    found: dict[int, tuple[str, ...]] = {}
    for header in ({}, *(() if dev is None else (_header(words),))):
        answer: StrSet = yield messages.strset_get(header=header)
        for one in answer.stringsets.stringset if answer.stringsets else ():
            strings = one.strings.string if one.strings else ()
            found[int(one.id or 0)] = tuple(string.value or "" for string in strings)
    return found


# --- links ----------------------------------------------------------------------------------------


@plan
def link_info(dev: Dev) -> Steps[LinkInfo]:
    """Return the connector of a link."""
    found: LinkInfo = yield messages.linkinfo_get(
        header=_header(Words("ethtool.link_info", locals()))
    )
    return found


@plan
def set_link_info(
    dev: Dev,
    *,
    port: PORT | int | str | None = None,
    phyaddr: int | None = None,
    tp_mdix_ctrl: ETH_TP_MDI | int | str | None = None,
) -> Steps[None]:
    """Change the connector of a link, the address of its PHY, or the crossing of pairs."""
    words = Words("ethtool.set_link_info", locals())
    yield messages.linkinfo_set(**_values(words, messages.LinkInfoSet))


@plan
def link_modes(dev: Dev) -> Steps[LinkModes]:
    """Return speed, duplex and link modes of a device.

    `ours.states()` maps each supported mode to whether it is advertised. `peer.on()` are the modes
    of the peer. An unknown speed is 0xffffffff.
    """
    found: LinkModes = yield messages.linkmodes_get(
        header=_header(Words("ethtool.link_modes", locals()))
    )
    return found


@plan
def set_link_modes(
    dev: Dev,
    *,
    autoneg: bool | None = None,
    speed: int | None = None,
    duplex: DUPLEX | int | str | None = None,
    lanes: int | None = None,
    master_slave_cfg: MASTER_SLAVE_CFG | int | str | None = None,
    ours: Bits | None = None,
) -> Steps[None]:
    """Change speed (Mb/s), duplex, negotiation, or the modes to advertise.

    `ours` is a dict of modes to switch, or a list of all that are advertised.
    """
    words = Words("ethtool.set_link_modes", locals())
    yield messages.linkmodes_set(**_values(words, messages.LinkModesSet, ("autoneg",)))


@plan
def link_state(dev: Dev, *, stats: bool = False) -> Steps[LinkState]:
    """Return whether a link has a carrier, and if not, why.

    `stats` asks for counters too. A kernel that has none for this op refuses that (EINVAL or
    EOPNOTSUPP).
    """
    words = Words("ethtool.link_state", locals())
    found: LinkState = yield messages.linkstate_get(
        header=_header(words, stats=bool(words.switch("stats")))
    )
    return found


# --- features and flags ---------------------------------------------------------------------------


@plan
def features(dev: Dev) -> Steps[dict[str, Feature]]:
    """Return all features of a device by the kernel's name, such as "tx-checksum-ip-generic"."""
    found: Features = yield messages.features_get(
        header=_header(Words("ethtool.features", locals()))
    )
    return _features(found)


def _features(found: Features) -> dict[str, Feature]:
    assert found.hw and found.wanted and found.active and found.nochange  # features_fill_reply
    active, wanted = {*found.active.on()}, {*found.wanted.on()}
    never = {*found.nochange.on()}
    return {
        name: Feature(name in active, name in wanted, not can or name in never)
        for name, can in found.hw.states().items()
    }


@plan
def set_features(dev: Dev, /, **features: bool) -> Steps[dict[str, bool]]:
    """Switch features, such as tx_checksum_ip_generic=False, and return those that changed.

    A name has "_" for "-". A change may switch other features too, which depend on it. Raises
    TypeError for an unknown name, and NetlinkError if the kernel did not switch all of them: they
    are fixed, or depend on others. What it could switch stays switched.
    """
    words = Words("ethtool.set_features", {"dev": dev, **features})
    words.needs_a_change("dev")
    header = _header(words)
    for name in features:
        words.switch(name)
    known = _features((yield messages.features_get(header=header)))
    spelled = {name.replace("-", "_"): name for name in known}
    bits = []
    for name, value in features.items():
        if name.replace("-", "_") not in spelled:
            words.refuse(f"has no feature {name!r}; {near(name, spelled)}")
        bits.append({"name": spelled[name.replace("-", "_")], "value": value})
    answer: Features | None = yield messages.features_set(
        header=header, wanted={"bits": {"bit": bits}}
    )
    refused = answer.wanted.states() if answer and answer.wanted else {}
    changed = answer.active.states() if answer and answer.active else {}
    if refused:
        said = ", ".join(f"{name} {'on' if value else 'off'}" for name, value in refused.items())
        done = ", ".join(f"{name} {'on' if value else 'off'}" for name, value in changed.items())
        raise NetlinkError(
            f"ethtool.set_features: the kernel did not switch {said}; each is fixed or depends on "
            f"other features; it changed: {done or 'nothing'}"
        )
    return changed


@plan
def private_flags(dev: Dev) -> Steps[dict[str, bool]]:
    """Return the private flags of a driver, by their names."""
    found: PrivFlags = yield messages.privflags_get(
        header=_header(Words("ethtool.private_flags", locals()))
    )
    return {} if found.flags is None else found.flags.states()


@plan
def set_private_flags(dev: Dev, flags: Bits) -> Steps[None]:
    """Switch private flags: a dict such as {"legacy-rx": True}, or a list of all that are set."""
    words = Words("ethtool.set_private_flags", locals())
    yield messages.privflags_set(header=_header(words), flags=_bitset(words, "flags"))


@plan
def debug(dev: Dev) -> Steps[Debug]:
    """Return which messages a driver logs."""
    found: Debug = yield messages.debug_get(header=_header(Words("ethtool.debug", locals())))
    return found


@plan
def set_debug(dev: Dev, classes: Bits) -> Steps[None]:
    """Choose the messages that a driver logs: a dict of changes, or a list of all classes."""
    words = Words("ethtool.set_debug", locals())
    yield messages.debug_set(header=_header(words), msgmask=_bitset(words, "classes"))


@plan
def wake_on_lan(dev: Dev) -> Steps[Wol]:
    """Return what wakes the machine. Requires CAP_NET_ADMIN."""
    found: Wol = yield messages.wol_get(header=_header(Words("ethtool.wake_on_lan", locals())))
    return found


@plan
def set_wake_on_lan(dev: Dev, modes: Bits, *, sopass: bytes | None = None) -> Steps[None]:
    """Choose what wakes the machine: a dict of changes, or a list of all modes, such as ["magic"].

    `sopass` are the 6 bytes of the password of SecureOn.
    """
    words = Words("ethtool.set_wake_on_lan", locals())
    if sopass is not None and not (isinstance(sopass, bytes) and len(sopass) == 6):
        raise words.expected("sopass", "6 bytes")
    bits = _bitset(words, "modes")
    yield messages.wol_set(header=_header(words), modes=bits, sopass=sopass)


# --- queues and interrupts ------------------------------------------------------------------------


@plan
def rings(dev: Dev) -> Steps[Rings]:
    """Return the sizes of the rings of a device, and their maxima."""
    found: Rings = yield messages.rings_get(header=_header(Words("ethtool.rings", locals())))
    return found


@plan
def set_rings(
    dev: Dev,
    *,
    rx: int | None = None,
    rx_mini: int | None = None,
    rx_jumbo: int | None = None,
    tx: int | None = None,
    rx_buf_len: int | None = None,
    tcp_data_split: ETHTOOL_TCP_DATA_SPLIT | int | str | None = None,
    cqe_size: int | None = None,
    tx_push: bool | None = None,
    rx_push: bool | None = None,
    tx_push_buf_len: int | None = None,
    hds_thresh: int | None = None,
) -> Steps[None]:
    """Change the sizes of rings: numbers of packets, and bytes for the lengths."""
    words = Words("ethtool.set_rings", locals())
    yield messages.rings_set(
        **_values(
            words,
            messages.RingsSet,
            (
                "tx_push",
                "rx_push",
            ),
        )
    )


@plan
def channels(dev: Dev) -> Steps[Channels]:
    """Return the numbers of queues of a device, and their maxima."""
    found: Channels = yield messages.channels_get(
        header=_header(Words("ethtool.channels", locals()))
    )
    return found


@plan
def set_channels(
    dev: Dev,
    *,
    rx: int | None = None,
    tx: int | None = None,
    other: int | None = None,
    combined: int | None = None,
) -> Steps[None]:
    """Change the numbers of queues."""
    words = Words("ethtool.set_channels", locals())
    yield messages.channels_set(**_values(words, messages.ChannelsSet))


@plan
def coalesce(dev: Dev) -> Steps[Coalesce]:
    """Return when a device interrupts. Times are microseconds."""
    found: Coalesce = yield messages.coalesce_get(
        header=_header(Words("ethtool.coalesce", locals()))
    )
    return found


@plan
def set_coalesce(
    dev: Dev,
    *,
    rx_usecs: int | None = None,
    rx_max_frames: int | None = None,
    rx_usecs_irq: int | None = None,
    rx_max_frames_irq: int | None = None,
    tx_usecs: int | None = None,
    tx_max_frames: int | None = None,
    tx_usecs_irq: int | None = None,
    tx_max_frames_irq: int | None = None,
    stats_block_usecs: int | None = None,
    use_adaptive_rx: bool | None = None,
    use_adaptive_tx: bool | None = None,
    pkt_rate_low: int | None = None,
    rx_usecs_low: int | None = None,
    rx_max_frames_low: int | None = None,
    tx_usecs_low: int | None = None,
    tx_max_frames_low: int | None = None,
    pkt_rate_high: int | None = None,
    rx_usecs_high: int | None = None,
    rx_max_frames_high: int | None = None,
    tx_usecs_high: int | None = None,
    tx_max_frames_high: int | None = None,
    rate_sample_interval: int | None = None,
    use_cqe_mode_tx: bool | None = None,
    use_cqe_mode_rx: bool | None = None,
    tx_aggr_max_bytes: int | None = None,
    tx_aggr_max_frames: int | None = None,
    tx_aggr_time_usecs: int | None = None,
) -> Steps[None]:
    """Change when a device interrupts. Times are microseconds."""
    words = Words("ethtool.set_coalesce", locals())
    yield messages.coalesce_set(
        **_values(
            words,
            messages.Coalesce,
            (
                "use_adaptive_rx",
                "use_adaptive_tx",
                "use_cqe_mode_tx",
                "use_cqe_mode_rx",
            ),
        )
    )


@plan
def pause(
    dev: Dev,
    *,
    stats: bool = False,
    stats_src: ETHTOOL_MAC_STATS_SRC | int | str | None = None,
) -> Steps[Pause]:
    """Return the flow control of a device. `stats` asks for counters, of the MAC `stats_src`."""
    words = Words("ethtool.pause", locals())
    found: Pause = yield messages.pause_get(
        header=_header(words, stats=bool(words.switch("stats"))),
        stats_src=words.number("stats_src", ETHTOOL_MAC_STATS_SRC),
    )
    return found


@plan
def set_pause(
    dev: Dev,
    *,
    autoneg: bool | None = None,
    rx: bool | None = None,
    tx: bool | None = None,
) -> Steps[None]:
    """Change the flow control of a device."""
    words = Words("ethtool.set_pause", locals())
    yield messages.pause_set(
        **_values(
            words,
            messages.PauseSet,
            (
                "autoneg",
                "rx",
                "tx",
            ),
        )
    )


@plan
def eee(dev: Dev) -> Steps[Eee]:
    """Return the settings of energy-efficient Ethernet."""
    found: Eee = yield messages.eee_get(header=_header(Words("ethtool.eee", locals())))
    return found


@plan
def set_eee(
    dev: Dev,
    *,
    enabled: bool | None = None,
    tx_lpi_enabled: bool | None = None,
    tx_lpi_timer: int | None = None,
    modes_ours: Bits | None = None,
) -> Steps[None]:
    """Change energy-efficient Ethernet. The timer is microseconds."""
    words = Words("ethtool.set_eee", locals())
    yield messages.eee_set(
        **_values(
            words,
            messages.EeeSet,
            (
                "enabled",
                "tx_lpi_enabled",
            ),
        )
    )


@plan
def rss(dev: Dev, context: int | None = None) -> Steps[Rss]:
    """Return how received packets are spread over queues: by a context, or the main one."""
    words = Words("ethtool.rss", locals())
    found: Rss = yield messages.rss_get(
        header=_header(words), context=words.integer("context", 0, U32)
    )
    return found


@plan
def set_rss(
    dev: Dev,
    *,
    context: int | None = None,
    indir: Sequence[int] | None = None,
    hkey: bytes | None = None,
    hfunc: int | None = None,
    input_xfrm: RXH_XFRM | int | str | None = None,
) -> Steps[None]:
    """Change how received packets are spread (Linux 6.17).

    `indir` is the table of queues, `hkey` the key of the hash, and `hfunc` a bit of the set
    RSS_HASH_FUNCS.
    """
    words = Words("ethtool.set_rss", locals())
    words.needs_a_change("dev", "context")
    yield messages.rss_set(header=_header(words), **_spread(words))


@plan
def create_rss(
    dev: Dev,
    *,
    context: int | None = None,
    indir: Sequence[int] | None = None,
    hkey: bytes | None = None,
    hfunc: int | None = None,
    input_xfrm: RXH_XFRM | int | str | None = None,
) -> Steps[int]:
    """Create a context, and return its number (Linux 6.17). It accepts what set_rss() does."""
    words = Words("ethtool.create_rss", locals())
    made: RssCreate | None = yield messages.rss_create_act(header=_header(words), **_spread(words))
    assert made is not None and made.context is not None  # ethnl_rss_create_doit
    return made.context


@plan
def delete_rss(dev: Dev, context: int) -> Steps[None]:
    """Delete a context (Linux 6.17)."""
    words = Words("ethtool.delete_rss", locals())
    number = words.integer("context", 1, U32)
    if number is None:
        raise words.expected("context", "an int from 1")
    yield messages.rss_delete_act(header=_header(words), context=number)


def _spread(words: Words) -> dict[str, Any]:
    made: dict[str, Any] = {
        "context": words.integer("context", 0, U32),
        "hfunc": words.integer("hfunc", 0, U32),
        "input_xfrm": words.number("input_xfrm", RXH_XFRM),
    }
    table, key = words.given["indir"], words.given["hkey"]
    if key is not None:
        if not isinstance(key, bytes) or not key:
            raise words.expected("hkey", "the bytes of a key")
        made["hkey"] = key
    if table is not None:
        is_table = isinstance(table, (list, tuple)) and table
        if not is_table or not all(isinstance(one, int) and 0 <= one <= U32 for one in table):
            raise words.expected("indir", "a non-empty list of numbers of queues")
        made["indir"] = tuple(table)
    return {name: value for name, value in made.items() if value is not None}


# --- time stamps and tunnels ----------------------------------------------------------------------


@plan
def timestamping(dev: Dev, *, stats: bool = False) -> Steps[TsInfo]:
    """Return what a device can stamp, and the number of its clock.

    `stats` asks for counters too. A kernel that has none for this op refuses that (EINVAL or
    EOPNOTSUPP).
    """
    words = Words("ethtool.timestamping", locals())
    found: TsInfo = yield messages.tsinfo_get(
        header=_header(words, stats=bool(words.switch("stats")))
    )
    return found


@plan
def timestamp_config(dev: Dev) -> Steps[TsConfig]:
    """Return what a device stamps (Linux 6.14)."""
    found: TsConfig = yield messages.tsconfig_get(
        header=_header(Words("ethtool.timestamp_config", locals()))
    )
    return found


@plan
def set_timestamp_config(
    dev: Dev,
    *,
    tx_types: Bits | None = None,
    rx_filters: Bits | None = None,
    hwtstamp_flags: Bits | None = None,
) -> Steps[None]:
    """Choose what a device stamps (Linux 6.14): each is a dict or a list of names."""
    words = Words("ethtool.set_timestamp_config", locals())
    yield messages.tsconfig_set(**_values(words, messages.TsConfig))


@plan
def phc_vclocks(dev: Dev) -> Steps[PhcVclocks]:
    """Return the virtual clocks of the hardware clock of a device."""
    found: PhcVclocks = yield messages.phc_vclocks_get(
        header=_header(Words("ethtool.phc_vclocks", locals()))
    )
    return found


@plan
def tunnels(dev: Dev) -> Steps[TunnelInfo]:
    """Return the tunnels that a device offloads, with their ports."""
    found: TunnelInfo = yield messages.tunnel_info_get(
        header=_header(Words("ethtool.tunnels", locals()))
    )
    return found


@plan
def fec(dev: Dev, *, stats: bool = False) -> Steps[Fec]:
    """Return forward error correction: what is configured, and what is active.

    `stats` asks for counters too. A kernel that has none for this op refuses that (EINVAL or
    EOPNOTSUPP).
    """
    words = Words("ethtool.fec", locals())
    found: Fec = yield messages.fec_get(header=_header(words, stats=bool(words.switch("stats"))))
    return found


@plan
def set_fec(
    dev: Dev,
    *,
    auto: bool | None = None,
    modes: Bits | None = None,
) -> Steps[None]:
    """Change forward error correction: `modes` is a list such as ["RS"], or a dict."""
    words = Words("ethtool.set_fec", locals())
    yield messages.fec_set(**_values(words, messages.FecSet, ("auto",)))


# --- modules --------------------------------------------------------------------------------------


@plan
def module(dev: Dev) -> Steps[Module]:
    """Return the power of the module in a port."""
    found: Module = yield messages.module_get(header=_header(Words("ethtool.module", locals())))
    return found


@plan
def set_module(
    dev: Dev,
    *,
    power_mode_policy: ETHTOOL_MODULE_POWER_MODE_POLICY | int | str | None = None,
) -> Steps[None]:
    """Choose when the module may use full power: "high" (always) or "auto"."""
    words = Words("ethtool.set_module", locals())
    yield messages.module_set(**_values(words, messages.ModuleSet))


@plan
def module_eeprom(
    dev: Dev,
    *,
    offset: int = 0,
    length: int = EEPROM_PAGE,
    page: int = 0,
    bank: int = 0,
    i2c_address: int = 0x50,
) -> Steps[bytes]:
    """Return bytes of a page of the EEPROM of a module. Requires CAP_NET_ADMIN.

    A page has 256 bytes. Its first half is the same for all pages, so that for a page other than 0
    the offset must be 128 or more. The plan reads in parts, as the kernel requires.
    """
    words = Words("ethtool.module_eeprom", locals())
    start, size = words.integer("offset", 0, 255), words.integer("length", 1, 256)
    if start is None or size is None or start + size > 2 * EEPROM_PAGE:
        raise words.wrong(
            "length", f"a page has 256 bytes, got offset {offset} and length {length}"
        )
    if page and start < EEPROM_PAGE:
        raise words.wrong("offset", f"expected 128 or more for page {page}, got {start}")
    fields = {
        "page": words.integer("page", 0, 255),
        "bank": words.integer("bank", 0, 255),
        "i2c_address": words.integer("i2c_address", 0, 127),
    }
    for name, value in fields.items():
        if value is None:
            raise words.expected(name, "a number")
    header, end = _header(words), start + size
    data = b""
    while start < end:
        half = EEPROM_PAGE if start < EEPROM_PAGE else 2 * EEPROM_PAGE
        part: ModuleEeprom = yield messages.module_eeprom_get(
            header=header, offset=start, length=min(end, half) - start, **fields
        )
        data += part.data or b""
        start = min(end, half)
    return data


@plan(sequence=True)
def flash_module(
    dev: Dev, file_name: str, *, password: int | None = None, timeout: float = 600
) -> Steps[None]:
    """Write a file below /lib/firmware to a module, and wait until the module runs it.

    Raises NetlinkError with the message of the driver if that fails, and TimeoutError if there is
    no news for `timeout` seconds.
    """
    words = Words("ethtool.flash_module", locals())
    name, header = words.text("file_name"), _header(words)
    if name is None:
        raise words.expected("file_name", "the name of a file")
    number = words.integer("password", 0, U32)
    yield listen("monitor")
    yield messages.module_fw_flash_act(header=header, file_name=name, password=number)
    status = ETHTOOL_MODULE_FW_FLASH_STATUS
    ends = (
        status.ETHTOOL_MODULE_FW_FLASH_STATUS_COMPLETED,
        status.ETHTOOL_MODULE_FW_FLASH_STATUS_ERROR,
    )
    while True:
        event: ModuleFlashNtf = yield wait(_about(ModuleFlashNtf, header), timeout)
        if event.status in ends:
            break
    if event.status == ends[1]:
        raise NetlinkError(f"ethtool.flash_module: the module refused: {event.status_msg}")


def _about(cls: type[Message], header: Mapping[str, Any]) -> Any:
    """Return whether an event has a class and is about the device of a header."""

    def matches(event: Any) -> bool:
        if not isinstance(event, cls):
            return False
        one: Any = event
        return one.header is not None and all(
            getattr(one.header, name) == value for name, value in header.items()
        )

    return matches


# --- counters, cables and the rest ----------------------------------------------------------------


@plan
def statistics(
    dev: Dev, *groups: str, src: ETHTOOL_MAC_STATS_SRC | int | str | None = None
) -> Steps[dict[str, Counters]]:
    """Return standard counters by group: "eth-phy", "eth-mac", "eth-ctrl", "rmon" and "phydev".

    Without groups, all groups that the kernel knows are asked for. A driver reports few of them,
    and the counters that it does not have are left out.
    """
    words = Words("ethtool.statistics", {"dev": dev, "groups": groups, "src": src})
    header = _header(words)
    names: dict[int, tuple[str, ...]] = yield string_sets()
    known = names.get(ETH_SS.ETH_SS_STATS_STD, ())
    for group in groups:
        if group not in known:
            words.refuse(f"has no group {group!r}; {near(str(group), dict.fromkeys(known))}")
    bits = [{"name": name} for name in groups or known]
    answer: Stats = yield messages.stats_get(
        header=header,
        groups={"nomask": True, "bits": {"bit": bits}},
        src=words.number("src", ETHTOOL_MAC_STATS_SRC),
    )
    found: dict[str, Counters] = {}
    for part in answer.grp:
        number = int(part.id or 0)
        strings = names.get(int(part.ss_id or 0), ())
        counters = {
            strings[place] if place < len(strings) else f"#{place}": value
            for stat in part.stat
            for place, value in stat.items()
        }
        hists = (
            {(one.hist_bkt_low or 0, one.hist_bkt_hi or 0): one.hist_val or 0 for one in hist}
            for hist in (part.hist_rx, part.hist_tx)
        )
        title = known[number] if number < len(known) else f"#{number}"
        found[title] = Counters(counters, *hists)
    return found


@plan(sequence=True)
def cable_test(dev: Dev, *, timeout: float = 60) -> Steps[CableTestNtf]:
    """Test the cable of a device, and return the result of each pair. The link goes down meanwhile.

    Raises TimeoutError if the PHY does not finish within `timeout` seconds.
    """
    words = Words("ethtool.cable_test", locals())
    header = _header(words)
    yield listen("monitor")
    yield messages.cable_test_act(header=header)
    found: CableTestNtf = yield from _completed(CableTestNtf, header, timeout)
    return found


@plan(sequence=True)
def cable_test_tdr(
    dev: Dev,
    *,
    first: int | None = None,
    last: int | None = None,
    step: int | None = None,
    pair: int | None = None,
    timeout: float = 60,
) -> Steps[CableTdrNtf]:
    """Measure the echoes of a cable, from `first` to `last` in steps of centimetres.

    `pair` is 0 to 3, by default all. Errors are those of cable_test().
    """
    words = Words("ethtool.cable_test_tdr", locals())
    header = _header(words)
    cfg = {name: words.integer(name, 0, U32) for name in ("first", "last", "step")}
    cfg["pair"] = words.integer("pair", 0, 3)
    given = {name: value for name, value in cfg.items() if value is not None}
    yield listen("monitor")
    yield messages.cable_test_tdr_act(header=header, **({"cfg": given} if given else {}))
    found: CableTdrNtf = yield from _completed(CableTdrNtf, header, timeout)
    return found


def _completed(cls: Any, header: Mapping[str, Any], timeout: float) -> Steps[Any]:
    matches = _about(cls, header)
    done = ETHTOOL_A_CABLE_TEST_NTF_STATUS.ETHTOOL_A_CABLE_TEST_NTF_STATUS_COMPLETED
    return (yield wait(lambda event: matches(event) and event.status == done, timeout))


@plan
def power(dev: Dev) -> Steps[Pse]:
    """Return the state of power over the cable."""
    found: Pse = yield messages.pse_get(header=_header(Words("ethtool.power", locals())))
    return found


@plan
def set_power(
    dev: Dev,
    *,
    podl: bool | None = None,
    c33: bool | None = None,
    limit: int | None = None,
    priority: int | None = None,
) -> Steps[None]:
    """Switch power over data lines (`podl`) or over Ethernet (`c33`), or change its limit.

    The limit is milliwatts. 0 is the highest priority.
    """
    words = Words("ethtool.set_power", locals())
    words.needs_a_change("dev")
    # ETHTOOL_PODL_PSE_ADMIN_STATE and ETHTOOL_C33_PSE_ADMIN_STATE: 2 is disabled, 3 is enabled.
    states = {None: None, False: 2, True: 3}
    yield messages.pse_set(
        pse_header=_header(words),
        podl_pse_admin_control=states[words.switch("podl")],
        c33_pse_admin_control=states[words.switch("c33")],
        c33_pse_avail_pw_limit=words.integer("limit", 0, U32),
        pse_prio=words.integer("priority", 0, U32),
    )


@plan
def plca(dev: Dev) -> Steps[Plca]:
    """Return the settings of collision avoidance (10BASE-T1S)."""
    found: Plca = yield messages.plca_get_cfg(header=_header(Words("ethtool.plca", locals())))
    return found


@plan
def plca_status(dev: Dev) -> Steps[Plca]:
    """Return whether collision avoidance works."""
    found: Plca = yield messages.plca_get_status(
        header=_header(Words("ethtool.plca_status", locals()))
    )
    return found


@plan
def set_plca(
    dev: Dev,
    *,
    enabled: bool | None = None,
    node_cnt: int | None = None,
    node_id: int | None = None,
    to_tmr: int | None = None,
    burst_cnt: int | None = None,
    burst_tmr: int | None = None,
) -> Steps[None]:
    """Change collision avoidance. The timers are bit times."""
    words = Words("ethtool.set_plca", locals())
    yield messages.plca_set_cfg(**_values(words, messages.PlcaSet, ("enabled",)))


@plan
def preemption(dev: Dev, *, stats: bool = False) -> Steps[Mm]:
    """Return the settings of frame preemption (MAC merge).

    `stats` asks for counters too. A kernel that has none for this op refuses that (EINVAL or
    EOPNOTSUPP).
    """
    words = Words("ethtool.preemption", locals())
    found: Mm = yield messages.mm_get(header=_header(words, stats=bool(words.switch("stats"))))
    return found


@plan
def set_preemption(
    dev: Dev,
    *,
    pmac_enabled: bool | None = None,
    tx_enabled: bool | None = None,
    tx_min_frag_size: int | None = None,
    verify_enabled: bool | None = None,
    verify_time: int | None = None,
) -> Steps[None]:
    """Change frame preemption. The size is bytes, the time milliseconds."""
    words = Words("ethtool.set_preemption", locals())
    yield messages.mm_set(
        **_values(
            words,
            messages.MmSet,
            (
                "pmac_enabled",
                "tx_enabled",
                "verify_enabled",
            ),
        )
    )


@plan
def phys(dev: Dev) -> Steps[list[Phy]]:
    """Return the PHYs of a device (Linux 6.12)."""
    header = _header(Words("ethtool.phys", locals()))
    found: list[Phy] = yield messages.phy_get(header=header).dump()
    return [one for one in found if _about(Phy, header)(one)]
