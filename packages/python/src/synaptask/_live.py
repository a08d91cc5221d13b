"""The graph as its user sees it, kept up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, cast

from ._backoff import backoff_s
from ._generated import Diff, Link
from ._listeners import Listeners
from ._requests import Answer
from .errors import ConnectionLost, Refusal, SynapTaskError
from .follower import Follower
from .replica import Change, GraphNode, Page, Replica

Load = Literal["snapshot", "pages"]
"""How the whole graph is loaded. `snapshot`: everything at one moment, compressed, over REST; `pages`: over the
connection, `page_size` nodes at a time."""

GraphState = Literal["empty", "loading", "live", "resuming", "offline", "closed"]


class Violation(SynapTaskError):
    """The server has sent what the rules of the live view do not foresee. Raised by a graph that is strict."""


@dataclass(frozen=True)
class Graph:
    """The graph at one moment; a copy."""

    rev: int
    nodes: dict[str, GraphNode]
    links: dict[str, Link]


class Feed(Protocol):
    """What the live graph needs of its client."""

    def is_connected(self) -> bool: ...

    def ask(self, event: str, payload: Mapping[str, object], take: Callable[[Answer], None]) -> Awaitable[Answer]:
        """`take` is called with the answer at its place in what the connection brings. Raises when the connection is
        lost."""

    def snapshot(self) -> Awaitable[Answer]: ...

    def closed(self) -> None: ...


class AsyncLiveGraph:
    """The graph as its user sees it, kept up to date. What is in it is what a load would give at `rev`; after a lost
    connection it catches up by what it missed, or loads anew, by itself."""

    def __init__(self, feed: Feed, *, load: Load, page_size: int, strict: bool) -> None:
        self._feed = feed
        self._load_how, self._page_size = load, _page_size(page_size)
        self._changes: Listeners[[Change]] = Listeners()
        self._waiting: set[asyncio.Future[None]] = set()
        self._turn: asyncio.Task[None] | None = None
        self._why: Exception | None = None
        violated = _violated if strict else None
        self._follower = Follower(lambda: Replica(violated), self._changes.tell)

    @property
    def nodes(self) -> Mapping[str, GraphNode]:
        """Every visible node by its id. A load after a lost connection puts another map here: do not keep it."""
        return self._follower.replica.nodes

    @property
    def links(self) -> Mapping[str, Link]:
        """Every visible link by its id. Do not keep the map either."""
        return self._follower.replica.links

    @property
    def rev(self) -> int:
        """The place in the order of commits that the graph is at."""
        return self._follower.replica.rev

    @property
    def state(self) -> GraphState:
        """`live` while all that happens arrives; otherwise the graph is as it was at `rev`."""
        if self._why is not None:
            return "closed"
        return self._follower.state if self._feed.is_connected() else "offline"

    @property
    def why(self) -> Exception | None:
        """Why the graph is closed."""
        return self._why

    def copy(self) -> Graph:
        """The graph as it is now."""
        return Graph(self.rev, dict(self.nodes), dict(self.links))

    def on_change(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Tells of every change, with the ids of what was added, changed and removed. A load that replaces the graph is
        one change. Returns what lets go of the listener."""
        return self._changes.add(listener)

    async def reload(self, *, load: Load | None = None, page_size: int | None = None) -> None:
        """Loads everything anew, by default as before; returns when that has taken the place of what was held."""
        self._load_how = self._load_how if load is None else load
        self._page_size = self._page_size if page_size is None else _page_size(page_size)
        self._follower.forget()
        if self._feed.is_connected():
            self._start(self._load)
        await self._next_live()

    async def when_live(self) -> None:
        """Returns when the graph is live: at once if it is, otherwise after the load or the resuming under way."""
        if self.state != "live":
            await self._next_live()

    async def _next_live(self) -> None:
        if self._why is not None:
            raise self._why
        live: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(live)
        try:
            await live
        finally:
            self._waiting.discard(live)

    def close(self) -> None:
        """Stops following. What is in it stays as it is."""
        self.end(ConnectionLost("the live graph is closed"))

    def end(self, error: Exception) -> None:
        if self._why is not None:
            return
        self._why = error
        self.lost()
        for live in self._waiting:
            if not live.done():
                live.set_exception(error)
        self._feed.closed()

    def welcomed(self) -> None:
        """The connection is there: nothing has come over it yet."""
        if self._why is not None:
            return
        if self._follower.since is None:
            # At once: what comes before the load is asked for is no news of the graph that was held.
            self._begin()
            return self._start(self._load)
        self._follower.begin_resume()
        self._start(self._resume)

    def lost(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def take(self, diff: Diff) -> None:
        """Takes the diff of a `graph:diff` or of an answer, in the order received."""
        if self._why is not None:
            return
        try:
            self._follower.take(diff)
        except Violation as violation:
            self.end(violation)

    def _start(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Does a turn until it succeeds, the connection is lost or another turn takes its place."""
        self.lost()
        self._turn = asyncio.get_running_loop().create_task(self._until_done(turn))

    async def _until_done(self, turn: Callable[[], Awaitable[None]]) -> None:
        nth = 0
        while True:
            pause_s = backoff_s(nth)
            try:
                return await turn()
            except Violation as violation:
                return self.end(violation)
            except Refusal as refusal:
                # The first load may be one that this caller is never granted.
                if not self._follower.replica.whole and not refusal.is_passing:
                    return self.end(refusal)
                pause_s = pause_s if refusal.retry_after is None else refusal.retry_after
            except ConnectionLost:
                pass
            nth += 1
            await asyncio.sleep(pause_s)

    async def _resume(self) -> None:
        is_loading = False

        def synced(answer: Answer) -> None:
            nonlocal is_loading
            if not self._follower.synced(recovered=answer["recovered"] is True):
                # What comes from here on belongs to the load.
                is_loading = True
                self._begin()

        if self._follower.state == "resuming":
            await self._feed.ask("graph:sync", {"since": self._follower.replica.rev}, synced)
            if not is_loading:
                return self._live()
        await self._load(has_begun=is_loading)

    def _begin(self) -> None:
        if self._load_how == "snapshot":
            self._follower.begin_snapshot()
        else:
            self._follower.begin_pages()

    async def _load(self, *, has_begun: bool = False) -> None:
        if not has_begun:
            self._begin()
        if self._load_how == "snapshot":
            self._follower.snapshot(cast(Page, await self._feed.snapshot()))
        else:
            await self._pages()
        self._live()

    async def _pages(self) -> None:
        offset, has_more = 0, True

        def page(answer: Answer) -> None:
            nonlocal offset, has_more
            page = cast(Page, answer)
            offset += len(page["nodes"])
            has_more = page["hasMore"]
            self._follower.page(page)

        while has_more:
            await self._feed.ask("graph:get", {"limit": self._page_size, "offset": offset}, page)

    def _live(self) -> None:
        for live in self._waiting:
            if not live.done():
                live.set_result(None)


def _violated(violation: str) -> None:
    raise Violation(violation)


def _page_size(page_size: int) -> int:
    if not 1 <= page_size <= 5000:
        raise ValueError("page_size is from 1 to 5000")
    return page_size
