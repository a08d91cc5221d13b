//! Pages of history: batches with their changes, as far as the reader sees them.

use super::diff::{Actor, LinkPart, LinkSide, NodePart, NodeSide, Nothing, nothing_there};
use super::entity::{Each, Exact, Form, FullLink, Seconds, WholeLink};
use super::shape::{
    self, about, any_of, boolean, list, nullable, object, shape_of, shaped, string, time, uuid, whole,
};
use crate::engine::protocol::PageOfHistory;
use graph::batch::{Change, Entry, Lineage, Subject};
use graph::model::{AccountState, Grant, Level, Link, Node, Plan, Rev, User};
use graph::{BatchId, NodeId, UserId};
use serde::{Serialize, Serializer};
use std::sync::Arc;
use store::PastBatch;
use uuid::Uuid;

/// The batches of a page.
pub(super) struct Batches<'a>(pub &'a PageOfHistory);

impl Serialize for Batches<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Each(&self.0.past.batches, |past| WholeBatch::of(self.0, past)).serialize(serializer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WholeBatch<'a> {
    batch_id: BatchId,
    rev: Rev,
    actor: Option<Actor<'a>>,
    ts: Seconds,
    undone: bool,
    undo_of: Option<BatchId>,
    undone_by: Option<BatchId>,
    redo_of: Option<BatchId>,
    redone_by: Option<BatchId>,
    ops: Ops<'a>,
}

impl<'a> WholeBatch<'a> {
    fn of(page: &'a PageOfHistory, past: &'a PastBatch) -> Self {
        let (undo_of, redo_of) = undo_and_redo(past.batch.lineage);
        WholeBatch {
            batch_id: past.batch.id,
            rev: past.rev,
            actor: past.batch.actor.and_then(|id| page.people.get(&id)).map(|user| Actor::of(user)),
            ts: Seconds(past.batch.at),
            undone: past.undone,
            undo_of,
            undone_by: past.undone_by,
            redo_of,
            redone_by: past.redone_by,
            ops: Ops { page, past },
        }
    }
}

/// A batch's lineage as two fields.
pub(crate) fn undo_and_redo(lineage: Lineage) -> (Option<BatchId>, Option<BatchId>) {
    match lineage {
        Lineage::Fresh => (None, None),
        Lineage::UndoOf(batch) => (Some(batch), None),
        Lineage::RedoOf(batch) => (None, Some(batch)),
    }
}

/// The entries of a batch that the reader sees.
struct Ops<'a> {
    page: &'a PageOfHistory,
    past: &'a PastBatch,
}

impl Serialize for Ops<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.past.batch.entries.iter().enumerate();
        serializer.collect_seq(
            entries
                .filter(|(_, entry)| self.page.reader.sees_entry(entry))
                .filter_map(|(nth, entry)| self.op(nth, entry)),
        )
    }
}

impl<'a> Ops<'a> {
    fn op(&self, nth: usize, entry: &'a Entry) -> Option<OneOp<'a>> {
        let (entity_type, entity_id, version) = match &entry.subject {
            Subject::Node(change) => {
                ("node", change.latest()?.id.0, change.before.as_ref().map(|it| it.version))
            }
            Subject::Link(change) => {
                ("link", change.latest()?.id.0, change.before.as_ref().map(|it| it.version))
            }
            Subject::Grant(change) => {
                ("grant", change.latest()?.node.0, change.before.as_ref().map(|it| it.version))
            }
            Subject::Embed(change) => ("user", change.latest()?.user.0, None),
            Subject::User(change) => ("user", change.latest()?.id.0, None),
            Subject::Token(change) => ("token", change.latest()?.id.0, None),
            Subject::Key(change) => ("key", change.latest()?.id.0, None),
        };
        let side = |forward| Patch { page: self.page, subject: &entry.subject, forward };
        Some(OneOp {
            id: format!("{}:{nth}", self.past.batch.id),
            code: entry.op.code(),
            entity_type,
            entity_id,
            forward_patch: side(true),
            inverse_patch: side(false),
            guard: Guard { version },
            created_time: Seconds(self.past.batch.at),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneOp<'a> {
    id: String,
    #[serde(rename = "type")]
    code: u8,
    entity_type: &'static str,
    entity_id: Uuid,
    forward_patch: Patch<'a>,
    inverse_patch: Patch<'a>,
    guard: Guard,
    created_time: Seconds,
}

/// The changes of a batch for the operator: those of a page of history, each also with whether it only followed
/// from the others and with the owner of the node or link.
pub(crate) struct EveryOp<'a> {
    pub page: &'a PageOfHistory,
    pub past: &'a PastBatch,
}

impl Serialize for EveryOp<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ops = Ops { page: self.page, past: self.past };
        serializer.collect_seq(self.past.batch.entries.iter().enumerate().filter_map(|(nth, entry)| {
            let owner = match &entry.subject {
                Subject::Node(change) => change.latest().map(|node| node.owner),
                Subject::Link(change) => change.latest().map(|link| link.owner),
                _ => None,
            };
            let owner = owner.and_then(|id| self.page.people.get(&id)).map(|user| user.email.as_str());
            Some(OwnedOp { op: ops.op(nth, entry)?, derived: entry.derived, owner })
        }))
    }
}

#[derive(Serialize)]
struct OwnedOp<'a> {
    #[serde(flatten)]
    op: OneOp<'a>,
    derived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
}

/// The version the entity had before.
#[derive(Serialize)]
struct Guard {
    version: Option<u64>,
}

/// The changed fields, after (`forward`) or before.
struct Patch<'a> {
    page: &'a PageOfHistory,
    subject: &'a Subject,
    forward: bool,
}

impl Patch<'_> {
    /// The side to write and the other side.
    fn sides<'c, T>(&self, change: &'c Change<T>) -> (Option<&'c T>, Option<&'c T>) {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        if self.forward { (after, before) } else { (before, after) }
    }

    fn node<S: Serializer>(&self, to: S, change: &Change<Arc<Node>>) -> Result<S::Ok, S::Error> {
        let (Some(this), other) = self.sides(change) else { return Nothing {}.serialize(to) };
        // For an added entity, the fields that differ from their default.
        let blank = Node::new(this.id, this.owner, this.last_batch, this.created, this.seq);
        let level = if self.page.reader.runs(this.id) { Level::Admin } else { Level::Viewer };
        let other = other.map_or(&blank, |other| &**other);
        NodeSide { this, other, level, roots: None }.serialize(to)
    }

    fn link<S: Serializer>(&self, to: S, change: &Change<Arc<Link>>) -> Result<S::Ok, S::Error> {
        match self.sides(change) {
            (Some(this), Some(other)) => LinkSide { this, other, roots: None }.serialize(to),
            (Some(this), None) => WholeLink { link: this, roots: &[], form: Form::Graph }.serialize(to),
            (None, _) => Nothing {}.serialize(to),
        }
    }
}

impl Serialize for Patch<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.subject {
            Subject::Node(change) => self.node(to, change),
            Subject::Link(change) => self.link(to, change),
            Subject::Grant(change) => match self.sides(change).0 {
                Some(grant) => GrantPatch::of(grant, self.email(grant.user)).serialize(to),
                None => Nothing {}.serialize(to),
            },
            Subject::Embed(change) => {
                let node = self.sides(change).0.map(|embed| embed.node);
                EmbedPatch { public_embed: node }.serialize(to)
            }
            Subject::User(change) => match self.sides(change) {
                (Some(this), other) => UserPatch::of(this, other.map(|other| &**other)).serialize(to),
                (None, _) => Nothing {}.serialize(to),
            },
            Subject::Token(_) | Subject::Key(_) => Nothing {}.serialize(to),
        }
    }
}

impl Patch<'_> {
    fn email(&self, user: UserId) -> Option<&str> {
        self.page.people.get(&user).map(|user: &Arc<User>| user.email.as_str())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GrantPatch<'a> {
    node_id: NodeId,
    email: Option<&'a str>,
    level: Level,
    branch: bool,
    due: Option<Exact>,
    showing: bool,
}

impl<'a> GrantPatch<'a> {
    fn of(grant: &Grant, email: Option<&'a str>) -> Self {
        GrantPatch {
            node_id: grant.node,
            email,
            level: grant.level,
            branch: grant.branch,
            due: grant.due.map(Exact),
            showing: grant.showing,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EmbedPatch {
    public_embed: Option<NodeId>,
}

/// The fields of an account in which two sides differ; of one that was opened, its username.
#[derive(Serialize)]
struct UserPatch<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Plan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<AccountState>,
}

impl<'a> UserPatch<'a> {
    fn of(this: &'a User, other: Option<&User>) -> Self {
        let differs = |differs: fn(&User, &User) -> bool| other.is_some_and(|other| differs(this, other));
        let renamed = other.is_none_or(|other| other.username != this.username);
        UserPatch {
            username: renamed.then_some(&this.username),
            email: differs(|a, b| a.email != b.email).then_some(&this.email),
            plan: differs(|a, b| a.plan != b.plan).then_some(this.plan),
            state: differs(|a, b| a.state != b.state).then_some(this.state),
        }
    }
}

shaped!(WholeBatch<'_>, "HistoryBatch", |to| {
    let batch = |about_it: &str| about(nullable(uuid()), about_it);
    object(
        "A batch of the past, as far as the reader sees it.",
        [
            ("batchId", uuid()),
            ("rev", about(whole(), "Where it stands in the order of all batches.")),
            ("actor", any_of([shape_of::<Actor<'_>>(to), nothing_there()])),
            ("ts", time()),
            ("undone", boolean()),
            ("undoOf", batch("The batch that it undid.")),
            ("undoneBy", batch("The batch that undid it.")),
            ("redoOf", batch("The batch that it redid.")),
            ("redoneBy", batch("The batch that redid it.")),
            ("ops", list(shape_of::<OneOp<'_>>(to))),
        ],
    )
});

shaped!(OneOp<'_>, "HistoryOp", |to| object(
    "One change of a batch.",
    [
        ("id", string()),
        ("type", about(whole(), "The code of the operation, as in a diff.")),
        (
            "entityType",
            schemars::json_schema!({ "type": "string", "enum": ["node", "link", "grant", "user", "token", "key"] }),
        ),
        ("entityId", uuid()),
        ("forwardPatch", about(shape_of::<Patch<'_>>(to), "The changed fields as they became.")),
        ("inversePatch", about(shape_of::<Patch<'_>>(to), "The changed fields as they were.")),
        ("guard", object("What the entity had before.", [("version", nullable(whole()))])),
        ("createdTime", time()),
    ],
));

shaped!(Patch<'_>, "HistoryPatch", |to| any_of([
    shape_of::<NodePart>(to),
    shape_of::<FullLink>(to),
    shape_of::<LinkPart>(to),
    object(
        "A grant.",
        [
            ("nodeId", uuid()),
            ("email", nullable(string())),
            ("level", shape::granted_level()),
            ("branch", boolean()),
            ("due", nullable(time())),
            ("showing", boolean()),
        ],
    ),
    object("An embedded publication.", [("publicEmbed", nullable(uuid()))]),
    object(
        "The changed fields of an account.",
        [("username?", string()), ("email?", string()), ("plan?", shape::plan()), ("state?", string()),],
    ),
]));
