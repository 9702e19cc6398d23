"""devlink: devices with firmware, their ports, parameters, resources, health, regions and traps.

Numbers are those of linux/devlink.h of Linux 7.2; kinds and behaviour are those of net/devlink of
6.12. A device is named by its bus and its name, as devlink(8) does:

    with Connection(devlink.FAMILY) as nl:
        for device in nl.do(devlink.devices()):
            print(device.bus_name, device.dev_name)
        print(nl.do(devlink.params("pci/0000:03:00.0")))

- Every message is a Devlink, which has all attributes. Requests for objects are a Query.
- The group "config" reports changes of everything, and the progress of flashing
  (DEVLINK_CMD_FLASH_UPDATE_STATUS). `notify_filter_set` limits them to one device (Linux 6.9).
- The values of a parameter have the type that the parameter states. The kernel sends a true bool
  as a flag and a false one as nothing: `params()` returns False for it.
- The kernel divides long answers into several messages. The plans join them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from netlink.constants import KernelEnum, KernelFlag
from netlink.errors import NetlinkError
from netlink.family import Family, Op, Steps, plan
from netlink.schema import (
    Bitfield32,
    Message,
    Named,
    Nested,
    Several,
    binary,
    bitfield32,
    flag,
    mac,
    merge,
    nest,
    repeated,
    s32,
    scalars,
    selected,
    string,
    u8,
    u16,
    u32,
    u64,
    uint,
)
from netlink.words import S32, U64, Words, names_of


class DEVLINK_CMD(KernelEnum):
    """Commands: enum devlink_command."""

    DEVLINK_CMD_GET = 1
    DEVLINK_CMD_SET = 2
    DEVLINK_CMD_NEW = 3
    DEVLINK_CMD_DEL = 4
    DEVLINK_CMD_PORT_GET = 5
    DEVLINK_CMD_PORT_SET = 6
    DEVLINK_CMD_PORT_NEW = 7
    DEVLINK_CMD_PORT_DEL = 8
    DEVLINK_CMD_PORT_SPLIT = 9
    DEVLINK_CMD_PORT_UNSPLIT = 10
    DEVLINK_CMD_SB_GET = 11
    DEVLINK_CMD_SB_SET = 12
    DEVLINK_CMD_SB_NEW = 13
    DEVLINK_CMD_SB_DEL = 14
    DEVLINK_CMD_SB_POOL_GET = 15
    DEVLINK_CMD_SB_POOL_SET = 16
    DEVLINK_CMD_SB_POOL_NEW = 17
    DEVLINK_CMD_SB_POOL_DEL = 18
    DEVLINK_CMD_SB_PORT_POOL_GET = 19
    DEVLINK_CMD_SB_PORT_POOL_SET = 20
    DEVLINK_CMD_SB_PORT_POOL_NEW = 21
    DEVLINK_CMD_SB_PORT_POOL_DEL = 22
    DEVLINK_CMD_SB_TC_POOL_BIND_GET = 23
    DEVLINK_CMD_SB_TC_POOL_BIND_SET = 24
    DEVLINK_CMD_SB_TC_POOL_BIND_NEW = 25
    DEVLINK_CMD_SB_TC_POOL_BIND_DEL = 26
    DEVLINK_CMD_SB_OCC_SNAPSHOT = 27
    DEVLINK_CMD_SB_OCC_MAX_CLEAR = 28
    DEVLINK_CMD_ESWITCH_GET = 29
    DEVLINK_CMD_ESWITCH_SET = 30
    DEVLINK_CMD_DPIPE_TABLE_GET = 31
    DEVLINK_CMD_DPIPE_ENTRIES_GET = 32
    DEVLINK_CMD_DPIPE_HEADERS_GET = 33
    DEVLINK_CMD_DPIPE_TABLE_COUNTERS_SET = 34
    DEVLINK_CMD_RESOURCE_SET = 35
    DEVLINK_CMD_RESOURCE_DUMP = 36
    DEVLINK_CMD_RELOAD = 37
    DEVLINK_CMD_PARAM_GET = 38
    DEVLINK_CMD_PARAM_SET = 39
    DEVLINK_CMD_PARAM_NEW = 40
    DEVLINK_CMD_PARAM_DEL = 41
    DEVLINK_CMD_REGION_GET = 42
    DEVLINK_CMD_REGION_SET = 43
    DEVLINK_CMD_REGION_NEW = 44
    DEVLINK_CMD_REGION_DEL = 45
    DEVLINK_CMD_REGION_READ = 46
    DEVLINK_CMD_PORT_PARAM_GET = 47
    DEVLINK_CMD_PORT_PARAM_SET = 48
    DEVLINK_CMD_PORT_PARAM_NEW = 49
    DEVLINK_CMD_PORT_PARAM_DEL = 50
    DEVLINK_CMD_INFO_GET = 51
    DEVLINK_CMD_HEALTH_REPORTER_GET = 52
    DEVLINK_CMD_HEALTH_REPORTER_SET = 53
    DEVLINK_CMD_HEALTH_REPORTER_RECOVER = 54
    DEVLINK_CMD_HEALTH_REPORTER_DIAGNOSE = 55
    DEVLINK_CMD_HEALTH_REPORTER_DUMP_GET = 56
    DEVLINK_CMD_HEALTH_REPORTER_DUMP_CLEAR = 57
    DEVLINK_CMD_FLASH_UPDATE = 58
    DEVLINK_CMD_FLASH_UPDATE_END = 59
    DEVLINK_CMD_FLASH_UPDATE_STATUS = 60
    DEVLINK_CMD_TRAP_GET = 61
    DEVLINK_CMD_TRAP_SET = 62
    DEVLINK_CMD_TRAP_NEW = 63
    DEVLINK_CMD_TRAP_DEL = 64
    DEVLINK_CMD_TRAP_GROUP_GET = 65
    DEVLINK_CMD_TRAP_GROUP_SET = 66
    DEVLINK_CMD_TRAP_GROUP_NEW = 67
    DEVLINK_CMD_TRAP_GROUP_DEL = 68
    DEVLINK_CMD_TRAP_POLICER_GET = 69
    DEVLINK_CMD_TRAP_POLICER_SET = 70
    DEVLINK_CMD_TRAP_POLICER_NEW = 71
    DEVLINK_CMD_TRAP_POLICER_DEL = 72
    DEVLINK_CMD_HEALTH_REPORTER_TEST = 73
    DEVLINK_CMD_RATE_GET = 74
    DEVLINK_CMD_RATE_SET = 75
    DEVLINK_CMD_RATE_NEW = 76
    DEVLINK_CMD_RATE_DEL = 77
    DEVLINK_CMD_LINECARD_GET = 78
    DEVLINK_CMD_LINECARD_SET = 79
    DEVLINK_CMD_LINECARD_NEW = 80
    DEVLINK_CMD_LINECARD_DEL = 81
    DEVLINK_CMD_SELFTESTS_GET = 82
    DEVLINK_CMD_SELFTESTS_RUN = 83
    DEVLINK_CMD_NOTIFY_FILTER_SET = 84


class DEVLINK_PORT_TYPE(KernelEnum):
    """What a port is: enum devlink_port_type."""

    DEVLINK_PORT_TYPE_NOTSET = 0
    DEVLINK_PORT_TYPE_AUTO = 1
    DEVLINK_PORT_TYPE_ETH = 2
    DEVLINK_PORT_TYPE_IB = 3


class DEVLINK_PORT_FLAVOUR(KernelEnum):
    """What a port is for: enum devlink_port_flavour."""

    DEVLINK_PORT_FLAVOUR_PHYSICAL = 0
    DEVLINK_PORT_FLAVOUR_CPU = 1
    DEVLINK_PORT_FLAVOUR_DSA = 2
    DEVLINK_PORT_FLAVOUR_PCI_PF = 3
    DEVLINK_PORT_FLAVOUR_PCI_VF = 4
    DEVLINK_PORT_FLAVOUR_VIRTUAL = 5
    DEVLINK_PORT_FLAVOUR_UNUSED = 6
    DEVLINK_PORT_FLAVOUR_PCI_SF = 7


class DEVLINK_SB_POOL_TYPE(KernelEnum):
    """enum devlink_sb_pool_type."""

    DEVLINK_SB_POOL_TYPE_INGRESS = 0
    DEVLINK_SB_POOL_TYPE_EGRESS = 1


class DEVLINK_SB_THRESHOLD_TYPE(KernelEnum):
    """enum devlink_sb_threshold_type."""

    DEVLINK_SB_THRESHOLD_TYPE_STATIC = 0
    DEVLINK_SB_THRESHOLD_TYPE_DYNAMIC = 1


class DEVLINK_ESWITCH_MODE(KernelEnum):
    """Mode of the switch in a device: enum devlink_eswitch_mode."""

    DEVLINK_ESWITCH_MODE_LEGACY = 0
    DEVLINK_ESWITCH_MODE_SWITCHDEV = 1
    DEVLINK_ESWITCH_MODE_SWITCHDEV_INACTIVE = 2


class DEVLINK_ESWITCH_INLINE_MODE(KernelEnum):
    """enum devlink_eswitch_inline_mode."""

    DEVLINK_ESWITCH_INLINE_MODE_NONE = 0
    DEVLINK_ESWITCH_INLINE_MODE_LINK = 1
    DEVLINK_ESWITCH_INLINE_MODE_NETWORK = 2
    DEVLINK_ESWITCH_INLINE_MODE_TRANSPORT = 3


class DEVLINK_ESWITCH_ENCAP_MODE(KernelEnum):
    """enum devlink_eswitch_encap_mode."""

    DEVLINK_ESWITCH_ENCAP_MODE_NONE = 0
    DEVLINK_ESWITCH_ENCAP_MODE_BASIC = 1


class DEVLINK_DPIPE_MATCH_TYPE(KernelEnum):
    """enum devlink_dpipe_match_type."""

    DEVLINK_DPIPE_MATCH_TYPE_FIELD_EXACT = 0


class DEVLINK_DPIPE_ACTION_TYPE(KernelEnum):
    """enum devlink_dpipe_action_type."""

    DEVLINK_DPIPE_ACTION_TYPE_FIELD_MODIFY = 0


class DEVLINK_DPIPE_HEADER(KernelEnum):
    """enum devlink_dpipe_header_id."""

    DEVLINK_DPIPE_HEADER_ETHERNET = 0
    DEVLINK_DPIPE_HEADER_IPV4 = 1
    DEVLINK_DPIPE_HEADER_IPV6 = 2


class DEVLINK_DPIPE_FIELD_MAPPING_TYPE(KernelEnum):
    """enum devlink_dpipe_field_mapping_type."""

    DEVLINK_DPIPE_FIELD_MAPPING_TYPE_NONE = 0
    DEVLINK_DPIPE_FIELD_MAPPING_TYPE_IFINDEX = 1


class DEVLINK_RESOURCE_UNIT(KernelEnum):
    """enum devlink_resource_unit."""

    DEVLINK_RESOURCE_UNIT_ENTRY = 0


class DEVLINK_RESOURCE_SCOPE(KernelFlag):
    """Which resources to list (Linux 7.2)."""

    DEVLINK_RESOURCE_SCOPE_DEV = 0x1
    DEVLINK_RESOURCE_SCOPE_PORT = 0x2


class DEVLINK_PARAM_CMODE(KernelEnum):
    """When the value of a parameter applies: enum devlink_param_cmode."""

    DEVLINK_PARAM_CMODE_RUNTIME = 0
    DEVLINK_PARAM_CMODE_DRIVERINIT = 1
    DEVLINK_PARAM_CMODE_PERMANENT = 2


class DEVLINK_VAR_ATTR_TYPE(KernelEnum):
    """Types of values: enum devlink_var_attr_type."""

    DEVLINK_VAR_ATTR_TYPE_U8 = 1
    DEVLINK_VAR_ATTR_TYPE_U16 = 2
    DEVLINK_VAR_ATTR_TYPE_U32 = 3
    DEVLINK_VAR_ATTR_TYPE_U64 = 4
    DEVLINK_VAR_ATTR_TYPE_STRING = 5
    DEVLINK_VAR_ATTR_TYPE_FLAG = 6
    DEVLINK_VAR_ATTR_TYPE_NUL_STRING = 10
    DEVLINK_VAR_ATTR_TYPE_BINARY = 11
    DEVLINK_VAR_ATTR_TYPE_U64_ARRAY = 129


class DEVLINK_TRAP_ACTION(KernelEnum):
    """enum devlink_trap_action."""

    DEVLINK_TRAP_ACTION_DROP = 0
    DEVLINK_TRAP_ACTION_TRAP = 1
    DEVLINK_TRAP_ACTION_MIRROR = 2


class DEVLINK_TRAP_TYPE(KernelEnum):
    """enum devlink_trap_type."""

    DEVLINK_TRAP_TYPE_DROP = 0
    DEVLINK_TRAP_TYPE_EXCEPTION = 1
    DEVLINK_TRAP_TYPE_CONTROL = 2


class DEVLINK_FLASH_OVERWRITE(KernelFlag):
    """What flashing may overwrite: DEVLINK_FLASH_OVERWRITE_*."""

    DEVLINK_FLASH_OVERWRITE_SETTINGS = 0x1
    DEVLINK_FLASH_OVERWRITE_IDENTIFIERS = 0x2


class DEVLINK_RELOAD_ACTION(KernelEnum):
    """enum devlink_reload_action."""

    DEVLINK_RELOAD_ACTION_DRIVER_REINIT = 1
    DEVLINK_RELOAD_ACTION_FW_ACTIVATE = 2


class DEVLINK_RELOAD_LIMIT(KernelEnum):
    """enum devlink_reload_limit."""

    DEVLINK_RELOAD_LIMIT_UNSPEC = 0
    DEVLINK_RELOAD_LIMIT_NO_RESET = 1


class RELOAD_ACTIONS(KernelFlag, prefix="DEVLINK_RELOAD_ACTION_"):
    """Actions as a mask: the bit 1 << DEVLINK_RELOAD_ACTION_*."""

    DEVLINK_RELOAD_ACTION_DRIVER_REINIT = 0x2
    DEVLINK_RELOAD_ACTION_FW_ACTIVATE = 0x4


class RELOAD_LIMITS(KernelFlag, prefix="DEVLINK_RELOAD_LIMIT_"):
    """Limits as a mask: the bit 1 << DEVLINK_RELOAD_LIMIT_*."""

    DEVLINK_RELOAD_LIMIT_NO_RESET = 0x2


class DEVLINK_RATE_TYPE(KernelEnum):
    """enum devlink_rate_type."""

    DEVLINK_RATE_TYPE_LEAF = 0
    DEVLINK_RATE_TYPE_NODE = 1


class DEVLINK_PORT_FN_STATE(KernelEnum):
    """enum devlink_port_fn_state."""

    DEVLINK_PORT_FN_STATE_INACTIVE = 0
    DEVLINK_PORT_FN_STATE_ACTIVE = 1


class DEVLINK_PORT_FN_OPSTATE(KernelEnum):
    """enum devlink_port_fn_opstate."""

    DEVLINK_PORT_FN_OPSTATE_DETACHED = 0
    DEVLINK_PORT_FN_OPSTATE_ATTACHED = 1


class DEVLINK_PORT_FN_CAP(KernelFlag):
    """Capabilities of the function behind a port: DEVLINK_PORT_FN_CAP_*."""

    DEVLINK_PORT_FN_CAP_ROCE = 0x1
    DEVLINK_PORT_FN_CAP_MIGRATABLE = 0x2
    DEVLINK_PORT_FN_CAP_IPSEC_CRYPTO = 0x4
    DEVLINK_PORT_FN_CAP_IPSEC_PACKET = 0x8


class DEVLINK_LINECARD_STATE(KernelEnum):
    """enum devlink_linecard_state."""

    DEVLINK_LINECARD_STATE_UNSPEC = 0
    DEVLINK_LINECARD_STATE_UNPROVISIONED = 1
    DEVLINK_LINECARD_STATE_UNPROVISIONING = 2
    DEVLINK_LINECARD_STATE_PROVISIONING = 3
    DEVLINK_LINECARD_STATE_PROVISIONING_FAILED = 4
    DEVLINK_LINECARD_STATE_PROVISIONED = 5
    DEVLINK_LINECARD_STATE_ACTIVE = 6


class DEVLINK_SELFTEST_STATUS(KernelEnum):
    """enum devlink_selftest_status."""

    DEVLINK_SELFTEST_STATUS_SKIP = 0
    DEVLINK_SELFTEST_STATUS_PASS = 1
    DEVLINK_SELFTEST_STATUS_FAIL = 2


class HEALTH_STATE(KernelEnum, prefix="DEVLINK_HEALTH_REPORTER_STATE_"):
    """State of a health reporter: enum devlink_health_reporter_state (net/devlink.h)."""

    DEVLINK_HEALTH_REPORTER_STATE_HEALTHY = 0
    DEVLINK_HEALTH_REPORTER_STATE_ERROR = 1


class DpipeMatch(Message):
    """What a table compares: DEVLINK_ATTR_*."""

    dpipe_match_type: Named[DEVLINK_DPIPE_MATCH_TYPE | int | None] = u32(
        42, enum=DEVLINK_DPIPE_MATCH_TYPE
    )
    dpipe_header_id: Named[DEVLINK_DPIPE_HEADER | int | None] = u32(52, enum=DEVLINK_DPIPE_HEADER)
    dpipe_header_global: int | None = u8(54)
    dpipe_header_index: int | None = u32(55)
    dpipe_field_id: int | None = u32(58)


class DpipeMatches(Message):
    """What a table compares: DEVLINK_ATTR_*."""

    dpipe_match: Several[DpipeMatch] = repeated(40, DpipeMatch)


class DpipeAction(Message):
    """What a table changes: DEVLINK_ATTR_*."""

    dpipe_action_type: Named[DEVLINK_DPIPE_ACTION_TYPE | int | None] = u32(
        45, enum=DEVLINK_DPIPE_ACTION_TYPE
    )
    dpipe_header_id: Named[DEVLINK_DPIPE_HEADER | int | None] = u32(52, enum=DEVLINK_DPIPE_HEADER)
    dpipe_header_global: int | None = u8(54)
    dpipe_header_index: int | None = u32(55)
    dpipe_field_id: int | None = u32(58)


class DpipeActions(Message):
    """What a table changes: DEVLINK_ATTR_*."""

    dpipe_action: Several[DpipeAction] = repeated(43, DpipeAction)


class DpipeTable(Message):
    """A table of the packet processor: DEVLINK_ATTR_*."""

    dpipe_table_name: str | None = string(29)
    dpipe_table_size: int | None = u64(30)
    dpipe_table_matches: Nested[DpipeMatches] = nest(31, DpipeMatches)
    dpipe_table_actions: Nested[DpipeActions] = nest(32, DpipeActions)
    dpipe_table_counters_enabled: int | None = u8(33)
    dpipe_table_resource_id: int | None = u64(75)
    dpipe_table_resource_units: int | None = u64(76)


class DpipeTables(Message):
    """Tables of the packet processor: DEVLINK_ATTR_*."""

    dpipe_table: Several[DpipeTable] = repeated(28, DpipeTable)


class DpipeMatchValue(Message):
    """A value to compare: DEVLINK_ATTR_*."""

    dpipe_match: Several[DpipeMatch] = repeated(40, DpipeMatch)
    dpipe_value: bytes | None = binary(46)
    dpipe_value_mask: bytes | None = binary(47)
    dpipe_value_mapping: int | None = u32(48)


class DpipeMatchValues(Message):
    """Values to compare: DEVLINK_ATTR_*."""

    dpipe_match_value: Several[DpipeMatchValue] = repeated(41, DpipeMatchValue)


class DpipeActionValue(Message):
    """A value to write: DEVLINK_ATTR_*."""

    dpipe_action: Several[DpipeAction] = repeated(43, DpipeAction)
    dpipe_value: bytes | None = binary(46)
    dpipe_value_mask: bytes | None = binary(47)
    dpipe_value_mapping: int | None = u32(48)


class DpipeActionValues(Message):
    """Values to write: DEVLINK_ATTR_*."""

    dpipe_action_value: Several[DpipeActionValue] = repeated(44, DpipeActionValue)


class DpipeEntry(Message):
    """An entry of a table: DEVLINK_ATTR_*."""

    dpipe_entry_index: int | None = u64(36)
    dpipe_entry_match_values: Nested[DpipeMatchValues] = nest(37, DpipeMatchValues)
    dpipe_entry_action_values: Nested[DpipeActionValues] = nest(38, DpipeActionValues)
    dpipe_entry_counter: int | None = u64(39)


class DpipeEntries(Message):
    """Entries of a table: DEVLINK_ATTR_*."""

    dpipe_entry: Several[DpipeEntry] = repeated(35, DpipeEntry)


class DpipeField(Message):
    """A field of a header of packets: DEVLINK_ATTR_*."""

    dpipe_field_name: str | None = string(57)
    dpipe_field_id: int | None = u32(58)
    dpipe_field_bitwidth: int | None = u32(59)
    dpipe_field_mapping_type: Named[DEVLINK_DPIPE_FIELD_MAPPING_TYPE | int | None] = u32(
        60, enum=DEVLINK_DPIPE_FIELD_MAPPING_TYPE
    )


class DpipeFields(Message):
    """Fields of a header of packets: DEVLINK_ATTR_*."""

    dpipe_field: Several[DpipeField] = repeated(56, DpipeField)


class DpipeHeader(Message):
    """A header of packets: DEVLINK_ATTR_*."""

    dpipe_header_name: str | None = string(51)
    dpipe_header_id: Named[DEVLINK_DPIPE_HEADER | int | None] = u32(52, enum=DEVLINK_DPIPE_HEADER)
    dpipe_header_global: int | None = u8(54)
    dpipe_header_fields: Nested[DpipeFields] = nest(53, DpipeFields)


class DpipeHeaders(Message):
    """Headers of packets: DEVLINK_ATTR_*."""

    dpipe_header: Several[DpipeHeader] = repeated(50, DpipeHeader)


class Resource(Message):
    """A resource of a device, with those that it is divided into: DEVLINK_ATTR_*."""

    resource_name: str | None = string(65)
    resource_id: int | None = u64(66)
    resource_size: int | None = u64(67)
    resource_size_new: int | None = u64(68)
    resource_size_valid: int | None = u8(69)
    resource_size_min: int | None = u64(70)
    resource_size_max: int | None = u64(71)
    resource_size_gran: int | None = u64(72)
    resource_unit: Named[DEVLINK_RESOURCE_UNIT | int | None] = u8(73, enum=DEVLINK_RESOURCE_UNIT)
    resource_occ: int | None = u64(74)
    resource_list: Nested[ResourceList] = nest(63, lambda: ResourceList)


class ResourceList(Message):
    """Resources of a device: DEVLINK_ATTR_*."""

    resource: Several[Resource] = repeated(64, Resource)


# What the data of a value is, by its type. A flag is true if the attribute is there.
VALUES: dict[int, Any] = {
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_U8: u8(),
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_U16: u16(),
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_U32: u32(),
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_U64: u64(),
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_STRING: string(),
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_FLAG: flag(),
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_NUL_STRING: string(),
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_BINARY: binary(),
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_U64_ARRAY: scalars(u64()),
}


class ParamValue(Message):
    """A value of a parameter: DEVLINK_ATTR_*. Its type is that of the parameter."""

    param_value_data: Any = selected(86, "^^param_type", VALUES)
    param_value_cmode: Named[DEVLINK_PARAM_CMODE | int | None] = u8(87, enum=DEVLINK_PARAM_CMODE)
    param_value_default: Any = selected(182, "^^param_type", VALUES)


class ParamValues(Message):
    """Values of a parameter: DEVLINK_ATTR_*."""

    param_value: Several[ParamValue] = repeated(85, ParamValue)


class Param(Message):
    """A parameter: DEVLINK_ATTR_*."""

    param_name: str | None = string(81)
    param_generic: bool = flag(82)
    param_type: Named[DEVLINK_VAR_ATTR_TYPE | int | None] = u8(83, enum=DEVLINK_VAR_ATTR_TYPE)
    param_values_list: Nested[ParamValues] = nest(84, ParamValues)


class RegionSnapshot(Message):
    """A snapshot of a region: DEVLINK_ATTR_*."""

    region_snapshot_id: int | None = u32(92)


class RegionSnapshots(Message):
    """Snapshots of a region: DEVLINK_ATTR_*."""

    region_snapshot: Several[RegionSnapshot] = repeated(91, RegionSnapshot)


class RegionChunk(Message):
    """Some bytes of a region: DEVLINK_ATTR_*."""

    region_chunk_data: bytes | None = binary(95)
    region_chunk_addr: int | None = u64(96)


class RegionChunks(Message):
    """Bytes of a region: DEVLINK_ATTR_*."""

    region_chunk: Several[RegionChunk] = repeated(94, RegionChunk)


class InfoVersion(Message):
    """A version: DEVLINK_ATTR_*."""

    info_version_name: str | None = string(103)
    info_version_value: str | None = string(104)


class Fmsg(Message):
    """A part of a formatted message: DEVLINK_ATTR_*.

    The order of the attributes matters, across names: the plans diagnose() and health_dump() read
    it. Here each attribute has all its values.
    """

    fmsg_obj_nest_start: tuple[bool, ...] = repeated(107, flag())
    fmsg_pair_nest_start: tuple[bool, ...] = repeated(108, flag())
    fmsg_arr_nest_start: tuple[bool, ...] = repeated(109, flag())
    fmsg_nest_end: tuple[bool, ...] = repeated(110, flag())
    fmsg_obj_name: tuple[str, ...] = repeated(111, string())
    fmsg_obj_value_type: tuple[DEVLINK_VAR_ATTR_TYPE | int, ...] = repeated(
        112, u8(enum=DEVLINK_VAR_ATTR_TYPE)
    )
    fmsg_obj_value_data: tuple[bytes, ...] = repeated(113, binary())


class HealthReporter(Message):
    """A reporter of the health of a device: DEVLINK_ATTR_*."""

    health_reporter_name: str | None = string(115)
    health_reporter_state: Named[HEALTH_STATE | int | None] = u8(116, enum=HEALTH_STATE)
    health_reporter_err_count: int | None = u64(117)
    health_reporter_recover_count: int | None = u64(118)
    health_reporter_dump_ts: int | None = u64(119)
    health_reporter_graceful_period: int | None = u64(120)
    health_reporter_auto_recover: int | None = u8(121)
    health_reporter_dump_ts_ns: int | None = u64(137)
    health_reporter_auto_dump: int | None = u8(141)
    health_reporter_burst_period: int | None = u64(181)


class TrapStats(Message):
    """Counters of a trap: DEVLINK_ATTR_STATS_*. `rx_dropped` is of packets of the device's own."""

    rx_packets: int | None = u64(0)
    rx_bytes: int | None = u64(1)
    rx_dropped: int | None = u64(2)


class TrapMetadata(Message):
    """What a trap reports with a packet: DEVLINK_ATTR_TRAP_METADATA_TYPE_*."""

    in_port: bool = flag(0)
    fa_cookie: bool = flag(1)


class NestedDevlink(Message):
    """Another device: DEVLINK_ATTR_*. `netns_id` is -1 if its namespace has no number here."""

    bus_name: str | None = string(1)
    dev_name: str | None = string(2)
    netns_id: int | None = s32(140)
    index: int | None = uint(184)


class PortFunction(Message):
    """The function behind a port: DEVLINK_PORT_FN_ATTR_* and DEVLINK_PORT_FUNCTION_ATTR_*."""

    hw_addr: str | None = mac(1)
    state: Named[DEVLINK_PORT_FN_STATE | int | None] = u8(2, enum=DEVLINK_PORT_FN_STATE)
    opstate: Named[DEVLINK_PORT_FN_OPSTATE | int | None] = u8(3, enum=DEVLINK_PORT_FN_OPSTATE)
    caps: Bitfield32 | None = bitfield32(4, enum=DEVLINK_PORT_FN_CAP)
    devlink: Nested[NestedDevlink] = nest(5, NestedDevlink)
    max_io_eqs: int | None = u32(6)


class ReloadStatsEntry(Message):
    """How often a reload had a limit: DEVLINK_ATTR_*."""

    reload_stats_limit: Named[DEVLINK_RELOAD_LIMIT | int | None] = u8(
        159, enum=DEVLINK_RELOAD_LIMIT
    )
    reload_stats_value: int | None = u32(160)


class ReloadActionStats(Message):
    """Counters of an action: DEVLINK_ATTR_*."""

    reload_stats_entry: Several[ReloadStatsEntry] = repeated(158, ReloadStatsEntry)


class ReloadActionInfo(Message):
    """An action and its counters: DEVLINK_ATTR_*."""

    reload_action: Named[DEVLINK_RELOAD_ACTION | int | None] = u8(153, enum=DEVLINK_RELOAD_ACTION)
    reload_action_stats: Several[ReloadActionStats] = repeated(163, ReloadActionStats)


class ReloadStats(Message):
    """Counters of reloads: DEVLINK_ATTR_*."""

    reload_action_info: Several[ReloadActionInfo] = repeated(162, ReloadActionInfo)


class DevStats(Message):
    """Counters of a device: DEVLINK_ATTR_*."""

    reload_stats: Nested[ReloadStats] = nest(157, ReloadStats)
    remote_reload_stats: Nested[ReloadStats] = nest(161, ReloadStats)


class LinecardTypes(Message):
    """Types of line cards: DEVLINK_ATTR_*."""

    linecard_type: tuple[str, ...] = repeated(173, string())


class Selftests(Message):
    """Tests of a device: DEVLINK_ATTR_SELFTEST_ID_*."""

    flash: bool = flag(1)


class SelftestResult(Message):
    """The result of a test: DEVLINK_ATTR_SELFTEST_RESULT_*."""

    id: int | None = u32(2)
    status: Named[DEVLINK_SELFTEST_STATUS | int | None] = u8(3, enum=DEVLINK_SELFTEST_STATUS)


class SelftestResults(Message):
    """Results of tests: DEVLINK_ATTR_SELFTEST_*."""

    result: Several[SelftestResult] = repeated(1, SelftestResult)


class RateTc(Message):
    """The share of a traffic class: DEVLINK_RATE_TC_ATTR_*. `bw` is percent."""

    index: int | None = u8(1)
    bw: int | None = u32(2)


class Devlink(Message):
    """Every attribute of a command, an answer or an event: DEVLINK_ATTR_*.

    - `bus_name` and `dev_name` identify a device, and `port_index` one of its ports.
    - Rates are bytes per second, `trap_policer_rate` is packets per second, `graceful_period` and
      times of flashing are ms and s, time stamps of dumps are jiffies and ns.
    - A parameter is set with `param_type` and `param_value_data`; a false flag has no data.
    """

    bus_name: str | None = string(1)
    dev_name: str | None = string(2)
    port_index: int | None = u32(3)
    port_type: Named[DEVLINK_PORT_TYPE | int | None] = u16(4, enum=DEVLINK_PORT_TYPE)
    port_desired_type: Named[DEVLINK_PORT_TYPE | int | None] = u16(5, enum=DEVLINK_PORT_TYPE)
    port_netdev_ifindex: int | None = u32(6)
    port_netdev_name: str | None = string(7)
    port_ibdev_name: str | None = string(8)
    port_split_count: int | None = u32(9)
    port_split_group: int | None = u32(10)
    sb_index: int | None = u32(11)
    sb_size: int | None = u32(12)
    sb_ingress_pool_count: int | None = u16(13)
    sb_egress_pool_count: int | None = u16(14)
    sb_ingress_tc_count: int | None = u16(15)
    sb_egress_tc_count: int | None = u16(16)
    sb_pool_index: int | None = u16(17)
    sb_pool_type: Named[DEVLINK_SB_POOL_TYPE | int | None] = u8(18, enum=DEVLINK_SB_POOL_TYPE)
    sb_pool_size: int | None = u32(19)
    sb_pool_threshold_type: Named[DEVLINK_SB_THRESHOLD_TYPE | int | None] = u8(
        20, enum=DEVLINK_SB_THRESHOLD_TYPE
    )
    sb_threshold: int | None = u32(21)
    sb_tc_index: int | None = u16(22)
    sb_occ_cur: int | None = u32(23)
    sb_occ_max: int | None = u32(24)
    eswitch_mode: Named[DEVLINK_ESWITCH_MODE | int | None] = u16(25, enum=DEVLINK_ESWITCH_MODE)
    eswitch_inline_mode: Named[DEVLINK_ESWITCH_INLINE_MODE | int | None] = u8(
        26, enum=DEVLINK_ESWITCH_INLINE_MODE
    )
    dpipe_tables: Nested[DpipeTables] = nest(27, DpipeTables)
    dpipe_table_name: str | None = string(29)
    dpipe_table_counters_enabled: int | None = u8(33)
    dpipe_entries: Nested[DpipeEntries] = nest(34, DpipeEntries)
    dpipe_headers: Nested[DpipeHeaders] = nest(49, DpipeHeaders)
    eswitch_encap_mode: Named[DEVLINK_ESWITCH_ENCAP_MODE | int | None] = u8(
        62, enum=DEVLINK_ESWITCH_ENCAP_MODE
    )
    resource_list: Nested[ResourceList] = nest(63, ResourceList)
    resource_id: int | None = u64(66)
    resource_size: int | None = u64(67)
    port_flavour: Named[DEVLINK_PORT_FLAVOUR | int | None] = u16(77, enum=DEVLINK_PORT_FLAVOUR)
    port_number: int | None = u32(78)
    port_split_subport_number: int | None = u32(79)
    param: Nested[Param] = nest(80, Param)
    param_name: str | None = string(81)
    param_type: Named[DEVLINK_VAR_ATTR_TYPE | int | None] = u8(83, enum=DEVLINK_VAR_ATTR_TYPE)
    param_value_data: Any = selected(86, "param_type", VALUES)
    param_value_cmode: Named[DEVLINK_PARAM_CMODE | int | None] = u8(87, enum=DEVLINK_PARAM_CMODE)
    region_name: str | None = string(88)
    region_size: int | None = u64(89)
    region_snapshots: Nested[RegionSnapshots] = nest(90, RegionSnapshots)
    region_snapshot_id: int | None = u32(92)
    region_chunks: Nested[RegionChunks] = nest(93, RegionChunks)
    region_chunk_data: bytes | None = binary(95)
    region_chunk_addr: int | None = u64(96)
    region_chunk_len: int | None = u64(97)
    info_driver_name: str | None = string(98)
    info_serial_number: str | None = string(99)
    info_version_fixed: Several[InfoVersion] = repeated(100, InfoVersion)
    info_version_running: Several[InfoVersion] = repeated(101, InfoVersion)
    info_version_stored: Several[InfoVersion] = repeated(102, InfoVersion)
    sb_pool_cell_size: int | None = u32(105)
    fmsg: Nested[Fmsg] = nest(106, Fmsg)
    health_reporter: Nested[HealthReporter] = nest(114, HealthReporter)
    health_reporter_name: str | None = string(115)
    health_reporter_graceful_period: int | None = u64(120)
    health_reporter_auto_recover: int | None = u8(121)
    flash_update_file_name: str | None = string(122)
    flash_update_component: str | None = string(123)
    flash_update_status_msg: str | None = string(124)
    flash_update_status_done: int | None = u64(125)
    flash_update_status_total: int | None = u64(126)
    port_pci_pf_number: int | None = u16(127)
    port_pci_vf_number: int | None = u16(128)
    stats: Nested[TrapStats] = nest(129, TrapStats)
    trap_name: str | None = string(130)
    trap_action: Named[DEVLINK_TRAP_ACTION | int | None] = u8(131, enum=DEVLINK_TRAP_ACTION)
    trap_type: Named[DEVLINK_TRAP_TYPE | int | None] = u8(132, enum=DEVLINK_TRAP_TYPE)
    trap_generic: bool = flag(133)
    trap_metadata: Nested[TrapMetadata] = nest(134, TrapMetadata)
    trap_group_name: str | None = string(135)
    reload_failed: int | None = u8(136)
    netns_fd: int | None = u32(138)
    netns_pid: int | None = u32(139)
    netns_id: int | None = s32(140)
    health_reporter_auto_dump: int | None = u8(141)
    trap_policer_id: int | None = u32(142)
    trap_policer_rate: int | None = u64(143)
    trap_policer_burst: int | None = u64(144)
    port_function: Nested[PortFunction] = nest(145, PortFunction)
    info_board_serial_number: str | None = string(146)
    port_lanes: int | None = u32(147)
    port_splittable: int | None = u8(148)
    port_external: int | None = u8(149)
    port_controller_number: int | None = u32(150)
    flash_update_status_timeout: int | None = u64(151)
    flash_update_overwrite_mask: Bitfield32 | None = bitfield32(152, enum=DEVLINK_FLASH_OVERWRITE)
    reload_action: Named[DEVLINK_RELOAD_ACTION | int | None] = u8(153, enum=DEVLINK_RELOAD_ACTION)
    reload_actions_performed: Bitfield32 | None = bitfield32(154, enum=RELOAD_ACTIONS)
    reload_limits: Bitfield32 | None = bitfield32(155, enum=RELOAD_LIMITS)
    dev_stats: Nested[DevStats] = nest(156, DevStats)
    port_pci_sf_number: int | None = u32(164)
    rate_type: Named[DEVLINK_RATE_TYPE | int | None] = u16(165, enum=DEVLINK_RATE_TYPE)
    rate_tx_share: int | None = u64(166)
    rate_tx_max: int | None = u64(167)
    rate_node_name: str | None = string(168)
    rate_parent_node_name: str | None = string(169)
    region_max_snapshots: int | None = u32(170)
    linecard_index: int | None = u32(171)
    linecard_state: Named[DEVLINK_LINECARD_STATE | int | None] = u8(
        172, enum=DEVLINK_LINECARD_STATE
    )
    linecard_type: str | None = string(173)
    linecard_supported_types: Nested[LinecardTypes] = nest(174, LinecardTypes)
    nested_devlink: Nested[NestedDevlink] = nest(175, NestedDevlink)
    selftests: Nested[Selftests] = nest(176, Selftests)
    rate_tx_priority: int | None = u32(177)
    rate_tx_weight: int | None = u32(178)
    region_direct: bool = flag(179)
    rate_tc_bws: Several[RateTc] = repeated(180, RateTc)
    health_reporter_burst_period: int | None = u64(181)
    param_value_default: Any = selected(182, "param_type", VALUES)
    param_reset_default: bool = flag(183)
    index: int | None = uint(184)
    resource_scope_mask: Named[DEVLINK_RESOURCE_SCOPE | int | None] = u32(
        185, enum=DEVLINK_RESOURCE_SCOPE
    )


class SelftestsDone(Devlink):
    """The answer to a command to run tests: DEVLINK_ATTR_*."""

    selftests: Nested[SelftestResults] = nest(176, SelftestResults)  # type: ignore[assignment]


class Query(Message):
    """Which objects of which device: DEVLINK_ATTR_*. Without a device, those of all devices."""

    bus_name: str | None = string(1)
    dev_name: str | None = string(2)
    port_index: int | None = u32(3)
    sb_index: int | None = u32(11)
    sb_pool_index: int | None = u16(17)
    sb_pool_type: Named[DEVLINK_SB_POOL_TYPE | int | None] = u8(18, enum=DEVLINK_SB_POOL_TYPE)
    sb_tc_index: int | None = u16(22)
    param_name: str | None = string(81)
    region_name: str | None = string(88)
    health_reporter_name: str | None = string(115)
    trap_name: str | None = string(130)
    trap_group_name: str | None = string(135)
    trap_policer_id: int | None = u32(142)
    rate_node_name: str | None = string(168)
    linecard_index: int | None = u32(171)
    index: int | None = uint(184)


# --- ops ------------------------------------------------------------------------------------------

get = Op(
    "devlink.get",
    DEVLINK_CMD.DEVLINK_CMD_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_NEW,
)
port_get = Op(
    "devlink.port_get",
    DEVLINK_CMD.DEVLINK_CMD_PORT_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_PORT_NEW,
)
port_set = Op("devlink.port_set", DEVLINK_CMD.DEVLINK_CMD_PORT_SET, Devlink)
port_new = Op("devlink.port_new", DEVLINK_CMD.DEVLINK_CMD_PORT_NEW, Devlink, answer="one")
port_del = Op("devlink.port_del", DEVLINK_CMD.DEVLINK_CMD_PORT_DEL, Devlink)
port_split = Op("devlink.port_split", DEVLINK_CMD.DEVLINK_CMD_PORT_SPLIT, Devlink)
port_unsplit = Op("devlink.port_unsplit", DEVLINK_CMD.DEVLINK_CMD_PORT_UNSPLIT, Devlink)
sb_get = Op(
    "devlink.sb_get",
    DEVLINK_CMD.DEVLINK_CMD_SB_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_SB_NEW,
)
sb_pool_get = Op(
    "devlink.sb_pool_get",
    DEVLINK_CMD.DEVLINK_CMD_SB_POOL_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_SB_POOL_NEW,
)
sb_pool_set = Op("devlink.sb_pool_set", DEVLINK_CMD.DEVLINK_CMD_SB_POOL_SET, Devlink)
sb_port_pool_get = Op(
    "devlink.sb_port_pool_get",
    DEVLINK_CMD.DEVLINK_CMD_SB_PORT_POOL_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_SB_PORT_POOL_NEW,
)
sb_port_pool_set = Op("devlink.sb_port_pool_set", DEVLINK_CMD.DEVLINK_CMD_SB_PORT_POOL_SET, Devlink)
sb_tc_pool_bind_get = Op(
    "devlink.sb_tc_pool_bind_get",
    DEVLINK_CMD.DEVLINK_CMD_SB_TC_POOL_BIND_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_SB_TC_POOL_BIND_NEW,
)
sb_tc_pool_bind_set = Op(
    "devlink.sb_tc_pool_bind_set", DEVLINK_CMD.DEVLINK_CMD_SB_TC_POOL_BIND_SET, Devlink
)
sb_occ_snapshot = Op("devlink.sb_occ_snapshot", DEVLINK_CMD.DEVLINK_CMD_SB_OCC_SNAPSHOT, Devlink)
sb_occ_max_clear = Op("devlink.sb_occ_max_clear", DEVLINK_CMD.DEVLINK_CMD_SB_OCC_MAX_CLEAR, Devlink)
eswitch_get = Op(
    "devlink.eswitch_get",
    DEVLINK_CMD.DEVLINK_CMD_ESWITCH_GET,
    Query,
    reply=Devlink,
    answer="one",
    dumps=False,
)
eswitch_set = Op("devlink.eswitch_set", DEVLINK_CMD.DEVLINK_CMD_ESWITCH_SET, Devlink)
dpipe_table_get = Op(
    "devlink.dpipe_table_get",
    DEVLINK_CMD.DEVLINK_CMD_DPIPE_TABLE_GET,
    Devlink,
    answer="several",
    ends="done",
    dumps=False,
)
dpipe_entries_get = Op(
    "devlink.dpipe_entries_get",
    DEVLINK_CMD.DEVLINK_CMD_DPIPE_ENTRIES_GET,
    Devlink,
    answer="several",
    ends="done",
    dumps=False,
)
dpipe_headers_get = Op(
    "devlink.dpipe_headers_get",
    DEVLINK_CMD.DEVLINK_CMD_DPIPE_HEADERS_GET,
    Devlink,
    answer="several",
    ends="done",
    dumps=False,
)
dpipe_table_counters_set = Op(
    "devlink.dpipe_table_counters_set", DEVLINK_CMD.DEVLINK_CMD_DPIPE_TABLE_COUNTERS_SET, Devlink
)
resource_set = Op("devlink.resource_set", DEVLINK_CMD.DEVLINK_CMD_RESOURCE_SET, Devlink)
resource_dump = Op(
    "devlink.resource_dump",
    DEVLINK_CMD.DEVLINK_CMD_RESOURCE_DUMP,
    Devlink,
    answer="several",
    ends="done",
)
reload = Op("devlink.reload", DEVLINK_CMD.DEVLINK_CMD_RELOAD, Devlink, answer="optional")
param_get = Op(
    "devlink.param_get", DEVLINK_CMD.DEVLINK_CMD_PARAM_GET, Query, reply=Devlink, answer="one"
)
param_set = Op("devlink.param_set", DEVLINK_CMD.DEVLINK_CMD_PARAM_SET, Devlink)
region_get = Op(
    "devlink.region_get", DEVLINK_CMD.DEVLINK_CMD_REGION_GET, Query, reply=Devlink, answer="one"
)
region_new = Op(
    "devlink.region_new", DEVLINK_CMD.DEVLINK_CMD_REGION_NEW, Devlink, answer="optional"
)
region_del = Op("devlink.region_del", DEVLINK_CMD.DEVLINK_CMD_REGION_DEL, Devlink)
region_read = Op(
    "devlink.region_read",
    DEVLINK_CMD.DEVLINK_CMD_REGION_READ,
    Devlink,
    answer="several",
    dumps=False,
)
port_param_get = Op(
    "devlink.port_param_get",
    DEVLINK_CMD.DEVLINK_CMD_PORT_PARAM_GET,
    Query,
    reply=Devlink,
    answer="one",
)
port_param_set = Op("devlink.port_param_set", DEVLINK_CMD.DEVLINK_CMD_PORT_PARAM_SET, Devlink)
info_get = Op(
    "devlink.info_get", DEVLINK_CMD.DEVLINK_CMD_INFO_GET, Query, reply=Devlink, answer="one"
)
health_reporter_get = Op(
    "devlink.health_reporter_get",
    DEVLINK_CMD.DEVLINK_CMD_HEALTH_REPORTER_GET,
    Query,
    reply=Devlink,
    answer="one",
)
health_reporter_set = Op(
    "devlink.health_reporter_set", DEVLINK_CMD.DEVLINK_CMD_HEALTH_REPORTER_SET, Devlink
)
health_reporter_recover = Op(
    "devlink.health_reporter_recover", DEVLINK_CMD.DEVLINK_CMD_HEALTH_REPORTER_RECOVER, Devlink
)
health_reporter_diagnose = Op(
    "devlink.health_reporter_diagnose",
    DEVLINK_CMD.DEVLINK_CMD_HEALTH_REPORTER_DIAGNOSE,
    Devlink,
    answer="several",
    ends="done",
)
health_reporter_dump_get = Op(
    "devlink.health_reporter_dump_get",
    DEVLINK_CMD.DEVLINK_CMD_HEALTH_REPORTER_DUMP_GET,
    Devlink,
    answer="several",
    dumps=False,
)
health_reporter_dump_clear = Op(
    "devlink.health_reporter_dump_clear",
    DEVLINK_CMD.DEVLINK_CMD_HEALTH_REPORTER_DUMP_CLEAR,
    Devlink,
)
flash_update = Op("devlink.flash_update", DEVLINK_CMD.DEVLINK_CMD_FLASH_UPDATE, Devlink)
trap_get = Op(
    "devlink.trap_get",
    DEVLINK_CMD.DEVLINK_CMD_TRAP_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_TRAP_NEW,
)
trap_set = Op("devlink.trap_set", DEVLINK_CMD.DEVLINK_CMD_TRAP_SET, Devlink)
trap_group_get = Op(
    "devlink.trap_group_get",
    DEVLINK_CMD.DEVLINK_CMD_TRAP_GROUP_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_TRAP_GROUP_NEW,
)
trap_group_set = Op("devlink.trap_group_set", DEVLINK_CMD.DEVLINK_CMD_TRAP_GROUP_SET, Devlink)
trap_policer_get = Op(
    "devlink.trap_policer_get",
    DEVLINK_CMD.DEVLINK_CMD_TRAP_POLICER_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_TRAP_POLICER_NEW,
)
trap_policer_set = Op("devlink.trap_policer_set", DEVLINK_CMD.DEVLINK_CMD_TRAP_POLICER_SET, Devlink)
health_reporter_test = Op(
    "devlink.health_reporter_test", DEVLINK_CMD.DEVLINK_CMD_HEALTH_REPORTER_TEST, Devlink
)
rate_get = Op(
    "devlink.rate_get",
    DEVLINK_CMD.DEVLINK_CMD_RATE_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_RATE_NEW,
)
rate_set = Op("devlink.rate_set", DEVLINK_CMD.DEVLINK_CMD_RATE_SET, Devlink)
rate_new = Op("devlink.rate_new", DEVLINK_CMD.DEVLINK_CMD_RATE_NEW, Devlink)
rate_del = Op("devlink.rate_del", DEVLINK_CMD.DEVLINK_CMD_RATE_DEL, Devlink)
linecard_get = Op(
    "devlink.linecard_get",
    DEVLINK_CMD.DEVLINK_CMD_LINECARD_GET,
    Query,
    reply=Devlink,
    answer="one",
    reply_type=DEVLINK_CMD.DEVLINK_CMD_LINECARD_NEW,
)
linecard_set = Op("devlink.linecard_set", DEVLINK_CMD.DEVLINK_CMD_LINECARD_SET, Devlink)
selftests_get = Op(
    "devlink.selftests_get",
    DEVLINK_CMD.DEVLINK_CMD_SELFTESTS_GET,
    Query,
    reply=Devlink,
    answer="one",
)
selftests_run = Op(
    "devlink.selftests_run",
    DEVLINK_CMD.DEVLINK_CMD_SELFTESTS_RUN,
    Devlink,
    reply=SelftestsDone,
    answer="one",
)
notify_filter_set = Op(
    "devlink.notify_filter_set", DEVLINK_CMD.DEVLINK_CMD_NOTIFY_FILTER_SET, Devlink
)

FAMILY = Family(
    "devlink",
    types=DEVLINK_CMD,
    ops=(
        get,
        port_get,
        port_set,
        port_new,
        port_del,
        port_split,
        port_unsplit,
        sb_get,
        sb_pool_get,
        sb_pool_set,
        sb_port_pool_get,
        sb_port_pool_set,
        sb_tc_pool_bind_get,
        sb_tc_pool_bind_set,
        sb_occ_snapshot,
        sb_occ_max_clear,
        eswitch_get,
        eswitch_set,
        dpipe_table_get,
        dpipe_entries_get,
        dpipe_headers_get,
        dpipe_table_counters_set,
        resource_set,
        resource_dump,
        reload,
        param_get,
        param_set,
        region_get,
        region_new,
        region_del,
        region_read,
        port_param_get,
        port_param_set,
        info_get,
        health_reporter_get,
        health_reporter_set,
        health_reporter_recover,
        health_reporter_diagnose,
        health_reporter_dump_get,
        health_reporter_dump_clear,
        flash_update,
        trap_get,
        trap_set,
        trap_group_get,
        trap_group_set,
        trap_policer_get,
        trap_policer_set,
        health_reporter_test,
        rate_get,
        rate_set,
        rate_new,
        rate_del,
        linecard_get,
        linecard_set,
        selftests_get,
        selftests_run,
        notify_filter_set,
    ),
    groups=("config",),
    messages={
        **dict.fromkeys(DEVLINK_CMD, Devlink),
        DEVLINK_CMD.DEVLINK_CMD_SELFTESTS_RUN: SelftestsDone,
    },
)


# --- plans ----------------------------------------------------------------------------------------


class Parameter(NamedTuple):
    """A parameter of a device: `values` has what applies at run time, at the start, or always."""

    name: str | None
    generic: bool
    type: DEVLINK_VAR_ATTR_TYPE | int | None
    values: dict[DEVLINK_PARAM_CMODE | int | None, Any]


@plan
def devices() -> Steps[list[Devlink]]:
    """Return every device."""
    found: list[Devlink] = yield get().dump()
    return found


@plan
def ports(dev: str | None = None) -> Steps[list[Devlink]]:
    """Return the ports of a device, or of all. `dev` is a bus and a name: "pci/0000:03:00.0"."""
    found: list[Devlink] = yield port_get(**_of("ports", dev)).dump()
    return found


@plan
def info(dev: str) -> Steps[Devlink]:
    """Return the driver, the serial number and the versions of the firmware of a device."""
    found: Devlink = yield info_get(**_of("info", dev, needed=True))
    return found


@plan
def params(dev: str) -> Steps[list[Parameter]]:
    """Return the parameters of a device with their values."""
    found: list[Devlink] = yield param_get(**_of("params", dev, needed=True)).dump()
    return [_parameter(message.param) for message in found if message.param is not None]


@plan
def set_param(
    dev: str, name: str, value: int | str | bool, cmode: DEVLINK_PARAM_CMODE | int | str = "runtime"
) -> Steps[None]:
    """Set a parameter of a device.

    `cmode` says when the value applies: "runtime" at once, "driverinit" after a reload, "permanent"
    after a restart. The plan asks the kernel for the type of the parameter. Raises EncodeError if
    the value does not fit the type, KernelError: EINVAL if there is no such parameter, EOPNOTSUPP
    if it has no such cmode.
    """
    words = Words("devlink.set_param", locals())
    mode = words.number("cmode", names_of(DEVLINK_PARAM_CMODE))
    text = words.text("name")
    if mode is None or text is None or value is None:
        words.refuse("needs the name of a parameter, a value, and when it applies")
    handle = _of("set_param", dev, needed=True)
    found: Devlink = yield param_get(**handle, param_name=text)
    kind = found.param.param_type if found.param is not None else None
    is_bool = kind == DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_FLAG
    if isinstance(value, bool) != is_bool or isinstance(value, str) != (kind in TEXTS):
        raise words.expected("value", f"a value of type {kind}")
    yield param_set(
        **handle,
        param_name=text,
        param_type=kind,
        param_value_cmode=mode,
        param_value_data=value if value is not False else None,
    )


TEXTS = (
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_STRING,
    DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_NUL_STRING,
)


@plan
def resources(dev: str) -> Steps[tuple[Resource, ...]]:
    """Return the resources of a device. Each has those that it is divided into."""
    parts: list[Devlink] = yield resource_dump(**_of("resources", dev, needed=True))
    whole = merge(*parts).resource_list if parts else None
    return () if whole is None else whole.resource


@plan
def reporters(dev: str | None = None) -> Steps[list[Devlink]]:
    """Return the reporters of the health of a device, or of all: `health_reporter`."""
    found: list[Devlink] = yield health_reporter_get(**_of("reporters", dev)).dump()
    return found


@plan
def diagnose(dev: str, reporter: str) -> Steps[Any]:
    """Return what a reporter says now: dicts, lists, numbers, texts, bools and bytes."""
    words = Words("devlink.diagnose", locals())
    handle = _of("diagnose", dev, needed=True)
    parts: list[Devlink] = yield health_reporter_diagnose(
        **handle, health_reporter_name=_name(words, "reporter")
    )
    return _formatted(parts)


@plan
def health_dump(dev: str, reporter: str) -> Steps[Any]:
    """Return what a reporter recorded at its last error. The kernel makes a record if it has none.

    Raises KernelError: EOPNOTSUPP if the reporter has no records.
    """
    words = Words("devlink.health_dump", locals())
    handle = _of("health_dump", dev, needed=True)
    parts: list[Devlink] = yield health_reporter_dump_get(
        **handle, health_reporter_name=_name(words, "reporter")
    ).dump()
    return _formatted(parts)


@plan
def regions(dev: str | None = None) -> Steps[list[Devlink]]:
    """Return the regions of memory of a device, or of all, with their snapshots."""
    found: list[Devlink] = yield region_get(**_of("regions", dev)).dump()
    return found


@plan
def read_region(
    dev: str,
    region: str,
    snapshot: int | None = None,
    *,
    address: int | None = None,
    length: int | None = None,
) -> Steps[bytes]:
    """Return the bytes of a snapshot of a region, or without a snapshot the memory itself.

    `address` and `length` limit them; give both or none. Raises KernelError: EINVAL if there is no
    such region or snapshot, EOPNOTSUPP if the memory cannot be read without a snapshot.
    """
    words = Words("devlink.read_region", locals())
    if words.has("address") != words.has("length"):
        words.refuse("needs address and length together")
    request = region_read(
        **_of("read_region", dev, needed=True),
        region_name=_name(words, "region"),
        region_snapshot_id=words.integer("snapshot"),
        region_direct=snapshot is None,
        region_chunk_addr=words.integer("address", 0, U64),
        region_chunk_len=words.integer("length", 1, U64),
    )
    parts: list[Devlink] = yield request.dump()
    chunks = [
        chunk
        for part in parts
        for chunk in (part.region_chunks.region_chunk if part.region_chunks else ())
    ]
    data = b""
    begin = 0 if address is None else address
    for chunk in sorted(chunks, key=lambda each: each.region_chunk_addr or 0):
        if chunk.region_chunk_addr != begin + len(data):
            raise NetlinkError(f"the region has a gap at {begin + len(data):#x}; read it again")
        data += chunk.region_chunk_data or b""
    return data


@plan
def traps(dev: str | None = None) -> Steps[list[Devlink]]:
    """Return the traps of a device, or of all: packets that it sends to the CPU, or drops."""
    found: list[Devlink] = yield trap_get(**_of("traps", dev)).dump()
    return found


@plan
def set_trap(dev: str, trap: str, action: DEVLINK_TRAP_ACTION | int | str) -> Steps[None]:
    """Set what happens to the packets of a trap: "drop", "trap" (to the CPU) or "mirror"."""
    words = Words("devlink.set_trap", locals())
    number = words.number("action", names_of(DEVLINK_TRAP_ACTION))
    if number is None:
        words.refuse("needs an action: 'drop', 'trap' or 'mirror'")
    handle = _of("set_trap", dev, needed=True)
    yield trap_set(**handle, trap_name=_name(words, "trap"), trap_action=number)


@plan
def rates(dev: str | None = None) -> Steps[list[Devlink]]:
    """Return the limits of rate of a device, or of all, in bytes per second.

    A leaf belongs to a port, a node has a name; `rate_parent_node_name` is the node above.
    """
    found: list[Devlink] = yield rate_get(**_of("rates", dev)).dump()
    return found


@plan
def eswitch(dev: str) -> Steps[Devlink]:
    """Return the modes of the switch in a device. Raises KernelError (EOPNOTSUPP) without one."""
    found: Devlink = yield eswitch_get(**_of("eswitch", dev, needed=True))
    return found


@plan
def set_eswitch(
    dev: str,
    *,
    mode: DEVLINK_ESWITCH_MODE | int | str | None = None,
    inline_mode: DEVLINK_ESWITCH_INLINE_MODE | int | str | None = None,
    encap_mode: DEVLINK_ESWITCH_ENCAP_MODE | int | str | None = None,
) -> Steps[None]:
    """Change modes of the switch in a device: mode "legacy" or "switchdev", and so on."""
    words = Words("devlink.set_eswitch", locals())
    words.needs_a_change("dev")
    yield eswitch_set(
        **_of("set_eswitch", dev, needed=True),
        eswitch_mode=words.number("mode", names_of(DEVLINK_ESWITCH_MODE)),
        eswitch_inline_mode=words.number("inline_mode", names_of(DEVLINK_ESWITCH_INLINE_MODE)),
        eswitch_encap_mode=words.number("encap_mode", names_of(DEVLINK_ESWITCH_ENCAP_MODE)),
    )


@plan
def selftests(dev: str) -> Steps[tuple[str, ...]]:
    """Return the names of the tests that a device can run on itself."""
    found: Devlink = yield selftests_get(**_of("selftests", dev, needed=True))
    return () if found.selftests is None else tuple(name for name, _ in found.selftests)


@plan(sequence=True)
def run_selftests(dev: str, *tests: str) -> Steps[dict[str, DEVLINK_SELFTEST_STATUS | int | None]]:
    """Run tests of a device, and return the result of each by its name, such as "flash"."""
    words = Words("devlink.run_selftests", {"tests": tests})
    known = {name: field.number for name, field in Selftests.__table__.names.items()}
    if not tests or not {*map(str, tests)} <= {*known}:
        raise words.expected("tests", f"some of {', '.join(known)}")
    done: SelftestsDone = yield selftests_run(
        **_of("run_selftests", dev, needed=True), selftests=dict.fromkeys(tests, True)
    )
    names = {number: name for name, number in known.items()}
    results = () if done.selftests is None else done.selftests.result
    return {names.get(each.id, str(each.id)): each.status for each in results}


@plan
def flash(dev: str, file_name: str, *, component: str | None = None) -> Steps[None]:
    """Write a file of /lib/firmware to a device, or to one component of it.

    The kernel answers when it has done so, which may take minutes: the connection needs a timeout
    that is long enough. Its progress is events of the group "config".
    """
    words = Words("devlink.flash", locals())
    yield flash_update(
        **_of("flash", dev, needed=True),
        flash_update_file_name=_name(words, "file_name"),
        flash_update_component=words.text("component"),
    )


@plan(sequence=True)
def restart(
    dev: str,
    *,
    action: DEVLINK_RELOAD_ACTION | int | str | None = None,
    no_reset: bool = False,
    netns_fd: int | None = None,
) -> Steps[RELOAD_ACTIONS | int]:
    """Reload the driver or the firmware of a device, and return the actions that were done.

    `action` is "driver_reinit" (the default) or "fw_activate". `no_reset` allows no reset of the
    device. `netns_fd` is an open network namespace into which the device moves.
    """
    words = Words("devlink.restart", locals())
    bit = RELOAD_LIMITS.DEVLINK_RELOAD_LIMIT_NO_RESET
    done: Devlink | None = yield reload(
        **_of("restart", dev, needed=True),
        reload_action=words.number("action", names_of(DEVLINK_RELOAD_ACTION)),
        reload_limits=Bitfield32(bit, bit) if words.switch("no_reset") else None,
        netns_fd=words.integer("netns_fd", 0, S32),
    )
    performed = None if done is None else done.reload_actions_performed
    return RELOAD_ACTIONS.DEVLINK_RELOAD_ACTION_DRIVER_REINIT if performed is None else performed[0]


# --- arguments and results ------------------------------------------------------------------------


def _of(name: str, dev: str | None, *, needed: bool = False) -> dict[str, Any]:
    """Return the bus and the name of a device, as arguments of a request."""
    words = Words(f"devlink.{name}", {"dev": dev})
    if dev is None and not needed:
        return {}
    bus, slash, rest = dev.partition("/") if isinstance(dev, str) else ("", "", "")
    if not bus or not slash or not rest or "/" in rest:
        raise words.expected("dev", "a bus and the name of a device, such as 'pci/0000:03:00.0'")
    return {"bus_name": bus, "dev_name": rest}


def _name(words: Words, name: str) -> str:
    """Return a name that must be given."""
    text = words.text(name)
    if text is None:
        raise words.expected(name, "a name")
    return text


def _parameter(param: Param) -> Parameter:
    """Return a parameter with its values. A bool that is false has no data."""
    is_bool = param.param_type == DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_FLAG
    listed = param.param_values_list.param_value if param.param_values_list else ()
    values = {}
    for value in listed:
        data = value.param_value_data
        values[value.param_value_cmode] = bool(data) if is_bool else data
    return Parameter(param.param_name, param.param_generic, param.param_type, values)


START, PAIR, ARRAY, END, NAME, TYPE, DATA = range(107, 114)  # DEVLINK_ATTR_FMSG_*
NUMBERS = {1: 1, 2: 2, 3: 4, 4: 8, 6: 1}  # bytes by DEVLINK_VAR_ATTR_TYPE; a flag is a byte


def _tokens(parts: Iterable[Devlink]) -> Iterator[tuple[int, bytes]]:
    """Yield the attributes of a formatted message, from all its parts, in their order."""
    for part in parts:
        if part.fmsg is not None:
            for _, number, payload in part.fmsg.attributes():
                yield number, payload


def _formatted(parts: Iterable[Devlink]) -> Any:
    """Return the value of a formatted message. It may be divided anywhere."""
    top: list[Any] = []
    stack: list[Any] = [top]  # lists, dicts and pairs
    kind = 0
    for number, payload in _tokens(parts):
        if number == START:
            stack.append({})
        elif number == ARRAY:
            stack.append([])
        elif number == PAIR:
            stack.append(_Pair())
        elif number == NAME and isinstance(stack[-1], _Pair):
            stack[-1].name = payload.rstrip(b"\0").decode(errors="backslashreplace")
        elif number == TYPE:
            kind = payload[0] if payload else 0
        elif number == DATA:
            _put(stack[-1], _value(kind, payload))
        elif number == END and len(stack) > 1:
            whole = _whole(stack.pop())
            _put(stack[-1], whole)
    while len(stack) > 1:  # the kernel ends what it begins
        whole = _whole(stack.pop())
        _put(stack[-1], whole)
    pairs = {each.name: each.value for each in top if isinstance(each, _Pair)}
    values = [each for each in top if not isinstance(each, _Pair)]
    if len(values) == 1 and isinstance(values[0], dict):
        return values[0] | pairs  # some drivers end the outermost object too early
    values += [pairs] if pairs else []
    return values[0] if len(values) == 1 else values


def _whole(done: Any) -> Any:
    """Return an array as its value: bytes come as an array of their parts."""
    if not isinstance(done, list):
        return done
    if done and all(isinstance(each, bytes) for each in done):
        return b"".join(done)
    return [{each.name: each.value} if isinstance(each, _Pair) else each for each in done]


class _Pair:
    """A name and the value of it."""

    name = ""
    value: Any = None


def _put(inside: Any, value: Any) -> None:
    """Add a value to what contains it."""
    if isinstance(inside, _Pair):
        inside.value = value
    elif isinstance(inside, dict):
        inside.update({value.name: value.value} if isinstance(value, _Pair) else {"": value})
    else:
        inside.append(value)


def _value(kind: int, payload: bytes) -> Any:
    """Return one value of a formatted message."""
    if kind in NUMBERS and len(payload) == NUMBERS[kind]:
        number = int.from_bytes(payload, sys.byteorder)
        return bool(number) if kind == DEVLINK_VAR_ATTR_TYPE.DEVLINK_VAR_ATTR_TYPE_FLAG else number
    if kind in TEXTS:
        return payload.rstrip(b"\0").decode(errors="backslashreplace")
    return payload
