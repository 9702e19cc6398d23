"""Nothing leaks: small parts of the workloads of tests/leaks.py, and leaks that it must find."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from . import leaks

SHARE = 1.0 if os.environ.get("NETLINK_LONG") else 0.02


pytestmark = pytest.mark.skipif(
    os.environ.get("PYTHONMALLOC") == "malloc", reason="malloc() does not count its blocks"
)


@pytest.fixture(autouse=True)
def _netns(netns: None) -> None:
    """Requests go to a namespace of the test."""


@pytest.mark.parametrize("name", leaks.WORKLOADS)
def test_nothing_grows(name: str) -> None:
    work, full = leaks.WORKLOADS[name]
    assert leaks.check(work, int(full * SHARE)) == ""


@pytest.fixture
def kept() -> Iterator[list[Any]]:
    """What a faulty workload keeps."""
    kept: list[Any] = []
    yield kept
    for thing in kept:
        if isinstance(thing, int):
            os.close(thing)
        elif isinstance(thing, threading.Timer):
            thing.cancel()
            thing.join()


def blocks(kept: list[Any], count: int) -> None:
    kept += [object() for _ in range(10 * count)]


def memory(kept: list[Any], count: int) -> None:
    kept.append(b"x" * (400_000 * count))  # more than malloc() keeps


def descriptors(kept: list[Any], count: int) -> None:
    kept.append(os.open("/dev/null", os.O_RDONLY))


def threads(kept: list[Any], count: int) -> None:
    kept.append(threading.Timer(60, int))
    kept[-1].start()


@pytest.mark.parametrize("fault", [blocks, memory, descriptors, threads])
def test_a_leak_is_found(fault: Any, kept: list[Any]) -> None:
    assert f" more {fault.__name__}" in leaks.check(lambda count: fault(kept, count), 100)
