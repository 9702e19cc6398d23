"""Filters, which sort packets into classes and act on them: struct tcmsg and TCA_* attributes.

Numbers are those of Linux 6.12 (linux/rtnetlink.h); widths and flags are those of tcf_fill_node
and tc_new_tfilter in net/sched/cls_api.c.
"""

import sys
from typing import Any

from netlink.constants import IFNAMSIZ, NLM_F, KernelFlag
from netlink.family import Op, Steps, plan
from netlink.route import link
from netlink.route.linkinfo import ETH_P
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.route.tc.cls import FILTER_OPTIONS
from netlink.route.tc.tcmsg import handle as number
from netlink.route.tc.tcmsg import tc_estimator, tc_stats, tcmsg
from netlink.schema import Bitfield32, Nested, bitfield32, selected, string, struct, u32


class TCA_DUMP_FLAGS(KernelFlag):
    """How much a dump of filters shows (linux/rtnetlink.h)."""

    TCA_DUMP_FLAGS_TERSE = 0x1


def info(prio: int, protocol: int) -> int:
    """The `info` of a filter: its priority, 1 to 65535 (0: any), and an Ethernet protocol."""
    return prio << 16 | int.from_bytes(protocol.to_bytes(2, "big"), sys.byteorder)


class Filter(tcmsg):
    """One filter: struct tcmsg and its TCA_* attributes (linux/rtnetlink.h).

    `parent` is a qdisc, a class or a hook; where `ifindex` is TCM_IFINDEX_MAGIC_BLOCK, it is a
    shared block. `info` holds `prio` and `protocol`: see info(). `options` are bytes where the kind
    has no class in cls.py. `stats` are those of an old-style `police`.
    """

    kind: str | None = string(1, size=IFNAMSIZ)
    options: Nested[Any] = selected(2, "kind", FILTER_OPTIONS)
    stats: Nested[tc_stats] = struct(3, tc_stats)
    rate: Nested[tc_estimator] = struct(5, tc_estimator)
    chain: int | None = u32(11)
    dump_flags: Bitfield32 | None = bitfield32(15, enum=TCA_DUMP_FLAGS)
    ext_warn_msg: str | None = string(16)

    @property
    def prio(self) -> int:
        """The priority in `info`; lower ones are asked first."""
        return self.info >> 16

    @property
    def protocol(self) -> int:
        """The Ethernet protocol in `info`, such as ETH_P.ETH_P_IP."""
        return int.from_bytes((self.info & 0xFFFF).to_bytes(2, sys.byteorder), "big")


# A dump is of one link, or of one shared block (tc_dump_tfilter).
get = Op("tc.filter.get", RTM.RTM_GETTFILTER, Filter, answer="one")
new = Op("tc.filter.new", RTM.RTM_NEWTFILTER, Filter, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
# tc_new_tfilter does not look at NLM_F_REPLACE: what creates and may exist is changed.
replace = Op("tc.filter.replace", RTM.RTM_NEWTFILTER, Filter, flags=NLM_F.NLM_F_CREATE)
set = Op("tc.filter.set", RTM.RTM_NEWTFILTER, Filter)
# Without a priority: all filters of the parent's chain.
delete = Op("tc.filter.delete", RTM.RTM_DELTFILTER, Filter)

ROUTE.add(get, new, replace, set, delete)


# --- plans ----------------------------------------------------------------------------------------


def arguments(
    dev: link.Dev,
    kind: str | None,
    parent: str | int,
    prio: int,
    protocol: int,
    handle: int,
    chain: int | None,
    options: dict[str, Any],
) -> Steps[dict[str, Any]]:
    """What the plans below give to their ops."""
    return {
        "ifindex": (yield link.index_of(dev)),
        "handle": handle,
        "parent": number(parent),
        "info": info(prio, protocol),
        "kind": kind,
        "chain": chain,
        "options": options or None,
    }


@plan
def add(
    dev: link.Dev,
    kind: str,
    *,
    parent: str | int = "none",
    prio: int = 0,
    protocol: int = ETH_P.ETH_P_ALL,
    handle: int = 0,
    chain: int | None = None,
    **options: Any,
) -> Steps[None]:
    """Hang a filter on a link's root qdisc, or on a `parent`: "1:", or "ingress" of a clsact.

    The kernel chooses a `prio` and a `handle` of 0. `options` are fields of the kind's class in
    cls.py. Raises KernelError (EEXIST; ENOENT where the kernel lacks the kind) and ValueError for
    a parent that is no handle.
    """
    yield new(**(yield from arguments(dev, kind, parent, prio, protocol, handle, chain, options)))


@plan
def put(
    dev: link.Dev,
    kind: str,
    *,
    parent: str | int = "none",
    prio: int = 0,
    protocol: int = ETH_P.ETH_P_ALL,
    handle: int = 0,
    chain: int | None = None,
    **options: Any,
) -> Steps[None]:
    """As add(), but the filter of that `prio` and `handle` is changed where it is there."""
    yield replace(
        **(yield from arguments(dev, kind, parent, prio, protocol, handle, chain, options))
    )


@plan
def remove(
    dev: link.Dev,
    kind: str | None = None,
    *,
    parent: str | int = "none",
    prio: int = 0,
    protocol: int = 0,
    handle: int = 0,
    chain: int | None = None,
) -> Steps[None]:
    """Remove a filter, by what add() took; without a `handle` those of a `prio`; with a `parent`
    and a `chain` alone all of them. Raises KernelError (ENOENT)."""
    yield delete(**(yield from arguments(dev, kind, parent, prio, protocol, handle, chain, {})))
