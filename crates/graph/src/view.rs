//! What a user sees: V(u), the visible graph, and parts of it at one moment.

use crate::access::sees_link;
use crate::audience::Audience;
use crate::cover::{Cover, covers, shared_roots};
use crate::hash::{HashMap, HashSet};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Level, Link, Node, User};
use crate::world::{Graph, World};
use std::sync::Arc;

/// How a user sees a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// With all its fields, as this access permits.
    Full {
        /// The user's access.
        level: Level,
        /// The share roots that cover it for the user, sorted.
        roots: Arc<[NodeId]>,
    },
    /// Only its existence and status: it blocks something they see.
    Phantom,
}

/// A node as a user sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenNode {
    /// The whole node; `sight` says how much of it is shown.
    pub node: Arc<Node>,
    /// Its owner; `None` when there is no such account.
    pub owner: Option<Arc<User>>,
    /// How it is seen.
    pub sight: Sight,
}

/// A link as a user sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenLink {
    /// The whole link.
    pub link: Arc<Link>,
    /// The share roots that cover both ends.
    pub roots: Arc<[NodeId]>,
}

impl SeenNode {
    /// Whether the user has access to it. A phantom has none.
    pub fn is_full(&self) -> bool {
        self.level().is_some()
    }

    /// The user's access to it; `None` for a phantom.
    pub fn level(&self) -> Option<Level> {
        match self.sight {
            Sight::Full { level, .. } => Some(level),
            Sight::Phantom => None,
        }
    }
}

/// Some nodes and links, with everything needed to tell who sees them and how: the plain way, by which the tests hold
/// the faster ones.
#[derive(Default)]
pub struct Snapshot {
    nodes: HashMap<NodeId, Looked>,
    links: HashMap<LinkId, Arc<Link>>,
    covers: HashMap<NodeId, Arc<Cover>>,
}

struct Looked {
    node: Arc<Node>,
    owner: Option<Arc<User>>,
    /// The primary links from the node that may make it a phantom for a user.
    held_by: Vec<Arc<Link>>,
}

impl Snapshot {
    /// Takes a snapshot of nodes and links for an audience. For each node that `may_be_phantom` picks by its cover,
    /// it also records who sees it as a phantom. Any other node is not treated as one.
    pub fn take(
        world: &World,
        nodes: impl IntoIterator<Item = NodeId>,
        links: impl IntoIterator<Item = LinkId>,
        audience: Audience<'_>,
        may_be_phantom: impl Fn(NodeId, &Cover) -> bool,
    ) -> Self {
        let mut snapshot = Snapshot::default();
        for node in nodes.into_iter().filter_map(|id| world.active_node(id)) {
            let looked = Looked { node: Arc::clone(node), owner: owner_of(world, node), held_by: Vec::new() };
            snapshot.nodes.insert(node.id, looked);
        }
        let mut asked: HashSet<NodeId> = snapshot.nodes.keys().copied().collect();
        for link in links.into_iter().filter_map(|id| active_link(world, id)) {
            asked.extend([link.source, link.target]);
            snapshot.links.insert(link.id, Arc::clone(link));
        }
        snapshot.covers = covers(world, asked, audience);
        let mut further: HashSet<NodeId> = HashSet::default();
        for (id, looked) in &mut snapshot.nodes {
            if snapshot.covers.get(id).is_some_and(|cover| may_be_phantom(*id, cover)) {
                let held_by = held_by(world, *id).filter(|link| may_show_phantom(world, link, audience));
                looked.held_by = held_by.cloned().collect();
                further.extend(looked.held_by.iter().map(|link| link.target));
            }
        }
        further.retain(|id| !snapshot.covers.contains_key(id));
        snapshot.covers.extend(covers(world, further, audience));
        snapshot
    }

    /// The user's access to a node.
    pub fn level(&self, user: UserId, node: NodeId) -> Option<Level> {
        self.covers.get(&node)?.level(user)
    }

    /// The node as the user sees it; `None` if they do not.
    pub fn node(&self, user: UserId, id: NodeId) -> Option<SeenNode> {
        let looked = self.nodes.get(&id)?;
        let cover = self.covers.get(&id)?;
        let sight = match cover.level(user) {
            Some(level) => Sight::Full { level, roots: cover.roots_for(user) },
            None if looked.is_phantom(self, user) => Sight::Phantom,
            None => return None,
        };
        Some(SeenNode { node: Arc::clone(&looked.node), owner: looked.owner.clone(), sight })
    }

    /// The link as the user sees it; `None` if they do not.
    pub fn link(&self, user: UserId, id: LinkId) -> Option<SeenLink> {
        let link = self.links.get(&id)?;
        let (source, target) = (self.covers.get(&link.source)?, self.covers.get(&link.target)?);
        if !sees_link(user, link, source.level(user), target.level(user)) {
            return None;
        }
        Some(SeenLink { link: Arc::clone(link), roots: shared_roots(source, target, user) })
    }
}

impl Looked {
    fn is_phantom(&self, snapshot: &Snapshot, user: UserId) -> bool {
        self.held_by.iter().any(|link| sees_link(user, link, None, snapshot.level(user, link.target)))
    }
}

/// The owner of a node.
pub fn owner_of(world: &World, node: &Node) -> Option<Arc<User>> {
    world.user(node.owner).map(|slot| Arc::clone(&slot.user))
}

fn active_link(world: &World, id: LinkId) -> Option<&Arc<Link>> {
    world.link(id).filter(|link| !link.in_trash)
}

/// The primary links from the node, by which others wait for it.
pub(crate) fn held_by(world: &World, id: NodeId) -> impl Iterator<Item = &Arc<Link>> {
    world.active_links_up(id).filter(|link| link.is_primary())
}

/// Whether this link, while it is active, may let a user of the audience see its source as a phantom. That takes
/// access to the target without access to the source. If both have one owner, whatever covers the target with its
/// branch also covers the source, through this very link.
pub fn may_show_phantom(world: &World, link: &Link, audience: Audience<'_>) -> bool {
    match (world.node(link.source), world.node(link.target)) {
        (Some(source), Some(target)) => may_show(world, link, source, target, audience),
        _ => false,
    }
}

/// [`may_show_phantom`] with the ends of the link.
pub(crate) fn may_show(
    world: &World,
    link: &Link,
    source: &Node,
    target: &Node,
    audience: Audience<'_>,
) -> bool {
    if !link.is_primary() {
        false
    } else if source.owner == target.owner {
        !link.private && is_shared_alone(world, target)
    } else {
        let shares = world.user(target.owner).is_some_and(|slot| !slot.shared.is_empty());
        audience.contains(target.owner) || (!link.private && shares)
    }
}

/// Whether the node has a share, in force or not, without its branch.
fn is_shared_alone(world: &World, node: &Node) -> bool {
    // Most owners share little.
    if !world.user(node.owner).is_some_and(|slot| slot.shared.contains(&node.id)) {
        return false;
    }
    node.publication.as_ref().is_some_and(|publication| !publication.branch)
        || world.grants_on(node.id).any(|grant| !grant.branch)
}

pub(crate) fn in_order_of_creation(world: &World, nodes: HashSet<NodeId>) -> Vec<NodeId> {
    let mut ordered: Vec<(u64, NodeId)> =
        nodes.into_iter().filter_map(|id| world.node(id).map(|node| (node.seq, id))).collect();
    ordered.sort_unstable();
    ordered.into_iter().map(|(_, id)| id).collect()
}
