"""Link kind "batadv": an interface of a B.A.T.M.A.N. mesh.

This file only declares attributes, and is imported when the first "batadv" link is used. Numbers
are from Linux 6.12 (linux/batman_adv.h). Widths and byte order are from
net/batman-adv/soft-interface.c.
"""

from netlink.schema import Message, string


class Batadv(Message):
    """IFLA_BATADV_* attributes of a "batadv" (linux/batman_adv.h)."""

    algo_name: str | None = string(1)
