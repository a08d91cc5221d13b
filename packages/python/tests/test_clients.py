"""Both clients against the real server. Rules: P1, P17, P21, P22, P24, P25, D7, D8, T13, T17, R7, R14, G12, O36."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, cast

import pytest
from server import Server, User
from ways import WAYS, Driver, opened

import synaptask
from synaptask import AsyncClient, AsyncRest, Change, ConnectionLost, Refusal, Rest
from synaptask._live import AsyncLiveGraph, Violation

pytestmark = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def own_server() -> Iterator[Server]:
    """One that a test may pause and kill."""
    server = Server()
    yield server
    server.goes_on()
    server.stop()


def node_id(answer: Any) -> str:
    return str(answer["diff"]["nodes"][0]["after"]["id"])


def without_roots(entities: Any) -> Any:
    return {id: {name: value for name, value in one.items() if name != "shareRoots"} for id, one in entities.items()}


def agrees(driver: Driver) -> None:
    """The graph is what a fresh load gives, on the same connection."""
    page = driver.call("graph:get", {"limit": 5000})
    assert driver.graph.state == "live", driver.graph.why
    held = driver.copy()
    assert without_roots(held.nodes) == without_roots({one["id"]: one for one in page["nodes"]})
    assert without_roots(held.links) == without_roots({one["id"]: one for one in page["links"]})


def test_t17_a_refusal_has_all_that_the_server_says(way: str, server: Server, user: User) -> None:
    with opened(way, server.url, user.token) as client:
        with pytest.raises(Refusal) as caught:
            client.call(
                "graph:apply",
                {
                    "operations": [
                        {"event": "node:add"},
                        {"event": "node:update", "id": str(uuid.uuid4()), "title": "x"},
                    ]
                },
            )
        no = caught.value
        assert (no.event, no.error, no.cls, no.code, no.index) == (
            "graph:apply",
            "not_found.node_not_found",
            "not_found",
            "node_not_found",
            1,
        )
        assert no.message and no.retry_after is None and no.trace_id is not None and len(no.trace_id) == 12
        # Nothing was done.
        assert client.call("graph:get")["nodes"] == []
        with pytest.raises(ValueError, match="there is no operation"):
            client.call("node:fly", {})


def test_p1_the_graph_follows_what_is_done_here_and_elsewhere(
    way: str, server: Server, user: User, other: User
) -> None:
    with opened(way, server.url, user.token) as client, opened(way, server.url, other.token) as ben:
        client.follow()
        ids = [node_id(client.call("node:add", {"title": str(nth)})) for nth in range(3)]
        client.call("link:add", {"source": ids[0], "target": ids[1]})
        held = client.copy()
        assert set(held.nodes) == set(ids) and len(held.links) == 1
        ben.follow()
        client.call("node:access", {"id": ids[1], "email": other.email, "level": 2})
        ben.call("graph:get", {"limit": 1})
        # A node, what blocks it as a phantom, and the link between them.
        assert set(ben.copy().nodes) == {ids[0], ids[1]}
        ben.call("node:update", {"id": ids[1], "title": "Paint"})
        client.call("node:access:delete", {"id": ids[1], "email": other.email})
        ben.call("graph:get", {"limit": 1})
        assert not ben.copy().nodes
        for one in (client, ben):
            agrees(one)
        client.call("account:get")
        assert cast(Any, client.copy().nodes[ids[1]])["title"] == "Paint"


@pytest.mark.parametrize("transports", [None, ("websocket",), ("polling",)])
@pytest.mark.parametrize("load", ["snapshot", "pages"])
def test_g12_either_load_over_every_transport_gives_the_graph(
    way: str, load: str, transports: Any, server: Server, user: User
) -> None:
    with opened(way, server.url, user.token, transports=transports) as client:
        for nth in range(7):
            client.call("node:add", {"title": str(nth)})
        client.follow(load=load, page_size=2)
        assert len(client.copy().nodes) == 7
        agrees(client)


def test_p17_a_change_in_parts_is_told_once_over_polling_too(way: str, server: Server, user: User) -> None:
    for transports in (("websocket",), ("polling",)):
        with opened(way, server.url, user.token, transports=transports) as client:
            client.follow()
            root = node_id(client.call("node:add", {"title": "root"}))
            told: list[Change] = []
            client.on_change(told.append)
            for _ in range(2):
                client.call("graph:apply", {"operations": [{"event": "node:add", "target": root} for _ in range(600)]})
            client.call("node:trash", {"id": root, "branch": True})
            client.call("trash:purge", {})
            client.call("graph:get")
            agrees(client)
            while len(told) < 3 and way == "sync" and client.copy().rev != (told[-1].rev if told else 0):
                time.sleep(0.01)
            assert sum(len(one.nodes.added) for one in told) - sum(len(one.nodes.removed) for one in told) == -1


@pytest.mark.parametrize("breaks", ["cut", "kill"])
def test_d7_a_mutation_whose_answer_is_lost_is_done_once(way: str, breaks: str, own_server: Server) -> None:
    user = own_server.user("olha")
    with opened(way, own_server.url, user.token) as client:
        client.follow()
        own_server.pause()

        def broken() -> None:
            if breaks == "kill":
                own_server.kill()
                own_server.up()
            else:
                loop = client.inner._running.get_loop()  # type: ignore[union-attr]
                loop.call_soon_threadsafe(client.inner._connection.cut)
                time.sleep(0.1)
                own_server.goes_on()

        answer = client.together("node:add", {"title": "once"}, broken)
        assert answer["ok"]
        client.when_live()
        assert len(client.copy().nodes) == 1
        agrees(client)


def test_p25_the_diff_of_a_replayed_answer_is_not_applied(way: str, server: Server, user: User) -> None:
    with opened(way, server.url, user.token) as client:
        client.follow()
        batch = str(uuid.uuid4())
        added = client.call("node:add", {"title": "a", "batchId": batch})
        client.call("node:update", {"id": node_id(added), "title": "b"})
        again = client.call("node:add", {"title": "a", "batchId": batch})
        assert again["replayed"] is True
        assert cast(Any, client.copy().nodes[node_id(added)])["title"] == "b"
        agrees(client)


def test_p21_what_was_missed_is_caught_up_with(way: str, server: Server, user: User) -> None:
    heard: list[tuple[str, str, Any]] = []
    with (
        (
            opened(way, server.url, user.token, on_message=lambda *one: heard.append(one))
            if way == "async"
            else opened(way, server.url, user.token)
        ) as client,
        opened(way, server.url, user.token) as window,
    ):
        client.follow()
        if way == "sync":
            client.inner._on_message = lambda *one: heard.append(one)
        told: list[Change] = []
        client.on_change(told.append)
        client.suspend()
        assert client.inner.state == "suspended"
        for nth in range(5):
            window.call("node:add", {"title": str(nth)})
        heard.clear()
        client.resume()
        client.when_live()
        assert [one[2]["recovered"] for one in heard if one[1] == "graph:sync"] == [True]
        assert len(client.copy().nodes) == 5
        agrees(client)


def test_p22_what_cannot_be_caught_up_with_is_loaded_and_swapped_in_whole(way: str, own_server: Server) -> None:
    user = own_server.user("olha")
    with opened(way, own_server.url, user.token) as client:
        graph = client.follow()
        first = node_id(client.call("node:add", {"title": "first"}))
        told: list[Change] = []
        client.on_change(told.append)
        client.suspend()
        own_server.kill()
        own_server.up()
        with opened(way, own_server.url, user.token) as window:
            ids = {node_id(window.call("node:add", {"title": str(nth)})) for nth in range(3)}
            window.call("node:update", {"id": first, "title": "changed"})
        client.resume()
        client.when_live()
        assert graph.state == "live"
        deadline = time.monotonic() + 10
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [(set(one.nodes.added), one.nodes.changed, one.nodes.removed) for one in told] == [(ids, (first,), ())]
        agrees(client)


def test_t13_who_may_not_come_in_is_told_so(way: str, server: Server) -> None:
    began = time.monotonic()
    with pytest.raises(Refusal) as caught, opened(way, server.url, "st_" + "x" * 27):
        pass
    assert (caught.value.event, caught.value.error) == ("connected", "forbidden.auth_invalid")
    assert time.monotonic() - began < 10


def test_p24_a_revoked_token_closes_the_client(way: str, server: Server, user: User) -> None:
    with opened(way, server.url, user.token) as client:
        graph = client.follow()
        server.cli("token", "revoke", "--email", user.email, "--all")
        with pytest.raises((Refusal, ConnectionLost)) as caught:
            while True:
                client.call("graph:get", {"limit": 1})
        assert isinstance(caught.value, Refusal) and caught.value.error in ("forbidden.auth_invalid", "unauthorized")
        deadline = time.monotonic() + 10
        while client.inner.state != "closed" and time.monotonic() < deadline:
            with pytest.raises(Refusal):
                client.call("graph:get", {"limit": 1})
        assert client.inner.state == "closed" and graph.state == "closed"
        assert isinstance(graph.why, Refusal) and graph.why.error == "forbidden.auth_invalid"
        with pytest.raises(Refusal):
            client.call("node:add", {"title": "late"})


def test_r7_a_limit_raises_or_is_waited_for(way: str) -> None:
    server = Server(limits=True)
    try:
        user = server.user("olha")
        with opened(way, server.url, user.token) as client:
            with pytest.raises(Refusal) as caught:
                for _ in range(11):
                    client.call("ws:ping")
            assert caught.value.error == "rate_limited" and caught.value.retry_after
            assert client.call("ws:ping", wait=True)["ok"]
            if way == "async":
                with pytest.raises(Refusal) as over_rest:
                    for _ in range(11):
                        client.call("graph:snapshot")
                assert over_rest.value.error == "rate_limited" and over_rest.value.retry_after
                # The load of the live graph waits by itself.
                client.follow()
                agrees(client)
    finally:
        server.stop()


def test_r14_too_many_connections_are_tried_again_later(way: str) -> None:
    server = Server(limits=True)
    try:
        user = server.user("olha")
        others: list[Any] = []
        for _ in range(10):
            one = opened(way, server.url, user.token)
            one.__enter__()
            others.append(one)
        with (
            pytest.raises(ConnectionLost, match="not connected in 0.5 s"),
            opened(way, server.url, user.token, connect_timeout=0.5),
        ):
            pass
        leaving = threading.Timer(0.5, lambda: others.pop().__exit__(None, None, None))
        if way == "sync":
            leaving.start()
        else:
            others.pop().__exit__(None, None, None)
        with opened(way, server.url, user.token, connect_timeout=90) as late:
            assert late.call("ws:ping")["ok"]
        if way == "sync":
            leaving.join()
        for one in others:
            one.__exit__(None, None, None)
    finally:
        server.stop()


def test_no_answer_in_time_is_an_error_on_every_way(way: str, own_server: Server) -> None:
    user = own_server.user("olha")
    with opened(way, own_server.url, user.token) as client:
        client.call("ws:ping")
        own_server.pause()
        for event, input in (("ws:ping", {}), ("node:add", {"title": "a"}), ("graph:snapshot", {})):
            began = time.monotonic()
            with pytest.raises(ConnectionLost):
                client.call(event, input, timeout=0.3)
            assert time.monotonic() - began < 5
        own_server.goes_on()
        assert client.call("ws:ping")["ok"]


def test_operations_over_rest_alone_are_called_like_all_others(way: str, server: Server, user: User) -> None:
    with opened(way, server.url, user.token) as client:
        id = node_id(client.call("node:add", {"title": "public"}))
        token = client.call("node:publish", {"id": id})["diff"]["nodes"][0]["after"]["publicToken"]
        assert client.call("graph:snapshot")["nodes"][0]["id"] == id
        if way == "sync":
            with Rest(server.url) as rest:
                page: Any = rest.branch_get(root=token)
                with pytest.raises(Refusal) as caught:
                    rest.graph_get()
        else:

            async def reading() -> tuple[Any, Any]:
                async with AsyncRest(server.url) as anyone:
                    page = await anyone.branch_get(root=token)
                    with pytest.raises(Refusal) as caught:
                        await anyone.graph_get()
                    return page, caught

            page, caught = asyncio.run(reading())
        assert [one["id"] for one in page["nodes"]] == [id] and page["nodes"][0].get("ownerEmail") is None
        assert caught.value.error == "unauthorized"


def test_d7_over_rest_a_mutation_is_sent_again_and_done_once(way: str, own_server: Server) -> None:
    user = own_server.user("olha")
    own_server.kill()
    coming = threading.Timer(0.5, own_server.up)
    coming.start()
    if way == "sync":
        with Rest(own_server.url, token=user.token) as rest:
            answer: Any = rest.node_add(title="once")
            nodes = rest.graph_get()["nodes"]
    else:

        async def adding() -> tuple[Any, Any]:
            async with AsyncRest(own_server.url, token=user.token) as rest:
                return await rest.node_add(title="once"), (await rest.graph_get())["nodes"]

        answer, nodes = asyncio.run(adding())
    coming.join()
    assert [one["id"] for one in nodes] == [node_id(answer)]


def test_nothing_is_left_behind(way: str, server: Server, user: User) -> None:
    before = set(threading.enumerate())
    for transports in (None, ("polling",)):
        # `opened` looks for tasks that are left in its loop.
        with opened(way, server.url, user.token, transports=transports) as client:
            client.follow()
            client.on_change(lambda _: None)
            client.call("node:add", {"title": "a"})
            client.cut()
            client.call("node:add", {"title": "b"})
        if way == "sync":
            with pytest.raises(ConnectionLost):
                client.call("node:add", {"title": "c"})
    import engineio.base_client

    assert set(threading.enumerate()) - before == set()
    assert engineio.base_client.connected_clients == []
    gc.collect()  # What was not closed warns, and warnings are errors.


def test_a_strict_graph_ends_with_what_the_rules_do_not_foresee(way: str, server: Server, user: User) -> None:
    with opened(way, server.url, user.token) as client:
        graph = client.follow()
        inner: AsyncLiveGraph = graph if way == "async" else graph._inner
        inner._follower.replica.rev += 10
        client.call("node:add", {"title": "a"})
        assert graph.state == "closed" and isinstance(graph.why, Violation)


def test_closing_ends_what_waits_for_an_answer(way: str, own_server: Server) -> None:
    user = own_server.user("olha")
    with opened(way, own_server.url, user.token) as client:
        own_server.pause()
        if way == "sync":
            with ThreadPoolExecutor(1) as pool:
                asking = pool.submit(client.call, "ws:ping")
                time.sleep(0.1)
                cast(Any, client).client.close()
                with pytest.raises(ConnectionLost):
                    asking.result(10)
            return

        async def closing() -> None:
            asking = asyncio.ensure_future(client.inner.ws_ping())
            await asyncio.sleep(0.1)
            await client.inner.close()
            with pytest.raises(ConnectionLost):
                await asking

        cast(Any, client).run(closing())


def test_many_may_use_a_client_at_once(way: str, server: Server, user: User) -> None:
    with opened(way, server.url, user.token) as client:
        client.follow()
        if way == "sync":
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda nth: client.call("node:add", {"title": str(nth)}), range(60)))
        else:

            async def adding() -> None:
                await asyncio.gather(*(client.inner.node_add(title=str(nth)) for nth in range(60)))

            cast(Any, client).run(adding())
        assert len(client.copy().nodes) == 60
        agrees(client)


def test_listeners_may_use_the_client_and_may_fail(way: str, server: Server, user: User, capsys: Any) -> None:
    with opened(way, server.url, user.token) as client, opened(way, server.url, user.token) as window:
        client.follow()
        done: list[Any] = []
        if way == "async":
            inner = client.inner
            failures: list[Any] = []

            async def listening() -> None:
                asyncio.get_running_loop().set_exception_handler(
                    lambda _, context: failures.append(context["exception"])
                )

            cast(Any, client).run(listening())
            cast(Any, client).graph.on_change(lambda _: cast(None, 1 / 0))
            cast(Any, client).graph.on_change(lambda _: done.append(1))
            cast(Any, client).run(inner.node_add(title="a"))
            assert done == [1] and isinstance(failures[0], ZeroDivisionError)
            return
        hooked: list[Any] = []
        before, threading.excepthook = threading.excepthook, hooked.append
        try:
            client.on_change(lambda _: cast(None, 1 / 0))
            client.on_change(lambda change: done.append(client.call("graph:get", {"limit": 1})["ok"]))
            window.call("node:add", {"title": "a"})
            deadline = time.monotonic() + 10
            while not done and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            threading.excepthook = before
        assert done == [True] and isinstance(hooked[0].exc_value, ZeroDivisionError)


def test_events_and_relays_arrive(way: str, server: Server, user: User) -> None:
    heard: list[Any] = []
    with opened(way, server.url, user.token) as client, opened(way, server.url, user.token) as window:
        on: Any = cast(Any, client).client.on if way == "sync" else client.inner.on
        off = on("presence:state", heard.append)
        presence: dict[Literal["view"], str] = {"view": "space"}

        def tell() -> None:
            if way == "sync":
                cast(Any, window).client.presence_update(nodeId=None, **presence)
                window.call("ws:ping")
            else:

                async def telling() -> None:
                    window.inner.presence_update(nodeId=None, **presence)
                    await window.inner.ws_ping()

                cast(Any, window).run(telling())

        def hears(count: int) -> bool:
            deadline = time.monotonic() + 5
            while len(heard) < count and time.monotonic() < deadline:
                client.call("ws:ping")
                time.sleep(0.01)
            return len(heard) == count

        tell()
        assert hears(1) and heard[0]["view"] == "space"
        off()
        client.call("ws:ping")
        tell()
        client.call("ws:ping")
        time.sleep(0.1)
        client.call("ws:ping")
        assert len(heard) == 1


def test_an_address_shows_no_secret(way: str, server: Server, user: User) -> None:
    with pytest.raises(ValueError, match="not an http"):
        synaptask.connect("localhost:7411", token=user.token)
    client = AsyncClient(server.url, token=user.token) if way == "async" else None
    from synaptask._address import Address

    assert user.token not in repr(Address(server.url, user.token))
    assert user.token not in repr(client)
    if client is not None:
        asyncio.run(client.close())


def test_a_message_may_be_larger_than_the_libraries_take_by_default(way: str, server: Server, user: User) -> None:
    if way == "sync":
        pytest.skip("the same connection")
    part = {"event": "node:add", "assignee": [f"{nth:03}" + "x" * 250 for nth in range(32)]}
    with opened(way, server.url, user.token, transports=("websocket",)) as client:
        for _ in range(6):
            client.call("graph:apply", {"operations": [part] * 100})
        # One page of about 5 MB.
        client.follow(load="pages", page_size=5000)
        assert len(client.copy().nodes) == 600


def test_r9_a_message_that_is_too_large_is_not_sent_for_ever(way: str, server: Server, user: User) -> None:
    with opened(way, server.url, user.token) as client:
        part = {"event": "node:add", "assignee": ["x" * 250] * 32}
        with pytest.raises(ConnectionLost, match="graph:apply: the connection was lost 8 times over it"):
            client.call("graph:apply", {"operations": [part] * 200})
        assert client.call("graph:get")["nodes"] == []


def test_p4_many_messages_in_one_poll_are_taken_in(way: str, server: Server, user: User) -> None:
    polling: Any = ("polling",)
    with (
        opened(way, server.url, user.token, transports=polling) as client,
        opened(way, server.url, user.token) as window,
    ):
        client.follow()
        if way == "sync":
            cast(Any, client).client._loop.soon(lambda: time.sleep(2))
        for nth in range(60):
            window.call("node:add", {"title": str(nth)})
        agrees(client)
        assert len(client.copy().nodes) == 60
