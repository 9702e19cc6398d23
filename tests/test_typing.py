"""The types that type checkers and editors infer for fields, constructors, ops and plans.

The comments in typing_cases.py say what mypy and pyright must find. inspect, help() and jedi must
find the parameters of everything that can be called.
"""

from __future__ import annotations

import inspect
import json
import pydoc
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from netlink import Message, Op, Plan
from netlink import schema as s
from netlink.constants import AF, NLMSG
from netlink.route import link, nsid, route
from netlink.route.link import Link

CASES = Path(__file__).with_name("typing_cases.py")
ROOT = CASES.parent.parent

# --- type checkers --------------------------------------------------------------------------------


Finding = tuple[str, set[str]]  # "is" and the members of a union, or "error" and its codes


def expected() -> dict[int, Finding]:
    """Return the expected types in the comments of the cases, by line."""
    return {
        number: (match[1], members(match[2]))
        for number, text in enumerate(CASES.read_text().splitlines(), 1)
        if (match := re.search(r"  # (is|error):? (.*)$", text))
    }


def short(revealed: str) -> str:
    """Return a type as the cases write it: names without modules."""
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", revealed)


def members(union: str) -> set[str]:
    """Return the members of a union. An enum next to int adds nothing."""
    found = set(union.replace("IPAddress", "IPv4Address | IPv6Address").split(" | "))
    return {name for name in found if "int" not in found or not re.fullmatch(r"[A-Z]\w*", name)}


def test_what_mypy_infers() -> None:
    pytest.importorskip("mypy", reason="mypy is not installed")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--no-incremental"]
    command += ["--platform", "linux", "--show-error-codes", "--no-error-summary"]
    command += [str(CASES.relative_to(ROOT))]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert not run.stderr
    found: dict[int, Finding] = {}
    pattern = rf"^{CASES.relative_to(ROOT)}:(\d+): (error|note): (.*)$"
    for line, level, words in re.findall(pattern, run.stdout, re.MULTILINE):
        if level == "error":
            assert int(line) not in found
            found[int(line)] = "error", {words.rpartition("[")[2].rstrip("]")}
        elif words.startswith("Revealed type is"):
            found[int(line)] = "is", members(short(words.split('"')[1]))
    assert found == expected()


def test_what_pyright_infers() -> None:
    command = [sys.executable, "-m", "pyright"]
    try:
        subprocess.run([*command, "--version"], capture_output=True, timeout=60, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"pyright does not run here: {error}")
    command += ["--pythonplatform", "Linux", "--pythonpath", sys.executable]
    command += ["--outputjson", str(CASES)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    found: dict[int, Finding] = {}
    for each in json.loads(run.stdout)["generalDiagnostics"]:
        line = each["range"]["start"]["line"] + 1
        if each["severity"] == "error":
            found[line] = "error", set()  # its codes differ from those of mypy
        elif match := re.fullmatch(r'Type of ".*" is "(.*)"', each["message"]):
            found.setdefault(line, ("is", members(match[1])))
    assert found == {
        line: (kind, names if kind == "is" else set()) for line, (kind, names) in expected().items()
    }


# --- editors and shells ---------------------------------------------------------------------------


PLAIN: Any = pydoc.plaintext  # type: ignore[attr-defined]


class Part(Message):
    value: int | None = s.u32(1)


class Whole(Message):
    family: AF | int = s.u8(enum=AF)
    _pad = s.pad(3)
    name: str | None = s.string(1)
    on: bool = s.flag(2)
    part: s.Nested[Part] = s.nest(3, Part)
    parts: s.Several[Part] = s.repeated(4, Part)
    address: s.Addr = s.address(5)


class Wider(Whole):
    extra: int | None = s.u8(6)


WHOLE = (
    "(*, family: AF | int = 0, name: str | None = None, on: bool = False, "
    "part: Part | dict[str, Any] | None = None, parts: Iterable[Part | dict[str, Any]] = (), "
    "address: IPv4Address | IPv6Address | str | bytes | None = None)"
)


def signature(called: Any) -> str:
    return short(str(inspect.signature(called)))


def test_signatures_of_messages() -> None:
    assert signature(Whole) == WHOLE
    assert signature(Wider) == f"{WHOLE[:-1]}, extra: int | None = None)"
    assert signature(Message) == "()"


def test_every_default_is_what_a_message_reads_without_the_argument() -> None:
    for cls in (Whole, Wider, Link, route.Route):
        for parameter in inspect.signature(cls).parameters.values():
            assert parameter.kind is parameter.KEYWORD_ONLY
            assert getattr(cls(), parameter.name) == parameter.default
            assert parameter.annotation is not parameter.empty
            assert not isinstance(parameter.annotation, str)


def test_signatures_of_ops() -> None:
    assert inspect.signature(link.get) == inspect.signature(Link)
    assert "ifname: str | None = None" in signature(link.get)
    assert "linkinfo: LinkInfo | dict[str, Any] | None = None" in signature(link.new)
    assert "_pad" not in signature(link.new)
    assert signature(Op("whole", NLMSG.NLMSG_NOOP, Whole)) == WHOLE
    assert inspect.signature(link.get).bind(ifname="v0").arguments == {"ifname": "v0"}
    with pytest.raises(TypeError, match="nosuch"):
        inspect.signature(link.get).bind(nosuch=1)


def test_signatures_of_the_classes_themselves() -> None:
    """Op and the metaclass of messages have their own signatures."""
    assert "request" in inspect.signature(Op).parameters
    assert "namespace" in inspect.signature(type(Message)).parameters
    with pytest.raises(AttributeError):
        Op.__signature__  # noqa: B018
    with pytest.raises(TypeError):
        inspect.signature(Whole())


def test_signatures_of_plans() -> None:
    for function in (route.add, route.lookup, link.up, link.index_of):
        returns = inspect.signature(function).return_annotation
        assert getattr(returns, "__origin__", returns) is Plan
    assert [*inspect.signature(route.add).parameters][:3] == ["dst", "via", "dev"]


def test_help_on_an_op() -> None:
    text = pydoc.render_doc(nsid.get, renderer=PLAIN)
    text = re.sub(r" +$", "", text, flags=re.MULTILINE)  # which not every Python leaves
    assert text.partition("\n\n")[2] == (
        "<Op nsid.get>\n"
        "    Return a request: RTM_GETNSID with the given fields of a NamespaceId.\n"
        "\n"
        "    do() returns a NamespaceId for it.\n"
        "    dump() returns a reply of NamespaceId messages.\n"
        "    The arguments, all of them by name:\n"
        "\n"
        "        family: AF | int | str = 0\n"
        "        nsid: NETNSA_NSID | int | str | None = None\n"
        "        pid: int | None = None\n"
        "        fd: int | None = None\n"
        "        target_nsid: int | None = None\n"
        "        current_nsid: NETNSA_NSID | int | str | None = None\n"
    )
    assert "do() returns None for it" in (link.set.__doc__ or "")
    assert (Op.__doc__ or "").startswith("A verb of a family.")
    assert "A verb of a family." in pydoc.render_doc(Op, renderer=PLAIN)


IMPORTS = """\
from netlink.route import link, route
from netlink.route.link import Link
"""


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("link.new(", {"family", "ifname", "mtu", "linkinfo"}),
        ("link.get(", {"index", "ifname", "ext_mask"}),
        ("Link(", {"index", "ifname", "linkinfo"}),
        ("route.add(", {"via", "dev", "metric", "table"}),
        ("route.lookup(", {"src", "iif", "mark"}),
    ],
)
@pytest.mark.parametrize("way", ["of a file", "of a shell"])
def test_completion(way: str, call: str, arguments: set[str]) -> None:
    """In a file, jedi reads only the source. In a shell such as IPython, it has the objects."""
    jedi = pytest.importorskip("jedi", reason="jedi is not installed")
    if way == "of a file":
        script = jedi.Script(IMPORTS + call)
        place = IMPORTS.count("\n") + 1, len(call)
    else:
        script = jedi.Interpreter(call, [{"link": link, "route": route, "Link": Link}])
        place = 1, len(call)
    (shown, *_) = script.get_signatures(*place)
    assert arguments <= {parameter.name for parameter in shown.params}
    names = {completion.name for completion in script.complete(*place)}
    assert {f"{argument}=" for argument in arguments} <= names
