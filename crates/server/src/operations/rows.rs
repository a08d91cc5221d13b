//! The table of operations.

use super::Method::{Delete, Get, Post, Put};
use super::account_rows::accounts;
use super::fields::*;
use super::input::{Changes, Given, Input, Reading, input};
use super::node_fields::NodeInput;
use super::row::{Row, row};
use super::token_rows::tokens;
use crate::engine::protocol::Read;
use crate::limits::{NamedLimit, Rule};
use crate::wire;
use graph::Operation;
use graph::Reason::*;
use graph::model::{Level, LinkType};
use graph::ops::{
    AccessAdd, AccessUpdate, LinkAdd, LinkUpdate, NodeAdd, NodeDuplicate, NodePublish, NodePublishUpdate,
    NodeUpdate,
};
use std::sync::LazyLock;
use uuid::Uuid;

/// A limit of `count` in 10 seconds.
const fn limit(name: &'static str, count: usize) -> NamedLimit {
    NamedLimit { name, default: Rule::per_s(count, 10) }
}

pub(super) const NODE_LIMIT: NamedLimit = limit("node", 30);
const NODE_TRASH_LIMIT: NamedLimit = limit("node trash", 30);
const LINK_LIMIT: NamedLimit = limit("link", 30);
const LINK_TRASH_LIMIT: NamedLimit = limit("link trash", 30);
const PUBLISH_LIMIT: NamedLimit = limit("publish", 30);
const EMBED_LIMIT: NamedLimit = limit("embed", 30);
const ACCESS_LIMIT: NamedLimit = limit("access", 30);
const PURGE_LIMIT: NamedLimit = limit("trash:purge", 5);

const PUBLISH_PATHS: &[&str] = &["/api/node/publish", "/api/node/public"];

/// Every operation.
pub static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| [graph(), nodes(), links(), shares(), past(), rest(), accounts(), tokens()].concat());

fn graph() -> Vec<Row> {
    vec![
        row("graph:get", limit("graph:get", 10))
            .about("Reads a page of the graph, oldest first.")
            .reads(input!(Read::Graph { page: GRAPH_PAGE }))
            .rest(Get, &["/api/graph", "/api/nodes"])
            .answers::<wire::GraphPage>()
            .gives("over a socket without an ack the event graph:init"),
        trash_page("trash:page").rest(Get, &["/api/trash"]),
        trash_page("trash:list").alias_of("trash:page"),
        row("branch:get", limit("branch:get", 5))
            .about("Reads a page of a branch or of a publication.")
            .reads(input!(Read::Branch { root: ROOT, page: GRAPH_PAGE }))
            .rest(Get, &["/api/branch"])
            .refuses(&[BranchNotFound])
            .answers::<wire::BranchPage>()
            .with("API token or web session; over REST none if root is a public token"),
        row("graph:snapshot", limit("graph:snapshot", 10))
            .about("Reads the whole graph, or a whole branch, in one answer.")
            .reads(input!(Read::Snapshot { root: ROOT_ONLY }))
            .rest(Get, &["/api/graph/snapshot"])
            .over_rest_alone()
            .refuses(&[BranchNotFound])
            .answers::<wire::SnapshotAnswer>()
            .tagged()
            .gives("with an ETag; 304 if If-None-Match names it")
            .with("API token or web session; none if root is a public token"),
        row("graph:why", limit("graph:why", 10))
            .about("Tells why a task waits, and for what at the end.")
            .reads(input!(Read::Why { id: NODE_ID }))
            .rest(Get, &["/api/why"])
            .refuses(&[NodeNotFound])
            .answers::<wire::WhyAnswer>(),
        row("graph:ready", limit("graph:ready", 10))
            .about("Lists the tasks that can be started, the most urgent first.")
            .reads(input!(Read::Ready { mine: MINE.or(false), root: ROOT_ONLY, limit: TASKS }))
            .rest(Get, &["/api/ready"])
            .refuses(&[BranchNotFound])
            .answers::<wire::ReadyAnswer>(),
        row("graph:critical", limit("graph:critical", 10))
            .about("Finds the longest chains of tasks that are not completed.")
            .reads(input!(Read::Critical { id: INTO, root: ROOT_ONLY }))
            .rest(Get, &["/api/critical"])
            .refuses(&[BranchNotFound, NodeNotFound])
            .answers::<wire::CriticalAnswer>(),
        row("graph:sync", limit("graph:sync", 5))
            .about("Sends what a connection has missed since a rev.")
            .reads(input!(Read::Sync { since: SINCE }))
            .answers::<wire::SyncAnswer>()
            .gives("before it, if recovered, every graph:diff that was missed"),
        row("graph:apply", limit("graph:apply", 10))
            .about("Carries out several operations as one batch: all or none.")
            .mutates(input!(Operation::GraphApply { operations: OPERATIONS }))
            .rest(Post, &["/api/batch"])
            .refuses(&[BatchTooLarge])
            .answers::<wire::AppliedAnswer>()
            .gives("a failure is that of an operation, with its index")
            .alone(),
        row("account:get", limit("account:get", 5))
            .about("Reads the account of the caller.")
            .reads(input!(Read::Account))
            .rest(Get, &["/api/account"])
            .answers::<wire::OwnAccount>(),
    ]
}

fn trash_page(event: &'static str) -> Row {
    row(event, limit("trash:page", 5))
        .about("Reads a page of the trash, latest first.")
        .reads(input!(Read::Trash { page: PAGE }))
        .answers::<wire::TrashAnswer>()
}

fn nodes() -> Vec<Row> {
    vec![
        row("node:add", NODE_LIMIT)
            .about("Adds a node.")
            .mutates(input!(Operation::NodeAdd(NodeAdd { id: NEW_NODE, target: TARGET, fields: NodeInput })))
            .rest(Post, &["/api/node"])
            .read_only(NODE_READ_ONLY)
            .refuses(&[TargetNotFound, TargetInTrash, IdTaken, NoPermission]),
        row("node:update", NODE_LIMIT)
            .about("Changes fields of a node.")
            .mutates(input!(Operation::NodeUpdate(NodeUpdate {
                id: NODE_ID,
                fields: Changes(NodeInput),
                version: VERSION,
            })))
            .rest(Put, &["/api/node"])
            .read_only(NODE_READ_ONLY)
            .refuses(&[NodeNotFound, NoPermission, NodeInTrash, VersionConflict, NodeBlocked]),
        row("node:delete", NODE_LIMIT)
            .about("Deletes a node in the trash for good.")
            .mutates(input!(Operation::NodeDelete { id: NODE_ID }))
            .rest(Delete, &["/api/node"])
            .refuses(&[NodeNotFound, NoPermission, CantDeleteActiveNode]),
        row("node:trash", NODE_TRASH_LIMIT)
            .about("Puts a node, or a whole branch, into the trash.")
            .mutates(input!(Operation::NodeTrash { id: NODE_ID, branch: BRANCH.or(false) }))
            .rest(Post, &["/api/node/trash"])
            .refuses(&[NodeNotFound, NoPermission, AlreadyTrashedNode]),
        row("node:duplicate", limit("node:duplicate", 10))
            .about("Copies a node, or a whole branch.")
            .mutates(input!(Operation::NodeDuplicate(NodeDuplicate {
                id: NODE_ID,
                branch: BRANCH.or(true),
                target: TARGET,
                names: COPY_IDS,
            })))
            .rest(Post, &["/api/node/duplicate"])
            .refuses(&[
                NodeNotFound,
                TargetNotFound,
                NodeInTrash,
                TargetInTrash,
                BatchTooLarge,
                IdTaken,
                NoPermission,
            ])
            .answers::<wire::CopiedAnswer>(),
        row("node:restore", NODE_TRASH_LIMIT)
            .about("Takes a node out of the trash.")
            .mutates(input!(Operation::NodeRestore { id: NODE_ID }))
            .rest(Post, &["/api/node/restore"])
            .refuses(&[NodeNotFound, NoPermission, NotTrashedNode]),
    ]
}

fn links() -> Vec<Row> {
    vec![
        row("link:add", LINK_LIMIT)
            .about("Links two nodes: the target waits for the source.")
            .mutates(input!(Operation::LinkAdd(LinkAdd {
                id: NEW_LINK,
                source: LINK_SOURCE,
                target: LINK_TARGET,
                kind: LINK_TYPE.or(LinkType::Primary),
                private: LINK_PRIVATE.or(false),
            })))
            .rest(Post, &["/api/link"])
            .read_only(LINK_READ_ONLY)
            .refuses(&[
                SourceNotFound,
                TargetNotFound,
                WouldShare,
                SourceInTrash,
                TargetInTrash,
                SelfLink,
                DuplicateLink,
                DuplicateReversedLink,
                IdTaken,
                DependencyCycle,
            ]),
        row("link:update", LINK_LIMIT)
            .about("Changes the type or the privacy of a link.")
            .mutates(input!(Operation::LinkUpdate(LinkUpdate {
                id: LINK_ID,
                kind: Changes(LINK_TYPE),
                private: Changes(LINK_PRIVATE),
            })))
            .rest(Put, &["/api/link"])
            .read_only(LINK_READ_ONLY)
            .refuses(&[
                LinkNotFound,
                NoPermission,
                ForbiddenType,
                ForbiddenPrivate,
                WouldShare,
                LinkInTrash,
                DuplicateLink,
                DependencyCycle,
            ]),
        row("link:delete", LINK_LIMIT)
            .about("Deletes a link in the trash for good.")
            .mutates(input!(Operation::LinkDelete { id: LINK_ID }))
            .rest(Delete, &["/api/link"])
            .refuses(&[LinkNotFound, NoPermission, CantDeleteActiveLink]),
        row("link:trash", LINK_TRASH_LIMIT)
            .about("Puts a link into the trash.")
            .mutates(input!(Operation::LinkTrash { id: LINK_ID }))
            .rest(Post, &["/api/link/trash"])
            .refuses(&[LinkNotFound, NoPermission, AlreadyTrashedLink]),
        row("link:restore", LINK_TRASH_LIMIT)
            .about("Takes a link out of the trash.")
            .mutates(input!(Operation::LinkRestore { id: LINK_ID }))
            .rest(Post, &["/api/link/restore"])
            .refuses(&[
                LinkNotFound,
                NoPermission,
                ForbiddenType,
                ForbiddenPrivate,
                WouldShare,
                NotTrashedLink,
                InactiveEnd,
                DependencyCycle,
            ]),
        row("link:swap", LINK_TRASH_LIMIT)
            .about("Turns a link around.")
            .mutates(input!(Operation::LinkSwap { id: LINK_ID }))
            .rest(Post, &["/api/link/swap"])
            .refuses(&[
                LinkNotFound,
                NoPermission,
                ForbiddenPrivate,
                WouldShare,
                LinkInTrash,
                DuplicateLink,
                DependencyCycle,
            ]),
        row("trash:restore", limit("trash:restore", 10))
            .about("Takes out of the trash what one batch put there.")
            .mutates_as(input!(Operation::TrashRestore { batch: PAST_BATCH }), NEW_BATCH_ID)
            .rest(Post, &["/api/trash/restore"])
            .refuses(&[
                NotInTrash,
                NoPermission,
                ForbiddenType,
                ForbiddenPrivate,
                WouldShare,
                InactiveEnd,
                DependencyCycle,
            ]),
        row("trash:purge", PURGE_LIMIT)
            .about("Deletes what is in the trash for good: all of it, or what is named.")
            .mutates(input!(Operation::TrashPurge { ids: IDS }))
            .rest(Delete, &["/api/trash"])
            .refuses(&[NotInTrash])
            .alone(),
        row("trash:empty", PURGE_LIMIT)
            .about("Deletes everything in the trash for good.")
            .mutates(input!(Operation::TrashPurge { ids: Given(None::<Vec<Uuid>>) }))
            .alias_of("trash:purge")
            .alone(),
    ]
}

fn shares() -> Vec<Row> {
    vec![
        row("node:publish", PUBLISH_LIMIT)
            .about("Publishes a node or its branch under a public token.")
            .mutates(input!(Operation::NodePublish(NodePublish {
                id: NODE_ID,
                branch: BRANCH.or(true),
                due: DUE,
            })))
            .rest(Post, PUBLISH_PATHS)
            .carries_secret()
            .refuses(&[InvalidDue, NodeNotFound, NoPermission, PlanLimit, NodeInTrash, AlreadyPublic]),
        row("node:publish:update", PUBLISH_LIMIT)
            .about("Changes a publication.")
            .mutates(input!(Operation::NodePublishUpdate(NodePublishUpdate {
                id: NODE_ID,
                branch: Changes(BRANCH),
                due: Changes(DUE.clearable()),
            })))
            .rest(Put, PUBLISH_PATHS)
            .carries_secret()
            .refuses(&[InvalidDue, NodeNotFound, NoPermission, PlanLimit, NodeInTrash, NotPublic]),
        row("node:unpublish", PUBLISH_LIMIT)
            .about("Ends a publication.")
            .mutates(input!(Operation::NodeUnpublish { id: NODE_ID }))
            .rest(Delete, PUBLISH_PATHS)
            .refuses(&[NodeNotFound, NoPermission, NotPublic]),
        row("node:embed", EMBED_LIMIT)
            .about("Embeds a publication in the graph of the caller.")
            .mutates(input!(Operation::NodeEmbed { root: BRANCH_ID }))
            .rest(Post, &["/api/node/embed"])
            .refuses(&[
                BranchNotFound,
                NodeInTrash,
                PublicExpired,
                NotPublic,
                AlreadyEmbedded,
                HasAccess,
                NoPermission,
            ]),
        row("node:unembed", EMBED_LIMIT)
            .about("Takes an embedded publication out of the graph of the caller.")
            .mutates(input!(Operation::NodeUnembed { root: BRANCH_ID }))
            .rest(Delete, &["/api/node/embed"])
            .refuses(&[BranchNotFound, NotEmbedded, NoPermission]),
        row("node:access", ACCESS_LIMIT)
            .about("Grants a user access to a node or branch.")
            .mutates(input!(Operation::AccessAdd(AccessAdd {
                id: NODE_ID,
                email: EMAIL,
                level: LEVEL.or(Level::Viewer),
                branch: BRANCH.or(true),
                due: DUE,
            })))
            .rest(Post, &["/api/node/access"])
            .refuses(&[
                InvalidDue,
                NodeNotFound,
                NoPermission,
                PlanLimit,
                UserNotFound,
                NodeInTrash,
                CannotShareWithSelf,
                AlreadyGranted,
            ]),
        row("node:access:update", ACCESS_LIMIT)
            .about("Changes a grant.")
            .mutates(input!(Operation::AccessUpdate(AccessUpdate {
                id: NODE_ID,
                email: EMAIL,
                level: Changes(LEVEL),
                branch: Changes(BRANCH),
                due: Changes(DUE.clearable()),
            })))
            .rest(Put, &["/api/node/access"])
            .refuses(&[
                InvalidDue,
                NodeNotFound,
                NoPermission,
                PlanLimit,
                UserNotFound,
                NodeInTrash,
                NotShared,
            ]),
        row("node:access:delete", ACCESS_LIMIT)
            .about("Ends a grant.")
            .mutates(input!(Operation::AccessDelete { id: NODE_ID, email: EMAIL }))
            .rest(Delete, &["/api/node/access"])
            .refuses(&[NodeNotFound, NoPermission, UserNotFound, NotShared]),
        row("node:grants", limit("node:grants", 10))
            .about("Lists who has access to a node.")
            .reads(input!(Read::Grants { id: NODE_ID }))
            .rest(Get, &["/api/node/access"])
            .refuses(&[NodeNotFound, NoPermission])
            .answers::<wire::GrantsAnswer>(),
        row("access:visibilityupdate", limit("access:visibilityupdate", 30))
            .about("Hides a grant from the graph of the caller, or shows it.")
            .mutates(input!(Operation::AccessVisibility { id: NODE_ID, showing: SHOWING }))
            .rest(Put, &["/api/account/access"])
            .refuses(&[NodeNotFound, NotShared, PlanLimit, NoPermission]),
    ]
}

fn past() -> Vec<Row> {
    vec![
        row("history:page", limit("history:page", 5))
            .about("Reads a page of history, latest first.")
            .reads(input!(Read::History { scope: ScopeInput, page: PAGE }))
            .rest(Get, &["/api/history"])
            .refuses(&[NodeNotFound])
            .answers::<wire::PageOfBatches>(),
        undo("history:undo").rest(Post, &["/api/history/undo"]),
        redo("history:redo").rest(Post, &["/api/history/redo"]),
        undo("batch:undo").alias_of("history:undo"),
        redo("batch:redo").alias_of("history:redo"),
    ]
}

fn undo(event: &'static str) -> Row {
    row(event, limit("history:undo", 10))
        .about("Undoes a batch.")
        .mutates_as(input!(Operation::HistoryUndo { batch: PAST_BATCH }), NEW_BATCH_ID)
        .refuses(UNDO_ERRORS)
        .answers::<wire::UndoneAnswer>()
        .alone()
}

fn redo(event: &'static str) -> Row {
    row(event, limit("history:redo", 10))
        .about("Does an undone batch again.")
        .mutates_as(input!(Operation::HistoryRedo { batch: PAST_BATCH }), NEW_BATCH_ID)
        .refuses(UNDO_ERRORS)
        .answers::<wire::UndoneAnswer>()
        .alone()
}

/// The refusals of undo and redo, followed by those of their inverse steps.
const UNDO_ERRORS: &[graph::Reason] = &[
    BatchNotFound,
    AlreadyUndone,
    NotUndone,
    CannotRestorePurged,
    NoPermission,
    PlanLimit,
    VersionConflict,
    NodeInTrash,
    NodeBlocked,
    LinkInTrash,
    InactiveEnd,
    ForbiddenType,
    ForbiddenPrivate,
    WouldShare,
    DuplicateLink,
    NotPublic,
    HasAccess,
    UsernameTaken,
    DependencyCycle,
];

fn rest() -> Vec<Row> {
    vec![
        row("settings:username", limit("settings:username", 3))
            .about("Changes the username of the caller.")
            .mutates(input!(Operation::SettingsUsername { username: USERNAME }))
            .rest(Put, &["/api/account"])
            .refuses(&[NoPermission, UsernameTaken])
            .alone(),
        row("settings:view", limit("settings:view", 30))
            .about("Stores how the caller's client shows the graph.")
            .mutates(Reading {
                fields: Input::fields(&ViewInput),
                read: |payload| Ok(Operation::Account(Input::read(&ViewInput, payload)?)),
            })
            .rest(Put, &["/api/account/view"])
            .alone(),
        row("ws:ping", limit("ws:ping", 10))
            .about("Asks whether the server is there, and what time it has.")
            .answers::<wire::PongAck>()
            .gives("as an ack; always also the event ws:pong {serverTime}"),
    ]
}
