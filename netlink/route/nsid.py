"""IDs of other network namespaces (nsid): struct rtgenmsg and its NETNSA_* attributes.

An nsid is valid only inside the namespace that assigned it. This file declares messages and ops; it
does not open namespaces. Numbers are from Linux 6.12 (linux/net_namespace.h), widths and signs from
rtnl_net_policy in net/core/net_namespace.c.
"""

from netlink.constants import NLM_F, KernelEnum
from netlink.family import Follow, Op
from netlink.route.rtnetlink import ROUTE, RTM, rtgenmsg
from netlink.schema import Named, s32, u32


class NETNSA_NSID(KernelEnum):
    """The value of NETNSA_NSID for a namespace without an ID."""

    NETNSA_NSID_NOT_ASSIGNED = -1


class NamespaceId(rtgenmsg):
    """The ID of a namespace: struct rtgenmsg and its NETNSA_* attributes.

    A request names the namespace by `nsid`, by a process (`pid`) or by a descriptor (`fd`). If the
    request has `target_nsid`, the `nsid` in the reply is valid in that namespace, and
    `current_nsid` is valid in the namespace of the socket.
    """

    nsid: Named[NETNSA_NSID | int | None] = s32(1, enum=NETNSA_NSID)
    pid: int | None = u32(2)
    fd: int | None = u32(3)
    target_nsid: int | None = s32(4)
    current_nsid: Named[NETNSA_NSID | int | None] = s32(5, enum=NETNSA_NSID)


get = Op(
    "nsid.get",
    RTM.RTM_GETNSID,
    NamespaceId,
    answer="one",
    follow=Follow(groups=("nsid",), key=("nsid",), new=RTM.RTM_NEWNSID, delete=RTM.RTM_DELNSID),
)
# The kernel chooses the ID if `nsid` is -1. The ID stays until one of the two namespaces is
# destroyed; no request replaces or deletes it (rtnl_net_newid).
new = Op("nsid.new", RTM.RTM_NEWNSID, NamespaceId, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)

ROUTE.add(get, new, messages={RTM.RTM_DELNSID: NamespaceId})
