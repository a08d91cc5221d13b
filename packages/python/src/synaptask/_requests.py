"""The requests on one connection, in order, until they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ._ways import opened
from .errors import ConnectionLost, Refusal

# A request that the connection is lost with so often may be the reason: a message that is too large closes it (SPEC.md R9).
LOSSES_MAX = 8

Answer = dict[str, object]
Emit = Callable[[str, Mapping[str, object], Callable[[object], None]], None]


@dataclass(eq=False)
class _Request:
    event: str
    payload: Mapping[str, object]
    # Whether it is sent again when the connection was lost before an answer came.
    lasts: bool
    wait: bool
    # Called with the answer at its place in what the connection brings, unless it was given up.
    take: Callable[[Answer], None] | None
    answered: asyncio.Future[Answer]
    is_sent: bool = False
    losses: int = 0
    # Running while the server has asked to wait.
    pause: asyncio.TimerHandle | None = None


class Requests:
    """What is unanswered when the connection is lost is sent again.

    `on_answer` is called with every answer at its place in what the connection brings, also when nobody waits for it
    any more.
    """

    def __init__(self, emit: Emit, on_answer: Callable[[str, Answer], None]) -> None:
        self._emit = emit
        self._on_answer = on_answer
        self._open: dict[_Request, None] = {}
        self.is_connected = False

    async def ask(
        self,
        event: str,
        payload: Mapping[str, object],
        *,
        timeout: float,
        wait: bool = False,
        lasts: bool = True,
        take: Callable[[Answer], None] | None = None,
    ) -> Answer:
        if not lasts and not self.is_connected:
            raise ConnectionLost(f"{event}: not connected")
        loop = asyncio.get_running_loop()
        request = _Request(event, payload, lasts, wait, take, loop.create_future())
        self._open[request] = None
        late = ConnectionLost(f"{event}: no answer in {timeout:g} s")
        timer = loop.call_later(timeout, _fail, request, late)
        try:
            if self.is_connected:
                self._send(request)
            return await request.answered
        finally:
            timer.cancel()
            del self._open[request]
            if request.pause is not None:
                request.pause.cancel()

    def send_again(self) -> None:
        """The connection is there again: what is unanswered is sent once more, in order."""
        for request in list(self._open):
            if not request.is_sent and request.pause is None and not request.answered.done():
                self._send(request)

    def lost(self) -> None:
        """The connection is gone."""
        self.is_connected = False
        for request in self._open:
            request.losses += request.is_sent
            request.is_sent = False
            if request.losses == LOSSES_MAX:
                _fail(request, ConnectionLost(f"{request.event}: the connection was lost {LOSSES_MAX} times over it"))
            if not request.lasts:
                _fail(request, ConnectionLost(f"{request.event}: the connection was lost before an answer came"))

    def end(self, error: Exception) -> None:
        """No answer will come any more."""
        self.is_connected = False
        for request in self._open:
            _fail(request, error)

    def _send(self, request: _Request) -> None:
        request.is_sent = True
        self._emit(request.event, request.payload, lambda answer: self._answered(request, answer))

    def _answered(self, request: _Request, answer: object) -> None:
        if isinstance(answer, dict):
            self._on_answer(request.event, answer)
        if request.answered.done():
            return
        try:
            opening = opened(request.event, answer)
            if request.take is not None:
                request.take(opening)
        except Refusal as refusal:
            self._refused(request, refusal)
        except Exception as error:  # of a strict replica
            _fail(request, error)
        else:
            request.answered.set_result(opening)

    def _refused(self, request: _Request, refusal: Refusal) -> None:
        if not request.wait or refusal.retry_after is None:
            return _fail(request, refusal)
        request.is_sent = False

        def again() -> None:
            request.pause = None
            if self.is_connected and not request.answered.done():
                self._send(request)

        request.pause = asyncio.get_running_loop().call_later(refusal.retry_after, again)


def _fail(request: _Request, error: Exception) -> None:
    if not request.answered.done():
        request.answered.set_exception(error)
