"""Print every process that ends, with the CPU time, memory and storage that it used.

    python examples/taskstats_exit.py

The program must run as root and outside of containers. The kernel requires CAP_NET_ADMIN in the
initial user namespace, and sends these events only in the initial network namespace.
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
    """Run the program and return its exit status."""
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
        print(f"{error}: run this program as root", file=sys.stderr)
        return 1
    except KernelError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def show(nl: Connection) -> None:
    """Print a line for each process that ends. This never returns."""
    print(TITLE, flush=True)
    read: Counter[int] = Counter()  # by process: the kernel reports each task but not the sum
    written: Counter[int] = Counter()
    for event in nl.events():
        if isinstance(event, Overrun):
            print("the kernel dropped some events")
            continue
        if not isinstance(event, TaskStats) or not event.aggr_pid or not event.aggr_pid.stats:
            continue  # another command, which current kernels do not send
        task = event.aggr_pid.stats
        process = task.ac_tgid or task.ac_pid
        read[process] += task.read_bytes
        written[process] += task.write_bytes - task.cancelled_write_bytes
        if not task.ac_flag & AC_FLAG.AGROUP:
            continue  # other tasks of the process still run
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
    """Return how a process ended: its exit status, or the name of the signal that ended it."""
    code = os.waitstatus_to_exitcode(status)
    try:
        return str(code) if code >= 0 else signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def size(number: float) -> str:
    """Return a number of bytes with a unit."""
    for unit in ("B", "KB", "MB", "GB"):
        if abs(number) < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.0f} TB"


if __name__ == "__main__":
    sys.exit(main())
