//! A batch: one decided mutation, as it is applied to a [`World`](crate::World), stored and sent.

use crate::id::{BatchId, NodeId, UserId};
use crate::model::{Embed, Grant, Key, Link, Node, Rev, Token, User};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// What an entry did. The numbers are the operation codes on the wire and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[allow(missing_docs)] // the names say it
pub enum Op {
    NodeAdd = 0,
    NodeUpdate = 1,
    NodeStatus = 2,
    NodeTrash = 3,
    NodeRestore = 4,
    NodeDelete = 5,
    NodePublish = 6,
    /// Sent, never stored: a node came into the receiver's view.
    NodeShow = 7,
    /// Sent, never stored: a node left the receiver's view.
    NodeHide = 8,
    /// Sent, never stored: the receiver's access to a node they keep changed.
    NodeAccess = 9,
    LinkAdd = 10,
    LinkUpdate = 11,
    LinkTrash = 12,
    LinkRestore = 13,
    LinkDelete = 14,
    LinkSwap = 15,
    /// Sent, never stored: a link came into the receiver's view.
    LinkShow = 17,
    /// Sent, never stored: a link left the receiver's view.
    LinkHide = 18,
    GrantUpsert = 20,
    GrantUpdate = 21,
    GrantDelete = 22,
    UserUpdate = 30,
    /// Stored, never sent: an account was created.
    UserAdd = 31,
    /// Stored, never sent: an API token was created, rotated or revoked.
    TokenUpdate = 32,
    /// Stored, never sent: an account was removed.
    UserRemove = 33,
    /// Stored, never sent: a session began or ended.
    SessionUpdate = 34,
    /// Stored, never sent: how a user signs in was changed: their password, or who they are at an identity provider.
    SignInUpdate = 35,
    /// Stored, never sent: a one-time key was issued, used or revoked.
    KeyUpdate = 36,
    /// Stored, never sent, no history: a user's view settings were changed.
    ViewUpdate = 37,
    /// Stored, never sent: an account was closed or opened again, or became an administrator's or no longer is.
    AccountUpdate = 38,
}

const OPS: [Op; 30] = [
    Op::NodeAdd,
    Op::NodeUpdate,
    Op::NodeStatus,
    Op::NodeTrash,
    Op::NodeRestore,
    Op::NodeDelete,
    Op::NodePublish,
    Op::NodeShow,
    Op::NodeHide,
    Op::NodeAccess,
    Op::LinkAdd,
    Op::LinkUpdate,
    Op::LinkTrash,
    Op::LinkRestore,
    Op::LinkDelete,
    Op::LinkSwap,
    Op::LinkShow,
    Op::LinkHide,
    Op::GrantUpsert,
    Op::GrantUpdate,
    Op::GrantDelete,
    Op::UserUpdate,
    Op::UserAdd,
    Op::TokenUpdate,
    Op::UserRemove,
    Op::SessionUpdate,
    Op::SignInUpdate,
    Op::KeyUpdate,
    Op::ViewUpdate,
    Op::AccountUpdate,
];

impl Op {
    /// The code on the wire.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Whether only the operator's history shows it, or none: no user is ever sent it.
    pub fn is_internal(self) -> bool {
        match self {
            Op::UserAdd
            | Op::TokenUpdate
            | Op::SessionUpdate
            | Op::SignInUpdate
            | Op::KeyUpdate
            | Op::ViewUpdate
            | Op::AccountUpdate => true,
            Op::NodeAdd
            | Op::NodeUpdate
            | Op::NodeStatus
            | Op::NodeTrash
            | Op::NodeRestore
            | Op::NodeDelete
            | Op::NodePublish
            | Op::NodeShow
            | Op::NodeHide
            | Op::NodeAccess
            | Op::LinkAdd
            | Op::LinkUpdate
            | Op::LinkTrash
            | Op::LinkRestore
            | Op::LinkDelete
            | Op::LinkSwap
            | Op::LinkShow
            | Op::LinkHide
            | Op::GrantUpsert
            | Op::GrantUpdate
            | Op::GrantDelete
            | Op::UserUpdate
            | Op::UserRemove => false,
        }
    }
}

impl From<Op> for u8 {
    fn from(op: Op) -> u8 {
        op.code()
    }
}

impl TryFrom<u8> for Op {
    type Error = &'static str;
    fn try_from(code: u8) -> Result<Self, Self::Error> {
        OPS.into_iter().find(|op| op.code() == code).ok_or("not an operation code")
    }
}

/// An entity before and after an entry: `None` before it was added, or after it was deleted for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change<T> {
    /// The entity before; `None` when the entry made it.
    pub before: Option<T>,
    /// The entity after; `None` when the entry deleted it for good.
    pub after: Option<T>,
}

impl<T> Change<T> {
    /// The entity after the entry, or its last state if it was deleted.
    pub fn latest(&self) -> Option<&T> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// The entity that an entry changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A node.
    Node(Change<Arc<Node>>),
    /// A link.
    Link(Change<Arc<Link>>),
    /// A grant.
    Grant(Change<Arc<Grant>>),
    /// An embed.
    Embed(Change<Embed>),
    /// A user: an account added, changed or removed.
    User(Change<Arc<User>>),
    /// A token: of a program, or a session.
    Token(Change<Arc<Token>>),
    /// A one-time key.
    Key(Change<Arc<Key>>),
}

impl Subject {
    /// The nodes concerned: the node itself, a link's ends, or the node of a grant or an embed.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        let nodes = match self {
            Subject::Node(change) => [change.latest().map(|node| node.id), None],
            Subject::Link(change) => {
                let link = change.latest();
                [link.map(|link| link.source), link.map(|link| link.target)]
            }
            Subject::Grant(change) => [change.latest().map(|grant| grant.node), None],
            Subject::Embed(change) => [change.latest().map(|embed| embed.node), None],
            Subject::User(_) | Subject::Token(_) | Subject::Key(_) => [None, None],
        };
        nodes.into_iter().flatten()
    }
}

/// One change to one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What was done.
    pub op: Op,
    /// True for what followed by the rules (blocking, cascades), false for what the caller meant.
    pub derived: bool,
    /// What it was done to.
    pub subject: Subject,
    /// Of a node or link that was made as a copy, the id of what it copies.
    pub copy_of: Option<Uuid>,
}

/// How a batch relates to an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lineage {
    /// A mutation of its own.
    #[default]
    Fresh,
    /// An undo of that batch.
    UndoOf(BatchId),
    /// A redo of that batch.
    RedoOf(BatchId),
}

/// One mutation, all or nothing: what was changed, by whom and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Unique among the batches that are still kept.
    pub id: BatchId,
    /// `None` for the command line (accounts and tokens).
    pub actor: Option<UserId>,
    /// The guest as which the actor's branch token acted: it was decided by what the guest sees and may do.
    pub guest: Option<UserId>,
    /// When it was decided, in milliseconds; the order of batches is that of revs alone.
    pub at: Timestamp,
    /// How it relates to an earlier batch.
    pub lineage: Lineage,
    /// In order: causes before effects. Empty only for a remembered request that changed nothing.
    pub entries: Vec<Entry>,
}

impl Batch {
    /// By whose view and access it was decided: the actor's, or those of the guest as which their token acted.
    pub fn caller(&self) -> Option<UserId> {
        self.guest.or(self.actor)
    }

    /// Whether a user made it: themselves, by a token of theirs, or as the guest of one.
    pub fn is_by(&self, user: UserId) -> bool {
        self.actor == Some(user) || self.guest == Some(user) || self.is_view_of(user)
    }

    /// Whether it changed the user's view settings. They are kept without their user as the actor.
    pub fn is_view_of(&self, user: UserId) -> bool {
        let of = |entry: &Entry| match &entry.subject {
            Subject::User(change) => change.latest().map(|user| user.id),
            _ => None,
        };
        self.actor == Some(UserId::VIEWS) && self.entries.iter().any(|entry| of(entry) == Some(user))
    }
}

/// A batch with its position in the order of commits.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    /// Its place in the order of commits.
    pub rev: Rev,
    /// What was committed.
    pub batch: Batch,
}
