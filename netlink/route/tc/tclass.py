"""Classes, which divide the bandwidth of a qdisc: struct tcmsg and its TCA_* attributes.

The options of the kinds are in sch.py, and this file must not know a single kind. It declares the
message, the ops and the plans, because they are the same for every kind. It is not named `class`,
which is a Python keyword. Numbers are from Linux 6.12 (linux/rtnetlink.h). Widths are from
tc_fill_tclass in net/sched/sch_api.c.
"""

from collections.abc import Mapping
from typing import Any

from netlink.constants import IFNAMSIZ, NLM_F
from netlink.family import Follow, Op, Steps, plan
from netlink.route.link import Dev, needed_index
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.route.tc.options import Options, checked, made, naming
from netlink.route.tc.sch import CLASS_OPTIONS, CLASS_RULES, CLASS_STATS
from netlink.route.tc.tcmsg import Stats, place, tc_estimator, tc_stats, tcmsg
from netlink.schema import Nested, nest, selected, string, struct
from netlink.words import Words


class ClassStats(Stats):
    """TCA_STATS_* attributes of a class. `app` depends on the kind; it is bytes if unknown."""

    app: Nested[Any] = selected(4, "^kind", CLASS_STATS)


class Class(tcmsg):
    """One class: struct tcmsg and its TCA_* attributes (linux/rtnetlink.h).

    `kind` is the kind of the qdisc. In `info`, the kernel sends the handle of the child qdisc.
    `options` and `xstats` are bytes if no class is declared for the kind in sch.py. `stats` and
    `xstats` are an older form of `stats2`. `rate` attaches an estimator.
    """

    kind: str | None = string(1, size=IFNAMSIZ)
    options: Nested[Any] = selected(2, "kind", CLASS_OPTIONS)
    stats: Nested[tc_stats] = struct(3, tc_stats)
    xstats: Nested[Any] = selected(4, "kind", CLASS_STATS)
    rate: Nested[tc_estimator] = struct(5, tc_estimator)
    stats2: Nested[ClassStats] = nest(7, ClassStats)
    ext_warn_msg: str | None = string(16)


# A dump contains the classes of one link, and needs its ifindex (tc_dump_tclass). The kernel sends
# the reply to a `get` to the group "tc", and to the requester only with NLM_F_ECHO
# (tclass_get_notify).
get = Op(
    "tc.class.get",
    RTM.RTM_GETTCLASS,
    Class,
    flags=NLM_F.NLM_F_ECHO,
    answer="one",
    # Many changes have no event of their own, or one that does not tell enough.
    follow=Follow(
        groups=("tc", "link"),
        key=("ifindex", "handle"),
        also={RTM.RTM_NEWLINK: None, RTM.RTM_DELLINK: None},
        select={"ifindex": None},
        ignore=("stats", "stats2", "xstats"),
    ),
)
new = Op("tc.class.new", RTM.RTM_NEWTCLASS, Class, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
# tc_ctl_tclass ignores NLM_F_REPLACE. With NLM_F_CREATE but without NLM_F_EXCL, it creates a class
# or changes the existing one.
replace = Op("tc.class.replace", RTM.RTM_NEWTCLASS, Class, flags=NLM_F.NLM_F_CREATE)
set = Op("tc.class.set", RTM.RTM_NEWTCLASS, Class)
delete = Op("tc.class.delete", RTM.RTM_DELTCLASS, Class)

ROUTE.add(get, new, replace, set, delete)


# --- plans ----------------------------------------------------------------------------------------


def _write(op: Op[..., None, Any], words: Words) -> Steps[None]:
    """Yield the request of add(), put() and change(), after checking the arguments."""
    kind = words.text("kind", IFNAMSIZ)
    if kind is None:
        raise words.expected("kind", "the name of a kind, such as 'htb'")
    fields: dict[str, Any] = {
        "handle": place(words, "classid"),
        "parent": place(words, "parent"),
        "kind": kind,
        "options": checked(words, CLASS_OPTIONS, CLASS_RULES),
        "rate": made(words, "estimator", tc_estimator),
    }
    with naming(words.place):
        Class(**fields)  # raises on a wrong value before anything is sent
    yield op(ifindex=(yield from needed_index(words)), **fields)


@plan
def add(
    dev: Dev,
    kind: str,
    classid: str | int,
    *,
    parent: str | int = "none",
    options: Options | None = None,
    estimator: tc_estimator | Mapping[str, Any] | None = None,
) -> Steps[None]:
    """Add a class to a qdisc of a link: `tc class add`.

    `kind` is the kind of the qdisc. `classid` and `parent` are "major:minor" in hexadecimal digits.
    Without a `parent`, the class is a direct child of the qdisc. `options` are fields of the kind's
    class in CLASS_OPTIONS of sch.py, such as {"parms": {"rate": {"rate": 125_000}}}; rates are in
    bytes per second. For an htb class, the plan computes the ceil and the bursts as tc does.
    `estimator` attaches a rate estimator.

    Raises KernelError: EEXIST if the class exists. Raises TypeError for options that the kind does
    not have. Raises EncodeError for a value that does not fit, and if a value that the kind needs
    is missing.
    """
    yield from _write(new, Words("tclass.add", locals()))


@plan
def put(
    dev: Dev,
    kind: str,
    classid: str | int,
    *,
    parent: str | int = "none",
    options: Options | None = None,
    estimator: tc_estimator | Mapping[str, Any] | None = None,
) -> Steps[None]:
    """Add a class, or change the existing class: `tc class replace`.

    The arguments are those of add().
    """
    yield from _write(replace, Words("tclass.put", locals()))


@plan
def change(
    dev: Dev,
    kind: str,
    classid: str | int,
    *,
    parent: str | int = "none",
    options: Options | None = None,
    estimator: tc_estimator | Mapping[str, Any] | None = None,
) -> Steps[None]:
    """Change a class: `tc class change`. The arguments are those of add().

    The kernel replaces a whole struct of options: a member that is not given becomes zero. Raises
    KernelError: ENOENT if the class does not exist.
    """
    words = Words("tclass.change", locals())
    words.needs_a_change("dev", "kind", "classid", "parent")
    yield from _write(set, words)


@plan
def remove(dev: Dev, classid: str | int) -> Steps[None]:
    """Remove a class: `tc class del`.

    Raises KernelError: ENOENT if the class does not exist, EBUSY while other classes or filters use
    it. Raises TypeError for a `classid` of 0, which names no class.
    """
    words = Words("tclass.remove", locals())
    handle = place(words, "classid")
    if not handle:
        words.refuse("needs the classid of a class, such as '1:10'")
    yield delete(ifindex=(yield from needed_index(words)), handle=handle)
