//! What a user sees of the trash.

use crate::access::{self, placement};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Level, Link, Node};
use crate::view::{SeenLink, SeenNode, Sight, owner_of};
use crate::world::{Graph, World};
use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

/// One page of a user's trash.
#[derive(Clone, Debug, PartialEq)]
pub struct TrashPage {
    /// Latest first, before all links.
    pub nodes: Vec<SeenNode>,
    /// Latest first.
    pub links: Vec<SeenLink>,
    pub has_more: bool,
}

/// Whether a user's trash shows a node: they could restore, publish or grant it.
pub fn shows_node(world: &World, user: UserId, node: &Node) -> bool {
    node.in_trash && placement(world, user, node.id).is_some_and(|level| level <= Level::Admin)
}

/// Whether a user's trash shows a link: their own with access to both its ends, or a public one to a node they run
/// whose source they may know of.
pub fn shows_link(world: &World, user: UserId, link: &Link) -> bool {
    if !link.in_trash {
        return false;
    }
    let target = placement(world, user, link.target);
    let source = placement(world, user, link.source);
    let own = link.owner == user && target.is_some() && source.is_some();
    // As in the graph, a link names a source out of sight only if it is primary.
    let runs = target.is_some_and(|level| level <= Level::Admin);
    own || (!link.private && runs && (source.is_some() || link.is_primary()))
}

/// A page of the trash: nodes first, then links, counted together.
pub fn trash_page(world: &World, user: UserId, limit: usize, offset: usize) -> TrashPage {
    let (nodes, links) = candidates(world, user);
    let mut nodes: Vec<&Arc<Node>> = nodes
        .into_iter()
        .filter_map(|id| world.node(id))
        .filter(|node| shows_node(world, user, node))
        .collect();
    nodes.sort_unstable_by_key(|node| Reverse((node.edited, node.seq)));
    let mut links: Vec<&Arc<Link>> = links
        .into_iter()
        .filter_map(|id| world.link(id))
        .filter(|link| shows_link(world, user, link))
        .collect();
    links.sort_unstable_by_key(|link| Reverse((link.edited, link.seq)));
    let total = nodes.len() + links.len();
    let links_from = offset.saturating_sub(nodes.len());
    let nodes: Vec<SeenNode> =
        nodes.into_iter().skip(offset).take(limit).filter_map(|node| seen_node(world, user, node)).collect();
    let room = limit - nodes.len();
    let links = links.into_iter().skip(links_from).take(room).map(seen_link).collect();
    TrashPage { nodes, links, has_more: offset.saturating_add(limit) < total }
}

/// A node in the trash as a user sees it there, whatever their access to it.
pub fn seen_node(world: &World, user: UserId, node: &Arc<Node>) -> Option<SeenNode> {
    Some(with_level(world, node, placement(world, user, node.id)?))
}

/// A node as someone with that access sees it outside the visible graph, where no share root counts.
pub fn with_level(world: &World, node: &Arc<Node>, level: Level) -> SeenNode {
    let sight = Sight::Full { level, roots: Vec::new() };
    SeenNode { node: Arc::clone(node), owner: owner_of(world, node), sight }
}

fn seen_link(link: &Arc<Link>) -> SeenLink {
    SeenLink { link: Arc::clone(link), roots: Vec::new() }
}

/// Everything that could be in the user's trash: their own, and what lies at or under nodes granted to them to run.
fn candidates(world: &World, user: UserId) -> (HashSet<NodeId>, HashSet<LinkId>) {
    let Some(slot) = world.user(user) else { return (HashSet::new(), HashSet::new()) };
    let mut nodes: HashSet<NodeId> = slot.trashed_nodes.iter().copied().collect();
    let mut links: HashSet<LinkId> = slot.trashed_links.iter().copied().collect();
    let run = slot.granted.iter().filter(|id| {
        world.grant(**id, user).is_some_and(|grant| grant.level == Level::Admin && world.grant_counts(grant))
    });
    for id in access::placed_under(world, run.copied()) {
        nodes.insert(id);
        links.extend(world.links_at(id).filter(|link| link.in_trash).map(|link| link.id));
    }
    (nodes, links)
}
