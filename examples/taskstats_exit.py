"""Print every process that ends, with what it used: CPU time, memory and storage.

    python examples/taskstats_exit.py

Takes root, outside of containers: the kernel tells this to who has CAP_NET_ADMIN over the machine
itself, and only in its first network namespace.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from netlink import Connection, KernelError, Overrun
from netlink.generic import taskstats
from netlink.generic.taskstats import AC_FLAG, TaskStats

POSSIBLE = Path("/sys/devices/system/cpu/possible")  # all CPUs, as "0-3"
TITLE = f"{'PID':>8}  {'COMMAND':16} {'ENDED':>10} {'TIME':>9} {'CPU':>9} {'MEMORY':>8} "
TITLE += f"{'READ':>8} {'WRITTEN':>8}"


def main() -> int:
    """The program; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.parse_args()
    try:
        with Connection(taskstats.FAMILY, rcvbuf=1 << 22) as nl:
            nl.do(taskstats.listen(POSSIBLE.read_text()))
            try:
                show(nl)
            finally:
                nl.do(taskstats.unlisten(POSSIBLE.read_text()))
    except PermissionError as error:
        print(f"{error}: this takes root", file=sys.stderr)
        return 1
    except KernelError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def show(nl: Connection) -> None:
    """Print a line for each process, without end."""
    print(TITLE, flush=True)
    read: Counter[int] = Counter()  # by process: the kernel tells it of each task, never the sum
    written: Counter[int] = Counter()
    for event in nl.events():
        if isinstance(event, Overrun):
            print("the kernel dropped some")
            continue
        if not isinstance(event, TaskStats) or not event.aggr_pid or not event.aggr_pid.stats:
            continue  # of another command, which no kernel sends yet
        task = event.aggr_pid.stats
        process = task.ac_tgid or task.ac_pid
        read[process] += task.read_bytes
        written[process] += task.write_bytes - task.cancelled_write_bytes
        if not task.ac_flag & AC_FLAG.AGROUP:
            continue  # the process has other tasks, which go on
        whole = event.aggr_tgid.stats if event.aggr_tgid and event.aggr_tgid.stats else task
        print(
            f"{process:8}  {task.ac_comm:16} {ending(task.ac_exitcode):>10}",
            f"{(task.ac_tgetime or task.ac_etime) / 1e6:8.2f}s",
            f"{(whole.ac_utime + whole.ac_stime) / 1e6:8.2f}s",
            f"{size(task.hiwater_rss * 1024):>8}",
            f"{size(read.pop(process)):>8} {size(written.pop(process)):>8}",
            flush=True,
        )


def ending(status: int) -> str:
    """How a process ended: "0", "1", or the name of the signal that ended it."""
    code = os.waitstatus_to_exitcode(status)
    try:
        return str(code) if code >= 0 else signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def size(number: float) -> str:
    """A number of bytes as people read it."""
    for unit in ("B", "KB", "MB", "GB"):
        if abs(number) < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.0f} TB"


if __name__ == "__main__":
    sys.exit(main())
