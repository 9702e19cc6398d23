"""Enums and flags of the kernel: they print as names and stay integers."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from netlink import Message
from netlink import schema as s
from netlink.constants import AF, NLM_F, KernelEnum, KernelFlag, names_of
from netlink.route.link import IF_OPER, IFF, Link


class Mode(KernelEnum):
    MODE_OFF = 0
    MODE_ON = 1


class Bit(KernelFlag):
    BIT_LOW = 1
    BIT_HIGH = 4
    BIT_BOTH = 5  # a name for two bits


class Holder(Message):
    mode: Mode | int | None = s.u8(1, enum=Mode)
    bits: Bit | None = s.u32(2, enum=Bit)


def test_a_link_prints_names() -> None:
    link = Link(flags=IFF.IFF_UP | IFF.IFF_BROADCAST, operstate=IF_OPER.IF_OPER_UP)
    assert f"{link.flags} {link.operstate}" == "IFF_UP|IFF_BROADCAST IF_OPER_UP"
    assert str(link.flags) == "IFF_UP|IFF_BROADCAST"
    assert "{} {}".format(link.flags, link.operstate) == "IFF_UP|IFF_BROADCAST IF_OPER_UP"  # noqa: UP032
    assert "%s %d" % (IF_OPER.IF_OPER_UP, IF_OPER.IF_OPER_UP) == "IF_OPER_UP 6"  # noqa: UP031


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (Mode.MODE_ON, "", "MODE_ON"),
        (Mode.MODE_OFF, "", "MODE_OFF"),
        (Mode.MODE_ON, "s", "MODE_ON"),
        (Mode.MODE_ON, "9", "MODE_ON  "),
        (Mode.MODE_ON, ">9", "  MODE_ON"),
        (Mode.MODE_ON, "*^9", "*MODE_ON*"),
        (Mode.MODE_ON, ".4", "MODE"),
        (Mode.MODE_ON, "d", "1"),
        (Mode.MODE_ON, "#x", "0x1"),
        (Mode.MODE_ON, "03d", "001"),
        (Mode.MODE_ON, ",d", "1"),
        (Mode.MODE_ON, ".1f", "1.0"),
        (Mode.MODE_ON, "n", "1"),
        (Bit.BIT_LOW, "", "BIT_LOW"),
        (Bit.BIT_BOTH, "", "BIT_LOW|BIT_HIGH"),
        (Bit(0), "", "0"),
        (Bit(0), "x", "0"),
        (Bit.BIT_BOTH, ">20", "    BIT_LOW|BIT_HIGH"),
        (Bit.BIT_BOTH, "#06x", "0x0005"),
        (Bit.BIT_BOTH, "b", "101"),
        (Bit(0x80000001), "", "BIT_LOW|0x80000000"),
        (Bit(0x50), "", "0x50"),
    ],
)
def test_format_specifications(value: KernelEnum | KernelFlag, spec: str, text: str) -> None:
    assert format(value, spec) == text


@pytest.mark.parametrize("spec", [",", "+", "#", "-5"])
def test_a_specification_for_numbers_needs_its_type(spec: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        format(Mode.MODE_ON, spec)


def test_names_of() -> None:
    assert names_of(Bit(0)) == []
    assert names_of(Bit.BIT_BOTH) == ["BIT_LOW", "BIT_HIGH"]
    assert names_of(Bit(0x51)) == ["BIT_LOW", 0x50]
    assert names_of(NLM_F(0x305)) == ["NLM_F_REQUEST", "NLM_F_ACK", "NLM_F_ROOT", "NLM_F_MATCH"]


def test_they_stay_integers() -> None:
    number: int = AF.AF_INET
    assert number == 2
    assert Bit.BIT_LOW | 0x40 == 0x41
    assert isinstance(Bit.BIT_LOW | 0x40, Bit)
    assert f"{Bit.BIT_LOW | 0x40}" == "BIT_LOW|0x40"
    assert f"{~Bit.BIT_LOW & Bit.BIT_BOTH}" == "BIT_HIGH"
    assert {2: "x"}[AF.AF_INET] == "x"
    assert int(str(int(IFF.IFF_UP))) == 1
    assert sorted([AF.AF_INET6, AF.AF_INET]) == [2, 10]


def test_json_has_numbers() -> None:
    """json.dumps() writes numbers for subclasses of int. Message.to_json() has the names."""
    assert json.dumps([Mode.MODE_ON, Bit.BIT_BOTH, Bit(0x80000001)]) == "[1, 5, 2147483649]"
    assert json.dumps({Mode.MODE_ON: Bit.BIT_LOW}) == '{"1": 1}'
    assert Holder(mode=1, bits=0x45).to_json() == {
        "mode": "MODE_ON",
        "bits": ["BIT_LOW", "BIT_HIGH", 0x40],
    }


@pytest.mark.parametrize(
    "value", [Mode.MODE_ON, Bit.BIT_LOW, Bit.BIT_BOTH, Bit(0), Bit(0x80000001), Bit(0x50)], ids=str
)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_they_can_be_pickled(value: KernelEnum | KernelFlag, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(value, protocol))
    assert again == value
    assert type(again) is type(value)
    assert str(again) == str(value)
    assert copy.deepcopy(value) == value


def test_an_enum_is_open() -> None:
    """A value without a name reads as an int, and unknown bits are kept."""
    known, unknown = Holder(mode=1), Holder(mode=9, bits=0x44)
    assert type(known.mode) is Mode
    assert type(unknown.mode) is int
    assert f"{unknown.mode} {unknown.bits}" == "9 BIT_HIGH|0x40"
    assert Holder(**unknown.to_dict()) == unknown
    assert repr(unknown) == "<Holder mode=9 bits=BIT_HIGH|0x40>"
    with pytest.raises(ValueError, match="9"):
        Mode(9)
