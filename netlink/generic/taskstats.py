"""taskstats: resource use of tasks, on request or when they exit; and cgroupstats.

Numbers are those of Linux 6.12, plus the members that 6.18 adds (linux/taskstats.h,
linux/cgroupstats.h). The behaviour is that of kernel/taskstats.c. A request for a process or a task
(thread) requires CAP_NET_ADMIN in the initial user namespace:

    with Connection(taskstats.FAMILY) as nl:
        print(nl.do(taskstats.of_pid(1)).ac_comm)

Exits are events without a group. The kernel sends them to the ports that listen to a CPU:

    with Connection(taskstats.FAMILY) as nl:
        nl.do(taskstats.listen(Path("/sys/devices/system/cpu/possible").read_text()))
        for event in nl.events():
            print(event.aggr_pid.stats.ac_comm)

- The kernel reports an exit to the listeners of the CPU on which the task exits. If a process had
  several tasks, the event of the last one also has `aggr_tgid`, the sum for all tasks.
- The kernel sends events only to sockets in the initial network namespace (init_net in
  send_cpu_listeners). In another namespace, open the connection in the initial one with `netns`.
  The listener must also be in the initial user and PID namespaces; otherwise the kernel returns
  EINVAL (add_del_listener).
- If the receive buffer is full, the kernel drops exits, and events() yields an Overrun. The kernel
  continues to send. It removes a listener only if its port no longer exists (ECONNREFUSED).
- After a connection is closed, the kernel removes the listener at the next exit on each CPU. Until
  then another socket could get its port and receive its events. Execute `unlisten` before closing.
"""

from __future__ import annotations

from collections.abc import Collection

from netlink.constants import KernelEnum, KernelFlag
from netlink.errors import EncodeError
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
    """Flags of an accounting record (linux/acct.h)."""

    AFORK = 0x01  # forked, but never called exec
    ASU = 0x02  # used superuser privileges
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

    For a process (`aggr_tgid`) the kernel sums the delays, ac_etime, ac_utime, ac_stime, nvcsw and
    nivcsw. All other members are 0. For each delay, *_count is the number of waits, *_delay_total
    the total time, and *_delay_max and *_delay_min the longest and the shortest time, in
    nanoseconds. All delays except waiting for a CPU are 0 while delay accounting is off
    (kernel.task_delayacct, or "delayacct" on the kernel's command line).

    Members that an older kernel does not send read None. Version 15, used only by the first
    releases of 6.14, has a different layout: only the members before blkio_count are correct.
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
    cpu_run_virtual_total: int = u64()  # ns, without time taken by the hypervisor
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
    read_bytes: int = u64()  # bytes read from storage
    write_bytes: int = u64()  # bytes to be written to storage
    cancelled_write_bytes: int = u64()  # bytes of those that were truncated before the write
    nvcsw: int = u64()  # voluntary context switches
    nivcsw: int = u64()  # involuntary ones
    ac_utimescaled: int = u64()  # us, scaled by the CPU's frequency if supported
    ac_stimescaled: int = u64()  # us
    cpu_scaled_run_real_total: int = u64()  # ns
    freepages_count: int | None = u64()  # delays: reclaiming memory
    freepages_delay_total: int | None = u64()
    thrashing_count: int | None = u64()  # reading recently reclaimed pages
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
    irq_count: int | None = u64()  # version 14: interrupted by IRQs
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
    """struct cgroupstats (linux/cgroupstats.h): number of tasks of a cgroup by state."""

    nr_sleeping: int = u64()
    nr_running: int = u64()
    nr_stopped: int = u64()
    nr_uninterruptible: int = u64()
    nr_io_wait: int = u64()


class TaskQuery(Message):
    """The task, process or CPUs of a request: TASKSTATS_CMD_ATTR_*. The kernel reads only one.

    CPU masks are lists in the format of cpuset(7): "0-3,8".
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
    null: bool = flag(6)  # aligns `stats` to 8 bytes on some architectures (nla_reserve_64bit)


class TaskStats(Message):
    """A reply or an exit event: TASKSTATS_TYPE_*."""

    aggr_pid: Nested[Aggregate] = nest(4, Aggregate)
    aggr_tgid: Nested[Aggregate] = nest(5, Aggregate)


class CgroupQuery(Message):
    """A cgroup, as a file descriptor of its directory: CGROUPSTATS_CMD_ATTR_*."""

    fd: int | None = u32(1)


class CgroupStats(Message):
    """The reply: CGROUPSTATS_TYPE_*."""

    cgroup_stats: Nested[cgroupstats] = struct(1, cgroupstats)


# One command has two uses: to get the statistics of a task, and to register for CPUs.
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
    answer="optional",  # the kernel does not answer if the descriptor is not open
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
    """Return what one task has used until now. A task is a thread; the first one has the pid.

    Raises KernelError: ESRCH if there is no such task, EPERM without CAP_NET_ADMIN in the initial
    user namespace.
    """
    answer: TaskStats = yield get(pid=_number("of_pid", "pid", pid))
    return _stats(answer.aggr_pid)


@plan
def of_tgid(tgid: int) -> Steps[taskstats]:
    """Return what a process has used until now: the sum of its tasks, also of those that ended.

    A value that the kernel does not add up reads 0, see taskstats. Raises KernelError as of_pid().
    """
    answer: TaskStats = yield get(tgid=_number("of_tgid", "tgid", tgid))
    return _stats(answer.aggr_tgid)


def _stats(part: Aggregate | None) -> taskstats:
    assert part is not None  # mk_reply in kernel/taskstats.c sends both
    assert part.stats is not None
    return part.stats


@plan
def listen(cpus: str | Collection[int]) -> Steps[None]:
    """Let each task that ends on these CPUs be an event of the connection: a TaskStats.

    `cpus` are numbers, or a list as the kernel writes it: "0-3,8". For all CPUs, pass the contents
    of /sys/devices/system/cpu/possible.

    Raises KernelError: EINVAL or ERANGE if the machine has no such CPU, EINVAL inside a user or
    process namespace, EPERM as of_pid().
    """
    yield register(register_cpumask=_mask("listen", cpus))


@plan
def unlisten(cpus: str | Collection[int]) -> Steps[None]:
    """Receive no more events of tasks that end on these CPUs. Raises KernelError as listen().

    events() still yields what the kernel sent before.
    """
    yield register(deregister_cpumask=_mask("unlisten", cpus))


def _mask(plan: str, cpus: str | Collection[int]) -> str:
    """Return a list of CPUs as the kernel writes it."""
    if isinstance(cpus, str):
        return cpus.strip()
    # An iterator would be empty when the plan runs a second time.
    if isinstance(cpus, Collection) and not isinstance(cpus, bytes | bytearray | memoryview):
        return ",".join(str(_number(plan, "cpus", cpu)) for cpu in cpus)
    raise TypeError(
        f"taskstats.{plan}() expects cpus to be numbers, or text such as '0-3,8', got {cpus!r}"
    )


def _number(plan: str, name: str, value: int) -> int:
    """Return a number that is an argument of a plan."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31:
        return value
    raise EncodeError(
        f"expected an int from 0 to {(1 << 31) - 1}, got {value!r}",
        path=f"taskstats.{plan}.{name}",
        value=value,
    )


@plan
def of_cgroup(fd: int) -> Steps[cgroupstats | None]:
    """Return how many tasks of a cgroup run, sleep and wait. It needs no privilege.

    `fd` is an open descriptor of the cgroup's directory. Only hierarchies of version 1 have these
    counts (cgroupstats_build); the kernel refuses others (KernelError EINVAL). Returns None if `fd`
    is not an open file.
    """
    answer: CgroupStats | None = yield get_cgroup(fd=_number("of_cgroup", "fd", fd))
    return None if answer is None else answer.cgroup_stats
