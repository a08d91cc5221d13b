//! The table itself.

use super::fields::*;
use super::node_fields::NODE_INPUT;
use super::{Kind, Limit, Make, Method, Row, Values};
use crate::engine::protocol::{Read, RequestedScope};
use graph::model::{Level, LinkType};
use graph::ops::{
    AccessAdd, AccessUpdate, LinkAdd, LinkUpdate, NodeAdd, NodePublish, NodePublishUpdate, NodeUpdate,
};
use graph::{BatchId, NodeId, Operation, Reason, UserId};
use uuid::Uuid;

const fn limit(name: &'static str, count: u32) -> Limit {
    Limit { name, count, window_s: 10 }
}

pub(super) const NODE_LIMIT: Limit = limit("node", 30);
const NODE_TRASH_LIMIT: Limit = limit("node trash", 30);
const LINK_LIMIT: Limit = limit("link", 30);
const LINK_TRASH_LIMIT: Limit = limit("link trash", 30);
const PUBLISH_LIMIT: Limit = limit("publish", 30);
const EMBED_LIMIT: Limit = limit("embed", 30);
const ACCESS_LIMIT: Limit = limit("access", 30);

const PUBLISH_PATHS: &[&str] = &["/api/node/publish", "/api/node/public"];
/// What nearly every operation takes.
pub(super) const CREDENTIALS: &str = "API token or web session";
const PAGE_OUTPUT: &str = "{ok, hasMore, nodes, links, rev, trace_id}";

/// A row of nothing, for the others to start from.
pub(super) const BLANK: Row = Row {
    event: "",
    alias_of: None,
    method: None,
    paths: &[],
    limit: limit("", 0),
    input: &[],
    read_only: &[],
    one_of: &[],
    errors: &[],
    output: "{ok, diff, rev, trace_id}",
    credentials: CREDENTIALS,
    make: Make::Ping,
};

const UNDO: Row = Row {
    limit: limit("history:undo", 3),
    input: &[&[PAST_BATCH, NEW_BATCH_ID]],
    errors: TURN_ERRORS,
    output: "{ok, batchId, undoOf or redoOf, diff, rev, trace_id}",
    make: Make::Mutation(|values| Some(Operation::HistoryUndo { batch: BatchId(values.id("batchId")?) })),
    ..BLANK
};

const REDO: Row = Row {
    limit: limit("history:redo", 3),
    make: Make::Mutation(|values| Some(Operation::HistoryRedo { batch: BatchId(values.id("batchId")?) })),
    ..UNDO
};

/// What an undo or redo may be refused for; then what refuses the step it comes to.
const TURN_ERRORS: &[Reason] = &[
    Reason::BatchNotFound,
    Reason::AlreadyUndone,
    Reason::NotUndone,
    Reason::CannotRestorePurged,
    Reason::NoPermission,
    Reason::PlanLimit,
    Reason::VersionConflict,
    Reason::NodeInTrash,
    Reason::NodeBlocked,
    Reason::LinkInTrash,
    Reason::InactiveEnd,
    Reason::ForbiddenType,
    Reason::ForbiddenPrivate,
    Reason::WouldShare,
    Reason::DuplicateLink,
    Reason::NotPublic,
    Reason::HasAccess,
    Reason::UsernameTaken,
    Reason::DependencyCycle,
];

/// Every operation.
pub const ROWS: &[Row] = &[
    Row {
        event: "graph:get",
        method: Some(Method::Get),
        paths: &["/api/graph"],
        limit: limit("graph:get", 10),
        input: &[&[GRAPH_LIMIT, OFFSET]],
        output: "{ok, hasMore, nodes, links, rev, trace_id}; over a socket without an ack the event graph:init",
        make: Make::Read(|values| {
            let (limit, offset) = page(values, 1000);
            Some(Read::Graph { limit, offset })
        }),
        ..BLANK
    },
    Row {
        event: "trash:page",
        method: Some(Method::Get),
        paths: &["/api/trash"],
        limit: limit("trash:page", 5),
        input: &[&[PAGE_LIMIT, OFFSET]],
        output: PAGE_OUTPUT,
        make: Make::Read(|values| {
            let (limit, offset) = page(values, 100);
            Some(Read::Trash { limit, offset })
        }),
        ..BLANK
    },
    Row {
        event: "branch:get",
        method: Some(Method::Get),
        paths: &["/api/branch"],
        limit: limit("branch:get", 5),
        input: &[&[ROOT, GRAPH_LIMIT, OFFSET]],
        errors: &[Reason::BranchNotFound],
        output: PAGE_OUTPUT,
        credentials: "API token or web session; over REST none where root is a public token",
        make: Make::Read(|values| {
            let (limit, offset) = page(values, 1000);
            Some(Read::Branch { root: values.branch("root")?, limit, offset })
        }),
        ..BLANK
    },
    Row {
        event: "graph:sync",
        limit: limit("graph:sync", 5),
        input: &[&[SINCE]],
        output: "{ok, rev, recovered, trace_id}; before it, if recovered, every graph:diff that was missed",
        make: Make::Read(|values| Some(Read::Sync { since: values.version("since")? })),
        ..BLANK
    },
    Row {
        event: "account:get",
        method: Some(Method::Get),
        paths: &["/api/account"],
        limit: limit("account:get", 5),
        output: "{ok, account, rev, trace_id}",
        make: Make::Read(|_| Some(Read::Account)),
        ..BLANK
    },
    Row {
        event: "node:add",
        method: Some(Method::Post),
        paths: &["/api/node"],
        limit: NODE_LIMIT,
        input: &[&[BATCH_ID, NEW_ID, TARGET], NODE_INPUT],
        read_only: NODE_READ_ONLY,
        errors: &[Reason::TargetNotFound, Reason::TargetInTrash, Reason::IdTaken],
        make: Make::Mutation(|values| {
            let (id, target) = (values.node("id"), values.node("target"));
            Some(Operation::NodeAdd(NodeAdd { id, target, fields: values.node_fields() }))
        }),
        ..BLANK
    },
    Row {
        event: "node:update",
        method: Some(Method::Put),
        paths: &["/api/node"],
        limit: NODE_LIMIT,
        input: &[&[BATCH_ID, NODE_ID], NODE_INPUT, &[VERSION]],
        read_only: NODE_READ_ONLY,
        one_of: NODE_INPUT,
        errors: &[
            Reason::NodeNotFound,
            Reason::NoPermission,
            Reason::NodeInTrash,
            Reason::VersionConflict,
            Reason::NodeBlocked,
        ],
        make: Make::Mutation(|values| {
            let (id, version) = (values.node("id")?, values.version("version"));
            Some(Operation::NodeUpdate(NodeUpdate { id, fields: values.node_fields(), version }))
        }),
        ..BLANK
    },
    Row {
        event: "node:delete",
        method: Some(Method::Delete),
        paths: &["/api/node"],
        limit: NODE_LIMIT,
        input: &[&[BATCH_ID, NODE_ID]],
        errors: &[Reason::NodeNotFound, Reason::NoPermission, Reason::CantDeleteActiveNode],
        make: Make::Mutation(|values| Some(Operation::NodeDelete { id: values.node("id")? })),
        ..BLANK
    },
    Row {
        event: "node:trash",
        method: Some(Method::Post),
        paths: &["/api/node/trash"],
        limit: NODE_TRASH_LIMIT,
        input: &[&[BATCH_ID, NODE_ID]],
        errors: &[Reason::NodeNotFound, Reason::NoPermission, Reason::AlreadyTrashedNode],
        make: Make::Mutation(|values| Some(Operation::NodeTrash { id: values.node("id")? })),
        ..BLANK
    },
    Row {
        event: "node:restore",
        method: Some(Method::Post),
        paths: &["/api/node/restore"],
        limit: NODE_TRASH_LIMIT,
        input: &[&[BATCH_ID, NODE_ID]],
        errors: &[Reason::NodeNotFound, Reason::NoPermission, Reason::NotTrashedNode],
        make: Make::Mutation(|values| Some(Operation::NodeRestore { id: values.node("id")? })),
        ..BLANK
    },
    Row {
        event: "link:add",
        method: Some(Method::Post),
        paths: &["/api/link"],
        limit: LINK_LIMIT,
        input: &[
            &[
                BATCH_ID,
                NEW_ID,
                required("source", Kind::Id, Reason::InvalidSourceTargetId, Reason::InvalidSourceTargetId),
                required("target", Kind::Id, Reason::InvalidSourceTargetId, Reason::InvalidSourceTargetId),
            ],
            LINK_FIELDS,
        ],
        read_only: LINK_READ_ONLY,
        errors: &[
            Reason::SourceNotFound,
            Reason::TargetNotFound,
            Reason::WouldShare,
            Reason::SourceInTrash,
            Reason::TargetInTrash,
            Reason::SelfLink,
            Reason::DuplicateLink,
            Reason::DuplicateReversedLink,
            Reason::IdTaken,
            Reason::DependencyCycle,
        ],
        make: Make::Mutation(|values| {
            Some(Operation::LinkAdd(LinkAdd {
                id: values.link("id"),
                source: values.node("source")?,
                target: values.node("target")?,
                kind: values.link_type("type").unwrap_or(LinkType::Primary),
                private: values.flag("private").unwrap_or(false),
            }))
        }),
        ..BLANK
    },
    Row {
        event: "link:update",
        method: Some(Method::Put),
        paths: &["/api/link"],
        limit: LINK_LIMIT,
        input: &[&[BATCH_ID, LINK_ID], LINK_FIELDS],
        read_only: LINK_READ_ONLY,
        one_of: LINK_FIELDS,
        errors: &[
            Reason::LinkNotFound,
            Reason::NoPermission,
            Reason::ForbiddenType,
            Reason::ForbiddenPrivate,
            Reason::WouldShare,
            Reason::LinkInTrash,
            Reason::DuplicateLink,
            Reason::DependencyCycle,
        ],
        make: Make::Mutation(|values| {
            Some(Operation::LinkUpdate(LinkUpdate {
                id: values.link("id")?,
                kind: values.link_type("type"),
                private: values.flag("private"),
            }))
        }),
        ..BLANK
    },
    Row {
        event: "link:delete",
        method: Some(Method::Delete),
        paths: &["/api/link"],
        limit: LINK_LIMIT,
        input: &[&[BATCH_ID, LINK_ID]],
        errors: &[Reason::LinkNotFound, Reason::NoPermission, Reason::CantDeleteActiveLink],
        make: Make::Mutation(|values| Some(Operation::LinkDelete { id: values.link("id")? })),
        ..BLANK
    },
    Row {
        event: "link:trash",
        method: Some(Method::Post),
        paths: &["/api/link/trash"],
        limit: LINK_TRASH_LIMIT,
        input: &[&[BATCH_ID, LINK_ID]],
        errors: &[Reason::LinkNotFound, Reason::NoPermission, Reason::AlreadyTrashedLink],
        make: Make::Mutation(|values| Some(Operation::LinkTrash { id: values.link("id")? })),
        ..BLANK
    },
    Row {
        event: "link:restore",
        method: Some(Method::Post),
        paths: &["/api/link/restore"],
        limit: LINK_TRASH_LIMIT,
        input: &[&[BATCH_ID, LINK_ID]],
        errors: &[
            Reason::LinkNotFound,
            Reason::NoPermission,
            Reason::ForbiddenType,
            Reason::ForbiddenPrivate,
            Reason::WouldShare,
            Reason::NotTrashedLink,
            Reason::InactiveEnd,
            Reason::DuplicateLink,
            Reason::DependencyCycle,
        ],
        make: Make::Mutation(|values| Some(Operation::LinkRestore { id: values.link("id")? })),
        ..BLANK
    },
    Row {
        event: "link:swap",
        method: Some(Method::Post),
        paths: &["/api/link/swap"],
        limit: LINK_TRASH_LIMIT,
        input: &[&[BATCH_ID, LINK_ID]],
        errors: &[
            Reason::LinkNotFound,
            Reason::NoPermission,
            Reason::ForbiddenPrivate,
            Reason::WouldShare,
            Reason::LinkInTrash,
            Reason::DuplicateLink,
            Reason::DependencyCycle,
        ],
        make: Make::Mutation(|values| Some(Operation::LinkSwap { id: values.link("id")? })),
        ..BLANK
    },
    Row {
        event: "trash:purge",
        method: Some(Method::Delete),
        paths: &["/api/trash"],
        limit: limit("trash:purge", 5),
        input: &[&[BATCH_ID, IDS]],
        errors: &[Reason::NotInTrash],
        make: Make::Mutation(|values| Some(Operation::TrashPurge { ids: values.ids("ids") })),
        ..BLANK
    },
    Row {
        event: "node:publish",
        method: Some(Method::Post),
        paths: PUBLISH_PATHS,
        limit: PUBLISH_LIMIT,
        input: &[&[BATCH_ID, NODE_ID, BRANCH, DUE]],
        errors: &[
            Reason::InvalidDue,
            Reason::NodeNotFound,
            Reason::NoPermission,
            Reason::PlanLimit,
            Reason::NodeInTrash,
            Reason::AlreadyPublic,
        ],
        make: Make::Mutation(|values| {
            Some(Operation::NodePublish(NodePublish {
                id: values.node("id")?,
                branch: values.flag("branch").unwrap_or(true),
                due: values.moment("due").flatten(),
            }))
        }),
        ..BLANK
    },
    Row {
        event: "node:publish:update",
        method: Some(Method::Put),
        paths: PUBLISH_PATHS,
        limit: PUBLISH_LIMIT,
        input: &[&[BATCH_ID, NODE_ID, BRANCH, DUE]],
        one_of: &[BRANCH, DUE],
        errors: &[
            Reason::InvalidDue,
            Reason::NodeNotFound,
            Reason::NoPermission,
            Reason::PlanLimit,
            Reason::NodeInTrash,
            Reason::NotPublic,
        ],
        make: Make::Mutation(|values| {
            Some(Operation::NodePublishUpdate(NodePublishUpdate {
                id: values.node("id")?,
                branch: values.flag("branch"),
                due: values.moment("due"),
            }))
        }),
        ..BLANK
    },
    Row {
        event: "node:unpublish",
        method: Some(Method::Delete),
        paths: PUBLISH_PATHS,
        limit: PUBLISH_LIMIT,
        input: &[&[BATCH_ID, NODE_ID]],
        errors: &[Reason::NodeNotFound, Reason::NoPermission, Reason::NotPublic],
        make: Make::Mutation(|values| Some(Operation::NodeUnpublish { id: values.node("id")? })),
        ..BLANK
    },
    Row {
        event: "node:embed",
        method: Some(Method::Post),
        paths: &["/api/node/embed"],
        limit: EMBED_LIMIT,
        input: &[&[BATCH_ID, BRANCH_ID]],
        errors: &[
            Reason::BranchNotFound,
            Reason::NodeInTrash,
            Reason::PublicExpired,
            Reason::NotPublic,
            Reason::AlreadyEmbedded,
            Reason::HasAccess,
        ],
        make: Make::Mutation(|values| Some(Operation::NodeEmbed { root: values.branch("id")? })),
        ..BLANK
    },
    Row {
        event: "node:unembed",
        method: Some(Method::Delete),
        paths: &["/api/node/embed"],
        limit: EMBED_LIMIT,
        input: &[&[BATCH_ID, BRANCH_ID]],
        errors: &[Reason::BranchNotFound, Reason::NotEmbedded],
        make: Make::Mutation(|values| Some(Operation::NodeUnembed { root: values.branch("id")? })),
        ..BLANK
    },
    Row {
        event: "node:access",
        method: Some(Method::Post),
        paths: &["/api/node/access"],
        limit: ACCESS_LIMIT,
        input: &[&[BATCH_ID, NODE_ID, EMAIL, LEVEL, BRANCH, DUE]],
        errors: &[
            Reason::InvalidDue,
            Reason::NodeNotFound,
            Reason::NoPermission,
            Reason::PlanLimit,
            Reason::UserNotFound,
            Reason::NodeInTrash,
            Reason::CannotShareWithSelf,
            Reason::AlreadyGranted,
        ],
        make: Make::Mutation(|values| {
            Some(Operation::AccessAdd(AccessAdd {
                id: values.node("id")?,
                email: values.text("email")?,
                level: values.level("level").unwrap_or(Level::Viewer),
                branch: values.flag("branch").unwrap_or(true),
                due: values.moment("due").flatten(),
            }))
        }),
        ..BLANK
    },
    Row {
        event: "node:access:update",
        method: Some(Method::Put),
        paths: &["/api/node/access"],
        limit: ACCESS_LIMIT,
        input: &[&[BATCH_ID, NODE_ID, EMAIL, LEVEL, BRANCH, DUE]],
        one_of: &[LEVEL, BRANCH, DUE],
        errors: &[
            Reason::InvalidDue,
            Reason::NodeNotFound,
            Reason::NoPermission,
            Reason::PlanLimit,
            Reason::UserNotFound,
            Reason::NodeInTrash,
            Reason::NotShared,
        ],
        make: Make::Mutation(|values| {
            Some(Operation::AccessUpdate(AccessUpdate {
                id: values.node("id")?,
                email: values.text("email")?,
                level: values.level("level"),
                branch: values.flag("branch"),
                due: values.moment("due"),
            }))
        }),
        ..BLANK
    },
    Row {
        event: "node:access:delete",
        method: Some(Method::Delete),
        paths: &["/api/node/access"],
        limit: ACCESS_LIMIT,
        input: &[&[BATCH_ID, NODE_ID, EMAIL]],
        errors: &[Reason::NodeNotFound, Reason::NoPermission, Reason::UserNotFound, Reason::NotShared],
        make: Make::Mutation(|values| {
            Some(Operation::AccessDelete { id: values.node("id")?, email: values.text("email")? })
        }),
        ..BLANK
    },
    Row {
        event: "access:visibilityupdate",
        method: Some(Method::Put),
        paths: &["/api/account/access"],
        limit: limit("access:visibilityupdate", 30),
        input: &[&[BATCH_ID, NODE_ID, SHOWING]],
        errors: &[Reason::NodeNotFound, Reason::NotShared, Reason::PlanLimit],
        make: Make::Mutation(|values| {
            Some(Operation::AccessVisibility { id: values.node("id")?, showing: values.flag("showing")? })
        }),
        ..BLANK
    },
    Row {
        event: "history:page",
        method: Some(Method::Get),
        paths: &["/api/history"],
        limit: limit("history:page", 5),
        input: &[&[SCOPE_TYPE, SCOPE_ID, PAGE_LIMIT, OFFSET]],
        errors: &[Reason::NodeNotFound],
        output: "{ok, hasMore, batches, rev, trace_id}",
        make: Make::Read(|values| {
            let (limit, offset) = page(values, 100);
            let (kind, id) = (values.text("scopeType"), values.id("scopeId"));
            Some(Read::History { scope: scope(kind.as_deref(), id), limit, offset })
        }),
        ..BLANK
    },
    Row { event: "history:undo", method: Some(Method::Post), paths: &["/api/history/undo"], ..UNDO },
    Row { event: "history:redo", method: Some(Method::Post), paths: &["/api/history/redo"], ..REDO },
    Row { event: "batch:undo", alias_of: Some("history:undo"), ..UNDO },
    Row { event: "batch:redo", alias_of: Some("history:redo"), ..REDO },
    Row {
        event: "settings:username",
        method: Some(Method::Put),
        paths: &["/api/account"],
        limit: limit("settings:username", 3),
        input: &[&[BATCH_ID, USERNAME]],
        errors: &[Reason::UsernameTaken],
        make: Make::Mutation(|values| {
            Some(Operation::SettingsUsername { username: values.text("username")? })
        }),
        ..BLANK
    },
    Row {
        event: "ws:ping",
        limit: limit("ws:ping", 10),
        output: "the event ws:pong {serverTime}; with an ack {ok, serverTime, trace_id} besides",
        make: Make::Ping,
        ..BLANK
    },
];

/// A scope that does not fit its type is one that nobody has.
fn scope(kind: Option<&str>, id: Option<Uuid>) -> RequestedScope {
    match (kind, id) {
        (None, None) => RequestedScope::Everything,
        (Some("GRAPH"), Some(id)) => RequestedScope::Graph(NodeId(id)),
        (Some("USER"), Some(id)) => RequestedScope::User(UserId(id)),
        (Some("USER"), None) => RequestedScope::Own,
        _ => RequestedScope::Unfit,
    }
}

fn page(values: &mut Values, limit: usize) -> (usize, usize) {
    (values.count("limit").unwrap_or(limit), values.count("offset").unwrap_or(0))
}
