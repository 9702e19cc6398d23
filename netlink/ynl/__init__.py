"""Kernel specs as families: ynl.load("ethtool.yaml") returns a Family.

The kernel describes many protocols in YAML files (Documentation/netlink/specs of its source; the
format is in Documentation/userspace-api/netlink). This package makes from such a file what a
hand-written family file declares: message classes, enums, ops and multicast groups. It needs
PyYAML, the extra `ynl`.

    from netlink import Connection, ynl

    ETHTOOL = ynl.load("ethtool.yaml")
    with Connection(ETHTOOL) as nl:
        nl.do(ETHTOOL.op.linkinfo_get(header={"dev_name": "eth0"}))

docs/ynl.md explains the names, the types and the limits.
"""

from __future__ import annotations

import os
import warnings

from netlink.ynl.document import SpecError, SpecWarning
from netlink.ynl.family import Hex, Names, SpecFamily, SpecOp, build
from netlink.ynl.spec import Spec, parse

__all__ = [
    "Hex", "Names", "Spec", "SpecError", "SpecFamily", "SpecOp", "SpecWarning", "build", "load",
    "parse", "read",
]  # fmt: skip


def load(path: str | os.PathLike[str]) -> SpecFamily:
    """Return the family that the spec in a file describes.

    What the spec has and this version ignores is reported as a SpecWarning, with file and line.
    Raises SpecError with file, line and reason if the spec is invalid, and OSError if the file
    cannot be read. Nothing in a spec is executed.
    """
    spec = read(path)
    family = build(spec)
    for line, text in spec.warnings:
        warnings.warn(f"{spec.path}:{line}: {text}", SpecWarning, stacklevel=2)
    return family


def read(path: str | os.PathLike[str]) -> Spec:
    """Return the content of the spec in a file, without making classes. Raises as load() does."""
    path = os.fspath(path)  # open() would take an int for a descriptor, and close it
    with open(path, "rb") as file:
        data = file.read()
    return parse(data, path)
