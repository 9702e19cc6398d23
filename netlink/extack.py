"""Extended ACKs: the attributes that the kernel adds to an errno, and attribute policies as text.

An NLMSG_ERROR or NLMSG_DONE message may carry the kernel's text, the offset of the attribute that
it refuses, the number of a missing attribute, and the policy that it applied. This file turns them
into a KernelError with attribute names and paths, because the message class of the request knows
the names. It must not raise because an extended ACK is malformed: the errno is what counts.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from netlink._core import Run
from netlink.constants import NLM_F, NLMSG, KernelEnum
from netlink.errors import DecodeError, KernelError, NetlinkError
from netlink.family import Request
from netlink.schema import Message, Named, Nested, binary, nest, s64, string, u32, u64

__all__ = ["NL_ATTR_TYPE", "Policy", "status"]

NLMSG_HDRLEN = 16
NLMSG_ERROR, NLMSG_DONE = int(NLMSG.NLMSG_ERROR), int(NLMSG.NLMSG_DONE)
ACK_TLVS, CAPPED = int(NLM_F.NLM_F_ACK_TLVS), int(NLM_F.NLM_F_CAPPED)


class NL_ATTR_TYPE(KernelEnum):
    """The type of a value in a policy: enum netlink_attribute_type (linux/netlink.h)."""

    NL_ATTR_TYPE_INVALID = 0
    NL_ATTR_TYPE_FLAG = 1
    NL_ATTR_TYPE_U8 = 2
    NL_ATTR_TYPE_U16 = 3
    NL_ATTR_TYPE_U32 = 4
    NL_ATTR_TYPE_U64 = 5
    NL_ATTR_TYPE_S8 = 6
    NL_ATTR_TYPE_S16 = 7
    NL_ATTR_TYPE_S32 = 8
    NL_ATTR_TYPE_S64 = 9
    NL_ATTR_TYPE_BINARY = 10
    NL_ATTR_TYPE_STRING = 11
    NL_ATTR_TYPE_NUL_STRING = 12
    NL_ATTR_TYPE_NESTED = 13
    NL_ATTR_TYPE_NESTED_ARRAY = 14
    NL_ATTR_TYPE_BITFIELD32 = 15
    NL_ATTR_TYPE_SINT = 16
    NL_ATTR_TYPE_UINT = 17


class Policy(Message):
    """What the kernel allows in one attribute: NL_POLICY_TYPE_ATTR_* (linux/netlink.h).

    Lengths are in bytes. `str()` returns the policy as text, such as "u32 0..16777215".
    """

    type: Named[NL_ATTR_TYPE | int | None] = u32(1, enum=NL_ATTR_TYPE)
    min_value_s: int | None = s64(2)
    max_value_s: int | None = s64(3)
    min_value_u: int | None = u64(4)
    max_value_u: int | None = u64(5)
    min_length: int | None = u32(6)
    max_length: int | None = u32(7)
    policy_idx: int | None = u32(8)
    policy_maxtype: int | None = u32(9)
    bitfield32_mask: int | None = u32(10)
    mask: int | None = u64(12)

    def __str__(self) -> str:
        return " ".join(self._words())

    def _words(self) -> Iterator[str]:
        kind = self.type
        if isinstance(kind, NL_ATTR_TYPE):
            yield kind.name.removeprefix("NL_ATTR_TYPE_").lower().replace("_", " ")
        elif kind is not None:
            yield f"type {kind}"
        for low, high in (
            (self.min_value_s, self.max_value_s),
            (self.min_value_u, self.max_value_u),
        ):
            if low is not None and high is not None:
                yield str(low) if low == high else f"{low}..{high}"
        for mask in (self.bitfield32_mask, self.mask):
            if mask is not None:
                yield f"of bits {mask:#x}"
        low, high = self.min_length, self.max_length
        if low is not None and high is not None:
            yield f"of {low} bytes" if low == high else f"of {low} to {high} bytes"
        elif high is not None:
            yield f"of at most {high} bytes"
        elif low:
            yield f"of at least {low} bytes"
        if self.policy_idx is not None:
            yield f"of policy {self.policy_idx}"


class ExtAck(Message):
    """The attributes that the kernel adds to an errno: NLMSGERR_ATTR_* (linux/netlink.h)."""

    msg: str | None = string(1)
    offs: int | None = u32(2)
    cookie: bytes | None = binary(3)
    policy: Nested[Policy] = nest(4, Policy)
    miss_type: int | None = u32(5)
    miss_nest: int | None = u32(6)


def status(run: Run, request: Request[Any, Any]) -> tuple[NetlinkError | None, str | None]:
    """Return the error and the warning of an NLMSG_ERROR or NLMSG_DONE message, or None for each.

    struct nlmsgerr contains the errno and the header of the request. The payload of the request
    follows unless NLM_F_CAPPED is set. With NLM_F_ACK_TLVS, attributes follow (linux/netlink.h).
    """
    payload = run.data[run.start + NLMSG_HDRLEN : run.end]
    if len(payload) < 4:
        # Kernels before 4.10 end a dump with an NLMSG_DONE without a payload.
        if run.type == NLMSG_DONE:
            return None, None
        reason = f"an error message without an errno: {len(payload)} bytes of payload, expected 4"
        return DecodeError(reason, offset=run.start), None
    (code,) = struct.unpack_from("=i", payload)
    told = ExtAck()
    if run.flags & ACK_TLVS:
        at = 4
        if run.type == NLMSG_ERROR and len(payload) >= 4 + NLMSG_HDRLEN:
            (length,) = struct.unpack_from("=I", payload, 4)
            capped = run.flags & CAPPED
            at += NLMSG_HDRLEN if capped else (length + 3) & ~3
        with suppress(DecodeError):  # the errno is what counts
            told = ExtAck.from_bytes(payload[at:])
    if code >= 0:
        return None, told.msg
    error = KernelError(-code, request=request)
    with suppress(DecodeError):
        error = _explain(-code, told, request)
    if code == -errno.EINVAL and error.message is error.path is None and _names_nothing(request):
        name = request.name
        error.add_note(f"{name}() names no object: give it a field, or list all: nl.dump({name}())")
    return error, None


def _names_nothing(request: Request[Any, Any]) -> bool:
    """Whether a request for one object was made without any argument."""
    op = request.op
    if request.is_dump or not op.dumps:
        return False
    with suppress(TypeError, NetlinkError):  # the op has an argument that it needs
        return bytes(request.message) == bytes(op().message)
    return False


def _explain(code: int, told: ExtAck, request: Request[Any, Any]) -> KernelError:
    """Return the KernelError of an extended ACK, with paths instead of offsets."""
    path = missing = None
    if told.offs is not None:
        path = _path(request, told.offs)
    if told.miss_type is not None:
        # MISS_NEST is absent if the attribute is missing at the top level (netlink_ack_tlv_fill).
        nest_path = _path(request, told.miss_nest) if told.miss_nest is not None else None
        missing = _name_in(request.message, nest_path, told.miss_type)
        path = path or nest_path
    return KernelError(
        code,
        told.msg,
        path=path,
        missing=missing,
        policy=told.policy,
        cookie=told.cookie,
        offset=told.offs,
        request=request,
    )


def _path(request: Request[Any, Any], offset: int) -> str | None:
    """Return the path of the attribute at an offset, without the name of the message class.

    The offset counts from the nlmsghdr of the request. Returns None if no attribute is there.
    """
    if offset < request.op.envelope:
        return None
    return request.message._path(offset - request.op.envelope).partition(".")[2] or None


def _name_in(message: Message, path: str | None, number: int) -> str:
    """Return the name of an attribute by its number, inside the nest at a path; "#5" if unknown."""
    nested: Any = message
    for part in path.split(".") if path else ():
        name, _, place = part.partition("[")
        nested = getattr(nested, name, None)
        if place and isinstance(nested, tuple | dict):
            nested = nested[int(place.removesuffix("]"))]  # exists, as _path() walked it
    fields = type(nested).__table__.fields if isinstance(nested, Message) else ()
    return next((field.name for field in fields if field.number == number), f"#{number}")
