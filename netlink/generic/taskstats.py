"""taskstats: what tasks have used of the machine, asked for or told at their exit; cgroupstats.

Numbers are those of Linux 6.12 and the members that 6.18 adds (linux/taskstats.h,
linux/cgroupstats.h); behaviour is that of kernel/taskstats.c. A process, and each task (thread) of
it, can be asked about by anyone with CAP_NET_ADMIN over the initial user namespace:

    with Connection(taskstats.FAMILY) as nl:
        print(nl.do(taskstats.of_pid(1)).ac_comm)

Exits are events, though of no group: the kernel sends them to the port that listens to a CPU.

    with Connection(taskstats.FAMILY) as nl:
        nl.do(taskstats.listen(Path("/sys/devices/system/cpu/possible").read_text()))
        for event in nl.events():
            print(event.aggr_pid.stats.ac_comm)

- An exit is told to those who listen to the CPU that the task ends on. The last task of a process
  that had several brings `aggr_tgid` too, with what all of them used.
- Only sockets in the initial network namespace are sent events (init_net in send_cpu_listeners):
  from another one, open the connection there by `netns`. Who listens must be in the initial user
  and process namespaces too; all others get EINVAL (add_del_listener).
- When the receive buffer is full, exits are lost, and an Overrun among the events says so. The
  kernel goes on sending (only ECONNREFUSED, a port that is gone, makes it forget a listener).
- Closing a connection ends its listening, but only with the next exit on each CPU: until then
  another socket could get its port, and its events. `unlisten` before closing avoids that.
"""

from __future__ import annotations

from collections.abc import Iterable

from netlink.constants import KernelEnum, KernelFlag
from netlink.family import Family, Op, Steps, plan
from netlink.schema import (
    Message,
    Named,
    Nested,
    flag,
    nest,
    pad,
    s8,
    string,
    struct,
    u8,
    u16,
    u32,
    u64,
)


class TASKSTATS_CMD(KernelEnum, prefix=("TASKSTATS_CMD_", "")):
    """Commands: enums in linux/taskstats.h and linux/cgroupstats.h."""

    TASKSTATS_CMD_GET = 1
    TASKSTATS_CMD_NEW = 2
    CGROUPSTATS_CMD_GET = 4
    CGROUPSTATS_CMD_NEW = 5


class AC_FLAG(KernelFlag, prefix="A"):
    """What an accounting record says of a task (linux/acct.h)."""

    AFORK = 0x01  # forked, but never called exec
    ASU = 0x02  # used the rights of the superuser
    ACOMPAT = 0x04
    ACORE = 0x08  # dumped core
    AXSIG = 0x10  # was killed by a signal
    AGROUP = 0x20  # was the last task of its process (version 12)


class SCHED(KernelEnum):
    """Scheduling policies (linux/sched.h)."""

    SCHED_NORMAL = 0
    SCHED_FIFO = 1
    SCHED_RR = 2
    SCHED_BATCH = 3
    SCHED_IDLE = 5
    SCHED_DEADLINE = 6
    SCHED_EXT = 7


class taskstats(Message):
    """struct taskstats (linux/taskstats.h), which grows every few releases.

    Of a process (`aggr_tgid`) the kernel sums up delays, ac_etime, ac_utime, ac_stime, nvcsw and
    nivcsw; all else is 0 there. Of delays, *_count says how often a task waited, *_delay_total for
    how long, *_delay_max and *_delay_min the longest and shortest time, all in nanoseconds. But for
    those of waiting for a CPU they are 0 as long as delay accounting is off (kernel.task_delayacct,
    or "delayacct" on the kernel's command line).

    Members behind the end of what an older kernel sends read None. Version 15, of the first
    releases of 6.14 alone, has other members in the middle: of it only what stands before
    blkio_count is right.
    """

    version: int = u16()
    _pad0 = pad(2)
    ac_exitcode: int = u32()  # a wait status: os.waitstatus_to_exitcode()
    ac_flag: Named[AC_FLAG | int] = u8(enum=AC_FLAG)
    ac_nice: int = s8()
    _pad1 = pad(6)
    cpu_count: int = u64()  # delays: runnable, waiting for a CPU
    cpu_delay_total: int = u64()
    blkio_count: int = u64()  # waiting for synchronous block I/O
    blkio_delay_total: int = u64()
    swapin_count: int = u64()  # waiting for a page to be swapped in
    swapin_delay_total: int = u64()
    cpu_run_real_total: int = u64()  # ns that it ran
    cpu_run_virtual_total: int = u64()  # ns, without what a hypervisor took
    ac_comm: str = string(size=32)  # the command's name
    ac_sched: Named[SCHED | int] = u8(enum=SCHED)
    _pad2 = pad(7)
    ac_uid: int = u32()
    ac_gid: int = u32()
    ac_pid: int = u32()
    ac_ppid: int = u32()
    ac_btime: int = u32()  # begin, seconds since 1970
    _pad3 = pad(4)
    ac_etime: int = u64()  # us since the task began
    ac_utime: int = u64()  # us of CPU time in user space
    ac_stime: int = u64()  # us of CPU time in the kernel
    ac_minflt: int = u64()  # page faults without I/O
    ac_majflt: int = u64()  # page faults with I/O
    coremem: int = u64()  # resident memory over time, MB * us of system time
    virtmem: int = u64()  # virtual memory over time, MB * us of system time
    hiwater_rss: int = u64()  # KB: most resident memory
    hiwater_vm: int = u64()  # KB: most virtual memory
    read_char: int = u64()  # bytes that system calls read, caches and pipes included
    write_char: int = u64()  # bytes that they wrote
    read_syscalls: int = u64()
    write_syscalls: int = u64()
    read_bytes: int = u64()  # bytes that storage was asked for
    write_bytes: int = u64()  # bytes that storage is to get
    cancelled_write_bytes: int = u64()  # of those, what was truncated away in time
    nvcsw: int = u64()  # voluntary context switches
    nivcsw: int = u64()  # involuntary ones
    ac_utimescaled: int = u64()  # us, scaled to the CPU's frequency where it can be
    ac_stimescaled: int = u64()  # us
    cpu_scaled_run_real_total: int = u64()  # ns
    freepages_count: int | None = u64()  # delays: reclaiming memory
    freepages_delay_total: int | None = u64()
    thrashing_count: int | None = u64()  # reading pages back that were just reclaimed
    thrashing_delay_total: int | None = u64()
    ac_btime64: int | None = u64()  # version 10: begin, seconds since 1970
    compact_count: int | None = u64()  # version 11: compacting memory
    compact_delay_total: int | None = u64()
    ac_tgid: int | None = u32()  # version 12: the process
    _pad4 = pad(4)
    ac_tgetime: int | None = u64()  # us since the process began
    ac_exe_dev: int | None = u64()  # device and inode of the program, 0 for kernel threads
    ac_exe_inode: int | None = u64()
    wpcopy_count: int | None = u64()  # version 13: copying a page at the first write
    wpcopy_delay_total: int | None = u64()
    irq_count: int | None = u64()  # version 14: stopped by interrupts
    irq_delay_total: int | None = u64()
    cpu_delay_max: int | None = u64()  # version 16
    cpu_delay_min: int | None = u64()
    blkio_delay_max: int | None = u64()
    blkio_delay_min: int | None = u64()
    swapin_delay_max: int | None = u64()
    swapin_delay_min: int | None = u64()
    freepages_delay_max: int | None = u64()
    freepages_delay_min: int | None = u64()
    thrashing_delay_max: int | None = u64()
    thrashing_delay_min: int | None = u64()
    compact_delay_max: int | None = u64()
    compact_delay_min: int | None = u64()
    wpcopy_delay_max: int | None = u64()
    wpcopy_delay_min: int | None = u64()
    irq_delay_max: int | None = u64()
    irq_delay_min: int | None = u64()


class cgroupstats(Message):
    """struct cgroupstats (linux/cgroupstats.h): how many tasks of a cgroup are in which state."""

    nr_sleeping: int = u64()
    nr_running: int = u64()
    nr_stopped: int = u64()
    nr_uninterruptible: int = u64()
    nr_io_wait: int = u64()


class TaskQuery(Message):
    """What to ask, or listen to: TASKSTATS_CMD_ATTR_*. The kernel looks at one attribute only.

    CPU masks are lists as of cpuset(7): "0-3,8".
    """

    pid: int | None = u32(1)
    tgid: int | None = u32(2)
    register_cpumask: str | None = string(3)
    deregister_cpumask: str | None = string(4)


class Aggregate(Message):
    """A task or a process and its statistics: TASKSTATS_TYPE_*."""

    pid: int | None = u32(1)
    tgid: int | None = u32(2)
    stats: Nested[taskstats] = struct(3, taskstats)
    null: bool = flag(6)  # aligns `stats` to 8 bytes, where that matters (nla_reserve_64bit)


class TaskStats(Message):
    """An answer or an exit: TASKSTATS_TYPE_*."""

    aggr_pid: Nested[Aggregate] = nest(4, Aggregate)
    aggr_tgid: Nested[Aggregate] = nest(5, Aggregate)


class CgroupQuery(Message):
    """A cgroup, by a descriptor of its directory: CGROUPSTATS_CMD_ATTR_*."""

    fd: int | None = u32(1)


class CgroupStats(Message):
    """The answer: CGROUPSTATS_TYPE_*."""

    cgroup_stats: Nested[cgroupstats] = struct(1, cgroupstats)


# One command has two uses: a question about a task, and a listener's registration of CPUs.
get = Op(
    "taskstats.get",
    TASKSTATS_CMD.TASKSTATS_CMD_GET,
    TaskQuery,
    reply=TaskStats,
    answer="one",
    dumps=False,
)
register = Op("taskstats.register", TASKSTATS_CMD.TASKSTATS_CMD_GET, TaskQuery)
get_cgroup = Op(
    "taskstats.get_cgroup",
    TASKSTATS_CMD.CGROUPSTATS_CMD_GET,
    CgroupQuery,
    reply=CgroupStats,
    answer="optional",  # the kernel ignores a number that is not an open file
    dumps=False,
)

FAMILY = Family(
    "TASKSTATS",
    types=TASKSTATS_CMD,
    ops=(get, register, get_cgroup),
    messages={
        TASKSTATS_CMD.TASKSTATS_CMD_NEW: TaskStats,
        TASKSTATS_CMD.CGROUPSTATS_CMD_NEW: CgroupStats,
    },
)


# --- plans ----------------------------------------------------------------------------------------


@plan
def of_pid(pid: int) -> Steps[taskstats]:
    """What one task, that is a thread, has used until now; the first of a process has its pid.

    KernelError ESRCH where there is none, EPERM without CAP_NET_ADMIN over the initial user
    namespace.
    """
    answer: TaskStats = yield get(pid=pid)
    return _stats(answer.aggr_pid)


@plan
def of_tgid(tgid: int) -> Steps[taskstats]:
    """What a process has used until now: the sum of its tasks, those that have ended included.

    What is not summed up reads 0: see taskstats. KernelError as for of_pid.
    """
    answer: TaskStats = yield get(tgid=tgid)
    return _stats(answer.aggr_tgid)


def _stats(part: Aggregate | None) -> taskstats:
    assert part is not None  # mk_reply, of kernel/taskstats.c, makes both
    assert part.stats is not None
    return part.stats


@plan
def listen(cpus: str | Iterable[int]) -> Steps[None]:
    """From now on, tasks that end on these CPUs are events of the connection: a TaskStats each.

    `cpus` are numbers, or a list as the kernel writes it: "0-3,8", or the contents of
    /sys/devices/system/cpu/possible for all. KernelError EINVAL or ERANGE where the machine has
    none of that number, EINVAL from within a user or process namespace, EPERM as for of_pid.
    """
    yield register(register_cpumask=_mask(cpus))


@plan
def unlisten(cpus: str | Iterable[int]) -> Steps[None]:
    """Hear no more of tasks that end on these CPUs, listened to or not. KernelError as for listen.

    What the kernel sent before still comes out of events().
    """
    yield register(deregister_cpumask=_mask(cpus))


def _mask(cpus: str | Iterable[int]) -> str:
    return cpus.strip() if isinstance(cpus, str) else ",".join(map(str, cpus))


@plan
def of_cgroup(fd: int) -> Steps[cgroupstats | None]:
    """How the tasks of a cgroup are doing, by a descriptor of its directory; needs no privilege.

    Only hierarchies of version 1 count (cgroupstats_build): KernelError EINVAL for others. None
    where `fd` is no open file.
    """
    answer: CgroupStats | None = yield get_cgroup(fd=fd)
    return None if answer is None else answer.cgroup_stats
