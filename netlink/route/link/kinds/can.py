"""Link kind "can": a CAN controller with its bit timing, modes and counters (IFLA_INFO_XSTATS).

This file only declares attributes, and is imported when the first CAN controller is used. Numbers
are from Linux 6.12 (linux/can/netlink.h). Widths are from drivers/net/can/dev/netlink.c. Virtual
CAN links are of the kinds "vcan", which has no data, and "vxcan".
"""

from netlink.constants import KernelEnum, KernelFlag
from netlink.schema import Message, Named, Nested, nest, scalars, string, struct, u16, u32


class CAN_STATE(KernelEnum):
    """State of a controller, which depends on its error counters (linux/can/netlink.h)."""

    CAN_STATE_ERROR_ACTIVE = 0
    CAN_STATE_ERROR_WARNING = 1
    CAN_STATE_ERROR_PASSIVE = 2
    CAN_STATE_BUS_OFF = 3
    CAN_STATE_STOPPED = 4
    CAN_STATE_SLEEPING = 5


class CAN_CTRLMODE(KernelFlag):
    """Modes of a controller (linux/can/netlink.h)."""

    CAN_CTRLMODE_LOOPBACK = 0x001
    CAN_CTRLMODE_LISTENONLY = 0x002
    CAN_CTRLMODE_3_SAMPLES = 0x004
    CAN_CTRLMODE_ONE_SHOT = 0x008
    CAN_CTRLMODE_BERR_REPORTING = 0x010
    CAN_CTRLMODE_FD = 0x020
    CAN_CTRLMODE_PRESUME_ACK = 0x040
    CAN_CTRLMODE_FD_NON_ISO = 0x080
    CAN_CTRLMODE_CC_LEN8_DLC = 0x100
    CAN_CTRLMODE_TDC_AUTO = 0x200
    CAN_CTRLMODE_TDC_MANUAL = 0x400


class can_bittiming(Message):
    """struct can_bittiming (linux/can/netlink.h).

    `bitrate` is in bit/s, `sample_point` in tenths of a percent, and the time quantum `tq` in ns.
    The segments and `sjw` are in time quanta.
    """

    bitrate: int = u32()
    sample_point: int = u32()
    tq: int = u32()
    prop_seg: int = u32()
    phase_seg1: int = u32()
    phase_seg2: int = u32()
    sjw: int = u32()
    brp: int = u32()


class can_bittiming_const(Message):
    """struct can_bittiming_const (linux/can/netlink.h): limits of the controller's bit timing."""

    name: str = string(size=16)
    tseg1_min: int = u32()
    tseg1_max: int = u32()
    tseg2_min: int = u32()
    tseg2_max: int = u32()
    sjw_max: int = u32()
    brp_min: int = u32()
    brp_max: int = u32()
    brp_inc: int = u32()


class can_clock(Message):
    """struct can_clock (linux/can/netlink.h): `freq` is in Hz."""

    freq: int = u32()


class can_ctrlmode(Message):
    """struct can_ctrlmode (linux/can/netlink.h): `mask` selects the `flags` to change."""

    mask: int = u32()
    flags: Named[CAN_CTRLMODE] = u32(enum=CAN_CTRLMODE)


class can_berr_counter(Message):
    """struct can_berr_counter (linux/can/netlink.h): bus error counters."""

    txerr: int = u16()
    rxerr: int = u16()


class can_device_stats(Message):
    """struct can_device_stats (linux/can/netlink.h): IFLA_INFO_XSTATS of a "can"."""

    bus_error: int = u32()
    error_warning: int = u32()
    error_passive: int = u32()
    bus_off: int = u32()
    arbitration_lost: int = u32()
    restarts: int = u32()


class CanTdc(Message):
    """IFLA_CAN_TDC_* attributes: transmitter delay compensation (linux/can/netlink.h)."""

    tdcv_min: int | None = u32(1)
    tdcv_max: int | None = u32(2)
    tdco_min: int | None = u32(3)
    tdco_max: int | None = u32(4)
    tdcf_min: int | None = u32(5)
    tdcf_max: int | None = u32(6)
    tdcv: int | None = u32(7)
    tdco: int | None = u32(8)
    tdcf: int | None = u32(9)


class CanCtrlmodeExt(Message):
    """IFLA_CAN_CTRLMODE_* attributes of IFLA_CAN_CTRLMODE_EXT (linux/can/netlink.h)."""

    supported: Named[CAN_CTRLMODE | None] = u32(1, enum=CAN_CTRLMODE)


class Can(Message):
    """IFLA_CAN_* attributes of a "can" (linux/can/netlink.h).

    Bit rates are in bit/s. Terminations are in ohms; 0 means none. Fields with names that end in
    `const` are the values that the controller supports.
    """

    bittiming: Nested[can_bittiming] = struct(1, can_bittiming)
    bittiming_const: Nested[can_bittiming_const] = struct(2, can_bittiming_const)
    clock: Nested[can_clock] = struct(3, can_clock)
    state: Named[CAN_STATE | int | None] = u32(4, enum=CAN_STATE)
    ctrlmode: Nested[can_ctrlmode] = struct(5, can_ctrlmode)
    restart_ms: int | None = u32(6)
    restart: int | None = u32(7)
    berr_counter: Nested[can_berr_counter] = struct(8, can_berr_counter)
    data_bittiming: Nested[can_bittiming] = struct(9, can_bittiming)
    data_bittiming_const: Nested[can_bittiming_const] = struct(10, can_bittiming_const)
    termination: int | None = u16(11)
    termination_const: tuple[int, ...] = scalars(12, u16())
    bitrate_const: tuple[int, ...] = scalars(13, u32())
    data_bitrate_const: tuple[int, ...] = scalars(14, u32())
    bitrate_max: int | None = u32(15)
    tdc: Nested[CanTdc] = nest(16, CanTdc)
    ctrlmode_ext: Nested[CanCtrlmodeExt] = nest(17, CanCtrlmodeExt)
