"""Build the module netdevsim, which simulates network devices, for a kernel that lacks it.

    python -m tools.netdevsim SOURCE FOLDER [--release RELEASE]

SOURCE is the source tree of the same kernel, or a tar file of it as Debian's linux-source has.
FOLDER, outside the repository, gets the module: netdevsim.ko. The headers of the kernel must be
installed (linux-headers-RELEASE). The live tests of devlink load the file that NETLINK_NETDEVSIM
names. This file must not be imported by tests.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

INSIDE = "drivers/net/netdevsim"


def fetch(source: Path, folder: Path) -> None:
    """Copy the source of the module into a folder."""
    if source.is_dir():
        shutil.copytree(source / INSIDE, folder, dirs_exist_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(source) as tar:
        for member in tar:
            if member.isfile() and f"/{INSIDE}/" in member.name:
                member.name = member.name.partition(f"/{INSIDE}/")[2]
                tar.extract(member, folder, filter="data")


def build(folder: Path, release: str) -> Path:
    """Compile the module, and return its file."""
    kernel = f"/lib/modules/{release}/build"
    subprocess.run(["make", "-C", kernel, f"M={folder}", "CONFIG_NETDEVSIM=m"], check=True)
    return folder / "netdevsim.ko"


def main(words: list[str] | None = None) -> int:
    """Build the module and print its path."""
    parser = argparse.ArgumentParser(prog="python -m tools.netdevsim", description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--release", default=platform.release())
    args = parser.parse_args(words)
    if Path(__file__).parents[1] in [args.folder.resolve(), *args.folder.resolve().parents]:
        parser.error("the folder must be outside of the repository")
    fetch(args.source, args.folder.resolve())
    print(build(args.folder.resolve(), args.release))
    return 0


if __name__ == "__main__":
    sys.exit(main())
