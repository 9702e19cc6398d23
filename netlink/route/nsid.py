"""Numbers for other network namespaces: struct rtgenmsg and its NETNSA_* attributes.

Numbers are those of Linux 6.12 (linux/net_namespace.h); widths and signs are those of
rtnl_net_policy in net/core/net_namespace.c.
"""

from netlink.constants import NLM_F, KernelEnum
from netlink.family import Op
from netlink.route.rtnetlink import ROUTE, RTM, rtgenmsg
from netlink.schema import Named, s32, u32


class NETNSA_NSID(KernelEnum):
    """What stands where a namespace has no number."""

    NETNSA_NSID_NOT_ASSIGNED = -1


class NamespaceId(rtgenmsg):
    """A namespace's number, valid in this one: struct rtgenmsg and its NETNSA_* attributes.

    A request names the namespace by `nsid`, by a process (`pid`) or by a descriptor (`fd`). With
    `target_nsid` the answer's `nsid` is valid in that namespace, and `current_nsid` here.
    """

    nsid: Named[NETNSA_NSID | int | None] = s32(1, enum=NETNSA_NSID)
    pid: int | None = u32(2)
    fd: int | None = u32(3)
    target_nsid: int | None = s32(4)
    current_nsid: Named[NETNSA_NSID | int | None] = s32(5, enum=NETNSA_NSID)


get = Op("nsid.get", RTM.RTM_GETNSID, NamespaceId, answer="one")
# An nsid of -1 lets the kernel choose. A namespace keeps its number until one of the two ends, so
# that there is neither a replacement nor a deletion (rtnl_net_newid).
new = Op("nsid.new", RTM.RTM_NEWNSID, NamespaceId, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)

ROUTE.add(get, new, messages={RTM.RTM_DELNSID: NamespaceId})
