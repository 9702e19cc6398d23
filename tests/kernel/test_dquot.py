"""Quota warnings of the live kernel: a user exceeds every limit of a small file system.

The file system is that of examples/quota_warnings.py: in an image file, mounted in a mount
namespace that ends with the shell that made it, so that nothing of it is ever left.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from examples import quota_warnings
from netlink import Connection, KernelError
from netlink.generic import dquot
from netlink.generic.dquot import QTYPE, QUOTA_NL, QuotaWarning


@pytest.fixture(autouse=True)
def _private() -> None:
    """No network namespace of one's own: only the initial one has the family (netnsok).

    Nothing of the network is changed here.
    """


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(dquot.FAMILY, timeout=20) as connection:
        try:
            connection.join("events")
        except KernelError as error:
            pytest.skip(f"no quota warnings in this network namespace: {error}")
        yield connection


def test_every_limit_is_warned_of(nl: Connection) -> None:
    missing = [tool for tool in quota_warnings.DEMO_TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"a file system with quotas takes {', '.join(missing) or 'root'}")
    try:
        device = quota_warnings.demonstrate()
    except subprocess.CalledProcessError as error:
        assert error.stderr.startswith("mount:")
        pytest.skip(f"the kernel mounts no file system with quotas: {error.stderr.strip()}")
    warnings = []
    for event in nl.events(timeout=1):
        assert isinstance(event, QuotaWarning)
        if f"{event.dev_major}:{event.dev_minor}" == device:
            warnings.append(event)
    assert [warning.warning for warning in warnings] == [
        QUOTA_NL.QUOTA_NL_BSOFTWARN,
        QUOTA_NL.QUOTA_NL_BHARDWARN,
        QUOTA_NL.QUOTA_NL_BHARDBELOW,
        QUOTA_NL.QUOTA_NL_ISOFTWARN,
        QUOTA_NL.QUOTA_NL_IHARDWARN,
        QUOTA_NL.QUOTA_NL_ISOFTBELOW,
        QUOTA_NL.QUOTA_NL_BSOFTBELOW,
    ]
    user = quota_warnings.DEMO_USER
    for warning in warnings:
        assert warning.qtype == QTYPE.USRQUOTA
        assert warning.excess_id == warning.caused_id == user
        assert warning.unknown == ()


def test_the_family_is_of_the_initial_namespace(netns: None) -> None:
    with Connection(dquot.FAMILY, timeout=20) as connection, pytest.raises(KernelError) as caught:
        connection.join("events")
    assert caught.value.strerror == os.strerror(2)
