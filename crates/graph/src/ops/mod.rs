//! The operations. Each is a function from the World and its input to a batch or a refusal.
//!
//! Every operation checks in the same order: visibility, permission, state, cycles. The first check that fails
//! decides the answer. The form of payloads has been checked before.

mod account;
mod apply;
mod duplicate;
mod email;
mod guest;
mod key;
mod link;
mod node;
mod person;
mod session;
mod share;
mod trash;
mod undo;
mod user;

use crate::access;
use crate::batch::{Batch, Lineage};
use crate::draft::Draft;
use crate::id::{BatchId, IdSupply, LinkId, NodeId, TokenId, UserId};
use crate::model::{Level, Node, TokenHash};
use crate::refusal::{Reason, Refusal};
use crate::world::{Graph, World};
use std::sync::Arc;
use uuid::Uuid;

pub use account::{
    TOKEN_NAME_CHARS_MAX, TOKENS_MAX, TokenCreate, TokenSet, USERNAME_CHARS, is_token_name, is_username,
};
pub use apply::{OPERATIONS_MAX, apply, may_be_part};
pub use duplicate::{COPIES_MAX, NodeDuplicate};
pub use email::{EMAIL_CHARS_MAX, is_email};
pub use key::is_in_force;
pub use link::{LinkAdd, LinkUpdate};
pub use node::{NodeAdd, NodeUpdate};
pub use person::{
    AccountOperation, CAMERA_BYTES_MAX, CLOSING_GRACE_MS, IDENTITIES_MAX, PasswordSet, Register, ViewSet,
};
pub use session::{AGENT_CHARS_MAX, NewSession, SESSIONS_MAX, SessionStart, SessionsEnded};
pub use share::{AccessAdd, AccessUpdate, NodePublish, NodePublishUpdate};
pub use undo::{Chain, UndoKind, undo_or_redo};
pub use user::{Belongings, UserAdd, UserSet};

/// How a caller names a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// By its node.
    Node(NodeId),
    /// By its public token.
    Token(String),
}

/// Everything that changes a World, with its input in the domain's terms. An operation with more than two inputs
/// has them as a struct, which its function takes whole.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // the fields are those of the operations' payloads
pub enum Operation {
    NodeAdd(NodeAdd),
    NodeUpdate(NodeUpdate),
    NodeTrash {
        id: NodeId,
        /// Whether the node's branch goes with it, as far as the caller may edit it.
        branch: bool,
    },
    NodeDuplicate(NodeDuplicate),
    NodeRestore {
        id: NodeId,
    },
    NodeDelete {
        id: NodeId,
    },
    TrashPurge {
        ids: Option<Vec<Uuid>>,
    },
    /// Takes what went to the trash together, and is still there, out of it.
    TrashRestore {
        batch: BatchId,
    },
    LinkAdd(LinkAdd),
    LinkUpdate(LinkUpdate),
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
    NodePublish(NodePublish),
    NodePublishUpdate(NodePublishUpdate),
    NodeUnpublish {
        id: NodeId,
    },
    NodeEmbed {
        root: Root,
    },
    NodeUnembed {
        root: Root,
    },
    AccessAdd(AccessAdd),
    AccessUpdate(AccessUpdate),
    AccessDelete {
        id: NodeId,
        email: String,
    },
    AccessVisibility {
        id: NodeId,
        showing: bool,
    },
    /// Several operations as one batch; decided by [`apply`], which needs the World to itself.
    GraphApply {
        operations: Vec<Operation>,
    },
    SettingsUsername {
        username: String,
    },
    /// Undoes what the batch meant; decided by [`undo_or_redo`], which needs the batch itself.
    HistoryUndo {
        batch: BatchId,
    },
    /// Redoes what the batch meant; decided by [`undo_or_redo`].
    HistoryRedo {
        batch: BatchId,
    },
    /// By the operator or an administrator: adds an account.
    UserAdd(UserAdd),
    /// By the operator or an administrator: changes an account.
    UserSet(UserSet),
    /// By the operator or an administrator: disables an account until it is enabled again.
    UserDisable {
        user: UserId,
    },
    /// By the operator or an administrator: enables an account again.
    UserEnable {
        user: UserId,
    },
    /// By the operator or an administrator: removes an account for good.
    UserRemove {
        user: UserId,
    },
    /// By the operator or its owner: a new API token.
    TokenCreate(TokenCreate),
    /// By the operator or its owner: changes an API token.
    TokenSet(TokenSet),
    /// By the operator or their owner: revokes API tokens, all at once.
    TokenRevoke {
        ids: Vec<TokenId>,
    },
    /// By the operator or its owner: a new secret for an API token, which keeps its id and name.
    TokenRotate {
        id: TokenId,
        hash: TokenHash,
    },
    /// How people sign in, and what they do with their own account.
    Account(Box<AccountOperation>),
}

/// Decides an operation on the current World. The World is not changed: [`World::apply`] applies the batch. A batch
/// without entries means that nothing changes.
///
/// `actor` is `None` for the operator's operations, and for what the server itself does with accounts. `batch` is the new batch's id: the client's own or
/// a random one. New entities take their ids from `ids`.
pub fn decide(
    world: &World,
    actor: Option<UserId>,
    operation: &Operation,
    batch: BatchId,
    ids: &mut dyn IdSupply,
) -> Result<Batch, Refusal> {
    let mut draft = Draft::new(world, batch, actor);
    match actor {
        Some(caller) => decide_for(&mut draft, caller, operation, ids)?,
        None => decide_for_operator(&mut draft, operation, ids)?,
    }
    draft.set_lineage(Lineage::Fresh);
    let mut batch = draft.finish();
    if let Operation::Account(operation) = operation {
        batch.actor = person::kept_actor(operation, &batch);
    }
    Ok(batch)
}

fn decide_for(
    draft: &mut Draft<'_>,
    caller: UserId,
    operation: &Operation,
    ids: &mut dyn IdSupply,
) -> Result<(), Refusal> {
    use Operation as O;
    match operation {
        O::NodeAdd(new) => node::add(draft, caller, new, ids),
        O::NodeUpdate(update) => node::update(draft, caller, update),
        O::NodeTrash { id, branch } => node::trash(draft, caller, *id, *branch),
        O::NodeDuplicate(asked) => duplicate::duplicate(draft, caller, asked, ids),
        O::NodeRestore { id } => node::restore(draft, caller, *id),
        O::NodeDelete { id } => trash::node_delete(draft, caller, *id),
        O::TrashPurge { ids: named } => trash::purge(draft, caller, named.as_deref()),
        O::TrashRestore { batch } => trash::restore(draft, caller, *batch),
        O::LinkAdd(new) => link::add(draft, caller, new, ids),
        O::LinkUpdate(update) => link::update(draft, caller, update),
        O::LinkSwap { id } => link::swap(draft, caller, *id),
        O::LinkTrash { id } => link::trash(draft, caller, *id),
        O::LinkRestore { id } => link::restore(draft, caller, *id),
        O::LinkDelete { id } => trash::link_delete(draft, caller, *id),
        O::NodePublish(publish) => share::publish(draft, caller, publish, ids),
        O::NodePublishUpdate(update) => share::publish_update(draft, caller, update),
        O::NodeUnpublish { id } => share::unpublish(draft, caller, *id),
        O::NodeEmbed { root } => share::embed(draft, caller, root),
        O::NodeUnembed { root } => share::unembed(draft, caller, root),
        O::AccessAdd(new) => share::access_add(draft, caller, new),
        O::AccessUpdate(update) => share::access_update(draft, caller, update),
        O::AccessDelete { id, email } => share::access_delete(draft, caller, *id, email),
        O::AccessVisibility { id, showing } => share::visibility(draft, caller, *id, *showing),
        O::SettingsUsername { username } => account::rename(draft, caller, username),
        O::GraphApply { .. } => Err(Reason::UnknownOperation.into()),
        O::HistoryUndo { .. } | O::HistoryRedo { .. } => Err(Reason::BatchNotFound.into()),
        // A branch token is not for the account.
        _ if draft.world().is_guest(caller) => Err(Reason::NoPermission.into()),
        O::TokenCreate(token) => account::token_create(draft, token),
        O::TokenSet(asked) => account::token_set(draft, asked),
        O::TokenRevoke { ids } => account::token_revoke(draft, ids),
        O::TokenRotate { id, hash } => account::token_rotate(draft, *id, *hash),
        O::Account(operation) => person::decide(draft, operation, ids),
        O::UserAdd(_)
        | O::UserSet(_)
        | O::UserDisable { .. }
        | O::UserEnable { .. }
        | O::UserRemove { .. } => {
            let admin = draft.world().user(caller).is_some_and(|slot| slot.user.admin);
            refuse_if(!admin, Reason::NoPermission)?;
            decide_for_operator(draft, operation, ids)
        }
    }
}

/// Decides what the operator asks for, or an administrator.
fn decide_for_operator(
    draft: &mut Draft<'_>,
    operation: &Operation,
    ids: &mut dyn IdSupply,
) -> Result<(), Refusal> {
    use Operation as O;
    match operation {
        O::UserAdd(new) => user::add(draft, new, ids),
        O::UserSet(asked) => user::set(draft, asked),
        O::UserDisable { user } => user::set_disabled(draft, *user, true),
        O::UserEnable { user } => user::set_disabled(draft, *user, false),
        O::UserRemove { user } => user::remove(draft, *user, ids),
        O::TokenCreate(token) => account::token_create(draft, token),
        O::TokenSet(asked) => account::token_set(draft, asked),
        O::TokenRevoke { ids } => account::token_revoke(draft, ids),
        O::TokenRotate { id, hash } => account::token_rotate(draft, *id, *hash),
        O::Account(operation) => person::decide(draft, operation, ids),
        _ => Err(Reason::NoPermission.into()),
    }
}

/// A node that the caller sees (by placement in the trash) and their access to it. What they do not see does not
/// exist.
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

/// A node that the caller sees and has at least the needed access to.
fn seen_with(draft: &Draft<'_>, caller: UserId, id: NodeId, needed: Level) -> Result<Arc<Node>, Refusal> {
    let (node, level) = seen(draft, caller, id, Reason::NodeNotFound)?;
    if level > needed {
        return Err(Reason::NoPermission.into());
    }
    Ok(Arc::clone(node))
}

/// Refuses a branch token what would be of the guest's own, and nobody's once the token is gone.
fn refuse_guest(draft: &Draft<'_>, caller: UserId) -> Result<(), Refusal> {
    refuse_if(draft.world().is_guest(caller), Reason::NoPermission)
}

fn refuse_if(condition: bool, reason: Reason) -> Result<(), Refusal> {
    if condition { Err(reason.into()) } else { Ok(()) }
}
