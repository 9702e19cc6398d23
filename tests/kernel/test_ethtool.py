"""A family that is declared in tests only, against the live kernel."""

from __future__ import annotations

import pytest

from netlink import Connection, KernelError
from netlink.route import FAMILY as ROUTE
from netlink.route import link

from .. import families
from ..families import ETHTOOL, Channels


def test_ethtool_numbers_requests_and_answers_apart() -> None:
    with Connection(ROUTE) as route, Connection(ETHTOOL) as nl:
        route.do(link.add("v0", "veth", {"peer": {"ifname": "v1"}}))
        info = nl.do(families.tsinfo_get(header={"dev_name": "v0"}))
        assert type(info) is families.TsInfo
        assert info.nlmsg_name == "ETHTOOL_MSG_TSINFO_GET_REPLY"  # 26; the request is 25
        channels = nl.do(families.channels_get(header={"dev_name": "v0"}))
        assert type(channels) is Channels
        assert channels.rx_count == 1
        assert channels.nlmsg_name == "ETHTOOL_MSG_CHANNELS_GET_REPLY"  # 18 is SET among requests
        assert len(nl.dump(families.channels_get()).all()) == 2
        with pytest.raises(KernelError) as caught:
            nl.do(families.channels_set(header={"dev_name": "v0"}, combined_count=99))
        assert caught.value.path is not None
