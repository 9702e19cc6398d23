"""Link kind "ppp": a PPP channel.

This file only declares attributes, and is imported when the first "ppp" link is used. Numbers are
from Linux 6.12 (linux/if_link.h). Widths and byte order are from drivers/net/ppp/ppp_generic.c.
"""

from netlink.schema import Message, s32


class Ppp(Message):
    """IFLA_PPP_* attributes of a "ppp" (linux/if_link.h): the file descriptor of /dev/ppp."""

    dev_fd: int | None = s32(1)
