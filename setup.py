"""Build the two extension modules. All metadata is in pyproject.toml.

This file must not keep or ship generated C: it runs Cython every time, so the C is always current.
It exists because pyproject.toml cannot choose compiler flags. NETLINK_BUILD chooses them: release
(the default), debug (no optimization, C assertions, bounds checks of Cython), sanitize (address and
undefined-behaviour sanitizers), fuzz (coverage for libFuzzer, with CC=clang) or fuzz-sanitize.
"""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

COVERAGE, SANITIZERS = "-fsanitize=fuzzer-no-link", ",address,undefined"
FLAGS: dict[str, tuple[list[str], list[str]]] = {
    "release": (["-O3", "-DNDEBUG"], []),
    "debug": (["-O0", "-g3", "-UNDEBUG"], []),
    "fuzz": (["-O2", "-g1", "-UNDEBUG", COVERAGE], [COVERAGE]),
    "fuzz-sanitize": (
        ["-O1", "-g1", "-UNDEBUG", "-fno-omit-frame-pointer", COVERAGE + SANITIZERS],
        [COVERAGE + SANITIZERS],
    ),
    "sanitize": (
        ["-O1", "-g3", "-UNDEBUG", "-fno-omit-frame-pointer", "-fsanitize=address,undefined"],
        ["-fsanitize=address,undefined"],
    ),
}
build = os.environ.get("NETLINK_BUILD") or "release"
if build not in FLAGS:
    sys.exit(f"NETLINK_BUILD must be one of {', '.join(FLAGS)}, got {build!r}")
compile_args, link_args = FLAGS[build]


def extension(name: str, source: str, *more: str) -> Extension:
    """Return an extension module with the flags of this build."""
    return Extension(
        name,
        [source],
        depends=["netlink/_core.h"],
        extra_compile_args=["-std=c11", "-Wall", "-Wextra", *more, *compile_args],
        extra_link_args=link_args,
    )


# The C that Cython generates has unused parameters.
extensions = cythonize(
    extension("netlink._core", "netlink/_core.pyx", "-Wno-unused-parameter"),
    compiler_directives={"language_level": 3, "boundscheck": build != "release"},
    force=True,
)
if sys.platform == "linux":  # the parser works on other systems too, sockets do not
    extensions.append(extension("netlink._nlsock", "netlink/_nlsock.c"))

setup(ext_modules=extensions)
