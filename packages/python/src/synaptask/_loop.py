"""A thread that runs an event loop, for clients that have none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .errors import ConnectionLost

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for other threads. Nothing of it is left after `stop`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="synaptask", daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        return threading.current_thread() is self._thread

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine on the loop and waits for it; an interrupted wait cancels it."""
        if self.is_current:
            coroutine.close()
            raise RuntimeError("a client cannot wait for itself in its own thread")
        with self._lock:
            if self._is_stopped:
                coroutine.close()
                raise ConnectionLost("the client is closed")
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[[], T]) -> T:
        """Calls a function on the loop, between all else that happens there."""

        async def calling() -> T:
            return function()

        return self.run(calling())

    def soon(self, function: Callable[[], object]) -> None:
        """Calls a function on the loop, and does not wait for it."""
        with self._lock:
            if not self._is_stopped:
                self._loop.call_soon_threadsafe(function)

    def stop(self) -> None:
        with self._lock:
            if self._is_stopped:
                return
            self._is_stopped = True
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            # Names of hosts are looked up in threads.
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            self._loop.close()
