//! The projection: what a batch, or the passing of due times, means to each affected user.
//!
//! A [`Projection`] is made before the World changes and read afterwards. It records how everything in the affected
//! set looked and compares that with how it looks now. A user's diff follows from that comparison alone: what
//! entered the view is shown, what left it is hidden, and what stayed changes by the batch's own entries.

use crate::affected::{AffectedNode, AffectedSet};
use crate::audience::Audience;
use crate::batch::{Batch, Op};
use crate::cover::Cover;
use crate::diff::{Diff, LinkChange, NodeChange};
use crate::entries::{self, EntityEntry, Entries, Shown, Shows, brings, shown_as};
use crate::hash::HashSet;
use crate::id::{NodeId, UserId};
use crate::model::{Level, Link, Node, User};
use crate::moment::{Moment, NodeSight, Seen};
use crate::off_graph::{OffGraphChange, OffGraphChanges};
use crate::view::{SeenLink, SeenNode, Sight, owner_of};
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
    before: Moment,
    /// Changes outside the visible graph: deletions from the trash, grants, accounts.
    off_graph: OffGraphChanges,
}

impl<'b> Projection<'b> {
    /// Starts the projection of a batch that is about to be applied. Diffs are made only for `viewers`: the actor
    /// and everyone connected.
    pub fn before(world: &World, batch: &'b Batch, viewers: impl Into<Audience<'b>>) -> Self {
        let viewers = viewers.into();
        let mut entries = Entries::of(Some(batch));
        let affected = AffectedSet::of_batch(world, batch, &mut entries, viewers);
        let mut off_graph = OffGraphChanges::default();
        off_graph.collect(world, batch, viewers);
        Self::start(world, affected, entries, Some(batch), viewers, off_graph)
    }

    /// Starts the projection of due times that are about to pass.
    pub fn before_due(world: &World, dues: &[Due], viewers: impl Into<Audience<'b>>) -> Self {
        let viewers = viewers.into();
        let affected = AffectedSet::of_dues(world, dues, viewers);
        Self::start(world, affected, Entries::of(None), None, viewers, OffGraphChanges::default())
    }

    fn start(
        world: &World,
        mut affected: AffectedSet,
        entries: Entries<'b>,
        batch: Option<&'b Batch>,
        viewers: Audience<'b>,
        off_graph: OffGraphChanges,
    ) -> Self {
        let before = look(world, &mut affected, &entries, viewers, Side::Before);
        Projection { entries, batch, viewers, affected, before, off_graph }
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
        let covers = self.before.covers().chain(after.covers());
        let users: BTreeSet<UserId> = self.users(covers).collect();
        let diffs = users.into_iter().map(|user| (user, self.diff(world, user, &after)));
        diffs.filter(|(_, diff)| !diff.is_empty()).collect()
    }

    fn look_again(&mut self, world: &World) -> Moment {
        if let Some(batch) = self.batch {
            // Changes of grants on a node go to users with access ≤ 1 to it, now or before.
            self.off_graph.collect(world, batch, self.viewers);
        }
        if self.affected.relinks {
            return look(world, &mut self.affected, &self.entries, self.viewers, Side::After);
        }
        // What covers a node changes only with links and shares.
        match self.affected.reshared.is_empty() {
            true => self.before.clone(),
            false => self.before.reshared(world, self.viewers),
        }
    }

    /// The viewers whose diffs may have entries.
    fn users<'c>(&self, covers: impl Iterator<Item = &'c Cover>) -> impl Iterator<Item = UserId> {
        let users = covers.flat_map(|cover| cover.users()).chain(self.off_graph.by_user.keys().copied());
        users.filter(|user| self.viewers.contains(*user))
    }

    /// The same viewers in classes of equal diffs. Everything that [`Projection::diff`] asks about a user splits them.
    fn classes(&self, after: &Moment) -> ViewerClasses {
        let covers: Vec<&Cover> = self.before.covers().chain(after.covers()).collect();
        let mut classes = ViewerClasses::of(self.users(covers.iter().copied()));
        covers.into_iter().for_each(|cover| classes.split_by_cover(cover));
        // Only the owner of a private link may see it where others with the same access do not.
        let links = (0..).zip(&self.affected.links.list).flat_map(|(at, link)| {
            let entries = self.entries.links.get(at);
            [entries::was(entries), entries::is(entries), link.before.as_ref()].into_iter().flatten()
        });
        let private: HashSet<UserId> = links.filter(|link| link.private).map(|link| link.owner).collect();
        classes.split_by(private.into_iter().map(|user| (user, user)));
        classes.split_by(self.affected.concerned().map(|user| (user, ())));
        classes.split_by(self.off_graph.numbered());
        classes
    }

    fn diff(&self, world: &World, user: UserId, after: &Moment) -> Diff {
        let mut diff = Diff::empty(world, self.batch);
        let (before, after) = (self.before.of(user), after.of(user));
        diff.nodes = self.node_changes(world, user, &before, &after);
        diff.links = self.link_changes(user, &before, &after);
        let changes = self.off_graph.by_user.get(&user).into_iter().flat_map(|changes| changes.values());
        for change in changes {
            match change {
                OffGraphChange::Node(change) => diff.nodes.push(change.clone()),
                OffGraphChange::Link(change) => diff.links.push(change.clone()),
                OffGraphChange::User(change) => diff.user.push(change.clone()),
                OffGraphChange::Access(change) => diff.access.push(change.clone()),
            }
        }
        diff
    }

    fn node_changes(
        &self,
        world: &World,
        user: UserId,
        before: &Seen<'_>,
        after: &Seen<'_>,
    ) -> Vec<NodeChange> {
        let mut changes = Changes::default();
        let mut shown: Vec<Shown> = Vec::new();
        shown.resize_with(self.entries.nodes.len(), || Shown::Nothing);
        let mut owners = Owners { world, last: None };
        for at in self.affected.nodes_for(user) {
            let (was, is) = (self.node(Side::Before, at, before), self.node(Side::After, at, after));
            let entries = self.entries.nodes.get(at);
            let full = |seen: Option<SeenAs<'_>>| seen.is_some_and(|seen| seen.access().is_some());
            let how = shown_as(full(was), full(is), entries);
            project_node(&how, was, is, &mut owners, &mut changes);
            if let Some(shown) = shown.get_mut(at as usize) {
                *shown = how;
            }
        }
        for (at, nth) in &self.entries.nodes.in_order {
            let (Some(entry), Some(how)) = (self.entries.nodes.get(*at).get(*nth), shown.get(*at as usize))
            else {
                continue;
            };
            let (was, is) = (self.node(Side::Before, *at, before), self.node(Side::After, *at, after));
            match how {
                Shown::Nothing => changes.entries.extend(phantom_entry(was, is, entry)),
                Shown::Whole(only) if only == nth => changes
                    .entries
                    .extend(is.map(|is| NodeChange::Whole { op: entry.op, seen: is.whole(&mut owners) })),
                Shown::Entries(from) if from <= nth => {
                    let seen = is.or(was);
                    changes.entries.extend(seen.and_then(|seen| node_entry(entry, seen, &mut owners)));
                }
                _ => {}
            }
        }
        changes.in_order()
    }

    fn link_changes(&self, user: UserId, before: &Seen<'_>, after: &Seen<'_>) -> Vec<LinkChange> {
        let mut changes = Changes::default();
        let mut shown: Vec<Shown> = Vec::new();
        shown.resize_with(self.entries.links.len(), || Shown::Nothing);
        for at in self.affected.links_for(user) {
            let was = self.link(Side::Before, at).filter(|link| before.link(at, link));
            let is = self.link(Side::After, at).filter(|link| after.link(at, link));
            let how = shown_as(was.is_some(), is.is_some(), self.entries.links.get(at));
            match how {
                Shown::Show => changes.shows.extend(is.map(|link| {
                    let seen = SeenLink { link: Arc::clone(link), roots: after.link_roots(at) };
                    LinkChange::Whole { op: Op::LinkShow, seen }
                })),
                Shown::Hide => changes.hides.extend(was.map(|was| LinkChange::Hidden { id: was.id })),
                Shown::Nothing | Shown::Whole(_) | Shown::Entries(_) => {}
            }
            if let Some(shown) = shown.get_mut(at as usize) {
                *shown = how;
            }
        }
        for (at, nth) in &self.entries.links.in_order {
            let entry = self.entries.links.get(*at).get(*nth);
            // A link has nothing to it that its ends do not tell, so it may be shown as it changed.
            let (Some(Shown::Whole(from) | Shown::Entries(from)), Some(entry)) =
                (shown.get(*at as usize), entry)
            else {
                continue;
            };
            if from <= nth {
                let is = self.link(Side::After, *at).is_some_and(|link| after.link(*at, link));
                let roots = if is { after } else { before }.link_roots(*at);
                changes.entries.extend(link_entry(entry, roots));
            }
        }
        changes.in_order()
    }

    /// A node at one moment, as one user sees it.
    fn node<'s>(&'s self, side: Side, at: u32, seen: &'s Seen<'_>) -> Option<SeenAs<'s>> {
        let affected = self.affected.nodes.list.get(at as usize)?;
        let node = entity(side, self.entries.nodes.get(at), &affected.before)?;
        Some(SeenAs { node, sight: seen.node(at)? })
    }

    fn link(&self, side: Side, at: u32) -> Option<&Arc<Link>> {
        let affected = self.affected.links.list.get(at as usize)?;
        entity(side, self.entries.links.get(at), &affected.before)
    }
}

/// The moment before the batch or the due times, or after.
#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

/// An entity at one moment, if it is active. Without entries it is what it was before.
fn entity<'e, T: Shows>(
    side: Side,
    entries: &'e [EntityEntry<'_, T>],
    before: &'e Option<Arc<T>>,
) -> Option<&'e Arc<T>> {
    match side {
        _ if entries.is_empty() => before.as_ref(),
        Side::Before => entries::was(entries),
        Side::After => entries::is(entries),
    }
}

/// The affected set as it is now, on that side of the batch.
fn look(
    world: &World,
    affected: &mut AffectedSet,
    entries: &Entries<'_>,
    viewers: Audience<'_>,
    side: Side,
) -> Moment {
    let AffectedSet { nodes, links, places, reshared, .. } = affected;
    let now = (0..).zip(&nodes.list).map(|(at, node)| entity(side, entries.nodes.get(at), &node.before));
    let now: Vec<Option<&Arc<Node>>> = now.collect();
    let links = (0..).zip(&links.list).map(|(at, link)| entity(side, entries.links.get(at), &link.before));
    let may_be_phantom = |at: u32| nodes.list.get(at as usize).is_some_and(AffectedNode::may_be_phantom);
    Moment::now(world, places, &now, links, may_be_phantom, reshared, viewers)
}

impl Diff {
    /// An empty diff of a batch that has just been applied.
    pub fn empty(world: &World, batch: Option<&Batch>) -> Diff {
        let actor = batch.and_then(|batch| batch.actor).and_then(|id| world.account(id));
        Diff {
            batch: batch.map(|batch| batch.id),
            rev: world.rev(),
            actor: actor.cloned(),
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

/// The changes of one kind of entity. Shows come first, then the batch's entries in their order, hides last. Shows and
/// hides are in order of creation.
struct Changes<C> {
    shows: Vec<C>,
    entries: Vec<C>,
    hides: Vec<C>,
}

impl<C> Default for Changes<C> {
    fn default() -> Self {
        Changes { shows: Vec::new(), entries: Vec::new(), hides: Vec::new() }
    }
}

impl<C> Changes<C> {
    fn in_order(mut self) -> Vec<C> {
        // Usually there is one of the three.
        if self.shows.is_empty() {
            self.shows = self.entries;
        } else {
            self.shows.extend(self.entries);
        }
        if self.shows.is_empty() {
            return self.hides;
        }
        self.shows.extend(self.hides);
        self.shows
    }
}

/// A node as a user sees it.
#[derive(Clone, Copy)]
struct SeenAs<'s> {
    node: &'s Arc<Node>,
    sight: NodeSight<'s>,
}

impl<'s> SeenAs<'s> {
    /// The user's access, and the share roots that give it; `None` for a phantom.
    fn access(&self) -> Option<(Level, &'s Arc<[NodeId]>)> {
        match self.sight {
            NodeSight::Full(level, roots) => Some((level, roots)),
            NodeSight::Phantom => None,
        }
    }

    fn whole(&self, owners: &mut Owners<'_>) -> SeenNode {
        let sight = match self.sight {
            NodeSight::Full(level, roots) => Sight::Full { level, roots: Arc::clone(roots) },
            NodeSight::Phantom => Sight::Phantom,
        };
        SeenNode { node: Arc::clone(self.node), owner: owners.of(self.node), sight }
    }
}

/// The owners of nodes. Most nodes have the owner of the one before.
struct Owners<'w> {
    world: &'w World,
    last: Option<(UserId, Option<Arc<User>>)>,
}

impl Owners<'_> {
    fn of(&mut self, node: &Node) -> Option<Arc<User>> {
        match &self.last {
            Some((id, owner)) if *id == node.owner => owner.clone(),
            _ => {
                let owner = owner_of(self.world, node);
                self.last = Some((node.owner, owner.clone()));
                owner
            }
        }
    }
}

/// Adds what is told of a node besides the batch's entries.
fn project_node(
    how: &Shown,
    was: Option<SeenAs<'_>>,
    is: Option<SeenAs<'_>>,
    owners: &mut Owners<'_>,
    changes: &mut Changes<NodeChange>,
) {
    match (how, was, is) {
        // A phantom appears or disappears.
        (Shown::Nothing, None, Some(is)) => {
            changes.shows.push(NodeChange::Whole { op: Op::NodeShow, seen: is.whole(owners) });
        }
        (Shown::Nothing, Some(was), None) => changes.hides.push(NodeChange::Hidden { id: was.node.id }),
        (Shown::Show, was, Some(is)) => {
            let op = if was.is_some() { Op::NodeAccess } else { Op::NodeShow };
            changes.shows.push(NodeChange::Whole { op, seen: is.whole(owners) });
        }
        (Shown::Hide, _, Some(phantom)) => {
            changes.hides.push(NodeChange::Faded { id: phantom.node.id, status: phantom.node.status });
        }
        (Shown::Hide, Some(was), None) => changes.hides.push(NodeChange::Hidden { id: was.node.id }),
        // The user keeps a node with another access than before. The batch's entries are reduced to the new access. They
        // follow, so that this is told of the node as it was.
        (Shown::Entries(_), Some(was), Some(is)) => {
            if let (Some((before, _)), Some((after, roots))) = (was.access(), is.access())
                && before != after
            {
                let (node, roots) = (Arc::clone(was.node), Arc::clone(roots));
                changes.shows.push(NodeChange::Access { node, before, after, roots });
            }
        }
        _ => {}
    }
}

fn node_entry(
    entry: &EntityEntry<'_, Node>,
    seen: SeenAs<'_>,
    owners: &mut Owners<'_>,
) -> Option<NodeChange> {
    let after = entry.change.after.as_ref()?;
    if brings(entry.op) {
        let seen = SeenAs { node: after, ..seen }.whole(owners);
        return Some(NodeChange::Whole { op: entry.op, seen });
    }
    let (level, roots) = seen.access()?;
    let (before, after) = (Arc::clone(entry.change.before.as_ref()?), Arc::clone(after));
    Some(NodeChange::Edited { op: entry.op, before, after, level, roots: Arc::clone(roots) })
}

/// The status of a node that stays a phantom. Its other changes are not shown. The entry has the place of the batch's
/// entry, between its cause and its effects.
fn phantom_entry(
    was: Option<SeenAs<'_>>,
    is: Option<SeenAs<'_>>,
    entry: &EntityEntry<'_, Node>,
) -> Option<NodeChange> {
    let (was, is) = was.zip(is)?;
    let (before, after) = (entry.change.before.as_ref()?.status, entry.change.after.as_ref()?.status);
    let changed = was.node.status != is.node.status && before != after;
    changed.then_some(NodeChange::PhantomStatus { id: is.node.id, before, after })
}

fn link_entry(entry: &EntityEntry<'_, Link>, roots: Arc<[NodeId]>) -> Option<LinkChange> {
    let after = Arc::clone(entry.change.after.as_ref()?);
    if brings(entry.op) {
        return Some(LinkChange::Whole { op: entry.op, seen: SeenLink { link: after, roots } });
    }
    let before = Arc::clone(entry.change.before.as_ref()?);
    Some(LinkChange::Edited { op: entry.op, before, after, roots })
}
