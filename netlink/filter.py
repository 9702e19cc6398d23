"""fields() and Filter: conditions on events, which the kernel tests before it queues an event.

A condition is built from the declared fields of a message class. A Filter compiles conditions to a
classic BPF program (linux/filter.h). This file does no I/O: _transport.py attaches the program. It
must not lose an answer: a program passes everything that is not surely an event of its classes.

What it knows of the kernel (net/core/filter.c):

| fact                                                         | so                                |
|--------------------------------------------------------------|-----------------------------------|
| the filter runs on everything that enters the queue: answers,| what is not an event passes:      |
|   ACKs, errors, parts of dumps                               |   see Filter                      |
| a filtered part of a dump freezes the dump                   | NLM_F_MULTI passes                |
| an answer to a GET has the type of an event and no MULTI; its| what has our port passes          |
|   nlmsg_pid is our port                                      |                                   |
| audit and xfrm answer with nlmsg_pid 0                       | pid 0 with a sequence number      |
|                                                              |   passes, except in               |
| answers of generic families have our port, and taskstats and | generic families                  |
|   ethtool number their events                                |                                   |
| the search for an attribute runs to the end of the skb, over | a datagram with several messages  |
|   following messages                                         |   passes                          |
| a load outside the packet ends the filter with 0, a drop     | lengths are checked before loads; |
|                                                              |   short messages pass             |
| the return value is a length: 20 truncates                   | a match returns 0xffffffff        |
| loads are big-endian                                         | constants are compared as bytes   |
| SKF_AD_NLATTR gives 0 for an absent attribute; it ignores    | 0 is tested before each load      |
|   flag bits; the first of repeated attributes wins           | lists cannot be compared          |
| 4096 instructions at most, jumps of 8 bits                   | longer jumps use BPF_JA           |
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Generic, NamedTuple, NoReturn, Self, TypeVar

from netlink import _bpf as bpf
from netlink._bpf import Label, Program, loads
from netlink._core import Field, RawMessage
from netlink.constants import AF, NLA_TYPE_MASK, NLM_F, KernelNumber, value_of
from netlink.errors import EncodeError
from netlink.family import Family, Op, check_family
from netlink.schema import Message, MessageClass, MessageType

__all__ = ["Condition", "Fields", "Filter", "Operand", "fields"]

M = TypeVar("M", bound=Message)
T = TypeVar("T")

MAX_PAYLOAD = 0xFFFF - 4
NLMSG_HDRLEN, GENL_HDRLEN, NLA_HDRLEN = 16, 4, 4
LITTLE = sys.byteorder == "little"
IS_ANSWER = int(NLM_F.NLM_F_MULTI | NLM_F.NLM_F_REQUEST)

IP = IPv4Address | IPv6Address
ORDERS = {"<": bpf.JGE, "<=": bpf.JGT, ">": bpf.JGT, ">=": bpf.JGE}
FAMILIES_V4 = (int(AF.AF_INET), int(AF.RTNL_FAMILY_IPMR))  # as _kinds.pxi reads a union
COMPARABLE = {"string", "binary", "mac", "lladdr", "address"}
SEVERAL = {"repeated", "records", "array", "mapping", "scalars", "pairs", "labels"}

HOW = (
    "write & for `and`, | for `or`, ~ for `not`, x.in_((1, 2)) for `x in (1, 2)`, and "
    "(1 < x) & (x < 5) for `1 < x < 5`"
)


# --- conditions -----------------------------------------------------------------------------------


class Condition:
    """Whether an event is wanted, as comparisons of fields() make it.

    Combine conditions with `&`, `|` and `~`. Python cannot overload `and`, `or`, `not`, `in` and
    chained comparisons: they raise TypeError. Both sides must be about one message class.
    """

    __slots__ = ("_op", "_operand", "_parts", "_text", "_values", "cls")

    def __init__(
        self,
        cls: MessageClass,
        op: str,
        text: str = "",  # of a test; other conditions have that of their parts
        *,
        operand: Operand | None = None,
        values: tuple[Any, ...] = (),
        parts: tuple[Condition, ...] = (),
    ) -> None:
        self.cls = cls
        self._op = op
        self._text = text
        self._operand = operand
        self._values = values
        self._parts = parts

    def __and__(self, other: Condition) -> Condition:
        return self._join("&", other)

    def __or__(self, other: Condition) -> Condition:
        return self._join("|", other)

    def __invert__(self) -> Condition:
        if self._op == "~":
            return self._parts[0]
        return Condition(self.cls, "~", parts=(self,))

    def _join(self, op: str, other: Any) -> Condition:
        if not isinstance(other, Condition):
            hint = f": compare it, as in ({other!r} == ...)" if isinstance(other, Operand) else ""
            raise TypeError(f"{op} needs a condition on both sides, got {other!r}{hint}")
        if other.cls is not self.cls:
            raise TypeError(
                f"{self!r} is about {self.cls.__name__} and {other!r} about {other.cls.__name__}: "
                "pass them to one Filter as two arguments"
            )
        parts = (*self._flat(op), *other._flat(op))
        return Condition(self.cls, op, parts=parts)

    def _flat(self, op: str) -> tuple[Condition, ...]:
        return self._parts if self._op == op else (self,)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self!r} is not true or false before an event comes; {HOW}")

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError(f"{self!r} cannot be compared; {HOW}")

    __lt__ = __le__ = __gt__ = __ge__ = __ne__ = __eq__
    __hash__ = object.__hash__

    def __deepcopy__(self, memo: object) -> Self:
        return self  # it never changes

    def __repr__(self) -> str:
        if self._text:
            return self._text
        parts = map(_wrapped, self._parts)
        return f" {self._op} ".join(parts) if self._op != "~" else f"~{next(parts)}"


def _wrapped(condition: Condition) -> str:
    text = repr(condition)
    return text if text.startswith("~") else f"({text})"


class Operand:
    """A field of a message class, as a condition sees it: `fields(Route).oif`.

    | condition                              | fields                                              |
    |----------------------------------------|-----------------------------------------------------|
    | `x == value`, `x != value`             | integers, flags, text, bytes, addresses             |
    | `x < value`, `<=`, `>`, `>=`           | integers                                            |
    | `x.in_({3, 4})`                        | the same as `==`                                    |
    | `x.has("up")`, `x.has_any("up|lower")` | integers: all, or any, of these bits are set        |
    | `x.within("10.0.0.0/8")`               | IP addresses                                        |
    | `x.startswith("veth")`                 | text, bytes                                         |
    | `x.present`                            | any attribute, lists and nests included             |

    The fields of a nest or a struct are attributes: `fields(Link).linkinfo.kind == "vlan"`. Values
    are those that the constructor of the message accepts, names of enums included.

    An absent attribute reads as None, and compares as None does: it equals nothing, so `==`, `in_`
    and all other tests are false, and `!=` is true, as is `~(x == value)`. A value whose length
    does not fit the field counts as absent. A flag that is absent, or whose nest is, is False.

    Raises EncodeError for a value that does not fit, TypeError for a wrong call, and ValueError
    for a test that the field does not have.
    """

    __slots__ = ("_cls", "_field", "_nests", "_number", "_offset", "_owner", "_path")

    def __init__(
        self,
        cls: MessageClass,
        owner: MessageClass,
        field: Field,
        path: str,
        nests: tuple[int, ...],
        number: int | None,
        offset: int,
    ) -> None:
        self._cls = cls  # the class of the whole message
        self._owner = owner  # the class that declares the field
        self._field = field
        self._path = path
        self._nests = nests  # the nests on the way to the attribute
        self._number = number  # the attribute; None: the header
        self._offset = offset  # of the value in the attribute's payload, or in the header

    # --- tests ---

    def __eq__(self, value: object) -> Condition:  # type: ignore[override]
        return self._equal((value,), f"{self!r} == {value!r}", "==")

    def __ne__(self, value: object) -> Condition:  # type: ignore[override]
        equal = self._equal((value,), f"{self!r} == {value!r}", "!=")
        return Condition(self._cls, "~", f"{self!r} != {value!r}", parts=(equal,))

    def __lt__(self, value: Any) -> Condition:
        return self._ordered("<", value)

    def __le__(self, value: Any) -> Condition:
        return self._ordered("<=", value)

    def __gt__(self, value: Any) -> Condition:
        return self._ordered(">", value)

    def __ge__(self, value: Any) -> Condition:
        return self._ordered(">=", value)

    def in_(self, values: Iterable[Any]) -> Condition:
        """Whether the value is one of these. An empty set is a ValueError: nothing would pass."""
        if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
            hint = self._hint_within(values)
            raise TypeError(
                f"{self!r}.in_() expects values in a set, tuple or list, got {values!r}{hint}"
            )
        found = tuple(values)
        if not found:
            raise ValueError(f"{self!r}.in_() has no values, so no event would pass")
        return self._equal(found, f"{self!r}.in_({values!r})", "in_()")

    def has(self, bits: Any) -> Condition:
        """Whether all of these bits are set: a number, or names of flags."""
        return self._bits("has", bits)

    def has_any(self, bits: Any) -> Condition:
        """Whether at least one of these bits is set."""
        return self._bits("has_any", bits)

    def within(self, prefix: str | IPv4Network | IPv6Network) -> Condition:
        """Whether an address is in a prefix: "10.0.0.0/8" or an ip_network."""
        if self._field.kind_name != "address":
            raise self._cannot("within()", "only IP addresses have it")
        if not isinstance(prefix, (str, IPv4Network, IPv6Network)):
            raise TypeError(
                f"{self!r}.within() expects a prefix such as '10.0.0.0/8', got {prefix!r}"
            )
        try:
            network = ip_network(prefix)
        except ValueError as error:
            raise self._misfit(prefix, f"{error}: write a prefix such as '10.0.0.0/8'") from None
        self._check_width(prefix, len(network.network_address.packed))
        return Condition(
            self._cls, "within", f"{self!r}.within({str(prefix)!r})", operand=self,
            values=(network,),
        )  # fmt: skip

    def startswith(self, start: str | bytes) -> Condition:
        """Whether the text, or the bytes, begin with this."""
        kind = self._field.kind_name
        if kind not in ("string", "binary"):
            raise self._cannot("startswith()", "only text and bytes have it")
        self._check_end()
        wanted = str if kind == "string" else bytes
        if not isinstance(start, wanted):
            raise TypeError(f"{self!r}.startswith() expects {wanted.__name__}, got {start!r}")
        data = start.encode("utf-8", "surrogateescape") if isinstance(start, str) else start
        if not data or (kind == "string" and b"\0" in data):
            raise self._misfit(start, f"{start!r} is empty, or contains a NUL")
        if self._field.number is None and len(data) > self._field.size:
            raise self._misfit(start, f"{len(data)} bytes exceed the limit of {self._field.size}")
        return Condition(
            self._cls, "start", f"{self!r}.startswith({start!r})", operand=self,
            values=(_checked_length(self, data),),
        )  # fmt: skip

    @property
    def present(self) -> Condition:
        """Whether the message has the attribute."""
        if self._number is None:
            raise ValueError(f"{self!r} is a header member, which every {self._cls.__name__} has")
        return Condition(self._cls, "present", f"{self!r}.present", operand=self)

    # --- fields below ---

    def __getattr__(self, name: str) -> Operand:
        if name.startswith("__"):
            raise AttributeError(name)
        field = self._field
        kind = field.kind_name
        if kind not in ("nest", "struct"):
            why = {
                "selected": f"its class depends on {field.selector!r}",
            }.get(kind, "it is a list" if kind in SEVERAL else f"it is of kind {kind}")
            words = ", ".join(WORDS)
            raise AttributeError(
                f"{self!r} has no field {name!r}, because {why}; a condition has: {words}"
            )
        return _field(
            self._cls, field.message, name, self._path, self._nests, self._number, self._offset
        )

    def __dir__(self) -> list[str]:
        below: list[str] = []
        if self._field.kind_name in ("nest", "struct"):
            below = [*self._field.message.__table__.names]
        return [*below, *WORDS]

    def __repr__(self) -> str:
        return f"{self._cls.__name__}.{self._path}"

    # --- wrong calls ---

    def __hash__(self) -> int:
        raise TypeError(f"{self!r} cannot be in a set or be a key; {HOW}")

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self!r} is not true or false before an event comes; {HOW}")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(f"`in` cannot test {self!r}: write {self!r} == {item!r}")

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self!r} is a field, and not a list of values")

    def _misused(self, other: object = None) -> NoReturn:
        raise TypeError(
            f"{self!r} is a field: compare it, and put the comparison into parentheses, as in "
            f"({self!r} == value) & (...); test bits by {self!r}.has(...), presence by .present"
        )

    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _misused

    # --- values ---

    def _misfit(self, value: object, reason: str) -> EncodeError:
        return EncodeError(reason, path=repr(self), value=value)

    def _cannot(self, what: str, why: str = "") -> ValueError:
        kind = self._field.kind_name
        if kind in ("nest", "struct"):
            names = ", ".join(self._field.message.__table__.names)
            why = f"name one of its fields: {names}"
        elif kind == "selected":
            why = f"its kind depends on {self._field.selector!r}; use .present"
        elif kind in SEVERAL:
            why = "it is a list, and the kernel's filter cannot read lists; use .present"
        elif not why:
            why = f"it is of kind {kind}; use .present"
        return ValueError(f"{self!r} cannot be tested by {what}: {why}")

    def _hint_within(self, value: object) -> str:
        if self._field.kind_name == "address" and isinstance(value, str) and "/" in value:
            return f"; a prefix is {self!r}.within({value!r})"
        return ""

    def _check_none(self, value: object) -> None:
        if value is None:
            raise TypeError(
                f"None is not a value of a message: an absent attribute is ~{self!r}.present"
            )
        if isinstance(value, (Operand, Condition)):
            raise TypeError(f"{self!r} can be compared with constants only, not with {value!r}")

    def _check_end(self) -> None:
        if self._field.number is None and not self._field.size:
            raise self._cannot("a filter", "it has no size and extends to the end")

    def _equal(self, values: tuple[Any, ...], text: str, what: str) -> Condition:
        kind = self._field.kind_name
        for value in values:
            self._check_none(value)
        if kind in ("flag", "byte_flag"):
            if not all(isinstance(value, bool) for value in values):
                raise TypeError(f"{self!r} is a flag: compare it with True or False")
            if len({*values}) > 1:
                raise ValueError(f"{text} is always true")
            is_set = Condition(self._cls, "is_set", text, operand=self)
            return is_set if values[0] else Condition(self._cls, "~", text, parts=(is_set,))
        if self._shape is not None:
            found: Iterable[Any] = map(self._integer, values)
        elif kind in COMPARABLE:
            self._check_end()
            found = map(self._bytes, values)
        else:
            raise self._cannot(what)
        return Condition(self._cls, "==", text, operand=self, values=tuple(sorted({*found})))

    def _ordered(self, op: str, value: Any) -> Condition:
        self._check_none(value)
        if self._shape is None:
            raise self._cannot(op, "only integers have an order")
        return Condition(
            self._cls, op, f"{self!r} {op} {value!r}", operand=self, values=(self._integer(value),)
        )

    def _bits(self, op: str, bits: Any) -> Condition:
        self._check_none(bits)
        if self._shape is None or self._shape.is_signed:
            raise self._cannot(f"{op}()", "only unsigned integers have bits")
        mask = self._integer(bits)
        if not mask:
            raise ValueError(f"{self!r}.{op}({bits!r}) names no bit")
        return Condition(self._cls, op, f"{self!r}.{op}({bits!r})", operand=self, values=(mask,))

    @property
    def _shape(self) -> Shape | None:
        """How an integer looks on the wire; None for all other kinds."""
        found = re.fullmatch("(s?)(u?)(be)?(8|16|32|64|int)", self._field.kind_name)
        if found is None:
            return None
        size = 0 if found[4] == "int" else int(found[4]) // 8
        return Shape(size, bool(found[1]), bool(found[3]) or not LITTLE)

    def _integer(self, value: Any) -> int:
        """Return the number of a value, as the constructor of the message understands it."""
        enum = self._field.enum
        shape = self._shape
        assert shape is not None
        number = value
        if isinstance(value, bool):
            raise TypeError(f"{self!r} is a number, got {value!r}")
        if not isinstance(value, int):
            if isinstance(enum, type) and issubclass(enum, KernelNumber):
                if not isinstance(value, str):
                    raise TypeError(f"{self!r}: expected an int or text, got {value!r}")
                try:
                    number = int(enum.from_text(value))
                except ValueError as error:
                    raise self._misfit(value, str(error)) from None
            elif isinstance(enum, type) and issubclass(enum, Enum):
                if not isinstance(value, (str, list, tuple, set, frozenset)):
                    raise TypeError(
                        f"{self!r}: expected an int or a name of {enum.__name__}, got {value!r}"
                    )
                try:
                    number = value_of(enum, value)
                except ValueError as error:
                    raise self._misfit(value, str(error)) from None
            else:
                raise TypeError(f"{self!r}: expected an int, got {value!r}")
        least, most = shape.bounds(shape.size or 8)
        if not least <= number <= most:
            raise self._misfit(value, f"{number} is out of range: use {least} to {most}")
        return int(number)

    def _bytes(self, value: Any) -> bytes:
        """Return the payload that a value has on the wire, without the NUL of a string."""
        field = self._field
        kind = field.kind_name
        if kind == "address":
            if isinstance(value, (str, IPv4Address, IPv6Address)) and not hasattr(value, "network"):
                hint = self._hint_within(value)
                try:
                    address: IP = ip_address(value)
                except ValueError:
                    raise self._misfit(value, f"{value!r} is not an IP address{hint}") from None
            else:
                raise TypeError(f"{self!r}: expected an IP address, got {value!r}")
            if getattr(address, "scope_id", None) is not None:
                raise self._misfit(value, f"{address} has a zone, which is not in a message")
            self._check_width(value, len(address.packed))
            return address.packed
        expected: dict[str, tuple[type, ...]] = {
            "binary": (bytes,), "lladdr": (str, IPv4Address, IPv6Address)
        }  # fmt: skip
        if not isinstance(value, expected.get(kind, (str,))):
            wanted = "bytes" if kind == "binary" else "str"
            raise TypeError(f"{self!r}: expected {wanted}, got {value!r}")
        if isinstance(value, bytes) and field.number is None and len(value) != field.size:
            raise self._misfit(value, f"expected {field.size} bytes, got {len(value)}")
        try:
            message = self._owner(**{field.name: value})  # the core checks and encodes
        except EncodeError as error:
            raise self._misfit(value, error.reason) from None
        body = bytes(message)
        if field.number is None:
            data = body[field.offset : field.offset + field.size]
        else:
            data = next(body[at : at + n] for _, at, n in message._walk())
        return _checked_length(self, data.partition(b"\0")[0] if kind == "string" else data)

    def _check_width(self, value: object, width: int) -> None:
        """Refuse an address that the field cannot hold."""
        field = self._field
        self._check_end()
        allowed = {4, 16} if field.by_family or not field.size else {field.size}
        if width not in allowed:
            raise self._misfit(
                value, f"{value} is an IPv{4 if width == 4 else 6} address, which the field "
                "cannot hold"
            )  # fmt: skip


WORDS = ("has", "has_any", "in_", "present", "startswith", "within")


def _checked_length(operand: Operand, data: bytes) -> bytes:
    if len(data) > MAX_PAYLOAD:
        raise EncodeError(
            f"{len(data)} bytes exceed the limit of an attribute, {MAX_PAYLOAD}",
            path=repr(operand),
            value=data,
        )
    return data


class Shape(NamedTuple):
    """How an integer looks on the wire. `size` is 0 if the sender chooses 1, 2, 4 or 8 bytes."""

    size: int
    is_signed: bool
    is_big: bool

    def bounds(self, size: int) -> tuple[int, int]:
        """Return the least and the largest number of so many bytes."""
        bits = 8 * size
        if self.is_signed:
            return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        return 0, (1 << bits) - 1

    def wire(self, number: int, size: int) -> bytes:
        """Return the low `size` bytes of a number."""
        low = number & ((1 << 8 * size) - 1)
        return low.to_bytes(size, "big" if self.is_big else "little")

    def read(self, data: bytes) -> int:
        """Return the number in bytes."""
        return int.from_bytes(data, "big" if self.is_big else "little", signed=self.is_signed)


class Fields(Generic[M]):
    """The fields of a message class, to build conditions: see fields()."""

    __slots__ = ("_cls",)
    _cls: type[M]

    def __init__(self, cls: type[M]) -> None:
        object.__setattr__(self, "_cls", cls)

    def __getattr__(self, name: str) -> Operand:
        if name.startswith("__"):
            raise AttributeError(name)
        return _field(self._cls, self._cls, name, "", (), None, 0)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"fields({self._cls.__name__}).{name} cannot be set; a comparison is =="
        )

    def __dir__(self) -> list[str]:
        return [*self._cls.__table__.names]

    def __repr__(self) -> str:
        return f"fields({self._cls.__name__})"


def fields(cls: type[M], /) -> Fields[M]:
    """Return the fields of a message class, whose comparisons are conditions of a Filter.

    >>> from netlink.route.route import Route
    >>> r = fields(Route)
    >>> (r.table == 254) & r.oif.in_({3, 4})
    (Route.table == 254) & (Route.oif.in_({3, 4}))

    Operand lists what can be tested. A name that the class does not declare raises AttributeError
    with the nearest one.
    """
    if isinstance(cls, MessageType):
        return Fields(cls)
    hint = ""
    if isinstance(cls, Message):
        hint = f"; pass its class: fields({type(cls).__name__})"
    elif isinstance(cls, Op):
        hint = f"; pass the class of its messages: fields({cls.dump.__name__})"
    raise TypeError(f"fields() expects a message class, such as Route, got {cls!r}{hint}")


def _field(
    cls: MessageClass,
    owner: MessageClass,
    name: str,
    path: str,
    nests: tuple[int, ...],
    number: int | None,
    offset: int,
) -> Operand:
    """Return a field of `owner`, which is the class of a message, or of the field at `path`."""
    table = owner.__table__
    field = table.names.get(name)
    whole = f"{path}.{name}" if path else name
    if field is None:
        import difflib  # slow to import, and needed for errors only

        near = difflib.get_close_matches(name, table.names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(table.names)}"
        where_ = f"{cls.__name__}.{path}" if path else cls.__name__
        raise AttributeError(f"{where_} has no field {name!r}; {hint}", name=name, obj=None)
    if field.number is None:
        return Operand(cls, owner, field, whole, nests, number, offset + field.offset)
    if not path:
        return Operand(cls, owner, field, whole, (), field.number, 0)
    if table.total:
        raise AttributeError(
            f"{cls.__name__}.{whole}: the kernel's filter cannot find attributes after the header "
            f"of {owner.__name__}; a condition can read its header members"
        )
    assert number is not None
    return Operand(cls, owner, field, whole, (*nests, number), field.number, 0)


# --- evaluation in Python -------------------------------------------------------------------------


def _find(body: bytes, start: int, end: int, number: int) -> tuple[int, int] | None:
    """Return the bounds of an attribute's payload, as nla_find() of lib/nlattr.c finds it."""
    while end - start >= NLA_HDRLEN:
        length, kind = struct.unpack_from("=HH", body, start)
        if not NLA_HDRLEN <= length <= end - start:
            break
        if kind & NLA_TYPE_MASK == number:
            return start + NLA_HDRLEN, start + length
        start += (length + 3) & ~3
    return None


def _attribute(operand: Operand, body: bytes) -> bytes | None:
    """Return the payload of an operand's attribute, or the header of the message."""
    if operand._number is None:
        return body
    total = operand._cls.__table__.total
    start, end = (total + 3) & ~3, len(body)
    for number in (*operand._nests, operand._number):
        found = _find(body, start, end, number)
        if found is None:
            return None
        start, end = found
    return body[start:end]


def _is_union(operand: Operand) -> bool:
    """Whether a header member is an IPv4 or an IPv6 address, as the header's first byte says."""
    return operand._field.number is None and operand._field.by_family and operand._field.size == 16


def _may_be_labels(operand: Operand) -> bool:
    """Whether the attribute is a label stack in messages of the family AF_MPLS."""
    field, family = operand._field, operand._cls.__table__.names.get("family")
    return (
        field.kind_name == "address"
        and field.number is not None
        and field.by_family
        and not operand._nests
        and family is not None
        and family.number is None
        and family.offset == 0
    )


def _value(operand: Operand, body: bytes) -> bytes | None:
    """Return the bytes of an operand's value, or None if it is absent or has a wrong length."""
    payload = _attribute(operand, body)
    if payload is None:
        return None
    field, at = operand._field, operand._offset
    if field.number is None:  # a member of a header or of a struct
        data = payload[at : at + field.size]
        if len(data) < field.size:
            return None
        if _is_union(operand) and payload[at - field.offset] in FAMILIES_V4:
            data = data[:4]
        return data
    shape = operand._shape
    if shape is not None and len(payload) not in ((shape.size,) if shape.size else (1, 2, 4, 8)):
        return None
    if field.kind_name == "byte_flag" and len(payload) > 1:
        return None
    if field.kind_name == "flag" and payload:
        return None
    if _may_be_labels(operand) and body[0] == AF.AF_MPLS:
        return None
    return payload


def _holds(condition: Condition, body: bytes) -> bool:
    """Whether a condition is true for the body of a message."""
    op = condition._op
    if op == "&":
        return all(_holds(part, body) for part in condition._parts)
    if op == "|":
        return any(_holds(part, body) for part in condition._parts)
    if op == "~":
        return not _holds(condition._parts[0], body)
    operand = condition._operand
    assert operand is not None
    if op == "present":
        if operand._field.number is None:
            return _value(operand, body) is not None
        return _attribute(operand, body) is not None
    data = _value(operand, body)
    if data is None:
        return False
    if op == "is_set":
        return not data or data[0] != 0
    values = condition._values
    shape = operand._shape
    if shape is not None:
        number = shape.read(data)
        match op:
            case "==":
                return number in values
            case "<":
                return bool(number < values[0])
            case "<=":
                return bool(number <= values[0])
            case ">":
                return bool(number > values[0])
            case ">=":
                return bool(number >= values[0])
            case "has":
                return bool(number & values[0] == values[0])
            case _:
                return bool(number & values[0])
    if operand._field.kind_name == "string":
        data = data.partition(b"\0")[0]
    if op == "start":
        return data.startswith(values[0])
    if op == "within":
        return len(data) == len(values[0].network_address.packed) and ip_address(data) in values[0]
    return data in values


# --- compilation ----------------------------------------------------------------------------------


class Place:
    """The value of an operand in a program: at a fixed offset, or in the attribute at X."""

    def __init__(self, program: Program, operand: Operand, base: int, missing: Label) -> None:
        self.program = program
        self.operand = operand
        self.missing = missing
        self.base = base  # of the body
        number = operand._number
        self.is_attribute = number is not None
        self.at = operand._offset + (NLA_HDRLEN if self.is_attribute else base)
        if number is None:
            return
        start = base + ((operand._cls.__table__.total + 3) & ~3)
        program.put(bpf.LD_IMM, start)
        for place, kind in enumerate((*operand._nests, number)):
            program.put(bpf.LDX_IMM, kind)
            program.put(bpf.LOAD_ABS[4], bpf.NLATTR_NEST if place else bpf.NLATTR)
            found = Label()
            program.jump(bpf.JEQ, 0, missing, found)
            program.mark(found)
        program.put(bpf.TAX)

    def load(self, at: int, size: int) -> None:
        """Load bytes of the value into A."""
        self.program.put((bpf.LOAD_IND if self.is_attribute else bpf.LOAD_ABS)[size], self.at + at)

    def length_is(self, size: int, yes: Label, no: Label) -> None:
        """Jump by whether the payload has this length."""
        wire = (NLA_HDRLEN + size).to_bytes(2, sys.byteorder)
        self.program.put(bpf.LOAD_IND[2], 0)
        self.program.jump(bpf.JEQ, int.from_bytes(wire, "big"), yes, no)

    def length_least(self, size: int, yes: Label, no: Label) -> None:
        """Jump by whether the payload has at least this length: compares nla_len, of the host."""
        high, low = divmod(NLA_HDRLEN + size, 256)
        program = self.program
        program.put(bpf.LOAD_IND[1], 1 if LITTLE else 0)
        equal, rest = Label(), Label()
        program.jump(bpf.JGT, high, yes, equal)
        program.mark(equal)
        program.jump(bpf.JEQ, high, rest, no)
        program.mark(rest)
        program.put(bpf.LOAD_IND[1], 0 if LITTLE else 1)
        program.jump(bpf.JGE, low, yes, no)

    def equal(self, data: bytes, yes: Label, no: Label) -> None:
        """Jump by whether the value begins with bytes."""
        self.masked(data, b"\xff" * len(data), yes, no)

    def masked(self, data: bytes, mask: bytes, yes: Label, no: Label) -> None:
        """Jump by whether the bytes under a mask are equal."""
        program = self.program
        chunks = [
            (at, size, value, bits)
            for (at, size, value), (_, _, bits) in zip(loads(data), loads(mask), strict=True)
            if bits
        ]
        for place, (at, size, value, bits) in enumerate(chunks):
            self.load(at, size)
            if bits != (1 << 8 * size) - 1:
                program.put(bpf.AND, bits)
            following = yes if place == len(chunks) - 1 else Label()
            program.jump(bpf.JEQ, value, following, no)
            if following is not yes:
                program.mark(following)
        if not chunks:
            program.goto(yes)


def _generate(program: Program, condition: Condition, base: int, yes: Label, no: Label) -> None:
    """Append the code of a condition, which jumps to `yes` or `no`."""
    op = condition._op
    if op == "~":
        _generate(program, condition._parts[0], base, no, yes)
    elif op in ("&", "|"):
        *before, last = condition._parts
        for part in before:
            following = Label()
            if op == "&":
                _generate(program, part, base, following, no)
            else:
                _generate(program, part, base, yes, following)
            program.mark(following)
        _generate(program, last, base, yes, no)
    else:
        _generate_test(program, condition, base, yes, no)


def _generate_test(
    program: Program, condition: Condition, base: int, yes: Label, no: Label
) -> None:
    op, operand, values = condition._op, condition._operand, condition._values
    assert operand is not None
    field, shape = operand._field, operand._shape
    if _may_be_labels(operand) and op != "present":
        program.put(bpf.LOAD_ABS[1], base)
        other = Label()
        program.jump(bpf.JEQ, AF.AF_MPLS, no, other)
        program.mark(other)
    place = Place(program, operand, base, no)
    is_member = field.number is None  # of the header, or of a struct
    if is_member and place.is_attribute:  # an older kernel sends a shorter struct
        enough = Label()
        place.length_least(operand._offset + field.size, enough, no)
        program.mark(enough)
    if op == "present":
        program.goto(yes)
    elif op == "is_set":
        if field.kind_name == "flag":
            place.length_is(0, yes, no)
        else:
            byte, one = Label(), Label()
            place.length_is(0, yes, byte)
            program.mark(byte)
            place.length_is(1, one, no)
            program.mark(one)
            place.load(0, 1)
            program.jump(bpf.JEQ, 0, no, yes)
    elif shape is not None and is_member:
        _generate_integer(place, shape, shape.size, op, values, yes, no)
    elif shape is not None:
        for size, other in _alternatives(
            program, (shape.size,) if shape.size else (4, 8, 1, 2), no
        ):
            fits = Label()
            place.length_is(size, fits, other)
            program.mark(fits)
            _generate_integer(place, shape, size, op, values, yes, no)
    elif op == "within":
        network = values[0]
        address, mask = network.network_address.packed, network.netmask.packed
        fits = Label()
        _generate_width(place, len(address), fits, no)
        program.mark(fits)
        place.masked(address, mask, yes, no)
    elif field.kind_name == "string" or op == "start":
        for value, other in _alternatives(program, values, no):
            _generate_text(place, value, op == "start", yes, other)
    else:
        _generate_bytes(place, values, yes, no)


def _alternatives(program: Program, choices: Sequence[T], no: Label) -> Iterator[tuple[T, Label]]:
    """Yield each choice with the label of the code for the next one, which is `no` for the last."""
    for choice in choices[:-1]:
        following = Label()
        yield choice, following
        program.mark(following)
    yield choices[-1], no


def _generate_width(place: Place, width: int, yes: Label, no: Label) -> None:
    """Jump by whether an address, or other bytes, have this length."""
    if place.operand._field.number is not None:
        place.length_is(width, yes, no)
        return
    field = place.operand._field
    if not _is_union(place.operand):
        place.program.goto(yes if width == field.size else no)
        return
    place.load(-field.offset, 1)  # the family, which is the first byte of the header
    v4, v6 = (yes, no) if width == 4 else (no, yes)
    place.program.search([*FAMILIES_V4], v4, v6)


def _generate_bytes(place: Place, values: tuple[bytes, ...], yes: Label, no: Label) -> None:
    """Jump by whether the bytes are one of some values."""
    widths = sorted({len(value) for value in values})
    program = place.program
    for width, other in _alternatives(program, widths, no):
        fits = Label()
        _generate_width(place, width, fits, other)
        program.mark(fits)
        same = [value for value in values if len(value) == width]
        if width in bpf.LOAD_IND:
            place.load(0, width)
            program.search([int.from_bytes(value, "big") for value in same], yes, no)
        else:
            for value, following in _alternatives(program, same, no):
                place.equal(value, yes, following)


def _generate_text(place: Place, data: bytes, is_start: bool, yes: Label, no: Label) -> None:
    """Jump by whether a text is equal, or begins so. A text ends at a NUL or with its payload."""
    program = place.program
    field = place.operand._field
    if field.number is None:
        rest = Label()
        is_whole = is_start or len(data) == field.size
        place.equal(data, yes if is_whole else rest, no)
        if not is_whole:
            program.mark(rest)
            place.load(len(data), 1)
            program.jump(bpf.JEQ, 0, yes, no)
        return
    enough, same, longer = Label(), Label(), Label()
    place.length_least(len(data), enough, no)
    program.mark(enough)
    place.equal(data, yes if is_start else same, no)
    if not is_start:
        program.mark(same)
        place.length_is(len(data), yes, longer)
        program.mark(longer)
        place.load(len(data), 1)
        program.jump(bpf.JEQ, 0, yes, no)


def _generate_integer(
    place: Place, shape: Shape, size: int, op: str, values: tuple[int, ...], yes: Label, no: Label
) -> None:
    """Jump by a comparison of an integer of `size` bytes."""
    program = place.program
    least, most = shape.bounds(size)
    if op == "==":
        fitting = [shape.wire(value, size) for value in values if least <= value <= most]
        if not fitting:
            program.goto(no)
        elif size <= 4:
            place.load(0, size)
            program.search(sorted(int.from_bytes(value, "big") for value in fitting), yes, no)
        else:
            for value, following in _alternatives(program, fitting, no):
                place.equal(value, yes, following)
        return
    constant = values[0]
    if op == "has":
        data = shape.wire(constant, size)
        if constant > most:
            program.goto(no)
        else:
            place.masked(data, data, yes, no)
        return
    if op == "has_any":
        data = shape.wire(constant, size)
        chunks = [chunk for chunk in loads(data) if chunk[2]]
        for at, width, bits in chunks:
            place.load(at, width)
            following = Label()
            program.jump(bpf.JSET, bits, yes, following)
            program.mark(following)
        program.goto(no)
        return
    if constant > most:
        program.goto(yes if op in ("<", "<=") else no)
        return
    if constant < least:
        program.goto(yes if op in (">", ">=") else no)
        return
    data = shape.wire(constant, size)
    parts = [*loads(data)]
    if not shape.is_big:  # byte by byte, from the most significant one
        parts = [(at, 1, data[at]) for at in reversed(range(size))]
    less, greater = (yes, no) if op in ("<", "<=") else (no, yes)
    for position, (at, width, part) in enumerate(parts):
        place.load(at, width)
        if shape.is_signed and not position:
            sign = 1 << (8 * width - 1)
            program.put(bpf.XOR, sign)
            part ^= sign
        if position == len(parts) - 1:
            if op in ("<", "<="):
                program.jump(ORDERS[op], part, no, yes)
            else:
                program.jump(ORDERS[op], part, yes, no)
            return
        other, following = Label(), Label()
        program.jump(bpf.JGT, part, greater, other)
        program.mark(other)
        program.jump(bpf.JEQ, part, following, less)
        program.mark(following)


# --- filters --------------------------------------------------------------------------------------


class Meant(NamedTuple):
    """One way in which events of a class are recognised."""

    id: int | None  # of a generic family; `type` is its command then
    type: int
    selector: Field | None  # the header member that chooses the class
    key: int | None  # its value


class Filter:
    """Conditions that events must fulfil, tested by the kernel before it queues an event.

        r, l = fields(Route), fields(Link)
        Connection(ROUTE, filter=Filter(r.table == 254, l.linkinfo.kind == "vlan"))

    Each argument is a condition on another message class. Events of other classes pass. So do
    answers, ACKs, errors and parts of dumps. A message counts as an event unless

    - its type means another class, or it has NLM_F_REQUEST or NLM_F_MULTI (parts of dumps);
    - its nlmsg_pid is the socket's own port (answers, echoes);
    - its nlmsg_pid is 0 and its nlmsg_seq is not, as in answers of xfrm, unless its family is a
      generic one, whose answers have the port;
    - it shares its datagram with other messages, as events of nftables do;
    - it is shorter than the fixed header of its class.

    Dropped events are neither overruns nor counted as drops. Raises TypeError for what is not a
    condition, and ValueError for two conditions on one class and for a program that is too long.
    """

    __slots__ = ("conditions",)

    def __init__(self, *conditions: Condition) -> None:
        if not conditions:
            raise TypeError("Filter() expects conditions, as in Filter(fields(Route).table == 254)")
        found: dict[MessageClass, Condition] = {}
        for condition in conditions:
            if not isinstance(condition, Condition):
                hint = ""
                if isinstance(condition, Operand):
                    hint = f"; compare it, or write {condition!r}.present"
                elif isinstance(condition, (list, tuple, set)):
                    hint = "; pass each condition as an argument"
                raise TypeError(f"Filter() expects conditions, got {condition!r}{hint}")
            if condition.cls in found:
                raise ValueError(
                    f"two conditions are about {condition.cls.__name__}: combine them with & or |"
                )
            found[condition.cls] = condition
        self.conditions = found
        types = {cls: [Meant(None, 16 + n, None, None)] for n, cls in enumerate(found)}
        try:
            self._assemble(types, 1)  # raises ValueError if the conditions alone are too long
        except RecursionError:
            raise ValueError("the conditions are nested too deeply") from None

    def matches(self, message: Any, *, port: int = 0) -> bool:
        """Whether the filter passes a message: what the kernel does, in Python.

        `port` is that of the socket. A message without a header, as a constructor makes it, counts
        as an event.
        """
        if not isinstance(message, (Message, RawMessage)):
            raise TypeError(f"matches() expects a message, got {message!r}")
        _check_port(port)
        if isinstance(message, RawMessage) or type(message) not in self.conditions:
            return True
        condition = self.conditions[type(message)]
        if message.nlmsg_flags is not None:
            pid = message.nlmsg_pid
            is_answer = pid == port if port else False
            if message.genl_cmd is None and not pid and message.nlmsg_seq:
                is_answer = True
            if is_answer or message.nlmsg_flags & IS_ANSWER:
                return True
        body = bytes(message)
        if len(body) < condition.cls.__table__.header:
            return True
        return _holds(condition, body)

    def compile(self, *families: Family, port: int = 0) -> bytes:
        """Return the program as an array of struct sock_filter, for RawSocket.attach_filter().

        `families` say which message types the classes have. `port` is that of the socket: without
        it, answers that are not parts of a dump are treated as events. Raises ValueError if a class
        is not what a family's kernel part sends, and for a generic family without a number: use
        FAMILY.at(number).
        """
        _check_port(port)
        if not families:
            raise TypeError("compile() expects the families of the socket: compile(ROUTE)")
        meant: dict[MessageClass, list[Meant]] = {}
        for family in families:
            check_family(family)
            if family.framing != "netlink":
                raise ValueError(
                    f"events of family {family.name!r} cannot be filtered: they are not netlink "
                    f"messages, their framing is {family.framing!r}"
                )
        for cls in self.conditions:
            meant[cls] = [found for family in families for found in _meanings(family, cls)]
            if not meant[cls]:
                names = ", ".join(family.name for family in families)
                raise ValueError(f"no event of {names} is a {cls.__name__}")
        return self._assemble(meant, port)

    def is_about(self, family: Family) -> bool:
        """Whether a condition is about messages of this family."""
        return any(_meanings(family, cls, check=False) for cls in self.conditions)

    def _assemble(self, meant: dict[MessageClass, list[Meant]], port: int) -> bytes:
        program = Program()
        accept, refuse = Label(), Label()
        is_generic = any(each.id is not None for meanings in meant.values() for each in meanings)
        _generate_is_event(program, port, accept, is_generic=is_generic)
        entries: dict[tuple[MessageClass, int], Label] = {}
        selections: list[tuple[Label, list[tuple[Meant, MessageClass]]]] = []
        by_id: dict[int, dict[int, Label]] = {}
        types: dict[int, Label] = {}
        places: dict[tuple[int | None, int], list[tuple[Meant, MessageClass]]] = {}
        for cls, meanings in meant.items():
            for each in meanings:
                places.setdefault((each.id, each.type), []).append((each, cls))
        for (id, number), choices in places.items():
            if choices[0][0].selector is None:
                cls = choices[0][1]
                base = NLMSG_HDRLEN + (GENL_HDRLEN if id is not None else 0)
                label = entries.setdefault((cls, base), Label())
            else:
                label = Label()
                selections.append((label, choices))
            (types if id is None else by_id.setdefault(id, {}))[number] = label
        generic = {id: Label() for id in by_id}
        wire = {_host16(number): label for number, label in (types | generic).items()}
        program.put(bpf.LOAD_ABS[2], 4)  # nlmsg_type
        program.search(sorted(wire), wire, accept)
        for id, commands in by_id.items():
            program.mark(generic[id])
            _generate_least(program, NLMSG_HDRLEN + GENL_HDRLEN, accept)
            program.put(bpf.LOAD_ABS[1], NLMSG_HDRLEN)  # genlmsghdr.cmd
            program.search(sorted(commands), commands, accept)
        for label, choices in selections:
            program.mark(label)
            _generate_selection(program, choices, entries, accept)
        for (cls, base), label in entries.items():
            program.mark(label)
            table = cls.__table__
            if table.header:
                _generate_least(program, base + table.header, accept)
            _generate(program, self.conditions[cls], base, accept, refuse)
        program.mark(refuse)
        program.put(bpf.RET, 0)
        program.mark(accept)
        program.put(bpf.RET, bpf.PASS)
        return program.assemble()

    def __repr__(self) -> str:
        return f"Filter({', '.join(map(repr, self.conditions.values()))})"


def _check_port(port: object) -> None:
    if not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"port must be an int, got {port!r}")
    if not 0 <= port <= 0xFFFFFFFF:
        raise ValueError(f"port must be from 0 to {0xFFFFFFFF}, got {port}")


def _host16(number: int) -> int:
    """Return a number of the host's byte order as a load, which is big-endian, sees it."""
    return int.from_bytes(number.to_bytes(2, sys.byteorder), "big")


def _host32(number: int) -> int:
    return int.from_bytes(number.to_bytes(4, sys.byteorder), "big")


def _generate_least(program: Program, length: int, no: Label) -> None:
    """Continue if the datagram has at least this length."""
    enough = Label()
    program.put(bpf.LD_LEN)
    program.jump(bpf.JGE, length, enough, no)
    program.mark(enough)


def _generate_is_event(program: Program, port: int, no: Label, *, is_generic: bool) -> None:
    """Continue if a datagram can be an event and nothing else; see Filter."""

    def unless(code: int, k: int) -> None:
        following = Label()
        program.jump(code, k, no, following)
        program.mark(following)

    _generate_least(program, NLMSG_HDRLEN, no)
    program.put(bpf.LOAD_ABS[2], 6)  # nlmsg_flags
    unless(bpf.JSET, _host16(IS_ANSWER))
    program.put(bpf.LOAD_ABS[4], 12)  # nlmsg_pid
    if port:
        unless(bpf.JEQ, _host32(port))
    if not is_generic:
        is_zero, go_on = Label(), Label()
        program.jump(bpf.JEQ, 0, is_zero, go_on)
        program.mark(is_zero)
        program.put(bpf.LOAD_ABS[4], 8)  # nlmsg_seq
        program.jump(bpf.JEQ, 0, go_on, no)
        program.mark(go_on)
    # Fewer than 4 bytes may follow nlmsg_len: the padding. More are another message.
    if LITTLE:
        for at in (3, 2, 1, 0):
            program.put(bpf.LOAD_ABS[1], at)
            if at:
                program.put(bpf.LSH, 8 * at)
            if at < 3:
                program.put(bpf.LDX_MEM, 0)
                program.put(bpf.OR_X)
            program.put(bpf.ST if at else bpf.TAX, 0)
    else:
        program.put(bpf.LOAD_ABS[4], 0)
        program.put(bpf.TAX)
    program.put(bpf.LD_LEN)
    program.put(bpf.SUB_X)
    unless(bpf.JGE, 4)


def _generate_selection(
    program: Program,
    choices: list[tuple[Meant, MessageClass]],
    entries: dict[tuple[MessageClass, int], Label],
    accept: Label,
) -> None:
    """Jump to the class that a member of the header chooses."""
    first, cls = choices[0]
    base = NLMSG_HDRLEN + (GENL_HDRLEN if first.id is not None else 0)
    assert first.selector is not None and first.selector.selector is not None
    member = cls.__table__.names[first.selector.selector]
    shape = Operand(cls, cls, member, member.name, (), None, member.offset)._shape
    assert shape is not None
    _generate_least(program, base + member.offset + member.size, accept)
    targets: dict[int, Label] = {}
    for each, chosen in choices:
        assert each.key is not None
        wire = int.from_bytes(shape.wire(each.key, member.size), "big")
        targets[wire] = entries.setdefault((chosen, base), Label())
    program.put(bpf.LOAD_ABS[member.size], base + member.offset)
    program.search(sorted(targets), targets, accept)


def _meanings(family: Family, cls: MessageClass, *, check: bool = True) -> list[Meant]:
    """Return the message types under which a family's events have a class."""
    found: list[Meant] = []
    for number, choice in family.classes.items():
        if choice is cls:
            found.append(Meant(family.id, number, None, None))
        elif isinstance(choice, Field):
            found += [
                Meant(family.id, number, choice, int(key))
                for key, chosen in (choice.choices or {}).items()
                if chosen is cls
            ]
    if check and found and family.is_generic and family.id is None:
        raise ValueError(
            f"the kernel assigns generic family {family.name!r} its number at run time: "
            f"compile with .at(number)"
        )
    return found
