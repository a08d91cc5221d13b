//! What a user sees of the trash.

use crate::access;
use crate::cover::Placements;
use crate::hash::HashSet;
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Level, Link, Node};
use crate::view::{SeenLink, SeenNode, Sight, owner_of};
use crate::world::{Graph, World};
use std::cmp::Reverse;
use std::sync::Arc;

/// One page of a user's trash.
#[derive(Clone, Debug, PartialEq)]
pub struct TrashPage {
    /// Latest first, before all links.
    pub nodes: Vec<SeenNode>,
    /// Latest first.
    pub links: Vec<SeenLink>,
    /// Whether there is more after this page.
    pub has_more: bool,
}

/// Whether a user's trash shows a node, by their placement: they could restore, publish or grant it.
pub fn shows_node(node: &Node, level: Option<Level>) -> bool {
    node.in_trash && level.is_some_and(|level| level <= Level::Admin)
}

/// Whether a user's trash shows a link, by their placements at its ends: their own link with access to both, or a
/// non-private one to a node they have access ≤ 1 to, if they may know of its source.
pub fn shows_link(user: UserId, link: &Link, source: Option<Level>, target: Option<Level>) -> bool {
    let own = link.owner == user && target.is_some() && source.is_some();
    // As in the graph, only a primary link names a source out of sight.
    let runs = target.is_some_and(|level| level <= Level::Admin);
    link.in_trash && (own || (!link.private && runs && (source.is_some() || link.is_primary())))
}

/// A page of the trash: nodes first, then links, counted together.
pub fn trash_page(world: &World, user: UserId, limit: usize, offset: usize) -> TrashPage {
    let (nodes, links) = candidates(world, user);
    let nodes = nodes.into_iter().filter_map(|id| world.node(id));
    let mut nodes: Vec<&Arc<Node>> = nodes.filter(|node| node.in_trash).collect();
    let links = links.into_iter().filter_map(|id| world.link(id));
    let mut links: Vec<&Arc<Link>> = links.filter(|link| link.in_trash).collect();
    let ends = links.iter().flat_map(|link| [link.source, link.target]);
    let placed = Placements::of(world, user, nodes.iter().map(|node| node.id).chain(ends));
    nodes.retain(|node| shows_node(node, placed.level(node.id)));
    nodes.sort_unstable_by_key(|node| Reverse((node.edited, node.seq)));
    links.retain(|link| shows_link(user, link, placed.level(link.source), placed.level(link.target)));
    links.sort_unstable_by_key(|link| Reverse((link.edited, link.seq)));
    let total = nodes.len() + links.len();
    let links_from = offset.saturating_sub(nodes.len());
    let seen_node = |node: &Arc<Node>| Some(with_level(world, node, placed.level(node.id)?));
    let nodes: Vec<SeenNode> = nodes.into_iter().skip(offset).take(limit).filter_map(seen_node).collect();
    let room = limit - nodes.len();
    let links = links.into_iter().skip(links_from).take(room).map(seen_link).collect();
    TrashPage { nodes, links, has_more: offset.saturating_add(limit) < total }
}

/// A node as a user with that access sees it outside the visible graph, where share roots do not count.
pub fn with_level(world: &World, node: &Arc<Node>, level: Level) -> SeenNode {
    let sight = Sight::Full { level, roots: Arc::default() };
    SeenNode { node: Arc::clone(node), owner: owner_of(world, node), sight }
}

fn seen_link(link: &Arc<Link>) -> SeenLink {
    SeenLink { link: Arc::clone(link), roots: Arc::default() }
}

/// Everything that could be in the user's trash: their own, and what is at or below nodes on which they have an
/// admin grant.
fn candidates(world: &World, user: UserId) -> (HashSet<NodeId>, HashSet<LinkId>) {
    let Some(slot) = world.user(user) else { return (HashSet::default(), HashSet::default()) };
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
