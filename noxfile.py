"""Tasks for people who work on the project: `nox -l` lists them, `nox -s test lint` runs two.

No check may be here alone: `.ci/run` runs the same commands and does not need nox. This file
exists so that the usual names work: test, lint, types, bench and docs. Arguments after `--` go to
the tool of the session.
"""

from __future__ import annotations

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
