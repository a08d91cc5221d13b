//! How long history is kept, and its pruning.

use crate::{LogError, StopSign};
use graph::Timestamp;
use graph::model::{Plan, Rev};

/// How much of a user's history is kept. While any of these limits is exceeded, the oldest batch is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The greatest age, in days.
    pub days: u32,
    /// The greatest number of batches.
    pub batches: u64,
    /// The greatest total size in bytes, as stored.
    pub bytes: u64,
}

/// How long history is kept, by the plan of the batch's actor. Batches without an actor are kept as for a pro user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// For users of the plan `basic`.
    pub basic: Limits,
    /// For users of the plan `plus`.
    pub plus: Limits,
    /// For users of the plan `pro`.
    pub pro: Limits,
    /// For how many milliseconds every batch is kept, whatever the limits, so that a repeated request is
    /// recognized.
    pub keys_kept_ms: i64,
}

/// 24 h.
pub(crate) const DAY_MS: i64 = 86_400_000;

const MB: u64 = 1_000_000;

impl Default for Retention {
    fn default() -> Self {
        Retention {
            basic: Limits { days: 1, batches: 100, bytes: 20 * MB },
            plus: Limits { days: 30, batches: 5_000, bytes: 200 * MB },
            pro: Limits { days: 180, batches: 50_000, bytes: 800 * MB },
            keys_kept_ms: DAY_MS,
        }
    }
}

impl Retention {
    /// The limits for users of a plan.
    pub fn of(&self, plan: Plan) -> Limits {
        match plan {
            Plan::Basic => self.basic,
            Plan::Plus => self.plus,
            Plan::Pro => self.pro,
        }
    }
}

/// Prunes history: each user's oldest batches first. A pruner has its own connection, for use on its own thread. A
/// batch is removed whole, with its id and its place in chains; the log's last batch stays. An id that was deleted
/// for good is forgotten some time after the last batch that touches it was removed, whichever user made that batch.
pub trait Pruner: Send {
    /// Makes pruning end at the next batch once the sign is set.
    fn heed(&mut self, stop: StopSign);

    /// Removes up to `most` batches. Its transactions are so short that writers hardly wait, and the pauses between
    /// them are much longer. Several pruners, at once or one after the other, have the same result.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`]. Removed batches stay removed, and the next call continues
    /// with another user.
    fn prune_some(&mut self, now: Timestamp, most: usize) -> Result<Pruned, LogError>;

    /// Maintains the storage, so that writers need not: checkpoints the WAL, folds, merges. It should be called several
    /// times a second, even when there is nothing to prune. Most calls do nothing. One that folds may take seconds; it
    /// ends early once the sign is set.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`]; no data is lost.
    fn keep_up(&mut self) -> Result<Upkeep, LogError>;
}

/// What maintaining the storage came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// How many of the latest batches are not folded into tables yet, before anything was done about it.
    pub tail: u64,
    /// Whether they were folded.
    pub folded: bool,
    /// Whether runs were merged.
    pub merged: bool,
}

/// The result of pruning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// How many batches were removed.
    pub removed: usize,
    /// Whether more may be due: false only when every user was checked to the end.
    pub more: bool,
    /// The rev of the oldest batch kept, of any user; 0 in an empty log. An id that was deleted for good before it
    /// is touched by no kept batch and may be forgotten, see [`graph::World::forget_gone`].
    pub oldest: Rev,
}
