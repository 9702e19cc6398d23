"""Queueing disciplines (qdiscs), which queue a link's packets: struct tcmsg and TCA_* attributes.

The options of the kinds are in sch.py, and this file must not know a single kind. It declares the
message, the ops and the plans, because they are the same for every kind. Numbers are from Linux
6.12 (linux/rtnetlink.h). Widths are from rtm_tca_policy and tc_fill_qdisc in net/sched/sch_api.c.
"""

from collections.abc import Mapping
from typing import Any

from netlink.constants import IFNAMSIZ, NLM_F
from netlink.family import Follow, Op, Steps, plan
from netlink.route.link import Dev, needed_index
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.route.tc.options import Options, checked, made, naming
from netlink.route.tc.sch import QDISC_OPTIONS, QDISC_RULES, QDISC_STATS
from netlink.route.tc.tcmsg import (
    TC_H,
    SizeTable,
    Stats,
    completed,
    place,
    tc_estimator,
    tc_stats,
    tcmsg,
)
from netlink.schema import Nested, flag, nest, selected, string, struct, u8, u32
from netlink.words import Words


class QdiscStats(Stats):
    """TCA_STATS_* attributes of a qdisc. `app` depends on the kind; it is bytes if unknown."""

    app: Nested[Any] = selected(4, "^kind", QDISC_STATS)


class Qdisc(tcmsg):
    """One qdisc: struct tcmsg and its TCA_* attributes (linux/rtnetlink.h).

    `parent` is TC_H_ROOT, TC_H_INGRESS (which is TC_H_CLSACT) or a class. `info` counts references.
    `options` and `xstats` are bytes if no class is declared for the kind in sch.py. `stats` and
    `xstats` are an older form of `stats2`. `rate` attaches an estimator. A dump does not contain
    qdiscs that a scheduler created for its classes, unless the request has `dump_invisible`.
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


# The kernel sends the reply to the group "tc", and to the requester only with NLM_F_ECHO
# (qdisc_get_notify).
get = Op(
    "tc.qdisc.get",
    RTM.RTM_GETQDISC,
    Qdisc,
    flags=NLM_F.NLM_F_ECHO,
    answer="one",
    # Many changes have no event of their own, or one that does not tell enough.
    follow=Follow(
        groups=("tc", "link"),
        key=("ifindex", "parent", "handle", "kind"),
        also={RTM.RTM_NEWLINK: None, RTM.RTM_DELLINK: None},
        select={"ifindex": None},
        ignore=("info", "stats", "stats2", "xstats", "options.init.direct_pkts"),
    ),
)
new = Op("tc.qdisc.new", RTM.RTM_NEWQDISC, Qdisc, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
replace = Op(
    "tc.qdisc.replace", RTM.RTM_NEWQDISC, Qdisc, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE
)
set = Op("tc.qdisc.set", RTM.RTM_NEWQDISC, Qdisc)
delete = Op("tc.qdisc.delete", RTM.RTM_DELQDISC, Qdisc)

ROUTE.add(get, new, replace, set, delete)


# --- plans ----------------------------------------------------------------------------------------

# These qdiscs have a fixed parent, which tc calls by the names of the kinds.
OWN_PLACE = {"ingress": TC_H.TC_H_INGRESS, "clsact": TC_H.TC_H_CLSACT}


def _place(words: Words) -> int:
    """Return the parent: "root", a class, or the name of a kind that has a fixed parent."""
    parent = words.given["parent"]
    own = OWN_PLACE.get(parent) if isinstance(parent, str) else None
    return place(words, "parent") if own is None else own


def _size_table(words: Words) -> SizeTable | None:
    """Return the size table in an argument of a plan, after computing its data."""
    stab = made(words, "stab", SizeTable)
    return stab if stab is None else completed(stab)


def _write(op: Op[..., None, Any], words: Words) -> Steps[None]:
    """Yield the request of add(), put() and change(), after checking the arguments."""
    kind = words.text("kind", IFNAMSIZ)
    if kind is None:
        raise words.expected("kind", "the name of a kind, such as 'htb'")
    if not words.has("parent"):
        words.given = {**words.given, "parent": kind if kind in OWN_PLACE else "root"}
    fields: dict[str, Any] = {
        "handle": place(words, "handle", major=True),
        "parent": _place(words),
        "kind": kind,
        "options": checked(words, QDISC_OPTIONS, QDISC_RULES),
        "stab": _size_table(words),
        "rate": made(words, "estimator", tc_estimator),
        "ingress_block": words.integer("ingress_block", 1),
        "egress_block": words.integer("egress_block", 1),
    }
    with naming(words.place):
        Qdisc(**fields)  # raises on a wrong value before anything is sent
    yield op(ifindex=(yield from needed_index(words)), **fields)


@plan
def add(
    dev: Dev,
    kind: str,
    *,
    handle: str | int = 0,
    parent: str | int | None = None,
    options: Options | None = None,
    stab: SizeTable | Mapping[str, Any] | None = None,
    estimator: tc_estimator | Mapping[str, Any] | None = None,
    ingress_block: int | None = None,
    egress_block: int | None = None,
) -> Steps[None]:
    """Add a qdisc to a link: `tc qdisc add`.

    `parent` is "root" or a class such as "1:10". The default is "root", except for the kinds
    "ingress" and "clsact", which have a fixed parent. `handle` is a text such as "1:"; if it is 0,
    the kernel chooses one.

    `options` are fields of the kind's class in QDISC_OPTIONS of sch.py: {"limit": 100} for a pfifo.
    The plan fills in what tc sends by default, such as the limit of a netem. `stab` is a size
    table; the plan computes its `data` if it is missing. `estimator` attaches a rate estimator.
    `ingress_block` and `egress_block` are numbers of shared filter blocks, for the kinds "ingress"
    and "clsact".

    Raises KernelError: EEXIST if the qdisc exists, ENOENT if the kernel does not support the kind.
    Raises TypeError for options that the kind does not have. Raises EncodeError for a value that
    does not fit, and if a value that the kind needs is missing.
    """
    yield from _write(new, Words("qdisc.add", locals()))


@plan
def put(
    dev: Dev,
    kind: str,
    *,
    handle: str | int = 0,
    parent: str | int | None = None,
    options: Options | None = None,
    stab: SizeTable | Mapping[str, Any] | None = None,
    estimator: tc_estimator | Mapping[str, Any] | None = None,
    ingress_block: int | None = None,
    egress_block: int | None = None,
) -> Steps[None]:
    """Add a qdisc, or change or replace the qdisc at the same parent: `tc qdisc replace`.

    The arguments are those of add().
    """
    yield from _write(replace, Words("qdisc.put", locals()))


@plan
def change(
    dev: Dev,
    kind: str,
    *,
    handle: str | int = 0,
    parent: str | int | None = None,
    options: Options | None = None,
    stab: SizeTable | Mapping[str, Any] | None = None,
    estimator: tc_estimator | Mapping[str, Any] | None = None,
) -> Steps[None]:
    """Change a qdisc: `tc qdisc change`. The arguments are those of add().

    The kernel replaces a whole struct of options: a member that is not given becomes zero, or tc's
    default. Without a `handle`, the kernel replaces a qdisc of another kind (tc_modify_qdisc in
    net/sched/sch_api.c). Raises KernelError: ENOENT if the qdisc does not exist.
    """
    Words("qdisc.change", locals()).needs_a_change("dev", "kind", "handle", "parent")
    blocks = {"ingress_block": None, "egress_block": None}  # the kernel cannot change them
    yield from _write(set, Words("qdisc.change", locals() | blocks))


@plan
def remove(
    dev: Dev, *, parent: str | int, handle: str | int = 0, kind: str | None = None
) -> Steps[None]:
    """Remove a qdisc and everything below it: `tc qdisc del`.

    `parent` is "root", "ingress", "clsact" or a class such as "1:10". If `handle` or `kind` is
    given and the qdisc has another one, the kernel refuses the request. Raises KernelError: ENOENT
    if the qdisc does not exist. Raises TypeError for a `parent` of 0, which names no qdisc.
    """
    words = Words("qdisc.remove", locals())
    fields: dict[str, Any] = {
        "parent": _place(words),
        "handle": place(words, "handle", major=True),
        "kind": words.text("kind", IFNAMSIZ),
    }
    if not fields["parent"]:
        words.refuse("needs the parent of a qdisc: 'root', 'ingress', 'clsact' or a class")
    yield delete(ifindex=(yield from needed_index(words)), **fields)
