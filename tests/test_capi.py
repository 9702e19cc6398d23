"""How the extension modules use the C API: on their source, and by counting references.

tools/capi.py has the checks of the source. Here they are applied to the whole package, and to small
faults that each must find. The counts are taken around many calls of everything that is public.
"""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tools import capi

from . import everything
from .everything import Callee

LONG = bool(os.environ.get("NETLINK_LONG"))
PASSES = 100 if LONG else 10  # each calls everything about ten times
C_FILES = capi.c_files()
HAND_WRITTEN = [path for path in C_FILES if not capi.is_generated(path)]
GENERATED = [path for path in C_FILES if capi.is_generated(path)]
needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")


def name_of(path: Path) -> str:
    """The name of a test's parameter."""
    return path.name


# --- the source -----------------------------------------------------------------------------------


@needs_gcc
@pytest.mark.parametrize("path", C_FILES, ids=name_of)
def test_no_result_is_ignored(path: Path) -> None:
    if path in GENERATED and not LONG:
        pytest.skip("gcc takes seconds for generated C: set NETLINK_LONG=1")
    assert capi.ignored_results(path) == []


@needs_gcc
@pytest.mark.parametrize("path", HAND_WRITTEN, ids=name_of)
def test_the_analyzer_of_gcc_finds_nothing(path: Path) -> None:
    assert capi.analyzed(path) == []


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=name_of)
@pytest.mark.parametrize("check", [capi.unchecked, capi.unlocked, capi.borrowing])
def test_hand_written_c(path: Path, check: Callable[[str], list[str]]) -> None:
    assert check(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", GENERATED, ids=name_of)
def test_no_exception_is_swallowed(path: Path) -> None:
    assert capi.swallowed(path) == []


@pytest.mark.parametrize("path", capi.cython_files(), ids=name_of)
def test_no_borrowed_reference_is_kept(path: Path) -> None:
    assert capi.borrowed(path.read_text(encoding="utf-8")) == []


C_FAULTS = {
    "ignored": (capi.ignored_results, "PyList_Append(list, one);"),
    "leaked": (capi.analyzed, "char *text = malloc(9); if (text) text[0] = 1;"),
    "unchecked": (capi.unchecked, "PyObject *x = PyList_New(0);\n    Py_INCREF(x);"),
    "unchecked number": (capi.unchecked, "long x = PyLong_AsLong(one);\n    use(x);"),
    "Python without the GIL": (
        capi.unlocked,
        "Py_BEGIN_ALLOW_THREADS\n    Py_INCREF(one);\n    Py_END_ALLOW_THREADS",
    ),
    "Python in what is called without the GIL": (
        capi.unlocked,
        "Py_BEGIN_ALLOW_THREADS\n    python();\n    Py_END_ALLOW_THREADS",
    ),
    "Python in a thread": (capi.unlocked, "pthread_create(&thread, NULL, python, NULL);"),
    "a change without the GIL": (
        capi.unlocked,
        "Py_BEGIN_ALLOW_THREADS\n    self->calls++;\n    Py_END_ALLOW_THREADS",
    ),
    "borrowed": (capi.borrowing, "use(PyList_GET_ITEM(list, 0));"),
}
C_FRAME = """\
#include <Python.h>
#include <pthread.h>
#include <stdlib.h>

struct socket {int calls;};

void use(long);

void *python(void)
{
    return PyErr_NoMemory();
}

void fault(struct socket *self, PyObject *list, PyObject *one)
{
    pthread_t thread;
    BODY
}
"""


@needs_gcc
@pytest.mark.parametrize("fault", C_FAULTS)
def test_a_fault_in_c_is_found(fault: str, tmp_path: Path) -> None:
    check: Any
    check, body = C_FAULTS[fault]
    path = tmp_path / "fault.c"
    path.write_text(C_FRAME.replace("BODY", body))
    given = path if check in (capi.ignored_results, capi.analyzed) else path.read_text()
    assert len(check(given)) == 1, check(given)
    path.write_text(C_FRAME.replace("BODY", "use(1);"))
    assert check(path if given is path else path.read_text()) == []


CYTHON_FAULTS = {
    "a call in between": "found = PyDict_GetItem(table, key)\n    work()\n    use(<object>found)",
    "a method of it": "found = PyDict_GetItem(table, key)\n    (<A>found).load()\n"
    "    return <A>found",
    "a call in a branch": "found = PyList_GET_ITEM(table, 0)\n    if x:\n        work()\n"
    "    return <A>found",
}
CYTHON_RIGHT = {
    "owned at once": "found = PyDict_GetItem(table, key)\n    own = <object>found\n    work()",
    "taken again": "found = PyDict_GetItem(table, key)\n    work()\n"
    "    found = PyDict_GetItem(table, key)\n    return <object>found",
    "the other branch": "found = PyDict_GetItem(table, key)\n    if x:\n        work()\n"
    "    else:\n        return <object>found",
    "an argument of the call": "found = PyDict_GetItem(table, key)\n    work(\n"
    "        <object>found)",
}


@pytest.mark.parametrize("fault", CYTHON_FAULTS)
def test_a_fault_in_cython_is_found(fault: str) -> None:
    assert len(capi.borrowed(f"cdef object f(self):\n    {CYTHON_FAULTS[fault]}\n")) == 1


@pytest.mark.parametrize("right", CYTHON_RIGHT)
def test_what_is_right_in_cython_is_no_fault(right: str) -> None:
    assert capi.borrowed(f"cdef object f(self):\n    {CYTHON_RIGHT[right]}\n") == []


# --- references -----------------------------------------------------------------------------------


class Counts:
    """The references and the memory of this process."""

    def __init__(self, watched: Iterable[Any]) -> None:
        gc.collect()
        self.blocks = sys.getallocatedblocks()
        self.references = sum(map(sys.getrefcount, watched))
        total = getattr(sys, "gettotalrefcount", None)  # in a debug build of Python only
        self.total = total() if total else 0

    def growth(self, before: Counts) -> int:
        """How much has grown since then."""
        return max(
            abs(self.references - before.references),
            self.blocks - before.blocks,
            self.total - before.total,
        )


def grown(callees: list[Callee], watched: list[Any], passes: int) -> int:
    """Make calls, and return how many blocks or references are left."""
    values = [
        value
        for callee in callees
        for args, kwargs in callee.arguments
        for value in (*args, *kwargs.values())
    ]
    watched = [*watched, *values]
    before = Counts(watched)
    for callee in callees:
        for _ in range(passes):
            callee()
    return Counts(watched).growth(before)


def is_of_cython(value: Any) -> bool:
    """Whether something is a type that Cython makes for its functions and generators."""
    return isinstance(value, type) and repr(value).startswith("<class '_cython_")


def leaks(groups: list[list[Callee]], watched: list[Any], passes: int) -> list[str]:
    """Return the first callable that leaves a block or a reference at every second pass."""
    everyone = [callee for callees in groups for callee in callees]
    for callee in everyone:  # fill the caches
        for _ in range(3):
            callee()
    # A leak grows without end. A cache does not, but it may hold some hundred entries.
    if not all(grown(everyone, watched, passes) >= passes // 2 for _ in range(2)):
        return []
    suspects = [callees for callees in groups if grown(callees, watched, passes) >= passes // 2]
    for callee in itertools.chain(*suspects):
        if all(grown([callee], watched, 100) >= 50 for _ in range(8)):
            return [callee.name]
    return []


PARTS: list[Any] = [
    everything.of_modules, everything.of_messages, everything.of_ops, everything.of_objects,
    everything.of_enums,
]  # fmt: skip


counts_blocks = pytest.mark.skipif(
    os.environ.get("PYTHONMALLOC") == "malloc", reason="malloc() does not count its blocks"
)


@counts_blocks
@pytest.mark.filterwarnings("ignore")  # wrong calls may warn
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_no_call_leaves_references(part: Any, netns: None) -> None:
    groups = [callees for _, callees in part()]
    gc.collect()
    # Generators that Cython 3.3 compiles keep a reference to their type, which costs nothing.
    watched = [each for each in gc.get_objects() if not is_of_cython(each)]
    gc.freeze()  # gc.collect() would spend its time on what exists already
    try:
        found = leaks(groups, watched, PASSES)
    finally:
        gc.unfreeze()
    assert not found


@pytest.mark.filterwarnings("ignore")
def test_most_calls_succeed(netns: None) -> None:
    """A call that is refused at once would show little."""
    counts = [
        (callee.name, callee()) for part in PARTS for _, callees in part() for callee in callees
    ]
    assert len(counts) > 1000
    failing = [name for name, succeeded in counts if not succeeded]
    assert len(failing) < len(counts) / 10, failing


@counts_blocks
@pytest.mark.parametrize("leak", ["block", "reference", "argument"])
def test_a_leak_is_found(leak: str) -> None:
    kept: list[Any] = []
    known = {"of": "a test"}

    def leaking(argument: object) -> None:
        kept.append({"block": object(), "reference": known, "argument": argument}[leak])

    leaking(None)
    callee = Callee("leaking", leaking, [((argument := object(),), {})])
    assert leaks([[callee]], [known], 10) == ["leaking"]
    kept.clear()
    assert sys.getrefcount(argument) < 9
