//! Adding, changing, trashing and restoring nodes.

use super::{refuse_guest, refuse_if, seen, seen_with};
use crate::access;
use crate::batch::Op;
use crate::blocking::{self, Returning, is_held, settle, targets};
use crate::cover::Placements;
use crate::draft::{Cause, Draft};
use crate::id::{IdSupply, LinkId, NodeId, UserId};
use crate::model::{Level, Link, LinkType, Node, Status};
use crate::node_fields::NodeFields;
use crate::refusal::{Reason, Refusal};
use crate::view::in_order_of_creation;
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
    let place = place(draft, caller, new.target)?;
    refuse_if(place.target_in_trash, Reason::TargetInTrash)?;
    let id = match new.id {
        Some(id) if draft.world().id_taken(id.0) => return Err(Reason::IdTaken.into()),
        Some(id) => id,
        None => ids.next_node(),
    };
    let seq = draft.take_seq();
    let mut node = Node::new(id, place.owner, draft.batch(), draft.now(), seq);
    new.fields.set_all(&mut node);
    draft.add_node(node);
    if let Some((target, level)) = place.under {
        link_under(draft, caller, id, target, level, ids);
        settle(draft, [target]);
    }
    Ok(())
}

/// Where a new node comes to lie, and whose it is.
pub(super) struct Place {
    pub owner: UserId,
    /// The node it is linked to, and the caller's access to that.
    pub under: Option<(NodeId, Level)>,
    pub target_in_trash: bool,
}

/// Where a node comes to lie that the caller makes under `target`.
pub(super) fn place(draft: &Draft<'_>, caller: UserId, target: Option<NodeId>) -> Result<Place, Refusal> {
    let Some(target) = target else {
        refuse_guest(draft, caller)?;
        return Ok(Place { owner: caller, under: None, target_in_trash: false });
    };
    let (target, level) = seen(draft, caller, target, Reason::TargetNotFound)?;
    let owner = match branch_owner(draft, caller, target) {
        Some(owner) => owner,
        None => {
            refuse_guest(draft, caller)?;
            caller
        }
    };
    Ok(Place { owner, under: Some((target.id, level)), target_in_trash: target.in_trash })
}

/// Links a new node to the node it is made under.
pub(super) fn link_under(
    draft: &mut Draft<'_>,
    caller: UserId,
    id: NodeId,
    target: NodeId,
    level: Level,
    ids: &mut dyn IdSupply,
) {
    let secondary = level == Level::Viewer;
    let seq = draft.take_seq();
    draft.add_link(Link {
        kind: if secondary { LinkType::Secondary } else { LinkType::Primary },
        private: secondary,
        ..Link::new(ids.next_link(), caller, (id, target), draft.batch(), draft.now(), seq)
    });
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
    let above = reopened.then(|| targets(draft, id)).into_iter().flatten();
    let above: Vec<NodeId> = above.collect();
    settle(draft, std::iter::once(id).chain(above));
    Ok(())
}

/// Puts the node in the trash; with `branch` also every node of its branch that the caller may edit.
pub(super) fn trash(draft: &mut Draft<'_>, caller: UserId, id: NodeId, branch: bool) -> Result<(), Refusal> {
    let node = seen_with(draft, caller, id, Level::Editor)?;
    refuse_if(node.in_trash, Reason::AlreadyTrashedNode)?;
    let nodes = if branch { editable_branch(draft, caller, id) } else { vec![id] };
    let mut freed = Vec::new();
    for id in nodes {
        freed.extend(put_in_trash(draft, id));
    }
    settle(draft, freed);
    Ok(())
}

/// The nodes of a branch that the user may edit, by order of creation. Nothing must be decided yet.
fn editable_branch(draft: &Draft<'_>, user: UserId, root: NodeId) -> Vec<NodeId> {
    let branch = access::branch(draft, [root]);
    let placed = Placements::of(draft.world(), user, branch.iter().copied());
    let editable = |id: &NodeId| placed.level(*id).is_some_and(|level| level <= Level::Editor);
    in_order_of_creation(draft.world(), branch.into_iter().filter(editable).collect())
}

/// Puts an active node in the trash with every active link at it, whoever owns the link. Returns the nodes that may
/// no longer be held.
pub(super) fn put_in_trash(draft: &mut Draft<'_>, id: NodeId) -> Vec<NodeId> {
    let freed = targets(draft, id).collect();
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

/// Brings nodes back together, each as [`bring_back`] does: first all of them, then the links, oldest first.
pub(super) fn bring_back_all(draft: &mut Draft<'_>, nodes: Vec<NodeId>) -> Vec<NodeId> {
    if let [id] = nodes.as_slice() {
        return bring_back(draft, *id);
    }
    for id in &nodes {
        draft.edit_node(Op::NodeRestore, Cause::Meant, *id, |node| node.in_trash = false);
    }
    let mut returning: Vec<Arc<Link>> = Vec::new();
    for id in &nodes {
        let gone_along = draft.links_at(*id).filter(|link| link.in_trash && link.cascade);
        returning.extend(gone_along.filter(|link| draft.active_node(link.other(*id)).is_some()).cloned());
    }
    returning.sort_unstable_by_key(|link| (link.seq, link.id));
    returning.dedup_by_key(|link| link.id);
    let suspects = blocking::suspects(draft, &returning);
    let mut unsettled = nodes;
    for link in returning {
        if suspects.contains(&link.id) && blocking::cycle(draft, link.source, link.target).is_some() {
            draft.edit_link(Op::LinkTrash, Cause::Derived, link.id, |link| link.cascade = false);
            continue;
        }
        if link.is_primary() {
            unsettled.push(link.target);
        }
        draft.edit_link(Op::LinkRestore, Cause::Derived, link.id, |link| {
            link.in_trash = false;
            link.cascade = false;
        });
    }
    unsettled
}
