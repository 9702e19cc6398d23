"""where(): conditions of netlink/filter.py as text, as the command line accepts them.

The parser is recursive descent over tokens and evaluates nothing: names are looked up among the
declared fields only. It must not know families. Its errors show the position of the mistake.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from netlink.filter import WORDS, Condition, Fields, Operand
from netlink.schema import Message, MessageClass, MessageType

__all__ = ["Mistake", "where"]

TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>'[^']*'|"[^"]*")|(?P<word>[^\s()<>=!,&|~'"]+)|(?P<sign>[<>=!]=|&&|\|\||.))""",
    re.DOTALL,
)
NUMBER = re.compile(r"-?(?:[0-9]+|0[xX][0-9a-fA-F]+)")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
METHODS = ("has", "has_any", "in_", "startswith", "within")
GRAMMAR = (
    "table == 254 and oif in (3, 4); not, or, parentheses; == != < <= > >= in, not in; "
    "flags.has(up), dst.within(10.0.0.0/8), ifname.startswith(veth), gateway.present"
)


class Mistake(ValueError):
    """A text that is not a condition: the reason, the text, and the position of the mistake."""

    def __init__(self, reason: str, text: str, at: int) -> None:
        super().__init__(reason, text, at)
        self.reason = reason
        self.text = text
        self.at = at

    def __str__(self) -> str:
        shown = self.text.replace("\n", " ").replace("\t", " ")
        return f"{self.reason}\n  {shown}\n  {' ' * self.at}^"


class Token(NamedTuple):
    """A part of a text: `kind` is "word", "quoted", "sign" or "end"."""

    kind: str
    text: str
    at: int


def where(text: str, cls: type[Message]) -> Condition:
    """Return the condition that a text describes, about the fields of a message class.

    `table == 254 and oif in (3, 4)` is what `(r.table == 254) & r.oif.in_({3, 4})` is. The words
    and, or, not, in and not in take the place of the operators. `flags.has(up)`, `has_any`,
    `within`, `startswith` and `.present` are those of Operand. Values are numbers, true and false,
    and texts, which need quotes only if they contain spaces, quotes or any of ()<>=!,&|~.

    Nothing is evaluated. Raises Mistake, a ValueError that shows the position.
    """
    if not isinstance(text, str):
        raise TypeError(f"where() expects a text, such as 'table == 254', got {text!r}")
    if not isinstance(cls, MessageType):
        raise TypeError(f"where() expects a message class, such as Route, got {cls!r}")
    return _Parser(text, cls).parse()


class _Parser:
    """Recursive descent; the depth of parentheses is bounded."""

    DEPTH = 50

    def __init__(self, text: str, cls: MessageClass) -> None:
        self.text = text
        self.fields: Fields[Any] = Fields(cls)
        self.tokens: list[Token] = []
        for match in TOKEN.finditer(text.rstrip()):
            kind = match.lastgroup or "sign"
            self.tokens.append(Token(kind, match[kind], match.start(kind)))
        self.tokens.append(Token("end", "", len(text.rstrip())))
        self.place = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.tokens[self.place]
        self.place += 1
        return token

    def wrong(self, token: Token, reason: str) -> Mistake:
        return Mistake(reason, self.text, token.at)

    def is_word(self, *words: str) -> bool:
        return self.next.kind == "word" and self.next.text in words

    def is_sign(self, *signs: str) -> bool:
        return self.next.kind == "sign" and self.next.text in signs

    def expect(self, sign: str, why: str) -> None:
        if not self.is_sign(sign):
            raise self.wrong(self.next, f"expected {sign!r} {why}")
        self.take()

    def parse(self) -> Condition:
        """Read the whole text."""
        if self.next.kind == "end":
            raise self.wrong(self.next, f"expected a condition, such as {GRAMMAR}")
        condition = self.disjunction()
        if self.next.kind != "end":
            raise self.wrong(self.next, self.surprise())
        return condition

    def surprise(self) -> str:
        """Explain a token that cannot follow a complete condition."""
        text = self.next.text
        words = {"&": "and", "&&": "and", "|": "or", "||": "or"}
        if text in words and self.next.kind == "sign":
            return f"write {words[text]!r} instead of {text!r}"
        if text in COMPARISONS:
            return "a comparison cannot be chained: write x > 1 and x < 5"
        return f"expected 'and', 'or' or the end, got {text!r}"

    def disjunction(self) -> Condition:
        condition = self.conjunction()
        while self.is_word("or"):
            self.take()
            condition = condition | self.conjunction()
        return condition

    def conjunction(self) -> Condition:
        condition = self.negation()
        while self.is_word("and"):
            self.take()
            condition = condition & self.negation()
        return condition

    def negation(self) -> Condition:
        self.depth += 1
        if self.depth > self.DEPTH:
            raise self.wrong(self.next, f"more than {self.DEPTH} conditions inside each other")
        try:
            if self.is_word("not"):
                self.take()
                return ~self.negation()
            if self.is_sign("("):
                self.take()
                condition = self.disjunction()
                if self.next.kind != "end" and not self.is_sign(")"):
                    raise self.wrong(self.next, self.surprise())
                self.expect(")", "after a condition")
                return condition
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> Condition:
        token = self.take()
        if token.kind == "sign" and token.text in ("~", "!"):
            raise self.wrong(token, f"write 'not' instead of {token.text!r}")
        if token.kind != "word" or NUMBER.fullmatch(token.text):
            raise self.wrong(
                token,
                f"expected a field, got {_shown(token)}; a condition begins with the "
                f"name of a field: {GRAMMAR}",
            )
        *path, last = token.text.split(".")
        is_call = self.is_sign("(")
        if path and is_call and last in METHODS:
            return self.call(self.operand(token, path), last, token)
        if path and last == "present":
            operand = self.operand(token, path)
            if self.is_sign("("):
                self.take()
                self.expect(")", "after 'present('")
            return self.checked(token, lambda: operand.present)
        operand = self.operand(token, [*path, last])
        if is_call:
            raise self.wrong(token, f"{last!r} cannot be called; there are: {', '.join(METHODS)}")
        return self.operator(operand, token)

    def operator(self, operand: Operand, field: Token) -> Condition:
        negated = False
        token = self.take()
        if token.kind == "word" and token.text == "not" and self.is_word("in"):
            negated = True
            token = self.take()
        if token.kind == "word" and token.text == "in":
            found = self.call(operand, "in_", token)
            return ~found if negated else found
        if token.kind == "sign" and token.text in COMPARISONS:
            at = self.next
            value = self.value(operand)
            return self.checked(at, lambda: COMPARE[token.text](operand, value))
        if token.text == "=":
            raise self.wrong(token, "write '==' instead of '='")
        raise self.wrong(
            token, f"expected a comparison after {field.text!r}, got {_shown(token)}: one of "
            f"{' '.join(COMPARISONS)} in, or {field.text}.present"
        )  # fmt: skip

    def call(self, operand: Operand, name: str, token: Token) -> Condition:
        """Read values in parentheses and call a method of the operand."""
        self.expect("(", f"after {token.text!r}")
        at = self.next
        values = [self.value(operand)]
        while self.is_sign(","):
            self.take()
            if self.is_sign(")"):
                break
            values.append(self.value(operand))
        if self.is_sign("|"):
            raise self.wrong(self.next, "separate values by ',', or put them into quotes")
        self.expect(")", "or ',' after a value")
        if name == "in_":
            return self.checked(at, lambda: operand.in_(values))
        if len(values) > 1 and name in ("within", "startswith"):
            raise self.wrong(at, f"{name}() has one value; combine several with 'or'")
        argument = values[0] if len(values) == 1 else values
        return self.checked(at, lambda: getattr(operand, name)(argument))

    def operand(self, token: Token, path: list[str]) -> Operand:
        found: Any = self.fields
        for position, name in enumerate(path):
            if not name or name.startswith("__") or name in WORDS:
                # the methods of an operand are not fields
                known = getattr(found, "_field", None)
                if not name or name.startswith("__") or known is not None:
                    raise self.wrong(token, f"{token.text!r} is not the name of a field")
            try:
                found = getattr(found, name)
            except AttributeError as error:
                at = token.at + len(".".join(path[:position])) + (position > 0)
                raise self.wrong(token._replace(at=at), str(error)) from None
        assert isinstance(found, Operand)
        return found

    def value(self, operand: Operand) -> Any:
        token = self.take()
        if token.kind == "quoted":
            text = token.text[1:-1]
        elif token.kind == "word":
            text = token.text
            if operand._field.kind_name in ("flag", "byte_flag") and text in ("true", "false"):
                return text == "true"
            if operand._shape is not None and NUMBER.fullmatch(text):
                return int(text, 16 if "x" in text.lower() else 10)
        elif token.text in ("'", '"'):
            raise self.wrong(token, f"the quote {token.text} has no end")
        else:
            raise self.wrong(token, f"expected a value, got {_shown(token)}")
        if operand._field.kind_name == "binary":
            try:
                return bytes.fromhex(text.replace(":", ""))
            except ValueError:
                raise self.wrong(token, f"{text!r} is not bytes in hexadecimal digits") from None
        return text

    def checked(self, token: Token, build: Callable[[], Condition]) -> Condition:
        """Build a condition; its errors show the position."""
        try:
            return build()
        except (TypeError, ValueError) as error:
            raise self.wrong(token, str(error)) from None


def _shown(token: Token) -> str:
    return repr(token.text) if token.text else "the end"


COMPARE: dict[str, Callable[[Any, Any], Condition]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
