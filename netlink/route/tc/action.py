"""Actions as independent objects, which several filters can share: struct tcamsg and TCA_ROOT_*.

The actions themselves are declared in act.py. This file must not know any kind of action. It exists
because the kernel creates, dumps and removes actions with messages of their own. Numbers are from
Linux 6.12 (linux/rtnetlink.h). Widths and flags are from tc_ctl_action and tc_dump_action in
net/sched/act_api.c.
"""

from netlink.constants import AF, NLM_F, KernelFlag
from netlink.family import Op
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.route.tc.act import Action
from netlink.schema import (
    Bitfield32,
    Message,
    Named,
    Several,
    array,
    bitfield32,
    pad,
    string,
    u8,
    u32,
)


class TCA_ACT_FLAG(KernelFlag):
    """How much detail a dump of actions contains (linux/rtnetlink.h)."""

    TCA_ACT_FLAG_LARGE_DUMP_ON = 0x1
    TCA_ACT_FLAG_TERSE_DUMP = 0x2


class tcamsg(Message):
    """struct tcamsg (linux/rtnetlink.h)."""

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(3)


class ActionTable(tcamsg):
    """Actions: struct tcamsg and its TCA_ROOT_* attributes (linux/rtnetlink.h).

    A dump request contains the `kind` of one action in `tab`. Without TCA_ACT_FLAG_LARGE_DUMP_ON in
    `flags`, a message contains at most 32 actions. With that flag, `count` is the number of actions
    in the message. With `time_delta`, in milliseconds, the kernel sends only actions that were used
    within this time. The notification of a flush has one action, and its `cookie` contains the
    number of removed actions (tcf_del_walker).
    """

    tab: Several[Action] = array(1, Action, first=1)
    flags: Bitfield32 | None = bitfield32(2, enum=TCA_ACT_FLAG)
    count: int | None = u32(3)
    time_delta: int | None = u32(4)
    ext_warn_msg: str | None = string(5)


get = Op("tc.action.get", RTM.RTM_GETACTION, ActionTable, answer="one")
new = Op(
    "tc.action.new", RTM.RTM_NEWACTION, ActionTable, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL
)
# There is no `set`: with NLM_F_REPLACE alone, the kernel also creates actions (tc_ctl_action).
replace = Op(
    "tc.action.replace",
    RTM.RTM_NEWACTION,
    ActionTable,
    flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE,
)
delete = Op("tc.action.delete", RTM.RTM_DELACTION, ActionTable)
# Removes all actions of a kind (tca_action_flush).
flush = Op("tc.action.flush", RTM.RTM_DELACTION, ActionTable, flags=NLM_F.NLM_F_ROOT)

ROUTE.add(get, new, replace, delete, flush)
