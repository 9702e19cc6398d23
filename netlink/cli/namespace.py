"""Open a connection in a network namespace, and run a child process in a private one.

Other files of the command line must open connections with connect(), so that -n works for every
command. A process that calls enter() cannot return to its old namespaces.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from netlink import Connection, Family, _nlsock
from netlink.cli import Failure, explain

__all__ = ["connect", "enter", "in_child"]


def connect(netns: str | None, *families: Family, **options: Any) -> Connection:
    """Open a connection in a network namespace, or in the current one if `netns` is None."""
    try:
        return Connection(*families, netns=netns, **options)
    except OSError as error:
        if netns is None:
            raise
        if error.errno == errno.EINVAL:
            raise Failure(f"'{netns}' is not a network namespace") from None
        raise Failure(f"no socket in network namespace '{netns}': {explain(error)}") from None


def enter() -> None:
    """Move this process into a new network namespace, and first into a user namespace if needed.

    Raises OSError if the kernel allows neither. The process may already be in the new user
    namespace then, so only a child process should call this.
    """
    uid, gid = os.geteuid(), os.getegid()
    try:
        _nlsock.unshare(_nlsock.CLONE_NEWNET)
    except PermissionError:
        _nlsock.unshare(_nlsock.CLONE_NEWUSER | _nlsock.CLONE_NEWNET)
        # user_namespaces(7): setgroups must be given up before an ordinary user may map a group.
        # If a security module removes the capabilities of the new root user, this call fails.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def in_child(work: Callable[[], int]) -> int:
    """Run `work` in a child process and return its status, as a shell counts it."""
    sys.stdout.flush()  # otherwise the child prints the buffered text again
    child = os.fork()
    if child == 0:
        sys.exit(work())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status
