"""Drafts of family files: they declare what the loader makes, and pass ruff and mypy unchanged."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from netlink import ynl
from netlink.cli import main
from netlink.schema import Message
from netlink.ynl.draft import draft
from netlink.ynl.names import class_name
from tools import outside

HERE = Path(__file__).parent
ROOT = HERE.parent
OWN = sorted((HERE / "specs").glob("*.yaml"))
KERNEL = sorted(folder.glob("*.yaml")) if (folder := outside.specs()) is not None else []

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the commands need sockets")


def family(path: Path) -> ynl.SpecFamily:
    return ynl.build(ynl.parse(path.read_bytes(), str(path)))


def written(path: Path, folder: Path) -> Path:
    """The file with the draft of a spec."""
    made = folder / f"drafted_{path.parent.parent.name}_{path.stem}.py"
    made.write_text(draft(family(path)))
    return made


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # for typing.get_type_hints()
    spec.loader.exec_module(module)
    return module


def described(field: Any) -> Any:
    """What a field is, in a form that compares."""
    if field is None:
        return None
    kind = {"byte_flag": "flag"}.get(field.kind_name, field.kind_name)
    enum = field.enum
    members = None
    if enum is not None and enum is not ynl.Hex:
        members = {name: int(value) for name, value in enum.__members__.items()}
    choices = field.choices
    return (
        field.name if field.name and field.name[0] != "_" else None,
        kind, field.number, field.offset, field.size, field.align, field.first, field.least,
        field.most, members, field.selector, field.climb, described(field.element),
        None if choices is None else {key: layout(cls) for key, cls in choices.items()},
        name_of(field.message) if field.message is not None else None,
    )  # fmt: skip


def name_of(cls: Any) -> str:
    """The name of a class, which a draft changes if a field has it."""
    return class_name(cls.__name__)


def layout(cls: Any) -> Any:
    return name_of(cls), cls.__table__.header, cls.__table__.total


def fields(cls: Any) -> list[Any]:
    return [
        described(field)
        for field in cls.__table__.fields
        if field.kind_name != "pad" or field.number is None
    ]


@pytest.mark.parametrize("path", [*OWN, *KERNEL], ids=lambda path: path.stem)
def test_a_draft_declares_what_the_loader_makes(path: Path, tmp_path: Path) -> None:
    loaded = family(path)
    module = imported(written(path, tmp_path))
    drafted = {
        name_of(value): value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Message) and value is not Message
    }
    assert drafted.keys() == {class_name(name) for name in loaded.message}
    for name in loaded.message:
        assert fields(drafted[class_name(name)]) == fields(loaded.message[name])
    assert module.FAMILY.ops.keys() == loaded.ops.keys()
    for name, op in module.FAMILY.ops.items():
        theirs = loaded.ops[name]
        for attribute in ("type", "answer", "ends", "reply_type", "dumps", "flags", "bracket"):
            assert getattr(op, attribute) == getattr(theirs, attribute), (name, attribute)
        assert layout(op.request) == layout(theirs.request)
    for table in ("classes", "requests"):
        one, other = getattr(module.FAMILY, table), getattr(loaded, table)
        assert {k: layout(v) for k, v in one.items()} == {k: layout(v) for k, v in other.items()}
    assert module.FAMILY.groups == loaded.groups
    assert module.FAMILY.protocol == loaded.protocol
    assert module.FAMILY.version == loaded.version
    assert {n.name: int(n) for n in module.FAMILY.types} == {n.name: int(n) for n in loaded.types}


def check(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *words], capture_output=True, text=True, cwd=ROOT, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_drafts_pass_ruff(tmp_path: Path) -> None:
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not installed")
    for path in (*OWN, *KERNEL):
        written(path, tmp_path)
    config = str(ROOT / "pyproject.toml")
    check("ruff", "check", "--config", config, str(tmp_path))
    check("ruff", "format", "--check", "--config", config, str(tmp_path))


def test_drafts_pass_mypy(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    files = [str(written(path, tmp_path)) for path in (*OWN, *KERNEL)]
    check("mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *files)


def test_a_draft_has_no_sentences_of_the_spec() -> None:
    """Names and numbers are facts. Sentences belong to the authors of the spec."""
    text = draft(family(HERE / "specs/garage.yaml"))
    for sentence in ("Somebody broke in", "The colour of a car", "almost black", "A struct with"):
        assert sentence not in text


def test_names_that_hide_words(tmp_path: Path) -> None:
    """A field may have the name of a word, of a type or of a struct, and an op that of a class."""
    text = (HERE / "specs/garage.yaml").read_text()
    for old, new in (
        ("name: with_line", "name: bytes"),
        ("name: gate\n        type: u8", "name: u8\n        type: u8"),
        ("name: speed", "name: int"), ("name: state\n", "name: car-info\n"),
        ("name: open\n", "name: tuple\n"), ("name: list-doors", "name: Garage"),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    text = text.replace("[ label, gate ]", "[ label ]")
    path = tmp_path / "hidden.yaml"
    path.write_text(text)
    made = written(path, tmp_path)
    module = imported(made)
    assert module.Garage(u8=1, bytes=2, car_info=(1, 1)).to_dict()["u8"] == 1
    source = made.read_text()
    assert "keys_: builtins.int | None = schema.u8(54)" in source
    assert "info: Nested[CarInfo] = struct(14, CarInfo)" in source
    assert "Garage_ = Op(" in source
    if importlib.util.find_spec("mypy") is not None:
        check("mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(made))


@ON_LINUX
def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(HERE / "specs/plain.yaml")
    for words in (["draft", path], [path, "draft"]):
        assert main(["ynl", *words]) == 0
        assert capsys.readouterr().out == draft(family(Path(path)))
    with pytest.raises(SystemExit) as caught:
        main(["ynl", "draft"])
    assert caught.value.code == 2
    assert "required: SPEC" in capsys.readouterr().err
