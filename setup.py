"""Builds the two extension modules; everything else stands in pyproject.toml.

The .pyx is always cythonized: no generated C is kept or shipped, so none can go stale.
NETLINK_BUILD chooses the compiler flags: release (the default), debug (no optimization, C
assertions, Python-level bounds checks) or sanitize (address and undefined-behaviour sanitizers).
"""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

FLAGS: dict[str, tuple[list[str], list[str]]] = {
    "release": (["-O3", "-DNDEBUG"], []),
    "debug": (["-O0", "-g3", "-UNDEBUG"], []),
    "sanitize": (
        ["-O1", "-g3", "-UNDEBUG", "-fno-omit-frame-pointer", "-fsanitize=address,undefined"],
        ["-fsanitize=address,undefined"],
    ),
}
build = os.environ.get("NETLINK_BUILD") or "release"
if build not in FLAGS:
    sys.exit(f"NETLINK_BUILD={build!r}: expected one of {', '.join(FLAGS)}")
compile_args, link_args = FLAGS[build]


def extension(name: str, source: str, *more: str) -> Extension:
    """One extension module with the flags of this build."""
    return Extension(
        name,
        [source],
        depends=["netlink/_core.h"],
        extra_compile_args=["-std=c11", "-Wall", "-Wextra", *more, *compile_args],
        extra_link_args=link_args,
    )


# Cython's C names every parameter of every slot, used or not.
extensions = cythonize(
    extension("netlink._core", "netlink/_core.pyx", "-Wno-unused-parameter"),
    compiler_directives={"language_level": 3, "boundscheck": build != "release"},
    force=True,
)
if sys.platform == "linux":  # elsewhere _core alone: the parser works anywhere, sockets do not
    extensions.append(extension("netlink._nlsock", "netlink/_nlsock.c"))

setup(ext_modules=extensions)
