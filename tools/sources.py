"""Read the kinds of attributes from the C sources of a kernel: from policies and calls.

A policy (struct nla_policy) states the kind of an attribute as the kernel checks it on receipt. A
call, such as nla_put_be16(), states how the kernel writes or reads it, with its byte order. This
file takes only kinds and lengths, and must not take numbers, which the headers have. It exists
because headers state no kinds, and many families have no spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("net", "drivers", "kernel", "fs", "crypto", "lib")
POLICY = re.compile(r"\bstruct\s+nla_policy\s+\w+\s*\[([^\]]*)\](?:\s*\[[^\]]*\])?[^={};]*=\s*\{")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|^[ \t]*#[^\n]*", re.S | re.M)
ENTRY = re.compile(r"\[\s*(\w+)\s*\]\s*=")
PUT = re.compile(r"\bnla_(?:put_|(?=nest_start))(\w+)\(\s*[^,()]+,\s*([A-Z]\w+)\s*[,)]")
GET = re.compile(r"\bnla_get_(\w+)\(\s*\w+(?:->\w+)*\[([A-Z]\w+)\]\s*\)")

KINDS = {f"NLA_{sign}{bits}" for sign in "US" for bits in (8, 16, 32, 64)}
WORDS = {
    "NLA_FLAG": "flag", "NLA_STRING": "string", "NLA_NUL_STRING": "string",
    "NLA_BINARY": "binary", "NLA_NESTED": "nest", "NLA_NESTED_ARRAY": "array nest",
    "NLA_POLICY_NESTED": "nest", "NLA_POLICY_NESTED_ARRAY": "array nest",
    "NLA_BITFIELD32": "bitfield32", "NLA_POLICY_BITFIELD32": "bitfield32", "NLA_MSECS": "u64",
    "NLA_UINT": "uint", "NLA_SINT": "sint", "NLA_POLICY_EXACT_LEN": "binary",
    "NLA_POLICY_EXACT_LEN_WARN": "binary", "NLA_POLICY_ETH_ADDR": "binary",
    "NLA_POLICY_ETH_ADDR_COMPAT": "binary",
} | {kind: kind[4:].lower() for kind in KINDS}  # fmt: skip
TYPES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "int": 4, "__u32": 4, "__be16": 2, "__be32": 4}
TYPES |= {"struct in_addr": 4, "struct in6_addr": 16}
FIELDS = {"struct iphdr, saddr": 4, "struct iphdr, daddr": 4}
LENGTHS = {"ETH_ALEN": 6, "IFNAMSIZ": 16, "ALTIFNAMSIZ": 128, "IFALIASZ": 256}


# The kind and byte order of a call, by the last part of its name.
CALLS = {kind[4:].lower(): (kind[4:].lower(), "host") for kind in KINDS}
CALLS |= {f"{word}{bits}": (f"u{bits}", "big") for word in ("be", "net") for bits in (16, 32, 64)}
CALLS |= {
    "u64_64bit": ("u64", "host"), "u64_0pad": ("u64", "host"), "msecs": ("u64", "host"),
    "uint": ("uint", "host"), "sint": ("sint", "host"), "flag": ("flag", "-"),
    "string": ("string", "-"), "bitfield32": ("bitfield32", "-"), "nest_start": ("nest", "-"),
    "nest_start_noflag": ("nest", "-"), "in_addr": ("address 4", "-"),
    "in6_addr": ("address 16", "-"),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """What one place states about an attribute: C name, kind, order ("big", "host" or "-")."""

    name: str
    kind: str
    order: str
    is_policy: bool


def read(tree: Path) -> Iterator[Entry]:
    """Yield the entries of all sources of a kernel tree, those of policies first."""
    texts = []
    for folder in FOLDERS:
        for path in sorted((tree / folder).rglob("*.c")):
            text = path.read_text(errors="replace")
            if "nla_" in text:
                texts.append(COMMENT.sub(" ", text))
    for text in texts:
        yield from policies(text)
    for text in texts:
        yield from calls(text)


def calls(text: str) -> Iterator[Entry]:
    """Yield the entries of the calls in a C source without comments."""
    for found in (*PUT.finditer(text), *GET.finditer(text)):
        if found[1] in CALLS:
            yield Entry(found[2], *CALLS[found[1]], is_policy=False)


def policies(text: str) -> Iterator[Entry]:
    """Yield the entries of the policy arrays in a C source without comments."""
    for found in POLICY.finditer(text):
        body = _braced(text, found.end())
        starts = list(ENTRY.finditer(body))
        for start, following in zip(starts, [*starts[1:], None], strict=False):
            value = body[start.end() : following.start() if following else None]
            if kind := _kind(" ".join(value.split())):
                yield Entry(start[1], *kind, is_policy=True)


def _kind(value: str) -> tuple[str, str] | None:
    """Return the kind and byte order that a policy entry states, or None."""
    words = re.findall(r"\bNLA_\w+", value)
    big = next((word for word in words if re.fullmatch(r"NLA_BE(16|32|64)", word)), None)
    if big:
        return f"u{big[6:]}", "big"
    kind = next((WORDS[word] for word in words if word in WORDS), None)
    if kind is None and words:
        return None
    length = _length(value)
    if kind in ("string", "binary"):
        return (f"{kind} {length}" if length else kind), "-"
    if kind is None and length:  # without a type, .len is a minimal length
        return f"binary {length}", "-"
    return (kind, "-") if kind else None


def _length(value: str) -> int | None:
    """Return the number of bytes that an entry allows, or None if this parser cannot see it."""
    if "ETH_ADDR" in value:
        return LENGTHS["ETH_ALEN"]
    found = re.search(r"\.len = ([^,}]*)", value) or re.match(r".*EXACT_LEN\w*\((.*)\)", value)
    if "sizeof_field" in value:
        found = re.search(r"sizeof_field\(([^)]*)\)", value)
        return FIELDS.get(found[1]) if found else None
    if not found:
        return None
    text = found[1].strip()
    if sized := re.fullmatch(r"sizeof\(([^)]*)\)", text):
        return TYPES.get(sized[1])
    plain = re.fullmatch(r"(\w+)(?: ?- ?(\d+))?", text)
    if not plain:
        return None
    number = LENGTHS.get(plain[1]) or (int(plain[1]) if plain[1].isdigit() else None)
    return number - int(plain[2] or 0) if number else None


def _braced(text: str, start: int) -> str:
    """Return the text between an opening brace, just before `start`, and its closing one."""
    depth, end = 1, start
    while depth and end < len(text):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    return text[start : end - 1]
