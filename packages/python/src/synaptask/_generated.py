"""Types and methods of every operation of the server. Written by generate.py; do not edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union, cast, overload

from typing_extensions import NotRequired, TypedDict, Unpack


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


class Node(TypedDict):
    id: str
    title: str
    description: str
    status: int
    dueDate: str | None
    type: int
    tags: list[str]
    priority: int
    volume: int
    independent: bool
    assignee: list[str]
    x: float
    y: float
    z: float
    pinned: bool
    collapsed: bool
    version: int
    createdTime: str
    lastEditedTime: str
    ownerUsername: str
    ownerEmail: str | None
    publicToken: str | None
    publicDue: str | None
    publicBranch: bool | None
    access: int
    shareRoots: list[str]
    inTrash: NotRequired[bool]
    lastBatchID: NotRequired[str]


class Phantom(TypedDict):
    id: str
    phantom: Literal[True]
    status: int


class Link(TypedDict):
    id: str
    source: str
    target: str
    type: int
    private: bool
    wasBlocker: bool
    version: int
    createdTime: str
    lastEditedTime: str
    shareRoots: list[str]
    inTrash: NotRequired[bool]
    lastBatchID: NotRequired[str]


class Entry(TypedDict):
    op: int
    before: dict[str, object]
    after: dict[str, object]


class Diff(TypedDict):
    batchId: str | None
    rev: int
    actor: Actor | None
    ts: str
    nodes: list[Entry]
    links: list[Entry]
    user: list[Entry]
    access: list[Entry]
    part: NotRequired[int]
    parts: NotRequired[int]


class Actor(TypedDict):
    username: str
    email: str


class GraphGetInput(TypedDict):
    limit: NotRequired[int]
    offset: NotRequired[int]


class GraphGetOutput(TypedDict):
    ok: Literal[True]
    hasMore: bool
    nodes: list[Node | Phantom]
    links: list[Link]
    rev: int
    trace_id: str
    replayed: NotRequired[Literal[True]]


class TrashPageInput(TypedDict):
    limit: NotRequired[int]
    offset: NotRequired[int]


class TrashPageOutput(TypedDict):
    ok: Literal[True]
    hasMore: bool
    nodes: list[Node | Phantom]
    links: list[Link]
    rev: int
    trace_id: str
    replayed: NotRequired[Literal[True]]


class TrashListInput(TypedDict):
    limit: NotRequired[int]
    offset: NotRequired[int]


class TrashListOutput(TypedDict):
    ok: Literal[True]
    hasMore: bool
    nodes: list[Node | Phantom]
    links: list[Link]
    rev: int
    trace_id: str
    replayed: NotRequired[Literal[True]]


class BranchGetInput(TypedDict):
    root: str
    limit: NotRequired[int]
    offset: NotRequired[int]


class BranchGetOutput(TypedDict):
    ok: Literal[True]
    hasMore: bool
    nodes: list[Node | Phantom]
    links: list[Link]
    rev: int
    trace_id: str
    replayed: NotRequired[Literal[True]]


class GraphSnapshotInput(TypedDict):
    root: NotRequired[str]


class GraphSnapshotOutput(TypedDict):
    ok: Literal[True]
    nodes: list[Node | Phantom]
    links: list[Link]
    rev: int
    trace_id: str
    replayed: NotRequired[Literal[True]]


class GraphSyncInput(TypedDict):
    since: int


class GraphSyncOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    recovered: bool
    diff: Diff
    replayed: NotRequired[Literal[True]]


class GraphApplyInput(TypedDict):
    batchId: NotRequired[str | None]
    operations: list[dict[str, object]]


class GraphApplyOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    ids: dict[str, str]
    replayed: NotRequired[Literal[True]]


class AccountGetInput(TypedDict):
    pass


class AccountGetOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    account: dict[str, object]
    replayed: NotRequired[Literal[True]]


class NodeAddInput(TypedDict):
    batchId: NotRequired[str | None]
    id: NotRequired[str | None]
    target: NotRequired[str | None]
    title: NotRequired[str]
    description: NotRequired[str]
    status: NotRequired[int]
    dueDate: NotRequired[str | None]
    tags: NotRequired[list[str]]
    priority: NotRequired[int]
    volume: NotRequired[int]
    independent: NotRequired[bool]
    assignee: NotRequired[list[str]]
    x: NotRequired[float]
    y: NotRequired[float]
    z: NotRequired[float]
    pinned: NotRequired[bool]
    collapsed: NotRequired[bool]


class NodeAddOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodeUpdateInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    title: NotRequired[str]
    description: NotRequired[str]
    status: NotRequired[int]
    dueDate: NotRequired[str | None]
    tags: NotRequired[list[str]]
    priority: NotRequired[int]
    volume: NotRequired[int]
    independent: NotRequired[bool]
    assignee: NotRequired[list[str]]
    x: NotRequired[float]
    y: NotRequired[float]
    z: NotRequired[float]
    pinned: NotRequired[bool]
    collapsed: NotRequired[bool]
    version: NotRequired[int | None]


class NodeUpdateOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodeDeleteInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str


class NodeDeleteOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodeTrashInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    branch: NotRequired[bool]


class NodeTrashOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodeDuplicateInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    branch: NotRequired[bool]
    target: NotRequired[str | None]
    ids: NotRequired[dict[str, str] | None]


class NodeDuplicateOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    ids: dict[str, str]
    replayed: NotRequired[Literal[True]]


class NodeRestoreInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str


class NodeRestoreOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class LinkAddInput(TypedDict):
    batchId: NotRequired[str | None]
    id: NotRequired[str | None]
    source: str
    target: str
    type: NotRequired[int]
    private: NotRequired[bool]


class LinkAddOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class LinkUpdateInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    type: NotRequired[int]
    private: NotRequired[bool]


class LinkUpdateOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class LinkDeleteInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str


class LinkDeleteOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class LinkTrashInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str


class LinkTrashOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class LinkRestoreInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str


class LinkRestoreOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class LinkSwapInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str


class LinkSwapOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class TrashRestoreInput(TypedDict):
    batchId: str
    newBatchId: NotRequired[str | None]


class TrashRestoreOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class TrashPurgeInput(TypedDict):
    batchId: NotRequired[str | None]
    ids: NotRequired[list[str]]


class TrashPurgeOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class TrashEmptyInput(TypedDict):
    batchId: NotRequired[str | None]


class TrashEmptyOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodePublishInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    branch: NotRequired[bool]
    due: NotRequired[str | None]


class NodePublishOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodePublishUpdateInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    branch: NotRequired[bool]
    due: NotRequired[str | None]


class NodePublishUpdateOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodeUnpublishInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str


class NodeUnpublishOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodeEmbedInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str


class NodeEmbedOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodeUnembedInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str


class NodeUnembedOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodeAccessInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    email: str
    level: NotRequired[int]
    branch: NotRequired[bool]
    due: NotRequired[str | None]


class NodeAccessOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodeAccessUpdateInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    email: str
    level: NotRequired[int]
    branch: NotRequired[bool]
    due: NotRequired[str | None]


class NodeAccessUpdateOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class NodeAccessDeleteInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    email: str


class NodeAccessDeleteOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class AccessVisibilityupdateInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    showing: bool


class AccessVisibilityupdateOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class HistoryPageInput(TypedDict):
    scopeType: NotRequired[str | None]
    scopeId: NotRequired[str | None]
    limit: NotRequired[int]
    offset: NotRequired[int]


class HistoryPageOutput(TypedDict):
    ok: Literal[True]
    hasMore: bool
    rev: int
    trace_id: str
    batches: list[dict[str, object]]
    replayed: NotRequired[Literal[True]]


class HistoryUndoInput(TypedDict):
    batchId: str
    newBatchId: NotRequired[str | None]


class HistoryUndoOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    batchId: str
    replayed: NotRequired[Literal[True]]


class HistoryRedoInput(TypedDict):
    batchId: str
    newBatchId: NotRequired[str | None]


class HistoryRedoOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    batchId: str
    replayed: NotRequired[Literal[True]]


class BatchUndoInput(TypedDict):
    batchId: str
    newBatchId: NotRequired[str | None]


class BatchUndoOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    batchId: str
    replayed: NotRequired[Literal[True]]


class BatchRedoInput(TypedDict):
    batchId: str
    newBatchId: NotRequired[str | None]


class BatchRedoOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    batchId: str
    replayed: NotRequired[Literal[True]]


class SettingsUsernameInput(TypedDict):
    batchId: NotRequired[str | None]
    username: str


class SettingsUsernameOutput(TypedDict):
    ok: Literal[True]
    rev: int
    trace_id: str
    diff: Diff
    replayed: NotRequired[Literal[True]]


class WsPingInput(TypedDict):
    pass


class WsPingOutput(TypedDict):
    ok: Literal[True]
    trace_id: str
    serverTime: str
    replayed: NotRequired[Literal[True]]


class AccountLogoutInput(TypedDict):
    pass


class AccountLogoutOutput(TypedDict):
    ok: Literal[True]
    trace_id: str
    replayed: NotRequired[Literal[True]]


class PresenceUpdateInput(TypedDict):
    nodeId: NotRequired[str | None]


class CameraUpdateInput(TypedDict):
    pass


class NodeDragInput(TypedDict):
    id: str
    x: float
    y: float
    z: float


class NodeDragendInput(TypedDict):
    batchId: NotRequired[str | None]
    id: str
    x: float
    y: float
    z: float


class NodeDragendOutput(TypedDict):
    ok: Literal[True]
    replayed: NotRequired[Literal[True]]


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
    "bad_request.invalid_assignee",
    "bad_request.invalid_batch_id",
    "bad_request.invalid_branch_value",
    "bad_request.invalid_collapsed",
    "bad_request.invalid_copy_ids",
    "bad_request.invalid_due",
    "bad_request.invalid_due_datetime",
    "bad_request.invalid_email",
    "bad_request.invalid_id",
    "bad_request.invalid_ids",
    "bad_request.invalid_independent",
    "bad_request.invalid_level",
    "bad_request.invalid_limit",
    "bad_request.invalid_link_id",
    "bad_request.invalid_link_private",
    "bad_request.invalid_link_type",
    "bad_request.invalid_node_id",
    "bad_request.invalid_offset",
    "bad_request.invalid_operations",
    "bad_request.invalid_pinned",
    "bad_request.invalid_position",
    "bad_request.invalid_priority",
    "bad_request.invalid_scope",
    "bad_request.invalid_showing",
    "bad_request.invalid_since",
    "bad_request.invalid_source_target_id",
    "bad_request.invalid_status",
    "bad_request.invalid_tags",
    "bad_request.invalid_target_id",
    "bad_request.invalid_text",
    "bad_request.invalid_username",
    "bad_request.invalid_version",
    "bad_request.invalid_volume",
    "bad_request.link_in_trash",
    "bad_request.malformed_json",
    "bad_request.missing_batchId",
    "bad_request.missing_email",
    "bad_request.missing_id",
    "bad_request.no_fields_to_update",
    "bad_request.node_blocked",
    "bad_request.node_in_trash",
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
    "conflict.already_undone",
    "conflict.batch_id_conflict",
    "conflict.dependency_cycle",
    "conflict.duplicate_link",
    "conflict.duplicate_reversed_link",
    "conflict.id_taken",
    "conflict.not_undone",
    "conflict.username_taken",
    "conflict.version_conflict",
    "forbidden.api_not_allowed",
    "forbidden.auth_invalid",
    "forbidden.auth_missing",
    "forbidden.forbidden_private",
    "forbidden.forbidden_type",
    "forbidden.no_permission",
    "forbidden.origin",
    "forbidden.plan_limit",
    "forbidden.session_required",
    "forbidden.would_share",
    "internal.exception",
    "internal.storage",
    "not_found.batch_not_found",
    "not_found.branch_not_found",
    "not_found.link_not_found",
    "not_found.node_not_found",
    "not_found.not_in_trash",
    "not_found.source_not_found",
    "not_found.target_not_found",
    "not_found.user_not_found",
    "payload_too_large",
    "rate_limited",
    "unauthorized",
    "unavailable",
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


AccessVisibilityupdateError = Literal[
    "payload_too_large",
    "unauthorized",
    "forbidden.api_not_allowed",
    "forbidden.origin",
    "bad_request.unsupported_encoding",
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
    "bad_request.malformed_json",
    "bad_request.fields_must_be_dict",
    "bad_request.unknown_field",
    "bad_request.invalid_batch_id",
    "bad_request.invalid_username",
    "conflict.batch_id_conflict",
    "rate_limited",
    "conflict.username_taken",
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


OperationName = Literal[
    "graph:get",
    "trash:page",
    "trash:list",
    "branch:get",
    "graph:snapshot",
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
    "access:visibilityupdate",
    "history:page",
    "history:undo",
    "history:redo",
    "batch:undo",
    "batch:redo",
    "settings:username",
    "ws:ping",
    "account:logout",
    "node:dragend",
]


RelayName = Literal["presence:update", "camera:update", "node:drag"]


EventName = Literal["graph:diff", "error", "rate_limited", "presence:state", "branch:published"]


class Operations:
    """Every operation as a method, and by its name."""

    def _send(
        self, event: str, input: Mapping[str, object], wait: bool | None, timeout: float | None
    ) -> object:
        raise NotImplementedError

    def graph_get(self, **input: Unpack[GraphGetInput]) -> GraphGetOutput:
        return cast(GraphGetOutput, self._send("graph:get", input, None, None))

    def trash_page(self, **input: Unpack[TrashPageInput]) -> TrashPageOutput:
        return cast(TrashPageOutput, self._send("trash:page", input, None, None))

    def trash_list(self, **input: Unpack[TrashListInput]) -> TrashListOutput:
        return cast(TrashListOutput, self._send("trash:list", input, None, None))

    def branch_get(self, **input: Unpack[BranchGetInput]) -> BranchGetOutput:
        return cast(BranchGetOutput, self._send("branch:get", input, None, None))

    def graph_snapshot(self, **input: Unpack[GraphSnapshotInput]) -> GraphSnapshotOutput:
        return cast(GraphSnapshotOutput, self._send("graph:snapshot", input, None, None))

    def graph_sync(self, **input: Unpack[GraphSyncInput]) -> GraphSyncOutput:
        return cast(GraphSyncOutput, self._send("graph:sync", input, None, None))

    def graph_apply(self, **input: Unpack[GraphApplyInput]) -> GraphApplyOutput:
        return cast(GraphApplyOutput, self._send("graph:apply", input, None, None))

    def account_get(self, **input: Unpack[AccountGetInput]) -> AccountGetOutput:
        return cast(AccountGetOutput, self._send("account:get", input, None, None))

    def node_add(self, **input: Unpack[NodeAddInput]) -> NodeAddOutput:
        return cast(NodeAddOutput, self._send("node:add", input, None, None))

    def node_update(self, **input: Unpack[NodeUpdateInput]) -> NodeUpdateOutput:
        return cast(NodeUpdateOutput, self._send("node:update", input, None, None))

    def node_delete(self, **input: Unpack[NodeDeleteInput]) -> NodeDeleteOutput:
        return cast(NodeDeleteOutput, self._send("node:delete", input, None, None))

    def node_trash(self, **input: Unpack[NodeTrashInput]) -> NodeTrashOutput:
        return cast(NodeTrashOutput, self._send("node:trash", input, None, None))

    def node_duplicate(self, **input: Unpack[NodeDuplicateInput]) -> NodeDuplicateOutput:
        return cast(NodeDuplicateOutput, self._send("node:duplicate", input, None, None))

    def node_restore(self, **input: Unpack[NodeRestoreInput]) -> NodeRestoreOutput:
        return cast(NodeRestoreOutput, self._send("node:restore", input, None, None))

    def link_add(self, **input: Unpack[LinkAddInput]) -> LinkAddOutput:
        return cast(LinkAddOutput, self._send("link:add", input, None, None))

    def link_update(self, **input: Unpack[LinkUpdateInput]) -> LinkUpdateOutput:
        return cast(LinkUpdateOutput, self._send("link:update", input, None, None))

    def link_delete(self, **input: Unpack[LinkDeleteInput]) -> LinkDeleteOutput:
        return cast(LinkDeleteOutput, self._send("link:delete", input, None, None))

    def link_trash(self, **input: Unpack[LinkTrashInput]) -> LinkTrashOutput:
        return cast(LinkTrashOutput, self._send("link:trash", input, None, None))

    def link_restore(self, **input: Unpack[LinkRestoreInput]) -> LinkRestoreOutput:
        return cast(LinkRestoreOutput, self._send("link:restore", input, None, None))

    def link_swap(self, **input: Unpack[LinkSwapInput]) -> LinkSwapOutput:
        return cast(LinkSwapOutput, self._send("link:swap", input, None, None))

    def trash_restore(self, **input: Unpack[TrashRestoreInput]) -> TrashRestoreOutput:
        return cast(TrashRestoreOutput, self._send("trash:restore", input, None, None))

    def trash_purge(self, **input: Unpack[TrashPurgeInput]) -> TrashPurgeOutput:
        return cast(TrashPurgeOutput, self._send("trash:purge", input, None, None))

    def trash_empty(self, **input: Unpack[TrashEmptyInput]) -> TrashEmptyOutput:
        return cast(TrashEmptyOutput, self._send("trash:empty", input, None, None))

    def node_publish(self, **input: Unpack[NodePublishInput]) -> NodePublishOutput:
        return cast(NodePublishOutput, self._send("node:publish", input, None, None))

    def node_publish_update(self, **input: Unpack[NodePublishUpdateInput]) -> NodePublishUpdateOutput:
        return cast(NodePublishUpdateOutput, self._send("node:publish:update", input, None, None))

    def node_unpublish(self, **input: Unpack[NodeUnpublishInput]) -> NodeUnpublishOutput:
        return cast(NodeUnpublishOutput, self._send("node:unpublish", input, None, None))

    def node_embed(self, **input: Unpack[NodeEmbedInput]) -> NodeEmbedOutput:
        return cast(NodeEmbedOutput, self._send("node:embed", input, None, None))

    def node_unembed(self, **input: Unpack[NodeUnembedInput]) -> NodeUnembedOutput:
        return cast(NodeUnembedOutput, self._send("node:unembed", input, None, None))

    def node_access(self, **input: Unpack[NodeAccessInput]) -> NodeAccessOutput:
        return cast(NodeAccessOutput, self._send("node:access", input, None, None))

    def node_access_update(self, **input: Unpack[NodeAccessUpdateInput]) -> NodeAccessUpdateOutput:
        return cast(NodeAccessUpdateOutput, self._send("node:access:update", input, None, None))

    def node_access_delete(self, **input: Unpack[NodeAccessDeleteInput]) -> NodeAccessDeleteOutput:
        return cast(NodeAccessDeleteOutput, self._send("node:access:delete", input, None, None))

    def access_visibilityupdate(self, **input: Unpack[AccessVisibilityupdateInput]) -> AccessVisibilityupdateOutput:
        return cast(AccessVisibilityupdateOutput, self._send("access:visibilityupdate", input, None, None))

    def history_page(self, **input: Unpack[HistoryPageInput]) -> HistoryPageOutput:
        return cast(HistoryPageOutput, self._send("history:page", input, None, None))

    def history_undo(self, **input: Unpack[HistoryUndoInput]) -> HistoryUndoOutput:
        return cast(HistoryUndoOutput, self._send("history:undo", input, None, None))

    def history_redo(self, **input: Unpack[HistoryRedoInput]) -> HistoryRedoOutput:
        return cast(HistoryRedoOutput, self._send("history:redo", input, None, None))

    def batch_undo(self, **input: Unpack[BatchUndoInput]) -> BatchUndoOutput:
        return cast(BatchUndoOutput, self._send("batch:undo", input, None, None))

    def batch_redo(self, **input: Unpack[BatchRedoInput]) -> BatchRedoOutput:
        return cast(BatchRedoOutput, self._send("batch:redo", input, None, None))

    def settings_username(self, **input: Unpack[SettingsUsernameInput]) -> SettingsUsernameOutput:
        return cast(SettingsUsernameOutput, self._send("settings:username", input, None, None))

    def ws_ping(self, **input: Unpack[WsPingInput]) -> WsPingOutput:
        return cast(WsPingOutput, self._send("ws:ping", input, None, None))

    def account_logout(self, **input: Unpack[AccountLogoutInput]) -> AccountLogoutOutput:
        return cast(AccountLogoutOutput, self._send("account:logout", input, None, None))

    def presence_update(self, **input: object) -> None:
        self._tell("presence:update", input)

    def camera_update(self, **input: object) -> None:
        self._tell("camera:update", input)

    def node_drag(self, **input: Unpack[NodeDragInput]) -> None:
        self._tell("node:drag", input)

    def node_dragend(self, **input: Unpack[NodeDragendInput]) -> NodeDragendOutput:
        return cast(NodeDragendOutput, self._send("node:dragend", input, None, None))

    def _tell(self, event: str, input: Mapping[str, object]) -> None:
        raise NotImplementedError

    @overload
    def call(
        self, event: Literal["graph:get"], input: GraphGetInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> GraphGetOutput: ...

    @overload
    def call(
        self, event: Literal["trash:page"], input: TrashPageInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashPageOutput: ...

    @overload
    def call(
        self, event: Literal["trash:list"], input: TrashListInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashListOutput: ...

    @overload
    def call(
        self, event: Literal["branch:get"], input: BranchGetInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> BranchGetOutput: ...

    @overload
    def call(
        self, event: Literal["graph:snapshot"], input: GraphSnapshotInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> GraphSnapshotOutput: ...

    @overload
    def call(
        self, event: Literal["graph:sync"], input: GraphSyncInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> GraphSyncOutput: ...

    @overload
    def call(
        self, event: Literal["graph:apply"], input: GraphApplyInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> GraphApplyOutput: ...

    @overload
    def call(
        self, event: Literal["account:get"], input: AccountGetInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountGetOutput: ...

    @overload
    def call(
        self, event: Literal["node:add"], input: NodeAddInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeAddOutput: ...

    @overload
    def call(
        self, event: Literal["node:update"], input: NodeUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeUpdateOutput: ...

    @overload
    def call(
        self, event: Literal["node:delete"], input: NodeDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeDeleteOutput: ...

    @overload
    def call(
        self, event: Literal["node:trash"], input: NodeTrashInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeTrashOutput: ...

    @overload
    def call(
        self, event: Literal["node:duplicate"], input: NodeDuplicateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeDuplicateOutput: ...

    @overload
    def call(
        self, event: Literal["node:restore"], input: NodeRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeRestoreOutput: ...

    @overload
    def call(
        self, event: Literal["link:add"], input: LinkAddInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkAddOutput: ...

    @overload
    def call(
        self, event: Literal["link:update"], input: LinkUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkUpdateOutput: ...

    @overload
    def call(
        self, event: Literal["link:delete"], input: LinkDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkDeleteOutput: ...

    @overload
    def call(
        self, event: Literal["link:trash"], input: LinkTrashInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkTrashOutput: ...

    @overload
    def call(
        self, event: Literal["link:restore"], input: LinkRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkRestoreOutput: ...

    @overload
    def call(
        self, event: Literal["link:swap"], input: LinkSwapInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkSwapOutput: ...

    @overload
    def call(
        self, event: Literal["trash:restore"], input: TrashRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashRestoreOutput: ...

    @overload
    def call(
        self, event: Literal["trash:purge"], input: TrashPurgeInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashPurgeOutput: ...

    @overload
    def call(
        self, event: Literal["trash:empty"], input: TrashEmptyInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashEmptyOutput: ...

    @overload
    def call(
        self, event: Literal["node:publish"], input: NodePublishInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodePublishOutput: ...

    @overload
    def call(
        self, event: Literal["node:publish:update"], input: NodePublishUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodePublishUpdateOutput: ...

    @overload
    def call(
        self, event: Literal["node:unpublish"], input: NodeUnpublishInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeUnpublishOutput: ...

    @overload
    def call(
        self, event: Literal["node:embed"], input: NodeEmbedInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeEmbedOutput: ...

    @overload
    def call(
        self, event: Literal["node:unembed"], input: NodeUnembedInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeUnembedOutput: ...

    @overload
    def call(
        self, event: Literal["node:access"], input: NodeAccessInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeAccessOutput: ...

    @overload
    def call(
        self, event: Literal["node:access:update"], input: NodeAccessUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeAccessUpdateOutput: ...

    @overload
    def call(
        self, event: Literal["node:access:delete"], input: NodeAccessDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeAccessDeleteOutput: ...

    @overload
    def call(
        self, event: Literal["access:visibilityupdate"], input: AccessVisibilityupdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccessVisibilityupdateOutput: ...

    @overload
    def call(
        self, event: Literal["history:page"], input: HistoryPageInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> HistoryPageOutput: ...

    @overload
    def call(
        self, event: Literal["history:undo"], input: HistoryUndoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> HistoryUndoOutput: ...

    @overload
    def call(
        self, event: Literal["history:redo"], input: HistoryRedoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> HistoryRedoOutput: ...

    @overload
    def call(
        self, event: Literal["batch:undo"], input: BatchUndoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> BatchUndoOutput: ...

    @overload
    def call(
        self, event: Literal["batch:redo"], input: BatchRedoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> BatchRedoOutput: ...

    @overload
    def call(
        self, event: Literal["settings:username"], input: SettingsUsernameInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> SettingsUsernameOutput: ...

    @overload
    def call(
        self, event: Literal["ws:ping"], input: WsPingInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> WsPingOutput: ...

    @overload
    def call(
        self, event: Literal["account:logout"], input: AccountLogoutInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountLogoutOutput: ...

    @overload
    def call(
        self, event: Literal["node:dragend"], input: NodeDragendInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeDragendOutput: ...

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
    def on(self, event: Literal["graph:diff"], listener: Callable[[Diff], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["error"], listener: Callable[[dict[str, object]], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["rate_limited"], listener: Callable[[dict[str, object]], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["presence:state"], listener: Callable[[dict[str, object]], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["branch:published"], listener: Callable[[dict[str, object]], None]) -> Callable[[], None]: ...

    def on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Listens to an event of the server. Returns what lets go of the listener."""
        return self._on(event, listener)


class AsyncOperations:
    """Every operation as a method, and by its name; all to be awaited."""

    async def _send(
        self, event: str, input: Mapping[str, object], wait: bool | None, timeout: float | None
    ) -> object:
        raise NotImplementedError

    async def graph_get(self, **input: Unpack[GraphGetInput]) -> GraphGetOutput:
        return cast(GraphGetOutput, await self._send("graph:get", input, None, None))

    async def trash_page(self, **input: Unpack[TrashPageInput]) -> TrashPageOutput:
        return cast(TrashPageOutput, await self._send("trash:page", input, None, None))

    async def trash_list(self, **input: Unpack[TrashListInput]) -> TrashListOutput:
        return cast(TrashListOutput, await self._send("trash:list", input, None, None))

    async def branch_get(self, **input: Unpack[BranchGetInput]) -> BranchGetOutput:
        return cast(BranchGetOutput, await self._send("branch:get", input, None, None))

    async def graph_snapshot(self, **input: Unpack[GraphSnapshotInput]) -> GraphSnapshotOutput:
        return cast(GraphSnapshotOutput, await self._send("graph:snapshot", input, None, None))

    async def graph_sync(self, **input: Unpack[GraphSyncInput]) -> GraphSyncOutput:
        return cast(GraphSyncOutput, await self._send("graph:sync", input, None, None))

    async def graph_apply(self, **input: Unpack[GraphApplyInput]) -> GraphApplyOutput:
        return cast(GraphApplyOutput, await self._send("graph:apply", input, None, None))

    async def account_get(self, **input: Unpack[AccountGetInput]) -> AccountGetOutput:
        return cast(AccountGetOutput, await self._send("account:get", input, None, None))

    async def node_add(self, **input: Unpack[NodeAddInput]) -> NodeAddOutput:
        return cast(NodeAddOutput, await self._send("node:add", input, None, None))

    async def node_update(self, **input: Unpack[NodeUpdateInput]) -> NodeUpdateOutput:
        return cast(NodeUpdateOutput, await self._send("node:update", input, None, None))

    async def node_delete(self, **input: Unpack[NodeDeleteInput]) -> NodeDeleteOutput:
        return cast(NodeDeleteOutput, await self._send("node:delete", input, None, None))

    async def node_trash(self, **input: Unpack[NodeTrashInput]) -> NodeTrashOutput:
        return cast(NodeTrashOutput, await self._send("node:trash", input, None, None))

    async def node_duplicate(self, **input: Unpack[NodeDuplicateInput]) -> NodeDuplicateOutput:
        return cast(NodeDuplicateOutput, await self._send("node:duplicate", input, None, None))

    async def node_restore(self, **input: Unpack[NodeRestoreInput]) -> NodeRestoreOutput:
        return cast(NodeRestoreOutput, await self._send("node:restore", input, None, None))

    async def link_add(self, **input: Unpack[LinkAddInput]) -> LinkAddOutput:
        return cast(LinkAddOutput, await self._send("link:add", input, None, None))

    async def link_update(self, **input: Unpack[LinkUpdateInput]) -> LinkUpdateOutput:
        return cast(LinkUpdateOutput, await self._send("link:update", input, None, None))

    async def link_delete(self, **input: Unpack[LinkDeleteInput]) -> LinkDeleteOutput:
        return cast(LinkDeleteOutput, await self._send("link:delete", input, None, None))

    async def link_trash(self, **input: Unpack[LinkTrashInput]) -> LinkTrashOutput:
        return cast(LinkTrashOutput, await self._send("link:trash", input, None, None))

    async def link_restore(self, **input: Unpack[LinkRestoreInput]) -> LinkRestoreOutput:
        return cast(LinkRestoreOutput, await self._send("link:restore", input, None, None))

    async def link_swap(self, **input: Unpack[LinkSwapInput]) -> LinkSwapOutput:
        return cast(LinkSwapOutput, await self._send("link:swap", input, None, None))

    async def trash_restore(self, **input: Unpack[TrashRestoreInput]) -> TrashRestoreOutput:
        return cast(TrashRestoreOutput, await self._send("trash:restore", input, None, None))

    async def trash_purge(self, **input: Unpack[TrashPurgeInput]) -> TrashPurgeOutput:
        return cast(TrashPurgeOutput, await self._send("trash:purge", input, None, None))

    async def trash_empty(self, **input: Unpack[TrashEmptyInput]) -> TrashEmptyOutput:
        return cast(TrashEmptyOutput, await self._send("trash:empty", input, None, None))

    async def node_publish(self, **input: Unpack[NodePublishInput]) -> NodePublishOutput:
        return cast(NodePublishOutput, await self._send("node:publish", input, None, None))

    async def node_publish_update(self, **input: Unpack[NodePublishUpdateInput]) -> NodePublishUpdateOutput:
        return cast(NodePublishUpdateOutput, await self._send("node:publish:update", input, None, None))

    async def node_unpublish(self, **input: Unpack[NodeUnpublishInput]) -> NodeUnpublishOutput:
        return cast(NodeUnpublishOutput, await self._send("node:unpublish", input, None, None))

    async def node_embed(self, **input: Unpack[NodeEmbedInput]) -> NodeEmbedOutput:
        return cast(NodeEmbedOutput, await self._send("node:embed", input, None, None))

    async def node_unembed(self, **input: Unpack[NodeUnembedInput]) -> NodeUnembedOutput:
        return cast(NodeUnembedOutput, await self._send("node:unembed", input, None, None))

    async def node_access(self, **input: Unpack[NodeAccessInput]) -> NodeAccessOutput:
        return cast(NodeAccessOutput, await self._send("node:access", input, None, None))

    async def node_access_update(self, **input: Unpack[NodeAccessUpdateInput]) -> NodeAccessUpdateOutput:
        return cast(NodeAccessUpdateOutput, await self._send("node:access:update", input, None, None))

    async def node_access_delete(self, **input: Unpack[NodeAccessDeleteInput]) -> NodeAccessDeleteOutput:
        return cast(NodeAccessDeleteOutput, await self._send("node:access:delete", input, None, None))

    async def access_visibilityupdate(self, **input: Unpack[AccessVisibilityupdateInput]) -> AccessVisibilityupdateOutput:
        return cast(AccessVisibilityupdateOutput, await self._send("access:visibilityupdate", input, None, None))

    async def history_page(self, **input: Unpack[HistoryPageInput]) -> HistoryPageOutput:
        return cast(HistoryPageOutput, await self._send("history:page", input, None, None))

    async def history_undo(self, **input: Unpack[HistoryUndoInput]) -> HistoryUndoOutput:
        return cast(HistoryUndoOutput, await self._send("history:undo", input, None, None))

    async def history_redo(self, **input: Unpack[HistoryRedoInput]) -> HistoryRedoOutput:
        return cast(HistoryRedoOutput, await self._send("history:redo", input, None, None))

    async def batch_undo(self, **input: Unpack[BatchUndoInput]) -> BatchUndoOutput:
        return cast(BatchUndoOutput, await self._send("batch:undo", input, None, None))

    async def batch_redo(self, **input: Unpack[BatchRedoInput]) -> BatchRedoOutput:
        return cast(BatchRedoOutput, await self._send("batch:redo", input, None, None))

    async def settings_username(self, **input: Unpack[SettingsUsernameInput]) -> SettingsUsernameOutput:
        return cast(SettingsUsernameOutput, await self._send("settings:username", input, None, None))

    async def ws_ping(self, **input: Unpack[WsPingInput]) -> WsPingOutput:
        return cast(WsPingOutput, await self._send("ws:ping", input, None, None))

    async def account_logout(self, **input: Unpack[AccountLogoutInput]) -> AccountLogoutOutput:
        return cast(AccountLogoutOutput, await self._send("account:logout", input, None, None))

    def presence_update(self, **input: object) -> None:
        self._tell("presence:update", input)

    def camera_update(self, **input: object) -> None:
        self._tell("camera:update", input)

    def node_drag(self, **input: Unpack[NodeDragInput]) -> None:
        self._tell("node:drag", input)

    async def node_dragend(self, **input: Unpack[NodeDragendInput]) -> NodeDragendOutput:
        return cast(NodeDragendOutput, await self._send("node:dragend", input, None, None))

    def _tell(self, event: str, input: Mapping[str, object]) -> None:
        raise NotImplementedError

    @overload
    async def call(
        self, event: Literal["graph:get"], input: GraphGetInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> GraphGetOutput: ...

    @overload
    async def call(
        self, event: Literal["trash:page"], input: TrashPageInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashPageOutput: ...

    @overload
    async def call(
        self, event: Literal["trash:list"], input: TrashListInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashListOutput: ...

    @overload
    async def call(
        self, event: Literal["branch:get"], input: BranchGetInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> BranchGetOutput: ...

    @overload
    async def call(
        self, event: Literal["graph:snapshot"], input: GraphSnapshotInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> GraphSnapshotOutput: ...

    @overload
    async def call(
        self, event: Literal["graph:sync"], input: GraphSyncInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> GraphSyncOutput: ...

    @overload
    async def call(
        self, event: Literal["graph:apply"], input: GraphApplyInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> GraphApplyOutput: ...

    @overload
    async def call(
        self, event: Literal["account:get"], input: AccountGetInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountGetOutput: ...

    @overload
    async def call(
        self, event: Literal["node:add"], input: NodeAddInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeAddOutput: ...

    @overload
    async def call(
        self, event: Literal["node:update"], input: NodeUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeUpdateOutput: ...

    @overload
    async def call(
        self, event: Literal["node:delete"], input: NodeDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeDeleteOutput: ...

    @overload
    async def call(
        self, event: Literal["node:trash"], input: NodeTrashInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeTrashOutput: ...

    @overload
    async def call(
        self, event: Literal["node:duplicate"], input: NodeDuplicateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeDuplicateOutput: ...

    @overload
    async def call(
        self, event: Literal["node:restore"], input: NodeRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeRestoreOutput: ...

    @overload
    async def call(
        self, event: Literal["link:add"], input: LinkAddInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkAddOutput: ...

    @overload
    async def call(
        self, event: Literal["link:update"], input: LinkUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkUpdateOutput: ...

    @overload
    async def call(
        self, event: Literal["link:delete"], input: LinkDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkDeleteOutput: ...

    @overload
    async def call(
        self, event: Literal["link:trash"], input: LinkTrashInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkTrashOutput: ...

    @overload
    async def call(
        self, event: Literal["link:restore"], input: LinkRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkRestoreOutput: ...

    @overload
    async def call(
        self, event: Literal["link:swap"], input: LinkSwapInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> LinkSwapOutput: ...

    @overload
    async def call(
        self, event: Literal["trash:restore"], input: TrashRestoreInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashRestoreOutput: ...

    @overload
    async def call(
        self, event: Literal["trash:purge"], input: TrashPurgeInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashPurgeOutput: ...

    @overload
    async def call(
        self, event: Literal["trash:empty"], input: TrashEmptyInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> TrashEmptyOutput: ...

    @overload
    async def call(
        self, event: Literal["node:publish"], input: NodePublishInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodePublishOutput: ...

    @overload
    async def call(
        self, event: Literal["node:publish:update"], input: NodePublishUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodePublishUpdateOutput: ...

    @overload
    async def call(
        self, event: Literal["node:unpublish"], input: NodeUnpublishInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeUnpublishOutput: ...

    @overload
    async def call(
        self, event: Literal["node:embed"], input: NodeEmbedInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeEmbedOutput: ...

    @overload
    async def call(
        self, event: Literal["node:unembed"], input: NodeUnembedInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeUnembedOutput: ...

    @overload
    async def call(
        self, event: Literal["node:access"], input: NodeAccessInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeAccessOutput: ...

    @overload
    async def call(
        self, event: Literal["node:access:update"], input: NodeAccessUpdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeAccessUpdateOutput: ...

    @overload
    async def call(
        self, event: Literal["node:access:delete"], input: NodeAccessDeleteInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeAccessDeleteOutput: ...

    @overload
    async def call(
        self, event: Literal["access:visibilityupdate"], input: AccessVisibilityupdateInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccessVisibilityupdateOutput: ...

    @overload
    async def call(
        self, event: Literal["history:page"], input: HistoryPageInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> HistoryPageOutput: ...

    @overload
    async def call(
        self, event: Literal["history:undo"], input: HistoryUndoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> HistoryUndoOutput: ...

    @overload
    async def call(
        self, event: Literal["history:redo"], input: HistoryRedoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> HistoryRedoOutput: ...

    @overload
    async def call(
        self, event: Literal["batch:undo"], input: BatchUndoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> BatchUndoOutput: ...

    @overload
    async def call(
        self, event: Literal["batch:redo"], input: BatchRedoInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> BatchRedoOutput: ...

    @overload
    async def call(
        self, event: Literal["settings:username"], input: SettingsUsernameInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> SettingsUsernameOutput: ...

    @overload
    async def call(
        self, event: Literal["ws:ping"], input: WsPingInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> WsPingOutput: ...

    @overload
    async def call(
        self, event: Literal["account:logout"], input: AccountLogoutInput = ...,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> AccountLogoutOutput: ...

    @overload
    async def call(
        self, event: Literal["node:dragend"], input: NodeDragendInput,
        *, wait: bool | None = ..., timeout: float | None = ...
    ) -> NodeDragendOutput: ...

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
    def on(self, event: Literal["graph:diff"], listener: Callable[[Diff], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["error"], listener: Callable[[dict[str, object]], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["rate_limited"], listener: Callable[[dict[str, object]], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["presence:state"], listener: Callable[[dict[str, object]], None]) -> Callable[[], None]: ...

    @overload
    def on(self, event: Literal["branch:published"], listener: Callable[[dict[str, object]], None]) -> Callable[[], None]: ...

    def on(self, event: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Listens to an event of the server. Returns what lets go of the listener."""
        return self._on(event, listener)


OPERATIONS: dict[str, Way] = {
    "graph:get": Way(method="GET", path="/api/graph"),
    "trash:page": Way(method="GET", path="/api/trash"),
    "trash:list": Way(),
    "branch:get": Way(method="GET", path="/api/branch"),
    "graph:snapshot": Way(method="GET", path="/api/graph/snapshot", socket=False),
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
    "access:visibilityupdate": Way(method="PUT", path="/api/account/access", batch="batchId"),
    "history:page": Way(method="GET", path="/api/history"),
    "history:undo": Way(method="POST", path="/api/history/undo", batch="newBatchId"),
    "history:redo": Way(method="POST", path="/api/history/redo", batch="newBatchId"),
    "batch:undo": Way(batch="newBatchId"),
    "batch:redo": Way(batch="newBatchId"),
    "settings:username": Way(method="PUT", path="/api/account", batch="batchId"),
    "ws:ping": Way(),
    "account:logout": Way(method="POST", path="/api/logout", socket=False),
    "presence:update": Way(relay=True),
    "camera:update": Way(relay=True),
    "node:drag": Way(relay=True),
    "node:dragend": Way(batch="batchId"),
}


__all__ = [
    "AccessVisibilityupdateError",
    "AccessVisibilityupdateInput",
    "AccessVisibilityupdateOutput",
    "AccountGetError",
    "AccountGetInput",
    "AccountGetOutput",
    "AccountLogoutError",
    "AccountLogoutInput",
    "AccountLogoutOutput",
    "Actor",
    "BatchRedoError",
    "BatchRedoInput",
    "BatchRedoOutput",
    "BatchUndoError",
    "BatchUndoInput",
    "BatchUndoOutput",
    "BranchGetError",
    "BranchGetInput",
    "BranchGetOutput",
    "CameraUpdateInput",
    "Diff",
    "Entry",
    "ErrorName",
    "EventName",
    "GraphApplyError",
    "GraphApplyInput",
    "GraphApplyOutput",
    "GraphGetError",
    "GraphGetInput",
    "GraphGetOutput",
    "GraphSnapshotError",
    "GraphSnapshotInput",
    "GraphSnapshotOutput",
    "GraphSyncError",
    "GraphSyncInput",
    "GraphSyncOutput",
    "HistoryPageError",
    "HistoryPageInput",
    "HistoryPageOutput",
    "HistoryRedoError",
    "HistoryRedoInput",
    "HistoryRedoOutput",
    "HistoryUndoError",
    "HistoryUndoInput",
    "HistoryUndoOutput",
    "Link",
    "LinkAddError",
    "LinkAddInput",
    "LinkAddOutput",
    "LinkDeleteError",
    "LinkDeleteInput",
    "LinkDeleteOutput",
    "LinkRestoreError",
    "LinkRestoreInput",
    "LinkRestoreOutput",
    "LinkSwapError",
    "LinkSwapInput",
    "LinkSwapOutput",
    "LinkTrashError",
    "LinkTrashInput",
    "LinkTrashOutput",
    "LinkUpdateError",
    "LinkUpdateInput",
    "LinkUpdateOutput",
    "Node",
    "NodeAccessDeleteError",
    "NodeAccessDeleteInput",
    "NodeAccessDeleteOutput",
    "NodeAccessError",
    "NodeAccessInput",
    "NodeAccessOutput",
    "NodeAccessUpdateError",
    "NodeAccessUpdateInput",
    "NodeAccessUpdateOutput",
    "NodeAddError",
    "NodeAddInput",
    "NodeAddOutput",
    "NodeDeleteError",
    "NodeDeleteInput",
    "NodeDeleteOutput",
    "NodeDragInput",
    "NodeDragendInput",
    "NodeDragendOutput",
    "NodeDuplicateError",
    "NodeDuplicateInput",
    "NodeDuplicateOutput",
    "NodeEmbedError",
    "NodeEmbedInput",
    "NodeEmbedOutput",
    "NodePublishError",
    "NodePublishInput",
    "NodePublishOutput",
    "NodePublishUpdateError",
    "NodePublishUpdateInput",
    "NodePublishUpdateOutput",
    "NodeRestoreError",
    "NodeRestoreInput",
    "NodeRestoreOutput",
    "NodeTrashError",
    "NodeTrashInput",
    "NodeTrashOutput",
    "NodeUnembedError",
    "NodeUnembedInput",
    "NodeUnembedOutput",
    "NodeUnpublishError",
    "NodeUnpublishInput",
    "NodeUnpublishOutput",
    "NodeUpdateError",
    "NodeUpdateInput",
    "NodeUpdateOutput",
    "OperationName",
    "Phantom",
    "PresenceUpdateInput",
    "RelayName",
    "SettingsUsernameError",
    "SettingsUsernameInput",
    "SettingsUsernameOutput",
    "TrashEmptyError",
    "TrashEmptyInput",
    "TrashEmptyOutput",
    "TrashListError",
    "TrashListInput",
    "TrashListOutput",
    "TrashPageError",
    "TrashPageInput",
    "TrashPageOutput",
    "TrashPurgeError",
    "TrashPurgeInput",
    "TrashPurgeOutput",
    "TrashRestoreError",
    "TrashRestoreInput",
    "TrashRestoreOutput",
    "WsPingError",
    "WsPingInput",
    "WsPingOutput",
]
