"""Sessions without coverage: hypothesis changes seeds and shrinks what it finds.

They run where clang or atheris is missing, and in tests/test_fuzz.py, on whatever build is there.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .mutate import mutated

LENGTHS = [0, 1, 3, 4, 5, 8, 16, 17, 20, 36, 0x7FFF, 0x8000, 0xFFFC, 0xFFFF]


@st.composite
def inputs(draw: st.DrawFn, target: Any, seeds: list[bytes], longest: int) -> bytes:
    """A seed with a few changes."""
    data = bytearray(draw(st.sampled_from(seeds)))
    if hasattr(target, "attributes_at") and draw(st.booleans()):
        random = Random(draw(st.integers(0, 2**32 - 1)))
        start = target.attributes_at(bytes(data))
        data = bytearray(mutated(bytes(data), start, random, lambda old: old[::-1]) or data)
    for _ in range(draw(st.integers(0, 5))):
        place = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["byte", "bytes", "length", "cut", "remove", "other", "twice"])):
            case "byte":
                data[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            case "bytes":
                data[place:place] = draw(st.binary(max_size=12))
            case "length":
                length = draw(st.sampled_from(LENGTHS)).to_bytes(2, "little")
                data[place & ~3 : (place & ~3) + 2] = length
            case "cut":
                del data[place:]
            case "remove":
                del data[place : place + draw(st.integers(1, 64))]
            case "other":
                other = draw(st.sampled_from(seeds))
                start = draw(st.integers(0, len(other)))
                data[place:] = other[start:]
            case "twice":
                data[place:place] = data[place : place + draw(st.integers(1, 64))]
    return bytes(data[:longest])


def search(
    target: Any,
    run: Callable[[bytes], object],
    seeds: list[bytes],
    count: int,
    longest: int,
    seed: int = 0,
) -> None:
    """Call `run` with `count` inputs of a target. Raises what it raises, for the shortest input."""
    phases = (Phase.generate, Phase.shrink)

    @settings(
        max_examples=count, deadline=None, database=None, derandomize=not seed, phases=phases,
        suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    @given(data=inputs(target, seeds, longest))
    def one(data: bytes) -> None:
        run(data)

    test: Any = one
    if seed:
        from hypothesis import seed as seeded

        test = seeded(seed)(one)
    test()
