"""connector: process events (NETLINK_CONNECTOR), that is, forks, execs, exits and changes of IDs.

This file contains the messages of linux/cn_proc.h (Linux 6.12), ops and plans, and no I/O. The
behaviour is that of drivers/connector/cn_proc.c:

    with Connection(connector.FAMILY) as nl:
        nl.join("proc")
        nl.do(connector.listen())
        try:
            for event in nl.events():
                print(event.what, event.event_data)
        finally:
            nl.do(connector.ignore())

- Execute `ignore` before closing. The kernel counts listeners and does not notice that a socket is
  closed (cn_release). While the count is not 0, it makes events for every process, and sends them
  to sockets that only joined the group. A process that is killed leaves its count behind.
- The kernel sends these events in the initial network namespace only. In another one, open the
  connection in the initial one with `netns`. The process must be in the initial PID namespace and
  the initial user namespace. IDs of processes are those of the initial PID namespace.
- Linux 6.6 and later need no privilege and select events for each socket. Older kernels require
  CAP_NET_ADMIN, ignore a request that selects events, and send all events to every listener.
- Events of one CPU arrive in order, numbered by `cn_seq`. Order events of several CPUs by
  `timestamp_ns`. A gap in `cn_seq` shows a loss only while all events are selected.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable

from netlink import family
from netlink.constants import NETLINK, KernelEnum, KernelFlag
from netlink.errors import Overrun
from netlink.family import Family, Op, Steps, plan
from netlink.schema import Message, Named, Nested, s32, selected, string, u32, u64
from netlink.words import U32, Words


class CN_IDX(KernelEnum):
    """Users of the connector: `idx` of struct cb_id (linux/connector.h). Only PROC is declared."""

    CN_IDX_PROC = 1
    CN_IDX_CIFS = 2
    CN_IDX_V86D = 4
    CN_IDX_BB = 5
    CN_IDX_DM = 7
    CN_IDX_DRBD = 8


class PROC_CN_MCAST(KernelEnum):
    """What a request asks for."""

    PROC_CN_MCAST_LISTEN = 1
    PROC_CN_MCAST_IGNORE = 2


class PROC_EVENT(KernelFlag):
    """Kinds of process events."""

    PROC_EVENT_NONE = 0  # the acknowledgement of a request
    PROC_EVENT_FORK = 0x1
    PROC_EVENT_EXEC = 0x2
    PROC_EVENT_UID = 0x4
    PROC_EVENT_GID = 0x40
    PROC_EVENT_SID = 0x80
    PROC_EVENT_PTRACE = 0x100
    PROC_EVENT_COMM = 0x200
    PROC_EVENT_NONZERO_EXIT = 0x20000000  # selects exits whose status is not 0; no event has it
    PROC_EVENT_COREDUMP = 0x40000000
    PROC_EVENT_EXIT = 0x80000000


# --- messages -------------------------------------------------------------------------------------
#
# A pid is that of a thread (task), and a tgid that of its process.


class ack_proc_event(Message):
    """The acknowledgement of a request. `err` is a positive errno, or 0.

    The kernel sends it to all listeners that have not selected events. `cn_ack` is that of the
    request plus 1.
    """

    err: int = u32()


class fork_proc_event(Message):
    """struct fork_proc_event: a new process or thread.

    The parent is that of the process, also if another thread created the new one.
    """

    parent_pid: int = s32()
    parent_tgid: int = s32()
    child_pid: int = s32()
    child_tgid: int = s32()

    @property
    def is_thread(self) -> bool:
        """Whether the child is a thread of an existing process."""
        return self.child_pid != self.child_tgid


class exec_proc_event(Message):
    """struct exec_proc_event: a process executes another program.

    The event does not contain its path. If a thread that is not the main one calls exec, the kernel
    first sends the exit of the main thread. Then the thread has the ID of the main one.
    """

    process_pid: int = s32()
    process_tgid: int = s32()


class uid_proc_event(Message):
    """struct id_proc_event of PROC_EVENT_UID: the new user IDs."""

    process_pid: int = s32()
    process_tgid: int = s32()
    ruid: int = u32()
    euid: int = u32()


class gid_proc_event(Message):
    """struct id_proc_event of PROC_EVENT_GID: the new group IDs."""

    process_pid: int = s32()
    process_tgid: int = s32()
    rgid: int = u32()
    egid: int = u32()


class sid_proc_event(Message):
    """struct sid_proc_event: a process started a session."""

    process_pid: int = s32()
    process_tgid: int = s32()


class ptrace_proc_event(Message):
    """struct ptrace_proc_event: a tracer attached, or detached if the tracer is 0."""

    process_pid: int = s32()
    process_tgid: int = s32()
    tracer_pid: int = s32()
    tracer_tgid: int = s32()


class comm_proc_event(Message):
    """struct comm_proc_event: a thread changed its name, which may contain any bytes but NUL."""

    process_pid: int = s32()
    process_tgid: int = s32()
    comm: str = string(size=16)


class coredump_proc_event(Message):
    """struct coredump_proc_event: a process ends as if it dumped core, also if no file is made."""

    process_pid: int = s32()
    process_tgid: int = s32()
    parent_pid: int = s32()
    parent_tgid: int = s32()


class exit_proc_event(Message):
    """struct exit_proc_event: the end of a thread.

    `exit_code` is a wait status: os.waitstatus_to_exitcode(). `exit_signal` is the signal that the
    parent gets, 17 (SIGCHLD) for most processes and -1 for threads. An exit of the main thread is
    not always the end of the process: other threads may live on. Count the threads.
    """

    process_pid: int = s32()
    process_tgid: int = s32()
    exit_code: int = u32()
    exit_signal: int = s32()
    parent_pid: int = s32()
    parent_tgid: int = s32()

    @property
    def is_thread(self) -> bool:
        """Whether another thread than the main one ended."""
        return self.process_pid != self.process_tgid


# The type of `event_data`: one class for each kind of event.
EventData = (
    ack_proc_event
    | fork_proc_event
    | exec_proc_event
    | uid_proc_event
    | gid_proc_event
    | sid_proc_event
    | ptrace_proc_event
    | comm_proc_event
    | coredump_proc_event
    | exit_proc_event
)


class proc_event(Message):
    """struct proc_event: one event. `event_data` has the class of its kind.

    `timestamp_ns` is CLOCK_MONOTONIC. `cpu` is where it happened; 0xFFFFFFFF in acknowledgements of
    older kernels.
    """

    what: Named[PROC_EVENT] = u32(enum=PROC_EVENT)
    cpu: int = u32()
    timestamp_ns: int = u64()
    event_data: Nested[EventData] = selected(
        None,
        "what",
        {
            PROC_EVENT.PROC_EVENT_NONE: ack_proc_event,
            PROC_EVENT.PROC_EVENT_FORK: fork_proc_event,
            PROC_EVENT.PROC_EVENT_EXEC: exec_proc_event,
            PROC_EVENT.PROC_EVENT_UID: uid_proc_event,
            PROC_EVENT.PROC_EVENT_GID: gid_proc_event,
            PROC_EVENT.PROC_EVENT_SID: sid_proc_event,
            PROC_EVENT.PROC_EVENT_PTRACE: ptrace_proc_event,
            PROC_EVENT.PROC_EVENT_COMM: comm_proc_event,
            PROC_EVENT.PROC_EVENT_COREDUMP: coredump_proc_event,
            PROC_EVENT.PROC_EVENT_EXIT: exit_proc_event,
        },
    )


class proc_mcast_op(Message):
    """A request that selects all events; every kernel accepts it."""

    mcast_op: Named[PROC_CN_MCAST | int] = u32(enum=PROC_CN_MCAST)


class proc_input(Message):
    """struct proc_input: a request that selects events. No known event means all of them."""

    mcast_op: Named[PROC_CN_MCAST | int] = u32(enum=PROC_CN_MCAST)
    event_type: Named[PROC_EVENT] = u32(enum=PROC_EVENT)


# Kernels accept a request of 4 bytes, and since 6.6 one of 8 bytes. They ignore any other length.
control = Op("connector.control", CN_IDX.CN_IDX_PROC, proc_mcast_op, ends="nothing")
select = Op("connector.select", CN_IDX.CN_IDX_PROC, proc_input, ends="nothing")

FAMILY = Family(
    "connector",
    protocol=NETLINK.NETLINK_CONNECTOR,
    framing="connector",
    types=CN_IDX,
    ops=(control, select),
    messages={CN_IDX.CN_IDX_PROC: proc_event},
    requests={CN_IDX.CN_IDX_PROC: proc_input},
    groups={"proc": 1},
    # The kernel does not count a listener less when its socket is closed (cn_release).
    farewell=control(mcast_op=PROC_CN_MCAST.PROC_CN_MCAST_IGNORE),
)


# --- plans ----------------------------------------------------------------------------------------


@plan(sequence=True)
def listen(
    events: PROC_EVENT | int | str | Iterable[str] | None = None, *, timeout: float = 1.0
) -> Steps[None]:
    """Let the kernel send process events to this connection. Join the group "proc" first.

    `events` selects kinds of events (Linux 6.6): "exec|exit", ["fork", "exit"] or a PROC_EVENT. By
    default the connection gets all. The plan may be executed again with another selection.

    The kernel ignores this request silently if it comes from another PID or user namespace. So the
    plan waits for the acknowledgement of the kernel, at most `timeout` seconds, and then raises
    TimeoutError. Raises ConnectionRefusedError outside of the initial network namespace.
    """
    words = Words("connector.listen", locals())
    wanted = words.bits("events", PROC_EVENT, U32)
    if wanted is not None and not wanted & ALL:
        raise words.expected("events", f"at least one of {', '.join(SHORT)}")
    yield family.listen("proc")
    # A listener that selects events gets no acknowledgement: first ask for all events, then select.
    yield from _control(PROC_CN_MCAST.PROC_CN_MCAST_LISTEN)
    try:
        yield family.wait(_is_ack, timeout)
    except Overrun:
        pass  # so many events arrive that the acknowledgement may be among those that were lost
    except TimeoutError:
        raise TimeoutError(
            f"connector.listen: the kernel did not acknowledge within {timeout} s; it ignores "
            f"processes outside of the initial PID and user namespaces"
        ) from None
    if wanted is not None:
        yield select(mcast_op=PROC_CN_MCAST.PROC_CN_MCAST_LISTEN, event_type=wanted)


@plan
def ignore() -> Steps[None]:
    """Let the kernel send no more events to this connection, and count one listener less.

    Closing a connection does the same. A process that is killed leaves its count in the kernel. A
    connection that does not listen does not change the count.
    """
    yield from _control(PROC_CN_MCAST.PROC_CN_MCAST_IGNORE)


ALL = sum(event for event in PROC_EVENT)
SHORT = tuple(event.name.removeprefix("PROC_EVENT_").lower() for event in PROC_EVENT if event.name)


def _control(op: PROC_CN_MCAST) -> Steps[None]:
    try:
        yield control(mcast_op=op)
    except ConnectionRefusedError:
        raise ConnectionRefusedError(
            errno.ECONNREFUSED,
            "process events exist in the initial network namespace only; open the connection "
            "there: netns=netlink.Pid(1)",
        ) from None


def _is_ack(event: Message) -> bool:
    return isinstance(event, proc_event) and event.what == PROC_EVENT.PROC_EVENT_NONE
