"""Both clients behind one interface, so that a test is one for both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import synaptask
from synaptask import AsyncClient, Change, Graph

WAYS = ("sync", "async")


class Driver(Protocol):
    """What tests do with a client, whichever it is."""

    inner: AsyncClient
    graph: Any

    def call(self, event: Any, input: Any = None, **how: Any) -> Any: ...
    def follow(self, **how: Any) -> Any: ...
    def copy(self) -> Graph: ...
    def when_live(self) -> None: ...
    def on_change(self, listener: Callable[[Change], None]) -> None: ...
    def cut(self) -> None: ...
    def suspend(self) -> None: ...
    def resume(self) -> None: ...
    def together(self, event: Any, input: Any, between: Callable[[], None]) -> Any: ...


class _Sync:
    def __init__(self, client: synaptask.Client) -> None:
        self.client, self.inner = client, client._inner
        self.graph: Any = None

    def call(self, event: Any, input: Any = None, **how: Any) -> Any:
        return self.client.call(event, input, **how)

    def follow(self, **how: Any) -> Any:
        self.graph = self.client.follow(strict=True, **how)
        return self.graph

    def copy(self) -> Graph:
        copy: Graph = self.graph.copy()
        return copy

    def when_live(self) -> None:
        self.graph.when_live()

    def on_change(self, listener: Callable[[Change], None]) -> None:
        self.graph.on_change(listener)

    def cut(self) -> None:
        self.client._loop.call(self.inner._connection.cut)

    def suspend(self) -> None:
        self.client.suspend()

    def resume(self) -> None:
        self.client.resume()

    def together(self, event: Any, input: Any, between: Callable[[], None]) -> Any:
        """Asks, does something while no answer has come, and returns the answer."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(self.client.call, event, input)
            while not any(one.is_sent for one in list(self.inner._requests._open)):
                pass
            between()
            return asking.result(60)


class _Async:
    """Its loop runs only while it is asked something."""

    def __init__(self, runner: Any, inner: AsyncClient) -> None:
        self.runner, self.inner = runner, inner
        self.graph: Any = None

    def run(self, awaiting: Any) -> Any:
        async def bounded() -> Any:
            return await asyncio.wait_for(awaiting, 60)

        return self.runner(bounded())

    def call(self, event: Any, input: Any = None, **how: Any) -> Any:
        return self.run(self.inner.call(event, input, **how))

    def follow(self, **how: Any) -> Any:
        self.graph = self.run(self.inner.follow(strict=True, **how))
        return self.graph

    def copy(self) -> Graph:
        copy: Graph = self.graph.copy()
        return copy

    def when_live(self) -> None:
        self.run(self.graph.when_live())

    def on_change(self, listener: Callable[[Change], None]) -> None:
        self.graph.on_change(listener)

    def cut(self) -> None:
        async def cutting() -> None:
            self.inner._connection.cut()

        self.run(cutting())

    def suspend(self) -> None:
        self.run(self.inner.suspend())

    def resume(self) -> None:
        async def resuming() -> None:
            self.inner.resume()

        self.run(resuming())

    def together(self, event: Any, input: Any, between: Callable[[], None]) -> Any:
        async def both() -> Any:
            asking = asyncio.ensure_future(self.inner.call(event, input))
            while not any(one.is_sent for one in self.inner._requests._open):
                await asyncio.sleep(0)
            await asyncio.sleep(0.01)
            await asyncio.get_running_loop().run_in_executor(None, between)
            return await asking

        return self.run(both())


@contextmanager
def opened(way: str, url: str, token: str, **how: Any) -> Iterator[Driver]:
    if way == "sync":
        with synaptask.connect(url, token=token, **how) as client:
            yield _Sync(client)
        return
    loop = asyncio.new_event_loop()
    try:
        inner = AsyncClient(url, token=token, **how)
        loop.run_until_complete(inner.connect())
        try:
            yield _Async(loop.run_until_complete, inner)
        finally:
            loop.run_until_complete(inner.close())
            left = asyncio.all_tasks(loop)
            assert not left, left
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
