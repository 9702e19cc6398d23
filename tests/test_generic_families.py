"""The single-file families of netlink/generic, with bytes.

test_messages.py tests what all messages have in common. tests/kernel tests what the kernel sends.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest

from netlink import Family, Message, parse
from netlink.family import Plan, Request
from netlink.generic import dquot, taskstats
from netlink.generic.dquot import QTYPE, QUOTA_NL, QuotaWarning
from netlink.generic.taskstats import AC_FLAG, SCHED, Aggregate, CgroupStats, TaskQuery, TaskStats

from . import wire

ID = 31  # as a kernel might assign it


def generic(cls: type[Message], family: Family, command: int, payload: bytes) -> Any:
    """Return the message of a command as parse() reads it. It must be of this class."""
    assert family.id is not None
    data = wire.message(family.id, bytes((command, family.version, 0, 0)) + payload)
    [message] = parse(data, family)
    assert type(message) is cls
    return message


def ask(plan: Plan[Any]) -> Request[Any, Any]:
    """Return the only request of a plan."""
    request: Request[Any, Any] = next(plan.steps())
    return request


def answered(plan: Plan[Any], answer: Message | None) -> Any:
    """Return the result of a plan with one request, given the answer to that request."""
    steps = plan.steps()
    next(steps)
    with pytest.raises(StopIteration) as stop:
        steps.send(answer)
    return stop.value.value


# --- taskstats ---

# Sizes of struct taskstats by version (linux/taskstats.h of those kernels), with the last member.
SIZES = {
    8: (328, "freepages_delay_total"),
    14: (432, "irq_delay_total"),
    16: (560, "irq_delay_min"),
}


def stats(version: int, size: int) -> bytes:
    """Return a struct whose u64 members from `cpu_count` on contain their own offsets."""
    body = bytearray(struct.pack("=HxxIBb6x", version, 9, AC_FLAG.AXSIG | AC_FLAG.AGROUP, -5))
    body += b"".join(struct.pack("=Q", offset) for offset in range(16, size, 8))
    body[80:144] = struct.pack("=32sB7xIIIII4x", b"sleep", SCHED.SCHED_IDLE, 1000, 100, 77, 70, 55)
    return bytes(body)


def aggregate(kind: int, number: int, body: bytes, padding: bytes = b"") -> bytes:
    """Return TASKSTATS_TYPE_AGGR_PID (4) or _AGGR_TGID (5) with its struct."""
    inside = wire.attribute(kind - 3, struct.pack("=I", number)) + padding
    return wire.attribute(kind, inside + wire.attribute(3, body))


@pytest.mark.parametrize("version", SIZES)
def test_a_struct_of_any_age(version: int) -> None:
    size, last = SIZES[version]
    body = stats(version, size)
    exit = generic(TaskStats, taskstats.FAMILY.at(ID), 2, aggregate(4, 77, body))
    assert exit.aggr_tgid is None
    task = exit.aggr_pid.stats
    assert bytes(task) == body
    assert (task.version, task.ac_exitcode, task.ac_nice) == (version, 9, -5)
    assert task.ac_flag == AC_FLAG.AXSIG | AC_FLAG.AGROUP
    assert (task.ac_comm, task.ac_sched) == ("sleep", SCHED.SCHED_IDLE)
    assert (task.ac_uid, task.ac_gid, task.ac_pid, task.ac_ppid) == (1000, 100, 77, 70)
    assert (task.ac_btime, task.ac_etime, task.hiwater_rss, task.nvcsw) == (55, 144, 200, 272)
    members = list(taskstats.taskstats.__table__.names)
    known = members[: members.index(last) + 1]
    assert getattr(task, last) == size - 8
    assert {name for name in members if getattr(task, name) is None} == {*members} - {*known}


def test_a_struct_of_a_newer_kernel() -> None:
    body = stats(17, 688)
    task = generic(TaskStats, taskstats.FAMILY.at(ID), 2, aggregate(4, 77, body)).aggr_pid.stats
    assert (task.irq_delay_min, task.ac_comm) == (552, "sleep")
    assert bytes(TaskStats(aggr_pid={"stats": task})).endswith(body)


def test_the_last_task_of_a_process_brings_the_process_too() -> None:
    body = stats(14, 432)
    null = wire.attribute(6, b"")  # nla_reserve_64bit, where 8 bytes must stand aligned
    payload = aggregate(4, 78, body, null) + aggregate(5, 77, body, null)
    exit = generic(TaskStats, taskstats.FAMILY.at(ID), 2, payload)
    assert (exit.aggr_pid.pid, exit.aggr_tgid.tgid) == (78, 77)
    assert exit.aggr_pid.stats == exit.aggr_tgid.stats
    assert exit.aggr_pid.null
    assert exit.aggr_pid.unknown == exit.unknown == ()


def test_plans_of_taskstats() -> None:
    assert ask(taskstats.of_pid(7)).message == TaskQuery(pid=7)
    assert ask(taskstats.of_tgid(7)).message == TaskQuery(tgid=7)
    for cpus in ("0-1,3\n", "0-1,3"):
        assert ask(taskstats.listen(cpus)).message == TaskQuery(register_cpumask="0-1,3")
    assert ask(taskstats.listen(range(3))).message == TaskQuery(register_cpumask="0,1,2")
    assert ask(taskstats.unlisten((5,))).message == TaskQuery(deregister_cpumask="5")
    struct = taskstats.taskstats(version=14)
    part = Aggregate(pid=7, stats=struct)
    assert answered(taskstats.of_pid(7), TaskStats(aggr_pid=part)) == struct
    assert answered(taskstats.of_tgid(7), TaskStats(aggr_tgid=part)) == struct


def test_cgroupstats() -> None:
    payload = wire.attribute(1, struct.pack("=5Q", 1, 2, 3, 4, 5))
    answer = generic(CgroupStats, taskstats.FAMILY.at(ID), 5, payload)
    tasks = answered(taskstats.of_cgroup(3), answer)
    assert (tasks.nr_sleeping, tasks.nr_running, tasks.nr_stopped) == (1, 2, 3)
    assert (tasks.nr_uninterruptible, tasks.nr_io_wait) == (4, 5)
    assert answered(taskstats.of_cgroup(3), None) is None
    request = ask(taskstats.of_cgroup(3))
    assert (request.op.type, bytes(request.message)) == (4, wire.attribute(1, b"\3\0\0\0"))


# --- VFS_DQUOT ---


def test_a_quota_warning() -> None:
    """fs/quota/netlink.c, quota_send_warning; the number of the family is fixed."""
    payload = wire.attribute(1, struct.pack("=I", 1)) + wire.attribute(7, b"")  # QUOTA_NL_A_PAD
    payload += wire.attribute(2, struct.pack("=Q", 100)) + wire.attribute(3, struct.pack("=I", 6))
    payload += wire.attribute(4, struct.pack("=I", 7)) + wire.attribute(5, struct.pack("=I", 2))
    payload += wire.attribute(6, struct.pack("=Q", 1000))
    warning = generic(QuotaWarning, dquot.FAMILY, 1, payload)
    assert dquot.FAMILY.id == 17
    assert warning.nlmsg_name == "QUOTA_NL_C_WARNING"
    assert (warning.qtype, warning.warning) == (QTYPE.GRPQUOTA, QUOTA_NL.QUOTA_NL_BSOFTWARN)
    assert (warning.excess_id, warning.caused_id) == (100, 1000)
    assert (warning.dev_major, warning.dev_minor) == (7, 2)


def test_a_warning_of_a_newer_kernel() -> None:
    warning = generic(QuotaWarning, dquot.FAMILY, 1, wire.attribute(3, struct.pack("=I", 77)))
    assert warning.warning == 77
    assert warning.excess_id is None
