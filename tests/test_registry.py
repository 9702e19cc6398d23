"""The only list of families: it is complete, cheap to import, and helps with unknown names."""

import subprocess
import sys
from pathlib import Path

import pytest

import netlink
from netlink import registry
from netlink.constants import NETLINK
from netlink.family import Family
from netlink.registry import FAMILIES, Entry, find, load, near, speaking
from tools.declarations import modules


def declared_families() -> dict[str, Family]:
    """Return every module of the package that has a FAMILY, found without the registry."""
    loaded = {module.__name__: getattr(module, "FAMILY", None) for module in modules("netlink")}
    return {name: family for name, family in loaded.items() if isinstance(family, Family)}


def test_every_family_is_listed() -> None:
    declared = declared_families()
    assert {entry.load() for entry in FAMILIES} == {*declared.values()}
    for entry in FAMILIES:
        assert declared[entry.module] is entry.load()


@pytest.mark.parametrize("entry", FAMILIES, ids=lambda entry: entry.name)
def test_an_entry_agrees_with_its_family(entry: Entry) -> None:
    family = entry.load()
    assert entry.protocol == family.protocol
    assert entry.kernel_name == (family.name if family.is_generic else "")
    assert entry.name == entry.module.rpartition(".")[2]
    assert family.is_generic or entry.name == family.name
    assert find(entry.name) is entry
    assert load(entry.name) is family
    assert entry in speaking(entry.protocol)
    if entry.kernel_name:
        first = next(each for each in FAMILIES if each.kernel_name == entry.kernel_name)
        assert find(entry.kernel_name) is first


def test_names_are_unique() -> None:
    names = [entry.name for entry in FAMILIES]
    assert len(set(names)) == len(names)


def test_no_other_list_of_families() -> None:
    """Only the registry contains the modules of two families as strings."""
    modules = [entry.module for entry in FAMILIES]
    for path in Path(netlink.__file__).parent.rglob("*.py"):
        text = path.read_text()
        quoted = [module for module in modules if f'"{module}"' in text]
        assert path.name == "registry.py" or len(quoted) < 2, path


def test_import_is_cheap() -> None:
    """Importing the registry loads no family; loading one of them loads no other."""
    script = (
        "import sys, netlink.registry as r\n"
        "modules = {entry.module for entry in r.FAMILIES}\n"
        "print(*sorted(modules & {*sys.modules}))\n"
        "r.load('taskstats')\n"
        "print(*sorted(modules & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(netlink.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "\nnetlink.generic.nlctrl netlink.generic.taskstats\n"


ALL = ", ".join(entry.name for entry in FAMILIES)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rout", "this library has no family 'rout'; did you mean 'route'?"),
        ("TASKSTAT", "this library has no family 'TASKSTAT'; did you mean 'taskstats'?"),
        ("xyz", f"this library has no family 'xyz'; there are: {ALL}"),
        ("", f"this library has no family ''; there are: {ALL}"),
    ],
)  # fmt: skip
def test_unknown_family(name: str, told: str) -> None:
    for function in (find, load):
        with pytest.raises(LookupError) as raised:
            function(name)
        assert str(raised.value) == told


def test_unknown_protocol() -> None:
    assert speaking(31) == ()
    assert speaking(NETLINK.NETLINK_ROUTE) == (find("route"),)


def test_near() -> None:
    assert near("LNIK", ["link", "addr"]) == "; did you mean 'link'?"
    assert near("zzz", ["link", "addr"]) == "; there are: link, addr"
    assert near("zzz", []) == ""


def test_all_is_complete() -> None:
    assert set(registry.__all__) <= set(vars(registry))
