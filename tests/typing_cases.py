"""The types that type checkers must infer; test_typing.py reads this file and never runs it.

A comment `# is T` is the type that reveal_type must find in this line. `# error: code` is the error
that mypy must report, and pyright must report an error in the same line. All other lines must have
no error.
"""

from collections.abc import Iterator
from typing import reveal_type

from netlink import (
    Connection,
    Filter,
    KernelError,
    Message,
    Mirror,
    Overrun,
    Plan,
    RawMessage,
    Request,
    fields,
    parse,
)
from netlink.connection import Reply
from netlink.constants import NLM_F, NLMSG
from netlink.family import Op
from netlink.route import FAMILY, addr, link, neigh, route, rule
from netlink.route.link import IF_OPER, IFF, Link
from netlink.route.route import NextHop, Route
from netlink.schema import (
    Addr,
    AddrOrLabels,
    LinkAddr,
    Named,
    Nested,
    Several,
    address,
    lladdr,
    nest,
    records,
    u8,
    u32,
)

# Fields: header members always have a value, attributes may be missing.
one = Link(index=1, mtu=1500)
reveal_type(one.index)  # is int
reveal_type(one.flags)  # is IFF
reveal_type(one.mtu)  # is int | None
reveal_type(one.ifname)  # is str | None
reveal_type(one.operstate)  # is int | None
reveal_type(one.stats64)  # is rtnl_link_stats64 | None
if one.linkinfo:
    reveal_type(one.linkinfo.kind)  # is str | None
reveal_type(one.same_as(one))  # is bool
print(one.nosuch)  # error: attr-defined
one.same_as(bytes(one))  # error: arg-type

# Constructor arguments: the types that a field reads as, and others that are accepted.
Link(ifname="eth0", flags=IFF.IFF_UP, linkinfo={"kind": "veth"})
Link(flags="up|multicast", operstate="up", address="198.51.100.1")
Link(flags=["up", 0x1000], operstate=IF_OPER.IF_OPER_UP, type=1)
Link(flags=1.5)  # error: arg-type
Link(mtu="1500")  # error: arg-type
Link(ifname=7)  # error: arg-type
Link(nosuch=1)  # error: call-arg
Link(_pad=1)  # error: call-arg
Link(1)  # error: call-arg
way = Route(gateway="192.0.2.1", dst="10.0.0.0", multipath=[{"ifindex": 1}, NextHop(ifindex=2)])
reveal_type(way.gateway)  # is IPv4Address | IPv6Address | None
reveal_type(way.dst)  # is IPv4Address | IPv6Address | tuple[int, ...] | None
reveal_type(way.multipath)  # is tuple[NextHop, ...]
Route(gateway=5)  # error: arg-type
Route(multipath=[1])  # error: list-item
reveal_type(way.replace(priority=5))  # is Route
reveal_type(Route.from_bytes(b""))  # is Route


# Inherited fields read as the same types, and take the same arguments.
class In(Message):
    """A message that others contain."""

    value: int | None = u32(1)


class Base(Message):
    """A message with a field for each kind of annotation."""

    sub: Nested[In] = nest(1, In)
    source: Addr = address(2)
    labels: AddrOrLabels = address(3, by_family=True)
    several: Several[In] = records(4, In)
    bits: Named[IFF | None] = u32(6, enum=IFF)
    state: Named[IF_OPER | int | None] = u8(7, enum=IF_OPER)
    hardware: LinkAddr = lladdr(8)


class Child(Base):
    """A message that inherits the fields."""

    more: int | None = u32(5)


class Grandchild(Child):
    """It has no fields of its own."""


reveal_type(Base().sub)  # is In | None
reveal_type(Child().sub)  # is In | None
reveal_type(Grandchild().sub)  # is In | None
reveal_type(Child().source)  # is IPv4Address | IPv6Address | None
reveal_type(Child().labels)  # is IPv4Address | IPv6Address | tuple[int, ...] | None
reveal_type(Child().several)  # is tuple[In, ...]
reveal_type(Grandchild().several)  # is tuple[In, ...]
reveal_type(Child().bits)  # is IFF | None
reveal_type(Child().state)  # is int | None
reveal_type(Child().hardware)  # is str | IPv4Address | IPv6Address | None
Child(bits="up", state="down", hardware="192.0.2.1")
reveal_type(Grandchild().more)  # is int | None
Child(sub={"value": 1}, source="192.0.2.1", labels=(16, 17), several=[{"value": 1}], more=1)
Grandchild(sub=In(value=1), several=(In(),))
Child(sub=5)  # error: arg-type
Grandchild(source=5)  # error: arg-type
Grandchild(mor=5)  # error: call-arg

# Ops are called as their message class is, and requests know what do() and a dump return.
reveal_type(link.get(ifname="eth0"))  # is Request[Link, Link]
reveal_type(link.set(index=1))  # is Request[None, Link]
link.get(mtu="1500")  # error: arg-type
link.get(nosuch=1)  # error: call-arg
link.get(1)  # error: call-arg
make = Op("in.new", NLMSG.NLMSG_NOOP, In)
find = Op("in.get", NLMSG.NLMSG_NOOP, In, answer="optional", reply=Child)
every = Op("in.list", NLMSG.NLMSG_NOOP, In, answer="several", flags=NLM_F.NLM_F_ROOT)
split = Op("in.split", NLMSG.NLMSG_NOOP, In, answer="one", reply=Child, dump=Base)
reveal_type(make(value=1))  # is Request[None, In]
reveal_type(find(value=1))  # is Request[Child | None, Child]
reveal_type(every())  # is Request[list[In], In]
reveal_type(split())  # is Request[Child, Base]
make(valeu=1)  # error: call-arg

# Plans know what they return, and have their own arguments.
reveal_type(route.add("10.0.0.0/8", dev="v0"))  # is Plan[None]
reveal_type(route.lookup("192.0.2.1"))  # is Plan[Route]
reveal_type(link.index_of("v0"))  # is Plan[int]
link.change("v0", mtu=9000)
link.change("v0", mtuu=3)  # error: call-arg
link.add("v0", "veth", mtu="1400")  # error: arg-type
neigh.add("192.0.2.1", "lo", state=neigh.NUD.NUD_STALE, router=True)
route.add("10.0.0.0/8", dve="v0")  # error: call-arg
route.add("10.0.0.0/8", metric="low")  # error: arg-type
route.add("10.0.0.0/8", nexthops=[{"via": "192.0.2.1", "weight": 3}])
route.add("10.0.0.0/8", nexthops=[{"dev": "v0", "wieght": 3}])  # error: typeddict-unknown-key
rule.remove(fwmrk=5)  # error: call-arg


# Conditions of filters.
reveal_type(fields(Link))  # is Fields[Link]
reveal_type(fields(Link).mtu)  # is Operand
reveal_type(fields(Link).linkinfo.kind == "vlan")  # is Condition
reveal_type(~fields(Link).mtu.present & fields(Link).index.in_({1, 2}))  # is Condition
reveal_type(Filter(fields(Link).mtu < 1500).matches(Link(index=1)))  # is bool
fields("Link")  # error: arg-type
Filter(fields(Link).mtu)  # error: arg-type
Filter(fields(Link).mtu == 1500, lock=True)  # error: call-arg


def conversation(nl: Connection) -> Iterator[Message]:
    """The types that a connection returns."""
    reveal_type(nl.do(link.get(index=1)))  # is Link
    reveal_type(nl.do(link.get(ifname="lo")).mtu)  # is int | None
    reveal_type(nl.do(route.new(dst="10.0.0.0")))  # is None
    reveal_type(nl.do(find()))  # is Child | None
    reveal_type(nl.do(every()))  # is list[In]
    reveal_type(nl.do(route.lookup("192.0.2.1")).oif)  # is int | None
    reveal_type(nl.do(link.index_of("v0")))  # is int
    reveal_type(nl.dump(addr.get()))  # is Reply[Address]
    reveal_type(nl.dump(split()))  # is Reply[Base]
    for each in nl.dump(neigh.get()):
        reveal_type(each)  # is Neighbour
        reveal_type(each.lladdr)  # is str | IPv4Address | IPv6Address | None
        reveal_type(each.state)  # is NUD
    reveal_type(nl.dump(route.get()).all())  # is list[Route]
    for event in nl.events():
        reveal_type(event)  # is Message | RawMessage | Overrun
        if isinstance(event, Link):
            reveal_type(event.ifname)  # is str | None
    for parsed in parse(b"", FAMILY):
        reveal_type(parsed)  # is Message | RawMessage
    for item in nl.follow(link.get()):
        reveal_type(item)  # is Change[Link] | Mark
    mirror = Mirror(nl, link.get())
    reveal_type(mirror.by("ifname", "lo"))  # is list[Link]
    reveal_type(mirror.update().added)  # is list[Link]
    nl.follow(link.get)  # error: arg-type
    nl.do(link.get)  # error: call-overload
    nl.do(5)  # error: call-overload
    yield from nl.dump(link.get())


def named(
    request: Request[Link, Link], reply: Reply[Link], plan: Plan[int], error: KernelError | Overrun
) -> RawMessage:
    """Requests, replies and plans as annotations."""
    reveal_type(request.dump())  # is Request[Link, Link]
    reveal_type(list(reply))  # is list[Link]
    for step in plan:  # error: var-annotated
        print(step)
    return error  # error: return-value
