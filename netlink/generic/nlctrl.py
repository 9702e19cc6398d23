"""nlctrl: the family that lists all Generic Netlink families, their ops, groups and policies.

Numbers are those of Linux 6.12 (linux/genetlink.h). Widths are those of net/netlink/genetlink.c and
net/netlink/policy.c. Every connection with a generic family uses this file, so it must not import
another family. It ends with plans for common questions:

    for family in nl.do(list_families()):
        print(family.family_id, family.family_name)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from netlink.constants import KernelEnum, KernelFlag
from netlink.extack import Policy
from netlink.family import Family, Op, Steps, plan
from netlink.schema import Message, Named, Several, array, mapping, string, u16, u32

GENL_NAMSIZ = 16  # bytes of a name, including the NUL
MAX_POLICY_DEPTH = 10  # MAX_POLICY_RECURSION_DEPTH of lib/nlattr.c
GENL_ID_CTRL = 16  # the fixed ID of this family, and the number of its only group


class CTRL_CMD(KernelEnum):
    """Commands: enum in linux/genetlink.h."""

    CTRL_CMD_NEWFAMILY = 1
    CTRL_CMD_DELFAMILY = 2
    CTRL_CMD_GETFAMILY = 3
    CTRL_CMD_NEWOPS = 4
    CTRL_CMD_DELOPS = 5
    CTRL_CMD_GETOPS = 6
    CTRL_CMD_NEWMCAST_GRP = 7
    CTRL_CMD_DELMCAST_GRP = 8
    CTRL_CMD_GETMCAST_GRP = 9
    CTRL_CMD_GETPOLICY = 10


class GENL(KernelFlag):
    """Features of an op, and the privilege that it requires: CTRL_ATTR_OP_FLAGS."""

    GENL_ADMIN_PERM = 0x01
    GENL_CMD_CAP_DO = 0x02
    GENL_CMD_CAP_DUMP = 0x04
    GENL_CMD_CAP_HASPOL = 0x08
    GENL_UNS_ADMIN_PERM = 0x10


class CtrlOp(Message):
    """An op of a family: CTRL_ATTR_OP_*."""

    id: int | None = u32(1)
    flags: Named[GENL | int | None] = u32(2, enum=GENL)


class CtrlGroup(Message):
    """A multicast group of a family: CTRL_ATTR_MCAST_GRP_*."""

    name: str | None = string(1, size=GENL_NAMSIZ)
    id: int | None = u32(2)


class OpPolicy(Message):
    """The policy numbers of an op, for a plain request and for a dump: CTRL_ATTR_POLICY_*."""

    do: int | None = u32(1)
    dump: int | None = u32(2)


class Ctrl(Message):
    """A family: CTRL_ATTR_*.

    `policy` maps policy number to attribute type to policy. `op_policy` maps commands.
    """

    family_id: int | None = u16(1)
    family_name: str | None = string(2, size=GENL_NAMSIZ)
    version: int | None = u32(3)
    hdrsize: int | None = u32(4)
    maxattr: int | None = u32(5)
    ops: Several[CtrlOp] = array(6, CtrlOp, first=1)
    mcast_groups: Several[CtrlGroup] = array(7, CtrlGroup, first=1)
    policy: dict[int, dict[int, Policy]] | None = mapping(8, mapping(Policy))
    op_policy: dict[int, OpPolicy] | None = mapping(9, OpPolicy)
    op: int | None = u32(10)


getfamily = Op("nlctrl.getfamily", CTRL_CMD.CTRL_CMD_GETFAMILY, Ctrl, answer="one", ends="message")
getpolicy = Op("nlctrl.getpolicy", CTRL_CMD.CTRL_CMD_GETPOLICY, Ctrl, answer="one")

FAMILY = Family(
    "nlctrl",
    id=GENL_ID_CTRL,
    version=2,
    types=CTRL_CMD,
    ops=(getfamily, getpolicy),
    groups=("notify",),
    messages=Ctrl,
)


# --- plans ----------------------------------------------------------------------------------------


class Policies(NamedTuple):
    """The attributes that a family accepts: `ops` maps each command to numbers of `policies`.

    A policy maps the number of an attribute to a Policy, whose str() is readable text. The
    `policy_idx` of a nest is the number of the policy inside.
    """

    policies: dict[int, dict[int, Policy]]
    ops: dict[int, OpPolicy]

    def pretty(self, family: Family | None = None) -> str:
        """Return every op with the attributes that it accepts, as indented lines.

        If the declaration of the family is passed, ops and attributes are shown by name. A policy
        that several ops or nests share is shown once, and the text refers to it later. Policies
        that are nested deeper than the kernel follows them are not shown.
        """
        names = {} if family is None else {int(op.type): op for op in family.ops.values()}
        lines: list[str] = []
        shown: dict[tuple[int, Any], str] = {}  # a policy and the class that names it: its place
        for command, uses in sorted(self.ops.items()):
            op = names.get(command)
            name = f"op {command}" if op is None else op.name
            lines.append(name)
            for kind, number in uses:
                lines.append(f"    {kind}")
                cls = op and op.request
                if (number, cls) in shown:
                    lines.append(f"        (as {shown[number, cls]})")
                else:
                    lines += self._lines(number, cls, (), shown, f"{name} {kind}")
        return "\n".join(lines)

    def _lines(
        self,
        number: int,
        cls: Any,
        above: tuple[int, ...],
        shown: dict[tuple[int, Any], str],
        place: str,
    ) -> Iterator[str]:
        shown[number, cls] = place
        above = (*above, number)
        indent = "    " * (1 + len(above))
        fields = getattr(cls, "__table__", None)
        names = {} if fields is None else {f.number: f for f in fields.fields}
        for type, policy in sorted(self.policies.get(number, {}).items()):
            field = names.get(type)
            yield f"{indent}{type if field is None else field.name}: {policy}"
            inside = policy.policy_idx
            if inside is None:
                continue
            element = field and (field.element or field)
            below = element and element.message
            if inside in above:
                yield f"{indent}    (as above)"
            elif (inside, below) in shown:
                yield f"{indent}    (as in {shown[inside, below]})"
            elif len(above) >= MAX_POLICY_DEPTH:
                yield f"{indent}    (nested too deeply)"
            else:
                yield from self._lines(inside, below, above, shown, place)


@plan
def list_families() -> Steps[list[Ctrl]]:
    """Return every family that the kernel has at the moment."""
    families: list[Ctrl] = yield getfamily().dump()
    return families


@plan
def find_family(name: str) -> Steps[Ctrl]:
    """Return the family with a name. The kernel may load a module for it.

    Raises KernelError (ENOENT) if no family has the name.
    """
    family: Ctrl = yield getfamily(family_name=_name("find_family", name))
    return family


@plan
def policy(name: str) -> Steps[Policies]:
    """Return what the family with a name accepts in its requests (Linux 5.10).

    Raises KernelError: ENOENT if no family has the name, ENODATA if the family has no policy.
    """
    found = Policies({}, {})
    parts: list[Ctrl] = yield getpolicy(family_name=_name("policy", name)).dump()
    for part in parts:
        for number, attributes in (part.policy or {}).items():
            found.policies.setdefault(number, {}).update(attributes)
        found.ops.update(part.op_policy or {})
    return found


def _name(plan: str, name: str) -> str:
    """Return the name of a family that is an argument of a plan."""
    if isinstance(name, str) and name:
        return name
    raise TypeError(f"nlctrl.{plan}() expects the name of a family, such as 'nlctrl', got {name!r}")
