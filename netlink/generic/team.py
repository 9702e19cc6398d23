"""team: options and ports of team interfaces (linux/if_team.h).

Numbers and kinds are those of Linux 6.12 (drivers/net/team). The interface itself is a link of the
kind "team". The value of an option has the type that the option states; a true bool is a flag, and
a false one is nothing. Every command requires CAP_NET_ADMIN. The group "change_event" reports
options and ports that changed.

    with Connection(team.FAMILY) as nl:
        nl.do(team.set_option("team0", "mode", "roundrobin"))
        for option in nl.do(team.options("team0")):
            print(option.name, option.value)
"""

from __future__ import annotations

import errno
from typing import Any, NamedTuple

from netlink.constants import KernelEnum
from netlink.errors import KernelError
from netlink.family import Family, Op, Steps, index_of, plan
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    binary,
    flag,
    nest,
    repeated,
    s32,
    selected,
    string,
    u8,
    u32,
)
from netlink.words import Words

STRING_SIZE = 33  # TEAM_STRING_MAX_LEN and a NUL


class TEAM_CMD(KernelEnum):
    """Commands: enum in linux/if_team.h."""

    TEAM_CMD_NOOP = 0
    TEAM_CMD_OPTIONS_SET = 1
    TEAM_CMD_OPTIONS_GET = 2
    TEAM_CMD_PORT_LIST_GET = 3


class TYPE(KernelEnum, prefix="NLA_"):
    """Types of values: NLA_* of include/net/netlink.h in the kernel."""

    NLA_U32 = 3
    NLA_STRING = 5
    NLA_FLAG = 6
    NLA_BINARY = 11
    NLA_S32 = 14


VALUES: dict[int, Any] = {
    TYPE.NLA_U32: u32(),
    TYPE.NLA_STRING: string(),
    TYPE.NLA_FLAG: flag(),
    TYPE.NLA_BINARY: binary(),
    TYPE.NLA_S32: s32(),
}


class TeamOption(Message):
    """An option of an interface or of a port: TEAM_ATTR_OPTION_*."""

    name: str | None = string(1, size=STRING_SIZE)
    changed: bool = flag(2)
    type: Named[TYPE | int | None] = u8(3, enum=TYPE)
    data: Any = selected(4, "type", VALUES)
    removed: bool = flag(5)
    port_ifindex: int | None = u32(6)
    array_index: int | None = u32(7)


class TeamOptions(Message):
    """Options: TEAM_ATTR_ITEM_*."""

    option: Several[TeamOption] = repeated(1, TeamOption)


class TeamPort(Message):
    """A port: TEAM_ATTR_PORT_*. The speed is in Mbit/s, `duplex` 1 is full."""

    ifindex: int | None = u32(1)
    changed: bool = flag(2)
    linkup: bool = flag(3)
    speed: int | None = u32(4)
    duplex: int | None = u8(5)
    removed: bool = flag(6)


class TeamPorts(Message):
    """Ports: TEAM_ATTR_ITEM_*."""

    port: Several[TeamPort] = repeated(1, TeamPort)


class Team(Message):
    """A team interface: TEAM_ATTR_*."""

    team_ifindex: int | None = u32(1)
    list_option: Nested[TeamOptions] = nest(2, TeamOptions)
    list_port: Nested[TeamPorts] = nest(3, TeamPorts)


options_set = Op("team.options_set", TEAM_CMD.TEAM_CMD_OPTIONS_SET, Team)
# The kernel answers with several messages and NLMSG_DONE, without being asked for a dump.
options_get = Op(
    "team.options_get",
    TEAM_CMD.TEAM_CMD_OPTIONS_GET,
    Team,
    answer="several",
    ends="done",
    dumps=False,
)
port_list_get = Op(
    "team.port_list_get",
    TEAM_CMD.TEAM_CMD_PORT_LIST_GET,
    Team,
    answer="several",
    ends="done",
    dumps=False,
)

FAMILY = Family(
    "team",
    types=TEAM_CMD,
    ops=(options_set, options_get, port_list_get),
    groups=("change_event",),
    messages=Team,
)


class Option(NamedTuple):
    """An option: `port` is the index of the port that has it, or None; `place` that in an array."""

    name: str | None
    value: Any
    type: TYPE | int | None
    port: int | None
    place: int | None


@plan
def options(dev: str | int) -> Steps[list[Option]]:
    """Return the options of an interface and of its ports."""
    index = yield from _index("options", dev)
    return [_option(each) for each in (yield from _options(index))]


@plan
def ports(dev: str | int) -> Steps[list[TeamPort]]:
    """Return the ports of an interface."""
    index = yield from _index("ports", dev)
    found: list[Team] = yield port_list_get(team_ifindex=index)
    return [port for each in found if each.list_port for port in each.list_port.port]


@plan
def set_option(
    dev: str | int, name: str, value: int | str | bool | bytes, *, port: str | int | None = None
) -> Steps[None]:
    """Set an option of an interface, or of one of its ports.

    The plan asks the kernel for the type of the option. Raises KernelError (ENOENT) if there is no
    such option, EncodeError if the value does not fit its type.
    """
    words = Words("team.set_option", locals())
    text = words.text("name", STRING_SIZE)
    if text is None or value is None:
        words.refuse("needs the name of an option and a value")
    index = yield from _index("set_option", dev)
    link = words.link("port")
    of_port = None if link is None else (yield from index_of(link))
    known = yield from _options(index)
    found = [each for each in known if each.name == text and each.port_ifindex == of_port]
    if not found:
        names = ", ".join(sorted({str(each.name) for each in known}))
        raise KernelError(errno.ENOENT, f"there is no option {text!r}; there are: {names}")
    kind = found[0].type
    fits = {TYPE.NLA_FLAG: bool, TYPE.NLA_STRING: str, TYPE.NLA_BINARY: bytes}
    if type(value) is not fits.get(TYPE(kind or 0), int):
        raise words.expected("value", f"a value of type {kind}")
    option: dict[str, Any] = {"name": text, "type": kind, "port_ifindex": of_port}
    if value is not False:
        option["data"] = value
    yield options_set(team_ifindex=index, list_option={"option": [option]})


def _options(index: int) -> Steps[list[TeamOption]]:
    found: list[Team] = yield options_get(team_ifindex=index)
    return [option for each in found if each.list_option for option in each.list_option.option]


def _option(option: TeamOption) -> Option:
    """Return an option. A bool that is false has no data."""
    value = bool(option.data) if option.type == TYPE.NLA_FLAG else option.data
    return Option(option.name, value, option.type, option.port_ifindex, option.array_index)


def _index(name: str, dev: str | int) -> Steps[int]:
    """Return the index of an interface that is an argument of a plan."""
    words = Words(f"team.{name}", {"dev": dev})
    link = words.link()
    if link is None:
        raise words.expected("dev", "the name or the index of a team interface")
    return (yield from index_of(link))
