"""IFLA_LINKINFO: the kind of a link, and the attributes that depend on the kind.

The classes of the kinds are in kinds/. This file must not import them: each one is imported when
the first link of its kind is used. It only names the tables of
kinds, so that a program does not load the declarations of kinds that it does not use.
"""

from typing import Any

from netlink.route.link.kinds import KINDS, SLAVE_KINDS, XSTATS
from netlink.schema import Message, Nested, selected, string

# The kernel would truncate a longer name (__rtnl_newlink in net/core/rtnetlink.c). 32-bit kernels
# accept 4 more bytes (include/linux/moduleparam.h).
MODULE_NAME_LEN = 56


class LinkInfo(Message):
    """IFLA_INFO_* attributes: the kind of the link, and the kind of its master.

    `data`, `xstats` and `slave_data` are bytes if no class is declared for the kind.
    """

    kind: str | None = string(1, size=MODULE_NAME_LEN)
    data: Nested[Any] = selected(2, "kind", KINDS)
    xstats: Nested[Any] = selected(3, "kind", XSTATS)
    slave_kind: str | None = string(4, size=MODULE_NAME_LEN)
    slave_data: Nested[Any] = selected(5, "slave_kind", SLAVE_KINDS)
