"""Compare what the package declares with the kernel's own words, and print every difference.

    python -m tools.check_declarations [--specs FOLDER] [--headers FOLDER]

The specs are the YAML files of Documentation/netlink/specs of a kernel source tree, the headers an
include folder: of the machine, or include/uapi of such a tree. Known differences stand with their
reason in tools/explained.py; any other one makes the exit status 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from tools import headers, specs, uapi
from tools.declarations import Declarations, Difference
from tools.explained import HEADERS, SPECS, Explanations

SPEC_FOLDER = Path(__file__).parents[2] / "shared/specs"
INCLUDE_FOLDER = Path("/usr/include")


def report(title: str, found: Iterable[Difference], known: Explanations) -> int:
    """Print differences, each under its reason; gives the number of those that have none."""
    by_reason: dict[str, list[Difference]] = {}
    for difference in sorted(set(found)):
        by_reason.setdefault(known.reason(difference) or "", []).append(difference)
    unexplained = by_reason.pop("", [])
    print(f"{title}: {sum(map(len, by_reason.values()))} explained, {len(unexplained)} unexplained")
    for reason, differences in [*by_reason.items(), ("UNEXPLAINED", unexplained)]:
        if differences:
            print(f"\n  {reason}")
        for difference in differences:
            print(f"    {difference.key}: {difference.text}")
    print()
    return len(unexplained)


def main(arguments: list[str] | None = None) -> int:
    """The command; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--specs", type=Path, default=SPEC_FOLDER, help="folder of YAML files")
    parser.add_argument("--headers", type=Path, default=INCLUDE_FOLDER, help="include folder")
    options = parser.parse_args(arguments)
    declared = Declarations("netlink")
    unexplained = 0
    if options.specs.is_dir():
        found = specs.compare(options.specs, declared.families)
        unexplained += report(f"specs of {options.specs}", found, SPECS)
    if uapi.COMPILER and (options.headers / "linux").is_dir():
        found = headers.compare(declared, uapi.Headers(options.headers, declared.headers))
        unexplained += report(f"headers of {options.headers}", found, HEADERS)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
