"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, cast

from ._address import Address
from ._connection import Connection, ConnectionEvents
from ._generated import AsyncOperations, Diff, RelayName
from ._listeners import Listeners
from ._live import AsyncLiveGraph, Load
from ._requests import Answer, Requests
from ._rest import RestCalls
from ._ways import named, way_of
from .errors import ConnectionLost, Refusal

State = Literal["connecting", "connected", "suspended", "closed"]
"""`connecting`: for the first time or again; `suspended`: until it is resumed; `closed`: for good."""

TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 20.0


class AsyncRest(AsyncOperations):
    """All operations over REST alone: without a connection that stays, and without the live view. Without a token it
    reads what is public."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        session: str | None = None,
        wait: bool = False,
        timeout: float = TIMEOUT_S,
    ) -> None:
        self._rest = RestCalls(Address(url, token, session), wait=wait, timeout=timeout)

    async def _send(self, event: str, input: Mapping[str, object], wait: bool | None, timeout: float | None) -> object:
        return await self._rest.send(event, input, wait=wait, timeout=timeout)

    def _tell(self, event: str, input: Mapping[str, object]) -> None:
        raise ValueError(f"{event} goes over a connection alone")

    def _on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        raise ValueError("events come over a connection alone")

    async def close(self) -> None:
        """Closes the HTTP connections."""
        await self._rest.close()

    async def __aenter__(self) -> AsyncRest:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class AsyncClient(AsyncOperations):
    """A connection to a SynapTask server: every operation as a method, and the live graph.

        async with AsyncClient("http://127.0.0.1:7411", token=token) as client:
            answer = await client.node_add(title="Sand the fence")

    Mutations are named by a `batchId`, the caller's or a new one, are sent again after a lost connection until they are
    answered, and are carried out once.

    `token` is an API token; `session` the value of the cookie `st_access`. `wait`: calls wait and ask again when the
    server says after how many seconds to, instead of raising a Refusal with `retry_after`. `timeout`: seconds in which a
    call must be answered, lost connections included. `connect_timeout`: seconds that the first connection may take; later
    ones are tried until the client is closed. `transports`: by default polling, then websocket if that works.
    `on_message` is told the kind (`answer` or `event`), the operation or event, and the payload of every message.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        session: str | None = None,
        wait: bool = False,
        timeout: float = TIMEOUT_S,
        connect_timeout: float = CONNECT_TIMEOUT_S,
        transports: Sequence[Literal["websocket", "polling"]] | None = None,
        on_message: Callable[[str, str, object], None] | None = None,
    ) -> None:
        address = Address(url, token, session)
        self._wait, self._timeout, self._connect_timeout = wait, timeout, connect_timeout
        self._on_message = on_message
        self._rest = RestCalls(address, wait=wait, timeout=timeout)
        events = ConnectionEvents(self._welcomed, self._heard, self._lost, self._end)
        self._connection = Connection(address, transports, events)
        self._requests = Requests(self._connection.emit, self._answered)
        self._states: Listeners[[State, Exception | None]] = Listeners()
        self._listeners: dict[str, Listeners[[object]]] = {}
        self._running: asyncio.Task[None] | None = None
        self._graph: AsyncLiveGraph | None = None
        self._state: State = "connecting"
        self._why: Exception | None = None
        self._uid = ""

    async def connect(self) -> AsyncClient:
        """Connects; returns when the server has accepted the connection. Entering the client does it.

        Raises Refusal if the server refuses the caller, ConnectionLost if it cannot be reached in time.
        """
        if self._running is not None or self._state != "connecting":
            raise RuntimeError("the client has been connected already")
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def tell(state: State, why: Exception | None) -> None:
            if settled.done():
                return
            if state == "connected":
                settled.set_result(None)
            elif why is not None and state == "closed":
                settled.set_exception(why)

        off = self._states.add(tell)
        self._start()
        try:
            await asyncio.wait_for(settled, self._connect_timeout)
        except asyncio.TimeoutError:
            why = self._why
            await self.close()
            raise ConnectionLost(f"not connected in {self._connect_timeout:g} s: {why or 'no answer'}") from why
        except BaseException:
            await self.close()
            raise
        finally:
            off()
        return self

    async def __aenter__(self) -> AsyncClient:
        return await self.connect()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def state(self) -> State:
        return self._state

    @property
    def why(self) -> Exception | None:
        """Why the client is not connected: the server's Refusal, or how the connection was lost."""
        return self._why

    @property
    def uid(self) -> str:
        """The id of the user who is connected."""
        return self._uid

    async def _send(self, event: str, input: Mapping[str, object], wait: bool | None, timeout: float | None) -> object:
        if self._state == "closed":
            raise self._why or _closed()
        if not way_of(event).socket:
            return await self._rest.send(event, input, wait=wait, timeout=timeout)
        return await self._requests.ask(
            event,
            named(event, input),
            wait=self._wait if wait is None else wait,
            timeout=self._timeout if timeout is None else timeout,
        )

    def _tell(self, event: str, input: Mapping[str, object]) -> None:
        self._connection.emit(event, input)

    def tell(self, event: RelayName, input: Mapping[str, object]) -> None:
        """Passes something on to others, such as where one is. It is not answered, and lost while there is no
        connection."""
        self._tell(event, input)

    async def follow(self, *, load: Load = "snapshot", page_size: int = 1000, strict: bool = False) -> AsyncLiveGraph:
        """Follows the graph: loads it, and keeps it up to date until it or the client is closed. Returns the live graph
        once it is whole. There is one live graph at a time.

        `strict`: the graph ends with a Violation when the server sends what the rules of the live view do not foresee.
        """
        if self._state == "closed":
            raise self._why or _closed()
        if self._graph is not None:
            raise RuntimeError("this client follows the graph already")
        graph = self._graph = AsyncLiveGraph(_Feed(self), load=load, page_size=page_size, strict=strict)
        if self._connection.is_welcome:
            graph.welcomed()
        try:
            await graph.when_live()
        except BaseException:
            graph.close()
            raise
        return graph

    def _on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        return self._listeners.setdefault(event, Listeners()).add(listener)

    def on_state(self, listener: Callable[[State, Exception | None], None]) -> Callable[[], None]:
        """Tells of every change of `state`, and why the connection was lost. Returns what lets go of the listener."""
        return self._states.add(listener)

    async def suspend(self) -> None:
        """Lets go of the connection until it is resumed. What is asked meanwhile waits; the live graph catches up
        afterwards."""
        if self._state == "closed":
            return
        self._become("suspended")
        # At once: the client may be resumed before the connection is gone.
        self._lost("suspended")
        await self._stop()

    def resume(self) -> None:
        """Connects again after `suspend`."""
        if self._state == "suspended":
            self._become("connecting")
            self._start()

    async def close(self) -> None:
        """Closes the connection for good. What is not answered yet raises ConnectionLost."""
        self._end(_closed())
        await self._stop()
        await self._rest.close()

    def _start(self) -> None:
        self._running = asyncio.get_running_loop().create_task(self._connection.run())

    async def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None and running is not asyncio.current_task():
            running.cancel()
            await asyncio.wait({running})

    def _welcomed(self, welcome: dict[str, object]) -> None:
        self._uid = str(welcome.get("uid", ""))
        self._requests.is_connected = True
        # What was missed is asked for first, so that it arrives before the answers to what is sent again.
        if self._graph is not None:
            self._graph.welcomed()
        self._requests.send_again()
        self._why = None
        self._become("connected")

    def _lost(self, why: str) -> None:
        if self._graph is not None:
            self._graph.lost()
        self._requests.lost()
        if self._state != "closed":
            self._why = ConnectionLost(why)
        if self._state == "connected":
            self._become("connecting")

    def _end(self, error: Exception | Refusal) -> None:
        if self._state == "closed":
            return
        self._state, self._why = "closed", error
        self._requests.end(error)
        if self._graph is not None:
            self._graph.end(error)
        self._states.tell("closed", error)

    def _become(self, state: State) -> None:
        if self._state not in (state, "closed"):
            self._state = state
            self._states.tell(state, self._why)

    def _heard(self, event: str, payload: object) -> None:
        if event == "graph:diff" and self._graph is not None:
            self._graph.take(cast(Diff, payload))
        if self._on_message is not None:
            self._on_message("event", event, payload)
        if event in self._listeners:
            self._listeners[event].tell(payload)

    def _answered(self, event: str, answer: Answer) -> None:
        """The diff of an answer is applied like any other, unless it is yesterday's (SPEC.md P25) or changes nothing."""
        diff = answer.get("diff")
        is_new = answer.get("ok") is True and not answer.get("replayed") and isinstance(diff, dict)
        if is_new and self._graph is not None and cast(Diff, diff)["batchId"] is not None:
            self._graph.take(cast(Diff, diff))
        if self._on_message is not None:
            self._on_message("answer", event, answer)


class _Feed:
    """What a live graph may do with its client."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def is_connected(self) -> bool:
        return self._client._connection.is_welcome

    def ask(self, event: str, payload: Mapping[str, object], take: Callable[[Answer], None]) -> Awaitable[Answer]:
        client = self._client
        return client._requests.ask(event, payload, timeout=client._timeout, lasts=False, take=take)

    def snapshot(self) -> Awaitable[Answer]:
        return self._client._rest.send("graph:snapshot", {}, wait=True)

    def closed(self) -> None:
        self._client._graph = None


def _closed() -> ConnectionLost:
    return ConnectionLost("the client is closed")
