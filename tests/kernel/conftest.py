"""Live tests: each runs in a network namespace of its own, whether it asks for one or not.

The fixtures below are the ground of the tests of rtnetlink; a file may have others of these names.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from netlink import Connection
from netlink.route import FAMILY, link
from tests.kernel.scene import make


@pytest.fixture(autouse=True)
def _private(netns: None) -> None:
    """See `netns` in tests/conftest.py."""


@pytest.fixture
def machine_root() -> None:
    """Skip the test unless this is root of the initial user namespace (netlink_capable)."""
    if Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
        pytest.skip("the kernel refuses this to the root of a user namespace")


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(FAMILY, timeout=10) as connection:
        yield connection


@pytest.fixture
def left(nl: Connection) -> int:
    """Return the index of "left": one end of a veth pair, with addresses. The other is "right"."""
    for setting in ("accept_dad", "dad_transmits", "router_solicitations"):
        Path(f"/proc/sys/net/ipv6/conf/default/{setting}").write_text("0")
    make("""
        link add left address 02:00:00:00:00:01 type veth peer name right address 02:00:00:00:00:02
        link set left up
        link set right up
        addr add 192.0.2.1/24 dev left
        addr add 2001:db8::1/64 dev left nodad
    """)
    return nl.do(link.index_of("left"))


@pytest.fixture
def bridge(left: int, nl: Connection) -> int:
    """Return the index of a bridge that filters VLANs and has "right" as its port."""
    make("""
        link add br0 address 02:00:00:00:00:10 type bridge vlan_filtering 1
        link set right master br0
        link set br0 up
    """)
    return nl.do(link.index_of("br0"))


@pytest.fixture
def mpls(left: int) -> None:
    settings = Path("/proc/sys/net/mpls")
    if not settings.is_dir():
        pytest.skip("the kernel has no MPLS: no /proc/sys/net/mpls")
    (settings / "platform_labels").write_text("1000")
    (settings / "conf/left/input").write_text("1")
