"""Project rules that are checked in the source: imports between files, I/O, and documentation.

Every file of the package has a place in LAYERS. It may import from lower places only, at any line
of the file. A file without a place is an error, and so is a cycle of files.
"""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

import netlink
from netlink.family import Op

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "netlink"
TESTS = ROOT / "tests"

# From the bottom to the top, as docs/architecture.md shows it. A name is that of a file without its
# ending, or a pattern for a folder. Names in one place do not import each other; files in one
# folder may, without cycles, unless it is a folder of FAMILIES.
LAYERS = (
    ("errors",),
    ("constants",),
    ("_core", "_nlsock"),
    ("render",),
    ("schema",),
    ("family", "words"),
    ("extack", "registry"),
    ("generic/nlctrl", "netfilter/nfnetlink"),
    # Families do not import each other: only nlctrl, which is below.
    (
        "route/*", "generic/*", "netfilter/*", "diag/*", "xfrm", "audit", "uevent", "connector",
        "ynl/*",
    ),
    ("_exchange", "_resolver", "_bpf"),
    ("engine", "filter", "capture", "trace"),
    ("_pipeline", "_events", "where"),
    ("follow",),
    ("_transport",),
    ("connection", "aio"),
    ("testing", "arrow"),
    ("__init__",),
    ("cli/*",),
    ("__main__",),
)  # fmt: skip
# Folders whose files, and folders, are families of their own.
FAMILIES = {"generic", "netfilter"}

IO = {"_nlsock", "asyncio", "select", "selectors", "socket", "socketserver", "ssl", "subprocess"}
DOES_IO = {"_transport", "connection", "aio"}
# Modules that take milliseconds to import. Only the functions that need them import them.
SLOW = {"ast", "dataclasses", "difflib", "dis", "inspect", "json", "pathlib", "tempfile", "urllib"}
SHOWS_IO = {"__init__"}  # hands RawSocket on, and does nothing with it
OPENS_FILES = {"ynl"}  # load() reads the file that it is given
CORE = {".pyx", ".pxi"}
CYTHON = {*CORE, ".pxd"}  # a .pxd file has the C types of the .py file next to it
SOURCE = sorted(p for p in HOUSE.rglob("*") if p.suffix in {".py", *CYTHON})
FILES = sorted(
    path
    for folder in (
        "netlink",
        "tests",
        "benchmarks",
        "tools",
        "examples",
        ".ci",
        "setup.py",
        "noxfile.py",
    )
    for path in [ROOT / folder, *(ROOT / folder).rglob("*")]
    if path.is_file() and path.suffix in {".py", ".pyi", *CYTHON, ".c", ".h", ""}
)

pytestmark = pytest.mark.skipif(not HOUSE.is_dir(), reason="the source is not here")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- imports --------------------------------------------------------------------------------------


def module_of(path: Path) -> str:
    """Return a file's name as in LAYERS: "engine", "route/link", "route/tc/__init__"."""
    name = "_core" if path.suffix in CORE else str(path.relative_to(HOUSE).with_suffix(""))
    return name.removesuffix("/__init__") if name != "__init__" else name


MODULES = {module_of(path): path for path in SOURCE if path.suffix not in CYTHON}
# What is compiled, or stands for it on another system, is imported like the others.
KNOWN = {*MODULES, "_core", "_nlsock"}


def heights(module: str) -> list[int]:
    """Return the layers that list a module, by name or else by pattern. There must be one."""
    exact = [height for height, names in enumerate(LAYERS) if module in names]
    return exact or [
        height
        for height, names in enumerate(LAYERS)
        if any(fnmatchcase(f"{module}/", f"{name}*") for name in names if name.endswith("/*"))
        or any(fnmatchcase(module, name) for name in names)
    ]


def folder_of(module: str) -> str:
    """Return the folder under `netlink` that contains a module, or the module's own name."""
    return module.partition("/")[0]


def same_family(one: str, two: str) -> bool:
    """Return whether two modules are in the same folder, and so in the same family."""
    depth = 2 if folder_of(one) in FAMILIES else 1
    return "/" in one + two and one.split("/")[:depth] == two.split("/")[:depth]


def dotted(path: Path) -> Iterator[tuple[int, str]]:
    """Yield all imports of a file, at any depth: (line, "package.module.name")."""
    text = path.read_text()
    if path.suffix in CYTHON:  # Python's parser cannot read Cython
        for match in re.finditer(r"^\s*(?:from|c?import)\s+([\w.]+)", text, re.MULTILINE):
            yield text.count("\n", 0, match.start()) + 1, f"{match[1]}."
        return
    package = [ROOT.name, *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import():
                yield from ((node.lineno, f"{alias.name}.") for alias in node.names)
            case ast.ImportFrom():
                base = package[1 : len(package) + 1 - node.level] if node.level else []
                prefix = ".".join([*base, *filter(None, [node.module])])
                yield from ((node.lineno, f"{prefix}.{alias.name}") for alias in node.names)


def inside(name: str) -> str | None:
    """Return the module of the package that a dotted name leads to, or None."""
    package, *parts = name.split(".")
    if package != "netlink":
        return None
    if "/".join(parts) not in KNOWN:
        parts.pop()  # a name in the module
    module = "/".join(parts) or "__init__"
    assert module in KNOWN, f"there is no module {name}"
    return module


@cache
def imports(module: str) -> dict[str, int]:
    """Return the modules of the package that a module imports, each with a line number."""
    paths = [MODULES[module]]
    if module == "_core":
        paths = [path for path in SOURCE if path.suffix in CORE]
    return {
        other: line
        for path in paths
        for line, name in dotted(path)
        if (other := inside(name)) not in (None, module)
    }


def faults(module: str) -> Iterator[str]:
    """Yield every import of a module that does not go down."""
    for other, line in imports(module).items():
        (here,), (there,) = heights(module), heights(other)
        if there > here or (there == here and not same_family(module, other)):
            yield f"{module}:{line} imports {other}, which is not below it"


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_every_file_has_a_place(path: Path) -> None:
    assert len(heights(module_of(path))) == 1, "add the file to LAYERS, or to a folder there"


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    assert [*faults(module)] == []


def cycles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Yield the cycles of a graph."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(module: str, trail: list[str]) -> None:
        if module in trail:
            found.append([*trail[trail.index(module) :], module])
        elif module not in done:
            for other in sorted(edges.get(module, ())):
                walk(other, [*trail, module])
            done.add(module)

    for module in sorted(edges):
        walk(module, [])
    return found


def test_there_are_no_cycles() -> None:
    """A veth's peer is a link, but links name their kinds as strings, so there is no cycle."""
    edges = {module: {*imports(module)} for module in MODULES}
    assert "route/link" in edges["route/link/kinds/veth"]
    assert cycles(edges) == []


def test_cycles_are_found() -> None:
    assert cycles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == [["a", "b", "c", "a"]]
    assert cycles({"a": {"a"}}) == [["a", "a"]]


@pytest.mark.parametrize(
    ("importing", "imported", "is_fault"),
    [
        ("engine", "family", False),
        ("family", "engine", True),
        ("connection", "aio", True),
        ("route/link", "generic/taskstats", True),
        ("generic/taskstats", "generic/nlctrl", False),
        ("generic/nlctrl", "generic/taskstats", True),
        ("generic/dquot", "generic/taskstats", True),
        ("generic/ethtool/rings", "generic/ethtool/bitset", False),
        ("generic/ethtool/rings", "generic/devlink", True),
        ("netfilter/conntrack", "netfilter/nftables", True),
        ("xfrm", "audit", True),
        ("route/link", "route", False),
        ("route/link", "generic/nlctrl", False),
        ("route/tc/qdisc", "route/link", False),
        ("route/link/kinds/veth", "route/link", False),
        ("route/link/kinds/bond", "engine", True),
        ("cli/dump", "cli/output", False),
        ("engine", "cli/output", True),
        ("_resolver", "generic/nlctrl", False),
        ("schema", "render", False),
        ("render", "schema", True),
    ],
)
def test_the_places_are_as_meant(
    importing: str, imported: str, is_fault: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "imports", lambda module: {imported: 1})
    assert bool([*faults(importing)]) is is_fault


def test_a_file_that_nobody_knows_has_no_place() -> None:
    assert heights("surprise") == []
    assert heights("surprise/link") == []
    assert len(heights("route/tc/sch/surprise")) == 1


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("netlink.route.link.Link", "route/link"),
        ("netlink.route.link", "route/link"),
        ("netlink.route.FAMILY", "route"),
        ("netlink._core.View", "_core"),
        ("netlink._core.", "_core"),
        ("netlink.Connection", "__init__"),
        ("netlink.", "__init__"),
        ("struct.pack", None),
    ],
)
def test_names_lead_to_modules(name: str, module: str | None) -> None:
    assert inside(name) == module


@pytest.mark.parametrize(
    "name", ["netlink.surprise.Name", "netlink.surprise.", "netlink.route.x.y"]
)
def test_modules_that_do_not_exist(name: str) -> None:
    with pytest.raises(AssertionError, match="no module"):
        inside(name)


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_few_do_io(path: Path) -> None:
    module = module_of(path)
    used = {name.removeprefix("netlink.").partition(".")[0] for _, name in dotted(path)}
    if folder_of(module) not in DOES_IO | SHOWS_IO | {"cli"}:
        assert not used & IO
    if path.suffix == ".py" and module not in SHOWS_IO:
        opens = {
            node.lineno
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("open", "os.open")
        }
        assert not opens or folder_of(module) in DOES_IO | OPENS_FILES | {"cli"}


# --- declarations ---------------------------------------------------------------------------------

PYTHON = [path for path in SOURCE if path.suffix == ".py"]


def classes(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield the classes that a file declares, with the names of their bases."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            yield node.name, {ast.unparse(base).rpartition(".")[2] for base in node.bases}


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_enums_print_their_names(path: Path) -> None:
    """A plain IntEnum would print as a number: f"{link.operstate}" as 6."""
    plain = {name for name, bases in classes(path) if bases & {"IntEnum", "IntFlag"}}
    assert plain == ({"KernelEnum", "KernelFlag"} if module_of(path) == "constants" else set())


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_padding_is_no_argument(path: Path) -> None:
    """If padding had an annotation, type checkers would offer it as a constructor argument."""
    annotated = [
        ast.unparse(node.target)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func).rpartition(".")[2] == "pad"
    ]
    assert annotated == []


def test_the_layout_of_an_index_is_described_once() -> None:
    layout = re.compile(r"\b(?:IIII|4I)iI\b")
    found = [path for path in FILES if path.name != "_core.c" and layout.search(path.read_text())]
    assert found == [HOUSE / "_core.h"]


# --- tests ----------------------------------------------------------------------------------------

TEST_FILES = [path for path in FILES if path.is_relative_to(TESTS) and path.suffix == ".py"]


def is_test(path: Path) -> bool:
    return path.name.startswith("test_")


@pytest.mark.parametrize("path", TEST_FILES, ids=name_of)
def test_no_file_imports_from_a_test_module(path: Path) -> None:
    """Shared helpers are in modules without tests. Otherwise pytest might run a test twice."""
    shared = {
        name
        for _, name in dotted(path)
        if name.startswith("tests.") and any(p.startswith("test_") for p in name.split("."))
    }
    assert shared == set()


@pytest.mark.parametrize("path", [p for p in TEST_FILES if not is_test(p)], ids=name_of)
def test_what_is_shared_has_no_tests(path: Path) -> None:
    found = [
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node.name.lower().startswith("test")
    ]
    assert found == []


# --- what is loaded, and what is explained --------------------------------------------------------

# What `import netlink` may load.
NEEDED = {
    "_core", "_events", "_exchange", "_nlsock", "_pipeline", "_resolver", "_transport", "constants",
    "connection", "engine", "errors", "extack", "family", "render", "schema",
}  # fmt: skip


def test_import_is_cheap() -> None:
    """`import netlink` loads no family, no event loop and no optional dependency."""
    script = "import sys; old = {*sys.modules}; import netlink; print(*{*sys.modules} - old)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],  # without what an editable install imports
        cwd=Path(netlink.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    parts = {name.split(".")[1] for name in loaded if name.startswith("netlink.")}
    assert parts <= NEEDED
    foreign = {name.partition(".")[0] for name in loaded} - {"netlink"}
    # Cython creates modules for its shared types.
    foreign = {name for name in foreign if not name.startswith(("cython_", "_cython_"))}
    assert foreign <= sys.stdlib_module_names
    assert not foreign & (IO | SLOW)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_say_what_they_hold(path: Path) -> None:
    text = re.sub(r"\A(#(!| cython:).*\n)+", "", path.read_text())
    assert not text or text.startswith(('"""', "/*", "# "))


def mute(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """Yield the public classes, functions and methods that have no docstring."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            is_overload = any(ast.unparse(each) == "overload" for each in node.decorator_list)
            if node.name.startswith("_") or is_overload:
                continue
            if not ast.get_docstring(node):
                yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from mute(node.body, f"{node.name}.")


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_public_names_are_explained(path: Path) -> None:
    assert list(mute(ast.parse(path.read_text()).body)) == []


@pytest.mark.parametrize("name", ["_core"] + ["_nlsock"] * (sys.platform == "linux"))
def test_extensions_are_explained(name: str) -> None:
    """help() works for classes and functions that are written in Cython and C."""
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
    """Return a docstring without the signature that Cython puts before it."""
    text = inspect.getdoc(thing) or ""
    return re.sub(r"\A\w+\(.*\n*", "", text)


@pytest.mark.parametrize("path", [p for p in SOURCE if p.suffix == ".py"], ids=name_of)
def test_ops_belong_to_a_family(path: Path) -> None:
    """A connection refuses requests of an op that was not added to a family."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[-1] == "__main__":
        return
    try:
        module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
    except ImportError as error:
        if sys.platform == "linux":
            raise
        pytest.skip(f"needs netlink sockets: {error}")
    ops = [value for value in vars(module).values() if isinstance(value, Op)]
    assert [op for op in ops if op.family is None] == []


def test_setup_is_small() -> None:
    assert len((ROOT / "setup.py").read_text().splitlines()) <= 90
