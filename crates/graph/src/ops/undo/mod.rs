//! Undo and redo: the inverse of what a batch meant, decided like any operation. Derived entries are not replayed
//! but derived anew, and completions that the batch's cascade ended are given back.

mod carry_out;
mod completions;
mod overtaken;
mod permission;
mod steps;

use super::{link, refuse_if};
use crate::access::{placement, sees_link};
use crate::batch::{Batch, Lineage, Op};
use crate::draft::Draft;
use crate::history_view::sees_batch;
use crate::id::{BatchId, IdSupply, LinkId, NodeId, UserId};
use crate::model::{Embed, Grant, Link, Node, Status, User};
use crate::refusal::{Reason, Refusal};
use crate::world::{Graph, World};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A batch with all its undos and redos: one chain with one state.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The batch that began it.
    pub root: Batch,
    /// Whether the latest undo or redo of the chain was an undo.
    pub undone: bool,
    /// Whether the named batch is one of the undos: undoing it is a redo.
    pub names_undo: bool,
    /// The latest undo or redo; `None` when there is none, or when it is no longer kept.
    pub latest: Option<Batch>,
}

/// The direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoKind {
    /// Takes a chain back; named by one of its undos, brings it back.
    Undo,
    /// Brings a chain back.
    Redo,
}

/// Decides an undo or redo on the World as it is now. `batch` is the new batch's id.
///
/// # Errors
/// The first that applies: `batch_not_found`, `already_undone` or `not_undone`, `cannot_restore_purged`, the
/// `forbidden` ones, `version_conflict` with what has been changed since, and the refusals of the steps.
pub fn undo_or_redo(
    world: &World,
    caller: UserId,
    chain: &Chain,
    asked: UndoKind,
    batch: BatchId,
    ids: &mut dyn IdSupply,
) -> Result<Batch, Refusal> {
    refuse_if(!sees_batch(world, caller, &chain.root), Reason::BatchNotFound)?;
    // Redo applies the chain, whichever of its batches is named. Undoing an undo does the same.
    let backward = asked == UndoKind::Undo && !chain.names_undo;
    refuse_if(backward && chain.undone, Reason::AlreadyUndone)?;
    refuse_if(!backward && !chain.undone, Reason::NotUndone)?;
    let steps = steps::steps(&chain.root, backward);
    let mut draft = Draft::new(world, batch, Some(caller));
    refuse_purged(world, caller, chain, &steps)?;
    check_permissions(&draft, caller, &steps)?;
    refuse_changed(&draft, caller, &steps)?;
    let mut unsettled = Vec::new();
    carry_out::carry_out(&mut draft, &steps, ids, &mut unsettled)?;
    for id in steps.iter().filter_map(Step::link).collect::<BTreeSet<_>>() {
        carry_out::judge_link(&draft, caller, id)?;
    }
    refuse_cycles(&draft, caller, &steps)?;
    completions::give_back(&mut draft, chain, &steps, unsettled);
    refuse_if(steps.iter().any(|step| step.is_held_back(&draft)), Reason::NodeBlocked)?;
    // A batch that came to nothing has nothing to be turned, and its chain stays as it is.
    if !draft.is_empty() {
        let id = chain.root.id;
        draft.set_lineage(if backward { Lineage::UndoOf(id) } else { Lineage::RedoOf(id) });
    }
    Ok(draft.finish())
}

/// Refuses steps that the caller may not carry out: first for access that they lack, then for their plan.
fn check_permissions(draft: &Draft<'_>, caller: UserId, steps: &[Step<'_>]) -> Result<(), Refusal> {
    let refusals = steps.iter().filter_map(|step| step.check_permission(draft, caller).err());
    match refusals.min_by_key(|refusal| refusal.reason != Reason::NoPermission) {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

/// One meant change of a batch, in the direction of the undo or redo: its expected current state and its new state.
enum Step<'b> {
    NodeFields {
        from: &'b Node,
        to: &'b Node,
    },
    NodeStatus {
        from: &'b Node,
        to: &'b Node,
    },
    NodeTrash {
        id: NodeId,
    },
    NodeRestore {
        id: NodeId,
    },
    NodePublication {
        from: &'b Node,
        to: &'b Node,
    },
    LinkFields {
        op: Op,
        from: &'b Link,
        to: &'b Link,
    },
    LinkTrash {
        id: LinkId,
        was_in_trash: bool,
    },
    LinkRestore {
        id: LinkId,
    },
    Grant {
        from: Option<&'b Arc<Grant>>,
        to: Option<&'b Arc<Grant>>,
    },
    Embed {
        embed: Embed,
        present: bool,
    },
    Username {
        from: &'b User,
        to: &'b User,
    },
    /// Deleted for good, or not made by a user: it cannot be inverted.
    None {
        node: Option<NodeId>,
        link: Option<LinkId>,
    },
}

impl Step<'_> {
    fn node(&self) -> Option<NodeId> {
        match self {
            Step::NodeFields { to, .. } | Step::NodeStatus { to, .. } | Step::NodePublication { to, .. } => {
                Some(to.id)
            }
            Step::NodeTrash { id } | Step::NodeRestore { id } => Some(*id),
            Step::Grant { from, to } => from.or(*to).map(|grant| grant.node),
            Step::Embed { embed, .. } => Some(embed.node),
            Step::None { node, .. } => *node,
            _ => None,
        }
    }

    /// Whom the grant is for that it gives or takes.
    fn grantee(&self) -> Option<UserId> {
        match self {
            Step::Grant { from, to } => from.or(*to).map(|grant| grant.user),
            _ => None,
        }
    }

    fn link(&self) -> Option<LinkId> {
        match self {
            Step::LinkFields { to, .. } => Some(to.id),
            Step::LinkTrash { id, .. } | Step::LinkRestore { id, .. } => Some(*id),
            Step::None { link, .. } => *link,
            _ => None,
        }
    }

    /// The id of what it changes, if the caller sees it.
    fn name_for(&self, draft: &Draft<'_>, caller: UserId) -> Option<String> {
        let level = |id| placement(draft, caller, id);
        let node = self.node().filter(|id| level(*id).is_some());
        let link = self.link().and_then(|id| draft.link(id));
        let link = link.filter(|link| sees_link(caller, link, level(link.source), level(link.target)));
        node.map(|id| id.to_string()).or(link.map(|link| link.id.to_string()))
    }
}

/// Refuses when an entity was deleted for good. The message names it only to the actor of the batch, who knew it.
fn refuse_purged(world: &World, caller: UserId, chain: &Chain, steps: &[Step<'_>]) -> Result<(), Refusal> {
    let missing_node = |id: &NodeId| world.node(*id).is_none();
    let missing_link = |id: &LinkId| world.link(*id).is_none();
    let nodes = steps.iter().filter_map(Step::node).filter(missing_node).map(|id| id.to_string());
    let links = steps.iter().filter_map(Step::link).filter(missing_link).map(|id| id.to_string());
    let removed =
        |step: &Step<'_>| step.grantee().and_then(|id| world.user(id)).filter(|slot| slot.user.is_removed());
    let users = steps.iter().filter_map(removed).map(|slot| slot.user.username.clone());
    let gone: Vec<String> = nodes.chain(links).chain(users).collect();
    if gone.is_empty() && !steps.iter().any(|step| matches!(step, Step::None { .. })) {
        return Ok(());
    }
    match chain.root.caller() == Some(caller) && !gone.is_empty() {
        true => Err(Refusal::with(Reason::CannotRestorePurged, format!("Deleted: {}.", listed(gone)))),
        false => Err(Reason::CannotRestorePurged.into()),
    }
}

/// Refuses when a field to be set back no longer has the value that the batch left. The message names the changed
/// entities that the caller sees.
fn refuse_changed(draft: &Draft<'_>, caller: UserId, steps: &[Step<'_>]) -> Result<(), Refusal> {
    let changed: Vec<&Step<'_>> = steps.iter().filter(|step| step.is_overtaken(draft)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = changed.iter().filter_map(|step| step.name_for(draft, caller)).collect();
    match names.is_empty() {
        true => Err(Reason::VersionConflict.into()),
        false => Err(Refusal::with(Reason::VersionConflict, format!("Changed: {}.", listed(names)))),
    }
}

/// How many entities a refusal names. A purge may have deleted a hundred thousand.
const NAMED_MOST: usize = 20;

/// The first names, each once, and how many more there are.
fn listed(mut names: Vec<String>) -> String {
    names.dedup();
    let more = names.len().saturating_sub(NAMED_MOST);
    names.truncate(NAMED_MOST);
    match more {
        0 => names.join(", "),
        _ => format!("{} and {more} more", names.join(", ")),
    }
}

/// Cycles are judged on the final state.
fn refuse_cycles(draft: &Draft<'_>, caller: UserId, steps: &[Step<'_>]) -> Result<(), Refusal> {
    for id in steps.iter().filter_map(Step::link).collect::<BTreeSet<_>>() {
        if let Some(link) = draft.link(id).filter(|link| !link.in_trash) {
            link::refuse_cycle(draft, caller, link.kind, link.source, link.target)?;
        }
    }
    Ok(())
}

/// The status of a node when it is not held. For a held node that is its resume status.
fn unheld_status(node: &Node) -> Status {
    if node.status == Status::Blocked { node.resume } else { node.status }
}
