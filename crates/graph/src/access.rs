//! Access to nodes, found by climbing from a node to the nodes that are shared.
//!
//! Access flows down a branch: against the direction of links, over active non-private links, through nodes of one
//! owner. Whatever gives access to a node is therefore the node itself or found by climbing from it, and a climb
//! never leaves its owner's nodes.

use crate::hash::HashSet;
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Grant, Level, Link, Node};
use crate::time::Timestamp;
use crate::world::{Due, Graph, World};
use std::sync::Arc;

/// The user's access to an active node; `None` if they cannot see it.
pub fn level(graph: &impl Graph, user: UserId, node: NodeId) -> Option<Level> {
    standing(graph, user, graph.active_node(node)?, None)
}

/// The user's access to a node. In the trash it is judged by where the node was before.
pub fn placement(graph: &impl Graph, user: UserId, node: NodeId) -> Option<Level> {
    standing(graph, user, graph.node(node)?, None)
}

/// [`placement`], as if one link did not exist.
pub fn placement_without(graph: &impl Graph, user: UserId, node: NodeId, link: LinkId) -> Option<Level> {
    standing(graph, user, graph.node(node)?, Some(link))
}

fn standing(graph: &impl Graph, user: UserId, node: &Arc<Node>, without: Option<LinkId>) -> Option<Level> {
    if node.owner == user {
        return Some(Level::Owner);
    }
    strongest(graph, user, node, without, |_, _| true)
}

/// The user's level by what covers the node with its branch: ownership or a branch grant, but not a grant on the
/// node alone.
pub fn branch_level(graph: &impl Graph, user: UserId, node: &Arc<Node>) -> Option<Level> {
    if node.owner == user {
        return Some(Level::Owner);
    }
    strongest(graph, user, node, None, |world, root| {
        world.grant(root, user).is_some_and(|grant| grant.branch)
    })
}

/// The user's level by grants alone, without embeds.
pub fn granted_level(graph: &impl Graph, user: UserId, node: NodeId) -> Option<Level> {
    let node = graph.active_node(node)?;
    let mut best = None;
    climb(graph, node, None, |root| {
        best = min_level(best, granted(graph.world(), user, root.id, root.id == node.id));
        true
    });
    best
}

fn strongest(
    graph: &impl Graph,
    user: UserId,
    node: &Arc<Node>,
    without: Option<LinkId>,
    counts: impl Fn(&World, NodeId) -> bool,
) -> Option<Level> {
    let world = graph.world();
    // Most users hold no share of most owners: no climb for them.
    let slot = world.user(user)?;
    if !slot.holds_of.contains_key(&node.owner) {
        return None;
    }
    let mut best = None;
    climb(graph, node, without, |root| {
        if counts(world, root.id) {
            best = min_level(best, given(world, user, root, root.id == node.id));
        }
        best != Some(Level::Admin)
    });
    best
}

pub(crate) fn min_level(a: Option<Level>, b: Option<Level>) -> Option<Level> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (level, None) | (None, level) => level,
    }
}

/// The access that the shares of `root` give the user, to `root` itself or to its branch.
pub(crate) fn given(world: &World, user: UserId, root: &Node, itself: bool) -> Option<Level> {
    let by_embed = world
        .publication_in_force(root)
        .filter(|publication| (itself || publication.branch) && world.has_embed(root.id, user))
        .map(|_| Level::Viewer);
    min_level(granted(world, user, root.id, itself), by_embed)
}

fn granted(world: &World, user: UserId, root: NodeId, itself: bool) -> Option<Level> {
    world
        .grant(root, user)
        .filter(|grant| world.grant_counts(grant) && (itself || grant.branch))
        .map(|grant| grant.level)
}

/// Whether a link of this node carries access. From a node in the trash only the links that went with it do.
pub(crate) fn carries(link: &Link, from: &Node) -> bool {
    !link.private && link.in_trash == from.in_trash && (!link.in_trash || link.cascade)
}

/// Visits the node and everything above it, each once, until `visit` returns false.
pub fn climb<'g, G: Graph>(
    graph: &'g G,
    start: &'g Arc<Node>,
    without: Option<LinkId>,
    mut visit: impl FnMut(&'g Arc<Node>) -> bool,
) {
    let mut seen = HashSet::from_iter([start.id]);
    let mut waiting = vec![start];
    while let Some(node) = waiting.pop() {
        if !visit(node) {
            return;
        }
        for link in graph.links_up(node.id) {
            if Some(link.id) == without || !carries(link, node) {
                continue;
            }
            let above = graph.node(link.target).filter(|above| above.owner == node.owner);
            waiting.extend(above.filter(|above| seen.insert(above.id)));
        }
    }
}

/// The union of the branches of the given nodes: each node and every active node below it of the same owner.
pub fn branch(graph: &impl Graph, roots: impl IntoIterator<Item = NodeId>) -> HashSet<NodeId> {
    let mut waiting: Vec<&Arc<Node>> = roots.into_iter().filter_map(|id| graph.active_node(id)).collect();
    let mut seen: HashSet<NodeId> = waiting.iter().map(|node| node.id).collect();
    while let Some(node) = waiting.pop() {
        for link in graph.active_links_down(node.id) {
            if link.private {
                continue;
            }
            let below = graph.active_node(link.source).filter(|below| below.owner == node.owner);
            waiting.extend(below.filter(|below| seen.insert(below.id)));
        }
    }
    seen
}

/// Whether the given nodes, and all below them in the trash or not, with their links, are more than so many.
pub(crate) fn leads_to_more(world: &World, roots: impl IntoIterator<Item = NodeId>, most: usize) -> bool {
    let mut waiting: Vec<NodeId> = roots.into_iter().take(most.saturating_add(1)).collect();
    let mut seen: HashSet<NodeId> = waiting.iter().copied().collect();
    let mut links = 0;
    while let Some(id) = waiting.pop() {
        links += world.degree(id);
        if seen.len() > most || links > most.saturating_mul(4) {
            return true;
        }
        let below = world.links_down(id).map(|link| link.source);
        waiting.extend(below.filter(|below| seen.insert(*below)));
    }
    seen.len() > most
}

/// Whether both ends of a link have the same owner. Only then do the shares that cover the target reach the source's
/// branch through it.
pub fn one_owner(graph: &impl Graph, link: &Link) -> bool {
    match (graph.node(link.source), graph.node(link.target)) {
        (Some(source), Some(target)) => source.owner == target.owner,
        _ => false,
    }
}

/// Whether a non-private link source → target would put the source's branch under a share root that covers the
/// target and not the source. A hidden grant counts, because its grantee can show it at any time. A root that
/// covers the target only after the trash is restored counts too, because node:restore does not apply this check.
/// The source is covered only by what covers it now.
pub fn would_share(graph: &impl Graph, source: NodeId, target: NodeId, without: Option<LinkId>) -> bool {
    let (Some(source), Some(target)) = (graph.active_node(source), graph.active_node(target)) else {
        return false;
    };
    if source.owner != target.owner || source.id == target.id {
        return false;
    }
    // What its owner has not shared is under no share root: no climb for it.
    if graph.world().user(target.owner).is_none_or(|slot| slot.shared.is_empty()) {
        return false;
    }
    let mut roots = branch_roots_over(graph, target, without);
    if !roots.is_empty() {
        climb(graph, source, without, |node| {
            roots.remove(&node.id);
            !roots.is_empty()
        });
    }
    !roots.is_empty()
}

/// The nodes shared with their branch that are above the node now, or will be after everything in the trash by
/// cascade is restored.
fn branch_roots_over(graph: &impl Graph, start: &Arc<Node>, without: Option<LinkId>) -> HashSet<NodeId> {
    let world = graph.world();
    let mut roots = HashSet::default();
    let mut seen = HashSet::from_iter([start.id]);
    let mut waiting = vec![start];
    while let Some(node) = waiting.pop() {
        if carries_branch(world, node) {
            roots.insert(node.id);
        }
        for link in graph.links_up(node.id) {
            let carries = !link.private && (!link.in_trash || link.cascade);
            if Some(link.id) == without || !carries {
                continue;
            }
            let above = graph.node(link.target).filter(|above| above.owner == node.owner);
            waiting.extend(above.filter(|above| seen.insert(above.id)));
        }
    }
    roots
}

/// Whether the node has an unexpired branch grant or branch publication. The node may be in the trash.
fn carries_branch(world: &World, node: &Node) -> bool {
    let stands = |due: Due, at: Option<Timestamp>| !world.is_over(due, at);
    let by_grant = |grant: &Grant| grant.branch && stands(Due::Grant(grant.node, grant.user), grant.due);
    let granted = world.grants_on(node.id).any(|grant| by_grant(grant));
    let publication = node.publication.as_deref();
    granted || publication.is_some_and(|it| it.branch && stands(Due::Publication(node.id), it.due))
}

/// Whether a user with this access to a link's ends sees the link. Without access to the source they still see a
/// primary link, with its source as a phantom, because it explains why the target is blocked. The target's owner
/// sees another user's private primary link only while it is active: in the trash it holds nothing.
pub fn sees_link(user: UserId, link: &Link, source: Option<Level>, target: Option<Level>) -> bool {
    let Some(target) = target else { return false };
    let ends = source.is_some() || link.is_primary();
    let own = link.owner == user && source.is_some();
    let holds_ours = link.is_primary() && !link.in_trash && target == Level::Owner;
    ends && (!link.private || own || holds_ours)
}

/// The given nodes and everything below them, in the trash or not, as [`placement`] climbs.
pub fn placed_under(graph: &impl Graph, roots: impl IntoIterator<Item = NodeId>) -> HashSet<NodeId> {
    let mut waiting: Vec<&Arc<Node>> = roots.into_iter().filter_map(|id| graph.node(id)).collect();
    let mut seen: HashSet<NodeId> = waiting.iter().map(|node| node.id).collect();
    while let Some(node) = waiting.pop() {
        for link in graph.links_down(node.id) {
            let below =
                graph.node(link.source).filter(|below| below.owner == node.owner && carries(link, below));
            waiting.extend(below.filter(|below| seen.insert(below.id)));
        }
    }
    seen
}
