"""Names of a spec as names of Python and of C.

The rule is the same for the loader, for drafts and for the command line. An identifier has "_" for
every character that cannot be in one. A name that starts with a digit gets an "n" in front of it,
and a keyword, or a word of Message, gets "_" at its end.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Container

from netlink.schema import MESSAGE_WORDS, Message

__all__ = ["c_name", "class_name", "field_name", "identifier", "struct_name"]


def identifier(name: str) -> str:
    """Return a name as an identifier that does not start with "_"."""
    word = re.sub(r"[^0-9A-Za-z_]", "_", name).lstrip("_")
    word = f"n{word}" if word[:1].isdigit() or not word else word
    return f"{word}_" if keyword.iskeyword(word) else word


def field_name(name: str, taken: Container[str] = ()) -> str:
    """Return the name of a field, other than the words of Message and those that are taken."""
    word = identifier(name)
    while hasattr(Message, word) or word in MESSAGE_WORDS or word in taken:
        word += "_"
    return word


def class_name(name: str) -> str:
    """Return the name of a message class: "linkinfo-attrs" is LinkinfoAttrs."""
    words = re.findall("[0-9A-Za-z]+", name)
    return identifier("".join(word[0].upper() + word[1:] for word in words))


def struct_name(name: str) -> str:
    """Return the name of the class of a C struct: "tc-ratespec" is tc_ratespec."""
    return identifier(name)


def c_name(*parts: str) -> str:
    """Return names of a spec, put together, in the spelling of C constants."""
    return re.sub(r"[^0-9A-Za-z_]", "_", "".join(parts)).upper()
