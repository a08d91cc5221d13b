//! Deleting for good, and taking out of the trash what went there together.

use super::link::{self, deletable};
use super::{node, refuse_if, seen_with};
use crate::batch::Op;
use crate::blocking::settle;
use crate::cover::Placements;
use crate::draft::{Cause, Draft};
use crate::hash::HashSet;
use crate::id::{BatchId, LinkId, NodeId, UserId};
use crate::model::{Embed, Level, Link};
use crate::refusal::{Class, Reason, Refusal};
use crate::view::in_order_of_creation;
use crate::world::{Graph, World};
use std::sync::Arc;
use uuid::Uuid;

pub(super) fn node_delete(draft: &mut Draft<'_>, caller: UserId, id: NodeId) -> Result<(), Refusal> {
    let node = seen_with(draft, caller, id, Level::Owner)?;
    refuse_if(!node.in_trash, Reason::CantDeleteActiveNode)?;
    delete_node(draft, id);
    Ok(())
}

pub(super) fn link_delete(draft: &mut Draft<'_>, caller: UserId, id: LinkId) -> Result<(), Refusal> {
    let link = deletable(draft, caller, id)?;
    refuse_if(!link.in_trash, Reason::CantDeleteActiveLink)?;
    draft.delete_link(id, Cause::Meant);
    Ok(())
}

/// Deletes the caller's own trash: the named entities, or all.
pub(super) fn purge(draft: &mut Draft<'_>, caller: UserId, ids: Option<&[Uuid]>) -> Result<(), Refusal> {
    let (nodes, links) = own_trash(draft, caller);
    if let Some(ids) = ids {
        let ours: HashSet<Uuid> =
            nodes.iter().map(|node| node.0).chain(links.iter().map(|link| link.0)).collect();
        refuse_if(!ids.iter().all(|id| ours.contains(id)), Reason::NotInTrash)?;
    }
    let named: Option<HashSet<Uuid>> = ids.map(|ids| ids.iter().copied().collect());
    let wanted = |id: Uuid| named.as_ref().is_none_or(|named| named.contains(&id));
    for link in links.into_iter().filter(|link| wanted(link.0)) {
        draft.delete_link(link, Cause::Meant);
    }
    for node in nodes.into_iter().filter(|node| wanted(node.0)) {
        delete_node(draft, node);
    }
    Ok(())
}

/// Takes out of the trash what the batch changed last, as far as the caller may: nodes first, with what went along with
/// them, then links that went by themselves.
pub(super) fn restore(draft: &mut Draft<'_>, caller: UserId, batch: BatchId) -> Result<(), Refusal> {
    let (nodes, links) = group(draft.world(), caller, batch);
    let any = !nodes.is_empty();
    let mut unsettled = node::bring_back_all(draft, nodes);
    let mut refused = None;
    for id in links {
        // It may have been brought back along with its end.
        match link::bring_back_alone(draft, caller, id) {
            Ok(target) => unsettled.push(target),
            Err(refusal) if refusal.reason.class() == Class::NotFound => {}
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    if !any && unsettled.is_empty() {
        return Err(refused.unwrap_or(Reason::NotInTrash.into()));
    }
    settle(draft, unsettled);
    Ok(())
}

/// What a batch left in the trash: the nodes that the caller may restore, and the links that are there by themselves and
/// may be the caller's to restore, each by order of creation.
fn group(world: &World, caller: UserId, batch: BatchId) -> (Vec<NodeId>, Vec<LinkId>) {
    let slot = world.user(caller);
    // A user who may restore something owns it or holds a share of its owner's.
    let owners = slot.into_iter().flat_map(|slot| slot.holds_of.keys().copied()).chain([caller]);
    let owners: HashSet<UserId> = owners.collect();
    let slots = || owners.iter().filter_map(|owner| world.user(*owner));
    let nodes = slots().flat_map(|slot| &slot.trashed_nodes).filter_map(|id| world.node(*id));
    let nodes: HashSet<NodeId> = nodes.filter(|node| node.last_batch == batch).map(|node| node.id).collect();
    let placed = Placements::of(world, caller, nodes.iter().copied());
    let editable = |id: &NodeId| placed.level(*id).is_some_and(|level| level <= Level::Editor);
    let nodes = in_order_of_creation(world, nodes.into_iter().filter(editable).collect());
    let links = slots().flat_map(|slot| &slot.trashed_links).filter_map(|id| world.link(*id));
    let alone = links.filter(|link| link.last_batch == batch && !link.cascade);
    let mut alone: Vec<(u64, LinkId)> = alone.map(|link| (link.seq, link.id)).collect();
    alone.sort_unstable();
    alone.dedup();
    (nodes, alone.into_iter().map(|(_, id)| id).collect())
}

/// The caller's own nodes and links in the trash. A link counts only while they have access to both its ends.
fn own_trash(draft: &Draft<'_>, caller: UserId) -> (Vec<NodeId>, Vec<LinkId>) {
    let Some(slot) = draft.world().user(caller) else { return (Vec::new(), Vec::new()) };
    let links = slot.trashed_links.iter().filter_map(|id| draft.link(*id));
    let own: Vec<&Arc<Link>> = links.filter(|link| link.owner == caller).collect();
    // No change has been drafted yet, so the World is current.
    let ends = own.iter().flat_map(|link| [link.source, link.target]);
    let placed = Placements::of(draft.world(), caller, ends);
    let sees = |node| placed.level(node).is_some();
    let links = own.into_iter().filter(|link| sees(link.source) && sees(link.target));
    (slot.trashed_nodes.iter().copied().collect(), links.map(|link| link.id).collect())
}

/// Deletes a node with its grants, embeds, links and publication.
pub(super) fn delete_node(draft: &mut Draft<'_>, id: NodeId) {
    let world = draft.world();
    for grant in world.grants_on(id) {
        let op = if world.is_guest(grant.user) { Op::TokenUpdate } else { Op::GrantDelete };
        draft.set_grant(op, Cause::Derived, Some(grant.clone()), None);
    }
    for user in world.embedders(id) {
        draft.set_embed(Cause::Derived, Embed { user, node: id }, false);
    }
    let mut links: Vec<_> = draft.links_at(id).map(|link| (link.seq, link.id)).collect();
    links.sort_unstable();
    for (_, link) in links {
        draft.delete_link(link, Cause::Derived);
    }
    draft.delete_node(id);
}
