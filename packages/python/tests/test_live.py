"""The live graph and what its connection brings, without a network.

Rules: P5, P22, G2."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model import World

from synaptask._live import AsyncLiveGraph
from synaptask._requests import Answer

RANDOM = st.integers(0, 2**64 - 1).map(Random)


class OneConnection:
    """A feed that answers at once with what the world is."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_there = True

    def is_connected(self) -> bool:
        return self.is_there

    async def ask(self, event: str, payload: Mapping[str, object], take: Callable[[Answer], None]) -> Answer:
        assert event == "graph:get"
        answer = cast(Answer, {**cast(dict[str, Any], self.world.page()), "hasMore": False})
        take(answer)
        return answer

    async def snapshot(self) -> Answer:
        return cast(Answer, self.world.page())

    def closed(self) -> None:
        pass


@pytest.mark.parametrize("load", ["pages", "snapshot"])
@given(random=RANDOM)
def test_p22_what_comes_before_a_new_load_is_asked_for_is_no_news_of_the_old_graph(
    load: Literal["pages", "snapshot"], random: Random
) -> None:
    async def tell() -> None:
        world = World(random)
        for _ in range(20):
            world.step()
        feed = OneConnection(world)
        graph = AsyncLiveGraph(feed, load=load, page_size=5000, strict=True)
        graph.welcomed()
        await graph.when_live()
        feed.is_there = False
        graph.lost()
        reloaded = asyncio.ensure_future(graph.reload())
        await asyncio.sleep(0)
        for _ in range(5):
            world.step()
        # All of this is read at once: the welcome, and a diff of what the old graph has not heard of.
        feed.is_there = True
        graph.welcomed()
        for part in world.step():
            graph.take(part)
        await reloaded
        assert (dict(graph.nodes), dict(graph.links)) == world.state()

    asyncio.run(tell())
