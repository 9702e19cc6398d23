"""Transactions of nf_tables, with the live kernel as judge.

What is declared here is as much of nf_tables as that takes (linux/netfilter/nf_tables.h).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import pytest

from netlink import Connection, Family, KernelError, Message, Op, Request
from netlink import schema as s
from netlink.constants import NETLINK, NLM_F

NFNL_SUBSYS_NFTABLES = 10
NFPROTO_INET = 1


class NFT_MSG(IntEnum):
    NFNL_MSG_BATCH_BEGIN = 16
    NFNL_MSG_BATCH_END = 17
    NFT_MSG_NEWTABLE = 0x0A00
    NFT_MSG_GETTABLE = 0x0A01
    NFT_MSG_NEWCHAIN = 0x0A03
    NFT_MSG_GETCHAIN = 0x0A04


class nfgenmsg(Message):
    nfgen_family: int = s.u8()
    version: int = s.u8()
    res_id: int = s.be16()


class Begin(nfgenmsg):
    genid: int | None = s.be32(1)


class Table(nfgenmsg):
    name: str | None = s.string(1)
    flags: int | None = s.be32(2)


class Chain(nfgenmsg):
    table: str | None = s.string(1)
    handle: int | None = s.be64(2)
    name: str | None = s.string(3)


CREATE = NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL
begin = Op("batch.begin", NFT_MSG.NFNL_MSG_BATCH_BEGIN, Begin, bracket=1)
end = Op("batch.end", NFT_MSG.NFNL_MSG_BATCH_END, nfgenmsg, bracket=-1)
new_table = Op("table.new", NFT_MSG.NFT_MSG_NEWTABLE, Table, flags=CREATE)
get_table = Op("table.get", NFT_MSG.NFT_MSG_GETTABLE, Table, answer="one")
new_chain = Op("chain.new", NFT_MSG.NFT_MSG_NEWCHAIN, Chain, flags=CREATE)
get_chain = Op("chain.get", NFT_MSG.NFT_MSG_GETCHAIN, Chain, answer="one")
FAMILY = Family(
    "nftables",
    protocol=NETLINK.NETLINK_NETFILTER,
    ops=(begin, end, new_table, get_table, new_chain, get_chain),
    types=NFT_MSG,
)


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(FAMILY, rcvbuf=1 << 20, timeout=30) as connection:
        try:
            connection.dump(get_table(nfgen_family=NFPROTO_INET)).all()
        except KernelError as error:
            pytest.skip(f"the kernel has no nf_tables: {error}")
        yield connection


def whole(*requests: Request[Any, Any]) -> Iterator[Request[Any, Any]]:
    yield begin(res_id=NFNL_SUBSYS_NFTABLES)
    yield from requests
    yield end(res_id=NFNL_SUBSYS_NFTABLES)


def table(name: str) -> Request[Any, Any]:
    return new_table(nfgen_family=NFPROTO_INET, name=name)


def chain(name: str, table: str = "t") -> Request[Any, Any]:
    return new_chain(nfgen_family=NFPROTO_INET, table=table, name=name)


def tables(nl: Connection) -> set[str | None]:
    return {each.name for each in nl.dump(get_table(nfgen_family=NFPROTO_INET))}


def chains(nl: Connection) -> list[str | None]:
    return [each.name for each in nl.dump(get_chain(nfgen_family=NFPROTO_INET))]


@pytest.mark.parametrize("ack_last", [False, True])
@pytest.mark.parametrize("window", [None, 3, 600])
def test_a_batch_is_done_as_a_whole(nl: Connection, ack_last: bool, window: int | None) -> None:
    names = [f"c{i}" for i in range(3000)]  # more than the window, and than a send's 64 KiB
    requests = whole(table("t"), *map(chain, names))
    outcomes = list(nl.do_many(requests, ack_last=ack_last, window=window))
    assert outcomes == [None] * 3003
    assert sorted(map(str, chains(nl))) == sorted(names)


@pytest.mark.parametrize("ack_last", [False, True])
def test_a_refusal_undoes_the_batch(nl: Connection, ack_last: bool) -> None:
    assert list(nl.do_many(whole(table("t")))) == [None] * 3
    outcomes = list(
        nl.do_many(whole(table("u"), chain("a"), chain("b", "none"), chain("c")), ack_last=ack_last)
    )
    assert [outcome is None for outcome in outcomes] == [True, True, True, False, True, True]
    error = outcomes[3]
    assert isinstance(error, KernelError)
    assert (error.errno, error.index, error.path) == (errno.ENOENT, 3, "table")
    assert tables(nl) == {"t"}
    assert chains(nl) == []


def test_batches_one_after_the_other_stand_for_themselves(nl: Connection) -> None:
    def requests() -> Iterator[Request[Any, Any]]:
        for number in range(40):
            names = (f"t{number}", f"t{number}" if number == 7 else f"u{number}")
            yield from whole(*map(table, names))

    outcomes = list(nl.do_many(requests(), ack_last=True))
    assert len(outcomes) == 160
    [failed] = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(failed, KernelError)
    assert failed.index == 4 * 7 + 2
    assert len(tables(nl)) == 78


def test_a_batch_that_is_refused_as_a_whole(nl: Connection) -> None:
    """The generation is outdated, so the kernel answers only the opening bracket."""

    requests = list(whole(table("t"), chain("a")))
    requests[0] = begin(res_id=NFNL_SUBSYS_NFTABLES, genid=0xFFFF)
    outcomes = list(nl.do_many(requests))
    assert [getattr(outcome, "errno", None) for outcome in outcomes] == [
        errno.ERESTART, errno.ERESTART, errno.ERESTART, None]  # fmt: skip
    assert tables(nl) == set()


def test_a_batch_without_its_end_is_checked_and_undone(nl: Connection) -> None:
    requests = list(whole(table("t"), chain("a")))[:-1]
    assert list(nl.do_many(requests)) == [None] * 3
    assert tables(nl) == set()
