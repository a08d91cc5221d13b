//! How long the past is kept, and taking away what is not.

use crate::{LogError, StopSign};
use graph::Timestamp;
use graph::model::{Plan, Rev};

/// How much of a user's batches is kept: until any of these is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How old they may become.
    pub days: u32,
    /// How many.
    pub batches: u64,
    /// How large they may be together, as they are stored.
    pub bytes: u64,
}

/// How long the past is kept, by the plan of whoever made it. What the installation itself did is kept as if by a pro user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// For users of the plan `basic`.
    pub basic: Limits,
    /// For users of the plan `plus`.
    pub plus: Limits,
    /// For users of the plan `pro`.
    pub pro: Limits,
    /// For how many milliseconds every batch is kept, limits or not, so that a request sent again is recognized.
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

/// Takes away what need not be kept any longer, each user's oldest first, on a connection of its own, for a thread of its
/// own. A batch goes whole, whatever it holds, with its name and its part in chains; the log's last batch stays. An id that
/// was deleted for good is forgotten some time after the last batch that touches it has gone, by whomever that was.
pub trait Pruner: Send {
    /// Has pruning end at the next batch once the sign is set.
    fn heed(&mut self, stop: StopSign);

    /// Takes away up to `most` batches, in transactions so short that whoever appends hardly waits, with pauses between
    /// them that are much longer. One pruner after the other, and several at once, come to the same.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`]; what was taken away before stays away, and the next call goes on
    /// with another user.
    fn prune_some(&mut self, now: Timestamp, most: usize) -> Result<Pruned, LogError>;

    /// Looks after the storage, so that whoever appends need not: what was written is brought to its place. To be called
    /// several times a second, also when nothing is to be taken away; mostly there is nothing to do.
    ///
    /// # Errors
    /// [`LogError::Refused`] and [`LogError::Corrupt`]; nothing is lost by it.
    fn keep_up(&mut self) -> Result<(), LogError>;
}

/// What came of pruning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// How many batches were taken away.
    pub removed: usize,
    /// Whether there may be more to take away just now: false only when everybody was looked at to the end.
    pub more: bool,
    /// The oldest batch that is still held, of anybody; 0 in an empty log. An id that was deleted for good before it is
    /// touched by no batch that is held, for nothing touches it after: it may be forgotten, see
    /// [`graph::World::forget_gone`].
    pub oldest: Rev,
}
