"""Every address attribute has a width, and writing checks it.

The kernel silently truncates a longer address. The tests find all message classes and try both
kinds of addresses on every field. tests/kernel/test_addresses_live.py asks the kernel for the
widths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, ip_address, ip_interface
from typing import Any

import pytest

from netlink import EncodeError, Family, Message, schema
from netlink._core import Gather
from netlink.constants import AF, KernelEnum
from netlink.route.encap import Mpls
from netlink.route.link import Link
from netlink.route.link.kinds.vxlan import Vxlan
from netlink.route.mdb import Mdb, MdbSet
from netlink.route.neigh import Neighbour
from netlink.route.nexthop import NextHopObject
from netlink.route.route import NextHop, Route, rtvia
from netlink.route.rule import Rule
from tools.declarations import Declarations

from . import wire

CLASSES: list[Any] = Declarations("netlink").messages
V4, V6 = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")
MAPPED = IPv6Address("::ffff:192.0.2.1")

# Attributes that hold an IPv4 or an IPv6 address, whatever is next to them.
EITHER = {
    "MdbEntryInfo.dst": "where a VXLAN sends to, of the family that it likes",
    "MdbSetAttributes.dst": "where a VXLAN sends to, of the family that it likes",
}


def innermost(field: Any) -> Any:
    return innermost(field.element) if field.element is not None else field


def wrapped(field: Any, value: Any) -> Any:
    """Return a value for a field whose innermost element is `address`, inside its nests."""
    return value if field.element is None else [wrapped(field.element, value)]


FIELDS = [
    pytest.param(cls, field, id=f"{cls.__module__.partition('.')[2]}.{cls.__name__}.{name}")
    for cls in CLASSES
    for name, field in cls.__table__.names.items()
    if innermost(field).kind_name == "address"
]


def test_every_address_has_a_width_or_a_reason() -> None:
    fields: list[Any] = [param.values for param in FIELDS]
    without = {
        f"{cls.__name__}.{field.name}"
        for cls, field in fields
        if not innermost(field).size and not innermost(field).by_family
    }
    assert without == EITHER.keys()
    assert len(FIELDS) > 80


def refused(path: str, make: Callable[..., Any], *args: Any, **fields: Any) -> None:
    with pytest.raises(EncodeError) as caught:
        make(*args, **fields)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(("cls", "field"), FIELDS)
def test_both_kinds_of_address(cls: Any, field: Any) -> None:
    """An address that fits is written and read back. Other IP versions and lengths fail."""
    inner = innermost(field)
    place = f"{cls.__name__}.{field.name}" + ("" if field.element is None else "[0]")
    if inner.by_family and (inner.selector or "family" not in cls.__table__.names):
        widths: dict[Any, int] = {None: 0}  # its parent decides: see below
    elif inner.by_family:
        widths = {
            AF.AF_INET: 4, AF.AF_INET6: 16, AF.AF_UNSPEC: 0, AF.AF_BRIDGE: 0,
            AF.RTNL_FAMILY_IPMR: 4, AF.RTNL_FAMILY_IP6MR: 16, "inet": 4, "AF_INET6": 16,
        }  # fmt: skip
        if inner.size:  # a union: without a family of IPv4 it is an IPv6 address
            widths = {family: width or 16 for family, width in widths.items()}
    else:
        widths = {None: inner.size}
    for family, width in widths.items():
        known = {} if family is None else {"family": family}
        for address in (V4, V6):
            for spelled in (address, str(address), address.packed):
                fields = known | {field.name: wrapped(field, spelled)}
                if width in (0, len(address.packed)):
                    value = getattr(cls(**fields), field.name)
                    assert value in (address, (address,))
                    assert cls(**dict(reversed(fields.items())))
                else:
                    refused(place, cls, **fields)
        if width:
            refused(place, cls, **known, **{field.name: wrapped(field, b"\1\2\3")})


def paths(cls: Any, seen: tuple[Any, ...] = ()) -> Iterator[tuple[list[Any], Any]]:
    """Yield the paths to addresses, also in nests, whose family the message decides."""
    for field in cls.__table__.names.values():
        inner = innermost(field)
        if seen and inner.kind_name == "address" and inner.by_family and inner.selector is None:
            yield [field], field
        target = inner.message
        if target is None or target in seen or "family" in target.__table__.names:
            continue
        for below, leaf in paths(target, (*seen, target)):
            yield [field, *below], leaf


NESTED = [
    pytest.param(cls, path, id=f"{cls.__name__}.{'.'.join(field.name for field in path)}")
    for cls in CLASSES
    if "family" in cls.__table__.names
    for path, _ in paths(cls)
]


def test_nested_addresses_are_found() -> None:
    assert "Route.multipath.gateway" in {param.id for param in NESTED}


@pytest.mark.parametrize(("cls", "path"), NESTED)
@pytest.mark.parametrize("as_message", [False, True])
def test_the_family_applies_to_nests(cls: Any, path: list[Any], as_message: bool) -> None:
    def fields(address: Any) -> dict[str, Any]:
        value: Any = address
        for field in reversed(path):
            if isinstance(value, dict) and as_message:
                value = innermost(field).message(**value)
            repeats = field.kind_name in ("records", "repeated", "array")
            value = {field.name: [value] if repeats else value}
        return dict(value)

    where = ".".join(
        field.name + ("[0]" if field.kind_name in ("records", "repeated", "array") else "")
        for field in path
    )
    for family, good, bad in ((AF.AF_INET, V4, V6), (AF.AF_INET6, V6, V4)):
        assert cls(family=family, **fields(good))
        refused(f"{cls.__name__}.{where}", cls, family=family, **fields(bad))
    for family in (AF.AF_UNSPEC, AF.AF_BRIDGE):
        assert cls(family=family, **fields(V4))
        assert cls(family=family, **fields(V6))


def test_via_and_encapsulations_have_families_of_their_own() -> None:
    far = Route(family=AF.AF_INET, via={"family": AF.AF_INET6, "addr": V6})
    assert far.via is not None
    assert far.via.addr == V6
    assert Route(family=AF.AF_INET, via=rtvia(family=AF.AF_INET6, addr=V6)) == far
    refused("Route.via.addr", Route, family=AF.AF_INET, via={"family": AF.AF_INET, "addr": V6})
    hop: dict[str, Any] = {"via": {"family": AF.AF_INET6, "addr": V6}}
    assert Route(family=AF.AF_INET, multipath=[hop]).multipath[0].via == far.via
    assert Route(family=AF.AF_INET, encap_type="ip6", encap={"dst": V6}).encap
    assert Route(family=AF.AF_INET6, encap_type="ip", encap={"dst": V4}).encap
    refused("Route.encap.dst", Route, family=AF.AF_INET6, encap_type="ip", encap={"dst": V6})
    hop = {"encap_type": 4, "encap": {"src": V4}}
    refused("Route.multipath[1].encap.src", Route, family=AF.AF_INET, multipath=[{}, hop])
    assert Neighbour(family=AF.AF_BRIDGE, dst=V6).dst == V6


def test_the_group_decides_on_its_sources() -> None:
    def entry(proto: int, source: Any, listed: Any) -> dict[str, Any]:
        return {"proto": proto, "source": source, "src_list": {"entry": [{"address": listed}]}}

    def sent(*parts: Any) -> Mdb:
        return Mdb(mdb={"entry": [{"info": [entry(*parts)]}]})

    def asked(proto: int, source: Any, listed: Any) -> MdbSet:
        attributes = {"source": source, "src_list": {"entry": [{"address": listed}]}}
        return MdbSet(entry={"proto": proto}, entry_attrs=attributes)

    for ether, good, bad in ((0x0800, V4, V6), (0x86DD, V6, V4)):
        for make, place in ((sent, "Mdb.mdb.entry[0].info[0]"), (asked, "MdbSet.entry_attrs")):
            make(ether, good, good)
            refused(f"{place}.source", make, ether, bad, good)
            refused(f"{place}.src_list.entry[0].address", make, ether, good, bad)
    sent(0, V4, V6)


def test_labels_are_for_mpls_alone() -> None:
    """Otherwise the kernel would read an MPLS label as an IPv4 address, or the reverse."""
    assert Route(family=AF.AF_MPLS, dst=(100,), dst_len=20).dst == (100,)
    assert Route(family="mpls", dst=[100]).dst == Route(family="mpls", dst=100).dst == (100,)
    assert Route(family=AF.AF_MPLS, via={"family": "inet", "addr": V4}, newdst=(1, 2)).via
    for family in (AF.AF_INET, AF.AF_INET6, AF.AF_UNSPEC):
        for labels in ((100,), [100]):
            refused("Route.dst", Route, family=family, dst=labels)
    for address in (V4, str(V4), V6):
        refused("Route.dst", Route, family=AF.AF_MPLS, dst=address)
    refused("Route.dst", Route(family="mpls", dst=(100,)).replace, dst=V4)
    refused("Rule.src", Rule, src=(100,))


def test_the_family_may_be_an_attribute() -> None:
    """Generic families have no header of their own, so an attribute states the address family."""

    class Endpoint(Message):
        family: Any = schema.u8(1, enum=AF)
        addr: Any = schema.address(2, by_family=True)
        listed: Any = schema.array(3, schema.address(by_family=True))
        name: str | None = schema.string(4)

    assert Endpoint(addr=V6, family="inet6").addr == V6
    assert Endpoint(family=AF.AF_INET, listed=[V4]).listed == (V4,)
    refused("Endpoint.addr", Endpoint, addr=V6, family="inet")
    refused("Endpoint.listed[1]", Endpoint, listed=[V4, V6], family=AF.AF_INET)
    # The first byte is the length of an attribute here, and not AF_MPLS.
    odd = Endpoint(name="x" * 23, family=AF.AF_MPLS, addr=b"\0\6\x41\0")
    assert bytes(odd)[0] == AF.AF_MPLS
    assert odd.addr == IPv4Address("0.6.65.0")


def test_a_union_of_addresses_is_read_by_the_family() -> None:
    """Fact: struct inet_diag_sockid has 16 bytes for an address; IPv4 uses the first four."""

    class Pair(Message):
        family: Any = schema.u8(enum=AF)
        addr: Any = schema.address(size=16, by_family=True)
        count: int = schema.u32()
        mark: int | None = schema.u32(1)

    four, six = Pair(family="inet", addr=V4, count=7, mark=1), Pair(family="inet6", addr=V6)
    assert bytes(four)[4:28] == V4.packed + bytes(12) + b"\7\0\0\0" + b"\x08\0\1\0"
    assert (four.addr, six.addr, Pair(family="inet").addr) == (V4, V6, IPv4Address(0))
    assert four.to_dict()["addr"] == V4 and dict(six)["addr"] == V6
    assert four.replace(count=8).addr == V4
    assert four.replace(family="inet6").addr.packed == V4.packed + bytes(12)
    refused("Pair.addr", four.replace, addr=V6)

    class GET(KernelEnum):
        GET = 20

    family = Family("pair", protocol=4, types=GET, messages={GET.GET: Pair})
    data = b"".join(wire.message(20, bytes(pair)) for pair in (four, six))
    columns = Gather(Pair.__table__, family.dispatch, "addr")
    columns.feed(data, 0, len(data))
    assert [*columns.finish()["addr"]] == [V4, V6]
    with pytest.raises(TypeError, match=r"Bad\.addr: a union of addresses needs a header that"):

        class Bad(Message):
            addr: Any = schema.address(size=16, by_family=True)


def test_a_mapped_next_hop_is_written_as_the_ipv4_address() -> None:
    """Only a next hop is converted, as by ip(8). Elsewhere a mapped address stays IPv6."""
    assert Route(family=AF.AF_INET, gateway=MAPPED).gateway == V4
    assert Route(family=AF.AF_INET, gateway=str(MAPPED)).gateway == V4
    assert Route(family=AF.AF_INET, multipath=[{"gateway": MAPPED}]).multipath[0].gateway == V4
    assert NextHopObject(family=AF.AF_INET, gateway=MAPPED).gateway == V4
    assert Route(family=AF.AF_INET6, gateway=MAPPED).gateway == MAPPED
    assert Route(gateway=MAPPED).gateway == MAPPED
    refused("Route.prefsrc", Route, family=AF.AF_INET, prefsrc=MAPPED)
    refused("Vxlan.group", Vxlan, group=MAPPED)
    changed = Route(family=AF.AF_INET, dst="10.0.0.0", dst_len=8).replace(gateway=MAPPED)
    assert changed.gateway == V4


def test_replacing_looks_at_what_stays() -> None:
    v4 = Route(family=AF.AF_INET, dst="10.0.0.0", multipath=[NextHop(gateway=V4)])
    refused("Route.prefsrc", v4.replace, prefsrc=V6)
    refused("Route.dst", v4.replace, family=AF.AF_INET6)
    refused("Route.multipath[0].gateway", v4.replace, family=AF.AF_INET6, dst=None)
    assert v4.replace(family=AF.AF_INET6, dst=None, multipath=()).family is AF.AF_INET6
    assert v4.replace(family=AF.AF_INET6, dst="2001:db8::", multipath=[{"gateway": V6}])
    chosen = Route(encap_type="mpls").replace(encap={"dst": (100,)})
    assert chosen.encap == Mpls(dst=(100,))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("fe80::1%eth9", "has a zone"),
        (IPv6Address("fe80::1%2"), "has a zone"),
        (IPv4Interface("192.0.2.1/24"), "has a prefix length"),
        (ip_interface("2001:db8::1/64"), "has a prefix length"),
        ("192.0.2.1/24", "not an IP address"),
        ("192.0.2.01", "not an IP address"),
        ("\ud800", "not an IP address"),
        (5, "expected an IP address, not int"),
        (True, "expected an IP address, not bool"),
        (bytearray(4), "expected an IP address, not bytearray"),
    ],
)
def test_what_is_not_an_address(address: Any, words: str) -> None:
    with pytest.raises(EncodeError, match=rf"Neighbour\.dst: .*{words}"):
        Neighbour(dst=address)


def test_ip_addresses_of_the_link_layer() -> None:
    """4 and 16 bytes are the IP address of a tunnel. Text of hex pairs is a link-layer address."""
    gre = Link(address="198.51.100.1", broadcast=ip_address("0.0.0.0"), perm_address=V6)
    assert (gre.address, gre.broadcast, gre.perm_address) == (
        IPv4Address("198.51.100.1"), IPv4Address("0.0.0.0"), V6)  # fmt: skip
    assert gre.to_json()["address"] == "198.51.100.1"
    assert "address=198.51.100.1" in repr(gre)
    assert Link(address=b"\x7f\0\0\1").address == IPv4Address("127.0.0.1")
    assert Link(address="7f:00:00:01").address == IPv4Address("127.0.0.1")
    assert Neighbour(dst="10.0.0.9", lladdr="198.51.100.1").lladdr == IPv4Address("198.51.100.1")
    for text in ("02:00:00:00:00:01", "02-00-00-00-00-01", "0A:0b:00:00:00:01", "", "0a",
                 "00:11:22:33:44:55:66:77", ":".join(f"{i:02x}" for i in range(20))):  # fmt: skip
        assert Link(address=text).address == text.lower().replace("-", ":")
    for text in ("::1", "2001:db8::", "2001:db8:0:0:0:0:0:1"):
        assert Link(address=text).address == IPv6Address(text)
    # ip(8) reads eight groups of one or two digits as eight bytes
    for text in ("0:1:2:3:4:5:6:7", " 0:0 :00:00:00:00", "02:00:00:00:00:01 ", "2:0", "02:0g",
                 "02_00", "02:00:", "0200", "1.2.3", "fe80::1%eth9", "\ud800"):  # fmt: skip
        refused("Link.address", Link, address=text)
    refused("Link.address", Link, address=5)
    refused("Link.address", Link, address=ip_interface("10.0.0.1/8"))


def test_addresses_that_are_read_again() -> None:
    """An address that was made lately may be returned again, and never for another value."""
    bodies = [bytes(Route(dst=IPv4Address(n * 40_503 % 2**32))) for n in range(3000)]
    for _ in range(2):
        for n, body in enumerate(bodies):
            again = [Route.from_bytes(body).dst for _ in range(2)]
            assert again == [IPv4Address(n * 40_503 % 2**32)] * 2
