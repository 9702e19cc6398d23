"""Print every fork, exec and exit of the machine, with the command line of the program.

    python examples/process_tracer.py

The program must run outside of containers: the kernel sends these events in its initial namespaces
only. It needs root before Linux 6.6. A process may have ended before its command line is read.
"""

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path

from netlink import Connection, Overrun, connector


def main() -> int:
    """Run the program and return its exit status."""
    shown = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=shown).parse_args()
    try:
        with Connection(connector.FAMILY, rcvbuf=1 << 22) as nl, suppress(KeyboardInterrupt):
            nl.join("proc")
            nl.do(connector.listen("fork|exec|exit"))
            print("listening", flush=True)
            for line in filter(None, map(describe, nl.events())):
                print(line, flush=True)
    except (OSError, TimeoutError) as error:
        sys.exit(str(error))
    return 0


def describe(event: object) -> str:
    """Return a line about an event, or nothing for threads and other events."""
    if isinstance(event, Overrun):
        return "the kernel dropped some events"
    data = getattr(event, "event_data", None)
    if isinstance(data, connector.fork_proc_event) and not data.is_thread:
        return f"{data.parent_tgid} forked {data.child_tgid}"
    if isinstance(data, connector.exec_proc_event):
        return f"{data.process_tgid} executes {program(data.process_tgid)}"
    if isinstance(data, connector.exit_proc_event) and not data.is_thread:
        return f"{data.process_tgid} ended with {os.waitstatus_to_exitcode(data.exit_code)}"
    return ""


def program(pid: int) -> str:
    """Return the command line of a process, or "?" if it has ended already."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ").strip()
    return "?"


if __name__ == "__main__":
    sys.exit(main())
