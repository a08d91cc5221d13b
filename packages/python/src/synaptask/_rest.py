"""Operations over REST."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from urllib.parse import quote

import httpx

from ._address import Address
from ._backoff import backoff_s
from ._ways import named, opened, way_of
from .errors import ConnectionLost, Refusal

CONNECT_S_MAX = 10.0


class RestCalls:
    """Requests to one server, one by one, each within a timeout in seconds."""

    def __init__(self, address: Address, *, wait: bool, timeout: float) -> None:
        self._origin, self._base = address.origin, address.base
        self._wait, self._timeout = wait, timeout
        limits = httpx.Timeout(timeout, connect=min(timeout, CONNECT_S_MAX))
        self._http = httpx.AsyncClient(headers=address.headers, timeout=limits)
        self._is_closed = False

    async def close(self) -> None:
        self._is_closed = True
        await self._http.aclose()

    async def send(
        self, event: str, payload: Mapping[str, object], *, wait: bool | None = None, timeout: float | None = None
    ) -> dict[str, object]:
        """Carries out an operation. What may be repeated is sent again until the timeout is over."""
        way = way_of(event)
        if way.method is None or way.path is None:
            raise ValueError(f"{event} goes over a connection alone")
        payload = named(event, payload)
        is_safe = way.method == "GET" or way.batch is not None
        waits = self._wait if wait is None else wait
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        nth = 0
        while True:
            try:
                return await self._once(event, way.method, way.path, payload, deadline)
            except Refusal as refusal:
                if not waits or refusal.retry_after is None:
                    raise
                pause_s = refusal.retry_after
                if time.monotonic() + pause_s > deadline:
                    raise
            except ConnectionLost:
                pause_s = backoff_s(nth)
                if not is_safe or self._is_closed or time.monotonic() + pause_s > deadline:
                    raise
            nth += 1
            await asyncio.sleep(pause_s)

    async def _once(
        self, event: str, method: str, path: str, payload: Mapping[str, object], deadline: float
    ) -> dict[str, object]:
        filled, fields = _fill(path, payload)
        url = f"{self._origin}{self._base}{filled}"
        try:
            asking = (
                self._http.get(url, params=_query(fields))
                if method == "GET"
                else self._http.request(method, url, json=fields)
            )
            answer = await asyncio.wait_for(asking, max(0.001, deadline - time.monotonic()))
        except (httpx.TransportError, asyncio.TimeoutError) as error:
            raise ConnectionLost(f"{event}: {self._origin} does not answer ({type(error).__name__})") from error
        return opened(event, _parsed(event, answer))


def _parsed(event: str, answer: httpx.Response) -> dict[str, object]:
    try:
        parsed = answer.json()
        if isinstance(parsed, dict) and "ok" in parsed:
            return parsed
    except ValueError:
        pass
    # Something in between has answered, and not the server; a proxy says so while the server is away.
    message = f"{event}: status {answer.status_code} with what is not an answer of SynapTask"
    if answer.status_code >= 500:
        raise ConnectionLost(message)
    raise Refusal(event, {"error": "internal", "message": message})


def _query(fields: Mapping[str, object]) -> dict[str, str]:
    def written(value: object) -> str:
        return ("true" if value else "false") if isinstance(value, bool) else str(value)

    return {name: written(value) for name, value in fields.items() if value is not None}


def _fill(path: str, payload: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """`/api/x/{id}`, with the fields that stand in the path taken out of the input."""
    fields = dict(payload)
    return re.sub(r"\{(\w+)\}", lambda name: quote(str(fields.pop(name[1])), safe=""), path), fields
