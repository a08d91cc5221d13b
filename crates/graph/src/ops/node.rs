//! Adding, changing, trashing and restoring nodes.

use super::{refuse_if, seen, seen_with};
use crate::access;
use crate::batch::Op;
use crate::blocking::{Returning, is_held, settle, targets};
use crate::draft::{Cause, Draft};
use crate::id::{IdSupply, LinkId, NodeId, UserId};
use crate::model::{Level, Link, LinkType, Node, Status};
use crate::node_fields::NodeFields;
use crate::refusal::{Reason, Refusal};
use crate::world::Graph;
use std::sync::Arc;

/// A new node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeAdd {
    /// The client's own id for it; otherwise it gets a new id.
    pub id: Option<NodeId>,
    /// The node that it is linked to.
    pub target: Option<NodeId>,
    /// The given fields; the others have their defaults.
    pub fields: Box<NodeFields>,
}

pub(super) fn add(
    draft: &mut Draft<'_>,
    caller: UserId,
    new: &NodeAdd,
    ids: &mut dyn IdSupply,
) -> Result<(), Refusal> {
    let parent = match new.target {
        Some(target) => Some(seen(draft, caller, target, Reason::TargetNotFound)?),
        None => None,
    };
    let (owner, link) = match parent {
        None => (caller, None),
        Some((target, level)) => {
            refuse_if(target.in_trash, Reason::TargetInTrash)?;
            let below = branch_owner(draft, caller, target);
            (below.unwrap_or(caller), Some((target.id, level)))
        }
    };
    let id = match new.id {
        Some(id) if draft.world().id_taken(id.0) => return Err(Reason::IdTaken.into()),
        Some(id) => id,
        None => ids.next_node(),
    };
    let seq = draft.take_seq();
    let mut node = Node::new(id, owner, draft.batch(), draft.now(), seq);
    new.fields.set_all(&mut node);
    draft.add_node(node);
    if let Some((target, level)) = link {
        let secondary = level == Level::Viewer;
        let seq = draft.take_seq();
        draft.add_link(Link {
            id: ids.next_link(),
            owner: caller,
            source: id,
            target,
            kind: if secondary { LinkType::Secondary } else { LinkType::Primary },
            private: secondary,
            was_blocker: false,
            in_trash: false,
            cascade: false,
            version: 1,
            created: draft.now(),
            edited: draft.now(),
            seq,
            last_batch: draft.batch(),
        });
        settle(draft, [target]);
    }
    Ok(())
}

/// The owner of a node made under `target`, if the caller edits there by ownership or a branch grant. By a grant on
/// the target alone the caller would not see the new node, so they own it.
fn branch_owner(draft: &Draft<'_>, caller: UserId, target: &Arc<Node>) -> Option<UserId> {
    let level = access::branch_level(draft, caller, target)?;
    (level <= Level::Editor).then_some(target.owner)
}

/// A change of a node's fields.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeUpdate {
    /// The node to change.
    pub id: NodeId,
    /// The fields to change.
    pub fields: Box<NodeFields>,
    /// The version the change is meant for. Any other is a conflict.
    pub version: Option<u64>,
}

pub(super) fn update(draft: &mut Draft<'_>, caller: UserId, update: &NodeUpdate) -> Result<(), Refusal> {
    let NodeUpdate { id, ref fields, version } = *update;
    refuse_if(fields.is_empty(), Reason::NoFieldsToUpdate)?;
    let node = seen_with(draft, caller, id, Level::Editor)?;
    refuse_if(node.in_trash, Reason::NodeInTrash)?;
    if version.is_some_and(|version| version != node.version) {
        let detail = format!("The node's version is {}.", node.version);
        return Err(Refusal::with(Reason::VersionConflict, detail));
    }
    let mut changed = Node::clone(&node);
    fields.set_updated(&mut changed);
    if changed != *node {
        draft.edit_node(Op::NodeUpdate, Cause::Meant, id, |node| fields.set_updated(node));
    }
    let held = is_held(draft, &changed);
    if let Some(status) = fields.status {
        refuse_if(held, Reason::NodeBlocked)?;
        if status != node.status {
            draft.edit_node(Op::NodeStatus, Cause::Meant, id, |node| {
                node.status = status;
                node.resume = Status::Available;
            });
        }
    }
    let reopened = (node.status == Status::Completed)
        != draft.node(id).is_some_and(|node| node.status == Status::Completed);
    let above = if reopened { targets(draft, id) } else { Vec::new() };
    settle(draft, std::iter::once(id).chain(above));
    Ok(())
}

pub(super) fn trash(draft: &mut Draft<'_>, caller: UserId, id: NodeId) -> Result<(), Refusal> {
    let node = seen_with(draft, caller, id, Level::Editor)?;
    refuse_if(node.in_trash, Reason::AlreadyTrashedNode)?;
    let freed = put_in_trash(draft, id);
    settle(draft, freed);
    Ok(())
}

/// Puts an active node in the trash with every active link at it, whoever owns the link. Returns the nodes that may
/// no longer be held.
pub(super) fn put_in_trash(draft: &mut Draft<'_>, id: NodeId) -> Vec<NodeId> {
    let freed = targets(draft, id);
    let links = in_order(draft.active_links_at(id));
    draft.edit_node(Op::NodeTrash, Cause::Meant, id, |node| node.in_trash = true);
    for link in links {
        draft.edit_link(Op::LinkTrash, Cause::Derived, link, |link| {
            link.in_trash = true;
            link.cascade = true;
        });
    }
    freed
}

fn in_order<'a>(links: impl Iterator<Item = &'a Arc<Link>>) -> Vec<LinkId> {
    let mut links: Vec<_> = links.map(|link| (link.seq, link.id)).collect();
    links.sort_unstable();
    links.into_iter().map(|(_, id)| id).collect()
}

pub(super) fn restore(draft: &mut Draft<'_>, caller: UserId, id: NodeId) -> Result<(), Refusal> {
    let node = seen_with(draft, caller, id, Level::Editor)?;
    refuse_if(!node.in_trash, Reason::NotTrashedNode)?;
    let unsettled = bring_back(draft, id);
    settle(draft, unsettled);
    Ok(())
}

/// Restores a node, and the links that went by cascade and have both ends active again, oldest first. A link that
/// would close a cycle stays in the trash in its own right: it neither returns with an end later nor gives access
/// by placement. Returns the nodes that may now be held.
pub(super) fn bring_back(draft: &mut Draft<'_>, id: NodeId) -> Vec<NodeId> {
    draft.edit_node(Op::NodeRestore, Cause::Meant, id, |node| node.in_trash = false);
    let gone_along = in_order(draft.links_at(id).filter(|link| link.in_trash && link.cascade));
    let mut unsettled = vec![id];
    let mut returning = Returning::default();
    for link in gone_along {
        let Some(link) = draft.link(link).cloned() else { continue };
        if draft.active_node(link.other(id)).is_none() {
            continue;
        }
        if link.is_primary() {
            let returns = match link.source == id {
                true => returning.lets_out(draft, link.target),
                false => returning.lets_in(draft, link.source),
            };
            if !returns {
                draft.edit_link(Op::LinkTrash, Cause::Derived, link.id, |link| link.cascade = false);
                continue;
            }
            unsettled.push(link.target);
        }
        draft.edit_link(Op::LinkRestore, Cause::Derived, link.id, |link| {
            link.in_trash = false;
            link.cascade = false;
        });
    }
    unsettled
}
