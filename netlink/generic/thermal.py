"""thermal: zones, trip points and cooling devices (linux/thermal.h).

Numbers are those of Linux 7.2; kinds and behaviour are those of drivers/thermal of 6.12, where the
version of the family is 1; it is 2 since thresholds exist (Linux 6.13). Temperatures are in 1/1000
degrees Celsius and may be negative. The family exists in the initial network namespace only. The
group "event" reports changes and "sampling" temperatures.

    with Connection(thermal.FAMILY) as nl:
        for number, name in nl.do(thermal.zones()).items():
            print(name, nl.do(thermal.temperature(number)))
"""

from __future__ import annotations

from typing import NamedTuple

from netlink.constants import KernelEnum, KernelFlag
from netlink.family import Family, Op, Steps, plan
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    nest,
    repeated,
    s32,
    string,
    u32,
)
from netlink.words import Words

NAME_SIZE = 21  # THERMAL_NAME_LENGTH and a NUL


class THERMAL_GENL_CMD(KernelEnum):
    """Commands: enum thermal_genl_cmd."""

    THERMAL_GENL_CMD_TZ_GET_ID = 1
    THERMAL_GENL_CMD_TZ_GET_TRIP = 2
    THERMAL_GENL_CMD_TZ_GET_TEMP = 3
    THERMAL_GENL_CMD_TZ_GET_GOV = 4
    THERMAL_GENL_CMD_TZ_GET_MODE = 5
    THERMAL_GENL_CMD_CDEV_GET = 6
    THERMAL_GENL_CMD_THRESHOLD_GET = 7
    THERMAL_GENL_CMD_THRESHOLD_ADD = 8
    THERMAL_GENL_CMD_THRESHOLD_DELETE = 9
    THERMAL_GENL_CMD_THRESHOLD_FLUSH = 10


class THERMAL_GENL_EVENT(KernelEnum, prefix=("THERMAL_GENL_EVENT_", "THERMAL_GENL_")):
    """Events, which the kernel sends as commands: enum thermal_genl_event, thermal_genl_sampling.

    An answer has the number of its command, so its `nlmsg_name` is that of the event.
    """

    THERMAL_GENL_SAMPLING_TEMP = 0
    THERMAL_GENL_EVENT_TZ_CREATE = 1
    THERMAL_GENL_EVENT_TZ_DELETE = 2
    THERMAL_GENL_EVENT_TZ_DISABLE = 3
    THERMAL_GENL_EVENT_TZ_ENABLE = 4
    THERMAL_GENL_EVENT_TZ_TRIP_UP = 5
    THERMAL_GENL_EVENT_TZ_TRIP_DOWN = 6
    THERMAL_GENL_EVENT_TZ_TRIP_CHANGE = 7
    THERMAL_GENL_EVENT_TZ_TRIP_ADD = 8
    THERMAL_GENL_EVENT_TZ_TRIP_DELETE = 9
    THERMAL_GENL_EVENT_CDEV_ADD = 10
    THERMAL_GENL_EVENT_CDEV_DELETE = 11
    THERMAL_GENL_EVENT_CDEV_STATE_UPDATE = 12
    THERMAL_GENL_EVENT_TZ_GOV_CHANGE = 13
    THERMAL_GENL_EVENT_CPU_CAPABILITY_CHANGE = 14
    THERMAL_GENL_EVENT_THRESHOLD_ADD = 15
    THERMAL_GENL_EVENT_THRESHOLD_DELETE = 16
    THERMAL_GENL_EVENT_THRESHOLD_FLUSH = 17
    THERMAL_GENL_EVENT_THRESHOLD_UP = 18
    THERMAL_GENL_EVENT_THRESHOLD_DOWN = 19


class THERMAL_TRIP(KernelEnum):
    """Kinds of trip points: enum thermal_trip_type."""

    THERMAL_TRIP_ACTIVE = 0
    THERMAL_TRIP_PASSIVE = 1
    THERMAL_TRIP_HOT = 2
    THERMAL_TRIP_CRITICAL = 3


class THERMAL_DEVICE(KernelEnum):
    """Whether a zone is on: enum thermal_device_mode."""

    THERMAL_DEVICE_DISABLED = 0
    THERMAL_DEVICE_ENABLED = 1


class THERMAL_THRESHOLD_WAY(KernelFlag, prefix="THERMAL_THRESHOLD_WAY_"):
    """When a threshold reports: the direction of the temperature (Linux 6.13)."""

    THERMAL_THRESHOLD_WAY_UP = 0x1
    THERMAL_THRESHOLD_WAY_DOWN = 0x2


class Zones(Message):
    """Zones: THERMAL_GENL_ATTR_*. The first name belongs to the first number, and so on."""

    tz_id: tuple[int, ...] = repeated(2, u32())
    tz_name: tuple[str, ...] = repeated(10, string(size=NAME_SIZE))


class Trips(Message):
    """Trip points of a zone: THERMAL_GENL_ATTR_*. All attributes have the same order."""

    tz_trip_id: tuple[int, ...] = repeated(5, u32())
    tz_trip_type: tuple[THERMAL_TRIP | int, ...] = repeated(6, u32(enum=THERMAL_TRIP))
    tz_trip_temp: tuple[int, ...] = repeated(7, s32())
    tz_trip_hyst: tuple[int, ...] = repeated(8, s32())


class CoolingDevices(Message):
    """Cooling devices: THERMAL_GENL_ATTR_*. The first name belongs to the first number."""

    cdev_id: tuple[int, ...] = repeated(15, u32())
    cdev_name: tuple[str, ...] = repeated(18, string(size=NAME_SIZE))


class CpuCapabilities(Message):
    """What CPUs can do: THERMAL_GENL_ATTR_*. All attributes have the same order."""

    cpu_capability_id: tuple[int, ...] = repeated(21, u32())
    cpu_capability_performance: tuple[int, ...] = repeated(22, u32())
    cpu_capability_efficiency: tuple[int, ...] = repeated(23, u32())


class Thresholds(Message):
    """Thresholds of a zone: THERMAL_GENL_ATTR_*. All attributes have the same order."""

    threshold_temp: tuple[int, ...] = repeated(25, s32())
    threshold_direction: tuple[int, ...] = repeated(26, u32())


class Governor(Message):
    """A governor: THERMAL_GENL_ATTR_*."""

    tz_gov_name: str | None = string(13, size=NAME_SIZE)


class Thermal(Message):
    """A command, an answer or an event: THERMAL_GENL_ATTR_*."""

    tz: Nested[Zones] = nest(1, Zones)
    tz_id: int | None = u32(2)
    tz_temp: int | None = s32(3)
    tz_trip: Nested[Trips] = nest(4, Trips)
    tz_trip_id: int | None = u32(5)
    tz_trip_type: Named[THERMAL_TRIP | int | None] = u32(6, enum=THERMAL_TRIP)
    tz_trip_temp: int | None = s32(7)
    tz_trip_hyst: int | None = s32(8)
    tz_mode: Named[THERMAL_DEVICE | int | None] = u32(9, enum=THERMAL_DEVICE)
    tz_name: str | None = string(10, size=NAME_SIZE)
    tz_cdev_weight: int | None = u32(11)
    tz_gov: Nested[Governor] = nest(12, Governor)
    tz_gov_name: str | None = string(13, size=NAME_SIZE)
    cdev: Nested[CoolingDevices] = nest(14, CoolingDevices)
    cdev_id: int | None = u32(15)
    cdev_cur_state: int | None = u32(16)
    cdev_max_state: int | None = u32(17)
    cdev_name: str | None = string(18, size=NAME_SIZE)
    gov_name: str | None = string(19, size=NAME_SIZE)
    cpu_capability: Nested[CpuCapabilities] = nest(20, CpuCapabilities)
    threshold: Several[Thresholds] = repeated(24, Thresholds)
    threshold_temp: int | None = s32(25)
    threshold_direction: Named[THERMAL_THRESHOLD_WAY | int | None] = u32(
        26, enum=THERMAL_THRESHOLD_WAY
    )
    tz_prev_temp: int | None = s32(27)


class ZoneQuery(Message):
    """Which zone: THERMAL_GENL_ATTR_*."""

    tz_id: int | None = u32(2)


class AllZones(Message):
    """The request for all zones or cooling devices. It has no attributes."""


CMD = THERMAL_GENL_CMD
tz_get_id = Op("thermal.tz_get_id", CMD.THERMAL_GENL_CMD_TZ_GET_ID, AllZones, reply=Thermal,
               answer="several")  # fmt: skip
tz_get_trip = Op("thermal.tz_get_trip", CMD.THERMAL_GENL_CMD_TZ_GET_TRIP, ZoneQuery, reply=Thermal,
                 answer="one", dumps=False)  # fmt: skip
tz_get_temp = Op("thermal.tz_get_temp", CMD.THERMAL_GENL_CMD_TZ_GET_TEMP, ZoneQuery, reply=Thermal,
                 answer="one", dumps=False)  # fmt: skip
tz_get_gov = Op("thermal.tz_get_gov", CMD.THERMAL_GENL_CMD_TZ_GET_GOV, ZoneQuery, reply=Thermal,
                answer="one", dumps=False)  # fmt: skip
cdev_get = Op("thermal.cdev_get", CMD.THERMAL_GENL_CMD_CDEV_GET, AllZones, reply=Thermal,
              answer="several")  # fmt: skip
threshold_get = Op("thermal.threshold_get", CMD.THERMAL_GENL_CMD_THRESHOLD_GET, ZoneQuery,
                   reply=Thermal, answer="one", dumps=False)  # fmt: skip
threshold_add = Op("thermal.threshold_add", CMD.THERMAL_GENL_CMD_THRESHOLD_ADD, Thermal)
threshold_delete = Op("thermal.threshold_delete", CMD.THERMAL_GENL_CMD_THRESHOLD_DELETE, Thermal)
threshold_flush = Op("thermal.threshold_flush", CMD.THERMAL_GENL_CMD_THRESHOLD_FLUSH, Thermal)

FAMILY = Family(
    "thermal",
    types=THERMAL_GENL_CMD,
    reply_types=THERMAL_GENL_EVENT,
    ops=(
        tz_get_id, tz_get_trip, tz_get_temp, tz_get_gov, cdev_get, threshold_get, threshold_add,
        threshold_delete, threshold_flush,
    ),
    groups=("sampling", "event"),
    unnumbered=True,
    messages=Thermal,
)  # fmt: skip


# --- plans ----------------------------------------------------------------------------------------


class Trip(NamedTuple):
    """A trip point: its temperature and hysteresis are in 1/1000 degrees Celsius."""

    id: int
    type: THERMAL_TRIP | int
    temperature: int
    hysteresis: int


@plan
def zones() -> Steps[dict[int, str]]:
    """Return the names of all zones by their numbers."""
    found: list[Thermal] = yield tz_get_id().dump()
    return {
        number: name
        for each in found
        if each.tz is not None
        for number, name in zip(each.tz.tz_id, each.tz.tz_name, strict=False)
    }


@plan
def cooling_devices() -> Steps[dict[int, str]]:
    """Return the names of all cooling devices by their numbers."""
    found: list[Thermal] = yield cdev_get().dump()
    return {
        number: name
        for each in found
        if each.cdev is not None
        for number, name in zip(each.cdev.cdev_id, each.cdev.cdev_name, strict=False)
    }


@plan
def temperature(zone: int) -> Steps[int | None]:
    """Return the temperature of a zone. Raises KernelError (EINVAL) if there is no such zone."""
    found: Thermal = yield tz_get_temp(tz_id=_zone("temperature", zone))
    return found.tz_temp


@plan
def trips(zone: int) -> Steps[list[Trip]]:
    """Return the trip points of a zone. Raises KernelError (EINVAL) if there is no such zone."""
    found: Thermal = yield tz_get_trip(tz_id=_zone("trips", zone))
    if found.tz_trip is None:
        return []
    points = found.tz_trip
    rows = zip(
        points.tz_trip_id, points.tz_trip_type, points.tz_trip_temp, points.tz_trip_hyst,
        strict=False,
    )  # fmt: skip
    return [Trip(*row) for row in rows]


def _zone(name: str, zone: int) -> int:
    """Return the number of a zone that is an argument of a plan."""
    words = Words(f"thermal.{name}", {"zone": zone})
    number = words.integer("zone")
    if number is None:
        raise words.expected("zone", "the number of a zone")
    return number
