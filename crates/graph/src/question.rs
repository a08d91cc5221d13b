//! What a batch, or the passing of due times, puts in question: the nodes and links that may look different to
//! someone afterwards. Found before the World changes, at the cost of what is in question and not of whole graphs.

use crate::access::{branch, covers, one_owner};
use crate::batch::{Batch, Change, Subject};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Grant, Link, Node};
use crate::view::Snapshot;
use crate::world::{Due, Graph, World};
use std::collections::HashSet;
use std::sync::Arc;

/// What may look different, and to whom.
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// Nodes with entries and their like: in question for everyone who sees them.
    told_nodes: HashSet<NodeId>,
    told_links: HashSet<LinkId>,
    /// What may come into view or leave it without an entry of its own.
    moved_nodes: HashSet<NodeId>,
    moved_links: HashSet<LinkId>,
    /// For whom it may; `None` for anyone.
    moved_for: Option<HashSet<UserId>>,
}

impl Question {
    /// What a batch puts in question that the World is about to apply.
    pub(crate) fn of_batch(world: &World, batch: &Batch, viewers: &HashSet<UserId>) -> Self {
        let mut question = Question { moved_for: Some(HashSet::new()), ..Question::default() };
        let mut carrying: Vec<NodeId> = Vec::new();
        let mut shared_above = false;
        for entry in &batch.entries {
            match &entry.subject {
                Subject::Node(change) => question.note_node(world, change, viewers),
                Subject::Link(change) => {
                    for link in [&change.before, &change.after].into_iter().flatten() {
                        question.told_links.insert(link.id);
                        // Without access to it, the source of a link may be a phantom.
                        question.told_nodes.insert(link.source);
                    }
                    for link in carried(world, change) {
                        carrying.push(link.source);
                        shared_above |= is_shared(world, link.target, viewers);
                    }
                }
                Subject::Grant(change) => question.note_grant(world, change, viewers),
                Subject::Embed(change) => {
                    if let Some(embed) = change.latest().filter(|embed| viewers.contains(&embed.user)) {
                        question.note_root(world, embed.node, [embed.user]);
                    }
                }
                Subject::User(_) | Subject::Token(_) => {}
            }
        }
        if shared_above {
            question.moved_for = None;
            question.moved_nodes.extend(branch(world, carrying));
        }
        question.add_links_of_moved(world);
        question
    }

    /// What due times put in question that are about to pass.
    pub(crate) fn of_dues(world: &World, dues: &[Due], viewers: &HashSet<UserId>) -> Self {
        let mut question = Question { moved_for: Some(HashSet::new()), ..Question::default() };
        for due in dues {
            match due {
                Due::Grant(node, user) if viewers.contains(user) => question.note_root(world, *node, [*user]),
                Due::Grant(..) => {}
                Due::Publication(node) => {
                    let users: Vec<UserId> =
                        world.embedders(*node).filter(|user| viewers.contains(user)).collect();
                    question.note_root(world, *node, users);
                }
            }
        }
        question.add_links_of_moved(world);
        question
    }

    fn note_node(&mut self, world: &World, change: &Change<Arc<Node>>, viewers: &HashSet<UserId>) {
        let Some(node) = change.latest() else { return };
        self.told_nodes.insert(node.id);
        let publication = |node: &Option<Arc<Node>>| node.as_ref().and_then(|node| node.publication.clone());
        if publication(&change.before) != publication(&change.after) {
            let users: Vec<UserId> = world.embedders(node.id).filter(|user| viewers.contains(user)).collect();
            self.note_root(world, node.id, users);
        }
    }

    fn note_grant(&mut self, world: &World, change: &Change<Arc<Grant>>, viewers: &HashSet<UserId>) {
        if let Some(grant) = change.latest().filter(|grant| viewers.contains(&grant.user)) {
            self.note_root(world, grant.node, [grant.user]);
        }
    }

    /// The access these users have by a share root changes.
    fn note_root(&mut self, world: &World, root: NodeId, users: impl IntoIterator<Item = UserId>) {
        let users: Vec<UserId> = users.into_iter().collect();
        if !users.is_empty() {
            self.moved_nodes.extend(branch(world, [root]));
        }
        self.moved_for.get_or_insert_default().extend(users);
    }

    fn add_links_of_moved(&mut self, world: &World) {
        for id in &self.moved_nodes {
            self.moved_links.extend(world.link_ids_at(*id));
        }
        let sources = self.moved_links.iter().filter_map(|id| world.link(*id)).map(|link| link.source);
        self.moved_nodes.extend(sources);
    }

    /// The nodes in question for a user.
    pub(crate) fn nodes_for(&self, user: UserId) -> impl Iterator<Item = NodeId> {
        let moved = self.concerns(user).then_some(&self.moved_nodes);
        let moved = moved.into_iter().flatten().filter(|id| !self.told_nodes.contains(id));
        self.told_nodes.iter().chain(moved).copied()
    }

    /// The links in question for a user.
    pub(crate) fn links_for(&self, user: UserId) -> impl Iterator<Item = LinkId> {
        let moved = self.concerns(user).then_some(&self.moved_links);
        let moved = moved.into_iter().flatten().filter(|id| !self.told_links.contains(id));
        self.told_links.iter().chain(moved).copied()
    }

    fn concerns(&self, user: UserId) -> bool {
        self.moved_for.as_ref().is_none_or(|users| users.contains(&user))
    }

    /// How all of it looks now.
    pub(crate) fn look(&self, world: &World, viewers: &HashSet<UserId>) -> Snapshot {
        let nodes = self.told_nodes.union(&self.moved_nodes).copied();
        let links = self.told_links.union(&self.moved_links).copied();
        Snapshot::take(world, nodes, links, &|user| viewers.contains(&user))
    }
}

/// The sides of a link's change, before and after, by which a branch hangs on another – where the change makes or ends
/// that.
fn carried<'c>(world: &World, change: &'c Change<Arc<Link>>) -> Vec<&'c Arc<Link>> {
    // A node that the batch adds is in question by its own entry and has no branch yet.
    let carries = |link: &&Arc<Link>| !link.private && !link.in_trash && one_owner(world, link);
    let before = change.before.as_ref().filter(carries);
    let after = change.after.as_ref().filter(carries);
    match (before, after) {
        (Some(before), Some(after)) if before.source == after.source => Vec::new(),
        (before, after) => before.into_iter().chain(after).collect(),
    }
}

/// Whether a viewer other than the owner may see the node or may come to see it in this batch: by what covers it, or
/// by its own shares when it is about to return.
fn is_shared(world: &World, id: NodeId, viewers: &HashSet<UserId>) -> bool {
    let covered = covers(world, [id], &|user| viewers.contains(&user));
    let by_itself = || {
        let grantees = world.grants_on(id).map(|grant| grant.user);
        grantees.chain(world.embedders(id)).any(|user| viewers.contains(&user))
    };
    covered.values().any(|cover| cover.is_shared()) || by_itself()
}
