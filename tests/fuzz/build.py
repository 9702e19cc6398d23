"""Build the library for a guided session: extension modules that report coverage, with sanitizers.

clang compiles a copy of the package under build/fuzz, so the checkout keeps its own build. This
file must not run a target. atheris brings libFuzzer, and its library must be loaded first.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
WORK = ROOT / "build" / "fuzz"
SHARED = ("tests", "tools", "pyproject.toml", "README.md", "LICENSE")  # linked into the copy
COMPILED = {".pyx", ".pxi", ".pxd", ".c", ".h"}  # and some of the modules next to them
# Libraries of atheris: libFuzzer for each build, and the hook for a mutator in Python.
RUNTIMES = {"fuzz": "ubsan_with_fuzzer.so", "fuzz-sanitize": "asan_with_fuzzer.so"}
MUTATOR = "atheris/custom_mutator.*.so"


class Unavailable(Exception):
    """A guided session is not possible here; the text says why."""


def build(kind: str) -> dict[str, str]:
    """Build a copy if it is not current, and return the environment of a process that uses it.

    `kind` is a key of RUNTIMES and a value of NETLINK_BUILD. Raises Unavailable if atheris, clang
    or its run-time library is missing.
    """
    runtime = _runtime(kind)
    clang = shutil.which("clang")
    if clang is None:
        raise Unavailable("clang is missing: apt-get install clang libclang-rt-14-dev")
    copy = copy_of(kind)
    state = _copy(copy)
    stamp = copy / "built"
    if not stamp.exists() or stamp.read_text() != state:
        for old in copy.glob("netlink/**/*.so"):
            old.unlink()
        _compile(copy, clang, kind)
        stamp.write_text(state)
    return os.environ | {
        "LD_PRELOAD": runtime,
        "PYTHONPATH": str(copy),
        # Python does not free all memory at its end, and is not built with the sanitizers.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:handle_abort=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    }


def copy_of(kind: str) -> Path:
    """Return the folder of a build."""
    return WORK / f"{sys.implementation.cache_tag}-{kind}"


def _runtime(kind: str) -> str:
    """Return the libraries of atheris that must be loaded before Python, for LD_PRELOAD."""
    found = importlib.util.find_spec("atheris")
    if found is None or found.origin is None:
        raise Unavailable("atheris is missing: pip install -e '.[fuzz]'")
    folder = Path(found.origin).parent.parent
    return " ".join(map(str, [folder / RUNTIMES[kind], *folder.glob(MUTATOR)]))


def _copy(copy: Path) -> str:
    """Bring a copy of the package up to date, and return the state of all that is compiled."""
    copy.mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        link = copy / name
        if not link.is_symlink() and (ROOT / name).exists():
            link.symlink_to(ROOT / name)
    shutil.copy(ROOT / "setup.py", copy)
    state = hashlib.sha256((ROOT / "setup.py").read_bytes())
    wanted = set()
    for path in sorted((ROOT / "netlink").rglob("*")):
        if not path.is_file() or path.suffix in {".so", ".pyc"} or _is_generated(path):
            continue
        place = copy / path.relative_to(ROOT)
        wanted.add(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in COMPILED or path.parent.name == "netlink":
            state.update(path.read_bytes())
        if not place.exists() or place.read_bytes() != path.read_bytes():
            shutil.copy(path, place)
    for place in [*(copy / "netlink").rglob("*")]:
        if place.is_file() and place.suffix in {".py", *COMPILED} and place not in wanted:
            place.unlink()
    return state.hexdigest()


def _is_generated(path: Path) -> bool:
    """Whether Cython made the file."""
    return path.suffix == ".c" and path.with_suffix(".pyx").exists()


def _compile(copy: Path, clang: str, kind: str) -> None:
    environment = os.environ | {"CC": clang, "NETLINK_BUILD": kind}
    environment.pop("LD_PRELOAD", None)
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--force"]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"the build failed:\n{done.stderr[-3000:]}")
