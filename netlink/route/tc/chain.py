"""Chains of filters, to which an action can jump: struct tcmsg and TCA_* attributes.

The filters in a chain are in filter.py, and this file must not change them. It exists because a
chain is an object of its own, which can have a template. Numbers are from Linux 6.12
(linux/rtnetlink.h). Widths are from tc_chain_fill_node in net/sched/cls_api.c.
"""

from typing import Any

from netlink.constants import IFNAMSIZ, NLM_F
from netlink.family import Follow, Op
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.route.tc.cls import FILTER_OPTIONS
from netlink.route.tc.tcmsg import tcmsg
from netlink.schema import Nested, selected, string, u32


class Chain(tcmsg):
    """One chain: struct tcmsg and its TCA_* attributes (linux/rtnetlink.h).

    `chain` is the number of the chain. If it has a `kind`, `options` is a template, and its filters
    can only match on the template's fields. `parent` and shared blocks are as in Filter.
    """

    kind: str | None = string(1, size=IFNAMSIZ)
    options: Nested[Any] = selected(2, "kind", FILTER_OPTIONS)
    chain: int | None = u32(11)
    ext_warn_msg: str | None = string(16)


# A dump contains the chains of one link, or of one shared block (tc_dump_chain).
get = Op(
    "tc.chain.get",
    RTM.RTM_GETCHAIN,
    Chain,
    answer="one",
    # Many changes have no event of their own, or one that does not tell enough.
    follow=Follow(
        groups=("tc", "link"),
        key=("ifindex", "parent", "chain"),
        also={RTM.RTM_NEWLINK: None, RTM.RTM_DELLINK: None},
        select={"ifindex": None, "parent": None},
        ignore=(),
    ),
)
new = Op("tc.chain.new", RTM.RTM_NEWCHAIN, Chain, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
# Also removes the filters in the chain.
delete = Op("tc.chain.delete", RTM.RTM_DELCHAIN, Chain)

ROUTE.add(get, new, delete)
