"""Build the extension modules. All metadata is in pyproject.toml.

_core and _nlsock are written for C. The modules in COMPILED are ordinary Python, which Cython
compiles too, with the C types of the .pxd files next to them. So an exception of a signal handler
cannot strike inside of their steps (docs/architecture.md), and a request takes less time.

This file exists because pyproject.toml cannot choose compiler flags. NETLINK_BUILD chooses them:
release (the default), debug (no optimization, C assertions, bounds checks of Cython), sanitize
(address and undefined-behaviour sanitizers), thread (its sanitizer), coverage (gcov), fuzz
(coverage for libFuzzer, with CC=clang) or fuzz-sanitize. Generated C is neither kept nor shipped.
"""

import os
import re
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

COMPILED = (
    "errors", "_exchange", "_resolver", "engine", "_pipeline", "_transport", "connection", "aio",
)  # fmt: skip
FLAGS = {  # for the compiler and the linker
    "release": "-O3 -DNDEBUG",
    "debug": "-O0 -g3 -UNDEBUG",
    "sanitize": "-O1 -g3 -UNDEBUG -fno-omit-frame-pointer -fsanitize=address,undefined",
    "thread": "-O1 -g3 -UNDEBUG -fsanitize=thread",
    "coverage": "-O0 -g3 -UNDEBUG --coverage",
    "fuzz": "-O2 -g1 -UNDEBUG -fsanitize=fuzzer-no-link",
    "fuzz-sanitize": "-O1 -g1 -UNDEBUG -fno-omit-frame-pointer "
    "-fsanitize=fuzzer-no-link,address,undefined",
}
build = os.environ.get("NETLINK_BUILD") or "release"
if build not in FLAGS:
    sys.exit(f"NETLINK_BUILD must be one of {', '.join(FLAGS)}, got {build!r}")
flags = FLAGS[build].split()

# Without memory an exception has no traceback. Cython 3.3 takes it for an object in `except` and
# `with`, and crashes. None is what Python has there. The second line is for Python 3.11. The third
# is in the body of a class: its failure must not be ignored.
MENDED = {
    r"^ +Py_XINCREF\(local_tb\);$": r"    if (!local_tb) local_tb = Py_NewRef(Py_None);\n\g<0>",
    r"^ +tstate->curexc_traceback = tb;$": r"    if (tb == Py_None) Py_CLEAR(tb);\n\g<0>",
    r"^ +PyList_Append\((\w+), (\w+)\);$": (
        r"  if (PyList_Append(\1, \2) < 0) __PYX_ERR(0, 0, __pyx_L1_error)"
    ),
}


def extension(name: str, *more: str) -> Extension:
    """Return an extension module with the flags of this build."""
    return Extension(
        "netlink." + name.partition(".")[0],
        [f"netlink/{name}"],
        depends=["netlink/_core.h"],
        extra_compile_args=["-std=c11", "-Wall", "-Wextra", *flags, *more],
        extra_link_args=flags,
    )


def cython(*modules: Extension, **directives: bool) -> list[Extension]:
    """Generate C."""
    every = {"language_level": 3, "auto_pickle": False, **directives}
    made = cythonize(
        [*modules], build_dir="build/cython", compiler_directives=every, force=True,
        emit_linenums=build == "coverage",  # gcov then names the lines of the source
    )  # fmt: skip
    for path in (Path(module.sources[0]) for module in made):
        text = path.read_text()
        for line, mended in MENDED.items():
            text = re.sub(line, mended, text, flags=re.MULTILINE)
        path.write_text(text)
    return made


extensions = cython(extension("_core.pyx", "-Wno-unused"), boundscheck=build != "release")
# Annotations are for type checkers. Without nonecheck, a None that is no object would be a crash,
# and with binding a method that gets another object as self.
# These modules mostly call Python: more optimization would only take longer.
less = ["-O2"] if build == "release" else ["-O0", "-g1"]
python = [extension(f"{name}.py", "-Wno-unused", *less) for name in COMPILED]
if build != "coverage":  # there they stay Python, for coverage.py
    extensions += cython(*python, annotation_typing=False, nonecheck=True, binding=False)
if sys.platform == "linux":  # the parser works on other systems too, sockets do not
    extensions.append(extension("_nlsock.c"))
setup(ext_modules=extensions, options={"build_ext": {"parallel": os.cpu_count()}})
