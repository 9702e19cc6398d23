"""The rules of the house, read from its source: who imports whom, who does I/O, what is explained.

A module imports from the layers below its own. A name that the table lacks is a family's: it
stands on the schema, and families never meet.
"""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import netlink

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "netlink"
FAMILY = "any other name"
LAYERS = (
    ("errors", "constants"),
    ("_core", "_nlsock"),
    ("schema",),
    ("extack",),
    ("engine", "filter", "capture", "trace", FAMILY),
    ("_driver",),
    ("connection", "aio", "testing"),
    ("__init__",),
    ("cli",),
    ("__main__",),
)
LAYER = {name: height for height, names in enumerate(LAYERS) for name in names}
IO = {"_nlsock", "asyncio", "select", "selectors", "socket", "subprocess"}
DOES_IO = {"_driver", "connection", "aio", "__init__", "cli"}  # __init__ only hands RawSocket on
CYTHON = {".pyx", ".pxi", ".pxd"}
SOURCE = sorted(p for p in HOUSE.rglob("*") if p.suffix in {".py", *CYTHON})
FILES = sorted(
    path
    for folder in ("netlink", "tests", "benchmarks", "tools", "examples", ".ci", "setup.py")
    for path in [ROOT / folder, *(ROOT / folder).rglob("*")]
    if path.is_file() and path.suffix in {".py", ".pyi", *CYTHON, ".c", ".h", ""}
)

pytestmark = pytest.mark.skipif(not HOUSE.is_dir(), reason="the source is not here")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def room(path: Path) -> str:
    """The module or package right under `netlink` that a file belongs to."""
    return "_core" if path.suffix in CYTHON else path.relative_to(HOUSE).parts[0].partition(".")[0]


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a file imports, wherever in it."""
    text = path.read_text()
    if path.suffix in CYTHON:  # no Python grammar reads Cython
        yield from re.findall(r"^\s*(?:from|c?import)\s+([\w.]+)", text, re.MULTILINE)
        return
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                assert node.level == 0, f"{path}:{node.lineno}: import by the full name"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_used(path: Path) -> set[str]:
    """The parts of the house that a file imports; `netlink` itself is `__init__`."""
    rooms = set()
    for package, _, rest in (name.partition(".") for name in imports(path)):
        if package == "netlink":
            first = rest.partition(".")[0]
            known = (HOUSE / first).is_dir() or any(HOUSE.glob(f"{first}.*"))
            rooms.add(first if first and known else "__init__")
    return rooms


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_imports_go_down(path: Path) -> None:
    own = room(path)
    for other in rooms_used(path) - {own}:
        here, there = (LAYER.get(name, LAYER[FAMILY]) for name in (own, other))
        assert there < here, f"{own} imports {other}, which is not below it"


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_few_do_io(path: Path) -> None:
    used = {name.removeprefix("netlink.").partition(".")[0] for name in imports(path)}
    assert room(path) in DOES_IO or not used & IO


def test_import_is_cheap() -> None:
    """`import netlink` loads no family, no event loop and nothing that must be installed."""
    script = "import sys; old = {*sys.modules}; import netlink; print(*{*sys.modules} - old)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(netlink.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    parts = {name.split(".")[1] for name in loaded if name.startswith("netlink.")}
    assert parts <= LAYER.keys() - {"cli", "__main__", "aio", "testing"}
    foreign = {name.partition(".")[0] for name in loaded} - {"netlink"}
    # Cython keeps its shared types in modules of its own making.
    foreign = {name for name in foreign if not name.startswith(("cython_", "_cython_"))}
    assert foreign <= sys.stdlib_module_names
    assert not foreign & IO


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_say_what_they_hold(path: Path) -> None:
    text = re.sub(r"\A(#(!| cython:).*\n)+", "", path.read_text())
    assert not text or text.startswith(('"""', "/*", "# "))


def mute(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """The classes and functions that a user may meet, methods included, without a docstring."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("_"):
                continue
            if not ast.get_docstring(node):
                yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from mute(node.body, f"{node.name}.")


@pytest.mark.parametrize("path", [p for p in SOURCE if p.suffix == ".py"], ids=name_of)
def test_public_names_are_explained(path: Path) -> None:
    assert list(mute(ast.parse(path.read_text()).body)) == []


@pytest.mark.parametrize("name", ["_core", "_nlsock"])
def test_extensions_are_explained(name: str) -> None:
    """help() works for what is written in Cython and C."""
    module = importlib.import_module(f"netlink.{name}")
    silent = [] if module.__doc__ else [name]
    for key, value in vars(module).items():
        if key.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        things = {key: value}
        if inspect.isclass(value):  # what can be called: Cython gives plain members no docstring
            things |= {f"{key}.{inner}": v for inner, v in vars(value).items() if callable(v)}
        silent += [path for path in things if "._" not in path and not explanation(things[path])]
    assert silent == []


def explanation(thing: object) -> str:
    """A docstring without the signature that Cython puts before it."""
    text = inspect.getdoc(thing) or ""
    return re.sub(r"\A\w+\(.*\n*", "", text)


def test_setup_is_small() -> None:
    assert len((ROOT / "setup.py").read_text().splitlines()) <= 60
