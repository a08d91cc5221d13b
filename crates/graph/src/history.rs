//! History as a user sees it: the batches they made and those that touched what they see, and of each only the entries
//! on entities they see.

use crate::access::{level, placement, sees_link};
use crate::batch::{Batch, Entry, Subject};
use crate::id::{NodeId, UserId};
use crate::model::Level;
use crate::trash;
use crate::view::{self, SeenNode};
use crate::world::{Graph, World};
use std::collections::HashSet;
use uuid::Uuid;

/// Whether a user sees a batch at all.
pub fn sees_batch(world: &World, user: UserId, batch: &Batch) -> bool {
    !batch.entries.is_empty()
        && (batch.actor == Some(user) || batch.entries.iter().any(|entry| sees_entry(world, user, entry)))
}

/// Whether a user sees an entry: its entity is in their graph or in their trash now, or is a grant they run or hold.
/// Phantoms have no history, and what was deleted for good has none left; of a grant that was taken back, or an embed that
/// is over, whoever had it could not read even the node's id any more.
pub fn sees_entry(world: &World, user: UserId, entry: &Entry) -> bool {
    match &entry.subject {
        Subject::Node(change) => change.latest().and_then(|node| world.node(node.id)).is_some_and(|node| {
            level(world, user, node.id).is_some() || trash::shows_node(world, user, node)
        }),
        Subject::Link(change) => change.latest().and_then(|link| world.link(link.id)).is_some_and(|link| {
            let ends = (level(world, user, link.source), level(world, user, link.target));
            (!link.in_trash && sees_link(user, link, ends.0, ends.1)) || trash::shows_link(world, user, link)
        }),
        Subject::Grant(change) => change.latest().is_some_and(|grant| {
            let runs = placement(world, user, grant.node).is_some_and(|level| level <= Level::Admin);
            let holds = grant.user == user && world.grant(grant.node, user).is_some();
            world.node(grant.node).is_some() && (holds || runs)
        }),
        Subject::Embed(change) => change.latest().is_some_and(|embed| {
            let sees = level(world, user, embed.node).is_some()
                || world.node(embed.node).is_some_and(|node| trash::shows_node(world, user, node));
            embed.user == user && (sees || world.has_embed(embed.node, user))
        }),
        Subject::User(change) => {
            change.before.is_some() && change.latest().is_some_and(|account| account.id == user)
        }
        Subject::Token(_) => false,
    }
}

/// What a user may see of history, taken from the World once so that the past can be searched elsewhere.
#[derive(Clone, Debug)]
pub struct Reader {
    pub user: UserId,
    /// The nodes and links they see, in the graph and in their trash.
    pub sees: HashSet<Uuid>,
    /// The nodes they own or have admin access to: whose grants they see.
    pub runs: HashSet<NodeId>,
    /// The nodes they have a grant to, be it in force or not.
    pub holds: HashSet<NodeId>,
    /// The nodes they have embedded, be it in force or not.
    pub embeds: HashSet<NodeId>,
    /// True for whoever looks after the installation: there is nothing they do not see.
    pub everything: bool,
}

impl Reader {
    /// Somebody who sees nothing but themselves.
    pub fn new(user: UserId) -> Self {
        Reader {
            user,
            sees: HashSet::new(),
            runs: HashSet::new(),
            holds: HashSet::new(),
            embeds: HashSet::new(),
            everything: false,
        }
    }

    /// Whoever looks after the installation.
    pub fn of_everything() -> Self {
        Reader { everything: true, ..Reader::new(UserId(Uuid::nil())) }
    }

    /// Gathers what the user sees now.
    pub fn of(world: &World, user: UserId) -> Self {
        let mut reader = Reader::new(user);
        let granted = world.user(user).map(|slot| &slot.granted).into_iter().flatten();
        reader.holds = granted.copied().filter(|id| world.node(*id).is_some()).collect();
        reader.embeds =
            world.user(user).map(|slot| slot.embedded.iter().copied().collect()).unwrap_or_default();
        let page = view::visible(world, user);
        for seen in page.nodes.iter().filter(|seen| seen.is_full()) {
            reader.note_node(seen);
        }
        reader.sees.extend(page.links.iter().map(|seen| seen.link.id.0));
        let trash = trash::trash_page(world, user, usize::MAX, 0);
        for seen in &trash.nodes {
            reader.note_node(seen);
        }
        reader.sees.extend(trash.links.iter().map(|seen| seen.link.id.0));
        reader
    }

    /// Whether they run a node, and so see its grants and its public token.
    pub fn runs(&self, node: NodeId) -> bool {
        self.everything || self.runs.contains(&node)
    }

    fn note_node(&mut self, seen: &SeenNode) {
        self.sees.insert(seen.node.id.0);
        if seen.level().is_some_and(|level| level <= Level::Admin) {
            self.runs.insert(seen.node.id);
        }
    }

    /// [`sees_entry`], without the World.
    pub fn sees_entry(&self, entry: &Entry) -> bool {
        if self.everything {
            return true;
        }
        match &entry.subject {
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
                change.before.is_some() && change.latest().is_some_and(|account| account.id == self.user)
            }
            Subject::Token(_) => false,
        }
    }

    /// [`sees_batch`], without the World.
    pub fn sees_batch(&self, batch: &Batch) -> bool {
        let made = batch.actor == Some(self.user) && !batch.entries.is_empty();
        made || batch.entries.iter().any(|entry| self.sees_entry(entry))
    }
}
