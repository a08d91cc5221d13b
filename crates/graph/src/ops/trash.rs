//! Deleting for good.

use super::{link::deletable, refuse_if, seen_with};
use crate::batch::Op;
use crate::cover::Placements;
use crate::draft::{Cause, Draft};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Embed, Level, Link};
use crate::refusal::{Reason, Refusal};
use crate::world::Graph;
use std::collections::HashSet;
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
        draft.set_grant(Op::GrantDelete, Cause::Derived, Some(grant.clone()), None);
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
