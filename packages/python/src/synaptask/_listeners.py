"""Who is told of something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic

from typing_extensions import ParamSpec

P = ParamSpec("P")


class Listeners(Generic[P]):
    """What a listener raises goes to the exception handler of the event loop: it ends neither the connection nor the
    telling of others."""

    def __init__(self) -> None:
        self._listeners: dict[object, Callable[P, object]] = {}

    def add(self, listener: Callable[P, object]) -> Callable[[], None]:
        """Returns what lets go of the listener."""
        key = object()
        self._listeners[key] = listener
        return lambda: void(self._listeners.pop(key, None))

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        for listener in list(self._listeners.values()):
            try:
                listener(*args, **kwargs)
            except Exception as error:
                context = {"message": "a listener of synaptask raised", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)


def void(_: object) -> None:
    """Drops a value."""
