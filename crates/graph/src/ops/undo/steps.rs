//! The steps of an undo or redo: what a batch meant, inverted or applied again.
//!
//! A batch can change an entity several times. Only the total change counts: from the entity before its first entry to the
//! entity after its last. The entries that were meant say which parts of that change are inverted. Derived changes are
//! derived again.

use super::{Step, unheld_status};
use crate::batch::{Batch, Change, Op, Subject};
use crate::hash::{HashMap, HashSet};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Grant, Link, Node, User};
use crate::node_fields;
use std::hash::Hash;
use std::sync::Arc;

/// The total change that a batch made to one entity.
struct Net<'b, T> {
    before: Option<&'b T>,
    after: Option<&'b T>,
    /// The operation codes of the entries that were meant.
    meant: HashSet<Op>,
    /// The positions in the batch of the first and the last of those entries.
    at: (usize, usize),
}

impl<'b, T> Net<'b, T> {
    /// The state that the step expects, and the state that it produces.
    fn sides(&self, backward: bool) -> (Option<&'b T>, Option<&'b T>) {
        if backward { (self.after, self.before) } else { (self.before, self.after) }
    }

    fn meant_any(&self, ops: &[Op]) -> bool {
        ops.iter().any(|op| self.meant.contains(op))
    }
}

/// The nets of one kind of entity, by key, in no particular order.
struct Nets<'b, K, T>(HashMap<K, Net<'b, T>>);

impl<K, T> Default for Nets<'_, K, T> {
    fn default() -> Self {
        Nets(HashMap::default())
    }
}

impl<'b, K: Eq + Hash, T> Nets<'b, K, T> {
    fn note(&mut self, key: Option<K>, change: &'b Change<T>, op: Op, meant_at: Option<usize>) {
        let Some(key) = key else { return };
        let net = self.0.entry(key).or_insert_with(|| Net {
            before: change.before.as_ref(),
            after: None,
            meant: HashSet::default(),
            at: (usize::MAX, 0),
        });
        net.after = change.after.as_ref();
        if let Some(at) = meant_at {
            net.meant.insert(op);
            net.at = (net.at.0.min(at), at);
        }
    }

    /// The entities with at least one entry that was meant, without those that came and went within the batch.
    fn meant(&self) -> impl Iterator<Item = &Net<'b, T>> {
        let nets = self.0.values().filter(|net| !net.meant.is_empty());
        nets.filter(|net| net.before.is_some() || net.after.is_some())
    }
}

/// When a step is carried out. Links are changed and trashed before nodes return, so that a link that returns with a node
/// never meets one that is about to go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Fields of links that are active, or will return with a node.
    LinkFields,
    /// Everything else about nodes that are about to go to the trash, while they are still active.
    Going,
    GoingStatus,
    /// Before the nodes, so that these links do not go along with an end: they are in the trash on their own.
    LinkTrash,
    NodeTrash,
    /// Links that the batch added together with one of their ends. They go along with it.
    AddedLinkTrash,
    NodeRestore,
    LinkRestore,
    /// Fields of links that were in the trash on their own.
    RestoredLinkFields,
    Rest,
    /// After the fields of the node, as in an update, because the fields determine whether the node is held.
    Status,
}

/// The steps of what the batch meant, in the order in which they are carried out.
pub(super) fn steps(root: &Batch, backward: bool) -> Vec<Step<'_>> {
    let mut nodes: Nets<'_, NodeId, Arc<Node>> = Nets::default();
    let mut links: Nets<'_, LinkId, Arc<Link>> = Nets::default();
    let mut grants: Nets<'_, (NodeId, UserId), Arc<Grant>> = Nets::default();
    let mut embeds: Nets<'_, (UserId, NodeId), _> = Nets::default();
    let mut users: Nets<'_, UserId, Arc<User>> = Nets::default();
    let mut others = Vec::new();
    for (at, entry) in root.entries.iter().enumerate() {
        let (op, at) = (entry.op, (!entry.derived).then_some(at));
        match &entry.subject {
            // A branch token is made and revoked, and not by way of history.
            Subject::Grant(_) if op.is_internal() => {
                let none = Step::None { node: None, link: None };
                others.extend(at.map(|at| (at, none)));
            }
            Subject::Node(change) => nodes.note(change.latest().map(|node| node.id), change, op, at),
            Subject::Link(change) => links.note(change.latest().map(|link| link.id), change, op, at),
            Subject::Grant(change) => {
                grants.note(change.latest().map(|grant| (grant.node, grant.user)), change, op, at);
            }
            Subject::Embed(change) => {
                embeds.note(change.latest().map(|embed| (embed.user, embed.node)), change, op, at);
            }
            Subject::User(change) if !op.is_internal() => {
                users.note(change.latest().map(|user| user.id), change, op, at);
            }
            Subject::User(_) | Subject::Token(_) | Subject::Key(_) => {}
        }
    }
    let mut steps = Steps { backward, ..Steps::default() };
    for (at, step) in others {
        steps.add((at, at), Phase::Rest, step);
    }
    for net in nodes.meant() {
        steps.add_node(net);
    }
    for net in links.meant() {
        steps.add_link(net);
    }
    for net in grants.meant() {
        let (from, to) = net.sides(backward);
        let same = |(a, b): (&Arc<Grant>, &Arc<Grant>)| {
            (a.level, a.branch, a.due, a.showing) == (b.level, b.branch, b.due, b.showing)
        };
        if !from.zip(to).is_some_and(same) {
            steps.add(net.at, Phase::Rest, Step::Grant { from, to });
        }
    }
    for net in embeds.meant() {
        if let (Some(embed), None) | (None, Some(embed)) = (net.before, net.after) {
            let present = net.sides(backward).1.is_some();
            steps.add(net.at, Phase::Rest, Step::Embed { embed: *embed, present });
        }
    }
    for net in users.meant() {
        match net.sides(backward) {
            _ if net.meant.contains(&Op::UserRemove) => {
                steps.add(net.at, Phase::Rest, Step::None { node: None, link: None });
            }
            (Some(from), Some(to)) if from != to => {
                steps.add(net.at, Phase::Rest, Step::Username { from, to });
            }
            _ => {}
        }
    }
    steps.in_order()
}

#[derive(Default)]
struct Steps<'b> {
    backward: bool,
    /// Nodes that the batch added.
    added: HashSet<NodeId>,
    /// Nodes that are about to go to the trash.
    going: HashSet<NodeId>,
    /// Nodes that are about to return.
    returning: HashSet<NodeId>,
    steps: Vec<(Phase, usize, Step<'b>)>,
}

impl<'b> Steps<'b> {
    /// Adds a step for the entries at these positions of the batch.
    fn add(&mut self, at: (usize, usize), phase: Phase, step: Step<'b>) {
        // An undo inverts the last entry first.
        let order = if self.backward { usize::MAX - at.1 } else { at.0 };
        self.steps.push((phase, order, step));
    }

    fn add_node(&mut self, net: &Net<'b, Arc<Node>>) {
        let Some(id) = net.before.or(net.after).map(|node| node.id) else { return };
        if net.after.is_none() {
            return self.add(net.at, Phase::Rest, Step::None { node: Some(id), link: None });
        }
        if net.before.is_none() {
            self.added.insert(id);
        }
        let (from, to) = net.sides(self.backward);
        // A node that was not there yet counts as one in the trash.
        let in_trash = |side: Option<&Arc<Node>>| side.is_none_or(|node| node.in_trash);
        match (in_trash(from), in_trash(to)) {
            (false, true) => {
                self.going.insert(id);
                self.add(net.at, Phase::NodeTrash, Step::NodeTrash { id });
            }
            (true, false) => {
                self.returning.insert(id);
                self.add(net.at, Phase::NodeRestore, Step::NodeRestore { id });
            }
            _ => {}
        }
        // Undoing the add of a node leaves its other changes in place.
        let (Some(from), Some(to)) = (from, to) else { return };
        let (from, to) = (from.as_ref(), to.as_ref());
        if net.meant.contains(&Op::NodeUpdate) && node_fields::are_overtaken(to, from, to) {
            self.add(net.at, Phase::Rest, Step::NodeFields { from, to });
        }
        if net.meant.contains(&Op::NodePublish) && from.publication != to.publication {
            self.add(net.at, Phase::Rest, Step::NodePublication { from, to });
        }
        if net.meant.contains(&Op::NodeStatus) && unheld_status(from) != unheld_status(to) {
            self.add(net.at, Phase::Status, Step::NodeStatus { from, to });
        }
    }

    fn add_link(&mut self, net: &Net<'b, Arc<Link>>) {
        let Some(id) = net.before.or(net.after).map(|link| link.id) else { return };
        if net.after.is_none() {
            return self.add(net.at, Phase::Rest, Step::None { node: None, link: Some(id) });
        }
        let (from, to) = net.sides(self.backward);
        if let (Some(from), Some(to)) = (from, to)
            && (from.source, from.private, from.kind) != (to.source, to.private, to.kind)
        {
            let op = if from.source == to.source { Op::LinkUpdate } else { Op::LinkSwap };
            let alone = from.in_trash && !from.cascade;
            let phase = if alone { Phase::RestoredLinkFields } else { Phase::LinkFields };
            self.add(net.at, phase, Step::LinkFields { op, from, to });
        }
        if net.meant_any(&[Op::LinkAdd, Op::LinkTrash, Op::LinkRestore]) {
            let was_in_trash = from.is_none_or(|link| link.in_trash);
            match to {
                Some(to) if !to.in_trash && was_in_trash => {
                    self.add(net.at, Phase::LinkRestore, Step::LinkRestore { id });
                }
                // A link that was trashed along with an end goes along again.
                Some(to) if !to.in_trash || to.cascade => {}
                // A link that is in the trash already matters only if it would return with an end.
                _ if from.is_none_or(|from| from.in_trash && !self.returns_with_end(from)) => {}
                _ => {
                    let added_with_end =
                        to.is_none() && from.is_some_and(|from| self.goes_with_added_end(from));
                    let phase = if added_with_end { Phase::AddedLinkTrash } else { Phase::LinkTrash };
                    self.add(net.at, phase, Step::LinkTrash { id, was_in_trash });
                }
            }
        }
    }

    /// Whether the batch added each end of the link that is about to go to the trash, and at least one.
    fn goes_with_added_end(&self, link: &Link) -> bool {
        let mut going =
            [link.source, link.target].into_iter().filter(|end| self.going.contains(end)).peekable();
        going.peek().is_some() && going.all(|end| self.added.contains(&end))
    }

    fn returns_with_end(&self, link: &Link) -> bool {
        link.cascade && [link.source, link.target].iter().any(|end| self.returning.contains(end))
    }

    fn in_order(mut self) -> Vec<Step<'b>> {
        let going = self.going;
        for (phase, _, step) in &mut self.steps {
            if step.node().is_some_and(|id| going.contains(&id)) {
                *phase = match phase {
                    Phase::Rest => Phase::Going,
                    Phase::Status => Phase::GoingStatus,
                    _ => *phase,
                };
            }
        }
        // Steps of one phase keep the order of their entries.
        self.steps.sort_by_key(|(phase, order, _)| (*phase, *order));
        self.steps.into_iter().map(|(.., step)| step).collect()
    }
}
