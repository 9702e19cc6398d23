"""Classes, which share out what a qdisc sends: struct tcmsg and its TCA_* attributes.

Numbers are those of Linux 6.12 (linux/rtnetlink.h); widths are those of tc_fill_tclass in
net/sched/sch_api.c. The module is not called `class`, which is a word of Python.
"""

from typing import Any

from netlink.constants import IFNAMSIZ, NLM_F
from netlink.family import Op, Steps, plan
from netlink.route import link
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.route.tc.sch import CLASS_OPTIONS, CLASS_STATS
from netlink.route.tc.tcmsg import Stats, tc_estimator, tc_stats, tcmsg
from netlink.route.tc.tcmsg import handle as number
from netlink.schema import Nested, nest, selected, string, struct


class ClassStats(Stats):
    """TCA_STATS_* attributes of a class; `app` is the scheduler's own, bytes where unknown."""

    app: Nested[Any] = selected(4, "^kind", CLASS_STATS)


class Class(tcmsg):
    """One class: struct tcmsg and its TCA_* attributes (linux/rtnetlink.h).

    `kind` is the scheduler's. The kernel sends the handle of the qdisc below in `info`. `options`
    and `xstats` are bytes where the kind has no class in sch.py. `stats` and `xstats` are an older
    form of `stats2`; `rate` attaches an estimator.
    """

    kind: str | None = string(1, size=IFNAMSIZ)
    options: Nested[Any] = selected(2, "kind", CLASS_OPTIONS)
    stats: Nested[tc_stats] = struct(3, tc_stats)
    xstats: Nested[Any] = selected(4, "kind", CLASS_STATS)
    rate: Nested[tc_estimator] = struct(5, tc_estimator)
    stats2: Nested[ClassStats] = nest(7, ClassStats)
    ext_warn_msg: str | None = string(16)


# A dump is of one link: it takes an ifindex (tc_dump_tclass). The answer to a request for one goes
# to the group "tc", and to who asks only with NLM_F_ECHO (tclass_get_notify).
get = Op("tc.class.get", RTM.RTM_GETTCLASS, Class, flags=NLM_F.NLM_F_ECHO, answer="one")
new = Op("tc.class.new", RTM.RTM_NEWTCLASS, Class, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
# tc_ctl_tclass does not look at NLM_F_REPLACE: what creates and may exist is changed.
replace = Op("tc.class.replace", RTM.RTM_NEWTCLASS, Class, flags=NLM_F.NLM_F_CREATE)
set = Op("tc.class.set", RTM.RTM_NEWTCLASS, Class)
delete = Op("tc.class.delete", RTM.RTM_DELTCLASS, Class)

ROUTE.add(get, new, replace, set, delete)


# --- plans ----------------------------------------------------------------------------------------


def arguments(
    dev: link.Dev, kind: str, classid: str | int, parent: str | int, options: dict[str, Any]
) -> Steps[dict[str, Any]]:
    """What the plans below give to their ops."""
    return {
        "ifindex": (yield link.index_of(dev)),
        "handle": number(classid),
        "parent": number(parent),
        "kind": kind,
        "options": options or None,
    }


@plan
def add(
    dev: link.Dev, kind: str, classid: str | int, *, parent: str | int = "none", **options: Any
) -> Steps[None]:
    """Make a class of a link's qdisc, below it or below the class `parent`.

    Handles are numbers, or text as for handle(). `options` are fields of the kind's class in
    CLASS_OPTIONS of sch.py. Raises KernelError (EEXIST) and ValueError for what is no handle.
    """
    yield new(**(yield from arguments(dev, kind, classid, parent, options)))


@plan
def put(
    dev: link.Dev, kind: str, classid: str | int, *, parent: str | int = "none", **options: Any
) -> Steps[None]:
    """As add(), but what is there is changed."""
    yield replace(**(yield from arguments(dev, kind, classid, parent, options)))


@plan
def change(
    dev: link.Dev, kind: str, classid: str | int, *, parent: str | int = "none", **options: Any
) -> Steps[None]:
    """Change options of a class. Raises KernelError (ENOENT)."""
    yield set(**(yield from arguments(dev, kind, classid, parent, options)))


@plan
def remove(dev: link.Dev, classid: str | int) -> Steps[None]:
    """Remove a class. Raises KernelError (ENOENT; EBUSY while classes or filters use it)."""
    yield delete(ifindex=(yield link.index_of(dev)), handle=number(classid))
