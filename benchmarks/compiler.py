"""Builds the C programs of contenders and workloads.

This file must not know a contender or a workload. It exists because both need programs in C, and
the reason is shown if a program cannot be built.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class BuildError(Exception):
    """A program cannot be built on this machine. The text says why."""


def build(source: Path, directory: Path, *flags: str) -> Path:
    """Compile a source file and return the program, a file in `directory`.

    `flags`, such as "-lmnl", follow the source file. Raises BuildError.
    """
    if shutil.which("cc") is None:
        raise BuildError("found no C compiler (cc)")
    program = directory / source.stem
    built = subprocess.run(
        ["cc", "-O2", "-Wall", "-o", str(program), str(source), *flags],
        capture_output=True,
        text=True,
    )
    if built.returncode:
        raise BuildError(f"{source.name} does not compile: {built.stderr.strip()}")
    return program
