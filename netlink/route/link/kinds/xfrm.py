"""Link kind "xfrm": a link to which IPsec policies refer.

This file only declares attributes, and is imported when the first "xfrm" link is used. Numbers are
from Linux 6.12 (linux/if_link.h). Widths and byte order are from net/xfrm/xfrm_interface_core.c.
"""

from netlink.schema import Message, flag, u32


class Xfrm(Message):
    """IFLA_XFRM_* attributes of an "xfrm" interface (linux/if_link.h)."""

    link: int | None = u32(1)
    if_id: int | None = u32(2)
    collect_metadata: bool = flag(3)
