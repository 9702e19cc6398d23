"""audit: the kernel's audit log, its rules and its status (NETLINK_AUDIT).

This file contains messages, ops and plans, and no I/O. Numbers are from Linux 6.12 (linux/audit.h).
The behaviour is that of kernel/audit.c:

    with Connection(audit.FAMILY) as nl:
        print(nl.do(audit.get()).enabled)
        nl.do(audit.add_rule(fields=[("dir", "=", "/etc"), ("perm", "=", "wa")], key="etc"))
        nl.join("readlog")
        for record in nl.events():
            print(record.nlmsg_name, record.serial, record.text)

- The group "readlog" has all records, and any number of programs may join it. It requires
  CAP_AUDIT_READ. The records of an event have one serial number; the last one is AUDIT_EOE.
- One process of the machine may be the audit daemon. Then the kernel sends it all records, and
  waits for it. Nothing here becomes the daemon except the plan become_daemon().
- Status and rules require CAP_AUDIT_CONTROL. Outside of the initial user namespace the kernel
  refuses everything with ECONNREFUSED, and outside of the initial PID namespace with EPERM. Another
  network namespace can read the status, but gets no records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from netlink.constants import NETLINK, KernelEnum, KernelFlag
from netlink.family import Family, Op, Request, Steps, plan
from netlink.schema import Message, Named, binary, scalars, string, u32
from netlink.words import U32, Words


class AUDIT_NLGRP(KernelEnum):
    """Multicast groups."""

    AUDIT_NLGRP_READLOG = 1


class TYPE(KernelEnum, prefix="AUDIT_"):
    """Message types: requests up to 1019, and the types of records.

    Records of 1100 to 1199 come from programs. The kernel's header does not name them; the names
    are those of libaudit.
    """

    AUDIT_GET = 1000
    AUDIT_SET = 1001
    AUDIT_LIST = 1002
    AUDIT_ADD = 1003
    AUDIT_DEL = 1004
    AUDIT_USER = 1005
    AUDIT_LOGIN = 1006
    AUDIT_WATCH_INS = 1007
    AUDIT_WATCH_REM = 1008
    AUDIT_WATCH_LIST = 1009
    AUDIT_SIGNAL_INFO = 1010
    AUDIT_ADD_RULE = 1011
    AUDIT_DEL_RULE = 1012
    AUDIT_LIST_RULES = 1013
    AUDIT_TRIM = 1014
    AUDIT_MAKE_EQUIV = 1015
    AUDIT_TTY_GET = 1016
    AUDIT_TTY_SET = 1017
    AUDIT_SET_FEATURE = 1018
    AUDIT_GET_FEATURE = 1019
    AUDIT_USER_AUTH = 1100
    AUDIT_USER_ACCT = 1101
    AUDIT_USER_MGMT = 1102
    AUDIT_CRED_ACQ = 1103
    AUDIT_CRED_DISP = 1104
    AUDIT_USER_START = 1105
    AUDIT_USER_END = 1106
    AUDIT_USER_AVC = 1107
    AUDIT_USER_CHAUTHTOK = 1108
    AUDIT_USER_ERR = 1109
    AUDIT_CRED_REFR = 1110
    AUDIT_USYS_CONFIG = 1111
    AUDIT_USER_LOGIN = 1112
    AUDIT_USER_LOGOUT = 1113
    AUDIT_ADD_USER = 1114
    AUDIT_DEL_USER = 1115
    AUDIT_ADD_GROUP = 1116
    AUDIT_DEL_GROUP = 1117
    AUDIT_DAC_CHECK = 1118
    AUDIT_CHGRP_ID = 1119
    AUDIT_TEST = 1120
    AUDIT_TRUSTED_APP = 1121
    AUDIT_USER_SELINUX_ERR = 1122
    AUDIT_USER_CMD = 1123
    AUDIT_USER_TTY = 1124
    AUDIT_CHUSER_ID = 1125
    AUDIT_GRP_AUTH = 1126
    AUDIT_SYSTEM_BOOT = 1127
    AUDIT_SYSTEM_SHUTDOWN = 1128
    AUDIT_SYSTEM_RUNLEVEL = 1129
    AUDIT_SERVICE_START = 1130
    AUDIT_SERVICE_STOP = 1131
    AUDIT_GRP_MGMT = 1132
    AUDIT_GRP_CHAUTHTOK = 1133
    AUDIT_MAC_CHECK = 1134
    AUDIT_ACCT_LOCK = 1135
    AUDIT_ACCT_UNLOCK = 1136
    AUDIT_USER_DEVICE = 1137
    AUDIT_SOFTWARE_UPDATE = 1138
    AUDIT_DAEMON_START = 1200
    AUDIT_DAEMON_END = 1201
    AUDIT_DAEMON_ABORT = 1202
    AUDIT_DAEMON_CONFIG = 1203
    AUDIT_SYSCALL = 1300
    AUDIT_PATH = 1302
    AUDIT_IPC = 1303
    AUDIT_SOCKETCALL = 1304
    AUDIT_CONFIG_CHANGE = 1305
    AUDIT_SOCKADDR = 1306
    AUDIT_CWD = 1307
    AUDIT_EXECVE = 1309
    AUDIT_IPC_SET_PERM = 1311
    AUDIT_MQ_OPEN = 1312
    AUDIT_MQ_SENDRECV = 1313
    AUDIT_MQ_NOTIFY = 1314
    AUDIT_MQ_GETSETATTR = 1315
    AUDIT_KERNEL_OTHER = 1316
    AUDIT_FD_PAIR = 1317
    AUDIT_OBJ_PID = 1318
    AUDIT_TTY = 1319
    AUDIT_EOE = 1320
    AUDIT_BPRM_FCAPS = 1321
    AUDIT_CAPSET = 1322
    AUDIT_MMAP = 1323
    AUDIT_NETFILTER_PKT = 1324
    AUDIT_NETFILTER_CFG = 1325
    AUDIT_SECCOMP = 1326
    AUDIT_PROCTITLE = 1327
    AUDIT_FEATURE_CHANGE = 1328
    AUDIT_REPLACE = 1329
    AUDIT_KERN_MODULE = 1330
    AUDIT_FANOTIFY = 1331
    AUDIT_TIME_INJOFFSET = 1332
    AUDIT_TIME_ADJNTPVAL = 1333
    AUDIT_BPF = 1334
    AUDIT_EVENT_LISTENER = 1335
    AUDIT_URINGOP = 1336
    AUDIT_OPENAT2 = 1337
    AUDIT_DM_CTRL = 1338
    AUDIT_DM_EVENT = 1339
    AUDIT_AVC = 1400
    AUDIT_SELINUX_ERR = 1401
    AUDIT_AVC_PATH = 1402
    AUDIT_MAC_POLICY_LOAD = 1403
    AUDIT_MAC_STATUS = 1404
    AUDIT_MAC_CONFIG_CHANGE = 1405
    AUDIT_MAC_UNLBL_ALLOW = 1406
    AUDIT_MAC_CIPSOV4_ADD = 1407
    AUDIT_MAC_CIPSOV4_DEL = 1408
    AUDIT_MAC_MAP_ADD = 1409
    AUDIT_MAC_MAP_DEL = 1410
    AUDIT_MAC_IPSEC_ADDSA = 1411
    AUDIT_MAC_IPSEC_DELSA = 1412
    AUDIT_MAC_IPSEC_ADDSPD = 1413
    AUDIT_MAC_IPSEC_DELSPD = 1414
    AUDIT_MAC_IPSEC_EVENT = 1415
    AUDIT_MAC_UNLBL_STCADD = 1416
    AUDIT_MAC_UNLBL_STCDEL = 1417
    AUDIT_MAC_CALIPSO_ADD = 1418
    AUDIT_MAC_CALIPSO_DEL = 1419
    AUDIT_IPE_ACCESS = 1420
    AUDIT_IPE_CONFIG_CHANGE = 1421
    AUDIT_IPE_POLICY_LOAD = 1422
    AUDIT_LANDLOCK_ACCESS = 1423
    AUDIT_LANDLOCK_DOMAIN = 1424
    AUDIT_MAC_TASK_CONTEXTS = 1425
    AUDIT_MAC_OBJ_CONTEXTS = 1426
    AUDIT_ANOM_PROMISCUOUS = 1700
    AUDIT_ANOM_ABEND = 1701
    AUDIT_ANOM_LINK = 1702
    AUDIT_ANOM_CREAT = 1703
    AUDIT_INTEGRITY_DATA = 1800
    AUDIT_INTEGRITY_METADATA = 1801
    AUDIT_INTEGRITY_STATUS = 1802
    AUDIT_INTEGRITY_HASH = 1803
    AUDIT_INTEGRITY_PCR = 1804
    AUDIT_INTEGRITY_RULE = 1805
    AUDIT_INTEGRITY_EVM_XATTR = 1806
    AUDIT_INTEGRITY_POLICY_RULE = 1807
    AUDIT_INTEGRITY_USERSPACE = 1808
    AUDIT_KERNEL = 2000


class FIELD(KernelEnum, prefix="AUDIT_"):
    """What a rule compares."""

    AUDIT_PID = 0
    AUDIT_UID = 1
    AUDIT_EUID = 2
    AUDIT_SUID = 3
    AUDIT_FSUID = 4
    AUDIT_GID = 5
    AUDIT_EGID = 6
    AUDIT_SGID = 7
    AUDIT_FSGID = 8
    AUDIT_LOGINUID = 9
    AUDIT_PERS = 10
    AUDIT_ARCH = 11
    AUDIT_MSGTYPE = 12
    AUDIT_SUBJ_USER = 13
    AUDIT_SUBJ_ROLE = 14
    AUDIT_SUBJ_TYPE = 15
    AUDIT_SUBJ_SEN = 16
    AUDIT_SUBJ_CLR = 17
    AUDIT_PPID = 18
    AUDIT_OBJ_USER = 19
    AUDIT_OBJ_ROLE = 20
    AUDIT_OBJ_TYPE = 21
    AUDIT_OBJ_LEV_LOW = 22
    AUDIT_OBJ_LEV_HIGH = 23
    AUDIT_LOGINUID_SET = 24
    AUDIT_SESSIONID = 25
    AUDIT_FSTYPE = 26
    AUDIT_DEVMAJOR = 100
    AUDIT_DEVMINOR = 101
    AUDIT_INODE = 102
    AUDIT_EXIT = 103
    AUDIT_SUCCESS = 104
    AUDIT_WATCH = 105
    AUDIT_PERM = 106
    AUDIT_DIR = 107
    AUDIT_FILETYPE = 108
    AUDIT_OBJ_UID = 109
    AUDIT_OBJ_GID = 110
    AUDIT_FIELD_COMPARE = 111
    AUDIT_EXE = 112
    AUDIT_SADDR_FAM = 113
    AUDIT_ARG0 = 200
    AUDIT_ARG1 = 201
    AUDIT_ARG2 = 202
    AUDIT_ARG3 = 203
    AUDIT_FILTERKEY = 210


class FILTER(KernelEnum, prefix="AUDIT_FILTER_"):
    """The list of a rule: when the kernel looks at it."""

    AUDIT_FILTER_USER = 0
    AUDIT_FILTER_TASK = 1
    AUDIT_FILTER_ENTRY = 2
    AUDIT_FILTER_WATCH = 3
    AUDIT_FILTER_EXIT = 4
    AUDIT_FILTER_EXCLUDE = 5
    AUDIT_FILTER_FS = 6
    AUDIT_FILTER_URING_EXIT = 7


class ACTION(KernelEnum, prefix="AUDIT_"):
    """What a rule does."""

    AUDIT_NEVER = 0
    AUDIT_POSSIBLE = 1
    AUDIT_ALWAYS = 2


class OPERATOR(KernelEnum, prefix="AUDIT_"):
    """How a rule compares: bits of fieldflags."""

    AUDIT_BIT_MASK = 134217728
    AUDIT_LESS_THAN = 268435456
    AUDIT_GREATER_THAN = 536870912
    AUDIT_NOT_EQUAL = 805306368
    AUDIT_EQUAL = 1073741824
    AUDIT_BIT_TEST = 1207959552
    AUDIT_LESS_THAN_OR_EQUAL = 1342177280
    AUDIT_GREATER_THAN_OR_EQUAL = 1610612736


class STATUS(KernelFlag, prefix="AUDIT_STATUS_"):
    """Members of audit_status that a change sets."""

    AUDIT_STATUS_ENABLED = 1
    AUDIT_STATUS_FAILURE = 2
    AUDIT_STATUS_PID = 4
    AUDIT_STATUS_RATE_LIMIT = 8
    AUDIT_STATUS_BACKLOG_LIMIT = 16
    AUDIT_STATUS_BACKLOG_WAIT_TIME = 32
    AUDIT_STATUS_LOST = 64
    AUDIT_STATUS_BACKLOG_WAIT_TIME_ACTUAL = 128


class FAIL(KernelEnum, prefix="AUDIT_FAIL_"):
    """What the kernel does if it loses a record."""

    AUDIT_FAIL_SILENT = 0
    AUDIT_FAIL_PRINTK = 1
    AUDIT_FAIL_PANIC = 2


class PERM(KernelFlag, prefix="AUDIT_PERM_"):
    """Kinds of access to a file."""

    AUDIT_PERM_EXEC = 1
    AUDIT_PERM_WRITE = 2
    AUDIT_PERM_READ = 4
    AUDIT_PERM_ATTR = 8


class FEATURE_BITMAP(KernelFlag, prefix="AUDIT_FEATURE_BITMAP_"):
    """What the kernel supports."""

    AUDIT_FEATURE_BITMAP_BACKLOG_LIMIT = 1
    AUDIT_FEATURE_BITMAP_BACKLOG_WAIT_TIME = 2
    AUDIT_FEATURE_BITMAP_EXECUTABLE_PATH = 4
    AUDIT_FEATURE_BITMAP_EXCLUDE_EXTEND = 8
    AUDIT_FEATURE_BITMAP_SESSIONID_FILTER = 16
    AUDIT_FEATURE_BITMAP_LOST_RESET = 32
    AUDIT_FEATURE_BITMAP_FILTER_FS = 64


# --- messages -------------------------------------------------------------------------------------


class Empty(Message):
    """A request without a body."""


class audit_status(Message):
    """struct audit_status. A change sets the members that `mask` names.

    `enabled` is 0, 1, or 2 (locked until the next boot). `pid` is that of the audit daemon, or 0.
    `lost` is the number of lost records, `backlog` that of records that wait. `rate_limit` is
    records a second. The times are jiffies (backlog_wait_time), and their sum.
    """

    mask: Named[STATUS] = u32(enum=STATUS)
    enabled: int = u32()
    failure: Named[FAIL | int] = u32(enum=FAIL)
    pid: int = u32()
    rate_limit: int = u32()
    backlog_limit: int = u32()
    lost: int = u32()
    backlog: int = u32()
    feature_bitmap: Named[FEATURE_BITMAP | None] = u32(enum=FEATURE_BITMAP)
    backlog_wait_time: int | None = u32()
    backlog_wait_time_actual: int | None = u32()


class audit_features(Message):
    """struct audit_features: bits that are on, and those that cannot be changed any more.

    Bit 0 is "only_unset_loginuid", bit 1 "loginuid_immutable".
    """

    vers: int = u32()
    mask: int = u32()
    features: int = u32()
    lock: int = u32()


class audit_tty_status(Message):
    """struct audit_tty_status: whether the terminal input of this process is recorded."""

    enabled: int = u32()
    log_passwd: int = u32()


class Condition(NamedTuple):
    """One comparison of a rule: a field, an operator such as "=" or ">=", and a value."""

    field: FIELD | int
    operator: str
    value: int | str


class audit_rule_data(Message):
    """struct audit_rule_data: a rule. `conditions` are its comparisons, all of which must be true.

    `mask` has a bit for each system call. The texts of the comparisons follow in `buf`.
    """

    flags: int = u32()
    action: Named[ACTION | int] = u32(enum=ACTION)
    field_count: int = u32()
    mask: tuple[int, ...] = scalars(u32(), length=64)
    fields: tuple[int, ...] = scalars(u32(), length=64)
    values: tuple[int, ...] = scalars(u32(), length=64)
    fieldflags: tuple[int, ...] = scalars(u32(), length=64)
    buflen: int = u32()
    buf: bytes = binary()

    @property
    def filter(self) -> FILTER | int:
        """The list of the rule."""
        number = self.flags & ~PREPEND
        return FILTER(number) if number in {*FILTER} else number

    @property
    def syscalls(self) -> tuple[int, ...] | None:
        """The numbers of the system calls, or None for all of them."""
        words = self.mask
        if all(word == U32 for word in words[:-1]):
            return None
        return tuple(bit for bit in range(32 * 64) if words[bit // 32] >> bit % 32 & 1)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The comparisons of the rule. The value of a text field is text."""
        texts, found = self.buf, []
        for place in range(min(self.field_count, MAX_FIELDS)):
            number, value = self.fields[place], self.values[place]
            field = FIELD(number) if number in {*FIELD} else number
            flags = self.fieldflags[place]
            shown = next((word for word, bits in OPERATORS.items() if bits == flags), hex(flags))
            if field in TEXTS:
                text, texts = texts[:value], texts[value:]
                found.append(Condition(field, shown, text.decode("utf-8", "surrogateescape")))
            else:
                found.append(Condition(field, shown, value))
        return tuple(found)


class Record(Message):
    """One record of the log: text, with any bytes as surrogate escapes.

    A text begins with "audit(seconds.milliseconds:serial): ".
    """

    text: str = string()

    @property
    def serial(self) -> int | None:
        """The number of the event that the record belongs to."""
        found = STAMP.match(self.text)
        return int(found[3]) if found else None

    @property
    def time_ms(self) -> int | None:
        """The time of the event, in milliseconds since 1970."""
        found = STAMP.match(self.text)
        return int(found[1]) * 1000 + int(found[2]) if found else None

    @property
    def fields(self) -> dict[str, str]:
        """The fields, KEY=VALUE, without the quotes around values.

        The kernel writes a value without quotes in hexadecimal if it has special characters. The
        text does not tell which fields these are.
        """
        return {key: value.strip("\"'") for key, value in PAIR.findall(STAMP.sub("", self.text))}


STAMP = re.compile(r"audit\((\d+)\.(\d+):(\d+)\): ?")
PAIR = re.compile(r"""([\w-]+)=("[^"]*"|'[^']*'|\S*)""")
PREPEND = 0x10  # AUDIT_FILTER_PREPEND
MAX_FIELDS = 64  # AUDIT_MAX_FIELDS
MAX_KEY_LEN = 256  # AUDIT_MAX_KEY_LEN


# --- ops ------------------------------------------------------------------------------------------


class _Change(Op[..., None, Any]):
    """The op `set`: refuses to make this process the audit daemon."""

    __slots__ = ()

    def __call__(self, *args: Any, **fields: Any) -> Request[None, Any]:
        request = super().__call__(*args, **fields)
        if request.message.mask & STATUS.AUDIT_STATUS_PID:
            raise TypeError(
                f"{self.name}() does not set pid, which would make this process the audit daemon "
                f"of the machine; to do that, execute become_daemon()"
            )
        return request


# The answers come after the ACK (audit_send_reply_thread).
get = Op(
    "audit.get", TYPE.AUDIT_GET, Empty, reply=audit_status, answer="one", ends="answer", dumps=False
)
set = _Change("audit.set", TYPE.AUDIT_SET, audit_status)
set_daemon = Op("audit.set_daemon", TYPE.AUDIT_SET, audit_status)
get_feature = Op(
    "audit.get_feature", TYPE.AUDIT_GET_FEATURE, Empty, reply=audit_features, answer="one",
    ends="answer", dumps=False,
)  # fmt: skip
set_feature = Op("audit.set_feature", TYPE.AUDIT_SET_FEATURE, audit_features)
get_tty = Op(
    "audit.get_tty",
    TYPE.AUDIT_TTY_GET,
    Empty,
    reply=audit_tty_status,
    answer="one",
    ends="answer",
    dumps=False,
)
set_tty = Op("audit.set_tty", TYPE.AUDIT_TTY_SET, audit_tty_status)
# Not a dump with NLM_F_DUMP, but its answer ends with NLMSG_DONE like one.
list_rules = Op(
    "audit.list_rules", TYPE.AUDIT_LIST_RULES, Empty, reply=audit_rule_data, answer="several",
    ends="done",
)  # fmt: skip
new_rule = Op("audit.new_rule", TYPE.AUDIT_ADD_RULE, audit_rule_data)
delete_rule = Op("audit.delete_rule", TYPE.AUDIT_DEL_RULE, audit_rule_data)
# A record of a program. It requires CAP_AUDIT_WRITE.
write = Op("audit.write", TYPE.AUDIT_USER, Record)

RECORDS = [number for number in TYPE if number >= 1100]

FAMILY = Family(
    "audit",
    protocol=NETLINK.NETLINK_AUDIT,
    framing="audit",
    types=TYPE,
    ops=(
        get, set, set_daemon, get_feature, set_feature, get_tty, set_tty, list_rules, new_rule,
        delete_rule, write,
    ),
    messages={
        **dict.fromkeys(RECORDS, Record), TYPE.AUDIT_USER: Record, TYPE.AUDIT_LOGIN: Record,
    },
    groups=AUDIT_NLGRP,
    group_prefix="AUDIT_NLGRP_",
)  # fmt: skip


# --- plans ----------------------------------------------------------------------------------------

TEXTS = (
    FIELD.AUDIT_SUBJ_USER, FIELD.AUDIT_SUBJ_ROLE, FIELD.AUDIT_SUBJ_TYPE, FIELD.AUDIT_SUBJ_SEN,
    FIELD.AUDIT_SUBJ_CLR, FIELD.AUDIT_OBJ_USER, FIELD.AUDIT_OBJ_ROLE, FIELD.AUDIT_OBJ_TYPE,
    FIELD.AUDIT_OBJ_LEV_LOW, FIELD.AUDIT_OBJ_LEV_HIGH, FIELD.AUDIT_WATCH, FIELD.AUDIT_DIR,
    FIELD.AUDIT_EXE, FIELD.AUDIT_FILTERKEY,
)  # fmt: skip
OPERATORS = {
    "=": OPERATOR.AUDIT_EQUAL, "!=": OPERATOR.AUDIT_NOT_EQUAL, "<": OPERATOR.AUDIT_LESS_THAN,
    ">": OPERATOR.AUDIT_GREATER_THAN, "<=": OPERATOR.AUDIT_LESS_THAN_OR_EQUAL,
    ">=": OPERATOR.AUDIT_GREATER_THAN_OR_EQUAL, "&": OPERATOR.AUDIT_BIT_MASK,
    "&=": OPERATOR.AUDIT_BIT_TEST,
}  # fmt: skip
PARTS = ("field", "operator", "value")
PERMISSIONS = {
    "x": PERM.AUDIT_PERM_EXEC, "w": PERM.AUDIT_PERM_WRITE, "r": PERM.AUDIT_PERM_READ,
    "a": PERM.AUDIT_PERM_ATTR,
}  # fmt: skip


@plan
def change(
    *,
    enabled: bool | None = None,
    failure: FAIL | int | str | None = None,
    rate_limit: int | None = None,
    backlog_limit: int | None = None,
    backlog_wait_time: int | None = None,
) -> Steps[None]:
    """Change settings of the audit system; the others stay as they are.

    `failure` is what happens if a record is lost: "silent", "printk" or "panic". `rate_limit` is
    records a second, 0 without a limit. `backlog_limit` is records, and `backlog_wait_time`
    jiffies. Raises KernelError: EPERM without CAP_AUDIT_CONTROL, or if the settings are locked.
    """
    words = Words("audit.change", locals())
    switch = words.switch("enabled")
    fields = {
        "enabled": None if switch is None else int(switch),
        "failure": words.number("failure", FAIL, 2),
        "rate_limit": words.integer("rate_limit"),
        "backlog_limit": words.integer("backlog_limit"),
        "backlog_wait_time": words.integer("backlog_wait_time"),
    }
    given = {name: value for name, value in fields.items() if value is not None}
    if not given:
        words.refuse(f"needs something to change: {', '.join(fields)}")
    mask = STATUS(0)
    for name in given:
        mask |= STATUS[f"AUDIT_STATUS_{name.upper()}"]
    yield set(mask=mask, **given)


@plan
def add_rule(
    *,
    fields: Iterable[tuple[str, str, int | str]] = (),
    syscalls: Iterable[int] | None = None,
    on: FILTER | int | str = "exit",
    action: ACTION | int | str = "always",
    key: str | None = None,
    first: bool = False,
) -> Steps[None]:
    """Add a rule. It applies if all comparisons of `fields` are true.

    A comparison is a tuple such as ("uid", "=", 0), ("exe", "=", "/bin/su") or ("perm", "=", "wa").
    Its operator is one of =, !=, <, >, <=, >=, & and &=. `syscalls` are numbers of system calls for
    this machine; None means all. `on` is the list: "exit", "user", "exclude", "task", "fs" or
    "uring_exit". `key` is a text in the records. With `first`, the rule goes before all others.

    A rule without `fields` and `syscalls` records every system call, so it is refused. Raises
    KernelError: EEXIST if there is such a rule, EINVAL if the list does not know a field, EPERM
    without CAP_AUDIT_CONTROL.
    """
    yield new_rule(**_rule(Words("audit.add_rule", locals())))


@plan
def remove_rule(
    *,
    fields: Iterable[tuple[str, str, int | str]] = (),
    syscalls: Iterable[int] | None = None,
    on: FILTER | int | str = "exit",
    action: ACTION | int | str = "always",
    key: str | None = None,
) -> Steps[None]:
    """Remove the rule that add_rule() with these arguments added.

    To remove a rule of list_rules(), pass it on: `delete_rule(**rule.to_dict())`. Raises
    KernelError: ENOENT if there is no such rule.
    """
    yield delete_rule(**_rule(Words("audit.remove_rule", {**locals(), "first": False})))


@plan
def become_daemon(pid: int) -> Steps[None]:
    """Make this process the audit daemon of the machine: it gets every record on this connection.

    `pid` must be os.getpid(). There is one daemon at a time. The kernel holds records back for it,
    so it must read them all. events() yields the records, without a group. Execute stop_daemon()
    before closing. Raises KernelError: EEXIST if there is a daemon, EINVAL for another pid, EPERM
    without CAP_AUDIT_CONTROL.
    """
    number = Words("audit.become_daemon", locals()).integer("pid", 1)
    if number is None:
        raise TypeError("audit.become_daemon() needs a pid: that of this process")
    yield set_daemon(mask=STATUS.AUDIT_STATUS_PID, pid=number)


@plan
def stop_daemon() -> Steps[None]:
    """Be the audit daemon no more. Raises KernelError: EACCES if another process is the daemon."""
    yield set_daemon(mask=STATUS.AUDIT_STATUS_PID, pid=0)


def _rule(words: Words) -> dict[str, Any]:
    """Return the fields of an audit_rule_data."""
    conditions = [*_conditions(words)]
    calls = words.given["syscalls"]
    if calls is None and not conditions:
        words.refuse("needs fields or syscalls: without, it would record every system call")
    key = words.text("key", MAX_KEY_LEN)
    if key is not None:
        conditions.append((FIELD.AUDIT_FILTERKEY, OPERATOR.AUDIT_EQUAL, key))
    if len(conditions) > MAX_FIELDS:
        raise words.wrong("fields", f"a rule has at most {MAX_FIELDS} comparisons")
    mask = [U32] * 64
    if calls is not None:
        mask = [0] * 64
        for call in _calls(words, calls):
            mask[call // 32] |= 1 << call % 32
    numbers, texts = [], b""
    for _, _, value in conditions:
        if isinstance(value, str):
            text = value.encode("utf-8", "surrogateescape")
            texts += text
            value = len(text)
        numbers.append(value)
    zeros = [0] * (MAX_FIELDS - len(conditions))
    number = words.number("on", FILTER, 7)
    return {
        "flags": (number or 0) | (PREPEND if words.switch("first") else 0),
        "action": words.number("action", ACTION, 2),
        "field_count": len(conditions),
        "mask": mask,
        "fields": [*(int(field) for field, _, _ in conditions), *zeros],
        "values": [*numbers, *zeros],
        "fieldflags": [*(int(operator) for _, operator, _ in conditions), *zeros],
        "buflen": len(texts),
        "buf": texts,
    }


def _calls(words: Words, calls: Any) -> Iterator[int]:
    if isinstance(calls, str | bytes) or not isinstance(calls, Iterable):
        raise words.expected("syscalls", "numbers of system calls, such as [59, 322]")
    for call in calls:
        if type(call) is not int or not 0 <= call < 32 * 63:
            raise words.wrong("syscalls", f"expected numbers from 0 to {32 * 63 - 1}, got {call!r}")
        yield call


def _conditions(words: Words) -> Iterator[tuple[FIELD, OPERATOR, int | str]]:
    given = words.given["fields"]
    if not isinstance(given, (list, tuple)):
        raise words.expected("fields", "a list of comparisons, such as [('uid', '=', 0)]")
    for place, row in enumerate(given):
        at = f"fields[{place}]"
        if not isinstance(row, tuple) or len(row) != 3:
            raise words.wrong(at, f"expected (field, operator, value), got {row!r}")
        inner = Words(f"{words.place}.{at}", dict(zip(PARTS, row, strict=True)))
        number = inner.number("field", FIELD, 255)
        if number is None or number not in {*FIELD}:
            raise inner.expected("field", "the name of a field, such as 'uid'")
        field = FIELD(number)
        if row[1] not in OPERATORS:
            raise inner.expected("operator", f"one of {' '.join(OPERATORS)}")
        yield field, OPERATORS[row[1]], _value(inner, field)


def _value(words: Words, field: FIELD) -> int | str:
    """Return the value of a comparison, as the kind of field needs it."""
    value = words.given["value"]
    if field in TEXTS:
        text = words.text("value")
        if text is None:
            raise words.expected("value", "a str")
        return text
    if field is FIELD.AUDIT_PERM and isinstance(value, str):
        unknown = [letter for letter in value if letter not in PERMISSIONS]
        if unknown or not value:
            raise words.expected("value", "letters of 'rwxa'")
        return sum({PERMISSIONS[letter] for letter in value})
    if isinstance(value, bool) or not isinstance(value, int) or not -(1 << 31) <= value <= U32:
        raise words.expected("value", "an int of 32 bits")
    return value & U32
