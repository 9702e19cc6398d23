"""Chains of filters, which a filter can go to: struct tcmsg and TCA_* attributes.

Numbers are those of Linux 6.12 (linux/rtnetlink.h); widths are those of tc_chain_fill_node in
net/sched/cls_api.c.
"""

from typing import Any

from netlink.constants import IFNAMSIZ, NLM_F
from netlink.family import Op
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.route.tc.cls import FILTER_OPTIONS
from netlink.route.tc.tcmsg import tcmsg
from netlink.schema import Nested, selected, string, u32


class Chain(tcmsg):
    """One chain: struct tcmsg and its TCA_* attributes (linux/rtnetlink.h).

    `chain` is its number. With a `kind` it has a template, in `options`, to which its filters
    keep. `parent` and a shared block are as those of a Filter.
    """

    kind: str | None = string(1, size=IFNAMSIZ)
    options: Nested[Any] = selected(2, "kind", FILTER_OPTIONS)
    chain: int | None = u32(11)
    ext_warn_msg: str | None = string(16)


# A dump is of one link, or of one shared block (tc_dump_chain).
get = Op("tc.chain.get", RTM.RTM_GETCHAIN, Chain, answer="one")
new = Op("tc.chain.new", RTM.RTM_NEWCHAIN, Chain, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
# Takes the filters with it.
delete = Op("tc.chain.delete", RTM.RTM_DELCHAIN, Chain)

ROUTE.add(get, new, delete)
