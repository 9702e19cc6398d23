"""Run pytest on the Python source of the modules that the build compiles.

`python -m tests.pure [ARGUMENT...]`: as pytest, for what a compiled module hides: frames, coverage,
debuggers. The promises about signals hold for the compiled modules only.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "netlink"


class SourceFinder(MetaPathFinder):
    """Finds the .py file of each module of the package that has one."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is, or None if it is not one of ours."""
        package, _, module = name.rpartition(".")
        file = PACKAGE / f"{module}.py"
        if package != "netlink" or not file.exists():
            return None
        return importlib.util.spec_from_file_location(name, file)


if __name__ == "__main__":
    sys.meta_path.insert(0, SourceFinder())
    sys.exit(pytest.main(sys.argv[1:]))
