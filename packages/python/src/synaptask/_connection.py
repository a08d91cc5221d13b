"""A connection over Socket.IO that comes back by itself, until it is closed or the server refuses the caller."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import engineio.payload
import socketio

from ._address import Address
from ._backoff import backoff_s
from .errors import Refusal

# For one handshake, and for the server's word on the caller after it.
CONNECT_S_MAX = 10.0
# For saying goodbye; then the connection is dropped.
CLOSE_S_MAX = 1.0

Callback = Callable[[object], None]


@dataclass(frozen=True)
class ConnectionEvents:
    welcomed: Callable[[dict[str, object]], None]
    """The server has accepted the connection. Nothing else has come over it yet."""
    heard: Callable[[str, object], None]
    lost: Callable[[str], None]
    """The connection broke, or could not be made; it is made again."""
    refused: Callable[[Refusal], None]
    """The server refuses the caller. It is not asked again."""


class _Ended(Exception):
    """One connection is over; `pause_s` seconds later the next may begin, or by the usual backoff if None."""

    def __init__(self, why: str, pause_s: float | None = None, refusal: Refusal | None = None) -> None:
        super().__init__(why)
        self.pause_s = pause_s
        self.refusal = refusal


class Connection:
    def __init__(self, address: Address, transports: Sequence[str] | None, events: ConnectionEvents) -> None:
        self._address = address
        self._transports = None if transports is None else list(transports)
        self._events = events
        self._outgoing: asyncio.Queue[tuple[str, Mapping[str, object], Callback | None]] | None = None
        self._over: asyncio.Future[None] | None = None
        self._nth = 0

    @property
    def is_welcome(self) -> bool:
        """Whether the server has accepted the connection, and it holds."""
        return self._outgoing is not None

    def emit(self, event: str, payload: Mapping[str, object], callback: Callback | None = None) -> None:
        """Sends, in the order of the calls; nothing happens while there is no connection."""
        if self._outgoing is not None:
            self._outgoing.put_nowait((event, payload, callback))

    def cut(self) -> None:
        """Drops the connection without a goodbye, as a network does. It is made again."""
        if self._over is not None and not self._over.done():
            self._over.set_exception(_Ended("cut", 0.0))

    async def run(self) -> None:
        """Connects, again and again, until the server refuses the caller or this is cancelled."""
        while True:
            try:
                await self._once()
            except _Ended as ended:
                if ended.refusal is not None:
                    return self._events.refused(ended.refusal)
                self._events.lost(str(ended))
                pause_s = backoff_s(self._nth) if ended.pause_s is None else ended.pause_s
                self._nth += 1
                await asyncio.sleep(pause_s)

    async def _once(self) -> None:
        """One connection, from its beginning to its end."""
        over = self._over = asyncio.get_running_loop().create_future()
        welcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        outgoing: asyncio.Queue[tuple[str, Mapping[str, object], Callback | None]] = asyncio.Queue()

        def end(ended: _Ended) -> None:
            if not over.done():
                over.set_exception(ended)

        def connected(answer: dict[str, object]) -> None:
            if over.done():
                return
            if answer.get("ok") is not True:
                return end(_turned_down(answer))
            self._nth = 0
            self._outgoing = outgoing
            welcome.set_result(None)
            self._events.welcomed(answer)

        def heard(event: str, payload: object = None, *_: object) -> None:
            if not over.done():
                self._events.heard(event, payload)

        # Its own session carries the credentials, and closing it drops whatever is left of the connection.
        http = aiohttp.ClientSession(headers=self._address.headers, cookie_jar=aiohttp.DummyCookieJar(), trust_env=True)
        sio = socketio.AsyncClient(
            reconnection=False,
            handle_sigint=False,
            http_session=http,
            request_timeout=CONNECT_S_MAX,
            # A page may be larger than what aiohttp takes by default.
            websocket_extra_options={"max_msg_size": 0},
        )
        sio.on("connected", connected)
        sio.on("*", heard)
        sio.on("disconnect", lambda reason="": end(_Ended(f"disconnected: {reason}")))
        sending: asyncio.Task[None] | None = None
        try:
            await self._handshake(sio, http)
            sio.eio.read_loop_task.add_done_callback(lambda _: end(_Ended("the connection broke")))
            await asyncio.wait({over, welcome}, timeout=CONNECT_S_MAX, return_when=asyncio.FIRST_COMPLETED)
            if not over.done() and not welcome.done():
                raise _Ended(f"the server does not say whether it accepts the caller in {CONNECT_S_MAX:g} s")
            sending = asyncio.create_task(_send(sio, outgoing))
            await over
        finally:
            if not over.done():
                over.cancel()
            elif not over.cancelled():
                over.exception()
            self._outgoing = None
            self._over = None
            if sending is not None:
                sending.cancel()
            await _surely(_dispose(sio, http, politely=over.cancelled()))

    async def _handshake(self, sio: Any, http: aiohttp.ClientSession) -> None:
        polls = self._transports is None or "polling" in self._transports
        if polls:
            # What waits while a poll is under way comes at once, and is more than the library takes by default.
            payload = engineio.payload.Payload
            payload.max_decode_packets = max(payload.max_decode_packets, 1 << 20)
        path = f"{self._address.base}/socket.io".lstrip("/")
        connecting: asyncio.Future[None] = asyncio.ensure_future(
            sio.connect(self._address.origin, transports=self._transports, socketio_path=path, wait=False)
        )
        try:
            await asyncio.wait({connecting}, timeout=CONNECT_S_MAX)
        finally:
            if not connecting.done():
                await _surely(_end_handshake(connecting, http))
        if connecting.cancelled():
            raise _Ended(f"no handshake in {CONNECT_S_MAX:g} s")
        error = connecting.exception()
        if error is not None:
            raise _Ended(f"cannot connect: {str(error) or type(error).__name__}", _retry_after(error)) from error


async def _end_handshake(connecting: asyncio.Future[None], http: aiohttp.ClientSession) -> None:
    """Ends a handshake by closing its connections, so that it cleans up after itself; cancelled it would not."""
    await http.close()
    _, left = await asyncio.wait({connecting}, timeout=CLOSE_S_MAX)
    if left:
        connecting.cancel()
        await asyncio.wait(left)
    if not connecting.cancelled():
        connecting.exception()


async def _send(sio: Any, outgoing: asyncio.Queue[tuple[str, Mapping[str, object], Callback | None]]) -> None:
    while True:
        event, payload, callback = await outgoing.get()
        with contextlib.suppress(socketio.exceptions.SocketIOError):
            await sio.emit(event, payload, callback=callback)


async def _dispose(sio: Any, http: aiohttp.ClientSession, *, politely: bool) -> None:
    """Leaves nothing of a connection behind, whatever state it is in."""
    if politely:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(sio.disconnect(), CLOSE_S_MAX)
    left = {task for task in (sio.eio.read_loop_task, sio.eio.write_loop_task) if task is not None}
    while left:
        # More than once: before Python 3.12 `wait_for`, in the loops of the library, can lose what cancels it.
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.1)
    with contextlib.suppress(Exception):
        await asyncio.wait_for(sio.eio.disconnect(abort=True), CLOSE_S_MAX)
    with contextlib.suppress(ValueError):
        engineio.base_client.connected_clients.remove(sio.eio)
    await http.close()


async def _surely(doing: Coroutine[Any, Any, None]) -> None:
    """Does it to its end, also when it is cancelled meanwhile."""
    task = asyncio.ensure_future(doing)
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            is_cancelled = True
    task.result()
    if is_cancelled:
        raise asyncio.CancelledError


def _turned_down(answer: Mapping[str, object]) -> _Ended:
    refusal = Refusal("connected", answer)
    if refusal.is_passing:
        return _Ended(str(refusal), 1.0 if refusal.retry_after is None else refusal.retry_after)
    return _Ended(str(refusal), refusal=refusal)


def _retry_after(error: BaseException | None) -> float | None:
    """The seconds that a handshake over a limit was told to wait (SPEC.md R14)."""
    while error is not None:
        if isinstance(error, aiohttp.WSServerHandshakeError) and error.headers is not None:
            with contextlib.suppress(ValueError):
                return float(error.headers.get("Retry-After", ""))
        if len(error.args) > 1 and isinstance(error.args[1], dict):
            seconds = error.args[1].get("retryAfter")
            if isinstance(seconds, (int, float)):
                return float(seconds)
        error = error.__cause__ or error.__context__
    return None
