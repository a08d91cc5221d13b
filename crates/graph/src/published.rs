//! A publication as everyone sees it who has its public token, listed once for all of them.

use crate::access;
use crate::batch::{Batch, Subject};
use crate::hash::HashMap;
use crate::id::NodeId;
use crate::load::Page;
use crate::model::{Level, Link, Node};
use crate::view::{SeenLink, SeenNode, Sight, in_order_of_creation, owner_of};
use crate::world::{Graph, World};
use std::sync::Arc;

/// What a publication covers. It holds until a batch changes that; see [`PublishedList::outlives`].
#[derive(Debug, PartialEq)]
pub struct PublishedList {
    root: NodeId,
    branch: bool,
    order: Vec<NodeId>,
    /// The place of each node in `order`.
    places: HashMap<NodeId, usize>,
}

impl PublishedList {
    /// Lists the publication of a node; `None` if none is in force.
    ///
    /// Costs a walk through its branch.
    pub fn of(world: &World, root: NodeId) -> Option<Self> {
        let node = world.active_node(root)?;
        let branch = world.publication_in_force(node)?.branch;
        let covered = if branch { access::branch(world, [root]) } else { [root].into_iter().collect() };
        let order = in_order_of_creation(world, covered);
        let places = order.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        Some(PublishedList { root, branch, order, places })
    }

    /// How many nodes it has.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether it has none. A publication has at least its root.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// A page, as [`Load`](crate::load::Load) gives it after `offset` nodes. The World has changed only by batches
    /// that the list outlives; whether the publication is in force is for the caller to know.
    ///
    /// Costs what it returns.
    pub fn page(&self, world: &World, limit: usize, offset: usize) -> Page {
        let end = self.len().min(offset.saturating_add(limit));
        let here = self.order.get(offset.min(end)..end).unwrap_or_default();
        let roots: Arc<[NodeId]> = [self.root].into();
        let nodes = here.iter().filter_map(|id| world.active_node(*id)).map(|node| {
            let sight = Sight::Full { level: Level::Viewer, roots: Arc::clone(&roots) };
            SeenNode { node: Arc::clone(node), owner: owner_of(world, node), sight }
        });
        // A link is found at the later of its ends.
        let complete = |id: NodeId, link: &Link| {
            let place = |id| self.places.get(&id);
            !link.private && place(link.other(id)).is_some_and(|other| Some(other) < place(id))
        };
        let links = here
            .iter()
            .flat_map(|id| world.active_links_at(*id).filter(move |link| complete(*id, link.as_ref())));
        let mut links: Vec<SeenLink> =
            links.map(|link| SeenLink { link: Arc::clone(link), roots: Arc::clone(&roots) }).collect();
        links.sort_unstable_by_key(|seen| (seen.link.seq, seen.link.id));
        Page { nodes: nodes.collect(), links, has_more: end < self.len() }
    }

    /// Whether a batch leaves what the publication covers as it is: it does unless it changes a link to a covered
    /// node, or whether such a node is there.
    pub fn outlives(&self, batch: &Batch) -> bool {
        batch.entries.iter().all(|entry| match &entry.subject {
            Subject::Node(change) => match (&change.before, &change.after) {
                (Some(before), Some(after)) => self.holds_node(before) == self.holds_node(after),
                (Some(node), None) | (None, Some(node)) => !self.places.contains_key(&node.id),
                (None, None) => true,
            },
            Subject::Link(change) => {
                let (before, after) = (change.before.as_deref(), change.after.as_deref());
                before.and_then(|link| self.leads_on(link)) == after.and_then(|link| self.leads_on(link))
            }
            _ => true,
        })
    }

    /// What of a node the list depends on, if it is covered.
    fn holds_node<'n>(&self, node: &'n Node) -> Option<impl PartialEq + use<'n>> {
        let publication = node.publication.as_deref().filter(|_| node.id == self.root);
        let publication = publication.map(|publication| publication.branch);
        self.places.contains_key(&node.id).then_some((node.in_trash, node.owner, publication))
    }

    /// What of a link the list depends on, if it leads to a covered node and the branch goes on over it.
    fn leads_on(&self, link: &Link) -> Option<(NodeId, NodeId)> {
        let carries = self.branch && !link.in_trash && !link.private;
        (carries && self.places.contains_key(&link.target)).then_some((link.source, link.target))
    }
}
