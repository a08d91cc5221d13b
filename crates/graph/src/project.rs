//! Projection: what a batch, or the passing of due times, means to each user who is concerned.
//!
//! A [`Scene`] is set before the World changes and read after. It holds how everything in question looked, and compares
//! it with how it looks then. A user's diff follows from that comparison alone: what came into view is shown, what
//! left it is hidden, what stayed in it is told by the batch's own entries.

use crate::audience::Audience;
use crate::batch::{Batch, Change, Entry, Op, Subject};
use crate::cover::{Standing, admitted, standings};
use crate::diff::{AccessChange, Diff, LinkChange, NodeChange, UserChange};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Grant, Level, Link, Node};
use crate::question::Question;
use crate::trash;
use crate::view::{SeenLink, SeenNode, Sight, Snapshot};
use crate::world::{Due, Graph, World};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What is in question, and how it looked before.
pub struct Scene<'b> {
    entries: Entries<'b>,
    batch: Option<&'b Batch>,
    viewers: Audience<'b>,
    question: Question,
    before: Snapshot,
    /// What is told of entries about nothing in the graph: deletions from the trash, grants, accounts.
    asides: Asides,
}

impl<'b> Scene<'b> {
    /// Sets the scene for a batch that the World is about to apply. Diffs are made for `viewers` alone: the actor and
    /// whoever is connected.
    pub fn before(world: &World, batch: &'b Batch, viewers: impl Into<Audience<'b>>) -> Self {
        let viewers = viewers.into();
        let question = Question::of_batch(world, batch, viewers);
        let mut asides = Asides::default();
        asides.collect(world, batch, viewers);
        Self::set(world, question, Some(batch), viewers, asides)
    }

    /// Sets the scene for due times that are about to pass.
    pub fn before_due(world: &World, dues: &[Due], viewers: impl Into<Audience<'b>>) -> Self {
        let viewers = viewers.into();
        let question = Question::of_dues(world, dues, viewers);
        Self::set(world, question, None, viewers, Asides::default())
    }

    fn set(
        world: &World,
        question: Question,
        batch: Option<&'b Batch>,
        viewers: Audience<'b>,
        asides: Asides,
    ) -> Self {
        let before = question.look(world, viewers);
        Scene { entries: Entries::of(batch), batch, viewers, question, before, asides }
    }

    /// What each viewer is told, now that the World has changed: only those for whom something did.
    pub fn after(mut self, world: &World) -> Vec<(UserId, Diff)> {
        let after = self.question.look(world, self.viewers);
        if let Some(batch) = self.batch {
            // Whoever runs a node now is told of the grants on it, as is whoever did before.
            self.asides.collect(world, batch, self.viewers);
        }
        let mut users: BTreeSet<UserId> = self.before.users().union(&after.users()).copied().collect();
        users.extend(self.asides.told.keys());
        users.retain(|user| self.viewers.contains(*user));
        let diffs = users.into_iter().map(|user| (user, self.diff(world, user, &after)));
        diffs.filter(|(_, diff)| !diff.is_empty()).collect()
    }

    fn diff(&self, world: &World, user: UserId, after: &Snapshot) -> Diff {
        let mut diff = Diff::empty(world, self.batch);
        let mut nodes = Vec::new();
        for id in self.question.nodes_for(user) {
            let (was, is) = (self.before.node(user, id), after.node(user, id));
            tell_node(was, is, self.entries.nodes.get(&id).map_or(&[], Vec::as_slice), &mut nodes);
        }
        diff.nodes = in_order(nodes);
        let mut links = Vec::new();
        for id in self.question.links_for(user) {
            let (was, is) = (self.before.link(user, id), after.link(user, id));
            tell_link(was, is, self.entries.links.get(&id).map_or(&[], Vec::as_slice), &mut links);
        }
        diff.links = in_order(links);
        for aside in self.asides.told.get(&user).into_iter().flat_map(|asides| asides.values()) {
            match aside {
                Aside::Node(change) => diff.nodes.push(change.clone()),
                Aside::Link(change) => diff.links.push(change.clone()),
                Aside::User(change) => diff.user.push(change.clone()),
                Aside::Access(change) => diff.access.push(change.clone()),
            }
        }
        diff
    }
}

impl Diff {
    /// A diff that tells nothing, of a batch the World has just applied.
    pub fn empty(world: &World, batch: Option<&Batch>) -> Diff {
        let actor = batch.and_then(|batch| batch.actor).and_then(|id| world.user(id));
        Diff {
            batch: batch.map(|batch| batch.id),
            rev: world.rev(),
            actor: actor.map(|slot| Arc::clone(&slot.user)),
            at: batch.map_or(world.clock(), |batch| batch.at),
            lineage: batch.map(|batch| batch.lineage).unwrap_or_default(),
            nodes: Vec::new(),
            links: Vec::new(),
            user: Vec::new(),
            access: Vec::new(),
            part: None,
        }
    }
}

/// A batch's entries on nodes and links, by entity, with their places in the batch.
#[derive(Default)]
struct Entries<'b> {
    nodes: HashMap<NodeId, Vec<Told<'b, Node>>>,
    links: HashMap<LinkId, Vec<Told<'b, Link>>>,
}

struct Told<'b, T> {
    place: usize,
    op: Op,
    change: &'b Change<Arc<T>>,
}

impl<'b> Entries<'b> {
    fn of(batch: Option<&'b Batch>) -> Self {
        let mut entries = Entries::default();
        for (place, entry) in batch.iter().flat_map(|batch| &batch.entries).enumerate() {
            match &entry.subject {
                Subject::Node(change) => {
                    if let Some(node) = change.latest() {
                        entries.nodes.entry(node.id).or_default().push(Told { place, op: entry.op, change });
                    }
                }
                Subject::Link(change) => {
                    if let Some(link) = change.latest() {
                        entries.links.entry(link.id).or_default().push(Told { place, op: entry.op, change });
                    }
                }
                _ => {}
            }
        }
        entries
    }
}

/// Where in a diff a change stands: what is shown first, then the batch's entries in their order, what is hidden last.
/// Within shows and hides, by order of creation.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Show(u64),
    Entry(usize),
    Hide(u64),
}

fn in_order<T>(mut changes: Vec<(Place, T)>) -> Vec<T> {
    changes.sort_by(|(a, _), (b, _)| a.cmp(b));
    changes.into_iter().map(|(_, change)| change).collect()
}

/// How a change of one entity is told to someone who held it before or not, and sees it after or not.
enum Telling {
    Nothing,
    Show,
    /// By the batch's entries; the first one whole if it brought the entity into view.
    Entries {
        whole_first: bool,
    },
    Hide,
}

fn telling(held: bool, sees: bool, first: Option<Op>, ends_in_trash: bool) -> Telling {
    let brought = matches!(first, Some(Op::NodeAdd | Op::NodeRestore | Op::LinkAdd | Op::LinkRestore));
    match (held, sees) {
        (false, false) => Telling::Nothing,
        (false, true) if brought => Telling::Entries { whole_first: true },
        (false, true) => Telling::Show,
        (true, true) => Telling::Entries { whole_first: false },
        (true, false) if ends_in_trash => Telling::Entries { whole_first: false },
        (true, false) => Telling::Hide,
    }
}

fn tell_node(
    was: Option<SeenNode>,
    is: Option<SeenNode>,
    entries: &[Told<'_, Node>],
    out: &mut Vec<(Place, NodeChange)>,
) {
    let Some(seq) = is.as_ref().or(was.as_ref()).map(|seen| seen.node.seq) else { return };
    let full = |seen: &Option<SeenNode>| seen.as_ref().is_some_and(SeenNode::is_full);
    let in_trash =
        entries.last().and_then(|told| told.change.after.as_ref()).is_some_and(|node| node.in_trash);
    match telling(full(&was), full(&is), entries.first().map(|told| told.op), in_trash) {
        Telling::Nothing => tell_phantom(seq, was, is, out),
        Telling::Show => {
            let op = if was.is_some() { Op::NodeAccess } else { Op::NodeShow };
            out.extend(is.map(|seen| (Place::Show(seq), NodeChange::Whole { op, seen })));
        }
        Telling::Hide => {
            let change = match (is, was) {
                (Some(phantom), _) => NodeChange::Faded { id: phantom.node.id, status: phantom.node.status },
                (None, Some(was)) => NodeChange::Hidden { id: was.node.id },
                (None, None) => return,
            };
            out.push((Place::Hide(seq), change));
        }
        Telling::Entries { whole_first } => {
            tell_access(seq, was.as_ref(), is.as_ref(), out);
            let Some(seen) = is.or(was) else { return };
            for (nth, told) in entries.iter().enumerate() {
                let whole = whole_first && nth == 0;
                out.extend(node_entry(told, &seen, whole).map(|change| (Place::Entry(told.place), change)));
            }
        }
    }
}

fn node_entry(told: &Told<'_, Node>, seen: &SeenNode, whole: bool) -> Option<NodeChange> {
    let after = Arc::clone(told.change.after.as_ref()?);
    if whole {
        let seen = SeenNode { node: after, ..seen.clone() };
        return Some(NodeChange::Whole { op: told.op, seen });
    }
    let Sight::Full { level, roots } = &seen.sight else { return None };
    let before = Arc::clone(told.change.before.as_ref()?);
    Some(NodeChange::Edited { op: told.op, before, after, level: *level, roots: roots.clone() })
}

/// A phantom comes, goes, or changes its status: nothing else about it is anyone's news.
fn tell_phantom(seq: u64, was: Option<SeenNode>, is: Option<SeenNode>, out: &mut Vec<(Place, NodeChange)>) {
    match (was, is) {
        (None, Some(seen)) => {
            out.push((Place::Show(seq), NodeChange::Whole { op: Op::NodeShow, seen }));
        }
        (Some(was), None) => out.push((Place::Hide(seq), NodeChange::Hidden { id: was.node.id })),
        (Some(was), Some(is)) if was.node.status != is.node.status => {
            let (before, after) = (was.node.status, is.node.status);
            out.push((Place::Show(seq), NodeChange::PhantomStatus { id: is.node.id, before, after }));
        }
        _ => {}
    }
}

/// Someone keeps a node with other access than before. Told before the entries, which are cut to the new access.
fn tell_access(seq: u64, was: Option<&SeenNode>, is: Option<&SeenNode>, out: &mut Vec<(Place, NodeChange)>) {
    let (Some(was), Some(is)) = (was, is) else { return };
    if let (Some(before), Sight::Full { level: after, roots }) = (was.level(), &is.sight)
        && before != *after
    {
        let (node, after, roots) = (Arc::clone(&is.node), *after, roots.clone());
        out.push((Place::Show(seq), NodeChange::Access { node, before, after, roots }));
    }
}

fn tell_link(
    was: Option<SeenLink>,
    is: Option<SeenLink>,
    entries: &[Told<'_, Link>],
    out: &mut Vec<(Place, LinkChange)>,
) {
    let Some(seq) = is.as_ref().or(was.as_ref()).map(|seen| seen.link.seq) else { return };
    let in_trash =
        entries.last().and_then(|told| told.change.after.as_ref()).is_some_and(|link| link.in_trash);
    match telling(was.is_some(), is.is_some(), entries.first().map(|told| told.op), in_trash) {
        Telling::Nothing => {}
        Telling::Show => {
            let show = |seen| (Place::Show(seq), LinkChange::Whole { op: Op::LinkShow, seen });
            out.extend(is.map(show));
        }
        Telling::Hide => {
            out.extend(was.map(|was| (Place::Hide(seq), LinkChange::Hidden { id: was.link.id })));
        }
        Telling::Entries { whole_first } => {
            let Some(seen) = is.or(was) else { return };
            for (nth, told) in entries.iter().enumerate() {
                let whole = whole_first && nth == 0;
                out.extend(link_entry(told, &seen, whole).map(|change| (Place::Entry(told.place), change)));
            }
        }
    }
}

fn link_entry(told: &Told<'_, Link>, seen: &SeenLink, whole: bool) -> Option<LinkChange> {
    let after = Arc::clone(told.change.after.as_ref()?);
    if whole {
        return Some(LinkChange::Whole { op: told.op, seen: SeenLink { link: after, ..seen.clone() } });
    }
    let before = Arc::clone(told.change.before.as_ref()?);
    Some(LinkChange::Edited { op: told.op, before, after, roots: seen.roots.clone() })
}

/// A change that is about nothing in the visible graph.
#[derive(Clone)]
enum Aside {
    Node(NodeChange),
    Link(LinkChange),
    User(UserChange),
    Access(AccessChange),
}

/// Asides by user and by place in the batch.
#[derive(Default)]
struct Asides {
    told: HashMap<UserId, std::collections::BTreeMap<usize, Aside>>,
}

impl Asides {
    /// Adds what concerns users as the World stands, before the batch and again after it.
    fn collect(&mut self, world: &World, batch: &Batch, viewers: Audience<'_>) {
        let asked = batch.entries.iter().flat_map(|entry| asked_about(world, &entry.subject));
        let asked: HashSet<NodeId> = asked.collect();
        let standings = standings(world, asked, viewers);
        for (place, entry) in batch.entries.iter().enumerate() {
            match &entry.subject {
                Subject::Node(Change { before: Some(node), after: None }) => {
                    let Some(standing) = standings.get(&node.id) else { continue };
                    self.node_deleted(world, batch.actor, place, node, standing, viewers);
                }
                Subject::Link(Change { before: Some(link), after: None }) => {
                    let named_by = batch.actor.filter(|_| !entry.derived);
                    self.link_deleted(world, named_by, place, link, &standings, viewers);
                }
                Subject::Grant(change) => self.grant(world, place, entry, change, &standings, viewers),
                Subject::Embed(change) => {
                    let Some(embed) = change.latest() else { continue };
                    let Some(slot) = world.user(embed.user) else { continue };
                    let present = change.after.is_some();
                    let user = Arc::clone(&slot.user);
                    let change = UserChange::Embed { user, node: embed.node, present };
                    self.tell(embed.user, place, Aside::User(change), viewers);
                }
                Subject::User(Change { before: Some(before), after: Some(after) }) => {
                    for user in who_sees_nodes_of(world, after.id, viewers) {
                        let (before, after) = (Arc::clone(before), Arc::clone(after));
                        self.tell(user, place, Aside::User(UserChange::Renamed { before, after }), viewers);
                    }
                }
                _ => {}
            }
        }
    }

    fn tell(&mut self, user: UserId, place: usize, aside: Aside, viewers: Audience<'_>) {
        if viewers.contains(user) {
            self.told.entry(user).or_default().insert(place, aside);
        }
    }

    /// Deletions go to the caller and to those whose trash showed the node.
    fn node_deleted(
        &mut self,
        world: &World,
        actor: Option<UserId>,
        place: usize,
        node: &Arc<Node>,
        standing: &Standing,
        viewers: Audience<'_>,
    ) {
        for user in standing.users() {
            let Some(level) = standing.level(user) else { continue };
            if actor == Some(user) || trash::shows_node(node, Some(level)) {
                let before = trash::with_level(world, node, level);
                self.tell(user, place, Aside::Node(NodeChange::Deleted { before }), viewers);
            }
        }
    }

    /// Deletions go to those whose trash showed the link, and to who named it. That it hung on a node that was deleted
    /// is no reason: it may be somebody else's private link.
    fn link_deleted(
        &mut self,
        world: &World,
        named_by: Option<UserId>,
        place: usize,
        link: &Arc<Link>,
        standings: &HashMap<NodeId, Standing>,
        viewers: Audience<'_>,
    ) {
        if world.link(link.id).is_none() {
            return;
        }
        let level = |id: NodeId, user| standings.get(&id).and_then(|standing| standing.level(user));
        // Whoever's trash showed it had access to its target.
        let users = standings.get(&link.target).into_iter().flat_map(Standing::users);
        let shown = users.filter(|user| {
            trash::shows_link(*user, link, level(link.source, *user), level(link.target, *user))
        });
        for user in shown.chain(named_by) {
            let before = Arc::clone(link);
            self.tell(user, place, Aside::Link(LinkChange::Deleted { before }), viewers);
        }
    }

    /// Grants are told to the grantee and to whoever runs the node.
    fn grant(
        &mut self,
        world: &World,
        place: usize,
        entry: &Entry,
        change: &Change<Arc<Grant>>,
        standings: &HashMap<NodeId, Standing>,
        viewers: Audience<'_>,
    ) {
        let Some(grant) = change.latest() else { return };
        let Some(grantee) = world.user(grant.user) else { return };
        let standing = standings.get(&grant.node);
        let runs = |user: &UserId| {
            standing.and_then(|standing| standing.level(*user)).is_some_and(|level| level <= Level::Admin)
        };
        let running = standing.into_iter().flat_map(Standing::users).filter(runs);
        for user in running.chain([grant.user]) {
            let (op, grantee) = (entry.op, Arc::clone(&grantee.user));
            let (before, after) = (change.before.clone(), change.after.clone());
            let aside = Aside::Access(AccessChange { op, grantee, before, after });
            self.tell(user, place, aside, viewers);
        }
    }
}

/// The nodes whose placement decides who is told of an entry aside.
fn asked_about(world: &World, subject: &Subject) -> impl Iterator<Item = NodeId> {
    let ids = match subject {
        Subject::Node(Change { before: Some(node), after: None }) => [Some(node.id), None],
        Subject::Link(Change { before: Some(link), after: None }) if world.link(link.id).is_some() => {
            [Some(link.source), Some(link.target)]
        }
        Subject::Grant(change) => [change.latest().map(|grant| grant.node), None],
        _ => [None, None],
    };
    ids.into_iter().flatten()
}

/// The user themselves, and every viewer with access to one of their nodes: that takes a share of theirs in force.
fn who_sees_nodes_of(world: &World, owner: UserId, viewers: Audience<'_>) -> HashSet<UserId> {
    let shared = world.user(owner).map(|slot| &slot.shared).into_iter().flatten();
    let shared = shared.filter_map(|id| world.active_node(*id));
    shared.flat_map(|root| admitted(world, root, viewers)).chain([owner]).collect()
}
