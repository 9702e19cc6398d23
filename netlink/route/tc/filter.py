"""Filters, which classify packets and execute actions: struct tcmsg and TCA_* attributes.

The options of the kinds are in cls.py and act.py, and this file must not know a single kind. It
declares the message, the ops and the plans, because they are the same for every kind. Numbers are
from Linux 6.12 (linux/rtnetlink.h). Widths and flags are from tcf_fill_node and tc_new_tfilter in
net/sched/cls_api.c.
"""

import sys
from collections.abc import Mapping
from typing import Any

from netlink.constants import AF, IFNAMSIZ, NLM_F, KernelFlag
from netlink.errors import EncodeError
from netlink.family import Follow, Op, Steps, plan
from netlink.route.ether import ETH_P
from netlink.route.link import Dev, needed_index
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.route.tc.act import ACTION_OPTIONS, ACTION_RULES, Action
from netlink.route.tc.cls import FILTER_OPTIONS, FILTER_RULES
from netlink.route.tc.options import Options, checked, made, naming
from netlink.route.tc.tcmsg import (
    TCM_IFINDEX_MAGIC_BLOCK,
    FilterHandle,
    Handle,
    format_handle,
    handle_class,
    place,
    tc_estimator,
    tc_stats,
)
from netlink.schema import (
    Bitfield32,
    Message,
    Named,
    Nested,
    bitfield32,
    pad,
    s32,
    selected,
    string,
    struct,
    u8,
    u32,
)
from netlink.words import U16, Words


class TCA_DUMP_FLAGS(KernelFlag):
    """How much detail a dump of filters contains (linux/rtnetlink.h)."""

    TCA_DUMP_FLAGS_TERSE = 0x1


def info(prio: int, protocol: int) -> int:
    """Return `info` of a filter from a priority (1 to 65535; 0 is any) and an Ethernet protocol."""
    return prio << 16 | int.from_bytes(protocol.to_bytes(2, "big"), sys.byteorder)


class tcmsg(Message):
    """struct tcmsg (linux/rtnetlink.h) of a filter. Its `handle` is not the handle of a class."""

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(3)
    ifindex: int = s32()
    handle: Named[FilterHandle] = u32(enum=FilterHandle)
    parent: Named[Handle] = u32(enum=Handle)
    info: int = u32()


class Filter(tcmsg):
    """One filter: struct tcmsg and its TCA_* attributes (linux/rtnetlink.h).

    `parent` is a qdisc, a class or a hook. If `ifindex` is TCM_IFINDEX_MAGIC_BLOCK, `parent` is a
    shared block. `info` contains `prio` and `protocol`: see info(). `options` are bytes if no class
    is declared for the kind in cls.py. `stats` are those of an old-style `police`.
    """

    kind: str | None = string(1, size=IFNAMSIZ)
    options: Nested[Any] = selected(2, "kind", FILTER_OPTIONS)
    stats: Nested[tc_stats] = struct(3, tc_stats)
    rate: Nested[tc_estimator] = struct(5, tc_estimator)
    chain: int | None = u32(11)
    dump_flags: Bitfield32 | None = bitfield32(15, enum=TCA_DUMP_FLAGS)
    ext_warn_msg: str | None = string(16)

    @property
    def handle_text(self) -> str:
        """The handle in the notation of tc: "800::5" for a u32 filter, "0x6" for others."""
        return format_handle(self.handle, self.kind or "")

    @property
    def prio(self) -> int:
        """The priority in `info`. The kernel tries filters with lower numbers first."""
        return self.info >> 16

    @property
    def protocol(self) -> int:
        """The Ethernet protocol in `info`, such as ETH_P.ETH_P_IP."""
        return int.from_bytes((self.info & 0xFFFF).to_bytes(2, sys.byteorder), "big")


def _is_wanted(found: Filter, asked: Filter) -> bool:
    """Whether a filter has the priority and the protocol of a request, if it has them."""
    return asked.prio in (0, found.prio) and asked.protocol in (0, found.protocol)


# A dump contains the filters of one link, or of one shared block (tc_dump_tfilter).
get = Op(
    "tc.filter.get",
    RTM.RTM_GETTFILTER,
    Filter,
    answer="one",
    # Many changes have no event of their own, or one that does not tell enough.
    follow=Follow(
        groups=("tc", "link"),
        key=("ifindex", "parent", "info", "handle", "kind", "chain"),
        also={RTM.RTM_NEWLINK: None, RTM.RTM_DELLINK: None},
        select={
            "ifindex": None,
            "parent": None,
            "info": _is_wanted,
            "chain": lambda found, asked: (found.chain or 0) == asked.chain,
        },
        ignore=("stats", "options.act.stats", "options.act.options.tm", "options.police.stats"),
    ),
)
new = Op("tc.filter.new", RTM.RTM_NEWTFILTER, Filter, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
# tc_new_tfilter ignores NLM_F_REPLACE. With NLM_F_CREATE but without NLM_F_EXCL, it creates a
# filter or changes the existing one.
replace = Op("tc.filter.replace", RTM.RTM_NEWTFILTER, Filter, flags=NLM_F.NLM_F_CREATE)
set = Op("tc.filter.set", RTM.RTM_NEWTFILTER, Filter)
# Without a priority, removes all filters in the parent's chain.
delete = Op("tc.filter.delete", RTM.RTM_DELTFILTER, Filter)

ROUTE.add(get, new, replace, set, delete)


# --- plans ----------------------------------------------------------------------------------------


def _place(words: Words) -> dict[str, Any]:
    """Return the fields that identify a filter of a link, or of a shared block."""
    block = words.integer("block", 1)
    if (block is None) == (not words.has("dev")):
        words.refuse("needs either dev or block: a link, or the number of a shared block")
    fields: dict[str, Any] = {
        "handle": _handle(words),
        "parent": place(words, "parent"),
        "info": info(
            words.integer("prio", high=U16) or 0, words.number("protocol", ETH_P, U16) or 0
        ),
        "kind": words.text("kind", IFNAMSIZ),
        "chain": words.integer("chain"),
    }
    if block is not None:
        if fields["parent"]:
            words.refuse("accepts block or parent, not both: a shared block has no parent")
        fields.update(ifindex=TCM_IFINDEX_MAGIC_BLOCK, parent=block)
    return fields


def _handle(words: Words) -> int:
    """Return the handle of a filter in the notation of its kind, such as "800::5" for u32."""
    value = words.given["handle"]
    if not isinstance(value, str):
        return words.integer("handle") or 0
    try:
        return handle_class(words.given["kind"] or "").from_text(value)
    except EncodeError as error:
        raise words.wrong("handle", error.reason) from None


def _write(op: Op[..., None, Any], words: Words) -> Steps[None]:
    """Yield the request of add(), put() and change(), after checking the arguments."""
    fields = _place(words)
    if fields["kind"] is None:
        raise words.expected("kind", "the name of a kind, such as 'u32'")
    options = words.given["options"]
    if isinstance(options, Mapping):
        words.given = {**words.given, "options": _with_actions(words, options)}
    elif isinstance(options, Message):
        _with_actions(words, dict(options))  # to check them
    protocol = words.number("protocol", ETH_P, U16)
    fields["options"] = checked(words, FILTER_OPTIONS, FILTER_RULES, {"protocol": protocol})
    fields["rate"] = made(words, "estimator", tc_estimator)
    with naming(words.place):
        Filter(**fields)  # raises on a wrong value before anything is sent
    yield from _send(op, words, fields)


def _send(op: Op[..., None, Any], words: Words, fields: dict[str, Any]) -> Steps[None]:
    """Send the request. If it is about a link, look up the index first."""
    if words.has("dev"):
        fields["ifindex"] = yield from needed_index(words)
    yield op(**fields)


def _with_actions(words: Words, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a filter after completing its actions and an old-style `police`."""
    result = dict(options)
    actions, police = options.get("act"), options.get("police")
    if isinstance(actions, list | tuple):
        result["act"] = [
            _with_options(f"{words.place}.options.act[{position}]", action)
            for position, action in enumerate(actions, 1)
        ]
    if police is not None:
        inner = Words(f"{words.place}.options.police", {"kind": "police", "options": police})
        result["police"] = checked(inner, ACTION_OPTIONS, ACTION_RULES)
    return result


def _with_options(where: str, action: Any) -> Any:
    """Return an action with completed options. A reference to an existing action is unchanged."""
    if isinstance(action, Mapping):
        kind, options = action.get("kind"), action.get("options")
    elif isinstance(action, Action):
        kind, options = action.kind, action.options
    else:
        return action
    if options is None or not isinstance(kind, str):
        return action
    words = Words(where, {"kind": kind, "options": options})
    options = checked(words, ACTION_OPTIONS, ACTION_RULES)
    return {**action, "options": options} if isinstance(action, Mapping) else action


@plan
def add(
    dev: Dev | None,
    kind: str,
    *,
    block: int | None = None,
    parent: str | int = "none",
    prio: int = 0,
    protocol: ETH_P | int | str = ETH_P.ETH_P_ALL,
    handle: str | int = 0,
    chain: int | None = None,
    options: Options | None = None,
    estimator: tc_estimator | Mapping[str, Any] | None = None,
) -> Steps[None]:
    """Add a filter to a link or, without a `dev`, to a shared `block`: `tc filter add`.

    `parent` is a qdisc or class such as "1:", or "ingress" or "egress" for a hook of a clsact. The
    default is the root qdisc. If `prio` or `handle` is 0, the kernel chooses it. `protocol` is a
    number or a name such as "ip" or "802.1q". `handle` has the notation of tc: "800::5" for a u32
    filter, or the mark for an fw filter.

    `options` are fields of the kind's class in FILTER_OPTIONS of cls.py. The plan fills in what tc
    fills in, such as TC_U32_TERMINAL and the result of an action. `estimator` attaches a rate
    estimator.

    Raises KernelError: EEXIST if the filter exists, ENOENT if the kernel does not support the kind.
    Raises TypeError for options that the kind does not have. Raises EncodeError for a value that
    does not fit, and for keys that the kernel would ignore.
    """
    yield from _write(new, Words("filter.add", locals()))


@plan
def put(
    dev: Dev | None,
    kind: str,
    *,
    block: int | None = None,
    parent: str | int = "none",
    prio: int = 0,
    protocol: ETH_P | int | str = ETH_P.ETH_P_ALL,
    handle: str | int = 0,
    chain: int | None = None,
    options: Options | None = None,
    estimator: tc_estimator | Mapping[str, Any] | None = None,
) -> Steps[None]:
    """Add a filter, or change the filter with this `prio` and `handle`: `tc filter replace`.

    The arguments are those of add().
    """
    yield from _write(replace, Words("filter.put", locals()))


@plan
def change(
    dev: Dev | None,
    kind: str,
    *,
    block: int | None = None,
    parent: str | int = "none",
    prio: int,
    protocol: ETH_P | int | str = 0,
    handle: str | int,
    chain: int | None = None,
    options: Options | None = None,
    estimator: tc_estimator | Mapping[str, Any] | None = None,
) -> Steps[None]:
    """Change the filter with this `prio` and `handle`: `tc filter change`.

    If `protocol` is 0, the filter keeps its protocol. The other arguments are those of add().
    Raises KernelError: ENOENT if the filter does not exist.
    """
    words = Words("filter.change", locals())
    words.needs_a_change("dev", "kind", "block", "parent", "prio", "protocol", "handle", "chain")
    yield from _write(set, words)


@plan
def remove(
    dev: Dev | None,
    kind: str | None = None,
    *,
    block: int | None = None,
    parent: str | int | None = None,
    prio: int = 0,
    protocol: ETH_P | int | str = 0,
    handle: str | int = 0,
    chain: int | None = None,
) -> Steps[None]:
    """Remove filters: `tc filter del`.

    `prio` selects the filters of one priority, and `handle` selects one of them. Without a `prio`,
    the kernel removes all filters of the `parent`, `block` or `chain`. Raises KernelError: ENOENT
    if no filter matches. Raises TypeError if none of these is given, or if `kind`, `protocol` or
    `handle` is given without a `prio`.
    """
    words = Words("filter.remove", locals())
    if not prio and (kind is not None or protocol or handle):
        words.refuse("accepts kind, protocol and handle only together with prio")
    if not prio and parent is None and block is None and chain is None:
        words.refuse("needs prio, or one of parent, block and chain to remove all filters there")
    yield from _send(delete, words, _place(words))
