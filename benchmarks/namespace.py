"""A private network namespace that other processes can be started in.

An idle process holds the namespace, so that the kernel takes both away together, however the
benchmark ends. The runner itself never leaves its own namespace.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Self

# How to make a namespace and how to enter it: as root, else through a user namespace.
_WAYS = (
    (["--net"], ["--net"]),
    (["--net", "--map-root-user"], ["--net", "--user", "--preserve-credentials"]),
)


class NamespaceError(Exception):
    """No network namespace can be made here; the text says what refused it."""


class Namespace:
    """A network namespace for the length of a `with` block; commands in it start in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __enter__(self) -> Self:
        if not (shutil.which("unshare") and shutil.which("nsenter")):
            raise NamespaceError("no private network namespace: needs unshare and nsenter")
        refusals = []
        for make, enter in _WAYS:
            # cat ends when its standard input does: when we close it, and when we die.
            holder = subprocess.Popen(
                ["unshare", *make, "sh", "-c", "echo ready && exec cat"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert holder.stdout
            if holder.stdout.readline():
                self._holder = holder
                self._enter = ["nsenter", "--target", str(holder.pid), *enter, "--"]
                return self
            refusals.append(holder.communicate()[1].strip())
        raise NamespaceError(f"no private network namespace: {'; '.join(refusals)}")

    def __exit__(self, *_: object) -> None:
        self._holder.communicate()

    def run(self, command: list[str], stdin: str = "") -> str:
        """Run a command in the namespace; what it prints, or CalledProcessError if it fails."""
        done = subprocess.run(
            [*self._enter, *command],
            input=stdin,
            capture_output=True,
            check=True,
            text=True,
            cwd=self.directory,
        )
        return done.stdout
