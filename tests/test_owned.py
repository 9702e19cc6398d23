"""The families that we own, next to the kernel's specs of the same families.

Every captured message reads the same with both. NETLINK_SPECS names the folder of the specs.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from netlink.registry import load
from tests import owned, ynl_client
from tools import outside

SPECS = outside.specs()
FAMILIES = ("ethtool", "mptcp_events", "mptcp_pm", "netdev", "wireguard")
# The spec says: what we declare differently, and why.
DIFFERENT: dict[str, dict[str, str]] = {
    "ethtool": {},
    "mptcp_pm": {},
    # Fact: kernel 6.18 has op 15 and napi attribute 8 (threaded).
    "netdev": {"8": "NETDEV_A_NAPI_THREADED is newer than the spec"},
    "wireguard": {},
}
RECORDS = [(name, record) for name in FAMILIES for record in owned.records(name)]
IDS = [f"{name}-{place}-{r['message']}" for place, (name, r) in enumerate(RECORDS)]


@pytest.mark.parametrize("name, record", RECORDS, ids=IDS)
def test_it_reads_as_when_it_was_captured(name: str, record: dict[str, Any]) -> None:
    message = owned.read(load(name), record)
    assert json.loads(json.dumps(message.to_json())) == record["json"]
    assert not [path for path, _, _ in message.attributes() if "#" in path]


@pytest.mark.parametrize("name, record", RECORDS, ids=IDS)
def test_the_loader_reads_the_same(name: str, record: dict[str, Any]) -> None:
    if SPECS is None:
        pytest.skip("NETLINK_SPECS does not name a folder")
    if name not in DIFFERENT:
        pytest.skip("no spec has the events of mptcp_pm as messages")
    loaded = ynl_client.family(SPECS / f"{name}.yaml")
    ours, theirs = owned.read(load(name), record), owned.read(loaded, record)
    found = [*owned.compare(ours, theirs)]
    assert [text for text in found if text.partition(":")[0] not in DIFFERENT[name]] == []
