"""Compare what the package declares with the kernel's own words, and print every difference.

    python -m tools.check_declarations [--specs FOLDER] [--headers FOLDER]

The specs are the YAML files of Documentation/netlink/specs of a kernel source tree; the variable
NETLINK_SPECS names their default folder. The headers are an include folder: of the machine, or
include/uapi of such a tree. The output says what was not compared because it is missing. Known
differences stand with their reason in tools/explained.py; any other makes the exit status 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from tools import headers, outside, specs, uapi
from tools.declarations import Declarations, Difference
from tools.explained import HEADERS, SPECS, Explanations

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
    parser.add_argument(
        "--specs",
        type=Path,
        help="folder of YAML files (default: NETLINK_SPECS of the environment)",
    )
    parser.add_argument("--headers", type=Path, help=f"include folder (default: {INCLUDE_FOLDER})")
    options = parser.parse_args(arguments)
    try:
        spec_folder = options.specs or outside.specs()
    except FileNotFoundError as error:
        parser.error(str(error))
    if options.specs and not any(options.specs.glob("*.yaml")):
        parser.error(f"--specs: {str(options.specs)!r} contains no YAML file")
    if options.headers and not (options.headers / "linux").is_dir():
        parser.error(f"--headers: {str(options.headers)!r} contains no folder 'linux'")
    include_folder = options.headers or INCLUDE_FOLDER
    declared = Declarations("netlink")
    unexplained = 0
    if spec_folder:
        found = specs.compare(spec_folder, declared.families)
        unexplained += report(f"specs of {spec_folder}", found, SPECS)
    else:
        print("specs: not compared, because neither --specs nor NETLINK_SPECS names a folder\n")
    if uapi.COMPILER and (include_folder / "linux").is_dir():
        found = headers.compare(declared, uapi.Headers(include_folder, declared.headers))
        unexplained += report(f"headers of {include_folder}", found, HEADERS)
    else:
        print(f"headers: not compared; this takes a C compiler (cc) and {include_folder}/linux\n")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
