//! The tail of the line: what is known of the batches that have not been folded. It is kept in memory, in parts, and
//! shared by everything in this process that has the same file open through one log.
//!
//! A look takes the parts as they are then, see [`super::view`]; they never change. What a commit appends is
//! one more part. What was folded is dropped by the first to see the fold.

use super::find::Part;
use super::runs::Runs;
use std::sync::{Arc, Mutex, PoisonError};

/// How many finds a part may have after it was joined with its neighbour. Joining is done by commits, so it must be
/// quick: this many take less than a millisecond. A look-up asks every part, so there should be few.
pub(super) const PART_FINDS_MAX: usize = 1 << 15;

/// The tail, as it was last seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The rev up to which the line was folded.
    pub(super) mark: i64,
    /// The rev of the last batch.
    pub(super) head: i64,
    /// What is known of everything after the mark, without a gap.
    pub(super) parts: Vec<Arc<Part>>,
    pub(super) runs: Arc<Runs>,
}

/// What is shared.
#[derive(Debug, Default)]
pub(super) struct Tail(Mutex<Known>);

impl Tail {
    /// The tail as last seen. To match a transaction it must be taken before that transaction reads anything: the
    /// transaction then sees the same batches and folds, or more, but never fewer.
    pub(super) fn known(&self) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets others know, unless they know of more.
    pub(super) fn tell(&self, known: Known) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.mark >= held.mark && known.head >= held.head {
            *held = known;
        }
    }
}

impl Known {
    /// Adds the part that follows, joined with small ones before it.
    pub(super) fn push(&mut self, part: Part) {
        self.head = part.last;
        let mut part = Arc::new(part);
        // Each find is joined about once for each time that its part grew to twice its size.
        while let Some(before) = self.parts.pop_if(|before| {
            let (older, newer) = (before.finds.len(), part.finds.len());
            older <= 2 * newer && older + newer <= PART_FINDS_MAX
        }) {
            part = Arc::new(before.and(&part));
        }
        self.parts.push(part);
    }

    /// Forgets what has been folded.
    pub(super) fn drop_folded(&mut self, mark: i64) {
        (self.mark, self.head) = (mark, self.head.max(mark));
        self.parts.retain(|part| part.last > mark);
        // It was joined while the fold was under way.
        if let Some(first) = self.parts.first_mut().filter(|first| first.first <= mark) {
            *first = Arc::new(first.without(mark));
        }
    }
}
