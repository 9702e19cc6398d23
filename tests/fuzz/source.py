"""Inputs of targets: values taken from bytes, choices that stay stable, and bounds of resources.

Every target reads its input through this file, so that any bytes are a valid test case, and an
input of an old release still means the same. This file must not know any target.
"""

from __future__ import annotations

import time
import tracemalloc
import zlib
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# What one input may cost. A session that runs with sanitizers needs most of the time.
BASE_SECONDS, SECONDS_PER_BYTE = 1.0, 0.002
BASE_MEMORY, MEMORY_PER_BYTE = 1 << 20, 400  # bytes
MEASURED = 64  # one of so many inputs has its memory measured, which makes Python slow


class Source:
    """Takes values from the start of some bytes. After their end, every value is 0 or empty."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def __bool__(self) -> bool:
        return self.at < len(self.data)

    def take(self, size: int) -> bytes:
        """Return up to `size` bytes."""
        found = self.data[self.at : self.at + size]
        self.at += size
        return found

    def rest(self) -> bytes:
        """Return all bytes that are left."""
        return self.take(len(self.data))

    def integer(self, size: int) -> int:
        """Return an unsigned little-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1, of one or two bytes."""
        return self.integer(1 if limit <= 256 else 2) % limit

    def choice(self, items: list[T] | tuple[T, ...]) -> T:
        """Return one of some items that are never added to: see Ring for others."""
        return items[self.below(len(items))]

    def chunk(self) -> bytes:
        """Return bytes whose length comes first, as two bytes."""
        return self.take(self.integer(2))


class Ring(Generic[T]):
    """Items that an input chooses by four bytes, the checksum of their name.

    Items may be added later: an input with the exact key of an item still chooses that item.
    Other keys choose the next item, so that random keys choose every item.
    """

    def __init__(self, items: Iterable[tuple[str, T]]) -> None:
        keyed = sorted((zlib.crc32(name.encode()), name, item) for name, item in items)
        self._numbers = [number for number, _, _ in keyed]
        self.items = [item for _, _, item in keyed]
        self.keys = {name: number.to_bytes(4, "little") for number, name, _ in keyed}
        assert len(set(self._numbers)) == len(keyed), "two names have one checksum"

    def choose(self, source: Source) -> T:
        """Return the item that the next four bytes choose."""
        place = bisect_left(self._numbers, source.integer(4))
        return self.items[place % len(self.items)]


def chunk(data: bytes) -> bytes:
    """Return what Source.chunk() reads as `data`."""
    return len(data).to_bytes(2, "little") + data


def execute(target: Any, data: bytes, *, thorough: bool = False) -> None:
    """Run a target, and check that it needs little time and memory for its input.

    The time is that of this thread on a processor, so that a busy machine does not matter. The
    memory is all that Python's allocators give out at once; it is measured for some inputs, and for
    all if `thorough`. A target that needs more has BASE_MEMORY, for any input, or MEMORY_PER_BYTE.
    """
    measured = thorough or zlib.crc32(data) % MEASURED == 0
    if measured:
        tracemalloc.start()
    began = time.thread_time()
    try:
        target.run(data)
        seconds = time.thread_time() - began
        memory = tracemalloc.get_traced_memory()[1] if measured else 0
    finally:
        if measured:
            tracemalloc.stop()
    size = len(data)
    assert seconds <= BASE_SECONDS + SECONDS_PER_BYTE * size, f"{seconds:.1f} s, {size} bytes"
    per_byte = getattr(target, "MEMORY_PER_BYTE", MEMORY_PER_BYTE)
    most = getattr(target, "BASE_MEMORY", BASE_MEMORY) + per_byte * size
    assert memory <= most, f"{memory} bytes of memory for {size} bytes"
