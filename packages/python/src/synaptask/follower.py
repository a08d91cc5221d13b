"""What happens to all that one connection brings. Like the replica it has no network, clock, threads or randomness."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Literal

from ._generated import Diff
from .replica import Change, Page, Replica, difference, merged

FollowerState = Literal["empty", "loading", "live", "resuming"]
"""`empty`: nothing is loaded; `live`: what comes is applied; `resuming`: what was missed is awaited."""


class Follower:
    """Decides what is applied at once, what is put aside until a snapshot or the answer to graph:sync has come, and
    when a newly loaded graph takes the place of the one shown.

    Everything must be given to it in the order received. `on_change` is told of every change of the graph that is
    shown; a diff in parts is one change, told after its last part.
    """

    def __init__(
        self, new_replica: Callable[[], Replica] = Replica, on_change: Callable[[Change], None] | None = None
    ) -> None:
        self._new_replica = new_replica
        self._on_change = on_change
        self.replica = new_replica()
        """The replica that is shown. A load that replaces a graph puts a new one here when it is whole."""
        self.state: FollowerState = "empty"
        # The replica that a load fills.
        self._next: Replica | None = None
        # What has come and must wait.
        self._aside: list[Diff] | None = None
        # What has changed and was not told yet: a diff of which parts are missing.
        self._untold: list[Change] = []
        self._is_forgotten = False

    @property
    def since(self) -> int | None:
        """The rev to give to graph:sync, or None if only a load helps."""
        can = self.replica.whole and self._next is None and not self._is_forgotten
        return self.replica.rev if can else None

    def forget(self) -> None:
        """Has the next connection load, whatever it could catch up with."""
        self._is_forgotten = True

    def begin_snapshot(self) -> None:
        """A snapshot is about to be asked for: from now on diffs are put aside."""
        self._begin("loading", self._new_replica(), [])

    def begin_pages(self) -> None:
        """The page at offset 0 is about to be asked for: from now on diffs go into what the pages bring."""
        self._begin("loading", self._new_replica(), None)

    def begin_resume(self) -> None:
        """graph:sync is about to be asked for: from now on diffs are put aside."""
        self._begin("resuming", None, [])

    def _begin(self, state: FollowerState, next: Replica | None, aside: list[Diff] | None) -> None:
        self.state, self._next, self._aside = state, next, aside

    def take(self, diff: Diff) -> None:
        """Takes a `graph:diff`, or the diff of an answer to one of the connection's own requests.

        The diff of an answer that is marked `replayed` is not to be given (SPEC.md P25), nor is one without entries
        (`batchId` None in an answer).
        """
        if self._aside is not None:
            self._aside.append(diff)
        elif self._next is not None:
            self._next.diff(diff)
        elif self.state == "live":
            self._note(self.replica.diff(diff))
            if _is_whole(diff):
                self._tell()

    def page(self, page: Page) -> None:
        """Takes a page of graph:get, each in its turn."""
        if self._next is None:
            return
        self._next.page(page)
        if self._next.whole:
            self._show(self._next)

    def snapshot(self, snapshot: Page) -> None:
        """Takes the snapshot, and then what was put aside and is later (SPEC.md G12)."""
        next, aside = self._next, self._aside
        if next is None or aside is None:
            return
        next.page(snapshot)
        for diff in _in_order(aside):
            if diff["rev"] > snapshot["rev"]:
                next.diff(diff)
            elif diff["rev"] == snapshot["rev"] and diff["batchId"] is None:
                # A due time that passed has no rev of its own: the snapshot may be from before it or after it.
                next.diff(diff, perhaps_applied=True)
        self._show(next)

    def synced(self, *, recovered: bool) -> bool:
        """Takes the answer to graph:sync: what was missed has come, and what was put aside is applied in the order of
        commits, each diff and part once (SPEC.md P21). Returns False if what was missed is no longer kept, and the
        graph must be loaded."""
        aside = self._aside or []
        if not recovered:
            self._begin("empty", None, None)
            return False
        self._begin("live", None, None)
        missed = _in_order(aside)
        for diff in missed:
            self._note(self.replica.diff(diff))
        if not missed or _is_whole(missed[-1]):
            self._tell()
        return True

    def _show(self, next: Replica) -> None:
        change = difference(self.replica, next)
        self.replica = next
        self._is_forgotten = False
        self._begin("live", None, None)
        self._note(change)
        self._tell()

    def _note(self, change: Change | None) -> None:
        if change is not None:
            self._untold.append(change)

    def _tell(self) -> None:
        change = merged(self._untold)
        self._untold.clear()
        if change is not None and self._on_change is not None:
            self._on_change(change)


def _in_order(diffs: Sequence[Diff]) -> list[Diff]:
    """Diffs by rev, and the parts of one in turn; each once. What expired after a batch follows it, as it was told."""
    once: dict[str, Diff] = {}
    for diff in diffs:
        batch = diff["batchId"]
        name = json.dumps(diff, sort_keys=True) if batch is None else f"{diff['rev']} {batch} {_part(diff)}"
        # The last telling counts: what was missed is told again in order.
        once.pop(name, None)
        once[name] = diff
    # Expiries of one rev keep the order they came in: sorting is stable.
    return sorted(once.values(), key=lambda diff: (diff["rev"], diff["batchId"] is None, _part(diff)))


def _part(diff: Diff) -> int:
    return diff.get("part", 1)


def _is_whole(diff: Diff) -> bool:
    """Whether a diff ends with this part."""
    return _part(diff) == diff.get("parts", 1)
