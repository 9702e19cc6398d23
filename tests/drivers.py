"""Both connections with the same blocking interface, so that one test can check both.

A test that is decorated with `@BOTH` has a parameter `connect`. It runs once with
netlink.Connection, and once with netlink.aio.Connection, whose calls a private event loop executes.
This file contains no test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from netlink import Connection, Family, aio

T = TypeVar("T")

# With a scripted kernel, a blocking events() without a timeout ends when nothing is left to
# receive. asyncio would wait for ever, so it gets this timeout in seconds instead.
PATIENCE = 0.02


class Looped:
    """An object of netlink.aio that looks like its blocking twin: a loop runs each call."""

    def __init__(self, inner: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.inner = inner
        self.loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        return self._called(found) if callable(found) else found

    def _called(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            async def inside() -> Any:
                result = function(*args, **kwargs)
                return await result if isinstance(result, Awaitable) else result

            return self._wrapped(self._run(inside()))

        return call

    def _run(self, awaitable: Any) -> Any:
        return self.loop.run_until_complete(awaitable)

    def _wrapped(self, result: Any) -> Any:
        if isinstance(result, aio.Reply | aio.Subscription | aio.Follower | aio.Mirror):
            return Looped(result, self.loop)
        return self._stream(result) if hasattr(result, "__anext__") else result

    def _stream(self, stream: Any) -> Iterator[Any]:
        async def step() -> Any:
            return await anext(stream)

        try:
            while True:
                try:
                    item = self._run(step())
                except StopAsyncIteration:
                    return
                yield item
        finally:
            if hasattr(stream, "aclose"):
                self._run(stream.aclose())

    def events(self, timeout: float | None = None) -> Iterator[Any]:
        """Yield events as a blocking connection does over a scripted kernel."""
        return self._stream(self.inner.events(PATIENCE if timeout is None else timeout))

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.inner, aio.Subscription):
            return self.events()
        return self._stream(aiter(self.inner))

    def __enter__(self) -> Looped:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        async def close() -> None:
            result = self.inner.close()
            if result is not None:
                await result

        self._run(close())

    def __repr__(self) -> str:
        return repr(self.inner)


def blocking(*families: Family, **options: Any) -> Any:
    """Open a blocking connection."""
    return Connection(*families, **options)


LOOPS: list[asyncio.AbstractEventLoop] = []  # those that the current test has made


def close_loops() -> None:
    """Close the loops of a test. The garbage collector would do it during another test."""
    while LOOPS:
        LOOPS.pop().close()


class LoopedConnection(Looped):
    """An asyncio connection and its own event loop, which close_loops() closes."""

    def __init__(self, *families: Family, **options: Any) -> None:
        super().__init__(None, asyncio.new_event_loop())
        LOOPS.append(self.loop)

        async def make() -> Any:
            return aio.Connection(*families, **options)

        self.inner = self._run(make())


def looped(*families: Family, **options: Any) -> Any:
    """Open an asyncio connection."""
    return LoopedConnection(*families, **options)


Connect = Callable[..., Any]
BOTH = pytest.mark.parametrize("connect", [blocking, looped], ids=["blocking", "asyncio"])
