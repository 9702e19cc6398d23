"""dpll: digital phase-locked loops, which keep clocks synchronous, and their pins (linux/dpll.h).

Numbers are those of Linux 7.2; kinds are those of drivers/dpll of 6.12. Every command requires
CAP_NET_ADMIN. The group "monitor" reports devices and pins.

    with Connection(dpll.FAMILY) as nl:
        for device in nl.do(dpll.devices()):
            print(device.id, device.module_name, device.lock_status)

This family was tested against the kernel without a device, because no virtual one exists.
"""

from __future__ import annotations

from netlink.constants import KernelEnum, KernelFlag
from netlink.family import Family, Op, Steps, plan
from netlink.schema import Message, Named, Several, repeated, s32, s64, sint, string, u32, u64


class DPLL_CMD(KernelEnum):
    """Commands: enum dpll_cmd."""

    DPLL_CMD_DEVICE_ID_GET = 1
    DPLL_CMD_DEVICE_GET = 2
    DPLL_CMD_DEVICE_SET = 3
    DPLL_CMD_PIN_ID_GET = 7
    DPLL_CMD_PIN_GET = 8
    DPLL_CMD_PIN_SET = 9
    DPLL_CMD_DEVICE_CREATE_NTF = 4
    DPLL_CMD_DEVICE_DELETE_NTF = 5
    DPLL_CMD_DEVICE_CHANGE_NTF = 6
    DPLL_CMD_PIN_CREATE_NTF = 10
    DPLL_CMD_PIN_DELETE_NTF = 11
    DPLL_CMD_PIN_CHANGE_NTF = 12


class DPLL_MODE(KernelEnum):
    """How a device chooses its pin: enum dpll_mode."""

    DPLL_MODE_MANUAL = 1
    DPLL_MODE_AUTOMATIC = 2


class DPLL_LOCK_STATUS(KernelEnum):
    """enum dpll_lock_status."""

    DPLL_LOCK_STATUS_UNLOCKED = 1
    DPLL_LOCK_STATUS_LOCKED = 2
    DPLL_LOCK_STATUS_LOCKED_HO_ACQ = 3
    DPLL_LOCK_STATUS_HOLDOVER = 4


class DPLL_TYPE(KernelEnum):
    """What a device drives: enum dpll_type."""

    DPLL_TYPE_PPS = 1
    DPLL_TYPE_EEC = 2
    DPLL_TYPE_GENERIC = 3


class DPLL_FEATURE_STATE(KernelEnum):
    """enum dpll_feature_state (Linux 6.17)."""

    DPLL_FEATURE_STATE_DISABLE = 0
    DPLL_FEATURE_STATE_ENABLE = 1


class DPLL_PIN_OPERSTATE(KernelEnum):
    """enum dpll_pin_operstate (Linux 7.2)."""

    DPLL_PIN_OPERSTATE_ACTIVE = 1
    DPLL_PIN_OPERSTATE_STANDBY = 2
    DPLL_PIN_OPERSTATE_NO_SIGNAL = 3
    DPLL_PIN_OPERSTATE_QUAL_FAILED = 4


class DPLL_LOCK_STATUS_ERROR(KernelEnum):
    """enum dpll_lock_status_error."""

    DPLL_LOCK_STATUS_ERROR_NONE = 1
    DPLL_LOCK_STATUS_ERROR_UNDEFINED = 2
    DPLL_LOCK_STATUS_ERROR_MEDIA_DOWN = 3
    DPLL_LOCK_STATUS_ERROR_FRACTIONAL_FREQUENCY_OFFSET_TOO_HIGH = 4


class DPLL_CLOCK_QUALITY_LEVEL(KernelEnum):
    """enum dpll_clock_quality_level."""

    DPLL_CLOCK_QUALITY_LEVEL_ITU_OPT1_PRC = 1
    DPLL_CLOCK_QUALITY_LEVEL_ITU_OPT1_SSU_A = 2
    DPLL_CLOCK_QUALITY_LEVEL_ITU_OPT1_SSU_B = 3
    DPLL_CLOCK_QUALITY_LEVEL_ITU_OPT1_EEC1 = 4
    DPLL_CLOCK_QUALITY_LEVEL_ITU_OPT1_PRTC = 5
    DPLL_CLOCK_QUALITY_LEVEL_ITU_OPT1_EPRTC = 6
    DPLL_CLOCK_QUALITY_LEVEL_ITU_OPT1_EEEC = 7
    DPLL_CLOCK_QUALITY_LEVEL_ITU_OPT1_EPRC = 8


class DPLL_PIN_TYPE(KernelEnum):
    """enum dpll_pin_type."""

    DPLL_PIN_TYPE_MUX = 1
    DPLL_PIN_TYPE_EXT = 2
    DPLL_PIN_TYPE_SYNCE_ETH_PORT = 3
    DPLL_PIN_TYPE_INT_OSCILLATOR = 4
    DPLL_PIN_TYPE_GNSS = 5


class DPLL_PIN_DIRECTION(KernelEnum):
    """enum dpll_pin_direction."""

    DPLL_PIN_DIRECTION_INPUT = 1
    DPLL_PIN_DIRECTION_OUTPUT = 2


class DPLL_PIN_STATE(KernelEnum):
    """enum dpll_pin_state."""

    DPLL_PIN_STATE_CONNECTED = 1
    DPLL_PIN_STATE_DISCONNECTED = 2
    DPLL_PIN_STATE_SELECTABLE = 3


class DPLL_PIN_CAPABILITIES(KernelFlag):
    """enum dpll_pin_capabilities."""

    DPLL_PIN_CAPABILITIES_DIRECTION_CAN_CHANGE = 0x1
    DPLL_PIN_CAPABILITIES_PRIORITY_CAN_CHANGE = 0x2
    DPLL_PIN_CAPABILITIES_STATE_CAN_CHANGE = 0x4


class Dpll(Message):
    """A device: DPLL_A_*. `temp` is in 1/1000 degrees Celsius (DPLL_TEMP_DIVIDER)."""

    id: int | None = u32(1)
    module_name: str | None = string(2)
    clock_id: int | None = u64(4)
    mode: Named[DPLL_MODE | int | None] = u32(5, enum=DPLL_MODE)
    mode_supported: tuple[DPLL_MODE | int, ...] = repeated(6, u32(enum=DPLL_MODE))
    lock_status: Named[DPLL_LOCK_STATUS | int | None] = u32(7, enum=DPLL_LOCK_STATUS)
    temp: int | None = s32(8)
    type: Named[DPLL_TYPE | int | None] = u32(9, enum=DPLL_TYPE)
    lock_status_error: Named[DPLL_LOCK_STATUS_ERROR | int | None] = u32(
        10, enum=DPLL_LOCK_STATUS_ERROR
    )
    clock_quality_level: tuple[DPLL_CLOCK_QUALITY_LEVEL | int, ...] = repeated(
        11, u32(enum=DPLL_CLOCK_QUALITY_LEVEL)
    )
    phase_offset_monitor: Named[DPLL_FEATURE_STATE | int | None] = u32(12, enum=DPLL_FEATURE_STATE)
    phase_offset_avg_factor: int | None = u32(13)
    frequency_monitor: Named[DPLL_FEATURE_STATE | int | None] = u32(14, enum=DPLL_FEATURE_STATE)


class FrequencyRange(Message):
    """A range of frequencies in Hz: DPLL_A_PIN_*."""

    frequency_min: int | None = u64(13)
    frequency_max: int | None = u64(14)


class PinParentDevice(Message):
    """A device above a pin: DPLL_A_PIN_*. `phase_offset` is in 1/1000 ps."""

    parent_id: int | None = u32(2)
    direction: Named[DPLL_PIN_DIRECTION | int | None] = u32(10, enum=DPLL_PIN_DIRECTION)
    prio: int | None = u32(15)
    state: Named[DPLL_PIN_STATE | int | None] = u32(16, enum=DPLL_PIN_STATE)
    phase_offset: int | None = s64(23)


class PinParentPin(Message):
    """A pin above a pin: DPLL_A_PIN_*."""

    parent_id: int | None = u32(2)
    state: Named[DPLL_PIN_STATE | int | None] = u32(16, enum=DPLL_PIN_STATE)


class PinReference(Message):
    """A pin that is synchronous with another: DPLL_A_PIN_*."""

    id: int | None = u32(1)
    state: Named[DPLL_PIN_STATE | int | None] = u32(16, enum=DPLL_PIN_STATE)


class Pin(Message):
    """A pin: DPLL_A_PIN_*.

    Frequencies are Hz, `phase_adjust` ps, `phase_offset` 1/1000 ps.
    """

    id: int | None = u32(1)
    parent_id: int | None = u32(2)
    module_name: str | None = string(3)
    clock_id: int | None = u64(5)
    board_label: str | None = string(6)
    panel_label: str | None = string(7)
    package_label: str | None = string(8)
    type: Named[DPLL_PIN_TYPE | int | None] = u32(9, enum=DPLL_PIN_TYPE)
    direction: Named[DPLL_PIN_DIRECTION | int | None] = u32(10, enum=DPLL_PIN_DIRECTION)
    frequency: int | None = u64(11)
    frequency_supported: Several[FrequencyRange] = repeated(12, FrequencyRange)
    frequency_min: int | None = u64(13)
    frequency_max: int | None = u64(14)
    prio: int | None = u32(15)
    state: Named[DPLL_PIN_STATE | int | None] = u32(16, enum=DPLL_PIN_STATE)
    capabilities: Named[DPLL_PIN_CAPABILITIES | int | None] = u32(17, enum=DPLL_PIN_CAPABILITIES)
    parent_device: Several[PinParentDevice] = repeated(18, PinParentDevice)
    parent_pin: Several[PinParentPin] = repeated(19, PinParentPin)
    phase_adjust_min: int | None = s32(20)
    phase_adjust_max: int | None = s32(21)
    phase_adjust: int | None = s32(22)
    phase_offset: int | None = s64(23)
    fractional_frequency_offset: int | None = sint(24)
    esync_frequency: int | None = u64(25)
    esync_frequency_supported: Several[FrequencyRange] = repeated(26, FrequencyRange)
    esync_pulse: int | None = u32(27)
    reference_sync: Several[PinReference] = repeated(28, PinReference)
    phase_adjust_gran: int | None = u32(29)
    fractional_frequency_offset_ppt: int | None = sint(30)
    measured_frequency: int | None = u64(31)
    operstate: Named[DPLL_PIN_OPERSTATE | int | None] = u32(32, enum=DPLL_PIN_OPERSTATE)


class DeviceQuery(Message):
    """Which device: DPLL_A_*."""

    id: int | None = u32(1)


class PinQuery(Message):
    """Which pin: DPLL_A_PIN_*."""

    id: int | None = u32(1)
    parent_id: int | None = u32(2)


# A device or pin that does not exist is answered by an empty message, and a KernelWarning.
device_id_get = Op(
    "dpll.device_id_get", DPLL_CMD.DPLL_CMD_DEVICE_ID_GET, Dpll, answer="one", dumps=False
)
device_get = Op(
    "dpll.device_get", DPLL_CMD.DPLL_CMD_DEVICE_GET, DeviceQuery, reply=Dpll, answer="one"
)
device_set = Op("dpll.device_set", DPLL_CMD.DPLL_CMD_DEVICE_SET, Dpll)
pin_id_get = Op("dpll.pin_id_get", DPLL_CMD.DPLL_CMD_PIN_ID_GET, Pin, answer="one", dumps=False)
pin_get = Op("dpll.pin_get", DPLL_CMD.DPLL_CMD_PIN_GET, PinQuery, reply=Pin, answer="one")
pin_set = Op("dpll.pin_set", DPLL_CMD.DPLL_CMD_PIN_SET, Pin)

FAMILY = Family(
    "dpll",
    types=DPLL_CMD,
    ops=(device_id_get, device_get, device_set, pin_id_get, pin_get, pin_set),
    groups=("monitor",),
    messages={
        DPLL_CMD.DPLL_CMD_DEVICE_ID_GET: Dpll,
        DPLL_CMD.DPLL_CMD_DEVICE_GET: Dpll,
        DPLL_CMD.DPLL_CMD_DEVICE_SET: Dpll,
        DPLL_CMD.DPLL_CMD_DEVICE_CREATE_NTF: Dpll,
        DPLL_CMD.DPLL_CMD_DEVICE_DELETE_NTF: Dpll,
        DPLL_CMD.DPLL_CMD_DEVICE_CHANGE_NTF: Dpll,
        DPLL_CMD.DPLL_CMD_PIN_ID_GET: Pin,
        DPLL_CMD.DPLL_CMD_PIN_GET: Pin,
        DPLL_CMD.DPLL_CMD_PIN_SET: Pin,
        DPLL_CMD.DPLL_CMD_PIN_CREATE_NTF: Pin,
        DPLL_CMD.DPLL_CMD_PIN_DELETE_NTF: Pin,
        DPLL_CMD.DPLL_CMD_PIN_CHANGE_NTF: Pin,
    },
)


# --- plans ----------------------------------------------------------------------------------------


@plan
def devices() -> Steps[list[Dpll]]:
    """Return every device."""
    found: list[Dpll] = yield device_get().dump()
    return found


@plan
def pins() -> Steps[list[Pin]]:
    """Return every pin, with the devices and pins above it."""
    found: list[Pin] = yield pin_get().dump()
    return found
