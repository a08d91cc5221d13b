"""Types and methods of every operation of the server. Written by generate.py; do not edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union, cast, overload

from typing_extensions import NotRequired, TypedDict, Unpack, final


@dataclass(frozen=True)
class Way:
    """How an operation travels."""

    method: str | None = None
    """Over REST; None if it goes over sockets alone."""
    path: str | None = None
    socket: bool = True
    """Whether it goes over sockets."""
    batch: str | None = None
    """The field that names the batch, so that the operation can be sent again and is done once."""
    relay: bool = False
    """Whether it is passed on and forgotten."""


@final
class GraphGetInput(TypedDict):
    limit: NotRequired[int]
    """How many at most. 1 to 5000."""
    offset: NotRequired[int]
    """How many to skip. At least 0."""


@final
class GraphPage(TypedDict):
    """A page of what the caller sees."""

    ok: Literal[True]
    hasMore: bool
    """Whether there is another page."""
    nodes: list[Node | Phantom]
    links: list[Link]
    rev: int
    """The position in the order of all batches that this reflects."""
    trace_id: str
    """Names the request in the server's log."""


@final
class Node(TypedDict):
    """A node."""

    id: str
    title: str
    """The title; at most 80 Unicode scalar values."""
    description: str
    """The description; at most 400 Unicode scalar values."""
    status: Literal[0, 1, 2, 3]
    """The status. Users set any value but `Blocked`, which follows from what the node depends on."""
    dueDate: str | None
    """The due date, in whole seconds; `None` if there is none."""
    tags: list[str]
    """At most 32 tags, each trimmed and of 1 to 50 Unicode scalar values, without duplicates."""
    priority: int
    """0 to 9; 9 is the most urgent."""
    volume: int
    """The visual size, 0 to 9."""
    independent: bool
    """True for a node that is never blocked by what it depends on."""
    assignee: list[str]
    """Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values."""
    x: float
    """The first coordinate in graph space; finite."""
    y: float
    """The second coordinate; finite."""
    z: float
    """The third coordinate; finite."""
    pinned: bool
    """A mark for clients: a layout does not move the node."""
    collapsed: bool
    """A mark for clients: the nodes it depends on are folded away."""
    type: Literal[0]
    """Always 0."""
    version: int
    """Counts the node's changes."""
    createdTime: str
    lastEditedTime: str
    ownerUsername: str | None
    ownerEmail: str | None
    publicToken: str | None
    """The public token, for those who may publish the node."""
    publicDue: str | None
    """When the publication ends; null if it does not."""
    publicBranch: bool | None
    """Whether the whole branch is public; null if nothing is."""
    access: Literal[0, 1, 2, 3]
    """The reader's access."""
    shareRoots: list[str]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""


@final
class Phantom(TypedDict):
    """A node of which the reader sees no more: a node that they see depends on it."""

    id: str
    status: Literal[0, 1, 2, 3]
    """0 available, 1 in progress, 2 blocked, 3 completed"""
    phantom: Literal[True]


@final
class Link(TypedDict):
    """A link: its target waits for its source."""

    id: str
    source: str
    target: str
    type: Literal[0, 1]
    """0 primary, 1 secondary"""
    private: bool
    wasBlocker: bool
    """Whether the source held the target when the link was trashed."""
    version: int
    """Counts the link's changes."""
    createdTime: str
    lastEditedTime: str
    shareRoots: list[str]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""


@final
class TrashPageInput(TypedDict):
    limit: NotRequired[int]
    """How many at most. 1 to 1000."""
    offset: NotRequired[int]
    """How many to skip. At least 0."""


@final
class TrashPage(TypedDict):
    """A page of the trash, latest first."""

    ok: Literal[True]
    hasMore: bool
    """Whether there is another page."""
    nodes: list[TrashedNode]
    links: list[TrashedLink]
    rev: int
    """The position in the order of all batches that this reflects."""
    trace_id: str
    """Names the request in the server's log."""


@final
class TrashedNode(TypedDict):
    """A node."""

    id: str
    title: str
    """The title; at most 80 Unicode scalar values."""
    description: str
    """The description; at most 400 Unicode scalar values."""
    status: Literal[0, 1, 2, 3]
    """The status. Users set any value but `Blocked`, which follows from what the node depends on."""
    dueDate: str | None
    """The due date, in whole seconds; `None` if there is none."""
    tags: list[str]
    """At most 32 tags, each trimmed and of 1 to 50 Unicode scalar values, without duplicates."""
    priority: int
    """0 to 9; 9 is the most urgent."""
    volume: int
    """The visual size, 0 to 9."""
    independent: bool
    """True for a node that is never blocked by what it depends on."""
    assignee: list[str]
    """Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values."""
    x: float
    """The first coordinate in graph space; finite."""
    y: float
    """The second coordinate; finite."""
    z: float
    """The third coordinate; finite."""
    pinned: bool
    """A mark for clients: a layout does not move the node."""
    collapsed: bool
    """A mark for clients: the nodes it depends on are folded away."""
    type: Literal[0]
    """Always 0."""
    version: int
    """Counts the node's changes."""
    createdTime: str
    lastEditedTime: str
    ownerUsername: str | None
    ownerEmail: str | None
    publicToken: str | None
    """The public token, for those who may publish the node."""
    publicDue: str | None
    """When the publication ends; null if it does not."""
    publicBranch: bool | None
    """Whether the whole branch is public; null if nothing is."""
    access: Literal[0, 1, 2, 3]
    """The reader's access."""
    shareRoots: list[str]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""
    inTrash: Literal[True]
    lastBatchID: str
    """The batch that trashed or restored it."""


@final
class TrashedLink(TypedDict):
    """A link: its target waits for its source."""

    id: str
    source: str
    target: str
    type: Literal[0, 1]
    """0 primary, 1 secondary"""
    private: bool
    wasBlocker: bool
    """Whether the source held the target when the link was trashed."""
    version: int
    """Counts the link's changes."""
    createdTime: str
    lastEditedTime: str
    shareRoots: list[str]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""
    inTrash: Literal[True]
    lastBatchID: str
    """The batch that trashed or restored it."""


@final
class TrashListInput(TypedDict):
    limit: NotRequired[int]
    """How many at most. 1 to 1000."""
    offset: NotRequired[int]
    """How many to skip. At least 0."""


@final
class BranchGetInput(TypedDict):
    root: str
    """The root of the branch, or a public token. A node's UUID, or a public token of at most 100 characters."""
    limit: NotRequired[int]
    """How many at most. 1 to 5000."""
    offset: NotRequired[int]
    """How many to skip. At least 0."""


@final
class BranchPage(TypedDict):
    """A page of a branch. Callers without an account get public nodes."""

    ok: Literal[True]
    hasMore: bool
    """Whether there is another page."""
    nodes: list[Node | Phantom | PublicNode]
    links: list[Link]
    rev: int
    """The position in the order of all batches that this reflects."""
    trace_id: str
    """Names the request in the server's log."""


@final
class PublicNode(TypedDict):
    """A node."""

    id: str
    title: str
    """The title; at most 80 Unicode scalar values."""
    description: str
    """The description; at most 400 Unicode scalar values."""
    status: Literal[0, 1, 2, 3]
    """The status. Users set any value but `Blocked`, which follows from what the node depends on."""
    dueDate: str | None
    """The due date, in whole seconds; `None` if there is none."""
    tags: list[str]
    """At most 32 tags, each trimmed and of 1 to 50 Unicode scalar values, without duplicates."""
    priority: int
    """0 to 9; 9 is the most urgent."""
    volume: int
    """The visual size, 0 to 9."""
    independent: bool
    """True for a node that is never blocked by what it depends on."""
    assignee: list[str]
    """Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values."""
    x: float
    """The first coordinate in graph space; finite."""
    y: float
    """The second coordinate; finite."""
    z: float
    """The third coordinate; finite."""
    pinned: bool
    """A mark for clients: a layout does not move the node."""
    collapsed: bool
    """A mark for clients: the nodes it depends on are folded away."""
    type: Literal[0]
    """Always 0."""
    version: int
    """Counts the node's changes."""
    createdTime: str
    lastEditedTime: str
    ownerUsername: str | None
    publicToken: str | None
    """The public token, for those who may publish the node."""
    publicDue: str | None
    """When the publication ends; null if it does not."""
    publicBranch: bool | None
    """Whether the whole branch is public; null if nothing is."""
    access: Literal[0, 1, 2, 3]
    """The reader's access."""
    shareRoots: list[str]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""


@final
class GraphSnapshotInput(TypedDict):
    root: NotRequired[str]
    """The root of the branch that is read, or a public token. Left out, it is the whole graph. A node's UUID, or a
    public token of at most 100 characters."""


@final
class Snapshot(TypedDict):
    """Everything that the caller sees, of the graph or of a branch."""

    ok: Literal[True]
    rev: int
    """The position in the order of all batches that this reflects."""
    nodes: list[Node | Phantom | PublicNode]
    links: list[Link]
    trace_id: str
    """Names the request in the server's log."""


@final
class GraphWhyInput(TypedDict):
    id: str
    """The node. UUID."""


@final
class Why(TypedDict):
    """Why a task waits."""

    ok: Literal[True]
    held: bool
    """Whether it is held."""
    blockers: list[str]
    """The tasks that hold it directly."""
    frontier: list[WhyFrontierItem]
    more: bool
    """Whether there are more than these."""
    rev: int
    """The position in the order of all batches that this reflects."""
    trace_id: str
    """Names the request in the server's log."""


@final
class WhyFrontierItem(TypedDict):
    """A task at the end of what is waited for: nothing holds it."""

    id: str
    phantom: bool
    """Whether the caller sees no more of it than its status."""
    chain: list[str]
    """The tasks from it to the one that waits."""


@final
class GraphReadyInput(TypedDict):
    mine: NotRequired[bool]
    """Whether only tasks of the caller are meant. True or false."""
    root: NotRequired[str]
    """The root of the branch that is read, or a public token. Left out, it is the whole graph. A node's UUID, or a
    public token of at most 100 characters."""
    limit: NotRequired[int]
    """How many at most. 1 to 1000."""


@final
class Ready(TypedDict):
    """What can be started."""

    ok: Literal[True]
    tasks: list[ReadyTasksItem]
    more: bool
    """Whether there are more than these."""
    rev: int
    """The position in the order of all batches that this reflects."""
    trace_id: str
    """Names the request in the server's log."""


@final
class ReadyTasksItem(TypedDict):
    """A task that can be started."""

    id: str
    reason: ReadyTasksItemReason
    """Why the task has its place."""


@final
class ReadyTasksItemReason(TypedDict):
    """Why the task has its place."""

    due: str | None
    """When it is due, or what waits for it."""
    holds: int
    """How many tasks wait for it."""
    atLeast: bool
    """Whether there may be more."""
    priority: int


@final
class GraphCriticalInput(TypedDict):
    id: NotRequired[str | None]
    """The task that the chains lead to. Left out, any task. UUID."""
    root: NotRequired[str]
    """The root of the branch that is read, or a public token. Left out, it is the whole graph. A node's UUID, or a
    public token of at most 100 characters."""


@final
class Critical(TypedDict):
    """The longest chains."""

    ok: Literal[True]
    tasks: Longest
    """By the number of tasks."""
    volume: Longest
    """By the sum of their volumes."""
    rev: int
    """The position in the order of all batches that this reflects."""
    trace_id: str
    """Names the request in the server's log."""


@final
class Longest(TypedDict):
    """The longest chain of tasks that are not completed."""

    length: int
    chain: list[str]
    slack: list[LongestSlackItem]
    more: bool
    """Whether there are more than these."""


@final
class LongestSlackItem(TypedDict):
    """By how much a task may grow before it is on the longest chain."""

    id: str
    slack: int


@final
class GraphSyncInput(TypedDict):
    since: int
    """The rev of the last diff, page or ack that was received. A whole number."""


@final
class Synced(TypedDict):
    """Whether everything missed has been sent again, before this."""

    ok: Literal[True]
    rev: int
    """The position in the order of all batches that this reflects."""
    recovered: bool
    trace_id: str
    """Names the request in the server's log."""


@final
class GraphApplyInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    operations: list[Part]
    """The operations, in order. At most 1000, each {event, …input} without a batchId of its own."""


Part = Union[
    "NodeAddPart",
    "NodeUpdatePart",
    "NodeDeletePart",
    "NodeTrashPart",
    "NodeDuplicatePart",
    "NodeRestorePart",
    "LinkAddPart",
    "LinkUpdatePart",
    "LinkDeletePart",
    "LinkTrashPart",
    "LinkRestorePart",
    "LinkSwapPart",
    "TrashRestorePart",
    "NodePublishPart",
    "NodePublishUpdatePart",
    "NodeUnpublishPart",
    "NodeEmbedPart",
    "NodeUnembedPart",
    "NodeAccessPart",
    "NodeAccessUpdatePart",
    "NodeAccessDeletePart",
    "AccessVisibilityupdatePart",
]
"""One of several operations in a payload."""


@final
class NodeAddPart(TypedDict):
    id: NotRequired[str | None]
    """The client's own id for the new node. UUID v4."""
    target: NotRequired[str | None]
    """A node that is to depend on the new one. UUID."""
    title: NotRequired[str]
    """The title; at most 80 Unicode scalar values. At most 80 characters."""
    description: NotRequired[str]
    """The description; at most 400 Unicode scalar values. At most 400 characters."""
    status: NotRequired[Literal[0, 1, 3]]
    """The status. Users set any value but `Blocked`, which follows from what the node depends on. 0, 1 or 3."""
    dueDate: NotRequired[str | None]
    """The due date, in whole seconds; `None` if there is none. RFC 3339, from 1970 to 9999, whole seconds."""
    tags: NotRequired[list[str]]
    """At most 32 tags, each trimmed and of 1 to 50 Unicode scalar values, without duplicates. At most 32, each of 1
    to 50 characters, trimmed."""
    priority: NotRequired[int]
    """0 to 9; 9 is the most urgent. 0 to 9."""
    volume: NotRequired[int]
    """The visual size, 0 to 9. 0 to 9."""
    independent: NotRequired[bool]
    """True for a node that is never blocked by what it depends on. True or false."""
    assignee: NotRequired[list[str]]
    """Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values. At
    most 32, each of 1 to 254 characters."""
    x: NotRequired[float]
    """The first coordinate in graph space; finite. Finite."""
    y: NotRequired[float]
    """The second coordinate; finite. Finite."""
    z: NotRequired[float]
    """The third coordinate; finite. Finite."""
    pinned: NotRequired[bool]
    """A mark for clients: a layout does not move the node. True or false."""
    collapsed: NotRequired[bool]
    """A mark for clients: the nodes it depends on are folded away. True or false."""
    event: Literal["node:add"]


@final
class NodeUpdatePart(TypedDict):
    id: str
    """The node. UUID."""
    title: NotRequired[str]
    """The title; at most 80 Unicode scalar values. At most 80 characters."""
    description: NotRequired[str]
    """The description; at most 400 Unicode scalar values. At most 400 characters."""
    status: NotRequired[Literal[0, 1, 3]]
    """The status. Users set any value but `Blocked`, which follows from what the node depends on. 0, 1 or 3."""
    dueDate: NotRequired[str | None]
    """The due date, in whole seconds; `None` if there is none. RFC 3339, from 1970 to 9999, whole seconds."""
    tags: NotRequired[list[str]]
    """At most 32 tags, each trimmed and of 1 to 50 Unicode scalar values, without duplicates. At most 32, each of 1
    to 50 characters, trimmed."""
    priority: NotRequired[int]
    """0 to 9; 9 is the most urgent. 0 to 9."""
    volume: NotRequired[int]
    """The visual size, 0 to 9. 0 to 9."""
    independent: NotRequired[bool]
    """True for a node that is never blocked by what it depends on. True or false."""
    assignee: NotRequired[list[str]]
    """Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values. At
    most 32, each of 1 to 254 characters."""
    x: NotRequired[float]
    """The first coordinate in graph space; finite. Finite."""
    y: NotRequired[float]
    """The second coordinate; finite. Finite."""
    z: NotRequired[float]
    """The third coordinate; finite. Finite."""
    pinned: NotRequired[bool]
    """A mark for clients: a layout does not move the node. True or false."""
    collapsed: NotRequired[bool]
    """A mark for clients: the nodes it depends on are folded away. True or false."""
    version: NotRequired[int | None]
    """The version that the caller knows. If the node has another, the change is refused. A whole number."""
    event: Literal["node:update"]


@final
class NodeDeletePart(TypedDict):
    id: str
    """The node. UUID."""
    event: Literal["node:delete"]


@final
class NodeTrashPart(TypedDict):
    id: str
    """The node. UUID."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    event: Literal["node:trash"]


@final
class NodeDuplicatePart(TypedDict):
    id: str
    """The node. UUID."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    target: NotRequired[str | None]
    """A node that is to depend on the new one. UUID."""
    ids: NotRequired[dict[str, str] | None]
    """The client's own ids for the copies, by the ids of what is copied. UUIDs v4 by UUID."""
    event: Literal["node:duplicate"]


@final
class NodeRestorePart(TypedDict):
    id: str
    """The node. UUID."""
    event: Literal["node:restore"]


@final
class LinkAddPart(TypedDict):
    id: NotRequired[str | None]
    """The client's own id for the new link. UUID v4."""
    source: str
    """The node that comes first. UUID."""
    target: str
    """The node that waits for it. UUID."""
    type: NotRequired[Literal[0, 1]]
    """The link's type: 0 primary, 1 secondary. 0 or 1."""
    private: NotRequired[bool]
    """Whether the link is seen by its owner alone. True or false."""
    event: Literal["link:add"]


@final
class LinkUpdatePart(TypedDict):
    id: str
    """The link. UUID."""
    type: NotRequired[Literal[0, 1]]
    """The link's type: 0 primary, 1 secondary. 0 or 1."""
    private: NotRequired[bool]
    """Whether the link is seen by its owner alone. True or false."""
    event: Literal["link:update"]


@final
class LinkDeletePart(TypedDict):
    id: str
    """The link. UUID."""
    event: Literal["link:delete"]


@final
class LinkTrashPart(TypedDict):
    id: str
    """The link. UUID."""
    event: Literal["link:trash"]


@final
class LinkRestorePart(TypedDict):
    id: str
    """The link. UUID."""
    event: Literal["link:restore"]


@final
class LinkSwapPart(TypedDict):
    id: str
    """The link. UUID."""
    event: Literal["link:swap"]


@final
class TrashRestorePart(TypedDict):
    batchId: str
    """The batch that this is about. UUID."""
    event: Literal["trash:restore"]


@final
class NodePublishPart(TypedDict):
    id: str
    """The node. UUID."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    due: NotRequired[str | None]
    """When it ends. Null for never. RFC 3339, in the future."""
    event: Literal["node:publish"]


@final
class NodePublishUpdatePart(TypedDict):
    id: str
    """The node. UUID."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    due: NotRequired[str | None]
    """When it ends. Null for never. RFC 3339, in the future."""
    event: Literal["node:publish:update"]


@final
class NodeUnpublishPart(TypedDict):
    id: str
    """The node. UUID."""
    event: Literal["node:unpublish"]


@final
class NodeEmbedPart(TypedDict):
    id: str
    """The root of the publication, or its public token. A node's UUID, or a public token of at most 100 characters."""
    event: Literal["node:embed"]


@final
class NodeUnembedPart(TypedDict):
    id: str
    """The root of the publication, or its public token. A node's UUID, or a public token of at most 100 characters."""
    event: Literal["node:unembed"]


@final
class NodeAccessPart(TypedDict):
    id: str
    """The node. UUID."""
    email: str
    """The email of the user. An email address of at most 254 characters."""
    level: NotRequired[Literal[1, 2, 3]]
    """The access: 1 admin, 2 editor, 3 viewer. 1, 2 or 3."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    due: NotRequired[str | None]
    """When it ends. Null for never. RFC 3339, in the future."""
    event: Literal["node:access"]


@final
class NodeAccessUpdatePart(TypedDict):
    id: str
    """The node. UUID."""
    email: str
    """The email of the user. An email address of at most 254 characters."""
    level: NotRequired[Literal[1, 2, 3]]
    """The access: 1 admin, 2 editor, 3 viewer. 1, 2 or 3."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    due: NotRequired[str | None]
    """When it ends. Null for never. RFC 3339, in the future."""
    event: Literal["node:access:update"]


@final
class NodeAccessDeletePart(TypedDict):
    id: str
    """The node. UUID."""
    email: str
    """The email of the user. An email address of at most 254 characters."""
    event: Literal["node:access:delete"]


@final
class AccessVisibilityupdatePart(TypedDict):
    id: str
    """The node. UUID."""
    showing: bool
    """Whether the grant shows in the graph of the caller. True or false."""
    event: Literal["access:visibilityupdate"]


@final
class Applied(TypedDict):
    """The change was made."""

    ok: Literal[True]
    ids: NotRequired[dict[str, str]]
    """From the ids of what was copied to those of the copies."""
    diff: Diff
    rev: int
    """Where the change stands in the order of all batches."""
    replayed: NotRequired[Literal[True]]
    """The batchId was known: nothing was done again."""
    trace_id: str
    """Names the request in the server's log."""


@final
class Diff(TypedDict):
    """What a batch changed, as far as the receiver may see it. Applied entry by entry, in order, it gives the new
    state."""

    batchId: str | None
    """The batch; null when nobody made it, as when time has passed."""
    rev: int
    """Where it stands in the order of all batches."""
    actor: Actor | None
    ts: str
    part: NotRequired[int]
    """Of a large diff that is sent in parts, which one this is, from 1."""
    parts: NotRequired[int]
    """How many parts there are."""
    nodes: list[NodeEntry]
    links: list[LinkEntry]
    user: list[UserEntry]
    access: list[AccessEntry]


@final
class Actor(TypedDict):
    """Who did it."""

    username: str
    email: str


@final
class NodeEntry(TypedDict):
    """A change of a node. Of an add, `before` is empty and `after` the whole node. Of a change, both hold the
    changed fields. Of a deletion, `before` is the whole node."""

    op: Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """0 added, 1 updated, 2 status, 3 trashed, 4 restored, 5 deleted, 6 publication, 7 came into view, 8 left the
    view, 9 access"""
    before: dict[str, object] | TrashedNode | Phantom | NodeChange
    after: Node | Phantom | RestoredNode | Deleted | NodeChange


@final
class NodeChange(TypedDict):
    """The changed fields of a node."""

    id: str
    title: NotRequired[str]
    """The title; at most 80 Unicode scalar values."""
    description: NotRequired[str]
    """The description; at most 400 Unicode scalar values."""
    status: NotRequired[Literal[0, 1, 2, 3]]
    """The status. Users set any value but `Blocked`, which follows from what the node depends on."""
    dueDate: NotRequired[str | None]
    """The due date, in whole seconds; `None` if there is none."""
    tags: NotRequired[list[str]]
    """At most 32 tags, each trimmed and of 1 to 50 Unicode scalar values, without duplicates."""
    priority: NotRequired[int]
    """0 to 9; 9 is the most urgent."""
    volume: NotRequired[int]
    """The visual size, 0 to 9."""
    independent: NotRequired[bool]
    """True for a node that is never blocked by what it depends on."""
    assignee: NotRequired[list[str]]
    """Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values."""
    x: NotRequired[float]
    """The first coordinate in graph space; finite."""
    y: NotRequired[float]
    """The second coordinate; finite."""
    z: NotRequired[float]
    """The third coordinate; finite."""
    pinned: NotRequired[bool]
    """A mark for clients: a layout does not move the node."""
    collapsed: NotRequired[bool]
    """A mark for clients: the nodes it depends on are folded away."""
    publicToken: NotRequired[str | None]
    """The public token, for those who may publish the node."""
    publicDue: NotRequired[str | None]
    """When the publication ends; null if it does not."""
    publicBranch: NotRequired[bool | None]
    """Whether the whole branch is public; null if nothing is."""
    access: NotRequired[Literal[0, 1, 2, 3]]
    """The reader's access."""
    hidden: NotRequired[Literal[True]]
    """The node left the reader's view."""
    phantom: NotRequired[Literal[True]]
    """The reader sees no more than the status."""
    inTrash: NotRequired[bool]
    lastBatchID: NotRequired[str]
    version: NotRequired[int]
    shareRoots: NotRequired[list[str]]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""
    lastEditedTime: NotRequired[str]


@final
class RestoredNode(TypedDict):
    """A node."""

    id: str
    title: str
    """The title; at most 80 Unicode scalar values."""
    description: str
    """The description; at most 400 Unicode scalar values."""
    status: Literal[0, 1, 2, 3]
    """The status. Users set any value but `Blocked`, which follows from what the node depends on."""
    dueDate: str | None
    """The due date, in whole seconds; `None` if there is none."""
    tags: list[str]
    """At most 32 tags, each trimmed and of 1 to 50 Unicode scalar values, without duplicates."""
    priority: int
    """0 to 9; 9 is the most urgent."""
    volume: int
    """The visual size, 0 to 9."""
    independent: bool
    """True for a node that is never blocked by what it depends on."""
    assignee: list[str]
    """Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values."""
    x: float
    """The first coordinate in graph space; finite."""
    y: float
    """The second coordinate; finite."""
    z: float
    """The third coordinate; finite."""
    pinned: bool
    """A mark for clients: a layout does not move the node."""
    collapsed: bool
    """A mark for clients: the nodes it depends on are folded away."""
    type: Literal[0]
    """Always 0."""
    version: int
    """Counts the node's changes."""
    createdTime: str
    lastEditedTime: str
    ownerUsername: str | None
    ownerEmail: str | None
    publicToken: str | None
    """The public token, for those who may publish the node."""
    publicDue: str | None
    """When the publication ends; null if it does not."""
    publicBranch: bool | None
    """Whether the whole branch is public; null if nothing is."""
    access: Literal[0, 1, 2, 3]
    """The reader's access."""
    shareRoots: list[str]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""
    inTrash: Literal[False]
    lastBatchID: str
    """The batch that trashed or restored it."""


@final
class Deleted(TypedDict):
    """What is left of an entity that was deleted."""

    id: str
    deleted: Literal[True]
    shareRoots: list[str]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""


@final
class LinkEntry(TypedDict):
    """A change of a link, in the same form as that of a node."""

    op: Literal[10, 11, 12, 13, 14, 15, 17, 18]
    """10 added, 11 updated, 12 trashed, 13 restored, 14 deleted, 15 turned around, 17 came into view, 18 left the
    view"""
    before: dict[str, object] | TrashedLink | LinkChange
    after: Link | RestoredLink | Deleted | LinkChange


@final
class LinkChange(TypedDict):
    """The changed fields of a link."""

    id: str
    source: NotRequired[str]
    target: NotRequired[str]
    type: NotRequired[Literal[0, 1]]
    """0 primary, 1 secondary"""
    private: NotRequired[bool]
    wasBlocker: NotRequired[bool]
    """Whether the source held the target when the link was trashed."""
    hidden: NotRequired[Literal[True]]
    """The link left the reader's view."""
    inTrash: NotRequired[bool]
    lastBatchID: NotRequired[str]
    version: NotRequired[int]
    shareRoots: NotRequired[list[str]]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""
    lastEditedTime: NotRequired[str]


@final
class RestoredLink(TypedDict):
    """A link: its target waits for its source."""

    id: str
    source: str
    target: str
    type: Literal[0, 1]
    """0 primary, 1 secondary"""
    private: bool
    wasBlocker: bool
    """Whether the source held the target when the link was trashed."""
    version: int
    """Counts the link's changes."""
    createdTime: str
    lastEditedTime: str
    shareRoots: list[str]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""
    inTrash: Literal[False]
    lastBatchID: str
    """The batch that trashed or restored it."""


@final
class UserEntry(TypedDict):
    """A change of an account: its username, or a publication that is embedded or no longer."""

    op: Literal[30]
    """30 updated"""
    before: UserEntryBefore1 | UserEntryBefore2
    after: UserEntryAfter1 | UserEntryAfter2


@final
class UserEntryBefore1(TypedDict):
    """A name."""

    email: str
    username: str


@final
class UserEntryBefore2(TypedDict):
    """An embedded publication."""

    email: str
    publicEmbed: str | None


@final
class UserEntryAfter1(TypedDict):
    """A name."""

    email: str
    username: str


@final
class UserEntryAfter2(TypedDict):
    """An embedded publication."""

    email: str
    publicEmbed: str | None


@final
class AccessEntry(TypedDict):
    """A change of a grant."""

    op: Literal[20, 21, 22]
    """20 granted, 21 updated, 22 ended"""
    before: dict[str, object] | Grant
    after: Grant | GrantEnded | dict[str, object]


@final
class Grant(TypedDict):
    """A grant: a user's access to a node or branch."""

    nodeId: str
    email: str
    level: Literal[1, 2, 3]
    """1 admin, 2 editor, 3 viewer"""
    branch: bool
    """Whether it is of the whole branch."""
    due: str | None
    """When it ends; null if it does not."""
    version: int
    showing: NotRequired[bool]
    """Whether the grantee has it in their graph, when that changes."""


@final
class GrantEnded(TypedDict):
    """What is left of a grant that ended."""

    nodeId: str
    email: str
    deleted: Literal[True]


@final
class AccountGetInput(TypedDict):
    pass


@final
class AccountAnswer(TypedDict):
    """The caller's account."""

    ok: Literal[True]
    account: Account
    rev: int
    """The position in the order of all batches that this reflects."""
    trace_id: str
    """Names the request in the server's log."""


@final
class Account(TypedDict):
    """An account, as its owner sees it."""

    id: str
    username: str
    email: str
    plan: str
    createdTime: str
    grantedBy: list[AccountGrant]
    """What the user gave to others."""
    grantedTo: list[AccountGrant]
    """What others gave to the user."""
    publicEmbeds: list[str]
    """The publications that the user has embedded."""
    admin: bool
    """Whether the user administers the installation."""
    hasPassword: bool
    """Whether the user signs in with a password."""
    identities: list[AccountIdentitiesItem]
    """Who the user is at identity providers."""
    subscriptionState: Literal["active"]
    annuallyPayment: Literal[False]
    cardPan: None
    cameraPosition: dict[str, object] | None
    """From where the user looks at the graph, as their client wrote it."""
    showAllCards: bool
    """Whether the user's client shows all cards."""


@final
class AccountGrant(TypedDict):
    """A grant, with the user at its other end."""

    nodeId: str
    userName: str
    userEmail: str
    level: Literal[1, 2, 3]
    """1 admin, 2 editor, 3 viewer"""
    branch: bool
    """Whether it is of the whole branch."""
    due: str | None
    """When it ends; null if it does not."""
    showing: bool
    """Whether the grantee has it in their graph."""


@final
class AccountIdentitiesItem(TypedDict):
    """Who a user is at an identity provider."""

    provider: str
    """The name of the provider here."""
    issuer: str
    subject: str
    since: str


@final
class NodeAddInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: NotRequired[str | None]
    """The client's own id for the new node. UUID v4."""
    target: NotRequired[str | None]
    """A node that is to depend on the new one. UUID."""
    title: NotRequired[str]
    """The title; at most 80 Unicode scalar values. At most 80 characters."""
    description: NotRequired[str]
    """The description; at most 400 Unicode scalar values. At most 400 characters."""
    status: NotRequired[Literal[0, 1, 3]]
    """The status. Users set any value but `Blocked`, which follows from what the node depends on. 0, 1 or 3."""
    dueDate: NotRequired[str | None]
    """The due date, in whole seconds; `None` if there is none. RFC 3339, from 1970 to 9999, whole seconds."""
    tags: NotRequired[list[str]]
    """At most 32 tags, each trimmed and of 1 to 50 Unicode scalar values, without duplicates. At most 32, each of 1
    to 50 characters, trimmed."""
    priority: NotRequired[int]
    """0 to 9; 9 is the most urgent. 0 to 9."""
    volume: NotRequired[int]
    """The visual size, 0 to 9. 0 to 9."""
    independent: NotRequired[bool]
    """True for a node that is never blocked by what it depends on. True or false."""
    assignee: NotRequired[list[str]]
    """Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values. At
    most 32, each of 1 to 254 characters."""
    x: NotRequired[float]
    """The first coordinate in graph space; finite. Finite."""
    y: NotRequired[float]
    """The second coordinate; finite. Finite."""
    z: NotRequired[float]
    """The third coordinate; finite. Finite."""
    pinned: NotRequired[bool]
    """A mark for clients: a layout does not move the node. True or false."""
    collapsed: NotRequired[bool]
    """A mark for clients: the nodes it depends on are folded away. True or false."""


@final
class Changed(TypedDict):
    """The change was made."""

    ok: Literal[True]
    diff: Diff
    rev: int
    """Where the change stands in the order of all batches."""
    replayed: NotRequired[Literal[True]]
    """The batchId was known: nothing was done again."""
    trace_id: str
    """Names the request in the server's log."""


@final
class NodeUpdateInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""
    title: NotRequired[str]
    """The title; at most 80 Unicode scalar values. At most 80 characters."""
    description: NotRequired[str]
    """The description; at most 400 Unicode scalar values. At most 400 characters."""
    status: NotRequired[Literal[0, 1, 3]]
    """The status. Users set any value but `Blocked`, which follows from what the node depends on. 0, 1 or 3."""
    dueDate: NotRequired[str | None]
    """The due date, in whole seconds; `None` if there is none. RFC 3339, from 1970 to 9999, whole seconds."""
    tags: NotRequired[list[str]]
    """At most 32 tags, each trimmed and of 1 to 50 Unicode scalar values, without duplicates. At most 32, each of 1
    to 50 characters, trimmed."""
    priority: NotRequired[int]
    """0 to 9; 9 is the most urgent. 0 to 9."""
    volume: NotRequired[int]
    """The visual size, 0 to 9. 0 to 9."""
    independent: NotRequired[bool]
    """True for a node that is never blocked by what it depends on. True or false."""
    assignee: NotRequired[list[str]]
    """Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values. At
    most 32, each of 1 to 254 characters."""
    x: NotRequired[float]
    """The first coordinate in graph space; finite. Finite."""
    y: NotRequired[float]
    """The second coordinate; finite. Finite."""
    z: NotRequired[float]
    """The third coordinate; finite. Finite."""
    pinned: NotRequired[bool]
    """A mark for clients: a layout does not move the node. True or false."""
    collapsed: NotRequired[bool]
    """A mark for clients: the nodes it depends on are folded away. True or false."""
    version: NotRequired[int | None]
    """The version that the caller knows. If the node has another, the change is refused. A whole number."""


@final
class NodeDeleteInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""


@final
class NodeTrashInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""


@final
class NodeDuplicateInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    target: NotRequired[str | None]
    """A node that is to depend on the new one. UUID."""
    ids: NotRequired[dict[str, str] | None]
    """The client's own ids for the copies, by the ids of what is copied. UUIDs v4 by UUID."""


@final
class Copied(TypedDict):
    """The change was made."""

    ok: Literal[True]
    ids: NotRequired[dict[str, str]]
    """From the ids of what was copied to those of the copies."""
    diff: Diff
    rev: int
    """Where the change stands in the order of all batches."""
    replayed: NotRequired[Literal[True]]
    """The batchId was known: nothing was done again."""
    trace_id: str
    """Names the request in the server's log."""


@final
class NodeRestoreInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""


@final
class LinkAddInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: NotRequired[str | None]
    """The client's own id for the new link. UUID v4."""
    source: str
    """The node that comes first. UUID."""
    target: str
    """The node that waits for it. UUID."""
    type: NotRequired[Literal[0, 1]]
    """The link's type: 0 primary, 1 secondary. 0 or 1."""
    private: NotRequired[bool]
    """Whether the link is seen by its owner alone. True or false."""


@final
class LinkUpdateInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The link. UUID."""
    type: NotRequired[Literal[0, 1]]
    """The link's type: 0 primary, 1 secondary. 0 or 1."""
    private: NotRequired[bool]
    """Whether the link is seen by its owner alone. True or false."""


@final
class LinkDeleteInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The link. UUID."""


@final
class LinkTrashInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The link. UUID."""


@final
class LinkRestoreInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The link. UUID."""


@final
class LinkSwapInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The link. UUID."""


@final
class TrashRestoreInput(TypedDict):
    batchId: str
    """The batch that this is about. UUID."""
    newBatchId: NotRequired[str | None]
    """The client's own id for the change, where batchId names another batch. UUID v4."""


@final
class TrashPurgeInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    ids: NotRequired[list[str]]
    """What to delete. Left out, it is everything in the trash. At most 1000 UUIDs."""


@final
class TrashEmptyInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""


@final
class NodePublishInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    due: NotRequired[str | None]
    """When it ends. Null for never. RFC 3339, in the future."""


@final
class NodePublishUpdateInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    due: NotRequired[str | None]
    """When it ends. Null for never. RFC 3339, in the future."""


@final
class NodeUnpublishInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""


@final
class NodeEmbedInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The root of the publication, or its public token. A node's UUID, or a public token of at most 100 characters."""


@final
class NodeUnembedInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The root of the publication, or its public token. A node's UUID, or a public token of at most 100 characters."""


@final
class NodeAccessInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""
    email: str
    """The email of the user. An email address of at most 254 characters."""
    level: NotRequired[Literal[1, 2, 3]]
    """The access: 1 admin, 2 editor, 3 viewer. 1, 2 or 3."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    due: NotRequired[str | None]
    """When it ends. Null for never. RFC 3339, in the future."""


@final
class NodeAccessUpdateInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""
    email: str
    """The email of the user. An email address of at most 254 characters."""
    level: NotRequired[Literal[1, 2, 3]]
    """The access: 1 admin, 2 editor, 3 viewer. 1, 2 or 3."""
    branch: NotRequired[bool]
    """Whether the node's whole branch is meant. True or false."""
    due: NotRequired[str | None]
    """When it ends. Null for never. RFC 3339, in the future."""


@final
class NodeAccessDeleteInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""
    email: str
    """The email of the user. An email address of at most 254 characters."""


@final
class NodeGrantsInput(TypedDict):
    id: str
    """The node. UUID."""


@final
class NodeGrants(TypedDict):
    """Who has access to a node."""

    ok: Literal[True]
    grants: list[NodeGrantsGrantsItem]
    more: bool
    """Whether there are more than these."""
    rev: int
    """The position in the order of all batches that this reflects."""
    trace_id: str
    """Names the request in the server's log."""


@final
class NodeGrantsGrantsItem(TypedDict):
    """A grant by which a user has access to the node."""

    via: str | None
    """The node above that it is a grant of; null if it is of this one."""
    userName: str
    userEmail: str
    level: Literal[1, 2, 3]
    """1 admin, 2 editor, 3 viewer"""
    branch: bool
    """Whether it is of the whole branch."""
    due: str | None
    """When it ends; null if it does not."""
    showing: bool
    """Whether the grantee has it in their graph."""
    inForce: bool


@final
class AccessVisibilityupdateInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""
    showing: bool
    """Whether the grant shows in the graph of the caller. True or false."""


@final
class HistoryPageInput(TypedDict):
    scopeType: NotRequired[Literal["USER", "GRAPH"] | None]
    """Whose history: of a USER or of a branch of the GRAPH. USER or GRAPH."""
    scopeId: NotRequired[str | None]
    """The user or the root of the branch. UUID."""
    limit: NotRequired[int]
    """How many at most. 1 to 1000."""
    offset: NotRequired[int]
    """How many to skip. At least 0."""


@final
class HistoryPage(TypedDict):
    """A page of history, latest first."""

    ok: Literal[True]
    hasMore: bool
    """Whether there is another page."""
    batches: list[HistoryBatch]
    rev: int
    """The position in the order of all batches that this reflects."""
    trace_id: str
    """Names the request in the server's log."""


@final
class HistoryBatch(TypedDict):
    """A batch of the past, as far as the reader sees it."""

    batchId: str
    rev: int
    """Where it stands in the order of all batches."""
    actor: Actor | None
    ts: str
    undone: bool
    undoOf: str | None
    """The batch that it undid."""
    undoneBy: str | None
    """The batch that undid it."""
    redoOf: str | None
    """The batch that it redid."""
    redoneBy: str | None
    """The batch that redid it."""
    ops: list[HistoryOp]


@final
class HistoryOp(TypedDict):
    """One change of a batch."""

    id: str
    type: int
    """The code of the operation, as in a diff."""
    entityType: Literal["node", "link", "grant", "user", "token", "key"]
    entityId: str
    forwardPatch: HistoryPatch
    """The changed fields as they became."""
    inversePatch: HistoryPatch
    """The changed fields as they were."""
    guard: HistoryOpGuard
    """What the entity had before."""
    createdTime: str


HistoryPatch = Union["NodeChange", "Link", "LinkChange", "HistoryPatch4", "HistoryPatch5", "HistoryPatch6"]


@final
class HistoryPatch4(TypedDict):
    """A grant."""

    nodeId: str
    email: str | None
    level: Literal[1, 2, 3]
    """1 admin, 2 editor, 3 viewer"""
    branch: bool
    due: str | None
    showing: bool


@final
class HistoryPatch5(TypedDict):
    """An embedded publication."""

    publicEmbed: str | None


@final
class HistoryPatch6(TypedDict):
    """The changed fields of an account."""

    username: NotRequired[str]
    email: NotRequired[str]
    plan: NotRequired[str]
    state: NotRequired[str]


@final
class HistoryOpGuard(TypedDict):
    """What the entity had before."""

    version: int | None


@final
class HistoryUndoInput(TypedDict):
    batchId: str
    """The batch that this is about. UUID."""
    newBatchId: NotRequired[str | None]
    """The client's own id for the change, where batchId names another batch. UUID v4."""


@final
class Undone(TypedDict):
    """The change was made."""

    ok: Literal[True]
    batchId: str
    """Its own batch."""
    undoOf: NotRequired[str]
    """What was undone."""
    redoOf: NotRequired[str]
    """What was redone."""
    diff: Diff
    rev: int
    """Where the change stands in the order of all batches."""
    replayed: NotRequired[Literal[True]]
    """The batchId was known: nothing was done again."""
    trace_id: str
    """Names the request in the server's log."""


@final
class HistoryRedoInput(TypedDict):
    batchId: str
    """The batch that this is about. UUID."""
    newBatchId: NotRequired[str | None]
    """The client's own id for the change, where batchId names another batch. UUID v4."""


@final
class BatchUndoInput(TypedDict):
    batchId: str
    """The batch that this is about. UUID."""
    newBatchId: NotRequired[str | None]
    """The client's own id for the change, where batchId names another batch. UUID v4."""


@final
class BatchRedoInput(TypedDict):
    batchId: str
    """The batch that this is about. UUID."""
    newBatchId: NotRequired[str | None]
    """The client's own id for the change, where batchId names another batch. UUID v4."""


@final
class SettingsUsernameInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    username: str
    """The username. 3 to 32 of A-Z, a-z, 0-9, '_', '.' and '-'."""


@final
class SettingsViewInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    cameraPosition: NotRequired[dict[str, object] | None]
    """From where the user looks at the graph. Null for nowhere. At most 2048 bytes as JSON."""
    showAllCards: NotRequired[bool]
    """Whether all cards are shown. True or false."""


@final
class WsPingInput(TypedDict):
    pass


@final
class Pong(TypedDict):
    """The server's time."""

    ok: Literal[True]
    serverTime: str
    trace_id: str
    """Names the request in the server's log."""


@final
class AccountRegisterInput(TypedDict):
    email: str
    """The email of the user. An email address of at most 254 characters."""
    username: str
    """The username. 3 to 32 of A-Z, a-z, 0-9, '_', '.' and '-'."""
    password: str
    """The password. At most 1024 characters; a new one at least 8."""
    invite: NotRequired[str | None]
    """The key of an invitation, from its link. At most 100 characters."""


@final
class AccountLoginInput(TypedDict):
    email: str
    """The email of the user. An email address of at most 254 characters."""
    password: str
    """The password. At most 1024 characters; a new one at least 8."""


@final
class AccountLogoutInput(TypedDict):
    pass


@final
class Done(TypedDict):
    """It was done."""

    ok: Literal[True]
    trace_id: str
    """Names the request in the server's log."""


@final
class AccountInviteInput(TypedDict):
    email: NotRequired[str | None]
    """Who may use it. An email address of at most 254 characters."""


@final
class Invited(TypedDict):
    """The invitation."""

    ok: Literal[True]
    invite: InvitedInvite
    """An invitation to make an account."""
    trace_id: str
    """Names the request in the server's log."""


@final
class InvitedInvite(TypedDict):
    """An invitation to make an account."""

    id: str
    email: str | None
    """The only email that it is for; null for anyone."""
    by: str | None
    """Who invites: a username; null for the command line."""
    createdTime: str
    expires: str
    url: str
    """The link, sent this once."""


@final
class AccountInvitesInput(TypedDict):
    pass


@final
class Invites(TypedDict):
    """The invitations that nobody has used."""

    ok: Literal[True]
    invites: list[InvitesInvitesItem]
    trace_id: str
    """Names the request in the server's log."""


@final
class InvitesInvitesItem(TypedDict):
    """An invitation to make an account."""

    id: str
    email: str | None
    """The only email that it is for; null for anyone."""
    by: str | None
    """Who invites: a username; null for the command line."""
    createdTime: str
    expires: str


@final
class AccountInviteRevokeInput(TypedDict):
    id: str
    """The invitation. UUID."""


@final
class AccountPasswordForgotInput(TypedDict):
    email: str
    """The email of the user. An email address of at most 254 characters."""


@final
class AccountPasswordResetInput(TypedDict):
    key: str
    """The key, from the link. At most 100 characters."""
    password: str
    """The password. At most 1024 characters; a new one at least 8."""


@final
class AccountPasswordInput(TypedDict):
    old: str
    """The password so far. At most 1024 characters; a new one at least 8."""
    new: str
    """The new password. At most 1024 characters; a new one at least 8."""


@final
class AccountOidcInput(TypedDict):
    pass


@final
class Providers(TypedDict):
    """The identity providers to sign in with."""

    ok: Literal[True]
    providers: list[ProvidersProvidersItem]
    trace_id: str
    """Names the request in the server's log."""


@final
class ProvidersProvidersItem(TypedDict):
    """An identity provider."""

    name: str
    title: str
    """What people call it."""
    startUrl: str
    """Where a browser goes to sign in with it."""


@final
class AccountOidcStartInput(TypedDict):
    name: str
    """The name of an identity provider in the settings. 1–32 characters."""
    next: NotRequired[str]
    """A path on this server, to go to afterwards. 1–1000 characters."""
    invite: NotRequired[str]
    """The key of an invitation, from its link. At most 100 characters."""


@final
class AccountOidcCallbackInput(TypedDict):
    name: str
    """The name of an identity provider in the settings. 1–32 characters."""
    state: NotRequired[str]
    """The state that the sign-in began with. 1–4000 characters."""
    code: NotRequired[str]
    """What the provider is asked with. 1–4000 characters."""
    iss: NotRequired[str]
    """The issuer, if the provider names it. 1–4000 characters."""
    error: NotRequired[str]
    """Why there is no code. 1–4000 characters."""


@final
class AccountGoogleInput(TypedDict):
    code: str
    """The code that the page got. 1–4000 characters."""
    redirectUri: NotRequired[str | None]
    """The redirect URI with which the page got the code. 1–2000 characters."""


@final
class AccountIdentityRemoveInput(TypedDict):
    provider: str
    """The name of an identity provider in the settings. 1–32 characters."""


@final
class AccountSessionsInput(TypedDict):
    pass


@final
class Sessions(TypedDict):
    """The caller's sessions, the oldest first."""

    ok: Literal[True]
    sessions: list[SessionsSessionsItem]
    trace_id: str
    """Names the request in the server's log."""


@final
class SessionsSessionsItem(TypedDict):
    """A session."""

    id: str
    agent: str | None
    """How the browser calls itself."""
    createdTime: str
    lastUsedTime: str
    current: bool
    """Whether it is the caller's."""


@final
class AccountSessionsEndInput(TypedDict):
    id: NotRequired[str | None]
    """The session. Without it, all others end. UUID."""


@final
class AccountEmailInput(TypedDict):
    email: str
    """The email of the user. An email address of at most 254 characters."""
    password: NotRequired[str | None]
    """The account's password, if it has one. At most 1024 characters; a new one at least 8."""


@final
class EmailChange(TypedDict):
    """Whether the email is the account's now."""

    ok: Literal[True]
    confirmed: bool
    """False if a link was sent to the new email, which confirms it."""
    trace_id: str
    """Names the request in the server's log."""


@final
class AccountEmailConfirmInput(TypedDict):
    key: str
    """The key, from the link. At most 100 characters."""


@final
class EmailConfirmed(TypedDict):
    """The email is the account's."""

    ok: Literal[True]
    email: str
    trace_id: str
    """Names the request in the server's log."""


@final
class AccountCloseInput(TypedDict):
    password: NotRequired[str | None]
    """The account's password, if it has one. At most 1024 characters; a new one at least 8."""


@final
class AccountClosed(TypedDict):
    """The account is closed."""

    ok: Literal[True]
    closing: str | None
    """When it is removed for good."""
    trace_id: str
    """Names the request in the server's log."""


@final
class AdminUsersInput(TypedDict):
    pass


@final
class Users(TypedDict):
    """The accounts, the oldest first."""

    ok: Literal[True]
    users: list[UsersUsersItem]
    trace_id: str
    """Names the request in the server's log."""


@final
class UsersUsersItem(TypedDict):
    """An account, as an administrator sees it."""

    id: str
    username: str
    email: str
    plan: str
    admin: bool
    """Whether the user is an administrator."""
    disabled: bool
    closing: str | None
    """When the account is removed, if its owner has closed it."""
    hasPassword: bool
    identities: list[str]
    """The names of the identity providers that know the user."""
    createdTime: str


@final
class AdminUserInput(TypedDict):
    id: str
    """The account. UUID."""
    plan: NotRequired[Literal["basic", "plus", "pro"]]
    """What the account may use. Basic, plus or pro."""
    admin: NotRequired[bool]
    """Whether the user administers the installation. True or false."""


@final
class UserChanged(TypedDict):
    """The account as it is now."""

    ok: Literal[True]
    user: UserChangedUser | None
    """Null if somebody has removed it meanwhile."""
    trace_id: str
    """Names the request in the server's log."""


@final
class UserChangedUser(TypedDict):
    """Null if somebody has removed it meanwhile."""

    id: str
    username: str
    email: str
    plan: str
    admin: bool
    """Whether the user is an administrator."""
    disabled: bool
    closing: str | None
    """When the account is removed, if its owner has closed it."""
    hasPassword: bool
    identities: list[str]
    """The names of the identity providers that know the user."""
    createdTime: str


@final
class AdminUserDisableInput(TypedDict):
    id: str
    """The account. UUID."""


@final
class AdminUserEnableInput(TypedDict):
    id: str
    """The account. UUID."""


@final
class AdminUserReopenInput(TypedDict):
    id: str
    """The account. UUID."""


@final
class AdminUserRemoveInput(TypedDict):
    id: str
    """The account. UUID."""


@final
class UserRemoved(TypedDict):
    """The account is removed."""

    ok: Literal[True]
    name: str | None
    """What stands for the user from now on."""
    trace_id: str
    """Names the request in the server's log."""


@final
class AccountTokensInput(TypedDict):
    pass


@final
class Tokens(TypedDict):
    """The caller's API tokens, the oldest first."""

    ok: Literal[True]
    tokens: list[Token]
    trace_id: str
    """Names the request in the server's log."""


@final
class Token(TypedDict):
    """An API token, without its secret."""

    id: str
    name: str
    createdTime: str
    lastUsedTime: str | None
    """Kept to the minute; null for a token that was never used."""
    expires: str | None
    """When it ends; null for never."""
    scope: Literal["all", "read"] | TokenScope2
    """What it may be used for."""


@final
class TokenScope2(TypedDict):
    """One branch, with the access of a grant."""

    branch: str
    level: Literal[1, 2, 3]
    """1 admin, 2 editor, 3 viewer"""


@final
class AccountTokensCreateInput(TypedDict):
    name: NotRequired[str]
    """A name for lists. At most 80 characters, none of them a control character."""
    expires: NotRequired[str | None]
    """When it ends; null for never. RFC 3339, in the future."""
    scope: NotRequired[Literal["all", "read"] | AccountTokensCreateInputScope2]
    """What it may be used for. Left out, it is everything. "all", "read", or {branch, level}: a node's UUID, and 1,
    2 or 3."""


@final
class AccountTokensCreateInputScope2(TypedDict):
    branch: str
    level: Literal[1, 2, 3]


@final
class NewToken(TypedDict):
    """The token and its secret."""

    ok: Literal[True]
    token: Token
    secret: str
    """Sent this once."""
    trace_id: str
    """Names the request in the server's log."""


@final
class AccountTokensUpdateInput(TypedDict):
    id: str
    """The token. UUID."""
    name: NotRequired[str]
    """A name for lists. At most 80 characters, none of them a control character."""
    expires: NotRequired[str | None]
    """When it ends; null for never. RFC 3339, in the future."""


@final
class TokenAnswer(TypedDict):
    """The token."""

    ok: Literal[True]
    token: Token
    trace_id: str
    """Names the request in the server's log."""


@final
class AccountTokensRevokeInput(TypedDict):
    id: NotRequired[str | None]
    """The token to revoke. UUID."""
    all: NotRequired[bool]
    """Whether to revoke all of them. True or false."""


@final
class RevokedTokens(TypedDict):
    """What was revoked."""

    ok: Literal[True]
    revoked: list[str]
    trace_id: str
    """Names the request in the server's log."""


@final
class AccountTokensRotateInput(TypedDict):
    id: str
    """The token. UUID."""


@final
class PresenceUpdateInput(TypedDict):
    """With any fields of the client's own: at most 4096 bytes of JSON in all."""

    nodeId: NotRequired[str | None]
    """The node at which the user is. UUID."""


@final
class CameraUpdateInput(TypedDict):
    """With any fields of the client's own: at most 4096 bytes of JSON in all."""


@final
class NodeDragInput(TypedDict):
    id: str
    """The node. UUID."""
    x: float
    """The first coordinate in graph space; finite. Finite."""
    y: float
    """The second coordinate; finite. Finite."""
    z: float
    """The third coordinate; finite. Finite."""


@final
class NodeDragendInput(TypedDict):
    batchId: NotRequired[str | None]
    """The client's own id for the change. Sent again, the change is not made again and answers what it answered.
    UUID v4."""
    id: str
    """The node. UUID."""
    x: float
    """The first coordinate in graph space; finite. Finite."""
    y: float
    """The second coordinate; finite. Finite."""
    z: float
    """The third coordinate; finite. Finite."""


Connected = Union["Connected1", "Connected2"]


@final
class Connected1(TypedDict):
    """The connection is admitted."""

    ok: Literal[True]
    uid: str
    """The user."""
    client: Literal["api", "web"]
    serverTime: str


@final
class Connected2(TypedDict):
    """The connection is refused."""

    ok: Literal[False]
    error: str
    message: str
    retryAfter: NotRequired[int]
    """After how many seconds to try again."""


@final
class GraphInit(TypedDict):
    """A page of the graph."""

    ok: Literal[True]
    hasMore: bool
    """Whether there is another page."""
    graph: GraphInitGraph
    rev: int
    """The position in the order of all batches that this reflects."""
    trace_id: str
    """Names the request in the server's log."""


@final
class GraphInitGraph(TypedDict):
    nodes: list[InitNode | Phantom]
    links: list[Link]
    hasMore: bool
    """Whether there is another page."""


@final
class InitNode(TypedDict):
    """A node."""

    id: str
    title: str
    """The title; at most 80 Unicode scalar values."""
    description: str
    """The description; at most 400 Unicode scalar values."""
    status: Literal[0, 1, 2, 3]
    """The status. Users set any value but `Blocked`, which follows from what the node depends on."""
    dueDate: str | None
    """The due date, in whole seconds; `None` if there is none."""
    tags: str
    """The tags, with commas between them."""
    priority: int
    """0 to 9; 9 is the most urgent."""
    volume: int
    """The visual size, 0 to 9."""
    independent: bool
    """True for a node that is never blocked by what it depends on."""
    assignee: list[str]
    """Names, usernames or emails, not checked against users: at most 32, each of 1 to 254 Unicode scalar values."""
    x: float
    """The first coordinate in graph space; finite."""
    y: float
    """The second coordinate; finite."""
    z: float
    """The third coordinate; finite."""
    pinned: bool
    """A mark for clients: a layout does not move the node."""
    collapsed: bool
    """A mark for clients: the nodes it depends on are folded away."""
    asignee: list[str]
    """The same as assignee."""
    type: Literal[0]
    """Always 0."""
    version: int
    """Counts the node's changes."""
    createdTime: str
    lastEditedTime: str
    ownerUsername: str | None
    ownerEmail: str | None
    publicToken: str | None
    """The public token, for those who may publish the node."""
    publicDue: str | None
    """When the publication ends; null if it does not."""
    publicBranch: bool | None
    """Whether the whole branch is public; null if nothing is."""
    access: Literal[0, 1, 2, 3]
    """The reader's access."""
    shareRoots: list[str]
    """The nodes by which the reader sees it: their own, granted or embedded ones."""


@final
class GraphError(TypedDict):
    """A failure."""

    error: str
    message: str
    trace_id: str
    """Names the request in the server's log."""


@final
class Published(TypedDict):
    """A publication."""

    id: str
    """The node."""
    publicBranch: bool
    publicDue: str | None
    actor: Actor | None
    ts: str


@final
class ViewSettings(TypedDict):
    """The user's view settings, as they are now."""

    cameraPosition: dict[str, object] | None
    """From where the user looks at the graph, as their client wrote it."""
    showAllCards: bool
    """Whether the user's client shows all cards."""


@final
class ErrorEvent(TypedDict):
    """A failure."""

    ok: Literal[False]
    error: str
    """The class, and the code if there is one: `class.code`."""
    code: str | None
    """The code alone; null if there is none."""
    message: str
    """A sentence that a person can act on."""
    index: NotRequired[int]
    """Of several operations in one request, the place of the refused one, from 0."""
    retryAfter: NotRequired[int]
    """After how many seconds to try again."""
    event: str
    """What failed."""
    trace_id: str
    """Names the request in the server's log."""


@final
class PongEvent(TypedDict):
    """The server's time."""

    serverTime: str


@final
class Presence(TypedDict):
    """Where someone is, with the fields that their client adds."""

    nodeId: str | None
    actor: Actor


CameraPresence = Union["dict[str, object]"]
"""The fields that the user's other client sent."""


@final
class Dragged(TypedDict):
    """A node that someone else drags."""

    id: str
    x: float
    y: float
    z: float
    actor: Actor


ErrorName = Literal[
    "bad_request.already_embedded",
    "bad_request.already_granted",
    "bad_request.already_public",
    "bad_request.already_trashed_link",
    "bad_request.already_trashed_node",
    "bad_request.batch_too_large",
    "bad_request.cannot_restore_purged",
    "bad_request.cannot_share_with_self",
    "bad_request.cant_delete_active_link",
    "bad_request.cant_delete_active_node",
    "bad_request.description_too_long",
    "bad_request.fields_must_be_dict",
    "bad_request.has_access",
    "bad_request.immutable_field",
    "bad_request.inactive_source_or_target",
    "bad_request.invalid_admin",
    "bad_request.invalid_all",
    "bad_request.invalid_answer",
    "bad_request.invalid_assignee",
    "bad_request.invalid_batch_id",
    "bad_request.invalid_branch_value",
    "bad_request.invalid_collapsed",
    "bad_request.invalid_copy_ids",
    "bad_request.invalid_due",
    "bad_request.invalid_due_datetime",
    "bad_request.invalid_email",
    "bad_request.invalid_expires",
    "bad_request.invalid_id",
    "bad_request.invalid_ids",
    "bad_request.invalid_independent",
    "bad_request.invalid_level",
    "bad_request.invalid_limit",
    "bad_request.invalid_link_id",
    "bad_request.invalid_link_private",
    "bad_request.invalid_link_type",
    "bad_request.invalid_mine",
    "bad_request.invalid_next",
    "bad_request.invalid_node_id",
    "bad_request.invalid_offset",
    "bad_request.invalid_operations",
    "bad_request.invalid_password",
    "bad_request.invalid_pinned",
    "bad_request.invalid_plan",
    "bad_request.invalid_position",
    "bad_request.invalid_priority",
    "bad_request.invalid_provider",
    "bad_request.invalid_redirect_uri",
    "bad_request.invalid_scope",
    "bad_request.invalid_showing",
    "bad_request.invalid_since",
    "bad_request.invalid_source_target_id",
    "bad_request.invalid_status",
    "bad_request.invalid_tags",
    "bad_request.invalid_target_id",
    "bad_request.invalid_text",
    "bad_request.invalid_token_id",
    "bad_request.invalid_token_name",
    "bad_request.invalid_token_scope",
    "bad_request.invalid_username",
    "bad_request.invalid_version",
    "bad_request.invalid_view",
    "bad_request.invalid_volume",
    "bad_request.link_in_trash",
    "bad_request.malformed_json",
    "bad_request.malformed_key",
    "bad_request.missing_batchId",
    "bad_request.missing_code",
    "bad_request.missing_email",
    "bad_request.missing_id",
    "bad_request.missing_key",
    "bad_request.missing_provider",
    "bad_request.no_fields_to_update",
    "bad_request.node_blocked",
    "bad_request.node_in_trash",
    "bad_request.not_closing",
    "bad_request.not_embedded",
    "bad_request.not_public",
    "bad_request.not_shared",
    "bad_request.not_trashed_link",
    "bad_request.not_trashed_node",
    "bad_request.out_of_range",
    "bad_request.public_expired",
    "bad_request.self_link_not_allowed",
    "bad_request.source_in_trash",
    "bad_request.status_blocked",
    "bad_request.tag_empty",
    "bad_request.tag_too_long",
    "bad_request.target_in_trash",
    "bad_request.title_too_long",
    "bad_request.too_many_tags",
    "bad_request.unknown_field",
    "bad_request.unknown_operation",
    "bad_request.unsupported_encoding",
    "bad_request.uri_too_long",
    "conflict.already_undone",
    "conflict.batch_id_conflict",
    "conflict.dependency_cycle",
    "conflict.duplicate_link",
    "conflict.duplicate_reversed_link",
    "conflict.email_taken",
    "conflict.id_taken",
    "conflict.last_admin",
    "conflict.last_identity",
    "conflict.not_undone",
    "conflict.too_many_identities",
    "conflict.too_many_tokens",
    "conflict.username_taken",
    "conflict.version_conflict",
    "forbidden.account_disabled",
    "forbidden.api_not_allowed",
    "forbidden.auth_invalid",
    "forbidden.auth_missing",
    "forbidden.forbidden_private",
    "forbidden.forbidden_type",
    "forbidden.invalid_invite",
    "forbidden.invalid_key",
    "forbidden.no_permission",
    "forbidden.oidc_code",
    "forbidden.oidc_denied",
    "forbidden.oidc_email",
    "forbidden.oidc_issuer",
    "forbidden.oidc_state",
    "forbidden.oidc_token",
    "forbidden.origin",
    "forbidden.plan_limit",
    "forbidden.read_only",
    "forbidden.registration_closed",
    "forbidden.session_required",
    "forbidden.sign_in_again",
    "forbidden.would_share",
    "forbidden.wrong_password",
    "internal.exception",
    "internal.storage",
    "not_found.batch_not_found",
    "not_found.branch_not_found",
    "not_found.identity_not_found",
    "not_found.key_not_found",
    "not_found.link_not_found",
    "not_found.node_not_found",
    "not_found.not_in_trash",
    "not_found.session_not_found",
    "not_found.source_not_found",
    "not_found.target_not_found",
    "not_found.token_not_found",
    "not_found.user_not_found",
    "payload_too_large",
    "rate_limited",
    "unauthorized",
    "unavailable",
    "unavailable.oidc_not_configured",
    "unavailable.oidc_unavailable",
]


GraphGetError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_limit",
    "bad_request.out_of_range",
    "bad_request.invalid_offset",
    "rate_limited",
    "unavailable",
    "internal.exception",
]


TrashPageError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_limit",
    "bad_request.out_of_range",
    "bad_request.invalid_offset",
    "rate_limited",
    "unavailable",
    "internal.exception",
]


TrashListError = Literal[
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_limit",
    "bad_request.out_of_range",
    "bad_request.invalid_offset",
    "rate_limited",
    "unavailable",
    "internal.exception",
]


BranchGetError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "bad_request.invalid_limit",
    "bad_request.out_of_range",
    "bad_request.invalid_offset",
    "rate_limited",
    "not_found.branch_not_found",
    "unavailable",
    "internal.exception",
]


GraphSnapshotError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_node_id",
    "rate_limited",
    "not_found.branch_not_found",
    "unavailable",
    "internal.exception",
]


GraphWhyError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "rate_limited",
    "not_found.node_not_found",
    "unavailable",
    "internal.exception",
]


GraphReadyError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_mine",
    "bad_request.invalid_node_id",
    "bad_request.invalid_limit",
    "bad_request.out_of_range",
    "rate_limited",
    "not_found.branch_not_found",
    "unavailable",
    "internal.exception",
]


GraphCriticalError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_node_id",
    "rate_limited",
    "not_found.branch_not_found",
    "not_found.node_not_found",
    "unavailable",
    "internal.exception",
]


GraphSyncError = Literal[
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_since",
    "rate_limited",
    "unavailable",
    "internal.exception",
]


GraphApplyError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.invalid_operations",
    "bad_request.unknown_operation",
    "conflict.batch_id_conflict",
    "rate_limited",
    "bad_request.batch_too_large",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountGetError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "rate_limited",
    "unavailable",
    "internal.exception",
]


NodeAddError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.immutable_field",
    "bad_request.invalid_batch_id",
    "bad_request.invalid_id",
    "bad_request.invalid_target_id",
    "bad_request.invalid_text",
    "bad_request.title_too_long",
    "bad_request.description_too_long",
    "bad_request.invalid_status",
    "bad_request.status_blocked",
    "bad_request.invalid_due_datetime",
    "bad_request.invalid_tags",
    "bad_request.tag_empty",
    "bad_request.tag_too_long",
    "bad_request.too_many_tags",
    "bad_request.invalid_priority",
    "bad_request.invalid_volume",
    "bad_request.invalid_independent",
    "bad_request.invalid_assignee",
    "bad_request.invalid_position",
    "bad_request.invalid_pinned",
    "bad_request.invalid_collapsed",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.target_not_found",
    "bad_request.target_in_trash",
    "conflict.id_taken",
    "forbidden.no_permission",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeUpdateError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.immutable_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "bad_request.invalid_text",
    "bad_request.title_too_long",
    "bad_request.description_too_long",
    "bad_request.invalid_status",
    "bad_request.status_blocked",
    "bad_request.invalid_due_datetime",
    "bad_request.invalid_tags",
    "bad_request.tag_empty",
    "bad_request.tag_too_long",
    "bad_request.too_many_tags",
    "bad_request.invalid_priority",
    "bad_request.invalid_volume",
    "bad_request.invalid_independent",
    "bad_request.invalid_assignee",
    "bad_request.invalid_position",
    "bad_request.invalid_pinned",
    "bad_request.invalid_collapsed",
    "bad_request.invalid_version",
    "bad_request.no_fields_to_update",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "bad_request.node_in_trash",
    "conflict.version_conflict",
    "bad_request.node_blocked",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeDeleteError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "bad_request.cant_delete_active_node",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeTrashError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "bad_request.invalid_branch_value",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "bad_request.already_trashed_node",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeDuplicateError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "bad_request.invalid_branch_value",
    "bad_request.invalid_target_id",
    "bad_request.invalid_copy_ids",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "not_found.target_not_found",
    "bad_request.node_in_trash",
    "bad_request.target_in_trash",
    "bad_request.batch_too_large",
    "conflict.id_taken",
    "forbidden.no_permission",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeRestoreError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "bad_request.not_trashed_node",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


LinkAddError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.immutable_field",
    "bad_request.invalid_batch_id",
    "bad_request.invalid_id",
    "bad_request.invalid_source_target_id",
    "bad_request.invalid_link_type",
    "bad_request.invalid_link_private",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.source_not_found",
    "not_found.target_not_found",
    "forbidden.would_share",
    "bad_request.source_in_trash",
    "bad_request.target_in_trash",
    "bad_request.self_link_not_allowed",
    "conflict.duplicate_link",
    "conflict.duplicate_reversed_link",
    "conflict.id_taken",
    "conflict.dependency_cycle",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


LinkUpdateError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.immutable_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_link_id",
    "bad_request.invalid_link_type",
    "bad_request.invalid_link_private",
    "bad_request.no_fields_to_update",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.link_not_found",
    "forbidden.no_permission",
    "forbidden.forbidden_type",
    "forbidden.forbidden_private",
    "forbidden.would_share",
    "bad_request.link_in_trash",
    "conflict.duplicate_link",
    "conflict.dependency_cycle",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


LinkDeleteError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_link_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.link_not_found",
    "forbidden.no_permission",
    "bad_request.cant_delete_active_link",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


LinkTrashError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_link_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.link_not_found",
    "forbidden.no_permission",
    "bad_request.already_trashed_link",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


LinkRestoreError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_link_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.link_not_found",
    "forbidden.no_permission",
    "forbidden.forbidden_type",
    "forbidden.forbidden_private",
    "forbidden.would_share",
    "bad_request.not_trashed_link",
    "bad_request.inactive_source_or_target",
    "conflict.dependency_cycle",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


LinkSwapError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_link_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.link_not_found",
    "forbidden.no_permission",
    "forbidden.forbidden_private",
    "forbidden.would_share",
    "bad_request.link_in_trash",
    "conflict.duplicate_link",
    "conflict.dependency_cycle",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


TrashRestoreError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_batchId",
    "bad_request.invalid_batch_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.not_in_trash",
    "forbidden.no_permission",
    "forbidden.forbidden_type",
    "forbidden.forbidden_private",
    "forbidden.would_share",
    "bad_request.inactive_source_or_target",
    "conflict.dependency_cycle",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


TrashPurgeError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.invalid_ids",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.not_in_trash",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


TrashEmptyError = Literal[
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodePublishError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "bad_request.invalid_branch_value",
    "bad_request.invalid_due",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "forbidden.plan_limit",
    "bad_request.node_in_trash",
    "bad_request.already_public",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodePublishUpdateError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "bad_request.invalid_branch_value",
    "bad_request.invalid_due",
    "bad_request.no_fields_to_update",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "forbidden.plan_limit",
    "bad_request.node_in_trash",
    "bad_request.not_public",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeUnpublishError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "bad_request.not_public",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeEmbedError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.branch_not_found",
    "bad_request.node_in_trash",
    "bad_request.public_expired",
    "bad_request.not_public",
    "bad_request.already_embedded",
    "bad_request.has_access",
    "forbidden.no_permission",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeUnembedError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.branch_not_found",
    "bad_request.not_embedded",
    "forbidden.no_permission",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeAccessError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "bad_request.missing_email",
    "bad_request.invalid_email",
    "bad_request.invalid_level",
    "bad_request.invalid_branch_value",
    "bad_request.invalid_due",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "forbidden.plan_limit",
    "not_found.user_not_found",
    "bad_request.node_in_trash",
    "bad_request.cannot_share_with_self",
    "bad_request.already_granted",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeAccessUpdateError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "bad_request.missing_email",
    "bad_request.invalid_email",
    "bad_request.invalid_level",
    "bad_request.invalid_branch_value",
    "bad_request.invalid_due",
    "bad_request.no_fields_to_update",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "forbidden.plan_limit",
    "not_found.user_not_found",
    "bad_request.node_in_trash",
    "bad_request.not_shared",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeAccessDeleteError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "bad_request.missing_email",
    "bad_request.invalid_email",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "not_found.user_not_found",
    "bad_request.not_shared",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


NodeGrantsError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "rate_limited",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "unavailable",
    "internal.exception",
]


AccessVisibilityupdateError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.missing_id",
    "bad_request.invalid_node_id",
    "bad_request.invalid_showing",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.node_not_found",
    "bad_request.not_shared",
    "forbidden.plan_limit",
    "forbidden.no_permission",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


HistoryPageError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_scope",
    "bad_request.invalid_limit",
    "bad_request.out_of_range",
    "bad_request.invalid_offset",
    "rate_limited",
    "not_found.node_not_found",
    "unavailable",
    "internal.exception",
]


HistoryUndoError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_batchId",
    "bad_request.invalid_batch_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.batch_not_found",
    "conflict.already_undone",
    "conflict.not_undone",
    "bad_request.cannot_restore_purged",
    "forbidden.no_permission",
    "forbidden.plan_limit",
    "conflict.version_conflict",
    "bad_request.node_in_trash",
    "bad_request.node_blocked",
    "bad_request.link_in_trash",
    "bad_request.inactive_source_or_target",
    "forbidden.forbidden_type",
    "forbidden.forbidden_private",
    "forbidden.would_share",
    "conflict.duplicate_link",
    "bad_request.not_public",
    "bad_request.has_access",
    "conflict.username_taken",
    "conflict.dependency_cycle",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


HistoryRedoError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_batchId",
    "bad_request.invalid_batch_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.batch_not_found",
    "conflict.already_undone",
    "conflict.not_undone",
    "bad_request.cannot_restore_purged",
    "forbidden.no_permission",
    "forbidden.plan_limit",
    "conflict.version_conflict",
    "bad_request.node_in_trash",
    "bad_request.node_blocked",
    "bad_request.link_in_trash",
    "bad_request.inactive_source_or_target",
    "forbidden.forbidden_type",
    "forbidden.forbidden_private",
    "forbidden.would_share",
    "conflict.duplicate_link",
    "bad_request.not_public",
    "bad_request.has_access",
    "conflict.username_taken",
    "conflict.dependency_cycle",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


BatchUndoError = Literal[
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_batchId",
    "bad_request.invalid_batch_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.batch_not_found",
    "conflict.already_undone",
    "conflict.not_undone",
    "bad_request.cannot_restore_purged",
    "forbidden.no_permission",
    "forbidden.plan_limit",
    "conflict.version_conflict",
    "bad_request.node_in_trash",
    "bad_request.node_blocked",
    "bad_request.link_in_trash",
    "bad_request.inactive_source_or_target",
    "forbidden.forbidden_type",
    "forbidden.forbidden_private",
    "forbidden.would_share",
    "conflict.duplicate_link",
    "bad_request.not_public",
    "bad_request.has_access",
    "conflict.username_taken",
    "conflict.dependency_cycle",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


BatchRedoError = Literal[
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_batchId",
    "bad_request.invalid_batch_id",
    "conflict.batch_id_conflict",
    "rate_limited",
    "not_found.batch_not_found",
    "conflict.already_undone",
    "conflict.not_undone",
    "bad_request.cannot_restore_purged",
    "forbidden.no_permission",
    "forbidden.plan_limit",
    "conflict.version_conflict",
    "bad_request.node_in_trash",
    "bad_request.node_blocked",
    "bad_request.link_in_trash",
    "bad_request.inactive_source_or_target",
    "forbidden.forbidden_type",
    "forbidden.forbidden_private",
    "forbidden.would_share",
    "conflict.duplicate_link",
    "bad_request.not_public",
    "bad_request.has_access",
    "conflict.username_taken",
    "conflict.dependency_cycle",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


SettingsUsernameError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.invalid_username",
    "conflict.batch_id_conflict",
    "rate_limited",
    "forbidden.no_permission",
    "conflict.username_taken",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


SettingsViewError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.invalid_view",
    "bad_request.no_fields_to_update",
    "conflict.batch_id_conflict",
    "rate_limited",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


WsPingError = Literal[
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "rate_limited",
    "unavailable",
    "internal.exception",
]


AccountRegisterError = Literal[
    "payload_too_large",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_email",
    "bad_request.invalid_email",
    "bad_request.invalid_username",
    "bad_request.invalid_password",
    "bad_request.malformed_key",
    "rate_limited",
    "forbidden.registration_closed",
    "forbidden.invalid_invite",
    "conflict.email_taken",
    "conflict.username_taken",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountLoginError = Literal[
    "payload_too_large",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_email",
    "bad_request.invalid_email",
    "bad_request.invalid_password",
    "rate_limited",
    "unauthorized",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountLogoutError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "rate_limited",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountInviteError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_email",
    "rate_limited",
    "forbidden.no_permission",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountInvitesError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "rate_limited",
    "forbidden.no_permission",
    "unavailable",
    "internal.exception",
]


AccountInviteRevokeError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_id",
    "rate_limited",
    "forbidden.no_permission",
    "not_found.key_not_found",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountPasswordForgotError = Literal[
    "payload_too_large",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_email",
    "bad_request.invalid_email",
    "rate_limited",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountPasswordResetError = Literal[
    "payload_too_large",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_key",
    "bad_request.malformed_key",
    "bad_request.invalid_password",
    "rate_limited",
    "forbidden.invalid_key",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountPasswordError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_password",
    "rate_limited",
    "forbidden.wrong_password",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountOidcError = Literal[
    "payload_too_large",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "rate_limited",
    "unavailable",
    "internal.exception",
]


AccountOidcStartError = Literal[
    "payload_too_large",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_provider",
    "bad_request.invalid_provider",
    "bad_request.invalid_next",
    "bad_request.malformed_key",
    "rate_limited",
    "unavailable.oidc_not_configured",
    "unavailable.oidc_unavailable",
    "unavailable",
    "internal.exception",
]


AccountOidcCallbackError = Literal[
    "payload_too_large",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.missing_provider",
    "bad_request.invalid_provider",
    "bad_request.invalid_answer",
    "rate_limited",
    "forbidden.registration_closed",
    "forbidden.invalid_invite",
    "conflict.too_many_identities",
    "bad_request.uri_too_long",
    "unavailable.oidc_not_configured",
    "forbidden.oidc_state",
    "forbidden.oidc_issuer",
    "forbidden.oidc_denied",
    "internal.storage",
    "unavailable.oidc_unavailable",
    "forbidden.oidc_code",
    "forbidden.oidc_token",
    "forbidden.oidc_email",
    "forbidden.account_disabled",
    "unavailable",
    "internal.exception",
]


AccountGoogleError = Literal[
    "payload_too_large",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_code",
    "bad_request.invalid_answer",
    "bad_request.invalid_redirect_uri",
    "rate_limited",
    "forbidden.registration_closed",
    "forbidden.invalid_invite",
    "conflict.too_many_identities",
    "unavailable.oidc_not_configured",
    "unavailable.oidc_unavailable",
    "forbidden.oidc_code",
    "forbidden.oidc_token",
    "forbidden.oidc_email",
    "forbidden.account_disabled",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountIdentityRemoveError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_provider",
    "bad_request.invalid_provider",
    "rate_limited",
    "not_found.identity_not_found",
    "conflict.last_identity",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountSessionsError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "rate_limited",
    "unavailable",
    "internal.exception",
]


AccountSessionsEndError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_id",
    "rate_limited",
    "not_found.session_not_found",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountEmailError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_email",
    "bad_request.invalid_email",
    "bad_request.invalid_password",
    "rate_limited",
    "conflict.email_taken",
    "forbidden.wrong_password",
    "forbidden.sign_in_again",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountEmailConfirmError = Literal[
    "payload_too_large",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_key",
    "bad_request.malformed_key",
    "rate_limited",
    "forbidden.invalid_key",
    "conflict.email_taken",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountCloseError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_password",
    "rate_limited",
    "conflict.last_admin",
    "forbidden.wrong_password",
    "forbidden.sign_in_again",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AdminUsersError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "rate_limited",
    "forbidden.no_permission",
    "unavailable",
    "internal.exception",
]


AdminUserError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_id",
    "bad_request.invalid_plan",
    "bad_request.invalid_admin",
    "bad_request.no_fields_to_update",
    "rate_limited",
    "forbidden.no_permission",
    "not_found.user_not_found",
    "conflict.last_admin",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AdminUserDisableError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_id",
    "rate_limited",
    "forbidden.no_permission",
    "not_found.user_not_found",
    "conflict.last_admin",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AdminUserEnableError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_id",
    "rate_limited",
    "forbidden.no_permission",
    "not_found.user_not_found",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AdminUserReopenError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_id",
    "rate_limited",
    "forbidden.no_permission",
    "not_found.user_not_found",
    "bad_request.not_closing",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AdminUserRemoveError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "forbidden.read_only",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_id",
    "rate_limited",
    "forbidden.no_permission",
    "not_found.user_not_found",
    "conflict.last_admin",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountTokensError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "rate_limited",
    "unavailable",
    "internal.exception",
]


AccountTokensCreateError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_token_name",
    "bad_request.invalid_expires",
    "bad_request.invalid_token_scope",
    "rate_limited",
    "conflict.too_many_tokens",
    "not_found.node_not_found",
    "forbidden.no_permission",
    "bad_request.node_in_trash",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountTokensUpdateError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_token_id",
    "bad_request.invalid_token_name",
    "bad_request.invalid_expires",
    "bad_request.no_fields_to_update",
    "rate_limited",
    "not_found.token_not_found",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountTokensRevokeError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_token_id",
    "bad_request.invalid_all",
    "rate_limited",
    "not_found.token_not_found",
    "bad_request.missing_id",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


AccountTokensRotateError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.session_required",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.missing_id",
    "bad_request.invalid_token_id",
    "rate_limited",
    "not_found.token_not_found",
    "unavailable",
    "internal.storage",
    "internal.exception",
]


OperationName = Literal[
    "graph:get",
    "trash:page",
    "trash:list",
    "branch:get",
    "graph:snapshot",
    "graph:why",
    "graph:ready",
    "graph:critical",
    "graph:sync",
    "graph:apply",
    "account:get",
    "node:add",
    "node:update",
    "node:delete",
    "node:trash",
    "node:duplicate",
    "node:restore",
    "link:add",
    "link:update",
    "link:delete",
    "link:trash",
    "link:restore",
    "link:swap",
    "trash:restore",
    "trash:purge",
    "trash:empty",
    "node:publish",
    "node:publish:update",
    "node:unpublish",
    "node:embed",
    "node:unembed",
    "node:access",
    "node:access:update",
    "node:access:delete",
    "node:grants",
    "access:visibilityupdate",
    "history:page",
    "history:undo",
    "history:redo",
    "batch:undo",
    "batch:redo",
    "settings:username",
    "settings:view",
    "ws:ping",
    "account:register",
    "account:login",
    "account:logout",
    "account:invite",
    "account:invites",
    "account:invite:revoke",
    "account:password:forgot",
    "account:password:reset",
    "account:password",
    "account:oidc",
    "account:oidc:start",
    "account:oidc:callback",
    "account:google",
    "account:identity:remove",
    "account:sessions",
    "account:sessions:end",
    "account:email",
    "account:email:confirm",
    "account:close",
    "admin:users",
    "admin:user",
    "admin:user:disable",
    "admin:user:enable",
    "admin:user:reopen",
    "admin:user:remove",
    "account:tokens",
    "account:tokens:create",
    "account:tokens:update",
    "account:tokens:revoke",
    "account:tokens:rotate",
    "node:dragend",
]


RelayName = Literal["presence:update", "camera:update", "node:drag"]


EventName = Literal[
    "connected",
    "graph:diff",
    "graph:init",
    "graph:error",
    "branch:published",
    "settings:view",
    "error",
    "rate_limited",
    "ws:pong",
    "presence:state",
    "camera:presence",
    "node:drag",
    "node:dragend",
]


class Operations:
    """Every operation as a method, and by its name."""

    def _send(
        self, event: str, input: Mapping[str, object], wait: bool | None, timeout: float | None
    ) -> object:
        raise NotImplementedError

    def graph_get(self, **input: Unpack[GraphGetInput]) -> GraphPage:
        """Reads a page of the graph, oldest first."""
        return cast(GraphPage, self._send("graph:get", input, None, None))

    def trash_page(self, **input: Unpack[TrashPageInput]) -> TrashPage:
        """Reads a page of the trash, latest first."""
        return cast(TrashPage, self._send("trash:page", input, None, None))

    def trash_list(self, **input: Unpack[TrashListInput]) -> TrashPage:
        """Reads a page of the trash, latest first."""
        return cast(TrashPage, self._send("trash:list", input, None, None))

    def branch_get(self, **input: Unpack[BranchGetInput]) -> BranchPage:
        """Reads a page of a branch or of a publication."""
        return cast(BranchPage, self._send("branch:get", input, None, None))

    def graph_snapshot(self, **input: Unpack[GraphSnapshotInput]) -> Snapshot:
        """Reads the whole graph, or a whole branch, in one answer."""
        return cast(Snapshot, self._send("graph:snapshot", input, None, None))

    def graph_why(self, **input: Unpack[GraphWhyInput]) -> Why:
        """Tells why a task waits, and for what at the end."""
        return cast(Why, self._send("graph:why", input, None, None))

    def graph_ready(self, **input: Unpack[GraphReadyInput]) -> Ready:
        """Lists the tasks that can be started, the most urgent first."""
        return cast(Ready, self._send("graph:ready", input, None, None))

    def graph_critical(self, **input: Unpack[GraphCriticalInput]) -> Critical:
        """Finds the longest chains of tasks that are not completed."""
        return cast(Critical, self._send("graph:critical", input, None, None))

    def graph_sync(self, **input: Unpack[GraphSyncInput]) -> Synced:
        """Sends what a connection has missed since a rev."""
        return cast(Synced, self._send("graph:sync", input, None, None))

    def graph_apply(self, **input: Unpack[GraphApplyInput]) -> Applied:
        """Carries out several operations as one batch: all or none."""
        return cast(Applied, self._send("graph:apply", input, None, None))

    def account_get(self, **input: Unpack[AccountGetInput]) -> AccountAnswer:
        """Reads the account of the caller."""
        return cast(AccountAnswer, self._send("account:get", input, None, None))

    def node_add(self, **input: Unpack[NodeAddInput]) -> Changed:
        """Adds a node."""
        return cast(Changed, self._send("node:add", input, None, None))

    def node_update(self, **input: Unpack[NodeUpdateInput]) -> Changed:
        """Changes fields of a node."""
        return cast(Changed, self._send("node:update", input, None, None))

    def node_delete(self, **input: Unpack[NodeDeleteInput]) -> Changed:
        """Deletes a node in the trash for good."""
        return cast(Changed, self._send("node:delete", input, None, None))

    def node_trash(self, **input: Unpack[NodeTrashInput]) -> Changed:
        """Puts a node, or a whole branch, into the trash."""
        return cast(Changed, self._send("node:trash", input, None, None))

    def node_duplicate(self, **input: Unpack[NodeDuplicateInput]) -> Copied:
        """Copies a node, or a whole branch."""
        return cast(Copied, self._send("node:duplicate", input, None, None))

    def node_restore(self, **input: Unpack[NodeRestoreInput]) -> Changed:
        """Takes a node out of the trash."""
        return cast(Changed, self._send("node:restore", input, None, None))

    def link_add(self, **input: Unpack[LinkAddInput]) -> Changed:
        """Links two nodes: the target waits for the source."""
        return cast(Changed, self._send("link:add", input, None, None))

    def link_update(self, **input: Unpack[LinkUpdateInput]) -> Changed:
        """Changes the type or the privacy of a link."""
        return cast(Changed, self._send("link:update", input, None, None))

    def link_delete(self, **input: Unpack[LinkDeleteInput]) -> Changed:
        """Deletes a link in the trash for good."""
        return cast(Changed, self._send("link:delete", input, None, None))

    def link_trash(self, **input: Unpack[LinkTrashInput]) -> Changed:
        """Puts a link into the trash."""
        return cast(Changed, self._send("link:trash", input, None, None))

    def link_restore(self, **input: Unpack[LinkRestoreInput]) -> Changed:
        """Takes a link out of the trash."""
        return cast(Changed, self._send("link:restore", input, None, None))

    def link_swap(self, **input: Unpack[LinkSwapInput]) -> Changed:
        """Turns a link around."""
        return cast(Changed, self._send("link:swap", input, None, None))

    def trash_restore(self, **input: Unpack[TrashRestoreInput]) -> Changed:
        """Takes out of the trash what one batch put there."""
        return cast(Changed, self._send("trash:restore", input, None, None))

    def trash_purge(self, **input: Unpack[TrashPurgeInput]) -> Changed:
        """Deletes what is in the trash for good: all of it, or what is named."""
        return cast(Changed, self._send("trash:purge", input, None, None))

    def trash_empty(self, **input: Unpack[TrashEmptyInput]) -> Changed:
        """Deletes everything in the trash for good."""
        return cast(Changed, self._send("trash:empty", input, None, None))

    def node_publish(self, **input: Unpack[NodePublishInput]) -> Changed:
        """Publishes a node or its branch under a public token."""
        return cast(Changed, self._send("node:publish", input, None, None))

    def node_publish_update(self, **input: Unpack[NodePublishUpdateInput]) -> Changed:
        """Changes a publication."""
        return cast(Changed, self._send("node:publish:update", input, None, None))

    def node_unpublish(self, **input: Unpack[NodeUnpublishInput]) -> Changed:
        """Ends a publication."""
        return cast(Changed, self._send("node:unpublish", input, None, None))

    def node_embed(self, **input: Unpack[NodeEmbedInput]) -> Changed:
        """Embeds a publication in the graph of the caller."""
        return cast(Changed, self._send("node:embed", input, None, None))

    def node_unembed(self, **input: Unpack[NodeUnembedInput]) -> Changed:
        """Takes an embedded publication out of the graph of the caller."""
        return cast(Changed, self._send("node:unembed", input, None, None))

    def node_access(self, **input: Unpack[NodeAccessInput]) -> Changed:
        """Grants a user access to a node or branch."""
        return cast(Changed, self._send("node:access", input, None, None))

    def node_access_update(self, **input: Unpack[NodeAccessUpdateInput]) -> Changed:
        """Changes a grant."""
        return cast(Changed, self._send("node:access:update", input, None, None))

    def node_access_delete(self, **input: Unpack[NodeAccessDeleteInput]) -> Changed:
        """Ends a grant."""
        return cast(Changed, self._send("node:access:delete", input, None, None))

    def node_grants(self, **input: Unpack[NodeGrantsInput]) -> NodeGrants:
        """Lists who has access to a node."""
        return cast(NodeGrants, self._send("node:grants", input, None, None))

    def access_visibilityupdate(self, **input: Unpack[AccessVisibilityupdateInput]) -> Changed:
        """Hides a grant from the graph of the caller, or shows it."""
        return cast(Changed, self._send("access:visibilityupdate", input, None, None))

    def history_page(self, **input: Unpack[HistoryPageInput]) -> HistoryPage:
        """Reads a page of history, latest first."""
        return cast(HistoryPage, self._send("history:page", input, None, None))

    def history_undo(self, **input: Unpack[HistoryUndoInput]) -> Undone:
        """Undoes a batch."""
        return cast(Undone, self._send("history:undo", input, None, None))

    def history_redo(self, **input: Unpack[HistoryRedoInput]) -> Undone:
        """Does an undone batch again."""
        return cast(Undone, self._send("history:redo", input, None, None))

    def batch_undo(self, **input: Unpack[BatchUndoInput]) -> Undone:
        """Undoes a batch."""
        return cast(Undone, self._send("batch:undo", input, None, None))

    def batch_redo(self, **input: Unpack[BatchRedoInput]) -> Undone:
        """Does an undone batch again."""
        return cast(Undone, self._send("batch:redo", input, None, None))

    def settings_username(self, **input: Unpack[SettingsUsernameInput]) -> Changed:
        """Changes the username of the caller."""
        return cast(Changed, self._send("settings:username", input, None, None))

    def settings_view(self, **input: Unpack[SettingsViewInput]) -> Changed:
        """Stores how the caller's client shows the graph."""
        return cast(Changed, self._send("settings:view", input, None, None))

    def ws_ping(self, **input: Unpack[WsPingInput]) -> Pong:
        """Asks whether the server is there, and what time it has."""
        return cast(Pong, self._send("ws:ping", input, None, None))

    def account_register(self, **input: Unpack[AccountRegisterInput]) -> AccountAnswer:
        """Makes an account and begins a session of it."""
        return cast(AccountAnswer, self._send("account:register", input, None, None))

    def account_login(self, **input: Unpack[AccountLoginInput]) -> AccountAnswer:
        """Begins a session."""
        return cast(AccountAnswer, self._send("account:login", input, None, None))

    def account_logout(self, **input: Unpack[AccountLogoutInput]) -> Done:
        """Ends the session of the caller."""
        return cast(Done, self._send("account:logout", input, None, None))

    def account_invite(self, **input: Unpack[AccountInviteInput]) -> Invited:
        """Invites someone, or anyone, to make an account."""
        return cast(Invited, self._send("account:invite", input, None, None))

    def account_invites(self, **input: Unpack[AccountInvitesInput]) -> Invites:
        """Lists the invitations that nobody has used."""
        return cast(Invites, self._send("account:invites", input, None, None))

    def account_invite_revoke(self, **input: Unpack[AccountInviteRevokeInput]) -> Done:
        """Revokes an invitation."""
        return cast(Done, self._send("account:invite:revoke", input, None, None))

    def account_password_forgot(self, **input: Unpack[AccountPasswordForgotInput]) -> Done:
        """Sends whoever has this email a link to choose a new password. The answer does not tell whether anyone
        has."""
        return cast(Done, self._send("account:password:forgot", input, None, None))

    def account_password_reset(self, **input: Unpack[AccountPasswordResetInput]) -> Done:
        """Chooses a new password with the key of such a link."""
        return cast(Done, self._send("account:password:reset", input, None, None))

    def account_password(self, **input: Unpack[AccountPasswordInput]) -> Done:
        """Chooses a new password, by the old one."""
        return cast(Done, self._send("account:password", input, None, None))

    def account_oidc(self, **input: Unpack[AccountOidcInput]) -> Providers:
        """Lists the identity providers to sign in with."""
        return cast(Providers, self._send("account:oidc", input, None, None))

    def account_oidc_start(self, **input: Unpack[AccountOidcStartInput]) -> dict[str, object]:
        """Sends a browser to an identity provider."""
        return cast("dict[str, object]", self._send("account:oidc:start", input, None, None))

    def account_oidc_callback(self, **input: Unpack[AccountOidcCallbackInput]) -> dict[str, object]:
        """Takes a browser back from an identity provider, and begins a session."""
        return cast("dict[str, object]", self._send("account:oidc:callback", input, None, None))

    def account_google(self, **input: Unpack[AccountGoogleInput]) -> AccountAnswer:
        """Begins a session by a code that a page got from Google."""
        return cast(AccountAnswer, self._send("account:google", input, None, None))

    def account_identity_remove(self, **input: Unpack[AccountIdentityRemoveInput]) -> Done:
        """Removes the identities at a provider from the account."""
        return cast(Done, self._send("account:identity:remove", input, None, None))

    def account_sessions(self, **input: Unpack[AccountSessionsInput]) -> Sessions:
        """Lists the sessions of the caller."""
        return cast(Sessions, self._send("account:sessions", input, None, None))

    def account_sessions_end(self, **input: Unpack[AccountSessionsEndInput]) -> Done:
        """Ends a session of the caller, or all others than the one that asks."""
        return cast(Done, self._send("account:sessions:end", input, None, None))

    def account_email(self, **input: Unpack[AccountEmailInput]) -> EmailChange:
        """Gives the caller's account another email, which may have to be confirmed."""
        return cast(EmailChange, self._send("account:email", input, None, None))

    def account_email_confirm(self, **input: Unpack[AccountEmailConfirmInput]) -> EmailConfirmed:
        """Confirms an email with the key of the link that was sent there."""
        return cast(EmailConfirmed, self._send("account:email:confirm", input, None, None))

    def account_close(self, **input: Unpack[AccountCloseInput]) -> AccountClosed:
        """Closes the caller's account. It is removed after a grace."""
        return cast(AccountClosed, self._send("account:close", input, None, None))

    def admin_users(self, **input: Unpack[AdminUsersInput]) -> Users:
        """Lists the accounts, for administrators."""
        return cast(Users, self._send("admin:users", input, None, None))

    def admin_user(self, **input: Unpack[AdminUserInput]) -> UserChanged:
        """Changes an account, for administrators."""
        return cast(UserChanged, self._send("admin:user", input, None, None))

    def admin_user_disable(self, **input: Unpack[AdminUserDisableInput]) -> UserChanged:
        """Disables an account, for administrators."""
        return cast(UserChanged, self._send("admin:user:disable", input, None, None))

    def admin_user_enable(self, **input: Unpack[AdminUserEnableInput]) -> UserChanged:
        """Enables an account again, for administrators."""
        return cast(UserChanged, self._send("admin:user:enable", input, None, None))

    def admin_user_reopen(self, **input: Unpack[AdminUserReopenInput]) -> UserChanged:
        """Opens an account again that its owner has closed, for administrators."""
        return cast(UserChanged, self._send("admin:user:reopen", input, None, None))

    def admin_user_remove(self, **input: Unpack[AdminUserRemoveInput]) -> UserRemoved:
        """Removes an account for good, for administrators."""
        return cast(UserRemoved, self._send("admin:user:remove", input, None, None))

    def account_tokens(self, **input: Unpack[AccountTokensInput]) -> Tokens:
        """Lists the caller's API tokens."""
        return cast(Tokens, self._send("account:tokens", input, None, None))

    def account_tokens_create(self, **input: Unpack[AccountTokensCreateInput]) -> NewToken:
        """Makes an API token of the caller's."""
        return cast(NewToken, self._send("account:tokens:create", input, None, None))

    def account_tokens_update(self, **input: Unpack[AccountTokensUpdateInput]) -> TokenAnswer:
        """Changes the name or the expiry of an API token."""
        return cast(TokenAnswer, self._send("account:tokens:update", input, None, None))

    def account_tokens_revoke(self, **input: Unpack[AccountTokensRevokeInput]) -> RevokedTokens:
        """Revokes one API token, or all of them."""
        return cast(RevokedTokens, self._send("account:tokens:revoke", input, None, None))

    def account_tokens_rotate(self, **input: Unpack[AccountTokensRotateInput]) -> NewToken:
        """Gives an API token a new secret. The old one stops working."""
        return cast(NewToken, self._send("account:tokens:rotate", input, None, None))

    def presence_update(self, **input: object) -> None:
        """Is passed on as presence:state: to users who see the node, and the user's other sockets."""
        self._tell("presence:update", input)

    def camera_update(self, **input: object) -> None:
        """Is passed on as camera:presence: to the user's other sockets."""
        self._tell("camera:update", input)

    def node_drag(self, **input: Unpack[NodeDragInput]) -> None:
        """Is passed on as node:drag: to users who see the node; takes access 2."""
        self._tell("node:drag", input)

    def node_dragend(self, **input: Unpack[NodeDragendInput]) -> Changed:
        """Is passed on as node:dragend: to users who see the node; takes access 2; also stored as a node:update of
        x, y and z."""
        return cast(Changed, self._send("node:dragend", input, None, None))

    def _tell(self, event: str, input: Mapping[str, object]) -> None:
        raise NotImplementedError

    @overload
    def call(
        self, event: Literal["graph:get"], input: GraphGetInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> GraphPage: ...

    @overload
    def call(
        self, event: Literal["trash:page"], input: TrashPageInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashPage: ...

    @overload
    def call(
        self, event: Literal["trash:list"], input: TrashListInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashPage: ...

    @overload
    def call(
        self, event: Literal["branch:get"], input: BranchGetInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> BranchPage: ...

    @overload
    def call(
        self, event: Literal["graph:snapshot"], input: GraphSnapshotInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Snapshot: ...

    @overload
    def call(
        self, event: Literal["graph:why"], input: GraphWhyInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Why: ...

    @overload
    def call(
        self, event: Literal["graph:ready"], input: GraphReadyInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Ready: ...

    @overload
    def call(
        self, event: Literal["graph:critical"], input: GraphCriticalInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Critical: ...

    @overload
    def call(
        self, event: Literal["graph:sync"], input: GraphSyncInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Synced: ...

    @overload
    def call(
        self, event: Literal["graph:apply"], input: GraphApplyInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Applied: ...

    @overload
    def call(
        self, event: Literal["account:get"], input: AccountGetInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountAnswer: ...

    @overload
    def call(
        self, event: Literal["node:add"], input: NodeAddInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:update"], input: NodeUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:delete"], input: NodeDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:trash"], input: NodeTrashInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:duplicate"], input: NodeDuplicateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Copied: ...

    @overload
    def call(
        self, event: Literal["node:restore"], input: NodeRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["link:add"], input: LinkAddInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["link:update"], input: LinkUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["link:delete"], input: LinkDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["link:trash"], input: LinkTrashInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["link:restore"], input: LinkRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["link:swap"], input: LinkSwapInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["trash:restore"], input: TrashRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["trash:purge"], input: TrashPurgeInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["trash:empty"], input: TrashEmptyInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:publish"], input: NodePublishInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:publish:update"], input: NodePublishUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:unpublish"], input: NodeUnpublishInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:embed"], input: NodeEmbedInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:unembed"], input: NodeUnembedInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:access"], input: NodeAccessInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:access:update"], input: NodeAccessUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:access:delete"], input: NodeAccessDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["node:grants"], input: NodeGrantsInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeGrants: ...

    @overload
    def call(
        self, event: Literal["access:visibilityupdate"], input: AccessVisibilityupdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["history:page"], input: HistoryPageInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> HistoryPage: ...

    @overload
    def call(
        self, event: Literal["history:undo"], input: HistoryUndoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Undone: ...

    @overload
    def call(
        self, event: Literal["history:redo"], input: HistoryRedoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Undone: ...

    @overload
    def call(
        self, event: Literal["batch:undo"], input: BatchUndoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Undone: ...

    @overload
    def call(
        self, event: Literal["batch:redo"], input: BatchRedoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Undone: ...

    @overload
    def call(
        self, event: Literal["settings:username"], input: SettingsUsernameInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["settings:view"], input: SettingsViewInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    def call(
        self, event: Literal["ws:ping"], input: WsPingInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Pong: ...

    @overload
    def call(
        self, event: Literal["account:register"], input: AccountRegisterInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountAnswer: ...

    @overload
    def call(
        self, event: Literal["account:login"], input: AccountLoginInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountAnswer: ...

    @overload
    def call(
        self, event: Literal["account:logout"], input: AccountLogoutInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    def call(
        self, event: Literal["account:invite"], input: AccountInviteInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Invited: ...

    @overload
    def call(
        self, event: Literal["account:invites"], input: AccountInvitesInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Invites: ...

    @overload
    def call(
        self, event: Literal["account:invite:revoke"], input: AccountInviteRevokeInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    def call(
        self, event: Literal["account:password:forgot"], input: AccountPasswordForgotInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    def call(
        self, event: Literal["account:password:reset"], input: AccountPasswordResetInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    def call(
        self, event: Literal["account:password"], input: AccountPasswordInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    def call(
        self, event: Literal["account:oidc"], input: AccountOidcInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Providers: ...

    @overload
    def call(
        self, event: Literal["account:oidc:start"], input: AccountOidcStartInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> dict[str, object]: ...

    @overload
    def call(
        self, event: Literal["account:oidc:callback"], input: AccountOidcCallbackInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> dict[str, object]: ...

    @overload
    def call(
        self, event: Literal["account:google"], input: AccountGoogleInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountAnswer: ...

    @overload
    def call(
        self, event: Literal["account:identity:remove"], input: AccountIdentityRemoveInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    def call(
        self, event: Literal["account:sessions"], input: AccountSessionsInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Sessions: ...

    @overload
    def call(
        self, event: Literal["account:sessions:end"], input: AccountSessionsEndInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    def call(
        self, event: Literal["account:email"], input: AccountEmailInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> EmailChange: ...

    @overload
    def call(
        self, event: Literal["account:email:confirm"], input: AccountEmailConfirmInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> EmailConfirmed: ...

    @overload
    def call(
        self, event: Literal["account:close"], input: AccountCloseInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountClosed: ...

    @overload
    def call(
        self, event: Literal["admin:users"], input: AdminUsersInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Users: ...

    @overload
    def call(
        self, event: Literal["admin:user"], input: AdminUserInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> UserChanged: ...

    @overload
    def call(
        self, event: Literal["admin:user:disable"], input: AdminUserDisableInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> UserChanged: ...

    @overload
    def call(
        self, event: Literal["admin:user:enable"], input: AdminUserEnableInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> UserChanged: ...

    @overload
    def call(
        self, event: Literal["admin:user:reopen"], input: AdminUserReopenInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> UserChanged: ...

    @overload
    def call(
        self, event: Literal["admin:user:remove"], input: AdminUserRemoveInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> UserRemoved: ...

    @overload
    def call(
        self, event: Literal["account:tokens"], input: AccountTokensInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Tokens: ...

    @overload
    def call(
        self, event: Literal["account:tokens:create"], input: AccountTokensCreateInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NewToken: ...

    @overload
    def call(
        self, event: Literal["account:tokens:update"], input: AccountTokensUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TokenAnswer: ...

    @overload
    def call(
        self, event: Literal["account:tokens:revoke"], input: AccountTokensRevokeInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> RevokedTokens: ...

    @overload
    def call(
        self, event: Literal["account:tokens:rotate"], input: AccountTokensRotateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NewToken: ...

    @overload
    def call(
        self, event: Literal["node:dragend"], input: NodeDragendInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    def call(
        self, event: str, input: Any = None, *, wait: bool | None = None, timeout: float | None = None
    ) -> Any:
        """Carries out an operation by its name. `wait`: waits and asks again when the server says after how many
        seconds to, instead of raising; `timeout`: seconds in which the answer must have come. By default both are
        the client's."""
        return self._send(event, {} if input is None else input, wait, timeout)

    def _on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        raise NotImplementedError

    @overload
    def on(self, event: Literal["connected"], listener: Callable[[Connected], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["graph:diff"], listener: Callable[[Diff], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["graph:init"], listener: Callable[[GraphInit], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["graph:error"], listener: Callable[[GraphError], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["branch:published"], listener: Callable[[Published], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["settings:view"], listener: Callable[[ViewSettings], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["error"], listener: Callable[[ErrorEvent], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["rate_limited"], listener: Callable[[ErrorEvent], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["ws:pong"], listener: Callable[[PongEvent], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["presence:state"], listener: Callable[[Presence], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["camera:presence"], listener: Callable[[CameraPresence], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["node:drag"], listener: Callable[[Dragged], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["node:dragend"], listener: Callable[[Dragged], None]) -> Callable[[], None]: ...

    def on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Listens to an event of the server. Returns what lets go of the listener."""
        return self._on(event, listener)


class AsyncOperations:
    """Every operation as a method, and by its name; all to be awaited."""

    async def _send(
        self, event: str, input: Mapping[str, object], wait: bool | None, timeout: float | None
    ) -> object:
        raise NotImplementedError

    async def graph_get(self, **input: Unpack[GraphGetInput]) -> GraphPage:
        """Reads a page of the graph, oldest first."""
        return cast(GraphPage, await self._send("graph:get", input, None, None))

    async def trash_page(self, **input: Unpack[TrashPageInput]) -> TrashPage:
        """Reads a page of the trash, latest first."""
        return cast(TrashPage, await self._send("trash:page", input, None, None))

    async def trash_list(self, **input: Unpack[TrashListInput]) -> TrashPage:
        """Reads a page of the trash, latest first."""
        return cast(TrashPage, await self._send("trash:list", input, None, None))

    async def branch_get(self, **input: Unpack[BranchGetInput]) -> BranchPage:
        """Reads a page of a branch or of a publication."""
        return cast(BranchPage, await self._send("branch:get", input, None, None))

    async def graph_snapshot(self, **input: Unpack[GraphSnapshotInput]) -> Snapshot:
        """Reads the whole graph, or a whole branch, in one answer."""
        return cast(Snapshot, await self._send("graph:snapshot", input, None, None))

    async def graph_why(self, **input: Unpack[GraphWhyInput]) -> Why:
        """Tells why a task waits, and for what at the end."""
        return cast(Why, await self._send("graph:why", input, None, None))

    async def graph_ready(self, **input: Unpack[GraphReadyInput]) -> Ready:
        """Lists the tasks that can be started, the most urgent first."""
        return cast(Ready, await self._send("graph:ready", input, None, None))

    async def graph_critical(self, **input: Unpack[GraphCriticalInput]) -> Critical:
        """Finds the longest chains of tasks that are not completed."""
        return cast(Critical, await self._send("graph:critical", input, None, None))

    async def graph_sync(self, **input: Unpack[GraphSyncInput]) -> Synced:
        """Sends what a connection has missed since a rev."""
        return cast(Synced, await self._send("graph:sync", input, None, None))

    async def graph_apply(self, **input: Unpack[GraphApplyInput]) -> Applied:
        """Carries out several operations as one batch: all or none."""
        return cast(Applied, await self._send("graph:apply", input, None, None))

    async def account_get(self, **input: Unpack[AccountGetInput]) -> AccountAnswer:
        """Reads the account of the caller."""
        return cast(AccountAnswer, await self._send("account:get", input, None, None))

    async def node_add(self, **input: Unpack[NodeAddInput]) -> Changed:
        """Adds a node."""
        return cast(Changed, await self._send("node:add", input, None, None))

    async def node_update(self, **input: Unpack[NodeUpdateInput]) -> Changed:
        """Changes fields of a node."""
        return cast(Changed, await self._send("node:update", input, None, None))

    async def node_delete(self, **input: Unpack[NodeDeleteInput]) -> Changed:
        """Deletes a node in the trash for good."""
        return cast(Changed, await self._send("node:delete", input, None, None))

    async def node_trash(self, **input: Unpack[NodeTrashInput]) -> Changed:
        """Puts a node, or a whole branch, into the trash."""
        return cast(Changed, await self._send("node:trash", input, None, None))

    async def node_duplicate(self, **input: Unpack[NodeDuplicateInput]) -> Copied:
        """Copies a node, or a whole branch."""
        return cast(Copied, await self._send("node:duplicate", input, None, None))

    async def node_restore(self, **input: Unpack[NodeRestoreInput]) -> Changed:
        """Takes a node out of the trash."""
        return cast(Changed, await self._send("node:restore", input, None, None))

    async def link_add(self, **input: Unpack[LinkAddInput]) -> Changed:
        """Links two nodes: the target waits for the source."""
        return cast(Changed, await self._send("link:add", input, None, None))

    async def link_update(self, **input: Unpack[LinkUpdateInput]) -> Changed:
        """Changes the type or the privacy of a link."""
        return cast(Changed, await self._send("link:update", input, None, None))

    async def link_delete(self, **input: Unpack[LinkDeleteInput]) -> Changed:
        """Deletes a link in the trash for good."""
        return cast(Changed, await self._send("link:delete", input, None, None))

    async def link_trash(self, **input: Unpack[LinkTrashInput]) -> Changed:
        """Puts a link into the trash."""
        return cast(Changed, await self._send("link:trash", input, None, None))

    async def link_restore(self, **input: Unpack[LinkRestoreInput]) -> Changed:
        """Takes a link out of the trash."""
        return cast(Changed, await self._send("link:restore", input, None, None))

    async def link_swap(self, **input: Unpack[LinkSwapInput]) -> Changed:
        """Turns a link around."""
        return cast(Changed, await self._send("link:swap", input, None, None))

    async def trash_restore(self, **input: Unpack[TrashRestoreInput]) -> Changed:
        """Takes out of the trash what one batch put there."""
        return cast(Changed, await self._send("trash:restore", input, None, None))

    async def trash_purge(self, **input: Unpack[TrashPurgeInput]) -> Changed:
        """Deletes what is in the trash for good: all of it, or what is named."""
        return cast(Changed, await self._send("trash:purge", input, None, None))

    async def trash_empty(self, **input: Unpack[TrashEmptyInput]) -> Changed:
        """Deletes everything in the trash for good."""
        return cast(Changed, await self._send("trash:empty", input, None, None))

    async def node_publish(self, **input: Unpack[NodePublishInput]) -> Changed:
        """Publishes a node or its branch under a public token."""
        return cast(Changed, await self._send("node:publish", input, None, None))

    async def node_publish_update(self, **input: Unpack[NodePublishUpdateInput]) -> Changed:
        """Changes a publication."""
        return cast(Changed, await self._send("node:publish:update", input, None, None))

    async def node_unpublish(self, **input: Unpack[NodeUnpublishInput]) -> Changed:
        """Ends a publication."""
        return cast(Changed, await self._send("node:unpublish", input, None, None))

    async def node_embed(self, **input: Unpack[NodeEmbedInput]) -> Changed:
        """Embeds a publication in the graph of the caller."""
        return cast(Changed, await self._send("node:embed", input, None, None))

    async def node_unembed(self, **input: Unpack[NodeUnembedInput]) -> Changed:
        """Takes an embedded publication out of the graph of the caller."""
        return cast(Changed, await self._send("node:unembed", input, None, None))

    async def node_access(self, **input: Unpack[NodeAccessInput]) -> Changed:
        """Grants a user access to a node or branch."""
        return cast(Changed, await self._send("node:access", input, None, None))

    async def node_access_update(self, **input: Unpack[NodeAccessUpdateInput]) -> Changed:
        """Changes a grant."""
        return cast(Changed, await self._send("node:access:update", input, None, None))

    async def node_access_delete(self, **input: Unpack[NodeAccessDeleteInput]) -> Changed:
        """Ends a grant."""
        return cast(Changed, await self._send("node:access:delete", input, None, None))

    async def node_grants(self, **input: Unpack[NodeGrantsInput]) -> NodeGrants:
        """Lists who has access to a node."""
        return cast(NodeGrants, await self._send("node:grants", input, None, None))

    async def access_visibilityupdate(self, **input: Unpack[AccessVisibilityupdateInput]) -> Changed:
        """Hides a grant from the graph of the caller, or shows it."""
        return cast(Changed, await self._send("access:visibilityupdate", input, None, None))

    async def history_page(self, **input: Unpack[HistoryPageInput]) -> HistoryPage:
        """Reads a page of history, latest first."""
        return cast(HistoryPage, await self._send("history:page", input, None, None))

    async def history_undo(self, **input: Unpack[HistoryUndoInput]) -> Undone:
        """Undoes a batch."""
        return cast(Undone, await self._send("history:undo", input, None, None))

    async def history_redo(self, **input: Unpack[HistoryRedoInput]) -> Undone:
        """Does an undone batch again."""
        return cast(Undone, await self._send("history:redo", input, None, None))

    async def batch_undo(self, **input: Unpack[BatchUndoInput]) -> Undone:
        """Undoes a batch."""
        return cast(Undone, await self._send("batch:undo", input, None, None))

    async def batch_redo(self, **input: Unpack[BatchRedoInput]) -> Undone:
        """Does an undone batch again."""
        return cast(Undone, await self._send("batch:redo", input, None, None))

    async def settings_username(self, **input: Unpack[SettingsUsernameInput]) -> Changed:
        """Changes the username of the caller."""
        return cast(Changed, await self._send("settings:username", input, None, None))

    async def settings_view(self, **input: Unpack[SettingsViewInput]) -> Changed:
        """Stores how the caller's client shows the graph."""
        return cast(Changed, await self._send("settings:view", input, None, None))

    async def ws_ping(self, **input: Unpack[WsPingInput]) -> Pong:
        """Asks whether the server is there, and what time it has."""
        return cast(Pong, await self._send("ws:ping", input, None, None))

    async def account_register(self, **input: Unpack[AccountRegisterInput]) -> AccountAnswer:
        """Makes an account and begins a session of it."""
        return cast(AccountAnswer, await self._send("account:register", input, None, None))

    async def account_login(self, **input: Unpack[AccountLoginInput]) -> AccountAnswer:
        """Begins a session."""
        return cast(AccountAnswer, await self._send("account:login", input, None, None))

    async def account_logout(self, **input: Unpack[AccountLogoutInput]) -> Done:
        """Ends the session of the caller."""
        return cast(Done, await self._send("account:logout", input, None, None))

    async def account_invite(self, **input: Unpack[AccountInviteInput]) -> Invited:
        """Invites someone, or anyone, to make an account."""
        return cast(Invited, await self._send("account:invite", input, None, None))

    async def account_invites(self, **input: Unpack[AccountInvitesInput]) -> Invites:
        """Lists the invitations that nobody has used."""
        return cast(Invites, await self._send("account:invites", input, None, None))

    async def account_invite_revoke(self, **input: Unpack[AccountInviteRevokeInput]) -> Done:
        """Revokes an invitation."""
        return cast(Done, await self._send("account:invite:revoke", input, None, None))

    async def account_password_forgot(self, **input: Unpack[AccountPasswordForgotInput]) -> Done:
        """Sends whoever has this email a link to choose a new password. The answer does not tell whether anyone
        has."""
        return cast(Done, await self._send("account:password:forgot", input, None, None))

    async def account_password_reset(self, **input: Unpack[AccountPasswordResetInput]) -> Done:
        """Chooses a new password with the key of such a link."""
        return cast(Done, await self._send("account:password:reset", input, None, None))

    async def account_password(self, **input: Unpack[AccountPasswordInput]) -> Done:
        """Chooses a new password, by the old one."""
        return cast(Done, await self._send("account:password", input, None, None))

    async def account_oidc(self, **input: Unpack[AccountOidcInput]) -> Providers:
        """Lists the identity providers to sign in with."""
        return cast(Providers, await self._send("account:oidc", input, None, None))

    async def account_oidc_start(self, **input: Unpack[AccountOidcStartInput]) -> dict[str, object]:
        """Sends a browser to an identity provider."""
        return cast("dict[str, object]", await self._send("account:oidc:start", input, None, None))

    async def account_oidc_callback(self, **input: Unpack[AccountOidcCallbackInput]) -> dict[str, object]:
        """Takes a browser back from an identity provider, and begins a session."""
        return cast("dict[str, object]", await self._send("account:oidc:callback", input, None, None))

    async def account_google(self, **input: Unpack[AccountGoogleInput]) -> AccountAnswer:
        """Begins a session by a code that a page got from Google."""
        return cast(AccountAnswer, await self._send("account:google", input, None, None))

    async def account_identity_remove(self, **input: Unpack[AccountIdentityRemoveInput]) -> Done:
        """Removes the identities at a provider from the account."""
        return cast(Done, await self._send("account:identity:remove", input, None, None))

    async def account_sessions(self, **input: Unpack[AccountSessionsInput]) -> Sessions:
        """Lists the sessions of the caller."""
        return cast(Sessions, await self._send("account:sessions", input, None, None))

    async def account_sessions_end(self, **input: Unpack[AccountSessionsEndInput]) -> Done:
        """Ends a session of the caller, or all others than the one that asks."""
        return cast(Done, await self._send("account:sessions:end", input, None, None))

    async def account_email(self, **input: Unpack[AccountEmailInput]) -> EmailChange:
        """Gives the caller's account another email, which may have to be confirmed."""
        return cast(EmailChange, await self._send("account:email", input, None, None))

    async def account_email_confirm(self, **input: Unpack[AccountEmailConfirmInput]) -> EmailConfirmed:
        """Confirms an email with the key of the link that was sent there."""
        return cast(EmailConfirmed, await self._send("account:email:confirm", input, None, None))

    async def account_close(self, **input: Unpack[AccountCloseInput]) -> AccountClosed:
        """Closes the caller's account. It is removed after a grace."""
        return cast(AccountClosed, await self._send("account:close", input, None, None))

    async def admin_users(self, **input: Unpack[AdminUsersInput]) -> Users:
        """Lists the accounts, for administrators."""
        return cast(Users, await self._send("admin:users", input, None, None))

    async def admin_user(self, **input: Unpack[AdminUserInput]) -> UserChanged:
        """Changes an account, for administrators."""
        return cast(UserChanged, await self._send("admin:user", input, None, None))

    async def admin_user_disable(self, **input: Unpack[AdminUserDisableInput]) -> UserChanged:
        """Disables an account, for administrators."""
        return cast(UserChanged, await self._send("admin:user:disable", input, None, None))

    async def admin_user_enable(self, **input: Unpack[AdminUserEnableInput]) -> UserChanged:
        """Enables an account again, for administrators."""
        return cast(UserChanged, await self._send("admin:user:enable", input, None, None))

    async def admin_user_reopen(self, **input: Unpack[AdminUserReopenInput]) -> UserChanged:
        """Opens an account again that its owner has closed, for administrators."""
        return cast(UserChanged, await self._send("admin:user:reopen", input, None, None))

    async def admin_user_remove(self, **input: Unpack[AdminUserRemoveInput]) -> UserRemoved:
        """Removes an account for good, for administrators."""
        return cast(UserRemoved, await self._send("admin:user:remove", input, None, None))

    async def account_tokens(self, **input: Unpack[AccountTokensInput]) -> Tokens:
        """Lists the caller's API tokens."""
        return cast(Tokens, await self._send("account:tokens", input, None, None))

    async def account_tokens_create(self, **input: Unpack[AccountTokensCreateInput]) -> NewToken:
        """Makes an API token of the caller's."""
        return cast(NewToken, await self._send("account:tokens:create", input, None, None))

    async def account_tokens_update(self, **input: Unpack[AccountTokensUpdateInput]) -> TokenAnswer:
        """Changes the name or the expiry of an API token."""
        return cast(TokenAnswer, await self._send("account:tokens:update", input, None, None))

    async def account_tokens_revoke(self, **input: Unpack[AccountTokensRevokeInput]) -> RevokedTokens:
        """Revokes one API token, or all of them."""
        return cast(RevokedTokens, await self._send("account:tokens:revoke", input, None, None))

    async def account_tokens_rotate(self, **input: Unpack[AccountTokensRotateInput]) -> NewToken:
        """Gives an API token a new secret. The old one stops working."""
        return cast(NewToken, await self._send("account:tokens:rotate", input, None, None))

    def presence_update(self, **input: object) -> None:
        """Is passed on as presence:state: to users who see the node, and the user's other sockets."""
        self._tell("presence:update", input)

    def camera_update(self, **input: object) -> None:
        """Is passed on as camera:presence: to the user's other sockets."""
        self._tell("camera:update", input)

    def node_drag(self, **input: Unpack[NodeDragInput]) -> None:
        """Is passed on as node:drag: to users who see the node; takes access 2."""
        self._tell("node:drag", input)

    async def node_dragend(self, **input: Unpack[NodeDragendInput]) -> Changed:
        """Is passed on as node:dragend: to users who see the node; takes access 2; also stored as a node:update of
        x, y and z."""
        return cast(Changed, await self._send("node:dragend", input, None, None))

    def _tell(self, event: str, input: Mapping[str, object]) -> None:
        raise NotImplementedError

    @overload
    async def call(
        self, event: Literal["graph:get"], input: GraphGetInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> GraphPage: ...

    @overload
    async def call(
        self, event: Literal["trash:page"], input: TrashPageInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashPage: ...

    @overload
    async def call(
        self, event: Literal["trash:list"], input: TrashListInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashPage: ...

    @overload
    async def call(
        self, event: Literal["branch:get"], input: BranchGetInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> BranchPage: ...

    @overload
    async def call(
        self, event: Literal["graph:snapshot"], input: GraphSnapshotInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Snapshot: ...

    @overload
    async def call(
        self, event: Literal["graph:why"], input: GraphWhyInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Why: ...

    @overload
    async def call(
        self, event: Literal["graph:ready"], input: GraphReadyInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Ready: ...

    @overload
    async def call(
        self, event: Literal["graph:critical"], input: GraphCriticalInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Critical: ...

    @overload
    async def call(
        self, event: Literal["graph:sync"], input: GraphSyncInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Synced: ...

    @overload
    async def call(
        self, event: Literal["graph:apply"], input: GraphApplyInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Applied: ...

    @overload
    async def call(
        self, event: Literal["account:get"], input: AccountGetInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountAnswer: ...

    @overload
    async def call(
        self, event: Literal["node:add"], input: NodeAddInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:update"], input: NodeUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:delete"], input: NodeDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:trash"], input: NodeTrashInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:duplicate"], input: NodeDuplicateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Copied: ...

    @overload
    async def call(
        self, event: Literal["node:restore"], input: NodeRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["link:add"], input: LinkAddInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["link:update"], input: LinkUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["link:delete"], input: LinkDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["link:trash"], input: LinkTrashInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["link:restore"], input: LinkRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["link:swap"], input: LinkSwapInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["trash:restore"], input: TrashRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["trash:purge"], input: TrashPurgeInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["trash:empty"], input: TrashEmptyInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:publish"], input: NodePublishInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:publish:update"], input: NodePublishUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:unpublish"], input: NodeUnpublishInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:embed"], input: NodeEmbedInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:unembed"], input: NodeUnembedInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:access"], input: NodeAccessInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:access:update"], input: NodeAccessUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:access:delete"], input: NodeAccessDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["node:grants"], input: NodeGrantsInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeGrants: ...

    @overload
    async def call(
        self, event: Literal["access:visibilityupdate"], input: AccessVisibilityupdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["history:page"], input: HistoryPageInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> HistoryPage: ...

    @overload
    async def call(
        self, event: Literal["history:undo"], input: HistoryUndoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Undone: ...

    @overload
    async def call(
        self, event: Literal["history:redo"], input: HistoryRedoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Undone: ...

    @overload
    async def call(
        self, event: Literal["batch:undo"], input: BatchUndoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Undone: ...

    @overload
    async def call(
        self, event: Literal["batch:redo"], input: BatchRedoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Undone: ...

    @overload
    async def call(
        self, event: Literal["settings:username"], input: SettingsUsernameInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["settings:view"], input: SettingsViewInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    @overload
    async def call(
        self, event: Literal["ws:ping"], input: WsPingInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Pong: ...

    @overload
    async def call(
        self, event: Literal["account:register"], input: AccountRegisterInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountAnswer: ...

    @overload
    async def call(
        self, event: Literal["account:login"], input: AccountLoginInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountAnswer: ...

    @overload
    async def call(
        self, event: Literal["account:logout"], input: AccountLogoutInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    async def call(
        self, event: Literal["account:invite"], input: AccountInviteInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Invited: ...

    @overload
    async def call(
        self, event: Literal["account:invites"], input: AccountInvitesInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Invites: ...

    @overload
    async def call(
        self, event: Literal["account:invite:revoke"], input: AccountInviteRevokeInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    async def call(
        self, event: Literal["account:password:forgot"], input: AccountPasswordForgotInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    async def call(
        self, event: Literal["account:password:reset"], input: AccountPasswordResetInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    async def call(
        self, event: Literal["account:password"], input: AccountPasswordInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    async def call(
        self, event: Literal["account:oidc"], input: AccountOidcInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Providers: ...

    @overload
    async def call(
        self, event: Literal["account:oidc:start"], input: AccountOidcStartInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> dict[str, object]: ...

    @overload
    async def call(
        self, event: Literal["account:oidc:callback"], input: AccountOidcCallbackInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> dict[str, object]: ...

    @overload
    async def call(
        self, event: Literal["account:google"], input: AccountGoogleInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountAnswer: ...

    @overload
    async def call(
        self, event: Literal["account:identity:remove"], input: AccountIdentityRemoveInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    async def call(
        self, event: Literal["account:sessions"], input: AccountSessionsInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Sessions: ...

    @overload
    async def call(
        self, event: Literal["account:sessions:end"], input: AccountSessionsEndInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Done: ...

    @overload
    async def call(
        self, event: Literal["account:email"], input: AccountEmailInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> EmailChange: ...

    @overload
    async def call(
        self, event: Literal["account:email:confirm"], input: AccountEmailConfirmInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> EmailConfirmed: ...

    @overload
    async def call(
        self, event: Literal["account:close"], input: AccountCloseInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountClosed: ...

    @overload
    async def call(
        self, event: Literal["admin:users"], input: AdminUsersInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Users: ...

    @overload
    async def call(
        self, event: Literal["admin:user"], input: AdminUserInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> UserChanged: ...

    @overload
    async def call(
        self, event: Literal["admin:user:disable"], input: AdminUserDisableInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> UserChanged: ...

    @overload
    async def call(
        self, event: Literal["admin:user:enable"], input: AdminUserEnableInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> UserChanged: ...

    @overload
    async def call(
        self, event: Literal["admin:user:reopen"], input: AdminUserReopenInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> UserChanged: ...

    @overload
    async def call(
        self, event: Literal["admin:user:remove"], input: AdminUserRemoveInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> UserRemoved: ...

    @overload
    async def call(
        self, event: Literal["account:tokens"], input: AccountTokensInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Tokens: ...

    @overload
    async def call(
        self, event: Literal["account:tokens:create"], input: AccountTokensCreateInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NewToken: ...

    @overload
    async def call(
        self, event: Literal["account:tokens:update"], input: AccountTokensUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TokenAnswer: ...

    @overload
    async def call(
        self, event: Literal["account:tokens:revoke"], input: AccountTokensRevokeInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> RevokedTokens: ...

    @overload
    async def call(
        self, event: Literal["account:tokens:rotate"], input: AccountTokensRotateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NewToken: ...

    @overload
    async def call(
        self, event: Literal["node:dragend"], input: NodeDragendInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> Changed: ...

    async def call(
        self, event: str, input: Any = None, *, wait: bool | None = None, timeout: float | None = None
    ) -> Any:
        """Carries out an operation by its name. `wait`: waits and asks again when the server says after how many
        seconds to, instead of raising; `timeout`: seconds in which the answer must have come. By default both are
        the client's."""
        return await self._send(event, {} if input is None else input, wait, timeout)

    def _on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        raise NotImplementedError

    @overload
    def on(self, event: Literal["connected"], listener: Callable[[Connected], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["graph:diff"], listener: Callable[[Diff], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["graph:init"], listener: Callable[[GraphInit], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["graph:error"], listener: Callable[[GraphError], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["branch:published"], listener: Callable[[Published], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["settings:view"], listener: Callable[[ViewSettings], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["error"], listener: Callable[[ErrorEvent], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["rate_limited"], listener: Callable[[ErrorEvent], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["ws:pong"], listener: Callable[[PongEvent], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["presence:state"], listener: Callable[[Presence], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["camera:presence"], listener: Callable[[CameraPresence], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["node:drag"], listener: Callable[[Dragged], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["node:dragend"], listener: Callable[[Dragged], None]) -> Callable[[], None]: ...

    def on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Listens to an event of the server. Returns what lets go of the listener."""
        return self._on(event, listener)


OPERATIONS: dict[str, Way] = {
    "graph:get": Way(method="GET", path="/api/graph"),
    "trash:page": Way(method="GET", path="/api/trash"),
    "trash:list": Way(),
    "branch:get": Way(method="GET", path="/api/branch"),
    "graph:snapshot": Way(method="GET", path="/api/graph/snapshot", socket=False),
    "graph:why": Way(method="GET", path="/api/why"),
    "graph:ready": Way(method="GET", path="/api/ready"),
    "graph:critical": Way(method="GET", path="/api/critical"),
    "graph:sync": Way(),
    "graph:apply": Way(method="POST", path="/api/batch", batch="batchId"),
    "account:get": Way(method="GET", path="/api/account"),
    "node:add": Way(method="POST", path="/api/node", batch="batchId"),
    "node:update": Way(method="PUT", path="/api/node", batch="batchId"),
    "node:delete": Way(method="DELETE", path="/api/node", batch="batchId"),
    "node:trash": Way(method="POST", path="/api/node/trash", batch="batchId"),
    "node:duplicate": Way(method="POST", path="/api/node/duplicate", batch="batchId"),
    "node:restore": Way(method="POST", path="/api/node/restore", batch="batchId"),
    "link:add": Way(method="POST", path="/api/link", batch="batchId"),
    "link:update": Way(method="PUT", path="/api/link", batch="batchId"),
    "link:delete": Way(method="DELETE", path="/api/link", batch="batchId"),
    "link:trash": Way(method="POST", path="/api/link/trash", batch="batchId"),
    "link:restore": Way(method="POST", path="/api/link/restore", batch="batchId"),
    "link:swap": Way(method="POST", path="/api/link/swap", batch="batchId"),
    "trash:restore": Way(method="POST", path="/api/trash/restore", batch="newBatchId"),
    "trash:purge": Way(method="DELETE", path="/api/trash", batch="batchId"),
    "trash:empty": Way(batch="batchId"),
    "node:publish": Way(method="POST", path="/api/node/publish", batch="batchId"),
    "node:publish:update": Way(method="PUT", path="/api/node/publish", batch="batchId"),
    "node:unpublish": Way(method="DELETE", path="/api/node/publish", batch="batchId"),
    "node:embed": Way(method="POST", path="/api/node/embed", batch="batchId"),
    "node:unembed": Way(method="DELETE", path="/api/node/embed", batch="batchId"),
    "node:access": Way(method="POST", path="/api/node/access", batch="batchId"),
    "node:access:update": Way(method="PUT", path="/api/node/access", batch="batchId"),
    "node:access:delete": Way(method="DELETE", path="/api/node/access", batch="batchId"),
    "node:grants": Way(method="GET", path="/api/node/access"),
    "access:visibilityupdate": Way(method="PUT", path="/api/account/access", batch="batchId"),
    "history:page": Way(method="GET", path="/api/history"),
    "history:undo": Way(method="POST", path="/api/history/undo", batch="newBatchId"),
    "history:redo": Way(method="POST", path="/api/history/redo", batch="newBatchId"),
    "batch:undo": Way(batch="newBatchId"),
    "batch:redo": Way(batch="newBatchId"),
    "settings:username": Way(method="PUT", path="/api/account", batch="batchId"),
    "settings:view": Way(method="PUT", path="/api/account/view", batch="batchId"),
    "ws:ping": Way(),
    "account:register": Way(method="POST", path="/api/register", socket=False),
    "account:login": Way(method="POST", path="/api/login", socket=False),
    "account:logout": Way(method="POST", path="/api/logout", socket=False),
    "account:invite": Way(method="POST", path="/api/invite", socket=False),
    "account:invites": Way(method="GET", path="/api/invite", socket=False),
    "account:invite:revoke": Way(method="DELETE", path="/api/invite", socket=False),
    "account:password:forgot": Way(method="POST", path="/api/password/forgot", socket=False),
    "account:password:reset": Way(method="POST", path="/api/password/reset", socket=False),
    "account:password": Way(method="POST", path="/api/account/password", socket=False),
    "account:oidc": Way(method="GET", path="/api/oidc", socket=False),
    "account:oidc:start": Way(method="GET", path="/api/oidc/{name}/start", socket=False),
    "account:oidc:callback": Way(method="GET", path="/api/oidc/{name}/callback", socket=False),
    "account:google": Way(method="POST", path="/api/google-auth", socket=False),
    "account:identity:remove": Way(method="DELETE", path="/api/account/identities", socket=False),
    "account:sessions": Way(method="GET", path="/api/account/sessions", socket=False),
    "account:sessions:end": Way(method="DELETE", path="/api/account/sessions", socket=False),
    "account:email": Way(method="PUT", path="/api/account/email", socket=False),
    "account:email:confirm": Way(method="POST", path="/api/account/email/confirm", socket=False),
    "account:close": Way(method="DELETE", path="/api/account", socket=False),
    "admin:users": Way(method="GET", path="/api/admin/users", socket=False),
    "admin:user": Way(method="PUT", path="/api/admin/users/{id}", socket=False),
    "admin:user:disable": Way(method="POST", path="/api/admin/users/{id}/disable", socket=False),
    "admin:user:enable": Way(method="POST", path="/api/admin/users/{id}/enable", socket=False),
    "admin:user:reopen": Way(method="POST", path="/api/admin/users/{id}/reopen", socket=False),
    "admin:user:remove": Way(method="DELETE", path="/api/admin/users/{id}", socket=False),
    "account:tokens": Way(method="GET", path="/api/account/tokens", socket=False),
    "account:tokens:create": Way(method="POST", path="/api/account/tokens", socket=False),
    "account:tokens:update": Way(method="PUT", path="/api/account/tokens", socket=False),
    "account:tokens:revoke": Way(method="DELETE", path="/api/account/tokens", socket=False),
    "account:tokens:rotate": Way(method="POST", path="/api/account/tokens/rotate", socket=False),
    "presence:update": Way(relay=True),
    "camera:update": Way(relay=True),
    "node:drag": Way(relay=True),
    "node:dragend": Way(batch="batchId"),
}


__all__ = [
    "AccessEntry",
    "AccessVisibilityupdateError",
    "AccessVisibilityupdateInput",
    "AccessVisibilityupdatePart",
    "Account",
    "AccountAnswer",
    "AccountCloseError",
    "AccountCloseInput",
    "AccountClosed",
    "AccountEmailConfirmError",
    "AccountEmailConfirmInput",
    "AccountEmailError",
    "AccountEmailInput",
    "AccountGetError",
    "AccountGetInput",
    "AccountGoogleError",
    "AccountGoogleInput",
    "AccountGrant",
    "AccountIdentitiesItem",
    "AccountIdentityRemoveError",
    "AccountIdentityRemoveInput",
    "AccountInviteError",
    "AccountInviteInput",
    "AccountInviteRevokeError",
    "AccountInviteRevokeInput",
    "AccountInvitesError",
    "AccountInvitesInput",
    "AccountLoginError",
    "AccountLoginInput",
    "AccountLogoutError",
    "AccountLogoutInput",
    "AccountOidcCallbackError",
    "AccountOidcCallbackInput",
    "AccountOidcError",
    "AccountOidcInput",
    "AccountOidcStartError",
    "AccountOidcStartInput",
    "AccountPasswordError",
    "AccountPasswordForgotError",
    "AccountPasswordForgotInput",
    "AccountPasswordInput",
    "AccountPasswordResetError",
    "AccountPasswordResetInput",
    "AccountRegisterError",
    "AccountRegisterInput",
    "AccountSessionsEndError",
    "AccountSessionsEndInput",
    "AccountSessionsError",
    "AccountSessionsInput",
    "AccountTokensCreateError",
    "AccountTokensCreateInput",
    "AccountTokensCreateInputScope2",
    "AccountTokensError",
    "AccountTokensInput",
    "AccountTokensRevokeError",
    "AccountTokensRevokeInput",
    "AccountTokensRotateError",
    "AccountTokensRotateInput",
    "AccountTokensUpdateError",
    "AccountTokensUpdateInput",
    "Actor",
    "AdminUserDisableError",
    "AdminUserDisableInput",
    "AdminUserEnableError",
    "AdminUserEnableInput",
    "AdminUserError",
    "AdminUserInput",
    "AdminUserRemoveError",
    "AdminUserRemoveInput",
    "AdminUserReopenError",
    "AdminUserReopenInput",
    "AdminUsersError",
    "AdminUsersInput",
    "Applied",
    "BatchRedoError",
    "BatchRedoInput",
    "BatchUndoError",
    "BatchUndoInput",
    "BranchGetError",
    "BranchGetInput",
    "BranchPage",
    "CameraPresence",
    "CameraUpdateInput",
    "Changed",
    "Connected",
    "Connected1",
    "Connected2",
    "Copied",
    "Critical",
    "Deleted",
    "Diff",
    "Done",
    "Dragged",
    "EmailChange",
    "EmailConfirmed",
    "ErrorEvent",
    "ErrorName",
    "EventName",
    "Grant",
    "GrantEnded",
    "GraphApplyError",
    "GraphApplyInput",
    "GraphCriticalError",
    "GraphCriticalInput",
    "GraphError",
    "GraphGetError",
    "GraphGetInput",
    "GraphInit",
    "GraphInitGraph",
    "GraphPage",
    "GraphReadyError",
    "GraphReadyInput",
    "GraphSnapshotError",
    "GraphSnapshotInput",
    "GraphSyncError",
    "GraphSyncInput",
    "GraphWhyError",
    "GraphWhyInput",
    "HistoryBatch",
    "HistoryOp",
    "HistoryOpGuard",
    "HistoryPage",
    "HistoryPageError",
    "HistoryPageInput",
    "HistoryPatch",
    "HistoryPatch4",
    "HistoryPatch5",
    "HistoryPatch6",
    "HistoryRedoError",
    "HistoryRedoInput",
    "HistoryUndoError",
    "HistoryUndoInput",
    "InitNode",
    "Invited",
    "InvitedInvite",
    "Invites",
    "InvitesInvitesItem",
    "Link",
    "LinkAddError",
    "LinkAddInput",
    "LinkAddPart",
    "LinkChange",
    "LinkDeleteError",
    "LinkDeleteInput",
    "LinkDeletePart",
    "LinkEntry",
    "LinkRestoreError",
    "LinkRestoreInput",
    "LinkRestorePart",
    "LinkSwapError",
    "LinkSwapInput",
    "LinkSwapPart",
    "LinkTrashError",
    "LinkTrashInput",
    "LinkTrashPart",
    "LinkUpdateError",
    "LinkUpdateInput",
    "LinkUpdatePart",
    "Longest",
    "LongestSlackItem",
    "NewToken",
    "Node",
    "NodeAccessDeleteError",
    "NodeAccessDeleteInput",
    "NodeAccessDeletePart",
    "NodeAccessError",
    "NodeAccessInput",
    "NodeAccessPart",
    "NodeAccessUpdateError",
    "NodeAccessUpdateInput",
    "NodeAccessUpdatePart",
    "NodeAddError",
    "NodeAddInput",
    "NodeAddPart",
    "NodeChange",
    "NodeDeleteError",
    "NodeDeleteInput",
    "NodeDeletePart",
    "NodeDragInput",
    "NodeDragendInput",
    "NodeDuplicateError",
    "NodeDuplicateInput",
    "NodeDuplicatePart",
    "NodeEmbedError",
    "NodeEmbedInput",
    "NodeEmbedPart",
    "NodeEntry",
    "NodeGrants",
    "NodeGrantsError",
    "NodeGrantsGrantsItem",
    "NodeGrantsInput",
    "NodePublishError",
    "NodePublishInput",
    "NodePublishPart",
    "NodePublishUpdateError",
    "NodePublishUpdateInput",
    "NodePublishUpdatePart",
    "NodeRestoreError",
    "NodeRestoreInput",
    "NodeRestorePart",
    "NodeTrashError",
    "NodeTrashInput",
    "NodeTrashPart",
    "NodeUnembedError",
    "NodeUnembedInput",
    "NodeUnembedPart",
    "NodeUnpublishError",
    "NodeUnpublishInput",
    "NodeUnpublishPart",
    "NodeUpdateError",
    "NodeUpdateInput",
    "NodeUpdatePart",
    "OperationName",
    "Part",
    "Phantom",
    "Pong",
    "PongEvent",
    "Presence",
    "PresenceUpdateInput",
    "Providers",
    "ProvidersProvidersItem",
    "PublicNode",
    "Published",
    "Ready",
    "ReadyTasksItem",
    "ReadyTasksItemReason",
    "RelayName",
    "RestoredLink",
    "RestoredNode",
    "RevokedTokens",
    "Sessions",
    "SessionsSessionsItem",
    "SettingsUsernameError",
    "SettingsUsernameInput",
    "SettingsViewError",
    "SettingsViewInput",
    "Snapshot",
    "Synced",
    "Token",
    "TokenAnswer",
    "TokenScope2",
    "Tokens",
    "TrashEmptyError",
    "TrashEmptyInput",
    "TrashListError",
    "TrashListInput",
    "TrashPage",
    "TrashPageError",
    "TrashPageInput",
    "TrashPurgeError",
    "TrashPurgeInput",
    "TrashRestoreError",
    "TrashRestoreInput",
    "TrashRestorePart",
    "TrashedLink",
    "TrashedNode",
    "Undone",
    "UserChanged",
    "UserChangedUser",
    "UserEntry",
    "UserEntryAfter1",
    "UserEntryAfter2",
    "UserEntryBefore1",
    "UserEntryBefore2",
    "UserRemoved",
    "Users",
    "UsersUsersItem",
    "ViewSettings",
    "Why",
    "WhyFrontierItem",
    "WsPingError",
    "WsPingInput",
]
