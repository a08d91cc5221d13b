//! The projection: what a batch, or the passing of due times, means to each affected user.
//!
//! A [`Projection`] is made before the World changes and read afterwards. It records how everything in the affected
//! set looked and compares that with how it looks now. A user's diff follows from that comparison alone: what
//! entered the view is shown, what left it is hidden, and what stayed changes by the batch's own entries.

use crate::affected::AffectedSet;
use crate::audience::Audience;
use crate::batch::{Batch, Change, Op, Subject};
use crate::cover::Cover;
use crate::diff::{Diff, LinkChange, NodeChange};
use crate::hash::{HashMap, HashSet};
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Link, Node};
use crate::off_graph::{OffGraphChange, OffGraphChanges};
use crate::view::{SeenLink, SeenNode, Sight, Snapshot};
use crate::viewer_classes::ViewerClasses;
use crate::world::{Due, World};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A diff and everyone to whom the change means exactly this.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedDiff {
    /// The users, sorted. There is at least one.
    pub users: Vec<UserId>,
    /// What each of them is told.
    pub diff: Diff,
}

/// The affected set, and how it looked before.
pub struct Projection<'b> {
    entries: Entries<'b>,
    batch: Option<&'b Batch>,
    viewers: Audience<'b>,
    affected: AffectedSet,
    before: Snapshot,
    /// Changes outside the visible graph: deletions from the trash, grants, accounts.
    off_graph: OffGraphChanges,
}

impl<'b> Projection<'b> {
    /// Starts the projection of a batch that is about to be applied. Diffs are made only for `viewers`: the actor
    /// and everyone connected.
    pub fn before(world: &World, batch: &'b Batch, viewers: impl Into<Audience<'b>>) -> Self {
        let viewers = viewers.into();
        let affected = AffectedSet::of_batch(world, batch, viewers);
        let mut off_graph = OffGraphChanges::default();
        off_graph.collect(world, batch, viewers);
        Self::start(world, affected, Some(batch), viewers, off_graph)
    }

    /// Starts the projection of due times that are about to pass.
    pub fn before_due(world: &World, dues: &[Due], viewers: impl Into<Audience<'b>>) -> Self {
        let viewers = viewers.into();
        let affected = AffectedSet::of_dues(world, dues, viewers);
        Self::start(world, affected, None, viewers, OffGraphChanges::default())
    }

    fn start(
        world: &World,
        affected: AffectedSet,
        batch: Option<&'b Batch>,
        viewers: Audience<'b>,
        off_graph: OffGraphChanges,
    ) -> Self {
        let before = affected.look(world, viewers);
        Projection { entries: Entries::of(batch), batch, viewers, affected, before, off_graph }
    }

    /// The diffs, now that the World has changed: only of viewers for whom something changed, and one for all the
    /// viewers to whom the change means the same.
    pub fn after(mut self, world: &World) -> Vec<SharedDiff> {
        let after = self.look_again(world);
        let shared = self.classes(&after).into_users().into_iter().filter_map(|users| {
            let diff = self.diff(world, *users.first()?, &after);
            (!diff.is_empty()).then_some(SharedDiff { users, diff })
        });
        shared.collect()
    }

    /// [`Projection::after`] without sharing: a diff for each viewer, made for that viewer alone. The diffs are the
    /// same, which makes this the measure of the other.
    pub fn after_for_each(mut self, world: &World) -> Vec<(UserId, Diff)> {
        let after = self.look_again(world);
        let covers = self.before.distinct_covers().chain(after.distinct_covers());
        let users: BTreeSet<UserId> = self.users(covers).collect();
        let diffs = users.into_iter().map(|user| (user, self.diff(world, user, &after)));
        diffs.filter(|(_, diff)| !diff.is_empty()).collect()
    }

    fn look_again(&mut self, world: &World) -> Snapshot {
        if let Some(batch) = self.batch {
            // Changes of grants on a node go to users with access ≤ 1 to it, now or before.
            self.off_graph.collect(world, batch, self.viewers);
        }
        self.affected.look(world, self.viewers)
    }

    /// The viewers whose diffs may have entries.
    fn users<'c>(&self, covers: impl Iterator<Item = &'c Cover>) -> impl Iterator<Item = UserId> {
        let users = covers.flat_map(|cover| cover.users()).chain(self.off_graph.by_user.keys().copied());
        users.filter(|user| self.viewers.contains(*user))
    }

    /// The same viewers in classes of equal diffs. Everything that [`Projection::diff`] asks about a user splits them.
    fn classes(&self, after: &Snapshot) -> ViewerClasses {
        let covers: Vec<&Cover> = self.before.distinct_covers().chain(after.distinct_covers()).collect();
        let mut classes = ViewerClasses::of(self.users(covers.iter().copied()));
        covers.into_iter().for_each(|cover| classes.split_by_cover(cover));
        let private = self.before.owners_of_private_links().chain(after.owners_of_private_links());
        classes.split_by(private.collect::<HashSet<_>>().into_iter().map(|user| (user, user)));
        classes.split_by(self.affected.concerned().map(|user| (user, ())));
        classes.split_by(self.off_graph.numbered());
        classes
    }

    fn diff(&self, world: &World, user: UserId, after: &Snapshot) -> Diff {
        let mut diff = Diff::empty(world, self.batch);
        let mut nodes = Vec::new();
        for id in self.affected.nodes_for(user) {
            let (was, is) = (self.before.node(user, id), after.node(user, id));
            project_node(was, is, self.entries.nodes.get(&id).map_or(&[], Vec::as_slice), &mut nodes);
        }
        diff.nodes = in_order(nodes);
        let mut links = Vec::new();
        for id in self.affected.links_for(user) {
            let (was, is) = (self.before.link(user, id), after.link(user, id));
            project_link(was, is, self.entries.links.get(&id).map_or(&[], Vec::as_slice), &mut links);
        }
        diff.links = in_order(links);
        for change in self.off_graph.by_user.get(&user).into_iter().flat_map(|off_graph| off_graph.values()) {
            match change {
                OffGraphChange::Node(change) => diff.nodes.push(change.clone()),
                OffGraphChange::Link(change) => diff.links.push(change.clone()),
                OffGraphChange::User(change) => diff.user.push(change.clone()),
                OffGraphChange::Access(change) => diff.access.push(change.clone()),
            }
        }
        diff
    }
}

impl Diff {
    /// An empty diff of a batch that has just been applied.
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
            copies: Vec::new(),
        }
    }
}

/// A batch's entries on nodes and links, by entity, with their indices in the batch.
#[derive(Default)]
pub(crate) struct Entries<'b> {
    pub nodes: HashMap<NodeId, Vec<EntityEntry<'b, Node>>>,
    pub links: HashMap<LinkId, Vec<EntityEntry<'b, Link>>>,
}

pub(crate) struct EntityEntry<'b, T> {
    pub index: usize,
    op: Op,
    derived: bool,
    pub change: &'b Change<Arc<T>>,
}

impl<'b> Entries<'b> {
    pub fn of(batch: Option<&'b Batch>) -> Self {
        let mut entries = Entries::default();
        for (index, entry) in batch.iter().flat_map(|batch| &batch.entries).enumerate() {
            match &entry.subject {
                Subject::Node(change) => {
                    if let Some(node) = change.latest() {
                        entries.nodes.entry(node.id).or_default().push(EntityEntry {
                            index,
                            op: entry.op,
                            derived: entry.derived,
                            change,
                        });
                    }
                }
                Subject::Link(change) => {
                    if let Some(link) = change.latest() {
                        entries.links.entry(link.id).or_default().push(EntityEntry {
                            index,
                            op: entry.op,
                            derived: entry.derived,
                            change,
                        });
                    }
                }
                _ => {}
            }
        }
        entries
    }
}

/// The place of a change in a diff: shows first, then the batch's entries in their order, hides last. Shows and
/// hides are in order of creation.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum DiffPosition {
    Show(u64),
    Entry(usize),
    Hide(u64),
}

fn in_order<T>(mut changes: Vec<(DiffPosition, T)>) -> Vec<T> {
    changes.sort_by(|(a, _), (b, _)| a.cmp(b));
    changes.into_iter().map(|(_, change)| change).collect()
}

/// How a change of one entity is shown to a user, by whether they held it before and see it after.
pub(crate) enum Shown {
    Nothing,
    Show,
    /// By the batch's entries from this one on.
    Entries(usize),
    /// By this entry alone, with the entity as the batch leaves it.
    Whole(usize),
    Hide,
}

/// What is to know of an entity to say how its change is shown.
pub(crate) trait Shows {
    fn in_trash(&self) -> bool;
}

impl Shows for Node {
    fn in_trash(&self) -> bool {
        self.in_trash
    }
}

impl Shows for Link {
    fn in_trash(&self) -> bool {
        self.in_trash
    }
}

fn active<T: Shows>(side: Option<&Option<Arc<T>>>) -> bool {
    side.and_then(Option::as_ref).is_some_and(|entity| !entity.in_trash())
}

/// [`shown_as`] for someone who sees the entity whenever it is not in the trash.
pub(crate) fn shown_to_all<T: Shows>(entries: &[EntityEntry<'_, T>]) -> Shown {
    let held = active(entries.first().map(|entry| &entry.change.before));
    let sees = active(entries.last().map(|entry| &entry.change.after));
    shown_as(held, sees, entries)
}

/// Whether an entry of this code brings its entity into the graph.
fn brings(op: Op) -> bool {
    matches!(op, Op::NodeAdd | Op::NodeRestore | Op::LinkAdd | Op::LinkRestore)
}

pub(crate) fn shown_as<T: Shows>(held: bool, sees: bool, entries: &[EntityEntry<'_, T>]) -> Shown {
    let last = |such: fn(Op) -> bool| entries.iter().rposition(|entry| such(entry.op));
    match (held, sees) {
        (false, false) => Shown::Nothing,
        (false, true) if active(entries.first().map(|entry| &entry.change.before)) => Shown::Show,
        // What it was before it came, and in between, is not for those who only see it now.
        (false, true) => match last(brings) {
            Some(at) if entries.iter().skip(at + 1).all(|entry| entry.derived) => Shown::Entries(at),
            Some(at) => Shown::Whole(at),
            None => Shown::Show,
        },
        (true, true) => Shown::Entries(0),
        // Nor what was made of it on its way to the trash for those who do not see it any more.
        (true, false) if !active(entries.last().map(|entry| &entry.change.after)) => {
            last(|op| matches!(op, Op::NodeTrash | Op::LinkTrash)).map_or(Shown::Hide, Shown::Entries)
        }
        (true, false) => Shown::Hide,
    }
}

fn project_node(
    was: Option<SeenNode>,
    is: Option<SeenNode>,
    entries: &[EntityEntry<'_, Node>],
    out: &mut Vec<(DiffPosition, NodeChange)>,
) {
    let Some(seq) = is.as_ref().or(was.as_ref()).map(|seen| seen.node.seq) else { return };
    let full = |seen: &Option<SeenNode>| seen.as_ref().is_some_and(SeenNode::is_full);
    match shown_as(full(&was), full(&is), entries) {
        Shown::Nothing => project_phantom(seq, was, is, entries, out),
        Shown::Show => {
            let op = if was.is_some() { Op::NodeAccess } else { Op::NodeShow };
            out.extend(is.map(|seen| (DiffPosition::Show(seq), NodeChange::Whole { op, seen })));
        }
        Shown::Hide => {
            let change = match (is, was) {
                (Some(phantom), _) => NodeChange::Faded { id: phantom.node.id, status: phantom.node.status },
                (None, Some(was)) => NodeChange::Hidden { id: was.node.id },
                (None, None) => return,
            };
            out.push((DiffPosition::Hide(seq), change));
        }
        Shown::Whole(at) => {
            let whole = is.zip(entries.get(at)).map(|(seen, entry)| {
                (DiffPosition::Entry(entry.index), NodeChange::Whole { op: entry.op, seen })
            });
            out.extend(whole);
        }
        Shown::Entries(from) => {
            project_access(seq, was.as_ref(), is.as_ref(), out);
            let Some(seen) = is.or(was) else { return };
            for entry in entries.iter().skip(from) {
                let change = node_entry(entry, &seen);
                out.extend(change.map(|change| (DiffPosition::Entry(entry.index), change)));
            }
        }
    }
}

fn node_entry(entry: &EntityEntry<'_, Node>, seen: &SeenNode) -> Option<NodeChange> {
    let after = Arc::clone(entry.change.after.as_ref()?);
    if brings(entry.op) {
        let seen = SeenNode { node: after, ..seen.clone() };
        return Some(NodeChange::Whole { op: entry.op, seen });
    }
    let Sight::Full { level, roots } = &seen.sight else { return None };
    let before = Arc::clone(entry.change.before.as_ref()?);
    Some(NodeChange::Edited { op: entry.op, before, after, level: *level, roots: roots.clone() })
}

/// A phantom appears, disappears or changes its status. Its other changes are not shown. Its status entry has the
/// place of the batch's entry, between its cause and its effects.
fn project_phantom(
    seq: u64,
    was: Option<SeenNode>,
    is: Option<SeenNode>,
    entries: &[EntityEntry<'_, Node>],
    out: &mut Vec<(DiffPosition, NodeChange)>,
) {
    match (was, is) {
        (None, Some(seen)) => {
            out.push((DiffPosition::Show(seq), NodeChange::Whole { op: Op::NodeShow, seen }));
        }
        (Some(was), None) => out.push((DiffPosition::Hide(seq), NodeChange::Hidden { id: was.node.id })),
        (Some(was), Some(is)) if was.node.status != is.node.status => {
            out.extend(entries.iter().filter_map(|entry| {
                let (before, after) =
                    (entry.change.before.as_ref()?.status, entry.change.after.as_ref()?.status);
                let change = NodeChange::PhantomStatus { id: is.node.id, before, after };
                (before != after).then_some((DiffPosition::Entry(entry.index), change))
            }));
        }
        _ => {}
    }
}

/// A user keeps a node with another access than before. This entry comes before the batch's entries, which are
/// reduced to the new access.
fn project_access(
    seq: u64,
    was: Option<&SeenNode>,
    is: Option<&SeenNode>,
    out: &mut Vec<(DiffPosition, NodeChange)>,
) {
    let (Some(was), Some(is)) = (was, is) else { return };
    if let (Some(before), Sight::Full { level: after, roots }) = (was.level(), &is.sight)
        && before != *after
    {
        let (node, after, roots) = (Arc::clone(&is.node), *after, roots.clone());
        out.push((DiffPosition::Show(seq), NodeChange::Access { node, before, after, roots }));
    }
}

fn project_link(
    was: Option<SeenLink>,
    is: Option<SeenLink>,
    entries: &[EntityEntry<'_, Link>],
    out: &mut Vec<(DiffPosition, LinkChange)>,
) {
    let Some(seq) = is.as_ref().or(was.as_ref()).map(|seen| seen.link.seq) else { return };
    match shown_as(was.is_some(), is.is_some(), entries) {
        Shown::Nothing => {}
        Shown::Show => {
            let show = |seen| (DiffPosition::Show(seq), LinkChange::Whole { op: Op::LinkShow, seen });
            out.extend(is.map(show));
        }
        Shown::Hide => {
            out.extend(was.map(|was| (DiffPosition::Hide(seq), LinkChange::Hidden { id: was.link.id })));
        }
        // A link has nothing to it that its ends do not tell, so it may be shown as it changed.
        Shown::Whole(from) | Shown::Entries(from) => {
            let Some(seen) = is.or(was) else { return };
            for entry in entries.iter().skip(from) {
                let change = link_entry(entry, &seen);
                out.extend(change.map(|change| (DiffPosition::Entry(entry.index), change)));
            }
        }
    }
}

fn link_entry(entry: &EntityEntry<'_, Link>, seen: &SeenLink) -> Option<LinkChange> {
    let after = Arc::clone(entry.change.after.as_ref()?);
    if brings(entry.op) {
        return Some(LinkChange::Whole { op: entry.op, seen: SeenLink { link: after, ..seen.clone() } });
    }
    let before = Arc::clone(entry.change.before.as_ref()?);
    Some(LinkChange::Edited { op: entry.op, before, after, roots: seen.roots.clone() })
}
