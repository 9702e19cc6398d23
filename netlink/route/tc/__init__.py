"""Traffic control: queueing disciplines, their classes, filters, chains and actions.

Each kind of object has a file with its message class, ops and plans:

    from netlink.route.tc import qdisc, tclass, filter, chain, action

The options of schedulers, classifiers, actions and extended matches are in sch.py, cls.py, act.py
and em.py, named like the files in net/sched. Common declarations are in tcmsg.py. To support
another kind, add a class in one of these files, and a line in the tables at the end of that file.
This file must not declare anything. It exists so that one import gives access to all of them.

    nl.do(qdisc.add("eth0", "htb", handle="1:", options={"init": {"defcls": 0x20}}))
    rate = {"parms": {"rate": {"rate": 125_000}}}  # bytes per second
    nl.do(tclass.add("eth0", "htb", "1:20", parent="1:", options=rate))
    nl.do(filter.add("eth0", "fw", parent="1:", handle=6, options={"classid": "1:20"}))
"""

from netlink.route.tc import act, action, chain, cls, em, filter, qdisc, sch, tclass
from netlink.route.tc.tcmsg import (
    TC_H,
    TCM_IFINDEX_MAGIC_BLOCK,
    FilterHandle,
    Handle,
    U32Handle,
    format_handle,
    handle,
    size_table,
    ticks,
)

__all__ = [
    "TCM_IFINDEX_MAGIC_BLOCK",
    "TC_H",
    "FilterHandle",
    "Handle",
    "U32Handle",
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
    "size_table",
    "tclass",
    "ticks",
]
