"""The kind "ppp": a PPP channel.

Numbers are from Linux 6.12 (linux/if_link.h). Widths and byte order are from
drivers/net/ppp/ppp_generic.c.
"""

from netlink.schema import Message, s32


class Ppp(Message):
    """IFLA_PPP_* attributes, of a "ppp" (linux/if_link.h): a descriptor of /dev/ppp."""

    dev_fd: int | None = s32(1)
