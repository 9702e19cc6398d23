"""Print the TCP sockets as a data frame of pandas, and the bytes sent to each peer.

    python examples/socket_table.py

It needs no privilege, but the library pandas (pip install pandas). The columns are gathered without
a Python object for each socket.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Any

from netlink import Connection, KernelError, diag
from netlink.constants import AF
from netlink.diag import inet
from netlink.diag.sockdiag import TCP

COLUMNS = ("src", "sport", "dst", "dport", "state", "rqueue", "wqueue", "uid", "inode", "cong")
INFO = ("info.rtt", "info.snd_cwnd", "info.bytes_sent", "info.bytes_received")


def main() -> int:
    """Run the program and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.parse_args()
    try:
        pandas: Any = import_module("pandas")
    except ImportError:
        print("this program needs pandas: pip install pandas", file=sys.stderr)
        return 1
    frame = pandas.DataFrame(table()).rename(columns=lambda name: name.removeprefix("info."))
    frame["state"] = [TCP(number).name.removeprefix("TCP_").lower() for number in frame["state"]]
    print(frame.to_string(index=False))
    print(frame.groupby(frame["dst"].map(str))["bytes_sent"].sum().to_string())
    return 0


def table() -> dict[str, list[Any]]:
    """Return the columns of all TCP sockets: the kernel lists IPv4 and IPv6 separately."""
    found: dict[str, list[Any]] = {name: [] for name in (*COLUMNS, *INFO)}
    with Connection(diag.FAMILY) as nl:
        for family in (AF.AF_INET, AF.AF_INET6):
            try:
                reply = nl.dump(inet.tcp(family=family, ext="info|cong"))
                for name, column in reply.columns(*found).items():
                    found[name] += column
            except KernelError:
                continue  # a kernel without IPv6
    return found


if __name__ == "__main__":
    sys.exit(main())
