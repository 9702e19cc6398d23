"""The asyncio connection, talking to the live kernel, under asyncio and uvloop."""

import asyncio
import errno
import gc
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import IPv4Address
from typing import Any

import pytest

from netlink import Connection as Blocking
from netlink import KernelError, Op, Overrun
from netlink.aio import Connection
from netlink.constants import AF
from netlink.family import Request
from netlink.route import FAMILY, addr, link, route
from netlink.route.rtnetlink import RT_SCOPE, RT_TABLE, RTN, RTPROT

LO = 1
MANY = 5_000  # routes: their dump does not fit into the receive buffer
FIRST = IPv4Address("10.0.0.0")

Run = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def go(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        factory = None
        if request.param == "uvloop":
            factory = pytest.importorskip("uvloop").new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main())

    return go


@pytest.fixture(params=[False, True], ids=["direct", "threaded"])
def threaded(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def new_route(number: int) -> Request[Any, route.Route]:
    return route.new(
        family=AF.AF_INET,
        dst=FIRST + number,
        dst_len=32,
        rtm_table=RT_TABLE.RT_TABLE_MAIN,
        protocol=RTPROT.RTPROT_STATIC,
        scope=RT_SCOPE.RT_SCOPE_LINK,
        type=RTN.RTN_UNICAST,
        oif=LO,
    )


def main_routes() -> Request[Any, route.Route]:
    main = RT_TABLE.RT_TABLE_MAIN
    return route.get(family=AF.AF_INET, rtm_table=main, table=main)


def make_routes(count: int, first: int = 0) -> None:
    with Blocking(FAMILY) as other:
        many = (new_route(number) for number in range(first, first + count))
        assert not any(other.do_many(many))


async def name_of(nl: Connection, index: int) -> str | None:
    found = await nl.do(link.get(index=index))
    return found.ifname if found is not None else None


def test_a_cancelled_dump_then_a_request(run: Run, threaded: bool) -> None:
    make_routes(MANY)

    async def main() -> None:
        async with Connection(FAMILY, timeout=30, threaded_sends=threaded) as nl:
            for turns in (1, 2, 3, 5, 8):
                started = asyncio.Event()

                async def read(started: asyncio.Event) -> None:
                    async for _ in nl.dump(main_routes()):
                        started.set()

                task = asyncio.ensure_future(read(started))
                if turns > 2:
                    await started.wait()
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                assert await name_of(nl, LO) == "lo"
                with pytest.raises(KernelError) as refused:
                    await nl.do(link.get(ifname="nothere"))
                assert refused.value.errno == errno.ENODEV
            found = [entry.dst async for entry in nl.dump(main_routes())]
            assert found == [FIRST + number for number in range(MANY)]
            table = await nl.dump(main_routes()).columns("dst")
            assert [*table["dst"]] == found

    run(main)


def test_outcomes_with_failures_at_known_places(run: Run, threaded: bool) -> None:
    wrong = (7, 1234, MANY - 1)

    async def requests() -> AsyncIterator[Request[Any, route.Route]]:
        for number in range(MANY):
            yield new_route(number - 1 if number in wrong else number)  # EEXIST

    async def main() -> None:
        async with Connection(FAMILY, timeout=30, threaded_sends=threaded) as nl:
            for ack_last in (False, True):
                failed = {}
                position = 0
                async for outcome in nl.do_many(requests(), ack_last=ack_last):
                    if outcome is not None:
                        assert isinstance(outcome, KernelError)
                        failed[outcome.index] = outcome.errno
                        assert outcome.index == position
                    position += 1
                assert position == MANY
                assert failed == dict.fromkeys(wrong, errno.EEXIST)
                routes = [entry async for entry in nl.dump(main_routes())]
                assert len(routes) == MANY - len(wrong)
                gone = nl.do_many(route.delete(
                    family=AF.AF_INET, dst=entry.dst, dst_len=32, scope=entry.scope,
                    rtm_table=RT_TABLE.RT_TABLE_MAIN,
                ) for entry in routes)  # fmt: skip
                assert [outcome async for outcome in gone if outcome is not None] == []

    run(main)


def test_tasks_share_a_connection(run: Run, threaded: bool) -> None:
    make_routes(MANY)

    async def main() -> None:
        async with Connection(FAMILY, timeout=30, threaded_sends=threaded) as nl:

            async def ask(name: str) -> None:
                for _ in range(20):
                    if name == "lo":
                        assert await name_of(nl, LO) == "lo"
                    else:
                        with pytest.raises(KernelError):
                            await nl.do(link.get(ifname=name))

            async def count() -> int:
                return len([entry async for entry in nl.dump(main_routes())])

            counted = await asyncio.gather(
                count(), count(), *(ask("lo") for _ in range(5)), *(ask("no") for _ in range(5))
            )
            assert counted[:2] == [MANY, MANY]
            assert nl.stats.late == 0

    run(main)


@pytest.mark.parametrize("op", [link.set, link.get])
def test_pipelines_of_eight_tasks_share_the_receive_buffer(
    run: Run, threaded: bool, op: Op[..., Any, Any]
) -> None:
    async def main() -> None:
        async with Connection(FAMILY, timeout=30, threaded_sends=threaded) as nl:

            async def work() -> int:
                made = (op(index=LO) for _ in range(1000))
                return len([each async for each in nl.do_many(made)])

            assert await asyncio.gather(*(work() for _ in range(8))) == [1000] * 8
            assert nl.stats.overruns == nl.stats.late == 0

    run(main)


def test_messages_after_acknowledgements_fit_into_the_receive_buffer(run: Run) -> None:
    async def main() -> None:
        async with Connection(FAMILY, rcvbuf=1 << 20, timeout=30) as nl:
            requests = [*[link.set(index=LO, mtu=1500)] * 100, *[link.get(index=LO)] * 3000]
            assert len([each async for each in nl.do_many(requests)]) == 3100
            assert nl.stats.overruns == 0

    run(main)


def test_events(run: Run) -> None:
    async def main() -> None:
        async with Connection(FAMILY, timeout=30) as nl, Connection(FAMILY, timeout=30) as other:
            await nl.join("ipv4-route", "ipv4-ifaddr")
            events = nl.events(timeout=20)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(events)
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            for number in range(100):
                await other.do(new_route(number))
            got = [await waiting] + [await anext(events) for _ in range(99)]
            assert [getattr(event, "dst", None) for event in got] == [FIRST + n for n in range(100)]
            new_address = addr.new(family=AF.AF_INET, prefixlen=32, index=LO, local="10.9.9.9")
            await other.do(new_address)
            event = await anext(events)
            assert isinstance(event, addr.Address) and str(event.local) == "10.9.9.9"
            assert nl.stats.overruns == 0

    run(main)


def test_an_overrun(run: Run, threaded: bool) -> None:
    async def main() -> None:
        async with Connection(FAMILY, rcvbuf=4096, timeout=30, threaded_sends=threaded) as nl:
            await nl.join("ipv4-route")
            make_routes(200)
            with pytest.raises(Overrun):
                await name_of(nl, LO)
            assert await name_of(nl, LO) == "lo"
            assert len([entry async for entry in nl.dump(main_routes())]) == 200
            make_routes(1, first=1000)
            kept = [getattr(event, "dst", None) async for event in nl.events(timeout=0.5)]
            lost = kept.index(None)
            assert kept == [*(FIRST + n for n in range(lost)), None, FIRST + 1000]
            assert nl.stats.overruns == 1

    run(main)


def test_close_wakes_who_waits(run: Run) -> None:
    async def main() -> None:
        nl = Connection(FAMILY)
        await nl.join("link")
        task = asyncio.ensure_future(anext(nl.events()))
        await asyncio.sleep(0.01)
        nl.close()
        with pytest.raises(OSError, match="socket is closed") as caught:
            async with asyncio.timeout(5):
                await task
        assert caught.value.errno == errno.EBADF

    run(main)


def open_files() -> Counter[str]:
    """How many descriptors there are of each kind, but for the one that looks."""
    links = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
    return Counter(os.readlink(link).partition(":")[0] for link in links if os.path.islink(link))


def test_nothing_is_left_of_500_connections(run: Run, threaded: bool) -> None:
    async def main() -> None:
        async def once() -> None:
            async with Connection(FAMILY, timeout=30, threaded_sends=threaded) as nl:
                await nl.join("link")
                assert await name_of(nl, LO) == "lo"
                task = asyncio.ensure_future(anext(nl.events()))
                await asyncio.sleep(0)
            with pytest.raises(OSError, match="socket is closed"):
                await task

        async def descriptors() -> Counter[str]:
            # A socket is closed when the thread that sends has left it: here it has.
            await asyncio.get_running_loop().run_in_executor(None, int)
            return open_files()

        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        await once()
        gc.collect()  # what earlier tests left
        before = await descriptors()
        for _ in range(500):
            await once()
        assert await descriptors() == before
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main)
