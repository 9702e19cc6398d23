"""What the kernel's C headers say: constants, and structs with their members.

The C compiler does the reading: what it preprocesses gives the names, and a program that it
compiles prints their numbers, sizes and offsets.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

COMPILER = shutil.which("cc") or shutil.which("gcc")
PREAMBLE = ["stddef.h", "stdint.h", "sys/socket.h"]  # AF_*, and what headers forget to include
# A kernel tree has its headers as they are before installing takes the kernel's own words away.
NOT_UAPI = ["linux/compiler.h", "linux/compiler_types.h"]
WORDS = {"__user": "", "__force": "", "__bitwise": "", "__attribute_const__": ""}
WORDS |= {"BIT(n)": "(1U<<(n))"}

RELEASE = (6, 12)  # of Linux: where headers do not say theirs

# An integer's definition: nothing but words and operators, and not a type alone.
CONSTANT = re.compile(r"(?=.*(\b\d|[A-Z]))[\w\s()<>|&~+*-]+")
TYPES = {"int", "unsigned", "long", "__u16", "__u32"}  # which may stand in it
INNER = "inner"  # the type of a member that is a struct or union without a name


@dataclass(frozen=True)
class Member:
    """One member of a C struct; the size of a flexible array is 0."""

    type: str
    offset: int
    size: int


class Headers:
    """What the headers of an include folder define, those of the given names that exist."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._folder = folder.resolve()
        self._names = [name for name in sorted({*names}) if (folder / name).exists()]
        self.release = _release(self._folder)
        self.enums: list[tuple[str, list[str]]] = []  # their tag, which may be "", and members
        self.constants: dict[str, int] = {}
        self.structs: dict[str, dict[str, Member]] = {}
        self.sizes: dict[str, int] = {}
        self._macros: dict[str, tuple[str, str]] = {}  # their file and value
        self._functions: set[str] = set()  # macros that take arguments
        self._bodies: dict[str, dict[str, tuple[str, bool]]] = {}
        self._preprocess()
        self._measure()

    def neighbours(self, name: str) -> list[str]:
        """The constants that stand in one enum with a constant, itself included."""
        return next((names for _, names in self.enums if name in names), [])

    def macros(self, prefix: str, beside: Iterable[str]) -> list[str]:
        """The macros of a prefix in the headers that define one of some others."""
        files = {self._macros[name][0] for name in beside if name in self._macros}
        return [
            name
            for name, (file, _) in self._macros.items()
            if file in files and name.startswith(prefix) and name in self.constants
        ]

    def _compile(self, *arguments: str, body: str = "") -> str:
        """What the compiler prints for a file that includes the headers, and then goes on."""
        if COMPILER is None:
            raise FileNotFoundError("reading headers takes a C compiler (cc)")
        lines = [f"#include <{name}>" for name in [*PREAMBLE, *self._names]]
        words = [f"-D{word}={value}" for word, value in WORDS.items()]
        with tempfile.TemporaryDirectory() as shim:
            (Path(shim) / "linux").mkdir()
            for name in NOT_UAPI:
                (Path(shim) / name).touch()
            done = subprocess.run(
                [COMPILER, "-w", f"-I{self._folder}", f"-I{shim}", *words, *arguments, "-xc", "-"],
                input="\n".join([*lines, body]),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
        return done.stdout

    def _preprocess(self) -> None:
        """Collect the names of macros, enums and structs."""
        kept, file = [], ""
        for line in self._compile("-E", "-dD").splitlines():
            if marker := re.match(r'# \d+ "(.*)"', line):
                file = marker[1]
            elif macro := re.match(r"#define (\w+) (.+)", line):
                self._macros[macro[1]] = (file, macro[2])
            elif macro := re.match(r"#define (\w+)\(", line):
                self._functions.add(macro[1])
            elif not line.startswith("#"):
                kept.append(line)
        text = re.sub(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)", "", "\n".join(kept))
        for tag, body in re.findall(r"\benum\s*(\w*)\s*\{([^{}]*)\}", text):
            self.enums.append((tag, re.findall(r"(?:\A|,)\s*(\w+)", body)))
        for found in re.finditer(r"\bstruct\s+(\w+)\s*\{", text):
            self._bodies[found[1]] = dict(_members(_braced(text, found.end())))

    def _integers(self) -> set[str]:
        """The constants, and the macros that come down to constants."""
        names = {name for _, names in self.enums for name in names}
        pending = {
            name: {*re.findall(r"\b[A-Za-z_]\w*", value)} - TYPES - self._functions
            for name, (_, value) in self._macros.items()
            if CONSTANT.fullmatch(value) and not name.startswith("_") and name not in names
        }
        while ready := {name for name, words in pending.items() if words <= names}:
            names |= ready
            pending = {name: words for name, words in pending.items() if name not in ready}
        return names

    def _measure(self) -> None:
        """Let a program say the numbers."""
        lines = [f'printf("{name} %lld\\n", (long long)({name}));' for name in self._integers()]
        for struct, members in self._bodies.items():
            lines.append(f'printf("{struct}: %zu\\n", sizeof(struct {struct}));')
            for name, (_, is_flexible) in members.items():
                offset = f"offsetof(struct {struct}, {name})"
                size = "0UL" if is_flexible else f"sizeof(((struct {struct} *)0)->{name})"
                lines.append(f'printf("{struct}.{name} %zu %zu\\n", {offset}, {size});')
        body = "\n".join(["#include <stdio.h>", "int main(void) {", *lines, "return 0; }"])
        with tempfile.TemporaryDirectory() as folder:
            program = f"{folder}/program"
            self._compile("-o", program, body=body)
            printed = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True)
        for line in printed.stdout.splitlines():
            name, *numbers = line.split()
            struct, dot, member = name.partition(".")
            if dot:
                kind, _ = self._bodies[struct][member]
                self.structs[struct][member] = Member(kind, *map(int, numbers))
            elif name.endswith(":"):
                self.sizes[name[:-1]], self.structs[name[:-1]] = int(numbers[0]), {}
            else:
                self.constants[name] = int(numbers[0])


def _release(folder: Path) -> tuple[int, int]:
    """Installed headers say their release themselves, those of a kernel tree by its Makefile."""
    for path in (folder / "linux/version.h", folder.parents[1] / "Makefile"):
        text = path.read_text() if path.exists() else ""
        if found := re.search(r"(?:_MAJOR|VERSION =) (\d+)\n.*PATCHLEVEL[ =]+(\d+)\n", text):
            return int(found[1]), int(found[2])
    return RELEASE


def _braced(text: str, start: int) -> str:
    """What stands between an opening brace, behind which `start` is, and its closing one."""
    depth, end = 1, start
    while depth:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return text[start : end - 1]


def _members(body: str) -> Iterator[tuple[str, tuple[str, bool]]]:
    """The members of a struct, each with its type and whether it is a flexible array.

    Those of a struct inside are "outer.inner", or plainly "inner" where it has no name. Bit fields
    are left out, as they have no offset.
    """
    while body := body.strip():
        head, inside = re.split("[;{]", body, maxsplit=1)[0], ""
        if body[len(head)] == "{":
            inside = _braced(body, len(head) + 1)
            body = f"{INNER} {body[len(head) + len(inside) + 2 :]}"
        statement, _, body = body.partition(";")
        first, *more = statement.split(",")
        found = re.fullmatch(r"\s*(.*?[\s*])(\w+)\s*((?:\[.*\])?)\s*", first, re.S)
        if found:
            kind = " ".join(found[1].replace("const ", "").split())
            yield found[2], (kind, found[3].startswith("[]"))
            for name in more:
                yield name.strip(" \n\t*").partition("[")[0], (kind, False)
            if not found[3]:
                yield from ((f"{found[2]}.{name}", about) for name, about in _members(inside))
        elif statement.strip() == INNER:
            yield from _members(inside)
