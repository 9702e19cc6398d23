"""A network namespace of our own, for a child process to live in and to take with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from netlink import _nlsock

__all__ = ["enter", "in_child"]


def enter() -> None:
    """Move this process into a new network namespace, by a new user namespace if it must be.

    OSError where the kernel allows neither. It may have moved the process half of the way by
    then, so that only a child should try.
    """
    uid, gid = os.geteuid(), os.getegid()
    try:
        _nlsock.unshare(_nlsock.CLONE_NEWNET)
    except PermissionError:
        _nlsock.unshare(_nlsock.CLONE_NEWUSER | _nlsock.CLONE_NEWNET)
        # user_namespaces(7): setgroups must be given up before an ordinary user may map a group.
        # Where a security module takes the new root's powers away, this is what it refuses.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def in_child(work: Callable[[], int]) -> int:
    """Run `work` in a child process and give its status, as a shell counts it."""
    sys.stdout.flush()  # or the child would print it once more
    child = os.fork()
    if child == 0:
        sys.exit(work())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status
