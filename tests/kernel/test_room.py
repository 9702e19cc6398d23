"""Single requests of many tasks or threads: their answers do not overrun the receive buffer."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from netlink import Connection, aio
from netlink.route import FAMILY as ROUTE
from netlink.route import link

pytestmark = pytest.mark.usefixtures("netns")


@pytest.mark.parametrize("threaded_sends", [False, True])
@pytest.mark.parametrize("rcvbuf", [None, 4096], ids=["default", "smallest"])
def test_many_tasks(threaded_sends: bool, rcvbuf: int | None) -> None:
    async def main() -> None:
        async with aio.Connection(ROUTE, threaded_sends=threaded_sends, rcvbuf=rcvbuf) as nl:
            got = await asyncio.gather(*(nl.do(link.get(index=1)) for _ in range(100)))
            assert [each.ifname for each in got] == ["lo"] * 100
            change = link.set(index=1, txqlen=500)
            assert await asyncio.gather(*(nl.do(change) for _ in range(300))) == [None] * 300
            assert nl.stats.overruns == 0
            assert not nl._engine.is_waiting

    asyncio.run(main())


def test_many_threads() -> None:
    found: list[Any] = []

    def work() -> None:
        for _ in range(20):
            try:
                found.append(nl.do(link.get(index=1)).ifname)
            except Exception as error:
                found.append(error)

    with Connection(ROUTE, rcvbuf=4096) as nl:
        threads = [threading.Thread(target=work) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == ["lo"] * 1280
        assert nl.stats.overruns == 0


def test_a_task_that_is_cancelled_in_the_line_is_never_sent() -> None:
    async def main() -> None:
        async with aio.Connection(ROUTE, rcvbuf=4096) as nl:
            tasks = [asyncio.ensure_future(nl.do(link.get(index=1))) for _ in range(50)]
            await asyncio.sleep(0)
            for task in tasks[1::2]:
                task.cancel()
            got = await asyncio.gather(*tasks[::2])
            assert [each.ifname for each in got] == ["lo"] * 25
            assert nl.stats.overruns == 0

    asyncio.run(main())


def test_pipelines_and_single_requests_do_not_wait_for_each_other() -> None:
    """Each kind has its own measure of the receive buffer: with a common one, a pipeline next to a
    thread of single requests waited a second for every batch."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            nl.do(link.get(index=1))

    with Connection(ROUTE) as nl:
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            outcomes = list(nl.do_many(link.get(index=1) for _ in range(2000)))
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        assert {getattr(each, "ifname", each) for each in outcomes} == {"lo"}
        assert len(outcomes) == 2000
        assert nl.stats.overruns == 0
