"""Traffic control: queueing disciplines, their classes, filters, chains and actions.

One file a kind of object, with its message class and ops:

    from netlink.route.tc import qdisc, tclass, filter, chain, action

What depends on a scheduler, a classifier, an action or an extended match stands in sch.py, cls.py,
act.py and em.py, which are called as in net/sched; what all share stands in tcmsg.py. A new kind is
a class in one of those files and a line in the table at its end.

    nl.do(tc.qdisc.add("eth0", "htb", handle="1:", init={"version": 3, "defcls": 0x20}))
    nl.do(tc.filter.add("eth0", "fw", parent="1:", handle=6, classid=tc.handle("1:20")))
"""

from netlink.route.tc import act, action, chain, cls, em, filter, qdisc, sch, tclass
from netlink.route.tc.tcmsg import TC_H, TCM_IFINDEX_MAGIC_BLOCK, format_handle, handle, ticks

__all__ = [
    "TCM_IFINDEX_MAGIC_BLOCK",
    "TC_H",
    "act",
    "action",
    "chain",
    "cls",
    "em",
    "filter",
    "format_handle",
    "handle",
    "qdisc",
    "sch",
    "tclass",
    "ticks",
]
