"""Queueing disciplines, which hold a link's packets: struct tcmsg and its TCA_* attributes.

Numbers are those of Linux 6.12 (linux/rtnetlink.h); widths are those of rtm_tca_policy and
tc_fill_qdisc in net/sched/sch_api.c.
"""

from typing import Any

from netlink.constants import IFNAMSIZ, NLM_F
from netlink.family import Op, Steps, plan
from netlink.route import link
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.route.tc.sch import QDISC_OPTIONS, QDISC_STATS
from netlink.route.tc.tcmsg import TC_H, SizeTable, Stats, tc_estimator, tc_stats, tcmsg
from netlink.route.tc.tcmsg import handle as number
from netlink.schema import Nested, flag, nest, selected, string, struct, u8, u32


class QdiscStats(Stats):
    """TCA_STATS_* attributes of a qdisc; `app` is the scheduler's own, bytes where unknown."""

    app: Nested[Any] = selected(4, "^kind", QDISC_STATS)


class Qdisc(tcmsg):
    """One qdisc: struct tcmsg and its TCA_* attributes (linux/rtnetlink.h).

    `parent` is TC_H_ROOT, TC_H_INGRESS (which is TC_H_CLSACT) or a class; `info` counts references.
    `options` and `xstats` are bytes where the kind has no class in sch.py. `stats` and `xstats` are
    an older form of `stats2`; `rate` attaches an estimator. A dump leaves out qdiscs that a
    scheduler made for its classes, unless its request has `dump_invisible`.
    """

    kind: str | None = string(1, size=IFNAMSIZ)
    options: Nested[Any] = selected(2, "kind", QDISC_OPTIONS)
    stats: Nested[tc_stats] = struct(3, tc_stats)
    xstats: Nested[Any] = selected(4, "kind", QDISC_STATS)
    rate: Nested[tc_estimator] = struct(5, tc_estimator)
    stats2: Nested[QdiscStats] = nest(7, QdiscStats)
    stab: Nested[SizeTable] = nest(8, SizeTable)
    dump_invisible: bool = flag(10)
    hw_offload: int | None = u8(12)
    ingress_block: int | None = u32(13)
    egress_block: int | None = u32(14)
    ext_warn_msg: str | None = string(16)


# The answer to a request for one goes to the group "tc", and to who asks only with NLM_F_ECHO
# (qdisc_get_notify).
get = Op("tc.qdisc.get", RTM.RTM_GETQDISC, Qdisc, flags=NLM_F.NLM_F_ECHO, answer="one")
new = Op("tc.qdisc.new", RTM.RTM_NEWQDISC, Qdisc, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
replace = Op(
    "tc.qdisc.replace", RTM.RTM_NEWQDISC, Qdisc, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE
)
set = Op("tc.qdisc.set", RTM.RTM_NEWQDISC, Qdisc)
delete = Op("tc.qdisc.delete", RTM.RTM_DELQDISC, Qdisc)

ROUTE.add(get, new, replace, set, delete)


# --- plans ----------------------------------------------------------------------------------------

OWN_PLACE = {"ingress": TC_H.TC_H_INGRESS, "clsact": TC_H.TC_H_CLSACT}


def arguments(
    dev: link.Dev, kind: str, handle: str | int, parent: str | int, options: dict[str, Any]
) -> Steps[dict[str, Any]]:
    """What the plans below give to their ops."""
    return {
        "ifindex": (yield link.index_of(dev)),
        "handle": number(handle),
        "parent": OWN_PLACE.get(kind, number(parent)),
        "kind": kind,
        "options": options or None,  # an empty struct would say something: zeros
    }


@plan
def add(
    dev: link.Dev,
    kind: str,
    *,
    handle: str | int = 0,
    parent: str | int = "root",
    **options: Any,
) -> Steps[None]:
    """Put a qdisc on a link, in the place of a default one or one of another kind.

    Handles are numbers, or text as for handle(); an "ingress" or "clsact" has its own place.
    `options` are fields of the kind's class in sch.py. Raises KernelError (EEXIST; ENOENT where
    the kernel lacks the kind) and ValueError for what is no handle.
    """
    yield new(**(yield from arguments(dev, kind, handle, parent, options)))


@plan
def put(
    dev: link.Dev,
    kind: str,
    *,
    handle: str | int = 0,
    parent: str | int = "root",
    **options: Any,
) -> Steps[None]:
    """As add(), but what is there is changed, or replaced."""
    yield replace(**(yield from arguments(dev, kind, handle, parent, options)))


@plan
def change(
    dev: link.Dev,
    kind: str,
    *,
    handle: str | int = 0,
    parent: str | int = "root",
    **options: Any,
) -> Steps[None]:
    """Change options of a qdisc. Raises KernelError (ENOENT)."""
    yield set(**(yield from arguments(dev, kind, handle, parent, options)))


@plan
def remove(dev: link.Dev, *, parent: str | int = "root") -> Steps[None]:
    """Remove a qdisc, and all below it; "clsact" is the place of an "ingress" too."""
    yield delete(ifindex=(yield link.index_of(dev)), parent=number(parent))
