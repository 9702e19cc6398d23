"""Queueing disciplines, which hold a link's packets: struct tcmsg and its TCA_* attributes.

Numbers are those of Linux 6.12 (linux/rtnetlink.h); widths are those of rtm_tca_policy and
tc_fill_qdisc in net/sched/sch_api.c.
"""

from collections.abc import Mapping
from typing import Any

from netlink.constants import IFNAMSIZ, NLM_F
from netlink.family import Op, Steps, plan
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
from netlink.route.words import Words
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

# These qdiscs have a place of their own, which tc calls by their names.
OWN_PLACE = {"ingress": TC_H.TC_H_INGRESS, "clsact": TC_H.TC_H_CLSACT}


def _place(words: Words) -> int:
    """Return the parent: "root", a class, or the name of a kind that has a place of its own."""
    parent = words.given["parent"]
    own = OWN_PLACE.get(parent) if isinstance(parent, str) else None
    return place(words, "parent") if own is None else own


def _size_table(words: Words) -> SizeTable | None:
    """Return the size table in an argument, with its data."""
    stab = made(words, "stab", SizeTable)
    return stab if stab is None else completed(stab)


def _write(op: Op[..., None, Any], words: Words) -> Steps[None]:
    """The steps of add(), put() and change()."""
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
        Qdisc(**fields)  # whatever is wrong is an error before anything is sent
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

    `parent` is "root" or a class such as "1:10". The default is "root", but for the kinds "ingress"
    and "clsact", which have a place of their own. `handle` is "1:"; the kernel chooses one for 0.

    `options` are fields of the kind's class in QDISC_OPTIONS of sch.py: {"limit": 100} for a pfifo.
    What tc sends by default is filled in, such as the limit of a netem. `stab` is a size table; its
    `data` is computed if it is missing. `estimator` attaches a rate estimator. The two blocks are
    numbers of shared filter blocks, for an "ingress" or "clsact".

    Raises KernelError (EEXIST; ENOENT if the kernel lacks the kind), TypeError for options that the
    kind does not have and EncodeError for a value that does not fit, or one that the kind needs and
    that is missing.
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
    """Add a qdisc, or change or replace the one in its place: `tc qdisc replace`.

    Arguments are as for add().
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
    """Change a qdisc: `tc qdisc change`. Arguments are as for add(). Raises KernelError (ENOENT).

    The kernel replaces a whole struct of options: a member that is not given becomes zero, or the
    default of tc. Without a `handle`, it replaces a qdisc of another kind (tc_modify_qdisc in
    net/sched/sch_api.c).
    """
    blocks = {"ingress_block": None, "egress_block": None}  # which the kernel cannot change
    yield from _write(set, Words("qdisc.change", locals() | blocks))


@plan
def remove(
    dev: Dev, *, parent: str | int, handle: str | int = 0, kind: str | None = None
) -> Steps[None]:
    """Remove a qdisc and everything below it: `tc qdisc del`.

    `parent` is its place: "root", "ingress", "clsact" or a class such as "1:10". With a `handle` or
    a `kind`, the kernel refuses to remove a qdisc that has another one. Raises KernelError
    (ENOENT), and TypeError for a `parent` of 0, which names no qdisc.
    """
    words = Words("qdisc.remove", locals())
    fields: dict[str, Any] = {
        "parent": _place(words),
        "handle": place(words, "handle", major=True),
        "kind": words.text("kind", IFNAMSIZ),
    }
    if not fields["parent"]:
        words.refuse("needs the place of a qdisc: parent='root', 'ingress', 'clsact' or a class")
    yield delete(ifindex=(yield from needed_index(words)), **fields)
