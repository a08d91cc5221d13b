"""The client for programs without an event loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence, ValuesView
from types import TracebackType
from typing import Any, Literal, TypeVar

from ._async import CONNECT_TIMEOUT_S, TIMEOUT_S, AsyncClient, AsyncRest, State
from ._generated import Link, Operations, RelayName
from ._live import AsyncLiveGraph, Graph, GraphState, Load
from ._loop import LoopThread
from .errors import ConnectionLost
from .replica import Change, GraphNode, merged

E = TypeVar("E")

EVENTS_WAITING_MAX = 10_000


def connect(
    url: str,
    *,
    token: str | None = None,
    session: str | None = None,
    wait: bool = False,
    timeout: float = TIMEOUT_S,
    connect_timeout: float = CONNECT_TIMEOUT_S,
    transports: Sequence[Literal["websocket", "polling"]] | None = None,
) -> Client:
    """Connects to a server; returns a client once the server has accepted the connection.

        with synaptask.connect("http://127.0.0.1:7411", token=token) as client:
            answer = client.node_add(title="Sand the fence")

    The parameters are those of AsyncClient. Raises Refusal if the server refuses the caller, ConnectionLost if it cannot
    be reached in time.
    """
    loop = LoopThread()
    try:
        inner = loop.call(
            lambda: AsyncClient(
                url,
                token=token,
                session=session,
                wait=wait,
                timeout=timeout,
                connect_timeout=connect_timeout,
                transports=transports,
            )
        )
        loop.run(inner.connect())
        return Client(loop, inner)
    except BaseException:
        loop.stop()
        raise


class Rest(Operations):
    """All operations over REST alone: without a connection that stays, and without the live view. Without a token it
    reads what is public. It may be used from any thread."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        session: str | None = None,
        wait: bool = False,
        timeout: float = TIMEOUT_S,
    ) -> None:
        self._loop = LoopThread()
        try:
            self._inner = self._loop.call(
                lambda: AsyncRest(url, token=token, session=session, wait=wait, timeout=timeout)
            )
        except BaseException:
            self._loop.stop()
            raise

    def _send(self, event: str, input: Mapping[str, object], wait: bool | None, timeout: float | None) -> object:
        return self._loop.run(self._inner._send(event, input, wait, timeout))

    def _tell(self, event: str, input: Mapping[str, object]) -> None:
        self._inner._tell(event, input)

    def _on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        return self._inner._on(event, listener)

    def close(self) -> None:
        """Closes the HTTP connections."""
        try:
            self._loop.run(self._inner.close())
        except ConnectionLost:
            pass  # closed already
        finally:
            self._loop.stop()

    def __enter__(self) -> Rest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Client(Operations):
    """A connection to a SynapTask server, made by `connect`: every operation as a method, and the live graph. It may be
    used from any thread, and from its own listeners.

    Mutations are named by a `batchId`, the caller's or a new one, are sent again after a lost connection until they are
    answered, and are carried out once.

    Listeners are called one after the other in a thread of their own. If more than 10,000 events wait for them, the
    oldest are dropped.
    """

    def __init__(self, loop: LoopThread, inner: AsyncClient) -> None:
        self._loop = loop
        self._inner = inner
        self._teller = _Teller()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def state(self) -> State:
        return self._inner.state

    @property
    def why(self) -> Exception | None:
        """Why the client is not connected: the server's Refusal, or how the connection was lost."""
        return self._inner.why

    @property
    def uid(self) -> str:
        """The id of the user who is connected."""
        return self._inner.uid

    def _send(self, event: str, input: Mapping[str, object], wait: bool | None, timeout: float | None) -> object:
        return self._loop.run(self._inner._send(event, input, wait, timeout))

    def _tell(self, event: str, input: Mapping[str, object]) -> None:
        self._loop.soon(lambda: self._inner._tell(event, input))

    def tell(self, event: RelayName, input: Mapping[str, object]) -> None:
        """Passes something on to others, such as where one is. It is not answered, and lost while there is no
        connection."""
        self._tell(event, input)

    def follow(self, *, load: Load = "snapshot", page_size: int = 1000, strict: bool = False) -> LiveGraph:
        """Follows the graph: loads it, and keeps it up to date until it or the client is closed. Returns the live graph
        once it is whole. There is one live graph at a time.

        `strict`: the graph ends with a Violation when the server sends what the rules of the live view do not foresee.
        """
        inner = self._loop.run(self._inner.follow(load=load, page_size=page_size, strict=strict))
        return LiveGraph(self._loop, inner, self._teller)

    def _on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        return self._listens(
            lambda: self._inner._on(event, lambda payload: self._teller.tell(lambda: listener(payload)))
        )

    def on_state(self, listener: Callable[[State, Exception | None], None]) -> Callable[[], None]:
        """Tells of every change of `state`, and why the connection was lost. Returns what lets go of the listener."""
        return self._listens(
            lambda: self._inner.on_state(lambda state, why: self._teller.tell(lambda: listener(state, why)))
        )

    def _listens(self, add: Callable[[], Callable[[], None]]) -> Callable[[], None]:
        off = self._loop.call(add)
        return lambda: self._loop.soon(off)

    def suspend(self) -> None:
        """Lets go of the connection until it is resumed. What is asked meanwhile waits; the live graph catches up
        afterwards."""
        self._loop.run(self._inner.suspend())

    def resume(self) -> None:
        """Connects again after `suspend`."""
        self._loop.call(self._inner.resume)

    def close(self) -> None:
        """Closes the connection for good, and ends the threads of the client. What is not answered yet raises
        ConnectionLost."""
        try:
            self._loop.run(self._inner.close())
        except ConnectionLost:
            pass  # closed already
        finally:
            self._loop.stop()
            self._teller.stop()


class LiveGraph:
    """The graph as its user sees it, kept up to date in the background. What is in it is what a load would give at `rev`;
    after a lost connection it catches up by what it missed, or loads anew, by itself.

    It changes while it is read. `copy` gives all of it as it is at one moment.
    """

    def __init__(self, loop: LoopThread, inner: AsyncLiveGraph, teller: _Teller) -> None:
        self._loop, self._inner, self._teller = loop, inner, teller
        self.nodes: Mapping[str, GraphNode] = _Held(lambda: inner.nodes)
        """Every visible node by its id."""
        self.links: Mapping[str, Link] = _Held(lambda: inner.links)
        """Every visible link by its id."""

    @property
    def rev(self) -> int:
        """The place in the order of commits that the graph is at."""
        return self._inner.rev

    @property
    def state(self) -> GraphState:
        """`live` while all that happens arrives; otherwise the graph is as it was at `rev`."""
        return self._inner.state

    @property
    def why(self) -> Exception | None:
        """Why the graph is closed."""
        return self._inner.why

    def copy(self) -> Graph:
        """The graph as it is at one moment."""
        try:
            return self._loop.call(self._inner.copy)
        except ConnectionLost:
            return self._inner.copy()  # nothing changes any more

    def on_change(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Tells of every change, with the ids of what was added, changed and removed. A load that replaces the graph is
        one change, and so is what happens while the listener is at work. Returns what lets go of the listener."""
        waiting: list[Change] = []
        lock = threading.Lock()

        def deliver() -> None:
            with lock:
                change = merged(waiting)
                waiting.clear()
            if change is not None:
                listener(change)

        def changed(change: Change) -> None:
            with lock:
                is_first = not waiting
                # As one, so that a slow listener holds up no more than one change.
                waiting[:] = [one for one in (merged([*waiting, change]),) if one is not None]
            if is_first:
                self._teller.tell(deliver)

        off = self._loop.call(lambda: self._inner.on_change(changed))
        return lambda: self._loop.soon(off)

    def reload(self, *, load: Load | None = None, page_size: int | None = None) -> None:
        """Loads everything anew, by default as before; returns when that has taken the place of what was held."""
        self._loop.run(self._inner.reload(load=load, page_size=page_size))

    def when_live(self) -> None:
        """Returns when the graph is live: at once if it is, otherwise after the load or the resuming under way."""
        self._loop.run(self._inner.when_live())

    def close(self) -> None:
        """Stops following. What is in it stays as it is."""
        self._loop.call(self._inner.close)


class _Held(Mapping[str, E]):
    """A map that another thread changes. Going through it goes through a copy."""

    def __init__(self, held: Callable[[], Mapping[str, E]]) -> None:
        self._held = held

    def __getitem__(self, id: str) -> E:
        return self._held()[id]

    def __len__(self) -> int:
        return len(self._held())

    def __contains__(self, id: object) -> bool:
        return id in self._held()

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._held()))

    def items(self) -> ItemsView[str, E]:
        return dict(self._held()).items()

    def values(self) -> ValuesView[E]:
        return dict(self._held()).values()


class _Teller:
    """Calls listeners in a thread of their own, which begins with the first of them."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque(maxlen=EVENTS_WAITING_MAX)
        self._news = threading.Condition()
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    def tell(self, telling: Callable[[], None]) -> None:
        with self._news:
            if self._is_stopped:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="synaptask-listeners", daemon=True)
                self._thread.start()
            self._waiting.append(telling)
            self._news.notify()

    def stop(self) -> None:
        """Calls what still waits, then ends the thread."""
        with self._news:
            self._is_stopped = True
            self._news.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._is_stopped)
                if not self._waiting:
                    return
                telling = self._waiting.popleft()
            try:
                telling()
            except Exception as error:
                threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, self._thread)))
