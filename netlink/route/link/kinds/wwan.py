"""Link kind "wwan": a channel of a WWAN modem.

This file only declares attributes, and is imported when the first "wwan" link is used. Numbers are
from Linux 6.12 (linux/if_link.h, linux/wwan.h). Widths and byte order are from
drivers/net/wwan/wwan_core.c.
"""

from netlink.schema import Message, u32


class Wwan(Message):
    """IFLA_WWAN_* attributes of a "wwan" (linux/wwan.h)."""

    link_id: int | None = u32(1)
