"""One process of a guided session: libFuzzer, by atheris, runs one target until a limit.

__main__.py starts it with the environment of build.py. An exception of a target is a finding: this
process stores the input and goes on, so one fault does not hide the next. A fault of the sanitizers
ends the process; libFuzzer stores the input then.

    python -m tests.fuzz.session TARGET FINDINGS [LIBFUZZER_OPTION | CORPUS]...
"""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from random import Random

import atheris

from .mutate import mutated
from .source import execute
from .table import TARGETS

MOST = 200  # findings of one process


def main() -> None:
    """Run the target."""
    name, findings, *options = sys.argv[1:]
    os.environ.pop("LD_PRELOAD")  # the symbolizer, which a fault starts, cannot load atheris
    target = TARGETS[name]
    with atheris.instrument_imports(include=list(target.instrumented)):
        for instrumented in target.instrumented:
            import_module(instrumented)
    module = target.load()
    core = Path(str(import_module("netlink._core").__file__))
    if core.parent != Path.cwd() / "netlink":
        sys.exit(f"{core} is not the instrumented build")
    folder = Path(findings)
    attributes_at = getattr(module, "attributes_at", None)
    seen: set[str] = set()

    def try_input(data: bytes) -> None:
        try:
            execute(module, data)
        except Exception as error:
            place = signature(error)
            if place in seen:
                return
            seen.add(place)
            stored = folder / f"{name}-{abs(hash(place)):016x}"
            stored.write_bytes(data)
            print(f"FINDING {stored}: {place}", file=sys.stderr, flush=True)
            traceback.print_exception(error, limit=-6)
            if len(seen) >= MOST:
                raise

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        changed = None
        if attributes_at is not None and random.getrandbits(1):
            start = attributes_at(data)
            changed = mutated(data, start, random, lambda old: change(old, max_size))
        return change(data, max_size) if changed is None else changed[:max_size]

    atheris.Setup([f"fuzz {name}", *options], try_input, custom_mutator=mutate)
    atheris.Fuzz()


def change(data: bytes, max_size: int) -> bytes:
    """Return what libFuzzer makes of some bytes."""
    found: bytes = atheris.Mutate(data, max(len(data), max_size))
    return found


def signature(error: Exception) -> str:
    """Return what is the same for all inputs that break a target in the same way."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-3:]]
    return " ".join([type(error).__name__, *places])


main()
