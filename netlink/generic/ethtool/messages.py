"""The messages, ops and groups of ethtool.

Numbers are those of Linux 6.18 (linux/ethtool_netlink_generated.h, linux/ethtool.h). This file has
declarations only; the plans are in __init__.py. A class NameSet has what the kernel accepts in a
change, and the class Name adds what only answers and notifications have. The kernel numbers what it
sends differently from requests.
"""

from __future__ import annotations

from collections.abc import Mapping

from netlink import schema
from netlink.constants import KernelEnum, KernelFlag
from netlink.family import Family, Op
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    be16,
    binary,
    flag,
    mapping,
    nest,
    repeated,
    s16,
    s32,
    scalars,
    string,
    u8,
    u16,
    u32,
    u64,
    uint,
)

ALTIFNAMSIZ = 128  # bytes of a name of a link, with the NUL (linux/if.h)


class ETHTOOL_MSG_USER(KernelEnum, prefix="ETHTOOL_MSG_"):
    """Commands of requests."""

    ETHTOOL_MSG_STRSET_GET = 1
    ETHTOOL_MSG_LINKINFO_GET = 2
    ETHTOOL_MSG_LINKINFO_SET = 3
    ETHTOOL_MSG_LINKMODES_GET = 4
    ETHTOOL_MSG_LINKMODES_SET = 5
    ETHTOOL_MSG_LINKSTATE_GET = 6
    ETHTOOL_MSG_DEBUG_GET = 7
    ETHTOOL_MSG_DEBUG_SET = 8
    ETHTOOL_MSG_WOL_GET = 9
    ETHTOOL_MSG_WOL_SET = 10
    ETHTOOL_MSG_FEATURES_GET = 11
    ETHTOOL_MSG_FEATURES_SET = 12
    ETHTOOL_MSG_PRIVFLAGS_GET = 13
    ETHTOOL_MSG_PRIVFLAGS_SET = 14
    ETHTOOL_MSG_RINGS_GET = 15
    ETHTOOL_MSG_RINGS_SET = 16
    ETHTOOL_MSG_CHANNELS_GET = 17
    ETHTOOL_MSG_CHANNELS_SET = 18
    ETHTOOL_MSG_COALESCE_GET = 19
    ETHTOOL_MSG_COALESCE_SET = 20
    ETHTOOL_MSG_PAUSE_GET = 21
    ETHTOOL_MSG_PAUSE_SET = 22
    ETHTOOL_MSG_EEE_GET = 23
    ETHTOOL_MSG_EEE_SET = 24
    ETHTOOL_MSG_TSINFO_GET = 25
    ETHTOOL_MSG_CABLE_TEST_ACT = 26
    ETHTOOL_MSG_CABLE_TEST_TDR_ACT = 27
    ETHTOOL_MSG_TUNNEL_INFO_GET = 28
    ETHTOOL_MSG_FEC_GET = 29
    ETHTOOL_MSG_FEC_SET = 30
    ETHTOOL_MSG_MODULE_EEPROM_GET = 31
    ETHTOOL_MSG_STATS_GET = 32
    ETHTOOL_MSG_PHC_VCLOCKS_GET = 33
    ETHTOOL_MSG_MODULE_GET = 34
    ETHTOOL_MSG_MODULE_SET = 35
    ETHTOOL_MSG_PSE_GET = 36
    ETHTOOL_MSG_PSE_SET = 37
    ETHTOOL_MSG_RSS_GET = 38
    ETHTOOL_MSG_PLCA_GET_CFG = 39
    ETHTOOL_MSG_PLCA_SET_CFG = 40
    ETHTOOL_MSG_PLCA_GET_STATUS = 41
    ETHTOOL_MSG_MM_GET = 42
    ETHTOOL_MSG_MM_SET = 43
    ETHTOOL_MSG_MODULE_FW_FLASH_ACT = 44
    ETHTOOL_MSG_PHY_GET = 45
    ETHTOOL_MSG_TSCONFIG_GET = 46
    ETHTOOL_MSG_TSCONFIG_SET = 47
    ETHTOOL_MSG_RSS_SET = 48
    ETHTOOL_MSG_RSS_CREATE_ACT = 49
    ETHTOOL_MSG_RSS_DELETE_ACT = 50


class ETHTOOL_MSG_KERNEL(KernelEnum, prefix="ETHTOOL_MSG_"):
    """Commands of answers and notifications."""

    ETHTOOL_MSG_STRSET_GET_REPLY = 1
    ETHTOOL_MSG_LINKINFO_GET_REPLY = 2
    ETHTOOL_MSG_LINKINFO_NTF = 3
    ETHTOOL_MSG_LINKMODES_GET_REPLY = 4
    ETHTOOL_MSG_LINKMODES_NTF = 5
    ETHTOOL_MSG_LINKSTATE_GET_REPLY = 6
    ETHTOOL_MSG_DEBUG_GET_REPLY = 7
    ETHTOOL_MSG_DEBUG_NTF = 8
    ETHTOOL_MSG_WOL_GET_REPLY = 9
    ETHTOOL_MSG_WOL_NTF = 10
    ETHTOOL_MSG_FEATURES_GET_REPLY = 11
    ETHTOOL_MSG_FEATURES_SET_REPLY = 12
    ETHTOOL_MSG_FEATURES_NTF = 13
    ETHTOOL_MSG_PRIVFLAGS_GET_REPLY = 14
    ETHTOOL_MSG_PRIVFLAGS_NTF = 15
    ETHTOOL_MSG_RINGS_GET_REPLY = 16
    ETHTOOL_MSG_RINGS_NTF = 17
    ETHTOOL_MSG_CHANNELS_GET_REPLY = 18
    ETHTOOL_MSG_CHANNELS_NTF = 19
    ETHTOOL_MSG_COALESCE_GET_REPLY = 20
    ETHTOOL_MSG_COALESCE_NTF = 21
    ETHTOOL_MSG_PAUSE_GET_REPLY = 22
    ETHTOOL_MSG_PAUSE_NTF = 23
    ETHTOOL_MSG_EEE_GET_REPLY = 24
    ETHTOOL_MSG_EEE_NTF = 25
    ETHTOOL_MSG_TSINFO_GET_REPLY = 26
    ETHTOOL_MSG_CABLE_TEST_NTF = 27
    ETHTOOL_MSG_CABLE_TEST_TDR_NTF = 28
    ETHTOOL_MSG_TUNNEL_INFO_GET_REPLY = 29
    ETHTOOL_MSG_FEC_GET_REPLY = 30
    ETHTOOL_MSG_FEC_NTF = 31
    ETHTOOL_MSG_MODULE_EEPROM_GET_REPLY = 32
    ETHTOOL_MSG_STATS_GET_REPLY = 33
    ETHTOOL_MSG_PHC_VCLOCKS_GET_REPLY = 34
    ETHTOOL_MSG_MODULE_GET_REPLY = 35
    ETHTOOL_MSG_MODULE_NTF = 36
    ETHTOOL_MSG_PSE_GET_REPLY = 37
    ETHTOOL_MSG_RSS_GET_REPLY = 38
    ETHTOOL_MSG_PLCA_GET_CFG_REPLY = 39
    ETHTOOL_MSG_PLCA_GET_STATUS_REPLY = 40
    ETHTOOL_MSG_PLCA_NTF = 41
    ETHTOOL_MSG_MM_GET_REPLY = 42
    ETHTOOL_MSG_MM_NTF = 43
    ETHTOOL_MSG_MODULE_FW_FLASH_NTF = 44
    ETHTOOL_MSG_PHY_GET_REPLY = 45
    ETHTOOL_MSG_PHY_NTF = 46
    ETHTOOL_MSG_TSCONFIG_GET_REPLY = 47
    ETHTOOL_MSG_TSCONFIG_SET_REPLY = 48
    ETHTOOL_MSG_PSE_NTF = 49
    ETHTOOL_MSG_RSS_NTF = 50
    ETHTOOL_MSG_RSS_CREATE_ACT_REPLY = 51
    ETHTOOL_MSG_RSS_CREATE_NTF = 52
    ETHTOOL_MSG_RSS_DELETE_NTF = 53


class ETHTOOL_FLAG(KernelFlag):
    """Flags of a request."""

    ETHTOOL_FLAG_COMPACT_BITSETS = 0x1
    ETHTOOL_FLAG_OMIT_REPLY = 0x2
    ETHTOOL_FLAG_STATS = 0x4
    ETHTOOL_FLAG_ALL = 0x7


class ETH_SS(KernelEnum):
    """Sets of strings. Those of a device are TEST, STATS, PRIV_FLAGS and PHY_STATS."""

    ETH_SS_TEST = 0
    ETH_SS_STATS = 1
    ETH_SS_PRIV_FLAGS = 2
    ETH_SS_NTUPLE_FILTERS = 3
    ETH_SS_FEATURES = 4
    ETH_SS_RSS_HASH_FUNCS = 5
    ETH_SS_TUNABLES = 6
    ETH_SS_PHY_STATS = 7
    ETH_SS_PHY_TUNABLES = 8
    ETH_SS_LINK_MODES = 9
    ETH_SS_MSG_CLASSES = 10
    ETH_SS_WOL_MODES = 11
    ETH_SS_SOF_TIMESTAMPING = 12
    ETH_SS_TS_TX_TYPES = 13
    ETH_SS_TS_RX_FILTERS = 14
    ETH_SS_UDP_TUNNEL_TYPES = 15
    ETH_SS_STATS_STD = 16
    ETH_SS_STATS_ETH_PHY = 17
    ETH_SS_STATS_ETH_MAC = 18
    ETH_SS_STATS_ETH_CTRL = 19
    ETH_SS_STATS_RMON = 20
    ETH_SS_STATS_PHY = 21
    ETH_SS_TS_FLAGS = 22


class PORT(KernelEnum):
    """Connectors."""

    PORT_TP = 0
    PORT_AUI = 1
    PORT_MII = 2
    PORT_FIBRE = 3
    PORT_BNC = 4
    PORT_DA = 5
    PORT_NONE = 239
    PORT_OTHER = 255


class DUPLEX(KernelEnum):
    """Directions at a time."""

    DUPLEX_HALF = 0
    DUPLEX_FULL = 1
    DUPLEX_UNKNOWN = 255


class ETH_TP_MDI(KernelEnum, prefix=("ETH_TP_MDI_", "ETH_TP_")):
    """Crossing of a twisted pair."""

    ETH_TP_MDI_INVALID = 0
    ETH_TP_MDI = 1
    ETH_TP_MDI_X = 2
    ETH_TP_MDI_AUTO = 3


class XCVR(KernelEnum):
    """Transceivers."""

    XCVR_INTERNAL = 0
    XCVR_EXTERNAL = 1
    XCVR_DUMMY1 = 2
    XCVR_DUMMY2 = 3
    XCVR_DUMMY3 = 4


class MASTER_SLAVE_CFG(KernelEnum):
    """What a port should be."""

    MASTER_SLAVE_CFG_UNSUPPORTED = 0
    MASTER_SLAVE_CFG_UNKNOWN = 1
    MASTER_SLAVE_CFG_MASTER_PREFERRED = 2
    MASTER_SLAVE_CFG_SLAVE_PREFERRED = 3
    MASTER_SLAVE_CFG_MASTER_FORCE = 4
    MASTER_SLAVE_CFG_SLAVE_FORCE = 5


class MASTER_SLAVE_STATE(KernelEnum):
    """What a port is."""

    MASTER_SLAVE_STATE_UNSUPPORTED = 0
    MASTER_SLAVE_STATE_UNKNOWN = 1
    MASTER_SLAVE_STATE_MASTER = 2
    MASTER_SLAVE_STATE_SLAVE = 3
    MASTER_SLAVE_STATE_ERR = 4


class RATE_MATCH(KernelEnum):
    """How a PHY adapts the rate."""

    RATE_MATCH_NONE = 0
    RATE_MATCH_PAUSE = 1
    RATE_MATCH_CRS = 2
    RATE_MATCH_OPEN_LOOP = 3


class ETHTOOL_LINK_EXT_STATE(KernelEnum):
    """Why a link is down."""

    ETHTOOL_LINK_EXT_STATE_AUTONEG = 0
    ETHTOOL_LINK_EXT_STATE_LINK_TRAINING_FAILURE = 1
    ETHTOOL_LINK_EXT_STATE_LINK_LOGICAL_MISMATCH = 2
    ETHTOOL_LINK_EXT_STATE_BAD_SIGNAL_INTEGRITY = 3
    ETHTOOL_LINK_EXT_STATE_NO_CABLE = 4
    ETHTOOL_LINK_EXT_STATE_CABLE_ISSUE = 5
    ETHTOOL_LINK_EXT_STATE_EEPROM_ISSUE = 6
    ETHTOOL_LINK_EXT_STATE_CALIBRATION_FAILURE = 7
    ETHTOOL_LINK_EXT_STATE_POWER_BUDGET_EXCEEDED = 8
    ETHTOOL_LINK_EXT_STATE_OVERHEAT = 9
    ETHTOOL_LINK_EXT_STATE_MODULE = 10
    ETHTOOL_LINK_EXT_STATE_OTP_SPEED_VIOLATION = 11
    ETHTOOL_LINK_EXT_STATE_BMC_REQUEST_DOWN = 12


class ETHTOOL_TCP_DATA_SPLIT(KernelEnum):
    """Whether headers and data are received into different buffers."""

    ETHTOOL_TCP_DATA_SPLIT_UNKNOWN = 0
    ETHTOOL_TCP_DATA_SPLIT_DISABLED = 1
    ETHTOOL_TCP_DATA_SPLIT_ENABLED = 2


class ETHTOOL_MAC_STATS_SRC(KernelEnum):
    """Which MAC counts."""

    ETHTOOL_MAC_STATS_SRC_AGGREGATE = 0
    ETHTOOL_MAC_STATS_SRC_EMAC = 1
    ETHTOOL_MAC_STATS_SRC_PMAC = 2


class ETHTOOL_UDP_TUNNEL_TYPE(KernelEnum):
    """Tunnels over UDP."""

    ETHTOOL_UDP_TUNNEL_TYPE_VXLAN = 0
    ETHTOOL_UDP_TUNNEL_TYPE_GENEVE = 1
    ETHTOOL_UDP_TUNNEL_TYPE_VXLAN_GPE = 2


class ETHTOOL_MODULE_POWER_MODE_POLICY(KernelEnum):
    """When a module may use full power."""

    ETHTOOL_MODULE_POWER_MODE_POLICY_HIGH = 1
    ETHTOOL_MODULE_POWER_MODE_POLICY_AUTO = 2


class ETHTOOL_MODULE_POWER_MODE(KernelEnum):
    """The power of a module."""

    ETHTOOL_MODULE_POWER_MODE_LOW = 1
    ETHTOOL_MODULE_POWER_MODE_HIGH = 2


class ETHTOOL_MODULE_FW_FLASH_STATUS(KernelEnum):
    """The progress of an update of a module."""

    ETHTOOL_MODULE_FW_FLASH_STATUS_STARTED = 1
    ETHTOOL_MODULE_FW_FLASH_STATUS_IN_PROGRESS = 2
    ETHTOOL_MODULE_FW_FLASH_STATUS_COMPLETED = 3
    ETHTOOL_MODULE_FW_FLASH_STATUS_ERROR = 4


class ETHTOOL_PODL_PSE_ADMIN_STATE(KernelEnum):
    """Whether power over data lines is on."""

    ETHTOOL_PODL_PSE_ADMIN_STATE_UNKNOWN = 1
    ETHTOOL_PODL_PSE_ADMIN_STATE_DISABLED = 2
    ETHTOOL_PODL_PSE_ADMIN_STATE_ENABLED = 3


class ETHTOOL_PODL_PSE_PW_D_STATUS(KernelEnum):
    """The state of power over data lines."""

    ETHTOOL_PODL_PSE_PW_D_STATUS_UNKNOWN = 1
    ETHTOOL_PODL_PSE_PW_D_STATUS_DISABLED = 2
    ETHTOOL_PODL_PSE_PW_D_STATUS_SEARCHING = 3
    ETHTOOL_PODL_PSE_PW_D_STATUS_DELIVERING = 4
    ETHTOOL_PODL_PSE_PW_D_STATUS_SLEEP = 5
    ETHTOOL_PODL_PSE_PW_D_STATUS_IDLE = 6
    ETHTOOL_PODL_PSE_PW_D_STATUS_ERROR = 7


class ETHTOOL_C33_PSE_ADMIN_STATE(KernelEnum):
    """Whether power over Ethernet is on."""

    ETHTOOL_C33_PSE_ADMIN_STATE_UNKNOWN = 1
    ETHTOOL_C33_PSE_ADMIN_STATE_DISABLED = 2
    ETHTOOL_C33_PSE_ADMIN_STATE_ENABLED = 3


class ETHTOOL_C33_PSE_PW_D_STATUS(KernelEnum):
    """The state of power over Ethernet."""

    ETHTOOL_C33_PSE_PW_D_STATUS_UNKNOWN = 1
    ETHTOOL_C33_PSE_PW_D_STATUS_DISABLED = 2
    ETHTOOL_C33_PSE_PW_D_STATUS_SEARCHING = 3
    ETHTOOL_C33_PSE_PW_D_STATUS_DELIVERING = 4
    ETHTOOL_C33_PSE_PW_D_STATUS_TEST = 5
    ETHTOOL_C33_PSE_PW_D_STATUS_FAULT = 6
    ETHTOOL_C33_PSE_PW_D_STATUS_OTHERFAULT = 7


class ETHTOOL_C33_PSE_EXT_STATE(KernelEnum):
    """Why there is no power."""

    ETHTOOL_C33_PSE_EXT_STATE_ERROR_CONDITION = 1
    ETHTOOL_C33_PSE_EXT_STATE_MR_MPS_VALID = 2
    ETHTOOL_C33_PSE_EXT_STATE_MR_PSE_ENABLE = 3
    ETHTOOL_C33_PSE_EXT_STATE_OPTION_DETECT_TED = 4
    ETHTOOL_C33_PSE_EXT_STATE_OPTION_VPORT_LIM = 5
    ETHTOOL_C33_PSE_EXT_STATE_OVLD_DETECTED = 6
    ETHTOOL_C33_PSE_EXT_STATE_PD_DLL_POWER_TYPE = 7
    ETHTOOL_C33_PSE_EXT_STATE_POWER_NOT_AVAILABLE = 8
    ETHTOOL_C33_PSE_EXT_STATE_SHORT_DETECTED = 9


class ETHTOOL_MM_VERIFY_STATUS(KernelEnum):
    """Whether the peer can preempt frames."""

    ETHTOOL_MM_VERIFY_STATUS_UNKNOWN = 0
    ETHTOOL_MM_VERIFY_STATUS_INITIAL = 1
    ETHTOOL_MM_VERIFY_STATUS_VERIFYING = 2
    ETHTOOL_MM_VERIFY_STATUS_SUCCEEDED = 3
    ETHTOOL_MM_VERIFY_STATUS_FAILED = 4
    ETHTOOL_MM_VERIFY_STATUS_DISABLED = 5


class HWTSTAMP_SOURCE(KernelEnum):
    """What takes time stamps."""

    HWTSTAMP_SOURCE_NETDEV = 1
    HWTSTAMP_SOURCE_PHYLIB = 2


class PHY_UPSTREAM(KernelEnum):
    """What a PHY is connected to."""

    PHY_UPSTREAM_MAC = 0
    PHY_UPSTREAM_PHY = 1


class ETHTOOL_STATS(KernelEnum):
    """Groups of standard counters."""

    ETHTOOL_STATS_ETH_PHY = 0
    ETHTOOL_STATS_ETH_MAC = 1
    ETHTOOL_STATS_ETH_CTRL = 2
    ETHTOOL_STATS_RMON = 3
    ETHTOOL_STATS_PHY = 4


class ETHTOOL_A_CABLE_PAIR(KernelEnum):
    """Pairs of a cable."""

    ETHTOOL_A_CABLE_PAIR_A = 0
    ETHTOOL_A_CABLE_PAIR_B = 1
    ETHTOOL_A_CABLE_PAIR_C = 2
    ETHTOOL_A_CABLE_PAIR_D = 3


class ETHTOOL_A_CABLE_RESULT_CODE(KernelEnum):
    """The result of a test of a pair."""

    ETHTOOL_A_CABLE_RESULT_CODE_UNSPEC = 0
    ETHTOOL_A_CABLE_RESULT_CODE_OK = 1
    ETHTOOL_A_CABLE_RESULT_CODE_OPEN = 2
    ETHTOOL_A_CABLE_RESULT_CODE_SAME_SHORT = 3
    ETHTOOL_A_CABLE_RESULT_CODE_CROSS_SHORT = 4
    ETHTOOL_A_CABLE_RESULT_CODE_IMPEDANCE_MISMATCH = 5
    ETHTOOL_A_CABLE_RESULT_CODE_NOISE = 6
    ETHTOOL_A_CABLE_RESULT_CODE_RESOLUTION_NOT_POSSIBLE = 7


class ETHTOOL_A_CABLE_INF_SRC(KernelEnum):
    """How a test measures."""

    ETHTOOL_A_CABLE_INF_SRC_UNSPEC = 0
    ETHTOOL_A_CABLE_INF_SRC_TDR = 1
    ETHTOOL_A_CABLE_INF_SRC_ALCD = 2


class ETHTOOL_A_CABLE_TEST_NTF_STATUS(KernelEnum):
    """The progress of a test."""

    ETHTOOL_A_CABLE_TEST_NTF_STATUS_UNSPEC = 0
    ETHTOOL_A_CABLE_TEST_NTF_STATUS_STARTED = 1
    ETHTOOL_A_CABLE_TEST_NTF_STATUS_COMPLETED = 2


class RXH(KernelFlag):
    """What the hash of a flow covers."""

    RXH_L2DA = 0x2
    RXH_VLAN = 0x4
    RXH_L3_PROTO = 0x8
    RXH_IP_SRC = 0x10
    RXH_IP_DST = 0x20
    RXH_L4_B_0_1 = 0x40
    RXH_L4_B_2_3 = 0x80
    RXH_GTP_TEID = 0x100
    RXH_IP6_FL = 0x200
    RXH_DISCARD = 0x80000000


class RXH_XFRM(KernelEnum):
    """How the input of the hash is transformed."""

    RXH_XFRM_SYM_XOR = 1
    RXH_XFRM_SYM_OR_XOR = 2
    RXH_XFRM_NO_CHANGE = 255


# --- devices, strings and sets of bits ------------------------------------------------------------


class Header(Message):
    """The device of a message: ETHTOOL_A_HEADER_*. The kernel ignores the device of most dumps."""

    dev_index: int | None = u32(1)
    dev_name: str | None = string(2, size=ALTIFNAMSIZ)
    flags: Named[ETHTOOL_FLAG | int | None] = u32(3, enum=ETHTOOL_FLAG)
    phy_index: int | None = u32(4)


class Bit(Message):
    """A bit with its name: ETHTOOL_A_BITSET_BIT_*."""

    index: int | None = u32(1)
    name: str | None = string(2)
    value: bool = flag(3)


class Bits(Message):
    """ETHTOOL_A_BITSET_BITS_*."""

    bit: Several[Bit] = repeated(1, Bit)


Strings = Mapping[int, tuple[str, ...]]  # names of bits, by ETH_SS and position


class Bitset(Message):
    """A set of bits, verbose or compact: ETHTOOL_A_BITSET_*.

    A verbose set has `bits`, with their names. A compact set has `value`, and `mask` unless it is a
    list; notifications are always compact. `nomask` marks a list: other bits are not set. Without
    it, bits that are not in the mask are not stated.
    """

    nomask: bool = flag(1)
    size: int | None = u32(2)
    bits: Nested[Bits] = nest(3, Bits)
    value: bytes | None = binary(4)
    mask: bytes | None = binary(5)

    @property
    def strings(self) -> int | None:
        """The set of strings that has the names of the bits (ETH_SS), if it is known."""
        return STRINGS.get(type(self))

    def states(self, names: Strings | None = None) -> dict[str, bool]:
        """Return the stated bits by name. A list states only bits that are set.

        A compact set needs `names`, which the plan string_sets() returns; without them the names
        are positions: "#5". So is the name of a bit that has none.
        """
        if self.value is None:
            bits = () if self.bits is None else self.bits.bit
            return {bit.name or f"#{bit.index}": bit.value or self.nomask for bit in bits}
        known = () if names is None or self.strings is None else names.get(self.strings, ())
        value = _number(self.value)
        mask = value if self.mask is None else _number(self.mask)
        return {
            (known[place : place + 1] or ("",))[0] or f"#{place}": bool(value >> place & 1)
            for place in range(mask.bit_length())
            if mask >> place & 1
        }

    def on(self, names: Strings | None = None) -> tuple[str, ...]:
        """Return the names of the bits that are set, in the order of the kernel."""
        return tuple(name for name, is_set in self.states(names).items() if is_set)


def _number(words: bytes) -> int:
    """Return the bits of 32-bit words in host order, the lowest first."""
    parts = memoryview(words[: len(words) // 4 * 4]).cast("I")
    return sum(word << 32 * place for place, word in enumerate(parts))


class FeatureBits(Bitset):
    """Features of a device: ETHTOOL_A_BITSET_*."""


class LinkModeBits(Bitset):
    """Link modes: a speed and a medium each: ETHTOOL_A_BITSET_*."""


class MessageBits(Bitset):
    """Classes of debug messages: ETHTOOL_A_BITSET_*."""


class WolBits(Bitset):
    """What wakes a machine: ETHTOOL_A_BITSET_*."""


class PrivateBits(Bitset):
    """Private flags of a driver: ETHTOOL_A_BITSET_*."""


class TimestampingBits(Bitset):
    """Ways to take time stamps: ETHTOOL_A_BITSET_*."""


class TxTypeBits(Bitset):
    """Which sent packets get time stamps: ETHTOOL_A_BITSET_*."""


class RxFilterBits(Bitset):
    """Which received packets get time stamps: ETHTOOL_A_BITSET_*."""


class TimestampFlagBits(Bitset):
    """Flags of time stamping: ETHTOOL_A_BITSET_*."""


class TunnelBits(Bitset):
    """Kinds of tunnels: ETHTOOL_A_BITSET_*."""


class StatsBits(Bitset):
    """Groups of counters: ETHTOOL_A_BITSET_*."""


STRINGS: dict[type[Bitset], ETH_SS] = {
    FeatureBits: ETH_SS.ETH_SS_FEATURES,
    LinkModeBits: ETH_SS.ETH_SS_LINK_MODES,
    MessageBits: ETH_SS.ETH_SS_MSG_CLASSES,
    WolBits: ETH_SS.ETH_SS_WOL_MODES,
    PrivateBits: ETH_SS.ETH_SS_PRIV_FLAGS,
    TimestampingBits: ETH_SS.ETH_SS_SOF_TIMESTAMPING,
    TxTypeBits: ETH_SS.ETH_SS_TS_TX_TYPES,
    RxFilterBits: ETH_SS.ETH_SS_TS_RX_FILTERS,
    TimestampFlagBits: ETH_SS.ETH_SS_TS_FLAGS,
    TunnelBits: ETH_SS.ETH_SS_UDP_TUNNEL_TYPES,
    StatsBits: ETH_SS.ETH_SS_STATS_STD,
}


# --- strings --------------------------------------------------------------------------------------


class String(Message):
    """A string of a set: ETHTOOL_A_STRING_*."""

    index: int | None = u32(1)
    value: str | None = string(2)


class StringList(Message):
    """ETHTOOL_A_STRINGS_*."""

    string: Several[String] = repeated(1, String)


class StringSet(Message):
    """A set of strings, or only its size: ETHTOOL_A_STRINGSET_*."""

    id: Named[ETH_SS | int | None] = u32(1, enum=ETH_SS)
    count: int | None = u32(2)
    strings: Nested[StringList] = nest(3, StringList)


class StringSets(Message):
    """ETHTOOL_A_STRINGSETS_*."""

    stringset: Several[StringSet] = repeated(1, StringSet)


class StrSet(Message):
    """Sets of strings: ETHTOOL_A_STRSET_*. Without a device, those of all devices.

    `counts_only` works for stated sets only; without them, the kernel ignores it (Linux 6.18).
    """

    header: Nested[Header] = nest(1, Header)
    stringsets: Nested[StringSets] = nest(2, StringSets)
    counts_only: bool = flag(3)


class Query(Message):
    """A request that names a device only: ETHTOOL_A_*_HEADER."""

    header: Nested[Header] = nest(1, Header)


# --- links ----------------------------------------------------------------------------------------


class LinkInfoSet(Message):
    """The connector of a link: ETHTOOL_A_LINKINFO_*."""

    header: Nested[Header] = nest(1, Header)
    port: Named[PORT | int | None] = u8(2, enum=PORT)
    phyaddr: int | None = u8(3)
    tp_mdix_ctrl: Named[ETH_TP_MDI | int | None] = u8(5, enum=ETH_TP_MDI)


class LinkInfo(LinkInfoSet):
    """The connector of a link: ETHTOOL_A_LINKINFO_*."""

    tp_mdix: Named[ETH_TP_MDI | int | None] = u8(4, enum=ETH_TP_MDI)
    transceiver: Named[XCVR | int | None] = u8(6, enum=XCVR)


class LinkModesSet(Message):
    """Speed, duplex and modes to advertise: ETHTOOL_A_LINKMODES_*. The speed is Mb/s."""

    header: Nested[Header] = nest(1, Header)
    autoneg: int | None = u8(2)
    ours: Nested[LinkModeBits] = nest(3, LinkModeBits)
    speed: int | None = u32(5)
    duplex: Named[DUPLEX | int | None] = u8(6, enum=DUPLEX)
    master_slave_cfg: Named[MASTER_SLAVE_CFG | int | None] = u8(7, enum=MASTER_SLAVE_CFG)
    lanes: int | None = u32(9, least=1, most=8)


class LinkModes(LinkModesSet):
    """Speed, duplex and modes: ETHTOOL_A_LINKMODES_*. The mask of `ours` is what is supported."""

    peer: Nested[LinkModeBits] = nest(4, LinkModeBits)
    master_slave_state: Named[MASTER_SLAVE_STATE | int | None] = u8(8, enum=MASTER_SLAVE_STATE)
    rate_matching: Named[RATE_MATCH | int | None] = u8(10, enum=RATE_MATCH)


class LinkState(Message):
    """Whether a link has a carrier, and why not: ETHTOOL_A_LINKSTATE_*."""

    header: Nested[Header] = nest(1, Header)
    link: int | None = u8(2)
    sqi: int | None = u32(3)
    sqi_max: int | None = u32(4)
    ext_state: Named[ETHTOOL_LINK_EXT_STATE | int | None] = u8(5, enum=ETHTOOL_LINK_EXT_STATE)
    ext_substate: int | None = u8(6)
    ext_down_cnt: int | None = u32(7)


# --- features and flags ---------------------------------------------------------------------------


class Debug(Message):
    """Which messages a driver logs: ETHTOOL_A_DEBUG_*."""

    header: Nested[Header] = nest(1, Header)
    msgmask: Nested[MessageBits] = nest(2, MessageBits)


class Wol(Message):
    """What wakes the machine: ETHTOOL_A_WOL_*. `sopass` is the password of SecureOn."""

    header: Nested[Header] = nest(1, Header)
    modes: Nested[WolBits] = nest(2, WolBits)
    sopass: bytes | None = binary(3, size=6)


class FeaturesSet(Message):
    """Features to switch: ETHTOOL_A_FEATURES_*."""

    header: Nested[Header] = nest(1, Header)
    wanted: Nested[FeatureBits] = nest(3, FeatureBits)


class Features(FeaturesSet):
    """The features of a device: ETHTOOL_A_FEATURES_*.

    Those in `hw` and not in `nochange` can be switched.
    """

    hw: Nested[FeatureBits] = nest(2, FeatureBits)
    active: Nested[FeatureBits] = nest(4, FeatureBits)
    nochange: Nested[FeatureBits] = nest(5, FeatureBits)


class PrivFlags(Message):
    """Private flags of a driver: ETHTOOL_A_PRIVFLAGS_*."""

    header: Nested[Header] = nest(1, Header)
    flags: Nested[PrivateBits] = nest(2, PrivateBits)


# --- queues ---------------------------------------------------------------------------------------


class RingsSet(Message):
    """Sizes of rings: ETHTOOL_A_RINGS_*."""

    header: Nested[Header] = nest(1, Header)
    rx: int | None = u32(6)
    rx_mini: int | None = u32(7)
    rx_jumbo: int | None = u32(8)
    tx: int | None = u32(9)
    rx_buf_len: int | None = u32(10, least=1)
    tcp_data_split: Named[ETHTOOL_TCP_DATA_SPLIT | int | None] = u8(11, enum=ETHTOOL_TCP_DATA_SPLIT)
    cqe_size: int | None = u32(12, least=1)
    tx_push: int | None = u8(13, most=1)
    rx_push: int | None = u8(14, most=1)
    tx_push_buf_len: int | None = u32(15)
    hds_thresh: int | None = u32(17)


class Rings(RingsSet):
    """Sizes of rings and their maxima: ETHTOOL_A_RINGS_*."""

    rx_max: int | None = u32(2)
    rx_mini_max: int | None = u32(3)
    rx_jumbo_max: int | None = u32(4)
    tx_max: int | None = u32(5)
    tx_push_buf_len_max: int | None = u32(16)
    hds_thresh_max: int | None = u32(18)


class ChannelsSet(Message):
    """Numbers of queues: ETHTOOL_A_CHANNELS_*."""

    header: Nested[Header] = nest(1, Header)
    rx_count: int | None = u32(6)
    tx_count: int | None = u32(7)
    other_count: int | None = u32(8)
    combined_count: int | None = u32(9)


class Channels(ChannelsSet):
    """Numbers of queues and their maxima: ETHTOOL_A_CHANNELS_*."""

    rx_max: int | None = u32(2)
    tx_max: int | None = u32(3)
    other_max: int | None = u32(4)
    combined_max: int | None = u32(5)


class IrqModeration(Message):
    """One step of a profile: ETHTOOL_A_IRQ_MODERATION_*."""

    usec: int | None = u32(1)
    pkts: int | None = u32(2)
    comps: int | None = u32(3)


class Profile(Message):
    """ETHTOOL_A_PROFILE_*."""

    irq_moderation: Several[IrqModeration] = repeated(1, IrqModeration)


class Coalesce(Message):
    """When a device interrupts: ETHTOOL_A_COALESCE_*."""

    header: Nested[Header] = nest(1, Header)
    rx_usecs: int | None = u32(2)
    rx_max_frames: int | None = u32(3)
    rx_usecs_irq: int | None = u32(4)
    rx_max_frames_irq: int | None = u32(5)
    tx_usecs: int | None = u32(6)
    tx_max_frames: int | None = u32(7)
    tx_usecs_irq: int | None = u32(8)
    tx_max_frames_irq: int | None = u32(9)
    stats_block_usecs: int | None = u32(10)
    use_adaptive_rx: int | None = u8(11)
    use_adaptive_tx: int | None = u8(12)
    pkt_rate_low: int | None = u32(13)
    rx_usecs_low: int | None = u32(14)
    rx_max_frames_low: int | None = u32(15)
    tx_usecs_low: int | None = u32(16)
    tx_max_frames_low: int | None = u32(17)
    pkt_rate_high: int | None = u32(18)
    rx_usecs_high: int | None = u32(19)
    rx_max_frames_high: int | None = u32(20)
    tx_usecs_high: int | None = u32(21)
    tx_max_frames_high: int | None = u32(22)
    rate_sample_interval: int | None = u32(23)
    use_cqe_mode_tx: int | None = u8(24, most=1)
    use_cqe_mode_rx: int | None = u8(25, most=1)
    tx_aggr_max_bytes: int | None = u32(26)
    tx_aggr_max_frames: int | None = u32(27)
    tx_aggr_time_usecs: int | None = u32(28)
    rx_profile: Nested[Profile] = nest(29, Profile)
    tx_profile: Nested[Profile] = nest(30, Profile)


class PauseQuery(Message):
    """Which device and which MAC: ETHTOOL_A_PAUSE_*."""

    header: Nested[Header] = nest(1, Header)
    stats_src: Named[ETHTOOL_MAC_STATS_SRC | int | None] = u32(6, enum=ETHTOOL_MAC_STATS_SRC)


class PauseSet(Message):
    """Flow control by pause frames: ETHTOOL_A_PAUSE_*."""

    header: Nested[Header] = nest(1, Header)
    autoneg: int | None = u8(2)
    rx: int | None = u8(3)
    tx: int | None = u8(4)


class PauseStat(Message):
    """ETHTOOL_A_PAUSE_STAT_*."""

    tx_frames: int | None = u64(2)
    rx_frames: int | None = u64(3)


class Pause(PauseSet):
    """Flow control by pause frames: ETHTOOL_A_PAUSE_*."""

    stats: Nested[PauseStat] = nest(5, PauseStat)
    stats_src: Named[ETHTOOL_MAC_STATS_SRC | int | None] = u32(6, enum=ETHTOOL_MAC_STATS_SRC)


class EeeSet(Message):
    """Energy-efficient Ethernet: ETHTOOL_A_EEE_*. The timer is microseconds."""

    header: Nested[Header] = nest(1, Header)
    modes_ours: Nested[LinkModeBits] = nest(2, LinkModeBits)
    enabled: int | None = u8(5)
    tx_lpi_enabled: int | None = u8(6)
    tx_lpi_timer: int | None = u32(7)


class Eee(EeeSet):
    """Energy-efficient Ethernet: ETHTOOL_A_EEE_*."""

    modes_peer: Nested[LinkModeBits] = nest(3, LinkModeBits)
    active: int | None = u8(4)


# --- time stamps ----------------------------------------------------------------------------------


class TsProvider(Message):
    """What takes time stamps: ETHTOOL_A_TS_HWTSTAMP_PROVIDER_*."""

    index: int | None = u32(1)
    qualifier: int | None = u32(2)


class TsStat(Message):
    """Counters of time stamps: ETHTOOL_A_TS_STAT_*."""

    tx_pkts: int | None = uint(1)
    tx_lost: int | None = uint(2)
    tx_err: int | None = uint(3)
    tx_onestep_pkts_unconfirmed: int | None = uint(4)


class TsInfoQuery(Message):
    """Which device and provider: ETHTOOL_A_TSINFO_*."""

    header: Nested[Header] = nest(1, Header)
    hwtstamp_provider: Nested[TsProvider] = nest(7, TsProvider)


class TsInfo(TsInfoQuery):
    """What a device can stamp: ETHTOOL_A_TSINFO_*. `phc_index` is the number of its clock."""

    timestamping: Nested[TimestampingBits] = nest(2, TimestampingBits)
    tx_types: Nested[TxTypeBits] = nest(3, TxTypeBits)
    rx_filters: Nested[RxFilterBits] = nest(4, RxFilterBits)
    phc_index: int | None = u32(5)
    stats: Nested[TsStat] = nest(6, TsStat)
    hwtstamp_source: Named[HWTSTAMP_SOURCE | int | None] = u32(8, enum=HWTSTAMP_SOURCE)
    hwtstamp_phyindex: int | None = u32(9)


class TsConfig(Message):
    """What a device stamps: ETHTOOL_A_TSCONFIG_*."""

    header: Nested[Header] = nest(1, Header)
    hwtstamp_provider: Nested[TsProvider] = nest(2, TsProvider)
    tx_types: Nested[TxTypeBits] = nest(3, TxTypeBits)
    rx_filters: Nested[RxFilterBits] = nest(4, RxFilterBits)
    hwtstamp_flags: Nested[TimestampFlagBits] = nest(5, TimestampFlagBits)


class PhcVclocks(Message):
    """Virtual clocks of a hardware clock: ETHTOOL_A_PHC_VCLOCKS_*."""

    header: Nested[Header] = nest(1, Header)
    num: int | None = u32(2)
    index: tuple[int, ...] = scalars(3, s32())


# --- cables ---------------------------------------------------------------------------------------


class CableResult(Message):
    """The result of one pair: ETHTOOL_A_CABLE_RESULT_*."""

    pair: Named[ETHTOOL_A_CABLE_PAIR | int | None] = u8(1, enum=ETHTOOL_A_CABLE_PAIR)
    code: Named[ETHTOOL_A_CABLE_RESULT_CODE | int | None] = u8(2, enum=ETHTOOL_A_CABLE_RESULT_CODE)
    src: Named[ETHTOOL_A_CABLE_INF_SRC | int | None] = u32(3, enum=ETHTOOL_A_CABLE_INF_SRC)


class CableFaultLength(Message):
    """The distance of a fault: ETHTOOL_A_CABLE_FAULT_LENGTH_*."""

    pair: Named[ETHTOOL_A_CABLE_PAIR | int | None] = u8(1, enum=ETHTOOL_A_CABLE_PAIR)
    cm: int | None = u32(2)
    src: Named[ETHTOOL_A_CABLE_INF_SRC | int | None] = u32(3, enum=ETHTOOL_A_CABLE_INF_SRC)


class CableResults(Message):
    """ETHTOOL_A_CABLE_NEST_*."""

    result: Several[CableResult] = repeated(1, CableResult)
    fault_length: Several[CableFaultLength] = repeated(2, CableFaultLength)


class CableTestNtf(Message):
    """The start or the result of a test: ETHTOOL_A_CABLE_TEST_NTF_*."""

    header: Nested[Header] = schema.nest(1, Header)
    status: Named[ETHTOOL_A_CABLE_TEST_NTF_STATUS | int | None] = u8(
        2, enum=ETHTOOL_A_CABLE_TEST_NTF_STATUS
    )
    nest: Nested[CableResults] = schema.nest(3, CableResults)


class CableTdrConfig(Message):
    """What a TDR test measures, in centimetres: ETHTOOL_A_CABLE_TEST_TDR_CFG_*."""

    first: int | None = u32(1)
    last: int | None = u32(2)
    step: int | None = u32(3)
    pair: Named[ETHTOOL_A_CABLE_PAIR | int | None] = u8(4, enum=ETHTOOL_A_CABLE_PAIR)


class CableTdrQuery(Message):
    """ETHTOOL_A_CABLE_TEST_TDR_*."""

    header: Nested[Header] = nest(1, Header)
    cfg: Nested[CableTdrConfig] = nest(2, CableTdrConfig)


class CableAmplitude(Message):
    """An echo: ETHTOOL_A_CABLE_AMPLITUDE_*."""

    pair: Named[ETHTOOL_A_CABLE_PAIR | int | None] = u8(1, enum=ETHTOOL_A_CABLE_PAIR)
    millivolts: int | None = s16(2)


class CablePulse(Message):
    """The pulse that was sent: ETHTOOL_A_CABLE_PULSE_*."""

    millivolts: int | None = s16(1)


class CableStep(Message):
    """Where the next echoes are from, in centimetres: ETHTOOL_A_CABLE_STEP_*."""

    first_distance: int | None = u32(1)
    last_distance: int | None = u32(2)
    step_distance: int | None = u32(3)


class CableTdrResults(Message):
    """ETHTOOL_A_CABLE_TDR_NEST_*."""

    step: Nested[CableStep] = nest(1, CableStep)
    amplitude: Several[CableAmplitude] = repeated(2, CableAmplitude)
    pulse: Nested[CablePulse] = nest(3, CablePulse)


class CableTdrNtf(Message):
    """The start or the result of a TDR test: ETHTOOL_A_CABLE_TEST_TDR_NTF_*."""

    header: Nested[Header] = schema.nest(1, Header)
    status: Named[ETHTOOL_A_CABLE_TEST_NTF_STATUS | int | None] = u8(
        2, enum=ETHTOOL_A_CABLE_TEST_NTF_STATUS
    )
    nest: Nested[CableTdrResults] = schema.nest(3, CableTdrResults)


# --- tunnels and errors ---------------------------------------------------------------------------


class TunnelPort(Message):
    """A port of a tunnel that a device knows: ETHTOOL_A_TUNNEL_UDP_ENTRY_*."""

    port: int | None = be16(1)
    type: Named[ETHTOOL_UDP_TUNNEL_TYPE | int | None] = u32(2, enum=ETHTOOL_UDP_TUNNEL_TYPE)


class TunnelTable(Message):
    """ETHTOOL_A_TUNNEL_UDP_TABLE_*."""

    size: int | None = u32(1)
    types: Nested[TunnelBits] = nest(2, TunnelBits)
    entry: Several[TunnelPort] = repeated(3, TunnelPort)


class TunnelPorts(Message):
    """ETHTOOL_A_TUNNEL_UDP_*."""

    table: Several[TunnelTable] = repeated(1, TunnelTable)


class TunnelInfo(Message):
    """Tunnels that a device offloads: ETHTOOL_A_TUNNEL_INFO_*."""

    header: Nested[Header] = nest(1, Header)
    udp_ports: Nested[TunnelPorts] = nest(2, TunnelPorts)


class FecHistogram(Message):
    """How often blocks had a number of errors: ETHTOOL_A_FEC_HIST_*."""

    bin_low: int | None = u32(2)
    bin_high: int | None = u32(3)
    bin_val: int | None = uint(4)
    bin_val_per_lane: tuple[int, ...] = scalars(5, u64())


class FecStat(Message):
    """Counters, in all and then by lane: ETHTOOL_A_FEC_STAT_*."""

    corrected: tuple[int, ...] = scalars(2, u64())
    uncorr: tuple[int, ...] = scalars(3, u64())
    corr_bits: tuple[int, ...] = scalars(4, u64())
    hist: Several[FecHistogram] = repeated(5, FecHistogram)


class FecSet(Message):
    """Forward error correction: ETHTOOL_A_FEC_*."""

    header: Nested[Header] = nest(1, Header)
    modes: Nested[LinkModeBits] = nest(2, LinkModeBits)
    auto: int | None = u8(3, most=1)


class Fec(FecSet):
    """Forward error correction: ETHTOOL_A_FEC_*. `active` is the position of a link mode."""

    active: int | None = u32(4)
    stats: Nested[FecStat] = nest(5, FecStat)


# --- modules --------------------------------------------------------------------------------------


class ModuleEepromQuery(Message):
    """A part of a page: ETHTOOL_A_MODULE_EEPROM_*. All fields are required."""

    header: Nested[Header] = nest(1, Header)
    offset: int | None = u32(2, most=255)
    length: int | None = u32(3, least=1, most=128)
    page: int | None = u8(4)
    bank: int | None = u8(5)
    i2c_address: int | None = u8(6, most=127)


class ModuleEeprom(Message):
    """ETHTOOL_A_MODULE_EEPROM_*."""

    data: bytes | None = binary(7)


class ModuleSet(Message):
    """The power of a module: ETHTOOL_A_MODULE_*."""

    header: Nested[Header] = nest(1, Header)
    power_mode_policy: Named[ETHTOOL_MODULE_POWER_MODE_POLICY | int | None] = u8(
        2, enum=ETHTOOL_MODULE_POWER_MODE_POLICY
    )


class Module(ModuleSet):
    """The power of a module: ETHTOOL_A_MODULE_*."""

    power_mode: Named[ETHTOOL_MODULE_POWER_MODE | int | None] = u8(
        3, enum=ETHTOOL_MODULE_POWER_MODE
    )


class ModuleFlash(Message):
    """A file to write to a module: ETHTOOL_A_MODULE_FW_FLASH_*. It is below /lib/firmware."""

    header: Nested[Header] = nest(1, Header)
    file_name: str | None = string(2)
    password: int | None = u32(3)


class ModuleFlashNtf(Message):
    """The progress: ETHTOOL_A_MODULE_FW_FLASH_*."""

    header: Nested[Header] = nest(1, Header)
    status: Named[ETHTOOL_MODULE_FW_FLASH_STATUS | int | None] = u32(
        4, enum=ETHTOOL_MODULE_FW_FLASH_STATUS
    )
    status_msg: str | None = string(5)
    done: int | None = uint(6)
    total: int | None = uint(7)


# --- counters -------------------------------------------------------------------------------------


class Histogram(Message):
    """Packets of these sizes: ETHTOOL_A_STATS_GRP_*."""

    hist_bkt_low: int | None = u32(7)
    hist_bkt_hi: int | None = u32(8)
    hist_val: int | None = u64(9)


class StatsGroup(Message):
    """A group of counters: ETHTOOL_A_STATS_GRP_*. `ss_id` is the set that has their names."""

    id: Named[ETHTOOL_STATS | int | None] = u32(2, enum=ETHTOOL_STATS)
    ss_id: Named[ETH_SS | int | None] = u32(3, enum=ETH_SS)
    stat: tuple[dict[int, int], ...] = repeated(4, mapping(u64()))
    hist_rx: Several[Histogram] = repeated(5, Histogram)
    hist_tx: Several[Histogram] = repeated(6, Histogram)


class StatsQuery(Message):
    """Which groups of counters: ETHTOOL_A_STATS_*."""

    header: Nested[Header] = nest(2, Header)
    groups: Nested[StatsBits] = nest(3, StatsBits)
    src: Named[ETHTOOL_MAC_STATS_SRC | int | None] = u32(5, enum=ETHTOOL_MAC_STATS_SRC)


class Stats(Message):
    """Standard counters: ETHTOOL_A_STATS_*."""

    header: Nested[Header] = nest(2, Header)
    grp: Several[StatsGroup] = repeated(4, StatsGroup)
    src: Named[ETHTOOL_MAC_STATS_SRC | int | None] = u32(5, enum=ETHTOOL_MAC_STATS_SRC)


# --- power ----------------------------------------------------------------------------------------


class PsePowerLimit(Message):
    """A range of power in milliwatts: ETHTOOL_A_C33_PSE_PW_LIMIT_*."""

    min: int | None = u32(1)
    max: int | None = u32(2)


class PseSet(Message):
    """Power over the cable: ETHTOOL_A_*."""

    pse_header: Nested[Header] = nest(1, Header)
    podl_pse_admin_control: Named[ETHTOOL_PODL_PSE_ADMIN_STATE | int | None] = u32(
        3, enum=ETHTOOL_PODL_PSE_ADMIN_STATE
    )
    c33_pse_admin_control: Named[ETHTOOL_C33_PSE_ADMIN_STATE | int | None] = u32(
        6, enum=ETHTOOL_C33_PSE_ADMIN_STATE
    )
    c33_pse_avail_pw_limit: int | None = u32(12)
    pse_prio: int | None = u32(16)


class Pse(PseSet):
    """Power over the cable: ETHTOOL_A_*.

    Power is milliwatts. The meaning of the substate depends on the state.
    """

    podl_pse_admin_state: Named[ETHTOOL_PODL_PSE_ADMIN_STATE | int | None] = u32(
        2, enum=ETHTOOL_PODL_PSE_ADMIN_STATE
    )
    podl_pse_pw_d_status: Named[ETHTOOL_PODL_PSE_PW_D_STATUS | int | None] = u32(
        4, enum=ETHTOOL_PODL_PSE_PW_D_STATUS
    )
    c33_pse_admin_state: Named[ETHTOOL_C33_PSE_ADMIN_STATE | int | None] = u32(
        5, enum=ETHTOOL_C33_PSE_ADMIN_STATE
    )
    c33_pse_pw_d_status: Named[ETHTOOL_C33_PSE_PW_D_STATUS | int | None] = u32(
        7, enum=ETHTOOL_C33_PSE_PW_D_STATUS
    )
    c33_pse_pw_class: int | None = u32(8)
    c33_pse_actual_pw: int | None = u32(9)
    c33_pse_ext_state: Named[ETHTOOL_C33_PSE_EXT_STATE | int | None] = u32(
        10, enum=ETHTOOL_C33_PSE_EXT_STATE
    )
    c33_pse_ext_substate: int | None = u32(11)
    c33_pse_pw_limit_ranges: Several[PsePowerLimit] = repeated(13, PsePowerLimit)
    pse_pw_d_id: int | None = u32(14)
    pse_prio_max: int | None = u32(15)


class PseNtf(Message):
    """An event of a power controller: ETHTOOL_A_PSE_NTF_*."""

    header: Nested[Header] = nest(1, Header)
    events: int | None = uint(2)


# --- hashing, PLCA, MAC merge and PHYs ------------------------------------------------------------


class RssFlowHash(Message):
    """What is hashed, by kind of flow: ETHTOOL_A_FLOW_*."""

    ether: Named[RXH | int | None] = uint(1, enum=RXH)
    ip4: Named[RXH | int | None] = uint(2, enum=RXH)
    ip6: Named[RXH | int | None] = uint(3, enum=RXH)
    tcp4: Named[RXH | int | None] = uint(4, enum=RXH)
    tcp6: Named[RXH | int | None] = uint(5, enum=RXH)
    udp4: Named[RXH | int | None] = uint(6, enum=RXH)
    udp6: Named[RXH | int | None] = uint(7, enum=RXH)
    sctp4: Named[RXH | int | None] = uint(8, enum=RXH)
    sctp6: Named[RXH | int | None] = uint(9, enum=RXH)
    ah4: Named[RXH | int | None] = uint(10, enum=RXH)
    ah6: Named[RXH | int | None] = uint(11, enum=RXH)
    esp4: Named[RXH | int | None] = uint(12, enum=RXH)
    esp6: Named[RXH | int | None] = uint(13, enum=RXH)
    ah_esp4: Named[RXH | int | None] = uint(14, enum=RXH)
    ah_esp6: Named[RXH | int | None] = uint(15, enum=RXH)
    gtpu4: Named[RXH | int | None] = uint(16, enum=RXH)
    gtpu6: Named[RXH | int | None] = uint(17, enum=RXH)
    gtpc4: Named[RXH | int | None] = uint(18, enum=RXH)
    gtpc6: Named[RXH | int | None] = uint(19, enum=RXH)
    gtpc_teid4: Named[RXH | int | None] = uint(20, enum=RXH)
    gtpc_teid6: Named[RXH | int | None] = uint(21, enum=RXH)
    gtpu_eh4: Named[RXH | int | None] = uint(22, enum=RXH)
    gtpu_eh6: Named[RXH | int | None] = uint(23, enum=RXH)
    gtpu_ul4: Named[RXH | int | None] = uint(24, enum=RXH)
    gtpu_ul6: Named[RXH | int | None] = uint(25, enum=RXH)
    gtpu_dl4: Named[RXH | int | None] = uint(26, enum=RXH)
    gtpu_dl6: Named[RXH | int | None] = uint(27, enum=RXH)


class RssQuery(Message):
    """Which context: ETHTOOL_A_RSS_*. A dump begins with `start_context`."""

    header: Nested[Header] = nest(1, Header)
    context: int | None = u32(2)
    start_context: int | None = u32(7)


class RssId(Message):
    """A context: ETHTOOL_A_RSS_*."""

    header: Nested[Header] = nest(1, Header)
    context: int | None = u32(2, least=1)


class RssCreate(Message):
    """A new context: ETHTOOL_A_RSS_*. The kernel chooses `context` if it is absent."""

    header: Nested[Header] = nest(1, Header)
    context: int | None = u32(2)
    hfunc: int | None = u32(3)
    indir: tuple[int, ...] = scalars(4, u32())
    hkey: bytes | None = binary(5)
    input_xfrm: Named[RXH_XFRM | int | None] = u32(6, enum=RXH_XFRM)


class Rss(RssCreate):
    """How received packets are spread: ETHTOOL_A_RSS_*.

    `hfunc` is a bit of the set RSS_HASH_FUNCS.
    """

    flow_hash: Nested[RssFlowHash] = nest(8, RssFlowHash)


class PlcaSet(Message):
    """Collision avoidance of 10BASE-T1S: ETHTOOL_A_PLCA_*."""

    header: Nested[Header] = nest(1, Header)
    enabled: int | None = u8(3, most=1)
    node_cnt: int | None = u32(5, least=1, most=255)
    node_id: int | None = u32(6, most=255)
    to_tmr: int | None = u32(7, most=255)
    burst_cnt: int | None = u32(8, most=255)
    burst_tmr: int | None = u32(9, most=255)


class Plca(PlcaSet):
    """Collision avoidance of 10BASE-T1S: ETHTOOL_A_PLCA_*."""

    version: int | None = u16(2)
    status: int | None = u8(4)


class MmStat(Message):
    """Counters of frame preemption: ETHTOOL_A_MM_STAT_*."""

    reassembly_errors: int | None = u64(2)
    smd_errors: int | None = u64(3)
    reassembly_ok: int | None = u64(4)
    rx_frag_count: int | None = u64(5)
    tx_frag_count: int | None = u64(6)
    hold_count: int | None = u64(7)


class MmSet(Message):
    """Frame preemption: ETHTOOL_A_MM_*. Sizes are bytes, times milliseconds."""

    header: Nested[Header] = nest(1, Header)
    pmac_enabled: int | None = u8(2, most=1)
    tx_enabled: int | None = u8(3, most=1)
    tx_min_frag_size: int | None = u32(5, least=60, most=252)
    verify_enabled: int | None = u8(7, most=1)
    verify_time: int | None = u32(9, least=1, most=128)


class Mm(MmSet):
    """Frame preemption: ETHTOOL_A_MM_*."""

    tx_active: int | None = u8(4)
    rx_min_frag_size: int | None = u32(6)
    verify_status: Named[ETHTOOL_MM_VERIFY_STATUS | int | None] = u8(
        8, enum=ETHTOOL_MM_VERIFY_STATUS
    )
    max_verify_time: int | None = u32(10)
    stats: Nested[MmStat] = nest(11, MmStat)


class Phy(Message):
    """A PHY of a device: ETHTOOL_A_PHY_*."""

    header: Nested[Header] = nest(1, Header)
    index: int | None = u32(2)
    drvname: str | None = string(3)
    name: str | None = string(4)
    upstream_type: Named[PHY_UPSTREAM | int | None] = u32(5, enum=PHY_UPSTREAM)
    upstream_index: int | None = u32(6)
    upstream_sfp_name: str | None = string(7)
    downstream_sfp_name: str | None = string(8)


# --- ops ------------------------------------------------------------------------------------------


strset_get = Op(
    "ethtool.strset_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_STRSET_GET,
    StrSet,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_STRSET_GET_REPLY,
    answer="one",
)
linkinfo_get = Op(
    "ethtool.linkinfo_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_LINKINFO_GET,
    Query,
    reply=LinkInfo,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_LINKINFO_GET_REPLY,
    answer="one",
)
linkinfo_set = Op("ethtool.linkinfo_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_LINKINFO_SET, LinkInfoSet)
linkmodes_get = Op(
    "ethtool.linkmodes_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_LINKMODES_GET,
    Query,
    reply=LinkModes,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_LINKMODES_GET_REPLY,
    answer="one",
)
linkmodes_set = Op(
    "ethtool.linkmodes_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_LINKMODES_SET, LinkModesSet
)
linkstate_get = Op(
    "ethtool.linkstate_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_LINKSTATE_GET,
    Query,
    reply=LinkState,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_LINKSTATE_GET_REPLY,
    answer="one",
)
debug_get = Op(
    "ethtool.debug_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_DEBUG_GET,
    Query,
    reply=Debug,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_DEBUG_GET_REPLY,
    answer="one",
)
debug_set = Op("ethtool.debug_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_DEBUG_SET, Debug)
wol_get = Op(
    "ethtool.wol_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_WOL_GET,
    Query,
    reply=Wol,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_WOL_GET_REPLY,
    answer="one",
)
wol_set = Op("ethtool.wol_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_WOL_SET, Wol)
features_get = Op(
    "ethtool.features_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_FEATURES_GET,
    Query,
    reply=Features,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_FEATURES_GET_REPLY,
    answer="one",
)
features_set = Op(
    "ethtool.features_set",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_FEATURES_SET,
    FeaturesSet,
    reply=Features,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_FEATURES_SET_REPLY,
    answer="optional",
)
privflags_get = Op(
    "ethtool.privflags_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_PRIVFLAGS_GET,
    Query,
    reply=PrivFlags,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PRIVFLAGS_GET_REPLY,
    answer="one",
)
privflags_set = Op("ethtool.privflags_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_PRIVFLAGS_SET, PrivFlags)
rings_get = Op(
    "ethtool.rings_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_RINGS_GET,
    Query,
    reply=Rings,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_RINGS_GET_REPLY,
    answer="one",
)
rings_set = Op("ethtool.rings_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_RINGS_SET, RingsSet)
channels_get = Op(
    "ethtool.channels_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_CHANNELS_GET,
    Query,
    reply=Channels,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_CHANNELS_GET_REPLY,
    answer="one",
)
channels_set = Op("ethtool.channels_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_CHANNELS_SET, ChannelsSet)
coalesce_get = Op(
    "ethtool.coalesce_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_COALESCE_GET,
    Query,
    reply=Coalesce,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_COALESCE_GET_REPLY,
    answer="one",
)
coalesce_set = Op("ethtool.coalesce_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_COALESCE_SET, Coalesce)
pause_get = Op(
    "ethtool.pause_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_PAUSE_GET,
    PauseQuery,
    reply=Pause,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PAUSE_GET_REPLY,
    answer="one",
)
pause_set = Op("ethtool.pause_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_PAUSE_SET, PauseSet)
eee_get = Op(
    "ethtool.eee_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_EEE_GET,
    Query,
    reply=Eee,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_EEE_GET_REPLY,
    answer="one",
)
eee_set = Op("ethtool.eee_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_EEE_SET, EeeSet)
tsinfo_get = Op(
    "ethtool.tsinfo_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_TSINFO_GET,
    TsInfoQuery,
    reply=TsInfo,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_TSINFO_GET_REPLY,
    answer="one",
)
cable_test_act = Op("ethtool.cable_test_act", ETHTOOL_MSG_USER.ETHTOOL_MSG_CABLE_TEST_ACT, Query)
cable_test_tdr_act = Op(
    "ethtool.cable_test_tdr_act", ETHTOOL_MSG_USER.ETHTOOL_MSG_CABLE_TEST_TDR_ACT, CableTdrQuery
)
tunnel_info_get = Op(
    "ethtool.tunnel_info_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_TUNNEL_INFO_GET,
    Query,
    reply=TunnelInfo,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_TUNNEL_INFO_GET_REPLY,
    answer="one",
)
fec_get = Op(
    "ethtool.fec_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_FEC_GET,
    Query,
    reply=Fec,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_FEC_GET_REPLY,
    answer="one",
)
fec_set = Op("ethtool.fec_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_FEC_SET, FecSet)
module_eeprom_get = Op(
    "ethtool.module_eeprom_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_MODULE_EEPROM_GET,
    ModuleEepromQuery,
    reply=ModuleEeprom,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_MODULE_EEPROM_GET_REPLY,
    answer="one",
)
stats_get = Op(
    "ethtool.stats_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_STATS_GET,
    StatsQuery,
    reply=Stats,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_STATS_GET_REPLY,
    answer="one",
)
phc_vclocks_get = Op(
    "ethtool.phc_vclocks_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_PHC_VCLOCKS_GET,
    Query,
    reply=PhcVclocks,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PHC_VCLOCKS_GET_REPLY,
    answer="one",
)
module_get = Op(
    "ethtool.module_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_MODULE_GET,
    Query,
    reply=Module,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_MODULE_GET_REPLY,
    answer="one",
)
module_set = Op("ethtool.module_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_MODULE_SET, ModuleSet)
pse_get = Op(
    "ethtool.pse_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_PSE_GET,
    Query,
    reply=Pse,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PSE_GET_REPLY,
    answer="one",
)
pse_set = Op("ethtool.pse_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_PSE_SET, PseSet)
rss_get = Op(
    "ethtool.rss_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_RSS_GET,
    RssQuery,
    reply=Rss,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_RSS_GET_REPLY,
    answer="one",
)
rss_set = Op("ethtool.rss_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_RSS_SET, Rss)
rss_create_act = Op(
    "ethtool.rss_create_act",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_RSS_CREATE_ACT,
    RssCreate,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_RSS_CREATE_ACT_REPLY,
    answer="optional",
)
rss_delete_act = Op("ethtool.rss_delete_act", ETHTOOL_MSG_USER.ETHTOOL_MSG_RSS_DELETE_ACT, RssId)
plca_get_cfg = Op(
    "ethtool.plca_get_cfg",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_PLCA_GET_CFG,
    Query,
    reply=Plca,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PLCA_GET_CFG_REPLY,
    answer="one",
)
plca_set_cfg = Op("ethtool.plca_set_cfg", ETHTOOL_MSG_USER.ETHTOOL_MSG_PLCA_SET_CFG, PlcaSet)
plca_get_status = Op(
    "ethtool.plca_get_status",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_PLCA_GET_STATUS,
    Query,
    reply=Plca,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PLCA_GET_STATUS_REPLY,
    answer="one",
)
mm_get = Op(
    "ethtool.mm_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_MM_GET,
    Query,
    reply=Mm,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_MM_GET_REPLY,
    answer="one",
)
mm_set = Op("ethtool.mm_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_MM_SET, MmSet)
module_fw_flash_act = Op(
    "ethtool.module_fw_flash_act", ETHTOOL_MSG_USER.ETHTOOL_MSG_MODULE_FW_FLASH_ACT, ModuleFlash
)
phy_get = Op(
    "ethtool.phy_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_PHY_GET,
    Query,
    reply=Phy,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PHY_GET_REPLY,
    answer="one",
)
tsconfig_get = Op(
    "ethtool.tsconfig_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_TSCONFIG_GET,
    Query,
    reply=TsConfig,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_TSCONFIG_GET_REPLY,
    answer="one",
)
tsconfig_set = Op(
    "ethtool.tsconfig_set",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_TSCONFIG_SET,
    TsConfig,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_TSCONFIG_SET_REPLY,
    answer="optional",
)

FAMILY = Family(
    "ethtool",
    types=ETHTOOL_MSG_USER,
    reply_types=ETHTOOL_MSG_KERNEL,
    ops=(
        strset_get,
        linkinfo_get,
        linkinfo_set,
        linkmodes_get,
        linkmodes_set,
        linkstate_get,
        debug_get,
        debug_set,
        wol_get,
        wol_set,
        features_get,
        features_set,
        privflags_get,
        privflags_set,
        rings_get,
        rings_set,
        channels_get,
        channels_set,
        coalesce_get,
        coalesce_set,
        pause_get,
        pause_set,
        eee_get,
        eee_set,
        tsinfo_get,
        cable_test_act,
        cable_test_tdr_act,
        tunnel_info_get,
        fec_get,
        fec_set,
        module_eeprom_get,
        stats_get,
        phc_vclocks_get,
        module_get,
        module_set,
        pse_get,
        pse_set,
        rss_get,
        rss_set,
        rss_create_act,
        rss_delete_act,
        plca_get_cfg,
        plca_set_cfg,
        plca_get_status,
        mm_get,
        mm_set,
        module_fw_flash_act,
        phy_get,
        tsconfig_get,
        tsconfig_set,
    ),
    groups=("monitor",),
    messages={
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_LINKINFO_NTF: LinkInfo,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_LINKMODES_NTF: LinkModes,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_DEBUG_NTF: Debug,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_WOL_NTF: Wol,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_FEATURES_NTF: Features,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PRIVFLAGS_NTF: PrivFlags,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_RINGS_NTF: Rings,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_CHANNELS_NTF: Channels,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_COALESCE_NTF: Coalesce,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PAUSE_NTF: Pause,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_EEE_NTF: Eee,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_CABLE_TEST_NTF: CableTestNtf,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_CABLE_TEST_TDR_NTF: CableTdrNtf,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_FEC_NTF: Fec,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_MODULE_NTF: Module,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PLCA_NTF: Plca,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_MM_NTF: Mm,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_MODULE_FW_FLASH_NTF: ModuleFlashNtf,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PHY_NTF: Phy,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_PSE_NTF: PseNtf,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_RSS_NTF: Rss,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_RSS_CREATE_NTF: Rss,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_RSS_DELETE_NTF: RssId,
    },
)
