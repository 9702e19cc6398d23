"""VFS_DQUOT: warnings when a user, a group or a project exceeds its quota in a file system.

Numbers are those of Linux 6.12 (linux/quota.h). fs/quota/netlink.c sends the messages. The family
has one group and accepts no requests:

    with Connection(dquot.FAMILY) as nl:
        nl.join("events")
        for warning in nl.events():
            print(warning.excess_id, warning.warning)

Receiving warnings requires no privilege, but the family exists in the initial network namespace
only. In another namespace, open the connection in the initial one with `netns`.

The kernel reports a hard limit, and the end of a grace period, once until the usage falls below the
limit. It reports a soft limit when the grace period starts (prepare_warning in fs/quota/dquot.c).
Hard limits do not apply to processes with CAP_SYS_RESOURCE, such as root.
"""

from __future__ import annotations

from netlink.constants import KernelEnum
from netlink.family import Family
from netlink.schema import Message, Named, u32, u64

GENL_ID_VFS_DQUOT = 17  # fixed, unlike that of most families (linux/genetlink.h)


class QUOTA_NL_C(KernelEnum):
    """Commands: enum in linux/quota.h."""

    QUOTA_NL_C_WARNING = 1


class QTYPE(KernelEnum, prefix=""):
    """The type of the owner of a quota (linux/quota.h)."""

    USRQUOTA = 0
    GRPQUOTA = 1
    PRJQUOTA = 2


class QUOTA_NL(KernelEnum):
    """The reason of a warning: I means inodes (files), B means blocks (linux/quota.h).

    At the hard limit the kernel refuses further use. Above the soft limit it allows use for a grace
    period, and refuses it after that (SOFTLONG). BELOW means that the usage fell below the limit.
    """

    QUOTA_NL_NOWARN = 0
    QUOTA_NL_IHARDWARN = 1
    QUOTA_NL_ISOFTLONGWARN = 2
    QUOTA_NL_ISOFTWARN = 3
    QUOTA_NL_BHARDWARN = 4
    QUOTA_NL_BSOFTLONGWARN = 5
    QUOTA_NL_BSOFTWARN = 6
    QUOTA_NL_IHARDBELOW = 7
    QUOTA_NL_ISOFTBELOW = 8
    QUOTA_NL_BHARDBELOW = 9
    QUOTA_NL_BSOFTBELOW = 10


class QuotaWarning(Message):
    """One warning: QUOTA_NL_A_* attributes (linux/quota.h).

    `excess_id` is the owner of the quota: a user, a group or a project, as `qtype` says.
    `caused_id` is the user who caused the warning. Both are IDs in the initial user namespace.
    dev_major and dev_minor are the device of the file system.
    """

    qtype: Named[QTYPE | int | None] = u32(1, enum=QTYPE)
    excess_id: int | None = u64(2)
    warning: Named[QUOTA_NL | int | None] = u32(3, enum=QUOTA_NL)
    dev_major: int | None = u32(4)
    dev_minor: int | None = u32(5)
    caused_id: int | None = u64(6)


FAMILY = Family(
    "VFS_DQUOT",
    id=GENL_ID_VFS_DQUOT,
    types=QUOTA_NL_C,
    ops=(),
    groups=("events",),
    messages=QuotaWarning,
)
