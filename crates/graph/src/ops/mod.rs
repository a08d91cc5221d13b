//! The operations: each a function from the World and what is asked to a batch or a refusal.
//!
//! Every operation checks in the same order – what it sees, what it may, how things stand, cycles – and the first check
//! that fails answers. Payloads have been checked for form before they get here.

mod account;
mod email;
mod link;
mod node;
mod share;
mod trash;
mod undo;

use crate::access;
use crate::batch::{Batch, Lineage};
use crate::draft::Draft;
use crate::id::{BatchId, IdSupply, LinkId, NodeId, TokenId, UserId};
use crate::model::{Level, LinkType, Node, Plan, Status, TokenHash};
use crate::refusal::{Reason, Refusal};
use crate::time::Timestamp;
use crate::world::{Graph, World};
use std::sync::Arc;
use uuid::Uuid;

pub use account::{USERNAME_CHARS, is_username};
pub use email::{EMAIL_CHARS_MAX, is_email};
pub use undo::{Chain, UndoKind, undo_or_redo};

/// The mutable fields of a node; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeFields {
    pub title: Option<String>,
    pub description: Option<String>,
    /// Never `Blocked`.
    pub status: Option<Status>,
    /// `Some(None)` clears.
    pub due_date: Option<Option<Timestamp>>,
    pub tags: Option<Vec<String>>,
    pub priority: Option<u8>,
    pub volume: Option<u8>,
    pub independent: Option<bool>,
    pub assignee: Option<Vec<String>>,
    pub x: Option<f64>,
    pub y: Option<f64>,
    pub z: Option<f64>,
    pub pinned: Option<bool>,
    pub collapsed: Option<bool>,
}

/// How a caller names a published branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// By its node.
    Node(NodeId),
    /// By its public token.
    Token(String),
}

/// Everything that changes a World, with its input in the domain's terms.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // the fields are those of the operations' payloads
pub enum Operation {
    NodeAdd {
        id: Option<NodeId>,
        target: Option<NodeId>,
        fields: Box<NodeFields>,
    },
    NodeUpdate {
        id: NodeId,
        fields: Box<NodeFields>,
        version: Option<u64>,
    },
    NodeTrash {
        id: NodeId,
    },
    NodeRestore {
        id: NodeId,
    },
    NodeDelete {
        id: NodeId,
    },
    TrashPurge {
        ids: Option<Vec<Uuid>>,
    },
    LinkAdd {
        id: Option<LinkId>,
        source: NodeId,
        target: NodeId,
        kind: LinkType,
        private: bool,
    },
    LinkUpdate {
        id: LinkId,
        kind: Option<LinkType>,
        private: Option<bool>,
    },
    LinkSwap {
        id: LinkId,
    },
    LinkTrash {
        id: LinkId,
    },
    LinkRestore {
        id: LinkId,
    },
    LinkDelete {
        id: LinkId,
    },
    NodePublish {
        id: NodeId,
        branch: bool,
        due: Option<Timestamp>,
    },
    NodePublishUpdate {
        id: NodeId,
        branch: Option<bool>,
        due: Option<Option<Timestamp>>,
    },
    NodeUnpublish {
        id: NodeId,
    },
    NodeEmbed {
        root: Root,
    },
    NodeUnembed {
        root: Root,
    },
    AccessAdd {
        id: NodeId,
        email: String,
        level: Level,
        branch: bool,
        due: Option<Timestamp>,
    },
    AccessUpdate {
        id: NodeId,
        email: String,
        level: Option<Level>,
        branch: Option<bool>,
        due: Option<Option<Timestamp>>,
    },
    AccessDelete {
        id: NodeId,
        email: String,
    },
    AccessVisibility {
        id: NodeId,
        showing: bool,
    },
    SettingsUsername {
        username: String,
    },
    /// Takes back what the batch meant; decided by [`turn`], which needs the batch itself.
    HistoryUndo {
        batch: BatchId,
    },
    /// Brings back what the batch meant; decided by [`turn`].
    HistoryRedo {
        batch: BatchId,
    },
    /// The command line's: opens an account.
    UserAdd {
        email: String,
        username: String,
        plan: Plan,
    },
    /// The command line's: a new API token for a user. Id and secret are made where the secret is shown.
    TokenCreate {
        id: TokenId,
        user: UserId,
        name: String,
        hash: TokenHash,
    },
    /// The command line's: ends API tokens, all at once.
    TokenRevoke {
        ids: Vec<TokenId>,
    },
}

/// Decides an operation on the World as it is now. The World is not changed: the batch is what
/// [`World::apply`] makes of it. A batch without entries means that there was nothing to change.
///
/// `actor` is `None` for the command line's operations only. `batch` is the new batch's id: the client's own name for it,
/// or a random one. The ids of what the operation makes come from `ids`.
pub fn decide(
    world: &World,
    actor: Option<UserId>,
    operation: &Operation,
    batch: BatchId,
    ids: &mut dyn IdSupply,
) -> Result<Batch, Refusal> {
    let mut draft = Draft::new(world, batch, actor);
    match operation {
        Operation::UserAdd { email, username, plan } => {
            account::user_add(&mut draft, email, username, *plan, ids)?;
        }
        Operation::TokenCreate { id, user, name, hash } => {
            account::token_create(&mut draft, *id, *user, name, *hash)?;
        }
        Operation::TokenRevoke { ids } => account::token_revoke(&mut draft, ids)?,
        _ => {
            let caller = actor.ok_or(Reason::NoPermission)?;
            decide_for(&mut draft, caller, operation, ids)?;
        }
    }
    draft.set_lineage(Lineage::Fresh);
    Ok(draft.finish())
}

fn decide_for(
    draft: &mut Draft<'_>,
    caller: UserId,
    operation: &Operation,
    ids: &mut dyn IdSupply,
) -> Result<(), Refusal> {
    use Operation as O;
    match operation {
        O::NodeAdd { id, target, fields } => node::add(draft, caller, *id, *target, fields, ids),
        O::NodeUpdate { id, fields, version } => node::update(draft, caller, *id, fields, *version),
        O::NodeTrash { id } => node::trash(draft, caller, *id),
        O::NodeRestore { id } => node::restore(draft, caller, *id),
        O::NodeDelete { id } => trash::node_delete(draft, caller, *id),
        O::TrashPurge { ids: named } => trash::purge(draft, caller, named.as_deref()),
        O::LinkAdd { id, source, target, kind, private } => {
            let new = link::New { id: *id, source: *source, target: *target, kind: *kind, private: *private };
            link::add(draft, caller, &new, ids)
        }
        O::LinkUpdate { id, kind, private } => link::update(draft, caller, *id, *kind, *private),
        O::LinkSwap { id } => link::swap(draft, caller, *id),
        O::LinkTrash { id } => link::trash(draft, caller, *id),
        O::LinkRestore { id } => link::restore(draft, caller, *id),
        O::LinkDelete { id } => trash::link_delete(draft, caller, *id),
        O::NodePublish { id, branch, due } => share::publish(draft, caller, *id, *branch, *due, ids),
        O::NodePublishUpdate { id, branch, due } => share::publish_update(draft, caller, *id, *branch, *due),
        O::NodeUnpublish { id } => share::unpublish(draft, caller, *id),
        O::NodeEmbed { root } => share::embed(draft, caller, root),
        O::NodeUnembed { root } => share::unembed(draft, caller, root),
        O::AccessAdd { id, email, level, branch, due } => {
            let given = share::Given { level: *level, branch: *branch, due: *due };
            share::access_add(draft, caller, *id, email, &given)
        }
        O::AccessUpdate { id, email, level, branch, due } => {
            let changes = share::Changes { level: *level, branch: *branch, due: *due };
            share::access_update(draft, caller, *id, email, &changes)
        }
        O::AccessDelete { id, email } => share::access_delete(draft, caller, *id, email),
        O::AccessVisibility { id, showing } => share::visibility(draft, caller, *id, *showing),
        O::SettingsUsername { username } => account::rename(draft, caller, username),
        O::HistoryUndo { .. } | O::HistoryRedo { .. } => Err(Reason::BatchNotFound.into()),
        O::UserAdd { .. } | O::TokenCreate { .. } | O::TokenRevoke { .. } => Err(Reason::NoPermission.into()),
    }
}

/// A node the caller sees, in the trash by its placement, and their access to it. What they do not see does not exist.
fn seen<'d>(
    draft: &'d Draft<'_>,
    caller: UserId,
    id: NodeId,
    missing: Reason,
) -> Result<(&'d Arc<Node>, Level), Refusal> {
    let level = access::placement(draft, caller, id).ok_or(missing)?;
    let node = draft.node(id).ok_or(missing)?;
    Ok((node, level))
}

/// A node the caller sees and has at least the needed access to.
fn seen_with(draft: &Draft<'_>, caller: UserId, id: NodeId, needed: Level) -> Result<Arc<Node>, Refusal> {
    let (node, level) = seen(draft, caller, id, Reason::NodeNotFound)?;
    if level > needed {
        return Err(Reason::NoPermission.into());
    }
    Ok(Arc::clone(node))
}

fn refuse_if(condition: bool, reason: Reason) -> Result<(), Refusal> {
    if condition { Err(reason.into()) } else { Ok(()) }
}
