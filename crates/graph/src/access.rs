//! Who may do what with a node, worked out by walking up from it to the nodes that are shared.
//!
//! Access flows down a branch: against the direction of links, over active links that are not private, through nodes
//! of one owner. So whatever gives access to a node is the node itself or found by climbing from it, and a climb never
//! leaves its owner's nodes.

use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Level, Link, Node};
use crate::time::Timestamp;
use crate::world::{Graph, World};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The user's access to an active node; `None` for what they cannot see.
pub fn level(graph: &impl Graph, user: UserId, node: NodeId) -> Option<Level> {
    standing(graph, user, graph.active_node(node)?, None)
}

/// The user's access to a node, in the trash or not: of a node in the trash, by where it lay before.
pub fn placement(graph: &impl Graph, user: UserId, node: NodeId) -> Option<Level> {
    standing(graph, user, graph.node(node)?, None)
}

/// [`placement`], as if one link were not there.
pub fn placement_without(graph: &impl Graph, user: UserId, node: NodeId, link: LinkId) -> Option<Level> {
    standing(graph, user, graph.node(node)?, Some(link))
}

fn standing(graph: &impl Graph, user: UserId, node: &Arc<Node>, without: Option<LinkId>) -> Option<Level> {
    if node.owner == user {
        return Some(Level::Owner);
    }
    strongest(graph, user, node, without, |_, _| true)
}

/// The user's level by what covers the node with its branch: ownership or a branch grant, not a grant on it alone.
pub fn branch_level(graph: &impl Graph, user: UserId, node: &Arc<Node>) -> Option<Level> {
    if node.owner == user {
        return Some(Level::Owner);
    }
    strongest(graph, user, node, None, |world, root| {
        world.grant(root, user).is_some_and(|grant| grant.branch)
    })
}

/// The user's level by grants alone, embeds left out.
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
    // Most users hold nothing of most owners: no climb for them.
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

fn min_level(a: Option<Level>, b: Option<Level>) -> Option<Level> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (level, None) | (None, level) => level,
    }
}

/// What sharing `root` gives the user for `root` itself or for its branch.
fn given(world: &World, user: UserId, root: &Node, itself: bool) -> Option<Level> {
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

/// Whether a link of this node carries access along it. From a node in the trash it is the links that went with it.
fn carries(link: &Link, from: &Node) -> bool {
    !link.private && link.in_trash == from.in_trash && (!link.in_trash || link.cascade)
}

/// Visits the node and everything it lies under, each once, until `visit` says false.
pub fn climb<'g, G: Graph>(
    graph: &'g G,
    start: &'g Arc<Node>,
    without: Option<LinkId>,
    mut visit: impl FnMut(&'g Arc<Node>) -> bool,
) {
    let mut seen = HashSet::from([start.id]);
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

/// The branches of the given nodes together: each node and every active node below it of the same owner.
pub fn branch(graph: &impl Graph, roots: impl IntoIterator<Item = NodeId>) -> HashSet<NodeId> {
    branch_within(graph, roots, |_| true)
}

fn branch_within(
    graph: &impl Graph,
    roots: impl IntoIterator<Item = NodeId>,
    within: impl Fn(NodeId) -> bool,
) -> HashSet<NodeId> {
    let mut waiting: Vec<&Arc<Node>> = roots.into_iter().filter_map(|id| graph.active_node(id)).collect();
    let mut seen: HashSet<NodeId> = waiting.iter().map(|node| node.id).collect();
    while let Some(node) = waiting.pop() {
        for link in graph.active_links_down(node.id) {
            if link.private || !within(link.source) {
                continue;
            }
            let below = graph.active_node(link.source).filter(|below| below.owner == node.owner);
            waiting.extend(below.filter(|below| seen.insert(below.id)));
        }
    }
    seen
}

/// Whether two nodes' link carries the source's branch to what covers the target: they have one owner.
pub fn one_owner(graph: &impl Graph, link: &Link) -> bool {
    match (graph.node(link.source), graph.node(link.target)) {
        (Some(source), Some(target)) => source.owner == target.owner,
        _ => false,
    }
}

/// Whether a public link source → target would put the source's branch under a share root that covers the target and
/// not yet the source. A grant its holder has hidden counts too: they may show it at any time. So does a root that
/// covers the target only when what went to the trash is back: node:restore brings links back without judging them. The
/// source is covered only by what covers it now.
pub fn would_share(graph: &impl Graph, source: NodeId, target: NodeId, without: Option<LinkId>) -> bool {
    let (Some(source), Some(target)) = (graph.active_node(source), graph.active_node(target)) else {
        return false;
    };
    if source.owner != target.owner || source.id == target.id {
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

/// The nodes shared with their branch that the node lies under, or will when everything is back that is in the trash
/// with the links that went along.
fn branch_roots_over(graph: &impl Graph, start: &Arc<Node>, without: Option<LinkId>) -> HashSet<NodeId> {
    let world = graph.world();
    let mut roots = HashSet::new();
    let mut seen = HashSet::from([start.id]);
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

/// Whether a branch grant or publication stands on the node that has not expired, be the node in the trash or not.
fn carries_branch(world: &World, node: &Node) -> bool {
    let unexpired = |due: Option<Timestamp>| due.is_none_or(|due| due > world.clock());
    let granted = world.grants_on(node.id).any(|grant| grant.branch && unexpired(grant.due));
    let publication = node.publication.as_deref();
    granted || publication.is_some_and(|publication| publication.branch && unexpired(publication.due))
}

/// Who sees a node, and through which share roots.
#[derive(Debug, PartialEq, Eq)]
pub struct Cover {
    owner: UserId,
    /// Every share root that covers the node, sorted.
    roots: Vec<NodeId>,
    /// Those asked about that are not its owner, sorted, with the roots that give them access.
    viewers: Vec<(UserId, Level, Vec<NodeId>)>,
}

impl Cover {
    /// The user's access; only for the owner and those the cover was asked about.
    pub fn level(&self, user: UserId) -> Option<Level> {
        if user == self.owner {
            return Some(Level::Owner);
        }
        self.viewer(user).map(|(_, level, _)| *level)
    }

    /// The share roots the user is shown: all for the owner, for others those that give them access.
    pub fn roots_for(&self, user: UserId) -> &[NodeId] {
        if user == self.owner {
            return &self.roots;
        }
        self.viewer(user).map_or(&[], |(_, _, roots)| roots)
    }

    /// The owner and every viewer.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        std::iter::once(self.owner).chain(self.viewers.iter().map(|(user, ..)| *user))
    }

    /// Whether anyone but the owner is among the viewers.
    pub fn is_shared(&self) -> bool {
        !self.viewers.is_empty()
    }

    fn viewer(&self, user: UserId) -> Option<&(UserId, Level, Vec<NodeId>)> {
        let at = self.viewers.binary_search_by_key(&user, |(user, ..)| *user).ok()?;
        self.viewers.get(at)
    }
}

/// The covers of active nodes, for the users that `among` picks. Nodes under the same roots share one cover.
///
/// Costs one walk up from all the nodes together, and one down from each branch root within what that walk saw.
pub fn covers(
    world: &World,
    nodes: impl IntoIterator<Item = NodeId>,
    among: &dyn Fn(UserId) -> bool,
) -> HashMap<NodeId, Arc<Cover>> {
    let nodes: Vec<&Arc<Node>> = nodes.into_iter().filter_map(|id| world.active_node(id)).collect();
    let mut roots_over = roots_over(world, &nodes);
    let mut known: HashMap<(UserId, Vec<NodeId>, Option<NodeId>), Arc<Cover>> = HashMap::new();
    let mut covers = HashMap::with_capacity(nodes.len());
    for node in nodes {
        let mut roots = roots_over.remove(&node.id).unwrap_or_default();
        // Grants without branch count at their own node only, so a root's own cover is like no other.
        let itself = has_share_in_force(world, node).then_some(node.id);
        roots.extend(itself);
        roots.sort_unstable();
        roots.dedup();
        let key = (node.owner, roots, itself);
        let cover = match known.get(&key) {
            Some(cover) => Arc::clone(cover),
            None => {
                let cover = Arc::new(cover_of(world, node, key.1.clone(), among));
                known.insert(key, Arc::clone(&cover));
                cover
            }
        };
        covers.insert(node.id, cover);
    }
    covers
}

fn roots_over(world: &World, nodes: &[&Arc<Node>]) -> HashMap<NodeId, Vec<NodeId>> {
    let mut region: HashSet<NodeId> = HashSet::new();
    let mut roots: Vec<NodeId> = Vec::new();
    for start in nodes {
        // An owner who shares nothing has no roots to find.
        if world.user(start.owner).is_none_or(|slot| slot.shared.is_empty()) || region.contains(&start.id) {
            continue;
        }
        let mut waiting = vec![*start];
        region.insert(start.id);
        while let Some(node) = waiting.pop() {
            if has_branch_share_in_force(world, node) {
                roots.push(node.id);
            }
            for link in world.active_links_up(node.id) {
                if link.private {
                    continue;
                }
                let above = world.active_node(link.target).filter(|above| above.owner == node.owner);
                waiting.extend(above.filter(|above| region.insert(above.id)));
            }
        }
    }
    let mut over: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
    for root in roots {
        let below = branch_within(world, [root], |id| region.contains(&id));
        for node in nodes.iter().filter(|node| below.contains(&node.id)) {
            over.entry(node.id).or_default().push(root);
        }
    }
    over
}

fn has_share_in_force(world: &World, node: &Node) -> bool {
    world.publication_in_force(node).is_some()
        || world.grants_on(node.id).any(|grant| world.grant_counts(grant))
}

fn has_branch_share_in_force(world: &World, node: &Node) -> bool {
    world.publication_in_force(node).is_some_and(|publication| publication.branch)
        || world.grants_on(node.id).any(|grant| grant.branch && world.grant_counts(grant))
}

fn cover_of(world: &World, node: &Node, roots: Vec<NodeId>, among: &dyn Fn(UserId) -> bool) -> Cover {
    let mut viewers: HashMap<UserId, (Level, Vec<NodeId>)> = HashMap::new();
    for root in roots.iter().filter_map(|id| world.node(*id)) {
        let holders = world.grants_on(root.id).map(|grant| grant.user).chain(world.embedders(root.id));
        let holders: HashSet<UserId> = holders.filter(|user| *user != node.owner && among(*user)).collect();
        for user in holders {
            let Some(level) = given(world, user, root, root.id == node.id) else { continue };
            let viewer = viewers.entry(user).or_insert((level, Vec::new()));
            viewer.0 = viewer.0.min(level);
            viewer.1.push(root.id);
        }
    }
    let mut viewers: Vec<_> =
        viewers.into_iter().map(|(user, (level, roots))| (user, level, roots)).collect();
    viewers.sort_unstable_by_key(|(user, ..)| *user);
    Cover { owner: node.owner, roots, viewers }
}

/// The share roots that cover both ends of a link, as the user is shown them.
pub fn shared_roots(source: &Cover, target: &Cover, user: UserId) -> Vec<NodeId> {
    let of_target = target.roots_for(user);
    source.roots_for(user).iter().filter(|root| of_target.binary_search(root).is_ok()).copied().collect()
}

/// Whether a user with this access to a link's ends sees the link. Without access to the source a primary link still
/// shows, and its source as a phantom: it explains why the target is blocked. Somebody else's private link does so to
/// the target's owner only while it is active: in the trash it holds nothing.
pub fn sees_link(user: UserId, link: &Link, source: Option<Level>, target: Option<Level>) -> bool {
    let Some(target) = target else { return false };
    let ends = source.is_some() || link.is_primary();
    let own = link.owner == user && source.is_some();
    let holds_ours = link.is_primary() && !link.in_trash && target == Level::Owner;
    ends && (!link.private || own || holds_ours)
}

/// The given nodes and everything that lies under them, in the trash or not, as [`placement`] climbs.
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
