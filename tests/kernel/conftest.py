"""Live tests: each runs in a network namespace of its own, whether it asks for one or not."""

import pytest


@pytest.fixture(autouse=True)
def _private(netns: None) -> None:
    """See `netns` in tests/conftest.py."""
