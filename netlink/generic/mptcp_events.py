"""mptcp_events: what happens to MPTCP connections and subflows, a group of the family mptcp_pm.

Numbers are those of Linux 6.18 (linux/mptcp_pm.h, linux/mptcp.h), and net/mptcp/pm_netlink.c sends
the events. They are apart from mptcp_pm, because the kernel gives events the numbers of its
commands. So one connection cannot have both families. Joining requires CAP_NET_ADMIN:

    with Connection(mptcp_events.FAMILY) as nl:
        nl.join("mptcp_pm_events")
        for event in nl.events():
            print(event.nlmsg_name, event.token, event.daddr)
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from netlink.constants import AF, KernelEnum, KernelFlag
from netlink.family import Family
from netlink.schema import Addr, Message, Named, address, be16, s32, u8, u16, u32


class MPTCP_EVENT(KernelEnum):
    """Events: the numbers of commands."""

    MPTCP_EVENT_UNSPEC = 0
    MPTCP_EVENT_CREATED = 1
    MPTCP_EVENT_ESTABLISHED = 2
    MPTCP_EVENT_CLOSED = 3
    MPTCP_EVENT_ANNOUNCED = 6
    MPTCP_EVENT_REMOVED = 7
    MPTCP_EVENT_SUB_ESTABLISHED = 10
    MPTCP_EVENT_SUB_CLOSED = 11
    MPTCP_EVENT_SUB_PRIORITY = 13
    MPTCP_EVENT_LISTENER_CREATED = 15
    MPTCP_EVENT_LISTENER_CLOSED = 16


class MPTCP_PM_EV_FLAG(KernelFlag):
    """Flags of a connection."""

    MPTCP_PM_EV_FLAG_DENY_JOIN_ID0 = 0x1
    MPTCP_PM_EV_FLAG_SERVER_SIDE = 0x2


class MPTCP_RST(KernelEnum):
    """Why the peer reset a subflow."""

    MPTCP_RST_EUNSPEC = 0
    MPTCP_RST_EMPTCP = 1
    MPTCP_RST_ERESOURCE = 2
    MPTCP_RST_EPROHIBIT = 3
    MPTCP_RST_EWQ2BIG = 4
    MPTCP_RST_EBADPERF = 5
    MPTCP_RST_EMIDDLEBOX = 6


class Event(Message):
    """An event: MPTCP_ATTR_*. The token identifies the connection. The timeout is milliseconds."""

    token: int | None = u32(1)
    family: Named[AF | int | None] = u16(2, enum=AF)
    loc_id: int | None = u8(3)
    rem_id: int | None = u8(4)
    saddr4: Addr = address(5, size=4)
    saddr6: Addr = address(6, size=16)
    daddr4: Addr = address(7, size=4)
    daddr6: Addr = address(8, size=16)
    sport: int | None = be16(9)
    dport: int | None = be16(10)
    backup: int | None = u8(11)
    error: int | None = u8(12)
    flags: Named[MPTCP_PM_EV_FLAG | int | None] = u16(13, enum=MPTCP_PM_EV_FLAG)
    timeout: int | None = u32(14)
    if_idx: int | None = s32(15)
    reset_reason: Named[MPTCP_RST | int | None] = u32(16, enum=MPTCP_RST)
    reset_flags: int | None = u32(17)
    server_side: int | None = u8(18)

    @property
    def saddr(self) -> IPv4Address | IPv6Address | None:
        """The local address, of either family."""
        return self.saddr4 if self.saddr4 is not None else self.saddr6

    @property
    def daddr(self) -> IPv4Address | IPv6Address | None:
        """The address of the peer, of either family."""
        return self.daddr4 if self.daddr4 is not None else self.daddr6


# The kernel sends nothing to mptcp_pm_cmds.
FAMILY = Family(
    "mptcp_pm",
    types=MPTCP_EVENT,
    ops=(),
    groups=("mptcp_pm_cmds", "mptcp_pm_events"),
    messages=Event,
)
