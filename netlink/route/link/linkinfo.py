"""IFLA_LINKINFO: the kind of a link, and the attributes that depend on it.

The classes of the kinds are in kinds/. This file must not import one of them: each is imported when
the first link of its kind is used.
"""

from typing import Any

from netlink.route.link.kinds import KINDS, SLAVE_KINDS, XSTATS
from netlink.schema import Message, Nested, selected, string

# The kernel would cut a longer name (__rtnl_newlink in net/core/rtnetlink.c); machines of 32 bits
# give it 4 bytes more (include/linux/moduleparam.h).
MODULE_NAME_LEN = 56


class LinkInfo(Message):
    """IFLA_INFO_* attributes: the kind of the link, and of the one it belongs to.

    `data`, `xstats` and `slave_data` are bytes where the kind has no class here.
    """

    kind: str | None = string(1, size=MODULE_NAME_LEN)
    data: Nested[Any] = selected(2, "kind", KINDS)
    xstats: Nested[Any] = selected(3, "kind", XSTATS)
    slave_kind: str | None = string(4, size=MODULE_NAME_LEN)
    slave_data: Nested[Any] = selected(5, "slave_kind", SLAVE_KINDS)
