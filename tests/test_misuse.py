"""Declarations and calls that cannot be right: a TypeError, where there was a crash or nonsense.

tests/hostile.py calls everything with anything. These are the cases that were found by hand, each
with what it must say.
"""

import copy
import pickle
import threading
import types
from typing import Any

import pytest

from netlink import DecodeError, EncodeError, Message, _core
from netlink import schema as s
from netlink.route import link
from netlink.route.link import Link, ifinfomsg
from tests import wire


class Left(Message):
    number: int | None = s.u32(1)
    name: str | None = s.string(2)


class Right(Message):
    flag: bool = s.flag(1)
    bits: int | None = s.u32(200)


class Plain(Message):
    """A base class without fields."""


def declare(name: str, bases: tuple[type, ...], fields: dict[str, Any]) -> Any:
    """Make a message class from fields."""
    fields = {"__module__": __name__, **fields}  # not that of the metaclass
    return types.new_class(name, bases, exec_body=lambda space: space.update(fields))


def dispatch() -> Any:
    found = _core.Dispatch()
    found.meaning(16, "X", "x", False).give(Left)
    return found


# --- declarations (case 53) -----------------------------------------------------------------------


def test_fields_of_two_base_classes() -> None:
    """Reading a field of the second class used its slot in the table of the first: SIGSEGV."""
    for bases in ((Left, Right), (Right, Left), (Plain, Left, Right)):
        with pytest.raises(TypeError, match="only one base class may have fields"):
            declare("Both", bases, {})


def test_one_base_class_with_fields_is_enough() -> None:
    class Late(Plain, Left):
        more: int | None = s.u8(3)

    assert (Late(number=7, more=2).number, Late(number=7, more=2).more) == (7, 2)

    class One(Left):
        pass

    class Two(Left):
        pass

    class Diamond(One, Two):
        pass

    assert Diamond(name="x").name == "x"


@pytest.mark.parametrize("order", [1, -1])
def test_a_message_cannot_have_a_base_with_attributes_of_instances(order: int) -> None:
    """Memory was freed that nobody had allocated: a message has no header of the collector."""

    class Ordinary:
        def doubled(self) -> int:
            return 2 * self.number  # type: ignore[attr-defined, no-any-return]

    class Bare(Ordinary):
        __slots__ = ()

    class Without:
        __slots__ = ()
        doubled = Ordinary.doubled

    for base in (Ordinary, Bare):
        with pytest.raises(TypeError, match="give its other bases `__slots__ = \\(\\)`"):
            declare("Both", (base, Left)[::order], {})
    both = declare("Both", (Without, Left)[::order], {})
    assert both(number=4).doubled() == 8


def test_a_field_has_one_place() -> None:
    field: Any = s.u32(1)
    first = declare("First", (Message,), {"x": field})
    for namespace in ({"x": field}, {"y": field}):
        with pytest.raises(TypeError, match="already"):
            declare("Second", (Message,), namespace)
    assert first(x=5).x == 5
    twice: Any = s.u32(1)
    with pytest.raises(TypeError, match="already the field a"):
        declare("Twice", (Message,), {"a": twice, "b": twice})
    member: Any = s.u32()
    declare("Third", (Message,), {"m": member})
    with pytest.raises(TypeError, match="make another one"):
        s.repeated(5, member)


def test_a_field_outside_of_messages() -> None:
    class Mixin:
        x: int | None = s.u32(1)

    with pytest.raises(TypeError, match="not a message class"):
        declare("Mixed", (Mixin, Message), {})
    with pytest.raises(TypeError, match="does not belong to a message class"):
        _ = Mixin().x


def test_a_field_reads_its_own_class_only() -> None:
    """Right.bits has a slot that Left's index does not have."""
    body = b"".join(wire.attribute(n, b"1234") for n in range(1, 40))
    left = Left.from_bytes(body)
    assert [left.number for _ in range(9)]  # makes the index
    for stranger in (left, _core.View.__new__(_core.View), 5, object()):
        with pytest.raises(TypeError, match=r"Right\.bits cannot be read from a"):
            vars(Right)["bits"].__get__(stranger, Right)
    assert vars(ifinfomsg)["index"].__get__(Link(index=4), Link) == 4


def test_the_class_of_a_message_cannot_be_changed() -> None:
    left: Any = Left(number=1)
    with pytest.raises(TypeError, match="a message is immutable"):
        left.__class__ = Right
    with pytest.raises(AttributeError, match="use replace"):
        left.number = 2
    with pytest.raises(AttributeError, match="use replace"):
        del left.number
    # Python has a way around it. Whatever is read then, it is not beyond the index.
    body = b"".join(wire.attribute(n, b"1234") for n in range(1, 40))
    odd: Any = Left.from_bytes(body)
    assert [odd.number for _ in range(9)]
    setter: Any = vars(object)["__class__"]
    setter.__set__(odd, Link)
    assert [getattr(odd, name) for name in Link.__table__.names if name != "af_spec"]


def test_the_table_of_a_class_cannot_be_damaged() -> None:
    table: Any = Left.__table__
    with pytest.raises(TypeError, match="does not support item assignment"):
        table.names["number"] = 5
    arguments: tuple[Any, ...]
    for arguments in (
        (int, None, []), (_core.View, None, []), (Left, None, []), ("x", None, []),
        (type("X", (_core.View,), {"__slots__": ()}), None, [None]),
        (type("X", (_core.View,), {"__slots__": ()}), None, [s.u8(1)]),
        (type("X", (_core.View,), {"__slots__": ()}), Left.__table__, []),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            _core.Table(*arguments)
    with pytest.raises(TypeError, match="derive it from Message"):
        type("X", (_core.View,), {})()


def test_kinds_get_what_they_need() -> None:
    """A scalars field of elements without a size divided by zero; without an element: SIGSEGV."""
    field: Any = _core.Field
    for wrong in (
        lambda: field("array", 1), lambda: field("scalars", 1), lambda: field("repeated", 1),
        lambda: field("scalars", 1, element=s.string()), lambda: field("nest", 1),
        lambda: field("records", 1), lambda: field("selected", 1), lambda: field("u8", "1"),
        lambda: field("array", 1, element=s.repeated(2, s.u8())),
        lambda: field("u8", 1, element=s.u8()), lambda: field("u8", 1, enum=object),
        lambda: field("string", 1, counts="x"), lambda: field("u8", 1, enum=5),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            wrong()  # type: ignore[no-untyped-call]
    for wrong in (
        lambda: field("u8", -1), lambda: field("u8", 1 << 70), lambda: field("binary", size=-1),
        lambda: field("u8", 1, counts="x", bits=64), lambda: field("binary", size=1 << 40),
        lambda: field("binary", size=4, align=3), lambda: field("u8", 1, counts="x", times=0),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"out of range|use 1, 2, 4 or 8"):
            wrong()
    deep: Any = s.u8()
    with pytest.raises(ValueError, match="elements are nested too deeply"):
        for _ in range(100_000):  # the destructors of such a chain overflow the stack
            deep = field("array", 1, element=deep)


def test_a_choice_does_not_choose_again() -> None:
    """Such choices could lead back to themselves, so that a payload chooses the depth."""
    choices: dict[Any, Any] = {}

    class Loop(Message):
        kind: str | None = s.string(1)
        data: Any = s.selected(2, "kind", choices)

    choices["x"] = s.array(0, s.selected(None, "kind", choices))
    body = wire.attribute(1, b"x\0") + wire.attribute(2, b"\4\0\0\0" * 1000)
    with pytest.raises(TypeError, match="cannot be a choice"):
        _ = Loop.from_bytes(body).data
    with pytest.raises(TypeError, match="cannot be a choice"):
        Loop(kind="x", data=[[]])


# --- values ---------------------------------------------------------------------------------------


def test_errors_about_huge_values_are_short() -> None:
    """str() of an int of 5,000 digits is a ValueError of Python, which hid ours."""
    with pytest.raises(EncodeError, match="this int is out of range") as error:
        Left(number=10**5000)
    assert error.value.path == "Left.number"
    for value in ("x" * 10_000_000, b"x" * 10_000_000):
        with pytest.raises(EncodeError) as error:
            Link(address=value) if isinstance(value, str) else Link(ifname=value)
        assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    "value", [" 0:0 :00:00:00:00", "00::00", "0:0:0:0:0:0", "00:00:", ":", " "]
)
def test_texts_of_link_layer_addresses(value: str) -> None:
    """Case 61: empty groups and spaces gave an address of another length."""

    class Where(Message):
        mac: str | None = s.mac(1)

    with pytest.raises(EncodeError, match="not a link-layer address"):
        Where(mac=value)


def test_a_zone_is_not_dropped() -> None:
    class Where(Message):
        address: s.Addr = s.address(1)

    with pytest.raises(EncodeError, match="has a zone"):
        Where(address="fe80::1%eth9")


def test_a_struct_does_not_overwrite_the_next_member() -> None:
    class Pair(Message):
        a: int = s.u32()

    class Holder(Message):
        pair: Any = s.struct(Pair)
        after: int = s.u32()

    longer = Pair.from_bytes(b"\1\0\0\0\2\0\0\0")  # from a newer kernel
    with pytest.raises(EncodeError, match="8 bytes are too many: the struct member has 4"):
        Holder(pair=longer, after=7)


def test_a_dict_may_lie_about_its_keys() -> None:
    class Long(dict[str, Any]):
        def __iter__(self) -> Any:
            return iter(["number"] * 1000)

        def __len__(self) -> int:
            return 1000

    class Outer(Message):
        left: s.Nested[Left] = s.nest(1, Left)

    assert Outer(left=Long(number=3)) == Outer(left={"number": 3})


# --- objects --------------------------------------------------------------------------------------


def test_pickles_made_by_hand() -> None:
    """Case 63: nlmsg_seq read before the buffer, and `bytes` subclasses lied about lengths."""

    class Lying(bytes):
        def __len__(self) -> int:
            return 1 << 30

        def __add__(self, other: Any) -> Any:
            return b""

    restore: Any = _core._restore  # type: ignore[attr-defined]
    for envelope in (b"x", b"x" * 15, b"x" * 17, b"x" * 35, b"x" * 300):
        with pytest.raises(ValueError, match="are not the headers of a netlink message"):
            restore(Left, b"", envelope)
    message = restore(Left, Lying(wire.attribute(1, b"\5\0\0\0")), Lying(b"\0" * 16))
    assert (message.number, message.nlmsg_seq, len(bytes(message))) == (5, 0, 8)
    assert bytes(Left.from_bytes(Lying(b"")).replace(number=1)) == bytes(Left(number=1))
    for wrong in ((int, b"", b""), (Left, None, b""), (Left, b"", 5), (None, b"", b"")):
        with pytest.raises((TypeError, AttributeError)):
            restore(*wrong)
    (received,) = _core.Messages(wire.message(16, bytes(Left(number=3)), seq=9), dispatch())
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(received, protocol))
        assert (again.nlmsg_seq, again.number, again.nlmsg_name) == (9, 3, "X")


def test_messages_requests_and_columns_are_made_once() -> None:
    left = Left(number=1)
    with pytest.raises(TypeError, match="is immutable"):
        left.__init__(number=2)  # type: ignore[misc]
    empty = Left()
    with pytest.raises(TypeError, match="is immutable"):
        empty.__init__(number=2)  # type: ignore[misc]
    request: Any = link.get(index=1)
    with pytest.raises(TypeError, match="is immutable"):
        request.__init__(link.get, Link())
    with pytest.raises(TypeError, match="made by columns"):
        _core.Column()
    column: Any = _core.Column
    assert "without" in repr(column.__new__(column))


def test_new_without_init() -> None:
    blank = Left.__new__(Left)
    assert (bytes(blank), blank.number, blank.to_dict(), repr(blank)) == (b"", None, {}, "<Left>")
    assert copy.copy(blank) is blank
    verb = _core.Verb.__new__(_core.Verb)
    with pytest.raises(TypeError, match="not initialized"):
        verb()
    request: Any = _core.Request.__new__(_core.Request)
    assert "None" in repr(request)
    with pytest.raises(TypeError):
        _core.envelop(request, -1, 0, 1)


def test_a_class_may_override_new() -> None:
    """The core made instances with the __new__ of the class, and used whatever it returned."""

    class Odd(Left):
        def __new__(cls, *_: Any, **__: Any) -> Any:
            return 5

    odd: Any = Odd
    assert odd() == 5
    assert type(Odd.from_bytes(bytes(Left(number=1)))) is Odd

    class Outer(Message):
        odd: Any = s.nest(1, Odd)

    assert Outer(odd={"number": 2}).odd.number == 2


def test_a_wrong_self_is_refused() -> None:
    """Methods that Cython binds do not check what self is: Dispatch.drop(0, 0) was a SIGSEGV."""
    for method, arguments in (
        (_core.Dispatch.drop, (0, 0)), (_core.Gather.finish, (None,)), (_core.View._walk, ("x",)),
        (_core.Request.dump, (Left(),)), (_core.Messages.rest, (b"",)),
        (_core.Field.__set_name__, (5, int, "x")), (_core.Meaning.defer, (dispatch(), "x")),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=r"descriptor|requires"):
            method(*arguments)


def test_a_gather_that_two_threads_feed() -> None:
    """Case 64: finish() took the memory that feed() was filling without the GIL."""
    data = wire.message(16, wire.attribute(2, b"x" * 1000)) * 3000
    gather = _core.Gather(Left.__table__, dispatch(), "name", "number")
    refused = []
    rows = []

    def work() -> None:
        for _ in range(20):
            for call in (lambda: gather.feed(data, 0, len(data)), gather.finish):
                try:
                    found = call()
                    if found:
                        names = list(found["name"])
                        rows.append(len(names))
                        assert set(names) <= {"x" * 1000}
                except RuntimeError as error:
                    refused.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("another thread is feeding" in text for text in refused)
    assert rows


def test_columns_that_failed_are_not_used() -> None:
    gather = _core.Gather(Left.__table__, dispatch(), "name", "number")
    data = wire.message(16, bytes(Left(name="x"))) + wire.message(16, wire.attribute(1, b"1"))
    with pytest.raises(DecodeError):
        gather.feed(data, 0, len(data))
    for call in (gather.finish, lambda: gather.feed(data, 0, 0)):
        with pytest.raises(ValueError, match="incomplete"):
            call()


def test_pack_does_not_trust_the_list() -> None:
    """The hash of a family may change the list of requests while it is packed."""
    requests: list[Any] = []
    armed: list[bool] = []

    class Family:
        version = 1

        def __hash__(self) -> int:
            if armed:
                requests.extend(requests[:1] * 500)
            return 1

        def __eq__(self, other: object) -> bool:
            return True

    verb: Any = _core.Verb(16, Link, 0, 0)
    verb.family = Family()
    requests[:] = [_core.Request(verb, Link())] * 2
    ids = {Family(): 20}
    armed.append(True)
    found = _core.pack(requests, 1, 0, 0, 1 << 20, ids, b"\1\1")
    assert len(b"".join(found)) == 2 * (20 + 16)
