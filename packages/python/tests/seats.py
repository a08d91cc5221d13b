"""Seats of the live simulation (clients/js/simulation): users of this package whose connections may break at any time.

It reads commands from stdin, a JSON object a line: `{id, seat, do, …}`, and answers each with `{id, …}`. Besides, it
prints `{seat, state}` whenever what a seat holds or whether it is connected has changed, and `{seat, fault}` for what
must not be.
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Coroutine
from typing import Any

from synaptask import AsyncClient, AsyncRest, Change, ConnectionLost, GraphNode, Link, Page, Refusal, Violation
from synaptask._live import AsyncLiveGraph

ANSWER_S_MAX = 60.0

Command = dict[str, Any]


def say(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def without_roots(entity: GraphNode | Link) -> dict[str, object]:
    return {name: value for name, value in entity.items() if name != "shareRoots"}


class Seat:
    def __init__(self, name: int, url: str, token: str, load: Any, transports: Any) -> None:
        self.name, self.load = name, load
        self.url, self.token, self.transports = url, token, transports
        self.rest = AsyncRest(url, token=token, timeout=ANSWER_S_MAX)
        self.client: AsyncClient | None = None
        self.graph: AsyncLiveGraph | None = None
        self.broken = asyncio.Event()
        self.synced = 0
        self.comparing: list[str] | None = None
        self.opening: asyncio.Task[None] | None = None

    def tell(self) -> None:
        graph, client = self.graph, self.client
        is_open = client is not None and client.state == "connected"
        is_calm = is_open and graph is not None and graph.state == "live"
        state: dict[str, object] = {"isOpen": is_open, "isCalm": is_calm, "synced": self.synced}
        if graph is not None:
            state["graph"] = {
                "rev": graph.rev,
                "nodes": list(graph.nodes.values()),
                "links": list(graph.links.values()),
            }
            if isinstance(graph.why, Violation):
                say(seat=self.name, fault=str(graph.why))
        say(seat=self.name, state=state)

    def message(self, kind: str, event: str, payload: Any) -> None:
        if event == "error" or event == "graph:error":
            say(seat=self.name, fault=f"{event} out of nowhere: {payload}")
        if kind != "answer":
            return
        if event == "graph:sync" and payload.get("recovered"):
            self.synced += 1
        if event == "graph:get" and self.comparing == [] and self.graph is not None and self.graph.state == "live":
            # At this place in what the connection brings.
            self.comparing = self.compare(payload) or ["same"]

    def compare(self, page: Page) -> list[str]:
        assert self.graph is not None
        if not page.get("ok"):
            return [f"no load: {page}"]
        found = []
        for kind, held, fresh in (("node", self.graph.nodes, page["nodes"]), ("link", self.graph.links, page["links"])):
            loaded = {one["id"]: one for one in fresh}
            for id in {*held, *loaded}:
                if id not in held:
                    found.append(f"{kind} {id} is loaded, but not held: {loaded[id]}")
                elif id not in loaded:
                    found.append(f"{kind} {id} is held, but a load has none: {held[id]}")
                elif without_roots(held[id]) != without_roots(loaded[id]):
                    found.append(f"{kind} {id} differs: held is {held[id]}, a load has {loaded[id]}")
        return found

    async def until_broken(self, doing: Coroutine[Any, Any, Any]) -> Any:
        """What comes of it, or None if the connection breaks before."""
        broken = asyncio.ensure_future(self.broken.wait())
        task = asyncio.ensure_future(doing)
        try:
            await asyncio.wait({broken, task}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                return None
            return task.result()
        finally:
            broken.cancel()
            task.cancel()

    async def open(self, limit: int) -> None:
        if self.client is not None:
            await self.client.close()
        client = self.client = AsyncClient(
            self.url,
            token=self.token,
            timeout=ANSWER_S_MAX,
            transports=self.transports,
            connect_timeout=ANSWER_S_MAX,
            on_message=self.message,
        )

        def changed(state: str, why: Exception | None) -> None:
            if state == "closed" and not isinstance(why, ConnectionLost):
                say(seat=self.name, fault=f"closed: {why}")
            self.tell()

        client.on_state(changed)
        await client.connect()
        graph = await client.follow(load=self.load, page_size=limit, strict=True)

        def told(_: Change) -> None:
            self.tell()

        graph.on_change(told)
        self.graph = graph

    async def do_cut(self, _: Command) -> None:
        """The connection breaks, and the client may not come back yet."""
        self.broken.set()
        self.broken = asyncio.Event()
        if self.client is not None:
            self.client._connection.cut()
            await self.client.suspend()

    async def do_close(self, command: Command) -> None:
        await self.do_cut(command)
        if self.client is not None:
            await self.client.close()
        await self.rest.close()

    async def do_back(self, command: Command) -> None:
        """The client may come back."""
        try:
            await self.until_broken(self.coming_back(command["how"], command["limit"]))
        except ConnectionLost:
            pass

    async def coming_back(self, how: str, limit: int) -> None:
        if self.client is None or self.graph is None:
            return await self.open(limit)
        reloading: Any = self.graph.reload(load="pages", page_size=limit) if how == "load" else None
        live = asyncio.ensure_future(reloading if reloading is not None else self.graph.when_live())
        try:
            await asyncio.sleep(0)
            self.client.resume()
            await live
        finally:
            live.cancel()

    async def do_ask(self, command: Command) -> object:
        """Asks over the connection, or over REST. A change is asked for until it is answered; a read is given up when the
        connection breaks."""
        event, payload, client = command["event"], command["payload"], self.client
        call: Any = self.rest.call if command.get("rest") else client.call if client is not None else None
        try:
            if command.get("rest") or command.get("lasts"):
                return await call(event, payload)
            return await self.until_broken(call(event, payload))
        except Refusal as no:
            return {
                "ok": False,
                "error": no.error,
                "code": no.code,
                "message": no.message,
                "retryAfter": no.retry_after,
            }
        except ConnectionLost as lost:
            if "no answer in" in str(lost):
                say(seat=self.name, fault=str(lost))
            return None

    async def do_check(self, _: Command) -> bool:
        """Holds the graph against a load on the same connection, at the place in the order where that arrives."""
        assert self.client is not None
        self.comparing = []
        try:
            await self.until_broken(self.client.call("graph:get", {"limit": 5000}))
        except ConnectionLost:
            pass
        found, self.comparing = self.comparing, None
        for difference in found or []:
            if difference != "same":
                say(seat=self.name, fault=difference)
        return bool(found)


SEATS: dict[int, Seat] = {}


async def run(command: Command) -> None:
    name = command["seat"]
    try:
        if command["do"] == "seat":
            SEATS[name] = Seat(name, command["url"], command["token"], command["load"], command["transports"])
            answer: object = None
        else:
            seat = SEATS[name]
            answer = await getattr(seat, f"do_{command['do']}")(command)
            seat.tell()
            if command["do"] == "close":
                del SEATS[name]
    except Exception:
        say(seat=name, fault=traceback.format_exc())
        answer = None
    say(id=command["id"], answer=answer)


async def main() -> None:
    reader = asyncio.StreamReader(limit=1 << 26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        task = asyncio.create_task(run(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main())
