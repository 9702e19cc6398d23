"""The material outside the repository, which environment variables name.

NETLINK_SPECS is a folder of the kernel's YAML specs. NETLINK_VECTORS is a folder of vectors with
expected values, as JSON lines. NETLINK_KERNEL is the source tree of a kernel, whose own client for
specs is an oracle. NETLINK_VM is a command that runs the command after it as root in a
virtual machine, which sees the files of this machine. No other file may name a path outside the
repository. If a variable names nothing usable, the functions raise FileNotFoundError, because a
skipped test would hide a typo.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path


def specs() -> Path | None:
    """Return the folder of NETLINK_SPECS, or None if the variable is not set."""
    return _folder("NETLINK_SPECS", "*.yaml")


def vectors() -> Path | None:
    """Return the folder of NETLINK_VECTORS, or None if the variable is not set."""
    return _folder("NETLINK_VECTORS", "**/*.jsonl")


def kernel() -> Path | None:
    """Return the source tree of NETLINK_KERNEL, or None if the variable is not set."""
    return _folder("NETLINK_KERNEL", "tools/net/ynl/**/ynl.py")


def vm() -> list[str] | None:
    """Return the words of NETLINK_VM, or None if the variable is not set."""
    words = shlex.split(os.environ.get("NETLINK_VM", ""))
    if words and shutil.which(words[0]) is None:
        raise FileNotFoundError(f"NETLINK_VM: found no program {words[0]!r}")
    return words or None


def _folder(variable: str, pattern: str) -> Path | None:
    text = os.environ.get(variable)
    if not text:
        return None
    folder = Path(text)
    if not any(folder.glob(pattern)):
        raise FileNotFoundError(f"{variable}: {text!r} contains no file {pattern}")
    return folder
