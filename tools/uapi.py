"""Read the kernel's C headers: constants, and structs with their members.

The preprocessor of a C compiler lists the names, and a compiled program prints their numbers, sizes
and offsets. So this file does not have to parse C expressions. It must not know families or
declarations.
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
PREAMBLE = ["stddef.h", "stdint.h", "sys/socket.h"]  # some headers fail to include these
# No uapi header defines AF_*. sys/socket.h of the C library includes a file that does.
SOCKET, SOCKET_FILE = "sys/socket.h", re.compile(r".*/bits/socket\.h")
# The headers of a kernel tree use words that "make headers_install" removes.
NOT_UAPI = ["linux/compiler.h", "linux/compiler_types.h"]
WORDS = {"__user": "", "__force": "", "__bitwise": "", "__attribute_const__": ""}
WORDS |= {"BIT(n)": "(1U<<(n))"}

# The definition of an integer macro: only words and operators, and not only a type.
CONSTANT = re.compile(r"(?=.*(\b\d|[A-Z]))[\w\s()<>|&~+*-]+")
TYPES = {"int", "unsigned", "long", "__u16", "__u32"}  # types that may occur in it
INNER = "inner"  # the type of a member that is a struct or union without a name


@dataclass(frozen=True)
class Constant:
    """An enumerator or a macro.

    The `group` of an enumerator is the common prefix of its enum, or "enum TAG" if there is none.
    The group of a macro is its header.
    """

    group: str
    number: int


@dataclass(frozen=True)
class Member:
    """One member of a C struct. The size of a flexible array is 0."""

    type: str
    offset: int
    size: int


@dataclass(frozen=True)
class Struct:
    """A C struct with its size and members."""

    size: int
    members: dict[str, Member]


class Headers:
    """The constants and structs of some headers of an include folder. Missing headers are skipped.

    All headers are compiled together, so they must not contradict each other.
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._folder = folder.resolve()
        self._names = [n for n in names if n == SOCKET or (folder / n).exists()]
        self.constants: dict[str, Constant] = {}
        self.structs: dict[str, Struct] = {}
        self._groups: dict[str, str] = {}  # of each enumerator
        self._bounds: set[str] = set()  # enumerators that only count the others
        self._macros: dict[str, tuple[str, str]] = {}  # their header and value
        self._functions: set[str] = set()  # macros that take arguments
        self._bodies: dict[str, dict[str, tuple[str, bool]]] = {}
        if self._names:
            self._preprocess()
            self._measure()

    def _compile(self, *arguments: str, body: str = "") -> str:
        """Compile a file that includes the headers and has a body. Return the compiler's output."""
        if COMPILER is None:
            raise FileNotFoundError("found no C compiler (cc), which is needed to read headers")
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
        """Collect the names of macros, enums and structs that these headers define themselves."""
        files = {str(self._folder / name): name for name in self._names}
        text: dict[str, list[str]] = {name: [] for name in self._names}
        file: str | None = None
        for line in self._compile("-E", "-dD").splitlines():
            if marker := re.match(r'# \d+ "(.*)"', line):
                file = SOCKET if SOCKET_FILE.fullmatch(marker[1]) else files.get(marker[1])
                file = file if file in text else None
            elif macro := re.match(r"#define (\w+)\(", line):
                self._functions.add(macro[1])
            elif macro := re.match(r"#define (\w+) (.+)", line):
                is_wanted = file != SOCKET or macro[1].startswith("AF_")
                self._macros[macro[1]] = ((file or "") if is_wanted else "", macro[2])
            elif file and not line.startswith("#"):
                text[file].append(line)
        for lines in text.values():
            self._types(
                re.sub(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)", "", "\n".join(lines))
            )

    def _types(self, text: str) -> None:
        for tag, body in re.findall(r"\benum\s*(\w*)\s*\{([^{}]*)\}", text):
            definitions = re.findall(r"(?:\A|,)\s*(\w+)([^,]*)", body)
            names = [name for name, value in definitions if not is_bound(name, value)]
            prefix = common_prefix(names)
            group = prefix if prefix.isupper() else f"enum {tag}".strip()
            self._groups |= {name: group for name in names if name != f"{group}_MAX"}
            self._bounds |= {name for name, _ in definitions} - self._groups.keys()
        for found in re.finditer(r"\bstruct\s+(\w+)\s*\{", text):
            self._bodies[found[1]] = dict(_members(_braced(text, found.end())))

    def _integers(self) -> set[str]:
        """Return the enumerators, and the macros whose value is an integer."""
        names = {*self._groups, *self._bounds}
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
        """Compile and run a program that prints the numbers."""
        groups = {
            name: file
            for name, (file, value) in self._macros.items()
            if file and not is_bound(name, value)
        } | self._groups
        wanted = sorted(self._integers() & groups.keys())
        lines = [f'printf("{name} %lld\\n", (long long)({name}));' for name in wanted]
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
                self.structs[struct].members[member] = Member(kind, *map(int, numbers))
            elif name.endswith(":"):
                self.structs[name[:-1]] = Struct(int(numbers[0]), {})
            else:
                self.constants[name] = Constant(groups[name], int(numbers[0]))


def release(folder: Path) -> str:
    """Return the release of an include folder, or of the kernel tree that it belongs to.

    Raises FileNotFoundError if neither linux/version.h nor the Makefile of a kernel tree states it.
    """
    parents = folder.resolve().parents
    for path in [folder / "linux/version.h", *(parent / "Makefile" for parent in parents)]:
        text = path.read_text() if path.exists() else ""
        if found := re.search(r"(?:_MAJOR|VERSION =) (\d+)\n.*PATCHLEVEL[ =]+(\d+)\n", text):
            return f"{found[1]}.{found[2]}"
    raise FileNotFoundError(
        f"{folder} does not state its release, by linux/version.h or a Makefile"
    )


def is_bound(name: str, value: str) -> bool:
    """Return whether a constant only counts others: __A_MAX, NUM_A, or A_MAX = NUM_A - 1."""
    is_last = name.endswith("_MAX") or name.startswith("MAX_")
    return name.startswith(("_", "NUM_")) or bool(is_last and re.search(r"\b__| - 1\b", value))


def common_prefix(names: list[str]) -> str:
    """Return the common first words of names, such as A_B of A_B_C and A_B_D, or ""."""
    parts = [name.split("_")[:-1] for name in names]
    common = []
    for words in zip(*parts, strict=False):
        if len({*words}) > 1:
            break
        common.append(words[0])
    return "_".join(common)


def _braced(text: str, start: int) -> str:
    """Return the text between an opening brace, just before `start`, and its closing one."""
    depth, end = 1, start
    while depth:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return text[start : end - 1]


def _members(body: str) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Yield the members of a struct, each with its type and whether it is a flexible array.

    A member of an inner struct is named "outer.inner", or "inner" if the struct has no name. Bit
    fields are left out, because they have no offset.
    """
    while body := body.strip():
        head, inside = re.split("[;{]", body, maxsplit=1)[0], ""
        if body[len(head)] == "{":
            inside = _braced(body, len(head) + 1)
            body = f"{INNER} {body[len(head) + len(inside) + 2 :]}"
            inside *= not head.startswith("enum")
        statement, _, body = body.partition(";")
        if ":" in statement:
            continue
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
