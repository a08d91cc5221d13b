"""The graph of one user, kept from what the server sends. No network, clock, threads or randomness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict, cast

from typing_extensions import NotRequired, TypeIs

from ._generated import Diff, Link, Node, Phantom

GraphNode = Node | Phantom
"""A node of the graph as its user sees it: whole, or a phantom."""

# The operation codes of the entries of a diff (SPEC.md O12).
NODE_ADD, NODE_UPDATE, NODE_STATUS, NODE_TRASH, NODE_RESTORE = 0, 1, 2, 3, 4
NODE_DELETE, NODE_PUBLISH, NODE_SHOW, NODE_HIDE, NODE_ACCESS = 5, 6, 7, 8, 9
LINK_ADD, LINK_UPDATE, LINK_TRASH, LINK_RESTORE, LINK_DELETE, LINK_SWAP = 10, 11, 12, 13, 14, 15
LINK_SHOW, LINK_HIDE = 17, 18
USER_UPDATE = 30

_INSERTS = frozenset((NODE_ADD, NODE_RESTORE, NODE_SHOW, LINK_ADD, LINK_RESTORE, LINK_SHOW))
_RESTORES = frozenset((NODE_RESTORE, LINK_RESTORE))
_REMOVES = frozenset((NODE_TRASH, NODE_DELETE, NODE_HIDE, LINK_TRASH, LINK_DELETE, LINK_HIDE))
_CHANGES = frozenset((NODE_UPDATE, NODE_STATUS, NODE_PUBLISH, LINK_UPDATE, LINK_SWAP))

Fields = Mapping[str, object]


class Page(TypedDict):
    """A page of graph:get, or a snapshot, which is the whole graph in one page."""

    nodes: list[GraphNode]
    links: list[Link]
    rev: int
    hasMore: NotRequired[bool]


def is_phantom(node: GraphNode) -> TypeIs[Phantom]:
    """Whether a node is a phantom: one that holds a task up, and of which only `id` and `status` may be seen."""
    return "phantom" in node


def is_node(node: GraphNode) -> TypeIs[Node]:
    """Whether a node is whole, and not a phantom."""
    return "phantom" not in node


@dataclass(frozen=True)
class ChangedIds:
    """What one step did to a set of entities: their ids, each in one list."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """What one step did to the graph; `rev` is the place in the order of commits that the graph is at now."""

    rev: int
    nodes: ChangedIds
    links: ChangedIds


Kind = Literal["added", "changed", "removed"]


class ChangeLog:
    """Gathers what happens to each entity, so that every id ends in at most one list."""

    def __init__(self) -> None:
        self.nodes: dict[str, Kind] = {}
        self.links: dict[str, Kind] = {}

    def follow(self, change: Change) -> None:
        """Adds a change that followed what is gathered."""
        for log, ids in ((self.nodes, change.nodes), (self.links, change.links)):
            for id in ids.added:
                note_put(log, id, had=False)
            for id in ids.changed:
                note_put(log, id, had=True)
            for id in ids.removed:
                note_removed(log, id)

    def take(self, rev: int) -> Change | None:
        """The change gathered since the last call, or None if there was none."""
        if not self.nodes and not self.links:
            return None
        change = Change(rev, _listed(self.nodes), _listed(self.links))
        self.nodes.clear()
        self.links.clear()
        return change


def note_put(log: dict[str, Kind], id: str, *, had: bool) -> None:
    """Notes that an entity was put where there was none, or in place of another."""
    before = log.get(id)
    if had:
        log[id] = before or "changed"
    else:
        log[id] = "changed" if before == "removed" else "added"


def note_removed(log: dict[str, Kind], id: str) -> None:
    """Notes that an entity that was held is no longer."""
    if log.get(id) == "added":
        del log[id]
    else:
        log[id] = "removed"


def merged(changes: Iterable[Change]) -> Change | None:
    """Several changes, one after the other, as one; None if they cancel out."""
    log, rev = ChangeLog(), 0
    for change in changes:
        log.follow(change)
        rev = max(rev, change.rev)
    return log.take(rev)


def difference(before: Replica, after: Replica) -> Change | None:
    """What differs between two replicas."""
    log = ChangeLog()
    _note_difference(log.nodes, before.nodes, after.nodes)
    _note_difference(log.links, before.links, after.links)
    return log.take(after.rev)


class Replica:
    """The graph as its user sees it, kept by the rules of the live view (SPEC.md P5, P12, P17).

    Pages overwrite. Diffs are applied in the order received, entry by entry, nodes before links. Entities are never
    changed in place: whoever keeps one has it as it was.

    `on_violation` is told, in a sentence, of everything received that those rules do not foresee. The replica applies
    it all the same, as well as can be. By default violations are passed over in silence; tests raise.
    """

    def __init__(self, on_violation: Callable[[str], None] | None = None) -> None:
        self.nodes: dict[str, GraphNode] = {}
        self.links: dict[str, Link] = {}
        self.rev = 0
        """The place in the order of commits that the replica is at."""
        self.whole = False
        """Whether a snapshot, or the last page of a load, has come."""
        self._log = ChangeLog()
        self._on_violation = on_violation

    def page(self, page: Page) -> Change | None:
        """Takes in a page of graph:get, or a snapshot (a page without `hasMore`). What it has overwrites what is held."""
        for node in page["nodes"]:
            self._put_node(node["id"], node)
        for link in page["links"]:
            for end in (link["source"], link["target"]):
                if end not in self.nodes:
                    self._violation(f"a page brings link {link['id']} without its end {end}")
            self._put_link(link["id"], link)
        self.rev = max(self.rev, page["rev"])
        if not page.get("hasMore", False):
            self.whole = True
        return self._log.take(self.rev)

    def diff(self, diff: Diff, *, perhaps_applied: bool = False) -> Change | None:
        """Applies a diff, or a part of one.

        `perhaps_applied`: the replica may have what the diff tells already (SPEC.md G12), so that what it says was
        before need not be what is held.
        """
        if diff["rev"] < self.rev:
            self._violation(f"a diff leads back from rev {self.rev} to {diff['rev']}")
        self.rev = max(self.rev, diff["rev"])
        for entry in _entries(diff["nodes"]):
            put = self._entry(cast("dict[str, Fields]", self.nodes), self._log.nodes, entry, perhaps_applied)
            if put is not None:
                self._put_node(str(entry[2]["id"]), cast(GraphNode, put))
        for entry in _entries(diff["links"]):
            put = self._entry(cast("dict[str, Fields]", self.links), self._log.links, entry, perhaps_applied)
            if put is not None:
                self._put_link(str(entry[2]["id"]), cast(Link, put))
        for entry in _entries(diff["user"]):
            self._rename(*entry)
        return self._log.take(self.rev)

    def _entry(
        self, held: dict[str, Fields], log: dict[str, Kind], entry: tuple[int, Fields, Fields], perhaps_applied: bool
    ) -> Fields | None:
        """Carries out an entry; returns the entity to be put, if it puts one."""
        op, before, after = entry
        id = str(after["id"])
        if op in _INSERTS:
            if op not in _RESTORES:
                return after
            # It says that it has left the trash, which an entity in the graph does not.
            return {name: value for name, value in after.items() if name not in ("inTrash", "lastBatchID")}
        if op in _REMOVES:
            if held.pop(id, None) is not None:
                note_removed(log, id)
            return None
        if op != NODE_ACCESS and op not in _CHANGES:
            self._violation(f"operation {op} is none that a diff has")
            return None
        has = held.get(id)
        # What is not held yet comes with a later page.
        if has is None:
            return None
        if not perhaps_applied:
            self._check(op, has, before, after)
        whole = after.get("phantom") is True or (op == NODE_ACCESS and before.get("phantom") is True)
        return after if whole else {**has, **after}

    def _rename(self, op: int, before: Fields, after: Fields) -> None:
        """Renames the owner of nodes (SPEC.md O26)."""
        if op != USER_UPDATE:
            return self._violation(f"operation {op} is none on users")
        if "username" not in after:
            return
        for id, node in list(self.nodes.items()):
            if is_node(node) and node["ownerEmail"] == before["email"]:
                named = {**node, "ownerEmail": after["email"], "ownerUsername": after["username"]}
                self._put_node(id, cast(Node, named))

    def _put_node(self, id: str, node: GraphNode) -> None:
        note_put(self._log.nodes, id, had=id in self.nodes)
        self.nodes[id] = node

    def _put_link(self, id: str, link: Link) -> None:
        note_put(self._log.links, id, had=id in self.links)
        self.links[id] = link

    def _check(self, op: int, has: Fields, before: Fields, after: Fields) -> None:
        """Whether a change fits what is held."""
        was_phantom = "phantom" in has
        if op == NODE_ACCESS and after.get("phantom") is True:
            if was_phantom:
                self._violation(f"{has['id']} fades twice")
            return
        if op == NODE_ACCESS and before.get("phantom") is True:
            if not was_phantom:
                self._violation(f"{has['id']} is full already")
            return
        for name, value in before.items():
            if name not in has or has[name] != value:
                self._violation(f"{has['id']}: {name} was {value!r}, held is {has.get(name)!r}")
        if op == NODE_ACCESS:
            return
        if was_phantom:
            if set(after) != {"id", "status"}:
                self._violation(f"the phantom {has['id']} changes not just its status: {sorted(after)}")
        elif after.get("version") != cast(int, has["version"]) + 1:
            self._violation(f"{has['id']} goes from version {has['version']} to {after.get('version')}")

    def _violation(self, violation: str) -> None:
        if self._on_violation is not None:
            self._on_violation(violation)


def _entries(entries: Iterable[object]) -> Iterable[tuple[int, Fields, Fields]]:
    for entry in cast("Iterable[dict[str, object]]", entries):
        yield cast(int, entry["op"]), cast(Fields, entry["before"]), cast(Fields, entry["after"])


def _listed(log: dict[str, Kind]) -> ChangedIds:
    def of(kind: Kind) -> tuple[str, ...]:
        return tuple(id for id, one in log.items() if one == kind)

    return ChangedIds(of("added"), of("changed"), of("removed"))


def _note_difference(log: dict[str, Kind], before: Mapping[str, object], after: Mapping[str, object]) -> None:
    for id in before:
        if id not in after:
            log[id] = "removed"
    for id, entity in after.items():
        if id not in before:
            log[id] = "added"
        elif before[id] != entity:
            log[id] = "changed"
