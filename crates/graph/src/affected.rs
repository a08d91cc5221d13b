//! The affected set: the nodes and links that may look different to a user once a batch is applied or due times
//! pass. It is computed before the World changes. The cost grows with what is affected, not with the graph.

use crate::audience::Audience;
use crate::batch::{Batch, Change, Subject};
use crate::cover::reach_anyone;
use crate::effort;
use crate::entries::{EntityEntry, Entries, Shows};
use crate::hash::{HashMap, HashSet};
use crate::id::{NodeId, UserId};
use crate::model::{Grant, Link, Node};
use crate::view::may_show_phantom;
use crate::world::{Due, Graph, NodeLinks, World};
use std::sync::Arc;

/// What may look different, and to whom. Each of its nodes and links has a position in a list. First come the
/// entities with entries, at the numbers that [`Entries`] gives them.
#[derive(Default)]
pub(crate) struct AffectedSet {
    pub(crate) nodes: Affected<AffectedNode>,
    pub(crate) links: Affected<AffectedLink>,
    pub(crate) places: Places,
    /// Share roots whose branches may enter or leave a view.
    roots: HashSet<NodeId>,
    /// The users whose view moved nodes and links may enter or leave; `None` for everyone.
    moved_for: Option<HashSet<UserId>>,
    /// The nodes whose shares change.
    pub(crate) reshared: HashSet<NodeId>,
    /// Whether links, or nodes by coming or going, may change what the shares cover.
    pub(crate) relinks: bool,
}

/// Positions of nodes: those of the affected ones in their list, and after them those of nodes that matter only for who
/// sees the affected ones.
#[derive(Default)]
pub(crate) struct Places {
    position_of: HashMap<NodeId, u32>,
    affected: usize,
    pub(crate) further: Vec<NodeId>,
}

/// A list of affected entities.
pub(crate) struct Affected<E> {
    pub(crate) list: Vec<E>,
    /// How many of them, from the beginning, are affected for everyone who sees them. The others have no entries, and
    /// are moved: they may enter or leave a view.
    for_all: usize,
    /// The positions in order of creation: of those affected for everyone, and of all.
    order_for_all: Vec<u32>,
    order: Vec<u32>,
}

impl<E> Default for Affected<E> {
    fn default() -> Self {
        Affected { list: Vec::new(), for_all: 0, order_for_all: Vec::new(), order: Vec::new() }
    }
}

#[derive(Default)]
pub(crate) struct AffectedNode {
    /// The node before, if it is active and has no entries. Those that have entries tell it themselves.
    pub(crate) before: Option<Arc<Node>>,
    seq: u64,
    /// Whether it may become a phantom for a user, stop being one, or be one with another status.
    phantom: bool,
    /// Whether it may enter or leave a view without an entry of its own.
    moved: Option<Moved>,
}

/// How a node is moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moved {
    /// It is in the branch of a root.
    Branch,
    /// It is the source of a link to such a node.
    Source,
}

#[derive(Default)]
pub(crate) struct AffectedLink {
    /// The link before, if it is active and has no entries.
    pub(crate) before: Option<Arc<Link>>,
    seq: u64,
    moved: bool,
}

impl AffectedSet {
    /// The affected set of a batch that is about to be applied.
    pub(crate) fn of_batch(
        world: &World,
        batch: &Batch,
        entries: &mut Entries<'_>,
        audience: Audience<'_>,
    ) -> Self {
        let mut affected = Self::with(entries);
        let mut carrying: HashSet<NodeId> = HashSet::default();
        let mut carried_to: HashSet<NodeId> = HashSet::default();
        let made = Made::of(batch);
        for (at, entries) in (0..).zip(entries.nodes.iter()) {
            for entry in entries {
                affected.note_node(world, at, entry.change, audience);
            }
        }
        for change in entries.links.iter().flatten().map(|entry| entry.change) {
            // A change of anything else brings nothing into view.
            let looks = |link: &Link| (link.source, link.target, link.kind, link.private, link.in_trash);
            if change.before.as_deref().map(looks) == change.after.as_deref().map(looks) {
                continue;
            }
            affected.relinks = true;
            for link in [&change.before, &change.after].into_iter().flatten() {
                affected.note_link(world, link, &made, audience);
            }
            for link in carried(world, change, &made) {
                carrying.insert(link.source);
                carried_to.insert(link.target);
            }
        }
        for entry in &batch.entries {
            match &entry.subject {
                Subject::Grant(change) => affected.note_grant(change, audience),
                Subject::Embed(change) => {
                    let Some(embed) = change.latest() else { continue };
                    affected.reshared.insert(embed.node);
                    if audience.contains(embed.user) {
                        affected.note_root(embed.node, [embed.user]);
                    }
                }
                Subject::Node(_)
                | Subject::Link(_)
                | Subject::User(_)
                | Subject::Token(_)
                | Subject::Key(_) => {}
            }
        }
        // A branch that is made as a whole has nothing in it that was there before.
        let carries_more = carrying.iter().any(|id| !made.nodes.contains_key(id));
        if carries_more && (made.shares || reach_anyone(world, carried_to, audience)) {
            affected.moved_for = None;
            affected.roots.extend(carrying);
        }
        affected.complete(world, entries)
    }

    /// The affected set of due times that are about to pass.
    pub(crate) fn of_dues(world: &World, dues: &[Due], audience: Audience<'_>) -> Self {
        let mut entries = Entries::of(None);
        let mut affected = Self::with(&mut entries);
        for due in dues {
            match due {
                Due::Grant(node, user) => {
                    affected.reshared.insert(*node);
                    if audience.contains(*user) {
                        affected.note_root(*node, [*user]);
                    }
                }
                Due::Publication(node) => affected.note_embedders(world, *node, audience),
            }
        }
        affected.complete(world, &entries)
    }

    /// Everything with entries. The entries keep their numbers but give up their table.
    fn with(entries: &mut Entries<'_>) -> Self {
        let node = |of: &[EntityEntry<'_, Node>]| AffectedNode { seq: seq(of), ..AffectedNode::default() };
        let link = |of: &[EntityEntry<'_, Link>]| AffectedLink { seq: seq(of), ..AffectedLink::default() };
        let (nodes, links) = (entries.nodes.iter().map(node), entries.links.iter().map(link));
        AffectedSet {
            nodes: Affected { list: nodes.collect(), ..Affected::default() },
            links: Affected { list: links.collect(), ..Affected::default() },
            places: Places { position_of: std::mem::take(&mut entries.nodes.number_of), ..Places::default() },
            moved_for: Some(HashSet::default()),
            ..AffectedSet::default()
        }
    }

    fn note_node(&mut self, world: &World, at: u32, change: &Change<Arc<Node>>, audience: Audience<'_>) {
        let Some(node) = change.latest() else { return };
        let looks = |node: &Option<Arc<Node>>| node.as_ref().map(|node| (node.in_trash, node.status));
        let (was, is) = (looks(&change.before), looks(&change.after));
        if was != is
            && let Some(affected) = self.nodes.list.get_mut(at as usize)
        {
            affected.phantom = true;
        }
        self.relinks |= was.map(|was| was.0) != is.map(|is| is.0);
        let publication = |node: &Option<Arc<Node>>| node.as_ref().and_then(|node| node.publication.clone());
        if publication(&change.before) != publication(&change.after) {
            self.note_embedders(world, node.id, audience);
        }
    }

    fn note_link(&mut self, world: &World, link: &Link, made: &Made, audience: Audience<'_>) {
        // Without access to it, the source of a link may be a phantom; by what the batch makes, too.
        let by_made = made.shares || made.nodes.contains_key(&link.target);
        if (by_made || may_show_phantom(world, link, audience))
            && let Some(at) = self.node_at(world, link.source)
            && let Some(source) = self.nodes.list.get_mut(at as usize)
        {
            source.phantom = true;
        }
    }

    fn note_grant(&mut self, change: &Change<Arc<Grant>>, audience: Audience<'_>) {
        let Some(grant) = change.latest() else { return };
        self.reshared.insert(grant.node);
        if audience.contains(grant.user) {
            self.note_root(grant.node, [grant.user]);
        }
    }

    fn note_embedders(&mut self, world: &World, node: NodeId, audience: Audience<'_>) {
        self.reshared.insert(node);
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

    /// The position of a node, which is added if the World has it.
    fn node_at(&mut self, world: &World, id: NodeId) -> Option<u32> {
        if let Some(at) = self.places.position_of.get(&id) {
            return Some(*at);
        }
        let node = world.node(id)?;
        let before = Some(node).filter(|node| !node.in_trash).cloned();
        Some(self.add_node(id, AffectedNode { before, seq: node.seq, ..AffectedNode::default() }))
    }

    fn add_node(&mut self, id: NodeId, node: AffectedNode) -> u32 {
        let at = position(self.nodes.list.len());
        self.places.position_of.insert(id, at);
        self.nodes.list.push(node);
        at
    }

    /// Adds what is moved: everything below the roots, the links there, and the sources of those links.
    fn complete(mut self, world: &World, entries: &Entries<'_>) -> Self {
        (self.nodes.for_all, self.links.for_all) = (self.nodes.list.len(), self.links.list.len());
        let found = |id: NodeId| world.node_links(id).filter(|found| !found.node.in_trash);
        let mut waiting: Vec<NodeLinks<'_>> = Vec::new();
        for root in std::mem::take(&mut self.roots) {
            waiting.extend(found(root).filter(|root| self.move_node(root.node, Moved::Branch)));
        }
        let mut aside: Vec<(&Arc<Link>, &Arc<Node>)> = Vec::new();
        while let Some(NodeLinks { node, up, down, .. }) = waiting.pop() {
            for link in up.iter().filter(|link| !link.in_trash) {
                effort::note();
                self.move_link(link, entries);
            }
            for link in down.iter().filter(|link| !link.in_trash) {
                effort::note();
                if self.is_in_branch(link.source) {
                    continue;
                }
                let Some(below) = found(link.source) else { continue };
                if link.private || below.node.owner != node.owner {
                    aside.push((link, below.node));
                } else if self.move_node(below.node, Moved::Branch) {
                    waiting.push(below);
                }
            }
        }
        for (link, source) in aside {
            // If the source is in the branch all the same, its links are known.
            if !self.is_in_branch(source.id) {
                self.move_link(link, entries);
                self.move_node(source, Moved::Source);
            }
        }
        self.places.affected = self.nodes.list.len();
        self.nodes.put_in_order(|node| node.seq);
        self.links.put_in_order(|link| link.seq);
        self
    }

    fn is_in_branch(&self, id: NodeId) -> bool {
        let at = self.places.position_of.get(&id);
        let node = at.and_then(|at| self.nodes.list.get(*at as usize));
        node.is_some_and(|node| node.moved == Some(Moved::Branch))
    }

    /// Notes that a node is moved; false if that is known.
    fn move_node(&mut self, node: &Arc<Node>, how: Moved) -> bool {
        let at = self.places.position_of.get(&node.id);
        match at.and_then(|at| self.nodes.list.get_mut(*at as usize)) {
            Some(known) => known.moved.replace(known.moved.unwrap_or(how)).is_none(),
            None => {
                let (before, moved) = (Some(Arc::clone(node)), Some(how));
                self.add_node(node.id, AffectedNode { before, seq: node.seq, phantom: false, moved });
                true
            }
        }
    }

    fn move_link(&mut self, link: &Arc<Link>, entries: &Entries<'_>) {
        match entries.links.number_of.get(&link.id).and_then(|at| self.links.list.get_mut(*at as usize)) {
            Some(known) => known.moved = true,
            None => {
                let before = Some(Arc::clone(link));
                self.links.list.push(AffectedLink { before, seq: link.seq, moved: true });
            }
        }
    }

    /// The positions of the nodes affected for a user, in order of creation.
    pub(crate) fn nodes_for(&self, user: UserId) -> impl Iterator<Item = u32> {
        self.nodes.order(self.concerns(user)).iter().copied()
    }

    /// The positions of the links affected for a user, in order of creation.
    pub(crate) fn links_for(&self, user: UserId) -> impl Iterator<Item = u32> {
        self.links.order(self.concerns(user)).iter().copied()
    }

    /// The users whose view moved nodes and links may enter or leave, unless that is everyone.
    pub(crate) fn concerned(&self) -> impl Iterator<Item = UserId> {
        self.moved_for.iter().flatten().copied()
    }

    fn concerns(&self, user: UserId) -> bool {
        self.moved_for.as_ref().is_none_or(|users| users.contains(&user))
    }
}

impl AffectedNode {
    /// Whether it may become a phantom for a user, stop being one, or be one with another status. Any other node that
    /// a user sees as a phantom stays one with the same status, so nothing about it is sent.
    pub(crate) fn may_be_phantom(&self) -> bool {
        self.phantom || self.moved.is_some()
    }
}

impl<E> Affected<E> {
    fn put_in_order(&mut self, seq: impl Fn(&E) -> u64) {
        let in_order = |count: usize| {
            let mut order: Vec<(u64, u32)> = self.list.iter().take(count).map(&seq).zip(0..).collect();
            order.sort_unstable();
            order.into_iter().map(|(_, at)| at).collect()
        };
        self.order_for_all = in_order(self.for_all);
        if self.for_all < self.list.len() {
            self.order = in_order(self.list.len());
        }
    }

    fn order(&self, all: bool) -> &[u32] {
        if all && !self.order.is_empty() { &self.order } else { &self.order_for_all }
    }
}

impl Places {
    /// The position of a node, if it has one.
    pub(crate) fn position(&self, id: NodeId) -> Option<u32> {
        self.position_of.get(&id).copied()
    }

    /// The position of a node. One that is not affected is added after the affected ones.
    pub(crate) fn place(&mut self, id: NodeId) -> u32 {
        let next = position(self.affected + self.further.len());
        *self.position_of.entry(id).or_insert_with(|| {
            self.further.push(id);
            next
        })
    }
}

fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The place in the order of creation of the entity of these entries.
fn seq<T: Shows>(entries: &[EntityEntry<'_, T>]) -> u64 {
    entries.first().and_then(|entry| entry.change.latest()).map_or(0, |entity| entity.seq())
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
