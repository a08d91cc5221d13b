//! Loads, page by page: of the visible graph, of a branch, of a publication.

use crate::access;
use crate::audience::Audience;
use crate::cover::{Cover, Placements};
use crate::hash::{HashMap, HashSet};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Level, Link};
use crate::view::{
    SeenLink, SeenNode, Sight, Snapshot, in_order_of_creation, owner_of, visible_nodes, visible_of,
};
use crate::world::{Graph, World};
use std::sync::Arc;

/// One page of a load.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// In order of creation.
    pub nodes: Vec<SeenNode>,
    /// Every visible link whose second end this page brings.
    pub links: Vec<SeenLink>,
    /// Whether anything visible is left to load.
    pub has_more: bool,
}

/// A load, page by page, that misses and repeats nothing while the World changes. What is listed at the beginning
/// is sent in its turn if it is still visible. What enters the user's view later arrives by diff.
#[derive(Clone, Debug)]
pub struct Load {
    reader: LoadReader,
    order: Vec<NodeId>,
    /// Everything in `order` before this was sent or has vanished.
    at: usize,
    sent: HashSet<NodeId>,
}

/// The reader of a load.
#[derive(Clone, Copy, Debug)]
enum LoadReader {
    User(UserId),
    /// A caller with the public token of this node.
    Anyone(NodeId),
}

/// The whole of V(u).
pub fn visible(world: &World, user: UserId) -> Page {
    Load::begin(world, user).next(world, usize::MAX)
}

/// The node of a public token, while its publication is in force.
pub fn published_root(world: &World, token: &str) -> Option<NodeId> {
    let root = world.published(token)?;
    world.publication_in_force(root).map(|_| root.id)
}

/// How many nodes are examined together when a page skips vanished ones.
const STRIDE: usize = 1000;

impl Load {
    /// Lists what the user sees now.
    pub fn begin(world: &World, user: UserId) -> Self {
        Self::of(LoadReader::User(user), visible_nodes(world, user))
    }

    /// Lists a branch as the user sees it: the part they have access to, or nothing.
    pub fn of_branch(world: &World, user: UserId, root: NodeId) -> Self {
        let mut branch = access::branch(world, [root]);
        let placed = Placements::of(world, user, branch.iter().copied());
        branch.retain(|id| placed.level(*id).is_some());
        Self::of(LoadReader::User(user), in_order_of_creation(world, branch))
    }

    /// Lists a publication, as a caller with its token sees it.
    pub fn of_publication(world: &World, root: NodeId) -> Self {
        Self::of(LoadReader::Anyone(root), in_order_of_creation(world, published(world, root)))
    }

    fn of(reader: LoadReader, order: Vec<NodeId>) -> Self {
        Load { reader, order, at: 0, sent: HashSet::default() }
    }

    /// How many nodes were sent or skipped.
    pub fn sent(&self) -> usize {
        self.sent.len()
    }

    /// Treats the first `count` nodes as sent. This is correct only at the beginning, while everything listed is
    /// visible.
    pub fn skip(&mut self, count: usize) {
        let skipped = self.order.iter().skip(self.at).take(count);
        let before = self.sent.len();
        self.sent.extend(skipped);
        self.at += self.sent.len() - before;
    }

    /// The next page: full unless it is the last.
    pub fn next(&mut self, world: &World, limit: usize) -> Page {
        let look = Look::now(world, self.reader);
        let mut nodes: Vec<SeenNode> = Vec::new();
        while nodes.len() < limit && self.at < self.order.len() {
            let stride = (limit - nodes.len()).min(STRIDE);
            let candidates = self.upcoming(stride);
            nodes.extend(look.nodes(&candidates));
            self.at += candidates.len();
        }
        self.sent.extend(nodes.iter().map(|seen| seen.node.id));
        let links = look.links(&self.completed_links(world, &nodes));
        Page { nodes, links, has_more: self.skip_vanished(&look) }
    }

    fn upcoming(&self, count: usize) -> Vec<NodeId> {
        self.order.iter().skip(self.at).take(count).copied().collect()
    }

    /// The links that these nodes complete, in order of creation.
    fn completed_links(&self, world: &World, nodes: &[SeenNode]) -> Vec<LinkId> {
        let mut links: HashMap<LinkId, u64> = HashMap::default();
        for seen in nodes {
            let here = seen.node.id;
            let complete = |link: &&Arc<Link>| self.sent.contains(&link.other(here));
            links.extend(world.active_links_at(here).filter(complete).map(|link| (link.id, link.seq)));
        }
        let mut links: Vec<(u64, LinkId)> = links.into_iter().map(|(id, seq)| (seq, id)).collect();
        links.sort_unstable();
        links.into_iter().map(|(_, id)| id).collect()
    }

    /// Advances to the next node that is still visible; false at the end.
    fn skip_vanished(&mut self, look: &Look<'_>) -> bool {
        while self.at < self.order.len() {
            let candidates = self.upcoming(STRIDE);
            // The very next node is usually visible, so one is examined first.
            for some in [candidates.get(..1), candidates.get(1..)].into_iter().flatten() {
                let visible = look.visible(some);
                let vanished = some.iter().take_while(|id| !visible.contains(id)).count();
                self.at += vanished;
                if vanished < some.len() {
                    return true;
                }
            }
        }
        false
    }
}

/// What the reader sees at one moment.
enum Look<'w> {
    User { world: &'w World, user: UserId },
    Anyone { world: &'w World, covered: HashSet<NodeId>, roots: Arc<[NodeId]> },
}

impl<'w> Look<'w> {
    fn now(world: &'w World, reader: LoadReader) -> Self {
        match reader {
            LoadReader::User(user) => Look::User { world, user },
            LoadReader::Anyone(root) => {
                Look::Anyone { world, covered: published(world, root), roots: [root].into() }
            }
        }
    }

    /// The visible ones among the nodes.
    fn nodes(&self, ids: &[NodeId]) -> Vec<SeenNode> {
        match self {
            Look::User { world, user } => {
                let snapshot = snapshot(world, *user, ids, &[]);
                ids.iter().filter_map(|id| snapshot.node(*user, *id)).collect()
            }
            Look::Anyone { world, covered, roots } => {
                let covered = ids.iter().filter(|id| covered.contains(id));
                let seen = covered.filter_map(|id| world.active_node(*id)).map(|node| {
                    let sight = Sight::Full { level: Level::Viewer, roots: Arc::clone(roots) };
                    SeenNode { node: Arc::clone(node), owner: owner_of(world, node), sight }
                });
                seen.collect()
            }
        }
    }

    /// The visible ones among the links.
    fn links(&self, ids: &[LinkId]) -> Vec<SeenLink> {
        match self {
            Look::User { world, user } => {
                let snapshot = snapshot(world, *user, &[], ids);
                ids.iter().filter_map(|id| snapshot.link(*user, *id)).collect()
            }
            Look::Anyone { world, covered, roots } => {
                let within = |link: &&Arc<Link>| {
                    !link.private && covered.contains(&link.source) && covered.contains(&link.target)
                };
                let seen = ids.iter().filter_map(|id| world.link(*id)).filter(within);
                seen.map(|link| SeenLink { link: Arc::clone(link), roots: Arc::clone(roots) }).collect()
            }
        }
    }

    /// Which of the nodes are visible.
    fn visible(&self, ids: &[NodeId]) -> HashSet<NodeId> {
        match self {
            Look::User { world, user } => visible_of(world, *user, ids),
            Look::Anyone { world, covered, .. } => {
                let seen = |id: &NodeId| covered.contains(id) && world.active_node(*id).is_some();
                ids.iter().copied().filter(seen).collect()
            }
        }
    }
}

fn snapshot(world: &World, user: UserId, nodes: &[NodeId], links: &[LinkId]) -> Snapshot {
    let (nodes, links) = (nodes.iter().copied(), links.iter().copied());
    let no_access = |_, cover: &Cover| cover.level(user).is_none();
    Snapshot::take(world, nodes, links, Audience::One(user), no_access)
}

/// What a publication in force covers; empty if there is none.
fn published(world: &World, root: NodeId) -> HashSet<NodeId> {
    let publication = world.active_node(root).and_then(|node| world.publication_in_force(node));
    match publication {
        Some(publication) if publication.branch => access::branch(world, [root]),
        Some(_) => HashSet::from_iter([root]),
        None => HashSet::default(),
    }
}
