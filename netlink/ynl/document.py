"""Read the YAML of a spec into dicts and lists that know their lines.

The YAML is only composed, never constructed: no tag can create an object. Python's own scalars,
dicts and lists are the result. This file must not know what a spec contains. It defines the errors
of specs, because all of them need a line.
"""

from __future__ import annotations

from typing import Any

from netlink.errors import NetlinkError

try:
    import yaml
except ImportError as error:
    raise ImportError("netlink.ynl needs PyYAML: pip install 'fastnetlink[ynl]'") from error

__all__ = ["Entry", "Items", "SpecError", "SpecWarning", "read"]

# The loader in C is eight times as fast as the one in Python. Both only know plain YAML.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

TAG = "tag:yaml.org,2002:"
TEXTS = {f"{TAG}{name}" for name in ("str", "float", "timestamp", "merge", "value")}
TRUE = {"yes", "true", "on"}


class SpecError(NetlinkError, ValueError):
    """A spec is invalid. `path` is the file, `line` the line in it, from 1, and `reason` why."""

    def __init__(self, reason: str, path: str, line: int) -> None:
        super().__init__(reason, path, line)
        self.reason = reason
        self.path = path
        self.line = line

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


class SpecWarning(UserWarning):
    """A spec has something that is ignored, such as a key of a newer schema."""


class Entry(dict[str, Any]):
    """A mapping of the file. `line` is its line, and `lines` those of its keys, from 1."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        """Return the line of a key, or that of the mapping if it lacks the key."""
        return self.lines.get(key, self.line)

    def merged(self, other: Entry) -> Entry:
        """Return a copy in which the keys of another entry replace its own."""
        made = Entry(other.line)
        made.update(self)
        made.update(other)
        made.lines = self.lines | other.lines
        return made


class Items(list[Any]):
    """A sequence of the file. `lines` are the lines of its items, from 1."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


def read(data: bytes, path: str) -> Any:
    """Return the content of a YAML file: text, numbers, bools and None in Entry and Items.

    Raises SpecError if it is not valid UTF-8 or YAML, if a key occurs twice, or if it contains a
    tag, as in "!!python/object".
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SpecError(f"this is not UTF-8: {error.reason}", path, line) from None
    try:
        node = yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        line = mark.line + 1 if mark is not None else 1
        raise SpecError(f"this is not YAML: {reason}", path, line) from None
    except RecursionError:
        raise SpecError("the YAML is nested too deeply", path, 1) from None
    if node is None:
        raise SpecError("the file is empty", path, 1)
    try:
        return _Reader(path).value(node)
    except RecursionError:
        raise SpecError("the YAML is nested too deeply", path, 1) from None


class _Reader:
    """Turns nodes into values. An alias shares the value of its anchor."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.made: dict[int, Any] = {}  # by id of the node; None while it is being made

    def value(self, node: Any) -> Any:
        if type(node) is yaml.ScalarNode:
            return node.value if node.tag in TEXTS else self._scalar(node)
        key = id(node)
        if key in self.made:
            if self.made[key] is None:
                raise SpecError("an alias contains itself", self.path, node.start_mark.line + 1)
            return self.made[key]
        self.made[key] = None
        if node.tag not in (f"{TAG}map", f"{TAG}seq"):
            raise self._wrong_tag(node)
        made = self._entry(node) if type(node) is yaml.MappingNode else self._items(node)
        self.made[key] = made
        return made

    def _entry(self, node: Any) -> Entry:
        made = Entry(node.start_mark.line + 1)
        for key, value in node.value:
            line = key.start_mark.line + 1
            if type(key) is not yaml.ScalarNode or key.tag not in TEXTS:
                raise SpecError("a key must be text", self.path, line)
            name = key.value
            if name in made:
                raise SpecError(f"the key {name!r} occurs twice", self.path, line)
            made[name] = value.value if value.tag in TEXTS else self.value(value)
            made.lines[name] = line
        return made

    def _items(self, node: Any) -> Items:
        made = Items()
        for item in node.value:
            made.append(self.value(item))
            made.lines.append(item.start_mark.line + 1)
        return made

    def _scalar(self, node: Any) -> Any:
        match node.tag.removeprefix(TAG):
            case "int":
                try:
                    return yaml.constructor.SafeConstructor().construct_yaml_int(node)
                except ValueError:
                    line = node.start_mark.line + 1
                    raise SpecError(f"{node.value!r} is not a number", self.path, line) from None
            case "bool":
                return node.value.lower() in TRUE
            case "null":
                return None
        raise self._wrong_tag(node)

    def _wrong_tag(self, node: Any) -> SpecError:
        line = node.start_mark.line + 1
        return SpecError(f"the tag {node.tag!r} is not allowed in a spec", self.path, line)
