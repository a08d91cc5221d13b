//! Loads, page by page: of the visible graph, of a branch, of a publication.

use crate::access;
use crate::hash::HashSet;
use crate::id::{NodeId, UserId};
use crate::look::{Look, Reader};
use crate::view::{SeenLink, SeenNode, in_order_of_creation};
use crate::visible::visible_nodes;
use crate::world::{Graph, World};

pub use crate::visible::visible;

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
    reader: Reader,
    order: Vec<NodeId>,
    /// Everything in `order` before this was sent or has vanished.
    at: usize,
    sent: HashSet<NodeId>,
}

/// The node of a public token, while its publication is in force.
pub fn published_root(world: &World, token: &str) -> Option<NodeId> {
    let root = world.published(token)?;
    world.publication_in_force(root).map(|_| root.id)
}

impl Load {
    /// Lists what the user sees now.
    pub fn begin(world: &World, user: UserId) -> Self {
        Self::of(Reader::User(user), visible_nodes(world, user))
    }

    /// Lists a branch as the user sees it: the part they have access to, or nothing.
    pub fn of_branch(world: &World, user: UserId, root: NodeId) -> Self {
        let mut branch = access::branch(world, [root]);
        let mut look = Look::new(world, Reader::User(user), branch.len());
        branch.retain(|id| world.active_node(*id).and_then(|node| look.covered(node)).is_some());
        Self::of(Reader::User(user), in_order_of_creation(world, branch))
    }

    /// Lists a publication, as a caller with its token sees it.
    pub fn of_publication(world: &World, root: NodeId) -> Self {
        Self::of(Reader::Anyone(root), in_order_of_creation(world, published(world, root)))
    }

    fn of(reader: Reader, order: Vec<NodeId>) -> Self {
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
        let mut look = Look::new(world, self.reader, limit);
        let (mut nodes, mut links) = (Vec::new(), Vec::new());
        while nodes.len() < limit
            && let Some(id) = self.order.get(self.at).copied()
        {
            self.at += 1;
            let Some(seen) = look.node(id) else { continue };
            nodes.push(seen);
            self.sent.insert(id);
            // A link is found at the later of its ends.
            let complete = world.active_links_at(id).filter(|link| self.sent.contains(&link.other(id)));
            links.extend(complete.filter_map(|link| look.link(link)));
        }

        links.sort_unstable_by_key(|seen| (seen.link.seq, seen.link.id));
        Page { nodes, links, has_more: self.skip_vanished(&mut look) }
    }

    /// Advances to the next node that is still visible; false at the end.
    fn skip_vanished(&mut self, look: &mut Look<'_>) -> bool {
        while let Some(id) = self.order.get(self.at) {
            if look.sees(*id) {
                return true;
            }
            self.at += 1;
        }
        false
    }
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
