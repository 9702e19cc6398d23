"""mptcp_pm: the addresses that MPTCP may use for more subflows, and limits (Multipath TCP).

Numbers are those of Linux 6.18 (linux/mptcp_pm.h, linux/mptcp.h). The behaviour is that of
net/mptcp/pm_netlink.c. The plans use the words of ip-mptcp(8):

    with Connection(mptcp_pm.FAMILY) as nl:
        nl.do(mptcp_pm.set_limits(subflows=2, add_addr_accepted=2))
        nl.do(mptcp_pm.add("192.0.2.1", dev="eth0", flags="signal"))

Settings are those of the network namespace, and changes require CAP_NET_ADMIN. Events use the same
numbers as these commands for other things, so they are a family of their own: mptcp_events.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from netlink.constants import AF, KernelEnum, KernelFlag
from netlink.family import Family, Op, Steps, index_of, plan
from netlink.schema import (
    Addr,
    Message,
    Named,
    Nested,
    address,
    nest,
    s32,
    u8,
    u16,
    u32,
)  # fmt: skip
from netlink.words import U8, U16, U32, Words, family_of


class MPTCP_PM_CMD(KernelEnum):
    """Commands."""

    MPTCP_PM_CMD_ADD_ADDR = 1
    MPTCP_PM_CMD_DEL_ADDR = 2
    MPTCP_PM_CMD_GET_ADDR = 3
    MPTCP_PM_CMD_FLUSH_ADDRS = 4
    MPTCP_PM_CMD_SET_LIMITS = 5
    MPTCP_PM_CMD_GET_LIMITS = 6
    MPTCP_PM_CMD_SET_FLAGS = 7
    MPTCP_PM_CMD_ANNOUNCE = 8
    MPTCP_PM_CMD_REMOVE = 9
    MPTCP_PM_CMD_SUBFLOW_CREATE = 10
    MPTCP_PM_CMD_SUBFLOW_DESTROY = 11


class MPTCP_PM_ADDR_FLAG(KernelFlag):
    """What the kernel does with an endpoint."""

    MPTCP_PM_ADDR_FLAG_SIGNAL = 0x1  # announce it to the peer
    MPTCP_PM_ADDR_FLAG_SUBFLOW = 0x2  # connect from it
    MPTCP_PM_ADDR_FLAG_BACKUP = 0x4  # use it only if no other path works
    MPTCP_PM_ADDR_FLAG_FULLMESH = 0x8  # connect from it to every address of the peer
    MPTCP_PM_ADDR_FLAG_IMPLICIT = 0x10  # the kernel added it
    MPTCP_PM_ADDR_FLAG_LAMINAR = 0x20  # connect from it once (6.18)


# --- messages -------------------------------------------------------------------------------------


class Address(Message):
    """An address: MPTCP_PM_ADDR_ATTR_*. The port is 0 or absent if any port will do."""

    family: Named[AF | int | None] = u16(1, enum=AF)
    id: int | None = u8(2)
    addr4: Addr = address(3, size=4)
    addr6: Addr = address(4, size=16)
    port: int | None = u16(5)
    flags: Named[MPTCP_PM_ADDR_FLAG | int | None] = u32(6, enum=MPTCP_PM_ADDR_FLAG)
    if_idx: int | None = s32(7)

    @property
    def addr(self) -> IPv4Address | IPv6Address | None:
        """The address of either family."""
        return self.addr4 if self.addr4 is not None else self.addr6


class Endpoint(Message):
    """An endpoint: MPTCP_PM_ATTR_*."""

    addr: Nested[Address] = nest(1, Address)


class EndpointQuery(Message):
    """Which endpoint: MPTCP_PM_ATTR_*. A token selects a connection of a path manager."""

    addr: Nested[Address] = nest(1, Address)
    token: int | None = u32(4)


class Limits(Message):
    """Limits of a connection: MPTCP_PM_ATTR_*."""

    rcv_add_addrs: int | None = u32(2)
    subflows: int | None = u32(3)


class Removal(Message):
    """An address that is no longer announced, by its id: MPTCP_PM_ATTR_*."""

    token: int | None = u32(4)
    loc_id: int | None = u8(5)


class Subflow(Message):
    """A subflow, by its ends: MPTCP_PM_ATTR_*. The token is that of the connection."""

    addr: Nested[Address] = nest(1, Address)
    token: int | None = u32(4)
    addr_remote: Nested[Address] = nest(6, Address)


add_addr = Op("mptcp_pm.add_addr", MPTCP_PM_CMD.MPTCP_PM_CMD_ADD_ADDR, Endpoint)
del_addr = Op("mptcp_pm.del_addr", MPTCP_PM_CMD.MPTCP_PM_CMD_DEL_ADDR, Endpoint)
get_addr = Op(
    "mptcp_pm.get_addr",
    MPTCP_PM_CMD.MPTCP_PM_CMD_GET_ADDR,
    EndpointQuery,
    reply=Endpoint,
    answer="one",
)
flush_addrs = Op("mptcp_pm.flush_addrs", MPTCP_PM_CMD.MPTCP_PM_CMD_FLUSH_ADDRS, Endpoint)
limits_set = Op("mptcp_pm.set_limits", MPTCP_PM_CMD.MPTCP_PM_CMD_SET_LIMITS, Limits)
limits_get = Op(
    "mptcp_pm.get_limits", MPTCP_PM_CMD.MPTCP_PM_CMD_GET_LIMITS, Limits, answer="one", dumps=False
)
set_flags = Op("mptcp_pm.set_flags", MPTCP_PM_CMD.MPTCP_PM_CMD_SET_FLAGS, Subflow)
# A path manager of user space uses these, with the tokens of events (net.mptcp.pm_type).
announce = Op("mptcp_pm.announce", MPTCP_PM_CMD.MPTCP_PM_CMD_ANNOUNCE, EndpointQuery)
withdraw = Op("mptcp_pm.remove", MPTCP_PM_CMD.MPTCP_PM_CMD_REMOVE, Removal)
subflow_create = Op("mptcp_pm.subflow_create", MPTCP_PM_CMD.MPTCP_PM_CMD_SUBFLOW_CREATE, Subflow)
subflow_destroy = Op("mptcp_pm.subflow_destroy", MPTCP_PM_CMD.MPTCP_PM_CMD_SUBFLOW_DESTROY, Subflow)

FAMILY = Family(
    "mptcp_pm",
    types=MPTCP_PM_CMD,
    ops=(
        add_addr, del_addr, get_addr, flush_addrs, limits_set, limits_get, set_flags, announce,
        withdraw, subflow_create, subflow_destroy,
    ),
)  # fmt: skip


# --- plans ----------------------------------------------------------------------------------------

Flags = MPTCP_PM_ADDR_FLAG | int | str | Iterable[str]


@plan
def endpoints() -> Steps[list[Address]]:
    """Return the endpoints of this network namespace."""
    found: list[Endpoint] = yield get_addr().dump()
    return [one.addr for one in found if one.addr is not None]


@plan
def endpoint(id: int) -> Steps[Address]:
    """Return the endpoint with a number. Raises KernelError (EINVAL) if there is none."""
    words = Words("mptcp_pm.endpoint", locals())
    found: Endpoint = yield get_addr(addr={"id": _number(words)})
    assert found.addr is not None  # mptcp_pm_nl_get_addr_doit
    return found.addr


@plan
def add(
    address: IPv4Address | IPv6Address | str,
    *,
    dev: str | int | None = None,
    id: int | None = None,
    port: int | None = None,
    flags: Flags | None = None,
) -> Steps[None]:
    """Add an endpoint: an address, perhaps with a link, a number (`id`) and a port.

    Without `id`, the kernel chooses a free number. `flags` are names such as "signal",
    "subflow|backup" or ["subflow", "fullmesh"]. A port requires "signal". Raises KernelError:
    EINVAL if the flags contradict each other, or if the number or the address is used; ENODEV if
    there is no such link.
    """
    words = Words("mptcp_pm.add", locals())
    yield add_addr(
        addr={
            **_address(words),
            "id": words.integer("id", 1, U8),
            "port": words.integer("port", 1, U16),
            "flags": words.bits("flags", MPTCP_PM_ADDR_FLAG, U32),
            "if_idx": (yield from _link(words)),
        }
    )


@plan
def change(id: int, *, flags: Flags) -> Steps[None]:
    """Set whether the endpoint with a number is "backup" and "fullmesh"; "" clears both.

    The kernel changes no other flags. Raises KernelError (EINVAL) if there is no such endpoint.
    """
    words = Words("mptcp_pm.change", locals())
    bits = 0 if flags == "" else words.bits("flags", MPTCP_PM_ADDR_FLAG, U32)
    allowed = (
        MPTCP_PM_ADDR_FLAG.MPTCP_PM_ADDR_FLAG_BACKUP
        | MPTCP_PM_ADDR_FLAG.MPTCP_PM_ADDR_FLAG_FULLMESH
    )
    if bits is None or bits & ~allowed:
        raise words.expected("flags", "'backup', 'fullmesh', both, or '' for none")
    yield set_flags(addr={"id": _number(words), "flags": bits})


@plan
def remove(id: int) -> Steps[None]:
    """Remove the endpoint with a number. Raises KernelError (EINVAL) if there is none."""
    yield del_addr(addr={"id": _number(Words("mptcp_pm.remove", locals()))})


@plan
def remove_all() -> Steps[None]:
    """Remove all endpoints of this network namespace."""
    yield flush_addrs()


@plan
def limits() -> Steps[Limits]:
    """Return how many subflows a connection may have, and how many addresses of a peer it uses."""
    found: Limits = yield limits_get()
    return found


@plan
def set_limits(*, subflows: int | None = None, add_addr_accepted: int | None = None) -> Steps[None]:
    """Change the limits of new connections: each is 0 to 8. What is not given is kept."""
    words = Words("mptcp_pm.set_limits", locals())
    words.needs_a_change()
    yield limits_set(
        subflows=words.integer("subflows", 0, U32),
        rcv_add_addrs=words.integer("add_addr_accepted", 0, U32),
    )


def _number(words: Words) -> int:
    number = words.integer("id", 1, U8)
    if number is None:
        raise words.expected("id", "the number of an endpoint, from 1 to 255")
    return number


def _address(words: Words) -> dict[str, Any]:
    found = words.address("address")
    if found is None:
        raise words.expected("address", "an IP address")
    return {"family": family_of(found), "addr4" if found.version == 4 else "addr6": found}


def _link(words: Words) -> Steps[int | None]:
    link = words.link()
    return None if link is None else (yield from index_of(link))
