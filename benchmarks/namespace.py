"""A private network namespace in which the harness starts other processes.

An idle process holds the namespace. The kernel removes both together, however the benchmark ends.
The runner itself must not leave its own namespace, because it starts processes in several.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Self

# Options of unshare and nsenter: as root, and with a user namespace.
_WAYS = (
    (["--net"], ["--net"]),
    (["--net", "--map-root-user"], ["--net", "--user", "--preserve-credentials"]),
)


class NamespaceError(Exception):
    """The harness cannot create a network namespace. The text says why."""


class Namespace:
    """A network namespace that exists during a `with` block. Commands run in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __enter__(self) -> Self:
        if not (shutil.which("unshare") and shutil.which("nsenter")):
            raise NamespaceError("no private network namespace: install unshare and nsenter")
        refusals = []
        for make, enter in _WAYS:
            # cat ends when its standard input is closed, also if this process is killed.
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
        """Run a command in the namespace and return its output.

        Raises CalledProcessError if the command fails.
        """
        done = subprocess.run(
            [*self._enter, *command],
            input=stdin,
            capture_output=True,
            check=True,
            text=True,
            cwd=self.directory,
        )
        return done.stdout
