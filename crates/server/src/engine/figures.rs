//! What the engine counts of itself.

use super::group::Group;
use crate::measure::{Count, Level, Spread};
use graph::World;
use store::Upkeep;

/// Figures of the engine, its readers and its log.
#[derive(Debug)]
pub struct Figures {
    /// How long deciding a group took.
    pub rounds: Spread,
    /// How long writing a group took, up to when it is on disk.
    pub commits: Spread,
    /// How many mutations a group had.
    pub group_sizes: Spread,
    /// Groups that could not be written.
    pub commits_failed: Count,
    /// Batches that are on disk.
    pub batches: Count,
    /// Diffs that were made: one for all users to whom a change means the same.
    pub projections: Count,
    /// Messages that were handed to connections.
    pub messages: Count,
    /// How often the World was loaded anew.
    pub reloads: Count,
    /// Batches that were pruned from history.
    pub pruned: Count,
    /// How often the tail of the log was folded into its tables, and runs were merged.
    pub folds: Count,
    pub merges: Count,
    /// How many batches the tail has.
    pub tail: Level,
    /// The last rev that is on disk.
    pub rev: Level,
    /// What the World has.
    pub nodes: Level,
    pub links: Level,
    pub users: Level,
    /// How many connections the engine sends to.
    pub connections: Level,
    /// How many looks at the log failed since one succeeded.
    pub looks_failed: Level,
}

impl Default for Figures {
    fn default() -> Self {
        Figures {
            rounds: Spread::of_times(),
            commits: Spread::of_times(),
            group_sizes: Spread::of_sizes(),
            commits_failed: Count::default(),
            batches: Count::default(),
            projections: Count::default(),
            messages: Count::default(),
            reloads: Count::default(),
            pruned: Count::default(),
            folds: Count::default(),
            merges: Count::default(),
            tail: Level::default(),
            rev: Level::default(),
            nodes: Level::default(),
            links: Level::default(),
            users: Level::default(),
            connections: Level::default(),
            looks_failed: Level::default(),
        }
    }
}

impl Figures {
    /// Notes a group that was decided.
    pub(super) fn note_group(&self, group: &Group) {
        self.rounds.note_time(group.spent);
        self.group_sizes.note(group.asked.len() as u64);
    }

    /// Notes what maintaining the storage came to.
    pub(super) fn note_upkeep(&self, Upkeep { tail, folded, merged }: Upkeep) {
        self.tail.set(tail);
        self.folds.add(folded.into());
        self.merges.add(merged.into());
    }

    /// Notes how large the World is.
    pub(super) fn note_world(&self, world: &World) {
        let [nodes, links, users] = world.sizes();
        for (level, size) in [(&self.nodes, nodes), (&self.links, links), (&self.users, users)] {
            level.set(u64::try_from(size).unwrap_or(u64::MAX));
        }
        self.rev.set(world.rev());
    }
}
