//! History as a user sees it: the batches that they made or that touch what they see, and of each only the entries
//! on entities they see.

use crate::access::{self, sees_link};
use crate::batch::{Batch, Entry, Subject};
use crate::cover::{Placements, accessible};
use crate::hash::HashSet;
use crate::id::{LinkId, NodeId, UserId};
use crate::model::{Level, Link};
use crate::trash;
use crate::world::{Graph, World};
use std::fmt::Debug;
use std::sync::Arc;
use uuid::Uuid;

/// Whether a user sees a batch.
pub fn sees_batch(world: &World, user: UserId, batch: &Batch) -> bool {
    if batch.is_by(user) || !shows_anything(batch) {
        return shows_anything(batch);
    }
    let nodes = batch.entries.iter().flat_map(|entry| entry.subject.nodes());
    let placed = Placements::of(world, user, nodes);
    batch.entries.iter().any(|entry| sees_placed(world, user, entry, &placed))
}

/// Whether there is anything in a batch that a user's history shows.
fn shows_anything(batch: &Batch) -> bool {
    batch.entries.iter().any(|entry| !entry.op.is_internal())
}

/// Whether a user sees an entry: its entity is now in their graph or their trash, or is a grant on a node they have
/// access ≤ 1 to, or a grant or embed of their own. Phantoms and deleted entities have no history. A grant or embed
/// of theirs that has ended no longer counts by itself, because they may no longer read even the node's id.
pub fn sees_entry(world: &World, user: UserId, entry: &Entry) -> bool {
    sees_placed(world, user, entry, &Placements::of(world, user, entry.subject.nodes()))
}

fn sees_placed(world: &World, user: UserId, entry: &Entry, placed: &Placements) -> bool {
    let runs = |id| placed.level(id).is_some_and(|level| level <= Level::Admin);
    let sees_node =
        |id| world.node(id).is_some_and(|node| placed.level(id).is_some() && (!node.in_trash || runs(id)));
    match &entry.subject {
        _ if entry.op.is_internal() => false,
        Subject::Node(change) => change.latest().is_some_and(|node| sees_node(node.id)),
        Subject::Link(change) => change.latest().and_then(|link| world.link(link.id)).is_some_and(|link| {
            let (source, target) = (placed.level(link.source), placed.level(link.target));
            match link.in_trash {
                false => sees_link(user, link, source, target),
                true => trash::shows_link(user, link, source, target),
            }
        }),
        Subject::Grant(change) => change.latest().is_some_and(|grant| {
            let holds = grant.user == user && world.grant(grant.node, user).is_some();
            world.node(grant.node).is_some() && (holds || runs(grant.node))
        }),
        Subject::Embed(change) => change.latest().is_some_and(|embed| {
            embed.user == user && (sees_node(embed.node) || world.has_embed(embed.node, user))
        }),
        Subject::User(change) => {
            !entry.op.is_internal() && change.latest().is_some_and(|account| account.id == user)
        }
        Subject::Token(_) | Subject::Key(_) => false,
    }
}

/// Who reads history, and what they see of it.
pub trait HistorySight: Debug + Send + Sync {
    /// Whose view it is.
    fn user(&self) -> UserId;
    /// True for the operator, who sees everything.
    fn sees_everything(&self) -> bool;
    /// Whether they see an entry, as [`sees_entry`] says.
    fn sees_entry(&self, entry: &Entry) -> bool;
    /// Whether they see a batch, as [`sees_batch`] says.
    fn sees_batch(&self, batch: &Batch) -> bool;
    /// All they may see. To find it out costs in proportion.
    fn whole(&self) -> Arc<HistoryView>;
    /// All they may see, unless it is more than about so many nodes and links. To find that out costs no more.
    fn whole_within(&self, most: usize) -> Option<Arc<HistoryView>>;
}

impl HistorySight for HistoryView {
    fn user(&self) -> UserId {
        self.user
    }

    fn sees_everything(&self) -> bool {
        self.everything
    }

    fn sees_entry(&self, entry: &Entry) -> bool {
        self.sees_entry(entry)
    }

    fn sees_batch(&self, batch: &Batch) -> bool {
        self.sees_batch(batch)
    }

    fn whole(&self) -> Arc<HistoryView> {
        Arc::new(self.clone())
    }

    fn whole_within(&self, most: usize) -> Option<Arc<HistoryView>> {
        (self.sees.len() + self.runs.len() <= most).then(|| self.whole())
    }
}

/// What a user may see of history. It is taken from the World once, so that history can be searched on another
/// thread.
#[derive(Clone, Debug)]
pub struct HistoryView {
    /// Whose view it is.
    pub user: UserId,
    /// The nodes and links they see, in the graph and in their trash.
    pub sees: HashSet<Uuid>,
    /// The nodes they have access ≤ 1 to. They see the grants on these.
    pub runs: HashSet<NodeId>,
    /// The nodes they have a grant on, in force or not.
    pub holds: HashSet<NodeId>,
    /// The nodes they have embedded, whether the embed is in force or not.
    pub embeds: HashSet<NodeId>,
    /// True for the operator, who sees everything.
    pub everything: bool,
}

impl HistoryView {
    /// The view of a user who sees nothing but themselves.
    pub fn new(user: UserId) -> Self {
        HistoryView {
            user,
            sees: HashSet::default(),
            runs: HashSet::default(),
            holds: HashSet::default(),
            embeds: HashSet::default(),
            everything: false,
        }
    }

    /// The operator's view.
    pub fn of_everything() -> Self {
        HistoryView { everything: true, ..HistoryView::new(UserId(Uuid::nil())) }
    }

    /// The user's view now.
    pub fn of(world: &World, user: UserId) -> Self {
        let mut reader = HistoryView::new(user);
        let granted = world.user(user).map(|slot| &slot.granted).into_iter().flatten();
        reader.holds = granted.copied().filter(|id| world.node(*id).is_some()).collect();
        reader.embeds =
            world.user(user).map(|slot| slot.embedded.iter().copied().collect()).unwrap_or_default();
        let full = accessible(world, user);
        for (id, level) in &full {
            reader.note_node(*id, *level);
            // A user who sees a link has access to its target.
            let seen = world
                .active_links_down(*id)
                .filter(|link| sees_link(user, link, full.get(&link.source).copied(), Some(*level)));
            reader.sees.extend(seen.map(|link| link.id.0));
        }
        let trash = trash::trash_page(world, user, usize::MAX, 0);
        for (id, level) in trash.nodes.iter().filter_map(|seen| Some((seen.node.id, seen.level()?))) {
            reader.note_node(id, level);
        }
        reader.sees.extend(trash.links.iter().map(|seen| seen.link.id.0));
        reader
    }

    /// The user's view now, unless they may see more than about so many nodes.
    ///
    /// Costs no more than that many nodes and their links.
    pub fn of_at_most(world: &World, user: UserId, most: usize) -> Option<Self> {
        let slot = world.user(user)?;
        let roots = slot.granted.iter().chain(&slot.embedded);
        let fits = slot.owned() + slot.trashed_links.len() <= most
            && !access::leads_to_more(world, roots.copied(), most);
        fits.then(|| Self::of(world, user))
    }

    /// What the user may see of these entries now. It is like [`HistoryView::of`], but knows of nothing else.
    ///
    /// Costs one climb from all the nodes of the entries.
    pub fn of_entries<'e>(world: &World, user: UserId, entries: impl IntoIterator<Item = &'e Entry>) -> Self {
        let mut reader = HistoryView::new(user);
        let (mut nodes, mut links): (HashSet<NodeId>, HashSet<LinkId>) = Default::default();
        for entry in entries {
            match &entry.subject {
                Subject::Node(change) => nodes.extend(change.latest().map(|node| node.id)),
                Subject::Link(change) => links.extend(change.latest().map(|link| link.id)),
                Subject::Grant(change) => {
                    let Some(grant) = change.latest() else { continue };
                    nodes.insert(grant.node);
                    if grant.user == user && world.grant(grant.node, user).is_some() {
                        reader.holds.insert(grant.node);
                    }
                }
                Subject::Embed(change) => {
                    let Some(embed) = change.latest() else { continue };
                    nodes.insert(embed.node);
                    if embed.user == user && world.has_embed(embed.node, user) {
                        reader.embeds.insert(embed.node);
                    }
                }
                Subject::User(_) | Subject::Token(_) | Subject::Key(_) => {}
            }
        }
        let links: Vec<&Arc<Link>> = links.into_iter().filter_map(|id| world.link(id)).collect();
        let ends = links.iter().flat_map(|link| [link.source, link.target]);
        let placed = Placements::of(world, user, nodes.iter().copied().chain(ends));
        for node in nodes.into_iter().filter_map(|id| world.node(id)) {
            if let Some(level) =
                placed.level(node.id).filter(|level| !node.in_trash || *level <= Level::Admin)
            {
                reader.note_node(node.id, level);
            }
        }
        let seen = links.into_iter().filter(|link| {
            let (source, target) = (placed.level(link.source), placed.level(link.target));
            match link.in_trash {
                false => sees_link(user, link, source, target),
                true => trash::shows_link(user, link, source, target),
            }
        });
        reader.sees.extend(seen.map(|link| link.id.0));
        reader
    }

    /// Whether they have access ≤ 1 to a node, and so see its grants and its public token.
    pub fn runs(&self, node: NodeId) -> bool {
        self.everything || self.runs.contains(&node)
    }

    fn note_node(&mut self, id: NodeId, level: Level) {
        self.sees.insert(id.0);
        if level <= Level::Admin {
            self.runs.insert(id);
        }
    }

    /// [`sees_entry`], without the World.
    pub fn sees_entry(&self, entry: &Entry) -> bool {
        if self.everything {
            return true;
        }
        match &entry.subject {
            _ if entry.op.is_internal() => false,
            Subject::Node(change) => change.latest().is_some_and(|node| self.sees.contains(&node.id.0)),
            Subject::Link(change) => change.latest().is_some_and(|link| self.sees.contains(&link.id.0)),
            Subject::Grant(change) => change.latest().is_some_and(|grant| {
                let holds = grant.user == self.user && self.holds.contains(&grant.node);
                holds || self.runs(grant.node)
            }),
            Subject::Embed(change) => change.latest().is_some_and(|embed| {
                let reads = self.embeds.contains(&embed.node) || self.sees.contains(&embed.node.0);
                embed.user == self.user && reads
            }),
            Subject::User(change) => {
                !entry.op.is_internal() && change.latest().is_some_and(|account| account.id == self.user)
            }
            Subject::Token(_) | Subject::Key(_) => false,
        }
    }

    /// [`sees_batch`], without the World.
    pub fn sees_batch(&self, batch: &Batch) -> bool {
        let made = batch.is_by(self.user) && shows_anything(batch);
        made || batch.entries.iter().any(|entry| self.sees_entry(entry))
    }
}
