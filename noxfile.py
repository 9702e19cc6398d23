"""Tasks for people who work on the project: `nox -l` lists them, `nox -s test lint` runs two.

`.ci/run` runs the same commands and does not need nox. Of the last five sessions, which take long,
it runs a part, but nothing under valgrind. This file exists so that the usual names work: test,
lint, types, bench and docs. Arguments after `--` go to the tool of the session.
"""

from __future__ import annotations

import os
import subprocess

import nox

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
DEV = nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]["dev"]
EXTENSIONS = ["netlink._core", "netlink._nlsock"]

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["test", "lint", "types", "docs"]
nox.options.error_on_missing_interpreters = False  # a session without its Python is skipped


@nox.session(python=PYTHONS)
def test(session: nox.Session) -> None:
    """Run the tests: `nox -s test-3.13 -- -x tests/test_core.py`."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style of every file."""
    session.install(*(requirement for requirement in DEV if requirement.startswith("ruff")))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, the stubs of the extension modules, and the examples as a user would."""
    session.install("-e", ".[dev,bench]")
    session.run("mypy", *session.posargs)
    session.run("mypy", "--strict", "examples")
    session.run("pyright", "examples")
    session.run("pytest", "-q", "tests/test_typing.py")  # here pyright and jedi do not skip
    session.run("python", "-m", "mypy.stubtest", *EXTENSIONS)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks: `nox -s bench -- dump-routes`."""
    session.install("-e", ".[bench]")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Run every program of the README, docs/ and examples/, and compare what it prints."""
    session.install("-e", ".[test]")
    session.run(
        "pytest", "tests/test_readme.py", "tests/test_docs.py", "tests/test_examples.py",
        *session.posargs,
    )  # fmt: skip


@nox.session
def leaks(session: nox.Session) -> None:
    """Decode a million messages, make 100,000 requests and open 10,000 connections."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.leaks", *session.posargs)
    session.run("pytest", "-q", "tests/test_capi.py", env={"NETLINK_LONG": "1"})


@nox.session
def threads(session: nox.Session) -> None:
    """Run the live tests of sockets and connections under ThreadSanitizer."""
    session.install("-e", ".[test]", env={"NETLINK_BUILD": "thread"})
    library = subprocess.check_output(["gcc", "-print-file-name=libtsan.so"], text=True).strip()
    session.run(
        "setarch", "-R", "python", "-m", "pytest", "-q", "-k", "not fork",
        *(session.posargs or ["tests/test_nlsock.py", "tests/kernel/test_conversation.py"]),
        env={"LD_PRELOAD": library, "TSAN_OPTIONS": "exitcode=66"}, external=True,
    )  # fmt: skip


@nox.session(python=os.environ.get("NETLINK_DEBUGGER", "python3.11-dbg"))
def references(session: nox.Session) -> None:
    """Run the tests on a debug build of Python, which checks and counts all references."""
    session.install("pytest", "hypothesis", "rich", "PyYAML")
    session.install("-e", ".", env={"NETLINK_BUILD": "debug"})
    session.run(
        "python", "-m", "pytest", "-q",
        *(session.posargs or ["tests/test_core.py", "tests/test_nlsock.py", "tests/test_capi.py"]),
    )  # fmt: skip


@nox.session
def valgrind(session: nox.Session) -> None:
    """Run the tests of the core and of the sockets under valgrind, which takes twenty minutes."""
    session.install("pytest", "hypothesis", "rich", "PyYAML")
    session.install("-e", ".", env={"NETLINK_BUILD": "debug"})
    session.run(
        "valgrind", "--error-exitcode=99", "--leak-check=no", "--child-silent-after-fork=yes",
        "--suppressions=tests/valgrind.supp",
        "python", "-m", "pytest", "-q",
        *(session.posargs or ["tests/test_core.py", "tests/test_nlsock.py"]),
        env={"PYTHONMALLOC": "malloc"}, external=True,
    )  # fmt: skip


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure the coverage of the core, the sockets and the conversation. It builds in place."""
    session.install("-e", ".[test]", "coverage", "setuptools", "Cython")
    session.run("python", "-m", "tools.coverage", "-q", *session.posargs)
