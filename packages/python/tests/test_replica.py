"""The replica and what feeds it, held against a world that knows what is seen at every rev.

Rules: P1, P5, P12, P17, P21, P22, G2, G12."""

from __future__ import annotations

from random import Random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model import World

from synaptask import Change, Diff, Follower, Page, Replica

RANDOM = st.integers(0, 2**64 - 1).map(Random)


def strict() -> Replica:
    def violated(violation: str) -> None:
        raise AssertionError(violation)

    return Replica(violated)


def agrees(replica: Replica, world: World) -> None:
    assert (replica.nodes, replica.links) == world.state()
    assert replica.rev == world.rev


def ids(before: dict[str, Any], after: dict[str, Any]) -> tuple[set[str], set[str], set[str]]:
    changed = {id for id in before if id in after and before[id] != after[id]}
    return set(after) - set(before), changed, set(before) - set(after)


def tells(change: Change | None, before: Any, after: Any) -> None:
    """Whether a change names all that differs, and besides only what is there before and after."""
    for nth, kind in enumerate(("nodes", "links")):
        added, changed, removed = ids(before[nth], after[nth])
        lists = getattr(change, kind) if change else None
        told = [set(one) for one in (lists.added, lists.changed, lists.removed)] if lists else [set(), set(), set()]
        assert (told[0], told[2]) == (added, removed)
        assert changed <= told[1] <= set(before[nth]) & set(after[nth])


@given(RANDOM)
def test_p5_diffs_in_the_order_received_give_what_is_seen(random: Random) -> None:
    world, replica = World(random), strict()
    replica.page(world.page())
    for _ in range(40):
        before = world.state()
        parts = world.step()
        changes = [change for change in map(replica.diff, parts) if change is not None]
        agrees(replica, world)
        if len(parts) == 1:
            tells(changes[0] if changes else None, before, world.state())


@given(RANDOM)
def test_p17_a_diff_in_parts_is_told_once_and_whole(random: Random) -> None:
    told: list[Change] = []
    world = World(random)
    follower = Follower(strict, told.append)
    follower.begin_snapshot()
    follower.snapshot(world.page())
    for _ in range(40):
        before = world.state()
        parts = world.step()
        told.clear()
        for part in parts:
            assert not told
            follower.take(part)
        assert len(told) <= 1
        tells(told[0] if told else None, before, world.state())
        agrees(follower.replica, world)


@given(RANDOM)
def test_g12_a_snapshot_and_what_was_put_aside_give_what_is_seen(random: Random) -> None:
    world = World(random)
    follower = Follower(strict)
    for _ in range(random.randrange(10)):
        world.step()
    for _ in range(3):
        follower.begin_snapshot()
        for _ in range(random.randrange(6)):
            for part in world.step():
                follower.take(part)
        snapshot = world.page()
        # A due time that passed may be told before or after the snapshot that it is in.
        for _ in range(random.randrange(6)):
            for part in world.step():
                follower.take(part)
        follower.snapshot(snapshot)
        agrees(follower.replica, world)
        for _ in range(5):
            for part in world.step():
                follower.take(part)
        agrees(follower.replica, world)


@given(RANDOM)
def test_p21_missed_and_live_diffs_in_any_mix_are_applied_once_each_by_rev(random: Random) -> None:
    world = World(random)
    follower = Follower(strict)
    follower.begin_snapshot()
    follower.snapshot(world.page())
    for _ in range(4):
        missed = [part for _ in range(random.randrange(5)) for part in world.step()]
        follower.begin_resume()
        live = [part for _ in range(random.randrange(5)) for part in world.step()]
        # What is live may come before the missed, and then again among them.
        for part in random.sample(live, random.randint(0, len(live))):
            follower.take(part)
        for part in [*missed, *live]:
            follower.take(part)
        assert follower.synced(recovered=True)
        agrees(follower.replica, world)


@given(RANDOM)
def test_p22_what_is_not_recovered_is_loaded_and_swapped_in_whole(random: Random) -> None:
    told: list[Change] = []
    world = World(random)
    while not world.nodes:
        world.step()
    follower = Follower(strict, told.append)
    follower.begin_snapshot()
    follower.snapshot(world.page())
    before = world.state()
    for _ in range(random.randrange(20)):
        world.step()
    told.clear()
    follower.begin_resume()
    assert not follower.synced(recovered=False)
    follower.begin_snapshot()
    # What is shown stays until the new graph is whole.
    assert (follower.replica.nodes, follower.replica.links) == before
    assert not told
    follower.snapshot(world.page())
    agrees(follower.replica, world)
    assert len(told) <= 1
    tells(told[0] if told else None, before, world.state())


@given(RANDOM, st.integers(1, 4))
def test_g2_pages_with_diffs_between_them_give_what_is_seen(random: Random, size: int) -> None:
    world = World(random)
    for _ in range(random.randrange(20)):
        world.step()
    replica = strict()
    sent: set[str] = set()
    order = sorted(world.nodes)
    while True:
        nodes, links = world.state()
        now = [id for id in order if id in nodes][:size]
        order = order[len(order) if not now else order.index(now[-1]) + 1 :]
        sent |= set(now)
        with_both = [one for one in links.values() if one["source"] in sent and one["target"] in sent]
        page = {"nodes": [nodes[id] for id in now], "links": with_both, "rev": world.rev, "hasMore": bool(order)}
        replica.page(cast(Page, page))
        if not order:
            break
        # Between pages only what was sent already changes here: what is new comes by diff.
        before = set(world.nodes)
        for part in world.step():
            sent |= {str(entry["after"]["id"]) for entry in part["nodes"] if entry["op"] in (0, 4, 7)}
            replica.diff(part)
        order = [id for id in order if id in before]
    assert replica.whole
    agrees(replica, world)


def diff(**fields: Any) -> Diff:
    return cast(
        Diff,
        {
            "batchId": "b",
            "rev": 2,
            "actor": None,
            "ts": "",
            "nodes": [],
            "links": [],
            "user": [],
            "access": [],
            **fields,
        },
    )


NODE = {"id": "n", "title": "a", "version": 1, "status": 0, "access": 0, "ownerEmail": "e", "ownerUsername": "e"}


@pytest.mark.parametrize(
    ("held", "told", "violation"),
    [
        (NODE, diff(rev=0), "leads back from rev 1 to 0"),
        (NODE, diff(nodes=[{"op": 99, "before": {}, "after": {"id": "n"}}]), "operation 99 is none"),
        (NODE, diff(user=[{"op": 20, "before": {}, "after": {}}]), "operation 20 is none on users"),
        (
            NODE,
            diff(nodes=[{"op": 1, "before": {"title": "b"}, "after": {"id": "n", "title": "c", "version": 2}}]),
            "title was 'b', held is 'a'",
        ),
        (
            NODE,
            diff(nodes=[{"op": 1, "before": {"title": "a"}, "after": {"id": "n", "title": "c", "version": 3}}]),
            "from version 1 to 3",
        ),
        (NODE, diff(nodes=[{"op": 9, "before": {"phantom": True}, "after": NODE}]), "is full already"),
        (
            {"id": "n", "phantom": True, "status": 0},
            diff(nodes=[{"op": 9, "before": {}, "after": {"id": "n", "phantom": True}}]),
            "fades twice",
        ),
        (
            {"id": "n", "phantom": True, "status": 0},
            diff(nodes=[{"op": 1, "before": {}, "after": {"id": "n", "title": "c"}}]),
            "not just its status",
        ),
    ],
)
def test_p12_a_strict_replica_tells_what_the_rules_do_not_foresee(held: Any, told: Diff, violation: str) -> None:
    violations: list[str] = []
    replica = Replica(violations.append)
    replica.page(cast(Page, {"nodes": [held], "links": [], "rev": 1}))
    replica.diff(told)
    assert len(violations) == 1 and violation in violations[0]


def test_p5_a_page_with_a_link_before_its_ends_is_a_violation() -> None:
    violations: list[str] = []
    link = {"id": "l", "source": "n", "target": "m", "version": 1}
    Replica(violations.append).page(cast(Page, {"nodes": [NODE], "links": [link], "rev": 1}))
    assert violations == ["a page brings link l without its end m"]


def test_entities_are_never_changed_in_place() -> None:
    replica = Replica()
    replica.page(cast(Page, {"nodes": [NODE], "links": [], "rev": 1}))
    kept = replica.nodes["n"]
    replica.diff(diff(nodes=[{"op": 1, "before": {"title": "a"}, "after": {"id": "n", "title": "b", "version": 2}}]))
    assert kept == NODE and replica.nodes["n"] != NODE
