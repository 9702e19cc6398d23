"""The package without netlink sockets: the parser works, and pytest can collect the tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARSER = {
    "test_capture.py", "test_core.py", "test_declarations.py", "test_messages.py", "test_schema.py",
    "test_vectors.py",
}  # fmt: skip
SCRIPT = """
from tests.elsewhere import pretend

pretend()

import netlink
from netlink.cli import main
from netlink.route import FAMILY

header = "28000000100000000000000000000000"
data = bytes.fromhex(header + "00000100070000004900000000000000" + "0600030065000000")
[link] = netlink.parse(data, FAMILY)
print(link.nlmsg_name, link.index, link.ifname)
print([raw.type for raw in netlink.iter_messages(data)])
for name in ("Connection", "RawSocket"):
    try:
        exec(f"from netlink import {name}")
    except ImportError as error:
        print(error)
print(hasattr(netlink, "Conection"), "Connection" in netlink.__all__)
print(main(["dump", "link"]), flush=True)
print(main(["decode", "tests/vectors/nlmon.pcap"]))
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_the_parser_works() -> None:
    done = python("-c", SCRIPT)
    assert done.stderr == "netlink: only Linux has Netlink sockets\n"
    lines = done.stdout.splitlines()
    why = "needs Linux, because darwin has no Netlink sockets; netlink.parse() works anywhere"
    assert lines[:2] == ["RTM_NEWLINK 7 e", "[16]"]
    assert lines[2:4] == [f"netlink.{name} {why}" for name in ("Connection", "RawSocket")]
    assert lines[4:6] == ["False False", "1"]
    assert len(lines) > 20 and lines[-1] == "0"
    assert "RTM_NEWLINK" in done.stdout


def test_its_tests_are_collected() -> None:
    """Tests of sockets skip. A module that pytest can neither collect nor skip is an error."""
    done = python("-m", "tests.elsewhere", "--collect-only", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    collected = set(re.findall(r"^tests/(\w+(?:\.py)?)", done.stdout, re.MULTILINE))
    assert collected >= PARSER
    assert not collected & {"kernel", "test_nlsock.py"}
    assert "only Linux has netlink sockets" in done.stdout
