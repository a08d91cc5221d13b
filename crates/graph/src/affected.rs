//! The affected set: the nodes and links that may look different to a user once a batch is applied or due times
//! pass. It is computed before the World changes. The cost grows with what is affected, not with the graph.

use crate::access::branch;
use crate::audience::Audience;
use crate::batch::{Batch, Change, Subject};
use crate::cover::reach_anyone;
use crate::hash::{HashMap, HashSet};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Grant, Link, Node};
use crate::view::{Snapshot, may_show_phantom};
use crate::world::{Due, Graph, World};
use std::sync::Arc;

/// What may look different, and to whom.
#[derive(Debug, Default)]
pub(crate) struct AffectedSet {
    /// Nodes that have entries or are sources of links with entries. They are affected for everyone who sees them.
    affected_nodes: HashSet<NodeId>,
    affected_links: HashSet<LinkId>,
    /// The `affected_nodes` that may become a phantom for a user, stop being one, or be one with another status.
    /// Moved nodes may too.
    phantoms: HashSet<NodeId>,
    /// Share roots whose branches may enter or leave a view.
    roots: HashSet<NodeId>,
    /// Nodes that may enter or leave a view without an entry of their own.
    moved_nodes: HashSet<NodeId>,
    moved_links: HashSet<LinkId>,
    /// The users whose view they may enter or leave; `None` for everyone.
    moved_for: Option<HashSet<UserId>>,
}

impl AffectedSet {
    /// The affected set of a batch that is about to be applied.
    pub(crate) fn of_batch(world: &World, batch: &Batch, audience: Audience<'_>) -> Self {
        let mut affected = AffectedSet { moved_for: Some(HashSet::default()), ..AffectedSet::default() };
        let mut carrying: HashSet<NodeId> = HashSet::default();
        let mut carried_to: HashSet<NodeId> = HashSet::default();
        let made = Made::of(batch);
        for entry in &batch.entries {
            match &entry.subject {
                Subject::Node(change) => affected.note_node(world, change, audience),
                Subject::Link(change) => {
                    for link in [&change.before, &change.after].into_iter().flatten() {
                        affected.note_link(world, link, &made, audience);
                    }
                    for link in carried(world, change, &made) {
                        carrying.insert(link.source);
                        carried_to.insert(link.target);
                    }
                }
                Subject::Grant(change) => affected.note_grant(change, audience),
                Subject::Embed(change) => {
                    if let Some(embed) = change.latest().filter(|embed| audience.contains(embed.user)) {
                        affected.note_root(embed.node, [embed.user]);
                    }
                }
                Subject::User(_) | Subject::Token(_) => {}
            }
        }
        // A branch that is made as a whole has nothing in it that was there before.
        let carries_more = carrying.iter().any(|id| !made.nodes.contains_key(id));
        if carries_more && (made.shares || reach_anyone(world, carried_to, audience)) {
            affected.moved_for = None;
            affected.roots.extend(carrying);
        }
        affected.add_moved(world);
        affected
    }

    /// The affected set of due times that are about to pass.
    pub(crate) fn of_dues(world: &World, dues: &[Due], audience: Audience<'_>) -> Self {
        let mut affected = AffectedSet { moved_for: Some(HashSet::default()), ..AffectedSet::default() };
        for due in dues {
            match due {
                Due::Grant(node, user) if audience.contains(*user) => affected.note_root(*node, [*user]),
                Due::Grant(..) => {}
                Due::Publication(node) => affected.note_embedders(world, *node, audience),
            }
        }
        affected.add_moved(world);
        affected
    }

    fn note_node(&mut self, world: &World, change: &Change<Arc<Node>>, audience: Audience<'_>) {
        let Some(node) = change.latest() else { return };
        self.affected_nodes.insert(node.id);
        let looks = |node: &Option<Arc<Node>>| node.as_ref().map(|node| (node.in_trash, node.status));
        if looks(&change.before) != looks(&change.after) {
            self.phantoms.insert(node.id);
        }
        let publication = |node: &Option<Arc<Node>>| node.as_ref().and_then(|node| node.publication.clone());
        if publication(&change.before) != publication(&change.after) {
            self.note_embedders(world, node.id, audience);
        }
    }

    fn note_link(&mut self, world: &World, link: &Link, made: &Made, audience: Audience<'_>) {
        self.affected_links.insert(link.id);
        // Without access to it, the source of a link may be a phantom; by what the batch makes, too.
        let by_made = made.shares || made.nodes.contains_key(&link.target);
        if by_made || may_show_phantom(world, link, audience) {
            self.affected_nodes.insert(link.source);
            self.phantoms.insert(link.source);
        }
    }

    fn note_grant(&mut self, change: &Change<Arc<Grant>>, audience: Audience<'_>) {
        if let Some(grant) = change.latest().filter(|grant| audience.contains(grant.user)) {
            self.note_root(grant.node, [grant.user]);
        }
    }

    fn note_embedders(&mut self, world: &World, node: NodeId, audience: Audience<'_>) {
        self.note_root(node, world.embedders(node).filter(|user| audience.contains(*user)));
    }

    /// Notes that these users' access by a share root changes.
    fn note_root(&mut self, root: NodeId, users: impl IntoIterator<Item = UserId>) {
        let mut users = users.into_iter().peekable();
        if users.peek().is_some() {
            self.roots.insert(root);
        }
        self.moved_for.get_or_insert_default().extend(users);
    }

    /// Adds everything below the roots, the links there, and the sources of those links.
    fn add_moved(&mut self, world: &World) {
        self.moved_nodes = branch(world, std::mem::take(&mut self.roots));
        self.add_links_of_moved(world);
    }

    fn add_links_of_moved(&mut self, world: &World) {
        for id in &self.moved_nodes {
            self.moved_links.extend(world.link_ids_at(*id));
        }
        let sources = self.moved_links.iter().filter_map(|id| world.link(*id)).map(|link| link.source);
        self.moved_nodes.extend(sources);
    }

    /// The nodes affected for a user.
    pub(crate) fn nodes_for(&self, user: UserId) -> impl Iterator<Item = NodeId> {
        let moved = self.concerns(user).then_some(&self.moved_nodes);
        let moved = moved.into_iter().flatten().filter(|id| !self.affected_nodes.contains(id));
        self.affected_nodes.iter().chain(moved).copied()
    }

    /// The links affected for a user.
    pub(crate) fn links_for(&self, user: UserId) -> impl Iterator<Item = LinkId> {
        let moved = self.concerns(user).then_some(&self.moved_links);
        let moved = moved.into_iter().flatten().filter(|id| !self.affected_links.contains(id));
        self.affected_links.iter().chain(moved).copied()
    }

    /// The users whose view moved nodes and links may enter or leave, unless that is everyone.
    pub(crate) fn concerned(&self) -> impl Iterator<Item = UserId> {
        self.moved_for.iter().flatten().copied()
    }

    fn concerns(&self, user: UserId) -> bool {
        self.moved_for.as_ref().is_none_or(|users| users.contains(&user))
    }

    /// Takes a snapshot of all of it.
    pub(crate) fn look(&self, world: &World, audience: Audience<'_>) -> Snapshot {
        let nodes = self.affected_nodes.union(&self.moved_nodes).copied();
        let links = self.affected_links.union(&self.moved_links).copied();
        // Any other node that a user sees as a phantom stays a phantom with the same status, so nothing about it is
        // sent.
        Snapshot::take(world, nodes, links, audience, |id, _| {
            self.phantoms.contains(&id) || self.moved_nodes.contains(&id)
        })
    }
}

/// What a batch makes that the World does not know yet, but by which its links may bring something into view.
#[derive(Default)]
struct Made {
    /// The nodes, with their owners.
    nodes: HashMap<NodeId, UserId>,
    /// Whether it shares something with somebody.
    shares: bool,
}

impl Made {
    fn of(batch: &Batch) -> Self {
        let mut made = Made::default();
        for entry in &batch.entries {
            match &entry.subject {
                Subject::Node(Change { before: None, after: Some(node) }) => {
                    made.nodes.insert(node.id, node.owner);
                }
                Subject::Node(Change { before: Some(before), after: Some(after) }) => {
                    made.shares |= after.publication.is_some() && before.publication != after.publication;
                }
                Subject::Grant(Change { after: Some(_), .. })
                | Subject::Embed(Change { after: Some(_), .. }) => {
                    made.shares = true;
                }
                _ => {}
            }
        }
        made
    }

    fn owner(&self, world: &World, id: NodeId) -> Option<UserId> {
        world.node(id).map(|node| node.owner).or_else(|| self.nodes.get(&id).copied())
    }
}

/// The sides of a link's change, before and after, by which a branch hangs on another – where the change makes or ends
/// that.
fn carried<'c>(world: &World, change: &'c Change<Arc<Link>>, made: &Made) -> Vec<&'c Arc<Link>> {
    let one_owner = |link: &Link| {
        let owner = made.owner(world, link.source);
        owner.is_some() && owner == made.owner(world, link.target)
    };
    let carries = |link: &&Arc<Link>| !link.private && !link.in_trash && one_owner(link);
    let before = change.before.as_ref().filter(carries);
    let after = change.after.as_ref().filter(carries);
    match (before, after) {
        (Some(before), Some(after)) if before.source == after.source => Vec::new(),
        (before, after) => before.into_iter().chain(after).collect(),
    }
}
