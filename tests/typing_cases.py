"""What type checkers are to infer; read by test_typing.py, never run.

A comment `# is T` says what reveal_type finds there, `# error: code` which error mypy must see. A
line without either must have none.
"""

from collections.abc import Iterator
from typing import reveal_type

from netlink import Connection, KernelError, Message, Overrun, RawMessage, Reply, Request, parse
from netlink.route import FAMILY, addr, link, neigh, route
from netlink.route.link import IFF, Link
from netlink.route.route import NextHop, Route

# Fields: header members always have a value, attributes may be missing.
one = Link(index=1, mtu=1500)
reveal_type(one.index)  # is int
reveal_type(one.flags)  # is IFF
reveal_type(one.mtu)  # is int | None
reveal_type(one.ifname)  # is str | None
reveal_type(one.operstate)  # is int | None
reveal_type(one.stats64)  # is rtnl_link_stats64 | None
reveal_type(one.linkinfo and one.linkinfo.kind)  # is LinkInfo | None | str
print(one.nosuch)  # error: attr-defined
one.mtu = 9000  # error: misc

# Constructor arguments: the types that a field reads as, and what is accepted beside them.
Link(ifname="eth0", flags=IFF.IFF_UP, linkinfo={"kind": "veth"})
Link(mtu="1500")  # error: arg-type
Link(ifname=7)  # error: arg-type
Link(nosuch=1)  # error: call-arg
Link(1)  # error: call-arg
way = Route(gateway="192.0.2.1", dst="10.0.0.0", multipath=[{"ifindex": 1}, NextHop(ifindex=2)])
reveal_type(way.gateway)  # is IPv4Address | IPv6Address | None
reveal_type(way.dst)  # is IPv4Address | IPv6Address | tuple[int, ...] | None
reveal_type(way.multipath)  # is tuple[NextHop, ...]
Route(gateway=5)  # error: arg-type
Route(multipath=[1])  # error: list-item
reveal_type(way.replace(priority=5))  # is Route
reveal_type(Route.from_bytes(b""))  # is Route

# Ops are called as their message class is, and requests know what comes back.
reveal_type(link.get(ifname="eth0"))  # is Request[Link]
link.get(mtu="1500")  # error: arg-type
link.get(nosuch=1)  # error: call-arg


def conversation(nl: Connection) -> Iterator[Message]:
    reveal_type(nl.do(link.get(index=1)))  # is Link | None
    reveal_type(nl.do(route.new(dst="10.0.0.0")))  # is Route | None
    reveal_type(nl.dump(addr.get()))  # is Reply[Address]
    for each in nl.dump(neigh.get()):
        reveal_type(each)  # is Neighbour
        reveal_type(each.lladdr)  # is str | None
    reveal_type(nl.dump(route.get()).all())  # is list[Route]
    for outcome in nl.do_many(route.new(oif=i) for i in range(9)):
        reveal_type(outcome)  # is Route | KernelError | None
    for event in nl.events():
        reveal_type(event)  # is Message | RawMessage | Overrun
        if isinstance(event, Link):
            reveal_type(event.ifname)  # is str | None
    for parsed in parse(b"", FAMILY):
        reveal_type(parsed)  # is Message | RawMessage
    yield from nl.dump(link.get())


def named(request: Request[Link], reply: Reply[Link], error: KernelError | Overrun) -> RawMessage:
    reveal_type(request.dump())  # is Request[Link]
    reveal_type(list(reply))  # is list[Link]
    return error  # error: return-value
