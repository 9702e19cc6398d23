"""VFS_DQUOT: warnings that a user, a group or a project has more in a file system than it may.

Numbers are those of Linux 6.12 (linux/quota.h); what is sent is in fs/quota/netlink.c. The family
has one group and takes no requests:

    with Connection(dquot.FAMILY) as nl:
        nl.join("events")
        for warning in nl.events():
            print(warning.excess_id, warning.warning)

Hearing them takes no privilege, but the family is there in the initial network namespace alone:
from another one, open the connection there by `netns`.

A hard limit, and a time of grace that is over, are told once until usage is below again; a soft
limit when the time of grace begins (prepare_warning in fs/quota/dquot.c). Who has CAP_SYS_RESOURCE,
such as root, is under no hard limit.
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
    """Whose quota it is (linux/quota.h)."""

    USRQUOTA = 0
    GRPQUOTA = 1
    PRJQUOTA = 2


class QUOTA_NL(KernelEnum):
    """What has happened: I stands for inodes, that is files, and B for blocks (linux/quota.h).

    Above a hard limit nothing can be made any more. Above a soft one it can for a time of grace,
    and when that is over (SOFTLONG) nothing can either. BELOW says that usage is below again.
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

    `excess_id` is the user, group or project, as `qtype` says, whose quota it is, `caused_id` the
    user who did what led to it, both as the initial user namespace numbers them. The file system
    is that of the device dev_major:dev_minor.
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
