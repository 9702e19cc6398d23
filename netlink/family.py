"""Op, Request, Family and Plan: the requests of a protocol, as plain data; and parse().

An Op makes requests. A Family collects the ops, the message classes and the multicast groups of a
protocol. A Plan is several round trips as one reusable object. Nothing in this file does I/O or
knows a particular family.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from enum import Enum, IntEnum
from types import ModuleType
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NoReturn,
    ParamSpec,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    overload,
)

from netlink._core import Dispatch, Field, Meaning, Messages, RawMessage, Request, Verb
from netlink.constants import NETLINK, NLM_F
from netlink.schema import Message, MessageClass, MessageType, SignatureOf

__all__ = [
    "Dispatch", "Family", "Follow", "IfIndex", "Listen", "Op", "Plan", "Request", "Steps", "Wait",
    "anything", "dispatch_of", "ifindex", "index_of", "listen", "parse", "plan", "wait",
]  # fmt: skip

P = ParamSpec("P")
A = ParamSpec("A")  # the arguments of the class that an Op is made with
M = TypeVar("M", bound=Message)
N = TypeVar("N", bound=Message)
R_co = TypeVar("R_co", covariant=True)  # what do() returns
D_co = TypeVar("D_co", bound=Message, covariant=True)  # the messages of a dump
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# The body of a plan: yields requests, other plans, ifindex(), listen() and wait(); receives the
# result of each; may catch the errors that they raise; and returns the result of the plan.
Steps = Generator[Any, Any, T]

U8, U16, U32, S32 = 0xFF, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF
GENL_MIN_ID = 0x10  # linux/genetlink.h
MAX_LINKS = 32  # protocols are numbers below (linux/netlink.h)

CO_GENERATOR = 0x20  # inspect.CO_GENERATOR; importing inspect takes 5 ms

Answer = Literal["none", "one", "optional", "several"]
End = Literal["ack", "message", "answer", "done", "nothing"]


# --- checks of declarations -----------------------------------------------------------------------


def _expected(place: str, word: str, what: str, value: object) -> TypeError:
    return TypeError(f"{place}: {word} must be {what}, got {value!r}")


def _integer(place: str, word: str, value: object, low: int, high: int) -> int:
    """Return an int in a range. Raises TypeError or ValueError that names the declaration."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise _expected(place, word, f"an int from {low} to {high}", value)
    if not low <= value <= high:
        raise ValueError(f"{place}: {word} must be an int from {low} to {high}, got {int(value)}")
    return int(value)


def near(word: object, known: Iterable[str]) -> str:
    """Return the end of an error about an unknown word: the nearest that is known, or all."""
    import difflib  # slow to import, and needed for errors only

    known = list(known)
    found = difflib.get_close_matches(str(word), known, n=1)
    return f"; did you mean {found[0]!r}?" if found else f"; it has: {', '.join(known)}"


# --- ops ------------------------------------------------------------------------------------------


class Follow:
    """How to follow the objects that an op dumps, as plain data: see Connection.follow().

    `groups` are the multicast groups to join: names, or for each address family of a request a
    list of names (AF_UNSPEC: the request has none). `key` names the fields that identify an
    object: header members and attributes of the class that the op dumps.

    `new` are the types (or commands) of events about objects that exist, `delete` those of
    objects that are gone. With `whole=False` the event of a change has only some of the object's
    attributes, and is merged into what is known; an event with NLM_F_CREATE is whole. Without
    `new`, events say only that something has changed: the dump is then requested again.

    `several` says that objects with the same key can exist next to each other. An event is then
    compared with each of them, without the fields of `ignore`. It may be a function that returns
    whether a message is an object of its own, or may be an extension of another one: then only
    another dump tells. An event with NLM_F_REPLACE replaces an object of its key.

    `also` lists types of events after which objects may be gone that no event reported: for each
    type None, or a function that selects messages. The dump is then requested again, after the
    answer to `fence`: a request that the kernel answers only after the change is complete. The
    kernel may send an event before it makes the change.

    `only` is a function that selects the messages that describe such objects. `select` has the
    fields of a request that select objects: for each None, if the field of an object must be
    equal, or a function of the object and of the message of the request. A request with any other
    field is refused. `ignore` names fields that change without events, with dots inside of nests.
    They are left out of comparisons.
    """

    __slots__ = (
        "also", "delete", "fence", "groups", "ignore", "key", "new", "only", "select", "several",
        "whole",
    )  # fmt: skip

    def __init__(
        self,
        *,
        groups: Iterable[str | int] | Mapping[int, Iterable[str | int]],
        key: Iterable[str],
        new: int | Iterable[int] = (),
        delete: int | Iterable[int] = (),
        whole: bool = True,
        several: bool | Callable[[Any], bool] = False,
        also: Mapping[int, Callable[[Any], bool] | None] | None = None,
        fence: Request[Any, Any] | None = None,
        only: Callable[[Any], bool] | None = None,
        select: Mapping[str, Callable[[Any, Any], bool] | None] | None = None,
        ignore: Iterable[str] = (),
    ) -> None:
        place = "Follow"
        by_family = groups if isinstance(groups, Mapping) else {0: groups}
        self.groups = {
            _integer(place, "an address family of groups", number, 0, U8): _names(
                place, "groups", names, (str, int)
            )
            for number, names in by_family.items()
        }
        self.key: tuple[str, ...] = _names(place, "key", key, (str,))
        if not self.key or not all(self.groups.values()) or not self.groups:
            raise ValueError(f"{place}: groups and key must not be empty")
        self.new = _types(place, "new", new)
        self.delete = _types(place, "delete", delete)
        if bool(self.new) != bool(self.delete):
            raise ValueError(f"{place}: declare both new and delete, or neither")
        for word, flag in (("whole", whole), ("several", several)):
            if not isinstance(flag, bool) and not (word == "several" and callable(flag)):
                raise _expected(place, word, "True or False", flag)
        if several and not whole:
            raise ValueError(f"{place}: updates can be merged only into objects with unique keys")
        self.whole = whole
        self.several = several
        for word, given in (("also", also), ("select", select)):
            if given is None:
                continue
            if not isinstance(given, Mapping) or not all(
                each is None or callable(each) for each in given.values()
            ):
                raise _expected(place, word, "a dict with None or functions", given)
        self.also = {
            _integer(place, "also", kind, 0, S32): test for kind, test in (also or {}).items()
        }
        self.select = dict(select or {})
        if only is not None and not callable(only):
            raise _expected(place, "only", "a function", only)
        self.only = only
        if fence is not None and not isinstance(fence, Request):
            raise _expected(place, "fence", "a request", fence)
        self.fence = fence
        self.ignore: tuple[str, ...] = _names(place, "ignore", ignore, (str,))

    def check(self, place: str, request: MessageType, dumped: MessageType) -> None:
        """Raise TypeError if the classes of an op lack a field that is named here."""
        for word, names, cls in (
            ("key", self.key, dumped),
            ("ignore", [name.partition(".")[0] for name in self.ignore], dumped),
            ("select", self.select, request),
        ):
            known = cls.__table__.names
            for name in names:
                if name not in known:
                    raise TypeError(
                        f"{place}: follow: {word}: {cls.__name__} has no field {name!r}"
                        f"{near(name, known)}"
                    )

    def __repr__(self) -> str:
        return f"<Follow by {', '.join(self.key)}>"


def anything(message: Any, asked: Any) -> bool:
    """A test for `Follow.select`: the field of a request does not select, such as an extension
    mask."""
    return True


def _names(place: str, word: str, value: Any, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise _expected(place, word, "a list of names", value)
    names = (*value,)
    if not all(isinstance(name, kinds) for name in names):
        raise _expected(place, word, "a list of names", value)
    return names


def _types(place: str, word: str, value: Any) -> frozenset[int]:
    numbers = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    return frozenset(_integer(place, word, number, 0, S32) for number in numbers)


class Op(Verb, Generic[P, R_co, D_co]):
    """A verb of a family. Calling it makes a Request: `link.get(ifname="eth0")`.

    `type` is the message type or, in a generic family, the command. `request` is the class of the
    request. `answer` says what do() returns:

    | answer     | do() returns                                            |
    |------------|---------------------------------------------------------|
    | "none"     | None; a message is an error (NetlinkError)              |
    | "one"      | one message; none, or a second one, is an error         |
    | "optional" | one message or None                                     |
    | "several"  | a list of messages                                      |

    `reply` is the class of the answer and `dump` that of the messages of a dump. Each defaults to
    the one before it. `reply_type` is the type or command under which the answer arrives, if that
    is not `type`.

    `ends` says what completes the answer: "ack"; "message" (the one message of the answer, or an
    error: do() asks for no ACK, which saves the kernel a second message); "answer" (a message after
    the ACK, as audit sends); "done" (NLMSG_DONE, as devlink and team send); or "nothing" (the
    kernel never answers, as connector). The engine adds NLM_F_REQUEST, NLM_F_ACK and NLM_F_DUMP to
    `flags`. `defaults` are arguments of every request that does not state them.

    `bracket` is 1 for an op that opens a transaction and -1 for the one that closes it
    (NFNL_MSG_BATCH_BEGIN and _END of linux/netfilter/nfnetlink.h). The kernel acknowledges neither.
    `dumps` says whether the kernel can dump by this op, for programs that list what can be dumped.
    By default it can if the op has an answer and the kernel's name of its type contains GET.
    `follow` says how to follow what the op dumps: see Follow.
    `family` is the family that has the op.

    Raises TypeError or ValueError for a declaration that cannot work, such as a default for a field
    that the request does not have.
    """

    __slots__ = ("answer", "dump", "dumps", "ends", "follow", "name", "reply", "reply_type")
    __signature__ = SignatureOf(lambda op: op.request)

    if TYPE_CHECKING:
        family: Family | None

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Request[R_co, D_co]: ...

    @overload
    def __init__(
        self: Op[A, None, M],
        name: str,
        type: int,
        request: Callable[A, M],
        *,
        answer: Literal["none"] = ...,
        reply_type: int | None = ...,
        ends: End = ...,
        flags: NLM_F = ...,
        defaults: Mapping[str, Any] | None = ...,
        dumps: bool | None = ...,
        bracket: int = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Op[A, M, M],
        name: str,
        type: int,
        request: Callable[A, M],
        *,
        answer: Literal["one"],
        reply_type: int | None = ...,
        ends: End = ...,
        flags: NLM_F = ...,
        defaults: Mapping[str, Any] | None = ...,
        dumps: bool | None = ...,
        follow: Follow | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Op[A, M | None, M],
        name: str,
        type: int,
        request: Callable[A, M],
        *,
        answer: Literal["optional"],
        reply_type: int | None = ...,
        ends: End = ...,
        flags: NLM_F = ...,
        defaults: Mapping[str, Any] | None = ...,
        dumps: bool | None = ...,
        follow: Follow | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Op[A, list[M], M],
        name: str,
        type: int,
        request: Callable[A, M],
        *,
        answer: Literal["several"],
        reply_type: int | None = ...,
        ends: End = ...,
        flags: NLM_F = ...,
        defaults: Mapping[str, Any] | None = ...,
        dumps: bool | None = ...,
        follow: Follow | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Op[A, None, N],
        name: str,
        type: int,
        request: Callable[A, Message],
        *,
        reply: Callable[..., N],
        answer: Literal["none"] = ...,
        reply_type: int | None = ...,
        ends: End = ...,
        flags: NLM_F = ...,
        defaults: Mapping[str, Any] | None = ...,
        dumps: bool | None = ...,
        follow: Follow | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Op[A, N, N],
        name: str,
        type: int,
        request: Callable[A, Message],
        *,
        reply: Callable[..., N],
        answer: Literal["one"],
        reply_type: int | None = ...,
        ends: End = ...,
        flags: NLM_F = ...,
        defaults: Mapping[str, Any] | None = ...,
        dumps: bool | None = ...,
        follow: Follow | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Op[A, N | None, N],
        name: str,
        type: int,
        request: Callable[A, Message],
        *,
        reply: Callable[..., N],
        answer: Literal["optional"],
        reply_type: int | None = ...,
        ends: End = ...,
        flags: NLM_F = ...,
        defaults: Mapping[str, Any] | None = ...,
        dumps: bool | None = ...,
        follow: Follow | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Op[A, list[N], N],
        name: str,
        type: int,
        request: Callable[A, Message],
        *,
        reply: Callable[..., N],
        answer: Literal["several"],
        reply_type: int | None = ...,
        ends: End = ...,
        flags: NLM_F = ...,
        defaults: Mapping[str, Any] | None = ...,
        dumps: bool | None = ...,
        follow: Follow | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Op[A, N, M],
        name: str,
        type: int,
        request: Callable[A, Message],
        *,
        reply: Callable[..., N],
        dump: Callable[..., M],
        answer: Literal["one"],
        reply_type: int | None = ...,
        ends: End = ...,
        flags: NLM_F = ...,
        defaults: Mapping[str, Any] | None = ...,
        dumps: bool | None = ...,
        follow: Follow | None = ...,
    ) -> None: ...
    def __init__(
        self,
        name: str,
        type: int,
        request: Any,
        *,
        answer: Answer = "none",
        reply: Any = None,
        dump: Any = None,
        reply_type: int | None = None,
        ends: End = "ack",
        flags: NLM_F = NLM_F(0),  # noqa: B008
        defaults: Mapping[str, Any] | None = None,
        bracket: int = 0,
        dumps: bool | None = None,
        follow: Follow | None = None,
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of an op must be a text such as 'link.get', got {name!r}")
        place = f"op {name}"
        if answer not in ANSWERS:
            raise ValueError(f"op {name}: answer={answer!r} must be one of {', '.join(ANSWERS)}")
        if ends not in ENDS:
            raise ValueError(f"op {name}: ends={ends!r} must be one of {', '.join(ENDS)}")
        if not isinstance(request, MessageType):
            raise TypeError(f"op {name}: the request must be a message class, got {request!r}")
        for word, cls in (("reply", reply), ("dump", dump)):
            if cls is not None and not isinstance(cls, MessageType):
                raise _expected(place, word, "a message class", cls)
        _integer(place, "type", type, 0, S32)
        if reply_type is not None:
            _integer(place, "reply_type", reply_type, 0, S32)
        _integer(place, "flags", flags, 0, U16)
        _integer(place, "bracket", bracket, -1, 1)
        if dumps is not None and not isinstance(dumps, bool):
            raise _expected(place, "dumps", "True, False or None", dumps)
        _check_defaults(place, request, defaults)
        if ends == "answer" and answer == "none":
            raise ValueError(f"op {name}: ends='answer' needs an answer")
        if ends == "message" and answer != "one":
            raise ValueError(f"op {name}: ends='message' needs answer='one'")
        if ends == "nothing" and answer != "none":
            raise ValueError(f"op {name}: ends='nothing' excludes an answer: use answer='none'")
        super().__init__(type, request, flags, bracket, defaults)
        self.name = name
        self.answer: Answer = answer
        self.reply = cast(MessageClass, reply or request)
        self.dump = cast(MessageClass, dump or self.reply)
        self.reply_type = type if reply_type is None else reply_type
        self.ends: End = ends
        spelled = getattr(type, "name", "")
        self.dumps = answer != "none" and "GET" in spelled if dumps is None else dumps
        if follow is not None:
            if not isinstance(follow, Follow):
                raise _expected(place, "follow", "a Follow", follow)
            follow.check(place, request, self.dump)
        self.follow = follow
        if TYPE_CHECKING:  # jedi does not know ParamSpec, but follows arguments through a function

            def call(op: Any, **fields: Any) -> Request[Any, Any]:
                return Request(op, request(**fields))

            self.__call__ = call  # type: ignore[method-assign, assignment]

    @property
    def envelope(self) -> int:
        """Bytes of the headers before a request's body: struct nlmsghdr, and struct genlmsghdr."""
        return 20 if self.family is not None and self.family.is_generic else 16

    def __repr__(self) -> str:
        return f"<Op {self.name}>"


def _check_defaults(place: str, request: MessageType, defaults: Any) -> None:
    """Raise TypeError if `defaults` is not a mapping from fields of the request to values."""
    if defaults is None:
        return
    if not isinstance(defaults, Mapping):
        raise _expected(place, "defaults", "a dict of fields of the request", defaults)
    known = request.__table__.names
    for field in defaults:
        if field not in known:
            hint = near(field, known)
            raise TypeError(f"{place}: defaults: {request.__name__} has no field {field!r}{hint}")


class _Doc:
    """The descriptor `__doc__` of Op: for the class, and generated for each op."""

    def __init__(self, doc: str | None) -> None:
        self.doc = doc

    def __get__(self, instance: Op[..., Any, Any] | None, owner: Any = None) -> str | None:
        return self.doc if instance is None else _explain(instance)


# help() shows it for an op.
Op.__doc__ = _Doc(Op.__doc__)  # type: ignore[assignment]


def _explain(op: Op[..., Any, Any]) -> str:
    """Describe what an op sends, what do() returns for it, and its arguments."""
    kind = op.type.name if isinstance(op.type, Enum) else f"type {op.type}"
    return "\n".join(
        [
            f"Return a request: {kind} with the given fields of a {op.request.__name__}.",
            "",
            f"do() returns {RETURNS[op.answer].format(op.reply.__name__)} for it.",
            f"dump() returns a reply of {op.dump.__name__} messages.",
            "The arguments, all of them by name:",
            "",
            # without the modules of the types, which would hide the names
            *(f"    {re.sub(QUALIFIED, '', str(p))}" for p in op.__signature__.parameters.values()),
        ]
    )


QUALIFIED = r"\b(?:\w+\.)+(?=\w)"


RETURNS = {
    "none": "None",
    "one": "a {}",
    "optional": "a {} or None",
    "several": "a list of {} messages",
}
ANSWERS = ("none", "one", "optional", "several")
ENDS = ("ack", "message", "answer", "done", "nothing")


# --- plans ----------------------------------------------------------------------------------------


class IfIndex(NamedTuple):
    """A step of a plan: the index of the link with this name."""

    name: str


class Listen(NamedTuple):
    """A step of a plan: subscribe to multicast groups until the plan ends."""

    groups: tuple[str | int, ...]


class Wait(NamedTuple):
    """A step of a plan: the next event of the plan's groups for which `predicate` is true."""

    predicate: Callable[[Any], bool] | None
    timeout: float | None


def ifindex(name: str) -> IfIndex:
    """Return a step that a plan yields to get the index of a link by its name.

    The connection asks by SIOCGIFINDEX on its socket, in the socket's network namespace, so that
    no route request is needed. Raises KernelError (ENODEV) inside the plan. Alternative names of
    16 bytes and more do not fit the ioctl (struct ifreq, linux/if.h).
    """
    if not isinstance(name, str):
        raise TypeError(f"ifindex() expects the name of a link, got {name!r}")
    return IfIndex(name)


def index_of(link: str | int) -> Steps[int]:
    """Return the index of a link that is given by its name or its index.

    Plans use it as `index = yield from index_of(dev)`. Raises KernelError (ENODEV) as ifindex()
    does, if no link has the name.
    """
    index: int = link if isinstance(link, int) else (yield ifindex(link))
    return index


def listen(*groups: str | int) -> Listen:
    """Return a step that a plan yields to subscribe to multicast groups, by name or number.

    The subscription closes when the plan ends. Yield wait() to receive its events.
    """
    return Listen(groups)


def wait(predicate: Callable[[Any], bool] | None = None, timeout: float | None = None) -> Wait:
    """Return a step that a plan yields to receive the next event of its groups.

    `predicate` selects events; others are dropped. Raises TimeoutError inside the plan if there is
    none within `timeout` seconds, and Overrun if the kernel or the queue dropped events.
    """
    if predicate is not None and not callable(predicate):
        raise TypeError(f"wait() expects a function that selects events, got {predicate!r}")
    return Wait(predicate, timeout)


class Plan(Generic[T_co]):
    """Several round trips as one object that do() executes: `nl.do(route.add("10.0.0.0/8", ...))`.

    A plan is reusable: each do() starts from the beginning. It is made by calling a function that
    is decorated with @plan. `name` is the plan's name, `args` and `kwargs` are the arguments.
    `sequence` is true if the plan makes more than one change, or waits for events, so that
    do_many() cannot pipeline it.
    """

    __slots__ = ("_function", "args", "kwargs", "name", "sequence")

    def __init__(
        self,
        function: Callable[..., Steps[T_co]],
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        sequence: bool = False,
    ) -> None:
        self._function = function
        self.name = name
        self.args = args
        self.kwargs = kwargs
        self.sequence = sequence
        try:
            self.steps().close()  # a generator function binds its arguments at the call
        except TypeError as error:
            raise _wrong_arguments(function, name, kwargs, error) from None
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        more = [f"[{position}]" for position in range(len(names), len(args))]  # of *names
        for key, value in (*zip((*names, *more), args, strict=False), *kwargs.items()):
            if hasattr(value, "__next__") and not hasattr(value, "fileno"):
                raise TypeError(
                    f"{name}.{key}: expected a list or a tuple, got {value!r}, which can be read "
                    f"only once; a plan may be executed again"
                )

    def steps(self) -> Steps[T_co]:
        """Return the steps from the beginning, for a connection to execute."""
        return self._function(*self.args, **self.kwargs)

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self!r} is a plan, not an iterable; execute it: nl.do({self.name}(...))")

    def __repr__(self) -> str:
        shown = [repr(value) for value in self.args]
        shown += [f"{key}={value!r}" for key, value in self.kwargs.items()]
        return f"<Plan {self.name}({', '.join(shown)})>"


@overload
def plan(function: Callable[P, Steps[T]], /) -> Callable[P, Plan[T]]: ...
@overload
def plan(
    *, name: str | None = None, sequence: bool = False
) -> Callable[[Callable[P, Steps[T]]], Callable[P, Plan[T]]]: ...
def plan(function: Any = None, /, *, name: str | None = None, sequence: bool = False) -> Any:
    """Decorate a generator function, so that calling it makes a Plan.

    The function's parameters become those of the plan, explicit and typed. `name` is the plan's
    name in errors; by default it is the module's last name and the function's: "route.add".
    `sequence` declares a plan that do_many() must refuse: one with several changes, or with
    listen() and wait(). Without it, the plan must consist of lookups and at most one change, which
    comes last.
    """

    def decorate(function: Callable[P, Steps[T]]) -> Callable[P, Plan[T]]:
        code = getattr(function, "__code__", None)
        if code is None or not code.co_flags & CO_GENERATOR:
            raise TypeError(f"@plan expects a generator function, got {function!r}")
        label = name or f"{function.__module__.rpartition('.')[2]}.{function.__name__}"

        def make(*args: P.args, **kwargs: P.kwargs) -> Plan[T]:
            return Plan(function, label, args, kwargs, sequence=sequence)

        for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(make, attribute, getattr(function, attribute))
        made: Any = make
        made.plan = label
        # inspect.signature() and typing.get_type_hints() read the annotations of the function that
        # is wrapped, when they are called: a signature made here would be slow to import.
        returns = _plan_of(function.__annotations__.get("return"))
        function.__annotations__ = {**function.__annotations__, "return": returns}
        made.__annotations__ = function.__annotations__
        made.__wrapped__ = function
        return make

    return decorate if function is None else decorate(function)


def _plan_of(steps: Any) -> Any:
    """Return the annotation of a plan function, from that of its generator function."""
    if isinstance(steps, str):
        return steps.replace("Steps", "Plan", 1)
    plan: Any = Plan
    parts = get_args(steps)
    return plan[parts[-1]] if parts else plan


# Words for an argument that are not its name in a plan: those of the kernel, of ip(8) and of other
# libraries. Each has the names of parameters that mean it; a plan has at most one of them.
SAME = {
    "gateway": ("via",), "gw": ("via",), "nexthop": ("via", "nhid"), "multipath": ("nexthops",),
    "priority": ("metric",), "metric": ("priority",), "preference": ("priority",),
    "pref": ("priority",), "prio": ("priority",), "order": ("priority",),
    "destination": ("dst", "to"), "dst": ("to",), "to": ("dst",),
    "src": ("from_",), "source": ("from_", "src"), "prefsrc": ("src",),
    "device": ("dev",), "oif": ("dev",), "interface": ("dev",), "iface": ("dev",),
    "ifname": ("name", "dev"), "index": ("dev",), "ifindex": ("dev", "index"),
    "mac": ("lladdr", "address"), "hwaddr": ("lladdr", "address"), "ip": ("address",),
    "protocol": ("proto",), "dsfield": ("tos",), "brd": ("broadcast",), "type": ("kind",),
    "ifalias": ("alias",), "lower": ("link",), "netns": ("net_ns_fd",), "txqueuelen": ("txqlen",),
    "mark": ("fwmark",), "fwmark": ("mark",), "lookup": ("table",),
}  # fmt: skip


def _wrong_arguments(
    function: Callable[..., Any], name: str, kwargs: dict[str, Any], error: TypeError
) -> TypeError:
    """Return the TypeError for an unknown parameter of a plan, with the nearest known name."""
    import inspect  # slow to import, and needed for errors only

    parameters = [*inspect.signature(function).parameters]
    unknown = next((key for key in kwargs if key not in parameters), None)
    if unknown is None:
        return TypeError(str(error).replace(f"{function.__name__}()", f"{name}()", 1))
    same = next((word for word in SAME.get(unknown, ()) if word in parameters), None)
    if same is not None:
        hint = f"; did you mean {same!r}?"
    else:
        hint = near(unknown, parameters)
        if "data" in parameters and "did you mean" not in hint:
            value = "{'ifname': ...}" if unknown == "peer" else "..."  # of a veth
            hint = f"; an attribute of the kind belongs into data={{{unknown!r}: {value}}}"
    return TypeError(f"{name}() has no parameter {unknown!r}{hint}")


# --- families -------------------------------------------------------------------------------------

Framing = Literal["netlink", "text", "connector", "audit"]
# What a message type means: a class, or a selector word that chooses it by a header member.
Choice: TypeAlias = type[Message] | Field


class Family:
    """A protocol's ops, multicast groups and message classes.

    `types` names the message types (or the commands of a generic family), as an enum in the
    kernel's spelling; `reply_types` names those that the kernel sends, if its numbers mean
    something else than those of requests. `messages` adds the classes of types that no op answers
    with, and `requests` the classes of requests that no op makes. A class may be chosen by a member
    of the fixed header: `{SOCK_DIAG_BY_FAMILY: selected(None, "family", {AF.AF_INET: Inet})}`.

    `groups` are the multicast groups: a mapping of names to numbers, the names alone (a generic
    family's), or an enum in the kernel's spelling. `group_prefix` is the part of an enum's names
    that the short names leave out: with "RTNLGRP_", RTNLGRP_IPV4_ROUTE is "ipv4-route" too.

    `framing` says how a datagram is divided into messages:

    | framing     | a datagram holds                                                            |
    |-------------|-----------------------------------------------------------------------------|
    | "netlink"   | messages that begin with struct nlmsghdr                                    |
    | "text"      | one message without any header (uevent)                                     |
    | "connector" | messages of type NLMSG_DONE, each with a struct cn_msg; the type is id.idx  |
    | "audit"     | one message as long as the datagram, because nlmsg_len may be too short     |

    Without a `protocol` it is a family of Generic Netlink, and `name` is its name in the kernel,
    which assigns the numbers of the family and of its groups at run time. A connection asks for
    them. `id` is for a family whose number is fixed. `messages` may be one class for all commands.
    `version` is sent in requests (in a connector family it is `id.val`).

    `farewell` is a request that closing a connection sends, if it has sent requests of this family
    that nothing answers: the kernel counts the listeners of connector, and close(2) does not.

    `modules` maps names of modules to the types whose classes they declare; such a module is
    imported when the first message of one of these types is read, and calls add().

    `unnumbered` is true for a generic family whose dumps have no port and no sequence number of the
    request (thermal). Messages to this socket alone are then the answer while such a dump runs.

    Raises ValueError if one number would mean two classes, or if a number does not fit: a command
    of a generic family has 8 bits, and a message type has 16. Raises TypeError for other mistakes.
    """

    def __init__(
        self,
        name: str,
        *,
        protocol: int = NETLINK.NETLINK_GENERIC,
        ops: Iterable[Op[..., Any, Any]] = (),
        types: type[IntEnum],
        reply_types: type[IntEnum] | None = None,
        groups: type[IntEnum] | Mapping[str, int] | Iterable[str] = (),
        group_prefix: str | None = None,
        messages: Mapping[int, Choice] | MessageClass | None = None,
        requests: Mapping[int, Choice] | None = None,
        modules: Mapping[str, Iterable[int]] | None = None,
        framing: Framing = "netlink",
        version: int = 1,
        id: int | None = None,
        farewell: Request[None, Any] | None = None,
        unnumbered: bool = False,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise TypeError(f"the name of a family must be a text such as 'nlctrl', got {name!r}")
        self.name = name
        self.protocol = self._integer("protocol", protocol, 0, MAX_LINKS - 1)
        self.version = self._integer("version", version, 0, U8 if framing != "connector" else U32)
        self.id = None if id is None else self._id(id)
        if not isinstance(unnumbered, bool):
            raise self._expected("unnumbered", "True or False", unnumbered)
        self.unnumbered = unnumbered
        for word, enum in (("types", types), ("reply_types", reply_types)):
            if enum is not None and not (isinstance(enum, type) and issubclass(enum, IntEnum)):
                raise self._expected(word, "an enum of numbers (IntEnum)", enum)
        for word, given in (("requests", requests), ("modules", modules)):
            if given is not None and not isinstance(given, Mapping):
                raise self._expected(word, "a dict", given)
        self.types = types
        self.reply_types = reply_types or types
        self.ops: dict[str, Op[..., Any, Any]] = {}
        self.dispatch = Dispatch(framing)
        for module, numbers in (modules or {}).items():
            if not isinstance(module, str) or not isinstance(numbers, Iterable):
                raise self._expected("modules", "names of modules with lists of types", modules)
            for number in numbers:
                self._meaning(number, request=False).defer(module)
                self._meaning(number, request=True).defer(module)  # it may add a class for these
        if isinstance(messages, MessageType):
            messages = dict.fromkeys(map(int, self.reply_types), messages)
        elif messages is not None and not isinstance(messages, Mapping):
            raise self._expected("messages", "a dict, or one message class", messages)
        if not isinstance(ops, Iterable):
            raise self._expected("ops", "a list of ops", ops)
        self.add(*ops, messages=messages, requests=requests)
        self.groups, self._spelled = self._groups(groups, group_prefix)
        if farewell is not None and not (
            isinstance(farewell, Request)
            and self.ops.get(farewell.name) is farewell.op
            and farewell.op.ends == "nothing"
        ):
            raise self._expected(
                "farewell", "a request of the family that nothing answers", farewell
            )
        self.farewell = farewell

    def add(
        self,
        *ops: Op[..., Any, Any],
        messages: Mapping[int, Choice] | None = None,
        requests: Mapping[int, Choice] | None = None,
    ) -> None:
        """Add ops and message classes to the family, as the constructor does."""
        for is_request, choices in ((False, messages), (True, requests)):
            for number, choice in (choices or {}).items():
                meaning = self._meaning(number, request=is_request)
                if not isinstance(choice, (MessageType, Field)):
                    word = "requests" if is_request else "messages"
                    raise self._expected(word, "message classes by their types", choices)
                meaning.give(choice)
        given = {int(number) for number in messages or ()}
        asked = {int(number) for number in requests or ()}
        for op in ops:
            if not isinstance(op, Op):
                raise self._expected("ops", "a list of ops", op)
            if op.family is not None and op.family is not self:
                raise ValueError(f"op {op.name} belongs to family {op.family.name!r} already")
            if self.ops.setdefault(op.name, op) is not op:
                raise ValueError(f"family {self.name!r} has two ops named {op.name!r}")
            op.family = self
            if int(op.type) not in asked:
                self._meaning(op.type, request=True).give(op.request)
            if int(op.reply_type) not in given and op.ends != "nothing":
                # A change has no answer of its own, but an event may have its number.
                if op.answer != "none" or op.reply is not op.request:
                    self._meaning(op.reply_type, request=False).give(op.reply)
                elif self.reply_types is self.types:
                    self._meaning(op.reply_type, request=False).give(op.reply, soft=True)

    def _meaning(self, number: int, *, request: bool) -> Meaning:
        types = self.types if request else self.reply_types
        high = S32 if self.framing == "connector" else U8 if self.is_generic else U16
        value = self._integer("a type" if high > U8 else "a command", number, 0, high)
        try:
            name = types(value).name
        except ValueError:  # an enum that is not open, as KernelEnum is
            raise ValueError(
                f"family {self.name!r}: {types.__name__} has no name for the type {value}; add it"
            ) from None
        return self.dispatch.meaning(value, name, self.name, request)

    def _expected(self, word: str, what: str, value: object) -> TypeError:
        return _expected(f"family {self.name!r}", word, what, value)

    def _integer(self, word: str, value: object, low: int, high: int) -> int:
        return _integer(f"family {self.name!r}", word, value, low, high)

    def _id(self, id: object) -> int:
        if not self.is_generic:
            raise ValueError(
                f"family {self.name!r} has protocol {self.protocol}: only a family of Generic "
                f"Netlink has an ID, got {id!r}"
            )
        return self._integer("id", id, GENL_MIN_ID, U16)

    @property
    def framing(self) -> Framing:
        """How a datagram is divided into messages."""
        return cast(Framing, self.dispatch.framing)

    @property
    def classes(self) -> dict[int, Any]:
        """Message type or command to what the kernel sends under it: a class or a selector.

        Imports the modules that are not loaded yet.
        """
        return self.dispatch.table(request=False)

    @property
    def requests(self) -> dict[int, Any]:
        """Message type or command to the class or selector of its requests."""
        self.dispatch.table(request=False)  # imports the modules, which may add requests
        return self.dispatch.table(request=True)

    @property
    def is_generic(self) -> bool:
        """Whether it is a family of Generic Netlink."""
        return self.protocol == NETLINK.NETLINK_GENERIC

    def at(self, id: int) -> Self:
        """Return the same generic family with a known number, for parse().

        Raises ValueError if the family has another protocol, or `id` is not from 16 to 65535.
        """
        bound = object.__new__(type(self))
        bound.__dict__.update(self.__dict__)
        bound.id = self._id(id)
        return bound

    def group(self, group: str | int) -> int:
        """Return the number of a multicast group, by its short name or the kernel's spelling.

        Raises LookupError that lists the known names.
        """
        if isinstance(group, int):
            return group
        number = self.groups.get(group, self._spelled.get(group))
        if number is None:
            known = ", ".join(self.groups)
            raise LookupError(f"family {self.name!r} has no group {group!r}; it has: {known}")
        return number

    def _groups(
        self, groups: type[IntEnum] | Mapping[str, int] | Iterable[str], prefix: str | None
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Names of groups to numbers: by the names that are shown, and by the kernel's spelling.

        A generic family's groups have no numbers before the kernel assigns them.
        """
        what = "an enum, a dict of names and numbers, or (in a generic family) a list of names"
        if isinstance(groups, type) and issubclass(groups, IntEnum):
            members = groups.__members__
            spelled = {name: int(member) for name, member in members.items() if member}
            if prefix is None:
                return spelled, {}
            if not isinstance(prefix, str):
                raise self._expected("group_prefix", "a text", prefix)
            for name in spelled:
                if not name.startswith(prefix):
                    raise ValueError(f"group {name} does not start with group_prefix={prefix!r}")
            short = {
                name.removeprefix(prefix).lower().replace("_", "-"): number
                for name, number in spelled.items()
            }
            return short, spelled
        if prefix is not None:
            raise ValueError(
                f"family {self.name!r}: group_prefix={prefix!r} needs an enum of groups"
            )
        if isinstance(groups, (type, str, bytes)) or not isinstance(groups, Iterable):
            raise self._expected("groups", what, groups)
        names = [*groups]
        if not all(isinstance(name, str) and name for name in names):
            raise self._expected("groups", what, groups)
        if isinstance(groups, Mapping):
            return {
                name: self._integer(f"group {name!r}", number, 1, U32)
                for name, number in groups.items()
            }, {}
        if names and not self.is_generic:
            raise ValueError(
                f"family {self.name!r}: the groups need numbers, because only generic families "
                "get them from the kernel: pass a dict or an enum"
            )
        return dict.fromkeys(names, 0), {}

    def has_group(self, group: str) -> bool:
        """Whether a name is that of a group, short or in the kernel's spelling."""
        return group in self.groups or group in self._spelled

    def __repr__(self) -> str:
        return f"<Family {self.name}>"


def dispatch_of(families: Iterable[Family]) -> Dispatch:
    """Return how the messages of several families are told apart.

    The families must have one framing, and must not give one number two meanings (ValueError).
    The messages of a generic family are found under its id; they are left out if it is not known.
    """
    families = tuple(families)
    framings = {family.framing for family in families}
    if len(framings) > 1:
        named = ", ".join(f"{family.name} has {family.framing!r}" for family in families)
        raise ValueError(f"these families cannot be combined, as their framing differs: {named}")
    united = Dispatch(framings.pop() if framings else "netlink")
    for family in families:
        if not family.is_generic:
            united.unite(family.dispatch)
        elif family.id is not None:
            united.nest(family.id, family.dispatch)
    return united


def parse(data: Any, /, *families: Family) -> Iterator[Message | RawMessage]:
    """Yield the messages in a buffer, typed by their family; others as RawMessage.

    `data` is any buffer object that holds whole messages, struct nlmsghdr included. It is copied
    once unless it is a bytes object, and the messages share that copy. NLM_F_REQUEST distinguishes
    requests from what the kernel sends. Raises DecodeError with the offset; the iteration can then
    be continued with the next message. A generic family must know its number:
    `parse(data, TASKSTATS.at(29))`.
    """
    if isinstance(data, str):
        raise TypeError(
            "parse() expects bytes, got text; bytes.fromhex() converts hexadecimal text"
        )
    for family in families:
        check_family(family)
        if family.is_generic and family.id is None:
            raise ValueError(
                f"the kernel assigns generic family {family.name!r} its number at run time: "
                f"parse with .at(number)"
            )
    return cast("Iterator[Message | RawMessage]", Messages(data, dispatch_of(families)))


def check_family(given: Any) -> None:
    """Raise TypeError with the right call if something is not a family."""
    if isinstance(given, Family):
        return
    hint = ""
    family = getattr(given, "FAMILY", None)
    if isinstance(family, Family):
        hint = f"; pass its FAMILY: {given.__name__}.FAMILY"
    elif isinstance(given, ModuleType):
        ops = (value for value in vars(given).values() if isinstance(value, Op))
        owner = next((op.family for op in ops if op.family is not None), None)
        hint = f"; pass the family of its ops: {owner.name}" if owner is not None else ""
    elif isinstance(given, str):
        hint = "; import it, as in: from netlink.route import FAMILY"
    raise TypeError(f"expected a family, got {given!r}{hint}")
