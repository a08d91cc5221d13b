"""A world that knows what a user sees at every rev, and tells it as the server would. It is the model that the replica is
held against: it keeps whole states and has no diffs to apply."""

from __future__ import annotations

import copy
from random import Random
from typing import Any, cast

from synaptask import Diff, Page
from synaptask.replica import (
    LINK_ADD,
    LINK_DELETE,
    LINK_HIDE,
    LINK_RESTORE,
    LINK_SHOW,
    LINK_SWAP,
    LINK_TRASH,
    LINK_UPDATE,
    NODE_ACCESS,
    NODE_ADD,
    NODE_DELETE,
    NODE_HIDE,
    NODE_PUBLISH,
    NODE_RESTORE,
    NODE_SHOW,
    NODE_STATUS,
    NODE_TRASH,
    NODE_UPDATE,
    USER_UPDATE,
)

NODES, LINKS = [f"n{nth}" for nth in range(8)], [f"l{nth}" for nth in range(8)]
OWNERS = ["ada@example.com", "ben@example.com"]

Entity = dict[str, Any]
State = tuple[dict[str, Entity], dict[str, Entity]]


class World:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.nodes: dict[str, Entity] = {}
        self.links: dict[str, Entity] = {}
        self.rev = 0
        self.states: list[State] = [({}, {})]
        """By rev, what is seen then. What expires changes the state of its rev."""

    def state(self) -> State:
        return copy.deepcopy((self.nodes, self.links))

    def page(self) -> Page:
        nodes, links = self.state()
        return cast(Page, {"nodes": list(nodes.values()), "links": list(links.values()), "rev": self.rev})

    def step(self) -> list[Diff]:
        """What happens next, in the parts in which it is told."""
        expires = self.rev > 0 and self.random.random() < 0.15
        nodes: list[Entity] = []
        links: list[Entity] = []
        user: list[Entity] = []
        if expires:
            self._hide(nodes, links)
        else:
            self.rev += 1
            for _ in range(self.random.randint(1, 4)):
                self.random.choice((self._node, self._node, self._link))(nodes, links)
            if self.random.random() < 0.2:
                self._rename(user)
        if expires and not nodes:
            return []
        del self.states[self.rev :]
        self.states.append(self.state())
        return self._parts(nodes, links, user, None if expires else f"b{self.rev}")

    def _parts(self, nodes: list[Entity], links: list[Entity], user: list[Entity], batch: str | None) -> list[Diff]:
        cuts = self.random.randint(1, 3) if batch is not None and len(nodes) > 1 else 1
        size = -(-max(1, len(nodes)) // cuts)
        count = -(-max(1, len(nodes)) // size)
        parts = []
        for nth in range(count):
            is_last = nth == count - 1
            part: Entity = {"batchId": batch, "rev": self.rev, "actor": None, "ts": "", "access": []}
            part |= {
                "nodes": nodes[nth * size : (nth + 1) * size],
                "links": links if is_last else [],
                "user": user if is_last else [],
            }
            if count > 1:
                part |= {"part": nth + 1, "parts": count}
            parts.append(cast(Diff, copy.deepcopy(part)))
        return parts

    def _new(self, id: str) -> Entity:
        owner = self.random.choice(OWNERS)
        return {
            "id": id,
            "title": str(self.random.random()),
            "version": self.random.randint(1, 5),
            "status": 0,
            "access": 0,
            "ownerEmail": owner,
            "ownerUsername": owner[:3],
            "shareRoots": [],
        }

    def _node(self, nodes: list[Entity], links: list[Entity]) -> None:
        id = self.random.choice(NODES)
        has = self.nodes.get(id)
        if has is None:
            self._enters(nodes, self.nodes, id, self._new(id), (NODE_ADD, NODE_RESTORE, NODE_SHOW))
        elif "phantom" in has:
            if self.random.random() < 0.5:
                has["status"] = self.random.randrange(4)
                nodes.append({"op": NODE_STATUS, "before": {}, "after": {"id": id, "status": has["status"]}})
            else:
                self.nodes[id] = self._new(id)
                nodes.append({"op": NODE_ACCESS, "before": {"phantom": True}, "after": dict(self.nodes[id])})
        else:
            self._changes(nodes, links, id, has)

    def _enters(
        self, entries: list[Entity], held: dict[str, Entity], id: str, entity: Entity, ops: tuple[int, ...]
    ) -> None:
        op = self.random.choice(ops)
        held[id] = entity
        back = {"inTrash": False, "lastBatchID": "b"} if op in (NODE_RESTORE, LINK_RESTORE) else {}
        entries.append({"op": op, "before": {}, "after": {**entity, **back}})

    def _changes(self, nodes: list[Entity], links: list[Entity], id: str, has: Entity) -> None:
        kind = self.random.choice(("update", "status", "publish", "access", "fades", "leaves", "leaves"))
        if kind == "leaves":
            op, after = self.random.choice(
                (
                    (NODE_TRASH, {"id": id, "inTrash": True}),
                    (NODE_DELETE, {"id": id, "deleted": True}),
                    (NODE_HIDE, {"id": id, "hidden": True}),
                )
            )
            # Its links go before it, in the same diff: links are applied after nodes.
            for link in [one for one in self.links.values() if id in (one["source"], one["target"])]:
                del self.links[link["id"]]
                links.append(
                    {"op": LINK_HIDE, "before": {"id": link["id"]}, "after": {"id": link["id"], "hidden": True}}
                )
            del self.nodes[id]
            nodes.append({"op": op, "before": dict(has), "after": after})
        elif kind == "fades":
            self.nodes[id] = {"id": id, "phantom": True, "status": has["status"]}
            nodes.append({"op": NODE_ACCESS, "before": {"access": has["access"]}, "after": dict(self.nodes[id])})
        elif kind == "access":
            before, has["access"] = has["access"], self.random.randrange(4)
            nodes.append(
                {"op": NODE_ACCESS, "before": {"access": before}, "after": {"id": id, "access": has["access"]}}
            )
        else:
            field = {"update": "title", "status": "status", "publish": "publicBranch"}[kind]
            op = {"update": NODE_UPDATE, "status": NODE_STATUS, "publish": NODE_PUBLISH}[kind]
            before = {"id": id, "version": has["version"]} | ({field: has[field]} if field in has else {})
            has[field] = self.random.randrange(4)
            has["version"] += 1
            nodes.append(
                {"op": op, "before": before, "after": {"id": id, field: has[field], "version": has["version"]}}
            )

    def _link(self, nodes: list[Entity], links: list[Entity]) -> None:
        id = self.random.choice(LINKS)
        has = self.links.get(id)
        if has is None:
            if len(self.nodes) < 2:
                return
            source, target = self.random.sample(sorted(self.nodes), 2)
            link = {"id": id, "source": source, "target": target, "type": 0, "version": 1, "shareRoots": []}
            self._enters(links, self.links, id, link, (LINK_ADD, LINK_RESTORE, LINK_SHOW))
        elif self.random.random() < 0.5:
            op, after = self.random.choice(
                (
                    (LINK_TRASH, {"id": id}),
                    (LINK_DELETE, {"id": id, "deleted": True}),
                    (LINK_HIDE, {"id": id, "hidden": True}),
                )
            )
            del self.links[id]
            links.append({"op": op, "before": dict(has), "after": after})
        else:
            swaps = self.random.random() < 0.5
            fields = {"source": has["target"], "target": has["source"]} if swaps else {"type": 1 - has["type"]}
            before = {"version": has["version"], **{name: has[name] for name in fields}}
            has.update(fields, version=has["version"] + 1)
            after = {"id": id, "version": has["version"], **fields}
            links.append({"op": LINK_SWAP if swaps else LINK_UPDATE, "before": before, "after": after})

    def _rename(self, user: list[Entity]) -> None:
        email = self.random.choice(OWNERS)
        name = f"name-{self.random.randrange(100)}"
        for node in self.nodes.values():
            if node.get("ownerEmail") == email:
                node["ownerUsername"] = name
        user.append(
            {
                "op": USER_UPDATE,
                "before": {"email": email, "username": "x"},
                "after": {"email": email, "username": name},
            }
        )

    def _hide(self, nodes: list[Entity], links: list[Entity]) -> None:
        """A due time passes: some of what is seen is not any more, and some is a phantom."""
        for id, has in list(self.nodes.items()):
            if "phantom" in has or self.random.random() < 0.6:
                continue
            if self.random.random() < 0.3:
                self.nodes[id] = {"id": id, "phantom": True, "status": has["status"]}
                nodes.append({"op": NODE_ACCESS, "before": {"access": has["access"]}, "after": dict(self.nodes[id])})
                continue
            for link in [one for one in self.links.values() if id in (one["source"], one["target"])]:
                del self.links[link["id"]]
                links.append(
                    {"op": LINK_HIDE, "before": {"id": link["id"]}, "after": {"id": link["id"], "hidden": True}}
                )
            del self.nodes[id]
            nodes.append({"op": NODE_HIDE, "before": {"id": id}, "after": {"id": id, "hidden": True}})
