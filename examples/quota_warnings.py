"""Print the kernel's warnings about disk quotas: which user exceeds a limit of a file system.

    python examples/quota_warnings.py [--demo]

With --demo, the program creates a small file system, lets a user exceed its limits, and ends. This
requires root, e2fsprogs and quota. The file system is mounted in a private mount namespace, and the
kernel removes it with the program.
"""

from __future__ import annotations

import argparse
import grp
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from netlink import Connection, KernelError, Overrun
from netlink.generic import dquot
from netlink.generic.dquot import QTYPE, QUOTA_NL, QuotaWarning

WORDS: dict[int | None, str] = {
    QUOTA_NL.QUOTA_NL_IHARDWARN: "cannot create more files: the hard limit is reached",
    QUOTA_NL.QUOTA_NL_ISOFTLONGWARN: "cannot create more files: the grace period has ended",
    QUOTA_NL.QUOTA_NL_ISOFTWARN: "has more files than the soft limit allows",
    QUOTA_NL.QUOTA_NL_BHARDWARN: "cannot write more: the hard limit is reached",
    QUOTA_NL.QUOTA_NL_BSOFTLONGWARN: "cannot write more: the grace period has ended",
    QUOTA_NL.QUOTA_NL_BSOFTWARN: "has written more than the soft limit allows",
    QUOTA_NL.QUOTA_NL_IHARDBELOW: "is below the hard limit of files again",
    QUOTA_NL.QUOTA_NL_ISOFTBELOW: "is within the soft limit of files again",
    QUOTA_NL.QUOTA_NL_BHARDBELOW: "is below the hard limit of space again",
    QUOTA_NL.QUOTA_NL_BSOFTBELOW: "is within the soft limit of space again",
}

DEMO_TOOLS = ("mkfs.ext4", "mount", "setpriv", "setquota", "truncate", "unshare")
DEMO_USER = 65533
# This script runs in a private mount namespace. When its shell ends, the kernel removes the mount,
# and with it the loop device. The limits are 100 KB (soft), 200 KB (hard), 2 files (soft) and 3
# files (hard).
DEMO = """
set -e
truncate -s 16M image
mkfs.ext4 -q -F -O quota image
mkdir place
mount -o loop,usrquota image place
chmod 777 place
setquota -u $1 100 200 2 3 place
mountpoint -d place
cd place
as_user() { setpriv --reuid $1 --regid $1 --clear-groups sh -c "$2" 2>/dev/null || :; }
as_user $1 'head -c 150K /dev/zero >a'
as_user $1 'head -c 150K /dev/zero >b'
as_user $1 'touch c; touch d'
as_user $1 'rm a b c'
"""


def main() -> int:
    """Run the program and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--demo", action="store_true", help="cause some warnings, then end")
    is_demo = parser.parse_args().demo
    missing = [tool for tool in DEMO_TOOLS if shutil.which(tool) is None]
    if is_demo and (missing or os.geteuid() != 0):
        print(f"--demo requires {', '.join(missing) or 'root'}", file=sys.stderr)
        return 1
    try:
        with Connection(dquot.FAMILY) as nl:
            nl.join("events")
            if is_demo:
                demonstrate()
            show(nl.events(timeout=0.5 if is_demo else None))
    except KernelError as error:
        print(f"quota warnings need the initial network namespace: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"cannot create a file system for --demo: {error.stderr.strip()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def demonstrate() -> str:
    """Let a user exceed every limit of a new file system, and return its device, as "7:0"."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                DEMO,
                "sh",
                f"{DEMO_USER}",
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    return done.stdout.split()[0]


def show(events: Iterable[object]) -> None:
    """Print each warning when it arrives."""
    for event in events:
        match event:
            case QuotaWarning():
                print(sentence(event), flush=True)
            case Overrun():
                print("the kernel dropped some warnings", flush=True)


def sentence(warning: QuotaWarning) -> str:
    """Return a warning as a sentence."""
    words = WORDS.get(warning.warning, f"has warning {warning.warning}")
    text = f"{owner(warning.qtype, warning.excess_id)} {words} on {place(warning)}"
    if warning.qtype != QTYPE.USRQUOTA or warning.caused_id != warning.excess_id:
        text += f", by {owner(QTYPE.USRQUOTA, warning.caused_id)}"
    return text


def owner(qtype: QTYPE | int | None, number: int | None) -> str:
    """Return the owner of a quota by name, or by number if the owner has no name."""
    try:
        match qtype:
            case QTYPE.USRQUOTA:
                return f"user {pwd.getpwuid(number or 0).pw_name}"
            case QTYPE.GRPQUOTA:
                return f"group {grp.getgrgid(number or 0).gr_name}"
    except (KeyError, OverflowError):
        pass
    kinds: dict[int | None, str] = {0: "user", 1: "group", 2: "project"}
    return f"{kinds.get(qtype, qtype)} {number}"


def place(warning: QuotaWarning) -> str:
    """Return the mount point of a file system, or its device if this process cannot see it."""
    device = f"{warning.dev_major}:{warning.dev_minor}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        _, _, number, _, path, *_ = line.split()
        if number == device:
            return path
    block = Path("/sys/dev/block", device)
    return block.resolve().name if block.exists() else f"device {device}"


if __name__ == "__main__":
    sys.exit(main())
