"""Captured bytes and the values in them: our own, and those of other libraries' tests.

`vectors/` holds our captures by kernel release, each with its command (vectors/capture.py). The
records of other libraries are not part of this repository; NETLINK_VECTORS names their folder. If
we disagree with such a record, `DISAGREE` explains each difference.
"""

import json
import struct
from typing import Any, cast

import pytest

import netlink
from netlink import DecodeError, KernelError, Message, iter_attributes, iter_messages, schema
from netlink._core import INDEX_FORMAT, Gather, runs
from netlink.constants import AF
from netlink.extack import status
from netlink.route import (
    FAMILY,
    addr,
    afspec,
    bridgespec,
    link,
    neigh,
    neightbl,
    nsid,
    prefix,
    route,
    rule,
    stats,
)
from netlink.route.link.kinds import bridge, macvlan, vlan, vxlan
from netlink.route.rtnetlink import RTM
from netlink.route.tc import action, filter, qdisc
from netlink.route.tc.cls import U32
from tests.generated import column_paths, follow
from tests.meanings import dispatch
from tests.peers import (
    ABSENT,
    NLA_TYPE_MASK,
    PEERS,
    attribute_differences,
    differences,
    member_differences,
    records,
)
from tests.records import CAPTURES, OWN, Json, parsed, plain

NLMSG_HDRLEN = 16
NLA_HDRLEN = 4


# --- other libraries' records: what of them is ours to read ---------------------------------------

CLASSES: dict[str, type[Message]] = {
    "rtnetlink/link": link.Link,
    "rtnetlink/addr": addr.Address,
    "rtnetlink/route": route.Route,
    "rtnetlink/neigh": neigh.Neighbour,
    "rtnetlink/neightbl": neightbl.NeighbourTable,
    "rtnetlink/nsid": nsid.NamespaceId,
    "rtnetlink/prefix": prefix.Prefix,
    "rtnetlink/rule": rule.Rule,
    "rtnetlink/stats": stats.Stats,
    "rtnetlink/tc": filter.Filter,
}

# Classes of records that have no family header, by their `what`.
PARTS: dict[str, type[Message]] = {
    "bridge (IFLA_INFO_DATA)": bridge.Bridge,
    "bridge port (IFLA_INFO_SLAVE_DATA)": bridge.BridgePort,
    "macvlan (IFLA_INFO_DATA)": macvlan.Macvlan,
    "vlan (IFLA_INFO_DATA)": vlan.Vlan,
    "vxlan (IFLA_INFO_DATA)": vxlan.Vxlan,
    "IFLA_AF_SPEC (AF_UNSPEC) nested attributes": afspec.AfSpec,
    "IFLA_AF_SPEC (AF_BRIDGE) nested attributes": bridgespec.BridgeSpec,
    "IFLA_XDP nested attributes": link.Xdp,
    "IFLA_DPLL_PIN nested attribute": link.DpllPin,
    "value of IFLA_STATS (struct rtnl_link_stats)": link.rtnl_link_stats,
    "value of IFLA_STATS64 (struct rtnl_link_stats64)": link.rtnl_link_stats64,
}
UNREADABLE = {  # by what they are, or by their id
    "jsimonetti-driver/TestMacvlanEncodeDecode/full-configuration": (
        "the peer's encoder gives IFLA_MACVLAN_BC_QUEUE_LEN_USED a byte, macvlan_fill_info a u32"
    ),
    "payload of IFLA_INET_CONF in a request (nested form)": "only the form of a reply is declared",
    "IFLA_WIRELESS attribute payload (struct iw_event, 64-bit layout)": "kept as bytes",
}


def class_of(record: Json) -> type[Message]:
    """Return the class of a whole message. All classes of traffic control share one header."""
    if record.get("header") == "tcamsg":
        return action.ActionTable
    return qdisc.Qdisc if "/tc/qdisc_" in record["id"] else CLASSES[record["family"]]


def subject(record: Json) -> Message:
    """Return the bytes of a record as one of our messages, or skip the test."""
    cls = class_of(record)
    data = bytes.fromhex(record["hex"])
    what = record["what"].removeprefix("attributes only: ")
    for name in (what, record["id"]):
        if name in UNREADABLE:
            pytest.skip(UNREADABLE[name])
    if what in PARTS:
        return PARTS[what].from_bytes(data)
    if record["form"] == "message":
        (message,) = netlink.parse(data, FAMILY)
        assert isinstance(message, cls)
        return message
    if record["form"] == "attrs":
        data = bytes(cls.__table__.header) + data
    return cls.from_bytes(data)


# --- other libraries' records: where they and we differ -------------------------------------------

NEWER = "newer than the headers of Linux 6.12"
NO_CLASS = "has no class yet"

# Attributes without a field of ours, by the last step of their path: `unknown` keeps their bytes.
# Also nests that read as bytes.
UNDECLARED = {
    "#66": NEWER,
    "#68": NEWER,
    "#69": NEWER,
    "IFLA_NETNS_IMMUTABLE": NEWER,
    "IFLA_GENEVE_LOCAL": NEWER,
    "IFLA_BR_STP_MODE": NEWER,
    "IFLA_BRPORT_NEIGH_FORWARD_GRAT": NEWER,
    "IFLA_MCTP_PHYS_BINDING": NEWER,
    "IFLA_VXLAN_MC_ROUTE": NEWER,
    "IFLA_VXLAN_RESERVED_BITS": NEWER,
    "data:bytes": f"this kind of link {NO_CLASS}",
    "encap:bytes": f"a light-weight tunnel {NO_CLASS}",
}

XDP = "the peer has no decoder for the value 0 of IFLA_XDP_ATTACHED"
PRIORITY = "the peer reads the big-endian priority of a bridge in host order"
LINK_DATA = "Link.linkinfo.data"
DISAGREE: dict[str, dict[str, str]] = {
    "jsimonetti/TestLinkStats64UnmarshalBinary/kernel-4-6-plus": {
        "rtnl_link_stats64.rx_otherhost_dropped": "past the end of the struct: 0 there, None here",
    },
    "pyroute2/nl0.pcap/4": {"Link.xdp.attached": XDP},
    "pyroute2/nl0.pcap/5": {
        "Link.xdp.attached": XDP,
        f"{LINK_DATA}.bridge_id.prio": PRIORITY,
        f"{LINK_DATA}.root_id.prio": PRIORITY,
    },
    "pyroute2/nl0.pcap/6": {"Link.xdp.attached": XDP},
    "rust-route/link/bond/test_bond_link_info": {
        f"{LINK_DATA}.arp_all_targets:name": "BOND_ARP_TARGETS_ANY in include/net/bonding.h",
    },
    "rust-route/link/iptunnel/test_iptunnel_ipip6_link_info": {
        f"{LINK_DATA}.flags:name": "IP6_TNL_F_CAP_* are in include/net/, and in no uapi header",
    },
    "rust-route/link/macsec/test_macsec_link_info": {
        f"{LINK_DATA}.sci": "the peer reads a MAC address and a port as a number in host order",
    },
    "rust-route/link/rmnet/test_parsing_link_rmnet": {
        f"{LINK_DATA}.flags.mask:name": "all bits are set: the peer names none of them",
    },
    "rust-route/link/vxlan/test_parsing_link_vxlan": {
        f"{LINK_DATA}.reserved_bits": "a struct vxlanhdr, which the peer reads as one number",
    },
    "rust-route/link/xdp/parse_xdp_attached": {
        "Xdp.attached": "six of an attribute that comes once: they want each, we read the first",
    },
    "rust-route/route/seg6/test_encap": {
        "Route.encap.srh.segments": "bytes of struct ipv6_sr_hdr, which the peer takes apart",
    },
}


@pytest.mark.parametrize("record", records(*CLASSES))
def test_record(record: Json) -> None:
    message = subject(record)
    expect = record["expect"]
    name = type(message).__name__
    found = set()
    for member, value in expect.get("header", expect.get("value", {})).items():
        if not member.startswith("$"):
            found |= {*member_differences(member, value, message, name)}
    if "expect_attrs" in record:
        partial = "$partial" in expect
        found |= {*attribute_differences(record["expect_attrs"], message, name, partial=partial)}
    unexplained = {path for path in found if path.rpartition(".")[2] not in UNDECLARED}
    assert unexplained <= set(DISAGREE.get(record["id"], ()))
    for member, value in expect.get("nlmsghdr", {}).items():
        if member != "nlmsg_len":
            assert getattr(message, member) == value


@pytest.mark.parametrize("record", records(*CLASSES))
def test_record_encodes(record: Json) -> None:
    """A constructor that gets all decoded values makes the same message again."""
    message = subject(record)
    assert canonical(type(message)(**message.to_dict())) == canonical(message)
    assert message.replace().unknown == message.unknown


def attributes(message: Message) -> list[tuple[int, bytes]]:
    """Return the number and the payload of each attribute."""
    body = bytes(message)
    return [
        (kind & NLA_TYPE_MASK, body[offset : offset + length])
        for kind, offset, length in message._walk()
    ]


def canonical(message: Message) -> Any:
    """The bytes of a message, attribute by attribute, as far as we read them.

    Without NLA_F_NESTED, which old code leaves out, the NUL after a string, the byte of a
    byte_flag, the attributes that we do not know, and the tail of a struct that is newer than ours.
    """
    table = type(message).__table__
    body = bytes(message)
    head = body[: table.total].ljust(table.total, b"\0")
    if not table.has_attributes:
        return head
    found: list[Any] = [head]
    fields = {field.number: field for field in table.fields}
    times: dict[int, int] = {}
    for number, payload in attributes(message):
        field = fields.get(number)
        time = times[number] = times.get(number, -1) + 1
        if field is None or (time and field.kind_name != "repeated"):
            continue
        value = getattr(message, field.name)
        if field.kind_name == "repeated":
            value = value[time]
        if field.kind_name in ("array", "records", "mapping"):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            found.append((field.name, [(key, canonical_value(item)) for key, item in items]))
        elif isinstance(value, Message):
            found.append((field.name, canonical(value)))
        elif field.kind_name == "string":
            found.append((field.name, payload.rstrip(b"\0")))
        elif field.kind_name == "byte_flag":
            found += [(field.name, b"")] if value else []
        else:
            found.append((field.name, payload))
    return found


def canonical_value(value: Any) -> Any:
    return canonical(value) if isinstance(value, Message) else value


# --- other libraries' records: no family, only the wire -------------------------------------------


def declare(**fields: Any) -> type[Message]:
    """Return a message class with these fields."""
    fields["__module__"] = __name__  # not that of the metaclass
    return cast("type[Message]", schema.MessageType("Declared", (Message,), fields))


WORDS: dict[str, Any] = {
    "u8": schema.u8,
    "s8": schema.s8,
    **{f"{kind}{bits}": getattr(schema, f"{kind}{bits}") for kind in "us" for bits in (16, 32, 64)},
    **{f"le {kind}{bits}": getattr(schema, f"{kind}{bits}")
       for kind in "us" for bits in (16, 32, 64)},
    **{f"be u{bits}": getattr(schema, f"be{bits}") for bits in (16, 32, 64)},
    **{f"be s{bits}": getattr(schema, f"sbe{bits}") for bits in (16, 32, 64)},
    **{f"uint{bits}": getattr(schema, f"u{bits}") for bits in (8, 16, 32, 64)},
    **{f"int{bits}": getattr(schema, f"s{bits}") for bits in (8, 16, 32, 64)},
    "string": schema.string,
    "binary": schema.binary,
    "flag": schema.flag,
}  # fmt: skip


@pytest.mark.parametrize("record", records("netlink/scalar"))
def test_scalar_record(record: Json) -> None:
    payload, expect = bytes.fromhex(record["hex"]), record["expect"]
    cls = declare(value=WORDS[expect["decode_as"]](1))
    encoded = bytes(cls(value=expect["value"]))
    (attribute,) = iter_attributes(encoded)
    assert bytes(attribute.payload) == payload
    assert cls.from_bytes(encoded).to_dict() == {"value": expect["value"]}


def check_tree(payload: Any, tree: list[Json]) -> None:
    """Check the attributes of a nested list, without a schema."""
    found = list(iter_attributes(payload))
    assert len(found) == len(tree)
    for attribute, expected in zip(found, tree, strict=True):
        assert attribute.type == expected["type"]
        flags = 0x8000 * expected["nested"] | 0x4000 * expected["net_byteorder"]
        assert attribute.flags == flags
        if "children" in expected:
            check_tree(attribute.payload, expected["children"])
        else:
            assert attribute.payload.hex() == expected["payload"]


@pytest.mark.parametrize("record", records("netlink/attributes"))
def test_attribute_record(record: Json) -> None:
    data, expect = bytes.fromhex(record["hex"]), record["expect"]
    if "attrs_tree" in expect:
        check_tree(data, expect["attrs_tree"])
    elif "attrs_raw" in expect:
        found = list(iter_attributes(data))
        assert [(item.type | item.flags, item.payload.hex()) for item in found] == [
            (item["type"], item["payload"]) for item in expect["attrs_raw"]
        ]
    else:
        words = {int(number): word for number, word in expect["decode_as"].items()}
        cls = declare(**{f"v_{n}": ATTRIBUTE_WORDS[word](n) for n, word in words.items()})
        message = cls.from_bytes(data)
        for name, expected in expect["attrs"].items():
            value = getattr(message, f"v_{name[1:]}")
            payload = value if isinstance(value, bytes) else b""
            assert not [*differences(expected, value, payload, name)]


class ab(Message):
    """The struct in one of the records."""

    a: int = schema.u16()
    b: int = schema.u8()


class Two(Message):
    """The nest in one of the records."""

    v_2: int | None = schema.u16(2)


ATTRIBUTE_WORDS = WORDS | {
    "struct {u16 a; u8 b; pad}": lambda number: schema.struct(number, ab),
    "nest {2: u16}": lambda number: schema.nest(number, Two),
}


@pytest.mark.parametrize("record", records("netlink/nlmsghdr"))
def test_message_record(record: Json) -> None:
    data, expect = bytes.fromhex(record["hex"]), record["expect"]
    found = iter_messages(data)
    for expected in expect.get("messages", [expect]):
        message, header = next(found), expected["nlmsghdr"]
        padding = "00" if "ok-unaligned-data" in record["id"] else ""  # counted in nlmsg_len
        assert message.payload.hex() == expected["payload"] + padding
        assert NLMSG_HDRLEN + len(message.payload) == header["nlmsg_len"]
        for member in ("type", "flags", "seq", "pid"):
            assert getattr(message, member) == header[f"nlmsg_{member}"]
    if "trailing" in record["id"]:  # the peer ignores less than a header: we tell
        with pytest.raises(DecodeError, match="only 8 are left"):
            next(found)
    else:
        assert next(found, None) is None


@pytest.mark.parametrize("record", records("netlink/nlmsgerr"))
def test_error_record(record: Json) -> None:
    data, expect = bytes.fromhex(record["hex"]), record["expect"]
    if record["form"] == "attrs":  # after an error with a capped request
        error = struct.pack("=i", -22) + struct.pack("=IHHII", 16, 16, 5, 1, 0)
        flags = 0x100 | 0x200  # NLM_F_CAPPED, NLM_F_ACK_TLVS
        body = error + data
        data = struct.pack("=IHHII", NLMSG_HDRLEN + len(body), 2, flags, 1, 0) + body
    index = struct.pack(INDEX_FORMAT, 0, len(data), 0, 0, -1, 0)
    (run,) = runs(data, index)
    assert run.fault is None
    error_of, _ = status(run, link.get(index=1))
    assert isinstance(error_of, KernelError)
    assert error_of.errno == -expect.get("error", -22)
    assert error_of.message == expect["attrs"]["msg"]
    assert error_of.offset == expect["attrs"]["offs"]


# --- other libraries' records: what must be refused -----------------------------------------------

# A value of a known kind: the attribute that carries it.
CARRIERS: dict[str, tuple[type[Message], int]] = {
    "struct rtnexthop (value inside RTA_MULTIPATH)": (route.Route, 9),
    "value of RTA_FLOW (two u16: destination and source realm)": (route.Route, 11),
    "struct tc_u32_sel (value of TCA_U32_SEL)": (U32, 5),
    "struct rtnl_link_stats (value of IFLA_STATS)": (link.Link, 7),
    "struct rtnl_link_stats64 (value of IFLA_STATS64)": (link.Link, 23),
}

# The other library refuses it, although its framing is correct.
ACCEPTED = {
    "jsimonetti/TestAddressMessageUnmarshalBinary/invalid-attr": (
        "IFA_CACHEINFO is shorter than the struct, as from an older kernel"
    ),
    "jsimonetti/TestLinkMessageUnmarshalBinary/invalid-attr": (
        "an empty IFLA_ADDRESS: not every link has one"
    ),
    "rust-route/tc/filter_u32/test_tcu32_selector_invalid_nkeys": (
        "`nkeys` says more keys than there are: we read those that are there"
    ),
}


def read(record: Json) -> None:
    """Read every value in a malformed record."""
    data, what, family = bytes.fromhex(record["hex"]), record["what"], record["family"]
    if what in CARRIERS:
        cls, number = CARRIERS[what]
        attribute = struct.pack("=HH", NLA_HDRLEN + len(data), number) + data
        cls.from_bytes(bytes(cls.__table__.header) + attribute).to_dict()
    elif family in CLASSES:
        CLASSES[family].from_bytes(data).to_dict()
    elif "decode_as" in record:
        for number, kind in record["decode_as"].items():
            declare(value=WORDS[kind](int(number))).from_bytes(data).to_dict()
    elif family == "netlink/attributes":
        list(iter_attributes(data))
    elif family == "netlink/nlmsghdr":
        list(iter_messages(data))
    else:
        *_, signed, bits = record["id"].split("-")
        word = getattr(schema, f"{'s' if signed == 'signed' else 'u'}{bits}")
        attribute = struct.pack("=HH", NLA_HDRLEN + len(data), 1) + data
        declare(value=word(1)).from_bytes(attribute).to_dict()


@pytest.mark.parametrize(
    "record",
    records(*CLASSES, "netlink/attributes", "netlink/nlmsghdr", "netlink/scalar", malformed=True),
)
def test_malformed_record(record: Json) -> None:
    if "IFLA_WIRELESS" in record["what"]:
        pytest.skip("kept as bytes")
    if record["kind"] == "peer-policy" or record["id"] in ACCEPTED:
        read(record)
        return
    with pytest.raises(DecodeError):
        read(record)
    if "valid_before_error" in record:
        found = iter_messages(bytes.fromhex(record["hex"]))
        for expected in record["valid_before_error"]:
            assert next(found).payload.hex() == expected["payload"]


KNOWN = {*CLASSES, "netlink/scalar", "netlink/attributes", "netlink/nlmsghdr", "netlink/nlmsgerr"}
# tests/test_nl80211.py, test_devlink.py and test_generic_more.py have these.
KNOWN |= {"genl/nl80211", "genl/devlink", "genl/ipvs"}
OTHERS = sorted({record["family"] for record in PEERS} - KNOWN)


@pytest.mark.parametrize("family", OTHERS or [pytest.param("", marks=ABSENT)])
def test_other_records(family: str) -> None:
    pytest.skip(f"no message class of {family} yet")


# --- our own captures -----------------------------------------------------------------------------


@pytest.mark.parametrize("record", OWN)
def test_capture(record: Json) -> None:
    message = parsed(record)
    assert message.nlmsg_name == record["message"]
    assert holds(message.to_json(), record["json"])
    assert not message.unknown


# Types that the kernel sends, or by their names could send, without a record.
UNSEEN = {
    "RTM_DELADDRLABEL": "no group tells of address labels",
    "RTM_DELNEXTHOPBUCKET": "no kernel sends it",
    "RTM_NEWLINKPROP": "a request alone: the event is RTM_NEWLINK",
    "RTM_DELLINKPROP": "a request alone: the event is RTM_NEWLINK",
}


def test_every_type_is_captured() -> None:
    """Each record has its own subject, and every type that the kernel sends has a record."""
    names = [(record["kernel"], record["what"]) for record in CAPTURES]
    assert len(set(names)) == len(names)
    sent = {name for name in RTM.__members__ if name.startswith(("RTM_NEW", "RTM_DEL"))}
    assert sent - {record["message"] for record in CAPTURES} == UNSEEN.keys()


# Types without a record from Linux 6.18, because the captured kernel was built without them.
UNBUILT = {
    "RTM_NEWVLAN": "no CONFIG_BRIDGE_VLAN_FILTERING",
    "RTM_DELVLAN": "no CONFIG_BRIDGE_VLAN_FILTERING",
}


def test_a_second_release_is_captured() -> None:
    older, newer = (
        {record["message"] for record in CAPTURES if record["kernel"].startswith(f"{release}.")}
        for release in ("6.12", "6.18")
    )
    assert {name for name in older if name.startswith("RTM_NEW")} - newer <= UNBUILT.keys()


@pytest.mark.parametrize("record", OWN)
def test_capture_has_a_second_source(record: Json) -> None:
    """Our values were compared with iproute2, with the table of a live test, or by other means."""
    assert len({"shown", "test", "alone"} & record.keys()) >= 1


def holds(found: Any, captured: Any) -> bool:
    """Return whether today's decoding has every value of the capture. New fields are allowed."""
    if isinstance(captured, dict):
        return all(name in found and holds(found[name], captured[name]) for name in captured)
    if isinstance(captured, list):
        return len(found) == len(captured) and all(map(holds, found, captured))
    return bool(found == captured)


@pytest.mark.parametrize("record", OWN)
def test_agreement(record: Json) -> None:
    """Reading fields, converting to a dict, copying and columns give the same values."""
    message = parsed(record)
    values = message.to_dict()
    fields = type(message).__table__.names
    copy = type(message).from_bytes(bytes(message))
    assert copy == message and copy.to_dict() == values
    for name, field in fields.items():
        one_by_one = type(message).from_bytes(bytes(message))  # as the first read of a message
        assert plain(getattr(one_by_one, name)) == values.get(name, field.missing)
        assert plain(getattr(message, name)) == values.get(name, field.missing)
    assert [name for name, _ in message] == list(values)
    assert json.loads(json.dumps(message.to_json())) == message.to_json()
    paths = column_paths(type(message))
    if paths and getattr(message, "family", None) != AF.AF_MPLS:  # whose labels no column holds
        data = bytes.fromhex(record["hex"])
        data += bytes(-len(data) % 4)
        assert message.nlmsg_type is not None
        gather = Gather(
            type(message).__table__, dispatch({message.nlmsg_type: type(message)}), *paths
        )
        gather.feed(data * 2, 0, 2 * len(data))
        for path, column in gather.finish().items():
            assert [*column] == [follow(type(message), message, path)] * 2, path
    assert repr(message).startswith(f"<{record['message']} {type(message).__name__}")


# Records that cannot be made again from their values.
LOSSY = {
    "route of multicast": "RTA_EXPIRES is 64 bits wide here and 32 in other routes",
    "filter cgroup action drop": "an empty TCA_EMATCH_TREE_LIST, which is not written",
}


@pytest.mark.parametrize("record", OWN)
def test_capture_encodes(record: Json) -> None:
    message = parsed(record)
    again = type(message)(**message.to_dict())
    alike = again.to_dict() == message.to_dict() and canonical(again) == canonical(message)
    assert alike is (record["what"] not in LOSSY)


@pytest.mark.parametrize("record", OWN)
def test_replace_keeps(record: Json) -> None:
    """replace() keeps all other bytes."""
    message = parsed(record)
    assert bytes(message.replace()) == bytes(message)
    for name, field in type(message).__table__.names.items():
        if field.number is None and isinstance(getattr(message, name), int):
            assert message.replace(**{name: getattr(message, name)}) == message


def exhaust(data: bytes) -> bool:
    """Read everything in a message in every way. Return whether that succeeded."""
    try:
        for message in netlink.parse(data, FAMILY):
            assert isinstance(message, Message)
            message.to_json()
            repr(message)
            hash(message)
    except DecodeError as error:
        assert str(error)
        return False
    return True


@pytest.mark.parametrize("record", OWN)
def test_every_truncation(record: Json) -> None:
    """A cut message raises DecodeError. A whole message that ends early may also decode."""
    data = bytes.fromhex(record["hex"])
    for length in range(1, len(data)):
        assert not exhaust(data[:length])
    for length in range(NLMSG_HDRLEN, len(data)):
        exhaust(struct.pack("=I", length) + data[4:length])


@pytest.mark.parametrize("record", OWN)
def test_every_corrupted_length(record: Json) -> None:
    """Whatever value a length gets, no read leaves the message."""
    data = bytes.fromhex(record["hex"])
    for offset in range(NLMSG_HDRLEN, len(data) - 1, 4):
        (length,) = struct.unpack_from("=H", data, offset)
        if not NLA_HDRLEN <= length <= len(data) - offset:
            continue
        for length in (0, 3, len(data) - offset + 1, 0xFFFF):
            exhaust(data[:offset] + struct.pack("=H", length) + data[offset + 2 :])
