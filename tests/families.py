"""A part of ethtool, which uses different numbers for requests and replies: declarations only.

This file contains no tests. Numbers and layouts come from the kernel's headers.
"""

from __future__ import annotations

from netlink import Family, Message, Op
from netlink.constants import KernelEnum
from netlink.schema import Nested, nest, string, u8, u32

# --- ethtool (linux/ethtool_netlink.h) ---


class ETHTOOL_MSG_USER(KernelEnum):
    """Commands of requests."""

    ETHTOOL_MSG_CHANNELS_GET = 17
    ETHTOOL_MSG_CHANNELS_SET = 18
    ETHTOOL_MSG_TSINFO_GET = 25


class ETHTOOL_MSG_KERNEL(KernelEnum):
    """Commands of answers and events."""

    ETHTOOL_MSG_CHANNELS_GET_REPLY = 18
    ETHTOOL_MSG_CHANNELS_NTF = 19
    ETHTOOL_MSG_EEE_NTF = 25
    ETHTOOL_MSG_TSINFO_GET_REPLY = 26


class EthtoolHeader(Message):
    """ETHTOOL_A_HEADER_*: the device that a message is about."""

    dev_index: int | None = u32(1)
    dev_name: str | None = string(2)


class Query(Message):
    """A request that names a device only."""

    header: Nested[EthtoolHeader] = nest(1, EthtoolHeader)


class Channels(Message):
    """ETHTOOL_A_CHANNELS_*."""

    header: Nested[EthtoolHeader] = nest(1, EthtoolHeader)
    rx_max: int | None = u32(2)
    rx_count: int | None = u32(6)
    tx_count: int | None = u32(7)
    combined_count: int | None = u32(9)


class TsInfo(Message):
    """ETHTOOL_A_TSINFO_*."""

    header: Nested[EthtoolHeader] = nest(1, EthtoolHeader)
    phc_index: int | None = u32(5)


class Eee(Message):
    """ETHTOOL_A_EEE_*."""

    header: Nested[EthtoolHeader] = nest(1, EthtoolHeader)
    active: int | None = u8(4)


tsinfo_get = Op(
    "ethtool.tsinfo_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_TSINFO_GET,
    Query,
    reply=TsInfo,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_TSINFO_GET_REPLY,
    answer="one",
)
channels_get = Op(
    "ethtool.channels_get",
    ETHTOOL_MSG_USER.ETHTOOL_MSG_CHANNELS_GET,
    Query,
    reply=Channels,
    reply_type=ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_CHANNELS_GET_REPLY,
    answer="one",
)
channels_set = Op("ethtool.channels_set", ETHTOOL_MSG_USER.ETHTOOL_MSG_CHANNELS_SET, Channels)
ETHTOOL = Family(
    "ethtool",
    types=ETHTOOL_MSG_USER,
    reply_types=ETHTOOL_MSG_KERNEL,
    ops=(tsinfo_get, channels_get, channels_set),
    messages={
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_CHANNELS_NTF: Channels,
        ETHTOOL_MSG_KERNEL.ETHTOOL_MSG_EEE_NTF: Eee,
    },
    groups=("monitor",),
)


__all__ = [
    "ETHTOOL",
]  # fmt: skip
